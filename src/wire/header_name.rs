//! The header fields these procedures know by name.

use super::scan;

/// The name of a header field. In a message it may stand in any case, and some have a compact form
/// (RFC 3261 7.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum HeaderName {
    /// `Via`, compact `v` (RFC 3261 20.42).
    Via,
    /// `From`, compact `f` (RFC 3261 20.20).
    From,
    /// `To`, compact `t` (RFC 3261 20.39).
    To,
    /// `Call-ID`, compact `i` (RFC 3261 20.8).
    CallId,
    /// `CSeq` (RFC 3261 20.16).
    CSeq,
    /// `Max-Forwards` (RFC 3261 20.22).
    MaxForwards,
    /// `Contact`, compact `m` (RFC 3261 20.10).
    Contact,
    /// `Expires` (RFC 3261 20.19).
    Expires,
    /// `Route` (RFC 3261 20.34).
    Route,
    /// `Record-Route` (RFC 3261 20.30).
    RecordRoute,
    /// `Path` (RFC 3327).
    Path,
    /// `Service-Route` (RFC 3608).
    ServiceRoute,
    /// `P-Asserted-Identity` (RFC 3325 9.1).
    PAssertedIdentity,
    /// `P-Preferred-Identity` (RFC 3325 9.2).
    PPreferredIdentity,
    /// `P-Associated-URI` (RFC 7315 4.1).
    PAssociatedUri,
    /// `P-Called-Party-ID` (RFC 7315 4.2).
    PCalledPartyId,
    /// `P-Visited-Network-ID` (RFC 7315 4.3).
    PVisitedNetworkId,
    /// `P-Access-Network-Info` (RFC 7315 4.4).
    PAccessNetworkInfo,
    /// `P-Charging-Function-Addresses` (RFC 7315 4.5).
    PChargingFunctionAddresses,
    /// `P-Charging-Vector` (RFC 7315 4.6).
    PChargingVector,
    /// `P-Served-User` (RFC 5502).
    PServedUser,
    /// `P-Profile-Key` (RFC 5002).
    PProfileKey,
    /// `P-User-Database` (RFC 4457).
    PUserDatabase,
    /// `Authorization` (RFC 3261 20.7).
    Authorization,
    /// `Proxy-Authorization` (RFC 3261 20.28).
    ProxyAuthorization,
    /// `WWW-Authenticate` (RFC 3261 20.44).
    WwwAuthenticate,
    /// `Proxy-Authenticate` (RFC 3261 20.27).
    ProxyAuthenticate,
    /// `Authentication-Info` (RFC 3261 20.6).
    AuthenticationInfo,
    /// `Supported`, compact `k` (RFC 3261 20.37).
    Supported,
    /// `Require` (RFC 3261 20.32).
    Require,
    /// `Proxy-Require` (RFC 3261 20.29).
    ProxyRequire,
    /// `Unsupported` (RFC 3261 20.40).
    Unsupported,
    /// `Event`, compact `o` (RFC 6665 8.2.1).
    Event,
    /// `Subscription-State` (RFC 6665 8.2.3).
    SubscriptionState,
    /// `Allow-Events`, compact `u` (RFC 6665 8.2.2).
    AllowEvents,
    /// `Accept` (RFC 3261 20.1).
    Accept,
    /// `Accept-Contact`, compact `a` (RFC 3841 9.2).
    AcceptContact,
    /// `Reject-Contact`, compact `j` (RFC 3841 9.2).
    RejectContact,
    /// `Request-Disposition`, compact `d` (RFC 3841 9.1).
    RequestDisposition,
    /// `Content-Type`, compact `c` (RFC 3261 20.15).
    ContentType,
    /// `Content-Length`, compact `l` (RFC 3261 20.14).
    ContentLength,
    /// `Content-Encoding`, compact `e` (RFC 3261 20.12).
    ContentEncoding,
    /// `Content-Disposition` (RFC 3261 20.11).
    ContentDisposition,
    /// `MIME-Version` (RFC 3261 20.24).
    MimeVersion,
    /// `Min-Expires` (RFC 3261 20.23).
    MinExpires,
    /// `Retry-After` (RFC 3261 20.33).
    RetryAfter,
    /// `Reason` (RFC 3326).
    Reason,
    /// `Allow` (RFC 3261 20.5).
    Allow,
    /// `User-Agent` (RFC 3261 20.41).
    UserAgent,
    /// `Server` (RFC 3261 20.35).
    Server,
    /// `Date` (RFC 3261 20.17).
    Date,
    /// `Timestamp` (RFC 3261 20.38).
    Timestamp,
    /// `Warning` (RFC 3261 20.43).
    Warning,
    /// `Subject`, compact `s` (RFC 3261 20.36).
    Subject,
    /// `Priority` (RFC 3261 20.26).
    Priority,
    /// `Security-Client` (RFC 3329).
    SecurityClient,
    /// `Security-Server` (RFC 3329).
    SecurityServer,
    /// `Security-Verify` (RFC 3329).
    SecurityVerify,
    /// `Message-UID` (OMA CPM, session end).
    MessageUid,
    /// `Conversation-ID` (OMA CPM).
    ConversationId,
    /// `Contribution-ID` (OMA CPM).
    ContributionId,
    /// `Privacy` (RFC 3323 4.2).
    Privacy,
    /// `History-Info` (RFC 7044).
    HistoryInfo,
    /// `Refer-To`, compact `r` (RFC 3515 2.1).
    ReferTo,
    /// `Referred-By`, compact `b` (RFC 3892).
    ReferredBy,
    /// `Session-Expires`, compact `x` (RFC 4028 4).
    SessionExpires,
    /// `Min-SE` (RFC 4028 5).
    MinSe,
    /// `SIP-ETag` (RFC 3903 11.3.1).
    SipEtag,
    /// `SIP-If-Match` (RFC 3903 11.3.2).
    SipIfMatch,
    /// `Identity`, compact `y` (RFC 8224 4).
    Identity,
    /// `Feature-Caps` (RFC 6809).
    FeatureCaps,
    /// `Restoration-Info` (TS 24.229 7.2.11).
    RestorationInfo,
    /// `Relayed-Charge` (TS 24.229 7.2.12).
    RelayedCharge,
    /// Any other.
    Other,
}

impl HeaderName {
    /// How many names there are, [`Other`](Self::Other) included.
    pub(super) const COUNT: usize = 74;

    /// The name as the specification writes it; empty for [`Other`](Self::Other).
    #[must_use]
    pub const fn canonical_name(self) -> &'static [u8] {
        match self {
            Self::Via => b"Via",
            Self::From => b"From",
            Self::To => b"To",
            Self::CallId => b"Call-ID",
            Self::CSeq => b"CSeq",
            Self::MaxForwards => b"Max-Forwards",
            Self::Contact => b"Contact",
            Self::Expires => b"Expires",
            Self::Route => b"Route",
            Self::RecordRoute => b"Record-Route",
            Self::Path => b"Path",
            Self::ServiceRoute => b"Service-Route",
            Self::PAssertedIdentity => b"P-Asserted-Identity",
            Self::PPreferredIdentity => b"P-Preferred-Identity",
            Self::PAssociatedUri => b"P-Associated-URI",
            Self::PCalledPartyId => b"P-Called-Party-ID",
            Self::PVisitedNetworkId => b"P-Visited-Network-ID",
            Self::PAccessNetworkInfo => b"P-Access-Network-Info",
            Self::PChargingFunctionAddresses => b"P-Charging-Function-Addresses",
            Self::PChargingVector => b"P-Charging-Vector",
            Self::PServedUser => b"P-Served-User",
            Self::PProfileKey => b"P-Profile-Key",
            Self::PUserDatabase => b"P-User-Database",
            Self::Authorization => b"Authorization",
            Self::ProxyAuthorization => b"Proxy-Authorization",
            Self::WwwAuthenticate => b"WWW-Authenticate",
            Self::ProxyAuthenticate => b"Proxy-Authenticate",
            Self::AuthenticationInfo => b"Authentication-Info",
            Self::Supported => b"Supported",
            Self::Require => b"Require",
            Self::ProxyRequire => b"Proxy-Require",
            Self::Unsupported => b"Unsupported",
            Self::Event => b"Event",
            Self::SubscriptionState => b"Subscription-State",
            Self::AllowEvents => b"Allow-Events",
            Self::Accept => b"Accept",
            Self::AcceptContact => b"Accept-Contact",
            Self::RejectContact => b"Reject-Contact",
            Self::RequestDisposition => b"Request-Disposition",
            Self::ContentType => b"Content-Type",
            Self::ContentLength => b"Content-Length",
            Self::ContentEncoding => b"Content-Encoding",
            Self::ContentDisposition => b"Content-Disposition",
            Self::MimeVersion => b"MIME-Version",
            Self::MinExpires => b"Min-Expires",
            Self::RetryAfter => b"Retry-After",
            Self::Reason => b"Reason",
            Self::Allow => b"Allow",
            Self::UserAgent => b"User-Agent",
            Self::Server => b"Server",
            Self::Date => b"Date",
            Self::Timestamp => b"Timestamp",
            Self::Warning => b"Warning",
            Self::Subject => b"Subject",
            Self::Priority => b"Priority",
            Self::SecurityClient => b"Security-Client",
            Self::SecurityServer => b"Security-Server",
            Self::SecurityVerify => b"Security-Verify",
            Self::MessageUid => b"Message-UID",
            Self::ConversationId => b"Conversation-ID",
            Self::ContributionId => b"Contribution-ID",
            Self::Privacy => b"Privacy",
            Self::HistoryInfo => b"History-Info",
            Self::ReferTo => b"Refer-To",
            Self::ReferredBy => b"Referred-By",
            Self::SessionExpires => b"Session-Expires",
            Self::MinSe => b"Min-SE",
            Self::SipEtag => b"SIP-ETag",
            Self::SipIfMatch => b"SIP-If-Match",
            Self::Identity => b"Identity",
            Self::FeatureCaps => b"Feature-Caps",
            Self::RestorationInfo => b"Restoration-Info",
            Self::RelayedCharge => b"Relayed-Charge",
            Self::Other => b"",
        }
    }

    /// [RFC 3261 7.3.1] [RFC 3261 7.3.3] The header field of that name or compact form, in any case;
    /// [`Other`](Self::Other) if it is none of these.
    #[must_use]
    pub fn lookup(name: &[u8]) -> Self {
        if memchr::memchr(b'\r', name).is_some() {
            return Self::Other;
        }
        Self::lookup_in_line(name)
    }

    /// As [`lookup`](Self::lookup), for a name known to hold no CR.
    pub(super) fn lookup_in_line(name: &[u8]) -> Self {
        let (first, rest) = match name {
            [] => return Self::Other,
            [letter] => return Self::of_compact(*letter),
            [first, rest @ ..] => (*first | 0x20, rest),
        };
        for (tail, candidate) in Self::candidates(name.len(), first) {
            if scan::is_name(tail, rest) {
                return *candidate;
            }
        }
        Self::Other
    }

    const fn of_compact(letter: u8) -> Self {
        match letter.to_ascii_lowercase() {
            b'a' => Self::AcceptContact,
            b'b' => Self::ReferredBy,
            b'c' => Self::ContentType,
            b'd' => Self::RequestDisposition,
            b'e' => Self::ContentEncoding,
            b'f' => Self::From,
            b'i' => Self::CallId,
            b'j' => Self::RejectContact,
            b'k' => Self::Supported,
            b'l' => Self::ContentLength,
            b'm' => Self::Contact,
            b'o' => Self::Event,
            b'r' => Self::ReferTo,
            b's' => Self::Subject,
            b't' => Self::To,
            b'u' => Self::AllowEvents,
            b'v' => Self::Via,
            b'x' => Self::SessionExpires,
            b'y' => Self::Identity,
            _ => Self::Other,
        }
    }

    /// The names of that length that begin with that small letter, without it, in small letters.
    const fn candidates(length: usize, first: u8) -> &'static [(&'static [u8], Self)] {
        match (length, first) {
            (2, b't') => &[(b"o", Self::To)],
            (3, b'v') => &[(b"ia", Self::Via)],
            (4, b'c') => &[(b"seq", Self::CSeq)],
            (4, b'd') => &[(b"ate", Self::Date)],
            (4, b'f') => &[(b"rom", Self::From)],
            (4, b'p') => &[(b"ath", Self::Path)],
            (5, b'a') => &[(b"llow", Self::Allow)],
            (5, b'e') => &[(b"vent", Self::Event)],
            (5, b'r') => &[(b"oute", Self::Route)],
            (6, b'a') => &[(b"ccept", Self::Accept)],
            (6, b'm') => &[(b"in-se", Self::MinSe)],
            (6, b'r') => &[(b"eason", Self::Reason)],
            (6, b's') => &[(b"erver", Self::Server)],
            (7, b'c') => &[(b"all-id", Self::CallId), (b"ontact", Self::Contact)],
            (7, b'e') => &[(b"xpires", Self::Expires)],
            (7, b'p') => &[(b"rivacy", Self::Privacy)],
            (7, b'r') => &[(b"equire", Self::Require)],
            (7, b's') => &[(b"ubject", Self::Subject)],
            (7, b'w') => &[(b"arning", Self::Warning)],
            (8, b'i') => &[(b"dentity", Self::Identity)],
            (8, b'p') => &[(b"riority", Self::Priority)],
            (8, b'r') => &[(b"efer-to", Self::ReferTo)],
            (8, b's') => &[(b"ip-etag", Self::SipEtag)],
            (9, b's') => &[(b"upported", Self::Supported)],
            (9, b't') => &[(b"imestamp", Self::Timestamp)],
            (10, b'u') => &[(b"ser-agent", Self::UserAgent)],
            (11, b'm') => &[
                (b"in-expires", Self::MinExpires),
                (b"essage-uid", Self::MessageUid),
            ],
            (11, b'r') => &[
                (b"etry-after", Self::RetryAfter),
                (b"eferred-by", Self::ReferredBy),
            ],
            (11, b'u') => &[(b"nsupported", Self::Unsupported)],
            (12, b'a') => &[(b"llow-events", Self::AllowEvents)],
            (12, b'c') => &[(b"ontent-type", Self::ContentType)],
            (12, b'f') => &[(b"eature-caps", Self::FeatureCaps)],
            (12, b'h') => &[(b"istory-info", Self::HistoryInfo)],
            (12, b'm') => &[
                (b"ax-forwards", Self::MaxForwards),
                (b"ime-version", Self::MimeVersion),
            ],
            (12, b'r') => &[(b"ecord-route", Self::RecordRoute)],
            (12, b's') => &[(b"ip-if-match", Self::SipIfMatch)],
            (13, b'a') => &[(b"uthorization", Self::Authorization)],
            (13, b'p') => &[
                (b"-served-user", Self::PServedUser),
                (b"-profile-key", Self::PProfileKey),
                (b"roxy-require", Self::ProxyRequire),
            ],
            (13, b's') => &[(b"ervice-route", Self::ServiceRoute)],
            (14, b'a') => &[(b"ccept-contact", Self::AcceptContact)],
            (14, b'c') => &[(b"ontent-length", Self::ContentLength)],
            (14, b'r') => &[
                (b"eject-contact", Self::RejectContact),
                (b"elayed-charge", Self::RelayedCharge),
            ],
            (15, b'c') => &[
                (b"onversation-id", Self::ConversationId),
                (b"ontribution-id", Self::ContributionId),
            ],
            (15, b'p') => &[(b"-user-database", Self::PUserDatabase)],
            (15, b's') => &[
                (b"ecurity-client", Self::SecurityClient),
                (b"ecurity-server", Self::SecurityServer),
                (b"ecurity-verify", Self::SecurityVerify),
                (b"ession-expires", Self::SessionExpires),
            ],
            (16, b'c') => &[(b"ontent-encoding", Self::ContentEncoding)],
            (16, b'p') => &[(b"-associated-uri", Self::PAssociatedUri)],
            (16, b'r') => &[(b"estoration-info", Self::RestorationInfo)],
            (16, b'w') => &[(b"ww-authenticate", Self::WwwAuthenticate)],
            (17, b'p') => &[
                (b"-called-party-id", Self::PCalledPartyId),
                (b"-charging-vector", Self::PChargingVector),
            ],
            (18, b'p') => &[(b"roxy-authenticate", Self::ProxyAuthenticate)],
            (18, b's') => &[(b"ubscription-state", Self::SubscriptionState)],
            (19, b'a') => &[(b"uthentication-info", Self::AuthenticationInfo)],
            (19, b'c') => &[(b"ontent-disposition", Self::ContentDisposition)],
            (19, b'p') => &[
                (b"-asserted-identity", Self::PAssertedIdentity),
                (b"roxy-authorization", Self::ProxyAuthorization),
            ],
            (19, b'r') => &[(b"equest-disposition", Self::RequestDisposition)],
            (20, b'p') => &[
                (b"-preferred-identity", Self::PPreferredIdentity),
                (b"-visited-network-id", Self::PVisitedNetworkId),
            ],
            (21, b'p') => &[(b"-access-network-info", Self::PAccessNetworkInfo)],
            (29, b'p') => &[(
                b"-charging-function-addresses",
                Self::PChargingFunctionAddresses,
            )],
            _ => &[],
        }
    }
}
