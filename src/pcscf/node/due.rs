//! What a P-CSCF has to do when, and whose turn it is.

use super::PcscfNode;
use crate::{
    deregister::Want,
    drive::{Context, Millis, Misuse, Outbox, Timer},
    fleet::{
        Id,
        pacer::{Outcome, Turn},
    },
    pcscf::{Input, Pcscf, Registration, deregistration::State, registration::Field, user::User},
};

/// What is due.
#[derive(Clone, Copy)]
pub(super) enum Due {
    User(Id),
    Subscription,
    Turn,
    Shutdown,
}

impl PcscfNode {
    /// [DR-6] What is due first, and when.
    pub(super) fn first_due(&self) -> Option<(Millis, Due)> {
        let user = self.users.next().map(|(at, id)| (at, Due::User(id)));
        let subscription = self.subscriptions.deadline();
        let subscription = subscription.map(|(at, _)| (at, Due::Subscription));
        let turn = self.turn_at().map(|at| (at, Due::Turn));
        let shutdown = self.shutdown_at().map(|at| (at, Due::Shutdown));
        let all = [user, subscription, turn, shutdown];
        all.into_iter().flatten().min_by_key(|&(at, _)| at)
    }

    /// The name of its timer.
    pub(super) fn timer_of(&self, due: Due) -> Timer {
        match due {
            Due::User(id) => {
                let user = self.users.get(id);
                let named = user.and_then(|user| user.deadline(&self.config));
                named.map_or(Timer("settled"), |(_, timer)| timer)
            }
            Due::Subscription => {
                let named = self.subscriptions.deadline();
                named.map_or(Timer("settled"), |(_, timer)| timer)
            }
            Due::Turn => Timer("turn of a REGISTER"),
            Due::Shutdown => Timer("shutdown"),
        }
    }

    /// What is due acts.
    pub(super) fn act(
        &mut self,
        now: Millis,
        due: Due,
        out: &mut Outbox<Pcscf>,
    ) -> Result<(), Misuse> {
        match due {
            Due::User(id) => {
                self.tick_user(now, id, out)?;
                self.settle(id, out);
                self.take_turn(now, out)
            }
            Due::Subscription => self.tick_subscription(now, out),
            Due::Turn => self.take_turn(now, out),
            Due::Shutdown => self.tick_shutdown(now, out),
        }
    }

    /// The most overdue registration of a user acts. A REGISTER that it would send waits for its turn.
    fn tick_user(&mut self, now: Millis, id: Id, out: &mut Outbox<Pcscf>) -> Result<(), Misuse> {
        let Some(user) = self.users.get(id) else {
            return Ok(());
        };
        let registrations = user.registrations.iter().enumerate();
        let due = registrations
            .map(|(place, r)| (r.deadline(&self.config).0, place))
            .min();
        let Some((_, place)) = due.filter(|&(at, _)| at <= now) else {
            return Ok(());
        };
        let registration = user.registrations.get(place);
        let input = match registration.map(Registration::state) {
            Some(State::Registered) => registration
                .and_then(|registration| registration.ran_out(now, &self.config))
                .map_or(Input::Tick, Input::TriggerDue),
            Some(State::Waiting { .. }) => Input::RetryDue,
            _ => Input::Tick,
        };
        self.step(now, id, place, input, out).map(|_| ())
    }

    fn tick_subscription(&mut self, now: Millis, out: &mut Outbox<Pcscf>) -> Result<(), Misuse> {
        let mut cx = Context {
            now,
            config: &self.config.subscription,
            identifiers: &mut self.identifiers,
            id: 0,
        };
        let stepped = self.subscriptions.tick(&mut cx, out)?;
        self.take_leave(stepped, out);
        Ok(())
    }

    /// When the next turn may be given. None is while a shutdown that was called off is unwound.
    fn turn_at(&self) -> Option<Millis> {
        self.pacing.deadline().filter(|_| self.releasing.is_none())
    }

    /// [PD-12] Gives the next turn, if one is due.
    pub(super) fn take_turn(&mut self, now: Millis, out: &mut Outbox<Pcscf>) -> Result<(), Misuse> {
        if self.releasing.is_some() {
            return Ok(());
        }
        let (machine, input) = match self.pacing.next(now, self.changes.withhold_turns()) {
            None => return Ok(()),
            Some(Turn::Ask { machine }) => (machine, Input::Turn),
            Some(Turn::NotAsked { machine, reason }) => (machine, Input::NotAsked(reason.into())),
        };
        let user = self.users.at(machine);
        let first = user.and_then(|id| Some((id, first_queued(self.users.get(id)?)?)));
        let Some((id, place)) = first else {
            self.pacing.tell(now, machine, Outcome::Abandoned);
            return Ok(());
        };
        let _ = self.step(now, id, place, input, out)?;
        self.settle(id, out);
        self.changes.note_turn(machine);
        Ok(())
    }

    /// [PD-12] After every step of a user: it is queued for its next REGISTER, one after the other, or taken out of
    /// the queue.
    pub(super) fn repace(&mut self, id: Id) {
        let user = self.users.get(id);
        let turn = user.and_then(|user| {
            let registration = user.registrations.get(first_queued(user)?)?;
            let domain = registration.strings.field(Field::HomeDomain);
            Some((domain, registration.registers > 0))
        });
        let mut registrations = user.iter().flat_map(|user| &user.registrations);
        let out = registrations.find(|registration| registration.has_request_out());
        let want = Want {
            out: out.map(|registration| registration.strings.field(Field::HomeDomain)),
            turn,
        };
        let now = self.clock.latest();
        self.pacing
            .follow(now, self.config.terms(), id.place(), want);
    }
}

/// The registration of a user whose turn comes first.
fn first_queued(user: &User) -> Option<usize> {
    let registrations = user.registrations.iter().enumerate();
    let queued = registrations.filter(|(_, registration)| registration.is_queued());
    let first = queued.min_by_key(|(_, registration)| registration.class());
    first.map(|(place, _)| place)
}
