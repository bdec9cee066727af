//! What a NOTIFY costs that comes to a node which is subscribed, from the datagram to the 200 in the outbox: its
//! document lists three registrations, and each is told of anew.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ims_procedures::drive::Node;

#[path = "../tests/common/notified.rs"]
mod notified;

use notified::Notified;

fn receive<N: Node>(c: &mut Criterion, name: &str, mut notified: Notified<N>) {
    let mut group = c.benchmark_group("NOTIFY to 200");
    group.throughput(Throughput::Bytes(notified.notify.len() as u64));
    group.bench_function(name, |b| {
        b.iter(|| {
            // Twenty digits are written over: that is nothing beside the rest.
            notified.advance();
            let answered = notified.receive();
            assert!(answered > 0);
            answered
        });
    });
    group.finish();
}

fn nodes(c: &mut Criterion) {
    receive(c, "SubscriberNode", notified::watcher());
    receive(c, "PcscfNode", notified::pcscf());
}

criterion_group!(benches, nodes);
criterion_main!(benches);
