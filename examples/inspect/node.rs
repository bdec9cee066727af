//! What is printed, before it is a tree or JSON: values under keys, in the order in which they were read.

use serde::ser::{Serialize, SerializeMap, Serializer};
use std::fmt::Write as _;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    Null,
    Bool(bool),
    Number(u64),
    /// A number with up to three decimals.
    Thousandths(u16),
    Text(String),
    /// A body that is not read. What is text in JSON may take many lines in a tree.
    Body(Vec<u8>),
    List(Vec<Node>),
    Object(Object),
}

/// Keys and what stands under them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object {
    pub entries: Vec<(String, Node)>,
}

impl Object {
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more key.
    pub fn with(mut self, key: &str, value: impl Into<Node>) -> Self {
        self.entries.push((key.to_owned(), value.into()));
        self
    }

    /// With one more key, if there is anything to say under it.
    pub fn with_some(self, key: &str, value: Option<impl Into<Node>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// What stands under a key that is the same in any case; new ones are added with `first` below them.
    pub fn entry(&mut self, key: &str, first: Node) -> &mut Node {
        let same = |(own, _): &(String, Node)| own.eq_ignore_ascii_case(key);
        let place = match self.entries.iter().position(same) {
            Some(place) => place,
            None => {
                self.entries.push((key.to_owned(), first));
                self.entries.len() - 1
            }
        };
        &mut self.entries[place].1
    }
}

impl From<Object> for Node {
    fn from(object: Object) -> Self {
        Self::Object(object)
    }
}

impl From<Vec<Node>> for Node {
    fn from(list: Vec<Node>) -> Self {
        Self::List(list)
    }
}

impl From<bool> for Node {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<u64> for Node {
    fn from(value: u64) -> Self {
        Self::Number(value)
    }
}

impl From<u32> for Node {
    fn from(value: u32) -> Self {
        Self::Number(value.into())
    }
}

impl From<u16> for Node {
    fn from(value: u16) -> Self {
        Self::Number(value.into())
    }
}

impl From<usize> for Node {
    fn from(value: usize) -> Self {
        Self::Number(value as u64)
    }
}

impl From<String> for Node {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&str> for Node {
    fn from(value: &str) -> Self {
        Self::Text(escaped(value.as_bytes()))
    }
}

impl From<&[u8]> for Node {
    fn from(value: &[u8]) -> Self {
        Self::Text(escaped(value))
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(value) => serializer.serialize_u64(*value),
            Self::Thousandths(value) => serializer.serialize_f64(f64::from(*value) / 1_000.0),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Body(bytes) => serializer.serialize_str(&escaped(bytes)),
            Self::List(list) => serializer.collect_seq(list),
            Self::Object(object) => {
                let mut map = serializer.serialize_map(Some(object.entries.len()))?;
                for (key, value) in &object.entries {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

/// Bytes as text from which they can be had again: what is no UTF-8, and control characters, as `\xNN` byte by
/// byte, a backslash as two.
pub fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\\' => text.push_str("\\\\"),
                c if c.is_control() => put_bytes(&mut text, c.to_string().as_bytes()),
                c => text.push(c),
            }
        }
        put_bytes(&mut text, chunk.invalid());
    }
    text
}

fn put_bytes(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(text, "\\x{byte:02x}");
    }
}
