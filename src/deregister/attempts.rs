//! [PD-6, MS-5] The attempts of a REGISTER, and what a final response to one means.

use serde::{Deserialize, Serialize};

use crate::drive::Identifier;

/// The identifiers of a deregistration's REGISTERs: the same for all its attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Calling {
    pub(crate) call_id: Identifier,
    pub(crate) tag: Identifier,
}

/// What a final response to a REGISTER with Expires 0 says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// It is deregistered.
    Done,
    /// Nothing was left there.
    NothingThere,
    /// It is asked to authenticate itself.
    Challenged,
    /// It is refused.
    Refused,
    /// It failed, and would fail again.
    Failed,
    /// It may be tried again.
    Retry,
}

impl Meaning {
    /// [PD-6] Of a status.
    pub(crate) const fn of(status: u16) -> Self {
        match status {
            200..=299 => Self::Done,
            404 | 481 => Self::NothingThere,
            401 | 407 => Self::Challenged,
            403 => Self::Refused,
            408 | 480 | 500 | 503 | 504 => Self::Retry,
            _ => Self::Failed,
        }
    }
}

/// How often it is tried, and when again.
#[derive(Clone, Copy)]
pub(crate) struct Attempts {
    /// Attempts at most.
    pub(crate) most: u8,
    /// Milliseconds before the second; doubled before each further one.
    pub(crate) interval: u64,
    /// Seconds of Retry-After that are waited for at most.
    pub(crate) retry_after_limit: u32,
}

impl Attempts {
    /// [PD-6, MS-5] Milliseconds to wait after so many; `None` if that was the last.
    pub(crate) fn wait(&self, sent: u8, retry_after: Option<u32>) -> Option<u64> {
        let asked = retry_after.unwrap_or(0);
        if sent >= self.most || asked > self.retry_after_limit {
            return None;
        }
        let doublings = u32::from(sent.saturating_sub(1));
        let interval = self.interval.saturating_mul(1u64.wrapping_shl(doublings));
        Some(interval.max(u64::from(asked).saturating_mul(1_000)))
    }
}
