//! Memory of the caller: what is read from it and written into it, and every rule of doing so.
//!
//! The functions that take pointers are `unsafe`, for a pointer cannot be asked whether it is good. What they
//! return is safe to use until the call into the library returns, and is not kept longer.

use core::{
    ffi::{c_char, c_void},
    mem::size_of,
    ptr,
    slice::from_raw_parts,
};

use super::status::{Fault, imsp_status};

/// The largest `struct_size` that is believed.
const LARGEST: usize = 4_096;

/// A struct that is copied out to a caller.
///
/// # Safety
/// It is `repr(C)`, begins with `struct_size: u32`, holds nothing but integers and arrays of them, has no padding,
/// and zero means in each of its fields that there is nothing to say.
pub(super) unsafe trait Struct: Copy {
    /// What the first release that had it knew of it. A caller's size below this is a mistake.
    const FIRST_SIZE: usize;
}

/// A caller's struct, checked, to be written.
pub(super) struct Place<T> {
    at: *mut T,
    size: usize,
}

impl<T: Struct> Place<T> {
    /// # Errors
    /// Without a struct, or with a size that none can have.
    ///
    /// # Safety
    /// `at` is NULL, or leads to a struct whose first field is set to its size, nobody else's for the time of the call.
    pub(super) unsafe fn at(at: *mut T) -> Result<Self, Fault> {
        if at.is_null() {
            return Err(imsp_status::NullPointer.into());
        }
        // SAFETY: there is a struct, and it begins with its size.
        let size = unsafe { at.cast::<u32>().read() };
        match usize::try_from(size) {
            Ok(size) if (T::FIRST_SIZE..=LARGEST).contains(&size) => Ok(Self { at, size }),
            _ => Err(imsp_status::StructSize.into()),
        }
    }

    /// [CA-1] Writes as much of `value` as the caller's struct has room for, and zeros behind what this release
    /// knows of. `struct_size` stays as the caller has set it.
    pub(super) fn put(self, value: &T) {
        const HEAD: usize = size_of::<u32>();
        let known = self.size.min(size_of::<T>());
        let (from, to) = (ptr::from_ref(value).cast::<u8>(), self.at.cast::<u8>());
        // SAFETY: both structs have `known` bytes and more than `HEAD`, the caller's has `size`, which was checked;
        // they do not overlap, as ours is on our own stack. A `Struct` has no padding.
        unsafe {
            ptr::copy_nonoverlapping(from.add(HEAD), to.add(HEAD), known.saturating_sub(HEAD));
            ptr::write_bytes(to.add(known), 0, self.size.saturating_sub(known));
        }
    }
}

/// A caller's variable, to be written; or none, where the caller does not want to know.
pub(super) struct Variable<T>(*mut T);

impl<T> Variable<T> {
    /// # Safety
    /// `at` is NULL or leads to a variable, nobody else's for the time of the call.
    pub(super) const unsafe fn at(at: *mut T) -> Self {
        Self(at)
    }

    /// The same, if there is one.
    pub(super) fn required(self) -> Result<Self, Fault> {
        if self.0.is_null() {
            return Err(imsp_status::NullPointer.into());
        }
        Ok(self)
    }

    pub(super) fn put(&self, value: T) {
        if !self.0.is_null() {
            // SAFETY: there is a variable of this type. What was in it need not be dropped.
            unsafe { self.0.write(value) }
        }
    }
}

/// A caller's buffer, and where its caller learns how much of it is used or needed.
pub(super) struct Room {
    at: *mut u8,
    capacity: usize,
    length: Variable<usize>,
}

impl Room {
    /// # Errors
    /// With capacity but no buffer.
    ///
    /// # Safety
    /// `at` is NULL or leads to `capacity` bytes, `length` is NULL or leads to a `size_t`; both are nobody else's for
    /// the time of the call.
    pub(super) unsafe fn at(
        at: *mut c_void,
        capacity: usize,
        length: *mut usize,
    ) -> Result<Self, Fault> {
        if at.is_null() && capacity > 0 {
            return Err(imsp_status::NullPointer.into());
        }
        Ok(Self {
            at: at.cast(),
            capacity,
            // SAFETY: the caller of this function vouches for it.
            length: unsafe { Variable::at(length) },
        })
    }

    /// [CA-1] Copies all, or nothing; either way says how many bytes they are.
    ///
    /// # Errors
    /// When the buffer is too small.
    pub(super) fn put(self, bytes: &[u8]) -> Result<(), Fault> {
        self.length.put(bytes.len());
        if bytes.len() > self.capacity {
            return Err(imsp_status::BufferTooSmall.into());
        }
        if !bytes.is_empty() {
            // SAFETY: the buffer has at least as many bytes, and is not ours.
            unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.at, bytes.len()) }
        }
        Ok(())
    }
}

/// A caller's bytes. NULL stands for none, with a length of 0 alone.
///
/// # Errors
/// NULL with a length, and a length that no memory has.
///
/// # Safety
/// `data` is NULL or leads to `length` bytes that stay as they are for the time of the call.
pub(super) unsafe fn bytes<'call>(
    data: *const c_void,
    length: usize,
) -> Result<&'call [u8], Fault> {
    if length == 0 {
        return Ok(b"");
    }
    if data.is_null() {
        return Err(imsp_status::NullPointer.into());
    }
    if isize::try_from(length).is_err() {
        return Err(imsp_status::OutOfRange.into());
    }
    // SAFETY: there are so many bytes, which stay as they are.
    Ok(unsafe { from_raw_parts(data.cast(), length) })
}

/// A text for a fixed field of a struct: ended by NUL, cut if it must be.
pub(super) fn fixed<const N: usize>(text: &str) -> [c_char; N] {
    let mut field = [0; N];
    let room = N.saturating_sub(1);
    for (place, byte) in field.iter_mut().zip(text.bytes().take(room)) {
        *place = byte as c_char;
    }
    field
}

#[cfg(test)]
mod tests {
    use core::ptr;

    use super::*;

    /// A struct that had one field in its first release, and has two.
    #[repr(C)]
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Present {
        struct_size: u32,
        one: u32,
        two: u32,
    }

    // SAFETY: `repr(C)`, three integers of one size.
    unsafe impl Struct for Present {
        const FIRST_SIZE: usize = 8;
    }

    const PRESENT: Present = Present {
        struct_size: 0,
        one: 1,
        two: 2,
    };

    fn put(at: *mut u32) -> Result<(), imsp_status> {
        // SAFETY: every caller here has a struct with its size.
        let place = unsafe { Place::<Present>::at(at.cast()) };
        place.map(|place| place.put(&PRESENT)).map_err(|f| f.status)
    }

    /// [CA-1] A caller of an earlier release is told what it knows of, one of a later release nothing of the rest.
    #[test]
    fn structs_of_other_releases() {
        for (size, told) in [
            (8, [8, 1, 7, 7, 7]),
            (10, [10, 1, 7, 7, 7]),
            (12, [12, 1, 2, 7, 7]),
            (16, [16, 1, 2, 0, 7]),
            (20, [20, 1, 2, 0, 0]),
        ] {
            let mut theirs = [size, 7, 7, 7, 7];
            assert_eq!(put(theirs.as_mut_ptr()), Ok(()));
            if size == 10 {
                // Half a field: what of it is written is no more than its first bytes.
                assert_eq!(theirs[2].to_ne_bytes()[2..], 7u32.to_ne_bytes()[2..]);
                theirs[2] = 7;
            }
            assert_eq!(theirs, told, "{size}");
        }
    }

    /// [CA-1] A size that no struct has is refused, and nothing is written.
    #[test]
    fn sizes_that_no_struct_has() {
        for size in [0, 1, 7, 4_097, u32::MAX] {
            let mut theirs = [size, 7, 7];
            let refused = Err(imsp_status::StructSize);
            assert_eq!(put(theirs.as_mut_ptr()), refused, "{size}");
            assert_eq!(theirs, [size, 7, 7]);
        }
        assert_eq!(put(ptr::null_mut()), Err(imsp_status::NullPointer));
        let mut most = [7u32; 1_025];
        most[0] = 4_096;
        assert_eq!(put(most.as_mut_ptr()), Ok(()));
        assert_eq!((most[3], most[1_023], most[1_024]), (0, 0, 7));
    }

    /// [CA-1] A buffer that is too small by one byte is left alone, and the length needed is told.
    #[test]
    fn buffers() {
        for (capacity, taken) in [(0, false), (3, false), (4, true), (5, true)] {
            let (mut buffer, mut length) = ([9u8; 5], 0);
            // SAFETY: the buffer has at least as many bytes.
            let room = unsafe { Room::at(buffer.as_mut_ptr().cast(), capacity, &raw mut length) };
            let put = room.and_then(|room| room.put(&[1, 2, 3, 4]));
            assert_eq!(put.is_ok(), taken, "{capacity}");
            assert_eq!(length, 4);
            let expected = if taken { [1, 2, 3, 4, 9] } else { [9; 5] };
            assert_eq!(buffer, expected);
        }
    }

    /// [CA-1] A text too long for its field is cut, and ends with NUL all the same.
    #[test]
    fn fixed_texts() {
        assert_eq!(fixed::<4>("ab"), [b'a' as c_char, b'b' as c_char, 0, 0]);
        assert_eq!(fixed::<3>("abc"), [b'a' as c_char, b'b' as c_char, 0]);
        assert_eq!(fixed::<1>("abc"), [0]);
    }
}
