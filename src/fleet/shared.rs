//! Strings that many machines have alike: those of the home network, of the elements on the way, of one make of device.

use alloc::{boxed::Box, sync::Arc};
use xxhash_rust::xxh3::xxh3_64;

use super::Packed;

/// `N` byte strings, of which the `OWN` from number `FROM` on, past the last to the first, are a machine's own, and the
/// `COMMON` others those of many: they stand behind a pointer of their own, which can be [shared](Shared).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Divided<const N: usize, const FROM: usize, const OWN: usize, const COMMON: usize>
{
    own: Packed<OWN>,
    common: Packed<COMMON, Arc<[u8]>>,
}

impl<const N: usize, const FROM: usize, const OWN: usize, const COMMON: usize>
    Divided<N, FROM, OWN, COMMON>
{
    /// Packs the strings; `None` if together they exceed `limit` or what 16 bits can say.
    pub(crate) fn new(parts: [&[u8]; N], limit: usize) -> Option<Self> {
        let total = parts.iter().map(|part| part.len()).sum::<usize>();
        if total > limit || total > usize::from(u16::MAX) {
            return None;
        }
        let mut own = [[].as_slice(); OWN];
        let mut common = [[].as_slice(); COMMON];
        let from_own = parts.iter().cycle().skip(FROM);
        for (place, part) in own.iter_mut().chain(&mut common).zip(from_own) {
            *place = part;
        }
        Some(Self {
            own: Packed::new(own, limit)?,
            common: Packed::new(common, limit)?,
        })
    }

    /// [DR-7] Of strings that were packed before.
    pub(super) const fn of(own: Packed<OWN>, common: Packed<COMMON, Arc<[u8]>>) -> Self {
        Self { own, common }
    }

    /// The machine's own.
    pub(super) const fn own(&self) -> &Packed<OWN> {
        &self.own
    }

    /// Those of many.
    pub(super) const fn common(&self) -> &Packed<COMMON, Arc<[u8]>> {
        &self.common
    }

    /// [DR-7] Where a part of the first of the machine's own strings stands among them, for
    /// [`Kept::part`](super::Kept::part).
    pub(crate) fn place_of(&self, part: &[u8]) -> Option<usize> {
        self.own.place_of(part, 0)
    }

    /// The string of that number; empty if there is none.
    pub(crate) fn get(&self, number: usize) -> &[u8] {
        if number >= N {
            return &[];
        }
        let place = match number.checked_sub(FROM) {
            Some(place) => place,
            None => number.saturating_add(N.saturating_sub(FROM)),
        };
        match place.checked_sub(OWN) {
            None => self.own.get(place),
            Some(place) => self.common.get(place),
        }
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

/// How many are remembered.
const RECENT: usize = 256;

/// What machines have had in common of late, a few of each node: whoever has the same, has it from there. A peer who has
/// other strings come to the place of one gains nothing: they are then not shared.
pub(crate) struct Shared {
    recent: Box<[Option<Arc<[u8]>>]>,
}

impl Shared {
    pub(crate) fn new() -> Self {
        Self {
            recent: core::iter::repeat_n(None, RECENT).collect(),
        }
    }

    /// Takes what is common from others, or leaves it to them.
    pub(crate) fn share<
        const N: usize,
        const FROM: usize,
        const OWN: usize,
        const COMMON: usize,
    >(
        &mut self,
        strings: &mut Divided<N, FROM, OWN, COMMON>,
    ) {
        self.share_packed(&mut strings.common);
    }

    /// The same of strings that stand alone.
    pub(crate) fn share_packed<const COMMON: usize>(
        &mut self,
        common: &mut Packed<COMMON, Arc<[u8]>>,
    ) {
        let bytes = common.bytes_mut();
        if Arc::strong_count(bytes) > 1 {
            return;
        }
        match self.place_of(bytes) {
            Some(Some(known)) if known == bytes => *bytes = Arc::clone(known),
            Some(recent) => *recent = Some(Arc::clone(bytes)),
            None => {}
        }
    }

    /// A string by itself, from others or for others.
    pub(super) fn get(&mut self, string: &[u8]) -> Arc<[u8]> {
        match self.place_of(string) {
            Some(Some(known)) if **known == *string => Arc::clone(known),
            Some(recent) => Arc::clone(recent.insert(Arc::from(string))),
            None => Arc::from(string),
        }
    }

    fn place_of(&mut self, string: &[u8]) -> Option<&mut Option<Arc<[u8]>>> {
        self.recent.get_mut((xxh3_64(string) as usize) % RECENT)
    }
}

#[cfg(test)]
mod tests {
    use super::{Arc, Divided, Shared};

    type Strings = Divided<4, 1, 2, 2>;
    /// The first one too is the machine's own.
    type Around = Divided<4, 2, 3, 1>;

    /// [DR-5] Every string comes back as it was, up to the limit, whichever of them are a machine's own.
    #[test]
    fn limit_and_contents() {
        let parts: [&[u8]; 4] = [b"home", b"a", b"", b"route"];
        let strings = Strings::new(parts, 10).unwrap();
        assert_eq!(strings.parts(), parts);
        assert_eq!(strings.get(4), b"");
        assert_eq!(Around::new(parts, 10).unwrap().parts(), parts);
        assert_eq!(Strings::new(parts, 9), None);
        assert!(Strings::new([&[0; 65_535], b"", b"", b""], 70_000).is_some());
        assert_eq!(Strings::new([&[0; 65_535], b"", b"", b"a"], 70_000), None);
    }

    /// [DR-5] What is the same is there once, and what is not stays apart.
    #[test]
    fn shared() {
        let mut shared = Shared::new();
        let mut make = |home: &[u8], own: &[u8]| {
            let mut strings = Strings::new([home, own, b"", b"route"], 100).unwrap();
            shared.share(&mut strings);
            strings
        };
        let (mut one, mut two, mut other) =
            (make(b"h1", b"a"), make(b"h1", b"b"), make(b"h2", b"a"));
        assert!(Arc::ptr_eq(one.common.bytes_mut(), two.common.bytes_mut()));
        assert!(!Arc::ptr_eq(
            one.common.bytes_mut(),
            other.common.bytes_mut()
        ));
        assert_eq!(two.parts(), [b"h1".as_slice(), b"b", b"", b"route"]);
        assert_eq!(other.get(0), b"h2");
    }

    /// [DR-5] A string by itself is there once too.
    #[test]
    fn alone() {
        let mut shared = Shared::new();
        let [one, two, other] = [b"one", b"one", b"two"].map(|string| shared.get(string));
        assert!(Arc::ptr_eq(&one, &two) && !Arc::ptr_eq(&one, &other));
        assert_eq!((&*one, &*other), (&b"one"[..], &b"two"[..]));
    }

    /// [DR-5] More than is remembered: each stays what it is, whoever was remembered in its place.
    #[test]
    fn more_than_remembered() {
        let mut shared = Shared::new();
        for number in 0..1_000u32 {
            let home = number.to_le_bytes();
            let mut strings = Strings::new([&home, b"", b"", b""], 100).unwrap();
            shared.share(&mut strings);
            assert_eq!(strings.get(0), home);
            assert_eq!(*shared.get(&home), home);
        }
    }
}
