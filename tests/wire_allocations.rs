//! [DR-5] The second stage of reading allocates nothing, and neither does the answer. In a file of its own,
//! for the allocator counts for the whole process.

// An allocator that counts cannot be had without.
#![allow(unsafe_code)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use ims_procedures::{
    drive::{Buffer, Identifiers, Limits},
    wire::{Accepts, Message, answer_refused, validate},
};

struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// [DR-5] A request that is taken, one that is not with its answer, and one that cannot be read with its
/// answer.
#[test]
fn nothing_is_allocated() {
    let good = "REGISTER sip:home1.example.net SIP/2.0\r\n\
        Via: SIP/2.0/UDP a.example.net;branch=z9hG4bK1, SIP/2.0/UDP b.example.net;branch=z9hG4bK2\r\n\
        Via: SIP/2.0/UDP c.example.net;branch=z9hG4bK3\r\nMax-Forwards: 70\r\n\
        From: <sip:a@home1.example.net>;tag=1\r\nTo: <sip:a@home1.example.net>\r\n\
        Call-ID: c1\r\nCSeq: 1 REGISTER\r\nRequire: path, gruu\r\nContent-Length: 0\r\n\r\n";
    let damaged = good.replace("Length: 0", "Length: 1");
    let limits = Limits::default();
    let tag = Identifiers::new([7; 32], 1, 3).constant();
    let mut buffer = Buffer::new(4_096);
    let options: [&[u8]; 2] = [b"path", b"gruu"];
    let before = COUNT.get();

    let message = Message::parse(good.as_bytes(), &limits).unwrap();
    assert!(validate(&message, &Accepts::server().options(&options)).is_ok());
    let owed = validate(&message, &Accepts::server()).unwrap_err();
    owed.write(&mut buffer, &message, Some(tag));
    let first = buffer.len();
    let reject = Message::parse(damaged.as_bytes(), &limits).unwrap_err();
    assert!(answer_refused(
        damaged.as_bytes(),
        &limits,
        reject,
        Some(tag),
        &mut buffer
    ));

    assert_eq!(COUNT.get(), before);
    assert!(first > 200 && buffer.len() > first + 200);
    assert_ne!(String::from("counted"), "");
    assert!(COUNT.get() > before, "and it does count");
}
