//! 8.3.2.3, each numbered item of the text (S3) on bytes, in its order.

use ims_procedures::cpm::{Cause, End, Event, Recording, Scope};

use crate::{
    messages::Session,
    support::{Closed, Host, Out, SESSION, STORED, STREAMS, UNSTORED, ends, outcome},
};

const REASON: &str = "SIP ;cause=200 ;text=\"Call completed elsewhere\"";
const OK: End = End::Answered(200);

fn session(iwfs: usize) -> Session {
    Session::terminating(iwfs).with(REASON, "4711")
}

/// [CP-2, CT-1] (S3 L98, L100 to L110) Item 1 and 2: the client's BYE: stored after the other entity has answered.
#[test]
fn client() {
    let mut host = Host::with(session(0), STORED);
    let [release, bye] = host.receive("bye_from_client").try_into().unwrap();
    assert!(release.is_release_of(Scope::Session));
    host.expect("bye_to_other", &bye);
    let [storage] = host
        .respond(&bye, "bye_to_other_answer", "200 OK")
        .try_into()
        .unwrap();
    assert!(storage.is_storage());
    let [answer, closed] = host.stored(&storage).try_into().unwrap();
    assert!(answer.is_response(1, 200));
    host.expect("bye_from_client_200", &answer);
    let expected = Closed {
        cause: Cause::Client,
        ends: ends(Some(End::ByItself), Some(OK), &[]),
        recording: Recording::Stored,
    };
    assert_eq!(outcome(&[closed]), expected);
}

/// [CP-3, CT-1] (S3 L107, L109) Item 2.c.ii: where it is not allowed nothing is stored, and there is no UID.
#[test]
fn client_not_stored() {
    let mut host = Host::with(session(0).with("", ""), UNSTORED);
    let [_, bye] = host.receive("bye_from_client").try_into().unwrap();
    host.expect("bye_to_other", &bye);
    let outs = host.respond(&bye, "bye_to_other_answer", "200 OK");
    let [answer, closed] = outs.try_into().unwrap();
    host.expect("bye_from_client_200", &answer);
    assert_eq!(outcome(&[closed]).recording, Recording::NotAllowed);
}

/// [CT-2] (S3 L112, L114, L121 to L126) Item 3.a, 3.c, 3.d: the other entity's BYE, not interworked: stored first, then
/// the client's BYE with the UID.
#[test]
fn other_entity_not_interworked() {
    let mut host = Host::with(session(0), STORED);
    let [release, storage] = host.receive("bye_from_other").try_into().unwrap();
    assert!(release.is_release_of(Scope::Session));
    assert!(storage.is_storage());
    let [bye] = host.stored(&storage).try_into().unwrap();
    host.expect("bye_to_client", &bye);
    let [answer, closed] = host
        .respond(&bye, "bye_to_client_answer", "200 OK")
        .try_into()
        .unwrap();
    host.expect("bye_from_other_200", &answer);
    let expected = Closed {
        cause: Cause::Other,
        ends: ends(Some(OK), Some(End::ByItself), &[]),
        recording: Recording::Stored,
    };
    assert_eq!(outcome(&[closed]), expected);
}

/// [CP-4, CT-2] (S3 L124) Item 3.c.ii has no condition, which is a slip: without a UID there is no Message-UID.
#[test]
fn other_entity_not_stored() {
    let mut host = Host::with(session(0).with(REASON, ""), UNSTORED);
    let [_, bye] = host.receive("bye_from_other").try_into().unwrap();
    host.expect("bye_to_client", &bye);
}

/// [CT-2] (S3 L115 to L119, L126) Item 3.b: interworked to one, two and three IWFs: each gets a BYE, without the UID;
/// all are waited for.
#[test]
fn other_entity_interworked() {
    for iwfs in 1..=3 {
        let mut host = Host::with(session(iwfs), STORED);
        let [_, storage] = host.receive("bye_from_other").try_into().unwrap();
        let outs = host.stored(&storage);
        assert_eq!(outs.len(), iwfs);
        for (number, bye) in (1..).zip(&outs) {
            host.expect(&format!("bye_to_iwf{number}"), bye);
        }
        let mut last = Vec::new();
        for (number, bye) in (1..).zip(&outs) {
            assert!(last.is_empty(), "nothing before all have answered");
            last = host.respond(bye, &format!("bye_to_iwf{number}_answer"), "200 OK");
        }
        let [answer, closed] = last.try_into().unwrap();
        host.expect("bye_from_other_200", &answer);
        let all = ends(None, Some(End::ByItself), &vec![OK; iwfs]);
        assert_eq!(outcome(&[closed]).ends, all);
    }
}

/// [CT-3, CP-2] (S3 L130) Item 4.a: one of three IWFs, only its streams go: it is answered at once, its resources are
/// released first, the other entity gets a re-INVITE; then the next one.
#[test]
fn iwf_streams_only() {
    let mut host = Host::with(session(3), STREAMS);
    let [release, answer, invite] = host.receive("bye_from_iwf2").try_into().unwrap();
    assert!(release.is_release_of(Scope::Iwf(1)));
    host.expect("bye_from_iwf2_200", &answer);
    host.expect("reinvite_1", &invite);
    let [ack, shrunk] = host
        .respond(&invite, "reinvite_1_200", "200 OK")
        .try_into()
        .unwrap();
    host.expect("reinvite_1_ack", &ack);
    let event = |iwf| {
        Out::Event(Event::SessionShrunk {
            session: SESSION,
            iwf,
        })
    };
    assert_eq!(shrunk, event(1));

    let [release, answer, invite] = host.receive("bye_from_iwf1").try_into().unwrap();
    assert!(release.is_release_of(Scope::Iwf(0)));
    host.expect("bye_from_iwf1_200", &answer);
    host.expect("reinvite_2", &invite);
    let [ack, shrunk] = host
        .respond(&invite, "reinvite_2_200", "200 OK")
        .try_into()
        .unwrap();
    host.expect("reinvite_2_ack", &ack);
    assert_eq!(shrunk, event(0));

    // The last one is a single IWF: 4.b.
    let [release, storage] = host.receive("bye_from_iwf3").try_into().unwrap();
    assert!(release.is_release_of(Scope::Session));
    assert!(storage.is_storage());
}

/// [CT-4] (S3 L132 to L137) Item 4.b: the whole session goes with one IWF of one, two and three; the others get a BYE
/// too. The 200 waited for is the other entity's: L137 names the client, which is a slip.
#[test]
fn iwf_whole_session() {
    for iwfs in 1..=3 {
        let mut host = Host::with(session(iwfs), STORED);
        let from = iwfs.min(2);
        let [release, storage] = host
            .receive(&format!("bye_from_iwf{from}"))
            .try_into()
            .unwrap();
        assert!(release.is_release_of(Scope::Session));
        let outs = host.stored(&storage);
        let others: Vec<_> = (1..=iwfs).filter(|number| *number != from).collect();
        assert_eq!(outs.len(), iwfs);
        host.expect("bye_to_other", &outs[0]);
        for (number, bye) in others.iter().zip(&outs[1..]) {
            host.expect(&format!("bye_to_iwf{number}"), bye);
        }
        let mut last = host.respond(&outs[0], "bye_to_other_answer", "200 OK");
        for (number, bye) in others.iter().zip(&outs[1..]) {
            assert!(last.is_empty(), "nothing before all have answered");
            last = host.respond(bye, &format!("bye_to_iwf{number}_answer"), "200 OK");
        }
        let [answer, closed] = last.try_into().unwrap();
        host.expect(&format!("bye_from_iwf{from}_200"), &answer);
        let mut all = vec![OK; iwfs];
        all[from - 1] = End::ByItself;
        let expected = Closed {
            cause: Cause::Iwf(u8::try_from(from).unwrap() - 1),
            ends: ends(None, Some(OK), &all),
            recording: Recording::Stored,
        };
        assert_eq!(outcome(&[closed]), expected);
    }
}

/// [CT-3, CT-4] Where nothing would be left the whole session goes, whatever the policy: of a single IWF, and of
/// several when the streams of the others are gone.
#[test]
fn iwf_nothing_left() {
    let mut host = Host::with(session(1), STREAMS);
    let [release, _] = host.receive("bye_from_iwf1").try_into().unwrap();
    assert!(release.is_release_of(Scope::Session));
    let mut session = session(2);
    session.streams = vec![vec![0, 1, 2], Vec::new()];
    let mut host = Host::with(session, STREAMS);
    let [release, _] = host.receive("bye_from_iwf1").try_into().unwrap();
    assert!(release.is_release_of(Scope::Session));
}
