//! [DR-4] [IB-1] What the fuzz targets check, over every file of the fixtures, what fuzzing has found worth
//! keeping, and mutations of both.

#[path = "common/oracles/mod.rs"]
mod oracles;

use ims_procedures::{
    drive::Limits,
    wire::{HeaderName, Message, NameAddr},
};
use proptest::prelude::*;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

static CORPUS: LazyLock<Vec<(PathBuf, Vec<u8>)>> = LazyLock::new(|| {
    let mut files = Vec::new();
    collect(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures"),
        &mut files,
    );
    files.sort();
    files
});

fn collect(folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            let bytes = fs::read(&path).unwrap();
            files.push((path, bytes));
        }
    }
}

/// [DR-4] Every oracle over every file, whatever it was made for.
#[test]
fn every_oracle_holds_of_every_file() {
    assert!(CORPUS.len() > 200, "{}", CORPUS.len());
    for (path, bytes) in CORPUS.iter() {
        for (name, oracle) in oracles::ALL {
            let held = std::panic::catch_unwind(|| oracle(bytes));
            assert!(held.is_ok(), "{name}: {}", path.display());
        }
    }
}

/// What becomes of a byte, and of the bytes after it.
fn mutate(bytes: &mut Vec<u8>, edits: Vec<(usize, u8, u8)>) {
    for (place, byte, kind) in edits {
        if bytes.is_empty() {
            bytes.push(byte);
        }
        let place = place % bytes.len();
        match kind {
            0 => bytes[place] = byte,
            1 => bytes.insert(place, byte),
            2 => drop(bytes.remove(place)),
            3 => bytes.extend_from_within(place..),
            4 => bytes.truncate(place),
            _ => bytes[place] = b" \t\r\n\0\",;:<>@=%?[]*\\"[usize::from(byte) % 19],
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// [DR-4] The bytes of real messages, flipped, cut, doubled and moved.
    #[test]
    fn every_oracle_holds_of_mutations(
        which in 0usize..1_000,
        edits in prop::collection::vec((0usize..4_000, any::<u8>(), 0u8..7), 1..6),
    ) {
        let mut bytes = CORPUS[which % CORPUS.len()].1.clone();
        mutate(&mut bytes, edits);
        for (_, oracle) in oracles::ALL {
            oracle(&bytes);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 3_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// [RFC 3261 19.1.4] URIs that are the same in all that counts, and that differ in one thing.
    #[test]
    fn related_uris(choices in prop::collection::vec(any::<u8>(), 0..200)) {
        oracles::check("uris", &choices);
    }

    /// [RFC 3261 7.3.1] Values of the bytes that lists are made of.
    #[test]
    fn lists_of_grammar_bytes(value in "(sip:[a,]|SIP/2\\.0/UDP |Digest |[a2\"\\\\<>;,:@=*. \\[\\]/]){0,20}") {
        oracles::check("lists", value.as_bytes());
    }

    /// [RFC 3261 20] Values of the bytes that header fields are made of.
    #[test]
    fn typed_values_of_grammar_bytes(
        choice in any::<u8>(),
        value in "(sip:a|<sip:[a,]>|Digest |a=\"b\"|q=0\\.5|[a2\"\\\\<>;,:@=*. /()-]|\r\n ){0,16}",
    ) {
        oracles::check("headers", &[&[choice], value.as_bytes()].concat());
    }

    /// [IB-1] [PD-11] What is not changed is passed on byte for byte: order, case, white space, folding,
    /// unknown fields, any body.
    #[test]
    fn valid_messages_of_any_spelling(choices in prop::collection::vec(any::<u8>(), 0..600)) {
        oracles::check("round_trip", &choices);
    }
}

/// [RFC 3261 7.3.1] [RFC 3261 25.1] Nothing but blanks stands between a name and its colon: a name with any other
/// byte beside it, once or several times, is not that name to anyone.
#[test]
fn no_byte_hides_beside_a_name() {
    let names = [
        "Via",
        "From",
        "To",
        "Call-ID",
        "CSeq",
        "Contact",
        "Route",
        "Content-Length",
        "Max-Forwards",
        "P-Asserted-Identity",
        "l",
        "v",
    ];
    for name in names {
        let known = HeaderName::lookup(name.as_bytes());
        assert_ne!(known, HeaderName::Other);
        for byte in (0..=255u8).filter(|byte| !b" \t:".contains(byte)) {
            for times in [1, 2, 3, 8] {
                let beside = vec![byte; times];
                for line in [
                    [name.as_bytes(), &beside, b": 0"].concat(),
                    [&beside[..], name.as_bytes(), b": 0"].concat(),
                ] {
                    let bytes = [b"BYE sip:a SIP/2.0\r\n", &line[..], b"\r\n\r\n"].concat();
                    let Ok(message) = Message::parse(&bytes, &Limits::default()) else {
                        continue;
                    };
                    let found = message.header(known).is_some();
                    assert!(!found, "{}", line.escape_ascii());
                }
            }
        }
    }
}

/// [RFC 3261 20.20] From and To are one address: a comma before it is as wrong as one after it.
#[test]
fn commas_before_an_address() {
    assert!(NameAddr::parse(b"<sip:a>,").is_err());
    assert!(NameAddr::parse(b",<sip:a>").is_err());
}

/// [RFC 3261 25.1] No parameter holds a `<` outside quotes. Whoever lets it stand must not read one contact
/// where another reader of the same bytes sees two.
#[test]
fn brackets_in_parameters() {
    let bytes = b"BYE sip:a SIP/2.0\r\nContact: <sip:a>;x=<, <sip:b>\r\n\r\n";
    let message = Message::parse(bytes, &Limits::default()).unwrap();
    let header = message.header(HeaderName::Contact).unwrap();
    let addresses: Vec<_> = NameAddr::parse_list(header.raw()).collect();
    if addresses.iter().all(Result::is_ok) {
        assert_eq!(header.elements().count(), addresses.len());
    }
}
