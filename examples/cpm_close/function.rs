//! The Participating Function: the node that closes sessions, and what its host does for it.
//!
//! What a host has to do is this:
//!
//! - once: make a [`CpmNode`] of a [`Config`], with transactions around it where it has only sockets (`host.rs`);
//! - when a session is set up: show it ([`Command::Establish`]);
//! - when a message comes: hand it to the node; when its time has come: tick;
//! - when it asks: release media plane resources at once, record the session in the message store and say so
//!   whenever that is done, say what session description was agreed last;
//! - when it reports that a session is closed: forget it, and do the accounts.
//!
//! Which BYE goes where, what waits for what, and who is answered when, is the node's.

use std::error::Error;

use ims_procedures::{
    cpm::{
        Answer, Command, Config, Cpm, CpmNode, Ends, Event, Question, Recording, Scope, SessionRef,
    },
    drive::{Identifiers, Millis, Misuse, Outbox, Source, Token, Verdict},
    wire::Element,
};

use crate::{
    host::{Duties, Host},
    network::{Arrived, Network},
    provisioning::{Actor, FUNCTION_URI, HOME_DOMAIN},
    resend::{self, Elapsed, Outstanding},
    session::{AGREED, Session},
};

/// The Participating Function.
pub struct Function {
    host: Host<CpmNode>,
    pub journal: Journal,
}

impl Function {
    pub fn new(mut identifiers: impl FnMut() -> Identifiers) -> Result<Self, Box<dyn Error>> {
        let element = Element::new(FUNCTION_URI.as_bytes(), HOME_DOMAIN.as_bytes())?;
        // By default the far side has 16 s, and the message store 8 s: a BYE is answered before its 32 s are over.
        let config = Config::new(element);
        let node = CpmNode::new(config, identifiers())?;
        Ok(Self {
            host: Host::new(Actor::Function, node, identifiers()),
            journal: Journal::default(),
        })
    }

    /// A session has been set up: the node is shown it, and nothing more has to be done until it ends.
    pub fn establish(
        &mut self,
        now: Millis,
        session: &Session<'_>,
        network: &mut Network,
    ) -> Result<Verdict, Misuse> {
        self.journal = Journal {
            sent_by_others: network.counters.sent,
            ..Journal::default()
        };
        session.shown(|shown| {
            let establish = Command::Establish(shown);
            self.host
                .command(now, establish, &mut self.journal, network)
        })
    }

    /// Somebody else has sent a BYE.
    pub const fn note_bye(&mut self) {
        self.journal.sent_by_others += 1;
    }

    /// The host looks after the session itself from now on.
    pub fn forget(
        &mut self,
        now: Millis,
        session: SessionRef,
        network: &mut Network,
    ) -> Result<Verdict, Misuse> {
        let forget = Command::Forget { session };
        self.host.command(now, forget, &mut self.journal, network)
    }

    pub fn sessions(&self) -> usize {
        self.host.node().sessions()
    }

    pub fn deadline(&self) -> Option<Millis> {
        let storing = self.journal.storing.as_ref();
        let storing = storing.map(|storing| storing.request.deadline());
        [self.host.deadline(), storing].into_iter().flatten().min()
    }

    /// Lets what is due happen.
    pub fn tick(&mut self, now: Millis, network: &mut Network) -> Result<(), Misuse> {
        self.journal.ask_store_again(now, network);
        self.host.tick(now, &mut self.journal, network)
    }

    /// A message has arrived.
    pub fn receive(
        &mut self,
        now: Millis,
        arrived: &Arrived,
        network: &mut Network,
    ) -> Result<(), Misuse> {
        let (from, bytes) = (arrived.from, arrived.bytes.as_slice());
        if from == Actor::Store {
            return self.take_stored(now, bytes, network);
        }
        // All of them are reached through the core, or are part of it.
        let from = (from, Source::TrustedCore);
        let verdict = self
            .host
            .receive(now, from, bytes, &mut self.journal, network)?;
        if let Verdict::Rejected(reject) = verdict {
            let note = format!("refused: {reject}");
            network.tape.note(now, Actor::Function, note);
        }
        Ok(())
    }

    /// The message store has answered: `STORED key uid`, or `FAILED key`. Whether that is in time the node knows.
    fn take_stored(
        &mut self,
        now: Millis,
        bytes: &[u8],
        network: &mut Network,
    ) -> Result<(), Misuse> {
        let text = String::from_utf8_lossy(bytes);
        let words: Vec<&str> = text.split_whitespace().collect();
        let (key, answer) = match words.as_slice() {
            ["STORED", key, uid] => (
                *key,
                Answer::Stored {
                    uid: uid.as_bytes(),
                },
            ),
            ["FAILED", key] => (*key, Answer::StoreFailed),
            _ => return Ok(()),
        };
        let is_it = |storing: &mut Storing| storing.key == key;
        let Some(storing) = self.journal.storing.take_if(is_it) else {
            return Ok(());
        };
        self.host
            .answer(now, storing.token, answer, &mut self.journal, network)
    }
}

/// A session that is being recorded.
struct Storing {
    /// The idempotency key: whoever asks again with the same one means the same session.
    key: String,
    token: Token,
    request: Outstanding,
}

/// What the node has had done, and told.
#[derive(Default)]
pub struct Journal {
    storing: Option<Storing>,
    /// How many messages had been sent, by anybody, before the session was set up, and with the BYEs of peers since.
    sent_by_others: u64,
    /// Whose media plane resources it had released.
    pub released: Vec<Scope>,
    /// Whether that came before any message from here.
    pub released_first: bool,
    /// How often the session was reported as closed.
    pub closed: usize,
    /// How its legs ended.
    pub ends: Ends,
    /// What became of its record.
    pub recording: Recording,
}

impl Journal {
    fn ask_store(&mut self, now: Millis, key: String, token: Token, network: &mut Network) {
        let request = format!("STORE {key}\n");
        network.send(now, Actor::Function, Actor::Store, request.as_bytes());
        let request = Outstanding::new(now, request.as_bytes(), b"", resend::CORE);
        self.storing = Some(Storing {
            key,
            token,
            request,
        });
    }

    /// Who does not answer is asked again with the same key, for a time. The node waits for nobody.
    fn ask_store_again(&mut self, now: Millis, network: &mut Network) {
        let Some(storing) = &mut self.storing else {
            return;
        };
        match storing.request.elapse(now) {
            Elapsed::Nothing => {}
            Elapsed::Again(bytes) => network.send(now, Actor::Function, Actor::Store, &bytes),
            Elapsed::TimedOut => self.storing = None,
        }
    }
}

impl Duties<Cpm> for Journal {
    /// The message store takes its time.
    fn takes(
        &mut self,
        now: Millis,
        token: Token,
        question: &Question,
        network: &mut Network,
    ) -> bool {
        match question {
            Question::SessionStorage { key, .. } => {
                self.ask_store(now, key.to_string(), token, network);
                true
            }
            _ => false,
        }
    }

    fn answer(
        &mut self,
        now: Millis,
        question: &Question,
        _: &Outbox<Cpm>,
        network: &mut Network,
    ) -> Answer<'static> {
        match question {
            Question::MediaRelease { scope, .. } => {
                let is_first = network.counters.sent == self.sent_by_others;
                self.released_first |= self.released.is_empty() && is_first;
                self.released.push(*scope);
                let note = match scope {
                    Scope::Session => "media of the session released".to_owned(),
                    Scope::Iwf(iwf) => format!("media of IWF {} released", iwf + 1),
                };
                network.tape.note(now, Actor::Function, note);
                Answer::MediaReleased
            }
            Question::SessionDescription { .. } => {
                let note = "the session description is looked up".to_owned();
                network.tape.note(now, Actor::Function, note);
                Answer::Described {
                    description: AGREED.as_bytes(),
                }
            }
            _ => Answer::StoreFailed,
        }
    }

    fn take_note(&mut self, now: Millis, event: &Event, _: &Outbox<Cpm>, network: &mut Network) {
        let note = match event {
            Event::SessionClosed {
                cause,
                ends,
                recording,
                ..
            } => {
                self.closed += 1;
                self.ends = *ends;
                self.recording = *recording;
                format!("event: closed by {cause:?}, record: {recording:?}")
            }
            Event::StoredLate { stored, .. } => {
                self.recording = match stored {
                    true => Recording::StoredLate,
                    false => Recording::Failed,
                };
                "event: the store has answered, too late".to_owned()
            }
            Event::SessionShrunk { iwf, .. } => format!("event: streams of IWF {} gone", iwf + 1),
            Event::StreamDeletionFailed { iwf, status, .. } => {
                format!("event: streams of IWF {} stay, {status}", iwf + 1)
            }
            _ => return,
        };
        network.tape.note(now, Actor::Function, note);
    }
}
