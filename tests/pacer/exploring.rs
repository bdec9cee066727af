//! Every order of a few events, from the pacer's own blob as the state.

use std::collections::HashSet;

use ims_procedures::{
    drive::Millis,
    fleet::pacer::{BadCanaries, Config, Outcome, Pacer},
};

use crate::{
    properties::{Books, NEXT_HOPS, Op},
    support::unpaced,
};

const MACHINES: u32 = 3;
const DEPTH: usize = 7;

fn events() -> Vec<Op> {
    let mut events = vec![Op::Next, Op::UntilDue, Op::Wait { milliseconds: 400 }];
    for machine in 0..MACHINES {
        let next_hop = machine % 2;
        events.push(Op::Enqueue { machine, next_hop });
        for outcome in [Outcome::Answered, Outcome::Timeout] {
            events.push(Op::Outcome { machine, outcome });
        }
    }
    let outcome = Outcome::Overloaded {
        retry_after: Some(1),
    };
    events.push(Op::Outcome {
        machine: 0,
        outcome,
    });
    events.push(Op::Cancel { machine: 2 });
    events.push(Op::Deadline {
        milliseconds: Some(500),
    });
    events
}

fn explore(config: &Config) -> usize {
    let events = events();
    let load =
        |blob: &[u8], now| Pacer::load(blob, now, config.clone(), MACHINES, NEXT_HOPS).unwrap();
    let save = |pacer: &Pacer, books: &Books| {
        let mut blob = Vec::new();
        pacer.save(Millis(books.now), &mut blob);
        blob
    };
    let mut pacer = Pacer::new(config.clone(), MACHINES, NEXT_HOPS).unwrap();
    let mut books = Books::default();
    for machine in 0..MACHINES {
        let next_hop = machine % 2;
        books.step(&mut pacer, config, Op::Enqueue { machine, next_hop });
    }
    let mut seen = HashSet::new();
    let mut last = vec![(save(&pacer, &books), books)];
    for _ in 0..DEPTH {
        let mut reached = Vec::new();
        for (blob, books) in last {
            for event in &events {
                let (mut pacer, mut books) = (load(&blob, Millis(books.now)), books.clone());
                books.step(&mut pacer, config, *event);
                let state = (save(&pacer, &books), books);
                if seen.insert(state.clone()) {
                    reached.push(state);
                }
            }
        }
        last = reached;
    }
    seen.len()
}

/// [PD-12] [DR-6] [DR-7] In no order of seven events among queueing, turns, outcomes, cancelling, waiting and a
/// deadline is a promise broken, with a restart after each event.
#[test]
fn every_order() {
    let mut config = unpaced();
    (
        config.rate,
        config.burst,
        config.in_flight,
        config.hop_in_flight,
    ) = (5, 1, 2, 1);
    (config.canaries, config.canary_pause, config.bad_streak) = (1, 300, 1);
    let states = explore(&config);
    assert!(states > 10_000, "{states}");
    config.bad_canaries = BadCanaries::Stop;
    config.in_flight = 1;
    let states = explore(&config);
    assert!(states > 10_000, "{states}");
}
