//! Session descriptions, as far as deleting a stream of a session needs them.
//!
//! A [`Description`] is a view over the bytes of one: its structure is checked, its m-lines are numbered from 0,
//! and [`put_without`](Description::put_without) writes it anew as the offer that deletes some of them. Nothing
//! else is interpreted: addresses, formats, directions and all other attributes pass as bytes.
//!
//! | clause | what | where | test |
//! |---|---|---|---|
//! | RFC 8866 5, 9 | lines, their order as far as it counts; CR LF and LF alone | [`Description::parse`] | `tests/wire/sdp.rs` |
//! | RFC 8866 5.2, RFC 3264 5 | session version of 64 bits | [`Description::session_version`] | `tests/wire/sdp.rs` |
//! | RFC 8866 5.14 | m-lines, ports | [`Description::streams`] | `tests/wire/sdp.rs` |
//! | RFC 3264 8, 8.2 | the offer that deletes streams; its version | [`Description::put_without`] | `tests/wire/sdp.rs` |
//! | RFC 5888 9.2, RFC 8843 7.5.3 | a deleted stream is in no group | [`Description::put_without`] | `tests/wire/sdp.rs` |

use core::{fmt, ops::Range};

use super::scan::{self, after, before, between};
use crate::drive::{Buffer, Limits, Reject};

pub mod defect;

/// The most m-lines that are numbered.
const STREAMS: usize = u64::BITS as usize;

/// Some of the streams of a session, by the numbers of their m-lines, which count from 0. A number past 63 is in no
/// set: no description that was read has one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct StreamSet(u64);

impl StreamSet {
    /// No stream.
    pub const EMPTY: Self = Self(0);

    /// The set of these bits: bit 0 is the first m-line.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// One bit a stream: bit 0 is the first m-line.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// This set and the stream of that number, unless that is past 63.
    #[must_use]
    pub const fn with(self, number: usize) -> Self {
        Self(self.0 | bit(number))
    }

    /// Whether the stream of that number is in it.
    #[must_use]
    pub const fn contains(self, number: usize) -> bool {
        self.0 & bit(number) != 0
    }

    /// The streams of either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The streams of this set that are not in the other one.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// How many there are.
    #[must_use]
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<usize> for StreamSet {
    fn from_iter<I: IntoIterator<Item = usize>>(numbers: I) -> Self {
        numbers.into_iter().fold(Self::EMPTY, Self::with)
    }
}

/// The bit of a number; none past 63.
const fn bit(number: usize) -> u64 {
    if number < STREAMS { 1 << number } else { 0 }
}

/// One m-line.
#[derive(Clone)]
#[non_exhaustive]
pub struct Stream<'a> {
    /// Its number; the first is 0.
    pub number: usize,
    /// The kind of media: `message` for MSRP (RFC 4975 8.1).
    pub media: &'a [u8],
    /// The port. 0: there is no such stream, or no more (RFC 3264 6, 8.2).
    pub port: u16,
    /// How many ports follow one another from there; 1 where the line does not say.
    pub ports: u32,
    /// The protocol: `TCP/MSRP`, `TCP/TLS/MSRP`, `RTP/AVP`…
    pub protocol: &'a [u8],
    /// Where the digits of the port stand in the description.
    pub port_at: Range<usize>,
}

impl fmt::Debug for Stream<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("number", &self.number)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

/// A session description over the bytes it came in. Reading it takes no allocation.
#[derive(Clone)]
pub struct Description<'a> {
    bytes: &'a [u8],
    session_version: u64,
    /// Where the digits of the session version stand.
    version_at: Range<usize>,
    count: usize,
    live: StreamSet,
}

impl fmt::Debug for Description<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Description")
            .field("len", &self.bytes.len())
            .field("streams", &self.count)
            .field("live", &self.live.len())
            .finish()
    }
}

impl<'a> Description<'a> {
    /// [RFC 8866 5] [RFC 8866 9] Reads a description. Lines end with CR LF or LF; the last one may lack its end, and
    /// line ends after it are passed over. Checked are the bytes and type of each line, `v=0`, the o-line, that
    /// `v=`, `o=` and `s=` come first and once, that a t-line comes before the first m-line and no line of the session
    /// after it, and each m-line; the order among the rest is not.
    ///
    /// # Errors
    /// What is wrong, at its byte: a [`defect`] of this module. Also [`defect::BUNDLE_ONLY`], for what could not be
    /// [written anew](Self::put_without) by changing ports alone.
    pub fn parse(bytes: &'a [u8], limits: &Limits) -> Result<Self, Reject> {
        if bytes.len() > limits.message_bytes {
            return Err(Reject::new(&defect::TOO_LARGE, limits.message_bytes));
        }
        let mut lines = Lines { bytes, at: 0 };
        let version = lines.first_of_type(b'v')?;
        if version.value != b"0" {
            return Err(Reject::new(&defect::VERSION, version.value_at()));
        }
        let (session_version, version_at) = read_origin(&lines.first_of_type(b'o')?)?;
        lines.first_of_type(b's')?;
        let mut description = Self {
            bytes,
            session_version,
            version_at,
            count: 0,
            live: StreamSet::EMPTY,
        };
        description.read_rest(lines, limits)?;
        Ok(description)
    }

    /// What follows the first three lines.
    fn read_rest(&mut self, lines: Lines<'a>, limits: &Limits) -> Result<(), Reject> {
        let mut left = limits.sdp_lines.saturating_sub(3);
        let mut has_time = false;
        for line in lines {
            let line = line?;
            left = left
                .checked_sub(1)
                .ok_or(Reject::new(&defect::TOO_MANY_LINES, line.at))?;
            match line.letter {
                b'm' if !has_time => return Err(Reject::new(&defect::NO_TIME, line.at)),
                b'm' => self.add(&line, limits)?,
                b'a' if line.value == b"bundle-only" => {
                    return Err(Reject::new(&defect::BUNDLE_ONLY, line.at));
                }
                b'i' | b'c' | b'b' | b'k' | b'a' => {}
                b't' | b'r' | b'z' | b'u' | b'e' | b'p' if self.count == 0 => {
                    has_time |= line.letter == b't';
                }
                b'v' | b'o' | b's' | b't' | b'r' | b'z' | b'u' | b'e' | b'p' => {
                    return Err(Reject::new(&defect::MISPLACED, line.at));
                }
                _ => return Err(Reject::new(&defect::TYPE, line.at)),
            }
        }
        if has_time {
            Ok(())
        } else {
            Err(Reject::new(&defect::NO_TIME, self.bytes.len()))
        }
    }

    fn add(&mut self, line: &Line<'a>, limits: &Limits) -> Result<(), Reject> {
        if self.count >= limits.sdp_streams.min(STREAMS) {
            return Err(Reject::new(&defect::TOO_MANY_STREAMS, line.at));
        }
        let stream = read_stream(line, self.count)?;
        if stream.port != 0 {
            self.live = self.live.with(self.count);
        }
        self.count = self.count.saturating_add(1);
        Ok(())
    }

    /// The bytes that were read.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// [RFC 3264 5] The session version of the o-line.
    #[must_use]
    pub const fn session_version(&self) -> u64 {
        self.session_version
    }

    /// How many m-lines there are, those at port 0 included.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }

    /// The streams there are: those whose port is not 0. [`StreamSet::without`] tells which would be left.
    #[must_use]
    pub const fn live(&self) -> StreamSet {
        self.live
    }

    /// [RFC 8866 5.14] The m-lines, in their order.
    pub fn streams(&self) -> impl Iterator<Item = Stream<'a>> + use<'a> {
        self.lines()
            .filter(|line| line.letter == b'm')
            .enumerate()
            .filter_map(|(number, line)| read_stream(&line, number).ok())
    }

    /// The lines, which were found in order when the description was read.
    fn lines(&self) -> impl Iterator<Item = Line<'a>> + use<'a> {
        let lines = Lines {
            bytes: self.bytes,
            at: 0,
        };
        lines.map_while(Result::ok)
    }

    /// [RFC 3264 8] [RFC 3264 8.2] Writes the offer that deletes these streams: this description, which is to be the
    /// one sent last to the same peer, with their ports at 0 and its [next version](next_version). It is at most one
    /// byte longer. What is at port 0 already stays so; numbers of no m-line do nothing; no m-line is ever removed.
    ///
    /// [RFC 5888 9.2] [RFC 8843 7.5.3] The identification tags of these streams are taken out of the groups of the
    /// session (`a=group`): whoever disables a stream must not leave it in one. Every other byte is as it was,
    /// the attributes of the deleted streams included, which mean nothing any more.
    pub fn put_without(&self, deleted: StreamSet, buffer: &mut Buffer) {
        let tags = self.tags(deleted);
        let mut copy = Copy {
            from: self.bytes,
            at: 0,
            buffer,
        };
        copy.up_to(self.version_at.start);
        copy.buffer.put_number(next_version(self.session_version));
        copy.at = self.version_at.end;
        let mut number = 0usize;
        for line in self.lines() {
            match (line.letter, line.attribute(b"group:")) {
                (b'm', _) => {
                    if deleted.contains(number) {
                        copy.close(&line, number);
                    }
                    number = number.saturating_add(1);
                }
                (_, Some(group)) if number == 0 => copy.leave_out(&line, group, &tags),
                _ => {}
            }
        }
        copy.up_to(self.bytes.len());
    }

    /// The identification tags of these streams; empty where one has none (RFC 5888 4).
    fn tags(&self, of: StreamSet) -> [&'a [u8]; STREAMS] {
        let mut tags = [&[][..]; STREAMS];
        let mut number: Option<usize> = None;
        for line in self.lines() {
            if line.letter == b'm' {
                number = Some(number.map_or(0, |n| n.saturating_add(1)));
            }
            let Some(number) = number.filter(|number| of.contains(*number)) else {
                continue;
            };
            if let (Some(tag), Some(place)) = (line.attribute(b"mid:"), tags.get_mut(number)) {
                *place = tag;
            }
        }
        tags
    }
}

/// [RFC 3264 5] [RFC 3264 8] The session version after `version`. Versions are to be below 2^63 and begin below
/// 2^62, so none ever comes to an end; should one, or one that began higher than it may, 0 follows 2^63 - 1 and
/// 2^64 - 1.
#[must_use]
pub const fn next_version(version: u64) -> u64 {
    if version == i64::MAX as u64 {
        0
    } else {
        version.wrapping_add(1)
    }
}

/// Copying with changes: what lies between them goes as it is.
struct Copy<'a, 'b> {
    from: &'a [u8],
    /// What of it comes next.
    at: usize,
    buffer: &'b mut Buffer,
}

impl Copy<'_, '_> {
    fn up_to(&mut self, end: usize) {
        self.buffer.put(between(self.from, self.at, end));
        self.at = end;
    }

    /// Sets the port of an m-line to 0.
    fn close(&mut self, line: &Line<'_>, number: usize) {
        let Ok(stream) = read_stream(line, number) else {
            return;
        };
        if stream.port != 0 {
            self.up_to(stream.port_at.start);
            self.buffer.put(b"0");
            self.at = stream.port_at.end;
        }
    }

    /// Leaves out the tags of a group that are among these, each with the space before it.
    fn leave_out(&mut self, line: &Line<'_>, group: &[u8], tags: &[&[u8]]) {
        let mut at = line.end_of_value().saturating_sub(group.len());
        for (place, tag) in group.split(|byte| *byte == b' ').enumerate() {
            let end = at.saturating_add(tag.len());
            let is_tag = place != 0 && !tag.is_empty();
            if is_tag && tags.iter().any(|other| scan::same_bytes(other, tag)) {
                self.up_to(at.saturating_sub(1));
                self.at = end;
            }
            at = end.saturating_add(1);
        }
    }
}

/// One line.
struct Line<'a> {
    /// Where it begins in the description.
    at: usize,
    /// Its type.
    letter: u8,
    /// What follows `=`, without the line end.
    value: &'a [u8],
}

impl<'a> Line<'a> {
    /// Where its value begins in the description.
    const fn value_at(&self) -> usize {
        self.at.saturating_add(2)
    }

    const fn end_of_value(&self) -> usize {
        self.value_at().saturating_add(self.value.len())
    }

    /// The value of the attribute of that name, with its colon.
    fn attribute(&self, name: &[u8]) -> Option<&'a [u8]> {
        let attribute = self.value.strip_prefix(name);
        attribute.filter(|_| self.letter == b'a')
    }
}

/// The lines of a description. After a refusal there is nothing more.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Lines<'a> {
    /// The next line, which must be of that type.
    fn first_of_type(&mut self, letter: u8) -> Result<Line<'a>, Reject> {
        let at = self.at;
        match self.next().transpose()? {
            Some(line) if line.letter == letter => Ok(line),
            _ => Err(Reject::new(&defect::START, at)),
        }
    }

    fn read(&mut self) -> Result<Line<'a>, Reject> {
        let at = self.at;
        let rest = after(self.bytes, at);
        let (text, length) = match memchr::memchr(b'\n', rest) {
            Some(end) => {
                let text = before(rest, end);
                let text = text.strip_suffix(b"\r").unwrap_or(text);
                (text, end.saturating_add(1))
            }
            None => (rest, rest.len()),
        };
        if let Some(place) = memchr::memchr2(b'\r', 0, text) {
            return Err(Reject::new(&defect::BYTE, at.saturating_add(place)));
        }
        self.at = at.saturating_add(length);
        match text {
            [letter, b'=', value @ ..] if letter.is_ascii_alphabetic() => Ok(Line {
                at,
                letter: *letter,
                value,
            }),
            _ => Err(Reject::new(&defect::LINE, at)),
        }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Result<Line<'a>, Reject>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = after(self.bytes, self.at);
        if rest.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
            return None;
        }
        let line = self.read();
        if line.is_err() {
            self.at = self.bytes.len();
        }
        Some(line)
    }
}

/// [RFC 8866 5.2] The session version of an o-line, and where its digits stand.
fn read_origin(line: &Line<'_>) -> Result<(u64, Range<usize>), Reject> {
    let mut fields = line.value.split(|byte| *byte == b' ');
    let has_all = fields.clone().count() == 6 && fields.clone().all(|field| !field.is_empty());
    let (Some(user), Some(id), Some(version), true) =
        (fields.next(), fields.next(), fields.next(), has_all)
    else {
        return Err(Reject::new(&defect::ORIGIN, line.value_at()));
    };
    let at = line
        .value_at()
        .saturating_add(user.len())
        .saturating_add(id.len())
        .saturating_add(2);
    let number = number64(version).ok_or(Reject::new(&defect::SESSION_VERSION, at))?;
    Ok((number, at..at.saturating_add(version.len())))
}

/// A decimal number of 64 bits.
fn number64(digits: &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    Some(value)
}

/// [RFC 8866 5.14] [RFC 4975 8.1] An m-line.
fn read_stream<'a>(line: &Line<'a>, number: usize) -> Result<Stream<'a>, Reject> {
    let mut fields = line.value.split(|byte| *byte == b' ').take(4);
    let has_all = fields.clone().count() == 4 && fields.clone().all(|field| !field.is_empty());
    let (Some(media), Some(port), Some(protocol), true) =
        (fields.next(), fields.next(), fields.next(), has_all)
    else {
        return Err(Reject::new(&defect::MEDIA, line.value_at()));
    };
    let at = line
        .value_at()
        .saturating_add(media.len())
        .saturating_add(1);
    let digits = scan::digits(port);
    let value = scan::port(before(port, digits));
    let ports = match after(port, digits) {
        [] => Some(1),
        [b'/', ports @ ..] => scan::number(ports).filter(|ports| *ports != 0),
        _ => None,
    };
    match (value, ports) {
        (Some(port), Some(ports)) => Ok(Stream {
            number,
            media,
            port,
            ports,
            protocol,
            port_at: at..at.saturating_add(digits),
        }),
        _ => Err(Reject::new(&defect::PORT, at)),
    }
}
