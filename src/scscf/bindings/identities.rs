//! [SD-7] The public identities of the set: they come, go, are barred and shown.
//!
//! One that was shown and is barred now is there twice: as one that has left, so that subscribers are told, and as
//! a barred one, of which nobody is.

use alloc::vec::Vec;

use super::{Bindings, Identity};
use crate::{
    drive::{Limits, Misuse},
    scscf::{PublicIdentity, registration::canonical},
};

impl Bindings {
    /// [SD-7, RN-2] Makes these the identities of the set, without any REGISTER (T36); says whether anything
    /// changed that subscribers are told of.
    ///
    /// # Errors
    /// [`Misuse::TooLarge`] if it exceeds a limit; nothing is changed then.
    pub(crate) fn change_profile(
        &mut self,
        profile: &[PublicIdentity<'_>],
        limits: &Limits,
    ) -> Result<bool, Misuse> {
        let mut next = self.clone();
        next.part_from_others(profile);
        for (place, own) in profile.iter().enumerate() {
            let before = profile.get(..place).unwrap_or_default();
            if listed(before, own.uri).is_none() {
                next.take_identity(own);
            }
        }
        if let Some(default) = profile.iter().find(|own| !own.barred) {
            next.put_first(default.uri);
        }
        next.trim(limits)?;
        let changed = next.changes != self.changes;
        *self = next;
        Ok(changed)
    }

    /// Ends what the profile does not list, and what was shown and is barred now.
    fn part_from_others(&mut self, profile: &[PublicIdentity<'_>]) {
        let leaves = |own: &&Identity| {
            own.termination.get().is_none()
                && match listed(profile, &own.uri) {
                    Some(listed) => listed.barred && !own.barred,
                    None => true,
                }
        };
        let (hidden, shown): (Vec<&Identity>, Vec<&Identity>) = self
            .identities
            .iter()
            .filter(leaves)
            .partition(|own| own.barred);
        let [hidden, shown] =
            [hidden, shown].map(|left| left.iter().map(|own| own.number).collect::<Vec<u32>>());
        if !shown.is_empty() {
            let termination = self.next_termination();
            self.part_from(&shown, termination);
        }
        // Nobody was ever told of them.
        self.part_from(&hidden, self.changes);
    }

    /// An identity of the profile is in the set.
    fn take_identity(&mut self, own: &PublicIdentity<'_>) {
        match (self.identity(own.uri), own.barred) {
            (Some(place), false) => self.show(place),
            (None, false) => _ = self.admit(own.uri),
            (Some(_), true) => {}
            (None, true) => self.admit_barred(own.uri),
        }
    }

    /// Identities leave the set with that change.
    pub(super) fn part_from(&mut self, numbers: &[u32], termination: u64) {
        for own in &mut self.identities {
            if numbers.contains(&own.number) {
                own.termination.set(Some(termination));
            }
        }
    }

    /// One that has left, and was barred then, or was not.
    fn departed(&mut self, uri: &[u8], barred: bool) -> Option<&mut Identity> {
        let key = canonical(uri);
        self.identities.iter_mut().find(|own| {
            own.termination.get().is_some() && own.barred == barred && canonical(&own.uri) == key
        })
    }

    /// [RN-2] A new identity of the set. One that was shown before has its number again, which this gives.
    pub(super) fn admit(&mut self, uri: &[u8]) -> u32 {
        let number = self.next_change();
        match self.departed(uri, false) {
            Some(own) => {
                own.uri = uri.into();
                own.changed = number;
                own.termination.set(None);
                own.number
            }
            None => self.add_identity(uri, false),
        }
    }

    /// A new identity of which nobody is told.
    fn admit_barred(&mut self, uri: &[u8]) {
        match self.departed(uri, true) {
            Some(own) => own.termination.set(None),
            None => _ = self.add_identity(uri, true),
        }
    }

    /// An identity that is not barred, or not any more. One that was shown before has its number again.
    pub(super) fn show(&mut self, place: usize) {
        let Some(own) = self.identities.get(place).filter(|own| own.barred) else {
            return;
        };
        let (uri, barred) = (own.uri.clone(), own.number);
        if self.departed(&uri, false).is_some() {
            self.identities.remove(place);
            let number = self.admit(&uri);
            for binding in &mut self.bindings {
                if binding.explicit == barred {
                    binding.explicit = number;
                }
            }
            return;
        }
        let number = self.next_change();
        if let Some(own) = self.identities.get_mut(place) {
            own.barred = false;
            own.changed = number;
        }
    }

    /// Makes an identity of the set the default one.
    pub(super) fn put_first(&mut self, uri: &[u8]) {
        let place = self.identity(uri);
        if let Some(first) = place.and_then(|place| self.identities.get_mut(..=place)) {
            first.rotate_right(1);
        }
    }
}

/// What a profile says of an identity first.
fn listed<'p>(profile: &'p [PublicIdentity<'p>], uri: &[u8]) -> Option<&'p PublicIdentity<'p>> {
    // As a rule it is spelled as it was.
    let key = canonical(uri);
    profile
        .iter()
        .find(|own| own.uri == uri || canonical(own.uri) == key)
}
