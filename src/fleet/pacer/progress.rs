//! How far a pacer has come, as plain data.

use super::{NotAsked, Outcome};
use crate::drive::{Millis, increment};

/// How far a pacer has come. All but the first two count from when it was made, restores included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Machines that wait for their turn.
    pub queued: u32,
    /// Machines whose request is out.
    pub out: u32,
    /// Turns given.
    pub asked: u64,
    /// Outcomes: [`Outcome::Answered`].
    pub answered: u64,
    /// … [`Outcome::Refused`].
    pub refused: u64,
    /// … [`Outcome::Overloaded`].
    pub overloaded: u64,
    /// … [`Outcome::Timeout`].
    pub timeouts: u64,
    /// … [`Outcome::Unreachable`].
    pub unreachable: u64,
    /// … [`Outcome::Abandoned`].
    pub abandoned: u64,
    /// Machines cancelled while they waited.
    pub cancelled: u64,
    /// Machines given back: [`NotAsked::Deadline`].
    pub past_deadline: u64,
    /// … [`NotAsked::Canaries`].
    pub stopped: u64,
    /// Times that a next hop was slowed down.
    pub decreases: u64,
    /// Outcomes of machines that were not out: they changed nothing.
    pub stale_outcomes: u64,
}

impl Progress {
    pub(super) fn count(&mut self, outcome: Outcome) {
        increment(match outcome {
            Outcome::Answered => &mut self.answered,
            Outcome::Refused => &mut self.refused,
            Outcome::Overloaded { .. } => &mut self.overloaded,
            Outcome::Timeout => &mut self.timeouts,
            Outcome::Unreachable => &mut self.unreachable,
            Outcome::Abandoned => &mut self.abandoned,
        });
    }

    pub(super) fn count_not_asked(&mut self, reason: NotAsked) {
        increment(match reason {
            NotAsked::Deadline => &mut self.past_deadline,
            NotAsked::Canaries => &mut self.stopped,
        });
    }
}

/// How cautiously a next hop is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Caution {
    /// Its canaries are out, or to go.
    Canaries,
    /// All go at its rate.
    Open,
    /// Nothing goes there: its canaries were bad.
    Stopped,
}

/// The state of one next hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HopProgress {
    /// Machines that wait for their turn there.
    pub queued: u32,
    /// Machines whose request is out there.
    pub out: u32,
    /// Its rate, in requests per second.
    pub rate: u32,
    /// How cautiously it is treated.
    pub caution: Caution,
    /// Nothing goes there before this instant: it said Retry-After, or its canaries were bad.
    pub held_until: Millis,
}
