//! The IBCF between two networks: what is said of registration state passes through the library, and everything else as it
//! is. It keeps nothing but transactions.

use std::{error::Error, net::SocketAddrV4};

use ims_procedures::{
    drive::{Buffer, Identifier, Limits, Millis, Misuse},
    regevent::relay::{
        Body, Config, Direction, Documents, Expiry, Mapped, Pair, Relayed, RequestUris, Unread,
        Untranslated, relay,
    },
    wire::{Message, Uri, status_owed},
};
use serde_json::{Value, json};

use crate::{
    arguments::{Arguments, address, read},
    console,
    element::{NetworkElement, Refused},
    hop,
    outside::Outside,
    passage::Times,
    passing::Passing,
    peer::Peer,
    proxy::Proxy,
    site::{Site, Trust},
    way::Way,
    way_back::Stamped,
};

pub struct Element {
    /// A proxy for each way: by the branch that it has made, a response is known to belong to a request that went that way.
    outbound: Proxy,
    inbound: Proxy,
    passing: Passing,
    inside: SocketAddrV4,
    outside: SocketAddrV4,
    translation: Translation,
    /// Elements of the inside beside the next one.
    trust: Trust,
    tag: Identifier,
    counters: Counters,
}

/// What is called how on either side.
struct Translation {
    config: Config,
    contacts: Vec<Names>,
    aors: Vec<Names>,
    expiry: Expiry,
}

/// One thing, as the inside and as the outside knows it.
struct Names {
    inside: String,
    outside: String,
}

#[derive(Debug, Default)]
struct Counters {
    /// Messages about registration state.
    relayed: u64,
    /// Those of them in which something was translated.
    translated: u64,
    /// Documents that could not be read, and passed all the same.
    unread: u64,
    /// Messages that did not pass.
    refused: u64,
    /// All other messages.
    others: u64,
}

impl Element {
    pub fn new(site: &mut Site, arguments: &mut Arguments) -> Result<Self, Box<dyn Error>> {
        let mut side = |name: &str| address(name, &arguments.needed(name)?);
        let (inside, outside) = (side("inside")?, side("outside")?);
        let tag = site.birth.identifiers().constant();
        let element = site.element()?;
        let birth = &mut site.birth;
        let mut proxy = || Proxy::new(element.clone(), birth.identifiers(), birth.secret());
        Ok(Self {
            outbound: proxy(),
            inbound: proxy(),
            passing: Passing::new(Times::read(arguments)?, tag),
            inside,
            outside,
            translation: Translation::read(arguments)?,
            trust: site.trust.clone(),
            tag,
            counters: Counters::default(),
        })
    }

    /// Whether a message comes from the inside; a response, whether its request did.
    fn is_of_inside(&self, from: Peer, message: &Stamped) -> bool {
        match is_request(message) {
            true => self.is_inside(from),
            false => self.outbound.back_through(&message.bytes).is_some(),
        }
    }

    /// Where the outside is at the same address, the port of the next element alone is the inside's: whoever connects to us
    /// has any port, and says anything in its Via.
    fn is_inside(&self, peer: Peer) -> bool {
        let ip = *peer.address.ip();
        match ip == *self.outside.ip() {
            true => peer.address == self.inside,
            false => ip == *self.inside.ip() || self.trust.holds(ip),
        }
    }

    /// The message as it goes on.
    fn translate(
        &mut self,
        now: Millis,
        direction: Direction,
        message: &Stamped,
        outside: &mut Outside,
    ) -> Option<Stamped> {
        let mut buffer = Buffer::new(Limits::default().message_bytes);
        let relayed = self
            .translation
            .relay(direction, &message.bytes, &mut buffer);
        let changes = match relayed {
            Ok(Relayed::NotOurs) => {
                self.counters.others += 1;
                return Some(message.clone());
            }
            Ok(Relayed::Written(changes)) => changes,
            Err(why) => {
                self.refuse(now, message, &why, outside);
                return None;
            }
        };
        let (is_translated, is_unread) = match changes.body {
            Body::Untouched => (false, false),
            Body::Translated(values) => (values > 0, false),
            Body::Unread(_) => (false, true),
        };
        self.counters.relayed += 1;
        self.counters.translated +=
            u64::from(changes.request_uri || changes.contacts > 0 || is_translated);
        self.counters.unread += u64::from(is_unread);
        if let Body::Unread(why) = changes.body {
            let why = why.to_string();
            outside.report(now, &json!({"event": "unread", "why": why}));
        }
        Some(Stamped {
            bytes: buffer.as_slice().to_vec(),
            back: message.back,
        })
    }

    /// A message that does not pass. Of a request its sender hears.
    fn refuse(
        &mut self,
        now: Millis,
        message: &Stamped,
        why: &Untranslated,
        outside: &mut Outside,
    ) {
        self.counters.refused += 1;
        let status = match why {
            Untranslated::Rejected(reject) => status_owed(reject.defect).unwrap_or(400),
            _ => 500,
        };
        outside.report(now, &json!({"event": "rejected", "why": why.to_string()}));
        if is_request(message) {
            hop::refuse(now, message, status, self.tag, outside);
        }
    }

    fn statistics(&self) -> Value {
        json!({
            "event": "statistics",
            "passing": self.passing.len(),
            "messages": console::counters(&self.counters),
        })
    }
}

impl NetworkElement for Element {
    fn receive(
        &mut self,
        now: Millis,
        from: Peer,
        message: &Stamped,
        outside: &mut Outside,
    ) -> Result<(), Misuse> {
        let is_of_inside = self.is_of_inside(from, message);
        // A response goes the other way than its request.
        let direction = match is_of_inside == is_request(message) {
            true => Direction::Outbound,
            false => Direction::Inbound,
        };
        let Some(passed) = self.translate(now, direction, message, outside) else {
            return Ok(());
        };
        // The outside chooses nobody but the inside: this is no proxy for strangers.
        let (proxy, far, within) = match is_of_inside {
            true => (&self.outbound, self.outside, None),
            false => (&self.inbound, self.inside, Some(&self.trust)),
        };
        let way = Way { far, within };
        let through = (proxy, &mut self.passing);
        way.pass_on(now, &passed, through, outside);
        Ok(())
    }

    fn command(
        &mut self,
        _: Millis,
        command: &console::Command,
        outside: &mut Outside,
    ) -> Result<(), Refused> {
        match command.name() {
            "statistics" => outside.reply(&self.statistics()),
            // A dialog costs it nothing.
            "list" => outside.reply(&json!({"event": "list", "registrations": []})),
            other => return Err(format!("there is no command {other:?}").into()),
        }
        Ok(())
    }

    fn deadline(&self) -> Option<Millis> {
        self.passing.deadline()
    }

    fn tick(&mut self, now: Millis, outside: &mut Outside) -> Result<(), Misuse> {
        self.passing.tick(now, outside);
        Ok(())
    }
}

impl Translation {
    fn read(arguments: &mut Arguments) -> Result<Self, Box<dyn Error>> {
        let mut config = Config::default();
        if !arguments.either("documents", ["untouched", "translated"])? {
            config.documents = Documents::Translated;
        }
        if !arguments.either("unread", ["passed", "refused"])? {
            config.unread = Unread::Refused;
        }
        if !arguments.either("request-uris", ["in-dialog", "all"])? {
            config.request_uris = RequestUris::All;
        }
        let most = arguments.text("expires-at-most")?;
        let most = most
            .map(|most| read("expires-at-most", &most))
            .transpose()?;
        Ok(Self {
            config,
            contacts: names("translate-contact", arguments.all("translate-contact")?)?,
            aors: names("translate-aor", arguments.all("translate-aor")?)?,
            expiry: most.map_or(Expiry::Same, Expiry::AtMost),
        })
    }

    fn relay(
        &self,
        direction: Direction,
        bytes: &[u8],
        buffer: &mut Buffer,
    ) -> Result<Relayed, Untranslated> {
        let (contacts, aors) = (pairs(&self.contacts), pairs(&self.aors));
        let mapped = Mapped {
            direction,
            contacts: &contacts,
            aors: &aors,
            expiry: self.expiry,
        };
        relay(bytes, &Limits::default(), &self.config, &mapped, buffer)
    }
}

fn is_request(message: &Stamped) -> bool {
    let read = Message::parse(&message.bytes, &Limits::default());
    read.is_ok_and(|message| message.is_request())
}

fn pairs(names: &[Names]) -> Vec<Pair<'_>> {
    let pairs = names.iter().map(|names| Pair {
        inside: names.inside.as_bytes(),
        outside: names.outside.as_bytes(),
    });
    pairs.collect()
}

/// Reads `INSIDE,OUTSIDE`, two URIs.
fn names(option: &str, entries: Vec<String>) -> Result<Vec<Names>, String> {
    let read = |entry: &String| {
        let (inside, outside) = entry.split_once(',')?;
        let are_uris = [inside, outside].map(|uri| Uri::parse(uri.as_bytes()).is_ok());
        let (inside, outside) = (inside.to_owned(), outside.to_owned());
        (are_uris == [true, true]).then_some(Names { inside, outside })
    };
    let wrong = |entry: &String| format!("--{option}: {entry} is not URI,URI");
    let read = entries
        .iter()
        .map(|entry| read(entry).ok_or_else(|| wrong(entry)));
    read.collect()
}
