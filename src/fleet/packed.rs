//! Several strings in one allocation.

use alloc::{boxed::Box, vec::Vec};
use core::fmt;

/// `N` byte strings behind one pointer. The whole may have 65,535 bytes.
///
/// Before the strings stands where each begins and ends, in 16 bits. A string that is one packed before, its end, or
/// what follows its first byte (an address and its URI) or its scheme (a SIP URI and its user), is not there twice: the
/// last are packed first.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Packed<const N: usize, B = Box<[u8]>>(B);

/// Bytes of a beginning and an end.
const PLACE: usize = 4;

impl<const N: usize, B: AsRef<[u8]>> fmt::Debug for Packed<N, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lengths = self.parts().map(<[u8]>::len);
        f.debug_list().entries(lengths).finish()
    }
}

impl<const N: usize, B: AsRef<[u8]> + From<Vec<u8>>> Packed<N, B> {
    /// Packs the strings; `None` if together they exceed `limit` or what 16 bits can say.
    pub(crate) fn new(parts: [&[u8]; N], limit: usize) -> Option<Self> {
        let total = parts.iter().map(|part| part.len()).sum::<usize>();
        if total > limit || total > usize::from(u16::MAX) {
            return None;
        }
        // Where each begins, and whether it is there in another one.
        let mut places = [(0usize, false); N];
        let mut len = 0usize;
        for (number, part) in parts.iter().enumerate().rev() {
            let packed = parts.iter().zip(places).skip(number.saturating_add(1));
            let mut within = packed.filter_map(|(other, (start, _))| {
                Some(start.saturating_add(place_in(part, other)?))
            });
            let place = match within.next() {
                Some(start) => (start, true),
                None => (len, false),
            };
            if !place.1 {
                len = len.saturating_add(part.len());
            }
            if let Some(own) = places.get_mut(number) {
                *own = place;
            }
        }
        let mut packed = Vec::with_capacity(Self::HEAD.saturating_add(len));
        for (part, (start, _)) in parts.iter().zip(places) {
            let end = start.saturating_add(part.len());
            packed.extend_from_slice(&(start as u16).to_le_bytes());
            packed.extend_from_slice(&(end as u16).to_le_bytes());
        }
        for (part, (_, is_within)) in parts.iter().zip(places).rev() {
            if !is_within {
                packed.extend_from_slice(part);
            }
        }
        Some(Self(packed.into()))
    }

    /// Packs the strings as they are, though one may be in another: for a machine that will soon be at rest. `None` if
    /// together they exceed `limit` or what 16 bits can say.
    pub(crate) fn plain(parts: [&[u8]; N], limit: usize) -> Option<Self> {
        let total = parts.iter().map(|part| part.len()).sum::<usize>();
        if total > limit || total > usize::from(u16::MAX) {
            return None;
        }
        let mut packed = Vec::with_capacity(Self::HEAD.saturating_add(total));
        let mut start = 0usize;
        for part in parts {
            let end = start.saturating_add(part.len());
            packed.extend_from_slice(&(start as u16).to_le_bytes());
            packed.extend_from_slice(&(end as u16).to_le_bytes());
            start = end;
        }
        for part in parts {
            packed.extend_from_slice(part);
        }
        Some(Self(packed.into()))
    }
}

impl<const N: usize, B: AsRef<[u8]> + for<'b> From<&'b [u8]>> Packed<N, B> {
    /// [DR-7] Strings that stand in a blob as here, and how many bytes they have together. `None` if one of them is not
    /// there, or if there are bytes besides.
    pub(crate) fn of_blob(bytes: &[u8]) -> Option<(Self, usize)> {
        let (head, strings) = bytes.split_at_checked(Self::HEAD)?;
        let mut total = 0usize;
        for place in head.chunks_exact(PLACE) {
            let &[a, b, c, d] = place.first_chunk()?;
            let start = usize::from(u16::from_le_bytes([a, b]));
            let end = usize::from(u16::from_le_bytes([c, d]));
            total = total.saturating_add(strings.get(start..end)?.len());
        }
        // No string need be longer than it is in order to have them all.
        (strings.len() <= total).then(|| (Self(bytes.into()), total))
    }
}

impl<const N: usize, B: AsRef<[u8]>> Packed<N, B> {
    /// All of it, as a blob has it.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_ref()
    }

    /// All of it, behind its pointer.
    pub(crate) const fn bytes(&self) -> &B {
        &self.0
    }

    /// All of it, behind its pointer.
    pub(super) const fn bytes_mut(&mut self) -> &mut B {
        &mut self.0
    }

    const HEAD: usize = N.saturating_mul(PLACE);

    /// Where the string of that number begins and ends behind the head.
    fn place(&self, number: usize) -> Option<(usize, usize)> {
        let head = self.0.as_ref().get(..Self::HEAD)?;
        let place = number.saturating_mul(PLACE);
        let &[a, b, c, d] = head.get(place..)?.first_chunk()?;
        let start = usize::from(u16::from_le_bytes([a, b]));
        let end = usize::from(u16::from_le_bytes([c, d]));
        Some((start, end))
    }

    /// The string of that number; empty if there is none.
    pub(crate) fn get(&self, number: usize) -> &[u8] {
        let strings = self.0.as_ref().get(Self::HEAD..).unwrap_or_default();
        let (start, end) = self.place(number).unwrap_or_default();
        strings.get(start..end).unwrap_or_default()
    }

    /// Where in [all of it](Self::as_bytes) a part of the string of that number stands: its end, what follows its first
    /// byte, or what follows its scheme.
    pub(crate) fn place_of(&self, part: &[u8], number: usize) -> Option<usize> {
        let (start, _) = self.place(number)?;
        let within = place_in(part, self.get(number))?;
        Some(Self::HEAD.saturating_add(start).saturating_add(within))
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

/// Where a string stands in another: it is the end of it, what follows its first byte, or what follows its scheme. Most
/// are told from it by a byte.
pub(super) fn place_in(part: &[u8], other: &[u8]) -> Option<usize> {
    let last = other.len().checked_sub(part.len())?;
    let begins = |at: &usize| {
        let rest = other.get(*at..).unwrap_or_default();
        rest.first() == part.first() && rest.starts_with(part)
    };
    [last, 1, b"sip:".len()].into_iter().find(begins)
}

#[cfg(test)]
mod tests {
    use super::Packed;

    fn pack<const N: usize>(parts: [&[u8]; N], limit: usize) -> Option<Packed<N>> {
        Packed::new(parts, limit)
    }

    /// [DR-5] What fits exactly is packed, one byte more is not; every string comes back as it was.
    #[test]
    fn limit_and_contents() {
        let packed = pack([b"one", b"", b"three"], 8).unwrap();
        assert_eq!(packed.get(0), b"one");
        assert_eq!(packed.get(1), b"");
        assert_eq!(packed.get(2), b"three");
        assert_eq!(packed.get(3), b"");
        assert_eq!(packed.parts(), [b"one".as_slice(), b"", b"three"]);
        assert_eq!(pack([b"one", b"", b"three"], 7), None);
        assert!(pack([&[0; 65_535][..]], 70_000).is_some());
        assert_eq!(pack([&[0; 65_536][..]], 70_000), None);
    }

    /// [DR-5] Plainly packed they come back as they were, with the same limits.
    #[test]
    fn plain() {
        let parts: [&[u8]; 4] = [b"b.c", b"sip:a@b.c", b"", b"b.c"];
        let packed = Packed::<4>::plain(parts, 15).unwrap();
        assert_eq!(packed.parts(), parts);
        assert_eq!(Packed::<4>::plain(parts, 14), None);
        assert!(Packed::<1>::plain([&[0; 65_535][..]], 70_000).is_some());
        assert_eq!(Packed::<1>::plain([&[0; 65_536][..]], 70_000), None);
    }

    /// [DR-7] What stands in a blob is what was packed; a part of a string is found where it stands.
    #[test]
    fn of_blob() {
        let parts: [&[u8]; 3] = [b"sip:a@b.c", b"", b"<sip:a@b.c>"];
        let packed = pack(parts, 100).unwrap();
        let (read, total) = Packed::<3>::of_blob(packed.as_bytes()).unwrap();
        assert_eq!((&read, total), (&packed, 20));
        let place = packed.place_of(b"a@b.c", 0).unwrap();
        assert_eq!(packed.as_bytes()[place..][..5], *b"a@b.c");
        assert_eq!(packed.place_of(b"b@b.c", 0), None);
        for cut in 0..packed.as_bytes().len() {
            assert_eq!(Packed::<3>::of_blob(&packed.as_bytes()[..cut]), None);
        }
    }

    /// [DR-5] Strings that are one, the end of one, or the URI of an address take no room of their own.
    #[test]
    fn not_twice() {
        let parts: [&[u8]; 5] = [
            b"b.c",
            b"sip:a@b.c",
            b"sip:a@b.c",
            b"<sip:a@b.c>, <d>",
            b"b",
        ];
        let packed = pack(parts, 100).unwrap();
        assert_eq!(packed.parts(), parts);
        assert_eq!(packed.0.len(), 5 * 4 + 16 + 1);
        let parts: [&[u8]; 2] = [b"user", b"sip:user@host"];
        assert_eq!(pack(parts, 100).unwrap().0.len(), 2 * 4 + 13);
        let parts: [&[u8]; 3] = [b"x", b"yx", b"xyz"];
        assert_eq!(pack(parts, 100).unwrap().parts(), parts);
    }
}
