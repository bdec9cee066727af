//! Addresses: their lists as typed values, and their writing.

use core::fmt;

use super::text::{Text, WriteValue, put_params, put_string};
use crate::{
    drive::{Buffer, Reject},
    wire::{Contact, ContactAddr, NameAddr, NameAddrs, scan},
};

/// An address as it was read: display name, URI in angle brackets, parameters of the grammar.
impl WriteValue for NameAddr<'_> {
    fn write_value(&self, buffer: &mut Buffer) {
        put_address(buffer, self);
        put_params(buffer, self.params(), &[]);
    }
}

/// Display name and URI, without the parameters.
pub(super) fn put_address(buffer: &mut Buffer, address: &NameAddr<'_>) {
    if let Some(display) = address.display().filter(|display| !display.is_empty()) {
        put_display(buffer, address.raw().first() == Some(&b'"'), display);
        buffer.put(b" ");
    }
    buffer.put(b"<");
    buffer.put_value(address.uri_bytes());
    buffer.put(b">");
}

/// Tokens stay tokens; whatever else stood without quotes gets them.
fn put_display(buffer: &mut Buffer, quoted: bool, display: &[u8]) {
    let mut words = display.split(|b| scan::is(*b, scan::LWS));
    if quoted {
        put_string(buffer, Text::inside_quotes(display));
    } else if words.all(|word| word.is_empty() || scan::is_token(word)) {
        crate::wire::put_unfolded(buffer, display);
    } else {
        put_string(buffer, Text::new(display));
    }
}

impl WriteValue for Contact<'_> {
    fn write_value(&self, buffer: &mut Buffer) {
        match self {
            Self::Star => buffer.put(b"*"),
            Self::Addr(address) => address.write_value(buffer),
        }
    }
}

/// The values of one Contact field.
#[derive(Clone)]
pub struct Contacts<'a> {
    list: NameAddrs<'a>,
    at: usize,
}

impl fmt::Debug for Contacts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.list.fmt(f)
    }
}

impl<'a> Contacts<'a> {
    pub(super) const fn new(value: &'a [u8], at: usize) -> Self {
        Self {
            list: NameAddr::parse_list(value).at(at),
            at,
        }
    }
}

impl<'a> Iterator for Contacts<'a> {
    type Item = Result<Contact<'a>, Reject>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.list.take_star() {
            return Some(Ok(Contact::Star));
        }
        let address = self.list.next()?;
        Some(address.and_then(|address| ContactAddr::new(address, self.at).map(Contact::Addr)))
    }
}
