//! A message in a few words.

use std::fmt::Write;

use ims_procedures::{
    drive::Limits,
    wire::{HeaderName, Message, sdp::Description},
};

/// What the message is, without its number: `BYE, Message-UID 1`.
pub fn summary(message: &Message<'_>) -> String {
    let method = match message.cseq() {
        Ok(cseq) => String::from_utf8_lossy(cseq.method.as_bytes()).into_owned(),
        Err(_) => "?".to_owned(),
    };
    let mut text = match message.status() {
        Some(status) => format!("{status} {method}"),
        None => method,
    };
    if let Some(uid) = uid(message) {
        let _ = write!(text, ", Message-UID {uid}");
    }
    if message.status().is_none() && !message.body().is_empty() {
        let _ = write!(text, ", {}", streams(message.body()));
    }
    text
}

/// The value of Message-UID.
pub fn uid(message: &Message<'_>) -> Option<String> {
    let uid = message.header(HeaderName::MessageUid)?;
    Some(String::from_utf8_lossy(uid.raw()).into_owned())
}

/// How many streams a session description has, and how many of them are deleted.
fn streams(body: &[u8]) -> String {
    match Description::parse(body, &Limits::default()) {
        Ok(description) => {
            let live = description.live().len();
            format!("{live} of {} streams", description.streams().count())
        }
        Err(reject) => format!("no session description: {reject}"),
    }
}

/// No message here has one.
pub const fn private_identity<'m>(_: &Message<'m>) -> Option<&'m [u8]> {
    None
}
