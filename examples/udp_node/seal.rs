//! What only this element can have written: its branches, and the tokens of flows.

use std::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher24};

/// A key that nobody else knows. What it has sealed it knows again, even after a start of another build.
#[derive(Clone, Copy)]
pub struct Seal([u8; 16]);

impl Seal {
    pub const fn new(key: [u8; 16]) -> Self {
        Self(key)
    }

    /// The seal of these parts, in hexadecimal digits.
    pub fn of(&self, parts: &[&[u8]]) -> String {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        for part in parts {
            hasher.write(&(part.len() as u64).to_le_bytes());
            hasher.write(part);
        }
        format!("{:032x}", hasher.finish128().as_u128())
    }
}
