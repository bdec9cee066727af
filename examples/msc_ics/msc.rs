//! The MSC server: the node that deregisters its subscribers, and what its host does for it.
//!
//! The host registers subscribers, and shows the node each exchange; it tells which dialogs there are, who is not active
//! here any more and who is again; it passes on what arrives, and ticks. It releases the dialogs that are its own when
//! it is asked to, and takes note of how each registration ended.

use std::{
    collections::{BTreeMap, VecDeque},
    error::Error,
};

use ims_procedures::{
    drive::{Identifiers, Limits, Millis, Misuse, Outbox, Source, Token, Verdict},
    mscics::{
        Answer, Cause, Command, Config, DialogRef, Event, MscNode, Mscics, NewDialog, Outcome,
        Question, Shutdown, Tally,
    },
    regevent::subscriber,
    wire::{Element, Message},
};

use crate::{
    calls::Call,
    host::{Duties, Host},
    network::{Arrived, Network},
    provisioning::{Actor, SCSCF_URI, VISITED_DOMAIN},
    registering::Registering,
    subscriber::{MSC_URI, Subscriber},
};

/// Milliseconds until a call is released in the circuit-switched network.
const RELEASE: u64 = 120;
/// The host's numbers of a subscriber's dialogs: the library ends one, the host the other.
const ENDED_BY_BYE: DialogRef = DialogRef(1);
const ENDED_BY_HOST: DialogRef = DialogRef(2);

/// The MSC server.
pub struct Msc {
    host: Host<MscNode>,
    registering: Registering,
    pub journal: Journal,
}

impl Msc {
    pub fn new(mut identifiers: impl FnMut() -> Identifiers) -> Result<Self, Box<dyn Error>> {
        let element = Element::new(MSC_URI.as_bytes(), VISITED_DOMAIN.as_bytes())?;
        let mut config = Config::new(element.clone());
        config.entry_points = vec![SCSCF_URI.into()];
        config.subscription.entry_points = vec![SCSCF_URI.into()];
        let node = MscNode::new(config, identifiers())?;
        Ok(Self {
            host: Host::new(Actor::Msc, node, identifiers()),
            registering: Registering::new(element, identifiers()),
            journal: Journal::default(),
        })
    }

    pub fn node(&self) -> &MscNode {
        self.host.node()
    }

    /// When it has to be given a tick.
    pub fn deadline(&self) -> Option<Millis> {
        let release = self.journal.releasing.front().map(|&(at, _)| at);
        let due = [self.host.deadline(), self.registering.deadline(), release];
        due.into_iter().flatten().min()
    }

    /// Registers a subscriber. The node hears of it when the answer has come.
    pub fn register(&mut self, now: Millis, subscriber: &Subscriber, network: &mut Network) {
        self.registering.register(now, subscriber, network);
    }

    /// The subscriber is in two calls, with one of its public identities each. Of one dialog the node is given what it
    /// takes to end it; the other is the host's, who will be asked to.
    pub fn call(
        &mut self,
        now: Millis,
        subscriber: &Subscriber,
        network: &mut Network,
    ) -> Result<(), Box<dyn Error>> {
        let private_identity = subscriber.private_identity.as_bytes();
        let [first, second] = &subscriber.public_identities;
        Call::new(subscriber).dialog(|call| {
            let added = Command::DialogAdded {
                private_identity,
                public_identity: first.as_bytes(),
                dialog: NewDialog {
                    dialog: ENDED_BY_BYE,
                    held: Some((call.dialog(), call.sequence())),
                },
            };
            self.command(now, added, network)
        })??;
        let added = Command::DialogAdded {
            private_identity,
            public_identity: second.as_bytes(),
            dialog: NewDialog {
                dialog: ENDED_BY_HOST,
                held: None,
            },
        };
        self.command(now, added, network)?;
        Ok(())
    }

    /// HLR, timer, subscriber or operator says that a subscriber is not active here any more.
    pub fn inactive(
        &mut self,
        now: Millis,
        subscriber: &Subscriber,
        cause: Cause,
        network: &mut Network,
    ) -> Result<(), Misuse> {
        let inactive = Command::Inactive {
            private_identity: subscriber.private_identity.as_bytes(),
            cause,
        };
        self.command(now, inactive, network).map(|_| ())
    }

    /// A subscriber is active here again. One whom the node does not know any more is registered anew at once; of one
    /// whose REGISTER is out, the outcome will say so ([`Journal::anew`]).
    pub fn returned(
        &mut self,
        now: Millis,
        subscriber: &Subscriber,
        network: &mut Network,
    ) -> Result<(), Misuse> {
        let returned = Command::Returned {
            private_identity: subscriber.private_identity.as_bytes(),
        };
        if self.command(now, returned, network)? == Verdict::NotMine {
            self.register(now, subscriber, network);
        }
        Ok(())
    }

    /// All subscribers are deregistered, until a deadline.
    pub fn shut_down(
        &mut self,
        now: Millis,
        deadline: Millis,
        network: &mut Network,
    ) -> Result<(), Misuse> {
        let shutdown = Command::Shutdown(Shutdown::until(deadline));
        self.command(now, shutdown, network).map(|_| ())
    }

    fn command(
        &mut self,
        now: Millis,
        command: Command<'_>,
        network: &mut Network,
    ) -> Result<Verdict, Misuse> {
        let verdict = self
            .host
            .command(now, command, &mut self.journal, network)?;
        self.register_anew(now, network);
        Ok(verdict)
    }

    /// A message has arrived: the node is shown it first. What is not its own may be the answer to a REGISTER of the host.
    pub fn receive(
        &mut self,
        now: Millis,
        arrived: &Arrived,
        network: &mut Network,
    ) -> Result<(), Misuse> {
        let trust = match arrived.from {
            Actor::Scscf | Actor::As => Source::TrustedCore,
            _ => Source::Unknown,
        };
        let (from, bytes) = ((arrived.from, trust), arrived.bytes.as_slice());
        let verdict = self
            .host
            .receive(now, from, bytes, &mut self.journal, network)?;
        match verdict {
            Verdict::NotMine => self.learn(now, bytes, network)?,
            Verdict::Rejected(reject) => {
                let note = format!("refused: {reject}");
                network.tape.note(now, Actor::Msc, note);
            }
            _ => {}
        }
        self.register_anew(now, network);
        Ok(())
    }

    /// Shows the node a REGISTER of the host with its answer: all that it will need to end the registration.
    fn learn(&mut self, now: Millis, bytes: &[u8], network: &mut Network) -> Result<(), Misuse> {
        let response = Message::parse(bytes, &Limits::default()).map_err(Misuse::BadCommand)?;
        let Some(request) = self.registering.answered(&response) else {
            return Ok(());
        };
        let learn = Command::Learn {
            request: &request,
            response: bytes,
        };
        self.host.command(now, learn, &mut self.journal, network)?;
        Ok(())
    }

    /// Whoever has returned in the meantime is registered anew when the old registration is gone.
    fn register_anew(&mut self, now: Millis, network: &mut Network) {
        for subscriber in std::mem::take(&mut self.journal.anew) {
            self.register(now, &subscriber, network);
        }
    }

    pub fn tick(&mut self, now: Millis, network: &mut Network) -> Result<(), Misuse> {
        self.registering.tick(now, network);
        while let Some(token) = self.journal.released(now) {
            let note = "the host's call is released".to_owned();
            network.tape.note(now, Actor::Msc, note);
            self.host
                .answer(now, token, Answer::Done, &mut self.journal, network)?;
        }
        self.host.tick(now, &mut self.journal, network)?;
        self.register_anew(now, network);
        Ok(())
    }
}

/// How a registration ended, or did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// `None` if it was given up, as the subscriber has returned.
    pub outcome: Option<Outcome>,
    pub registers: u8,
    pub dialogs_left: u8,
}

/// How far a shutdown has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    pub left: u32,
    pub queued: u32,
    pub in_flight: u32,
}

/// What the host does for its node, and what the node has told.
#[derive(Default)]
pub struct Journal {
    /// The calls that the host is releasing: until when, and the question that waits for it.
    releasing: VecDeque<(Millis, Token)>,
    /// Who is to be registered anew.
    anew: Vec<Subscriber>,
    /// By number of the subscriber.
    pub endings: BTreeMap<u32, Vec<Ending>>,
    /// How far the shutdown has come, if it has told.
    pub progress: Option<Progress>,
    /// What the shutdown came to, once it is over.
    pub tally: Option<Tally>,
}

impl Journal {
    /// The next call that has been released.
    fn released(&mut self, now: Millis) -> Option<Token> {
        let &(_, token) = self.releasing.front().filter(|&&(at, _)| at <= now)?;
        self.releasing.pop_front();
        Some(token)
    }

    fn end(&mut self, subscriber: &Subscriber, ending: Ending) {
        let endings = self.endings.entry(subscriber.number);
        endings.or_default().push(ending);
    }

    /// What an event means to the host, and how it is called in the ladder.
    fn note(&mut self, event: &Event, texts: &Outbox<Mscics>) -> Option<String> {
        match event {
            Event::Deregistered {
                affected,
                cause,
                outcome,
                registers,
                dialogs_left,
                register_anew,
                ..
            } => {
                let subscriber = Subscriber::with(texts.text(affected.private_identity))?;
                let ending = Ending {
                    outcome: Some(*outcome),
                    registers: *registers,
                    dialogs_left: *dialogs_left,
                };
                self.end(&subscriber, ending);
                let mut note = format!("event: deregistered by {cause:?}: {outcome:?}");
                if *register_anew {
                    note.push_str("; to be registered anew");
                    self.anew.push(subscriber);
                }
                Some(note)
            }
            Event::Cancelled {
                affected,
                cause,
                dialogs_released,
                ..
            } => {
                let subscriber = Subscriber::with(texts.text(affected.private_identity))?;
                let ending = Ending {
                    outcome: None,
                    registers: 0,
                    dialogs_left: 0,
                };
                self.end(&subscriber, ending);
                Some(format!(
                    "event: {cause:?} given up, {dialogs_released} dialogs released"
                ))
            }
            Event::Subscription(event) => subscription_note(event),
            Event::ShutdownProgressed {
                left,
                queued,
                in_flight,
                ..
            } => {
                self.progress = Some(Progress {
                    left: *left,
                    queued: *queued,
                    in_flight: *in_flight,
                });
                None
            }
            Event::ShutdownEnded { tally } => {
                self.tally = Some(*tally);
                None
            }
            _ => None,
        }
    }
}

fn subscription_note(event: &subscriber::Event) -> Option<String> {
    match event {
        subscriber::Event::Subscribed { expires, .. } => {
            Some(format!("event: subscribed for {expires} s"))
        }
        subscriber::Event::SubscriptionLost { why, wait, .. } => Some(format!(
            "event: subscription lost, {why:?}; anew in {wait} ms"
        )),
        subscriber::Event::SubscriptionEnded { why, .. } => {
            Some(format!("event: subscription ended, {why:?}"))
        }
        _ => None,
    }
}

impl Duties<Mscics> for Journal {
    /// What is answered at once. [`subscriber::Routing::EntryPoints`] is configured: no route is asked for.
    fn answer(
        &mut self,
        _: Millis,
        question: &Question,
        _: &Outbox<Mscics>,
        _: &mut Network,
    ) -> Answer<'static> {
        match question {
            Question::Subscription(_) => Answer::Subscription(subscriber::Answer::NoRoute),
            _ => Answer::Failed,
        }
    }

    fn take_note(
        &mut self,
        now: Millis,
        event: &Event,
        texts: &Outbox<Mscics>,
        network: &mut Network,
    ) {
        if let Some(note) = self.note(event, texts) {
            network.tape.note(now, Actor::Msc, note);
        }
    }

    /// The release of a dialog that is the host's.
    fn takes(
        &mut self,
        now: Millis,
        token: Token,
        question: &Question,
        network: &mut Network,
    ) -> bool {
        let Question::DialogRelease { dialog, .. } = question else {
            return false;
        };
        let note = format!("question: release dialog {}", dialog.0);
        network.tape.note(now, Actor::Msc, note);
        self.releasing.push_back((now.after(RELEASE), token));
        true
    }
}
