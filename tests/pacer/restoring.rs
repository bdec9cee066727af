//! A pacer in a blob.

use ims_procedures::{
    drive::{Millis, RestoreError},
    fleet::pacer::{Caution, Config, Outcome, Pacer},
};
use proptest::prelude::*;

use crate::{
    properties::{Books, MACHINES, NEXT_HOPS, Op, config, op},
    support::{all_asked, enqueue, unpaced},
};

fn saved(pacer: &Pacer, now: u64) -> Vec<u8> {
    let mut blob = Vec::new();
    pacer.save(Millis(now), &mut blob);
    blob
}

fn load(blob: &[u8], now: u64, config: &Config) -> Result<Pacer, RestoreError> {
    Pacer::load(blob, Millis(now), config.clone(), MACHINES, NEXT_HOPS)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..Default::default() })]

    /// [DR-7] [PD-2] Saved at any point and restored at another epoch, and again after every event, it gives the
    /// same turns at the same instants, whatever happens; and the blob of the restored one is the same.
    #[test]
    fn the_same_future(
        config in config(),
        before in proptest::collection::vec(op(), 0..120),
        after in proptest::collection::vec(op(), 1..120),
        epoch in prop_oneof![Just(0), 1..1_000_000_000_u64],
    ) {
        let mut pacer = Pacer::new(config.clone(), MACHINES, NEXT_HOPS).unwrap();
        let mut books = Books::default();
        for op in before {
            books.step(&mut pacer, &config, op);
        }
        books.step(&mut pacer, &config, Op::Next);
        let blob = saved(&pacer, books.now);
        let mut restored = load(&blob, epoch, &config).unwrap();
        prop_assert!(saved(&restored, epoch) == blob);
        prop_assert_eq!(restored.progress(), pacer.progress());

        let moved = |at: u64| (at + epoch).saturating_sub(books.now);
        let mut others = Books {
            now: epoch,
            deadline: books.deadline.map(moved),
            held_until: books.held_until.map(moved),
            ..books.clone()
        };
        let start = books.now;
        for op in after {
            // Whatever has come due is looked at: only the order of what was not may be another.
            for op in [op, Op::Next] {
                let turn = books.step(&mut pacer, &config, op);
                prop_assert_eq!(others.step(&mut restored, &config, op), turn);
                prop_assert_eq!(others.now - epoch, books.now - start);
            }
            restored = load(&saved(&restored, others.now), others.now, &config).unwrap();
        }
        prop_assert_eq!(restored.progress(), pacer.progress());
        for next_hop in 0..NEXT_HOPS {
            let (one, other) = (pacer.next_hop(next_hop), restored.next_hop(next_hop));
            prop_assert_eq!(one.map(|hop| (hop.rate, hop.caution)), other.map(|hop| (hop.rate, hop.caution)));
        }
    }
}

/// [DR-7] [PD-2] After a restart in the middle, what was out counts against the bounds until its outcome is told,
/// and the tally goes on.
#[test]
fn in_the_middle() {
    let mut config = unpaced();
    (config.hop_in_flight, config.canaries) = (3, 1);
    let mut pacer = Pacer::new(config.clone(), MACHINES, NEXT_HOPS).unwrap();
    enqueue(&mut pacer, 0, 0..8, 1);
    pacer.set_deadline(Some(Millis(60_000)));
    assert_eq!(all_asked(&mut pacer, 0), [0]);
    pacer.outcome(Millis(5), 0, Outcome::Answered);
    assert_eq!(all_asked(&mut pacer, 5), [1, 2, 3]);
    let mut restored = load(&saved(&pacer, 10_000), 500, &config).unwrap();
    let hop = restored.next_hop(1).unwrap();
    assert_eq!((hop.queued, hop.out, hop.caution), (4, 3, Caution::Open));
    assert_eq!(
        restored.deadline(),
        Some(Millis(50_500)),
        "what was left of the deadline"
    );
    assert_eq!(all_asked(&mut restored, 500), []);
    assert_eq!(restored.enqueue(Millis(500), 2, 1), Ok(false), "it is out");
    assert!(restored.outcome(Millis(600), 2, Outcome::Answered));
    assert_eq!(all_asked(&mut restored, 600), [4]);
    let progress = restored.progress();
    assert_eq!((progress.asked, progress.answered, progress.out), (5, 2, 3));
}

/// [DR-7] [PD-12] What was felt of a neighbour's load is felt across a restart: what of an interval was answered,
/// and whether it was without trouble.
#[test]
fn within_an_interval() {
    let mut config = unpaced();
    (config.hop_start_rate, config.hop_max_rate, config.increase) = (10, 100, 10);
    (config.hop_min_rate, config.decrease_to) = (1, 10);
    let mut pacer = Pacer::new(config.clone(), MACHINES, NEXT_HOPS).unwrap();
    enqueue(&mut pacer, 10_000, 0..12, 0);
    let mut out = all_asked(&mut pacer, 10_000).into_iter();
    let busy = Outcome::Overloaded { retry_after: None };
    for (now, outcome, rate) in [
        (10_100, Outcome::Answered, 10),
        (10_200, Outcome::Answered, 10),
        (10_300, Outcome::Answered, 10),
        (10_400, Outcome::Answered, 10),
        (11_000, Outcome::Answered, 20),
        (11_100, busy, 2),
        (11_200, busy, 2),
        (12_000, Outcome::Answered, 2),
        (12_500, Outcome::Answered, 2),
        (13_000, Outcome::Answered, 12),
    ] {
        pacer.outcome(Millis(now), out.next().unwrap(), outcome);
        assert_eq!(pacer.next_hop(0).unwrap().rate, rate, "at {now}");
        pacer = load(&saved(&pacer, now), now, &config).unwrap();
    }
}

/// [DR-7] [DR-10] Under another configuration: rates come within its bounds, canaries that are back are judged by
/// it, and who is out beyond them stays out.
#[test]
fn under_another_configuration() {
    let mut config = unpaced();
    (config.canaries, config.good_canaries) = (3, 2);
    let mut pacer = Pacer::new(config.clone(), MACHINES, NEXT_HOPS).unwrap();
    enqueue(&mut pacer, 0, 0..8, 0);
    assert_eq!(all_asked(&mut pacer, 0), [0, 1, 2]);
    pacer.outcome(Millis(0), 1, Outcome::Answered);
    let blob = saved(&pacer, 0);
    (config.good_canaries, config.hop_in_flight) = (1, 1);
    (config.hop_max_rate, config.hop_start_rate) = (50, 40);
    let mut restored = load(&blob, 0, &config).unwrap();
    let hop = restored.next_hop(0).unwrap();
    assert_eq!((hop.caution, hop.rate, hop.out), (Caution::Open, 40, 2));
    assert_eq!(all_asked(&mut restored, 9), []);
    restored.outcome(Millis(9), 0, Outcome::Answered);
    restored.outcome(Millis(9), 2, Outcome::Answered);
    assert_eq!(all_asked(&mut restored, 99), [3]);
}

/// [DR-7] What is no blob of a pacer is not restored, nor one that is too large or has no configuration that works.
#[test]
fn other_blobs() {
    let mut pacer = Pacer::new(unpaced(), MACHINES, NEXT_HOPS).unwrap();
    enqueue(&mut pacer, 0, 0..3, 0);
    enqueue(&mut pacer, 0, 11..12, 2);
    assert_eq!(all_asked(&mut pacer, 0).len(), 4);
    enqueue(&mut pacer, 0, 5..7, 1);
    let blob = saved(&pacer, 0);
    let refused = |blob: &[u8]| load(blob, 0, &unpaced()).map(drop).unwrap_err();
    assert_eq!(refused(b""), RestoreError::NotASnapshot);
    for at in 0..blob.len() {
        let mut altered = blob.clone();
        altered[at] ^= 0x40;
        refused(&altered);
        refused(&blob[..at]);
    }
    let smaller = |machines, next_hops| {
        Pacer::load(&blob, Millis(0), unpaced(), machines, next_hops).map(drop)
    };
    assert_eq!(smaller(12, 3), Ok(()));
    assert_eq!(smaller(11, 3), Err(RestoreError::TooLarge));
    assert_eq!(smaller(12, 2), Err(RestoreError::TooLarge));
    let mut config = unpaced();
    config.rate = 0;
    assert!(
        matches!(load(&blob, 0, &config), Err(RestoreError::Config(fault)) if fault.field == "rate")
    );
}
