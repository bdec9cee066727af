//! The documents that are compared: those of the collections, and mutations of them.

use super::{
    compare::classes::{BASE, CLASSES, Class},
    spelling,
};
use proptest::prelude::*;
use std::{
    fs,
    path::{Path, PathBuf},
};

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "xml") {
            found.push(path);
        }
    }
}

/// Documents of the field and malformed ones with their names, ours and those that may not be copied.
pub fn documents() -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    files(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures"),
        &mut found,
    );
    if let Some(shared) = std::env::var_os("IMS_CORPUS_DIR") {
        for folder in ["reginfo", "malformed", "external/rfc"] {
            files(&Path::new(&shared).join(folder), &mut found);
        }
    }
    found.sort();
    let read = |path: &PathBuf| (path.display().to_string(), fs::read(path).unwrap());
    found.iter().map(read).collect()
}

/// What mutations begin with: the examples of the classes, documents that use everything, some of the field.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<_> = CLASSES.iter().map(Class::example).collect();
    seeds.push(BASE.into());
    let pattern: Vec<u8> = (0..4_000u32)
        .map(|n| (n.wrapping_mul(n).wrapping_add(n * 7) >> 3) as u8)
        .collect();
    seeds.extend(
        pattern
            .chunks(500)
            .map(|bytes| spelling::any(bytes).1.into_bytes()),
    );
    seeds.extend(documents().into_iter().map(|(_, bytes)| bytes));
    seeds.retain(|seed| seed.len() < 4_000);
    seeds
}

/// What mutations put in.
const PARTS: [&str; 64] = [
    "<",
    ">",
    "&",
    ";",
    "\"",
    "'",
    "/",
    "=",
    ":",
    "!",
    "?",
    "-",
    "]",
    "[",
    " ",
    "\t",
    "\r",
    "\n",
    "\r\n",
    "\0",
    "\u{1}",
    "\u{7f}",
    "\u{85}",
    "\u{fffe}",
    "\u{feff}",
    "é",
    "😀",
    "\u{b7}",
    "/>",
    "</",
    "<x/>",
    "<x>",
    "</x>",
    "<x y='1'/>",
    "<:x/>",
    "<a:b:c/>",
    "<p:x/>",
    "<!--",
    "-->",
    "<!-- - -->",
    "<!---->",
    "<!-- -- -->",
    "<![CDATA[",
    "]]>",
    "<![CDATA[<&]]>",
    "<?x?>",
    "<?xml?>",
    "<?x:y z?>",
    "<?",
    "?>",
    "&amp;",
    "&lt;",
    "&#13;&#10;",
    "&#0;",
    "&#xd7FF;",
    "&#xD800;",
    "&#x10FFFF;",
    "&nbsp;",
    " xmlns=''",
    " xmlns:p='urn:ietf:params:xml:ns:reginfo'",
    " xmlns:q='urn:ietf:params:xml:ns:gruuinfo'",
    " p:id='1'",
    " id='2'",
    "-1",
];

#[derive(Clone, Debug)]
pub enum Change {
    Insert(prop::sample::Index, usize),
    Swap(prop::sample::Index, usize),
    Replace(prop::sample::Index, u8),
    Delete(prop::sample::Index, usize),
    /// A stretch of the document once more, somewhere else.
    Repeat(prop::sample::Index, prop::sample::Index, usize),
}

pub fn change() -> impl Strategy<Value = Change> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        3 => (at(), 0..PARTS.len()).prop_map(|(at, part)| Change::Insert(at, part)),
        2 => (at(), 0..PARTS.len()).prop_map(|(at, part)| Change::Swap(at, part)),
        1 => (at(), any::<u8>()).prop_map(|(at, byte)| Change::Replace(at, byte)),
        1 => (at(), 1..12usize).prop_map(|(at, count)| Change::Delete(at, count)),
        1 => (at(), at(), 1..120usize).prop_map(|(from, to, count)| Change::Repeat(from, to, count)),
    ]
}

/// The document with all changes made. Parts go where markup is, rather than into the middle of words.
pub fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        if bytes.is_empty() {
            break;
        }
        let length = bytes.len();
        let place = |at: &prop::sample::Index| at.index(length);
        let (range, by) = match change {
            Change::Insert(at, part) => {
                let at = boundary(&bytes, place(at));
                (at..at, PARTS[*part].as_bytes().to_vec())
            }
            Change::Swap(at, part) => (place(at)..place(at) + 1, PARTS[*part].as_bytes().to_vec()),
            Change::Replace(at, byte) => (place(at)..place(at) + 1, vec![*byte]),
            Change::Delete(at, count) => (place(at)..length.min(place(at) + count), Vec::new()),
            Change::Repeat(from, to, count) => {
                let from = boundary(&bytes, place(from));
                let to = boundary(&bytes, place(to));
                (to..to, bytes[from..length.min(from + count)].to_vec())
            }
        };
        bytes.splice(range, by);
    }
    bytes
}

/// The next place after a `>`, before a `<`, at a quote or at white space.
fn boundary(bytes: &[u8], at: usize) -> usize {
    let is_boundary = |place: &usize| {
        let before = place.checked_sub(1).and_then(|before| bytes.get(before));
        before.is_some_and(|byte| b">\"'".contains(byte))
            || bytes
                .get(*place)
                .is_some_and(|byte| b"<\"' \n/".contains(byte))
    };
    (at..bytes.len()).find(is_boundary).unwrap_or(at)
}
