//! The P-CSCF, or SBC: the node that watches registration state, and what its host does for it.
//!
//! The host tells the node which registrations succeeded, are to end, and have ended; it passes on what arrives,
//! and ticks. When a document has come, [`Event::StateNotified`] says so, and the table can be read.

use std::{collections::BTreeSet, error::Error};

use ims_procedures::{
    drive::{Identifiers, Limits, Millis, Misuse, Outbox, Source, Verdict},
    regevent::{
        node::{Command, Config, Event, RegEvent, Registration, SubscriberNode},
        subscriber::{self, Answer, Profile, Question, Standing},
        watcher::Watcher as Table,
    },
    wire::{Element, HeaderName, Message},
};

use crate::{
    host::{Duties, Host},
    network::{Arrived, Network},
    provisioning::{Actor, PCSCF_URI, SCSCF_URI, User, VISITED_DOMAIN},
    table,
};

/// The P-CSCF.
pub struct Watcher {
    host: Host<SubscriberNode>,
    user: User,
    journal: Journal,
    /// Contacts bound to the user's default public identity, as the latest table had them.
    pub bound: BTreeSet<String>,
}

impl Watcher {
    pub fn new(
        user: User,
        profile: Profile,
        mut identifiers: impl FnMut() -> Identifiers,
    ) -> Result<Self, Box<dyn Error>> {
        let element = Element::new(PCSCF_URI.as_bytes(), VISITED_DOMAIN.as_bytes())?;
        let mut subscription = subscriber::Config::new(element);
        subscription.support_reg_event = true;
        subscription.profile = profile;
        subscription.entry_points = vec![SCSCF_URI.into()];
        let node = SubscriberNode::new(Config::new(subscription), identifiers())?;
        Ok(Self {
            host: Host::new(Actor::Pcscf, node, identifiers()),
            user,
            journal: Journal::default(),
            bound: BTreeSet::new(),
        })
    }

    pub fn node(&self) -> &SubscriberNode {
        self.host.node()
    }

    pub fn deadline(&self) -> Option<Millis> {
        self.host.deadline()
    }

    pub fn tick(&mut self, now: Millis, network: &mut Network) -> Result<(), Misuse> {
        self.host.tick(now, &mut self.journal, network)
    }

    /// Whether the notifier has accepted the subscription.
    pub fn is_subscribed(&self) -> bool {
        self.node().standing(self.user.private_identity.as_bytes()) == Standing::Active
    }

    fn table(&self) -> Option<&Table> {
        self.node().table(self.user.private_identity.as_bytes())
    }

    /// A message has arrived. What it returns is the table, if a document changed it.
    pub fn receive(
        &mut self,
        now: Millis,
        arrived: &Arrived,
        network: &mut Network,
    ) -> Result<Option<String>, Misuse> {
        let trust = match arrived.from {
            Actor::Scscf => Source::TrustedCore,
            _ => Source::Unknown,
        };
        let from = (arrived.from, trust);
        let bytes = &arrived.bytes;
        let verdict = self
            .host
            .receive(now, from, bytes, &mut self.journal, network)?;
        if let Verdict::Rejected(reject) = verdict {
            let note = format!("refused: {reject}");
            network.tape.note(now, Actor::Pcscf, note);
        }
        let Some(heading) = self.journal.notified.take() else {
            return Ok(None);
        };
        // Also that of a subscription which this NOTIFY has ended, until the next call.
        let Some(table) = self.table() else {
            return Ok(None);
        };
        let (bound, text) = (table::bound(table), table::text(&heading, table, now));
        self.bound = bound;
        Ok(Some(text))
    }

    /// The REGISTER of a device was answered with this 2xx.
    pub fn registered(
        &mut self,
        now: Millis,
        flow: &str,
        response: &[u8],
        network: &mut Network,
    ) -> Result<(), Box<dyn Error>> {
        let response = Message::parse(response, &Limits::default())?;
        let first = |name| response.name_addrs(name).next().transpose();
        let identity = first(HeaderName::PAssociatedUri)?.ok_or("no P-Associated-URI")?;
        let route = first(HeaderName::ServiceRoute)?;
        let contact = response.contacts().next().transpose()?;
        let expires = match contact {
            Some(ims_procedures::wire::Contact::Addr(contact)) => contact.expires(),
            _ => None,
        };
        let registered = Command::LearnRegistered(Registration {
            private_identity: self.user.private_identity.as_bytes(),
            public_identity: identity.uri_bytes(),
            flow: flow.as_bytes(),
            expires: expires.unwrap_or(0),
            trunk_group: b"",
            service_route: route.map_or(b"", |route| route.raw()),
            emergency: false,
            implicit: false,
        });
        self.host
            .command(now, registered, &mut self.journal, network)?;
        Ok(())
    }

    /// A REGISTER of a device with Expires 0 has arrived.
    pub fn deregistering(
        &mut self,
        now: Millis,
        flow: &str,
        network: &mut Network,
    ) -> Result<(), Misuse> {
        let command = Command::LearnDeregistering {
            private_identity: self.user.private_identity.as_bytes(),
            flow: flow.as_bytes(),
        };
        self.host
            .command(now, command, &mut self.journal, network)?;
        Ok(())
    }

    /// It was answered with a 2xx, or the time of the registration has run out.
    pub fn deregistered(
        &mut self,
        now: Millis,
        flow: &str,
        network: &mut Network,
    ) -> Result<(), Misuse> {
        let command = Command::LearnDeregistered {
            private_identity: self.user.private_identity.as_bytes(),
            flow: flow.as_bytes(),
        };
        self.host
            .command(now, command, &mut self.journal, network)?;
        Ok(())
    }
}

/// What the node has told since the last look.
#[derive(Default)]
struct Journal {
    /// What the latest document was.
    notified: Option<String>,
}

impl Duties<RegEvent> for Journal {
    /// [`subscriber::Routing::EntryPoints`] is configured: nothing is asked.
    fn answer(
        &mut self,
        _: Millis,
        _: &Question,
        _: &Outbox<RegEvent>,
        _: &mut Network,
    ) -> Answer<'static> {
        Answer::NoRoute
    }

    fn take_note(
        &mut self,
        now: Millis,
        event: &Event,
        _: &Outbox<RegEvent>,
        network: &mut Network,
    ) {
        let note = match event {
            Event::StateNotified {
                version,
                full,
                changed,
                ..
            } => {
                let kind = if *full { "full" } else { "partial" };
                let heading = format!("version {version}, {kind}: {changed} rows changed");
                self.notified = Some(heading.clone());
                format!("event: document {heading}")
            }
            Event::Subscription(event) => match event {
                subscriber::Event::Subscribed { expires, .. } => {
                    format!("event: subscribed for {expires} s")
                }
                subscriber::Event::SubscriptionLost { why, wait, .. } => {
                    format!("event: subscription lost, {why:?}; anew in {wait} ms")
                }
                subscriber::Event::SubscriptionEnded { why, .. } => {
                    format!("event: subscription ended, {why:?}")
                }
                _ => return,
            },
            _ => return,
        };
        network.tape.note(now, Actor::Pcscf, note);
    }
}
