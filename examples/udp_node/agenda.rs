//! What is due when, of many things that each have one deadline at most.

use std::{
    collections::{BTreeSet, HashMap},
    hash::Hash,
};

use ims_procedures::drive::Millis;

pub struct Agenda<K> {
    at: HashMap<K, Millis>,
    queue: BTreeSet<(Millis, K)>,
}

impl<K: Clone + Hash + Ord> Agenda<K> {
    pub fn new() -> Self {
        Self {
            at: HashMap::new(),
            queue: BTreeSet::new(),
        }
    }

    /// From now on that is its deadline, or it has none.
    pub fn set(&mut self, key: &K, deadline: Option<Millis>) {
        let before = match deadline {
            Some(at) => self.at.insert(key.clone(), at),
            None => self.at.remove(key),
        };
        if let Some(before) = before {
            self.queue.remove(&(before, key.clone()));
        }
        if let Some(at) = deadline {
            self.queue.insert((at, key.clone()));
        }
    }

    pub fn deadline(&self) -> Option<Millis> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// What is most overdue.
    pub fn due(&self, now: Millis) -> Option<K> {
        let (at, key) = self.queue.first()?;
        (*at <= now).then(|| key.clone())
    }
}
