//! Values of header fields, read when asked for.

use core::fmt;

use super::{
    Contact, Header, HeaderName, Message, Method, NameAddr, Params, Via, defect,
    scan::{self, after, before},
};
use crate::drive::{Defect, Reject};

/// The value of CSeq.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CSeq<'a> {
    /// The sequence number, below 2^31.
    pub number: u32,
    /// The method.
    pub method: Method<'a>,
}

/// The state of a subscription (RFC 6665 8.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SubState {
    /// `active`
    Active,
    /// `pending`
    Pending,
    /// `terminated`
    Terminated,
    /// An extension.
    Other,
}

/// The value of Subscription-State.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubscriptionState<'a> {
    /// The state.
    pub state: SubState,
    /// Seconds that remain; `None` if absent or malformed.
    pub expires: Option<u32>,
    /// Seconds to wait before subscribing anew; `None` if absent or malformed.
    pub retry_after: Option<u32>,
    /// Why it ended, as it stood; compared in any case.
    pub reason: Option<&'a [u8]>,
}

/// The value of Event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventPackage<'a> {
    /// The package with its templates; compared byte for byte (RFC 6665 8.2.1).
    pub package: &'a [u8],
    /// The `id` parameter, byte for byte.
    pub id: Option<&'a [u8]>,
}

/// The value of Authorization or Proxy-Authorization.
#[derive(Clone, Copy)]
pub struct Authorization<'a> {
    scheme: &'a [u8],
    params: &'a [u8],
}

impl fmt::Debug for Authorization<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authorization(..)")
    }
}

impl<'a> Authorization<'a> {
    /// [RFC 3261 25.1] Reads credentials: a scheme and, of Digest, its parameters.
    ///
    /// # Errors
    /// [`defect::AUTHORIZATION`] where it is not that; [`defect::PARAMETER_TWICE`] where a parameter that
    /// decides who is meant stands twice. At the byte within `value`.
    pub fn parse(value: &'a [u8]) -> Result<Self, Reject> {
        grammar::credentials(value)
    }

    pub(super) const fn new(scheme: &'a [u8], params: &'a [u8]) -> Self {
        Self { scheme, params }
    }

    /// The scheme as it stood.
    #[must_use]
    pub const fn scheme(&self) -> &'a [u8] {
        self.scheme
    }

    /// Whether the scheme is Digest.
    #[must_use]
    pub fn is_digest(&self) -> bool {
        scan::same_text(self.scheme, b"Digest")
    }

    /// What follows the scheme, as it stood.
    #[must_use]
    pub const fn credentials(&self) -> &'a [u8] {
        self.params
    }

    /// Each parameter of Digest credentials in order: name, and value as it stood. None of another scheme.
    pub fn params(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let params: &[u8] = if self.is_digest() { self.params } else { &[] };
        grammar::auth_params(params)
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
    pub fn username(&self) -> Option<&'a [u8]> {
        self.param(b"username")
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

    /// `integrity-protected` (TS 24.229 7.2A.2): a mark of the P-CSCF.
    #[must_use]
    pub fn integrity_protected(&self) -> Option<&'a [u8]> {
        self.param(b"integrity-protected")
    }
}

impl<'a> Header<'a> {
    /// The elements of a comma list, white space removed; commas in quoted strings and between `<` and `>`
    /// do not separate. Empty elements are passed over.
    #[must_use]
    pub const fn elements(self) -> Elements<'a> {
        Elements { rest: self.raw() }
    }

    /// What stands before the first semicolon, white space removed.
    #[must_use]
    pub fn token(self) -> &'a [u8] {
        let raw = self.raw();
        let end = memchr::memchr(b';', raw).unwrap_or(raw.len());
        scan::trim_end(before(raw, end))
    }

    /// The parameters after the first semicolon.
    #[must_use]
    pub fn params(self) -> Params<'a> {
        let raw = self.raw();
        let end = memchr::memchr(b';', raw).unwrap_or(raw.len());
        Params::new(after(raw, end))
    }
}

/// The elements of a comma list; see [`Header::elements`].
#[derive(Clone)]
pub struct Elements<'a> {
    rest: &'a [u8],
}

impl fmt::Debug for Elements<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Elements({} bytes)", self.rest.len())
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        while !self.rest.is_empty() {
            let end = element_end(self.rest);
            let element = scan::trim(before(self.rest, end));
            self.rest = after(self.rest, end.saturating_add(1));
            if !element.is_empty() {
                return Some(element);
            }
        }
        None
    }
}

/// Where the first element of a comma list ends.
fn element_end(bytes: &[u8]) -> usize {
    let mut at = 0usize;
    loop {
        let Some(found) = memchr::memchr3(b',', b'"', b'<', after(bytes, at)) else {
            return bytes.len();
        };
        at = at.saturating_add(found);
        let rest = after(bytes, at);
        let inside = match rest.first() {
            Some(b'"') => scan::quoted(rest),
            Some(b'<') => memchr::memchr(b'>', rest).map(|end| end.saturating_add(1)),
            _ => return at,
        };
        match inside {
            Some(length) => at = at.saturating_add(length),
            None => return bytes.len(),
        }
    }
}

/// What says which binding a contact is, and how long, must stand once.
fn check_once(contact: &NameAddr<'_>, at: usize) -> Result<(), Reject> {
    let mut seen = 0u8;
    for (name, _) in contact.params() {
        let mark = match name.len() {
            6 if scan::is_name(b"reg-id", name) => 1,
            7 if scan::is_name(b"expires", name) => 2,
            13 if scan::is_name(b"+sip.instance", name) => 4,
            _ => 0,
        };
        if seen & mark != 0 {
            return Err(Reject::new(&defect::PARAMETER_TWICE, at));
        }
        seen |= mark;
    }
    Ok(())
}

impl<'a> Message<'a> {
    fn required(&self, name: HeaderName, missing: &'static Defect) -> Result<Header<'a>, Reject> {
        self.header(name)
            .ok_or(Reject::new(missing, self.head_end()))
    }

    /// [RFC 3261 20.42] The topmost Via.
    ///
    /// # Errors
    /// [`defect::NO_VIA`], or what is wrong with it; [`defect::PARAMETER_TWICE`] for two branches.
    pub fn via(&self) -> Result<Via<'a>, Reject> {
        let header = self.required(HeaderName::Via, &defect::NO_VIA)?;
        let missing = Err(Reject::new(&defect::VIA_PROTOCOL, header.at()));
        let via = Via::parse_list(header.raw())
            .at(header.at())
            .next()
            .unwrap_or(missing)?;
        if via.params().repeats(b"branch") {
            return Err(Reject::new(&defect::PARAMETER_TWICE, header.at()));
        }
        Ok(via)
    }

    /// [RFC 3261 20.42] Every Via from the topmost down, over all fields and lists.
    pub fn vias(&self) -> impl Iterator<Item = Result<Via<'a>, Reject>> + use<'_, 'a> {
        self.headers(HeaderName::Via)
            .flat_map(|header| Via::parse_list(header.raw()).at(header.at()))
    }

    /// [RFC 3261 20.20] From.
    ///
    /// # Errors
    /// [`defect::NO_FROM`], or what is wrong with it; [`defect::PARAMETER_TWICE`] for two tags.
    pub fn from(&self) -> Result<NameAddr<'a>, Reject> {
        self.party(HeaderName::From, &defect::NO_FROM)
    }

    /// [RFC 3261 20.39] To.
    ///
    /// # Errors
    /// [`defect::NO_TO`], or what is wrong with it; [`defect::PARAMETER_TWICE`] for two tags.
    pub fn to(&self) -> Result<NameAddr<'a>, Reject> {
        self.party(HeaderName::To, &defect::NO_TO)
    }

    fn party(&self, name: HeaderName, missing: &'static Defect) -> Result<NameAddr<'a>, Reject> {
        let header = self.required(name, missing)?;
        let party = NameAddr::parse(header.raw()).map_err(|r| r.shifted(header.at()))?;
        if party.params().repeats(b"tag") {
            return Err(Reject::new(&defect::PARAMETER_TWICE, header.at()));
        }
        Ok(party)
    }

    /// [RFC 3261 20.8] Call-ID, byte for byte.
    ///
    /// # Errors
    /// [`defect::NO_CALL_ID`], [`defect::CALL_ID`].
    pub fn call_id(&self) -> Result<&'a [u8], Reject> {
        let header = self.required(HeaderName::CallId, &defect::NO_CALL_ID)?;
        let value = header.raw();
        if value.is_empty() {
            return Err(Reject::new(&defect::CALL_ID, header.at()));
        }
        match scan::find(value, scan::LWS) {
            None => Ok(value),
            Some(at) => Err(Reject::new(&defect::CALL_ID, at).shifted(header.at())),
        }
    }

    /// [RFC 3261 20.16] CSeq.
    ///
    /// # Errors
    /// [`defect::NO_CSEQ`], [`defect::CSEQ`], [`defect::CSEQ_NUMBER`]; in a request
    /// [`defect::CSEQ_METHOD`].
    pub fn cseq(&self) -> Result<CSeq<'a>, Reject> {
        let header = self.required(HeaderName::CSeq, &defect::NO_CSEQ)?;
        let value = header.raw();
        let refuse = |what| Reject::new(what, header.at());
        let digits = scan::digits(value);
        let number = scan::number(before(value, digits)).ok_or(refuse(&defect::CSEQ))?;
        let rest = after(value, digits);
        let name = scan::trim_start(rest);
        if name.len() == rest.len() || !scan::is_token(name) {
            return Err(refuse(&defect::CSEQ));
        }
        if number >= 1 << 31 {
            return Err(refuse(&defect::CSEQ_NUMBER));
        }
        let method = Method::of(name);
        match self.method() {
            Some(own) if own != method => Err(refuse(&defect::CSEQ_METHOD)),
            _ => Ok(CSeq { number, method }),
        }
    }

    /// [RFC 3261 7.3.1] Every address of the fields of that name, over all fields and lists, in order.
    pub fn name_addrs(
        &self,
        name: HeaderName,
    ) -> impl Iterator<Item = Result<NameAddr<'a>, Reject>> + use<'_, 'a> {
        self.headers(name)
            .flat_map(|header| NameAddr::parse_list(header.raw()).at(header.at()))
    }

    /// [RFC 3261 20.10] Every value of Contact, over all fields and lists, in order. Whether `*` may stand
    /// there is for the caller to say. A contact whose binding or lifetime has two readings (`expires`,
    /// `+sip.instance` or `reg-id` twice) is [`defect::PARAMETER_TWICE`].
    pub fn contacts(&self) -> impl Iterator<Item = Result<Contact<'a>, Reject>> + use<'_, 'a> {
        self.headers(HeaderName::Contact).flat_map(|header| {
            let mut list = NameAddr::parse_list(header.raw()).at(header.at());
            core::iter::from_fn(move || {
                if list.take_star() {
                    return Some(Ok(Contact::Star));
                }
                list.next().map(|address| {
                    let address = address?;
                    check_once(&address, header.at())?;
                    Ok(Contact::Addr(address))
                })
            })
        })
    }

    /// [RFC 3261 20.19] Expires in seconds; one too large stands as `u32::MAX`. `None` if absent or malformed.
    #[must_use]
    pub fn expires(&self) -> Option<u32> {
        self.expires_checked().ok().flatten()
    }

    /// [RFC 3261 20.19] Expires in seconds; one too large stands as `u32::MAX`. `None` if absent.
    ///
    /// # Errors
    /// [`defect::EXPIRES`] if malformed, [`defect::CONFLICT`] if there are several of different values.
    pub fn expires_checked(&self) -> Result<Option<u32>, Reject> {
        let mut seconds = None;
        for header in self.headers(HeaderName::Expires) {
            let value = scan::number(header.raw());
            let value = value.ok_or(Reject::new(&defect::EXPIRES, header.at()))?;
            if seconds.is_some_and(|first| first != value) {
                return Err(Reject::new(&defect::CONFLICT, header.at()));
            }
            seconds = Some(value);
        }
        Ok(seconds)
    }

    /// The only field of that name, if there is one.
    fn single(&self, name: HeaderName) -> Result<Option<Header<'a>>, Reject> {
        let mut headers = self.headers(name);
        let first = headers.next();
        match headers.next() {
            None => Ok(first),
            Some(second) => Err(Reject::new(&defect::REPEATED, second.at())),
        }
    }

    /// [RFC 6665 8.2.3] Subscription-State; a malformed `expires` or `retry-after` counts as absent.
    ///
    /// # Errors
    /// [`defect::SUBSCRIPTION_STATE`], [`defect::REPEATED`].
    pub fn subscription_state(&self) -> Result<Option<SubscriptionState<'a>>, Reject> {
        let Some(header) = self.single(HeaderName::SubscriptionState)? else {
            return Ok(None);
        };
        let (token, params) = grammar::token_and_params(header.raw())
            .map_err(|at| Reject::new(&defect::SUBSCRIPTION_STATE, at).shifted(header.at()))?;
        let state = if scan::same_text(token, b"active") {
            SubState::Active
        } else if scan::same_text(token, b"pending") {
            SubState::Pending
        } else if scan::same_text(token, b"terminated") {
            SubState::Terminated
        } else {
            SubState::Other
        };
        Ok(Some(SubscriptionState {
            state,
            expires: params.number(b"expires"),
            retry_after: params.number(b"retry-after"),
            reason: params.value(b"reason"),
        }))
    }

    /// [RFC 6665 8.2.1] Event.
    ///
    /// # Errors
    /// [`defect::EVENT`], [`defect::REPEATED`]; [`defect::PARAMETER_TWICE`] for two `id`.
    pub fn event(&self) -> Result<Option<EventPackage<'a>>, Reject> {
        let Some(header) = self.single(HeaderName::Event)? else {
            return Ok(None);
        };
        let (package, params) = grammar::token_and_params(header.raw())
            .map_err(|at| Reject::new(&defect::EVENT, at).shifted(header.at()))?;
        if params.repeats(b"id") {
            return Err(Reject::new(&defect::PARAMETER_TWICE, header.at()));
        }
        Ok(Some(EventPackage {
            package,
            id: params.value(b"id"),
        }))
    }

    /// [RFC 3261 20.7] Authorization.
    ///
    /// # Errors
    /// As [`Authorization::parse`]; [`defect::REPEATED`] where there are several.
    pub fn authorization(&self) -> Result<Option<Authorization<'a>>, Reject> {
        let Some(header) = self.single(HeaderName::Authorization)? else {
            return Ok(None);
        };
        Authorization::parse(header.raw())
            .map(Some)
            .map_err(|r| r.shifted(header.at()))
    }

    /// [RFC 3261 20.33] Retry-After in seconds, comment and parameters apart; one too large stands as
    /// `u32::MAX`. `None` if absent or malformed.
    #[must_use]
    pub fn retry_after(&self) -> Option<u32> {
        grammar::retry_after(self.header(HeaderName::RetryAfter)?.raw())
    }

    /// [RFC 3261 20.23] Min-Expires in seconds; one too large stands as `u32::MAX`. `None` if absent or
    /// malformed.
    #[must_use]
    pub fn min_expires(&self) -> Option<u32> {
        scan::number(self.header(HeaderName::MinExpires)?.raw())
    }

    /// [RFC 3261 20.22] Max-Forwards; `None` if absent or malformed.
    #[must_use]
    pub fn max_forwards(&self) -> Option<u32> {
        scan::number(self.header(HeaderName::MaxForwards)?.raw())
    }

    /// [RFC 3261 20.15] Whether Content-Type is `what` (`type/subtype`), in any case, parameters apart.
    #[must_use]
    pub fn content_type_is(&self, what: &[u8]) -> bool {
        let Some(header) = self.header(HeaderName::ContentType) else {
            return false;
        };
        let found = header.token();
        if scan::same_text(found, what) {
            return true;
        }
        let halves = |text| grammar::media_type(text).ok().map(|(_, halves)| halves);
        match (halves(found), halves(what)) {
            (Some((a, b)), Some((c, d))) => scan::same_text(a, c) && scan::same_text(b, d),
            _ => false,
        }
    }

    /// Whether a list of tokens (Supported, Require, Allow, Accept…) holds `token`, in any case, parameters
    /// apart, over all fields of that name.
    #[must_use]
    pub fn lists(&self, name: HeaderName, token: &[u8]) -> bool {
        self.headers(name)
            .flat_map(Header::elements)
            .any(|element| {
                let end = memchr::memchr(b';', element).unwrap_or(element.len());
                scan::same_text(scan::trim_end(before(element, end)), token)
            })
    }
}

/// The grammar of what is not read in every message.
mod grammar {
    use nom::{
        IResult, Parser,
        branch::alt,
        bytes::complete::{tag, take_while, take_while1},
        character::complete::{digit1, one_of},
        combinator::{eof, peek, rest},
        error::{Error, ErrorKind},
        sequence::{delimited, pair, separated_pair, terminated},
    };

    use super::super::{Authorization, Params, defect, scan};
    use crate::drive::Reject;

    type Read<'a, T> = IResult<&'a [u8], T>;

    fn lws(input: &[u8]) -> Read<'_, &[u8]> {
        take_while(|b| scan::is(b, scan::LWS)).parse(input)
    }

    fn lws1(input: &[u8]) -> Read<'_, &[u8]> {
        take_while1(|b| scan::is(b, scan::LWS)).parse(input)
    }

    fn token(input: &[u8]) -> Read<'_, &[u8]> {
        take_while1(|b| scan::is(b, scan::TOKEN)).parse(input)
    }

    fn quoted(input: &[u8]) -> Read<'_, &[u8]> {
        let refuse = || nom::Err::Error(Error::new(input, ErrorKind::Char));
        if input.first() != Some(&b'"') {
            return Err(refuse());
        }
        let end = scan::quoted(input).ok_or_else(refuse)?;
        let (value, rest) = input.split_at_checked(end).ok_or_else(refuse)?;
        Ok((rest, value))
    }

    /// An unquoted value of any bytes but separators: Base64 and its like stand unquoted in the field.
    fn unquoted(input: &[u8]) -> Read<'_, &[u8]> {
        take_while(|b| b != b',' && b != b'"' && !scan::is(b, scan::LWS)).parse(input)
    }

    fn auth_param(input: &[u8]) -> Read<'_, (&[u8], &[u8])> {
        let equals = delimited(lws, tag(&b"="[..]), lws);
        separated_pair(token, equals, alt((quoted, unquoted))).parse(input)
    }

    fn next_auth_param(input: &[u8]) -> Read<'_, (&[u8], &[u8])> {
        let end = alt((tag(&b","[..]), eof));
        delimited(lws, auth_param, pair(lws, end)).parse(input)
    }

    fn at<'a>(whole: &'a [u8], error: nom::Err<Error<&'a [u8]>>) -> usize {
        match error {
            nom::Err::Error(e) | nom::Err::Failure(e) => whole.len().saturating_sub(e.input.len()),
            nom::Err::Incomplete(_) => whole.len(),
        }
    }

    pub(super) fn credentials(value: &[u8]) -> Result<Authorization<'_>, Reject> {
        let refuse = |at| Reject::new(&defect::AUTHORIZATION, at);
        let (params, scheme) = terminated(token, lws1)
            .parse(value)
            .map_err(|e| refuse(at(value, e)))?;
        let read = Authorization::new(scheme, params);
        if !read.is_digest() {
            return Ok(read);
        }
        let mut input = params;
        while !input.is_empty() {
            input = next_auth_param(input).map_err(|e| refuse(at(value, e)))?.0;
        }
        let deciding: [&[u8]; 6] = [
            b"username",
            b"realm",
            b"uri",
            b"nonce",
            b"response",
            b"integrity-protected",
        ];
        for name in deciding {
            let same = read.params().filter(|(n, _)| scan::same_text(n, name));
            if same.count() > 1 {
                let at = value.len().saturating_sub(params.len());
                return Err(Reject::new(&defect::PARAMETER_TWICE, at));
            }
        }
        Ok(read)
    }

    pub(super) fn auth_params(params: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut input = params;
        core::iter::from_fn(move || {
            let (rest, param) = next_auth_param(input).ok()?;
            input = rest;
            Some(param)
        })
    }

    /// A token, then parameters or nothing.
    pub(super) fn token_and_params(value: &[u8]) -> Result<(&[u8], Params<'_>), usize> {
        let end = peek(alt((tag(&b";"[..]), eof)));
        let (params, token) = delimited(lws, token, pair(lws, end))
            .parse(value)
            .map_err(|e| at(value, e))?;
        Ok((token, Params::new(params)))
    }

    pub(super) fn retry_after(value: &[u8]) -> Option<u32> {
        let stop = alt((eof, peek(nom::combinator::recognize(one_of(" \t\r\n;(")))));
        let (_, digits) = terminated(digit1::<_, Error<&[u8]>>, (stop, rest))
            .parse(value)
            .ok()?;
        scan::number(digits)
    }

    /// `type/subtype` with white space around the slash.
    pub(super) fn media_type(value: &[u8]) -> Read<'_, (&[u8], &[u8])> {
        let slash = delimited(lws, tag(&b"/"[..]), lws);
        terminated(separated_pair(token, slash, token), (lws, eof)).parse(value)
    }
}
