//! What an MSC server has to do when, and whose turn it is.

use alloc::vec::Vec;

use super::MscNode;
use crate::{
    deregister::Want,
    drive::{Context, Millis, Misuse, Outbox, Timer},
    fleet::{
        Id,
        pacer::{Outcome, Turn},
    },
    mscics::{Input, Mscics, registration::Field, snapshot::NodeRecord},
};

/// What is due.
#[derive(Clone, Copy)]
pub(super) enum Due {
    Subscriber(Id),
    Subscription,
    Turn,
    Shutdown,
}

impl MscNode {
    /// [DR-6] What is due first, and when.
    pub(super) fn first_due(&self) -> Option<(Millis, Due)> {
        let subscriber = self.subscribers.next();
        let subscriber = subscriber.map(|(at, id)| (at, Due::Subscriber(id)));
        let subscription = self.subscriptions.deadline();
        let subscription = subscription.map(|(at, _)| (at, Due::Subscription));
        let turn = self.turn_at().map(|at| (at, Due::Turn));
        let shutdown = self.shutdown_at().map(|at| (at, Due::Shutdown));
        let all = [subscriber, subscription, turn, shutdown];
        all.into_iter().flatten().min_by_key(|&(at, _)| at)
    }

    /// The name of its timer.
    pub(super) fn timer_of(&self, due: Due) -> Timer {
        let named = match due {
            Due::Subscriber(id) => {
                let subscriber = self.subscribers.get(id);
                subscriber.map(|subscriber| subscriber.registration.deadline(&self.config))
            }
            Due::Subscription => self.subscriptions.deadline(),
            Due::Turn => return Timer("turn of a subscriber"),
            Due::Shutdown => return Timer("shutdown"),
        };
        named.map_or(Timer("settled"), |(_, timer)| timer)
    }

    /// What is due acts.
    pub(super) fn act(
        &mut self,
        now: Millis,
        due: Due,
        out: &mut Outbox<Mscics>,
    ) -> Result<(), Misuse> {
        match due {
            Due::Subscriber(id) => {
                self.step(now, id, Input::Tick, out)?;
                self.settle(id, out);
                self.take_turn(now, out)
            }
            Due::Subscription => self.tick_subscription(now, out),
            Due::Turn => self.take_turn(now, out),
            Due::Shutdown => self.tick_shutdown(now, out),
        }
    }

    fn tick_subscription(&mut self, now: Millis, out: &mut Outbox<Mscics>) -> Result<(), Misuse> {
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
    pub(super) fn take_turn(
        &mut self,
        now: Millis,
        out: &mut Outbox<Mscics>,
    ) -> Result<(), Misuse> {
        if self.releasing.is_some() {
            return Ok(());
        }
        let (machine, input) = match self.pacing.next(now, self.changes.withhold_turns()) {
            None => return Ok(()),
            Some(Turn::Ask { machine }) => (machine, Input::Turn),
            Some(Turn::NotAsked { machine, reason }) => (machine, Input::NotAsked(reason.into())),
        };
        let Some(id) = self.subscribers.at(machine) else {
            self.pacing.tell(now, machine, Outcome::Abandoned);
            return Ok(());
        };
        self.step(now, id, input, out)?;
        self.settle(id, out);
        self.changes.note_turn(machine);
        Ok(())
    }

    /// [PD-12] After every step of a subscriber: it is queued for its next turn, or taken out of the queue. A turn in
    /// which no REGISTER goes out says nothing of the next hop.
    pub(super) fn repace(&mut self, id: Id) {
        let registration = self
            .subscribers
            .get(id)
            .map(|subscriber| &subscriber.registration);
        let domain = registration.map_or(&b""[..], |it| it.made_of().0.field(Field::HomeDomain));
        let out = registration.filter(|it| it.has_request_out());
        let queued = registration.filter(|it| it.is_queued());
        let want = Want {
            out: out.map(|_| domain),
            turn: queued.map(|it| (domain, it.has_begun())),
        };
        let now = self.clock.latest();
        self.pacing
            .follow(now, self.config.terms(), id.place(), want);
    }

    /// [DR-7] What is the node's own, in a blob: subscribers have the numbers of their order in it.
    pub(super) fn node_record(&self, now: Millis) -> NodeRecord {
        let places = self.subscribers.iter().map(|(id, _)| id.place());
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
}
