//! Blobs of the release before: `tests/fixtures/blobs` holds what it wrote.

use std::path::Path;

use ims_procedures::drive::{Millis, Node, Release, RestoreError};

/// A node writes, for the release before, what that wrote of the same state; and reads it as the same state.
pub fn check<N: Node>(
    node: &N,
    now: Millis,
    name: &str,
    restore: impl Fn(&[u8]) -> Result<N, RestoreError>,
) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/blobs");
    let path = path.join(name);
    let theirs = std::fs::read(&path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()));
    let written = |node: &N, release| {
        let mut blob = Vec::new();
        node.snapshot_for(release, now, &mut blob);
        blob
    };
    assert!(written(node, Release::Previous) == theirs, "{name}");
    let current = written(node, Release::Current);
    assert!(current != theirs);
    for blob in [&theirs, &current] {
        let restored = restore(blob).unwrap();
        assert!(written(&restored, Release::Current) == current, "{name}");
        assert!(written(&restored, Release::Previous) == theirs, "{name}");
    }
    for cut in 0..current.len() {
        assert!(restore(&current[..cut]).is_err(), "{name}, {cut} bytes");
    }
}
