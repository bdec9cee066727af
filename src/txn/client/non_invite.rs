//! Non-INVITE client transactions (RFC 3261 17.1.2).

use super::{Action, Input, Situation};
use crate::txn::config::Timers;

/// How far such a transaction has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing has come from this next hop.
    Trying,
    /// A provisional response has come.
    Proceeding,
    /// The node has its answer; retransmissions of the response are absorbed.
    Completed,
}

impl State {
    /// [RFC 3261 17.1.2.2] [RFC 3263 4.3] Every transition. A next hop has failed when it cannot be reached,
    /// answers 503, or says nothing at all; one that has sent a provisional response has not.
    pub(super) fn decide(self, input: Input, situation: Situation) -> Action {
        match (self, input) {
            (Self::Trying | Self::Proceeding, Input::Response(100..=199)) => Action::Proceed,
            (Self::Trying | Self::Proceeding, Input::Response(503)) => {
                situation.next_hop_or(Action::Deliver)
            }
            (Self::Trying | Self::Proceeding, Input::Response(_)) => Action::Deliver,
            (Self::Trying | Self::Proceeding, Input::Unreachable) => {
                situation.next_hop_or(Action::GiveUp)
            }
            (Self::Trying | Self::Proceeding, Input::Tick) if situation.is_to_be_resent => {
                Action::Retransmit
            }
            (Self::Trying, Input::Unanswered | Input::Tick) => {
                situation.next_hop_or(Action::TimeOut)
            }
            (Self::Proceeding, Input::Unanswered | Input::Tick) => Action::TimeOut,

            (Self::Completed, Input::Response(_)) => Action::Absorb,
            (Self::Completed, Input::Unreachable | Input::Unanswered) => Action::Ignore,
            (Self::Completed, Input::Tick) => Action::Forget,
        }
    }

    /// [RFC 3261 17.1.2.2] The interval of Timer E after one of `interval`.
    pub(super) fn next_interval(self, interval: u64, timers: Timers) -> u64 {
        match self {
            Self::Proceeding => timers.longest_interval(),
            Self::Trying | Self::Completed => timers.next_interval(interval),
        }
    }

    /// The timer that ends it.
    pub(super) const fn last_timer(self) -> &'static str {
        match self {
            Self::Trying | Self::Proceeding => "transaction timer F",
            Self::Completed => "transaction timer K",
        }
    }
}
