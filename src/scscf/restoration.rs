//! [SD-9] P-CSCFs that have failed (TS 23.380 5.1): who is behind one is not reached until the next REGISTER.
//!
//! Nothing is written into a user's set when a P-CSCF fails, and no set is looked at: failures are numbered, a
//! binding keeps the number of the last failure before the REGISTER that brought or renewed it, and counts as behind
//! a failed P-CSCF if that is lower than the number of the failure of the owner of its Path. So a million users behind
//! one gateway cost as much as none, and a re-registration clears the mark by itself.

use alloc::{boxed::Box, vec::Vec};

use super::{bindings::Bound, defect, recognition::owner};
use crate::{
    drive::{Misuse, Reject},
    wire::Uri,
};

/// The most P-CSCFs that may be failed at once.
pub const MAX_FAILED_PCSCFS: usize = 64;

/// [SD-9] What is to become of a request to a user, as far as the node knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Standing {
    /// Nothing is bound: unregistered services, or 480.
    NotRegistered,
    /// A contact can be reached: [`ScscfNode::reachable_contacts`](super::ScscfNode::reachable_contacts) has them.
    Reachable,
    /// Every contact is behind a P-CSCF that has failed: the request does not go there, and P-CSCF restoration is due
    /// (TS 23.380 5.4).
    PcscfFailed,
}

/// A P-CSCF that has failed.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Failed {
    /// Its URI.
    pub(super) pcscf: Box<[u8]>,
    /// Number of its latest failure.
    pub(super) failure: u32,
}

/// The failures of a node.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Failures {
    /// Number of the latest.
    pub(super) latest: u32,
    pub(super) failed: Vec<Failed>,
}

impl Failures {
    /// [SD-9] A P-CSCF has failed, maybe once more: what is bound behind it now is not reached.
    ///
    /// # Errors
    /// [`Misuse::BadCommand`] if it is no URI; [`Misuse::TooLarge`] if too many have failed.
    pub(super) fn note(&mut self, pcscf: &[u8]) -> Result<(), Misuse> {
        let uri = read(pcscf)?;
        let failure = self.latest.saturating_add(1);
        match self.find(&uri) {
            Some(place) => {
                if let Some(failed) = self.failed.get_mut(place) {
                    failed.failure = failure;
                }
            }
            None if self.failed.len() >= MAX_FAILED_PCSCFS => {
                return Err(Misuse::TooLarge {
                    limit: "failed P-CSCFs",
                });
            }
            None => self.failed.push(Failed {
                pcscf: pcscf.into(),
                failure,
            }),
        }
        self.latest = failure;
        Ok(())
    }

    /// [SD-9] It serves as before; whether it had failed.
    ///
    /// # Errors
    /// [`Misuse::BadCommand`] if it is no URI.
    pub(super) fn lift(&mut self, pcscf: &[u8]) -> Result<bool, Misuse> {
        let place = self.find(&read(pcscf)?);
        if let Some(place) = place {
            self.failed.remove(place);
        }
        Ok(place.is_some())
    }

    fn find(&self, pcscf: &Uri<'_>) -> Option<usize> {
        let is_it =
            |failed: &Failed| Uri::parse(&failed.pcscf).is_ok_and(|uri| uri.same_host_port(pcscf));
        self.failed.iter().position(is_it)
    }

    /// Whether the P-CSCF of a contact has failed since the REGISTER that brought or renewed it. Behind a border
    /// it is the border that fails, whose entry the Path has.
    pub(super) fn concern(&self, contact: &Bound<'_>) -> bool {
        if self.failed.is_empty() || contact.failure >= self.latest {
            return false;
        }
        let Some(owner) = owner(contact.path) else {
            return false;
        };
        self.failed.iter().any(|failed| {
            contact.failure < failed.failure
                && Uri::parse(&failed.pcscf).is_ok_and(|uri| uri.same_host_port(&owner))
        })
    }

    /// [SD-9] How a user stands to whom these contacts are bound.
    pub(super) fn standing<'s>(&self, contacts: impl Iterator<Item = Bound<'s>>) -> Standing {
        let mut standing = Standing::NotRegistered;
        for contact in contacts {
            if !self.concern(&contact) {
                return Standing::Reachable;
            }
            standing = Standing::PcscfFailed;
        }
        standing
    }
}

fn read(pcscf: &[u8]) -> Result<Uri<'_>, Misuse> {
    let uri = Uri::parse(pcscf).map_err(Misuse::BadCommand)?;
    match uri.host() {
        Some(_) => Ok(uri),
        None => Err(Misuse::BadCommand(Reject::new(&defect::NO_HOST, 0))),
    }
}
