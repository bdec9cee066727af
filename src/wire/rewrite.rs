//! Messages that we pass on: every byte as it came, but for what is said to change.

use alloc::vec::Vec;

use super::{Field, HeaderName, Message, StartLine, scan};
use crate::drive::{Buffer, Unwritable};

/// What becomes of one header field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit<'e> {
    /// It stays, byte for byte.
    Keep,
    /// It is left out with its line.
    Drop,
    /// It keeps its name as it stood and gets this value.
    Replace(&'e [u8]),
    /// It keeps its name as it stood and gets this value.
    ReplaceOwned(Vec<u8>),
    /// It stays, and a field of this name and value is put before it.
    Before(HeaderName, &'e [u8]),
    /// It stays, and a field of this name and value is put after it.
    After(HeaderName, &'e [u8]),
}

/// [IB-1] [PD-11] Copies a message byte for byte, but for the header fields that `decide` drops, replaces or
/// adds to. What follows the body in the datagram is left out. CR, LF or NUL in a new value is
/// [unsafe](Unwritable::UnsafeValue) and remembered by the buffer.
pub fn rewrite<'a, 'e>(
    message: &Message<'a>,
    buffer: &mut Buffer,
    decide: impl FnMut(&Field<'a>) -> Edit<'e>,
) {
    copy(message, None, buffer, decide);
}

/// [IB-1] As [`rewrite`], with another Request-URI. A response keeps its status line.
pub fn rewrite_request<'a, 'e>(
    message: &Message<'a>,
    request_uri: &[u8],
    buffer: &mut Buffer,
    decide: impl FnMut(&Field<'a>) -> Edit<'e>,
) {
    copy(message, Some(request_uri), buffer, decide);
}

fn copy<'a, 'e>(
    message: &Message<'a>,
    request_uri: Option<&[u8]>,
    buffer: &mut Buffer,
    mut decide: impl FnMut(&Field<'a>) -> Edit<'e>,
) {
    let bytes = message.bytes();
    let mut fields = message.fields().peekable();
    let first_line = fields.peek().map_or(message.head_end(), |f| f.line.start);
    match (message.start(), request_uri) {
        (StartLine::Request { method, .. }, Some(uri)) => {
            if uri.is_empty() || scan::find(uri, scan::NOT_URI).is_some() {
                buffer.fail(Unwritable::UnsafeValue);
            }
            buffer.put(method.as_bytes());
            buffer.put(b" ");
            buffer.put(uri);
            buffer.put(b" SIP/2.0\r\n");
        }
        _ => buffer.put(scan::before(bytes, first_line)),
    }
    for field in fields {
        let line = bytes.get(field.line.clone()).unwrap_or_default();
        match decide(&field) {
            Edit::Keep => buffer.put(line),
            Edit::Drop => {}
            Edit::Replace(value) => replace(buffer, &field, line, value),
            Edit::ReplaceOwned(value) => replace(buffer, &field, line, &value),
            Edit::Before(name, value) => {
                add(buffer, name, value);
                buffer.put(line);
            }
            Edit::After(name, value) => {
                buffer.put(line);
                add(buffer, name, value);
            }
        }
    }
    let tail = scan::between(bytes, message.head_end(), message.end());
    buffer.put(tail);
}

fn replace(buffer: &mut Buffer, field: &Field<'_>, line: &[u8], value: &[u8]) {
    let name_length = field.value.at().saturating_sub(field.line.start);
    let colon = memchr::memchr(b':', scan::before(line, name_length));
    buffer.put(scan::before(
        line,
        colon.map_or(0, |at| at.saturating_add(1)),
    ));
    buffer.put(b" ");
    buffer.put_value(value);
    buffer.put(b"\r\n");
}

fn add(buffer: &mut Buffer, name: HeaderName, value: &[u8]) {
    let text = name.canonical_name();
    if text.is_empty() {
        buffer.fail(Unwritable::UnsafeValue);
    }
    buffer.put(text);
    buffer.put(b": ");
    buffer.put_value(value);
    buffer.put(b"\r\n");
}
