//! What a watcher is in a blob. Instants stand as milliseconds from now, enumerations as numbers.

use alloc::{string::String, vec::Vec};
use serde::{Deserialize, Serialize};

use super::{Change, ContactRow, RegistrationRow, Versions, Watcher};
use crate::{
    drive::{
        Millis, RestoreError,
        snapshot::{self, Kind},
    },
    reginfo::{
        Contact, ContactEvent, ContactState, IndicationHandling, PolicyAction, RegistrationState,
        TempGruu,
    },
};

const KIND: Kind = Kind(20);
const FORMAT: u16 = 1;

/// What a watcher is in a blob. Instants stand as milliseconds from now.
#[derive(Serialize, Deserialize)]
pub(crate) struct Snapshot {
    versions: Versions,
    rows: Vec<RegistrationSnapshot>,
}

#[derive(Serialize, Deserialize)]
struct RegistrationSnapshot {
    aor: String,
    id: String,
    state: u8,
    wildcarded_identity: Option<String>,
    policy: Option<Vec<ActionSnapshot>>,
    change: Option<u8>,
    contacts: Vec<ContactSnapshot>,
}

#[derive(Serialize, Deserialize)]
enum ActionSnapshot {
    ResourcePriority(String, String),
    PrivilegedSender,
    PrivateNetworkIndication(Option<u8>, Option<String>),
    PrivilegedSenderForPrivateTraffic,
}

#[derive(Serialize, Deserialize)]
struct ContactSnapshot {
    id: String,
    state: u8,
    event: Option<u8>,
    uri: String,
    display_name: Option<String>,
    display_name_lang: Option<String>,
    expires: Option<u64>,
    retry_after: Option<u64>,
    duration_registered: Option<u64>,
    q: Option<String>,
    callid: Option<String>,
    cseq: Option<u64>,
    params: Vec<(String, String)>,
    pub_gruu: Option<String>,
    temp_gruu: Option<(String, Option<u64>)>,
    expires_in: Option<u64>,
    change: Option<u8>,
}

const REGISTRATION_STATES: [RegistrationState; 3] = [
    RegistrationState::Init,
    RegistrationState::Active,
    RegistrationState::Terminated,
];
const CONTACT_STATES: [ContactState; 2] = [ContactState::Active, ContactState::Terminated];
const HANDLINGS: [IndicationHandling; 2] =
    [IndicationHandling::Forward, IndicationHandling::Insert];
const CHANGES: [Change; 4] = [
    Change::Added,
    Change::Updated,
    Change::Terminated,
    Change::Omitted,
];

/// The number of a value: its place among all, to which others are only ever appended.
fn number<T: Copy + PartialEq>(all: &[T], value: T) -> u8 {
    let place = all.iter().position(|one| *one == value);
    place
        .and_then(|place| u8::try_from(place).ok())
        .unwrap_or(u8::MAX)
}

fn numbered<T: Copy>(all: &[T], number: u8) -> Result<T, RestoreError> {
    let value = all.get(usize::from(number)).copied();
    value.ok_or(RestoreError::Damaged)
}

impl Watcher {
    /// [DR-7] Appends the watcher as a blob of its own. Nodes that own watchers keep them in theirs.
    pub fn save(&self, now: Millis, into: &mut Vec<u8>) {
        snapshot::seal(KIND, FORMAT, &self.snapshot(now), into);
    }

    /// [DR-7] The watcher that was saved, going on at `now`.
    ///
    /// # Errors
    /// [`RestoreError`] says what is wrong with the blob.
    pub fn load(blob: &[u8], now: Millis) -> Result<Self, RestoreError> {
        Self::restore(&snapshot::open(KIND, FORMAT, blob)?, now)
    }

    pub(crate) fn snapshot(&self, now: Millis) -> Snapshot {
        let rows = self.rows.iter();
        Snapshot {
            versions: self.versions.marked(!self.complete),
            rows: rows.map(|row| RegistrationSnapshot::of(row, now)).collect(),
        }
    }

    pub(crate) fn restore(snapshot: &Snapshot, now: Millis) -> Result<Self, RestoreError> {
        let rows = snapshot.rows.iter();
        let (versions, complete) = snapshot.versions.unmarked();
        Ok(Self {
            versions,
            complete,
            rows: rows.map(|row| row.restore(now)).collect::<Result<_, _>>()?,
        })
    }
}

impl RegistrationSnapshot {
    fn of(row: &RegistrationRow, now: Millis) -> Self {
        let policy = row.policy.as_ref();
        let contacts = row.contacts.iter();
        Self {
            aor: row.aor.clone(),
            id: row.id.clone(),
            state: number(&REGISTRATION_STATES, row.state),
            wildcarded_identity: row.wildcarded_identity.clone(),
            policy: policy.map(|actions| actions.iter().map(ActionSnapshot::of).collect()),
            change: row.change.map(|change| number(&CHANGES, change)),
            contacts: contacts.map(|row| ContactSnapshot::of(row, now)).collect(),
        }
    }

    fn restore(&self, now: Millis) -> Result<RegistrationRow, RestoreError> {
        let policy = self.policy.as_ref();
        let actions = policy.map(|actions| actions.iter().map(ActionSnapshot::restore).collect());
        let change = self.change.map(|change| numbered(&CHANGES, change));
        let contacts = self.contacts.iter().map(|contact| contact.restore(now));
        Ok(RegistrationRow {
            aor: self.aor.clone(),
            id: self.id.clone(),
            state: numbered(&REGISTRATION_STATES, self.state)?,
            wildcarded_identity: self.wildcarded_identity.clone(),
            policy: actions.transpose()?,
            change: change.transpose()?,
            contacts: contacts.collect::<Result<_, _>>()?,
        })
    }
}

impl ActionSnapshot {
    fn of(action: &PolicyAction<String>) -> Self {
        match action.clone() {
            PolicyAction::ResourcePriority { namespace, value } => {
                Self::ResourcePriority(namespace, value)
            }
            PolicyAction::PrivilegedSender => Self::PrivilegedSender,
            PolicyAction::PrivateNetworkIndication { handling, domain } => {
                let handling = handling.map(|handling| number(&HANDLINGS, handling));
                Self::PrivateNetworkIndication(handling, domain)
            }
            PolicyAction::PrivilegedSenderForPrivateTraffic => {
                Self::PrivilegedSenderForPrivateTraffic
            }
        }
    }

    fn restore(&self) -> Result<PolicyAction<String>, RestoreError> {
        Ok(match self {
            Self::ResourcePriority(namespace, value) => PolicyAction::ResourcePriority {
                namespace: namespace.clone(),
                value: value.clone(),
            },
            Self::PrivilegedSender => PolicyAction::PrivilegedSender,
            Self::PrivateNetworkIndication(handling, domain) => {
                let handling = handling.map(|handling| numbered(&HANDLINGS, handling));
                PolicyAction::PrivateNetworkIndication {
                    handling: handling.transpose()?,
                    domain: domain.clone(),
                }
            }
            Self::PrivilegedSenderForPrivateTraffic => {
                PolicyAction::PrivilegedSenderForPrivateTraffic
            }
        })
    }
}

impl ContactSnapshot {
    fn of(row: &ContactRow, now: Millis) -> Self {
        let contact = row.contact.clone();
        Self {
            id: contact.id,
            state: number(&CONTACT_STATES, contact.state),
            event: contact.event.map(|event| number(&ContactEvent::ALL, event)),
            uri: contact.uri,
            display_name: contact.display_name,
            display_name_lang: contact.display_name_lang,
            expires: contact.expires,
            retry_after: contact.retry_after,
            duration_registered: contact.duration_registered,
            q: contact.q,
            callid: contact.callid,
            cseq: contact.cseq,
            params: contact.params,
            pub_gruu: contact.pub_gruu,
            temp_gruu: contact.temp_gruu.map(|gruu| (gruu.uri, gruu.first_cseq)),
            expires_in: row.expires_at.map(|at| at.since(now)),
            change: row.change.map(|change| number(&CHANGES, change)),
        }
    }

    fn restore(&self, now: Millis) -> Result<ContactRow, RestoreError> {
        let event = self.event.map(|event| numbered(&ContactEvent::ALL, event));
        let change = self.change.map(|change| numbered(&CHANGES, change));
        let temp_gruu = self.temp_gruu.clone();
        Ok(ContactRow {
            contact: Contact {
                id: self.id.clone(),
                state: numbered(&CONTACT_STATES, self.state)?,
                event: event.transpose()?,
                uri: self.uri.clone(),
                display_name: self.display_name.clone(),
                display_name_lang: self.display_name_lang.clone(),
                expires: self.expires,
                retry_after: self.retry_after,
                duration_registered: self.duration_registered,
                q: self.q.clone(),
                callid: self.callid.clone(),
                cseq: self.cseq,
                params: self.params.clone(),
                pub_gruu: self.pub_gruu.clone(),
                temp_gruu: temp_gruu.map(|(uri, first_cseq)| TempGruu { uri, first_cseq }),
            },
            expires_at: self.expires_in.map(|left| now.after(left)),
            change: change.transpose()?,
        })
    }
}
