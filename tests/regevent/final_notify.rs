//! The NOTIFY that ends a subscription: what it says can still be read.

use crate::notified::{self, PRIVATE_IDENTITY};
use ims_procedures::drive::{Millis, Misuse, Node, Outbox};

const LATER: Millis = Millis(10_000);

/// [RI-3] The table of the subscription that a call ended is there until the next call, even one that comes to
/// nothing; one that is refused is none.
#[test]
fn the_last_table_can_be_read() {
    let mut notified = notified::watcher();
    let who = PRIVATE_IDENTITY.as_bytes();
    let before = notified.node.table(who).unwrap().clone();
    notified.advance();
    let text = String::from_utf8(notified.notify.clone()).unwrap();
    let ending = text.replacen("active;expires=600000", "terminated;reason=foo", 1);
    notified.notify = ending.into_bytes();
    assert!(notified.receive() > 0);
    let after = notified.node.table(who).unwrap();
    assert_ne!(*after, before);
    assert!(notified.node.table(b"another@home1.example.net").is_none());

    let mut full = Outbox::with_room(0, 0);
    let refused = notified.node.tick(LATER, &mut full);
    assert!(matches!(refused, Err(Misuse::OutboxFull { .. })));
    assert!(notified.node.table(who).is_some());
    notified
        .node
        .tick(LATER, &mut Outbox::for_steps(1))
        .unwrap();
    assert!(notified.node.table(who).is_none());
}
