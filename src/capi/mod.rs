//! The same doors for C: `ims_procedures.h`, which is generated from this module and checked in beside it.
//!
//! A C program links the static library (`cargo rustc --release --lib --features capi --crate-type staticlib`, or what
//! `cargo cinstall` installs), compiles with the header, and drives a node as a Rust program does: something happened,
//! a call says so, and [`imsp_pcscf_poll`](pcscf::imsp_pcscf_poll) is called until nothing is left.
//! `tests/capi/first_light.c` is a whole program.
//!
//! [CA-2] The header is C99 and C++11. What `cargo cinstall` installs, header, libraries and the pkg-config file
//! `ims_procedures.pc`, is said in `Cargo.toml` under `package.metadata.capi`.
//!
//! | id | what | where | test |
//! |---|---|---|---|
//! | CA-1 | the P-CSCF, configuration and limits from C; the other roles not yet | [`pcscf`], [`pcscf_access`], [`pcscf_config`] | `tests/capi.rs` |
//! | CA-1 | status codes never reused | [`status`] | `tests/capi.rs` |
//! | CA-1 | struct sizes, buffers of the caller | `memory` | `tests/capi.rs` |
//! | CA-1 | a panic is caught, reported and poisons only its handle | `guard` | `tests/capi.rs` |
//! | CA-2 | C99 and C++11 without a warning, clean under sanitizers and valgrind | `ims_procedures.h` | `tests/capi.rs` |
//!
//! # Rules
//!
//! **Handles** are opaque, and are made by a function that ends in `_new` or `_restore` and freed by the one that ends in
//! `_free`. A handle may go from thread to thread, but be used by one thread at a time, `const` or not. Different
//! handles have nothing in common.
//!
//! **Status.** Every function that can fail returns an [`imsp_status`](status::imsp_status). Numbers are never given to
//! another status, defect, option or value; those that a release does not know yet may come from later ones, so every
//! `switch` needs a `default`. Numbers that come in are integers, and one that stands for nothing is refused
//! (`IMSP_STATUS_UNKNOWN_VALUE`).
//!
//! **All or nothing.** A call that does not return `IMSP_STATUS_OK` has changed nothing, panics apart, and has written
//! nothing but the fault, and the length needed where a buffer was too small.
//!
//! **Pointers** are checked for NULL. One that is not NULL must lead to what its type and length say, for the time of
//! the call, and nobody else may change that meanwhile. The library keeps none after the call returns. Texts that
//! come in are bytes with a length and need no NUL; NULL with length 0 stands for the empty one. An
//! [`imsp_fault`](status::imsp_fault) may always be NULL.
//!
//! **Structs** are filled by the library and begin with `struct_size`, which the caller sets to `sizeof`. A program that
//! was compiled with the header of an earlier release says less: as much is filled. One of a later release says more:
//! what this library does not know of is set to 0, which means in every field that there is nothing to say. A size below
//! that of the first release, or above 4,096, is refused. Structs do not come in at all; options do it.
//!
//! **Buffers** are the caller's. One that is too small consumes nothing, and the length needed is written.
//!
//! **No callbacks.** Nothing of the caller is ever called.
//!
//! **Panics** do not leave the library, if the program that links it is built to unwind. The call returns
//! `IMSP_STATUS_PANICKED`; every later one with that handle returns `IMSP_STATUS_POISONED`, but for freeing it. Rust's
//! panic hook, which is the process's, writes a line to the standard error output. Out of memory ends the process.
//!
//! **Stability.** The interface has a number, `IMSP_ABI` in the header and [`imsp_abi`](version::imsp_abi) in the library.
//! Until 1.0 each 0.x may change it.
#![allow(unsafe_code, reason = "memory of C callers is reached by pointers")]
#![deny(unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks)]
#![allow(non_camel_case_types, reason = "the names of C")]
#![allow(clippy::missing_safety_doc, reason = "one rule for all of them, above")]
#![allow(clippy::too_many_arguments, reason = "texts come as two arguments")]

pub mod counts;
mod guard;
pub mod limits;
mod memory;
mod options;
pub mod pcscf;
pub mod pcscf_access;
pub mod pcscf_config;
pub mod pcscf_output;
pub mod status;
pub mod subscription;
pub mod values;
pub mod verdict;
pub mod version;
