//! Addresses: `"display" <uri>;params`, `uri;params`, and lists of them.

use core::fmt;

use super::{
    Params, Uri, defect,
    scan::{self, after, before, between, trim_start},
};
use crate::drive::Reject;

/// One address of From, To, Contact, Route, Path, P-Asserted-Identity and their like.
#[derive(Clone, Copy)]
pub struct NameAddr<'a> {
    raw: &'a [u8],
    display: Option<&'a [u8]>,
    uri: Uri<'a>,
    params: &'a [u8],
}

impl fmt::Debug for NameAddr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NameAddr({:?})", self.uri)
    }
}

impl<'a> NameAddr<'a> {
    /// [RFC 3261 20.10] Reads one address that takes all of `value`.
    ///
    /// # Errors
    /// What is wrong with it, at the byte within `value`; [`defect::ONE_ADDRESS`] when another follows.
    pub fn parse(value: &'a [u8]) -> Result<Self, Reject> {
        let mut list = Self::parse_list(value);
        let first = list
            .next()
            .unwrap_or(Err(Reject::new(&defect::SCHEME, 0)))?;
        if trim_start(list.rest).is_empty() && !list.comma {
            Ok(first)
        } else {
            Err(Reject::new(&defect::ONE_ADDRESS, list.offset()))
        }
    }

    /// [RFC 3261 7.3.1] Reads the addresses of a comma list, one after the other. After an error there is
    /// nothing more: where the next would begin is not certain.
    #[must_use]
    pub const fn parse_list(value: &'a [u8]) -> NameAddrs<'a> {
        NameAddrs {
            rest: value,
            total: value.len(),
            base: 0,
            comma: false,
        }
    }

    /// The display name as it stood, without quotes; escapes stay. `None` where there is none.
    #[must_use]
    pub const fn display(&self) -> Option<&'a [u8]> {
        self.display
    }

    /// Its URI.
    #[must_use]
    pub const fn uri(&self) -> Uri<'a> {
        self.uri
    }

    /// Its URI as it stood, without `<` and `>`.
    #[must_use]
    pub const fn uri_bytes(&self) -> &'a [u8] {
        self.uri.raw()
    }

    /// The parameters of the header field (not of the URI): `tag`, `expires`, `+sip.instance`…
    #[must_use]
    pub const fn params(&self) -> Params<'a> {
        Params::new(self.params)
    }

    /// The parameters as they stood, from the first semicolon on; empty if there are none.
    #[must_use]
    pub const fn params_raw(&self) -> &'a [u8] {
        self.params
    }

    /// The tag of From or To.
    #[must_use]
    pub fn tag(&self) -> Option<&'a [u8]> {
        self.params().value(b"tag")
    }

    /// The whole list element as it stood.
    #[must_use]
    pub const fn raw(&self) -> &'a [u8] {
        self.raw
    }
}

/// One value of Contact.
#[derive(Clone, Copy, Debug)]
pub enum Contact<'a> {
    /// `*`: all bindings (RFC 3261 10.2.2).
    Star,
    /// An address.
    Addr(NameAddr<'a>),
}

/// The addresses of a comma list; see [`NameAddr::parse_list`].
#[derive(Clone)]
pub struct NameAddrs<'a> {
    rest: &'a [u8],
    total: usize,
    base: usize,
    comma: bool,
}

impl fmt::Debug for NameAddrs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NameAddrs({} bytes)", self.rest.len())
    }
}

impl<'a> NameAddrs<'a> {
    /// The same list, whose errors count from `base` bytes before it.
    pub(super) const fn at(self, base: usize) -> Self {
        Self { base, ..self }
    }

    fn offset(&self) -> usize {
        self.base
            .wrapping_add(self.total.wrapping_sub(self.rest.len()))
    }

    /// Goes to the start of the next element; false if there is none.
    fn advance(&mut self) -> bool {
        loop {
            self.rest = trim_start(self.rest);
            match self.rest.first() {
                None => return false,
                Some(b',') => self.rest = after(self.rest, 1),
                Some(_) => return true,
            }
        }
    }

    fn fail(&mut self, defect: &'static crate::drive::Defect, at: usize) -> Reject {
        let reject = Reject::new(defect, self.offset().wrapping_add(at));
        self.rest = &[];
        reject
    }

    /// Where `*` stands alone as an element, passes over it.
    pub(super) fn take_star(&mut self) -> bool {
        if !self.advance() {
            return false;
        }
        let Some(rest) = self.rest.strip_prefix(b"*") else {
            return false;
        };
        let rest = trim_start(rest);
        if rest.is_empty() || rest.first() == Some(&b',') {
            self.rest = rest;
            return true;
        }
        false
    }

    fn element(&mut self) -> Result<NameAddr<'a>, Reject> {
        let rest = self.rest;
        let parts = read_parts(rest).map_err(|(defect, at)| self.fail(defect, at))?;
        let uri_bytes = between(rest, parts.uri.0, parts.uri.1);
        let uri = Uri::parse(uri_bytes).map_err(|r| {
            let at = parts.uri.0.wrapping_add(r.at as usize);
            self.fail(r.defect, at)
        })?;
        let end = params_end(rest, parts.params).map_err(|(defect, at)| self.fail(defect, at))?;
        let params_at = parts
            .params
            .wrapping_add(scan::lws(between(rest, parts.params, end)));
        self.comma = end < rest.len();
        self.rest = after(rest, end.wrapping_add(1));
        Ok(NameAddr {
            raw: scan::trim_end(before(rest, end)),
            display: parts.display,
            uri,
            params: scan::trim_end(between(rest, params_at, end)),
        })
    }
}

impl<'a> Iterator for NameAddrs<'a> {
    type Item = Result<NameAddr<'a>, Reject>;

    fn next(&mut self) -> Option<Self::Item> {
        self.advance().then(|| self.element())
    }
}

struct Parts<'a> {
    display: Option<&'a [u8]>,
    uri: (usize, usize),
    params: usize,
}

type Fault = (&'static crate::drive::Defect, usize);

/// Display name and the place of the URI of the element that begins `bytes`.
fn read_parts(bytes: &[u8]) -> Result<Parts<'_>, Fault> {
    match bytes.first() {
        Some(b'<') => read_angle(bytes, None, 0),
        Some(b'"') => {
            let end = scan::quoted(bytes).ok_or((&defect::UNCLOSED_QUOTE, 0))?;
            let angle = end.wrapping_add(scan::lws(after(bytes, end)));
            if bytes.get(angle) != Some(&b'<') {
                return Err((&defect::DISPLAY_NAME, angle));
            }
            read_angle(bytes, Some(scan::unquote(before(bytes, end))), angle)
        }
        _ => {
            let stop = scan::find(bytes, scan::DELIMITER).unwrap_or(bytes.len());
            match bytes.get(stop) {
                Some(b'<') => {
                    let display = scan::trim_end(before(bytes, stop));
                    read_angle(bytes, Some(display), stop)
                }
                Some(b'"') => Err((&defect::DISPLAY_NAME, stop)),
                _ => read_bare(bytes, stop),
            }
        }
    }
}

fn read_angle<'a>(
    bytes: &'a [u8],
    display: Option<&'a [u8]>,
    angle: usize,
) -> Result<Parts<'a>, Fault> {
    let from = angle.wrapping_add(1);
    let length =
        memchr::memchr(b'>', after(bytes, from)).ok_or((&defect::UNCLOSED_ANGLE, angle))?;
    let to = from.wrapping_add(length);
    Ok(Parts {
        display,
        uri: (from, to),
        params: to.wrapping_add(1),
    })
}

/// An address without `<` and `>`: what follows a semicolon belongs to the header field.
fn read_bare(bytes: &[u8], stop: usize) -> Result<Parts<'_>, Fault> {
    let to = scan::trim_end(before(bytes, stop)).len();
    if let Some(question) = memchr::memchr(b'?', before(bytes, to)) {
        return Err((&defect::BARE_URI, question));
    }
    Ok(Parts {
        display: None,
        uri: (0, to),
        params: to,
    })
}

/// Where the element whose parameters begin at `from` ends: at a comma outside quotes, or at the end.
pub(super) fn params_end(bytes: &[u8], from: usize) -> Result<usize, Fault> {
    let first = from.wrapping_add(scan::lws(after(bytes, from)));
    match bytes.get(first) {
        None => return Ok(bytes.len()),
        Some(b';' | b',') => {}
        Some(_) => return Err((&defect::AFTER_ADDRESS, first)),
    }
    let mut at = first;
    loop {
        let Some(found) = memchr::memchr2(b'"', b',', after(bytes, at)) else {
            return Ok(bytes.len());
        };
        at = at.wrapping_add(found);
        if bytes.get(at) == Some(&b',') {
            return Ok(at);
        }
        if scan::trim_end(between(bytes, first, at)).last() != Some(&b'=') {
            return Err((&defect::MISPLACED_QUOTE, at));
        }
        let length = scan::quoted(after(bytes, at)).ok_or((&defect::UNCLOSED_QUOTE, at))?;
        at = at.wrapping_add(length);
        let next = at.wrapping_add(scan::lws(after(bytes, at)));
        if !matches!(bytes.get(next), None | Some(b';' | b',')) {
            return Err((&defect::MISPLACED_QUOTE, next));
        }
    }
}
