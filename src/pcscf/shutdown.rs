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
use crate::{
    deregister::{self, Class, Order, Pace, Tallied},
    drive::Millis,
};

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

    /// As the walk takes it.
    pub(super) const fn order(&self) -> Order {
        Order {
            deadline: self.deadline,
            pace: self.pace(),
            emergency: self.emergency,
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
}

impl Tallied for Tally {
    type Counters = Counters;

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

impl Registration {
    /// [PD-2] Which others it comes before.
    pub(super) const fn class(&self) -> Class {
        if self.is_emergency() {
            Class::Emergency
        } else if self.is_in_dialog() {
            Class::InDialog
        } else {
            Class::Ordinary
        }
    }
}

/// [PD-2] What a dry run has found so far.
pub(super) struct Survey {
    pub(super) turns: deregister::Survey,
    /// Whether emergency registrations are meant too.
    is_of_emergencies: bool,
    pub(super) registrations: u32,
    pub(super) in_dialog: u32,
    pub(super) emergency: u32,
}

impl Survey {
    pub(super) const fn new(order: &Shutdown) -> Self {
        Self {
            turns: deregister::Survey::new(order.pace()),
            is_of_emergencies: order.emergency,
            registrations: 0,
            in_dialog: 0,
            emergency: 0,
        }
    }

    /// Takes a registration into account. Whether it would be asked.
    pub(super) fn count(&mut self, registration: &Registration) -> bool {
        let class = registration.class();
        let more = |count: &mut u32| *count = count.saturating_add(1);
        more(&mut self.registrations);
        match class {
            Class::Ordinary => {}
            Class::InDialog => more(&mut self.in_dialog),
            Class::Emergency => more(&mut self.emergency),
        }
        let is_included = class != Class::Emergency || self.is_of_emergencies;
        is_included && registration.is_registered()
    }
}
