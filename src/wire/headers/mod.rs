//! Typed values of header fields: each read from bytes without allocating, checked against its grammar, and
//! each able to write itself so that nothing it holds breaks out of its field.
//!
//! Reading is strict: what RFC 3261 25.1 and the header's own specification do not allow is refused, at its
//! byte. Where more is read than the grammar has, the type says so; and what the grammar wants in quotes is read
//! without them too, and a token also within quotes, since it means the same. Quotes are removed; of escapes
//! see [`Text`].

mod access;
mod address;
mod challenge;
mod charging;
mod credentials;
mod cursor;
mod date;
mod doors;
mod media;
mod reason;
mod security;
mod text;
mod token;
mod value;
mod write;

pub use access::{AccessInfo, AccessNetwork, ServedUser, SessionCase, VisitedNetwork};
pub use address::Contacts;
pub use challenge::{AuthenticationInfo, Challenge, DigestChallenge};
pub use charging::{ChargingAddresses, ChargingVector};
pub use credentials::{Authorization, Bearer, Digest, IntegrityProtected};
pub use cursor::{List, ReadValue};
pub use date::{Date, Timestamp};
pub use media::{Disposition, MediaType, MimeVersion};
pub use reason::{Reason, RetryAfter, Warning};
pub use security::SecurityMechanism;
pub use text::{Text, TextBytes, WriteValue};
pub use token::{
    CpmId, FeatureSet, Number, Phrase, Refresher, RestorationInfo, SessionExpires, Token,
};
pub use value::Value;
pub(super) use write::put_list;
