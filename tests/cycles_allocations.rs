//! [RE-9, RN-4] (T65) Subscriptions come and go for ever, and nothing is held for those that went: not a byte, counted by
//! the allocator, for each of the nodes. In a file of its own, for the allocator counts for the whole process.
//!
//! `IMS_CYCLES=1000000 cargo test --release --test cycles_allocations` runs a million cycles at each node; without
//! the variable it is fourteen hundred. `tests/subscribing_allocations.rs` has those of one set of an S-CSCF.

// An allocator that counts cannot be had without.
#![allow(unsafe_code)]
#![allow(unreachable_pub, dead_code)]

#[path = "regevent/bed.rs"]
mod bed;
#[path = "common/fleet/mod.rs"]
mod users;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use bed::{
    Bed, NOTIFIER, Out, PROFILES, REFRESH, Subscribe, config, is_gone, is_registered, registration,
};
use ims_procedures::{
    drive,
    regevent::{
        node::{Command, Registration},
        subscriber::Profile,
    },
};
use users::{Fleet, Unmeasured, pcscf, peers, scscf};

struct Counting;

thread_local! {
    // Of each test on its own.
    static HELD: Cell<isize> = const { Cell::new(0) };
}

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.set(HELD.get() + layout.size() as isize);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.set(HELD.get() - layout.size() as isize);
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn cycles() -> u32 {
    let asked = std::env::var("IMS_CYCLES").ok();
    asked.map_or(1_400, |cycles| cycles.parse().unwrap())
}

/// So many cycles, and what is held after them and was not before.
fn grown(warm: u32, cycles: u32, mut cycle: impl FnMut(u32)) -> isize {
    (0..warm).for_each(&mut cycle);
    let before = HELD.get();
    (warm..warm + cycles).for_each(&mut cycle);
    HELD.get() - before
}

const ENDS: u32 = 7;

/// One life of a subscription at the subscriber: it is accepted and notified, and over in one of seven ways.
fn cycle(bed: &mut Bed, number: u32) {
    let private = format!("user{number}_private@home1.example.net");
    let user = private.as_bytes();
    let first = Subscribe::only(&bed.learn(Registration {
        private_identity: user,
        ..registration(600_000)
    }));
    match number % ENDS {
        0 => _ = bed.respond(&first, 403, ""),
        1 => _ = bed.answer(first.token, drive::Answer::Timeout),
        how => {
            bed.respond(&first, 200, &format!("{NOTIFIER}Expires: 600\r\n"));
            bed.notified(&first.notify(1, "active;expires=600", &is_registered(0)));
            end(bed, &first, how);
        }
    }
    leave(bed, user);
    // Whatever is still waited for does not come.
    for _ in 0..20 {
        match bed.next() {
            Some((wait, _)) => {
                bed.now = bed.now.after(wait);
                bed.tick();
            }
            None => break,
        }
    }
    // The table of the one that ended last can be read until now.
    bed.tick();
    assert_eq!((bed.node.users(), bed.next()), (0, None));
}

fn end(bed: &mut Bed, first: &Subscribe, how: u32) {
    match how {
        2 => _ = bed.notified(&first.notify(2, "terminated;reason=noresource", &is_gone(1))),
        3 => _ = bed.notified(&first.notify(2, "active;expires=500", &is_gone(1))),
        4 => {
            let refresh = Subscribe::only(&bed.fire(REFRESH));
            bed.respond(&refresh, 481, "");
        }
        5 => _ = bed.fire(REFRESH),
        _ => {}
    }
}

/// The user goes: by its REGISTER, and by the answer.
fn leave(bed: &mut Bed, private_identity: &[u8]) {
    let flow = b"";
    let goes = Command::LearnDeregistering {
        private_identity,
        flow,
    };
    let gone = Command::LearnDeregistered {
        private_identity,
        flow,
    };
    for command in [goes, gone] {
        for out in bed.command(command).unwrap().1 {
            if let Out::Request(unsubscribe) = out {
                bed.respond(&unsubscribe, 200, "Expires: 0\r\n");
            }
        }
    }
}

fn subscriber(profile: Profile) {
    let mut bed = Bed::new(config(profile));
    let grown = grown(10 * ENDS, cycles(), |number| cycle(&mut bed, number));
    assert_eq!(grown, 0, "{profile:?}");
}

/// [RE-9] (T65) A subscriber's node: refused, unanswered, ended by the notifier, by the network, at a refresh, by
/// silence, and by the user.
#[test]
fn subscriber_sbc() {
    assert_eq!(PROFILES.len(), 2);
    subscriber(Profile::Sbc);
}

/// [RE-9] (T65) The same by RFC 6665, where some are subscribed to anew.
#[test]
fn subscriber_rfc6665() {
    subscriber(Profile::Rfc6665);
}

/// Users arrive, are subscribed to, and go.
fn fleet<F: Fleet>() {
    const USERS: u32 = 60;
    let mut fleet = F::new(peers(USERS), false);
    let grown = grown(4, cycles().div_ceil(USERS), |_| {
        (0..USERS).for_each(|user| fleet.arrive(user, &mut Unmeasured));
        (0..USERS).for_each(|user| fleet.leave(user, &mut Unmeasured));
        fleet.forget(&mut Unmeasured);
        assert_eq!(fleet.len(), 0);
    });
    assert_eq!(grown, 0);
}

/// [RE-9, PD-7] (T65) A P-CSCF: registered, subscribed to, lost by the access network or deregistered, and cleaned up.
#[test]
fn pcscf_users() {
    fleet::<pcscf::Users>();
}

/// [RN-4] (T65) An S-CSCF: registered, subscribed to, deregistered, told, and forgotten.
#[test]
fn scscf_users() {
    fleet::<scscf::Users>();
}
