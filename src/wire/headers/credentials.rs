//! Credentials: Authorization, Proxy-Authorization.

use core::fmt;

use super::{
    Text,
    cursor::{self, Cursor, Param, Read},
    text::{WriteValue, put_as_stood, put_string, put_token},
};
use crate::{
    drive::{Buffer, Defect, Reject, Unwritable},
    wire::{defect, scan},
};

/// The value of Authorization or Proxy-Authorization.
#[derive(Clone, Copy)]
pub struct Authorization<'a> {
    scheme: &'a [u8],
    params: &'a [u8],
    username: Option<&'a [u8]>,
    integrity_protected: Option<&'a [u8]>,
}

impl fmt::Debug for Authorization<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authorization(..)")
    }
}

/// What a P-CSCF says of the protection of a REGISTER (TS 24.229 7.2A.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IntegrityProtected {
    /// `yes`: it came over a security association.
    Yes,
    /// `no`: it came without one.
    No,
    /// `auth-done`: the sender is authenticated by other means.
    AuthDone,
    /// `tls-yes`: it came over TLS, and the user was authenticated over it.
    TlsYes,
    /// `tls-pending`: it came over TLS, authentication is under way.
    TlsPending,
    /// `ip-assoc-yes`: its address is the one that was authenticated.
    IpAssocYes,
    /// `ip-assoc-pending`: authentication by its address is under way.
    IpAssocPending,
    /// An extension.
    Other,
}

impl IntegrityProtected {
    pub(crate) fn of(value: &[u8]) -> Self {
        const KNOWN: [IntegrityProtected; 7] = [
            IntegrityProtected::Yes,
            IntegrityProtected::No,
            IntegrityProtected::AuthDone,
            IntegrityProtected::TlsYes,
            IntegrityProtected::TlsPending,
            IntegrityProtected::IpAssocYes,
            IntegrityProtected::IpAssocPending,
        ];
        KNOWN
            .into_iter()
            .find(|known| scan::same_text(known.as_bytes(), value))
            .unwrap_or(Self::Other)
    }

    /// The value as the specification writes it; empty for [`Other`](Self::Other).
    #[must_use]
    pub const fn as_bytes(self) -> &'static [u8] {
        match self {
            Self::Yes => b"yes",
            Self::No => b"no",
            Self::AuthDone => b"auth-done",
            Self::TlsYes => b"tls-yes",
            Self::TlsPending => b"tls-pending",
            Self::IpAssocYes => b"ip-assoc-yes",
            Self::IpAssocPending => b"ip-assoc-pending",
            Self::Other => b"",
        }
    }
}

/// Digest credentials: what is read of them, and what can be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest<'a> {
    /// `username`: the private identity (TS 24.229 5.1.1.2).
    pub username: Option<Text<'a>>,
    /// `realm`
    pub realm: Option<Text<'a>>,
    /// `nonce`
    pub nonce: Option<Text<'a>>,
    /// `uri`
    pub uri: Option<Text<'a>>,
    /// `response`
    pub response: Option<Text<'a>>,
    /// `algorithm`, a token: `MD5`, `AKAv1-MD5`, `SHA-256`…
    pub algorithm: Option<&'a [u8]>,
    /// `cnonce`
    pub cnonce: Option<Text<'a>>,
    /// `opaque`
    pub opaque: Option<Text<'a>>,
    /// `qop`, a token: `auth`, `auth-int`.
    pub qop: Option<&'a [u8]>,
    /// `nc`: eight hexadecimal digits.
    pub nc: Option<&'a [u8]>,
    /// `auts`: Base64 of the resynchronisation token (RFC 3310 3.4).
    pub auts: Option<Text<'a>>,
    /// `integrity-protected` (TS 24.229 7.2A.2): a mark of the P-CSCF.
    pub integrity_protected: Option<IntegrityProtected>,
}

/// What decides who is meant, and whether it is proved.
const DECIDING: [&[u8]; 12] = [
    b"username",
    b"realm",
    b"nonce",
    b"uri",
    b"response",
    b"algorithm",
    b"cnonce",
    b"opaque",
    b"qop",
    b"nc",
    b"auts",
    b"integrity-protected",
];

impl<'a> Read<'a> for Authorization<'a> {
    const DEFECT: &'static Defect = &defect::AUTHORIZATION;

    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Reject> {
        // What every registrar and proxy asks for is taken on the way.
        let (mut username, mut integrity_protected) = (None, None);
        let (scheme, params) = scheme_and_params(cursor, Self::DEFECT, &DECIDING, |param| {
            if param.is(b"username") {
                username = param.value.map(scan::unquote);
            } else if param.is(b"integrity-protected") {
                integrity_protected = param.value.map(scan::unquote);
            }
        })?;
        Ok(Self {
            scheme,
            params,
            username,
            integrity_protected,
        })
    }
}

/// A scheme, and what follows it: of Digest parameters, each of those of `once` at most once, and shown to `found`.
pub(super) fn scheme_and_params<'a>(
    cursor: &mut Cursor<'a>,
    defect: &'static Defect,
    once: &[&[u8]],
    mut found: impl FnMut(&Param<'a>),
) -> Result<(&'a [u8], &'a [u8]), Reject> {
    let scheme = cursor.token(defect)?;
    if !cursor.white_space() {
        return Err(cursor.reject(defect));
    }
    let params = cursor.rest();
    if is_digest(scheme) {
        let mut seen = 0u32;
        cursor.auth_params(defect, |param| {
            let Some(place) = once.iter().position(|name| param.is(name)) else {
                return Ok(());
            };
            let mark = 1u32.checked_shl(place as u32).unwrap_or_default();
            if seen & mark != 0 {
                return Err(Reject::new(&defect::PARAMETER_TWICE, param.at));
            }
            seen |= mark;
            found(param);
            Ok(())
        })?;
    } else {
        cursor.advance(params.len());
    }
    Ok((scheme, params))
}

pub(super) fn is_digest(scheme: &[u8]) -> bool {
    scan::same_text(scheme, b"Digest")
}

/// Each parameter of text that was read: name, and value as it stood.
pub(super) fn params_of(params: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut cursor = Cursor::new(params, 0);
    core::iter::from_fn(move || {
        let param = cursor.auth_param(&defect::AUTHORIZATION).ok()?;
        cursor.separator(b',');
        Some((param.name, param.value.unwrap_or_default()))
    })
}

impl<'a> Authorization<'a> {
    /// [RFC 3261 25.1] Reads credentials: a scheme and, of Digest, its parameters.
    ///
    /// # Errors
    /// [`defect::AUTHORIZATION`] where it is not that; [`defect::PARAMETER_TWICE`] where a parameter that
    /// decides who is meant stands twice. At the byte within `value`.
    pub fn parse(value: &'a [u8]) -> Result<Self, Reject> {
        cursor::whole(value, 0)
    }

    /// The scheme as it stood.
    #[must_use]
    pub const fn scheme(&self) -> &'a [u8] {
        self.scheme
    }

    /// Whether the scheme is Digest.
    #[must_use]
    pub fn is_digest(&self) -> bool {
        is_digest(self.scheme)
    }

    /// What follows the scheme, as it stood.
    #[must_use]
    pub const fn credentials(&self) -> &'a [u8] {
        self.params
    }

    /// Each parameter of Digest credentials in order: name, and value as it stood. None of another scheme.
    pub fn params(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        params_of(if self.is_digest() { self.params } else { &[] })
    }

    /// The value of the parameter of that name, quotes removed, escapes left as they are.
    #[must_use]
    pub fn param(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.params()
            .find(|(n, _)| scan::same_text(n, name))
            .map(|(_, value)| scan::unquote(value))
    }

    /// `username`: the private identity (TS 24.229 5.1.1.2).
    #[must_use]
    pub const fn username(&self) -> Option<&'a [u8]> {
        self.username
    }

    /// `realm`
    #[must_use]
    pub fn realm(&self) -> Option<&'a [u8]> {
        self.param(b"realm")
    }

    /// `uri`
    #[must_use]
    pub fn uri(&self) -> Option<&'a [u8]> {
        self.param(b"uri")
    }

    /// `nonce`
    #[must_use]
    pub fn nonce(&self) -> Option<&'a [u8]> {
        self.param(b"nonce")
    }

    /// `response`
    #[must_use]
    pub fn response(&self) -> Option<&'a [u8]> {
        self.param(b"response")
    }

    /// `integrity-protected` as it stood (TS 24.229 7.2A.2): a mark of the P-CSCF.
    #[must_use]
    pub const fn integrity_protected(&self) -> Option<&'a [u8]> {
        self.integrity_protected
    }

    /// [TS 24.229 7.2A.2] What `integrity-protected` says.
    #[must_use]
    pub fn integrity(&self) -> Option<IntegrityProtected> {
        self.integrity_protected().map(IntegrityProtected::of)
    }

    /// [RFC 7616 3.4] [RFC 3310 3.4] All that Digest credentials say, read in one pass. `None` of another
    /// scheme.
    #[must_use]
    pub fn digest(&self) -> Option<Digest<'a>> {
        if !self.is_digest() {
            return None;
        }
        let mut digest = Digest::default();
        for (name, value) in self.params() {
            digest.take(name, value);
        }
        Some(digest)
    }

    /// [RFC 8898 2.1] [RFC 6750 2.1] The token of Bearer credentials, `None` where they are no such token
    /// (`token68`) or of another scheme. The token of a WebRTC client that stands as
    /// `access_token="…"` (TS 24.371) is given without its quotes.
    #[must_use]
    pub fn bearer(&self) -> Option<&'a [u8]> {
        if !scan::same_text(self.scheme, b"Bearer") {
            return None;
        }
        let credentials = scan::trim_end(self.params);
        if is_token68(credentials) {
            return Some(credentials);
        }
        let mut cursor = Cursor::new(credentials, 0);
        let mut token = None;
        let read = cursor.auth_params(&defect::AUTHORIZATION, |param| {
            if param.is(b"access_token") {
                let value = param.value.map(scan::unquote);
                return param.once(&mut token, value, &defect::AUTHORIZATION);
            }
            Ok(())
        });
        read.ok().and(token)
    }
}

/// `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`
fn is_token68(text: &[u8]) -> bool {
    let padding = text.iter().rev().take_while(|b| **b == b'=').count();
    let body = scan::before(text, text.len().saturating_sub(padding));
    let allowed = |b: &u8| b.is_ascii_alphanumeric() || b"-._~+/".contains(b);
    !body.is_empty() && body.iter().all(allowed)
}

impl<'a> Digest<'a> {
    fn take(&mut self, name: &[u8], value: &'a [u8]) {
        let is = |other: &[u8]| scan::same_text(name, other);
        let text = Some(Text::as_stood(value));
        let bare = scan::unquote(value);
        if is(b"username") {
            self.username = text;
        } else if is(b"realm") {
            self.realm = text;
        } else if is(b"nonce") {
            self.nonce = text;
        } else if is(b"uri") {
            self.uri = text;
        } else if is(b"response") {
            self.response = text;
        } else if is(b"algorithm") {
            self.algorithm = Some(bare);
        } else if is(b"cnonce") {
            self.cnonce = text;
        } else if is(b"opaque") {
            self.opaque = text;
        } else if is(b"qop") {
            self.qop = Some(bare);
        } else if is(b"nc") {
            self.nc = Some(bare);
        } else if is(b"auts") {
            self.auts = text;
        } else if is(b"integrity-protected") {
            self.integrity_protected = Some(IntegrityProtected::of(bare));
        }
    }
}

/// The parameters of credentials and challenges as they are written: commas between, no comma first.
pub(super) struct AuthWriter<'b> {
    buffer: &'b mut Buffer,
    any: bool,
}

impl<'b> AuthWriter<'b> {
    pub(super) fn new(buffer: &'b mut Buffer) -> Self {
        Self { buffer, any: false }
    }

    fn name(&mut self, name: &[u8]) {
        if self.any {
            self.buffer.put(b",");
        }
        self.any = true;
        put_token(self.buffer, name);
        self.buffer.put(b"=");
    }

    pub(super) fn string(&mut self, name: &[u8], text: Option<Text<'_>>) -> &mut Self {
        if let Some(text) = text {
            self.name(name);
            put_string(self.buffer, text);
        }
        self
    }

    pub(super) fn token(&mut self, name: &[u8], token: Option<&[u8]>) -> &mut Self {
        if let Some(token) = token {
            self.name(name);
            put_token(self.buffer, token);
        }
        self
    }

    /// Without any parameter there are no credentials, and no challenge.
    pub(super) fn end(&mut self) {
        if !self.any {
            self.buffer.fail(Unwritable::UnsafeValue);
        }
    }

    /// A parameter as it stood.
    pub(super) fn as_stood(&mut self, name: &[u8], value: &[u8]) {
        self.name(name);
        let safe = |b: &u8| matches!(b, 0x21..=0x7e) && !matches!(b, b',' | b'"');
        if value.first() == Some(&b'"') {
            put_as_stood(self.buffer, value);
        } else if value.iter().all(safe) {
            self.buffer.put(value);
        } else {
            self.buffer.fail(Unwritable::UnsafeValue);
        }
    }
}

/// Digest credentials, `algorithm`, `qop` and `nc` without quotes, all others with. With no field at all they
/// are unsafe.
impl WriteValue for Digest<'_> {
    fn write_value(&self, buffer: &mut Buffer) {
        let integrity = self.integrity_protected;
        if integrity == Some(IntegrityProtected::Other) {
            buffer.fail(Unwritable::UnsafeValue);
        }
        buffer.put(b"Digest ");
        AuthWriter::new(buffer)
            .string(b"username", self.username)
            .string(b"realm", self.realm)
            .string(b"nonce", self.nonce)
            .string(b"uri", self.uri)
            .string(b"response", self.response)
            .token(b"algorithm", self.algorithm)
            .string(b"cnonce", self.cnonce)
            .string(b"opaque", self.opaque)
            .token(b"qop", self.qop)
            .token(b"nc", self.nc)
            .string(b"auts", self.auts)
            .string(
                b"integrity-protected",
                integrity.map(|mark| Text::new(mark.as_bytes())),
            )
            .end();
    }
}

/// Credentials as they were read: of Digest each parameter as it stood, of another scheme all that followed
/// it, foldings as spaces.
impl WriteValue for Authorization<'_> {
    fn write_value(&self, buffer: &mut Buffer) {
        write_as_stood(buffer, self.scheme, self.params);
    }
}

pub(super) fn write_as_stood(buffer: &mut Buffer, scheme: &[u8], params: &[u8]) {
    buffer.put(scheme);
    buffer.put(b" ");
    if is_digest(scheme) {
        let mut writer = AuthWriter::new(buffer);
        for (name, value) in params_of(params) {
            writer.as_stood(name, value);
        }
    } else {
        crate::wire::put_unfolded(buffer, scan::trim_end(params));
    }
}

/// Bearer credentials (RFC 8898 2.1). A token that is no `token68` is unsafe.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Bearer<'a>(pub &'a [u8]);

impl fmt::Debug for Bearer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bearer({} bytes)", self.0.len())
    }
}

impl WriteValue for Bearer<'_> {
    fn write_value(&self, buffer: &mut Buffer) {
        if !is_token68(self.0) {
            buffer.fail(Unwritable::UnsafeValue);
        }
        buffer.put(b"Bearer ");
        buffer.put_value(self.0);
    }
}
