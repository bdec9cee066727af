//! [DR-5] What users take of memory, when it is taken, and that it is given back. In a file of its own, for the
//! allocator counts for the whole process.

// An allocator that counts cannot be had without.
#![allow(unsafe_code)]
#![allow(unreachable_pub)]

#[path = "common/fleet/mod.rs"]
mod users;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

use ims_procedures::{pcscf::PcscfNode, persistence::Persistent, scscf::ScscfNode};
use users::{Fleet, Unmeasured, msc_profile, mscics, pcscf, peers, profile, scscf};

type StoredPcscf = pcscf::Users<Persistent<PcscfNode>>;
type StoredScscf = scscf::Users<Persistent<ScscfNode>>;

struct Counting;

thread_local! {
    // Of each test on its own.
    static HELD: Cell<isize> = const { Cell::new(0) };
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

/// Bytes as glibc takes them: a word more, in steps of sixteen.
fn rounded(size: usize) -> isize {
    (size + 8).next_multiple_of(16).max(32) as isize
}

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.set(HELD.get() + rounded(layout.size()));
        LARGEST.set(LARGEST.get().max(layout.size()));
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.set(HELD.get() - rounded(layout.size()));
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const USERS: u32 = 500;

fn arrive<F: Fleet>(fleet: &mut F) {
    (0..USERS).for_each(|user| fleet.arrive(user, &mut Unmeasured));
}

fn leave<F: Fleet>(fleet: &mut F) {
    (0..USERS).for_each(|user| fleet.leave(user, &mut Unmeasured));
    fleet.forget(&mut Unmeasured);
    assert_eq!(fleet.len(), 0);
}

/// The largest allocation of any call while all users arrive, come again and go.
fn largest<F: Fleet>(reserved: bool) -> usize {
    let mut fleet = F::new(peers(USERS), reserved);
    LARGEST.set(0);
    arrive(&mut fleet);
    for traffic in 0..F::TRAFFIC.len() {
        (0..USERS).for_each(|user| fleet.happen(traffic, user, &mut Unmeasured));
    }
    leave(&mut fleet);
    LARGEST.get()
}

/// [DR-5] With room for all users from the beginning no call pays for a table that grows: the largest allocation is
/// that of a message. Without it, one is as large as a table.
#[test]
fn no_table_grows() {
    for (role, reserved, grown) in [
        (
            "pcscf",
            largest::<pcscf::Users>(true),
            largest::<pcscf::Users>(false),
        ),
        (
            "scscf",
            largest::<scscf::Users>(true),
            largest::<scscf::Users>(false),
        ),
        (
            "mscics",
            largest::<mscics::Users>(true),
            largest::<mscics::Users>(false),
        ),
        (
            "pcscf, stored",
            largest::<StoredPcscf>(true),
            largest::<StoredPcscf>(false),
        ),
        (
            "scscf, stored",
            largest::<StoredScscf>(true),
            largest::<StoredScscf>(false),
        ),
    ] {
        assert!(reserved < 16_384, "{role}: {reserved} bytes at once");
        assert!(grown > 32_768, "{role}: {grown} bytes at once");
    }
}

/// Bytes held for each user, its share of the tables among them.
fn held_by_each<F: Fleet>() -> isize {
    let held = |users, room| {
        let peers = peers(room);
        let before = HELD.get();
        let mut fleet = F::new(peers, true);
        (0..users).for_each(|user| fleet.arrive(user, &mut Unmeasured));
        HELD.get() - before
    };
    // What is there for all of them is not theirs.
    (held(USERS, USERS) - held(0, 1)) / USERS as isize
}

/// [DR-5] What a user takes whose strings are 603 bytes, index and timers included, and at the P-CSCF the twelve bytes of
/// its place at the pacer. Those of a subscriber of an MSC server are 617 bytes, of which 454 are its own.
#[test]
fn bytes_of_a_user() {
    assert_eq!(profile::STRINGS, 603);
    assert_eq!((msc_profile::STRINGS, msc_profile::OWN_STRINGS), (617, 454));
    let pcscf = held_by_each::<pcscf::Users>();
    assert!(pcscf <= 880, "P-CSCF: {pcscf}");
    let scscf = held_by_each::<scscf::Users>();
    assert!(scscf <= 690, "S-CSCF: {scscf}");
    let mscics = held_by_each::<mscics::Users>();
    assert!(mscics <= 930, "MSC server: {mscics}");
}

/// Bytes of each user in a blob, from which as many are restored.
fn blob_of_each<F: Fleet>() -> usize {
    let mut fleet = F::new(peers(USERS), true);
    arrive(&mut fleet);
    let mut blob = Vec::new();
    fleet.snapshot(&mut blob);
    assert_eq!(fleet.restore(&blob), USERS as usize);
    blob.len() / USERS as usize
}

/// [DR-7] What it takes in a blob, in which what users have alike stands once; and how many are restored from it.
#[test]
fn bytes_of_a_user_in_a_blob() {
    let pcscf = blob_of_each::<pcscf::Users>();
    assert!(pcscf <= 500, "P-CSCF: {pcscf}");
    let scscf = blob_of_each::<scscf::Users>();
    assert!(scscf <= 510, "S-CSCF: {scscf}");
    let mscics = blob_of_each::<mscics::Users>();
    assert!(mscics <= 620, "MSC server: {mscics}");
}

fn comes_and_goes<F: Fleet>() {
    for reserved in [false, true] {
        let mut fleet = F::new(peers(USERS), reserved);
        for user in 0..2 {
            fleet.arrive(user, &mut Unmeasured);
            fleet.leave(user, &mut Unmeasured);
            fleet.forget(&mut Unmeasured);
        }
        let before = HELD.get();
        for _ in 0..2 {
            arrive(&mut fleet);
            leave(&mut fleet);
            assert_eq!(HELD.get(), before);
        }
    }
}

/// [DR-5] When all users have gone, nothing is held that was not held before them.
#[test]
fn given_back() {
    comes_and_goes::<pcscf::Users>();
    comes_and_goes::<scscf::Users>();
    comes_and_goes::<mscics::Users>();
    comes_and_goes::<StoredPcscf>();
    comes_and_goes::<StoredScscf>();
}
