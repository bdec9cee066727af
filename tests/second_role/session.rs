//! The closing session, door by door.

use ims_procedures::drive::{
    self, Identifiers, Limits, Millis, Misuse, Node, Outbox, Output, RestoreError, Source, Timer,
    Token, TransactionRef, Verdict,
};
use ims_procedures::wire::Element;

use crate::closing::{Answer, Closing, ClosingNode, Command, Config, Dialog, End, Event, Question};

pub const CLIENT_BYE: &[u8] = include_bytes!("../fixtures/sip/bye_from_served_client.sip");
const IWF_BYE: &[u8] = include_bytes!("../fixtures/sip/bye_from_iwf_sms.sip");
pub const OK: &[u8] = b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n";
const GONE: &[u8] = b"SIP/2.0 481 Call/Transaction Does Not Exist\r\nContent-Length: 0\r\n\r\n";
const BUSY: &[u8] = b"SIP/2.0 500 Server Internal Error\r\nContent-Length: 0\r\n\r\n";
const TRYING: &[u8] = b"SIP/2.0 100 Trying\r\nContent-Length: 0\r\n\r\n";

pub fn config() -> Config {
    Config {
        element: Element::new(b"sip:pf1.home1.example.net:5060", b"home1.example.net").unwrap(),
        limits: Limits::default(),
        sessions: 4,
    }
}

pub fn identifiers(incarnation: u64) -> Identifiers {
    Identifiers::new([7; 32], incarnation, 3)
}

fn dialog(call_id: &str, local: [&str; 2], remote: [&str; 2], target: &str) -> Dialog {
    let [local, local_tag] = local.map(str::to_owned);
    let [remote, remote_tag] = remote.map(str::to_owned);
    Dialog {
        call_id: call_id.to_owned(),
        local,
        local_tag,
        remote,
        remote_tag,
        target: target.to_owned(),
        cseq: 1,
    }
}

/// The dialogs of the fixtures.
pub fn dialogs() -> (Dialog, [Dialog; 2]) {
    let alice = "sip:alice@home1.example.net";
    (
        dialog(
            "cpm-1@192.0.2.20",
            ["sip:bob@home2.example.net", "b1"],
            [alice, "a1"],
            "sip:192.0.2.20",
        ),
        [
            dialog(
                "iwf-leg-1",
                [alice, "a9"],
                ["sip:iwf-sms@home1.example.net", "i1"],
                "sip:iwf1.home1.example.net",
            ),
            dialog(
                "iwf-leg-2",
                [alice, "a8"],
                ["sip:iwf-mms@home1.example.net", "i2"],
                "sip:iwf2.home1.example.net",
            ),
        ],
    )
}

#[derive(Clone, Debug, PartialEq)]
enum Out {
    Bye(Token, String),
    Respond(u64, u16, String),
    Release(Token, String, String),
    Store(Token, String, u64, u64, Vec<u8>),
    Closed(String, [End; 2], bool),
}

struct Bed {
    node: ClosingNode,
    out: Outbox<Closing>,
    now: Millis,
}

impl Bed {
    /// A node with one session.
    fn new() -> Self {
        let mut bed = Self {
            node: ClosingNode::new(config(), identifiers(1)),
            out: Outbox::for_steps(1),
            now: Millis(1_000),
        };
        let (client, iwfs) = dialogs();
        assert_eq!(bed.open(&client, &iwfs), Ok(Verdict::Handled));
        bed
    }

    fn open(&mut self, client: &Dialog, iwfs: &[Dialog; 2]) -> Result<Verdict, Misuse> {
        self.node
            .command(self.now, Command::Take { client, iwfs }, &mut self.out)
    }

    fn take(&mut self) -> Vec<Out> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let taken = self
            .out
            .iter()
            .map(|output| match output {
                Output::Request { token, bytes, .. } => Out::Bye(token, text(bytes)),
                Output::Respond { to, status, bytes } => Out::Respond(to.0, status, text(bytes)),
                Output::Ask {
                    token,
                    question: Question::MediaRelease { session, key },
                } => Out::Release(token, text(self.out.text(*session)), key.to_string()),
                Output::Store {
                    token,
                    key,
                    expected,
                    version,
                    bytes,
                } => Out::Store(token, text(key), expected, version, bytes.to_vec()),
                Output::Event(Event::SessionClosed {
                    session,
                    ends,
                    stored,
                }) => Out::Closed(text(self.out.text(*session)), *ends, *stored),
                other => panic!("{other:?}"),
            })
            .collect();
        self.out.clear();
        taken
    }

    fn receive(&mut self, txn: u64, bytes: &[u8]) -> Vec<Out> {
        let txn = TransactionRef(txn);
        let verdict = self
            .node
            .receive(self.now, Source::TrustedCore, txn, bytes, &mut self.out);
        assert_eq!(verdict, Ok(Verdict::Handled));
        self.take()
    }

    fn answer(&mut self, token: Token, answer: drive::Answer<'_, Closing>) -> Vec<Out> {
        self.node
            .answer(self.now, token, answer, &mut self.out)
            .unwrap();
        self.take()
    }

    fn tick(&mut self) -> Vec<Out> {
        self.node.tick(self.now, &mut self.out).unwrap();
        self.take()
    }

    /// Goes to the deadline, which must bear this name, and ticks.
    fn fire(&mut self, timer: &'static str) -> Vec<Out> {
        let (due, named) = self.node.deadline().unwrap();
        assert_eq!(named, Timer(timer));
        self.now = self.now.max(due);
        self.tick()
    }

    fn state(&self) -> Vec<u8> {
        let mut blob = Vec::new();
        self.node.snapshot(self.now, &mut blob);
        blob
    }

    /// Another node, in another epoch, takes the session over.
    fn restored(&self, incarnation: u64) -> Self {
        let now = Millis(77_000_000);
        let node = ClosingNode::restore(config(), identifiers(incarnation), now, &self.state());
        Self {
            node: node.unwrap(),
            out: Outbox::for_steps(1),
            now,
        }
    }

    /// Up to the question for the media plane.
    fn releasing(&mut self) -> (Token, String) {
        match &self.receive(77, CLIENT_BYE)[..] {
            [Out::Release(token, session, key)] => {
                assert_eq!(session, "cpm-1@192.0.2.20");
                (*token, key.clone())
            }
            other => panic!("{other:?}"),
        }
    }

    /// Up to the two BYEs.
    fn ending(&mut self) -> [(Token, String); 2] {
        let (token, _) = self.releasing();
        two_byes(self.answer(token, drive::Answer::Role(Answer::Done)))
    }

    /// Up to the store.
    fn storing(&mut self) -> Token {
        let [(first, _), (second, _)] = self.ending();
        assert_eq!(self.answer(first, drive::Answer::Response(OK)), []);
        store(&self.answer(second, drive::Answer::Response(OK)))
    }
}

fn two_byes(out: Vec<Out>) -> [(Token, String); 2] {
    match <[Out; 2]>::try_from(out) {
        Ok([Out::Bye(first, one), Out::Bye(second, other)]) => [(first, one), (second, other)],
        other => panic!("{other:?}"),
    }
}

fn store(out: &[Out]) -> Token {
    match out {
        [Out::Store(token, key, 0, 1, _)] if key == "cpm-1@192.0.2.20" => *token,
        other => panic!("{other:?}"),
    }
}

fn answered_and_closed(to: u64, ends: [End; 2], stored: bool) -> Vec<Out> {
    let response = "SIP/2.0 200 OK\r\n\
        Via: SIP/2.0/UDP 192.0.2.20:5060;branch=z9hG4bKb1\r\n\
        From: <sip:alice@home1.example.net>;tag=a1\r\n\
        To: <sip:bob@home2.example.net>;tag=b1\r\n\
        Call-ID: cpm-1@192.0.2.20\r\n\
        CSeq: 2 BYE\r\n\
        Content-Length: 0\r\n\r\n";
    vec![
        Out::Respond(to, 200, response.to_owned()),
        Out::Closed("cpm-1@192.0.2.20".to_owned(), ends, stored),
    ]
}

fn line<'a>(message: &'a str, name: &str) -> &'a str {
    message.lines().find(|line| line.starts_with(name)).unwrap()
}

/// [DR-2] [DR-3] The client's BYE: media first, then two BYEs at once, then the store, and only then its 200.
#[test]
fn straight_path_on_bytes() {
    let mut bed = Bed::new();
    assert_eq!(bed.node.deadline(), None);
    let (release, _) = bed.releasing();
    let [(first, one), (second, other)] =
        two_byes(bed.answer(release, drive::Answer::Role(Answer::Done)));
    let branch = line(&one, "Via")
        .split_once("branch=")
        .unwrap()
        .1
        .to_owned();
    assert!(branch.starts_with("z9hG4bKs0003-"), "{branch}");
    assert_eq!(
        one,
        format!(
            "BYE sip:iwf1.home1.example.net SIP/2.0\r\n\
             Via: SIP/2.0/UDP pf1.home1.example.net:5060;branch={branch}\r\n\
             Max-Forwards: 70\r\n\
             From: <sip:alice@home1.example.net>;tag=a9\r\n\
             To: <sip:iwf-sms@home1.example.net>;tag=i1\r\n\
             Call-ID: iwf-leg-1\r\n\
             CSeq: 2 BYE\r\n\
             Content-Length: 0\r\n\r\n"
        )
    );
    assert_eq!(line(&other, "Call-ID"), "Call-ID: iwf-leg-2");
    assert_ne!(line(&other, "Via"), line(&one, "Via"));
    assert_ne!(first, second);

    bed.now = bed.now.after(5_000);
    assert_eq!(bed.answer(first, drive::Answer::Response(TRYING)), []);
    assert_eq!(bed.answer(first, drive::Answer::Response(OK)), []);
    bed.now = bed.now.after(5_000);
    let stored = store(&bed.answer(second, drive::Answer::Response(OK)));
    assert_eq!(bed.node.stale_answers, 0);
    let ends = [End::Answered(200); 2];
    assert_eq!(
        bed.answer(stored, drive::Answer::Stored),
        answered_and_closed(77, ends, true)
    );
    assert_eq!(bed.node.sessions(), 1, "it still answers retransmissions");
    assert_eq!(bed.fire("linger"), []);
    assert_eq!((bed.node.sessions(), bed.node.deadline()), (0, None));
}

/// [DR-2] The two answers come in any order and any kind; only when both legs have ended it goes on, once.
#[test]
fn every_order_of_the_two_answers() {
    type Make = fn() -> drive::Answer<'static, Closing>;
    let kinds: [(Make, End); 5] = [
        (|| drive::Answer::Response(OK), End::Answered(200)),
        (|| drive::Answer::Response(GONE), End::Answered(481)),
        (|| drive::Answer::Response(BUSY), End::Answered(500)),
        (|| drive::Answer::Timeout, End::NoResponse),
        (|| drive::Answer::Unreachable, End::Unreachable),
    ];
    for (one, end_one) in kinds {
        for (two, end_two) in kinds {
            for order in [[0, 1], [1, 0]] {
                let mut bed = Bed::new();
                let tokens = bed.ending().map(|(token, _)| token);
                let answers = [one, two];
                let [earlier, later] = order;
                assert_eq!(bed.answer(tokens[earlier], answers[earlier]()), []);
                assert_eq!(
                    bed.answer(tokens[earlier], answers[later]()),
                    [],
                    "a duplicate"
                );
                let stored = store(&bed.answer(tokens[later], answers[later]()));
                assert_eq!(
                    bed.answer(tokens[later], answers[later]()),
                    [],
                    "a duplicate"
                );
                assert_eq!(
                    bed.answer(tokens[earlier], answers[earlier]()),
                    [],
                    "a duplicate"
                );
                assert_eq!(bed.node.stale_answers, 3);
                assert_eq!(
                    bed.answer(stored, drive::Answer::Stored),
                    answered_and_closed(77, [end_one, end_two], true)
                );
            }
        }
    }
}

/// [DR-4] A response that cannot be read ends the leg as no response does.
#[test]
fn unreadable_response() {
    let mut bed = Bed::new();
    let [(first, _), (second, _)] = bed.ending();
    assert_eq!(bed.answer(first, drive::Answer::Response(b"garbage")), []);
    let stored = store(&bed.answer(second, drive::Answer::Response(OK)));
    let ends = [End::NoResponse, End::Answered(200)];
    assert_eq!(
        bed.answer(stored, drive::Answer::Stored),
        answered_and_closed(77, ends, true)
    );
}

/// [DR-7] Another node has taken the session over: this one lets go, and says nothing to anyone.
#[test]
fn conflict_is_silence() {
    let mut bed = Bed::new();
    let stored = bed.storing();
    assert_eq!(bed.answer(stored, drive::Answer::Conflict), []);
    assert_eq!((bed.node.sessions(), bed.node.deadline()), (0, None));
    assert_eq!(bed.answer(stored, drive::Answer::Stored), []);
    assert_eq!(bed.node.stale_answers, 1);
}

/// [DR-7] A store that fails, or is not answered in time, never keeps the client from its answer.
#[test]
fn failed_or_late_store() {
    let ends = [End::Answered(200); 2];
    let mut bed = Bed::new();
    let stored = bed.storing();
    assert_eq!(
        bed.answer(stored, drive::Answer::Failed),
        answered_and_closed(77, ends, false)
    );

    let mut bed = Bed::new();
    let stored = bed.storing();
    assert_eq!(bed.fire("store"), answered_and_closed(77, ends, false));
    assert_eq!(bed.answer(stored, drive::Answer::Stored), []);
    assert_eq!(bed.node.stale_answers, 1);
}

/// [DR-4] With nobody answering at all, the client still gets its 200 within 64·T1.
#[test]
fn time_budget() {
    let mut bed = Bed::new();
    let start = bed.now;
    bed.releasing();
    two_byes(bed.fire("media release"));
    store(&bed.fire("far side"));
    assert_eq!(
        bed.fire("store"),
        answered_and_closed(77, [End::GivenUp; 2], false)
    );
    assert!(bed.now.since(start) < 32_000, "{}", bed.now.since(start));
    assert_eq!(bed.fire("linger"), []);
    assert_eq!(bed.node.sessions(), 0);
}

/// [DR-6] A leg that has answered keeps its answer when the other is given up.
#[test]
fn one_leg_given_up() {
    let mut bed = Bed::new();
    let [_, (second, _)] = bed.ending();
    assert_eq!(bed.answer(second, drive::Answer::Response(OK)), []);
    let stored = store(&bed.fire("far side"));
    let ends = [End::GivenUp, End::Answered(200)];
    assert_eq!(
        bed.answer(stored, drive::Answer::Stored),
        answered_and_closed(77, ends, true)
    );
}

/// [DR-2] An IWF's own BYE, crossing ours, gets its own 200 and ends its leg; the late answer to ours is stale.
#[test]
fn crossing_bye() {
    let mut bed = Bed::new();
    let [(first, _), (second, _)] = bed.ending();
    let out = bed.receive(88, IWF_BYE);
    let [Out::Respond(88, 200, response)] = &out[..] else {
        panic!("{out:?}")
    };
    assert_eq!(line(response, "Call-ID"), "Call-ID: iwf-leg-1");
    assert_eq!(bed.answer(first, drive::Answer::Response(GONE)), []);
    assert_eq!(bed.node.stale_answers, 1);
    assert_eq!(bed.receive(89, IWF_BYE).len(), 1, "its retransmission too");
    let stored = store(&bed.answer(second, drive::Answer::Response(OK)));
    let ends = [End::Itself, End::Answered(200)];
    assert_eq!(
        bed.answer(stored, drive::Answer::Stored),
        answered_and_closed(77, ends, true)
    );
}

/// [DR-2] As the last one, it is answered and the store follows at once.
#[test]
fn crossing_bye_comes_last() {
    let mut bed = Bed::new();
    let [_, (second, _)] = bed.ending();
    assert_eq!(bed.answer(second, drive::Answer::Timeout), []);
    let out = bed.receive(88, IWF_BYE);
    assert!(matches!(&out[0], Out::Respond(88, 200, _)), "{out:?}");
    store(&out[1..]);
}

/// [DR-2] A leg that went before the client's BYE gets none.
#[test]
fn leg_that_went_before() {
    let mut bed = Bed::new();
    assert!(matches!(
        &bed.receive(88, IWF_BYE)[..],
        [Out::Respond(88, 200, _)]
    ));
    let (release, _) = bed.releasing();
    let out = bed.answer(release, drive::Answer::Role(Answer::Failed));
    let [Out::Bye(_, bye)] = &out[..] else {
        panic!("{out:?}")
    };
    assert_eq!(line(bye, "Call-ID"), "Call-ID: iwf-leg-2");
}

/// [DR-3] A retransmitted BYE asks for nothing twice: its transaction is the one that is answered, now or later.
#[test]
fn retransmitted_bye() {
    let mut bed = Bed::new();
    let [(first, _), (second, _)] = bed.ending();
    assert_eq!(bed.receive(78, CLIENT_BYE), []);
    assert_eq!(bed.answer(first, drive::Answer::Response(OK)), []);
    let stored = store(&bed.answer(second, drive::Answer::Response(OK)));
    let closed = answered_and_closed(78, [End::Answered(200); 2], true);
    assert_eq!(bed.answer(stored, drive::Answer::Stored), closed);
    let again = answered_and_closed(79, [End::Answered(200); 2], true);
    assert_eq!(
        bed.receive(79, CLIENT_BYE),
        again[..1],
        "the same answer, no second event"
    );
    bed.fire("linger");
    let out = bed.receive(80, CLIENT_BYE);
    assert!(matches!(&out[..], [Out::Respond(80, 481, _)]), "{out:?}");
}

/// [DR-4] What is not a BYE is not this node's; what cannot be read changes nothing.
#[test]
fn other_messages() {
    let mut bed = Bed::new();
    let before = bed.state();
    let mut receive = |bytes: &[u8]| {
        let verdict = bed
            .node
            .receive(bed.now, Source::Ue, TransactionRef(1), bytes, &mut bed.out);
        assert!(bed.out.is_empty());
        verdict.unwrap()
    };
    let options = String::from_utf8(CLIENT_BYE.to_vec())
        .unwrap()
        .replace("BYE", "OPTIONS");
    assert_eq!(receive(options.as_bytes()), Verdict::NotMine);
    assert!(matches!(receive(b"garbage"), Verdict::Rejected(_)));
    let long_via = String::from_utf8(CLIENT_BYE.to_vec())
        .unwrap()
        .replace("branch=z9hG4bKb1", &format!("branch={}", "b".repeat(7_000)));
    assert_eq!(
        receive(long_via.as_bytes()),
        Verdict::Refuse {
            status: 513,
            retry_after: 0
        }
    );
    assert_eq!(bed.state(), before);
}

/// [DR-4] [DR-5] Too little room in the outbox is refused at every door, in every state, and changes nothing.
#[test]
fn outbox_too_small() {
    let full = Misuse::OutboxFull {
        outputs: 2,
        bytes: 16_384,
    };
    let check = |bed: &mut Bed| {
        for room in [(1, 16_384), (2, 16_383)] {
            let mut small = Outbox::with_room(room.0, room.1);
            let (now, before) = (Millis(u64::MAX / 2), bed.state());
            let (node, txn) = (&mut bed.node, TransactionRef(1));
            assert_eq!(
                node.receive(now, Source::Ue, txn, CLIENT_BYE, &mut small),
                Err(full)
            );
            for token in [0, 1, 2, 3, 4, 99].map(Token::from_u64) {
                assert_eq!(
                    node.answer(now, token, drive::Answer::Timeout, &mut small),
                    Err(full)
                );
            }
            let (client, iwfs) = dialogs();
            let open = Command::Take {
                client: &client,
                iwfs: &iwfs,
            };
            assert_eq!(node.command(now, open, &mut small), Err(full));
            assert_eq!(node.tick(now, &mut small), Err(full));
            assert!(small.is_empty());
            assert_eq!((bed.state(), bed.node.stale_answers), (before, 0));
        }
    };
    let mut bed = Bed::new();
    check(&mut bed);
    let (release, _) = bed.releasing();
    check(&mut bed);
    let [(first, _), (second, _)] =
        two_byes(bed.answer(release, drive::Answer::Role(Answer::Done)));
    check(&mut bed);
    bed.answer(first, drive::Answer::Response(OK));
    check(&mut bed);
    let stored = store(&bed.answer(second, drive::Answer::Response(OK)));
    check(&mut bed);
    let closed = answered_and_closed(77, [End::Answered(200); 2], true);
    assert_eq!(bed.answer(stored, drive::Answer::Stored), closed);
    check(&mut bed);
}

/// [DR-5] A node takes as many sessions as it is given room for, and dialogs of bounded length.
#[test]
fn limits_of_the_node() {
    let mut bed = Bed::new();
    let (mut client, iwfs) = dialogs();
    let rest: usize = [
        &client.local,
        &client.local_tag,
        &client.remote,
        &client.remote_tag,
        &client.target,
    ]
    .map(String::len)
    .iter()
    .sum();
    client.call_id = "c".repeat(2_048 - rest + 1);
    assert!(matches!(
        bed.open(&client, &iwfs),
        Err(Misuse::BadCommand(_))
    ));
    client.call_id.pop();
    for _ in 1..4 {
        assert_eq!(bed.open(&client, &iwfs), Ok(Verdict::Handled));
    }
    assert_eq!(bed.open(&client, &iwfs), Err(Misuse::NodeFull));
    assert_eq!(bed.node.sessions(), 4);
}

/// [DR-6] A token never given is the host's mistake; one that is stale is ignored and counted; an answer of
/// another kind is refused; none of them changes anything.
#[test]
fn unknown_stale_and_wrong_answers() {
    fn refused(bed: &mut Bed, token: Token, wrong: drive::Answer<'_, Closing>, misuse: Misuse) {
        let before = bed.state();
        assert_eq!(
            bed.node.answer(bed.now, token, wrong, &mut bed.out),
            Err(misuse)
        );
        assert!(bed.out.is_empty());
        assert_eq!(bed.state(), before);
    }
    let mut bed = Bed::new();
    let never = Token::from_u64(1);
    refused(
        &mut bed,
        never,
        drive::Answer::Timeout,
        Misuse::UnknownToken,
    );
    let (release, _) = bed.releasing();
    refused(
        &mut bed,
        Token::from_u64(0),
        drive::Answer::Timeout,
        Misuse::UnknownToken,
    );
    refused(
        &mut bed,
        Token::from_u64(2),
        drive::Answer::Timeout,
        Misuse::UnknownToken,
    );
    for wrong in [
        drive::Answer::Response(OK),
        drive::Answer::Timeout,
        drive::Answer::Stored,
    ] {
        refused(&mut bed, release, wrong, Misuse::WrongAnswer);
    }
    let [(first, _), (second, _)] =
        two_byes(bed.answer(release, drive::Answer::Role(Answer::Done)));
    for wrong in [
        drive::Answer::Role(Answer::Done),
        drive::Answer::Stored,
        drive::Answer::Conflict,
        drive::Answer::Failed,
    ] {
        refused(&mut bed, second, wrong, Misuse::WrongAnswer);
    }
    assert_eq!(bed.node.stale_answers, 0);
    let before = bed.state();
    assert_eq!(bed.answer(release, drive::Answer::Role(Answer::Done)), []);
    assert_eq!(
        bed.answer(release, drive::Answer::Timeout),
        [],
        "stale, whatever its kind"
    );
    let elsewhere = Token::from_u64(release.to_u64() | 3 << 40);
    assert_eq!(
        bed.answer(elsewhere, drive::Answer::Timeout),
        [],
        "of a machine that is not there"
    );
    assert_eq!((bed.state(), bed.node.stale_answers), (before, 3));
    bed.answer(first, drive::Answer::Response(OK));
    let stored = store(&bed.answer(second, drive::Answer::Response(OK)));
    for wrong in [
        drive::Answer::Response(OK),
        drive::Answer::Role(Answer::Done),
        drive::Answer::Timeout,
    ] {
        refused(&mut bed, stored, wrong, Misuse::WrongAnswer);
    }
}

/// [DR-6] Ticks before the deadline, and time that goes backwards, change nothing and lose no message.
#[test]
fn early_ticks_and_backward_time() {
    let mut bed = Bed::new();
    assert_eq!(bed.tick(), []);
    let [(first, _), _] = bed.ending();
    let (due, timer) = bed.node.deadline().unwrap();
    assert_eq!((due, timer), (bed.now.after(16_000), Timer("far side")));
    let before = bed.state();
    let started = bed.now;
    bed.now = Millis(5);
    assert_eq!(bed.tick(), []);
    assert_eq!(bed.answer(first, drive::Answer::Response(TRYING)), []);
    bed.now = started;
    assert_eq!(bed.state(), before);
    bed.now = Millis(due.0 - 1);
    assert_eq!(bed.tick(), []);
    bed.now = Millis(7);
    assert_eq!(
        bed.answer(first, drive::Answer::Response(OK)),
        [],
        "taken, though time went backwards"
    );
    assert_eq!(bed.node.deadline(), Some((due, timer)));
    bed.now = due;
    store(&bed.tick());
}

/// [DR-6] Everything overdue fires once, in the order in which it was due, a tick each at the same `now`.
#[test]
fn overdue_in_order() {
    let mut bed = Bed::new();
    let (mut client, iwfs) = dialogs();
    for number in [2, 3] {
        client.call_id = format!("cpm-{number}@192.0.2.20");
        bed.open(&client, &iwfs).unwrap();
    }
    let bye = |number: u32| {
        let bye = String::from_utf8(CLIENT_BYE.to_vec()).unwrap();
        bye.replace("cpm-1@", &format!("cpm-{number}@"))
            .into_bytes()
    };
    let start = bed.now;
    for (number, after) in [(3, 0), (1, 300), (2, 600)] {
        bed.now = start.after(after);
        assert_eq!(bed.receive(number.into(), &bye(number)).len(), 1);
    }
    bed.now = start.after(1_000_000);
    for after in [0, 300, 600] {
        assert_eq!(
            bed.node.deadline().unwrap().0,
            start.after(after + 2_000),
            "still overdue"
        );
        two_byes(bed.tick());
    }
    let far_side = bed.now.after(16_000);
    assert_eq!(bed.node.deadline(), Some((far_side, Timer("far side"))));
    let before = bed.state();
    assert_eq!(bed.tick(), [], "each once");
    assert_eq!(bed.state(), before);
    bed.now = far_side.after(1);
    let mut stored = Vec::new();
    for _ in 0..3 {
        match &bed.tick()[..] {
            [Out::Store(_, key, ..)] => stored.push(key.clone()),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(stored.len(), 3);
    assert_eq!(bed.tick(), []);
}

/// [DR-7] Restored while the media is being released: the question comes again with the same key.
#[test]
fn restored_while_releasing() {
    let mut bed = Bed::new();
    let (_, key) = bed.releasing();
    let left = bed.node.deadline().unwrap().0.since(bed.now);
    let mut other = bed.restored(2);
    let out = other.fire("resume after restore");
    let [Out::Release(token, session, again)] = &out[..] else {
        panic!("{out:?}")
    };
    assert_eq!((session.as_str(), again), ("cpm-1@192.0.2.20", &key));
    assert_eq!(
        other.node.deadline(),
        Some((other.now.after(left), Timer("media release")))
    );
    two_byes(other.answer(*token, drive::Answer::Role(Answer::Done)));
}

/// [DR-7] Restored while the legs are being ended: each BYE that is not answered comes again, with the same
/// branch and CSeq, byte for byte.
#[test]
fn restored_while_ending() {
    let mut bed = Bed::new();
    let byes = bed.ending();
    bed.now = bed.now.after(4_000);
    let mut other = bed.restored(2);
    let again = two_byes(other.fire("resume after restore"));
    assert_eq!(
        again.each_ref().map(|(_, bye)| bye),
        byes.each_ref().map(|(_, bye)| bye)
    );
    let due = other.now.after(12_000);
    assert_eq!(
        other.node.deadline(),
        Some((due, Timer("far side"))),
        "the time that was left"
    );

    let [(first, _), (_, second_bye)] = &byes;
    bed.answer(*first, drive::Answer::Response(GONE));
    let mut other = bed.restored(3);
    let out = other.fire("resume after restore");
    let [Out::Bye(token, bye)] = &out[..] else {
        panic!("{out:?}")
    };
    assert_eq!(bye, second_bye);
    let stored = store(&other.answer(*token, drive::Answer::Response(OK)));
    let ends = [End::Answered(481), End::Answered(200)];
    assert_eq!(
        other.answer(stored, drive::Answer::Stored),
        answered_and_closed(77, ends, true)
    );
}

/// [DR-7] Restored while storing: the same blob under the same key and version; the client is answered then.
#[test]
fn restored_while_storing() {
    let mut bed = Bed::new();
    let [(first, _), (second, _)] = bed.ending();
    bed.answer(first, drive::Answer::Response(OK));
    let out = bed.answer(second, drive::Answer::Timeout);
    let [Out::Store(.., record)] = &out[..] else {
        panic!("{out:?}")
    };
    let mut other = bed.restored(2);
    let out = other.fire("resume after restore");
    let [Out::Store(.., again)] = &out[..] else {
        panic!("{out:?}")
    };
    assert_eq!(again, record);
    let stored = store(&out);
    let ends = [End::Answered(200), End::NoResponse];
    assert_eq!(
        other.answer(stored, drive::Answer::Stored),
        answered_and_closed(77, ends, true)
    );
}

/// [DR-7] Restored before and after: nothing is offered, and the session goes on where it was.
#[test]
fn restored_at_rest() {
    let bed = Bed::new();
    let mut other = bed.restored(2);
    assert_eq!(other.fire("resume after restore"), []);
    assert_eq!(other.node.deadline(), None);
    assert_eq!(other.state(), bed.state());
    other.ending();

    let mut bed = Bed::new();
    let stored = bed.storing();
    bed.answer(stored, drive::Answer::Stored);
    let mut other = bed.restored(2);
    assert_eq!(other.fire("resume after restore"), []);
    let again = answered_and_closed(81, [End::Answered(200); 2], true);
    assert_eq!(other.receive(81, CLIENT_BYE), again[..1]);
    assert_eq!(other.fire("linger"), []);
    assert_eq!(other.node.sessions(), 0);
}

/// [DR-5] [DR-7] A blob of more sessions than the limit, or of another kind, is refused.
#[test]
fn blobs_that_are_refused() {
    let bed = Bed::new();
    let restore = |sessions, blob: &[u8]| {
        let config = Config {
            sessions,
            ..config()
        };
        ClosingNode::restore(config, identifiers(2), Millis(0), blob).map(|node| node.sessions())
    };
    assert_eq!(restore(1, &bed.state()), Ok(1));
    assert_eq!(restore(0, &bed.state()), Err(RestoreError::TooLarge));
    assert_eq!(restore(1, b"IMSP"), Err(RestoreError::NotASnapshot));
}

/// [DR-1] The same calls give the same bytes and the same state.
#[test]
fn deterministic() {
    let play = || {
        let mut bed = Bed::new();
        let byes = bed.ending();
        (byes, bed.state(), bed.fire("far side"), bed.state())
    };
    assert_eq!(play(), play());
}
