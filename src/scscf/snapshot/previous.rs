//! What the release before this one can say of what it does not know.
//!
//! - A deregistration by operator or HSS, or of a user who did not authenticate anew, goes on there as one at the
//!   end of a binding's time: that release asks the HSS with type 4 or 6 once more than this one, if it has not been
//!   asked, and its outcome says so.
//! - One that another S-CSCF's service has ended is answered and reported there as if the HSS were silent; its
//!   subscribers get their last NOTIFY.

use alloc::vec::Vec;
use serde::{Deserialize, Serialize, Serializer, ser::SerializeSeq};

use super::{
    AskedSnapshot, Bindings, Cause, Entry, Identifier, Millis, ProcedureSnapshot, Set, SetSnapshot,
    StateSnapshot,
};
use crate::scscf::{Assignment, Dialogs};

/// A node.
#[derive(Deserialize)]
pub(super) struct PreviousSnapshot<'b> {
    #[serde(borrow)]
    pub(super) sets: Vec<SetSnapshot<'b>>,
}

/// The same, to be written: one set after the other.
pub(super) struct ForPrevious<E> {
    pub(super) entries: E,
    pub(super) now: Millis,
}

impl<'s, E: Iterator<Item = &'s Entry> + Clone> Serialize for ForPrevious<E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sets = serializer.serialize_seq(Some(self.entries.clone().count()))?;
        for entry in self.entries.clone() {
            let woken = match entry {
                Entry::Awake(_) => None,
                Entry::Resting(resting) => resting.wake(),
            };
            let none = Set::new(Bindings::default());
            let set = entry.set().or(woken.as_ref()).unwrap_or(&none);
            sets.serialize_element(&SetSnapshot::of(set, self.now).for_previous())?;
        }
        sets.end()
    }
}

impl SetSnapshot<'_> {
    /// [DR-7] The same, for the release before.
    fn for_previous(mut self) -> Self {
        for procedure in &mut self.procedures {
            procedure.put_for_previous();
        }
        self
    }
}

impl ProcedureSnapshot<'_> {
    fn put_for_previous(&mut self) {
        if matches!(
            self.cause,
            Cause::Operator(_) | Cause::Hss(_) | Cause::NotReauthenticated
        ) {
            self.cause = Cause::Expired;
        }
        if self.outcome.assignment == Assignment::NameNotStored {
            self.outcome.assignment = Assignment::Assigned;
        }
        if self.outcome.dialogs == Dialogs::NotNeeded {
            self.outcome.dialogs = Dialogs::NoAnswer;
        }
        if let StateSnapshot::Leaving = self.state {
            // Its time is up: it is never asked.
            let asked = AskedSnapshot {
                key: Identifier::of(0),
                left: 0,
            };
            self.state = match self.removed.is_empty() {
                true => StateSnapshot::Checking(asked),
                false => StateSnapshot::Assigning(asked),
            };
        }
    }
}
