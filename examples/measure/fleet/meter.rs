//! Times calls, each on its own.

use std::{hint::black_box, time::Instant};

use super::histogram::Histogram;
use crate::{options::Options, users::Meter};

/// The calls of a phase, by their names.
pub(super) struct Phase {
    name: &'static str,
    calls: Vec<(&'static str, Histogram)>,
    /// The calls that an instruction counter is to look at.
    counted: Option<String>,
    /// Nanoseconds that telling the time takes.
    clock: u64,
}

impl Phase {
    pub(super) fn new(name: &'static str, options: &Options) -> Self {
        let counted = options.count.as_deref();
        let counted = counted.and_then(|counted| counted.strip_prefix(name)?.strip_prefix('/'));
        Self {
            name,
            calls: Vec::with_capacity(16),
            counted: counted.map(str::to_owned),
            clock: clock(),
        }
    }

    /// A line for the phase, and one for each kind of call.
    pub(super) fn print(&self, is_wanted: bool) {
        if !is_wanted {
            return;
        }
        let mut all = Histogram::new();
        for (what, calls) in &self.calls {
            all.add_all(calls);
            line(&format!("{}/{what}", self.name), calls, calls.mean());
        }
        line(self.name, &all, all.mean());
    }

    /// A line for the phase, the mean of which was measured otherwise.
    pub(super) fn print_with(&self, mean: f64) {
        for (_, calls) in &self.calls {
            line(self.name, calls, mean);
        }
    }
}

fn line(name: &str, calls: &Histogram, mean: f64) {
    println!(
        "phase={name} ops={} ns_per_op={mean:.1} p50={} p9999={} max={}",
        calls.count(),
        calls.quantile(5_000),
        calls.quantile(9_999),
        calls.max(),
    );
}

impl Meter for Phase {
    fn call<T>(&mut self, what: &'static str, work: impl FnOnce() -> T) -> T {
        let is_counted = self.counted.as_deref() == Some(what);
        let began = Instant::now();
        let done = match is_counted {
            true => counted(work),
            false => work(),
        };
        let took = began.elapsed().as_nanos() as u64;
        let known = self.calls.iter().position(|(own, _)| *own == what);
        let place = known.unwrap_or_else(|| {
            self.calls.push((what, Histogram::new()));
            self.calls.len() - 1
        });
        self.calls[place].1.add(took.saturating_sub(self.clock));
        done
    }
}

/// What an instruction counter is told to look at.
#[inline(never)]
fn counted<T>(work: impl FnOnce() -> T) -> T {
    black_box(work())
}

/// The least of many.
fn clock() -> u64 {
    let empty = (0..1_000).map(|_| Instant::now().elapsed().as_nanos() as u64);
    empty.min().unwrap_or(0)
}
