//! Which document of a subscription is the next, by its version (RFC 3680 5.2). Usable without a table.

use serde::{Deserialize, Serialize};

use crate::reginfo::DocumentState;

/// What a watcher puts up with beyond RFC 3680. All are off by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quirks {
    /// A full document of a lower version, whose NOTIFY's CSeq moved on, begins a new count: its notifier was
    /// restarted inside the dialog.
    pub restarted_count: bool,
}

/// Whether a document is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Taking {
    /// It is the next one, or a later one.
    Process {
        /// Documents before it may be missing. The subscription should be refreshed, which brings a full one;
        /// a document that is itself full leaves nothing to be learnt.
        gap: bool,
    },
    /// It changes nothing. Its NOTIFY is answered 200 all the same.
    Discard(Discarded),
}

/// Why a document is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Discarded {
    /// It has the version of the latest document taken, and is no full one with a later CSeq.
    Repeated,
    /// It has a lower version.
    Older,
}

/// The version counter of one subscription, which means one dialog (RFC 3680 5.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versions {
    latest: Option<Latest>,
}

/// The latest document taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Latest {
    version: u32,
    cseq: u32,
}

/// No CSeq number has this bit (RFC 3261 8.1.1.5). In a blob it says that no full document was taken: the format stays
/// that of the release before.
const INCOMPLETE: u32 = 1 << 31;

impl Versions {
    /// No document yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { latest: None }
    }

    /// [RI-3] [RFC 3680 5.2] Whether the document of this version, state, and CSeq number of its NOTIFY is to be
    /// taken.
    ///
    /// | version | taken |
    /// |---|---|
    /// | first of the subscription, whatever it is | yes; a partial one with a gap, as a full one comes first |
    /// | higher by 1 | yes |
    /// | higher by more | yes, with a gap |
    /// | the same | a full one whose CSeq moved on: deployed notifiers always send 0 |
    /// | lower | no, but for [`Quirks::restarted_count`] |
    ///
    /// The largest version that fits stands for all above it ([`reginfo::Visitor::document`](
    /// crate::reginfo::Visitor::document)): there, a partial document whose CSeq moved on is taken, with a gap.
    #[must_use]
    pub fn judge(self, version: u32, state: DocumentState, cseq: u32, quirks: Quirks) -> Taking {
        let is_full = state == DocumentState::Full;
        let Some(latest) = self.latest else {
            return Taking::Process { gap: !is_full };
        };
        let moved_on = cseq > latest.cseq;
        match version.checked_sub(latest.version) {
            None if quirks.restarted_count && is_full && moved_on => Taking::Process { gap: false },
            None => Taking::Discard(Discarded::Older),
            Some(0) if is_full && moved_on => Taking::Process { gap: false },
            Some(0) if version == u32::MAX && moved_on => Taking::Process { gap: true },
            Some(0) => Taking::Discard(Discarded::Repeated),
            Some(ahead) => Taking::Process { gap: ahead > 1 },
        }
    }

    /// Remembers a document that was taken, and the CSeq number of its NOTIFY.
    pub fn take(&mut self, version: u32, cseq: u32) {
        self.latest = Some(Latest { version, cseq });
    }

    /// As a blob has it, with the mark that no full document was taken yet.
    pub(super) fn marked(mut self, incomplete: bool) -> Self {
        if let Some(latest) = self.latest.as_mut().filter(|_| incomplete) {
            latest.cseq |= INCOMPLETE;
        }
        self
    }

    /// Out of a blob, and whether a full document was taken.
    pub(super) fn unmarked(mut self) -> (Self, bool) {
        let Some(latest) = &mut self.latest else {
            return (self, false);
        };
        let complete = latest.cseq & INCOMPLETE == 0;
        latest.cseq &= !INCOMPLETE;
        (self, complete)
    }

    /// [RI-3] Begins anew, for a new dialog: versions count within one subscription only.
    pub fn restart(&mut self) {
        *self = Self::new();
    }
}
