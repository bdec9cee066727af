//! [RN-2] The table as a registration information document.

use super::{Binding, Bindings, Field, Identity, Status};
use crate::{
    drive::Buffer,
    regevent::{
        contact_events::{Cause, implied},
        notifier::{Document, Resource},
    },
    reginfo::{
        ContactEvent, ContactOut, ContactState, DocumentState, DocumentWriter, Id,
        RegistrationState, TempGruu,
    },
    scscf::wildcard,
};

impl Bindings {
    /// No document of the set is longer.
    pub(super) fn document_bound(&self) -> usize {
        let contacts = self
            .bindings
            .iter()
            .map(contact_bound)
            .fold(0, usize::saturating_add);
        self.identities
            .iter()
            .filter(|identity| !identity.barred)
            .map(|identity| {
                let wildcard = match wildcard::is_wildcarded(&identity.uri) {
                    true => escaped(&identity.uri).saturating_add(wildcard::LONGEST * 3 + 100),
                    false => 0,
                };
                contacts
                    .saturating_add(100)
                    .saturating_add(escaped(&identity.uri))
                    .saturating_add(wildcard)
            })
            .fold(200, usize::saturating_add)
    }

    /// Whether a binding stands in that document, in the registration of that identity.
    fn tells(document: &Document, identity: &Identity, binding: &Binding) -> bool {
        let is_news = binding.changed > document.since;
        let is_full = document.state == DocumentState::Full;
        match binding.status.get() {
            Status::Gone { .. } => is_news,
            Status::Active => is_news || is_full || identity.is_news(document),
        }
    }
}

impl Identity {
    /// Whether it came into the set, or left it, since what the subscriber knows of.
    fn is_news(&self, document: &Document) -> bool {
        self.termination.get().unwrap_or(self.changed) > document.since
    }
}

fn contact_bound(binding: &Binding) -> usize {
    let gruus = [Field::PublicGruu, Field::TemporaryGruu]
        .iter()
        .filter(|field| !binding.field(**field).is_empty())
        .count();
    let params = binding.field(Field::Params);
    let count = params.iter().filter(|byte| **byte == b';').count();
    let texts = [
        Field::Uri,
        Field::Params,
        Field::CallId,
        Field::DisplayName,
        Field::Q,
        Field::PublicGruu,
        Field::TemporaryGruu,
    ];
    texts
        .iter()
        .map(|field| escaped(binding.field(*field)))
        .fold(250, usize::saturating_add)
        .saturating_add(count.saturating_mul(48))
        .saturating_add(gruus.saturating_mul(110))
}

/// The most bytes that a text takes in a document.
fn escaped(text: &[u8]) -> usize {
    let one = |byte: &u8| match byte {
        b'<' | b'>' | b'&' | b'"' | b'\'' => 6,
        0x20..=0x7e => 1,
        _ => 3,
    };
    text.iter().map(one).fold(0, usize::saturating_add)
}

impl Resource for Bindings {
    fn changes(&self) -> u64 {
        self.changes
    }

    fn terminations(&self) -> u64 {
        self.terminations
    }

    fn is_terminated(&self) -> bool {
        self.active().next().is_none()
    }

    fn remembers(&self, since: u64) -> bool {
        self.forgotten <= since
    }

    /// [RN-2] Every identity of the set that is not barred, every one with every contact; in a partial
    /// document those of which something is new.
    fn write_document(&self, buffer: &mut Buffer, document: &Document) {
        let mut writer = DocumentWriter::new(buffer, document.version, document.state);
        let shown = self.identities.iter().filter(|identity| !identity.barred);
        for identity in shown {
            let has_left = identity.termination.get().is_some();
            if has_left && !identity.is_news(document) {
                continue;
            }
            let told = |binding: &&Binding| Self::tells(document, identity, binding);
            let mut told = self.bindings.iter().filter(told).peekable();
            let is_partial = document.state == DocumentState::Partial;
            if is_partial && !identity.is_news(document) && told.peek().is_none() {
                continue;
            }
            let state = match has_left || self.is_terminated() {
                true => RegistrationState::Terminated,
                false => RegistrationState::Active,
            };
            identity.write(&mut writer, state);
            for binding in told {
                binding.write(&mut writer, identity, document);
            }
            identity.write_extensions(&mut writer);
        }
        writer.finish();
    }
}

impl Identity {
    /// [RN-2, SD-7] Begins its registration. The address of a wildcarded one is some identity that it covers
    /// (TS 24.229 7.10.2).
    fn write(&self, writer: &mut DocumentWriter<'_>, state: RegistrationState) {
        let id = Id::Numbered('r', self.number.into());
        match wildcard::instance(&self.uri) {
            Some(instance) => writer.registration(&instance, id, state),
            None => writer.registration(&self.uri, id, state),
        }
    }

    /// [SD-7] What follows the contacts of its registration.
    fn write_extensions(&self, writer: &mut DocumentWriter<'_>) {
        if wildcard::is_wildcarded(&self.uri) {
            writer.wildcarded_identity(&self.uri);
        }
    }
}

impl Binding {
    /// [RN-2] A contact of the registration of that identity. Its id is that of no other contact of the
    /// subscription (RFC 3680 5.1.2). What is there carries its expiry, what is gone an expiry of zero.
    fn write(&self, writer: &mut DocumentWriter<'_>, identity: &Identity, document: &Document) {
        let is_explicit = self.explicit == identity.number;
        let event = match self.status.get() {
            Status::Active if identity.termination.get().is_some() => Cause::Rejection.ends_with(),
            // It came without a REGISTER, to what was bound already.
            Status::Active if identity.changed > self.changed => ContactEvent::Created,
            _ if is_explicit => self.event,
            _ => implied(self.event),
        };
        let text = |field| Some(self.field(field)).filter(|text| !text.is_empty());
        let mut id = ContactId::default();
        id.put(b'r', identity.number);
        id.put(b'c', self.number);
        let uri = self.field(Field::Uri);
        let mut contact = ContactOut::new(Id::Text(id.text()), event.state(), event, uri);
        contact.expires = Some(match event.state() {
            ContactState::Active => self.seconds_left(document.now),
            ContactState::Terminated => 0,
        });
        contact.retry_after = match self.status.get() {
            Status::Gone { retry_after, .. } => retry_after.map(u64::from),
            Status::Active => None,
        };
        contact.q = text(Field::Q);
        contact.callid = text(Field::CallId);
        contact.cseq = Some(self.cseq.into());
        contact.display_name = text(Field::DisplayName);
        contact.params_raw = self.field(Field::Params);
        contact.pub_gruu = text(Field::PublicGruu);
        let temporary = text(Field::TemporaryGruu).filter(|_| document.to_user);
        contact.temp_gruu = temporary.map(|uri| TempGruu {
            uri,
            first_cseq: Some(self.first_cseq.into()),
        });
        writer.contact(&contact);
    }
}

/// The id of a contact, such as `r0c1`.
#[derive(Default)]
struct ContactId {
    bytes: [u8; 22],
    length: usize,
}

impl ContactId {
    fn put(&mut self, letter: u8, mut number: u32) {
        let mut text = [b'0'; 11];
        let mut first = text.len();
        for (place, digit) in text.iter_mut().enumerate().rev() {
            if number == 0 && place < 10 {
                break;
            }
            *digit = b'0'.wrapping_add((number % 10) as u8);
            number /= 10;
            first = place;
        }
        first = first.saturating_sub(1);
        if let Some(place) = text.get_mut(first) {
            *place = letter;
        }
        let text = text.get(first..).unwrap_or_default();
        let end = self.length.saturating_add(text.len());
        if let Some(place) = self.bytes.get_mut(self.length..end) {
            place.copy_from_slice(text);
            self.length = end;
        }
    }

    fn text(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::{super::FIELDS, *};
    use crate::{
        drive::{Limits, Millis},
        fleet::Seldom,
        reginfo,
        scscf::bindings::Strings,
    };

    const NOW: Millis = Millis(1_000_000);

    /// A set of two identities, the first registered explicitly, with one contact.
    fn table() -> Bindings {
        let mut table = Bindings::default();
        for uri in [&b"sip:alice@home.example"[..], b"tel:+1"] {
            table.add_identity(uri, false);
        }
        let mut parts: [&[u8]; FIELDS] = [b""; FIELDS];
        parts[Field::Uri as usize] = b"sip:alice@192.0.2.1";
        let binding = Binding {
            number: 0,
            strings: Strings::plain(parts, 1_000).unwrap(),
            cseq: 1,
            expires_at: NOW.after_seconds(3_600),
            explicit: 0,
            first_cseq: 0,
            failure: 0,
            event: ContactEvent::Registered,
            changed: 0,
            status: Seldom::new(Status::Active),
        };
        table.rebind(Vec::from([binding]), Cause::Register, NOW);
        table
    }

    fn read(table: &Bindings, state: DocumentState, since: u64) -> reginfo::Document {
        let mut buffer = Buffer::new(10_000);
        let document = Document {
            version: 0,
            state,
            since,
            to_user: false,
            now: NOW,
        };
        table.write_document(&mut buffer, &document);
        assert!(buffer.as_slice().len() <= table.document_bound());
        reginfo::Document::read(buffer.as_slice(), &Limits::default()).unwrap()
    }

    /// [RN-2] The shortest and the longest id of a contact.
    #[test]
    fn contact_ids() {
        for (registration, contact) in [(0, 0), (7, 10), (u32::MAX, 1_000_000_000), (0, u32::MAX)] {
            let mut id = ContactId::default();
            id.put(b'r', registration);
            id.put(b'c', contact);
            let expected = alloc::format!("r{registration}c{contact}");
            assert_eq!(id.text(), expected.as_bytes());
        }
    }

    /// [RN-2, RN-4, T10, T20] Each end is written as what it is, with an expiry of zero; `probation`, and only
    /// that, with the time to wait (RFC 3680 5.1.2).
    #[test]
    fn ends() {
        for (cause, event, retry_after) in [
            (Cause::Register, ContactEvent::Unregistered, None),
            (Cause::Timer, ContactEvent::Expired, None),
            (Cause::Deactivation, ContactEvent::Deactivated, None),
            (Cause::Rejection, ContactEvent::Rejected, None),
            (Cause::Reauthentication, ContactEvent::Deactivated, None),
            (
                Cause::Probation { retry_after: 90 },
                ContactEvent::Probation,
                Some(90),
            ),
        ] {
            let mut table = table();
            let since = table.changes;
            table.remove(&[0], cause, NOW);
            assert_eq!((table.terminations, table.changes), (since + 1, since + 1));
            for state in [DocumentState::Full, DocumentState::Partial] {
                let document = read(&table, state, since);
                assert_eq!(document.registrations.len(), 2);
                for registration in document.registrations {
                    assert_eq!(registration.state, RegistrationState::Terminated);
                    let contact = &registration.contacts[0];
                    assert_eq!(contact.event, Some(event));
                    assert_eq!(contact.state, ContactState::Terminated);
                    assert_eq!(
                        (contact.expires, contact.retry_after),
                        (Some(0), retry_after)
                    );
                }
            }
            let later = read(&table, DocumentState::Full, since + 1);
            assert!(
                later.registrations.iter().all(|r| r.contacts.is_empty()),
                "told before"
            );
        }
    }

    /// [RN-2, RN-3] A contact that is there carries its expiry whatever its event, `shortened` too (RFC 3680
    /// 5.1.2); a change that ends nothing is no termination.
    #[test]
    fn shortened() {
        let mut table = table();
        let (since, terminations) = (table.changes, table.terminations);
        let mut after = table.bindings.clone();
        after[0].expires_at = NOW.after_seconds(60);
        table.rebind(after.to_vec(), Cause::Reauthentication, NOW);
        assert_eq!(
            (table.changes, table.terminations),
            (since + 1, terminations)
        );
        let document = read(&table, DocumentState::Partial, since);
        assert_eq!(document.registrations.len(), 2);
        for registration in document.registrations {
            assert_eq!(registration.state, RegistrationState::Active);
            let contact = &registration.contacts[0];
            assert_eq!(contact.event, Some(ContactEvent::Shortened));
            assert_eq!((contact.expires, contact.retry_after), (Some(60), None));
        }
        // The same again is no change.
        table.rebind(after.to_vec(), Cause::Reauthentication, NOW);
        assert_eq!(table.changes, since + 1);
        assert!(
            read(&table, DocumentState::Partial, since + 1)
                .registrations
                .is_empty()
        );
    }
}
