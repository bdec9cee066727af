//! SIP messages as bytes: views of what came, and the writing of what goes. No state, no policy.
//!
//! | clause | what | where | test |
//! |---|---|---|---|
//! | RFC 3261 7 | start line, header fields, folding, compact names | [`Message::parse`] | `tests/wire.rs` |
//! | RFC 3261 18.3 | Content-Length; streams | [`Message::frame`] | `tests/wire.rs` |
//! | RFC 3261 19.1, RFC 3966 | URIs and their comparison | [`Uri`] | `tests/wire.rs` |
//! | RFC 3261 20.10, 7.3.1 | addresses, lists of them | [`NameAddr`] | `tests/wire.rs` |
//! | RFC 3261 20.42, RFC 3581 | Via | [`Via`] | `tests/wire.rs` |
//! | RFC 6665 8.2 | Event, Subscription-State | [`Message::event`], [`Message::subscription_state`] | `tests/wire.rs` |
//! | RFC 3261 8.2.6, 18.1.1, 20.14 | responses, transport, Content-Length | [`Writer`] | `tests/wire.rs` |
//! | IB-1, PD-11 | passing on byte for byte | [`rewrite`](fn@rewrite) | `tests/wire.rs` |

pub mod defect;
mod element;
mod header_name;
mod message;
mod name_addr;
mod params;
pub(crate) mod register;
mod rewrite;
mod scan;
mod uri;
mod values;
mod via;
mod writer;

pub use element::Element;
pub use header_name::HeaderName;
pub use message::{Field, Header, Message, Method, StartLine};
pub use name_addr::{Contact, NameAddr, NameAddrs};
pub use params::{ParamIter, Params};
pub use rewrite::{Edit, rewrite, rewrite_request};
pub use uri::{Host, Scheme, Uri};
pub use values::{Authorization, CSeq, Elements, EventPackage, SubState, SubscriptionState};
pub use via::{MAGIC_COOKIE, Via, Vias};
pub use writer::{Writer, put_quoted, put_unfolded, reason};
