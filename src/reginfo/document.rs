//! The owned document: all that the reader shows, kept.

use alloc::{borrow::ToOwned, string::String, vec::Vec};
use core::fmt;

use super::{
    ContactEvent, ContactState, ContactView, DocumentState, DocumentWriter, Id, PolicyAction,
    RegistrationEnd, RegistrationState, RegistrationView, TempGruu, Visitor, read, write::Head,
};
use crate::drive::{Buffer, Limits, Reject, Unwritable};

/// [RI-5] A registration information document (RFC 3680 5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its number within the subscription.
    pub version: u32,
    /// Whether it says everything.
    pub state: DocumentState,
    /// Its registrations, in order.
    pub registrations: Vec<Registration>,
}

/// The registration state of one address of record (RFC 3680 5.1.1). Strings are as in [`RegistrationView`].
#[derive(Clone, PartialEq, Eq)]
pub struct Registration {
    /// The address of record.
    pub aor: String,
    /// Its id within the subscription.
    pub id: String,
    /// Its state.
    pub state: RegistrationState,
    /// Its contacts, in order.
    pub contacts: Vec<Contact>,
    /// The wildcarded public identity that the address of record is an instance of (TS 24.229 7.10.2).
    pub wildcarded_identity: Option<String>,
    /// The policy (TS 24.229 7.10.3).
    pub policy: Option<Vec<PolicyAction<String>>>,
}

/// A contact (RFC 3680 5.1.2). Every field is as in [`ContactView`].
#[derive(Clone, PartialEq, Eq)]
pub struct Contact {
    /// Its id within the registration.
    pub id: String,
    /// Its state.
    pub state: ContactState,
    /// Its event, if known.
    pub event: Option<ContactEvent>,
    /// The contact URI.
    pub uri: String,
    /// The display name.
    pub display_name: Option<String>,
    /// The language of the display name.
    pub display_name_lang: Option<String>,
    /// Seconds until it expires.
    pub expires: Option<u64>,
    /// Seconds to wait before registering again.
    pub retry_after: Option<u64>,
    /// Seconds since it was first registered.
    pub duration_registered: Option<u64>,
    /// The preference as it stands.
    pub q: Option<String>,
    /// Call-ID of the REGISTER that last changed it.
    pub callid: Option<String>,
    /// CSeq number of the REGISTER that last changed it.
    pub cseq: Option<u64>,
    /// Parameters of the Contact header, in order, quotes kept.
    pub params: Vec<(String, String)>,
    /// The public GRUU.
    pub pub_gruu: Option<String>,
    /// The temporary GRUU.
    pub temp_gruu: Option<TempGruu<String>>,
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration")
            .field("state", &self.state)
            .field("contacts", &self.contacts)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contact")
            .field("state", &self.state)
            .field("event", &self.event)
            .field("expires", &self.expires)
            .field("retry_after", &self.retry_after)
            .finish_non_exhaustive()
    }
}

impl Document {
    /// [RI-5] Reads a document.
    ///
    /// # Errors
    /// As [`read`](super::read).
    pub fn read(bytes: &[u8], limits: &Limits) -> Result<Self, Reject> {
        let mut gathered = Gathered(Self {
            version: 0,
            state: DocumentState::Full,
            registrations: Vec::new(),
        });
        read(bytes, limits, &mut gathered)?;
        Ok(gathered.0)
    }

    /// [RI-4] Appends the document. What was read is written so that it reads the same again.
    ///
    /// # Errors
    /// [`Unwritable::TooLarge`]; the buffer is then as before.
    pub fn write(&self, buffer: &mut Buffer) -> Result<(), Unwritable> {
        buffer.attempt(|buffer| {
            let mut writer = DocumentWriter::new(buffer, self.version, self.state);
            for registration in &self.registrations {
                registration.write(&mut writer);
            }
            writer.finish();
        })
    }
}

impl Registration {
    fn write(&self, writer: &mut DocumentWriter<'_>) {
        writer.registration(
            self.aor.as_bytes(),
            Id::Text(self.id.as_bytes()),
            self.state,
        );
        for contact in &self.contacts {
            contact.write(writer);
        }
        if let Some(identity) = &self.wildcarded_identity {
            writer.wildcarded_identity(identity.as_bytes());
        }
        if let Some(policy) = &self.policy {
            writer.policy(policy.iter().map(borrowed));
        }
        writer.end_registration();
    }
}

impl Contact {
    fn write(&self, writer: &mut DocumentWriter<'_>) {
        writer.begin_contact(&Head {
            id: Id::Text(self.id.as_bytes()),
            state: self.state,
            event: self.event,
            expires: self.expires,
            retry_after: self.retry_after,
            duration_registered: self.duration_registered,
            q: self.q.as_ref().map(String::as_bytes),
            callid: self.callid.as_ref().map(String::as_bytes),
            cseq: self.cseq,
        });
        writer.uri(self.uri.as_bytes());
        if let Some(name) = &self.display_name {
            let language = self.display_name_lang.as_ref().map(String::as_bytes);
            writer.display_name(name.as_bytes(), language);
        }
        for (name, value) in &self.params {
            writer.unknown_param(name.as_bytes(), value.as_bytes());
        }
        writer.gruus(
            self.pub_gruu.as_ref().map(String::as_bytes),
            self.temp_gruu.as_ref().map(|gruu| TempGruu {
                uri: gruu.uri.as_bytes(),
                first_cseq: gruu.first_cseq,
            }),
        );
        writer.end_contact();
    }

    fn of(view: &ContactView<'_>) -> Self {
        let owned = |text: Option<&str>| text.map(ToOwned::to_owned);
        Self {
            id: view.id.to_owned(),
            state: view.state,
            event: view.event,
            uri: view.uri.to_owned(),
            display_name: owned(view.display_name),
            display_name_lang: owned(view.display_name_lang),
            expires: view.expires,
            retry_after: view.retry_after,
            duration_registered: view.duration_registered,
            q: owned(view.q),
            callid: owned(view.callid),
            cseq: view.cseq,
            params: view
                .params()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            pub_gruu: owned(view.pub_gruu),
            temp_gruu: view.temp_gruu.map(|gruu| gruu.map(ToOwned::to_owned)),
        }
    }
}

fn borrowed(action: &PolicyAction<String>) -> PolicyAction<&[u8]> {
    match action {
        PolicyAction::ResourcePriority { namespace, value } => PolicyAction::ResourcePriority {
            namespace: namespace.as_bytes(),
            value: value.as_bytes(),
        },
        PolicyAction::PrivilegedSender => PolicyAction::PrivilegedSender,
        PolicyAction::PrivateNetworkIndication { handling, domain } => {
            PolicyAction::PrivateNetworkIndication {
                handling: *handling,
                domain: domain.as_ref().map(String::as_bytes),
            }
        }
        PolicyAction::PrivilegedSenderForPrivateTraffic => {
            PolicyAction::PrivilegedSenderForPrivateTraffic
        }
    }
}

/// A document that is being read.
pub(crate) struct Gathered(pub(crate) Document);

impl Visitor for Gathered {
    fn document(&mut self, version: u32, state: DocumentState) {
        self.0.version = version;
        self.0.state = state;
    }

    fn registration(&mut self, registration: &RegistrationView<'_>) {
        self.0.registrations.push(Registration {
            aor: registration.aor.to_owned(),
            id: registration.id.to_owned(),
            state: registration.state,
            contacts: Vec::new(),
            wildcarded_identity: None,
            policy: None,
        });
    }

    fn contact(&mut self, contact: &ContactView<'_>) {
        if let Some(registration) = self.0.registrations.last_mut() {
            // Most have one, and a contact is large.
            if registration.contacts.is_empty() {
                registration.contacts.reserve_exact(1);
            }
            registration.contacts.push(Contact::of(contact));
        }
    }

    fn registration_end(&mut self, end: &RegistrationEnd<'_>) {
        if let Some(registration) = self.0.registrations.last_mut() {
            registration.wildcarded_identity = end.wildcarded_identity.map(ToOwned::to_owned);
            registration.policy = end.has_policy.then(|| {
                end.actions()
                    .map(|action| action.map(ToOwned::to_owned))
                    .collect()
            });
        }
    }
}
