//! [PD-2] The shutdown of a P-CSCF: what is ordered, how far it has come, what came of it.
//!
//! ```text
//!         one class after the other           deadline                        nothing is left
//! Walking ─────────────────────────▶ Walked ────────────▶ Closing ──▶ Closed ────────────────▶ Ended
//!     │                                 │                                                        ▲
//!     │            deadline             └──── nothing is left ───────────────────────────────────┤
//!     └───────────────────────────────────▶ Closing                                              │
//! ```
//!
//! - The users are walked through so many a tick, in the order of their places: first those with an ordinary
//!   registration, then those in a dialog, then, if the order includes them, emergency registrations. Each is
//!   queued at the pacer behind those of its home domain that were queued before, so that the order holds domain by
//!   domain: nobody waits for a slow domain of others. The walk costs no memory.
//! - What is learnt meanwhile is queued too. A UE that registers anew all the same ([`Event::Cancelled`]) is
//!   queued anew.
//! - At the deadline nobody is asked any more and nothing is waited for: the users are walked through again, and
//!   each registration is cleaned up with what is known of it by then. Registrations that other triggers have
//!   started are shut down with the others, and counted.
//! - A second order starts nothing anew. It replaces the rate, the requests in flight and the deadline, and may include
//!   emergency registrations, which stay included.
//! - [`Command::Resume`] calls it off: who waits for a turn is left alone, what is under way goes on.
//! - After a restart from the blob of the node it goes on, and so does the tally. A user that was stored alone comes
//!   back with what was started for it, those who waited for the turn of a shutdown excepted: nothing had been done
//!   for them, and nothing was stored. The host orders the shutdown again, and adds what the tally of its own says.
//!
//! [`Event::Cancelled`]: super::Event::Cancelled
//! [`Command::Resume`]: super::Command::Resume

use serde::{Deserialize, Serialize};

use super::{Counters, Registration};
use crate::{deregister::Pace, drive::Millis};

/// [PD-2] How a P-CSCF is to be shut down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shutdown {
    /// When it is over: nothing is waited for any more, and all that is left is cleaned up.
    pub deadline: Millis,
    /// REGISTERs per second, brought within 1 to 1,000,000. Default that of the
    /// [configuration](super::Config::pacing). The rates of the next hops hold besides.
    pub rate: Option<u32>,
    /// REGISTERs out at once, brought within 1 to 1,048,576. Default that of the configuration.
    pub in_flight: Option<u32>,
    /// Whether emergency registrations are deregistered too, last. Default false: they are left alone.
    pub emergency: bool,
    /// Nothing is done; [`ShutdownPlanned`](super::Event::ShutdownPlanned) says what would be. Default false.
    pub dry_run: bool,
}

impl Shutdown {
    /// One that is over at `deadline`, with the defaults.
    #[must_use]
    pub const fn until(deadline: Millis) -> Self {
        Self {
            deadline,
            rate: None,
            in_flight: None,
            emergency: false,
            dry_run: false,
        }
    }

    pub(super) const fn pace(&self) -> Pace {
        Pace {
            rate: self.rate,
            in_flight: self.in_flight,
        }
    }
}

/// [PD-2] Registrations that ended, by [`Outcome`](super::Outcome).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Tally {
    /// A NOTIFY said so.
    pub notified: u32,
    /// A 2xx without NOTIFY.
    pub unconfirmed: u32,
    /// Nothing was left at the S-CSCF.
    pub nothing_there: u32,
    /// That network does not support it.
    pub unsupported: u32,
    /// Refused.
    pub refused: u32,
    /// Failed.
    pub failed: u32,
    /// Unanswered.
    pub no_response: u32,
    /// The UE itself.
    pub by_user: u32,
    /// Emergency registrations that ran out.
    pub expired: u32,
    /// The REGISTER could not be written.
    pub unsendable: u32,
    /// The turn did not come.
    pub not_asked: u32,
}

impl Tally {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.parts().into_iter().fold(0, u32::saturating_add)
    }

    /// In the order in which they stand here.
    pub(crate) const fn parts(&self) -> [u32; 11] {
        let Self {
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
        } = *self;
        [
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
        ]
    }

    const fn of(parts: [u32; 11]) -> Self {
        let [
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
        ] = parts;
        Self {
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
        }
    }

    /// This and what was counted between the two.
    fn and(self, from: &Counters, to: &Counters) -> Self {
        let mut parts = self.parts();
        let counted = from.ended().into_iter().zip(to.ended());
        for (part, (from, to)) in parts.iter_mut().zip(counted) {
            let more = u32::try_from(to.saturating_sub(from)).unwrap_or(u32::MAX);
            *part = part.saturating_add(more);
        }
        Self::of(parts)
    }
}

/// Which registrations come before which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Class {
    Ordinary,
    InDialog,
    Emergency,
}

impl Class {
    pub(super) const fn of(registration: &Registration) -> Self {
        if registration.is_emergency() {
            Self::Emergency
        } else if registration.is_in_dialog() {
            Self::InDialog
        } else {
            Self::Ordinary
        }
    }
}

/// How far a shutdown has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Stage {
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
pub(super) struct Drain {
    pub(super) deadline: Millis,
    pub(super) emergency: bool,
    pace: Pace,
    pub(super) stage: Stage,
    /// The place where the walk goes on.
    pub(super) cursor: u32,
    /// What had ended when `from` was counted.
    before: Tally,
    from: Counters,
    report_at: Millis,
    interval: u64,
}

/// Reports of progress until the deadline, about.
const REPORTS: u64 = 64;
/// Milliseconds between two of them at least.
const LEAST_INTERVAL: u64 = 1_000;

impl Drain {
    pub(super) fn new(now: Millis, order: &Shutdown, counters: Counters) -> Self {
        let mut drain = Self {
            deadline: order.deadline,
            emergency: false,
            pace: order.pace(),
            stage: Stage::Walking(Class::Ordinary),
            cursor: 0,
            before: Tally::default(),
            from: counters,
            report_at: now,
            interval: LEAST_INTERVAL,
        };
        drain.order(now, order);
        drain
    }

    /// [PD-2] A second order.
    pub(super) fn order(&mut self, now: Millis, order: &Shutdown) {
        self.deadline = order.deadline;
        self.pace = order.pace();
        self.interval = (order.deadline.since(now) / REPORTS).max(LEAST_INTERVAL);
        self.report_at = now.after(self.interval);
        let is_more = order.emergency && !self.emergency;
        self.emergency |= order.emergency;
        if is_more && self.stage != Stage::Walking(Class::Ordinary) {
            self.begin(Stage::Walking(Class::InDialog));
        }
    }

    pub(super) fn begin(&mut self, stage: Stage) {
        self.stage = stage;
        self.cursor = 0;
    }

    /// The stage after one that has come to the last place.
    pub(super) fn go_on(&mut self) {
        self.begin(match self.stage {
            Stage::Walking(Class::Ordinary) => Stage::Walking(Class::InDialog),
            Stage::Walking(Class::InDialog) if self.emergency => Stage::Walking(Class::Emergency),
            Stage::Walking(_) => Stage::Walked,
            Stage::Walked | Stage::Closing => Stage::Closed,
            Stage::Closed | Stage::Ended => Stage::Ended,
        });
    }

    /// A user has come to a place, not by a REGISTER: the walk, or another one, passes there.
    pub(super) fn walk_again(&mut self, place: u32) {
        match self.stage {
            Stage::Walking(Class::Ordinary) => {}
            _ => self.stage = Stage::Walking(Class::Ordinary),
        }
        self.cursor = self.cursor.min(place);
    }

    /// Whether those of a class are to be queued, or were.
    pub(super) fn has_begun(&self, class: Class) -> bool {
        let is_included = class != Class::Emergency || self.emergency;
        is_included
            && match self.stage {
                Stage::Walking(walked) => class <= walked,
                Stage::Walked | Stage::Closing | Stage::Closed | Stage::Ended => true,
            }
    }

    pub(super) fn tally(&self, counters: &Counters) -> Tally {
        self.before.and(&self.from, counters)
    }

    /// Whether progress is to be reported; the next time is set.
    pub(super) fn report(&mut self, now: Millis) -> bool {
        let is_due = self.report_at <= now;
        if is_due {
            self.report_at = now.after(self.interval);
        }
        is_due
    }

    /// When it has something to do. `nothing_left`: no registration that it is to end.
    pub(super) fn due_at(&self, now: Millis, nothing_left: bool) -> Option<Millis> {
        match self.stage {
            Stage::Ended => None,
            Stage::Walking(_) | Stage::Closing => Some(now),
            Stage::Walked | Stage::Closed if nothing_left => Some(now),
            Stage::Walked => Some(self.report_at.min(self.deadline)),
            Stage::Closed => Some(self.report_at),
        }
    }

    /// [DR-7] What it is in a blob.
    pub(super) fn snapshot(&self, now: Millis, counters: &Counters, cursor: u32) -> Snapshot {
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

/// [DR-7] A shutdown in a blob.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct Snapshot {
    deadline_in: u64,
    emergency: bool,
    pub(super) pace: Pace,
    stage: Stage,
    /// Users that the walk has passed.
    cursor: u32,
    tally: Tally,
    report_in: u64,
    interval: u64,
}

impl Snapshot {
    /// The node that was restored has counted nothing yet.
    pub(super) fn restore(self, now: Millis) -> Drain {
        Drain {
            deadline: now.after(self.deadline_in),
            emergency: self.emergency,
            pace: self.pace,
            stage: self.stage,
            cursor: self.cursor,
            before: self.tally,
            from: Counters::default(),
            report_at: now.after(self.report_in),
            interval: self.interval.max(LEAST_INTERVAL),
        }
    }
}

/// [PD-2] What a dry run has found so far.
pub(super) struct Survey {
    pub(super) order: Shutdown,
    pub(super) cursor: u32,
    pub(super) registrations: u32,
    pub(super) in_dialog: u32,
    pub(super) emergency: u32,
    /// Registrations that would be asked, by next hop.
    pub(super) asked: alloc::vec::Vec<u32>,
}

impl Survey {
    pub(super) const fn new(order: Shutdown) -> Self {
        Self {
            order,
            cursor: 0,
            registrations: 0,
            in_dialog: 0,
            emergency: 0,
            asked: alloc::vec::Vec::new(),
        }
    }

    /// Takes a registration into account. Whether it would be asked.
    pub(super) fn count(&mut self, registration: &Registration) -> bool {
        let class = Class::of(registration);
        let more = |count: &mut u32| *count = count.saturating_add(1);
        more(&mut self.registrations);
        match class {
            Class::Ordinary => {}
            Class::InDialog => more(&mut self.in_dialog),
            Class::Emergency => more(&mut self.emergency),
        }
        let is_included = class != Class::Emergency || self.order.emergency;
        is_included && registration.is_registered()
    }

    pub(super) fn ask(&mut self, next_hop: u32) {
        let place = next_hop as usize;
        if self.asked.len() <= place {
            self.asked.resize(place.saturating_add(1), 0);
        }
        if let Some(asked) = self.asked.get_mut(place) {
            *asked = asked.saturating_add(1);
        }
    }
}
