//! What the release before wrote is read, and can be written for it.

#[path = "../common/blobs.rs"]
mod common;

use ims_procedures::{drive::Identifiers, scscf::ScscfNode};

use crate::support::{Host, config, register};

/// [DR-7] An S-CSCF: a set with a subscriber, and a deregistration that waits for the verdict of a host.
#[test]
fn scscf() {
    let mut host = Host::registered();
    host.subscribe();
    host.receive(register());
    let now = host.now.after(5_000);
    common::check(&host.node, now, "scscf-2.bin", |blob| {
        ScscfNode::restore(config(), Identifiers::new([9; 32], 2, 3), now, blob)
    });
}
