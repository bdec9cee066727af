//! What can be wrong with what an S-CSCF is shown, apart from its bytes.

use crate::drive::Defect;

/// The message is not a REGISTER request.
pub const NOT_A_REGISTER: Defect = Defect {
    code: 500,
    what: "not a REGISTER request",
    clause: "RFC 3261 10.2",
};

/// `Contact: *` with an expiry other than zero, or beside other contacts.
pub const WILDCARD: Defect = Defect {
    code: 501,
    what: "'*' beside other contacts, or without Expires 0",
    clause: "RFC 3261 10.3 step 6",
};

/// The sender of a SUBSCRIBE may not see this registration state.
pub const NOT_AUTHORISED: Defect = Defect {
    code: 502,
    what: "the subscriber is not authorised",
    clause: "TS 24.229 5.4.2.1.1",
};

/// Nobody is registered under this public identity.
pub const NOT_REGISTERED: Defect = Defect {
    code: 503,
    what: "no binding for this public identity",
    clause: "TS 24.229 5.4.2.1.1",
};

/// The subscriber does not take registration information.
pub const NOT_ACCEPTED: Defect = Defect {
    code: 504,
    what: "Accept does not list application/reginfo+xml",
    clause: "RFC 3680 4.5",
};

/// As many subscribers, or procedures, as the limits allow.
pub const BUSY: Defect = Defect {
    code: 505,
    what: "as many as the limits allow are there",
    clause: "limits",
};

/// The strings of a dialog are longer than is kept.
pub const DIALOG_TOO_LARGE: Defect = Defect {
    code: 506,
    what: "Call-ID, tags, target and route set exceed the limit",
    clause: "limits.registration_bytes",
};

/// A header value given by the host cannot stand in a message.
pub const HEADER_VALUE: Defect = Defect {
    code: 507,
    what: "the value is empty, too long, or holds a control character",
    clause: "RFC 3261 25.1",
};

/// More application servers than are told of one deregistration.
pub const TOO_MANY_SERVERS: Defect = Defect {
    code: 508,
    what: "more than 16 application servers",
    clause: "TS 24.229 5.4.1.7",
};

/// As many deregistrations wait for the user to be authenticated as the configuration allows.
pub const WAITING: Defect = Defect {
    code: 509,
    what: "as many deregistrations wait for authentication as are allowed",
    clause: "Config::waiting_deregistrations",
};

/// More contacts than may be bound.
pub const TOO_MANY_CONTACTS: Defect = Defect {
    code: 510,
    what: "more contacts than may be bound",
    clause: "limits.contacts",
};

/// More asserted identities than there can be.
pub const TOO_MANY_ASSERTED: Defect = Defect {
    code: 511,
    what: "more than two asserted identities",
    clause: "RFC 3325 9.1",
};

/// What is kept of a REGISTER until it is answered is longer than is kept.
pub const REGISTER_TOO_LARGE: Defect = Defect {
    code: 512,
    what: "what is kept of the REGISTER until it is answered exceeds the limit",
    clause: "limits.registration_bytes",
};

/// What should be a public identity is none.
pub const NOT_AN_IDENTITY: Defect = Defect {
    code: 513,
    what: "a public identity that is neither a SIP nor a tel URI",
    clause: "TS 23.003 13.4",
};

/// The profile leaves no public identity that may be used.
pub const NO_IDENTITY: Defect = Defect {
    code: 514,
    what: "no public identity that is not barred",
    clause: "TS 24.229 5.4.1.2.2F",
};

/// A registration is to be left no time.
pub const NO_TIME: Defect = Defect {
    code: 515,
    what: "a time of zero seconds to authenticate anew in",
    clause: "TS 24.229 5.4.1.6",
};

/// What should name a P-CSCF has no host.
pub const NO_HOST: Defect = Defect {
    code: 516,
    what: "a URI without a host",
    clause: "RFC 3327 5.1",
};
