//! What the release before wrote is read, and can be written for it.

#[path = "blobs/altered.rs"]
mod altered;
#[path = "common/blobs.rs"]
mod blobs;
#[path = "common/fixture.rs"]
#[allow(dead_code)] // The tests of the S-CSCF need more of it.
mod fixture;
#[path = "common/notified.rs"]
#[allow(dead_code)] // The benches need more of it.
mod notified;
#[path = "common/pcscf.rs"]
#[allow(dead_code)] // The tests of the P-CSCF need more of it.
mod pcscf;
#[path = "scscf/support.rs"]
#[allow(dead_code)] // The tests of the S-CSCF need more of it.
mod support;

use ims_procedures::{drive::Millis, pcscf::PcscfNode, regevent::node::SubscriberNode};

const LATER: Millis = Millis(60_000);

/// [DR-7] A subscriber's node: a user, the subscription, the table after two documents.
#[test]
fn subscriber() {
    let mut notified = notified::watcher();
    notified.advance();
    assert!(notified.receive() > 0);
    blobs::check(&notified.node, LATER, "subscriber-1.bin", |blob| {
        SubscriberNode::restore(
            notified::watcher_config(),
            pcscf::identifiers(2),
            LATER,
            blob,
        )
    });
}

/// [DR-7] A P-CSCF: a user watched, who is being deregistered, with the floor that was the default of the release
/// before.
#[test]
fn pcscf() {
    let mut config = pcscf::config();
    config.subscription.floor = 32;
    let (mut bed, _) = pcscf::subscribed_at(config.clone());
    bed.lose(pcscf::CONTACT);
    let now = bed.now.after(5_000);
    blobs::check(&bed.node, now, "pcscf-2.bin", |blob| {
        PcscfNode::restore(config.clone(), pcscf::identifiers(2), now, blob)
    });
}
