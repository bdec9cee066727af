//! The answer to a request that could not be read.

use core::fmt;

use super::{
    HeaderName, Host, Via, Writer, defect,
    scan::{self, Version, after, before, between},
    validate::{phrase, status_owed},
    writer::{Copied, TO_TAG},
};
use crate::drive::{Buffer, Identifier, Limits, Outbox, Reject, Role, TransactionRef};

/// Bytes by which an answer may be longer than what it answers, for status line, tag and Content-Length: a
/// forged sender makes no flood of it.
const GROWTH: usize = 256;

/// The header fields of an answer beside its Vias: From, To, Call-ID, CSeq and Content-Length.
const BESIDE_VIAS: usize = 5;

const TAGGED_BYTES: usize = TO_TAG.len() + Identifier::TEXT_LEN;

/// Bytes of a Via line beside its value.
const VIA_BYTES: usize = "Via: \r\n".len();
/// Bytes of an answer beside its reason phrase and values, Vias apart.
const ANSWER_BYTES: usize =
    "SIP/2.0 400 \r\nFrom: \r\nTo: \r\nCall-ID: \r\nCSeq: \r\nContent-Length: 0\r\n\r\n".len()
        + TAGGED_BYTES;

impl<'a> Copied<'a> {
    fn place(&mut self, name: HeaderName) -> Option<&mut Option<&'a [u8]>> {
        match name {
            HeaderName::From => Some(&mut self.from),
            HeaderName::To => Some(&mut self.to),
            HeaderName::CallId => Some(&mut self.call_id),
            HeaderName::CSeq => Some(&mut self.cseq),
            _ => None,
        }
    }

    const fn is_whole(&self) -> bool {
        self.from.is_some() && self.to.is_some() && self.call_id.is_some() && self.cseq.is_some()
    }
}

/// Keeps a value; false where another one stands there already.
fn keep<'a>(place: &mut Option<&'a [u8]>, value: &'a [u8]) -> bool {
    scan::same_bytes(place.get_or_insert(value), value)
}

/// What can be had of a request that [`Message::parse`](super::Message::parse) refused, enough to answer it.
///
/// It is had only where the answer is the same whichever way the damage is read: the line ends are certain,
/// the header fields end within the bound, and each of what a response copies stands there, once or with
/// equal values, without control characters. There is none for a response, an ACK, a keep-alive, or where the
/// topmost Via does not lead back.
#[derive(Clone, Copy)]
pub struct Salvage<'a> {
    fields: Fields<'a>,
    copied: Copied<'a>,
    status: u16,
    phrase: &'static [u8],
    room: usize,
}

impl fmt::Debug for Salvage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Salvage({})", self.status)
    }
}

impl<'a> Salvage<'a> {
    /// [RFC 3261 18.3] [RFC 3261 21.4.1] Looks for it, in one pass over the header fields within
    /// [`Limits::message_bytes`]. `reject` is why the bytes were refused. `None` also where the answer would
    /// be longer than all of `bytes` by more than 256 bytes, or past the limits itself.
    #[must_use]
    pub fn read(bytes: &'a [u8], limits: &Limits, reject: Reject) -> Option<Self> {
        let bounded = before(bytes, limits.message_bytes);
        let mut head = bounded;
        while let Some(rest) = head.strip_prefix(b"\r\n") {
            head = rest;
        }
        let line = before(head, scan::line_over_nuls(head)?);
        let version = version_of_request(line)?;
        let fields = Fields {
            head,
            at: line.len().wrapping_add(2),
        };
        let gathered = gather(fields, limits)?;
        let line_at = bounded.len().wrapping_sub(head.len());
        let is_of_line = reject.at as usize <= line_at.wrapping_add(line.len());
        // The reader names what it meets first; that must not depend on which of two values comes first.
        let what = if gathered.is_conflicting && !is_of_line {
            &defect::CONFLICT
        } else {
            reject.defect
        };
        let status = status_owed(what)?;
        let phrase = phrase(status, what);
        let room = gathered.size.saturating_add(phrase.len());
        let most = bytes.len().saturating_add(GROWTH).min(limits.message_bytes);
        let is_given =
            gathered.leads_back(version) && gathered.count <= limits.headers && room <= most;
        is_given.then_some(Self {
            fields,
            copied: gathered.copied,
            status,
            phrase,
            room,
        })
    }

    /// The status code owed.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// The most bytes that the answer takes.
    #[must_use]
    pub const fn room(&self) -> usize {
        self.room
    }

    /// [RFC 3261 8.2.6] Writes the whole answer.
    pub fn write(&self, buffer: &mut Buffer, to_tag: Option<Identifier>) {
        let mut fields = self.fields;
        let vias = core::iter::from_fn(|| match fields.step() {
            Step::Field(name, value) => Some((name, value)),
            Step::End | Step::Unclear => None,
        })
        .filter(|(name, _)| *name == HeaderName::Via)
        .map(|(_, value)| value);
        Writer::answer(buffer, self.status, self.phrase, vias, &self.copied, to_tag).finish();
    }
}

/// What the header fields of a damaged head give.
struct Gathered<'a> {
    copied: Copied<'a>,
    /// The first Via field.
    top: Option<&'a [u8]>,
    /// How many header fields an answer has.
    count: usize,
    /// How many bytes it has at most, reason phrase apart.
    size: usize,
    /// Whether Max-Forwards or Content-Length has two values.
    is_conflicting: bool,
}

impl Gathered<'_> {
    /// Whether all is there that an answer needs to find its way.
    fn leads_back(&self, version: Version) -> bool {
        self.copied.is_whole()
            && !self.copied.cseq.is_some_and(names_ack)
            && self.top.is_some_and(|via| leads_back(via, version))
    }
}

/// Takes up what a response copies. `None` where it is not certain, or past the limits.
fn gather<'a>(mut fields: Fields<'a>, limits: &Limits) -> Option<Gathered<'a>> {
    let mut gathered = Gathered {
        copied: Copied::default(),
        top: None,
        count: BESIDE_VIAS,
        size: ANSWER_BYTES,
        is_conflicting: false,
    };
    let (mut hops, mut length) = (None, None);
    loop {
        let (name, value) = match fields.step() {
            Step::Field(name, value) => (name, value),
            Step::End => break,
            Step::Unclear => return None,
        };
        match name {
            HeaderName::Via => {
                gathered.top = gathered.top.or(Some(value));
                gathered.count = gathered.count.saturating_add(1);
                gathered.size = gathered.size.saturating_add(VIA_BYTES);
            }
            HeaderName::MaxForwards => gathered.is_conflicting |= !keep(&mut hops, value),
            HeaderName::ContentLength => gathered.is_conflicting |= !keep(&mut length, value),
            _ => {}
        }
        let is_sound = match gathered.copied.place(name) {
            Some(place) => keep(place, value),
            None if name == HeaderName::Via => true,
            None => continue,
        };
        let most = limits.header_bytes.saturating_sub(TAGGED_BYTES);
        if !is_sound || !is_clean(value) || value.len() > most {
            return None;
        }
        gathered.size = gathered.size.saturating_add(value.len());
    }
    Some(gathered)
}

/// [RFC 3261 18.3] Writes the answer to bytes that [`Message::parse`](super::Message::parse) refused with
/// `reject`; false where there is none to give ([`Salvage`]) or no room for it. An answer is given without
/// memory of the request: each retransmission gets one, the same if `to_tag` is the same (8.2.7).
pub fn answer_refused(
    bytes: &[u8],
    limits: &Limits,
    reject: Reject,
    to_tag: Option<Identifier>,
    buffer: &mut Buffer,
) -> bool {
    Salvage::read(bytes, limits, reject)
        .is_some_and(|salvage| buffer.attempt(|b| salvage.write(b, to_tag)).is_ok())
}

/// The same as a node does it.
pub(crate) fn respond_to_refused<R: Role>(
    to: TransactionRef,
    bytes: &[u8],
    limits: &Limits,
    reject: Reject,
    to_tag: Identifier,
    out: &mut Outbox<R>,
) {
    if let Some(salvage) = Salvage::read(bytes, limits, reject) {
        // The answer is about as long as its request, for which a step has room.
        let _ = out.respond(to, salvage.status(), |buffer| {
            salvage.write(buffer, Some(to_tag));
        });
    }
}

/// The header fields of a head whose line ends are certain.
#[derive(Clone, Copy)]
struct Fields<'a> {
    head: &'a [u8],
    at: usize,
}

enum Step<'a> {
    /// The next field: its name, if it is a known one, and its value.
    Field(HeaderName, &'a [u8]),
    /// The empty line.
    End,
    /// A line end that is none, or before a colon, or no empty line: others may see other fields.
    Unclear,
}

impl<'a> Fields<'a> {
    fn step(&mut self) -> Step<'a> {
        let from = self.at;
        if after(self.head, from).starts_with(b"\r\n") {
            return Step::End;
        }
        let mut end = from;
        loop {
            match scan::line_over_nuls(after(self.head, end)) {
                Some(length) => end = end.wrapping_add(length).wrapping_add(2),
                None => return Step::Unclear,
            }
            if !matches!(self.head.get(end), Some(b' ' | b'\t')) {
                break;
            }
        }
        self.at = end;
        let field = between(self.head, from, end);
        let colon = memchr::memchr(b':', field).unwrap_or(field.len());
        if colon < field.len() && memchr::memchr(b'\r', before(field, colon)).is_some() {
            return Step::Unclear;
        }
        let name = HeaderName::lookup(scan::trim_end(before(field, colon)));
        Step::Field(name, scan::trim(after(field, colon.wrapping_add(1))))
    }
}

/// The version that a line ends with which begins as a request other than an ACK.
fn version_of_request(line: &[u8]) -> Option<Version> {
    let line = scan::trim_end(line);
    let method = before(line, memchr::memchr(b' ', line)?);
    if !scan::is_token(method) || method == b"ACK" {
        return None;
    }
    scan::sip_version(scan::last_word(line))
}

/// Whether a value holds no control characters but those of folding.
fn is_clean(value: &[u8]) -> bool {
    value
        .iter()
        .all(|byte| !byte.is_ascii_control() || matches!(byte, b'\t' | b'\r' | b'\n'))
}

/// Whether a CSeq is that of an ACK.
fn names_ack(cseq: &[u8]) -> bool {
    cseq.rsplit(u8::is_ascii_whitespace).next() == Some(b"ACK")
}

/// [RFC 3261 18.2.2] Whether the first value of a Via field says where an answer goes. In a request of
/// another version it may be of that version.
fn leads_back(via: &[u8], version: Version) -> bool {
    if version == Version::Own {
        let first = Via::parse_list(via).next();
        return first.is_some_and(|via| via.is_ok_and(|via| !via.params().repeats(b"branch")));
    }
    let protocol = before(via, scan::find(via, scan::LWS).unwrap_or(via.len()));
    let mut parts = protocol.split(|byte| *byte == b'/');
    let (name, number, transport) = (parts.next(), parts.next(), parts.next());
    let sent_by = scan::trim_start(after(via, protocol.len()));
    name.is_some_and(|name| scan::same_text(name, b"SIP"))
        && number.is_some_and(scan::is_token)
        && transport.is_some_and(scan::is_token)
        && parts.next().is_none()
        && is_sent_by(sent_by)
}

/// Whether a host, and a port where one is given, stand before the parameters or the next value.
fn is_sent_by(text: &[u8]) -> bool {
    let Ok((_, length)) = Host::leading(text) else {
        return false;
    };
    let mut rest = scan::trim_start(after(text, length));
    if let [b':', port @ ..] = rest {
        let port = scan::trim_start(port);
        let digits = scan::digits(port);
        if scan::port(before(port, digits)).is_none() {
            return false;
        }
        rest = scan::trim_start(after(port, digits));
    }
    matches!(rest, [] | [b';' | b',', ..])
}
