//! [DR-5, DR-7] Sets at rest, as blobs have them: what is damaged, or is made to harm, is refused and costs nothing.

use super::support::*;
use ims_procedures::{
    drive::{
        Identifiers, Millis, Misuse, Node, Outbox, Persist, Release, RestoreError, Source,
        TransactionRef,
        snapshot::{Kind, open_any, seal_written},
    },
    regevent::notifier,
    scscf::{Command, Config, PublicIdentity, Scscf, ScscfNode},
};
use proptest::prelude::*;

/// A set with two contacts and a subscriber, who has been told.
fn resting() -> Host {
    let mut host = Host::registered();
    host.learn(&Registration {
        call_id: "ue-call-2",
        ..Registration::of("sip:192.0.2.20", "")
    });
    host.subscribe();
    host
}

fn machine(host: &Host) -> Vec<u8> {
    let mut bytes = Vec::new();
    host.node.write_machine(0, host.now, &mut bytes);
    assert_eq!(bytes[0], 1, "at rest");
    bytes
}

fn node(config: Config) -> ScscfNode {
    ScscfNode::new(config, Identifiers::new(SEED, 2, 3)).unwrap()
}

/// Everything that can be done to it is done.
fn exercise(node: &mut ScscfNode, now: Millis) {
    let mut out = Outbox::<Scscf>::for_steps(1);
    for release in [Release::Current, Release::Previous] {
        node.snapshot_for(release, now, &mut Vec::new());
    }
    node.write_key(0, &mut Vec::new());
    for identity in [PUBLIC, TEL] {
        let _ = node.is_registered(identity.as_bytes());
        let _ = node.subscribers(identity.as_bytes());
        node.contacts(identity.as_bytes()).for_each(drop);
    }
    for request in [subscribe(), register()] {
        let to = TransactionRef(1);
        let _ = node.receive(now, Source::TrustedCore, to, request.as_bytes(), &mut out);
        out.clear();
    }
    let mut latest = now;
    for _ in 0..64 {
        let Some((at, _)) = node.deadline() else {
            break;
        };
        latest = latest.max(at);
        node.tick(latest, &mut out).unwrap();
        out.clear();
    }
    node.let_go(0, &mut out);
}

/// Whether bytes are those of a set; if so, whatever happens to it is borne.
fn is_taken(bytes: &[u8], now: Millis) -> bool {
    let mut node = node(config());
    match node.read_machine(now, bytes) {
        Ok(place) => {
            assert_eq!(place, 0);
            exercise(&mut node, now);
            true
        }
        Err(RestoreError::Damaged | RestoreError::TooLarge) => {
            assert_eq!(node.sets(), 0);
            false
        }
        Err(other) => panic!("{other:?}"),
    }
}

/// A SUBSCRIBE outside of the dialog that there is.
fn other() -> String {
    subscribe().replace("Call-ID: ", "Call-ID: other-")
}

/// [DR-5] A set that was woken rests again when the call is over, whatever came of it, as it was: a REGISTER or
/// SUBSCRIBE that is refused, a command that cannot be carried out, a tick too early.
#[test]
fn rests_again() {
    let mut host = resting();
    let before = machine(&host);
    let nobody = b"sip:nobody@home1.example.net";
    let mut out = Outbox::<Scscf>::for_steps(1);
    for (request, status) in [
        (
            register().replace("P-Asserted-Identity: <sip:", "P-Asserted-Identity: <sip:@"),
            400,
        ),
        (
            other().replace("Identity: <sip:pcscf1", "Identity: <sip:pcscf9"),
            403,
        ),
        (
            other().replace("application/reginfo+xml", "text/plain"),
            406,
        ),
    ] {
        let outs = host.receive(request);
        assert_eq!(outs[0].status(), status);
        assert!(machine(&host) == before, "{status}");
    }
    let many = [PublicIdentity {
        uri: nobody,
        barred: false,
    }; 33];
    for command in [
        Command::ChangeProfile {
            public_identity: PUBLIC.as_bytes(),
            identities: &many,
        },
        Command::EndSubscriptions {
            public_identity: PUBLIC.as_bytes(),
            contact: Some(nobody),
            reason: notifier::Reason::Rejected,
        },
    ] {
        let _ = host.node.command(host.now, command, &mut out);
        assert!(machine(&host) == before);
    }
    let mut large = Registration::of("sip:192.0.2.21", "");
    large.call_id = "ue-call-3";
    large.path = Box::leak(format!("<sip:{}@p.example;lr>", "x".repeat(7_900)).into_boxed_str());
    let taken = host.learn_bytes(large.request().as_bytes(), large.response().as_bytes());
    assert!(matches!(taken, Err(Misuse::TooLarge { .. })), "{taken:?}");
    assert!(machine(&host) == before);
    host.node.tick(host.now, &mut out).unwrap();
    assert!(machine(&host) == before && out.is_empty());
}

/// [DR-7] A set that is cut short is none, and one that goes on is none.
#[test]
fn cut() {
    let host = resting();
    let bytes = machine(&host);
    for cut in 0..bytes.len() {
        assert!(!is_taken(&bytes[..cut], host.now), "{cut}");
    }
    assert!(is_taken(&bytes, host.now));
    let longer = [&bytes[..], &[0]].concat();
    assert!(!is_taken(&longer, host.now));
}

/// [DR-7] Whichever bit is another: it is another set, or none.
#[test]
fn every_bit() {
    let host = resting();
    let bytes = machine(&host);
    let (mut taken, mut refused) = (0, 0);
    for place in 0..bytes.len() * 8 {
        let mut altered = bytes.clone();
        altered[place / 8] ^= 1 << (place % 8);
        match is_taken(&altered, host.now) {
            true => taken += 1,
            false => refused += 1,
        }
    }
    // Those in strings and numbers are seen by nobody but a checksum; those in lengths and places are.
    assert!(taken > 1_000 && refused > 100, "{taken}, {refused}");
}

/// [DR-7] The same in the blob of a node, whose checksum says that all is well.
#[test]
fn every_bit_of_a_node() {
    let host = resting();
    let mut blob = Vec::new();
    host.node.snapshot(host.now, &mut blob);
    let (format, payload) = open_any(Kind(2), &[3], &blob).unwrap();
    let restore = |payload: &[u8]| {
        let mut blob = Vec::new();
        seal_written(Kind(2), format, &mut blob, |into| {
            into.extend_from_slice(payload);
        });
        let identifiers = Identifiers::new(SEED, 2, 3);
        match ScscfNode::restore(config(), identifiers, host.now, &blob) {
            Ok(mut node) => {
                exercise(&mut node, host.now);
                true
            }
            Err(RestoreError::Damaged | RestoreError::TooLarge) => false,
            Err(other) => panic!("{other:?}"),
        }
    };
    assert!(restore(payload));
    for cut in 1..payload.len() {
        assert!(!restore(&payload[..cut]), "{cut}");
    }
    let mut taken = 0;
    for place in 0..payload.len() * 8 {
        let mut altered = payload.to_vec();
        altered[place / 8] ^= 1 << (place % 8);
        taken += u32::from(restore(&altered));
    }
    assert!(taken > 1_000, "{taken}");
}

proptest! {
    /// [DR-7] Parts of a set in any order, and what is between them.
    #[test]
    fn whatever_stands_there(
        cuts in proptest::collection::vec((0usize..600, 0usize..600), 1..6),
        other in proptest::collection::vec(any::<u8>(), 0..12),
        at in 0usize..600,
    ) {
        let host = resting();
        let bytes = machine(&host);
        let mut mixed = bytes[..at.min(bytes.len())].to_vec();
        mixed.extend_from_slice(&other);
        for (from, to) in cuts {
            let part = bytes.get(from.min(to)..from.max(to).min(bytes.len()));
            mixed.extend_from_slice(part.unwrap_or_default());
        }
        is_taken(&mixed, host.now);
    }
}

/// A record: its head, and then all else.
fn record(identities: &[Vec<u8>], bindings: u8, subscriptions: u8) -> Vec<u8> {
    let mut bytes = vec![1, bindings + 2 * subscriptions];
    bytes.extend(vec![100; usize::from(bindings + 2 * subscriptions)]);
    bytes.push(0);
    number(identities.len(), &mut bytes);
    bytes.extend([bindings, subscriptions, 9, 9, 1, 0, 0]);
    for (place, identity) in identities.iter().enumerate() {
        bytes.push(0);
        number(place, &mut bytes);
        bytes.push(1);
        bytes.extend_from_slice(identity);
    }
    for place in 0..bindings {
        // Number, CSeq, explicit, first CSeq, failure, event, changed; eleven empty strings.
        bytes.extend([place, 1, 0, 1, 0, 5, 1]);
        bytes.extend([0; 11]);
    }
    for _ in 0..subscriptions {
        // Tag, two CSeqs, version, told, flags; seven empty strings.
        bytes.push(16);
        bytes.extend([7; 16]);
        bytes.extend([1, 1, 1, 1, 0]);
        bytes.extend([0; 7]);
    }
    bytes
}

fn number(mut number: usize, into: &mut Vec<u8>) {
    while number > 0x7f {
        into.push(number as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}

fn here(string: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    number(string.len() << 2, &mut bytes);
    bytes.extend_from_slice(string);
    bytes
}

fn taken(bytes: &[u8]) -> Result<(), RestoreError> {
    let mut node = node(config());
    node.read_machine(Millis(5), bytes).map(|_| {
        exercise(&mut node, Millis(5));
    })
}

/// [DR-5] As many identities, bindings and subscriptions as there may be, and one more of each.
#[test]
fn limits() {
    let identities = |count: usize| -> Vec<_> {
        let uri = |number| here(format!("sip:user{number}@home.example").as_bytes());
        (0..count).map(uri).collect()
    };
    let (most_identities, most_bindings, most_subscriptions) = (64, 64, 24);
    for (more, expected) in [(0, Ok(())), (1, Err(RestoreError::TooLarge))] {
        assert_eq!(
            taken(&record(&identities(most_identities + more), 1, 0)),
            expected
        );
        assert_eq!(
            taken(&record(&identities(1), most_bindings + more as u8, 0)),
            expected
        );
        assert_eq!(
            taken(&record(&identities(1), 1, most_subscriptions + more as u8)),
            expected
        );
    }
    // What has no contact does not rest.
    assert_eq!(
        taken(&record(&identities(1), 0, 0)),
        Err(RestoreError::Damaged)
    );
}

/// [DR-5] A string that stands once and is referred to often does not make a set larger than 16 bits can say; one that
/// refers to itself, or to what follows, is none.
#[test]
fn references() {
    let long = here(&[b'a'; 32_000]);
    // In front of it: counts and numbers, flags, number, change, length.
    let at = 8 + 3 + 3;
    let again = |length: usize, at: usize| {
        let mut bytes = Vec::new();
        number(length << 2 | 1, &mut bytes);
        number(at, &mut bytes);
        bytes
    };
    let of = |strings: &[Vec<u8>]| taken(&record(strings, 1, 0));
    assert_eq!(of(&[long.clone(), again(32_000, at)]), Ok(()));
    assert_eq!(
        of(&[long.clone(), again(32_000, at), again(1_535, at)]),
        Ok(())
    );
    assert_eq!(
        of(&[long.clone(), again(32_000, at), again(1_536, at)]),
        Err(RestoreError::Damaged)
    );
    for (length, at) in [
        (1, 40_000),
        (usize::MAX >> 3, at),
        (40_000, at),
        (4, 32_020),
    ] {
        let strings = [long.clone(), again(length, at)];
        assert_eq!(of(&strings), Err(RestoreError::Damaged), "{length}, {at}");
    }
}
