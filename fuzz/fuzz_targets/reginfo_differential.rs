//! [RI-1] [RI-2] Any bytes as a registration information document, read by us and by roxmltree: every disagreement
//! is of a known class. The comparison is that of `tests/reginfo_differential.rs`; its classes are explained there.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code)] // the table's text and libxml2, for the tests alone
#[path = "../../tests/reginfo_differential/compare.rs"]
mod compare;

fuzz_target!(|bytes: &[u8]| {
    compare::compare(bytes, |found| assert!(found.class().is_some(), "{found}"));
});
