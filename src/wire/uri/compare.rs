//! When two URIs are the same.

use super::{Scheme, Uri, hex, separates};
use crate::wire::{
    Params,
    scan::{self, after, before},
};

/// More parameters than this in a URI are compared as bytes, so that comparing stays linear.
const COMPARED_PARAMS: usize = 64;

impl Uri<'_> {
    /// [SD-1] Whether scheme, host and effective port are the same; user part and parameters are apart. Two
    /// URIs without host (`tel`, `urn`) never are.
    #[must_use]
    pub fn same_host_port(&self, other: &Uri<'_>) -> bool {
        let same_host = match (self.host(), other.host()) {
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
        self.host() == other.host()
            && self.port == other.port
            && same_optional(self.user(), other.user(), same_unescaped)
            && same_optional(self.password(), other.password(), same_unescaped)
            && same_params(self.params(), other.params())
            && same_headers(self.headers(), other.headers())
    }

    fn equivalent_tel(&self, other: &Uri<'_>) -> bool {
        let (Some(a), Some(b)) = (self.user(), other.user()) else {
            return false;
        };
        let (few, own, theirs) = comparable(self.params().iter(), other.params().iter());
        few && own == theirs
            && same_number(a, b)
            && holds_tel_params(self.params(), other.params())
            && holds_tel_params(other.params(), self.params())
    }
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

/// In an extension, too, separators do not count.
fn holds_tel_params(of: Params<'_>, other: Params<'_>) -> bool {
    of.iter().all(|(name, value)| {
        let same = if scan::same_text(name, b"ext") {
            same_number
        } else {
            same_number_or_text
        };
        other
            .get(name)
            .is_some_and(|found| same_optional(value, found, same))
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
