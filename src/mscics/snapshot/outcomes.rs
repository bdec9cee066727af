//! [DR-7] The events that must not be lost, in a blob.

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use super::{cause_of, outcome_code, outcome_of};
use crate::{
    drive::{
        Identifier, Millis, Outbox, RestoreError,
        snapshot::{self, Raw},
    },
    mscics::{Affected, Audit, Conclusion, Event, Mscics},
};

/// They are numbered by their order here.
#[derive(Serialize, Deserialize)]
enum OutcomeSnapshot<'b> {
    Deregistered {
        id: Identifier,
        #[serde(borrow)]
        affected: [Raw<'b>; 2],
        cause: u8,
        outcome: (u8, u16),
        registers: u8,
        dialogs_left: u8,
        register_anew: bool,
    },
    Cancelled {
        id: Identifier,
        affected: [Raw<'b>; 2],
        cause: u8,
        dialogs_released: u8,
    },
    Audited {
        id: Identifier,
        affected: [Raw<'b>; 2],
        cause: u8,
        conclusion: Conclusion<(u8, u16)>,
        began: Option<Millis>,
        resumed: bool,
        ended: Millis,
    },
}

/// The blob of an event that must not be lost.
pub(in crate::mscics) fn write_outcome(event: &Event, out: &Outbox<Mscics>) -> Option<Vec<u8>> {
    let texts = |affected: &Affected| {
        let texts = [affected.private_identity, affected.public_identity];
        texts.map(|text| Raw(out.text(text)))
    };
    let outcome = match event {
        Event::Deregistered {
            id,
            affected,
            cause,
            outcome,
            registers,
            dialogs_left,
            register_anew,
        } => OutcomeSnapshot::Deregistered {
            id: *id,
            affected: texts(affected),
            cause: *cause as u8,
            outcome: outcome_code(*outcome),
            registers: *registers,
            dialogs_left: *dialogs_left,
            register_anew: *register_anew,
        },
        Event::Cancelled {
            id,
            affected,
            cause,
            dialogs_released,
        } => OutcomeSnapshot::Cancelled {
            id: *id,
            affected: texts(affected),
            cause: *cause as u8,
            dialogs_released: *dialogs_released,
        },
        Event::Audited(audit) => OutcomeSnapshot::Audited {
            id: audit.id,
            affected: texts(&audit.affected),
            cause: audit.cause as u8,
            conclusion: audit.outcome.map(|outcome| Some(outcome_code(outcome)))?,
            began: audit.began,
            resumed: audit.resumed,
            ended: audit.ended,
        },
        Event::Subscription(_)
        | Event::TakenOver { .. }
        | Event::ShutdownPlanned { .. }
        | Event::ShutdownProgressed { .. }
        | Event::ShutdownEnded { .. } => return None,
    };
    let mut blob = Vec::new();
    snapshot::write(&outcome, &mut blob);
    Some(blob)
}

/// Appends the event of such a blob.
pub(in crate::mscics) fn read_outcome(
    bytes: &[u8],
    out: &mut Outbox<Mscics>,
) -> Result<(), RestoreError> {
    let mut affected = |[private_identity, public_identity]: [Raw<'_>; 2]| Affected {
        private_identity: out.put_text(private_identity.0),
        public_identity: out.put_text(public_identity.0),
    };
    let event = match snapshot::read(bytes)? {
        OutcomeSnapshot::Deregistered {
            id,
            affected: texts,
            cause,
            outcome,
            registers,
            dialogs_left,
            register_anew,
        } => Event::Deregistered {
            id,
            affected: affected(texts),
            cause: cause_of(cause).ok_or(RestoreError::Damaged)?,
            outcome: outcome_of(outcome).ok_or(RestoreError::Damaged)?,
            registers,
            dialogs_left,
            register_anew,
        },
        OutcomeSnapshot::Cancelled {
            id,
            affected: texts,
            cause,
            dialogs_released,
        } => Event::Cancelled {
            id,
            affected: affected(texts),
            cause: cause_of(cause).ok_or(RestoreError::Damaged)?,
            dialogs_released,
        },
        OutcomeSnapshot::Audited {
            id,
            affected: texts,
            cause,
            conclusion,
            began,
            resumed,
            ended,
        } => {
            let cause = cause_of(cause).ok_or(RestoreError::Damaged)?;
            Event::Audited(Audit {
                id,
                affected: affected(texts),
                initiator: cause.initiator(),
                cause,
                outcome: conclusion.map(outcome_of).ok_or(RestoreError::Damaged)?,
                began,
                resumed,
                ended,
            })
        }
    };
    out.event(event);
    Ok(())
}
