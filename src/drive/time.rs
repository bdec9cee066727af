//! Time as the host tells it.

use core::fmt;
use serde::{Deserialize, Serialize};

/// Milliseconds since an epoch of the host's choosing. It is compared and added to, never read as a date.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Millis(pub u64);

impl Millis {
    /// The instant `milliseconds` later; the end of time if that does not exist.
    #[must_use]
    pub const fn after(self, milliseconds: u64) -> Self {
        Self(self.0.saturating_add(milliseconds))
    }

    /// The instant `seconds` later.
    #[must_use]
    pub const fn after_seconds(self, seconds: u32) -> Self {
        self.after((seconds as u64).saturating_mul(1000))
    }

    /// Milliseconds from `earlier` until this instant; 0 if it is not earlier.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}

/// The name of a timer, so that a host can tell why a tick was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Timer(pub &'static str);

impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// The latest instant a node was told of: time that goes backwards stands still instead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    latest: Millis,
    backwards: u64,
}

impl Clock {
    /// [DR-6] The instant to work with when the host says `now`.
    pub fn observe(&mut self, now: Millis) -> Millis {
        if now < self.latest {
            self.backwards = self.backwards.saturating_add(1);
        } else {
            self.latest = now;
        }
        self.latest
    }

    /// The latest instant observed.
    #[must_use]
    pub const fn latest(&self) -> Millis {
        self.latest
    }

    /// How often time went backwards.
    #[must_use]
    pub const fn backwards(&self) -> u64 {
        self.backwards
    }
}
