//! [PD-1] What a P-CSCF keeps of a registration, read from the REGISTER and its 2xx.

use alloc::{sync::Arc, vec::Vec};

use super::Registration;
use crate::{
    drive::{Limits, Millis, Misuse, Reject},
    fleet::{Divided, Packed, Shared},
    wire::{Contact, HeaderName, Message, NameAddr, Params, register},
};

/// The strings of a registration, by number.
#[derive(Clone, Copy)]
pub(crate) enum Field {
    /// The Request-URI of the REGISTER: the home domain.
    HomeDomain,
    /// The realm of its Authorization, or the host of the home domain.
    Realm,
    /// The default public identity: the first P-Associated-URI, else To.
    PublicIdentity,
    /// The public identity of the To header.
    RegisteredIdentity,
    /// All public identities: the addresses of P-Associated-URI. Empty if there was none.
    Identities,
    /// The contact URI.
    Contact,
    /// The parameters of the contact that stay with it, from the first `;` until behind instance and reg-id: those after
    /// them are its [features](Strings::features).
    ContactParams,
    /// The value of Path.
    Path,
    /// The value of Service-Route.
    ServiceRoute,
}

/// Number of strings.
pub(crate) const FIELDS: usize = 9;

/// The strings of a registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Strings {
    pub(super) fields: Fields,
    /// The parameters of the contact behind those of the UE: what its make can do.
    pub(super) features: Features,
}

/// From the public identity to the parameters of the contact they are the registration's own; home domain, realm, Path
/// and Service-Route are those of many.
pub(super) type Fields = Divided<FIELDS, OWN_FROM, OWN, COMMON>;

/// Those of all devices of a make, whichever way they came.
pub(super) type Features = Packed<1, Arc<[u8]>>;

const OWN_FROM: usize = Field::PublicIdentity as usize;
const OWN: usize = 5;
pub(super) const COMMON: usize = FIELDS - OWN;

impl Strings {
    /// Packs the strings, all parameters of the contact among them; `None` if together they exceed `limit` or what 16
    /// bits can say.
    pub(crate) fn new(mut parts: [&[u8]; FIELDS], limit: usize) -> Option<Self> {
        let params = parts.get_mut(Field::ContactParams as usize)?;
        let (own, features) = params.split_at_checked(own_params(params))?;
        *params = own;
        Some(Self {
            fields: Fields::new(parts, limit.checked_sub(features.len())?)?,
            features: Features::new([features], features.len())?,
        })
    }

    /// Has in common with others what can be.
    pub(crate) fn share(&mut self, shared: &mut Shared) {
        shared.share(&mut self.fields);
        shared.share_packed(&mut self.features);
    }

    /// The parameters of the contact behind [those that tell the UE from others](Field::ContactParams).
    pub(crate) fn features(&self) -> &[u8] {
        self.features.get(0)
    }

    pub(crate) fn field(&self, field: Field) -> &[u8] {
        self.fields.get(field as usize)
    }

    /// [PD-1] Whether a public identity is one of those that are registered together.
    pub(crate) fn has_identity(&self, identity: &[u8]) -> bool {
        register::has_identity(self.field(Field::Identities), self.principals(), identity)
    }

    /// Instance and reg-id.
    pub(crate) fn flow(&self) -> (Option<&[u8]>, Option<&[u8]>) {
        register::flow(Params::new(self.field(Field::ContactParams)))
    }

    /// The default public identity, and that of To: each stands for all.
    pub(crate) fn principals(&self) -> [&[u8]; 2] {
        [
            self.field(Field::PublicIdentity),
            self.field(Field::RegisteredIdentity),
        ]
    }
}

/// A contact as the 2xx leaves it.
#[derive(Clone)]
pub struct LearnedContact<'m> {
    /// The contact as the UE gave it.
    pub contact: NameAddr<'m>,
    /// Seconds it was granted; 0 if it is no longer registered.
    pub expires: u32,
    /// Whether it is an emergency registration (`sos`, TS 24.229 7.2A.13).
    pub emergency: bool,
}

/// A registration as REGISTER and 2xx show it.
pub struct Learned<'m> {
    /// The private identity.
    pub private_identity: Vec<u8>,
    home_domain: &'m [u8],
    realm: Vec<u8>,
    public_identity: &'m [u8],
    registered_identity: &'m [u8],
    identities: Vec<u8>,
    listed: Vec<&'m [u8]>,
    path: Vec<u8>,
    service_route: Vec<u8>,
    /// Its contacts: those of the REGISTER. Empty with [`all_removed`](Self::all_removed).
    pub contacts: Vec<LearnedContact<'m>>,
    /// `Contact: *` was accepted: every contact of the user is gone.
    pub all_removed: bool,
}

impl<'m> Learned<'m> {
    /// [PD-1] Reads a REGISTER, as sent to the core, and its 2xx, as received from there. The expiry of a
    /// contact is that of *this* contact in the response: its parameter before the header (T22).
    ///
    /// # Errors
    /// [`Misuse::BadCommand`] where a header that is needed is missing or cannot be read; the offset is in the
    /// message that has it. [`Misuse::TooLarge`] for more contacts than the limits allow.
    pub fn read(
        request: &Message<'m>,
        response: &Message<'m>,
        limits: &Limits,
    ) -> Result<Self, Misuse> {
        let many = |message: &Message<'m>, most| message.contacts().nth(most).is_some();
        if many(request, limits.contacts) || many(response, MOST_LISTED) {
            return Err(Misuse::TooLarge { limit: "contacts" });
        }
        Self::read_all(request, response).map_err(Misuse::BadCommand)
    }

    fn read_all(request: &Message<'m>, response: &Message<'m>) -> Result<Self, Reject> {
        let home_domain = request
            .request_uri()
            .ok_or_else(|| Reject::new(&super::defect::NOT_A_REGISTER, 0))?;
        let to = request.to()?;
        let authorization = request.authorization()?;
        let default = response
            .name_addrs(HeaderName::PAssociatedUri)
            .next()
            .transpose()?;
        let registered_identity = to.uri_bytes();
        let public_identity = default.map_or(registered_identity, |identity| identity.uri_bytes());
        let mut learned = Self {
            private_identity: register::private_identity_by(authorization, request)?,
            home_domain,
            realm: register::realm(authorization, home_domain)?,
            public_identity,
            registered_identity,
            identities: register::joined(response, HeaderName::PAssociatedUri)?,
            listed: Vec::new(),
            path: register::joined(request, HeaderName::Path)?,
            service_route: register::joined(response, HeaderName::ServiceRoute)?,
            contacts: Vec::new(),
            all_removed: false,
        };
        for contact in response.contacts() {
            if let Contact::Addr(contact) = contact? {
                learned.listed.push(contact.uri_bytes());
            }
        }
        for contact in request.contacts() {
            match contact? {
                Contact::Star => learned.all_removed = true,
                Contact::Addr(contact) => {
                    let expires = register::granted_expires(&contact, request, response)?;
                    learned.contacts.push(LearnedContact {
                        emergency: contact.uri().params().has(b"sos"),
                        contact: *contact,
                        expires,
                    });
                }
            }
        }
        Ok(learned)
    }

    /// The machine for one of its contacts, for a host that keeps its registrations itself.
    ///
    /// # Errors
    /// [`Misuse::TooLarge`] if what is kept of it exceeds the limits.
    pub fn registration(
        &self,
        contact: &LearnedContact<'_>,
        now: Millis,
        limits: &Limits,
    ) -> Result<Registration, Misuse> {
        let strings = self.strings(&contact.contact, limits)?;
        Ok(Registration::new(strings, contact, now))
    }

    /// The strings of one of its contacts. With the private identity they count as one registration's.
    pub(crate) fn strings(
        &self,
        contact: &NameAddr<'_>,
        limits: &Limits,
    ) -> Result<Strings, Misuse> {
        let limit = limits
            .registration_bytes
            .saturating_sub(self.private_identity.len());
        let params = register::kept_params(contact);
        let parts: [&[u8]; FIELDS] = [
            self.home_domain,
            &self.realm,
            self.public_identity,
            self.registered_identity,
            &self.identities,
            contact.uri_bytes(),
            &params,
            &self.path,
            &self.service_route,
        ];
        Strings::new(parts, limit).ok_or(Misuse::TooLarge {
            limit: "registration_bytes",
        })
    }
}

/// The most contacts that a 2xx may list: other devices of the user among them.
const MOST_LISTED: usize = 256;

impl Learned<'_> {
    /// Whether the 2xx still lists a contact.
    pub(crate) fn lists(&self, contact: &[u8]) -> bool {
        self.listed
            .iter()
            .any(|listed| register::same_uri(listed, contact))
    }

    pub(crate) const fn public_identity(&self) -> &[u8] {
        self.public_identity
    }

    pub(crate) fn service_route(&self) -> &[u8] {
        &self.service_route
    }

    /// Whether a registration is of the set that the REGISTER was about.
    pub(crate) fn is_of_set(&self, strings: &Strings) -> bool {
        strings.field(Field::PublicIdentity) == self.public_identity
            || strings.field(Field::RegisteredIdentity) == self.registered_identity
    }
}

/// Whether a UE has moved from one contact to another of the same set: the same instance, and no flows that
/// would tell the two apart (RFC 5626).
pub(crate) fn has_moved(one: &Strings, other: &Strings) -> bool {
    let same_set = one.field(Field::PublicIdentity) == other.field(Field::PublicIdentity);
    match (one.flow(), other.flow()) {
        ((Some(instance), None), (Some(theirs), None)) => same_set && instance == theirs,
        _ => false,
    }
}

/// Whether two registrations are one: the same set of identities, and the same flow (instance and reg-id,
/// RFC 5626 6), or the same contact where there are no flows.
pub(crate) fn same_binding(one: &Strings, other: &Strings) -> bool {
    let same = |field| one.field(field) == other.field(field);
    if !same(Field::PublicIdentity) && !same(Field::RegisteredIdentity) {
        return false;
    }
    match (one.flow(), other.flow()) {
        ((Some(instance), Some(reg_id)), (Some(theirs), Some(their_reg_id))) => {
            instance == theirs && reg_id == their_reg_id
        }
        ((Some(instance), _), (Some(theirs), _)) if instance != theirs => false,
        _ => register::same_uri(one.field(Field::Contact), other.field(Field::Contact)),
    }
}

/// Bytes of the parameters of a contact until behind instance and reg-id; all of them if they are not written one after
/// the other.
fn own_params(params: &[u8]) -> usize {
    let (mut end, mut own) = (0usize, 0usize);
    for (name, value) in Params::new(params).iter() {
        let value = value.map_or(0, |value| value.len().saturating_add(1));
        end = end
            .saturating_add(name.len())
            .saturating_add(value)
            .saturating_add(1);
        if [&b"+sip.instance"[..], b"reg-id"]
            .iter()
            .any(|own| name.eq_ignore_ascii_case(own))
        {
            own = end;
        }
    }
    if end == params.len() {
        own
    } else {
        params.len()
    }
}

#[cfg(test)]
mod tests {
    use super::{FIELDS, Field, Shared, Strings};
    use alloc::sync::Arc;

    fn strings(params: &[u8], limit: usize) -> Option<Strings> {
        let mut parts: [&[u8]; FIELDS] = [b""; FIELDS];
        parts[Field::ContactParams as usize] = params;
        Strings::new(parts, limit)
    }

    /// [DR-5] The parameters of a contact end for the UE where instance and reg-id end; together they are what they were,
    /// and bounded so.
    #[test]
    fn features() {
        let whole: &[&[&[u8]]] = &[
            &[
                b";+sip.instance=\"<a;b>\";reg-id=1",
                b";+g.3gpp.smsip;audio",
            ],
            &[b";audio;+SIP.Instance=\"<a>\"", b";video"],
            &[b";reg-id=2"],
            &[b"", b";audio;methods=\"A,B\""],
            &[b""],
            // Not one after the other.
            &[b";reg-id=1; audio"],
            &[b";reg-id = 1;audio"],
            &[b";reg-id=1;audio;"],
            &[b";+sip.instance=\"<a>;audio"],
        ];
        for parts in whole {
            let params = parts.concat();
            let strings_of = |limit| strings(&params, limit);
            let strings = strings_of(params.len()).unwrap();
            assert_eq!(strings.field(Field::ContactParams), parts[0]);
            let features = parts.get(1).copied().unwrap_or_default();
            assert_eq!(strings.features(), features);
            if let Some(less) = params.len().checked_sub(1) {
                assert_eq!(strings_of(less), None);
            }
        }
    }

    /// [DR-5] What devices of a make can do is there once.
    #[test]
    fn of_a_make() {
        let mut shared = Shared::new();
        let mut make = |params| {
            let mut strings = strings(params, 100).unwrap();
            strings.share(&mut shared);
            strings
        };
        let (one, two) = (make(b";reg-id=1;audio"), make(b";reg-id=2;audio"));
        let other = make(b";reg-id=1;video");
        let bytes = |strings: &Strings| Arc::as_ptr(strings.features.bytes());
        assert!(core::ptr::eq(bytes(&one), bytes(&two)));
        assert!(!core::ptr::eq(bytes(&one), bytes(&other)));
    }

    /// [PD-1] An identity is one of those listed, however it is spelled; what a display name says is none.
    #[test]
    fn identities() {
        let has = |list: &[u8], identity: &[u8]| {
            let mut parts: [&[u8]; FIELDS] = [b""; FIELDS];
            parts[Field::PublicIdentity as usize] = b"sip:first@home.example";
            parts[Field::RegisteredIdentity as usize] = b"sip:first@home.example";
            parts[Field::Identities as usize] = list;
            let strings = Strings::new(parts, 1_000).unwrap();
            strings.has_identity(identity)
        };
        let list = b"<sip:first@home.example>, <sip:second@home.example>";
        assert!(has(list, b"sip:first@home.example"));
        assert!(has(list, b"sip:second@home.example"));
        assert!(has(list, b"sip:second@HOME.example"));
        assert!(!has(list, b"sip:second@home"));
        assert!(!has(list, b"sip:third@home.example"));
        let named =
            b"\"<sip:third@home.example>\" <sip:first@home.example>, <sip:second@home.example>";
        assert!(has(named, b"sip:second@home.example"));
        assert!(!has(named, b"sip:third@home.example"));
    }
}
