//! Our reader of registration information documents against roxmltree 0.21: over documents of the field, documents
//! made in many spellings, and mutations of both. Every disagreement falls into a class that says who is right, and
//! by which clause.
//!
//! The table stands in `reginfo_differential/README.md`; `reginfo_differential/libxml2.rs` shares it.

#[path = "reginfo_differential/compare.rs"]
mod compare;
#[path = "reginfo_differential/corpus.rs"]
mod corpus;
#[path = "reginfo_differential/libxml2.rs"]
mod libxml2;
#[path = "reginfo_differential/spelling.rs"]
mod spelling;

use compare::{
    Reader,
    classes::{BASE, CLASSES, Class},
    readers,
};
use proptest::{
    prelude::*,
    test_runner::{RngSeed, TestRunner},
};
use std::collections::BTreeSet;

/// The classes met, and what no class explains.
#[derive(Default)]
struct Seen {
    classes: BTreeSet<&'static str>,
    unexplained: Vec<String>,
}

impl Seen {
    fn read(&mut self, bytes: &[u8]) {
        compare::compare(bytes, |found| match found.class() {
            Some(class) => {
                self.classes.insert(class.name);
            }
            None => self.unexplained.push(found.to_string()),
        });
    }

    fn assert_explained(&self) {
        let found = &self.unexplained;
        assert!(found.is_empty(), "{}\n{}", found.len(), found.join("\n"));
    }
}

/// [RI-1, RI-2] Over every document of the collections, no disagreement is unexplained.
#[test]
fn documents_of_the_field() {
    let documents = corpus::documents();
    assert!(documents.len() >= 60, "{}", documents.len());
    let mut seen = Seen::default();
    for (_, bytes) in &documents {
        seen.read(bytes);
    }
    seen.assert_explained();
}

/// Both read the base alike; each class is met in its example; the table tells of each, and of no other.
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
        let wanted = class.readers.contains(&Reader::Roxmltree);
        assert_eq!(
            seen.classes.contains(class.name),
            wanted,
            "{}: {:?}",
            class.name,
            seen.classes
        );
        table.push_str(&row(class));
    }
    println!("{table}");
    let told = include_str!("reginfo_differential/README.md");
    assert!(
        told.ends_with(&table),
        "reginfo_differential/README.md does not end with this table"
    );
}

const HEAD: &str =
    "| class | other reader | what | right | clause | example |\n|---|---|---|---|---|---|\n";

fn row(class: &Class) -> String {
    let readers: Vec<_> = class
        .readers
        .iter()
        .map(|reader| format!("{reader:?}").to_lowercase())
        .collect();
    let readers = readers.join(", ");
    let Class {
        name,
        right,
        clause,
        what,
        example: (_, by),
        ..
    } = class;
    let shown = &by[..by.len().min(60)];
    format!("| {name} | {readers} | {what} | {right:?} | {clause} | `{shown}` |\n")
}

fn always_the_same(cases: u32) -> TestRunner {
    TestRunner::new(ProptestConfig {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(3_680),
        ..ProptestConfig::default()
    })
}

/// [RI-1] A document in any spelling: prefixes, quotes, references, CDATA, comments and instructions in texts, white
/// space, strange elements and attributes, optional and mandatory things left out. Both read what it was made of.
#[test]
fn any_spelling_reads_as_it_was_meant() {
    let bytes = proptest::collection::vec(any::<u8>(), 0..1_500);
    always_the_same(600)
        .run(&bytes, |bytes| {
            let (document, spelt) = spelling::any(&bytes);
            let mut seen = Seen::default();
            seen.read(spelt.as_bytes());
            seen.assert_explained();
            prop_assert_eq!(seen.classes.len(), 0, "{:?} {}", seen.classes, spelt);
            let meant = readers::shown(&document);
            let read = readers::ours(spelt.as_bytes());
            prop_assert_eq!(read.as_ref(), Ok(&meant), "{}", spelt);
            prop_assert_eq!(
                readers::theirs(spelt.as_bytes()).ok(),
                Some(meant),
                "{}",
                spelt
            );
            Ok(())
        })
        .unwrap();
}

/// [RI-1, RI-2] Over mutations, always the same ones, no disagreement is unexplained. The fuzz target finds others.
#[test]
fn mutated_documents() {
    let seeds = corpus::seeds();
    let change = proptest::collection::vec(corpus::change(), 1..4);
    always_the_same(6_000)
        .run(
            &(any::<prop::sample::Index>(), change),
            |(seed, changes)| {
                let mut seen = Seen::default();
                seen.read(&corpus::changed(seed.get(&seeds).clone(), &changes));
                seen.assert_explained();
                Ok(())
            },
        )
        .unwrap();
}
