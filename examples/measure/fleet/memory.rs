//! What is allocated, and what is resident.

use std::fs;

use crate::counting::live;

#[derive(Clone, Copy)]
pub(super) struct Memory {
    /// Bytes allocated and not freed, as an allocator rounds them.
    pub(super) live: u64,
    /// Bytes of the process in memory; 0 where the system does not say.
    pub(super) resident: u64,
}

impl Memory {
    pub(super) fn now() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        Self {
            live: live(),
            resident: kilobytes.unwrap_or(0) * 1_024,
        }
    }

    /// What came since for each of the users.
    pub(super) fn of_each_since(&self, before: &Self, users: u32) -> (u64, u64) {
        let each = |now: u64, then: u64| now.saturating_sub(then) / u64::from(users.max(1));
        (
            each(self.live, before.live),
            each(self.resident, before.resident),
        )
    }
}
