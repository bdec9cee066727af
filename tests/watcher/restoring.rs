//! A watcher in a blob.

use ims_procedures::{
    drive::{Millis, RestoreError},
    regevent::watcher::{Taking, Watcher},
};

use crate::support::{Bed, document, fixtures, shown};

fn saved(watcher: &Watcher, now: Millis) -> Vec<u8> {
    let mut blob = Vec::new();
    watcher.save(now, &mut blob);
    blob
}

/// [RI-3] [DR-7] Whatever document of the collection it holds, and whatever it shows of it, a watcher is restored
/// as it was, and goes on counting versions; at another epoch, what is left until expiry is the same.
#[test]
fn every_document_of_the_collection() {
    let documents = fixtures("reginfo", ".xml");
    for (one, other) in documents.values().zip(documents.values().skip(1)) {
        let mut bed = Bed::new();
        bed.quirks.restarted_count = true;
        bed.apply(one);
        bed.apply(other);
        let blob = saved(&bed.watcher, bed.now);
        let restored = Watcher::load(&blob, bed.now).unwrap();
        assert!(restored == bed.watcher);

        let epoch = bed.now.after(1_000_000_000);
        let moved = Watcher::load(&blob, epoch).unwrap();
        assert!(Watcher::load(&saved(&moved, epoch), bed.now).unwrap() == bed.watcher);
        let expiry = |watcher: &Watcher| -> Vec<u64> {
            let rows = watcher.registrations();
            let expiries = rows.flat_map(|row| row.contacts().filter_map(|row| row.expires_at));
            expiries.map(|at| at.0).collect()
        };
        let later: Vec<_> = expiry(&bed.watcher)
            .iter()
            .map(|at| at + 1_000_000_000)
            .collect();
        assert_eq!(expiry(&moved), later);

        let mut going_on = Bed {
            watcher: restored,
            now: bed.now,
            cseq: bed.cseq,
            ..Bed::new()
        };
        let stale =
            going_on
                .watcher
                .clone()
                .apply(going_on.now, other, bed.cseq, &bed.limits, bed.quirks);
        assert!(matches!(stale.unwrap().taking, Taking::Discard(_)));
        assert_eq!(
            going_on.table(document("full 99", "")),
            bed.table(document("full 99", ""))
        );
        assert_eq!(shown(&going_on.watcher), shown(&bed.watcher));
    }
}

/// [DR-7] What is no blob of a watcher is not restored.
#[test]
fn other_blobs() {
    let mut bed = Bed::new();
    bed.apply(&fixtures("reginfo", ".xml")["ts24229_policy_actions.xml"]);
    let blob = saved(&bed.watcher, bed.now);
    let refused = |blob: &[u8]| Watcher::load(blob, Millis(0)).unwrap_err();
    assert_eq!(refused(b""), RestoreError::NotASnapshot);
    for at in 0..blob.len() {
        let mut altered = blob.clone();
        altered[at] ^= 0x40;
        refused(&altered);
        refused(&blob[..at]);
    }
    assert!(
        Watcher::load(&saved(&Watcher::new(), Millis(5)), Millis(0)).unwrap() == Watcher::new()
    );
}
