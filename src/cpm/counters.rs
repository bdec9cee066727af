//! [DR-10] What a node of the CPM Participating Function counts.

use super::Cause;
use crate::drive::increment;

/// What a node of the CPM Participating Function has counted since it was made. A restore begins anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Sessions that were established.
    pub established: u64,
    /// BYEs that were taken.
    pub byes: u64,
    /// BYEs of no session.
    pub unknown: u64,
    /// BYEs out of order.
    pub out_of_order: u64,
    /// BYEs that had come before.
    pub repeated: u64,
    /// BYEs that led to another element.
    pub misrouted: u64,
    /// BYEs that crossed one of ours.
    pub crossed: u64,
    /// Reasons too long to be carried across.
    pub reasons_dropped: u64,
    /// Messages that could not be read.
    pub malformed: u64,
    /// Answers that came when nothing waited for them any more.
    pub stale_answers: u64,
    /// Sessions closed that a BYE of the client began.
    pub closed_by_client: u64,
    /// … of the other CPM entity.
    pub closed_by_other: u64,
    /// … of an IWF.
    pub closed_by_iwf: u64,
    /// … that the host closed.
    pub closed_by_host: u64,
    /// … whose dialog turned out to be gone.
    pub dialog_gone: u64,
    /// Sessions stored in time.
    pub stored: u64,
    /// … too late.
    pub stored_late: u64,
    /// Sessions that could not be stored.
    pub store_failed: u64,
    /// Stores that were not answered in time.
    pub store_timeouts: u64,
    /// UIDs that could not stand in Message-UID.
    pub bad_uids: u64,
    /// Legs that did not answer in the time for the far side.
    pub far_side_timeouts: u64,
    /// IWFs whose streams were deleted.
    pub streams_deleted: u64,
    /// … could not be deleted.
    pub deletions_failed: u64,
    /// BYEs that a proxy passed on.
    pub relayed: u64,
}

impl Counters {
    pub(super) const fn count(&mut self, cause: Cause) {
        increment(match cause {
            Cause::Client => &mut self.closed_by_client,
            Cause::Other => &mut self.closed_by_other,
            Cause::Iwf(_) => &mut self.closed_by_iwf,
            Cause::Host => &mut self.closed_by_host,
            Cause::DialogGone => &mut self.dialog_gone,
        });
    }
}
