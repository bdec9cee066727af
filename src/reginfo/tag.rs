//! Start tags: names, attributes, namespace declarations. Nothing here knows a registration.

use alloc::vec::Vec;

use super::{
    defect,
    key::Key,
    names::{Element, Namespace},
    word::{bytes_below, controls, each, lowest, word_at, zeros},
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

/// The name of a tag.
#[derive(Clone, Copy, Debug)]
pub(super) struct TagName<'a> {
    /// Empty for none.
    pub(super) prefix: &'a [u8],
    /// The element that has the local name, in whatever namespace.
    pub(super) element: Element,
    /// Where it ends in the document.
    pub(super) end: usize,
}

impl<'a> TagName<'a> {
    /// The name of the tag that begins at byte `from` of the document, with `length` bytes before the first white
    /// space or the end of the tag. Where those are a name of ours, they need not be read byte by byte.
    #[inline]
    pub(super) fn scan(document: &'a str, from: usize, length: usize) -> Option<Self> {
        let bytes = document.as_bytes();
        let end = from.wrapping_add(length);
        let whole = bytes.get(from..end)?;
        let element = Element::named(whole);
        if element != Element::Unknown {
            let prefix = b"";
            return Some(Self {
                prefix,
                element,
                end,
            });
        }
        let mut met = 0u8;
        let colon = scan_part(bytes, from, &mut met)?;
        if let (0, Some([b':', local @ ..])) = (met & WIDE, bytes.get(colon..end)) {
            let element = Element::named(local);
            if element != Element::Unknown {
                let prefix = bytes.get(from..colon)?;
                return Some(Self {
                    prefix,
                    element,
                    end,
                });
            }
        }
        Self::scan_any(document, from)
    }

    /// Any other name: it ends at whatever cannot be part of one.
    fn scan_any(document: &'a str, from: usize) -> Option<Self> {
        let bytes = document.as_bytes();
        let name = Name::scan(document, from)?;
        let (prefix, local) = match name.colon {
            Some(colon) => (
                bytes.get(from..colon)?,
                bytes.get(colon.wrapping_add(1)..name.end)?,
            ),
            None => (&b""[..], bytes.get(from..name.end)?),
        };
        Some(Self {
            prefix,
            element: Element::named(local),
            end: name.end,
        })
    }
}

/// Where the parts of a qualified name end ([Namespaces in XML 1.0, 4]).
#[derive(Clone, Copy, Debug)]
struct Name {
    colon: Option<usize>,
    end: usize,
}

impl Name {
    /// The name that begins at byte `from` of the document, up to whatever cannot be part of one.
    fn scan(document: &str, from: usize) -> Option<Self> {
        let bytes = document.as_bytes();
        let mut met = 0u8;
        let mut end = scan_part(bytes, from, &mut met)?;
        let mut colon = None;
        if bytes.get(end) == Some(&b':') {
            colon = Some(end);
            end = scan_part(bytes, end.wrapping_add(1), &mut met)?;
        }
        let name = Self { colon, end };
        (met & WIDE == 0 || name.is_wide(document, from)).then_some(name)
    }

    #[cold]
    fn is_wide(&self, document: &str, from: usize) -> bool {
        let wide = |from: usize, to: usize| document.get(from..to).is_some_and(is_wide_name);
        match self.colon {
            Some(colon) => wide(from, colon) && wide(colon.wrapping_add(1), self.end),
            None => wide(from, self.end),
        }
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
    pub(super) key: Key,
    pub(super) name: &'a [u8],
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

    #[inline]
    pub(super) fn iter(&self) -> core::slice::Iter<'_, Attribute<'a>> {
        self.table.iter()
    }

    /// Whether a namespace is declared among them.
    pub(super) const fn declares(&self) -> bool {
        self.declares
    }

    /// [RI-2] Reads the attributes of a tag that ends before byte `to` of the document, from byte `from` on.
    /// References are checked here, whether the attribute will be looked at or not.
    #[inline]
    pub(super) fn scan(&mut self, document: &'a str, from: usize, to: usize) -> Result<(), Reject> {
        self.table.clear();
        self.declares = false;
        if from >= to {
            return Ok(());
        }
        self.scan_all(document, from, to)
    }

    fn scan_all(&mut self, document: &'a str, from: usize, to: usize) -> Result<(), Reject> {
        let bytes = document.as_bytes();
        let mut seen = 0u64;
        let mut at = from;
        loop {
            let begin = skip_white(bytes, at);
            if begin >= to {
                return Ok(());
            }
            let malformed = || Reject::new(&defect::MALFORMED, begin);
            if begin == at {
                return Err(malformed());
            }
            let (key, after) = match Key::at(bytes, begin) {
                Some((key, length)) => (key, begin.wrapping_add(length)),
                None => any_key(document, begin).ok_or_else(malformed)?,
            };
            let (open, quote) = match bytes.get(after..) {
                Some([b'=', quote @ (b'"' | b'\''), ..]) => (after.wrapping_add(1), *quote),
                _ => spaced_quote(bytes, after).ok_or_else(malformed)?,
            };
            let start = open.wrapping_add(1);
            let (end, plain) = scan_value(document, start, to, quote)?;
            let attribute = Attribute {
                key,
                name: bytes.get(begin..after).unwrap_or_default(),
                value: document.get(start..end).unwrap_or_default(),
                at: start,
                plain,
            };
            self.push(attribute, begin, &mut seen)?;
            at = end.wrapping_add(1);
        }
    }

    /// [RI-2] Takes one more, that begins at byte `at`. Each known name seen has a bit of its own; the others
    /// share the rest, which keeps the search for a duplicate to those that may be one. The limit bounds it at
    /// worst.
    #[inline]
    fn push(&mut self, attribute: Attribute<'a>, at: usize, seen: &mut u64) -> Result<(), Reject> {
        if self.table.len() >= self.limit {
            return Err(Reject::new(&defect::TOO_MANY_ATTRIBUTES, at));
        }
        let bit = match attribute.key {
            Key::Other => {
                self.declares |= attribute.name.starts_with(b"xmlns");
                shared_bit(attribute.name)
            }
            key => 1u64 << (key as u8),
        };
        if *seen & bit != 0 && self.holds(&attribute) {
            return Err(Reject::new(&defect::DUPLICATE_ATTRIBUTE, at));
        }
        *seen |= bit;
        self.table.push(attribute);
        Ok(())
    }

    #[cold]
    fn holds(&self, attribute: &Attribute<'a>) -> bool {
        self.table.iter().any(|held| held.name == attribute.name)
    }
}

/// One of the bits that no known name has.
fn shared_bit(name: &[u8]) -> u64 {
    let first = name.first().copied().unwrap_or(0);
    let last = name.last().copied().unwrap_or(0);
    let mixed = first
        .wrapping_mul(31)
        .wrapping_add(last)
        .wrapping_add(name.len() as u8);
    const { assert!((Key::Other as u8) <= 32) };
    1u64 << 32 << (mixed & 31)
}

/// The key of the attribute whose name begins at byte `begin`, and where that ends.
fn any_key(document: &str, begin: usize) -> Option<(Key, usize)> {
    let end = Name::scan(document, begin)?.end;
    Some((Key::of(document.as_bytes().get(begin..end)?), end))
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

/// The end of a value that begins at byte `at`, in a tag that ends before byte `to`, and whether it is plain.
#[inline]
fn scan_value(
    document: &str,
    mut at: usize,
    to: usize,
    quote: u8,
) -> Result<(usize, bool), Reject> {
    let bytes = document.as_bytes();
    let mut plain = true;
    loop {
        at = run_end(bytes, at, quote);
        match bytes.get(at) {
            _ if at >= to => return Err(Reject::new(&defect::MALFORMED, to)),
            Some(byte) if *byte == quote => return Ok((at, plain)),
            Some(b'&') => {
                plain = false;
                at = scan_reference(document, at, to)?;
            }
            Some(b'<') | None => return Err(Reject::new(&defect::MALFORMED, at)),
            Some(_) => plain = false,
        }
        at = at.wrapping_add(1);
    }
}

/// The place of the first byte from `at` on that is the quote, `<`, `&` or a control character.
#[inline]
fn run_end(bytes: &[u8], mut at: usize, quote: u8) -> usize {
    // Either quote differs from the ampersand in one bit: without it, one comparison finds both.
    let apart = each(quote ^ b'&');
    let quotes = each(quote | b'&');
    while let Some(word) = word_at(bytes, at) {
        let stop =
            lowest(zeros((word | apart) ^ quotes) | zeros(word ^ each(b'<')) | controls(word));
        if stop != 0 {
            return at.wrapping_add(bytes_below(stop));
        }
        at = at.wrapping_add(8);
    }
    let rest = bytes.get(at..).unwrap_or_default();
    let stops = |byte: u8| byte == quote || class(byte) & STOP != 0;
    let tail = rest.iter().position(|b| stops(*b)).unwrap_or(rest.len());
    at.wrapping_add(tail)
}

/// The place of the semicolon of the reference that begins at byte `at`. Its name ends at the first byte that
/// cannot be part of one, so that no byte is looked at more often than twice.
fn scan_reference(document: &str, at: usize, to: usize) -> Result<usize, Reject> {
    let bare = Reject::new(&defect::BARE_AMPERSAND, at);
    let start = at.wrapping_add(1);
    let rest = document.as_bytes().get(start..to).unwrap_or_default();
    let length = rest
        .iter()
        .position(|b| *b != b'#' && class(*b) & (NAME | COLON) == 0)
        .unwrap_or(rest.len());
    if rest.get(length) != Some(&b';') {
        return Err(bare);
    }
    let end = start.wrapping_add(length);
    referenced(document.get(start..end).unwrap_or_default(), at)?;
    Ok(end)
}

#[derive(Clone, Copy, Debug)]
struct Binding<'a> {
    prefix: &'a [u8],
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
            let prefix = match attribute.name.strip_prefix(b"xmlns") {
                Some([]) => &[],
                Some([b':', prefix @ ..]) => prefix,
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
            self.default = self.resolve(b"");
        }
    }

    #[inline]
    pub(super) fn of(&self, prefix: &[u8]) -> Namespace {
        match prefix {
            [] => self.default,
            _ => self.resolve(prefix),
        }
    }

    fn resolve(&self, prefix: &[u8]) -> Namespace {
        self.bindings
            .iter()
            .rev()
            .find(|binding| binding.prefix == prefix)
            .map_or(Namespace::Unknown, |binding| binding.namespace)
    }
}
