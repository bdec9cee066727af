//! What a P-CSCF's state is in a blob. Instants stand as milliseconds from now.

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use super::{
    Cause, Config, Outcome, Registration,
    deregistration::{Calling, Running, State, Step},
    registration::Strings,
    user::User,
};
use crate::{
    drive::{
        Identifier, Millis, RestoreError,
        snapshot::{self, Kind},
    },
    fleet::Seldom,
    regevent::subscriptions::{self, Subscriptions},
};

const KIND: Kind = Kind(1);
const FORMAT: u16 = 2;

#[derive(Serialize, Deserialize)]
struct NodeSnapshot {
    users: Vec<UserSnapshot>,
}

#[derive(Serialize, Deserialize)]
struct UserSnapshot {
    private_identity: Vec<u8>,
    registrations: Vec<RegistrationSnapshot>,
    subscription: Option<subscriptions::Snapshot>,
}

#[derive(Serialize, Deserialize)]
struct RegistrationSnapshot {
    strings: [Vec<u8>; super::registration::FIELDS],
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
}

pub(super) fn seal<'u>(
    users: impl Iterator<Item = &'u User>,
    subscriptions: &Subscriptions,
    now: Millis,
    into: &mut Vec<u8>,
) {
    let of = |user| UserSnapshot::of(user, subscriptions, now);
    let users = users.map(of).collect();
    snapshot::seal(KIND, FORMAT, &NodeSnapshot { users }, into);
}

/// A user, and the subscription that is to be its own.
pub(super) type Restored = (User, Option<subscriptions::Snapshot>);

pub(super) fn open(
    blob: &[u8],
    now: Millis,
    config: &Config,
) -> Result<Vec<Restored>, RestoreError> {
    let node: NodeSnapshot = snapshot::open(KIND, FORMAT, blob)?;
    if node.users.len() > config.limits.users {
        return Err(RestoreError::TooLarge);
    }
    node.users
        .into_iter()
        .map(|user| user.restore(now, config))
        .collect()
}

impl UserSnapshot {
    fn of(user: &User, subscriptions: &Subscriptions, now: Millis) -> Self {
        Self {
            private_identity: user.private_identity.to_vec(),
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

    fn restore(self, now: Millis, config: &Config) -> Result<Restored, RestoreError> {
        if self.registrations.len() > config.limits.contacts {
            return Err(RestoreError::TooLarge);
        }
        let registrations = self
            .registrations
            .iter()
            .map(|registration| registration.restore(now))
            .collect::<Result<Vec<_>, _>>()?;
        let user = User {
            private_identity: self.private_identity.into(),
            registrations: registrations.into(),
            subscription: None,
        };
        Ok((user, self.subscription))
    }
}

impl RegistrationSnapshot {
    fn of(registration: &Registration, now: Millis) -> Self {
        let state = match registration.state() {
            State::Registered => StateSnapshot::Registered,
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
            State::Cleaning {
                outcome,
                step,
                key,
                until,
                ..
            } => StateSnapshot::Cleaning {
                outcome: outcome_code(outcome),
                step,
                key,
                left: until.since(now),
            },
        };
        Self {
            strings: registration.strings.parts().map(<[u8]>::to_vec),
            emergency: registration.emergency,
            expires_in: registration.expires_at.since(now),
            granted: registration.granted,
            seen: registration.seen,
            state,
            cause: cause_code(registration.cause),
            registers: registration.registers,
            calling: registration.running.get().calling,
        }
    }

    fn restore(&self, now: Millis) -> Result<Registration, RestoreError> {
        let token = None;
        let state = match self.state {
            StateSnapshot::Registered => State::Registered,
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
                until: now.after(left),
            },
        };
        let parts = self.strings.each_ref().map(Vec::as_slice);
        Ok(Registration {
            strings: Strings::new(parts, usize::from(u16::MAX)).ok_or(RestoreError::TooLarge)?,
            emergency: self.emergency,
            expires_at: now.after(self.expires_in),
            granted: self.granted,
            seen: self.seen,
            running: Seldom::new(Running {
                state,
                calling: self.calling,
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
    }
}

const fn cause_of(code: u8) -> Option<Cause> {
    Some(match code {
        0 => Cause::AccessLost,
        1 => Cause::RegistrationTimer,
        2 => Cause::Network,
        3 => Cause::User,
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
        _ => return None,
    })
}
