//! 8.3.2.3, item by item.

use ims_procedures::cpm::{Cause, Function, Scope};

use super::{CORE, Flow, IWFS, byes_to_iwfs};
use crate::{
    messages::Session,
    proxy::passes,
    support::{Out, STORED, STREAMS, Terms, UNSTORED, outcome},
};

/// A BYE comes to a session with so many IWFs.
#[track_caller]
fn begin(iwfs: usize, terms: Terms, bye: &str) -> Flow {
    Flow::begin(Session::terminating(iwfs), terms, bye)
}

/// The client's BYE, and the other entity has answered its own.
#[track_caller]
fn client_left(terms: Terms) -> Flow {
    begin(0, terms, "bye_from_client").answer_all(&["bye_to_other"])
}

/// [CP-1] (S3 L95) A proxy passes the BYE on, and its 200 back.
#[test]
fn proxy() {
    passes(Function::Terminating, "client");
    passes(Function::Terminating, "other");
}

/// [CP-2] (S3 L98) 1: media plane resources are released first, whoever has sent the BYE.
#[test]
fn item_1() {
    for (iwfs, bye, next) in [
        (0, "bye_from_client", "bye_to_other"),
        (0, "bye_from_other", "bye_to_client"),
        (1, "bye_from_iwf1", "bye_to_other"),
    ] {
        let mut flow = begin(iwfs, UNSTORED, bye);
        assert!(flow.outs[0].is_release_of(Scope::Session));
        flow.expect_requests(&[next]);
    }
}

/// [CT-1] (S3 L100) 2: the BYE is the client's: only the other entity is told, and nothing is stored or answered yet.
#[test]
fn item_2() {
    begin(0, STORED, "bye_from_client").expect_requests(&["bye_to_other"]);
}

/// [CT-1, CP-8] (S3 L101) 2.a: the BYE for the other entity is one of its dialog, with the Reason of the client's.
#[test]
fn item_2_a() {
    let mut flow = begin(0, UNSTORED, "bye_from_client");
    flow.expect_requests(&["bye_to_other"]);
    assert!(flow.only().text().contains("\r\nReason: SIP ;cause=200 "));
}

/// [CT-1] (S3 L102) 2.b: it goes by the route set of that leg.
#[test]
fn item_2_b() {
    assert_eq!(begin(0, UNSTORED, "bye_from_client").hops(), [CORE]);
}

/// [CT-1, CP-5] (S3 L103) 2.c: nothing before the 200 of the other entity.
#[test]
fn item_2_c() {
    client_left(UNSTORED).answer();
}

/// [CT-1, CP-8] (S3 L105) 2.c.i: the 200 is of the client's transaction, and names who answers.
#[test]
fn item_2_c_i() {
    let mut flow = client_left(UNSTORED);
    let answer = flow.answer();
    flow.host.expect("bye_from_client_200", &answer);
}

/// [CT-1, CP-3] (S3 L107) 2.c.ii: the store is asked exactly where offline storage is allowed.
#[test]
fn item_2_c_ii() {
    assert!(client_left(STORED).only().is_storage());
    let flow = client_left(UNSTORED);
    assert!(!flow.outs.iter().any(Out::is_storage));
    assert!(!flow.answer().text().contains("Message-UID"));
}

/// [CT-1, CP-3] (S3 L108) 2.c.ii.1: stored once the other entity has answered, and not answered before the UID is
/// retrieved.
#[test]
fn item_2_c_ii_1() {
    let flow = client_left(STORED);
    assert!(flow.only().is_storage());
    let mut flow = flow.store();
    let answer = flow.answer();
    flow.host.expect("bye_from_client_200", &answer);
}

/// [CT-1, CP-4] (S3 L109) 2.c.ii.2: the UID stands in the 200.
#[test]
fn item_2_c_ii_2() {
    let answer = client_left(STORED).store().answer();
    assert!(answer.text().contains("\r\nMessage-UID: 4711\r\n"));
}

/// [CT-1] (S3 L110) 2.c.iii: the 200 is sent in the transaction of the client's BYE, and is the last that is.
#[test]
fn item_2_c_iii() {
    let flow = client_left(STORED).store();
    assert!(flow.answer().is_response(1, 200));
    assert_eq!(outcome(&flow.outs[1..]).cause, Cause::Client);
}

/// [CT-2] (S3 L112) 3: the BYE is the other entity's: only the served side is told.
#[test]
fn item_3() {
    begin(0, UNSTORED, "bye_from_other").expect_requests(&["bye_to_client"]);
    begin(2, UNSTORED, "bye_from_other").expect_requests(&byes_to_iwfs(2));
}

/// [CT-2, CP-3] (S3 L114) 3.a: stored first, exactly where offline storage is allowed, interworked or not.
#[test]
fn item_3_a() {
    for (iwfs, next) in [(0, vec!["bye_to_client"]), (2, byes_to_iwfs(2))] {
        let flow = begin(iwfs, STORED, "bye_from_other");
        assert!(flow.only().is_storage());
        flow.store().expect_requests(&next);
        begin(iwfs, UNSTORED, "bye_from_other").expect_requests(&next);
    }
}

/// [CT-2] (S3 L115) 3.b: interworked: the IWFs, all of them, and nobody else.
#[test]
fn item_3_b() {
    for iwfs in 1..=3 {
        let mut flow = begin(iwfs, STORED, "bye_from_other").store();
        flow.expect_requests(&byes_to_iwfs(iwfs));
    }
}

/// [CT-2, CP-4, CP-8] (S3 L117) 3.b.i: the BYE for an IWF is one of its dialog: no UID, nothing that the core needs.
#[test]
fn item_3_b_i() {
    let mut flow = begin(3, STORED, "bye_from_other").store();
    flow.expect_requests(&byes_to_iwfs(3));
    for bye in flow.rest() {
        let text = bye.text();
        assert!(
            !text.contains("\r\nP-") && !text.contains("Message-UID"),
            "{text}"
        );
    }
}

/// [CT-2] (S3 L119) 3.b.ii: each goes to its IWF: by its route set, or to its remote target.
#[test]
fn item_3_b_ii() {
    assert_eq!(begin(3, STORED, "bye_from_other").store().hops(), IWFS);
}

/// [CT-2] (S3 L121) 3.c: not interworked: the client, and nobody else.
#[test]
fn item_3_c() {
    let mut flow = begin(0, STORED, "bye_from_other").store();
    flow.expect_requests(&["bye_to_client"]);
}

/// [CT-2, CP-8] (S3 L123) 3.c.i: the BYE for the client is one of its dialog.
#[test]
fn item_3_c_i() {
    let mut flow = begin(0, UNSTORED, "bye_from_other");
    flow.expect_requests(&["bye_to_client"]);
    assert!(
        flow.only()
            .text()
            .starts_with("BYE sip:alice@192.0.2.20:5070 SIP/2.0\r\n")
    );
}

/// [CT-2, CP-4] (S3 L124) 3.c.ii: the UID stands in the BYE where there is one; that the text has no condition is a
/// slip.
#[test]
fn item_3_c_ii() {
    let bye = begin(0, STORED, "bye_from_other").store().only();
    assert!(bye.text().contains("\r\nMessage-UID: 4711\r\n"));
    let bye = begin(0, UNSTORED, "bye_from_other").only();
    assert!(!bye.text().contains("Message-UID"));
}

/// [CT-2] (S3 L125) 3.c.iii: it goes by the route set of that leg.
#[test]
fn item_3_c_iii() {
    assert_eq!(begin(0, STORED, "bye_from_other").store().hops(), [CORE]);
}

/// [CT-2, CP-5, CP-8] (S3 L126) 3.d: on the client's 200, or those of all IWFs, the other entity gets its own, with
/// what the core needs.
#[test]
fn item_3_d() {
    for (iwfs, byes) in [(0, vec!["bye_to_client"]), (3, byes_to_iwfs(3))] {
        let flow = begin(iwfs, STORED, "bye_from_other").store();
        let mut flow = flow.answer_all(&byes);
        let answer = flow.answer();
        flow.host.expect("bye_from_other_200", &answer);
    }
}

/// [CT-3, CT-4] (S3 L128) 4: the BYE is an IWF's, one of those of the session.
#[test]
fn item_4() {
    for iwf in 0..3u8 {
        let flow = begin(3, UNSTORED, &format!("bye_from_iwf{}", iwf + 1));
        let legs = ["bye_to_other", "bye_to_iwf1", "bye_to_iwf2", "bye_to_iwf3"];
        let own = format!("bye_to_iwf{}", iwf + 1);
        let others: Vec<_> = legs.into_iter().filter(|leg| *leg != own).collect();
        let flow = flow.answer_all(&others);
        assert_eq!(outcome(&flow.outs[1..]).cause, Cause::Iwf(iwf));
    }
}

/// [CT-3] (S3 L130) 4.a: several IWFs and only its streams go: the other entity gets a re-INVITE that deletes them.
#[test]
fn item_4_a() {
    let mut flow = begin(3, STREAMS, "bye_from_iwf2");
    let [_, answer, invite] = &flow.outs.clone()[..] else {
        panic!("{:?}", flow.outs);
    };
    flow.host.expect("bye_from_iwf2_200", answer);
    flow.host.expect("reinvite_1", invite);
    assert_eq!(flow.hops(), [CORE]);
}

/// [CT-4] (S3 L132) 4.b: the whole session goes with one of several where the policy says so, and with a single one
/// whatever it says.
#[test]
fn item_4_b() {
    let terms = Terms {
        stores: false,
        ..STREAMS
    };
    begin(1, UNSTORED, "bye_from_iwf1").expect_requests(&["bye_to_other"]);
    begin(1, terms, "bye_from_iwf1").expect_requests(&["bye_to_other"]);
    begin(2, UNSTORED, "bye_from_iwf2").expect_requests(&["bye_to_other", "bye_to_iwf1"]);
}

/// [CT-4, CP-3] (S3 L134) 4.b.i: stored first, exactly where offline storage is allowed; no message carries the UID,
/// for none goes to the client.
#[test]
fn item_4_b_i() {
    let flow = begin(1, STORED, "bye_from_iwf1");
    assert!(flow.only().is_storage());
    let mut flow = flow.store();
    flow.expect_requests(&["bye_to_other"]);
    assert!(!flow.only().text().contains("Message-UID"));
    begin(1, UNSTORED, "bye_from_iwf1").expect_requests(&["bye_to_other"]);
}

/// [CT-4, CP-8] (S3 L135) 4.b.ii: the BYE for the other entity is one of its dialog.
#[test]
fn item_4_b_ii() {
    let mut flow = begin(1, UNSTORED, "bye_from_iwf1");
    flow.expect_requests(&["bye_to_other"]);
    let text = flow.only().text();
    assert!(text.starts_with("BYE sip:cpm-pf2.home2.example.net:5062 SIP/2.0\r\n"));
}

/// [CT-4] (S3 L136) 4.b.iii: it goes by the route set of that leg; those to the other IWFs, which the text forgets, to
/// them.
#[test]
fn item_4_b_iii() {
    let flow = begin(3, STORED, "bye_from_iwf2").store();
    assert_eq!(flow.hops(), [CORE, IWFS[0], IWFS[2]]);
}

/// [CT-4] (S3 L137) 4.b.iv: on the 200 of the other entity, where the text names the client, and those of the other
/// IWFs, the IWF gets its own.
#[test]
fn item_4_b_iv() {
    let flow = begin(2, STORED, "bye_from_iwf2").store();
    let mut flow = flow.answer_all(&["bye_to_other", "bye_to_iwf1"]);
    let answer = flow.answer();
    flow.host.expect("bye_from_iwf2_200", &answer);
}
