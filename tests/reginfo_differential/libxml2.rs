//! libxml2's opinion on registration information documents, by its `xmllint`: what we write is well-formed and, where
//! the schema allows, valid; what it refuses as not well-formed we refuse, and the reverse, but for the classes of
//! `reginfo_differential/README.md`.
//!
//! Without `xmllint` the tests say so and pass, unless `IMS_XMLLINT` is set, as the gate does. The schema of RFC 3680
//! is at hand where `IMS_CORPUS_DIR` says.

use crate::{
    compare::{
        self, Reader,
        classes::{BASE, CLASSES},
    },
    corpus, spelling,
};
use ims_procedures::{
    drive::{Buffer, Limits},
    reginfo::{
        ContactEvent, ContactOut, Document, DocumentState, DocumentWriter, Id, IndicationHandling,
        PolicyAction, RegistrationState, TempGruu, check,
    },
};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{RngSeed, TestRunner},
};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// A folder of documents for `xmllint`, gone afterwards.
struct Folder(PathBuf);

impl Folder {
    /// `None` where there is no `xmllint`.
    fn new(name: &str) -> Option<Self> {
        if Command::new("xmllint").arg("--version").output().is_err() {
            assert!(
                std::env::var_os("IMS_XMLLINT").is_none(),
                "xmllint is missing (libxml2-utils)"
            );
            println!("xmllint is not installed: not compared with libxml2");
            return None;
        }
        let path =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Some(Self(path))
    }

    /// All documents in one call.
    fn lint(&self, arguments: &[String], documents: &[Vec<u8>]) -> Output {
        let mut command = Command::new("xmllint");
        command
            .args(["--nonet", "--noout"])
            .args(arguments)
            .current_dir(&self.0);
        for (number, document) in documents.iter().enumerate() {
            let name = format!("{number:03}.xml");
            fs::write(self.0.join(&name), document).unwrap();
            command.arg(name);
        }
        command.output().unwrap()
    }

    fn is_well_formed(&self, document: &[u8]) -> bool {
        self.lint(&[], &[document.to_vec()]).status.success()
    }

    /// Fails with what `xmllint` says of the first document that it does not take.
    fn assert_accepted(&self, arguments: &[String], documents: &[Vec<u8>]) {
        let output = self.lint(arguments, documents);
        let told = String::from_utf8_lossy(&output.stderr);
        let complaint = told.lines().find(|line| !line.ends_with(" validates"));
        let about = complaint.and_then(|line| line.get(..3)?.parse::<usize>().ok());
        let document = about
            .and_then(|number| documents.get(number))
            .map(|bytes| bytes.escape_ascii());
        let document = document.map(|text| text.to_string());
        assert!(
            output.status.success() && complaint.is_none(),
            "{complaint:?}\n{document:?}"
        );
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The arguments that ask for validity by the schema of RFC 3680.
fn schema() -> Option<Vec<String>> {
    let Some(folder) = std::env::var_os("IMS_CORPUS_DIR") else {
        println!("IMS_CORPUS_DIR is not set: not validated against the schema");
        return None;
    };
    let path = Path::new(&folder).join("external/xsd/reginfo-offline.xsd");
    Some(vec!["--schema".to_owned(), path.display().to_string()])
}

fn always_the_same() -> TestRunner {
    TestRunner::new(ProptestConfig {
        rng_seed: RngSeed::Fixed(3_680),
        ..ProptestConfig::default()
    })
}

/// So many values of a strategy, always the same ones.
fn drawn<T: std::fmt::Debug>(count: usize, strategy: &impl Strategy<Value = T>) -> Vec<T> {
    let mut runner = always_the_same();
    (0..count)
        .map(|_| strategy.new_tree(&mut runner).unwrap().current())
        .collect()
}

fn written(document: &Document) -> Vec<u8> {
    let mut buffer = Buffer::new(1 << 20);
    document.write(&mut buffer).unwrap();
    buffer.as_slice().to_vec()
}

/// A document of hostile bytes, told to the writer part by part.
fn hostile(values: &[Vec<u8>], partial: bool) -> Vec<u8> {
    let [aor, id, uri, name, params, more] = values else {
        unreachable!("six values");
    };
    let mut buffer = Buffer::new(1 << 16);
    let state = if partial {
        DocumentState::Partial
    } else {
        DocumentState::Full
    };
    let mut writer = DocumentWriter::new(&mut buffer, u32::MAX, state);
    writer.registration(aor, Id::Text(id), RegistrationState::Active);
    for event in ContactEvent::ALL {
        writer.contact(&ContactOut {
            display_name: Some(name),
            params_raw: params,
            q: Some(more),
            callid: Some(params),
            pub_gruu: Some(uri),
            temp_gruu: Some(TempGruu {
                uri: aor,
                first_cseq: None,
            }),
            ..ContactOut::new(Id::Text(more), event.state(), event, uri)
        });
    }
    writer.wildcarded_identity(uri);
    writer.policy([
        PolicyAction::ResourcePriority {
            namespace: &params[..],
            value: id,
        },
        PolicyAction::PrivateNetworkIndication {
            handling: Some(IndicationHandling::Insert),
            domain: Some(more),
        },
    ]);
    writer.finish();
    buffer.as_slice().to_vec()
}

/// Bytes of any kind, markup, and characters that XML does not allow.
fn any_value() -> impl Strategy<Value = Vec<u8>> {
    let any = proptest::collection::vec(any::<u8>(), 0..24);
    let markup =
        "[<>&\"'\\]\\[;=#x!?/ \\-\r\n\t\u{0}\u{1}\u{7f}\u{85}\u{fffe}\u{ffff}\u{feff}é😀]{0,24}";
    prop_oneof![any, markup.prop_map(String::into_bytes)]
}

/// [RI-4] libxml2 takes whatever is written as well-formed: full and partial documents, GRUUs, wildcarded identities,
/// policies, hostile bytes in every place.
#[test]
fn what_is_written_is_well_formed() {
    let Some(folder) = Folder::new("written") else {
        return;
    };
    let bytes = proptest::collection::vec(any::<u8>(), 0..600);
    let meant = drawn(150, &bytes)
        .into_iter()
        .map(|bytes| written(&spelling::any(&bytes).0));
    let mut documents: Vec<_> = meant.collect();
    let values = (proptest::collection::vec(any_value(), 6), any::<bool>());
    documents.extend(
        drawn(150, &values)
            .into_iter()
            .map(|(values, partial)| hostile(&values, partial)),
    );
    folder.assert_accepted(&[], &documents);
    println!(
        "xmllint: {} written documents are well-formed",
        documents.len()
    );
}

/// A document with URIs, events and languages that the schema has; everything else as it comes.
fn conforming(bytes: &[u8], uris: &[String; 3]) -> Document {
    let (mut document, _) = spelling::any(bytes);
    let [aor, uri, gruu] = uris;
    for registration in &mut document.registrations {
        registration.aor.clone_from(aor);
        for contact in &mut registration.contacts {
            contact.uri.clone_from(uri);
            contact.event = contact.event.or(Some(ContactEvent::Created));
            contact.display_name_lang = contact
                .display_name_lang
                .as_ref()
                .map(|_| "en-GB".to_owned());
            contact.pub_gruu = contact.pub_gruu.as_ref().map(|_| gruu.clone());
        }
    }
    document
}

/// [RI-4] And as valid, where the schema allows: its URIs are those of libxml2, which knows no IPv6 address without
/// an authority; an event must be there, and a language must be one.
#[test]
fn what_is_written_is_valid() {
    let (Some(folder), Some(schema)) = (Folder::new("valid"), schema()) else {
        return;
    };
    let uri = "(sip|sips):[a-zA-Z0-9_.!~*'()é+=,;&$-]{1,12}@[a-z0-9.-]{1,9}(:[0-9]{1,4})?(;[a-z]{1,3}=[a-z0-9]{1,4}){0,2}(\\?[a-z]=%[0-9A-F]{2}(&b=2)?)?";
    let uris = proptest::array::uniform3(
        prop_oneof![3 => uri, 1 => "tel:\\+[0-9]{3,12}", 1 => "urn:[a-z]{2,5}:[a-z0-9]{1,9}"],
    );
    let bytes = proptest::collection::vec(any::<u8>(), 0..600);
    let documents: Vec<_> = drawn(200, &(bytes, uris))
        .iter()
        .map(|(bytes, uris)| written(&conforming(bytes, uris)))
        .collect();
    folder.assert_accepted(&schema, &documents);
    println!("xmllint: {} written documents are valid", documents.len());
}

/// [RI-1, RI-2] Over the collections, the examples of the classes and mutations, libxml2 and we refuse the same
/// documents, but for the classes.
#[test]
fn the_same_documents_are_refused() {
    let Some(folder) = Folder::new("refused") else {
        return;
    };
    let mut documents: Vec<_> = corpus::documents()
        .into_iter()
        .map(|(_, bytes)| bytes)
        .collect();
    let seeds = corpus::seeds();
    let change = proptest::collection::vec(corpus::change(), 1..3);
    for (seed, changes) in drawn(150, &(any::<prop::sample::Index>(), change)) {
        documents.push(corpus::changed(seed.get(&seeds).clone(), &changes));
    }
    let (mut refused, mut classes, mut unexplained) = (0, BTreeSet::new(), Vec::new());
    for bytes in &documents {
        let well_formed = folder.is_well_formed(bytes);
        refused += usize::from(!well_formed);
        if let Some(found) = compare::with_libxml2(bytes, well_formed) {
            match found.class() {
                Some(class) => drop(classes.insert(class.name)),
                None => unexplained.push(found.to_string()),
            }
        }
    }
    assert!(
        unexplained.is_empty(),
        "{}\n{}",
        unexplained.len(),
        unexplained.join("\n")
    );
    let count = documents.len();
    println!("xmllint: {count} documents, {refused} refused by both, differences: {classes:?}");
}

/// [RI-2] Each class that names libxml2 is met in its example, and no other.
#[test]
fn every_class_is_met() {
    let Some(folder) = Folder::new("classes") else {
        return;
    };
    assert!(folder.is_well_formed(BASE.as_bytes()));
    for class in CLASSES {
        let example = class.example();
        let found = compare::with_libxml2(&example, folder.is_well_formed(&example));
        let met = found
            .and_then(|found| found.class())
            .map(|class| class.name);
        let wanted = class
            .readers
            .contains(&Reader::Libxml2)
            .then_some(class.name);
        assert_eq!(met, wanted, "{}", class.name);
    }
}

/// [RI-1] What is valid by the schema is read, but for the classes: limits and control characters.
#[test]
fn what_is_valid_is_read() {
    let (Some(folder), Some(schema)) = (Folder::new("read"), schema()) else {
        return;
    };
    let documents = corpus::documents();
    let bytes: Vec<_> = documents.iter().map(|(_, bytes)| bytes.clone()).collect();
    let output = folder.lint(&schema, &bytes);
    let told = String::from_utf8_lossy(&output.stderr);
    let mut valid = 0;
    for (number, (name, bytes)) in documents.iter().enumerate() {
        if told.contains(&format!("{number:03}.xml validates")) {
            let found = compare::with_libxml2(bytes, true);
            let explained = found.is_none_or(|found| found.class().is_some());
            assert!(explained, "{name}: {:?}", check(bytes, &Limits::default()));
            valid += 1;
        }
    }
    assert!(valid > 30, "{valid}: {told}");
    println!("xmllint: {valid} documents of the collections are valid, and read but for classes");
}
