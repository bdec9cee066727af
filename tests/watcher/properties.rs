//! What holds for any documents.

use std::collections::BTreeSet;

use ims_procedures::{
    drive::{Limits, Millis},
    regevent::watcher::{Quirks, Taking, Watcher},
};
use proptest::prelude::*;

use crate::{
    model::{Ids, Model, Said, SaidContact, said, written},
    support::{Bed, shown},
};

/// What is there, in no order and without marks.
fn present(watcher: &Watcher) -> BTreeSet<String> {
    let mut present = BTreeSet::new();
    let text = shown(watcher);
    let mut registration = ("", false);
    for line in text.lines() {
        let (mark, row) = line.trim_start().split_at(1);
        match line.starts_with(' ') {
            false => {
                registration = (row, mark != "-" && !row.ends_with(" terminated"));
                if registration.1 {
                    present.insert(row.to_owned());
                }
            }
            true if registration.1 && mark != "-" && !row.contains(" terminated ") => {
                present.insert(format!("{} {row}", registration.0));
            }
            true => {}
        }
    }
    present
}

/// The partial documents' pieces that lead from one state of things to another: each contact alone, in any order.
fn pieces(from: &[Said], to: &[Said]) -> Vec<Said> {
    let mut pieces = Vec::new();
    for said in to {
        let before = from.iter().find(|before| before.aor == said.aor);
        let before = before.map_or(&[][..], |before| &before.contacts);
        let ended = before
            .iter()
            .filter(|contact| said.contacts.iter().all(|other| other.uri != contact.uri))
            .map(|contact| SaidContact {
                state: "terminated",
                event: "expired",
                ..contact.clone()
            });
        let contacts: Vec<_> = said.contacts.iter().cloned().chain(ended).collect();
        let with = |contacts| Said {
            contacts,
            ..said.clone()
        };
        pieces.push(with(Vec::new()));
        pieces.extend(contacts.into_iter().map(|contact| with(vec![contact])));
    }
    for before in from {
        if to.iter().all(|said| said.aor != before.aor) {
            pieces.push(Said {
                state: "terminated",
                contacts: Vec::new(),
                ..before.clone()
            });
        }
    }
    pieces
}

/// Pieces of one registration that follow each other are one element, as RFC 3680 5.1 wants.
fn joined(pieces: &[Said]) -> Vec<Said> {
    let mut joined: Vec<Said> = Vec::new();
    for piece in pieces {
        match joined.iter_mut().find(|known| known.aor == piece.aor) {
            Some(known) => known.contacts.extend(piece.contacts.iter().cloned()),
            None => joined.push(piece.clone()),
        }
    }
    joined
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// [RI-3] Full documents one after the other give the table of the model, marks and order included (T08, T19,
    /// T21).
    #[test]
    fn full_documents_as_the_model(
        documents in prop_oneof![
            proptest::collection::vec(said(Ids::Stable), 1..6),
            proptest::collection::vec(said(Ids::Pointers), 1..6),
        ],
    ) {
        let (mut bed, mut model) = (Bed::new(), Model::default());
        for (version, document) in documents.iter().enumerate() {
            let second = bed.now.0 / 1_000;
            let applied = bed.apply(written(&format!("full {version}"), document));
            model.replace(second, document);
            prop_assert_eq!(shown(&bed.watcher), model.shown());
            let table = model.shown();
            let changed = table.lines().filter(|line| !line.trim_start().starts_with('='));
            prop_assert_eq!(applied.changed, changed.count());
            let all_terminated = document.iter().all(|said| said.state == "terminated");
            prop_assert_eq!(applied.all_terminated, !document.is_empty() && all_terminated);
        }
    }

    /// [RI-3] However a change is split into partial documents, and in whatever order its pieces come, what is
    /// there in the end is what one full document says.
    #[test]
    fn any_split_converges(
        from in said(Ids::Stable),
        to in said(Ids::Stable),
        order in any::<u64>(),
        lengths in proptest::collection::vec(1..4_usize, 1..40),
    ) {
        let now = Millis(50_000);
        let (limits, quirks) = (Limits::default(), Quirks::default());
        let mut start = Watcher::new();
        start.apply(now, &written("full 0", &from), 1, &limits, quirks).unwrap();
        let mut whole = start.clone();
        whole.apply(now, &written("full 1", &to), 2, &limits, quirks).unwrap();

        let mut rest = pieces(&from, &to);
        let mut shuffled = Vec::new();
        let mut order = order;
        while !rest.is_empty() {
            order = order.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            shuffled.push(rest.swap_remove((order >> 33) as usize % rest.len()));
        }
        let mut parts = start.clone();
        let mut version = 1;
        let mut lengths = lengths.iter().cycle();
        let mut pieces = &shuffled[..];
        while !pieces.is_empty() {
            let (first, others) = pieces.split_at((*lengths.next().unwrap()).min(pieces.len()));
            let document = written(&format!("partial {version}"), &joined(first));
            let applied = parts.apply(now, &document, version + 1, &limits, quirks).unwrap();
            prop_assert_eq!(applied.taking, Taking::Process { gap: false });
            version += 1;
            pieces = others;
        }
        prop_assert_eq!(present(&parts), present(&whole));
    }

    /// [RI-3] Documents that came before, once more and in any number, change nothing (T07).
    #[test]
    fn repeated_and_older_documents_change_nothing(
        documents in proptest::collection::vec((any::<bool>(), said(Ids::Pointers)), 2..6),
        again in proptest::collection::vec((0..6_usize, any::<bool>()), 1..6),
    ) {
        let mut bed = Bed::new();
        let bytes: Vec<_> = documents
            .iter()
            .enumerate()
            .map(|(version, (full, said))| {
                let state = if *full { "full" } else { "partial" };
                written(&format!("{state} {version}"), said)
            })
            .collect();
        for document in &bytes {
            bed.apply(document);
        }
        let before = bed.watcher.clone();
        for (which, moved_on) in again {
            let which = which % bytes.len();
            let is_last = which + 1 == bytes.len();
            // A full document of the same version in a later NOTIFY is not a repetition.
            let cseq = match moved_on && !(is_last && documents[which].0) {
                true => 1_000,
                false => bed.cseq,
            };
            let applied = bed.watcher.apply(bed.now, &bytes[which], cseq, &bed.limits, bed.quirks);
            prop_assert!(matches!(applied.unwrap().taking, Taking::Discard(_)));
            prop_assert!(bed.watcher == before);
        }
    }

    /// [RI-3] [DR-4] A document that is refused, for what is wrong with it or for its size, changes nothing; and
    /// no bytes do harm.
    #[test]
    fn refused_documents_change_nothing(
        documents in proptest::collection::vec(said(Ids::Stable), 1..4),
        place in any::<proptest::sample::Index>(),
        byte in any::<u8>(),
        identities in 0..4_usize,
        watched_contacts in 0..10_usize,
    ) {
        let mut bed = Bed::new();
        bed.limits.identities = identities;
        bed.limits.watched_contacts = watched_contacts;
        for (version, said) in documents.iter().enumerate() {
            let state = if version % 2 == 0 { "full" } else { "partial" };
            let mut document = written(&format!("{state} {version}"), said);
            for _ in 0..2 {
                let before = bed.watcher.clone();
                let applied = bed.watcher.apply(bed.now, &document, 1, &bed.limits, bed.quirks);
                if applied.is_err() {
                    prop_assert!(bed.watcher == before);
                }
                let rows = bed.watcher.registrations();
                prop_assert!(rows.len() <= 2 * identities);
                let contacts: usize = rows.map(|row| row.contacts().len()).sum();
                prop_assert!(contacts <= 2 * watched_contacts);
                let at = place.index(document.len());
                document[at] = byte;
            }
        }
    }

    /// [RI-3] [DR-7] A watcher that was saved and loaded on the way does what one does that was not.
    #[test]
    fn saved_and_loaded(
        documents in proptest::collection::vec((any::<bool>(), said(Ids::Pointers)), 1..6),
        shift in 0..1_000_000_u64,
    ) {
        let (mut bed, mut moved) = (Bed::new(), Bed::new());
        for (version, (full, said)) in documents.iter().enumerate() {
            let state = if *full { "full" } else { "partial" };
            let document = written(&format!("{state} {version}"), said);
            // At the same instant: what is overdue is due at once after a restore.
            (bed.now, moved.now) = (Millis(0), Millis(shift));
            let applied = (bed.apply(&document), moved.apply(&document));
            prop_assert_eq!(applied.0, applied.1);
            let mut blob = Vec::new();
            moved.watcher.save(Millis(shift), &mut blob);
            prop_assert!(Watcher::load(&blob, Millis(0)).unwrap() == bed.watcher);
            moved.watcher = Watcher::load(&blob, Millis(shift)).unwrap();
        }
    }
}
