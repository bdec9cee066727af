//! [RFC 3261 12.2.2] Requests of the other end.

use alloc::borrow::Cow;
use core::fmt;

use crate::{
    drive::Reject,
    wire::{HeaderName, Message, Method, NameAddr, Required, register::unfolded},
};

/// A request that may be of a dialog, read as far as a dialog goes.
#[derive(Clone, Copy)]
pub struct Incoming<'m> {
    /// Its method.
    pub method: Method<'m>,
    /// Its Request-URI.
    pub request_uri: &'m [u8],
    /// The topmost Route, if it has one.
    pub route: Option<NameAddr<'m>>,
    /// The branch of the topmost Via, if it has one: two requests of one CSeq are one where it is the same.
    pub branch: Option<&'m [u8]>,
    /// Its Call-ID.
    pub call_id: &'m [u8],
    /// Its To tag: this end's. Without one it is of no dialog.
    pub local_tag: Option<&'m [u8]>,
    /// Its From tag: the other end's. Empty where it has none.
    pub remote_tag: &'m [u8],
    /// Its CSeq number.
    pub cseq: u32,
}

impl fmt::Debug for Incoming<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming")
            .field("method", &self.method)
            .field("in_dialog", &self.local_tag.is_some())
            .field("cseq", &self.cseq)
            .finish_non_exhaustive()
    }
}

impl<'m> Incoming<'m> {
    /// [RFC 3261 12.2.2] Reads a request.
    ///
    /// # Errors
    /// What is missing or malformed of that which every request has; a topmost Route that cannot be read. The
    /// status owed is that of [`status_owed`](crate::wire::status_owed).
    pub fn read(message: &Message<'m>) -> Result<Self, Reject> {
        Ok(Self::of(&Required::read(message)?, top_route(message)?))
    }

    /// The same of what has been read of a request already.
    #[must_use]
    pub fn of(required: &Required<'m>, route: Option<NameAddr<'m>>) -> Self {
        Self {
            method: required.method,
            request_uri: required.uri.raw(),
            route,
            branch: required.via.branch(),
            call_id: required.call_id,
            local_tag: required.to.tag(),
            remote_tag: required.from.tag().unwrap_or_default(),
            cseq: required.cseq,
        }
    }
}

fn top_route<'m>(message: &Message<'m>) -> Result<Option<NameAddr<'m>>, Reject> {
    message.name_addrs(HeaderName::Route).next().transpose()
}

/// [RFC 3326 2] The Reasons of a message as one value that can be written again, without folding, commas between them:
/// empty if there is none, `None` if that would have more than `most` bytes. They are not looked into.
#[must_use]
pub fn reason<'m>(message: &Message<'m>, most: usize) -> Option<Cow<'m, [u8]>> {
    let mut fields = message.headers(HeaderName::Reason);
    let mut joined = match fields.next() {
        None => Cow::Borrowed(b"".as_slice()),
        Some(field) if field.raw().contains(&b'\r') => Cow::Owned(unfolded(field.raw())),
        Some(field) => Cow::Borrowed(field.raw()),
    };
    for field in fields {
        let joined = joined.to_mut();
        joined.extend_from_slice(b", ");
        joined.extend_from_slice(&unfolded(field.raw()));
    }
    (joined.len() <= most).then_some(joined)
}
