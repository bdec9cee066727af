//! Methods, URIs, addresses, Via, CSeq, credentials.

use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::{net::IpAddr, str};

use ::rsip::{
    Auth, Domain, HostWithPort, Param, Port, Transport, Version,
    headers::auth::{Algorithm, AuthQop, Scheme as AuthScheme},
    typed,
};

use super::{
    super::{
        Authorization, CSeq, Host, Method, NameAddr, Params, Scheme, Uri, Via, defect,
        name_addr::Rule, put_unfolded, scan,
    },
    Inconvertible,
};
use crate::drive::{Buffer, Reject};

pub(super) fn utf8(bytes: &[u8]) -> Result<&str, Inconvertible> {
    str::from_utf8(bytes).map_err(|_| Inconvertible::NotUtf8)
}

/// A value as text, folding as one space.
pub(super) fn unfolded(value: &[u8]) -> Result<String, Inconvertible> {
    let text = utf8(value)?;
    if memchr::memchr(b'\r', value).is_none() {
        return Ok(text.to_owned());
    }
    let mut buffer = Buffer::new(value.len());
    buffer.attempt(|buffer| put_unfolded(buffer, value))?;
    utf8(buffer.as_slice()).map(ToOwned::to_owned)
}

/// What `write` appends, or nothing.
pub(super) fn attempt(
    buffer: &mut Buffer,
    write: impl FnOnce(&mut Buffer) -> Result<(), Inconvertible>,
) -> Result<(), Inconvertible> {
    let before = buffer.len();
    let mut refused = Ok(());
    buffer.attempt(|buffer| refused = write(buffer))?;
    if refused.is_err() {
        buffer.truncate(before);
    }
    refused
}

fn check(stands: bool) -> Result<(), Inconvertible> {
    if stands {
        Ok(())
    } else {
        Err(Inconvertible::Part)
    }
}

impl TryFrom<Method<'_>> for ::rsip::Method {
    type Error = Inconvertible;

    /// [RFC 3261 7.1]
    fn try_from(method: Method<'_>) -> Result<Self, Inconvertible> {
        Ok(match method {
            Method::Register => Self::Register,
            Method::Subscribe => Self::Subscribe,
            Method::Notify => Self::Notify,
            Method::Invite => Self::Invite,
            Method::Ack => Self::Ack,
            Method::Bye => Self::Bye,
            Method::Cancel => Self::Cancel,
            Method::Options => Self::Options,
            Method::Publish => Self::Publish,
            Method::Message => Self::Message,
            Method::Refer => Self::Refer,
            Method::Info => Self::Info,
            Method::Update => Self::Update,
            Method::Prack => Self::PRack,
            Method::Other(_) => return Err(Inconvertible::Method),
        })
    }
}

impl From<::rsip::Method> for Method<'static> {
    fn from(method: ::rsip::Method) -> Self {
        match method {
            ::rsip::Method::Register => Self::Register,
            ::rsip::Method::Subscribe => Self::Subscribe,
            ::rsip::Method::Notify => Self::Notify,
            ::rsip::Method::Invite => Self::Invite,
            ::rsip::Method::Ack => Self::Ack,
            ::rsip::Method::Bye => Self::Bye,
            ::rsip::Method::Cancel => Self::Cancel,
            ::rsip::Method::Options => Self::Options,
            ::rsip::Method::Publish => Self::Publish,
            ::rsip::Method::Message => Self::Message,
            ::rsip::Method::Refer => Self::Refer,
            ::rsip::Method::Info => Self::Info,
            ::rsip::Method::Update => Self::Update,
            ::rsip::Method::PRack => Self::Prack,
        }
    }
}

impl TryFrom<CSeq<'_>> for typed::CSeq {
    type Error = Inconvertible;

    /// [RFC 3261 20.16]
    fn try_from(cseq: CSeq<'_>) -> Result<Self, Inconvertible> {
        Ok(Self {
            seq: cseq.number,
            method: cseq.method.try_into()?,
        })
    }
}

impl TryFrom<&typed::CSeq> for CSeq<'static> {
    type Error = Inconvertible;

    /// [RFC 3261 8.1.1.5]
    fn try_from(cseq: &typed::CSeq) -> Result<Self, Inconvertible> {
        check(cseq.seq < 1 << 31)?;
        Ok(Self {
            number: cseq.seq,
            method: cseq.method.into(),
        })
    }
}

impl TryFrom<Host<'_>> for ::rsip::Host {
    type Error = Inconvertible;

    /// [RFC 3261 25.1] IPv6 becomes a `Domain` with brackets: rsip writes an `IpAddr` without them.
    fn try_from(host: Host<'_>) -> Result<Self, Inconvertible> {
        Ok(match host {
            Host::Name(name) => Self::Domain(Domain::from(utf8(name)?)),
            Host::V4(address) => Self::IpAddr(IpAddr::from(address)),
            Host::V6(address) => Self::Domain(Domain::from(format!("[{}]", IpAddr::from(address)))),
        })
    }
}

fn host_with_port(host: Host<'_>, port: Option<u16>) -> Result<HostWithPort, Inconvertible> {
    Ok(HostWithPort {
        host: host.try_into()?,
        port: port.map(Port::from),
    })
}

/// rsip's own variants where they keep the value, else its `Other`. Parameter names have no case, methods do.
fn params(params: Params<'_>) -> Result<Vec<Param>, Inconvertible> {
    let convert = |(name, value): (&[u8], Option<&[u8]>)| {
        let name = unfolded(name)?;
        let value = value.map(unfolded).transpose()?;
        let known = Param::try_from((name.as_str(), value.as_deref()));
        let keeps = |param: &Param| match (param, &value) {
            (Param::Method(method), Some(value)) => method.to_string() == *value,
            (Param::Transport(transport), Some(value)) => {
                transport.to_string().eq_ignore_ascii_case(value)
            }
            _ => true,
        };
        Ok(match known.ok().filter(keeps) {
            Some(param) => param,
            None => Param::Other(name.into(), value.map(Into::into)),
        })
    };
    params.iter().map(convert).collect()
}

impl TryFrom<Uri<'_>> for ::rsip::Uri {
    type Error = Inconvertible;

    /// [RFC 3261 19.1.1] A `sip` or `sips` URI without headers.
    fn try_from(uri: Uri<'_>) -> Result<Self, Inconvertible> {
        let scheme = match uri.scheme() {
            Scheme::Sip => ::rsip::Scheme::Sip,
            Scheme::Sips => ::rsip::Scheme::Sips,
            _ => return Err(Inconvertible::Scheme),
        };
        if !uri.headers().is_empty() || uri.raw().last() == Some(&b'?') {
            return Err(Inconvertible::UriHeaders);
        }
        let auth = |user| {
            Ok::<_, Inconvertible>(Auth {
                user: utf8(user)?.to_owned(),
                password: uri.password().map(utf8).transpose()?.map(ToOwned::to_owned),
            })
        };
        Ok(Self {
            scheme: Some(scheme),
            auth: uri.user().map(auth).transpose()?,
            host_with_port: host_with_port(uri.host().ok_or(Inconvertible::Scheme)?, uri.port())?,
            params: params(uri.params())?,
            headers: Vec::new(),
        })
    }
}

struct Address {
    display_name: Option<String>,
    uri: ::rsip::Uri,
    params: Vec<Param>,
}

impl TryFrom<NameAddr<'_>> for Address {
    type Error = Inconvertible;

    fn try_from(address: NameAddr<'_>) -> Result<Self, Inconvertible> {
        let display = address.display().map(unfolded).transpose()?;
        let quoted = address.raw().first() == Some(&b'"');
        Ok(Self {
            display_name: match display {
                Some(display) if quoted => Some(format!("\"{display}\"")),
                display => display,
            },
            uri: address.uri().try_into()?,
            params: params(address.params())?,
        })
    }
}

impl TryFrom<NameAddr<'_>> for typed::From {
    type Error = Inconvertible;

    /// [RFC 3261 20.20]
    fn try_from(address: NameAddr<'_>) -> Result<Self, Inconvertible> {
        let Address {
            display_name,
            uri,
            params,
        } = address.try_into()?;
        Ok(Self {
            display_name,
            uri,
            params,
        })
    }
}

impl TryFrom<NameAddr<'_>> for typed::To {
    type Error = Inconvertible;

    /// [RFC 3261 20.39]
    fn try_from(address: NameAddr<'_>) -> Result<Self, Inconvertible> {
        let Address {
            display_name,
            uri,
            params,
        } = address.try_into()?;
        Ok(Self {
            display_name,
            uri,
            params,
        })
    }
}

impl TryFrom<NameAddr<'_>> for typed::Contact {
    type Error = Inconvertible;

    /// [RFC 3261 20.10]
    fn try_from(address: NameAddr<'_>) -> Result<Self, Inconvertible> {
        let Address {
            display_name,
            uri,
            params,
        } = address.try_into()?;
        Ok(Self {
            display_name,
            uri,
            params,
        })
    }
}

impl TryFrom<Via<'_>> for typed::Via {
    type Error = Inconvertible;

    /// [RFC 3261 20.42] Where rsip has a URI, sent-by stands: without scheme and user.
    fn try_from(via: Via<'_>) -> Result<Self, Inconvertible> {
        let transport = utf8(via.transport())?.parse::<Transport>();
        Ok(Self {
            version: Version::V2,
            transport: transport.map_err(|_| Inconvertible::Transport)?,
            uri: ::rsip::Uri::from(host_with_port(via.host(), via.port())?),
            params: params(via.params())?,
        })
    }
}

/// The parameters of credentials that rsip has a place for. The reader refuses each of them where it stands twice.
const CREDENTIALS: [&[u8]; 10] = [
    b"username",
    b"realm",
    b"nonce",
    b"uri",
    b"response",
    b"algorithm",
    b"opaque",
    b"qop",
    b"cnonce",
    b"nc",
];

impl TryFrom<Authorization<'_>> for typed::Authorization {
    type Error = Inconvertible;

    /// [RFC 3261 20.7] Digest credentials without extensions.
    fn try_from(credentials: Authorization<'_>) -> Result<Self, Inconvertible> {
        let is_known = |name: &[u8]| CREDENTIALS.iter().any(|known| scan::same_text(known, name));
        if !credentials.params().all(|(name, _)| is_known(name)) {
            return Err(Inconvertible::Parameter);
        }
        let optional = |name: &[u8]| credentials.param(name).map(unfolded).transpose();
        let required = |name: &[u8]| optional(name)?.ok_or(Inconvertible::Parameter);
        let uri = credentials.uri().ok_or(Inconvertible::Parameter)?;
        let read = ::rsip::Uri::try_from(Uri::parse(uri)?)?;
        if read.to_string().as_bytes() != uri {
            return Err(Inconvertible::Altered);
        }
        Ok(Self {
            scheme: AuthScheme::Digest,
            username: required(b"username")?,
            realm: required(b"realm")?,
            nonce: required(b"nonce")?,
            uri: read,
            response: required(b"response")?,
            algorithm: credentials.param(b"algorithm").map(algorithm).transpose()?,
            opaque: optional(b"opaque")?,
            qop: qop(&credentials)?,
        })
    }
}

/// The names of RFC 7616; rsip writes SHA-256 without its hyphen. Of AKA (RFC 3310) it has none.
const ALGORITHMS: [(&[u8], Algorithm); 4] = [
    (b"MD5", Algorithm::Md5),
    (b"MD5-sess", Algorithm::Md5Sess),
    (b"SHA-256", Algorithm::Sha256),
    (b"SHA-256-sess", Algorithm::Sha256Sess),
];

fn algorithm(name: &[u8]) -> Result<Algorithm, Inconvertible> {
    let mut known = ALGORITHMS.iter();
    known
        .find(|(known, _)| scan::same_text(known, name))
        .map(|(_, algorithm)| *algorithm)
        .ok_or(Inconvertible::Parameter)
}

fn qop(credentials: &Authorization<'_>) -> Result<Option<AuthQop>, Inconvertible> {
    let Some(name) = credentials.param(b"qop") else {
        let alone = credentials.param(b"nc").or(credentials.param(b"cnonce"));
        return match alone {
            None => Ok(None),
            Some(_) => Err(Inconvertible::Parameter),
        };
    };
    let cnonce = credentials
        .param(b"cnonce")
        .ok_or(Inconvertible::Parameter)?;
    let cnonce = unfolded(cnonce)?;
    let nc = match credentials.param(b"nc") {
        Some([b'0', b'0', b'0', b'0', b'0', b'0', b'0', last @ b'0'..=b'9']) => {
            last.wrapping_sub(b'0')
        }
        Some(_) => return Err(Inconvertible::Altered),
        None => return Err(Inconvertible::Parameter),
    };
    if scan::same_text(name, b"auth") {
        Ok(Some(AuthQop::Auth { cnonce, nc }))
    } else if scan::same_text(name, b"auth-int") {
        Ok(Some(AuthQop::AuthInt { cnonce, nc }))
    } else {
        Err(Inconvertible::Parameter)
    }
}

/// [RFC 3261 19.1.1] Appends a `sip` or `sips` URI; an IPv6 address gets its brackets.
///
/// # Errors
/// [`Inconvertible::Scheme`], [`Inconvertible::Part`], [`Inconvertible::Unwritable`]. The buffer is then as
/// before.
pub fn put_uri(buffer: &mut Buffer, uri: &::rsip::Uri) -> Result<(), Inconvertible> {
    attempt(buffer, |buffer| write_uri(buffer, uri))
}

pub(super) fn write_uri(buffer: &mut Buffer, uri: &::rsip::Uri) -> Result<(), Inconvertible> {
    buffer.put(match uri.scheme {
        Some(::rsip::Scheme::Sip) => b"sip:",
        Some(::rsip::Scheme::Sips) => b"sips:",
        _ => return Err(Inconvertible::Scheme),
    });
    check(uri.headers.is_empty())?;
    if let Some(auth) = &uri.auth {
        check(!auth.user.is_empty() && stays_within(&auth.user, b":@"))?;
        buffer.put(auth.user.as_bytes());
        if let Some(password) = &auth.password {
            check(stays_within(password, b"@"))?;
            buffer.put(b":");
            buffer.put(password.as_bytes());
        }
        buffer.put(b"@");
    }
    write_host_with_port(buffer, &uri.host_with_port)?;
    for param in &uri.params {
        let (name, value) = name_and_value(param);
        check(!name.is_empty() && stays_within(&name, b";?@="))?;
        check(
            value
                .as_deref()
                .is_none_or(|value| stays_within(value, b";?@")),
        )?;
        write_param(buffer, &name, value.as_deref());
    }
    Ok(())
}

/// Whether a part of a URI holds none of these bytes, and none that no URI can.
fn stays_within(text: &str, ends: &[u8]) -> bool {
    let bytes = text.as_bytes();
    scan::is_uri_text(bytes) && !bytes.iter().any(|byte| ends.contains(byte))
}

fn write_host_with_port(buffer: &mut Buffer, part: &HostWithPort) -> Result<(), Inconvertible> {
    let text = match &part.host {
        ::rsip::Host::IpAddr(IpAddr::V6(address)) => format!("[{address}]"),
        host => host.to_string(),
    };
    check(Host::parse(text.as_bytes()).is_ok())?;
    buffer.put(text.as_bytes());
    if let Some(port) = part.port {
        buffer.put(b":");
        buffer.put_number(u64::from(*port.value()));
    }
    Ok(())
}

/// As rsip writes it: `;name` or `;name=value`.
fn name_and_value(param: &Param) -> (String, Option<String>) {
    if let Param::Other(name, value) = param {
        let value = value.as_ref().map(|value| value.value().to_owned());
        return (name.value().to_owned(), value);
    }
    let text = param.to_string();
    let text = text.strip_prefix(';').unwrap_or(&text);
    match text.split_once('=') {
        Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
        None => (text.to_owned(), None),
    }
}

fn write_param(buffer: &mut Buffer, name: &str, value: Option<&str>) {
    buffer.put(b";");
    buffer.put(name.as_bytes());
    if let Some(value) = value {
        buffer.put(b"=");
        buffer.put(value.as_bytes());
    }
}

/// [RFC 3261 7.3.1] The parameters of a header field: a value is one quoted string, or has nothing that ends
/// it.
fn write_params(buffer: &mut Buffer, params: &[Param]) -> Result<(), Inconvertible> {
    for param in params {
        let (name, value) = name_and_value(param);
        check(scan::is_token(name.as_bytes()))?;
        if let Some(value) = &value {
            check(is_quoted(value) || is_plain(value))?;
        }
        write_param(buffer, &name, value.as_deref());
    }
    Ok(())
}

fn is_quoted(text: &str) -> bool {
    let bytes = text.as_bytes();
    let controls = memchr::memchr3(b'\r', b'\n', 0, bytes).is_some();
    bytes.first() == Some(&b'"') && scan::quoted(bytes) == Some(bytes.len()) && !controls
}

fn is_plain(text: &str) -> bool {
    let ends = |byte: &u8| matches!(byte, b';' | b',') || scan::is(*byte, scan::NOT_URI);
    !text.is_empty() && !text.as_bytes().iter().any(ends)
}

/// [RFC 3261 20.10] Appends an address: the parts of rsip's typed `From`, `To` or `Contact`.
///
/// # Errors
/// As [`put_uri`]; [`Inconvertible::Part`] also for a display name that is neither tokens nor one quoted
/// string, and for parameters that would end early; [`Inconvertible::Malformed`] where a tag is no token, or what
/// decides stands twice.
pub fn put_name_addr(
    buffer: &mut Buffer,
    display_name: Option<&str>,
    uri: &::rsip::Uri,
    params: &[Param],
) -> Result<(), Inconvertible> {
    attempt(buffer, |buffer| {
        let start = buffer.len();
        if let Some(display) = display_name {
            let token = |byte: &u8| *byte == b' ' || scan::is(*byte, scan::TOKEN);
            check(is_quoted(display) || display.as_bytes().iter().all(token))?;
            buffer.put(display.as_bytes());
            buffer.put(b" ");
        }
        buffer.put(b"<");
        write_uri(buffer, uri)?;
        buffer.put(b">");
        write_params(buffer, params)?;
        let written = scan::after(written(buffer)?, start);
        NameAddr::parse_list(written).only(Rule::Party)?;
        Ok(())
    })
}

/// [RFC 3261 20.42] Appends a Via value.
///
/// # Errors
/// [`Inconvertible::Version`]; [`Inconvertible::Part`] for a sent-by with anything but host and port, and for
/// parameters that would end early; [`Inconvertible::Malformed`] for two branches;
/// [`Inconvertible::Unwritable`]. The buffer is then as before.
pub fn put_via(buffer: &mut Buffer, via: &typed::Via) -> Result<(), Inconvertible> {
    attempt(buffer, |buffer| {
        let start = buffer.len();
        if via.version != Version::V2 {
            return Err(Inconvertible::Version);
        }
        let sent_by = &via.uri;
        check(sent_by.scheme.is_none() && sent_by.auth.is_none())?;
        check(sent_by.params.is_empty() && sent_by.headers.is_empty())?;
        buffer.put(b"SIP/2.0/");
        buffer.put(via.transport.to_string().as_bytes());
        buffer.put(b" ");
        write_host_with_port(buffer, &sent_by.host_with_port)?;
        write_params(buffer, &via.params)?;
        check_via(scan::after(written(buffer)?, start))
    })
}

/// [RFC 3261 20.7] Appends credentials, as rsip orders them; `qop` and `algorithm` without quotes.
///
/// # Errors
/// As [`put_uri`]; [`Inconvertible::Part`] also for a value with a bare quote and for a scheme other than
/// Digest; [`Inconvertible::Parameter`] for SHA-512.
pub fn put_authorization(
    buffer: &mut Buffer,
    credentials: &typed::Authorization,
) -> Result<(), Inconvertible> {
    attempt(buffer, |buffer| {
        check(credentials.scheme == AuthScheme::Digest)?;
        buffer.put(b"Digest ");
        write_quoted(buffer, "username", &credentials.username)?;
        buffer.put(b", ");
        write_quoted(buffer, "realm", &credentials.realm)?;
        buffer.put(b", ");
        write_quoted(buffer, "nonce", &credentials.nonce)?;
        buffer.put(b", uri=\"");
        write_uri(buffer, &credentials.uri)?;
        buffer.put(b"\", ");
        write_quoted(buffer, "response", &credentials.response)?;
        if let Some(algorithm) = &credentials.algorithm {
            let known = ALGORITHMS.iter().find(|(_, known)| known == algorithm);
            let (name, _) = known.ok_or(Inconvertible::Parameter)?;
            buffer.put(b", algorithm=");
            buffer.put(name);
        }
        if let Some(opaque) = &credentials.opaque {
            buffer.put(b", ");
            write_quoted(buffer, "opaque", opaque)?;
        }
        let (name, cnonce, nc) = match &credentials.qop {
            None => return Ok(()),
            Some(AuthQop::Auth { cnonce, nc }) => ("auth", cnonce, nc),
            Some(AuthQop::AuthInt { cnonce, nc }) => ("auth-int", cnonce, nc),
        };
        buffer.put(format!(", qop={name}, nc={nc:08x}, ").as_bytes());
        write_quoted(buffer, "cnonce", cnonce)
    })
}

/// What has been written so far, if it fits.
pub(super) fn written(buffer: &Buffer) -> Result<&[u8], Inconvertible> {
    match buffer.fault() {
        Some(fault) => Err(fault.into()),
        None => Ok(buffer.as_slice()),
    }
}

/// Whether the reader takes it for a Via with one branch at most.
fn check_via(bytes: &[u8]) -> Result<(), Inconvertible> {
    match Via::parse_list(bytes).next() {
        Some(Ok(via)) if !via.repeats_branch() => Ok(()),
        Some(Err(reject)) => Err(reject.into()),
        _ => Err(Reject::new(&defect::PARAMETER_TWICE, 0).into()),
    }
}

/// Escapes stand in rsip's values as they stood.
fn write_quoted(buffer: &mut Buffer, name: &str, value: &str) -> Result<(), Inconvertible> {
    let quoted = format!("\"{value}\"");
    check(is_quoted(&quoted))?;
    buffer.put(name.as_bytes());
    buffer.put(b"=");
    buffer.put(quoted.as_bytes());
    Ok(())
}
