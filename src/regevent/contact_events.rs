//! What a change of registration state is, contact by contact: old bindings and new ones give contact events.
//!
//! One pure function, [`contact_events`], for every registrar that notifies; nothing else in this library
//! decides an event. It looks at what is bound before and after, and at what caused the change (RFC 3680
//! 4.7.1, TS 24.229 5.4.2.1.2):
//!
//! | bound before | bound after | by a REGISTER | by anything else |
//! |---|---|---|---|
//! | no | yes | `registered`, or `created` where it came with another identity | `created` |
//! | yes | yes, and a REGISTER named it | `refreshed` | |
//! | yes | yes, with another expiry | `refreshed` | `shortened`, or `refreshed` if it is later |
//! | yes | yes, and nothing else | no event | no event |
//! | yes | no | `unregistered` | what [`Cause::ends_with`] says |
//!
//! A contact whose URI is another one is another contact: the old one ends, and a new one begins (T19).
//! A user whom another S-CSCF serves by now is no change that anybody is told of; there is no cause for it.
//!
//! | id | what | where | test |
//! |---|---|---|---|
//! | RN-2 | the event of each contact | [`contact_events`] | `tests/regevent/contact_events.rs` |

use core::fmt;

use crate::{
    drive::Millis,
    reginfo::ContactEvent,
    wire::{Uri, register::same_contact},
};

/// A contact that is bound to an identity, as far as events go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Contact<'a> {
    /// The private identity that bound it. What two of them have bound are two contacts.
    pub private_identity: &'a [u8],
    /// Its URI.
    pub uri: &'a [u8],
    /// `+sip.instance`, if it has one.
    pub instance: Option<&'a [u8]>,
    /// `reg-id`, if it has one.
    pub reg_id: Option<&'a [u8]>,
    /// Call-ID of the REGISTER that named it last.
    pub call_id: &'a [u8],
    /// CSeq number of that REGISTER.
    pub cseq: u32,
    /// When it expires.
    pub expires_at: Millis,
    /// Whether the identity was registered itself; `false` where it came with another one of its set.
    pub explicit: bool,
}

impl Contact<'_> {
    /// [RN-2] Whether both are one contact: their URIs are equal (RFC 3261 19.1.4), and where both have an
    /// instance, or both a reg-id, these are equal too.
    #[must_use]
    pub fn is_same(&self, other: &Contact<'_>) -> bool {
        let agree = |one: Option<&[u8]>, two: Option<&[u8]>| match (one, two) {
            (Some(one), Some(two)) => one == two,
            _ => true,
        };
        let same_uri = || match (Uri::parse(self.uri), Uri::parse(other.uri)) {
            (Ok(one), Ok(two)) => same_contact(&one, &two),
            _ => false,
        };
        self.private_identity == other.private_identity
            && agree(self.instance, other.instance)
            && agree(self.reg_id, other.reg_id)
            && (self.uri == other.uri || same_uri())
    }

    /// Whether both are one contact, and of one flow.
    fn is_same_flow(&self, other: &Contact<'_>) -> bool {
        (self.instance, self.reg_id) == (other.instance, other.reg_id) && self.is_same(other)
    }

    /// Which of the contacts this one is: that of its own flow, or else the first that is the same.
    pub(crate) fn place_among(&self, others: &[Contact<'_>]) -> Option<usize> {
        let own = others.iter().position(|other| self.is_same_flow(other));
        own.or_else(|| others.iter().position(|other| self.is_same(other)))
    }
}

impl fmt::Debug for Contact<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contact")
            .field("cseq", &self.cseq)
            .field("expires_at", &self.expires_at)
            .field("explicit", &self.explicit)
            .finish_non_exhaustive()
    }
}

/// What caused a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// A REGISTER, of the user or of a P-CSCF for it; what is gone had an expiry of zero or gave way to what
    /// is new.
    Register,
    /// Nobody refreshed it in time.
    Timer,
    /// The HSS or the operator ended it, and wants a new registration at once: another S-CSCF is to serve the
    /// user (RTR SERVER_CHANGE), or this one stops.
    Deactivation,
    /// The HSS or the operator ended it for good: RTR PERMANENT_TERMINATION, or an identity that left the
    /// profile.
    Rejection,
    /// The operator ended it, and wants a new registration after a while.
    Probation {
        /// Seconds until then.
        retry_after: u32,
    },
    /// The network wants the user authenticated anew, and cut the time that is left.
    Reauthentication,
}

impl Cause {
    /// [RN-2, SD-5] The event of a contact that this ends (RFC 3680 4.7.1). A user who was to be authenticated
    /// anew and is not there any more may register again at once.
    #[must_use]
    pub const fn ends_with(self) -> ContactEvent {
        match self {
            Self::Register => ContactEvent::Unregistered,
            Self::Timer => ContactEvent::Expired,
            Self::Deactivation | Self::Reauthentication => ContactEvent::Deactivated,
            Self::Rejection => ContactEvent::Rejected,
            Self::Probation { .. } => ContactEvent::Probation,
        }
    }

    /// Seconds to wait before registering again, which `probation` must say (RFC 3680 5.1.2).
    #[must_use]
    pub const fn retry_after(self) -> Option<u32> {
        match self {
            Self::Probation { retry_after } => Some(retry_after),
            _ => None,
        }
    }
}

/// Which contact a [`Change`] is of: its place in one of the two lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// One of those before, which is gone.
    Before(usize),
    /// One of those after.
    After(usize),
}

/// What became of one contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Whose it is.
    pub contact: Which,
    /// Its event; [`ContactEvent::state`] is its state.
    pub event: ContactEvent,
    /// Seconds to wait before registering again: with `probation`, and only then.
    pub retry_after: Option<u32>,
}

/// [RN-2] What became of each contact of an identity: first of those that are gone, then of those that are
/// there, in the order given. A contact of which nothing is new is left out.
///
/// Neither list has one contact twice. Nothing is allocated. Each contact is compared with those of the other
/// list until one is the same: about `limits.contacts` squared comparisons of URIs, most of them of equal bytes.
pub fn contact_events<'c>(
    before: &'c [Contact<'c>],
    after: &'c [Contact<'c>],
    cause: Cause,
) -> impl Iterator<Item = Change> + 'c {
    let gone = before
        .iter()
        .enumerate()
        .filter(|(_, old)| old.place_among(after).is_none())
        .map(move |(place, _)| Change {
            contact: Which::Before(place),
            event: cause.ends_with(),
            retry_after: cause.retry_after(),
        });
    let there = after.iter().enumerate().filter_map(move |(place, new)| {
        let old = new.place_among(before).and_then(|place| before.get(place));
        let event = match old {
            Some(old) => renewed(old, new, cause)?,
            None => begun(new.explicit, cause),
        };
        Some(Change {
            contact: Which::After(place),
            event,
            retry_after: None,
        })
    });
    gone.chain(there)
}

/// [RN-2, T20] The event of a contact, as an identity that came with the one that was registered sees it.
#[must_use]
pub const fn implied(event: ContactEvent) -> ContactEvent {
    match event {
        ContactEvent::Registered => ContactEvent::Created,
        other => other,
    }
}

const fn begun(explicit: bool, cause: Cause) -> ContactEvent {
    match (cause, explicit) {
        (Cause::Register, true) => ContactEvent::Registered,
        _ => implied(ContactEvent::Registered),
    }
}

fn renewed(old: &Contact<'_>, new: &Contact<'_>, cause: Cause) -> Option<ContactEvent> {
    let named = (old.call_id, old.cseq) != (new.call_id, new.cseq);
    match cause {
        Cause::Register if named || old.expires_at != new.expires_at => {
            Some(ContactEvent::Refreshed)
        }
        Cause::Register => None,
        _ if new.expires_at < old.expires_at => Some(ContactEvent::Shortened),
        _ if new.expires_at > old.expires_at => Some(ContactEvent::Refreshed),
        _ => None,
    }
}
