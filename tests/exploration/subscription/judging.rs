//! Which properties the state of a world breaks.

use ims_procedures::{
    drive::{Millis, Node, Timer},
    regevent::{subscriber::Standing, watcher::RegistrationRow},
};

use super::{
    properties::Property,
    world::{Side, World},
};
use crate::common::pcscf::{PRIVATE, PUBLIC};

/// Messages in flight and transactions open, at most.
const MOST_FLIGHTS: usize = 10;
const MOST_OPEN: usize = 8;

/// Timers that run while nothing happens.
const RESTING: [&str; 4] = [
    "subscription refresh",
    "subscription expiry",
    "binding expiry",
    "removed binding forgotten",
];

impl World {
    /// Takes note of what is broken now.
    pub fn look(&mut self) {
        let mut broken = self.broken;
        let mut breaks = |property, is_broken| {
            if is_broken {
                broken.add(property);
            }
        };
        breaks(Property::TwoSubscribes, self.has_two_open(Side::Subscriber));
        breaks(Property::TwoNotifies, self.has_two_open(Side::Notifier));
        breaks(Property::Ghost, self.is_ghost());
        breaks(
            Property::MessagesBounded,
            self.outside.flights.len() > MOST_FLIGHTS || self.outside.open.len() > MOST_OPEN,
        );
        if self.is_quiet() {
            let agrees = self.is_agreed();
            breaks(Property::LostTerminate, self.has_lost_terminate());
            breaks(
                Property::Quiescent,
                !self.outside.ghosts.disturbed && !agrees,
            );
            breaks(
                Property::TableAgrees,
                agrees && !self.outside.ghosts.disturbed && !self.is_table_right(),
            );
            if agrees && self.is_table_right() {
                self.outside.ghosts.disturbed = false;
                self.outside.ghosts.subscribe_lost = false;
                self.outside.ghosts.notify_lost = false;
            }
        }
        breaks(Property::Quiescent, self.is_over() && !self.is_empty());
        self.broken = broken;
    }

    /// Of one subscription, two transactions of that side are open.
    fn has_two_open(&self, side: Side) -> bool {
        let own = || self.outside.open.iter().filter(|open| open.side == side);
        own().any(|one| own().filter(|other| other.dialog == one.dialog).count() > 1)
    }

    /// The subscriber believes the subscription active for longer than the notifier granted, and messages to
    /// the subscriber took.
    fn is_ghost(&self) -> bool {
        if self.standing() != Standing::Active {
            return false;
        }
        let granted = self.outside.granted_until();
        let believed = self.subscriber.deadline().map(|(at, _)| at);
        match (granted, believed) {
            (Some(granted), Some(believed)) => {
                believed > granted.after(self.outside.ghosts.slowest)
            }
            _ => true,
        }
    }

    /// Nothing is in flight, nothing is due, and no timer runs but those of refreshes and ends.
    fn is_quiet(&self) -> bool {
        let rests = |deadline: Option<(Millis, Timer)>| {
            deadline.is_none_or(|(at, timer)| at > self.outside.now && RESTING.contains(&timer.0))
        };
        let registered = self.outside.registered.into_iter().flatten().min();
        self.outside.flights.is_empty()
            && self.outside.open.is_empty()
            && rests(self.subscriber.deadline())
            && rests(self.notifier.deadline())
            && registered.is_none_or(|until| until > self.outside.now)
    }

    /// Both have the subscription, or neither.
    fn is_agreed(&self) -> bool {
        let subscribed = self.standing() == Standing::Active;
        subscribed == (self.notifier.subscribers(PUBLIC.as_bytes()) > 0)
    }

    /// The subscription outlives the registration at a side that must know.
    fn has_lost_terminate(&self) -> bool {
        let (subscribed, notifies) = (
            self.standing() != Standing::None,
            self.notifier.subscribers(PUBLIC.as_bytes()) > 0,
        );
        let deregistered = self.outside.registered == [None; 2];
        let removed = !self.notifier.is_registered(PUBLIC.as_bytes());
        (deregistered && (subscribed || (notifies && !self.outside.ghosts.subscribe_lost)))
            || (removed && (notifies || (subscribed && !self.outside.ghosts.notify_lost)))
    }

    /// The subscriber's table has the contacts that are bound, if it is subscribed.
    fn is_table_right(&self) -> bool {
        if self.standing() != Standing::Active {
            return true;
        }
        let Some(table) = self.subscriber.table(PRIVATE.as_bytes()) else {
            return false;
        };
        let mut bound: Vec<&[u8]> = self.notifier.contacts(PUBLIC.as_bytes()).collect();
        bound.sort_unstable();
        let own = table
            .registrations()
            .find(|registration| registration.aor == PUBLIC);
        let mut known: Vec<&[u8]> = own
            .into_iter()
            .flat_map(RegistrationRow::contacts)
            .filter(|contact| contact.is_active())
            .map(|contact| contact.contact.uri.as_bytes())
            .collect();
        known.sort_unstable();
        known == bound
    }

    /// Nothing can happen any more but what somebody does anew.
    pub fn is_over(&self) -> bool {
        self.outside.flights.is_empty() && self.next_deadline().is_none()
    }

    fn is_empty(&self) -> bool {
        self.standing() == Standing::None
            && self.subscriber.users() == 0
            && self.notifier.sets() == 0
    }
}
