//! What an S-CSCF's state is in a blob. Instants stand as milliseconds from now.

use alloc::{boxed::Box, vec::Vec};
use serde::{Deserialize, Serialize};

use super::{
    Affected, Audit, Cause, Conclusion, Config, Event, MAX_CONTACTS, MAX_FAILED_PCSCFS,
    MAX_SERVERS, Outcome, Reasons, Scscf,
    bindings::{self, Binding, Bindings, Identity, Status},
    deregistration::{Asked, Deregistration, Held, NO_ID, State},
    drain::{self, Drain},
    entry::Entry,
    resting::Resting,
    restoration::{Failed, Failures},
    set::{self, Load, Set},
    third_party::{Sent, Server},
};
use crate::{
    drive::{
        Begun, Identifier, Millis, Outbox, RestoreError, TransactionRef,
        snapshot::{self, Kind, Raw, Records, Release},
    },
    fleet::{AlikeWritten, CommonRead, Record, Seldom, Shared},
    regevent::notifier::{self, Subscription},
    reginfo::ContactEvent,
};

mod previous;

use previous::{ForPrevious, PreviousSnapshot};

const KIND: Kind = Kind(2);
/// The number of sets, a record of what is the node's, and one for each set.
const FORMAT: u16 = 3;
/// All sets in one structure.
const PREVIOUS_FORMAT: u16 = 2;

/// What a record begins with: how the set stands in it.
const AWAKE: u8 = 0;
const RESTING: u8 = 1;

/// What is the node's own.
#[derive(Serialize, Deserialize)]
pub(super) struct NodeSnapshot<'b> {
    latest_failure: u32,
    #[serde(borrow)]
    failed: Vec<(Raw<'b>, u32)>,
    drain: Option<drain::Snapshot<'b>>,
}

/// A set of a node, what its bindings have to do with failures of that node's, and how its deregistrations are named.
#[derive(Serialize, Deserialize)]
struct OwnSetSnapshot<'b> {
    #[serde(borrow)]
    set: SetSnapshot<'b>,
    /// One for each binding.
    failures: Vec<u32>,
    /// Of each procedure how it is named, and how long ago it began, if that is kept.
    procedures: Vec<(Identifier, Option<u64>)>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SetSnapshot<'b> {
    #[serde(borrow)]
    identities: Vec<IdentitySnapshot<'b>>,
    bindings: Vec<BindingSnapshot<'b>>,
    identities_ever: u32,
    bindings_ever: u32,
    changes: u64,
    terminations: u64,
    forgotten: u64,
    subscriptions: Vec<notifier::Snapshot<'b>>,
    procedures: Vec<ProcedureSnapshot<'b>>,
}

#[derive(Serialize, Deserialize)]
struct IdentitySnapshot<'b> {
    number: u32,
    #[serde(borrow)]
    uri: Raw<'b>,
    barred: bool,
    changed: u64,
    termination: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct BindingSnapshot<'b> {
    number: u32,
    #[serde(borrow)]
    strings: [Raw<'b>; bindings::FIELDS],
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
struct ProcedureSnapshot<'b> {
    state: StateSnapshot,
    cause: Cause,
    #[serde(borrow)]
    held: Option<(u64, Raw<'b>)>,
    private_identity: Raw<'b>,
    removed: Vec<u32>,
    outcome: Outcome,
    servers: Vec<ServerSnapshot<'b>>,
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
    Leaving,
}

#[derive(Serialize, Deserialize)]
struct ServerSnapshot<'b> {
    #[serde(borrow)]
    uri: Raw<'b>,
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

/// Of the blob of one set.
pub(super) const SET: Kind = Kind(0x102);
pub(super) const SET_FORMAT: u16 = 1;

/// The events that must not be lost, numbered by their order here.
#[derive(Serialize, Deserialize)]
enum OutcomeSnapshot<'b> {
    Deregistered {
        id: Identifier,
        #[serde(borrow)]
        affected: [Raw<'b>; 3],
        cause: Cause,
        outcome: Outcome,
    },
    Audited {
        id: Identifier,
        affected: [Raw<'b>; 3],
        cause: Cause,
        conclusion: Conclusion,
        began: Option<Millis>,
        resumed: bool,
        ended: Millis,
    },
}

/// The blob of an event that must not be lost.
pub(super) fn write_outcome(event: &Event, out: &Outbox<Scscf>) -> Option<Vec<u8>> {
    let texts = |affected: &Affected| {
        let Affected {
            private_identity,
            public_identity,
            contacts,
        } = *affected;
        [private_identity, public_identity, contacts].map(|text| Raw(out.text(text)))
    };
    let outcome = match event {
        Event::Deregistered {
            id,
            affected,
            cause,
            outcome,
        } => OutcomeSnapshot::Deregistered {
            id: *id,
            affected: texts(affected),
            cause: *cause,
            outcome: *outcome,
        },
        // What was refused has changed nothing.
        Event::Audited(Audit {
            outcome: Conclusion::Refused { .. },
            ..
        }) => return None,
        Event::Audited(audit) => OutcomeSnapshot::Audited {
            id: audit.id,
            affected: texts(&audit.affected),
            cause: audit.cause,
            conclusion: audit.outcome,
            began: audit.began,
            resumed: audit.resumed,
            ended: audit.ended,
        },
        _ => return None,
    };
    let mut blob = Vec::new();
    snapshot::write(&outcome, &mut blob);
    Some(blob)
}

/// Appends the event of such a blob.
pub(super) fn read_outcome(bytes: &[u8], out: &mut Outbox<Scscf>) -> Result<(), RestoreError> {
    let mut affected = |[private_identity, public_identity, contacts]: [Raw<'_>; 3]| Affected {
        private_identity: out.put_text(private_identity.0),
        public_identity: out.put_text(public_identity.0),
        contacts: out.put_text(contacts.0),
    };
    let event = match snapshot::read(bytes)? {
        OutcomeSnapshot::Deregistered {
            id,
            affected: texts,
            cause,
            outcome,
        } => Event::Deregistered {
            id,
            affected: affected(texts),
            cause,
            outcome,
        },
        OutcomeSnapshot::Audited {
            id,
            affected: texts,
            cause,
            conclusion,
            began,
            resumed,
            ended,
        } => Event::Audited(Audit {
            id,
            affected: affected(texts),
            initiator: cause.initiator(),
            cause,
            outcome: conclusion,
            began,
            resumed,
            ended,
        }),
    };
    out.event(event);
    Ok(())
}

/// What a blob says of a node beside its sets.
#[derive(Default)]
pub(super) struct Rest {
    pub(super) failures: Failures,
    pub(super) drain: Option<Box<Drain>>,
}

/// Appends a node; each set with its place, in the order of these. For the release before, P-CSCFs that have failed
/// are not, and a drain that runs is over.
pub(super) fn seal<'s>(
    release: Release,
    entries: impl Iterator<Item = (u32, &'s Entry)> + Clone,
    failures: &Failures,
    drain: Option<&Drain>,
    now: Millis,
    into: &mut Vec<u8>,
) {
    match release {
        Release::Current => snapshot::seal_written(KIND, FORMAT, into, |into| {
            let places = || entries.clone().map(|(place, _)| place).collect::<Vec<_>>();
            let node = NodeSnapshot {
                latest_failure: failures.latest,
                failed: failures
                    .failed
                    .iter()
                    .map(|failed| (Raw(&failed.pcscf), failed.failure))
                    .collect(),
                drain: drain.map(|drain| drain.snapshot(&places(), now)),
            };
            let mut written = AlikeWritten::new();
            snapshot::write_count(entries.clone().count(), into);
            snapshot::write_record(&node, into);
            for (_, entry) in entries {
                snapshot::record_written(into, |into| {
                    write_entry(entry, now, &mut written, into);
                });
            }
        }),
        Release::Previous => {
            let entries = entries.map(|(_, entry)| entry);
            let sets = ForPrevious { entries, now };
            snapshot::seal_for_previous(KIND, PREVIOUS_FORMAT, &sets, into);
        }
    }
}

/// The sets of a blob.
pub(super) enum Sets<'b> {
    Current {
        count: usize,
        node: Box<NodeSnapshot<'b>>,
        records: Records<'b>,
    },
    Previous(Vec<SetSnapshot<'b>>),
}

impl<'b> Sets<'b> {
    pub(super) fn open(blob: &'b [u8]) -> Result<Self, RestoreError> {
        match snapshot::open_any(KIND, &[FORMAT, PREVIOUS_FORMAT], blob)? {
            (PREVIOUS_FORMAT, payload) => {
                let node: PreviousSnapshot<'_> = snapshot::read(payload)?;
                Ok(Self::Previous(node.sets))
            }
            (_, payload) => {
                let (count, mut records) = Records::counted(payload)?;
                let node = records.next().ok_or(RestoreError::Damaged)??;
                let node = Box::new(snapshot::read(node)?);
                Ok(Self::Current {
                    count,
                    node,
                    records,
                })
            }
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Current { count, .. } => *count,
            Self::Previous(sets) => sets.len(),
        }
    }

    /// Hands them over, one by one, and then the rest.
    pub(super) fn restore(
        self,
        now: Millis,
        config: &Config,
        shared: &mut Shared,
        mut take: impl FnMut(Entry) -> Result<(), RestoreError>,
    ) -> Result<Rest, RestoreError> {
        let (mut sets, mut served) = (0usize, 0usize);
        let mut restore = |entry: Entry| {
            sets = sets.saturating_add(1);
            served = served.saturating_add(entry.load().served);
            if served > config.limits.users || sets > config.most_sets() {
                return Err(RestoreError::TooLarge);
            }
            take(entry)
        };
        match self {
            Self::Previous(sets) => {
                let mut sets = sets.into_iter();
                sets.try_for_each(|set| restore(Entry::awake(set.restore(now, config)?)))?;
                Ok(Rest::default())
            }
            Self::Current {
                count,
                node,
                mut records,
            } => {
                let mut read = CommonRead::new();
                records.try_for_each(|record| {
                    let sharing = (&mut read, &mut *shared);
                    restore(read_entry(record?, now, config, sharing)?)
                })?;
                match sets == count {
                    true => node.restore(config, sets, now),
                    false => Err(RestoreError::Damaged),
                }
            }
        }
    }
}

fn write_entry<'s>(
    entry: &'s Entry,
    now: Millis,
    written: &mut AlikeWritten<'s>,
    into: &mut Vec<u8>,
) {
    match entry {
        Entry::Awake(set) => {
            into.push(AWAKE);
            let bindings = set.table.bindings.iter();
            let own = OwnSetSnapshot {
                set: SetSnapshot::of(set, now),
                failures: bindings.map(|binding| binding.failure).collect(),
                procedures: set
                    .procedures
                    .iter()
                    .map(|own| (own.id, own.begun.age(now)))
                    .collect(),
            };
            snapshot::write(&own, into);
        }
        Entry::Resting(resting) => {
            into.push(RESTING);
            resting.record().seal(now, written, into);
        }
    }
}

/// A set at rest is not looked through yet.
fn read_entry(
    bytes: &[u8],
    now: Millis,
    config: &Config,
    (read, shared): (&mut CommonRead, &mut Shared),
) -> Result<Entry, RestoreError> {
    match bytes.split_first() {
        Some((&AWAKE, set)) => {
            let own: OwnSetSnapshot<'_> = snapshot::read(set)?;
            let mut set = own.set.restore(now, config)?;
            for (binding, failure) in set.table.bindings.iter_mut().zip(&own.failures) {
                binding.failure = *failure;
            }
            for (procedure, &(id, age)) in set.procedures.iter_mut().zip(&own.procedures) {
                procedure.id = id;
                procedure.begun = Begun::of_age(now, age);
            }
            Ok(Entry::awake(set))
        }
        Some((&RESTING, record)) => {
            let record = Record::open(record, now, read, shared);
            let record = record.ok_or(RestoreError::Damaged)?;
            Ok(Entry::Resting(Resting::of(record)))
        }
        _ => Err(RestoreError::Damaged),
    }
}

/// Appends what a set is in a blob of its own.
pub(super) fn write(entry: &Entry, now: Millis, into: &mut Vec<u8>) {
    write_entry(entry, now, &mut AlikeWritten::new(), into);
}

/// Reads one back. A set at rest is not looked through yet.
pub(super) fn read(
    bytes: &[u8],
    now: Millis,
    config: &Config,
    shared: &mut Shared,
) -> Result<Entry, RestoreError> {
    read_entry(bytes, now, config, (&mut CommonRead::new(), shared))
}

impl NodeSnapshot<'_> {
    fn restore(&self, config: &Config, sets: usize, now: Millis) -> Result<Rest, RestoreError> {
        if self.failed.len() > MAX_FAILED_PCSCFS {
            return Err(RestoreError::TooLarge);
        }
        let failed = self.failed.iter();
        let drain = self.drain.as_ref();
        let drain = drain.map(|drain| drain.restore(&config.drain, sets, now));
        Ok(Rest {
            failures: Failures {
                latest: self.latest_failure,
                failed: failed
                    .map(|(pcscf, failure)| Failed {
                        pcscf: pcscf.0.into(),
                        failure: *failure,
                    })
                    .collect(),
            },
            drain: drain.transpose()?.map(Box::new),
        })
    }
}

impl<'b> SetSnapshot<'b> {
    fn of(set: &'b Set, now: Millis) -> Self {
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

impl<'b> IdentitySnapshot<'b> {
    fn of(identity: &'b Identity) -> Self {
        Self {
            number: identity.number,
            uri: Raw(&identity.uri),
            barred: identity.barred,
            changed: identity.changed,
            termination: identity.termination.get(),
        }
    }

    fn restore(&self) -> Identity {
        Identity {
            number: self.number,
            uri: self.uri.0.into(),
            barred: self.barred,
            changed: self.changed,
            termination: Seldom::new(self.termination),
        }
    }
}

impl<'b> BindingSnapshot<'b> {
    fn of(binding: &'b Binding, now: Millis) -> Self {
        Self {
            number: binding.number,
            strings: binding.strings.parts().map(Raw),
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
        let parts = self.strings.map(|string| string.0);
        Ok(Binding {
            number: self.number,
            strings: bindings::Strings::plain(parts, usize::from(u16::MAX))
                .ok_or(RestoreError::TooLarge)?,
            cseq: self.cseq,
            expires_at: now.after(self.expires_in),
            explicit: self.explicit,
            first_cseq: self.first_cseq,
            failure: 0,
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

impl<'b> ProcedureSnapshot<'b> {
    fn of(procedure: &'b Deregistration, now: Millis) -> Self {
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
                State::Leaving => StateSnapshot::Leaving,
            },
            cause: procedure.cause,
            held: procedure
                .held
                .as_ref()
                .map(|held| (held.to.0, Raw(&held.bytes))),
            private_identity: Raw(&procedure.private_identity),
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
        let mut procedure = Deregistration {
            id: NO_ID,
            state: match self.state {
                StateSnapshot::Idle => State::Idle,
                StateSnapshot::Authenticating(asked, why) => State::Authenticating(of(asked), why),
                StateSnapshot::Releasing(asked) => State::Releasing(of(asked)),
                StateSnapshot::Assigning(asked) => State::Assigning(of(asked)),
                StateSnapshot::Checking(asked) => State::Checking(of(asked)),
                StateSnapshot::Telling => State::Telling,
                StateSnapshot::Over => State::Over,
                StateSnapshot::Leaving => State::Leaving,
            },
            cause: self.cause,
            held: self.held.as_ref().map(|(to, bytes)| Held {
                to: TransactionRef(*to),
                bytes: bytes.0.into(),
            }),
            private_identity: self.private_identity.0.into(),
            removed: self.removed.clone(),
            outcome: self.outcome,
            servers: self
                .servers
                .iter()
                .map(|server| server.restore(now))
                .collect(),
            answered: self.answered,
            begun: Begun::UNKNOWN,
        };
        // That of a blob of the release before: it has none there.
        procedure.id = procedure.first_key().unwrap_or(NO_ID);
        Ok(procedure)
    }
}

impl<'b> ServerSnapshot<'b> {
    fn of(server: &'b Server, now: Millis) -> Self {
        Self {
            uri: Raw(&server.uri),
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
            uri: self.uri.0.into(),
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

pub(super) fn event_code(event: ContactEvent) -> u8 {
    let place = EVENTS.iter().position(|known| *known == event);
    place
        .and_then(|place| u8::try_from(place).ok())
        .unwrap_or(u8::MAX)
}

pub(super) fn event_of(code: u8) -> Option<ContactEvent> {
    EVENTS.get(usize::from(code)).copied()
}
