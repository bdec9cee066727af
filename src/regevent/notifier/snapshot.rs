//! A subscription in a blob.

use alloc::boxed::Box;
use serde::{Deserialize, Serialize};

use super::{End, Outstanding, STRINGS, State, Strings, Subscription};
use crate::drive::{Identifier, Millis, RestoreError, snapshot::Raw};

/// What a subscription is in a blob. Instants stand as milliseconds from now.
#[derive(Serialize, Deserialize)]
pub(crate) struct Snapshot<'b> {
    state: StateSnapshot,
    #[serde(borrow)]
    outstanding: Option<OutstandingSnapshot<'b>>,
    ending: Option<End>,
    strings: [Raw<'b>; STRINGS],
    local_tag: Identifier,
    local_cseq: u32,
    remote_cseq: u32,
    version: u32,
    told: u64,
    full_due: bool,
    refusals: u8,
    not_before_in: u64,
    expires_in: u64,
    notified_ago: Option<u64>,
    is_fetch: bool,
    is_own: bool,
}

#[derive(Serialize, Deserialize)]
struct OutstandingSnapshot<'b> {
    left: u64,
    tells: u64,
    #[serde(borrow)]
    bytes: Raw<'b>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
enum StateSnapshot {
    Idle,
    Active { due_in: Option<u64> },
    Notifying { due_in: Option<u64> },
    Closing(End),
    Ended,
}

impl Subscription {
    pub(crate) fn snapshot(&self, now: Millis) -> Snapshot<'_> {
        let left = |due: Option<Millis>| due.map(|due| due.since(now));
        let state = match self.state {
            State::Idle => StateSnapshot::Idle,
            State::Active { due } => StateSnapshot::Active { due_in: left(due) },
            State::Notifying { due } => StateSnapshot::Notifying { due_in: left(due) },
            State::Closing(why) => StateSnapshot::Closing(why),
            State::Ended => StateSnapshot::Ended,
        };
        let outstanding = self.outstanding.as_ref();
        Snapshot {
            state,
            outstanding: outstanding.map(|out| OutstandingSnapshot {
                left: out.until.since(now),
                tells: out.tells,
                bytes: Raw(&out.bytes),
            }),
            ending: self.ending,
            strings: self.strings.parts().map(Raw),
            local_tag: self.local_tag,
            local_cseq: self.local_cseq,
            remote_cseq: self.remote_cseq,
            version: self.version,
            told: self.told,
            full_due: self.full_due,
            refusals: self.refusals,
            not_before_in: self.not_before.since(now),
            expires_in: self.expires_at.since(now),
            notified_ago: self.notified_at.map(|at| now.since(at)),
            is_fetch: self.is_fetch,
            is_own: self.is_own,
        }
    }

    pub(crate) fn restore(snapshot: &Snapshot<'_>, now: Millis) -> Result<Self, RestoreError> {
        let instant = |left: Option<u64>| left.map(|left| now.after(left));
        let state = match snapshot.state {
            StateSnapshot::Idle => State::Idle,
            StateSnapshot::Active { due_in } => State::Active {
                due: instant(due_in),
            },
            StateSnapshot::Notifying { due_in } => State::Notifying {
                due: instant(due_in),
            },
            StateSnapshot::Closing(why) => State::Closing(why),
            StateSnapshot::Ended => State::Ended,
        };
        let is_out = matches!(state, State::Notifying { .. } | State::Closing(_));
        if is_out != snapshot.outstanding.is_some() {
            return Err(RestoreError::Damaged);
        }
        let outstanding = snapshot.outstanding.as_ref().map(|out| {
            Box::new(Outstanding {
                token: None,
                until: now.after(out.left),
                tells: out.tells,
                bytes: out.bytes.0.into(),
            })
        });
        let parts = snapshot.strings.map(|string| string.0);
        Ok(Self {
            state,
            outstanding,
            ending: snapshot.ending,
            strings: Strings::plain(parts, usize::from(u16::MAX)).ok_or(RestoreError::TooLarge)?,
            local_tag: snapshot.local_tag,
            local_cseq: snapshot.local_cseq,
            remote_cseq: snapshot.remote_cseq,
            version: snapshot.version,
            told: snapshot.told,
            full_due: snapshot.full_due,
            refusals: snapshot.refusals,
            not_before: match snapshot.not_before_in {
                0 => Millis(0),
                left => now.after(left),
            },
            expires_at: now.after(snapshot.expires_in),
            notified_at: snapshot
                .notified_ago
                .map(|ago| Millis(now.0.saturating_sub(ago))),
            is_fetch: snapshot.is_fetch,
            is_own: snapshot.is_own,
        })
    }
}
