//! [RN-5] What an S-CSCF keeps of subscriptions that are over. In a file of its own, for the allocator counts for
//! the whole process.

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

/// One life of a subscription: it is accepted, told of a change, and over in one of five ways.
fn cycle(host: &mut Host, number: u32) {
    let outs = host.receive(
        subscribe()
            .replace("s-call-1", &format!("s-call-{number}"))
            .replace("s-tag", &format!("s-tag-{number}"))
            .replace("Expires: 3660", "Expires: 60"),
    );
    let accepted = outs[0].bytes().to_string();
    assert!(accepted.starts_with("SIP/2.0 200 "));
    host.respond(&outs[2], 200);
    host.learn(&Registration {
        cseq: 100 + number,
        ..Registration::default()
    });
    let [notify] = host.ticks().try_into().unwrap();
    match number % 5 {
        0 => {
            host.respond(&notify, 200);
            let to = header(&accepted, "To").unwrap();
            let end = subscribe()
                .replace("s-call-1", &format!("s-call-{number}"))
                .replace("s-tag", &format!("s-tag-{number}"))
                .replace(&format!("To: <{PUBLIC}>"), &format!("To: {to}"))
                .replace("CSeq: 1 ", "CSeq: 2 ")
                .replace("Expires: 3660", "Expires: 0");
            let outs = host.receive(end);
            host.respond(&outs[1], 200);
        }
        1 => _ = host.respond(&notify, 481),
        2 => _ = host.run(40_000),
        3 => {
            host.respond(&notify, 200);
            for notify in host.run(60_000) {
                host.respond(&notify, 200);
            }
        }
        // Replaced by the next one.
        _ => _ = host.respond(&notify, 200),
    }
}

/// [RN-4, RN-5, T65] Tens of thousands of subscriptions, or as many as `IMS_CYCLES` says, come and go, unsubscribed,
/// refused, unanswered, expired and replaced, and leave nothing behind. `tests/cycles_allocations.rs` has those of every
/// node.
#[test]
fn subscriptions_come_and_go() {
    let mut host = Host::registered();
    for number in 0..200 {
        cycle(&mut host, number);
    }
    let asked = std::env::var("IMS_CYCLES").ok();
    let cycles: u32 = asked.map_or(20_000, |cycles| cycles.parse().unwrap());
    let before = HELD.load(Ordering::Relaxed);
    for number in 200..200 + cycles {
        cycle(&mut host, number);
    }
    let grown = HELD.load(Ordering::Relaxed) - before;
    assert!(grown.abs() < 1_000, "{grown} bytes more are held");
    assert_eq!(host.node.sets(), 1);
    assert!(host.node.subscribers(PUBLIC.as_bytes()) < 2);
}
