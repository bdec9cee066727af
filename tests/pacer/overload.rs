//! Neighbours with too much to do: slowed for, waited for, and found again.

use std::collections::VecDeque;

use ims_procedures::{
    drive::Millis,
    fleet::pacer::{Config, Outcome},
};

use crate::support::{Behaviour, World, all_asked, asked, enqueue, pacer, unpaced};

fn adaptive() -> Config {
    let mut config = Config::default();
    (config.burst, config.canaries) = (2, 1);
    config
}

fn bears(per_second: u64, latency: u64) -> Behaviour {
    Behaviour::Bears {
        per_100_ms: per_second / 10,
        latency,
    }
}

/// [PD-12] Against a neighbour that answers 503 above what it bears, at least three quarters of that is used, and
/// at most a tenth of the requests is in vain; whether it bears little or much, answers soon or late.
#[test]
fn comes_to_what_a_neighbour_bears() {
    for (capacity, latency) in [(50, 20), (200, 100), (200, 900), (800, 100)] {
        let mut config = adaptive();
        (config.in_flight, config.hop_in_flight) = (4_096, 4_096);
        let mut world = World::new(pacer(config, 1), vec![bears(capacity, latency)]);
        world.insists = true;
        for machine in 0..100_000 {
            world.pacer.enqueue(Millis(0), machine, 0).unwrap();
        }
        world.run_until(120_000);
        let (good, all) = world.count(0, 60_000, 120_000);
        let most = capacity as usize * 60;
        assert!(
            good * 4 >= most * 3,
            "{capacity}, {latency}: {good} of {most}"
        );
        assert!(
            (all - good) * 10 <= all,
            "{capacity}, {latency}: {good} good of {all}"
        );
    }
}

/// [PD-12] Several senders who share a neighbour come to shares that are alike, though one begins with three times
/// the rate of the other.
#[test]
fn senders_come_to_equal_shares() {
    let rates = [300, 100];
    let mut pacers = rates.map(|rate| {
        let mut config = adaptive();
        (config.hop_start_rate, config.canaries) = (rate, 0);
        let mut pacer = pacer(config, 1);
        enqueue(&mut pacer, 0, 0..100_000, 0);
        pacer
    });
    let mut good = [0; 2];
    let mut taken = 0;
    let mut coming = VecDeque::<(u64, usize, u32, Outcome)>::new();
    for now in 0..200_000 {
        if now % 100 == 0 {
            taken = 0;
        }
        while coming.front().is_some_and(|(at, ..)| *at <= now) {
            let (_, sender, machine, outcome) = coming.pop_front().unwrap();
            pacers[sender].outcome(Millis(now), machine, outcome);
            good[sender] += usize::from(outcome == Outcome::Answered && now > 100_000);
        }
        let order = [now as usize % 2, (now as usize + 1) % 2];
        for sender in order {
            while let Some(machine) = asked(&mut pacers[sender], now) {
                taken += 1;
                let outcome = match taken <= 40 {
                    true => Outcome::Answered,
                    false => Outcome::Overloaded { retry_after: None },
                };
                coming.push_back((now + 50, sender, machine, outcome));
            }
        }
    }
    let [most, least] = [good[0].max(good[1]), good[0].min(good[1])];
    assert!(least * 4 >= most * 3, "{good:?}");
    assert!((most + least) * 4 >= 40_000 * 3, "{good:?}");
}

/// [PD-12] [PD-6] After an outage of half a minute, the neighbour is found again within a pause and a timeout, and
/// is given what it bears half a minute later; meanwhile it got canaries only.
#[test]
fn recovers_after_an_outage() {
    let mut config = adaptive();
    (config.canary_pause, config.hop_in_flight) = (5_000, 64);
    let mut world = World::new(pacer(config, 1), vec![bears(200, 50)]);
    world.insists = true;
    for machine in 0..100_000 {
        world.pacer.enqueue(Millis(0), machine, 0).unwrap();
    }
    world.run_until(60_000);
    world.neighbours[0] = Behaviour::Dead { timeout: 4_000 };
    world.run_until(90_000);
    world.neighbours[0] = bears(200, 50);
    world.run_until(150_000);
    let asked = |from, until| {
        world
            .asked
            .iter()
            .filter(|(at, _)| (from..until).contains(at))
            .count()
    };
    assert!(asked(60_000, 65_000) <= 2 * 64, "{}", asked(60_000, 65_000));
    assert!(
        asked(65_000, 90_000) <= 25_000 / 5_000,
        "{}",
        asked(65_000, 90_000)
    );
    let (found, _) = world.count(0, 90_000, 90_000 + 5_000 + 4_000 + 100);
    assert!(found > 0);
    let (good, _) = world.count(0, 130_000, 150_000);
    assert!(good * 4 >= 200 * 20 * 3, "{good}");
}

/// [PD-6] [RFC 3261 21.5.4] Retry-After holds off its next hop, alone, and no longer than the limit; a shorter one
/// later does not shorten it.
#[test]
fn retry_after() {
    let mut config = unpaced();
    config.retry_after_limit = 10;
    let mut pacer = pacer(config, 2);
    enqueue(&mut pacer, 0, 0..6, 0);
    let out = all_asked(&mut pacer, 0);
    let busy = |seconds| Outcome::Overloaded {
        retry_after: Some(seconds),
    };
    pacer.outcome(Millis(1_000), out[0], busy(3));
    pacer.outcome(Millis(1_500), out[1], busy(1));
    pacer.outcome(
        Millis(1_600),
        out[2],
        Outcome::Overloaded { retry_after: None },
    );
    assert_eq!(pacer.next_hop(0).unwrap().held_until, Millis(4_000));
    enqueue(&mut pacer, 1_600, 10..20, 0);
    assert_eq!(pacer.deadline(), Some(Millis(4_000)));
    enqueue(&mut pacer, 1_600, 20..22, 1);
    assert_eq!(all_asked(&mut pacer, 1_600), [20, 21]);
    assert_eq!(asked(&mut pacer, 3_999), None);
    pacer.outcome(Millis(3_999), out[3], busy(u32::MAX));
    assert_eq!(pacer.deadline(), Some(Millis(13_999)));
    assert_eq!(asked(&mut pacer, 13_998), None);
    assert_eq!(all_asked(&mut pacer, 13_999).len(), 10);
}

/// [PD-12] One decrease for what was sent before it is known; the factor, the floor, and which outcomes count.
#[test]
fn decreases() {
    let mut config = unpaced();
    (
        config.hop_start_rate,
        config.hop_min_rate,
        config.decrease_to,
    ) = (1_000, 300, 50);
    config.slowed_by.unreachable = false;
    let mut pacer = pacer(config, 1);
    enqueue(&mut pacer, 0, 0..100, 0);
    let mut out = all_asked(&mut pacer, 0).into_iter();
    let busy = Outcome::Overloaded { retry_after: None };
    for (now, outcome, rate) in [
        (0, Outcome::Unreachable, 1_000),
        (0, Outcome::Refused, 1_000),
        (0, Outcome::Abandoned, 1_000),
        (10, busy, 500),
        (10, busy, 500),
        (1_009, Outcome::Timeout, 500),
        (1_010, Outcome::Timeout, 300),
        (2_010, busy, 300),
    ] {
        pacer.outcome(Millis(now), out.next().unwrap(), outcome);
        assert_eq!(
            pacer.next_hop(0).unwrap().rate,
            rate,
            "{outcome:?} at {now}"
        );
    }
    assert_eq!(pacer.progress().decreases, 3);
}

/// [PD-12] An increase for an interval that was used by half and without trouble; the ceiling.
#[test]
fn increases() {
    let mut config = unpaced();
    (config.hop_start_rate, config.hop_max_rate, config.increase) = (10, 25, 10);
    let mut pacer = pacer(config, 1);
    enqueue(&mut pacer, 0, 0..5_000, 0);
    let mut out = all_asked(&mut pacer, 10_000).into_iter();
    let mut tell = |now, outcome| {
        pacer.outcome(Millis(now), out.next().unwrap(), outcome);
        pacer.next_hop(0).unwrap().rate
    };
    assert_eq!(tell(0, Outcome::Answered), 10, "an interval begins");
    for count in 1..4 {
        assert_eq!(tell(10_000 + count, Outcome::Answered), 10);
    }
    assert_eq!(
        tell(11_000, Outcome::Answered),
        10,
        "one answer less than half"
    );
    for count in 1..5 {
        assert_eq!(tell(11_000 + count, Outcome::Refused), 10);
    }
    assert_eq!(tell(12_000, Outcome::Answered), 20, "half of ten");
    for count in 1..30 {
        assert_eq!(tell(12_000 + count, Outcome::Answered), 20);
    }
    let busy = Outcome::Overloaded { retry_after: None };
    assert_eq!(tell(12_500, busy), 14);
    assert_eq!(
        tell(13_000, Outcome::Answered),
        14,
        "it was not without trouble"
    );
    for (second, rate) in [(14, 24), (15, 25), (16, 25)] {
        for count in 1..30 {
            tell((second - 1) * 1_000 + count, Outcome::Answered);
        }
        assert_eq!(tell(second * 1_000, Outcome::Answered), rate, "ceiling");
    }
}
