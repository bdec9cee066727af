//! A P-CSCF stored user by user.

use alloc::vec::Vec;

use super::{CONTACT, PRIVATE_IDENTITY, PcscfNode};
use crate::{
    drive::{Changes, Identifiers, Millis, Outbox, Persist, RestoreError, snapshot::Kind},
    pcscf::{
        Event, Pcscf, Registration,
        snapshot::{self, Restoring, Stored},
    },
    wire::register::contact_key,
};

impl Persist for PcscfNode {
    const MACHINE: Kind = snapshot::USER;
    const FORMAT: u16 = snapshot::USER_FORMAT;

    fn identifiers(&mut self) -> &mut Identifiers {
        &mut self.identifiers
    }

    fn reserved(&self) -> usize {
        self.users.reserved()
    }

    fn changes(&mut self) -> &mut Changes {
        &mut self.changes
    }

    /// The private identity.
    fn write_key(&self, machine: u32, into: &mut Vec<u8>) {
        let user = self.users.at(machine).and_then(|id| self.users.get(id));
        into.extend_from_slice(user.map_or(b"", |user| &user.private_identity));
    }

    fn write_machine(&self, machine: u32, now: Millis, into: &mut Vec<u8>) {
        if let Some(user) = self.users.at(machine).and_then(|id| self.users.get(id)) {
            snapshot::write(user, &self.subscriptions, now, into);
        }
    }

    fn read_machine(&mut self, now: Millis, bytes: &[u8]) -> Result<u32, RestoreError> {
        let (user, mut restoring) = (snapshot::read(bytes)?, Restoring::new());
        let sharing = (&mut restoring, &mut self.shared);
        let mut restored = Stored::Current(&user).restore(sharing, now, &self.config)?;
        // Whoever waited for the turn of a shutdown does so again if one runs here.
        let registrations = restored.0.registrations.iter_mut();
        registrations.for_each(Registration::leave_alone);
        if self.users.len() >= self.config.limits.users {
            return Err(RestoreError::TooLarge);
        }
        if self.find_user(&restored.0.private_identity).is_some() {
            return Err(RestoreError::AlreadyHere);
        }
        let id = self.adopt(now, restored, &mut restoring)?;
        self.file_all(restoring);
        if let Some(drain) = &mut self.drain {
            drain.walk_again(id.place());
        }
        Ok(id.place())
    }

    fn let_go(&mut self, machine: u32, out: &mut Outbox<Pcscf>) {
        let Some(id) = self.users.at(machine) else {
            return;
        };
        let Some((user, mut keys)) = self.users.get_with_keys(id) else {
            return;
        };
        Self::report_taken_over(&user.private_identity, out);
        keys.unfile(PRIVATE_IDENTITY, &user.private_identity);
        for registration in &user.registrations {
            keys.unfile(CONTACT, &contact_key(registration.contact()));
            self.census.remove(registration);
        }
        if let Some(subscription) = user.subscription {
            self.subscriptions.forget(subscription);
        }
        self.users.remove(id);
        self.repace(id);
    }

    fn turn_left(&mut self, now: Millis, machine: u32) {
        self.pacing.left(now, machine);
    }

    fn report_taken_over(key: &[u8], out: &mut Outbox<Pcscf>) {
        let private_identity = out.put_text(key);
        out.event(Event::TakenOver { private_identity });
    }

    fn is_of_node(event: &Event) -> bool {
        matches!(
            event,
            Event::ShutdownPlanned { .. }
                | Event::ShutdownProgressed { .. }
                | Event::ShutdownEnded { .. }
        )
    }

    fn write_outcome(event: &Event, out: &Outbox<Pcscf>) -> Option<Vec<u8>> {
        snapshot::write_outcome(event, out)
    }

    fn read_outcome(bytes: &[u8], out: &mut Outbox<Pcscf>) -> Result<(), RestoreError> {
        snapshot::read_outcome(bytes, out)
    }
}
