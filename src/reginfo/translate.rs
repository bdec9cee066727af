//! Documents that pass from one network into another: every byte as it came, but for the URIs and times that
//! mean something else there.

use alloc::vec::Vec;
use core::{fmt, ops::Range, str};

use quick_xml::events::Event;

use super::{
    defect,
    names::Element,
    read::{check, number},
    tag::{Attribute, Attributes, Namespaces, TagName},
    xml::{Kind, Scratch, characters, is_character, is_control, is_white, referenced, trim},
};
use crate::drive::{Buffer, Limits, Reject, Unwritable};

/// [IB-1] What of one network is called otherwise in another: asked for each value, kept nowhere. The answers
/// must depend on nothing but the question, or what is mapped there will not be mapped back.
///
/// A method that maps puts the other URI into `new` and returns true; where it returns false, the value stays
/// byte for byte as it was, whatever was put. Without a method of its own, nothing is mapped.
pub trait Translation {
    /// A contact: the URI of a Contact header field, and that of a `contact` in a document. Never empty.
    fn contact(&self, uri: &[u8], new: &mut NewUri<'_>) -> bool {
        let _ = (uri, new);
        false
    }

    /// The Request-URI of a request: what was given out for a Contact that way stands for it this way.
    fn request_uri(&self, uri: &[u8], new: &mut NewUri<'_>) -> bool {
        let _ = (uri, new);
        false
    }

    /// The address of record of a registration. Never empty.
    fn aor(&self, uri: &[u8], new: &mut NewUri<'_>) -> bool {
        let _ = (uri, new);
        false
    }

    /// The public or temporary GRUU of a contact (RFC 5628 5); mapped as a contact, unless said otherwise. Never
    /// empty.
    fn gruu(&self, uri: &[u8], new: &mut NewUri<'_>) -> bool {
        self.contact(uri, new)
    }

    /// The seconds that a contact has left, of those that a document says it has. Not asked where it says none.
    fn expires(&self, seconds: u64) -> u64 {
        seconds
    }
}

/// [IB-1] Where a [`Translation`] puts the URI that takes the place of another, in one piece or several. It is
/// escaped as its place demands; what is no URI there is found afterwards, and refuses the whole.
pub struct NewUri<'b> {
    buffer: &'b mut Buffer,
    /// What of the old one has not been put again, as long as nothing else has.
    rest: Option<&'b [u8]>,
    spelling: Spelling,
}

/// How a URI is spelt where it stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// As it is. Whoever replaces one checks that it is a URI.
    Plain,
    /// As text of a document, or between quotes of either kind.
    Escaped,
}

impl fmt::Debug for NewUri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewUri").finish_non_exhaustive()
    }
}

impl NewUri<'_> {
    /// Appends bytes.
    pub fn put(&mut self, bytes: &[u8]) {
        self.rest = self.rest.and_then(|rest| rest.strip_prefix(bytes));
        match self.spelling {
            Spelling::Plain => self.buffer.put(bytes),
            Spelling::Escaped => put_escaped(self.buffer, bytes),
        }
    }
}

/// [RI-4] What could stand for markup stands for itself.
fn put_escaped(buffer: &mut Buffer, bytes: &[u8]) {
    let mut rest = bytes;
    while let Some((at, escaped)) = first_special(rest) {
        let (plain, tail) = rest.split_at_checked(at).unwrap_or((rest, b""));
        buffer.put(plain);
        buffer.put(escaped);
        rest = tail.get(1..).unwrap_or_default();
    }
    buffer.put(rest);
}

fn first_special(bytes: &[u8]) -> Option<(usize, &'static [u8])> {
    let escaped = |byte: &u8| -> Option<&'static [u8]> {
        match byte {
            b'&' => Some(b"&amp;"),
            b'<' => Some(b"&lt;"),
            b'>' => Some(b"&gt;"),
            b'"' => Some(b"&quot;"),
            b'\'' => Some(b"&apos;"),
            _ => None,
        }
    };
    bytes
        .iter()
        .enumerate()
        .find_map(|(at, byte)| Some((at, escaped(byte)?)))
}

/// Why nothing was translated. Nothing is written then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Untranslated {
    /// What came is not in order.
    #[error("{0}")]
    Rejected(Reject),
    /// What would go exceeds the limits, or the room of the buffer.
    #[error("the translated bytes exceed the limits or the room of the buffer")]
    TooLarge,
    /// What the [`Translation`] put is no URI, or nothing that could stand where one stood.
    #[error("the translation gave what is no URI")]
    NotAUri,
}

impl From<Reject> for Untranslated {
    fn from(reject: Reject) -> Self {
        Self::Rejected(reject)
    }
}

impl From<Unwritable> for Untranslated {
    fn from(unwritable: Unwritable) -> Self {
        match unwritable {
            Unwritable::TooLarge => Self::TooLarge,
            Unwritable::UnsafeValue => Self::NotAUri,
        }
    }
}

/// [IB-1] Appends a document in which the URIs that [`Document`](super::Document) would read as contact URIs,
/// addresses of record and GRUUs, and the expiry of contacts, stand as the translation has them; tells how many
/// were replaced. All other bytes stay: white space, prefixes, quotes, comments, unknown elements. A reference or
/// CDATA section that a replaced value is made of goes with it.
///
/// The document is read twice, by the reader and then while it is copied; nothing of it is kept. Allocations do
/// not depend on its contacts.
///
/// # Errors
/// [`Untranslated`]; the buffer is then as before. What the reader refuses is rejected as [`read`](super::read)
/// rejects it.
pub fn translate(
    document: &[u8],
    limits: &Limits,
    translation: &dyn Translation,
    buffer: &mut Buffer,
) -> Result<usize, Untranslated> {
    let mut outcome = Ok(0);
    let written = buffer.attempt(|buffer| {
        outcome = splice(document, limits, translation, buffer);
        if outcome.is_err() {
            buffer.fail(Unwritable::UnsafeValue);
        }
    });
    let replaced = outcome?;
    written?;
    Ok(replaced)
}

/// As [`translate`], with the faults of writing left in the buffer. Nothing is written of a document that is
/// rejected.
pub(crate) fn splice(
    document: &[u8],
    limits: &Limits,
    translation: &dyn Translation,
    buffer: &mut Buffer,
) -> Result<usize, Reject> {
    check(document, limits)?;
    let (text, mark) = characters(document, limits)?;
    let mut walk = Walk {
        document: text,
        translation,
        out: Splice::new(document, mark, buffer),
        replaced: 0,
        place: Place::Prolog,
        depth: 0,
        ignored: 0,
        attributes: Attributes::new(limits.xml_attributes),
        namespaces: Namespaces::new(limits.xml_attributes),
        scratch: Scratch::with_capacity(256),
        pieces: Vec::with_capacity(4),
        seen: Seen::default(),
    };
    walk.run().map_err(|reject| reject.shifted(mark))?;
    walk.out.finish();
    Ok(walk.replaced)
}

/// Copies bytes into a buffer, but for what is replaced or left out, in the order in which it stands.
pub(crate) struct Splice<'a, 'b> {
    source: &'a [u8],
    /// Added to the places given.
    base: usize,
    done: usize,
    buffer: &'b mut Buffer,
}

impl<'a, 'b> Splice<'a, 'b> {
    /// A copy of `source`, in which places are counted from byte `base`.
    pub(crate) fn new(source: &'a [u8], base: usize, buffer: &'b mut Buffer) -> Self {
        Self {
            source,
            base,
            done: 0,
            buffer,
        }
    }

    pub(crate) fn buffer(&mut self) -> &mut Buffer {
        self.buffer
    }

    /// Copies what stands before that place.
    pub(crate) fn copy_to(&mut self, place: usize) {
        let place = place.saturating_add(self.base);
        self.buffer
            .put(self.source.get(self.done..place).unwrap_or_default());
        self.done = self.done.max(place);
    }

    /// Leaves a part out, and tells where in the buffer it would have stood.
    pub(crate) fn leave_out(&mut self, part: &Range<usize>) -> usize {
        self.copy_to(part.start);
        self.done = self.done.max(part.end.saturating_add(self.base));
        self.buffer.len()
    }

    /// Replaces a part, which means `old`, by what `ask` puts, and tells where in the buffer that begins; `None`
    /// where it is not to be replaced, or by what it means already.
    pub(crate) fn replace(
        &mut self,
        part: &Range<usize>,
        old: &[u8],
        spelling: Spelling,
        ask: impl FnOnce(&mut NewUri<'_>) -> bool,
    ) -> Option<usize> {
        self.copy_to(part.start);
        let from = self.buffer.len();
        let fault = self.buffer.fault();
        let mut new = NewUri {
            buffer: self.buffer,
            rest: Some(old),
            spelling,
        };
        if ask(&mut new) && new.rest.is_none_or(|rest| !rest.is_empty()) {
            self.done = self.done.max(part.end.saturating_add(self.base));
            self.check(from, spelling);
            return Some(from);
        }
        self.buffer.truncate(from);
        if fault.is_none() {
            self.buffer.take_fault();
        }
        None
    }

    /// What was put must read as it was given.
    fn check(&mut self, from: usize, spelling: Spelling) {
        let put = self.buffer.as_slice().get(from..).unwrap_or_default();
        if spelling == Spelling::Escaped && !is_value(put) {
            self.buffer.fail(Unwritable::UnsafeValue);
        }
    }

    /// Copies what is left.
    pub(crate) fn finish(&mut self) {
        let rest = self.source.get(self.done..).unwrap_or_default();
        self.buffer.put(rest);
    }
}

/// What is open, of what holds something to be replaced. The parent of each is fixed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Prolog,
    Document,
    Registration,
    Contact,
    Uri,
    Epilog,
}

/// What of the contact that is open stood before: the first of each counts.
#[derive(Clone, Copy, Default)]
struct Seen {
    uri: bool,
    pub_gruu: bool,
    temp_gruu: bool,
}

/// A part of the text of an element.
struct Piece {
    whole: Range<usize>,
    /// Without white space around it. A reference or section is whole or, if it is white, nothing.
    inner: Range<usize>,
}

/// A document that the reader has taken, while it is copied.
struct Walk<'a, 't, 'b> {
    document: &'a str,
    translation: &'t dyn Translation,
    out: Splice<'a, 'b>,
    replaced: usize,
    place: Place,
    depth: usize,
    /// Elements open within, and including, the one that is passed over.
    ignored: usize,
    attributes: Attributes<'a>,
    namespaces: Namespaces<'a>,
    scratch: Scratch,
    pieces: Vec<Piece>,
    seen: Seen,
}

impl<'a> Walk<'a, '_, '_> {
    fn run(&mut self) -> Result<(), Reject> {
        let mut xml = quick_xml::Reader::from_str(self.document);
        // The reader has checked both.
        xml.config_mut().check_comments = false;
        xml.config_mut().check_end_names = false;
        let position = |place: u64| usize::try_from(place).unwrap_or(usize::MAX);
        loop {
            let start = position(xml.buffer_position());
            let event = xml.read_event();
            let end = position(xml.buffer_position());
            let inside = |front: usize, back: usize| {
                let from = start.saturating_add(front);
                let to = end.saturating_sub(back);
                (self.document.get(from..to).unwrap_or_default(), from)
            };
            match event {
                Ok(Event::Start(tag)) => {
                    self.open(start, tag.name().0.len(), end.saturating_sub(1))?;
                }
                Ok(Event::Empty(tag)) => {
                    self.open(start, tag.name().0.len(), end.saturating_sub(2))?;
                    self.close();
                }
                Ok(Event::End(_)) => self.close(),
                Ok(Event::Text(_)) if self.is_in_uri() => {
                    let (text, at) = inside(0, 0);
                    self.scratch.push(text, Kind::Uri);
                    let inner = trimmed(text, at);
                    self.pieces.push(Piece {
                        whole: start..end,
                        inner,
                    });
                }
                Ok(Event::CData(_)) if self.is_in_uri() => {
                    let (text, _) = inside(9, 3);
                    self.scratch.push(text, Kind::Uri);
                    self.section(start..end, text);
                }
                Ok(Event::GeneralRef(_)) if self.is_in_uri() => {
                    let (name, at) = inside(1, 1);
                    let character = referenced(name, at.saturating_sub(1))?;
                    let mut bytes = [0; 4];
                    let text = character.encode_utf8(&mut bytes);
                    self.scratch.push(text, Kind::Uri);
                    self.section(start..end, text);
                }
                Ok(Event::Eof) => return Ok(()),
                Ok(_) => {}
                Err(_) => return Err(Reject::new(&defect::MALFORMED, start)),
            }
        }
    }

    const fn is_in_uri(&self) -> bool {
        self.ignored == 0 && matches!(self.place, Place::Uri)
    }

    /// What is replaced as a whole, or not at all.
    fn section(&mut self, whole: Range<usize>, text: &str) {
        let inner = if text.bytes().all(is_white) {
            whole.start..whole.start
        } else {
            whole.clone()
        };
        self.pieces.push(Piece { whole, inner });
    }

    /// The start tag that begins at byte `begin`, `length` bytes of it before the first white space, and has its
    /// last attribute before byte `end`.
    fn open(&mut self, begin: usize, length: usize, end: usize) -> Result<(), Reject> {
        self.depth = self.depth.saturating_add(1);
        if self.ignored > 0 {
            self.ignored = self.ignored.saturating_add(1);
            return Ok(());
        }
        let name = TagName::scan(self.document, begin.saturating_add(1), length)
            .ok_or(Reject::new(&defect::MALFORMED, begin))?;
        self.attributes.scan(self.document, name.end, end)?;
        if self.attributes.declares() {
            self.namespaces
                .declare(&self.attributes, self.depth, &mut self.scratch)?;
        }
        let element = name.element.within(self.namespaces.of(name.prefix));
        match (self.place, element) {
            (Place::Contact, Element::Uri) if !self.seen.uri => {
                self.seen.uri = true;
                self.scratch.truncate(0);
                self.pieces.clear();
                self.place = Place::Uri;
            }
            (Place::Contact, Element::PubGruu | Element::TempGruu) => self.gruu(element)?,
            (Place::Registration, Element::Contact) => self.contact()?,
            (Place::Document, Element::Registration) => self.registration()?,
            (Place::Prolog, _) => self.place = Place::Document,
            _ => self.ignored = 1,
        }
        Ok(())
    }

    fn close(&mut self) {
        if self.ignored > 0 {
            self.ignored = self.ignored.saturating_sub(1);
        } else {
            self.place = match self.place {
                Place::Uri => self.contact_uri(),
                Place::Contact => Place::Registration,
                Place::Registration => Place::Document,
                Place::Document | Place::Prolog | Place::Epilog => Place::Epilog,
            };
        }
        self.namespaces.leave(self.depth);
        self.depth = self.depth.saturating_sub(1);
    }

    /// [RFC 3680 5.1.1] The address of record.
    fn registration(&mut self) -> Result<(), Reject> {
        self.place = Place::Registration;
        match self.attribute(b"aor") {
            Some(aor) => self.uri_attribute(&aor, |to, uri, new| to.aor(uri, new)),
            None => Ok(()),
        }
    }

    /// [RFC 3680 5.1.2] The expiry of a contact.
    fn contact(&mut self) -> Result<(), Reject> {
        self.place = Place::Contact;
        self.seen = Seen::default();
        let Some(attribute) = self.attribute(b"expires") else {
            return Ok(());
        };
        self.scratch.truncate(0);
        let Some(seconds) = number(self.scratch.value(&attribute)?) else {
            return Ok(());
        };
        let other = self.translation.expires(seconds);
        if other != seconds {
            self.out.leave_out(&trimmed(attribute.value, attribute.at));
            self.out.buffer().put_number(other);
            self.replaced = self.replaced.saturating_add(1);
        }
        Ok(())
    }

    /// [RFC 5628 5] The first GRUU of each kind that has a URI.
    fn gruu(&mut self, element: Element) -> Result<(), Reject> {
        self.ignored = 1;
        let seen = match element {
            Element::PubGruu => &mut self.seen.pub_gruu,
            _ => &mut self.seen.temp_gruu,
        };
        if *seen {
            return Ok(());
        }
        let mut attributes = self.attributes.iter();
        let uri = attributes.find(|attribute| attribute.name == b"uri");
        *seen = uri.is_some();
        match uri.copied() {
            Some(uri) => self.uri_attribute(&uri, |to, uri, new| to.gruu(uri, new)),
            None => Ok(()),
        }
    }

    fn attribute(&self, name: &[u8]) -> Option<Attribute<'a>> {
        let mut attributes = self.attributes.iter();
        attributes.find(|attribute| attribute.name == name).copied()
    }

    fn uri_attribute(
        &mut self,
        attribute: &Attribute<'a>,
        ask: fn(&dyn Translation, &[u8], &mut NewUri<'_>) -> bool,
    ) -> Result<(), Reject> {
        self.scratch.truncate(0);
        let piece = self.scratch.trimmed_attribute(attribute, Kind::Uri)?;
        let uri = self.scratch.get(piece).as_bytes();
        if uri.is_empty() {
            return Ok(());
        }
        let part = trimmed(attribute.value, attribute.at);
        let translation = self.translation;
        let ask = |new: &mut NewUri<'_>| ask(translation, uri, new);
        if self
            .out
            .replace(&part, uri, Spelling::Escaped, ask)
            .is_some()
        {
            self.replaced = self.replaced.saturating_add(1);
        }
        Ok(())
    }

    /// [RFC 3680 5.1.2] The contact URI, whose text is complete. What stands between its pieces stays.
    fn contact_uri(&mut self) -> Place {
        let uri = trim(self.scratch.as_str()).as_bytes();
        let is_inner = |piece: &Piece| !piece.inner.is_empty();
        let first = self.pieces.iter().position(is_inner).unwrap_or_default();
        let last = self.pieces.iter().rposition(is_inner).unwrap_or_default();
        if let Some(piece) = self.pieces.get_mut(first) {
            piece.whole.start = piece.inner.start;
        }
        if let Some(piece) = self.pieces.get_mut(last) {
            piece.whole.end = piece.inner.end;
        }
        let pieces = self.pieces.get(first..=last).unwrap_or_default();
        let mut parts = pieces.iter().map(|piece| &piece.whole);
        if let (Some(part), false) = (parts.next(), uri.is_empty()) {
            let translation = self.translation;
            let ask = |new: &mut NewUri<'_>| translation.contact(uri, new);
            if self
                .out
                .replace(part, uri, Spelling::Escaped, ask)
                .is_some()
            {
                self.replaced = self.replaced.saturating_add(1);
                for part in parts {
                    self.out.leave_out(part);
                }
            }
        }
        Place::Contact
    }
}

/// Where the text, which begins at that byte, stands without white space around it.
fn trimmed(text: &str, at: usize) -> Range<usize> {
    let front = text.len().saturating_sub(text.trim_ascii_start().len());
    let start = at.saturating_add(front);
    start..start.saturating_add(trim(text).len())
}

/// Whether bytes, escaped, read as what they stand for: text that XML allows, without control characters, and
/// without white space around it.
fn is_value(bytes: &[u8]) -> bool {
    let is_bare = |end: Option<&u8>| end.is_some_and(|byte| !is_white(*byte));
    let text = str::from_utf8(bytes).unwrap_or_default();
    is_bare(text.as_bytes().first())
        && is_bare(text.as_bytes().last())
        && !text.bytes().any(is_control)
        && (text.is_ascii() || text.chars().all(is_character))
}
