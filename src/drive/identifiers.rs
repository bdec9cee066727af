//! Identifiers and tokens: unpredictable, never repeated, and telling their shard.

use core::{fmt, hash::Hasher};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use siphasher::sip128::{Hasher128, SipHasher24};

use super::Buffer;

const SHARD_SHIFT: u32 = 112;
const RANDOM_MASK: u128 = (1 << SHARD_SHIFT) - 1;

/// A Call-ID, tag or branch of ours: the shard (16 bits) and 112 bits nobody can guess.
/// Its text is `s0003-` and 28 hexadecimal digits for shard 3: a token anywhere in SIP.
///
/// It is kept in two halves: a number of 128 bits would have all that holds one begin at a multiple of sixteen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identifier {
    high: u64,
    low: u64,
}

impl Identifier {
    pub(crate) const fn of(value: u128) -> Self {
        Self {
            high: (value >> 64) as u64,
            low: value as u64,
        }
    }

    const fn value(self) -> u128 {
        ((self.high as u128) << 64) | self.low as u128
    }

    /// All of it.
    pub(crate) const fn to_bytes(self) -> [u8; 16] {
        self.value().to_le_bytes()
    }

    /// The one of which that is all.
    pub(crate) const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self::of(u128::from_le_bytes(bytes))
    }

    /// Bytes of its text.
    pub const TEXT_LEN: usize = 34;

    /// The shard of the node that made it.
    #[must_use]
    pub const fn shard(self) -> u16 {
        (self.value() >> SHARD_SHIFT) as u16
    }

    /// A number that no other identifier has, but by a chance of one in 2^64. Never 0.
    pub(crate) const fn number(self) -> u64 {
        match self.low {
            0 => 1,
            number => number,
        }
    }

    /// Its text.
    #[must_use]
    #[inline]
    pub fn text(self) -> [u8; Self::TEXT_LEN] {
        let [a, b, c, d, first @ ..] = hex((self.high >> 32) as u32);
        let mut text = [b'-'; Self::TEXT_LEN];
        let parts: [&[u8]; 5] = [
            &[b's', a, b, c, d, b'-'],
            &first,
            &hex(self.high as u32),
            &hex((self.low >> 32) as u32),
            &hex(self.low as u32),
        ];
        let mut rest = text.as_mut_slice();
        for part in parts {
            if let Some((place, tail)) = rest.split_at_mut_checked(part.len()) {
                place.copy_from_slice(part);
                rest = tail;
            } else {
                break;
            }
        }
        text
    }

    /// [DR-8] Reads a text of ours back, and with it the shard. `None` for any other bytes.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text: &[u8; Self::TEXT_LEN] = text.try_into().ok()?;
        let mut value: u128 = 0;
        for (place, byte) in text.iter().enumerate() {
            let digit = match (place, byte) {
                (0, b's') | (5, b'-') => continue,
                (0 | 5, _) => return None,
                (_, b'0'..=b'9') => byte.wrapping_sub(b'0'),
                (_, b'a'..=b'f') => byte.wrapping_sub(b'a').wrapping_add(10),
                _ => return None,
            };
            value = (value << 4) | u128::from(digit);
        }
        Some(Self::of(value))
    }

    /// Appends its text.
    pub fn write(self, to: &mut Buffer) {
        to.put(&self.text());
    }
}

impl Serialize for Identifier {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Identifier {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u128::deserialize(deserializer).map(Self::of)
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.text() {
            write!(f, "{}", char::from(byte))?;
        }
        Ok(())
    }
}

/// Names one thing that a machine asked for. The host gives it back with the answer.
/// Opaque.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(u64);

const MACHINE_SHIFT: u32 = 40;
const SERIAL_MASK: u64 = (1 << MACHINE_SHIFT) - 1;

impl Token {
    /// The number that a host may keep instead of the token.
    #[must_use]
    pub const fn to_u64(self) -> u64 {
        self.0
    }

    /// The token of that number.
    #[must_use]
    pub const fn from_u64(number: u64) -> Self {
        Self(number)
    }

    /// The number of the machine that asked (24 bits).
    #[must_use]
    pub const fn machine(self) -> u32 {
        (self.0 >> MACHINE_SHIFT) as u32
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({}:{})", self.machine(), self.0 & SERIAL_MASK)
    }
}

/// [DR-8] The source of identifiers and tokens of one node. All it draws on is a seed, an incarnation and
/// a shard given by the host, and a counter of its own.
#[derive(Clone)]
pub struct Identifiers {
    keyed: SipHasher24,
    shard: u16,
    drawn: u64,
    events: u64,
    /// Where the serials of tokens begin: elsewhere in each incarnation, so that an answer meant for an
    /// earlier life is not taken for one to this.
    first_token: u64,
    tokens: u64,
}

impl Identifiers {
    /// Identifiers for a node. `seed` is secret and may stay the same for ever; `incarnation` must be another
    /// one at every start and restore, which is what keeps identifiers from ever coming twice, even after
    /// restoring a stale blob. `shard` can be read back from each of them.
    #[must_use]
    pub fn new(seed: [u8; 32], incarnation: u64, shard: u16) -> Self {
        let mut key = [0u8; 16];
        let mut secret = [0u8; 16];
        key.iter_mut().zip(seed.iter()).for_each(|(k, s)| *k = *s);
        secret
            .iter_mut()
            .zip(seed.iter().skip(16))
            .for_each(|(k, s)| *k = *s);
        let mut keyed = SipHasher24::new_with_key(&key);
        keyed.write(&secret);
        keyed.write_u64(incarnation);
        keyed.write_u16(shard);
        let mut tokens = keyed;
        tokens.write(b"tokens");
        Self {
            keyed,
            shard,
            drawn: 0,
            events: 0,
            first_token: (tokens.finish128().h1) & SERIAL_MASK,
            tokens: 0,
        }
    }

    /// The next identifier.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Identifier {
        let mut hasher = self.keyed;
        hasher.write_u64(self.drawn);
        self.drawn = self.drawn.wrapping_add(1);
        self.of(hasher)
    }

    /// The next identifier of an event. [`next`](Self::next) does not give it, and gives the same whatever is reported.
    pub fn event(&mut self) -> Identifier {
        let mut hasher = self.keyed;
        hasher.write(b"event");
        hasher.write_u64(self.events);
        self.events = self.events.wrapping_add(1);
        self.of(hasher)
    }

    /// One identifier that is always the same in this incarnation: for what is answered without memory, and
    /// must be answered the same again. [`next`](Self::next) does not give it.
    #[must_use]
    pub fn constant(&self) -> Identifier {
        let mut hasher = self.keyed;
        hasher.write(b"the constant one");
        self.of(hasher)
    }

    fn of(&self, hasher: SipHasher24) -> Identifier {
        let random = hasher.finish128().as_u128() & RANDOM_MASK;
        Identifier::of((u128::from(self.shard) << SHARD_SHIFT) | random)
    }

    /// The next token, for the machine of that number (its lowest 24 bits).
    pub fn token(&mut self, machine: u32) -> Token {
        self.tokens = self.tokens.saturating_add(1);
        let serial = self.first_token.wrapping_add(self.tokens) & SERIAL_MASK;
        Token((u64::from(machine) << MACHINE_SHIFT) | serial)
    }

    /// Whether such a token can have been given out here. What was, and is waited for no more, is stale;
    /// what was not is the host's mistake, or of an earlier incarnation: a restored node has asked again.
    #[must_use]
    pub const fn has_given(&self, token: Token) -> bool {
        let serial = token.0.wrapping_sub(self.first_token) & SERIAL_MASK;
        (serial != 0 && serial <= self.tokens) || self.tokens > SERIAL_MASK
    }

    /// The shard.
    #[must_use]
    pub const fn shard(&self) -> u16 {
        self.shard
    }

    /// A key derived from the seed, for tables that a peer's bytes are hashed into.
    #[must_use]
    pub fn table_key(&self) -> [u8; 16] {
        let mut hasher = self.keyed;
        hasher.write(b"table");
        hasher.finish128().as_u128().to_le_bytes()
    }
}

impl fmt::Debug for Identifiers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identifiers")
            .field("shard", &self.shard)
            .field("drawn", &self.drawn)
            .finish_non_exhaustive()
    }
}

/// Eight hexadecimal digits: the half bytes are spread over a word, and all are made digits at once.
const fn hex(value: u32) -> [u8; 8] {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let mut digits = value as u64;
    digits = (digits | digits << 16) & 0x0000_ffff_0000_ffff;
    digits = (digits | digits << 8) & 0x00ff_00ff_00ff_00ff;
    digits = (digits | digits << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    let letters = (digits.wrapping_add(EACH.wrapping_mul(6)) >> 4) & EACH;
    let to_letter = (b'a' - b'0' - 10) as u64;
    let digits = digits.wrapping_add(EACH.wrapping_mul(b'0' as u64));
    digits
        .wrapping_add(letters.wrapping_mul(to_letter))
        .to_be_bytes()
}
