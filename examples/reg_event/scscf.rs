//! The S-CSCF: the library's node, which notifies, with a registrar beside it.

use std::{collections::BTreeSet, error::Error};

use ims_procedures::{
    drive::{Identifiers, Limits, Millis, Misuse, Outbox, Source, Verdict},
    regevent::notifier,
    scscf::{Answer, Command, Config, Event, Question, Scscf, ScscfNode},
    wire::{Element, Message},
};

use crate::{
    host::{Duties, Host},
    hss::Hss,
    network::{Arrived, Network},
    provisioning::{Actor, HOME_DOMAIN, SCSCF_URI, User},
    registrar::{Kind, Registrar},
};

/// So many bytes fit a datagram between the two: with the usual 1,300 long NOTIFYs would go over TCP.
const PATH: usize = 65_000;

/// The S-CSCF.
pub struct ScscfHost {
    host: Host<ScscfNode>,
    registrar: Registrar,
    hss: Hss,
    identity: String,
}

impl ScscfHost {
    pub fn new(
        user: &User,
        partial_state: bool,
        mut identifiers: impl FnMut() -> Identifiers,
    ) -> Result<Self, Box<dyn Error>> {
        let element = Element::new(SCSCF_URI.as_bytes(), HOME_DOMAIN.as_bytes())?;
        let mut config = Config::new(element.with_udp_limit(PATH));
        config.notifier.partial_state = partial_state;
        let node = ScscfNode::new(config, identifiers())?;
        let mut hss = Hss::default();
        hss.provision(user);
        Ok(Self {
            host: Host::new(Actor::Scscf, node, identifiers()),
            registrar: Registrar::new(identifiers()),
            hss,
            identity: user.public_identities.first().cloned().unwrap_or_default(),
        })
    }

    pub fn node(&self) -> &ScscfNode {
        self.host.node()
    }

    pub fn deadline(&self) -> Option<Millis> {
        self.host.deadline()
    }

    pub fn tick(&mut self, now: Millis, network: &mut Network) -> Result<(), Misuse> {
        self.host.tick(now, &mut Journal, network)
    }

    /// The contacts that are bound to the user's default public identity.
    pub fn bound(&self) -> BTreeSet<String> {
        let contacts = self.node().contacts(self.identity.as_bytes());
        contacts
            .map(|uri| String::from_utf8_lossy(uri).into_owned())
            .collect()
    }

    pub fn has_subscriber(&self) -> bool {
        self.node().subscribers(self.identity.as_bytes()) > 0
    }

    /// A message has arrived.
    pub fn receive(
        &mut self,
        now: Millis,
        arrived: &Arrived,
        network: &mut Network,
    ) -> Result<(), Misuse> {
        let trust = match arrived.from {
            Actor::Pcscf => Source::TrustedCore,
            _ => Source::Unknown,
        };
        let from = (arrived.from, trust);
        let bytes = &arrived.bytes;
        let verdict = self.host.receive(now, from, bytes, &mut Journal, network)?;
        if let Verdict::Rejected(reject) = verdict {
            let note = format!("refused: {reject}");
            network.tape.note(now, Actor::Scscf, note);
        }
        Ok(())
    }

    /// A REGISTER: the registrar accepts it, and shows it to the node with the answer, which is returned.
    pub fn register(
        &mut self,
        now: Millis,
        request: &[u8],
        network: &mut Network,
    ) -> Result<Vec<u8>, Box<dyn Error>> {
        let message = Message::parse(request, &Limits::default())?;
        let answer = self.registrar.register(&message, &self.hss);
        let accepted = answer.filter(|answer| answer.kind == Kind::Accepted);
        let response = accepted.ok_or("the registrar accepts no REGISTER")?.bytes;
        let learn = Command::Learn {
            request,
            response: &response,
            private_identity: None,
        };
        self.host.command(now, learn, &mut Journal, network)?;
        Ok(response)
    }
}

/// Nothing has to be remembered.
struct Journal;

impl Duties<Scscf> for Journal {
    fn answer(
        &mut self,
        _: Millis,
        question: &Question,
        _: &Outbox<Scscf>,
        _: &mut Network,
    ) -> Answer<'static> {
        match question {
            Question::ServerAssignment { .. } => Answer::Assigned {
                application_servers: b"",
            },
            Question::DialogRelease { .. } => Answer::Released,
            _ => Answer::Failed,
        }
    }

    fn take_note(&mut self, now: Millis, event: &Event, _: &Outbox<Scscf>, network: &mut Network) {
        let note = match event {
            Event::Deregistered { cause, .. } => format!("event: deregistered by {cause:?}"),
            Event::Subscription(notifier::Event::Subscribed { expires, .. }) => {
                format!("event: subscribed for {expires} s")
            }
            Event::Subscription(notifier::Event::SubscriptionEnded { why, .. }) => {
                format!("event: subscription ended, {why:?}")
            }
            _ => return,
        };
        network.tape.note(now, Actor::Scscf, note);
    }
}
