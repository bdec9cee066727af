//! The writer: straight into a buffer, nothing in between.

use super::{
    TempGruu,
    names::{
        COMMON_POLICY, ContactEvent, ContactState, DocumentState, EXT_REG_EXP, EXT_REG_INFO,
        GRUUINFO, PolicyAction, REGINFO, RegistrationState,
    },
    xml::is_character,
};
use crate::drive::Buffer;

/// The id of a registration or contact.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Id<'a> {
    /// A letter and a number, such as `r0` or `c3`.
    Numbered(char, u64),
    /// Any text.
    Text(&'a [u8]),
}

impl core::fmt::Debug for Id<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Numbered(letter, number) => write!(f, "Id({letter}{number})"),
            Self::Text(_) => f.write_str("Id(text)"),
        }
    }
}

/// A contact to be written (RFC 3680 5.1.2). For `Shortened`, [`expires`](Self::expires) must be given; for
/// `Probation`, [`retry_after`](Self::retry_after).
#[derive(Clone, Copy)]
pub struct ContactOut<'a> {
    /// Its id.
    pub id: Id<'a>,
    /// Its state.
    pub state: ContactState,
    /// Its event.
    pub event: ContactEvent,
    /// The contact URI, without angle brackets.
    pub uri: &'a [u8],
    /// Seconds until it expires; 0 for a terminated one (RN-2).
    pub expires: Option<u64>,
    /// Seconds to wait before registering again.
    pub retry_after: Option<u64>,
    /// Seconds since it was first registered.
    pub duration_registered: Option<u64>,
    /// The preference, such as `0.5`.
    pub q: Option<&'a [u8]>,
    /// Call-ID of the REGISTER that last changed it.
    pub callid: Option<&'a [u8]>,
    /// CSeq number of the REGISTER that last changed it.
    pub cseq: Option<u64>,
    /// The display name, without quotes.
    pub display_name: Option<&'a [u8]>,
    /// The parameters of the Contact header as they came, `;a=b;c="d"`. Each becomes an `unknown-param`, its
    /// quotes kept, but for `expires` and `q`, which have attributes of their own.
    pub params_raw: &'a [u8],
    /// The public GRUU.
    pub pub_gruu: Option<&'a [u8]>,
    /// The temporary GRUU.
    pub temp_gruu: Option<TempGruu<&'a [u8]>>,
}

impl<'a> ContactOut<'a> {
    /// A contact with nothing optional.
    #[must_use]
    pub const fn new(id: Id<'a>, state: ContactState, event: ContactEvent, uri: &'a [u8]) -> Self {
        Self {
            id,
            state,
            event,
            uri,
            expires: None,
            retry_after: None,
            duration_registered: None,
            q: None,
            callid: None,
            cseq: None,
            display_name: None,
            params_raw: b"",
            pub_gruu: None,
            temp_gruu: None,
        }
    }
}

impl core::fmt::Debug for ContactOut<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ContactOut")
            .field("id", &self.id)
            .field("state", &self.state)
            .field("event", &self.event)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// [RI-4] Writes a document into a buffer as its parts are told, without white space between elements.
///
/// Any bytes may be given; the document is well-formed whatever they are, so that no user's Contact can keep
/// a NOTIFY from being sent. What XML cannot carry is put into another form: in URIs, control characters and
/// bytes that are not UTF-8 are percent-encoded; elsewhere control characters become spaces, and what is not
/// UTF-8 becomes U+FFFD. The only fault is a buffer that is too small: see [`Buffer::fault`], and
/// [`Buffer::attempt`] for all or nothing.
///
/// Inside a registration, contacts come before what else there is (RFC 3680 5.4). A part told outside the
/// element that it belongs to is left out.
#[derive(Debug)]
pub struct DocumentWriter<'b> {
    out: &'b mut Buffer,
    open: bool,
}

impl<'b> DocumentWriter<'b> {
    /// [RFC 3680 5.1] Begins a document.
    pub fn new(buffer: &'b mut Buffer, version: u32, state: DocumentState) -> Self {
        buffer.put(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?><reginfo xmlns=\"");
        buffer.put(REGINFO.as_bytes());
        buffer.put(b"\" version=\"");
        buffer.put_number(u64::from(version));
        buffer.put(b"\" state=\"");
        buffer.put(state.as_str().as_bytes());
        buffer.put(b"\">");
        Self {
            out: buffer,
            open: false,
        }
    }

    /// [RFC 3680 5.1.1] Begins a registration, ending the one before.
    pub fn registration(&mut self, aor: &[u8], id: Id<'_>, state: RegistrationState) {
        self.end_registration();
        self.open = true;
        self.out.put(b"<registration");
        self.attribute(b"aor", aor, Kind::Uri);
        self.id(id);
        self.attribute(b"state", state.as_str().as_bytes(), Kind::Text);
        self.out.put(b">");
    }

    /// [RFC 3680 5.1.2] Writes a contact of the registration begun last.
    pub fn contact(&mut self, contact: &ContactOut<'_>) {
        if !self.open {
            return;
        }
        self.begin_contact(&Head {
            id: contact.id,
            state: contact.state,
            event: Some(contact.event),
            expires: contact.expires,
            retry_after: contact.retry_after,
            duration_registered: contact.duration_registered,
            q: contact.q,
            callid: contact.callid,
            cseq: contact.cseq,
        });
        self.uri(contact.uri);
        if let Some(name) = contact.display_name {
            self.display_name(name, None);
        }
        for (name, value) in (Parameters {
            rest: contact.params_raw,
        }) {
            if !name.eq_ignore_ascii_case(b"expires") && !name.eq_ignore_ascii_case(b"q") {
                self.unknown_param(name, value);
            }
        }
        self.gruus(contact.pub_gruu, contact.temp_gruu);
        self.end_contact();
    }

    /// [TS 24.229 7.10.2] Writes the wildcarded public identity that the address of record is an instance of.
    pub fn wildcarded_identity(&mut self, identity: &[u8]) {
        if !self.open {
            return;
        }
        // Some readers look for this very prefix.
        self.out.put(b"<ere:wildcardedIdentity xmlns:ere=\"");
        self.out.put(EXT_REG_EXP.as_bytes());
        self.out.put(b"\">");
        put_escaped(self.out, identity, Kind::Uri, false);
        self.out.put(b"</ere:wildcardedIdentity>");
    }

    /// [TS 24.229 7.10.3] Writes the policy of the registration.
    pub fn policy<'p>(&mut self, actions: impl IntoIterator<Item = PolicyAction<&'p [u8]>>) {
        if !self.open {
            return;
        }
        self.out.put(b"<cp:actions xmlns:cp=\"");
        self.out.put(COMMON_POLICY.as_bytes());
        self.out.put(b"\" xmlns:eri=\"");
        self.out.put(EXT_REG_INFO.as_bytes());
        self.out.put(b"\">");
        for action in actions {
            self.action(action);
        }
        self.out.put(b"</cp:actions>");
    }

    fn action(&mut self, action: PolicyAction<&[u8]>) {
        match action {
            PolicyAction::ResourcePriority { namespace, value } => {
                self.out.put(b"<eri:rph");
                self.attribute(b"ns", namespace, Kind::Text);
                self.attribute(b"val", value, Kind::Text);
            }
            PolicyAction::PrivilegedSender => self.out.put(b"<eri:privSender"),
            PolicyAction::PrivateNetworkIndication { handling, domain } => {
                self.out.put(b"<eri:pni");
                if let Some(handling) = handling {
                    self.attribute(b"insert", handling.as_str().as_bytes(), Kind::Text);
                }
                if let Some(domain) = domain {
                    self.attribute(b"domain", domain, Kind::Uri);
                }
            }
            PolicyAction::PrivilegedSenderForPrivateTraffic => {
                self.out.put(b"<eri:privSenderPNI");
            }
        }
        self.out.put(b"/>");
    }

    /// Ends the registration, if one is begun.
    pub fn end_registration(&mut self) {
        if self.open {
            self.open = false;
            self.out.put(b"</registration>");
        }
    }

    /// Ends the document.
    pub fn finish(mut self) {
        self.end_registration();
        self.out.put(b"</reginfo>");
    }

    pub(super) fn begin_contact(&mut self, head: &Head<'_>) {
        self.out.put(b"<contact");
        self.id(head.id);
        self.attribute(b"state", head.state.as_str().as_bytes(), Kind::Text);
        if let Some(event) = head.event {
            self.attribute(b"event", event.as_str().as_bytes(), Kind::Text);
        }
        self.number(b"expires", head.expires);
        self.number(b"retry-after", head.retry_after);
        self.number(b"duration-registered", head.duration_registered);
        if let Some(q) = head.q {
            self.attribute(b"q", q, Kind::Text);
        }
        if let Some(callid) = head.callid {
            self.attribute(b"callid", callid, Kind::Text);
        }
        self.number(b"cseq", head.cseq);
        self.out.put(b">");
    }

    pub(super) fn uri(&mut self, uri: &[u8]) {
        self.out.put(b"<uri>");
        put_escaped(self.out, uri, Kind::Uri, false);
        self.out.put(b"</uri>");
    }

    pub(super) fn display_name(&mut self, name: &[u8], language: Option<&[u8]>) {
        self.out.put(b"<display-name");
        if let Some(language) = language {
            self.attribute(b"xml:lang", language, Kind::Text);
        }
        self.out.put(b">");
        put_escaped(self.out, name, Kind::Text, false);
        self.out.put(b"</display-name>");
    }

    pub(super) fn unknown_param(&mut self, name: &[u8], value: &[u8]) {
        self.out.put(b"<unknown-param");
        self.attribute(b"name", name, Kind::Text);
        self.out.put(b">");
        put_escaped(self.out, value, Kind::Text, false);
        self.out.put(b"</unknown-param>");
    }

    /// [RFC 5628 5]
    pub(super) fn gruus(&mut self, public: Option<&[u8]>, temporary: Option<TempGruu<&[u8]>>) {
        if let Some(public) = public {
            self.out.put(b"<gr:pub-gruu xmlns:gr=\"");
            self.out.put(GRUUINFO.as_bytes());
            self.out.put(b"\"");
            self.attribute(b"uri", public, Kind::Uri);
            self.out.put(b"/>");
        }
        if let Some(temporary) = temporary {
            self.out.put(b"<gr:temp-gruu xmlns:gr=\"");
            self.out.put(GRUUINFO.as_bytes());
            self.out.put(b"\"");
            self.attribute(b"uri", temporary.uri, Kind::Uri);
            self.number(b"first-cseq", temporary.first_cseq);
            self.out.put(b"/>");
        }
    }

    pub(super) fn end_contact(&mut self) {
        self.out.put(b"</contact>");
    }

    fn attribute(&mut self, name: &[u8], value: &[u8], kind: Kind) {
        self.out.put(b" ");
        self.out.put(name);
        self.out.put(b"=\"");
        put_escaped(self.out, value, kind, true);
        self.out.put(b"\"");
    }

    fn number(&mut self, name: &[u8], value: Option<u64>) {
        if let Some(value) = value {
            self.out.put(b" ");
            self.out.put(name);
            self.out.put(b"=\"");
            self.out.put_number(value);
            self.out.put(b"\"");
        }
    }

    fn id(&mut self, id: Id<'_>) {
        match id {
            Id::Text(text) => self.attribute(b"id", text, Kind::Text),
            Id::Numbered(letter, number) => {
                self.out.put(b" id=\"");
                let mut bytes = [0; 4];
                let letter = letter.encode_utf8(&mut bytes);
                put_escaped(self.out, letter.as_bytes(), Kind::Text, true);
                self.out.put_number(number);
                self.out.put(b"\"");
            }
        }
    }
}

/// The attributes of a contact.
pub(super) struct Head<'a> {
    pub(super) id: Id<'a>,
    pub(super) state: ContactState,
    pub(super) event: Option<ContactEvent>,
    pub(super) expires: Option<u64>,
    pub(super) retry_after: Option<u64>,
    pub(super) duration_registered: Option<u64>,
    pub(super) q: Option<&'a [u8]>,
    pub(super) callid: Option<&'a [u8]>,
    pub(super) cseq: Option<u64>,
}

/// What becomes of what XML cannot carry.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Uri,
    Text,
}

/// [RI-4] Writes a value so that it means itself: in an attribute the quote is escaped too.
fn put_escaped(out: &mut Buffer, mut rest: &[u8], kind: Kind, in_attribute: bool) {
    let stops = |b: u8| {
        (i8::from_ne_bytes([b]) < 0x20)
            | (b == b'&')
            | (b & 0xfd == b'<')
            | (in_attribute & (b == b'"'))
    };
    while let Some(stop) = first(rest, stops) {
        let (plain, from) = rest.split_at_checked(stop).unwrap_or((rest, b""));
        out.put(plain);
        let length = put_special(out, from, kind);
        rest = from.get(length..).unwrap_or_default();
    }
    out.put(rest);
}

/// The place of the first such byte. Whole blocks in which there is none are passed over by vector comparisons.
#[inline(always)]
fn first(bytes: &[u8], is: impl Fn(u8) -> bool) -> Option<usize> {
    let mut rest = bytes;
    while let Some((block, tail)) = rest.split_first_chunk::<16>() {
        if block.iter().fold(false, |any, b| any | is(*b)) {
            break;
        }
        rest = tail;
    }
    let within = rest.iter().position(|b| is(*b))?;
    Some(
        bytes
            .len()
            .saturating_sub(rest.len())
            .saturating_add(within),
    )
}

/// Writes the character that `from` begins with, which cannot stand as it is, and tells its length.
fn put_special(out: &mut Buffer, from: &[u8], kind: Kind) -> usize {
    let Some(first) = from.first().copied() else {
        return 0;
    };
    match first {
        b'&' => out.put(b"&amp;"),
        b'<' => out.put(b"&lt;"),
        b'>' => out.put(b"&gt;"),
        b'"' => out.put(b"&quot;"),
        _ => {
            let length = wide_length(from);
            match (from.get(..length), kind) {
                (Some(character), _) if length > 1 => {
                    out.put(character);
                    return length;
                }
                (_, Kind::Uri) => put_percent(out, first),
                (_, Kind::Text) if first < 0x80 => out.put(b" "),
                (_, Kind::Text) => {
                    out.put("\u{fffd}".as_bytes());
                    return rejected_length(from);
                }
            }
        }
    }
    1
}

/// The length of the character of several bytes that the bytes begin with, if they do and XML allows it;
/// else 1.
fn wide_length(from: &[u8]) -> usize {
    let head = from.get(..4).unwrap_or(from);
    let valid = match core::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) => head
            .get(..error.valid_up_to())
            .and_then(|valid| core::str::from_utf8(valid).ok())
            .unwrap_or_default(),
    };
    match valid.chars().next() {
        Some(character) if is_character(character) => character.len_utf8(),
        _ => 1,
    }
}

/// How many bytes one replacement character stands for: a character that XML does not allow is whole.
fn rejected_length(from: &[u8]) -> usize {
    match from {
        [0xef, 0xbf, 0xbe | 0xbf, ..] => 3,
        _ => 1,
    }
}

fn put_percent(out: &mut Buffer, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |nibble: u8| HEX.get(usize::from(nibble & 0xf)).copied().unwrap_or(b'0');
    out.put(&[b'%', digit(byte >> 4), digit(byte)]);
}

/// [RFC 3261 25.1] The parameters of a Contact header, quotes kept.
struct Parameters<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Parameters<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            let end = unquoted(self.rest, b';');
            let (parameter, rest) = self.rest.split_at_checked(end)?;
            self.rest = rest.get(1..).unwrap_or_default();
            let equals = unquoted(parameter, b'=');
            let (name, value) = parameter.split_at_checked(equals)?;
            let name = name.trim_ascii();
            if !name.is_empty() {
                return Some((name, value.get(1..).unwrap_or_default().trim_ascii()));
            }
        }
        None
    }
}

/// Where a byte first stands outside of a quoted string; the end if nowhere.
fn unquoted(text: &[u8], wanted: u8) -> usize {
    let mut at = 0usize;
    while let Some(found) = memchr::memchr2(wanted, b'"', text.get(at..).unwrap_or_default()) {
        at = at.saturating_add(found);
        if text.get(at) == Some(&wanted) {
            return at;
        }
        at = past_quoted(text, at.saturating_add(1));
    }
    text.len()
}

/// Where the quoted string ends of which `at` is the first byte after its quote; the end if it is never closed.
fn past_quoted(text: &[u8], mut at: usize) -> usize {
    while let Some(found) = memchr::memchr2(b'"', b'\\', text.get(at..).unwrap_or_default()) {
        at = at.saturating_add(found);
        if text.get(at) == Some(&b'"') {
            return at.saturating_add(1);
        }
        at = at.saturating_add(2);
    }
    text.len()
}
