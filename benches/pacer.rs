//! What a turn costs while a million machines wait for theirs, at 100 next hops.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use ims_procedures::{
    drive::Millis,
    fleet::pacer::{Config, Outcome, Pacer, Turn},
};

const MACHINES: u32 = 1_000_000;
const NEXT_HOPS: u32 = 100;

/// All but one are queued.
fn loaded(burst: u32, hop_rate: u32) -> Pacer {
    let mut config = Config::default();
    (config.rate, config.burst, config.canaries) = (1_000_000, burst, 0);
    (config.hop_start_rate, config.hop_max_rate) = (hop_rate, hop_rate);
    let mut pacer = Pacer::new(config, MACHINES, NEXT_HOPS).unwrap();
    for machine in 1..MACHINES {
        pacer
            .enqueue(Millis(0), machine, machine % NEXT_HOPS)
            .unwrap();
    }
    pacer
}

fn pacing(c: &mut Criterion) {
    let mut group = c.benchmark_group("pacer at 1,000,000 queued");
    let mut pacer = loaded(10, 100);
    group.bench_function("enqueue and cancel", |b| {
        b.iter(|| {
            pacer.enqueue(Millis(0), black_box(0), 7).unwrap();
            pacer.cancel(black_box(0))
        });
    });
    for (name, burst, hop_rate) in [
        ("turn, outcome, enqueue again", 10_000, 10_000),
        ("the same, where next hops wait", 1, 100),
    ] {
        let mut pacer = loaded(burst, hop_rate);
        let mut now = Millis(0);
        group.bench_function(name, |b| {
            b.iter(|| {
                now = pacer.deadline().unwrap_or(now);
                let Some(Turn::Ask { machine }) = pacer.next(now) else {
                    panic!("a turn was due");
                };
                pacer.outcome(now, machine, Outcome::Answered);
                pacer.enqueue(now, machine, machine % NEXT_HOPS)
            });
        });
    }
    let mut pacer = loaded(1, 100);
    while pacer.next(Millis(0)).is_some() {}
    group.bench_function("nothing due", |b| {
        b.iter(|| pacer.next(black_box(Millis(0))));
    });
    group.bench_function("save", |b| {
        let mut blob = Vec::new();
        b.iter(|| {
            blob.clear();
            pacer.save(Millis(0), &mut blob);
            blob.len()
        });
    });
    group.finish();
}

criterion_group!(benches, pacing);
criterion_main!(benches);
