//! What an MSC server's node has counted.

use super::Outcome;
use crate::drive::increment;

/// [DR-10] What a node has counted since it was made. A restore begins anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Registrations learnt, renewals among them.
    pub learned: u64,
    /// Indications that a subscriber is no longer active here, for subscribers who were registered.
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
    /// Registrations that ended with a 2xx.
    pub confirmed: u64,
    /// … because nothing was left there.
    pub nothing_there: u64,
    /// … challenged.
    pub challenged: u64,
    /// … refused.
    pub refused: u64,
    /// … failed.
    pub failed: u64,
    /// … unanswered.
    pub no_response: u64,
    /// … by a NOTIFY.
    pub notified: u64,
    /// … by the host itself.
    pub by_host: u64,
    /// … whose REGISTER could not be written.
    pub unsendable: u64,
    /// … whose turn did not come.
    pub not_asked: u64,
}

impl Counters {
    pub(super) fn count(&mut self, outcome: Outcome) {
        let counter = match outcome {
            Outcome::Confirmed => &mut self.confirmed,
            Outcome::NothingThere { .. } => &mut self.nothing_there,
            Outcome::Challenged { .. } => &mut self.challenged,
            Outcome::Refused { .. } => &mut self.refused,
            Outcome::Failed { .. } => &mut self.failed,
            Outcome::NoResponse => &mut self.no_response,
            Outcome::Notified => &mut self.notified,
            Outcome::ByHost => &mut self.by_host,
            Outcome::Unsendable => &mut self.unsendable,
            Outcome::NotAsked { .. } => &mut self.not_asked,
        };
        increment(counter);
    }
}
