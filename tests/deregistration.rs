//! Deregistration with both ends on bytes: the P-CSCF node and the S-CSCF node side by side, what each sends is what
//! the other gets. A test for each field case from T40 to T54, and in `seed` one for each sentence of the source (S0).

#[path = "deregistration/access.rs"]
mod access;
#[path = "deregistration/chain.rs"]
mod chain;
mod common;
#[path = "deregistration/crossing.rs"]
mod crossing;
#[path = "deregistration/ending.rs"]
mod ending;
#[path = "scscf/support.rs"]
#[allow(dead_code, unreachable_pub)]
mod scscf;
#[path = "deregistration/seed.rs"]
mod seed;
#[path = "deregistration/shutdown.rs"]
mod shutdown;
#[path = "deregistration/spoofing.rs"]
mod spoofing;

// As the S-CSCF's tests have it.
use common::fixture;
