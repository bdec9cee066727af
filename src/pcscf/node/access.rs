//! What a P-CSCF hears of the access of its UEs: their own REGISTERs (PD-9), that they are there, or not (PD-3).

use alloc::vec::Vec;

use super::{CONTACT, PcscfNode};
use crate::{
    drive::{Millis, Misuse, Outbox, Source, TransactionRef, Verdict, increment},
    fleet::Id,
    pcscf::{
        Change, Event, Evidence, Input, Pcscf, Registration, Ue,
        aside::Marks,
        registration::{Field, Strings},
        user::User,
    },
    wire::{
        Contact, Message, Method, NameAddr, Params, Uri,
        register::{asked_expires, contact_key, flow, is_emergency, same_uri},
    },
};

/// What the node answers where the access is lost (TS 24.229 5.2.6.4.3).
const ACCESS_LOST: Verdict = Verdict::Refuse {
    status: 500,
    retry_after: 0,
};

/// Users at one contact that are looked at for one who stays.
const CROWD: usize = 64;

impl PcscfNode {
    /// [PD-3] Whether this contact is registered here, and its UE reported lost and not heard since.
    #[must_use]
    pub fn is_access_lost(&self, contact: &[u8]) -> bool {
        let all = self.at_contact(Ue::at(contact), |_| true);
        let is_lost = |&(id, place): &(Id, usize)| {
            let registration = self.registration(id, place);
            registration.is_some_and(Registration::is_access_lost)
        };
        !all.is_empty() && all.iter().all(is_lost)
    }

    pub(super) fn registration(&self, id: Id, place: usize) -> Option<&Registration> {
        self.users.get(id)?.registrations.get(place)
    }

    /// [DR-5, T48] The registrations meant whose contact is equal to this one, both or neither of an emergency, and whose
    /// user and flow are those, where they are named: users and places, no more than one step has room for.
    pub(super) fn at_contact(
        &self,
        ue: Ue<'_>,
        is_meant: impl Fn(&Registration) -> bool,
    ) -> Vec<(Id, usize)> {
        let emergency = is_emergency(ue.contact);
        let is_it = |r: &Registration| {
            r.is_emergency() == emergency
                && is_meant(r)
                && ue.reg_id.is_none_or(|reg_id| has_reg_id(r, reg_id))
                && same_uri(r.contact(), ue.contact)
        };
        let is_whose = |user: &User| {
            let named = ue.private_identity;
            named.is_none_or(|name| *name == *user.private_identity)
        };
        let key = contact_key(ue.contact);
        let under = self.users.under(CONTACT, &key);
        let whose = under.filter(|(_, user)| is_whose(user));
        let all = whose.flat_map(|(id, user)| {
            let places = user.registrations.iter().enumerate();
            places.map(move |(place, r)| (id, place, r))
        });
        all.filter(|(_, _, r)| is_it(r))
            .map(|(id, place, _)| (id, place))
            .take(self.config.limits.contacts)
            .collect()
    }

    /// [PD-3] A report that is not enough.
    pub(super) fn note_doubted(
        &self,
        (id, place): (Id, usize),
        evidence: Evidence,
        out: &mut Outbox<Pcscf>,
    ) {
        let Some(user) = self.users.get(id) else {
            return;
        };
        if let Some(registration) = user.registrations.get(place) {
            let affected = registration.affected(&user.private_identity, out);
            out.event(Event::AccessDoubted { affected, evidence });
        }
    }

    /// [PD-3] A terminating request that opens a dialog, or stands alone, for a UE whose access is lost.
    pub(super) fn terminating(&mut self, from: Source, message: &Message<'_>) -> Verdict {
        let is_asked = !matches!(message.method(), None | Some(Method::Ack | Method::Cancel));
        let opens = || message.to().is_ok_and(|to| to.tag().is_none());
        match message.request_uri() {
            Some(uri) if from != Source::Ue && is_asked && opens() && self.is_access_lost(uri) => {
                increment(&mut self.counters.terminating_refused);
                ACCESS_LOST
            }
            _ => Verdict::NotMine,
        }
    }

    /// [PD-3] A request of a UE, if it says from which contact, shows that it is there.
    pub(super) fn note_request(
        &mut self,
        now: Millis,
        from: Source,
        message: &Message<'_>,
        out: &mut Outbox<Pcscf>,
    ) -> Result<(), Misuse> {
        match message.contacts().next() {
            Some(Ok(Contact::Addr(contact))) if from == Source::Ue => self
                .tell_contact(now, Ue::at(contact.uri_bytes()), Input::Heard, out)
                .map(|_| ()),
            _ => Ok(()),
        }
    }

    /// Something that concerns every registration that is meant.
    pub(super) fn tell_contact(
        &mut self,
        now: Millis,
        ue: Ue<'_>,
        input: Input,
        out: &mut Outbox<Pcscf>,
    ) -> Result<Verdict, Misuse> {
        let places = self.at_contact(ue, |_| true);
        for &(id, place) in &places {
            let is_news = |r: &Registration| !matches!(input, Input::Heard) || r.is_doubted();
            if !self.registration(id, place).is_some_and(is_news) {
                continue;
            }
            let _ = self.step(now, id, place, input, out)?;
            self.settle(id, out);
        }
        Ok(if places.is_empty() {
            Verdict::NotMine
        } else {
            Verdict::Handled
        })
    }

    /// [PD-9] A REGISTER of a user's UE: to be passed on, or held while ours for one of its contacts is out.
    pub(super) fn ask(
        &mut self,
        now: Millis,
        id: Id,
        transaction: TransactionRef,
        message: &Message<'_>,
        out: &mut Outbox<Pcscf>,
    ) -> Result<Verdict, Misuse> {
        let mut verdict = Verdict::Forward;
        let mut is_news = false;
        for (place, removes) in self.named(id, message) {
            let before = self.registration(id, place);
            is_news |= before.is_some_and(|r| r.is_doubted() || !r.is_registered());
            let input = Input::Asked {
                transaction,
                removes,
            };
            if let Change::Holds(token) = self.step(now, id, place, input, out)? {
                increment(&mut self.counters.held);
                verdict = Verdict::Hold(token);
            }
        }
        // That one is under way, and nothing else, is not worth a blob.
        if is_news {
            self.settle(id, out);
        }
        Ok(verdict)
    }

    /// The registrations of a user that a REGISTER names, and whether it asks for their end.
    pub(super) fn named(&self, id: Id, message: &Message<'_>) -> Vec<(usize, bool)> {
        let (Some(user), Ok(to)) = (self.users.get(id), message.to()) else {
            return Vec::new();
        };
        let all = user.registrations.iter().enumerate();
        let of_set = all.filter(|(_, r)| r.strings.has_identity(to.uri_bytes()));
        of_set
            .filter_map(|(place, r)| Some((place, removes(message, r)?)))
            .collect()
    }

    /// [PD-7] Whether one stays at a contact. Of a crowd so many are looked at; then somebody is taken to stay.
    fn is_stayed_on(
        &self,
        contact: &[u8],
        stays: impl Fn(Id, usize, &Registration) -> bool,
    ) -> bool {
        let key = contact_key(contact);
        let mut under = self.users.under(CONTACT, &key);
        let stays_on_it = |(other, user): (Id, &User)| {
            let mut all = user.registrations.iter().enumerate();
            all.any(|(at, r)| stays(other, at, r) && same_uri(r.contact(), contact))
        };
        under.by_ref().take(CROWD).any(stays_on_it) || under.next().is_some()
    }

    /// [PD-7] Before a step of the cleanup: whether others stay on what it would release (T48).
    pub(super) fn note_shared(&mut self, id: Id, place: usize) {
        let own = self.registration(id, place);
        let Some(own) = own.filter(|own| own.is_cleaning()) else {
            return;
        };
        let contact = own.contact();
        let stays =
            |other: Id, at: usize, r: &Registration| (other, at) != (id, place) && !r.is_cleaning();
        let on_contact = self.is_stayed_on(contact, stays);
        let at_address = self.users.get(id).is_some_and(|user| {
            let mut all = user.registrations.iter().enumerate();
            all.any(|(at, r)| stays(id, at, r) && same_host(r.contact(), contact))
        });
        let user = self.users.get_mut(id);
        if let Some(own) = user.and_then(|user| user.registrations.get_mut(place)) {
            own.marks.set(Marks::CONTACT_SHARED, on_contact);
            let on_bearer = on_contact || at_address;
            own.marks.set(Marks::BEARER_SHARED, on_bearer);
        }
    }
}

/// Whether it is the flow with this reg-id.
fn has_reg_id(registration: &Registration, reg_id: u32) -> bool {
    let params = Params::new(registration.strings.field(Field::ContactParams));
    params.number(b"reg-id") == Some(reg_id)
}

/// Whether two contacts are at one address.
fn same_host(one: &[u8], other: &[u8]) -> bool {
    match (Uri::parse(one), Uri::parse(other)) {
        (Ok(one), Ok(other)) => one.host().is_some() && one.host() == other.host(),
        _ => false,
    }
}

/// Whether a REGISTER asks for the end of a registration, if it names it at all.
fn removes(message: &Message<'_>, registration: &Registration) -> Option<bool> {
    message.contacts().find_map(|named| match named.ok()? {
        Contact::Star => Some(true),
        Contact::Addr(named) => names(&named, &registration.strings)
            .then(|| asked_expires(&named, message) == 0)
            .filter(|_| named.uri().params().has(b"sos") == registration.is_emergency()),
    })
}

/// Whether a contact is that of these strings, or the network may take it for that: the same URI, or the same
/// instance, and no reg-id that tells the two apart.
fn names(contact: &NameAddr<'_>, strings: &Strings) -> bool {
    let ours = flow(Params::new(strings.field(Field::ContactParams)));
    let is_flow = match (flow(contact.params()), ours) {
        ((Some(instance), Some(reg_id)), (Some(ours), Some(our_reg_id))) => {
            return instance == ours && reg_id == our_reg_id;
        }
        ((Some(instance), _), (Some(ours), _)) => instance == ours,
        _ => false,
    };
    is_flow || same_uri(contact.uri_bytes(), strings.field(Field::Contact))
}
