//! A machine at rest: instants, numbers and strings in one allocation, of which no string stands twice.
//!
//! First stand the instants, in nine bytes at most of a blob and eight of memory, then all else in the order in which it
//! was written: numbers in as many bytes as they need, seven bits a byte; a string behind a number of which the two
//! lowest bits say how it stands and the others its length, or, of one that is common to many, which of them it is.
//!
//! In a blob instants are what remains of them. Nothing in a record is trusted: a part that is not there, or is not what
//! is asked for, reads as `None`.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::array;

use super::{
    alike::{Alike, AlikeWritten},
    packed::place_in,
    shared::Shared,
};
use crate::drive::{Identifier, Millis};

/// The most strings that a record has in common with others.
pub(crate) const COMMON: usize = 3;

/// How a string stands in a record: after its length; as a part of what is before, which begins there; as one that is
/// common to many.
const HERE: u64 = 0;
const BEFORE: u64 = 1;
const ELSEWHERE: u64 = 2;

/// Bytes of an instant, and of an identifier.
const INSTANT: usize = 8;
const IDENTIFIER: u8 = 16;

/// Room that is kept for the next record.
const KEPT: usize = 4_096;

/// Bytes of the shortest and the longest string that is had in common: it must be worth a pointer, and what is
/// remembered is bounded.
const SHORTEST: usize = 24;
const LONGEST: usize = 1_024;

/// Whether a string is one to have in common.
fn is_worth_it(string: &[u8]) -> bool {
    (SHORTEST..=LONGEST).contains(&string.len())
}

/// What the records of a blob that is read have in common.
pub(crate) type CommonRead = Alike<Arc<[u8]>>;

/// A record.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// The number of instants, the instants, and all else.
    bytes: Box<[u8]>,
    common: [Option<Arc<[u8]>>; COMMON],
}

impl Record {
    /// Its parts, from the first one on.
    pub(crate) fn read(&self) -> Reader<'_> {
        let (&count, rest) = self.bytes.split_first().unwrap_or((&0, &[]));
        let length = usize::from(count).saturating_mul(INSTANT);
        let (instants, bytes) = rest.split_at_checked(length).unwrap_or_default();
        Reader {
            instants,
            bytes,
            at: 0,
            common: &self.common,
        }
    }

    /// [DR-7] Appends it to a blob.
    pub(crate) fn seal<'r>(
        &'r self,
        now: Millis,
        written: &mut AlikeWritten<'r>,
        into: &mut Vec<u8>,
    ) {
        let mut reader = self.read();
        into.push(self.bytes.first().copied().unwrap_or(0));
        while let Some(at) = reader.instant() {
            put_number(into, left(at, now));
        }
        let common = || self.common.iter().flatten();
        into.push(common().count() as u8);
        for string in common() {
            written.write(string, into);
        }
        into.extend_from_slice(reader.bytes);
    }

    /// [DR-7] A record out of a blob, which ends with it. `None` if that cannot be one.
    pub(crate) fn open(
        bytes: &[u8],
        now: Millis,
        read: &mut CommonRead,
        shared: &mut Shared,
    ) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let count = reader.byte()?;
        let mut instants = reader.clone();
        for _ in 0..count {
            reader.number()?;
        }
        let shares = usize::from(reader.byte()?);
        let mut common = array::from_fn(|_| None);
        if shares > COMMON {
            return None;
        }
        for own in common.iter_mut().take(shares) {
            *own = Some(read.read(&mut reader, shared)?);
        }
        let rest = reader.rest();
        let mut bytes = room(count, rest);
        for _ in 0..count {
            let at = after(instants.number()?, now);
            bytes.extend_from_slice(&at.0.to_le_bytes());
        }
        bytes.extend_from_slice(rest);
        Some(Self {
            bytes: bytes.into_boxed_slice(),
            common,
        })
    }
}

/// Room for a record of so many instants, their number in it.
fn room(count: u8, rest: &[u8]) -> Vec<u8> {
    let instants = usize::from(count).saturating_mul(INSTANT);
    let length = instants.saturating_add(rest.len()).saturating_add(1);
    let mut bytes = Vec::with_capacity(length);
    bytes.push(count);
    bytes
}

impl<'s> AlikeWritten<'s> {
    /// Appends a string to a blob: 0, and the string, or its place among those that are remembered and 1.
    fn write(&mut self, string: &'s Arc<[u8]>, into: &mut Vec<u8>) {
        if let Some(place) = self.place_of(string) {
            return put_number(into, u64::from(place).saturating_add(1));
        }
        put_number(into, 0);
        put_number(into, string.len() as u64);
        into.extend_from_slice(string);
    }
}

impl CommonRead {
    /// Reads one back; `None` if there is none.
    fn read(&mut self, from: &mut Reader<'_>, shared: &mut Shared) -> Option<Arc<[u8]>> {
        let number = usize::try_from(from.number()?).ok()?;
        if let Some(place) = number.checked_sub(1) {
            return self.get(place).cloned();
        }
        let length = usize::try_from(from.number()?).ok()?;
        let string = from.bytes(length).filter(|string| is_worth_it(string))?;
        let string = shared.get(string);
        self.remember(Arc::clone(&string));
        Some(string)
    }
}

/// What remains until an instant, in all bits but the lowest, which is 1 for one that has passed.
const fn left(at: Millis, now: Millis) -> u64 {
    match at.0.checked_sub(now.0) {
        Some(left) => left.saturating_mul(2) & !1,
        None => now.0.saturating_sub(at.0).saturating_mul(2) | 1,
    }
}

/// The instant of which so much remains.
const fn after(left: u64, now: Millis) -> Millis {
    let time = left >> 1;
    match left & 1 {
        0 => now.after(time),
        _ => Millis(now.0.saturating_sub(time)),
    }
}

/// Appends a number, the lowest seven bits first.
fn put_number(into: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        into.push(number as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}

/// What records are written with, one after the other.
pub(crate) struct Recorder {
    count: u8,
    instants: Vec<u8>,
    bytes: Vec<u8>,
    /// Where each string begins, and its length.
    strings: Vec<(u32, u32)>,
    common: [Option<Arc<[u8]>>; COMMON],
    shared: Shared,
    /// Whether all fitted so far.
    fits: bool,
}

impl Recorder {
    pub(crate) fn new() -> Self {
        Self {
            count: 0,
            instants: Vec::new(),
            bytes: Vec::new(),
            strings: Vec::new(),
            common: array::from_fn(|_| None),
            shared: Shared::new(),
            fits: true,
        }
    }

    /// What its records have in common.
    pub(crate) const fn shared(&mut self) -> &mut Shared {
        &mut self.shared
    }

    /// What was written since the last one; `None` if it had more instants than a record can have, or is longer than
    /// 32 bits can say.
    pub(crate) fn finish(&mut self) -> Option<Record> {
        let record = self.fits.then(|| {
            let mut bytes = room(self.count, &self.bytes);
            bytes.extend_from_slice(&self.instants);
            bytes.extend_from_slice(&self.bytes);
            Record {
                bytes: bytes.into_boxed_slice(),
                common: array::from_fn(|place| self.common.get_mut(place).and_then(Option::take)),
            }
        });
        self.common = array::from_fn(|_| None);
        self.bytes.clear();
        self.bytes.shrink_to(KEPT);
        self.instants.clear();
        self.strings.clear();
        (self.count, self.fits) = (0, true);
        record
    }

    pub(crate) fn instant(&mut self, at: Millis) {
        match self.count.checked_add(1) {
            Some(count) => self.count = count,
            None => self.fits = false,
        }
        self.instants.extend_from_slice(&at.0.to_le_bytes());
    }

    pub(crate) fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    pub(crate) fn number(&mut self, number: impl Into<u64>) {
        put_number(&mut self.bytes, number.into());
    }

    /// An identifier, as its length and its bytes, by which it is known for one.
    pub(crate) fn identifier(&mut self, identifier: Identifier) {
        self.byte(IDENTIFIER);
        self.bytes.extend_from_slice(&identifier.to_bytes());
    }

    /// A string that no other contains, as far as anybody knows.
    pub(crate) fn string(&mut self, string: &[u8]) {
        self.number((string.len() as u64) << 2 | HERE);
        match (u32::try_from(self.bytes.len()), u32::try_from(string.len())) {
            (Ok(at), Ok(length)) => self.strings.push((at, length)),
            _ => self.fits = false,
        }
        self.bytes.extend_from_slice(string);
    }

    /// A string that may stand in one before: as all of it, its end, what follows its first byte (an address and its
    /// URI), or its scheme (a SIP URI and its user).
    pub(crate) fn repeated(&mut self, string: &[u8]) {
        let before = self.strings.iter().rev();
        let mut found = before.filter_map(|&(start, length)| {
            let start = start as usize;
            let other = self
                .bytes
                .get(start..start.saturating_add(length as usize))?;
            Some(start.saturating_add(place_in(string, other)?))
        });
        match found.next() {
            Some(at) if !string.is_empty() => {
                self.number((string.len() as u64) << 2 | BEFORE);
                self.number(at as u64);
            }
            _ => self.string(string),
        }
    }

    /// A string that others may have alike. So many of them stand elsewhere, the others here.
    pub(crate) fn common(&mut self, string: &[u8]) {
        if !is_worth_it(string) {
            return self.string(string);
        }
        let is_it = |own: &Option<Arc<[u8]>>| match own {
            Some(own) => **own == *string,
            None => true,
        };
        let Some(place) = self.common.iter().position(is_it) else {
            return self.string(string);
        };
        if let Some(own @ None) = self.common.get_mut(place) {
            *own = Some(self.shared.get(string));
        }
        self.number((place as u64) << 2 | ELSEWHERE);
    }
}

/// The parts of a record, read in the order in which they were written.
#[derive(Clone)]
pub(crate) struct Reader<'r> {
    instants: &'r [u8],
    /// All else, and how much of it has been read.
    bytes: &'r [u8],
    at: usize,
    common: &'r [Option<Arc<[u8]>>],
}

impl<'r> Reader<'r> {
    /// Of bytes that have no instants and nothing in common with others.
    const fn new(bytes: &'r [u8]) -> Self {
        Self {
            instants: &[],
            bytes,
            at: 0,
            common: &[],
        }
    }

    fn rest(&self) -> &'r [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Whether everything has been read.
    pub(crate) const fn is_done(&self) -> bool {
        self.at == self.bytes.len() && self.instants.is_empty()
    }

    pub(crate) fn instant(&mut self) -> Option<Millis> {
        let (instant, rest) = self.instants.split_first_chunk()?;
        self.instants = rest;
        Some(Millis(u64::from_le_bytes(*instant)))
    }

    #[inline]
    pub(crate) fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at = self.at.saturating_add(1);
        Some(byte)
    }

    #[inline]
    fn bytes(&mut self, length: usize) -> Option<&'r [u8]> {
        let end = self.at.checked_add(length)?;
        let bytes = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(bytes)
    }

    /// A number of 64 bits. Most take one byte.
    #[inline]
    pub(crate) fn number(&mut self) -> Option<u64> {
        match self.byte()? {
            byte @ 0..=0x7f => Some(byte.into()),
            byte => self.long_number(byte & 0x7f),
        }
    }

    fn long_number(&mut self, lowest: u8) -> Option<u64> {
        let mut number = u64::from(lowest);
        for shift in (7..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return None;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// A number of 32 bits.
    #[inline]
    pub(crate) fn small(&mut self) -> Option<u32> {
        self.number()?.try_into().ok()
    }

    pub(crate) fn identifier(&mut self) -> Option<Identifier> {
        let length = self.byte().filter(|length| *length == IDENTIFIER)?;
        let bytes = self.bytes(length.into())?.first_chunk()?;
        Some(Identifier::from_bytes(*bytes))
    }

    pub(crate) fn string(&mut self) -> Option<&'r [u8]> {
        let end = self.at;
        let head = self.number()?;
        let length = usize::try_from(head >> 2).ok()?;
        match head & 3 {
            HERE => self.bytes(length),
            BEFORE => {
                let start = usize::try_from(self.number()?).ok()?;
                self.bytes
                    .get(..end)?
                    .get(start..start.checked_add(length)?)
            }
            ELSEWHERE => self.common.get(length)?.as_deref(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, vec};

    const NOW: Millis = Millis(1_000_000);

    fn reopened(record: &Record) -> Record {
        let mut blob = Vec::new();
        record.seal(NOW, &mut AlikeWritten::new(), &mut blob);
        Record::open(&blob, NOW, &mut CommonRead::new(), &mut Shared::new()).unwrap()
    }

    /// [DR-7] Whatever is written is read, from memory and from a blob.
    #[test]
    fn as_written() {
        let mut recorder = Recorder::new();
        let numbers = [0, 1, 127, 128, 16_383, 16_384, u64::MAX >> 1, u64::MAX];
        let instants = [NOW, Millis(0), NOW.after(1), Millis(u64::MAX >> 1)];
        let strings: [&[u8]; 5] = [b"sip:alice@home.example", b"", &[7; 300], b"x", b"alice"];
        for _ in 0..2 {
            for number in numbers {
                recorder.number(number);
            }
            for at in instants {
                recorder.instant(at);
            }
            for string in strings {
                recorder.string(string);
                recorder.repeated(string);
                recorder.common(string);
            }
            recorder.byte(9);
            recorder.identifier(Identifier::of(7));
            let record = recorder.finish().unwrap();
            assert!(reopened(&record) == record);
            for record in [&record, &reopened(&record)] {
                let mut reader = record.read();
                for number in numbers {
                    assert_eq!(reader.number(), Some(number));
                }
                for at in instants {
                    assert_eq!(reader.instant(), Some(at));
                }
                for string in strings {
                    for _ in 0..3 {
                        assert_eq!(reader.string(), Some(string));
                    }
                }
                assert!(!reader.is_done());
                let identifier = Some(Identifier::of(7));
                assert_eq!((reader.byte(), reader.identifier()), (Some(9), identifier));
                assert!(reader.is_done());
                assert_eq!((reader.byte(), reader.bytes(1)), (None, None));
                assert_eq!((reader.number(), reader.string()), (None, None));
                assert_eq!(reader.instant(), None);
            }
        }
    }

    /// [DR-5] A string that stands in one before, as it may, takes three bytes; others are not sought.
    #[test]
    fn once() {
        let mut recorder = Recorder::new();
        recorder.string(b"sip:alice@home.example");
        let before = recorder.bytes.len();
        for within in [
            &b"sip:alice@home.example"[..],
            b"alice@home.example",
            b"ip:alice",
            b"le",
        ] {
            recorder.repeated(within);
        }
        assert_eq!(recorder.bytes.len(), before + 4 * 2);
        recorder.repeated(b"lic");
        assert_eq!(recorder.bytes.len(), before + 4 * 2 + 4);
        assert!(recorder.finish().is_some());
    }

    /// [DR-5] So many strings are had in common; one more stands in the record, and what is had already counts once.
    #[test]
    fn common() {
        let mut recorder = Recorder::new();
        let strings: Vec<_> = (0..COMMON as u8 + 1)
            .map(|number| vec![number; 40])
            .collect();
        for _ in 0..2 {
            for string in &strings {
                recorder.common(string);
            }
        }
        let one = recorder.finish().unwrap();
        assert_eq!(one.bytes.len(), 1 + 2 * (COMMON + 42));
        for string in &strings {
            recorder.common(string);
        }
        let two = recorder.finish().unwrap();
        for (own, other) in one.common.iter().zip(&two.common) {
            let (Some(own), Some(other)) = (own, other) else {
                panic!("not in common");
            };
            assert!(Arc::ptr_eq(own, other));
        }
        let mut reader = two.read();
        for string in &strings {
            assert_eq!(reader.string(), Some(&string[..]));
        }
    }

    /// [DR-5] As many instants as a byte can count, and one more.
    #[test]
    fn instants() {
        let mut recorder = Recorder::new();
        for count in [255, 256, 255] {
            (0..count).for_each(|_| recorder.instant(NOW));
            assert_eq!(recorder.finish().is_some(), count < 256);
        }
    }

    /// [DR-7] Instants are what remains of them, on a host whose clock shows another time; what has passed has passed.
    #[test]
    fn other_clock() {
        for at in [NOW.0 - 5, NOW.0, NOW.0 + 5] {
            let mut recorder = Recorder::new();
            recorder.instant(Millis(at));
            let record = recorder.finish().unwrap();
            let mut blob = Vec::new();
            record.seal(NOW, &mut AlikeWritten::new(), &mut blob);
            for there in [0, 7_000_000u64] {
                let mut shared = Shared::new();
                let there = Millis(there);
                let restored = Record::open(&blob, there, &mut CommonRead::new(), &mut shared);
                let expected = (there.0 + at).saturating_sub(NOW.0);
                assert_eq!(restored.unwrap().read().instant(), Some(Millis(expected)));
            }
        }
    }

    /// [DR-7] What cannot be read is not: numbers past 64 bits, strings past the end, or not yet there.
    #[test]
    fn damaged() {
        let mut long = vec![0xff; 9];
        long.push(0x02);
        assert_eq!(Reader::new(&long).number(), None);
        for bytes in [
            &[0x80][..],
            &[1 << 2],
            &[1 << 2 | 1, 0],
            &[2],
            &[3],
            &[0xff; 12],
        ] {
            assert_eq!(Reader::new(bytes).string(), None, "{bytes:?}");
        }
        // It may not contain itself.
        assert_eq!(Reader::new(&[1 << 2 | 1, 1]).string(), None);
        assert_eq!(Reader::new(&[5, 1 << 2 | 1, 0]).bytes(4), None);
        for (length, is) in [(15, false), (16, true), (17, false)] {
            let mut bytes = [7; 17];
            bytes[0] = length;
            assert_eq!(Reader::new(&bytes).identifier().is_some(), is);
            assert_eq!(Reader::new(&bytes[..16]).identifier(), None);
        }
    }

    fn string(number: usize) -> Vec<u8> {
        format!("<sip:term@pcscf{number}.visited.example;lr>").into_bytes()
    }

    /// [DR-5] The shortest and the longest that are had in common, and those a byte past them.
    #[test]
    fn lengths() {
        for (length, is) in [(23, false), (24, true), (1_024, true), (1_025, false)] {
            assert_eq!(is_worth_it(&[7; 2_000][..length]), is, "{length}");
            let mut blob = Vec::new();
            let string = Arc::from(&[7; 2_000][..length]);
            AlikeWritten::new().write(&string, &mut blob);
            let read = CommonRead::new().read(&mut Reader::new(&blob), &mut Shared::new());
            assert_eq!(read.is_some(), is, "{length}");
        }
    }

    /// [DR-7] Strings of a blob, as many as are remembered and more: each comes back, and stands once if it was seen of
    /// late.
    #[test]
    fn remembered() {
        for different in [1, 64, 65, 200] {
            let strings: Vec<Arc<[u8]>> = (0..different)
                .map(|number| Arc::from(string(number).as_slice()))
                .collect();
            let (mut blob, mut written) = (Vec::new(), AlikeWritten::new());
            for string in strings.iter().chain(&strings) {
                written.write(string, &mut blob);
            }
            let bytes: usize = strings.iter().map(|string| string.len()).sum();
            assert_eq!(blob.len() < bytes * 3 / 2, different <= 64, "{different}");
            let (mut reader, mut shared) = (Reader::new(&blob), Shared::new());
            let mut read = CommonRead::new();
            for string in strings.iter().chain(&strings) {
                assert_eq!(read.read(&mut reader, &mut shared).as_ref(), Some(string));
            }
            assert!(reader.is_done());
        }
    }

    /// [DR-7] One that is not there cannot be referred to, and one that is cut short is none.
    #[test]
    fn not_there() {
        let (mut shared, mut blob) = (Shared::new(), Vec::new());
        AlikeWritten::new().write(&Arc::from(string(1).as_slice()), &mut blob);
        for cut in 0..blob.len() {
            let mut reader = Reader::new(&blob[..cut]);
            assert!(CommonRead::new().read(&mut reader, &mut shared).is_none());
        }
        let mut read = CommonRead::new();
        let mut is_there = |bytes| read.read(&mut Reader::new(bytes), &mut shared).is_some();
        assert!(!is_there(&[1]));
        assert!(is_there(&blob));
        assert!(is_there(&[1]));
        assert!(!is_there(&[2]));
    }
}
