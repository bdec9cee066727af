//! Conversions to and from the types of the crate `rsip` 0.4, for hosts that hold them (feature `rsip`, never
//! default). The wire layer neither reads nor writes by rsip.
//!
//! Towards rsip there is `TryFrom`; a [`Method`](super::Method) comes back by `From`, a [`CSeq`](super::CSeq)
//! by `TryFrom`. The other values of ours are views over bytes, so what comes back is written: [`put_uri`],
//! [`put_name_addr`], [`put_via`], [`put_authorization`] and [`put_message`] append to a
//! [`Buffer`](crate::drive::Buffer), from which the views read.
//!
//! ```
//! use ims_procedures::{
//!     drive::{Buffer, Limits},
//!     wire::{Message, rsip::put_message},
//! };
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let bytes = b"BYE sip:b@example.net SIP/2.0\r\ni: 1@example.org\r\nCSeq: 1 BYE\r\n\r\n";
//! let message = Message::parse(bytes, &Limits::default())?;
//! let theirs = rsip::SipMessage::try_from(&message)?;
//! let mut buffer = Buffer::new(1_300);
//! put_message(&mut buffer, &theirs)?;
//! let start = b"BYE sip:b@example.net SIP/2.0\r\nCall-ID: 1@example.org\r\n";
//! assert!(buffer.as_slice().starts_with(start));
//! # Ok(())
//! # }
//! ```
//!
//! # What rsip 0.4 holds, and what is refused or changed
//!
//! Nothing is lost in silence: what a type of rsip has no place for, or what rsip would write as something
//! else, is refused, as the variant of [`Inconvertible`] named here. What changes keeps its meaning.
//!
//! | part | held | refused |
//! |---|---|---|
//! | method | rsip's fourteen | any other: `Method` |
//! | URI | `sip` and `sips` | `tel` and any other: `Scheme`; headers after `?`: `UriHeaders` |
//! | status line | status and phrase | |
//! | header fields | all, in order, each as often as it stands | a value that is not UTF-8: `NotUtf8` |
//! | body | as Content-Length cut it | one that is not UTF-8: `Body` |
//! | From, To, Contact | any address, `+sip.instance` too | what the URI refuses; `*` is no address |
//! | Via | rsip's seven transports | any other: `Transport` |
//! | CSeq | number and method | a method that rsip does not know: `Method` |
//! | Authorization | Digest by MD5 or SHA-256 | see below |
//!
//! What changes on the way to rsip:
//!
//! - Compact header names become full ones. A name that rsip knows becomes its variant, any other
//!   `Header::Other`. A folding becomes one space.
//! - A status becomes a variant of `StatusCode` where the phrase is that of [`reason`](super::reason), else
//!   `Other` with its phrase, so that none is lost: compare `code()`, or take `StatusCode::from(code)`.
//! - In URIs and addresses, scheme and parameter names lose their case, `transport` is written in capitals,
//!   empty parameters go, a bare URI gets `<` and `>`. A display name keeps its quotes.
//! - An IPv6 address becomes a `Domain` with brackets, since rsip writes an `IpAddr` without them.
//! - The parameters of credentials lose their order. Refused as `Parameter`: one that rsip has no place for
//!   (`integrity-protected`, `auts`), one that rsip wants and is not there, and AKA (RFC 3310). Refused as
//!   `Altered`: `nc` past 9, since rsip counts it in decimal, and a `uri` that rsip would write in other bytes,
//!   since the digest is over them.
//!
//! On the way back:
//!
//! - CR, LF or NUL is [unsafe](Unwritable::UnsafeValue); any other part that would break out of its place
//!   (a semicolon in a host, a quote in a display name, a header name that is no token) is `Part`.
//! - A message, address or Via that we would not read is `Malformed`: one with a tag that is no token, or with
//!   two branches. A Content-Length shorter than the body is `ContentLength`. A body may hold any bytes.
//! - An IPv6 `IpAddr` gets its brackets; a variant of `StatusCode` the phrase of [`reason`](super::reason),
//!   where rsip would write `404 NotFound`. Its `Accepted`, the name of 202 with the number 201, is `Status`.
//! - SIP/1.0 is `Version`. rsip's SHA-512, which RFC 7616 does not have, is `Parameter`.
//!
//! rsip's own reader, behind `typed()`, has other limits: it refuses an IPv6 or `+sip.instance` Contact and a
//! comma list, and takes `sip:a.b@example.org` for a host. Convert values by this module instead.
//!
//! rsip draws random tags, branches and Call-IDs from the system when its `Default` is asked for one. Nothing
//! here does.

use crate::drive::{Reject, Unwritable};

mod message;
mod values;

pub use message::put_message;
pub use values::{put_authorization, put_name_addr, put_uri, put_via};

/// Why something cannot be carried over between this library and rsip. It holds nothing of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Inconvertible {
    /// A method that rsip does not know.
    #[error("a method that rsip does not know")]
    Method,
    /// A transport that rsip does not know.
    #[error("a transport that rsip does not know")]
    Transport,
    /// A URI that is neither `sip` nor `sips`.
    #[error("a URI that is neither sip nor sips")]
    Scheme,
    /// A URI with headers.
    #[error("a URI with headers")]
    UriHeaders,
    /// Text that is not UTF-8.
    #[error("text that is not UTF-8")]
    NotUtf8,
    /// A body that is not UTF-8.
    #[error("a body that is not UTF-8")]
    Body,
    /// A parameter that the other side has no place for, or lacks.
    #[error("a parameter that the other side has no place for, or lacks")]
    Parameter,
    /// rsip would write it in other bytes where bytes decide.
    #[error("rsip would write other bytes where bytes decide")]
    Altered,
    /// A SIP version other than 2.0.
    #[error("a SIP version other than 2.0")]
    Version,
    /// A status outside 100 to 699, or rsip's `Accepted`, whose name is that of 202 and whose number is 201.
    #[error("a status that is none, or has two readings")]
    Status,
    /// A Content-Length that is not the length of the body.
    #[error("a Content-Length that is not the length of the body")]
    ContentLength,
    /// A part that could not stand in its place without becoming something else.
    #[error("a part that would break out of its place")]
    Part,
    /// What cannot be written.
    #[error(transparent)]
    Unwritable(#[from] Unwritable),
    /// What this library's own reader refuses.
    #[error("malformed: {}", .0.defect.what)]
    Malformed(Reject),
}

impl From<Reject> for Inconvertible {
    fn from(reject: Reject) -> Self {
        Self::Malformed(reject)
    }
}
