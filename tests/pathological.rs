//! [DR-4] Reading costs what its input is long. In a file of its own, for the allocator counts for the whole
//! process.

// An allocator that counts cannot be had without.
#![allow(unsafe_code)]

#[path = "common/pathological.rs"]
mod pathological;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use ims_procedures::{
    drive::{Limits, Reject},
    reginfo,
    wire::{
        Accepts, Authorization, Contact, Framer, HeaderName, Message, NameAddr, Params, Salvage,
        Uri, Via, affinity, validate,
    },
};
use pathological::{ALL, DOCUMENTS, Kind, pathological};

struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    let _ = COUNT.try_with(|count| count.set(count.get() + 1));
}

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        unsafe { System.dealloc(at, layout) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What reading a message all through has cost and brought.
#[derive(Clone, Copy, Debug, Default)]
struct Work {
    allocations: usize,
    /// Values that were handed out, refusals included.
    values: usize,
}

/// Reads a message, and all of it that can be read, by every reader.
fn work(bytes: &[u8], limits: &Limits) -> Work {
    let other_spelling = in_another_spelling(bytes);
    let other = Message::parse(&other_spelling, limits).ok();
    let before = COUNT.get();
    let values = frames(bytes, limits)
        + usize::from(affinity(bytes).is_some())
        + match Message::parse(bytes, limits) {
            Ok(message) => read(&message) + other.map_or(0, |other| compared(&message, &other)),
            Err(reject) => 1 + usize::from(Salvage::read(bytes, limits, reject).is_some()),
        };
    Work {
        allocations: COUNT.get() - before,
        values,
    }
}

/// The same URIs, but not the same bytes, so that comparing them must look at all of them.
fn in_another_spelling(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let places: Vec<usize> = (0..bytes.len().saturating_sub(4))
        .filter(|at| bytes[*at..].starts_with(b"sip:"))
        .collect();
    for at in places {
        bytes[at..at + 3].make_ascii_uppercase();
    }
    bytes
}

/// Compares each URI with the one that stands in its place in the other message.
fn compared(message: &Message<'_>, other: &Message<'_>) -> usize {
    let same = |(one, other): (Uri<'_>, Uri<'_>)| {
        let equivalent = one.equivalent(&other);
        assert!(one.host().is_none() || one.same_host_port(&other));
        usize::from(equivalent)
    };
    let request_uri = match (message.request_uri(), other.request_uri()) {
        (Some(one), Some(other)) => Uri::parse(one).ok().zip(Uri::parse(other).ok()),
        _ => None,
    };
    let addresses = message
        .name_addrs(HeaderName::Contact)
        .zip(other.name_addrs(HeaderName::Contact))
        .filter_map(|(one, other)| Some((one.ok()?.uri(), other.ok()?.uri())));
    request_uri.into_iter().chain(addresses).map(same).sum()
}

/// How many frames a stream of these bytes has, which comes in small pieces.
fn frames(bytes: &[u8], limits: &Limits) -> usize {
    let mut framer = Framer::new(limits);
    let (mut at, mut frames) = (0, 0);
    for end in (0..bytes.len()).step_by(101).chain([bytes.len()]) {
        while let Ok(frame) = framer.next(&bytes[at..end.max(at)]) {
            if frame.consumed() == 0 {
                break;
            }
            at += frame.consumed();
            frames += 1;
        }
    }
    frames
}

fn read(message: &Message<'_>) -> usize {
    let singles: [Result<(), Reject>; 9] = [
        message.via().map(drop),
        message.from().map(drop),
        message.to().map(drop),
        message.call_id().map(drop),
        message.cseq().map(drop),
        message.event().map(drop),
        message.subscription_state().map(drop),
        message.authorization().map(drop),
        message.expires().map(drop),
    ];
    let mut values = singles.iter().filter(|single| single.is_ok()).count();
    values += message
        .vias()
        .map(|via| via.map_or(1, |via| params(via.params())))
        .sum::<usize>();
    values += message.contacts().map(contact).sum::<usize>();
    for name in [HeaderName::Route, HeaderName::Path] {
        values += message.name_addrs(name).map(address).sum::<usize>();
    }
    values += usize::from(message.lists(HeaderName::Supported, b"path"));
    values += usize::from(message.content_type_is(b"text/plain"));
    values += usize::from(message.retry_after().is_ok());
    if let Some(text) = message.request_uri() {
        values += uri(text);
    }
    values += usize::from(validate(message, &Accepts::server()).is_ok());
    for field in message.fields() {
        values += usize::from(field.read().is_ok());
        let text = field.value.raw();
        values += 1 + field.value.elements().count() + params(field.value.params());
        values += NameAddr::parse_list(text).map(address).sum::<usize>();
        values += Via::parse_list(text).count();
        values += Authorization::parse(text).map_or(0, |read| read.params().count());
        values += uri(text);
    }
    values
}

fn contact(contact: Result<Contact<'_>, Reject>) -> usize {
    match contact {
        Ok(Contact::Addr(read)) => address(Ok(*read)),
        Ok(Contact::Star) | Err(_) => 1,
    }
}

fn address(address: Result<NameAddr<'_>, Reject>) -> usize {
    address.map_or(1, |read| {
        1 + params(read.params()) + params(read.uri().params())
    })
}

fn params(params: Params<'_>) -> usize {
    let absent = usize::from(params.has(b"absent"));
    1 + absent + params.iter().count() + usize::from(params.repeats(b"tag"))
}

fn uri(text: &[u8]) -> usize {
    Uri::parse(text).map_or(0, |read| params(read.params()))
}

const SMALL: usize = 16 << 10;
const LARGE: usize = 64 << 10;

/// With the limits given, every kind in both sizes.
fn measured(limits: &Limits) -> Vec<(&'static Kind, Work, Work)> {
    ALL.iter()
        .map(|kind| {
            let [small, large] = [SMALL, LARGE].map(|size| {
                let bytes = pathological(kind, size - 1);
                assert!(
                    bytes.len() < size && bytes.len() + 64 > size,
                    "{}",
                    kind.name
                );
                work(&bytes, limits)
            });
            (kind, small, large)
        })
        .collect()
}

/// [DR-4] [DR-5] Within the default limits, four times the bytes cost no more than four times the values,
/// and allocations are those of a few more header fields than usual.
#[test]
fn a_message_costs_what_it_is_long() {
    for (kind, small, large) in measured(&Limits::default()) {
        assert!(
            large.values <= 4 * small.values + 256,
            "{}: {small:?} {large:?}",
            kind.name
        );
        assert!(large.values <= 16 * LARGE, "{}: {large:?}", kind.name);
        assert!(large.allocations <= 16, "{}: {large:?}", kind.name);
    }
}

/// [DR-4] The same where the limits let everything through: allocations grow by doubling alone.
#[test]
fn a_message_costs_what_it_is_long_without_limits() {
    let mut limits = Limits::default();
    limits.message_bytes = 1 << 20;
    limits.headers = 1 << 20;
    limits.header_bytes = 1 << 20;
    let mut read = 0;
    for (kind, small, large) in measured(&limits) {
        assert!(
            large.values <= 4 * small.values + 256,
            "{}: {small:?} {large:?}",
            kind.name
        );
        assert!(large.values <= 16 * LARGE, "{}: {large:?}", kind.name);
        // The table of header fields doubles as it grows.
        assert!(large.allocations <= 32, "{}: {large:?}", kind.name);
        assert!(
            large.allocations <= small.allocations + 4,
            "{}: {large:?}",
            kind.name
        );
        read += usize::from(large.values > LARGE / 64);
    }
    assert!(read > ALL.len() / 3, "too few are read: {read}");
}

/// [RI-2] [RI-5] A document is read with as many allocations whatever its length, but for the doubling of what holds
/// decoded text.
#[test]
fn a_document_costs_what_it_is_long() {
    let mut limits = Limits::default();
    (limits.xml_elements, limits.xml_depth) = (usize::MAX, usize::MAX);
    let mut read = 0;
    for kind in DOCUMENTS {
        let [small, large] = [SMALL, LARGE].map(|size| {
            let bytes = pathological(kind, size - 1);
            let before = COUNT.get();
            let is_read = reginfo::check(&bytes, &limits).is_ok();
            (COUNT.get() - before, is_read)
        });
        assert!(large.0 <= small.0 + 4, "{}: {small:?} {large:?}", kind.name);
        assert_eq!(small.1, large.1, "{}", kind.name);
        read += usize::from(large.1);
    }
    assert!(read > DOCUMENTS.len() / 2, "too few are read: {read}");
}
