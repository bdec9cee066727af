//! The watcher of a subscription: the table that a subscriber keeps, and merges documents into (RFC 3680 5.2).
//!
//! [`Watcher::apply`] takes a document whole or not at all. [`Versions`] alone is for who needs to know only which
//! document is the next.
//!
//! Where RFC 3680 leaves a choice, or real notifiers differ from it:
//!
//! - **Which row.** Real ids repeat across registrations, belong to two addresses, are missing, or change from one
//!   document to the next. A registration is found by its address of record, a contact by id and URI, then by its
//!   URI, within its registration. The id alone names a row only while the URI is the same, however spelt: a
//!   contact with another URI is another contact, and the one that had the id has gone.
//! - **Contradictions.** A terminated registration has no contact left, whatever it lists or leaves out; one in
//!   state `init` has none but those it lists. An active registration may have terminated contacts only. The state
//!   of a contact prevails over its event.
//! - **Full documents** replace all. **Partial ones** replace each contact that they list, whole; wildcarded
//!   identity and policy stay as they are where a listed registration has none.
//! - **Gone rows** are shown until the next document that does not list them. One that is listed again as gone is
//!   no news ([`Change`] is `None`); one that is listed as active again is `Added`.
//! - **Repetitions in one document**: the contacts of all elements of a registration count; of all else, the last.

mod listed;
mod merge;
mod pairing;
mod rows;
mod size;
mod snapshot;
mod versions;

use alloc::vec::Vec;
use core::fmt;

use listed::{Listed, Listing};
pub use rows::{Change, ContactRow, RegistrationRow};
#[allow(unused_imports)] // The nodes of the roles keep it in their own blobs.
pub(crate) use snapshot::Snapshot;
pub use versions::{Discarded, Quirks, Taking, Versions};

use crate::{
    drive::{Limits, Millis, Reject},
    reginfo::{DocumentState, RegistrationState, read},
};

/// What became of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Applied {
    /// Whether it was taken. One that was not has changed nothing.
    pub taking: Taking,
    /// How much it says.
    pub state: DocumentState,
    /// Its version.
    pub version: u32,
    /// [`Watcher::all_terminated`], now.
    pub all_terminated: bool,
    /// Rows that it changed, registrations and contacts: those with a [`Change`].
    pub changed: usize,
}

/// The table of one subscription.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Watcher {
    versions: Versions,
    /// A full document was taken since versions are counted: no registration is unknown.
    complete: bool,
    rows: Vec<RegistrationRow>,
}

impl Watcher {
    /// An empty table, before the first document.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            versions: Versions::new(),
            complete: false,
            rows: Vec::new(),
        }
    }

    /// [RI-3] [RFC 3680 5.2] Merges the document of a NOTIFY of this CSeq number, received at `now`, if
    /// [`Versions::judge`] has it taken.
    ///
    /// At most [`Limits::identities`] registrations and [`Limits::watched_contacts`] contacts, of no more bytes
    /// than a document may have, are kept from one document to the next; rows that go by the latest one are shown
    /// beside them.
    ///
    /// # Errors
    /// What is wrong with the document, and where; or, at byte 0, which of those bounds it would exceed. The table
    /// and the count of versions are then as before.
    pub fn apply(
        &mut self,
        now: Millis,
        document: &[u8],
        cseq: u32,
        limits: &Limits,
        quirks: Quirks,
    ) -> Result<Applied, Reject> {
        let mut listing = Listing::new(&self.rows);
        read(document, limits, &mut listing)?;
        let (version, state) = (listing.version, listing.state);
        let taking = self.versions.judge(version, state, cseq, quirks);
        let mut changed = 0;
        if let Taking::Process { .. } = taking {
            match listing.finish() {
                Listed::Rows(changes) => changes.apply(&mut self.rows, now, limits)?,
                Listed::Others(document) => {
                    self.rows = merge::merge(&self.rows, document, now, limits)?;
                }
            }
            self.versions.take(version, cseq);
            self.complete |= state == DocumentState::Full;
            changed = self.changed();
        }
        Ok(Applied {
            taking,
            state,
            version,
            all_terminated: self.all_terminated(),
            changed,
        })
    }

    /// [RI-3] Begins to count versions anew, for a new dialog. The rows stay until its first document.
    pub fn restart(&mut self) {
        self.versions.restart();
        self.complete = false;
    }

    /// The registrations: those that the latest document listed, in its order, then the others.
    pub fn registrations(&self) -> impl ExactSizeIterator<Item = &RegistrationRow> {
        self.rows.iter()
    }

    /// [RE-9] Whether there are registrations and all are terminated; those that a full document left out apart.
    /// Never before the first full document of a dialog: until then there may be others.
    #[must_use]
    pub fn all_terminated(&self) -> bool {
        let listed = |row: &&RegistrationRow| row.change != Some(Change::Omitted);
        let mut listed = self.rows.iter().filter(listed).peekable();
        self.complete
            && listed.peek().is_some()
            && listed.all(|row| row.state == RegistrationState::Terminated)
    }

    fn changed(&self) -> usize {
        let registrations = self.rows.iter().map(|row| row.change);
        let contacts = self.rows.iter().flat_map(|row| &row.contacts);
        let all = registrations.chain(contacts.map(|row| row.change));
        all.flatten().count()
    }
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watcher")
            .field("versions", &self.versions)
            .field("complete", &self.complete)
            .field("rows", &self.rows)
            .finish()
    }
}
