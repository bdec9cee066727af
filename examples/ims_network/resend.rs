//! A request that waits for its answer, and is sent again until it comes (RFC 3261 17.1.2): for those here who
//! are not made of the library. Its nodes have `ims_procedures::txn` for that.

use ims_procedures::{drive::Millis, wire::Message};

/// T1 and T2, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    pub t1: u64,
    pub t2: u64,
}

/// Of a UE, and of a core element (TS 24.229 7.7).
pub const UE: Pace = Pace {
    t1: 2_000,
    t2: 16_000,
};
pub const CORE: Pace = Pace { t1: 500, t2: 4_000 };

/// A request that is out.
#[derive(Debug)]
pub struct Outstanding {
    bytes: Vec<u8>,
    branch: Vec<u8>,
    pace: Pace,
    interval: u64,
    again_at: Millis,
    ends_at: Millis,
}

/// What the passing of time means to it.
pub enum Elapsed {
    Nothing,
    /// These bytes are to be sent again.
    Again(Vec<u8>),
    /// There was no answer.
    TimedOut,
}

impl Outstanding {
    /// A request that has just been sent.
    pub fn new(now: Millis, bytes: &[u8], branch: &[u8], pace: Pace) -> Self {
        Self {
            bytes: bytes.to_vec(),
            branch: branch.to_vec(),
            pace,
            interval: pace.t1,
            again_at: now.after(pace.t1),
            ends_at: now.after(64 * pace.t1),
        }
    }

    pub fn deadline(&self) -> Millis {
        self.again_at.min(self.ends_at)
    }

    pub fn elapse(&mut self, now: Millis) -> Elapsed {
        if now >= self.ends_at {
            return Elapsed::TimedOut;
        }
        if now < self.again_at {
            return Elapsed::Nothing;
        }
        self.interval = self.pace.t2.min(2 * self.interval);
        self.again_at = now.after(self.interval);
        Elapsed::Again(self.bytes.clone())
    }

    /// The status of its final answer, if this is one.
    pub fn answered_by(&self, response: &Message<'_>) -> Option<u16> {
        let status = response.status().filter(|&status| status >= 200)?;
        let branch = response.via().ok()?.branch()?;
        (branch == self.branch).then_some(status)
    }
}
