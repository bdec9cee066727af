//! Eight bytes at a time, as one number. A byte of it that is met is marked by its highest bit; above the lowest
//! such mark others may be wrong, for a subtraction borrows upwards.

/// The first eight bytes, the first the lowest. `None` where there are fewer.
#[inline]
pub(super) fn first_word(bytes: &[u8]) -> Option<u64> {
    bytes.first_chunk().map(|word| u64::from_le_bytes(*word))
}

/// The word of a name of at most eight bytes, the rest zero.
pub(super) const fn word_of(name: &[u8]) -> u64 {
    let mut word = 0u64;
    let mut rest = name;
    while let [before @ .., last] = rest {
        word = (word << 8) | *last as u64;
        rest = before;
    }
    word
}

/// A byte eight times.
pub(super) const fn each(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Marks the bytes that are equal to an ASCII one.
#[inline]
pub(super) const fn equal(word: u64, byte: u64) -> u64 {
    (word ^ byte).wrapping_sub(each(1)) & !word & each(0x80)
}

/// How many bytes lie below the lowest mark.
#[inline]
pub(super) const fn bytes_below(marks: u64) -> usize {
    (marks.trailing_zeros() >> 3) as usize
}

/// The bytes of a word below the lowest mark, the rest zero.
#[inline]
pub(super) const fn keep_below(word: u64, marks: u64) -> u64 {
    let lowest = marks & marks.wrapping_neg();
    word & (lowest >> 7).wrapping_sub(1)
}

/// What ends a run of an attribute value: its quote, `<`, `&` and the control characters.
#[derive(Clone, Copy)]
pub(super) struct Ends {
    apart: u64,
    both: u64,
}

impl Ends {
    #[inline]
    pub(super) const fn of_run(quote: u8) -> Self {
        match quote {
            b'"' => const { Self::between(b'"') },
            _ => const { Self::between(b'\'') },
        }
    }

    /// Either quote differs from the ampersand in one bit: without it, one comparison finds both.
    const fn between(quote: u8) -> Self {
        Self {
            apart: each(quote ^ b'&'),
            both: each(quote | b'&'),
        }
    }

    /// Marks them in a word. All are ASCII, which is asked once for all.
    #[inline]
    pub(super) const fn in_word(self, word: u64) -> u64 {
        let ends = ((word | self.apart) ^ self.both).wrapping_sub(each(1))
            | (word ^ each(b'<')).wrapping_sub(each(1))
            | word.wrapping_sub(each(0x20));
        ends & !word & each(0x80)
    }
}
