//! The dialog of a leg.

use core::fmt;
use serde::{Deserialize, Serialize};

/// [RFC 3261 12] What both ends of a dialog share.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Dialog<'a> {
    /// Call-ID.
    pub call_id: &'a [u8],
    /// The URI of this end.
    pub local_uri: &'a [u8],
    /// The tag of this end.
    pub local_tag: &'a [u8],
    /// The URI of the far end.
    pub remote_uri: &'a [u8],
    /// The tag of the far end.
    pub remote_tag: &'a [u8],
    /// The Contact URI of the far end.
    pub remote_target: &'a [u8],
    /// As Route is to have it; empty for none.
    pub route_set: &'a [u8],
    /// The Contact URI of this end.
    pub local_contact: &'a [u8],
}

impl fmt::Debug for Dialog<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialog").finish_non_exhaustive()
    }
}

/// [RFC 3261 12.2] The sequence numbers of a dialog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sequence {
    /// Of the last request that was sent in it.
    pub local: u32,
    /// Of the last request that was received in it, if any was.
    pub remote: Option<u32>,
}
