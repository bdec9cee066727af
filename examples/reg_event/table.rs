//! The watcher's table as text.

use std::collections::BTreeSet;

use ims_procedures::{
    drive::Millis,
    regevent::watcher::{Change, ContactRow, RegistrationRow, Watcher},
};

use crate::aligned::aligned;

const HEADINGS: [&str; 5] = [
    "address of record, contact",
    "state",
    "event",
    "expires",
    "what changed",
];

/// The contacts that are bound to the first registration.
pub fn bound(table: &Watcher) -> BTreeSet<String> {
    let first = table.registrations().next();
    let contacts = first.into_iter().flat_map(RegistrationRow::contacts);
    contacts
        .filter(|row| row.is_active())
        .map(|row| row.contact.uri.clone())
        .collect()
}

/// A line for each registration, and below it one for each of its contacts.
pub fn text(heading: &str, table: &Watcher, now: Millis) -> String {
    let mut rows = vec![HEADINGS.map(str::to_owned)];
    for registration in table.registrations() {
        rows.push(of_registration(registration));
        rows.extend(registration.contacts().map(|row| of_contact(row, now)));
    }
    let lines = aligned(&rows, |column| column == 3);
    let lines = lines.lines().map(|line| format!("           ┃ {line}\n"));
    format!("           ┃ {heading}\n{}", lines.collect::<String>())
}

fn of_registration(row: &RegistrationRow) -> [String; 5] {
    let state = row.state.as_str().to_owned();
    let changed = change(row.change).to_owned();
    [
        row.aor.clone(),
        state,
        String::new(),
        String::new(),
        changed,
    ]
}

fn of_contact(row: &ContactRow, now: Millis) -> [String; 5] {
    let event = row.contact.event.map_or("", |event| event.as_str());
    let expires = row
        .expires_at
        .map(|at| format!("{} s", at.since(now) / 1_000));
    [
        format!("  {}", row.contact.uri),
        row.contact.state.as_str().to_owned(),
        event.to_owned(),
        expires.unwrap_or_default(),
        change(row.change).to_owned(),
    ]
}

const fn change(change: Option<Change>) -> &'static str {
    match change {
        None => "-",
        Some(Change::Added) => "added",
        Some(Change::Updated) => "updated",
        Some(Change::Terminated) => "terminated",
        Some(Change::Omitted) => "left out",
    }
}
