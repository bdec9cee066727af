//! What was seen: how each user ended, and how dense the REGISTERs were.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use ims_procedures::pcscf::Outcome;

use crate::{
    options::Options,
    users::{attempt_in, number_in},
};

/// Milliseconds of the stretch in which REGISTERs are counted.
const STRETCH: u64 = 100;

#[derive(Default)]
pub struct Books {
    ended: HashMap<u32, Outcome>,
    /// Users that ended in one way and then in another.
    twice: u32,
    /// Users and attempts: what is offered again after a crash is no new REGISTER.
    registers: HashSet<(u32, u32)>,
    /// When those of the last stretch went.
    recent: VecDeque<u64>,
    densest: usize,
    most_out: usize,
    over_at: u64,
    crashes: u32,
}

impl Books {
    /// Users that have ended.
    pub fn users(&self) -> u32 {
        u32::try_from(self.ended.len()).unwrap_or(u32::MAX)
    }

    pub fn end(&mut self, user: u32, outcome: Outcome) {
        // After a crash it may come again, with the same content.
        let before = self.ended.insert(user, outcome);
        if before.is_some_and(|before| before != outcome) {
            self.twice += 1;
        }
    }

    pub fn ask(&mut self, now: u64, request: &str, out: usize) {
        self.most_out = self.most_out.max(out);
        let register = (number_in(request), attempt_in(request));
        if !self.registers.insert(register) {
            return;
        }
        self.recent.push_back(now);
        while self.recent.front().is_some_and(|at| now - at >= STRETCH) {
            self.recent.pop_front();
        }
        self.densest = self.densest.max(self.recent.len());
    }

    pub const fn crash(&mut self) {
        self.crashes += 1;
    }

    pub const fn over(&mut self, time: u64) {
        self.over_at = time;
    }

    /// Prints the tally.
    pub fn print(&self) {
        let mut tally: BTreeMap<String, u32> = BTreeMap::new();
        for outcome in self.ended.values() {
            *tally.entry(format!("{outcome:?}")).or_default() += 1;
        }
        println!("{:>9} users ended", self.ended.len());
        for (outcome, users) in tally {
            println!("{users:>9} {outcome}");
        }
        #[allow(clippy::cast_precision_loss)]
        let seconds = self.over_at as f64 / 1_000.0;
        println!(
            "{} REGISTERs in {seconds:.1} s, at most {} in {STRETCH} ms, at most {} out, {} crash(es)",
            self.registers.len(),
            self.densest,
            self.most_out,
            self.crashes
        );
    }

    /// What was not as it should be, a line each.
    pub fn faults(&self, options: &Options) -> Vec<String> {
        let mut faults = Vec::new();
        if self.users() != options.users {
            faults.push(format!("{} of {} ended", self.users(), options.users));
        }
        if self.twice > 0 {
            faults.push(format!("{} ended in two ways", self.twice));
        }
        let allowed = (u64::from(options.rate) * STRETCH).div_ceil(1_000);
        if self.densest as u64 > allowed {
            faults.push(format!(
                "{} in {STRETCH} ms, and not {allowed}",
                self.densest
            ));
        }
        if self.most_out > options.in_flight as usize {
            faults.push(format!(
                "{} out, and not {}",
                self.most_out, options.in_flight
            ));
        }
        if self.over_at > options.deadline + 2_000 {
            faults.push(format!("over after {} ms", self.over_at));
        }
        faults
    }
}
