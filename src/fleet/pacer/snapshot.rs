//! What a pacer is in a blob. Instants stand as milliseconds from now.

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use super::{
    Bucket, Config, Machine, Pacer, Progress, State,
    hop::{Hop, Phase, Place, Standing},
};
use crate::drive::{
    Millis, RestoreError,
    snapshot::{self, Kind},
};

const KIND: Kind = Kind(21);
const FORMAT: u16 = 1;

/// What a pacer is in a blob.
#[derive(Serialize, Deserialize)]
pub(crate) struct Snapshot {
    deadline_in: Option<u64>,
    level: u64,
    hops: Vec<HopSnapshot>,
    /// Next hops with something queued, in the order of their turns.
    turns: Vec<u32>,
    out: Vec<OutSnapshot>,
    tally: [u64; 12],
}

#[derive(Serialize, Deserialize)]
struct HopSnapshot {
    number: u32,
    rate: u32,
    level: u64,
    held_for: u64,
    phase: Phase,
    streak: u16,
    rounds: u16,
    interval_left: u64,
    good: u32,
    troubled: bool,
    no_decrease_for: u64,
    forget_in: u64,
    queue: Vec<u32>,
    again: Vec<u32>,
}

#[derive(Serialize, Deserialize)]
struct OutSnapshot {
    machine: u32,
    next_hop: u16,
    is_canary: bool,
}

impl Pacer {
    /// [DR-7] Appends the pacer as a blob of its own.
    pub fn save(&self, now: Millis, into: &mut Vec<u8>) {
        snapshot::seal(KIND, FORMAT, &self.snapshot(now), into);
    }

    /// [DR-7] The pacer that was saved, going on at `now` under a configuration that is given anew. What was out
    /// is out again. A next hop's rate is brought within the bounds of the configuration; more may be out than it
    /// allows.
    ///
    /// # Errors
    /// [`RestoreError`] says what is wrong with the blob: [`TooLarge`](RestoreError::TooLarge) if it names a
    /// machine or next hop past the numbers given here, which may be others than before.
    pub fn load(
        blob: &[u8],
        now: Millis,
        config: Config,
        machines: u32,
        next_hops: u32,
    ) -> Result<Self, RestoreError> {
        let snapshot = snapshot::open(KIND, FORMAT, blob)?;
        Self::restore(&snapshot, now, config, machines, next_hops)
    }

    /// With the machines numbered anew; those without a number are left out.
    pub(crate) fn snapshot_of(&self, now: Millis, number: impl Fn(u32) -> Option<u32>) -> Snapshot {
        let mut snapshot = self.snapshot(now);
        snapshot.renumber(number);
        snapshot
    }

    pub(crate) fn snapshot(&self, now: Millis) -> Snapshot {
        let now = now.max(self.clock.latest());
        let mut bucket = self.bucket;
        bucket.fill(now, self.config.rate, self.config.burst);
        let hops = self.hops.iter().zip(0u32..);
        let known = hops.filter(|(hop, _)| hop.is_known);
        let machines = self.machines.iter().zip(0u32..);
        Snapshot {
            deadline_in: self.deadline.map(|at| at.since(now)),
            level: bucket.level(),
            hops: known
                .map(|(hop, number)| self.hop_snapshot(hop, number, now))
                .collect(),
            turns: self.turns(),
            out: machines
                .filter_map(|(m, number)| m.snapshot(number))
                .collect(),
            tally: self.progress.tally(),
        }
    }

    /// Next hops with something queued: those that are ready, then all others.
    fn turns(&self) -> Vec<u32> {
        let Standing {
            ready,
            waiting,
            stopped,
            ..
        } = &self.standing;
        let lists = [ready, waiting, stopped];
        let members = lists
            .into_iter()
            .flat_map(|list| self.standing.members(list));
        members.collect()
    }

    fn hop_snapshot(&self, hop: &Hop, number: u32, now: Millis) -> HopSnapshot {
        let mut bucket = hop.bucket;
        bucket.fill(now, hop.rate, self.config.burst);
        HopSnapshot {
            number,
            rate: hop.rate,
            level: bucket.level(),
            held_for: hop.held_until.since(now),
            phase: hop.phase,
            streak: hop.streak,
            rounds: hop.rounds,
            interval_left: hop.interval_end.since(now),
            good: hop.good,
            troubled: hop.troubled,
            no_decrease_for: hop.decrease_from.since(now),
            forget_in: hop.forget_at.since(now),
            queue: self.queued.members(&hop.queue).collect(),
            again: self.queued.members(&hop.again).collect(),
        }
    }

    pub(crate) fn restore(
        snapshot: &Snapshot,
        now: Millis,
        config: Config,
        machines: u32,
        next_hops: u32,
    ) -> Result<Self, RestoreError> {
        let mut pacer = Self::new(config, machines, next_hops).map_err(RestoreError::Config)?;
        pacer.clock.observe(now);
        pacer.deadline = snapshot.deadline_in.map(|left| now.after(left));
        pacer.bucket = Bucket::new(snapshot.level, now);
        pacer.progress = Progress::of_tally(snapshot.tally);
        for hop in &snapshot.hops {
            pacer.restore_hop(hop, now)?;
        }
        for out in &snapshot.out {
            pacer.restore_out(out)?;
        }
        pacer.restore_turns(snapshot)?;
        Ok(pacer)
    }

    fn restore_hop(&mut self, snapshot: &HopSnapshot, now: Millis) -> Result<(), RestoreError> {
        let hop = self
            .hops
            .get_mut(snapshot.number as usize)
            .ok_or(RestoreError::TooLarge)?;
        if hop.is_known {
            return Err(RestoreError::Damaged);
        }
        hop.is_known = true;
        hop.bucket = Bucket::new(snapshot.level, now);
        hop.rate = self.config.bounded_rate(snapshot.rate);
        hop.held_until = now.after(snapshot.held_for);
        hop.phase = snapshot.phase;
        hop.streak = snapshot.streak;
        hop.rounds = snapshot.rounds;
        hop.interval_end = now.after(snapshot.interval_left);
        hop.good = snapshot.good;
        hop.troubled = snapshot.troubled;
        hop.decrease_from = now.after(snapshot.no_decrease_for);
        hop.conclude(now, &self.config);
        let next_hop = u16::try_from(snapshot.number).map_err(|_| RestoreError::TooLarge)?;
        let again = snapshot.again.iter().map(|&number| (number, State::Again));
        let queued = snapshot.queue.iter().map(|&number| (number, State::Queued));
        for (number, state) in again.chain(queued) {
            let found = self.machines.get_mut(number as usize);
            let machine = found.ok_or(RestoreError::TooLarge)?;
            machine.restore(next_hop, state)?;
            self.queued.push(hop.list(state), number);
            self.progress.queued = self.progress.queued.saturating_add(1);
        }
        Ok(())
    }

    fn restore_out(&mut self, snapshot: &OutSnapshot) -> Result<(), RestoreError> {
        let found = self.machines.get_mut(snapshot.machine as usize);
        let hop = self.hops.get_mut(usize::from(snapshot.next_hop));
        let (Some(machine), Some(hop)) = (found, hop) else {
            return Err(RestoreError::TooLarge);
        };
        let state = match snapshot.is_canary {
            true => State::Canary,
            false => State::Out,
        };
        machine.restore(snapshot.next_hop, state)?;
        hop.out = hop.out.saturating_add(1);
        self.progress.out = self.progress.out.saturating_add(1);
        Ok(())
    }

    /// Those whose turn was next come first.
    fn restore_turns(&mut self, snapshot: &Snapshot) -> Result<(), RestoreError> {
        let others = 0..self.next_hops();
        for next_hop in snapshot.turns.iter().copied().chain(others) {
            let hop = self
                .hops
                .get(next_hop as usize)
                .ok_or(RestoreError::TooLarge)?;
            if hop.place == Place::Idle {
                self.place(next_hop);
            }
        }
        for hop in &snapshot.hops {
            if let Some(place) = self.hops.get_mut(hop.number as usize) {
                place.forget_at = self.clock.latest().after(hop.forget_in);
            }
        }
        Ok(())
    }
}

impl Snapshot {
    /// Gives machines other numbers, and takes out those that have none; says how many these are.
    pub(crate) fn renumber(&mut self, number: impl Fn(u32) -> Option<u32>) -> u64 {
        let mut gone = 0u64;
        let mut keep = |machine: &mut u32| match number(*machine) {
            Some(number) => {
                *machine = number;
                true
            }
            None => {
                gone = gone.saturating_add(1);
                false
            }
        };
        for hop in &mut self.hops {
            hop.queue.retain_mut(&mut keep);
            hop.again.retain_mut(&mut keep);
        }
        self.out.retain_mut(|out| keep(&mut out.machine));
        gone
    }
}

impl Machine {
    fn snapshot(&self, machine: u32) -> Option<OutSnapshot> {
        let is_canary = match self.state {
            State::Absent | State::Queued | State::Again => return None,
            State::Out => false,
            State::Canary => true,
        };
        Some(OutSnapshot {
            machine,
            next_hop: self.next_hop,
            is_canary,
        })
    }

    fn restore(&mut self, next_hop: u16, state: State) -> Result<(), RestoreError> {
        if self.state != State::Absent {
            return Err(RestoreError::Damaged);
        }
        *self = Self {
            next_hop,
            state,
            is_withheld: false,
        };
        Ok(())
    }
}

impl Progress {
    const fn tally(&self) -> [u64; 12] {
        [
            self.asked,
            self.answered,
            self.refused,
            self.overloaded,
            self.timeouts,
            self.unreachable,
            self.abandoned,
            self.cancelled,
            self.past_deadline,
            self.stopped,
            self.decreases,
            self.stale_outcomes,
        ]
    }

    const fn of_tally(tally: [u64; 12]) -> Self {
        let [
            asked,
            answered,
            refused,
            overloaded,
            timeouts,
            unreachable,
            abandoned,
            cancelled,
            past_deadline,
            stopped,
            decreases,
            stale_outcomes,
        ] = tally;
        Self {
            queued: 0,
            out: 0,
            asked,
            answered,
            refused,
            overloaded,
            timeouts,
            unreachable,
            abandoned,
            cancelled,
            past_deadline,
            stopped,
            decreases,
            stale_outcomes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Config, Millis, Pacer};

    /// [DR-7] Whoever is queued, queued again or out has its new number, or is taken out and counted.
    #[test]
    fn renumbered() {
        let mut pacer = Pacer::new(Config::default(), 20, 1).unwrap();
        for machine in [3, 4, 5] {
            pacer.adopt(Millis(0), machine, 0).unwrap();
            pacer.enqueue(Millis(0), machine + 5, 0).unwrap();
            pacer.enqueue_again(Millis(0), machine + 10, 0).unwrap();
        }
        let mut snapshot = pacer.snapshot(Millis(0));
        let gone = snapshot.renumber(|machine| (machine % 5 != 3).then_some(machine + 100));
        assert_eq!(gone, 3);
        let hop = &snapshot.hops[0];
        assert_eq!(
            (&*hop.queue, &*hop.again),
            (&[109, 110][..], &[114, 115][..])
        );
        assert!(snapshot.out.iter().map(|out| out.machine).eq([104, 105]));
    }
}
