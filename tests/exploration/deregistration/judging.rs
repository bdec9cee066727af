//! What the model makes of what happens, and which properties a state breaks.

use ims_procedures::drive::{Identifier, Millis, Timer};

use super::{
    outside::{AtEdge, Flight, Procedure, Relayed, Side, Step, Wish},
    properties::Property,
    user::{REGISTERED, Which},
    world::{ATTEMPTS, World, is_of_pcscf},
};
use crate::shared::wire::{branch, header};

/// Messages in flight, transactions open, and questions asked, at most.
const MOST_FLIGHTS: usize = 8;
const MOST_OPEN: usize = 6;
const MOST_ASKED: usize = 4;

/// Timers that run while nothing happens.
const RESTING: [&str; 5] = [
    "registration lifetime",
    "subscription refresh",
    "subscription expiry",
    "binding expiry",
    "removed binding forgotten",
];

/// [PD-7] Whether a step of a cleanup comes after another.
const fn may_follow(last: Step, next: Step) -> bool {
    matches!(
        (last, next),
        (Step::Delivery, Step::Shortening)
            | (Step::Delivery | Step::Shortening, Step::Release)
            | (Step::Release, Step::Bearer)
    )
}

/// What happens at a P-CSCF.
impl World {
    /// Where a contact is registered, for all that its user knows.
    pub fn registered_at(&self, which: Which) -> Option<Side> {
        match self.outside.ghosts.wishes[which.place()] {
            Wish::Registered(side, _) | Wish::Leaving(side) => Some(side),
            Wish::Gone(_) | Wish::Unknown => None,
        }
    }

    /// The user sends a REGISTER: until it is answered, nothing is known.
    pub fn asks_to_register(&mut self, which: Which) {
        self.outside.ghosts.wishes[which.place()] = Wish::Unknown;
    }

    /// The 2xx to a REGISTER of the user has reached its P-CSCF, and the user.
    pub fn has_registered(&mut self, relayed: &Relayed) {
        let place = relayed.which.place();
        if relayed.expires == 0 {
            self.outside.ghosts.wishes[place] = Wish::Gone(relayed.at);
            return;
        }
        let ghosts = &mut self.outside.ghosts;
        let edge = &mut ghosts.edges[relayed.at.place()][place];
        edge.until = self.outside.now.after_seconds(REGISTERED);
        ghosts.crossed[place] = relayed.crossed;
        ghosts.wishes[place] = match edge.procedure {
            // The trigger came after the REGISTER.
            Procedure::Running(..) if relayed.triggered => Wish::Leaving(relayed.at),
            _ => Wish::Registered(relayed.at, relayed.bound_until),
        };
        if edge.procedure != Procedure::Idle && !relayed.triggered {
            self.broken.add(Property::Outcomes);
        }
    }

    /// The REGISTER of the user for a contact that this P-CSCF has forwarded, and that was not answered.
    fn relayed(&mut self, at: Side, which: Which) -> Option<&mut Relayed> {
        let relayed = self.outside.relayed.as_mut();
        relayed.filter(|relayed| relayed.at == at && relayed.which == which)
    }

    /// Whether a REGISTER is in flight by which that P-CSCF deregisters a contact, and none of that deregistration was
    /// carried out.
    fn is_on_its_way(&self, side: Side, which: Which) -> bool {
        let carried_out = &self.outside.ghosts.carried_out;
        self.outside.flights.iter().any(|Flight { text, .. }| {
            is_of_pcscf(text) == Some(side)
                && header(text, "Contact").contains(which.uri())
                && !carried_out
                    .iter()
                    .any(|known| known == header(text, "Call-ID"))
        })
    }

    /// A P-CSCF begins to deregister a contact.
    pub fn is_triggered(&mut self, at: Side, which: Which) {
        let place = which.place();
        if let Some(relayed) = self.relayed(at, which) {
            relayed.triggered = true;
        }
        let ghosts = &mut self.outside.ghosts;
        if let Wish::Registered(side, _) = ghosts.wishes[place] {
            if side == at {
                ghosts.wishes[place] = Wish::Leaving(at);
            }
        }
        let procedure = &mut ghosts.edges[at.place()][place].procedure;
        match procedure {
            Procedure::Idle => *procedure = Procedure::Running(0, String::new()),
            _ => self.broken.add(Property::Outcomes),
        }
    }

    /// A P-CSCF writes its REGISTER.
    pub fn deregisters(&mut self, at: Side, text: &str) {
        let mut named = Which::named_in(header(text, "Contact"));
        let (Some(which), None) = (named.next(), named.next()) else {
            return self.broken.add(Property::OthersContact);
        };
        let edge = &self.outside.ghosts.edges[at.place()][which.place()];
        let lost_at = edge.until.0.saturating_sub(self.setting.threshold);
        if edge.procedure == Procedure::Idle && self.outside.now >= Millis(lost_at) {
            self.is_triggered(at, which);
        }
        let procedure = &mut self.outside.ghosts.edges[at.place()][which.place()].procedure;
        match procedure {
            Procedure::Running(_, known) if known == branch(text) => {}
            Procedure::Running(registers, known) => {
                *registers += 1;
                known.replace_range(.., branch(text));
                if *registers > ATTEMPTS {
                    self.broken.add(Property::MessagesBounded);
                }
            }
            Procedure::Idle | Procedure::Cleaning(..) => self.broken.add(Property::Outcomes),
        }
    }

    /// [PD-7] A P-CSCF asks for a step of the cleanup: each once, in order. After a restart it is the same again.
    pub fn cleans(&mut self, at: Side, which: Which, step: Step, key: Identifier) {
        let procedure = &mut self.outside.ghosts.edges[at.place()][which.place()].procedure;
        let in_order = match procedure {
            Procedure::Idle | Procedure::Running(..) => step == Step::Delivery,
            Procedure::Cleaning(last, known) if *last == step => *known == key,
            Procedure::Cleaning(last, known) => *known != key && may_follow(*last, step),
        };
        *procedure = Procedure::Cleaning(step, key);
        if !in_order {
            self.broken.add(Property::Outcomes);
        }
    }

    /// A P-CSCF reports the outcome: after the cleanup, or when the contact is registered again.
    pub fn is_deregistered(&mut self, at: Side, which: Which) {
        let place = which.place();
        let ghosts = &mut self.outside.ghosts;
        let procedure = std::mem::take(&mut ghosts.edges[at.place()][place].procedure);
        let is_superseded = ghosts.learning == Some(which);
        match procedure {
            Procedure::Cleaning(step, _) if step == Step::Bearer || is_superseded => {}
            _ => self.broken.add(Property::Outcomes),
        }
        if ghosts.wishes[place] == Wish::Leaving(at) {
            ghosts.wishes[place] = Wish::Gone(at);
        }
    }

    /// A P-CSCF reports that it has given up a deregistration, as it has heard of the user.
    pub fn is_cancelled(&mut self, at: Side, which: Which) {
        let edge = &mut self.outside.ghosts.edges[at.place()][which.place()];
        let procedure = std::mem::take(&mut edge.procedure);
        if !matches!(procedure, Procedure::Running(..)) {
            self.broken.add(Property::Outcomes);
        }
    }
}

/// What happens at the S-CSCF.
impl World {
    /// The registrar has bound a contact.
    pub fn has_bound(&mut self, which: Which, via: Side) {
        self.outside.ghosts.home[which.place()].via = Some(via);
        // Longer than the P-CSCF holds the user's.
        let took_long = self.outside.spent.overtakings > 0;
        let crossed = took_long && self.is_on_its_way(via, which);
        let bound_until = self.outside.now.after_seconds(REGISTERED);
        if let Some(relayed) = self.relayed(via, which) {
            relayed.crossed |= crossed;
            relayed.bound_until = bound_until;
        }
    }

    /// Contacts that were bound before and are not any more, by that REGISTER or otherwise.
    pub fn has_removed(&mut self, before: [bool; 2], register: &str) {
        let (after, by) = (self.bound(), is_of_pcscf(register));
        if by.is_some() && before != after {
            let call_id = header(register, "Call-ID").to_owned();
            self.outside.ghosts.carried_out.push(call_id);
        }
        for which in Which::ALL {
            let place = which.place();
            if !before[place] || after[place] {
                continue;
            }
            let home = &mut self.outside.ghosts.home[place];
            home.unreported += 1;
            if by.is_some() && by != home.via {
                self.broken.add(Property::OthersContact);
            }
        }
    }

    /// [SD-3] The S-CSCF has dialogs released: once for each removal.
    pub fn releases_dialogs(&mut self, which: Which, key: Identifier) {
        let released = &mut self.outside.ghosts.home[which.place()].released;
        if !released.contains(&key) {
            released.push(key);
        }
    }

    /// The S-CSCF reports the outcome: once for each removal, after the dialogs.
    pub fn is_reported(&mut self, which: Which) {
        let home = &mut self.outside.ghosts.home[which.place()];
        if home.unreported == 0 || home.released.is_empty() {
            self.broken.add(Property::Outcomes);
            return;
        }
        home.unreported -= 1;
        home.released.remove(0);
    }

    /// The S-CSCF answers a REGISTER.
    pub fn is_answered(&mut self, branch: &str) {
        let unanswered = &mut self.outside.ghosts.unanswered;
        match unanswered.iter().position(|own| own == branch) {
            Some(place) => _ = unanswered.remove(place),
            None => self.broken.add(Property::RegisterAnswered),
        }
    }
}

/// What is broken.
impl World {
    /// Takes note of what is broken now.
    pub fn look(&mut self) {
        let outside = &self.outside;
        if outside.flights.len() > MOST_FLIGHTS
            || outside.open.len() > MOST_OPEN
            || outside.asked.len() > MOST_ASKED
        {
            self.broken.add(Property::MessagesBounded);
        }
        if !self.is_quiet() {
            return;
        }
        let is_over = self.next_deadline().is_none();
        for which in Which::ALL {
            match self.is_ending(which) {
                true if is_over => self.broken.add(Property::Outcomes),
                true => {}
                false => self.look_at(which),
            }
        }
        if !self.outside.ghosts.unanswered.is_empty() {
            self.broken.add(Property::RegisterAnswered);
        }
        if is_over && !self.is_empty() {
            self.broken.add(Property::NoGhost);
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
            && outside.relayed.is_none()
            && outside.held.is_none()
            && Side::ALL.into_iter().all(|side| rests(self.deadline(side)))
    }

    /// Whether the end of a contact is not reported yet, by a P-CSCF or the S-CSCF.
    fn is_ending(&self, which: Which) -> bool {
        let (ghosts, place) = (&self.outside.ghosts, which.place());
        let ends = |edge: &[AtEdge; 2]| edge[place].procedure != Procedure::Idle;
        ghosts.edges.iter().any(ends) || ghosts.home[place].unreported > 0
    }

    fn look_at(&mut self, which: Which) {
        let ghosts = &self.outside.ghosts;
        let (place, bound) = (which.place(), self.bound()[which.place()]);
        let knows = |side: Side| self.knows(side, which);
        let told = self.setting.subscribed && !ghosts.disturbed;
        let (stays, is_ghost) = match ghosts.wishes[place] {
            Wish::Registered(_, until) if self.outside.now >= until => (true, false),
            Wish::Registered(..) if ghosts.crossed[place] => (true, false),
            Wish::Registered(side, _) => (bound && knows(side), false),
            Wish::Gone(side) => {
                let anywhere = told && Side::EDGES.into_iter().any(knows);
                (
                    true,
                    anywhere || (!ghosts.disturbed && (bound || knows(side))),
                )
            }
            Wish::Leaving(_) | Wish::Unknown => (true, false),
        };
        if !stays {
            self.broken.add(Property::RegisteredLastStays);
        }
        if is_ghost {
            self.broken.add(Property::NoGhost);
        }
    }

    fn is_empty(&self) -> bool {
        let is_empty = |side: &Side| self.edges[side.place()].registrations() == 0;
        Side::EDGES.iter().all(is_empty) && self.home.sets() == 0
    }
}
