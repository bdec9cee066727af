//! What the reader needs of XML beyond events and tags: characters, names, references, strings.
//! Nothing here knows a registration.

use alloc::string::String;

use super::{defect, tag::Attribute};
use crate::drive::{Limits, Reject};

const BOM: &[u8] = b"\xef\xbb\xbf";
/// Bytes that are looked at together.
const CHUNK: usize = 128;

/// [RI-2] The document as text and the bytes of the byte order mark before it. Refuses what is too large,
/// in another encoding, or holds a character that XML 1.0 2.2 does not allow.
pub(super) fn characters<'a>(bytes: &'a [u8], limits: &Limits) -> Result<(&'a str, usize), Reject> {
    if bytes.len() > limits.xml_bytes {
        return Err(Reject::new(&defect::TOO_LARGE, limits.xml_bytes));
    }
    if let [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, b'<', ..] | [b'<', 0, ..] | [0, 0, ..] = bytes
    {
        return Err(Reject::new(&defect::ENCODING, 0));
    }
    let (bytes, mark) = match bytes.strip_prefix(BOM) {
        Some(rest) => (rest, BOM.len()),
        None => (bytes, 0),
    };
    let text = core::str::from_utf8(bytes)
        .map_err(|error| Reject::new(&defect::NOT_UTF8, error.valid_up_to()).shifted(mark))?;
    match illegal_character(bytes) {
        Some(at) => Err(Reject::new(&defect::CHARACTER, at).shifted(mark)),
        None => Ok((text, mark)),
    }
}

/// The place of the first character that may not stand in a document.
fn illegal_character(bytes: &[u8]) -> Option<usize> {
    let mut at = 0usize;
    let mut wide = false;
    for chunk in bytes.chunks(CHUNK) {
        if any(chunk, |b| i8::from_ne_bytes([b]) < 0x20 && b != b'\n') {
            let illegal = |b: u8| b < 0x20 && !is_white(b);
            if any(chunk, illegal) {
                let inside = chunk.iter().position(|b| illegal(*b)).unwrap_or(0);
                return Some(at.saturating_add(inside));
            }
            wide |= any(chunk, |b| !b.is_ascii());
        }
        at = at.saturating_add(chunk.len());
    }
    if !wide {
        return None;
    }
    let fffe = memchr::memmem::find(bytes, b"\xef\xbf\xbe");
    let ffff = memchr::memmem::find(bytes, b"\xef\xbf\xbf");
    match (fffe, ffff) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// Whether there is such a byte in a chunk. Its length is known and every byte of it is looked at, so that a
/// compiler looks at many at a time.
#[inline]
fn any(chunk: &[u8], is: impl Fn(u8) -> bool) -> bool {
    match chunk.first_chunk::<CHUNK>() {
        Some(chunk) => chunk.iter().fold(false, |any, b| any | is(*b)),
        None => chunk.iter().fold(false, |any, b| any | is(*b)),
    }
}

/// [XML 1.0 2.2] Whether a character may stand in a document at all.
pub(super) const fn is_character(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

pub(super) const fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Whether a byte is a control character, which no SIP header may carry.
pub(super) const fn is_control(byte: u8) -> bool {
    byte < 0x20
}

pub(super) fn has_control(text: &str) -> bool {
    text.bytes().fold(false, |any, b| any | is_control(b))
}

/// White space at both ends taken off. (A form feed, which ASCII counts in, is in no document.)
#[inline]
pub(super) fn trim(text: &str) -> &str {
    match text.as_bytes() {
        [first, .., last] if *first > b' ' && *last > b' ' => text,
        _ => text.trim_ascii(),
    }
}

/// [XML 1.0 2.3] Whether the text is a name.
pub(super) fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    let ascii = match bytes.next() {
        Some(b'a'..=b'z' | b'A'..=b'Z' | b'_' | b':') => bytes.all(
            |b| matches!(b, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b':'),
        ),
        _ => false,
    };
    ascii || (!name.is_ascii() && is_wide_name(name))
}

pub(super) fn is_wide_name(name: &str) -> bool {
    let starts = |c: char| {
        matches!(c, ':' | '_' | 'a'..='z' | 'A'..='Z'
            | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}' | '\u{370}'..='\u{37d}'
            | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}'
            | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}'
            | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}')
    };
    let continues = |c: char| matches!(c, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}');
    let mut characters = name.chars();
    characters.next().is_some_and(starts) && characters.all(|c| starts(c) || continues(c))
}

/// [XML 1.0 4.1, 4.6] What a reference stands for, its `&` and `;` apart. `at` is where it begins.
pub(super) fn referenced(name: &str, at: usize) -> Result<char, Reject> {
    let number = match name {
        "amp" => return Ok('&'),
        "lt" => return Ok('<'),
        "gt" => return Ok('>'),
        "quot" => return Ok('"'),
        "apos" => return Ok('\''),
        _ => name.strip_prefix('#'),
    };
    let Some(number) = number else {
        let defect = if is_name(name) {
            &defect::UNDECLARED_ENTITY
        } else {
            &defect::BARE_AMPERSAND
        };
        return Err(Reject::new(defect, at));
    };
    let (digits, radix) = match number.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    // A sign would be taken by the parser of the standard library.
    let code = match digits.starts_with('+') {
        true => None,
        false => u32::from_str_radix(digits, radix).ok(),
    };
    code.and_then(char::from_u32)
        .filter(|character| is_character(*character))
        .ok_or(Reject::new(&defect::CHARACTER_REFERENCE, at))
}

/// The first character of an attribute value, a reference resolved.
fn next_character(rest: &mut &str, at: &mut usize) -> Result<Option<char>, Reject> {
    if !rest.starts_with('&') {
        let mut characters = rest.chars();
        let next = characters.next();
        *at = at.saturating_add(next.map_or(0, char::len_utf8));
        *rest = characters.as_str();
        return Ok(next);
    }
    let begin = *at;
    take(rest, at, 1);
    let length = memchr::memchr2(b';', b'&', rest.as_bytes())
        .filter(|length| rest.as_bytes().get(*length) == Some(&b';'))
        .ok_or(Reject::new(&defect::BARE_AMPERSAND, begin))?;
    let name = take(rest, at, length);
    take(rest, at, 1);
    referenced(name, begin).map(Some)
}

/// The first `length` bytes, which are then gone; empty where they end inside a character.
fn take<'a>(rest: &mut &'a str, at: &mut usize, length: usize) -> &'a str {
    match rest.split_at_checked(length) {
        Some((head, tail)) => {
            *rest = tail;
            *at = at.saturating_add(length);
            head
        }
        None => "",
    }
}

/// What to do with control characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A URI: the document is refused.
    Uri,
    /// Any other text: each is read as a space.
    Text,
}

/// A string that was read: a part of the document, or, where something had to be resolved, of the
/// [`Scratch`].
#[derive(Clone, Copy, Debug)]
pub(super) enum Piece<'a> {
    Plain(&'a str),
    Decoded { start: usize, end: usize },
}

/// [RI-5] Where strings are put together that do not stand in the document as they are. It is reused
/// throughout a document.
#[derive(Debug)]
pub(super) struct Scratch(String);

impl Scratch {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn truncate(&mut self, length: usize) {
        self.0.truncate(length);
    }

    /// The value of an attribute ([XML 1.0 3.3.3]: white space in it is a space).
    #[inline]
    pub(super) fn attribute<'a>(
        &mut self,
        attribute: &Attribute<'a>,
        kind: Kind,
    ) -> Result<Piece<'a>, Reject> {
        if attribute.plain {
            return Ok(Piece::Plain(attribute.value));
        }
        self.decoded(attribute, kind)
    }

    fn decoded<'a>(&mut self, attribute: &Attribute<'a>, kind: Kind) -> Result<Piece<'a>, Reject> {
        let start = self.len();
        let mut rest = attribute.value;
        let mut at = attribute.at;
        while !rest.is_empty() {
            let begin = at;
            let literal = !rest.starts_with('&');
            if rest.starts_with("\r\n") {
                take(&mut rest, &mut at, 1);
            }
            let Some(character) = next_character(&mut rest, &mut at)? else {
                break;
            };
            let control = u8::try_from(character).is_ok_and(is_control);
            match (control, kind) {
                (false, _) => self.0.push(character),
                (true, Kind::Text) => self.0.push(' '),
                (true, Kind::Uri) if literal => self.0.push(' '),
                (true, Kind::Uri) => return Err(Reject::new(&defect::CONTROL_IN_URI, begin)),
            }
        }
        Ok(Piece::Decoded {
            start,
            end: self.len(),
        })
    }

    /// The value of an attribute that is a number or one of a few words.
    #[inline]
    pub(super) fn value<'s, 'a: 's>(
        &'s mut self,
        attribute: &Attribute<'a>,
    ) -> Result<&'s str, Reject> {
        let piece = self.attribute(attribute, Kind::Text)?;
        Ok(trim(self.get(piece)))
    }

    /// Appends one character, which a reference stands for; as in [`push`](Self::push).
    pub(super) fn push_character(&mut self, character: char, kind: Kind) {
        let control = u8::try_from(character).is_ok_and(is_control);
        self.0.push(if control && kind == Kind::Text {
            ' '
        } else {
            character
        });
    }

    /// Appends text of an element; control characters of a [`Kind::Text`] as spaces.
    pub(super) fn push(&mut self, text: &str, kind: Kind) {
        if kind == Kind::Uri || !has_control(text) {
            self.0.push_str(text);
            return;
        }
        let mut previous = '\0';
        for character in text.chars() {
            match u8::try_from(character).is_ok_and(is_control) {
                false => self.0.push(character),
                true if previous == '\r' && character == '\n' => {}
                true => self.0.push(' '),
            }
            previous = character;
        }
    }

    /// The value of an attribute, white space at both ends taken off.
    #[inline]
    pub(super) fn trimmed_attribute<'a>(
        &mut self,
        attribute: &Attribute<'a>,
        kind: Kind,
    ) -> Result<Piece<'a>, Reject> {
        if attribute.plain {
            return Ok(Piece::Plain(trim(attribute.value)));
        }
        let start = self.len();
        self.decoded(attribute, kind)?;
        Ok(self.trimmed_from(start))
    }

    /// What was put together from byte `start` on, white space at both ends taken off.
    pub(super) fn trimmed_from<'a>(&self, start: usize) -> Piece<'a> {
        let text = self.0.get(start..).unwrap_or_default();
        let front = text.trim_ascii_start();
        let end = self.len();
        Piece::Decoded {
            start: end.saturating_sub(front.len()),
            end: end.saturating_sub(front.len().saturating_sub(trim(front).len())),
        }
    }

    pub(super) fn get<'s, 'a: 's>(&'s self, piece: Piece<'a>) -> &'s str {
        resolve(piece, &self.0)
    }
}

/// The text of a piece, given the scratch it may lie in.
pub(super) fn resolve<'s, 'a: 's>(piece: Piece<'a>, scratch: &'s str) -> &'s str {
    match piece {
        Piece::Plain(text) => text,
        Piece::Decoded { start, end } => scratch.get(start..end).unwrap_or_default(),
    }
}
