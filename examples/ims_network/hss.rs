//! The HSS: who exists, and who is registered. It speaks no SIP; the S-CSCF asks it typed questions, as over
//! Cx.

use std::collections::BTreeMap;

use crate::provisioning::User;

/// What the HSS holds of one private identity.
#[derive(Debug)]
struct Record {
    public_identities: Vec<String>,
    /// Whether an S-CSCF is assigned.
    assigned: bool,
}

/// The HSS.
#[derive(Debug, Default)]
pub struct Hss {
    records: BTreeMap<Vec<u8>, Record>,
}

impl Hss {
    pub fn provision(&mut self, user: &User) {
        let record = Record {
            public_identities: user.public_identities.clone(),
            assigned: false,
        };
        self.records
            .insert(user.private_identity.clone().into_bytes(), record);
    }

    /// The implicit registration set of a private identity, the default identity first.
    pub fn public_identities(&self, private_identity: &[u8]) -> Option<&[String]> {
        let record = self.records.get(private_identity)?;
        Some(&record.public_identities)
    }

    /// Server assignment: whether the user is served from now on. `false` if there is no such user.
    pub fn assign(&mut self, private_identity: &[u8], assigned: bool) -> bool {
        let record = self.records.get_mut(private_identity);
        record.map(|record| record.assigned = assigned).is_some()
    }

    /// Whether an S-CSCF is assigned to the private identity.
    pub fn is_assigned(&self, private_identity: &[u8]) -> bool {
        self.records
            .get(private_identity)
            .is_some_and(|record| record.assigned)
    }
}
