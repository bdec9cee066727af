//! [RFC 3261 18.3] Any bytes on a stream: the same messages, however the bytes come in.

#![no_main]

#[path = "../../tests/common/oracles/mod.rs"]
mod oracles;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oracles::check("streams", bytes));
