//! Mass procedures of the P-CSCF: its shutdown, and the pace of everything that it sends (PD-2, PD-6, PD-8, PD-12).

mod common;

#[path = "pcscf_drain/crash.rs"]
mod crash;
#[path = "pcscf_drain/orders.rs"]
mod orders;
#[path = "pcscf_drain/pace.rs"]
mod pace;
#[path = "pcscf_drain/properties.rs"]
mod properties;
#[path = "pcscf_drain/storm.rs"]
mod storm;
#[path = "pcscf_drain/world.rs"]
mod world;
