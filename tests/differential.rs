//! Our reader against two others, rsip 0.4 and ezk-sip-types 0.6: over messages of the field, torture
//! messages and mutations of both. Every disagreement falls into a class that says who is right, and by which clause.
//!
//! The table stands in `differential/README.md`; `cargo test --test differential -- --nocapture` prints it.

#[path = "differential/compare.rs"]
mod compare;

use compare::{
    Reader,
    classes::{BASE, CLASSES, Class},
    compare as each_disagreement,
};
use proptest::{
    prelude::*,
    test_runner::{RngSeed, TestRunner},
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "sip" || e == "dat") {
            found.push(path);
        }
    }
}

/// Messages of the field, ours and those that may not be copied.
fn corpus() -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    files(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures"),
        &mut found,
    );
    if let Some(shared) = std::env::var_os("IMS_CORPUS_DIR") {
        for folder in ["sip", "captures", "external/torture-rfc4475"] {
            files(&Path::new(&shared).join(folder), &mut found);
        }
    }
    found.sort();
    found.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// The classes met, how often, and what no class explains.
#[derive(Default)]
struct Seen {
    classes: BTreeMap<&'static str, BTreeMap<Reader, usize>>,
    unexplained: Vec<String>,
}

impl Seen {
    fn read(&mut self, bytes: &[u8]) {
        each_disagreement(bytes, |found, class: Option<&'static Class>| match class {
            Some(class) => {
                let readers = self.classes.entry(class.name).or_default();
                *readers.entry(found.reader).or_default() += 1;
            }
            None => {
                let text = found.text.escape_ascii();
                let defect = found.defect.map(|defect| defect.what);
                self.unexplained.push(format!(
                    "{:?} {:?}: ours {:?} ({defect:?}), theirs {:?}\n  in {text}\n  of {}",
                    found.reader,
                    found.aspect,
                    found.ours,
                    found.theirs,
                    found.bytes.escape_ascii()
                ));
            }
        });
    }
}

impl Seen {
    fn assert_explained(&self) {
        let found = &self.unexplained;
        assert!(found.is_empty(), "{}\n{}", found.len(), found.join("\n"));
    }
}

/// [DR-4] Over every message of the collections, no disagreement is unexplained.
#[test]
fn messages_of_the_field() {
    let corpus = corpus();
    assert!(corpus.len() > 120, "{}", corpus.len());
    let mut seen = Seen::default();
    for bytes in &corpus {
        seen.read(bytes);
    }
    seen.assert_explained();
}

/// All three read the base alike; each class is met in its example; the table tells of each, and of no other.
#[test]
fn every_class_is_met() {
    let mut seen = Seen::default();
    seen.read(BASE.as_bytes());
    assert!(seen.classes.is_empty());
    seen.assert_explained();
    let mut table = String::from(HEAD);
    for class in CLASSES {
        let mut seen = Seen::default();
        seen.read(&class.example());
        let met = seen.classes.get(class.name);
        let met = met.unwrap_or_else(|| panic!("{}: {:?}", class.name, seen.classes));
        table.push_str(&row(class, met.keys()));
    }
    println!("{table}");
    let told = include_str!("differential/README.md");
    assert!(
        told.ends_with(&table),
        "differential/README.md does not end with this table"
    );
}

const HEAD: &str =
    "| class | other reader | what | right | clause | example |\n|---|---|---|---|---|---|\n";

fn row<'a>(class: &Class, readers: impl Iterator<Item = &'a Reader>) -> String {
    let readers: Vec<_> = readers
        .map(|reader| format!("{reader:?}").to_lowercase())
        .collect();
    let readers = readers.join(", ");
    let Class {
        name,
        right,
        clause,
        what,
        ..
    } = class;
    let shown = shown(class);
    format!("| {name} | {readers} | {what} | {right:?} | {clause} | `{shown}` |\n")
}

/// What the example has of its own, or the beginning of it.
fn shown(class: &Class) -> String {
    let by = class.example.1;
    by[..by.len().min(60)]
        .escape_ascii()
        .to_string()
        .replace('|', "\\|")
}

/// What mutations put in.
const PARTS: [&[u8]; 64] = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b"\r\n ",
    b"\r\n\t",
    b" ",
    b"\t",
    b",",
    b";",
    b":",
    b"=",
    b"?",
    b"@",
    b"&",
    b"\"",
    b"\\",
    b"<",
    b">",
    b"%41",
    b"%ff",
    b"%",
    b"[",
    b"]",
    b"[2001:db8::1]",
    b"[::ffff:192.0.2.1]",
    b".",
    b"-",
    b"_",
    b"*",
    b"/",
    b"+",
    b"\xe4",
    b"\xc3\xa4",
    b"\x7f",
    b"0",
    b"7",
    b"99999",
    b"4294967296",
    b"sip:",
    b"SIPS:",
    b"tel:+1",
    b"urn:x:y",
    b"mailto:",
    b"http://",
    b"SIP/2.0",
    b"sip/2.0",
    b"UDP",
    b"udp",
    b"DTLS-UDP",
    b"i: x\r\n",
    b"Call-ID : y\r\n",
    b"m: *\r\n",
    b"l: 1\r\n",
    b"Contact: *\r\n",
    b"Expires: 1\r\n",
    b";transport=tcp",
    b";Tag=3",
    b";lr=on",
    b";=x",
    b";;",
    b";x=\"a;b\"",
    b", <sip:x@y>",
    b"\"A \\\"B\" <sip:x@y>",
];

#[derive(Clone, Debug)]
enum Change {
    Insert(prop::sample::Index, usize),
    Replace(prop::sample::Index, u8),
    Delete(prop::sample::Index, usize),
    Swap(prop::sample::Index, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        (at(), 0..PARTS.len()).prop_map(|(at, part)| Change::Insert(at, part)),
        (at(), 0..PARTS.len()).prop_map(|(at, part)| Change::Swap(at, part)),
        (at(), any::<u8>()).prop_map(|(at, byte)| Change::Replace(at, byte)),
        (at(), 1..12usize).prop_map(|(at, count)| Change::Delete(at, count)),
    ]
}

fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        if bytes.is_empty() {
            break;
        }
        let length = bytes.len();
        let (range, by): (_, &[u8]) = match change {
            Change::Insert(at, part) => (at.index(length)..at.index(length), PARTS[*part]),
            Change::Swap(at, part) => (at.index(length)..at.index(length) + 1, PARTS[*part]),
            Change::Replace(at, byte) => (
                at.index(length)..at.index(length) + 1,
                std::slice::from_ref(byte),
            ),
            Change::Delete(at, count) => {
                (at.index(length)..length.min(at.index(length) + count), &[])
            }
        };
        bytes.splice(range, by.iter().copied());
    }
    bytes
}

/// The examples and some messages of the field.
fn seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<_> = CLASSES.iter().map(Class::example).collect();
    seeds.push(BASE.into());
    seeds.extend(corpus());
    seeds.retain(|seed| seed.len() < 4_000);
    seeds
}

/// [DR-4] Over mutations, always the same ones, no disagreement is unexplained. The fuzz target finds others.
#[test]
fn mutated_messages() {
    let seeds = seeds();
    let change = proptest::collection::vec(change(), 1..4);
    let config = ProptestConfig {
        cases: 6_000,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(3_261),
        ..ProptestConfig::default()
    };
    let mut runner = TestRunner::new(config);
    runner
        .run(
            &(any::<prop::sample::Index>(), change),
            |(seed, changes)| {
                let mut seen = Seen::default();
                seen.read(&changed(seed.get(&seeds).clone(), &changes));
                seen.assert_explained();
                Ok(())
            },
        )
        .unwrap();
}
