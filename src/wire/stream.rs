//! Messages in a stream of bytes (TCP, TLS, SCTP read as bytes): where each of them ends.

use super::{
    HeaderName, defect,
    scan::{self, after, before, between},
};
use crate::drive::{Limits, Reject};

/// What stands at the start of the bytes given to [`Framer::next`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A message in the first `length` bytes, from its start line to the end of its body. The host gives
    /// them to [`Message::parse`](super::Message::parse); if that refuses them, the host answers what it
    /// owes (400, or nothing) and the stream goes on.
    Message {
        /// Bytes to consume.
        length: usize,
    },
    /// The second CR LF of a pair: a ping. A host that agreed to keep-alives owes one CR LF at once
    /// (RFC 5626 4.4.1).
    Ping {
        /// Bytes to consume.
        length: usize,
    },
    /// CR LF outside a message, not the second of a pair: the answer to a ping of ours, or the first half of
    /// a ping, or a line end that a peer puts before its messages. Nothing is owed; the peer is alive.
    Pong {
        /// Bytes to consume.
        length: usize,
    },
    /// Neither yet. The host keeps all bytes, appends what comes, and calls again with the whole. If the
    /// stream ends here, what is left is no message.
    Incomplete {
        /// The least number of bytes that must come before a call can say something else: a host may wait
        /// for so many and will not have read past this message. 1 while the end of the header fields is
        /// not known.
        needed: usize,
    },
}

impl Frame {
    /// How many bytes the host takes out of the front of its buffer now: 0 for
    /// [`Incomplete`](Self::Incomplete).
    #[must_use]
    pub const fn consumed(self) -> usize {
        match self {
            Self::Message { length } | Self::Ping { length } | Self::Pong { length } => length,
            Self::Incomplete { .. } => 0,
        }
    }
}

/// [RFC 3261 18.3] [RFC 3261 7.5] Finds the messages of one direction of one connection, however the bytes
/// are cut into reads. The host keeps the bytes; a framer keeps only how far it has looked, so that a peer
/// that sends one byte at a time costs no more than one that sends all at once.
///
/// # What the host does
/// It calls [`next`](Self::next) with all bytes that it has and has not consumed, does what the [`Frame`]
/// says, consumes [`Frame::consumed`] bytes, and calls again until the frame is
/// [`Incomplete`](Frame::Incomplete). A buffer of [`Limits::message_bytes`] is enough: a frame is never
/// incomplete with so many bytes at hand.
///
/// ```
/// use ims_procedures::{drive::Limits, wire::{Frame, Framer, Message}};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut reads = [&b"\r\n\r\nBYE sip:a@home1.example.net SIP/2.0\r\nCall"[..],
/// #     b"-ID: 1\r\nContent-Length: 2\r\n\r\nhiSIP"].into_iter();
/// # let mut seen = Vec::new();
/// let limits = Limits::default();
/// let mut framer = Framer::new(&limits);
/// let mut received: Vec<u8> = Vec::new();
/// # while let Some(read) = reads.next() { received.extend_from_slice(read);
/// // After each read into `received`; an error ends the connection.
/// let mut at = 0;
/// loop {
///     let rest = &received[at..];
///     let frame = framer.next(rest)?;
///     match frame {
///         Frame::Message { length } => match Message::parse(&rest[..length], &limits) {
///             Ok(message) => seen.push(message.body().to_vec()),
///             Err(reject) => eprintln!("{reject}"),
///         },
///         Frame::Ping { .. } => seen.push(b"answer CR LF".to_vec()),
///         Frame::Pong { .. } => {}
///         Frame::Incomplete { .. } => break,
///     }
///     at += frame.consumed();
/// }
/// received.drain(..at);
/// # }
/// # assert_eq!(seen, [&b"answer CR LF"[..], b"hi"]);
/// # Ok(())
/// # }
/// ```
///
/// # What ends a stream
/// Only what leaves the end of a message uncertain:
///
/// | fault | why | defect |
/// |---|---|---|
/// | a start line that does not name SIP | nothing says that lengths mean what they mean in SIP | [`START_LINE`](defect::START_LINE) |
/// | NUL in it | as before | [`NUL`](defect::NUL) |
/// | CR without LF, LF without CR before the body | two elements may see different lines | [`BARE_LINE_END`](defect::BARE_LINE_END) |
/// | no Content-Length | | [`NO_CONTENT_LENGTH`](defect::NO_CONTENT_LENGTH) |
/// | Content-Length that is no number, or two numbers | | [`CONTENT_LENGTH`](defect::CONTENT_LENGTH), [`CONFLICT`](defect::CONFLICT) |
/// | a line that begins with the name Content-Length but is no such field | another element may take it for one | [`HEADER_NAME`](defect::HEADER_NAME) |
/// | a message past [`Limits::message_bytes`] | it would have to be held | [`MESSAGE_TOO_LARGE`](defect::MESSAGE_TOO_LARGE) |
///
/// The host then closes the connection (a 400 or 513 may be sent before): where the next message would begin
/// is not known. Each is found with the first byte that makes it certain; a Content-Length past the limit
/// before any of the body has come. Every other fault stays with its message: another version, a malformed
/// method, Request-URI or status, a line that is no header field, too many or too long fields, repeated
/// fields. A user of a peer cannot end a connection that the peer shares among its users by them.
///
/// # Misuse
/// Fewer bytes than in an incomplete call before are not the same stream: the framer starts over at their
/// first byte, as a new one would. A frame that is not consumed comes again.
#[derive(Clone, Debug)]
pub struct Framer {
    limit: usize,
    state: State,
    /// Whether the last frame was a CR LF that no other has made a pair of.
    unpaired: bool,
    /// How many bytes the last incomplete call had.
    seen: usize,
}

/// How far a message has been looked at. All places count from its first byte.
#[derive(Clone, Copy, Debug)]
enum State {
    /// Nothing of it has come.
    Between,
    /// In the start line, without a line end before `scanned`.
    StartLine { scanned: usize },
    /// In the header fields.
    Fields(Fields),
    /// The message ends at `total`.
    Body { total: usize },
    /// The stream cannot be read on.
    Broken(Reject),
}

impl Framer {
    /// A framer at the start of a stream. Of the limits it heeds [`Limits::message_bytes`].
    #[must_use]
    pub const fn new(limits: &Limits) -> Self {
        Self {
            limit: limits.message_bytes,
            state: State::Between,
            unpaired: false,
            seen: 0,
        }
    }

    /// [RFC 3261 18.3] [RFC 5626 3.5.1] [RFC 5626 4.4.1] What stands at the start of `bytes`, which are all
    /// that the host has received and not consumed. Every byte is looked at a constant number of times over
    /// all calls, those of the body not at all.
    ///
    /// # Errors
    /// What makes the rest of the stream unreadable, at its byte of the message; see the
    /// [table](Self#what-ends-a-stream). Every further call gives the same.
    pub fn next(&mut self, bytes: &[u8]) -> Result<Frame, Reject> {
        if bytes.len() < self.seen && !matches!(self.state, State::Broken(_)) {
            self.state = State::Between;
        }
        match self.read(bytes) {
            Ok(frame) => {
                self.seen = match frame {
                    Frame::Incomplete { .. } => bytes.len(),
                    _ => 0,
                };
                Ok(frame)
            }
            Err(reject) => {
                self.state = State::Broken(reject);
                Err(reject)
            }
        }
    }

    fn read(&mut self, bytes: &[u8]) -> Result<Frame, Reject> {
        let head = before(bytes, self.limit);
        loop {
            match &mut self.state {
                State::Between => match bytes {
                    [b'\r', b'\n', ..] => return Ok(self.line_end()),
                    [] | [b'\r'] => return self.wait(bytes.len()),
                    _ => self.state = State::StartLine { scanned: 0 },
                },
                State::StartLine { scanned } => {
                    let Some(end) = line_end(head, *scanned)? else {
                        *scanned = scanned_of(head);
                        return self.wait(bytes.len());
                    };
                    check_start_line(before(head, end))?;
                    self.state = State::Fields(Fields::new(end.wrapping_add(2)));
                }
                State::Fields(fields) => match fields.read(head, self.limit)? {
                    None => return self.wait(bytes.len()),
                    Some(total) => self.state = State::Body { total },
                },
                State::Body { total } => {
                    let total = *total;
                    return Ok(self.body(bytes.len(), total));
                }
                State::Broken(reject) => return Err(*reject),
            }
        }
    }

    /// More of the head is needed: the bytes at hand must leave room for it.
    fn wait(&self, at_hand: usize) -> Result<Frame, Reject> {
        if at_hand >= self.limit && at_hand > 0 {
            return Err(too_large(self.limit));
        }
        Ok(Frame::Incomplete { needed: 1 })
    }

    /// CR LF outside a message. Each is reported when it has come, since a peer waits for its pong; so the
    /// first of a ping looks like a pong.
    fn line_end(&mut self) -> Frame {
        self.unpaired = !self.unpaired;
        if self.unpaired {
            Frame::Pong { length: 2 }
        } else {
            Frame::Ping { length: 2 }
        }
    }

    fn body(&mut self, at_hand: usize, total: usize) -> Frame {
        match total.checked_sub(at_hand) {
            None | Some(0) => {
                self.state = State::Between;
                self.unpaired = false;
                Frame::Message { length: total }
            }
            Some(needed) => Frame::Incomplete { needed },
        }
    }
}

/// How far header fields have been looked at.
#[derive(Clone, Copy, Debug)]
struct Fields {
    /// Where the field begins that may be continued.
    field: usize,
    /// There is no line end between the start of the line and here.
    scanned: usize,
    /// Whether `scanned` is within a line; else a line begins there, and what it is is not known.
    in_line: bool,
    /// What Content-Length has said.
    length: Option<usize>,
}

impl Fields {
    const fn new(at: usize) -> Self {
        Self {
            field: at,
            scanned: at,
            in_line: false,
            length: None,
        }
    }

    /// The end of the message, when all header fields have come.
    fn read(&mut self, head: &[u8], limit: usize) -> Result<Option<usize>, Reject> {
        loop {
            if self.in_line {
                let Some(end) = field_line_end(head, self.scanned)? else {
                    self.scanned = scanned_of(head);
                    return Ok(None);
                };
                self.scanned = end.wrapping_add(2);
                self.in_line = false;
            }
            match after(head, self.scanned) {
                [] => return Ok(None),
                [b' ' | b'\t', ..] => self.in_line = true,
                _ if self.field != self.scanned => self.end_field(head, limit)?,
                [b'\r'] => return Ok(None),
                [b'\r', b'\n', ..] => return self.total(limit).map(Some),
                _ => self.in_line = true,
            }
        }
    }

    /// The line at `scanned` does not continue the field.
    fn end_field(&mut self, head: &[u8], limit: usize) -> Result<(), Reject> {
        let text = between(head, self.field, self.scanned.wrapping_sub(2));
        if let Some((length, at)) = content_length(text, self.field)? {
            if self.length.is_some_and(|known| known != length) {
                return Err(Reject::new(&defect::CONFLICT, at));
            }
            self.length = Some(length);
        }
        self.field = self.scanned;
        check_total(self.scanned, self.length.unwrap_or(0), limit)?;
        Ok(())
    }

    /// The head ends with the line at `scanned`.
    fn total(&self, limit: usize) -> Result<usize, Reject> {
        let missing = Reject::new(&defect::NO_CONTENT_LENGTH, self.scanned);
        check_total(self.scanned, self.length.ok_or(missing)?, limit)
    }
}

/// The end of a message whose head ends with the line at `at`, or later.
fn check_total(at: usize, length: usize, limit: usize) -> Result<usize, Reject> {
    let total = at.saturating_add(2).saturating_add(length);
    if total > limit {
        return Err(too_large(limit));
    }
    Ok(total)
}

fn too_large(limit: usize) -> Reject {
    Reject::new(&defect::MESSAGE_TOO_LARGE, limit)
}

/// Where the line that goes on at `from` ends: at its CR LF. `None` if that has not come.
fn line_end(head: &[u8], from: usize) -> Result<Option<usize>, Reject> {
    end_at(head, from.wrapping_add(scan::line_break(after(head, from))))
}

/// As [`line_end`], over NUL: whether it may stand there is the message's matter.
fn field_line_end(head: &[u8], from: usize) -> Result<Option<usize>, Reject> {
    end_at(
        head,
        from.wrapping_add(scan::line_break_over_nul(after(head, from))),
    )
}

fn end_at(head: &[u8], at: usize) -> Result<Option<usize>, Reject> {
    match after(head, at) {
        [b'\r', b'\n', ..] => Ok(Some(at)),
        [] | [b'\r'] => Ok(None),
        [0, ..] => Err(Reject::new(&defect::NUL, at)),
        _ => Err(Reject::new(&defect::BARE_LINE_END, at)),
    }
}

/// Where to go on when no line end has come: a CR at the end may be the first half of one.
fn scanned_of(head: &[u8]) -> usize {
    head.strip_suffix(b"\r").unwrap_or(head).len()
}

/// The line begins or ends with the name of the protocol; which version is the message's matter.
fn check_start_line(line: &[u8]) -> Result<(), Reject> {
    if scan::names_sip(line) || scan::names_sip(scan::last_word(line)) {
        return Ok(());
    }
    Err(Reject::new(&defect::START_LINE, 0))
}

/// A length and the place where it was read.
type Length = (usize, usize);

/// [RFC 3261 20.14] What a line (with those that continue it) says of the length of the body: nothing, unless
/// it begins with the name of Content-Length.
fn content_length(line: &[u8], at: usize) -> Result<Option<Length>, Reject> {
    const LONGEST: usize = b"Content-Length".len();
    if !matches!(line.first(), Some(b'C' | b'c' | b'L' | b'l' | b' ' | b'\t')) {
        return Ok(None);
    }
    let text = scan::trim_start(line);
    let name = before(text, LONGEST.wrapping_add(1));
    let name = before(name, scan::run(name, scan::TOKEN));
    if HeaderName::lookup(name) != HeaderName::ContentLength {
        return Ok(None);
    }
    let rest = after(text, name.len());
    let blanks = rest.iter().take_while(|b| matches!(b, b' ' | b'\t'));
    let colon = blanks.count();
    if text.len() != line.len() || rest.get(colon) != Some(&b':') {
        return Err(Reject::new(&defect::HEADER_NAME, at));
    }
    let value = scan::trim_start(after(rest, colon.wrapping_add(1)));
    let value_at = at.wrapping_add(line.len().wrapping_sub(value.len()));
    match scan::number(scan::trim_end(value)) {
        Some(length) => Ok(Some((length as usize, value_at))),
        None => Err(Reject::new(&defect::CONTENT_LENGTH, value_at)),
    }
}
