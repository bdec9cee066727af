//! [SD-9] Which users are behind a P-CSCF that has failed.

use super::{Entry, Misuse, ScscfNode, Verdict, increment};
use crate::scscf::Standing;

impl ScscfNode {
    /// [SD-9] Where a request to a public identity stands: asked by the host for each, as it comes.
    #[must_use]
    pub fn standing(&self, public_identity: &[u8]) -> Standing {
        let set = self.find_identity(public_identity);
        set.and_then(|id| self.sets.get(id))
            .map_or(Standing::NotRegistered, |entry| {
                self.failures.standing(entry.bound())
            })
    }

    /// [SD-9] The URIs of the contacts bound to the set of a public identity that are not behind a P-CSCF that has
    /// failed.
    pub fn reachable_contacts(&self, public_identity: &[u8]) -> impl Iterator<Item = &[u8]> {
        self.find_identity(public_identity)
            .and_then(|id| self.sets.get(id))
            .into_iter()
            .flat_map(Entry::bound)
            .filter(|contact| !self.failures.concern(contact))
            .map(|contact| contact.uri)
    }

    pub(super) fn pcscf_failed(&mut self, pcscf: &[u8]) -> Result<Verdict, Misuse> {
        self.failures.note(pcscf)?;
        increment(&mut self.counters.pcscf_failures);
        Ok(Verdict::Handled)
    }

    pub(super) fn pcscf_restored(&mut self, pcscf: &[u8]) -> Result<Verdict, Misuse> {
        Ok(match self.failures.lift(pcscf)? {
            true => Verdict::Handled,
            false => Verdict::NotMine,
        })
    }
}
