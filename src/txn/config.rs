//! What the transaction layer can be told.

use crate::drive::{Limits, Source, Towards};

/// The basic timers of SIP (RFC 3261 17.1.1.1), in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    /// T1, the round-trip time estimate: the first interval of Timers A and E; 64·T1 is Timers B, F and M, and
    /// Timer J on an unreliable transport. 0 counts as 1.
    pub t1: u64,
    /// T2, the longest interval of Timer E. Less than T1 counts as T1.
    pub t2: u64,
    /// T4, how long a message may stay in the network: Timer K on an unreliable transport.
    pub t4: u64,
}

impl Timers {
    /// Between elements of the core: 0.5 s, 4 s, 5 s (TS 24.229 7.7, as RFC 3261).
    pub const CORE: Self = Self {
        t1: 500,
        t2: 4_000,
        t4: 5_000,
    };
    /// Towards a user's equipment over the air: 2 s, 16 s, 17 s (TS 24.229 7.7).
    pub const UE: Self = Self {
        t1: 2_000,
        t2: 16_000,
        t4: 17_000,
    };

    /// The first interval of Timers A and E.
    pub(super) fn first_interval(self) -> u64 {
        self.t1.max(1)
    }

    /// [RFC 3261 17.1.2.2] The interval of Timer E after one of `interval` has passed without a response.
    pub(super) fn next_interval(self, interval: u64) -> u64 {
        interval.saturating_mul(2).min(self.longest_interval())
    }

    /// The interval of Timer E once a provisional response has come.
    pub(super) fn longest_interval(self) -> u64 {
        self.t2.max(self.first_interval())
    }

    /// Timers B, F and M, and Timer J on an unreliable transport.
    pub(super) fn transaction(self) -> u64 {
        self.first_interval().saturating_mul(64)
    }

    /// [RFC 3261 17.1.1.2] [TS 24.229 7.7] Timer D on an unreliable transport: as long as an INVITE's peer sends its
    /// response again, and 32 s at least.
    pub(super) fn timer_d(self) -> u64 {
        self.transaction().max(32_000)
    }

    /// [RFC 4320 4.1] How long it takes a client's Timer E to be reset to T2: 3.5 s in the core, 14 s for a
    /// UE.
    pub(super) fn until_trying(self) -> u64 {
        let mut interval = self.first_interval();
        let mut elapsed = interval;
        // An interval doubles at most 63 times before it is longer than any T2.
        for _ in 0..u64::BITS {
            interval = self.next_interval(interval);
            if interval >= self.longest_interval() {
                break;
            }
            elapsed = elapsed.saturating_add(interval);
        }
        elapsed
    }
}

/// The configuration of the transaction layer. It may be replaced while it runs.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The timers of requests [towards the core](Towards::Core), and of requests that come from anyone but
    /// a UE. Default [`Timers::CORE`].
    pub core: Timers,
    /// The timers of requests [towards a UE](Towards::Ue), and of requests that come from one. Default
    /// [`Timers::UE`].
    pub ue: Timers,
    /// Whether every message goes over a reliable transport (TCP, TLS, SCTP): nothing is sent again then,
    /// and Timers D, J and K are zero. Default false.
    pub reliable: bool,
    /// How many milliseconds an INVITE may be without a final response after its first provisional one, however many
    /// more follow: RFC 3261 sets no bound there. The node then hears of a timeout, on which it is to end the dialog
    /// (12.2.1.2), and with it the INVITE (15.1.2). Default 180,000, which Timer C of a proxy exceeds (16.6).
    pub invite_patience: u64,
    /// The bounds: of messages, and of transactions held at once. Of the latter at most 16,777,215 count, and
    /// requests of peers may use three quarters of them, at least one: the rest is for the node's own.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            core: Timers::CORE,
            ue: Timers::UE,
            reliable: false,
            invite_patience: 180_000,
            limits: Limits::default(),
        }
    }
}

impl Config {
    pub(super) const fn timers(&self, towards: Towards) -> Timers {
        match towards {
            Towards::Core => self.core,
            Towards::Ue => self.ue,
        }
    }
}

/// Towards whom a response to a request from `source` goes.
pub(super) const fn back_to(source: Source) -> Towards {
    match source {
        Source::Ue => Towards::Ue,
        Source::TrustedCore | Source::Unknown => Towards::Core,
    }
}
