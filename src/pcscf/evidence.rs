//! [PD-3] What counts as loss of the IP-CAN: "reliably determines (local policy)" of S0 L19, as data.

use alloc::vec::Vec;

use crate::drive::{ConfigError, Millis};

/// What a report of loss rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Evidence {
    /// The policy server reports the loss or release of the signalling bearer (TS 29.214 4.4.6).
    BearerLost,
    /// The transport connection of the UE was closed: a TCP or TLS flow, by either side. An idle UE does so without
    /// being lost.
    FlowClosed,
    /// The UE has not answered a probe: OPTIONS, a keep-alive, a ping. A report for each.
    ProbeMissed,
    /// Nothing has come over the security association for as long as the host finds suspicious.
    SecurityAssociationIdle,
}

/// Number of kinds.
const KINDS: usize = 4;

/// The most reports of one kind that a rule can ask for: so many are kept.
const MOST_REPORTS: usize = 8;

/// The longest window of a rule, in milliseconds: a day.
const LONGEST_WINDOW: u64 = 86_400_000;

/// The most rules of a policy.
const MOST_RULES: usize = 8;

impl Evidence {
    const ALL: [Self; KINDS] = [
        Self::BearerLost,
        Self::FlowClosed,
        Self::ProbeMissed,
        Self::SecurityAssociationIdle,
    ];
}

/// [PD-3] One way in which a UE counts as lost: there are so many reports of each kind, none of them older than the
/// window. 0 reports of a kind ask for none of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LossRule {
    /// Reports of [`Evidence::BearerLost`]: 0 to 8.
    pub bearer_lost: u8,
    /// Reports of [`Evidence::FlowClosed`]: 0 to 8.
    pub flow_closed: u8,
    /// Reports of [`Evidence::ProbeMissed`]: 0 to 8.
    pub probes_missed: u8,
    /// Reports of [`Evidence::SecurityAssociationIdle`]: 0 to 8.
    pub association_idle: u8,
    /// Milliseconds: how old a report may be to count, a day at most.
    pub window: u64,
}

impl LossRule {
    /// One report that the bearer is lost: the only one of the default policy.
    #[must_use]
    pub const fn bearer_lost() -> Self {
        Self {
            bearer_lost: 1,
            flow_closed: 0,
            probes_missed: 0,
            association_idle: 0,
            window: 1,
        }
    }

    /// So many missed probes within the window, in milliseconds, and nothing heard between them.
    #[must_use]
    pub const fn probes_missed(probes: u8, window: u64) -> Self {
        Self {
            bearer_lost: 0,
            flow_closed: 0,
            probes_missed: probes,
            association_idle: 0,
            window,
        }
    }

    /// A closed flow and so many missed probes, all within the window, in milliseconds: the UE has not come back
    /// over a new flow, and does not answer.
    #[must_use]
    pub const fn flow_closed_and_probes_missed(probes: u8, window: u64) -> Self {
        Self {
            bearer_lost: 0,
            flow_closed: 1,
            probes_missed: probes,
            association_idle: 0,
            window,
        }
    }

    const fn needs(&self, evidence: Evidence) -> u8 {
        match evidence {
            Evidence::BearerLost => self.bearer_lost,
            Evidence::FlowClosed => self.flow_closed,
            Evidence::ProbeMissed => self.probes_missed,
            Evidence::SecurityAssociationIdle => self.association_idle,
        }
    }

    fn is_met(&self, reports: &Reports) -> bool {
        Evidence::ALL
            .into_iter()
            .all(|kind| reports.within(kind, self.window) >= usize::from(self.needs(kind)))
    }
}

/// [PD-3] When a UE counts as lost: when any one of the rules is met.
///
/// By default one report that the bearer is lost is enough, and nothing else counts: the P-CSCF does not assume by
/// itself that the transport to the UE is lost (TS 23.228 5.10.3.0), least of all because of a closed flow (T51) or
/// missed probes (T52).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LossPolicy {
    /// The rules, 8 at most. None: no report counts.
    pub rules: Vec<LossRule>,
    /// Whether anything that is heard from the UE makes the reports before it void. Default true.
    pub heard_clears: bool,
}

impl Default for LossPolicy {
    fn default() -> Self {
        Self {
            rules: Vec::from([LossRule::bearer_lost()]),
            heard_clears: true,
        }
    }
}

impl LossPolicy {
    /// Whether any rule asks for this kind: reports of others are not kept.
    fn heeds(&self, evidence: Evidence) -> bool {
        self.rules.iter().any(|rule| rule.needs(evidence) > 0)
    }

    /// Checks that every rule can be met, and not by nothing.
    ///
    /// # Errors
    /// [`ConfigError`] names the field.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let refuse = |what| {
            Err(ConfigError {
                field: "loss.rules",
                what,
            })
        };
        if self.rules.len() > MOST_RULES {
            return refuse("more than 8");
        }
        for rule in &self.rules {
            let mut needs = Evidence::ALL.into_iter().map(|kind| rule.needs(kind));
            if needs.clone().all(|reports| reports == 0) {
                return refuse("one that asks for no report");
            }
            if needs.any(|reports| usize::from(reports) > MOST_REPORTS) {
                return refuse("one that asks for more than 8 reports of a kind");
            }
            if !(1..=LONGEST_WINDOW).contains(&rule.window) {
                return refuse("a window that is not between 1 millisecond and a day");
            }
        }
        Ok(())
    }
}

/// What a report means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// No rule asks for it.
    None,
    /// It is kept.
    Some,
    /// With it, a rule is met: the UE is lost.
    Enough,
}

/// No report.
const NEVER: u32 = u32::MAX;

/// The latest reports on one registration, by kind: how old each was when the latest of all came, in milliseconds,
/// the youngest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reports {
    latest: Millis,
    ages: [[u32; MOST_REPORTS]; KINDS],
}

impl Reports {
    pub(super) const NONE: Self = Self {
        latest: Millis(0),
        ages: [[NEVER; MOST_REPORTS]; KINDS],
    };

    pub(super) fn note(&mut self, now: Millis, evidence: Evidence, policy: &LossPolicy) -> Weight {
        if !policy.heeds(evidence) {
            return Weight::None;
        }
        self.age(now);
        if let Some(ages) = self.ages.get_mut(evidence as usize) {
            ages.rotate_right(1);
            if let Some(youngest) = ages.first_mut() {
                *youngest = 0;
            }
        }
        if policy.rules.iter().any(|rule| rule.is_met(self)) {
            Weight::Enough
        } else {
            Weight::Some
        }
    }

    /// Makes this instant the one that ages are counted from; what is too old for any rule is forgotten.
    fn age(&mut self, now: Millis) {
        let passed = u32::try_from(now.since(self.latest)).unwrap_or(NEVER);
        self.latest = now;
        for age in self.ages.as_flattened_mut() {
            *age = age.saturating_add(passed);
            if u64::from(*age) > LONGEST_WINDOW {
                *age = NEVER;
            }
        }
    }

    fn within(&self, evidence: Evidence, window: u64) -> usize {
        let ages = self.ages.get(evidence as usize).into_iter().flatten();
        ages.filter(|&&age| age != NEVER && u64::from(age) <= window)
            .count()
    }

    /// Kinds and ages, in milliseconds before `now`, the oldest of each kind first.
    pub(super) fn by_age(&self, now: Millis) -> Vec<(u8, u32)> {
        let mut aged = *self;
        aged.age(now);
        let mut all = Vec::new();
        for (kind, ages) in (0..).zip(aged.ages) {
            let there = ages.into_iter().rev().filter(|&age| age != NEVER);
            all.extend(there.map(|age| (kind, age)));
        }
        all
    }

    /// The reports that were taken out with [`by_age`](Self::by_age); none if there cannot be such.
    pub(super) fn of_ages(now: Millis, all: &[(u8, u32)]) -> Option<Self> {
        let mut reports = Self::NONE;
        for &(kind, age) in all {
            let ages = reports.ages.get_mut(usize::from(kind))?;
            ages.rotate_right(1);
            *ages.first_mut()? = age;
        }
        reports.latest = if all.is_empty() { Millis(0) } else { now };
        Some(reports)
    }
}
