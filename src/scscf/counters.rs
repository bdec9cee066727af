//! [DR-10] What an S-CSCF node counts.

use super::{Assignment, Cause, deregistration::Deregistration};
use crate::drive::increment;

/// What an S-CSCF node has counted since it was made. A restore begins anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// REGISTERs with their 2xx that were learnt.
    pub learned: u64,
    /// Profiles taken over that the HSS had changed, those that say what was known among them.
    pub profiles_changed: u64,
    /// Deregistrations recognised as a P-CSCF's, those only observed among them.
    pub pcscf_initiated: u64,
    /// Deregistrations that are a user's, those of an element that has authenticated it among them.
    pub user_initiated: u64,
    /// Deregistrations that looked like a P-CSCF's and failed a check, if only that nothing they name is bound.
    pub suspicious: u64,
    /// Deregistrations that removed bindings: by a P-CSCF.
    pub removed_by_pcscf: u64,
    /// … by a user.
    pub removed_by_user: u64,
    /// … at the end of their time.
    pub expired: u64,
    /// … by the operator.
    pub removed_by_operator: u64,
    /// … by the HSS.
    pub removed_by_hss: u64,
    /// … as the user did not authenticate anew in time.
    pub not_reauthenticated: u64,
    /// Commands that the network ends registrations by which met emergency registrations, and left them.
    pub emergencies_spared: u64,
    /// Sets that were to authenticate anew.
    pub reauthentications: u64,
    /// Failures of P-CSCFs.
    pub pcscf_failures: u64,
    /// Deregistrations that came again and were answered again.
    pub repeated: u64,
    /// Deregistrations challenged with 401.
    pub challenged: u64,
    /// Deregistrations refused with 403.
    pub denied: u64,
    /// Deregistrations of what is not known here: 481.
    pub unknown: u64,
    /// Deregistrations answered 416, 420, 500 or 513.
    pub refused: u64,
    /// Deregistrations refused with 503: as many wait for the verdict on the user as
    /// [`waiting_deregistrations`](super::Config::waiting_deregistrations) allows.
    pub turned_away: u64,
    /// Server assignments that failed.
    pub assignments_failed: u64,
    /// Server assignments that were not answered in time.
    pub assignments_unanswered: u64,
    /// Application servers that were told.
    pub servers_told: u64,
    /// Application servers that could not be told.
    pub servers_failed: u64,
    /// SUBSCRIBEs accepted, refreshes and fetches among them.
    pub subscribes: u64,
    /// SUBSCRIBEs refused.
    pub subscribes_refused: u64,
    /// Messages that could not be read.
    pub malformed: u64,
    /// Answers that came when nothing waited for them any more.
    pub stale_answers: u64,
}

impl Counters {
    pub(super) fn count_end(&mut self, ended: &Deregistration) {
        let counter = match (ended.is_accepted(), ended.cause, ended.answered) {
            (true, Cause::Pcscf, _) => &mut self.removed_by_pcscf,
            (true, Cause::User, _) => &mut self.removed_by_user,
            (true, Cause::Expired, _) => &mut self.expired,
            (true, Cause::Operator(_), _) => &mut self.removed_by_operator,
            (true, Cause::Hss(_), _) => &mut self.removed_by_hss,
            (true, Cause::NotReauthenticated, _) => &mut self.not_reauthenticated,
            (false, _, 200) => &mut self.repeated,
            (false, _, 401) => &mut self.challenged,
            (false, _, 403) => &mut self.denied,
            (false, _, 481) => &mut self.unknown,
            (false, _, _) => &mut self.refused,
        };
        increment(counter);
        match ended.outcome.assignment {
            Assignment::Failed => increment(&mut self.assignments_failed),
            Assignment::NoAnswer => increment(&mut self.assignments_unanswered),
            Assignment::NotNeeded | Assignment::Assigned | Assignment::NameNotStored => {}
        }
        let servers = (ended.outcome.servers_told, ended.outcome.servers_failed);
        self.servers_told = self.servers_told.saturating_add(servers.0.into());
        self.servers_failed = self.servers_failed.saturating_add(servers.1.into());
    }
}
