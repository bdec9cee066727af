//! CP-1: a session whose dialog passes through.

use ims_procedures::{
    cpm::{
        Cause, Command, Config, Description, End, Establish, Function, IwfPolicy, Leg, Mode,
        Recording, Side, defect,
    },
    drive::{Answer, Misuse, Verdict},
};

use crate::{
    messages::{Session, Values, matches_exactly, message},
    support::{Host, Out, SESSION, config, ends, outcome},
};

fn host() -> Host {
    host_of(Function::Originating, config())
}

pub fn host_of(function: Function, config: Config) -> Host {
    let mut host = Host::new(config, Session::originating(0));
    let mut values = Values::default();
    values.set("reason", "").set("uid", "");
    let invite = message("proxy/invite", &values);
    let response = message("proxy/invite_200", &values);
    let established = host.command(Command::Establish(Establish {
        session: SESSION,
        function,
        mode: Mode::Proxy,
        allow_offline_storage: true,
        policy: IwfPolicy::WholeSession,
        client: Some(Leg::Learnt {
            invite: &invite,
            response: &response,
            side: Side::Uas,
        }),
        other: None,
        iwfs: &[],
        description: Description::AtHost,
    }));
    assert_eq!(established, Ok(Verdict::Handled));
    host
}

fn answered(host: &mut Host, to: &Out, name: &str, values: &mut Values, status: &str) -> Vec<Out> {
    values.set("status", status);
    let bytes = message(name, values);
    host.answer(to, Answer::Response(&bytes))
}

/// A BYE from one end goes on, its 200 goes back.
pub fn passes(function: Function, from: &str) {
    let cause = match from {
        "client" => Cause::Client,
        _ => Cause::Other,
    };
    let mut host = host_of(function, config());
    let mut values = Values::default();
    let bye = message(&format!("proxy/bye_from_{from}"), &values);
    let (verdict, outs) = host.receive_bytes(&bye);
    assert_eq!(verdict, Verdict::Handled);
    let [forwarded] = outs.try_into().unwrap();
    matches_exactly(
        &format!("proxy/bye_from_{from}_forwarded"),
        forwarded.bytes(),
        &mut values,
    );
    let Out::Request { hops, .. } = &forwarded else {
        panic!("{forwarded:?}");
    };
    assert_eq!(hops, &["sip:scscf1.home1.example.net:6060;lr"]);

    let name = format!("proxy/bye_from_{from}_answer");
    let outs = answered(&mut host, &forwarded, &name, &mut values, "200 OK");
    let [back, closed] = outs.try_into().unwrap();
    assert!(back.is_response(1, 200));
    matches_exactly(&format!("{name}_forwarded"), back.bytes(), &mut values);
    let closed = outcome(&[closed]);
    assert_eq!(
        (closed.cause, closed.recording),
        (cause, Recording::NotAllowed)
    );

    // [CP-6] A late retransmission gets the same answer, until the memory of it is over.
    let (verdict, outs) = host.receive_bytes(&bye);
    assert_eq!(verdict, Verdict::Handled);
    assert!(outs[0].is_response(2, 200));
    assert_eq!(outs[0].bytes(), back.bytes());
    assert!(host.advance(32_000).is_empty());
    assert_eq!(host.node.sessions(), 0);
}

/// [CP-1, CP-4, T92] (S3 L43, L95) From either end, for either function: the BYE goes on, its 200 goes back, byte for
/// byte but for Via, Max-Forwards, our Route and Message-UID. Nothing is stored or released.
#[test]
fn both_ways() {
    for function in [Function::Originating, Function::Terminating] {
        passes(function, "client");
        passes(function, "other");
    }
}

/// [CP-1, T93] Other finals go back as well; the session is over with 481 and 408, and goes on after others. A 503 is
/// answered 500 (RFC 3261 16.7).
#[test]
fn other_finals() {
    for (status, is_over) in [
        ("481 Call/Transaction Does Not Exist", true),
        ("408 Request Timeout", true),
        ("407 Proxy Authentication Required", false),
        ("500 Server Internal Error", false),
        ("603 Decline", false),
    ] {
        let mut host = host();
        let mut values = Values::default();
        let (_, outs) = host.receive_bytes(&message("proxy/bye_from_client", &values));
        let name = "proxy/bye_from_client_answer";
        matches_exactly(
            "proxy/bye_from_client_forwarded",
            outs[0].bytes(),
            &mut values,
        );
        let back = answered(&mut host, &outs[0], name, &mut values, status);
        matches_exactly(
            "proxy/bye_from_client_answer_forwarded",
            back[0].bytes(),
            &mut values,
        );
        assert_eq!(back.len() == 2, is_over, "{status}");
    }
    let mut host = host();
    let mut values = Values::default();
    let (_, outs) = host.receive_bytes(&message("proxy/bye_from_client", &values));
    matches_exactly(
        "proxy/bye_from_client_forwarded",
        outs[0].bytes(),
        &mut values,
    );
    let name = "proxy/bye_from_client_answer";
    let unavailable = "503 Service Unavailable";
    let back = answered(&mut host, &outs[0], name, &mut values, unavailable);
    assert!(back[0].is_response(1, 500));
    assert_eq!(back.len(), 1);
}

/// [CP-1] No answer: none is made up (RFC 4320 4.2), and the session is over. No next hop: 500 (RFC 3261 16.9).
#[test]
fn silence() {
    let bye = message("proxy/bye_from_client", &Values::default());
    let mut silent = host();
    let (_, outs) = silent.receive_bytes(&bye);
    let [closed] = silent.answer(&outs[0], Answer::Timeout).try_into().unwrap();
    let none = Some(End::NoResponse);
    assert_eq!(
        outcome(&[closed]).ends,
        ends(Some(End::ByItself), none, &[])
    );

    let mut late = host();
    late.receive_bytes(&bye);
    let [closed] = late.advance(40_000).try_into().unwrap();
    assert_eq!(outcome(&[closed]).ends.other, none);

    let mut unreachable = host();
    let (_, outs) = unreachable.receive_bytes(&bye);
    let [answer] = unreachable
        .answer(&outs[0], Answer::Unreachable)
        .try_into()
        .unwrap();
    assert!(answer.is_response(1, 500));
}

/// [CP-1, CP-6, T94] BYEs that cross both go on and both are answered; the outcome comes once. One that comes again
/// while it is out is on its way already.
#[test]
fn crossing() {
    let mut host = host();
    let (mut one, mut two) = (Values::default(), Values::default());
    let client = message("proxy/bye_from_client", &one);
    let (_, first) = host.receive_bytes(&client);
    let (_, second) = host.receive_bytes(&message("proxy/bye_from_other", &two));
    let (verdict, none) = host.receive_bytes(&client);
    assert_eq!((verdict, none), (Verdict::Handled, Vec::new()));
    matches_exactly(
        "proxy/bye_from_client_forwarded",
        first[0].bytes(),
        &mut one,
    );
    matches_exactly(
        "proxy/bye_from_other_forwarded",
        second[0].bytes(),
        &mut two,
    );
    let name = "proxy/bye_from_other_answer";
    let outs = answered(&mut host, &second[0], name, &mut two, "200 OK");
    assert!(outs[0].is_response(2, 200));
    assert_eq!(outcome(&outs[1..]).cause, Cause::Other);
    let name = "proxy/bye_from_client_answer";
    let outs = answered(&mut host, &first[0], name, &mut one, "200 OK");
    assert_eq!(outs.len(), 1);
    assert!(outs[0].is_response(1, 200));
}

/// [CP-1, DR-7, T95] After a restart a BYE that comes again goes on in the same transaction.
#[test]
fn restarted() {
    let mut host = host();
    let mut values = Values::default();
    let bye = message("proxy/bye_from_client", &values);
    let (_, before) = host.receive_bytes(&bye);
    host.restart(2);
    assert!(host.offered_again().is_empty());
    let (_, after) = host.receive_bytes(&bye);
    assert_eq!(before[0].bytes(), after[0].bytes());
    matches_exactly(
        "proxy/bye_from_client_forwarded",
        after[0].bytes(),
        &mut values,
    );
    let name = "proxy/bye_from_client_answer";
    let outs = answered(&mut host, &after[0], name, &mut values, "200 OK");
    assert!(outs[0].is_response(2, 200));
}

/// A BYE like this one in another transaction, the next of its sender.
fn next_bye(bye: &[u8], number: u32) -> Vec<u8> {
    let text = String::from_utf8(bye.to_vec()).unwrap();
    let text = text.replacen("branch=z9hG4bK", &format!("branch=z9hG4bK{number}"), 1);
    text.into_bytes()
}

/// [CP-1] A session that nobody ends any more after a BYE was refused: it is over after 64·T1, as the refusal says, and
/// forgotten after as much again; a restart between changes nothing.
#[test]
fn left_after_refusal() {
    let bye = message("proxy/bye_from_client", &Values::default());
    for (status, is_restarted) in [("407 x", false), ("500 x", true), ("503 x", false)] {
        let mut host = host();
        let mut values = Values::default();
        let (_, outs) = host.receive_bytes(&bye);
        matches_exactly(
            "proxy/bye_from_client_forwarded",
            outs[0].bytes(),
            &mut values,
        );
        let name = "proxy/bye_from_client_answer";
        let back = answered(&mut host, &outs[0], name, &mut values, status);
        assert_eq!(back.len(), 1);
        assert_eq!(host.advance(20_000), []);
        if is_restarted {
            host.restart(2);
        }
        assert_eq!(host.advance(11_999), []);
        let [closed] = host.advance(1).try_into().unwrap();
        let end = End::Answered(status[..3].parse().unwrap());
        let closed = outcome(&[closed]);
        assert_eq!(closed.ends, ends(Some(End::ByItself), Some(end), &[]));
        assert_eq!(closed.cause, Cause::Client);
        assert_eq!(host.advance(32_000), []);
        assert_eq!(host.node.sessions(), 0);
    }
    let mut host = host();
    let (_, outs) = host.receive_bytes(&bye);
    host.answer(&outs[0], Answer::Unreachable);
    let [closed] = host.advance(32_000).try_into().unwrap();
    assert_eq!(outcome(&[closed]).ends.other, Some(End::Unreachable));
}

/// [CP-1] Another BYE after a refusal, as with credentials: what becomes of it is the outcome.
#[test]
fn again_after_refusal() {
    let bye = message("proxy/bye_from_client", &Values::default());
    let mut host = host();
    let mut values = Values::default();
    let (_, outs) = host.receive_bytes(&bye);
    let name = "proxy/bye_from_client_forwarded";
    matches_exactly(name, outs[0].bytes(), &mut values);
    let name = "proxy/bye_from_client_answer";
    answered(&mut host, &outs[0], name, &mut values, "407 x");
    host.advance(31_000);
    let (_, outs) = host.receive_bytes(&next_bye(&bye, 2));
    assert_eq!(host.advance(5_000), []);
    let ok = message(name, values.set("status", "200 OK"));
    let outs = host.answer(&outs[0], Answer::Response(&ok));
    assert_eq!(outcome(&outs[1..]).ends.other, Some(End::Answered(200)));
    assert_eq!(host.advance(100_000), []);
    assert_eq!(host.node.sessions(), 0);
}

/// [CP-1, DR-7] After a restart a BYE that does not come again has been given up: the session is over when the time for
/// its answer is, and no answer is made up.
#[test]
fn not_again_after_restart() {
    let bye = message("proxy/bye_from_client", &Values::default());
    let mut host = host();
    host.receive_bytes(&bye);
    host.advance(10_000);
    host.restart(2);
    assert_eq!(host.advance(29_999), []);
    let [closed] = host.advance(1).try_into().unwrap();
    let all = ends(Some(End::ByItself), Some(End::NoResponse), &[]);
    assert_eq!(outcome(&[closed]).ends, all);
    assert_eq!(host.advance(32_000), []);
    assert_eq!(host.node.sessions(), 0);
}

/// [CP-1, DR-5] Four BYEs of a session may be on their way; the fifth is refused and goes nowhere, until one is answered.
#[test]
fn too_many_byes() {
    let bye = message("proxy/bye_from_client", &Values::default());
    let mut host = host();
    let (_, first) = host.receive_bytes(&bye);
    for number in 2..=4 {
        let (_, outs) = host.receive_bytes(&next_bye(&bye, number));
        assert!(outs[0].is_request("BYE "));
    }
    let (verdict, outs) = host.receive_bytes(&next_bye(&bye, 5));
    let Verdict::Rejected(reject) = verdict else {
        panic!("{verdict:?}");
    };
    assert_eq!(*reject.defect, defect::BYES_UNANSWERED);
    assert!(outs[0].is_response(5, 500));
    host.answer(&first[0], Answer::Unreachable);
    let (_, outs) = host.receive_bytes(&next_bye(&bye, 5));
    assert!(outs[0].is_request("BYE "));
}

/// [CP-1] A strict router has put our URI into the Request-URI, and the target at the end of Route: the host passes it
/// on, for what it is to say is in Route (RFC 3261 16.4). So it is where no Route is left.
#[test]
fn after_a_strict_router() {
    let bye = message("proxy/bye_from_client", &Values::default());
    let bye = String::from_utf8(bye).unwrap();
    let ours = "<sip:cpm-pf1.home1.example.net:5062;lr>, ";
    let target = "BYE sip:cpm-pf2.home2.example.net:5062 ";
    assert!(bye.contains(ours) && bye.starts_with(target));
    let ours_again = bye.replace(target, "BYE sip:cpm-pf1.home1.example.net:5062;lr ");
    let strict = ours_again.replace(ours, "").replace(
        "ibcf2.home2.example.net:5070;lr>",
        "ibcf2.home2.example.net:5070;lr>, <sip:cpm-pf2.home2.example.net:5062>",
    );
    let lines = strict.split("\r\n");
    let bare: Vec<_> = lines.filter(|line| !line.starts_with("Route:")).collect();
    for bye in [ours_again.clone(), bare.join("\r\n"), strict.clone()] {
        let mut host = host();
        let taken = host.receive_bytes(bye.as_bytes());
        assert_eq!(taken, (Verdict::Forward, Vec::new()), "{bye}");
        assert!(host.node.is_open(SESSION));
    }
}

/// [CP-1] Max-Forwards of 0 is answered 483 and goes nowhere. What is no BYE is for the host to pass on. A proxy ends
/// no session.
#[test]
fn not_passed() {
    let mut host = host();
    let mut values = Values::default();
    let (verdict, outs) = host.receive_bytes(&message("refused/no_hops", &values));
    assert!(matches!(verdict, Verdict::Rejected(_)));
    matches_exactly("refused/no_hops_483", outs[0].bytes(), &mut values);
    let bye = message("proxy/bye_from_client", &values);
    let info = String::from_utf8(bye).unwrap().replace("BYE", "INFO");
    assert_eq!(
        host.receive_bytes(info.as_bytes()),
        (Verdict::Forward, Vec::new())
    );
    let closed = host.command(Command::Close {
        session: SESSION,
        reason: b"",
    });
    assert!(matches!(closed, Err(Misuse::BadCommand(_))));
    assert!(host.node.is_open(SESSION));
}
