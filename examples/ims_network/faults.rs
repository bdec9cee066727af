//! What the path between two sockets does to a datagram, drawn from a seed.

use crate::options::Options;

/// SplitMix64: small, and the same everywhere.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 up to 1.
    fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn happens(&mut self, probability: f64) -> bool {
        self.fraction() < probability
    }

    fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.next() % (most - least + 1)
    }

    /// A seed for the library's identifiers.
    pub fn seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        for chunk in seed.chunks_exact_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes());
        }
        seed
    }
}

/// How a datagram fares on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrives.
    Arrives,
    /// It never arrives.
    Lost,
    /// It is the second copy of one that arrives.
    Copy,
    /// It arrives so many milliseconds late.
    Late(u64),
}

/// The faults of the network.
#[derive(Clone, Debug)]
pub struct Faults {
    loss: f64,
    duplicate: f64,
    reorder: f64,
    random: Random,
}

impl Faults {
    pub const fn new(options: &Options) -> Self {
        Self {
            loss: options.loss,
            duplicate: options.duplicate,
            reorder: options.reorder,
            random: Random::new(options.seed),
        }
    }

    /// What becomes of the next datagram, and of its second copy if it has one. Each is drawn with the same
    /// number of draws, so that one fault more or less does not change all that follow.
    pub fn decide(&mut self) -> (Fate, Option<Fate>) {
        let lost = self.random.happens(self.loss);
        let twice = self.random.happens(self.duplicate);
        let late = self.random.happens(self.reorder);
        let by = self.random.between(60, 900);
        let fate = match (lost, late) {
            (true, _) => Fate::Lost,
            (false, true) => Fate::Late(by),
            (false, false) => Fate::Arrives,
        };
        let copy = twice && !lost;
        (fate, copy.then_some(Fate::Copy))
    }
}
