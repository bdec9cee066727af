//! The table of one implicit registration set: its public identities, and what they are bound to.

use alloc::{boxed::Box, vec::Vec};

use super::registration::{Learned, canonical};
use crate::{
    drive::{Buffer, Limits, Millis, Misuse, Reject},
    fleet::Packed,
    regevent::notifier::Resource,
    reginfo::{
        ContactEvent, ContactOut, ContactState, DocumentState, DocumentWriter, Id,
        RegistrationState,
    },
    wire::{
        Contact, Message, NameAddr, Params, Uri,
        register::{flow, is_emergency, kept_params, private_identity, same_contact, username},
    },
};

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
}

pub(crate) const FIELDS: usize = 5;
const CALL_ID: usize = Field::CallId as usize;

/// Whether a binding is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Active {
        refreshed: bool,
    },
    Gone {
        event: ContactEvent,
        /// Number of the termination.
        termination: u64,
        /// Until when a REGISTER that removed it may come again.
        until: Millis,
    },
}

/// A public identity with a contact, or flow, of one of its users.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Binding {
    pub(crate) number: u32,
    pub(crate) strings: Packed<FIELDS>,
    pub(crate) cseq: u32,
    pub(crate) expires_at: Millis,
    /// The identity that was registered explicitly; all others came with it.
    pub(crate) explicit: u32,
    pub(crate) status: Status,
}

impl Binding {
    pub(crate) fn field(&self, field: Field) -> &[u8] {
        self.strings.get(field as usize)
    }

    pub(crate) const fn is_active(&self) -> bool {
        matches!(self.status, Status::Active { .. })
    }

    fn is_of(&self, private_identity: &[u8]) -> bool {
        self.field(Field::PrivateIdentity) == private_identity
    }

    fn flow(&self) -> (Option<&[u8]>, Option<&[u8]>) {
        flow(Params::new(self.field(Field::Params)))
    }

    /// [SD-3] Whether a contact names this binding: the same flow, where both have instance and reg-id
    /// (RFC 5626 6); else an equal URI, where instance and reg-id do not contradict.
    fn is_named_by(&self, contact: &NameAddr<'_>) -> bool {
        let (instance, reg_id) = self.flow();
        let agree = |own: Option<&[u8]>, theirs: Option<&[u8]>| match (own, theirs) {
            (Some(own), Some(theirs)) => own == theirs,
            _ => true,
        };
        match (instance, reg_id, flow(contact.params())) {
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
        match (self.flow(), flow(contact.params())) {
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
    /// Number of the termination by which it left the set.
    pub(crate) termination: Option<u64>,
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
    pub(crate) bindings: Vec<Binding>,
    pub(crate) identities_ever: u32,
    pub(crate) bindings_ever: u32,
    pub(crate) terminations: u64,
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
            .filter(|identity| !identity.barred && identity.termination.is_none())
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
        self.identities.push(Identity {
            number,
            uri: uri.into(),
            barred,
            termination: None,
        });
        number
    }

    fn identity(&self, uri: &[u8]) -> Option<usize> {
        let key = canonical(uri);
        self.identities
            .iter()
            .position(|own| own.termination.is_none() && canonical(&own.uri) == key)
    }

    /// Whether a public identity is one of the set.
    pub(crate) fn has_identity(&self, key: &[u8]) -> bool {
        self.identities
            .iter()
            .any(|own| own.termination.is_none() && canonical(&own.uri) == key)
    }

    fn next_termination(&mut self) -> u64 {
        self.terminations = self.terminations.saturating_add(1);
        self.terminations
    }

    /// Removes bindings. They stay as tombstones.
    pub(crate) fn remove(&mut self, numbers: &[u32], event: ContactEvent, now: Millis) {
        let termination = self.next_termination();
        for binding in &mut self.bindings {
            if binding.is_active() && numbers.contains(&binding.number) {
                binding.status = Status::Gone {
                    event,
                    termination,
                    until: now.after(TOMBSTONE),
                };
            }
        }
    }

    /// [SD-3] Removes bindings as this REGISTER says, which is remembered with them.
    pub(crate) fn remove_by(&mut self, numbers: &[u32], call_id: &[u8], cseq: u32, now: Millis) {
        for binding in &mut self.bindings {
            if numbers.contains(&binding.number) {
                let mut parts = binding.strings.parts();
                parts[CALL_ID] = call_id;
                if let Some(strings) = Packed::new(parts, usize::from(u16::MAX)) {
                    binding.strings = strings;
                }
                binding.cseq = cseq;
            }
        }
        self.remove(numbers, ContactEvent::Unregistered, now);
    }

    /// The bindings past their time, of one private identity.
    pub(crate) fn expired(&self, now: Millis) -> Option<(Box<[u8]>, Vec<u32>)> {
        let first = self.active().find(|binding| binding.expires_at <= now)?;
        let who = first.field(Field::PrivateIdentity);
        let numbers = self
            .active()
            .filter(|binding| binding.expires_at <= now && binding.is_of(who))
            .map(|binding| binding.number);
        Some((who.into(), numbers.collect()))
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
            .filter_map(|binding| match binding.status {
                Status::Gone {
                    termination, until, ..
                } if termination <= told && !uses(binding.number) => Some(until),
                _ => None,
            });
        useless.min()
    }

    /// [RN-3] Forgets what is gone, of which every subscriber knows, that no procedure `uses`, and for which
    /// no REGISTER can come again.
    pub(crate) fn purge(&mut self, told: u64, now: Millis, uses: impl Fn(u32) -> bool) {
        self.bindings.retain(|binding| match binding.status {
            Status::Gone {
                termination, until, ..
            } => termination > told || until > now || uses(binding.number),
            Status::Active { .. } => true,
        });
        self.identities.retain(|identity| {
            identity
                .termination
                .is_none_or(|termination| termination > told)
        });
    }

    /// [SD-1] The stored Paths of what a REGISTER names; `None` for what is not bound. Bindings that the same
    /// Call-ID removed count.
    pub(crate) fn named_paths(&self, request: &Message<'_>) -> Result<Vec<Option<&[u8]>>, Reject> {
        let call_id = request.call_id()?;
        let mut paths = Vec::new();
        for contact in request.contacts() {
            let Contact::Addr(contact) = contact? else {
                paths.extend(
                    self.active()
                        .map(|binding| Some(binding.field(Field::Path))),
                );
                continue;
            };
            let before = paths.len();
            let counts = |binding: &&Binding| {
                binding.is_named_by(&contact)
                    && (binding.is_active() || binding.field(Field::CallId) == call_id)
            };
            let named = self.bindings.iter().filter(counts);
            paths.extend(named.map(|binding| Some(binding.field(Field::Path))));
            if paths.len() == before {
                paths.push(None);
            }
        }
        Ok(paths)
    }

    /// [SD-3] What a REGISTER that removes bindings comes to: all that it names, or nothing. Bindings of
    /// another private identity are not touched; nor is what was registered anew since by one that a P-CSCF
    /// only repeats, whose Call-ID is of that deregistration alone (PD-5, T42).
    pub(crate) fn removal(&self, request: &Message<'_>, by_pcscf: bool) -> Result<Removal, Reject> {
        let (call_id, cseq) = (request.call_id()?, request.cseq()?.number);
        let mut who = username(request)?.map(Vec::into_boxed_slice);
        let (mut going, mut gone) = (Vec::new(), Vec::new());
        for contact in request.contacts() {
            let contact = match contact? {
                Contact::Addr(contact) => Some(contact),
                Contact::Star => None,
            };
            if contact.is_none() && who.is_none() {
                who = Some(
                    self.only_user()
                        .unwrap_or(private_identity(request)?.into()),
                );
            }
            let named = |binding: &&Binding| match &contact {
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
                if who.as_ref().is_some_and(|who| !binding.is_of(who))
                    || !(binding.is_active() || same_call)
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
                    return Ok(Removal::OutOfOrder);
                }
                who.get_or_insert_with(|| binding.field(Field::PrivateIdentity).into());
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
                return Ok(Removal::Unknown);
            }
        }
        Ok(match who {
            Some(who) if !going.is_empty() => Removal::Of(who, going),
            _ if !gone.is_empty() => Removal::Repeated(gone),
            _ => Removal::Unknown,
        })
    }

    /// The private identity, if all bindings are of one.
    fn only_user(&self) -> Option<Box<[u8]>> {
        let first = self.active().next()?.field(Field::PrivateIdentity);
        self.active()
            .all(|binding| binding.is_of(first))
            .then(|| first.into())
    }

    /// [SD-7, RN-2] Takes over what a REGISTER and its 2xx left; says whether anything changed that
    /// subscribers are told of.
    ///
    /// # Errors
    /// [`Misuse::TooLarge`] if it exceeds a limit; nothing is changed then.
    pub(crate) fn learn(
        &mut self,
        learned: &Learned<'_>,
        now: Millis,
        limits: &Limits,
    ) -> Result<bool, Misuse> {
        let mut next = self.clone();
        next.learn_identities(learned);
        let explicit = next.identity(learned.registered_identity);
        let explicit = explicit.and_then(|place| next.identities.get(place));
        let explicit = explicit.map_or(u32::MAX, |identity| identity.number);
        if learned.all_removed {
            let of_user = next.active().filter(|b| b.is_of(&learned.private_identity));
            let numbers: Vec<u32> = of_user.map(|binding| binding.number).collect();
            next.remove(&numbers, ContactEvent::Unregistered, now);
        }
        for (contact, expires) in &learned.contacts {
            next.learn_contact(learned, contact, *expires, explicit, now)?;
        }
        next.trim(limits)?;
        let changed = *self != next;
        *self = next;
        Ok(changed)
    }

    fn learn_identities(&mut self, learned: &Learned<'_>) {
        let associated = &learned.associated_identities;
        if associated.is_empty() {
            match self.identity(learned.registered_identity) {
                Some(place) if self.identities.len() == 1 => {
                    if let Some(only) = self.identities.get_mut(place) {
                        only.barred = false;
                    }
                }
                Some(_) => {}
                None => {
                    self.add_identity(learned.registered_identity, false);
                }
            }
            return;
        }
        let keys: Vec<Vec<u8>> = associated.iter().map(|uri| canonical(uri)).collect();
        let registered = canonical(learned.registered_identity);
        let left = |own: &Identity| {
            let key = canonical(&own.uri);
            own.termination.is_none() && !keys.contains(&key) && (key != registered || !own.barred)
        };
        if self.identities.iter().any(|own| left(own) && !own.barred) {
            let termination = self.next_termination();
            for own in &mut self.identities {
                if left(own) && !own.barred {
                    own.termination = Some(termination);
                }
            }
        }
        for uri in associated {
            match self.identity(uri) {
                Some(place) => {
                    if let Some(own) = self.identities.get_mut(place) {
                        own.barred = false;
                    }
                }
                None => {
                    self.add_identity(uri, false);
                }
            }
        }
        // Registered, but not among those that may be used: barred.
        if self.identity(learned.registered_identity).is_none() {
            self.add_identity(learned.registered_identity, true);
        }
        if let Some(place) = associated.first().and_then(|first| self.identity(first)) {
            if let Some(first) = self.identities.get_mut(..=place) {
                first.rotate_right(1);
            }
        }
    }

    fn learn_contact(
        &mut self,
        learned: &Learned<'_>,
        contact: &NameAddr<'_>,
        expires: u32,
        explicit: u32,
        now: Millis,
    ) -> Result<(), Misuse> {
        let who = learned.private_identity.as_slice();
        let named: Vec<u32> = self
            .active()
            .filter(|binding| binding.is_of(who) && binding.is_named_by(contact))
            .map(|binding| binding.number)
            .collect();
        if expires == 0 {
            if !named.is_empty() {
                self.remove_by(&named, learned.call_id, learned.cseq, now);
            }
            return Ok(());
        }
        let params = kept_params(contact);
        let parts: [&[u8]; FIELDS] = [
            who,
            contact.uri_bytes(),
            &params,
            &learned.path,
            learned.call_id,
        ];
        let strings = Packed::new(parts, usize::from(u16::MAX)).ok_or(Misuse::TooLarge {
            limit: "registration_bytes",
        })?;
        let same_uri = |binding: &&mut Binding| {
            named.contains(&binding.number)
                && Uri::parse(binding.field(Field::Uri))
                    .is_ok_and(|uri| same_contact(&uri, &contact.uri()))
        };
        if let Some(known) = self.bindings.iter_mut().find(same_uri) {
            known.strings = strings;
            known.cseq = learned.cseq;
            known.expires_at = now.after_seconds(expires);
            known.status = Status::Active { refreshed: true };
            return Ok(());
        }
        // A changed URI ends the old contact and begins a new one (T19): of a flow, and of an instance
        // without flows unless the 2xx still lists the old one.
        let replaced: Vec<u32> = self
            .active()
            .filter(|binding| {
                named.contains(&binding.number)
                    || (binding.is_of(who)
                        && binding.is_replaced_by(contact)
                        && !learned
                            .listed
                            .iter()
                            .any(|listed| binding.is_named_by(listed)))
            })
            .map(|binding| binding.number)
            .collect();
        if !replaced.is_empty() {
            self.remove(&replaced, ContactEvent::Unregistered, now);
        }
        let number = self.bindings_ever;
        self.bindings_ever = number.saturating_add(1);
        self.bindings.push(Binding {
            number,
            strings,
            cseq: learned.cseq,
            expires_at: now.after_seconds(expires),
            explicit,
            status: Status::Active { refreshed: false },
        });
        Ok(())
    }

    /// [DR-5] Within the limits, giving up what is gone where need be: a full document without it says the
    /// same.
    fn trim(&mut self, limits: &Limits) -> Result<(), Misuse> {
        if self
            .identities
            .iter()
            .filter(|own| own.termination.is_none())
            .count()
            > limits.identities
        {
            return Err(Misuse::TooLarge {
                limit: "identities",
            });
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
            let oldest = self
                .bindings
                .iter()
                .position(|binding| !binding.is_active());
            match oldest {
                Some(place) => self.bindings.remove(place),
                None => return Err(Misuse::TooLarge { limit }),
            };
        }
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

    /// No document of the set is longer.
    fn document_bound(&self) -> usize {
        let contact = |binding: &Binding| {
            let params = binding.field(Field::Params);
            let count = params.iter().filter(|byte| **byte == b';').count();
            200usize
                .saturating_add(escaped(binding.field(Field::Uri)))
                .saturating_add(escaped(params))
                .saturating_add(count.saturating_mul(48))
        };
        let contacts = self
            .bindings
            .iter()
            .map(contact)
            .fold(0, usize::saturating_add);
        self.identities
            .iter()
            .filter(|identity| !identity.barred)
            .map(|identity| {
                contacts
                    .saturating_add(100)
                    .saturating_add(escaped(&identity.uri))
            })
            .fold(200, usize::saturating_add)
    }
}

/// The most bytes that a text takes in a document.
fn escaped(text: &[u8]) -> usize {
    let one = |byte: &u8| match byte {
        b'<' | b'>' | b'&' | b'"' | b'\'' => 6,
        0x20..=0x7e => 1,
        _ => 3,
    };
    text.iter().map(one).fold(0, usize::saturating_add)
}

impl Resource for Bindings {
    fn terminations(&self) -> u64 {
        self.terminations
    }

    fn is_terminated(&self) -> bool {
        self.active().next().is_none()
    }

    /// [RN-2] Every identity of the set that is not barred, every one with every contact.
    fn write_document(&self, buffer: &mut Buffer, version: u32, since: u64, now: Millis) {
        let mut document = DocumentWriter::new(buffer, version, DocumentState::Full);
        for identity in self.identities.iter().filter(|identity| !identity.barred) {
            if identity
                .termination
                .is_some_and(|termination| termination <= since)
            {
                continue;
            }
            let left = identity.termination.is_some();
            let state = if left || self.is_terminated() {
                RegistrationState::Terminated
            } else {
                RegistrationState::Active
            };
            let id = Id::Numbered('r', identity.number.into());
            document.registration(&identity.uri, id, state);
            for binding in &self.bindings {
                let event = match binding.status {
                    Status::Gone { termination, .. } if termination <= since => continue,
                    Status::Gone { event, .. } => event,
                    Status::Active { .. } if left => ContactEvent::Rejected,
                    Status::Active { refreshed: true } => ContactEvent::Refreshed,
                    Status::Active { .. } if binding.explicit == identity.number => {
                        ContactEvent::Registered
                    }
                    Status::Active { .. } => ContactEvent::Created,
                };
                let expires = match event.state() {
                    ContactState::Active => binding.seconds_left(now),
                    ContactState::Terminated => 0,
                };
                let id = Id::Numbered('c', binding.number.into());
                let uri = binding.field(Field::Uri);
                let mut contact = ContactOut::new(id, event.state(), event, uri);
                contact.expires = Some(expires);
                contact.params_raw = binding.field(Field::Params);
                document.contact(&contact);
            }
        }
        document.finish();
    }
}
