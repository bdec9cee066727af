//! [SD-7] What an S-CSCF learns of a registration, read from the REGISTER and its 2xx; and what one says that
//! removes bindings.

use alloc::{borrow::Cow, vec::Vec};
use core::fmt;

use super::defect;
use crate::{
    drive::Reject,
    fleet::Few,
    wire::{
        Contact, ContactAddr, Header, HeaderName, Host, IntegrityProtected, Message, NameAddr,
        Required, Scheme, Uri, register,
    },
};

/// What a REGISTER says that removes bindings, read once.
pub(crate) struct Removing<'m> {
    /// From and To.
    pub(crate) parties: [NameAddr<'m>; 2],
    /// The private identity that Authorization names.
    pub(crate) username: Option<Vec<u8>>,
    /// What `integrity-protected` says, if it is there.
    pub(crate) protected: Option<IntegrityProtected>,
    pub(crate) contacts: Few<Contact<'m>>,
    pub(crate) call_id: &'m [u8],
    pub(crate) cseq: u32,
}

impl fmt::Debug for Removing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Removing")
            .field("contacts", &self.contacts.len())
            .field("cseq", &self.cseq)
            .finish_non_exhaustive()
    }
}

impl<'m> Removing<'m> {
    /// Reads what is left to read of a REGISTER with these contacts.
    ///
    /// # Errors
    /// [`Reject`] if Authorization cannot be read.
    pub(crate) fn read(
        request: &Message<'m>,
        required: &Required<'m>,
        contacts: Few<Contact<'m>>,
    ) -> Result<Self, Reject> {
        let credentials = register::credentials(request)?;
        Ok(Self {
            parties: [required.from, required.to],
            username: credentials.username,
            protected: credentials.protected,
            contacts,
            call_id: required.call_id,
            cseq: required.cseq,
        })
    }

    /// Reads one that was kept.
    ///
    /// # Errors
    /// [`Reject`] where a header that is needed is missing or cannot be read.
    pub(crate) fn read_again(request: &Message<'m>) -> Result<Self, Reject> {
        let contacts = request.contacts().collect::<Result<_, _>>()?;
        Self::read(request, &Required::read(request)?, contacts)
    }

    /// The public identity.
    pub(crate) fn public_identity(&self) -> &'m [u8] {
        let [_, to] = &self.parties;
        to.uri_bytes()
    }

    /// The private identity: the one it names, else what its public identity gives.
    pub(crate) fn private_identity(&self) -> &[u8] {
        let [_, to] = &self.parties;
        match &self.username {
            Some(username) => username,
            None => register::bare(&to.uri()),
        }
    }

    /// Whether it removes all bindings.
    pub(crate) fn has_star(&self) -> bool {
        self.contacts
            .iter()
            .any(|contact| matches!(contact, Contact::Star))
    }
}

/// [SD-3] The contacts of a REGISTER that removes bindings and does nothing else, which is that every contact has
/// an expiry of zero; `None` for any other.
///
/// # Errors
/// [`Reject`] if a contact cannot be read, if `*` stands beside others or does not remove, or for more than `most`
/// contacts.
pub(crate) fn removed_contacts<'m>(
    message: &Message<'m>,
    most: usize,
) -> Result<Option<Few<Contact<'m>>>, Reject> {
    let header = message.expires().ok().flatten();
    let mut removed = Few::new();
    let (mut contacts, mut stars, mut others) = (0usize, 0usize, 0usize);
    for contact in message.contacts() {
        let contact = contact?;
        contacts = contacts.saturating_add(1);
        match &contact {
            Contact::Star => stars = stars.saturating_add(1),
            Contact::Addr(contact) if register::asked_expires(contact, message) == 0 => {}
            Contact::Addr(_) => others = others.saturating_add(1),
        }
        if others == 0 && contacts <= most {
            removed.push(contact);
        }
    }
    let at = || message.header(HeaderName::Contact).map_or(0, Header::at);
    if stars > 0 && (contacts > 1 || header != Some(0)) {
        return Err(Reject::new(&defect::WILDCARD, at()));
    }
    if contacts == 0 || others > 0 {
        return Ok(None);
    }
    if contacts > most {
        return Err(Reject::new(&defect::TOO_MANY_CONTACTS, at()));
    }
    Ok(Some(removed))
}

/// A contact as the REGISTER named it and the 2xx granted it.
pub(crate) struct LearnedContact<'m> {
    pub(crate) asked: ContactAddr<'m>,
    /// Seconds granted; 0 if it is not bound.
    pub(crate) expires: u32,
    /// Public and temporary GRUU, empty for none.
    pub(crate) gruus: [&'m [u8]; 2],
}

impl<'m> LearnedContact<'m> {
    fn read(
        asked: ContactAddr<'m>,
        request: &Message<'m>,
        response: &Message<'m>,
    ) -> Result<Self, Reject> {
        let negotiated = [HeaderName::Supported, HeaderName::Require]
            .into_iter()
            .any(|name| request.lists(name, b"gruu"));
        let listed = match negotiated {
            true => register::listed(&asked, response)?,
            false => None,
        };
        let gruus = listed.map_or([None; 2], |listed| [listed.pub_gruu(), listed.temp_gruu()]);
        Ok(Self {
            expires: register::granted_expires(&asked, request, response)?,
            gruus: gruus.map(Option::unwrap_or_default),
            asked,
        })
    }
}

/// A registration as a REGISTER and its 2xx leave it.
pub(crate) struct Learned<'m> {
    pub(crate) private_identity: Vec<u8>,
    pub(crate) registered_identity: &'m [u8],
    /// The default one first; empty if the 2xx does not say.
    pub(crate) associated_identities: Vec<&'m [u8]>,
    pub(crate) contacts: Vec<LearnedContact<'m>>,
    pub(crate) listed: Vec<NameAddr<'m>>,
    pub(crate) all_removed: bool,
    pub(crate) path: Vec<u8>,
    pub(crate) call_id: &'m [u8],
    pub(crate) cseq: u32,
    /// Number of the latest failure of a P-CSCF before it.
    pub(crate) failure: u32,
}

impl<'m> Learned<'m> {
    /// [SD-7] Reads a REGISTER, as it was received, and the 2xx that was sent. The expiry of a contact is
    /// that of *this* contact in the 2xx: its parameter before the header (T22). Its GRUUs are those of the
    /// 2xx, if the REGISTER said that they are understood (T35).
    ///
    /// # Errors
    /// [`Reject`] where a header that is needed is missing or cannot be read.
    pub(crate) fn read(
        request: &Message<'m>,
        response: &Message<'m>,
        private_identity: Option<&[u8]>,
    ) -> Result<Self, Reject> {
        let private_identity = match private_identity {
            Some(given) => given.to_vec(),
            None => register::private_identity(request)?,
        };
        let associated = response.name_addrs(HeaderName::PAssociatedUri);
        let mut learned = Self {
            private_identity,
            registered_identity: request.to()?.uri_bytes(),
            associated_identities: associated
                .map(|identity| identity.map(|identity| identity.uri_bytes()))
                .collect::<Result<_, _>>()?,
            contacts: Vec::new(),
            listed: Vec::new(),
            all_removed: false,
            path: register::joined(request, HeaderName::Path)?,
            call_id: request.call_id()?,
            cseq: request.cseq()?.number,
            failure: 0,
        };
        for contact in response.contacts() {
            if let Contact::Addr(contact) = contact? {
                learned.listed.push(*contact);
            }
        }
        for contact in request.contacts() {
            match contact? {
                Contact::Star => learned.all_removed = true,
                Contact::Addr(contact) => {
                    let contact = LearnedContact::read(contact, request, response)?;
                    learned.contacts.push(contact);
                }
            }
        }
        Ok(learned)
    }
}

/// [RFC 3261 10.3] The form of a public identity under which it is filed: without port, parameters and
/// password, the host in lower case, escapes of letters and digits resolved; a telephone number without
/// separators, with its context.
pub(crate) fn canonical(uri: &[u8]) -> Cow<'_, [u8]> {
    if let Some(plain) = plain(uri) {
        return Cow::Borrowed(plain);
    }
    match Uri::parse(uri) {
        Ok(parsed) => Cow::Owned(filed_under(&parsed)),
        Err(_) => Cow::Borrowed(uri),
    }
}

/// Where a byte of a URI may stand that is as plain as most.
const IN_USER: u8 = 1;
const IN_HOST: u8 = 2;

const fn plain_places() -> [u8; 256] {
    let mut table = [0u8; 256];
    let mut rest: &mut [u8] = &mut table;
    let mut byte = 0u8;
    while let Some((first, tail)) = rest.split_first_mut() {
        *first = match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' => IN_USER | IN_HOST,
            b'A'..=b'Z' | b'+' | b'_' => IN_USER,
            _ => 0,
        };
        byte = byte.wrapping_add(1);
        rest = tail;
    }
    table
}

static PLAIN_PLACES: [u8; 256] = plain_places();

/// Whether all of these bytes may stand there. Every one is looked at: as a rule they may.
fn may_stand(place: u8, bytes: &[u8]) -> bool {
    let of = |byte: u8| PLAIN_PLACES.get(usize::from(byte)).copied();
    let all = |places, &byte| places & of(byte).unwrap_or_default();
    bytes.iter().fold(place, all) == place
}

/// The canonical form where it stands in the URI, as in most: a user of letters, digits and their like, and the name of
/// a domain in lower case.
fn plain(uri: &[u8]) -> Option<&[u8]> {
    let form = uri.strip_prefix(b"sip:").filter(|form| form.len() <= 255)?;
    let (user, host) = form.split_at_checked(memchr::memchr(b'@', form)?)?;
    let (_, host) = host.split_first()?;
    let is_plain = !user.is_empty()
        && may_stand(IN_USER, user)
        && host.first().is_some_and(u8::is_ascii_lowercase)
        && may_stand(IN_HOST, host)
        && host.last() != Some(&b'.');
    is_plain.then_some(form)
}

fn filed_under(parsed: &Uri<'_>) -> Vec<u8> {
    let uri = parsed.raw();
    let mut key = Vec::with_capacity(uri.len());
    match parsed.scheme() {
        Scheme::Sip | Scheme::Sips => {
            let mut user = parsed.user().unwrap_or_default();
            while let Some((&byte, rest)) = user.split_first() {
                let (byte, rest) = match unescaped(user) {
                    Some(letter) => (letter, rest.get(2..).unwrap_or_default()),
                    None => (byte, rest),
                };
                key.push(byte);
                user = rest;
            }
            key.push(b'@');
            match parsed.host() {
                Some(Host::V4(address)) => key.extend_from_slice(&address),
                Some(Host::V6(address)) => key.extend_from_slice(&address),
                Some(Host::Name(name)) => {
                    let name = name.strip_suffix(b".").unwrap_or(name);
                    key.extend(name.iter().map(u8::to_ascii_lowercase));
                }
                None => {}
            }
        }
        Scheme::Tel => {
            key.extend_from_slice(b"tel:");
            let number = parsed.user().unwrap_or_default().iter();
            let digits = number.filter(|byte| !matches!(byte, b'-' | b'.' | b'(' | b')'));
            key.extend(digits.map(u8::to_ascii_lowercase));
            if let Some(context) = parsed.params().value(b"phone-context") {
                key.push(b';');
                key.extend(context.iter().map(u8::to_ascii_lowercase));
            }
        }
        _ => key.extend_from_slice(uri),
    }
    key
}

/// The letter or digit that an escape at the start stands for.
fn unescaped(text: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = *text else {
        return None;
    };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = digit(high)?.checked_mul(16)?.checked_add(digit(low)?)?;
    u8::try_from(byte).ok().filter(u8::is_ascii_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::{canonical, filed_under, plain};
    use crate::wire::Uri;

    /// What needs no reading is what reading gives.
    fn check(uri: &[u8]) {
        if let Some(plain) = plain(uri) {
            let parsed = Uri::parse(uri).unwrap();
            assert_eq!(filed_under(&parsed), plain, "{}", uri.escape_ascii());
            assert_eq!(*canonical(uri), *plain);
        }
    }

    /// [SD-7] Plain ones are seen as such, and others are not.
    #[test]
    fn plain_ones() {
        for (uri, form) in [
            ("sip:a@b", Some("a@b")),
            ("sip:+1-2.3_A@b-c.d1", Some("+1-2.3_A@b-c.d1")),
            ("sip:@b", None),
            ("sip:a@", None),
            ("sip:a@b.", None),
            ("sip:a@B", None),
            ("sip:a@1.2.3.4", None),
            ("sip:a@b:5060", None),
            ("sip:a@b;c", None),
            ("sip:a:b@c", None),
            ("sip:a%41@b", None),
            ("SIP:a@b", None),
            ("sips:a@b", None),
            ("tel:+1", None),
            ("", None),
        ] {
            let found = plain(uri.as_bytes());
            assert_eq!(found, form.map(str::as_bytes), "{uri}");
            check(uri.as_bytes());
        }
        for (length, is) in [(255, true), (256, false)] {
            let mut uri = b"sip:a@".to_vec();
            uri.resize(4 + length, b'b');
            assert_eq!(plain(&uri).is_some(), is, "{length}");
        }
    }

    /// [SD-7] Whatever stands in a URI that looks plain.
    #[test]
    fn as_read() {
        let parts: [&[u8]; 12] = [
            b"a", b"B", b"0", b"1.2.3.4", b".", b"+", b"-", b"_", b"%61", b"@", b":", b";",
        ];
        let mut chance = 0x9e37_79b9_7f4a_7c15_u64;
        let mut plain_ones = 0;
        for _ in 0..200_000 {
            chance ^= chance << 13;
            chance ^= chance >> 7;
            chance ^= chance << 17;
            let mut uri = b"sip:a".to_vec();
            for place in 0..chance % 6 {
                let part = (chance >> (8 + place * 8)) as u8 as usize % parts.len();
                uri.extend_from_slice(parts[part]);
            }
            plain_ones += usize::from(plain(&uri).is_some());
            check(&uri);
        }
        assert!(plain_ones > 500, "{plain_ones}");
    }
}
