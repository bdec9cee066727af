//! What a REGISTER and its 2xx say, as every element that keeps registrations reads them.

use alloc::vec::Vec;

use super::{
    Authorization, Contact, ContactAddr, HeaderName, Host, IntegrityProtected, Message, NameAddr,
    Params, Scheme, Uri, put_unfolded, scan,
};
use crate::drive::{Buffer, Reject};

/// Seconds that stand for an expiry that is not given or cannot be read (RFC 3261 10.3 step 7).
const DEFAULT_EXPIRES: u32 = 3_600;

/// [SD-3] Seconds a contact asks for: its own parameter before the header (T44).
pub(crate) fn asked_expires(contact: &NameAddr<'_>, request: &Message<'_>) -> u32 {
    match contact.known().expires {
        own if own.is_given() => own_expires(contact),
        _ => request.expires().ok().flatten(),
    }
    .unwrap_or(DEFAULT_EXPIRES)
}

/// Seconds of the parameter of a contact; `None` if it has none, or one that cannot be read.
fn own_expires(contact: &NameAddr<'_>) -> Option<u32> {
    scan::number(contact.known_value(contact.known().expires)?)
}

/// [PD-1, SD-7] Seconds that the 2xx leaves to a contact of the REGISTER: its parameter there before the
/// header, and of *this* contact (T22); 0 if it is not listed.
///
/// # Errors
/// [`Reject`] if a Contact of the response cannot be read.
pub(crate) fn granted_expires(
    contact: &NameAddr<'_>,
    request: &Message<'_>,
    response: &Message<'_>,
) -> Result<u32, Reject> {
    let asked = asked_expires(contact, request);
    if asked == 0 {
        return Ok(0);
    }
    Ok(listed(contact, response)?.map_or(0, |listed| {
        let own = own_expires(&listed);
        own.or(response.expires().ok().flatten()).unwrap_or(asked)
    }))
}

/// The contact of the 2xx that is this contact of the REGISTER, if it is listed. Where several are listed under
/// its URI, that of its own flow counts.
///
/// # Errors
/// [`Reject`] if a Contact of the response cannot be read.
pub(crate) fn listed<'m>(
    contact: &NameAddr<'_>,
    response: &Message<'m>,
) -> Result<Option<ContactAddr<'m>>, Reject> {
    let mut found = None;
    for listed in response.contacts() {
        let Contact::Addr(listed) = listed? else {
            continue;
        };
        if !same_contact(&listed.uri(), &contact.uri()) {
            continue;
        }
        let own_flow = listed.flow() == contact.flow();
        if found.is_none() || own_flow {
            found = Some(listed);
        }
        if own_flow {
            break;
        }
    }
    Ok(found)
}

/// [PD-6] Seconds after which to come again; `None` if not said, or not in a way that can be read.
pub(crate) fn retry_after(response: &Message<'_>) -> Option<u32> {
    let wait = response.retry_after().ok().flatten()?;
    Some(wait.seconds)
}

/// Instance and reg-id among the parameters of a contact that are kept: a flow, where both are there (RFC 5626 6).
pub(crate) fn flow<'p>(params: Params<'p>) -> (Option<&'p [u8]>, Option<&'p [u8]>) {
    let (mut instance, mut reg_id) = (None, None);
    for (name, value) in params {
        let place = match name.len() {
            13 if scan::is_name(b"+sip.instance", name) => &mut instance,
            6 if scan::is_name(b"reg-id", name) => &mut reg_id,
            _ => continue,
        };
        place.get_or_insert(value.map(scan::unquote));
        if instance.is_some() && reg_id.is_some() {
            break;
        }
    }
    (instance.flatten(), reg_id.flatten())
}

/// The parameters that stay with a contact, from the first `;`, without folding: all but `expires` and `q`, and
/// but the GRUUs, which only a registrar gives (RFC 5627 4.2).
pub(crate) fn kept_params(contact: &NameAddr<'_>) -> Vec<u8> {
    const LEFT_OUT: [&[u8]; 4] = [b"expires", b"q", b"pub-gruu", b"temp-gruu"];
    let mut params = Vec::new();
    for (name, value) in contact.params().iter() {
        if LEFT_OUT.iter().any(|own| name.eq_ignore_ascii_case(own)) {
            continue;
        }
        params.push(b';');
        params.extend_from_slice(name);
        if let Some(value) = value {
            params.push(b'=');
            params.extend_from_slice(value);
        }
    }
    unfolded(&params)
}

/// The one contact that a value is.
///
/// # Errors
/// [`Reject`] if it is none, or more than one.
pub(crate) fn one_contact(value: &[u8]) -> Result<ContactAddr<'_>, Reject> {
    ContactAddr::new(NameAddr::parse(value)?, 0)
}

/// The addresses of a header that may stand several times, as one value without folding.
///
/// # Errors
/// [`Reject`] if one of them cannot be read.
pub(crate) fn joined(message: &Message<'_>, name: HeaderName) -> Result<Vec<u8>, Reject> {
    let addresses = message
        .name_addrs(name)
        .map(|address| address.map(|address| address.raw()))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(unfolded(&addresses.join(b", ".as_slice())))
}

/// A value without line ends, so that it can be kept and written again.
pub(crate) fn unfolded(value: &[u8]) -> Vec<u8> {
    if !value.contains(&b'\r') {
        return value.to_vec();
    }
    let mut buffer = Buffer::new(value.len());
    put_unfolded(&mut buffer, value);
    buffer.as_slice().to_vec()
}

/// What the Authorization of a REGISTER says of who sent it.
#[derive(Default)]
pub(crate) struct Credentials {
    /// The private identity that it names, if it does (TS 24.229 5.1.1.2).
    pub(crate) username: Option<Vec<u8>>,
    /// What `integrity-protected` says, if it is there (TS 24.229 7.2A.2).
    pub(crate) protected: Option<IntegrityProtected>,
}

/// The Authorization of a REGISTER.
///
/// # Errors
/// [`Reject`] if it cannot be read.
pub(crate) fn credentials(request: &Message<'_>) -> Result<Credentials, Reject> {
    let Some(authorization) = request.authorization()? else {
        return Ok(Credentials::default());
    };
    Ok(Credentials {
        username: named_by(authorization),
        protected: authorization
            .integrity_protected()
            .map(IntegrityProtected::of),
    })
}

/// The private identity that the Authorization of a REGISTER names, if it does (TS 24.229 5.1.1.2).
///
/// # Errors
/// [`Reject`] if Authorization cannot be read.
pub(crate) fn username(request: &Message<'_>) -> Result<Option<Vec<u8>>, Reject> {
    Ok(request.authorization()?.and_then(named_by))
}

fn named_by(authorization: Authorization<'_>) -> Option<Vec<u8>> {
    authorization.username().and_then(kept_username)
}

fn kept_username(username: &[u8]) -> Option<Vec<u8>> {
    (!username.is_empty()).then(|| unfolded(username))
}

/// The private identity of a REGISTER: the one it names, else what its public identity gives.
///
/// # Errors
/// [`Reject`] if Authorization or To cannot be read.
pub(crate) fn private_identity(request: &Message<'_>) -> Result<Vec<u8>, Reject> {
    private_identity_by(request.authorization()?, request)
}

/// The same, where Authorization has been read.
///
/// # Errors
/// [`Reject`] if To cannot be read, where that is needed.
pub(crate) fn private_identity_by(
    authorization: Option<Authorization<'_>>,
    request: &Message<'_>,
) -> Result<Vec<u8>, Reject> {
    match authorization.and_then(named_by) {
        Some(username) => Ok(username),
        None => Ok(bare(&request.to()?.uri()).to_vec()),
    }
}

/// The realm of the Authorization of a REGISTER, else the host of the home domain.
///
/// # Errors
/// [`Reject`] if the home domain is needed and cannot be read.
pub(crate) fn realm(
    authorization: Option<Authorization<'_>>,
    home_domain: &[u8],
) -> Result<Vec<u8>, Reject> {
    let realm = authorization.and_then(|credentials| credentials.realm());
    match realm.filter(|realm| !realm.is_empty()) {
        Some(realm) => Ok(unfolded(realm)),
        None => Ok(bare(&Uri::parse(home_domain)?).to_vec()),
    }
}

/// [PD-1, MS-2] Whether a public identity is one of a set: the default one and that of To, and those listed as addresses.
pub(crate) fn has_identity(listed: &[u8], principals: [&[u8]; 2], identity: &[u8]) -> bool {
    let addresses = || NameAddr::parse_list(listed).filter_map(Result::ok);
    principals.contains(&identity)
        || lists_as_written(listed, identity)
        || addresses().any(|address| address.uri_bytes() == identity)
        || is_principal(principals, identity)
        || addresses()
            .map(|address| address.uri_bytes())
            .filter(|address| !principals.contains(address))
            .any(|address| same_uri(address, identity))
}

/// Whether a public identity is the default one, or that of To.
pub(crate) fn is_principal([default, registered]: [&[u8]; 2], identity: &[u8]) -> bool {
    same_uri(default, identity) || (registered != default && same_uri(registered, identity))
}

/// Whether an identity stands in angle brackets in a list, byte for byte, which spares reading the list. Where there
/// are display names, brackets may be part of them.
fn lists_as_written(list: &[u8], identity: &[u8]) -> bool {
    let stands_at = |angle: usize| {
        let rest = list.get(angle.saturating_add(1)..).unwrap_or_default();
        let rest = rest.strip_prefix(identity);
        rest.is_some_and(|rest| rest.first() == Some(&b'>'))
    };
    memchr::memchr_iter(b'<', list).any(stands_at) && memchr::memchr(b'"', list).is_none()
}

/// User and host of an address of record, without scheme, port and parameters: the private identity that
/// a public one of that shape would have (TS 23.003 13.3), or a realm.
pub(crate) fn bare<'m>(uri: &Uri<'m>) -> &'m [u8] {
    let raw = uri.raw();
    let start = memchr::memchr(b':', raw).map_or(0, |at| at.saturating_add(1));
    let rest = raw.get(start..).unwrap_or_default();
    let end = match uri.scheme() {
        Scheme::Sip | Scheme::Sips => memchr::memchr2(b';', b'?', rest).unwrap_or(rest.len()),
        _ => rest.len(),
    };
    let rest = rest.get(..end).unwrap_or_default();
    match (uri.port(), memchr::memrchr(b':', rest)) {
        (Some(_), Some(at)) => rest.get(..at).unwrap_or_default(),
        _ => rest,
    }
}

/// Whether two contact URIs are those of one contact: equal, and both or neither of an emergency registration,
/// which RFC 3261 19.1.4 alone would not tell apart.
pub(crate) fn same_contact(one: &Uri<'_>, other: &Uri<'_>) -> bool {
    one.params().has(b"sos") == other.params().has(b"sos") && one.equivalent(other)
}

/// Whether a contact is that of an emergency registration (`sos`, TS 24.229 7.2A.13).
pub(crate) fn is_emergency(uri: &[u8]) -> bool {
    // As a rule it has no parameters, which costs less to see.
    memchr::memchr(b';', uri).is_some() && Uri::parse(uri).is_ok_and(|uri| uri.params().has(b"sos"))
}

/// The form of a contact URI under which it is filed: user, host in one spelling, port. URIs that are equal
/// have the same.
pub(crate) fn contact_key(uri: &[u8]) -> Vec<u8> {
    let Ok(parsed) = Uri::parse(uri) else {
        return uri.to_vec();
    };
    let mut key = Vec::with_capacity(uri.len());
    key.extend_from_slice(parsed.user().unwrap_or_default());
    key.push(b'@');
    match parsed.host() {
        Some(Host::V4(address)) => key.extend_from_slice(&address),
        Some(Host::V6(address)) => key.extend_from_slice(&address),
        Some(Host::Name(name)) => {
            let name = name.strip_suffix(b".").unwrap_or(name);
            key.extend(name.iter().map(u8::to_ascii_lowercase));
        }
        None => {}
    }
    if let Some(port) = parsed.port() {
        key.extend_from_slice(&port.to_be_bytes());
    }
    key
}

/// Whether two URIs are equal (RFC 3261 19.1.4, RFC 3966 4).
pub(crate) fn same_uri(one: &[u8], other: &[u8]) -> bool {
    if one == other {
        return true;
    }
    // Equal URIs have one scheme, in any case.
    let begins = |uri: &[u8]| uri.first().map(u8::to_ascii_lowercase);
    if begins(one) != begins(other) || differ_by_user(one, other) {
        return false;
    }
    match (Uri::parse(one), Uri::parse(other)) {
        (Ok(one), Ok(other)) => one.equivalent(&other),
        _ => false,
    }
}

/// Whether two URIs differ by what stands before their hosts, which shows without reading them: nothing but an
/// escape has two spellings there (RFC 3261 19.1.4). `false` says nothing.
fn differ_by_user(one: &[u8], other: &[u8]) -> bool {
    let front = |uri| scan::first::<b'@'>(uri).map(|end| scan::before(uri, end));
    let (Some(one), Some(other)) = (front(one), front(other)) else {
        return false;
    };
    let is_plain =
        |front: &[u8]| matches!(front, [b's' | b'S', ..]) && scan::first::<b'%'>(front).is_none();
    !scan::same_text(one, other) && is_plain(one) && is_plain(other)
}

/// The URI of the first of several addresses.
pub(crate) fn first_uri(addresses: &[u8]) -> Option<&[u8]> {
    let first = NameAddr::parse_list(addresses).next()?.ok()?;
    Some(first.uri_bytes())
}

#[cfg(test)]
mod tests {
    use super::{Uri, same_uri};

    /// [RFC 3261 19.1.4] What shows of two URIs without reading them is what reading them says.
    #[test]
    fn without_reading() {
        let uris: [&[u8]; 16] = [
            b"sip:alice@home.example",
            b"SIP:alice@HOME.example",
            b"sip:Alice@home.example",
            b"sip:al%69ce@home.example",
            b"sip:bob@home.example",
            b"sip:alice:secret@home.example",
            b"sip:alice@home.example;lr",
            b"sip:home.example",
            b"sip:home.example?subject=alice",
            b"sips:alice@home.example",
            b"sip:+1-555@home.example;user=phone",
            b"sip:+1555@home.example;user=phone",
            b"tel:+1-555;isub=a@b",
            b"tel:+1555;isub=a@b",
            b"ssh:alice@home.example",
            b"ssh:Alice@home.example",
        ];
        for (place, one) in uris.iter().enumerate() {
            for (number, other) in uris.iter().enumerate() {
                let read = Uri::parse(one)
                    .unwrap()
                    .equivalent(&Uri::parse(other).unwrap());
                assert_eq!(same_uri(one, other), read, "{place} and {number}");
            }
        }
    }
}
