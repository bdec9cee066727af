//! Every run of the shipped nodes with SIP between them, within bounds: a subscriber and a notifier of registration
//! state; a user, P-CSCFs and the S-CSCF that deregister; a CPM session that is closed. See `tests/exploration/README.md`.

#[path = "exploration/closing/mod.rs"]
mod closing;
mod common;
#[path = "exploration/deregistration/mod.rs"]
mod deregistration;
#[path = "exploration/shared/mod.rs"]
mod shared;
#[path = "exploration/subscription/mod.rs"]
mod subscription;
