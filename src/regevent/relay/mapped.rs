//! A table of URIs as a translation.

use core::fmt;

use super::{NewUri, Translation};
use crate::wire::Uri;

/// One thing, and the URI of it on either side.
#[derive(Clone, Copy, Default)]
pub struct Pair<'t> {
    /// As the inside knows it.
    pub inside: &'t [u8],
    /// As the outside knows it.
    pub outside: &'t [u8],
}

impl fmt::Debug for Pair<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pair").finish_non_exhaustive()
    }
}

/// Which way a message goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// From the inside to the outside.
    #[default]
    Outbound,
    /// From the outside to the inside.
    Inbound,
}

/// What becomes of the seconds that a contact has left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expiry {
    /// They stay.
    #[default]
    Same,
    /// Never more than so many.
    AtMost(u64),
    /// So many less, but not less than none.
    LessBy(u64),
}

/// [IB-1] A translation by tables. Elements and users of either side can stand in them: each pair has the URI as
/// it is, and the one that the other side is shown.
///
/// A URI is looked for byte for byte, then by the rules of RFC 3261 19.1.4, and the first found counts. By these
/// rules most parameters count only where both have them: of a URI that is found in that way, no parameter is
/// taken over, and a URI and a GRUU made of it are two pairs. The time is proportional to the table: whoever maps
/// many by a rule writes a [`Translation`] of the rule.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mapped<'t> {
    /// Which way the message goes.
    pub direction: Direction,
    /// For Request-URIs, contacts, and GRUUs.
    pub contacts: &'t [Pair<'t>],
    /// For addresses of record.
    pub aors: &'t [Pair<'t>],
    /// For the expiry of contacts in documents, whichever way they go.
    pub expiry: Expiry,
}

impl<'t> Mapped<'t> {
    fn put(&self, table: &[Pair<'t>], uri: &[u8], new: &mut NewUri<'_>) -> bool {
        let found = self.find(table, uri);
        if let Some(other) = found {
            new.put(other);
        }
        found.is_some()
    }

    /// [RFC 3261 19.1.4] What that URI is called where the message goes.
    fn find(&self, table: &[Pair<'t>], uri: &[u8]) -> Option<&'t [u8]> {
        let sides = |pair: &Pair<'t>| match self.direction {
            Direction::Outbound => (pair.inside, pair.outside),
            Direction::Inbound => (pair.outside, pair.inside),
        };
        let mut pairs = table.iter().map(sides);
        if let Some((_, other)) = pairs.find(|(own, _)| *own == uri) {
            return Some(other);
        }
        if table.is_empty() {
            return None;
        }
        let uri = Uri::parse(uri).ok()?;
        let mut pairs = table.iter().map(sides);
        let same = |own: &[u8]| Uri::parse(own).is_ok_and(|own| own.equivalent(&uri));
        pairs.find(|(own, _)| same(own)).map(|(_, other)| other)
    }
}

impl Translation for Mapped<'_> {
    fn contact(&self, uri: &[u8], new: &mut NewUri<'_>) -> bool {
        self.put(self.contacts, uri, new)
    }

    fn request_uri(&self, uri: &[u8], new: &mut NewUri<'_>) -> bool {
        self.put(self.contacts, uri, new)
    }

    fn aor(&self, uri: &[u8], new: &mut NewUri<'_>) -> bool {
        self.put(self.aors, uri, new)
    }

    fn expires(&self, seconds: u64) -> u64 {
        match self.expiry {
            Expiry::Same => seconds,
            Expiry::AtMost(most) => seconds.min(most),
            Expiry::LessBy(less) => seconds.saturating_sub(less),
        }
    }
}
