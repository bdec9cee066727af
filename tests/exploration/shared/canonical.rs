//! What makes two states the same: identifiers are numbered in the order in which they appear, instants are told
//! from now, and what a blob says of its own checksum is left out, as are the tokens in it that a host was told.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hasher},
};

use ims_procedures::drive::{Identifier, Token};

/// The envelope of a blob: magic, kind, format, checksum.
const ENVELOPE: usize = 16;
/// An identifier in a blob: 16 groups of 7 bits of chance, then its shard; or its length and its bytes.
const PACKED: usize = 17;

/// Bytes of one that stands as its bytes.
const PLAIN: u8 = 16;

/// What a state is made of, in canonical form.
#[derive(Default)]
pub struct Canonical {
    written: Vec<u8>,
    numbers: HashMap<[u8; Identifier::TEXT_LEN], u32>,
    tokens: Vec<Vec<u8>>,
}

impl Canonical {
    /// A token that may stand in a blob: it is another in each life of a node.
    pub fn leave_out(&mut self, token: Token) {
        self.tokens.push(variable_length(token.to_u64()));
    }

    /// A number.
    pub fn number(&mut self, number: u64) {
        self.written.extend_from_slice(&number.to_be_bytes());
    }

    /// A message, or another text.
    pub fn text(&mut self, text: &[u8]) {
        self.written(text, |_| None);
    }

    /// Messages whose order says nothing, and a number of each, in an order of their own.
    pub fn texts<'t>(&mut self, texts: impl Iterator<Item = (&'t str, u64)>) {
        let mut ordered: Vec<_> = texts
            .map(|(text, number)| (unnumbered(text.as_bytes()), number, text))
            .collect();
        // Of those that differ in identifiers only, the first comes first.
        ordered.sort_by(|one, other| (&one.0, one.1).cmp(&(&other.0, other.1)));
        for (_, number, text) in ordered {
            self.text(text.as_bytes());
            self.number(number);
        }
    }

    /// The blob of a node.
    pub fn blob(&mut self, blob: &[u8]) {
        self.written(&blob[ENVELOPE..], |bytes| {
            packed(bytes).or_else(|| plain(bytes))
        });
    }

    fn written(&mut self, mut bytes: &[u8], packed: impl Fn(&[u8]) -> Option<u128>) {
        self.number(bytes.len() as u64);
        while let Some((&byte, rest)) = bytes.split_first() {
            let token = self.tokens.iter().find(|token| bytes.starts_with(token));
            if let Some(token) = token {
                self.written.push(0);
                bytes = &bytes[token.len()..];
                continue;
            }
            let found = match byte {
                PLAIN | 0x80.. => packed(bytes).map(|id| (self.number_of(unpacked(id)), PACKED)),
                b's' => text_of(bytes).map(|id| (self.number_of(id), Identifier::TEXT_LEN)),
                _ => None,
            };
            match found {
                Some((number, length)) => {
                    self.written.push(0);
                    self.written.extend_from_slice(&number.to_be_bytes());
                    bytes = &bytes[length..];
                }
                None => {
                    self.written.push(byte);
                    bytes = rest;
                }
            }
        }
    }

    fn number_of(&mut self, id: [u8; Identifier::TEXT_LEN]) -> u32 {
        let next = self.numbers.len() as u32;
        *self.numbers.entry(id).or_insert(next)
    }

    /// The digest of it all.
    pub fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        hasher.write(&self.written);
        hasher.finish()
    }
}

/// A number as it stands in a blob: seven bits a byte, the lowest first.
fn variable_length(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// A text without its identifiers.
fn unnumbered(mut text: &[u8]) -> Vec<u8> {
    let mut rest = Vec::with_capacity(text.len());
    while let Some((&byte, after)) = text.split_first() {
        if byte == b's' && text_of(text).is_some() {
            text = &text[Identifier::TEXT_LEN..];
        } else {
            rest.push(byte);
            text = after;
        }
    }
    rest
}

/// The identifier that stands here as text.
fn text_of(bytes: &[u8]) -> Option<[u8; Identifier::TEXT_LEN]> {
    let text = bytes.get(..Identifier::TEXT_LEN)?;
    Identifier::parse(text)?;
    text.try_into().ok()
}

/// The identifier that stands here as a variable-length number. Nothing else in a blob has so many groups.
fn packed(bytes: &[u8]) -> Option<u128> {
    let groups = bytes.get(..PACKED)?;
    let (shard, chance) = groups.split_last()?;
    let is_one = *shard < 0x80 && chance.iter().all(|group| *group >= 0x80);
    is_one.then(|| {
        groups
            .iter()
            .rev()
            .fold(0, |value, group| (value << 7) | u128::from(group & 0x7f))
    })
}

/// The identifier that stands here as its bytes, the shard last. No text of that length ends so, and what is numbers has
/// few that are as large.
fn plain(bytes: &[u8]) -> Option<u128> {
    let bytes: [u8; PACKED] = bytes.get(..PACKED)?.try_into().ok()?;
    let [PLAIN, chance @ .., 1..16, 0] = &bytes else {
        return None;
    };
    let is_one = chance.iter().filter(|byte| **byte >= 0x20).count() > 4;
    let value = bytes.iter().skip(1).rev();
    is_one.then(|| value.fold(0, |value, byte| (value << 8) | u128::from(*byte)))
}

fn unpacked(value: u128) -> [u8; Identifier::TEXT_LEN] {
    let digits = format!("{value:032x}");
    let text = format!("s{}-{}", &digits[..4], &digits[4..]);
    text.into_bytes().try_into().expect("the length of a text")
}
