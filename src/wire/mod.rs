//! SIP messages as bytes: views of what came, and the writing of what goes. No state, no policy.
//!
//! | clause | what | where | test |
//! |---|---|---|---|
//! | RFC 3261 7 | start line, header fields, folding, compact names | [`Message::parse`] | `tests/wire/framing.rs` |
//! | RFC 3261 18.3 | Content-Length; streams | [`Message::parse`], [`Framer`] | `tests/wire/bodies.rs`, `tests/wire/stream.rs` |
//! | RFC 5626 3.5.1, 4.4.1 | keep-alives on streams | [`Frame`] | `tests/wire/stream.rs` |
//! | RFC 3261 19.1, RFC 3966, RFC 5954 4.2, SD-1 | URIs and their comparison | [`Uri`], [`Host`] | `tests/wire/comparison.rs` |
//! | RFC 3261 20.10, 7.3.1 | addresses, lists of them | [`NameAddr`] | `tests/wire/addresses.rs` |
//! | RFC 3261 20.42, RFC 3581 | Via | [`Via`] | `tests/wire/addresses.rs` |
//! | RFC 6665 8.2 | Event, Subscription-State | [`Message::event`], [`Message::subscription_state`] | `tests/wire/values.rs` |
//! | RFC 3261 8.2.6, 18.1.1, 20.14 | responses, transport, Content-Length | [`Writer`] | `tests/wire/writing.rs` |
//! | RFC 3261 8.1.1, 8.2, 16.3, 21.4.1 | what a request must have, and the answer owed for one not taken | [`validate`](fn@validate), [`Owed`] | `tests/wire/owed.rs` |
//! | RFC 3261 18.1.2, 8.1.3.3, 16.7 | what a response must have, or be discarded | [`Reply`] | `tests/wire/owed.rs` |
//! | RFC 3261 18.3 | the answer to a request that could not be read | [`Salvage`] | `tests/wire/owed.rs` |
//! | RFC 3261 20 | every header field as its typed value | [`Field::read`], [`Value`] | `tests/wire/headers.rs` |
//! | RFC 3261 20.7, RFC 7616, RFC 8898, TS 24.229 7.2A.1, 7.2A.2 | credentials, challenges | [`Authorization`], [`Challenge`] | `tests/wire/headers.rs` |
//! | RFC 3329 2.2, TS 24.229 7.2A.7 | security agreement | [`SecurityMechanism`] | `tests/wire/headers.rs` |
//! | RFC 7315 4.3 to 4.6, RFC 5502 6, TS 24.229 7.2A.4, 7.2A.5 | networks, charging, served user | [`AccessNetwork`], [`VisitedNetwork`], [`ChargingVector`], [`ChargingAddresses`], [`ServedUser`] | `tests/wire/headers.rs` |
//! | RFC 3326, RFC 3261 20.33, 20.43 | reasons, Retry-After, warnings | [`Reason`], [`RetryAfter`], [`Warning`] | `tests/wire/headers.rs` |
//! | RFC 3261 20.1, 20.15, 20.17, 20.38, RFC 4028, RFC 3841, RFC 6809 | media types, times, intervals, features | [`MediaType`], [`Date`], [`Timestamp`], [`SessionExpires`], [`FeatureSet`] | `tests/wire/headers.rs` |
//! | CP-4, OMA CPM | Message-UID and its like | [`CpmId`] | `tests/wire/headers.rs` |
//! | RFC 3261 25.1 | writing typed values so that nothing breaks out | [`WriteValue`] | `tests/wire/headers_writing.rs` |
//! | RFC 4475, RFC 5118 | torture messages: what is read, refused and answered | [`Message::parse`], [`Field::read`] | `tests/wire/torture.rs`, `tests/wire/rfc5118.rs` |
//! | DR-8, RFC 3261 19.1.4 | the shard that a message belongs to | [`affinity`](fn@affinity) | `tests/wire/affinity.rs` |
//! | RFC 8866, RFC 3264 8 | session descriptions, and the offer that deletes streams of one | [`sdp`] | `tests/wire/sdp.rs` |
//! | IB-1, PD-11 | passing on byte for byte | [`rewrite`](fn@rewrite) | `tests/wire/writing.rs` |
//! | | conversions to and from rsip | `rsip` (feature) | `tests/rsip.rs` |

mod affinity;
mod contact;
pub mod defect;
mod element;
mod header_name;
mod headers;
mod message;
mod name_addr;
mod params;
pub(crate) mod register;
mod rewrite;
#[cfg(feature = "rsip")]
pub mod rsip;
pub(crate) mod salvage;
mod scan;
pub mod sdp;
mod start_line;
mod stream;
mod uri;
mod validate;
mod values;
mod via;
mod writer;

pub use affinity::{Affinity, affinity};
pub use contact::{Contact, ContactAddr};
pub use element::Element;
pub use header_name::HeaderName;
pub use headers::{
    AccessInfo, AccessNetwork, AuthenticationInfo, Authorization, Bearer, Challenge,
    ChargingAddresses, ChargingVector, Contacts, CpmId, Date, Digest, DigestChallenge, Disposition,
    FeatureSet, IntegrityProtected, List, MediaType, MimeVersion, Number, Phrase, ReadValue,
    Reason, Refresher, RestorationInfo, RetryAfter, SecurityMechanism, ServedUser, SessionCase,
    SessionExpires, Text, TextBytes, Timestamp, Token, Value, VisitedNetwork, Warning, WriteValue,
};
pub use message::{Field, Header, Message};
pub use name_addr::{NameAddr, NameAddrs};
pub use params::{ParamIter, Params};
pub use rewrite::{Edit, rewrite, rewrite_request};
pub use salvage::{Salvage, answer_refused};
pub use start_line::{Method, StartLine};
pub use stream::{Frame, Framer};
pub use uri::{Host, Scheme, Uri};
pub use validate::{Accepts, Owed, Reply, Required, status_owed, validate};
pub(crate) use values::check_call_id;
pub use values::{CSeq, Elements, EventPackage, SubState, SubscriptionState};
pub use via::{MAGIC_COOKIE, Via, Vias};
pub use writer::{Writer, put_quoted, put_unfolded, reason};
