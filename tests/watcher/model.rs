//! A watcher as plainly as it can be written, for registrations with one address and contacts with one URI each.

use std::fmt::Write as _;

use proptest::{prelude::*, sample::select};

/// What a document says of an address of record.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    pub aor: &'static str,
    pub id: String,
    pub state: &'static str,
    pub contacts: Vec<SaidContact>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SaidContact {
    pub id: String,
    pub uri: &'static str,
    pub state: &'static str,
    pub event: &'static str,
    pub expires: Option<u64>,
}

/// The document.
pub fn written(head: &str, said: &[Said]) -> Vec<u8> {
    let inside: String = said.iter().map(Said::written).collect();
    crate::support::document(head, &inside)
}

impl Said {
    fn written(&self) -> String {
        let contacts: String = self.contacts.iter().map(SaidContact::written).collect();
        crate::support::registration(self.aor, &self.id, self.state, &contacts)
    }
}

impl SaidContact {
    fn written(&self) -> String {
        let Self {
            id,
            uri,
            state,
            event,
            expires,
        } = self;
        let expires = expires.map_or(String::new(), |e| format!(r#" expires="{e}""#));
        format!(
            r#"<contact id="{id}" state="{state}" event="{event}"{expires}><uri>{uri}</uri></contact>"#
        )
    }
}

pub const AORS: [&str; 4] = ["sip:a@h", "sip:b@h", "tel:+15550100", "sip:c@h;x=y"];
pub const URIS: [&str; 5] = [
    "sip:u@h1",
    "sip:u@h2",
    "sip:u@h1:5070",
    "sip:u@[2001:db8::1]",
    "sip:v@h1",
];

/// Where ids come from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ids {
    /// The same for the same thing.
    Stable,
    /// As memory is reused.
    Pointers,
}

/// Everything that a document says: any of the addresses, any of the contacts. States are those that RFC 3680
/// 4.7.1 allows together, unless `Pointers`.
pub fn said(ids: Ids) -> impl Strategy<Value = Vec<Said>> {
    let one = move |aor: usize| {
        (
            Just(aor),
            registration_state(ids),
            contacts(ids),
            Just(ids),
            0..6_u8,
        )
    };
    let some = proptest::sample::subsequence((0..AORS.len()).collect::<Vec<_>>(), 0..=AORS.len());
    some.prop_shuffle().prop_flat_map(move |aors| {
        aors.into_iter()
            .map(one)
            .collect::<Vec<_>>()
            .prop_map(|all| {
                all.into_iter()
                    .map(|(aor, state, contacts, ids, pointer)| Said {
                        aor: AORS[aor],
                        id: match ids {
                            Ids::Stable => format!("r{aor}"),
                            // Never that of another address: of it, something else would follow.
                            Ids::Pointers => format!("0x{aor}{pointer}"),
                        },
                        contacts: match (ids, state) {
                            (Ids::Stable, "init") => Vec::new(),
                            _ => contacts,
                        },
                        state,
                    })
                    .collect()
            })
    })
}

fn registration_state(ids: Ids) -> impl Strategy<Value = &'static str> {
    match ids {
        Ids::Stable => select(&["active", "active", "active", "terminated", "init"][..]),
        Ids::Pointers => select(&["active", "active", "terminated", "init"][..]),
    }
}

fn contacts(ids: Ids) -> impl Strategy<Value = Vec<SaidContact>> {
    let all: Vec<usize> = (0..URIS.len()).collect();
    let pointers = Just((0..8).collect::<Vec<usize>>()).prop_shuffle();
    let some = proptest::sample::subsequence(all, 0..=URIS.len()).prop_shuffle();
    (some, pointers).prop_flat_map(move |(uris, pointers)| {
        let one = |uri: usize| {
            let event = select(&ims_procedures::reginfo::ContactEvent::ALL[..]);
            (Just(uri), event, proptest::option::of(0..3_u64))
        };
        let all: Vec<_> = uris.into_iter().map(one).collect();
        all.prop_map(move |all| {
            all.into_iter()
                .map(|(uri, event, expires)| SaidContact {
                    id: match ids {
                        Ids::Stable => format!("c{uri}"),
                        Ids::Pointers => format!("0x{}", pointers[uri]),
                    },
                    uri: URIS[uri],
                    state: event.state().as_str(),
                    event: event.as_str(),
                    expires,
                })
                .collect()
        })
    })
}

/// The table.
#[derive(Debug, Default)]
pub struct Model {
    pub rows: Vec<Row>,
}

#[derive(Clone, Debug)]
pub struct Row {
    mark: char,
    said: Said,
    contacts: Vec<ContactRow>,
}

#[derive(Clone, Debug)]
struct ContactRow {
    mark: char,
    said: SaidContact,
    until: Option<u64>,
}

impl Row {
    fn is_there(&self) -> bool {
        self.mark != '-' && self.said.state != "terminated"
    }
}

impl ContactRow {
    fn is_there(&self) -> bool {
        self.mark != '-' && self.said.state == "active"
    }

    fn gone(&self, mark: char) -> Self {
        let mut row = self.clone();
        row.mark = mark;
        if mark == 'x' {
            row.said.state = "terminated";
            row.said.event = "?";
            row.said.expires = None;
            row.until = None;
        }
        row
    }
}

/// The mark of a row that was there or not, is there or not, and differs or not.
fn mark(known: bool, was: bool, is: bool, differs: bool) -> char {
    match (was, is) {
        (true, true) if differs => '~',
        (true, true) => '=',
        (false, true) => '+',
        (true, false) => 'x',
        (false, false) if known => '=',
        (false, false) => 'x',
    }
}

impl Model {
    /// A full document, received at this second.
    pub fn replace(&mut self, second: u64, document: &[Said]) {
        let old = std::mem::take(&mut self.rows);
        for said in document {
            let row = old.iter().find(|row| row.said.aor == said.aor);
            let was = row.is_some_and(Row::is_there);
            let differs =
                row.is_some_and(|row| (&row.said.id, row.said.state) != (&said.id, said.state));
            let mut contacts = Vec::new();
            let known = row.map_or(&[][..], |row| &row.contacts);
            for contact in &said.contacts {
                contacts.push(listed(known, contact, said.state, second));
            }
            for row in known.iter().filter(|row| row.is_there()) {
                if said
                    .contacts
                    .iter()
                    .any(|contact| contact.uri == row.said.uri)
                {
                    continue;
                }
                let taken = said
                    .contacts
                    .iter()
                    .any(|contact| contact.id == row.said.id);
                let ended = said.state != "active" || taken;
                contacts.push(row.gone(if ended { 'x' } else { '-' }));
            }
            self.rows.push(Row {
                mark: mark(row.is_some(), was, said.state != "terminated", differs),
                said: said.clone(),
                contacts,
            });
        }
        for row in old.iter().filter(|row| row.is_there()) {
            if document.iter().all(|said| said.aor != row.said.aor) {
                let there = row.contacts.iter().filter(|row| row.is_there());
                self.rows.push(Row {
                    mark: '-',
                    said: row.said.clone(),
                    contacts: there.map(|row| row.gone('-')).collect(),
                });
            }
        }
    }

    pub fn shown(&self) -> String {
        let mut text = String::new();
        for Row {
            mark,
            said,
            contacts,
        } in &self.rows
        {
            writeln!(text, "{mark} {} {} {}", said.aor, said.id, said.state).unwrap();
            for ContactRow { mark, said, until } in contacts {
                let SaidContact {
                    id,
                    uri,
                    state,
                    event,
                    expires,
                } = said;
                write!(text, "  {mark} {id} {state} {event} {uri}").unwrap();
                for (name, value) in [("expires", expires), ("until", until)] {
                    if let Some(value) = value {
                        write!(text, " {name}={value}").unwrap();
                    }
                }
                text.push('\n');
            }
        }
        text
    }
}

fn listed(
    known: &[ContactRow],
    contact: &SaidContact,
    registration: &str,
    second: u64,
) -> ContactRow {
    let row = known.iter().find(|row| row.said.uri == contact.uri);
    let mut said = contact.clone();
    if registration == "terminated" {
        said.state = "terminated";
    }
    let is = said.state == "active";
    let until = said.expires.filter(|_| is).map(|expires| second + expires);
    let was = row.is_some_and(ContactRow::is_there);
    let differs = row.is_some_and(|row| row.said != said || row.until != until);
    ContactRow {
        mark: mark(row.is_some(), was, is, differs),
        said,
        until,
    }
}
