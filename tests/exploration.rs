//! Every run of the shipped nodes with SIP between them, within bounds: a subscriber and a notifier of registration
//! state; a user, P-CSCFs and the S-CSCF that deregister; an MSC server and the home network; a CPM session that is
//! closed. See `tests/exploration/README.md`.

#[allow(dead_code)]
#[path = "mscics/bed.rs"]
mod bed;
#[path = "exploration/closing/mod.rs"]
mod closing;
mod common;
#[path = "exploration/deregistration/mod.rs"]
mod deregistration;
#[path = "exploration/mscics/mod.rs"]
mod mscics;
#[path = "exploration/shared/mod.rs"]
mod shared;
#[path = "exploration/subscription/mod.rs"]
mod subscription;
