//! All that must hold of any bytes, over the files of the project and mutations of them.

use std::fs;

use proptest::prelude::*;

use crate::{
    oracle::relay_anything,
    support::{files, relayed, with_documents},
};
use ims_procedures::{
    drive::Limits,
    regevent::relay::{Mapped, Relayed},
    wire::Message,
};

fn corpus() -> Vec<Vec<u8>> {
    let folders = [
        "sip",
        "captures",
        "torture",
        "rfc5118",
        "reginfo",
        "malformed",
    ];
    let paths = folders.iter().flat_map(|folder| files(folder));
    paths.map(|path| fs::read(path).unwrap()).collect()
}

/// [IB-1] Messages and documents of the collections: mapped to themselves they are the same bytes, mapped to others
/// only the values differ that are mapped, and a document reads as its model does when mapped.
#[test]
fn the_collections() {
    let corpus = corpus();
    assert!(corpus.len() > 250, "{}", corpus.len());
    corpus.iter().for_each(|bytes| relay_anything(bytes));
}

/// [IB-1] Of the collections, what is ours and what is not, and without a table every message of ours as it came.
#[test]
fn identity() {
    let (mut ours, mut others) = (0, 0);
    for path in files("sip").into_iter().chain(files("captures")) {
        let bytes = fs::read(&path).unwrap();
        let Ok(message) = Message::parse(&bytes, &Limits::default()) else {
            continue;
        };
        match relayed(&bytes, &with_documents(), &Mapped::default()).unwrap() {
            (Relayed::Written(_), written) => {
                assert_eq!(written, bytes[..message.end()], "{}", path.display());
                ours += 1;
            }
            (Relayed::NotOurs, written) => {
                assert!(written.is_empty());
                others += 1;
            }
        }
    }
    assert!(ours > 50 && others > 50, "{ours} {others}");
}

fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let corpus = corpus();
    let edit = (any::<prop::sample::Index>(), 0..4u8, any::<u8>(), 1..9usize);
    let edits = prop::collection::vec(edit, 0..4);
    (prop::sample::select(corpus), edits).prop_map(|(mut bytes, edits)| {
        for (place, kind, byte, length) in edits {
            if bytes.is_empty() {
                break;
            }
            let at = place.index(bytes.len());
            let end = (at + length).min(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, b"\r\n \"<>;,?&'"[usize::from(byte) % 11]),
                2 => drop(bytes.drain(at..end)),
                _ => {
                    let copy = bytes[at..end].to_vec();
                    bytes.splice(at..at, copy);
                }
            }
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    /// [IB-1] [DR-4] The same of what is nearly one of them.
    #[test]
    fn mutations(bytes in mutated()) {
        relay_anything(&bytes);
    }
}
