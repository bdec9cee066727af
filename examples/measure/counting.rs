//! An allocator that counts, for the figures "allocations per message".

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

static CALLS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);
static LIVE: AtomicU64 = AtomicU64::new(0);

/// Allocations so far, and the bytes asked for.
pub(crate) fn allocations() -> (u64, u64) {
    (CALLS.load(Relaxed), BYTES.load(Relaxed))
}

/// Bytes allocated and not freed, each allocation as glibc rounds it: a word more, in steps of sixteen.
pub(crate) fn live() -> u64 {
    LIVE.load(Relaxed)
}

struct Counting;

/// One thread measures: a load and a store cost less than an atomic addition.
fn count(layout: Layout) {
    CALLS.store(CALLS.load(Relaxed) + 1, Relaxed);
    BYTES.store(BYTES.load(Relaxed) + layout.size() as u64, Relaxed);
}

const fn rounded(size: usize) -> u64 {
    let rounded = (size as u64 + 8).next_multiple_of(16);
    if rounded < 32 { 32 } else { rounded }
}

fn exchange(old: u64, new: u64) {
    LIVE.store(
        LIVE.load(Relaxed).wrapping_sub(old).wrapping_add(new),
        Relaxed,
    );
}

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout);
        exchange(0, rounded(layout.size()));
        unsafe { System.alloc(layout) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(layout);
        exchange(rounded(layout.size()), rounded(size));
        unsafe { System.realloc(at, layout, size) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        exchange(rounded(layout.size()), 0);
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;
