//! How much of a table counts against the limits.

use super::rows::RegistrationRow;
use crate::{
    drive::{Limits, Reject},
    regevent::defect,
    reginfo::{Contact, Document, PolicyAction},
};

/// What an `unknown-param` takes in a document beside its strings, at least.
const PARAM_BYTES: usize = "<unknown-param/>".len();

/// What an entry of a policy takes in a document beside its strings, at least.
const ACTION_BYTES: usize = "<rph/>".len();

/// Registrations, contacts, and the bytes that a document with them has at least, markup of registrations and
/// contacts apart.
#[derive(Default)]
pub(super) struct Size {
    registrations: usize,
    contacts: usize,
    bytes: usize,
}

impl Size {
    /// How many registrations and contacts a document lists. Its bytes have been bounded when it was read.
    pub(super) fn listed(document: &Document) -> Self {
        let contacts = document.registrations.iter().map(|r| r.contacts.len());
        Self {
            registrations: document.registrations.len(),
            contacts: contacts.fold(0, usize::saturating_add),
            bytes: 0,
        }
    }

    pub(super) fn add_registration(&mut self, row: &RegistrationRow) {
        self.registrations = self.registrations.saturating_add(1);
        self.add(row.aor.len());
        self.add(row.id.len());
        self.add(optional(row.wildcarded_identity.as_ref()));
        for action in row.policy.iter().flatten() {
            self.add(ACTION_BYTES);
            match action {
                PolicyAction::ResourcePriority { namespace, value } => {
                    self.add(namespace.len());
                    self.add(value.len());
                }
                PolicyAction::PrivateNetworkIndication { domain, .. } => {
                    self.add(optional(domain.as_ref()));
                }
                PolicyAction::PrivilegedSender
                | PolicyAction::PrivilegedSenderForPrivateTraffic => {}
            }
        }
    }

    pub(super) fn add_contact(&mut self, contact: &Contact) {
        self.contacts = self.contacts.saturating_add(1);
        self.add(contact.id.len());
        self.add(contact.uri.len());
        let texts = [
            contact.display_name.as_ref(),
            contact.display_name_lang.as_ref(),
            contact.q.as_ref(),
            contact.callid.as_ref(),
            contact.pub_gruu.as_ref(),
            contact.temp_gruu.as_ref().map(|gruu| &gruu.uri),
        ];
        for text in texts {
            self.add(optional(text));
        }
        for (name, value) in &contact.params {
            self.add(PARAM_BYTES);
            self.add(name.len());
            self.add(value.len());
        }
    }

    fn add(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// [DR-5] Whether that much may be kept.
    ///
    /// # Errors
    /// [`Reject`] names the limit.
    pub(super) fn check(&self, limits: &Limits) -> Result<(), Reject> {
        let defect = if self.registrations > limits.identities {
            &defect::TOO_MANY_WATCHED_REGISTRATIONS
        } else if self.contacts > limits.watched_contacts {
            &defect::TOO_MANY_WATCHED_CONTACTS
        } else if self.bytes > limits.xml_bytes {
            &defect::WATCHED_TOO_LARGE
        } else {
            return Ok(());
        };
        Err(Reject::new(defect, 0))
    }
}

fn optional(text: Option<&alloc::string::String>) -> usize {
    text.map_or(0, alloc::string::String::len)
}
