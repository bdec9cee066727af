//! The first line of a message: of a request its method, of a response its status.

use core::fmt;

use super::{
    defect,
    scan::{self, Version, after, before, sip_version},
};
use crate::drive::Reject;

/// A method. Compared case by case (RFC 3261 7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method<'a> {
    /// REGISTER (RFC 3261)
    Register,
    /// SUBSCRIBE (RFC 6665)
    Subscribe,
    /// NOTIFY (RFC 6665)
    Notify,
    /// INVITE (RFC 3261)
    Invite,
    /// ACK (RFC 3261)
    Ack,
    /// BYE (RFC 3261)
    Bye,
    /// CANCEL (RFC 3261)
    Cancel,
    /// OPTIONS (RFC 3261)
    Options,
    /// PUBLISH (RFC 3903)
    Publish,
    /// MESSAGE (RFC 3428)
    Message,
    /// REFER (RFC 3515)
    Refer,
    /// INFO (RFC 6086)
    Info,
    /// UPDATE (RFC 3311)
    Update,
    /// PRACK (RFC 3262)
    Prack,
    /// Any other, as it stood.
    Other(&'a [u8]),
}

impl<'a> Method<'a> {
    /// The method of that name. A name in another case is another method.
    #[must_use]
    pub fn of(name: &'a [u8]) -> Self {
        match name {
            b"REGISTER" => Self::Register,
            b"SUBSCRIBE" => Self::Subscribe,
            b"NOTIFY" => Self::Notify,
            b"INVITE" => Self::Invite,
            b"ACK" => Self::Ack,
            b"BYE" => Self::Bye,
            b"CANCEL" => Self::Cancel,
            b"OPTIONS" => Self::Options,
            b"PUBLISH" => Self::Publish,
            b"MESSAGE" => Self::Message,
            b"REFER" => Self::Refer,
            b"INFO" => Self::Info,
            b"UPDATE" => Self::Update,
            b"PRACK" => Self::Prack,
            other => Self::Other(other),
        }
    }

    /// The name.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        match self {
            Self::Register => b"REGISTER",
            Self::Subscribe => b"SUBSCRIBE",
            Self::Notify => b"NOTIFY",
            Self::Invite => b"INVITE",
            Self::Ack => b"ACK",
            Self::Bye => b"BYE",
            Self::Cancel => b"CANCEL",
            Self::Options => b"OPTIONS",
            Self::Publish => b"PUBLISH",
            Self::Message => b"MESSAGE",
            Self::Refer => b"REFER",
            Self::Info => b"INFO",
            Self::Update => b"UPDATE",
            Self::Prack => b"PRACK",
            Self::Other(name) => name,
        }
    }
}

/// The first line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum StartLine<'a> {
    /// A request line.
    Request {
        /// Its method.
        method: Method<'a>,
        /// Its Request-URI as it stood.
        uri: &'a [u8],
    },
    /// A status line.
    Response {
        /// Its status code, 100 to 699.
        status: u16,
        /// Its reason phrase as it stood; may be empty.
        reason: &'a [u8],
    },
}

impl fmt::Debug for StartLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request { method, .. } => write!(f, "Request({method:?})"),
            Self::Response { status, .. } => write!(f, "Response({status})"),
        }
    }
}

/// [RFC 3261 7.1] [RFC 3261 7.2] Reads a line without its line end.
pub(super) fn read_start_line(line: &[u8]) -> Result<StartLine<'_>, Reject> {
    if let Some(rest) = line.strip_prefix(b"SIP/2.0 ") {
        return read_status(rest).map_err(|r| r.shifted(8));
    }
    let space = scan::first::<b' '>(line).ok_or(Reject::new(&defect::START_LINE, 0))?;
    let first = before(line, space);
    let rest_at = space.wrapping_add(1);
    let rest = after(line, rest_at);
    if !scan::is_token(first) {
        return if sip_version(first) == Some(Version::Own) {
            read_status(rest).map_err(|r| r.shifted(rest_at))
        } else {
            Err(not_a_method(first))
        };
    }
    let uri_length = scan::first::<b' '>(rest).ok_or(Reject::new(&defect::START_LINE, rest_at))?;
    let uri = before(rest, uri_length);
    let version_at = rest_at.wrapping_add(uri_length).wrapping_add(1);
    if uri.is_empty() {
        return Err(Reject::new(&defect::REQUEST_URI, rest_at));
    }
    if !scan::is_uri_text(uri) {
        let at = scan::find(uri, scan::NOT_URI).unwrap_or_default();
        return Err(Reject::new(&defect::REQUEST_URI, rest_at.wrapping_add(at)));
    }
    let version = after(line, version_at);
    if sip_version(version) != Some(Version::Own) {
        return Err(not_our_version(version, version_at));
    }
    Ok(StartLine::Request {
        method: Method::of(first),
        uri,
    })
}

#[cold]
fn not_a_method(first: &[u8]) -> Reject {
    let what = match sip_version(first) {
        Some(_) => &defect::VERSION,
        None => &defect::METHOD,
    };
    Reject::new(what, 0)
}

/// What is wrong with what stands, at `at`, in place of the version. Where it ends in one, there is more white
/// space in the line than two spaces, and how far the Request-URI goes is a guess.
#[cold]
fn not_our_version(version: &[u8], at: usize) -> Reject {
    if sip_version(version).is_some() {
        Reject::new(&defect::VERSION, at)
    } else if sip_version(scan::last_word(version)).is_some() {
        Reject::new(&defect::REQUEST_URI, at.wrapping_sub(1))
    } else {
        Reject::new(&defect::START_LINE, at)
    }
}

fn read_status(rest: &[u8]) -> Result<StartLine<'_>, Reject> {
    let refuse = Reject::new(&defect::STATUS, 0);
    let (digits, reason) = rest.split_at_checked(3).ok_or(refuse)?;
    let status = scan::port(digits).ok_or(refuse)?;
    if !(100..700).contains(&status) {
        return Err(refuse);
    }
    match reason {
        [] => Ok(StartLine::Response { status, reason }),
        [b' ', reason @ ..] => Ok(StartLine::Response { status, reason }),
        _ => Err(refuse),
    }
}
