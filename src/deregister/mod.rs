//! What those have in common who deregister a user by a REGISTER of their own, P-CSCF and MSC server: the REGISTER,
//! its attempts and what comes of them, and whose turn it is when many are to go.
//!
//! | id | what | where | test |
//! |---|---|---|---|
//! | PD-5 | the REGISTER | `register` | `tests/pcscf.rs` |
//! | MS-3 | of an MSC server | `register` | `tests/mscics.rs` |
//! | PD-6 | what a response means; further attempts | `attempts` | `tests/pcscf.rs` |
//! | MS-5 | of an MSC server | `attempts` | `tests/mscics.rs` |
//! | PD-2 | how far a shutdown has come, and what a dry run finds | `shutdown` | `tests/pcscf_drain.rs` |
//! | DR-9 | how it ended, in a record | `conclusion` | `tests/pcscf/audit.rs` |
//! | PD-10 | what a document says of a contact | `standing` | `tests/pcscf.rs` |
//! | PD-12 | one pacer for every trigger and retry | `pacing` | `tests/pcscf_drain.rs` |

mod attempts;
mod conclusion;
pub(crate) mod pacing;
mod register;
pub(crate) mod shutdown;
pub mod standing;

pub(crate) use attempts::{Attempts, Calling, Meaning};
pub use conclusion::Conclusion;
pub use pacing::{MAX_DOMAINS, NotAsked};
pub(crate) use pacing::{Pace, Pacing, Terms, Want};
pub(crate) use register::{Register, Zero, next_hops};
pub(crate) use shutdown::{Class, Drain, Order, Stage, Survey, Tallied, stretch};
