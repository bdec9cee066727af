//! What the format before cannot say of a registration, beside what it can.
//!
//! Left out of that format: reports of loss, and that the UE was heard; security associations; a REGISTER of the UE
//! that is under way, or held, which the host has then to let go itself; for how long its user is owed a NOTIFY. A
//! registration whose UE is coming back is there one that waits for the NOTIFY, or for the next attempt; associations
//! that are to be shortened are released.

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use super::{StateSnapshot, outcome_code, outcome_of};
use crate::{
    drive::{Begun, Millis, RestoreError, Token, TransactionRef},
    pcscf::{
        Cause, Outcome, Registration,
        aside::{Aside, Association, Held, Marks},
        deregistration::{State, Step, is_worth_another},
        evidence::Reports,
    },
};

/// Of the registration at this place among those of its user.
#[derive(Serialize, Deserialize)]
pub(super) struct Beside {
    place: u32,
    is_protected: bool,
    is_asked: bool,
    reports: Vec<(u8, u32)>,
    heard: bool,
    /// For how long they last yet, and how many seconds it was when that was told.
    association: Option<(u64, u32)>,
    held: Option<HeldSnapshot>,
    not_before: u64,
    replaced_for: Option<u64>,
    /// It is one whose UE is coming back, and this is what ours came to.
    returning: Option<(u8, u16)>,
    is_shortening: bool,
    is_of_association: bool,
    /// [DR-9] How long ago its deregistration began.
    begun: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct HeldSnapshot {
    transaction: u64,
    token: u64,
    left: u64,
}

/// Of the registrations of a user, those that have anything.
pub(super) fn of(registrations: &[Registration], now: Millis) -> Vec<Beside> {
    let all = (0..).zip(registrations);
    all.filter_map(|(place, registration)| Beside::of(place, registration, now))
        .collect()
}

pub(super) fn restore(
    all: &[Beside],
    registrations: &mut [Registration],
    now: Millis,
) -> Result<(), RestoreError> {
    all.iter().try_for_each(|beside| {
        let place = usize::try_from(beside.place).ok();
        let registration = place.and_then(|place| registrations.get_mut(place));
        beside.restore(registration.ok_or(RestoreError::Damaged)?, now)
    })
}

/// The state in which the release before goes on.
pub(super) const fn returning(outcome: Outcome, left: u64) -> StateSnapshot {
    if is_worth_another(outcome) {
        StateSnapshot::Waiting { left }
    } else {
        StateSnapshot::Confirmed { left }
    }
}

/// The step that the release before goes on with.
pub(super) const fn known_before(step: Step) -> Step {
    match step {
        Step::Shortening => Step::SecurityAssociation,
        known => known,
    }
}

/// The cause that the release before reports.
pub(super) const fn cause_known_before(cause: Cause) -> Cause {
    match cause {
        Cause::SecurityAssociationTimer => Cause::RegistrationTimer,
        known => known,
    }
}

impl Beside {
    fn of(place: u32, registration: &Registration, now: Millis) -> Option<Self> {
        let aside = registration.aside();
        let state = registration.state();
        let beside = Self {
            place,
            is_protected: registration.marks.has(Marks::PROTECTED),
            is_asked: registration.marks.has(Marks::ASKED),
            reports: aside.reports.by_age(now),
            heard: aside.heard,
            association: aside
                .association
                .map(|own| (own.ends.since(now), own.lasts)),
            held: aside.held.map(|held| HeldSnapshot {
                transaction: held.transaction.0,
                token: held.token.to_u64(),
                left: held.until.since(now),
            }),
            not_before: aside.not_before.since(now),
            replaced_for: aside
                .replaced_until
                .map(|at| at.since(now))
                .filter(|&left| left > 0),
            returning: match state {
                State::Returning { outcome, .. } => Some(outcome_code(outcome)),
                _ => None,
            },
            is_shortening: matches!(
                state,
                State::Cleaning {
                    step: Step::Shortening,
                    ..
                }
            ),
            is_of_association: registration.cause == Cause::SecurityAssociationTimer,
            begun: registration.begun.age(now),
        };
        let has_anything = beside.is_protected
            || beside.is_asked
            || beside.heard
            || beside.is_shortening
            || beside.is_of_association
            || !beside.reports.is_empty()
            || beside.association.is_some()
            || beside.held.is_some()
            || beside.not_before > 0
            || beside.replaced_for.is_some()
            || beside.returning.is_some()
            || beside.begun.is_some();
        has_anything.then_some(beside)
    }

    fn restore(&self, registration: &mut Registration, now: Millis) -> Result<(), RestoreError> {
        let marks = &mut registration.marks;
        marks.set(Marks::PROTECTED, self.is_protected);
        marks.set(Marks::ASKED, self.is_asked);
        registration.begun = Begun::of_age(now, self.begun);
        if self.is_of_association {
            registration.cause = Cause::SecurityAssociationTimer;
        }
        registration.set_aside(Aside {
            reports: Reports::of_ages(now, &self.reports).ok_or(RestoreError::Damaged)?,
            heard: self.heard,
            association: self.association.map(|(left, lasts)| Association {
                ends: now.after(left),
                lasts,
            }),
            held: self.held.as_ref().map(|held| Held {
                transaction: TransactionRef(held.transaction),
                token: Token::from_u64(held.token),
                until: now.after(held.left),
            }),
            not_before: match self.not_before {
                0 => Millis(0),
                left => now.after(left),
            },
            replaced_until: self.replaced_for.map(|left| now.after(left)),
        });
        match (registration.state(), self.returning) {
            (State::Waiting { until } | State::Confirmed { until }, Some(outcome)) => {
                registration.set_state(State::Returning {
                    token: None,
                    outcome: outcome_of(outcome).ok_or(RestoreError::Damaged)?,
                    until,
                });
            }
            (
                State::Cleaning {
                    outcome,
                    key,
                    token,
                    until,
                    ..
                },
                None,
            ) if self.is_shortening => registration.set_state(State::Cleaning {
                outcome,
                step: Step::Shortening,
                key,
                token,
                until,
            }),
            (_, None) if !self.is_shortening => {}
            _ => return Err(RestoreError::Damaged),
        }
        Ok(())
    }
}
