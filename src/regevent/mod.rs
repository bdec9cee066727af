//! The registration event package (RFC 3680 over RFC 6665): subscriber and notifier, as the roles use them.
//!
//! A P-CSCF or SBC subscribes to the registration state of each user it serves; the S-CSCF notifies. The
//! machines here are one subscription each, seen from either end; the nodes of the roles hold them. What stands
//! between the two networks passes the messages on, and remembers nothing.
//!
//! | id | what | where | test |
//! |---|---|---|---|
//! | RE-3, RE-13 | the SUBSCRIBE | [`subscriber`] | `tests/subscriber.rs` |
//! | RE-5, RE-6 | the dialog, whichever of 2xx and NOTIFY comes first | [`subscriber`] | `tests/subscriber.rs` |
//! | RE-7 | when it is refreshed | [`subscriber::refresh_delay`] | `tests/subscriber.rs` |
//! | RE-8, RE-9 | how it ends | [`subscriber`] | `tests/subscriber.rs` |
//! | RE-10 | which NOTIFY is taken | [`notification`] | `tests/pcscf.rs` |
//! | RE-12 | its loss is not the registration's | [`subscriber`] | `tests/subscriber.rs` |
//! | RN-2 to RN-4 | the NOTIFY and how it ends | [`notifier`] | `tests/notifier.rs` |
//! | IB-1 | what passes through an IBCF or IPX proxy | [`relay`](mod@relay) | `tests/relay.rs` |

pub mod defect;
pub mod notification;
pub mod notifier;
pub mod relay;
mod subscribe;
pub mod subscriber;
