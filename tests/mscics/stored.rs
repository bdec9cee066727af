//! An MSC server whose subscribers are stored one by one.

use ims_procedures::{
    drive::{Answer, Millis, Node, Outbox, Output, Token},
    mscics::{self, Cause, Command, DialogRef, Event, MscNode, Mscics, NewDialog, Outcome},
    persistence::{Config, Persistent, Reading},
};

use crate::bed::{
    OTHER, PARAMS, PRIVATE, TEMPORARY, identifiers, plain, register, register_200, response,
};

/// What was put out, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Out {
    Store {
        token: Token,
        version: u64,
        blob: Vec<u8>,
    },
    Erase(Token),
    Register(Token, Vec<u8>),
    Release(Token),
    Deregistered(Outcome),
    Cancelled(Cause, u8),
    /// Of what, how it ended, and when.
    Audited(String),
    TakenOver,
    /// What another subscriber is to be stored as.
    StoreOther,
}

struct Bed {
    node: Persistent<MscNode>,
    out: Outbox<Mscics>,
    now: Millis,
}

impl Bed {
    fn new(incarnation: u64) -> Self {
        Self::with(plain(), incarnation)
    }

    fn audited(incarnation: u64) -> Self {
        let mut config = plain();
        config.audit = true;
        Self::with(config, incarnation)
    }

    fn with(config: mscics::Config, incarnation: u64) -> Self {
        let node = MscNode::new(config, identifiers(incarnation)).unwrap();
        let node = Persistent::new(node, Config::default()).unwrap();
        Self {
            out: node.outbox(1),
            node,
            now: Millis(1_000),
        }
    }

    fn take(&mut self) -> Vec<Out> {
        let taken = self.out.iter().map(|output| match output {
            Output::Store { key, .. } if key != PRIVATE.as_bytes() => Out::StoreOther,
            Output::Store {
                token,
                version,
                bytes,
                ..
            } => Out::Store {
                token,
                version,
                blob: bytes.to_vec(),
            },
            Output::Erase { token, .. } => Out::Erase(token),
            Output::Request { token, bytes, .. } => Out::Register(token, bytes.to_vec()),
            Output::Ask { token, .. } => Out::Release(token),
            Output::Event(Event::Deregistered { outcome, .. }) => Out::Deregistered(*outcome),
            Output::Event(Event::Cancelled {
                affected,
                cause,
                dialogs_released,
                ..
            }) => {
                assert_eq!(self.out.text(affected.private_identity), PRIVATE.as_bytes());
                assert_eq!(
                    self.out.text(affected.public_identity),
                    TEMPORARY.as_bytes()
                );
                Out::Cancelled(*cause, *dialogs_released)
            }
            Output::Event(Event::Audited(audit)) => {
                let of = audit.affected;
                let names = [of.private_identity, of.public_identity];
                let names = names.map(|text| String::from_utf8_lossy(self.out.text(text)));
                let (id, outcome) = (audit.id, audit.outcome);
                let (initiator, cause) = (audit.initiator, audit.cause);
                let (began, ended) = (audit.began.expect("it is kept"), audit.ended);
                Out::Audited(format!(
                    "{id} {names:?} {initiator:?} {cause:?} {outcome:?} {began} to {ended}"
                ))
            }
            Output::Event(Event::TakenOver { .. }) => Out::TakenOver,
            other => panic!("{other:?}"),
        });
        let taken = taken.collect();
        self.out.clear();
        taken
    }

    fn command(&mut self, command: Command<'_>) -> Vec<Out> {
        self.node.command(self.now, command, &mut self.out).unwrap();
        self.take()
    }

    fn answer(&mut self, token: Token, answer: Answer<'_, Mscics>) -> Vec<Out> {
        self.node
            .answer(self.now, token, answer, &mut self.out)
            .unwrap();
        self.take()
    }

    /// Registers the subscriber, with a dialog, all stored.
    fn register(&mut self) {
        let (request, response) = (register(PARAMS, 1), register_200(PARAMS, 1));
        let out = self.command(Command::Learn {
            request: request.as_bytes(),
            response: response.as_bytes(),
        });
        let (token, ..) = store(&out);
        assert_eq!(self.answer(token, Answer::Stored), []);
        let out = self.command(Command::DialogAdded {
            private_identity: PRIVATE.as_bytes(),
            public_identity: OTHER.as_bytes(),
            dialog: NewDialog {
                dialog: DialogRef(1),
                held: None,
            },
        });
        let (token, ..) = store(&out);
        assert_eq!(self.answer(token, Answer::Stored), []);
    }

    fn inactive(&mut self) -> Vec<Out> {
        self.command(Command::Inactive {
            private_identity: PRIVATE.as_bytes(),
            cause: Cause::CancelLocation,
        })
    }

    /// All that is due now.
    fn run(&mut self) -> Vec<Out> {
        let mut out = Vec::new();
        while self.node.deadline().is_some_and(|(at, _)| at <= self.now) {
            self.node.tick(self.now, &mut self.out).unwrap();
            out.extend(self.take());
        }
        out
    }
}

/// The one blob that is to be stored, and nothing else.
fn store(out: &[Out]) -> (Token, u64, Vec<u8>) {
    match out {
        [
            Out::Store {
                token,
                version,
                blob,
            },
        ] => (*token, *version, blob.clone()),
        other => panic!("{other:?}"),
    }
}

/// [DR-7] Nothing leaves before it is stored: the release, the REGISTER, the outcome; at the end the subscriber is erased.
#[test]
fn stored_before_it_leaves() {
    let mut bed = Bed::new(1);
    bed.register();
    let (token, ..) = store(&bed.inactive());
    let out = bed.answer(token, Answer::Stored);
    let [Out::Release(release)] = out[..] else {
        panic!("{out:?}");
    };
    let out = bed.answer(release, ims_procedures::mscics::Answer::Done.into());
    let (token, ..) = store(&out);
    let out = bed.answer(token, Answer::Stored);
    let [Out::Register(register, bytes)] = &out[..] else {
        panic!("{out:?}");
    };
    let out = bed.answer(*register, Answer::Response(&response(200, bytes, "")));
    let (token, ..) = store(&out);
    let out = bed.answer(token, Answer::Stored);
    let [Out::Deregistered(Outcome::Confirmed), Out::Erase(token)] = out[..] else {
        panic!("{out:?}");
    };
    assert_eq!(bed.answer(token, Answer::Stored), []);
    assert_eq!((bed.node.records(), bed.node.deadline()), (0, None));
}

/// [DR-7] Wherever the host crashes, another node goes on from the last blob: the same REGISTER again, or the outcome again.
/// Of two nodes that have it, one goes on.
#[test]
fn crashes() {
    let mut bed = Bed::new(1);
    bed.register();
    let (token, ..) = store(&bed.inactive());
    let out = bed.answer(token, Answer::Stored);
    let [Out::Release(release)] = out[..] else {
        panic!("{out:?}");
    };
    let out = bed.answer(release, ims_procedures::mscics::Answer::Done.into());
    let (token, version, blob) = store(&out);
    let out = bed.answer(token, Answer::Stored);
    let [Out::Register(_, before)] = &out[..] else {
        panic!("{out:?}");
    };

    let mut other = Bed::new(2);
    let (key, reading) = (PRIVATE.as_bytes(), Reading::Latest);
    other
        .node
        .adopt(other.now, key, version, &blob, reading)
        .unwrap();
    let (token, ..) = store(&other.run());
    let out = other.answer(token, Answer::Stored);
    let [Out::Register(register, again)] = &out[..] else {
        panic!("{out:?}");
    };
    assert_eq!(before, again);
    let out = other.answer(*register, Answer::Response(&response(404, again, "")));
    let (token, version, blob) = store(&out);
    let out = other.answer(token, Answer::Stored);
    let nothing = Out::Deregistered(Outcome::NothingThere { status: 404 });
    assert_eq!(out[0], nothing);

    let mut third = Bed::new(3);
    third
        .node
        .adopt(third.now, key, version, &blob, reading)
        .unwrap();
    let out = third.run();
    let Some(Out::Erase(token) | Out::Store { token, .. }) = out.first() else {
        panic!("{out:?}");
    };
    assert!(
        third.answer(*token, Answer::Stored).contains(&nothing),
        "it comes again"
    );
    assert_eq!(third.node.node().registrations(), 0);
}

/// [DR-7] Another node has the subscriber: this one lets go without a word to any peer.
#[test]
fn conflict() {
    let mut bed = Bed::new(1);
    bed.register();
    let (token, ..) = store(&bed.inactive());
    assert_eq!(bed.answer(token, Answer::Conflict), [Out::TakenOver]);
    assert_eq!(bed.node.node().registrations(), 0);
    assert_eq!(bed.run(), []);
    assert_eq!(bed.node.deadline(), None);
}

/// [DR-7] Who waits for the turn of a shutdown is not stored for that: nothing has been done.
#[test]
fn not_stored_for_a_turn() {
    let mut bed = Bed::new(1);
    bed.register();
    let mut order = ims_procedures::mscics::Shutdown::until(bed.now.after(60_000));
    order.rate = Some(1);
    assert_eq!(bed.command(Command::Shutdown(order)), []);
    let out = bed.run();
    let stores = out.iter().filter(|out| matches!(out, Out::Store { .. }));
    assert_eq!(stores.count(), 1, "for the turn itself");
}

/// [DR-7] [MS-1] Who waits for the turn of a shutdown, and has left by then, is deregistered by the node that goes on.
#[test]
fn left_while_waiting_for_a_turn() {
    for leaves in [false, true] {
        let mut bed = Bed::new(1);
        let change = |text: String| text.replace("234150999999999", "234150999999998");
        let (request, response) = (register(PARAMS, 1), register_200(PARAMS, 1));
        let (request, response) = (change(request), change(response));
        let out = bed.command(Command::Learn {
            request: request.as_bytes(),
            response: response.as_bytes(),
        });
        assert_eq!(out, [Out::StoreOther]);
        bed.register();
        // Another one has the only turn there is.
        let mut order = ims_procedures::mscics::Shutdown::until(bed.now.after(60_000));
        order.in_flight = Some(1);
        bed.command(Command::Shutdown(order));
        bed.run();
        assert!(!bed.node.node().is_registered(PRIVATE.as_bytes()));
        let out = match leaves {
            true => bed.inactive(),
            false => bed.command(Command::DialogEnded {
                private_identity: PRIVATE.as_bytes(),
                dialog: DialogRef(2),
            }),
        };
        let (_, version, blob) = store(&out);
        let mut other = Bed::new(2);
        let (key, reading) = (PRIVATE.as_bytes(), Reading::Latest);
        other
            .node
            .adopt(other.now, key, version, &blob, reading)
            .unwrap();
        assert_eq!(other.node.node().is_registered(key), !leaves);
    }
}

/// [DR-7] [DR-9] [MS-1] That one was given up is stored before it is told, and told again by the node that goes on, with the
/// same record.
#[test]
fn cancelled() {
    let mut bed = Bed::audited(1);
    bed.register();
    let (token, ..) = store(&bed.inactive());
    assert!(matches!(
        bed.answer(token, Answer::Stored)[..],
        [Out::Release(_)]
    ));
    bed.now = bed.now.after(1);
    let out = bed.command(Command::Returned {
        private_identity: PRIVATE.as_bytes(),
    });
    let (token, version, blob) = store(&out);
    let told = Out::Cancelled(Cause::CancelLocation, 1);
    let out = bed.answer(token, Answer::Stored);
    let place = out.iter().position(|out| *out == told).expect("it is told");
    let record = out[place + 1].clone();
    assert!(
        matches!(&record, Out::Audited(text) if text.contains("GivenUp") && text.ends_with("1000 ms to 1001 ms")),
        "{record:?}"
    );

    let mut other = Bed::audited(2);
    let (key, reading) = (PRIVATE.as_bytes(), Reading::Latest);
    other
        .node
        .adopt(other.now, key, version, &blob, reading)
        .unwrap();
    other.now = other.now.after(5_000);
    let mut out = other.run();
    while let Some(Out::Store { token, .. }) = out.last() {
        let token = *token;
        out = other.answer(token, Answer::Stored);
        if out.contains(&told) {
            break;
        }
        out.extend(other.run());
    }
    let place = out.iter().position(|out| *out == told);
    assert_eq!(out[place.expect("it is told again") + 1], record);
    assert!(other.node.node().is_registered(key));
}
