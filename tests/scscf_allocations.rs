//! [DR-5] What an S-CSCF keeps of those it refuses. In a file of its own, for the allocator counts for the
//! whole process.

// An allocator that counts cannot be had without.
#![allow(unsafe_code)]
#![allow(unreachable_pub, dead_code)]

#[path = "common/fixture.rs"]
mod fixture;
#[path = "scscf/support.rs"]
mod support;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicIsize, Ordering},
};

use support::*;

struct Counting;

static HELD: AtomicIsize = AtomicIsize::new(0);

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size() as isize, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size() as isize, Ordering::Relaxed);
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// [DR-5] SUBSCRIBEs that are refused with 423, each with a Call-ID of its own, leave nothing behind.
#[test]
fn refused_subscribes() {
    let mut config = config();
    config.notifier.min_expires = 600;
    let mut host = Host::registered_with(config);
    let mut refuse = |numbers: std::ops::Range<u32>| {
        for number in numbers {
            let brief = subscribe()
                .replace("s-call-1", &format!("s-call-{number}"))
                .replace("Expires: 3660", "Expires: 10");
            assert_eq!(host.receive(brief)[0].status(), 423);
        }
        HELD.load(Ordering::Relaxed)
    };
    let before = refuse(0..10);
    let grown = refuse(10..4_000) - before;
    assert!(grown < 1_000, "{grown} bytes more are held");
}
