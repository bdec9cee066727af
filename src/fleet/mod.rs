//! What a node needs to hold many machines: places for them, an index over every key a message can carry, the one
//! next deadline of each; strings packed in one allocation, of which a machine has many; and the [`pacer`] of what
//! many of them have to send.
//!
//! No cost grows with machines that have nothing to do. A node that is told beforehand for how many it is
//! ([`Limits::reserved_users`]) takes the room at once, and no call pays for a table that grows; what was taken beyond
//! that is given back when the last machine has gone.
//!
//! Most machines rest most of the time, and most have one of everything: what only one that does something has stands
//! behind a pointer (`Seldom`), one element of a list where the list would (`Few`), and what many have alike is
//! there once (`Shared`), as in the blob of many (`Alike`). Or all that a machine is stands in one allocation until
//! something happens to it (`Record`).

mod alike;
mod few;
mod index;
mod lists;
pub mod pacer;
mod packed;
mod record;
mod seldom;
mod shared;
mod slab;
mod timers;

pub(crate) use alike::{AlikeRead, AlikeWritten, Common, Kept};
pub(crate) use few::Few;
pub(crate) use index::Gathered;
use index::Index;
pub(crate) use lists::{Links, List};
pub(crate) use packed::Packed;
pub(crate) use record::{CommonRead, Reader, Record, Recorder};
pub(crate) use seldom::{Rest, Seldom};
pub(crate) use shared::{Divided, Shared};
pub(crate) use slab::Id;
use slab::Slab;
use timers::Timers;

use crate::drive::{Limits, Millis};
use alloc::vec::Vec;

/// What is taken at once.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Room {
    /// Machines.
    pub(crate) machines: usize,
    /// Keys that each is filed under. Some may have more, if others have less.
    pub(crate) keys: usize,
}

impl Room {
    /// What the limits say is reserved, for machines with so many keys.
    pub(crate) fn of(limits: &Limits, keys: usize) -> Self {
        Self {
            machines: limits.reserved_users.min(limits.users),
            keys,
        }
    }

    /// With room for more machines, if for any.
    pub(crate) const fn and(self, more: usize) -> Self {
        match self.machines {
            0 => self,
            machines => Self {
                machines: machines.saturating_add(more),
                ..self
            },
        }
    }

    const fn entries(self) -> usize {
        self.machines.saturating_mul(self.keys)
    }
}

/// Machines, found by their keys and driven by their deadlines.
pub(crate) struct Fleet<T> {
    machines: Slab<T>,
    index: Index,
    timers: Timers,
    room: Room,
}

impl<T> Fleet<T> {
    /// No machines yet. `table_key` is known to nobody else.
    pub(crate) fn new(table_key: &[u8; 16], room: Room) -> Self {
        Self {
            machines: Slab::with_capacity(room.machines),
            index: Index::with_capacity(table_key, room.entries()),
            timers: Timers::with_capacity(room.machines),
            room,
        }
    }

    /// Takes room for so many more at once.
    pub(crate) fn reserve(&mut self, room: Room) {
        self.machines.reserve(room.machines);
        self.index.reserve(room.entries());
        self.timers.reserve(room.machines);
    }

    /// Machines for which room is kept.
    pub(crate) const fn reserved(&self) -> usize {
        self.room.machines
    }

    /// Number of machines.
    pub(crate) const fn len(&self) -> usize {
        self.machines.len()
    }

    /// Places that machines have or have had: the numbers below this.
    pub(crate) fn places(&self) -> u32 {
        self.machines.places()
    }

    /// The place that the next machine will have.
    #[cfg(feature = "txn")]
    pub(crate) fn next_place(&self) -> u32 {
        self.machines.next_place()
    }

    /// A machine, under no key and without a deadline.
    pub(crate) fn insert(&mut self, machine: T) -> Id {
        self.machines.insert(machine)
    }

    /// Takes a machine out, and its deadline with it. Whoever filed it under keys takes it out from there before.
    pub(crate) fn remove(&mut self, id: Id) -> Option<T> {
        let machine = self.machines.remove(id, self.room.machines)?;
        self.timers.arm(id.place(), None);
        if self.len() == 0 {
            self.timers.shrink(self.room.machines);
            self.index.shrink(self.room.entries());
        }
        Some(machine)
    }

    pub(crate) fn get(&self, id: Id) -> Option<&T> {
        self.machines.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: Id) -> Option<&mut T> {
        self.machines.get_mut(id)
    }

    /// A machine, and what it is filed under.
    pub(crate) fn get_with_keys(&mut self, id: Id) -> Option<(&mut T, Keys<'_>)> {
        let machine = self.machines.get_mut(id)?;
        let keys = Keys {
            index: &mut self.index,
            place: id.place(),
        };
        Some((machine, keys))
    }

    /// The machine at a place, as tokens name it.
    pub(crate) fn at(&self, place: u32) -> Option<Id> {
        self.machines.at(place)
    }

    /// All machines, in the order of their places.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Id, &T)> + Clone {
        self.machines.iter()
    }

    /// Files a machine under a key. Filing it there again changes nothing.
    pub(crate) fn file(&mut self, id: Id, kind: u8, key: &[u8]) {
        self.index.insert(kind, key, id.place());
    }

    /// Has a machine filed under a key with the others of a blob.
    pub(crate) fn gather(&self, keys: &mut Gathered, id: Id, kind: u8, key: &[u8]) {
        self.index.gather(keys, kind, key, id.place());
    }

    /// [DR-7] Files all that was gathered.
    pub(crate) fn file_all(&mut self, keys: Gathered) {
        self.index.insert_all(keys);
    }

    /// The machines under a key. Hardly ever, one under another key is among them.
    pub(crate) fn under(&self, kind: u8, key: &[u8]) -> impl Iterator<Item = (Id, &T)> {
        self.index.under(kind, key).filter_map(|place| {
            let id = self.at(place)?;
            Some((id, self.get(id)?))
        })
    }

    /// The machine under a key that says that the key is its own.
    pub(crate) fn find(&self, kind: u8, key: &[u8], is: impl Fn(&T) -> bool) -> Option<Id> {
        let mut under = self.under(kind, key);
        under.find(|(_, machine)| is(machine)).map(|(id, _)| id)
    }

    /// Sets, moves or clears the deadline of a machine.
    pub(crate) fn arm(&mut self, id: Id, deadline: Option<Millis>) {
        if self.get(id).is_some() {
            self.timers.arm(id.place(), deadline);
        }
    }

    /// Sets every deadline anew.
    pub(crate) fn arm_all(&mut self, deadline: impl Fn(&T) -> Option<Millis>) {
        for (id, machine) in self.machines.iter() {
            self.timers.arm(id.place(), deadline(machine));
        }
    }

    /// The earliest deadline and whose it is.
    pub(crate) fn next(&self) -> Option<(Millis, Id)> {
        let (at, place) = self.timers.next()?;
        Some((at, self.at(place)?))
    }

    /// The machine most overdue at `now`.
    pub(crate) fn due(&self, now: Millis) -> Option<Id> {
        self.next().filter(|&(at, _)| at <= now).map(|(_, id)| id)
    }
}

/// Adds to a list that has one element as a rule, and room for no more than it has.
pub(crate) fn push_exact<T>(list: &mut Vec<T>, element: T) {
    list.reserve_exact(1);
    list.push(element);
}

/// What one machine is filed under.
pub(crate) struct Keys<'f> {
    index: &'f mut Index,
    place: u32,
}

impl Keys<'_> {
    /// Files the machine under a key.
    pub(crate) fn file(&mut self, kind: u8, key: &[u8]) {
        self.index.insert(kind, key, self.place);
    }

    /// Takes the machine out from under a key.
    pub(crate) fn unfile(&mut self, kind: u8, key: &[u8]) {
        self.index.remove(kind, key, self.place);
    }
}

#[cfg(test)]
mod tests {
    use super::{Fleet, Id, Millis, Room, Vec};

    fn fill(fleet: &mut Fleet<u32>, machines: u32) {
        for machine in 0..machines {
            let id = fleet.insert(machine);
            fleet.file(id, 1, &machine.to_le_bytes());
            fleet.arm(id, Some(Millis(u64::from(machine))));
        }
    }

    fn unfile(fleet: &mut Fleet<u32>, id: Id, machine: u32) {
        let (_, mut keys) = fleet.get_with_keys(id).unwrap();
        keys.unfile(1, &machine.to_le_bytes());
    }

    fn capacities(fleet: &Fleet<u32>) -> (usize, usize) {
        (fleet.machines.capacity(), fleet.index.capacity())
    }

    /// [DR-5] As many machines as there is room for move nothing; one more makes the places grow.
    #[test]
    fn room_beforehand() {
        let room = Room {
            machines: 1_000,
            keys: 1,
        };
        let mut fleet = Fleet::new(&[7; 16], room);
        let before = capacities(&fleet);
        fill(&mut fleet, 1_000);
        assert_eq!(capacities(&fleet), before);
        fleet.insert(0);
        assert!(capacities(&fleet).0 > before.0);
    }

    /// [DR-5] Room that is taken later: as many as it is for move nothing, and it is given back as any other.
    #[test]
    fn room_later() {
        let mut fleet = Fleet::new(&[7; 16], Room::default());
        fill(&mut fleet, 10);
        fleet.reserve(Room {
            machines: 1_000,
            keys: 1,
        });
        let before = capacities(&fleet);
        let ids: Vec<_> = (10..1_010u32)
            .map(|machine| {
                let id = fleet.insert(machine);
                fleet.file(id, 1, &machine.to_le_bytes());
                id
            })
            .collect();
        assert_eq!(capacities(&fleet), before);
        let found = fleet.find(1, &7u32.to_le_bytes(), |machine| *machine == 7);
        assert!(found.is_some());
        for id in (0..10)
            .filter_map(|place| fleet.at(place))
            .collect::<Vec<_>>()
        {
            unfile(&mut fleet, id, id.place());
            fleet.remove(id);
        }
        for id in ids {
            unfile(&mut fleet, id, id.place());
            fleet.remove(id);
        }
        assert_eq!(capacities(&fleet), (0, 0));
    }

    /// [DR-5] The last machine out gives back what was not taken at once.
    #[test]
    fn given_back() {
        for machines in [0, 10] {
            let mut fleet = Fleet::new(&[7; 16], Room { machines, keys: 2 });
            let before = capacities(&fleet);
            fill(&mut fleet, 1_000);
            let ids: Vec<_> = fleet.iter().map(|(id, machine)| (id, *machine)).collect();
            for (id, machine) in ids {
                unfile(&mut fleet, id, machine);
                assert_eq!(fleet.remove(id), Some(machine));
            }
            assert_eq!(capacities(&fleet), before);
            assert_eq!(fleet.next(), None);
        }
    }

    /// [DR-6] A machine that is gone is not due, is not found, and cannot be armed; whoever has its place can.
    #[test]
    fn gone() {
        let mut fleet = Fleet::new(&[7; 16], Room::default());
        fill(&mut fleet, 2);
        let first = fleet.find(1, &0u32.to_le_bytes(), |machine| *machine == 0);
        let first = first.unwrap();
        assert_eq!(fleet.due(Millis(0)), Some(first));
        unfile(&mut fleet, first, 0);
        fleet.remove(first);
        assert_eq!(fleet.due(Millis(0)), None);
        let second = fleet.insert(5);
        assert_eq!(second.place(), first.place());
        fleet.arm(first, Some(Millis(0)));
        assert_eq!(fleet.due(Millis(0)), None, "a stale id arms nothing");
        fleet.arm(second, Some(Millis(0)));
        assert_eq!(fleet.due(Millis(0)), Some(second));
        assert_eq!(fleet.under(1, &0u32.to_le_bytes()).count(), 0);
    }
}
