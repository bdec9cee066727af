//! The C interface, used from C: the programs of `tests/capi` are compiled against the static library without a warning,
//! and run under the address and undefined-behaviour sanitizers. gcc is needed; g++ and valgrind are used where they are
//! there.

mod common;

#[path = "capi/building.rs"]
mod building;
#[path = "capi/first_light.rs"]
mod first_light;
#[path = "capi/header.rs"]
mod header;

use building::{Checked, has, program};

/// [CA-1, CA-2] The first procedure from C gives the same bytes as from Rust: every message, text, number and snapshot.
#[test]
fn first_light_is_the_same_from_c() {
    let from_c = program("first_light.c", Checked::Sanitized);
    let from_rust = first_light::play();
    assert_eq!(from_c.lines().count(), from_rust.lines().count());
    for (number, (c, rust)) in from_c.lines().zip(from_rust.lines()).enumerate() {
        assert_eq!(c, rust, "line {}", number + 1);
    }
    assert_eq!(from_c, from_rust);
}

/// [CA-1] NULL, short buffers, numbers that stand for nothing, sizes that no struct has, tokens that nothing waits for,
/// configurations that cannot work: each has its status, and changes nothing.
#[test]
fn misuse_from_c() {
    assert_eq!(program("misuse.c", Checked::Sanitized), "done\n");
}

/// [CA-1] A node is handed over from C: its snapshot is restored, and what was outstanding is offered again.
#[test]
fn a_snapshot_is_restored_from_c() {
    assert_eq!(program("restoring.c", Checked::Sanitized), "done\n");
}

/// [CA-2] The same without sanitizers under valgrind: nothing is read that was not written, nothing is lost.
#[test]
fn clean_under_valgrind() {
    if !has("valgrind", "IMS_VALGRIND") {
        return;
    }
    for source in ["first_light.c", "misuse.c", "restoring.c"] {
        program(source, Checked::Valgrind);
    }
}

/// [CA-2] A C++11 program compiles with the header without a warning, and runs.
#[test]
fn from_cpp() {
    if has("g++", "IMS_CXX") {
        assert_eq!(program("header.cpp", Checked::Sanitized), "done\n");
    }
}
