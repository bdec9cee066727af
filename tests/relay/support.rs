//! What these tests share.

use std::{
    fs,
    path::{Path, PathBuf},
};

use ims_procedures::{
    drive::{Buffer, Limits},
    regevent::relay::{Changes, Config, Documents, Relayed, Translation, Untranslated, relay},
};

pub(crate) const ROOM: usize = 200_000;

/// Every file below that folder of the fixtures.
pub(crate) fn files(folder: &str) -> Vec<PathBuf> {
    fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => collect(&path, found),
                false => found.push(path),
            }
        }
    }
    let mut found = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    collect(&root.join(folder), &mut found);
    found.sort();
    found
}

pub(crate) fn fixture(name: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    fs::read(root.join(name)).unwrap()
}

/// Documents are translated.
pub(crate) fn with_documents() -> Config {
    let mut config = Config::default();
    config.documents = Documents::Translated;
    config
}

/// What a message becomes; in error, the buffer is checked to be as before.
pub(crate) fn relayed(
    bytes: &[u8],
    config: &Config,
    translation: &dyn Translation,
) -> Result<(Relayed, Vec<u8>), Untranslated> {
    let mut buffer = Buffer::new(ROOM);
    buffer.put(b"kept");
    let outcome = relay(bytes, &Limits::default(), config, translation, &mut buffer);
    assert_eq!(buffer.fault(), None);
    let written = buffer.as_slice().strip_prefix(b"kept").unwrap().to_vec();
    if outcome.is_err() {
        assert!(written.is_empty());
    }
    outcome.map(|relayed| (relayed, written))
}

/// What a message of ours becomes.
#[track_caller]
pub(crate) fn passed(
    bytes: &[u8],
    config: &Config,
    translation: &dyn Translation,
) -> (Changes, String) {
    match relayed(bytes, config, translation).unwrap() {
        (Relayed::Written(changes), written) => (changes, String::from_utf8(written).unwrap()),
        (other, _) => panic!("{other:?}"),
    }
}

/// A request of the package in a dialog, with these lines before the empty one.
pub(crate) fn request(method: &str, uri: &str, lines: &str) -> String {
    format!(
        "{method} {uri} SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:a@home1.example.net>;tag=1\r\n\
         To: <sip:a@home1.example.net>;tag=2\r\n\
         Call-ID: c1\r\n\
         CSeq: 1 {method}\r\n\
         Event: reg\r\n\
         {lines}\r\n"
    )
}

/// The response to a request of the package, with these lines before the empty one.
pub(crate) fn response(status: &str, method: &str, lines: &str) -> String {
    format!(
        "SIP/2.0 {status}\r\n\
         Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1\r\n\
         From: <sip:a@home1.example.net>;tag=1\r\n\
         To: <sip:a@home1.example.net>;tag=2\r\n\
         Call-ID: c1\r\n\
         CSeq: 1 {method}\r\n\
         {lines}\r\n"
    )
}
