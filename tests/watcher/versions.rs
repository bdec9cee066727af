//! Which document is the next.

use ims_procedures::{
    regevent::watcher::{
        Discarded::{Older, Repeated},
        Quirks, Taking, Versions,
    },
    reginfo::DocumentState::{Full, Partial},
};

use crate::support::{Bed, contact, document, registration, shown};

const NEXT: Taking = Taking::Process { gap: false };
const GAP: Taking = Taking::Process { gap: true };
const OLDER: Taking = Taking::Discard(Older);
const REPEATED: Taking = Taking::Discard(Repeated);

fn restarted_count() -> Quirks {
    let mut quirks = Quirks::default();
    quirks.restarted_count = true;
    quirks
}

/// [RI-3] The whole table of RFC 3680 5.2 and of what it leaves open, after a document of version 5 in the NOTIFY
/// of CSeq 10 (T07): lower, equal, next and later versions, full or partial, CSeq moved on or not, quirk or not.
#[test]
fn every_case() {
    let mut versions = Versions::new();
    versions.take(5, 10);
    let mut cases = 0;
    for (version, moved_on, partial, full, full_with_quirk) in [
        (0, false, OLDER, OLDER, OLDER),
        (0, true, OLDER, OLDER, NEXT),
        (4, false, OLDER, OLDER, OLDER),
        (4, true, OLDER, OLDER, NEXT),
        (5, false, REPEATED, REPEATED, REPEATED),
        (5, true, REPEATED, NEXT, NEXT),
        (6, false, NEXT, NEXT, NEXT),
        (6, true, NEXT, NEXT, NEXT),
        (7, false, GAP, GAP, GAP),
        (7, true, GAP, GAP, GAP),
        (u32::MAX, true, GAP, GAP, GAP),
    ] {
        for cseq in if moved_on { [11, 1_000] } else { [10, 9] } {
            let strict = Quirks::default();
            let judge = |state, quirks| versions.judge(version, state, cseq, quirks);
            assert_eq!(judge(Partial, strict), partial, "{version} {cseq}");
            assert_eq!(
                judge(Partial, restarted_count()),
                partial,
                "{version} {cseq}"
            );
            assert_eq!(judge(Full, strict), full, "{version} {cseq}");
            assert_eq!(
                judge(Full, restarted_count()),
                full_with_quirk,
                "{version} {cseq}"
            );
            cases += 4;
        }
    }
    assert_eq!(cases, 88);
}

/// [RI-3] The first document is taken whatever its version: a deployed notifier begins with 2, RFC 5628 8.2 with 1. A
/// partial one has overtaken the full one, or that was lost: it is asked for (T07).
#[test]
fn the_first_of_a_subscription() {
    for version in [0, 1, 2, 7, u32::MAX] {
        for (state, taking) in [(Full, NEXT), (Partial, GAP)] {
            let mut versions = Versions::new();
            assert_eq!(versions.judge(version, state, 1, Quirks::default()), taking);
            versions.take(version, 5);
            versions.restart();
            assert_eq!(versions, Versions::new());
            assert_eq!(versions.judge(version, state, 1, Quirks::default()), taking);
        }
    }
}

/// [RI-3] Where versions end (a larger one stands as the largest), nothing stops: full documents are taken,
/// partial ones too, but may have missed some.
#[test]
fn the_largest_version() {
    let judge = |latest, version, state, cseq| {
        let mut versions = Versions::new();
        versions.take(latest, 10);
        versions.judge(version, state, cseq, Quirks::default())
    };
    assert_eq!(judge(u32::MAX - 1, u32::MAX, Partial, 11), NEXT);
    assert_eq!(judge(u32::MAX - 2, u32::MAX, Partial, 11), GAP);
    assert_eq!(judge(u32::MAX, u32::MAX, Full, 11), NEXT);
    assert_eq!(judge(u32::MAX, u32::MAX, Partial, 11), GAP);
    assert_eq!(judge(u32::MAX, u32::MAX, Full, 10), REPEATED);
    assert_eq!(judge(u32::MAX, u32::MAX, Partial, 10), REPEATED);
    assert_eq!(judge(u32::MAX, 0, Full, 11), OLDER);

    let mut bed = Bed::new();
    bed.apply(document("full 4294967294", ""));
    for (version, gap) in [
        ("4294967295", false),
        ("4294967296", true),
        ("99999999999999999999", true),
    ] {
        let applied = bed.apply(document(&format!("partial {version}"), ""));
        assert_eq!(applied.version, u32::MAX);
        assert_eq!(applied.taking, Taking::Process { gap });
    }
}

fn with(head: &str, event: &str) -> Vec<u8> {
    let contact = contact("c", event, "sip:u@192.0.2.1", "");
    document(head, &registration("sip:a@h", "r", "active", &contact))
}

/// [RI-3] What is discarded changes nothing of the table, not even marks, and does not count as seen (T07).
#[test]
fn discarded_documents_change_nothing() {
    let mut bed = Bed::new();
    bed.apply(with("partial 5", "active registered"));
    bed.apply(with("partial 6", "terminated expired"));
    let before = bed.watcher.clone();
    for (head, taking) in [
        ("partial 6", REPEATED),
        ("partial 5", OLDER),
        ("full 5", OLDER),
        ("full 0", OLDER),
    ] {
        let applied = bed.apply(with(head, "active registered"));
        assert_eq!((applied.taking, applied.changed), (taking, 0), "{head}");
        assert!(bed.watcher == before, "{head}");
    }
    bed.cseq = 0;
    assert_eq!(bed.apply(with("full 6", "active created")).taking, REPEATED);
    assert!(bed.watcher == before);
    assert_eq!(bed.apply(with("partial 7", "active created")).taking, NEXT);
}

/// [RI-3] A notifier that was restarted inside the dialog counts from 0 again: with the quirk its next full
/// document is taken, and the count goes on from there; without, nothing until the old count is reached (T07).
#[test]
fn a_notifier_that_restarts() {
    for restarted_count in [false, true] {
        let mut bed = Bed::new();
        bed.quirks.restarted_count = restarted_count;
        bed.apply(with("full 8", "active registered"));
        let taken = [
            bed.apply(with("partial 0", "active created")).taking,
            bed.apply(with("full 0", "active created")).taking,
            bed.apply(with("partial 1", "active refreshed")).taking,
            bed.apply(with("partial 9", "active shortened")).taking,
        ];
        let expected = match restarted_count {
            false => [OLDER, OLDER, OLDER, NEXT],
            true => [OLDER, NEXT, NEXT, GAP],
        };
        assert_eq!(taken, expected);
    }
}

/// [RI-3] A new dialog counts anew; its first document still shows what has changed since the old one.
#[test]
fn a_new_dialog() {
    let mut bed = Bed::new();
    bed.apply(with("full 8", "active registered"));
    bed.watcher.restart();
    bed.cseq = 0;
    assert_eq!(bed.apply(with("full 0", "active refreshed")).taking, NEXT);
    assert_eq!(
        shown(&bed.watcher),
        "= sip:a@h r active\n  ~ c active refreshed sip:u@192.0.2.1\n"
    );
    assert_eq!(
        bed.apply(with("partial 1", "active refreshed")).taking,
        NEXT
    );
}
