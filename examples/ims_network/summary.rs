//! A message in a few words.

use std::fmt::Write;

use ims_procedures::{
    drive::Limits,
    reginfo::{self, ContactState, ContactView, RegistrationView, Visitor},
    wire::{Message, Method, NameAddr, SubState},
};

/// What the message is, without its number: `REGISTER user1 Expires 0`.
pub fn summary(message: &Message<'_>) -> String {
    match message.status() {
        Some(status) => {
            let method = message
                .cseq()
                .map_or(b"?".as_slice(), |cseq| cseq.method.as_bytes());
            format!("{status} {}", lossy(method))
        }
        None => request(message),
    }
}

fn request(message: &Message<'_>) -> String {
    let method = message
        .method()
        .map_or(b"?".as_slice(), |method| method.as_bytes());
    let mut text = lossy(method);
    if message.method() == Some(Method::Notify) {
        notify(message, &mut text);
        return text;
    }
    let subject = match private_identity(message) {
        Some(username) => lossy(
            username
                .split(|b| b"_@".contains(b))
                .next()
                .unwrap_or(username),
        ),
        None => message.to().map(|to| name(&to)).unwrap_or_default(),
    };
    let _ = write!(text, " {subject}");
    if let Ok(Some(expires)) = message.expires() {
        let _ = write!(text, " Expires {expires}");
    }
    text
}

fn notify(message: &Message<'_>, text: &mut String) {
    let state = message
        .subscription_state()
        .ok()
        .flatten()
        .map(|state| state.state);
    text.push_str(match state {
        Some(SubState::Terminated) => " terminated",
        Some(SubState::Pending) => " pending",
        _ => " active",
    });
    let mut contacts = Contacts::default();
    if reginfo::read(message.body(), &Limits::default(), &mut contacts).is_ok() {
        let _ = write!(text, ": {}", contacts.text);
    }
}

/// What a document says of the contacts of its first registration.
#[derive(Default)]
struct Contacts {
    registrations: usize,
    text: String,
}

impl Visitor for Contacts {
    fn registration(&mut self, _: &RegistrationView<'_>) {
        self.registrations += 1;
    }

    fn contact(&mut self, contact: &ContactView<'_>) {
        if self.registrations > 1 {
            return;
        }
        if !self.text.is_empty() {
            self.text.push_str(", ");
        }
        let standing = match (contact.state, contact.event) {
            (ContactState::Terminated, Some(event)) => event.as_str(),
            (state, _) => state.as_str(),
        };
        let _ = write!(self.text, "{} {standing}", host_name(contact.uri));
    }
}

/// `ue1` of `sip:ue1.visited1.example.net:5060`.
fn host_name(uri: &str) -> &str {
    let host = uri.strip_prefix("sip:").unwrap_or(uri);
    host.split('.').next().unwrap_or(host)
}

/// `shared` of `<sip:shared@home1.example.net>`.
fn name(address: &NameAddr<'_>) -> String {
    let uri = address.uri();
    lossy(uri.user().unwrap_or_else(|| uri.raw()))
}

/// The private identity in Authorization.
pub fn private_identity<'m>(message: &Message<'m>) -> Option<&'m [u8]> {
    message.authorization().ok().flatten()?.username()
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
