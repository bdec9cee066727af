//! Machines that come again, from elsewhere, or past the room there was; next hops that become others.

use ims_procedures::{
    drive::{Millis, Misuse},
    fleet::pacer::{BadCanaries, Caution, MAX_MACHINES, NotAsked, Outcome, Pacer, Turn},
};

use crate::support::{all_asked, asked, at_rate, enqueue, given_back, pacer, unpaced};

/// [PD-6] Those that come again have their turns first, in the order in which they came; so after a restart.
#[test]
fn first_in_their_order() {
    let mut pacer = pacer(at_rate(10), 1);
    enqueue(&mut pacer, 0, 0..4, 0);
    for machine in [9, 7, 8] {
        assert_eq!(pacer.enqueue_again(Millis(0), machine, 0), Ok(true));
        assert_eq!(pacer.enqueue_again(Millis(0), machine, 0), Ok(false));
        assert_eq!(pacer.enqueue(Millis(0), machine, 0), Ok(false));
        assert!(pacer.is_queued(machine) && !pacer.is_out(machine));
    }
    assert_eq!(pacer.next_hop(0).unwrap().queued, 7);
    assert!(pacer.cancel(7));
    let mut blob = Vec::new();
    pacer.save(Millis(0), &mut blob);
    let loaded = Pacer::load(&blob, Millis(0), at_rate(10), 100_000, 1).unwrap();
    for mut pacer in [pacer, loaded] {
        assert_eq!(pacer.least_time(), 600);
        let order: Vec<u32> = (0..6).filter_map(|n| asked(&mut pacer, n * 100)).collect();
        assert_eq!(order, [9, 8, 0, 1, 2, 3]);
        assert!(pacer.is_out(9) && !pacer.is_queued(9));
    }
}

/// [DR-7] A machine that is out already counts against the bounds and as a canary, uses up no turn, and needs its
/// outcome.
#[test]
fn adopted() {
    let mut config = at_rate(1);
    (config.hop_in_flight, config.canaries, config.good_canaries) = (2, 2, 1);
    let mut pacer = pacer(config, 1);
    assert_eq!(pacer.adopt(Millis(0), 5, 0), Ok(true));
    assert_eq!(pacer.adopt(Millis(0), 5, 0), Ok(false));
    assert_eq!(pacer.enqueue(Millis(0), 5, 0), Ok(false));
    assert!(pacer.is_out(5));
    enqueue(&mut pacer, 0, 0..3, 0);
    assert_eq!(
        all_asked(&mut pacer, 0),
        [0],
        "one canary more, and at once"
    );
    assert_eq!(all_asked(&mut pacer, 5_000), []);
    assert_eq!(pacer.next_hop(0).unwrap().caution, Caution::Canaries);
    assert!(pacer.outcome(Millis(5_000), 5, Outcome::Answered));
    assert_eq!(pacer.next_hop(0).unwrap().caution, Caution::Open);
    assert_eq!(all_asked(&mut pacer, 5_000), [1]);
    assert_eq!(pacer.progress().out, 2);
    assert_eq!(pacer.progress().asked, 2);
    assert_eq!(pacer.adopt(Millis(0), 100_000, 0), Err(Misuse::NodeFull));
    assert_eq!(pacer.adopt(Millis(0), 6, 1), Err(Misuse::NoSuchThing));
}

/// [DR-5] Room is made for more machines, and never for fewer; what is queued stays.
#[test]
fn more_room() {
    let mut pacer = Pacer::new(unpaced(), 2, 1).unwrap();
    enqueue(&mut pacer, 0, 0..2, 0);
    assert_eq!(pacer.enqueue(Millis(0), 2, 0), Err(Misuse::NodeFull));
    pacer.make_room(5).unwrap();
    pacer.make_room(3).unwrap();
    assert_eq!(pacer.machines(), 5);
    enqueue(&mut pacer, 0, 2..5, 0);
    assert_eq!(pacer.enqueue(Millis(0), 5, 0), Err(Misuse::NodeFull));
    assert_eq!(all_asked(&mut pacer, 0), [0, 1, 2, 3, 4]);
    let refused = pacer.make_room(MAX_MACHINES + 1).unwrap_err();
    assert_eq!((refused.field, pacer.machines()), ("machines", 5));
}

/// [PD-6] A next hop that is forgotten is another: what held it off, slowed it or stopped it no longer does. One with
/// something queued or out is not forgotten.
#[test]
fn forgotten() {
    let mut config = unpaced();
    (config.canaries, config.good_canaries) = (1, 1);
    config.bad_canaries = BadCanaries::Stop;
    let mut pacer = pacer(config, 1);
    enqueue(&mut pacer, 0, 0..2, 0);
    assert!(!pacer.forget(Millis(0), 0), "queued");
    assert_eq!(asked(&mut pacer, 0), Some(0));
    assert!(pacer.cancel(1) && !pacer.forget(Millis(0), 0), "out");
    let busy = Outcome::Overloaded {
        retry_after: Some(100),
    };
    pacer.outcome(Millis(0), 0, busy);
    assert_eq!(pacer.next_hop(0).unwrap().caution, Caution::Stopped);
    assert!(pacer.forget(Millis(10), 0));
    assert!(!pacer.forget(Millis(10), 1), "no such next hop");
    enqueue(&mut pacer, 10, 0..2, 0);
    assert_eq!(asked(&mut pacer, 10), Some(0));
}

/// [PD-6] So many rounds of bad canaries are enough, one after the other, and then the queue is given back; after a
/// while without any, it begins anew. Restarts do not begin anew.
#[test]
fn enough_rounds() {
    let mut config = unpaced();
    (config.canaries, config.good_canaries, config.bad_rounds) = (2, 1, 3);
    (config.canary_pause, config.forget_after) = (1_000, 5_000);
    let mut pacer = pacer(config.clone(), 1);
    enqueue(&mut pacer, 0, 0..20, 0);
    let round = |pacer: &mut Pacer, now, outcome| {
        let canaries = all_asked(pacer, now);
        for machine in &canaries {
            pacer.outcome(Millis(now), *machine, outcome);
        }
        canaries.len()
    };
    assert_eq!(round(&mut pacer, 0, Outcome::Timeout), 2);
    assert_eq!(round(&mut pacer, 1_000, Outcome::Refused), 2);
    assert_eq!(
        round(&mut pacer, 2_000, Outcome::Answered),
        2,
        "not one after the other"
    );
    let rest = round(&mut pacer, 2_000, Outcome::Refused);
    assert_eq!(rest, 14);
    enqueue(&mut pacer, 100_000, 0..20, 0);
    for now in [100_000, 101_000] {
        assert_eq!(round(&mut pacer, now, Outcome::Refused), 2);
        let mut blob = Vec::new();
        pacer.save(Millis(now), &mut blob);
        pacer = Pacer::load(&blob, Millis(now), config.clone(), 100_000, 1).unwrap();
    }
    assert_eq!(round(&mut pacer, 102_000, Outcome::Refused), 2);
    assert_eq!(pacer.deadline(), Some(Millis(102_000)));
    let back = given_back(&mut pacer, 102_000, NotAsked::Canaries);
    assert_eq!(back, Vec::from_iter(6..20));
    enqueue(&mut pacer, 106_000, 0..1, 0);
    let turn = pacer.next(Millis(106_000));
    assert!(matches!(turn, Some(Turn::NotAsked { .. })), "for a while");
    enqueue(&mut pacer, 111_000, 0..1, 0);
    assert_eq!(asked(&mut pacer, 111_000), Some(0));
}

/// [PD-2] What more would take, before it is queued.
#[test]
fn time_for_more() {
    let mut config = at_rate(100);
    (config.hop_start_rate, config.hop_max_rate) = (10, 10);
    let mut pacer = pacer(config, 3);
    assert_eq!(pacer.least_time_with(&[]), 0);
    assert_eq!(pacer.least_time_with(&[5, 3]), 500);
    assert_eq!(pacer.least_time_with(&[1, 1, 1]), 100);
    enqueue(&mut pacer, 0, 0..7, 1);
    assert_eq!(pacer.least_time_with(&[5, 3]), 1_000);
    assert_eq!(
        pacer.least_time_with(&[0, 0, 0, 1_000]),
        700,
        "no such next hop"
    );
}
