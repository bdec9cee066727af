//! [RFC 3261 19.1.4] [SD-1] Any bytes as URIs, and pairs of URIs that are known to be the same or not.

#![no_main]

#[path = "../../tests/common/oracles/mod.rs"]
mod oracles;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oracles::check("uris", bytes));
