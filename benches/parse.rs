//! What reading a message costs: the table of its header fields, the twelve fields a registrar needs, all that a
//! validator asks for, every value; and finding messages on a stream, and the shard of one.

use std::{fs, hint::black_box, path::Path};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ims_procedures::{
    drive::{Limits, Reject},
    wire::{Contact, Frame, Framer, HeaderName, Message, Reply, Required, Uri, affinity},
};

const MESSAGES: [(&str, &str); 3] = [
    ("REGISTER", "sip/ims_register.sip"),
    ("200", "sip/ims_200_register.sip"),
    ("NOTIFY", "sip/ims_notify.sip"),
];

fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name);
    fs::read(&path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()))
}

/// What a proxy or registrar reads.
fn twelve_fields(message: &Message<'_>) -> Result<usize, Reject> {
    let mut seen = 0;
    if let Some(uri) = message.request_uri() {
        seen += Uri::parse(uri)?.raw().len();
    }
    seen += message.to()?.uri().user().map_or(0, <[u8]>::len);
    seen += message.from()?.tag().map_or(0, <[u8]>::len);
    seen += message.call_id()?.len() + message.cseq()?.number as usize;
    seen += message.via()?.branch().map_or(0, <[u8]>::len);
    if let Some(Contact::Addr(contact)) = message.contacts().next().transpose()? {
        seen += contact.uri_bytes().len() + contact.instance().map_or(0, <[u8]>::len);
        seen += contact.expires().unwrap_or(0) as usize;
    }
    seen += message.expires()?.unwrap_or(0) as usize;
    for name in [
        HeaderName::PAssertedIdentity,
        HeaderName::Route,
        HeaderName::ServiceRoute,
    ] {
        for address in message.name_addrs(name) {
            seen += address?.uri_bytes().len();
        }
    }
    Ok(seen + message.body().len())
}

fn required(message: &Message<'_>) -> Result<usize, Reject> {
    if message.is_request() {
        Ok(Required::read(message)?.call_id.len())
    } else {
        Ok(Reply::read(message)?.call_id.len())
    }
}

fn every_value(message: &Message<'_>) -> usize {
    message
        .fields()
        .filter(|field| field.read().is_ok())
        .count()
}

fn messages(c: &mut Criterion) {
    let limits = Limits::default();
    let mut group = c.benchmark_group("parse");
    for (name, file) in MESSAGES {
        let bytes = fixture(file);
        let read = || {
            let mut message = Message::unread(black_box(&bytes));
            message.read(&limits).map(|()| message)
        };
        twelve_fields(&read().unwrap()).unwrap();
        required(&read().unwrap()).unwrap();
        assert_eq!(
            every_value(&read().unwrap()),
            read().unwrap().header_count()
        );
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(BenchmarkId::new("table", name), |b| {
            b.iter(|| {
                let mut message = Message::unread(black_box(&bytes));
                message.read(&limits).map(|()| message.header_count())
            });
        });
        group.bench_function(BenchmarkId::new("twelve fields", name), |b| {
            b.iter(|| {
                let mut message = Message::unread(black_box(&bytes));
                message.read(&limits).and_then(|()| twelve_fields(&message))
            });
        });
        group.bench_function(BenchmarkId::new("validated", name), |b| {
            b.iter(|| {
                let mut message = Message::unread(black_box(&bytes));
                message.read(&limits).and_then(|()| required(&message))
            });
        });
        group.bench_function(BenchmarkId::new("every value", name), |b| {
            b.iter(|| {
                let mut message = Message::unread(black_box(&bytes));
                message.read(&limits).map(|()| every_value(&message))
            });
        });
        group.bench_function(BenchmarkId::new("affinity", name), |b| {
            b.iter(|| affinity(black_box(&bytes)));
        });
    }
    group.finish();
}

/// Ten messages in one read, and one in reads of 64 bytes.
fn streams(c: &mut Criterion) {
    let limits = Limits::default();
    let one = fixture(MESSAGES[0].1);
    let ten = one.repeat(10);
    let mut group = c.benchmark_group("stream");
    group.throughput(Throughput::Bytes(ten.len() as u64));
    group.bench_function("ten messages in one read", |b| {
        b.iter(|| {
            let mut framer = Framer::new(&limits);
            let (mut at, mut messages) = (0, 0);
            while at < ten.len() {
                let frame = framer.next(black_box(&ten[at..])).unwrap();
                messages += usize::from(matches!(frame, Frame::Message { .. }));
                at += frame.consumed();
            }
            assert_eq!(messages, 10);
        });
    });
    group.throughput(Throughput::Bytes(one.len() as u64));
    group.bench_function("one message in reads of 64 bytes", |b| {
        b.iter(|| {
            let mut framer = Framer::new(&limits);
            let mut end = 0;
            loop {
                end = (end + 64).min(one.len());
                if let Frame::Message { length } = framer.next(black_box(&one[..end])).unwrap() {
                    break length;
                }
            }
        });
    });
    group.finish();
}

criterion_group!(benches, messages, streams);
criterion_main!(benches);
