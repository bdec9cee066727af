//! The one next deadline of each machine, in order.

use crate::drive::Millis;
use alloc::{collections::BTreeSet, vec, vec::Vec};

/// An ordered set of (deadline, machine). Re-arming costs a logarithm; machines that wait cost nothing.
#[derive(Default)]
pub(crate) struct Timers {
    ordered: BTreeSet<(Millis, u32)>,
    armed: Vec<Option<Millis>>,
}

impl Timers {
    /// Timers with room for the machines below `machines`, so that none of them grows it.
    pub(crate) fn with_room(machines: usize) -> Self {
        Self {
            ordered: BTreeSet::new(),
            armed: vec![None; machines],
        }
    }

    /// Sets, moves or clears the deadline of a machine.
    pub(crate) fn arm(&mut self, machine: u32, deadline: Option<Millis>) {
        let place = machine as usize;
        if place >= self.armed.len() {
            self.armed.resize(place.saturating_add(1), None);
        }
        let Some(armed) = self.armed.get_mut(place) else {
            return;
        };
        if *armed == deadline {
            return;
        }
        if let Some(old) = *armed {
            self.ordered.remove(&(old, machine));
        }
        if let Some(new) = deadline {
            self.ordered.insert((new, machine));
        }
        *armed = deadline;
    }

    /// The earliest deadline and whose it is.
    pub(crate) fn next(&self) -> Option<(Millis, u32)> {
        self.ordered.first().copied()
    }

    /// The machine most overdue at `now`.
    pub(crate) fn due(&self, now: Millis) -> Option<u32> {
        self.next()
            .filter(|&(deadline, _)| deadline <= now)
            .map(|(_, machine)| machine)
    }
}

#[cfg(test)]
mod tests {
    use super::{Millis, Timers};

    /// [DR-6] Deadlines come in order; a re-armed one comes once; before its time nothing is due.
    #[test]
    fn ordered_and_rearmed() {
        let mut timers = Timers::default();
        timers.arm(3, Some(Millis(30)));
        timers.arm(1, Some(Millis(10)));
        timers.arm(3, Some(Millis(5)));
        assert_eq!(timers.due(Millis(4)), None);
        assert_eq!(timers.due(Millis(5)), Some(3));
        timers.arm(3, None);
        assert_eq!(timers.due(Millis(99)), Some(1));
        timers.arm(1, None);
        assert_eq!(timers.next(), None);
    }
}
