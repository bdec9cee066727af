//! [DR-7] State that survives the host: around any node whose machines can be written one by one, as a node.
//!
//! Each machine that a call changes is offered to the host as a blob under its key
//! ([`Output::Store`](crate::drive::Output::Store)), and all that the call wants done is withheld until the host
//! says [`Stored`](Answer::Stored): what peers, the HSS and the owner are told is never more than what a node that
//! takes over will know. While a blob is out, what else the machine wants done waits for the next one, in order.
//! A machine that has gone is stored once more, with what it still reports, and then
//! [erased](crate::drive::Output::Erase).
//!
//! **What the store has to do** is to compare and exchange. A write names the version that must stand there and the
//! one it puts there, which no other write of any node ever has. If that stands there already, the write has been
//! done before, and is `Stored`: so a write whose answer was lost can be tried again. If neither stands there, it is
//! a [`Conflict`](Answer::Conflict): another node has taken the machine over. This one lets go of it without a word
//! to any peer, and reports `TakenOver`. A store that is slow, or says [`Failed`](Answer::Failed), is tried
//! [again](Config::attempts) and then done without: better a deregistration that a crash could repeat than none. The
//! blob goes on being offered, ever less often; what comes meanwhile is stored when the store is back.
//!
//! **Taking over** is [`adopt`](Persistent::adopt): a blob with the version it was read with. What was outstanding is
//! offered again, with the same branch, CSeq and key, once the store has accepted that this node goes on: of two
//! nodes that adopt the same blob, one does. A blob that was read too early (a [stale](Reading) read) ends in a
//! conflict; the host that believes that the machine is its own reads again and adopts that. A command whose effect
//! was not stored yet is lost with the machine or the host: the host gives it again.
//!
//! **Events.** How a procedure ended is in the blob until the next one: after a crash the event may come twice, with
//! the same content, and is never lost. Other events may be lost with the host that crashed. An event of the node
//! itself, as that a shutdown has ended, comes when all is answered that was pending when it was put out: a host that
//! stops then has heard of every end. No conflict of one machine takes it away.
//!
//! **Pace.** What a [pacer](crate::fleet::pacer) gives turns to counts against its rates when it leaves, and not when it is
//! withheld: a store that stalls and then answers all makes no storm, and at most a burst of turns waits for it. One that
//! [fails](Config::answer_bound) holds nobody up: until it has stored something again, turns count when they are given.
//!
//! A whole-node [`snapshot`](Node::snapshot) is the node's own, without keys and versions: for a host that keeps one
//! blob and no store.
//!
//! | id | what | where | test |
//! |---|---|---|---|
//! | DR-2 | what is stored, and asked of the store | [`Persistent`] | `tests/persistence.rs` |
//! | DR-5 | `blob_bytes`, `held_bytes` | [`Config`] | `tests/persistence.rs` |
//! | DR-6 | the timers of the store among those of the node | [`Persistent`] | `tests/persistence.rs` |
//! | DR-7 | stored before it is said; conflict; again after a crash | [`Persistent::adopt`] | `tests/persistence.rs` |

mod fence;
mod record;

use alloc::{boxed::Box, vec::Vec};

use self::{
    fence::Fence,
    record::{Input, Record, Work},
};
use crate::{
    drive::{
        Answer, Change, Clock, ConfigError, Millis, Misuse, Node, Outbox, Persist, Release,
        RestoreError, Role, Source, Timer, Token, TransactionRef, Verdict, increment, snapshot,
    },
    fleet::{Fleet, Id, Room},
};

/// Under what records are filed.
const KEY: u8 = 1;

/// How a store is dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// Milliseconds within which the store has to answer; later counts as `Failed`. 1 to 600,000. Default 2,000.
    pub answer_bound: u64,
    /// How often a write is tried before it is done without. 1 to 100. Default 3.
    pub attempts: u8,
    /// Milliseconds until the second try; doubled for each further one. 1 to 600,000. Default 200.
    pub retry: u64,
    /// The most milliseconds between two tries. At least `retry`, at most 3,600,000. Default 60,000.
    pub retry_limit: u64,
    /// The most bytes of a blob. A machine that would have more is not stored, and counted. At least 1,024, at most
    /// 16,777,216. Default 262,144.
    pub blob_bytes: usize,
    /// The most bytes of messages that wait for one machine's blob. Those past it are dropped, as a network drops
    /// them, and counted; questions and events are not. Default 131,072.
    pub held_bytes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            answer_bound: 2_000,
            attempts: 3,
            retry: 200,
            retry_limit: 60_000,
            blob_bytes: 262_144,
            held_bytes: 131_072,
        }
    }
}

impl Config {
    /// Checks that the values can work together.
    ///
    /// # Errors
    /// [`ConfigError`] names the field.
    pub fn check(&self) -> Result<(), ConfigError> {
        let refuse = |field, what| Err(ConfigError { field, what });
        if !(1..=600_000).contains(&self.answer_bound) {
            return refuse("persistence.answer_bound", "not between 1 and 600,000");
        }
        if !(1..=100).contains(&self.attempts) {
            return refuse("persistence.attempts", "not between 1 and 100");
        }
        if !(1..=600_000).contains(&self.retry) {
            return refuse("persistence.retry", "not between 1 and 600,000");
        }
        if !(self.retry..=3_600_000).contains(&self.retry_limit) {
            return refuse("persistence.retry_limit", "not between retry and 3,600,000");
        }
        if !(1_024..=16_777_216).contains(&self.blob_bytes) {
            return refuse("persistence.blob_bytes", "not between 1,024 and 16,777,216");
        }
        Ok(())
    }

    /// Milliseconds until a write that failed so often is tried again.
    fn wait(&self, failures: u8) -> u64 {
        let doubled = 1u64.checked_shl(u32::from(failures).saturating_sub(1));
        self.retry
            .saturating_mul(doubled.unwrap_or(u64::MAX))
            .min(self.retry_limit)
    }
}

/// What the host knows of a blob that it has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reading {
    /// It was the latest when it was read: the store's reads are as strong as its writes.
    Latest,
    /// It may be older: a replica was read, or the host's own copy. A machine with nothing to do would not notice
    /// that it goes on from the past, so that the store is asked at once: one write for each machine.
    PerhapsStale,
}

/// What has been counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Blobs handed out to be stored, those tried again among them.
    pub stores: u64,
    /// Blobs that are stored.
    pub stored: u64,
    /// Machines handed out to be erased, those tried again among them.
    pub erases: u64,
    /// Machines that are erased.
    pub erased: u64,
    /// Machines that another node has taken over.
    pub conflicts: u64,
    /// Tries that failed, or were not answered in time.
    pub failed: u64,
    /// Writes that were done without.
    pub done_without: u64,
    /// Machines that were not stored because their blob was too large.
    pub too_large: u64,
    /// Messages dropped because too many waited.
    pub dropped: u64,
    /// Answers of the store that came when nothing waited for them any more.
    pub stale_answers: u64,
}

/// [DR-7] A node whose machines are stored one by one. See the [module](self).
pub struct Persistent<N: Persist> {
    node: N,
    config: Config,
    clock: Clock,
    records: Fleet<Record<N::Role>>,
    /// The record of the machine at each place.
    of_machine: Vec<Option<Id>>,
    counters: Counters,
    /// What the node has put out in the call at hand.
    inner: Outbox<N::Role>,
    changes: Vec<Change>,
    /// Events of the node itself.
    fence: Fence<N::Role>,
    blob: Vec<u8>,
}

impl<N: Persist> Persistent<N> {
    /// The node, stored from now on. It should have no machines yet: those that it has are stored when they change.
    ///
    /// # Errors
    /// [`ConfigError`] if the configuration cannot work.
    pub fn new(mut node: N, config: Config) -> Result<Self, ConfigError> {
        config.check()?;
        node.changes().record();
        let table_key = node.identifiers().table_key();
        let room = room(node.reserved());
        Ok(Self {
            records: Fleet::new(&table_key, room),
            of_machine: Vec::with_capacity(room.machines),
            node,
            config,
            clock: Clock::default(),
            counters: Counters::default(),
            inner: Outbox::for_steps(1),
            changes: Vec::new(),
            fence: Fence::new(),
            blob: Vec::new(),
        })
    }

    /// The node inside.
    #[must_use]
    pub const fn node(&self) -> &N {
        &self.node
    }

    /// The node inside, for what needs no outbox, such as another configuration.
    pub const fn node_mut(&mut self) -> &mut N {
        &mut self.node
    }

    /// What has been counted.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// [DR-10] Replaces the configuration. Timers that run keep their deadlines.
    ///
    /// # Errors
    /// [`ConfigError`]; the old one then stays.
    pub fn reconfigure(&mut self, config: Config) -> Result<(), ConfigError> {
        config.check()?;
        self.config = config;
        Ok(())
    }

    /// Number of machines that are stored, or are being erased.
    #[must_use]
    pub fn records(&self) -> usize {
        self.records.len()
    }

    /// An outbox with room for so many calls, at least one: what the node needs for a step, and one write.
    /// [`Outbox::for_steps`] alone is too small.
    #[must_use]
    pub fn outbox(&self, steps: usize) -> Outbox<N::Role> {
        let steps = steps.max(1);
        let (outputs, bytes) = self.step_room();
        Outbox::with_room(outputs.saturating_mul(steps), bytes.saturating_mul(steps))
    }

    fn check_room(&self, out: &Outbox<N::Role>) -> Result<(), Misuse> {
        let (outputs, bytes) = self.step_room();
        out.check_room_for(outputs, bytes)
    }

    /// [DR-7] Takes a machine over: a blob of the store, and the version that it was read with. The store is asked
    /// whether this node goes on before anything of the machine is put out: when it has something to do, or at once
    /// if the blob may not be the latest.
    ///
    /// # Errors
    /// [`RestoreError`], and nothing is taken over: [`AlreadyHere`](RestoreError::AlreadyHere) if the machine is.
    pub fn adopt(
        &mut self,
        now: Millis,
        key: &[u8],
        version: u64,
        blob: &[u8],
        reading: Reading,
    ) -> Result<(), RestoreError> {
        let now = self.clock.observe(now);
        if key.len() > record::LONGEST_KEY {
            return Err(RestoreError::TooLarge);
        }
        if self.find(key).is_some() {
            return Err(RestoreError::AlreadyHere);
        }
        let stored: record::Blob<'_> = snapshot::open(N::MACHINE, N::FORMAT, blob)?;
        self.inner.clear();
        let first = self.inner.len();
        for outcome in &stored.outcomes {
            N::read_outcome(outcome.0, &mut self.inner)?;
        }
        let machine = match stored.machine {
            Some(machine) => Some(self.node.read_machine(now, machine.0)?),
            None => None,
        };
        let mut record = Record::adopted(key, version, machine);
        if reading == Reading::PerhapsStale {
            record.changed(now, machine.is_none());
        }
        let events = first..self.inner.len();
        events.for_each(|number| _ = record.withhold::<N>(&self.inner, number, usize::MAX));
        self.inner.clear();
        record.begin_pending(&mut self.fence);
        let deadline = record.deadline();
        let id = self.enter(record);
        self.records.arm(id, deadline);
        Ok(())
    }

    fn find(&self, key: &[u8]) -> Option<Id> {
        self.records.find(KEY, key, |record| *record.key == *key)
    }

    fn enter(&mut self, record: Record<N::Role>) -> Id {
        let (key, machine) = (record.key.clone(), record.machine);
        let id = self.records.insert(record);
        self.records.file(id, KEY, &key);
        self.set_record_of(machine, Some(id));
        id
    }

    fn set_record_of(&mut self, machine: Option<u32>, id: Option<Id>) {
        let Some(place) = machine.map(|machine| machine as usize) else {
            return;
        };
        if place >= self.of_machine.len() {
            self.of_machine.resize(place.saturating_add(1), None);
        }
        if let Some(own) = self.of_machine.get_mut(place) {
            *own = id;
        }
    }

    fn record_of(&self, machine: u32) -> Option<Id> {
        self.of_machine.get(machine as usize).copied().flatten()
    }

    /// The record of a machine that lives: its own, one that still waits to be erased, or a new one.
    fn record_for(&mut self, machine: u32) -> Id {
        if let Some(id) = self.record_of(machine) {
            return id;
        }
        let mut key = Vec::new();
        self.node.write_key(machine, &mut key);
        key.truncate(record::LONGEST_KEY);
        let known = self.find(&key);
        match known.and_then(|id| Some((id, self.records.get_mut(id)?))) {
            Some((id, record)) if record.machine.is_none() => {
                record.machine = Some(machine);
                self.set_record_of(Some(machine), Some(id));
                id
            }
            // The key of another machine, which has passed it on: then this one is told apart.
            Some(_) => {
                key.truncate(record::LONGEST_KEY.saturating_sub(64));
                key.push(b' ');
                key.extend_from_slice(&self.node.identifiers().next().text());
                self.enter(Record::new(&key, machine))
            }
            None => self.enter(Record::new(&key, machine)),
        }
    }

    /// One call of the node, and what follows from it.
    fn call<T>(
        &mut self,
        now: Millis,
        out: &mut Outbox<N::Role>,
        call: impl FnOnce(&mut N, Millis, &mut Outbox<N::Role>) -> Result<T, Misuse>,
    ) -> Result<T, Misuse> {
        self.check_room(out)?;
        let now = self.clock.observe(now);
        self.inner.clear();
        let result = call(&mut self.node, now, &mut self.inner);
        self.sort(now, out);
        result
    }

    /// Withholds the outputs of the machines that the call has changed, and passes all others on. What comes before a
    /// change, and after the last one, is of that change; but events of the node itself wait for all machines.
    fn sort(&mut self, now: Millis, out: &mut Outbox<N::Role>) {
        let mut changes = core::mem::take(&mut self.changes);
        self.node.changes().take(&mut changes);
        let mut first = 0;
        let last = changes.len().saturating_sub(1);
        let mut touched = None;
        for (number, change) in changes.iter().enumerate() {
            let end = match number == last {
                true => self.inner.len(),
                false => change.outputs,
            };
            touched = self.changed(now, *change, first..end, out).or(touched);
            first = end;
        }
        if changes.is_empty() {
            self.pass_on(0..self.inner.len(), out);
        }
        changes.clear();
        self.changes = changes;
        self.hold_events(out);
        self.inner.clear();
        // One of them at once; the others are due.
        if let Some(id) = touched {
            self.act(now, id, Input::Tick, out);
        }
    }

    fn pass_on(&self, numbers: core::ops::Range<usize>, out: &mut Outbox<N::Role>) {
        for number in numbers.filter(|number| !self.is_of_node(*number)) {
            out.copy(&self.inner, number);
        }
    }

    fn is_of_node(&self, number: usize) -> bool {
        self.inner.event_at(number).is_some_and(N::is_of_node)
    }

    /// Events of the node itself wait until all is stored, and said, that was to be when they came.
    fn hold_events(&mut self, out: &mut Outbox<N::Role>) {
        for number in 0..self.inner.len() {
            match self.is_of_node(number) {
                true if self.fence.is_open() => out.copy(&self.inner, number),
                true => self.fence.hold(&self.inner, number),
                false => {}
            }
        }
    }

    /// A machine has changed, and these outputs are of that.
    fn changed(
        &mut self,
        now: Millis,
        change: Change,
        outputs: core::ops::Range<usize>,
        out: &mut Outbox<N::Role>,
    ) -> Option<Id> {
        let known = match change.gone {
            true => self.record_of(change.machine),
            false => Some(self.record_for(change.machine)),
        };
        // One that came and went within a call was never stored.
        let Some((id, record)) = known.and_then(|id| Some((id, self.records.get_mut(id)?))) else {
            self.pass_on(outputs, out);
            return None;
        };
        let limit = self.config.held_bytes;
        if change.is_turn {
            record.begin_turn();
        }
        let mut is_turn_lost = false;
        for number in outputs {
            if self.inner.event_at(number).is_some_and(N::is_of_node) {
                continue;
            }
            if !record.withhold::<N>(&self.inner, number, limit) {
                increment(&mut self.counters.dropped);
                is_turn_lost |= record.lose_turn();
            }
        }
        record.changed(now, change.gone);
        record.begin_pending(&mut self.fence);
        let deadline = record.deadline();
        if change.gone {
            self.set_record_of(Some(change.machine), None);
        }
        self.records.arm(id, deadline);
        if is_turn_lost {
            self.node.turn_left(now, change.machine);
        }
        Some(id)
    }

    /// One step of a record.
    fn act(&mut self, now: Millis, id: Id, input: Input, out: &mut Outbox<N::Role>) {
        let Some(record) = self.records.get_mut(id) else {
            return;
        };
        let before = self.counters;
        let work = record.step(now, &self.config, &mut self.counters, input, out);
        record.end_pending(&mut self.fence);
        if let Some(machine) = record.machine.filter(|_| record.take_turn_left()) {
            self.node.turn_left(now, machine);
        }
        if self.counters.failed > before.failed {
            self.node.changes().count_at_once(true);
        } else if self.counters.stored > before.stored {
            self.node.changes().count_at_once(false);
        }
        match work {
            Work::Nothing => {}
            Work::Store => self.store(now, id, out),
            Work::Offer => {
                let token = self.node.identifiers().token(id.place());
                if let Some(record) = self.records.get_mut(id) {
                    record.offer(now, &self.config, &mut self.counters, token, out);
                }
            }
            Work::Forget => return self.forget(id),
            Work::LetGo => return self.let_go(id, out),
        }
        let deadline = self.records.get(id).and_then(Record::deadline);
        self.records.arm(id, deadline);
    }

    /// A blob of a record's machine is begun.
    fn store(&mut self, now: Millis, id: Id, out: &mut Outbox<N::Role>) {
        let Some(record) = self.records.get_mut(id) else {
            return;
        };
        let mut machine = core::mem::take(&mut self.blob);
        machine.clear();
        if let Some(place) = record.machine {
            self.node.write_machine(place, now, &mut machine);
        }
        let mut blob = Vec::new();
        record.seal::<N>(&machine, &mut blob);
        self.blob = machine;
        if blob.len() > self.config.blob_bytes {
            increment(&mut self.counters.too_large);
            record.give_up();
            record.end_pending(&mut self.fence);
            return;
        }
        let identifiers = self.node.identifiers();
        let version = identifiers.next().number();
        let token = identifiers.token(id.place());
        record.begin(version, blob.into_boxed_slice());
        record.offer(now, &self.config, &mut self.counters, token, out);
    }

    fn forget(&mut self, id: Id) {
        let Some((record, mut keys)) = self.records.get_with_keys(id) else {
            return;
        };
        keys.unfile(KEY, &record.key);
        record.end_all(&mut self.fence);
        self.records.remove(id);
        if self.records.len() == 0 {
            self.of_machine.clear();
            self.of_machine.shrink_to(self.records.reserved());
            self.blob = Vec::new();
        }
    }

    /// Another node has it.
    fn let_go(&mut self, id: Id, out: &mut Outbox<N::Role>) {
        let Some(record) = self.records.get(id) else {
            return;
        };
        let machine = record.machine;
        if machine.is_none() {
            N::report_taken_over(&record.key, out);
        }
        self.forget(id);
        if let Some(machine) = machine {
            self.set_record_of(Some(machine), None);
            self.node.let_go(machine, out);
        }
    }

    /// The answer of the store.
    fn answered(
        &mut self,
        now: Millis,
        token: Token,
        input: Input,
        out: &mut Outbox<N::Role>,
    ) -> Result<(), Misuse> {
        self.check_room(out)?;
        let now = self.clock.observe(now);
        let id = self.records.at(token.machine());
        let waits = |id: &Id| self.records.get(*id).is_some_and(|own| own.awaits(token));
        match id.filter(waits) {
            Some(id) => {
                self.act(now, id, input, out);
                self.fence.release(out);
            }
            None if self.node.identifiers().has_given(token) => {
                increment(&mut self.counters.stale_answers);
            }
            None => return Err(Misuse::UnknownToken),
        }
        Ok(())
    }

    /// The record that is due before the node is.
    fn due(&self) -> Option<(Millis, Id)> {
        let ours = self.records.next()?;
        let theirs = self.node.deadline();
        theirs.is_none_or(|(at, _)| ours.0 <= at).then_some(ours)
    }
}

impl<N: Persist> Node for Persistent<N> {
    type Role = N::Role;

    fn receive(
        &mut self,
        now: Millis,
        from: Source,
        txn: TransactionRef,
        bytes: &[u8],
        out: &mut Outbox<Self::Role>,
    ) -> Result<Verdict, Misuse> {
        self.call(now, out, |node, now, inner| {
            node.receive(now, from, txn, bytes, inner)
        })
    }

    fn answer(
        &mut self,
        now: Millis,
        token: Token,
        answer: Answer<'_, Self::Role>,
        out: &mut Outbox<Self::Role>,
    ) -> Result<(), Misuse> {
        match answer {
            Answer::Stored => self.answered(now, token, Input::Stored, out),
            Answer::Conflict => self.answered(now, token, Input::Conflict, out),
            Answer::Failed => self.answered(now, token, Input::Failed, out),
            answer => self.call(now, out, |node, now, inner| {
                node.answer(now, token, answer, inner)
            }),
        }
    }

    fn command(
        &mut self,
        now: Millis,
        command: <Self::Role as Role>::Command<'_>,
        out: &mut Outbox<Self::Role>,
    ) -> Result<Verdict, Misuse> {
        self.call(now, out, |node, now, inner| {
            node.command(now, command, inner)
        })
    }

    fn tick(&mut self, now: Millis, out: &mut Outbox<Self::Role>) -> Result<(), Misuse> {
        if self.fence.is_due() {
            self.check_room(out)?;
            self.fence.release(out);
            return Ok(());
        }
        let Some((at, id)) = self.due() else {
            return self.call(now, out, N::tick);
        };
        self.check_room(out)?;
        let now = self.clock.observe(now);
        if at <= now {
            self.act(now, id, Input::Tick, out);
        }
        Ok(())
    }

    fn deadline(&self) -> Option<(Millis, Timer)> {
        if self.fence.is_due() {
            return Some((Millis(0), Timer("event that was withheld")));
        }
        match self.due() {
            Some((at, id)) => {
                let timer = self.records.get(id).map(Record::timer);
                Some((at, timer.unwrap_or(Timer("store"))))
            }
            None => self.node.deadline(),
        }
    }

    /// What is passed on, what was withheld, and a write.
    fn step_room(&self) -> (usize, usize) {
        let (outputs, bytes) = self.node.step_room();
        let write = self.config.blob_bytes.saturating_add(record::LONGEST_KEY);
        (
            outputs.saturating_mul(2).saturating_add(1),
            bytes.saturating_mul(2).saturating_add(write),
        )
    }

    fn snapshot_for(&self, release: Release, now: Millis, into: &mut Vec<u8>) {
        let now = now.max(self.clock.latest());
        self.node.snapshot_for(release, now, into);
    }
}

impl<N: Persist> core::fmt::Debug for Persistent<N> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Persistent")
            .field("records", &self.records.len())
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}

/// Of so many machines that room is taken for, one for so many may be erased while another has its place.
const ERASED: usize = 16;

/// What is taken beforehand.
const fn room(machines: usize) -> Room {
    let room = Room { machines, keys: 1 };
    room.and(machines.div_ceil(ERASED))
}

/// What a key is kept as.
type Key = Box<[u8]>;
