//! A store in a folder: what `--persist` keeps, one file for each machine.
//!
//! A file is replaced by renaming: it is the old one or the new one, whenever the program is killed. Whoever wants to
//! survive a power cut too calls `sync_all` before.

use std::{
    collections::HashMap,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    path::{Path, PathBuf},
};

use ims_procedures::drive::Millis;
use serde::{Deserialize, Serialize};

/// What stands under a key.
#[derive(Clone, Deserialize, Serialize)]
pub struct Entry {
    pub key: Vec<u8>,
    pub version: u64,
    /// When it was written.
    pub at: Millis,
    pub blob: Vec<u8>,
}

/// One writer's folder: there is no other program that has it.
pub struct Store {
    folder: PathBuf,
    versions: HashMap<Vec<u8>, u64>,
}

/// A store, and all that was in it.
pub struct Opened {
    pub store: Store,
    /// The oldest first.
    pub entries: Vec<Entry>,
}

impl Store {
    /// Opens a folder, and reads all that is in it.
    pub fn open(folder: &Path) -> io::Result<Opened> {
        fs::create_dir_all(folder)?;
        let mut entries = Vec::new();
        for file in fs::read_dir(folder)? {
            let path = file?.path();
            // One that was being written when the program was killed stands for nothing.
            if path.extension().is_some_and(|extension| extension == "new") {
                fs::remove_file(path)?;
                continue;
            }
            let entry: Entry = postcard::from_bytes(&fs::read(&path)?)
                .map_err(|fault| io::Error::other(format!("{}: {fault}", path.display())))?;
            entries.push(entry);
        }
        entries.sort_by_key(|entry| entry.at);
        let versions = entries
            .iter()
            .map(|entry| (entry.key.clone(), entry.version));
        let store = Self {
            folder: folder.to_owned(),
            versions: versions.collect(),
        };
        Ok(Opened { store, entries })
    }

    /// Puts a blob under a key if `expected` stands there (0 for nothing), or the version of the entry already does.
    /// Whether it is there now.
    pub fn put(&mut self, expected: u64, entry: &Entry) -> io::Result<bool> {
        let found = self.version(&entry.key);
        if found != expected && found != entry.version {
            return Ok(false);
        }
        self.write(entry)?;
        self.versions.insert(entry.key.clone(), entry.version);
        Ok(true)
    }

    /// Forgets a key if `expected` stands there. Whether nothing stands there now.
    pub fn erase(&mut self, key: &[u8], expected: u64) -> io::Result<bool> {
        match self.version(key) {
            0 => return Ok(true),
            found if found != expected => return Ok(false),
            _ => {}
        }
        fs::remove_file(self.path(key))?;
        self.versions.remove(key);
        Ok(true)
    }

    /// Puts what the host itself wants to know after a start, whatever stood there.
    pub fn note(&mut self, at: Millis, key: &[u8], blob: Vec<u8>) -> io::Result<()> {
        let expected = self.version(key);
        let entry = Entry {
            key: key.to_vec(),
            version: expected + 1,
            at,
            blob,
        };
        self.put(expected, &entry).map(|_| ())
    }

    pub fn forget(&mut self, key: &[u8]) -> io::Result<()> {
        self.erase(key, self.version(key)).map(|_| ())
    }

    fn version(&self, key: &[u8]) -> u64 {
        self.versions.get(key).copied().unwrap_or(0)
    }

    fn write(&self, entry: &Entry) -> io::Result<()> {
        let bytes = postcard::to_allocvec(entry).map_err(io::Error::other)?;
        replace(&self.path(&entry.key), &bytes)
    }

    /// A key can be longer than a file's name, and have any bytes in it: its hash stands for it.
    fn path(&self, key: &[u8]) -> PathBuf {
        let hash = |salt: u8| {
            let mut hasher = DefaultHasher::new();
            (salt, key).hash(&mut hasher);
            hasher.finish()
        };
        let name = format!("{:016x}{:016x}", hash(0), hash(1));
        self.folder.join(name)
    }
}

/// Writes a file that is the old one or the new one, whenever the program is killed.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    fs::write(&new, bytes)?;
    fs::rename(new, path)
}
