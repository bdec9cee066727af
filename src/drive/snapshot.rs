//! [DR-7] The envelope around every blob: what it is, which format, whether it is whole.

use alloc::vec::Vec;
use core::hash::Hasher;
use serde::{Serialize, de::DeserializeOwned};
use siphasher::sip::SipHasher24;

use super::RestoreError;

const MAGIC: &[u8; 4] = b"IMSP";
const HEAD: usize = 16;

/// What a blob holds. The numbers are never given to another kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind(pub u16);

/// Appends `payload` in its envelope: magic, kind, format, checksum, payload.
///
/// The payload is an explicit snapshot structure, never a machine's own layout.
pub fn seal<T: Serialize>(kind: Kind, format: u16, payload: &T, into: &mut Vec<u8>) {
    let start = into.len();
    into.extend_from_slice(MAGIC);
    into.extend_from_slice(&kind.0.to_le_bytes());
    into.extend_from_slice(&format.to_le_bytes());
    into.extend_from_slice(&[0; 8]);
    // None of the snapshot structures has a serializer that fails; a blob cut short is refused as damaged.
    let _ = postcard::to_extend(payload, Appender(into));
    let sum = checksum(
        kind,
        format,
        into.get(start.saturating_add(HEAD)..).unwrap_or_default(),
    );
    let at = start.saturating_add(8);
    if let Some(place) = into.get_mut(at..at.saturating_add(8)) {
        place.copy_from_slice(&sum.to_le_bytes());
    }
}

struct Appender<'a>(&'a mut Vec<u8>);

impl Extend<u8> for Appender<'_> {
    fn extend<T: IntoIterator<Item = u8>>(&mut self, bytes: T) {
        self.0.extend(bytes);
    }
}

/// Reads the payload of a blob of the kind and format given.
///
/// # Errors
/// [`RestoreError`] says which part did not fit; a blob that was altered anywhere is `Damaged`.
pub fn open<T: DeserializeOwned>(kind: Kind, format: u16, blob: &[u8]) -> Result<T, RestoreError> {
    let (head, payload) = blob
        .split_at_checked(HEAD)
        .ok_or(RestoreError::NotASnapshot)?;
    let field = |at: usize| {
        let bytes = head.get(at..at.saturating_add(2));
        bytes
            .and_then(|b| b.try_into().ok())
            .map_or(0, u16::from_le_bytes)
    };
    if head.get(..4) != Some(MAGIC.as_slice()) {
        return Err(RestoreError::NotASnapshot);
    }
    if field(4) != kind.0 {
        return Err(RestoreError::WrongKind);
    }
    if field(6) != format {
        return Err(RestoreError::UnsupportedFormat { found: field(6) });
    }
    if head.get(8..) != Some(checksum(kind, format, payload).to_le_bytes().as_slice()) {
        return Err(RestoreError::Damaged);
    }
    match postcard::take_from_bytes(payload) {
        Ok((value, [])) => Ok(value),
        _ => Err(RestoreError::Damaged),
    }
}

fn checksum(kind: Kind, format: u16, payload: &[u8]) -> u64 {
    let mut hasher = SipHasher24::new_with_keys(u64::from(kind.0), u64::from(format));
    hasher.write(payload);
    hasher.finish()
}
