//! A message: start line, table of header fields, body. One pass over the bytes; values are read when
//! asked for.

use alloc::vec::Vec;
use core::{fmt, ops::Range};

use super::{
    HeaderName, defect,
    scan::{self, after, before, between},
};
use crate::drive::{Defect, Limits, Reject};

/// Header fields that a message holds without allocating.
const INLINE: usize = 48;

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

/// The value of one header field, as it stood.
#[derive(Clone, Copy)]
pub struct Header<'a> {
    raw: &'a [u8],
    at: usize,
}

impl fmt::Debug for Header<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Header({} bytes at {})", self.raw.len(), self.at)
    }
}

impl<'a> Header<'a> {
    /// The value without white space around it; folding inside is kept.
    #[must_use]
    pub const fn raw(self) -> &'a [u8] {
        self.raw
    }

    /// Where the value begins in the message.
    #[must_use]
    pub const fn at(self) -> usize {
        self.at
    }
}

/// One header field.
#[derive(Clone, Debug)]
pub struct Field<'a> {
    /// Which one it is.
    pub name: HeaderName,
    /// Its name as it stood.
    pub raw_name: &'a [u8],
    /// Its value.
    pub value: Header<'a>,
    /// Its line in the message, continuation lines and line ends included.
    pub line: Range<usize>,
}

#[derive(Clone, Copy)]
struct Entry {
    line: u32,
    value: u32,
    end: u32,
    name: HeaderName,
}

const NO_ENTRY: Entry = Entry {
    line: 0,
    value: 0,
    end: 0,
    name: HeaderName::Other,
};

/// Which field of a name comes first: its place in the table, saturated; `ABSENT` if there is none.
const ABSENT: u8 = u8::MAX;
const LAST_PLACE: usize = 254;

/// A SIP message over the bytes it came in. Up to 48 header fields take no allocation.
#[derive(Clone)]
pub struct Message<'a> {
    bytes: &'a [u8],
    start: StartLine<'a>,
    body: &'a [u8],
    /// Where the empty line after the header fields begins.
    head_end: usize,
    count: usize,
    first: [u8; HeaderName::COUNT],
    inline: [Entry; INLINE],
    spilled: Vec<Entry>,
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("start", &self.start)
            .field("headers", &self.count)
            .field("body", &self.body.len())
            .finish()
    }
}

impl<'a> Message<'a> {
    /// [RFC 3261 7] [RFC 3261 18.3] Reads one datagram. A Content-Length shorter than what follows the
    /// header fields cuts the body there; without one, all that follows is body. Line ends before the start
    /// line are passed over.
    ///
    /// # Errors
    /// What is wrong, at its byte: a bound of `limits`, the framing, or what two elements could understand
    /// differently (line ends, repeated From, To, Call-ID, CSeq, Max-Forwards or Content-Length of
    /// different values). Values of other header fields are not looked at.
    pub fn parse(bytes: &'a [u8], limits: &Limits) -> Result<Self, Reject> {
        if bytes.len() > limits.message_bytes {
            return Err(Reject::new(
                &defect::MESSAGE_TOO_LARGE,
                limits.message_bytes,
            ));
        }
        let (mut message, body_at) = Self::parse_head(bytes, limits)?;
        let rest = after(bytes, body_at);
        message.body = match message.content_length()? {
            None => rest,
            Some(length) => rest
                .get(..length)
                .ok_or(Reject::new(&defect::BODY_TOO_SHORT, bytes.len()))?,
        };
        Ok(message)
    }

    /// [RFC 3261 18.3] On a stream: how many bytes the message at the start of `bytes` takes, line ends
    /// before it included. `None` while too few have come.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), and [`defect::NO_CONTENT_LENGTH`]. The stream cannot be read on.
    pub fn frame(bytes: &[u8], limits: &Limits) -> Result<Option<usize>, Reject> {
        let (message, body_at) = match Message::parse_head(bytes, limits) {
            Ok(head) => head,
            Err(reject) if is_incomplete(reject.defect) && bytes.len() <= limits.message_bytes => {
                return Ok(None);
            }
            Err(reject) if is_incomplete(reject.defect) => {
                return Err(Reject::new(
                    &defect::MESSAGE_TOO_LARGE,
                    limits.message_bytes,
                ));
            }
            Err(reject) => return Err(reject),
        };
        let length = message
            .content_length()?
            .ok_or(Reject::new(&defect::NO_CONTENT_LENGTH, message.head_end))?;
        let total = body_at.saturating_add(length);
        if total > limits.message_bytes {
            return Err(Reject::new(
                &defect::MESSAGE_TOO_LARGE,
                limits.message_bytes,
            ));
        }
        Ok((total <= bytes.len()).then_some(total))
    }

    fn parse_head(bytes: &'a [u8], limits: &Limits) -> Result<(Self, usize), Reject> {
        let bounded = before(bytes, limits.message_bytes.min(u32::MAX as usize));
        let mut start_at = 0usize;
        while after(bounded, start_at).starts_with(b"\r\n") {
            start_at = start_at.wrapping_add(2);
        }
        if start_at == bounded.len() {
            return Err(Reject::new(&defect::EMPTY, start_at));
        }
        let start_end = line_end(bounded, start_at)?;
        let start = read_start_line(between(bounded, start_at, start_end))
            .map_err(|r| r.shifted(start_at))?;
        let mut message = Self {
            bytes,
            start,
            body: &[],
            head_end: 0,
            count: 0,
            first: [ABSENT; HeaderName::COUNT],
            inline: [NO_ENTRY; INLINE],
            spilled: Vec::new(),
        };
        let mut at = start_end.wrapping_add(2);
        loop {
            match after(bounded, at) {
                [b'\r', b'\n', ..] => break,
                [b' ' | b'\t', ..] => return Err(Reject::new(&defect::FOLDED_START, at)),
                _ => at = message.read_field(bounded, at, limits)?,
            }
        }
        message.head_end = at;
        Ok((message, at.wrapping_add(2)))
    }

    /// Reads the field whose line begins at `line`; gives where the next one begins.
    fn read_field(&mut self, bytes: &[u8], line: usize, limits: &Limits) -> Result<usize, Reject> {
        let mut end = line_end(bytes, line)?;
        let text = between(bytes, line, end);
        let (name, colon) = read_name(text).map_err(|r| r.shifted(line))?;
        while let Some(b' ' | b'\t') = bytes.get(end.wrapping_add(2)) {
            end = line_end(bytes, end.wrapping_add(2))?;
        }
        let value = line.wrapping_add(colon).wrapping_add(1);
        let raw = between(bytes, value, end);
        let trimmed = scan::trim_start(raw);
        let value = end.wrapping_sub(trimmed.len());
        let trimmed = scan::trim_end(trimmed);
        if trimmed.len() > limits.header_bytes {
            let at = value.saturating_add(limits.header_bytes);
            return Err(Reject::new(&defect::HEADER_TOO_LARGE, at));
        }
        if self.count >= limits.headers {
            return Err(Reject::new(&defect::TOO_MANY_HEADERS, line));
        }
        self.add(Entry {
            line: line as u32,
            value: value as u32,
            end: value.wrapping_add(trimmed.len()) as u32,
            name,
        })?;
        Ok(end.wrapping_add(2))
    }

    fn add(&mut self, entry: Entry) -> Result<(), Reject> {
        let count = self.count;
        if let Some(first) = self.first.get_mut(entry.name as usize) {
            if *first == ABSENT {
                *first = count.min(LAST_PLACE) as u8;
            } else if stands_once(entry.name) {
                self.check_same(entry)?;
            }
        }
        match self.inline.get_mut(count) {
            Some(place) => *place = entry,
            None => self.spilled.push(entry),
        }
        self.count = count.wrapping_add(1);
        Ok(())
    }

    fn check_same(&self, entry: Entry) -> Result<(), Reject> {
        let value = self.header_of(&entry);
        let same = self
            .header(entry.name)
            .is_some_and(|first| scan::same_bytes(first.raw, value.raw));
        if same {
            Ok(())
        } else {
            Err(Reject::new(&defect::CONFLICT, value.at))
        }
    }

    fn content_length(&self) -> Result<Option<usize>, Reject> {
        let Some(header) = self.header(HeaderName::ContentLength) else {
            return Ok(None);
        };
        if !header.raw.iter().all(u8::is_ascii_digit) {
            return Err(Reject::new(&defect::CONTENT_LENGTH, header.at));
        }
        scan::number(header.raw)
            .map(|length| Some(length as usize))
            .ok_or(Reject::new(&defect::CONTENT_LENGTH, header.at))
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.inline.iter().take(self.count).chain(&self.spilled)
    }

    fn header_of(&self, entry: &Entry) -> Header<'a> {
        Header {
            raw: between(self.bytes, entry.value as usize, entry.end as usize),
            at: entry.value as usize,
        }
    }

    /// The bytes it was read from, whatever followed its body included.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The first line.
    #[must_use]
    pub const fn start(&self) -> StartLine<'a> {
        self.start
    }

    /// Whether it is a request.
    #[must_use]
    pub const fn is_request(&self) -> bool {
        matches!(self.start, StartLine::Request { .. })
    }

    /// The method of a request.
    #[must_use]
    pub const fn method(&self) -> Option<Method<'a>> {
        match self.start {
            StartLine::Request { method, .. } => Some(method),
            StartLine::Response { .. } => None,
        }
    }

    /// The Request-URI of a request, as it stood.
    #[must_use]
    pub const fn request_uri(&self) -> Option<&'a [u8]> {
        match self.start {
            StartLine::Request { uri, .. } => Some(uri),
            StartLine::Response { .. } => None,
        }
    }

    /// The status code of a response.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self.start {
            StartLine::Request { .. } => None,
            StartLine::Response { status, .. } => Some(status),
        }
    }

    /// The body; empty if there is none.
    #[must_use]
    pub const fn body(&self) -> &'a [u8] {
        self.body
    }

    /// How many header fields there are.
    #[must_use]
    pub const fn header_count(&self) -> usize {
        self.count
    }

    /// Where the message ends: past its body.
    #[must_use]
    pub fn end(&self) -> usize {
        self.head_end.wrapping_add(2).wrapping_add(self.body.len())
    }

    /// Where the header fields end: what is missing is reported there.
    #[must_use]
    pub const fn head_end(&self) -> usize {
        self.head_end
    }

    /// The first header field of that name. Fields of unknown name are found by
    /// [`header_named`](Self::header_named).
    #[must_use]
    #[inline]
    pub fn header(&self, name: HeaderName) -> Option<Header<'a>> {
        let first = *self.first.get(name as usize)?;
        if first == ABSENT {
            return None;
        }
        match self.inline.get(usize::from(first)) {
            Some(entry) => Some(self.header_of(entry)),
            None => self.headers(name).next(),
        }
    }

    /// Every header field of that name, in order.
    pub fn headers(&self, name: HeaderName) -> impl Iterator<Item = Header<'a>> + use<'_, 'a> {
        let first = self.first.get(name as usize).copied().unwrap_or(ABSENT);
        let (inline, spilled) = if first == ABSENT {
            (&[] as &[Entry], &[] as &[Entry])
        } else {
            let used = self.inline.get(..self.count).unwrap_or(&self.inline);
            let rest = used.get(usize::from(first)..).unwrap_or_default();
            (rest, self.spilled.as_slice())
        };
        inline
            .iter()
            .chain(spilled)
            .filter(move |entry| entry.name == name)
            .map(|entry| self.header_of(entry))
    }

    /// The first header field whose name stands as `name`, in any case.
    #[must_use]
    pub fn header_named(&self, name: &[u8]) -> Option<Header<'a>> {
        match HeaderName::lookup(name) {
            HeaderName::Other => self
                .fields()
                .find(|field| scan::same_text(field.raw_name, name))
                .map(|field| field.value),
            known => self.header(known),
        }
    }

    /// Every header field, in order.
    pub fn fields(&self) -> impl Iterator<Item = Field<'a>> + use<'_, 'a> {
        let ends = self
            .entries()
            .skip(1)
            .map(|next| next.line as usize)
            .chain([self.head_end]);
        self.entries().zip(ends).map(|(entry, end)| {
            let line = entry.line as usize;
            let text = between(self.bytes, line, end);
            Field {
                name: entry.name,
                raw_name: before(text, scan::run(text, scan::TOKEN)),
                value: self.header_of(entry),
                line: line..end,
            }
        })
    }
}

fn is_incomplete(what: &Defect) -> bool {
    what == &defect::UNTERMINATED || what == &defect::EMPTY
}

/// What identifies a message, or frames it, must not have two values (RFC 3261 7.3.1).
const fn stands_once(name: HeaderName) -> bool {
    matches!(
        name,
        HeaderName::From
            | HeaderName::To
            | HeaderName::CallId
            | HeaderName::CSeq
            | HeaderName::MaxForwards
            | HeaderName::ContentLength
    )
}

/// Which field a line begins, and where its colon stands. White space may stand before the colon.
#[inline]
fn read_name(line: &[u8]) -> Result<(HeaderName, usize), Reject> {
    let refuse = |at| Reject::new(&defect::HEADER_NAME, at);
    let colon = scan::colon(line).ok_or(refuse(line.len()))?;
    let name = scan::trim_end(before(line, colon));
    let known = HeaderName::lookup_in_line(name);
    if known == HeaderName::Other && !scan::is_token(name) {
        return Err(refuse(scan::run(name, scan::TOKEN)));
    }
    Ok((known, colon))
}

/// Where the line that holds `at` ends: at its CR LF.
#[inline]
fn line_end(bytes: &[u8], at: usize) -> Result<usize, Reject> {
    let Some(found) = scan::line_break(after(bytes, at)) else {
        return Err(Reject::new(&defect::UNTERMINATED, bytes.len()));
    };
    let end = at.wrapping_add(found);
    match after(bytes, end) {
        [b'\r', b'\n', ..] => Ok(end),
        [b'\r'] => Err(Reject::new(&defect::UNTERMINATED, bytes.len())),
        [0, ..] => Err(Reject::new(&defect::NUL, end)),
        _ => Err(Reject::new(&defect::BARE_LINE_END, end)),
    }
}

fn read_start_line(line: &[u8]) -> Result<StartLine<'_>, Reject> {
    let space = memchr::memchr(b' ', line).ok_or(Reject::new(&defect::START_LINE, 0))?;
    let first = before(line, space);
    let rest_at = space.wrapping_add(1);
    let rest = after(line, rest_at);
    if is_version(first) {
        return read_status(rest).map_err(|r| r.shifted(rest_at));
    }
    if memchr::memchr(b'/', first).is_some() {
        let what = if scan::same_text(before(first, 4), b"SIP/") {
            &defect::VERSION
        } else {
            &defect::METHOD
        };
        return Err(Reject::new(what, 0));
    }
    if !scan::is_token(first) {
        return Err(Reject::new(&defect::METHOD, 0));
    }
    let uri_length = memchr::memchr(b' ', rest).ok_or(Reject::new(&defect::START_LINE, rest_at))?;
    let uri = before(rest, uri_length);
    let version_at = rest_at.wrapping_add(uri_length).wrapping_add(1);
    if uri.is_empty() {
        return Err(Reject::new(&defect::REQUEST_URI, rest_at));
    }
    if let Some(at) = scan::find(uri, scan::NOT_URI) {
        return Err(Reject::new(&defect::REQUEST_URI, rest_at.wrapping_add(at)));
    }
    if !is_version(after(line, version_at)) {
        return Err(Reject::new(&defect::VERSION, version_at));
    }
    Ok(StartLine::Request {
        method: Method::of(first),
        uri,
    })
}

fn is_version(bytes: &[u8]) -> bool {
    scan::same_text(bytes, b"SIP/2.0")
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
