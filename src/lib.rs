//! State machines for IMS that a host embeds, without any I/O of their own.
#![no_std]
#![deny(missing_docs)]
#![warn(unreachable_pub)]
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    clippy::todo,
    clippy::unimplemented,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects
)]

extern crate alloc;

pub mod drive;
mod fleet;
pub mod pcscf;
pub mod regevent;
pub mod reginfo;
pub mod scscf;
#[cfg(feature = "txn")]
pub mod txn;
pub mod wire;
