//! [SD-5, SD-6] What the network does to bindings without a REGISTER.

use alloc::{boxed::Box, vec::Vec};

use super::{Binding, Bindings, Bound, Cause, Field, Status, is_emergency};
use crate::drive::Millis;

/// Bindings of one private identity, by number.
pub(crate) type Part = (Box<[u8]>, Vec<u32>);

impl Binding {
    /// Whether it is of an emergency registration, which only the user and time end (TS 24.229 5.4.8).
    fn is_emergency(&self) -> bool {
        is_emergency(self.field(Field::Uri))
    }

    /// Whether its private identity is one of these, of which none means any.
    fn is_of_any(&self, private_identities: &[&[u8]]) -> bool {
        private_identities.is_empty() || private_identities.iter().any(|who| self.is_of(who))
    }
}

impl Bound<'_> {
    /// Whether the network may end it.
    pub(crate) fn can_depart(&self) -> bool {
        !is_emergency(self.uri)
    }
}

impl Bindings {
    /// [SD-5] The bindings of these private identities that the network may end, one part for each of them.
    pub(crate) fn departing(&self, private_identities: &[&[u8]]) -> Vec<Part> {
        let mut parts: Vec<Part> = Vec::new();
        let goes = |own: &&Binding| own.is_of_any(private_identities) && !own.is_emergency();
        for binding in self.active().filter(goes) {
            let part = parts.iter_mut().find(|(who, _)| binding.is_of(who));
            match part {
                Some((_, numbers)) => numbers.push(binding.number),
                None => parts.push((
                    binding.field(Field::PrivateIdentity).into(),
                    Vec::from([binding.number]),
                )),
            }
        }
        parts
    }

    /// [SD-5] The emergency registrations of these private identities: each with the public identity that was
    /// registered explicitly.
    pub(crate) fn emergencies<'t>(
        &'t self,
        private_identities: &[&[u8]],
    ) -> Vec<(&'t [u8], &'t [u8])> {
        let mut pairs: Vec<(&[u8], &[u8])> = Vec::new();
        let stays = |own: &&Binding| own.is_of_any(private_identities) && own.is_emergency();
        for binding in self.active().filter(stays) {
            let explicit = self
                .identities
                .iter()
                .find(|identity| identity.number == binding.explicit);
            let public = explicit.map_or_else(|| self.default_identity(), |own| &own.uri);
            let pair = (binding.field(Field::PrivateIdentity), public);
            if !pairs.contains(&pair) {
                pairs.push(pair);
            }
        }
        pairs
    }

    /// [SD-5] Removes bindings of which nobody is told: another S-CSCF has them. What subscribers who stay are told
    /// next says everything.
    pub(crate) fn forget(&mut self, numbers: &[u32], now: Millis) {
        for binding in &mut self.bindings {
            if numbers.contains(&binding.number) {
                binding.changed = 0;
                binding.status.set(Status::Gone {
                    retry_after: None,
                    until: now,
                });
            }
        }
        self.forgotten = self.next_change();
    }

    /// [SD-6] Leaves the bindings of these private identities no more than so much time; whether any had more.
    pub(crate) fn shorten(
        &mut self,
        private_identities: &[&[u8]],
        until: Millis,
        now: Millis,
    ) -> bool {
        let before = self.changes;
        let mut after: Vec<Binding> = self.active().cloned().collect();
        for binding in &mut after {
            if binding.is_of_any(private_identities) && !binding.is_emergency() {
                binding.expires_at = binding.expires_at.min(until);
            }
        }
        self.rebind(after, Cause::Reauthentication, now);
        self.changes != before
    }
}
