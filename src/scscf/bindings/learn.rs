//! [SD-7] What a REGISTER and its 2xx make of the table.

use alloc::vec::Vec;

use super::{Binding, Bindings, FIELDS, Field, Identity, Status, Strings};
use crate::{
    drive::{Limits, Millis, Misuse},
    fleet::Seldom,
    regevent::contact_events::Cause,
    reginfo::ContactEvent,
    scscf::registration::{Learned, LearnedContact, canonical},
    wire::register::{kept_params, unfolded},
};

impl Bindings {
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
        let mut after: Vec<Binding> = next.active().cloned().collect();
        if learned.all_removed {
            after.retain(|binding| !binding.is_of(&learned.private_identity));
        }
        for contact in &learned.contacts {
            next.learn_contact(&mut after, learned, contact, explicit, now)?;
        }
        next.rebind(after, Cause::Register, now);
        next.trim(limits)?;
        let changed = next.changes != self.changes;
        *self = next;
        Ok(changed)
    }

    fn learn_identities(&mut self, learned: &Learned<'_>) {
        let associated = &learned.associated_identities;
        if associated.is_empty() {
            match self.identity(learned.registered_identity) {
                Some(place) if self.identities.len() == 1 => {
                    self.show(place);
                }
                Some(_) => {}
                None => _ = self.admit(learned.registered_identity),
            }
            return;
        }
        let is_listed = |own: &Identity| {
            associated.contains(&&*own.uri) || {
                let key = canonical(&own.uri);
                associated.iter().any(|uri| canonical(uri) == key)
            }
        };
        let left = self.shown().filter(|own| !is_listed(own));
        let left: Vec<u32> = left.map(|own| own.number).collect();
        if !left.is_empty() {
            let termination = self.next_termination();
            self.part_from(&left, termination);
        }
        for uri in associated {
            match self.identity(uri) {
                Some(place) => self.show(place),
                None => _ = self.admit(uri),
            }
        }
        // Registered, but not among those that may be used: barred.
        if self.identity(learned.registered_identity).is_none() {
            self.add_identity(learned.registered_identity, true);
        }
        if let Some(first) = associated.first() {
            self.put_first(first);
        }
    }

    fn learn_contact(
        &mut self,
        after: &mut Vec<Binding>,
        learned: &Learned<'_>,
        contact: &LearnedContact<'_>,
        explicit: u32,
        now: Millis,
    ) -> Result<(), Misuse> {
        let who = learned.private_identity.as_slice();
        let asked = &contact.asked;
        let named: Vec<u32> = after
            .iter()
            .filter(|binding| binding.is_of(who) && binding.is_named_by(asked))
            .map(|binding| binding.number)
            .collect();
        if contact.expires == 0 {
            self.sign(&named, learned.call_id, learned.cseq);
            after.retain(|binding| !named.contains(&binding.number));
            return Ok(());
        }
        let mut fresh = Binding {
            number: self.bindings_ever,
            strings: strings(learned, contact)?,
            cseq: learned.cseq,
            expires_at: now.after_seconds(contact.expires),
            explicit,
            first_cseq: learned.cseq,
            failure: learned.failure,
            event: ContactEvent::Registered,
            changed: self.changes,
            status: Seldom::new(Status::Active),
        };
        let bound: Vec<_> = after.iter().map(Binding::contact).collect();
        let known = fresh.contact().place_among(&bound);
        if let Some(known) = known.and_then(|place| after.get_mut(place)) {
            fresh.number = known.number;
            fresh.explicit = known.explicit;
            fresh.event = known.event;
            fresh.changed = known.changed;
            if known.has_temporary_gruu() && known.field(Field::CallId) == learned.call_id {
                fresh.first_cseq = known.first_cseq;
            }
            *known = fresh;
            return Ok(());
        }
        // A changed URI ends the old contact and begins a new one (T19): of a flow, and of an instance
        // without flows unless the 2xx still lists the old one.
        after.retain(|binding| {
            let is_listed = || {
                learned
                    .listed
                    .iter()
                    .any(|listed| binding.is_named_by(listed))
            };
            let is_replaced = binding.is_of(who) && binding.is_replaced_by(asked) && !is_listed();
            !named.contains(&binding.number) && !is_replaced
        });
        self.bindings_ever = self.bindings_ever.saturating_add(1);
        after.push(fresh);
        Ok(())
    }
}

/// What is kept of a contact, packed.
fn strings(learned: &Learned<'_>, contact: &LearnedContact<'_>) -> Result<Strings, Misuse> {
    let asked = &contact.asked;
    let q = asked.q().and(asked.params().value(b"q"));
    let [public, temporary] = contact.gruus;
    let parts: [&[u8]; FIELDS] = [
        &learned.private_identity,
        asked.uri_bytes(),
        &kept_params(asked),
        &learned.path,
        learned.call_id,
        &plain(asked.display().unwrap_or_default()),
        q.unwrap_or_default(),
        public,
        temporary,
    ];
    Strings::plain(parts, usize::from(u16::MAX)).ok_or(Misuse::TooLarge {
        limit: "registration_bytes",
    })
}

/// A display name without folding, its escapes resolved.
fn plain(display: &[u8]) -> Vec<u8> {
    let mut name = unfolded(display);
    let mut escaped = false;
    name.retain(|byte| {
        escaped = *byte == b'\\' && !escaped;
        !escaped
    });
    name
}
