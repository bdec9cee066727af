//! [DR-5] What CPM sessions take of memory. In a file of its own, for the allocator counts for the whole process.

// An allocator that counts cannot be had without.
#![allow(unsafe_code)]
#![allow(unreachable_pub)]

#[path = "common/many_sessions.rs"]
mod many;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use many::Sessions;

struct Counting;

thread_local! {
    // Of each test on its own.
    static HELD: Cell<isize> = const { Cell::new(0) };
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

/// Bytes as glibc takes them: a word more, in steps of sixteen.
fn rounded(size: usize) -> isize {
    (size + 8).next_multiple_of(16).max(32) as isize
}

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.set(HELD.get() + rounded(layout.size()));
        CALLS.set(CALLS.get() + 1);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.set(HELD.get() - rounded(layout.size()));
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const SESSIONS: u32 = 500;

/// Bytes held for each idle session, its share of the tables among them.
fn held_by_each(description: Option<usize>) -> isize {
    let held = |sessions, room| {
        let before = HELD.get();
        let mut many = Sessions::new(room, description);
        (0..sessions).for_each(|session| many.establish(session));
        HELD.get() - before
    };
    // What is there for all of them is not theirs.
    (held(SESSIONS, SESSIONS) - held(0, 1)) / SESSIONS as isize
}

/// [DR-5] An idle session of two legs: with a description of 1 KiB, with the numbers of the media lines alone, and not
/// interworked.
#[test]
fn bytes_of_a_session() {
    let kept = held_by_each(Some(1_024));
    let at_host = held_by_each(Some(0));
    let plain = held_by_each(None);
    println!("{kept} bytes with 1 KiB of description, {at_host} without, {plain} not interworked");
    assert!(kept <= 2_000, "{kept}");
    assert!(at_host <= 1_200, "{at_host}");
    assert!(plain <= 1_200, "{plain}");
}

/// [DR-5] A BYE that comes and the one that goes take a bounded number of allocations; sessions that are over give all
/// back.
#[test]
fn a_bye() {
    let mut many = Sessions::new(SESSIONS, None);
    // What sessions have in common is remembered.
    many.establish(0);
    many.forget(0);
    let before = HELD.get();
    (0..SESSIONS).for_each(|session| many.establish(session));
    for session in 0..SESSIONS {
        let bye = Sessions::bye(session);
        let calls = CALLS.get();
        assert_eq!(many.receive(&bye), 2);
        let calls = CALLS.get() - calls;
        assert!(calls <= 8, "{calls} allocations");
    }
    for session in 0..SESSIONS {
        many.forget(session);
    }
    assert_eq!(HELD.get(), before);
}
