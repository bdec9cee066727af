//! The details of a registration, as an MSC server made it on behalf of a subscriber (S1 L44): given by the host, or read
//! from the REGISTER and its 2xx.

use alloc::vec::Vec;
use core::fmt;

use super::defect;
use crate::{
    drive::{Limits, Misuse, Reject, holds_break},
    fleet::{Divided, Shared},
    wire::{
        Contact, ContactAddr, Header, HeaderName, Message, NameAddr, Params, Scheme, Uri, register,
    },
};

/// [MS-3] What an MSC server registered a subscriber with. Its `Debug` shows none of it.
#[derive(Clone, Copy, Default)]
pub struct Details<'a> {
    /// The private identity.
    pub private_identity: &'a [u8],
    /// The public identity of To: the one that is deregistered (S1 L31, L34). A SIP URI.
    pub registered_identity: &'a [u8],
    /// The default public identity, which is subscribed to: the first of P-Associated-URI. Empty: the registered one.
    pub public_identity: &'a [u8],
    /// All public identities of the set: the addresses of P-Associated-URI, separated by commas. Empty for none.
    pub identities: &'a [u8],
    /// The Request-URI: the SIP URI of the home network's domain name (S1 L28).
    pub home_domain: &'a [u8],
    /// The realm of Authorization. Empty: the host of the home domain.
    pub realm: &'a [u8],
    /// The URI of the contact, with the MSC server's IP address or FQDN in its hostport (S1 L36).
    pub contact: &'a [u8],
    /// Its parameters from the first `;` on, but for `expires`: `+sip.instance` and what else it was registered with.
    pub contact_params: &'a [u8],
    /// The value of Route in the REGISTER. Empty for none.
    pub route: &'a [u8],
    /// The value of Path in the REGISTER. Empty for none.
    pub path: &'a [u8],
    /// Whether the REGISTER demanded `path`.
    pub requires_path: bool,
    /// The value of P-Visited-Network-ID in the REGISTER. Empty for none.
    pub visited_network_id: &'a [u8],
    /// The value of P-Access-Network-Info in the REGISTER. Empty for none.
    pub access_network_info: &'a [u8],
    /// The value of Service-Route in the 2xx. Empty for none.
    pub service_route: &'a [u8],
    /// Seconds that the registration was granted; 0 if it is no longer there.
    pub expires: u32,
    /// Call-ID of the REGISTER. Together with [`cseq`](Self::cseq) it tells a NOTIFY of what was before the REGISTER from
    /// one of what is now (RFC 3680 5.1.2), as long as the REGISTERs of a subscriber have one Call-ID (RFC 3261 10.2), and
    /// the subscription is older than the REGISTER. Empty if it is not known.
    pub call_id: &'a [u8],
    /// CSeq number of the REGISTER.
    pub cseq: u32,
}

impl fmt::Debug for Details<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Details")
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

impl Details<'_> {
    /// [MS-3] Checks that a REGISTER can be made of it.
    ///
    /// # Errors
    /// [`Reject`], at the byte of the value at fault: what is missing or cannot be read, or could not stand in a header.
    pub fn check(&self) -> Result<(), Reject> {
        let unusable = || Reject::new(&defect::UNUSABLE, 0);
        if self.parts().iter().any(|part| holds_break(part)) {
            return Err(unusable());
        }
        if self.private_identity.is_empty()
            || !can_be_quoted(self.private_identity)
            || !can_be_quoted(self.realm)
            || !(self.contact_params.is_empty() || self.contact_params.starts_with(b";"))
        {
            return Err(unusable());
        }
        for uri in [self.registered_identity, self.home_domain, self.contact] {
            let uri = Uri::parse(uri)?;
            if !matches!(uri.scheme(), Scheme::Sip | Scheme::Sips) || uri.host().is_none() {
                return Err(unusable());
            }
        }
        // With an `expires` of its own, or another address behind it, the REGISTER would do something else.
        let written = [b"<", self.contact, b">", self.contact_params].concat();
        let contact = register::one_contact(&written)?;
        if contact.has_expires() || contact.uri_bytes() != self.contact {
            return Err(unusable());
        }
        if !self.public_identity.is_empty() {
            Uri::parse(self.public_identity)?;
        }
        for list in [self.identities, self.route, self.path, self.service_route] {
            NameAddr::parse_list(list).try_for_each(|address| address.map(|_| ()))?;
        }
        Ok(())
    }

    /// In the order of [`Field`].
    fn parts(&self) -> [&[u8]; FIELDS] {
        let home =
            Uri::parse(self.home_domain).map_or(self.home_domain, |uri| register::bare(&uri));
        [
            self.private_identity,
            self.registered_identity,
            first_given(self.public_identity, self.registered_identity),
            self.identities,
            self.contact_params,
            self.access_network_info,
            self.call_id,
            self.home_domain,
            first_given(self.realm, home),
            self.contact,
            self.route,
            self.path,
            self.visited_network_id,
            self.service_route,
        ]
    }
}

/// Whether a value is what it is between quotes: none ends it, no escape reaches beyond it.
fn can_be_quoted(value: &[u8]) -> bool {
    let escapes = value.iter().rev().take_while(|byte| **byte == b'\\');
    !value.contains(&b'"') && escapes.count() & 1 == 0
}

const fn first_given<'a>(value: &'a [u8], other: &'a [u8]) -> &'a [u8] {
    match value {
        [] => other,
        value => value,
    }
}

/// What a REGISTER of an MSC server and its final response say of a registration.
pub struct Learned<'m> {
    private_identity: Vec<u8>,
    registered_identity: &'m [u8],
    public_identity: &'m [u8],
    identities: Vec<u8>,
    home_domain: &'m [u8],
    realm: Vec<u8>,
    /// Empty where `*` names every one.
    contact: &'m [u8],
    contact_params: Vec<u8>,
    route: Vec<u8>,
    path: Vec<u8>,
    requires_path: bool,
    visited_network_id: Vec<u8>,
    access_network_info: Vec<u8>,
    service_route: Vec<u8>,
    expires: u32,
    call_id: &'m [u8],
    cseq: u32,
}

impl<'m> Learned<'m> {
    /// [MS-3] Reads a REGISTER as it was sent, and its 2xx. The contact is that of the REGISTER, character by character;
    /// its expiry is that of *this* contact in the response, its parameter before the header. `*` with an Expires of 0 has
    /// ended it.
    ///
    /// # Errors
    /// [`Reject`] where a header that is needed is missing or cannot be read, where there is not one contact or `*`, or
    /// where the response answers another request; the offset is in the message that has it.
    pub fn read(request: &Message<'m>, response: &Message<'m>) -> Result<Self, Reject> {
        let not_register = || Reject::new(&defect::NOT_A_REGISTER, 0);
        let home_domain = request.request_uri().ok_or_else(not_register)?;
        check_answers(request, response)?;
        let contact = own_contact(request)?;
        let to = request.to()?;
        let authorization = request.authorization()?;
        let default = response
            .name_addrs(HeaderName::PAssociatedUri)
            .next()
            .transpose()?;
        let mut demanded = request
            .headers(HeaderName::Require)
            .flat_map(Header::elements);
        Ok(Self {
            private_identity: register::private_identity_by(authorization, request)?,
            registered_identity: to.uri_bytes(),
            public_identity: default.map_or(b"", |identity| identity.uri_bytes()),
            identities: register::joined(response, HeaderName::PAssociatedUri)?,
            home_domain,
            realm: register::realm(authorization, home_domain)?,
            contact: contact.map_or(b"", |contact| contact.uri_bytes()),
            contact_params: contact.map_or_else(Vec::new, |it| register::kept_params(&it)),
            route: register::joined(request, HeaderName::Route)?,
            path: register::joined(request, HeaderName::Path)?,
            requires_path: demanded.any(|tag| tag.eq_ignore_ascii_case(b"path")),
            visited_network_id: value(request, HeaderName::PVisitedNetworkId),
            access_network_info: value(request, HeaderName::PAccessNetworkInfo),
            service_route: register::joined(response, HeaderName::ServiceRoute)?,
            expires: match contact {
                Some(contact) => register::granted_expires(&contact, request, response)?,
                None => 0,
            },
            call_id: request.call_id()?,
            cseq: request.cseq()?.number,
        })
    }

    /// As they are given.
    #[must_use]
    pub fn details(&self) -> Details<'_> {
        Details {
            private_identity: &self.private_identity,
            registered_identity: self.registered_identity,
            public_identity: self.public_identity,
            identities: &self.identities,
            home_domain: self.home_domain,
            realm: &self.realm,
            contact: self.contact,
            contact_params: &self.contact_params,
            route: &self.route,
            path: &self.path,
            requires_path: self.requires_path,
            visited_network_id: &self.visited_network_id,
            access_network_info: &self.access_network_info,
            service_route: &self.service_route,
            expires: self.expires,
            call_id: self.call_id,
            cseq: self.cseq,
        }
    }
}

/// [RFC 3261 8.2.6.2] A response has the Call-ID and the CSeq of its request.
fn check_answers(request: &Message<'_>, response: &Message<'_>) -> Result<(), Reject> {
    let (asked, answered) = (request.cseq()?, response.cseq()?);
    let is_it = response.call_id()? == request.call_id()?
        && (answered.number, answered.method) == (asked.number, asked.method);
    match is_it {
        true => Ok(()),
        false => {
            let at = response.header(HeaderName::CSeq).map_or(0, Header::at);
            Err(Reject::new(&defect::ANOTHER_RESPONSE, at))
        }
    }
}

/// The one contact of a REGISTER; `None` where `*` removes every one (RFC 3261 10.2.2).
fn own_contact<'m>(request: &Message<'m>) -> Result<Option<ContactAddr<'m>>, Reject> {
    let at = request
        .header(HeaderName::Contact)
        .map_or(request.head_end(), Header::at);
    let mut contacts = request.contacts();
    match (contacts.next().transpose()?, contacts.next()) {
        (Some(Contact::Addr(contact)), None) => Ok(Some(contact)),
        (Some(Contact::Star), None) if request.expires()? == Some(0) => Ok(None),
        _ => Err(Reject::new(&defect::ONE_CONTACT, at)),
    }
}

/// The values of a header, without folding.
fn value(message: &Message<'_>, name: HeaderName) -> Vec<u8> {
    let values: Vec<&[u8]> = message.headers(name).map(Header::raw).collect();
    register::unfolded(&values.join(b", ".as_slice()))
}

/// The strings of a registration, by number.
#[derive(Clone, Copy)]
pub(crate) enum Field {
    PrivateIdentity,
    RegisteredIdentity,
    PublicIdentity,
    Identities,
    ContactParams,
    AccessNetworkInfo,
    CallId,
    HomeDomain,
    Realm,
    Contact,
    Route,
    Path,
    VisitedNetworkId,
    ServiceRoute,
}

const FIELDS: usize = 14;

/// The first are the registration's own; the others are those of many.
const OWN: usize = 7;
pub(super) const COMMON: usize = FIELDS - OWN;

/// The strings of a registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Strings(pub(super) Divided<FIELDS, 0, OWN, COMMON>);

impl Strings {
    /// Those of a registration; together as long as one may be at most.
    pub(super) fn new(details: &Details<'_>, limits: &Limits) -> Result<Self, Misuse> {
        let packed = Divided::new(details.parts(), limits.registration_bytes);
        packed.map(Self).ok_or(Misuse::TooLarge {
            limit: "registration_bytes",
        })
    }

    /// Has in common with others what can be.
    pub(super) fn share(&mut self, shared: &mut Shared) {
        shared.share(&mut self.0);
    }

    pub(crate) fn field(&self, field: Field) -> &[u8] {
        self.0.get(field as usize)
    }

    /// Instance and reg-id of the contact.
    pub(super) fn flow(&self) -> (Option<&[u8]>, Option<&[u8]>) {
        register::flow(Params::new(self.field(Field::ContactParams)))
    }

    /// Whether another registration has the same contact, and the same instance.
    pub(super) fn is_at_contact_of(&self, other: &Self) -> bool {
        self.flow() == other.flow() && self.is_same(Field::Contact, other)
    }

    /// [MS-1] Whether who removes it removes another one as well: the same contact of the same identity, at the same home.
    pub(super) fn is_binding_of(&self, other: &Self) -> bool {
        let uris = [Field::RegisteredIdentity, Field::HomeDomain];
        self.is_at_contact_of(other) && uris.into_iter().all(|uri| self.is_same(uri, other))
    }

    fn is_same(&self, uri: Field, other: &Self) -> bool {
        register::same_uri(self.field(uri), other.field(uri))
    }

    /// [MS-2] Whether a public identity is one of those that are registered together.
    pub(super) fn has_identity(&self, identity: &[u8]) -> bool {
        register::has_identity(self.field(Field::Identities), self.principals(), identity)
    }

    /// The default public identity, and the registered one.
    pub(super) fn principals(&self) -> [&[u8]; 2] {
        [
            self.field(Field::PublicIdentity),
            self.field(Field::RegisteredIdentity),
        ]
    }
}
