//! Whom an MSC server serves, and the REGISTERs that its host sends for them (TS 24.292 6.3.2, 6.3.3): at first, and before
//! a registration runs out. The library ends what they began.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    net::SocketAddrV4,
};

use ims_procedures::{
    drive::{Identifiers, Millis},
    mscics::identities::{Imsi, MncLength, instance_id},
    wire::{Contact, Element, MAGIC_COOKIE, Message},
};
use serde::{Deserialize, Serialize};

use crate::{
    agenda::Agenda,
    console::text,
    outside::Outside,
    register::Register,
    resend::{CORE, Elapsed, Outstanding},
    store::{Opened, Store},
};

/// Seconds before the end at which a registration is renewed, if it lasts twice as long (TS 24.229 5.1.1.4.1).
const MARGIN: u32 = 600;

/// A subscriber.
#[derive(Deserialize, Serialize)]
pub struct Subscriber {
    pub imei: String,
    pub private_identity: String,
    pub public_identity: String,
    home_domain: String,
    pub instance: String,
    /// Of its REGISTERs, which have one Call-ID.
    call_id: Vec<u8>,
    tag: Vec<u8>,
    cseq: u32,
    /// Seconds that are asked for.
    expires: u32,
    /// When the registration is renewed.
    pub renewed_at: Option<Millis>,
    #[serde(skip)]
    out: Option<Out>,
}

/// A REGISTER that is not answered yet.
struct Out {
    bytes: Vec<u8>,
    waiting: Outstanding,
}

/// A REGISTER that was answered.
pub struct Answered {
    pub private_identity: String,
    pub request: Vec<u8>,
    pub status: u16,
}

/// How REGISTERs are sent.
pub struct Manner {
    pub element: Element,
    pub registrar: SocketAddrV4,
    pub visited_network: String,
    /// Seconds that are asked for at first.
    pub expires: u32,
    pub mnc: MncLength,
}

pub struct Served {
    manner: Manner,
    identifiers: Identifiers,
    /// By private identity.
    subscribers: BTreeMap<String, Subscriber>,
    agenda: Agenda<String>,
    /// Who is no longer active here, whatever becomes of a shutdown.
    left: BTreeSet<String>,
    store: Option<Store>,
}

impl Served {
    /// Nobody, or those of the store who are registered still.
    pub fn restore(
        manner: Manner,
        identifiers: Identifiers,
        kept: Option<Opened>,
        is_known: impl Fn(&[u8]) -> bool,
    ) -> Result<Self, Box<dyn Error>> {
        let mut served = Self {
            manner,
            identifiers,
            subscribers: BTreeMap::new(),
            agenda: Agenda::new(),
            left: BTreeSet::new(),
            store: None,
        };
        let Some(opened) = kept else {
            return Ok(served);
        };
        let (mut store, kept) = opened.read::<Subscriber>()?;
        for (key, subscriber) in kept {
            if !is_known(&key) {
                store.forget(&key)?;
                continue;
            }
            let name = subscriber.private_identity.clone();
            served.agenda.set(&name, subscriber.renewed_at);
            served.subscribers.insert(name, subscriber);
        }
        served.store = Some(store);
        Ok(served)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Subscriber> {
        self.subscribers.values()
    }

    pub fn deadline(&self) -> Option<Millis> {
        self.agenda.deadline()
    }

    /// The private identity of an IMSI.
    pub fn private_identity(&self, imsi: &str) -> Result<String, Box<dyn Error>> {
        let imsi = Imsi::new(imsi.as_bytes(), self.manner.mnc)?;
        Ok(text(&imsi.private_identity()))
    }

    /// The IMEI of somebody who is served.
    pub fn imei(&self, private_identity: &str) -> Option<String> {
        let known = self.subscribers.get(private_identity)?;
        Some(known.imei.clone())
    }

    /// Registers a subscriber, who is here for the first time, or again.
    pub fn register(
        &mut self,
        now: Millis,
        (imsi, imei): (&str, &str),
        outside: &mut Outside,
    ) -> Result<(), Box<dyn Error>> {
        let imsi = Imsi::new(imsi.as_bytes(), self.manner.mnc)?;
        let subscriber = Subscriber {
            imei: imei.to_owned(),
            private_identity: text(&imsi.private_identity()),
            public_identity: text(&imsi.temporary_public_identity()),
            home_domain: format!("sip:{}", text(&imsi.home_domain())),
            instance: text(&instance_id(imei.as_bytes())?),
            call_id: self.identifiers.next().text().to_vec(),
            tag: self.identifiers.next().text().to_vec(),
            cseq: 0,
            expires: self.manner.expires,
            renewed_at: None,
            out: None,
        };
        let name = subscriber.private_identity.clone();
        self.come_back(&name);
        self.subscribers.insert(name.clone(), subscriber);
        self.send(now, &name, outside);
        Ok(())
    }

    /// Registers anew whoever has returned while the registration was being ended.
    pub fn register_anew(&mut self, now: Millis, private_identity: &str, outside: &mut Outside) {
        let (call_id, expires) = (self.identifiers.next(), self.manner.expires);
        if let Some(subscriber) = self.subscribers.get_mut(private_identity) {
            subscriber.call_id = call_id.text().to_vec();
            subscriber.cseq = 0;
            subscriber.expires = expires;
        }
        self.send(now, private_identity, outside);
    }

    fn send(&mut self, now: Millis, private_identity: &str, outside: &mut Outside) {
        let branch = self.identifiers.next();
        let Some(subscriber) = self.subscribers.get_mut(private_identity) else {
            return;
        };
        subscriber.cseq += 1;
        let register = Register {
            home_domain: &subscriber.home_domain,
            public_identity: &subscriber.public_identity,
            private_identity,
            instance: &subscriber.instance,
            call_id: &subscriber.call_id,
            tag: &subscriber.tag,
            cseq: subscriber.cseq,
            expires: subscriber.expires.into(),
            visited_network: &self.manner.visited_network,
        };
        let bytes = register.write(&self.manner.element, branch);
        let bytes = bytes.unwrap_or_default();
        let branch = [MAGIC_COOKIE, &branch.text()].concat();
        self.manner.send(now, &bytes, outside);
        subscriber.out = Some(Out {
            waiting: Outstanding::new(now, &bytes, &branch, CORE),
            bytes,
        });
        self.settle(private_identity);
        self.keep(now, private_identity);
    }

    /// The registration is to be ended: none of its REGISTERs may come after the one that does so.
    pub fn hold(&mut self, private_identity: &str) {
        if let Some(subscriber) = self.subscribers.get_mut(private_identity) {
            subscriber.out = None;
            subscriber.renewed_at = None;
        }
        self.settle(private_identity);
    }

    /// The same of a subscriber who is no longer active here.
    pub fn leave(&mut self, private_identity: &str) {
        self.hold(private_identity);
        if self.subscribers.contains_key(private_identity) {
            self.left.insert(private_identity.to_owned());
        }
    }

    /// Active here again.
    pub fn come_back(&mut self, private_identity: &str) {
        self.left.remove(private_identity);
    }

    /// The same for everybody.
    pub fn hold_all(&mut self) {
        let names: Vec<String> = self.subscribers.keys().cloned().collect();
        names.iter().for_each(|name| self.hold(name));
    }

    /// Whoever was held, and is here still, is renewed.
    pub fn renew_all(&mut self, now: Millis, outside: &mut Outside) {
        let held = self.subscribers.values();
        let held = held.filter(|it| it.out.is_none() && it.renewed_at.is_none());
        let held = held.filter(|it| !self.left.contains(&it.private_identity));
        let names: Vec<String> = held.map(|it| it.private_identity.clone()).collect();
        for name in names {
            self.send(now, &name, outside);
        }
    }

    /// The registration goes on after all: it is renewed at once.
    pub fn renew(&mut self, now: Millis, private_identity: &str, outside: &mut Outside) {
        self.send(now, private_identity, outside);
    }

    pub fn forget(&mut self, private_identity: &str) {
        self.subscribers.remove(private_identity);
        self.left.remove(private_identity);
        self.agenda.set(&private_identity.to_owned(), None);
        if let Some(store) = &mut self.store {
            // A start finds that the node does not have it.
            let _ = store.forget(private_identity.as_bytes());
        }
    }

    /// A final response to one of these REGISTERs. `None` for any other; and for a 423, after which another is sent with
    /// as much time as the registrar wants.
    pub fn hear(
        &mut self,
        now: Millis,
        response: &Message<'_>,
        outside: &mut Outside,
    ) -> Option<Answered> {
        // The temporary public identity is the private one as a URI (TS 23.003 20.3.4).
        let private_identity = text(response.to().ok()?.uri_bytes().strip_prefix(b"sip:")?);
        let subscriber = self.subscribers.get_mut(&private_identity)?;
        let out = subscriber.out.as_ref()?;
        let status = out.waiting.answered_by(response)?;
        let request = subscriber.out.take()?.bytes;
        let least = response.min_expires().ok().flatten();
        match (status, least) {
            (200..300, _) => subscriber.note_grant(now, response),
            (423, Some(least)) if least > subscriber.expires => {
                subscriber.expires = least;
                self.send(now, &private_identity, outside);
                return None;
            }
            _ => {}
        }
        self.settle(&private_identity);
        self.keep(now, &private_identity);
        Some(Answered {
            private_identity,
            request,
            status,
        })
    }

    /// Sends what is due. Who has got no answer.
    pub fn tick(&mut self, now: Millis, outside: &mut Outside) -> Option<String> {
        let name = self.agenda.due(now)?;
        let subscriber = self.subscribers.get_mut(&name)?;
        let Some(out) = &mut subscriber.out else {
            self.send(now, &name, outside);
            return None;
        };
        let elapsed = out.waiting.elapse(now);
        if let Elapsed::Again(bytes) = &elapsed {
            self.manner.send(now, bytes, outside);
        }
        let is_unanswered = matches!(elapsed, Elapsed::TimedOut);
        if is_unanswered {
            subscriber.out = None;
            subscriber.renewed_at = None;
        }
        self.settle(&name);
        is_unanswered.then_some(name)
    }

    /// Its timer follows.
    fn settle(&mut self, private_identity: &str) {
        let subscriber = self.subscribers.get(private_identity);
        let deadline = subscriber.and_then(|it| match &it.out {
            Some(out) => Some(out.waiting.deadline()),
            None => it.renewed_at,
        });
        self.agenda.set(&private_identity.to_owned(), deadline);
    }

    fn keep(&mut self, now: Millis, private_identity: &str) {
        let subscriber = self.subscribers.get(private_identity);
        let (Some(store), Some(subscriber)) = (&mut self.store, subscriber) else {
            return;
        };
        if let Ok(blob) = postcard::to_allocvec(subscriber) {
            // One that is not kept is not renewed after a start: it runs out.
            let _ = store.note(now, private_identity.as_bytes(), blob);
        }
    }
}

impl Subscriber {
    fn note_grant(&mut self, now: Millis, response: &Message<'_>) {
        let granted = self.granted(response).unwrap_or(0);
        let until = match granted > 2 * MARGIN {
            true => granted - MARGIN,
            false => granted / 2,
        };
        self.renewed_at = (granted > 0).then(|| now.after_seconds(until));
    }

    /// For how many seconds the contact with its instance is bound.
    fn granted(&self, response: &Message<'_>) -> Option<u32> {
        let instance = format!("<{}>", self.instance);
        let own = response.contacts().find_map(|contact| match contact {
            Ok(Contact::Addr(contact)) if contact.instance() == Some(instance.as_bytes()) => {
                Some(contact.expires())
            }
            _ => None,
        });
        own?.or(response.expires().ok().flatten())
    }
}

impl Manner {
    fn send(&self, now: Millis, bytes: &[u8], outside: &mut Outside) {
        let hop = format!("sip:{}", self.registrar);
        let over_tcp = bytes.len() > self.element.udp_limit();
        outside.send_to_uri(now, hop.as_bytes(), over_tcp, bytes);
    }
}
