//! [SD-5] Every set of the node is deregistered, each in its turn.

use super::{
    Cause, Entry, Event, Id, Millis, Misuse, Outbox, Scscf, ScscfNode, Timer, Verdict, drive, pacer,
};
use crate::{
    regevent::notifier::Resource,
    scscf::{
        DeregistrationReason, DrainProgress,
        drain::{Drain, Due},
    },
};

impl ScscfNode {
    /// [SD-5] How far the deregistration of all sets has come. `None` if there is none. It goes through all P-CSCFs.
    #[must_use]
    pub fn drain_progress(&self) -> Option<DrainProgress> {
        self.drain.as_deref().map(Drain::progress)
    }

    /// [SD-5] Begins to deregister everybody, or goes on with another reason and deadline.
    pub(super) fn deregister_all(
        &mut self,
        now: Millis,
        reason: DeregistrationReason,
        within: Option<u64>,
    ) -> Result<Verdict, Misuse> {
        if self.drain.is_none() {
            let places = self.sets.places();
            let report_at = now.after(self.config.drain_report);
            // The configuration is checked: it can only be too many places.
            let begun = Drain::new(now, reason, &self.config.drain, places, report_at);
            self.drain = Some(begun.map_err(|_| Misuse::NodeFull)?.into());
        }
        if let Some(drain) = &mut self.drain {
            drain.reason = reason;
            drain.set_deadline(within.map(|within| now.after(within)));
        }
        Ok(Verdict::Handled)
    }

    /// When a drain has something to do, unless another machine has before.
    pub(super) fn drain_deadline(&self) -> Option<(Millis, Timer)> {
        let at = self.drain.as_deref()?.deadline()?;
        Some((at, Timer("deregistration of everybody")))
    }

    /// [SD-5] One step of a drain: a turn, some sets looked at, or a report.
    fn step_drain(&mut self, now: Millis, out: &mut Outbox<Scscf>) -> Result<(), Misuse> {
        let Some(drain) = &mut self.drain else {
            return Ok(());
        };
        let is_withheld = self.changes.withhold_turns();
        match drain.next(now, self.config.drain_report, is_withheld) {
            Due::Nothing => {}
            Due::Deregister(place) => {
                let cause = Cause::Operator(drain.reason);
                self.take_turn(now, place, cause, out);
            }
            Due::Look(places) => {
                for place in places {
                    let entry = self.sets.at(place).and_then(|id| self.sets.get(id));
                    if let Some(first) = entry.and_then(Entry::departing) {
                        drain.enqueue(now, place, &first)?;
                    }
                }
            }
            Due::Report => {
                let progress = drain.progress();
                out.event(Event::DrainProgressed { progress });
            }
            Due::End => {
                let progress = drain.progress();
                out.event(Event::Drained { progress });
                self.drain = None;
            }
        }
        Ok(())
    }

    /// What is most overdue acts: a set, or the drain.
    pub(super) fn step_due(&mut self, now: Millis, out: &mut Outbox<Scscf>) -> Result<(), Misuse> {
        let drain = self.drain_deadline().filter(|(at, _)| *at <= now);
        match (self.sets.next(), drain) {
            (Some((at, id)), drain) if at <= now && drain.is_none_or(|(then, _)| at <= then) => {
                self.with_set(now, id, |set, cx| set.tick(cx, out))?;
                self.settle(now, id, out);
            }
            (_, Some(_)) => self.step_drain(now, out)?,
            _ => {}
        }
        Ok(())
    }

    fn take_turn(&mut self, now: Millis, place: u32, cause: Cause, out: &mut Outbox<Scscf>) {
        let found = self.sets.at(place).filter(|id| {
            let entry = self.sets.get(*id);
            entry.is_some_and(|entry| entry.departing().is_some())
        });
        let ended = found.map(|id| self.end_registrations(now, id, cause, &[], b"", out));
        self.changes.note_turn(place);
        if !matches!(ended, Some(Ok(Verdict::Handled))) {
            if let Some(drain) = &mut self.drain {
                drain.pass_over(now, place);
            }
        }
    }

    /// After a step of a set: its turn is over when nothing of it is left to be told.
    pub(super) fn end_turn(&mut self, now: Millis, id: Id) {
        let Some(drain) = &mut self.drain else {
            return;
        };
        let awake = self.sets.get(id).and_then(Entry::set);
        let is_over = awake.is_none_or(|set| {
            let told = set.subscriptions.is_empty() || !set.table.is_terminated();
            set.procedures.is_empty() && told
        });
        if is_over {
            drain.end_turn(now, id.place());
        }
    }

    /// What became of a NOTIFY for a set, as far as the neighbour is concerned.
    pub(super) fn note_neighbour(
        &mut self,
        id: Id,
        answer: &drive::Answer<'_, Scscf>,
        status: Option<u16>,
        retry_after: Option<u32>,
    ) {
        let Some(drain) = &mut self.drain else {
            return;
        };
        let outcome = match (status, answer) {
            (Some(status), _) => pacer::Outcome::of_response(status, retry_after),
            (None, drive::Answer::Unreachable) => pacer::Outcome::Unreachable,
            (None, _) => pacer::Outcome::Timeout,
        };
        drain.note(id.place(), outcome);
    }
}
