//! What a visitor is shown: borrowed, valid for the call only.

use core::fmt;

use super::{
    defect,
    names::{ContactEvent, ContactState, PolicyAction, RegistrationState},
    xml::{Piece, resolve, trim},
};
use crate::drive::Defect;

/// [RI-1] A `registration` as its start tag has it (RFC 3680 5.1.1).
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct RegistrationView<'v> {
    /// The address of record: a `sip:`, `sips:` or `tel:` URI as a rule, but any text is possible, empty too.
    /// Free of control characters.
    pub aor: &'v str,
    /// Its id within the subscription; empty if there is none.
    pub id: &'v str,
    /// Its state.
    pub state: RegistrationState,
}

impl fmt::Debug for RegistrationView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistrationView")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// [RFC 5628 5] A temporary GRUU of a contact.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TempGruu<T> {
    /// The GRUU, free of control characters.
    pub uri: T,
    /// The CSeq of the REGISTER that brought the first temporary GRUU still valid; `None` if it is not said.
    pub first_cseq: Option<u64>,
}

impl<T> TempGruu<T> {
    /// The same GRUU as another kind of string.
    pub fn map<U>(self, to: impl FnOnce(T) -> U) -> TempGruu<U> {
        TempGruu {
            uri: to(self.uri),
            first_cseq: self.first_cseq,
        }
    }
}

impl<T> fmt::Debug for TempGruu<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TempGruu")
            .field("first_cseq", &self.first_cseq)
            .finish_non_exhaustive()
    }
}

/// [RI-1] A whole `contact` (RFC 3680 5.1.2). Numbers beyond their range stand clamped; ones that are no
/// numbers count as absent. No string holds a control character.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct ContactView<'v> {
    /// Its id, which means something only together with the registration's; empty if there is none.
    pub id: &'v str,
    /// Its state. Where the document's is missing or unknown, that of its event; where that is unknown too,
    /// `Terminated` in a terminated registration and `Active` in any other.
    pub state: ContactState,
    /// Its event; `None` if missing or unknown. It may contradict the state.
    pub event: Option<ContactEvent>,
    /// The contact URI, trimmed; empty if there is none.
    pub uri: &'v str,
    /// The display name.
    pub display_name: Option<&'v str>,
    /// The language of the display name (`xml:lang`).
    pub display_name_lang: Option<&'v str>,
    /// Seconds until it expires.
    pub expires: Option<u64>,
    /// Seconds to wait before registering again.
    pub retry_after: Option<u64>,
    /// Seconds since it was first registered.
    pub duration_registered: Option<u64>,
    /// The preference as it stands: see [`q_thousandths`](Self::q_thousandths).
    pub q: Option<&'v str>,
    /// Call-ID of the REGISTER that last changed it.
    pub callid: Option<&'v str>,
    /// CSeq number of the REGISTER that last changed it.
    pub cseq: Option<u64>,
    /// Its public GRUU (RFC 5628).
    pub pub_gruu: Option<&'v str>,
    /// Its temporary GRUU (RFC 5628).
    pub temp_gruu: Option<TempGruu<&'v str>>,
    pub(super) params: &'v [(Piece<'v>, Piece<'v>)],
    pub(super) scratch: &'v str,
}

impl<'v> ContactView<'v> {
    /// [RI-1] The parameters of the Contact header that the document carries (`unknown-param`), in order.
    /// Values are as the header had them, their own quotes included; empty for a parameter without one.
    pub fn params(&self) -> impl Iterator<Item = (&'v str, &'v str)> + use<'v> {
        let scratch = self.scratch;
        self.params
            .iter()
            .map(move |(name, value)| (resolve(*name, scratch), resolve(*value, scratch)))
    }

    /// [RFC 3261 7.3.1] The value of the first parameter of that name, in whatever case.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&'v str> {
        self.params()
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// [RFC 3261 20.10] The preference in thousandths, clamped to 0 to 1000 (a deployed notifier sends
    /// `-1.000`); `None` if absent or no number.
    #[must_use]
    pub fn q_thousandths(&self) -> Option<u16> {
        self.q.and_then(thousandths)
    }

    /// [RFC 3680 5.1.2] The rule of the prose that it breaks: `shortened` without `expires`, `probation`
    /// without `retry-after`. Such a contact is read all the same.
    #[must_use]
    pub const fn breach(&self) -> Option<&'static Defect> {
        match (self.event, self.expires, self.retry_after) {
            (Some(ContactEvent::Shortened), None, _) => Some(&defect::SHORTENED_WITHOUT_EXPIRES),
            (Some(ContactEvent::Probation), _, None) => {
                Some(&defect::PROBATION_WITHOUT_RETRY_AFTER)
            }
            _ => None,
        }
    }
}

impl fmt::Debug for ContactView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContactView")
            .field("state", &self.state)
            .field("event", &self.event)
            .field("expires", &self.expires)
            .field("retry_after", &self.retry_after)
            .finish_non_exhaustive()
    }
}

fn thousandths(text: &str) -> Option<u16> {
    let text = trim(text);
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.len().saturating_add(fraction.len()) == 0 {
        return None;
    }
    if !whole
        .bytes()
        .chain(fraction.bytes())
        .all(|b| b.is_ascii_digit())
    {
        return None;
    }
    if negative {
        return Some(0);
    }
    if whole.bytes().any(|b| b != b'0') {
        return Some(1000);
    }
    let value = fraction
        .bytes()
        .chain(core::iter::repeat(b'0'))
        .take(3)
        .fold(0u16, |sum, b| {
            sum.saturating_mul(10)
                .saturating_add(u16::from(b.wrapping_sub(b'0')))
        });
    Some(value)
}

/// [RI-1] What stood in a `registration` beside its contacts (TS 24.229 7.10), known at its end.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct RegistrationEnd<'v> {
    /// The wildcarded public identity that the address of record is an instance of, trimmed, free of control
    /// characters; the first if there are several.
    pub wildcarded_identity: Option<&'v str>,
    /// Whether there is a policy at all (`actions`), an empty one included.
    pub has_policy: bool,
    pub(super) actions: &'v [PolicyAction<Piece<'v>>],
    pub(super) scratch: &'v str,
}

impl<'v> RegistrationEnd<'v> {
    /// [TS 24.229 7.10.3] The entries of the policy, in order.
    pub fn actions(&self) -> impl Iterator<Item = PolicyAction<&'v str>> + use<'v> {
        let scratch = self.scratch;
        self.actions
            .iter()
            .map(move |action| action.map(|piece| resolve(piece, scratch)))
    }
}

impl fmt::Debug for RegistrationEnd<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistrationEnd")
            .field("has_policy", &self.has_policy)
            .finish_non_exhaustive()
    }
}
