//! What an MSC server's state is in a blob. Instants stand as milliseconds from now.

mod outcomes;

use alloc::{boxed::Box, vec::Vec};
use serde::{Deserialize, Serialize};

use super::{
    Cause, Config, NotAsked, Outcome, Registration, Tally,
    deregistration::{Former, Running, State},
    dialogs::{DialogRef, Entry, Held, Release},
    registration::{COMMON, Strings},
};
use crate::{
    deregister::{Calling, pacing, shutdown},
    dialog::Sequence,
    drive::{
        Begun, Identifier, Millis, RestoreError,
        snapshot::{self, Kind, Raw, Records},
    },
    fleet::{AlikeRead, AlikeWritten, Few, Gathered, Id, Kept, Packed, Rest, Seldom, Shared},
    regevent::{
        subscriber,
        subscriptions::{self, CurrentSnapshot, Subscriptions},
    },
};

pub(super) use outcomes::{read_outcome, write_outcome};

const KIND: Kind = Kind(5);
const FORMAT: u16 = 1;
/// Of the blob of one subscriber.
pub(super) const SUBSCRIBER: Kind = Kind(0x105);
pub(super) const SUBSCRIBER_FORMAT: u16 = 1;

/// What is the node's own: it stands before its subscribers, whom it numbers in their order.
#[derive(Serialize, Deserialize)]
pub(super) struct NodeRecord {
    pub(super) shutdown: Option<shutdown::Snapshot<Tally>>,
    pub(super) pacing: Option<pacing::Snapshot>,
}

/// A subscriber.
#[derive(Serialize, Deserialize)]
pub(super) struct SubscriberRecord<'b> {
    #[serde(borrow)]
    strings: Kept<'b>,
    requires_path: bool,
    cseq: u32,
    seen: bool,
    told_since: bool,
    queued: bool,
    cause: u8,
    registers: u8,
    expires_in: u64,
    running: Option<RunningSnapshot<'b>>,
    dialogs: Vec<DialogSnapshot<'b>>,
    subscription: Option<CurrentSnapshot<'b>>,
    /// [DR-9] How long ago its deregistration began.
    begun: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct RunningSnapshot<'b> {
    state: StateSnapshot,
    calling: Option<Calling>,
    release_left: Option<u64>,
    released: u8,
    returned: bool,
    renewed: bool,
    ends: Option<(u8, u16)>,
    last: Option<(u8, u16)>,
    left: Option<(u8, u16)>,
    #[serde(borrow)]
    former: Option<FormerSnapshot<'b>>,
}

#[derive(Serialize, Deserialize)]
struct FormerSnapshot<'b> {
    #[serde(borrow)]
    strings: Kept<'b>,
    requires_path: bool,
}

#[derive(Serialize, Deserialize)]
enum StateSnapshot {
    Registered,
    Releasing { left: u64 },
    Sent { branch: Identifier, left: u64 },
    Waiting { left: u64 },
}

#[derive(Serialize, Deserialize)]
struct DialogSnapshot<'b> {
    reference: u64,
    #[serde(borrow)]
    held: Option<HeldSnapshot<'b>>,
    release: Option<Identifier>,
}

#[derive(Serialize, Deserialize)]
struct HeldSnapshot<'b> {
    #[serde(borrow)]
    strings: Raw<'b>,
    is_secure: bool,
    local: u32,
    remote: Option<u32>,
}

/// A subscriber's machine, and what it is subscribed by.
pub(super) type Subscribed<'s> = (&'s Registration, Option<Id>);

pub(super) fn seal<'s>(
    node: &NodeRecord,
    subscribers: impl Iterator<Item = Subscribed<'s>> + Clone,
    subscriptions: &Subscriptions,
    now: Millis,
    into: &mut Vec<u8>,
) {
    snapshot::seal_written(KIND, FORMAT, into, |into| {
        let mut strings = AlikeWritten::new();
        let mut subscribed = subscriber::Written::new();
        snapshot::write_count(subscribers.clone().count(), into);
        snapshot::write_record(node, into);
        for subscriber in subscribers {
            let written = (&mut strings, &mut subscribed);
            let record = SubscriberRecord::of(subscriber, subscriptions, written, now);
            snapshot::write_record(&record, into);
        }
    });
}

/// Appends what a subscriber is in a blob of its own.
pub(super) fn write(
    subscriber: Subscribed<'_>,
    subscriptions: &Subscriptions,
    now: Millis,
    into: &mut Vec<u8>,
) {
    let written = (&mut AlikeWritten::new(), &mut subscriber::Written::new());
    let record = SubscriberRecord::of(subscriber, subscriptions, written, now);
    snapshot::write(&record, into);
}

/// Reads one back.
pub(super) fn read(bytes: &[u8]) -> Result<SubscriberRecord<'_>, RestoreError> {
    snapshot::read(bytes)
}

/// Subscribers that are taken in from a blob: what they have in common, their keys, and the same of their
/// subscriptions.
pub(super) struct Restoring {
    strings: AlikeRead<COMMON>,
    pub(super) keys: Gathered,
    pub(super) subscriptions: subscriptions::Restoring,
}

impl Restoring {
    /// Of a blob that begins.
    pub(super) fn new() -> Self {
        Self {
            strings: AlikeRead::new(),
            keys: Gathered::default(),
            subscriptions: subscriptions::Restoring::new(),
        }
    }
}

/// One part of a blob.
pub(super) enum Part<'b> {
    /// What is the node's own, and how many subscribers follow.
    Node(Box<NodeRecord>, usize),
    Subscriber(Box<SubscriberRecord<'b>>),
}

/// Hands over the parts of a blob, one by one.
pub(super) fn open(
    blob: &[u8],
    most: usize,
    mut take: impl FnMut(Part<'_>) -> Result<(), RestoreError>,
) -> Result<(), RestoreError> {
    let (_, payload) = snapshot::open_any(KIND, &[FORMAT], blob)?;
    let (subscribers, mut records) = Records::counted(payload)?;
    if subscribers > most {
        return Err(RestoreError::TooLarge);
    }
    let node = records.next().ok_or(RestoreError::Damaged)??;
    take(Part::Node(Box::new(snapshot::read(node)?), subscribers))?;
    let mut found = 0usize;
    records.try_for_each(|record| {
        found = found.saturating_add(1);
        if found > subscribers {
            return Err(RestoreError::Damaged);
        }
        take(Part::Subscriber(Box::new(snapshot::read(record?)?)))
    })?;
    match found == subscribers {
        true => Ok(()),
        false => Err(RestoreError::Damaged),
    }
}

impl<'b> SubscriberRecord<'b> {
    fn of(
        (registration, subscription): Subscribed<'b>,
        subscriptions: &'b Subscriptions,
        (strings, subscribed): (&mut AlikeWritten<'b>, &mut subscriber::Written<'b>),
        now: Millis,
    ) -> Self {
        let running = registration.running.get();
        let is_running = !matches!(running.state, State::Registered) || running.ends.is_some();
        let former = registration.former();
        Self {
            strings: strings.keep(&registration.strings.0),
            requires_path: registration.requires_path,
            cseq: registration.cseq,
            seen: registration.seen,
            told_since: registration.told_since,
            queued: registration.queued,
            cause: registration.cause as u8,
            registers: registration.registers,
            expires_in: registration.expires_at.since(now),
            running: is_running.then(|| RunningSnapshot {
                former: former.map(|former| FormerSnapshot {
                    strings: strings.keep(&former.strings.0),
                    requires_path: former.requires_path,
                }),
                ..RunningSnapshot::of(&running, now)
            }),
            dialogs: registration
                .dialogs
                .iter()
                .map(DialogSnapshot::of)
                .collect(),
            subscription: subscription.and_then(|id| subscriptions.snapshot(id, subscribed, now)),
            begun: registration.begun.age(now),
        }
    }

    /// What it is subscribed by.
    pub(super) const fn subscription(&self) -> Option<subscriptions::Stored<'_>> {
        match &self.subscription {
            Some(subscription) => Some(subscriptions::Stored::Current(subscription)),
            None => None,
        }
    }

    /// What its REGISTERs are made of, if that is not what the host has registered last.
    fn former(&self) -> Option<&FormerSnapshot<'_>> {
        self.running.as_ref()?.former.as_ref()
    }

    pub(super) fn restore(
        &self,
        (restoring, shared): (&mut Restoring, &mut Shared),
        now: Millis,
        config: &Config,
    ) -> Result<Registration, RestoreError> {
        let limits = &config.limits;
        let most = limits.registration_bytes;
        if self.dialogs.len() > limits.dialogs {
            return Err(RestoreError::TooLarge);
        }
        let dialogs = self.dialogs.iter().map(|dialog| dialog.restore(most));
        let running = match &self.running {
            Some(running) => running.restore(now)?,
            None => Running::AT_REST,
        };
        let kept = &mut restoring.strings;
        let mut restored = |strings| kept.restore(strings, most, shared).map(Strings);
        let mut registration = Registration {
            strings: restored(self.strings)?,
            requires_path: self.requires_path,
            cseq: self.cseq,
            seen: self.seen,
            told_since: self.told_since,
            queued: self.queued,
            cause: cause_of(self.cause).ok_or(RestoreError::Damaged)?,
            registers: self.registers,
            expires_at: now.after(self.expires_in),
            running: Seldom::new(running),
            dialogs: dialogs.collect::<Result<Few<Entry>, _>>()?,
            begun: Begun::of_age(now, self.begun),
        };
        if let Some(former) = self.former() {
            registration.set_former(Some(Box::new(Former {
                strings: restored(former.strings)?,
                requires_path: former.requires_path,
            })));
        }
        Ok(registration)
    }
}

impl RunningSnapshot<'_> {
    /// Without what its REGISTERs are made of.
    fn of(running: &Running, now: Millis) -> Self {
        Self {
            state: match running.state {
                // Whoever waits for a turn is known by that.
                State::Registered | State::Queued => StateSnapshot::Registered,
                State::Releasing { until } => StateSnapshot::Releasing {
                    left: until.since(now),
                },
                State::Sent { branch, until, .. } => StateSnapshot::Sent {
                    branch,
                    left: until.since(now),
                },
                State::Waiting { until } => StateSnapshot::Waiting {
                    left: until.since(now),
                },
            },
            calling: running.calling,
            release_left: running.release_until.map(|until| until.since(now)),
            released: running.released,
            returned: running.returned,
            renewed: running.renewed,
            ends: running.ends.map(outcome_code),
            last: running.last.map(outcome_code),
            left: running.left.map(outcome_code),
            former: None,
        }
    }

    fn restore(&self, now: Millis) -> Result<Running, RestoreError> {
        let outcome = |code: Option<(u8, u16)>| match code {
            Some(code) => Ok(Some(outcome_of(code).ok_or(RestoreError::Damaged)?)),
            None => Ok(None),
        };
        let is_sent = matches!(self.state, StateSnapshot::Sent { .. });
        if is_sent && self.calling.is_none() {
            return Err(RestoreError::Damaged);
        }
        Ok(Running {
            state: match self.state {
                StateSnapshot::Registered => State::Registered,
                StateSnapshot::Releasing { left } => State::Releasing {
                    until: now.after(left),
                },
                StateSnapshot::Sent { branch, left } => State::Sent {
                    token: None,
                    branch,
                    until: now.after(left),
                },
                StateSnapshot::Waiting { left } => State::Waiting {
                    until: now.after(left),
                },
            },
            calling: self.calling,
            release_until: self.release_left.map(|left| now.after(left)),
            released: self.released,
            returned: self.returned,
            renewed: self.renewed,
            ends: outcome(self.ends)?,
            last: outcome(self.last)?,
            left: outcome(self.left)?,
        })
    }
}

impl<'b> DialogSnapshot<'b> {
    fn of(entry: &'b Entry) -> Self {
        Self {
            reference: entry.reference.0,
            held: entry.held.as_ref().map(|held| HeldSnapshot {
                strings: Raw(held.strings.as_bytes()),
                is_secure: held.is_secure,
                local: held.sequence.local,
                remote: held.sequence.remote,
            }),
            release: entry.release.map(|release| release.id),
        }
    }

    fn restore(&self, most: usize) -> Result<Entry, RestoreError> {
        let held = match &self.held {
            Some(held) => Some(Box::new(held.restore(most)?)),
            None => None,
        };
        Ok(Entry {
            reference: DialogRef(self.reference),
            held,
            release: self.release.map(|id| Release { token: None, id }),
        })
    }
}

impl HeldSnapshot<'_> {
    fn restore(&self, most: usize) -> Result<Held, RestoreError> {
        let (strings, bytes) = Packed::of_blob(self.strings.0).ok_or(RestoreError::Damaged)?;
        if bytes > most {
            return Err(RestoreError::TooLarge);
        }
        Ok(Held {
            strings,
            is_secure: self.is_secure,
            sequence: Sequence {
                local: self.local,
                remote: self.remote,
            },
        })
    }
}

const fn cause_of(code: u8) -> Option<Cause> {
    Some(match code {
        0 => Cause::CancelLocation,
        1 => Cause::ImplicitDetach,
        2 => Cause::Purge,
        3 => Cause::ExplicitDetach,
        4 => Cause::Administrative,
        5 => Cause::Shutdown,
        6 => Cause::Expiry,
        7 => Cause::Network,
        8 => Cause::Host,
        _ => return None,
    })
}

const fn outcome_code(outcome: Outcome) -> (u8, u16) {
    match outcome {
        Outcome::Confirmed => (0, 0),
        Outcome::NothingThere { status } => (1, status),
        Outcome::Challenged { status } => (2, status),
        Outcome::Refused { status } => (3, status),
        Outcome::Failed { status } => (4, status),
        Outcome::NoResponse => (5, 0),
        Outcome::Notified => (6, 0),
        Outcome::ByHost => (7, 0),
        Outcome::Unsendable => (8, 0),
        Outcome::NotAsked { why } => (9, why as u16),
    }
}

const fn outcome_of((code, status): (u8, u16)) -> Option<Outcome> {
    Some(match code {
        0 => Outcome::Confirmed,
        1 => Outcome::NothingThere { status },
        2 => Outcome::Challenged { status },
        3 => Outcome::Refused { status },
        4 => Outcome::Failed { status },
        5 => Outcome::NoResponse,
        6 => Outcome::Notified,
        7 => Outcome::ByHost,
        8 => Outcome::Unsendable,
        9 => Outcome::NotAsked {
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
