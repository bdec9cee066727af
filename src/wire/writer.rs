//! Messages that we send.

use super::{Header, HeaderName, Message, NameAddr, scan};
use crate::drive::{Buffer, Identifier, UDP_LIMIT, Unwritable, holds_break};

/// What a tag is written after.
pub(super) const TO_TAG: &[u8] = b";tag=";

/// What a response copies of its request, Vias apart, as it stood.
#[derive(Clone, Copy, Default)]
pub(super) struct Copied<'a> {
    pub(super) from: Option<&'a [u8]>,
    pub(super) to: Option<&'a [u8]>,
    pub(super) call_id: Option<&'a [u8]>,
    pub(super) cseq: Option<&'a [u8]>,
}

impl<'a> Copied<'a> {
    pub(super) fn of(request: &Message<'a>) -> Self {
        let value = |name| request.header(name).map(Header::raw);
        Self {
            from: value(HeaderName::From),
            to: value(HeaderName::To),
            call_id: value(HeaderName::CallId),
            cseq: value(HeaderName::CSeq),
        }
    }

    /// Whether there is a To, which can be read and has no tag.
    fn lacks_to_tag(&self) -> bool {
        let to = self.to.map(NameAddr::parse);
        to.is_some_and(|to| to.is_ok_and(|to| !to.params().has(b"tag")))
    }
}

/// Writes one message into a buffer. What cannot be written is remembered by the buffer
/// ([`Buffer::fault`]), so that a whole message needs one check; use it inside [`Buffer::attempt`] or an
/// outbox, which take the half-written message back.
#[derive(Debug)]
pub struct Writer<'b> {
    buffer: &'b mut Buffer,
    start: usize,
    /// Where the transport of the Via of ours stands.
    transport: Option<usize>,
    /// The size past which it becomes TCP.
    udp_limit: usize,
}

impl<'b> Writer<'b> {
    /// [RFC 3261 7.1] Begins a request. A method that is no token, or a URI with a control character or
    /// space, is [unsafe](Unwritable::UnsafeValue).
    pub fn request(buffer: &'b mut Buffer, method: &[u8], uri: &[u8]) -> Self {
        let writer = Self::at_end(buffer);
        if !scan::is_token(method) || uri.is_empty() || !scan::is_uri_text(uri) {
            writer.buffer.fail(Unwritable::UnsafeValue);
        }
        writer.buffer.put(method);
        writer.buffer.put(b" ");
        writer.buffer.put(uri);
        writer.buffer.put(b" SIP/2.0");
        writer
    }

    /// [RFC 3261 7.2] Begins a response, with the reason phrase that RFC 3261 21 gives the status.
    pub fn response(buffer: &'b mut Buffer, status: u16) -> Self {
        Self::response_because(buffer, status, reason(status))
    }

    /// [RFC 3261 8.2.6.2] Begins the response to `request`: status line, the Vias as they came, From, To (with
    /// `to_tag` where the To has none), Call-ID and CSeq; in a 100 also Timestamp (8.2.6.1).
    pub fn respond_to(
        buffer: &'b mut Buffer,
        request: &Message<'_>,
        status: u16,
        to_tag: Option<Identifier>,
    ) -> Self {
        let vias = request.headers(HeaderName::Via).map(Header::raw);
        let copied = Copied::of(request);
        let mut writer = Self::answer(buffer, status, reason(status), vias, &copied, to_tag);
        if status == 100 {
            writer.copy(request, HeaderName::Timestamp);
        }
        writer
    }

    /// [RFC 3261 8.2.6.2] Appends what every response to `request` copies of it, to be kept until
    /// [`respond_later`](Self::respond_later): for a request that is gone when its answer is known. To has its tag,
    /// as it has in a dialog, or gets none.
    pub fn keep(buffer: &'b mut Buffer, request: &Message<'_>) {
        let vias = request.headers(HeaderName::Via).map(Header::raw);
        Self::at_end(buffer).copied(vias, &Copied::of(request), None);
    }

    /// [RFC 3261 8.2.6.2] Begins the response to a request of which `kept` was [kept](Self::keep).
    pub fn respond_later(buffer: &'b mut Buffer, status: u16, kept: &[u8]) -> Self {
        let writer = Self::response(buffer, status);
        writer.buffer.put(kept);
        writer
    }

    /// [RFC 3261 8.1.1.7] [RFC 3261 18.1.1] Adds `Via: SIP/2.0/UDP {sent_by};branch=z9hG4bK{branch}`. When
    /// the finished message turns out larger than [`UDP_LIMIT`], the transport becomes TCP.
    pub fn via(&mut self, sent_by: &[u8], branch: Identifier) -> &mut Self {
        self.via_within(sent_by, branch, UDP_LIMIT)
    }

    /// [RFC 3261 18.1.1] As [`via`](Self::via), for a path that is known to bear UDP datagrams of so many bytes.
    pub fn via_within(
        &mut self,
        sent_by: &[u8],
        branch: Identifier,
        udp_limit: usize,
    ) -> &mut Self {
        self.udp_limit = udp_limit;
        self.buffer.put(b"\r\nVia: SIP/2.0/UDP ");
        let transport = self.buffer.len().saturating_sub(b"UDP ".len());
        self.transport.get_or_insert(transport);
        self.buffer.put_value(sent_by);
        self.buffer.put(b";branch=z9hG4bK");
        branch.write(self.buffer);
        self
    }

    /// Adds a header field. CR, LF or NUL in the value is [unsafe](Unwritable::UnsafeValue).
    #[inline]
    pub fn header(&mut self, name: HeaderName, value: &[u8]) -> &mut Self {
        self.name(name);
        self.buffer.put_value(value);
        self
    }

    /// Adds a header field whose value is put together from parts.
    #[inline]
    pub fn parts(&mut self, name: HeaderName, parts: &[&[u8]]) -> &mut Self {
        self.name(name);
        for part in parts {
            self.buffer.put_value(part);
        }
        self
    }

    /// Adds a header field whose value is a number.
    #[inline]
    pub fn number(&mut self, name: HeaderName, value: u64) -> &mut Self {
        self.name(name);
        self.buffer.put_number(value);
        self
    }

    /// [RFC 3261 20.16] Adds CSeq. A method that is no token is [unsafe](Unwritable::UnsafeValue).
    pub fn cseq(&mut self, number: u32, method: &[u8]) -> &mut Self {
        if !scan::is_token(method) {
            self.buffer.fail(Unwritable::UnsafeValue);
        }
        self.name(HeaderName::CSeq);
        self.buffer.put_number(u64::from(number));
        self.buffer.put(b" ");
        self.buffer.put(method);
        self
    }

    /// Adds every header field of that name of another message, in order, the values as they came, folding
    /// kept.
    pub fn copy(&mut self, from: &Message<'_>, name: HeaderName) -> &mut Self {
        for header in from.headers(name) {
            self.name(name);
            self.buffer.put(header.raw());
        }
        self
    }

    /// Adds a header field whose value `write` writes. CR, LF or NUL in it is
    /// [unsafe](Unwritable::UnsafeValue).
    pub fn value(&mut self, name: HeaderName, write: impl FnOnce(&mut Buffer)) -> &mut Self {
        self.name(name);
        let from = self.buffer.len();
        write(self.buffer);
        let written = scan::after(self.buffer.as_slice(), from);
        if holds_break(written) {
            self.buffer.fail(Unwritable::UnsafeValue);
        }
        self
    }

    /// [RFC 3261 20.14] Ends a message without body.
    pub fn finish(self) {
        self.buffer.put(b"\r\nContent-Length: 0\r\n\r\n");
        self.settle_transport();
    }

    /// [RFC 3261 20.14] Ends a message with the body that `write` writes; it may hold any bytes.
    pub fn body(mut self, content_type: &[u8], write: impl FnOnce(&mut Buffer)) {
        self.header(HeaderName::ContentType, content_type);
        self.name(HeaderName::ContentLength);
        let digits_at = self.buffer.len();
        self.buffer.put(b"\r\n\r\n");
        let body_at = self.buffer.len();
        write(self.buffer);
        let length = self.buffer.len().saturating_sub(body_at);
        insert_number(self.buffer, digits_at, length);
        self.settle_transport();
    }

    /// A name without canonical form cannot be written.
    #[inline]
    fn name(&mut self, name: HeaderName) {
        let text = name.line_start();
        if text.is_empty() {
            self.buffer.fail(Unwritable::UnsafeValue);
        }
        self.buffer.put(text);
    }

    /// [RFC 3261 21.4.1] As [`response`](Self::response), with another reason phrase.
    pub(super) fn response_because(buffer: &'b mut Buffer, status: u16, phrase: &[u8]) -> Self {
        let writer = Self::at_end(buffer);
        writer.buffer.put(b"SIP/2.0 ");
        writer.buffer.put_number(u64::from(status));
        writer.buffer.put(b" ");
        writer.buffer.put(phrase);
        writer
    }

    /// A message that begins where the buffer ends.
    fn at_end(buffer: &'b mut Buffer) -> Self {
        Self {
            start: buffer.len(),
            buffer,
            transport: None,
            udp_limit: UDP_LIMIT,
        }
    }

    /// [RFC 3261 8.2.6.2] Begins a response with what it copies, values as they stood, folding kept; the To gets
    /// the tag where it has none.
    pub(super) fn answer<'m>(
        buffer: &'b mut Buffer,
        status: u16,
        phrase: &[u8],
        vias: impl Iterator<Item = &'m [u8]>,
        copied: &Copied<'_>,
        to_tag: Option<Identifier>,
    ) -> Self {
        let mut writer = Self::response_because(buffer, status, phrase);
        writer.copied(vias, copied, to_tag);
        writer
    }

    fn copied<'m>(
        &mut self,
        vias: impl Iterator<Item = &'m [u8]>,
        copied: &Copied<'_>,
        to_tag: Option<Identifier>,
    ) {
        for via in vias {
            self.as_it_stood(HeaderName::Via, Some(via));
        }
        self.as_it_stood(HeaderName::From, copied.from);
        self.as_it_stood(HeaderName::To, copied.to);
        if let Some(tag) = to_tag.filter(|_| copied.lacks_to_tag()) {
            self.buffer.put(TO_TAG);
            tag.write(self.buffer);
        }
        self.as_it_stood(HeaderName::CallId, copied.call_id);
        self.as_it_stood(HeaderName::CSeq, copied.cseq);
    }

    fn as_it_stood(&mut self, name: HeaderName, value: Option<&[u8]>) {
        if let Some(value) = value {
            self.name(name);
            self.buffer.put(value);
        }
    }

    fn settle_transport(self) {
        let length = self.buffer.len().saturating_sub(self.start);
        if let (Some(at), true) = (self.transport, length > self.udp_limit) {
            self.buffer.overwrite(at, b"TCP");
        }
    }
}

fn insert_number(buffer: &mut Buffer, at: usize, number: usize) {
    let end = buffer.len();
    buffer.put_number(number as u64);
    let mut digits = [0u8; 20];
    let written = scan::after(buffer.as_slice(), end);
    let Some(text) = digits.get_mut(..written.len()) else {
        return;
    };
    text.copy_from_slice(written);
    buffer.truncate(end);
    buffer.insert(at, text);
}

/// Appends a quoted string with its quotes: `"` and `\` are escaped; CR, LF or NUL is
/// [unsafe](Unwritable::UnsafeValue) (RFC 3261 25.1).
pub fn put_quoted(buffer: &mut Buffer, text: &[u8]) {
    buffer.put(b"\"");
    let mut rest = text;
    while let Some(at) = memchr::memchr2(b'"', b'\\', rest) {
        buffer.put_value(scan::before(rest, at));
        buffer.put(b"\\");
        let next = at.saturating_add(1);
        buffer.put(scan::between(rest, at, next));
        rest = scan::after(rest, next);
    }
    buffer.put_value(rest);
    buffer.put(b"\"");
}

/// Appends a value as it stood in a message, each folding as one space (RFC 3261 7.3.1), so that it can
/// stand where a line end cannot.
pub fn put_unfolded(buffer: &mut Buffer, value: &[u8]) {
    let mut rest = value;
    while let Some(at) = memchr::memchr(b'\r', rest) {
        let folding = scan::after(rest, at);
        let is_folding = matches!(folding, [b'\r', b'\n', b' ' | b'\t', ..]);
        if !is_folding {
            break;
        }
        buffer.put_value(scan::trim_end(scan::before(rest, at)));
        buffer.put(b" ");
        rest = scan::trim_start(folding);
    }
    buffer.put_value(rest);
}

/// The reason phrase of a status (RFC 3261 21, RFC 6665 8.3, RFC 3903 11.2).
#[must_use]
pub const fn reason(status: u16) -> &'static [u8] {
    match status {
        100 => b"Trying",
        180 => b"Ringing",
        181 => b"Call Is Being Forwarded",
        182 => b"Queued",
        183 => b"Session Progress",
        199 => b"Early Dialog Terminated",
        200 => b"OK",
        202 => b"Accepted",
        204 => b"No Notification",
        300 => b"Multiple Choices",
        301 => b"Moved Permanently",
        302 => b"Moved Temporarily",
        305 => b"Use Proxy",
        380 => b"Alternative Service",
        400 => b"Bad Request",
        401 => b"Unauthorized",
        402 => b"Payment Required",
        403 => b"Forbidden",
        404 => b"Not Found",
        405 => b"Method Not Allowed",
        406 => b"Not Acceptable",
        407 => b"Proxy Authentication Required",
        408 => b"Request Timeout",
        410 => b"Gone",
        412 => b"Conditional Request Failed",
        413 => b"Request Entity Too Large",
        414 => b"Request-URI Too Long",
        415 => b"Unsupported Media Type",
        416 => b"Unsupported URI Scheme",
        420 => b"Bad Extension",
        421 => b"Extension Required",
        422 => b"Session Interval Too Small",
        423 => b"Interval Too Brief",
        430 => b"Flow Failed",
        439 => b"First Hop Lacks Outbound Support",
        480 => b"Temporarily Unavailable",
        481 => b"Call/Transaction Does Not Exist",
        482 => b"Loop Detected",
        483 => b"Too Many Hops",
        484 => b"Address Incomplete",
        485 => b"Ambiguous",
        486 => b"Busy Here",
        487 => b"Request Terminated",
        488 => b"Not Acceptable Here",
        489 => b"Bad Event",
        491 => b"Request Pending",
        493 => b"Undecipherable",
        494 => b"Security Agreement Required",
        500 => b"Server Internal Error",
        501 => b"Not Implemented",
        502 => b"Bad Gateway",
        503 => b"Service Unavailable",
        504 => b"Server Time-out",
        505 => b"Version Not Supported",
        513 => b"Message Too Large",
        600 => b"Busy Everywhere",
        603 => b"Decline",
        604 => b"Does Not Exist Anywhere",
        606 => b"Not Acceptable",
        _ => general_reason(status),
    }
}

const fn general_reason(status: u16) -> &'static [u8] {
    match status / 100 {
        1 => b"Progress",
        2 => b"Success",
        3 => b"Redirection",
        4 => b"Request Failure",
        5 => b"Server Failure",
        _ => b"Global Failure",
    }
}
