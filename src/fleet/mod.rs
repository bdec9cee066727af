//! What a node needs to hold many machines: an index over every key a message can carry, ordered timers,
//! strings packed in one allocation, and the [`pacer`] of what many of them have to send.
//!
//! Machines themselves stand in a slab; a machine is known by its number there. No cost grows with machines
//! that have nothing to do.

mod index;
mod lists;
pub mod pacer;
mod packed;
mod timers;

pub(crate) use index::Index;
pub(crate) use lists::{Links, List};
pub(crate) use packed::Packed;
pub(crate) use timers::Timers;
