//! Parameters: `;name=value`, after addresses, URIs and tokens.

use super::scan::{self, after, before, trim, trim_end, trim_start};

/// Parameters as they stand in a header field or URI. Nothing is read until it is asked for.
#[derive(Clone, Copy, Default)]
pub struct Params<'a> {
    raw: &'a [u8],
}

impl core::fmt::Debug for Params<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Params({} bytes)", self.raw.len())
    }
}

impl<'a> Params<'a> {
    /// [RFC 3261 7.3.1] Parameters separated by semicolons. The first may stand without a semicolon, as in
    /// P-Charging-Vector.
    #[must_use]
    pub const fn new(raw: &'a [u8]) -> Self {
        Self { raw }
    }

    /// The bytes as they stood, from the first semicolon on.
    #[must_use]
    pub const fn raw(self) -> &'a [u8] {
        self.raw
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.raw.is_empty()
    }

    /// Each parameter in order: name, and value as it stood (with its quotes) if there is one. Empty ones
    /// are passed over. A quoted string that is never closed takes the rest.
    #[must_use]
    pub const fn iter(self) -> ParamIter<'a> {
        ParamIter { rest: self.raw }
    }

    /// The first parameter of that name, in any case: `None` if absent, `Some(None)` if without value,
    /// else the value as it stood.
    #[must_use]
    pub fn get(self, name: &[u8]) -> Option<Option<&'a [u8]>> {
        self.iter()
            .find(|(n, _)| scan::same_text(n, name))
            .map(|(_, value)| value)
    }

    /// The value of the first parameter of that name: quotes removed, escapes left as they are.
    #[must_use]
    pub fn value(self, name: &[u8]) -> Option<&'a [u8]> {
        self.get(name).flatten().map(scan::unquote)
    }

    /// Whether there is a parameter of that name.
    #[must_use]
    pub fn has(self, name: &[u8]) -> bool {
        self.get(name).is_some()
    }

    /// The value of that name as a decimal number; one too large stands as `u32::MAX`. `None` if absent or
    /// no number.
    #[must_use]
    pub fn number(self, name: &[u8]) -> Option<u32> {
        scan::number(self.value(name)?)
    }

    /// Whether more than one parameter has that name.
    #[must_use]
    pub fn repeats(self, name: &[u8]) -> bool {
        self.iter()
            .filter(|(n, _)| scan::same_text(n, name))
            .nth(1)
            .is_some()
    }
}

impl<'a> IntoIterator for Params<'a> {
    type Item = (&'a [u8], Option<&'a [u8]>);
    type IntoIter = ParamIter<'a>;

    fn into_iter(self) -> ParamIter<'a> {
        self.iter()
    }
}

/// The parameters in order; see [`Params::iter`].
#[derive(Clone)]
pub struct ParamIter<'a> {
    rest: &'a [u8],
}

impl core::fmt::Debug for ParamIter<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "ParamIter({} bytes)", self.rest.len())
    }
}

impl<'a> Iterator for ParamIter<'a> {
    type Item = (&'a [u8], Option<&'a [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let rest = trim_start(self.rest);
            match rest.first() {
                None => {
                    self.rest = rest;
                    return None;
                }
                Some(b';') => self.rest = after(rest, 1),
                Some(_) => {
                    self.rest = rest;
                    break;
                }
            }
        }
        let end = scan::first_of::<b'=', b';'>(self.rest).unwrap_or(self.rest.len());
        let tail = after(self.rest, end);
        let name = trim_end(before(self.rest, end));
        if tail.first() != Some(&b'=') {
            self.rest = tail;
            return Some((name, None));
        }
        let value = trim_start(after(tail, 1));
        let quoted = match value.first() {
            Some(b'"') => scan::quoted(value).unwrap_or(value.len()),
            _ => 0,
        };
        let end = match after(value, quoted) {
            [] => value.len(),
            [b';', ..] => quoted,
            tail => {
                scan::first::<b';'>(tail).map_or(value.len(), |found| quoted.wrapping_add(found))
            }
        };
        self.rest = after(value, end);
        Some((name, Some(trim(before(value, end)))))
    }
}
