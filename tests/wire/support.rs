//! What the tests of this layer share.

use ims_procedures::{
    drive::{Buffer, Limits, Reject},
    wire::{Edit, Frame, Framer, HeaderName, Message, Reply, Required, Writer, rewrite},
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

/// The offset of the first `needle` in `bytes`.
pub(crate) fn place(bytes: &[u8], needle: &str) -> usize {
    bytes
        .windows(needle.len())
        .position(|w| w == needle.as_bytes())
        .unwrap()
}

/// What is wrong with what every message must have.
fn required_fault(message: &Message<'_>) -> Option<Reject> {
    match message.is_request() {
        true => Required::read(message).err(),
        false => Reply::read(message).err(),
    }
}

/// Everything that is wrong with what can be read of a message: what it must have, each value of each header
/// field, and what concerns several fields.
pub(crate) fn faults(message: &Message<'_>) -> Vec<Reject> {
    let mut faults = Vec::new();
    faults.extend(required_fault(message));
    faults.extend(message.fields().filter_map(|field| field.read().err()));
    faults.extend(message.contacts().filter_map(Result::err));
    faults.extend(message.expires().err());
    faults.extend(message.authorization().err());
    faults.extend(message.event().err());
    faults.extend(message.subscription_state().err());
    faults
}

/// The first fault of a message, framing and values.
pub(crate) fn read(bytes: &[u8]) -> Result<(), Reject> {
    match faults(&parse(bytes)?).first() {
        None => Ok(()),
        Some(reject) => Err(*reject),
    }
}

/// Reads everything that can be read of any bytes; every offset of a refusal lies within them, and what is
/// read is passed on byte for byte.
pub(crate) fn read_all(bytes: &[u8]) {
    let within = |at: u32| assert!(at as usize <= bytes.len());
    let message = match parse(bytes) {
        Ok(message) => message,
        Err(reject) => return within(reject.at),
    };
    for reject in faults(&message) {
        within(reject.at);
    }
    for field in message.fields() {
        assert_eq!(
            &bytes[field.value.at()..][..field.value.raw().len()],
            field.value.raw()
        );
        for reject in message.name_addrs(field.name).filter_map(Result::err) {
            within(reject.at);
        }
        let _ = field.value.elements().count();
        let _ = field.value.params().iter().count();
    }
    let _ = (
        message.retry_after(),
        message.min_expires(),
        message.content_type_is(b"a/b"),
    );
    let copy = written(|b| rewrite(&message, b, |_| Edit::Keep)).unwrap();
    assert_eq!(copy, &bytes[..message.end()]);
    assert!(written(|b| Writer::respond_to(b, &message, 400, None).finish()).is_ok());
    let _ = frame(bytes, &Limits::default());
}

/// The names that the crate knows, from its own table.
pub(crate) fn known_names() -> Vec<&'static str> {
    let names = HeaderName::ALL.iter().map(|name| name.canonical_name());
    names
        .map(|name| std::str::from_utf8(name).unwrap())
        .collect()
}

/// How many bytes the first message on a stream takes, line ends before it included; `None` while too few have come.
pub(crate) fn frame(bytes: &[u8], limits: &Limits) -> Result<Option<usize>, Reject> {
    let mut framer = Framer::new(limits);
    let mut at = 0;
    loop {
        match framer.next(&bytes[at..])? {
            Frame::Message { length } => return Ok(Some(at + length)),
            Frame::Incomplete { .. } => return Ok(None),
            keep_alive => at += keep_alive.consumed(),
        }
    }
}
