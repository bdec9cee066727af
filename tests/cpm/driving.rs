//! What the host can change and see.

use ims_procedures::{
    cpm::{Answer, Command, CpmNode, LegId, SessionRef},
    dialog::{Dialog, Sequence},
    drive::{self, Identifiers, Misuse, Node, Token, Verdict},
    wire::Element,
};

use crate::{
    messages::Session,
    support::{Host, Out, SEED, SESSION, STORED, STREAMS, UNSTORED, config},
};

/// [CP-7] The same BYEs in both functions, interworked: what is stored when, and who is sent what, is not the same.
#[test]
fn functions_differ() {
    // The other entity's far side is the client in one, the IWFs in the other; the client's BYE goes to the IWFs in
    // one.
    let first = |session: Session, bye: &str| {
        let mut host = Host::with(session, STORED);
        let outs = host.receive(bye);
        (outs.len(), outs[1].is_storage())
    };
    assert_eq!(
        first(Session::originating(2), "bye_from_client"),
        (3, false)
    );
    assert_eq!(first(Session::terminating(2), "bye_from_other"), (2, true));
    assert_eq!(
        first(Session::terminating(0), "bye_from_client"),
        (2, false)
    );
}

/// [CP-8] What goes through the core names who has sent it, and is charged for; what goes to an IWF says neither.
#[test]
fn core_and_iwfs() {
    let mut host = Host::with(Session::originating(1), UNSTORED);
    let outs = host.receive("bye_from_client");
    let text = outs[1].text();
    assert!(!text.contains("P-Asserted-Identity") && !text.contains("P-Charging-Vector"));
    let mut host = Host::with(Session::originating(0), UNSTORED);
    let outs = host.receive("bye_from_client");
    let text = outs[1].text();
    assert!(text.contains("\r\nP-Asserted-Identity: <sip:cpm-pf1.home1.example.net:5062>\r\n"));
    assert!(text.contains("\r\nP-Charging-Vector: icid-value="));
}

/// [CP-6] What comes in a dialog that has ended is to be refused with 481; a re-INVITE that meets ours with 491;
/// anything else is the host's, and its number counts.
#[test]
fn other_requests() {
    let mut host = Host::with(Session::originating(3), STREAMS);
    let text = |host: &Host, name: &str| String::from_utf8(host.session.message(name)).unwrap();
    let info = text(&host, "bye_from_client").replace("BYE", "INFO");
    assert_eq!(
        host.receive_bytes(info.as_bytes()),
        (Verdict::NotMine, Vec::new())
    );
    let (_, outs) = host.receive_bytes(text(&host, "bye_from_client").as_bytes());
    assert!(outs[0].is_response(2, 500), "the number is taken");

    host.receive("bye_from_iwf2");
    let refused = |status| Verdict::Refuse {
        status,
        retry_after: 0,
    };
    let late = text(&host, "bye_from_iwf2")
        .replace("BYE", "INFO")
        .replace("CSeq: 1", "CSeq: 2");
    assert_eq!(host.receive_bytes(late.as_bytes()).0, refused(481));
    let invite = text(&host, "bye_from_client").replace("BYE", "INVITE");
    assert_eq!(host.receive_bytes(invite.as_bytes()).0, refused(491));
    let ack = text(&host, "bye_from_client").replace("BYE", "ACK");
    assert_eq!(host.receive_bytes(ack.as_bytes()).0, Verdict::NotMine);
}

/// [CP-6] A dialog that has gone on: the BYE has the number after those of the host, and goes to the new target.
#[test]
fn refreshed() {
    let mut host = Host::with(Session::originating(0), UNSTORED);
    let dialog = Dialog {
        call_id: b"o-other-31@cpm-pf1.home1.example.net",
        local_uri: b"sip:alice@home1.example.net",
        local_tag: b"pf-oo1",
        remote_uri: b"sip:bob@home2.example.net",
        remote_tag: b"bo1",
        remote_target: b"sip:new@198.51.100.1",
        ..Dialog::default()
    };
    let refresh = |dialog| Command::Refresh {
        session: SESSION,
        leg: LegId::Other,
        dialog,
        sequence: Sequence {
            local: 41,
            remote: None,
        },
    };
    let another = Dialog {
        remote_tag: b"bo2",
        ..dialog
    };
    assert!(matches!(
        host.command(refresh(another)),
        Err(Misuse::BadCommand(_))
    ));
    host.command(refresh(dialog)).unwrap();
    let outs = host.receive("bye_from_client");
    let text = outs[1].text();
    assert!(text.starts_with("BYE sip:new@198.51.100.1 SIP/2.0\r\n"));
    assert!(text.contains("\r\nCSeq: 42 BYE\r\n"));
}

/// [CP-6] What the host says of a dialog may be older than what the node has sent or taken in it: numbers never go back
/// (RFC 3261 12.2.1.1, 12.2.2).
#[test]
fn refreshed_late() {
    let mut host = Host::with(Session::originating(3), STREAMS);
    let [_, _, first] = host.receive("bye_from_iwf2").try_into().unwrap();
    assert!(first.text().contains("\r\nCSeq: 1 INVITE\r\n"));
    let info = String::from_utf8(host.session.message("bye_from_client")).unwrap();
    let info = info
        .replace("BYE", "INFO")
        .replace("CSeq: 102", "CSeq: 109");
    assert!(info.contains("CSeq: 109 INFO"), "{info}");
    assert_eq!(host.receive_bytes(info.as_bytes()).0, Verdict::NotMine);
    let dialog = Dialog {
        call_id: b"c0a8-77@192.0.2.20",
        local_uri: b"sip:bob@home2.example.net",
        local_tag: b"pf-oc1",
        remote_uri: b"sip:alice@home1.example.net",
        remote_tag: b"al1",
        remote_target: b"sip:alice@192.0.2.20:5070",
        ..Dialog::default()
    };
    for remote in [Some(102), None] {
        host.command(Command::Refresh {
            session: SESSION,
            leg: LegId::Client,
            dialog,
            sequence: Sequence { local: 0, remote },
        })
        .unwrap();
    }
    let old = host.session.message("bye_from_client");
    let (_, outs) = host.receive_bytes(&old);
    assert!(matches!(outs[..], [Out::Respond { status: 500, .. }]));
    host.command(Command::Close {
        session: SESSION,
        reason: b"",
    })
    .unwrap();
    let outs = host.drain();
    let outs = host.stored(&outs[1]);
    assert!(outs[0].text().contains("\r\nCSeq: 2 BYE\r\n"));
}

/// [DR-9] Nobody's name, and no dialog, is in what is printed.
#[test]
fn debug_shows_nobody() {
    let mut host = Host::with(Session::originating(0), STORED);
    let bye = host.session.message("bye_from_client");
    let txn = drive::TransactionRef(1);
    let from = drive::Source::TrustedCore;
    host.node
        .receive(host.now, from, txn, &bye, &mut host.out)
        .unwrap();
    let mut said = format!("{:?}", host.out);
    said += &format!("{:?}", Answer::Stored { uid: b"alice" });
    said += &format!(
        "{:?}",
        Command::Close {
            session: SESSION,
            reason: b"alice"
        }
    );
    for name in ["alice", "bob", "tag", "pf-o", "c0a8"] {
        assert!(!said.contains(name), "{name} in {said}");
    }
    assert!(said.contains("4711"), "{said}");
}

/// [DR-10] Another configuration counts from the next step on, one that cannot work is refused; what has happened is
/// counted.
#[test]
fn reconfigured() {
    let mut host = Host::with(Session::originating(0), STORED);
    let mut other = config();
    other.store_bound = 1_000;
    host.node.reconfigure(other.clone()).unwrap();
    host.receive("bye_from_other");
    assert!(host.advance(999).is_empty());
    assert_eq!(host.advance(1).len(), 1);
    other.store_bound = 16_000;
    let refused = host.node.reconfigure(other).unwrap_err();
    assert_eq!(refused.field, "far_side_bound, store_bound");
    let counters = host.node.counters();
    assert_eq!((counters.byes, counters.store_timeouts), (1, 1));
}

/// [DR-10] Each value that cannot work is named.
#[test]
fn configurations() {
    type Change = fn(&mut ims_procedures::cpm::Config);
    let changes: [(&str, Change); 12] = [
        ("far_side_bound", |c| c.far_side_bound = 0),
        ("store_bound", |c| c.store_bound = 0),
        ("t1", |c| c.t1 = 0),
        ("answer_bound", |c| c.answer_bound = 0),
        ("reinvite_bound", |c| c.reinvite_bound = 0),
        ("description_bound", |c| c.description_bound = 0),
        ("reinvite_attempts", |c| c.reinvite_attempts = 0),
        ("reason_bytes", |c| c.reason_bytes = 4_097),
        ("limits.users", |c| c.limits.users = 1 << 24),
        ("limits.message_bytes", |c| c.limits.message_bytes = 65_536),
        ("limits.iwfs", |c| c.limits.iwfs = 9),
        ("limits.registration_bytes", |c| {
            c.limits.registration_bytes = 16_384;
        }),
    ];
    for (field, change) in changes {
        let mut config = config();
        change(&mut config);
        let node = CpmNode::new(config, Identifiers::new(SEED, 1, 3));
        assert_eq!(node.err().map(|error| error.field), Some(field));
    }
    let element = Element::new(b"sip:pf.example.net", b"example.net").unwrap();
    assert_eq!(ims_procedures::cpm::Config::new(element).check(), Ok(()));
}

/// [CP-3] An answer of another kind, or to nothing that was asked, is the host's mistake and changes nothing.
#[test]
fn wrong_answers() {
    let mut host = Host::with(Session::originating(0), STORED);
    let [release, storage] = host.receive("bye_from_other").try_into().unwrap();
    let mut answer = |token, answer| host.node.answer(host.now, token, answer, &mut host.out);
    let stored = || drive::Answer::Role(Answer::Stored { uid: b"1" });
    assert_eq!(answer(release.token(), stored()), Err(Misuse::WrongAnswer));
    let timeout = drive::Answer::Timeout;
    assert_eq!(answer(storage.token(), timeout), Err(Misuse::WrongAnswer));
    let unknown = Token::from_u64(storage.token().to_u64() + 1_000);
    assert_eq!(answer(unknown, stored()), Err(Misuse::UnknownToken));
    let nobody = SessionRef(1);
    for command in [
        Command::Close {
            session: nobody,
            reason: b"",
        },
        Command::Forget { session: nobody },
        Command::SetOfflineStorage {
            session: nobody,
            allowed: true,
        },
    ] {
        assert_eq!(host.command(command), Err(Misuse::NoSuchThing));
    }
    let broken = host.command(Command::Close {
        session: SESSION,
        reason: b"SIP\r\nX: y",
    });
    assert!(matches!(broken, Err(Misuse::BadCommand(_))));
}
