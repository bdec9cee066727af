//! What can be wrong with the messages of a dialog, apart from their bytes. Codes 600 to 699.

use crate::drive::Defect;

const fn defect(code: u16, what: &'static str, clause: &'static str) -> Defect {
    Defect { code, what, clause }
}

/// The request is no INVITE.
pub const NOT_AN_INVITE: Defect = defect(600, "not an INVITE", "RFC 3261 13.1");
/// The response is no 2xx.
pub const NOT_A_2XX: Defect = defect(601, "not a 2xx response", "RFC 3261 12.1");
/// The INVITE has a To tag: it is of a dialog that exists already, and its Record-Route says nothing of that.
pub const WITHIN_DIALOG: Defect = defect(602, "the INVITE is within a dialog", "RFC 3261 12.2");
/// Call-ID, From tag or CSeq of the response are not those of the INVITE.
pub const OTHER_REQUEST: Defect = defect(
    603,
    "the response is not to this request",
    "RFC 3261 8.2.6.2",
);
/// From of the INVITE has no tag.
pub const NO_FROM_TAG: Defect = defect(604, "From without a tag", "RFC 3261 8.1.1.3");
/// To of the response has no tag.
pub const NO_TO_TAG: Defect = defect(605, "To of the response without a tag", "RFC 3261 12.1.1");
/// The message has no Contact.
pub const NO_CONTACT: Defect = defect(606, "no Contact", "RFC 3261 8.1.1.8");
/// The message has several Contacts, or `*`.
pub const ONE_CONTACT: Defect = defect(607, "not exactly one Contact URI", "RFC 3261 8.1.1.8");
/// Contact is neither a SIP nor a SIPS URI.
pub const CONTACT_SCHEME: Defect = defect(
    608,
    "Contact is neither a SIP nor a SIPS URI",
    "RFC 3261 8.1.1.8",
);
/// The Request-URI is a SIPS URI, and Contact is none.
pub const CONTACT_NOT_SIPS: Defect = defect(
    609,
    "Contact of a secure dialog is not a SIPS URI",
    "RFC 3261 12.1.1",
);
