//! What is counted, as plain numbers.

use super::memory::Struct;
use crate::{pcscf::Counters, regevent::statistics::SubscriptionCountStatistics};

/// What a P-CSCF node has counted since it was made. A restore begins anew.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct imsp_pcscf_counts {
    /// `sizeof(imsp_pcscf_counts)`, to be set by the caller.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
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
    /// Registrations that ended after a 2xx without NOTIFY.
    pub unconfirmed: u64,
    /// Registrations that ended because nothing was left at the S-CSCF.
    pub nothing_there: u64,
    /// Registrations that ended because that network does not support it.
    pub unsupported: u64,
    /// Registrations that ended refused.
    pub refused: u64,
    /// Registrations that ended failed.
    pub failed: u64,
    /// Registrations that ended unanswered.
    pub no_response: u64,
    /// Registrations that the UE itself ended.
    pub by_user: u64,
    /// Emergency registrations that ran out.
    pub expired: u64,
    /// Registrations whose REGISTER could not be written.
    pub unsendable: u64,
    /// How often the caller's time went backwards.
    pub time_backwards: u64,
    /// Registrations whose turn did not come.
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

// SAFETY: `repr(C)`, integers alone: 2·4 + 23·8 bytes, each in its place without padding.
unsafe impl Struct for imsp_pcscf_counts {
    const FIRST_SIZE: usize = 144;
}

impl imsp_pcscf_counts {
    /// [DR-10] The counters, and how often time went backwards.
    pub(super) const fn of(counters: Counters, time_backwards: u64) -> Self {
        let Counters {
            learned,
            access_lost,
            notifies,
            notifies_refused,
            malformed,
            stale_answers,
            notified,
            unconfirmed,
            nothing_there,
            unsupported,
            refused,
            failed,
            no_response,
            by_user,
            expired,
            unsendable,
            not_asked,
            registers_refused,
            evidence_kept,
            evidence_ignored,
            terminating_refused,
            held,
        } = counters;
        Self {
            struct_size: 0,
            reserved: 0,
            learned,
            access_lost,
            notifies,
            notifies_refused,
            malformed,
            stale_answers,
            notified,
            unconfirmed,
            nothing_there,
            unsupported,
            refused,
            failed,
            no_response,
            by_user,
            expired,
            unsendable,
            time_backwards,
            not_asked,
            registers_refused,
            evidence_kept,
            evidence_ignored,
            terminating_refused,
            held,
        }
    }
}

/// `sipSubscriptionCountStatistics`: subscriptions of an address context, counted since the system came up. A restore
/// begins anew with the counts; what is active and pending is then what was restored.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct imsp_subscription_counts {
    /// `sizeof(imsp_subscription_counts)`, to be set by the caller.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// `sipSubscriptionCountAttempts`: initial subscriptions begun.
    pub attempts: u64,
    /// `sipSubscriptionCountSuccessful`: those that the notifier accepted.
    pub successful: u64,
    /// `sipSubscriptionCountActive`: subscriptions active now.
    pub active: u64,
    /// `sipSubscriptionCountPending`: subscriptions begun, and not active yet.
    pub pending: u64,
    /// `sipSubscriptionCountFailed`: initial subscriptions that came to nothing.
    pub failed: u64,
}

// SAFETY: `repr(C)`, integers alone: 2·4 + 5·8 bytes, each in its place without padding.
unsafe impl Struct for imsp_subscription_counts {
    const FIRST_SIZE: usize = 48;
}

impl From<SubscriptionCountStatistics> for imsp_subscription_counts {
    fn from(counts: SubscriptionCountStatistics) -> Self {
        let SubscriptionCountStatistics {
            attempts,
            successful,
            active,
            pending,
            failed,
        } = counts;
        Self {
            struct_size: 0,
            reserved: 0,
            attempts,
            successful,
            active,
            pending,
            failed,
        }
    }
}
