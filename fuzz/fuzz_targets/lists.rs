//! [RFC 3261 7.3.1] Any bytes as comma lists and parameters, against a plain splitter.

#![no_main]

#[path = "../../tests/common/oracles/mod.rs"]
mod oracles;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oracles::check("lists", bytes));
