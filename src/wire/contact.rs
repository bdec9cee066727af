//! Contact: an address, and what its parameters say of the binding.

use core::{fmt, ops::Deref};

use super::{NameAddr, defect, scan, uri::Span};
use crate::drive::Reject;

/// One value of Contact.
#[derive(Clone, Copy, Debug)]
pub enum Contact<'a> {
    /// `*`: all bindings (RFC 3261 10.2.2).
    Star,
    /// An address.
    Addr(ContactAddr<'a>),
}

/// The address of a Contact, with the parameters that tell one binding from another and how long it lasts.
/// None of them stands twice.
#[derive(Clone, Copy)]
pub struct ContactAddr<'a>(NameAddr<'a>);

impl fmt::Debug for ContactAddr<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContactAddr({:?})", self.0)
    }
}

impl<'a> Deref for ContactAddr<'a> {
    type Target = NameAddr<'a>;

    fn deref(&self) -> &NameAddr<'a> {
        &self.0
    }
}

impl<'a> ContactAddr<'a> {
    /// [RFC 3261 20.10] That address, which stands in a field at `at`.
    #[inline]
    pub(super) fn new(address: NameAddr<'a>, at: usize) -> Result<Self, Reject> {
        if address.known().twice {
            return Err(Reject::new(&defect::PARAMETER_TWICE, at));
        }
        Ok(Self(address))
    }

    /// The address without what its parameters say.
    #[must_use]
    pub const fn address(&self) -> NameAddr<'a> {
        self.0
    }

    #[inline]
    fn value(&self, place: Span) -> Option<&'a [u8]> {
        self.0.known_value(place)
    }

    /// Seconds the binding lasts, by this contact alone; one too large stands as `u32::MAX`. `None` if absent or
    /// malformed (RFC 3261 20.10).
    #[must_use]
    pub fn expires(&self) -> Option<u32> {
        scan::number(self.value(self.0.known().expires)?)
    }

    /// Whether an `expires` is there, well-formed or not.
    #[must_use]
    pub const fn has_expires(&self) -> bool {
        self.0.known().expires.is_given()
    }

    /// The preference in thousandths, 0 to 1000. `None` if absent or malformed (RFC 3261 25.1, qvalue).
    #[must_use]
    pub fn q(&self) -> Option<u16> {
        thousandths(self.value(self.0.known().q)?)
    }

    /// `+sip.instance` without its quotes, with its angle brackets (RFC 5626 4.1).
    #[must_use]
    pub fn instance(&self) -> Option<&'a [u8]> {
        self.value(self.0.known().instance)
    }

    /// `reg-id` as it stood (RFC 5626 4.2).
    #[must_use]
    pub fn reg_id(&self) -> Option<&'a [u8]> {
        self.value(self.0.known().reg_id)
    }

    /// The public GRUU that a registrar gave, without its quotes (RFC 5627 5.3).
    #[must_use]
    pub fn pub_gruu(&self) -> Option<&'a [u8]> {
        self.value(self.0.known().pub_gruu)
    }

    /// The temporary GRUU that a registrar gave, without its quotes (RFC 5627 5.3).
    #[must_use]
    pub fn temp_gruu(&self) -> Option<&'a [u8]> {
        self.value(self.0.known().temp_gruu)
    }

    /// [RFC 3840 9] The feature tags: each parameter that begins with `+`, or is one of the base tags, with its
    /// value as it stood.
    pub fn features(&self) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> + use<'a> {
        self.0.params().iter().filter(|(name, _)| is_feature(name))
    }
}

/// RFC 3840 9: a base tag, or one of another tree.
fn is_feature(name: &[u8]) -> bool {
    const BASE: [&[u8]; 17] = [
        b"audio",
        b"automata",
        b"class",
        b"duplex",
        b"data",
        b"control",
        b"mobility",
        b"description",
        b"events",
        b"priority",
        b"methods",
        b"schemes",
        b"application",
        b"video",
        b"language",
        b"type",
        b"isfocus",
    ];
    name.first() == Some(&b'+') || BASE.iter().any(|base| scan::same_text(base, name))
}

/// A qvalue in thousandths.
fn thousandths(text: &[u8]) -> Option<u16> {
    let (whole, fraction) = match text {
        [whole] | [whole, b'.'] => (*whole, [].as_slice()),
        [whole, b'.', fraction @ ..] => (*whole, fraction),
        _ => return None,
    };
    let mut value = match whole {
        b'0' => 0u16,
        b'1' => 1,
        _ => return None,
    };
    if fraction.len() > 3 {
        return None;
    }
    for place in 0..3 {
        let digit = fraction
            .get(place)
            .copied()
            .unwrap_or(b'0')
            .wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.saturating_mul(10).saturating_add(u16::from(digit));
    }
    (value <= 1_000).then_some(value)
}
