//! Every document of the collection, and every document of the captures in order, gives the table that stands for
//! it in `tests/fixtures/watcher`. A section `== a.xml > b.xml` is a watcher given these documents one after the
//! other, `== capture call-id` one given those of this dialog.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use ims_procedures::{drive::Limits, regevent::watcher::Watcher, wire::Message};

use crate::support::{Bed, fixtures, folder, outcome, shown};

/// The sections of a file of tables, by title.
fn sections(file: &str) -> BTreeMap<String, String> {
    let text = fs::read_to_string(folder("watcher").join(file)).unwrap();
    text.split("== ")
        .skip(1)
        .map(|section| section.split_once('\n').unwrap())
        .map(|(title, table)| (title.to_owned(), table.trim_end().to_owned()))
        .collect()
}

/// The tables after each of the documents, each with its name.
fn tables<'d>(documents: impl IntoIterator<Item = (&'d str, u32, &'d [u8])>) -> String {
    let mut bed = Bed::new();
    let mut text = String::new();
    for (name, cseq, document) in documents {
        bed.cseq = cseq - 1;
        let applied = bed.apply(document);
        let table = shown(&bed.watcher);
        text.push_str(&format!("{name}: {}\n{table}", outcome(&applied)));
    }
    text.trim_end().to_owned()
}

/// [RI-3] Every document of the collection, alone and in the sequences that some are made for.
#[test]
fn documents_of_the_collection() {
    let documents = fixtures("reginfo", ".xml");
    let expected = sections("documents.txt");
    for (title, expected) in &expected {
        let names: Vec<&str> = title.split(" > ").collect();
        let given = names.iter().zip(1..);
        let given = given.map(|(name, cseq)| (*name, cseq, documents[*name].as_slice()));
        assert_eq!(tables(given), *expected, "{title}");
    }
    let names: BTreeSet<&String> = documents.keys().collect();
    let titles = expected.keys().filter(|title| !title.contains(" > "));
    assert_eq!(titles.collect::<BTreeSet<_>>(), names);
}

/// [RI-3] The documents that deployed notifiers sent, dialog by dialog (T07, T21).
#[test]
fn documents_of_the_captures() {
    let mut given = BTreeMap::new();
    for capture in ["A_basic", "D_rtr", "O_presreg"] {
        for (name, bytes) in fixtures(&format!("captures/{capture}"), "_NOTIFY.sip") {
            let message = Message::parse(&bytes, &Limits::default()).unwrap();
            if message.status().is_none() {
                let call_id = String::from_utf8(message.call_id().unwrap().to_vec()).unwrap();
                let cseq = message.cseq().unwrap().number;
                let dialog: &mut Vec<_> = given.entry(format!("{capture} {call_id}")).or_default();
                dialog.push((name, cseq, message.body().to_vec()));
            }
        }
    }
    let expected = sections("captures.txt");
    for (title, documents) in &given {
        let documents = documents.iter();
        let documents = documents.map(|(name, cseq, body)| (&**name, *cseq, &**body));
        let expected = expected.get(title).map_or("", String::as_str);
        assert_eq!(tables(documents), expected, "{title}");
    }
    assert!(given.keys().eq(expected.keys()));
}

/// Every kind of change and of outcome stands in some table.
#[test]
fn the_tables_show_everything() {
    let tables = sections("documents.txt").into_values();
    let lines: Vec<String> = tables
        .chain(sections("captures.txt").into_values())
        .flat_map(|table| table.lines().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    for mark in ["+ ", "~ ", "x ", "- ", "= "] {
        assert!(lines.iter().any(|line| line.trim_start().starts_with(mark)));
    }
    for outcome in [" processed,", " processed after a gap,", ", all terminated"] {
        assert!(lines.iter().any(|line| line.contains(outcome)), "{outcome}");
    }
    assert_eq!(shown(&Watcher::new()), "");
}
