//! Challenges: WWW-Authenticate, Proxy-Authenticate; and Authentication-Info.

use core::fmt;

use super::{
    Text,
    credentials::{AuthWriter, is_digest, params_of, scheme_and_params, write_as_stood},
    cursor::{Cursor, Read},
    text::WriteValue,
};
use crate::{
    drive::{Buffer, Defect, Reject},
    wire::{defect, scan},
};

/// The value of WWW-Authenticate or Proxy-Authenticate: one challenge a field (RFC 3261 20.44).
#[derive(Clone, Copy)]
pub struct Challenge<'a> {
    scheme: &'a [u8],
    params: &'a [u8],
}

impl fmt::Debug for Challenge<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Challenge(..)")
    }
}

/// A Digest challenge: what is read of it, and what can be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DigestChallenge<'a> {
    /// `realm`
    pub realm: Option<Text<'a>>,
    /// `domain`: URIs, separated by spaces.
    pub domain: Option<Text<'a>>,
    /// `nonce`
    pub nonce: Option<Text<'a>>,
    /// `opaque`
    pub opaque: Option<Text<'a>>,
    /// `stale`: whether the nonce alone was out of date.
    pub stale: Option<bool>,
    /// `algorithm`, a token.
    pub algorithm: Option<&'a [u8]>,
    /// `qop`: a comma list of tokens; see [`qops`](Self::qops).
    pub qop: Option<Text<'a>>,
    /// `ik`: the integrity key, from S-CSCF to P-CSCF only (TS 24.229 7.2A.1).
    pub ik: Option<Text<'a>>,
    /// `ck`: the cipher key, from S-CSCF to P-CSCF only (TS 24.229 7.2A.1).
    pub ck: Option<Text<'a>>,
}

const DECIDING: [&[u8]; 9] = [
    b"realm",
    b"domain",
    b"nonce",
    b"opaque",
    b"stale",
    b"algorithm",
    b"qop",
    b"ik",
    b"ck",
];

impl<'a> Read<'a> for Challenge<'a> {
    const DEFECT: &'static Defect = &defect::CHALLENGE;

    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Reject> {
        let (scheme, params) = scheme_and_params(cursor, Self::DEFECT, &DECIDING, |_| ())?;
        Ok(Self { scheme, params })
    }
}

impl<'a> Challenge<'a> {
    /// The scheme as it stood.
    #[must_use]
    pub const fn scheme(&self) -> &'a [u8] {
        self.scheme
    }

    /// What follows the scheme, as it stood.
    #[must_use]
    pub const fn raw_params(&self) -> &'a [u8] {
        self.params
    }

    /// Whether the scheme is Digest.
    #[must_use]
    pub fn is_digest(&self) -> bool {
        is_digest(self.scheme)
    }

    /// Each parameter of a Digest challenge in order: name, and value as it stood. None of another scheme.
    pub fn params(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        params_of(if self.is_digest() { self.params } else { &[] })
    }

    /// [RFC 7616 3.3] [TS 24.229 7.2A.1] All that a Digest challenge says, read in one pass. `None` of
    /// another scheme.
    #[must_use]
    pub fn digest(&self) -> Option<DigestChallenge<'a>> {
        if !self.is_digest() {
            return None;
        }
        let mut challenge = DigestChallenge::default();
        for (name, value) in self.params() {
            challenge.take(name, value);
        }
        Some(challenge)
    }
}

impl<'a> DigestChallenge<'a> {
    fn take(&mut self, name: &[u8], value: &'a [u8]) {
        let is = |other: &[u8]| scan::same_text(name, other);
        let text = Some(Text::as_stood(value));
        let bare = scan::unquote(value);
        if is(b"realm") {
            self.realm = text;
        } else if is(b"domain") {
            self.domain = text;
        } else if is(b"nonce") {
            self.nonce = text;
        } else if is(b"opaque") {
            self.opaque = text;
        } else if is(b"stale") {
            self.stale = Some(scan::same_text(bare, b"true"));
        } else if is(b"algorithm") {
            self.algorithm = Some(bare);
        } else if is(b"qop") {
            self.qop = text;
        } else if is(b"ik") {
            self.ik = text;
        } else if is(b"ck") {
            self.ck = text;
        }
    }

    /// The qualities of protection that are offered, white space around them apart.
    pub fn qops(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.qop
            .unwrap_or_default()
            .raw()
            .split(|b| *b == b',')
            .map(scan::trim)
            .filter(|qop| !qop.is_empty())
    }
}

/// `algorithm` and `stale` without quotes, all others with. With no field at all it is unsafe.
impl WriteValue for DigestChallenge<'_> {
    fn write_value(&self, buffer: &mut Buffer) {
        let stale = self.stale.map(|stale| match stale {
            true => &b"true"[..],
            false => b"false",
        });
        buffer.put(b"Digest ");
        AuthWriter::new(buffer)
            .string(b"realm", self.realm)
            .string(b"domain", self.domain)
            .string(b"nonce", self.nonce)
            .string(b"opaque", self.opaque)
            .token(b"stale", stale)
            .token(b"algorithm", self.algorithm)
            .string(b"qop", self.qop)
            .string(b"ik", self.ik)
            .string(b"ck", self.ck)
            .end();
    }
}

/// A challenge as it was read: of Digest each parameter as it stood, of another scheme all that followed it,
/// foldings as spaces.
impl WriteValue for Challenge<'_> {
    fn write_value(&self, buffer: &mut Buffer) {
        write_as_stood(buffer, self.scheme, self.params);
    }
}

/// The value of Authentication-Info (RFC 3261 20.6, RFC 7616 3.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuthenticationInfo<'a> {
    /// `nextnonce`
    pub nextnonce: Option<Text<'a>>,
    /// `qop`, a token.
    pub qop: Option<&'a [u8]>,
    /// `rspauth`: the proof of the server.
    pub rspauth: Option<Text<'a>>,
    /// `cnonce`
    pub cnonce: Option<Text<'a>>,
    /// `nc`: eight hexadecimal digits.
    pub nc: Option<&'a [u8]>,
}

impl<'a> Read<'a> for AuthenticationInfo<'a> {
    const DEFECT: &'static Defect = &defect::AUTHENTICATION_INFO;

    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Reject> {
        let mut info = Self::default();
        if cursor.is_end() {
            return Err(cursor.reject(Self::DEFECT));
        }
        cursor.auth_params(Self::DEFECT, |p| {
            if p.is(b"nextnonce") {
                p.once(&mut info.nextnonce, p.text(), Self::DEFECT)
            } else if p.is(b"qop") {
                p.once(&mut info.qop, p.token(), Self::DEFECT)
            } else if p.is(b"rspauth") {
                p.once(&mut info.rspauth, p.text(), Self::DEFECT)
            } else if p.is(b"cnonce") {
                p.once(&mut info.cnonce, p.text(), Self::DEFECT)
            } else if p.is(b"nc") {
                p.once(&mut info.nc, p.token(), Self::DEFECT)
            } else {
                Ok(())
            }
        })?;
        Ok(info)
    }
}

/// `qop` and `nc` without quotes, all others with. With no field at all it is unsafe.
impl WriteValue for AuthenticationInfo<'_> {
    fn write_value(&self, buffer: &mut Buffer) {
        AuthWriter::new(buffer)
            .string(b"nextnonce", self.nextnonce)
            .token(b"qop", self.qop)
            .string(b"rspauth", self.rspauth)
            .string(b"cnonce", self.cnonce)
            .token(b"nc", self.nc)
            .end();
    }
}
