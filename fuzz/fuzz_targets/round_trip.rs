//! [IB-1] [PD-11] Messages made from known values: read as these, copied byte for byte, answered.

#![no_main]

#[path = "../../tests/common/oracles/mod.rs"]
mod oracles;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oracles::check("round_trip", bytes));
