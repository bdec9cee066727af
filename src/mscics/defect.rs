//! What can be wrong with what a host shows an MSC server. Codes 800 to 819.

use crate::drive::Defect;

/// The message is not a REGISTER request.
pub const NOT_A_REGISTER: Defect = Defect {
    code: 800,
    what: "not a REGISTER request",
    clause: "RFC 3261 10.2",
};

/// The REGISTER names no contact of its own, or more than one.
pub const ONE_CONTACT: Defect = Defect {
    code: 801,
    what: "not one contact in the REGISTER",
    clause: "S1 L36",
};

/// A value that is given holds what no header field can carry, or is no URI or address where it must be.
pub const UNUSABLE: Defect = Defect {
    code: 802,
    what: "a value that cannot stand in a message",
    clause: "RFC 3261 25.1",
};

/// A byte of an IMSI or IMEI is no digit.
pub const NOT_A_DIGIT: Defect = Defect {
    code: 803,
    what: "not a digit",
    clause: "TS 23.003",
};

/// An IMSI is too short for its parts, or longer than 15 digits.
pub const IMSI_LENGTH: Defect = Defect {
    code: 804,
    what: "an IMSI of a length that there is not",
    clause: "TS 23.003",
};

/// An IMEI has neither 14, 15 nor 16 digits.
pub const IMEI_LENGTH: Defect = Defect {
    code: 805,
    what: "an IMEI of a length that there is not",
    clause: "TS 23.003 6.2",
};

/// A response that is shown with a REGISTER has another Call-ID or CSeq: it answers another request.
pub const ANOTHER_RESPONSE: Defect = Defect {
    code: 807,
    what: "the response to another request",
    clause: "RFC 3261 8.2.6.2",
};

/// The fifteenth digit of an IMEI is neither its check digit nor the spare digit.
pub const CHECK_DIGIT: Defect = Defect {
    code: 806,
    what: "the check digit of another IMEI",
    clause: "TS 23.003 6.2.1, annex B",
};
