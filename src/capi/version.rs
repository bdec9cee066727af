//! Which library this is.

use core::ffi::{CStr, c_char};

/// The number of the C interface: that of the header, IMSP_ABI. Until version 1.0 of the library it may change with
/// each 0.x, and programs are to be compiled anew then.
const ABI: u32 = 1;

const VERSION: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => c"",
    };

/// The version of the library, such as "0.1.0": a string that is always there.
#[unsafe(no_mangle)]
pub const extern "C" fn imsp_version() -> *const c_char {
    VERSION.as_ptr()
}

/// The number of the C interface that the library has. A program compares it with IMSP_ABI, which it was compiled with.
#[unsafe(no_mangle)]
pub const extern "C" fn imsp_abi() -> u32 {
    ABI
}
