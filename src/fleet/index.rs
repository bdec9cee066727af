//! From the keys that messages carry to the places of machines.

use alloc::{collections::BTreeSet, vec, vec::Vec};
use core::hash::Hasher;
use siphasher::sip::SipHasher13;

/// One open-addressing table of (32-bit hash, place) for all keys of a node, keyed so that a peer cannot choose keys
/// that collide. The keys themselves stay with the machines, who are asked to confirm a find.
///
/// An entry stands where its hash says, or in the next slot that was free. At most four of five slots are taken, and a
/// table that must grow becomes a quarter larger: ten to thirteen bytes a key. A key has [`ALIKE`] slots at most: a crowd
/// under one key, as of devices behind alike private addresses, would make a run in which all others are looked for. What
/// is more stands beside the table, in order.
pub(crate) struct Index {
    keyed: SipHasher13,
    slots: Vec<Entry>,
    taken: usize,
    /// Those of crowds, of which the table has as many as it may.
    crowded: BTreeSet<Entry>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    hash: u32,
    place: u32,
}

/// Nothing: no machine has this place.
const FREE: Entry = Entry {
    hash: 0,
    place: u32::MAX,
};

/// Keys of many machines, to be filed together.
#[derive(Default)]
pub(crate) struct Gathered(Vec<Entry>);

/// Parts of a table, by the highest bits of a hash; fewer keys than these are filed as they come.
const PARTS: usize = 1 << PART_BITS;
const PART_BITS: u32 = 10;

impl Gathered {
    /// All of it, in the order of the parts of a table.
    fn in_parts(self) -> Vec<Entry> {
        let Self(entries) = self;
        if entries.len() < PARTS {
            return entries;
        }
        let part = |entry: &Entry| (entry.hash >> (u32::BITS - PART_BITS)) as usize;
        let mut next = [0usize; PARTS];
        for entry in &entries {
            if let Some(count) = next.get_mut(part(entry)) {
                *count = count.saturating_add(1);
            }
        }
        let mut begin = 0usize;
        for next in &mut next {
            let count = core::mem::replace(next, begin);
            begin = begin.saturating_add(count);
        }
        let mut ordered = vec![FREE; entries.len()];
        for entry in entries {
            if let Some(next) = next.get_mut(part(&entry)) {
                if let Some(place) = ordered.get_mut(*next) {
                    *place = entry;
                }
                *next = next.saturating_add(1);
            }
        }
        ordered
    }
}

/// Slots of one key at most.
const ALIKE: usize = 8;

/// The fewest slots of a table that has any.
const FEWEST: usize = 8;

/// Slots for so many entries.
const fn slots_for(entries: usize) -> usize {
    entries.saturating_add(entries.div_ceil(4))
}

impl Index {
    pub(crate) fn with_capacity(key: &[u8; 16], entries: usize) -> Self {
        Self {
            keyed: SipHasher13::new_with_key(key),
            slots: vec![FREE; slots_for(entries)],
            taken: 0,
            crowded: BTreeSet::new(),
        }
    }

    fn hash(&self, kind: u8, key: &[u8]) -> u32 {
        let mut hasher = self.keyed;
        hasher.write(key);
        hasher.write_u8(kind);
        hasher.finish() as u32
    }

    /// Where the entries with a hash begin.
    fn home(&self, hash: u32) -> usize {
        let slots = self.slots.len() as u64;
        (u64::from(hash).wrapping_mul(slots) >> 32) as usize
    }

    fn next(&self, slot: usize) -> usize {
        match slot.saturating_add(1) {
            end if end >= self.slots.len() => 0,
            next => next,
        }
    }

    /// The entries from where those with this hash begin to the next free slot, and where each stands.
    fn run(&self, hash: u32) -> impl Iterator<Item = (usize, Entry)> {
        let home = self.home(hash);
        let (before, after) = self.slots.split_at_checked(home).unwrap_or_default();
        let from_home = after.iter().enumerate();
        from_home
            .map(move |(number, entry)| (home.saturating_add(number), *entry))
            .chain(before.iter().copied().enumerate())
            .take_while(|(_, entry)| *entry != FREE)
    }

    /// The places under this key, and with it, hardly ever, under another one.
    pub(crate) fn under(&self, kind: u8, key: &[u8]) -> impl Iterator<Item = u32> {
        let hash = self.hash(kind, key);
        let in_table = self
            .run(hash)
            .filter_map(move |(_, entry)| (entry.hash == hash).then_some(entry.place));
        in_table.chain(self.crowd(hash).map(|entry| entry.place))
    }

    /// What stands beside the table.
    fn crowd(&self, hash: u32) -> impl Iterator<Item = Entry> {
        let crowded = (!self.crowded.is_empty()).then_some(&self.crowded);
        let first = Entry { hash, place: 0 };
        let last = Entry {
            hash,
            place: u32::MAX,
        };
        crowded
            .into_iter()
            .flat_map(move |crowded| crowded.range(first..=last).copied())
    }

    /// Files a place under a key. Filing it there again changes nothing.
    pub(crate) fn insert(&mut self, kind: u8, key: &[u8], place: u32) {
        let entry = Entry {
            hash: self.hash(kind, key),
            place,
        };
        if slots_for(self.taken.saturating_add(1)) > self.slots.len() {
            if self.run(entry.hash).any(|(_, known)| known == entry) {
                return;
            }
            self.grow();
        }
        self.put(entry);
    }

    /// Has a place filed under a key with the others of so many.
    pub(crate) fn gather(&self, gathered: &mut Gathered, kind: u8, key: &[u8], place: u32) {
        let hash = self.hash(kind, key);
        gathered.0.push(Entry { hash, place });
    }

    /// Files all that was gathered, one part of the table after the other: of a table that fits no cache, each is
    /// fetched once.
    pub(crate) fn insert_all(&mut self, gathered: Gathered) {
        self.reserve(gathered.0.len());
        for entry in gathered.in_parts() {
            self.put(entry);
        }
    }

    /// Puts an entry into a slot that is free, or with others of a crowd, unless it is there.
    fn put(&mut self, entry: Entry) {
        let mut slot = self.home(entry.hash);
        let mut alike = 0usize;
        loop {
            match self.slots.get_mut(slot) {
                Some(free) if *free == FREE => {
                    *free = entry;
                    self.taken = self.taken.saturating_add(1);
                    return;
                }
                Some(taken) if *taken != entry => {
                    alike = alike.saturating_add(usize::from(taken.hash == entry.hash));
                    if alike == ALIKE {
                        self.crowded.insert(entry);
                        return;
                    }
                    slot = self.next(slot);
                }
                _ => return,
            }
        }
    }

    /// Takes room for so many more entries.
    pub(crate) fn reserve(&mut self, entries: usize) {
        let slots = slots_for(self.taken.saturating_add(entries));
        if slots > self.slots.len() {
            self.grow_to(slots);
        }
    }

    fn grow(&mut self) {
        let slots = self.slots.len();
        self.grow_to(slots.saturating_add(slots / 4).max(FEWEST));
    }

    fn grow_to(&mut self, more: usize) {
        let old = core::mem::replace(&mut self.slots, vec![FREE; more]);
        self.taken = 0;
        for entry in old.into_iter().filter(|entry| *entry != FREE) {
            self.put(entry);
        }
    }

    /// Takes a place out from under a key.
    pub(crate) fn remove(&mut self, kind: u8, key: &[u8], place: u32) {
        let hash = self.hash(kind, key);
        let entry = Entry { hash, place };
        let found = self.run(hash).find(|(_, known)| *known == entry);
        if let Some((slot, _)) = found {
            self.taken = self.taken.saturating_sub(1);
            self.close(slot);
            // A crowd has all its slots.
            let next = self.crowd(hash).next();
            if let Some(next) = next {
                self.crowded.remove(&next);
                self.put(next);
            }
        } else if !self.crowded.is_empty() {
            self.crowded.remove(&entry);
        }
    }

    /// Frees a slot, into which those after it move that would not be found behind a free one.
    fn close(&mut self, mut free: usize) {
        let mut slot = free;
        loop {
            slot = self.next(slot);
            let entry = self.slots.get(slot).copied().unwrap_or(FREE);
            if entry == FREE {
                break;
            }
            if self.distance(self.home(entry.hash), slot) >= self.distance(free, slot) {
                self.set(free, entry);
                free = slot;
            }
        }
        self.set(free, FREE);
    }

    /// Slots from one to another, the first coming after the last.
    fn distance(&self, from: usize, to: usize) -> usize {
        match to.checked_sub(from) {
            Some(distance) => distance,
            None => to.saturating_add(self.slots.len()).saturating_sub(from),
        }
    }

    fn set(&mut self, slot: usize, entry: Entry) {
        if let Some(own) = self.slots.get_mut(slot) {
            *own = entry;
        }
    }

    /// Gives back, once nothing is filed, what is more than room for so many entries.
    pub(crate) fn shrink(&mut self, kept: usize) {
        let kept = slots_for(kept);
        if self.taken == 0 && self.slots.len() > kept {
            self.slots = vec![FREE; kept];
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.taken.saturating_add(self.crowded.len())
    }

    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.slots.len()
    }
}

#[cfg(test)]
mod tests {
    use super::{Gathered, Index, Vec};
    use alloc::{collections::BTreeSet, format};

    /// [DR-5] Filing twice is filing once, and what is taken out is not found.
    #[test]
    fn insert_find_remove() {
        let mut index = Index::with_capacity(&[7; 16], 0);
        for _ in 0..2 {
            index.insert(1, b"alice", 5);
        }
        assert_eq!(index.len(), 1);
        assert!(index.under(1, b"alice").eq([5]));
        assert_eq!(index.under(2, b"alice").count(), 0, "kinds are apart");
        index.remove(1, b"alice", 6);
        assert_eq!(index.len(), 1, "another machine's entry stays");
        index.remove(1, b"alice", 5);
        assert_eq!(index.len(), 0);
    }

    /// [DR-8] Machines that share a key are all found.
    #[test]
    fn shared_keys() {
        let mut index = Index::with_capacity(&[7; 16], 0);
        index.insert(1, b"shared", 1);
        index.insert(1, b"shared", 2);
        let mut both: Vec<_> = index.under(1, b"shared").collect();
        both.sort_unstable();
        assert_eq!(both, [1, 2]);
    }

    /// [DR-5] It holds what a set would, through growth and around the end of the table.
    #[test]
    fn as_a_set() {
        let (mut index, mut set) = (Index::with_capacity(&[7; 16], 0), BTreeSet::new());
        let mut chance = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..60_000 {
            chance ^= chance << 13;
            chance ^= chance >> 7;
            chance ^= chance << 17;
            let key = (chance >> 8) as u16 % 700;
            // A crowd at times.
            let places = if key < 20 { 40 } else { 3 };
            let place = (chance >> 32) as u32 % places;
            if chance % 5 < 3 {
                index.insert(1, &key.to_le_bytes(), place);
                set.insert((key, place));
            } else {
                index.remove(1, &key.to_le_bytes(), place);
                set.remove(&(key, place));
            }
            let mut places: Vec<_> = index.under(1, &key.to_le_bytes()).collect();
            places.sort_unstable();
            let known = set
                .range((key, 0)..=(key, u32::MAX))
                .map(|(_, place)| *place);
            assert_eq!(places, known.collect::<Vec<_>>());
            assert_eq!(index.len(), set.len());
        }
        for (key, place) in core::mem::take(&mut set) {
            index.remove(1, &key.to_le_bytes(), place);
        }
        assert_eq!(index.len(), 0);
        index.shrink(0);
        assert_eq!(index.capacity(), 0);
    }

    /// [DR-7] What is filed together is filed as one by one, what is there already among it.
    #[test]
    fn together() {
        let key = |place: u32| (place % 700).to_le_bytes();
        let mut index = Index::with_capacity(&[7; 16], 0);
        let mut gathered = Gathered::default();
        for machines in [10, 1_000, 10_000] {
            for place in 0..machines {
                if place % 10 == 0 {
                    index.insert(1, &key(place), place);
                }
                for _ in 0..=place % 2 {
                    index.gather(&mut gathered, 1, &key(place), place);
                }
            }
            index.insert_all(core::mem::take(&mut gathered));
            assert_eq!(index.len(), machines as usize);
            for place in 0..machines {
                assert!(index.under(1, &key(place)).any(|found| found == place));
                index.remove(1, &key(place), place);
            }
            assert_eq!(index.len(), 0);
        }
    }

    /// [DR-5] What fits the room taken beforehand does not make it grow; one more does.
    #[test]
    fn room_beforehand() {
        let mut index = Index::with_capacity(&[7; 16], 1_000);
        let before = index.capacity();
        for place in 0..1_000u32 {
            index.insert(1, &place.to_le_bytes(), place);
        }
        assert_eq!(index.capacity(), before);
        index.insert(1, b"one more", 0);
        assert!(index.capacity() > before);
    }

    /// [DR-5] A crowd under one key takes few slots, and what others look at is what it was; all of it is found, and goes.
    #[test]
    fn crowd() {
        let mut index = Index::with_capacity(&[7; 16], 4_000);
        for place in 0..2_000u32 {
            index.insert(1, &place.to_le_bytes(), place);
        }
        for place in 0..100_000u32 {
            index.insert(1, b"crowd", place);
            index.insert(1, b"crowd", place);
        }
        assert_eq!(index.len(), 102_000);
        assert!(index.capacity() == 5_000, "nothing has grown");
        let mut longest = 0;
        for place in 0..2_000u32 {
            let hash = index.hash(1, &place.to_le_bytes());
            longest = longest.max(index.run(hash).count());
        }
        assert!(longest < 100, "{longest}");
        let mut found: Vec<_> = index.under(1, b"crowd").collect();
        found.sort_unstable();
        assert!(found.into_iter().eq(0..100_000));
        for place in 0..100_000u32 {
            index.remove(1, b"crowd", place);
        }
        assert_eq!(index.under(1, b"crowd").count(), 0);
        assert_eq!(index.len(), 2_000);
        let mut gathered = Gathered::default();
        (0..100_000).for_each(|place| index.gather(&mut gathered, 1, b"crowd", place));
        index.insert_all(gathered);
        assert_eq!(index.under(1, b"crowd").count(), 100_000);
    }

    /// What is looked at in vain to find each of the keys among all of them: entries from where theirs begin.
    fn looked_at(keys: &[Vec<u8>]) -> usize {
        let mut index = Index::with_capacity(&[7; 16], keys.len());
        for (place, key) in keys.iter().enumerate() {
            index.insert(1, key, place as u32);
        }
        let looks = keys.iter().enumerate().map(|(place, key)| {
            let run = index.run(index.hash(1, key));
            let others = run.take_while(|(_, entry)| entry.place != place as u32);
            others.count()
        });
        looks.sum()
    }

    /// [DR-5] Call-IDs that a peer has chosen to collide under a hash without a key, here all 2,048 of them under one
    /// that many use (each character added to 31 times what was before), cost what any others cost.
    #[test]
    fn chosen_call_ids() {
        let unkeyed = |key: &[u8]| {
            key.iter().fold(0u32, |hash, byte| {
                hash.wrapping_mul(31).wrapping_add(u32::from(*byte))
            })
        };
        let chosen: Vec<Vec<u8>> = (0..2_048u32)
            .map(|number| {
                let pairs = (0..11).map(|bit| match number >> bit & 1 {
                    0 => *b"Aa",
                    _ => *b"BB",
                });
                pairs.flatten().collect()
            })
            .collect();
        assert!(chosen.iter().all(|key| unkeyed(key) == unkeyed(&chosen[0])));
        let others: Vec<Vec<u8>> = (0..2_048u32)
            .map(|number| format!("{number:022}").into_bytes())
            .collect();
        let (chosen, others) = (looked_at(&chosen), looked_at(&others));
        // Two in vain for each is what a table filled to four fifths takes (Knuth, 6.4).
        assert!(chosen <= others * 3 / 2, "{chosen} and {others}");
        assert!(chosen < 2_048 * 3, "{chosen}");
    }
}
