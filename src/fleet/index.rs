//! From the keys that messages carry to the numbers of machines.

use core::hash::Hasher;
use hashbrown::HashTable;
use siphasher::sip::SipHasher13;

/// One open-addressing table of (32-bit hash, machine) for all keys of a node, keyed so that a peer cannot
/// choose keys that collide. The keys themselves stay with the machines, who are asked to confirm a find.
pub(crate) struct Index {
    keyed: SipHasher13,
    table: HashTable<(u32, u32)>,
}

fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Index {
    pub(crate) fn new(key: &[u8; 16]) -> Self {
        Self {
            keyed: SipHasher13::new_with_key(key),
            table: HashTable::new(),
        }
    }

    fn hash(&self, kind: u8, key: &[u8]) -> u32 {
        let mut hasher = self.keyed;
        hasher.write_u8(kind);
        hasher.write(key);
        hasher.finish() as u32
    }

    /// The machine with this key, among those that `confirm` says it is.
    pub(crate) fn find(
        &self,
        kind: u8,
        key: &[u8],
        mut confirm: impl FnMut(u32) -> bool,
    ) -> Option<u32> {
        let hash = self.hash(kind, key);
        self.table
            .find(spread(hash), |&(h, machine)| h == hash && confirm(machine))
            .map(|&(_, machine)| machine)
    }

    /// Files a machine under a key. Filing it there again changes nothing.
    pub(crate) fn insert(&mut self, kind: u8, key: &[u8], machine: u32) {
        let hash = self.hash(kind, key);
        self.table
            .entry(
                spread(hash),
                |&entry| entry == (hash, machine),
                |&(h, _)| spread(h),
            )
            .or_insert((hash, machine));
    }

    /// Takes a machine out from under a key.
    pub(crate) fn remove(&mut self, kind: u8, key: &[u8], machine: u32) {
        let hash = self.hash(kind, key);
        if let Ok(entry) = self
            .table
            .find_entry(spread(hash), |&entry| entry == (hash, machine))
        {
            entry.remove();
        }
    }

    /// Number of entries.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }
}

#[cfg(test)]
mod tests {
    use super::Index;

    /// [DR-5] Filing twice is filing once, and what is taken out is not found.
    #[test]
    fn insert_find_remove() {
        let mut index = Index::new(&[7; 16]);
        for _ in 0..2 {
            index.insert(1, b"alice", 5);
        }
        assert_eq!(index.len(), 1);
        assert_eq!(index.find(1, b"alice", |_| true), Some(5));
        assert_eq!(index.find(2, b"alice", |_| true), None, "kinds are apart");
        assert_eq!(index.find(1, b"alice", |_| false), None, "unconfirmed");
        index.remove(1, b"alice", 6);
        assert_eq!(index.len(), 1, "another machine's entry stays");
        index.remove(1, b"alice", 5);
        assert_eq!(index.len(), 0);
    }

    /// [DR-8] Machines that share a key are told apart by what they confirm.
    #[test]
    fn shared_keys() {
        let mut index = Index::new(&[7; 16]);
        index.insert(1, b"shared", 1);
        index.insert(1, b"shared", 2);
        assert_eq!(index.find(1, b"shared", |machine| machine == 2), Some(2));
        assert_eq!(index.find(1, b"shared", |machine| machine == 1), Some(1));
    }
}
