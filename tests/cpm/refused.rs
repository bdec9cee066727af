//! What is refused, with the session intact.

use ims_procedures::{
    cpm::{Command, defect},
    drive::{Misuse, Reject, Verdict},
};

use crate::{
    messages::{Session, Values, matches, message},
    support::{Host, SESSION, STORED, STREAMS, config},
};

fn values() -> Values {
    let mut values = Values::of_session(0);
    values.set("reason", "");
    values
}

/// [CP-6] No To tag, wrong tags, another dialog: 481. A low CSeq: 500. The session is as it was.
#[test]
fn fixtures() {
    let mut host = Host::with(Session::originating(0), STORED);
    for (name, answer) in [
        ("no_to_tag", "no_to_tag_481"),
        ("wrong_from_tag", "wrong_from_tag_481"),
        ("unknown_dialog", "unknown_dialog_481"),
        ("stray_iwf", "stray_iwf_481"),
        ("low_cseq", "low_cseq_500"),
        ("wrong_cseq_method", "wrong_cseq_method_400"),
    ] {
        let bye = message(&format!("refused/{name}"), &values());
        let (verdict, outs) = host.receive_bytes(&bye);
        assert!(matches!(verdict, Verdict::Rejected(_)), "{name}");
        matches(&format!("refused/{answer}"), outs[0].bytes(), &mut values());
        assert!(host.node.is_open(SESSION), "{name}");
    }
    assert_eq!(host.receive("bye_from_client").len(), 2);
}

/// [CP-6] A BYE of no session is not this node's where the host says so.
#[test]
fn not_mine() {
    let mut config = config();
    config.answers_unknown = false;
    let mut host = Host::new(config, Session::originating(0));
    let bye = message("refused/unknown_dialog", &values());
    assert_eq!(host.receive_bytes(&bye), (Verdict::NotMine, Vec::new()));
}

/// [CP-6] A topmost Route of another element: the BYE came here by mistake, and is refused; behind one of our own
/// another means nothing.
#[test]
fn wrong_route() {
    let mut host = Host::with(Session::originating(0), STORED);
    let bye = message("refused/wrong_route", &values());
    let (verdict, outs) = host.receive_bytes(&bye);
    let Verdict::Rejected(Reject { defect, .. }) = verdict else {
        panic!("{verdict:?}");
    };
    assert_eq!(*defect, defect::WRONG_ROUTE);
    assert!(outs[0].is_response(1, 400));
    assert!(host.node.is_open(SESSION));
    let bye = message("refused/own_route_and_another", &values());
    assert_eq!(host.receive_bytes(&bye).0, Verdict::Handled);
}

/// [CP-6] A Reason that is too long to be carried is left out, and the BYE goes on; one that makes the message larger
/// than may be is refused with 513.
#[test]
fn enormous_reason() {
    let reason = format!("SIP;text=\"{}\"", "x".repeat(1_100));
    let mut host = Host::with(Session::originating(0).with(&reason, ""), STORED);
    let bye = host.session.message("bye_from_client");
    let (_, outs) = host.receive_bytes(&bye);
    host.session.values.set("reason", "");
    host.expect("bye_to_other", &outs[1]);
    assert_eq!(host.node.counters().reasons_dropped, 1);

    let reason = format!("SIP;text=\"{}\"", "x".repeat(17_000));
    let mut host = Host::with(Session::originating(0).with(&reason, ""), STORED);
    let bye = host.session.message("bye_from_client");
    let (verdict, outs) = host.receive_bytes(&bye);
    assert!(matches!(verdict, Verdict::Rejected(_)));
    matches("refused/too_large_513", outs[0].bytes(), &mut values());
    assert!(host.node.is_open(SESSION));
}

/// [CP-6] Several Reasons, folded too, are carried across as one.
#[test]
fn reasons_joined() {
    let mut host = Host::with(Session::originating(0).with("SIP;cause=200", ""), STORED);
    let bye = String::from_utf8(host.session.message("bye_from_client")).unwrap();
    let more = "Reason: SIP;cause=200\r\nReason: Q.850\r\n ;cause=16\r\n";
    let bye = bye.replace("Reason: SIP;cause=200\r\n", more);
    let (_, outs) = host.receive_bytes(bye.as_bytes());
    host.session
        .values
        .set("reason", "SIP;cause=200, Q.850 ;cause=16");
    host.expect("bye_to_other", &outs[1]);
}

/// [CO-3] A session description that is none is refused when the session is established.
#[test]
fn no_description() {
    for name in ["no_sdp_text_200", "no_sdp_no_version_200"] {
        let mut session = Session::originating(3);
        let response = message(&format!("refused/{name}"), &values());
        session.client.as_mut().unwrap().response = response;
        let mut host = Host::new(config(), session);
        let refused = host.establish(STREAMS);
        assert!(matches!(refused, Err(Misuse::BadCommand(_))), "{name}");
        assert_eq!(host.node.sessions(), 0);
    }
}

/// [DR-5] A session is established once; with the legs that such a session has; with no more IWFs than the limit.
#[test]
fn establishing() {
    let mut host = Host::with(Session::originating(0), STORED);
    let Err(Misuse::BadCommand(reject)) = host.establish(STORED) else {
        panic!("established twice");
    };
    assert_eq!(*reject.defect, defect::SESSION_KNOWN);
    for change in [
        |session: &mut Session| session.client = None,
        |session: &mut Session| session.other = None,
        |session: &mut Session| session.function = "terminating",
    ] {
        let mut session = Session::originating(0);
        let iwf = Session::originating(1);
        change(&mut session);
        if session.function == "terminating" {
            session.iwfs = iwf.iwfs;
            session.streams = iwf.streams;
        }
        let mut host = Host::new(config(), session);
        let Err(Misuse::BadCommand(reject)) = host.establish(STORED) else {
            panic!("wrong legs");
        };
        assert_eq!(*reject.defect, defect::WRONG_LEGS);
    }
    let mut config = config();
    config.limits.iwfs = 2;
    let mut host = Host::new(config.clone(), Session::originating(2));
    assert_eq!(host.establish(STORED), Ok(Verdict::Handled));
    let mut host = Host::new(config, Session::originating(3));
    assert_eq!(
        host.establish(STORED),
        Err(Misuse::TooLarge { limit: "iwfs" })
    );
}

/// [CP-6] Two legs with one dialog are no session: of what comes in it nobody could tell whose it is.
#[test]
fn one_dialog_twice() {
    let mut twice = Session::originating(3);
    twice.iwfs[2] = twice.iwfs[0].clone();
    let mut both = Session::terminating(0);
    both.client = both.other.clone();
    for session in [twice, both] {
        let mut host = Host::new(config(), session);
        let Err(Misuse::BadCommand(reject)) = host.establish(STORED) else {
            panic!("one dialog twice");
        };
        assert_eq!(*reject.defect, defect::WRONG_LEGS);
        assert_eq!(host.node.sessions(), 0);
    }
}

/// [DR-5] No more sessions than the limit; one that is forgotten makes room.
#[test]
fn full() {
    let mut config = config();
    config.limits.users = 1;
    let mut host = Host::new(config, Session::originating(0));
    host.establish(STORED).unwrap();
    host.session = Session::terminating(0);
    let other = ims_procedures::cpm::SessionRef(1);
    assert_eq!(
        host.command(Command::Forget { session: other }),
        Err(Misuse::NoSuchThing)
    );
    host.command(Command::Forget { session: SESSION }).unwrap();
    host.establish(STORED).unwrap();
    assert_eq!(host.node.sessions(), 1);
}
