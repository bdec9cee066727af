//! The timed loop, and the line it prints.

use std::{hint::black_box, time::Instant};

use crate::counting::allocations;

/// What was measured: medians over the repetitions.
pub(crate) struct Figures {
    median: f64,
    min: f64,
    max: f64,
    allocations: u64,
    allocated_bytes: u64,
}

/// Runs `work` a tenth of `n` times to warm up, once to count allocations, then `repetitions` times `n`.
pub(crate) fn measure(n: u64, repetitions: usize, mut work: impl FnMut() -> u64) -> Figures {
    repeat(n / 10 + 1, &mut work);
    let before = allocations();
    black_box(work());
    let after = allocations();
    let mut rounds: Vec<f64> = (0..repetitions.max(1))
        .map(|_| {
            let began = Instant::now();
            black_box(repeat(n, &mut work));
            began.elapsed().as_nanos() as f64 / n as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    Figures {
        median: rounds[rounds.len() / 2],
        min: rounds[0],
        max: rounds[rounds.len() - 1],
        allocations: after.0 - before.0,
        allocated_bytes: after.1 - before.1,
    }
}

/// What an instruction counter is told to look at.
#[inline(never)]
pub(crate) fn repeat(n: u64, work: &mut impl FnMut() -> u64) -> u64 {
    (0..n).fold(0, |sum, _| sum.wrapping_add(black_box(work())))
}

impl Figures {
    /// One line: who, what, and how long it took.
    pub(crate) fn print(&self, input: &str, bytes: usize, n: u64) {
        println!("{}", self.line("ims-procedures", input, bytes, n));
    }

    /// The same of a peer, and how long each of the things took of which the input has so many.
    pub(crate) fn print_each(
        &self,
        peer: &str,
        input: &str,
        bytes: usize,
        n: u64,
        (thing, count): (&str, u64),
    ) {
        println!(
            "{} {thing}s={count} ns_per_{thing}={:.1}",
            self.line(peer, input, bytes, n),
            self.median / count.max(1) as f64,
        );
    }

    fn line(&self, peer: &str, input: &str, bytes: usize, n: u64) -> String {
        format!(
            "peer={peer} input={input} bytes={bytes} n={n} ns_per_msg={:.1} min={:.1} max={:.1} \
             allocs_per_msg={} alloc_bytes_per_msg={} mb_s={:.0}",
            self.median,
            self.min,
            self.max,
            self.allocations,
            self.allocated_bytes,
            bytes as f64 / self.median * 1_000.0,
        )
    }
}
