//! What a P-CSCF holds for one private identity.

use alloc::boxed::Box;

use super::{Config, Registration};
use crate::{
    drive::{Millis, Timer},
    fleet::{Few, Id},
};

/// One private identity: its registrations, and the one subscription they share (RE-2).
pub(super) struct User {
    pub(super) private_identity: Box<[u8]>,
    pub(super) registrations: Few<Registration>,
    /// Its subscription, if there is one.
    pub(super) subscription: Option<Id>,
    /// [RE-9] We have ended it, or are about to, although there are registrations still: the next one makes another.
    pub(super) left: bool,
    /// [PD-9] Until then a NOTIFY may still tell of a contact that the UE has deregistered itself; 0 if none is owed.
    pub(super) notify_owed_until: Millis,
}

impl User {
    pub(super) fn deadline(&self, config: &Config) -> Option<(Millis, Timer)> {
        self.registrations
            .iter()
            .map(|registration| registration.deadline(config))
            .min_by_key(|&(at, _)| at)
    }
}
