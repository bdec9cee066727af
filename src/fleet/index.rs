//! From the keys that messages carry to the places of machines.

use core::hash::Hasher;
use hashbrown::HashTable;
use siphasher::sip::SipHasher13;

/// One open-addressing table of (32-bit hash, place) for all keys of a node, keyed so that a peer cannot choose keys
/// that collide. The keys themselves stay with the machines, who are asked to confirm a find.
pub(crate) struct Index {
    keyed: SipHasher13,
    table: HashTable<(u32, u32)>,
}

fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn spread_entry(&(hash, _): &(u32, u32)) -> u64 {
    spread(hash)
}

impl Index {
    pub(crate) fn with_capacity(key: &[u8; 16], entries: usize) -> Self {
        Self {
            keyed: SipHasher13::new_with_key(key),
            table: HashTable::with_capacity(entries),
        }
    }

    fn hash(&self, kind: u8, key: &[u8]) -> u32 {
        let mut hasher = self.keyed;
        hasher.write_u8(kind);
        hasher.write(key);
        hasher.finish() as u32
    }

    /// The places under this key, and with it, hardly ever, under another one.
    pub(crate) fn under(&self, kind: u8, key: &[u8]) -> impl Iterator<Item = u32> {
        let hash = self.hash(kind, key);
        let entries = self.table.iter_hash(spread(hash));
        entries.filter_map(move |&(own, place)| (own == hash).then_some(place))
    }

    /// Files a place under a key. Filing it there again changes nothing.
    pub(crate) fn insert(&mut self, kind: u8, key: &[u8], place: u32) {
        let hash = self.hash(kind, key);
        let is_there = |&entry: &(u32, u32)| entry == (hash, place);
        self.table
            .entry(spread(hash), is_there, spread_entry)
            .or_insert((hash, place));
    }

    /// Takes a place out from under a key.
    pub(crate) fn remove(&mut self, kind: u8, key: &[u8], place: u32) {
        let hash = self.hash(kind, key);
        let entry = self
            .table
            .find_entry(spread(hash), |&entry| entry == (hash, place));
        if let Ok(entry) = entry {
            entry.remove();
        }
    }

    /// Gives back, once nothing is filed, what is more than room for so many entries.
    pub(crate) fn shrink(&mut self, kept: usize) {
        if self.table.is_empty() {
            self.table.shrink_to(kept, spread_entry);
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.table.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::{Index, spread};
    use alloc::{format, vec::Vec};

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

    /// What is looked at to find each of the keys among all of them: entries that look like theirs.
    fn looked_at(keys: &[Vec<u8>]) -> usize {
        let mut index = Index::with_capacity(&[7; 16], 0);
        for (place, key) in keys.iter().enumerate() {
            index.insert(1, key, place as u32);
        }
        let looks = keys.iter().map(|key| {
            let hash = index.hash(1, key);
            index.table.iter_hash(spread(hash)).count()
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
        assert!(chosen <= others + others / 20, "{chosen} and {others}");
        assert!(chosen < 2_048 * 5 / 4, "{chosen}");
    }
}
