//! One next hop: its rate, its canaries, its queue.

use serde::{Deserialize, Serialize};

use super::{BadCanaries, Bucket, Caution, Config, HopProgress, Outcome, State};
use crate::{
    drive::Millis,
    fleet::{Links, List},
};

/// How cautiously a next hop is treated.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Phase {
    /// Of the canaries, so many were asked, and so many of those came back.
    Canaries {
        asked: u16,
        good: u16,
        bad: u16,
    },
    Open,
    Stopped,
}

impl Phase {
    const FIRST: Self = Self::Canaries {
        asked: 0,
        good: 0,
        bad: 0,
    };
}

/// The list that a next hop stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Nothing is queued.
    Idle,
    /// It may be asked now.
    Ready,
    /// It may be asked later.
    Waiting,
    /// Its queue is given back.
    Stopped,
}

/// The lists that next hops with something queued stand in.
pub(super) struct Standing {
    links: Links,
    pub(super) ready: List,
    pub(super) waiting: List,
    pub(super) stopped: List,
}

impl Standing {
    pub(super) fn new(next_hops: usize) -> Self {
        Self {
            links: Links::new(next_hops),
            ready: List::EMPTY,
            waiting: List::EMPTY,
            stopped: List::EMPTY,
        }
    }

    pub(super) fn push(&mut self, place: Place, next_hop: u32) {
        match place {
            Place::Idle => {}
            Place::Ready => self.links.push(&mut self.ready, next_hop),
            Place::Waiting => self.links.push(&mut self.waiting, next_hop),
            Place::Stopped => self.links.push(&mut self.stopped, next_hop),
        }
    }

    pub(super) fn remove(&mut self, place: Place, next_hop: u32) {
        match place {
            Place::Idle => {}
            Place::Ready => self.links.remove(&mut self.ready, next_hop),
            Place::Waiting => self.links.remove(&mut self.waiting, next_hop),
            Place::Stopped => self.links.remove(&mut self.stopped, next_hop),
        }
    }

    /// The members of one of the lists, in order.
    pub(super) fn members(&self, list: &List) -> impl Iterator<Item = u32> {
        self.links.members(list)
    }
}

#[derive(Clone, Copy)]
pub(super) struct Hop {
    pub(super) queue: List,
    /// Those queued for another turn: they come first.
    pub(super) again: List,
    pub(super) out: u32,
    pub(super) place: Place,
    pub(super) rate: u32,
    pub(super) bucket: Bucket,
    pub(super) held_until: Millis,
    pub(super) phase: Phase,
    /// Refusals, timeouts and unreachables since the last that was neither.
    pub(super) streak: u16,
    /// Rounds of bad canaries, one after the other.
    pub(super) rounds: u16,
    /// End of the interval of the increase.
    pub(super) interval_end: Millis,
    /// Outcomes in it that were good.
    pub(super) good: u32,
    /// Whether one in it slowed the hop down, or would have.
    pub(super) troubled: bool,
    /// No decrease before this instant.
    pub(super) decrease_from: Millis,
    /// When what was learnt no longer holds, if nothing is queued or out until then.
    pub(super) forget_at: Millis,
    /// Whether anything was ever queued.
    pub(super) is_known: bool,
}

impl Hop {
    pub(super) fn new(config: &Config) -> Self {
        let mut hop = Self {
            queue: List::EMPTY,
            again: List::EMPTY,
            out: 0,
            place: Place::Idle,
            rate: config.hop_start_rate,
            bucket: Bucket::new(Bucket::full(config.hop_start_rate, config.burst), Millis(0)),
            held_until: Millis(0),
            phase: Phase::Open,
            streak: 0,
            rounds: 0,
            interval_end: Millis(0),
            good: 0,
            troubled: false,
            decrease_from: Millis(0),
            forget_at: Millis(0),
            is_known: false,
        };
        hop.forget(config);
        hop
    }

    /// Is another next hop from now on. The bucket stays: turns that were used up are not given back.
    pub(super) fn begin(&mut self, now: Millis, config: &Config) {
        self.fill(now, config);
        self.forget(config);
        self.held_until = now;
        self.decrease_from = now;
        self.is_known = false;
    }

    /// Begins as if nothing had been asked yet.
    fn forget(&mut self, config: &Config) {
        self.rate = config.hop_start_rate;
        self.streak = 0;
        self.rounds = 0;
        self.good = 0;
        self.troubled = false;
        self.phase = match config.canaries {
            0 => Phase::Open,
            _ => Phase::FIRST,
        };
    }

    /// Begins anew if nothing was learnt yet, or too long ago: when something comes to be queued.
    pub(super) fn refresh(&mut self, now: Millis, config: &Config) {
        if !self.is_known || self.is_idle() && self.forget_at <= now {
            self.fill(now, config);
            self.forget(config);
            self.interval_end = now.after(config.increase_interval);
        }
        self.is_known = true;
    }

    /// Machines that wait for their turn.
    pub(super) const fn queued(&self) -> u32 {
        self.queue.len().saturating_add(self.again.len())
    }

    pub(super) const fn is_idle(&self) -> bool {
        self.queued() == 0 && self.out == 0
    }

    /// The machine whose turn is next.
    pub(super) fn first(&self) -> Option<u32> {
        self.again.first().or(self.queue.first())
    }

    /// The list of those that are queued so.
    pub(super) const fn list(&mut self, state: State) -> &mut List {
        match state {
            State::Again => &mut self.again,
            _ => &mut self.queue,
        }
    }

    pub(super) fn fill(&mut self, now: Millis, config: &Config) {
        self.bucket.fill(now, self.rate, config.burst);
    }

    /// Where the hop belongs at `now`, and when that changes by itself.
    pub(super) fn standing(&self, now: Millis, config: &Config) -> (Place, Option<Millis>) {
        if self.queued() == 0 {
            return (Place::Idle, None);
        }
        let may_go = match self.phase {
            Phase::Stopped => return (Place::Stopped, None),
            Phase::Open => true,
            Phase::Canaries { asked, .. } => asked < config.canaries.max(1),
        };
        if !may_go || self.out >= config.hop_in_flight {
            return (Place::Waiting, None);
        }
        let Some(ready_at) = self.bucket.ready_at(self.rate, config.burst) else {
            return (Place::Waiting, None);
        };
        let at = ready_at.max(self.held_until);
        if at <= now {
            (Place::Ready, None)
        } else {
            (Place::Waiting, Some(at))
        }
    }

    /// One request has its turn: whether it is a canary.
    pub(super) fn ask(&mut self, now: Millis, config: &Config) -> bool {
        self.fill(now, config);
        self.bucket.set_aside();
        self.adopt()
    }

    /// It leaves.
    pub(super) fn leave(&mut self, now: Millis, config: &Config) {
        self.fill(now, config);
        self.bucket.leave();
    }

    /// One request is out: whether it is a canary.
    pub(super) const fn adopt(&mut self) -> bool {
        self.out = self.out.saturating_add(1);
        match &mut self.phase {
            Phase::Canaries { asked, .. } => {
                *asked = asked.saturating_add(1);
                true
            }
            Phase::Open | Phase::Stopped => false,
        }
    }

    /// [PD-12] What the outcome of a request says of the next hop. Whether it was slowed down for it.
    pub(super) fn learn(
        &mut self,
        now: Millis,
        outcome: Outcome,
        is_canary: bool,
        config: &Config,
    ) -> bool {
        self.out = self.out.saturating_sub(1);
        if let Outcome::Overloaded {
            retry_after: Some(seconds),
        } = outcome
        {
            let held = now.after_seconds(seconds.min(config.retry_after_limit));
            self.held_until = self.held_until.max(held);
        }
        let is_slowed = self.adapt(now, outcome, config);
        self.count_streak(now, outcome, config);
        if is_canary {
            self.judge_canary(now, outcome, config);
        }
        is_slowed
    }

    /// Additive increase, multiplicative decrease.
    fn adapt(&mut self, now: Millis, outcome: Outcome, config: &Config) -> bool {
        let slows = match outcome {
            Outcome::Overloaded { .. } => config.slowed_by.overloaded,
            Outcome::Timeout => config.slowed_by.timeout,
            Outcome::Unreachable => config.slowed_by.unreachable,
            Outcome::Answered | Outcome::Refused => {
                self.good = self.good.saturating_add(1);
                false
            }
            Outcome::Abandoned => return false,
        };
        self.troubled |= slows;
        let is_slowed = slows && self.decrease_from <= now;
        if is_slowed {
            self.decrease_from = now.after(config.decrease_interval);
            let product = u64::from(self.rate).saturating_mul(config.decrease_to.into());
            let lower = u32::try_from(product / 100).unwrap_or(self.rate);
            self.set_rate(now, lower, config);
        }
        if self.interval_end <= now {
            let allowed = u64::from(self.rate).saturating_mul(config.increase_interval);
            let is_used = u64::from(self.good).saturating_mul(2_000) >= allowed;
            if is_used && !self.troubled {
                self.set_rate(now, self.rate.saturating_add(config.increase), config);
            }
            self.interval_end = now.after(config.increase_interval);
            self.good = 0;
            self.troubled = false;
        }
        is_slowed
    }

    pub(super) fn set_rate(&mut self, now: Millis, rate: u32, config: &Config) {
        self.fill(now, config);
        self.rate = config.bounded_rate(rate);
    }

    /// Counts those that came back bad one after the other; too many, and canaries go again.
    fn count_streak(&mut self, now: Millis, outcome: Outcome, config: &Config) {
        self.streak = match outcome {
            Outcome::Refused | Outcome::Timeout | Outcome::Unreachable => {
                self.streak.saturating_add(1)
            }
            Outcome::Answered | Outcome::Overloaded { .. } => 0,
            Outcome::Abandoned => self.streak,
        };
        let is_too_long = config.bad_streak > 0 && self.streak >= config.bad_streak;
        if is_too_long && self.phase == Phase::Open {
            self.canaries_again(now, config);
        }
    }

    fn canaries_again(&mut self, now: Millis, config: &Config) {
        self.phase = Phase::FIRST;
        self.streak = 0;
        self.held_until = self.held_until.max(now.after(config.canary_pause));
    }

    /// [PD-6] Canaries: the first that go, and what follows from their outcomes.
    fn judge_canary(&mut self, now: Millis, outcome: Outcome, config: &Config) {
        let Phase::Canaries { asked, good, bad } = &mut self.phase else {
            return;
        };
        if good.saturating_add(*bad) >= *asked {
            // One of an earlier round.
            return;
        }
        match outcome {
            Outcome::Answered => *good = good.saturating_add(1),
            Outcome::Abandoned => *asked = asked.saturating_sub(1),
            _ => *bad = bad.saturating_add(1),
        }
        self.conclude(now, config);
    }

    /// Opens the next hop if its canaries suffice, and turns away from it if they are all back and do not.
    pub(super) fn conclude(&mut self, now: Millis, config: &Config) {
        let Phase::Canaries { good, bad, .. } = self.phase else {
            return;
        };
        let (all, needed) = match config.canaries {
            0 => (1, 1),
            all => (all, config.good_canaries),
        };
        if good >= needed {
            self.phase = Phase::Open;
            self.rounds = 0;
            self.good = 0;
            self.troubled = false;
            self.interval_end = now.after(config.increase_interval);
            self.set_rate(now, config.hop_start_rate, config);
        } else if good.saturating_add(bad) >= all {
            self.rounds = self.rounds.saturating_add(1);
            let is_enough = config.bad_rounds > 0 && self.rounds >= config.bad_rounds;
            match config.bad_canaries {
                BadCanaries::Slowly if !is_enough => self.canaries_again(now, config),
                BadCanaries::Stop | BadCanaries::Slowly => self.phase = Phase::Stopped,
            }
        }
    }

    pub(super) fn progress(&self) -> HopProgress {
        HopProgress {
            queued: self.queued(),
            out: self.out,
            rate: self.rate,
            caution: match self.phase {
                Phase::Canaries { .. } => Caution::Canaries,
                Phase::Open => Caution::Open,
                Phase::Stopped => Caution::Stopped,
            },
            held_until: self.held_until,
        }
    }
}
