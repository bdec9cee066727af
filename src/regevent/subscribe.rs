//! What a SUBSCRIBE says, read for the [`Subscription`](super::notifier::Subscription).

use alloc::vec::Vec;
use core::fmt;

use super::{defect, notification::target};
use crate::{
    dialog::route_set,
    drive::Reject,
    reginfo,
    wire::{Header, HeaderName, Message, Params, Required},
};

/// A SUBSCRIBE, read as far as its dialog goes.
pub struct Subscribe<'m> {
    pub(super) message: &'m Message<'m>,
    pub(crate) required: Required<'m>,
    /// Its Call-ID.
    pub call_id: &'m [u8],
    /// Its From tag: the subscriber's.
    pub remote_tag: &'m [u8],
    /// Its To tag: ours, in a dialog.
    pub local_tag: Option<&'m [u8]>,
    /// Its CSeq number.
    pub cseq: u32,
    /// Seconds asked for, if it says.
    pub expires: Option<u32>,
    /// The URI of its Contact.
    pub target: &'m [u8],
    pub(super) local_uri: &'m [u8],
    pub(super) remote_uri: &'m [u8],
    pub(super) event_id: &'m [u8],
    pub(super) routes: Vec<u8>,
}

impl<'m> Subscribe<'m> {
    /// [RN-1] Reads a SUBSCRIBE to the `reg` package; `None` for another package, or none (compared
    /// case-sensitively, RFC 6665 8.2.1).
    ///
    /// # Errors
    /// [`Reject`] for headers that a dialog needs and that are missing or cannot be read.
    pub fn read(message: &'m Message<'m>) -> Result<Option<Self>, Reject> {
        let event = match message.event()? {
            Some(event) if event.package == b"reg" => event,
            _ => return Ok(None),
        };
        let required = Required::read(message)?;
        let (from, to) = (required.from, required.to);
        let missing = || Reject::new(&defect::NO_CONTACT, message.head_end());
        Ok(Some(Self {
            message,
            call_id: required.call_id,
            remote_tag: from.tag().unwrap_or_default(),
            local_tag: to.tag(),
            cseq: required.cseq,
            required,
            expires: message.expires()?,
            target: target(message)?.ok_or_else(missing)?,
            local_uri: to.uri_bytes(),
            remote_uri: from.uri_bytes(),
            event_id: event.id.unwrap_or_default(),
            routes: route_set(message, false)?,
        }))
    }

    /// [RN-1] Whether it asks for the state once, with an expiry of zero.
    #[must_use]
    pub fn is_fetch(&self) -> bool {
        self.local_tag.is_none() && self.expires == Some(0)
    }

    /// [RN-1] Whether it takes the documents of the package: without Accept it does (RFC 3680 4.5). The range that
    /// names them most closely counts, and a `q` of zero means no (RFC 3261 20.1).
    #[must_use]
    pub fn accepts_reginfo(&self) -> bool {
        let ranges = [reginfo::CONTENT_TYPE, b"application/*", b"*/*"];
        let mut closest = ranges.into_iter().filter_map(|range| {
            let headers = self.message.headers(HeaderName::Accept);
            let mut listed = headers.flat_map(Header::elements);
            listed.find_map(|listed| accepts(listed, range))
        });
        self.message.header(HeaderName::Accept).is_none() || closest.next().unwrap_or(false)
    }
}

/// What an element of Accept says of a range; `None` if it is of another one.
fn accepts(element: &[u8], range: &[u8]) -> Option<bool> {
    let end = memchr::memchr(b';', element).unwrap_or(element.len());
    let (listed, params) = element.split_at_checked(end)?;
    let refuses = |q: &[u8]| q.iter().all(|byte| matches!(byte, b'0' | b'.'));
    listed
        .trim_ascii_end()
        .eq_ignore_ascii_case(range)
        .then(|| !Params::new(params).value(b"q").is_some_and(refuses))
}

impl fmt::Debug for Subscribe<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscribe")
            .field("in_dialog", &self.local_tag.is_some())
            .field("cseq", &self.cseq)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}
