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
    /// This element by itself: a time has run out there, or it has found that a dialog or a record is gone.
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

/// When a procedure began, if that is kept, in six bytes, which fit where eight would not. 0 is not known, and so is what is
/// more than some thousand years from the epoch; an odd one has gone on from a blob, before this epoch began perhaps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Begun([u8; 6]);

impl Begun {
    /// It is not kept.
    pub(crate) const UNKNOWN: Self = Self([0; 6]);
    /// Milliseconds from the epoch, either way, that are not known any more.
    const BEYOND: i64 = 1 << 46;

    /// At this instant, if it is to be kept.
    pub(crate) fn at(now: Millis, kept: bool) -> Self {
        match i64::try_from(now.0) {
            Ok(instant) if kept => Self::of(instant, false),
            _ => Self::UNKNOWN,
        }
    }

    fn of(instant: i64, resumed: bool) -> Self {
        if instant.saturating_abs() >= Self::BEYOND {
            return Self::UNKNOWN;
        }
        let kept = instant.saturating_add(Self::BEYOND).saturating_mul(2) | i64::from(resumed);
        let [a, b, c, d, e, f, _, _] = kept.to_le_bytes();
        Self([a, b, c, d, e, f])
    }

    const fn kept(self) -> i64 {
        let [a, b, c, d, e, f] = self.0;
        i64::from_le_bytes([a, b, c, d, e, f, 0, 0])
    }

    const fn offset(self) -> Option<i64> {
        match self.kept() {
            0 => None,
            kept => Some((kept / 2).saturating_sub(Self::BEYOND)),
        }
    }

    /// The instant, if the epoch had begun.
    pub(crate) fn instant(self) -> Option<Millis> {
        u64::try_from(self.offset()?).ok().map(Millis)
    }

    /// Whether it has gone on from a blob since.
    pub(crate) const fn is_resumed(self) -> bool {
        self.kept() % 2 == 1
    }

    /// Milliseconds ago, for a blob.
    pub(crate) fn age(self, now: Millis) -> Option<u64> {
        let age = i64::try_from(now.0).ok()?.saturating_sub(self.offset()?);
        Some(u64::try_from(age).unwrap_or(0))
    }

    /// So many milliseconds ago, out of a blob.
    pub(crate) fn of_age(now: Millis, age: Option<u64>) -> Self {
        let ago = age.and_then(|age| i64::try_from(age).ok());
        let instant = ago.zip(i64::try_from(now.0).ok());
        instant.map_or(Self::UNKNOWN, |(ago, now)| {
            Self::of(now.saturating_sub(ago), true)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Begun, Millis};

    /// [DR-9] Every instant is kept as it is, up to the last.
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
            Begun::at(Millis(u64::MAX), true),
            Begun::at(Millis(5), false),
            Begun::of_age(Millis(4), Some(last + 5)),
            Begun::of_age(Millis(4), Some(u64::MAX)),
            Begun::of_age(Millis(4), None),
        ] {
            assert_eq!((unknown, unknown.instant()), (Begun::UNKNOWN, None));
            assert_eq!(unknown.age(Millis(4)), None);
        }
    }

    /// [DR-7, DR-9] Before the epoch it is no instant, and as long ago as it was.
    #[test]
    fn before_the_epoch() {
        let begun = Begun::of_age(Millis(4), Some(1_000));
        assert_eq!(begun.instant(), None);
        assert!(begun.is_resumed());
        assert_eq!(begun.age(Millis(6)), Some(1_002));
        assert_eq!(Begun::of_age(Millis(1_006), begun.age(Millis(6))), {
            Begun::of_age(Millis(4), Some(0))
        });
    }
}
