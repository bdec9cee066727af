//! [SD-1] Who a REGISTER that removes bindings is from: the user, or the P-CSCF in its own name (S0 L25).

use alloc::vec::Vec;
use core::fmt;
use serde::{Deserialize, Serialize};

use super::{Border, defect};
use crate::{
    drive::{Reject, Source},
    wire::{
        Contact, Header, HeaderName, IntegrityProtected, Message, NameAddr, Uri, Via, register,
    },
};

/// Who started a deregistration, as far as its REGISTER shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recognition {
    /// The P-CSCF that the binding's Path leads to: no security function is applied (SD-2).
    PcscfInitiated,
    /// The user.
    UserInitiated,
    /// [SD-2] The user, whom one of the configured [authenticating](Elements::authenticating) elements has authenticated
    /// by other means, and says so by `integrity-protected="auth-done"`: an MSC server enhanced for ICS, which is the
    /// user's own element and its P-CSCF (TS 24.229 7.2A.2, TS 33.203 annex U). No security function is applied.
    UserAuthenticated,
    /// It looks like the P-CSCF's, but is not beyond doubt. It goes the way of a user's.
    Suspicious(Reasons),
    /// [SD-3] It is a P-CSCF's beyond doubt, but for what it names, which is not bound here:
    /// [`Reasons::UNKNOWN_BINDING`] is the only reason. No security function is applied, and nothing is
    /// removed: the HSS is asked before the 481.
    NotBoundHere,
}

/// Why a deregistration is suspicious: one or more of the named reasons.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reasons(u8);

/// One reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The reason alone.
    pub reason: Reasons,
    /// What it is, for a person.
    pub what: &'static str,
    /// The clause behind it.
    pub clause: &'static str,
}

impl Reasons {
    /// None.
    pub const NONE: Self = Self(0);
    /// The source is not trusted core.
    pub const UNTRUSTED_SOURCE: Self = Self(1);
    /// No P-Asserted-Identity.
    pub const NO_ASSERTED_IDENTITY: Self = Self(1 << 1);
    /// P-Asserted-Identity is not the owner of the binding's Path.
    pub const PATH_MISMATCH: Self = Self(1 << 2);
    /// The Vias do not begin with that of the owner of the binding's Path: its topmost one is not the last.
    pub const FOREIGN_VIA: Self = Self(1 << 3);
    /// `integrity-protected` is "no".
    pub const NOT_PROTECTED: Self = Self(1 << 4);
    /// A contact is not bound here.
    pub const UNKNOWN_BINDING: Self = Self(1 << 5);
    /// The binding was made without a Path.
    pub const NO_PATH: Self = Self(1 << 6);
    /// `Contact: *` names no binding.
    pub const WILDCARD: Self = Self(1 << 7);

    /// All reasons there are.
    pub const ALL: [Reason; 8] = [
        reason(
            Self::UNTRUSTED_SOURCE,
            "source is not trusted core",
            "TS 33.210",
        ),
        reason(
            Self::NO_ASSERTED_IDENTITY,
            "no P-Asserted-Identity",
            "S0 L25",
        ),
        reason(
            Self::PATH_MISMATCH,
            "P-Asserted-Identity is not the owner of the binding's Path",
            "SD-1",
        ),
        reason(
            Self::FOREIGN_VIA,
            "the Vias do not begin with that of the owner of the binding's Path",
            "S0 L25",
        ),
        reason(
            Self::NOT_PROTECTED,
            "integrity-protected is \"no\"",
            "TS 24.229 7.2A.2",
        ),
        reason(Self::UNKNOWN_BINDING, "a contact is not bound here", "SD-1"),
        reason(
            Self::NO_PATH,
            "the binding was made without a Path",
            "RFC 3327 5.3",
        ),
        reason(Self::WILDCARD, "'*' names no binding", "SD-1"),
    ];

    /// The bits, each of which keeps its meaning.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether all of `other` are among them.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = &'static Reason> {
        const ALL: &[Reason] = &Reasons::ALL;
        ALL.iter()
            .filter(move |reason| self.contains(reason.reason))
    }

    const fn with(self, other: Self, applies: bool) -> Self {
        if applies {
            Self(self.0 | other.0)
        } else {
            self
        }
    }
}

const fn reason(reason: Reasons, what: &'static str, clause: &'static str) -> Reason {
    Reason {
        reason,
        what,
        clause,
    }
}

impl fmt::Debug for Reasons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.iter().map(|reason| reason.what))
            .finish()
    }
}

/// What the configuration says of other elements.
#[derive(Clone, Copy, Debug, Default)]
pub struct Elements<'c> {
    /// Borders that hide P-CSCFs.
    pub borders: &'c [Border],
    /// [SD-2] SIP URIs of the elements that authenticate users by other means, each with the host and port of its Via and
    /// of the Path it registers with. Without any, no mark spares anybody the security function.
    pub authenticating: &'c [Vec<u8>],
}

impl Elements<'_> {
    fn authenticates(&self, owner: &Uri<'_>) -> bool {
        let is = |uri: &Vec<u8>| Uri::parse(uri).is_ok_and(|uri| uri.same_host_port(owner));
        self.authenticating.iter().any(is)
    }
}

/// [SD-1] Recognises a REGISTER that removes bindings. `paths` are the Paths stored with the bindings it
/// names, `None` for a contact that is not bound; `identities` are the user's own.
///
/// It looks like the P-CSCF's if it asserts an identity that is not the user's, or if its bottom Via is that
/// of the owner of the Path. Only if nothing speaks against it, it is. Vias above the owner's are those of
/// I-CSCFs; one below it, of whatever name, means that the REGISTER did not begin there.
///
/// [SD-2] Without an identity that is not the user's, but with `integrity-protected="auth-done"`, one that began at the
/// owner of the Path of all bindings it names is the user's, authenticated, if the configuration names that element: so an
/// MSC server deregisters, which has no identity of its own to assert. The mark alone proves nothing, nor does a Path or a
/// Via of the REGISTER: a UE can write all three, and not every P-CSCF removes the mark (PD-11). So the mark counts for
/// nothing from an element that is not configured, nor for what is not bound, was bound without a Path, or is named by
/// `*`. Where a configured element's subscribers could be named by a UE behind a P-CSCF that leaves marks alone, it is not
/// to be configured.
///
/// [SD-2, SD-3] Decision: an S-CSCF that lost its state has no Path to compare with, and no user to
/// authenticate; yet the HSS must hear of the end. So where nothing that the REGISTER names is bound, the Path
/// of the REGISTER itself, or without one the asserted identity, stands in for the stored one. If all checks
/// hold with that, it is [`Recognition::NotBoundHere`]. It proves who sent it, not that the binding was his:
/// nothing is removed here by it. With any other doubt it is suspicious, as is one that names a binding that
/// is known beside one that is not.
///
/// # Errors
/// [`Reject`] if P-Asserted-Identity, Via, Authorization, From or To cannot be read, or if there are more than
/// two asserted identities (RFC 3325 9.1).
pub fn recognise<'p>(
    from: Source,
    request: &Message<'_>,
    paths: impl Iterator<Item = Option<&'p [u8]>> + Clone,
    identities: impl Iterator<Item = &'p [u8]> + Clone,
    elements: Elements<'_>,
) -> Result<Recognition, Reject> {
    check_asserted(request)?;
    request.via()?;
    let authorization = register::credentials(request)?;
    let contacts = request.contacts();
    let shown = Shown {
        request,
        users: [request.from()?.uri(), request.to()?.uri()],
        protected: authorization.protected,
        has_star: contacts
            .into_iter()
            .any(|contact| matches!(contact, Ok(Contact::Star))),
    };
    shown.recognise(from, paths, identities, elements)
}

/// What a REGISTER shows of who sent it, apart from Via and P-Asserted-Identity.
pub(super) struct Shown<'r, 'm> {
    pub(super) request: &'r Message<'m>,
    /// From and To.
    pub(super) users: [Uri<'m>; 2],
    /// What `integrity-protected` says, if it is there.
    pub(super) protected: Option<IntegrityProtected>,
    /// One of its contacts is `*`.
    pub(super) has_star: bool,
}

impl Shown<'_, '_> {
    /// As [`recognise`], of what has been read.
    pub(super) fn recognise<'p>(
        &self,
        from: Source,
        paths: impl Iterator<Item = Option<&'p [u8]>> + Clone,
        identities: impl Iterator<Item = &'p [u8]> + Clone,
        elements: Elements<'_>,
    ) -> Result<Recognition, Reject> {
        let borders = elements.borders;
        let (owner, other_paths) = owner_of_all(paths.clone());
        let vias = Vias::read(self.request, owner.as_ref())?;
        let asserted = self.asserted(owner.as_ref(), borders)?;
        let is_core = from == Source::TrustedCore;
        let no_path = paths.clone().flatten().any(<[u8]>::is_empty);
        let unknown = paths.clone().any(|path| path.is_none()) || paths.clone().next().is_none();
        let is_owners = vias.end_with_owner && !other_paths;
        let speaks_for_another = self.asserts_someone_else(identities);
        let nothing_known =
            paths.clone().next().is_some() && paths.clone().all(|path| path.is_none());
        let is_plain = !other_paths && !no_path && !unknown && !self.has_star;
        let is_authenticated = is_core
            && is_plain
            && !speaks_for_another
            && self.protected == Some(IntegrityProtected::AuthDone)
            && vias.begin_with_owner
            && owner.is_some_and(|owner| elements.authenticates(&owner));
        if is_authenticated {
            return Ok(Recognition::UserAuthenticated);
        }
        if !is_owners && !speaks_for_another {
            return Ok(Recognition::UserInitiated);
        }
        let reasons = Reasons::NONE
            .with(Reasons::UNTRUSTED_SOURCE, !is_core)
            .with(Reasons::NO_ASSERTED_IDENTITY, asserted.none)
            .with(
                Reasons::PATH_MISMATCH,
                other_paths || (owner.is_some() && !asserted.none && !asserted.owner),
            )
            .with(
                Reasons::FOREIGN_VIA,
                owner.is_some() && (other_paths || !vias.begin_with_owner),
            )
            .with(
                Reasons::NOT_PROTECTED,
                self.protected == Some(IntegrityProtected::No),
            )
            .with(Reasons::UNKNOWN_BINDING, unknown)
            .with(Reasons::NO_PATH, no_path)
            .with(Reasons::WILDCARD, self.has_star);
        Ok(match reasons {
            Reasons::NONE => Recognition::PcscfInitiated,
            Reasons::UNKNOWN_BINDING if nothing_known && proves_itself(self.request, borders)? => {
                Recognition::NotBoundHere
            }
            reasons => Recognition::Suspicious(reasons),
        })
    }

    fn asserted(&self, owner: Option<&Uri<'_>>, borders: &[Border]) -> Result<Asserted, Reject> {
        let mut asserted = Asserted {
            none: true,
            owner: true,
        };
        for identity in self.request.name_addrs(HeaderName::PAssertedIdentity) {
            let identity = identity?.uri();
            asserted.none = false;
            asserted.owner &= owner.is_some_and(|owner| is_owner(&identity, owner, borders));
        }
        Ok(asserted)
    }

    /// Whether an asserted identity is not the user's.
    fn asserts_someone_else<'p>(&self, identities: impl Iterator<Item = &'p [u8]> + Clone) -> bool {
        let is_user = |identity: &Uri<'_>| {
            let same = |own: &[u8]| Uri::parse(own).is_ok_and(|own| own.equivalent(identity));
            self.users.iter().any(|user| user.equivalent(identity)) || identities.clone().any(same)
        };
        self.request
            .name_addrs(HeaderName::PAssertedIdentity)
            .filter_map(Result::ok)
            .any(|identity| !is_user(&identity.uri()))
    }
}

/// [RFC 3325 9.1] There are one or two asserted identities, not more.
///
/// # Errors
/// [`Reject`] if there are.
pub(super) fn check_asserted(request: &Message<'_>) -> Result<(), Reject> {
    let name = HeaderName::PAssertedIdentity;
    if request.name_addrs(name).nth(2).is_none() {
        return Ok(());
    }
    let at = request.header(name).map_or(0, Header::at);
    Err(Reject::new(&defect::TOO_MANY_ASSERTED, at))
}

/// [SD-3] Whether asserted identity, Path and Vias of a REGISTER all speak of one element, which it began at.
fn proves_itself(request: &Message<'_>, borders: &[Border]) -> Result<bool, Reject> {
    let mut claimed = own_path_owner(request)?;
    let mut all_owner = true;
    for identity in request.name_addrs(HeaderName::PAssertedIdentity) {
        let identity = identity?.uri();
        let owner = claimed.get_or_insert(identity);
        all_owner &= is_owner(&identity, owner, borders);
    }
    let vias = Vias::read(request, claimed.as_ref())?;
    Ok(all_owner && vias.begin_with_owner)
}

/// The element nearest the user in the Path of a REGISTER.
fn own_path_owner<'m>(request: &Message<'m>) -> Result<Option<Uri<'m>>, Reject> {
    let mut owner = None;
    for entry in request.name_addrs(HeaderName::Path) {
        owner = Some(entry?.uri());
    }
    Ok(owner)
}

/// The element nearest the user in a stored Path: the last entry (RFC 3327 5.1).
pub(crate) fn owner(path: &[u8]) -> Option<Uri<'_>> {
    let last = NameAddr::parse_list(path).last()?.ok()?;
    Some(last.uri())
}

/// [SD-1, RN-1] Whether an asserted identity is that of the Path's owner, or of the P-CSCF behind a border.
pub(crate) fn is_owner(asserted: &Uri<'_>, owner: &Uri<'_>, borders: &[Border]) -> bool {
    let is =
        |uri: &[u8], other: &Uri<'_>| Uri::parse(uri).is_ok_and(|uri| uri.same_host_port(other));
    asserted.same_host_port(owner)
        || borders
            .iter()
            .any(|border| is(&border.path_owner, owner) && is(&border.asserted, asserted))
}

/// The owner of the first stored Path that has one, and whether another one has another owner.
fn owner_of_all<'p>(paths: impl Iterator<Item = Option<&'p [u8]>>) -> (Option<Uri<'p>>, bool) {
    let mut owners = paths.flatten().filter_map(owner);
    let first = owners.next();
    let differs = first.is_some_and(|first| owners.any(|other| !other.same_host_port(&first)));
    (first, differs)
}

/// How the Vias stand to the owner of a Path.
struct Vias {
    /// The topmost one that is the owner's is the last one: it began there.
    begin_with_owner: bool,
    /// The last one is the owner's, or of its name.
    end_with_owner: bool,
}

impl Vias {
    fn read(request: &Message<'_>, owner: Option<&Uri<'_>>) -> Result<Self, Reject> {
        let (mut seen, mut below, mut end_with_owner) = (false, false, false);
        for via in request.vias() {
            let via = via?;
            below |= seen;
            end_with_owner = owner.is_some_and(|owner| sent_by(&via, owner));
            seen |= end_with_owner;
        }
        Ok(Self {
            begin_with_owner: end_with_owner && !below,
            end_with_owner,
        })
    }
}

/// Whether a Via was put by the element of that URI.
fn sent_by(via: &Via<'_>, owner: &Uri<'_>) -> bool {
    let default = if via.transport().eq_ignore_ascii_case(b"TLS") {
        5061
    } else {
        5060
    };
    Some(via.host()) == owner.host() && via.port().unwrap_or(default) == owner.effective_port()
}

/// What P-Asserted-Identity says.
struct Asserted {
    /// Nothing.
    none: bool,
    /// The owner of the Path, and nobody else.
    owner: bool,
}
