//! A store that compares and exchanges, and remembers what stood there before.

use std::collections::BTreeMap;

/// How a write went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    Stored,
    Conflict,
}

#[derive(Clone, Debug)]
pub struct Entry {
    pub version: u64,
    pub bytes: Vec<u8>,
}

/// Each key with all its writes; an erased one has none.
#[derive(Clone, Debug, Default)]
pub struct Store {
    entries: BTreeMap<Vec<u8>, Vec<Entry>>,
    pub largest: usize,
}

impl Store {
    fn version(&self, key: &[u8]) -> u64 {
        let latest = self.entries.get(key).and_then(|writes| writes.last());
        latest.map_or(0, |entry| entry.version)
    }

    pub fn put(&mut self, key: &[u8], expected: u64, version: u64, bytes: &[u8]) -> Written {
        assert_ne!(version, 0);
        self.largest = self.largest.max(bytes.len());
        match self.version(key) {
            found if found == version => Written::Stored,
            found if found == expected => {
                let bytes = bytes.to_vec();
                let writes = self.entries.entry(key.to_vec()).or_default();
                writes.push(Entry { version, bytes });
                Written::Stored
            }
            _ => Written::Conflict,
        }
    }

    pub fn erase(&mut self, key: &[u8], expected: u64) -> Written {
        match self.version(key) {
            0 => Written::Stored,
            found if found == expected => {
                self.entries.remove(key);
                Written::Stored
            }
            _ => Written::Conflict,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn keys(&self) -> Vec<Vec<u8>> {
        self.entries.keys().cloned().collect()
    }

    /// What stands under a key; `stale`: what stood there before, if anything did.
    pub fn read(&self, key: &[u8], stale: bool) -> Option<Entry> {
        let mut writes = self.entries.get(key)?.iter().rev();
        let latest = writes.next()?;
        let before = writes.next().filter(|_| stale);
        Some(before.unwrap_or(latest).clone())
    }
}
