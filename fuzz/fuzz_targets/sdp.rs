//! [RFC 3264 8] Any bytes as a session description: what deleting streams does not change is as it was.

#![no_main]

#[path = "../../tests/common/oracles/mod.rs"]
mod oracles;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oracles::check("sdp", bytes));
