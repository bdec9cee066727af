//! [IB-1] Any bytes as a message that passes, as a document in one, and as a document alone.

#![no_main]

#[path = "../../tests/relay/oracle.rs"]
mod oracle;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oracle::relay_anything(bytes));
