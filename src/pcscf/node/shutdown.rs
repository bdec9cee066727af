//! The shutdown of a P-CSCF, on its users.

use alloc::vec::Vec;

use super::PcscfNode;
use crate::{
    deregister::{Class, Drain, Pace, Stage, stretch},
    drive::{Millis, Misuse, Outbox, Verdict},
    fleet::Id,
    pcscf::{
        Cause, Event, Input, Pcscf, Registration, Shutdown,
        registration::Field,
        shutdown::{Survey, Tally},
        snapshot::NodeRecord,
    },
    wire::{Contact, Message, register::asked_expires},
};

/// Seconds of Retry-After at least: the deadline may be near, or over.
const LEAST_RETRY_AFTER: u64 = 10;

/// Registrations of a node, counted as they come and go.
#[derive(Clone, Copy, Default)]
pub(super) struct Census {
    pub(super) registrations: usize,
    pub(super) emergency: usize,
}

impl Census {
    pub(super) const fn add(&mut self, registration: &Registration) {
        self.registrations = self.registrations.saturating_add(1);
        if registration.is_emergency() {
            self.emergency = self.emergency.saturating_add(1);
        }
    }

    pub(super) const fn remove(&mut self, registration: &Registration) {
        self.registrations = self.registrations.saturating_sub(1);
        if registration.is_emergency() {
            self.emergency = self.emergency.saturating_sub(1);
        }
    }
}

impl PcscfNode {
    /// [PD-2] The order to shut down, or to say what that would be.
    pub(super) fn shut_down(&mut self, now: Millis, order: Shutdown) -> Verdict {
        if order.dry_run {
            self.survey = Some(Survey::new(&order));
            return Verdict::Handled;
        }
        match &mut self.drain {
            Some(drain) => drain.order(now, &order.order()),
            None => self.drain = Some(Drain::new(now, &order.order(), self.counters)),
        }
        self.releasing = None;
        let deadline = Some(order.deadline);
        self.pacing
            .order(now, self.config.terms(), order.pace(), deadline);
        Verdict::Handled
    }

    /// [PD-2] Calls a shutdown off.
    pub(super) fn resume(&mut self, now: Millis) -> Verdict {
        if self.drain.take().is_none() {
            return Verdict::NotMine;
        }
        self.releasing = Some(0);
        self.pacing
            .order(now, self.config.terms(), Pace::default(), None);
        Verdict::Handled
    }

    /// [PD-2] Whether a REGISTER of a UE is refused: one that is not of an emergency and would leave the UE
    /// registered. One without contacts asks for nothing but what there is.
    pub(super) fn refused(&self, now: Millis, register: &Message<'_>) -> Option<Verdict> {
        let drain = self.drain.as_ref()?;
        let mut stays = false;
        for contact in register.contacts() {
            match contact {
                Ok(Contact::Addr(contact)) if contact.uri().params().has(b"sos") => return None,
                Ok(Contact::Addr(contact)) => stays |= asked_expires(&contact, register) > 0,
                Ok(Contact::Star) | Err(_) => {}
            }
        }
        let left = drain.deadline.since(now).div_ceil(1_000);
        let retry_after = u32::try_from(left.max(LEAST_RETRY_AFTER)).unwrap_or(u32::MAX);
        stays.then_some(Verdict::Refuse {
            status: 503,
            retry_after,
        })
    }

    /// [PD-2] Registrations that a shutdown is to end, and that are here still.
    fn left(&self, drain: &Drain<Tally>) -> usize {
        let all = self.census.registrations;
        match drain.emergency {
            true => all,
            false => all.saturating_sub(self.census.emergency),
        }
    }

    /// [DR-6] When the shutdown, or what is like it, has something to do.
    pub(super) fn shutdown_at(&self) -> Option<Millis> {
        let now = self.clock.latest();
        if self.survey.is_some() || self.releasing.is_some() {
            return Some(now);
        }
        let drain = self.drain.as_ref()?;
        drain.due_at(now, self.left(drain) == 0)
    }

    /// [DR-7] What is the node's own, in a blob: users have the numbers of their order in it.
    pub(super) fn node_record(&self, now: Millis) -> NodeRecord {
        let places = self.users.iter().map(|(id, _)| id.place());
        let places: Vec<u32> = match self.pacing.is_idle() && self.drain.is_none() {
            true => Vec::new(),
            false => places.collect(),
        };
        let number = |place: u32| u32::try_from(places.binary_search(&place).ok()?).ok();
        let passed = |cursor: u32| places.partition_point(|&place| place < cursor);
        NodeRecord {
            shutdown: self.drain.as_ref().map(|drain| {
                let cursor = u32::try_from(passed(drain.cursor)).unwrap_or(u32::MAX);
                drain.snapshot(now, &self.counters, cursor)
            }),
            pacing: self.pacing.snapshot(now, self.drain.is_some(), number),
        }
    }

    /// One stretch of the walk, and what is to be reported.
    pub(super) fn tick_shutdown(
        &mut self,
        now: Millis,
        out: &mut Outbox<Pcscf>,
    ) -> Result<(), Misuse> {
        if self.survey.is_some() {
            self.survey_on(now, out);
            return Ok(());
        }
        if self.releasing.is_some() {
            return self.release_on(now, out);
        }
        let Some(drain) = &mut self.drain else {
            return Ok(());
        };
        let is_over = drain.deadline <= now;
        if is_over && matches!(drain.stage, Stage::Walking(_) | Stage::Walked) {
            drain.begin(Stage::Closing);
        }
        match drain.stage {
            Stage::Walking(class) => self.queue_on(now, class, out)?,
            Stage::Closing => self.close_on(now, out)?,
            Stage::Walked | Stage::Closed | Stage::Ended => {}
        }
        self.report_shutdown(now, out);
        Ok(())
    }

    /// The places that are looked at now, of a walk that has come to `from`; none past the last.
    fn stretch(&self, from: u32) -> core::ops::Range<u32> {
        stretch(from, self.users.places())
    }

    /// [PD-2] Queues the registrations of a class.
    fn queue_on(
        &mut self,
        now: Millis,
        class: Class,
        out: &mut Outbox<Pcscf>,
    ) -> Result<(), Misuse> {
        let Some(drain) = &mut self.drain else {
            return Ok(());
        };
        let from = drain.cursor;
        let places = self.stretch(from);
        for place in places.clone() {
            if let Some(id) = self.users.at(place) {
                self.queue_user(now, id, Some(class), out)?;
            }
        }
        if let Some(drain) = &mut self.drain {
            drain.cursor = places.end;
            if drain.cursor >= self.users.places() {
                drain.go_on();
            }
        }
        Ok(())
    }

    /// [PD-2] Queues the registrations of a user: those of a class, or all that the shutdown has come to. Nothing is put
    /// out, and nothing is to be stored: nothing has been done for the user yet.
    pub(super) fn queue_user(
        &mut self,
        now: Millis,
        id: Id,
        class: Option<Class>,
        out: &mut Outbox<Pcscf>,
    ) -> Result<(), Misuse> {
        let mut has_queued = false;
        for place in 0..self.contacts_of(id) {
            let Some(drain) = &self.drain else {
                return Ok(());
            };
            let user = self.users.get(id);
            let registration = user.and_then(|user| user.registrations.get(place));
            let Some(registration) = registration.filter(|r| r.is_registered()) else {
                continue;
            };
            let own = registration.class();
            if class.map_or_else(|| drain.has_begun(own), |class| class == own) {
                let input = Input::TriggerDue(Cause::Shutdown);
                let _ = self.step(now, id, place, input, out)?;
                has_queued = true;
            }
        }
        if has_queued {
            self.rearm(id);
            self.repace(id);
        }
        Ok(())
    }

    fn contacts_of(&self, id: Id) -> usize {
        self.users
            .get(id)
            .map_or(0, |user| user.registrations.len())
    }

    /// [PD-8] Cleans up the next registration that is left after the deadline; who waits for a turn hears from the
    /// pacer that it does not come.
    fn close_on(&mut self, now: Millis, out: &mut Outbox<Pcscf>) -> Result<(), Misuse> {
        let Some(drain) = &self.drain else {
            return Ok(());
        };
        let emergency = drain.emergency;
        let is_left = |registration: &Registration| {
            let is_spared = registration.is_emergency() && !emergency;
            let is_over = registration.is_cleaning() && !registration.is_put_off(now);
            !is_over && !registration.is_queued() && !is_spared
        };
        let places = self.stretch(drain.cursor);
        let found = places.clone().find_map(|place| {
            let id = self.users.at(place)?;
            let registrations = &self.users.get(id)?.registrations;
            Some((id, registrations.iter().position(is_left)?))
        });
        if let Some((id, place)) = found {
            let _ = self.step(now, id, place, Input::OutOfTime, out)?;
            self.settle(id, out);
        }
        if let Some(drain) = &mut self.drain {
            // The user may have more than one.
            drain.cursor = found.map_or(places.end, |(id, _)| id.place());
            if found.is_none() && drain.cursor >= self.users.places() {
                drain.go_on();
            }
        }
        Ok(())
    }

    /// [PD-2] After the shutdown was called off: who waits for a turn of it is left alone.
    fn release_on(&mut self, now: Millis, out: &mut Outbox<Pcscf>) -> Result<(), Misuse> {
        let Some(from) = self.releasing else {
            return Ok(());
        };
        let places = self.stretch(from);
        for place in places.clone() {
            let Some(id) = self.users.at(place) else {
                continue;
            };
            for place in 0..self.contacts_of(id) {
                let _ = self.step(now, id, place, Input::Resumed, out)?;
            }
            self.rearm(id);
            self.repace(id);
        }
        self.releasing = Some(places.end).filter(|&end| end < self.users.places());
        Ok(())
    }

    /// [PD-2] The dry run, and what it has found.
    fn survey_on(&mut self, now: Millis, out: &mut Outbox<Pcscf>) {
        let Some(mut survey) = self.survey.take() else {
            return;
        };
        let places = self.stretch(survey.turns.cursor);
        let terms = self.config.terms();
        for place in places.clone() {
            let user = self.users.at(place).and_then(|id| self.users.get(id));
            for registration in user.iter().flat_map(|user| &user.registrations) {
                if survey.count(registration) {
                    let domain = registration.strings.field(Field::HomeDomain);
                    let pacing = (&mut self.pacing, terms);
                    survey.turns.count(now, pacing, domain, 1);
                }
            }
        }
        survey.turns.cursor = places.end;
        if places.end < self.users.places() {
            self.survey = Some(survey);
            return;
        }
        out.event(Event::ShutdownPlanned {
            registrations: survey.registrations,
            in_dialog: survey.in_dialog,
            emergency: survey.emergency,
            least_time: survey.turns.least_time(now, &mut self.pacing, terms),
        });
    }

    fn report_shutdown(&mut self, now: Millis, out: &mut Outbox<Pcscf>) {
        let Some(drain) = &self.drain else {
            return;
        };
        let left = u32::try_from(self.left(drain)).unwrap_or(u32::MAX);
        let tally = drain.tally(&self.counters);
        let Some(drain) = &mut self.drain else {
            return;
        };
        if left == 0 && matches!(drain.stage, Stage::Walked | Stage::Closed) {
            drain.stage = Stage::Ended;
            out.event(Event::ShutdownEnded { tally });
        } else if drain.stage != Stage::Ended && drain.report(now) {
            let progress = self.pacing.progress();
            out.event(Event::ShutdownProgressed {
                left,
                queued: progress.queued,
                in_flight: progress.out,
                tally,
            });
        }
    }
}
