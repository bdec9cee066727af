//! How much may be sent, in whole numbers.

use crate::drive::Millis;

/// What one request costs: levels are in thousandths of a request, so that each millisecond brings as many as
/// the rate has requests per second.
const COST: u64 = 1_000;

/// A token bucket. In any stretch of *w* milliseconds, it lets no more than
/// ⌈*w* · rate / 1000⌉ + burst − 1 requests pass; asked every millisecond, it loses none.
#[derive(Clone, Copy)]
pub(super) struct Bucket {
    level: u64,
    /// When the level was so.
    at: Millis,
}

impl Bucket {
    /// A level counted so far, at `at`.
    pub(super) const fn new(level: u64, at: Millis) -> Self {
        Self { level, at }
    }

    /// The highest level: a burst, and what a millisecond may bring beyond the request that it completes. Dropping
    /// that would make 7 requests per second 6.99.
    pub(super) fn full(rate: u32, burst: u32) -> u64 {
        let excess = u64::from(rate).saturating_sub(1);
        u64::from(burst).saturating_mul(COST).saturating_add(excess)
    }

    pub(super) const fn level(&self) -> u64 {
        self.level
    }

    /// Counts what has come in at this rate until `now`.
    pub(super) fn fill(&mut self, now: Millis, rate: u32, burst: u32) {
        let gained = now.since(self.at).saturating_mul(rate.into());
        let level = self.level.saturating_add(gained);
        self.level = level.min(Self::full(rate, burst));
        self.at = self.at.max(now);
    }

    /// Takes one request's worth, if it is there.
    pub(super) fn take(&mut self) -> bool {
        let left = self.level.checked_sub(COST);
        self.level = left.unwrap_or(self.level);
        left.is_some()
    }

    /// When one request's worth is there, at this rate.
    pub(super) fn ready_at(&self, rate: u32) -> Millis {
        let missing = COST.saturating_sub(self.level);
        self.at.after(missing.div_ceil(u64::from(rate.max(1))))
    }
}
