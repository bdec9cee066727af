//! An MSC server stored subscriber by subscriber.

use alloc::vec::Vec;

use super::{MscNode, PRIVATE_IDENTITY};
use crate::{
    drive::{Changes, Identifiers, Millis, Outbox, Persist, RestoreError, snapshot::Kind},
    mscics::{
        Event, Mscics,
        snapshot::{self, Restoring},
    },
};

impl Persist for MscNode {
    const MACHINE: Kind = snapshot::SUBSCRIBER;
    const FORMAT: u16 = snapshot::SUBSCRIBER_FORMAT;

    fn identifiers(&mut self) -> &mut Identifiers {
        &mut self.identifiers
    }

    fn reserved(&self) -> usize {
        self.subscribers.reserved()
    }

    fn changes(&mut self) -> &mut Changes {
        &mut self.changes
    }

    /// The private identity.
    fn write_key(&self, machine: u32, into: &mut Vec<u8>) {
        let id = self.subscribers.at(machine);
        let subscriber = id.and_then(|id| self.subscribers.get(id));
        let key = subscriber.map_or(&b""[..], |it| it.registration.private_identity());
        into.extend_from_slice(key);
    }

    fn write_machine(&self, machine: u32, now: Millis, into: &mut Vec<u8>) {
        let id = self.subscribers.at(machine);
        if let Some(subscriber) = id.and_then(|id| self.subscribers.get(id)) {
            let subscribed = (&subscriber.registration, subscriber.subscription);
            snapshot::write(subscribed, &self.subscriptions, now, into);
        }
    }

    fn read_machine(&mut self, now: Millis, bytes: &[u8]) -> Result<u32, RestoreError> {
        let (stored, mut restoring) = (snapshot::read(bytes)?, Restoring::new());
        let sharing = (&mut restoring, &mut self.shared);
        let mut registration = stored.restore(sharing, now, &self.config)?;
        // Whoever waited for the turn of a shutdown does so again if one runs here.
        registration.leave_alone();
        if self.subscribers.len() >= self.config.limits.users {
            return Err(RestoreError::TooLarge);
        }
        if self.find(registration.private_identity()).is_some() {
            return Err(RestoreError::AlreadyHere);
        }
        let subscribed = (registration, stored.subscription());
        let id = self.adopt(now, subscribed, &mut restoring)?;
        self.file_all(restoring);
        if let Some(drain) = &mut self.drain {
            drain.walk_again(id.place());
        }
        Ok(id.place())
    }

    fn let_go(&mut self, machine: u32, out: &mut Outbox<Mscics>) {
        let Some(id) = self.subscribers.at(machine) else {
            return;
        };
        let Some((subscriber, mut keys)) = self.subscribers.get_with_keys(id) else {
            return;
        };
        let key = subscriber.registration.private_identity();
        Self::report_taken_over(key, out);
        keys.unfile(PRIVATE_IDENTITY, key);
        if let Some(subscription) = subscriber.subscription {
            self.subscriptions.forget(subscription);
        }
        self.subscribers.remove(id);
        self.repace(id);
    }

    fn turn_left(&mut self, now: Millis, machine: u32) {
        self.pacing.left(now, machine);
    }

    fn report_taken_over(key: &[u8], out: &mut Outbox<Mscics>) {
        let private_identity = out.put_text(key);
        out.event(Event::TakenOver { private_identity });
    }

    fn is_of_node(event: &Event) -> bool {
        matches!(
            event,
            Event::ShutdownProgressed { .. } | Event::ShutdownEnded { .. }
        )
    }

    fn write_outcome(event: &Event, out: &Outbox<Mscics>) -> Option<Vec<u8>> {
        snapshot::write_outcome(event, out)
    }

    fn read_outcome(bytes: &[u8], out: &mut Outbox<Mscics>) -> Result<(), RestoreError> {
        snapshot::read_outcome(bytes, out)
    }
}
