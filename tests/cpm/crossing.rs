//! CP-6: BYEs that cross, come again, or come late.

use ims_procedures::{
    cpm::{Answer, Cause, End, Recording},
    drive::{self, Verdict},
};

use crate::{
    messages::Session,
    support::{Host, STORED, STREAMS, UNSTORED, ends, outcome},
};

const ANSWERED: End = End::Answered(200);

/// [CP-6, T80] Glare: both ends send a BYE at once. Each is answered 200 and there is one outcome, whatever the one of
/// ours that it has crossed is answered.
#[test]
fn glare() {
    for session in [Session::originating(0), Session::terminating(0)] {
        for status in ["200 OK", "481 Call/Transaction Does Not Exist"] {
            let mut host = Host::with(session.clone(), UNSTORED);
            let [_, ours] = host.receive("bye_from_client").try_into().unwrap();
            host.expect("bye_to_other", &ours);
            let [crossed, answer, closed] = host.receive("bye_from_other").try_into().unwrap();
            host.expect("bye_from_other_200", &crossed);
            host.expect("bye_from_client_200", &answer);
            let all = ends(Some(End::ByItself), Some(End::Crossed), &[]);
            assert_eq!(outcome(&[closed]).ends, all);
            assert!(
                host.respond(&ours, "bye_to_other_answer", status)
                    .is_empty()
            );
        }
    }
}

/// [CP-6, T80] Glare in which the answer to ours overtakes the other BYE: that is answered 200 as well, even after the
/// outcome; another one after it is of no session.
#[test]
fn glare_overtaken() {
    let mut host = Host::with(Session::originating(0), UNSTORED);
    let [_, ours] = host.receive("bye_from_client").try_into().unwrap();
    host.expect("bye_to_other", &ours);
    let outs = host.respond(&ours, "bye_to_other_answer", "481 x");
    assert_eq!(outcome(&outs[1..]).ends.other, Some(End::Answered(481)));
    let [answer] = host.receive("bye_from_other").try_into().unwrap();
    host.expect("bye_from_other_200", &answer);
    let bye = String::from_utf8(host.session.message("bye_from_other")).unwrap();
    let higher = bye.replace("CSeq: 1 BYE", "CSeq: 2 BYE");
    let (_, outs) = host.receive_bytes(higher.as_bytes());
    assert!(outs[0].is_response(3, 481));
}

/// [CP-6, CP-3] Glare where the session is stored: once. The client's own BYE is answered at once, with the UID exactly
/// if it has been retrieved by then.
#[test]
fn glare_stored() {
    for session in [Session::originating(0), Session::terminating(0)] {
        let mut host = Host::with(session.clone(), STORED);
        let [_, storage] = host.receive("bye_from_other").try_into().unwrap();
        let [answer] = host.receive("bye_from_client").try_into().unwrap();
        host.expect("bye_from_client_200", &answer);
        host.session.values.set("uid", "5");
        let [answer, closed] = host.stored(&storage).try_into().unwrap();
        host.expect("bye_from_other_200", &answer);
        let closed = outcome(&[closed]);
        let all = ends(Some(End::ByItself), Some(End::ByItself), &[]);
        assert_eq!((closed.ends, closed.recording), (all, Recording::Stored));

        let mut host = Host::with(session.with("", "6"), STORED);
        let [_, storage] = host.receive("bye_from_other").try_into().unwrap();
        let [bye] = host.stored(&storage).try_into().unwrap();
        host.expect("bye_to_client", &bye);
        let [crossed, answer, closed] = host.receive("bye_from_client").try_into().unwrap();
        host.expect("bye_from_client_200", &crossed);
        host.expect("bye_from_other_200", &answer);
        assert_eq!(outcome(&[closed]).cause, Cause::Other);
    }
}

/// [CP-6, CO-4] The client's BYE while that of an IWF is being worked off, and another IWF's too: each is answered
/// once, the session is stored once.
#[test]
fn client_while_iwf() {
    let mut host = Host::with(Session::originating(3), STORED);
    let [_, storage] = host.receive("bye_from_iwf2").try_into().unwrap();
    let [third] = host.receive("bye_from_iwf3").try_into().unwrap();
    host.expect("bye_from_iwf3_200", &third);
    host.session.values.set("uid", "8");
    let [to_client, to_iwf1] = host.stored(&storage).try_into().unwrap();
    host.expect("bye_to_client", &to_client);
    host.expect("bye_to_iwf1", &to_iwf1);
    let [client] = host.receive("bye_from_client").try_into().unwrap();
    host.expect("bye_from_client_200", &client);
    let outs = host.respond(&to_iwf1, "bye_to_iwf1_answer", "200 OK");
    host.expect("bye_from_iwf2_200", &outs[0]);
    let expected = [ANSWERED, End::ByItself, End::ByItself];
    assert_eq!(
        outcome(&outs[1..]).ends,
        ends(Some(End::Crossed), None, &expected)
    );
}

/// [CP-6] A BYE that comes again gets nothing while its answer is out, and the same answer for 64·T1 after the end, the
/// UID in it too; then it is of no session. The same number in another transaction is out of order, a higher one of no
/// session.
#[test]
fn repeated() {
    let mut host = Host::with(Session::originating(0).with("", "12"), STORED);
    let [_, bye] = host.receive("bye_from_client").try_into().unwrap();
    host.expect("bye_to_other", &bye);
    assert!(host.receive("bye_from_client").is_empty());
    let [storage] = host
        .respond(&bye, "bye_to_other_answer", "200 OK")
        .try_into()
        .unwrap();
    assert!(host.receive("bye_from_client").is_empty());
    let first = host.stored(&storage);
    host.advance(31_999);
    let again = host.receive("bye_from_client");
    assert_eq!(again[0].bytes(), first[0].bytes());
    assert!(again[0].is_response(4, 200));

    let bye = host.session.message("bye_from_client");
    let bye = String::from_utf8(bye).unwrap();
    let other = bye.replacen("z9hG4bKs1c", "z9hG4bKother", 1);
    let (verdict, outs) = host.receive_bytes(other.as_bytes());
    assert!(matches!(verdict, Verdict::Rejected(_)));
    assert!(outs[0].is_response(5, 500));
    let higher = bye.replace("CSeq: 102 BYE", "CSeq: 103 BYE");
    let (_, outs) = host.receive_bytes(higher.as_bytes());
    assert!(outs[0].is_response(6, 481));

    assert!(host.advance(1).is_empty());
    assert_eq!(host.node.sessions(), 0);
    let (_, outs) = host.receive_bytes(bye.as_bytes());
    assert!(outs[0].is_response(7, 481));
}

/// [CP-6] Of an IWF that has left, too: the same answer, and then nothing more of it is taken.
#[test]
fn repeated_by_iwf() {
    let mut host = Host::with(Session::originating(3), STREAMS);
    let first = host.receive("bye_from_iwf2");
    let again = host.receive("bye_from_iwf2");
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].bytes(), first[1].bytes());
    let bye = String::from_utf8(host.session.message("bye_from_iwf2")).unwrap();
    let higher = bye.replace("CSeq: 1 BYE", "CSeq: 2 BYE");
    let (_, outs) = host.receive_bytes(higher.as_bytes());
    assert!(outs[0].is_response(3, 481));
}

/// [CP-5, T80] An answer that comes twice counts once.
#[test]
fn answered_twice() {
    let mut host = Host::with(Session::originating(2), UNSTORED);
    let outs = host.receive("bye_from_client");
    host.expect("bye_to_iwf1", &outs[1]);
    for _ in 0..2 {
        assert!(
            host.respond(&outs[1], "bye_to_iwf1_answer", "200 OK")
                .is_empty()
        );
    }
    assert_eq!(host.node.counters().stale_answers, 1);
}

/// [CP-2] Nothing waits for the media plane, and its answer is taken whenever it comes.
#[test]
fn media_released() {
    for after in [false, true] {
        let mut host = Host::with(Session::originating(0), UNSTORED);
        let [release, bye] = host.receive("bye_from_client").try_into().unwrap();
        host.expect("bye_to_other", &bye);
        let released = || drive::Answer::Role(Answer::MediaReleased);
        if !after {
            assert!(host.answer(&release, released()).is_empty());
        }
        let outs = host.respond(&bye, "bye_to_other_answer", "200 OK");
        assert_eq!(outs.len(), 2);
        if after {
            assert!(host.answer(&release, released()).is_empty());
        }
        assert_eq!(host.node.counters().stale_answers, 0);
    }
}
