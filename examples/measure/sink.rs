//! Where the fields that were read go: nowhere, cheaply, or onto the screen.

use std::{hint::black_box, net::Ipv6Addr};

use ims_procedures::wire::Host;

/// Takes fields one after the other.
pub(crate) trait Sink {
    /// A field as bytes; `None` where the message has none.
    fn bytes(&mut self, field: Option<&[u8]>);
    /// A field as a number; `None` where the message has none.
    fn number(&mut self, field: Option<u64>);

    /// A host, as a name or as the bytes of its address.
    fn host(&mut self, host: Option<Host<'_>>);
}

/// Looks at the length and the ends of each field: it must have been read, and costs next to nothing.
#[derive(Default)]
pub(crate) struct Digest(pub(crate) u64);

impl Digest {
    #[inline(always)]
    fn mix(&mut self, value: u64) {
        self.0 = self.0.rotate_left(5) ^ value;
    }
}

impl Sink for Digest {
    #[inline(always)]
    fn bytes(&mut self, field: Option<&[u8]>) {
        let field = field.unwrap_or(b"U");
        let first = u64::from(field.first().copied().unwrap_or_default());
        let last = u64::from(field.last().copied().unwrap_or_default());
        self.mix(field.len() as u64 ^ (first << 8) ^ (last << 16));
    }

    #[inline(always)]
    fn number(&mut self, field: Option<u64>) {
        self.mix(field.unwrap_or(0x55));
    }

    #[inline(always)]
    fn host(&mut self, host: Option<Host<'_>>) {
        match host {
            Some(Host::Name(name)) => self.bytes(Some(name)),
            Some(Host::V4(address)) => self.bytes(Some(&address)),
            Some(Host::V6(address)) => self.bytes(Some(&address)),
            None => self.bytes(None),
        }
    }
}

/// The fields with a bar after each.
#[derive(Default)]
pub(crate) struct Dump(pub(crate) String);

impl Dump {
    fn add(&mut self, field: &str) {
        self.0.push_str(field);
        self.0.push('|');
    }
}

impl Sink for Dump {
    fn bytes(&mut self, field: Option<&[u8]>) {
        match field {
            Some(field) => self.add(&String::from_utf8_lossy(field)),
            None => self.add("-"),
        }
    }

    fn number(&mut self, field: Option<u64>) {
        match field {
            Some(field) => self.add(&field.to_string()),
            None => self.add("-"),
        }
    }

    fn host(&mut self, host: Option<Host<'_>>) {
        match host {
            Some(Host::Name(name)) => self.bytes(Some(name)),
            Some(Host::V4([a, b, c, d])) => self.add(&format!("{a}.{b}.{c}.{d}")),
            Some(Host::V6(address)) => self.add(&Ipv6Addr::from(address).to_string()),
            None => self.add("-"),
        }
    }
}

/// Keeps a sink's result alive.
pub(crate) fn seen(digest: Digest) -> u64 {
    black_box(digest.0)
}
