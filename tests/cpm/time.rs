//! CP-3, CP-5: whatever the far side and the message store do, the BYE is answered in time.

use ims_procedures::{
    cpm::{Answer, Cause, Command, End, Event, Recording},
    drive::{self, Misuse, Node},
};

use crate::{
    messages::{Session, bad_uids},
    support::{Host, Out, SESSION, STORED, UNSTORED, ends, outcome},
};

fn late(stored: bool) -> Out {
    Out::Event(Event::StoredLate {
        session: SESSION,
        stored,
    })
}

/// [CP-5, CO-1, CT-1] Whatever the far side answers, the BYE is answered 200.
#[test]
fn any_final() {
    for session in [Session::originating(0), Session::terminating(0)] {
        for status in ["481 x", "408 x", "503 x", "302 x", "401 x", "603 x"] {
            let mut host = Host::with(session.clone(), UNSTORED);
            let [_, bye] = host.receive("bye_from_client").try_into().unwrap();
            host.expect("bye_to_other", &bye);
            assert!(
                host.respond(&bye, "bye_to_other_answer", "100 x")
                    .is_empty()
            );
            let outs = host.respond(&bye, "bye_to_other_answer", status);
            assert!(outs[0].is_response(1, 200));
            let code = status[..3].parse().unwrap();
            assert_eq!(outcome(&outs[1..]).ends.other, Some(End::Answered(code)));
        }
    }
}

/// [CP-5] No answer, and no next hop.
#[test]
fn no_final() {
    for (answer, end) in [
        (drive::Answer::Timeout, End::NoResponse),
        (drive::Answer::Unreachable, End::Unreachable),
        (drive::Answer::Response(b"SIP/2.0 20"), End::NoResponse),
    ] {
        let mut host = Host::with(Session::originating(0), UNSTORED);
        let [_, bye] = host.receive("bye_from_client").try_into().unwrap();
        let outs = host.answer(&bye, answer);
        assert!(outs[0].is_response(1, 200));
        assert_eq!(outcome(&outs[1..]).ends.other, Some(end));
    }
}

/// [CP-3, CP-5, CO-1] A far side that is silent: after 16 s it is stored, and the BYE answered with the UID. Its answer
/// later is absorbed, and in the outcome.
#[test]
fn silent_far_side() {
    for is_late in [true, false] {
        let mut host = Host::with(Session::originating(2).with("", "9"), STORED);
        let outs = host.receive("bye_from_client");
        host.expect("bye_to_iwf1", &outs[1]);
        host.expect("bye_to_iwf2", &outs[2]);
        assert!(
            host.respond(&outs[1], "bye_to_iwf1_answer", "200 OK")
                .is_empty()
        );
        assert!(host.advance(15_999).is_empty());
        let [storage] = host.advance(1).try_into().unwrap();
        assert!(storage.is_storage());
        let [answer] = host.stored(&storage).try_into().unwrap();
        host.expect("bye_from_client_200", &answer);
        let (closed, end) = match is_late {
            true => (
                host.respond(&outs[2], "bye_to_iwf2_answer", "200 OK"),
                End::Answered(200),
            ),
            false => (host.advance(24_000), End::NoResponse),
        };
        let [closed] = closed.try_into().unwrap();
        let all = [End::Answered(200), end];
        assert_eq!(
            outcome(&[closed]).ends,
            ends(Some(End::ByItself), None, &all)
        );
        let before = host.node.counters().stale_answers;
        assert!(host.answer(&outs[2], drive::Answer::Timeout).is_empty());
        assert_eq!(host.node.counters().stale_answers, before + 1);
    }
}

/// [CP-3, CO-1] A store that is slow after the far side has ended: the BYE is answered without the UID at 16 s and 8 s,
/// before 32 s, and no message carries the UID any more.
#[test]
fn slowest_of_all() {
    let mut host = Host::with(Session::originating(0), STORED);
    let [_, bye] = host.receive("bye_from_client").try_into().unwrap();
    let [storage] = host.advance(16_000).try_into().unwrap();
    assert!(host.advance(7_999).is_empty());
    let [answer] = host.advance(1).try_into().unwrap();
    host.expect("bye_from_client_200", &answer);
    let uid = Answer::Stored { uid: b"77" };
    assert_eq!(host.answer(&storage, uid.into()), [late(true)]);
    let [closed] = host
        .answer(&bye, drive::Answer::Timeout)
        .try_into()
        .unwrap();
    assert_eq!(outcome(&[closed]).recording, Recording::StoredLate);
    let again = host.receive("bye_from_client");
    host.expect("bye_from_client_200", &again[0]);
}

/// [CP-3, CP-4, CO-2, CT-2] A store that is slow before the legs are told: after 8 s the BYE goes without the UID; what
/// the store says then comes too late, before the outcome or after it.
#[test]
fn slow_store() {
    for (answer, stored, recording) in [
        (Answer::Stored { uid: b"77" }, true, Recording::StoredLate),
        (Answer::StoreFailed, false, Recording::Failed),
    ] {
        for session in [Session::originating(0), Session::terminating(0)] {
            let mut host = Host::with(session, STORED);
            let [_, storage] = host.receive("bye_from_other").try_into().unwrap();
            assert!(host.advance(7_999).is_empty());
            let [bye] = host.advance(1).try_into().unwrap();
            host.expect("bye_to_client", &bye);
            assert_eq!(host.answer(&storage, answer.into()), [late(stored)]);
            let outs = host.respond(&bye, "bye_to_client_answer", "200 OK");
            host.expect("bye_from_other_200", &outs[0]);
            assert_eq!(outcome(&outs[1..]).recording, recording);
        }
    }
    let mut host = Host::with(Session::originating(0), STORED);
    let [_, storage] = host.receive("bye_from_other").try_into().unwrap();
    let [bye] = host.advance(8_000).try_into().unwrap();
    host.expect("bye_to_client", &bye);
    let outs = host.respond(&bye, "bye_to_client_answer", "200 OK");
    assert_eq!(outcome(&outs[1..]).recording, Recording::NoAnswer);
    let uid = Answer::Stored { uid: b"77" };
    assert_eq!(host.answer(&storage, uid.into()), [late(true)]);
}

/// [CP-3] A store that fails is in nobody's way.
#[test]
fn failed_store() {
    let mut host = Host::with(Session::originating(0), STORED);
    let [_, storage] = host.receive("bye_from_other").try_into().unwrap();
    let [bye] = host
        .answer(&storage, Answer::StoreFailed.into())
        .try_into()
        .unwrap();
    host.expect("bye_to_client", &bye);
    let outs = host.respond(&bye, "bye_to_client_answer", "200 OK");
    assert_eq!(outcome(&outs[1..]).recording, Recording::Failed);
}

/// [CP-4] A UID that would break out of its header is refused, and the session intact: a good one is taken after it. A
/// store that gives none has stored all the same.
#[test]
fn bad_uid() {
    for uid in bad_uids() {
        let mut host = Host::with(Session::originating(0).with("", "4711"), STORED);
        let [_, storage] = host.receive("bye_from_other").try_into().unwrap();
        let answer = Answer::Stored { uid: &uid }.into();
        let taken = host
            .node
            .answer(host.now, storage.token(), answer, &mut host.out);
        if uid.is_empty() {
            assert_eq!(taken, Ok(()));
            host.session.values.set("uid", "");
            let [bye] = host.drain().try_into().unwrap();
            host.expect("bye_to_client", &bye);
            let outs = host.respond(&bye, "bye_to_client_answer", "200 OK");
            assert_eq!(outcome(&outs[1..]).recording, Recording::StoredWithoutUid);
            continue;
        }
        assert!(matches!(taken, Err(Misuse::BadCommand(_))), "{uid:?}");
        assert_eq!(host.drain(), []);
        let [bye] = host.stored(&storage).try_into().unwrap();
        host.expect("bye_to_client", &bye);
    }
}

/// [CP-3] What may be stored, and what a policy says, is what it was when closing began.
#[test]
fn frozen() {
    let mut host = Host::with(Session::originating(0), UNSTORED);
    let allow = |allowed| Command::SetOfflineStorage {
        session: SESSION,
        allowed,
    };
    host.command(allow(true)).unwrap();
    let [_, bye] = host.receive("bye_from_client").try_into().unwrap();
    host.expect("bye_to_other", &bye);
    host.command(allow(false)).unwrap();
    let [storage] = host
        .respond(&bye, "bye_to_other_answer", "200 OK")
        .try_into()
        .unwrap();
    assert!(storage.is_storage());
}

/// [CP-2, CP-3, CO-2] The host ends a session: stored first, then every leg gets a BYE with the host's Reason, the
/// client's with the UID. Nobody is answered.
#[test]
fn host_closes() {
    for (session, iwfs) in [
        (Session::originating(2), 2),
        (Session::terminating(2), 2),
        (Session::originating(0), 0),
        (Session::terminating(0), 0),
    ] {
        let reason = "SIP ;cause=503";
        let mut host = Host::with(session.with(reason, "31"), STORED);
        host.command(Command::Close {
            session: SESSION,
            reason: reason.as_bytes(),
        })
        .unwrap();
        let [_, storage] = host.drain().try_into().unwrap();
        let outs = host.stored(&storage);
        let client = host.session.client.is_some();
        let other = host.session.other.is_some();
        let mut names = Vec::new();
        names.extend(client.then(|| "bye_to_client".to_owned()));
        names.extend(other.then(|| "bye_to_other".to_owned()));
        names.extend((1..=iwfs).map(|number| format!("bye_to_iwf{number}")));
        assert_eq!(outs.len(), names.len());
        let mut last = Vec::new();
        for (name, bye) in names.iter().zip(&outs) {
            host.expect(name, bye);
            last = host.respond(bye, &format!("{name}_answer"), "200 OK");
        }
        let ok = End::Answered(200);
        let closed = outcome(&last);
        assert_eq!(closed.cause, Cause::Host);
        let all = ends(client.then_some(ok), other.then_some(ok), &vec![ok; iwfs]);
        assert_eq!(closed.ends, all);
    }
}
