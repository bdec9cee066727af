//! What the tests of this layer share.

use ims_procedures::{
    drive::{Buffer, Limits, Reject},
    wire::Message,
};
use std::{
    fs,
    path::{Path, PathBuf},
};

pub(crate) fn fixture_files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "sip"))
        .collect();
    files.sort();
    files
}

pub(crate) fn fixture(name: &str) -> Vec<u8> {
    fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures")
            .join(name),
    )
    .unwrap()
}

pub(crate) fn parse(bytes: &[u8]) -> Result<Message<'_>, Reject> {
    Message::parse(bytes, &Limits::default())
}

/// What is written, or the first fault.
pub(crate) fn written(
    write: impl FnOnce(&mut Buffer),
) -> Result<Vec<u8>, ims_procedures::drive::Unwritable> {
    let mut buffer = Buffer::new(70_000);
    buffer.attempt(write)?;
    Ok(buffer.as_slice().to_vec())
}

/// A request with these header lines after the mandatory ones.
pub(crate) fn request_with(lines: &str) -> Vec<u8> {
    format!(
        "REGISTER sip:home1.example.net SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:a@home1.example.net>;tag=1\r\n\
         To: <sip:a@home1.example.net>\r\n\
         Call-ID: c1\r\n\
         CSeq: 1 REGISTER\r\n\
         {lines}\r\n"
    )
    .into_bytes()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
