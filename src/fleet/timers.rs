//! The one next deadline of each machine, in order.

use crate::drive::Millis;
use alloc::vec::Vec;

/// A deadline and whose it is, in twelve bytes. Deadlines at one instant come in the order of places.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Armed {
    high: u32,
    low: u32,
    place: u32,
}

impl Armed {
    const fn new(at: Millis, place: u32) -> Self {
        Self {
            high: (at.0 >> 32) as u32,
            low: at.0 as u32,
            place,
        }
    }

    const fn at(self) -> Millis {
        Millis(((self.high as u64) << 32) | self.low as u64)
    }
}

/// The machine has no deadline.
const NONE: u32 = u32::MAX;

/// Children of a node: they lie side by side.
const CHILDREN: usize = 4;

/// An ordered set of (deadline, machine): a heap that knows where each machine stands in it, so that a deadline is
/// moved and not left behind. Sixteen bytes a machine, all of which can be had beforehand; a deadline that stays
/// costs a look, one that moves a few steps, and machines that wait nothing.
#[derive(Default)]
pub(crate) struct Timers {
    heap: Vec<Armed>,
    /// Of each machine, its position in the heap.
    positions: Vec<u32>,
}

impl Timers {
    pub(crate) fn with_capacity(machines: usize) -> Self {
        Self {
            heap: Vec::with_capacity(machines),
            positions: Vec::with_capacity(machines),
        }
    }

    /// Takes room for so many more.
    pub(crate) fn reserve(&mut self, machines: usize) {
        self.heap.reserve_exact(machines);
        self.positions.reserve_exact(machines);
    }

    /// Sets, moves or clears the deadline of a machine. One at the end of time never comes: it is none.
    pub(crate) fn arm(&mut self, place: u32, deadline: Option<Millis>) {
        let deadline = deadline.filter(|at| *at < Millis(u64::MAX));
        let position = self.position(place);
        let old = position.and_then(|position| self.heap.get(position).copied());
        let new = deadline.map(|at| Armed::new(at, place));
        match (position, old, new) {
            _ if old == new => {}
            (Some(position), Some(old), Some(new)) if new < old => self.rise(position, new),
            (Some(position), _, Some(new)) => self.sink(position, new),
            (_, _, Some(new)) => {
                self.make_room(place);
                self.heap.push(new);
                self.rise(self.heap.len().saturating_sub(1), new);
            }
            (Some(position), Some(old), None) => self.take_out(position, old),
            (_, _, None) => {}
        }
    }

    /// Gives back, once nothing is armed, what is more than room for so many machines.
    pub(crate) fn shrink(&mut self, kept: usize) {
        if self.heap.is_empty() {
            self.positions.clear();
            self.positions.shrink_to(kept);
            self.heap.shrink_to(kept);
        }
    }

    /// The earliest deadline and whose it is.
    pub(crate) fn next(&self) -> Option<(Millis, u32)> {
        let first = self.heap.first()?;
        Some((first.at(), first.place))
    }

    /// The machine most overdue at `now`.
    pub(crate) fn due(&self, now: Millis) -> Option<u32> {
        let (_, place) = self.next().filter(|&(at, _)| at <= now)?;
        Some(place)
    }

    fn position(&self, place: u32) -> Option<usize> {
        let position = *self.positions.get(place as usize)?;
        (position != NONE).then_some(position as usize)
    }

    fn make_room(&mut self, place: u32) {
        let least = (place as usize).saturating_add(1);
        if self.positions.len() < least {
            self.positions.resize(least, NONE);
        }
    }

    fn take_out(&mut self, position: usize, old: Armed) {
        let Some(last) = self.heap.pop() else {
            return;
        };
        if let Some(own) = self.positions.get_mut(old.place as usize) {
            *own = NONE;
        }
        if last == old {
            return;
        }
        if last < old {
            self.rise(position, last);
        } else {
            self.sink(position, last);
        }
    }

    fn put(&mut self, position: usize, armed: Armed) {
        if let Some(place) = self.heap.get_mut(position) {
            *place = armed;
        }
        if let Some(own) = self.positions.get_mut(armed.place as usize) {
            *own = position as u32;
        }
    }

    /// Puts one that may be earlier than those above the position.
    fn rise(&mut self, mut position: usize, armed: Armed) {
        while let Some(above) = position.checked_sub(1).map(|before| before / CHILDREN) {
            let Some(parent) = self.heap.get(above).copied().filter(|p| armed < *p) else {
                break;
            };
            self.put(position, parent);
            position = above;
        }
        self.put(position, armed);
    }

    /// Puts one that may be later than those below the position.
    fn sink(&mut self, mut position: usize, armed: Armed) {
        loop {
            let first = position.saturating_mul(CHILDREN).saturating_add(1);
            let end = first.saturating_add(CHILDREN).min(self.heap.len());
            let children = self.heap.get(first..end).unwrap_or_default();
            let earliest = children.iter().copied().enumerate().min_by_key(|(_, c)| *c);
            let Some((number, child)) = earliest.filter(|(_, child)| *child < armed) else {
                break;
            };
            self.put(position, child);
            position = first.saturating_add(number);
        }
        self.put(position, armed);
    }
}

#[cfg(test)]
mod tests {
    use super::{Millis, Timers};
    use alloc::collections::BTreeSet;

    /// [DR-6] Deadlines come in order; a re-armed one comes once; before its time nothing is due.
    #[test]
    fn ordered_and_rearmed() {
        let mut timers = Timers::default();
        timers.arm(3, Some(Millis(30)));
        timers.arm(1, Some(Millis(10)));
        timers.arm(3, Some(Millis(5)));
        assert_eq!(timers.next(), Some((Millis(5), 3)));
        timers.arm(3, None);
        assert_eq!(timers.next(), Some((Millis(10), 1)));
        timers.arm(1, Some(Millis(u64::MAX)));
        assert_eq!(timers.next(), None, "the end of time does not come");
    }

    /// [DR-6] Whatever is set, moved and cleared: the next is what an ordered set says.
    #[test]
    fn as_an_ordered_set() {
        let (mut timers, mut set) = (Timers::with_capacity(64), BTreeSet::new());
        let mut armed = [None; 64];
        let mut chance = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..20_000 {
            chance ^= chance << 13;
            chance ^= chance >> 7;
            chance ^= chance << 17;
            let place = (chance % 64) as usize;
            let at = Millis((chance >> 8) % 500 + (((chance >> 40) % 2) << 33));
            let deadline = (chance >> 20 & 3 > 0).then_some(at);
            timers.arm(place as u32, deadline);
            if let Some(old) = core::mem::replace(&mut armed[place], deadline) {
                set.remove(&(old, place as u32));
            }
            if let Some(new) = deadline {
                set.insert((new, place as u32));
            }
            assert_eq!(timers.next(), set.first().copied());
        }
        while let Some((at, place)) = timers.next() {
            assert_eq!(set.pop_first(), Some((at, place)));
            timers.arm(place, None);
        }
        assert!(set.is_empty());
    }
}
