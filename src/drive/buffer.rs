//! Bytes that are being written, bounded.

use alloc::vec::Vec;
use core::fmt;

/// Why bytes could not be written. Nothing of them is left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unwritable {
    /// They would not fit the room given.
    #[error("the bytes exceed the room of the buffer")]
    TooLarge,
    /// A value held a control character, which would have broken out of its header or element.
    #[error("a value holds a control character")]
    UnsafeValue,
}

/// An append-only run of bytes with a limit. It never grows past the limit: a write that would is dropped
/// and remembered as a [fault](Buffer::fault), so that a sequence of writes needs one check at its end.
#[derive(Clone)]
pub struct Buffer {
    bytes: Vec<u8>,
    limit: usize,
    fault: Option<Unwritable>,
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer")
            .field("len", &self.bytes.len())
            .field("limit", &self.limit)
            .field("fault", &self.fault)
            .finish()
    }
}

impl Buffer {
    /// An empty buffer with its whole room allocated.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(limit),
            limit,
            fault: None,
        }
    }

    /// What has been written.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes
    }

    /// Number of bytes written.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing has been written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Bytes that still fit.
    #[must_use]
    pub fn room(&self) -> usize {
        self.limit.saturating_sub(self.bytes.len())
    }

    /// The first thing that could not be written since the last [`take_fault`](Buffer::take_fault).
    #[must_use]
    pub const fn fault(&self) -> Option<Unwritable> {
        self.fault
    }

    /// The fault, which is thereby forgotten.
    pub fn take_fault(&mut self) -> Option<Unwritable> {
        self.fault.take()
    }

    /// Appends bytes as they are.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) {
        if bytes.len() <= self.room() {
            self.bytes.extend_from_slice(bytes);
        } else {
            self.fail(Unwritable::TooLarge);
        }
    }

    /// Appends a value that came from outside: CR, LF and NUL make it [unsafe](Unwritable::UnsafeValue).
    #[inline(never)]
    pub fn put_value(&mut self, value: &[u8]) {
        if holds_break(value) {
            self.fail(Unwritable::UnsafeValue);
        } else {
            self.put(value);
        }
    }

    /// Appends a number in decimal.
    pub fn put_number(&mut self, number: u64) {
        let mut digits = [0u8; 20];
        let mut rest = number;
        let mut from = digits.len();
        for digit in digits.iter_mut().rev() {
            *digit = b'0'.wrapping_add((rest % 10) as u8);
            rest /= 10;
            from = from.wrapping_sub(1);
            if rest == 0 {
                break;
            }
        }
        self.put(digits.get(from..).unwrap_or_default());
    }

    /// Records a fault found by a writer on top of this buffer; the first one stands.
    pub fn fail(&mut self, fault: Unwritable) {
        self.fault.get_or_insert(fault);
    }

    /// Takes back everything from `length` on.
    pub fn truncate(&mut self, length: usize) {
        self.bytes.truncate(length);
    }

    /// Inserts bytes at a place already written, or at the end if `at` is past it: for lengths known only
    /// afterwards.
    pub fn insert(&mut self, at: usize, bytes: &[u8]) {
        let end = self.bytes.len();
        self.put(bytes);
        if self.bytes.len() > end {
            if let Some(tail) = self.bytes.get_mut(at.min(end)..) {
                tail.rotate_right(bytes.len());
            }
        }
    }

    /// Overwrites bytes already written; does nothing if that would reach past the end.
    pub fn overwrite(&mut self, at: usize, bytes: &[u8]) {
        let end = at.saturating_add(bytes.len());
        if let Some(place) = self.bytes.get_mut(at..end) {
            place.copy_from_slice(bytes);
        }
    }

    /// Forgets everything; the room stays allocated.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.fault = None;
    }

    /// Writes by `write`, keeping the result only if all of it could be written.
    ///
    /// # Errors
    /// The first [`Unwritable`] met; the buffer is then as before.
    pub fn attempt(&mut self, write: impl FnOnce(&mut Self)) -> Result<(), Unwritable> {
        let before = self.bytes.len();
        let outer = self.fault.take();
        write(self);
        let met = self.fault.take();
        self.fault = outer;
        match met {
            None => Ok(()),
            Some(fault) => {
                self.bytes.truncate(before);
                Err(fault)
            }
        }
    }
}

/// Whether CR, LF or NUL is in it. Blocks and comparison are such that the compiler makes vector instructions of
/// them; values are too short for a call to a vector search to pay. Where a block holds another of the low
/// controls, each byte is looked at.
#[inline(always)]
pub(crate) fn holds_break(value: &[u8]) -> bool {
    let exactly = || value.iter().any(|b| matches!(b, b'\r' | b'\n' | 0));
    let Some(last) = value.last_chunk::<16>() else {
        return exactly();
    };
    let mut rest = value;
    while let Some((block, tail)) = rest.split_first_chunk::<16>() {
        if holds_control(block) {
            return exactly();
        }
        rest = tail;
    }
    holds_control(last) && exactly()
}

#[inline(always)]
fn holds_control(block: &[u8; 16]) -> bool {
    block.iter().fold(false, |any, b| any | (*b <= b'\r'))
}
