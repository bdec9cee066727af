//! A store that compares and exchanges: what any store that the host runs already can do.

use std::collections::HashMap;

/// What stands under a key: a version, and a blob.
type Entry = (u64, Vec<u8>);

#[derive(Default)]
pub struct Store(HashMap<Vec<u8>, Entry>);

impl Store {
    /// Puts a blob under a key if `expected` stands there (0 for nothing), or `version` already does. Whether it is there
    /// now.
    pub fn put(&mut self, key: &[u8], expected: u64, version: u64, blob: &[u8]) -> bool {
        let found = self.0.get(key).map_or(0, |(version, _)| *version);
        if found != expected && found != version {
            return false;
        }
        self.0.insert(key.to_vec(), (version, blob.to_vec()));
        true
    }

    /// Forgets a key if `expected` stands there. Whether nothing stands there now.
    pub fn erase(&mut self, key: &[u8], expected: u64) -> bool {
        if self
            .0
            .get(key)
            .is_some_and(|(version, _)| *version != expected)
        {
            return false;
        }
        self.0.remove(key);
        true
    }

    pub fn all(&self) -> impl Iterator<Item = (&Vec<u8>, &Entry)> {
        self.0.iter()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }
}
