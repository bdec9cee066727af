//! [PD-2] [DR-5] What a shutdown takes of memory. In a file of its own, for the allocator counts for the whole process.

// An allocator that counts cannot be had without.
#![allow(unsafe_code)]

mod common;

#[path = "pcscf_drain/world.rs"]
#[allow(dead_code)] // Other tests need more of it.
mod world;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use ims_procedures::{
    drive::{self, Millis, Node, Outbox, Output},
    pcscf::{Answer, Command, Event, Pcscf, PcscfNode, Shutdown},
};
use world::{config, user};

struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.set(HELD.get() + layout.size() as isize);
        MOST.set(MOST.get().max(HELD.get()));
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.set(HELD.get() - layout.size() as isize);
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What each user does who is asked.
#[derive(Clone, Copy, PartialEq)]
enum Network {
    Answers,
    /// 503, at first.
    IsBusy,
    /// Nobody is, for the deadline has passed.
    IsNotAsked,
}

/// Shuts down so many users; the most that was held beyond what was there before, room for their places in the queue
/// included.
fn most_held(users: u32, network: Network) -> isize {
    let mut config = config();
    config.limits.reserved_users = users as usize;
    let pacing = &mut config.pacing;
    (pacing.rate, pacing.hop_max_rate, pacing.hop_start_rate) = (20, 20, 20);
    (pacing.hop_min_rate, pacing.canaries) = (20, 0);
    let mut node = PcscfNode::new(config, common::pcscf::identifiers(1)).unwrap();
    let mut out = Outbox::for_steps(1);
    for number in 0..users {
        let (request, response) = user(number, 0).register(3_600);
        let learn = Command::Learn {
            request: request.as_bytes(),
            response: response.as_bytes(),
            trunk_group: b"",
        };
        node.command(Millis(0), learn, &mut out).unwrap();
    }
    assert!(out.is_empty());
    let before = HELD.get();
    MOST.set(before);
    let time = match network {
        Network::IsNotAsked => 0,
        _ => 3_600_000,
    };
    let order = Shutdown::until(Millis(time));
    node.command(Millis(0), Command::Shutdown(order), &mut out)
        .unwrap();
    let mut ended = None;
    while ended.is_none() {
        let now = node.deadline().unwrap().0;
        node.tick(now, &mut out).unwrap();
        while let Some(Taken { token, is_register }) = take(&mut out, &mut ended) {
            let answer = match (is_register, network) {
                (false, _) => Answer::Done.into(),
                (true, Network::IsBusy) => {
                    drive::Answer::Response(b"SIP/2.0 503 Busy\r\nContent-Length: 0\r\n\r\n")
                }
                (true, _) => {
                    drive::Answer::Response(b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n")
                }
            };
            node.answer(now, token, answer, &mut out).unwrap();
        }
    }
    let Some(Event::ShutdownEnded { tally }) = ended else {
        panic!("{ended:?}");
    };
    assert_eq!(tally.total(), users);
    MOST.get() - before
}

struct Taken {
    token: drive::Token,
    is_register: bool,
}

/// The first thing to be answered; there is no more than one here.
fn take(out: &mut Outbox<Pcscf>, ended: &mut Option<Event>) -> Option<Taken> {
    let mut taken = None;
    for output in out.iter() {
        match output {
            Output::Request { token, .. } => {
                taken = Some(Taken {
                    token,
                    is_register: true,
                });
            }
            Output::Ask { token, .. } => {
                assert!(taken.is_none());
                taken = Some(Taken {
                    token,
                    is_register: false,
                });
            }
            Output::Event(event @ Event::ShutdownEnded { .. }) => *ended = Some(*event),
            _ => {}
        }
    }
    out.clear();
    taken
}

/// [PD-2] [PD-12] Memory does not grow with those that are shut down: four times as many take no more, whether all
/// goes well, all is tried again, or the time is over.
#[test]
fn memory_is_flat() {
    for network in [Network::Answers, Network::IsBusy, Network::IsNotAsked] {
        let (few, many) = (most_held(1_000, network), most_held(4_000, network));
        assert!(few < 65_536, "{few} bytes");
        let allowance = if network == Network::IsBusy {
            16_384
        } else {
            1_024
        };
        assert!(many <= few + allowance, "{few} bytes, then {many}");
    }
}
