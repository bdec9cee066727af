//! The table of one implicit registration set: its public identities, and what they are bound to.

use alloc::{boxed::Box, vec::Vec};

use super::registration::{Removing, canonical};
use crate::{
    drive::{Limits, Millis, Misuse},
    fleet::{Few, Packed, Rest, Seldom, push_exact},
    regevent::contact_events::{self, Cause, Which, contact_events},
    reginfo::ContactEvent,
    wire::{
        Contact, NameAddr, Params, Uri,
        register::{flow, is_emergency, same_contact},
    },
};

mod document;
mod identities;
mod learn;
mod network;

/// [SD-3] Milliseconds for which a removed binding is remembered, so that a REGISTER that comes again is
/// answered again: twice 64·T1.
pub(super) const TOMBSTONE: u64 = 64_000;

/// The strings of a binding, by number.
#[derive(Clone, Copy)]
pub(crate) enum Field {
    /// The private identity that made it.
    PrivateIdentity,
    /// The contact URI.
    Uri,
    /// The parameters of the contact that stay with it, from the first `;`.
    Params,
    /// The value of Path.
    Path,
    /// The Call-ID of the REGISTER that last changed it.
    CallId,
    /// The display name of the contact.
    DisplayName,
    /// Its preference, as it stood.
    Q,
    /// The public GRUU that it was given.
    PublicGruu,
    /// The temporary GRUU that it was given last.
    TemporaryGruu,
}

pub(crate) const FIELDS: usize = 9;

pub(crate) type Strings = Packed<FIELDS>;

const CALL_ID: usize = Field::CallId as usize;

/// Whether a binding is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Active,
    Gone {
        /// Seconds to wait before registering again, with `probation`.
        retry_after: Option<u32>,
        /// Until when a REGISTER that removed it may come again.
        until: Millis,
    },
}

impl Rest for Status {
    const AT_REST: Self = Self::Active;
}

/// A public identity with a contact, or flow, of one of its users.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Binding {
    pub(crate) number: u32,
    pub(crate) strings: Strings,
    pub(crate) cseq: u32,
    pub(crate) expires_at: Millis,
    /// The identity that was registered explicitly; all others came with it.
    pub(crate) explicit: u32,
    /// CSeq of the REGISTER that brought the first temporary GRUU that is still good (RFC 5628 5).
    pub(crate) first_cseq: u32,
    /// Number of the latest failure of a P-CSCF before the REGISTER that named it last.
    pub(crate) failure: u32,
    /// The latest event, as the identity that was registered explicitly sees it.
    pub(crate) event: ContactEvent,
    /// Number of the change that brought it.
    pub(crate) changed: u64,
    pub(crate) status: Seldom<Status>,
}

/// A contact that is bound, and the way to it.
#[derive(Clone, Copy)]
pub(crate) struct Bound<'s> {
    pub(crate) uri: &'s [u8],
    /// The value of Path.
    pub(crate) path: &'s [u8],
    /// Number of the latest failure of a P-CSCF before the REGISTER that named it last.
    pub(crate) failure: u32,
}

impl Binding {
    pub(crate) fn bound(&self) -> Bound<'_> {
        Bound {
            uri: self.field(Field::Uri),
            path: self.field(Field::Path),
            failure: self.failure,
        }
    }

    pub(crate) fn field(&self, field: Field) -> &[u8] {
        self.strings.get(field as usize)
    }

    pub(crate) const fn is_active(&self) -> bool {
        matches!(self.status.get(), Status::Active)
    }

    fn is_of(&self, private_identity: &[u8]) -> bool {
        self.field(Field::PrivateIdentity) == private_identity
    }

    fn has_temporary_gruu(&self) -> bool {
        !self.field(Field::TemporaryGruu).is_empty()
    }

    fn flow(&self) -> (Option<&[u8]>, Option<&[u8]>) {
        flow(Params::new(self.field(Field::Params)))
    }

    /// What it is to [`contact_events`], as the identity that was registered explicitly sees it.
    fn contact(&self) -> contact_events::Contact<'_> {
        let (instance, reg_id) = self.flow();
        contact_events::Contact {
            private_identity: self.field(Field::PrivateIdentity),
            uri: self.field(Field::Uri),
            instance,
            reg_id,
            call_id: self.field(Field::CallId),
            cseq: self.cseq,
            expires_at: self.expires_at,
            explicit: true,
        }
    }

    /// [SD-3] Whether a contact names this binding: the same flow, where both have instance and reg-id
    /// (RFC 5626 6); else an equal URI, where instance and reg-id do not contradict.
    fn is_named_by(&self, contact: &NameAddr<'_>) -> bool {
        let (instance, reg_id) = self.flow();
        let agree = |own: Option<&[u8]>, theirs: Option<&[u8]>| match (own, theirs) {
            (Some(own), Some(theirs)) => own == theirs,
            _ => true,
        };
        match (instance, reg_id, contact.flow()) {
            (Some(instance), Some(reg_id), (Some(their_instance), Some(their_reg_id))) => {
                instance == their_instance && reg_id == their_reg_id
            }
            (instance, reg_id, (their_instance, their_reg_id)) => {
                agree(instance, their_instance)
                    && agree(reg_id, their_reg_id)
                    && Uri::parse(self.field(Field::Uri))
                        .is_ok_and(|uri| same_contact(&uri, &contact.uri()))
            }
        }
    }

    /// Whether a new contact of the same user takes its place: the same instance without flows.
    fn is_replaced_by(&self, contact: &NameAddr<'_>) -> bool {
        match (self.flow(), contact.flow()) {
            ((Some(own), None), (Some(theirs), None)) => {
                own == theirs
                    && is_emergency(self.field(Field::Uri)) == contact.uri().params().has(b"sos")
            }
            _ => false,
        }
    }

    /// Seconds until it expires; 0 if it is gone.
    pub(crate) fn seconds_left(&self, now: Millis) -> u64 {
        if self.is_active() {
            self.expires_at.since(now) / 1_000
        } else {
            0
        }
    }
}

/// A public identity of the set.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) number: u32,
    pub(crate) uri: Box<[u8]>,
    /// It is never shown.
    pub(crate) barred: bool,
    /// Number of the change by which it came to be shown.
    pub(crate) changed: u64,
    /// Number of the change by which it left the set.
    pub(crate) termination: Seldom<Option<u64>>,
}

impl Rest for Option<u64> {
    const AT_REST: Self = None;
}

/// What a REGISTER that removes bindings comes to.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Removal {
    /// These bindings, of this private identity, are to go.
    Of(Box<[u8]>, Vec<u32>),
    /// It removed these before.
    Repeated(Vec<u32>),
    /// Its CSeq is not higher than one seen with the same Call-ID.
    OutOfOrder,
    /// It names what is not bound.
    Unknown,
}

/// The table of one set.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Bindings {
    /// The default identity first, as long as it is there.
    pub(crate) identities: Vec<Identity>,
    pub(crate) bindings: Few<Binding>,
    pub(crate) identities_ever: u32,
    pub(crate) bindings_ever: u32,
    /// Number of the latest change.
    pub(crate) changes: u64,
    /// Number of the latest change that ended anything.
    pub(crate) terminations: u64,
    /// Number of the latest change that ended what had to be forgotten before everybody knew.
    pub(crate) forgotten: u64,
}

impl Bindings {
    /// A set without bindings, for a user this node does not know.
    pub(crate) fn unknown(identity: &[u8]) -> Self {
        let mut table = Self::default();
        table.add_identity(identity, true);
        table
    }

    /// The default public identity: the first that is not barred.
    pub(crate) fn default_identity(&self) -> &[u8] {
        let shown = self.shown().next().or(self.identities.first());
        shown.map_or(&[][..], |identity| &identity.uri)
    }

    /// The identities of the set that may be shown.
    pub(crate) fn shown(&self) -> impl Iterator<Item = &Identity> + Clone {
        self.identities
            .iter()
            .filter(|identity| !identity.barred && identity.termination.get().is_none())
    }

    pub(crate) fn active(&self) -> impl Iterator<Item = &Binding> + Clone {
        self.bindings.iter().filter(|binding| binding.is_active())
    }

    /// Whether a private identity still has a binding.
    pub(crate) fn keeps(&self, private_identity: &[u8]) -> bool {
        self.active().any(|binding| binding.is_of(private_identity))
    }

    pub(crate) fn numbered<'t>(&'t self, numbers: &'t [u32]) -> impl Iterator<Item = &'t Binding> {
        self.bindings
            .iter()
            .filter(|binding| numbers.contains(&binding.number))
    }

    fn add_identity(&mut self, uri: &[u8], barred: bool) -> u32 {
        let number = self.identities_ever;
        self.identities_ever = number.saturating_add(1);
        let identity = Identity {
            number,
            uri: uri.into(),
            barred,
            changed: self.changes,
            termination: Seldom::new(None),
        };
        push_exact(&mut self.identities, identity);
        number
    }

    fn identity(&self, uri: &[u8]) -> Option<usize> {
        let position = |is: &dyn Fn(&Identity) -> bool| {
            let here = |own: &Identity| own.termination.get().is_none() && is(own);
            self.identities.iter().position(here)
        };
        // As a rule it is spelled as it was.
        position(&|own| *own.uri == *uri).or_else(|| {
            let key = canonical(uri);
            position(&|own| canonical(&own.uri) == key)
        })
    }

    /// Whether a public identity is one of the set; `key` is its canonical form.
    pub(crate) fn has_identity(&self, uri: &[u8], key: &[u8]) -> bool {
        let has = |is: &dyn Fn(&Identity) -> bool| {
            let here = |own: &Identity| own.termination.get().is_none() && is(own);
            self.identities.iter().any(here)
        };
        // As a rule it is spelled as it was.
        has(&|own| *own.uri == *uri) || has(&|own| *canonical(&own.uri) == *key)
    }

    fn next_change(&mut self) -> u64 {
        self.changes = self.changes.saturating_add(1);
        self.changes
    }

    fn next_termination(&mut self) -> u64 {
        self.terminations = self.next_change();
        self.terminations
    }

    /// [RN-2, RN-3] Makes `after` what is bound; what is gone stays as a tombstone. It is one change, whatever
    /// comes together, if anything is new of any contact.
    pub(crate) fn rebind(&mut self, mut after: Vec<Binding>, cause: Cause, now: Millis) {
        let before: Vec<_> = self.active().map(Binding::contact).collect();
        let there: Vec<_> = after.iter().map(Binding::contact).collect();
        let changes: Vec<_> = contact_events(&before, &there, cause).collect();
        let is_kept = |number: u32| after.iter().any(|binding| binding.number == number);
        let ends = self.active().any(|binding| !is_kept(binding.number));
        if changes.is_empty() && !ends {
            return;
        }
        let number = match ends {
            true => self.next_termination(),
            false => self.next_change(),
        };
        for binding in &mut self.bindings {
            if binding.is_active() && !is_kept(binding.number) {
                binding.event = cause.ends_with();
                binding.changed = number;
                binding.status.set(Status::Gone {
                    retry_after: cause.retry_after(),
                    until: now.after(TOMBSTONE),
                });
            }
        }
        for change in changes {
            let Which::After(place) = change.contact else {
                continue;
            };
            if let Some(binding) = after.get_mut(place) {
                binding.event = change.event;
                binding.changed = number;
            }
        }
        for new in after {
            let known = self
                .bindings
                .iter_mut()
                .find(|old| old.number == new.number);
            match known {
                Some(old) => *old = new,
                None => self.bindings.push(new),
            }
        }
    }

    /// Removes bindings. They stay as tombstones.
    pub(crate) fn remove(&mut self, numbers: &[u32], cause: Cause, now: Millis) {
        let stays = |binding: &&Binding| !numbers.contains(&binding.number);
        let after = self.active().filter(stays).cloned().collect();
        self.rebind(after, cause, now);
    }

    /// [SD-3] Removes bindings as this REGISTER says, which is remembered with them.
    pub(crate) fn remove_by(&mut self, numbers: &[u32], call_id: &[u8], cseq: u32, now: Millis) {
        self.sign(numbers, call_id, cseq);
        self.remove(numbers, Cause::Register, now);
    }

    /// Remembers with bindings which REGISTER named them last.
    fn sign(&mut self, numbers: &[u32], call_id: &[u8], cseq: u32) {
        for binding in &mut self.bindings {
            if numbers.contains(&binding.number) {
                let mut parts = binding.strings.parts();
                parts[CALL_ID] = call_id;
                if let Some(strings) = Strings::plain(parts, usize::from(u16::MAX)) {
                    binding.strings = strings;
                }
                binding.cseq = cseq;
            }
        }
    }

    /// The bindings past their time, of one private identity; and whether that had been cut for the user to
    /// authenticate anew.
    pub(crate) fn expired(&self, now: Millis) -> Option<(Box<[u8]>, Vec<u32>, bool)> {
        let first = self.active().find(|binding| binding.expires_at <= now)?;
        let who = first.field(Field::PrivateIdentity);
        let is_cut = |binding: &Binding| binding.event == ContactEvent::Shortened;
        let numbers = self
            .active()
            .filter(|binding| binding.expires_at <= now && binding.is_of(who))
            .filter(|binding| is_cut(binding) == is_cut(first))
            .map(|binding| binding.number);
        Some((who.into(), numbers.collect(), is_cut(first)))
    }

    /// When the next binding expires.
    pub(crate) fn next_expiry(&self) -> Option<Millis> {
        self.active().map(|binding| binding.expires_at).min()
    }

    /// When the next tombstone of which every subscriber knows, and that no procedure `uses`, is of no more
    /// use.
    pub(crate) fn next_purge(&self, told: u64, uses: impl Fn(u32) -> bool) -> Option<Millis> {
        let useless = self
            .bindings
            .iter()
            .filter_map(|binding| match binding.status.get() {
                Status::Gone { until, .. } if binding.changed <= told && !uses(binding.number) => {
                    Some(until)
                }
                _ => None,
            });
        useless.min()
    }

    /// [RN-3] Forgets what is gone, of which every subscriber knows, that no procedure `uses`, and for which
    /// no REGISTER can come again.
    pub(crate) fn purge(&mut self, told: u64, now: Millis, uses: impl Fn(u32) -> bool) {
        self.bindings.retain(|binding| match binding.status.get() {
            Status::Gone { until, .. } => {
                binding.changed > told || until > now || uses(binding.number)
            }
            Status::Active => true,
        });
    }

    /// [SD-1] The stored Paths of what a REGISTER names; `None` for what is not bound. Bindings that the same
    /// Call-ID removed count.
    pub(crate) fn named_paths(&self, request: &Removing<'_>) -> Vec<Option<&[u8]>> {
        let mut paths = Vec::with_capacity(request.contacts.len());
        for contact in &request.contacts {
            let Contact::Addr(contact) = contact else {
                paths.extend(
                    self.active()
                        .map(|binding| Some(binding.field(Field::Path))),
                );
                continue;
            };
            let before = paths.len();
            let counts = |binding: &&Binding| {
                binding.is_named_by(contact)
                    && (binding.is_active() || binding.field(Field::CallId) == request.call_id)
            };
            let named = self.bindings.iter().filter(counts);
            paths.extend(named.map(|binding| Some(binding.field(Field::Path))));
            if paths.len() == before {
                paths.push(None);
            }
        }
        paths
    }

    /// [SD-3] What a REGISTER that removes bindings comes to: all that it names, or nothing. Bindings of
    /// another private identity are not touched; nor is what was registered anew since by one that a P-CSCF
    /// only repeats, whose Call-ID is of that deregistration alone (PD-5, T42).
    pub(crate) fn removal(&self, request: &Removing<'_>, by_pcscf: bool) -> Removal {
        let (call_id, cseq) = (request.call_id, request.cseq);
        let mut who = request.username.as_deref();
        let (mut going, mut gone) = (Vec::new(), Vec::new());
        for contact in &request.contacts {
            let contact = match contact {
                Contact::Addr(contact) => Some(contact),
                Contact::Star => None,
            };
            if contact.is_none() {
                who = who
                    .or_else(|| self.only_user())
                    .or(Some(request.private_identity()));
            }
            let named = |binding: &&Binding| match contact {
                Some(contact) => binding.is_named_by(contact),
                None => true,
            };
            let mut is_known = contact.is_none() && self.active().next().is_some();
            let repeats =
                by_pcscf
                    && self.bindings.iter().filter(named).any(|binding| {
                        !binding.is_active() && binding.field(Field::CallId) == call_id
                    });
            for binding in self.bindings.iter().filter(named) {
                let same_call = binding.field(Field::CallId) == call_id;
                if repeats && binding.is_active() && !same_call {
                    continue;
                }
                if who.is_some_and(|who| !binding.is_of(who)) || !(binding.is_active() || same_call)
                {
                    continue;
                }
                is_known = true;
                let is_behind = if binding.is_active() {
                    cseq <= binding.cseq
                } else {
                    cseq < binding.cseq
                };
                if same_call && is_behind {
                    return Removal::OutOfOrder;
                }
                who = who.or(Some(binding.field(Field::PrivateIdentity)));
                let list = if binding.is_active() {
                    &mut going
                } else {
                    &mut gone
                };
                if !list.contains(&binding.number) {
                    list.push(binding.number);
                }
            }
            if !is_known {
                return Removal::Unknown;
            }
        }
        match who {
            Some(who) if !going.is_empty() => Removal::Of(who.into(), going),
            _ if !gone.is_empty() => Removal::Repeated(gone),
            _ => Removal::Unknown,
        }
    }

    /// The private identity, if all bindings are of one.
    fn only_user(&self) -> Option<&[u8]> {
        let first = self.active().next()?.field(Field::PrivateIdentity);
        self.active()
            .all(|binding| binding.is_of(first))
            .then_some(first)
    }

    /// [DR-5] Within the limits, giving up what is gone where need be: a full document without it says the
    /// same, and is what subscribers who do not know it yet are sent.
    fn trim(&mut self, limits: &Limits) -> Result<(), Misuse> {
        let departed = |own: &&Identity| own.termination.get().is_some();
        let left = self.identities.iter().filter(departed).count();
        if self.identities.len().saturating_sub(left) > limits.identities {
            return Err(Misuse::TooLarge {
                limit: "identities",
            });
        }
        for _ in limits.identities..left {
            self.forget_identity();
        }
        loop {
            let limit = if self.bindings.len() > limits.contacts {
                "contacts"
            } else if self.bytes() > limits.registration_bytes {
                "registration_bytes"
            } else if self.document_bound() > limits.xml_bytes {
                "xml_bytes"
            } else {
                return Ok(());
            };
            let forgets = match limit {
                "contacts" => self.forget_binding(),
                _ => self.forget_identity() || self.forget_binding(),
            };
            if !forgets {
                return Err(Misuse::TooLarge { limit });
            }
        }
    }

    /// Forgets the binding that has been gone longest; false if none is gone.
    fn forget_binding(&mut self) -> bool {
        let gone = |(_, binding): &(usize, &Binding)| !binding.is_active();
        let places = self.bindings.iter().enumerate().filter(gone);
        let Some((place, _)) = places.min_by_key(|(_, binding)| binding.changed) else {
            return false;
        };
        let forgotten = self.bindings.remove(place);
        let ended = forgotten.map_or(0, |binding| binding.changed);
        self.forgotten = self.forgotten.max(ended);
        true
    }

    /// Forgets the identity that left first; false if none has left.
    fn forget_identity(&mut self) -> bool {
        let left = self.identities.iter().enumerate();
        let left = left.filter_map(|(place, own)| Some((own.termination.get()?, place)));
        let Some((ended, place)) = left.min() else {
            return false;
        };
        self.identities.remove(place);
        self.forgotten = self.forgotten.max(ended);
        true
    }

    /// Bytes of all strings kept.
    fn bytes(&self) -> usize {
        let strings = self
            .bindings
            .iter()
            .flat_map(|binding| binding.strings.parts());
        let identities = self.identities.iter().map(|identity| &*identity.uri);
        strings
            .chain(identities)
            .fold(0, |sum, string| sum.saturating_add(string.len()))
    }
}
