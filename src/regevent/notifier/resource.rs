//! What subscriptions are to.

use crate::{
    drive::{Buffer, Millis},
    reginfo::DocumentState,
};

/// The registration state that subscriptions are to. Its changes are numbered, from 1 on.
pub trait Resource {
    /// Number of the latest change. It never goes down.
    fn changes(&self) -> u64;

    /// Number of the latest change that ended anything; 0 if none did.
    fn terminations(&self) -> u64;

    /// Whether every registration is terminated: the next NOTIFY is the last.
    fn is_terminated(&self) -> bool;

    /// Whether it can still say all that changed after change number `since`; if not, everything is said.
    fn remembers(&self, since: u64) -> bool;

    /// [RN-2] Writes that document.
    fn write_document(&self, buffer: &mut Buffer, document: &Document);
}

/// A document that is due to one subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its version.
    pub version: u32,
    /// Whether it says everything there is, or what changed after [`since`](Self::since).
    pub state: DocumentState,
    /// Number of the latest change that the subscriber knows of. What was terminated up to it is left out of
    /// either (RN-3).
    pub since: u64,
    /// Whether the subscriber is the user itself, who alone is told temporary GRUUs (RFC 5628 6).
    pub to_user: bool,
    /// The time it is of.
    pub now: Millis,
}
