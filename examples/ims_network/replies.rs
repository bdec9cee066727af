//! What a server without a transaction layer needs: the same answer for the same request.

use std::collections::HashMap;

use ims_procedures::wire::Message;

/// The answers given, by the branch of the request.
#[derive(Debug, Default)]
pub struct Replies(HashMap<Vec<u8>, Vec<u8>>);

impl Replies {
    /// The answer to this request, if it has been given before.
    pub fn given(&self, request: &Message<'_>) -> Option<&[u8]> {
        self.0.get(branch(request)?).map(Vec::as_slice)
    }

    pub fn remember(&mut self, request: &Message<'_>, answer: &[u8]) {
        if let Some(branch) = branch(request) {
            self.0.insert(branch.to_vec(), answer.to_vec());
        }
    }
}

/// The branch of the topmost Via, which stays the same when a request is sent again (RFC 3261 17.2.3).
fn branch<'m>(request: &Message<'m>) -> Option<&'m [u8]> {
    request.via().ok()?.branch()
}
