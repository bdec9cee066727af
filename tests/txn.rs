//! The transaction layer around a small node of its own role.
#![cfg(feature = "txn")]

#[path = "txn/bed.rs"]
mod bed;
mod common;
#[path = "txn/invite.rs"]
mod invite;
#[path = "txn/lossy.rs"]
mod lossy;
#[path = "txn/transitions.rs"]
mod transitions;

use bed::{Command, Event, Host, Out, PEER, Send, request_text, response_text};
use ims_procedures::{
    drive::{
        Answer, Identifiers, Limits, Millis, Misuse, Node, Outbox, Source, Token, Towards,
        TransactionRef, Verdict,
    },
    txn::{Config, Timers, Transactions},
    wire::Message,
};
use proptest::prelude::*;

fn host() -> Host {
    Host::new(Config::default())
}

fn options(user: &str, branch: &str) -> String {
    request_text("OPTIONS", user, branch, "a.example.net", 1)
}

fn times(outs: &[(u64, Out)]) -> Vec<u64> {
    outs.iter().map(|(at, _)| *at).collect()
}

fn branch_of(bytes: &str) -> String {
    let message = Message::parse(bytes.as_bytes(), &Limits::default()).unwrap();
    let branch = message.via().unwrap().branch().unwrap();
    String::from_utf8(branch.to_vec()).unwrap()
}

fn status_of(outs: &[Out]) -> Vec<(u64, u16)> {
    let statuses = outs.iter().map(|out| match out {
        Out::Respond { to, status, .. } => (*to, *status),
        other => panic!("{other:?}"),
    });
    statuses.collect()
}

// ---- client transactions ----

/// [RFC 3261 17.1.2.2] Over UDP: eleven transmissions at 0, 0.5, 1.5, 3.5, 7.5 … 31.5 s, all alike, and the
/// node hears of a timeout at 32 s.
#[test]
fn udp_schedule_towards_the_core() {
    let mut host = host();
    let first = host.send(Send::default());
    let outs = host.run(60_000);
    let expected = [
        500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500, 32_000,
    ];
    assert_eq!(times(&outs), expected);
    for (at, out) in &outs[..10] {
        assert_eq!(*out, first, "at {at}");
    }
    assert_eq!(outs[10].1, Out::Event(Event::Answered("timeout".into())));
    assert_eq!(host.answers(), [(first.token(), "timeout".into())]);
    assert_eq!(host.deadline(), None);
    assert_eq!(host.txn.transactions(), 0);
    assert_eq!(host.txn.counters().requests_retransmitted, 10);
    assert_eq!(host.txn.counters().timeouts, 1);
}

/// [TS 24.229 7.7] Towards a UE T1 is 2 s and T2 16 s: Timer F is 128 s.
#[test]
fn udp_schedule_towards_a_ue() {
    let mut host = host();
    let first = host.send(Send {
        towards: Towards::Ue,
        ..Send::default()
    });
    let outs = host.run(200_000);
    let expected = [
        2_000, 6_000, 14_000, 30_000, 46_000, 62_000, 78_000, 94_000, 110_000, 126_000, 128_000,
    ];
    assert_eq!(times(&outs), expected);
    assert_eq!(host.answers(), [(first.token(), "timeout".into())]);
}

/// [DR-6] The deadline names the timer.
#[test]
fn deadlines_name_their_timer() {
    let mut host = host();
    let first = host.send(Send::default());
    assert_eq!(host.deadline(), Some((500, "transaction timer E")));
    host.run(31_900);
    assert_eq!(host.deadline(), Some((32_000, "transaction timer F")));
    host.receive(&response_text(first.bytes(), 200));
    assert_eq!(host.deadline(), Some((36_900, "transaction timer K")));
    host.run(40_000);
    host.receive(&options("later", "z9hG4bK1"));
    assert_eq!(host.deadline(), Some((43_500, "transaction 100 Trying")));
    host.run(43_500);
    let end = (72_000, "transaction without final response");
    assert_eq!(host.deadline(), Some(end));
    host.command(Command::WakeAt(Millis(50_000)));
    assert_eq!(host.deadline(), Some((50_000, "wake")));
    host.run(50_000);
    host.receive(&options("200", "z9hG4bK2"));
    host.run(72_000);
    assert_eq!(host.deadline(), Some((82_000, "transaction timer J")));
}

/// [RFC 3261 17.1.2.2] A provisional response: Timer E runs on and is T2 from its next firing; Timer F fires
/// all the same. The node does not see the provisional response.
#[test]
fn proceeding() {
    let mut host = host();
    let first = host.send(Send::default());
    let outs = host.run(600);
    assert_eq!(times(&outs), [500]);
    let (verdict, outs) = host.receive(&response_text(first.bytes(), 100));
    assert_eq!((verdict, outs), (Verdict::Handled, vec![]));
    assert_eq!(host.answers(), []);
    let outs = host.run(60_000);
    let expected = [
        1_500, 5_500, 9_500, 13_500, 17_500, 21_500, 25_500, 29_500, 32_000,
    ];
    assert_eq!(times(&outs), expected);
    assert_eq!(host.answers(), [(first.token(), "timeout".into())]);
}

/// [RFC 3261 17.1.2.2] The final response goes to the node once; Timer K (T4) absorbs the others, and ends.
#[test]
fn timer_k_absorbs_repeated_responses() {
    let mut host = host();
    let first = host.send(Send::default());
    host.now = 100;
    let response = response_text(first.bytes(), 200);
    let (verdict, outs) = host.receive(&response);
    assert_eq!(verdict, Verdict::Handled);
    let answered = Event::Answered("SIP/2.0 200 OK".into());
    assert_eq!(outs, [Out::Event(answered)]);
    for now in [100, 2_000, 5_099] {
        assert_eq!(host.run(now), [], "nothing is sent again");
        assert_eq!(host.receive(&response), (Verdict::Handled, vec![]));
        let late_trying = response_text(first.bytes(), 100);
        assert_eq!(host.receive(&late_trying), (Verdict::Handled, vec![]));
    }
    assert_eq!(host.answers().len(), 1);
    assert_eq!(host.txn.counters().responses_repeated, 6);
    assert_eq!(host.run(5_100), []);
    assert_eq!(host.txn.transactions(), 0);
    assert_eq!(host.receive(&response), (Verdict::NotMine, vec![]));
    assert_eq!(host.answers().len(), 1);
    assert_eq!(host.txn.counters().responses_unmatched, 1);
}

/// [RFC 3261 17.1.3] Branch and CSeq method must both be those of the request.
#[test]
fn responses_for_nobody() {
    let mut host = host();
    let first = host.send(Send::default());
    let response = response_text(first.bytes(), 200);
    let other_branch = response.replace(&branch_of(first.bytes()), "z9hG4bKother");
    let other_method = response.replace("1 OPTIONS", "1 MESSAGE");
    let no_branch = response.replace(&format!(";branch={}", branch_of(first.bytes())), "");
    for text in [other_branch, other_method, no_branch] {
        assert_eq!(host.receive(&text), (Verdict::NotMine, vec![]), "{text}");
    }
    assert_eq!(host.txn.counters().responses_unmatched, 3);
    let (verdict, _) = host.receive(&response.replace("Via:", "X-Via:"));
    assert!(matches!(verdict, Verdict::Rejected(_)), "{verdict:?}");
    assert_eq!(host.txn.counters().rejected, 1);
    assert_eq!(host.answers(), []);
    host.receive(&response);
    assert_eq!(host.answers().len(), 1);
}

/// [RFC 3261 17.1.2.2] [RFC 3261 18.1.1] Over a reliable transport, or where the request is too large for
/// UDP, nothing is sent again, and Timer K is zero.
#[test]
fn reliable_transports() {
    let reliable = {
        let mut config = Config::default();
        config.reliable = true;
        config
    };
    let large = Send {
        padding: 1_300,
        ..Send::default()
    };
    for (config, send) in [(reliable, Send::default()), (Config::default(), large)] {
        let mut host = Host::new(config);
        let first = host.send(send);
        assert_eq!(host.deadline(), Some((32_000, "transaction timer F")));
        let response = response_text(first.bytes(), 200);
        host.receive(&response);
        assert_eq!(host.txn.transactions(), 0);
        assert_eq!(host.receive(&response).0, Verdict::NotMine);
        let second = host.send(send);
        assert_eq!(times(&host.run(40_000)), [32_000]);
        assert_eq!(host.answers()[1], (second.token(), "timeout".into()));
    }
}

const HOPS: &[&str] = &[
    "sip:a.example.net",
    "sip:b.example.net",
    "sip:c.example.net",
];

/// [RFC 3263 4.3] [DR-3] Every next hop has its turn of 64·T1, in order, each with a branch of its own and
/// otherwise the same bytes; when none is left the node hears of a timeout.
#[test]
fn failover_after_silence() {
    let mut host = host();
    let first = host.send(Send {
        hops: HOPS,
        ..Send::default()
    });
    let outs = host.run(200_000);
    assert_eq!(outs.len(), 33);
    let mut seen = vec![first.clone()];
    for (number, (at, out)) in outs.iter().enumerate() {
        let Out::Request { token, hops, bytes } = out else {
            assert_eq!((number, *at), (32, 96_000));
            continue;
        };
        let attempt = (*at / 32_000) as usize;
        assert_eq!(hops, &HOPS[attempt..], "at {at}");
        assert_eq!(*token, first.token());
        let branch = branch_of(bytes);
        let renewed = first.bytes().replace(&branch_of(first.bytes()), &branch);
        assert_eq!(*bytes, renewed);
        if seen.len() == attempt {
            seen.push(out.clone());
        }
        assert_eq!(*bytes, seen[attempt].bytes(), "one branch an attempt");
    }
    let mut branches: Vec<String> = seen.iter().map(|out| branch_of(out.bytes())).collect();
    branches.dedup();
    assert_eq!(branches.len(), 3);
    assert_eq!(times(&outs)[10..12], [32_000, 32_500]);
    assert_eq!(host.answers(), [(first.token(), "timeout".into())]);
    assert_eq!(host.txn.counters().failovers, 2);
}

/// [RFC 3263 4.3] A next hop that has sent a provisional response has not failed: no other is tried.
#[test]
fn no_failover_after_a_provisional_response() {
    let mut host = host();
    let first = host.send(Send {
        hops: HOPS,
        ..Send::default()
    });
    host.receive(&response_text(first.bytes(), 100));
    let outs = host.run(60_000);
    assert_eq!(outs.last().unwrap().0, 32_000);
    assert_eq!(host.answers(), [(first.token(), "timeout".into())]);
}

/// [RFC 3263 4.3] 503 is a failure of the next hop; the node sees only the last one's. A late response of the
/// failed one is nobody's.
#[test]
fn failover_after_503() {
    let mut host = host();
    let first = host.send(Send {
        hops: &HOPS[..2],
        ..Send::default()
    });
    let (verdict, outs) = host.receive(&response_text(first.bytes(), 503));
    assert_eq!(verdict, Verdict::Handled);
    assert_eq!(host.answers(), []);
    let [second @ Out::Request { hops, .. }] = &outs[..] else {
        panic!("{outs:?}");
    };
    assert_eq!(hops, &HOPS[1..2]);
    let late = response_text(first.bytes(), 503);
    assert_eq!(host.receive(&late), (Verdict::NotMine, vec![]));
    host.receive(&response_text(second.bytes(), 503));
    let unavailable = "SIP/2.0 503 Service Unavailable".to_owned();
    assert_eq!(host.answers(), [(first.token(), unavailable)]);
}

/// [DR-3] [RFC 3261 8.1.3.1] A next hop that the host cannot reach: the next one at once; after the last the
/// node is told.
#[test]
fn unreachable_next_hops() {
    let mut host = host();
    let first = host.send(Send {
        hops: HOPS,
        ..Send::default()
    });
    for left in [&HOPS[1..], &HOPS[2..]] {
        host.now += 100;
        let outs = host.answer(first.token(), Answer::Unreachable);
        let [Out::Request { hops, .. }] = &outs[..] else {
            panic!("{outs:?}");
        };
        assert_eq!(hops, left);
        assert_eq!(host.deadline().unwrap().0, host.now + 500, "timers anew");
    }
    assert_eq!(host.answers(), []);
    let outs = host.answer(first.token(), Answer::Unreachable);
    assert_eq!(outs, [Out::Event(Event::Answered("unreachable".into()))]);
    assert_eq!(host.answers(), [(first.token(), "unreachable".into())]);
    assert_eq!(host.txn.transactions(), 0);
    assert_eq!(host.txn.counters().unreachable, 1);
}

/// [RFC 3261 9.1] A CANCEL keeps the branch of what it cancels, at the next hop too.
#[test]
fn cancel_keeps_its_branch() {
    let mut host = host();
    let first = host.send(Send {
        method: "CANCEL",
        hops: HOPS,
        ..Send::default()
    });
    let outs = host.answer(first.token(), Answer::Unreachable);
    assert_eq!(outs[0].bytes(), first.bytes());
    host.receive(&response_text(first.bytes(), 200));
    assert_eq!(host.answers().len(), 1);
}

/// [DR-3] A host that matches responses itself may give them to `answer`, and may stop waiting.
#[test]
fn answers_of_the_host() {
    let mut host = host();
    let first = host.send(Send::default());
    let trying = response_text(first.bytes(), 100);
    let response = response_text(first.bytes(), 200);
    assert_eq!(
        host.answer(first.token(), Answer::Response(trying.as_bytes())),
        []
    );
    assert_eq!(host.answer(first.token(), Answer::Response(b"garbage")), []);
    assert_eq!(host.answers(), []);
    host.answer(first.token(), Answer::Response(response.as_bytes()));
    assert_eq!(host.answers().len(), 1);
    let second = host.send(Send {
        hops: &HOPS[..2],
        ..Send::default()
    });
    let outs = host.answer(second.token(), Answer::Timeout);
    assert!(matches!(&outs[..], [Out::Request { .. }]), "{outs:?}");
    host.answer(second.token(), Answer::Timeout);
    assert_eq!(host.answers()[1], (second.token(), "timeout".into()));
}

/// [DR-6] Reports about a request that has been answered are ignored and counted.
#[test]
fn stale_reports() {
    let mut host = host();
    let first = host.send(Send {
        hops: HOPS,
        ..Send::default()
    });
    host.receive(&response_text(first.bytes(), 200));
    assert_eq!(host.answer(first.token(), Answer::Unreachable), []);
    assert_eq!(host.answer(first.token(), Answer::Timeout), []);
    assert_eq!(host.answers().len(), 1);
    assert_eq!(host.txn.counters().stale_answers, 2);
}

/// [DR-2] What is no transaction passes through: questions, their answers, events.
#[test]
fn the_rest_passes_through() {
    let mut host = host();
    let outs = host.command(Command::Ask);
    let [Out::Ask(token, 42)] = outs[..] else {
        panic!("{outs:?}");
    };
    let outs = host.answer(token, Answer::Role(3));
    assert_eq!(outs, [Out::Event(Event::Answered("role 3".into()))]);
    let mut blob = Vec::new();
    host.txn.snapshot(Millis(0), &mut blob);
    assert_eq!(blob, [9]);
}

/// [DR-7] A request offered again with the branch of one that is held takes its place.
#[test]
fn offered_again() {
    let mut host = host();
    let send = Send {
        branch: Some("z9hG4bKsame"),
        ..Send::default()
    };
    host.send(send);
    let second = host.send(send);
    assert_eq!(host.txn.transactions(), 1);
    host.receive(&response_text(second.bytes(), 200));
    assert_eq!(host.answers(), [(second.token(), "SIP/2.0 200 OK".into())]);
}

/// [DR-7] What the node appended past this layer is taken on.
#[test]
fn adopted() {
    let mut host = host();
    let send = Command::Send(Send::default());
    let node = host.txn.node_mut();
    node.command(Millis(0), send, &mut host.out).unwrap();
    assert_eq!(host.txn.transactions(), 0);
    host.txn.adopt(Millis(0), 0, &mut host.out);
    let outs = host.take();
    host.receive(&response_text(outs[0].bytes(), 200));
    assert_eq!(host.answers().len(), 1);
}

/// An INVITE of the node that begins a dialog stays in the outbox; its transaction is the host's.
#[test]
fn invites_of_the_node() {
    let mut host = host();
    let invite = host.send(Send {
        method: "INVITE",
        ..Send::default()
    });
    assert_eq!(host.txn.transactions(), 0);
    assert_eq!(host.deadline(), None);
    let ok = response_text(invite.bytes(), 200);
    assert_eq!(host.receive(&ok).0, Verdict::NotMine);
    host.answer(invite.token(), Answer::Response(ok.as_bytes()));
    assert_eq!(host.answers().len(), 1);
}

// ---- server transactions ----

/// [RFC 3261 17.2.2] A retransmitted request gets the same bytes, where it came from, and the node does not
/// see it; Timer J ends that 64·T1 after the response.
#[test]
fn retransmitted_requests_get_the_same_bytes() {
    let mut host = host();
    let request = options("200", "z9hG4bK1");
    let (verdict, first) = host.receive(&request);
    assert_eq!(verdict, Verdict::Handled);
    assert_eq!(status_of(&first), [(PEER, 200)]);
    for now in [0, 500, 31_999] {
        assert_eq!(host.run(now), []);
        assert_eq!(host.receive(&request), (Verdict::Handled, first.clone()));
    }
    let (_, elsewhere) = host.receive_from(78, &request);
    assert_eq!(status_of(&elsewhere), [(78, 200)]);
    assert_eq!(elsewhere[0].bytes(), first[0].bytes());
    assert_eq!(host.requests().len(), 1);
    assert_eq!(host.txn.counters().requests_repeated, 4);
    assert_eq!(host.run(32_000), []);
    assert_eq!(host.txn.transactions(), 0);
    host.receive(&request);
    assert_eq!(host.requests().len(), 2, "after Timer J it is a new one");
}

/// [TS 24.229 7.7] Timer J of a request from a UE is 128 s, and the 100 comes after 14 s.
#[test]
fn requests_of_a_ue() {
    let mut host = host();
    host.from = Source::Ue;
    host.receive(&options("200", "z9hG4bK1"));
    host.receive(&options("later", "z9hG4bK2"));
    assert_eq!(times(&host.run(127_999)), [14_000]);
    assert_eq!(host.txn.transactions(), 2);
    host.run(128_000);
    assert_eq!(host.txn.transactions(), 0);
}

/// [RFC 3261 17.2.2] Over a reliable transport Timer J is zero.
#[test]
fn timer_j_of_a_reliable_transport() {
    let mut config = Config::default();
    config.reliable = true;
    let mut host = Host::new(config);
    let (_, outs) = host.receive(&options("200", "z9hG4bK1"));
    assert_eq!(status_of(&outs), [(PEER, 200)]);
    assert_eq!(host.txn.transactions(), 0);
    let (_, outs) = host.receive(&options("refuse503", "z9hG4bK2"));
    assert_eq!(status_of(&outs), [(PEER, 503)]);
    assert_eq!(host.txn.transactions(), 0);
}

/// [RFC 3261 17.2.3] Branch, sent-by and method tell requests apart.
#[test]
fn matching_by_branch() {
    let mut host = host();
    let from = |method, branch, sent_by, cseq| request_text(method, "200", branch, sent_by, cseq);
    host.receive(&from("OPTIONS", "z9hG4bK1", "a.example.net", 1));
    host.receive(&from("OPTIONS", "z9hG4bK1", "a.example.net", 9));
    assert_eq!(host.requests().len(), 1, "the rest of it does not matter");
    host.receive(&from("OPTIONS", "z9hG4bK2", "a.example.net", 1));
    host.receive(&from("OPTIONS", "z9hG4bK1", "a.example.net:5070", 1));
    host.receive(&from("CANCEL", "z9hG4bK1", "a.example.net", 1));
    assert_eq!(host.requests().len(), 4);
}

/// [RFC 3261 17.2.3] Without the magic cookie: Request-URI, tags, Call-ID, CSeq, method and topmost Via.
#[test]
fn matching_as_rfc_2543() {
    let mut host = host();
    let request = options("200", "1");
    let (_, first) = host.receive(&request);
    assert_eq!(host.receive(&request).1, first);
    assert_eq!(host.requests().len(), 1);
    let changes = [
        ("sip:200@b.", "sip:200@c."),
        (";tag=one", ";tag=two"),
        ("To: <sip:b.example.net>", "To: <sip:b.example.net>;tag=x"),
        ("call@", "call2@"),
        ("CSeq: 1", "CSeq: 2"),
        ("OPTIONS", "MESSAGE"),
        (";branch=1", ";branch=2"),
        (";branch=1", ""),
    ];
    for (number, (old, new)) in changes.into_iter().enumerate() {
        let other = request.replace(old, new);
        assert_ne!(other, request);
        host.receive(&other);
        assert_eq!(host.requests().len(), number + 2, "{new}");
        host.receive(&other);
        assert_eq!(host.requests().len(), number + 2, "{new} again");
    }
}

/// [RFC 4320 4.1] A 100 exactly when a client's Timer E would have reached T2, 3.5 s in the core; then
/// retransmissions get it; the final response replaces it.
#[test]
fn trying_when_due() {
    let mut host = host();
    let request = options("later", "z9hG4bK1");
    assert_eq!(host.receive(&request), (Verdict::Handled, vec![]));
    assert_eq!(host.run(3_499), []);
    assert_eq!(host.receive(&request), (Verdict::Handled, vec![]));
    assert_eq!(host.tick(), []);
    host.now = 3_500;
    let outs = host.tick();
    assert_eq!(status_of(&outs), [(PEER, 100)]);
    let expected = "SIP/2.0 100 Trying\r\n\
         Via: SIP/2.0/UDP a.example.net;branch=z9hG4bK1\r\n\
         From: <sip:a.example.net>;tag=one\r\n\
         To: <sip:b.example.net>\r\n\
         Call-ID: call@a.example.net\r\n\
         CSeq: 1 OPTIONS\r\n\
         Content-Length: 0\r\n\r\n";
    assert_eq!(outs[0].bytes(), expected);
    assert_eq!(host.tick(), [], "once");
    assert_eq!(host.receive(&request).1, outs, "the last response");
    let to = host.requests()[0].0;
    host.now = 20_000;
    let outs = host.command(Command::Reply { to, status: 200 });
    assert_eq!(status_of(&outs), [(PEER, 200)]);
    assert_eq!(host.receive(&request).1, outs);
    assert_eq!(host.requests().len(), 1);
    assert_eq!(host.run(51_999), []);
    assert_eq!(host.txn.transactions(), 1);
    host.run(52_000);
    assert_eq!(host.txn.transactions(), 0);
    assert_eq!(host.txn.counters().trying_sent, 1);
}

/// [RFC 4320 4.1] No 100 where the node has answered, at once or before it was due.
#[test]
fn no_trying_after_an_answer() {
    let mut host = host();
    host.receive(&options("200", "z9hG4bK1"));
    host.receive(&options("later", "z9hG4bK2"));
    let to = host.requests()[1].0;
    host.now = 3_499;
    host.command(Command::Reply { to, status: 200 });
    assert_eq!(host.run(100_000), []);
    assert_eq!(host.txn.counters().trying_sent, 0);
}

/// [RFC 4320 4.1] [RFC 4320 4.2] What must not be sent is withheld: other provisional responses, a 100 before
/// its time, a 408, a second final response.
#[test]
fn withheld_responses() {
    let mut host = host();
    for (number, user) in ["100", "180", "199", "408", "refuse408"].iter().enumerate() {
        let request = options(user, &format!("z9hG4bK{number}"));
        assert_eq!(host.receive(&request), (Verdict::Handled, vec![]), "{user}");
    }
    assert_eq!(host.txn.counters().responses_withheld, 5);
    let (_, outs) = host.receive(&options("twice", "z9hG4bKtwice"));
    assert_eq!(status_of(&outs), [(PEER, 200)]);
    assert_eq!(host.txn.counters().responses_withheld, 6);
    // They count as unanswered, so that each is owed a 100.
    assert_eq!(times(&host.run(31_999)), [3_500; 5]);
    let to = host.requests()[3].0;
    let outs = host.command(Command::Reply { to, status: 200 });
    assert_eq!(status_of(&outs), [(PEER, 200)]);
    let outs = host.command(Command::Reply { to, status: 200 });
    assert_eq!(outs, []);
}

/// [RFC 4320 4.1] A 100 of the node itself goes out once it is due, and over a reliable transport at once.
#[test]
fn trying_of_the_node() {
    let mut host = host();
    host.receive(&options("later", "z9hG4bK1"));
    let to = host.requests()[0].0;
    host.now = 3_500;
    let outs = host.command(Command::Reply { to, status: 100 });
    assert_eq!(status_of(&outs), [(PEER, 100)]);
    assert_eq!(host.run(30_000), [], "no second one");
    let mut config = Config::default();
    config.reliable = true;
    let mut host = Host::new(config);
    let (_, outs) = host.receive(&options("100", "z9hG4bK1"));
    assert_eq!(status_of(&outs), [(PEER, 100)]);
    assert_eq!(host.run(30_000), []);
}

/// [RFC 4320 4.2] A final response 64·T1 after the request is of no use: it is not sent, and counted.
#[test]
fn late_final_responses() {
    for (now, tick_first, sent) in [
        (31_999, true, true),
        (32_000, false, false),
        (32_000, true, false),
        (90_000, true, false),
    ] {
        let mut host = host();
        host.receive(&options("later", "z9hG4bK1"));
        let to = host.requests()[0].0;
        if tick_first {
            host.run(now);
        }
        host.now = now;
        let outs = host.command(Command::Reply { to, status: 200 });
        assert_eq!(outs.len(), usize::from(sent), "at {now}");
        assert_eq!(host.txn.counters().responses_late, u64::from(!sent));
    }
}

/// [DR-7] References of an earlier life are nobody's.
#[test]
fn references_do_not_come_again() {
    let mut earlier = host();
    earlier.receive(&options("later", "z9hG4bK1"));
    let (stale, _) = earlier.requests()[0].clone();
    let node = earlier.txn.into_inner();
    let mut host = host();
    host.txn = Transactions::new(node, Config::default(), Identifiers::new([2; 32], 2, 5));
    host.receive(&options("later", "z9hG4bK2"));
    let (fresh, _) = host.requests()[1].clone();
    assert_ne!(stale, fresh);
    assert_eq!(
        host.command(Command::Reply {
            to: stale,
            status: 200
        }),
        []
    );
    assert_eq!(host.txn.counters().responses_late, 1);
    let outs = host.command(Command::Reply {
        to: fresh,
        status: 200,
    });
    assert!(outs[0].bytes().contains("branch=z9hG4bK2"));
}

/// A verdict that leaves the request to the host: nothing is held, and it is asked again.
#[test]
fn verdicts_that_forget() {
    for user in ["notmine", "forward", "rejected"] {
        let mut host = host();
        let request = options(user, "z9hG4bK1");
        for times in 1..=2 {
            let (verdict, outs) = host.receive(&request);
            assert_ne!(verdict, Verdict::Handled);
            assert_eq!(outs, [], "{user}");
            assert_eq!(host.requests().len(), times);
            assert_eq!(host.txn.transactions(), 0);
        }
        assert_eq!(host.deadline(), None);
    }
}

/// [PD-9] A request that the node has the host hold: its retransmissions are absorbed, and answered with a 100 once that
/// was due, until the host takes it over. From then on they are the node's again, as those of a request that is
/// forwarded.
#[test]
fn held_until_the_host_takes_over() {
    let mut host = host();
    let request = options("hold", "z9hG4bK1");
    let hold = Verdict::Hold(Token::from_u64(7));
    assert_eq!(host.receive(&request), (hold, vec![]));
    let (reference, _) = host.requests()[0].clone();
    assert_eq!(host.receive(&request), (Verdict::Handled, vec![]));
    let outs = host.run(5_000);
    assert!(matches!(
        &outs[..],
        [(
            3_500,
            Out::Respond {
                to: PEER,
                status: 100,
                ..
            }
        )]
    ));
    let (verdict, outs) = host.receive(&request);
    assert_eq!(
        (verdict, status_of(&outs)),
        (Verdict::Handled, vec![(PEER, 100)])
    );
    assert_eq!(host.requests().len(), 1);
    assert_eq!(host.txn.counters().requests_repeated, 2);

    let peer = TransactionRef(PEER);
    assert_eq!(
        host.txn.take_over(peer),
        None,
        "not what the node was given"
    );
    assert_eq!(host.txn.take_over(reference), Some(peer));
    assert_eq!(host.txn.take_over(reference), None);
    assert_eq!((host.txn.transactions(), host.deadline()), (0, None));
    assert_eq!(host.receive(&request), (hold, vec![]));
    let requests = host.requests();
    let [_, (again, _)] = &requests[..] else {
        panic!("{requests:?}")
    };
    assert_ne!(*again, reference);

    // Whoever holds it longer than a response is of use holds it for nobody.
    let again = *again;
    host.run(5_000 + 32_000);
    assert_eq!(host.txn.take_over(again), None);
    assert_eq!(host.txn.transactions(), 0);
}

/// Nobody takes over what has been answered, or an INVITE.
#[test]
fn nothing_to_take_over() {
    for request in [
        options("200", "z9hG4bK1"),
        request_text("INVITE", "later", "z9hG4bK2", "a.example.net", 1),
    ] {
        let mut host = host();
        let (verdict, _) = host.receive(&request);
        assert_eq!(verdict, Verdict::Handled);
        let (reference, _) = host.requests()[0].clone();
        assert_eq!(host.txn.take_over(reference), None);
        assert_eq!(host.txn.transactions(), 1);
    }
}

/// A request that the node rejects with a response is held with it.
#[test]
fn rejected_with_a_response() {
    let mut host = host();
    let request = options("bad", "z9hG4bK1");
    let (verdict, first) = host.receive(&request);
    assert!(matches!(verdict, Verdict::Rejected(_)));
    assert_eq!(status_of(&first), [(PEER, 400)]);
    assert_eq!(host.receive(&request), (Verdict::Handled, first));
    assert_eq!(host.requests().len(), 1);
}

/// A refusal is written here, with Retry-After and a To tag, and repeated byte for byte.
#[test]
fn refusals_are_written() {
    let mut host = host();
    let request = options("refuse503", "z9hG4bK1")
        .replace("Call-ID", "i")
        .replace("Via", "v");
    let (verdict, first) = host.receive(&request);
    assert_eq!(verdict, Verdict::Handled);
    assert_eq!(status_of(&first), [(PEER, 503)]);
    let bytes = first[0].bytes().as_bytes();
    let response = Message::parse(bytes, &Limits::default()).unwrap();
    let wait = response.retry_after().unwrap().unwrap();
    assert_eq!(wait.seconds, 7);
    assert!(response.to().unwrap().tag().is_some());
    assert_eq!(response.call_id().unwrap(), b"call@a.example.net");
    assert_eq!(host.receive(&request), (Verdict::Handled, first));
    assert_eq!(host.requests().len(), 1);
}

/// [DR-4] A message that cannot be read is rejected; a request that can be answered all the same gets a 400.
#[test]
fn unreadable_messages() {
    let mut host = host();
    let good = options("200", "1");
    let (verdict, outs) = host.receive("nonsense");
    assert!(matches!(verdict, Verdict::Rejected(_)));
    assert_eq!(outs, []);
    let (verdict, outs) = host.receive(&good.replace("Via:", "X-Via:"));
    assert!(matches!(verdict, Verdict::Rejected(_)));
    assert_eq!(outs, []);
    let (verdict, outs) = host.receive(&good.replace("CSeq: 1", "CSeq: x"));
    assert!(matches!(verdict, Verdict::Rejected(_)));
    assert_eq!(status_of(&outs), [(PEER, 400)]);
    assert_eq!(host.requests(), []);
    assert_eq!(host.txn.transactions(), 0);
    assert_eq!(host.txn.counters().rejected, 3);
}

/// [RFC 3261 18.3] [RFC 3261 8.2.7] What cannot be read is answered where it can be, without a transaction:
/// each retransmission gets the same bytes, and the node sees none of them. An INVITE too; an ACK or response
/// never.
#[test]
fn refused_requests_are_answered() {
    let mut host = host();
    let good = options("200", "z9hG4bK1");
    let invite = request_text("INVITE", "later", "z9hG4bK2", "a.example.net", 1);
    for (bytes, status_line) in [
        (
            good.replace("Length: 0", "Length: 10"),
            "400 body is shorter than Content-Length",
        ),
        (
            invite.replace("Length: 0", "Length: 10"),
            "400 body is shorter than Content-Length",
        ),
        (
            good.replace("SIP/2.0\r\nVia", "SIP/2.1\r\nVia"),
            "505 Version Not Supported",
        ),
        (
            good.replace("Max-Forwards: 70", &format!("X: {}", "y".repeat(20_000))),
            "513 Message Too Large",
        ),
    ] {
        let (verdict, first) = host.receive_from(5, &bytes);
        assert!(matches!(verdict, Verdict::Rejected(_)), "{verdict:?}");
        let [
            Out::Respond {
                to: 5,
                bytes: answer,
                ..
            },
        ] = &first[..]
        else {
            panic!("{first:?}")
        };
        assert!(
            answer.starts_with(&format!("SIP/2.0 {status_line}\r\nVia: ")),
            "{answer}"
        );
        let response = Message::parse(answer.as_bytes(), &Limits::default()).unwrap();
        assert!(response.to().unwrap().tag().is_some());
        assert_eq!(response.call_id().unwrap(), b"call@a.example.net");
        assert_eq!(
            branch_of(answer),
            branch_of(
                &bytes
                    .replace("SIP/2.1", "SIP/2.0")
                    .replace(": 10", ": 0")
                    .replace(&"y".repeat(20_000), "y")
            )
        );
        assert_eq!(host.receive_from(5, &bytes), (verdict, first));
    }
    let no_branch = options("200", "")
        .replace("1 OPTIONS", "1 PING")
        .replace("OPTIONS sip", "PONG sip");
    let (_, outs) = host.receive(&no_branch);
    assert_eq!(status_of(&outs), [(PEER, 501)]);
    let ack = request_text("ACK", "later", "z9hG4bK2", "a.example.net", 1);
    for silent in [
        ack.replace("Length: 0", "Length: 10"),
        response_text(&good, 200).replace("Length: 0", "Length: 10"),
        good.replace("Length: 0", "Length: 10")
            .replace("Call-ID", "Call-ID: x\r\nCall-ID"),
    ] {
        let (verdict, outs) = host.receive(&silent);
        assert!(matches!(verdict, Verdict::Rejected(_)));
        assert_eq!(outs, [], "{silent}");
    }
    assert_eq!(host.requests(), []);
    assert_eq!((host.txn.transactions(), host.deadline()), (0, None));
    assert_eq!(host.txn.counters().rejected, 12);
    assert_eq!(host.txn.counters().requests_received, 0);
    host.receive(&good);
    assert_eq!(host.requests().len(), 1, "the request itself is a new one");
}

/// [DR-4] Without room for the answer to what cannot be read nothing changes, and the host is told.
#[test]
fn no_room_to_refuse() {
    let mut host = host();
    let bytes = options("200", "z9hG4bK1").replace("Length: 0", "Length: 10");
    let mut small = Outbox::with_room(1, 100);
    let (now, to) = (Millis(5), TransactionRef(PEER));
    let refused = host
        .txn
        .receive(now, Source::TrustedCore, to, bytes.as_bytes(), &mut small);
    assert!(
        matches!(refused, Err(Misuse::OutboxFull { outputs: 1, .. })),
        "{refused:?}"
    );
    assert!(small.is_empty());
    assert_eq!(host.txn.counters().rejected, 0);
    assert_eq!(status_of(&host.receive(&bytes).1), [(PEER, 400)]);
}

/// An INVITE is passed to the node each time, its responses go back, and nothing is repeated. An ACK is never
/// answered.
#[test]
fn invites_are_passed() {
    let mut host = host();
    let invite = request_text("INVITE", "later", "z9hG4bK1", "a.example.net", 1);
    host.receive(&invite);
    host.receive(&invite);
    assert_eq!(host.requests().len(), 2);
    assert_eq!(host.txn.transactions(), 2);
    let (to, _) = host.requests()[0].clone();
    for status in [100, 180, 408] {
        let outs = host.command(Command::Reply { to, status });
        assert_eq!(status_of(&outs), [(PEER, status)]);
    }
    assert_eq!(host.txn.transactions(), 1);
    assert_eq!(host.command(Command::Reply { to, status: 200 }), []);
    let ack = request_text("ACK", "200", "z9hG4bK1", "a.example.net", 1);
    assert_eq!(host.receive(&ack), (Verdict::Handled, vec![]));
    let ack = request_text("ACK", "refuse500", "z9hG4bK1", "a.example.net", 1);
    assert_eq!(host.receive(&ack), (Verdict::Handled, vec![]));
    let ack = request_text("ACK", "notmine", "z9hG4bK1", "a.example.net", 1);
    assert_eq!(host.receive(&ack), (Verdict::NotMine, vec![]));
    let refused = request_text("INVITE", "refuse486", "z9hG4bK2", "a.example.net", 1);
    let refuse = Verdict::Refuse {
        status: 486,
        retry_after: 7,
    };
    assert_eq!(host.receive(&refused), (refuse, vec![]));
    assert_eq!(host.run(299_999), []);
    assert_eq!(host.txn.transactions(), 1);
    assert_eq!(host.run(300_000), []);
    assert_eq!(host.txn.transactions(), 0);
}

// ---- bounds and time ----

fn limited(transactions: usize) -> Host {
    let mut config = Config::default();
    config.limits.transactions = transactions;
    Host::new(config)
}

/// [DR-5] At the limit for requests of peers they are taken; one past it they get a 503, without memory, and
/// what is held goes on.
#[test]
fn limit_of_server_transactions() {
    let mut host = limited(3);
    let requests = [1, 2, 3].map(|number| options("200", &format!("z9hG4bK{number}")));
    for request in &requests[..2] {
        assert_eq!(status_of(&host.receive(request).1), [(PEER, 200)]);
    }
    let (verdict, outs) = host.receive(&requests[2]);
    assert_eq!(verdict, Verdict::Handled);
    assert_eq!(status_of(&outs), [(PEER, 503)]);
    assert_eq!(host.receive(&requests[2]).1, outs, "the same To tag");
    assert_eq!(status_of(&host.receive(&requests[0]).1), [(PEER, 200)]);
    let invite = request_text("INVITE", "later", "z9hG4bK4", "a.example.net", 1);
    let refuse = Verdict::Refuse {
        status: 503,
        retry_after: 0,
    };
    assert_eq!(host.receive(&invite), (refuse, vec![]));
    assert_eq!(host.requests().len(), 2);
    assert_eq!(host.txn.counters().overloaded, 3);
    host.run(32_000);
    assert_eq!(status_of(&host.receive(&requests[2]).1), [(PEER, 200)]);
}

/// [DR-5] Requests of peers, INVITEs among them, take three quarters of the transactions and no more; the
/// node's own requests may have all that is left, and then nobody gets one.
#[test]
fn peers_leave_room_for_the_node() {
    for (limit, peers) in [
        (1, 1),
        (2, 1),
        (3, 2),
        (4, 3),
        (5, 3),
        (7, 5),
        (8, 6),
        (12, 9),
    ] {
        let mut host = limited(limit);
        for number in 0..20 {
            let method = ["INVITE", "OPTIONS"][number % 2];
            let branch = format!("z9hG4bK{number}");
            host.receive(&request_text(method, "later", &branch, "a.example.net", 1));
        }
        assert_eq!(host.txn.transactions(), peers);
        assert_eq!(host.txn.counters().overloaded, 20 - peers as u64);
        for number in peers..20 {
            let outs = host.command(Command::Send(Send::default()));
            assert_eq!(outs.len(), usize::from(number < limit), "{limit} {number}");
        }
        assert_eq!(host.txn.transactions(), limit);
        assert_eq!(host.txn.counters().requests_unsent, 20 - limit as u64);
    }
    let mut host = limited(4);
    for _ in 0..4 {
        host.send(Send::default());
    }
    let outs = host.receive(&options("200", "z9hG4bK1")).1;
    assert_eq!(status_of(&outs), [(PEER, 503)], "the node may use them all");
}

/// [DR-5] One past the limit, a request of the node is not sent, and the node hears so at the next tick. One
/// without a branch could never be matched: likewise.
#[test]
fn limit_of_client_transactions() {
    let mut host = limited(1);
    host.send(Send::default());
    assert_eq!(host.command(Command::Send(Send::default())), []);
    assert_eq!(host.deadline(), Some((0, "request not sent")));
    assert_eq!(host.answers(), []);
    let outs = host.tick();
    assert_eq!(outs, [Out::Event(Event::Answered("unreachable".into()))]);
    assert_eq!(host.deadline(), Some((500, "transaction timer E")));
    assert_eq!(host.txn.counters().requests_unsent, 1);
    let mut host = limited(9);
    let send = Send {
        branch: Some(""),
        ..Send::default()
    };
    assert_eq!(host.command(Command::Send(send)), []);
    host.tick();
    assert_eq!(host.answers().len(), 1);
}

/// Everything about a host that a call could change.
fn observe(host: &Host) -> impl std::fmt::Debug + use<> {
    (
        host.txn.counters(),
        host.txn.time_backwards(),
        host.txn.transactions(),
        host.deadline(),
        host.txn.node().got.clone(),
        host.out.len(),
    )
}

/// One call and what goes before it.
type Case = (&'static str, fn(&mut Host), Call);
type Call = fn(&mut Host, &mut Outbox<bed::Echo>) -> Result<(), Misuse>;

fn receive(host: &mut Host, text: &str, out: &mut Outbox<bed::Echo>) -> Result<(), Misuse> {
    let (now, peer) = (Millis(host.now), TransactionRef(PEER));
    let from = host.from;
    let verdict = host.txn.receive(now, from, peer, text.as_bytes(), out);
    verdict.map(drop)
}

fn tick(host: &mut Host, out: &mut Outbox<bed::Echo>) -> Result<(), Misuse> {
    host.txn.tick(Millis(host.now), out)
}

fn response(branch: &str, status: u16) -> String {
    response_text(&options("200", branch), status)
}

fn busy_host() -> Host {
    let mut host = host();
    host.receive(&options("200", "z9hG4bKdone"));
    host.receive(&options("later", "z9hG4bKopen"));
    for (branch, hops) in [("z9hG4bKsent", HOPS), ("z9hG4bKlast", &HOPS[..1])] {
        host.send(Send {
            branch: Some(branch),
            hops,
            ..Send::default()
        });
    }
    host
}

fn only(host: &mut Host, timer: &str) {
    while host.deadline().is_some_and(|(_, due)| due != timer) {
        host.now = host.now.max(host.deadline().unwrap().0);
        host.tick();
    }
    host.now = host.deadline().unwrap().0;
}

const CASES: &[Case] = &[
    (
        "new",
        |_| {},
        |host, out| receive(host, &options("200", "z9hG4bKnew"), out),
    ),
    (
        "refused",
        |_| {},
        |host, out| receive(host, &options("refuse503", "z9hG4bKnew"), out),
    ),
    (
        "repeated",
        |_| {},
        |host, out| receive(host, &options("200", "z9hG4bKdone"), out),
    ),
    (
        "400",
        |_| {},
        |host, out| {
            let text = options("200", "1").replace("CSeq: 1", "CSeq: x");
            receive(host, &text, out)
        },
    ),
    (
        "503",
        |host| {
            let mut config = Config::default();
            config.limits.transactions = 4;
            host.txn.reconfigure(config);
        },
        |host, out| receive(host, &options("200", "z9hG4bKnew"), out),
    ),
    (
        "INVITE",
        |_| {},
        |host, out| {
            let text = request_text("INVITE", "200", "z9hG4bK9", "a.example.net", 1);
            receive(host, &text, out)
        },
    ),
    (
        "ACK",
        |_| {},
        |host, out| {
            let text = request_text("ACK", "200", "z9hG4bK9", "a.example.net", 1);
            receive(host, &text, out)
        },
    ),
    (
        "final response",
        |_| {},
        |host, out| receive(host, &response("z9hG4bKlast", 200), out),
    ),
    (
        "failover",
        |_| {},
        |host, out| receive(host, &response("z9hG4bKsent", 503), out),
    ),
    (
        "command",
        |_| {},
        |host, out| {
            let send = Command::Send(Send::default());
            host.txn.command(Millis(host.now), send, out).map(drop)
        },
    ),
    ("timer E", |host| only(host, "transaction timer E"), tick),
    ("100", |host| only(host, "transaction 100 Trying"), tick),
    (
        "failover by timer F",
        |host| only(host, "transaction timer F"),
        tick,
    ),
    (
        "timer F",
        |host| {
            host.receive(&response("z9hG4bKsent", 200));
            only(host, "transaction timer F");
        },
        tick,
    ),
    (
        "unsent",
        |host| {
            host.command(Command::Send(Send {
                branch: Some(""),
                ..Send::default()
            }));
        },
        tick,
    ),
    (
        "tick of the node",
        |host| {
            host.command(Command::WakeAt(Millis(10)));
            host.now = 10;
        },
        tick,
    ),
    (
        "re-INVITE: timer A",
        |host| {
            invite::send(host, 1);
            only(host, "transaction timer A");
        },
        tick,
    ),
    (
        "re-INVITE: a refusal",
        |host| _ = invite::send(host, 1),
        |host, out| receive(host, &invite::refusal(), out),
    ),
    (
        "re-INVITE: failover",
        |host| _ = invite::send(host, 2),
        |host, out| {
            let text = invite::refusal().replace("491", "503");
            receive(host, &text, out)
        },
    ),
    (
        "re-INVITE: a 2xx",
        |host| _ = invite::send(host, 1),
        |host, out| receive(host, &invite::success(), out),
    ),
    (
        "re-INVITE: a 2xx again",
        |host| {
            invite::send(host, 1);
            host.receive(&invite::success());
        },
        |host, out| receive(host, &invite::success(), out),
    ),
    (
        "re-INVITE: no final response",
        |host| {
            invite::send(host, 1);
            host.receive(&invite::refusal().replace("491", "183"));
            only(host, "INVITE without final response");
        },
        tick,
    ),
    (
        "re-INVITE: a late refusal",
        |host| {
            let token = invite::send(host, 1).token();
            host.receive(&invite::refusal().replace("491", "183"));
            host.answer(token, Answer::Timeout);
        },
        |host, out| receive(host, &invite::refusal(), out),
    ),
    (
        "answer",
        |host| {
            host.asked = Some(host.command(Command::Ask)[0].token());
        },
        |host, out| {
            let token = host.asked.expect("a question");
            host.txn
                .answer(Millis(host.now), token, Answer::Role(1), out)
        },
    ),
];

/// [DR-4] Without room every call is refused and changes nothing: with room it then does what it would have
/// done at first.
#[test]
fn no_room_changes_nothing() {
    for (name, prepare, call) in CASES {
        let done = |refusals: &[(usize, usize)]| {
            let mut host = busy_host();
            prepare(&mut host);
            for (outputs, bytes) in refusals {
                let before = format!("{:?}", observe(&host));
                let mut small = Outbox::with_room(*outputs, *bytes);
                let result = call(&mut host, &mut small);
                assert!(matches!(result, Err(Misuse::OutboxFull { .. })), "{name}");
                assert!(small.is_empty(), "{name}");
                assert_eq!(format!("{:?}", observe(&host)), before, "{name}");
            }
            let mut room = host.txn.outbox(1);
            call(&mut host, &mut room).unwrap();
            let outputs: Vec<String> = room.iter().map(|out| format!("{out:?}")).collect();
            assert_eq!(outputs.is_empty(), *name == "ACK", "{name}");
            format!("{:?} {outputs:?}", observe(&host))
        };
        assert_eq!(done(&[(0, 100_000), (9, 10)]), done(&[]), "{name}");
    }
}

/// [DR-4] The room that is asked for is exactly enough, and one less is not.
#[test]
fn room_at_the_limit() {
    let request = options("full", "z9hG4bK1");
    let mut host = host();
    let mut none = Outbox::with_room(0, 0);
    let mut receive = |out: &mut Outbox<bed::Echo>| {
        let peer = TransactionRef(PEER);
        let from = Source::TrustedCore;
        host.txn
            .receive(Millis(0), from, peer, request.as_bytes(), out)
    };
    let Err(Misuse::OutboxFull { outputs, bytes }) = receive(&mut none) else {
        panic!();
    };
    receive(&mut Outbox::with_room(outputs - 1, bytes)).unwrap_err();
    receive(&mut Outbox::with_room(outputs, bytes - 1)).unwrap_err();
    let mut enough = Outbox::with_room(outputs, bytes);
    receive(&mut enough).unwrap();
    assert_eq!(enough.len(), outputs);
    assert!(
        enough.check_room_for(1, 0).is_err(),
        "no more than was asked for"
    );
}

/// [DR-6] A tick before the deadline changes nothing.
#[test]
fn early_ticks() {
    let mut host = host();
    host.send(Send::default());
    host.receive(&options("later", "z9hG4bK1"));
    host.receive(&options("200", "z9hG4bK2"));
    host.command(Command::WakeAt(Millis(900)));
    let before = format!("{:?}", observe(&host));
    for now in [0, 1, 499] {
        host.now = now;
        assert_eq!(host.tick(), []);
        assert_eq!(format!("{:?}", observe(&host)), before);
    }
}

/// [DR-6] Several timers due at one instant fire in order of their deadlines, one a tick.
#[test]
fn overdue_timers_in_order() {
    let mut host = host();
    host.now = 100;
    host.receive(&options("later", "z9hG4bK1"));
    host.now = 3_000;
    let first = host.send(Send::default());
    host.command(Command::WakeAt(Millis(3_550)));
    host.now = 3_580;
    let mut fired = Vec::new();
    while let Some((at, timer)) = host.deadline().filter(|(at, _)| *at <= 3_600) {
        let outs = host.tick();
        fired.push((at, timer));
        assert!(outs.len() <= 1);
        host.now = 3_600;
    }
    let expected = [
        (3_500, "transaction timer E"),
        (3_550, "wake"),
        (3_600, "transaction 100 Trying"),
    ];
    assert_eq!(fired, expected);
    assert_eq!(host.deadline(), Some((4_580, "transaction timer E")));
    // Long asleep: what is overdue fires once each.
    host.now = 100_000;
    host.tick();
    host.tick();
    host.tick();
    assert_eq!(host.answers(), [(first.token(), "timeout".into())]);
    assert_eq!(host.deadline(), None);
}

/// [DR-6] Time that goes backwards stands still, is counted, and no message is lost for it. The node sees
/// time that never goes backwards.
#[test]
fn time_that_goes_backwards() {
    let mut host = host();
    host.now = 10_000;
    let first = host.send(Send::default());
    host.now = 4_000;
    host.receive(&response_text(first.bytes(), 200));
    assert_eq!(host.answers().len(), 1);
    assert_eq!(host.deadline().unwrap().0, 15_000);
    let (_, outs) = host.receive(&options("200", "z9hG4bK1"));
    assert_eq!(status_of(&outs), [(PEER, 200)]);
    assert_eq!(host.txn.node().now, Millis(10_000));
    assert_eq!(host.txn.time_backwards(), 2);
}

/// [DR-10] Another configuration applies to what begins after it.
#[test]
fn reconfigured() {
    let mut host = host();
    host.send(Send::default());
    let mut config = Config::default();
    config.core = Timers {
        t1: 0,
        t2: 0,
        t4: 0,
    };
    host.txn.reconfigure(config);
    assert_eq!(host.deadline().unwrap().0, 500);
    let mut host = Host::new(config);
    host.send(Send::default());
    assert_eq!(host.deadline().unwrap().0, 1, "a T1 of zero counts as one");
    assert_eq!(times(&host.run(1_000)).last(), Some(&64));
}

// ---- a node of the library ----

/// [DR-3] The same node serves a host with transactions of its own and one with only a socket: its SUBSCRIBE
/// is sent again until a response comes.
#[test]
fn a_p_cscf_behind_a_socket() {
    use common::pcscf;
    use ims_procedures::{drive::Output, pcscf::PcscfNode};
    let node = PcscfNode::new(pcscf::config(), pcscf::identifiers(1)).unwrap();
    let mut txn = Transactions::new(node, Config::default(), pcscf::identifiers(2));
    let mut out = txn.outbox(1);
    let contact = pcscf::contact(Some(3_600));
    let request = pcscf::register(&contact, 1);
    let response = pcscf::register_200(&contact, 1);
    let learn = ims_procedures::pcscf::Command::Learn {
        request: request.as_bytes(),
        response: response.as_bytes(),
        trunk_group: b"",
    };
    let verdict = txn.command(Millis(0), learn, &mut out);
    assert_eq!(verdict, Ok(Verdict::Handled));
    let mut request_of = |txn: &mut Transactions<PcscfNode>, now: Option<u64>| {
        if let Some(now) = now {
            out.clear();
            txn.tick(Millis(now), &mut out).unwrap();
        }
        let request = out.iter().find_map(|output| match output {
            Output::Request { bytes, .. } => Some(String::from_utf8(bytes.to_vec()).unwrap()),
            _ => None,
        });
        request.unwrap()
    };
    let first = request_of(&mut txn, None);
    assert!(first.starts_with("SUBSCRIBE "));
    assert_eq!(request_of(&mut txn, Some(500)), first);
    assert_eq!(request_of(&mut txn, Some(1_500)), first);
    assert_eq!(txn.deadline().unwrap().0, Millis(3_500));
    out.clear();
    let refused = response_text(&first, 403);
    let peer = TransactionRef(PEER);
    let from = Source::TrustedCore;
    let verdict = txn.receive(Millis(1_600), from, peer, refused.as_bytes(), &mut out);
    assert_eq!(verdict, Ok(Verdict::Handled));
    assert!(
        matches!(out.iter().next(), Some(Output::Event(_))),
        "{out:?}"
    );
}

// ---- two hosts and a network between them ----

#[derive(Clone, Copy, Debug)]
struct Fate {
    copies: u8,
    delay: u64,
}

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    let fate = (0u8..=3, 0u64..400).prop_map(|(copies, delay)| Fate { copies, delay });
    proptest::collection::vec(fate, 1..40)
}

/// A datagram under way: when it arrives, and for which of the two.
type Datagram = (u64, usize, String);

fn deliver(
    outs: Vec<Out>,
    to: usize,
    now: u64,
    fate: &mut dyn FnMut() -> Fate,
    wire: &mut Vec<Datagram>,
) {
    for out in outs {
        if out.bytes().is_empty() {
            continue;
        }
        let Fate { copies, delay } = fate();
        for copy in 0..u64::from(copies) {
            let at = now + delay + copy * 20;
            wire.push((at, to, out.bytes().to_owned()));
        }
    }
}

proptest! {
    /// [RFC 3261 17] Whatever the network loses, doubles, delays or reorders: each request reaches the node at
    /// the other end once at most, and each request of a node has exactly one answer, the right one.
    #[test]
    fn once_each(fates in fates(), replies in proptest::collection::vec(0u64..40_000, 1..6)) {
        let mut hosts = [host(), host()];
        let mut wire: Vec<Datagram> = Vec::new();
        let mut number = 0usize;
        let mut fate = move || {
            number += 1;
            fates[number % fates.len()]
        };
        let mut tokens = Vec::new();
        for place in 0..replies.len() {
            let outs = hosts[0].command(Command::Send(Send::default()));
            tokens.push(outs[0].token());
            // The other end takes its time for every second request.
            let outs = outs.into_iter().map(|out| match out {
                Out::Request { token, hops, bytes } if place % 2 == 0 => {
                    Out::Request { token, hops, bytes: bytes.replace("sip:200@", "sip:later@") }
                }
                out => out,
            });
            deliver(outs.collect(), 1, 0, &mut fate, &mut wire);
        }
        let mut owed: Vec<(u64, TransactionRef)> = Vec::new();
        loop {
            let arrival = wire.iter().map(|datagram| datagram.0).min();
            let reply = owed.iter().map(|owed| owed.0).min();
            let deadlines = hosts.iter().filter_map(|host| host.deadline().map(|(at, _)| at));
            let Some(now) = deadlines.chain(arrival).chain(reply).min() else {
                break;
            };
            for (place, host) in hosts.iter_mut().enumerate() {
                host.now = now;
                while host.deadline().is_some_and(|(at, _)| at <= now) {
                    let outs = host.tick();
                    let outs = outs.into_iter().map(|out| match out {
                        Out::Request { token, hops, bytes } if bytes_later(&bytes) => {
                            Out::Request { token, hops, bytes: bytes.replace("sip:200@", "sip:later@") }
                        }
                        out => out,
                    });
                    deliver(outs.collect(), 1 - place, now, &mut fate, &mut wire);
                }
            }
            while let Some(found) = owed.iter().position(|owed| owed.0 <= now) {
                let (_, to) = owed.remove(found);
                let outs = hosts[1].command(Command::Reply { to, status: 200 });
                deliver(outs, 0, now, &mut fate, &mut wire);
            }
            while let Some(found) = wire.iter().position(|datagram| datagram.0 <= now) {
                let (_, place, text) = wire.remove(found);
                let before = hosts[place].requests().len();
                let (_, outs) = hosts[place].receive(&text);
                if text.contains("sip:later@") && hosts[place].requests().len() > before {
                    let (to, _) = *hosts[place].requests().last().map(|(to, _)| (*to, ())).as_ref().unwrap();
                    owed.push((now + replies[before % replies.len()], to));
                }
                deliver(outs, 1 - place, now, &mut fate, &mut wire);
            }
        }
        let mut branches: Vec<String> =
            hosts[1].requests().iter().map(|(_, text)| branch_of(text)).collect();
        branches.sort();
        let seen = branches.len();
        branches.dedup();
        prop_assert_eq!(seen, branches.len(), "a request came twice");
        let answers = hosts[0].answers();
        prop_assert_eq!(answers.len(), tokens.len());
        for token in tokens {
            let of_token: Vec<_> = answers.iter().filter(|answer| answer.0 == token).collect();
            prop_assert_eq!(of_token.len(), 1);
            prop_assert!(["timeout", "SIP/2.0 200 OK"].contains(&of_token[0].1.as_str()));
        }
        prop_assert_eq!(hosts[0].txn.transactions(), 0);
        prop_assert_eq!(hosts[1].txn.transactions(), 0);
    }

    /// [DR-4] Any bytes at any time: no panic, and the room that was checked suffices.
    #[test]
    fn any_bytes(
        calls in proptest::collection::vec((0u8..5, 0u64..5_000, any::<prop::sample::Index>(), any::<u8>()), 1..60),
    ) {
        let mut host = limited(4);
        let seeds = [
            options("later", "z9hG4bK1"),
            options("refuse503", "1"),
            response_text(&options("200", "z9hG4bKfirst"), 503),
            request_text("INVITE", "200", "z9hG4bK1", "a.example.net", 1),
        ];
        for (kind, step, place, byte) in calls {
            host.now += step;
            let mut text = seeds[usize::from(kind) % 4].clone().into_bytes();
            if byte.is_ascii() && kind < 4 {
                let at = place.index(text.len());
                text[at] = byte;
            }
            let branch = (byte % 2 == 0).then_some("z9hG4bKfirst");
            match kind {
                4 => drop(host.command(Command::Send(Send { branch, hops: HOPS, ..Send::default() }))),
                _ => {
                    let text = String::from_utf8(text).unwrap();
                    // The node itself reads no more than the user part of a readable Request-URI.
                    let readable = seeds.iter().any(|seed| {
                        text.split("SIP/2.0").next() == seed.split("SIP/2.0").next()
                    });
                    if readable {
                        host.receive(&text);
                    }
                }
            }
            for _ in 0..3 {
                host.tick();
            }
            prop_assert!(host.txn.transactions() <= 4);
        }
    }
}

/// In the property above, requests of odd CSeq are those that the other end takes its time for.
fn bytes_later(bytes: &str) -> bool {
    let message = Message::parse(bytes.as_bytes(), &Limits::default()).unwrap();
    message.cseq().unwrap().number % 2 == 1
}
