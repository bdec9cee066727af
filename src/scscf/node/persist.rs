//! What is stored of each set, one by one.

use super::{
    CALL_ID, Event, Gathered, IDENTITY, Id, Identifiers, Load, Millis, Outbox, RestoreError, Scscf,
    ScscfNode, Vec, canonical, exchange, snapshot,
};
use crate::drive::{Changes, Persist, snapshot::Kind};

impl Persist for ScscfNode {
    const MACHINE: Kind = snapshot::SET;
    const FORMAT: u16 = snapshot::SET_FORMAT;

    fn identifiers(&mut self) -> &mut Identifiers {
        &mut self.identifiers
    }

    fn reserved(&self) -> usize {
        self.sets.reserved()
    }

    fn changes(&mut self) -> &mut Changes {
        &mut self.changes
    }

    /// The identity that the set has had the longest.
    fn write_key(&self, machine: u32, into: &mut Vec<u8>) {
        let entry = self.sets.at(machine).and_then(|id| self.sets.get(id));
        if let Some(uri) = entry.and_then(|entry| entry.identities().next()) {
            into.extend_from_slice(&canonical(uri));
        }
    }

    fn write_machine(&self, machine: u32, now: Millis, into: &mut Vec<u8>) {
        if let Some(entry) = self.sets.at(machine).and_then(|id| self.sets.get(id)) {
            snapshot::write(entry, now, into);
        }
    }

    fn read_machine(&mut self, now: Millis, bytes: &[u8]) -> Result<u32, RestoreError> {
        let entry = snapshot::read(bytes, now, &self.config, self.recorder.shared())?;
        let serves = entry.load().served;
        if self.sets.len() >= self.config.most_sets()
            || self.load.served.saturating_add(serves) > self.config.limits.users
        {
            return Err(RestoreError::TooLarge);
        }
        let is_here = |uri: &[u8]| self.find_identity(uri).is_some();
        if entry.identities().any(is_here) {
            return Err(RestoreError::AlreadyHere);
        }
        let mut keys = Gathered::default();
        let id = self.adopt(entry, &mut keys)?;
        self.sets.file_all(keys);
        self.forget_failures(id);
        Ok(id.place())
    }

    fn let_go(&mut self, machine: u32, out: &mut Outbox<Scscf>) {
        let Some(id) = self.sets.at(machine) else {
            return;
        };
        let Some((entry, mut keys)) = self.sets.get_with_keys(id) else {
            return;
        };
        let Some(set) = entry.wake() else {
            return;
        };
        let shown = set.table.shown().next().map_or(&b""[..], |own| &own.uri);
        Self::report_taken_over(shown, out);
        for identity in &set.table.identities {
            keys.unfile(IDENTITY, &canonical(&identity.uri));
        }
        for subscription in &set.subscriptions {
            keys.unfile(CALL_ID, subscription.call_id());
        }
        self.load = Load {
            waiting: exchange(self.load.waiting, set.counted.waiting, 0),
            served: exchange(self.load.served, set.counted.served, 0),
        };
        self.sets.remove(id);
        self.end_turn(self.clock.latest(), id);
    }

    fn turn_left(&mut self, now: Millis, machine: u32) {
        if let Some(drain) = &mut self.drain {
            drain.turn_left(now, machine);
        }
    }

    fn report_taken_over(key: &[u8], out: &mut Outbox<Scscf>) {
        let public_identity = out.put_text(key);
        out.event(Event::TakenOver { public_identity });
    }

    fn is_of_node(event: &Event) -> bool {
        matches!(event, Event::DrainProgressed { .. } | Event::Drained { .. })
    }

    fn write_outcome(event: &Event, out: &Outbox<Scscf>) -> Option<Vec<u8>> {
        snapshot::write_outcome(event, out)
    }

    fn read_outcome(bytes: &[u8], out: &mut Outbox<Scscf>) -> Result<(), RestoreError> {
        snapshot::read_outcome(bytes, out)
    }
}

impl ScscfNode {
    /// [SD-9] Failures are numbered by each node: here, every P-CSCF that is known to have failed has failed for the
    /// whole set, until the next REGISTER.
    fn forget_failures(&mut self, id: Id) {
        let entry = self.sets.get(id);
        if entry.is_none_or(|entry| entry.bound().all(|contact| contact.failure == 0)) {
            return;
        }
        if let Some(set) = self.wake(id) {
            for binding in &mut set.table.bindings {
                binding.failure = 0;
            }
        }
        self.lull();
    }
}
