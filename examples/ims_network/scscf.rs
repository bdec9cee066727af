//! The S-CSCF: a registrar, with the library's node beside it.

use std::collections::BTreeSet;

use ims_procedures::{
    drive::{Identifiers, Limits, Millis, Misuse, Outbox, Source, Verdict},
    regevent::notifier,
    scscf::{Answer, Command, Config, Event, Question, Scscf, ScscfNode},
    wire::{Element, IntegrityProtected, Message},
};

use crate::{
    host::{Duties, Host},
    hss::Hss,
    network::{Arrived, Network},
    provisioning::{APPLICATION_SERVERS, Actor, HOME_DOMAIN, SCSCF_URI, user_of},
    registrar::{Kind, Registrar},
    summary::private_identity,
    third_party::ThirdParty,
};

/// The S-CSCF.
pub struct ScscfHost {
    host: Host<ScscfNode>,
    registrar: Registrar,
    third_party: ThirdParty,
    pub journal: Journal,
}

impl ScscfHost {
    pub fn new(
        hss: Hss,
        mut identifiers: impl FnMut() -> Identifiers,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let element = Element::new(SCSCF_URI.as_bytes(), HOME_DOMAIN.as_bytes())?;
        let node = ScscfNode::new(Config::new(element.clone()), identifiers())?;
        Ok(Self {
            host: Host::new(Actor::Scscf, node, identifiers()),
            registrar: Registrar::new(identifiers()),
            third_party: ThirdParty::new(element, identifiers()),
            journal: Journal {
                hss,
                bound: BTreeSet::new(),
                is_authenticated: false,
            },
        })
    }

    pub fn deadline(&self) -> Option<Millis> {
        self.host
            .deadline()
            .into_iter()
            .chain(self.third_party.deadline())
            .min()
    }

    pub fn tick(&mut self, now: Millis, network: &mut Network) -> Result<(), Misuse> {
        self.third_party.tick(now, network);
        self.host.tick(now, &mut self.journal, network)
    }

    /// Gives the node a command of the operator or the HSS.
    #[allow(dead_code)] // The example `network_deregistration` does.
    pub fn command(
        &mut self,
        now: Millis,
        command: Command<'_>,
        network: &mut Network,
    ) -> Result<Verdict, Misuse> {
        self.host.command(now, command, &mut self.journal, network)
    }

    /// Whether anybody is registered under a public identity.
    pub fn is_registered(&self, public_identity: &str) -> bool {
        self.host.node().is_registered(public_identity.as_bytes())
    }

    /// A message has arrived: the node is shown it first.
    pub fn receive(
        &mut self,
        now: Millis,
        arrived: &Arrived,
        network: &mut Network,
    ) -> Result<(), Misuse> {
        let trust = match arrived.from {
            Actor::Pcscf | Actor::Msc | Actor::As => Source::TrustedCore,
            Actor::Ue(_) | Actor::Scscf | Actor::Hss => Source::Unknown,
        };
        let (from, bytes) = (arrived.from, arrived.bytes.as_slice());
        self.journal.is_authenticated = from == Actor::Msc && is_authenticated(bytes);
        let verdict = self
            .host
            .receive(now, (from, trust), bytes, &mut self.journal, network)?;
        match verdict {
            Verdict::NotMine => self.register(now, from, bytes, network),
            Verdict::Rejected(reject) => {
                network
                    .tape
                    .note(now, Actor::Scscf, format!("refused: {reject}"));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A REGISTER that removes nothing: the registrar's. Or the answer to a third-party REGISTER of its own.
    fn register(
        &mut self,
        now: Millis,
        from: Actor,
        bytes: &[u8],
        network: &mut Network,
    ) -> Result<(), Misuse> {
        let Ok(message) = Message::parse(bytes, &Limits::default()) else {
            return Ok(());
        };
        if !message.is_request() {
            self.third_party.receive(&message);
            return Ok(());
        }
        let Some(answer) = self.registrar.register(&message, &self.journal.hss) else {
            return Ok(());
        };
        if answer.kind == Kind::Accepted {
            self.journal.registered(now, &message, network);
        }
        network.send(now, Actor::Scscf, from, &answer.bytes);
        if answer.kind != Kind::Accepted {
            return Ok(());
        }
        // The default one of the set: the one in To may be barred.
        let identities =
            private_identity(&message).and_then(|name| self.journal.hss.public_identities(name));
        let default = identities.and_then(<[String]>::first).cloned();
        let identity = default.unwrap_or_default().into_bytes();
        let first = !self.host.node().is_registered(&identity);
        let learn = Command::Learn {
            request: bytes,
            response: &answer.bytes,
            private_identity: None,
        };
        self.host.command(now, learn, &mut self.journal, network)?;
        if first {
            self.third_party.register(now, &identity, network);
        }
        Ok(())
    }
}

/// What the S-CSCF asks the HSS, and who is registered by what it has said.
#[derive(Debug)]
pub struct Journal {
    pub hss: Hss,
    /// Private identities with a binding.
    bound: BTreeSet<Vec<u8>>,
    /// What is being handled is a REGISTER of an MSC server, which has authenticated its subscriber.
    is_authenticated: bool,
}

/// Whether a trusted node says that authentication is done (TS 24.229 7.2A.2).
fn is_authenticated(bytes: &[u8]) -> bool {
    let message = Message::parse(bytes, &Limits::default());
    let authorization = message.and_then(|message| message.authorization());
    let authorization = authorization.ok().flatten();
    authorization.and_then(|found| found.integrity()) == Some(IntegrityProtected::AuthDone)
}

impl Journal {
    /// Whether a private identity has a binding.
    pub fn is_bound(&self, private_identity: &str) -> bool {
        self.bound.contains(private_identity.as_bytes())
    }

    fn registered(&mut self, now: Millis, request: &Message<'_>, network: &mut Network) {
        let Some(who) = private_identity(request) else {
            return;
        };
        self.bound.insert(who.to_vec());
        self.assign(now, who, true, "REGISTRATION", network);
    }

    /// Tells the HSS, and shows it in the ladder. `false` if the HSS does not know the user.
    fn assign(
        &mut self,
        now: Millis,
        who: &[u8],
        assigned: bool,
        kind: &str,
        network: &mut Network,
    ) -> bool {
        let name = user_of(who).map_or_else(String::new, |user| format!(" user{user}"));
        let done = self.hss.assign(who, assigned);
        let result = if done { "success" } else { "unknown user" };
        let tape = &mut network.tape;
        tape.exchange(now, Actor::Scscf, Actor::Hss, format!("{kind}{name}"));
        tape.exchange(now, Actor::Hss, Actor::Scscf, result.to_owned());
        done
    }
}

impl Duties<Scscf> for Journal {
    fn answer(
        &mut self,
        now: Millis,
        question: &Question,
        texts: &Outbox<Scscf>,
        network: &mut Network,
    ) -> Answer<'static> {
        match question {
            Question::ServerAssignment {
                kind,
                private_identity,
                ..
            } => {
                let who = texts.text(*private_identity).to_vec();
                let kind = format!("{kind:?}");
                if self.assign(now, &who, false, &kind, network) {
                    Answer::Assigned {
                        application_servers: APPLICATION_SERVERS.as_bytes(),
                    }
                } else {
                    Answer::Failed
                }
            }
            Question::DialogRelease { .. } => {
                network
                    .tape
                    .note(now, Actor::Scscf, "no dialogs to release".into());
                Answer::Released
            }
            // In the name of its subscriber, from whom no security function can be had (TS 33.203 U.2).
            Question::Authentication { .. } if self.is_authenticated => Answer::Authenticated,
            // No UE of this network deregisters itself: whoever asks for that is not the user.
            Question::Authentication { reasons, .. } => {
                let note = format!("not authenticated: {reasons:?}");
                network.tape.note(now, Actor::Scscf, note);
                Answer::Denied
            }
            _ => Answer::Failed,
        }
    }

    fn take_note(
        &mut self,
        now: Millis,
        event: &Event,
        texts: &Outbox<Scscf>,
        network: &mut Network,
    ) {
        let note = match event {
            Event::Deregistered {
                affected, cause, ..
            } => {
                let who = texts.text(affected.private_identity);
                self.bound.remove(who);
                let name = user_of(who).map_or_else(String::new, |user| format!(" user {user}"));
                format!("event:{name} deregistered by {cause:?}")
            }
            Event::EmergencySpared { .. } => "event: emergency registrations stay".to_owned(),
            Event::SuspiciousDeregistration { reasons, .. } => {
                format!("event: suspicious deregistration, {reasons:?}")
            }
            Event::Subscription(notifier::Event::SubscriptionEnded { why, .. }) => {
                format!("event: subscription ended, {why:?}")
            }
            _ => return,
        };
        network.tape.note(now, Actor::Scscf, note);
    }
}
