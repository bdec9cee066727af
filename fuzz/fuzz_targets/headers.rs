//! [RFC 3261 20] Any bytes as typed values of header fields: what is written of one that was read is the same.

#![no_main]

#[path = "../../tests/common/oracles/mod.rs"]
mod oracles;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oracles::check("headers", bytes));
