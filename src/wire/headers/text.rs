//! Text of parameters: token, host or quoted string; and its writing.

use core::fmt;

use crate::{
    drive::{Buffer, Unwritable},
    wire::{
        Host, Params, put_quoted,
        scan::{self, after},
    },
};

/// What a token, host or quoted string says, without its quotes.
///
/// [`raw`](Self::raw) gives the bytes as they stood between the quotes, escapes and folding left as they
/// are; [`bytes`](Self::bytes) resolves both. Two texts are equal when they say the same.
#[derive(Clone, Copy, Default)]
pub struct Text<'a> {
    raw: &'a [u8],
    quoted: bool,
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} bytes)", self.raw.len())
    }
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes().eq(other.bytes())
    }
}

impl Eq for Text<'_> {}

impl<'a> From<&'a [u8]> for Text<'a> {
    fn from(plain: &'a [u8]) -> Self {
        Self::new(plain)
    }
}

impl<'a> Text<'a> {
    /// A text that says exactly these bytes. Whatever needs quotes or escapes gets them when it is written.
    #[must_use]
    pub const fn new(plain: &'a [u8]) -> Self {
        Self {
            raw: plain,
            quoted: false,
        }
    }

    /// The text of a value that was read, with its quotes. One that is no whole quoted string is plain.
    pub(super) fn as_stood(value: &'a [u8]) -> Self {
        match value {
            [b'"', raw @ .., b'"'] if scan::quoted(value) == Some(value.len()) => {
                Self { raw, quoted: true }
            }
            raw => Self { raw, quoted: false },
        }
    }

    /// The text of what stood between quotes in a value that was read.
    pub(super) const fn inside_quotes(raw: &'a [u8]) -> Self {
        Self { raw, quoted: true }
    }

    /// The bytes as they stood, without quotes; escapes and folding stay.
    #[must_use]
    pub const fn raw(self) -> &'a [u8] {
        self.raw
    }

    /// [RFC 3261 25.1] The bytes it says: escapes resolved, a folding and the white space after it one space.
    #[must_use]
    pub const fn bytes(self) -> TextBytes<'a> {
        TextBytes { text: self }
    }

    /// Whether it says nothing.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.raw.is_empty()
    }

    /// Whether it says `other`, in any case.
    #[must_use]
    pub fn is(self, other: &[u8]) -> bool {
        let lower = |byte: u8| byte.to_ascii_lowercase();
        self.bytes().map(lower).eq(other.iter().copied().map(lower))
    }
}

/// The bytes that a text says; see [`Text::bytes`].
#[derive(Clone, Debug)]
pub struct TextBytes<'a> {
    text: Text<'a>,
}

impl Iterator for TextBytes<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.text.raw.split_first()?;
        let (byte, rest) = match (*first, rest) {
            (b'\\', [escaped, rest @ ..]) if self.text.quoted => (*escaped, rest),
            (b'\r', [b'\n', rest @ ..]) if self.text.quoted => (b' ', scan::trim_start(rest)),
            (byte, rest) => (byte, rest),
        };
        self.text.raw = rest;
        Some(byte)
    }
}

/// A value of a header field that writes itself, for [`Writer::value`](crate::wire::Writer::value).
///
/// Nothing that it holds can end its header field, its element or its parameter: what is no token where the
/// grammar wants one is [unsafe](Unwritable::UnsafeValue), text is quoted and escaped where it must be, and
/// control characters are [unsafe](Unwritable::UnsafeValue) always.
///
/// ```
/// use ims_procedures::drive::Buffer;
/// use ims_procedures::wire::{HeaderName, Params, Reason, Text, WriteValue, Writer};
///
/// let reason = Reason {
///     protocol: b"SIP",
///     cause: Some(480),
///     text: Some(Text::new(b"\"Gone\", they say")),
///     params: Params::default(),
/// };
/// let mut buffer = Buffer::new(1_500);
/// let mut bye = Writer::request(&mut buffer, b"BYE", b"sip:home1.example.net");
/// bye.value(HeaderName::Reason, |buffer| reason.write_value(buffer));
/// bye.finish();
/// assert_eq!(buffer.fault(), None);
/// let line = br#"Reason: SIP;cause=480;text="\"Gone\", they say""#;
/// assert!(buffer.as_slice().windows(line.len()).any(|bytes| bytes == line));
/// ```
pub trait WriteValue {
    /// Appends the value.
    fn write_value(&self, buffer: &mut Buffer);
}

/// A comma list; an empty one is an empty value.
impl<T: WriteValue> WriteValue for [T] {
    fn write_value(&self, buffer: &mut Buffer) {
        for (place, element) in self.iter().enumerate() {
            if place > 0 {
                buffer.put(b", ");
            }
            element.write_value(buffer);
        }
    }
}

/// As a token or host where it is one, else as a quoted string.
impl WriteValue for Text<'_> {
    fn write_value(&self, buffer: &mut Buffer) {
        if is_plain(self.raw) {
            buffer.put(self.raw);
        } else {
            put_string(buffer, *self);
        }
    }
}

/// Whether a value may stand without quotes.
fn is_plain(value: &[u8]) -> bool {
    scan::is_token(value) || (value.first() == Some(&b'[') && Host::parse(value).is_ok())
}

pub(super) fn put_token(buffer: &mut Buffer, token: &[u8]) {
    if !scan::is_token(token) {
        buffer.fail(Unwritable::UnsafeValue);
    }
    buffer.put_value(token);
}

/// A quoted string.
pub(super) fn put_string(buffer: &mut Buffer, text: Text<'_>) {
    let control = |b: &u8| matches!(b, 0..=0x1f | 0x7f) && *b != b'\t';
    match (text.quoted, memchr::memchr(b'\r', text.raw)) {
        (false, _) if text.raw.iter().any(control) => buffer.fail(Unwritable::UnsafeValue),
        (false, _) => put_quoted(buffer, text.raw),
        // What was read as a quoted string is one still.
        (true, None) => {
            buffer.put(b"\"");
            buffer.put_value(text.raw);
            buffer.put(b"\"");
        }
        (true, Some(_)) => put_unfolded_string(buffer, text.raw),
    }
}

/// The inside of a quoted string that was read, each folding as one space.
fn put_unfolded_string(buffer: &mut Buffer, raw: &[u8]) {
    buffer.put(b"\"");
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\r', rest) {
        buffer.put_value(scan::before(rest, at));
        buffer.put(b" ");
        rest = scan::trim_start(after(rest, at));
    }
    buffer.put_value(rest);
    buffer.put(b"\"");
}

/// `;name=text`
pub(super) fn put_param(buffer: &mut Buffer, name: &[u8], text: Option<Text<'_>>) {
    if let Some(text) = text {
        put_name(buffer, name);
        text.write_value(buffer);
    }
}

/// `;name="text"`
pub(super) fn put_string_param(buffer: &mut Buffer, name: &[u8], text: Option<Text<'_>>) {
    if let Some(text) = text {
        put_name(buffer, name);
        put_string(buffer, text);
    }
}

/// `;name=token`
pub(super) fn put_token_param(buffer: &mut Buffer, name: &[u8], token: Option<&[u8]>) {
    if let Some(token) = token {
        put_name(buffer, name);
        put_token(buffer, token);
    }
}

/// `;name=number`
pub(super) fn put_number_param(buffer: &mut Buffer, name: &[u8], number: Option<u32>) {
    if let Some(number) = number {
        put_name(buffer, name);
        buffer.put_number(u64::from(number));
    }
}

/// `;name`
pub(super) fn put_flag(buffer: &mut Buffer, name: &[u8], flag: bool) {
    if flag {
        buffer.put(b";");
        buffer.put(name);
    }
}

fn put_name(buffer: &mut Buffer, name: &[u8]) {
    buffer.put(b";");
    put_token(buffer, name);
    buffer.put(b"=");
}

/// The parameters but for those of these names, which their writer has written itself. A parameter that is
/// not of the grammar is unsafe.
pub(super) fn put_params(buffer: &mut Buffer, params: Params<'_>, written: &[&[u8]]) {
    for (name, value) in params {
        if written.iter().any(|own| scan::same_text(own, name)) {
            continue;
        }
        buffer.put(b";");
        put_whole_param(buffer, name, value);
    }
}

/// One parameter as it stood.
pub(super) fn put_whole_param(buffer: &mut Buffer, name: &[u8], value: Option<&[u8]>) {
    put_token(buffer, name);
    if let Some(value) = value {
        buffer.put(b"=");
        put_as_stood(buffer, value);
    }
}

/// A value with its quotes, if it has any.
pub(super) fn put_as_stood(buffer: &mut Buffer, value: &[u8]) {
    let mut cursor = super::cursor::Cursor::new(value, 0);
    let read = cursor.value(&crate::wire::defect::NO_TOKEN);
    if read.is_err() || !cursor.is_end() {
        buffer.fail(Unwritable::UnsafeValue);
        return;
    }
    match value.first() {
        Some(b'"') => put_string(buffer, Text::as_stood(value)),
        _ => buffer.put_value(value),
    }
}
