//! Messages of many users: one text, in which what differs is written over.

/// Bytes of an identifier of ours, as Call-ID or tag.
pub const IDENTIFIER: usize = 34;

/// What stands in a template until it is filled: as many of them as the value has bytes.
const USER: u8 = b'#';
const NUMBER: u8 = b'$';
const CALL_ID: u8 = b'~';
const TAG: u8 = b'^';

/// What a message of a user says of its own.
#[derive(Clone, Copy)]
pub struct Values<'a> {
    pub user: u32,
    /// The CSeq, and the version of a document.
    pub number: u32,
    pub call_id: &'a [u8; IDENTIFIER],
    pub tag: &'a [u8; IDENTIFIER],
}

/// A message with places for the values of a user.
pub struct Template {
    bytes: Vec<u8>,
    places: Vec<Place>,
}

#[derive(Clone, Copy)]
struct Place {
    what: u8,
    start: usize,
    len: usize,
}

impl Template {
    /// Runs of `#` are places for the user's number, of `$` for CSeq and version, of `~` for the Call-ID, of `^`
    /// for the tag.
    pub fn new(text: &str) -> Self {
        let bytes = text.as_bytes().to_vec();
        let mut places: Vec<Place> = Vec::new();
        for (at, what) in bytes.iter().copied().enumerate() {
            if ![USER, NUMBER, CALL_ID, TAG].contains(&what) {
                continue;
            }
            match places.last_mut() {
                Some(last) if last.what == what && last.start + last.len == at => last.len += 1,
                _ => places.push(Place {
                    what,
                    start: at,
                    len: 1,
                }),
            }
        }
        Self { bytes, places }
    }

    /// The message with these values, until it is filled again.
    pub fn fill(&mut self, values: Values<'_>) -> &[u8] {
        for place in &self.places {
            let into = &mut self.bytes[place.start..place.start + place.len];
            match place.what {
                USER => decimal(values.user, into),
                NUMBER => decimal(values.number, into),
                CALL_ID => into.copy_from_slice(values.call_id),
                _ => into.copy_from_slice(values.tag),
            }
        }
        &self.bytes
    }
}

/// The lowest digits of a number, as many as there is room for.
fn decimal(mut number: u32, into: &mut [u8]) {
    for digit in into.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}
