//! The shutdown of an MSC server, on its subscribers.

use super::MscNode;
use crate::{
    deregister::{Class, Drain, Pace, Stage, stretch},
    drive::{Millis, Misuse, Outbox, Verdict},
    fleet::Id,
    mscics::{Cause, Event, Input, Mscics, Registration, Shutdown, shutdown::Survey},
};

impl MscNode {
    /// [MS-1] The order to shut down, or to say what that would be.
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

    /// [MS-1] Calls a shutdown off.
    pub(super) fn resume(&mut self, now: Millis) -> Verdict {
        if self.drain.take().is_none() {
            return Verdict::NotMine;
        }
        self.releasing = Some(0);
        self.pacing
            .order(now, self.config.terms(), Pace::default(), None);
        Verdict::Handled
    }

    /// [DR-6] When the shutdown, or its unwinding, has something to do.
    pub(super) fn shutdown_at(&self) -> Option<Millis> {
        let now = self.clock.latest();
        if self.survey.is_some() || self.releasing.is_some() {
            return Some(now);
        }
        let drain = self.drain.as_ref()?;
        drain.due_at(now, self.subscribers.len() == 0)
    }

    /// One stretch of the walk, and what is to be reported.
    pub(super) fn tick_shutdown(
        &mut self,
        now: Millis,
        out: &mut Outbox<Mscics>,
    ) -> Result<(), Misuse> {
        if let Some(survey) = self.survey.take() {
            self.survey_on(now, survey, out);
            return Ok(());
        }
        if let Some(from) = self.releasing {
            return self.release_on(now, from, out);
        }
        let Some(drain) = &mut self.drain else {
            return Ok(());
        };
        let is_over = drain.deadline <= now;
        if is_over && matches!(drain.stage, Stage::Walking(_) | Stage::Walked) {
            drain.begin(Stage::Closing);
        }
        let (stage, from) = (drain.stage, drain.cursor);
        match stage {
            Stage::Walking(class) => self.queue_on(now, class, from, out)?,
            Stage::Closing => self.close_on(now, from, out)?,
            Stage::Walked | Stage::Closed | Stage::Ended => {}
        }
        self.report_shutdown(now, out);
        Ok(())
    }

    /// The walk has come to a place.
    fn walk_to(&mut self, place: u32) {
        let places = self.subscribers.places();
        if let Some(drain) = &mut self.drain {
            drain.cursor = place;
            if place >= places {
                drain.go_on();
            }
        }
    }

    /// Queues the subscribers of a class. Nothing is put out: nothing has been done for them yet.
    fn queue_on(
        &mut self,
        now: Millis,
        class: Class,
        from: u32,
        out: &mut Outbox<Mscics>,
    ) -> Result<(), Misuse> {
        let places = stretch(from, self.subscribers.places());
        for place in places.clone() {
            if let Some(id) = self.subscribers.at(place) {
                self.queue_if(now, id, |own| own == class, out)?;
            }
        }
        self.walk_to(places.end);
        Ok(())
    }

    /// [MS-1] One who is registered, or returns, while the node is shut down is queued if the walk has passed the like.
    pub(super) fn queue_new(
        &mut self,
        now: Millis,
        id: Id,
        out: &mut Outbox<Mscics>,
    ) -> Result<(), Misuse> {
        let Some(drain) = &self.drain else {
            return Ok(());
        };
        let [ordinary, in_dialog] =
            [Class::Ordinary, Class::InDialog].map(|class| drain.has_begun(class));
        let is_meant = |class| match class {
            Class::Ordinary => ordinary,
            _ => in_dialog,
        };
        self.queue_if(now, id, is_meant, out)
    }

    fn queue_if(
        &mut self,
        now: Millis,
        id: Id,
        is_meant: impl FnOnce(Class) -> bool,
        out: &mut Outbox<Mscics>,
    ) -> Result<(), Misuse> {
        let registration = self.subscribers.get(id).map(|it| &it.registration);
        let class = registration
            .filter(|it| it.is_registered())
            .map(Registration::class);
        if class.is_some_and(is_meant) {
            self.step(now, id, Input::Trigger(Cause::Shutdown), out)?;
            self.rearm(id);
        }
        Ok(())
    }

    /// Ends the next registration that is left after the deadline; who waits for a turn hears from the pacer that it
    /// does not come.
    fn close_on(&mut self, now: Millis, from: u32, out: &mut Outbox<Mscics>) -> Result<(), Misuse> {
        let places = stretch(from, self.subscribers.places());
        let is_left = |id: &Id| {
            let subscriber = self.subscribers.get(*id);
            subscriber.is_some_and(|it| !it.registration.is_queued())
        };
        let mut all = places
            .clone()
            .filter_map(|place| self.subscribers.at(place));
        let found = all.find(is_left);
        if let Some(id) = found {
            self.step(now, id, Input::OutOfTime, out)?;
            self.settle(id, out);
        }
        self.walk_to(found.map_or(places.end, |id| id.place().saturating_add(1)));
        Ok(())
    }

    /// After the shutdown was called off: who waits for a turn of it is left alone.
    fn release_on(
        &mut self,
        now: Millis,
        from: u32,
        out: &mut Outbox<Mscics>,
    ) -> Result<(), Misuse> {
        let places = stretch(from, self.subscribers.places());
        for place in places.clone() {
            if let Some(id) = self.subscribers.at(place) {
                self.step(now, id, Input::Resumed, out)?;
                self.rearm(id);
            }
        }
        self.releasing = Some(places.end).filter(|&end| end < self.subscribers.places());
        Ok(())
    }

    /// [MS-1] One stretch of the dry run, and what it has found.
    fn survey_on(&mut self, now: Millis, mut survey: Survey, out: &mut Outbox<Mscics>) {
        let places = stretch(survey.turns.cursor, self.subscribers.places());
        let terms = self.config.terms();
        for place in places.clone() {
            let id = self.subscribers.at(place);
            if let Some(subscriber) = id.and_then(|id| self.subscribers.get(id)) {
                let pacing = (&mut self.pacing, terms);
                survey.count(now, pacing, &subscriber.registration);
            }
        }
        survey.turns.cursor = places.end;
        if places.end < self.subscribers.places() {
            self.survey = Some(survey);
            return;
        }
        out.event(Event::ShutdownPlanned {
            registrations: survey.registrations,
            in_dialog: survey.in_dialog,
            least_time: survey.turns.least_time(now, &mut self.pacing, terms),
        });
        if self.subscribers.len() == 0 && self.drain.is_none() {
            self.pacing.give_back(terms);
        }
    }

    fn report_shutdown(&mut self, now: Millis, out: &mut Outbox<Mscics>) {
        let left = u32::try_from(self.subscribers.len()).unwrap_or(u32::MAX);
        let Some(drain) = &mut self.drain else {
            return;
        };
        let tally = drain.tally(&self.counters);
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
