//! Several strings in one allocation.

use alloc::{boxed::Box, vec::Vec};
use core::fmt;

/// `N` byte strings behind one pointer, with 16-bit ends. The whole may have 65,535 bytes.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Packed<const N: usize> {
    bytes: Box<[u8]>,
    ends: [u16; N],
}

impl<const N: usize> fmt::Debug for Packed<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.parts().map(<[u8]>::len))
            .finish()
    }
}

impl<const N: usize> Packed<N> {
    /// Packs the strings; `None` if together they exceed `limit` or what 16 bits can say.
    pub(crate) fn new(parts: [&[u8]; N], limit: usize) -> Option<Self> {
        let total = parts.iter().map(|part| part.len()).sum::<usize>();
        if total > limit {
            return None;
        }
        let mut bytes = Vec::with_capacity(total);
        let mut ends = [0; N];
        for (end, part) in ends.iter_mut().zip(parts) {
            bytes.extend_from_slice(part);
            *end = u16::try_from(bytes.len()).ok()?;
        }
        Some(Self {
            bytes: bytes.into_boxed_slice(),
            ends,
        })
    }

    /// The string of that number; empty if there is none.
    pub(crate) fn get(&self, number: usize) -> &[u8] {
        let end = self.ends.get(number).copied().unwrap_or(0);
        let start = match number.checked_sub(1) {
            Some(before) => self.ends.get(before).copied().unwrap_or(0),
            None => 0,
        };
        self.bytes
            .get(usize::from(start)..usize::from(end))
            .unwrap_or_default()
    }

    /// All the strings, in order.
    pub(crate) fn parts(&self) -> [&[u8]; N] {
        let mut parts = [[].as_slice(); N];
        for (number, part) in parts.iter_mut().enumerate() {
            *part = self.get(number);
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::Packed;

    /// [DR-5] What fits exactly is packed, one byte more is not; every string comes back as it was.
    #[test]
    fn limit_and_contents() {
        let packed = Packed::new([b"one", b"", b"three"], 8).unwrap();
        assert_eq!(packed.get(0), b"one");
        assert_eq!(packed.get(1), b"");
        assert_eq!(packed.get(2), b"three");
        assert_eq!(packed.get(3), b"");
        assert_eq!(packed.parts(), [b"one".as_slice(), b"", b"three"]);
        assert_eq!(Packed::new([b"one", b"", b"three"], 7), None);
        assert!(Packed::new([&[0; 65_535][..]], 70_000).is_some());
        assert_eq!(Packed::new([&[0; 65_536][..]], 70_000), None);
    }
}
