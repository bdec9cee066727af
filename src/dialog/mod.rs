//! The dialog of a user agent: what both ends of one agree on, read from the messages that make it, kept by its
//! owner, and written into the requests that are sent within it (RFC 3261 12).
//!
//! An owner keeps strings wherever it likes. [`Dialog`] is a view of them that is made when it is needed, from
//! [`parts`](Dialog::parts) and a flag; [`Sequence`] is the numbers beside it. Nothing here waits, counts or
//! answers: which request is the owner's, and what becomes of it, the owner says. A response is written by
//! [`Writer::respond_to`](crate::wire::Writer::respond_to), and one that comes later than its request by
//! [`Writer::respond_later`](crate::wire::Writer::respond_later).
//!
//! Both ends need tags: what RFC 2543 left out has no dialog that could be told from another, and is refused. So
//! is a dialog of a `sips` Request-URI that would go on without TLS.
//!
//! | clause | what | where | test |
//! |---|---|---|---|
//! | RFC 3261 12.1.1 | the dialog as the UAS has it | [`Established::of_uas`] | `tests/dialog.rs` |
//! | RFC 3261 12.1.2 | the dialog as the UAC has it | [`Established::of_uac`] | `tests/dialog.rs` |
//! | RFC 3261 12 | a dialog that its owner is told of | [`Dialog::check`] | `tests/dialog.rs` |
//! | RFC 3261 12.2.1.1, 16.12 | a request within it: loose and strict routers | [`Dialog::request`] | `tests/dialog.rs` |
//! | RFC 3261 8.1.2, 12.2.1.1 | its next hop | [`Dialog::next_hop`] | `tests/dialog.rs` |
//! | RFC 3261 12.2.1.2, 12.2.2 | a new remote target | [`remote_target`] | `tests/dialog.rs` |
//! | RFC 3261 12.2.2 | which request is of it, and the next | [`Dialog::has`], [`Sequence::admit`] | `tests/dialog.rs` |
//! | RFC 3261 15.1.1, RFC 3326 | the BYE, and why | [`Dialog::bye`], [`reason`] | `tests/dialog.rs` |

mod check;
pub mod defect;
mod established;
mod incoming;
mod request;

use core::fmt;

pub(crate) use established::route_set;
pub use established::{Established, remote_target};
pub use incoming::{Incoming, reason};

/// How many strings a dialog has.
pub const PARTS: usize = 8;

/// [RFC 3261 12] What a user agent knows of a dialog, as slices of wherever its owner keeps them. What stands in
/// them is written as it is: none may hold CR, LF or NUL.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Dialog<'a> {
    /// Call-ID; with the two tags it is the dialog ID.
    pub call_id: &'a [u8],
    /// The URI of this end, which From names in its requests.
    pub local_uri: &'a [u8],
    /// The tag of this end. Empty where it has none.
    pub local_tag: &'a [u8],
    /// The URI of the other end, which To names.
    pub remote_uri: &'a [u8],
    /// The tag of the other end. Empty where it has none, as before it has answered.
    pub remote_tag: &'a [u8],
    /// The URI of the other end's Contact.
    pub remote_target: &'a [u8],
    /// The route set, in the order in which requests of this end take it: the value of Route, addresses
    /// separated by commas. Empty where there is none.
    pub route_set: &'a [u8],
    /// The whole value of this end's Contact, parameters included, as requests that refresh the target repeat it.
    pub local_contact: &'a [u8],
    /// The secure flag: made by a request to a `sips` URI, so that every Contact must be one.
    pub is_secure: bool,
}

impl fmt::Debug for Dialog<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialog")
            .field("has_remote_tag", &!self.remote_tag.is_empty())
            .field("route_set_bytes", &self.route_set.len())
            .field("is_secure", &self.is_secure)
            .finish_non_exhaustive()
    }
}

impl<'a> Dialog<'a> {
    /// Its strings, in the order of the fields, for an owner who packs them.
    #[must_use]
    pub const fn parts(&self) -> [&'a [u8]; PARTS] {
        [
            self.call_id,
            self.local_uri,
            self.local_tag,
            self.remote_uri,
            self.remote_tag,
            self.remote_target,
            self.route_set,
            self.local_contact,
        ]
    }

    /// The dialog of strings in the order of [`parts`](Self::parts).
    #[must_use]
    pub const fn of_parts(parts: [&'a [u8]; PARTS], is_secure: bool) -> Self {
        let [
            call_id,
            local_uri,
            local_tag,
            remote_uri,
            remote_tag,
            remote_target,
            route_set,
            local_contact,
        ] = parts;
        Self {
            call_id,
            local_uri,
            local_tag,
            remote_uri,
            remote_tag,
            remote_target,
            route_set,
            local_contact,
            is_secure,
        }
    }

    /// [RFC 3261 12.2.2] Whether a request is of this dialog: Call-ID and tags are its own, byte for byte. One that
    /// is of no dialog is answered 481.
    #[must_use]
    pub fn has(&self, request: &Incoming<'_>) -> bool {
        self.call_id == request.call_id
            && request.local_tag == Some(self.local_tag)
            && self.remote_tag == request.remote_tag
    }
}

/// [RFC 3261 12] The sequence numbers of a dialog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sequence {
    /// The number of the latest request of this end, below 2^31; 0 before the first.
    pub local: u32,
    /// The number of the latest request of the other end; `None` before the first.
    pub remote: Option<u32>,
}

impl Sequence {
    /// [RFC 3261 12.2.1.1] The number of the next request of this end, one more than the last. (An ACK has that of
    /// its INVITE.) After 2^31 - 1, which a dialog does not live to see, it stays.
    pub const fn take_next(&mut self) -> u32 {
        const MOST: u32 = (1 << 31) - 1;
        if self.local < MOST {
            self.local = self.local.saturating_add(1);
        }
        self.local
    }

    /// [RFC 3261 12.2.2] Whether a request of the other end, ACK and CANCEL apart, is in order; one that is becomes
    /// its latest.
    pub const fn admit(&mut self, cseq: u32) -> Admission {
        let admission = Admission::after(self.remote, cseq);
        if matches!(admission, Admission::New) {
            self.remote = Some(cseq);
        }
        admission
    }
}

/// What becomes of a request within a dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is the next one.
    New,
    /// It was seen before: it gets the same answer again, and nothing is done.
    Repeated,
    /// Refuse it with this status.
    Refuse(u16),
}

impl Admission {
    /// [RFC 3261 12.2.2] How the CSeq number of a request stands to the latest before it, if there is one: a lower one
    /// is refused with 500.
    #[must_use]
    pub const fn after(latest: Option<u32>, cseq: u32) -> Self {
        match latest {
            Some(latest) if cseq < latest => Self::Refuse(500),
            Some(latest) if cseq == latest => Self::Repeated,
            _ => Self::New,
        }
    }
}
