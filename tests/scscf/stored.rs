//! [SD-5, DR-7] What the network ends at a node whose sets are stored one by one, killed at any output.

use std::collections::{BTreeMap, BTreeSet};

use super::{fixture, support::*};
use ims_procedures::{
    drive::{
        self, Identifier, Identifiers, Millis, Node, Outbox, Output, Source, Token, TransactionRef,
        Verdict,
    },
    persistence::{self, Persistent, Reading},
    scscf::{
        Answer, Command, Conclusion, DeregistrationReason, Event, Question, Scscf, ScscfNode,
        TerminationReason,
    },
};

/// What is to be done for an output.
enum Due {
    Store {
        token: Token,
        key: Vec<u8>,
        expected: u64,
        blob: Option<(u64, Vec<u8>)>,
    },
    Ask {
        token: Token,
        answer: Answer<'static>,
    },
    Request {
        token: Token,
        response: String,
    },
    Outcome(String),
    Audit(String),
}

struct World {
    node: Persistent<ScscfNode>,
    out: Outbox<Scscf>,
    store: BTreeMap<Vec<u8>, (u64, Vec<u8>)>,
    now: Millis,
    lives: u64,
    outputs: usize,
    crash_at: Option<usize>,
    outcomes: BTreeSet<String>,
    audits: BTreeSet<String>,
}

fn node(lives: u64) -> Persistent<ScscfNode> {
    let mut config = config();
    config.audit = true;
    let node = ScscfNode::new(config, Identifiers::new(SEED, lives, 3)).unwrap();
    Persistent::new(node, persistence::Config::default()).unwrap()
}

impl World {
    fn new(crash_at: Option<usize>) -> Self {
        let node = node(1);
        Self {
            out: node.outbox(1),
            node,
            store: BTreeMap::new(),
            now: Millis(1_000_000),
            lives: 1,
            outputs: 0,
            crash_at,
            outcomes: BTreeSet::new(),
            audits: BTreeSet::new(),
        }
    }

    fn due(&mut self) -> Vec<Due> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let read = |output| match output {
            Output::Store {
                token,
                key,
                expected,
                version,
                bytes,
            } => Some(Due::Store {
                token,
                key: key.to_vec(),
                expected,
                blob: Some((version, bytes.to_vec())),
            }),
            Output::Erase {
                token,
                key,
                expected,
            } => Some(Due::Store {
                token,
                key: key.to_vec(),
                expected,
                blob: None,
            }),
            Output::Ask { token, question } => Some(Due::Ask {
                token,
                answer: match question {
                    Question::DialogRelease { .. } => Answer::Released,
                    _ => Answer::Assigned {
                        application_servers: SERVER,
                    },
                },
            }),
            Output::Request { token, bytes, .. } => Some(Due::Request {
                token,
                response: response_to(&text(bytes), 200),
            }),
            Output::Event(Event::Deregistered {
                id,
                affected,
                cause,
                outcome,
            }) => {
                let contacts = text(self.out.text(affected.contacts));
                let outcome = format!("{id} {contacts} {cause:?} {outcome:?}");
                Some(Due::Outcome(outcome))
            }
            Output::Event(Event::Audited(audit)) => {
                let contacts = text(self.out.text(audit.affected.contacts));
                let (id, began, ended) = (audit.id, audit.began, audit.ended);
                let (initiator, why) = (audit.initiator, audit.cause);
                let Conclusion::Deregistered(outcome) = audit.outcome else {
                    panic!("{audit:?}");
                };
                Some(Due::Audit(format!(
                    "{id} {contacts} {why:?} {outcome:?} {initiator:?} {began:?} {ended}"
                )))
            }
            _ => None,
        };
        let due = self.out.iter().filter_map(read).collect();
        self.out.clear();
        due
    }

    /// Does everything, until nothing is due within so many milliseconds.
    fn run(&mut self, milliseconds: u64) {
        let end = self.now.after(milliseconds);
        loop {
            let mut due: std::collections::VecDeque<Due> = self.due().into();
            while let Some(one) = due.pop_front() {
                self.outputs += 1;
                if self.crash_at == Some(self.outputs) {
                    due.clear();
                    self.crash();
                    break;
                }
                self.act(one);
                due.extend(self.due());
            }
            match self.node.deadline() {
                Some((at, _)) if at <= end => self.now = self.now.max(at),
                _ => break,
            }
            self.node.tick(self.now, &mut self.out).unwrap();
        }
        self.now = end;
    }

    fn act(&mut self, due: Due) {
        let (token, answer) = match due {
            Due::Store {
                token,
                key,
                expected,
                blob,
            } => {
                let stands = self.store.get(&key).map_or(0, |(version, _)| *version);
                assert_eq!(stands, expected, "nobody else writes");
                match blob {
                    Some(blob) => self.store.insert(key, blob),
                    None => self.store.remove(&key),
                };
                (token, drive::Answer::Stored)
            }
            Due::Ask { token, answer } => (token, drive::Answer::Role(answer)),
            Due::Request { token, response } => {
                let answer = drive::Answer::Response(response.as_bytes());
                return self
                    .node
                    .answer(self.now, token, answer, &mut self.out)
                    .unwrap();
            }
            Due::Outcome(outcome) => {
                self.outcomes.insert(outcome);
                return;
            }
            Due::Audit(audit) => {
                self.audits.insert(audit);
                return;
            }
        };
        self.node
            .answer(self.now, token, answer, &mut self.out)
            .unwrap();
    }

    /// Another node has the store.
    fn crash(&mut self) {
        self.lives += 1;
        self.node = node(self.lives);
        self.out.clear();
        for (key, (version, blob)) in &self.store {
            let reading = Reading::Latest;
            self.node
                .adopt(self.now, key, *version, blob, reading)
                .unwrap();
        }
    }

    fn is_registered(&self) -> bool {
        self.node.node().is_registered(PUBLIC.as_bytes())
    }

    /// A user registers and is watched; then the network ends it. Each is told again until it is done. How many
    /// outputs that took.
    fn story(&mut self, command: Command<'_>) -> usize {
        let registration = Registration::default();
        let (request, response) = (registration.request(), registration.response());
        while !self.is_registered() {
            let learn = Command::Learn {
                request: request.as_bytes(),
                response: response.as_bytes(),
                private_identity: None,
            };
            self.node.command(self.now, learn, &mut self.out).unwrap();
            self.run(1_000);
        }
        let subscribe = fixture::fill("subscribe", &values());
        let from = Source::TrustedCore;
        self.node
            .receive(self.now, from, TransactionRef(1), &subscribe, &mut self.out)
            .unwrap();
        self.run(1_000);
        for _ in 0..3 {
            self.node.command(self.now, command, &mut self.out).unwrap();
            self.run(200_000);
            if !self.is_registered() && !self.outcomes.is_empty() {
                break;
            }
        }
        assert!(!self.is_registered());
        assert_eq!(self.outcomes.len(), 1, "{:?}", self.outcomes);
        assert_eq!(self.audits.len(), 1, "{:?}", self.audits);
        let (outcome, audit) = (self.outcomes.first(), self.audits.first());
        assert!(audit.unwrap().starts_with(outcome.unwrap()), "{audit:?}");
        assert!(!audit.unwrap().contains("None"), "{audit:?}");
        assert_eq!(self.node.node().sets(), 0);
        assert!(self.store.is_empty());
        self.outputs
    }
}

/// [SD-5, DR-7, DR-9] Every cause that has steps of its own, a crash at each output: one outcome and one record, nothing
/// left, here or in the store.
#[test]
fn killed_at_any_output() {
    let terminate = |reason| Command::RegistrationTermination {
        public_identity: PUBLIC.as_bytes(),
        private_identities: &[],
        reason,
        application_servers: SERVER,
    };
    let maintenance = Command::Deregister {
        public_identity: PUBLIC.as_bytes(),
        private_identity: None,
        reason: DeregistrationReason::Maintenance,
    };
    for command in [
        maintenance,
        terminate(TerminationReason::PermanentTermination),
        terminate(TerminationReason::NewServerAssigned),
    ] {
        let outputs = World::new(None).story(command);
        assert!(outputs > 5, "{outputs}");
        for crash_at in 1..=outputs {
            World::new(Some(crash_at)).story(command);
        }
    }
}

/// [DR-7] Where a whole node goes on from a blob that is older than the end of a deregistration, that end is reported
/// again, with the same id; that of another has another.
#[test]
fn ended_again() {
    let mut host = Host::new(config());
    let (mut ids, mut lives) = (BTreeSet::new(), 10);
    for times in 1..3 {
        host.learn(&Registration {
            call_id: format!("call-{times}").leak(),
            ..Registration::default()
        });
        let deregister = Command::Deregister {
            public_identity: PUBLIC.as_bytes(),
            private_identity: None,
            reason: DeregistrationReason::Maintenance,
        };
        assert_eq!(host.command(deregister), (Verdict::Handled, Vec::new()));
        let (id, blobs) = end(&mut host.node, host.now);
        assert!(blobs.len() > 1);
        for blob in blobs {
            lives += 1;
            let identifiers = Identifiers::new(SEED, lives, 3);
            host.node = ScscfNode::restore(config(), identifiers, host.now, &blob).unwrap();
            assert_eq!(end(&mut host.node, host.now).0, id);
        }
        assert!(ids.insert(id.to_string()), "one for each");
    }
}

/// Answers all that is asked until the deregistration has ended: the id of the event, and the blobs on the way.
fn end(node: &mut ScscfNode, now: Millis) -> (Identifier, Vec<Vec<u8>>) {
    let (mut out, mut blobs) = (Outbox::for_steps(2), Vec::new());
    for _ in 0..10 {
        let mut blob = Vec::new();
        node.snapshot(now, &mut blob);
        // What is reported already has ended before.
        if !out.iter().any(|output| matches!(output, Output::Event(_))) {
            blobs.push(blob);
        }
        node.tick(now, &mut out).unwrap();
        let put_out = std::mem::replace(&mut out, Outbox::for_steps(2));
        for output in put_out.iter() {
            match output {
                Output::Ask { token, question } => {
                    let answer = match question {
                        Question::DialogRelease { .. } => Answer::Released,
                        _ => Answer::Assigned {
                            application_servers: b"",
                        },
                    };
                    let answer = drive::Answer::Role(answer);
                    node.answer(now, token, answer, &mut out).unwrap();
                }
                Output::Event(Event::Deregistered { id, .. }) => return (*id, blobs),
                other => panic!("{other:?}"),
            }
        }
    }
    panic!("no end")
}
