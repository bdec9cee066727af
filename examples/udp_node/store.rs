//! A store in a folder: what `--persist` keeps, one file for each machine.
//!
//! A file is replaced by renaming: it is the old one or the new one, whenever the program is killed. Whoever wants to
//! survive a power cut too calls `sync_all` before.

use std::{
    collections::HashMap,
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
};

use ims_procedures::drive::Millis;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// How the name of a file ends that could not be read.
const SET_ASIDE: &str = "damaged";

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

/// Keys, and what stands under each.
pub type Read<T> = Vec<(Vec<u8>, T)>;

impl Store {
    /// Opens a folder, and reads all that is in it. What is damaged is set aside: nobody else's registration is lost for it.
    pub fn open(folder: &Path) -> io::Result<Opened> {
        fs::create_dir_all(folder)?;
        let mut entries = Vec::new();
        for file in fs::read_dir(folder)? {
            let path = file?.path();
            match path.extension().and_then(OsStr::to_str) {
                // One that was being written when the program was killed stands for nothing.
                Some("new") => fs::remove_file(path)?,
                Some(SET_ASIDE) => {}
                _ => match postcard::from_bytes::<Entry>(&fs::read(&path)?) {
                    Ok(entry) if path == path_of(folder, &entry.key) => entries.push(entry),
                    _ => set_aside(&path)?,
                },
            }
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

    /// Sets aside what stands under a key, since whoever it is for cannot read it.
    pub fn set_aside(&mut self, key: &[u8]) -> io::Result<()> {
        self.versions.remove(key);
        set_aside(&self.path(key))
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

    fn path(&self, key: &[u8]) -> PathBuf {
        path_of(&self.folder, key)
    }
}

impl Opened {
    /// The store, and what stands under each key. What cannot be read as that is set aside.
    pub fn read<T: DeserializeOwned>(self) -> io::Result<(Store, Read<T>)> {
        let Self { mut store, entries } = self;
        let mut found = Vec::new();
        for entry in entries {
            match postcard::from_bytes(&entry.blob) {
                Ok(own) => found.push((entry.key, own)),
                Err(_) => store.set_aside(&entry.key)?,
            }
        }
        Ok((store, found))
    }
}

/// A key can be longer than a file's name, and have any bytes in it: its hash stands for it, which must be the same for
/// another build of the program.
fn path_of(folder: &Path, key: &[u8]) -> PathBuf {
    let hash = Md5::digest(key);
    let name: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    folder.join(name)
}

/// Gives a file another name, by which it is not read any more, and says so.
fn set_aside(path: &Path) -> io::Result<()> {
    let aside = path.with_extension(SET_ASIDE);
    eprintln!(
        "udp_node: {} is damaged, and set aside as {}",
        path.display(),
        aside.display()
    );
    fs::rename(path, aside)
}

/// Writes a file that is the old one or the new one, whenever the program is killed.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension("new");
    fs::write(&new, bytes)?;
    fs::rename(new, path)
}
