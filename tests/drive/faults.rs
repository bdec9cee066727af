//! Faults, by whose they are.

use ims_procedures::{
    drive::{ConfigError, Defect, Misuse, Reject},
    pcscf, regevent, reginfo, wire,
};
use std::{collections::HashMap, fs, path::Path};

const DEFECT: Defect = Defect {
    code: 9_999,
    what: "something is wrong",
    clause: "RFC 3261 7.1",
};

/// [DR-4] A refusal says what is wrong, at which byte, and the clause; nothing of what the bytes said.
#[test]
fn refusals_name_byte_and_clause() {
    let reject = Reject::new(&DEFECT, 41);
    assert_eq!(
        reject.to_string(),
        "something is wrong at byte 41 (RFC 3261 7.1)"
    );
    assert_eq!(
        format!("{reject:?}"),
        "Reject(something is wrong at byte 41 (RFC 3261 7.1))"
    );
    assert_eq!(reject.shifted(9).at, 50);
    assert_eq!(reject.shifted(9).defect, &DEFECT);
    assert_eq!(Reject::new(&DEFECT, usize::MAX).at, u32::MAX);
    assert_eq!(reject.shifted(usize::MAX).at, u32::MAX);
    assert_eq!(
        Reject::new(&DEFECT, u32::MAX as usize).shifted(1).at,
        u32::MAX
    );
}

/// [DR-4] Defects are told apart by their number alone.
#[test]
fn defects_compare_by_code() {
    let renamed = Defect {
        what: "said better",
        ..DEFECT
    };
    assert_eq!(DEFECT, renamed);
    assert_ne!(
        DEFECT,
        Defect {
            code: 9_998,
            ..DEFECT
        }
    );
}

/// [DR-4] The host's own mistakes say what is needed of it.
#[test]
fn misuse_says_what_is_needed() {
    let full = Misuse::OutboxFull {
        outputs: 3,
        bytes: 100,
    };
    assert_eq!(
        full.to_string(),
        "the outbox has no room for one step (3 outputs, 100 bytes)"
    );
    let bad = Misuse::BadCommand(Reject::new(&DEFECT, 41));
    assert_eq!(
        bad.to_string(),
        "the bytes of the command are not usable: something is wrong at byte 41 (RFC 3261 7.1)"
    );
    let config = ConfigError {
        field: "attempts",
        what: "not between 1 and 16",
    };
    assert_eq!(
        config.to_string(),
        "configuration: attempts: not between 1 and 16"
    );
}

/// [DR-4] No two defects of the whole library have the same code: C callers compare nothing else.
#[test]
fn codes_are_unique() {
    let mut places: HashMap<u16, String> = HashMap::new();
    for (code, place) in codes(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        if let Some(other) = places.insert(code, place.clone()) {
            panic!("code {code}: {other} and {place}");
        }
    }
    // One of each layer, by both ways of writing them, so that none can have been overlooked as a whole.
    for defect in [
        wire::defect::EMPTY,
        wire::defect::REPEATED,
        reginfo::defect::DOCTYPE,
        regevent::defect::UNKNOWN_DIALOG,
        regevent::defect::UNTRUSTED,
        pcscf::defect::NOT_A_REGISTER,
    ] {
        assert!(places.contains_key(&defect.code), "{}", defect.code);
    }
    let constants = count(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        ": Defect =",
    );
    assert_eq!(
        places.len(),
        constants,
        "constants whose code was not found"
    );
}

/// Every `code: N` and `defect(N` below a folder, with its place.
fn codes(folder: &Path) -> Vec<(u16, String)> {
    let mut found = Vec::new();
    for file in sources(folder) {
        let source = fs::read_to_string(&file).unwrap();
        for lead in ["code:", "defect("] {
            for (at, _) in source.match_indices(lead) {
                let rest = source[at + lead.len()..].trim_start();
                let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
                if let Ok(code) = digits.parse() {
                    let line = source[..at].lines().count();
                    found.push((code, format!("{}:{line}", file.display())));
                }
            }
        }
    }
    found
}

fn count(folder: &Path, what: &str) -> usize {
    let count = |file| fs::read_to_string(file).unwrap().matches(what).count();
    sources(folder).into_iter().map(count).sum()
}

fn sources(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
    files
}
