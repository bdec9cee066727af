//! What a table becomes by a document. The old table is only read, so that a document can still be refused.

use alloc::vec::Vec;
use core::mem;

use super::{
    pairing::Pairing,
    rows::{Change, ContactRow, RegistrationRow},
    size::Size,
};
use crate::{
    drive::{Limits, Millis, Reject},
    reginfo::{Contact, ContactState, Document, DocumentState, Registration, RegistrationState},
};

/// [RI-3] [RFC 3680 5.2] The rows after a document: those it lists, in its order, then those that go on and those
/// that have gone by it.
///
/// # Errors
/// [`Reject`] if what it lists, or that together with what goes on, is more than the limits allow.
pub(super) fn merge(
    rows: &[RegistrationRow],
    document: Document,
    now: Millis,
    limits: &Limits,
) -> Result<Vec<RegistrationRow>, Reject> {
    Size::listed(&document).check(limits)?;
    let mut merging = Merging {
        state: document.state,
        now,
        size: Size::default(),
    };
    let merged = merging.registrations(rows, document.registrations);
    merging.size.check(limits)?;
    Ok(merged)
}

/// What a row was before the document.
#[derive(Clone, Copy)]
pub(super) enum Before {
    /// Not there.
    Absent,
    /// There, and known to be terminated or left out.
    Gone,
    /// There.
    Present,
}

/// What becomes of an active contact that the document does not list.
#[derive(Clone, Copy)]
enum Fate {
    Unchanged,
    Omitted,
    Terminated,
}

struct Merging {
    state: DocumentState,
    now: Millis,
    /// Of the rows that the document lists, and of those that go on. Rows that go by it are not counted: they
    /// were counted when they came, and are dropped by the next document.
    size: Size,
}

impl Merging {
    fn registrations(
        &mut self,
        rows: &[RegistrationRow],
        listed: Vec<Registration>,
    ) -> Vec<RegistrationRow> {
        let elements = one_of_each_registration(listed);
        let (row_of, unlisted) = Pairing::of_registrations(rows, &elements).finish();
        let mut merged = Vec::with_capacity(elements.len());
        for (element, row) in elements.into_iter().zip(row_of) {
            merged.push(self.registration(row, element));
        }
        for row in unlisted.into_iter().filter(|row| !row.is_gone()) {
            merged.push(self.unlisted(row));
        }
        merged
    }

    /// A registration that the document lists. What a partial document leaves out of it, contacts or what stands
    /// beside them, is as before.
    fn registration(
        &mut self,
        row: Option<&RegistrationRow>,
        element: Registration,
    ) -> RegistrationRow {
        let (before, known) = match row {
            None => (Before::Absent, None),
            Some(row) if row.is_gone() => (Before::Gone, None),
            Some(row) => (Before::Present, Some(row)),
        };
        let kept = known.filter(|_| self.state == DocumentState::Partial);
        let mut merged = RegistrationRow {
            aor: element.aor,
            id: element.id,
            state: element.state,
            wildcarded_identity: (element.wildcarded_identity)
                .or_else(|| kept?.wildcarded_identity.clone()),
            policy: element.policy.or_else(|| kept?.policy.clone()),
            change: None,
            contacts: Vec::new(),
        };
        if let (true, Some(row)) = (merged.aor.is_empty(), row) {
            merged.aor.clone_from(&row.aor);
        }
        let differs = known.is_some_and(|known| !merged.says_the_same(known));
        merged.change = change(before, merged.is_gone(), differs);
        self.size.add_registration(&merged);
        let rows = row.map_or(&[][..], |row| row.contacts.as_slice());
        merged.contacts = self.contacts(rows, element.contacts, merged.state);
        merged
    }

    fn contacts(
        &mut self,
        rows: &[ContactRow],
        listed: Vec<Contact>,
        registration: RegistrationState,
    ) -> Vec<ContactRow> {
        let elements = one_of_each_contact(listed);
        let (row_of, unlisted) = Pairing::of_contacts(rows, &elements).finish();
        let fates = self.fates(unlisted, &elements, registration);
        let mut merged = Vec::with_capacity(elements.len());
        for (element, row) in elements.into_iter().zip(row_of) {
            merged.push(self.contact(row, element, registration));
        }
        for (row, fate) in fates {
            merged.push(match fate {
                Fate::Unchanged => self.unchanged(row),
                Fate::Omitted => row.with(Some(Change::Omitted)),
                Fate::Terminated => row.terminated(),
            });
        }
        merged
    }

    /// What becomes of those contacts that are active and not listed. A registration that is not active has no
    /// contacts (RFC 3680 4.7.1); and where an id has gone over to another URI, the contact that had it has gone.
    fn fates<'r>(
        &self,
        unlisted: Vec<&'r ContactRow>,
        elements: &[Contact],
        registration: RegistrationState,
    ) -> Vec<(&'r ContactRow, Fate)> {
        let active: Vec<_> = unlisted.into_iter().filter(|row| row.is_active()).collect();
        if active.is_empty() {
            return Vec::new();
        }
        let mut ids: Vec<&str> = elements.iter().map(|element| element.id.as_str()).collect();
        ids.sort_unstable();
        let fate = |row: &ContactRow| {
            let id = row.contact.id.as_str();
            let is_replaced = !id.is_empty() && ids.binary_search(&id).is_ok();
            match self.state {
                _ if registration != RegistrationState::Active || is_replaced => Fate::Terminated,
                DocumentState::Full => Fate::Omitted,
                DocumentState::Partial => Fate::Unchanged,
            }
        };
        active.into_iter().map(|row| (row, fate(row))).collect()
    }

    /// A contact that the document lists. In a terminated registration it counts as terminated, whatever its
    /// own state.
    fn contact(
        &mut self,
        row: Option<&ContactRow>,
        element: Contact,
        registration: RegistrationState,
    ) -> ContactRow {
        let mut contact = element;
        if let (true, Some(row)) = (contact.uri.is_empty(), row) {
            contact.uri.clone_from(&row.contact.uri);
        }
        if registration == RegistrationState::Terminated {
            contact.state = ContactState::Terminated;
        }
        self.size.add_contact(&contact);
        let is_active = contact.state == ContactState::Active;
        let expires_at = expiry(&contact, self.now);
        let (before, differs) = match row {
            None => (Before::Absent, false),
            Some(row) if !row.is_active() => (Before::Gone, false),
            Some(row) => {
                let differs = row.contact != contact || row.expires_at != expires_at;
                (Before::Present, differs)
            }
        };
        ContactRow {
            change: change(before, !is_active, differs),
            contact,
            expires_at,
        }
    }

    /// A registration that the document does not list.
    fn unlisted(&mut self, row: &RegistrationRow) -> RegistrationRow {
        let active = row.contacts.iter().filter(|contact| contact.is_active());
        match self.state {
            DocumentState::Full => {
                let contacts = active.map(|contact| contact.with(Some(Change::Omitted)));
                row.with(Some(Change::Omitted), contacts.collect())
            }
            DocumentState::Partial => {
                self.size.add_registration(row);
                let contacts = active.map(|contact| self.unchanged(contact));
                row.with(None, contacts.collect())
            }
        }
    }

    fn unchanged(&mut self, row: &ContactRow) -> ContactRow {
        self.size.add_contact(&row.contact);
        row.with(None)
    }
}

pub(super) const fn change(before: Before, is_gone: bool, differs: bool) -> Option<Change> {
    match (before, is_gone) {
        (Before::Absent | Before::Present, true) => Some(Change::Terminated),
        (Before::Absent | Before::Gone, false) => Some(Change::Added),
        (Before::Present, false) if differs => Some(Change::Updated),
        (Before::Gone, true) | (Before::Present, false) => None,
    }
}

/// When a contact expires that a document received at `now` lists.
pub(super) fn expiry(contact: &Contact, now: Millis) -> Option<Millis> {
    let is_active = contact.state == ContactState::Active;
    let expires = contact.expires.filter(|_| is_active);
    expires.map(|seconds| now.after(seconds.saturating_mul(1_000)))
}

/// A document has one element for a registration (RFC 3680 5.1). Where it has several, the contacts of all count,
/// and else the last.
fn one_of_each_registration(listed: Vec<Registration>) -> Vec<Registration> {
    let mut single: Vec<Registration> = Vec::with_capacity(listed.len());
    for mut element in listed {
        let same = |known: &&mut Registration| known.aor == element.aor && known.id == element.id;
        let Some(known) = single.iter_mut().find(same) else {
            single.push(element);
            continue;
        };
        let mut contacts = mem::take(&mut known.contacts);
        contacts.append(&mut element.contacts);
        *known = Registration {
            contacts,
            wildcarded_identity: (element.wildcarded_identity)
                .or_else(|| known.wildcarded_identity.take()),
            policy: element.policy.or_else(|| known.policy.take()),
            ..element
        };
    }
    single
}

/// The last stands where a contact, id and URI, is listed several times.
fn one_of_each_contact(mut listed: Vec<Contact>) -> Vec<Contact> {
    let mut keys: Vec<_> = listed.iter().map(key).zip(0_usize..).collect();
    keys.sort_unstable();
    let repeated = keys.windows(2).filter_map(|pair| match pair {
        [(one, at), (other, _)] if one == other => Some(*at),
        _ => None,
    });
    let mut repeated: Vec<usize> = repeated.collect();
    repeated.sort_unstable();
    let mut at = 0_usize..;
    listed.retain(|_| {
        at.next()
            .is_none_or(|at| repeated.binary_search(&at).is_err())
    });
    listed
}

fn key(contact: &Contact) -> (&str, &str) {
    (contact.uri.as_str(), contact.id.as_str())
}
