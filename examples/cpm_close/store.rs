//! The message store: a session is recorded under its key, and has a UID from then on.
//!
//! What is said is not OMA CPM 8.5.2, which would be IMAP, but the least that shows when it is said: `STORE key`,
//! answered `STORED key uid` or `FAILED key`.

use std::collections::{BTreeMap, BTreeSet};

use ims_procedures::drive::Millis;

use crate::{cases::Storage, network::Network, provisioning::Actor};

/// The message store.
#[derive(Default)]
pub struct Store {
    /// How it does in the case at hand.
    pub storage: Storage,
    /// UIDs, by the keys of the sessions.
    shelf: BTreeMap<String, usize>,
    /// Keys asked for in the case at hand.
    pub keys: BTreeSet<String>,
    /// What is being stored, and when that is done.
    at_work: BTreeMap<String, Millis>,
}

impl Store {
    /// Another case begins.
    pub fn begin(&mut self, storage: Storage) {
        self.storage = storage;
        self.keys.clear();
        self.at_work.clear();
    }

    pub fn deadline(&self) -> Option<Millis> {
        self.at_work.values().min().copied()
    }

    /// It is asked. Whoever is asked again with the same key does it once, and gives the same answer.
    pub fn receive(&mut self, now: Millis, bytes: &[u8], network: &mut Network) {
        let text = String::from_utf8_lossy(bytes);
        let Some(key) = text.trim_end().strip_prefix("STORE ") else {
            return;
        };
        self.keys.insert(key.to_owned());
        if let Some(takes) = self.storage.takes() {
            let done = self.at_work.entry(key.to_owned());
            done.or_insert(now.after(takes));
        }
        self.tick(now, network);
    }

    /// Answers what is done by now.
    pub fn tick(&mut self, now: Millis, network: &mut Network) {
        let is_done = |at: &mut Millis| *at <= now;
        let done: Vec<String> = self
            .at_work
            .iter_mut()
            .filter_map(|(key, at)| is_done(at).then(|| key.clone()))
            .collect();
        for key in done {
            self.at_work.remove(&key);
            let answer = match self.storage {
                Storage::Fails => format!("FAILED {key}\n"),
                _ => {
                    let next = self.shelf.len() + 1;
                    let uid = *self.shelf.entry(key.clone()).or_insert(next);
                    format!("STORED {key} {uid}\n")
                }
            };
            network.send(now, Actor::Store, Actor::Function, answer.as_bytes());
        }
    }
}
