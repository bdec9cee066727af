//! What passing a message on costs at an IBCF, into a buffer that is used again: a NOTIFY whose Contact and
//! Request-URI are mapped, and one whose document is translated too.

use std::{fs, hint::black_box, path::Path};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ims_procedures::{
    drive::{Buffer, Limits},
    regevent::relay::{Config, Documents, Expiry, Mapped, Pair, relay},
    reginfo,
    wire::Message,
};

fn notify() -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sip/ims_notify.sip");
    fs::read(&path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()))
}

fn relaying(c: &mut Criterion) {
    let bytes = notify();
    let limits = Limits::default();
    let message = Message::parse(&bytes, &limits).unwrap();
    let document = reginfo::Document::read(message.body(), &limits).unwrap();
    let contact = message.name_addrs(ims_procedures::wire::HeaderName::Contact);
    let contact = contact.last().unwrap().unwrap().uri_bytes();
    let pair = |inside| Pair {
        inside,
        outside: b"sip:hidden@ibcf.home1.example.net",
    };
    let contacts = document.registrations.iter().flat_map(|r| &r.contacts);
    let mut pairs = vec![pair(contact), pair(message.request_uri().unwrap())];
    pairs.extend(contacts.map(|contact| pair(contact.uri.as_bytes())));
    let mapped = Mapped {
        contacts: &pairs,
        expiry: Expiry::AtMost(600),
        ..Mapped::default()
    };
    let mut buffer = Buffer::new(limits.message_bytes);
    let mut config = Config::default();
    let mut group = c.benchmark_group("relay");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    for (name, documents) in [
        ("NOTIFY", Documents::Untouched),
        ("NOTIFY and its document", Documents::Translated),
    ] {
        config.documents = documents;
        group.bench_function(name, |b| {
            b.iter(|| {
                buffer.clear();
                relay(black_box(&bytes), &limits, &config, &mapped, &mut buffer).unwrap()
            });
        });
    }
    group.bench_function("its document read alone", |b| {
        b.iter(|| reginfo::check(black_box(message.body()), &limits));
    });
    group.finish();
}

criterion_group!(benches, relaying);
criterion_main!(benches);
