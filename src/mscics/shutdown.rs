//! [MS-1] The shutdown of an MSC server: none of its subscribers is active here any more.
//!
//! - They are walked through so many a tick, in the order of their places: first those without dialogs, then the others.
//!   Each is queued at the pacer; what follows is the procedure of any other cause.
//! - Who is registered meanwhile is queued too.
//! - At the deadline nobody is asked any more and nothing is waited for: the release of dialogs that are left is asked
//!   for, and each registration ends with what is known of it by then.
//! - A second order starts nothing anew. It replaces the rate, the requests in flight and the deadline.
//! - A [dry run](Shutdown::dry_run) walks through them as well, and says how long it would take; it may be made while a
//!   shutdown runs. One who has dialogs counts as two turns.
//! - [`Command::Resume`](super::Command::Resume) calls it off: who waits for a turn is left alone, what is under way
//!   goes on.

use super::{Registration, registration::Field};
use crate::{
    deregister::{self, Class, Order, Pace, Pacing, Terms},
    drive::Millis,
};

/// [MS-1] How an MSC server is to be shut down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shutdown {
    /// When it is over: nothing is waited for any more, and all that is left is ended.
    pub deadline: Millis,
    /// Turns per second, brought within 1 to 1,000,000. Default that of the
    /// [configuration](super::Config::pacing). The rates of the next hops hold besides.
    pub rate: Option<u32>,
    /// REGISTERs out at once, brought within 1 to 1,048,576. Default that of the configuration.
    pub in_flight: Option<u32>,
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
            dry_run: false,
        }
    }

    /// As the walk takes it.
    pub(super) const fn order(&self) -> Order {
        Order {
            deadline: self.deadline,
            pace: self.pace(),
            emergency: false,
        }
    }

    pub(super) const fn pace(&self) -> Pace {
        Pace {
            rate: self.rate,
            in_flight: self.in_flight,
        }
    }
}

impl Registration {
    /// Which others it comes before.
    pub(super) fn class(&self) -> Class {
        match self.dialogs() {
            0 => Class::Ordinary,
            _ => Class::InDialog,
        }
    }
}

/// [MS-1] What a dry run has found so far.
pub(super) struct Survey {
    pub(super) turns: deregister::Survey,
    pub(super) registrations: u32,
    pub(super) in_dialog: u32,
}

impl Survey {
    pub(super) const fn new(order: &Shutdown) -> Self {
        Self {
            turns: deregister::Survey::new(order.pace()),
            registrations: 0,
            in_dialog: 0,
        }
    }

    /// Takes a subscriber into account. One who is being deregistered has its turn at the pacer.
    pub(super) fn count(
        &mut self,
        now: Millis,
        pacing: (&mut Pacing, Terms<'_>),
        registration: &Registration,
    ) {
        let is_in_dialog = registration.class() == Class::InDialog;
        self.registrations = self.registrations.saturating_add(1);
        self.in_dialog = self.in_dialog.saturating_add(is_in_dialog.into());
        if registration.is_registered() {
            let turns = if is_in_dialog { 2 } else { 1 };
            let domain = registration.strings.field(Field::HomeDomain);
            self.turns.count(now, pacing, domain, turns);
        }
    }
}
