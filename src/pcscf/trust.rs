//! [PD-11] What a UE may not say of itself.

use alloc::vec::Vec;

use crate::{
    drive::{Buffer, Limits, Reject, Unwritable},
    wire::{Authorization, Edit, Field, HeaderName, Message, rewrite},
};

/// Why the marks could not be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StripError {
    /// The bytes are no SIP message: they are not to be forwarded.
    #[error("not a SIP message: {0}")]
    NotSip(Reject),
    /// Credentials that can be read in two ways, so that a mark could hide in them: the request is to be
    /// refused with 400.
    #[error("credentials that cannot be read: {0}")]
    Credentials(Reject),
    /// The result exceeds the room of the buffer.
    #[error("{0}")]
    Unwritable(Unwritable),
}

/// [PD-11] Copies a request of a UE into `into`, without what only the network may say: P-Asserted-Identity,
/// P-Visited-Network-ID, P-Charging-Vector, P-Charging-Function-Addresses, P-Associated-URI, P-Called-Party-ID,
/// P-Served-User, P-Profile-Key, P-User-Database, Path, Service-Route, a P-Access-Network-Info that says that
/// the network provided it, and the `integrity-protected` parameter of credentials (TS 24.229 4.4, 5.2.2,
/// RFC 3325 5, RFC 7315 4). Everything else stays byte for byte.
///
/// # Errors
/// [`StripError`]; nothing is left in `into` then.
pub fn strip_trust_marks(
    request: &[u8],
    limits: &Limits,
    into: &mut Buffer,
) -> Result<(), StripError> {
    let message = Message::parse(request, limits).map_err(StripError::NotSip)?;
    for name in [HeaderName::Authorization, HeaderName::ProxyAuthorization] {
        for credentials in message.headers(name) {
            Authorization::parse(credentials.raw())
                .map_err(|reject| StripError::Credentials(reject.shifted(credentials.at())))?;
        }
    }
    into.attempt(|buffer| rewrite(&message, buffer, edit))
        .map_err(StripError::Unwritable)
}

fn edit(field: &Field<'_>) -> Edit<'static> {
    match field.name {
        HeaderName::PAssertedIdentity
        | HeaderName::PVisitedNetworkId
        | HeaderName::PChargingVector
        | HeaderName::PChargingFunctionAddresses
        | HeaderName::PAssociatedUri
        | HeaderName::PCalledPartyId
        | HeaderName::PServedUser
        | HeaderName::PProfileKey
        | HeaderName::PUserDatabase
        | HeaderName::Path
        | HeaderName::ServiceRoute => Edit::Drop,
        HeaderName::PAccessNetworkInfo if says_network_provided(field.value.raw()) => Edit::Drop,
        HeaderName::Authorization | HeaderName::ProxyAuthorization => {
            without_mark(field.value.raw())
        }
        _ => Edit::Keep,
    }
}

/// Whether an access network info claims to come from the network (RFC 7315 5.4), in whatever place.
fn says_network_provided(value: &[u8]) -> bool {
    const MARK: &[u8] = b"network-provided";
    value
        .windows(MARK.len())
        .any(|part| part.eq_ignore_ascii_case(MARK))
}

/// Credentials without `integrity-protected`; all else as it stood.
fn without_mark(credentials: &[u8]) -> Edit<'static> {
    let scheme_end = memchr::memchr2(b' ', b'\t', credentials).unwrap_or(credentials.len());
    let Some((scheme, params)) = credentials.split_at_checked(scheme_end) else {
        return Edit::Keep;
    };
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut found = false;
    for param in unquoted_split(params) {
        let name = param.split(|&byte| byte == b'=').next().unwrap_or_default();
        if name
            .trim_ascii()
            .eq_ignore_ascii_case(b"integrity-protected")
        {
            found = true;
        } else {
            kept.push(param);
        }
    }
    if !found {
        return Edit::Keep;
    }
    let mut value = scheme.to_vec();
    if !kept.first().is_some_and(|first| first.starts_with(b" ")) {
        value.push(b' ');
    }
    value.extend_from_slice(&kept.join(b",".as_slice()));
    Edit::ReplaceOwned(value)
}

/// The parts between the commas that stand outside quoted strings.
fn unquoted_split(params: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut quoted = false;
    let mut escaped = false;
    params.split(move |&byte| {
        let comma = byte == b',' && !quoted;
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => {}
        }
        comma
    })
}
