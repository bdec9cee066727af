//! What is withheld, and until when.

use ims_procedures::{
    drive::{
        Answer, ConfigError, Identifier, Identifiers, Millis, Misuse, Node, Outbox, Output,
        Persist, RestoreError, Source, Token, TransactionRef, Verdict,
    },
    pcscf::{Command, Event, Evidence, Pcscf, PcscfNode, Shutdown, Ue},
    persistence::{Config, Persistent, Reading},
};

use crate::pcscf::{CONTACT, PRIVATE, contact, register, register_200};

/// What was put out, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Out {
    Store {
        token: Token,
        key: Vec<u8>,
        expected: u64,
        version: u64,
        blob: Vec<u8>,
    },
    Erase {
        token: Token,
        expected: u64,
    },
    Request {
        token: Token,
        line: String,
        branch: String,
    },
    Ask(Token),
    Respond(u16),
    TakenOver(Vec<u8>),
    Event,
}

struct Bed {
    node: Persistent<PcscfNode>,
    out: Outbox<Pcscf>,
    now: Millis,
}

fn node(incarnation: u64) -> PcscfNode {
    let identifiers = Identifiers::new([7; 32], incarnation, 3);
    PcscfNode::new(crate::world::pcscf_config(), identifiers).unwrap()
}

/// Nobody is subscribed to.
fn silent_config() -> ims_procedures::pcscf::Config {
    let mut config = crate::world::pcscf_config();
    config.subscription.support_reg_event = false;
    config
}

impl Bed {
    fn new(incarnation: u64, config: Config) -> Self {
        let node = Persistent::new(node(incarnation), config).unwrap();
        Self {
            out: node.outbox(1),
            node,
            now: Millis(1_000),
        }
    }

    fn take(&mut self) -> Vec<Out> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let taken = self.out.iter().map(|output| match output {
            Output::Store {
                token,
                key,
                expected,
                version,
                bytes,
            } => Out::Store {
                token,
                key: key.to_vec(),
                expected,
                version,
                blob: bytes.to_vec(),
            },
            Output::Erase {
                token, expected, ..
            } => Out::Erase { token, expected },
            Output::Request { token, bytes, .. } => {
                let request = text(bytes);
                let via = request.split("branch=").nth(1).unwrap();
                Out::Request {
                    token,
                    line: request.lines().next().unwrap().to_owned(),
                    branch: via.lines().next().unwrap().to_owned(),
                }
            }
            Output::Ask { token, .. } => Out::Ask(token),
            Output::Respond { status, .. } => Out::Respond(status),
            Output::Event(Event::TakenOver { private_identity }) => {
                Out::TakenOver(self.out.text(*private_identity).to_vec())
            }
            Output::Event(_) => Out::Event,
            other => panic!("{other:?}"),
        });
        let taken = taken.collect();
        self.out.clear();
        taken
    }

    fn learn(&mut self, expires: u32, cseq: u32) -> Vec<Out> {
        let binding = contact(Some(expires));
        let (request, response) = (register(&binding, cseq), register_200(&binding, cseq));
        let command = Command::Learn {
            request: request.as_bytes(),
            response: response.as_bytes(),
            trunk_group: b"",
        };
        let verdict = self.node.command(self.now, command, &mut self.out).unwrap();
        assert_eq!(verdict, Verdict::Handled);
        self.take()
    }

    fn lose(&mut self) -> Vec<Out> {
        let command = Command::AccessLost {
            ue: Ue::at(CONTACT.as_bytes()),
            evidence: Evidence::BearerLost,
        };
        let verdict = self.node.command(self.now, command, &mut self.out).unwrap();
        assert_eq!(verdict, Verdict::Handled);
        self.take()
    }

    fn answer(&mut self, token: Token, answer: Answer<'_, Pcscf>) -> Vec<Out> {
        self.node
            .answer(self.now, token, answer, &mut self.out)
            .unwrap();
        self.take()
    }

    /// Waits for the timer of this name, and fires it.
    fn fire(&mut self, timer: &str) -> Vec<Out> {
        let (at, named) = self.node.deadline().unwrap();
        assert_eq!(named.0, timer);
        self.now = self.now.max(at);
        self.tick()
    }

    /// Lets time pass until a store is put out, which the rest of what comes is left out beside.
    fn until_store(&mut self) -> Vec<Out> {
        loop {
            let (at, _) = self.node.deadline().unwrap();
            self.now = self.now.max(at);
            let mut outs = self.tick();
            outs.retain(|out| matches!(out, Out::Store { .. }));
            if !outs.is_empty() {
                return outs;
            }
        }
    }

    fn tick(&mut self) -> Vec<Out> {
        self.node.tick(self.now, &mut self.out).unwrap();
        self.take()
    }
}

/// Token, expected version, version and blob of the only output, which is a store.
fn store(outs: &[Out]) -> (Token, u64, u64, Vec<u8>) {
    match outs {
        [
            Out::Store {
                token,
                key,
                expected,
                version,
                blob,
            },
        ] => {
            assert_eq!(key, PRIVATE.as_bytes());
            (*token, *expected, *version, blob.clone())
        }
        other => panic!("{other:?}"),
    }
}

fn request(outs: &[Out]) -> (Token, &str, &str) {
    match outs {
        [
            Out::Request {
                token,
                line,
                branch,
            },
        ]
        | [
            Out::Event,
            Out::Request {
                token,
                line,
                branch,
            },
        ] => (*token, line, branch),
        other => panic!("{other:?}"),
    }
}

/// [DR-2, DR-7] Nothing leaves before what it depends on is stored; what comes meanwhile waits for the next blob, and goes
/// in order.
#[test]
fn withheld() {
    let mut bed = Bed::new(1, Config::default());
    let (first, expected, version, _) = store(&bed.learn(600_000, 1));
    assert_eq!(expected, 0);
    assert!(bed.lose().is_empty(), "the store has not answered");
    let outs = bed.answer(first, Answer::Stored);
    assert!(matches!(&outs[0], Out::Request { line, .. } if line.starts_with("SUBSCRIBE ")));
    let (second, expected, _, _) = store(&outs[1..]);
    assert_eq!(expected, version);
    let outs = bed.answer(second, Answer::Stored);
    assert!(request(&outs).1.starts_with("REGISTER "));
    assert_eq!(bed.node.counters().stored, 2);
}

/// [DR-7] What has changed nothing is answered at once.
#[test]
fn nothing_changed() {
    let mut bed = Bed::new(1, Config::default());
    let notify = b"NOTIFY sip:s0003-0123456789abcdef0123456789ab@pcscf1.visited1.example.net:5070 SIP/2.0\r\n\
        Via: SIP/2.0/UDP scscf1.home1.example.net:5080;branch=z9hG4bKx\r\nMax-Forwards: 70\r\n\
        From: <sip:a@b.example>;tag=a\r\nTo: <sip:c@d.example>;tag=b\r\nCall-ID: x\r\nCSeq: 1 NOTIFY\r\n\
        Contact: <sip:scscf1.home1.example.net>\r\nEvent: reg\r\nSubscription-State: active;expires=5\r\n\
        Content-Length: 0\r\n\r\n";
    let from = Source::TrustedCore;
    let received = bed
        .node
        .receive(bed.now, from, TransactionRef(1), notify, &mut bed.out);
    assert!(matches!(received, Ok(Verdict::Rejected(_))), "{received:?}");
    assert_eq!(bed.take(), [Out::Respond(481)]);
}

/// [DR-7] A conflict: not a word to anybody but the host; the user is not here any more.
#[test]
fn conflict() {
    let mut bed = Bed::new(1, Config::default());
    let (token, ..) = store(&bed.learn(600_000, 1));
    let outs = bed.answer(token, Answer::Conflict);
    assert_eq!(outs, [Out::TakenOver(PRIVATE.into())]);
    assert_eq!(bed.node.node().registrations(), 0);
    assert_eq!(bed.node.records(), 0);
    assert_eq!(bed.node.deadline(), None);
    assert_eq!(bed.node.counters().conflicts, 1);
    // The same user may come here again.
    let (_, expected, ..) = store(&bed.learn(600_000, 2));
    assert_eq!(expected, 0);
}

/// [DR-7] A conflict about a user who has gone here meanwhile: the host hears of it all the same, for what another node
/// says of the user is not over.
#[test]
fn conflict_about_one_who_has_gone() {
    let mut bed = Bed::new(1, Config::default());
    bed.node.node_mut().reconfigure(silent_config()).unwrap();
    let (token, ..) = store(&bed.learn(600_000, 1));
    bed.answer(token, Answer::Stored);
    let (mut token, ..) = store(&bed.learn(0, 2));
    while bed.node.node().registrations() > 0 {
        let (at, _) = bed.node.deadline().unwrap();
        bed.now = bed.now.max(at);
        let outs = bed.tick();
        let offered = outs.iter().find_map(|out| match out {
            Out::Store { token, .. } => Some(*token),
            _ => None,
        });
        token = offered.unwrap_or(token);
    }
    let outs = bed.answer(token, Answer::Conflict);
    assert_eq!(outs, [Out::TakenOver(PRIVATE.into())]);
    assert_eq!((bed.node.records(), bed.node.deadline()), (0, None));
}

/// [DR-7] Of two nodes restored from one blob exactly one goes on, with the same REGISTER.
#[test]
fn two_from_one_blob() {
    let mut bed = Bed::new(1, Config::default());
    let (token, ..) = store(&bed.learn(600_000, 1));
    bed.answer(token, Answer::Stored);
    let (token, _, version, blob) = store(&bed.lose());
    let sent = bed.answer(token, Answer::Stored);
    for reading in [Reading::Latest, Reading::PerhapsStale] {
        let mut nodes = [2, 3].map(|incarnation| Bed::new(incarnation, Config::default()));
        let stores = nodes.each_mut().map(|bed| {
            bed.node
                .adopt(bed.now, PRIVATE.as_bytes(), version, &blob, reading)
                .unwrap();
            let outs = loop {
                let outs = bed.tick();
                if !outs.is_empty() {
                    break outs;
                }
            };
            let (token, expected, wanted, _) = store(&outs);
            assert_eq!(expected, version);
            (token, wanted)
        });
        assert_ne!(stores[0].1, stores[1].1, "no two writes have one version");
        let [winner, loser] = &mut nodes;
        let lost = loser.answer(stores[1].0, Answer::Conflict);
        assert_eq!(lost, [Out::TakenOver(PRIVATE.into())]);
        assert_eq!(loser.node.deadline(), None);
        let mut offered = winner.answer(stores[0].0, Answer::Stored);
        for _ in 0..10 {
            let token = offered.iter().find_map(|out| match out {
                Out::Store { token, .. } => Some(*token),
                _ => None,
            });
            let more = match token {
                Some(token) => {
                    offered.retain(|out| !matches!(out, Out::Store { .. }));
                    winner.answer(token, Answer::Stored)
                }
                None => winner.tick(),
            };
            offered.extend(more);
        }
        let branches = |outs: &[Out]| -> Vec<String> {
            let of = |out: &Out| match out {
                Out::Request { line, branch, .. } if line.starts_with("REGISTER") => {
                    Some(branch.clone())
                }
                _ => None,
            };
            outs.iter().filter_map(of).collect()
        };
        assert_eq!(branches(&offered), branches(&sent));
        assert_eq!(branches(&sent).len(), 1);
    }
}

/// [DR-7] A store that fails is asked again, after the waits configured, for the very same write; then it is done
/// without, and still asked, ever less often. Once it has it, everything waits for the store again.
#[test]
fn failing() {
    let mut bed = Bed::new(1, Config::default());
    let began = bed.now;
    let mut write = store(&bed.learn(600_000, 1));
    let mut tries = vec![0];
    let mut outs = Vec::new();
    for attempt in 1..=12 {
        let failed = bed.answer(write.0, Answer::Failed);
        assert_eq!(failed.is_empty(), attempt != 3, "{attempt}");
        outs.extend(failed);
        let again = store(&bed.until_store());
        assert_eq!((again.1, again.2, &again.3), (write.1, write.2, &write.3));
        assert_eq!(again.0, write.0);
        write = again;
        tries.push(bed.now.since(began));
    }
    assert!(request(&outs).1.starts_with("SUBSCRIBE "));
    assert_eq!(tries[..5], [0, 200, 600, 1_400, 3_000]);
    assert_eq!(tries[12] - tries[11], 60_000, "never less often than that");
    // What comes while it is done without goes at once.
    assert!(request(&bed.lose()).1.starts_with("REGISTER "));
    let outs = bed.answer(write.0, Answer::Stored);
    let (token, expected, ..) = store(&outs);
    assert_eq!(expected, write.2);
    assert!(bed.answer(token, Answer::Stored).is_empty());
    let counters = bed.node.counters();
    assert_eq!((counters.failed, counters.done_without), (12, 1));
    assert_eq!((counters.stores, counters.stored), (14, 2));
}

/// [DR-6, DR-7] A store that says nothing has failed at the bound, and not a millisecond before; what it says then
/// counts all the same, once. What was never given out is the host's mistake.
#[test]
fn silent() {
    let mut bed = Bed::new(1, Config::default());
    let (token, ..) = store(&bed.learn(600_000, 1));
    bed.now = bed.now.after(1_999);
    assert!(bed.tick().is_empty());
    assert_eq!(bed.node.counters().failed, 0);
    assert!(bed.fire("answer of the store").is_empty());
    assert_eq!(bed.now, Millis(3_000));
    assert_eq!(bed.node.counters().failed, 1);
    // Late, but of the write that is still wanted.
    let outs = bed.answer(token, Answer::Stored);
    assert!(request(&outs).1.starts_with("SUBSCRIBE "));
    assert!(bed.answer(token, Answer::Stored).is_empty());
    assert_eq!(bed.node.counters().stale_answers, 1);
    let never = Token::from_u64(token.to_u64() + 1_000);
    let unknown = bed
        .node
        .answer(bed.now, never, Answer::Stored, &mut bed.out);
    assert_eq!(unknown, Err(Misuse::UnknownToken));
}

/// [DR-7] That an access is lost, and that the UE has returned, is reported with an id, which is the same where another
/// node reports it again.
#[test]
fn reported_again() {
    let reports = |bed: &mut Bed| {
        let ids = bed.out.iter().filter_map(|output| match output {
            Output::Event(Event::AccessLost { id, .. } | Event::Cancelled { id, .. }) => Some(*id),
            _ => None,
        });
        let ids: Vec<Identifier> = ids.collect();
        (ids, bed.take())
    };
    let mut bed = Bed::new(1, Config::default());
    bed.node.node_mut().reconfigure(silent_config()).unwrap();
    let (token, ..) = store(&bed.learn(600_000, 1));
    bed.answer(token, Answer::Stored);
    let mut seen = Vec::new();
    for comes_back in [false, true] {
        let (token, _, version, blob) = store(&match comes_back {
            false => bed.lose(),
            true => bed.learn(600_000, 2),
        });
        let mut other = Bed::new(2, Config::default());
        other.node.node_mut().reconfigure(silent_config()).unwrap();
        let (key, latest) = (PRIVATE.as_bytes(), Reading::Latest);
        let adopted = other.node.adopt(other.now, key, version, &blob, latest);
        assert_eq!(adopted, Ok(()));
        let (again, ..) = store(&other.until_store());
        let answer = |bed: &mut Bed, token| {
            let stored = Answer::Stored;
            bed.node
                .answer(bed.now, token, stored, &mut bed.out)
                .unwrap();
        };
        answer(&mut bed, token);
        let (ids, outs) = reports(&mut bed);
        answer(&mut other, again);
        assert_eq!(reports(&mut other).0, ids);
        assert_eq!(ids.len(), 1, "{outs:?}");
        seen.extend(ids);
    }
    assert_ne!(seen[0], seen[1]);
}

/// [DR-7] A user who has gone is erased; one who comes back before that is done goes on from there.
#[test]
fn erased() {
    for comes_back in [false, true] {
        let mut bed = Bed::new(1, Config::default());
        bed.node.node_mut().reconfigure(silent_config()).unwrap();
        let (token, ..) = store(&bed.learn(600_000, 1));
        bed.answer(token, Answer::Stored);
        let (mut token, _, mut latest, _) = store(&bed.learn(0, 2));
        let erase = loop {
            let outs = bed.answer(token, Answer::Stored);
            let next = outs.iter().find_map(|out| match out {
                Out::Erase { token, expected } => Some((true, *token, *expected)),
                Out::Store { token, version, .. } => Some((false, *token, *version)),
                Out::Ask(token) => {
                    let done = Answer::Role(ims_procedures::pcscf::Answer::Done);
                    let (token, _, version, _) = store(&bed.answer(*token, done));
                    Some((false, token, version))
                }
                _ => None,
            });
            match next {
                Some((true, erase, expected)) => {
                    assert_eq!(expected, latest);
                    break erase;
                }
                Some((false, next, version)) => (token, latest) = (next, version),
                None => panic!("{outs:?}"),
            }
        };
        assert_eq!(bed.node.node().registrations(), 0);
        if comes_back {
            assert!(bed.learn(600_000, 3).is_empty());
            let (_, expected, ..) = store(&bed.answer(erase, Answer::Stored));
            assert_eq!(expected, 0);
            assert_eq!(bed.node.records(), 1);
        } else {
            assert!(bed.answer(erase, Answer::Stored).is_empty());
            assert_eq!((bed.node.records(), bed.node.deadline()), (0, None));
        }
        assert_eq!(bed.node.counters().erased, 1);
    }
}

/// [DR-7, PD-2, PD-9] A shutdown that waits for the UE's own REGISTER is not in the blob of the user: where that is taken
/// over, the user is registered, and the host orders the shutdown, or does not.
#[test]
fn shut_down_while_the_ue_registers() {
    let mut bed = Bed::new(1, Config::default());
    bed.node.node_mut().reconfigure(silent_config()).unwrap();
    let (token, ..) = store(&bed.learn(600_000, 1));
    bed.answer(token, Answer::Stored);
    let own = register(&contact(Some(600_000)), 2);
    let txn = TransactionRef(1);
    let verdict = bed
        .node
        .receive(bed.now, Source::Ue, txn, own.as_bytes(), &mut bed.out);
    assert_eq!(verdict, Ok(Verdict::Forward));
    let order = Command::Shutdown(Shutdown::until(Millis(900_000)));
    bed.node.command(bed.now, order, &mut bed.out).unwrap();
    (0..4).for_each(|_| assert_eq!(bed.tick(), []));
    let is_registered = |bed: &Bed| bed.node.node().is_registered(CONTACT.as_bytes());
    assert!(!is_registered(&bed));
    let dialogs = Command::DialogsChanged {
        ue: Ue::at(CONTACT.as_bytes()),
        present: true,
    };
    bed.node.command(bed.now, dialogs, &mut bed.out).unwrap();
    let (_, _, version, blob) = store(&bed.take());

    let mut other = Bed::new(2, Config::default());
    let (key, latest) = (PRIVATE.as_bytes(), Reading::Latest);
    let adopted = other.node.adopt(bed.now, key, version, &blob, latest);
    assert_eq!(adopted, Ok(()));
    assert!(is_registered(&other));
}

/// [DR-5] A blob at the limit is stored; one a byte longer is not, and what waits for it goes.
#[test]
fn blob_bytes() {
    let mut bed = Bed::new(1, Config::default());
    // The realm of a blob of the least limit.
    let padded = |length: usize| {
        let realm = "r".repeat(length);
        let binding = contact(Some(600_000));
        let request =
            register(&binding, 1).replace("home1.example.net\",nonce", &format!("{realm}\",nonce"));
        (request, register_200(&binding, 1))
    };
    let stored = |bed: &mut Bed, length| {
        let (request, response) = padded(length);
        let command = Command::Learn {
            request: request.as_bytes(),
            response: response.as_bytes(),
            trunk_group: b"",
        };
        bed.node.command(bed.now, command, &mut bed.out).unwrap();
        bed.take()
    };
    let (.., blob) = store(&stored(&mut bed, 200));
    let limit = blob.len() + 300;
    let mut config = Config::default();
    config.blob_bytes = limit;
    let (.., blob) = store(&stored(&mut Bed::new(1, config), 500));
    assert_eq!(blob.len(), limit);
    let mut bed = Bed::new(1, config);
    let outs = stored(&mut bed, 501);
    assert!(outs.is_empty());
    let outs = bed.fire("outputs that were withheld");
    assert!(request(&outs).1.starts_with("SUBSCRIBE "));
    assert_eq!(bed.node.counters().too_large, 1);
}

/// [DR-5] A message that waits for a blob and fits exactly is kept; where it has a byte too many it is lost, as on a
/// network, and counted. The user is not, nor is what comes later.
#[test]
fn held_bytes() {
    let run = |limit| {
        let mut config = Config::default();
        config.held_bytes = limit;
        let mut bed = Bed::new(1, config);
        bed.node.node_mut().reconfigure(silent_config()).unwrap();
        let (first, ..) = store(&bed.learn(600_000, 1));
        assert!(bed.lose().is_empty());
        let (second, ..) = store(&bed.answer(first, Answer::Stored));
        bed.node
            .answer(bed.now, second, Answer::Stored, &mut bed.out)
            .unwrap();
        let mut told = 0;
        let length = bed.out.iter().find_map(|output| match output {
            Output::Event(Event::AccessLost { affected, .. }) => {
                told = affected.private_identity.len()
                    + affected.public_identity.len()
                    + affected.contact.len();
                None
            }
            Output::Request {
                next_hops, bytes, ..
            } => Some(told + bytes.len() + next_hops.map(<[u8]>::len).sum::<usize>()),
            _ => None,
        });
        assert_eq!(bed.node.node().registrations(), 1);
        (length, bed.node.counters().dropped)
    };
    let (length, dropped) = run(Config::default().held_bytes);
    let limit = length.expect("a REGISTER to one next hop");
    assert_eq!(dropped, 0);
    assert_eq!(run(limit), (Some(limit), 0));
    assert_eq!(run(limit - 1), (None, 1));
}

/// [DR-4] Without room for a call nothing happens.
#[test]
fn no_room() {
    let mut bed = Bed::new(1, Config::default());
    let (outputs, bytes) = bed.node.step_room();
    for (outputs, bytes) in [(outputs - 1, bytes), (outputs, bytes - 1)] {
        bed.out = Outbox::with_room(outputs, bytes);
        let refused = bed.node.tick(bed.now, &mut bed.out);
        assert!(matches!(refused, Err(Misuse::OutboxFull { .. })));
    }
    bed.out = Outbox::with_room(outputs, bytes);
    bed.node.tick(bed.now, &mut bed.out).unwrap();
}

/// [DR-7] What cannot be adopted changes nothing: damaged, of another kind, or here already.
#[test]
fn not_adopted() {
    let mut bed = Bed::new(1, Config::default());
    let (token, _, version, blob) = store(&bed.learn(600_000, 1));
    bed.answer(token, Answer::Stored);
    let mut other = Bed::new(2, Config::default());
    let key = PRIVATE.as_bytes();
    for cut in 0..blob.len() {
        let refused = other
            .node
            .adopt(other.now, key, version, &blob[..cut], Reading::Latest);
        assert!(refused.is_err(), "{cut}");
    }
    let mut node_blob = Vec::new();
    bed.node.snapshot(bed.now, &mut node_blob);
    let adopt =
        |bed: &mut Bed, blob: &[u8]| bed.node.adopt(bed.now, key, version, blob, Reading::Latest);
    assert_eq!(adopt(&mut other, &node_blob), Err(RestoreError::WrongKind));
    assert_eq!(other.node.records(), 0);
    assert_eq!(adopt(&mut other, &blob), Ok(()));
    assert_eq!(adopt(&mut other, &blob), Err(RestoreError::AlreadyHere));
    assert_eq!(other.node.node().registrations(), 1);
}

/// [DR-5] Each bound of the configuration, at its ends and one past them.
#[test]
fn configuration() {
    let refused = |change: fn(&mut Config)| {
        let mut config = Config::default();
        change(&mut config);
        match Persistent::new(node(1), config) {
            Ok(_) => None,
            Err(ConfigError { field, .. }) => Some(field),
        }
    };
    type Case = (fn(&mut Config), Option<&'static str>);
    let cases: [Case; 17] = [
        (|c| c.answer_bound = 0, Some("persistence.answer_bound")),
        (|c| c.answer_bound = 1, None),
        (|c| c.answer_bound = 600_000, None),
        (
            |c| c.answer_bound = 600_001,
            Some("persistence.answer_bound"),
        ),
        (|c| c.attempts = 0, Some("persistence.attempts")),
        (|c| c.attempts = 100, None),
        (|c| c.attempts = 101, Some("persistence.attempts")),
        (|c| c.retry = 0, Some("persistence.retry")),
        (|c| c.retry = 60_000, None),
        (|c| c.retry = 60_001, Some("persistence.retry_limit")),
        (|c| c.retry_limit = 199, Some("persistence.retry_limit")),
        (|c| c.retry_limit = 200, None),
        (
            |c| c.retry_limit = 3_600_001,
            Some("persistence.retry_limit"),
        ),
        (|c| c.blob_bytes = 1_023, Some("persistence.blob_bytes")),
        (|c| c.blob_bytes = 1_024, None),
        (|c| c.blob_bytes = 16_777_216, None),
        (
            |c| c.blob_bytes = 16_777_217,
            Some("persistence.blob_bytes"),
        ),
    ];
    for (number, (change, expected)) in cases.into_iter().enumerate() {
        assert_eq!(refused(change), expected, "case {number}");
    }
    assert_ne!(
        PcscfNode::MACHINE,
        ims_procedures::scscf::ScscfNode::MACHINE
    );
}
