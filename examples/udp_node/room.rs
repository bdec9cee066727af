//! How much a proxy remembers, and of whom: what is left of it is not for everybody.

use std::{collections::HashMap, net::Ipv4Addr};

/// All of it: requests, and bytes of what is kept of them.
const ALL: Share = Share {
    requests: 250_000,
    bytes: 256 << 20,
};

/// Whose a request is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// It comes from an address at which nobody is registered.
    Stranger(Ipv4Addr),
    /// It begins something.
    First,
    /// It ends or changes something that there is: for it the last room is kept.
    InDialog,
}

#[derive(Clone, Copy, Default)]
struct Share {
    requests: usize,
    bytes: usize,
}

#[derive(Default)]
pub struct Room {
    taken: Share,
    by_strangers: Share,
    by_stranger: HashMap<Ipv4Addr, Share>,
}

impl Room {
    /// Whether there is room for one more. One stranger has a sixteenth, all of them have a half, and what begins something has
    /// seven eighths. A UE that is registered is not bounded besides: it is known, and may be deregistered.
    pub fn has_for(&self, whose: Whose, bytes: usize) -> bool {
        let has = |taken: Share, sixteenths| taken.with(bytes).is_within(sixteenths);
        match whose {
            Whose::Stranger(ip) => {
                let by_this = self.by_stranger.get(&ip).copied().unwrap_or_default();
                has(by_this, 1) && has(self.by_strangers, 8) && has(self.taken, 14)
            }
            Whose::First => has(self.taken, 14),
            Whose::InDialog => has(self.taken, 16),
        }
    }

    /// Bytes that are taken.
    pub const fn taken(&self) -> usize {
        self.taken.bytes
    }

    /// Bytes that are left.
    pub const fn left(&self) -> usize {
        ALL.bytes.saturating_sub(self.taken.bytes)
    }

    pub fn add(&mut self, whose: Whose, bytes: usize) {
        self.each(whose, |share| *share = share.with(bytes));
    }

    pub fn remove(&mut self, whose: Whose, bytes: usize) {
        self.each(whose, |share| {
            share.requests -= 1;
            share.bytes -= bytes;
        });
        if let Whose::Stranger(ip) = whose {
            if self.by_stranger.get(&ip).is_some_and(|it| it.requests == 0) {
                self.by_stranger.remove(&ip);
            }
        }
    }

    fn each(&mut self, whose: Whose, change: impl Fn(&mut Share)) {
        change(&mut self.taken);
        if let Whose::Stranger(ip) = whose {
            change(&mut self.by_strangers);
            change(self.by_stranger.entry(ip).or_default());
        }
    }
}

impl Share {
    const fn with(self, bytes: usize) -> Self {
        Self {
            requests: self.requests + 1,
            bytes: self.bytes + bytes,
        }
    }

    const fn is_within(self, sixteenths: usize) -> bool {
        self.requests * 16 <= ALL.requests * sixteenths && self.bytes * 16 <= ALL.bytes * sixteenths
    }
}
