//! [DR-4] Any bytes as a SIP message, read by us and by two others: every disagreement is of a known class.
//! The comparison is that of `tests/differential.rs`; its classes are explained there.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code)] // the table's text, for the test alone
#[path = "../../tests/differential/compare.rs"]
mod compare;

fuzz_target!(|bytes: &[u8]| {
    compare::compare(bytes, |found, class| {
        assert!(
            class.is_some(),
            "{:?} {:?}: ours {:?} ({:?}), theirs {:?}, in {}",
            found.reader,
            found.aspect,
            found.ours,
            found.defect.map(|defect| defect.what),
            found.theirs,
            found.text.escape_ascii()
        );
    });
});
