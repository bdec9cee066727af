//! Bounds at the bound and one past it; configurations that cannot work.

use ims_procedures::{
    drive::{ConfigError, Limits, Millis, Misuse},
    fleet::pacer::{Config, MAX_MACHINES, MAX_NEXT_HOPS, NotAsked, Outcome, Pacer, Turn},
};

use crate::support::{all_asked, asked, enqueue, given_back, pacer, unpaced};

/// [DR-5] Machines and next hops up to the number given; one past it is refused, and changes nothing.
#[test]
fn capacity() {
    let mut pacer = Pacer::new(unpaced(), 3, 2).unwrap();
    let now = Millis(0);
    assert_eq!(pacer.enqueue(now, 2, 1), Ok(true));
    assert_eq!(pacer.enqueue(now, 3, 1), Err(Misuse::NodeFull));
    assert_eq!(pacer.enqueue(now, 1, 2), Err(Misuse::NoSuchThing));
    assert_eq!(pacer.enqueue(now, 1, 65_537), Err(Misuse::NoSuchThing));
    assert_eq!(pacer.progress().queued, 1);
    assert!(pacer.next_hop(1).is_some() && pacer.next_hop(2).is_none());
    assert!(!pacer.cancel(3) && !pacer.outcome(now, 3, Outcome::Answered));
    assert_eq!(all_asked(&mut pacer, 0), [2]);

    let made = |machines, next_hops| Pacer::new(Config::default(), machines, next_hops).map(drop);
    let refused = |field, what| Err(ConfigError { field, what });
    let machines = refused("machines", "not between 1 and 16,777,215");
    let next_hops = refused("next_hops", "not between 1 and 65,535");
    assert_eq!(made(0, 1), machines);
    assert_eq!(made(MAX_MACHINES, 1), Ok(()));
    assert_eq!(made(MAX_MACHINES + 1, 1), machines);
    assert_eq!(made(1, 0), next_hops);
    assert_eq!(made(1, MAX_NEXT_HOPS), Ok(()));
    assert_eq!(made(1, MAX_NEXT_HOPS + 1), next_hops);
    assert!(Limits::default().users <= MAX_MACHINES as usize);
}

/// [DR-5] [PD-2] So many are out at once, overall and per next hop, and not one more.
#[test]
fn in_flight() {
    let mut config = unpaced();
    (config.in_flight, config.hop_in_flight) = (5, 3);
    let mut pacer = pacer(config, 2);
    enqueue(&mut pacer, 0, 0..10, 0);
    assert_eq!(all_asked(&mut pacer, 0), [0, 1, 2]);
    assert_eq!(pacer.deadline(), None, "only an outcome helps");
    enqueue(&mut pacer, 0, 10..20, 1);
    assert_eq!(all_asked(&mut pacer, 0), [10, 11]);
    assert_eq!(pacer.deadline(), None);
    pacer.outcome(Millis(7), 1, Outcome::Abandoned);
    assert_eq!(pacer.deadline(), Some(Millis(7)));
    assert_eq!(asked(&mut pacer, 7), Some(12), "next hop 1 was next");
    pacer.outcome(Millis(8), 12, Outcome::Answered);
    assert_eq!(asked(&mut pacer, 8), Some(3));
    assert_eq!(asked(&mut pacer, 8), None);
}

/// [DR-5] A machine stands here once: queued or out, it is not queued again.
#[test]
fn once() {
    let mut pacer = pacer(unpaced(), 2);
    enqueue(&mut pacer, 0, 0..1, 0);
    assert_eq!(pacer.enqueue(Millis(0), 0, 1), Ok(false));
    assert_eq!(asked(&mut pacer, 0), Some(0));
    assert_eq!(pacer.enqueue(Millis(0), 0, 1), Ok(false));
    assert!(pacer.outcome(Millis(0), 0, Outcome::Timeout));
    assert!(!pacer.outcome(Millis(0), 0, Outcome::Timeout));
    assert_eq!(pacer.progress().stale_outcomes, 1);
    assert_eq!(
        pacer.enqueue(Millis(0), 0, 1),
        Ok(true),
        "a retry elsewhere"
    );
}

/// [PD-9] Who is cancelled is not asked; who is out cannot be, and who was never queued neither.
#[test]
fn cancelling() {
    let mut pacer = pacer(unpaced(), 1);
    enqueue(&mut pacer, 0, 0..6, 0);
    assert_eq!(asked(&mut pacer, 0), Some(0));
    for (machine, is_cancelled) in [
        (0, false),
        (1, true),
        (1, false),
        (3, true),
        (5, true),
        (9, false),
    ] {
        assert_eq!(pacer.cancel(machine), is_cancelled, "{machine}");
    }
    assert_eq!(pacer.progress().cancelled, 3);
    assert_eq!(all_asked(&mut pacer, 0), [2, 4]);
    assert!(!pacer.cancel(2));
    assert_eq!((pacer.progress().queued, pacer.progress().out), (0, 3));
    assert_eq!(pacer.deadline(), None);
}

/// [PD-2] Who has not been asked by the deadline is given back, one a call, and who comes later too; who is out
/// stays out. Lifted, the deadline binds nobody.
#[test]
fn past_the_deadline() {
    let mut config = unpaced();
    config.hop_in_flight = 2;
    let mut pacer = pacer(config, 3);
    enqueue(&mut pacer, 0, 0..5, 0);
    enqueue(&mut pacer, 0, 5..9, 1);
    pacer.set_deadline(Some(Millis(1_000)));
    assert_eq!(all_asked(&mut pacer, 0), [0, 5, 1, 6]);
    assert_eq!(pacer.deadline(), Some(Millis(1_000)));
    assert_eq!(asked(&mut pacer, 999), None);
    enqueue(&mut pacer, 999, 9..11, 2);
    pacer.outcome(Millis(1_000), 0, Outcome::Answered);
    let Some(Turn::NotAsked { machine, .. }) = pacer.next(Millis(1_000)) else {
        panic!("the deadline has passed");
    };
    let mut machines = given_back(&mut pacer, 500, NotAsked::Deadline);
    machines.push(machine);
    machines.sort_unstable();
    assert_eq!(machines, [2, 3, 4, 7, 8, 9, 10]);
    let progress = pacer.progress();
    assert_eq!(
        (progress.queued, progress.out, progress.past_deadline),
        (0, 3, 7)
    );
    assert_eq!(pacer.deadline(), None);
    enqueue(&mut pacer, 2_000, 2..3, 2);
    assert_eq!(pacer.deadline(), Some(Millis(2_000)));
    assert_eq!(given_back(&mut pacer, 2_000, NotAsked::Deadline), [2]);
    pacer.set_deadline(None);
    enqueue(&mut pacer, 2_000, 2..3, 2);
    assert_eq!(asked(&mut pacer, 2_000), Some(2));
}

type Set = fn(&mut Config, u64);

/// [DR-5] Each value at its bounds is taken, and one past them refused under its name.
#[test]
fn configurations() {
    let cases: [(&str, Set, u64, u64); 16] = [
        ("rate", |c, v| c.rate = v as u32, 1, 1_000_000),
        ("burst", |c, v| c.burst = v as u32, 1, 10_000),
        (
            "in_flight",
            |c, v| (c.in_flight, c.hop_in_flight) = (v as u32, 1),
            1,
            1 << 20,
        ),
        ("hop_in_flight", |c, v| c.hop_in_flight = v as u32, 1, 2_048),
        (
            "hop_start_rate",
            |c, v| (c.hop_start_rate, c.hop_min_rate) = (v as u32, 5),
            5,
            1_000,
        ),
        (
            "hop_min_rate",
            |c, v| (c.hop_start_rate, c.hop_min_rate) = (1_000, v as u32),
            1,
            1_000,
        ),
        (
            "hop_max_rate",
            |c, v| (c.hop_start_rate, c.hop_max_rate) = (1, v as u32),
            1,
            1_000_000,
        ),
        ("increase", |c, v| c.increase = v as u32, 0, 1_000_000),
        (
            "increase_interval",
            |c, v| c.increase_interval = v,
            10,
            3_600_000,
        ),
        ("decrease_to", |c, v| c.decrease_to = v as u32, 1, 99),
        (
            "decrease_interval",
            |c, v| c.decrease_interval = v,
            0,
            3_600_000,
        ),
        (
            "retry_after_limit",
            |c, v| c.retry_after_limit = v as u32,
            0,
            86_400,
        ),
        ("canaries", |c, v| c.canaries = v as u16, 0, 64),
        ("good_canaries", |c, v| c.good_canaries = v as u16, 1, 3),
        ("canary_pause", |c, v| c.canary_pause = v, 1, 3_600_000),
        ("forget_after", |c, v| c.forget_after = v, 0, 86_400_000),
    ];
    for (field, set, least, most) in cases {
        let check = |value| {
            let mut config = Config::default();
            set(&mut config, value);
            let made = Pacer::new(config.clone(), 1, 1).map(drop);
            let mut running = Pacer::new(Config::default(), 1, 1).unwrap();
            assert_eq!(running.reconfigure(Millis(0), config), made);
            made.map_err(|fault| fault.field)
        };
        assert_eq!(check(least), Ok(()), "{field}");
        assert_eq!(check(most), Ok(()), "{field}");
        assert_eq!(check(most + 1), Err(field));
        if let Some(below) = least.checked_sub(1) {
            assert_eq!(check(below), Err(field));
        }
    }
    let mut config = Config::default();
    (config.canaries, config.good_canaries) = (0, 0);
    assert_eq!(config.check(), Ok(()), "nothing is asked of no canaries");
}

/// [DR-5] Each number has the default that its documentation names.
#[test]
fn defaults() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/fleet/pacer/config.rs");
    let source = std::fs::read_to_string(file).unwrap();
    let fields = source.split("pub struct Config {").nth(1).unwrap();
    let shown = format!("{:?},", Config::default()).replace(" }", ",");
    let (mut doc, mut count) = (String::new(), 0);
    let lines = fields.lines().map(str::trim).skip(1);
    for line in lines.take_while(|line| *line != "}") {
        if let Some(text) = line.strip_prefix("///") {
            doc.push_str(text);
            continue;
        }
        let name = line
            .strip_prefix("pub ")
            .and_then(|line| line.split(':').next())
            .unwrap();
        let named = doc.split("Default ").nth(1).expect(name);
        let digits = named
            .chars()
            .take_while(|c| c.is_ascii_digit() || *c == ',');
        let digits: String = digits.filter(|c| *c != ',').collect();
        if !digits.is_empty() {
            assert!(shown.contains(&format!(" {name}: {digits},")), "{name}");
            count += 1;
        }
        doc.clear();
    }
    assert_eq!(count, 18, "{shown}");
}

/// [DR-10] A configuration replaced in the middle holds from then on: rates, bounds, canaries; one that cannot
/// work changes nothing.
#[test]
fn reconfiguring() {
    let mut config = unpaced();
    (config.rate, config.burst, config.hop_in_flight) = (10, 1, 4);
    let mut pacer = pacer(config.clone(), 2);
    enqueue(&mut pacer, 0, 0..20, 0);
    assert_eq!(asked(&mut pacer, 0), Some(0));
    assert_eq!(pacer.deadline(), Some(Millis(100)));
    config.rate = 1_000;
    pacer.reconfigure(Millis(50), config.clone()).unwrap();
    assert_eq!(pacer.deadline(), Some(Millis(51)), "half was there already");
    config.hop_in_flight = 1;
    pacer.reconfigure(Millis(60), config.clone()).unwrap();
    assert_eq!(pacer.deadline(), None);
    config.hop_in_flight = 0;
    assert_eq!(
        pacer
            .reconfigure(Millis(60), config.clone())
            .unwrap_err()
            .field,
        "hop_in_flight"
    );
    (config.hop_in_flight, config.canaries) = (4, 1);
    (config.hop_start_rate, config.hop_max_rate) = (20, 20);
    pacer.reconfigure(Millis(60), config).unwrap();
    assert_eq!(pacer.next_hop(0).unwrap().rate, 20, "within the new bounds");
    enqueue(&mut pacer, 60, 20..22, 1);
    assert_eq!(all_asked(&mut pacer, 60), [1]);
    assert_eq!(
        all_asked(&mut pacer, 61),
        [20],
        "the canary of the one not asked yet"
    );
    assert_eq!(all_asked(&mut pacer, 62), []);
}

/// [DR-9] `Debug` shows how far it is, and nobody's number.
#[test]
fn debug() {
    let mut pacer = pacer(unpaced(), 1);
    enqueue(&mut pacer, 0, 98_765..98_766, 0);
    let shown = format!("{pacer:?}");
    assert!(
        shown.contains("queued: 1") && !shown.contains("98765"),
        "{shown}"
    );
}
