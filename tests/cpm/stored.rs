//! [DR-7] A node whose sessions are stored one by one, killed at any output.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ims_procedures::{
    cpm::{Answer, Command, Cpm, CpmNode, Event, Question},
    drive::{
        self, Identifiers, Millis, Node, Outbox, Output, Source, Token, TransactionRef, Verdict,
    },
    persistence::{self, Persistent, Reading},
};

use crate::{
    messages::Session,
    support::{SEED, SESSION, STORED, STREAMS, Terms, config, establish},
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
    Acknowledge(String),
    /// In a transaction, with a status.
    Response(u64, u16),
    Outcome(String),
    Audit(String),
}

struct World {
    node: Persistent<CpmNode>,
    out: Outbox<Cpm>,
    store: BTreeMap<Vec<u8>, (u64, Vec<u8>)>,
    now: Millis,
    lives: u64,
    outputs: usize,
    crash_at: Option<usize>,
    /// Keys with which the message store was asked.
    keys: BTreeSet<String>,
    outcomes: BTreeSet<String>,
    audits: BTreeSet<String>,
    /// How many BYEs have come, a transaction each, and how many of those were lost at a crash.
    transactions: u64,
    lost: u64,
    /// Of the others, with what they were answered.
    answers: Vec<(u64, u16)>,
    /// CSeqs of re-INVITEs that have been accepted, and not acknowledged.
    unacknowledged: BTreeSet<String>,
}

fn node(lives: u64) -> Persistent<CpmNode> {
    let mut config = config();
    config.audit = true;
    let node = CpmNode::new(config, Identifiers::new(SEED, lives, 3)).unwrap();
    Persistent::new(node, persistence::Config::default()).unwrap()
}

/// The 200 to a request.
fn response_to(request: &str) -> String {
    let names = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
    let lines = request.split("\r\n").skip(1);
    let copied = lines.filter(|line| names.iter().any(|name| line.starts_with(name)));
    let copied: Vec<_> = copied.collect();
    let copied = copied.join("\r\n");
    format!("SIP/2.0 200 OK\r\n{copied}\r\nContent-Length: 0\r\n\r\n")
}

/// The number in CSeq.
fn cseq(message: &str) -> String {
    let (_, rest) = message.split_once("\r\nCSeq: ").unwrap();
    rest.split(' ').next().unwrap().to_owned()
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
            keys: BTreeSet::new(),
            outcomes: BTreeSet::new(),
            audits: BTreeSet::new(),
            transactions: 0,
            lost: 0,
            answers: Vec::new(),
            unacknowledged: BTreeSet::new(),
        }
    }

    fn due(&mut self) -> Vec<Due> {
        let keys = &mut self.keys;
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
                    Question::MediaRelease { .. } => Answer::MediaReleased,
                    Question::SessionStorage { key, .. } => {
                        keys.insert(key.to_string());
                        Answer::Stored { uid: b"4711" }
                    }
                    other => panic!("{other:?}"),
                },
            }),
            Output::Request { token, bytes, .. } => Some(Due::Request {
                token,
                response: response_to(std::str::from_utf8(bytes).unwrap()),
            }),
            Output::Acknowledge { bytes, .. } => {
                Some(Due::Acknowledge(cseq(std::str::from_utf8(bytes).unwrap())))
            }
            Output::Respond { to, status, .. } => Some(Due::Response(to.0, status)),
            Output::Event(event @ Event::SessionClosed { .. }) => {
                Some(Due::Outcome(format!("{event:?}")))
            }
            Output::Event(Event::Audited(audit)) => {
                let of = audit.affected;
                let names = [of.served, of.other, of.call_id].map(|text| {
                    let name = self.out.text(text);
                    String::from_utf8(name.to_vec()).unwrap()
                });
                let (id, began, ended) = (audit.id, audit.began, audit.ended);
                let (initiator, why) = (audit.initiator, audit.cause);
                let outcome = audit.outcome;
                Some(Due::Audit(format!(
                    "{id} {names:?} {initiator:?} {why:?} {outcome:?} {began:?} {ended}"
                )))
            }
            _ => None,
        };
        let due = self.out.iter().filter_map(read).collect();
        self.out.clear();
        due
    }

    /// Does everything, until nothing is due within so many milliseconds. False: it has crashed.
    fn run(&mut self, milliseconds: u64) -> bool {
        let end = self.now.after(milliseconds);
        loop {
            let mut due: VecDeque<Due> = self.due().into();
            while let Some(one) = due.pop_front() {
                self.outputs += 1;
                if self.crash_at == Some(self.outputs) {
                    self.crash();
                    return false;
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
        true
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
                if response.contains(" INVITE\r\n") {
                    self.unacknowledged.insert(cseq(&response));
                }
                let answer = drive::Answer::Response(response.as_bytes());
                return self
                    .node
                    .answer(self.now, token, answer, &mut self.out)
                    .unwrap();
            }
            Due::Acknowledge(cseq) => {
                self.unacknowledged.remove(&cseq);
                return;
            }
            Due::Response(to, status) => {
                if to > self.lost {
                    self.answers.push((to, status));
                }
                return;
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
        self.lost = self.transactions;
        self.node = node(self.lives);
        self.out.clear();
        for (key, (version, blob)) in &self.store {
            let reading = Reading::Latest;
            self.node
                .adopt(self.now, key, *version, blob, reading)
                .unwrap();
        }
    }

    /// Sends a BYE, and after a crash that again before anything else happens, until it is answered: in the transaction in
    /// which it came last.
    fn end_by(&mut self, bye: &[u8]) {
        loop {
            self.transactions += 1;
            let (from, txn) = (Source::TrustedCore, TransactionRef(self.transactions));
            let verdict = self.node.receive(self.now, from, txn, bye, &mut self.out);
            assert_eq!(verdict, Ok(Verdict::Handled));
            if self.run(1_000) {
                break;
            }
            if !self.answers.is_empty() {
                self.run(1_000);
                break;
            }
        }
        assert_eq!(self.answers, [(self.transactions, 200)]);
        self.answers.clear();
    }

    /// A session is established and closed by these BYEs. How many outputs that took.
    fn story(&mut self, session: &Session, terms: Terms, byes: &[&str]) -> usize {
        while !self.node.node().is_open(SESSION) {
            let (now, node, out) = (self.now, &mut self.node, &mut self.out);
            establish(session, terms, |shown| {
                node.command(now, Command::Establish(shown), out).unwrap()
            });
            self.run(1_000);
        }
        for bye in byes {
            self.end_by(&session.message(bye));
        }
        while !self.run(200_000) {}
        assert_eq!(self.outcomes.len(), 1, "{:?}", self.outcomes);
        assert_eq!(self.audits.len(), 1, "{:?}", self.audits);
        assert!(self.keys.len() <= 1, "{:?}", self.keys);
        assert_eq!(self.node.node().sessions(), 0);
        assert!(self.store.is_empty());
        assert_eq!(self.unacknowledged, BTreeSet::new());
        self.outputs
    }
}

/// [DR-7, DR-9, CP-3] Each way to close a session, a crash at each output: every BYE is answered 200, there is one outcome
/// with one record and one idempotency key, each 2xx of a re-INVITE is acknowledged, and nothing left, here or in the store.
#[test]
fn killed_at_any_output() {
    let stories: [(Session, Terms, &[&str]); 6] = [
        (Session::originating(2), STORED, &["bye_from_client"]),
        (Session::originating(0), STORED, &["bye_from_other"]),
        (Session::originating(3), STORED, &["bye_from_iwf2"]),
        (
            Session::originating(3),
            STREAMS,
            &["bye_from_iwf2", "bye_from_client"],
        ),
        (Session::terminating(2), STORED, &["bye_from_other"]),
        (
            Session::terminating(3),
            STREAMS,
            &["bye_from_iwf2", "bye_from_iwf1", "bye_from_iwf3"],
        ),
    ];
    for (session, terms, byes) in stories {
        let outputs = World::new(None).story(&session, terms, byes);
        assert!(outputs > 5, "{outputs}");
        for crash_at in 1..=outputs {
            World::new(Some(crash_at)).story(&session, terms, byes);
        }
    }
}
