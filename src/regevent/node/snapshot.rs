//! What a node's state is in a blob.

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use super::User;
use crate::{
    drive::{
        Limits, Millis, RestoreError,
        snapshot::{self, Kind, Raw, Records, Release},
    },
    regevent::subscriptions::{self, Subscriptions},
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
struct UserSnapshot<'b> {
    #[serde(borrow)]
    private_identity: Raw<'b>,
    flows: Vec<Raw<'b>>,
    subscription: Option<subscriptions::Snapshot<'b>>,
}

#[derive(Serialize, Deserialize)]
struct UserRecord<'b> {
    #[serde(borrow)]
    user: UserSnapshot<'b>,
    left: bool,
}

pub(super) fn seal<'u>(
    release: Release,
    users: impl Iterator<Item = &'u User>,
    subscriptions: &Subscriptions,
    now: Millis,
    into: &mut Vec<u8>,
) {
    match release {
        Release::Current => snapshot::seal_written(KIND, FORMAT, into, |into| {
            let records = users.map(|user| UserRecord::of(user, subscriptions, now));
            records.for_each(|record| snapshot::write_record(&record, into));
        }),
        Release::Previous => {
            let users = users.map(|user| UserSnapshot::of(user, subscriptions, now));
            let users = users.collect();
            snapshot::seal_for_previous(KIND, PREVIOUS_FORMAT, &PreviousSnapshot { users }, into);
        }
    }
}

/// A user, and the subscription that is to be its own.
pub(super) type Restored<'b> = (User, Option<subscriptions::Snapshot<'b>>);

/// Hands over the users of a blob, one by one.
pub(super) fn open(
    blob: &[u8],
    limits: &Limits,
    mut take: impl FnMut(Restored<'_>) -> Result<(), RestoreError>,
) -> Result<(), RestoreError> {
    match snapshot::open_any(KIND, &[FORMAT, PREVIOUS_FORMAT], blob)? {
        (PREVIOUS_FORMAT, payload) => {
            let node: PreviousSnapshot<'_> = snapshot::read(payload)?;
            if node.users.len() > limits.users {
                return Err(RestoreError::TooLarge);
            }
            let mut users = node.users.into_iter();
            users.try_for_each(|user| take(user.restore(limits)?))
        }
        (_, payload) => Records::new(payload)
            .enumerate()
            .try_for_each(|(number, record)| {
                if number >= limits.users {
                    return Err(RestoreError::TooLarge);
                }
                take(read(record?, limits)?)
            }),
    }
}

/// Appends what a user is in a blob of many.
pub(super) fn write(user: &User, subscriptions: &Subscriptions, now: Millis, into: &mut Vec<u8>) {
    snapshot::write(&UserRecord::of(user, subscriptions, now), into);
}

/// Reads one back.
pub(super) fn read<'b>(bytes: &'b [u8], limits: &Limits) -> Result<Restored<'b>, RestoreError> {
    let record: UserRecord<'_> = snapshot::read(bytes)?;
    let (mut user, subscription) = record.user.restore(limits)?;
    user.left = record.left;
    Ok((user, subscription))
}

impl<'b> UserRecord<'b> {
    fn of(user: &'b User, subscriptions: &'b Subscriptions, now: Millis) -> Self {
        Self {
            user: UserSnapshot::of(user, subscriptions, now),
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
                .and_then(|id| subscriptions.snapshot(id, now)),
        }
    }

    fn restore(self, limits: &Limits) -> Result<Restored<'b>, RestoreError> {
        if self.flows.len() > limits.contacts {
            return Err(RestoreError::TooLarge);
        }
        let user = User {
            private_identity: self.private_identity.0.into(),
            flows: self.flows.into_iter().map(|flow| flow.0.into()).collect(),
            subscription: None,
            left: false,
        };
        Ok((user, self.subscription))
    }
}
