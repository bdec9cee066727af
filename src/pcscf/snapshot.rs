//! What a P-CSCF's state is in a blob. Instants stand as milliseconds from now.

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

mod beside;

use beside::Beside;

use super::{
    Affected, Cause, Config, Event, NotAsked, Outcome, Pcscf, Registration,
    aside::{Aside, Marks},
    deregistration::{Calling, Running, State, Step},
    pacing,
    registration::Strings,
    shutdown,
    user::User,
};
use crate::{
    drive::{
        Identifier, Millis, Outbox, RestoreError, Token, TransactionRef,
        snapshot::{self, Kind, Raw, Records, Release},
    },
    fleet::Seldom,
    regevent::subscriptions::{self, Subscriptions},
};

const KIND: Kind = Kind(1);
/// A record of the node itself, and one for each user, with what the format before cannot say.
const FORMAT: u16 = 3;
/// All users in one structure.
const PREVIOUS_FORMAT: u16 = 2;

#[derive(Serialize, Deserialize)]
struct PreviousSnapshot<'b> {
    #[serde(borrow)]
    users: Vec<UserSnapshot<'b>>,
}

#[derive(Serialize, Deserialize)]
struct UserSnapshot<'b> {
    #[serde(borrow)]
    private_identity: Raw<'b>,
    registrations: Vec<RegistrationSnapshot<'b>>,
    subscription: Option<subscriptions::Snapshot<'b>>,
}

#[derive(Serialize, Deserialize)]
struct UserRecord<'b> {
    #[serde(borrow)]
    user: UserSnapshot<'b>,
    left: bool,
    /// Registrations in a dialog, a bit each.
    in_dialog: u64,
    beside: Vec<Beside>,
}

/// What is the node's own: it stands before its users, whom it numbers in their order.
#[derive(Serialize, Deserialize)]
pub(super) struct NodeRecord {
    pub(super) shutdown: Option<shutdown::Snapshot>,
    pub(super) pacing: Option<pacing::Snapshot>,
}

#[derive(Serialize, Deserialize)]
struct RegistrationSnapshot<'b> {
    #[serde(borrow)]
    strings: [Raw<'b>; super::registration::FIELDS],
    emergency: bool,
    expires_in: u64,
    granted: u32,
    seen: bool,
    state: StateSnapshot,
    cause: u8,
    registers: u8,
    calling: Option<Calling>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
enum StateSnapshot {
    Registered,
    Sent {
        branch: Identifier,
        left: u64,
    },
    Waiting {
        left: u64,
    },
    Confirmed {
        left: u64,
    },
    Cleaning {
        outcome: (u8, u16),
        step: Step,
        key: Identifier,
        left: u64,
    },
    Queued,
}

pub(super) fn seal<'u>(
    release: Release,
    (node, users): (impl FnOnce() -> NodeRecord, impl Iterator<Item = &'u User>),
    subscriptions: &Subscriptions,
    now: Millis,
    into: &mut Vec<u8>,
) {
    match release {
        Release::Current => snapshot::seal_written(KIND, FORMAT, into, |into| {
            snapshot::write_record(&node(), into);
            let records = users.map(|user| UserRecord::of(user, subscriptions, now));
            records.for_each(|record| snapshot::write_record(&record, into));
        }),
        Release::Previous => {
            let users = users.map(|user| UserSnapshot::of_previous(user, subscriptions, now));
            let users = users.collect();
            snapshot::seal_for_previous(KIND, PREVIOUS_FORMAT, &PreviousSnapshot { users }, into);
        }
    }
}

/// Of the blob of one user.
pub(super) const USER: Kind = Kind(0x101);
pub(super) const USER_FORMAT: u16 = 1;

/// The events that must not be lost, numbered by their order here.
#[derive(Serialize, Deserialize)]
enum OutcomeSnapshot<'b> {
    Deregistered {
        id: Identifier,
        #[serde(borrow)]
        affected: [Raw<'b>; 3],
        cause: u8,
        outcome: (u8, u16),
        registers: u8,
    },
    Cancelled {
        affected: [Raw<'b>; 3],
        cause: u8,
        registers: u8,
    },
    AccessLost {
        affected: [Raw<'b>; 3],
    },
    HeldRegisterReleased {
        token: u64,
        transaction: u64,
        forward: bool,
    },
}

/// The blob of an event that must not be lost.
pub(super) fn write_outcome(event: &Event, out: &Outbox<Pcscf>) -> Option<Vec<u8>> {
    let texts = |affected: &Affected| {
        let Affected {
            private_identity,
            public_identity,
            contact,
        } = *affected;
        [private_identity, public_identity, contact].map(|text| Raw(out.text(text)))
    };
    let outcome = match event {
        Event::Deregistered {
            id,
            affected,
            cause,
            outcome,
            registers,
        } => OutcomeSnapshot::Deregistered {
            id: *id,
            affected: texts(affected),
            cause: cause_code(*cause),
            outcome: outcome_code(*outcome),
            registers: *registers,
        },
        Event::Cancelled {
            affected,
            cause,
            registers,
        } => OutcomeSnapshot::Cancelled {
            affected: texts(affected),
            cause: cause_code(*cause),
            registers: *registers,
        },
        Event::AccessLost { affected } => OutcomeSnapshot::AccessLost {
            affected: texts(affected),
        },
        Event::HeldRegisterReleased {
            token,
            transaction,
            forward,
        } => OutcomeSnapshot::HeldRegisterReleased {
            token: token.to_u64(),
            transaction: transaction.0,
            forward: *forward,
        },
        Event::AccessDoubted { .. }
        | Event::Subscription(_)
        | Event::TakenOver { .. }
        | Event::ShutdownPlanned { .. }
        | Event::ShutdownProgressed { .. }
        | Event::ShutdownEnded { .. } => return None,
    };
    let mut blob = Vec::new();
    snapshot::write(&outcome, &mut blob);
    Some(blob)
}

/// Appends the event of such a blob.
pub(super) fn read_outcome(bytes: &[u8], out: &mut Outbox<Pcscf>) -> Result<(), RestoreError> {
    let mut affected = |[private_identity, public_identity, contact]: [Raw<'_>; 3]| Affected {
        private_identity: out.put_text(private_identity.0),
        public_identity: out.put_text(public_identity.0),
        contact: out.put_text(contact.0),
    };
    let event = match snapshot::read(bytes)? {
        OutcomeSnapshot::Deregistered {
            id,
            affected: texts,
            cause,
            outcome,
            registers,
        } => Event::Deregistered {
            id,
            affected: affected(texts),
            cause: cause_of(cause).ok_or(RestoreError::Damaged)?,
            outcome: outcome_of(outcome).ok_or(RestoreError::Damaged)?,
            registers,
        },
        OutcomeSnapshot::Cancelled {
            affected: texts,
            cause,
            registers,
        } => Event::Cancelled {
            affected: affected(texts),
            cause: cause_of(cause).ok_or(RestoreError::Damaged)?,
            registers,
        },
        OutcomeSnapshot::AccessLost { affected: texts } => Event::AccessLost {
            affected: affected(texts),
        },
        OutcomeSnapshot::HeldRegisterReleased {
            token,
            transaction,
            forward,
        } => Event::HeldRegisterReleased {
            token: Token::from_u64(token),
            transaction: TransactionRef(transaction),
            forward,
        },
    };
    out.event(event);
    Ok(())
}

/// A user, and the subscription that is to be its own.
pub(super) type Restored<'b> = (User, Option<subscriptions::Snapshot<'b>>);

/// One part of a blob.
pub(super) enum Part<'b> {
    /// What is the node's own, and how many users follow.
    Node((NodeRecord, usize)),
    User(Restored<'b>),
}

/// Hands over the parts of a blob, one by one.
pub(super) fn open(
    blob: &[u8],
    now: Millis,
    config: &Config,
    mut take: impl FnMut(Part<'_>) -> Result<(), RestoreError>,
) -> Result<(), RestoreError> {
    let most = config.limits.users;
    match snapshot::open_any(KIND, &[FORMAT, PREVIOUS_FORMAT], blob)? {
        (PREVIOUS_FORMAT, payload) => {
            let node: PreviousSnapshot<'_> = snapshot::read(payload)?;
            if node.users.len() > most {
                return Err(RestoreError::TooLarge);
            }
            let mut users = node.users.into_iter();
            users.try_for_each(|user| take(Part::User(user.restore(now, config)?)))
        }
        (_, payload) => {
            let mut records = Records::new(payload);
            let node = records.next().ok_or(RestoreError::Damaged)??;
            let users = Records::new(payload).count().saturating_sub(1);
            if users > most {
                return Err(RestoreError::TooLarge);
            }
            take(Part::Node((snapshot::read(node)?, users)))?;
            records.try_for_each(|record| take(Part::User(read(record?, now, config)?)))
        }
    }
}

/// Appends what a user is in a blob of many.
pub(super) fn write(user: &User, subscriptions: &Subscriptions, now: Millis, into: &mut Vec<u8>) {
    snapshot::write(&UserRecord::of(user, subscriptions, now), into);
}

/// Reads one back.
pub(super) fn read<'b>(
    bytes: &'b [u8],
    now: Millis,
    config: &Config,
) -> Result<Restored<'b>, RestoreError> {
    let record: UserRecord<'_> = snapshot::read(bytes)?;
    let (mut user, subscription) = record.user.restore(now, config)?;
    user.left = record.left;
    for (place, registration) in user.registrations.iter_mut().enumerate() {
        let is_in_dialog = record.in_dialog & bit(place) != 0;
        registration.marks.set(Marks::IN_DIALOG, is_in_dialog);
    }
    beside::restore(&record.beside, &mut user.registrations, now)?;
    Ok((user, subscription))
}

/// The bit of a registration by its place, of which there are [`MAX_CONTACTS`](super::MAX_CONTACTS) at most.
const fn bit(place: usize) -> u64 {
    1u64.wrapping_shl(place as u32)
}

impl<'b> UserRecord<'b> {
    fn of(user: &'b User, subscriptions: &'b Subscriptions, now: Millis) -> Self {
        let registrations = user.registrations.iter().enumerate();
        let in_dialog = registrations.filter(|(_, registration)| registration.is_in_dialog());
        Self {
            in_dialog: in_dialog.fold(0, |bits, (place, _)| bits | bit(place)),
            user: UserSnapshot::of(user, subscriptions, now),
            left: user.left,
            beside: beside::of(&user.registrations, now),
        }
    }
}

impl<'b> UserSnapshot<'b> {
    fn of(user: &'b User, subscriptions: &'b Subscriptions, now: Millis) -> Self {
        Self {
            private_identity: Raw(&user.private_identity),
            registrations: user
                .registrations
                .iter()
                .map(|registration| RegistrationSnapshot::of(registration, now))
                .collect(),
            subscription: user
                .subscription
                .and_then(|id| subscriptions.snapshot(id, now)),
        }
    }

    /// In words that the release before this one knows.
    fn of_previous(user: &'b User, subscriptions: &'b Subscriptions, now: Millis) -> Self {
        let mut snapshot = Self::of(user, subscriptions, now);
        let registrations = &mut snapshot.registrations;
        registrations
            .iter_mut()
            .for_each(RegistrationSnapshot::put_back);
        snapshot
    }

    fn restore(self, now: Millis, config: &Config) -> Result<Restored<'b>, RestoreError> {
        if self.registrations.len() > config.limits.contacts {
            return Err(RestoreError::TooLarge);
        }
        let registrations = self
            .registrations
            .iter()
            .map(|registration| registration.restore(now))
            .collect::<Result<Vec<_>, _>>()?;
        let user = User {
            private_identity: self.private_identity.0.into(),
            registrations: registrations.into(),
            subscription: None,
            left: false,
        };
        Ok((user, self.subscription))
    }
}

impl<'b> RegistrationSnapshot<'b> {
    fn of(registration: &'b Registration, now: Millis) -> Self {
        let state = match registration.state() {
            State::Registered => StateSnapshot::Registered,
            State::Queued => StateSnapshot::Queued,
            State::Sent { branch, until, .. } => StateSnapshot::Sent {
                branch,
                left: until.since(now),
            },
            State::Waiting { until } => StateSnapshot::Waiting {
                left: until.since(now),
            },
            State::Confirmed { until } => StateSnapshot::Confirmed {
                left: until.since(now),
            },
            State::Returning { until, outcome, .. } => beside::returning(outcome, until.since(now)),
            State::Cleaning {
                outcome,
                step,
                key,
                until,
                ..
            } => StateSnapshot::Cleaning {
                outcome: outcome_code(outcome),
                step: beside::known_before(step),
                key,
                left: until.since(now),
            },
        };
        Self {
            strings: registration.strings.parts().map(Raw),
            emergency: registration.emergency,
            expires_in: registration.expires_at.since(now),
            granted: registration.granted,
            seen: registration.is_seen(),
            state,
            cause: cause_code(beside::cause_known_before(registration.cause)),
            registers: registration.registers,
            calling: registration.running.get().calling,
        }
    }

    /// The release before this one knows no turns and no shutdown: whom a shutdown has not asked yet is registered; who
    /// waits for another turn tries again at once; who waits for the first has its lifetime end now.
    fn put_back(&mut self) {
        let is_unasked = self.registers == 0
            && matches!(
                self.state,
                StateSnapshot::Queued | StateSnapshot::Waiting { .. }
            );
        if is_unasked && cause_of(self.cause) == Some(Cause::Shutdown) {
            self.state = StateSnapshot::Registered;
            self.calling = None;
        }
        if let StateSnapshot::Queued = self.state {
            self.state = match self.calling {
                Some(_) => StateSnapshot::Waiting { left: 0 },
                None => StateSnapshot::Registered,
            };
            if self.calling.is_none() {
                self.expires_in = 0;
            }
        }
        if let StateSnapshot::Cleaning { outcome, .. } = &mut self.state {
            if let Some(Outcome::NotAsked { .. }) = outcome_of(*outcome) {
                *outcome = outcome_code(Outcome::NoResponse);
            }
        }
        if let Some(Cause::Shutdown) = cause_of(self.cause) {
            self.cause = cause_code(Cause::AccessLost);
        }
    }

    fn restore(&self, now: Millis) -> Result<Registration, RestoreError> {
        let token = None;
        let state = match self.state {
            // Which state it waits in is told by its marks alone.
            StateSnapshot::Registered | StateSnapshot::Queued => State::Registered,
            StateSnapshot::Sent { branch, left } => State::Sent {
                token,
                branch,
                until: now.after(left),
            },
            StateSnapshot::Waiting { left } => State::Waiting {
                until: now.after(left),
            },
            StateSnapshot::Confirmed { left } => State::Confirmed {
                until: now.after(left),
            },
            StateSnapshot::Cleaning {
                outcome,
                step,
                key,
                left,
            } => State::Cleaning {
                key,
                outcome: outcome_of(outcome).ok_or(RestoreError::Damaged)?,
                step,
                token,
                until: match left {
                    0 => Millis(0),
                    left => now.after(left),
                },
            },
        };
        let parts = self.strings.map(|string| string.0);
        let mut marks = Marks::default();
        marks.set(Marks::SEEN, self.seen);
        marks.set(Marks::QUEUED, matches!(self.state, StateSnapshot::Queued));
        Ok(Registration {
            strings: Strings::new(parts, usize::from(u16::MAX)).ok_or(RestoreError::TooLarge)?,
            emergency: self.emergency,
            expires_at: now.after(self.expires_in),
            granted: self.granted,
            marks,
            running: Seldom::new(Running {
                state,
                calling: self.calling,
                aside: Aside::NONE,
            }),
            cause: cause_of(self.cause).ok_or(RestoreError::Damaged)?,
            registers: self.registers,
        })
    }
}

const fn cause_code(cause: Cause) -> u8 {
    match cause {
        Cause::AccessLost => 0,
        Cause::RegistrationTimer => 1,
        Cause::Network => 2,
        Cause::User => 3,
        Cause::Shutdown => 4,
        Cause::SecurityAssociationTimer => 5,
    }
}

const fn cause_of(code: u8) -> Option<Cause> {
    Some(match code {
        0 => Cause::AccessLost,
        1 => Cause::RegistrationTimer,
        2 => Cause::Network,
        3 => Cause::User,
        4 => Cause::Shutdown,
        5 => Cause::SecurityAssociationTimer,
        _ => return None,
    })
}

const fn outcome_code(outcome: Outcome) -> (u8, u16) {
    match outcome {
        Outcome::Notified => (0, 0),
        Outcome::Unconfirmed => (1, 0),
        Outcome::NothingThere { status } => (2, status),
        Outcome::Unsupported { status } => (3, status),
        Outcome::Refused => (4, 0),
        Outcome::Failed { status } => (5, status),
        Outcome::NoResponse => (6, 0),
        Outcome::ByUser => (7, 0),
        Outcome::Expired => (8, 0),
        Outcome::Unsendable => (9, 0),
        Outcome::NotAsked { why } => (10, why as u16),
    }
}

const fn outcome_of((code, status): (u8, u16)) -> Option<Outcome> {
    Some(match code {
        0 => Outcome::Notified,
        1 => Outcome::Unconfirmed,
        2 => Outcome::NothingThere { status },
        3 => Outcome::Unsupported { status },
        4 => Outcome::Refused,
        5 => Outcome::Failed { status },
        6 => Outcome::NoResponse,
        7 => Outcome::ByUser,
        8 => Outcome::Expired,
        9 => Outcome::Unsendable,
        10 => Outcome::NotAsked {
            why: match status {
                0 => NotAsked::Deadline,
                1 => NotAsked::Domain,
                2 => NotAsked::TurnBound,
                _ => return None,
            },
        },
        _ => return None,
    })
}
