//! What a P-CSCF's state is in a blob. Instants stand as milliseconds from now.

use alloc::{boxed::Box, vec::Vec};
use serde::{Deserialize, Serialize};

mod beside;

use beside::Beside;

use super::{
    Affected, Audit, Cause, Conclusion, Config, Event, NotAsked, Outcome, Pcscf, Registration,
    aside::{Aside, Marks},
    deregistration::{Running, State, Step},
    registration::{COMMON, FIELDS, Field, Strings},
    shutdown::Tally,
    user::User,
};
use crate::{
    deregister::{Calling, pacing, shutdown as drain},
    drive::{
        Begun, Identifier, Millis, Outbox, RestoreError, Token, TransactionRef,
        snapshot::{self, Joined, Kind, Raw, Records, Release},
    },
    fleet::{AlikeRead, AlikeWritten, Common, Few, Gathered, Kept, Seldom, Shared},
    regevent::{
        subscriber,
        subscriptions::{self, Subscriptions},
    },
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
pub(super) struct UserSnapshot<'b> {
    #[serde(borrow)]
    private_identity: Raw<'b>,
    registrations: Vec<RegistrationSnapshot<Apart<'b>>>,
    subscription: Option<subscriptions::PreviousSnapshot<'b>>,
}

/// A user whose strings stand once: those of a registration, or of the subscription, as they are packed, and those that
/// users have in common with the first who has them.
#[derive(Serialize, Deserialize)]
pub(super) struct UserRecord<'b> {
    #[serde(borrow)]
    private_identity: Name<'b>,
    registration: Option<RegistrationSnapshot<KeptStrings<'b>>>,
    /// Hardly ever any.
    more: Vec<RegistrationSnapshot<KeptStrings<'b>>>,
    subscription: Option<subscriptions::CurrentSnapshot<'b>>,
    left: bool,
    notify_owed_for: u64,
    /// Registrations in a dialog, a bit each.
    in_dialog: u64,
    beside: Vec<Beside>,
}

/// What is the node's own: it stands before its users, whom it numbers in their order.
#[derive(Serialize, Deserialize)]
pub(super) struct NodeRecord {
    pub(super) shutdown: Option<drain::Snapshot<Tally>>,
    pub(super) pacing: Option<pacing::Snapshot>,
}

/// The private identity: by itself, or where it stands in the strings of the registration.
#[derive(Clone, Copy, Serialize, Deserialize)]
enum Name<'b> {
    Alone(#[serde(borrow)] Raw<'b>),
    Within { place: u32, length: u32 },
}

/// The strings of a registration, each by itself.
type Apart<'b> = [Joined<'b>; FIELDS];

/// The strings of a registration as they are packed.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct KeptStrings<'b> {
    #[serde(borrow)]
    fields: Kept<'b>,
    features: Common<'b>,
}

#[derive(Serialize, Deserialize)]
struct RegistrationSnapshot<S> {
    strings: S,
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
    (node, users): (
        impl FnOnce() -> NodeRecord,
        impl Iterator<Item = &'u User> + Clone,
    ),
    subscriptions: &Subscriptions,
    now: Millis,
    into: &mut Vec<u8>,
) {
    match release {
        Release::Current => snapshot::seal_written(KIND, FORMAT, into, |into| {
            let mut written = Written::new();
            snapshot::write_count(users.clone().count(), into);
            snapshot::write_record(&node(), into);
            for user in users {
                let record = UserRecord::of(user, subscriptions, &mut written, now);
                snapshot::write_record(&record, into);
            }
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
        id: Identifier,
        affected: [Raw<'b>; 3],
        cause: u8,
        registers: u8,
    },
    AccessLost {
        id: Identifier,
        affected: [Raw<'b>; 3],
    },
    HeldRegisterReleased {
        token: u64,
        transaction: u64,
        forward: bool,
    },
    Audited {
        id: Identifier,
        affected: [Raw<'b>; 3],
        cause: u8,
        conclusion: Conclusion<(u8, u16)>,
        began: Option<Millis>,
        resumed: bool,
        ended: Millis,
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
            id,
            affected,
            cause,
            registers,
        } => OutcomeSnapshot::Cancelled {
            id: *id,
            affected: texts(affected),
            cause: cause_code(*cause),
            registers: *registers,
        },
        Event::AccessLost { id, affected } => OutcomeSnapshot::AccessLost {
            id: *id,
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
        Event::Audited(audit) => OutcomeSnapshot::Audited {
            id: audit.id,
            affected: texts(&audit.affected),
            cause: cause_code(audit.cause),
            conclusion: audit.outcome.map(|outcome| Some(outcome_code(outcome)))?,
            began: audit.began,
            resumed: audit.resumed,
            ended: audit.ended,
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
            id,
            affected: texts,
            cause,
            registers,
        } => Event::Cancelled {
            id,
            affected: affected(texts),
            cause: cause_of(cause).ok_or(RestoreError::Damaged)?,
            registers,
        },
        OutcomeSnapshot::AccessLost {
            id,
            affected: texts,
        } => Event::AccessLost {
            id,
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
        OutcomeSnapshot::Audited {
            id,
            affected: texts,
            cause,
            conclusion,
            began,
            resumed,
            ended,
        } => {
            let cause = cause_of(cause).ok_or(RestoreError::Damaged)?;
            Event::Audited(Audit {
                id,
                affected: affected(texts),
                initiator: cause.initiator(),
                cause,
                outcome: conclusion.map(outcome_of).ok_or(RestoreError::Damaged)?,
                began,
                resumed,
                ended,
            })
        }
    };
    out.event(event);
    Ok(())
}

/// What the users of a blob have in common, while it is written.
struct Written<'u> {
    fields: AlikeWritten<'u>,
    features: AlikeWritten<'u>,
    subscriptions: subscriber::Written<'u>,
}

impl<'u> Written<'u> {
    const fn new() -> Self {
        Self {
            fields: AlikeWritten::new(),
            features: AlikeWritten::new(),
            subscriptions: subscriber::Written::new(),
        }
    }

    fn keep(&mut self, strings: &'u Strings) -> KeptStrings<'u> {
        KeptStrings {
            fields: self.fields.keep(&strings.fields),
            features: self.features.keep_common(&strings.features),
        }
    }
}

/// Users that are taken in from a blob: what they have in common, their keys, and the same of their subscriptions.
pub(super) struct Restoring {
    fields: AlikeRead<COMMON>,
    features: AlikeRead<1>,
    pub(super) keys: Gathered,
    pub(super) subscriptions: subscriptions::Restoring,
}

impl Restoring {
    /// Of a blob that begins.
    pub(super) fn new() -> Self {
        Self {
            fields: AlikeRead::new(),
            features: AlikeRead::new(),
            keys: Gathered::default(),
            subscriptions: subscriptions::Restoring::new(),
        }
    }

    fn restore(
        &mut self,
        kept: KeptStrings<'_>,
        shared: &mut Shared,
    ) -> Result<Strings, RestoreError> {
        let (features, bytes) = self.features.restore_common(kept.features, shared)?;
        let limit = MOST_STRINGS.saturating_sub(bytes);
        let fields = self.fields.restore(kept.fields, limit, shared)?;
        Ok(Strings { fields, features })
    }
}

/// A user, and the subscription that is to be its own.
pub(super) type Restored<'b> = (User, Option<subscriptions::Stored<'b>>);

/// One part of a blob.
pub(super) enum Part<'b> {
    /// How many users there are.
    Users(usize),
    /// What is the node's own, and how many users follow.
    Node(Box<NodeRecord>, usize),
    User(Stored<'b>),
}

/// A user out of a blob.
#[derive(Clone, Copy)]
pub(super) enum Stored<'b> {
    Current(&'b UserRecord<'b>),
    /// Of the release before.
    Previous(&'b UserSnapshot<'b>),
}

/// Hands over the parts of a blob, one by one.
pub(super) fn open(
    blob: &[u8],
    most: usize,
    mut take: impl FnMut(Part<'_>) -> Result<(), RestoreError>,
) -> Result<(), RestoreError> {
    match snapshot::open_any(KIND, &[FORMAT, PREVIOUS_FORMAT], blob)? {
        (PREVIOUS_FORMAT, payload) => {
            let node: PreviousSnapshot<'_> = snapshot::read(payload)?;
            if node.users.len() > most {
                return Err(RestoreError::TooLarge);
            }
            take(Part::Users(node.users.len()))?;
            let mut users = node.users.iter();
            users.try_for_each(|user| take(Part::User(Stored::Previous(user))))
        }
        (_, payload) => {
            let (users, mut records) = Records::counted(payload)?;
            if users > most {
                return Err(RestoreError::TooLarge);
            }
            let node = records.next().ok_or(RestoreError::Damaged)??;
            take(Part::Users(users))?;
            take(Part::Node(Box::new(snapshot::read(node)?), users))?;
            let mut found = 0usize;
            records.try_for_each(|record| {
                found = found.saturating_add(1);
                if found > users {
                    return Err(RestoreError::Damaged);
                }
                take(Part::User(Stored::Current(&read(record?)?)))
            })?;
            match found == users {
                true => Ok(()),
                false => Err(RestoreError::Damaged),
            }
        }
    }
}

/// Appends what a user is in a blob of its own.
pub(super) fn write(user: &User, subscriptions: &Subscriptions, now: Millis, into: &mut Vec<u8>) {
    let record = UserRecord::of(user, subscriptions, &mut Written::new(), now);
    snapshot::write(&record, into);
}

/// Reads one back.
pub(super) fn read(bytes: &[u8]) -> Result<UserRecord<'_>, RestoreError> {
    snapshot::read(bytes)
}

impl<'b> Stored<'b> {
    pub(super) fn restore(
        self,
        (restoring, shared): (&mut Restoring, &mut Shared),
        now: Millis,
        config: &Config,
    ) -> Result<Restored<'b>, RestoreError> {
        let most = config.limits.contacts;
        match self {
            Self::Current(user) => user.restore((restoring, shared), now, most),
            Self::Previous(user) => user.restore(shared, now, most),
        }
    }
}

/// The bit of a registration by its place, of which there are [`MAX_CONTACTS`](super::MAX_CONTACTS) at most.
const fn bit(place: usize) -> u64 {
    1u64.wrapping_shl(place as u32)
}

impl<'b> UserRecord<'b> {
    fn of(
        user: &'b User,
        subscriptions: &'b Subscriptions,
        written: &mut Written<'b>,
        now: Millis,
    ) -> Self {
        let registrations = user.registrations.iter().enumerate();
        let in_dialog = registrations.filter(|(_, registration)| registration.is_in_dialog());
        let in_dialog = in_dialog.fold(0, |bits, (place, _)| bits | bit(place));
        let mut registrations = user.registrations.iter().map(|registration| {
            let strings = written.keep(&registration.strings);
            RegistrationSnapshot::of(registration, strings, now)
        });
        Self {
            private_identity: Name::of(user),
            registration: registrations.next(),
            more: registrations.collect(),
            subscription: user
                .subscription
                .and_then(|id| subscriptions.snapshot(id, &mut written.subscriptions, now)),
            in_dialog,
            left: user.left,
            notify_owed_for: user.notify_owed_until.since(now),
            beside: beside::of(&user.registrations, now),
        }
    }

    fn private_identity(&self) -> Result<&'b [u8], RestoreError> {
        let (place, length) = match self.private_identity {
            Name::Alone(name) => return Ok(name.0),
            Name::Within { place, length } => (place as usize, length as usize),
        };
        let registration = self.registration.as_ref();
        let name =
            registration.and_then(|registration| registration.strings.fields.part(place, length));
        name.ok_or(RestoreError::Damaged)
    }

    fn restore(
        &self,
        (restoring, shared): (&mut Restoring, &mut Shared),
        now: Millis,
        most: usize,
    ) -> Result<Restored<'_>, RestoreError> {
        if self.registration.is_none() && !self.more.is_empty() {
            return Err(RestoreError::Damaged);
        }
        let private_identity = self.private_identity()?.into();
        let mut registrations = Few::new();
        for registration in self.registration.iter().chain(&self.more) {
            if registrations.len() >= most {
                return Err(RestoreError::TooLarge);
            }
            let strings = restoring.restore(registration.strings, shared)?;
            registrations.push(registration.restore(strings, now)?);
        }
        for (place, registration) in registrations.iter_mut().enumerate() {
            let is_in_dialog = self.in_dialog & bit(place) != 0;
            registration.marks.set(Marks::IN_DIALOG, is_in_dialog);
        }
        beside::restore(&self.beside, &mut registrations, now)?;
        let user = User {
            private_identity,
            registrations,
            subscription: None,
            left: self.left,
            notify_owed_until: now.after(self.notify_owed_for),
        };
        let subscription = self.subscription.as_ref();
        let subscription = subscription.map(subscriptions::Stored::Current);
        Ok((user, subscription))
    }
}

impl<'b> Name<'b> {
    fn of(user: &'b User) -> Self {
        let name = &user.private_identity;
        let registration = user.registrations.first();
        let place =
            registration.and_then(|registration| registration.strings.fields.place_of(name));
        match (place.map(u32::try_from), u32::try_from(name.len())) {
            (Some(Ok(place)), Ok(length)) => Self::Within { place, length },
            _ => Self::Alone(Raw(name)),
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
                .map(|registration| {
                    RegistrationSnapshot::of(registration, apart(&registration.strings), now)
                })
                .collect(),
            subscription: user
                .subscription
                .and_then(|id| subscriptions.snapshot_for_previous(id, now)),
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

    fn restore(
        &self,
        shared: &mut Shared,
        now: Millis,
        most: usize,
    ) -> Result<Restored<'_>, RestoreError> {
        if self.registrations.len() > most {
            return Err(RestoreError::TooLarge);
        }
        let registrations = self.registrations.iter().map(|registration| {
            let parts = registration.strings.map(|string| string.0);
            let mut strings = Strings::new(parts, MOST_STRINGS).ok_or(RestoreError::TooLarge)?;
            strings.share(shared);
            registration.restore(strings, now)
        });
        let user = User {
            private_identity: self.private_identity.0.into(),
            registrations: registrations.collect::<Result<_, _>>()?,
            subscription: None,
            left: false,
            notify_owed_until: Millis(0),
        };
        let subscription = self.subscription.as_ref();
        let subscription = subscription.map(subscriptions::Stored::Previous);
        Ok((user, subscription))
    }
}

fn apart(strings: &Strings) -> Apart<'_> {
    let mut parts = strings.fields.parts().map(|part| Joined(part, &[]));
    if let Some(Joined(_, rest)) = parts.get_mut(Field::ContactParams as usize) {
        *rest = strings.features();
    }
    parts
}

/// Bytes that the strings of a registration may have in a blob.
const MOST_STRINGS: usize = u16::MAX as usize;

impl<S> RegistrationSnapshot<S> {
    fn of(registration: &Registration, strings: S, now: Millis) -> Self {
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
            strings,
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

    fn restore(&self, strings: Strings, now: Millis) -> Result<Registration, RestoreError> {
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
        let mut marks = Marks::default();
        marks.set(Marks::SEEN, self.seen);
        marks.set(Marks::QUEUED, matches!(self.state, StateSnapshot::Queued));
        Ok(Registration {
            strings,
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
            begun: Begun::UNKNOWN,
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
