//! 8.2.2.3, item by item.

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
    Flow::begin(Session::originating(iwfs), terms, bye)
}

/// The client's BYE, and the other entity has answered its own.
#[track_caller]
fn client_left(terms: Terms) -> Flow {
    begin(0, terms, "bye_from_client").answer_all(&["bye_to_other"])
}

/// [CP-1] (S3 L43) A proxy passes the BYE on, and its 200 back.
#[test]
fn proxy() {
    passes(Function::Originating, "client");
    passes(Function::Originating, "other");
}

/// [CP-2] (S3 L46) 3: media plane resources are released first, whoever has sent the BYE.
#[test]
fn item_3() {
    for (iwfs, bye, next) in [
        (0, "bye_from_client", "bye_to_other"),
        (0, "bye_from_other", "bye_to_client"),
        (1, "bye_from_iwf1", "bye_to_client"),
    ] {
        let mut flow = begin(iwfs, UNSTORED, bye);
        assert!(flow.outs[0].is_release_of(Scope::Session));
        flow.expect_requests(&[next]);
    }
}

/// [CO-1] (S3 L48) 4: the BYE is the client's: only the far side is told, and nothing is stored or answered yet.
#[test]
fn item_4() {
    begin(0, STORED, "bye_from_client").expect_requests(&["bye_to_other"]);
    begin(2, STORED, "bye_from_client").expect_requests(&byes_to_iwfs(2));
}

/// [CO-1] (S3 L49) 4.a: interworked: the IWFs, all of them, and nobody else.
#[test]
fn item_4_a() {
    for iwfs in 1..=3 {
        begin(iwfs, STORED, "bye_from_client").expect_requests(&byes_to_iwfs(iwfs));
    }
}

/// [CO-1, CP-8] (S3 L51) 4.a.i: the BYE for an IWF is one of its dialog, and says nothing that the core needs.
#[test]
fn item_4_a_i() {
    let mut flow = begin(3, STORED, "bye_from_client");
    flow.expect_requests(&byes_to_iwfs(3));
    for bye in flow.rest() {
        assert!(!bye.text().contains("\r\nP-"), "{}", bye.text());
    }
}

/// [CO-1] (S3 L53) 4.a.ii: each goes to its IWF: by its route set, or to its remote target.
#[test]
fn item_4_a_ii() {
    assert_eq!(begin(3, STORED, "bye_from_client").hops(), IWFS);
}

/// [CO-1] (S3 L54) 4.b: not interworked: the other entity, and nobody else.
#[test]
fn item_4_b() {
    begin(0, STORED, "bye_from_client").expect_requests(&["bye_to_other"]);
}

/// [CO-1, CP-8] (S3 L56) 4.b.i: the BYE for the other entity is one of its dialog, with the Reason of the client's.
#[test]
fn item_4_b_i() {
    let mut flow = begin(0, UNSTORED, "bye_from_client");
    flow.expect_requests(&["bye_to_other"]);
    assert!(flow.only().text().contains("\r\nReason: SIP ;cause=200 "));
}

/// [CO-1] (S3 L57) 4.b.ii: it goes by the route set of that leg.
#[test]
fn item_4_b_ii() {
    assert_eq!(begin(0, UNSTORED, "bye_from_client").hops(), [CORE]);
}

/// [CO-1, CP-5] (S3 L58) 4.c: nothing before the 200 of the other entity, or those of all IWFs.
#[test]
fn item_4_c() {
    client_left(UNSTORED).answer();
    for iwfs in 1..=3 {
        let flow = begin(iwfs, UNSTORED, "bye_from_client");
        flow.answer_all(&byes_to_iwfs(iwfs)).answer();
    }
}

/// [CO-1, CP-8] (S3 L60) 4.c.i: the 200 is of the client's transaction, and names who answers.
#[test]
fn item_4_c_i() {
    let mut flow = client_left(UNSTORED);
    let answer = flow.answer();
    flow.host.expect("bye_from_client_200", &answer);
}

/// [CO-1, CP-3] (S3 L62) 4.c.ii: the store is asked exactly where offline storage is allowed.
#[test]
fn item_4_c_ii() {
    assert!(client_left(STORED).only().is_storage());
    let flow = client_left(UNSTORED);
    assert!(!flow.outs.iter().any(Out::is_storage));
    assert!(!flow.answer().text().contains("Message-UID"));
}

/// [CO-1, CP-3] (S3 L63) 4.c.ii.1: stored once the far side has answered, and not answered before the UID is retrieved.
#[test]
fn item_4_c_ii_1() {
    let flow = client_left(STORED);
    assert!(flow.only().is_storage());
    let mut flow = flow.store();
    let answer = flow.answer();
    flow.host.expect("bye_from_client_200", &answer);
}

/// [CO-1, CP-4] (S3 L64) 4.c.ii.2: the UID stands in the 200.
#[test]
fn item_4_c_ii_2() {
    let answer = client_left(STORED).store().answer();
    assert!(answer.text().contains("\r\nMessage-UID: 4711\r\n"));
}

/// [CO-1] (S3 L65) 4.c.iii: the 200 is sent in the transaction of the client's BYE, and is the last that is.
#[test]
fn item_4_c_iii() {
    let flow = client_left(STORED).store();
    assert!(flow.answer().is_response(1, 200));
    assert_eq!(outcome(&flow.outs[1..]).cause, Cause::Client);
}

/// [CO-2] (S3 L67) 5: the BYE is the other entity's: only the client is told.
#[test]
fn item_5() {
    begin(0, UNSTORED, "bye_from_other").expect_requests(&["bye_to_client"]);
}

/// [CO-2, CP-8] (S3 L69) 5.a: the BYE for the client is one of its dialog.
#[test]
fn item_5_a() {
    let mut flow = begin(0, UNSTORED, "bye_from_other");
    flow.expect_requests(&["bye_to_client"]);
    assert!(
        flow.only()
            .text()
            .starts_with("BYE sip:alice@192.0.2.20:5070 SIP/2.0\r\n")
    );
}

/// [CO-2, CP-3] (S3 L70) 5.b: the store is asked exactly where offline storage is allowed.
#[test]
fn item_5_b() {
    assert!(begin(0, STORED, "bye_from_other").only().is_storage());
    let mut flow = begin(0, UNSTORED, "bye_from_other");
    flow.expect_requests(&["bye_to_client"]);
}

/// [CO-2, CP-3] (S3 L71) 5.b.i: stored before the client is told.
#[test]
fn item_5_b_i() {
    let flow = begin(0, STORED, "bye_from_other");
    assert!(flow.only().is_storage());
    flow.store().expect_requests(&["bye_to_client"]);
}

/// [CO-2, CP-4] (S3 L72) 5.b.ii: the UID stands in the BYE.
#[test]
fn item_5_b_ii() {
    let bye = begin(0, STORED, "bye_from_other").store().only();
    assert!(bye.text().contains("\r\nMessage-UID: 4711\r\n"));
}

/// [CO-2] (S3 L73) 5.c: it goes by the route set of that leg.
#[test]
fn item_5_c() {
    assert_eq!(begin(0, STORED, "bye_from_other").store().hops(), [CORE]);
}

/// [CO-2, CP-8] (S3 L74) 5.d: on the client's 200 the other entity gets its own, with what the core needs.
#[test]
fn item_5_d() {
    let flow = begin(0, STORED, "bye_from_other").store();
    let mut flow = flow.answer_all(&["bye_to_client"]);
    let answer = flow.answer();
    flow.host.expect("bye_from_other_200", &answer);
}

/// [CO-3, CO-4] (S3 L76) 6: the BYE is an IWF's, one of those of the session.
#[test]
fn item_6() {
    for iwf in 0..3u8 {
        let flow = begin(3, UNSTORED, &format!("bye_from_iwf{}", iwf + 1));
        let legs = ["bye_to_client", "bye_to_iwf1", "bye_to_iwf2", "bye_to_iwf3"];
        let own = format!("bye_to_iwf{}", iwf + 1);
        let others: Vec<_> = legs.into_iter().filter(|leg| *leg != own).collect();
        let flow = flow.answer_all(&others);
        assert_eq!(outcome(&flow.outs[1..]).cause, Cause::Iwf(iwf));
    }
}

/// [CO-3] (S3 L77) 6.a: several IWFs and only its streams go: the client gets a re-INVITE that deletes them.
#[test]
fn item_6_a() {
    let mut flow = begin(3, STREAMS, "bye_from_iwf2");
    let [_, answer, invite] = &flow.outs.clone()[..] else {
        panic!("{:?}", flow.outs);
    };
    flow.host.expect("bye_from_iwf2_200", answer);
    flow.host.expect("reinvite_1", invite);
    assert_eq!(flow.hops(), [CORE]);
}

/// [CO-4] (S3 L79) 6.b: the whole session goes with one of several where the policy says so, and with a single one
/// whatever it says.
#[test]
fn item_6_b() {
    let terms = Terms {
        stores: false,
        ..STREAMS
    };
    begin(1, UNSTORED, "bye_from_iwf1").expect_requests(&["bye_to_client"]);
    begin(1, terms, "bye_from_iwf1").expect_requests(&["bye_to_client"]);
    begin(2, UNSTORED, "bye_from_iwf2").expect_requests(&["bye_to_client", "bye_to_iwf1"]);
}

/// [CO-4, CP-8] (S3 L81) 6.b.i: the BYE for the client is one of its dialog.
#[test]
fn item_6_b_i() {
    let mut flow = begin(1, UNSTORED, "bye_from_iwf1");
    flow.expect_requests(&["bye_to_client"]);
    assert!(
        flow.only()
            .text()
            .starts_with("BYE sip:alice@192.0.2.20:5070 SIP/2.0\r\n")
    );
}

/// [CO-4, CP-3] (S3 L82) 6.b.ii: the store is asked exactly where offline storage is allowed.
#[test]
fn item_6_b_ii() {
    assert!(begin(1, STORED, "bye_from_iwf1").only().is_storage());
    begin(1, UNSTORED, "bye_from_iwf1").expect_requests(&["bye_to_client"]);
}

/// [CO-4, CP-3] (S3 L83) 6.b.ii.1: stored before anybody is told.
#[test]
fn item_6_b_ii_1() {
    let flow = begin(2, STORED, "bye_from_iwf2");
    assert!(flow.only().is_storage());
    let mut flow = flow.store();
    flow.expect_requests(&["bye_to_client", "bye_to_iwf1"]);
}

/// [CO-4, CP-4] (S3 L84) 6.b.ii.2: the UID stands in the BYE to the client, and in no other.
#[test]
fn item_6_b_ii_2() {
    let flow = begin(2, STORED, "bye_from_iwf2").store();
    let with_uid = |out: &Out| out.text().contains("\r\nMessage-UID: 4711\r\n");
    let found: Vec<bool> = flow.rest().map(with_uid).collect();
    assert_eq!(found, [true, false]);
}

/// [CO-4] (S3 L85) 6.b.iii: it goes by the route set of that leg; those to the other IWFs, which the text forgets, to
/// them.
#[test]
fn item_6_b_iii() {
    let flow = begin(3, STORED, "bye_from_iwf2").store();
    assert_eq!(flow.hops(), [CORE, IWFS[0], IWFS[2]]);
}

/// [CO-4] (S3 L86) 6.b.iv: on the client's 200, and those of the other IWFs, the IWF gets its own.
#[test]
fn item_6_b_iv() {
    let flow = begin(2, STORED, "bye_from_iwf2").store();
    let mut flow = flow.answer_all(&["bye_to_client", "bye_to_iwf1"]);
    let answer = flow.answer();
    flow.host.expect("bye_from_iwf2_200", &answer);
}
