//! Tokens, numbers, and what is little more than these.

use core::fmt;

use super::{
    Text,
    cursor::{Cursor, Read},
    text::{WriteValue, put_params, put_string, put_token, put_token_param},
};
use crate::{
    drive::{Buffer, Defect, Reject, Unwritable},
    wire::{Params, defect, scan},
};

/// One token: an option tag, a method, an event package, a privacy value, an entity tag…
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Token<'a>(pub &'a [u8]);

impl Token<'_> {
    /// Whether it is `other`, in any case. Methods, packages and entity tags are compared byte for byte
    /// instead.
    #[must_use]
    pub fn is(&self, other: &[u8]) -> bool {
        scan::same_text(self.0, other)
    }
}

impl<'a> Read<'a> for Token<'a> {
    const DEFECT: &'static Defect = &defect::NO_TOKEN;

    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Reject> {
        cursor.token(Self::DEFECT).map(Self)
    }
}

impl WriteValue for Token<'_> {
    fn write_value(&self, buffer: &mut Buffer) {
        put_token(buffer, self.0);
    }
}

/// A decimal number; one too large stands as `u32::MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(pub u32);

impl<'a> Read<'a> for Number {
    const DEFECT: &'static Defect = &defect::NUMBER;

    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Reject> {
        cursor.number(Self::DEFECT).map(Self)
    }
}

impl WriteValue for Number {
    fn write_value(&self, buffer: &mut Buffer) {
        buffer.put_number(u64::from(self.0));
    }
}

/// A feature set: Accept-Contact and Reject-Contact (RFC 3841 9.2), Feature-Caps (RFC 6809).
#[derive(Clone, Copy, Debug, Default)]
pub struct FeatureSet<'a> {
    /// The features, and `require` and `explicit` of Accept-Contact.
    pub params: Params<'a>,
}

impl<'a> Read<'a> for FeatureSet<'a> {
    const DEFECT: &'static Defect = &defect::FEATURES;

    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Reject> {
        if !cursor.literal(b"*") {
            return Err(cursor.reject(Self::DEFECT));
        }
        Ok(Self {
            params: cursor.params(Self::DEFECT, |_| Ok(()))?,
        })
    }
}

impl WriteValue for FeatureSet<'_> {
    fn write_value(&self, buffer: &mut Buffer) {
        buffer.put(b"*");
        put_params(buffer, self.params, &[]);
    }
}

/// Who refreshes a session (RFC 4028 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refresher {
    /// `uac`
    Uac,
    /// `uas`
    Uas,
}

/// The value of Session-Expires or Min-SE (RFC 4028).
#[derive(Clone, Copy, Debug, Default)]
pub struct SessionExpires<'a> {
    /// The session interval in seconds; a number too large stands as `u32::MAX`.
    pub seconds: u32,
    /// `refresher`; not of Min-SE.
    pub refresher: Option<Refresher>,
    /// All parameters as they stood. When written, of these only what no other field stands for.
    pub params: Params<'a>,
}

impl<'a> Read<'a> for SessionExpires<'a> {
    const DEFECT: &'static Defect = &defect::SESSION_EXPIRES;

    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Reject> {
        let mut read = Self {
            seconds: cursor.number(Self::DEFECT)?,
            ..Self::default()
        };
        read.params = cursor.params(Self::DEFECT, |p| {
            if !p.is(b"refresher") {
                return Ok(());
            }
            let refresher = match p.token() {
                Some(token) if scan::same_text(token, b"uac") => Some(Refresher::Uac),
                Some(token) if scan::same_text(token, b"uas") => Some(Refresher::Uas),
                _ => None,
            };
            p.once(&mut read.refresher, refresher, Self::DEFECT)
        })?;
        Ok(read)
    }
}

impl WriteValue for SessionExpires<'_> {
    fn write_value(&self, buffer: &mut Buffer) {
        let refresher = self.refresher.map(|refresher| match refresher {
            Refresher::Uac => &b"uac"[..],
            Refresher::Uas => b"uas",
        });
        buffer.put_number(u64::from(self.seconds));
        put_token_param(buffer, b"refresher", refresher);
        put_params(buffer, self.params, &[b"refresher"]);
    }
}

/// The value of Restoration-Info (TS 24.229 7.2.11): why restoration is asked for, or of whom.
#[derive(Clone, Copy, Debug, Default)]
pub struct RestorationInfo<'a> {
    /// `noresponse`, or the IMSI in quotes.
    pub info: Text<'a>,
    /// Parameters.
    pub params: Params<'a>,
}

impl<'a> Read<'a> for RestorationInfo<'a> {
    const DEFECT: &'static Defect = &defect::RESTORATION_INFO;

    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Reject> {
        let info = match cursor.rest().first() {
            Some(b'"') => cursor.quoted(Self::DEFECT)?,
            _ => cursor.token(Self::DEFECT)?,
        };
        Ok(Self {
            info: Text::as_stood(info),
            params: cursor.params(Self::DEFECT, |_| Ok(()))?,
        })
    }
}

/// `noresponse` as a token, all else in quotes.
impl WriteValue for RestorationInfo<'_> {
    fn write_value(&self, buffer: &mut Buffer) {
        if self.info.is(b"noresponse") {
            buffer.put(b"noresponse");
        } else {
            put_string(buffer, self.info);
        }
        put_params(buffer, self.params, &[]);
    }
}

/// An identifier of OMA CPM: Message-UID, Conversation-ID, Contribution-ID. Opaque: compared byte for byte.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CpmId<'a> {
    text: &'a [u8],
}

impl fmt::Debug for CpmId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CpmId({} bytes)", self.text.len())
    }
}

impl<'a> CpmId<'a> {
    /// The most bytes that an identifier has.
    pub const LONGEST: usize = 255;

    /// An identifier of these bytes: visible ASCII, spaces within allowed, up to [`LONGEST`](Self::LONGEST).
    ///
    /// # Errors
    /// [`defect::CPM_ID`], at the byte within `text`.
    pub fn new(text: &'a [u8]) -> Result<Self, Reject> {
        let printable = |b: &u8| matches!(b, b' '..=b'~');
        let at = match text.iter().position(|b| !printable(b)) {
            Some(at) => at.min(Self::LONGEST),
            None if text.len() > Self::LONGEST => Self::LONGEST,
            None if text.is_empty() || text.first() == Some(&b' ') => 0,
            None if text.last() == Some(&b' ') => text.len().saturating_sub(1),
            None => return Ok(Self { text }),
        };
        Err(Reject::new(&defect::CPM_ID, at))
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.text
    }
}

impl<'a> Read<'a> for CpmId<'a> {
    const DEFECT: &'static Defect = &defect::CPM_ID;

    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Reject> {
        let at = cursor.at();
        let text = scan::trim_end(cursor.advance(usize::MAX));
        Self::new(text).map_err(|r| r.shifted(at))
    }
}

impl WriteValue for CpmId<'_> {
    fn write_value(&self, buffer: &mut Buffer) {
        buffer.put_value(self.text);
    }
}

/// Text of a header field that has no structure to read: Subject, User-Agent, Server…
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Phrase<'a>(pub &'a [u8]);

impl fmt::Debug for Phrase<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phrase({} bytes)", self.0.len())
    }
}

/// Foldings as spaces; control characters are unsafe.
impl WriteValue for Phrase<'_> {
    fn write_value(&self, buffer: &mut Buffer) {
        let from = buffer.len();
        crate::wire::put_unfolded(buffer, scan::trim(self.0));
        let written = scan::after(buffer.as_slice(), from);
        if written
            .iter()
            .any(|b| matches!(b, 0..=8 | 0x0a..=0x1f | 0x7f))
        {
            buffer.fail(Unwritable::UnsafeValue);
        }
    }
}
