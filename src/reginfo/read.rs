//! The reader: one pass, no recursion, nothing allocated per contact.

use alloc::vec::Vec;
use quick_xml::{
    Error,
    errors::{IllFormedError, SyntaxError},
    events::Event,
};

use super::{
    ContactView, RegistrationEnd, RegistrationView, TempGruu, Visitor, defect,
    key::Key,
    names::{
        ContactEvent, ContactState, DocumentState, Element, IndicationHandling, PolicyAction,
        RegistrationState,
    },
    tag::{Attributes, Namespaces, TagName},
    xml::{
        Kind, Piece, Scratch, characters, has_control, is_name, is_white, referenced, resolve, trim,
    },
};
use crate::drive::{Defect, Limits, Reject};

/// [RI-1, RI-5] Reads a document and shows it to the visitor. The cost is linear in its bytes; the number of
/// allocations does not depend on the number of contacts.
///
/// # Errors
/// [RI-2] The first [defect] found, and where. What the visitor has seen until then is void.
pub fn read(
    bytes: &[u8],
    limits: &Limits,
    visitor: &mut (impl Visitor + ?Sized),
) -> Result<(), Reject> {
    let (document, mark) = characters(bytes, limits)?;
    Reading::new(document, limits)
        .run(visitor)
        .map_err(|reject| reject.shifted(mark))
}

/// [RI-2] Reads a document and keeps nothing.
///
/// # Errors
/// As [`read`]: it returns what this does for the same bytes and limits.
pub fn check(bytes: &[u8], limits: &Limits) -> Result<(), Reject> {
    struct Nobody;
    impl Visitor for Nobody {}
    read(bytes, limits, &mut Nobody)
}

/// What is open. The parent of each is fixed, so none needs to be remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Prolog,
    Document,
    Registration,
    Contact,
    Actions,
    Leaf(Leaf),
    Epilog,
}

/// The elements whose text counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaf {
    Uri,
    DisplayName,
    Param,
    Wildcard,
}

impl Leaf {
    const fn kind(self) -> Kind {
        match self {
            Self::Uri | Self::Wildcard => Kind::Uri,
            Self::DisplayName | Self::Param => Kind::Text,
        }
    }
}

/// The text of the leaf that is open.
#[derive(Clone, Copy, Debug)]
enum LeafText<'a> {
    Empty,
    Plain(&'a str),
    Decoded(usize),
}

#[derive(Debug, Default)]
struct RegistrationParts<'a> {
    terminated: bool,
    wildcarded_identity: Option<Piece<'a>>,
    has_policy: bool,
    actions: Vec<PolicyAction<Piece<'a>>>,
}

#[derive(Debug, Default)]
struct ContactParts<'a> {
    id: Option<Piece<'a>>,
    state: Option<ContactState>,
    event: Option<ContactEvent>,
    uri: Option<Piece<'a>>,
    display_name: Option<Piece<'a>>,
    display_name_lang: Option<Piece<'a>>,
    expires: Option<u64>,
    retry_after: Option<u64>,
    duration_registered: Option<u64>,
    q: Option<Piece<'a>>,
    callid: Option<Piece<'a>>,
    cseq: Option<u64>,
    pub_gruu: Option<Piece<'a>>,
    temp_gruu: Option<TempGruu<Piece<'a>>>,
    /// Where the scratch stood before this contact.
    mark: usize,
}

struct Reading<'a> {
    xml: quick_xml::Reader<&'a [u8]>,
    document: &'a str,
    /// Whether `]]>` stands anywhere in it.
    section_ends: bool,
    depth_limit: usize,
    element_limit: usize,
    place: Place,
    depth: usize,
    elements: usize,
    /// Elements open within, and including, the one that is passed over.
    ignored: usize,
    attributes: Attributes<'a>,
    namespaces: Namespaces<'a>,
    scratch: Scratch,
    leaf: LeafText<'a>,
    leaf_at: usize,
    registration: RegistrationParts<'a>,
    contact: ContactParts<'a>,
    param: Piece<'a>,
    params: Vec<(Piece<'a>, Piece<'a>)>,
}

impl<'a> Reading<'a> {
    fn new(document: &'a str, limits: &Limits) -> Self {
        let mut xml = quick_xml::Reader::from_str(document);
        let config = xml.config_mut();
        config.check_comments = true;
        config.check_end_names = true;
        config.expand_empty_elements = false;
        // Between elements it means nothing: there is no event for it. See `open_leaf`.
        config.trim_text_start = true;
        Self {
            xml,
            document,
            section_ends: has_section_end(document.as_bytes()),
            depth_limit: limits.xml_depth,
            element_limit: limits.xml_elements,
            place: Place::Prolog,
            depth: 0,
            elements: 0,
            ignored: 0,
            attributes: Attributes::new(limits.xml_attributes),
            namespaces: Namespaces::new(limits.xml_attributes),
            scratch: Scratch::with_capacity(256),
            leaf: LeafText::Empty,
            leaf_at: 0,
            registration: RegistrationParts::default(),
            contact: ContactParts::default(),
            param: Piece::Plain(""),
            params: Vec::with_capacity(8),
        }
    }

    fn run(&mut self, visitor: &mut (impl Visitor + ?Sized)) -> Result<(), Reject> {
        if self.document.starts_with('\u{feff}') {
            return Err(Reject::new(&defect::TEXT_OUTSIDE_ROOT, 0));
        }
        let mut last = 0;
        loop {
            let event = self.xml.read_event();
            let end = self.position();
            // How long an event is says where it begins: white space before it may have been passed over.
            let begin =
                |length: usize, around: usize| end.saturating_sub(length).saturating_sub(around);
            // Each is taken apart by kind at once: to drop one of any kind costs more than to look at it.
            match event {
                Ok(Event::Start(tag)) => {
                    let (name, begin) = (tag.name().0.len(), begin(tag.len(), 2));
                    drop(tag);
                    self.open(begin, name, end.saturating_sub(1), visitor)?;
                }
                Ok(Event::Empty(tag)) => {
                    let (name, begin) = (tag.name().0.len(), begin(tag.len(), 3));
                    drop(tag);
                    self.open(begin, name, end.saturating_sub(2), visitor)?;
                    self.close(visitor)?;
                }
                Ok(Event::End(tag)) => {
                    drop(tag);
                    self.close(visitor)?;
                }
                Ok(Event::Text(text)) => {
                    let begin = begin(text.len(), 0);
                    drop(text);
                    self.text(begin, end)?;
                }
                Ok(Event::CData(text)) => self.section(&text, begin(text.len(), 3))?,
                Ok(Event::GeneralRef(name)) => {
                    let begin = begin(name.len(), 2);
                    drop(name);
                    self.reference(begin, end)?;
                }
                Ok(Event::Comment(_)) => {}
                Ok(Event::PI(text)) => instruction(&text, begin(text.len(), 2))?,
                Ok(Event::Decl(text)) => self.declaration(begin(text.len(), 4), end)?,
                Ok(Event::DocType(_)) => {
                    let white = self.between(last, end).bytes().position(|b| !is_white(b));
                    let begin = last.saturating_add(white.unwrap_or_default());
                    return Err(Reject::new(&defect::DOCTYPE, begin));
                }
                Ok(Event::Eof) => return self.end(),
                Err(error) => return Err(self.refusal(&error)),
            }
            last = end;
        }
    }

    /// A part of the document.
    #[inline]
    fn between(&self, from: usize, to: usize) -> &'a str {
        self.document.get(from..to).unwrap_or_default()
    }

    fn position(&self) -> usize {
        usize::try_from(self.xml.buffer_position()).unwrap_or(usize::MAX)
    }

    /// [RI-2] What an error of the event reader means.
    fn refusal(&self, error: &Error) -> Reject {
        let at = usize::try_from(self.xml.error_position()).unwrap_or(usize::MAX);
        let defect: &'static Defect = match error {
            Error::Syntax(SyntaxError::UnclosedDoctype)
            | Error::IllFormed(IllFormedError::MissingDoctypeName) => &defect::DOCTYPE,
            Error::Syntax(error) if self.is_cut_short(*error, at) => &defect::TRUNCATED,
            Error::IllFormed(
                IllFormedError::MismatchedEndTag { .. } | IllFormedError::UnmatchedEndTag(_),
            ) => &defect::MISMATCHED_TAG,
            Error::IllFormed(IllFormedError::UnclosedReference) => &defect::BARE_AMPERSAND,
            Error::Encoding(_) => &defect::NOT_UTF8,
            _ => &defect::MALFORMED,
        };
        Reject::new(defect, at)
    }

    /// Whether the construct that begins at byte `at` lacks nothing but its end.
    fn is_cut_short(&self, error: SyntaxError, at: usize) -> bool {
        let begun = self.document.get(at..).unwrap_or_default();
        let opens = |opener: &str| begun.starts_with(opener) || opener.starts_with(begun);
        match error {
            SyntaxError::InvalidBangMarkup => begun == "<!",
            SyntaxError::UnclosedCData => opens("<![CDATA["),
            SyntaxError::UnclosedComment => opens("<!--"),
            SyntaxError::UnclosedPI => !begun.starts_with("<?>"),
            _ => true,
        }
    }

    /// [RFC 3680 5.1] The XML declaration, which only begins a document and names no encoding but UTF-8.
    fn declaration(&mut self, begin: usize, end: usize) -> Result<(), Reject> {
        let bad = Reject::new(&defect::DECLARATION, begin);
        if begin != 0 {
            return Err(bad);
        }
        // Quotes need not be closed here.
        let end = end.saturating_sub(2);
        self.attributes.scan(self.between(0, end), 5, end)?;
        let mut expected = 0u8;
        for attribute in self.attributes.iter() {
            let fits = match (attribute.name, expected) {
                (b"version", 0) => is_xml_1(attribute.value),
                (b"encoding", 1) if attribute.value.eq_ignore_ascii_case("UTF-8") => true,
                (b"encoding", 1) => return Err(Reject::new(&defect::ENCODING, attribute.at)),
                (b"standalone", 1 | 2) => matches!(attribute.value, "yes" | "no"),
                _ => false,
            };
            if !fits {
                return Err(bad);
            }
            expected = match attribute.name {
                b"version" => 1,
                b"encoding" => 2,
                _ => 3,
            };
        }
        if expected == 0 { Err(bad) } else { Ok(()) }
    }

    fn end(&self) -> Result<(), Reject> {
        match self.place {
            Place::Epilog => Ok(()),
            Place::Prolog => Err(Reject::new(&defect::NO_ROOT, self.document.len())),
            _ => Err(Reject::new(&defect::TRUNCATED, self.document.len())),
        }
    }

    /// The start tag that begins at byte `begin`, `length` bytes of it before the first white space, and has its
    /// last attribute before byte `end`.
    fn open(
        &mut self,
        begin: usize,
        length: usize,
        end: usize,
        visitor: &mut (impl Visitor + ?Sized),
    ) -> Result<(), Reject> {
        self.elements = self.elements.saturating_add(1);
        if self.elements > self.element_limit {
            return Err(Reject::new(&defect::TOO_MANY_ELEMENTS, begin));
        }
        self.depth = self.depth.saturating_add(1);
        if self.depth > self.depth_limit {
            return Err(Reject::new(&defect::TOO_DEEP, begin));
        }
        let name = TagName::scan(self.document, begin.saturating_add(1), length)
            .ok_or(Reject::new(&defect::MALFORMED, begin))?;
        self.attributes.scan(self.document, name.end, end)?;
        if self.ignored > 0 {
            self.ignored = self.ignored.saturating_add(1);
            return Ok(());
        }
        if self.attributes.declares() {
            self.namespaces
                .declare(&self.attributes, self.depth, &mut self.scratch)?;
        }
        let element = name.element.within(self.namespaces.of(name.prefix));
        match (self.place, element) {
            (Place::Contact, Element::Uri) if self.contact.uri.is_none() => {
                self.open_leaf(Leaf::Uri, end);
            }
            (Place::Contact, Element::UnknownParam) => self.open_param(end)?,
            (Place::Contact, Element::DisplayName) if self.contact.display_name.is_none() => {
                self.open_display_name(end)?;
            }
            (Place::Contact, Element::PubGruu) => self.pub_gruu()?,
            (Place::Contact, Element::TempGruu) if self.contact.temp_gruu.is_none() => {
                self.temp_gruu()?;
            }
            (Place::Registration, Element::Contact) => self.open_contact()?,
            (Place::Registration, Element::WildcardedIdentity)
                if self.registration.wildcarded_identity.is_none() =>
            {
                self.open_leaf(Leaf::Wildcard, end);
            }
            (Place::Registration, Element::Actions) => {
                self.registration.has_policy = true;
                self.place = Place::Actions;
            }
            (Place::Actions, action) => self.action(action)?,
            (Place::Document, Element::Registration) => self.open_registration(begin, visitor)?,
            (Place::Prolog, Element::Reginfo) => self.open_document(begin, visitor)?,
            (Place::Prolog, _) => return Err(Reject::new(&defect::WRONG_ROOT, begin)),
            (Place::Epilog, _) => return Err(Reject::new(&defect::SECOND_ROOT, begin)),
            _ => self.ignored = 1,
        }
        Ok(())
    }

    /// [RFC 3680 5.1] `reginfo`.
    fn open_document(
        &mut self,
        begin: usize,
        visitor: &mut (impl Visitor + ?Sized),
    ) -> Result<(), Reject> {
        let mut version = None;
        let mut state = None;
        let (mut version_at, mut state_at) = (begin, begin);
        for attribute in self.attributes.iter() {
            match attribute.key {
                Key::Version => {
                    version = version_number(self.scratch.value(attribute)?);
                    version_at = attribute.at;
                }
                Key::State => {
                    state = DocumentState::parse(self.scratch.value(attribute)?);
                    state_at = attribute.at;
                }
                _ => {}
            }
        }
        let version = version.ok_or(Reject::new(&defect::VERSION, version_at))?;
        let state = state.ok_or(Reject::new(&defect::DOCUMENT_STATE, state_at))?;
        self.scratch.truncate(0);
        self.place = Place::Document;
        visitor.document(version, state);
        Ok(())
    }

    /// [RFC 3680 5.1.1] `registration`.
    fn open_registration(
        &mut self,
        begin: usize,
        visitor: &mut (impl Visitor + ?Sized),
    ) -> Result<(), Reject> {
        self.scratch.truncate(0);
        let mut aor = None;
        let mut id = None;
        let mut state = None;
        let mut state_at = begin;
        for attribute in self.attributes.iter() {
            match attribute.key {
                Key::Aor => {
                    aor = Some(self.scratch.trimmed_attribute(attribute, Kind::Uri)?);
                }
                Key::Id => id = Some(self.scratch.attribute(attribute, Kind::Text)?),
                Key::State => {
                    state = RegistrationState::parse(self.scratch.value(attribute)?);
                    state_at = attribute.at;
                }
                _ => {}
            }
        }
        let state = state.ok_or(Reject::new(&defect::REGISTRATION_STATE, state_at))?;
        self.registration.terminated = state == RegistrationState::Terminated;
        self.registration.wildcarded_identity = None;
        self.registration.has_policy = false;
        self.registration.actions.clear();
        self.place = Place::Registration;
        visitor.registration(&RegistrationView {
            aor: aor.map_or("", |piece| self.scratch.get(piece)),
            id: id.map_or("", |piece| self.scratch.get(piece)),
            state,
        });
        self.scratch.truncate(0);
        Ok(())
    }

    /// [RFC 3680 5.1.2] `contact`.
    fn open_contact(&mut self) -> Result<(), Reject> {
        self.params.clear();
        self.contact = ContactParts {
            mark: self.scratch.len(),
            ..ContactParts::default()
        };
        let contact = &mut self.contact;
        let scratch = &mut self.scratch;
        for attribute in self.attributes.iter() {
            match attribute.key {
                Key::Id => contact.id = Some(scratch.attribute(attribute, Kind::Text)?),
                Key::State => contact.state = ContactState::parse(scratch.value(attribute)?),
                Key::Event => contact.event = ContactEvent::parse(scratch.value(attribute)?),
                Key::Expires => contact.expires = number(scratch.value(attribute)?),
                Key::RetryAfter => contact.retry_after = number(scratch.value(attribute)?),
                Key::DurationRegistered => {
                    contact.duration_registered = number(scratch.value(attribute)?);
                }
                Key::Q => contact.q = Some(scratch.attribute(attribute, Kind::Text)?),
                Key::CallId => contact.callid = Some(scratch.attribute(attribute, Kind::Text)?),
                Key::Cseq => contact.cseq = number(scratch.value(attribute)?),
                _ => {}
            }
        }
        self.place = Place::Contact;
        Ok(())
    }

    /// [RFC 3680 5.1.2] `unknown-param`.
    fn open_param(&mut self, end: usize) -> Result<(), Reject> {
        self.param = Piece::Plain("");
        for attribute in self.attributes.iter() {
            if attribute.key == Key::Name {
                self.param = self.scratch.trimmed_attribute(attribute, Kind::Text)?;
            }
        }
        self.open_leaf(Leaf::Param, end);
        Ok(())
    }

    /// [RFC 3680 5.1.2] `display-name`.
    fn open_display_name(&mut self, end: usize) -> Result<(), Reject> {
        for attribute in self.attributes.iter() {
            if attribute.key == Key::Lang {
                self.contact.display_name_lang =
                    Some(self.scratch.trimmed_attribute(attribute, Kind::Text)?);
            }
        }
        self.open_leaf(Leaf::DisplayName, end);
        Ok(())
    }

    /// [RFC 5628 5] `pub-gruu`; the first one counts.
    fn pub_gruu(&mut self) -> Result<(), Reject> {
        self.ignored = 1;
        for attribute in self.attributes.iter() {
            if attribute.key == Key::Uri && self.contact.pub_gruu.is_none() {
                self.contact.pub_gruu = Some(self.scratch.trimmed_attribute(attribute, Kind::Uri)?);
            }
        }
        Ok(())
    }

    /// [RFC 5628 5] `temp-gruu`; the first one counts. Its number is `first-cseq`, as the schema has it.
    fn temp_gruu(&mut self) -> Result<(), Reject> {
        self.ignored = 1;
        let mut uri = None;
        let mut first_cseq = None;
        for attribute in self.attributes.iter() {
            match attribute.key {
                Key::Uri => {
                    uri = Some(self.scratch.trimmed_attribute(attribute, Kind::Uri)?);
                }
                Key::FirstCseq => first_cseq = number(self.scratch.value(attribute)?),
                _ => {}
            }
        }
        self.contact.temp_gruu = uri.map(|uri| TempGruu { uri, first_cseq });
        Ok(())
    }

    /// [TS 24.229 7.10.3] A child of `actions`.
    fn action(&mut self, element: Element) -> Result<(), Reject> {
        self.ignored = 1;
        let [mut namespace, mut value, mut domain] = [None; 3];
        let mut handling = None;
        for attribute in self.attributes.iter() {
            match (element, attribute.key) {
                (Element::Rph, Key::Ns) => {
                    namespace = Some(self.scratch.attribute(attribute, Kind::Text)?);
                }
                (Element::Rph, Key::Val) => {
                    value = Some(self.scratch.attribute(attribute, Kind::Text)?);
                }
                (Element::Pni, Key::Insert) => {
                    handling = IndicationHandling::parse(self.scratch.value(attribute)?);
                }
                (Element::Pni, Key::Domain) => {
                    domain = Some(self.scratch.trimmed_attribute(attribute, Kind::Uri)?);
                }
                _ => {}
            }
        }
        let action = match element {
            Element::Rph => PolicyAction::ResourcePriority {
                namespace: namespace.unwrap_or(Piece::Plain("")),
                value: value.unwrap_or(Piece::Plain("")),
            },
            Element::PrivSender => PolicyAction::PrivilegedSender,
            Element::Pni => PolicyAction::PrivateNetworkIndication { handling, domain },
            Element::PrivSenderPni => PolicyAction::PrivilegedSenderForPrivateTraffic,
            _ => return Ok(()),
        };
        self.registration.actions.push(action);
        Ok(())
    }

    /// The text of a leaf is read with the white space in it.
    fn open_leaf(&mut self, leaf: Leaf, end: usize) {
        self.xml.config_mut().trim_text_start = false;
        self.place = Place::Leaf(leaf);
        self.leaf = LeafText::Empty;
        self.leaf_at = end.saturating_add(1);
    }

    /// The end of the innermost element.
    fn close(&mut self, visitor: &mut (impl Visitor + ?Sized)) -> Result<(), Reject> {
        if self.ignored > 0 {
            self.ignored = self.ignored.saturating_sub(1);
        } else {
            self.place = match self.place {
                Place::Leaf(leaf) => self.close_leaf(leaf)?,
                Place::Contact => self.close_contact(visitor),
                Place::Actions => Place::Registration,
                Place::Registration => self.close_registration(visitor),
                Place::Document | Place::Prolog | Place::Epilog => Place::Epilog,
            };
        }
        self.namespaces.leave(self.depth);
        self.depth = self.depth.saturating_sub(1);
        Ok(())
    }

    fn close_leaf(&mut self, leaf: Leaf) -> Result<Place, Reject> {
        self.xml.config_mut().trim_text_start = true;
        let piece = match self.leaf {
            LeafText::Empty => Piece::Plain(""),
            LeafText::Plain(text) => self.plain_leaf(trim(text), leaf),
            LeafText::Decoded(start) => self.scratch.trimmed_from(start),
        };
        if leaf.kind() == Kind::Uri && has_control(self.scratch.get(piece)) {
            return Err(Reject::new(&defect::CONTROL_IN_URI, self.leaf_at));
        }
        match leaf {
            Leaf::Uri => self.contact.uri = Some(piece),
            Leaf::DisplayName => self.contact.display_name = Some(piece),
            Leaf::Param => self.params.push((self.param, piece)),
            Leaf::Wildcard => {
                self.registration.wildcarded_identity = Some(piece);
                return Ok(Place::Registration);
            }
        }
        Ok(Place::Contact)
    }

    /// Text that stands in the document as it is, unless it is not a URI and has control characters.
    fn plain_leaf(&mut self, text: &'a str, leaf: Leaf) -> Piece<'a> {
        if leaf.kind() == Kind::Uri || !has_control(text) {
            return Piece::Plain(text);
        }
        let start = self.scratch.len();
        self.scratch.push(text, Kind::Text);
        Piece::Decoded {
            start,
            end: self.scratch.len(),
        }
    }

    fn close_contact(&mut self, visitor: &mut (impl Visitor + ?Sized)) -> Place {
        let contact = &self.contact;
        let scratch = self.scratch.as_str();
        let text = |piece: Option<Piece<'a>>| piece.map(|piece| resolve(piece, scratch));
        let implied = match (contact.event, self.registration.terminated) {
            (Some(event), _) => event.state(),
            (None, true) => ContactState::Terminated,
            (None, false) => ContactState::Active,
        };
        visitor.contact(&ContactView {
            id: text(contact.id).unwrap_or_default(),
            state: contact.state.unwrap_or(implied),
            event: contact.event,
            uri: text(contact.uri).unwrap_or_default(),
            display_name: text(contact.display_name),
            display_name_lang: text(contact.display_name_lang),
            expires: contact.expires,
            retry_after: contact.retry_after,
            duration_registered: contact.duration_registered,
            q: text(contact.q),
            callid: text(contact.callid),
            cseq: contact.cseq,
            pub_gruu: text(contact.pub_gruu),
            temp_gruu: contact
                .temp_gruu
                .map(|gruu| gruu.map(|uri| resolve(uri, scratch))),
            params: &self.params,
            scratch,
        });
        let mark = self.contact.mark;
        self.scratch.truncate(mark);
        Place::Registration
    }

    fn close_registration(&mut self, visitor: &mut (impl Visitor + ?Sized)) -> Place {
        let scratch = self.scratch.as_str();
        visitor.registration_end(&RegistrationEnd {
            wildcarded_identity: self
                .registration
                .wildcarded_identity
                .map(|piece| resolve(piece, scratch)),
            has_policy: self.registration.has_policy,
            actions: &self.registration.actions,
            scratch,
        });
        Place::Document
    }

    /// Character data as it stands.
    fn text(&mut self, from: usize, to: usize) -> Result<(), Reject> {
        if self.section_ends {
            no_section_end(self.between(from, to), from)?;
        }
        match (self.ignored, self.place) {
            (0, Place::Leaf(leaf)) => {
                let text = self.between(from, to);
                match self.leaf {
                    LeafText::Empty => self.leaf = LeafText::Plain(text),
                    begun => self.extend(begun, text, leaf),
                }
                Ok(())
            }
            (0, Place::Prolog | Place::Epilog) => white_only(self.between(from, to), from),
            _ => Ok(()),
        }
    }

    /// Character data in a CDATA section, `at` within it.
    fn section(&mut self, text: &str, at: usize) -> Result<(), Reject> {
        if let Some(leaf) = self.leaf_of_data(at)? {
            self.extend(self.leaf, text, leaf);
        }
        Ok(())
    }

    /// A character by a reference.
    fn reference(&mut self, from: usize, to: usize) -> Result<(), Reject> {
        let name = self.between(from.saturating_add(1), to.saturating_sub(1));
        let character = referenced(name, from)?;
        if let Some(leaf) = self.leaf_of_data(from)? {
            let start = self.begin_decoded(self.leaf, leaf);
            self.scratch.push_character(character, leaf.kind());
            self.leaf = LeafText::Decoded(start);
        }
        Ok(())
    }

    /// The leaf that character data belongs to, which is not white space alone for certain.
    fn leaf_of_data(&self, at: usize) -> Result<Option<Leaf>, Reject> {
        match (self.ignored, self.place) {
            (0, Place::Leaf(leaf)) => Ok(Some(leaf)),
            (0, Place::Prolog | Place::Epilog) => Err(Reject::new(&defect::TEXT_OUTSIDE_ROOT, at)),
            _ => Ok(None),
        }
    }

    /// The text of a leaf that does not stand in the document in one run.
    fn extend(&mut self, begun: LeafText<'a>, more: &str, leaf: Leaf) {
        let start = self.begin_decoded(begun, leaf);
        self.scratch.push(more, leaf.kind());
        self.leaf = LeafText::Decoded(start);
    }

    /// Where the text of a leaf begins in the scratch, all of it so far moved there.
    fn begin_decoded(&mut self, begun: LeafText<'a>, leaf: Leaf) -> usize {
        match begun {
            LeafText::Decoded(start) => start,
            LeafText::Empty => self.scratch.len(),
            LeafText::Plain(text) => {
                let start = self.scratch.len();
                self.scratch.push(text, leaf.kind());
                start
            }
        }
    }
}

/// [XML 1.0 2.8] Outside the root there is no text but white space.
fn white_only(text: &str, at: usize) -> Result<(), Reject> {
    match text.bytes().position(|b| !is_white(b)) {
        None => Ok(()),
        Some(inside) => Err(Reject::new(
            &defect::TEXT_OUTSIDE_ROOT,
            at.saturating_add(inside),
        )),
    }
}

fn has_section_end(document: &[u8]) -> bool {
    memchr::memchr_iter(b']', document)
        .any(|at| matches!(document.get(at..), Some([b']', b']', b'>', ..])))
}

/// [XML 1.0 2.4] The end of a CDATA section does not stand in text.
fn no_section_end(text: &str, at: usize) -> Result<(), Reject> {
    for angle in memchr::memchr_iter(b'>', text.as_bytes()) {
        if text
            .get(..angle)
            .is_some_and(|before| before.ends_with("]]"))
        {
            return Err(Reject::new(
                &defect::MALFORMED,
                at.saturating_add(angle).saturating_sub(2),
            ));
        }
    }
    Ok(())
}

/// [XML 1.0 2.6] A processing instruction has a name, and `xml` is not it.
fn instruction(text: &str, at: usize) -> Result<(), Reject> {
    let name = text
        .split([' ', '\t', '\n', '\r'])
        .next()
        .unwrap_or_default();
    if is_name(name) && !name.eq_ignore_ascii_case("xml") {
        Ok(())
    } else {
        Err(Reject::new(&defect::MALFORMED, at))
    }
}

fn is_xml_1(version: &str) -> bool {
    match version.strip_prefix("1.") {
        Some(minor) => !minor.is_empty() && minor.bytes().all(|b| b.is_ascii_digit()),
        None => false,
    }
}

/// [RFC 3680 5.1] A version: digits, perhaps with a plus sign; clamped to 32 bits.
fn version_number(text: &str) -> Option<u32> {
    match text.starts_with('-') {
        true => None,
        false => number(text).map(|version| u32::try_from(version).unwrap_or(u32::MAX)),
    }
}

/// [RI-1] A number of the schema type unsignedLong, clamped: a negative one is 0, one beyond 64 bits the
/// largest. `None` for what is no whole number.
pub(super) fn number(text: &str) -> Option<u64> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value = 0u64;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.saturating_mul(10).saturating_add(u64::from(digit));
    }
    Some(if negative { 0 } else { value })
}
