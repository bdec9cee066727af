//! Exact rates, whatever the host's clock does.

use ims_procedures::{
    drive::Millis,
    fleet::pacer::{Outcome, Pacer, Turn},
};

use crate::support::{all_asked, asked, at_rate, enqueue, keeps_rate, pacer, unpaced};

/// [PD-2] [PD-12] Seven a second are seven in each second, asked every millisecond or only when it is due.
#[test]
fn a_rate_is_exact() {
    for rate in [1, 3, 7, 13, 999, 1_000, 1_001, 2_500] {
        for by_deadline in [false, true] {
            let mut pacer = pacer(at_rate(rate), 1);
            let seconds = 20;
            enqueue(&mut pacer, 0, 0..rate * (seconds + 1), 0);
            let mut counts = vec![0; seconds as usize];
            let mut now = 0;
            while let Some(count) = counts.get_mut(now as usize / 1_000) {
                *count += all_asked(&mut pacer, now).len() as u32;
                now = match by_deadline {
                    false => now + 1,
                    true => pacer.deadline().unwrap().0,
                };
            }
            assert!(
                counts.iter().all(|count| *count == rate),
                "{rate}: {counts:?}"
            );
        }
    }
}

/// [PD-2] So it is with the rate of a next hop.
#[test]
fn a_next_hops_rate_is_exact() {
    let mut config = unpaced();
    (config.burst, config.hop_start_rate, config.hop_max_rate) = (1, 7, 7);
    let mut pacer = pacer(config, 1);
    enqueue(&mut pacer, 0, 0..200, 0);
    for second in 0..20 {
        let count: usize = (0..1_000)
            .map(|ms| all_asked(&mut pacer, second * 1_000 + ms).len())
            .sum();
        assert_eq!(count, 7, "in second {second}");
    }
}

/// [PD-2] A host that looks every 10 ms loses nothing, if the burst covers it, and what a burst does not cover is
/// lost.
#[test]
fn a_burst_makes_up_for_sleep() {
    for (burst, count) in [(10, 10), (5, 5), (1, 1)] {
        let mut config = at_rate(1_000);
        config.burst = burst;
        let mut pacer = pacer(config, 1);
        enqueue(&mut pacer, 0, 0..1_000, 0);
        for now in (0..500).step_by(10) {
            // What a millisecond brought beyond a request is kept, up to almost one.
            let asked = all_asked(&mut pacer, now).len();
            assert!(
                (count..=count + 1).contains(&asked),
                "{asked} of {burst} at {now}"
            );
        }
    }
}

/// [DR-6] Time that stands still gives a burst and no more; a jump ahead gives no more than a burst; time that
/// goes backwards stands still, is counted, and loses no turn.
#[test]
fn time_stands_jumps_and_goes_backwards() {
    let mut config = at_rate(10);
    config.burst = 4;
    let mut pacer = pacer(config, 1);
    enqueue(&mut pacer, 0, 0..1_000, 0);
    assert_eq!(all_asked(&mut pacer, 5_000).len(), 4);
    assert_eq!(all_asked(&mut pacer, 5_000).len(), 0);
    assert_eq!(all_asked(&mut pacer, 9_000_000).len(), 4);
    assert_eq!(pacer.backwards(), 0);
    for now in [0, 8_999_999, 5_000] {
        assert_eq!(asked(&mut pacer, now), None);
    }
    assert_eq!(pacer.backwards(), 3);
    assert_eq!(pacer.deadline(), Some(Millis(9_000_100)));
    assert_eq!(asked(&mut pacer, 9_000_099), None);
    assert!(asked(&mut pacer, 9_000_100).is_some());
    assert_eq!(all_asked(&mut pacer, u64::MAX).len(), 4);
    assert_eq!(asked(&mut pacer, u64::MAX), None);
}

/// [DR-6] Calls before the deadline change nothing, however many.
#[test]
fn early_calls_change_nothing() {
    let mut times = Vec::new();
    for early in [false, true] {
        let mut pacer = pacer(at_rate(7), 1);
        enqueue(&mut pacer, 0, 0..50, 0);
        let mut at = Vec::new();
        while let Some(due) = pacer.deadline() {
            if early {
                for now in due.0.saturating_sub(40)..due.0 {
                    assert_eq!(asked(&mut pacer, now), None);
                    assert_eq!(pacer.deadline(), Some(due));
                }
            }
            let machine = asked(&mut pacer, due.0).unwrap();
            pacer.outcome(due, machine, Outcome::Answered);
            at.push((due.0, machine));
        }
        assert_eq!(at.len(), 50);
        times.push(at);
    }
    assert_eq!(times[0], times[1]);
    let at: Vec<_> = times[0].iter().map(|(at, _)| *at).collect();
    keeps_rate(&at, 7, 1).unwrap();
}

/// [PD-12] A rate that changes holds from then on: what came in before came in at the old one.
#[test]
fn a_rate_changes_in_the_middle() {
    let mut config = unpaced();
    (config.burst, config.decrease_to) = (1, 50);
    (config.hop_start_rate, config.hop_max_rate) = (10, 10);
    let mut pacer = pacer(config, 1);
    enqueue(&mut pacer, 0, 0..10, 0);
    assert_eq!(all_asked(&mut pacer, 0), [0]);
    assert_eq!(pacer.deadline(), Some(Millis(100)));
    pacer.outcome(Millis(50), 0, Outcome::Timeout);
    assert_eq!(pacer.next_hop(0).unwrap().rate, 5);
    assert_eq!(
        pacer.deadline(),
        Some(Millis(149)),
        "half of it at 5 a second"
    );
}

/// [PD-2, DR-7] Requests that leave some time after their turns keep the rates as they leave, however long each is
/// withheld; and a burst that covers that time loses nothing.
#[test]
fn withheld_until_later() {
    type Delay = fn(u64) -> u64;
    let delays: [(Delay, u32); 4] = [
        (|now| now, 1),
        (|now| now + 9, 1),
        (|now| now + (now * 7_919) % 40, 4),
        // All at once, after a second and a half.
        (|now| now.next_multiple_of(1_500), 6),
    ];
    for (rates, (delay, burst)) in [(50, 1_000), (1_000, 50), (50, 50)]
        .into_iter()
        .flat_map(|rates| delays.map(|delay| (rates, delay)))
    {
        let mut config = at_rate(rates.0);
        (config.burst, config.hop_start_rate, config.hop_max_rate) = (burst, rates.1, rates.1);
        let mut pacer = pacer(config, 1);
        enqueue(&mut pacer, 0, 0..3_000, 0);
        let (mut withheld, mut left) = (Vec::new(), Vec::new());
        for now in 0..10_000 {
            while let Some(Turn::Ask { machine }) = pacer.next_withheld(Millis(now)) {
                withheld.push((delay(now), machine));
            }
            assert!(withheld.len() <= burst as usize);
            withheld.retain(|&(at, machine)| {
                if at <= now {
                    assert!(pacer.left(Millis(now), machine));
                    assert!(!pacer.left(Millis(now), machine), "once");
                    left.push(now);
                }
                at > now
            });
            assert!(pacer.deadline().is_some() || !withheld.is_empty());
        }
        keeps_rate(&left, 50, burst).unwrap();
        let least = match burst {
            1 => 10_000 / 30,
            4 => 480,
            _ => 30,
        };
        assert!(left.len() >= least, "{} of {least}", left.len());
    }
}

/// [PD-2, DR-7] What is withheld leaves with its outcome at the latest, and at a restart.
#[test]
fn withheld_for_nothing() {
    let mut pacer = pacer(at_rate(10), 1);
    enqueue(&mut pacer, 0, 0..10, 0);
    let machine = match pacer.next_withheld(Millis(0)) {
        Some(Turn::Ask { machine }) => machine,
        other => panic!("{other:?}"),
    };
    assert_eq!(pacer.next_withheld(Millis(500)), None);
    assert_eq!(pacer.deadline(), None, "not before it has left");
    let mut blob = Vec::new();
    pacer.save(Millis(500), &mut blob);
    pacer.outcome(Millis(500), machine, Outcome::Abandoned);
    assert_eq!(pacer.deadline(), Some(Millis(600)));
    let restored = Pacer::load(&blob, Millis(0), at_rate(10), 10, 1).unwrap();
    assert!(
        restored
            .deadline()
            .is_some_and(|at| (90..=100).contains(&at.0))
    );
}
