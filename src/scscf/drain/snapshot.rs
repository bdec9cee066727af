//! What a drain is in a blob. Sets are named by their order there, which is that of their places: of the node that is
//! restored, these are the places.

use alloc::{collections::BTreeMap, vec::Vec};
use serde::{Deserialize, Serialize};

use super::{DeregistrationReason, Drain, MAX_PCSCFS, Tally, pacer, pacer::Pacer};
use crate::drive::{Millis, RestoreError, snapshot::Raw};

/// What a drain is in a blob.
#[derive(Serialize, Deserialize)]
pub(in crate::scscf) struct Snapshot<'b> {
    reason: DeregistrationReason,
    pacer: pacer::Snapshot,
    cursor: u32,
    places: u32,
    #[serde(borrow)]
    pcscfs: Vec<(Raw<'b>, u32)>,
    running: Vec<(u32, Worst)>,
    report_in: u64,
    tally: [u64; 5],
}

/// The worst that has happened to one whose turn it is.
#[derive(Clone, Copy, Serialize, Deserialize)]
enum Worst {
    Answered,
    Abandoned,
    Refused,
    Timeout,
    Unreachable,
    Overloaded { retry_after: Option<u32> },
}

impl Drain {
    /// [DR-7] `places` are those of the sets that the blob has, in their order there.
    pub(in crate::scscf) fn snapshot(&self, places: &[u32], now: Millis) -> Snapshot<'_> {
        let order = |place: u32| {
            let found = places.binary_search(&place).ok()?;
            u32::try_from(found).ok()
        };
        let before = |place: u32| {
            let before = places.partition_point(|own| *own < place);
            u32::try_from(before).unwrap_or(u32::MAX)
        };
        let mut pacer = self.pacer.snapshot(now);
        let gone = pacer.renumber(order);
        let running = self.running.iter();
        let tally = self.tally;
        Snapshot {
            reason: self.reason,
            pacer,
            cursor: before(self.cursor),
            places: before(self.places),
            pcscfs: self
                .pcscfs
                .iter()
                .map(|(key, number)| (Raw(key), *number))
                .collect(),
            running: running
                .filter_map(|(place, worst)| Some((order(*place)?, Worst::of(*worst))))
                .collect(),
            report_in: self.report_at.since(now),
            tally: [
                tally.found,
                tally.deregistered,
                tally.passed_over.saturating_add(gone),
                tally.not_asked,
                tally.disturbed,
            ],
        }
    }
}

impl Snapshot<'_> {
    /// [DR-7] The drain again, of a node with so many sets.
    pub(in crate::scscf) fn restore(
        &self,
        config: &pacer::Config,
        sets: usize,
        now: Millis,
    ) -> Result<Drain, RestoreError> {
        let sets = u32::try_from(sets).unwrap_or(u32::MAX);
        if self.places > sets
            || self.cursor > self.places
            || self.pcscfs.len() > MAX_PCSCFS as usize
        {
            return Err(RestoreError::Damaged);
        }
        let pcscfs = self.pcscfs.iter();
        let running = self.running.iter();
        let machines = self.places.max(1);
        let [found, deregistered, passed_over, not_asked, disturbed] = self.tally;
        Ok(Drain {
            reason: self.reason,
            pacer: Pacer::restore(&self.pacer, now, config.clone(), machines, MAX_PCSCFS)?,
            cursor: self.cursor,
            places: self.places,
            pcscfs: pcscfs
                .map(|(key, number)| (key.0.to_vec(), (*number).min(MAX_PCSCFS.saturating_sub(1))))
                .collect::<BTreeMap<_, _>>(),
            running: running
                .map(|(place, worst)| (*place, worst.restore()))
                .collect(),
            report_at: now.after(self.report_in),
            due_since: now,
            tally: Tally {
                found,
                deregistered,
                passed_over,
                not_asked,
                disturbed,
            },
        })
    }
}

impl Worst {
    const fn of(outcome: pacer::Outcome) -> Self {
        match outcome {
            pacer::Outcome::Answered => Self::Answered,
            pacer::Outcome::Abandoned => Self::Abandoned,
            pacer::Outcome::Refused => Self::Refused,
            pacer::Outcome::Timeout => Self::Timeout,
            pacer::Outcome::Unreachable => Self::Unreachable,
            pacer::Outcome::Overloaded { retry_after } => Self::Overloaded { retry_after },
        }
    }

    const fn restore(self) -> pacer::Outcome {
        match self {
            Self::Answered => pacer::Outcome::Answered,
            Self::Abandoned => pacer::Outcome::Abandoned,
            Self::Refused => pacer::Outcome::Refused,
            Self::Timeout => pacer::Outcome::Timeout,
            Self::Unreachable => pacer::Outcome::Unreachable,
            Self::Overloaded { retry_after } => pacer::Outcome::Overloaded { retry_after },
        }
    }
}
