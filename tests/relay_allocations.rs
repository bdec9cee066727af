//! [IB-1] What relaying allocates. In a file of its own, for the allocator counts for the whole process.

// An allocator that counts cannot be had without.
#![allow(unsafe_code)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    fs,
    path::Path,
};

use ims_procedures::{
    drive::{Buffer, Limits},
    regevent::relay::{Changes, Config, Documents, Mapped, Pair, Relayed, relay},
};

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

fn allocations<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = COUNT.get();
    let result = work();
    (COUNT.get() - before, result)
}

fn fixture(name: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    fs::read(root.join(name)).unwrap()
}

/// [IB-1] Nothing for a message whose document stays; a few for one whose document is translated, however many
/// contacts are in it.
#[test]
fn messages() {
    let limits = Limits::default();
    let notify = fixture("sip/ims_notify.sip");
    let mut buffer = Buffer::new(limits.message_bytes);
    let mapped = Mapped {
        contacts: &[
            Pair {
                inside: b"sip:nobody@h",
                outside: b"sip:x@h",
            },
            Pair {
                inside: b"sip:scscf1.home1.example.net:6060",
                outside: b"sip:hidden@ibcf.example",
            },
        ],
        ..Mapped::default()
    };
    let contact = b"m: <sip:SCSCF1.home1.example.net:6060>\r\n";
    let start = notify.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let bytes = [&notify[..start], contact, &notify[start..]].concat();
    let mut config = Config::default();
    let mut relayed = |bytes: &[u8], config: &Config| -> (usize, Changes) {
        buffer.clear();
        let (count, outcome) = allocations(|| relay(bytes, &limits, config, &mapped, &mut buffer));
        match outcome.unwrap() {
            Relayed::Written(changes) => (count, changes),
            other => panic!("{other:?}"),
        }
    };
    let (count, changes) = relayed(&bytes, &config);
    assert_eq!(count, 0);
    assert!(changes.contacts >= 1);
    config.documents = Documents::Translated;
    let (few, _) = relayed(&bytes, &config);
    let large = fixture("reginfo/large_200_contacts.xml");
    let head = b"NOTIFY sip:q@h SIP/2.0\r\nTo: <sip:q@h>;tag=1\r\nEvent: reg\r\n\
        Content-Type: application/reginfo+xml\r\n\r\n";
    let (many, _) = relayed(&[head, large.as_slice()].concat(), &config);
    println!("{few} allocations for a few contacts, {many} for 200");
    assert!(few <= 24 && many <= few + 4, "{few} {many}");
}
