//! What is known at once of something handed in, and when to come again.

use core::ffi::c_char;

use super::{
    memory::{Struct, fixed},
    values::imsp_verdict_kind,
};
use crate::drive::{Millis, Reject, Timer, Verdict};

/// What became of something that was handed in. It is known at once, never by a later event. Nothing in it says what a
/// message or an identity was.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct imsp_verdict {
    /// `sizeof(imsp_verdict)`, to be set by the caller.
    pub struct_size: u32,
    /// An imsp_verdict_kind.
    pub kind: u32,
    /// Of IMSP_VERDICT_KIND_HOLD.
    pub token: u64,
    /// Of IMSP_VERDICT_KIND_REFUSE: the SIP status code to answer with.
    pub sip_status: u32,
    /// Of IMSP_VERDICT_KIND_REFUSE: seconds for Retry-After; 0 for none.
    pub retry_after: u32,
    /// Of IMSP_VERDICT_KIND_REJECTED: the number of what is wrong, never given to another defect.
    pub defect: u32,
    /// Of IMSP_VERDICT_KIND_REJECTED: the byte at which it was found, counted from the start of the message.
    pub at: u32,
    /// Of IMSP_VERDICT_KIND_REJECTED: what is wrong.
    pub what: [c_char; 128],
    /// Of IMSP_VERDICT_KIND_REJECTED: the clause of the specification that says so.
    pub clause: [c_char; 64],
}

// SAFETY: `repr(C)`, integers alone: 2·4 + 8 + 4·4 + 128 + 64 bytes, each in its place without padding.
unsafe impl Struct for imsp_verdict {
    const FIRST_SIZE: usize = 224;
}

impl From<Verdict> for imsp_verdict {
    fn from(verdict: Verdict) -> Self {
        let only = Self {
            struct_size: 0,
            kind: imsp_verdict_kind::from(&verdict) as u32,
            token: 0,
            sip_status: 0,
            retry_after: 0,
            defect: 0,
            at: 0,
            what: [0; 128],
            clause: [0; 64],
        };
        match verdict {
            Verdict::Handled | Verdict::NotMine | Verdict::Forward => only,
            Verdict::Hold(token) => Self {
                token: token.to_u64(),
                ..only
            },
            Verdict::Refuse {
                status,
                retry_after,
            } => Self {
                sip_status: status.into(),
                retry_after,
                ..only
            },
            Verdict::Rejected(Reject { defect, at }) => Self {
                defect: defect.code.into(),
                at,
                what: fixed(defect.what),
                clause: fixed(defect.clause),
                ..only
            },
        }
    }
}

/// When the next tick is due.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct imsp_deadline {
    /// `sizeof(imsp_deadline)`, to be set by the caller.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// Milliseconds since the epoch of the caller's choosing.
    pub at: u64,
    /// The name of the timer that will fire, for a person.
    pub timer: [c_char; 48],
}

// SAFETY: `repr(C)`, integers alone: 2·4 + 8 + 48 bytes, each in its place without padding.
unsafe impl Struct for imsp_deadline {
    const FIRST_SIZE: usize = 64;
}

impl From<(Millis, Timer)> for imsp_deadline {
    fn from((at, timer): (Millis, Timer)) -> Self {
        Self {
            struct_size: 0,
            reserved: 0,
            at: at.0,
            timer: fixed(timer.0),
        }
    }
}
