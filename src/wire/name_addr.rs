//! Addresses: `"display" <uri>;params`, `uri;params`, and lists of them.

use core::fmt;

use super::{
    Params, Uri, defect,
    scan::{self, after, before, between, trim_start},
    uri::{MOST_BYTES, Span},
};
use crate::drive::{Defect, Reject};

/// One address of From, To, Contact, Route, Path, P-Asserted-Identity and their like.
#[derive(Clone, Copy)]
pub struct NameAddr<'a> {
    raw: &'a [u8],
    uri: Uri<'a>,
    /// Where the display name stands without its quotes.
    display: Option<Span>,
    /// Where the parameters begin.
    params: u16,
    known: Known,
}

/// Where the values of the parameters stand that say who is meant, which binding, and for how long.
#[derive(Clone, Copy, Default)]
pub(super) struct Known {
    pub(super) tag: Span,
    pub(super) expires: Span,
    pub(super) q: Span,
    pub(super) instance: Span,
    pub(super) reg_id: Span,
    pub(super) pub_gruu: Span,
    pub(super) temp_gruu: Span,
    /// Whether one of them stands more than once; then the first counts.
    pub(super) twice: bool,
}

impl Known {
    /// Every field is written to by name, so that they stay in registers.
    #[inline(always)]
    fn note(&mut self, name: &[u8], value: Span) {
        let twice = match name.len() {
            1 if scan::is_name(b"q", name) => set(&mut self.q, value),
            3 if scan::is_name(b"tag", name) => set(&mut self.tag, value),
            6 if scan::is_name(b"reg-id", name) => set(&mut self.reg_id, value),
            7 if scan::is_name(b"expires", name) => set(&mut self.expires, value),
            8 if scan::is_name(b"pub-gruu", name) => set(&mut self.pub_gruu, value),
            9 if scan::is_name(b"temp-gruu", name) => set(&mut self.temp_gruu, value),
            13 if scan::is_name(b"+sip.instance", name) => set(&mut self.instance, value),
            _ => false,
        };
        self.twice |= twice;
    }
}

/// Keeps the first value; true for a second.
#[inline(always)]
const fn set(place: &mut Span, value: Span) -> bool {
    if place.is_given() {
        return true;
    }
    *place = value;
    false
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
        Self::parse_list(value).only(Rule::Only)
    }

    /// [RFC 3261 7.3.1] Reads the addresses of a comma list, one after the other. After an error there is
    /// nothing more: where the next would begin is not certain.
    #[must_use]
    pub const fn parse_list(value: &'a [u8]) -> NameAddrs<'a> {
        NameAddrs {
            rest: value,
            total: value.len(),
            base: 0,
        }
    }

    /// The display name as it stood, without quotes; escapes stay. `None` where there is none.
    #[must_use]
    pub fn display(&self) -> Option<&'a [u8]> {
        self.display.map(|display| display.of(self.raw))
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
    pub fn params(&self) -> Params<'a> {
        Params::new(self.params_raw())
    }

    /// The parameters as they stood, from the first semicolon on; empty if there are none.
    #[must_use]
    pub fn params_raw(&self) -> &'a [u8] {
        after(self.raw, usize::from(self.params))
    }

    /// The tag of From or To: the value of the first parameter of that name, without quotes.
    #[must_use]
    pub fn tag(&self) -> Option<&'a [u8]> {
        self.known.tag.value(self.raw).map(scan::unquote)
    }

    /// What From and To must be beside well-formed. A tag is kept and written again without quotes: it is a token,
    /// and no parameter holds NUL.
    #[inline(always)]
    fn check_party(&self, at: usize) -> Result<(), Reject> {
        if self.known.twice {
            return Err(Reject::new(&defect::PARAMETER_TWICE, at));
        }
        let tag = self.known.tag.of(self.raw);
        let params = self.params_raw();
        let (is_token, only_tag) = if self.known.tag.is_given() {
            let only_tag = tag.len().wrapping_add(b";tag=".len());
            (scan::is_token(tag), only_tag)
        } else {
            (true, 0)
        };
        if is_token && params.len() <= only_tag {
            return Ok(());
        }
        match memchr::memchr(0, params) {
            Some(_) => Err(Reject::new(&defect::NUL, at)),
            None if is_token => Ok(()),
            None => Err(Reject::new(&defect::TAG, at)),
        }
    }

    pub(super) const fn known(&self) -> &Known {
        &self.known
    }

    /// The value of one of the known parameters, without quotes.
    #[inline]
    pub(super) fn known_value(&self, place: Span) -> Option<&'a [u8]> {
        place.value(self.raw).map(scan::unquote)
    }

    /// Instance and reg-id: a flow, where both are there (RFC 5626 6).
    pub(crate) fn flow(&self) -> (Option<&'a [u8]>, Option<&'a [u8]>) {
        let Known {
            instance, reg_id, ..
        } = self.known;
        (self.known_value(instance), self.known_value(reg_id))
    }

    /// The whole list element as it stood.
    #[must_use]
    pub const fn raw(&self) -> &'a [u8] {
        self.raw
    }
}

/// The addresses of a comma list; see [`NameAddr::parse_list`].
#[derive(Clone)]
pub struct NameAddrs<'a> {
    rest: &'a [u8],
    total: usize,
    base: usize,
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

    /// What follows the addresses read so far, without the commas and white space that it begins with.
    pub(crate) fn rest(mut self) -> &'a [u8] {
        self.advance();
        self.rest
    }

    fn offset(&self) -> usize {
        self.base
            .wrapping_add(self.total.wrapping_sub(self.rest.len()))
    }

    /// Goes to the start of the next element; false if there is none.
    #[inline]
    fn advance(&mut self) -> bool {
        loop {
            match self.rest {
                [] => return false,
                [b',' | b' ' | b'\t' | b'\r' | b'\n', tail @ ..] => self.rest = tail,
                _ => return true,
            }
        }
    }

    #[cold]
    fn fail(&mut self, (defect, at): Fault) -> Reject {
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

    /// The only address there is.
    pub(super) fn only(mut self, rule: Rule) -> Result<NameAddr<'a>, Reject> {
        self.rest = trim_start(self.rest);
        self.element(rule)
    }

    /// The address at the start, which is passed over. All that there is to check is checked here, so that the
    /// address is written once, where the caller wants it.
    #[inline(never)]
    fn element(&mut self, rule: Rule) -> Result<NameAddr<'a>, Reject> {
        let (address, end) = match read(self.rest) {
            Ok(read) => read,
            Err(fault) => return Err(self.fail(fault)),
        };
        if !matches!(rule, Rule::Listed) && end < self.rest.len() {
            return Err(self.fail((&defect::ONE_ADDRESS, end.wrapping_add(1))));
        }
        if matches!(rule, Rule::Party) {
            address.check_party(self.base)?;
        }
        self.rest = after(self.rest, end.wrapping_add(1));
        Ok(address)
    }
}

/// What an address must be beside well-formed.
#[derive(Clone, Copy)]
pub(super) enum Rule {
    /// Nothing.
    Listed,
    /// The only one.
    Only,
    /// The only one, that of From or To.
    Party,
}

impl<'a> Iterator for NameAddrs<'a> {
    type Item = Result<NameAddr<'a>, Reject>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.advance().then(|| self.element(Rule::Listed))
    }
}

/// The address that begins `bytes`, and where it ends: at a comma or the end.
#[inline(always)]
fn read(bytes: &[u8]) -> Result<(NameAddr<'_>, usize), Fault> {
    let front = match bytes {
        [b'<', rest @ ..] => Front::plain(rest),
        _ => None,
    };
    let front = match front {
        Some(front) => front,
        None => Front::any(bytes)?,
    };
    let mut known = Known::default();
    let (params_at, end) = walk_params(bytes, front.params, |name, value| known.note(name, value))?;
    if end > MOST_BYTES {
        return Err((&defect::VALUE_TOO_LONG, MOST_BYTES));
    }
    let address = NameAddr {
        raw: scan::trim_end(before(bytes, end)),
        uri: front.uri,
        display: front.display,
        params: params_at as u16,
        known,
    };
    Ok((address, end))
}

/// What stands before the parameters, and where these begin.
struct Front<'a> {
    display: Option<Span>,
    uri: Uri<'a>,
    params: usize,
}

impl<'a> Front<'a> {
    /// What `rest` begins with, after its `<`, if it is of the shape that nearly all are of.
    #[inline(always)]
    fn plain(rest: &'a [u8]) -> Option<Self> {
        let (uri, length) = Uri::before_angle(rest)?;
        Some(Self {
            display: None,
            uri,
            params: length.wrapping_add(2),
        })
    }

    #[inline(never)]
    fn any(bytes: &'a [u8]) -> Result<Self, Fault> {
        let parts = read_parts(bytes)?;
        let (from, to) = parts.uri;
        let uri = Uri::read(between(bytes, from, to))
            .map_err(|r| (r.defect, from.wrapping_add(r.at as usize)))?;
        Ok(Self {
            display: parts.display,
            uri,
            params: parts.params,
        })
    }
}

struct Parts {
    display: Option<Span>,
    uri: (usize, usize),
    params: usize,
}

type Fault = (&'static Defect, usize);

/// Display name and the place of the URI of the element that begins `bytes`.
#[inline(always)]
fn read_parts(bytes: &[u8]) -> Result<Parts, Fault> {
    match bytes.first() {
        Some(b'<') => read_angle(bytes, None, 0),
        Some(b'"') => {
            let end = scan::quoted(bytes).ok_or((&defect::UNCLOSED_QUOTE, 0))?;
            let angle = end.wrapping_add(scan::lws(after(bytes, end)));
            if bytes.get(angle) != Some(&b'<') {
                return Err((&defect::DISPLAY_NAME, angle));
            }
            read_angle(bytes, Some(Span::new(1, end.wrapping_sub(1))), angle)
        }
        _ => {
            let stop = scan::until(bytes, scan::ADDRESS_END);
            match bytes.get(stop) {
                Some(b'<') => {
                    let display = scan::trim_end(before(bytes, stop));
                    if let Some(at) = display.iter().position(|b| matches!(b, b':' | 0)) {
                        return Err((&defect::DISPLAY_NAME, at));
                    }
                    read_angle(bytes, Some(Span::new(0, display.len())), stop)
                }
                Some(b'"') => Err((&defect::DISPLAY_NAME, stop)),
                _ => read_bare(bytes, stop),
            }
        }
    }
}

#[inline(always)]
fn read_angle(bytes: &[u8], display: Option<Span>, angle: usize) -> Result<Parts, Fault> {
    let from = angle.wrapping_add(1);
    let length = scan::first::<b'>'>(after(bytes, from)).ok_or((&defect::UNCLOSED_ANGLE, angle))?;
    let to = from.wrapping_add(length);
    Ok(Parts {
        display,
        uri: (from, to),
        params: to.wrapping_add(1),
    })
}

/// An address without `<` and `>`: what follows a semicolon belongs to the header field.
fn read_bare(bytes: &[u8], stop: usize) -> Result<Parts, Fault> {
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

/// Reads the parameters that begin at `from`, up to a comma outside quotes or the end: each is shown to `seen`,
/// its name and where its value stands. Gives where they begin, white space apart, and where they end.
#[inline(always)]
pub(super) fn walk_params<'a>(
    bytes: &'a [u8],
    from: usize,
    mut seen: impl FnMut(&'a [u8], Span),
) -> Result<(usize, usize), Fault> {
    let place = |rest: &[u8]| bytes.len().wrapping_sub(rest.len());
    let mut rest = trim_start(after(bytes, from));
    let first = place(rest);
    if !matches!(rest, [] | [b',' | b';', ..]) {
        return Err((&defect::AFTER_ADDRESS, first));
    }
    while let [b';', tail @ ..] = rest {
        let tail = trim_start(tail);
        let (name, tail) = scan::split(tail, scan::until(tail, scan::NAME_END));
        rest = trim_start(tail);
        match rest {
            [b'=', tail @ ..] => {
                let value = trim_start(tail);
                let from = place(value);
                let length = value_length(value).map_err(|what| (what, from))?;
                let (value, tail) = scan::split(value, length);
                seen(name, Span::new(from, from.wrapping_add(value.len())));
                rest = trim_start(tail);
                if !matches!(rest, [] | [b',' | b';', ..]) {
                    return Err((after_value(value, rest), place(rest)));
                }
            }
            [] | [b',' | b';', ..] if name.is_empty() => {}
            [] | [b',' | b';', ..] => seen(name, Span::BARE),
            _ => return Err((after_value(name, rest), place(rest))),
        }
    }
    Ok((first, place(rest)))
}

/// What is wrong when `rest` follows a name or value.
#[cold]
fn after_value(value: &[u8], rest: &[u8]) -> &'static Defect {
    match (value, rest) {
        ([b'"', ..], _) | (_, [b'"', ..]) => &defect::MISPLACED_QUOTE,
        _ => &defect::PARAMETER,
    }
}

/// How long the value that begins `bytes` is: a quoted string, or what comes before a semicolon, comma or quote.
#[inline(always)]
fn value_length(bytes: &[u8]) -> Result<usize, &'static Defect> {
    if let [b'"', ..] = bytes {
        return scan::quoted(bytes).ok_or(&defect::UNCLOSED_QUOTE);
    }
    Ok(scan::until(bytes, scan::VALUE_END))
}
