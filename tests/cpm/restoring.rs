//! DR-7: sessions from a blob: what was outstanding is offered again, with the same branch, CSeq and key.

use ims_procedures::{
    cpm::{Answer, CpmNode, Recording},
    drive::{self, Identifiers, Millis, Node, RestoreError},
};

use crate::{
    messages::Session,
    support::{Host, Out, SEED, STORED, STREAMS, config, outcome},
};

/// What an output is, but for its token.
fn content(out: &Out) -> Out {
    let token = drive::Token::from_u64(0);
    match out.clone() {
        Out::Request { hops, bytes, .. } => Out::Request { token, hops, bytes },
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

    let terms = crate::support::Terms {
        is_kept: false,
        ..STREAMS
    };
    let mut host = Host::with(Session::originating(3), terms);
    let outs = host.receive("bye_from_iwf2");
    host.restart(2);
    same(&[&outs[0], &outs[2]], &host.offered_again());
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
