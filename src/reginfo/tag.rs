//! Start tags: names, attributes, namespace declarations. Nothing here knows a registration.

use alloc::vec::Vec;

use super::{
    defect,
    key::Key,
    names::{Element, Namespace},
    word::{Ends, bytes_below},
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
    #[inline(always)]
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
        // What has been read is always told by how much is left: one bound to check instead of two.
        let place = |rest: &[u8]| bytes.len().wrapping_sub(rest.len());
        let mut rest = bytes.get(from..).unwrap_or_default();
        let mut seen = 0u64;
        loop {
            let begun = skip_white(rest);
            let begin = place(begun);
            if begin >= to {
                return Ok(());
            }
            let malformed = || Reject::new(&defect::MALFORMED, begin);
            if begun.len() == rest.len() {
                return Err(malformed());
            }
            let (key, length) = match Key::first(begun) {
                Some(first) => first,
                None => any_key(document, begin).ok_or_else(malformed)?,
            };
            let (name, after) = begun.split_at_checked(length).ok_or_else(malformed)?;
            let (quote, value) = match after {
                [b'=', quote @ (b'"' | b'\''), value @ ..] => (*quote, value),
                _ => spaced_quote(after).ok_or_else(malformed)?,
            };
            let start = place(value);
            let run = run(value, quote);
            let (end, plain) = match value.get(run) {
                Some(byte) if *byte == quote && start.wrapping_add(run) < to => {
                    (start.wrapping_add(run), true)
                }
                _ => (scan_value(document, start, to, quote)?, false),
            };
            let attribute = Attribute {
                key,
                name,
                value: document.get(start..end).unwrap_or_default(),
                at: start,
                plain,
            };
            self.push(attribute, begin, &mut seen)?;
            rest = bytes.get(end.wrapping_add(1)..).unwrap_or_default();
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

/// The key of the attribute whose name begins at byte `begin`, and how long that is.
fn any_key(document: &str, begin: usize) -> Option<(Key, usize)> {
    let end = Name::scan(document, begin)?.end;
    let name = document.as_bytes().get(begin..end)?;
    Some((Key::of(name), name.len()))
}

/// The quote that opens a value, and what follows, when there is white space around the equals sign.
#[cold]
fn spaced_quote(after: &[u8]) -> Option<(u8, &[u8])> {
    let (b'=', after) = skip_white(after).split_first()? else {
        return None;
    };
    match skip_white(after).split_first()? {
        (quote @ (b'"' | b'\''), value) => Some((*quote, value)),
        _ => None,
    }
}

#[inline]
fn skip_white(mut rest: &[u8]) -> &[u8] {
    while let [byte, after @ ..] = rest {
        if class(*byte) & WHITE == 0 {
            break;
        }
        rest = after;
    }
    rest
}

/// The end of a value that is not plain, or has none, and begins at byte `at` in a tag that ends before byte `to`.
fn scan_value(document: &str, mut at: usize, to: usize, quote: u8) -> Result<usize, Reject> {
    let bytes = document.as_bytes().get(..to).unwrap_or_default();
    loop {
        at = at.wrapping_add(run(bytes.get(at..).unwrap_or_default(), quote));
        match bytes.get(at) {
            Some(byte) if *byte == quote => return Ok(at),
            Some(b'&') => at = scan_reference(document, at, to)?,
            Some(b'<') | None => return Err(Reject::new(&defect::MALFORMED, at)),
            Some(_) => {}
        }
        at = at.wrapping_add(1);
    }
}

/// How many bytes come before the first that is the quote, `<`, `&` or a control character.
#[inline]
fn run(bytes: &[u8], quote: u8) -> usize {
    let ends = Ends::of_run(quote);
    let mut rest = bytes;
    while let Some((word, after)) = rest.split_first_chunk::<8>() {
        let ends = ends.in_word(u64::from_le_bytes(*word));
        if ends != 0 {
            return bytes
                .len()
                .wrapping_sub(rest.len())
                .wrapping_add(bytes_below(ends));
        }
        rest = after;
    }
    let stops = |byte: u8| byte == quote || class(byte) & STOP != 0;
    let tail = rest.iter().position(|b| stops(*b)).unwrap_or(rest.len());
    bytes.len().wrapping_sub(rest.len()).wrapping_add(tail)
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
