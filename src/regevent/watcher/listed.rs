//! A document as it is read beside a table. As long as it lists the rows as they stand, in their order, only what
//! may change of a row with every REGISTER is kept of it; so a document by which registrations were refreshed, or
//! ended, costs no allocation for its rows. From the first element that is another, it is kept whole.

use alloc::vec::Vec;

use super::{
    merge::{Before, change, expiry},
    rows::{ContactRow, RegistrationRow},
    size::Size,
};
use crate::{
    drive::{Limits, Millis, Reject},
    reginfo::{
        Contact, ContactEvent, ContactState, ContactView, Document, DocumentState, Gathered,
        Registration, RegistrationEnd, RegistrationState, RegistrationView, Visitor,
    },
};

/// What a document lists.
pub(super) enum Listed {
    /// Every row of the table, in order, as it stands but for this.
    Rows(Changes),
    /// Something else.
    Others(Document),
}

/// What a document that lists the rows as they stand says of them.
#[derive(Default)]
pub(super) struct Changes {
    registrations: Vec<RegistrationState>,
    /// Of the contacts of all registrations, in order.
    contacts: Vec<Said>,
}

/// What may change of a contact with every REGISTER.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Said {
    state: ContactState,
    event: Option<ContactEvent>,
    expires: Option<u64>,
    retry_after: Option<u64>,
    duration_registered: Option<u64>,
    cseq: Option<u64>,
    first_cseq: Option<u64>,
}

/// Hears a document.
pub(super) struct Listing<'r> {
    rows: &'r [RegistrationRow],
    pub(super) version: u32,
    pub(super) state: DocumentState,
    changes: Changes,
    /// Contacts heard of the latest registration.
    heard: usize,
    /// The document, once it is known to list something else.
    others: Option<Gathered>,
}

impl<'r> Listing<'r> {
    pub(super) fn new(rows: &'r [RegistrationRow]) -> Self {
        let contacts = rows.iter().map(|row| row.contacts.len());
        Self {
            rows,
            version: 0,
            state: DocumentState::Full,
            changes: Changes {
                registrations: Vec::with_capacity(rows.len()),
                contacts: Vec::with_capacity(contacts.fold(0, usize::saturating_add)),
            },
            heard: 0,
            others: None,
        }
    }

    /// What the document lists, at its end.
    pub(super) fn finish(mut self) -> Listed {
        if self.changes.registrations.len() != self.rows.len() {
            self.others();
        }
        match self.others {
            Some(gathered) => Listed::Others(gathered.0),
            None => Listed::Rows(self.changes),
        }
    }

    /// The row of the latest registration.
    fn row(&self) -> Option<&'r RegistrationRow> {
        let latest = self.changes.registrations.len().checked_sub(1)?;
        self.rows.get(latest)
    }

    /// The document so far, to be kept whole from here on.
    fn others(&mut self) -> &mut Gathered {
        let (rows, changes) = (self.rows, &self.changes);
        let (version, state) = (self.version, self.state);
        self.others.get_or_insert_with(|| {
            let mut said = changes.contacts.iter();
            let registrations = rows.iter().zip(&changes.registrations);
            let registrations = registrations.map(|(row, state)| Registration {
                aor: row.aor.clone(),
                id: row.id.clone(),
                state: *state,
                // Of the latest, those that were heard: no more is said.
                contacts: (row.contacts.iter().zip(&mut said))
                    .map(|(row, said)| said.contact(row))
                    .collect(),
                wildcarded_identity: row.wildcarded_identity.clone(),
                policy: row.policy.clone(),
            });
            Gathered(Document {
                version,
                state,
                registrations: registrations.collect(),
            })
        })
    }
}

impl Visitor for Listing<'_> {
    fn document(&mut self, version: u32, state: DocumentState) {
        self.version = version;
        self.state = state;
    }

    fn registration(&mut self, registration: &RegistrationView<'_>) {
        let row = self.rows.get(self.changes.registrations.len());
        let is_row =
            row.is_some_and(|row| row.aor == registration.aor && row.id == registration.id);
        if self.others.is_none() && is_row {
            self.changes.registrations.push(registration.state);
            self.heard = 0;
        } else {
            self.others().registration(registration);
        }
    }

    fn contact(&mut self, contact: &ContactView<'_>) {
        if self.others.is_none() {
            let row = self.row().and_then(|row| row.contacts.get(self.heard));
            if row.is_some_and(|row| is_named(&row.contact, contact)) {
                self.changes.contacts.push(Said::by(contact));
                self.heard = self.heard.saturating_add(1);
                return;
            }
        }
        self.others().contact(contact);
    }

    fn registration_end(&mut self, end: &RegistrationEnd<'_>) {
        let stands = |row: &RegistrationRow| {
            row.contacts.len() == self.heard
                && row.wildcarded_identity.as_deref() == end.wildcarded_identity
                // Few have one: it is not worth comparing.
                && row.policy.is_none()
                && !end.has_policy
        };
        if self.others.is_some() || !self.row().is_some_and(stands) {
            self.others().registration_end(end);
        }
    }
}

impl Changes {
    /// [RI-3] The table after the document, as merging it would have it.
    ///
    /// # Errors
    /// [`Reject`] if the rows are more than the limits allow; they are then as before.
    pub(super) fn apply(
        &self,
        rows: &mut [RegistrationRow],
        now: Millis,
        limits: &Limits,
    ) -> Result<(), Reject> {
        let mut size = Size::default();
        for row in &*rows {
            size.add_registration(row);
            row.contacts
                .iter()
                .for_each(|row| size.add_contact(&row.contact));
        }
        size.check(limits)?;
        let mut said = self.contacts.iter();
        for (row, state) in rows.iter_mut().zip(&self.registrations) {
            row.say(*state);
            for (row, said) in row.contacts.iter_mut().zip(&mut said) {
                row.say(said, *state, now);
            }
        }
        Ok(())
    }
}

impl RegistrationRow {
    /// The document says nothing else of it but the state.
    fn say(&mut self, state: RegistrationState) {
        let before = if self.is_gone() {
            Before::Gone
        } else {
            Before::Present
        };
        let differs = self.state != state;
        self.state = state;
        self.change = change(before, state == RegistrationState::Terminated, differs);
    }
}

impl ContactRow {
    /// The document says nothing else of it but this.
    fn say(&mut self, said: &Said, registration: RegistrationState, now: Millis) {
        let before = if self.is_active() {
            Before::Present
        } else {
            Before::Gone
        };
        let mut said = *said;
        if registration == RegistrationState::Terminated {
            said.state = ContactState::Terminated;
        }
        let known = (Said::of(&self.contact), self.expires_at);
        said.put_into(&mut self.contact);
        self.expires_at = expiry(&self.contact, now);
        let differs = known != (said, self.expires_at);
        let is_gone = said.state == ContactState::Terminated;
        self.change = change(before, is_gone, differs);
    }
}

impl Said {
    fn by(contact: &ContactView<'_>) -> Self {
        Self {
            state: contact.state,
            event: contact.event,
            expires: contact.expires,
            retry_after: contact.retry_after,
            duration_registered: contact.duration_registered,
            cseq: contact.cseq,
            first_cseq: contact.temp_gruu.and_then(|gruu| gruu.first_cseq),
        }
    }

    fn of(contact: &Contact) -> Self {
        let temp_gruu = contact.temp_gruu.as_ref();
        Self {
            state: contact.state,
            event: contact.event,
            expires: contact.expires,
            retry_after: contact.retry_after,
            duration_registered: contact.duration_registered,
            cseq: contact.cseq,
            first_cseq: temp_gruu.and_then(|gruu| gruu.first_cseq),
        }
    }

    fn put_into(self, contact: &mut Contact) {
        contact.state = self.state;
        contact.event = self.event;
        contact.expires = self.expires;
        contact.retry_after = self.retry_after;
        contact.duration_registered = self.duration_registered;
        contact.cseq = self.cseq;
        if let Some(gruu) = &mut contact.temp_gruu {
            gruu.first_cseq = self.first_cseq;
        }
    }

    /// The contact of a row as the document has it.
    fn contact(self, row: &ContactRow) -> Contact {
        let mut contact = row.contact.clone();
        self.put_into(&mut contact);
        contact
    }
}

/// Whether all is the same that does not change with every REGISTER.
fn is_named(known: &Contact, contact: &ContactView<'_>) -> bool {
    let params = known.params.iter();
    known.uri == contact.uri
        && known.id == contact.id
        && known.callid.as_deref() == contact.callid
        && known.q.as_deref() == contact.q
        && known.display_name.as_deref() == contact.display_name
        && known.display_name_lang.as_deref() == contact.display_name_lang
        && known.pub_gruu.as_deref() == contact.pub_gruu
        && known.temp_gruu.as_ref().map(|gruu| gruu.uri.as_str())
            == contact.temp_gruu.map(|gruu| gruu.uri)
        && params
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .eq(contact.params())
}
