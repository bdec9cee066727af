//! The rows of a watcher's table.

use alloc::{string::String, vec::Vec};
use core::fmt;

use crate::{
    drive::Millis,
    reginfo::{Contact, ContactState, PolicyAction, RegistrationState},
};

/// What the latest document did to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// It was not there, or had gone, and is there now.
    Added,
    /// It was there and is, but something of it differs, if only the instant of its expiry.
    Updated,
    /// The document says that it has gone, and that was not known. The row goes with the next document that does
    /// not list it.
    Terminated,
    /// It was there, and a full document leaves it out. The row goes with the next document that does not list it.
    Omitted,
}

/// The registration state of one address of record, as the documents so far have it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegistrationRow {
    /// The address of record, as in [`RegistrationView`](crate::reginfo::RegistrationView).
    pub aor: String,
    /// Its id within the subscription; empty if there is none.
    pub id: String,
    /// Its state as the latest document that listed it said.
    pub state: RegistrationState,
    /// The wildcarded public identity that the address of record is an instance of (TS 24.229 7.10.2).
    pub wildcarded_identity: Option<String>,
    /// The policy (TS 24.229 7.10.3).
    pub policy: Option<Vec<PolicyAction<String>>>,
    /// What the latest document did to it, apart from its contacts; `None` if nothing.
    pub change: Option<Change>,
    pub(super) contacts: Vec<ContactRow>,
}

/// A contact of a registration, as the documents so far have it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContactRow {
    /// The contact as the latest document that listed it said. Its state is `Terminated` also when only its
    /// registration is said to be; when no document listed it as terminated, it has no event.
    pub contact: Contact,
    /// When it expires, if it is active and the document said when.
    pub expires_at: Option<Millis>,
    /// What the latest document did to it; `None` if nothing.
    pub change: Option<Change>,
}

impl RegistrationRow {
    /// Its contacts: those that the latest document listed, in the document's order, then the others.
    pub fn contacts(&self) -> impl ExactSizeIterator<Item = &ContactRow> {
        self.contacts.iter()
    }

    /// Whether the address of record has contacts, as far as is known: its state is active, and no full
    /// document has left it out since.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.state == RegistrationState::Active && !self.is_gone()
    }

    /// Whether it is terminated or left out.
    pub(super) fn is_gone(&self) -> bool {
        self.state == RegistrationState::Terminated || self.change == Some(Change::Omitted)
    }

    /// Whether both say the same, apart from contacts.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        self.aor == other.aor
            && self.id == other.id
            && self.state == other.state
            && self.wildcarded_identity == other.wildcarded_identity
            && self.policy == other.policy
    }

    /// The same registration after another document.
    pub(super) fn with(&self, change: Option<Change>, contacts: Vec<ContactRow>) -> Self {
        Self {
            aor: self.aor.clone(),
            id: self.id.clone(),
            state: self.state,
            wildcarded_identity: self.wildcarded_identity.clone(),
            policy: self.policy.clone(),
            change,
            contacts,
        }
    }
}

impl ContactRow {
    /// Whether the contact is bound to the address of record, as far as is known: it is active, and no full
    /// document has left it out since.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.contact.state == ContactState::Active && self.change != Some(Change::Omitted)
    }

    /// The same contact after another document.
    pub(super) fn with(&self, change: Option<Change>) -> Self {
        Self {
            change,
            ..self.clone()
        }
    }

    /// The same contact when it has gone without being listed.
    pub(super) fn terminated(&self) -> Self {
        Self {
            contact: Contact {
                state: ContactState::Terminated,
                event: None,
                expires: None,
                retry_after: None,
                ..self.contact.clone()
            },
            expires_at: None,
            change: Some(Change::Terminated),
        }
    }
}

impl fmt::Debug for RegistrationRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistrationRow")
            .field("state", &self.state)
            .field("policy", &self.policy)
            .field("change", &self.change)
            .field("contacts", &self.contacts)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ContactRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContactRow")
            .field("contact", &self.contact)
            .field("expires_at", &self.expires_at)
            .field("change", &self.change)
            .finish()
    }
}
