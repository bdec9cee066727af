//! State that survives the host: what is stored, when, and what a node that takes over makes of it.

#[path = "persistence/crashes.rs"]
mod crashes;
#[path = "common/pcscf.rs"]
#[allow(dead_code)] // The tests of the P-CSCF need more of it.
mod pcscf;
#[path = "persistence/store.rs"]
mod store;
#[path = "persistence/storing.rs"]
mod storing;
#[path = "persistence/world.rs"]
mod world;
