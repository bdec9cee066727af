//! The home network: what it answers to a REGISTER, and when.

use crate::{
    options::Options,
    users::{attempt_in, number_in},
};

/// Milliseconds until a client transaction gives up: 64 times T1 (RFC 3261 17.1.2.2).
const TIMER_F: u64 = 32_000;

pub enum Reply {
    Response(Vec<u8>),
    Timeout,
}

pub struct Home {
    loss: f64,
    storm: std::ops::Range<u64>,
    seed: u64,
}

impl Home {
    pub fn new(options: &Options, begin: u64) -> Self {
        let from = begin + options.deadline / 4;
        Self {
            loss: options.loss,
            storm: from..from + options.storm,
            seed: options.seed,
        }
    }

    /// What comes of a REGISTER, and after how many milliseconds.
    pub fn ask(&self, now: u64, request: &str) -> (Reply, u64) {
        let luck = self.luck(request);
        // The lower bits say whether it is lost, the others how long it takes.
        #[allow(clippy::cast_precision_loss)]
        let is_lost = ((luck % 10_000) as f64) < self.loss * 10_000.0;
        if is_lost {
            return (Reply::Timeout, TIMER_F);
        }
        let latency = 10 + (luck >> 32) % 90;
        let first_line = match self.storm.contains(&now) {
            true => "SIP/2.0 503 Service Unavailable\r\nRetry-After: 2\r\n",
            false => "SIP/2.0 200 OK\r\n",
        };
        let echoed = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
        let mut response = first_line.to_owned();
        for line in request.lines() {
            if echoed.iter().any(|name| line.starts_with(name)) {
                response.push_str(line);
                response.push_str("\r\n");
            }
        }
        response.push_str("Content-Length: 0\r\n\r\n");
        (Reply::Response(response.into_bytes()), latency)
    }

    /// A number that is the same for the same user and attempt, and else as good as any.
    fn luck(&self, request: &str) -> u64 {
        let mut luck = self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for part in [number_in(request), attempt_in(request)].map(u64::from) {
            luck = (luck ^ part).wrapping_mul(0xff51_afd7_ed55_8ccd);
            luck ^= luck >> 29;
        }
        luck
    }
}
