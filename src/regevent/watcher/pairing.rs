//! Which row of a table an element of a document is about.

use alloc::{vec, vec::Vec};

use super::rows::{ContactRow, RegistrationRow};
use crate::{
    reginfo::{Contact, Registration},
    wire::register::same_uri,
};

/// Rows of the same key with which a contact is compared, so that pairing stays linear in their number.
const COMPARED_ROWS: usize = 8;

/// Elements of a document, each with the row it is about. No two are about the same row.
pub(super) struct Pairing<'r, 'e, R, E> {
    rows: &'r [R],
    elements: &'e [E],
    /// The row of each element.
    row_of: Vec<Option<usize>>,
    /// Whether some element is about the row.
    listed: Vec<bool>,
}

impl<'r, 'e> Pairing<'r, 'e, RegistrationRow, Registration> {
    /// [RI-3] A registration is the row of the same address of record, or else that of the same id, if the address
    /// is only spelt differently, is missing, or is an instance of the same wildcarded identity. Real notifiers
    /// give one id to two addresses (Clearwater) and new ids to the same address (Kamailio).
    pub(super) fn of_registrations(
        rows: &'r [RegistrationRow],
        elements: &'e [Registration],
    ) -> Self {
        let mut pairing = Self::new(rows, elements);
        pairing.pair(
            |row| Some((row.aor.as_str(), row.id.as_str())),
            |element| Some((element.aor.as_str(), element.id.as_str())),
            |_, _| true,
        );
        pairing.pair(
            |row| present(&row.aor),
            |element| present(&element.aor),
            |_, _| true,
        );
        pairing.pair(
            |row| present(&row.id),
            |element| present(&element.id),
            is_same_identity,
        );
        pairing
    }
}

impl<'r, 'e> Pairing<'r, 'e, ContactRow, Contact> {
    /// [RI-3] A contact is the row of the same id and URI; or else that of the same URI, byte for byte, unless
    /// instance or flow speak against it; or else that of the same id, if the URI is only spelt differently or is
    /// missing.
    pub(super) fn of_contacts(rows: &'r [ContactRow], elements: &'e [Contact]) -> Self {
        let mut pairing = Self::new(rows, elements);
        pairing.pair(
            |row| Some((row.contact.uri.as_str(), row.contact.id.as_str())),
            |element| Some((element.uri.as_str(), element.id.as_str())),
            |_, _| true,
        );
        pairing.pair(
            |row| present(&row.contact.uri),
            |element| present(&element.uri),
            is_same_flow,
        );
        pairing.pair(
            |row| present(&row.contact.id),
            |element| present(&element.id),
            |row, element| is_same_or_missing(&row.contact.uri, &element.uri),
        );
        pairing
    }
}

impl<'r, 'e, R, E> Pairing<'r, 'e, R, E> {
    fn new(rows: &'r [R], elements: &'e [E]) -> Self {
        Self {
            rows,
            elements,
            row_of: vec![None; elements.len()],
            listed: vec![false; rows.len()],
        }
    }

    /// Pairs what has no partner yet and the same key, if it agrees. Costs the sorting of the rows.
    fn pair<K: Ord>(
        &mut self,
        key_of_row: impl Fn(&'r R) -> Option<K>,
        key_of_element: impl Fn(&'e E) -> Option<K>,
        agree: impl Fn(&R, &E) -> bool,
    ) {
        if self.row_of.iter().all(Option::is_some) || self.listed.iter().all(|listed| *listed) {
            return;
        }
        let mut keys: Vec<(K, usize, &R)> = (self.rows.iter().zip(&self.listed).enumerate())
            .filter(|(_, (_, listed))| !**listed)
            .filter_map(|(at, (row, _))| Some((key_of_row(row)?, at, row)))
            .collect();
        keys.sort_unstable_by(|(one, at, _), (other, after, _)| (one, at).cmp(&(other, after)));
        for (element, row_of) in self.elements.iter().zip(&mut self.row_of) {
            let (None, Some(key)) = (*row_of, key_of_element(element)) else {
                continue;
            };
            let from = keys.partition_point(|(other, ..)| *other < key);
            let same = keys.get(from..).unwrap_or_default().iter();
            *row_of = same
                .take_while(|(other, ..)| *other == key)
                .filter(|(_, at, _)| self.listed.get(*at) == Some(&false))
                .take(COMPARED_ROWS)
                .find(|(_, _, row)| agree(row, element))
                .map(|(_, at, _)| *at);
            if let Some(listed) = row_of.and_then(|at| self.listed.get_mut(at)) {
                *listed = true;
            }
        }
    }

    /// The row of each element, in the order of the elements; then the rows that no element is about.
    pub(super) fn finish(self) -> (Vec<Option<&'r R>>, Vec<&'r R>) {
        let row = |at: &Option<usize>| self.rows.get((*at)?);
        let row_of = self.row_of.iter().map(row).collect();
        let rows = self.rows.iter().zip(self.listed);
        let unlisted = rows.filter(|(_, listed)| !listed).map(|(row, _)| row);
        (row_of, unlisted.collect())
    }
}

fn present(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn is_same_identity(row: &RegistrationRow, element: &Registration) -> bool {
    let same_wildcard =
        row.wildcarded_identity.is_some() && row.wildcarded_identity == element.wildcarded_identity;
    same_wildcard || is_same_or_missing(&row.aor, &element.aor)
}

fn is_same_or_missing(one: &str, other: &str) -> bool {
    one.is_empty() || other.is_empty() || same_uri(one.as_bytes(), other.as_bytes())
}

/// [RFC 5626 6] Bindings of several instances or flows may have one URI. A notifier may leave out either.
fn is_same_flow(row: &ContactRow, element: &Contact) -> bool {
    ["+sip.instance", "reg-id"].iter().all(|name| {
        match (param(&row.contact, name), param(element, name)) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        }
    })
}

fn param<'c>(contact: &'c Contact, name: &str) -> Option<&'c str> {
    let mut params = contact.params.iter();
    params
        .find(|(own, _)| own.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim_matches('"'))
}
