//! A pacer and its neighbours, driven in milliseconds.

use std::collections::BTreeMap;

use ims_procedures::{
    drive::Millis,
    fleet::pacer::{Config, NotAsked, Outcome, Pacer, Turn},
};

/// No canaries, and rates that hold nothing back.
pub fn unpaced() -> Config {
    let mut config = Config::default();
    config.rate = 1_000_000;
    config.burst = 10_000;
    config.in_flight = 1 << 20;
    config.hop_in_flight = 1 << 20;
    config.hop_max_rate = 1_000_000;
    config.hop_start_rate = 1_000_000;
    config.canaries = 0;
    config
}

/// Evenly spaced at this rate, overall; nothing else holds anything back.
pub fn at_rate(rate: u32) -> Config {
    let mut config = unpaced();
    config.rate = rate;
    config.burst = 1;
    config
}

pub fn pacer(config: Config, next_hops: u32) -> Pacer {
    Pacer::new(config, 100_000, next_hops).unwrap()
}

/// The machine that may send at `now`.
pub fn asked(pacer: &mut Pacer, now: u64) -> Option<u32> {
    match pacer.next(Millis(now)) {
        Some(Turn::Ask { machine }) => Some(machine),
        Some(other) => panic!("{other:?}"),
        None => None,
    }
}

/// All that may send at `now`.
pub fn all_asked(pacer: &mut Pacer, now: u64) -> Vec<u32> {
    std::iter::from_fn(|| asked(pacer, now)).collect()
}

/// All that are given back at `now`, for one reason.
pub fn given_back(pacer: &mut Pacer, now: u64, expected: NotAsked) -> Vec<u32> {
    let mut machines = Vec::new();
    while let Some(turn) = pacer.next(Millis(now)) {
        match turn {
            Turn::NotAsked { machine, reason } if reason == expected => machines.push(machine),
            other => panic!("{other:?}"),
        }
    }
    machines
}

/// Queues the machines of a range at a next hop.
pub fn enqueue(pacer: &mut Pacer, now: u64, machines: std::ops::Range<u32>, next_hop: u32) {
    for machine in machines {
        assert!(pacer.enqueue(Millis(now), machine, next_hop).unwrap());
    }
}

/// Whether there are at most ⌈w·rate/1000⌉ + burst − 1 of these instants in any stretch of w milliseconds.
pub fn keeps_rate(times: &[u64], rate: u32, burst: u32) -> Result<(), String> {
    for (first, from) in times.iter().enumerate() {
        for (last, until) in times.iter().enumerate().skip(first) {
            let (count, stretch) = ((last - first + 1) as u64, until - from + 1);
            let most = (stretch * u64::from(rate)).div_ceil(1_000) + u64::from(burst) - 1;
            if count > most {
                return Err(format!(
                    "{count} in {stretch} ms from {from}: more than {most}"
                ));
            }
        }
    }
    Ok(())
}

/// What a simulated neighbour does.
#[derive(Clone, Copy)]
pub enum Behaviour {
    /// Answers so many requests in each 100 ms, after so many milliseconds; the others get 503.
    Bears { per_100_ms: u64, latency: u64 },
    /// Every request times out after so many milliseconds.
    Dead { timeout: u64 },
}

/// A pacer among neighbours, one a next hop: machine *m* goes to next hop *m* modulo their number.
pub struct World {
    pub pacer: Pacer,
    pub now: u64,
    pub neighbours: Vec<Behaviour>,
    taken: Vec<(u64, u64)>,
    coming: BTreeMap<u64, Vec<(u32, Outcome)>>,
    /// Instant and machine of each turn.
    pub asked: Vec<(u64, u32)>,
    /// Instant, next hop, and whether it was answered.
    pub outcomes: Vec<(u64, usize, bool)>,
    /// Queue those again whose request failed.
    pub insists: bool,
}

impl World {
    pub fn new(pacer: Pacer, neighbours: Vec<Behaviour>) -> Self {
        Self {
            pacer,
            now: 0,
            taken: vec![(0, 0); neighbours.len()],
            neighbours,
            coming: BTreeMap::new(),
            asked: Vec::new(),
            outcomes: Vec::new(),
            insists: false,
        }
    }

    pub fn hop_of(&self, machine: u32) -> usize {
        machine as usize % self.neighbours.len()
    }

    /// A millisecond after the other, until `end`.
    pub fn run_until(&mut self, end: u64) {
        while self.now < end {
            for (machine, outcome) in self.coming.remove(&self.now).unwrap_or_default() {
                let (hop, is_good) = (self.hop_of(machine), outcome == Outcome::Answered);
                self.outcomes.push((self.now, hop, is_good));
                assert!(self.pacer.outcome(Millis(self.now), machine, outcome));
                if self.insists && !is_good {
                    assert!(
                        self.pacer
                            .enqueue(Millis(self.now), machine, hop as u32)
                            .unwrap()
                    );
                }
            }
            while let Some(machine) = asked(&mut self.pacer, self.now) {
                self.asked.push((self.now, machine));
                let (delay, outcome) = self.answer(self.hop_of(machine));
                self.coming
                    .entry(self.now + delay)
                    .or_default()
                    .push((machine, outcome));
            }
            self.now += 1;
        }
    }

    fn answer(&mut self, hop: usize) -> (u64, Outcome) {
        match self.neighbours[hop] {
            Behaviour::Dead { timeout } => (timeout, Outcome::Timeout),
            Behaviour::Bears {
                per_100_ms,
                latency,
            } => {
                let (slot, taken) = &mut self.taken[hop];
                if *slot != self.now / 100 {
                    (*slot, *taken) = (self.now / 100, 0);
                }
                *taken += 1;
                let outcome = match *taken <= per_100_ms {
                    true => Outcome::Answered,
                    false => Outcome::Overloaded { retry_after: None },
                };
                (latency, outcome)
            }
        }
    }

    /// Outcomes of a next hop in a stretch of time: good ones and all.
    pub fn count(&self, hop: usize, from: u64, until: u64) -> (usize, usize) {
        let within = |o: &&(u64, usize, bool)| (from..until).contains(&o.0) && o.1 == hop;
        let all = self.outcomes.iter().filter(within);
        (all.clone().filter(|o| o.2).count(), all.count())
    }
}
