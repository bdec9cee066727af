//! URIs: `sip`, `sips`, `tel`, and any other as bytes.

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

/// More parameters than this in a URI are compared as bytes, so that comparing stays linear.
const COMPARED_PARAMS: usize = 64;

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

    /// The host at the start of `bytes` and how many bytes it takes.
    pub(super) fn leading(bytes: &'a [u8]) -> Result<(Self, usize), Reject> {
        let refuse = || Reject::new(&defect::HOST, 0);
        if bytes.first() == Some(&b'[') {
            let end = memchr::memchr(b']', bytes).ok_or_else(refuse)?;
            let address = read_v6(between(bytes, 1, end)).ok_or_else(refuse)?;
            return Ok((Self::V6(address), end.wrapping_add(1)));
        }
        let end = scan::run(bytes, scan::HOST);
        let text = before(bytes, end);
        let host = Self::name_or_v4(text).ok_or_else(refuse)?;
        Ok((host, end))
    }

    /// A name whose last label begins with a digit is an IPv4 address or nothing (the grammar's toplabel),
    /// so that no two elements can take it for different hosts.
    fn name_or_v4(text: &'a [u8]) -> Option<Self> {
        let first = text.first()?;
        if first.is_ascii_digit() && text.iter().all(|b| b.is_ascii_digit() || *b == b'.') {
            let text = str::from_utf8(text).ok()?;
            return text.parse::<Ipv4Addr>().ok().map(|a| Self::V4(a.octets()));
        }
        if matches!(first, b'.' | b'-') {
            return None;
        }
        Some(Self::Name(text))
    }
}

/// An IPv6 address without brackets (RFC 4291 2.2). Groups up to an IPv4 tail are read here, since nearly
/// every Contact holds one; the rest is left to the standard library.
fn read_v6(text: &[u8]) -> Option<[u8; 16]> {
    if memchr::memchr(b'.', text).is_some() {
        let text = str::from_utf8(text).ok()?;
        return text.parse::<Ipv6Addr>().ok().map(|a| a.octets());
    }
    let mut value = 0u128;
    let mut groups = 0u32;
    let mut after_gap = None;
    let mut rest = text;
    if let Some(tail) = rest.strip_prefix(b"::") {
        (rest, after_gap) = (tail, Some(0));
    }
    while !rest.is_empty() {
        let (group, tail) = read_group(rest)?;
        value = (value << 16) | u128::from(group);
        groups = groups.wrapping_add(1);
        rest = match tail {
            [] => tail,
            [b':', b':', tail @ ..] if after_gap.is_none() => {
                after_gap = Some(groups);
                tail
            }
            [b':', tail @ ..] if !tail.is_empty() => tail,
            _ => return None,
        };
        if groups > 8 {
            return None;
        }
    }
    match (after_gap, groups) {
        (None, 8) => Some(value.to_be_bytes()),
        (Some(front), 0..=7) => {
            let back = groups.wrapping_sub(front).wrapping_mul(16);
            let mask = 1u128.checked_shl(back).unwrap_or(0).wrapping_sub(1);
            let front_shift = 128u32.wrapping_sub(front.wrapping_mul(16));
            let front = (value & !mask).checked_shr(back).unwrap_or(0);
            let front = front.checked_shl(front_shift).unwrap_or(0);
            Some((front | (value & mask)).to_be_bytes())
        }
        _ => None,
    }
}

/// One to four hexadecimal digits, and what follows them.
fn read_group(text: &[u8]) -> Option<(u16, &[u8])> {
    let mut group = 0u16;
    let mut rest = text;
    for read in 0..5 {
        match rest.split_first() {
            Some((digit, tail)) if read < 4 => match hex(*digit) {
                Some(digit) => {
                    group = (group << 4) | u16::from(digit);
                    rest = tail;
                }
                None => break,
            },
            _ => break,
        }
    }
    (rest.len() < text.len()).then_some((group, rest))
}

/// A URI, read. What it does not understand stays as bytes.
#[derive(Clone, Copy)]
pub struct Uri<'a> {
    raw: &'a [u8],
    user: Option<&'a [u8]>,
    password: Option<&'a [u8]>,
    host: Option<Host<'a>>,
    params: &'a [u8],
    headers: &'a [u8],
    port: Option<u16>,
    scheme: Scheme,
}

impl fmt::Debug for Uri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uri({:?}, {} bytes)", self.scheme, self.raw.len())
    }
}

impl<'a> Uri<'a> {
    /// [RFC 3261 19.1.1] [RFC 3966 3] Reads a URI that takes all of `bytes`.
    ///
    /// # Errors
    /// [`defect::SCHEME`], [`defect::URI_BYTE`], [`defect::USER`], [`defect::HOST`], [`defect::PORT`],
    /// [`defect::AFTER_HOST`] or [`defect::TEL`], at the byte within `bytes`.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Reject> {
        let (scheme, from) = read_scheme(bytes).ok_or(Reject::new(&defect::SCHEME, 0))?;
        let mut uri = Self {
            raw: bytes,
            user: None,
            password: None,
            host: None,
            params: &[],
            headers: &[],
            port: None,
            scheme,
        };
        match scheme {
            Scheme::Sip | Scheme::Sips => uri.read_sip(from)?,
            Scheme::Tel => uri.read_tel(from)?,
            Scheme::Urn | Scheme::Other => {
                check_bytes(bytes, from)?;
                if from == bytes.len() {
                    return Err(Reject::new(&defect::SCHEME, from));
                }
            }
        }
        Ok(uri)
    }

    fn read_sip(&mut self, from: usize) -> Result<(), Reject> {
        let rest = after(self.raw, from);
        let mut host_at = from;
        if let Some(at) = memchr::memchr(b'@', rest) {
            self.read_userinfo(from, at)?;
            host_at = from.wrapping_add(at).wrapping_add(1);
        }
        let rest = after(self.raw, host_at);
        let (host, used) = Host::leading(rest).map_err(|r| r.shifted(host_at))?;
        self.host = Some(host);
        let mut at = host_at.wrapping_add(used);
        if self.raw.get(at) == Some(&b':') {
            let port_at = at.wrapping_add(1);
            let digits = scan::digits(after(self.raw, port_at));
            let end = port_at.wrapping_add(digits);
            let port = scan::port(between(self.raw, port_at, end));
            self.port = Some(port.ok_or(Reject::new(&defect::PORT, port_at))?);
            at = end;
        }
        self.read_tail(at)
    }

    fn read_userinfo(&mut self, from: usize, length: usize) -> Result<(), Reject> {
        let end = from.wrapping_add(length);
        let userinfo = between(self.raw, from, end);
        if !userinfo.is_empty() && scan::none(userinfo, scan::NOT_URI | scan::PART_END) {
            self.user = Some(userinfo);
            return Ok(());
        }
        if let Some(at) = scan::find(userinfo, scan::NOT_URI) {
            return Err(Reject::new(&defect::URI_BYTE, from.wrapping_add(at)));
        }
        let user = match scan::colon(userinfo) {
            None => userinfo,
            Some(colon) => {
                self.password = Some(after(userinfo, colon.wrapping_add(1)));
                before(userinfo, colon)
            }
        };
        if user.is_empty() {
            return Err(Reject::new(&defect::USER, from));
        }
        self.user = Some(user);
        Ok(())
    }

    fn read_tail(&mut self, at: usize) -> Result<(), Reject> {
        let tail = after(self.raw, at);
        match tail.first() {
            None => return Ok(()),
            Some(b';' | b'?') => {}
            Some(_) => return Err(Reject::new(&defect::AFTER_HOST, at)),
        }
        check_bytes(self.raw, at)?;
        self.params = tail;
        let mut from = 0usize;
        while let Some(found) = scan::find(after(tail, from), scan::PART_END) {
            let place = from.wrapping_add(found);
            from = place.wrapping_add(1);
            match tail.get(place) {
                Some(b'@') => {
                    return Err(Reject::new(&defect::USER, at.wrapping_add(place)));
                }
                Some(b'?') if self.headers.is_empty() => {
                    self.params = before(tail, place);
                    self.headers = after(tail, from);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn read_tel(&mut self, from: usize) -> Result<(), Reject> {
        check_bytes(self.raw, from)?;
        let rest = after(self.raw, from);
        let end = memchr::memchr(b';', rest).unwrap_or(rest.len());
        let number = before(rest, end);
        let digits = number.strip_prefix(b"+").unwrap_or(number);
        let is_number = |b: &u8| b.is_ascii_hexdigit() || matches!(b, b'*' | b'#') || separates(*b);
        if !digits.iter().all(is_number) || digits.iter().all(|b| separates(*b)) {
            return Err(Reject::new(&defect::TEL, from));
        }
        self.user = Some(number);
        self.params = after(rest, end);
        Ok(())
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
    pub const fn user(&self) -> Option<&'a [u8]> {
        self.user
    }

    /// The password of a `sip` or `sips` URI.
    #[must_use]
    pub const fn password(&self) -> Option<&'a [u8]> {
        self.password
    }

    /// The host of a `sip` or `sips` URI.
    #[must_use]
    pub const fn host(&self) -> Option<Host<'a>> {
        self.host
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
    pub const fn params(&self) -> Params<'a> {
        Params::new(self.params)
    }

    /// What stands after `?`, or nothing.
    #[must_use]
    pub const fn headers(&self) -> &'a [u8] {
        self.headers
    }

    /// Whether it asks for loose routing (RFC 3261 16.12).
    #[must_use]
    pub fn is_loose_router(&self) -> bool {
        self.params().has(b"lr")
    }

    /// [SD-1] Whether scheme, host and effective port are the same; user part and parameters are apart. Two
    /// URIs without host (`tel`, `urn`) never are.
    #[must_use]
    pub fn same_host_port(&self, other: &Uri<'_>) -> bool {
        let same_host = match (self.host, other.host) {
            (Some(a), Some(b)) => a == b,
            _ => false,
        };
        same_host && self.scheme == other.scheme && self.effective_port() == other.effective_port()
    }

    /// [RFC 3261 19.1.4] [RFC 3966 4] Whether both name the same resource: by the rules of `sip` and `sips`,
    /// by those of `tel`, and byte for byte otherwise.
    #[must_use]
    pub fn equivalent(&self, other: &Uri<'_>) -> bool {
        if scan::same_bytes(self.raw, other.raw) {
            return true;
        }
        if self.scheme != other.scheme {
            return false;
        }
        match self.scheme {
            Scheme::Sip | Scheme::Sips => self.equivalent_sip(other),
            Scheme::Tel => self.equivalent_tel(other),
            Scheme::Urn | Scheme::Other => false,
        }
    }

    fn equivalent_sip(&self, other: &Uri<'_>) -> bool {
        self.host == other.host
            && self.port == other.port
            && same_optional(self.user, other.user, same_unescaped)
            && same_optional(self.password, other.password, same_unescaped)
            && same_params(self.params(), other.params())
            && same_headers(self.headers, other.headers)
    }

    fn equivalent_tel(&self, other: &Uri<'_>) -> bool {
        let (Some(a), Some(b)) = (self.user, other.user) else {
            return false;
        };
        let (few, own, theirs) = comparable(self.params().iter(), other.params().iter());
        few && own == theirs
            && same_number(a, b)
            && holds_tel_params(self.params(), other.params())
            && holds_tel_params(other.params(), self.params())
    }
}

/// The scheme and where what follows its colon begins.
#[inline]
fn read_scheme(bytes: &[u8]) -> Option<(Scheme, usize)> {
    if let [b's' | b'S', b'i' | b'I', b'p' | b'P', rest @ ..] = bytes {
        match rest {
            [b':', ..] => return Some((Scheme::Sip, 4)),
            [b's' | b'S', b':', ..] => return Some((Scheme::Sips, 5)),
            _ => {}
        }
    }
    let colon = scan::colon(bytes)?;
    Some((scheme(before(bytes, colon))?, colon.wrapping_add(1)))
}

fn check_bytes(bytes: &[u8], from: usize) -> Result<(), Reject> {
    match scan::find(after(bytes, from), scan::NOT_URI) {
        None => Ok(()),
        Some(at) => Err(Reject::new(&defect::URI_BYTE, from.wrapping_add(at))),
    }
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

fn same_number(a: &[u8], b: &[u8]) -> bool {
    let digits = |n: &u8| !separates(*n);
    let (a, b) = (
        a.iter().filter(|n| digits(n)),
        b.iter().filter(|n| digits(n)),
    );
    a.map(u8::to_ascii_lowercase)
        .eq(b.map(u8::to_ascii_lowercase))
}

fn same_number_or_text(a: &[u8], b: &[u8]) -> bool {
    let numbers = a.first() == Some(&b'+') && b.first() == Some(&b'+');
    (numbers && same_number(a, b)) || scan::same_text(a, b)
}

fn holds_tel_params(of: Params<'_>, other: Params<'_>) -> bool {
    of.iter().all(|(name, value)| {
        other
            .get(name)
            .is_some_and(|found| same_optional(value, found, same_number_or_text))
    })
}

fn same_optional(a: Option<&[u8]>, b: Option<&[u8]>, same: impl Fn(&[u8], &[u8]) -> bool) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => same(a, b),
        _ => false,
    }
}

/// The bytes with escapes resolved (RFC 2396 2.4.2: an escape and its byte are equivalent, except where
/// the byte is reserved).
struct Unescaped<'a>(&'a [u8]);

impl Iterator for Unescaped<'_> {
    /// The byte, and whether it stood as an escape of a reserved one.
    type Item = (u8, bool);

    fn next(&mut self) -> Option<(u8, bool)> {
        let (first, rest) = self.0.split_first()?;
        if let (b'%', [high, low, tail @ ..]) = (*first, rest) {
            if let (Some(high), Some(low)) = (hex(*high), hex(*low)) {
                self.0 = tail;
                let byte = (high << 4) | low;
                return Some((byte, is_reserved(byte)));
            }
        }
        self.0 = rest;
        Some((*first, false))
    }
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(digit.wrapping_sub(b'a').wrapping_add(10)),
        b'A'..=b'F' => Some(digit.wrapping_sub(b'A').wrapping_add(10)),
        _ => None,
    }
}

const fn is_reserved(byte: u8) -> bool {
    matches!(
        byte,
        b';' | b'/' | b'?' | b':' | b'@' | b'&' | b'=' | b'+' | b'$' | b','
    )
}

fn same_unescaped(a: &[u8], b: &[u8]) -> bool {
    scan::same_bytes(a, b) || Unescaped(a).eq(Unescaped(b))
}

fn same_unescaped_text(a: &[u8], b: &[u8]) -> bool {
    let lower = |(byte, reserved): (u8, bool)| (byte.to_ascii_lowercase(), reserved);
    scan::same_text(a, b) || Unescaped(a).map(lower).eq(Unescaped(b).map(lower))
}

fn comparable<T>(a: impl Iterator<Item = T>, b: impl Iterator<Item = T>) -> (bool, usize, usize) {
    let bound = COMPARED_PARAMS.wrapping_add(1);
    let (a, b) = (a.take(bound).count(), b.take(bound).count());
    (a < bound && b < bound, a, b)
}

/// Parameters in both must match; `user`, `ttl`, `method`, `maddr` and `transport` never stand in one only.
fn same_params(a: Params<'_>, b: Params<'_>) -> bool {
    let (few, _, _) = comparable(a.iter(), b.iter());
    let decides = |name: &[u8]| {
        let names: [&[u8]; 5] = [b"user", b"ttl", b"method", b"maddr", b"transport"];
        names.iter().any(|n| scan::same_text(n, name))
    };
    let holds = |of: Params<'_>, other: Params<'_>| {
        of.iter()
            .all(|(name, value)| match find_param(other, name) {
                Some(found) => same_optional(value, found, same_unescaped_text),
                None => !decides(name),
            })
    };
    few && holds(a, b) && holds(b, a)
}

fn find_param<'a>(params: Params<'a>, name: &[u8]) -> Option<Option<&'a [u8]>> {
    params
        .iter()
        .find(|(n, _)| same_unescaped_text(n, name))
        .map(|(_, value)| value)
}

/// Header components are never ignored: each stands in both.
fn same_headers(a: &[u8], b: &[u8]) -> bool {
    if a.is_empty() || b.is_empty() {
        return a.is_empty() && b.is_empty();
    }
    let (few, own, theirs) = comparable(uri_headers(a), uri_headers(b));
    few && own == theirs
        && uri_headers(a).all(|(name, value)| {
            uri_headers(b).any(|(n, v)| same_unescaped_text(n, name) && same_unescaped(v, value))
        })
        && uri_headers(b).all(|(name, value)| {
            uri_headers(a).any(|(n, v)| same_unescaped_text(n, name) && same_unescaped(v, value))
        })
}

fn uri_headers(raw: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    raw.split(|b| *b == b'&').map(|pair| {
        let end = memchr::memchr(b'=', pair).unwrap_or(pair.len());
        (before(pair, end), after(pair, end.wrapping_add(1)))
    })
}
