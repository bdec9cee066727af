//! Canaries, and next hops that refuse.

use ims_procedures::{
    drive::Millis,
    fleet::pacer::{BadCanaries, Caution, Config, NotAsked, Outcome, Pacer},
};

use crate::support::{all_asked, asked, enqueue, given_back, pacer, unpaced};

const BAD: [Outcome; 4] = [
    Outcome::Refused,
    Outcome::Overloaded { retry_after: None },
    Outcome::Timeout,
    Outcome::Unreachable,
];

fn with_canaries(canaries: u16, good: u16) -> Config {
    let mut config = unpaced();
    (config.canaries, config.good_canaries) = (canaries, good);
    config
}

fn caution(pacer: &Pacer, next_hop: u32) -> Caution {
    pacer.next_hop(next_hop).unwrap().caution
}

/// [PD-6] The canaries of each next hop go alone; the others follow as soon as enough were answered well, and
/// next hops do not wait for each other.
#[test]
fn first_alone() {
    let mut pacer = pacer(with_canaries(3, 2), 2);
    enqueue(&mut pacer, 0, 0..10, 0);
    enqueue(&mut pacer, 0, 10..20, 1);
    assert_eq!(all_asked(&mut pacer, 0), [0, 10, 1, 11, 2, 12]);
    assert_eq!(pacer.deadline(), None);
    pacer.outcome(Millis(10), 0, Outcome::Answered);
    pacer.outcome(Millis(10), 1, Outcome::Refused);
    assert_eq!(all_asked(&mut pacer, 10), []);
    assert_eq!(caution(&pacer, 0), Caution::Canaries);
    pacer.outcome(Millis(20), 2, Outcome::Answered);
    assert_eq!(caution(&pacer, 0), Caution::Open);
    assert_eq!(all_asked(&mut pacer, 20), Vec::from_iter(3..10));
    pacer.outcome(Millis(30), 12, Outcome::Answered);
    pacer.outcome(Millis(30), 11, Outcome::Answered);
    assert_eq!(
        all_asked(&mut pacer, 30),
        Vec::from_iter(13..20),
        "one is still out"
    );
}

/// [PD-6] One user refused never poisons a next hop; all canaries bad, whatever it was, and others go after the
/// pause, again and again, until some are good.
#[test]
fn bad_ones_then_slowly() {
    for bad in BAD {
        let mut config = with_canaries(3, 1);
        config.canary_pause = 5_000;
        let mut pacer = pacer(config, 1);
        enqueue(&mut pacer, 0, 0..20, 0);
        for round in 0..3 {
            let now = round * 5_000;
            let canaries = all_asked(&mut pacer, now);
            assert_eq!(canaries.len(), 3, "{bad:?} in round {round}");
            for canary in canaries {
                assert_eq!(pacer.deadline(), None);
                pacer.outcome(Millis(now), canary, bad);
            }
            assert_eq!(pacer.deadline(), Some(Millis(now + 5_000)));
            assert_eq!(asked(&mut pacer, now + 4_999), None);
        }
        assert_eq!(all_asked(&mut pacer, 15_000), [9, 10, 11]);
        pacer.outcome(Millis(15_000), 10, Outcome::Answered);
        assert_eq!(all_asked(&mut pacer, 15_000), Vec::from_iter(12..20));
        assert_eq!(
            pacer.next_hop(0).unwrap().rate,
            1_000_000,
            "as at the start"
        );
    }
}

/// [PD-6] Or the queue is given back, and who comes later too, until nothing came for a while.
#[test]
fn bad_ones_then_stop() {
    let mut config = with_canaries(2, 1);
    config.bad_canaries = BadCanaries::Stop;
    (config.forget_after, config.bad_streak) = (1_000, 1);
    let mut pacer = pacer(config, 2);
    enqueue(&mut pacer, 0, 0..5, 0);
    enqueue(&mut pacer, 0, 5..8, 1);
    assert_eq!(all_asked(&mut pacer, 0), [0, 5, 1, 6]);
    pacer.outcome(Millis(10), 0, Outcome::Timeout);
    pacer.outcome(Millis(10), 1, Outcome::Refused);
    assert_eq!(caution(&pacer, 0), Caution::Stopped);
    assert_eq!(pacer.deadline(), Some(Millis(10)));
    assert_eq!(given_back(&mut pacer, 10, NotAsked::Canaries), [2, 3, 4]);
    enqueue(&mut pacer, 1_009, 2..3, 0);
    assert_eq!(given_back(&mut pacer, 1_009, NotAsked::Canaries), [2]);
    assert_eq!(pacer.progress().stopped, 4);
    pacer.outcome(Millis(1_009), 5, Outcome::Answered);
    assert_eq!(all_asked(&mut pacer, 1_009), [7], "the other goes on");
    enqueue(&mut pacer, 2_009, 2..3, 0);
    assert_eq!(asked(&mut pacer, 2_009), Some(2), "a canary again");
}

/// [PD-6] A canary that nobody waits for any more is replaced by another.
#[test]
fn an_abandoned_canary() {
    let mut pacer = pacer(with_canaries(1, 1), 1);
    enqueue(&mut pacer, 0, 0..5, 0);
    assert_eq!(all_asked(&mut pacer, 0), [0]);
    pacer.outcome(Millis(0), 0, Outcome::Abandoned);
    assert_eq!(all_asked(&mut pacer, 0), [1]);
    pacer.outcome(Millis(0), 1, Outcome::Answered);
    assert_eq!(all_asked(&mut pacer, 0), [2, 3, 4]);
}

/// [PD-6] So many bad ones in a row, and canaries go again; one that is answered in between begins the count anew,
/// and requests sent before do not count as canaries.
#[test]
fn a_bad_streak() {
    for bad in [Outcome::Refused, Outcome::Timeout, Outcome::Unreachable] {
        for canaries in [0, 1] {
            let mut config = with_canaries(canaries, 1);
            (config.bad_streak, config.hop_in_flight) = (3, 8);
            let mut pacer = pacer(config, 1);
            enqueue(&mut pacer, 0, 0..60, 0);
            let mut now = 0;
            if canaries > 0 {
                let canary = asked(&mut pacer, now).unwrap();
                pacer.outcome(Millis(now), canary, Outcome::Answered);
            }
            let out = all_asked(&mut pacer, now);
            assert_eq!(out.len(), 8);
            for (machine, outcome) in
                out[..6]
                    .iter()
                    .zip([bad, bad, Outcome::Answered, bad, bad, bad])
            {
                assert_eq!(caution(&pacer, 0), Caution::Open);
                pacer.outcome(Millis(now), *machine, outcome);
            }
            assert_eq!(caution(&pacer, 0), Caution::Canaries);
            pacer.outcome(Millis(now), out[6], bad);
            now += 10_000;
            assert_eq!(pacer.deadline(), Some(Millis(now)));
            let canary = all_asked(&mut pacer, now);
            assert_eq!(canary.len(), 1);
            pacer.outcome(Millis(now), out[7], Outcome::Answered);
            assert_eq!(caution(&pacer, 0), Caution::Canaries, "that was no canary");
            pacer.outcome(Millis(now), canary[0], Outcome::Answered);
            assert_eq!(caution(&pacer, 0), Caution::Open);
            assert_eq!(all_asked(&mut pacer, now).len(), 8);
        }
    }
}

/// [PD-6] A canary of an earlier round that comes back late opens nothing.
#[test]
fn a_late_canary() {
    let mut config = with_canaries(2, 1);
    config.bad_streak = 1;
    let mut pacer = pacer(config, 1);
    enqueue(&mut pacer, 0, 0..9, 0);
    assert_eq!(all_asked(&mut pacer, 0), [0, 1]);
    pacer.outcome(Millis(0), 0, Outcome::Answered);
    assert_eq!(asked(&mut pacer, 0), Some(2));
    pacer.outcome(Millis(0), 2, Outcome::Timeout);
    pacer.outcome(Millis(0), 1, Outcome::Answered);
    assert_eq!(caution(&pacer, 0), Caution::Canaries);
    assert_eq!(all_asked(&mut pacer, 10_000), [3, 4]);
}

/// [PD-12] What befell the canaries holds no rate down: it begins where it begins, and grows.
#[test]
fn nothing_of_the_rate() {
    let mut config = with_canaries(2, 1);
    (config.hop_start_rate, config.hop_max_rate, config.increase) = (10, 100, 10);
    let mut pacer = pacer(config, 1);
    enqueue(&mut pacer, 0, 0..20, 0);
    assert_eq!(all_asked(&mut pacer, 0), [0, 1]);
    pacer.outcome(Millis(0), 0, Outcome::Overloaded { retry_after: None });
    pacer.outcome(Millis(10), 1, Outcome::Answered);
    assert_eq!(pacer.next_hop(0).unwrap().rate, 10);
    let out = all_asked(&mut pacer, 10);
    for machine in &out[..4] {
        pacer.outcome(Millis(500), *machine, Outcome::Answered);
    }
    pacer.outcome(Millis(1_010), out[4], Outcome::Answered);
    assert_eq!(pacer.next_hop(0).unwrap().rate, 20);
}

/// [PD-6] What was learnt holds while there is work, and is forgotten a while after.
#[test]
fn forgetting() {
    let mut config = with_canaries(1, 1);
    config.forget_after = 1_000;
    let mut pacer = pacer(config, 1);
    enqueue(&mut pacer, 0, 0..1, 0);
    assert_eq!(asked(&mut pacer, 0), Some(0));
    pacer.outcome(Millis(5_000), 0, Outcome::Answered);
    enqueue(&mut pacer, 5_999, 1..2, 0);
    assert_eq!(caution(&pacer, 0), Caution::Open);
    assert_eq!(asked(&mut pacer, 5_999), Some(1));
    pacer.outcome(Millis(6_000), 1, Outcome::Answered);
    enqueue(&mut pacer, 7_000, 2..4, 0);
    assert_eq!(caution(&pacer, 0), Caution::Canaries);
    assert_eq!(all_asked(&mut pacer, 7_000), [2]);
}

/// [PD-6] [DR-10] Fewer canaries from now on: if those that are back were bad, others go; nothing gets stuck.
#[test]
fn fewer_canaries() {
    let mut config = with_canaries(3, 2);
    let mut pacer = pacer(config.clone(), 1);
    enqueue(&mut pacer, 0, 0..1, 0);
    assert_eq!(asked(&mut pacer, 0), Some(0));
    pacer.outcome(Millis(0), 0, Outcome::Refused);
    (config.canaries, config.good_canaries) = (1, 1);
    pacer.reconfigure(Millis(0), config).unwrap();
    enqueue(&mut pacer, 0, 1..2, 0);
    assert_eq!(pacer.deadline(), Some(Millis(10_000)));
}
