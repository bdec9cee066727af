//! What passes through: SUBSCRIBE, NOTIFY and their responses, at an IBCF or IPX proxy that stands between the
//! subscriber's network and the notifier's. Such a node has no subscription of its own, and keeps nothing: a
//! dialog costs it nothing, however long it lasts.
//!
//! [`relay`] copies one message, and translates in it what the host maps ([`Translation`], [`Mapped`]):
//!
//! - the URI of every Contact, in requests and in responses of whatever status. Both requests are target
//!   refreshes, and so are their 2xx (RFC 6665 4.4.1, RFC 3261 12.2); a 3xx or a 485 names where else to ask; in
//!   any other a Contact means nothing, but would show what is to be hidden all the same. `*` stays;
//! - the Request-URI of requests in a dialog, which is such a Contact given back;
//! - if the [`Config`] says so, what a document in a NOTIFY says of contacts and addresses of record, and its
//!   Content-Length with it.
//!
//! Every other byte stays: the order and spelling of header fields, compact names, folding, white space, a
//! display name, the parameters of a Contact, header fields that nobody knows, other bodies.
//!
//! # What is left to the host
//! All that a proxy owes (RFC 3261 16): the checks of a request ([`wire::validate`](fn@crate::wire::validate)),
//! Via, Max-Forwards, Record-Route, Route, choosing the next hop; Content-Length where a message without one goes
//! onto a stream (16.6 step 9; on a datagram the end of the body is the end of the datagram, 18.3). Other header
//! fields that show a network, such as Via and Record-Route, are for its topology hiding.
//!
//! The messages of a dialog come translated both ways only if the host translates each of them: what goes out
//! mapped must come in mapped back. A NOTIFY may come before the 2xx; nothing here waits for either.
//!
//! # Whose messages
//! A request is ours by its method and `Event: reg`; the package is compared case-sensitively (RFC 6665 8.2.1).
//! A response names no package: that of a SUBSCRIBE or NOTIFY, by its CSeq, is ours unless it has an Event that
//! names another one. A host that passes other packages on untranslated does not ask about their responses; it
//! knows them by their transaction.

mod mapped;

pub use crate::reginfo::{NewUri, Translation, Untranslated};
pub use mapped::{Direction, Expiry, Mapped, Pair};

use alloc::vec::Vec;
use core::ops::Range;

use crate::{
    drive::{Buffer, Limits, Reject, Unwritable},
    reginfo::{self, Spelling, Splice},
    wire::{Contact, Header, HeaderName, Message, Method, Uri},
};

/// How messages pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// Which Request-URIs are mapped back. Default: those of requests in a dialog.
    pub request_uris: RequestUris,
    /// What becomes of the documents in NOTIFYs. Default: nothing.
    pub documents: Documents,
    /// What becomes of a NOTIFY whose document is to be translated and cannot be read. Default: it passes.
    pub unread: Unread,
}

/// Which Request-URIs are mapped back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RequestUris {
    /// Those of requests with a To tag: the remote target, which was given as a Contact (RFC 3261 12.2.1.1).
    #[default]
    InDialog,
    /// All. For a host that lets a 3xx pass rather than following it itself: the next request has no To tag and
    /// goes to a Contact of the 3xx (RFC 3261 8.1.3.4).
    All,
}

/// What becomes of the documents in NOTIFYs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Documents {
    /// They pass as they came, and are not looked at.
    #[default]
    Untouched,
    /// They are translated: see [`translate`](fn@reginfo::translate).
    Translated,
}

/// What becomes of a NOTIFY whose document is to be translated, but is refused by the reader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unread {
    /// Its document passes as it came, and [`Body::Unread`] tells: what cannot be read is for the subscriber
    /// to judge, and a NOTIFY less would leave users in trust who have gone.
    #[default]
    Passed,
    /// It is rejected: nothing leaves that was not translated.
    Refused,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relayed {
    /// It is of another method or package. Nothing was written: it passes as it came.
    NotOurs,
    /// It has been written, with so much of it translated.
    Written(Changes),
}

/// What of a message was translated. A value that is mapped to itself does not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Changes {
    /// Whether the Request-URI was.
    pub request_uri: bool,
    /// How many values of Contact were.
    pub contacts: usize,
    /// What became of its body.
    pub body: Body,
}

/// What became of the body of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Body {
    /// It passed as it came: there is none, it is no registration information, or none is to be translated.
    #[default]
    Untouched,
    /// It was translated, in so many values. With none, it is as it came.
    Translated(usize),
    /// It passed as it came, since the reader refuses it. The byte counts from the start of the message.
    Unread(Reject),
}

/// [IB-1] Appends a message, given as it came in one datagram or [frame](crate::wire::Framer), as it goes on;
/// what follows its body is left out. A pure function of its arguments. Nothing is allocated, up to 48 header
/// fields, unless a document is translated.
///
/// A URI of a Contact that stands without angle brackets gets them if the other one needs them (RFC 3261 20.10).
///
/// ```
/// use ims_procedures::{
///     drive::{Buffer, Limits},
///     regevent::relay::{Config, Mapped, Pair, Relayed, relay},
/// };
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let received = b"SUBSCRIBE sip:alice@home1.example.net SIP/2.0\r\nFrom: <sip:p@v>;tag=1\r\n\
/// #     To: <sip:alice@home1.example.net>\r\nCSeq: 1 SUBSCRIBE\r\nEvent: reg\r\nm:<sip:7@10.0.0.7>;x=1\r\n\r\n";
/// # let mut sent = Vec::new();
/// # let mut send = |bytes: &[u8]| sent.extend_from_slice(bytes);
/// let (limits, config) = (Limits::default(), Config::default());
/// let mut buffer = Buffer::new(limits.message_bytes);
/// let outbound = Mapped {
///     contacts: &[Pair { inside: b"sip:7@10.0.0.7", outside: b"sip:7@ibcf.visited1.example.net" }],
///     ..Mapped::default()
/// };
/// match relay(received, &limits, &config, &outbound, &mut buffer)? {
///     Relayed::Written(_) => send(buffer.as_slice()),
///     Relayed::NotOurs => send(received),
/// }
/// # assert!(String::from_utf8(sent)?.ends_with("\r\nm:<sip:7@ibcf.visited1.example.net>;x=1\r\n\r\n"));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`Untranslated`]; the buffer is then as before. Of a request that is rejected the host owes the status that
/// [`status_owed`](crate::wire::status_owed) says, 400 for a document; a response is discarded. More bytes than
/// [`Limits::message_bytes`] are too large.
pub fn relay(
    bytes: &[u8],
    limits: &Limits,
    config: &Config,
    translation: &dyn Translation,
    buffer: &mut Buffer,
) -> Result<Relayed, Untranslated> {
    let message = Message::parse(bytes, limits)?;
    relay_message(&message, limits, config, translation, buffer)
}

/// [IB-1] As [`relay`], for a message that has been read.
///
/// # Errors
/// As [`relay`].
pub fn relay_message(
    message: &Message<'_>,
    limits: &Limits,
    config: &Config,
    translation: &dyn Translation,
    buffer: &mut Buffer,
) -> Result<Relayed, Untranslated> {
    if !is_ours(message)? {
        return Ok(Relayed::NotOurs);
    }
    let passage = Passage {
        message,
        limits,
        config,
        translation,
    };
    let mut outcome = Ok(Changes::default());
    let before = buffer.len();
    let written = buffer.attempt(|buffer| {
        outcome = passage.write(buffer);
        let length = buffer.len().saturating_sub(before);
        if outcome.is_err() || length > limits.message_bytes {
            buffer.fail(Unwritable::TooLarge);
        }
    });
    let changes = outcome?;
    written?;
    Ok(Relayed::Written(changes))
}

fn is_ours(message: &Message<'_>) -> Result<bool, Reject> {
    let method = match message.method() {
        Some(method) => method,
        None => message.cseq()?.method,
    };
    if !matches!(method, Method::Subscribe | Method::Notify) {
        return Ok(false);
    }
    Ok(match message.event()? {
        Some(event) => event.package == b"reg",
        None => !message.is_request(),
    })
}

/// One message on its way.
struct Passage<'m, 'a> {
    message: &'m Message<'a>,
    limits: &'m Limits,
    config: &'m Config,
    translation: &'m dyn Translation,
}

impl<'a> Passage<'_, 'a> {
    fn write(&self, buffer: &mut Buffer) -> Result<Changes, Reject> {
        let message = self.message;
        let whole = message.bytes().get(..message.end()).unwrap_or_default();
        let mut out = Splice::new(whole, 0, buffer);
        let request_uri = self.request_uri(&mut out)?;
        let wants_document = self.wants_document();
        let mut lengths = Lengths::new(message, wants_document);
        let contacts = self.contacts(&mut out, &mut lengths)?;
        let body = match wants_document {
            true => self.document(&mut out, &lengths)?,
            false => Body::Untouched,
        };
        out.finish();
        Ok(Changes {
            request_uri,
            contacts,
            body,
        })
    }

    /// [RFC 3261 12.2.1.1] Maps the Request-URI back to the Contact that it stands for.
    fn request_uri(&self, out: &mut Splice<'_, '_>) -> Result<bool, Reject> {
        let Some(uri) = self.message.request_uri() else {
            return Ok(false);
        };
        let is_asked = match self.config.request_uris {
            RequestUris::InDialog => self.message.to()?.tag().is_some(),
            RequestUris::All => true,
        };
        if !is_asked {
            return Ok(false);
        }
        let place = self.place(uri);
        let ask = |new: &mut NewUri<'_>| self.translation.request_uri(uri, new);
        let replaced = out.replace(&place, uri, Spelling::Plain, ask);
        if let Some(from) = replaced {
            check_uri(out.buffer(), from);
        }
        Ok(replaced.is_some())
    }

    /// [RFC 3261 12.2] Maps the URI of each Contact; leaves out the lengths that stand on the way, if they may
    /// change.
    fn contacts(
        &self,
        out: &mut Splice<'_, '_>,
        lengths: &mut Lengths<'a>,
    ) -> Result<usize, Reject> {
        let mut count = 0usize;
        for contact in self.message.contacts() {
            let uri = match contact? {
                Contact::Star => continue,
                Contact::Addr(address) => address.uri_bytes(),
            };
            let place = self.place(uri);
            lengths.leave_out(self.message, out, place.start);
            let ask = |new: &mut NewUri<'_>| self.translation.contact(uri, new);
            let replaced = out.replace(&place, uri, Spelling::Plain, ask);
            if let Some(from) = replaced {
                count = count.saturating_add(1);
                check_uri(out.buffer(), from);
                if !self.is_in_brackets(&place) {
                    put_in_brackets(out.buffer(), from);
                }
            }
        }
        lengths.leave_out(self.message, out, usize::MAX);
        Ok(count)
    }

    /// Whether a document stands in the body that is to be translated.
    fn wants_document(&self) -> bool {
        self.config.documents == Documents::Translated
            && self.message.method() == Some(Method::Notify)
            && !self.message.body().is_empty()
            && self.message.content_type_is(reginfo::CONTENT_TYPE)
    }

    fn document(&self, out: &mut Splice<'_, '_>, lengths: &Lengths<'_>) -> Result<Body, Reject> {
        let body = self.place(self.message.body());
        out.copy_to(body.start);
        let from = out.buffer().len();
        let read = reginfo::splice(
            self.message.body(),
            self.limits,
            self.translation,
            out.buffer(),
        );
        let document = match read.map_err(|reject| reject.shifted(body.start)) {
            Ok(values) => {
                out.leave_out(&body);
                Body::Translated(values)
            }
            Err(reject) if self.config.unread == Unread::Refused => return Err(reject),
            Err(reject) => {
                out.buffer().truncate(from);
                out.copy_to(body.end);
                Body::Unread(reject)
            }
        };
        let length = out.buffer().len().saturating_sub(from);
        lengths.put(out.buffer(), length);
        Ok(document)
    }

    /// Where a part of the message stands in it.
    fn place(&self, part: &'a [u8]) -> Range<usize> {
        let whole = self.message.bytes().as_ptr() as usize;
        let start = (part.as_ptr() as usize).saturating_sub(whole);
        start..start.saturating_add(part.len())
    }

    fn is_in_brackets(&self, uri: &Range<usize>) -> bool {
        let before = uri.start.checked_sub(1);
        before.and_then(|before| self.message.bytes().get(before)) == Some(&b'<')
    }
}

/// What was put from that place on must be a URI, which nothing can break out of.
fn check_uri(buffer: &mut Buffer, from: usize) {
    let uri = buffer.as_slice().get(from..).unwrap_or_default();
    if Uri::parse(uri).is_err() {
        buffer.fail(Unwritable::UnsafeValue);
    }
}

/// [RFC 3261 20.10] A comma, question mark or semicolon would be taken for one of the header field.
fn put_in_brackets(buffer: &mut Buffer, from: usize) {
    let uri = buffer.as_slice().get(from..).unwrap_or_default();
    if memchr::memchr3(b',', b'?', b';', uri).is_some() {
        buffer.insert(from, b"<");
        buffer.put(b">");
    }
}

/// [RFC 3261 20.14] The values of Content-Length, which all say the same, while the body is yet to be written.
struct Lengths<'m> {
    /// The next that has not been passed; none if the body does not change.
    next: Option<Header<'m>>,
    /// As it stood.
    value: &'m [u8],
    /// The bytes of the body that came.
    length: usize,
    /// Where in the buffer they are left out.
    places: Vec<usize>,
}

impl<'m> Lengths<'m> {
    fn new(message: &Message<'m>, may_change: bool) -> Self {
        let header = message.header(HeaderName::ContentLength);
        let next = header.filter(|_| may_change);
        Self {
            next,
            value: next.map(Header::raw).unwrap_or_default(),
            length: message.body().len(),
            places: Vec::new(),
        }
    }

    /// Leaves out those that stand before that place of the message.
    fn leave_out(&mut self, message: &Message<'m>, out: &mut Splice<'_, '_>, place: usize) {
        while let Some(header) = self.next.filter(|header| header.at() < place) {
            let end = header.at().saturating_add(header.raw().len());
            self.places.push(out.leave_out(&(header.at()..end)));
            let mut headers = message.headers(HeaderName::ContentLength);
            self.next = headers.nth(self.places.len());
        }
    }

    /// Puts in what was left out: as it stood, if the body is as long as it was.
    fn put(&self, buffer: &mut Buffer, length: usize) {
        let mut digits = Buffer::new(20);
        digits.put_number(length as u64);
        let value = match length == self.length {
            true => self.value,
            false => digits.as_slice(),
        };
        for place in self.places.iter().rev() {
            buffer.insert(*place, value);
        }
    }
}
