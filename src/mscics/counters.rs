//! What an MSC server's node has counted.

use serde::{Deserialize, Serialize};

use super::Outcome;
use crate::{deregister::Tallied, drive::increment};

/// [DR-10] What a node has counted since it was made. A restore begins anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Registrations learnt, renewals among them.
    pub learned: u64,
    /// Indications that a subscriber is no longer active here, for subscribers who were registered, or were being
    /// deregistered for another reason than such an indication.
    pub triggered: u64,
    /// Deregistrations given up because the subscriber returned.
    pub cancelled: u64,
    /// NOTIFYs accepted.
    pub notifies: u64,
    /// NOTIFYs refused.
    pub notifies_refused: u64,
    /// Messages that could not be read.
    pub malformed: u64,
    /// Answers that came when nothing waited for them any more.
    pub stale_answers: u64,
    /// Registrations that ended, by outcome.
    pub ended: Tally,
}

impl Counters {
    pub(super) fn count(&mut self, outcome: Outcome) {
        let ended = &mut self.ended;
        let counter = match outcome {
            Outcome::Confirmed => &mut ended.confirmed,
            Outcome::NothingThere { .. } => &mut ended.nothing_there,
            Outcome::Challenged { .. } => &mut ended.challenged,
            Outcome::Refused { .. } => &mut ended.refused,
            Outcome::Failed { .. } => &mut ended.failed,
            Outcome::NoResponse => &mut ended.no_response,
            Outcome::Notified => &mut ended.notified,
            Outcome::ByHost => &mut ended.by_host,
            Outcome::Unsendable => &mut ended.unsendable,
            Outcome::NotAsked { .. } => &mut ended.not_asked,
        };
        increment(counter);
    }
}

/// [DR-10] Registrations that ended, by [`Outcome`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Tally {
    /// The REGISTER was answered 2xx.
    pub confirmed: u64,
    /// Nothing was left there.
    pub nothing_there: u64,
    /// Authentication was asked for.
    pub challenged: u64,
    /// Refused.
    pub refused: u64,
    /// Failed.
    pub failed: u64,
    /// Unanswered.
    pub no_response: u64,
    /// The network itself said so.
    pub notified: u64,
    /// The host itself has ended it.
    pub by_host: u64,
    /// The REGISTER could not be written.
    pub unsendable: u64,
    /// The turn did not come.
    pub not_asked: u64,
}

impl Tally {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.parts().into_iter().fold(0, u64::saturating_add)
    }

    /// In the order in which they stand here.
    const fn parts(&self) -> [u64; 10] {
        let Self {
            confirmed,
            nothing_there,
            challenged,
            refused,
            failed,
            no_response,
            notified,
            by_host,
            unsendable,
            not_asked,
        } = *self;
        [
            confirmed,
            nothing_there,
            challenged,
            refused,
            failed,
            no_response,
            notified,
            by_host,
            unsendable,
            not_asked,
        ]
    }

    const fn of(parts: [u64; 10]) -> Self {
        let [
            confirmed,
            nothing_there,
            challenged,
            refused,
            failed,
            no_response,
            notified,
            by_host,
            unsendable,
            not_asked,
        ] = parts;
        Self {
            confirmed,
            nothing_there,
            challenged,
            refused,
            failed,
            no_response,
            notified,
            by_host,
            unsendable,
            not_asked,
        }
    }
}

impl Tallied for Tally {
    type Counters = Counters;

    fn and(self, from: &Counters, to: &Counters) -> Self {
        let mut parts = self.parts();
        let counted = from.ended.parts().into_iter().zip(to.ended.parts());
        for (part, (from, to)) in parts.iter_mut().zip(counted) {
            *part = part.saturating_add(to.saturating_sub(from));
        }
        Self::of(parts)
    }
}
