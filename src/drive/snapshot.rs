//! [DR-7] The envelope around every blob: what it is, which format, whether it is whole.

use alloc::vec::Vec;
use core::{fmt, hash::Hasher};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, de::Visitor};
use siphasher::sip::SipHasher24;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::{Identifier, RestoreError};

/// Of the envelope with the quick checksum, and of the first one, which is still read.
const MAGIC: &[u8; 4] = b"imsb";
const FIRST_MAGIC: &[u8; 4] = b"IMSP";
const HEAD: usize = 16;
/// Bytes of the smallest record: a length and something.
const LEAST_RECORD: usize = 5;

/// What a blob holds. The numbers are never given to another kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind(pub u16);

/// [DR-7] For which release a blob is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Release {
    /// This one.
    #[default]
    Current,
    /// The one before, so that an upgrade can be taken back: while nodes of both releases run, and until nobody
    /// would go back any more.
    Previous,
}

/// Bytes of a snapshot structure, written and read as a whole; those that are read are those of the blob. On the
/// wire they are what a `Vec<u8>` is.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Raw<'a>(pub &'a [u8]);

impl fmt::Debug for Raw<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Raw({})", self.0.len())
    }
}

impl Serialize for Raw<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Raw<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes")
    }

    fn visit_borrowed_bytes<E: de::Error>(self, bytes: &'de [u8]) -> Result<Raw<'de>, E> {
        Ok(Raw(bytes))
    }
}

/// Bytes in two parts, which are written as a whole; those that are read are all in the first.
#[derive(Clone, Copy, Default)]
pub(crate) struct Joined<'a>(pub(crate) &'a [u8], pub(crate) &'a [u8]);

impl Serialize for Joined<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self(whole, []) => serializer.serialize_bytes(whole),
            Self(first, rest) => {
                let mut all = Vec::with_capacity(first.len().saturating_add(rest.len()));
                all.extend_from_slice(first);
                all.extend_from_slice(rest);
                serializer.serialize_bytes(&all)
            }
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Joined<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Raw::deserialize(deserializer).map(|bytes| Self(bytes.0, &[]))
    }
}

/// An identifier that stands as its bytes, which is read faster than the number that it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plain(pub(crate) Identifier);

impl Serialize for Plain {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0.to_bytes())
    }
}

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Raw(bytes) = Raw::deserialize(deserializer)?;
        let length = |_| de::Error::invalid_length(bytes.len(), &"16 bytes");
        let bytes = <[u8; 16]>::try_from(bytes).map_err(length)?;
        Ok(Self(Identifier::from_bytes(bytes)))
    }
}

/// Appends `payload` in its envelope: magic, kind, format, checksum, payload.
///
/// The payload is an explicit snapshot structure, never a machine's own layout.
pub fn seal<T: Serialize>(kind: Kind, format: u16, payload: &T, into: &mut Vec<u8>) {
    seal_written(kind, format, into, |into| write(payload, into));
}

/// Appends what `write` appends, in its envelope: for a payload of many parts.
pub fn seal_written(kind: Kind, format: u16, into: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    enclose(MAGIC, kind, format, into, write);
}

/// The same in the envelope of the release before this one.
pub fn seal_for_previous<T: Serialize>(kind: Kind, format: u16, payload: &T, into: &mut Vec<u8>) {
    enclose(FIRST_MAGIC, kind, format, into, |into| write(payload, into));
}

fn enclose(
    magic: &[u8; 4],
    kind: Kind,
    format: u16,
    into: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>),
) {
    let start = into.len();
    into.extend_from_slice(magic);
    into.extend_from_slice(&kind.0.to_le_bytes());
    into.extend_from_slice(&format.to_le_bytes());
    into.extend_from_slice(&[0; 8]);
    write(into);
    let payload = into.get(start.saturating_add(HEAD)..).unwrap_or_default();
    let sum = checksum(magic, kind, format, payload);
    let at = start.saturating_add(8);
    if let Some(place) = into.get_mut(at..at.saturating_add(8)) {
        place.copy_from_slice(&sum.to_le_bytes());
    }
}

/// Appends a snapshot structure without an envelope.
pub(crate) fn write<T: Serialize>(payload: &T, into: &mut Vec<u8>) {
    // None of the snapshot structures has a serializer that fails; a blob cut short is refused as damaged.
    let _ = postcard::serialize_with_flavor(payload, Appender(into));
}

/// Reads a snapshot structure that stands alone in these bytes.
pub(crate) fn read<'b, T: Deserialize<'b>>(bytes: &'b [u8]) -> Result<T, RestoreError> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        _ => Err(RestoreError::Damaged),
    }
}

/// Appends a snapshot structure as one of many: its length in 32 bits, and then itself.
pub(crate) fn write_record<T: Serialize>(payload: &T, into: &mut Vec<u8>) {
    record_written(into, |into| write(payload, into));
}

/// Appends what `write` appends as one of many.
pub(crate) fn record_written(into: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = into.len();
    into.extend_from_slice(&[0; 4]);
    write(into);
    let begin = start.saturating_add(4);
    let length = u32::try_from(into.len().saturating_sub(begin)).unwrap_or(u32::MAX);
    if let Some(place) = into.get_mut(start..begin) {
        place.copy_from_slice(&length.to_le_bytes());
    }
}

/// Appends how many records follow.
pub(crate) fn write_count(records: usize, into: &mut Vec<u8>) {
    let count = u32::try_from(records).unwrap_or(u32::MAX);
    into.extend_from_slice(&count.to_le_bytes());
}

/// The records of a payload, in order. What is left where one is cut short is an error, and the last.
pub(crate) struct Records<'b>(&'b [u8]);

impl<'b> Records<'b> {
    /// Those of a payload that says how many they are. It is believed no more than there are bytes for.
    ///
    /// # Errors
    /// [`RestoreError::Damaged`] if there are fewer bytes than that takes.
    pub(crate) fn counted(payload: &'b [u8]) -> Result<(usize, Self), RestoreError> {
        let (count, records) = payload.split_first_chunk().ok_or(RestoreError::Damaged)?;
        let count = u32::from_le_bytes(*count) as usize;
        if records.len() < count.saturating_mul(LEAST_RECORD) {
            return Err(RestoreError::Damaged);
        }
        Ok((count, Self(records)))
    }
}

impl<'b> Iterator for Records<'b> {
    type Item = Result<&'b [u8], RestoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let rest = core::mem::take(&mut self.0);
        let Some((length, rest)) = rest.split_first_chunk() else {
            return Some(Err(RestoreError::Damaged));
        };
        let Some((record, rest)) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)
        else {
            return Some(Err(RestoreError::Damaged));
        };
        self.0 = rest;
        Some(Ok(record))
    }
}

struct Appender<'a>(&'a mut Vec<u8>);

impl postcard::ser_flavors::Flavor for Appender<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// Reads the payload of a blob of the kind and format given, whatever its envelope.
///
/// # Errors
/// [`RestoreError`] says which part did not fit; a blob that was altered anywhere is `Damaged`.
pub fn open<'b, T: Deserialize<'b>>(
    kind: Kind,
    format: u16,
    blob: &'b [u8],
) -> Result<T, RestoreError> {
    let (found, payload) = open_any(kind, &[format], blob)?;
    debug_assert_eq!(found, format);
    read(payload)
}

/// The format and the payload of a blob of the kind, in one of the formats given.
///
/// # Errors
/// [`RestoreError`] says which part did not fit; a blob that was altered anywhere is `Damaged`.
pub fn open_any<'b>(
    kind: Kind,
    formats: &[u16],
    blob: &'b [u8],
) -> Result<(u16, &'b [u8]), RestoreError> {
    let (head, payload) = blob
        .split_at_checked(HEAD)
        .ok_or(RestoreError::NotASnapshot)?;
    let field = |at: usize| {
        let bytes = head.get(at..at.saturating_add(2));
        bytes
            .and_then(|b| b.try_into().ok())
            .map_or(0, u16::from_le_bytes)
    };
    let known = [MAGIC, FIRST_MAGIC];
    let magic = known
        .iter()
        .find(|magic| head.starts_with(magic.as_slice()));
    let magic = magic.ok_or(RestoreError::NotASnapshot)?;
    if field(4) != kind.0 {
        return Err(RestoreError::WrongKind);
    }
    let found = field(6);
    if !formats.contains(&found) {
        return Err(RestoreError::UnsupportedFormat { found });
    }
    let sum = checksum(magic, kind, found, payload);
    if head.get(8..) != Some(sum.to_le_bytes().as_slice()) {
        return Err(RestoreError::Damaged);
    }
    Ok((found, payload))
}

fn checksum(magic: &[u8; 4], kind: Kind, format: u16, payload: &[u8]) -> u64 {
    if magic == MAGIC {
        let seed = (u64::from(kind.0) << 16) | u64::from(format);
        return xxh3_64_with_seed(payload, seed);
    }
    let mut hasher = SipHasher24::new_with_keys(u64::from(kind.0), u64::from(format));
    hasher.write(payload);
    hasher.finish()
}
