//! DR-7: sessions from a blob: what was outstanding is offered again, with the same branch, CSeq and key.

use ims_procedures::{
    cpm::{Answer, CpmNode, Recording},
    drive::{self, Answer as Given, Identifiers, Millis, Node, RestoreError, Verdict},
};

use crate::{
    messages::Session,
    support::{Host, Out, SEED, SESSION, STORED, STREAMS, Terms, UNSTORED, config, outcome},
};

const UNSTORED_STREAMS: Terms = Terms {
    stores: false,
    ..STREAMS
};

/// What an output is, but for its token.
fn content(out: &Out) -> Out {
    let token = drive::Token::from_u64(0);
    match out.clone() {
        Out::Request { hops, bytes, .. } => Out::Request { token, hops, bytes },
        Out::Acknowledge { hops, bytes, .. } => Out::Acknowledge { token, hops, bytes },
        Out::Ask { question, .. } => Out::Ask { token, question },
        other => other,
    }
}

#[track_caller]
fn same(before: &[&Out], after: &[Out]) {
    let before: Vec<_> = before.iter().map(|out| content(out)).collect();
    let after: Vec<_> = after.iter().map(content).collect();
    assert_eq!(before, after);
}

/// [DR-7, CO-1, CP-2] A restart at every stage of CO-1: the release and the BYEs are offered again as they were, the
/// store is asked with the same key; the end is what it would have been.
#[test]
fn client_interworked() {
    let mut host = Host::with(Session::originating(2).with("", "3"), STORED);
    host.restart(2);
    assert!(host.offered_again().is_empty());
    let outs = host.receive("bye_from_client");
    host.restart(3);
    let again = host.offered_again();
    same(&[&outs[0], &outs[1], &outs[2]], &again);
    host.expect("bye_to_iwf1", &again[1]);
    host.expect("bye_to_iwf2", &again[2]);
    host.answer(&again[0], Answer::MediaReleased.into());
    assert!(
        host.respond(&again[1], "bye_to_iwf1_answer", "200 OK")
            .is_empty()
    );
    host.restart(4);
    let again = host.offered_again();
    same(&[&outs[2]], &again);
    let [storage] = host
        .respond(&again[0], "bye_to_iwf2_answer", "200 OK")
        .try_into()
        .unwrap();
    host.restart(5);
    let again = host.offered_again();
    same(&[&storage], &again);
    let outs = host.stored(&again[0]);
    host.expect("bye_from_client_200", &outs[0]);
    assert_eq!(outcome(&outs[1..]).recording, Recording::Stored);
    host.restart(6);
    let repeated = host.receive("bye_from_client");
    assert_eq!(repeated[0].bytes(), outs[0].bytes());
    host.advance(32_000);
    assert_eq!(host.node.sessions(), 0);
}

/// [DR-7, CP-3, CP-6] A BYE that comes again while it is held, after each restart: the answer goes to its latest
/// transaction, with what that has to say to it, and to no other.
#[test]
fn held() {
    for (session, bye) in [
        (Session::originating(0), "bye_from_other"),
        (Session::terminating(0), "bye_from_client"),
        (Session::originating(2), "bye_from_iwf2"),
        (Session::terminating(2), "bye_from_other"),
    ] {
        let mut host = Host::with(session, UNSTORED);
        host.receive(bye);
        let mut again = Vec::new();
        for life in 2..=3 {
            host.restart(life);
            again = host.offered_again();
            assert!(host.receive(bye).is_empty());
        }
        let byes = again.iter().filter(|out| out.is_request("BYE "));
        let mut outs = Vec::new();
        for request in byes {
            assert!(outs.is_empty());
            outs = host.answer(request, Given::Timeout);
        }
        assert!(outs[0].is_response(3, 200), "{bye}: {outs:?}");
        host.expect(&format!("{bye}_200"), &outs[0]);
        assert_eq!(outcome(&outs).recording, Recording::NotAllowed);
    }
}

/// [DR-7, CP-3] The time that is left is what it was: a restart does not lengthen it.
#[test]
fn time_goes_on() {
    let mut host = Host::with(Session::originating(0), STORED);
    host.receive("bye_from_other");
    host.advance(5_000);
    host.restart(2);
    host.offered_again();
    assert!(host.advance(2_999).is_empty());
    assert_eq!(host.advance(1).len(), 1);
}

/// [DR-7, CO-3] The re-INVITE again, as it was although another IWF has left since; a back-off goes on; the description
/// is asked for with the same key.
#[test]
fn streams() {
    let mut host = Host::with(Session::originating(3), STREAMS);
    let outs = host.receive("bye_from_iwf2");
    let later = host.receive("bye_from_iwf1");
    host.restart(2);
    let again = host.offered_again();
    same(&[&outs[0], &later[0], &outs[2]], &again);
    host.expect("reinvite_1", &again[2]);
    host.respond(&again[2], "reinvite_1_refused", "491 x");
    host.restart(3);
    let waited = host.advance(2_000);
    let invite = waited.last().unwrap();
    assert!(invite.is_request("INVITE "));
    let text = invite.text();
    assert!(text.contains("\r\nCSeq: 2 INVITE\r\n"));
    assert_eq!(text.matches("\r\nm=message 0 ").count(), 3);

    let terms = Terms {
        is_kept: false,
        ..STREAMS
    };
    let mut host = Host::with(Session::originating(3), terms);
    let outs = host.receive("bye_from_iwf2");
    host.restart(2);
    same(&[&outs[0], &outs[2]], &host.offered_again());
}

/// [DR-7, CO-3, CT-3, T99] The ACK of a 2xx is owed for 64·T1: it is offered again after each restart, as it was,
/// beside the next re-INVITE too; then nothing is left of it, and the 2xx is nobody's.
#[test]
fn acknowledgement() {
    for session in [Session::originating(3), Session::terminating(3)] {
        let mut host = Host::with(session, STREAMS);
        let [release, _, first] = host.receive("bye_from_iwf2").try_into().unwrap();
        host.answer(&release, Answer::MediaReleased.into());
        let [release, _] = host.receive("bye_from_iwf1").try_into().unwrap();
        host.answer(&release, Answer::MediaReleased.into());
        host.expect("reinvite_1", &first);
        let outs = host.respond(&first, "reinvite_1_200", "200 OK");
        let [ack, _, second] = outs.try_into().unwrap();
        host.expect("reinvite_1_ack", &ack);
        host.restart(2);
        let again = host.offered_again();
        same(&[&ack, &second], &again);
        host.expect("reinvite_2", &again[1]);
        let outs = host.respond(&again[1], "reinvite_2_200", "200 OK");
        host.expect("reinvite_2_ack", &outs[0]);
        host.advance(31_999);
        host.restart(3);
        same(&[&ack, &outs[0]], &host.offered_again());
        assert_eq!(host.advance(1), []);
        assert_eq!(host.node.deadline(), None);
        let late = host.session.answer("reinvite_1_200", "200 OK");
        assert_eq!(host.receive_bytes(&late), (Verdict::NotMine, Vec::new()));
        assert!(host.node.is_open(SESSION));
    }
}

/// [DR-7, CO-3, CT-3] A 2xx that comes again after a restart is acknowledged as before: to the token of the ACK, and in
/// no transaction; so is one to a re-INVITE whose session is being closed. One of another dialog, of another number or
/// not of an INVITE is nobody's.
#[test]
fn accepted_again() {
    for session in [Session::originating(3), Session::terminating(3)] {
        let mut host = Host::with(session, UNSTORED_STREAMS);
        let outs = host.receive("bye_from_iwf2");
        host.expect("reinvite_1", &outs[2]);
        let ok = host.session.answer("reinvite_1_200", "200 OK");
        let outs = host.answer(&outs[2], Given::Response(&ok));
        let ack = outs[0].clone();
        host.restart(2);
        let offered = host.offered_again().pop().unwrap();
        let again = host.answer(&offered, Given::Response(&ok));
        same(&[&ack], &again);
        let (verdict, again) = host.receive_bytes(&ok);
        assert_eq!(verdict, Verdict::Handled);
        same(&[&ack], &again);
        let text = String::from_utf8(ok.clone()).unwrap();
        for (what, with) in [
            ("CSeq: 1 INVITE", "CSeq: 2 INVITE"),
            ("CSeq: 1 INVITE", "CSeq: 1 BYE"),
            ("200 OK", "488 Not Acceptable Here"),
            (";tag=", ";tag=x"),
            ("Call-ID: ", "Call-ID: x"),
        ] {
            let other = text.replace(what, with);
            assert_ne!(other, text);
            let taken = host.receive_bytes(other.as_bytes());
            assert_eq!(taken, (Verdict::NotMine, Vec::new()), "{with}");
        }
    }
    let mut host = Host::with(Session::originating(3), UNSTORED_STREAMS);
    let outs = host.receive("bye_from_iwf2");
    host.expect("reinvite_1", &outs[2]);
    host.receive("bye_from_client");
    host.restart(2);
    let offered = host.offered_again();
    assert!(!offered.iter().any(|out| out.is_request("INVITE ")));
    let ok = host.session.answer("reinvite_1_200", "200 OK");
    let (_, outs) = host.receive_bytes(&ok);
    host.expect("reinvite_1_ack", &outs[0]);
    host.restart(3);
    let offered = host.offered_again();
    let acks = offered
        .iter()
        .filter(|out| matches!(out, Out::Acknowledge { .. }));
    let [ack] = acks.collect::<Vec<_>>().try_into().unwrap();
    assert_eq!(ack.bytes(), outs[0].bytes());
}

/// [DR-7] A blob that is damaged, or of more sessions than the limit, is refused.
#[test]
fn refused() {
    let host = Host::with(Session::originating(0), STORED);
    let mut blob = Vec::new();
    host.node.snapshot(host.now, &mut blob);
    let restore = |config, blob: &[u8]| {
        let identifiers = Identifiers::new(SEED, 2, 3);
        CpmNode::restore(config, identifiers, Millis(0), blob).err()
    };
    let mut small = config();
    small.limits.users = 0;
    assert_eq!(restore(small, &blob), Some(RestoreError::TooLarge));
    let mut small = config();
    small.limits.registration_bytes = 100;
    assert_eq!(restore(small, &blob), Some(RestoreError::TooLarge));
    assert_eq!(restore(config(), &blob), None);
    for at in 0..blob.len() {
        let mut altered = blob.clone();
        altered[at] ^= 1;
        assert!(restore(config(), &altered).is_some(), "{at}");
        assert!(restore(config(), &blob[..at]).is_some(), "{at}");
    }
}
