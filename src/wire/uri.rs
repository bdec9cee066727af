//! URIs: `sip`, `sips`, `tel`, and any other as bytes.

mod compare;

use alloc::borrow::Cow;
use core::{
    fmt,
    net::{Ipv4Addr, Ipv6Addr},
    str,
};

use super::{
    Params, defect,
    scan::{self, after, before, between},
};
use crate::drive::Reject;

/// The scheme of a URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// `sip`
    Sip,
    /// `sips`
    Sips,
    /// `tel`
    Tel,
    /// `urn`
    Urn,
    /// Any other.
    Other,
}

/// A host, read: textual variants of one address are one value.
#[derive(Clone, Copy)]
pub enum Host<'a> {
    /// A name. Compared in any case, a trailing dot apart.
    Name(&'a [u8]),
    /// An IPv4 address.
    V4([u8; 4]),
    /// An IPv6 address.
    V6([u8; 16]),
}

impl fmt::Debug for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name(_) => "Host::Name(..)",
            Self::V4(_) => "Host::V4(..)",
            Self::V6(_) => "Host::V6(..)",
        })
    }
}

impl PartialEq for Host<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Name(a), Self::Name(b)) => {
                scan::same_text(without_final_dot(a), without_final_dot(b))
            }
            (Self::V4(a), Self::V4(b)) => a == b,
            (Self::V6(a), Self::V6(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Host<'_> {}

fn without_final_dot(name: &[u8]) -> &[u8] {
    name.strip_suffix(b".").unwrap_or(name)
}

impl<'a> Host<'a> {
    /// [RFC 3261 25.1] A host name, an IPv4 address or a bracketed IPv6 address, and nothing else.
    ///
    /// # Errors
    /// [`defect::HOST`], at the byte where it fails.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Reject> {
        let (host, used) = Self::leading(bytes)?;
        if used == bytes.len() {
            Ok(host)
        } else {
            Err(Reject::new(&defect::HOST, used))
        }
    }

    /// The host at the start of `bytes` and how many bytes it takes. What begins with a digit, and its last label
    /// not with a letter, is an IPv4 address or nothing (the grammar's toplabel), so that no two elements can take
    /// it for different hosts.
    #[inline(always)]
    pub(super) fn leading(bytes: &'a [u8]) -> Result<(Self, usize), Reject> {
        let read = match bytes {
            [b'[', ..] => bracketed(bytes).map(|(address, used)| (Self::V6(address), used)),
            [b'0'..=b'9', ..] => Self::leading_digit(bytes),
            [b'.' | b'-', ..] => None,
            _ => match scan::host_run(bytes) {
                0 => None,
                length => Some((Self::Name(before(bytes, length)), length)),
            },
        };
        read.ok_or(Reject::new(&defect::HOST, 0))
    }

    /// What begins with a digit is an IPv4 address, unless its last label begins with a letter.
    fn leading_digit(bytes: &'a [u8]) -> Option<(Self, usize)> {
        let text = before(bytes, scan::host_run(bytes));
        let name = text.strip_suffix(b".").unwrap_or(text);
        let label = memchr::memrchr(b'.', name).map_or(0, |dot| dot.wrapping_add(1));
        if name.get(label).is_some_and(u8::is_ascii_alphabetic) {
            return Some((Self::Name(text), text.len()));
        }
        let address = str::from_utf8(text).ok()?.parse::<Ipv4Addr>().ok()?;
        Some((Self::V4(address.octets()), text.len()))
    }
}

/// The address between the brackets at the start of `bytes`, and how many bytes they take.
fn bracketed(bytes: &[u8]) -> Option<([u8; 16], usize)> {
    let end = scan::first::<b']'>(bytes)?;
    let address = read_v6(between(bytes, 1, end))?;
    Some((address, end.wrapping_add(1)))
}

/// An IPv6 address without brackets (RFC 4291 2.2). Groups up to an IPv4 tail are read here, since nearly
/// every Contact holds one; the rest is left to the standard library.
fn read_v6(text: &[u8]) -> Option<[u8; 16]> {
    if scan::first::<b'.'>(text).is_some() {
        let text = str::from_utf8(text).ok()?;
        let address = text.parse().ok().or_else(|| read_three_colons(text));
        return address.map(|a: Ipv6Addr| a.octets());
    }
    let mut groups = [0u16; 8];
    let mut free = groups.iter_mut();
    let mut gap = None;
    let mut rest = text;
    if let [b':', b':', tail @ ..] = rest {
        (rest, gap) = (tail, Some(0));
    }
    while !rest.is_empty() {
        let (group, tail) = read_group(rest)?;
        *free.next()? = group;
        rest = match tail {
            [] => tail,
            [b':', b':', tail @ ..] if gap.is_none() => {
                gap = Some(8usize.wrapping_sub(free.len()));
                tail
            }
            [b':', tail @ ..] if !tail.is_empty() => tail,
            _ => return None,
        };
    }
    let left_out = free.len();
    match (gap, left_out) {
        (None, 0) => {}
        (Some(front), 1..) => groups.get_mut(front..)?.rotate_right(left_out),
        _ => return None,
    }
    let mut address = [0u8; 16];
    for (bytes, group) in address.chunks_exact_mut(2).zip(groups) {
        bytes.copy_from_slice(&group.to_be_bytes());
    }
    Some(address)
}

/// [RFC 5118 4.10] The grammar of RFC 3261 gives three colons before an IPv4 tail; they stand for two.
fn read_three_colons(text: &str) -> Option<Ipv6Addr> {
    let (front, tail) = text.rsplit_once(":::")?;
    let tail: Ipv4Addr = tail.parse().ok()?;
    let with_gap = text.get(..front.len().wrapping_add(2))?;
    let groups: Ipv6Addr = with_gap.parse().ok()?;
    let address = groups.to_bits() | u128::from(tail.to_bits());
    (front.split(':').count() <= 5).then(|| Ipv6Addr::from_bits(address))
}

/// One to four hexadecimal digits, and what follows them.
#[inline]
fn read_group(text: &[u8]) -> Option<(u16, &[u8])> {
    let mut group = 0u16;
    let mut rest = text;
    while let Some((digit, tail)) = rest.split_first() {
        let Some(digit) = hex(*digit) else { break };
        if text.len().wrapping_sub(rest.len()) == 4 {
            return None;
        }
        group = (group << 4) | u16::from(digit);
        rest = tail;
    }
    (rest.len() < text.len()).then_some((group, rest))
}

/// What is longer is refused: places in it are kept in 16 bits.
pub(super) const MOST_BYTES: usize = u16::MAX as usize;

/// A part of a value of at most [`MOST_BYTES`]: where it begins and ends, in one word, which is 0 where there is
/// no such part.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Span(u32);

impl Span {
    /// No part.
    pub(super) const NONE: Self = Self(0);
    /// A part without bytes of its own: a parameter without value.
    pub(super) const BARE: Self = Self::new(MOST_BYTES, 0);

    #[inline(always)]
    pub(super) const fn new(from: usize, to: usize) -> Self {
        Self((from as u16 as u32) << 16 | to as u16 as u32)
    }

    #[inline(always)]
    pub(super) const fn from(self) -> usize {
        (self.0 >> 16) as usize
    }

    #[inline(always)]
    pub(super) const fn to(self) -> usize {
        self.0 as u16 as usize
    }

    #[inline(always)]
    pub(super) const fn is_given(self) -> bool {
        self.0 != 0
    }

    /// The bytes of the part; none where there is no such part.
    #[inline(always)]
    pub(super) fn of(self, whole: &[u8]) -> &[u8] {
        between(whole, self.from(), self.to())
    }

    /// The bytes of the part, if there is one with bytes of its own.
    #[inline(always)]
    pub(super) fn value(self, whole: &[u8]) -> Option<&[u8]> {
        (self.to() != 0).then(|| self.of(whole))
    }
}

/// A host whose name is found by where it stands. An address is kept as its high and its low half.
#[derive(Clone, Copy)]
pub(super) struct HostPlace {
    span: Span,
    kind: HostKind,
    address: [u64; 2],
}

#[derive(Clone, Copy)]
enum HostKind {
    None,
    Name,
    V4,
    V6,
}

impl HostPlace {
    pub(super) const NONE: Self = Self {
        span: Span::NONE,
        kind: HostKind::None,
        address: [0; 2],
    };

    /// That host, which stands there.
    #[inline(always)]
    pub(super) const fn new(host: &Host<'_>, span: Span) -> Self {
        let (kind, address) = match host {
            Host::Name(_) => (HostKind::Name, 0),
            Host::V4(octets) => (HostKind::V4, u32::from_be_bytes(*octets) as u128),
            Host::V6(octets) => (HostKind::V6, u128::from_be_bytes(*octets)),
        };
        Self {
            span,
            kind,
            address: [(address >> 64) as u64, address as u64],
        }
    }

    /// A name, which stands there.
    #[inline(always)]
    const fn name(span: Span) -> Self {
        Self {
            span,
            kind: HostKind::Name,
            address: [0; 2],
        }
    }

    #[inline(always)]
    pub(super) fn host(self, whole: &[u8]) -> Option<Host<'_>> {
        let [high, low] = self.address;
        match self.kind {
            HostKind::None => None,
            HostKind::Name => Some(Host::Name(self.span.of(whole))),
            HostKind::V4 => Some(Host::V4((low as u32).to_be_bytes())),
            HostKind::V6 => {
                let address = (u128::from(high) << 64) | u128::from(low);
                Some(Host::V6(address.to_be_bytes()))
            }
        }
    }
}

/// A URI, read. What it does not understand stays as bytes.
#[derive(Clone, Copy)]
pub struct Uri<'a> {
    raw: &'a [u8],
    /// Empty where there is no user part, which cannot be empty.
    user: Span,
    /// Where the userinfo ends: a password stands between the user part and here.
    userinfo_end: u16,
    params: Span,
    port: Option<u16>,
    host: HostPlace,
    scheme: Scheme,
}

impl fmt::Debug for Uri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uri({:?}, {} bytes)", self.scheme, self.raw.len())
    }
}

impl<'a> Uri<'a> {
    /// [RFC 3261 19.1.1] [RFC 3966 3] Reads a URI that takes all of `bytes`, at most 65,535.
    ///
    /// # Errors
    /// [`defect::SCHEME`], [`defect::URI_BYTE`], [`defect::USER`], [`defect::HOST`], [`defect::PORT`],
    /// [`defect::AFTER_HOST`], [`defect::TEL`] or [`defect::VALUE_TOO_LONG`], at the byte within `bytes`.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Reject> {
        Self::read(bytes)
    }

    /// As [`parse`](Self::parse), for readers of what holds a URI: made part of them, so that it is not copied.
    #[inline(always)]
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Reject> {
        let (scheme, from) = read_scheme(bytes).ok_or(Reject::new(&defect::SCHEME, 0))?;
        if bytes.len() > MOST_BYTES {
            return Err(Reject::new(&defect::VALUE_TOO_LONG, MOST_BYTES));
        }
        match scheme {
            Scheme::Sip | Scheme::Sips => Self::read_sip(bytes, scheme, from),
            _ => Self::read_other(bytes, scheme, from),
        }
    }

    /// The URI that `bytes` begins with and its length, if it is `sip` or `sips`, of a user of letters, digits and
    /// their like or none, a host name, and perhaps a port and parameters; up to a `>`. Read from front to back, for
    /// nothing but its parts can come. `None` says nothing.
    #[inline(always)]
    pub(super) fn before_angle(bytes: &'a [u8]) -> Option<(Self, usize)> {
        let (scheme, from) = read_scheme(bytes)?;
        let (mut user, mut userinfo_end, mut host_at) = (Span::NONE, 0, from);
        let mut host_end = from.wrapping_add(scan::host_run(after(bytes, from)));
        if bytes.get(host_end) == Some(&b'@') && host_end > from {
            user = Span::new(from, host_end);
            userinfo_end = host_end;
            host_at = host_end.wrapping_add(1);
            host_end = host_at.wrapping_add(scan::host_run(after(bytes, host_at)));
        }
        let is_name = bytes.get(host_at).is_some_and(u8::is_ascii_alphabetic);
        if !is_name || !matches!(scheme, Scheme::Sip | Scheme::Sips) {
            return None;
        }
        let (port, tail_at) = read_port(bytes, host_end).ok()?;
        let end = match bytes.get(tail_at)? {
            b'>' => tail_at,
            b';' => tail_at.wrapping_add(plain_tail(after(bytes, tail_at))?),
            _ => return None,
        };
        if end > MOST_BYTES {
            return None;
        }
        let uri = Self {
            raw: before(bytes, end),
            user,
            userinfo_end: userinfo_end as u16,
            params: Span::new(tail_at, end),
            port,
            host: HostPlace::name(Span::new(host_at, host_end)),
            scheme,
        };
        Some((uri, end))
    }

    #[inline(always)]
    fn read_sip(raw: &'a [u8], scheme: Scheme, from: usize) -> Result<Self, Reject> {
        let (user, host_at) = read_userinfo(raw, from)?;
        if host_at != from && !scan::is_uri_text(between(raw, from, host_at)) {
            return Err(bad_byte(raw, from));
        }
        let (host, used) = Host::leading(after(raw, host_at)).map_err(|r| r.shifted(host_at))?;
        let host_end = host_at.wrapping_add(used);
        let (port, tail_at) = read_port(raw, host_end)?;
        Ok(Self {
            raw,
            user,
            userinfo_end: host_at.wrapping_sub(1) as u16,
            params: read_tail(raw, tail_at)?,
            port,
            host: HostPlace::new(&host, Span::new(host_at, host_end)),
            scheme,
        })
    }

    /// A `tel` URI, or one of which only the scheme is understood.
    #[inline(always)]
    fn read_other(raw: &'a [u8], scheme: Scheme, from: usize) -> Result<Self, Reject> {
        if !scan::is_uri_text(after(raw, from)) {
            return Err(bad_byte(raw, from));
        }
        let user_end = match scheme {
            Scheme::Tel => telephone_number_end(raw, from)?,
            _ if from == raw.len() => return Err(Reject::new(&defect::SCHEME, from)),
            _ => 0,
        };
        Ok(Self {
            raw,
            user: Span::new(from, user_end),
            userinfo_end: user_end as u16,
            params: match user_end {
                0 => Span::new(raw.len(), raw.len()),
                _ => Span::new(user_end, raw.len()),
            },
            port: None,
            host: HostPlace::NONE,
            scheme,
        })
    }

    /// The URI as it stood.
    #[must_use]
    pub const fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// Its scheme.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The user part of a `sip` or `sips` URI, escapes as they stood; the telephone number of a `tel` URI
    /// (RFC 3261 19.1.6).
    #[must_use]
    #[inline]
    pub fn user(&self) -> Option<&'a [u8]> {
        self.user.value(self.raw)
    }

    /// The password of a `sip` or `sips` URI.
    #[must_use]
    pub fn password(&self) -> Option<&'a [u8]> {
        let (user_end, end) = (self.user.to(), usize::from(self.userinfo_end));
        let given = user_end != 0 && user_end < end;
        given.then(|| between(self.raw, user_end.wrapping_add(1), end))
    }

    /// The host of a `sip` or `sips` URI.
    #[must_use]
    #[inline]
    pub fn host(&self) -> Option<Host<'a>> {
        self.host.host(self.raw)
    }

    /// The port, where one is given.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// The port, or the default of the scheme: 5061 for `sips`, else 5060.
    #[must_use]
    pub const fn effective_port(&self) -> u16 {
        match (self.port, self.scheme) {
            (Some(port), _) => port,
            (None, Scheme::Sips) => 5061,
            (None, _) => 5060,
        }
    }

    /// The URI parameters.
    #[must_use]
    #[inline]
    pub fn params(&self) -> Params<'a> {
        Params::new(self.params.of(self.raw))
    }

    /// What stands after `?`, or nothing.
    #[must_use]
    pub fn headers(&self) -> &'a [u8] {
        after(self.raw, self.params.to().wrapping_add(1))
    }

    /// [RFC 3261 19.1.1] As it may stand in a request line: a `sip` or `sips` URI without its headers and without
    /// `method`.
    #[must_use]
    pub fn for_request_line(&self) -> Cow<'a, [u8]> {
        if !matches!(self.scheme, Scheme::Sip | Scheme::Sips) {
            return Cow::Borrowed(self.raw);
        }
        if !self.params().has(b"method") {
            return Cow::Borrowed(before(self.raw, self.params.to()));
        }
        let mut uri = before(self.raw, self.params.from()).to_vec();
        for (name, value) in self.params() {
            if scan::is_name(b"method", name) {
                continue;
            }
            uri.push(b';');
            uri.extend_from_slice(name);
            if let Some(value) = value {
                uri.push(b'=');
                uri.extend_from_slice(value);
            }
        }
        Cow::Owned(uri)
    }

    /// Whether it asks for loose routing (RFC 3261 16.12).
    #[must_use]
    pub fn is_loose_router(&self) -> bool {
        self.params().has(b"lr")
    }
}

/// Where the user part stands, if there is one, and where the host begins.
#[inline(always)]
fn read_userinfo(raw: &[u8], from: usize) -> Result<(Span, usize), Reject> {
    let rest = after(raw, from);
    let Some(stop) = scan::first_of::<b'@', b':'>(rest) else {
        return Ok((Span::NONE, from));
    };
    let at_sign = match rest.get(stop) {
        Some(b'@') => Some(0),
        _ => scan::first::<b'@'>(after(rest, stop)),
    };
    match at_sign {
        None => Ok((Span::NONE, from)),
        Some(_) if stop == 0 => Err(Reject::new(&defect::USER, from)),
        Some(password) => {
            let user_end = from.wrapping_add(stop);
            let host_at = user_end.wrapping_add(password).wrapping_add(1);
            Ok((Span::new(from, user_end), host_at))
        }
    }
}

/// The port after the host, if there is one, and where what follows begins.
#[inline(always)]
fn read_port(raw: &[u8], host_end: usize) -> Result<(Option<u16>, usize), Reject> {
    let [b':', rest @ ..] = after(raw, host_end) else {
        return Ok((None, host_end));
    };
    let port_at = host_end.wrapping_add(1);
    let digits = scan::digits(rest);
    let port = scan::port(before(rest, digits)).ok_or(Reject::new(&defect::PORT, port_at))?;
    Ok((Some(port), port_at.wrapping_add(digits)))
}

/// How long the parameters at the start of `bytes` are, if no headers follow them before a `>`.
#[inline(always)]
fn plain_tail(bytes: &[u8]) -> Option<usize> {
    let length = scan::first::<b'>'>(bytes)?;
    let tail = before(bytes, length);
    let is_plain = scan::is_uri_text(tail) && scan::first_of::<b'?', b'@'>(tail).is_none();
    is_plain.then_some(length)
}

/// Where the parameters begin and end that follow host and port; headers may follow them.
#[inline(always)]
fn read_tail(raw: &[u8], at: usize) -> Result<Span, Reject> {
    let mut end = raw.len();
    match after(raw, at) {
        [] => return Ok(Span::new(at, end)),
        tail if !scan::is_uri_text(tail) => return Err(bad_byte(raw, at)),
        [b';' | b'?', ..] => {}
        _ => return Err(Reject::new(&defect::AFTER_HOST, at)),
    }
    let mut from = at;
    while let Some(found) = scan::first_of::<b'?', b'@'>(after(raw, from)) {
        let place = from.wrapping_add(found);
        from = place.wrapping_add(1);
        if raw.get(place) == Some(&b'@') {
            return Err(Reject::new(&defect::USER, place));
        }
        end = end.min(place);
    }
    Ok(Span::new(at, end))
}

/// RFC 3966 3: digits, letters of hexadecimal, `*`, `#` and visual separators; not separators alone.
#[inline(never)]
fn telephone_number_end(raw: &[u8], from: usize) -> Result<usize, Reject> {
    let rest = after(raw, from);
    let length = memchr::memchr(b';', rest).unwrap_or(rest.len());
    let number = before(rest, length);
    let digits = number.strip_prefix(b"+").unwrap_or(number);
    let is_number = |b: &u8| b.is_ascii_hexdigit() || matches!(b, b'*' | b'#') || separates(*b);
    if !digits.iter().all(is_number) || digits.iter().all(|b| separates(*b)) {
        return Err(Reject::new(&defect::TEL, from));
    }
    Ok(from.wrapping_add(length))
}

/// The scheme and where what follows its colon begins.
#[inline(always)]
fn read_scheme(bytes: &[u8]) -> Option<(Scheme, usize)> {
    if let [a, b, c, d, rest @ ..] = bytes {
        const CASE: u32 = 0x0020_2020;
        let word = u32::from_le_bytes([*a, *b, *c, *d]);
        if word | CASE == u32::from_le_bytes(*b"sip:") {
            return Some((Scheme::Sip, 4));
        }
        let is_sips = word | (CASE | 0x2000_0000) == u32::from_le_bytes(*b"sips");
        if let (true, [b':', ..]) = (is_sips, rest) {
            return Some((Scheme::Sips, 5));
        }
    }
    let colon = scan::first::<b':'>(bytes)?;
    Some((scheme(before(bytes, colon))?, colon.wrapping_add(1)))
}

/// The first byte from `from` on that cannot stand in a URI.
#[cold]
fn bad_byte(bytes: &[u8], from: usize) -> Reject {
    let found = scan::find(after(bytes, from), scan::NOT_URI).unwrap_or_default();
    Reject::new(&defect::URI_BYTE, from.wrapping_add(found))
}

fn scheme(name: &[u8]) -> Option<Scheme> {
    let known = match name.len() {
        3 if name.eq_ignore_ascii_case(b"tel") => Scheme::Tel,
        3 if name.eq_ignore_ascii_case(b"urn") => Scheme::Urn,
        _ => {
            let (first, rest) = name.split_first()?;
            if !first.is_ascii_alphabetic() || !scan::all(rest, scan::SCHEME) {
                return None;
            }
            Scheme::Other
        }
    };
    Some(known)
}

const fn separates(byte: u8) -> bool {
    matches!(byte, b'-' | b'.' | b'(' | b')')
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(digit.wrapping_sub(b'a').wrapping_add(10)),
        b'A'..=b'F' => Some(digit.wrapping_sub(b'A').wrapping_add(10)),
        _ => None,
    }
}
