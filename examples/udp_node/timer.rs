//! When something is sent again (Timers A, E and G of RFC 3261), and until when (B, F and H).

use ims_procedures::drive::Millis;

use crate::resend::Pace;

pub struct Resending {
    /// Milliseconds, doubled each time up to T2.
    interval: u64,
    t2: u64,
    again_at: Millis,
    ends_at: Millis,
}

/// What the passing of time means to it.
pub enum Elapsed {
    Nothing,
    Again,
    TimedOut,
}

impl Resending {
    /// Of what has just been sent.
    pub fn new(now: Millis, pace: Pace) -> Self {
        Self {
            interval: pace.t1,
            t2: pace.t2,
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
        self.interval = self.t2.min(2 * self.interval);
        self.again_at = now.after(self.interval);
        Elapsed::Again
    }
}
