//! What the model makes of what happens, and which properties a state breaks.

use ims_procedures::{
    drive::{Millis, Node, Timer},
    mscics::Cause,
    regevent::subscriber::End,
};

use super::{
    outside::{Procedure, Subscription, Wish},
    properties::Property,
    registrar::sequence_number,
    world::{ATTEMPTS, World},
};
use crate::{bed::PRIVATE, shared::wire::header};

/// Messages in flight, transactions open, and releases asked for, at most.
const MOST_FLIGHTS: usize = 12;
const MOST_OPEN: usize = 10;
const MOST_ASKED: usize = 4;

/// Milliseconds that the release of all dialogs may take.
const RELEASE: u64 = 40_000;

/// Timers that run while nothing happens.
const RESTING: [&str; 3] = [
    "registration lifetime",
    "subscription refresh",
    "subscription expiry",
];

/// What the subscriber and the home network do.
impl World {
    /// Whether the node has the subscriber, as far as the host knows.
    pub fn is_here(&self) -> bool {
        self.outside.ghosts.procedure != Procedure::Absent
    }

    /// Whether the node has the subscriber registered.
    pub fn is_registered(&self) -> bool {
        self.node.is_registered(PRIVATE.as_bytes())
    }

    pub fn is_inactive(&mut self) {
        let ghosts = &mut self.outside.ghosts;
        (ghosts.wish, ghosts.returned, ghosts.left) = (Wish::Gone, false, true);
    }

    /// The node is about to be told of the return.
    pub fn is_returning(&mut self) {
        let ghosts = &mut self.outside.ghosts;
        (ghosts.wish, ghosts.returned, ghosts.left) = (Wish::Unknown, true, false);
    }

    pub fn has_returned(&mut self) {
        if self.is_registered() {
            self.outside.ghosts.returned = false;
            self.outside.ghosts.wish = self.believed();
        }
    }

    /// What the host believes of a subscriber who is registered, unless the home network has decided otherwise, or the
    /// contact is not known.
    const fn believed(&self) -> Wish {
        let ghosts = &self.outside.ghosts;
        match ghosts.removed || ghosts.moving {
            true => Wish::Unknown,
            false => Wish::Active,
        }
    }

    /// The home network has removed the contact.
    pub fn is_removed(&mut self) {
        let ghosts = &mut self.outside.ghosts;
        (ghosts.wish, ghosts.removed) = (Wish::Unknown, true);
    }

    pub fn asks_to_register(&mut self) {
        let ghosts = &mut self.outside.ghosts;
        (ghosts.wish, ghosts.left) = (Wish::Unknown, false);
    }

    /// The 2xx to the REGISTER of the host is about to be shown.
    pub fn learns(&mut self) {
        let ghosts = &mut self.outside.ghosts;
        ghosts.moving = false;
        match ghosts.procedure {
            Procedure::Absent => ghosts.procedure = Procedure::Registered,
            Procedure::Running(1.., _) => ghosts.renewed = true,
            _ => {}
        }
    }

    /// Whatever runs without an indication that the subscriber has left, is given up before the REGISTER was sent.
    pub fn has_learnt(&mut self) {
        let ghosts = &self.outside.ghosts;
        if !ghosts.left && !ghosts.procedure.has_sent() {
            self.outside.ghosts.wish = self.believed();
        }
    }
}

/// What the node does.
impl World {
    /// [MS-2] A dialog is to be released; after a restart it is so again.
    pub fn releases(&mut self, dialog: u64) {
        let until = self.outside.now.after(RELEASE);
        let is_running = !self.is_registered();
        let ghosts = &mut self.outside.ghosts;
        if is_running {
            ghosts.release_until.get_or_insert(until);
        }
        if !ghosts.releasing.contains(&dialog) {
            ghosts.releasing.push(dialog);
        }
        if ghosts.procedure == Procedure::Absent {
            self.broken.add(Property::NothingLeft);
        }
    }

    /// A dialog has ended.
    pub fn is_over(&mut self, dialog: u64) {
        let ghosts = &mut self.outside.ghosts;
        ghosts.dialogs.retain(|(known, _)| *known != dialog);
        ghosts.releasing.retain(|known| *known != dialog);
    }

    /// [MS-2] The node writes its REGISTER; after a restart it is the same again.
    pub fn deregisters(&mut self, text: &str) {
        let is_bound = self.outside.is_bound();
        let ghosts = &mut self.outside.ghosts;
        let registers = match &ghosts.procedure {
            Procedure::Absent => return self.broken.add(Property::NothingLeft),
            Procedure::Running(_, known) if known == text => return,
            Procedure::Running(registers, _) => registers + 1,
            Procedure::Registered => 1,
        };
        ghosts.procedure = Procedure::Running(registers, text.to_owned());
        let bound = ghosts.release_until;
        let is_time = bound.is_none_or(|until| self.outside.now < until);
        if is_time && !ghosts.dialogs.is_empty() {
            self.broken.add(Property::DialogsFirst);
        }
        let is_calm = !ghosts.crossed && !ghosts.disturbed;
        if ghosts.wish == Wish::Active && is_calm && is_bound {
            self.broken.add(Property::RegisteredLastStays);
        }
        if registers > ATTEMPTS + u8::from(ghosts.renewed) {
            self.broken.add(Property::MessagesBounded);
        }
    }

    /// [MS-6] The node writes a SUBSCRIBE.
    pub fn subscribes(&mut self, text: &str) {
        let ghosts = &mut self.outside.ghosts;
        let call_id = header(text, "Call-ID");
        let known = ghosts.subscription.as_ref();
        if known.is_none_or(|known| known.call_id != call_id) {
            ghosts.subscription = Some(Subscription {
                call_id: call_id.to_owned(),
                over: false,
                highest: 0,
            });
        }
        match &ghosts.procedure {
            Procedure::Absent => self.broken.add(Property::NothingLeft),
            procedure if procedure.has_sent() => self.broken.add(Property::NoSubscribe),
            _ => {}
        }
    }

    /// That the subscription is considered cancelled says nothing to the home network: until the outcome it is there.
    pub fn is_unsubscribed(&mut self, why: End) {
        if why != End::Unsubscribed {
            self.has_lost();
        }
    }

    pub fn has_lost(&mut self) {
        if let Some(subscription) = &mut self.outside.ghosts.subscription {
            subscription.over = true;
        }
    }

    /// [MS-6] What a NOTIFY is to be answered, if that is sure.
    pub fn owes(&self, text: &str) -> Option<u16> {
        let ghosts = &self.outside.ghosts;
        let call_id = header(text, "Call-ID");
        let current = ghosts.subscription.as_ref();
        let current = current.filter(|known| known.call_id == call_id && self.is_here());
        match current {
            None => Some(481),
            Some(known) if known.over || sequence_number(text) < known.highest => None,
            Some(_) => Some(200),
        }
    }

    pub fn has_notified(&mut self, text: &str, expected: Option<u16>) {
        let subscription = self.outside.ghosts.subscription.as_mut();
        if let Some(known) = subscription.filter(|_| expected == Some(200)) {
            known.highest = known.highest.max(sequence_number(text));
        }
        if self.answered.is_none() || expected.is_some_and(|status| self.answered != Some(status)) {
            self.broken.add(Property::Notified);
        }
    }

    /// [MS-1] The node reports that it has given the deregistration up.
    pub fn is_cancelled(&mut self) {
        let ghosts = &mut self.outside.ghosts;
        if !matches!(ghosts.procedure, Procedure::Running(0, _)) {
            self.broken.add(Property::OneOutcome);
        }
        ghosts.procedure = Procedure::Registered;
        ghosts.renewed = false;
        ghosts.release_until = None;
    }

    /// The node is about to report an outcome, and what had started it. That the host has registered the subscriber again
    /// and was never answered keeps no registration from running out.
    pub fn is_ended_by(&mut self, cause: Cause) {
        let ghosts = &self.outside.ghosts;
        let is_active = ghosts.wish == Wish::Active && !ghosts.crossed;
        if is_active && cause != Cause::Expiry && self.outside.is_bound() {
            self.broken.add(Property::RegisteredLastStays);
        }
    }

    /// [MS-4] [MS-5] The node reports the outcome.
    pub fn is_deregistered(&mut self, registers: u8, dialogs_left: u8, register_anew: bool) {
        let ghosts = &mut self.outside.ghosts;
        let sent = match std::mem::take(&mut ghosts.procedure) {
            Procedure::Absent => None,
            Procedure::Registered => Some(0),
            Procedure::Running(sent, _) => Some(sent),
        };
        let left = std::mem::take(&mut ghosts.dialogs).len();
        let is_so = sent == Some(registers)
            && left == usize::from(dialogs_left)
            && ghosts.returned == register_anew;
        ghosts.releasing.clear();
        ghosts.subscription = None;
        ghosts.renewed = false;
        (ghosts.wish, ghosts.returned) = (Wish::Gone, false);
        if !is_so {
            self.broken.add(Property::OneOutcome);
        }
        self.ends();
    }

    /// Nobody waits any more for what is not answered.
    fn ends(&mut self) {
        self.outside.ghosts.release_until = None;
        self.outside.asked.retain(|asked| asked.until.is_none());
    }
}

/// What is broken.
impl World {
    /// Takes note of what is broken now.
    pub fn look(&mut self) {
        let outside = &mut self.outside;
        let node = &self.node;
        let dialogs = node.dialogs(PRIVATE.as_bytes());
        let is_registered = node.is_registered(PRIVATE.as_bytes());
        if outside.flights.len() > MOST_FLIGHTS
            || outside.open.len() > MOST_OPEN
            || outside.asked.len() > MOST_ASKED
        {
            self.broken.add(Property::MessagesBounded);
        }
        if outside.ghosts.procedure == Procedure::Absent {
            let subscriptions = node.sip_generated_subscription_status().count();
            let left = node.registrations() + dialogs + subscriptions;
            if left > 0 || node.deadline().is_some() {
                self.broken.add(Property::NothingLeft);
            }
        } else if node.registrations() == 0 {
            self.broken.add(Property::OneOutcome);
        } else if dialogs != outside.ghosts.dialogs.len() {
            self.broken.add(Property::DialogsFirst);
        } else if !is_registered && outside.ghosts.procedure == Procedure::Registered {
            outside.ghosts.procedure = Procedure::Running(0, String::new());
            // What another procedure has begun to release is awaited anew.
            if !outside.ghosts.releasing.is_empty() {
                let until = outside.now.after(RELEASE);
                outside.ghosts.release_until.get_or_insert(until);
            }
        }
        if self.is_quiet() {
            self.look_at_rest();
        }
    }

    /// Nothing is in flight, nothing is asked or due, and no timer runs but those of refreshes and ends.
    fn is_quiet(&self) -> bool {
        let outside = &self.outside;
        let rests = |deadline: Option<(Millis, Timer)>| {
            deadline.is_none_or(|(at, timer)| at > outside.now && RESTING.contains(&timer.0))
        };
        outside.flights.is_empty()
            && outside.open.is_empty()
            && outside.asked.is_empty()
            && rests(self.node.deadline())
    }

    fn look_at_rest(&mut self) {
        let ghosts = &self.outside.ghosts;
        let (is_here, is_registered) = (self.is_here(), self.is_registered());
        let is_bound = self.outside.registrar.has_bound();
        let (disturbed, crossed, wish) = (ghosts.disturbed, ghosts.crossed, ghosts.wish);
        let subscribed = ghosts.subscription.as_ref().is_some_and(|it| !it.over);
        if wish == Wish::Active && !crossed {
            if !(is_bound && is_registered) {
                self.broken.add(Property::RegisteredLastStays);
            }
            if self.setting.subscribed > 0 && !disturbed && !subscribed {
                self.broken.add(Property::Quiescent);
            }
        }
        let is_ghost = wish == Wish::Gone && !disturbed && self.outside.is_bound();
        let is_stuck = is_here && !is_registered;
        let is_left = self.next_deadline().is_none() && is_here;
        if is_ghost || is_stuck || is_left {
            self.broken.add(Property::Quiescent);
        }
    }
}
