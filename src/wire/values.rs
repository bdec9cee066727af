//! Values of header fields, read when asked for.

use core::fmt;

use super::{
    Contact, ContactAddr, Header, HeaderName, MediaType, Message, Method, NameAddr, NameAddrs,
    Params, Via, defect,
    name_addr::Rule,
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

/// The addresses of one field, and where they begin.
fn listed(header: Header<'_>) -> (NameAddrs<'_>, usize) {
    let addresses = NameAddr::parse_list(header.raw()).at(header.at());
    (addresses, header.at())
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
        if via.repeats_branch() {
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
    /// [`defect::NO_FROM`], or what is wrong with it; [`defect::PARAMETER_TWICE`] for two tags or two of
    /// a parameter that [`ContactAddr`] reads, [`defect::TAG`] for a tag that is no token, [`defect::NUL`] in a
    /// parameter.
    pub fn from(&self) -> Result<NameAddr<'a>, Reject> {
        self.party(HeaderName::From, &defect::NO_FROM)
    }

    /// [RFC 3261 20.39] To.
    ///
    /// # Errors
    /// [`defect::NO_TO`], or what is wrong with it; [`defect::PARAMETER_TWICE`] for two tags or two of
    /// a parameter that [`ContactAddr`] reads, [`defect::TAG`] for a tag that is no token, [`defect::NUL`] in a
    /// parameter.
    pub fn to(&self) -> Result<NameAddr<'a>, Reject> {
        self.party(HeaderName::To, &defect::NO_TO)
    }

    #[inline]
    fn party(&self, name: HeaderName, missing: &'static Defect) -> Result<NameAddr<'a>, Reject> {
        let header = self.required(name, missing)?;
        read_party(header)
    }

    /// [RFC 3261 20.8] Call-ID, byte for byte.
    ///
    /// # Errors
    /// [`defect::NO_CALL_ID`], [`defect::CALL_ID`].
    pub fn call_id(&self) -> Result<&'a [u8], Reject> {
        read_call_id(self.required(HeaderName::CallId, &defect::NO_CALL_ID)?)
    }

    /// [RFC 3261 20.16] CSeq.
    ///
    /// # Errors
    /// [`defect::NO_CSEQ`], [`defect::CSEQ`], [`defect::CSEQ_NUMBER`]; in a request
    /// [`defect::CSEQ_METHOD`].
    pub fn cseq(&self) -> Result<CSeq<'a>, Reject> {
        let header = self.required(HeaderName::CSeq, &defect::NO_CSEQ)?;
        let cseq = read_cseq(header)?;
        match self.method() {
            Some(own) if own != cseq.method => Err(Reject::new(&defect::CSEQ_METHOD, header.at())),
            _ => Ok(cseq),
        }
    }

    /// [RFC 3261 7.3.1] Every address of the fields of that name, over all fields and lists, in order.
    pub fn name_addrs(
        &self,
        name: HeaderName,
    ) -> impl Iterator<Item = Result<NameAddr<'a>, Reject>> + use<'_, 'a> {
        let mut headers = self.headers(name);
        let mut list = None;
        core::iter::from_fn(move || {
            loop {
                let (addresses, _): &mut (NameAddrs<'a>, usize) = match &mut list {
                    Some(list) => list,
                    None => list.insert(headers.next().map(listed)?),
                };
                match addresses.next() {
                    Some(address) => return Some(address),
                    None => list = None,
                }
            }
        })
    }

    /// [RFC 3261 20.10] Every value of Contact, over all fields and lists, in order. Whether `*` may stand
    /// there is for the caller to say. A contact whose binding or lifetime has two readings (`expires`,
    /// `+sip.instance` or `reg-id` twice) is [`defect::PARAMETER_TWICE`].
    pub fn contacts(&self) -> impl Iterator<Item = Result<Contact<'a>, Reject>> + use<'_, 'a> {
        let mut headers = self.headers(HeaderName::Contact);
        let mut list = None;
        core::iter::from_fn(move || {
            loop {
                let (contacts, at): &mut (NameAddrs<'a>, usize) = match &mut list {
                    Some(list) => list,
                    None => list.insert(headers.next().map(listed)?),
                };
                if contacts.take_star() {
                    return Some(Ok(Contact::Star));
                }
                match contacts.next() {
                    Some(Ok(address)) => {
                        return Some(ContactAddr::new(address, *at).map(Contact::Addr));
                    }
                    Some(Err(reject)) => return Some(Err(reject)),
                    None => list = None,
                }
            }
        })
    }

    /// [RFC 3261 20.19] Expires in seconds; one too large stands as `u32::MAX`. `None` if absent.
    ///
    /// # Errors
    /// [`defect::EXPIRES`] if malformed, [`defect::CONFLICT`] if there are several of different values.
    pub fn expires(&self) -> Result<Option<u32>, Reject> {
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
    pub(super) fn single(&self, name: HeaderName) -> Result<Option<Header<'a>>, Reject> {
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
        read_subscription_state(header).map(Some)
    }

    /// [RFC 6665 8.2.1] Event.
    ///
    /// # Errors
    /// [`defect::EVENT`], [`defect::REPEATED`]; [`defect::PARAMETER_TWICE`] for two `id`.
    pub fn event(&self) -> Result<Option<EventPackage<'a>>, Reject> {
        let Some(header) = self.single(HeaderName::Event)? else {
            return Ok(None);
        };
        read_event(header).map(Some)
    }

    /// [RFC 3261 20.22] Max-Forwards, 0 to 255. Repeated with another value, the message is refused before.
    ///
    /// # Errors
    /// [`defect::MAX_FORWARDS`].
    pub fn max_forwards(&self) -> Result<Option<u8>, Reject> {
        let header = self.header(HeaderName::MaxForwards);
        header.map(read_max_forwards).transpose()
    }

    /// [RFC 3261 20.15] Whether [`content_type`](Self::content_type) is `what` (`type/subtype`), in any case,
    /// parameters apart. One that cannot be read, or is given twice, is no type.
    #[must_use]
    pub fn content_type_is(&self, what: &[u8]) -> bool {
        // As a rule it is nothing but the type.
        if let Ok(Some(header)) = self.single(HeaderName::ContentType) {
            if !what.is_empty() && header.raw() == what {
                return true;
            }
        }
        let what = MediaType::named(what);
        matches!(self.content_type(), Ok(Some(found)) if found.is(what.kind, what.subtype))
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

#[inline]
pub(super) fn read_party(header: Header<'_>) -> Result<NameAddr<'_>, Reject> {
    NameAddr::parse_list(header.raw())
        .at(header.at())
        .only(Rule::Party)
}

pub(super) fn read_call_id(header: Header<'_>) -> Result<&[u8], Reject> {
    let checked = check_call_id(header.raw());
    checked.map_err(|reject| reject.shifted(header.at()))?;
    Ok(header.raw())
}

/// [RFC 3261 20.8] Whether a Call-ID is one, at the byte within it.
pub(crate) fn check_call_id(value: &[u8]) -> Result<(), Reject> {
    if value.is_empty() {
        return Err(Reject::new(&defect::CALL_ID, 0));
    }
    match scan::control(value) {
        None => Ok(()),
        Some(at) => Err(Reject::new(&defect::CALL_ID, at)),
    }
}

/// Whether the method is that of a request is for the caller to say.
pub(super) fn read_cseq(header: Header<'_>) -> Result<CSeq<'_>, Reject> {
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
    Ok(CSeq {
        number,
        method: Method::of(name),
    })
}

pub(super) fn read_max_forwards(header: Header<'_>) -> Result<u8, Reject> {
    scan::number(header.raw())
        .and_then(|number| u8::try_from(number).ok())
        .ok_or(Reject::new(&defect::MAX_FORWARDS, header.at()))
}

pub(super) fn read_subscription_state(header: Header<'_>) -> Result<SubscriptionState<'_>, Reject> {
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
    Ok(SubscriptionState {
        state,
        expires: params.number(b"expires"),
        retry_after: params.number(b"retry-after"),
        reason: params.value(b"reason"),
    })
}

pub(super) fn read_event(header: Header<'_>) -> Result<EventPackage<'_>, Reject> {
    let (package, params) = grammar::token_and_params(header.raw())
        .map_err(|at| Reject::new(&defect::EVENT, at).shifted(header.at()))?;
    if params.repeats(b"id") {
        return Err(Reject::new(&defect::PARAMETER_TWICE, header.at()));
    }
    Ok(EventPackage {
        package,
        id: params.value(b"id"),
    })
}

/// The grammar of what is not read in every message.
mod grammar {
    use nom::{
        IResult, Parser,
        branch::alt,
        bytes::complete::{tag, take_while, take_while1},
        combinator::{eof, peek},
        error::Error,
        sequence::{delimited, pair},
    };

    use super::super::{Params, scan};

    type Read<'a, T> = IResult<&'a [u8], T>;

    fn lws(input: &[u8]) -> Read<'_, &[u8]> {
        take_while(|b| scan::is(b, scan::LWS)).parse(input)
    }

    fn token(input: &[u8]) -> Read<'_, &[u8]> {
        take_while1(|b| scan::is(b, scan::TOKEN)).parse(input)
    }

    fn at<'a>(whole: &'a [u8], error: nom::Err<Error<&'a [u8]>>) -> usize {
        match error {
            nom::Err::Error(e) | nom::Err::Failure(e) => whole.len().saturating_sub(e.input.len()),
            nom::Err::Incomplete(_) => whole.len(),
        }
    }

    /// A token, then parameters or nothing.
    pub(super) fn token_and_params(value: &[u8]) -> Result<(&[u8], Params<'_>), usize> {
        let end = peek(alt((tag(&b";"[..]), eof)));
        let (params, token) = delimited(lws, token, pair(lws, end))
            .parse(value)
            .map_err(|e| at(value, e))?;
        Ok((token, Params::new(params)))
    }
}
