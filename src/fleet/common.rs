//! Strings that many machines have alike, each there once: those of the elements on the way, of one make of device.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use xxhash_rust::xxh3::xxh3_64;

use super::record::{Reader, put_number};

/// How many are remembered.
const RECENT: usize = 256;

/// Bytes of the shortest and the longest string that is had in common: it must be worth a pointer, and what is
/// remembered is bounded.
const SHORTEST: usize = 24;
const LONGEST: usize = 1_024;

/// What machines have had in common of late: whoever has the same, has it from there. A peer who has other strings come
/// to the place of one gains nothing: they are then not shared.
pub(crate) struct Common {
    recent: Box<[Option<Arc<[u8]>>]>,
}

impl Common {
    pub(crate) fn new() -> Self {
        Self {
            recent: core::iter::repeat_n(None, RECENT).collect(),
        }
    }

    /// Whether a string is one to have in common.
    pub(crate) fn is_worth_it(string: &[u8]) -> bool {
        (SHORTEST..=LONGEST).contains(&string.len())
    }

    /// That string, from others or for others.
    pub(crate) fn get(&mut self, string: &[u8]) -> Arc<[u8]> {
        let place = (xxh3_64(string) as usize) % RECENT;
        match self.recent.get_mut(place) {
            Some(Some(known)) if **known == *string => Arc::clone(known),
            Some(recent) => {
                let fresh = Arc::from(string);
                *recent = Some(Arc::clone(&fresh));
                fresh
            }
            None => Arc::from(string),
        }
    }
}

/// How many a dictionary has.
const ENTRIES: usize = 64;

/// The strings that records of a blob have had in common so far, the last of them. Where one stands again, it stands as
/// its number: 0 is one that follows, which takes the place of the oldest.
pub(crate) struct Dictionary<S> {
    entries: Vec<S>,
    /// Where the oldest is.
    next: usize,
}

impl<S> Dictionary<S> {
    pub(crate) const fn new() -> Self {
        Self {
            entries: Vec::new(),
            next: 0,
        }
    }

    fn enter(&mut self, entry: S) {
        match self.entries.get_mut(self.next) {
            Some(oldest) => *oldest = entry,
            None => self.entries.push(entry),
        }
        self.next = match self.next.saturating_add(1) {
            ENTRIES => 0,
            place => place,
        };
    }
}

impl<'s> Dictionary<&'s Arc<[u8]>> {
    /// Appends a string to a blob.
    pub(super) fn write(&mut self, string: &'s Arc<[u8]>, into: &mut Vec<u8>) {
        let same = |own: &&Arc<[u8]>| Arc::ptr_eq(own, string);
        let known = self.entries.iter().position(same);
        let equal = || self.entries.iter().position(|own| **own == *string);
        if let Some(place) = known.or_else(equal) {
            return put_number(into, (place as u64).saturating_add(1));
        }
        self.enter(string);
        put_number(into, 0);
        put_number(into, string.len() as u64);
        into.extend_from_slice(string);
    }
}

impl Dictionary<Arc<[u8]>> {
    /// Reads one back; `None` if there is none.
    pub(super) fn read(&mut self, from: &mut Reader<'_>, shared: &mut Common) -> Option<Arc<[u8]>> {
        let number = usize::try_from(from.number()?).ok()?;
        if let Some(place) = number.checked_sub(1) {
            return self.entries.get(place).cloned();
        }
        let length = usize::try_from(from.number()?).ok()?;
        let string = from
            .bytes(length)
            .filter(|string| Common::is_worth_it(string))?;
        let string = shared.get(string);
        self.enter(Arc::clone(&string));
        Some(string)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    fn string(number: usize) -> Vec<u8> {
        format!("<sip:term@pcscf{number}.visited.example;lr>").into_bytes()
    }

    /// [DR-5] What is the same is there once, and what is not stays apart.
    #[test]
    fn shared() {
        let mut common = Common::new();
        let [one, two, other] = [1, 1, 2].map(|number| common.get(&string(number)));
        assert!(Arc::ptr_eq(&one, &two) && !Arc::ptr_eq(&one, &other));
        assert_eq!((&*one, &*other), (&*string(1), &*string(2)));
    }

    /// [DR-5] More than is remembered: each is what it is, whoever was remembered in its place.
    #[test]
    fn more_than_remembered() {
        let mut common = Common::new();
        for number in (0..3_000).chain(0..3_000) {
            assert_eq!(*common.get(&string(number)), *string(number));
        }
    }

    /// [DR-5] The shortest and the longest that are had in common, and those a byte past them.
    #[test]
    fn lengths() {
        for (length, is) in [(23, false), (24, true), (1_024, true), (1_025, false)] {
            assert_eq!(Common::is_worth_it(&[7; 2_000][..length]), is, "{length}");
            let mut blob = Vec::new();
            let string = Arc::from(&[7; 2_000][..length]);
            Dictionary::new().write(&string, &mut blob);
            let read = Dictionary::new().read(&mut Reader::new(&blob), &mut Common::new());
            assert_eq!(read.is_some(), is, "{length}");
        }
    }

    /// [DR-7] Strings of a blob, as many as a dictionary has and more: each comes back, and stands once if it was seen
    /// of late.
    #[test]
    fn dictionary() {
        for different in [1, 64, 65, 200] {
            let strings: Vec<Arc<[u8]>> = (0..different)
                .map(|number| Arc::from(string(number).as_slice()))
                .collect();
            let (mut blob, mut dictionary) = (Vec::new(), Dictionary::new());
            for string in strings.iter().chain(&strings) {
                dictionary.write(string, &mut blob);
            }
            let bytes: usize = strings.iter().map(|string| string.len()).sum();
            assert_eq!(blob.len() < bytes * 3 / 2, different <= 64, "{different}");
            let (mut reader, mut common) = (Reader::new(&blob), Common::new());
            let mut dictionary = Dictionary::new();
            for string in strings.iter().chain(&strings) {
                assert_eq!(
                    dictionary.read(&mut reader, &mut common).as_ref(),
                    Some(string)
                );
            }
            assert!(reader.is_done());
        }
    }

    /// [DR-7] One that is not there cannot be referred to, and one that is cut short is none.
    #[test]
    fn not_there() {
        let (mut shared, mut dictionary) = (Common::new(), Dictionary::new());
        let mut blob = Vec::new();
        dictionary.write(&Arc::from(string(1).as_slice()), &mut blob);
        for cut in 0..blob.len() {
            let mut reader = Reader::new(&blob[..cut]);
            assert!(Dictionary::new().read(&mut reader, &mut shared).is_none());
        }
        let mut dictionary = Dictionary::new();
        assert!(
            dictionary
                .read(&mut Reader::new(&[1]), &mut shared)
                .is_none()
        );
        assert!(
            dictionary
                .read(&mut Reader::new(&blob), &mut shared)
                .is_some()
        );
        assert!(
            dictionary
                .read(&mut Reader::new(&[1]), &mut shared)
                .is_some()
        );
        assert!(
            dictionary
                .read(&mut Reader::new(&[2]), &mut shared)
                .is_none()
        );
    }
}
