//! Registration information documents: what a NOTIFY of the registration event package carries
//! (RFC 3680), with GRUUs (RFC 5628) and the extensions of TS 24.229 7.10. No state, no policy.
//!
//! [`read`] walks a document and shows it to a [`Visitor`], piece by piece and without a copy; [`Document`]
//! keeps all of it; [`DocumentWriter`] writes one; [`translate`](fn@translate) copies one into the terms of
//! another network. Whatever is wrong with a document is one of the constants of [`defect`], with the byte at
//! which it was found.
//!
//! Elements are known by namespace, never by prefix; those that are unknown, or stand where they do not
//! belong, are passed over with all that is in them, and so are attributes. An undeclared prefix counts as an
//! unknown namespace.
//!
//! Where the specifications leave a choice:
//!
//! - What a set is told to be is never guessed: a document or registration whose `state` is missing or unknown,
//!   or a `version` that is no number, refuses the document. A contact is never lost: see [`ContactView`] for
//!   what stands for what is missing on it.
//! - The first stands where one child is allowed and several came (`uri`, `display-name`, GRUUs,
//!   `wildcardedIdentity`).
//! - White space around the text of an element, and around URIs, numbers and enumerations in attributes, is not
//!   part of them.
//! - A control character in a URI refuses the document, however it came there; in any other text it is read as a
//!   space. What a view hands out can therefore be put into a SIP header.
//! - The declaration may say XML 1.1 or any 1.x; the document is read as XML 1.0 all the same.
//!
//! | id | what | where | test |
//! |---|---|---|---|
//! | RI-1 | every element and attribute, by namespace | [`read`], [`ContactView`], [`RegistrationEnd`] | `tests/reginfo.rs`, `tests/reginfo/spelling.rs` |
//! | RI-2 | what is refused, and control characters | [`read`], [`defect`] | `tests/reginfo.rs`, `tests/reginfo/spelling.rs` |
//! | RI-4 | writing | [`DocumentWriter`], [`Document::write`] | `tests/reginfo.rs` |
//! | RI-5 | visitor without allocation, owned model on top | [`read`], [`Document::read`] | `tests/reginfo_allocations.rs` |
//! | IB-1 | translation while copying | [`translate`](fn@translate), [`Translation`] | `tests/relay.rs` |

pub mod defect;
mod document;
mod key;
mod names;
mod read;
mod tag;
mod translate;
mod view;
mod word;
mod write;
mod xml;

pub(crate) use document::Gathered;
pub use document::{Contact, Document, Registration};
pub use names::{
    ContactEvent, ContactState, DocumentState, IndicationHandling, PolicyAction, RegistrationState,
};
pub use read::{check, read};
pub use translate::{NewUri, Translation, Untranslated, translate};
pub(crate) use translate::{Spelling, Splice, splice};
pub use view::{ContactView, RegistrationEnd, RegistrationView, TempGruu};
pub use write::{ContactOut, DocumentWriter, Id};

/// [RFC 3680 8.2] The media type of a document.
pub const CONTENT_TYPE: &[u8] = b"application/reginfo+xml";

/// [RFC 3680 8.1] The namespace of a document.
pub const NAMESPACE: &str = names::REGINFO;

/// [RI-5] Sees a document in its order: `document`, then for each registration `registration`, its `contact`s,
/// `registration_end`.
///
/// A fault further down is found only when the reader gets there: what a visitor has gathered counts only if
/// [`read`] returns `Ok`. Who cannot set it aside until then [`check`]s the document first.
pub trait Visitor {
    /// The start of the document. A version that does not fit stands as the largest.
    fn document(&mut self, version: u32, state: DocumentState) {
        let _ = (version, state);
    }

    /// The start of a registration.
    fn registration(&mut self, registration: &RegistrationView<'_>) {
        let _ = registration;
    }

    /// A contact of the latest registration, complete.
    fn contact(&mut self, contact: &ContactView<'_>) {
        let _ = contact;
    }

    /// The end of the latest registration, with what stood in it beside contacts.
    fn registration_end(&mut self, end: &RegistrationEnd<'_>) {
        let _ = end;
    }
}
