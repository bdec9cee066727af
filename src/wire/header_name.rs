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
        match self.line_start() {
            [b'\r', b'\n', name @ .., b':', b' '] => name,
            _ => b"",
        }
    }

    /// The end of the line before, the name as the specification writes it, colon and space: how a field that is
    /// written begins. Empty for [`Other`](Self::Other).
    pub(super) const fn line_start(self) -> &'static [u8] {
        match self {
            Self::Via => b"\r\nVia: ",
            Self::From => b"\r\nFrom: ",
            Self::To => b"\r\nTo: ",
            Self::CallId => b"\r\nCall-ID: ",
            Self::CSeq => b"\r\nCSeq: ",
            Self::MaxForwards => b"\r\nMax-Forwards: ",
            Self::Contact => b"\r\nContact: ",
            Self::Expires => b"\r\nExpires: ",
            Self::Route => b"\r\nRoute: ",
            Self::RecordRoute => b"\r\nRecord-Route: ",
            Self::Path => b"\r\nPath: ",
            Self::ServiceRoute => b"\r\nService-Route: ",
            Self::PAssertedIdentity => b"\r\nP-Asserted-Identity: ",
            Self::PPreferredIdentity => b"\r\nP-Preferred-Identity: ",
            Self::PAssociatedUri => b"\r\nP-Associated-URI: ",
            Self::PCalledPartyId => b"\r\nP-Called-Party-ID: ",
            Self::PVisitedNetworkId => b"\r\nP-Visited-Network-ID: ",
            Self::PAccessNetworkInfo => b"\r\nP-Access-Network-Info: ",
            Self::PChargingFunctionAddresses => b"\r\nP-Charging-Function-Addresses: ",
            Self::PChargingVector => b"\r\nP-Charging-Vector: ",
            Self::PServedUser => b"\r\nP-Served-User: ",
            Self::PProfileKey => b"\r\nP-Profile-Key: ",
            Self::PUserDatabase => b"\r\nP-User-Database: ",
            Self::Authorization => b"\r\nAuthorization: ",
            Self::ProxyAuthorization => b"\r\nProxy-Authorization: ",
            Self::WwwAuthenticate => b"\r\nWWW-Authenticate: ",
            Self::ProxyAuthenticate => b"\r\nProxy-Authenticate: ",
            Self::AuthenticationInfo => b"\r\nAuthentication-Info: ",
            Self::Supported => b"\r\nSupported: ",
            Self::Require => b"\r\nRequire: ",
            Self::ProxyRequire => b"\r\nProxy-Require: ",
            Self::Unsupported => b"\r\nUnsupported: ",
            Self::Event => b"\r\nEvent: ",
            Self::SubscriptionState => b"\r\nSubscription-State: ",
            Self::AllowEvents => b"\r\nAllow-Events: ",
            Self::Accept => b"\r\nAccept: ",
            Self::AcceptContact => b"\r\nAccept-Contact: ",
            Self::RejectContact => b"\r\nReject-Contact: ",
            Self::RequestDisposition => b"\r\nRequest-Disposition: ",
            Self::ContentType => b"\r\nContent-Type: ",
            Self::ContentLength => b"\r\nContent-Length: ",
            Self::ContentEncoding => b"\r\nContent-Encoding: ",
            Self::ContentDisposition => b"\r\nContent-Disposition: ",
            Self::MimeVersion => b"\r\nMIME-Version: ",
            Self::MinExpires => b"\r\nMin-Expires: ",
            Self::RetryAfter => b"\r\nRetry-After: ",
            Self::Reason => b"\r\nReason: ",
            Self::Allow => b"\r\nAllow: ",
            Self::UserAgent => b"\r\nUser-Agent: ",
            Self::Server => b"\r\nServer: ",
            Self::Date => b"\r\nDate: ",
            Self::Timestamp => b"\r\nTimestamp: ",
            Self::Warning => b"\r\nWarning: ",
            Self::Subject => b"\r\nSubject: ",
            Self::Priority => b"\r\nPriority: ",
            Self::SecurityClient => b"\r\nSecurity-Client: ",
            Self::SecurityServer => b"\r\nSecurity-Server: ",
            Self::SecurityVerify => b"\r\nSecurity-Verify: ",
            Self::MessageUid => b"\r\nMessage-UID: ",
            Self::ConversationId => b"\r\nConversation-ID: ",
            Self::ContributionId => b"\r\nContribution-ID: ",
            Self::Privacy => b"\r\nPrivacy: ",
            Self::HistoryInfo => b"\r\nHistory-Info: ",
            Self::ReferTo => b"\r\nRefer-To: ",
            Self::ReferredBy => b"\r\nReferred-By: ",
            Self::SessionExpires => b"\r\nSession-Expires: ",
            Self::MinSe => b"\r\nMin-SE: ",
            Self::SipEtag => b"\r\nSIP-ETag: ",
            Self::SipIfMatch => b"\r\nSIP-If-Match: ",
            Self::Identity => b"\r\nIdentity: ",
            Self::FeatureCaps => b"\r\nFeature-Caps: ",
            Self::RestorationInfo => b"\r\nRestoration-Info: ",
            Self::RelayedCharge => b"\r\nRelayed-Charge: ",
            Self::Other => b"",
        }
    }

    /// Every name, in the order of the variants; without [`Other`](Self::Other).
    pub const ALL: [Self; Self::COUNT - 1] = [
        Self::Via,
        Self::From,
        Self::To,
        Self::CallId,
        Self::CSeq,
        Self::MaxForwards,
        Self::Contact,
        Self::Expires,
        Self::Route,
        Self::RecordRoute,
        Self::Path,
        Self::ServiceRoute,
        Self::PAssertedIdentity,
        Self::PPreferredIdentity,
        Self::PAssociatedUri,
        Self::PCalledPartyId,
        Self::PVisitedNetworkId,
        Self::PAccessNetworkInfo,
        Self::PChargingFunctionAddresses,
        Self::PChargingVector,
        Self::PServedUser,
        Self::PProfileKey,
        Self::PUserDatabase,
        Self::Authorization,
        Self::ProxyAuthorization,
        Self::WwwAuthenticate,
        Self::ProxyAuthenticate,
        Self::AuthenticationInfo,
        Self::Supported,
        Self::Require,
        Self::ProxyRequire,
        Self::Unsupported,
        Self::Event,
        Self::SubscriptionState,
        Self::AllowEvents,
        Self::Accept,
        Self::AcceptContact,
        Self::RejectContact,
        Self::RequestDisposition,
        Self::ContentType,
        Self::ContentLength,
        Self::ContentEncoding,
        Self::ContentDisposition,
        Self::MimeVersion,
        Self::MinExpires,
        Self::RetryAfter,
        Self::Reason,
        Self::Allow,
        Self::UserAgent,
        Self::Server,
        Self::Date,
        Self::Timestamp,
        Self::Warning,
        Self::Subject,
        Self::Priority,
        Self::SecurityClient,
        Self::SecurityServer,
        Self::SecurityVerify,
        Self::MessageUid,
        Self::ConversationId,
        Self::ContributionId,
        Self::Privacy,
        Self::HistoryInfo,
        Self::ReferTo,
        Self::ReferredBy,
        Self::SessionExpires,
        Self::MinSe,
        Self::SipEtag,
        Self::SipIfMatch,
        Self::Identity,
        Self::FeatureCaps,
        Self::RestorationInfo,
        Self::RelayedCharge,
    ];

    /// [RFC 3261 7.3.1] [RFC 3261 7.3.3] The header field of that name or compact form, in any case;
    /// [`Other`](Self::Other) if it is none of these.
    #[must_use]
    pub fn lookup(name: &[u8]) -> Self {
        let mut block = [b':'; BLOCK];
        match block.get_mut(..name.len()) {
            Some(place) => place.copy_from_slice(name),
            None => return Self::Other,
        }
        match Self::leading(&block) {
            Some((found, rest)) if rest.len().wrapping_add(name.len()) == BLOCK.wrapping_sub(1) => {
                found
            }
            _ => Self::Other,
        }
    }

    /// The name that stands at that place among the variants.
    pub(super) fn of_place(place: u8) -> Self {
        Self::ALL
            .get(usize::from(place))
            .copied()
            .unwrap_or(Self::Other)
    }

    /// The known name that `line` begins with, and what follows its colon, where the colon follows the name at
    /// once. `None` says nothing: the name may be unknown, have white space after it, or `line` be short.
    #[inline(always)]
    pub(super) fn leading(line: &[u8]) -> Option<(Self, &[u8])> {
        let (name, length) = known_name(line)?;
        let rest = line.get(length.wrapping_add(1)..)?;
        Some((name, rest))
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
}

/// What is looked at for a name and its colon; the longest name takes three bytes less.
const BLOCK: usize = 32;
const WORDS: usize = BLOCK / 8;

/// A name in small letters, eight bytes a word, zeros past its end.
#[derive(Clone, Copy)]
struct Spelling {
    words: [u64; WORDS],
    name: HeaderName,
    /// Its bytes; more than any name has where no name has the slot.
    length: u8,
}

/// Found by trial: with it no two names share a slot.
const MULTIPLIER: u64 = 0x33b1_f90a_ba96_8abd;

/// The slot of a name by its first and its last word, the bit of the case apart.
#[inline(always)]
const fn slot(first: u64, last: u64) -> u8 {
    const CASE: u64 = 0x2020_2020_2020_2020;
    let key = (first & !CASE).wrapping_add((last & !CASE).rotate_left(7));
    (key.wrapping_mul(MULTIPLIER) >> 56) as u8
}

static SPELLINGS: [Spelling; 256] = spellings();

const fn spellings() -> [Spelling; 256] {
    let nothing = Spelling {
        words: [0; WORDS],
        name: HeaderName::Other,
        length: u8::MAX,
    };
    let mut slots = [nothing; 256];
    let mut names: &[HeaderName] = &HeaderName::ALL;
    while let [name, rest @ ..] = names {
        names = rest;
        let (words, last) = small_words(name.canonical_name());
        let [first, ..] = words;
        let (_, tail) = slots.split_at_mut(slot(first, last) as usize);
        if let [place, ..] = tail {
            *place = Spelling {
                words,
                name: *name,
                length: name.canonical_name().len() as u8,
            };
        }
    }
    slots
}

/// The words of a name in small letters, and the last of them that is not empty.
const fn small_words(name: &[u8]) -> ([u64; WORDS], u64) {
    let mut words = [0u64; WORDS];
    let mut places: &mut [u64] = &mut words;
    let mut rest = name;
    let mut last = 0;
    while let ([_, ..], [place, others @ ..]) = (rest, places) {
        let mut shift = 0u32;
        while let ([byte, tail @ ..], 0..64) = (rest, shift) {
            *place |= (byte.to_ascii_lowercase() as u64) << shift;
            shift = shift.wrapping_add(8);
            rest = tail;
        }
        last = *place;
        places = others;
    }
    (words, last)
}

/// The known name before the colon, and its length.
#[inline(always)]
fn known_name(line: &[u8]) -> Option<(HeaderName, usize)> {
    let (a, line) = split_word(line)?;
    if let Some(colon) = scan::place_of::<b':'>(a) {
        if colon == 1 {
            let name = HeaderName::of_compact(a as u8);
            return (name != HeaderName::Other).then_some((name, 1));
        }
        let a = scan::low_bytes(a, colon);
        return spelled([a], a, colon);
    }
    let (b, line) = split_word(line)?;
    if let Some(colon) = scan::place_of::<b':'>(b) {
        let b = scan::low_bytes(b, colon);
        let last = if colon == 0 { a } else { b };
        return spelled([a, b], last, colon.wrapping_add(8));
    }
    let (c, line) = split_word(line)?;
    if let Some(colon) = scan::place_of::<b':'>(c) {
        let c = scan::low_bytes(c, colon);
        let last = if colon == 0 { b } else { c };
        return spelled([a, b, c], last, colon.wrapping_add(16));
    }
    let (d, _) = split_word(line)?;
    let colon = scan::place_of::<b':'>(d)?;
    let d = scan::low_bytes(d, colon);
    let last = if colon == 0 { c } else { d };
    spelled([a, b, c, d], last, colon.wrapping_add(24))
}

#[inline(always)]
fn split_word(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (word, rest) = bytes.split_first_chunk()?;
    Some((u64::from_le_bytes(*word), rest))
}

/// The name of that spelling, in any case, and its length, which tells it from one with NULs after it.
#[inline(always)]
fn spelled<const N: usize>(
    words: [u64; N],
    last: u64,
    length: usize,
) -> Option<(HeaderName, usize)> {
    let spelling = SPELLINGS.get(usize::from(slot(*words.first()?, last)))?;
    let mut same = usize::from(spelling.length) == length;
    for (lower, word) in spelling.words.iter().zip(words) {
        same &= scan::same_letters(*lower, word);
    }
    same.then_some((spelling.name, length))
}
