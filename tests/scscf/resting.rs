//! [DR-5, DR-7] Sets at rest, as blobs have them: what is damaged, or is made to harm, is refused and costs nothing.

use super::support::*;
use ims_procedures::{
    drive::{Identifiers, Millis, Misuse, Node, Outbox, Persist, Release, RestoreError},
    regevent::notifier,
    scscf::{Command, Config, PublicIdentity, Scscf, ScscfNode},
};

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

/// [DR-5, DR-7] A set that was awake when it was put into a blob rests once it can, as one that went on.
#[test]
fn rests_after_a_restart() {
    for restarts in [false, true] {
        let mut host = resting();
        host.learn(&Registration {
            call_id: "ue-call-3",
            ..Registration::of("sip:192.0.2.21", "")
        });
        if restarts {
            host.restart(2);
        }
        let outs = host.run(10_000);
        let notify = outs.iter().find(|out| out.is_notify()).unwrap();
        host.respond(notify, 200);
        machine(&host);
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
    node.read_machine(Millis(5), bytes)?;
    node.snapshot_for(Release::Previous, Millis(5), &mut Vec::new());
    Ok(())
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
