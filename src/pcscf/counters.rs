//! [DR-10] What a P-CSCF node counts.

use super::Outcome;
use crate::drive::increment;

/// What a P-CSCF node has counted since it was made. A restore begins anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// REGISTERs with their 2xx that were learnt.
    pub learned: u64,
    /// Reports of loss that concerned a registration.
    pub access_lost: u64,
    /// NOTIFYs accepted.
    pub notifies: u64,
    /// NOTIFYs refused.
    pub notifies_refused: u64,
    /// Messages that could not be read.
    pub malformed: u64,
    /// Answers that came when nothing waited for them any more.
    pub stale_answers: u64,
    /// Registrations that ended with the cleanup after a NOTIFY.
    pub notified: u64,
    /// … after a 2xx without NOTIFY.
    pub unconfirmed: u64,
    /// … because nothing was left at the S-CSCF.
    pub nothing_there: u64,
    /// … because that network does not support it.
    pub unsupported: u64,
    /// … refused.
    pub refused: u64,
    /// … failed.
    pub failed: u64,
    /// … unanswered.
    pub no_response: u64,
    /// … by the UE itself.
    pub by_user: u64,
    /// Emergency registrations that ran out.
    pub expired: u64,
    /// … whose REGISTER could not be written.
    pub unsendable: u64,
    /// … whose turn did not come.
    pub not_asked: u64,
    /// REGISTERs of UEs refused while the node was shut down.
    pub registers_refused: u64,
    /// Reports of loss that were kept, and were not enough.
    pub evidence_kept: u64,
    /// Reports of loss that no rule asks for.
    pub evidence_ignored: u64,
    /// Terminating requests refused because the access of the UE is lost.
    pub terminating_refused: u64,
    /// REGISTERs of UEs that were to be held.
    pub held: u64,
}

impl Counters {
    pub(super) fn count(&mut self, outcome: Outcome) {
        let counter = match outcome {
            Outcome::Notified => &mut self.notified,
            Outcome::Unconfirmed => &mut self.unconfirmed,
            Outcome::NothingThere { .. } => &mut self.nothing_there,
            Outcome::Unsupported { .. } => &mut self.unsupported,
            Outcome::Refused => &mut self.refused,
            Outcome::Failed { .. } => &mut self.failed,
            Outcome::NoResponse => &mut self.no_response,
            Outcome::ByUser => &mut self.by_user,
            Outcome::Expired => &mut self.expired,
            Outcome::Unsendable => &mut self.unsendable,
            Outcome::NotAsked { .. } => &mut self.not_asked,
        };
        increment(counter);
    }

    /// Registrations that ended, in the order of a [`Tally`](super::Tally).
    pub(super) const fn ended(&self) -> [u64; 11] {
        [
            self.notified,
            self.unconfirmed,
            self.nothing_there,
            self.unsupported,
            self.refused,
            self.failed,
            self.no_response,
            self.by_user,
            self.expired,
            self.unsendable,
            self.not_asked,
        ]
    }
}
