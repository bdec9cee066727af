//! [DR-7] What is stored of one machine, and every transition of that.

use alloc::{boxed::Box, vec::Vec};
use serde::{Deserialize, Serialize};

use super::{
    Config, Counters, Key,
    fence::{Fence, Stretch},
};
use crate::drive::{
    Millis, Outbox, Persist, Timer, Token, Withheld, WithheldRole, increment, snapshot,
    snapshot::Raw,
};

/// Bytes of a key; a longer one is cut there.
pub(super) const LONGEST_KEY: usize = 8_192;

/// What a blob holds.
#[derive(Serialize, Deserialize)]
pub(super) struct Blob<'b> {
    /// `None`: it has gone.
    #[serde(borrow)]
    pub(super) machine: Option<Raw<'b>>,
    /// Events that must not be lost.
    pub(super) outcomes: Vec<Raw<'b>>,
}

/// A write that the store has not confirmed.
struct Write {
    version: u64,
    blob: Box<[u8]>,
}

/// The write that is out, or to be tried again.
struct Pending {
    /// `None`: the key is to be erased.
    write: Option<Write>,
    /// Its own, however often it is tried: whichever try is answered, it is the same write.
    token: Option<Token>,
    /// Whether it is out; else it waits to be tried, or tried again.
    is_out: bool,
    /// The answer must have come then; or it is tried again.
    at: Millis,
    failures: u8,
}

enum State {
    /// The store has all, as far as it was asked.
    Quiet,
    Pending(Box<Pending>),
}

/// What is to be done for a record.
pub(super) enum Work {
    Nothing,
    /// Write a blob of the machine as it is now.
    Store,
    /// Hand out the write that is pending.
    Offer,
    /// There is nothing left, here and in the store.
    Forget,
    /// Another node has the machine.
    LetGo,
}

/// What can happen to a record.
#[derive(Clone, Copy)]
pub(super) enum Input {
    Stored,
    Conflict,
    Failed,
    Tick,
}

/// What is stored of one machine.
pub(super) struct Record<R: WithheldRole> {
    pub(super) key: Key,
    /// The machine's place in the node; `None` once it has gone.
    pub(super) machine: Option<u32>,
    /// The version that stands in the store; 0 for none.
    version: u64,
    state: State,
    /// Something has changed that the pending write, if there is one, does not say.
    since: Option<Millis>,
    /// What waits for the pending write.
    covered: Withheld<R>,
    /// What waits for the one after it.
    waiting: Withheld<R>,
    /// What may go now, as room permits.
    free: Withheld<R>,
    /// The store was done without: nothing waits for the pending write.
    done_without: bool,
    /// A turn has begun, and nothing has been put out in it yet.
    turn_begun: bool,
    /// What was put out in a turn has left.
    turn_left: bool,
    /// Since when there is something that waits for the pending write, or may go.
    going: [Option<Stretch>; 2],
    /// Since when there is something for the write after that.
    coming: Option<Stretch>,
}

impl<R: WithheldRole> Record<R> {
    pub(super) fn new(key: &[u8], machine: u32) -> Self {
        Self {
            key: key.into(),
            machine: Some(machine),
            version: 0,
            state: State::Quiet,
            since: None,
            covered: Withheld::default(),
            waiting: Withheld::default(),
            free: Withheld::default(),
            done_without: false,
            turn_begun: false,
            turn_left: false,
            going: [None; 2],
            coming: None,
        }
    }

    /// One that was read from the store. What it reports again is to be withheld; a machine that had gone is to be
    /// erased.
    pub(super) fn adopted(key: &[u8], version: u64, machine: Option<u32>) -> Self {
        let mut record = Self::new(key, 0);
        record.machine = machine;
        record.version = version;
        if machine.is_none() {
            record.since = Some(Millis(0));
        }
        record
    }

    /// Withholds an output until the next blob is safe; `false` if it is a message too many.
    pub(super) fn withhold<N: Persist<Role = R>>(
        &mut self,
        from: &Outbox<R>,
        number: usize,
        limit: usize,
    ) -> bool {
        let outcome = from
            .event_at(number)
            .and_then(|event| N::write_outcome(event, from));
        if outcome.is_some() && self.since.is_none() {
            self.since = Some(Millis(0));
        }
        let is_kept = self.waiting.push(from, number, outcome, limit);
        if self.turn_begun && is_kept {
            self.turn_begun = !self.waiting.end_turn();
        }
        is_kept
    }

    /// The machine has a turn: what it asks next, now or later, is that of the turn.
    pub(super) const fn begin_turn(&mut self) {
        self.turn_begun = true;
    }

    /// The message of the turn is lost.
    pub(super) const fn lose_turn(&mut self) -> bool {
        core::mem::replace(&mut self.turn_begun, false)
    }

    /// Whether what was put out in a turn has left since the last call of this.
    pub(super) const fn take_turn_left(&mut self) -> bool {
        core::mem::replace(&mut self.turn_left, false)
    }

    /// The machine has changed at `now`.
    pub(super) fn changed(&mut self, now: Millis, gone: bool) {
        self.since = self.since.or(Some(now));
        if gone {
            self.machine = None;
        }
        if self.done_without {
            self.free.append(core::mem::take(&mut self.waiting));
        }
    }

    /// Notes since when something is pending.
    pub(super) fn begin_pending(&mut self, fence: &mut Fence<R>) {
        let is_coming = self.since.is_some() && !self.done_without;
        if is_coming && self.coming.is_none() {
            self.coming = Some(fence.begin());
        }
        let [going, _] = &mut self.going;
        if going.is_none() && !self.free.is_empty() {
            *going = Some(fence.begin());
        }
    }

    /// Ends what is no longer pending.
    pub(super) fn end_pending(&mut self, fence: &mut Fence<R>) {
        let is_awaited = matches!(self.state, State::Pending(_)) && !self.done_without;
        if !is_awaited && self.free.is_empty() {
            self.end_going(fence);
        }
    }

    /// Ends all that is pending: nothing comes of it.
    pub(super) fn end_all(&mut self, fence: &mut Fence<R>) {
        self.end_going(fence);
        self.coming.take().into_iter().for_each(|at| fence.end(at));
    }

    fn end_going(&mut self, fence: &mut Fence<R>) {
        let going = core::mem::take(&mut self.going);
        going.into_iter().flatten().for_each(|at| fence.end(at));
    }

    /// What waited for the next write waits for the one that is pending, or may go.
    fn advance_pending(&mut self) {
        let free = self.going.iter_mut().find(|going| going.is_none());
        if let Some(free) = free {
            *free = self.coming.take();
        }
    }

    pub(super) fn awaits(&self, token: Token) -> bool {
        matches!(&self.state, State::Pending(pending) if pending.token == Some(token))
    }

    pub(super) fn deadline(&self) -> Option<Millis> {
        let pending = match &self.state {
            State::Pending(pending) => Some(pending.at),
            State::Quiet => self.since,
        };
        match self.free.is_empty() {
            true => pending,
            false => Some(Millis(0)),
        }
    }

    pub(super) fn timer(&self) -> Timer {
        match &self.state {
            _ if !self.free.is_empty() => Timer("outputs that were withheld"),
            State::Quiet => Timer("blob to be stored"),
            State::Pending(pending) if pending.is_out => Timer("answer of the store"),
            State::Pending(_) => Timer("store tried again"),
        }
    }

    /// Every transition. Puts out what may go.
    pub(super) fn step(
        &mut self,
        now: Millis,
        config: &Config,
        counters: &mut Counters,
        input: Input,
        out: &mut Outbox<R>,
    ) -> Work {
        match (&mut self.state, input) {
            (State::Pending(pending), Input::Stored) => {
                let version = pending.write.as_ref().map(|write| write.version);
                increment(match version {
                    Some(_) => &mut counters.stored,
                    None => &mut counters.erased,
                });
                self.version = version.unwrap_or(0);
                self.state = State::Quiet;
                self.done_without = false;
                self.free.append(core::mem::take(&mut self.covered));
            }
            (State::Pending(_), Input::Conflict) => {
                increment(&mut counters.conflicts);
                return Work::LetGo;
            }
            (State::Pending(_), Input::Failed) => self.failed(now, config, counters),
            (State::Pending(pending), Input::Tick) if now >= pending.at => {
                if !pending.is_out {
                    return Work::Offer;
                }
                self.failed(now, config, counters);
            }
            (State::Pending(_), Input::Tick) | (State::Quiet, _) => {}
        }
        self.turn_left |= self.free.release(out);
        self.next(now)
    }

    /// What is to be done once nothing is pending.
    fn next(&mut self, now: Millis) -> Work {
        if matches!(self.state, State::Pending(_)) || !self.free.is_empty() {
            return Work::Nothing;
        }
        match (self.since, self.machine) {
            (Some(_), _) => Work::Store,
            (None, Some(_)) => Work::Nothing,
            (None, None) if self.version == 0 => Work::Forget,
            (None, None) => {
                self.state = State::Pending(Box::new(Pending {
                    write: None,
                    token: None,
                    is_out: false,
                    at: now,
                    failures: 0,
                }));
                Work::Offer
            }
        }
    }

    /// The pending write is tried again later, and if it was tried often enough, done without.
    fn failed(&mut self, now: Millis, config: &Config, counters: &mut Counters) {
        let State::Pending(pending) = &mut self.state else {
            return;
        };
        increment(&mut counters.failed);
        // Whoever else has a turn does not wait for a store that fails.
        self.turn_left = true;
        pending.failures = pending.failures.saturating_add(1);
        pending.is_out = false;
        pending.at = now.after(config.wait(pending.failures));
        if pending.failures == config.attempts {
            increment(&mut counters.done_without);
            self.done_without = true;
            self.free.append(core::mem::take(&mut self.covered));
            self.free.append(core::mem::take(&mut self.waiting));
            self.advance_pending();
        }
    }

    /// The blob of a machine, with what it reports that must not be lost.
    pub(super) fn seal<N: Persist<Role = R>>(&self, machine: &[u8], into: &mut Vec<u8>) {
        let blob = Blob {
            machine: self.machine.map(|_| Raw(machine)),
            outcomes: self.waiting.outcomes().map(Raw).collect(),
        };
        snapshot::seal(N::MACHINE, N::FORMAT, &blob, into);
    }

    /// The machine cannot be stored: what waits goes.
    pub(super) fn give_up(&mut self) {
        self.since = None;
        self.free.append(core::mem::take(&mut self.waiting));
        self.advance_pending();
    }

    /// A blob that says all until now is to be written.
    pub(super) fn begin(&mut self, version: u64, blob: Box<[u8]>) {
        self.since = None;
        self.covered = core::mem::take(&mut self.waiting);
        self.advance_pending();
        self.state = State::Pending(Box::new(Pending {
            write: Some(Write { version, blob }),
            token: None,
            is_out: false,
            at: Millis(0),
            failures: 0,
        }));
    }

    /// Hands out the pending write.
    pub(super) fn offer(
        &mut self,
        now: Millis,
        config: &Config,
        counters: &mut Counters,
        token: Token,
        out: &mut Outbox<R>,
    ) {
        let State::Pending(pending) = &mut self.state else {
            return;
        };
        let token = *pending.token.get_or_insert(token);
        let (key, expected) = (&self.key, self.version);
        let offered = match &pending.write {
            Some(Write { version, blob }) => {
                increment(&mut counters.stores);
                out.store(token, key, expected, *version, blob)
            }
            None => {
                increment(&mut counters.erases);
                out.erase(token, key, expected)
            }
        };
        // The room was checked at entry; what does not fit is tried again.
        pending.is_out = offered.is_ok();
        pending.at = now.after(config.answer_bound);
    }
}
