//! [DR-9] What is kept for an audit: one record of each procedure, put out beside its outcome where the configuration
//! says so.
//!
//! The procedures are those that end something of somebody: a deregistration, the closing of a session. There are no
//! records of orders about everybody, whose progress and tally are events, of re-authentication, of profiles that change,
//! and of subscriptions.

use core::num::NonZeroU64;

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

/// When a procedure began, if that is kept: twice the milliseconds, and two more; an odd one has gone on from a blob.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Begun(Option<NonZeroU64>);

impl Begun {
    /// It is not kept.
    pub(crate) const UNKNOWN: Self = Self(None);

    /// At this instant, if it is to be kept.
    pub(crate) const fn at(now: Millis, kept: bool) -> Self {
        match kept {
            true => Self(NonZeroU64::new(now.0.saturating_add(1).saturating_mul(2))),
            false => Self::UNKNOWN,
        }
    }

    /// The instant.
    pub(crate) fn instant(self) -> Option<Millis> {
        self.0
            .map(|kept| Millis((kept.get() / 2).saturating_sub(1)))
    }

    /// Whether it has gone on from a blob since.
    pub(crate) fn is_resumed(self) -> bool {
        self.0.is_some_and(|kept| kept.get() % 2 == 1)
    }

    /// Milliseconds ago, for a blob.
    pub(crate) fn age(self, now: Millis) -> Option<u64> {
        self.instant().map(|instant| now.since(instant))
    }

    /// So many milliseconds ago, out of a blob, if the epoch had begun by then.
    pub(crate) fn of_age(now: Millis, age: Option<u64>) -> Self {
        let instant = age.and_then(|age| now.0.checked_sub(age));
        let kept = instant.and_then(|instant| Self::at(Millis(instant), true).0);
        Self(kept.map(|kept| kept.saturating_add(1)))
    }
}
