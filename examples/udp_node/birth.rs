//! What makes the identifiers of this start unlike those of any other.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use ims_procedures::drive::{Identifier, Identifiers};

/// The secret seed, and the number of this start.
pub struct Birth {
    seed: [u8; 32],
    incarnation: u64,
    given: u64,
}

impl Birth {
    /// Without a folder every start has a seed of its own. With one the seed stays, as what is restored was made with it,
    /// and the number rises, before anything is sent.
    pub fn new(folder: Option<&Path>) -> io::Result<Self> {
        let Some(folder) = folder else {
            return Ok(Self::of(random()?, 1));
        };
        fs::create_dir_all(folder)?;
        let (seed_file, number_file) = (folder.join("seed"), folder.join("starts"));
        let kept = fs::read(&seed_file).ok();
        let seed = match kept.and_then(|bytes| bytes.try_into().ok()) {
            Some(seed) => seed,
            None => {
                let seed = random()?;
                fs::write(&seed_file, seed)?;
                seed
            }
        };
        let last = fs::read_to_string(&number_file).unwrap_or_default();
        let incarnation = last.trim().parse().unwrap_or(0) + 1;
        fs::write(&number_file, incarnation.to_string())?;
        Ok(Self::of(seed, incarnation))
    }

    const fn of(seed: [u8; 32], incarnation: u64) -> Self {
        Self {
            seed,
            incarnation,
            given: 0,
        }
    }

    /// Identifiers for one more part of the host: each has a seed of its own.
    pub fn identifiers(&mut self) -> Identifiers {
        let incarnation = self.incarnation;
        Identifiers::new(self.next_seed(), incarnation, 0)
    }

    /// A secret of one more part of the host, the same after a start.
    pub fn secret(&mut self) -> Identifier {
        Identifiers::new(self.next_seed(), 0, 0).constant()
    }

    fn next_seed(&mut self) -> [u8; 32] {
        let mut seed = self.seed;
        self.given += 1;
        for (byte, given) in seed.iter_mut().zip(self.given.to_le_bytes()) {
            *byte ^= given;
        }
        seed
    }
}

fn random() -> io::Result<[u8; 32]> {
    let mut seed = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut seed)?;
    Ok(seed)
}
