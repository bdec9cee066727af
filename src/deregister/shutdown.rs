//! [PD-2] How far the shutdown of a node has come: who is asked when, and what is reported.

use alloc::vec::Vec;
use core::ops::Range;

use serde::{Deserialize, Serialize};

use super::{Pace, Pacing, Terms};
use crate::drive::Millis;

/// What has ended, by outcome.
pub(crate) trait Tallied: Copy + Default {
    /// What a node has counted.
    type Counters: Copy + Default;

    /// This and what was counted between the two.
    fn and(self, from: &Self::Counters, to: &Self::Counters) -> Self;
}

/// What is ordered.
#[derive(Clone, Copy)]
pub(crate) struct Order {
    pub(crate) deadline: Millis,
    pub(crate) pace: Pace,
    /// Whether emergency registrations are meant too.
    pub(crate) emergency: bool,
}

/// Places that one tick looks at.
const WALK: u32 = 64;

/// The places that are looked at now, of a walk that has come to `from`; none past the last.
pub(crate) fn stretch(from: u32, places: u32) -> Range<u32> {
    from..from.saturating_add(WALK).min(places)
}

/// Which registrations come before which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Class {
    Ordinary,
    InDialog,
    Emergency,
}

/// How far a shutdown has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// Those of the class are queued.
    Walking(Class),
    /// All are.
    Walked,
    /// All are cleaned up.
    Closing,
    /// All were.
    Closed,
    /// It has been reported.
    Ended,
}

/// A shutdown while it runs, and after it until the node is resumed.
pub(crate) struct Drain<T: Tallied> {
    pub(crate) deadline: Millis,
    pub(crate) emergency: bool,
    pace: Pace,
    pub(crate) stage: Stage,
    /// The place where the walk goes on.
    pub(crate) cursor: u32,
    /// What had ended when `from` was counted.
    before: T,
    from: T::Counters,
    report_at: Millis,
    interval: u64,
}

/// Reports of progress until the deadline, about.
const REPORTS: u64 = 64;
/// Milliseconds between two of them at least.
const LEAST_INTERVAL: u64 = 1_000;

impl<T: Tallied> Drain<T> {
    pub(crate) fn new(now: Millis, order: &Order, counters: T::Counters) -> Self {
        let mut drain = Self {
            deadline: order.deadline,
            emergency: false,
            pace: order.pace,
            stage: Stage::Walking(Class::Ordinary),
            cursor: 0,
            before: T::default(),
            from: counters,
            report_at: now,
            interval: LEAST_INTERVAL,
        };
        drain.order(now, order);
        drain
    }

    /// [PD-2] A second order.
    pub(crate) fn order(&mut self, now: Millis, order: &Order) {
        self.deadline = order.deadline;
        self.pace = order.pace;
        self.interval = (order.deadline.since(now) / REPORTS).max(LEAST_INTERVAL);
        self.report_at = now.after(self.interval);
        let is_more = order.emergency && !self.emergency;
        self.emergency |= order.emergency;
        if is_more && self.stage != Stage::Walking(Class::Ordinary) {
            self.begin(Stage::Walking(Class::InDialog));
        }
    }

    pub(crate) fn begin(&mut self, stage: Stage) {
        self.stage = stage;
        self.cursor = 0;
    }

    /// The stage after one that has come to the last place.
    pub(crate) fn go_on(&mut self) {
        self.begin(match self.stage {
            Stage::Walking(Class::Ordinary) => Stage::Walking(Class::InDialog),
            Stage::Walking(Class::InDialog) if self.emergency => Stage::Walking(Class::Emergency),
            Stage::Walking(_) => Stage::Walked,
            Stage::Walked | Stage::Closing => Stage::Closed,
            Stage::Closed | Stage::Ended => Stage::Ended,
        });
    }

    /// A user has come to a place, not by a REGISTER: the walk, or another one, passes there.
    pub(crate) fn walk_again(&mut self, place: u32) {
        match self.stage {
            Stage::Walking(Class::Ordinary) => {}
            _ => self.stage = Stage::Walking(Class::Ordinary),
        }
        self.cursor = self.cursor.min(place);
    }

    /// Whether those of a class are to be queued, or were.
    pub(crate) fn has_begun(&self, class: Class) -> bool {
        let is_included = class != Class::Emergency || self.emergency;
        is_included
            && match self.stage {
                Stage::Walking(walked) => class <= walked,
                Stage::Walked | Stage::Closing | Stage::Closed | Stage::Ended => true,
            }
    }

    pub(crate) fn tally(&self, counters: &T::Counters) -> T {
        self.before.and(&self.from, counters)
    }

    /// Whether progress is to be reported; the next time is set.
    pub(crate) fn report(&mut self, now: Millis) -> bool {
        let is_due = self.report_at <= now;
        if is_due {
            self.report_at = now.after(self.interval);
        }
        is_due
    }

    /// When it has something to do. `nothing_left`: no registration that it is to end.
    pub(crate) fn due_at(&self, now: Millis, nothing_left: bool) -> Option<Millis> {
        match self.stage {
            Stage::Ended => None,
            Stage::Walking(_) | Stage::Closing => Some(now),
            Stage::Walked | Stage::Closed if nothing_left => Some(now),
            Stage::Walked => Some(self.report_at.min(self.deadline)),
            Stage::Closed => Some(self.report_at),
        }
    }

    /// [DR-7] What it is in a blob.
    pub(crate) fn snapshot(&self, now: Millis, counters: &T::Counters, cursor: u32) -> Snapshot<T> {
        Snapshot {
            deadline_in: self.deadline.since(now),
            emergency: self.emergency,
            pace: self.pace,
            stage: self.stage,
            cursor,
            tally: self.tally(counters),
            report_in: self.report_at.since(now),
            interval: self.interval,
        }
    }
}

/// [PD-2] What a dry run has found so far: how many turns there would be, at this pace.
pub(crate) struct Survey {
    pace: Pace,
    /// The place where the walk goes on.
    pub(crate) cursor: u32,
    /// By next hop.
    turns: Vec<u32>,
}

impl Survey {
    pub(crate) const fn new(pace: Pace) -> Self {
        Self {
            pace,
            cursor: 0,
            turns: Vec::new(),
        }
    }

    /// Somebody of that home domain would have so many turns.
    pub(crate) fn count(
        &mut self,
        now: Millis,
        (pacing, terms): (&mut Pacing, Terms<'_>),
        domain: &[u8],
        turns: u32,
    ) {
        let place = pacing.number(now, terms, domain) as usize;
        if self.turns.len() <= place {
            self.turns.resize(place.saturating_add(1), 0);
        }
        if let Some(counted) = self.turns.get_mut(place) {
            *counted = counted.saturating_add(turns);
        }
    }

    /// Milliseconds that all of it takes at least.
    pub(crate) fn least_time(&self, now: Millis, pacing: &mut Pacing, terms: Terms<'_>) -> u64 {
        pacing.least_time(now, terms, self.pace, &self.turns)
    }
}

/// [DR-7] A shutdown in a blob.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Snapshot<T> {
    deadline_in: u64,
    emergency: bool,
    pub(crate) pace: Pace,
    stage: Stage,
    /// Users that the walk has passed.
    cursor: u32,
    tally: T,
    report_in: u64,
    interval: u64,
}

impl<T: Tallied> Snapshot<T> {
    /// The node that was restored has counted nothing yet.
    pub(crate) fn restore(self, now: Millis) -> Drain<T> {
        Drain {
            deadline: now.after(self.deadline_in),
            emergency: self.emergency,
            pace: self.pace,
            stage: self.stage,
            cursor: self.cursor,
            before: self.tally,
            from: T::Counters::default(),
            report_at: now.after(self.report_in),
            interval: self.interval.max(LEAST_INTERVAL),
        }
    }
}
