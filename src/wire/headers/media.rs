//! What a body is: Content-Type, Accept, Content-Disposition, MIME-Version.

use super::{
    Text,
    cursor::{Cursor, Read},
    security::{put_q, thousandths},
    text::{WriteValue, put_params, put_string_param, put_token, put_token_param},
};
use crate::{
    drive::{Buffer, Defect, Reject},
    wire::{Params, defect, scan},
};

/// The value of Content-Type, or a media range of Accept.
#[derive(Clone, Copy, Debug, Default)]
pub struct MediaType<'a> {
    /// The type: `application`; in a range also `*`.
    pub kind: &'a [u8],
    /// The subtype: `reginfo+xml`; in a range also `*`.
    pub subtype: &'a [u8],
    /// `charset`
    pub charset: Option<Text<'a>>,
    /// `boundary` between the parts of a multipart body.
    pub boundary: Option<Text<'a>>,
    /// `q` of a range: the preference in thousandths, 0 to 1,000.
    pub q: Option<u16>,
    /// All parameters as they stood. When written, of these only what no other field stands for.
    pub params: Params<'a>,
}

impl<'a> Read<'a> for MediaType<'a> {
    const DEFECT: &'static Defect = &defect::MEDIA_TYPE;

    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Reject> {
        let kind = cursor.token(Self::DEFECT)?;
        if !cursor.separator(b'/') {
            return Err(cursor.reject(Self::DEFECT));
        }
        let mut read = Self {
            kind,
            subtype: cursor.token(Self::DEFECT)?,
            ..Self::default()
        };
        read.params = cursor.params(Self::DEFECT, |p| {
            if p.is(b"charset") {
                p.once(&mut read.charset, p.text(), Self::DEFECT)
            } else if p.is(b"boundary") {
                p.once(&mut read.boundary, p.text(), Self::DEFECT)
            } else if p.is(b"q") {
                p.once(&mut read.q, p.value.and_then(thousandths), Self::DEFECT)
            } else {
                Ok(())
            }
        })?;
        Ok(read)
    }
}

impl<'a> MediaType<'a> {
    /// The type that is written `kind/subtype`. Neither is looked at.
    pub(in crate::wire) fn named(name: &'a [u8]) -> Self {
        let slash = memchr::memchr(b'/', name).unwrap_or(name.len());
        Self {
            kind: scan::before(name, slash),
            subtype: scan::after(name, slash.wrapping_add(1)),
            ..Self::default()
        }
    }

    /// [RFC 3261 20.15] Whether it is `kind/subtype`, in any case, parameters apart.
    #[must_use]
    pub fn is(&self, kind: &[u8], subtype: &[u8]) -> bool {
        scan::same_text(self.kind, kind) && scan::same_text(self.subtype, subtype)
    }

    /// [RFC 3261 20.1] Whether this range takes in `kind/subtype`, parameters apart; one of `q=0` takes in
    /// nothing.
    #[must_use]
    pub fn accepts(&self, kind: &[u8], subtype: &[u8]) -> bool {
        let kinds = self.kind == b"*" || scan::same_text(self.kind, kind);
        let subtypes = self.subtype == b"*" || scan::same_text(self.subtype, subtype);
        kinds && subtypes && self.q != Some(0)
    }
}

impl WriteValue for MediaType<'_> {
    fn write_value(&self, buffer: &mut Buffer) {
        put_token(buffer, self.kind);
        buffer.put(b"/");
        put_token(buffer, self.subtype);
        put_string_param(buffer, b"charset", self.charset);
        put_string_param(buffer, b"boundary", self.boundary);
        put_q(buffer, self.q);
        put_params(buffer, self.params, &[b"charset", b"boundary", b"q"]);
    }
}

/// The value of Content-Disposition (RFC 3261 20.11).
#[derive(Clone, Copy, Debug, Default)]
pub struct Disposition<'a> {
    /// The type: `session`, `render`, `icon`, `alert`…
    pub kind: &'a [u8],
    /// `handling`: `optional`, `required`…; `required` where it is absent.
    pub handling: Option<&'a [u8]>,
    /// All parameters as they stood. When written, of these only what no other field stands for.
    pub params: Params<'a>,
}

impl<'a> Read<'a> for Disposition<'a> {
    const DEFECT: &'static Defect = &defect::DISPOSITION;

    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Reject> {
        let mut read = Self {
            kind: cursor.token(Self::DEFECT)?,
            ..Self::default()
        };
        read.params = cursor.params(Self::DEFECT, |p| match p.is(b"handling") {
            true => p.once(&mut read.handling, p.token(), Self::DEFECT),
            false => Ok(()),
        })?;
        Ok(read)
    }
}

impl WriteValue for Disposition<'_> {
    fn write_value(&self, buffer: &mut Buffer) {
        put_token(buffer, self.kind);
        put_token_param(buffer, b"handling", self.handling);
        put_params(buffer, self.params, &[b"handling"]);
    }
}

/// The value of MIME-Version (RFC 3261 20.24).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MimeVersion {
    /// Before the point.
    pub major: u32,
    /// After the point.
    pub minor: u32,
}

impl<'a> Read<'a> for MimeVersion {
    const DEFECT: &'static Defect = &defect::MIME_VERSION;

    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Reject> {
        let major = cursor.number(Self::DEFECT)?;
        if !cursor.literal(b".") {
            return Err(cursor.reject(Self::DEFECT));
        }
        let minor = cursor.number(Self::DEFECT)?;
        Ok(Self { major, minor })
    }
}

impl WriteValue for MimeVersion {
    fn write_value(&self, buffer: &mut Buffer) {
        buffer.put_number(u64::from(self.major));
        buffer.put(b".");
        buffer.put_number(u64::from(self.minor));
    }
}
