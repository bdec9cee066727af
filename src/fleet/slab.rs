//! Machines at places that are used again, known by place and generation.

use alloc::vec::Vec;
use core::num::NonZeroU32;

/// Which machine: its place, and the how manieth machine of the slab it is. Where another has taken the place,
/// it finds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Id {
    place: u32,
    generation: NonZeroU32,
}

impl Id {
    /// Its place, which is less than the most machines there ever were.
    pub(crate) const fn place(self) -> u32 {
        self.place
    }
}

enum Slot<T> {
    Taken {
        generation: NonZeroU32,
        machine: T,
    },
    /// And the free place after it.
    Free(u32),
}

/// No place.
const NONE: u32 = u32::MAX;

/// The place that was left last is taken first.
pub(crate) struct Slab<T> {
    slots: Vec<Slot<T>>,
    free: u32,
    taken: usize,
    /// Generation of the machine that was put in last.
    latest: NonZeroU32,
}

impl<T> Slab<T> {
    pub(crate) fn with_capacity(machines: usize) -> Self {
        Self {
            slots: Vec::with_capacity(machines),
            free: NONE,
            taken: 0,
            latest: NonZeroU32::MAX,
        }
    }

    /// Takes room for so many more.
    pub(crate) fn reserve(&mut self, machines: usize) {
        self.slots.reserve_exact(machines);
    }

    pub(crate) const fn len(&self) -> usize {
        self.taken
    }

    /// Places that are taken or were: the numbers below this.
    pub(crate) fn places(&self) -> u32 {
        u32::try_from(self.slots.len()).unwrap_or(NONE)
    }

    /// The place that the next machine will have.
    pub(crate) fn next_place(&self) -> u32 {
        match self.free {
            NONE => self.slots.len() as u32,
            place => place,
        }
    }

    /// Puts a machine in. Its owner sees to it that there are fewer than 2^32.
    pub(crate) fn insert(&mut self, machine: T) -> Id {
        let generation = self.latest.checked_add(1).unwrap_or(NonZeroU32::MIN);
        self.latest = generation;
        self.taken = self.taken.saturating_add(1);
        let place = self.next_place();
        let taken = Slot::Taken {
            generation,
            machine,
        };
        match self.slots.get_mut(place as usize) {
            Some(slot) => {
                if let Slot::Free(next) = *slot {
                    self.free = next;
                }
                *slot = taken;
            }
            None => self.slots.push(taken),
        }
        Id { place, generation }
    }

    /// Takes a machine out. Room is given back once nothing is left, down to that for `kept` machines.
    pub(crate) fn remove(&mut self, id: Id, kept: usize) -> Option<T> {
        self.get(id)?;
        let slot = self.slots.get_mut(id.place as usize)?;
        let free = Slot::Free(self.free);
        let Slot::Taken { machine, .. } = core::mem::replace(slot, free) else {
            return None;
        };
        self.free = id.place;
        self.taken = self.taken.saturating_sub(1);
        if self.taken == 0 {
            self.slots.clear();
            self.slots.shrink_to(kept);
            self.free = NONE;
        }
        Some(machine)
    }

    /// The machine that is at a place now.
    pub(crate) fn at(&self, place: u32) -> Option<Id> {
        match self.slots.get(place as usize)? {
            Slot::Taken { generation, .. } => Some(Id {
                place,
                generation: *generation,
            }),
            Slot::Free(_) => None,
        }
    }

    pub(crate) fn get(&self, id: Id) -> Option<&T> {
        match self.slots.get(id.place as usize)? {
            Slot::Taken {
                generation,
                machine,
            } if *generation == id.generation => Some(machine),
            _ => None,
        }
    }

    pub(crate) fn get_mut(&mut self, id: Id) -> Option<&mut T> {
        match self.slots.get_mut(id.place as usize)? {
            Slot::Taken {
                generation,
                machine,
            } if *generation == id.generation => Some(machine),
            _ => None,
        }
    }

    /// All machines, in the order of their places.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Id, &T)> + Clone {
        let taken = |(place, slot)| match slot {
            &Slot::Taken {
                generation,
                ref machine,
            } => {
                let place = place as u32;
                Some((Id { place, generation }, machine))
            }
            Slot::Free(_) => None,
        };
        self.slots.iter().enumerate().filter_map(taken)
    }

    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.slots.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::Slab;
    use alloc::vec::Vec;

    /// [DR-5] A place is used again, and the id of whoever had it finds nothing.
    #[test]
    fn stale_ids() {
        let mut slab = Slab::with_capacity(0);
        let (first, second) = (slab.insert("a"), slab.insert("b"));
        assert_eq!(slab.remove(first, 0), Some("a"));
        assert_eq!(slab.next_place(), first.place());
        let third = slab.insert("c");
        assert_eq!(third.place(), first.place());
        assert_eq!((slab.get(first), slab.get(third)), (None, Some(&"c")));
        assert_eq!(slab.get_mut(first), None);
        assert_eq!(slab.remove(first, 0), None);
        assert_eq!(slab.at(first.place()), Some(third));
        assert_eq!(slab.len(), 2);
        let machines: Vec<_> = slab.iter().collect();
        assert_eq!(machines, [(third, &"c"), (second, &"b")]);
    }

    /// [DR-5] The last one out leaves no room behind but what is to be kept; ids from before stay stale.
    #[test]
    fn given_back() {
        for kept in [0, 10] {
            let mut slab = Slab::with_capacity(kept);
            let ids: Vec<_> = (0..100).map(|number| slab.insert(number)).collect();
            for id in &ids {
                assert!(slab.remove(*id, kept).is_some());
            }
            assert_eq!(slab.capacity(), kept);
            slab.insert(0);
            assert!(ids.iter().all(|id| slab.get(*id).is_none()));
        }
    }
}
