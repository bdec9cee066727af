//! Every header field as its typed value.

use super::{
    AccessNetwork, AuthenticationInfo, Authorization, Challenge, ChargingAddresses, ChargingVector,
    Contacts, CpmId, Date, Disposition, FeatureSet, List, MediaType, MimeVersion, Number, Phrase,
    Reason, RestorationInfo, RetryAfter, SecurityMechanism, ServedUser, SessionExpires, Timestamp,
    Token, VisitedNetwork, Warning,
    cursor::{Cursor, Read, whole},
};
use crate::{
    drive::{Defect, Reject},
    wire::{
        CSeq, Contact, EventPackage, Field, Header, HeaderName, NameAddr, NameAddrs,
        SubscriptionState, Via, Vias, defect, scan,
        values::{
            read_call_id, read_cseq, read_event, read_max_forwards, read_party,
            read_subscription_state,
        },
    },
};

/// What a header field says, by its kind. The elements of lists have been read to the end without error, so
/// that going through them meets none.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Value<'a> {
    /// Via.
    Vias(Vias<'a>),
    /// From, To, Refer-To, Referred-By, P-Called-Party-ID, P-Profile-Key, P-User-Database.
    Address(NameAddr<'a>),
    /// Route, Record-Route, Path, Service-Route, the identities of RFC 3325, P-Associated-URI, History-Info.
    Addresses(NameAddrs<'a>),
    /// Contact.
    Contacts(Contacts<'a>),
    /// Call-ID.
    CallId(Phrase<'a>),
    /// CSeq.
    CSeq(CSeq<'a>),
    /// Max-Forwards, Content-Length; Expires and Min-Expires in seconds.
    Number(Number),
    /// Supported, Require, Proxy-Require, Unsupported, Allow, Allow-Events, Content-Encoding,
    /// Request-Disposition; Privacy, whose separator is a semicolon.
    Tokens(List<'a, Token<'a>>),
    /// Priority, SIP-ETag, SIP-If-Match.
    Token(Token<'a>),
    /// Event.
    Event(EventPackage<'a>),
    /// Subscription-State.
    SubscriptionState(SubscriptionState<'a>),
    /// Authorization, Proxy-Authorization.
    Credentials(Authorization<'a>),
    /// WWW-Authenticate, Proxy-Authenticate.
    Challenge(Challenge<'a>),
    /// Authentication-Info.
    AuthenticationInfo(AuthenticationInfo<'a>),
    /// Security-Client, Security-Server, Security-Verify.
    Security(List<'a, SecurityMechanism<'a>>),
    /// P-Charging-Vector.
    ChargingVector(ChargingVector<'a>),
    /// P-Charging-Function-Addresses.
    ChargingAddresses(ChargingAddresses<'a>),
    /// P-Access-Network-Info.
    AccessNetworks(List<'a, AccessNetwork<'a>>),
    /// P-Visited-Network-ID.
    VisitedNetworks(List<'a, VisitedNetwork<'a>>),
    /// P-Served-User.
    ServedUser(ServedUser<'a>),
    /// Reason.
    Reasons(List<'a, Reason<'a>>),
    /// Retry-After.
    RetryAfter(RetryAfter<'a>),
    /// Warning.
    Warnings(List<'a, Warning<'a>>),
    /// Content-Type.
    MediaType(MediaType<'a>),
    /// Accept.
    MediaRanges(List<'a, MediaType<'a>>),
    /// Content-Disposition.
    Disposition(Disposition<'a>),
    /// MIME-Version.
    MimeVersion(MimeVersion),
    /// Date.
    Date(Date),
    /// Timestamp.
    Timestamp(Timestamp<'a>),
    /// Session-Expires, Min-SE.
    SessionExpires(SessionExpires<'a>),
    /// Accept-Contact, Reject-Contact, Feature-Caps.
    Features(List<'a, FeatureSet<'a>>),
    /// Message-UID, Conversation-ID, Contribution-ID.
    CpmId(CpmId<'a>),
    /// Restoration-Info.
    RestorationInfo(RestorationInfo<'a>),
    /// Subject, User-Agent, Server, Identity, Relayed-Charge: as it stood.
    Phrase(Phrase<'a>),
    /// A header field of unknown name, as it stood.
    Other(Header<'a>),
}

impl<'a> Field<'a> {
    /// [RFC 3261 20] Reads the field as what its name says it is, strictly and to its end. Every name has
    /// its reading; a field of unknown name is [`Value::Other`].
    ///
    /// Numbers too large stand as `u32::MAX`, but for those with a range of their own: Max-Forwards (255),
    /// CSeq (2^31 − 1), ports, SPIs, warning codes. What concerns several fields (a header that must stand
    /// once, the method of CSeq against that of the request) is for the readings of
    /// [`Message`](crate::wire::Message) to say; those of Event and Subscription-State pass over parameters
    /// that they do not need, while here all are checked.
    ///
    /// ```
    /// use ims_procedures::drive::Limits;
    /// use ims_procedures::wire::{Message, Value, defect};
    ///
    /// let bytes = b"BYE sip:a SIP/2.0\r\nReason: SIP;cause=480\r\nMin-SE: soon\r\n\r\n";
    /// let message = Message::parse(bytes, &Limits::default())?;
    /// let mut fields = message.fields();
    /// if let Some(Ok(Value::Reasons(reasons))) = fields.next().map(|field| field.read()) {
    ///     let causes: Vec<_> = reasons.flatten().map(|reason| reason.cause).collect();
    ///     assert_eq!(causes, [Some(480)]);
    /// }
    /// let refused = fields.next().and_then(|field| field.read().err());
    /// assert!(refused.is_some_and(|r| r.defect == &defect::SESSION_EXPIRES && r.at == 50));
    /// # Ok::<(), ims_procedures::drive::Reject>(())
    /// ```
    ///
    /// # Errors
    /// What is wrong with the value, at the byte counted from the start of the message.
    pub fn read(&self) -> Result<Value<'a>, Reject> {
        let header = self.value;
        match self.name {
            HeaderName::Via => vias(header),
            HeaderName::From | HeaderName::To => read_party(header).map(Value::Address),
            HeaderName::ReferTo
            | HeaderName::ReferredBy
            | HeaderName::PCalledPartyId
            | HeaderName::PProfileKey
            | HeaderName::PUserDatabase => address(header).map(Value::Address),
            HeaderName::Route
            | HeaderName::RecordRoute
            | HeaderName::Path
            | HeaderName::ServiceRoute
            | HeaderName::PAssertedIdentity
            | HeaderName::PPreferredIdentity
            | HeaderName::HistoryInfo => addresses(header),
            // Empty where a user has no other identity (RFC 7315 4.1).
            HeaderName::PAssociatedUri if header.raw().is_empty() => Ok(no_addresses()),
            HeaderName::PAssociatedUri => addresses(header),
            HeaderName::Contact => contacts(header),
            HeaderName::CallId => read_call_id(header).map(|id| Value::CallId(Phrase(id))),
            HeaderName::CSeq => read_cseq(header).map(Value::CSeq),
            HeaderName::MaxForwards => {
                read_max_forwards(header).map(|hops| Value::Number(Number(hops.into())))
            }
            HeaderName::Expires => seconds(header, &defect::EXPIRES),
            HeaderName::MinExpires => seconds(header, &defect::NUMBER),
            HeaderName::ContentLength => seconds(header, &defect::CONTENT_LENGTH),
            HeaderName::Require
            | HeaderName::ProxyRequire
            | HeaderName::Unsupported
            | HeaderName::AllowEvents
            | HeaderName::ContentEncoding
            | HeaderName::RequestDisposition => some(header).map(Value::Tokens),
            HeaderName::Supported | HeaderName::Allow => any(header).map(Value::Tokens),
            HeaderName::Privacy => checked(separated(header, b';'), header).map(Value::Tokens),
            HeaderName::Priority | HeaderName::SipEtag | HeaderName::SipIfMatch => {
                one(header).map(Value::Token)
            }
            HeaderName::Event => event(header),
            HeaderName::SubscriptionState => subscription_state(header),
            HeaderName::Authorization | HeaderName::ProxyAuthorization => {
                one(header).map(Value::Credentials)
            }
            HeaderName::WwwAuthenticate | HeaderName::ProxyAuthenticate => {
                one(header).map(Value::Challenge)
            }
            HeaderName::AuthenticationInfo => one(header).map(Value::AuthenticationInfo),
            HeaderName::SecurityClient
            | HeaderName::SecurityServer
            | HeaderName::SecurityVerify => some(header).map(Value::Security),
            HeaderName::PChargingVector => one(header).map(Value::ChargingVector),
            HeaderName::PChargingFunctionAddresses => one(header).map(Value::ChargingAddresses),
            HeaderName::PAccessNetworkInfo => some(header).map(Value::AccessNetworks),
            HeaderName::PVisitedNetworkId => some(header).map(Value::VisitedNetworks),
            HeaderName::PServedUser => one(header).map(Value::ServedUser),
            HeaderName::Reason => some(header).map(Value::Reasons),
            HeaderName::RetryAfter => one(header).map(Value::RetryAfter),
            HeaderName::Warning => some(header).map(Value::Warnings),
            HeaderName::ContentType => one(header).map(Value::MediaType),
            HeaderName::Accept => any(header).map(Value::MediaRanges),
            HeaderName::ContentDisposition => one(header).map(Value::Disposition),
            HeaderName::MimeVersion => one(header).map(Value::MimeVersion),
            HeaderName::Date => one(header).map(Value::Date),
            HeaderName::Timestamp => one(header).map(Value::Timestamp),
            HeaderName::SessionExpires | HeaderName::MinSe => {
                one(header).map(Value::SessionExpires)
            }
            HeaderName::AcceptContact | HeaderName::RejectContact | HeaderName::FeatureCaps => {
                some(header).map(Value::Features)
            }
            HeaderName::MessageUid | HeaderName::ConversationId | HeaderName::ContributionId => {
                one(header).map(Value::CpmId)
            }
            HeaderName::RestorationInfo => one(header).map(Value::RestorationInfo),
            HeaderName::Subject
            | HeaderName::UserAgent
            | HeaderName::Server
            | HeaderName::Identity
            | HeaderName::RelayedCharge => Ok(Value::Phrase(Phrase(header.raw()))),
            HeaderName::Other => Ok(Value::Other(header)),
        }
    }
}

pub(super) fn one<'a, T: Read<'a>>(header: Header<'a>) -> Result<T, Reject> {
    whole(header.raw(), header.at())
}

pub(super) fn list<'a, T: Read<'a>>(header: Header<'a>) -> List<'a, T> {
    List::new(header.raw(), header.at())
}

pub(super) fn separated<'a, T: Read<'a>>(header: Header<'a>, separator: u8) -> List<'a, T> {
    List::separated(separator, header.raw(), header.at())
}

/// A list that may be empty.
fn any<'a, T: Read<'a>>(header: Header<'a>) -> Result<List<'a, T>, Reject> {
    let list = list(header);
    list.clone().try_for_each(|element| element.map(drop))?;
    Ok(list)
}

/// A list that has at least one element.
fn some<'a, T: Read<'a>>(header: Header<'a>) -> Result<List<'a, T>, Reject> {
    checked(list(header), header)
}

fn checked<'a, T: Read<'a>>(list: List<'a, T>, header: Header<'a>) -> Result<List<'a, T>, Reject> {
    at_least_one(list.clone(), T::DEFECT, header)?;
    Ok(list)
}

fn at_least_one<T>(
    mut list: impl Iterator<Item = Result<T, Reject>>,
    defect: &'static Defect,
    header: Header<'_>,
) -> Result<(), Reject> {
    let first = list.next();
    first.unwrap_or(Err(Reject::new(defect, header.at())))?;
    list.try_for_each(|element| element.map(drop))
}

fn vias(header: Header<'_>) -> Result<Value<'_>, Reject> {
    let list = Via::parse_list(header.raw()).at(header.at());
    let once = list.clone().map(|via| match via {
        Ok(via) if via.params().repeats(b"branch") => {
            Err(Reject::new(&defect::PARAMETER_TWICE, header.at()))
        }
        via => via,
    });
    at_least_one(once, &defect::VIA_PROTOCOL, header)?;
    Ok(Value::Vias(list))
}

fn address(header: Header<'_>) -> Result<NameAddr<'_>, Reject> {
    NameAddr::parse(header.raw()).map_err(|r| r.shifted(header.at()))
}

fn addresses(header: Header<'_>) -> Result<Value<'_>, Reject> {
    let list = NameAddr::parse_list(header.raw()).at(header.at());
    at_least_one(list.clone(), &defect::SCHEME, header)?;
    Ok(Value::Addresses(list))
}

fn no_addresses<'a>() -> Value<'a> {
    Value::Addresses(NameAddr::parse_list(&[]))
}

/// `*` stands alone.
fn contacts(header: Header<'_>) -> Result<Value<'_>, Reject> {
    let list = Contacts::new(header.raw(), header.at());
    at_least_one(list.clone(), &defect::SCHEME, header)?;
    let star = list.clone().any(|c| matches!(c, Ok(Contact::Star)));
    match star && list.clone().count() > 1 {
        true => Err(Reject::new(&defect::STAR, header.at())),
        false => Ok(Value::Contacts(list)),
    }
}

fn event(header: Header<'_>) -> Result<Value<'_>, Reject> {
    let event = read_event(header)?;
    token_and_params(header, &defect::EVENT, &[])?;
    Ok(Value::Event(event))
}

fn subscription_state(header: Header<'_>) -> Result<Value<'_>, Reject> {
    let state = read_subscription_state(header)?;
    let once: [&[u8]; 3] = [b"expires", b"reason", b"retry-after"];
    token_and_params(header, &defect::SUBSCRIPTION_STATE, &once)?;
    Ok(Value::SubscriptionState(state))
}

/// Checks that a value is a token with parameters to its end, those of `once` at most once.
fn token_and_params(
    header: Header<'_>,
    defect: &'static Defect,
    once: &[&[u8]],
) -> Result<(), Reject> {
    let mut cursor = Cursor::new(header.raw(), header.at());
    cursor.token(defect)?;
    let params = cursor.params(defect, |_| Ok(()))?;
    if !cursor.is_end() {
        return Err(cursor.reject(defect));
    }
    match once.iter().any(|name| params.repeats(name)) {
        true => Err(Reject::new(&defect::PARAMETER_TWICE, header.at())),
        false => Ok(()),
    }
}

fn seconds<'a>(header: Header<'a>, defect: &'static Defect) -> Result<Value<'a>, Reject> {
    let number = scan::number(header.raw()).ok_or(Reject::new(defect, header.at()))?;
    Ok(Value::Number(Number(number)))
}
