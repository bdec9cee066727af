//! [DR-9] What is kept for an audit: one record of each procedure, put out beside its outcome where the configuration
//! says so.
//!
//! The procedures are those that end something of somebody: a deregistration, the closing of a session. There are no
//! records of orders about everybody, whose progress and tally are events, of re-authentication, of profiles that change,
//! and of subscriptions.

use super::{Identifier, Millis, Text, Texts};

/// Who has begun a procedure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Initiator {
    /// The user, by the equipment or client that is served.
    User,
    /// The access network, which has lost the user's equipment.
    AccessNetwork,
    /// The P-CSCF, in its own name.
    Pcscf,
    /// The home network: S-CSCF, HSS or HLR.
    HomeNetwork,
    /// The operator of this element, or its host.
    Operator,
    /// This element: a time has run out there.
    Element,
    /// The other CPM entity of a session.
    OtherEntity,
    /// An interworking function of a session.
    Iwf,
}

/// [DR-9] The record of one procedure: who began it and why, whom it concerns, how it ended, and when. It is put out after
/// the event that reports the outcome, if the configuration of the role has `audit`.
///
/// It names its users, which is what it is for. As everywhere, its `Debug` does not.
///
/// `A`, `C` and `O` are whom it concerns, the cause and the outcome, in the words of the role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Audit<A, C, O> {
    /// Of the event that reports the outcome: the same if it comes again after a crash.
    pub id: Identifier,
    /// Whom it concerns.
    pub affected: A,
    /// Who has begun it.
    pub initiator: Initiator,
    /// What started it.
    pub cause: C,
    /// How it ended.
    pub outcome: O,
    /// When it began, waits for a turn included. `None`: that is not known, as it was before records were asked for, before
    /// the epoch of this host, or at a node of the release before.
    pub began: Option<Millis>,
    /// Whether it has gone on from a blob since. The clock stood still between, as it did for its timers: `began` is
    /// reckoned back from when the blob was read, by what had passed when it was written.
    pub resumed: bool,
    /// When it ended, in the epoch of the node where it did.
    pub ended: Millis,
}

impl<A: Texts, C, O> Texts for Audit<A, C, O> {
    fn each_text(&mut self, show: &mut dyn FnMut(&mut Text)) {
        self.affected.each_text(show);
    }
}

/// When a procedure began, if that is kept, in six bytes, which fit where eight would not: twice the milliseconds, and two
/// more; an odd one has gone on from a blob; 0 is not known, and so is what is later than some 4,000 years after the epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Begun([u8; 6]);

impl Begun {
    /// It is not kept.
    pub(crate) const UNKNOWN: Self = Self([0; 6]);

    /// At this instant, if it is to be kept.
    pub(crate) const fn at(now: Millis, kept: bool) -> Self {
        match kept {
            true => Self::of(now, 0),
            false => Self::UNKNOWN,
        }
    }

    const fn of(instant: Millis, resumed: u64) -> Self {
        const MOST: u64 = 1 << 46;
        if instant.0 >= MOST {
            return Self::UNKNOWN;
        }
        let kept = instant.0.saturating_add(1).saturating_mul(2) | resumed;
        let [a, b, c, d, e, f, _, _] = kept.to_le_bytes();
        Self([a, b, c, d, e, f])
    }

    const fn kept(self) -> u64 {
        let [a, b, c, d, e, f] = self.0;
        u64::from_le_bytes([a, b, c, d, e, f, 0, 0])
    }

    /// The instant.
    pub(crate) fn instant(self) -> Option<Millis> {
        (self.kept() / 2).checked_sub(1).map(Millis)
    }

    /// Whether it has gone on from a blob since.
    pub(crate) const fn is_resumed(self) -> bool {
        self.kept() % 2 == 1
    }

    /// Milliseconds ago, for a blob.
    pub(crate) fn age(self, now: Millis) -> Option<u64> {
        self.instant().map(|instant| now.since(instant))
    }

    /// So many milliseconds ago, out of a blob, if the epoch had begun by then.
    pub(crate) fn of_age(now: Millis, age: Option<u64>) -> Self {
        let instant = age.and_then(|age| now.0.checked_sub(age));
        instant.map_or(Self::UNKNOWN, |instant| Self::of(Millis(instant), 1))
    }
}

#[cfg(test)]
mod tests {
    use super::{Begun, Millis};

    /// [DR-9] Every instant is kept as it is, up to the last; of a blob, if the epoch had begun.
    #[test]
    fn kept_as_it_was() {
        let last = (1 << 46) - 1;
        for instant in [0, 1, 1_700_000_000_000, last] {
            let begun = Begun::at(Millis(instant), true);
            assert_eq!(begun.instant(), Some(Millis(instant)));
            assert!(!begun.is_resumed());
            let again = Begun::of_age(Millis(instant + 5), Some(5));
            assert_eq!(again.instant(), Some(Millis(instant)));
            assert!(again.is_resumed());
            assert_eq!(again.age(Millis(instant + 7)), Some(7));
        }
        for unknown in [
            Begun::at(Millis(last + 1), true),
            Begun::at(Millis(5), false),
            Begun::of_age(Millis(4), Some(5)),
            Begun::of_age(Millis(4), None),
        ] {
            assert_eq!((unknown, unknown.instant()), (Begun::UNKNOWN, None));
        }
    }
}
