//! Eight bytes at a time, as one number. A byte of it that is met is marked by its highest bit; above the lowest
//! such mark others may be wrong, for a subtraction borrows upwards.

/// The eight bytes that begin at byte `at`, the first the lowest. `None` where fewer are left.
#[inline]
pub(super) fn word_at(bytes: &[u8], at: usize) -> Option<u64> {
    let word = bytes.get(at..)?.first_chunk::<8>()?;
    Some(u64::from_le_bytes(*word))
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

/// Marks the bytes that are zero. What is marked beside the highest bits means nothing.
#[inline]
pub(super) const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(each(1)) & !word
}

/// Marks the bytes below 0x20. What is marked beside the highest bits means nothing.
#[inline]
pub(super) const fn controls(word: u64) -> u64 {
    word.wrapping_sub(each(0x20)) & !word
}

/// The lowest mark alone; 0 for none.
#[inline]
pub(super) const fn lowest(marks: u64) -> u64 {
    let marks = marks & each(0x80);
    marks & marks.wrapping_neg()
}

/// How many bytes lie below a mark.
#[inline]
pub(super) const fn bytes_below(mark: u64) -> usize {
    (mark.trailing_zeros() >> 3) as usize
}

/// The bytes of a word below a mark, the rest zero.
#[inline]
pub(super) const fn keep_below(word: u64, mark: u64) -> u64 {
    word & (mark >> 7).wrapping_sub(1)
}
