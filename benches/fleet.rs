//! What a call costs at a node with ten thousand users, each subscribed to: all that can happen to one of them, taken
//! at random, ticks with nothing due, and the state of all of them written and read.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

#[path = "../tests/common/fleet/mod.rs"]
mod users;

use users::{Fleet, Unmeasured, mscics, pcscf, peers, scscf};

const USERS: u32 = 10_000;

fn fleet<F: Fleet>(c: &mut Criterion, role: &str) {
    let mut fleet = F::new(peers(USERS), true);
    (0..USERS).for_each(|user| fleet.arrive(user, &mut Unmeasured));
    let mut group = c.benchmark_group(role);
    // A step that meets every user in a while, and the next one far away.
    let mut user = 0;
    let mut next = move || {
        user = (user + 6_151) % USERS;
        user
    };
    for (traffic, name) in F::TRAFFIC.iter().enumerate() {
        group.bench_function(*name, |b| {
            b.iter(|| fleet.happen(traffic, next(), &mut Unmeasured));
        });
    }
    group.bench_function("idle tick", |b| b.iter(|| fleet.idle(&mut Unmeasured)));
    group.throughput(Throughput::Elements(u64::from(USERS)));
    let mut blob = Vec::new();
    group.bench_function("snapshot", |b| {
        b.iter(|| {
            blob.clear();
            fleet.snapshot(&mut blob);
            blob.len()
        });
    });
    group.bench_function("restore", |b| b.iter(|| fleet.restore(&blob)));
    group.finish();
}

fn nodes(c: &mut Criterion) {
    fleet::<pcscf::Users>(c, "fleet of a P-CSCF");
    fleet::<scscf::Users>(c, "fleet of an S-CSCF");
    fleet::<mscics::Users>(c, "fleet of an MSC server");
}

criterion_group!(benches, nodes);
criterion_main!(benches);
