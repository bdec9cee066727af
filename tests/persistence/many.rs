//! Many users, each stored when it changes.

use std::collections::BTreeMap;

use ims_procedures::{pcscf::PcscfNode, persistence::Persistent, scscf::ScscfNode};

use crate::users::{Fleet, Meter, pcscf, peers, profile, scscf};

const USERS: u32 = 50;

/// How often each call was made.
#[derive(Default)]
struct Calls(BTreeMap<&'static str, u32>);

impl Meter for Calls {
    fn call<T>(&mut self, what: &'static str, work: impl FnOnce() -> T) -> T {
        *self.0.entry(what).or_default() += 1;
        work()
    }
}

/// Everything that can happen to users who come and go.
fn calls<F: Fleet>() -> BTreeMap<&'static str, u32> {
    let mut calls = Calls::default();
    let mut fleet = F::new(peers(USERS), true);
    (0..USERS).for_each(|user| fleet.arrive(user, &mut calls));
    for traffic in 0..F::TRAFFIC.len() {
        (0..USERS).for_each(|user| fleet.happen(traffic, user, &mut calls));
    }
    (0..USERS).for_each(|user| fleet.leave(user, &mut calls));
    fleet.forget(&mut calls);
    assert_eq!(fleet.len(), 0);
    calls.0
}

fn stored_and_not<Stored: Fleet, Other: Fleet>() {
    let (mut stored, other) = (calls::<Stored>(), calls::<Other>());
    let writes = stored.remove("stored").unwrap();
    assert!(writes > 8 * USERS, "{writes}");
    // Whoever goes in between, and comes again before it is erased, is stored on.
    let erased = stored.remove("erased").unwrap();
    assert!((USERS..=2 * USERS).contains(&erased), "{erased}");
    assert_eq!(stored, other);
}

/// The blob that was stored last.
struct Last(usize);

impl Meter for Last {
    fn call<T>(&mut self, _what: &'static str, work: impl FnOnce() -> T) -> T {
        work()
    }

    fn stores(&mut self, bytes: usize) {
        self.0 = bytes;
    }
}

/// Bytes of the blob of a user who has registered, is subscribed to, and has nothing to do.
fn blob_at_rest<F: Fleet>() -> usize {
    let mut fleet = F::new(peers(USERS), true);
    let mut last = Last(0);
    let at_rest = (0..USERS).map(|user| {
        fleet.arrive(user, &mut last);
        last.0
    });
    at_rest.max().unwrap()
}

/// [DR-7] What a user of the committed profile, whose strings are 603 bytes, takes in the store.
#[test]
fn bytes_of_a_blob() {
    assert_eq!(profile::STRINGS, 603);
    let pcscf = blob_at_rest::<pcscf::Users<Persistent<PcscfNode>>>();
    assert!(pcscf <= 1_024, "P-CSCF: {pcscf}");
    let scscf = blob_at_rest::<scscf::Users<Persistent<ScscfNode>>>();
    assert!(scscf <= 800, "S-CSCF: {scscf}");
}

/// [DR-7] A node whose users are stored, by a store that answers at once, makes of everything what it makes of it
/// without; each change is stored, and who has gone is erased.
#[test]
fn as_without_a_store() {
    stored_and_not::<pcscf::Users<Persistent<PcscfNode>>, pcscf::Users>();
    stored_and_not::<scscf::Users<Persistent<ScscfNode>>, scscf::Users>();
}
