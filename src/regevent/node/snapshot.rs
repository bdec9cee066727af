//! What a node's state is in a blob.

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use super::User;
use crate::{
    drive::{
        Limits, Millis, RestoreError,
        snapshot::{self, Kind, Raw, Records, Release},
    },
    fleet::Gathered,
    regevent::{
        subscriber,
        subscriptions::{self, Subscriptions},
    },
};

const KIND: Kind = Kind(3);
/// A record for each user, with what the format before cannot say.
const FORMAT: u16 = 2;
/// All users in one structure.
const PREVIOUS_FORMAT: u16 = 1;

/// Of the blob of one user.
pub(super) const USER: Kind = Kind(0x103);
pub(super) const USER_FORMAT: u16 = 1;

#[derive(Serialize, Deserialize)]
struct PreviousSnapshot<'b> {
    #[serde(borrow)]
    users: Vec<UserSnapshot<'b>>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct UserSnapshot<'b> {
    #[serde(borrow)]
    private_identity: Raw<'b>,
    flows: Vec<Raw<'b>>,
    subscription: Option<subscriptions::PreviousSnapshot<'b>>,
}

/// A user; what subscriptions have in common stands with the first that has it.
#[derive(Serialize, Deserialize)]
pub(super) struct UserRecord<'b> {
    #[serde(borrow)]
    private_identity: Raw<'b>,
    flows: Vec<Raw<'b>>,
    subscription: Option<subscriptions::CurrentSnapshot<'b>>,
    left: bool,
}

pub(super) fn seal<'u>(
    release: Release,
    users: impl Iterator<Item = &'u User> + Clone,
    subscriptions: &Subscriptions,
    now: Millis,
    into: &mut Vec<u8>,
) {
    match release {
        Release::Current => snapshot::seal_written(KIND, FORMAT, into, |into| {
            let mut written = subscriber::Written::new();
            snapshot::write_count(users.clone().count(), into);
            for user in users {
                let record = UserRecord::of(user, subscriptions, &mut written, now);
                snapshot::write_record(&record, into);
            }
        }),
        Release::Previous => {
            let users = users.map(|user| UserSnapshot::of(user, subscriptions, now));
            let users = users.collect();
            snapshot::seal_for_previous(KIND, PREVIOUS_FORMAT, &PreviousSnapshot { users }, into);
        }
    }
}

/// Users that are taken in from a blob: their keys, and what their subscriptions are.
pub(super) struct Restoring {
    pub(super) keys: Gathered,
    pub(super) subscriptions: subscriptions::Restoring,
}

impl Restoring {
    /// Of a blob that begins.
    pub(super) fn new() -> Self {
        Self {
            keys: Gathered::default(),
            subscriptions: subscriptions::Restoring::new(),
        }
    }
}

/// A user, and the subscription that is to be its own.
pub(super) type Restored<'b> = (User, Option<subscriptions::Stored<'b>>);

/// One part of a blob.
pub(super) enum Part<'b> {
    /// How many users follow.
    Users(usize),
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
            take(Part::Users(users))?;
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
    let record = UserRecord::of(user, subscriptions, &mut subscriber::Written::new(), now);
    snapshot::write(&record, into);
}

/// Reads one back.
pub(super) fn read(bytes: &[u8]) -> Result<UserRecord<'_>, RestoreError> {
    snapshot::read(bytes)
}

impl<'b> Stored<'b> {
    pub(super) const fn private_identity(&self) -> &'b [u8] {
        match self {
            Self::Current(user) => user.private_identity.0,
            Self::Previous(user) => user.private_identity.0,
        }
    }

    pub(super) fn restore(self, limits: &Limits) -> Result<Restored<'b>, RestoreError> {
        let (private_identity, flows, left) = match self {
            Self::Current(user) => (user.private_identity, &user.flows, user.left),
            Self::Previous(user) => (user.private_identity, &user.flows, false),
        };
        if flows.len() > limits.contacts {
            return Err(RestoreError::TooLarge);
        }
        let user = User {
            private_identity: private_identity.0.into(),
            flows: flows.iter().map(|flow| flow.0.into()).collect(),
            subscription: None,
            left,
        };
        let subscription = match self {
            Self::Current(user) => {
                let subscription = user.subscription.as_ref();
                subscription.map(subscriptions::Stored::Current)
            }
            Self::Previous(user) => {
                let subscription = user.subscription.as_ref();
                subscription.map(subscriptions::Stored::Previous)
            }
        };
        Ok((user, subscription))
    }
}

impl<'b> UserRecord<'b> {
    fn of(
        user: &'b User,
        subscriptions: &'b Subscriptions,
        written: &mut subscriber::Written<'b>,
        now: Millis,
    ) -> Self {
        Self {
            private_identity: Raw(&user.private_identity),
            flows: user.flows.iter().map(|flow| Raw(flow)).collect(),
            subscription: user
                .subscription
                .and_then(|id| subscriptions.snapshot(id, written, now)),
            left: user.left,
        }
    }
}

impl<'b> UserSnapshot<'b> {
    fn of(user: &'b User, subscriptions: &'b Subscriptions, now: Millis) -> Self {
        Self {
            private_identity: Raw(&user.private_identity),
            flows: user.flows.iter().map(|flow| Raw(flow)).collect(),
            subscription: user
                .subscription
                .and_then(|id| subscriptions.snapshot_for_previous(id, now)),
        }
    }
}
