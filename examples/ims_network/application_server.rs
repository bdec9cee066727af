//! An application server: it hears by third-party REGISTER who is registered, and answers each.

use std::collections::BTreeSet;

use ims_procedures::{
    drive::{Buffer, Identifiers, Limits},
    wire::{Message, Method, Writer},
};

use crate::replies::Replies;

/// The application server.
pub struct ApplicationServer {
    identifiers: Identifiers,
    replies: Replies,
    /// Public identities that are registered, as far as it was told.
    registered: BTreeSet<Vec<u8>>,
}

impl ApplicationServer {
    pub fn new(identifiers: Identifiers) -> Self {
        Self {
            identifiers,
            replies: Replies::default(),
            registered: BTreeSet::new(),
        }
    }

    pub fn is_registered(&self, public_identity: &str) -> bool {
        self.registered.contains(public_identity.as_bytes())
    }

    /// A message has arrived. What it returns is to be sent back.
    pub fn receive(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let request = Message::parse(bytes, &Limits::default()).ok()?;
        if request.method() != Some(Method::Register) {
            return None;
        }
        if let Some(answer) = self.replies.given(&request) {
            return Some(answer.to_vec());
        }
        let identity = request.to().ok()?.uri_bytes();
        if request.expires() == Ok(Some(0)) {
            self.registered.remove(identity);
        } else {
            self.registered.insert(identity.to_vec());
        }
        let tag = self.identifiers.next();
        let mut buffer = Buffer::new(bytes.len() + 256);
        // No Contact: it has no binding of its own to tell of.
        Writer::respond_to(&mut buffer, &request, 200, Some(tag)).finish();
        if buffer.take_fault().is_some() {
            return None;
        }
        self.replies.remember(&request, buffer.as_slice());
        Some(buffer.as_slice().to_vec())
    }
}
