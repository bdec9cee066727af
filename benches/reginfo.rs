//! Reading registration information documents: the visitor, the owned document, and what neither can be faster
//! than, quick-xml's events with nobody looking at them. One, three, ten registrations, and 200 contacts.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ims_procedures::{
    drive::Limits,
    reginfo::{ContactView, Document, Visitor, read},
};
use quick_xml::{Reader, events::Event};

/// Looks at every contact.
#[derive(Default)]
struct Seen(usize);

impl Visitor for Seen {
    fn contact(&mut self, contact: &ContactView<'_>) {
        let params = contact
            .params()
            .map(|(name, value)| name.len() + value.len());
        self.0 += contact.uri.len() + contact.id.len() + params.sum::<usize>();
    }
}

fn visited(document: &[u8], limits: &Limits) -> usize {
    let mut seen = Seen::default();
    read(document, limits, &mut seen).expect("a document");
    seen.0
}

fn bare(document: &[u8]) -> usize {
    let mut reader = Reader::from_reader(document);
    let mut events = 0;
    while !matches!(reader.read_event(), Ok(Event::Eof) | Err(_)) {
        events += 1;
    }
    events
}

/// A document with so many registrations like the first of the fixture's.
fn registrations(count: usize) -> Vec<u8> {
    let text = include_str!("../tests/fixtures/sip/ims_notify.sip");
    let (_, body) = text.split_once("\r\n\r\n").expect("a body");
    let begin = body.find("<registration").expect("a registration");
    let end = body.find("</registration>").expect("its end") + "</registration>".len();
    let head = &body[..begin];
    [head, &body[begin..end].repeat(count), "</reginfo>"]
        .concat()
        .into_bytes()
}

fn documents(c: &mut Criterion) {
    let limits = Limits::default();
    let large = include_bytes!("../tests/fixtures/reginfo/large_200_contacts.xml").to_vec();
    let mut all: Vec<(String, Vec<u8>)> = [1, 3, 10]
        .map(|count| (format!("{count} registrations"), registrations(count)))
        .into();
    all.push(("200 contacts".to_owned(), large));
    for (name, document) in all {
        let mut group = c.benchmark_group("reginfo");
        group.throughput(Throughput::Bytes(document.len() as u64));
        group.bench_function(BenchmarkId::new("visitor", &name), |b| {
            b.iter(|| visited(black_box(&document), &limits));
        });
        group.bench_function(BenchmarkId::new("owned", &name), |b| {
            b.iter(|| Document::read(black_box(&document), &limits).expect("a document"));
        });
        group.bench_function(BenchmarkId::new("bare events", &name), |b| {
            b.iter(|| bare(black_box(&document)));
        });
        group.finish();
    }
}

criterion_group!(benches, documents);
criterion_main!(benches);
