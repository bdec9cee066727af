//! The envelope around blobs.

use ims_procedures::drive::{
    ConfigError, RestoreError,
    snapshot::{self, Kind},
};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

const KIND: Kind = Kind(0x1234);
const FORMAT: u16 = 7;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct State {
    strings: Vec<Vec<u8>>,
    left: u64,
    step: Option<u8>,
}

fn state() -> State {
    State {
        strings: vec![b"sip:user1_public1@home1.example.net".to_vec(), Vec::new()],
        left: 86_400_000,
        step: Some(2),
    }
}

fn sealed(state: &State) -> Vec<u8> {
    let mut blob = Vec::new();
    snapshot::seal(KIND, FORMAT, state, &mut blob);
    blob
}

fn open(blob: &[u8]) -> Result<State, RestoreError> {
    snapshot::open(KIND, FORMAT, blob)
}

/// [DR-7] The layout is fixed: magic, kind, format, checksum, payload, all numbers little-endian.
#[test]
fn envelope() {
    let blob = sealed(&state());
    assert_eq!(blob[..8], *b"imsb\x34\x12\x07\x00");
    assert_eq!(open(&blob), Ok(state()));
}

proptest! {
    /// [DR-7] What was sealed is opened, whatever it holds.
    #[test]
    fn round_trip(
        strings in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..5),
        left: u64,
        step: Option<u8>,
    ) {
        let state = State { strings, left, step };
        prop_assert_eq!(open(&sealed(&state)), Ok(state));
    }

    /// [DR-4] [DR-7] Any bytes at all are opened or refused.
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200), payload in proptest::collection::vec(any::<u8>(), 0..100)) {
        prop_assert!(open(&bytes).is_err());
        let mut headed = sealed(&state());
        headed.truncate(16);
        headed.extend(payload);
        prop_assert!(open(&headed).is_err());
    }
}

/// [DR-7] Every byte counts: one altered anywhere is found, and the error says which part it stood in.
#[test]
fn every_corruption_is_refused() {
    let blob = sealed(&state());
    for place in 0..blob.len() {
        for flip in 1..=u8::MAX {
            let mut altered = blob.clone();
            altered[place] ^= flip;
            let expected = match place {
                0..4 => RestoreError::NotASnapshot,
                4..6 => RestoreError::WrongKind,
                6..8 => RestoreError::UnsupportedFormat {
                    found: u16::from_le_bytes([altered[6], altered[7]]),
                },
                _ => RestoreError::Damaged,
            };
            assert_eq!(open(&altered), Err(expected), "byte {place} ^ {flip:#x}");
        }
    }
}

/// [DR-7] A blob cut short anywhere, or with something behind it, is refused.
#[test]
fn every_truncation_is_refused() {
    let blob = sealed(&state());
    for length in 0..blob.len() {
        let expected = if length < 16 {
            RestoreError::NotASnapshot
        } else {
            RestoreError::Damaged
        };
        assert_eq!(open(&blob[..length]), Err(expected), "{length} bytes");
    }
    let longer = [&blob[..], b"\0"].concat();
    assert_eq!(open(&longer), Err(RestoreError::Damaged));
}

/// [DR-7] A whole blob whose payload is another structure is damaged, not misread.
#[test]
fn payload_of_another_structure() {
    let mut blob = Vec::new();
    snapshot::seal(KIND, FORMAT, &(), &mut blob);
    assert_eq!(blob.len(), 16);
    assert_eq!(open(&blob), Err(RestoreError::Damaged));
    let mut blob = Vec::new();
    snapshot::seal(KIND, FORMAT, &(state(), 0_u8), &mut blob);
    assert_eq!(
        open(&blob),
        Err(RestoreError::Damaged),
        "something is left over"
    );
}

/// [DR-7] Another kind or format is named as such; a release can find out the format and read that instead.
#[test]
fn kinds_and_formats() {
    let blob = sealed(&state());
    assert_eq!(
        snapshot::open::<State>(Kind(1), FORMAT, &blob),
        Err(RestoreError::WrongKind)
    );
    let newer = snapshot::open::<State>(KIND, FORMAT + 1, &blob);
    assert_eq!(
        newer,
        Err(RestoreError::UnsupportedFormat { found: FORMAT })
    );
    let Err(RestoreError::UnsupportedFormat { found }) = newer else {
        unreachable!()
    };
    assert_eq!(snapshot::open(KIND, found, &blob), Ok(state()));
}

/// [DR-7] A blob is put behind what stands there, which stays, and does not depend on it.
#[test]
fn appended_behind_existing_bytes() {
    let mut bytes = b"what was there".to_vec();
    snapshot::seal(KIND, FORMAT, &state(), &mut bytes);
    let (before, blob) = bytes.split_at(b"what was there".len());
    assert_eq!(before, b"what was there");
    assert_eq!(blob, sealed(&state()));
    assert_eq!(open(blob), Ok(state()));
}

/// [DR-9] The errors say what is wrong with the blob and nothing of what it holds.
#[test]
fn errors_speak_of_the_blob() {
    let said = [
        RestoreError::NotASnapshot,
        RestoreError::WrongKind,
        RestoreError::UnsupportedFormat { found: 9 },
        RestoreError::Damaged,
        RestoreError::TooLarge,
        RestoreError::Config(ConfigError {
            field: "attempts",
            what: "0",
        }),
    ]
    .map(|error| error.to_string());
    assert_eq!(
        said,
        [
            "not a snapshot",
            "a snapshot of another kind",
            "snapshot format 9 is not one this release reads",
            "the snapshot is damaged",
            "the snapshot exceeds the limits",
            "configuration: attempts: 0",
        ]
    );
}
