//! [DR-4] Any bytes as a SIP message: read, every value looked at, copied, answered.

#![no_main]

#[path = "../../tests/common/oracles/mod.rs"]
mod oracles;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oracles::check("wire", bytes));
