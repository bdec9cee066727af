//! What a node's state is in a blob.

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use super::User;
use crate::{
    drive::{
        Limits, Millis, RestoreError,
        snapshot::{self, Kind},
    },
    regevent::subscriptions::{self, Subscriptions},
};

const KIND: Kind = Kind(3);
const FORMAT: u16 = 1;

#[derive(Serialize, Deserialize)]
struct NodeSnapshot {
    users: Vec<UserSnapshot>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct UserSnapshot {
    private_identity: Vec<u8>,
    flows: Vec<Vec<u8>>,
    subscription: Option<subscriptions::Snapshot>,
}

pub(super) fn seal<'u>(
    users: impl Iterator<Item = &'u User>,
    subscriptions: &Subscriptions,
    now: Millis,
    into: &mut Vec<u8>,
) {
    let of = |user: &User| UserSnapshot {
        private_identity: user.private_identity.to_vec(),
        flows: user.flows.iter().map(|flow| flow.to_vec()).collect(),
        subscription: user
            .subscription
            .and_then(|id| subscriptions.snapshot(id, now)),
    };
    let users = users.map(of).collect();
    snapshot::seal(KIND, FORMAT, &NodeSnapshot { users }, into);
}

pub(super) fn open(blob: &[u8], limits: &Limits) -> Result<Vec<UserSnapshot>, RestoreError> {
    let node: NodeSnapshot = snapshot::open(KIND, FORMAT, blob)?;
    let fits = |user: &UserSnapshot| user.flows.len() <= limits.contacts;
    if node.users.len() > limits.users || !node.users.iter().all(fits) {
        return Err(RestoreError::TooLarge);
    }
    Ok(node.users)
}

impl UserSnapshot {
    pub(super) fn into_parts(self) -> (User, Option<subscriptions::Snapshot>) {
        let user = User {
            private_identity: self.private_identity.into(),
            flows: self.flows.into_iter().map(Into::into).collect(),
            subscription: None,
        };
        (user, self.subscription)
    }
}
