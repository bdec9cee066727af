//! What a P-CSCF holds for one private identity.

use alloc::{boxed::Box, vec::Vec};

use super::{Config, Registration};
use crate::{
    drive::{Millis, Timer},
    regevent::subscriber::Subscription,
};

/// One private identity: its registrations, and the one subscription they share (RE-2).
pub(super) struct User {
    pub(super) private_identity: Box<[u8]>,
    pub(super) registrations: Vec<Registration>,
    pub(super) subscription: Option<Subscription>,
}

impl User {
    pub(super) fn subscription_is_over(&self) -> bool {
        self.subscription.as_ref().is_none_or(Subscription::is_over)
    }

    pub(super) fn deadline(&self, config: &Config) -> Option<(Millis, Timer)> {
        let subscription = self.subscription.as_ref().and_then(Subscription::deadline);
        self.registrations
            .iter()
            .map(|registration| registration.deadline(config))
            .chain(subscription)
            .min_by_key(|&(at, _)| at)
    }
}
