//! The driving shape through its public interface: outbox, buffer, time, identifiers, faults, blobs.

#[path = "drive/buffer.rs"]
mod buffer;

#[path = "drive/faults.rs"]
mod faults;

#[path = "drive/identifiers.rs"]
mod identifiers;

#[path = "drive/outbox.rs"]
mod outbox;

#[path = "drive/snapshot.rs"]
mod snapshot;

use ims_procedures::drive::{Clock, Limits, Millis, Timer};
use proptest::prelude::*;

/// [DR-6] Time is added to and compared, and ends instead of overflowing.
#[test]
fn instants() {
    assert_eq!(Millis(5).after(7), Millis(12));
    assert_eq!(Millis(5).after_seconds(2), Millis(2_005));
    assert_eq!(Millis(u64::MAX - 1).after(1), Millis(u64::MAX));
    assert_eq!(Millis(u64::MAX - 1).after(2), Millis(u64::MAX));
    assert_eq!(
        Millis(1).after_seconds(u32::MAX),
        Millis(u64::from(u32::MAX) * 1_000 + 1)
    );
    assert_eq!(Millis(9).since(Millis(4)), 5);
    assert_eq!(Millis(4).since(Millis(9)), 0);
    assert_eq!(Millis(70).to_string(), "70 ms");
    assert_eq!(Timer("refresh").to_string(), "refresh");
}

/// [DR-6] Time that goes backwards stands still and is counted; standing still is not going backwards.
#[test]
fn time_that_goes_backwards() {
    let mut clock = Clock::default();
    assert_eq!(clock.latest(), Millis(0));
    assert_eq!(clock.observe(Millis(100)), Millis(100));
    assert_eq!(clock.observe(Millis(100)), Millis(100));
    assert_eq!(clock.backwards(), 0);
    assert_eq!(clock.observe(Millis(99)), Millis(100));
    assert_eq!(clock.observe(Millis(0)), Millis(100));
    assert_eq!(clock.backwards(), 2);
    assert_eq!(clock.observe(Millis(101)), Millis(101));
    assert_eq!(clock.latest(), Millis(101));
    assert_eq!(clock.backwards(), 2);
}

proptest! {
    /// [DR-6] Whatever a host says, time never goes backwards, and every attempt is counted.
    #[test]
    fn observed_time_is_monotonic(said in proptest::collection::vec(0..1_000_u64, 0..60)) {
        let mut clock = Clock::default();
        let (mut highest, mut backwards) = (0, 0);
        for now in said {
            backwards += u64::from(now < highest);
            highest = highest.max(now);
            prop_assert_eq!(clock.observe(Millis(now)), Millis(highest));
        }
        prop_assert_eq!(clock.backwards(), backwards);
    }
}

/// [DR-5] Every bound has the default that its documentation names.
#[test]
fn limits_default_to_what_is_documented() {
    let Limits {
        message_bytes,
        headers,
        header_bytes,
        contacts,
        identities,
        dialogs,
        registration_bytes,
        subscribers,
        watched_contacts,
        iwfs,
        users,
        reserved_users,
        xml_bytes,
        xml_depth,
        xml_attributes,
        xml_elements,
        sdp_lines,
        sdp_streams,
        transactions,
        ..
    } = Limits::default();
    let named = [
        ("message_bytes", message_bytes),
        ("headers", headers),
        ("header_bytes", header_bytes),
        ("contacts", contacts),
        ("identities", identities),
        ("dialogs", dialogs),
        ("registration_bytes", registration_bytes),
        ("subscribers", subscribers),
        ("watched_contacts", watched_contacts),
        ("iwfs", iwfs),
        ("users", users),
        ("reserved_users", reserved_users),
        ("xml_bytes", xml_bytes),
        ("xml_depth", xml_depth),
        ("xml_attributes", xml_attributes),
        ("xml_elements", xml_elements),
        ("sdp_lines", sdp_lines),
        ("sdp_streams", sdp_streams),
        ("transactions", transactions),
    ];
    let documented = documented_defaults();
    assert_eq!(documented.len(), named.len(), "{documented:?}");
    for (field, value) in named {
        let (_, default) = documented
            .iter()
            .find(|(name, _)| name == field)
            .unwrap_or_else(|| panic!("{field} names no default"));
        assert_eq!(*default, value, "{field}");
    }
}

/// (field, default) as the documentation of `Limits` has it.
fn documented_defaults() -> Vec<(String, usize)> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/drive/limits.rs");
    let source = std::fs::read_to_string(file).unwrap();
    let mut defaults = Vec::new();
    let mut doc = String::new();
    for line in source.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("///") {
            doc.push_str(text);
        } else {
            let field = line
                .strip_prefix("pub ")
                .and_then(|l| l.strip_suffix(": usize,"));
            if let (Some(field), Some(at)) = (field, doc.find("Default ")) {
                let digits: String = doc[at + "Default ".len()..]
                    .chars()
                    .take_while(|c| c.is_ascii_digit() || *c == ',')
                    .filter(|c| *c != ',')
                    .collect();
                defaults.push((field.to_owned(), digits.parse().unwrap()));
            }
            doc.clear();
        }
    }
    defaults
}
