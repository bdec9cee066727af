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
