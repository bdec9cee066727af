//! Why, and when to come again: Reason, Retry-After, Warning.

use super::{
    Text,
    cursor::{Cursor, Read},
    text::{WriteValue, put_number_param, put_params, put_string, put_string_param, put_token},
};
use crate::{
    drive::{Buffer, Defect, Reject, Unwritable},
    wire::{Params, defect, scan},
};

/// One value of Reason (RFC 3326).
#[derive(Clone, Copy, Debug, Default)]
pub struct Reason<'a> {
    /// The protocol of the cause: `SIP`, `Q.850`, `RELEASE_CAUSE`…
    pub protocol: &'a [u8],
    /// `cause`: a status of that protocol; one too large stands as `u32::MAX`.
    pub cause: Option<u32>,
    /// `text`: for a person.
    pub text: Option<Text<'a>>,
    /// All parameters as they stood. When written, of these only what no other field stands for.
    pub params: Params<'a>,
}

impl<'a> Read<'a> for Reason<'a> {
    const DEFECT: &'static Defect = &defect::REASON;

    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Reject> {
        let mut reason = Self {
            protocol: cursor.token(Self::DEFECT)?,
            ..Self::default()
        };
        reason.params = cursor.params(Self::DEFECT, |p| {
            if p.is(b"cause") {
                p.once(&mut reason.cause, p.number(), Self::DEFECT)
            } else if p.is(b"text") {
                p.once(&mut reason.text, p.text(), Self::DEFECT)
            } else {
                Ok(())
            }
        })?;
        Ok(reason)
    }
}

impl Reason<'_> {
    /// Whether the cause is of that protocol, in any case.
    #[must_use]
    pub fn is(&self, protocol: &[u8]) -> bool {
        scan::same_text(self.protocol, protocol)
    }
}

impl WriteValue for Reason<'_> {
    fn write_value(&self, buffer: &mut Buffer) {
        put_token(buffer, self.protocol);
        put_number_param(buffer, b"cause", self.cause);
        put_string_param(buffer, b"text", self.text);
        put_params(buffer, self.params, &[b"cause", b"text"]);
    }
}

/// The value of Retry-After (RFC 3261 20.33).
#[derive(Clone, Copy, Debug, Default)]
pub struct RetryAfter<'a> {
    /// Seconds to wait; a number too large stands as `u32::MAX`.
    pub seconds: u32,
    /// The comment without its outer parentheses, escapes as they stood.
    pub comment: Option<&'a [u8]>,
    /// `duration`: seconds for which one will be there then; a number too large stands as `u32::MAX`.
    pub duration: Option<u32>,
    /// All parameters as they stood. When written, of these only what no other field stands for.
    pub params: Params<'a>,
}

impl<'a> Read<'a> for RetryAfter<'a> {
    const DEFECT: &'static Defect = &defect::RETRY_AFTER;

    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Reject> {
        let mut read = Self {
            seconds: cursor.number(Self::DEFECT)?,
            ..Self::default()
        };
        cursor.white_space();
        if cursor.rest().first() == Some(&b'(') {
            read.comment = Some(cursor.comment(Self::DEFECT)?);
        }
        read.params = cursor.params(Self::DEFECT, |p| {
            if p.is(b"duration") {
                p.once(&mut read.duration, p.number(), Self::DEFECT)
            } else {
                Ok(())
            }
        })?;
        Ok(read)
    }
}

/// A comment whose parentheses are not balanced, or which ends in an escape, is unsafe.
impl WriteValue for RetryAfter<'_> {
    fn write_value(&self, buffer: &mut Buffer) {
        buffer.put_number(u64::from(self.seconds));
        if let Some(comment) = self.comment {
            put_comment(buffer, comment);
        }
        put_number_param(buffer, b"duration", self.duration);
        put_params(buffer, self.params, &[b"duration"]);
    }
}

fn put_comment(buffer: &mut Buffer, comment: &[u8]) {
    buffer.put(b" (");
    let from = buffer.len().saturating_sub(1);
    crate::wire::put_unfolded(buffer, comment);
    buffer.put(b")");
    let written = scan::after(buffer.as_slice(), from);
    let mut cursor = Cursor::new(written, 0);
    if cursor.comment(&defect::RETRY_AFTER).is_err() || !cursor.is_end() {
        buffer.fail(Unwritable::UnsafeValue);
    }
}

/// One value of Warning (RFC 3261 20.43).
#[derive(Clone, Copy, Debug, Default)]
pub struct Warning<'a> {
    /// The code, three digits.
    pub code: u16,
    /// Who warns: a host with or without port, or a name.
    pub agent: &'a [u8],
    /// The text.
    pub text: Text<'a>,
}

impl<'a> Read<'a> for Warning<'a> {
    const DEFECT: &'static Defect = &defect::WARNING;

    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Reject> {
        let start = *cursor;
        let digits = cursor.digits(Self::DEFECT)?;
        let code = scan::port(digits).filter(|_| digits.len() == 3);
        let code = code.ok_or(start.reject(Self::DEFECT))?;
        required_space(cursor)?;
        let agent = agent(cursor)?;
        required_space(cursor)?;
        let text = Text::as_stood(cursor.quoted(Self::DEFECT)?);
        Ok(Self { code, agent, text })
    }
}

fn required_space(cursor: &mut Cursor<'_>) -> Result<(), Reject> {
    match cursor.white_space() {
        true => Ok(()),
        false => Err(cursor.reject(&defect::WARNING)),
    }
}

/// `host [ ":" port ] / token`
fn agent<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], Reject> {
    let start = cursor.rest();
    if start.first() == Some(&b'"') {
        return Err(cursor.reject(&defect::WARNING));
    }
    cursor.value(&defect::WARNING)?;
    if cursor.rest().first() == Some(&b':') {
        cursor.advance(1);
        let from = *cursor;
        let digits = cursor.digits(&defect::WARNING)?;
        scan::port(digits).ok_or(from.reject(&defect::WARNING))?;
    }
    let length = start.len().wrapping_sub(cursor.rest().len());
    Ok(scan::before(start, length))
}

/// A code that is not of three digits, or an agent that is none, is unsafe.
impl WriteValue for Warning<'_> {
    fn write_value(&self, buffer: &mut Buffer) {
        let mut cursor = Cursor::new(self.agent, 0);
        let named = agent(&mut cursor).is_ok() && cursor.is_end();
        if !(100..1_000).contains(&self.code) || !named {
            buffer.fail(Unwritable::UnsafeValue);
        }
        buffer.put_number(u64::from(self.code));
        buffer.put(b" ");
        buffer.put_value(self.agent);
        buffer.put(b" ");
        put_string(buffer, self.text);
    }
}
