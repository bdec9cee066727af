//! CP-2 to CP-6: whatever comes in whatever order, what must be is.

use std::collections::{BTreeMap, BTreeSet};

use ims_procedures::{
    cpm::{Answer, Event, Question, Scope},
    drive::{self, Millis, Misuse, Node, Verdict},
};
use proptest::prelude::*;

use crate::{
    messages::Session,
    support::{Host, Out, STORED, STREAMS, Terms},
};

/// What happens; numbers choose among what there is.
#[derive(Clone, Copy, Debug)]
enum Action {
    /// A leg's BYE, or that again.
    Bye(usize),
    /// What is out is answered so.
    Answer(usize, u8),
    /// So many milliseconds pass.
    Wait(u64),
    /// Another life.
    Restart,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        3 => (0..4usize).prop_map(Action::Bye),
        6 => (0..8usize, 0..8u8).prop_map(|(which, how)| Action::Answer(which, how)),
        2 => prop_oneof![0..3_000u64, 7_000..9_000u64, 15_000..17_000u64].prop_map(Action::Wait),
        1 => Just(Action::Restart),
    ]
}

/// A BYE that has come.
struct Heard {
    leg: usize,
    at: Millis,
    /// In which life.
    life: u64,
    /// How often it was answered.
    times: usize,
}

/// What has been seen of a session.
struct Seen {
    host: Host,
    legs: Vec<String>,
    /// What is out.
    pending: Vec<Out>,
    /// BYEs that have come, by transaction.
    byes: BTreeMap<u64, Heard>,
    /// What each leg was answered.
    answers: BTreeMap<usize, Vec<u8>>,
    store_keys: BTreeSet<String>,
    release_keys: BTreeSet<String>,
    outcomes: BTreeSet<String>,
    uid: Option<()>,
    lives: u64,
}

impl Seen {
    fn new(session: Session, terms: Terms) -> Self {
        let mut legs = Vec::new();
        legs.extend(session.client.is_some().then(|| "client".to_owned()));
        legs.extend(session.other.is_some().then(|| "other".to_owned()));
        legs.extend((1..=session.iwfs.len()).map(|number| format!("iwf{number}")));
        Self {
            host: Host::with(session.with("", ""), terms),
            legs,
            pending: Vec::new(),
            byes: BTreeMap::new(),
            answers: BTreeMap::new(),
            store_keys: BTreeSet::new(),
            release_keys: BTreeSet::new(),
            outcomes: BTreeSet::new(),
            uid: None,
            lives: 1,
        }
    }

    fn see(&mut self, outs: Vec<Out>) {
        for out in outs {
            match &out {
                Out::Respond { to, status, bytes } => self.see_answer(*to, *status, bytes),
                Out::Request { bytes, .. } => {
                    let text = String::from_utf8(bytes.clone()).unwrap();
                    assert!(!self.release_keys.is_empty(), "before the release\n{text}");
                    self.check_uid(&text, text.contains("\r\nTo: <sip:alice@"));
                    self.pending.push(out);
                }
                Out::Ask { question, .. } => {
                    match question {
                        Question::MediaRelease { key, scope, .. } => {
                            if *scope == Scope::Session {
                                self.release_keys.insert(key.to_string());
                            } else {
                                self.release_keys.insert("of an IWF".to_owned());
                            }
                        }
                        Question::SessionStorage { key, .. } => {
                            self.store_keys.insert(key.to_string());
                        }
                        other => panic!("{other:?}"),
                    }
                    self.pending.push(out);
                }
                Out::Event(event @ Event::SessionClosed { .. }) => {
                    self.outcomes.insert(format!("{event:?}"));
                }
                Out::Event(_) | Out::Acknowledge { .. } => {}
            }
        }
    }

    /// [CP-4] Only to the client, and only once a UID has been retrieved.
    fn check_uid(&self, text: &str, is_clients: bool) {
        if text.contains("\r\nMessage-UID: ") {
            assert!(is_clients && self.uid.is_some(), "{text}");
        }
    }

    /// [CP-3, CP-6] A BYE is answered once, in time; one that comes again as before.
    fn see_answer(&mut self, to: u64, status: u16, bytes: &[u8]) {
        let heard = self.byes.get_mut(&to).expect("a BYE");
        heard.times += 1;
        let leg = heard.leg;
        assert_eq!((status, heard.times), (200, 1), "of {leg}");
        assert!(self.host.now.since(heard.at) < 32_000);
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        self.check_uid(&text, self.legs[leg] == "client");
        let before = self.answers.entry(leg).or_insert_with(|| bytes.to_vec());
        assert_eq!(before, bytes);
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Bye(which) => {
                let which = which % self.legs.len();
                let name = format!("bye_from_{}", self.legs[which]);
                let bye = self.host.session.message(&name);
                if self.host.node.sessions() == 0 {
                    return;
                }
                let heard = Heard {
                    leg: which,
                    at: self.host.now,
                    life: self.lives,
                    times: 0,
                };
                self.byes.insert(self.host.transactions + 1, heard);
                let (verdict, outs) = self.host.receive_bytes(&bye);
                assert_eq!(verdict, Verdict::Handled);
                self.see(outs);
            }
            Action::Answer(which, how) if !self.pending.is_empty() => {
                let out = self.pending.remove(which % self.pending.len());
                self.answer(&out, how);
            }
            Action::Answer(..) => {}
            Action::Wait(milliseconds) => self.wait(milliseconds),
            Action::Restart => {
                self.lives += 1;
                self.host.restart(self.lives);
                self.pending.clear();
                self.wait(0);
            }
        }
    }

    fn wait(&mut self, milliseconds: u64) {
        let end = self.host.now.after(milliseconds);
        while let Some((at, _)) = self.host.node.deadline().filter(|(at, _)| *at <= end) {
            self.host.now = self.host.now.max(at);
            let outs = self.host.advance(0);
            self.see(outs);
        }
        self.host.now = end;
    }

    fn answer(&mut self, out: &Out, how: u8) {
        let text;
        let answer = match out {
            Out::Ask {
                question: Question::MediaRelease { .. },
                ..
            } => Answer::MediaReleased.into(),
            Out::Ask { .. } if how < 5 => {
                self.uid = Some(());
                Answer::Stored { uid: b"4711" }.into()
            }
            Out::Ask { .. } => Answer::StoreFailed.into(),
            _ => match how {
                0 => drive::Answer::Timeout,
                1 => drive::Answer::Unreachable,
                how => {
                    let status = [200, 200, 200, 481, 408, 491][usize::from(how) - 2];
                    text = response_to(&out.text(), status);
                    drive::Answer::Response(text.as_bytes())
                }
            },
        };
        let host = &mut self.host;
        let taken = host
            .node
            .answer(host.now, out.token(), answer, &mut host.out);
        // What is of a session that has gone, or of an earlier life, is nobody's.
        assert!(matches!(taken, Ok(()) | Err(Misuse::UnknownToken)));
        let outs = host.drain();
        self.see(outs);
    }

    /// Whether what has come closes the session: a BYE of no IWF, or of one with which it goes, or the BYEs of all.
    fn closes(&self, is_streams: bool) -> bool {
        let is_iwf = |leg: usize| self.legs[leg].starts_with("iwf");
        let heard: BTreeSet<_> = self.byes.values().map(|heard| heard.leg).collect();
        let mut iwfs = (0..self.legs.len()).filter(|leg| is_iwf(*leg));
        let has_all_left = self.legs.len() > 2 && iwfs.all(|leg| heard.contains(&leg));
        has_all_left || heard.iter().any(|leg| !(is_streams && is_iwf(*leg)))
    }

    /// In the end every BYE is answered, in its latest transaction if the host has that, there is one outcome at most,
    /// and nothing is left.
    fn finish(&mut self, is_streams: bool) {
        let closes = self.closes(is_streams);
        self.wait(600_000);
        let latest: BTreeMap<_, _> = self.byes.values().map(|heard| (heard.leg, heard)).collect();
        for (leg, heard) in latest {
            let is_answered = match heard.life == self.lives {
                true => heard.times == 1,
                false => self.answers.contains_key(&leg),
            };
            assert!(is_answered, "{} is not answered", self.legs[leg]);
        }
        assert!(self.outcomes.len() <= 1, "{:?}", self.outcomes);
        assert!(self.store_keys.len() <= 1);
        self.release_keys.remove("of an IWF");
        assert!(self.release_keys.len() <= 1);
        let is_over = self.host.node.sessions() == 0;
        assert_eq!(is_over, !self.outcomes.is_empty());
        assert!(is_over || !closes);
    }
}

/// The final answer to a request.
fn response_to(request: &str, status: u16) -> String {
    let names = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
    let lines = request.split("\r\n").skip(1);
    let copied = lines.filter(|line| names.iter().any(|name| line.starts_with(name)));
    let copied: Vec<_> = copied.collect();
    let copied = copied.join("\r\n");
    format!("SIP/2.0 {status} x\r\n{copied}\r\nContent-Length: 0\r\n\r\n")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// [CP-2, CP-3, CP-4, CP-5, CP-6, DR-7] BYEs of any legs, any answers, time and restarts, in any order: each BYE is
    /// answered 200 once before 64·T1, and the same when it comes again; resources are released first; one idempotency
    /// key; a UID only to the client and only once there is one; one outcome; nothing left.
    #[test]
    fn any_order(
        is_originating in any::<bool>(),
        iwfs in 0..=3usize,
        is_streams in any::<bool>(),
        actions in prop::collection::vec(action(), 1..24),
    ) {
        let session = match is_originating {
            true => Session::originating(iwfs),
            false => Session::terminating(iwfs),
        };
        let mut seen = Seen::new(session, if is_streams { STREAMS } else { STORED });
        for action in actions {
            seen.act(action);
        }
        seen.finish(is_streams);
    }
}
