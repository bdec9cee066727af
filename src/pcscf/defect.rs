//! What can be wrong with what a host shows a P-CSCF.

use crate::drive::Defect;

/// The message is not a REGISTER request.
pub const NOT_A_REGISTER: Defect = Defect {
    code: 400,
    what: "not a REGISTER request",
    clause: "RFC 3261 10.2",
};
