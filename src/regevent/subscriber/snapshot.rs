//! What a subscription is in a blob. Instants stand as milliseconds from now.

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use super::{Pending, State, Subscription};
use crate::{
    drive::{Identifier, Millis, RestoreError},
    fleet::Packed,
};

/// What a subscription is in a blob. Instants stand as milliseconds from now.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    state: StateSnapshot,
    strings: [Vec<u8>; 4],
    call_id: Identifier,
    local_tag: Identifier,
    local_cseq: u32,
    remote_cseq: Option<u32>,
    asked: u32,
    granted: Option<u32>,
    expires_in: u64,
    refresh_in: u64,
    leave: bool,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum StateSnapshot {
    Idle,
    Subscribing {
        pending: Option<Pending>,
        notified: bool,
        timer_n_in: u64,
    },
    Active,
    Refreshing {
        pending: Pending,
        timer_n_in: u64,
    },
    Unsubscribing {
        pending: Option<Pending>,
        timer_n_in: u64,
    },
    Ended,
}

impl Subscription {
    pub(crate) fn snapshot(&self, now: Millis) -> Snapshot {
        let state = match self.state {
            State::Idle => StateSnapshot::Idle,
            State::Subscribing {
                pending,
                notified,
                timer_n,
            } => StateSnapshot::Subscribing {
                pending,
                notified,
                timer_n_in: timer_n.since(now),
            },
            State::Active => StateSnapshot::Active,
            State::Refreshing { pending, timer_n } => StateSnapshot::Refreshing {
                pending,
                timer_n_in: timer_n.since(now),
            },
            State::Unsubscribing { pending, timer_n } => StateSnapshot::Unsubscribing {
                pending,
                timer_n_in: timer_n.since(now),
            },
            State::Ended => StateSnapshot::Ended,
        };
        Snapshot {
            state,
            strings: self.strings.parts().map(<[u8]>::to_vec),
            call_id: self.call_id,
            local_tag: self.local_tag,
            local_cseq: self.local_cseq,
            remote_cseq: self.remote_cseq,
            asked: self.asked,
            granted: self.granted,
            expires_in: self.expires_at.since(now),
            refresh_in: self.refresh_at.since(now),
            leave: self.leave,
        }
    }

    pub(crate) fn restore(snapshot: &Snapshot, now: Millis) -> Result<Self, RestoreError> {
        let state = match snapshot.state {
            StateSnapshot::Idle => State::Idle,
            StateSnapshot::Subscribing {
                pending,
                notified,
                timer_n_in,
            } => State::Subscribing {
                pending,
                notified,
                timer_n: now.after(timer_n_in),
            },
            StateSnapshot::Active => State::Active,
            StateSnapshot::Refreshing {
                pending,
                timer_n_in,
            } => State::Refreshing {
                pending,
                timer_n: now.after(timer_n_in),
            },
            StateSnapshot::Unsubscribing {
                pending,
                timer_n_in,
            } => State::Unsubscribing {
                pending,
                timer_n: now.after(timer_n_in),
            },
            StateSnapshot::Ended => State::Ended,
        };
        let parts = snapshot.strings.each_ref().map(Vec::as_slice);
        Ok(Self {
            state,
            strings: Packed::new(parts, usize::from(u16::MAX)).ok_or(RestoreError::TooLarge)?,
            call_id: snapshot.call_id,
            local_tag: snapshot.local_tag,
            local_cseq: snapshot.local_cseq,
            remote_cseq: snapshot.remote_cseq,
            asked: snapshot.asked,
            granted: snapshot.granted,
            expires_at: now.after(snapshot.expires_in),
            refresh_at: now.after(snapshot.refresh_in),
            leave: snapshot.leave,
        })
    }
}
