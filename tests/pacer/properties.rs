//! Whatever happens in whatever order: what a pacer promises.

use std::collections::{BTreeMap, BTreeSet};

use ims_procedures::{
    drive::Millis,
    fleet::pacer::{BadCanaries, Config, NotAsked, Outcome, Pacer, Turn},
};
use proptest::prelude::*;

use crate::support::keeps_rate;

pub const MACHINES: u32 = 12;
pub const NEXT_HOPS: u32 = 3;

#[derive(Clone, Copy, Debug)]
pub enum Op {
    Enqueue { machine: u32, next_hop: u32 },
    Cancel { machine: u32 },
    Next,
    Outcome { machine: u32, outcome: Outcome },
    Wait { milliseconds: u64 },
    Back,
    UntilDue,
    Deadline { milliseconds: Option<u64> },
}

pub fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        4 => Just(Outcome::Answered),
        1 => Just(Outcome::Refused),
        1 => Just(Outcome::Overloaded { retry_after: None }),
        1 => (0..3_u32).prop_map(|seconds| Outcome::Overloaded { retry_after: Some(seconds) }),
        1 => Just(Outcome::Timeout),
        1 => Just(Outcome::Unreachable),
        1 => Just(Outcome::Abandoned),
    ]
}

pub fn op() -> impl Strategy<Value = Op> {
    let machine = || 0..MACHINES;
    prop_oneof![
        6 => (machine(), 0..NEXT_HOPS).prop_map(|(machine, next_hop)| Op::Enqueue { machine, next_hop }),
        1 => machine().prop_map(|machine| Op::Cancel { machine }),
        8 => Just(Op::Next),
        6 => (machine(), outcome()).prop_map(|(machine, outcome)| Op::Outcome { machine, outcome }),
        4 => prop_oneof![0..30_u64, 0..3_000_u64].prop_map(|milliseconds| Op::Wait { milliseconds }),
        1 => Just(Op::Back),
        4 => Just(Op::UntilDue),
        1 => proptest::option::of(0..5_000_u64).prop_map(|milliseconds| Op::Deadline { milliseconds }),
    ]
}

pub fn config() -> impl Strategy<Value = Config> {
    let rates = (1..50_u32, 1..4_u32, 1..6_u32, 1..4_u32, 1..40_u32);
    (rates, 0..4_u16, any::<bool>(), 0..4_u16).prop_map(|(rates, canaries, stops, bad_streak)| {
        let (rate, burst, in_flight, hop_in_flight, hop_max_rate) = rates;
        let mut config = Config::default();
        (config.rate, config.burst) = (rate, burst);
        (config.in_flight, config.hop_in_flight) = (in_flight, hop_in_flight.min(in_flight));
        (config.hop_max_rate, config.hop_start_rate) = (hop_max_rate, hop_max_rate.div_ceil(2));
        (
            config.increase,
            config.increase_interval,
            config.decrease_interval,
        ) = (3, 100, 50);
        (config.canaries, config.good_canaries) = (canaries, canaries.div_ceil(2));
        (config.canary_pause, config.bad_streak, config.forget_after) = (700, bad_streak, 900);
        if stops {
            config.bad_canaries = BadCanaries::Stop;
        }
        config
    })
}

/// What must be so, kept beside the pacer by other means.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Books {
    pub queued: BTreeMap<u32, u32>,
    pub out: BTreeMap<u32, u32>,
    pub held_until: [u64; NEXT_HOPS as usize],
    pub now: u64,
    pub deadline: Option<u64>,
}

impl Books {
    /// Does it to the pacer, and checks what came of it.
    pub fn step(&mut self, pacer: &mut Pacer, config: &Config, op: Op) -> Option<Turn> {
        let now = Millis(self.now);
        let mut turn = None;
        match op {
            Op::Enqueue { machine, next_hop } => {
                let is_known =
                    self.queued.contains_key(&machine) || self.out.contains_key(&machine);
                assert_eq!(pacer.enqueue(now, machine, next_hop), Ok(!is_known));
                if !is_known {
                    self.queued.insert(machine, next_hop);
                }
            }
            Op::Cancel { machine } => {
                assert_eq!(
                    pacer.cancel(machine),
                    self.queued.remove(&machine).is_some()
                );
            }
            Op::Outcome { machine, outcome } => {
                let hop = self.out.remove(&machine);
                assert_eq!(pacer.outcome(now, machine, outcome), hop.is_some());
                if let (
                    Some(hop),
                    Outcome::Overloaded {
                        retry_after: Some(s),
                    },
                ) = (hop, outcome)
                {
                    let held = &mut self.held_until[hop as usize];
                    *held = (*held).max(self.now + u64::from(s) * 1_000);
                }
            }
            Op::Wait { milliseconds } => self.now += milliseconds,
            Op::UntilDue => {
                // What came due while nobody asked stands in the past.
                if let Some(at) = pacer.deadline().map(|at| at.max(now)) {
                    if at > now {
                        assert_eq!(pacer.next(Millis(at.0 - 1)), None, "not before {at}");
                        assert_eq!(pacer.deadline(), Some(at));
                    }
                    self.now = at.0;
                    turn = pacer.next(at);
                    assert!(turn.is_some(), "due at {at}");
                }
            }
            Op::Next => turn = pacer.next(now),
            Op::Back => {
                turn = pacer.next(now);
                if turn.is_none() {
                    assert_eq!(pacer.next(Millis(self.now / 2)), None);
                }
            }
            Op::Deadline { milliseconds } => {
                self.deadline = milliseconds.map(|left| self.now + left);
                pacer.set_deadline(self.deadline.map(Millis));
            }
        }
        if let Some(turn) = turn {
            self.take(turn, config);
        } else if matches!(op, Op::Next | Op::Back | Op::UntilDue)
            && self.deadline.is_some_and(|at| at <= self.now)
        {
            assert!(self.queued.is_empty(), "given back at the deadline");
        }
        let progress = pacer.progress();
        assert_eq!(progress.queued as usize, self.queued.len());
        assert_eq!(progress.out as usize, self.out.len());
        if self.queued.is_empty() {
            assert_eq!(pacer.deadline(), None);
        }
        turn
    }

    fn take(&mut self, turn: Turn, config: &Config) {
        match turn {
            Turn::Ask { machine } => {
                let hop = self.queued.remove(&machine).expect("it was queued");
                self.out.insert(machine, hop);
                let out_there = self.out.values().filter(|h| **h == hop).count();
                assert!(self.out.len() <= config.in_flight as usize);
                assert!(out_there <= config.hop_in_flight as usize);
                assert!(self.held_until[hop as usize] <= self.now, "Retry-After");
                assert!(
                    self.deadline.is_none_or(|at| self.now < at),
                    "past the deadline"
                );
            }
            Turn::NotAsked { machine, reason } => {
                self.queued.remove(&machine).expect("it was queued");
                match reason {
                    NotAsked::Deadline => assert!(self.deadline.is_some_and(|at| at <= self.now)),
                    _ => assert_eq!(config.bad_canaries, BadCanaries::Stop),
                }
            }
            other => panic!("{other:?}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]

    /// [PD-2] [PD-12] [DR-5] [DR-6] Never more than the rates allow in any stretch of time, overall and per next
    /// hop; never more out than the bounds; nobody asked who was not queued, held off, or past the deadline; a turn
    /// exactly when one was announced; and in the end, everybody asked or given back, each once.
    #[test]
    fn promises(config in config(), ops in proptest::collection::vec(op(), 1..250)) {
        let mut pacer = Pacer::new(config.clone(), MACHINES, NEXT_HOPS).unwrap();
        let mut books = Books::default();
        let (mut all, mut of_hops) = (Vec::new(), vec![Vec::new(); NEXT_HOPS as usize]);
        for op in ops {
            if let Some(Turn::Ask { machine }) = books.step(&mut pacer, &config, op) {
                all.push(books.now);
                of_hops[books.out[&machine] as usize].push(books.now);
            }
        }
        prop_assert_eq!(keeps_rate(&all, config.rate, config.burst), Ok(()));
        for times in of_hops {
            prop_assert_eq!(keeps_rate(&times, config.hop_max_rate, config.burst), Ok(()));
        }

        books.step(&mut pacer, &config, Op::Deadline { milliseconds: Some(3_000) });
        let mut left: BTreeSet<_> = books.queued.keys().copied().collect();
        let mut steps = 0;
        while !left.is_empty() {
            let turn = books.step(&mut pacer, &config, Op::UntilDue);
            match turn {
                Some(Turn::Ask { machine }) => {
                    prop_assert!(left.remove(&machine));
                    let outcome = Outcome::Answered;
                    books.step(&mut pacer, &config, Op::Outcome { machine, outcome });
                }
                Some(Turn::NotAsked { machine, .. }) => prop_assert!(left.remove(&machine)),
                _ => prop_assert!(false, "nothing due, and {} left", left.len()),
            }
            steps += 1;
            prop_assert!(steps <= MACHINES);
        }
        prop_assert_eq!(pacer.deadline(), None);
    }
}
