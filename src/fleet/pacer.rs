//! The pacer: when each of many machines may send, so that the neighbours bear it.
//!
//! A P-CSCF that shuts down, a gateway that takes a hundred thousand users with it, an S-CSCF that clears a node:
//! each is a mass of requests to few neighbours, who have users to serve besides. The machines of such a
//! procedure queue up here by next hop ([`Pacer::enqueue`]); [`Pacer::next`] says whose turn it is,
//! [`Pacer::deadline`] when to ask again; [`Pacer::outcome`] tells what came of it. The pacer sends nothing and
//! knows no identities: machines and next hops are numbers of the node's, and each machine stands here once.
//!
//! - **Rates.** One rate for all together, fixed; one for each next hop, which grows by addition and shrinks by
//!   multiplication with what comes back. In any stretch of *w* milliseconds no more than
//!   ⌈*w* · rate / 1000⌉ + burst − 1 requests go. A rate of 7 gives seven in each second, no matter how long it
//!   lasts.
//! - **Withheld.** What has its turn and leaves later ([`Pacer::next_withheld`]) counts when it [leaves](Pacer::left):
//!   the rates are those of the wire. No more than a burst of these are withheld at a time, so that a burst should be
//!   what the rate brings while one is.
//! - **In flight.** So many at most are out, overall and per next hop. A turn is out until its outcome is told, so
//!   each must get one: [`Outcome::Abandoned`] where the procedure has stopped waiting.
//! - **Fairness.** Next hops that may be asked take turns; within one, who came first goes first. A next hop that
//!   is slow, held off or dead uses up no turns. It keeps what is out there, so that `in_flight` should be several
//!   times `hop_in_flight`.
//! - **Retry-After** of a next hop holds off that next hop alone (RFC 3261 21.5.4), bounded.
//! - **Canaries.** The first requests to a next hop go alone. The others follow when enough of them were answered
//!   well; if none was, other canaries go after a pause, or the queue is given back. Next hops are judged each on
//!   its own: nobody waits for another's canaries. A next hop that refuses or times out many times in a row is
//!   asked with canaries again, so that a million are never sent in vain.
//! - **A deadline**, if one is set: who has not been asked by then is given back ([`Turn::NotAsked`]), one a call,
//!   and the procedure decides. So is who is queued later.
//! - **Retries** are the procedure's: after the outcome, it queues the machine again, behind all others or before them
//!   ([`Pacer::enqueue_again`]). What holds its next hop off holds the machine too.
//! - **Time** that stands still or goes backwards gives no turns that were not due, and loses none; however far it
//!   jumps, no more than a burst comes of it.
//! - **Work.** A call does a bounded amount of it, whatever is queued; [`Pacer::reconfigure`],
//!   [`Pacer::least_time`], [`Pacer::make_room`], [`Pacer::save`] and [`Pacer::load`] go through all. Nothing is
//!   allocated for a machine;
//!   where a next hop has to wait, the logarithm of their number is paid, and at times a node of the set in which
//!   they do.
//!
//! A pacer lives on in a blob. What was out at a restart is out again: it counts against the bounds until its
//! outcome is told, as the machine itself offers its request again and needs no second turn for that. All goes on
//! as it would have; only next hops whose waiting had ended, and which no call had looked at yet, may find their
//! turns in another order.
//!
//! | id | what | where | test |
//! |---|---|---|---|
//! | PD-2 | rate, requests in flight, deadline, progress of a drain | [`Pacer`], [`Progress`] | `tests/pacer.rs` |
//! | PD-6 | canaries, Retry-After, next hops that refuse | [`Config::canaries`], [`Config::bad_streak`] | `tests/pacer.rs` |
//! | PD-12 | one pacer for every trigger; overload felt and answered | [`Pacer::outcome`] | `tests/pacer.rs` |
//! | DR-5 | bounds, checked | [`Config::check`], [`Pacer::enqueue`] | `tests/pacer.rs` |
//! | DR-6 | early calls, clamped time, everything overdue | [`Pacer::next`], [`Pacer::deadline`] | `tests/pacer.rs` |
//! | DR-7 | going on from a blob | [`Pacer::save`], [`Pacer::load`] | `tests/pacer.rs` |
//! | DR-10 | configuration replaced, counters | [`Pacer::reconfigure`], [`Progress`] | `tests/pacer.rs` |
//!
//! # Example
//!
//! Three machines, two next hops, nothing that goes wrong:
//!
//! ```
//! use ims_procedures::drive::Millis;
//! use ims_procedures::fleet::pacer::{Config, Outcome, Pacer, Turn};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut config = Config::default();
//! (config.rate, config.burst, config.canaries) = (2, 1, 0);
//! let mut pacer = Pacer::new(config, 1_000_000, 16)?;
//!
//! let mut now = Millis(0);
//! let (home1, home2) = (0, 1);
//! for (machine, next_hop) in [(70, home1), (71, home1), (72, home2)] {
//!     pacer.enqueue(now, machine, next_hop)?;
//! }
//! let mut asked = Vec::new();
//! while let Some(at) = pacer.deadline() {
//!     now = at;
//!     while let Some(turn) = pacer.next(now) {
//!         if let Turn::Ask { machine } = turn {
//!             asked.push((machine, now.0)); // The procedure sends its request here…
//!             pacer.outcome(now, machine, Outcome::Answered); // … and has its answer some time later.
//!         }
//!     }
//! }
//! assert_eq!(asked, [(70, 0), (72, 500), (71, 1_000)], "home1 and home2 take turns, two a second");
//! assert_eq!(pacer.progress().answered, 3);
//! # Ok(())
//! # }
//! ```

mod bucket;
mod config;
mod hop;
mod progress;
mod snapshot;

use alloc::{vec, vec::Vec};
use core::fmt;

use bucket::Bucket;
pub use config::{BadCanaries, Config, SlowedBy};
use hop::{Hop, Place, Standing};
pub use progress::{Caution, HopProgress, Progress};
pub(crate) use snapshot::Snapshot;

use super::{Links, Timers};
use crate::drive::{Clock, ConfigError, Millis, Misuse, increment};

/// Machines that a pacer can be made for at most: as many as a token can name.
pub const MAX_MACHINES: u32 = 0xff_ffff;

/// Next hops that a pacer can be made for at most.
pub const MAX_NEXT_HOPS: u32 = 0xffff;

/// Next hops whose time has come that one call looks at. More than one, so that none stays behind for long.
const WAKES: usize = 4;

/// Whose turn it is, and what for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Turn {
    /// The machine sends its request now. It is out until its [outcome](Pacer::outcome) is told.
    Ask {
        /// Its number.
        machine: u32,
    },
    /// The machine will not be asked; it is no longer known here. The procedure decides what becomes of it.
    NotAsked {
        /// Its number.
        machine: u32,
        /// Why not.
        reason: NotAsked,
    },
}

/// Why a machine was not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotAsked {
    /// The deadline has passed.
    Deadline,
    /// The canaries of its next hop were bad ([`BadCanaries::Stop`]).
    Canaries,
}

/// What came of a request, as far as the next hop is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The neighbour did what was asked, or had nothing left to do.
    Answered,
    /// It answered, and would not: to its load that is as good as the former, but not to canaries.
    Refused,
    /// It has too much to do.
    Overloaded {
        /// Seconds for which it wants to hear nothing.
        retry_after: Option<u32>,
    },
    /// It, or one behind it, did not answer in time.
    Timeout,
    /// It could not be reached.
    Unreachable,
    /// The procedure no longer waits for an answer. This says nothing about the neighbour.
    Abandoned,
}

impl Outcome {
    /// [PD-6] What a final response to a deregistration says.
    ///
    /// | status | outcome |
    /// |---|---|
    /// | 2xx; 404 and 481: nothing left there | [`Answered`](Self::Answered) |
    /// | 503; 500 with Retry-After | [`Overloaded`](Self::Overloaded) |
    /// | 408, 504 | [`Timeout`](Self::Timeout) |
    /// | any other | [`Refused`](Self::Refused) |
    #[must_use]
    pub const fn of_response(status: u16, retry_after: Option<u32>) -> Self {
        match (status, retry_after) {
            (200..=299 | 404 | 481, _) => Self::Answered,
            (503, _) | (500, Some(_)) => Self::Overloaded { retry_after },
            (408 | 504, _) => Self::Timeout,
            _ => Self::Refused,
        }
    }
}

/// Where a machine stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Absent,
    Queued,
    /// Queued for another turn.
    Again,
    Out,
    /// Out, as a canary.
    Canary,
}

#[derive(Clone, Copy)]
struct Machine {
    next_hop: u16,
    state: State,
    /// Whether it has its turn, and its request has not left yet.
    is_withheld: bool,
}

impl Machine {
    const ABSENT: Self = Self {
        next_hop: 0,
        state: State::Absent,
        is_withheld: false,
    };

    const fn is_queued(&self) -> bool {
        matches!(self.state, State::Queued | State::Again)
    }
}

/// [PD-2] [PD-12] Gives turns to machines. See the [module](self).
///
/// It takes 12 bytes for each machine and 128 at most for each next hop, all of them when it is made, or [given more
/// room](Self::make_room); a next hop that waits takes a place in an ordered set besides.
pub struct Pacer {
    config: Config,
    clock: Clock,
    deadline: Option<Millis>,
    bucket: Bucket,
    machines: Vec<Machine>,
    queued: Links,
    hops: Vec<Hop>,
    standing: Standing,
    timers: Timers,
    progress: Progress,
}

impl Pacer {
    /// A pacer with nothing to do, for machines numbered below `machines` and next hops below `next_hops`: at
    /// most [`MAX_MACHINES`] and [`MAX_NEXT_HOPS`].
    ///
    /// # Errors
    /// [`ConfigError`] names the field, or argument, that cannot work.
    pub fn new(config: Config, machines: u32, next_hops: u32) -> Result<Self, ConfigError> {
        config.check()?;
        let refuse = |field, what| Err(ConfigError { field, what });
        if !(1..=MAX_MACHINES).contains(&machines) {
            return refuse("machines", "not between 1 and 16,777,215");
        }
        if !(1..=MAX_NEXT_HOPS).contains(&next_hops) {
            return refuse("next_hops", "not between 1 and 65,535");
        }
        Ok(Self {
            clock: Clock::default(),
            deadline: None,
            bucket: Bucket::new(Bucket::full(config.rate, config.burst), Millis(0)),
            machines: vec![Machine::ABSENT; machines as usize],
            queued: Links::new(machines as usize),
            hops: vec![Hop::new(&config); next_hops as usize],
            standing: Standing::new(next_hops as usize),
            timers: Timers::with_capacity(next_hops as usize),
            progress: Progress::default(),
            config,
        })
    }

    /// [DR-10] Goes on with another configuration. What is out beyond its bounds stays out.
    ///
    /// # Errors
    /// [`ConfigError`] names the field; nothing has changed then.
    pub fn reconfigure(&mut self, now: Millis, config: Config) -> Result<(), ConfigError> {
        config.check()?;
        let now = self.clock.observe(now);
        self.bucket.fill(now, self.config.rate, self.config.burst);
        for hop in &mut self.hops {
            hop.fill(now, &self.config);
            hop.set_rate(now, hop.rate, &config);
            hop.conclude(now, &config);
        }
        self.config = config;
        for number in 0..self.next_hops() {
            self.place(number);
        }
        Ok(())
    }

    /// [PD-2] Sets or lifts the instant from which on nobody is asked any more, but given back.
    pub fn set_deadline(&mut self, deadline: Option<Millis>) {
        self.deadline = deadline;
    }

    /// [DR-5] Queues a machine for its turn at a next hop. `false` if it is queued or out already: nothing has
    /// changed then.
    ///
    /// # Errors
    /// [`Misuse::NodeFull`] for a machine, [`Misuse::NoSuchThing`] for a next hop, past the number that the pacer
    /// was made for. Nothing has changed then.
    pub fn enqueue(&mut self, now: Millis, machine: u32, next_hop: u32) -> Result<bool, Misuse> {
        self.enqueue_as(now, machine, next_hop, State::Queued)
    }

    /// [PD-6] Queues a machine that has had a turn before all that have not, and behind those like it: who waits for
    /// another has waited before, and what a procedure holds for those that it has begun with stays little.
    ///
    /// # Errors
    /// As those of [`enqueue`](Self::enqueue).
    pub fn enqueue_again(
        &mut self,
        now: Millis,
        machine: u32,
        next_hop: u32,
    ) -> Result<bool, Misuse> {
        self.enqueue_as(now, machine, next_hop, State::Again)
    }

    fn enqueue_as(
        &mut self,
        now: Millis,
        machine: u32,
        next_hop: u32,
        state: State,
    ) -> Result<bool, Misuse> {
        let Some(place) = self.machines.get_mut(machine as usize) else {
            return Err(Misuse::NodeFull);
        };
        let (Some(hop), Ok(short)) = (
            self.hops.get_mut(next_hop as usize),
            u16::try_from(next_hop),
        ) else {
            return Err(Misuse::NoSuchThing);
        };
        if place.state != State::Absent {
            return Ok(false);
        }
        *place = Machine {
            next_hop: short,
            state,
            is_withheld: false,
        };
        hop.refresh(self.clock.observe(now), &self.config);
        self.queued.push(hop.list(state), machine);
        self.progress.queued = self.progress.queued.saturating_add(1);
        self.place(next_hop);
        Ok(true)
    }

    /// [DR-7] Takes a machine for one whose request is out, which this pacer gave no turn: it was offered again after a
    /// restart that took nothing along of the pacer before. It needs its outcome like any other. `false` if it is queued
    /// or out already: nothing has changed then.
    ///
    /// # Errors
    /// As those of [`enqueue`](Self::enqueue).
    pub fn adopt(&mut self, now: Millis, machine: u32, next_hop: u32) -> Result<bool, Misuse> {
        if !self.enqueue(now, machine, next_hop)? {
            return Ok(false);
        }
        let hop = self.hops.get_mut(next_hop as usize);
        let is_canary = hop.is_some_and(Hop::adopt);
        let state = match is_canary {
            true => State::Canary,
            false => State::Out,
        };
        self.unqueue(next_hop, machine, state);
        self.progress.out = self.progress.out.saturating_add(1);
        self.place(next_hop);
        Ok(true)
    }

    /// [DR-5] Makes room for more machines: those numbered below this. Never for fewer.
    ///
    /// # Errors
    /// [`ConfigError`] if they are more than [`MAX_MACHINES`].
    pub fn make_room(&mut self, machines: u32) -> Result<(), ConfigError> {
        if machines > MAX_MACHINES {
            return Err(ConfigError {
                field: "machines",
                what: "not between 1 and 16,777,215",
            });
        }
        let machines = machines as usize;
        let more = machines.saturating_sub(self.machines.len());
        self.machines.reserve_exact(more);
        let all = self.machines.len().saturating_add(more);
        self.machines.resize(all, Machine::ABSENT);
        self.queued.grow(all);
        Ok(())
    }

    /// Machines that there is room for.
    #[must_use]
    pub fn machines(&self) -> u32 {
        u32::try_from(self.machines.len()).unwrap_or(MAX_MACHINES)
    }

    /// Whether a machine waits for its turn.
    #[must_use]
    pub fn is_queued(&self, machine: u32) -> bool {
        let found = self.machines.get(machine as usize);
        found.is_some_and(Machine::is_queued)
    }

    /// Whether the request of a machine is out.
    #[must_use]
    pub fn is_out(&self, machine: u32) -> bool {
        let found = self.machines.get(machine as usize);
        found.is_some_and(|m| matches!(m.state, State::Out | State::Canary))
    }

    /// [PD-6] Forgets a next hop: its number is to mean another from now on. `false` if something is queued or out
    /// there, or if there is no such next hop: nothing has changed then.
    pub fn forget(&mut self, now: Millis, next_hop: u32) -> bool {
        let now = self.clock.observe(now);
        let idle = |hop: &&mut Hop| hop.is_idle();
        let Some(hop) = self.hops.get_mut(next_hop as usize).filter(idle) else {
            return false;
        };
        hop.begin(now, &self.config);
        true
    }

    /// [PD-9] Takes a machine out of its queue: its turn is no longer wanted. `false` if it was not queued; one
    /// that is out needs its outcome.
    pub fn cancel(&mut self, machine: u32) -> bool {
        let is_queued = |m: &&Machine| m.is_queued();
        let found = self.machines.get(machine as usize).filter(is_queued);
        let Some(next_hop) = found.map(|m| u32::from(m.next_hop)) else {
            return false;
        };
        self.unqueue(next_hop, machine, State::Absent);
        increment(&mut self.progress.cancelled);
        self.place(next_hop);
        true
    }

    /// [DR-6] The next turn, if one is due at `now`; one a call.
    pub fn next(&mut self, now: Millis) -> Option<Turn> {
        self.turn(now, false)
    }

    /// [PD-2, DR-7] The same, for a request that leaves later, as when something is stored before: it is out, and counts
    /// against the rates once it has [left](Self::left), or its outcome is told.
    pub fn next_withheld(&mut self, now: Millis) -> Option<Turn> {
        self.turn(now, true)
    }

    fn turn(&mut self, now: Millis, is_withheld: bool) -> Option<Turn> {
        let now = self.clock.observe(now);
        self.wake(now);
        if let Some(next_hop) = self.standing.stopped.first() {
            return self.give_back(next_hop, NotAsked::Canaries);
        }
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            let next_hop = self
                .standing
                .ready
                .first()
                .or(self.standing.waiting.first())?;
            return self.give_back(next_hop, NotAsked::Deadline);
        }
        if self.progress.out >= self.config.in_flight {
            return None;
        }
        let next_hop = self.standing.ready.first()?;
        self.bucket.fill(now, self.config.rate, self.config.burst);
        if !self.bucket.set_aside() {
            return None;
        }
        self.ask(next_hop, now, is_withheld)
    }

    /// [PD-2, DR-7] The request of a machine that was withheld leaves. `false` if it was not: nothing has changed then.
    pub fn left(&mut self, now: Millis, machine: u32) -> bool {
        let now = self.clock.observe(now);
        let is_withheld = |m: &&mut Machine| m.is_withheld;
        let found = self.machines.get_mut(machine as usize).filter(is_withheld);
        let Some(machine) = found else {
            return false;
        };
        machine.is_withheld = false;
        let next_hop = u32::from(machine.next_hop);
        self.bucket.fill(now, self.config.rate, self.config.burst);
        self.bucket.leave();
        if let Some(hop) = self.hops.get_mut(next_hop as usize) {
            hop.leave(now, &self.config);
        }
        self.place(next_hop);
        true
    }

    /// [DR-6] When [`next`](Self::next) has a turn, unless something else happens before. `None` if that takes
    /// an outcome, or somebody queued.
    #[must_use]
    pub fn deadline(&self) -> Option<Millis> {
        let now = self.clock.latest();
        if self.standing.stopped.len() > 0 {
            return Some(now);
        }
        let given_back = self.deadline.filter(|_| self.progress.queued > 0);
        let asked = self.asked_at();
        let at = given_back.into_iter().chain(asked).min();
        at.map(|at| at.max(now))
    }

    fn asked_at(&self) -> Option<Millis> {
        if self.progress.out >= self.config.in_flight {
            return None;
        }
        let hop_at = match self.standing.ready.first() {
            Some(_) => Some(self.clock.latest()),
            None => self.timers.next().map(|(at, _)| at),
        };
        let ready_at = self.bucket.ready_at(self.config.rate, self.config.burst)?;
        hop_at.map(|at| at.max(ready_at))
    }

    /// [PD-12] [PD-6] Tells what came of the request of a machine that is out. It is then no longer known here,
    /// and may be queued again. `false` if it was not out: that is counted, and nothing else.
    pub fn outcome(&mut self, now: Millis, machine: u32, outcome: Outcome) -> bool {
        let now = self.clock.observe(now);
        self.left(now, machine);
        let is_out = |m: &&mut Machine| matches!(m.state, State::Out | State::Canary);
        let found = self.machines.get_mut(machine as usize).filter(is_out);
        let Some(machine) = found else {
            increment(&mut self.progress.stale_outcomes);
            return false;
        };
        let is_canary = machine.state == State::Canary;
        let next_hop = u32::from(machine.next_hop);
        machine.state = State::Absent;
        self.progress.out = self.progress.out.saturating_sub(1);
        self.progress.count(outcome);
        if let Some(hop) = self.hops.get_mut(next_hop as usize) {
            if hop.learn(now, outcome, is_canary, &self.config) {
                increment(&mut self.progress.decreases);
            }
        }
        self.place(next_hop);
        true
    }

    /// [DR-10] How far it has come.
    #[must_use]
    pub const fn progress(&self) -> Progress {
        self.progress
    }

    /// The state of a next hop. `None` past the number that the pacer was made for.
    #[must_use]
    pub fn next_hop(&self, next_hop: u32) -> Option<HopProgress> {
        self.hops.get(next_hop as usize).map(Hop::progress)
    }

    /// [PD-2] Milliseconds that it will take at least until everybody queued has been asked, at the present rates
    /// and with none held up by requests that are out: what a dry run tells. It goes through all next hops.
    #[must_use]
    pub fn least_time(&self) -> u64 {
        self.least_time_with(&[])
    }

    /// [PD-2] The same with more queued beforehand: so many at each next hop, in the order of their numbers.
    #[must_use]
    pub fn least_time_with(&self, more: &[u32]) -> u64 {
        let time = |queued: u64, rate: u32| {
            let thousandths = queued.saturating_mul(1_000);
            thousandths.div_ceil(u64::from(rate.max(1)))
        };
        let more = more.iter().copied().chain(core::iter::repeat(0));
        let (mut longest, mut all) = (0, 0u64);
        for (hop, more) in self.hops.iter().zip(more) {
            let queued = u64::from(hop.queued()).saturating_add(more.into());
            longest = time(queued, hop.rate).max(longest);
            all = all.saturating_add(queued);
        }
        time(all, self.config.rate).max(longest)
    }

    /// [DR-6] How often time went backwards.
    #[must_use]
    pub const fn backwards(&self) -> u64 {
        self.clock.backwards()
    }

    /// Next hops that it was made for.
    fn next_hops(&self) -> u32 {
        u32::try_from(self.hops.len()).unwrap_or(MAX_NEXT_HOPS)
    }

    /// Looks again at next hops whose time has come.
    fn wake(&mut self, now: Millis) {
        for _ in 0..WAKES {
            let Some(next_hop) = self.timers.due(now) else {
                return;
            };
            self.place(next_hop);
        }
    }

    fn give_back(&mut self, next_hop: u32, reason: NotAsked) -> Option<Turn> {
        let machine = self.hops.get(next_hop as usize)?.first()?;
        self.unqueue(next_hop, machine, State::Absent);
        self.progress.count_not_asked(reason);
        self.place(next_hop);
        Some(Turn::NotAsked { machine, reason })
    }

    fn ask(&mut self, next_hop: u32, now: Millis, is_withheld: bool) -> Option<Turn> {
        let hop = self.hops.get_mut(next_hop as usize)?;
        let machine = hop.first()?;
        let is_canary = hop.ask(now, &self.config);
        if !is_withheld {
            hop.leave(now, &self.config);
            self.bucket.leave();
        }
        let state = match is_canary {
            true => State::Canary,
            false => State::Out,
        };
        self.unqueue(next_hop, machine, state);
        if let Some(place) = self.machines.get_mut(machine as usize) {
            place.is_withheld = is_withheld;
        }
        self.progress.out = self.progress.out.saturating_add(1);
        increment(&mut self.progress.asked);
        // It goes behind the others.
        self.stand(next_hop, Place::Idle);
        self.place(next_hop);
        Some(Turn::Ask { machine })
    }

    fn unqueue(&mut self, next_hop: u32, machine: u32, state: State) {
        let found = self.machines.get_mut(machine as usize);
        if let (Some(place), Some(hop)) = (found, self.hops.get_mut(next_hop as usize)) {
            let before = core::mem::replace(&mut place.state, state);
            self.queued.remove(hop.list(before), machine);
            self.progress.queued = self.progress.queued.saturating_sub(1);
        }
    }

    /// Puts a next hop where it belongs after something has happened to it.
    fn place(&mut self, next_hop: u32) {
        let now = self.clock.latest();
        let Some(hop) = self.hops.get_mut(next_hop as usize) else {
            return;
        };
        let (place, wake) = hop.standing(now, &self.config);
        hop.forget_at = now.after(self.config.forget_after);
        self.timers.arm(next_hop, wake);
        self.stand(next_hop, place);
    }

    fn stand(&mut self, next_hop: u32, place: Place) {
        let Some(hop) = self.hops.get_mut(next_hop as usize) else {
            return;
        };
        let before = core::mem::replace(&mut hop.place, place);
        if before == place {
            return;
        }
        self.standing.remove(before, next_hop);
        self.standing.push(place, next_hop);
    }
}

impl fmt::Debug for Pacer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pacer")
            .field("progress", &self.progress)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}
