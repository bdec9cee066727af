//! [DR-5] What the pacer takes, it takes when it is made. In a file of its own, for the allocator counts for the
//! whole process.

// An allocator that counts cannot be had without.
#![allow(unsafe_code)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

use ims_procedures::{
    drive::Millis,
    fleet::pacer::{Config, Outcome, Pacer, Turn},
};

struct Counting;

static COUNT: AtomicUsize = AtomicUsize::new(0);
static BYTES: AtomicUsize = AtomicUsize::new(0);

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Relaxed);
        BYTES.fetch_add(layout.size(), Relaxed);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const MACHINES: u32 = 100_000;

/// Queues every machine, cancels some, and drains the others; all that was allocated meanwhile.
fn drain(config: Config, next_hops: u32) -> usize {
    let mut pacer = Pacer::new(config, MACHINES, next_hops).unwrap();
    let before = COUNT.load(Relaxed);
    for machine in 0..MACHINES {
        pacer
            .enqueue(Millis(0), machine, machine % next_hops)
            .unwrap();
    }
    for machine in (0..MACHINES).step_by(10) {
        assert!(pacer.cancel(machine));
    }
    let mut asked = 0;
    while let Some(at) = pacer.deadline() {
        while let Some(turn) = pacer.next(at) {
            let Turn::Ask { machine } = turn else {
                panic!("{turn:?}");
            };
            asked += 1;
            pacer.outcome(at, machine, Outcome::Answered);
        }
    }
    assert_eq!(asked, MACHINES / 10 * 9);
    COUNT.load(Relaxed) - before
}

/// [DR-5] [PD-2] Nothing is allocated for a machine; where next hops wait, a node of their ordered set at times,
/// in less than one of four turns. A machine takes 12 bytes, a
/// next hop no more than 128.
#[test]
fn nothing_for_a_machine() {
    let mut config = Config::default();
    config.rate = 1_000_000;
    config.burst = 10_000;
    config.hop_start_rate = 1_000_000;
    config.hop_max_rate = 1_000_000;
    let taken = |machines, next_hops| {
        let before = BYTES.load(Relaxed);
        drop(Pacer::new(config.clone(), machines, next_hops).unwrap());
        BYTES.load(Relaxed) - before
    };
    assert_eq!(
        (taken(MACHINES, 1) - taken(1, 1)) / (MACHINES as usize - 1),
        12
    );
    let each = (taken(1, 10_001) - taken(1, 1)) / 10_000;
    assert!(each <= 128, "{each}");
    assert_eq!(drain(config.clone(), 50), 0);
    (config.burst, config.hop_start_rate, config.hop_max_rate) = (1, 100, 100);
    let allocated = drain(config, 50);
    assert!(allocated < MACHINES as usize / 4, "{allocated}");
}
