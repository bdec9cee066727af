//! Start tags: names, attributes, namespace declarations. Nothing here knows a registration.

use alloc::vec::Vec;

use super::{
    defect,
    names::Namespace,
    xml::{Kind, Scratch, is_wide_name, referenced},
};
use crate::drive::Reject;

const START: u8 = 1;
const NAME: u8 = 2;
const COLON: u8 = 4;
const WIDE: u8 = 8;
const WHITE: u8 = 16;
/// What ends a run of an attribute value, or makes it mean something else than it says.
const STOP: u8 = 32;

const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0usize;
    while byte < 256 {
        let class = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => START | NAME,
            b'0'..=b'9' | b'-' | b'.' => NAME,
            b':' => COLON,
            b' ' => WHITE,
            b'\t' | b'\n' | b'\r' => WHITE | STOP,
            b'<' | b'&' | 0..=0x1f => STOP,
            0x80.. => START | NAME | WIDE,
            _ => 0,
        };
        #[allow(clippy::indexing_slicing)]
        {
            classes[byte] = class;
        }
        byte = byte.wrapping_add(1);
    }
    classes
};

#[inline]
fn class(byte: u8) -> u8 {
    CLASSES.get(usize::from(byte)).copied().unwrap_or(0)
}

/// A qualified name ([Namespaces in XML 1.0, 4]).
#[derive(Clone, Copy, Debug)]
pub(super) struct Name<'a> {
    pub(super) whole: &'a str,
    /// Bytes of the prefix; 0 for none.
    prefix: usize,
}

impl<'a> Name<'a> {
    pub(super) fn prefix(&self) -> &'a str {
        self.whole.get(..self.prefix).unwrap_or_default()
    }

    pub(super) fn local(&self) -> &'a str {
        match self.prefix {
            0 => self.whole,
            prefix => self
                .whole
                .get(prefix.saturating_add(1)..)
                .unwrap_or_default(),
        }
    }

    /// The name that begins at byte `from` of the tag, up to whatever cannot be part of one.
    #[inline]
    pub(super) fn scan(tag: &'a str, from: usize) -> Option<Self> {
        let bytes = tag.as_bytes();
        let mut met = 0u8;
        let mut at = scan_part(bytes, from, &mut met)?;
        let mut prefix = 0usize;
        if bytes.get(at) == Some(&b':') {
            prefix = at.wrapping_sub(from);
            at = scan_part(bytes, at.wrapping_add(1), &mut met)?;
        }
        let name = Self {
            whole: tag.get(from..at)?,
            prefix,
        };
        if met & WIDE == 0 || name.is_wide() {
            Some(name)
        } else {
            None
        }
    }

    fn is_wide(&self) -> bool {
        (self.prefix == 0 || is_wide_name(self.prefix())) && is_wide_name(self.local())
    }
}

/// The end of a name without colon that begins at byte `at`.
#[inline]
fn scan_part(bytes: &[u8], at: usize, met: &mut u8) -> Option<usize> {
    let rest = bytes.get(at..)?;
    if class(*rest.first()?) & START == 0 {
        return None;
    }
    let length = rest
        .iter()
        .position(|byte| {
            let class = class(*byte);
            *met |= class;
            class & NAME == 0
        })
        .unwrap_or(rest.len());
    Some(at.wrapping_add(length))
}

/// One attribute of a start tag, as it stands there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attribute<'a> {
    pub(super) name: &'a str,
    /// Between the quotes, references not resolved.
    pub(super) value: &'a str,
    /// Where the value begins in the document.
    pub(super) at: usize,
    /// Neither references nor control characters: the value is what it says.
    pub(super) plain: bool,
}

/// The attributes of one start tag at a time.
#[derive(Debug)]
pub(super) struct Attributes<'a> {
    table: Vec<Attribute<'a>>,
    limit: usize,
    declares: bool,
}

impl<'a> Attributes<'a> {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            table: Vec::with_capacity(limit.min(16)),
            limit,
            declares: false,
        }
    }

    pub(super) fn iter(&self) -> core::slice::Iter<'_, Attribute<'a>> {
        self.table.iter()
    }

    /// Whether a namespace is declared among them.
    pub(super) const fn declares(&self) -> bool {
        self.declares
    }

    /// [RI-2] Reads the attributes of a tag from byte `from` of it on; the tag itself begins at byte `base` of
    /// the document. References are checked here, whether the attribute will be looked at or not.
    #[inline]
    pub(super) fn scan(&mut self, tag: &'a str, from: usize, base: usize) -> Result<(), Reject> {
        self.table.clear();
        self.declares = false;
        if from >= tag.len() {
            return Ok(());
        }
        self.scan_all(tag, from, base)
    }

    fn scan_all(&mut self, tag: &'a str, from: usize, base: usize) -> Result<(), Reject> {
        let bytes = tag.as_bytes();
        let mut seen = 0u64;
        let mut at = from;
        loop {
            let begin = skip_white(bytes, at);
            if begin >= bytes.len() {
                return Ok(());
            }
            let malformed = || Reject::new(&defect::MALFORMED, base.wrapping_add(begin));
            if begin == at {
                return Err(malformed());
            }
            let name = Name::scan(tag, begin).ok_or_else(malformed)?.whole;
            let after = begin.wrapping_add(name.len());
            let (open, quote) = match bytes.get(after..) {
                Some([b'=', quote @ (b'"' | b'\''), ..]) => (after.wrapping_add(1), *quote),
                _ => spaced_quote(bytes, after).ok_or_else(malformed)?,
            };
            let start = open.wrapping_add(1);
            let (end, plain) = scan_value(tag, start, quote, base)?;
            let attribute = Attribute {
                name,
                value: tag.get(start..end).ok_or_else(malformed)?,
                at: base.wrapping_add(start),
                plain,
            };
            self.push(attribute, base.wrapping_add(begin), &mut seen)?;
            at = end.wrapping_add(1);
        }
    }

    /// [RI-2] Takes one more. A bit for each name seen keeps the search for a duplicate to the names that may
    /// be one; the limit bounds it at worst.
    #[inline]
    fn push(&mut self, attribute: Attribute<'a>, at: usize, seen: &mut u64) -> Result<(), Reject> {
        if self.table.len() >= self.limit {
            return Err(Reject::new(&defect::TOO_MANY_ATTRIBUTES, at));
        }
        let name = attribute.name.as_bytes();
        let first = name.first().copied().unwrap_or(0);
        let last = name.last().copied().unwrap_or(0);
        let mixed = first
            .wrapping_mul(31)
            .wrapping_add(last)
            .wrapping_add(name.len() as u8);
        let bit = 1u64 << (mixed & 63);
        if *seen & bit != 0 && self.table.iter().any(|other| other.name == attribute.name) {
            return Err(Reject::new(&defect::DUPLICATE_ATTRIBUTE, at));
        }
        *seen |= bit;
        self.declares |= first == b'x' && attribute.name.starts_with("xmlns");
        self.table.push(attribute);
        Ok(())
    }
}

/// The quote that opens a value, and where, when there is white space around the equals sign.
#[cold]
fn spaced_quote(bytes: &[u8], at: usize) -> Option<(usize, u8)> {
    let equals = skip_white(bytes, at);
    if bytes.get(equals) != Some(&b'=') {
        return None;
    }
    let open = skip_white(bytes, equals.wrapping_add(1));
    match bytes.get(open) {
        Some(quote @ (b'"' | b'\'')) => Some((open, *quote)),
        _ => None,
    }
}

#[inline]
fn skip_white(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(|b| class(*b) & WHITE != 0) {
        at = at.wrapping_add(1);
    }
    at
}

/// The end of a value that begins at byte `at` of the tag, and whether it is plain.
#[inline]
fn scan_value(tag: &str, at: usize, quote: u8, base: usize) -> Result<(usize, bool), Reject> {
    let bytes = tag.as_bytes();
    let mut plain = true;
    let mut at = at;
    loop {
        at = at.wrapping_add(run(bytes.get(at..).unwrap_or_default(), quote));
        match bytes.get(at) {
            Some(byte) if *byte == quote => return Ok((at, plain)),
            Some(b'&') => {
                plain = false;
                at = scan_reference(tag, at, base)?;
            }
            Some(b'<') | None => {
                return Err(Reject::new(&defect::MALFORMED, base.wrapping_add(at)));
            }
            Some(_) => plain = false,
        }
        at = at.wrapping_add(1);
    }
}

const fn each(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// How many bytes come before the first that is the quote, `<`, `&` or a control character. Eight are looked
/// at together: a byte that is zero, or below a bound, is the lowest to borrow in a subtraction.
#[inline]
fn run(bytes: &[u8], quote: u8) -> usize {
    let quotes = each(quote);
    let mut length = 0usize;
    let words = bytes.chunks_exact(8);
    let rest = words.remainder();
    for word in words {
        let word = u64::from_le_bytes(word.try_into().unwrap_or_default());
        let zero = |word: u64| word.wrapping_sub(each(1)) & !word;
        let stops = zero(word ^ quotes)
            | zero(word ^ each(b'<'))
            | zero(word ^ each(b'&'))
            | (word.wrapping_sub(each(0x20)) & !word);
        let stops = stops & each(0x80);
        if stops != 0 {
            return length.wrapping_add((stops.trailing_zeros() / 8) as usize);
        }
        length = length.wrapping_add(8);
    }
    let stops = |byte: u8| byte == quote || class(byte) & STOP != 0;
    let tail = rest.iter().position(|b| stops(*b)).unwrap_or(rest.len());
    length.wrapping_add(tail)
}

/// The place of the semicolon of the reference that begins at byte `at`. Its name ends at the first byte that
/// cannot be part of one, so that no byte is looked at more often than twice.
fn scan_reference(tag: &str, at: usize, base: usize) -> Result<usize, Reject> {
    let bare = Reject::new(&defect::BARE_AMPERSAND, base.wrapping_add(at));
    let start = at.wrapping_add(1);
    let rest = tag.as_bytes().get(start..).unwrap_or_default();
    let length = rest
        .iter()
        .position(|b| *b != b'#' && class(*b) & (NAME | COLON) == 0)
        .unwrap_or(rest.len());
    if rest.get(length) != Some(&b';') {
        return Err(bare);
    }
    let end = start.wrapping_add(length);
    referenced(
        tag.get(start..end).unwrap_or_default(),
        base.wrapping_add(at),
    )?;
    Ok(end)
}

#[derive(Clone, Copy, Debug)]
struct Binding<'a> {
    prefix: &'a str,
    namespace: Namespace,
    depth: usize,
}

/// [RI-1] The prefixes in scope that are, or hide, one of our namespaces. All others mean the same to us as
/// one that was never declared.
#[derive(Debug)]
pub(super) struct Namespaces<'a> {
    bindings: Vec<Binding<'a>>,
    default: Namespace,
    limit: usize,
}

impl<'a> Namespaces<'a> {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            bindings: Vec::with_capacity(8),
            default: Namespace::Unknown,
            limit,
        }
    }

    /// Takes the declarations of an element that opens at this depth.
    pub(super) fn declare(
        &mut self,
        attributes: &Attributes<'a>,
        depth: usize,
        scratch: &mut Scratch,
    ) -> Result<(), Reject> {
        for attribute in attributes.iter() {
            let prefix = match attribute.name.strip_prefix("xmlns") {
                Some("") => "",
                Some(rest) if rest.starts_with(':') => rest.trim_start_matches(':'),
                _ => continue,
            };
            let before = scratch.len();
            let value = scratch.attribute(attribute, Kind::Text)?;
            let namespace = Namespace::of(scratch.get(value));
            scratch.truncate(before);
            if namespace == Namespace::Unknown && self.resolve(prefix) == Namespace::Unknown {
                continue;
            }
            if self.bindings.len() >= self.limit {
                return Err(Reject::new(&defect::TOO_MANY_NAMESPACES, attribute.at));
            }
            self.bindings.push(Binding {
                prefix,
                namespace,
                depth,
            });
            if prefix.is_empty() {
                self.default = namespace;
            }
        }
        Ok(())
    }

    /// Forgets the declarations of the element that closes at this depth.
    pub(super) fn leave(&mut self, depth: usize) {
        let mut left = false;
        while self
            .bindings
            .last()
            .is_some_and(|binding| binding.depth >= depth)
        {
            self.bindings.pop();
            left = true;
        }
        if left {
            self.default = self.resolve("");
        }
    }

    pub(super) fn of(&self, prefix: &str) -> Namespace {
        match prefix {
            "" => self.default,
            _ => self.resolve(prefix),
        }
    }

    fn resolve(&self, prefix: &str) -> Namespace {
        self.bindings
            .iter()
            .rev()
            .find(|binding| binding.prefix == prefix)
            .map_or(Namespace::Unknown, |binding| binding.namespace)
    }
}
