//! The second stage of reading: what every request must have, read once, and what is owed for one that
//! cannot be taken.

use core::fmt;

use super::{
    CSeq, Header, HeaderName, MediaType, Message, Method, NameAddr, Scheme, Token, Uri, Via,
    Writer, defect,
    headers::put_list,
    scan,
    writer::{self, Copied},
};
use crate::drive::{Buffer, Defect, Identifier, Reject};

/// The defects of this layer that owe another status than 400, or none.
const NOT_BAD_REQUEST: [(&Defect, Option<u16>); 17] = [
    (&defect::EMPTY, None),
    (&defect::START_LINE, None),
    (&defect::STATUS, None),
    (&defect::WRONG_KIND, None),
    (&defect::METHOD_NOT_ALLOWED, Some(405)),
    (&defect::BODY_TOO_LARGE, Some(413)),
    (&defect::URI_TOO_LONG, Some(414)),
    (&defect::BODY_TYPE, Some(415)),
    (&defect::URI_SCHEME, Some(416)),
    (&defect::EXTENSION, Some(420)),
    (&defect::TOO_MANY_HOPS, Some(483)),
    (&defect::METHOD_UNKNOWN, Some(501)),
    (&defect::VERSION, Some(505)),
    (&defect::MESSAGE_TOO_LARGE, Some(513)),
    (&defect::TOO_MANY_HEADERS, Some(513)),
    (&defect::HEADER_TOO_LARGE, Some(513)),
    (&defect::HEAD_TOO_LARGE, Some(513)),
];

/// [RFC 3261 21.4] [RFC 3261 21.5] The status that a request owes for a defect of this layer (codes 100 to
/// 199). `None` where none is owed: the defect is of a response, or of what is no SIP message at all, and
/// both are discarded; and for the defects of other layers.
///
/// Whether it can be answered, a way back being known, [`Owed`] and [`Salvage`](super::Salvage) say.
#[must_use]
pub fn status_owed(defect: &Defect) -> Option<u16> {
    if !(100..200).contains(&defect.code) {
        return None;
    }
    NOT_BAD_REQUEST
        .iter()
        .find(|(other, _)| *other == defect)
        .map_or(Some(400), |(_, status)| *status)
}

/// [RFC 3261 21.4.1] The reason phrase: a 400 names the fault, all others have the phrase of their status.
pub(super) fn phrase(status: u16, defect: &Defect) -> &'static [u8] {
    let what = defect.what.as_bytes();
    let is_phrase = |b: &u8| b.is_ascii_alphanumeric() || b" -_.!~*'();/?:@&=+$,".contains(b);
    if status == 400 && !what.is_empty() && what.iter().all(is_phrase) {
        what
    } else {
        writer::reason(status)
    }
}

/// What every request has (RFC 3261 8.1.1), read and found to be in order.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Required<'a> {
    /// The method, of the request line and of CSeq.
    pub method: Method<'a>,
    /// The Request-URI. Of a scheme that is not known it is only bytes.
    pub uri: Uri<'a>,
    /// The topmost Via; those below it can be read as well.
    pub via: Via<'a>,
    /// From. It may lack a tag (RFC 2543).
    pub from: NameAddr<'a>,
    /// To.
    pub to: NameAddr<'a>,
    /// Call-ID, byte for byte.
    pub call_id: &'a [u8],
    /// The number of CSeq, below 2^31.
    pub cseq: u32,
    /// Max-Forwards; `None` where it is absent, which only elements of RFC 2543 leave it (16.6 step 3).
    pub max_forwards: Option<u8>,
}

impl fmt::Debug for Required<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Required")
            .field("method", &self.method)
            .field("cseq", &self.cseq)
            .field("max_forwards", &self.max_forwards)
            .finish_non_exhaustive()
    }
}

impl<'a> Required<'a> {
    /// [RFC 3261 8.1.1] Reads each mandatory header field of a request once, and the Request-URI.
    ///
    /// # Errors
    /// [`defect::WRONG_KIND`] for a response; what is missing or malformed: Via (every value), From, To,
    /// Call-ID, CSeq, [`defect::MAX_FORWARDS`], the Request-URI.
    pub fn read(message: &Message<'a>) -> Result<Self, Reject> {
        let (Some(method), Some(uri)) = (message.method(), message.request_uri()) else {
            return Err(Reject::new(&defect::WRONG_KIND, 0));
        };
        let (via, _) = read_vias(message)?;
        Ok(Self {
            method,
            via,
            from: message.from()?,
            to: message.to()?,
            call_id: message.call_id()?,
            cseq: message.cseq()?.number,
            max_forwards: message.max_forwards()?,
            uri: Uri::parse(uri).map_err(|reject| reject.shifted(offset_of(uri, message)))?,
        })
    }
}

/// The topmost Via and how many there are, each read once. One below that cannot be read leads nowhere: the
/// answer could not go all the way back.
fn read_vias<'a>(message: &Message<'a>) -> Result<(Via<'a>, usize), Reject> {
    let mut fields = message.headers(HeaderName::Via);
    let missing = Reject::new(&defect::NO_VIA, message.head_end());
    let field = fields.next().ok_or(missing)?;
    let empty = Reject::new(&defect::VIA_PROTOCOL, field.at());
    let mut vias = Via::parse_list(field.raw()).at(field.at());
    let top = vias.next().unwrap_or(Err(empty))?;
    if top.repeats_branch() {
        return Err(Reject::new(&defect::PARAMETER_TWICE, field.at()));
    }
    let mut count = 1usize;
    loop {
        for via in &mut vias {
            via?;
            count = count.wrapping_add(1);
        }
        match fields.next() {
            Some(field) => vias = Via::parse_list(field.raw()).at(field.at()),
            None => return Ok((top, count)),
        }
    }
}

/// Where a part of a message begins in it.
fn offset_of(part: &[u8], message: &Message<'_>) -> usize {
    (part.as_ptr() as usize).wrapping_sub(message.bytes().as_ptr() as usize)
}

/// What every response has, read and found to be in order. What is refused here is discarded: nothing answers
/// a response.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Reply<'a> {
    /// The status code, 100 to 699.
    pub status: u16,
    /// The topmost Via.
    pub via: Via<'a>,
    /// How many values of Via there are.
    pub vias: usize,
    /// From.
    pub from: NameAddr<'a>,
    /// To.
    pub to: NameAddr<'a>,
    /// Call-ID, byte for byte.
    pub call_id: &'a [u8],
    /// CSeq: number and method of the request.
    pub cseq: CSeq<'a>,
}

impl fmt::Debug for Reply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("vias", &self.vias)
            .field("cseq", &self.cseq)
            .finish_non_exhaustive()
    }
}

impl<'a> Reply<'a> {
    /// [RFC 3261 8.2.6.2] Reads what a response has of its request. A status past 699 is refused by
    /// [`Message::parse`].
    ///
    /// # Errors
    /// [`defect::WRONG_KIND`] for a request; what is missing or malformed.
    pub fn read(message: &Message<'a>) -> Result<Self, Reject> {
        let Some(status) = message.status() else {
            return Err(Reject::new(&defect::WRONG_KIND, 0));
        };
        let (via, vias) = read_vias(message)?;
        Ok(Self {
            status,
            via,
            vias,
            from: message.from()?,
            to: message.to()?,
            call_id: message.call_id()?,
            cseq: message.cseq()?,
        })
    }

    /// [RFC 3261 18.1.2] Whether it came back to the element whose Vias have this sent-by: another one was
    /// meant otherwise, and it is discarded.
    #[must_use]
    pub fn is_back_at(&self, sent_by: &[u8]) -> bool {
        scan::same_text(self.via.sent_by_raw(), sent_by)
    }

    /// [RFC 3261 8.1.3.3] [RFC 3261 16.7] Whether the topmost Via is the only one: a client discards a
    /// response with more, a proxy takes one without more as meant for itself and does not forward it.
    #[must_use]
    pub const fn ends_here(&self) -> bool {
        self.vias == 1
    }
}

/// What an element takes. Borrowed and plain: it can be a constant. What is not restricted is taken, but for
/// option tags, of which none is supported, and URI schemes other than `sip`, `sips` and `tel`.
#[derive(Clone, Copy, Debug)]
pub struct Accepts<'a> {
    demands: HeaderName,
    methods: Option<&'a [Method<'a>]>,
    options: &'a [&'a [u8]],
    schemes: &'a [Scheme],
    content_types: Option<&'a [&'a [u8]]>,
    uri_bytes: usize,
    body_bytes: usize,
}

impl<'a> Accepts<'a> {
    const fn new(demands: HeaderName) -> Self {
        Self {
            demands,
            methods: None,
            options: &[],
            schemes: &[Scheme::Sip, Scheme::Sips, Scheme::Tel],
            content_types: None,
            uri_bytes: usize::MAX,
            body_bytes: usize::MAX,
        }
    }

    /// [RFC 3261 8.2] An element that answers requests itself: Require counts.
    #[must_use]
    pub const fn server() -> Self {
        Self::new(HeaderName::Require)
    }

    /// [RFC 3261 16.3] An element that forwards requests: Proxy-Require counts, and Max-Forwards.
    #[must_use]
    pub const fn proxy() -> Self {
        Self::new(HeaderName::ProxyRequire)
    }

    /// The methods it takes: another is refused with 405, and one that no specification known here defines
    /// with 501. One whose name is no token cannot be written in the Allow of a 405: that is
    /// [unsafe](crate::drive::Unwritable::UnsafeValue).
    #[must_use]
    pub const fn methods(self, methods: &'a [Method<'a>]) -> Self {
        Self {
            methods: Some(methods),
            ..self
        }
    }

    /// The option tags it supports, of which it is asked by Require (a proxy by Proxy-Require).
    #[must_use]
    pub const fn options(self, options: &'a [&'a [u8]]) -> Self {
        Self { options, ..self }
    }

    /// The schemes of a Request-URI that it serves.
    #[must_use]
    pub const fn schemes(self, schemes: &'a [Scheme]) -> Self {
        Self { schemes, ..self }
    }

    /// The types (`type/subtype`) of bodies it understands. What is not two such tokens cannot be written in the
    /// Accept of a 415: that is [unsafe](crate::drive::Unwritable::UnsafeValue).
    #[must_use]
    pub const fn content_types(self, content_types: &'a [&'a [u8]]) -> Self {
        Self {
            content_types: Some(content_types),
            ..self
        }
    }

    /// The longest Request-URI it takes, in bytes.
    #[must_use]
    pub const fn uri_bytes(self, uri_bytes: usize) -> Self {
        Self { uri_bytes, ..self }
    }

    /// The longest body it takes, in bytes.
    #[must_use]
    pub const fn body_bytes(self, body_bytes: usize) -> Self {
        Self { body_bytes, ..self }
    }

    /// [RFC 3261 8.2] [RFC 3261 16.3] Whether a request can be taken, in the order of these clauses: for one
    /// who reads what is required before he knows whether the request is for him; else
    /// [`validate`](fn@validate).
    ///
    /// # Errors
    /// [`defect::METHOD_UNKNOWN`], [`defect::METHOD_NOT_ALLOWED`], [`defect::URI_TOO_LONG`],
    /// [`defect::URI_SCHEME`], [`defect::TOO_MANY_HOPS`], [`defect::EXTENSION`], [`defect::BODY_TOO_LARGE`],
    /// [`defect::BODY_TYPE`]; [`defect::REPEATED`] for two Content-Types.
    pub fn check(&self, message: &Message<'_>, required: &Required<'_>) -> Result<(), Reject> {
        self.check_method(required.method)?;
        self.check_uri(message, required)?;
        self.check_hops(message, required)?;
        self.check_options(message, required.method)?;
        self.check_body(message)
    }

    fn check_method(&self, method: Method<'_>) -> Result<(), Reject> {
        match self.methods {
            Some(methods) if !methods.contains(&method) => Err(Reject::new(
                match method {
                    Method::Other(_) => &defect::METHOD_UNKNOWN,
                    _ => &defect::METHOD_NOT_ALLOWED,
                },
                0,
            )),
            _ => Ok(()),
        }
    }

    fn check_uri(&self, message: &Message<'_>, required: &Required<'_>) -> Result<(), Reject> {
        let raw = required.uri.raw();
        let refuse = |what| Err(Reject::new(what, offset_of(raw, message)));
        if raw.len() > self.uri_bytes {
            return refuse(&defect::URI_TOO_LONG);
        }
        if !self.schemes.contains(&required.uri.scheme()) {
            return refuse(&defect::URI_SCHEME);
        }
        Ok(())
    }

    fn check_hops(&self, message: &Message<'_>, required: &Required<'_>) -> Result<(), Reject> {
        if self.demands == HeaderName::ProxyRequire && required.max_forwards == Some(0) {
            let at = message
                .header(HeaderName::MaxForwards)
                .map_or(0, Header::at);
            return Err(Reject::new(&defect::TOO_MANY_HOPS, at));
        }
        Ok(())
    }

    /// [RFC 3261 8.2.2.3] An ACK or CANCEL demands nothing.
    fn check_options(&self, message: &Message<'_>, method: Method<'_>) -> Result<(), Reject> {
        if matches!(method, Method::Ack | Method::Cancel) {
            return Ok(());
        }
        for header in message.headers(self.demands) {
            if header.elements().any(|tag| !self.supports(tag)) {
                return Err(Reject::new(&defect::EXTENSION, header.at()));
            }
        }
        Ok(())
    }

    fn supports(&self, tag: &[u8]) -> bool {
        self.options.iter().any(|own| scan::same_text(own, tag))
    }

    /// [RFC 3261 8.2.3] A body that may be ignored need not be understood.
    fn check_body(&self, message: &Message<'_>) -> Result<(), Reject> {
        if message.body().len() > self.body_bytes {
            let at = message.head_end().saturating_add(2);
            return Err(Reject::new(&defect::BODY_TOO_LARGE, at));
        }
        let Some(types) = self.content_types else {
            return Ok(());
        };
        if message.body().is_empty() || is_optional(message) {
            return Ok(());
        }
        let mut named = message.headers(HeaderName::ContentType);
        let at = named.next().map_or(message.head_end(), Header::at);
        if let Some(second) = named.next() {
            return Err(Reject::new(&defect::REPEATED, second.at()));
        }
        let is_plain = message
            .headers(HeaderName::ContentEncoding)
            .flat_map(Header::elements)
            .all(|coding| scan::same_text(coding, b"identity"));
        if is_plain && types.iter().any(|own| message.content_type_is(own)) {
            Ok(())
        } else {
            Err(Reject::new(&defect::BODY_TYPE, at))
        }
    }
}

/// [RFC 3261 20.11] Whether the sender leaves it to the receiver to ignore the body. Said twice, it is not
/// said.
fn is_optional(message: &Message<'_>) -> bool {
    let mut dispositions = message.headers(HeaderName::ContentDisposition);
    match (dispositions.next(), dispositions.next()) {
        (Some(only), None) => {
            let params = only.params();
            let handling = params.value(b"handling").unwrap_or_default();
            scan::same_text(handling, b"optional") && !params.repeats(b"handling")
        }
        _ => false,
    }
}

/// [RFC 3261 8.2] [RFC 3261 16.3] Reads what every request has, and finds out whether the element can take
/// this one. Nothing is allocated; each mandatory header field is read once.
///
/// # Errors
/// What is owed instead.
pub fn validate<'m, 'a>(
    message: &Message<'m>,
    accepts: &Accepts<'a>,
) -> Result<Required<'m>, Owed<'a>> {
    Required::read(message)
        .and_then(|required| accepts.check(message, &required).map(|()| required))
        .map_err(|reject| Owed::new(message, reject, accepts))
}

/// What is owed for a request that could be read and is not taken.
#[derive(Clone, Copy, Debug)]
pub struct Owed<'a> {
    status: Option<u16>,
    reject: Reject,
    accepts: Accepts<'a>,
}

impl<'a> Owed<'a> {
    /// [RFC 3261 21.4.1] What is owed for a refusal of a message that [`Message::parse`] has read: the status
    /// that [`status_owed`] says. A request whose method is not known owes 501 even where its CSeq names
    /// another (21.5.2, RFC 4475 3.1.2.18).
    #[must_use]
    pub fn new(message: &Message<'_>, reject: Reject, accepts: &Accepts<'a>) -> Self {
        let is_unknown = matches!(message.method(), Some(Method::Other(_)));
        let reject = if is_unknown && reject.defect == &defect::CSEQ_METHOD {
            Reject::new(&defect::METHOD_UNKNOWN, 0)
        } else {
            reject
        };
        Self {
            status: status_owed(reject.defect).filter(|_| has_way_back(message)),
            reject,
            accepts: *accepts,
        }
    }

    /// The same for a status that a procedure demands, for a defect of any layer.
    #[must_use]
    pub fn with_status(
        message: &Message<'_>,
        status: u16,
        reject: Reject,
        accepts: &Accepts<'a>,
    ) -> Self {
        Self {
            status: Some(status).filter(|_| has_way_back(message)),
            reject,
            accepts: *accepts,
        }
    }

    /// The status code owed. `None` where nothing may be answered: a response, an ACK, a request whose
    /// topmost Via does not lead back.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        self.status
    }

    /// Why: defect, byte and clause.
    #[must_use]
    pub const fn reject(&self) -> Reject {
        self.reject
    }

    /// [RFC 3261 8.2.6] Writes the whole answer; nothing where [`status`](Self::status) is `None`. Of the
    /// message come what every response copies and, in a 420, the option tags that are not supported.
    pub fn write(&self, buffer: &mut Buffer, message: &Message<'_>, to_tag: Option<Identifier>) {
        if let Some(writer) = self.begin(buffer, message, to_tag) {
            writer.finish();
        }
    }

    /// As [`write`](Self::write), for one who has header fields to add before he finishes the answer.
    pub fn begin<'b>(
        &self,
        buffer: &'b mut Buffer,
        message: &Message<'_>,
        to_tag: Option<Identifier>,
    ) -> Option<Writer<'b>> {
        let status = self.status?;
        let vias = message.headers(HeaderName::Via).map(Header::raw);
        let phrase = phrase(status, self.reject.defect);
        let copied = Copied::of(message);
        let mut writer = Writer::answer(buffer, status, phrase, vias, &copied, to_tag);
        match status {
            405 => self.write_allow(&mut writer),
            415 => self.write_accept(&mut writer),
            420 => self.write_unsupported(&mut writer, message),
            _ => {}
        }
        Some(writer)
    }

    /// [RFC 3261 8.2.1] The methods that are taken; an empty Allow says that none is.
    fn write_allow(&self, writer: &mut Writer<'_>) {
        let methods = self.accepts.methods.unwrap_or_default();
        let names = methods.iter().map(|method| Ok(Token(method.as_bytes())));
        writer.value(HeaderName::Allow, |buffer| put_list(buffer, names, b", "));
    }

    /// [RFC 3261 8.2.3] The types that are understood.
    fn write_accept(&self, writer: &mut Writer<'_>) {
        let types = self.accepts.content_types.unwrap_or_default();
        let types = types.iter().map(|name| Ok(MediaType::named(name)));
        writer.value(HeaderName::Accept, |buffer| put_list(buffer, types, b", "));
    }

    /// [RFC 3261 8.2.2.3] The option tags that are not supported. What is no token is not repeated.
    fn write_unsupported(&self, writer: &mut Writer<'_>, message: &Message<'_>) {
        let tags = || {
            message
                .headers(self.accepts.demands)
                .flat_map(Header::elements)
                .filter(|tag| scan::is_token(tag) && !self.accepts.supports(tag))
        };
        if tags().next().is_some() {
            let tags = tags().map(|tag| Ok(Token(tag)));
            writer.value(HeaderName::Unsupported, |buffer| {
                put_list(buffer, tags, b", ");
            });
        }
    }
}

/// [RFC 3261 17.1.1.3] Whether a message may be answered and the answer would find its way.
fn has_way_back(message: &Message<'_>) -> bool {
    message.method().is_some_and(|method| method != Method::Ack) && message.via().is_ok()
}
