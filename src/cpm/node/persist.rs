//! [DR-7] Sessions that are stored one by one.

use alloc::{string::ToString, vec::Vec};

use super::CpmNode;
use crate::{
    cpm::{Cpm, Event, SessionRef, snapshot},
    drive::{Changes, Identifiers, Millis, Outbox, Persist, RestoreError, snapshot::Kind},
};

impl Persist for CpmNode {
    const MACHINE: Kind = snapshot::SESSION;
    const FORMAT: u16 = snapshot::SESSION_FORMAT;

    fn identifiers(&mut self) -> &mut Identifiers {
        &mut self.identifiers
    }

    fn reserved(&self) -> usize {
        self.sessions.reserved()
    }

    fn changes(&mut self) -> &mut Changes {
        &mut self.changes
    }

    /// The host's handle, then Call-ID and tags of its first leg, a line each.
    fn write_key(&self, machine: u32, into: &mut Vec<u8>) {
        let session = self.sessions.at(machine);
        let Some(session) = session.and_then(|id| self.sessions.get(id)) else {
            return;
        };
        if let Some(leg) = session.legs.first() {
            let dialog = leg.dialog();
            let handle = session.session.0.to_string();
            let key = [
                handle.as_bytes(),
                dialog.call_id,
                dialog.local_tag,
                dialog.remote_tag,
            ];
            into.extend_from_slice(&key.join(b"\n".as_slice()));
        }
    }

    fn write_machine(&self, machine: u32, now: Millis, into: &mut Vec<u8>) {
        let session = self.sessions.at(machine);
        if let Some(session) = session.and_then(|id| self.sessions.get(id)) {
            snapshot::write(session, now, into);
        }
    }

    fn read_machine(&mut self, now: Millis, bytes: &[u8]) -> Result<u32, RestoreError> {
        let session = snapshot::read(bytes, now, &self.config)?;
        if self.sessions.len() >= self.config.limits.users {
            return Err(RestoreError::TooLarge);
        }
        if self.is_known(&session) {
            return Err(RestoreError::AlreadyHere);
        }
        Ok(self.adopt(session).place())
    }

    fn let_go(&mut self, machine: u32, out: &mut Outbox<Cpm>) {
        let Some(id) = self.sessions.at(machine) else {
            return;
        };
        if let Some(session) = self.sessions.get(id) {
            let session = session.session;
            out.event(Event::TakenOver { session });
        }
        self.forget(id);
    }

    fn report_taken_over(key: &[u8], out: &mut Outbox<Cpm>) {
        let line = key.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let handle = core::str::from_utf8(line).ok();
        if let Some(handle) = handle.and_then(|handle| handle.parse().ok()) {
            let session = SessionRef(handle);
            out.event(Event::TakenOver { session });
        }
    }

    fn write_outcome(event: &Event, out: &Outbox<Cpm>) -> Option<Vec<u8>> {
        snapshot::write_outcome(event, out)
    }

    fn read_outcome(bytes: &[u8], out: &mut Outbox<Cpm>) -> Result<(), RestoreError> {
        snapshot::read_outcome(bytes, out)
    }
}
