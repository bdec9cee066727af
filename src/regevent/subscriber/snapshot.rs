//! What a subscription is in a blob. Instants stand as milliseconds from now; none of them is before it, as another
//! epoch may not reach so far back.

use serde::{Deserialize, Serialize};

use super::{COMMON, MOST_STRINGS, Pending, STRINGS, State, Strings, Subscription};
use crate::{
    drive::{
        Identifier, Millis, RestoreError,
        snapshot::{Plain, Raw},
    },
    fleet::{AlikeRead, AlikeWritten, Kept, Seldom, Shared},
    regevent::trunk_group::Network,
};

/// What the subscriptions of a blob have in common, while it is written and read.
pub(crate) type Written<'s> = AlikeWritten<'s>;
pub(crate) type Read = AlikeRead<COMMON>;

/// The strings of a subscription, each by itself.
type Apart<'b> = [Raw<'b>; STRINGS];

/// What a subscription is in a blob, where its strings, and its identifiers, stand in one way or another.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Snapshot<S, I> {
    state: StateSnapshot,
    strings: S,
    visited: bool,
    call_id: I,
    local_tag: I,
    local_cseq: u32,
    remote_cseq: Option<u32>,
    asked: u32,
    granted: Option<u32>,
    expires_in: u64,
    refresh_in: u64,
    floor_in: u64,
    settled_in: u64,
    leave: bool,
    approved: bool,
    stated: bool,
    lapsed: bool,
    raised: bool,
    attempts: u8,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum StateSnapshot {
    Idle,
    Routing {
        key: Identifier,
        left: u64,
    },
    Subscribing {
        pending: Option<Pending>,
        notified: bool,
        left: u64,
    },
    Active,
    Refreshing {
        pending: Option<Pending>,
        notified: bool,
        left: u64,
    },
    Unsubscribing {
        pending: Option<Pending>,
        left: u64,
    },
    /// A SUBSCRIBE that was still out is not offered again, as its dialog is gone; it is waited for.
    Waiting {
        left: u64,
    },
    Ended,
    Cancelled,
}

impl StateSnapshot {
    fn of(state: State, now: Millis) -> Self {
        match state {
            State::Idle => Self::Idle,
            State::Routing { key, until, .. } => Self::Routing {
                key,
                left: until.since(now),
            },
            State::Subscribing {
                pending,
                notified,
                timer_n,
            } => Self::Subscribing {
                pending,
                notified,
                left: timer_n.since(now),
            },
            State::Active => Self::Active,
            State::Refreshing {
                pending,
                notified,
                timer_n,
            } => Self::Refreshing {
                pending,
                notified,
                left: timer_n.since(now),
            },
            State::Unsubscribing { pending, timer_n } => Self::Unsubscribing {
                pending,
                left: timer_n.since(now),
            },
            State::Waiting {
                until,
                pending,
                timer_n,
            } => Self::Waiting {
                left: match pending {
                    Some(_) => until.max(timer_n).since(now),
                    None => until.since(now),
                },
            },
            State::Cancelled => Self::Cancelled,
            State::Ended => Self::Ended,
        }
    }

    fn restore(self, now: Millis) -> State {
        match self {
            Self::Idle => State::Idle,
            Self::Routing { key, left } => State::Routing {
                token: None,
                key,
                until: now.after(left),
            },
            Self::Subscribing {
                pending,
                notified,
                left,
            } => State::Subscribing {
                pending,
                notified,
                timer_n: now.after(left),
            },
            Self::Active => State::Active,
            Self::Refreshing {
                pending,
                notified,
                left,
            } => State::Refreshing {
                pending,
                notified,
                timer_n: now.after(left),
            },
            Self::Unsubscribing { pending, left } => State::Unsubscribing {
                pending,
                timer_n: now.after(left),
            },
            Self::Waiting { left } => State::Waiting {
                until: now.after(left),
                pending: None,
                timer_n: now,
            },
            Self::Ended => State::Ended,
            Self::Cancelled => State::Cancelled,
        }
    }
}

/// As it stands in the format before.
pub(crate) type PreviousSnapshot<'b> = Snapshot<Apart<'b>, Identifier>;
/// As it stands now.
pub(crate) type CurrentSnapshot<'b> = Snapshot<Kept<'b>, Plain>;

impl Subscription {
    pub(crate) fn snapshot_for_previous(&self, now: Millis) -> PreviousSnapshot<'_> {
        self.snapshot_with(self.strings.parts().map(Raw), |own| own, now)
    }

    pub(crate) fn snapshot<'s>(
        &'s self,
        written: &mut Written<'s>,
        now: Millis,
    ) -> CurrentSnapshot<'s> {
        self.snapshot_with(written.keep(&self.strings), Plain, now)
    }

    fn snapshot_with<S, I>(
        &self,
        strings: S,
        stands: impl Fn(Identifier) -> I,
        now: Millis,
    ) -> Snapshot<S, I> {
        Snapshot {
            state: StateSnapshot::of(self.state.get(), now),
            strings,
            visited: self.network == Network::Visited,
            call_id: stands(self.call_id),
            local_tag: stands(self.local_tag),
            local_cseq: self.local_cseq,
            remote_cseq: self.remote_cseq,
            asked: self.asked,
            granted: self.granted,
            expires_in: self.expires_at.since(now),
            refresh_in: self.refresh_at.since(now),
            floor_in: self.floor_at.since(now),
            settled_in: self.settled_at.since(now),
            leave: self.leave,
            approved: self.approved,
            stated: self.stated,
            lapsed: self.lapsed,
            raised: self.raised,
            attempts: self.attempts,
        }
    }

    pub(crate) fn restore_previous(
        snapshot: &PreviousSnapshot<'_>,
        shared: &mut Shared,
        now: Millis,
    ) -> Result<Self, RestoreError> {
        let parts = snapshot.strings.map(|string| string.0);
        let mut strings = Strings::new(parts, MOST_STRINGS).ok_or(RestoreError::TooLarge)?;
        shared.share(&mut strings);
        Ok(Self::restore_with(snapshot, strings, |own| own, now))
    }

    pub(crate) fn restore(
        snapshot: &CurrentSnapshot<'_>,
        (read, shared): (&mut Read, &mut Shared),
        now: Millis,
    ) -> Result<Self, RestoreError> {
        let strings = read.restore(snapshot.strings, MOST_STRINGS, shared)?;
        Ok(Self::restore_with(snapshot, strings, |own| own.0, now))
    }

    fn restore_with<S, I: Copy>(
        snapshot: &Snapshot<S, I>,
        strings: Strings,
        stood: impl Fn(I) -> Identifier,
        now: Millis,
    ) -> Self {
        Self {
            state: Seldom::new(snapshot.state.restore(now)),
            strings,
            network: match snapshot.visited {
                true => Network::Visited,
                false => Network::Home,
            },
            call_id: stood(snapshot.call_id),
            local_tag: stood(snapshot.local_tag),
            local_cseq: snapshot.local_cseq,
            remote_cseq: snapshot.remote_cseq,
            asked: snapshot.asked,
            granted: snapshot.granted,
            expires_at: now.after(snapshot.expires_in),
            refresh_at: now.after(snapshot.refresh_in),
            floor_at: now.after(snapshot.floor_in),
            settled_at: now.after(snapshot.settled_in),
            leave: snapshot.leave,
            approved: snapshot.approved,
            stated: snapshot.stated,
            lapsed: snapshot.lapsed,
            raised: snapshot.raised,
            attempts: snapshot.attempts,
        }
    }
}
