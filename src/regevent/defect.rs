//! What can be wrong with a message of the package, apart from its bytes.

use crate::drive::Defect;

/// No subscription has this dialog.
pub const UNKNOWN_DIALOG: Defect = Defect {
    code: 300,
    what: "no subscription has this dialog",
    clause: "RFC 6665 4.1.3",
};

/// The event package is missing or not `reg`.
pub const BAD_EVENT: Defect = Defect {
    code: 301,
    what: "the event package is not reg",
    clause: "RFC 6665 8.2.1",
};

/// An event id that was never given.
pub const UNKNOWN_EVENT_ID: Defect = Defect {
    code: 302,
    what: "an event id that was never given",
    clause: "RFC 6665 8.2.1",
};

/// The body is of another type.
pub const BODY_TYPE: Defect = Defect {
    code: 303,
    what: "the body is not application/reginfo+xml",
    clause: "RFC 3680 4.5",
};

/// The CSeq is lower than one already seen.
pub const OUT_OF_ORDER: Defect = Defect {
    code: 304,
    what: "the CSeq is lower than one already seen",
    clause: "RFC 3261 12.2.2",
};

/// The dialog's tag, target and route set are longer than is kept.
pub const DIALOG_TOO_LARGE: Defect = Defect {
    code: 306,
    what: "tag, target and route set exceed the limit",
    clause: "limits.registration_bytes",
};

/// The sender is not to be believed.
pub const UNTRUSTED: Defect = Defect {
    code: 305,
    what: "a NOTIFY from outside the core network",
    clause: "TS 24.229 5.2.3",
};

/// A SUBSCRIBE without Contact makes no dialog.
pub const NO_CONTACT: Defect = Defect {
    code: 307,
    what: "a SUBSCRIBE without Contact",
    clause: "RFC 6665 4.1.2.1",
};

/// The answer to a routing question cannot be used.
pub const BAD_ROUTE: Defect = Defect {
    code: 320,
    what: "more than 8 next hops, one that is no SIP URI with a host or longer than 1,024 bytes, or routes of \
           more than 16,384 bytes",
    clause: "RE-4",
};

/// A watcher would have more registrations than [`Limits::identities`](crate::drive::Limits::identities).
pub const TOO_MANY_WATCHED_REGISTRATIONS: Defect = Defect {
    code: 308,
    what: "more registrations than a watcher keeps",
    clause: "limits.identities",
};

/// A watcher would have more contacts than
/// [`Limits::watched_contacts`](crate::drive::Limits::watched_contacts).
pub const TOO_MANY_WATCHED_CONTACTS: Defect = Defect {
    code: 309,
    what: "more contacts than a watcher keeps",
    clause: "limits.watched_contacts",
};

/// What a watcher would keep takes more bytes than a document may have
/// ([`Limits::xml_bytes`](crate::drive::Limits::xml_bytes)).
pub const WATCHED_TOO_LARGE: Defect = Defect {
    code: 310,
    what: "more bytes than a watcher keeps",
    clause: "limits.xml_bytes",
};
