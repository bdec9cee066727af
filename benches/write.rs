//! What writing a message costs, into a buffer that is used again: a REGISTER, the answer to one, and one passed
//! on with a Via more.

use std::{fs, hint::black_box, path::Path};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ims_procedures::{
    drive::{Buffer, Identifiers, Limits},
    wire::{Edit, HeaderName, Message, Writer, rewrite},
};

fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name);
    fs::read(&path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()))
}

fn register(buffer: &mut Buffer, identifiers: &mut Identifiers) {
    let identity = black_box(&b"sip:001010123456789@ims.mnc001.mcc001.3gppnetwork.org"[..]);
    let contact = black_box(&b"sip:001010123456789@[2001:db8::aaa:bbb]:1357"[..]);
    let call_id = identifiers.next();
    let mut message = Writer::request(
        buffer,
        b"REGISTER",
        b"sip:ims.mnc001.mcc001.3gppnetwork.org",
    );
    message
        .via(b"[2001:db8::aaa:bbb]:1357", identifiers.next())
        .number(HeaderName::MaxForwards, 70)
        .parts(HeaderName::From, &[b"<", identity, b">;tag=4fa3"])
        .parts(HeaderName::To, &[b"<", identity, b">"])
        .header(HeaderName::CallId, &call_id.text())
        .cseq(2, b"REGISTER")
        .parts(
            HeaderName::Contact,
            &[
                b"<",
                contact,
                b">;expires=600000;+sip.instance=\"<urn:gsma:imei:90420156-025763-0>\"",
            ],
        )
        .header(HeaderName::Supported, b"path,gruu,outbound")
        .number(HeaderName::Expires, 600_000);
    message.finish();
}

fn writing(c: &mut Criterion) {
    let mut buffer = Buffer::new(4_096);
    let mut identifiers = Identifiers::new([7; 32], 1, 3);
    let mut group = c.benchmark_group("write");
    register(&mut buffer, &mut identifiers);
    assert_eq!(buffer.fault(), None);
    group.throughput(Throughput::Bytes(buffer.len() as u64));
    group.bench_function("REGISTER", |b| {
        b.iter(|| {
            buffer.clear();
            register(&mut buffer, &mut identifiers);
            buffer.len()
        });
    });
    let bytes = fixture("sip/ims_register.sip");
    let request = Message::parse(&bytes, &Limits::default()).unwrap();
    let tag = identifiers.next();
    group.bench_function("200 to a REGISTER", |b| {
        b.iter(|| {
            buffer.clear();
            Writer::respond_to(&mut buffer, black_box(&request), 200, Some(tag)).finish();
            buffer.len()
        });
    });
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("passed on with one Via more", |b| {
        b.iter(|| {
            buffer.clear();
            let mut first = true;
            rewrite(
                black_box(&request),
                &mut buffer,
                |field| match core::mem::replace(&mut first, false) {
                    true => {
                        Edit::Before(field.name, b"SIP/2.0/UDP scscf1.home1.net;branch=z9hG4bK1")
                    }
                    false => Edit::Keep,
                },
            );
            buffer.len()
        });
    });
    assert_eq!(buffer.fault(), None);
    group.finish();
}

criterion_group!(benches, writing);
criterion_main!(benches);
