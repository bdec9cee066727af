//! Many users at one node, and what happens to them: they arrive, come again, are told of, and go.

// Each of those who measure takes what it needs.
#![allow(dead_code)]

pub mod held;
pub mod msc_profile;
pub mod mscics;
pub mod pcscf;
pub mod profile;
pub mod scscf;
pub mod template;

use ims_procedures::drive::Millis;
use template::{IDENTIFIER, Values};

/// What the calls through a node's doors go through, so that it can time or count them.
pub trait Meter {
    /// One call; `what` names it.
    fn call<T>(&mut self, what: &'static str, work: impl FnOnce() -> T) -> T;

    /// A blob of so many bytes is stored.
    fn stores(&mut self, _bytes: usize) {}
}

/// Nothing is measured.
pub struct Unmeasured;

impl Meter for Unmeasured {
    fn call<T>(&mut self, _what: &'static str, work: impl FnOnce() -> T) -> T {
        work()
    }
}

/// A node, and the host of its users. A call that fails panics: nothing was measured then.
pub trait Fleet: Sized {
    /// Bytes of the strings of a user.
    const STRINGS: usize = profile::STRINGS;
    /// What can happen to a user who is there.
    const TRAFFIC: &'static [&'static str];

    /// A node for the users of these peers, with room for all of them from the beginning or not.
    fn new(peers: Vec<Peer>, reserved: bool) -> Self;
    /// A user registers, and is subscribed to.
    fn arrive<M: Meter>(&mut self, user: u32, meter: &mut M);
    /// One of [`TRAFFIC`](Self::TRAFFIC), by its place, happens to a user who is there, and who is there after it.
    fn happen<M: Meter>(&mut self, traffic: usize, user: u32, meter: &mut M);
    /// A user goes.
    fn leave<M: Meter>(&mut self, user: u32, meter: &mut M);
    /// A tick with nothing due.
    fn idle<M: Meter>(&mut self, meter: &mut M);
    /// Whatever is left of those who went is forgotten.
    fn forget<M: Meter>(&mut self, meter: &mut M);
    /// Number of users.
    fn len(&self) -> usize;
    /// The state of all of them.
    fn snapshot(&self, into: &mut Vec<u8>);
    /// Another node from it; gives the number of users.
    fn restore(&self, blob: &[u8]) -> usize;
}

/// What the other side knows of a user.
#[derive(Clone, Copy)]
pub struct Peer {
    call_id: [u8; IDENTIFIER],
    tag: [u8; IDENTIFIER],
    number: u32,
}

impl Peer {
    const NEW: Self = Self {
        call_id: [b'0'; IDENTIFIER],
        tag: [b'0'; IDENTIFIER],
        number: 0,
    };

    fn values(&self, user: u32) -> Values<'_> {
        Values {
            user,
            number: self.number,
            call_id: &self.call_id,
            tag: &self.tag,
        }
    }
}

/// The other side of so many users.
pub fn peers(users: u32) -> Vec<Peer> {
    vec![Peer::NEW; users as usize]
}

/// The time of a host: a millisecond a step, so that few of its users do anything at one instant.
struct Time(Millis);

impl Time {
    const fn new() -> Self {
        Self(Millis(1_000_000))
    }

    fn step(&mut self) -> Millis {
        self.0 = self.0.after(1);
        self.0
    }
}

/// The identifier after this text in a message.
fn identifier(message: &[u8], after: &str) -> [u8; IDENTIFIER] {
    let mut places = message.windows(after.len());
    let start = places
        .position(|window| window == after.as_bytes())
        .unwrap()
        + after.len();
    message[start..start + IDENTIFIER].try_into().unwrap()
}
