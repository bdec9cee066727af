//! [PD-10] What a registration information document says of the contacts that an element serves.

use crate::{
    drive::{Limits, Reject},
    fleet::Few,
    reginfo::{
        self, ContactEvent, ContactState, ContactView, DocumentState, RegistrationState,
        RegistrationView, Visitor,
    },
    wire::register,
};

/// What a document says of one contact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// Nothing.
    #[default]
    Unmentioned,
    /// It is registered, with some identity.
    Active,
    /// It is registered, but shortened to so many seconds.
    Shortened(u32),
    /// It is not registered any more, with any identity.
    Terminated,
    /// How an earlier REGISTER than that of the registration left it, and nothing of what it is now.
    Past,
}

/// The most contacts that are looked for at a time.
pub(crate) const MAX_WATCHED: usize = 64;

/// A registration to look for.
#[derive(Clone, Copy)]
pub(crate) struct Watched<'r> {
    /// The URI of its contact.
    pub(crate) contact: &'r [u8],
    /// Its instance and reg-id.
    pub(crate) flow: (Option<&'r [u8]>, Option<&'r [u8]>),
    /// The default public identity, and that of To.
    pub(crate) principals: [&'r [u8]; 2],
    /// All its public identities, as addresses.
    pub(crate) identities: &'r [u8],
    pub(crate) emergency: bool,
    /// An earlier document has shown it.
    pub(crate) seen: bool,
    /// The subscription was made after it was registered: all that is told is of what is now.
    pub(crate) told_since: bool,
    /// Call-ID and CSeq of the REGISTER by which it is registered, if they are to be heeded.
    pub(crate) made_by: Option<(&'r [u8], u32)>,
}

impl Watched<'_> {
    /// [PD-10] The URI is equal; instance and reg-id speak against it only where both sides have them. An
    /// emergency registration is never another one, although its URI may be equal.
    fn is(&self, contact: &ContactView<'_>) -> bool {
        let agree = |ours: Option<&[u8]>, name| {
            ours.is_none_or(|ours| {
                let theirs = contact.param(name);
                theirs.is_none_or(|theirs| unquoted(theirs).as_bytes() == ours)
            })
        };
        let (instance, reg_id) = self.flow;
        let uri = contact.uri.as_bytes();
        // What costs the least is asked first.
        agree(instance, "+sip.instance")
            && agree(reg_id, "reg-id")
            && register::same_uri(self.contact, uri)
            && register::is_emergency(uri) == self.emergency
    }

    /// [PD-10] Whether a document shows it as a REGISTER before that of the registration left it: `callid` and `cseq` are
    /// those of the REGISTER that changed it last (RFC 3680 5.1.2). Another Call-ID or a missing one decides nothing.
    fn is_past(&self, contact: &ContactView<'_>) -> bool {
        let (Some((call_id, own)), Some(theirs), Some(cseq)) =
            (self.made_by, contact.callid, contact.cseq)
        else {
            return false;
        };
        theirs.as_bytes() == call_id && cseq < u64::from(own)
    }
}

fn unquoted(value: &str) -> &str {
    let inside = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
    inside.unwrap_or(value)
}

/// What a document says.
pub(crate) struct State {
    /// Its version.
    pub(crate) version: u32,
    /// How much it says.
    pub(crate) document: DocumentState,
    /// It says everything, and that every registration is terminated, as far as it speaks of now.
    pub(crate) all_terminated: bool,
    /// What it says of each of the contacts, in their order.
    pub(crate) standings: Few<Standing>,
}

/// [PD-10] Reads what a document says of these contacts. No more than [`Limits::identities`] registrations are
/// looked at. Of one that has more, what stands further on is as good as left out, so that it is no full one:
/// nothing is gone because it does not mention it.
///
/// # Errors
/// [`Reject`], at the byte of the document.
pub(crate) fn read(
    document: &[u8],
    limits: &Limits,
    watched: &[Watched<'_>],
) -> Result<State, Reject> {
    let mut finder = Finder {
        watched,
        most: limits.identities,
        version: 0,
        document: DocumentState::Full,
        found: [Found::default(); MAX_WATCHED],
        registrations: 0,
        terminated: 0,
        state: RegistrationState::Init,
        contacts: 0,
        own: 0,
        principal: 0,
    };
    reginfo::read(document, limits, &mut finder)?;
    let is_full =
        finder.document == DocumentState::Full && finder.registrations <= limits.identities;
    let is_past = finder.found.iter().any(|found| found.past);
    let standings = watched.iter().zip(finder.found);
    Ok(State {
        version: finder.version,
        document: finder.document,
        all_terminated: is_full
            && !is_past
            && finder.registrations > 0
            && finder.registrations == finder.terminated,
        standings: standings
            .map(|(watched, found)| found.standing(is_full, watched.seen))
            .collect(),
    })
}

#[derive(Clone, Copy, Default)]
struct Found {
    active: bool,
    shortened: Option<u32>,
    ended: bool,
    ended_principal: bool,
    past: bool,
}

impl Found {
    /// A partial document leaves out what has not changed: the end of one identity alone is not that of the
    /// contact, unless it is the identity that stands for all (T16). A full one leaves out only what is gone
    /// (T08), or was registered after it was written: a contact that no document has shown yet, or that it shows as it
    /// was before.
    const fn standing(self, is_full: bool, seen: bool) -> Standing {
        match self {
            Self {
                active: true,
                shortened: Some(expires),
                ..
            } => Standing::Shortened(expires),
            Self { active: true, .. } => Standing::Active,
            Self {
                ended_principal: true,
                ..
            } => Standing::Terminated,
            Self { ended: true, .. } if is_full => Standing::Terminated,
            Self { past: true, .. } => Standing::Past,
            Self { .. } if is_full && seen => Standing::Terminated,
            Self { .. } => Standing::Unmentioned,
        }
    }
}

struct Finder<'w> {
    watched: &'w [Watched<'w>],
    most: usize,
    version: u32,
    document: DocumentState,
    found: [Found; MAX_WATCHED],
    registrations: usize,
    /// Those of them that are terminated.
    terminated: usize,
    /// Of the registration being read.
    state: RegistrationState,
    contacts: usize,
    /// The watched that have its address of record among their identities, a bit each.
    own: u64,
    principal: u64,
}

impl Finder<'_> {
    fn end(&mut self, place: usize) {
        let principal = self.principal & bit(place) != 0;
        if let Some(found) = self.found.get_mut(place) {
            found.ended = true;
            found.ended_principal |= principal;
        }
    }
}

const fn bit(place: usize) -> u64 {
    1u64.wrapping_shl(place as u32)
}

impl Visitor for Finder<'_> {
    fn document(&mut self, version: u32, state: DocumentState) {
        self.version = version;
        self.document = state;
    }

    fn registration(&mut self, registration: &RegistrationView<'_>) {
        self.state = registration.state;
        self.contacts = 0;
        self.own = 0;
        self.principal = 0;
        self.registrations = self.registrations.saturating_add(1);
        if registration.state == RegistrationState::Terminated {
            self.terminated = self.terminated.saturating_add(1);
        }
        if self.registrations > self.most {
            return;
        }
        let aor = registration.aor.as_bytes();
        for (place, watched) in self.watched.iter().enumerate() {
            if register::has_identity(watched.identities, watched.principals, aor) {
                self.own |= bit(place);
                if register::is_principal(watched.principals, aor) {
                    self.principal |= bit(place);
                }
            }
        }
    }

    fn contact(&mut self, contact: &ContactView<'_>) {
        self.contacts = self.contacts.saturating_add(1);
        if self.own == 0 {
            return;
        }
        let ended = self.state == RegistrationState::Terminated
            || contact.state == ContactState::Terminated;
        for (place, watched) in self.watched.iter().enumerate() {
            if self.own & bit(place) == 0 || !watched.is(contact) {
                continue;
            }
            if watched.is_past(contact) {
                if let Some(found) = self.found.get_mut(place) {
                    found.past = true;
                }
            } else if ended {
                self.end(place);
            } else if let Some(found) = self.found.get_mut(place) {
                found.active = true;
                if let (Some(ContactEvent::Shortened), Some(expires)) =
                    (contact.event, contact.expires)
                {
                    found.shortened = Some(u32::try_from(expires).unwrap_or(u32::MAX));
                }
            }
        }
    }

    /// A registration that ended without a word about contacts is over for all of them; and so is the principal one,
    /// whichever contacts it shows, if that is of what is now: it has none then (RFC 3680 5.1.1).
    fn registration_end(&mut self, _end: &reginfo::RegistrationEnd<'_>) {
        if self.state != RegistrationState::Terminated {
            return;
        }
        for (place, watched) in self.watched.iter().enumerate() {
            let whose = match self.contacts {
                0 => self.own,
                _ if watched.told_since => self.principal,
                _ => 0,
            };
            if whose & bit(place) != 0 {
                self.end(place);
            }
        }
    }
}
