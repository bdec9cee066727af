//! [SD-5] The whole node: every set is deregistered in its turn, so that HSS, P-CSCFs and application servers bear it.
//!
//! A user is a turn of the pacer, and the next hop is the P-CSCF of the user's first contact: each user costs its
//! P-CSCF a NOTIFY or more, so that one that is slow or dead holds up its own users and nobody else. The HSS, which
//! all turns have in common, is asked once for each at most: the overall rate is its rate. Where it fails to answer,
//! the turn counts as not answered, and all slow down. A turn is over when the user's deregistrations are, and the
//! last NOTIFY is answered or is not going to be.
//!
//! Sets are looked at some at a time, in the order of their places, between turns. P-CSCFs past
//! [`MAX_PCSCFS`] share one number. All that a drain takes is taken when it begins: 12 bytes for each place of a set.

use alloc::{collections::BTreeMap, vec::Vec};

use super::{Assignment, DeregistrationReason, bindings::Bound, recognition::owner};
use crate::{
    drive::{ConfigError, Millis, Misuse, increment},
    fleet::pacer::{self, Pacer, Turn},
    wire::Host,
};

mod snapshot;

pub(super) use snapshot::Snapshot;

/// P-CSCFs that have each their own turns.
pub const MAX_PCSCFS: u32 = 256;

/// Places that one step looks at.
const LOOKED_AT: u32 = 32;

/// How far a drain has come. Whoever was found is in one of the five that follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DrainProgress {
    /// Whether everybody has been looked at who is to be found.
    pub all_found: bool,
    /// Sets found with registrations that can be ended.
    pub found: u64,
    /// Those that wait for their turn.
    pub waiting: u64,
    /// Those whose turn it is: HSS, subscribers and application servers are told.
    pub running: u64,
    /// Those that were deregistered.
    pub deregistered: u64,
    /// Those that were no longer registered, or past a limit, when their turn came.
    pub passed_over: u64,
    /// Those that were not deregistered: the deadline had passed, or the canaries were bad.
    pub not_asked: u64,
    /// Of the deregistered, those of which the HSS or a subscriber did not take note.
    pub disturbed: u64,
    /// Milliseconds that those who wait will take at least.
    pub least_time: u64,
}

/// A drain that runs.
pub(super) struct Drain {
    pub(super) reason: DeregistrationReason,
    pacer: Pacer,
    /// The next place to look at, and the first that is none.
    cursor: u32,
    places: u32,
    /// Numbers of the P-CSCFs, by host and port.
    pcscfs: BTreeMap<Vec<u8>, u32>,
    /// Those whose turn it is, and the worst that has happened to them.
    running: BTreeMap<u32, pacer::Outcome>,
    report_at: Millis,
    /// Since then the next places are to be looked at, or all is done.
    due_since: Millis,
    tally: Tally,
}

#[derive(Clone, Copy, Default)]
struct Tally {
    found: u64,
    deregistered: u64,
    passed_over: u64,
    not_asked: u64,
    disturbed: u64,
}

/// What is due of a drain.
pub(super) enum Due {
    /// Nothing.
    Nothing,
    /// This set is to be deregistered.
    Deregister(u32),
    /// These places are to be looked at.
    Look(core::ops::Range<u32>),
    /// A report.
    Report,
    /// All is done.
    End,
}

impl Drain {
    /// A drain of a node with so many places for sets.
    pub(super) fn new(
        now: Millis,
        reason: DeregistrationReason,
        config: &pacer::Config,
        places: u32,
        report_at: Millis,
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            reason,
            pacer: Pacer::new(config.clone(), places.max(1), MAX_PCSCFS)?,
            cursor: 0,
            places,
            pcscfs: BTreeMap::new(),
            running: BTreeMap::new(),
            report_at,
            due_since: now,
            tally: Tally::default(),
        })
    }

    /// Nobody is begun with from then on.
    pub(super) fn set_deadline(&mut self, deadline: Option<Millis>) {
        self.pacer.set_deadline(deadline);
    }

    pub(super) fn reconfigure(
        &mut self,
        now: Millis,
        config: &pacer::Config,
    ) -> Result<(), ConfigError> {
        self.pacer.reconfigure(now, config.clone())
    }

    /// [SD-5] How far it has come.
    pub(super) fn progress(&self) -> DrainProgress {
        let (pacer, tally) = (self.pacer.progress(), self.tally);
        DrainProgress {
            all_found: self.cursor >= self.places,
            found: tally.found,
            waiting: pacer.queued.into(),
            running: pacer.out.into(),
            deregistered: tally.deregistered,
            passed_over: tally.passed_over,
            not_asked: tally.not_asked,
            disturbed: tally.disturbed,
            least_time: self.pacer.least_time(),
        }
    }

    /// [DR-6] When it must be given a step. While it looks for users, what has been due of sets for longer comes first.
    pub(super) fn deadline(&self) -> Option<Millis> {
        let is_due = self.cursor < self.places || self.is_done();
        let due = is_due.then_some(self.due_since);
        let turn = self.pacer.deadline();
        turn.into_iter().chain(due).chain([self.report_at]).min()
    }

    fn is_done(&self) -> bool {
        let pacer = self.pacer.progress();
        self.cursor >= self.places && pacer.queued == 0 && pacer.out == 0
    }

    /// What is due: turns before everything else but reports, so that looking for users holds up none.
    pub(super) fn next(&mut self, now: Millis, interval: u64, is_withheld: bool) -> Due {
        if now >= self.report_at && !self.is_done() {
            self.report_at = now.after(interval);
            return Due::Report;
        }
        let turn = match is_withheld {
            true => self.pacer.next_withheld(now),
            false => self.pacer.next(now),
        };
        match turn {
            Some(Turn::Ask { machine }) => {
                self.running.insert(machine, pacer::Outcome::Answered);
                return Due::Deregister(machine);
            }
            Some(Turn::NotAsked { .. }) => {
                increment(&mut self.tally.not_asked);
                return Due::Nothing;
            }
            None => {}
        }
        if self.cursor < self.places {
            let first = self.cursor;
            self.cursor = first.saturating_add(LOOKED_AT).min(self.places);
            self.due_since = now;
            return Due::Look(first..self.cursor);
        }
        match self.is_done() {
            true => Due::End,
            false => Due::Nothing,
        }
    }

    /// A set with registrations that can be ended waits for its turn; `first` is the first of them.
    pub(super) fn enqueue(
        &mut self,
        now: Millis,
        place: u32,
        first: &Bound<'_>,
    ) -> Result<(), Misuse> {
        let pcscf = self.pcscf(first);
        if self.pacer.enqueue(now, place, pcscf)? {
            increment(&mut self.tally.found);
        }
        Ok(())
    }

    /// The number of the P-CSCF of a contact; 0 if its Path does not say.
    fn pcscf(&mut self, contact: &Bound<'_>) -> u32 {
        let owner = owner(contact.path);
        let Some((uri, host)) = owner.as_ref().and_then(|uri| Some((uri, uri.host()?))) else {
            return 0;
        };
        let mut key = Vec::from(uri.effective_port().to_be_bytes());
        match host {
            Host::Name(name) => key.extend(name.iter().map(u8::to_ascii_lowercase)),
            Host::V4(address) => key.extend(address),
            Host::V6(address) => key.extend(address),
        }
        let count = u32::try_from(self.pcscfs.len()).unwrap_or(u32::MAX);
        let last = MAX_PCSCFS.saturating_sub(1);
        match self.pcscfs.get(&key) {
            Some(number) => *number,
            None if count.saturating_add(1) >= last => last,
            None => {
                let number = count.saturating_add(1);
                self.pcscfs.insert(key, number);
                number
            }
        }
    }

    /// What was asked in a turn leaves, if it was withheld.
    pub(super) fn turn_left(&mut self, now: Millis, place: u32) {
        self.pacer.left(now, place);
    }

    /// Somebody whose turn it is answered, or did not.
    pub(super) fn note(&mut self, place: u32, outcome: pacer::Outcome) {
        if let Some(worst) = self.running.get_mut(&place) {
            if weight(outcome) > weight(*worst) {
                *worst = outcome;
            }
        }
    }

    /// The HSS was told of somebody whose turn it is, or was not.
    pub(super) fn note_assignment(&mut self, place: u32, assignment: Assignment) {
        match assignment {
            Assignment::Failed => self.note(place, pacer::Outcome::Refused),
            Assignment::NoAnswer => self.note(place, pacer::Outcome::Timeout),
            Assignment::NotNeeded | Assignment::Assigned | Assignment::NameNotStored => {}
        }
    }

    /// The turn of a set is over, if it was on.
    pub(super) fn end_turn(&mut self, now: Millis, place: u32) {
        if let Some(worst) = self.running.remove(&place) {
            increment(&mut self.tally.deregistered);
            if worst != pacer::Outcome::Answered {
                increment(&mut self.tally.disturbed);
            }
            self.pacer.outcome(now, place, worst);
            self.due_since = now;
        }
    }

    /// The set whose turn it is has nothing to end, or could not be.
    pub(super) fn pass_over(&mut self, now: Millis, place: u32) {
        if self.running.remove(&place).is_some() {
            increment(&mut self.tally.passed_over);
            self.pacer.outcome(now, place, pacer::Outcome::Abandoned);
            self.due_since = now;
        }
    }
}

/// What says most of a neighbour's state.
const fn weight(outcome: pacer::Outcome) -> u8 {
    match outcome {
        pacer::Outcome::Answered => 0,
        pacer::Outcome::Abandoned => 1,
        pacer::Outcome::Refused => 2,
        pacer::Outcome::Timeout => 3,
        pacer::Outcome::Unreachable => 4,
        pacer::Outcome::Overloaded { .. } => 5,
    }
}
