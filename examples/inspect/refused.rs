//! A message that the reader refuses: what stands in it, up to the line that cannot be read.
//!
//! Each header field is read as the only one of a message. So what it says does not depend on what stands beside
//! it, and of those that contradict each other each is shown.

use ims_procedures::{
    drive::{Limits, Reject},
    reginfo::CONTENT_TYPE,
    wire::{HeaderName, Message, Value},
};

use super::{
    item::Fault,
    node::{Node, Object},
    options::Framing,
    sip, values,
};

const LINE_END: &[u8] = b"\r\n";
/// The start line of the message that a header field is read in.
const START: &[u8] = b"SIP/2.0 200 \r\n";
/// Makes an unknown name of Content-Length, which is then a number and no length of the body to be looked for.
const NOT_FRAMING: &[u8] = b"x-";

/// All that can be read of the message with which these bytes begin, and which the reader refused.
pub fn fields(bytes: &[u8], reject: Reject, framing: Framing, limits: &Limits) -> Object {
    let bytes = &bytes[..bytes.len().min(limits.message_bytes)];
    let mut faults = Vec::new();
    let Some((start, fields_at)) = start_line(bytes, limits, &mut faults) else {
        return Object::new();
    };
    let mut head = Head::default();
    let body_at = head.read(bytes, fields_at, limits, &mut faults);
    let mut fields = start.with("headers", head.headers);
    if faults.iter().all(|fault| fault.at != reject.at) {
        fields = fields.with("errors", vec![Fault::from(reject).into()]);
    }
    let body = body_at.and_then(|at| {
        let rest = &bytes[at..];
        let length = head.lengths.of_body(rest.len(), framing)?;
        let (body, _) = sip::body(&rest[..length], at, head.is_document, limits);
        Some(body)
    });
    fields.with_some("body", body)
}

/// What the start line says, malformed or not, and where the line after it begins. `None` where it is not clear
/// which bytes are the start line.
fn start_line(bytes: &[u8], limits: &Limits, faults: &mut Vec<Reject>) -> Option<(Object, usize)> {
    let mut at = 0;
    while bytes[at..].starts_with(LINE_END) {
        at += LINE_END.len();
    }
    let line = &bytes[at..];
    let line = &line[..memchr::memmem::find(line, LINE_END)?];
    if line.iter().any(|byte| b"\r\n\0".contains(byte)) {
        return None;
    }
    let end = at + line.len() + LINE_END.len();
    let alone = [&bytes[..end], LINE_END].concat();
    let start = match Message::parse(&alone, limits) {
        Ok(message) => sip::start_line(&message, faults),
        Err(reject) => {
            faults.push(reject);
            let malformed = Object::new()
                .with("raw", line)
                .with("error", Fault::from(reject));
            Object::new().with("start_line", malformed)
        }
    };
    Some((start, end))
}

/// What the header fields say.
#[derive(Default)]
struct Head {
    headers: Object,
    lengths: Lengths,
    /// Whether every Content-Type says that the body is a registration information document.
    is_document: bool,
    has_content_type: bool,
}

impl Head {
    /// Reads the header fields from `at` on; gives where the body begins, if every one of them could be read.
    fn read(
        &mut self,
        bytes: &[u8],
        at: usize,
        limits: &Limits,
        faults: &mut Vec<Reject>,
    ) -> Option<usize> {
        let mut at = at;
        let mut count = 0;
        while !bytes[at..].starts_with(LINE_END) {
            let line = line(&bytes[at..])?;
            if count == limits.headers {
                return None;
            }
            self.read_field(line, at, limits, faults)?;
            at += line.len();
            count += 1;
        }
        Some(at + LINE_END.len())
    }

    /// Reads the field of this line, which stands at `at`.
    fn read_field(
        &mut self,
        line: &[u8],
        at: usize,
        limits: &Limits,
        faults: &mut Vec<Reject>,
    ) -> Option<()> {
        let is_length = name(line) == HeaderName::ContentLength;
        let before: &[u8] = if is_length { NOT_FRAMING } else { b"" };
        let alone = [START, before, line, LINE_END].concat();
        let message = Message::parse(&alone, limits).ok()?;
        let mut field = message.fields().next()?;
        if is_length {
            field.name = HeaderName::ContentLength;
            field.raw_name = &field.raw_name[NOT_FRAMING.len()..];
            self.lengths.add(match field.read() {
                Ok(Value::Number(number)) => Some(number.0 as usize),
                _ => None,
            });
        }
        if field.name == HeaderName::ContentType {
            let is_first = !std::mem::replace(&mut self.has_content_type, true);
            self.is_document =
                (is_first || self.is_document) && message.content_type_is(CONTENT_TYPE);
        }
        let origin = sip::Origin {
            read_at: START.len() + before.len(),
            stands_at: at,
        };
        sip::add_header(&mut self.headers, &field, origin, faults);
        Some(())
    }
}

/// What the Content-Lengths say.
#[derive(Default)]
enum Lengths {
    #[default]
    None,
    Same(usize),
    /// Malformed, or one so and another otherwise.
    Unclear,
}

impl Lengths {
    fn add(&mut self, length: Option<usize>) {
        *self = match (&self, length) {
            (Self::None, Some(length)) => Self::Same(length),
            (Self::Same(first), Some(length)) if *first == length => Self::Same(length),
            _ => Self::Unclear,
        };
    }

    /// How many of the bytes after the header fields are body, if that can be told.
    fn of_body(&self, at_hand: usize, framing: Framing) -> Option<usize> {
        match self {
            Self::None if framing == Framing::Datagram => Some(at_hand),
            Self::Same(length) => Some(at_hand.min(*length)),
            Self::None | Self::Unclear => None,
        }
    }
}

/// The line that the bytes begin with, with its continuation lines and line ends.
fn line(bytes: &[u8]) -> Option<&[u8]> {
    let mut ends = memchr::memmem::find_iter(bytes, LINE_END).map(|at| at + LINE_END.len());
    let end = ends.find(|end| !matches!(bytes.get(*end), Some(b' ' | b'\t')))?;
    Some(&bytes[..end])
}

fn name(line: &[u8]) -> HeaderName {
    let end = line.iter().position(|byte| *byte == b':').unwrap_or(0);
    HeaderName::lookup(line[..end].trim_ascii_end())
}

/// The contacts of a field that stand before a malformed one.
pub fn contacts_before_the_fault(raw: &[u8]) -> Vec<Node> {
    let alone = [START, b"Contact: ", raw, LINE_END, LINE_END].concat();
    let Ok(message) = Message::parse(&alone, &Limits::default()) else {
        return Vec::new();
    };
    let contacts = message.contacts().map_while(Result::ok);
    contacts.map(|contact| values::contact(&contact)).collect()
}
