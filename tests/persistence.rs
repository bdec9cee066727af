//! State that survives the host: what is stored, when, and what a node that takes over makes of it.

#[path = "persistence/crashes.rs"]
mod crashes;
#[path = "persistence/many.rs"]
mod many;
#[path = "common/pcscf.rs"]
#[allow(dead_code)] // The tests of the P-CSCF need more of it.
mod pcscf;
#[path = "persistence/shutdown.rs"]
mod shutdown;
#[path = "persistence/store.rs"]
mod store;
#[path = "persistence/storing.rs"]
mod storing;
#[path = "common/fleet/mod.rs"]
#[allow(unreachable_pub)]
mod users;
#[path = "persistence/world.rs"]
mod world;
