//! Next hops share what there is, and none pays for another.

use ims_procedures::{drive::Millis, fleet::pacer::Outcome};
use proptest::prelude::*;

use crate::support::{Behaviour, World, all_asked, asked, enqueue, pacer, unpaced};

const WELL: Behaviour = Behaviour::Bears {
    per_100_ms: u64::MAX,
    latency: 30,
};

/// [PD-12] A dead next hop, and one that answers late, change nothing for the others: the same turns at the same
/// instants as without them.
#[test]
fn a_dead_next_hop_slows_nobody() {
    let lost = Behaviour::Dead { timeout: 32_000 };
    let slow = Behaviour::Bears {
        per_100_ms: u64::MAX,
        latency: 9_000,
    };
    let mut runs = Vec::new();
    for others in [[WELL, WELL], [lost, slow]] {
        let mut config = unpaced();
        (config.hop_start_rate, config.hop_max_rate) = (100, 300);
        (config.in_flight, config.hop_in_flight, config.burst) = (256, 64, 1);
        config.canaries = 2;
        let mut world = World::new(pacer(config, 3), vec![WELL, others[0], others[1]]);
        for machine in 0..9_000 {
            world
                .pacer
                .enqueue(Millis(0), machine, machine % 3)
                .unwrap();
        }
        world.run_until(15_000);
        let of_first = world.asked.iter().filter(|(_, machine)| machine % 3 == 0);
        runs.push(Vec::from_iter(of_first.copied()));
    }
    assert!(runs[0].len() > 2_500, "{}", runs[0].len());
    assert_eq!(runs[0], runs[1]);
}

/// [PD-12] Under one rate for all, next hops with work take turns, however long their queues are.
#[test]
fn turns() {
    let mut config = unpaced();
    (config.rate, config.burst) = (100, 1);
    let mut pacer = pacer(config, 4);
    for (next_hop, machines) in [0..500, 500..510, 510..800, 800..803]
        .into_iter()
        .enumerate()
    {
        enqueue(&mut pacer, 0, machines, next_hop as u32);
    }
    let first: Vec<_> = (0..12)
        .map(|turn| asked(&mut pacer, turn * 10).unwrap())
        .collect();
    assert_eq!(
        first,
        [0, 500, 510, 800, 1, 501, 511, 801, 2, 502, 512, 802]
    );
    let then: Vec<_> = (12..18)
        .map(|turn| asked(&mut pacer, turn * 10).unwrap())
        .collect();
    assert_eq!(then, [3, 503, 513, 4, 504, 514]);
}

/// [DR-6] However many next hops come due at once, each has its turn at that instant, one a call, and in order.
#[test]
fn all_due_at_once() {
    let mut config = unpaced();
    (config.burst, config.hop_start_rate, config.hop_max_rate) = (1, 1, 1);
    let mut pacer = pacer(config, 500);
    for machine in 0..1_500 {
        pacer.enqueue(Millis(0), machine, machine % 500).unwrap();
    }
    for second in 0..3 {
        let turns = all_asked(&mut pacer, u64::from(second) * 1_000);
        assert_eq!(turns, Vec::from_iter(second * 500..second * 500 + 500));
        let next = (second < 2).then(|| Millis(u64::from(second + 1) * 1_000));
        assert_eq!(pacer.deadline(), next);
    }
}

proptest! {
    /// [PD-12] Whatever the others do, one of *k* next hops that may always be asked has a turn in any *k* turns
    /// one after the other.
    #[test]
    fn nobody_starves(
        hops in 2..8_u32,
        outcomes in proptest::collection::vec((0..5_u8, 0..40_u64), 50..150),
    ) {
        let mut config = unpaced();
        (config.rate, config.burst, config.decrease_interval) = (200, 3, 0);
        config.hop_in_flight = 2;
        let mut pacer = pacer(config, hops);
        for hop in 0..hops {
            enqueue(&mut pacer, 0, hop * 2_000..hop * 2_000 + 2_000, hop);
        }
        let (mut now, mut since) = (0, 0);
        let mut out = Vec::new();
        for (kind, pause) in outcomes {
            now += pause;
            while let Some(machine) = asked(&mut pacer, now) {
                if machine < 2_000 {
                    pacer.outcome(Millis(now), machine, Outcome::Answered);
                    since = 0;
                } else {
                    out.push(machine);
                    since += 1;
                }
                prop_assert!(since < hops, "{} turns of others", since);
            }
            if !out.is_empty() {
                let machine = out.swap_remove(pause as usize % out.len());
                let outcome = match kind {
                    0 => Outcome::Answered,
                    1 => Outcome::Refused,
                    2 => Outcome::Overloaded { retry_after: Some(1) },
                    3 => Outcome::Timeout,
                    _ => Outcome::Unreachable,
                };
                pacer.outcome(Millis(now), machine, outcome);
            }
        }
    }
}
