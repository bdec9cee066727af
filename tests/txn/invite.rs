//! INVITEs of the node within a dialog: their client transactions, and the ACKs.

use ims_procedures::{
    drive::{
        Answer, Millis, Misuse, Node, Outbox, Source, Token, Towards, TransactionRef, Verdict,
    },
    txn::{Config, Timers},
};

use crate::{
    HOPS,
    bed::{Ack, Command, Echo, Event, Host, Out, PEER, Send, request_text, response_text},
    branch_of,
    common::fixture::{self, Values},
    host, limited, times,
};

pub fn text(name: &str) -> String {
    String::from_utf8(fixture::fill(&format!("txn/{name}"), &Values::new())).unwrap()
}

pub fn refusal() -> String {
    text("refusal")
}

pub fn success() -> String {
    text("success")
}

pub fn of_another_dialog() -> String {
    success().replace("tag=rem0te", "tag=another")
}

pub fn status(status: u16) -> String {
    response_text(&text("reinvite"), status)
}

fn ack() -> Ack {
    Ack {
        text: text("success_ack"),
        hops: &HOPS[..2],
    }
}

/// Has the node send the re-INVITE, to so many next hops.
pub fn send(host: &mut Host, hops: usize) -> Out {
    send_towards(host, Towards::Core, hops)
}

fn send_towards(host: &mut Host, towards: Towards, hops: usize) -> Out {
    host.txn.node_mut().ack = Some(ack());
    host.only(Command::SendText {
        text: &text("reinvite"),
        towards,
        hops: &HOPS[..hops],
    })
}

pub fn sent(config: Config, hops: usize) -> (Host, Out) {
    let mut host = Host::new(config);
    let first = send(&mut host, hops);
    (host, first)
}

fn config(change: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config::default();
    change(&mut config);
    config
}

fn answered(what: &str) -> Out {
    Out::Event(Event::Answered(what.to_owned()))
}

/// The ACK among outputs, which must be the first.
fn ack_of(outs: &[Out]) -> &str {
    match outs {
        [Out::Acknowledge { bytes, .. }, ..] => bytes,
        other => panic!("{other:?}"),
    }
}

/// [RFC 3261 17.1.1.2] Over UDP: seven transmissions at 0, 0.5, 1.5, 3.5 … 31.5 s, all alike, for Timer A doubles
/// without end, and the node hears of a timeout at 32 s. Towards a UE (TS 24.229 7.7) all is four times as long.
#[test]
fn timers_a_and_b() {
    for (towards, scale) in [(Towards::Core, 1), (Towards::Ue, 4)] {
        let mut host = host();
        let first = send_towards(&mut host, towards, 1);
        assert_eq!(host.deadline(), Some((500 * scale, "transaction timer A")));
        assert_eq!(host.run(500 * scale - 1), []);
        assert_eq!(host.tick(), [], "one millisecond before");
        let outs = host.run(31_500 * scale);
        let expected = [500, 1_500, 3_500, 7_500, 15_500, 31_500].map(|at| at * scale);
        assert_eq!(times(&outs), expected);
        assert!(outs.iter().all(|(_, out)| *out == first));
        let end = 32_000 * scale;
        assert_eq!(host.deadline(), Some((end, "transaction timer B")));
        assert_eq!(host.run(end - 1), []);
        assert_eq!(host.tick(), []);
        assert_eq!(host.run(end), [(end, answered("timeout"))]);
        assert_eq!(host.answers(), [(first.token(), "timeout".into())]);
        assert_eq!((host.deadline(), host.txn.transactions()), (None, 0));
        let counters = host.txn.counters();
        assert_eq!((counters.requests_sent, counters.timeouts), (1, 1));
        assert_eq!(counters.requests_retransmitted, 6);
        assert_eq!(host.receive(&refusal()).0, Verdict::NotMine);
    }
}

/// [RFC 3261 17.1.1.2] A provisional response ends Timers A and B. [`Config::invite_patience`] runs from the first, and
/// others do not prolong it; the node sees none of them.
#[test]
fn proceeding() {
    let hasty = config(|config| config.invite_patience = 40_000);
    for (config, patience) in [(Config::default(), 180_000), (hasty, 40_000)] {
        let (mut host, first) = sent(config, 2);
        host.run(600);
        assert_eq!(host.receive(&status(100)), (Verdict::Handled, vec![]));
        let end = 600 + patience;
        let due = Some((end, "INVITE without final response"));
        for now in [700, 20_000, 39_000, end - 1] {
            assert_eq!(host.run(now), []);
            assert_eq!(host.tick(), []);
            assert_eq!(host.receive(&status(183)), (Verdict::Handled, vec![]));
            assert_eq!(host.deadline(), due);
        }
        assert_eq!(host.run(end), [(end, answered("timeout"))]);
        assert_eq!(host.answers(), [(first.token(), "timeout".into())]);
        assert_eq!(host.txn.counters().timeouts, 1);
    }
    let (mut host, _) = sent(config(|config| config.invite_patience = 0), 1);
    host.receive(&status(100));
    assert_eq!(host.run(0), [(0, answered("timeout"))], "none at all");
}

/// [RFC 3261 9.1] [RFC 3261 15.1.2] After that a refusal, such as the 487 that a BYE brings, is acknowledged and not
/// shown to the node. All ends after 64·T1.
#[test]
fn abandoned() {
    let abandoned = || {
        let (mut host, _) = sent(Config::default(), 1);
        host.receive(&status(100));
        host.run(180_000);
        assert_eq!(host.deadline(), Some((212_000, "INVITE abandoned")));
        assert_eq!(host.answers().len(), 1);
        host
    };
    let mut host = abandoned();
    assert_eq!(host.receive(&status(180)), (Verdict::Handled, vec![]));
    assert_eq!(host.run(211_999), []);
    let (verdict, outs) = host.receive(&refusal());
    assert_eq!(verdict, Verdict::Handled);
    assert_eq!((outs.len(), ack_of(&outs)), (1, &*text("refusal_ack")));
    assert_eq!(host.deadline(), Some((243_999, "transaction timer D")));
    assert_eq!(host.receive(&refusal()), (Verdict::Handled, outs));
    assert_eq!(host.answers().len(), 1);
    assert_eq!(host.txn.counters().responses_received, 0);
    let mut host = abandoned();
    assert_eq!(host.run(212_000), []);
    assert_eq!(host.txn.transactions(), 0);
}

/// [RFC 3261 13.2.2.4] A 2xx to an INVITE for which the node has not waited is shown to it as one in no transaction,
/// each time, or told by the token where the host has matched it; the node acknowledges what is its own.
#[test]
fn accepted_when_abandoned() {
    let (mut host, first) = sent(Config::default(), 1);
    host.receive(&status(100));
    host.run(180_000);
    let unmatched = host.txn.counters().responses_unmatched;
    assert_eq!(host.receive(&success()), (Verdict::NotMine, vec![]));
    assert_eq!(host.txn.counters().responses_unmatched, unmatched + 1);
    let text = "owed".to_owned();
    let hops = &HOPS[..1];
    host.txn.node_mut().owed = Some(Ack { text, hops });
    for _ in 0..2 {
        let (verdict, outs) = host.receive(&success());
        assert_eq!(verdict, Verdict::Handled);
        assert_eq!(ack_of(&outs), "owed");
    }
    let of_another = of_another_dialog();
    assert_eq!(host.receive(&of_another).0, Verdict::Handled, "the node's");
    let success = success();
    let outs = host.answer(first.token(), Answer::Response(success.as_bytes()));
    assert_eq!(ack_of(&outs), ack().text);
    assert_eq!(host.deadline(), Some((212_000, "INVITE abandoned")));
}

/// [RFC 3261 17.1.1.3] The ACK of a refusal, byte for byte; to the hop that the request went to, and to no other. The
/// node has the refusal after it, once.
#[test]
fn a_refusal_is_acknowledged() {
    let (mut host, first) = sent(Config::default(), 3);
    let (verdict, outs) = host.receive(&refusal());
    let expected = Out::Acknowledge {
        token: first.token(),
        hops: vec![HOPS[0].to_owned()],
        bytes: text("refusal_ack"),
    };
    let told = answered("SIP/2.0 491 Request Pending");
    assert_eq!((verdict, outs), (Verdict::Handled, vec![expected, told]));
    assert_eq!(host.answers().len(), 1);
    assert_eq!(host.txn.counters().acks_sent, 1);
    assert_eq!(host.txn.counters().responses_received, 1);
}

/// [RFC 3261 17.1.1.3] A To that is folded stands in one line of the ACK; where the response has none, or none that can
/// be read, the ACK still has one. A request in which header fields have short names and no Route is acknowledged too.
#[test]
fn acks_of_odd_messages() {
    let to = "To: \"User 1\" <sip:user1_public1@home1.example.net>;tag=rem0te;x=y\r\n";
    let of_request = "To: <sip:user1_public1@home1.example.net>;tag=rem0te\r\n";
    let cases = [
        (
            to.replace(">;tag", ">\r\n ;tag"),
            to.replace(">;tag", "> ;tag"),
        ),
        ("To: ???\r\n".to_owned(), "To: ???\r\n".to_owned()),
        (String::new(), of_request.to_owned()),
    ];
    for (odd, acknowledged) in cases {
        let (mut host, _) = sent(Config::default(), 1);
        let (_, outs) = host.receive(&refusal().replace(to, &odd));
        let expected = text("refusal_ack").replace(to, &acknowledged);
        assert_eq!(ack_of(&outs), expected);
    }
    let reinvite = "INVITE sip:b@192.0.2.1 SIP/2.0\r\n\
         v: SIP/2.0/UDP a.example.net;branch=z9hG4bKre1, SIP/2.0/UDP x.example.net;branch=z9hG4bKx\r\n\
         f: <sip:a@example.net>;tag=1\r\n\
         t: <sip:b@example.net>;tag=2\r\n\
         i: c\r\n\
         CSeq: 2147483647 INVITE\r\n\r\n";
    let mut host = host();
    host.command(Command::SendText {
        text: reinvite,
        towards: Towards::Core,
        hops: HOPS,
    });
    let (_, outs) = host.receive(&response_text(reinvite, 600));
    let expected = "ACK sip:b@192.0.2.1 SIP/2.0\r\n\
         Via: SIP/2.0/UDP a.example.net;branch=z9hG4bKre1\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:a@example.net>;tag=1\r\n\
         To: <sip:b@example.net>;tag=2\r\n\
         Call-ID: c\r\n\
         CSeq: 2147483647 ACK\r\n\
         Content-Length: 0\r\n\r\n";
    assert_eq!(ack_of(&outs), expected);
}

/// [RFC 3261 17.1.1.2] Timer D: 32 s at least, and 64·T1 where that is longer. Each refusal that comes again gets the
/// same ACK, and the node does not see it.
#[test]
fn timer_d() {
    let short = config(|config| {
        config.core = Timers {
            t1: 10,
            t2: 40,
            t4: 50,
        }
    });
    for (config, towards, timer_d) in [
        (Config::default(), Towards::Core, 32_000),
        (Config::default(), Towards::Ue, 128_000),
        (short, Towards::Core, 32_000),
    ] {
        let mut host = Host::new(config);
        send_towards(&mut host, towards, 1);
        host.now = 5;
        let (_, outs) = host.receive(&refusal());
        assert_eq!(host.deadline(), Some((5 + timer_d, "transaction timer D")));
        for now in [5, 9_000, 4 + timer_d] {
            assert_eq!(host.run(now), []);
            assert_eq!(host.tick(), []);
            let (verdict, again) = host.receive(&refusal());
            assert_eq!((verdict, &again[..]), (Verdict::Handled, &outs[..1]));
        }
        assert_eq!(host.run(5 + timer_d), []);
        assert_eq!(host.txn.transactions(), 0);
        assert_eq!(host.receive(&refusal()), (Verdict::NotMine, vec![]));
        let counters = host.txn.counters();
        assert_eq!((counters.acks_sent, counters.acks_repeated), (1, 3));
        assert_eq!(counters.responses_repeated, 3);
        assert_eq!(host.answers().len(), 1);
    }
}

/// [RFC 3261 17.1.1.2] Over a reliable transport nothing is sent again and Timer D is zero: a refusal is acknowledged
/// once. Timer B and Timer M are as ever.
#[test]
fn reliable_transports() {
    let reliable = config(|config| config.reliable = true);
    let large = text("reinvite").replace(
        "Supported: timer",
        &format!("Subject: {}", "x".repeat(1_300)),
    );
    for (config, reinvite) in [(reliable, text("reinvite")), (Config::default(), large)] {
        let send = || {
            let mut host = Host::new(config);
            host.txn.node_mut().ack = Some(ack());
            host.command(Command::SendText {
                text: &reinvite,
                towards: Towards::Core,
                hops: HOPS,
            });
            assert_eq!(host.deadline(), Some((32_000, "transaction timer B")));
            host
        };
        let mut host = send();
        let (_, outs) = host.receive(&refusal());
        assert_eq!(ack_of(&outs), text("refusal_ack"));
        assert_eq!(host.txn.transactions(), 0);
        assert_eq!(host.receive(&refusal()).0, Verdict::NotMine);
        let mut host = send();
        host.receive(&success());
        assert_eq!(host.deadline(), Some((32_000, "transaction timer M")));
        assert_eq!(ack_of(&host.receive(&success()).1), text("success_ack"));
    }
}

/// [RFC 3261 13.2.2.4] [RFC 6026 8.4] The node has a 2xx once, and acknowledges it; that ACK goes out again for each 2xx
/// that comes again, until Timer M ends it after 64·T1.
#[test]
fn timer_m() {
    for (towards, timer_m) in [(Towards::Core, 32_000), (Towards::Ue, 128_000)] {
        let mut host = host();
        let first = send_towards(&mut host, towards, 1);
        host.now = 10;
        let (verdict, outs) = host.receive(&success());
        let acknowledged = Out::Acknowledge {
            token: first.token(),
            hops: HOPS[..2].iter().map(|&hop| hop.to_owned()).collect(),
            bytes: text("success_ack"),
        };
        let expected = vec![acknowledged.clone(), answered("SIP/2.0 200 OK")];
        assert_eq!((verdict, outs), (Verdict::Handled, expected));
        assert_eq!(host.deadline(), Some((10 + timer_m, "transaction timer M")));
        for now in [10, 8_000, 9 + timer_m] {
            assert_eq!(host.run(now), []);
            assert_eq!(host.tick(), []);
            let again = vec![acknowledged.clone()];
            assert_eq!(host.receive(&success()), (Verdict::Handled, again));
            assert_eq!(host.receive(&refusal()), (Verdict::Handled, vec![]));
            assert_eq!(host.receive(&status(183)), (Verdict::Handled, vec![]));
        }
        assert_eq!(host.answers(), [(first.token(), "SIP/2.0 200 OK".into())]);
        let counters = host.txn.counters();
        assert_eq!((counters.acks_sent, counters.acks_repeated), (0, 3));
        assert_eq!(host.run(10 + timer_m), []);
        assert_eq!(host.txn.transactions(), 0);
        assert_eq!(host.receive(&success()), (Verdict::NotMine, vec![]));
    }
}

/// [RFC 3261 13.2.2.4] The node may acknowledge later, and again; until it does, a 2xx that comes again is absorbed. An
/// ACK of another token, or after Timer M, goes out and is not kept.
#[test]
fn acknowledged_later() {
    let (mut host, first) = sent(Config::default(), 1);
    host.txn.node_mut().ack = None;
    assert_eq!(host.receive(&success()).1, [answered("SIP/2.0 200 OK")]);
    assert_eq!(host.receive(&success()), (Verdict::Handled, vec![]));
    let acknowledge = |host: &mut Host, token, text: &str| {
        let text = text.to_owned();
        let hops = &HOPS[..1];
        host.only(Command::Acknowledge {
            token,
            ack: Ack { text, hops },
        })
    };
    let stray = acknowledge(&mut host, Token::from_u64(99), "stray");
    assert_eq!(stray.bytes(), "stray");
    assert_eq!(host.receive(&success()), (Verdict::Handled, vec![]));
    for text in ["one", "another"] {
        let acknowledged = acknowledge(&mut host, first.token(), text);
        assert_eq!(acknowledged.bytes(), text);
        assert_eq!(host.receive(&success()).1, [acknowledged]);
    }
    host.run(32_000);
    acknowledge(&mut host, first.token(), "late");
    assert_eq!(host.receive(&success()), (Verdict::NotMine, vec![]));
    assert_eq!(host.answers().len(), 1);
}

/// [RFC 3261 13.2.2.4] A 2xx in no transaction, as after a restart, is shown to the node, which acknowledges what is its
/// own; any other response is not, nor a 2xx that makes a dialog, or is to another method.
#[test]
fn success_in_no_transaction() {
    let mut host = host();
    assert_eq!(host.receive(&success()), (Verdict::NotMine, vec![]));
    let text = "owed".to_owned();
    let hops = &HOPS[..1];
    host.txn.node_mut().owed = Some(Ack { text, hops });
    for _ in 0..2 {
        let (verdict, outs) = host.receive(&success());
        assert_eq!(verdict, Verdict::Handled);
        assert_eq!(ack_of(&outs), "owed");
    }
    let no_tag = success().replace(";tag=rem0te", "");
    let method = success().replace("132 INVITE", "132 BYE");
    for text in [refusal(), status(183), no_tag, method] {
        assert_eq!(host.receive(&text), (Verdict::NotMine, vec![]), "{text}");
    }
    assert_eq!(host.txn.counters().responses_unmatched, 5);
    assert_eq!(host.txn.transactions(), 0);
}

/// An ACK before its time goes out and is not kept: what is sent again is the INVITE, or the ACK of the refusal.
#[test]
fn acknowledged_too_early() {
    let (mut host, first) = sent(Config::default(), 1);
    let acknowledge = Command::Acknowledge {
        token: first.token(),
        ack: ack(),
    };
    assert_eq!(host.only(acknowledge.clone()).bytes(), text("success_ack"));
    assert_eq!(host.run(500), [(500, first)]);
    let (_, outs) = host.receive(&refusal());
    host.only(acknowledge);
    assert_eq!(host.receive(&refusal()).1, &outs[..1]);
}

/// [DR-7] An ACK that the node has appended past this layer is kept.
#[test]
fn an_ack_that_is_adopted() {
    let (mut host, first) = sent(Config::default(), 1);
    host.txn.node_mut().ack = None;
    host.receive(&success());
    let acknowledge = Command::Acknowledge {
        token: first.token(),
        ack: ack(),
    };
    let node = host.txn.node_mut();
    node.command(Millis(0), acknowledge, &mut host.out).unwrap();
    host.txn.adopt(Millis(0), 0, &mut host.out);
    let adopted = host.take();
    assert_eq!(host.receive(&success()).1, adopted);
    assert_eq!(ack_of(&adopted), text("success_ack"));
}

/// [DR-7] A re-INVITE that is offered again with the same branch begins anew, under its new token.
#[test]
fn offered_again() {
    let mut host = host();
    send(&mut host, 1);
    host.receive(&success());
    let second = send(&mut host, 1);
    assert_eq!(host.txn.transactions(), 1);
    assert_eq!(ack_of(&host.receive(&success()).1), text("success_ack"));
    assert_eq!(host.answers()[1].0, second.token());
}

/// [RFC 3261 17.1.3] [RFC 3261 13.2.2.4] Branch and method decide whose a response is; of a 2xx, the To tag as well.
#[test]
fn responses_for_nobody() {
    let (mut host, _) = sent(Config::default(), 1);
    let no_tag = success().replace(";tag=rem0te", "");
    let no_to = success().replace("To:", "X-To:");
    let method = refusal().replace("132 INVITE", "132 BYE");
    let branch = refusal().replace("z9hG4bKre1", "z9hG4bKre2");
    let strangers = [of_another_dialog(), no_tag, no_to, method, branch];
    for text in &strangers {
        assert_eq!(host.receive(text), (Verdict::NotMine, vec![]), "{text}");
    }
    assert_eq!(host.txn.counters().responses_unmatched, 5);
    assert_eq!(host.deadline(), Some((500, "transaction timer A")));
    host.receive(&success());
    assert_eq!(
        host.receive(&of_another_dialog()),
        (Verdict::NotMine, vec![])
    );
    assert_eq!(host.answers().len(), 1);
}

/// [DR-3] A host that matches responses itself gives them to `answer`, with the same effect.
#[test]
fn answers_of_the_host() {
    let (mut host, first) = sent(Config::default(), 1);
    let answer =
        |host: &mut Host, text: &str| host.answer(first.token(), Answer::Response(text.as_bytes()));
    assert_eq!(answer(&mut host, &status(100)), []);
    assert_eq!(answer(&mut host, &of_another_dialog()), []);
    assert_eq!(answer(&mut host, "garbage"), []);
    assert_eq!(host.txn.counters().responses_unmatched, 1);
    assert_eq!(host.txn.counters().rejected, 1);
    let outs = answer(&mut host, &refusal());
    assert_eq!(ack_of(&outs), text("refusal_ack"));
    assert_eq!(answer(&mut host, &refusal()), &outs[..1]);
    assert_eq!(host.answers().len(), 1);
}

/// [RFC 3263 4.3] Silence, or a next hop that cannot be reached: the one after it, with a branch of its own, which its
/// ACK has too.
#[test]
fn failover() {
    let (mut host, first) = sent(Config::default(), 3);
    let outs = host.run(32_000);
    assert_eq!(times(&outs).last(), Some(&32_000));
    let (_, second) = outs.last().unwrap();
    let branch = branch_of(second.bytes());
    assert_eq!(second.bytes(), first.bytes().replace("z9hG4bKre1", &branch));
    let outs = host.answer(first.token(), Answer::Unreachable);
    let [Out::Request { hops, bytes, .. }] = &outs[..] else {
        panic!("{outs:?}");
    };
    assert_eq!(hops, &HOPS[2..]);
    assert_ne!(branch_of(bytes), branch);
    assert_eq!(host.deadline(), Some((32_500, "transaction timer A")));
    let branch = branch_of(bytes);
    let outs = host.receive(&refusal().replace("z9hG4bKre1", &branch)).1;
    assert_eq!(
        ack_of(&outs),
        text("refusal_ack").replace("z9hG4bKre1", &branch)
    );
    let [Out::Acknowledge { hops, .. }, _] = &outs[..] else {
        panic!("{outs:?}");
    };
    assert_eq!(hops, &HOPS[2..]);
    assert_eq!(host.txn.counters().failovers, 2);
    let (mut host, first) = sent(Config::default(), 2);
    host.answer(first.token(), Answer::Unreachable);
    let outs = host.answer(first.token(), Answer::Unreachable);
    assert_eq!(outs, [answered("unreachable")]);
    assert_eq!(host.txn.transactions(), 0);
}

/// [RFC 3263 4.3] [RFC 3261 17.1.1.3] 503 is acknowledged, and the next hop tried; a 503 of the failed one that comes
/// again is acknowledged again, and neither it nor its Timer D touches what goes on.
#[test]
fn failover_after_503() {
    let (mut host, first) = sent(Config::default(), 2);
    let unavailable = status(503);
    let (verdict, outs) = host.receive(&unavailable);
    assert_eq!(verdict, Verdict::Handled);
    let [
        Out::Acknowledge { token, hops, bytes },
        Out::Request {
            hops: next,
            bytes: second,
            ..
        },
    ] = &outs[..]
    else {
        panic!("{outs:?}");
    };
    assert_eq!(
        (*token, &hops[..]),
        (first.token(), &[HOPS[0].to_owned()][..])
    );
    assert_eq!(branch_of(bytes), "z9hG4bKre1");
    assert_eq!(next, &HOPS[1..2]);
    assert_eq!(host.answers(), []);
    assert_eq!(host.txn.transactions(), 2);
    host.now = 400;
    assert_eq!(host.receive(&unavailable).1, &outs[..1]);
    assert_eq!(host.deadline(), Some((500, "transaction timer A")));
    host.now = 450;
    let renewed = success().replace("z9hG4bKre1", &branch_of(second));
    host.receive(&renewed);
    assert_eq!(host.answers(), [(first.token(), "SIP/2.0 200 OK".into())]);
    assert_eq!(host.receive(&unavailable).1, &outs[..1]);
    assert_eq!(ack_of(&host.receive(&renewed).1), text("success_ack"));
    assert_eq!(host.deadline(), Some((32_000, "transaction timer D")));
    assert_eq!(host.run(32_000), []);
    assert_eq!(host.receive(&unavailable).0, Verdict::NotMine);
    assert_eq!(ack_of(&host.receive(&renewed).1), text("success_ack"));
    assert_eq!(host.run(32_450), []);
    assert_eq!(host.txn.transactions(), 0);
    let (mut host, first) = sent(Config::default(), 1);
    assert_eq!(ack_of(&host.receive(&unavailable).1), *bytes);
    assert_eq!(host.answers()[0].0, first.token());
}

/// [DR-5] What a failed next hop is acknowledged with is not kept where that would be one transaction too many, nor over
/// a reliable transport.
#[test]
fn nothing_is_left_behind_without_room() {
    let full = config(|config| config.limits.transactions = 1);
    let reliable = config(|config| config.reliable = true);
    for config in [full, reliable] {
        let (mut host, _) = sent(config, 2);
        assert_eq!(host.receive(&status(503)).1.len(), 2);
        assert_eq!(host.txn.transactions(), 1);
        assert_eq!(host.receive(&status(503)), (Verdict::NotMine, vec![]));
    }
}

/// [DR-5] A re-INVITE that is one transaction too many is not sent.
#[test]
fn limit_of_transactions() {
    let mut host = limited(1);
    send(&mut host, 1);
    let outs = host.command(Command::SendText {
        text: &text("reinvite").replace("z9hG4bKre1", "z9hG4bKre2"),
        towards: Towards::Core,
        hops: HOPS,
    });
    assert_eq!(outs, []);
    assert_eq!(host.tick(), [answered("unreachable")]);
    assert_eq!(host.txn.counters().requests_unsent, 1);
}

/// [DR-6] Reports that come after the final response are ignored: those about an ACK too, which are not called for.
#[test]
fn stale_reports() {
    for response in [refusal(), success()] {
        let (mut host, first) = sent(Config::default(), 2);
        host.receive(&response);
        assert_eq!(host.answer(first.token(), Answer::Unreachable), []);
        assert_eq!(host.answer(first.token(), Answer::Timeout), []);
        assert_eq!(host.txn.counters().stale_answers, 2);
        assert_eq!(host.answers().len(), 1);
    }
}

/// An INVITE without a To tag begins a dialog and is the host's, as is an ACK that is no
/// [`Acknowledge`](ims_procedures::drive::Output::Acknowledge).
#[test]
fn what_is_the_hosts() {
    for (method, text) in [
        ("INVITE", text("reinvite").replace(";tag=rem0te", "")),
        ("ACK", text("success_ack")),
    ] {
        let mut host = host();
        let sent = host.only(Command::SendText {
            text: &text,
            towards: Towards::Core,
            hops: HOPS,
        });
        assert_eq!(sent.bytes(), text, "{method}");
        assert_eq!(
            (host.txn.transactions(), host.deadline()),
            (0, None),
            "{method}"
        );
        let ok = response_text(&text, 200);
        assert_eq!(host.receive(&ok).0, Verdict::NotMine, "{method}");
    }
    // An INVITE that comes, within a dialog or not, is passed to the node as before.
    let mut host = host();
    let request = request_text("INVITE", "later", "z9hG4bKre1", "a.example.net", 1);
    let request = request.replace("To: <sip:b.example.net>", "To: <sip:b.example.net>;tag=x");
    for times in 1..3 {
        assert_eq!(host.receive(&request), (Verdict::Handled, vec![]));
        assert_eq!(host.requests().len(), times);
    }
}

fn receive(host: &mut Host, text: &str, out: &mut Outbox<Echo>) -> Result<Verdict, Misuse> {
    let (from, peer) = (Source::TrustedCore, TransactionRef(PEER));
    host.txn
        .receive(Millis(0), from, peer, text.as_bytes(), out)
}

/// [DR-4] A refusal wants room for its ACK and for what follows, and is refused where there is less, with nothing sent.
#[test]
fn room_at_the_limit() {
    for response in [refusal(), status(503)] {
        let (mut host, _) = sent(Config::default(), 2);
        let asked = receive(&mut host, &response, &mut Outbox::with_room(0, 0));
        let Err(Misuse::OutboxFull { outputs, bytes }) = asked else {
            panic!("{asked:?}");
        };
        for (outputs, bytes) in [(outputs - 1, bytes), (outputs, bytes - 1)] {
            let mut small = Outbox::with_room(outputs, bytes);
            assert_eq!(receive(&mut host, &response, &mut small), asked);
            assert_eq!((small.len(), host.txn.counters().acks_sent), (0, 0));
        }
        let mut enough = Outbox::with_room(outputs, bytes);
        let verdict = receive(&mut host, &response, &mut enough);
        assert_eq!((verdict, enough.len()), (Ok(Verdict::Handled), 2));
    }
}

/// [DR-4] Room for one call is enough for the longest ACK: a request and a To that are as long as may be.
#[test]
fn room_for_the_longest_ack() {
    let config = config(|config| {
        config.limits.message_bytes = 6_000;
        config.limits.header_bytes = 5_500;
    });
    let long = format!("\"{}\"", "x".repeat(5_000));
    let reinvite = text("reinvite").replace("From: ", &format!("From: {long} "));
    let mut host = Host::new(config);
    host.only(Command::SendText {
        text: &reinvite,
        towards: Towards::Core,
        hops: HOPS,
    });
    let mut out = host.txn.outbox(1);
    let refusal = refusal().replace("\"User 1\"", &long);
    let verdict = receive(&mut host, &refusal, &mut out);
    assert_eq!((verdict, out.len()), (Ok(Verdict::Handled), 2));
}

/// [RFC 3261 17.1.1] It does not stand in the way of what else the host does: an OPTIONS beside it is answered.
#[test]
fn beside_another_request() {
    let (mut host, first) = sent(Config::default(), 1);
    let other = host.send(Send::default());
    host.receive(&response_text(other.bytes(), 200));
    host.receive(&refusal());
    let tokens: Vec<Token> = host.answers().iter().map(|answer| answer.0).collect();
    assert_eq!(tokens, [other.token(), first.token()]);
}
