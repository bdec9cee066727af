//! What an S-CSCF's state is in a blob. Instants stand as milliseconds from now.

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use super::{
    Cause, Config, MAX_CONTACTS, MAX_SERVERS, Outcome, Reasons,
    bindings::{self, Binding, Bindings, Identity, Status},
    deregistration::{Asked, Deregistration, Held, State},
    set::{self, Load, Set},
    third_party::{Sent, Server},
};
use crate::{
    drive::{
        Identifier, Millis, RestoreError, TransactionRef,
        snapshot::{self, Kind},
    },
    fleet::Seldom,
    regevent::notifier::{self, Subscription},
    reginfo::ContactEvent,
};

const KIND: Kind = Kind(2);
const FORMAT: u16 = 2;

#[derive(Serialize, Deserialize)]
struct NodeSnapshot {
    sets: Vec<SetSnapshot>,
}

#[derive(Serialize, Deserialize)]
struct SetSnapshot {
    identities: Vec<IdentitySnapshot>,
    bindings: Vec<BindingSnapshot>,
    identities_ever: u32,
    bindings_ever: u32,
    changes: u64,
    terminations: u64,
    forgotten: u64,
    subscriptions: Vec<notifier::Snapshot>,
    procedures: Vec<ProcedureSnapshot>,
}

#[derive(Serialize, Deserialize)]
struct IdentitySnapshot {
    number: u32,
    uri: Vec<u8>,
    barred: bool,
    changed: u64,
    termination: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct BindingSnapshot {
    number: u32,
    strings: [Vec<u8>; bindings::FIELDS],
    cseq: u32,
    expires_in: u64,
    explicit: u32,
    first_cseq: u32,
    event: u8,
    changed: u64,
    status: StatusSnapshot,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
enum StatusSnapshot {
    Active,
    Gone { retry_after: Option<u32>, left: u64 },
}

#[derive(Serialize, Deserialize)]
struct ProcedureSnapshot {
    state: StateSnapshot,
    cause: Cause,
    held: Option<(u64, Vec<u8>)>,
    private_identity: Vec<u8>,
    removed: Vec<u32>,
    outcome: Outcome,
    servers: Vec<ServerSnapshot>,
    answered: u16,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct AskedSnapshot {
    key: Identifier,
    left: u64,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
enum StateSnapshot {
    Idle,
    Authenticating(AskedSnapshot, Reasons),
    Releasing(AskedSnapshot),
    Assigning(AskedSnapshot),
    Checking(AskedSnapshot),
    Telling,
    Over,
}

#[derive(Serialize, Deserialize)]
struct ServerSnapshot {
    uri: Vec<u8>,
    call_id: Identifier,
    tag: Identifier,
    branch: Identifier,
    sent: SentSnapshot,
}

#[derive(Serialize, Deserialize)]
enum SentSnapshot {
    Due { left: u64 },
    Out { left: u64 },
    Done,
}

pub(super) fn seal<'s>(sets: impl Iterator<Item = &'s Set>, now: Millis, into: &mut Vec<u8>) {
    let sets = sets.map(|set| SetSnapshot::of(set, now)).collect();
    snapshot::seal(KIND, FORMAT, &NodeSnapshot { sets }, into);
}

pub(super) fn open(blob: &[u8], now: Millis, config: &Config) -> Result<Vec<Set>, RestoreError> {
    let node: NodeSnapshot = snapshot::open(KIND, FORMAT, blob)?;
    let served = node.sets.iter().filter(|set| !set.bindings.is_empty());
    if served.count() > config.limits.users || node.sets.len() > config.most_sets() {
        return Err(RestoreError::TooLarge);
    }
    node.sets
        .iter()
        .map(|set| set.restore(now, config))
        .collect()
}

impl SetSnapshot {
    fn of(set: &Set, now: Millis) -> Self {
        let table = &set.table;
        Self {
            identities: table.identities.iter().map(IdentitySnapshot::of).collect(),
            bindings: table
                .bindings
                .iter()
                .map(|b| BindingSnapshot::of(b, now))
                .collect(),
            identities_ever: table.identities_ever,
            bindings_ever: table.bindings_ever,
            changes: table.changes,
            terminations: table.terminations,
            forgotten: table.forgotten,
            subscriptions: set.subscriptions.iter().map(|s| s.snapshot(now)).collect(),
            procedures: set
                .procedures
                .iter()
                .map(|p| ProcedureSnapshot::of(p, now))
                .collect(),
        }
    }

    fn restore(&self, now: Millis, config: &Config) -> Result<Set, RestoreError> {
        if self.bindings.len() > MAX_CONTACTS
            || self.identities.len() > config.limits.identities.saturating_mul(2)
            || self.subscriptions.len() > set::most_subscriptions(&config.limits)
        {
            return Err(RestoreError::TooLarge);
        }
        let subscriptions = self
            .subscriptions
            .iter()
            .map(|s| Subscription::restore(s, now));
        let bindings = self.bindings.iter().map(|binding| binding.restore(now));
        let procedures = self
            .procedures
            .iter()
            .map(|procedure| procedure.restore(now));
        Ok(Set {
            table: Bindings {
                identities: self
                    .identities
                    .iter()
                    .map(IdentitySnapshot::restore)
                    .collect(),
                bindings: bindings.collect::<Result<_, _>>()?,
                identities_ever: self.identities_ever,
                bindings_ever: self.bindings_ever,
                changes: self.changes,
                terminations: self.terminations,
                forgotten: self.forgotten,
            },
            subscriptions: subscriptions.collect::<Result<_, _>>()?,
            procedures: procedures.collect::<Result<_, _>>()?,
            counted: Load::default(),
        })
    }
}

impl IdentitySnapshot {
    fn of(identity: &Identity) -> Self {
        Self {
            number: identity.number,
            uri: identity.uri.to_vec(),
            barred: identity.barred,
            changed: identity.changed,
            termination: identity.termination.get(),
        }
    }

    fn restore(&self) -> Identity {
        Identity {
            number: self.number,
            uri: self.uri.as_slice().into(),
            barred: self.barred,
            changed: self.changed,
            termination: Seldom::new(self.termination),
        }
    }
}

impl BindingSnapshot {
    fn of(binding: &Binding, now: Millis) -> Self {
        Self {
            number: binding.number,
            strings: binding.strings.parts().map(<[u8]>::to_vec),
            cseq: binding.cseq,
            expires_in: binding.expires_at.since(now),
            explicit: binding.explicit,
            first_cseq: binding.first_cseq,
            event: event_code(binding.event),
            changed: binding.changed,
            status: match binding.status.get() {
                Status::Active => StatusSnapshot::Active,
                Status::Gone { retry_after, until } => StatusSnapshot::Gone {
                    retry_after,
                    left: until.since(now),
                },
            },
        }
    }

    fn restore(&self, now: Millis) -> Result<Binding, RestoreError> {
        let parts = self.strings.each_ref().map(Vec::as_slice);
        Ok(Binding {
            number: self.number,
            strings: bindings::Strings::new(parts, usize::from(u16::MAX))
                .ok_or(RestoreError::TooLarge)?,
            cseq: self.cseq,
            expires_at: now.after(self.expires_in),
            explicit: self.explicit,
            first_cseq: self.first_cseq,
            event: event_of(self.event).ok_or(RestoreError::Damaged)?,
            changed: self.changed,
            status: Seldom::new(match self.status {
                StatusSnapshot::Active => Status::Active,
                StatusSnapshot::Gone { retry_after, left } => Status::Gone {
                    retry_after,
                    until: now.after(left),
                },
            }),
        })
    }
}

impl ProcedureSnapshot {
    fn of(procedure: &Deregistration, now: Millis) -> Self {
        let of = |asked: Asked| AskedSnapshot {
            key: asked.key,
            left: asked.until.since(now),
        };
        Self {
            state: match procedure.state {
                State::Idle => StateSnapshot::Idle,
                State::Authenticating(asked, why) => StateSnapshot::Authenticating(of(asked), why),
                State::Releasing(asked) => StateSnapshot::Releasing(of(asked)),
                State::Assigning(asked) => StateSnapshot::Assigning(of(asked)),
                State::Checking(asked) => StateSnapshot::Checking(of(asked)),
                State::Telling => StateSnapshot::Telling,
                State::Over => StateSnapshot::Over,
            },
            cause: procedure.cause,
            held: procedure
                .held
                .as_ref()
                .map(|held| (held.to.0, held.bytes.to_vec())),
            private_identity: procedure.private_identity.to_vec(),
            removed: procedure.removed.clone(),
            outcome: procedure.outcome,
            servers: procedure
                .servers
                .iter()
                .map(|s| ServerSnapshot::of(s, now))
                .collect(),
            answered: procedure.answered,
        }
    }

    fn restore(&self, now: Millis) -> Result<Deregistration, RestoreError> {
        if self.servers.len() > MAX_SERVERS || self.removed.len() > MAX_CONTACTS {
            return Err(RestoreError::TooLarge);
        }
        let of = |asked: AskedSnapshot| Asked {
            key: asked.key,
            token: None,
            until: now.after(asked.left),
        };
        Ok(Deregistration {
            state: match self.state {
                StateSnapshot::Idle => State::Idle,
                StateSnapshot::Authenticating(asked, why) => State::Authenticating(of(asked), why),
                StateSnapshot::Releasing(asked) => State::Releasing(of(asked)),
                StateSnapshot::Assigning(asked) => State::Assigning(of(asked)),
                StateSnapshot::Checking(asked) => State::Checking(of(asked)),
                StateSnapshot::Telling => State::Telling,
                StateSnapshot::Over => State::Over,
            },
            cause: self.cause,
            held: self.held.as_ref().map(|(to, bytes)| Held {
                to: TransactionRef(*to),
                bytes: bytes.as_slice().into(),
            }),
            private_identity: self.private_identity.as_slice().into(),
            removed: self.removed.clone(),
            outcome: self.outcome,
            servers: self
                .servers
                .iter()
                .map(|server| server.restore(now))
                .collect(),
            answered: self.answered,
        })
    }
}

impl ServerSnapshot {
    fn of(server: &Server, now: Millis) -> Self {
        Self {
            uri: server.uri.to_vec(),
            call_id: server.call_id,
            tag: server.tag,
            branch: server.branch,
            sent: match server.sent {
                Sent::Due(at) => SentSnapshot::Due {
                    left: at.since(now),
                },
                Sent::Out { until, .. } => SentSnapshot::Out {
                    left: until.since(now),
                },
                Sent::Done => SentSnapshot::Done,
            },
        }
    }

    fn restore(&self, now: Millis) -> Server {
        Server {
            uri: self.uri.as_slice().into(),
            call_id: self.call_id,
            tag: self.tag,
            branch: self.branch,
            sent: match self.sent {
                SentSnapshot::Due { left } => Sent::Due(now.after(left)),
                SentSnapshot::Out { left } => Sent::Out {
                    token: None,
                    until: now.after(left),
                },
                SentSnapshot::Done => Sent::Done,
            },
        }
    }
}

/// Events by number: a number is never given to another event.
const EVENTS: [ContactEvent; 9] = [
    ContactEvent::Expired,
    ContactEvent::Deactivated,
    ContactEvent::Probation,
    ContactEvent::Unregistered,
    ContactEvent::Rejected,
    ContactEvent::Registered,
    ContactEvent::Created,
    ContactEvent::Refreshed,
    ContactEvent::Shortened,
];

fn event_code(event: ContactEvent) -> u8 {
    let place = EVENTS.iter().position(|known| *known == event);
    place
        .and_then(|place| u8::try_from(place).ok())
        .unwrap_or(u8::MAX)
}

fn event_of(code: u8) -> Option<ContactEvent> {
    EVENTS.get(usize::from(code)).copied()
}
