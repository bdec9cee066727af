//! A crash at every step of the first scenario.

use proptest::prelude::*;

use crate::world::{Ending, Plan, first_light};

fn check(ending: &Ending, plan: Plan) {
    let said = format!("{plan:?}: {ending:#?}");
    assert_eq!(ending.registrations, 0, "{said}");
    assert_eq!(ending.sets, 0, "{said}");
    assert!(ending.stores_are_empty, "{said}");
    assert_eq!(ending.records, [0, 0], "{said}");
    for outcomes in &ending.outcomes {
        assert!(!outcomes.is_empty(), "{said}");
        assert!(outcomes.iter().all(|one| *one == outcomes[0]), "{said}");
    }
    for (outcomes, audits) in ending.outcomes.iter().zip(&ending.audits) {
        assert!(!audits.is_empty(), "{said}");
        let (id, _) = outcomes[0].split_once(' ').unwrap();
        assert!(audits[0].starts_with(id), "{said}");
        assert!(audits.iter().all(|one| *one == audits[0]), "{said}");
    }
}

/// [DR-7] Without a crash everything happens once, whatever the stores take for it.
#[test]
fn without_a_crash() {
    for delay in [0, 30, 1_900] {
        let plan = Plan {
            delay,
            ..Plan::default()
        };
        let ending = first_light(plan);
        check(&ending, plan);
        assert_eq!(ending.outcomes.each_ref().map(Vec::len), [1, 1]);
        assert_eq!(ending.audits.each_ref().map(Vec::len), [1, 1]);
        for counters in ending.counters {
            assert_eq!(counters.conflicts + counters.failed, 0);
            assert_eq!(counters.erased, 1);
        }
        assert!(ending.largest_blob < 3_000, "{}", ending.largest_blob);
    }
}

/// [DR-7, DR-8] Whichever of the two crashes, and before whichever of its outputs, what it reads again from the
/// store being the latest or what stood there before: nobody stays registered, no identifier is used twice, and an
/// outcome that is reported again is the same, as is its record (DR-9).
#[test]
fn at_every_step() {
    let mut crashes = 0;
    for (delay, stale) in [(0, false), (0, true), (30, false), (30, true)] {
        let plan = Plan {
            delay,
            stale,
            ..Plan::default()
        };
        let done = first_light(plan).done;
        for (side, outputs) in done.into_iter().enumerate() {
            assert!(outputs > 15, "{outputs}");
            for output in 0..outputs {
                let plan = Plan {
                    crash: Some((side, output)),
                    ..plan
                };
                check(&first_light(plan), plan);
                crashes += 1;
            }
        }
    }
    assert!(crashes > 120, "{crashes}");
}

/// [DR-7] A store that fails now and then delays, and changes nothing.
#[test]
fn failing_now_and_then() {
    for every in 2..7 {
        let plan = Plan {
            failing: Some(every),
            ..Plan::default()
        };
        let ending = first_light(plan);
        check(&ending, plan);
        assert_eq!(ending.outcomes.each_ref().map(Vec::len), [1, 1]);
        assert!(ending.counters[0].failed > 0);
    }
}

/// [DR-7] A store that never works: the procedure goes its way, a little later.
#[test]
fn failing_always() {
    let plan = Plan {
        failing: Some(1),
        ..Plan::default()
    };
    let ending = first_light(plan);
    assert_eq!((ending.registrations, ending.sets), (0, 0), "{ending:#?}");
    assert_eq!(ending.outcomes.each_ref().map(Vec::len), [1, 1]);
    assert!(
        ending
            .counters
            .iter()
            .all(|counters| counters.done_without > 0)
    );
}

/// [DR-7] A P-CSCF that has read too early, whose user has gone here by the time the store says so: it reads again all the
/// same.
#[test]
fn read_too_early_and_gone() {
    let plan = Plan {
        crash: Some((0, 39)),
        stale: true,
        delay: 1_776,
        failing: Some(2),
    };
    check(&first_light(plan), plan);
}

proptest! {
    /// [DR-7] Whatever goes wrong together: a crash, a stale read after it, a slow store that fails now and then, though
    /// never so often that it is done without.
    #[test]
    fn whatever_goes_wrong(
        side in 0usize..2,
        output in 0usize..40,
        stale: bool,
        delay in 0u64..1_900,
        failing in proptest::option::of(2usize..9),
    ) {
        let plan = Plan { crash: Some((side, output)), stale, delay, failing };
        check(&first_light(plan), plan);
    }
}
