//! The registration event package (RFC 3680 over RFC 6665): subscriber, notifier, and what a subscriber keeps.
//!
//! A P-CSCF or SBC subscribes to the registration state of each user it serves, and so do MSC servers,
//! application servers and UEs; the S-CSCF notifies. [`subscriber`] and [`notifier`] are one subscription each,
//! seen from either end; [`node::SubscriberNode`] holds the subscriptions of many users behind one set of doors,
//! as the P-CSCF's node does beside its own procedures. [`watcher`] is the table that documents are merged into.
//! What stands between two networks passes the messages on, and remembers nothing: [`relay`].
//!
//! | id | what | where | test |
//! |---|---|---|---|
//! | RE-1 | trunk groups, IP signalling profiles and `supportRegEvent` | [`trunk_group`] | `tests/pcscf.rs` |
//! | RE-2 | one subscription per private identity | [`node`] | `tests/pcscf.rs` |
//! | RE-3, RE-13 | the SUBSCRIBE | [`subscriber`] | `tests/regevent/subscriber.rs` |
//! | RE-4 | the routing question | [`subscriber::Question`] | `tests/regevent.rs` |
//! | RE-5, RE-6 | the dialog, whichever of 2xx and NOTIFY comes first | [`subscriber`] | `tests/regevent/subscriber.rs` |
//! | RE-7 | when it is refreshed | [`subscriber::refresh_delay`] | `tests/regevent/subscriber.rs` |
//! | RE-8, RE-9 | how it ends, or is made anew | [`subscriber`] | `tests/regevent/subscriber.rs` |
//! | RE-10 | which NOTIFY is taken | [`notification`] | `tests/pcscf.rs` |
//! | RE-11 | what an operator sees | [`statistics`] | `tests/regevent.rs` |
//! | RE-12 | its loss is not the registration's | [`subscriber`] | `tests/regevent/subscriber.rs` |
//! | RI-3 | the table of a subscriber, and which document is the next | [`watcher`] | `tests/watcher.rs` |
//! | RN-1 | what is asked for, and how long | [`notifier`] | `tests/notifier.rs` |
//! | RN-2 | which event a contact has | [`contact_events`] | `tests/regevent/contact_events.rs` |
//! | RN-2 to RN-4 | the NOTIFY and how it ends | [`notifier`] | `tests/notifier.rs` |
//! | IB-1 | what passes through an IBCF or IPX proxy | [`relay`](mod@relay) | `tests/relay.rs` |

pub mod contact_events;
pub mod defect;
pub mod node;
pub mod notification;
pub mod notifier;
pub mod relay;
pub mod statistics;
mod subscribe;
pub mod subscriber;
pub(crate) mod subscriptions;
pub mod trunk_group;
pub mod watcher;
