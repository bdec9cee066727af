//! What sessions are in a blob. Instants stand as milliseconds from now.

use alloc::{boxed::Box, vec::Vec};
use serde::{Deserialize, Serialize};

use super::{
    Affected, Audit, Cause, Config, Cpm, End, Ends, Event, Function, IwfPolicy, LegId, MAX_IWFS,
    Mode, Outcome, Recording, Scope, SessionRef, SessionTimer, Side,
    leg::{Answered, Leg, Running, State, Strings},
    proxy::{MOST_WAYS, Refused, Relaying, Way},
    session::{Closing, Held, Phase, Release as Released, Session, Store},
    streams::{Invite, Reply, Shrinking, Stage},
};
use crate::{
    dialog::{self, Sequence},
    drive::{
        Begun, Identifier, Millis, Outbox, Release, RestoreError, TransactionRef,
        snapshot::{self, Kind, Raw, Records},
    },
    fleet::Seldom,
    wire::sdp::StreamSet,
};

const KIND: Kind = Kind(4);
/// A record for each session. The release before this one has none.
const FORMAT: u16 = 1;

/// Of the blob of one session.
pub(super) const SESSION: Kind = Kind(0x104);
pub(super) const SESSION_FORMAT: u16 = 1;

#[derive(Serialize, Deserialize)]
struct SessionRecord<'b> {
    session: SessionRef,
    function: Function,
    mode: Mode,
    policy: IwfPolicy,
    may_be_stored: bool,
    #[serde(borrow)]
    legs: Vec<LegRecord<'b>>,
    description: Raw<'b>,
    live: u64,
    releases: Vec<(Identifier, Scope)>,
    shrinking: Option<ShrinkingRecord>,
    invites: Vec<InviteRecord>,
    timer: Option<SessionTimer>,
    closing: Option<ClosingRecord<'b>>,
    relaying: Option<RelayingRecord<'b>>,
}

#[derive(Serialize, Deserialize)]
struct LegRecord<'b> {
    id: LegId,
    #[serde(borrow)]
    strings: [Raw<'b>; dialog::PARTS],
    local_cseq: u32,
    remote_cseq: Option<u32>,
    side: Side,
    is_secure: bool,
    streams: u64,
    state: StateRecord,
    answered: Option<(u64, bool)>,
}

#[derive(Serialize, Deserialize)]
enum StateRecord {
    Open,
    Ending { branch: Identifier, left: u64 },
    Ended(End),
}

#[derive(Serialize, Deserialize)]
struct ShrinkingRecord {
    stage: StageRecord,
    current: u8,
    queued: u8,
    attempts: u8,
}

#[derive(Serialize, Deserialize)]
enum StageRecord {
    Describing { key: Identifier, left: u64 },
    Inviting,
    Waiting { left: u64 },
}

#[derive(Serialize, Deserialize)]
struct InviteRecord {
    branch: Identifier,
    ack: Identifier,
    cseq: u32,
    deleted: u64,
    reply: Reply,
    left: u64,
}

#[derive(Serialize, Deserialize)]
struct ClosingRecord<'b> {
    phase: PhaseRecord,
    cause: Cause,
    #[serde(borrow)]
    held: Option<HeldRecord<'b>>,
    reason: Raw<'b>,
    key: Identifier,
    is_asked: bool,
    recording: Recording,
    uid: Raw<'b>,
    event: Identifier,
    /// How long ago it began.
    begun: Option<u64>,
}

#[derive(Serialize, Deserialize)]
enum PhaseRecord {
    Storing { left: u64 },
    Ending { left: u64 },
    Recording { left: u64 },
    Draining,
    Over { left: u64 },
}

#[derive(Serialize, Deserialize)]
struct HeldRecord<'b> {
    leg: LegId,
    to: u64,
    #[serde(borrow)]
    kept: Raw<'b>,
    charging: Raw<'b>,
    branch: u64,
}

#[derive(Serialize, Deserialize)]
struct RelayingRecord<'b> {
    #[serde(borrow)]
    ways: Vec<WayRecord<'b>>,
    refused: Option<RefusedRecord>,
    over: Option<u64>,
    event: Identifier,
    /// How long ago it began.
    begun: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct RefusedRecord {
    from: LegId,
    end: End,
    left: u64,
}

#[derive(Serialize, Deserialize)]
struct WayRecord<'b> {
    from: LegId,
    to: u64,
    #[serde(borrow)]
    kept: Raw<'b>,
    key: u64,
    branch: Identifier,
    left: u64,
    answer: Option<(u16, Raw<'b>)>,
}

/// The events that must not be lost, numbered by their order here.
#[derive(Serialize, Deserialize)]
enum OutcomeRecord<'b> {
    Closed {
        id: Identifier,
        session: SessionRef,
        cause: Cause,
        ends: Ends,
        recording: Recording,
    },
    Shrunk {
        session: SessionRef,
        iwf: u8,
    },
    DeletionFailed {
        session: SessionRef,
        iwf: u8,
        status: u16,
    },
    StoredLate {
        session: SessionRef,
        stored: bool,
    },
    Refreshed {
        session: SessionRef,
        timer: Option<SessionTimer>,
    },
    Audited {
        id: Identifier,
        session: SessionRef,
        #[serde(borrow)]
        affected: [Raw<'b>; 3],
        cause: Cause,
        outcome: Outcome,
        began: Option<Millis>,
        resumed: bool,
        ended: Millis,
    },
}

/// The blob of an event that must not be lost.
pub(super) fn write_outcome(event: &Event, out: &Outbox<Cpm>) -> Option<Vec<u8>> {
    let outcome = match *event {
        Event::SessionClosed {
            id,
            session,
            cause,
            ends,
            recording,
        } => OutcomeRecord::Closed {
            id,
            session,
            cause,
            ends,
            recording,
        },
        Event::SessionShrunk { session, iwf } => OutcomeRecord::Shrunk { session, iwf },
        Event::StreamDeletionFailed {
            session,
            iwf,
            status,
        } => OutcomeRecord::DeletionFailed {
            session,
            iwf,
            status,
        },
        Event::StoredLate { session, stored } => OutcomeRecord::StoredLate { session, stored },
        Event::SessionRefreshed { session, timer } => OutcomeRecord::Refreshed { session, timer },
        Event::Audited(audit) => {
            let Affected {
                session,
                served,
                other,
                call_id,
            } = audit.affected;
            OutcomeRecord::Audited {
                id: audit.id,
                session,
                affected: [served, other, call_id].map(|text| Raw(out.text(text))),
                cause: audit.cause,
                outcome: audit.outcome,
                began: audit.began,
                resumed: audit.resumed,
                ended: audit.ended,
            }
        }
        Event::TakenOver { .. } => return None,
    };
    let mut blob = Vec::new();
    snapshot::write(&outcome, &mut blob);
    Some(blob)
}

/// Appends the event of such a blob.
pub(super) fn read_outcome(bytes: &[u8], out: &mut Outbox<Cpm>) -> Result<(), RestoreError> {
    let event = match snapshot::read(bytes)? {
        OutcomeRecord::Closed {
            id,
            session,
            cause,
            ends,
            recording,
        } => Event::SessionClosed {
            id,
            session,
            cause,
            ends,
            recording,
        },
        OutcomeRecord::Shrunk { session, iwf } => Event::SessionShrunk { session, iwf },
        OutcomeRecord::DeletionFailed {
            session,
            iwf,
            status,
        } => Event::StreamDeletionFailed {
            session,
            iwf,
            status,
        },
        OutcomeRecord::StoredLate { session, stored } => Event::StoredLate { session, stored },
        OutcomeRecord::Refreshed { session, timer } => Event::SessionRefreshed { session, timer },
        OutcomeRecord::Audited {
            id,
            session,
            affected,
            cause,
            outcome,
            began,
            resumed,
            ended,
        } => {
            let [served, other, call_id] = affected.map(|text| out.put_text(text.0));
            Event::Audited(Audit {
                id,
                affected: Affected {
                    session,
                    served,
                    other,
                    call_id,
                },
                initiator: cause.initiator(),
                cause,
                outcome,
                began,
                resumed,
                ended,
            })
        }
    };
    out.event(event);
    Ok(())
}

/// Appends a node.
pub(super) fn seal<'s>(
    _: Release,
    sessions: impl Iterator<Item = &'s Session> + Clone,
    now: Millis,
    into: &mut Vec<u8>,
) {
    snapshot::seal_written(KIND, FORMAT, into, |into| {
        snapshot::write_count(sessions.clone().count(), into);
        for session in sessions {
            snapshot::write_record(&SessionRecord::of(session, now), into);
        }
    });
}

/// How many sessions a blob has, and the sessions one by one.
pub(super) fn open(
    blob: &[u8],
    now: Millis,
    config: &Config,
    mut take: impl FnMut(usize, Session) -> Result<(), RestoreError>,
) -> Result<(), RestoreError> {
    let (_, payload) = snapshot::open_any(KIND, &[FORMAT], blob)?;
    let (sessions, mut records) = Records::counted(payload)?;
    if sessions > config.limits.users {
        return Err(RestoreError::TooLarge);
    }
    let mut found = 0usize;
    records.try_for_each(|record| {
        found = found.saturating_add(1);
        if found > sessions {
            return Err(RestoreError::Damaged);
        }
        take(sessions, read(record?, now, config)?)
    })?;
    match found == sessions {
        true => Ok(()),
        false => Err(RestoreError::Damaged),
    }
}

/// Appends what a session is in a blob of its own.
pub(super) fn write(session: &Session, now: Millis, into: &mut Vec<u8>) {
    snapshot::write(&SessionRecord::of(session, now), into);
}

/// Reads one back.
pub(super) fn read(bytes: &[u8], now: Millis, config: &Config) -> Result<Session, RestoreError> {
    snapshot::read::<SessionRecord<'_>>(bytes)?.restore(now, config)
}

impl<'b> SessionRecord<'b> {
    fn of(session: &'b Session, now: Millis) -> Self {
        let closing = session.closing.as_deref();
        let releases = session.releases.iter();
        Self {
            session: session.session,
            function: session.function,
            mode: session.mode,
            policy: session.policy,
            may_be_stored: session.may_be_stored,
            legs: session
                .legs
                .iter()
                .map(|leg| LegRecord::of(leg, now))
                .collect(),
            description: Raw(&session.description),
            live: session.live.bits(),
            releases: releases.map(|own| (own.key, own.scope)).collect(),
            shrinking: session
                .shrinking
                .as_deref()
                .map(|own| ShrinkingRecord::of(own, now)),
            invites: session
                .invites
                .iter()
                .map(|own| InviteRecord::of(own, now))
                .collect(),
            timer: session.timer,
            closing: closing.map(|own| ClosingRecord::of(own, now)),
            relaying: session
                .relaying
                .as_deref()
                .map(|own| RelayingRecord::of(own, now)),
        }
    }

    fn restore(&self, now: Millis, config: &Config) -> Result<Session, RestoreError> {
        const MOST_LEGS: usize = MAX_IWFS + 2;
        if self.legs.is_empty() {
            return Err(RestoreError::Damaged);
        }
        let is_too_large = [self.legs.len(), self.releases.len(), self.invites.len()]
            .into_iter()
            .any(|count| count > MOST_LEGS);
        if is_too_large {
            return Err(RestoreError::TooLarge);
        }
        let most = config.limits.registration_bytes;
        let legs = self.legs.iter().map(|leg| leg.restore(now, most));
        let releases = self.releases.iter();
        let relaying = self.relaying.as_ref();
        Ok(Session {
            session: self.session,
            function: self.function,
            mode: self.mode,
            policy: self.policy,
            may_be_stored: self.may_be_stored,
            legs: legs.collect::<Result<_, _>>()?,
            description: self.description.0.into(),
            live: StreamSet::from_bits(self.live),
            releases: releases
                .map(|&(key, scope)| Released {
                    key,
                    scope,
                    token: None,
                })
                .collect(),
            shrinking: self.shrinking.as_ref().map(|own| own.restore(now)),
            invites: self.invites.iter().map(|own| own.restore(now)).collect(),
            timer: self.timer,
            closing: self.closing.as_ref().map(|own| own.restore(now)),
            relaying: relaying.map(|own| own.restore(now)).transpose()?,
        })
    }
}

impl<'b> LegRecord<'b> {
    fn of(leg: &'b Leg, now: Millis) -> Self {
        Self {
            id: leg.id,
            strings: leg.strings.parts().map(Raw),
            local_cseq: leg.sequence.local,
            remote_cseq: leg.sequence.remote,
            side: leg.side,
            is_secure: leg.is_secure,
            streams: leg.streams.bits(),
            state: match leg.state() {
                State::Open => StateRecord::Open,
                State::Ending { branch, until, .. } => StateRecord::Ending {
                    branch,
                    left: until.since(now),
                },
                State::Ended(end) => StateRecord::Ended(end),
            },
            answered: leg.answered().map(|own| (own.branch, own.has_uid)),
        }
    }

    fn restore(&self, now: Millis, most: usize) -> Result<Leg, RestoreError> {
        let parts = self.strings.map(|string| string.0);
        let strings = Strings::new(parts, most).ok_or(RestoreError::TooLarge)?;
        let state = match self.state {
            StateRecord::Open => State::Open,
            StateRecord::Ending { branch, left } => State::Ending {
                token: None,
                branch,
                until: now.after(left),
            },
            StateRecord::Ended(end) => State::Ended(end),
        };
        let answered = self.answered;
        Ok(Leg {
            id: self.id,
            strings,
            sequence: Sequence {
                local: self.local_cseq,
                remote: self.remote_cseq,
            },
            side: self.side,
            is_secure: self.is_secure,
            streams: StreamSet::from_bits(self.streams),
            running: Seldom::new(Running {
                state,
                answered: answered.map(|(branch, has_uid)| Answered { branch, has_uid }),
            }),
        })
    }
}

impl ShrinkingRecord {
    fn of(own: &Shrinking, now: Millis) -> Self {
        Self {
            stage: match own.stage {
                Stage::Describing { key, until, .. } => StageRecord::Describing {
                    key,
                    left: until.since(now),
                },
                Stage::Inviting => StageRecord::Inviting,
                Stage::Waiting { until } => StageRecord::Waiting {
                    left: until.since(now),
                },
            },
            current: own.current,
            queued: own.queued,
            attempts: own.attempts,
        }
    }

    fn restore(&self, now: Millis) -> Box<Shrinking> {
        Box::new(Shrinking {
            stage: match self.stage {
                StageRecord::Describing { key, left } => Stage::Describing {
                    key,
                    token: None,
                    until: now.after(left),
                },
                StageRecord::Inviting => Stage::Inviting,
                StageRecord::Waiting { left } => Stage::Waiting {
                    until: now.after(left),
                },
            },
            current: self.current,
            queued: self.queued,
            attempts: self.attempts,
        })
    }
}

impl InviteRecord {
    fn of(own: &Invite, now: Millis) -> Self {
        Self {
            branch: own.branch,
            ack: own.ack,
            cseq: own.cseq,
            deleted: own.deleted.bits(),
            reply: own.reply,
            left: own.until.since(now),
        }
    }

    fn restore(&self, now: Millis) -> Invite {
        Invite {
            token: None,
            branch: self.branch,
            ack: self.ack,
            cseq: self.cseq,
            deleted: StreamSet::from_bits(self.deleted),
            reply: self.reply,
            until: now.after(self.left),
        }
    }
}

impl<'b> ClosingRecord<'b> {
    fn of(own: &'b Closing, now: Millis) -> Self {
        let held = own.held.as_ref();
        Self {
            phase: match own.phase {
                Phase::Storing { until } => PhaseRecord::Storing {
                    left: until.since(now),
                },
                Phase::Ending { until } => PhaseRecord::Ending {
                    left: until.since(now),
                },
                Phase::Recording { until } => PhaseRecord::Recording {
                    left: until.since(now),
                },
                Phase::Open | Phase::Draining => PhaseRecord::Draining,
                Phase::Over { until } => PhaseRecord::Over {
                    left: until.since(now),
                },
            },
            cause: own.cause,
            held: held.map(|held| HeldRecord {
                leg: held.leg,
                to: held.to.0,
                kept: Raw(&held.kept),
                charging: Raw(&held.charging),
                branch: held.branch,
            }),
            reason: Raw(&own.reason),
            key: own.key,
            is_asked: own.store != Store::Quiet,
            recording: own.recording,
            uid: Raw(&own.uid),
            event: own.event,
            begun: own.begun.age(now),
        }
    }

    fn restore(&self, now: Millis) -> Box<Closing> {
        Box::new(Closing {
            phase: match self.phase {
                PhaseRecord::Storing { left } => Phase::Storing {
                    until: now.after(left),
                },
                PhaseRecord::Ending { left } => Phase::Ending {
                    until: now.after(left),
                },
                PhaseRecord::Recording { left } => Phase::Recording {
                    until: now.after(left),
                },
                PhaseRecord::Draining => Phase::Draining,
                PhaseRecord::Over { left } => Phase::Over {
                    until: now.after(left),
                },
            },
            cause: self.cause,
            held: self.held.as_ref().map(|held| Held {
                leg: held.leg,
                to: TransactionRef(held.to),
                kept: held.kept.0.into(),
                charging: held.charging.0.into(),
                branch: held.branch,
            }),
            reason: self.reason.0.into(),
            key: self.key,
            store: match self.is_asked {
                true => Store::Asked(None),
                false => Store::Quiet,
            },
            recording: self.recording,
            uid: self.uid.0.into(),
            event: self.event,
            begun: Begun::of_age(now, self.begun),
        })
    }
}

impl<'b> RelayingRecord<'b> {
    fn of(own: &'b Relaying, now: Millis) -> Self {
        let ways = own.ways.iter().map(|way| WayRecord {
            from: way.from,
            to: way.to.0,
            kept: Raw(&way.kept),
            key: way.key,
            branch: way.branch,
            left: way.until.since(now),
            answer: way
                .answer
                .as_ref()
                .map(|(status, bytes)| (*status, Raw(bytes))),
        });
        Self {
            ways: ways.collect(),
            refused: own.refused.map(|refused| RefusedRecord {
                from: refused.from,
                end: refused.end,
                left: refused.until.since(now),
            }),
            over: own.over.map(|until| until.since(now)),
            event: own.event,
            begun: own.begun.age(now),
        }
    }

    fn restore(&self, now: Millis) -> Result<Box<Relaying>, RestoreError> {
        if self.ways.len() > MOST_WAYS {
            return Err(RestoreError::TooLarge);
        }
        let ways = self.ways.iter().map(|way| Way {
            from: way.from,
            to: TransactionRef(way.to),
            kept: way.kept.0.into(),
            key: way.key,
            branch: way.branch,
            token: None,
            until: now.after(way.left),
            answer: way.answer.map(|(status, bytes)| (status, bytes.0.into())),
        });
        Ok(Box::new(Relaying {
            ways: ways.collect(),
            refused: self.refused.as_ref().map(|refused| Refused {
                from: refused.from,
                end: refused.end,
                until: now.after(refused.left),
            }),
            over: self.over.map(|left| now.after(left)),
            event: self.event,
            begun: Begun::of_age(now, self.begun),
        }))
    }
}
