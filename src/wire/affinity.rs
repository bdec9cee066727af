//! Which of many shards a message belongs to, before anything else of it is read.

use core::{fmt, hash::Hasher, num::NonZeroU16};
use siphasher::sip::SipHasher13;

use super::{
    HeaderName, Host, MAGIC_COOKIE, Params,
    scan::{self, after, before, between, trim, trim_start},
};
use crate::drive::Identifier;

/// The key of every hash here. It is no secret: all nodes of a host, of whatever version, must agree.
const KEY: &[u8; 16] = b"ims-procedures/1";

/// What leads a message to its shard; see [`affinity`](fn@affinity).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Affinity {
    /// The shard that an identifier of ours in the message names.
    Shard(u16),
    /// The public identity that the message is about: SipHash-1-3, under the 16 bytes `ims-procedures/1`, of
    /// its canonical form:
    ///
    /// | identity | canonical form |
    /// |---|---|
    /// | `sip` and `sips` URI | `sip:`, the user with all escapes resolved and `@` if there is one, the host in small letters and without a final dot; no password, port, parameters, headers (RFC 3261 10.3) |
    /// | with an IPv6 host | the host as `[`, the 16 bytes of the address, `]` |
    /// | `tel` URI | `tel:` and the number in small letters, without visual separators and parameters (RFC 3966 4) |
    /// | any other | the scheme in small letters, `:`, the rest as it stood |
    ///
    /// URIs that are equal (RFC 3261 19.1.4) have one form. Some that are not equal have one too, which
    /// costs nothing: what must not happen is that one user has two.
    Identity(u64),
    /// The dialog or transaction: SipHash-1-3 of the Call-ID under the same key.
    CallId(u64),
}

impl fmt::Debug for Affinity {
    /// The hash of an identity under a known key would give it away to one who tries all numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shard(shard) => write!(f, "Shard({shard})"),
            Self::Identity(_) => f.write_str("Identity(..)"),
            Self::CallId(_) => f.write_str("CallId(..)"),
        }
    }
}

impl Affinity {
    /// The number of the shard among so many, from 0: always below `shards`, whatever a peer wrote.
    ///
    /// [`Shard`](Self::Shard) stays as it is; one that there is not (forged, or of a host that has become
    /// smaller) is taken modulo `shards`. A hash is mapped by jump consistent hashing (Lamping and Veach
    /// 2014, in integers): when a host grows from *n* shards to *n* + 1, about one user of *n* + 1 moves, each
    /// of them to the new shard, and nobody else.
    ///
    /// The [`Identifiers`](crate::drive::Identifiers) of the node that serves shard *k* are made with that
    /// number, so that what begins by hash goes on by identifier, also when the number of shards has changed
    /// meanwhile.
    #[must_use]
    pub fn of(self, shards: NonZeroU16) -> u16 {
        match self {
            Self::Shard(shard) => shard.checked_rem(shards.get()).unwrap_or(0),
            Self::Identity(hash) | Self::CallId(hash) => jump(hash, shards),
        }
    }
}

/// [DR-8] Which shard a message belongs to, for hosts that spread users over several nodes. One pass over the
/// head, until it is decided; nothing is checked that is not needed, and nothing allocated.
///
/// | message | the first of these that there is | gives |
/// |---|---|---|
/// | response | branch of the topmost Via, if ours | [`Shard`](Affinity::Shard) |
/// | | To, if CSeq is of a REGISTER | [`Identity`](Affinity::Identity) |
/// | | Call-ID | [`CallId`](Affinity::CallId) |
/// | REGISTER | To, whatever else stands in it | [`Identity`](Affinity::Identity) |
/// | | Call-ID, if To cannot be read | [`CallId`](Affinity::CallId) |
/// | any other request | user of the topmost Route, if ours | [`Shard`](Affinity::Shard) |
/// | | user of the Request-URI, if ours | [`Shard`](Affinity::Shard) |
/// | | tag of To, if ours | [`Shard`](Affinity::Shard) |
/// | | Request-URI, of a SUBSCRIBE whose To has no tag | [`Identity`](Affinity::Identity) |
/// | | Call-ID | [`CallId`](Affinity::CallId) |
///
/// "Ours" is a text that [`Identifier::parse`] reads; in a branch after `z9hG4bK`. The names and places
/// above are those that the receiver of a message has chosen itself. Call-ID and the tag of From of a request
/// are not among them: where both ends run this library they hold the number of a shard of the *other* end.
/// A host that forwards dialogs of others puts an identifier of the serving shard into the user of its Path
/// and Record-Route, which come back as the topmost Route.
///
/// `None`: no start line, or nothing in the message that decides. It is of no dialog and no user, so that
/// any shard may refuse it.
///
/// The result is no proof of anything. A forged identifier, a Call-ID that is chosen with care, or a To of
/// another user leads to a shard that does not know the dialog, or makes shards uneven, and no more. Which
/// identities are aliases of one set is the host's to know: it maps them to one before it asks, or takes the
/// shard of the first.
#[must_use]
pub fn affinity(bytes: &[u8]) -> Option<Affinity> {
    let mut rest = bytes;
    while let Some(tail) = rest.strip_prefix(b"\r\n") {
        rest = tail;
    }
    let (line, head) = take_line(rest)?;
    let start = Start::read(line)?;
    let mut seen = Seen::default();
    for (name, value) in Fields(head) {
        if let Some(decided) = seen.take(&start, name, value) {
            return Some(decided);
        }
    }
    seen.at_end(&start)
}

/// The place of the first such byte. The texts here are short.
fn first(bytes: &[u8], byte: u8) -> Option<usize> {
    bytes.iter().position(|b| *b == byte)
}

/// The shard in a text of ours.
fn shard(text: &[u8]) -> Option<Affinity> {
    Identifier::parse(text).map(|ours| Affinity::Shard(ours.shard()))
}

enum Start<'a> {
    Response,
    Register,
    Subscribe { uri: &'a [u8] },
    Other { uri: &'a [u8] },
}

impl<'a> Start<'a> {
    fn read(line: &'a [u8]) -> Option<Self> {
        if scan::same_text(before(line, 4), b"SIP/") {
            return Some(Self::Response);
        }
        let space = first(line, b' ')?;
        let rest = after(line, space.wrapping_add(1));
        let uri = before(rest, first(rest, b' ')?);
        Some(match before(line, space) {
            b"REGISTER" => Self::Register,
            b"SUBSCRIBE" => Self::Subscribe { uri },
            _ => Self::Other { uri },
        })
    }
}

/// The first of each header field that may decide, if it must be kept until the end.
#[derive(Default)]
struct Seen<'a> {
    via: bool,
    route: bool,
    to: Option<&'a [u8]>,
    call_id: Option<&'a [u8]>,
    is_of_register: bool,
}

impl<'a> Seen<'a> {
    /// Looks at one field: whether it decides alone, whatever follows.
    fn take(&mut self, start: &Start<'_>, name: HeaderName, value: &'a [u8]) -> Option<Affinity> {
        match (name, start) {
            (HeaderName::Via, Start::Response) if !self.via => {
                let topmost = first_element(value)?;
                self.via = true;
                branch(topmost).and_then(|branch| shard(branch.strip_prefix(MAGIC_COOKIE)?))
            }
            (HeaderName::Route, Start::Subscribe { .. } | Start::Other { .. }) if !self.route => {
                self.route = !skip_commas(value).is_empty();
                user(address(value).0).and_then(shard)
            }
            (HeaderName::To, Start::Register) => identity(address(value).0),
            (HeaderName::To, _) => {
                self.to.get_or_insert(value);
                None
            }
            (HeaderName::CallId, _) => {
                self.call_id.get_or_insert(value);
                None
            }
            (HeaderName::CSeq, Start::Response) => {
                self.is_of_register = trim_start(after(value, scan::digits(value))) == b"REGISTER";
                None
            }
            _ => None,
        }
    }

    /// What all fields together decide.
    fn at_end(&self, start: &Start<'_>) -> Option<Affinity> {
        let found = match start {
            Start::Response if self.is_of_register => {
                self.to.and_then(|to| identity(address(to).0))
            }
            Start::Response | Start::Register => None,
            Start::Subscribe { uri } => self.dialog(uri).or_else(|| match self.to_tag() {
                None => identity(uri),
                Some(_) => None,
            }),
            Start::Other { uri } => self.dialog(uri),
        };
        found.or_else(|| {
            let call_id = self.call_id.filter(|call_id| !call_id.is_empty())?;
            let mut hasher = SipHasher13::new_with_key(KEY);
            hasher.write(call_id);
            Some(Affinity::CallId(hasher.finish()))
        })
    }

    /// The dialog, as the end that receives the request has named it.
    fn dialog(&self, uri: &[u8]) -> Option<Affinity> {
        let target = user(uri).and_then(shard);
        target.or_else(|| self.to_tag().and_then(shard))
    }

    fn to_tag(&self) -> Option<&'a [u8]> {
        address(self.to?).1.value(b"tag")
    }
}

/// The header fields that may decide: name, and value without white space around it. Ends with the head, or
/// at the first byte that cannot stand in one.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = (HeaderName, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let all = self.0;
            let (line, mut rest) = take_line(all)?;
            if line.is_empty() {
                return None;
            }
            let mut end = line.len();
            while let [b' ' | b'\t', ..] = rest {
                let (line, tail) = take_line(rest)?;
                end = all.len().wrapping_sub(rest.len()).wrapping_add(line.len());
                rest = tail;
            }
            self.0 = rest;
            if let Some(field) = read_field(before(all, end)) {
                return Some(field);
            }
        }
    }
}

/// The line at the start of `bytes`, and what follows its CR LF. A NUL may stand escaped in the To, and decides
/// nothing.
fn take_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (line, rest) = bytes.split_at_checked(scan::line_over_nuls(bytes)?)?;
    Some((line, rest.strip_prefix(b"\r\n")?))
}

/// A field, if it is one of those that may decide.
fn read_field(text: &[u8]) -> Option<(HeaderName, &[u8])> {
    const LONGEST: usize = b"Call-ID".len();
    if !matches!(text.first()? | 0x20, b'v' | b'r' | b't' | b'i' | b'c') {
        return None;
    }
    let name = before(text, LONGEST);
    let name = before(name, scan::run(name, scan::TOKEN));
    let rest = after(text, name.len());
    let blanks = rest.iter().take_while(|b| matches!(b, b' ' | b'\t'));
    let value = after(rest, blanks.count()).strip_prefix(b":")?;
    Some((HeaderName::lookup(name), trim(value)))
}

fn skip_commas(value: &[u8]) -> &[u8] {
    let skipped = value
        .iter()
        .take_while(|b| scan::is(**b, scan::LWS) || **b == b',');
    after(value, skipped.count())
}

/// The first element of a comma list. `None` if there is none.
fn first_element(value: &[u8]) -> Option<&[u8]> {
    let value = skip_commas(value);
    let mut at = 0usize;
    while let Some(found) = scan::first_of::<b',', b'"'>(after(value, at)) {
        at = at.wrapping_add(found);
        match value.get(at) {
            Some(b'"') => {
                let rest = after(value, at);
                at = at.wrapping_add(scan::quoted(rest).unwrap_or(rest.len()));
            }
            _ => return Some(before(value, at)),
        }
    }
    (!value.is_empty()).then_some(value)
}

/// The branch of one Via value.
fn branch(via: &[u8]) -> Option<&[u8]> {
    let params = first(via, b';')?;
    Params::new(after(via, params)).value(b"branch")
}

/// URI and parameters of the first address.
fn address(value: &[u8]) -> (&[u8], Params<'_>) {
    let value = skip_commas(value);
    let mut at = 0usize;
    while let Some(found) = scan::find(after(value, at), scan::ADDRESS_END) {
        at = at.wrapping_add(found);
        let rest = after(value, at);
        match rest.first() {
            Some(b'"') => at = at.wrapping_add(scan::quoted(rest).unwrap_or(rest.len())),
            Some(b'<') => {
                let end = first(rest, b'>').unwrap_or(rest.len());
                let params = after(rest, end.wrapping_add(1));
                return (trim(between(rest, 1, end)), Params::new(params));
            }
            _ => return (trim(before(value, at)), Params::new(rest)),
        }
    }
    (trim(value), Params::default())
}

/// What follows the scheme of a `sip` or `sips` URI.
fn after_sip(uri: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = uri.split_at_checked(first(uri, b':')?)?;
    let is_sip = scan::same_text(scheme, b"sip") || scan::same_text(scheme, b"sips");
    is_sip.then(|| after(rest, 1))
}

/// The user before the host: without password, if there is one.
fn split_user(rest: &[u8]) -> (Option<&[u8]>, &[u8]) {
    match first(rest, b'@') {
        None => (None, rest),
        Some(at) => {
            let info = before(rest, at);
            let user = before(info, first(info, b':').unwrap_or(at));
            (Some(user), after(rest, at.wrapping_add(1)))
        }
    }
}

/// The user of a `sip` or `sips` URI.
fn user(uri: &[u8]) -> Option<&[u8]> {
    split_user(after_sip(uri)?).0
}

/// The hash of the canonical form of an identity; see [`Affinity::Identity`].
fn identity(uri: &[u8]) -> Option<Affinity> {
    let mut hasher = SipHasher13::new_with_key(KEY);
    if let Some(rest) = after_sip(uri) {
        let (user, host) = split_user(rest);
        hasher.write(b"sip:");
        if let Some(user) = user {
            write_unescaped(&mut hasher, user);
            hasher.write(b"@");
        }
        write_host(&mut hasher, host)?;
    } else {
        let scheme = before(uri, first(uri, b':')?);
        let rest = after(uri, scheme.len().wrapping_add(1));
        if scheme.is_empty() || rest.is_empty() || !scan::all(scheme, scan::SCHEME) {
            return None;
        }
        write_lower(&mut hasher, scheme);
        hasher.write(b":");
        if scan::same_text(scheme, b"tel") {
            write_number(&mut hasher, rest);
        } else {
            hasher.write(rest);
        }
    }
    Some(Affinity::Identity(hasher.finish()))
}

fn write_host(hasher: &mut SipHasher13, rest: &[u8]) -> Option<()> {
    if rest.first() == Some(&b'[') {
        let end = first(rest, b']')?.wrapping_add(1);
        let Ok(Host::V6(address)) = Host::parse(before(rest, end)) else {
            return None;
        };
        hasher.write(b"[");
        hasher.write(&address);
        hasher.write(b"]");
        return Some(());
    }
    let host = before(rest, scan::run(rest, scan::HOST));
    let host = host.strip_suffix(b".").unwrap_or(host);
    write_lower(hasher, host);
    (!host.is_empty()).then_some(())
}

fn write_lower(hasher: &mut SipHasher13, text: &[u8]) {
    let mut rest = text;
    while !rest.is_empty() {
        let mut lower = [0u8; 32];
        let places = lower.iter_mut().zip(rest);
        places.for_each(|(place, byte)| *place = byte.to_ascii_lowercase());
        hasher.write(before(&lower, rest.len()));
        rest = after(rest, lower.len());
    }
}

fn write_unescaped(hasher: &mut SipHasher13, text: &[u8]) {
    let mut rest = text;
    while let Some(at) = first(rest, b'%') {
        hasher.write(before(rest, at));
        rest = after(rest, at);
        match escaped(rest) {
            Some(byte) => {
                hasher.write(&[byte]);
                rest = after(rest, 3);
            }
            None => {
                hasher.write(b"%");
                rest = after(rest, 1);
            }
        }
    }
    hasher.write(rest);
}

/// The byte of the escape at the start.
fn escaped(text: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = text else {
        return None;
    };
    let digit = |digit: &u8| char::from(*digit).to_digit(16);
    Some(((digit(high)? << 4) | digit(low)?) as u8)
}

/// A telephone number without visual separators (RFC 3966 5.1.1), up to its parameters.
fn write_number(hasher: &mut SipHasher13, rest: &[u8]) {
    let number = before(rest, first(rest, b';').unwrap_or(rest.len()));
    let separates = |byte: &u8| matches!(byte, b'-' | b'.' | b'(' | b')');
    for part in number.split(separates) {
        write_lower(hasher, part);
    }
}

/// Jump consistent hashing. The steps grow like the logarithm of `shards`.
fn jump(hash: u64, shards: NonZeroU16) -> u16 {
    let mut key = hash;
    let (mut shard, mut next) = (0u64, 0u64);
    while next < u64::from(shards.get()) {
        shard = next;
        key = key.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
        let divisor = (key >> 33).wrapping_add(1);
        next = (shard.wrapping_add(1) << 31)
            .checked_div(divisor)
            .unwrap_or(u64::MAX);
    }
    shard as u16
}
