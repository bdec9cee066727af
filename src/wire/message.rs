//! A message: start line, table of header fields, body. One pass over the bytes; values are read when
//! asked for.

use alloc::vec::Vec;
use core::{fmt, ops::Range};

use super::{
    HeaderName, Method, StartLine, defect,
    scan::{self, after, before, between},
    start_line::read_start_line,
};
use crate::drive::{Limits, Reject};

/// Header fields that a message holds without allocating.
const INLINE: usize = 48;

/// Start line and header fields of more bytes are refused: places in them are kept in 16 bits.
const HEAD_BYTES: usize = u16::MAX as usize;

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

/// Where a header field stands: its line, its value and the value's end, 16 bits each, then its name. One word,
/// so that it is written by one store.
#[derive(Clone, Copy)]
struct Entry(u64);

const NO_ENTRY: Entry = Entry(HeaderName::Other as u64);

impl Entry {
    #[inline(always)]
    const fn new(name: HeaderName, line: usize, value: usize, end: usize) -> Self {
        let places = (line as u64) << 48 | (value as u64) << 32 | (end as u64) << 16;
        Self(places | name as u64)
    }

    const fn line(self) -> usize {
        (self.0 >> 48) as usize
    }

    const fn value(self) -> usize {
        (self.0 >> 32) as u16 as usize
    }

    const fn end(self) -> usize {
        (self.0 >> 16) as u16 as usize
    }

    /// Whether it is of that name.
    #[inline(always)]
    const fn is(self, name: HeaderName) -> bool {
        self.0 as u8 == name as u8
    }

    fn name(self) -> HeaderName {
        HeaderName::of_place(self.0 as u8)
    }
}

/// Stands for the place of a first field where there is none. No table is so long: a field takes four bytes of
/// [`HEAD_BYTES`].
const ABSENT: u16 = u16::MAX;

/// A SIP message over the bytes it came in. Up to 48 header fields take no allocation.
#[derive(Clone)]
pub struct Message<'a> {
    bytes: &'a [u8],
    start: StartLine<'a>,
    body: &'a [u8],
    /// Where the empty line after the header fields begins.
    head_end: usize,
    count: usize,
    /// Where the first field of each name stands in the table, or `ABSENT`.
    first: [u16; HeaderName::COUNT],
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
    /// line are passed over. Start line and header fields may take 65,535 bytes, whatever the limit.
    ///
    /// # Errors
    /// What is wrong, at its byte: a bound of `limits`, the framing, or what two elements could understand
    /// differently (line ends, repeated From, To, Call-ID, CSeq, Max-Forwards or Content-Length of
    /// different values). Values of other header fields are not looked at.
    #[inline(always)]
    pub fn parse(bytes: &'a [u8], limits: &Limits) -> Result<Self, Reject> {
        let mut message = Self::unread(bytes);
        message.read(limits)?;
        Ok(message)
    }

    /// A message that is still to be [read](Self::read): nothing is known of it but its bytes. Until then it has
    /// no header fields and no body, and stands as a response of status 0, which no message that was read has.
    #[must_use]
    #[inline(always)]
    pub const fn unread(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            start: StartLine::Response {
                status: 0,
                reason: &[],
            },
            body: &[],
            head_end: 0,
            count: 0,
            first: [ABSENT; HeaderName::COUNT],
            inline: [NO_ENTRY; INLINE],
            spilled: Vec::new(),
        }
    }

    /// [RFC 3261 7] Reads an [unread](Self::unread) message where it lies. [`parse`](Self::parse) does the same and
    /// gives the message back, which moves some 600 bytes.
    ///
    /// # Errors
    /// As [`parse`](Self::parse); the message is then unread as before. One that has been read stays as it is.
    pub fn read(&mut self, limits: &Limits) -> Result<(), Reject> {
        if self.head_end != 0 {
            return Ok(());
        }
        let read = self.read_all(limits);
        if read.is_err() {
            *self = Self::unread(self.bytes);
        }
        read
    }

    fn read_all(&mut self, limits: &Limits) -> Result<(), Reject> {
        if self.bytes.len() > limits.message_bytes {
            return Err(too_large(limits.message_bytes));
        }
        let body_at = self.read_head(limits)?;
        let rest = after(self.bytes, body_at);
        self.body = match self.content_length()? {
            None => rest,
            Some(length) => rest
                .get(..length)
                .ok_or(Reject::new(&defect::BODY_TOO_SHORT, self.bytes.len()))?,
        };
        Ok(())
    }

    /// Reads start line and header fields; gives where the body begins.
    fn read_head(&mut self, limits: &Limits) -> Result<usize, Reject> {
        let head = Head {
            bytes: before(self.bytes, HEAD_BYTES),
            is_cut: self.bytes.len() > HEAD_BYTES,
        };
        let mut rest = head.bytes;
        while let [b'\r', b'\n', tail @ ..] = rest {
            rest = tail;
        }
        let at = head.place(rest);
        if rest.is_empty() {
            return Err(Reject::new(&defect::EMPTY, at));
        }
        let (line, mut rest) = head.line(rest)?;
        self.start = read_start_line(line).map_err(|r| r.shifted(at))?;
        if let [b' ' | b'\t', ..] = rest {
            return Err(Reject::new(&defect::FOLDED_START, head.place(rest)));
        }
        while !matches!(rest, [b'\r', b'\n', ..]) {
            rest = self.read_field(&head, rest, limits)?;
        }
        self.head_end = head.place(rest);
        Ok(self.head_end.wrapping_add(2))
    }

    /// Reads the field that `line` begins with; gives the lines after it.
    #[inline(always)]
    fn read_field<'b>(
        &mut self,
        head: &Head<'b>,
        line: &'b [u8],
        limits: &Limits,
    ) -> Result<&'b [u8], Reject> {
        let (name, rest) = match HeaderName::leading(line) {
            Some(known) => known,
            None => head.unusual_name(line)?,
        };
        let rest = scan::skip_blanks(rest);
        let (mut value, mut next) = match head.line(rest) {
            Ok(line) => line,
            Err(reject) => head.line_with_nul(name, rest, reject)?,
        };
        let mut at = head.place(rest);
        if let [b' ' | b'\t', ..] = next {
            next = head.after_folding(name, next)?;
            value = scan::trim_start(head.between(rest, next));
            at = head.place(next).wrapping_sub(value.len()).wrapping_sub(2);
        }
        let value = scan::trim_end(value);
        if value.len() > limits.header_bytes {
            let at = at.saturating_add(limits.header_bytes);
            return Err(Reject::new(&defect::HEADER_TOO_LARGE, at));
        }
        if self.count >= limits.headers {
            return Err(Reject::new(&defect::TOO_MANY_HEADERS, head.place(line)));
        }
        let end = at.wrapping_add(value.len());
        self.add(name, Entry::new(name, head.place(line), at, end))?;
        Ok(next)
    }

    #[inline(always)]
    fn add(&mut self, name: HeaderName, entry: Entry) -> Result<(), Reject> {
        let count = self.count;
        if let Some(first) = self.first.get_mut(name as usize) {
            if *first == ABSENT {
                *first = count as u16;
            } else if stands_once(name) {
                self.check_same(name, entry)?;
            }
        }
        match self.inline.get_mut(count) {
            Some(place) => *place = entry,
            None => self.spilled.push(entry),
        }
        self.count = count.wrapping_add(1);
        Ok(())
    }

    fn check_same(&self, name: HeaderName, entry: Entry) -> Result<(), Reject> {
        let value = self.header_of(entry);
        let same = self
            .header(name)
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

    fn entries(&self) -> impl Iterator<Item = Entry> {
        let inline = self.inline.iter().take(self.count);
        inline.chain(&self.spilled).copied()
    }

    #[inline(always)]
    fn header_of(&self, entry: Entry) -> Header<'a> {
        Header {
            raw: between(self.bytes, entry.value(), entry.end()),
            at: entry.value(),
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
        let first = usize::from(first);
        match self.inline.get(first) {
            Some(entry) => Some(self.header_of(*entry)),
            None => {
                let entry = self.spilled.get(first.wrapping_sub(INLINE))?;
                Some(self.header_of(*entry))
            }
        }
    }

    /// Every header field of that name, in order.
    pub fn headers(&self, name: HeaderName) -> impl Iterator<Item = Header<'a>> + use<'_, 'a> {
        let first = self.first.get(name as usize).copied().unwrap_or(ABSENT);
        let (inline, spilled) = if first == ABSENT {
            (&[] as &[Entry], &[] as &[Entry])
        } else {
            let used = self.inline.get(..self.count).unwrap_or(&self.inline);
            let first = usize::from(first);
            let inline = used.get(first..).unwrap_or_default();
            (
                inline,
                self.spilled
                    .get(first.saturating_sub(INLINE)..)
                    .unwrap_or_default(),
            )
        };
        inline
            .iter()
            .chain(spilled)
            .filter(move |entry| entry.is(name))
            .map(|entry| self.header_of(*entry))
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
            .map(Entry::line)
            .chain([self.head_end]);
        self.entries().zip(ends).map(|(entry, end)| {
            let line = entry.line();
            let text = between(self.bytes, line, end);
            Field {
                name: entry.name(),
                raw_name: before(text, scan::run(text, scan::TOKEN)),
                value: self.header_of(entry),
                line: line..end,
            }
        })
    }
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

/// The bytes that may be start line and header fields, while lines are taken off their front.
struct Head<'b> {
    bytes: &'b [u8],
    /// Whether the message goes on where they end.
    is_cut: bool,
}

impl<'b> Head<'b> {
    /// Where `rest`, which reaches to the end, begins.
    #[inline(always)]
    const fn place(&self, rest: &[u8]) -> usize {
        self.bytes.len().wrapping_sub(rest.len())
    }

    /// What stands between `rest` and the line end before `next`.
    fn between(&self, rest: &'b [u8], next: &[u8]) -> &'b [u8] {
        before(rest, rest.len().wrapping_sub(next.len()).wrapping_sub(2))
    }

    /// The first line, without its CR LF, and what comes after it.
    #[inline(always)]
    fn line(&self, rest: &'b [u8]) -> Result<(&'b [u8], &'b [u8]), Reject> {
        let length = scan::line_break(rest);
        match rest.split_at_checked(length) {
            Some((line, [b'\r', b'\n', next @ ..])) => Ok((line, next)),
            _ => Err(self.bad_line_end(after(rest, length))),
        }
    }

    /// What comes after the continuation lines that `rest` begins with.
    #[cold]
    fn after_folding(&self, name: HeaderName, rest: &'b [u8]) -> Result<&'b [u8], Reject> {
        let mut rest = rest;
        while let [b' ' | b'\t', ..] = rest {
            (_, rest) = match self.line(rest) {
                Ok(line) => line,
                Err(reject) => self.line_with_nul(name, rest, reject)?,
            };
        }
        Ok(rest)
    }

    /// As [`line`](Self::line), which gave `reject`, over NULs that a backslash escapes, where these may stand.
    #[cold]
    fn line_with_nul(
        &self,
        name: HeaderName,
        rest: &'b [u8],
        reject: Reject,
    ) -> Result<(&'b [u8], &'b [u8]), Reject> {
        let mut reject = reject;
        loop {
            let nul = (reject.at as usize).wrapping_sub(self.place(rest));
            let escaped = reject.defect == &defect::NUL && is_escaped(before(rest, nul));
            if !escaped || !may_escape_nul(name) {
                return Err(reject);
            }
            match self.line(after(rest, nul.wrapping_add(1))) {
                Ok((_, next)) => return Ok((self.between(rest, next), next)),
                Err(next) => reject = next,
            }
        }
    }

    /// Which field a line begins, and what follows its colon, where [`HeaderName::leading`] could not tell. White
    /// space may stand before the colon.
    #[cold]
    fn unusual_name(&self, line: &'b [u8]) -> Result<(HeaderName, &'b [u8]), Reject> {
        let length = scan::run(line, scan::TOKEN);
        match scan::skip_blanks(after(line, length)) {
            [b':', rest @ ..] if length > 0 => Ok((HeaderName::lookup(before(line, length)), rest)),
            _ => {
                self.line(line)?;
                let at = self.place(line).wrapping_add(length);
                Err(Reject::new(&defect::HEADER_NAME, at))
            }
        }
    }

    /// What is wrong with a line that does not end as it must.
    #[cold]
    fn bad_line_end(&self, tail: &[u8]) -> Reject {
        match tail {
            [] | [b'\r'] if self.is_cut => Reject::new(&defect::HEAD_TOO_LARGE, HEAD_BYTES),
            [] | [b'\r'] => Reject::new(&defect::UNTERMINATED, self.bytes.len()),
            [0, ..] => Reject::new(&defect::NUL, self.place(tail)),
            _ => Reject::new(&defect::BARE_LINE_END, self.place(tail)),
        }
    }
}

#[cold]
fn too_large(at: usize) -> Reject {
    Reject::new(&defect::MESSAGE_TOO_LARGE, at)
}

/// Where NUL may stand in a quoted-pair (RFC 3261 25.1): in a display name of what every message has and every
/// response copies. What is kept and written again holds none.
const fn may_escape_nul(name: HeaderName) -> bool {
    matches!(name, HeaderName::From | HeaderName::To)
}

/// Whether the bytes end in a backslash that is not itself escaped.
fn is_escaped(bytes: &[u8]) -> bool {
    let backslashes = bytes.iter().rev().take_while(|b| **b == b'\\').count();
    backslashes & 1 == 1
}
