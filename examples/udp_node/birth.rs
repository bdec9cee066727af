//! What makes the identifiers of this start unlike those of any other.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read},
    path::Path,
};

use ims_procedures::drive::Identifiers;

use crate::{seal::Seal, store::replace};

/// The secret seed, and the number of this start.
pub struct Birth {
    seed: [u8; 32],
    incarnation: u64,
    given: u64,
}

impl Birth {
    /// Without a folder every start has a seed of its own. With one the seed stays, as what is restored was made with it,
    /// and the number rises, before anything is sent. What is damaged is refused: another seed would not fit to what is
    /// restored, and with a number that was there before, identifiers would come twice.
    pub fn new(folder: Option<&Path>) -> io::Result<Self> {
        let Some(folder) = folder else {
            return Ok(Self::of(random()?, 1));
        };
        fs::create_dir_all(folder)?;
        let (seed_file, number_file) = (folder.join("seed"), folder.join("starts"));
        let (seed, number) = (read(&seed_file)?, read(&number_file)?);
        let damaged = |path: &Path| io::Error::other(format!("{}: it is damaged", path.display()));
        let last = match (&number, &seed) {
            (Some(number), _) => parse(number).ok_or_else(|| damaged(&number_file))?,
            (None, None) => 0,
            (None, Some(_)) => return Err(damaged(&number_file)),
        };
        let incarnation = last + 1;
        // Before the seed: one without a number is damaged.
        replace(&number_file, incarnation.to_string().as_bytes())?;
        let seed = match seed {
            Some(seed) => seed.try_into().map_err(|_| damaged(&seed_file))?,
            None => {
                let seed = random()?;
                replace(&seed_file, &seed)?;
                seed
            }
        };
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
    pub fn secret(&mut self) -> Seal {
        Seal::new(Identifiers::new(self.next_seed(), 0, 0).table_key())
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

/// What stands in a file, if there is one.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(fault) if fault.kind() == ErrorKind::NotFound => Ok(None),
        Err(fault) => Err(fault),
    }
}

fn parse(number: &[u8]) -> Option<u64> {
    std::str::from_utf8(number).ok()?.trim().parse().ok()
}

fn random() -> io::Result<[u8; 32]> {
    let mut seed = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut seed)?;
    Ok(seed)
}
