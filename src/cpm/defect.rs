//! What can be wrong with what peers send, or a host shows, a CPM Participating Function. Codes 520 to 539.

use crate::drive::Defect;

/// There is no session with that dialog.
pub const NO_SESSION: Defect = Defect {
    code: 520,
    what: "no session has this dialog",
    clause: "RFC 3261 15.1.2",
};

/// The sequence number is lower than that of a request before, or the same in another transaction.
pub const OUT_OF_ORDER: Defect = Defect {
    code: 521,
    what: "CSeq out of order",
    clause: "RFC 3261 12.2.2",
};

/// The topmost Route names another element.
pub const WRONG_ROUTE: Defect = Defect {
    code: 522,
    what: "Route leads to another element",
    clause: "RFC 3261 16.4",
};

/// Max-Forwards is used up.
pub const TOO_MANY_HOPS: Defect = Defect {
    code: 523,
    what: "Max-Forwards is 0",
    clause: "RFC 3261 16.3",
};

/// The handle, or a dialog, is that of another session.
pub const SESSION_KNOWN: Defect = Defect {
    code: 524,
    what: "the handle or a dialog is of a session that is here",
    clause: "OMA CPM 8.2.2, 8.3.2",
};

/// The legs are not those that such a session has, or two of them have one dialog.
pub const WRONG_LEGS: Defect = Defect {
    code: 525,
    what: "not the legs of such a session",
    clause: "OMA CPM 8.2.2.3, 8.3.2.3",
};

/// The dialog is not that of the leg: its Call-ID or a tag is another.
pub const OTHER_DIALOG: Defect = Defect {
    code: 526,
    what: "not the dialog of the leg",
    clause: "RFC 3261 12",
};

/// There is no session description where there should be one.
pub const NO_DESCRIPTION: Defect = Defect {
    code: 527,
    what: "no session description",
    clause: "RFC 8866 5",
};

/// The UID cannot stand in Message-UID.
pub const BAD_UID: Defect = Defect {
    code: 528,
    what: "the UID cannot stand in Message-UID",
    clause: "OMA CPM Appendix C",
};

/// The Reason cannot stand in a header, or is longer than may be.
pub const BAD_REASON: Defect = Defect {
    code: 529,
    what: "the Reason cannot be written",
    clause: "RFC 3326 2",
};

/// What a response copies of the BYE is longer than may be.
pub const BYE_TOO_LARGE: Defect = Defect {
    code: 530,
    what: "more to be copied than may be kept",
    clause: "RFC 3261 21.5.7",
};

/// A session that is proxied cannot be ended from here.
pub const PROXIED: Defect = Defect {
    code: 531,
    what: "a proxy cannot end a session",
    clause: "RFC 3261 16",
};

/// As many BYEs of a proxied session are on their way as may be.
pub const BYES_UNANSWERED: Defect = Defect {
    code: 532,
    what: "too many BYEs of the session without an answer",
    clause: "RFC 3261 16.7",
};
