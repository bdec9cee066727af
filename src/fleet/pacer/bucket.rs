//! How much may be sent, in whole numbers.

use crate::drive::Millis;

/// What one request costs: levels are in thousandths of a request, so that each millisecond brings as many as
/// the rate has requests per second.
const COST: u32 = 1_000;

/// A token bucket. In any stretch of *w* milliseconds, it lets no more than
/// ⌈*w* · rate / 1000⌉ + burst − 1 requests pass; asked every millisecond, it loses none.
///
/// A request that is given its turn and leaves later has its worth set aside until then. As that still fills the bucket,
/// the bound holds for what leaves.
#[derive(Clone, Copy)]
pub(super) struct Bucket {
    level: u32,
    /// When the level was so.
    at: Millis,
    /// Of the level, what is set aside.
    aside: u32,
}

impl Bucket {
    /// A level counted so far, at `at`.
    pub(super) fn new(level: u64, at: Millis) -> Self {
        Self {
            level: u32::try_from(level).unwrap_or(u32::MAX),
            at,
            aside: 0,
        }
    }

    /// The highest level: a burst, and what a millisecond may bring beyond the request that it completes. Dropping
    /// that would make 7 requests per second 6.99.
    pub(super) fn full(rate: u32, burst: u32) -> u64 {
        let excess = u64::from(rate).saturating_sub(1);
        let burst = u64::from(burst).saturating_mul(COST.into());
        burst.saturating_add(excess)
    }

    /// What is there for others than those for whom something is set aside.
    pub(super) fn level(&self) -> u64 {
        self.free().into()
    }

    const fn free(&self) -> u32 {
        self.level.saturating_sub(self.aside)
    }

    /// Counts what has come in at this rate until `now`.
    pub(super) fn fill(&mut self, now: Millis, rate: u32, burst: u32) {
        let gained = now.since(self.at).saturating_mul(rate.into());
        let level = u64::from(self.level).saturating_add(gained);
        let level = level.min(Self::full(rate, burst));
        self.level = u32::try_from(level).unwrap_or(u32::MAX);
        self.at = self.at.max(now);
    }

    /// Sets one request's worth aside, if it is there.
    pub(super) const fn set_aside(&mut self) -> bool {
        let is_there = self.free() >= COST;
        if is_there {
            self.aside = self.aside.saturating_add(COST);
        }
        is_there
    }

    /// A request leaves for which something was set aside.
    pub(super) const fn leave(&mut self) {
        self.aside = self.aside.saturating_sub(COST);
        self.level = self.level.saturating_sub(COST);
    }

    /// When one request's worth is there, at this rate. `None`: not before another has left.
    pub(super) fn ready_at(&self, rate: u32, burst: u32) -> Option<Millis> {
        let needed = self.aside.saturating_add(COST);
        if u64::from(needed) > Self::full(rate, burst) {
            return None;
        }
        let missing = needed.saturating_sub(self.level);
        Some(self.at.after(missing.div_ceil(rate.max(1)).into()))
    }
}
