//! Users in blobs that are damaged, or made to harm: each is refused, or is a user like any other.

use crate::{
    notified,
    pcscf::{self, Bed, CONTACT, register, register_200},
    support::{self, Host, PUBLIC, Registration, TEL},
};
use ims_procedures::{
    drive::{
        Identifiers, Millis, Node, Outbox, Persist, Release, RestoreError, Source, TransactionRef,
        snapshot::{Kind, open_any, seal_written},
    },
    pcscf::PcscfNode,
    regevent::node::SubscriberNode,
    scscf::{Command, ScscfNode},
};
use proptest::prelude::*;

const NOW: Millis = Millis(60_000);

/// A node whose users are put into blobs.
trait Tried: Persist + Sized {
    /// What the blob of a node is.
    const NODE: Kind;

    fn fresh() -> Self;
    fn restored(blob: &[u8]) -> Result<Self, RestoreError>;
    /// Looks at everything that can be asked for.
    fn look(&self);
    /// What comes for a user.
    fn requests() -> Vec<String>;
}

impl Tried for PcscfNode {
    const NODE: Kind = Kind(1);

    fn fresh() -> Self {
        Self::new(pcscf::config(), identifiers()).unwrap()
    }

    fn restored(blob: &[u8]) -> Result<Self, RestoreError> {
        Self::restore(pcscf::config(), identifiers(), NOW, blob)
    }

    fn look(&self) {
        let _ = (self.registrations(), self.is_registered(CONTACT.as_bytes()));
        self.sip_generated_subscription_status(b"").for_each(drop);
    }

    fn requests() -> Vec<String> {
        vec![register(&pcscf::contact(Some(0)), 3)]
    }
}

impl Tried for SubscriberNode {
    const NODE: Kind = Kind(3);

    fn fresh() -> Self {
        Self::new(notified::watcher_config(), identifiers()).unwrap()
    }

    fn restored(blob: &[u8]) -> Result<Self, RestoreError> {
        Self::restore(notified::watcher_config(), identifiers(), NOW, blob)
    }

    fn look(&self) {
        let _ = self.table(notified::PRIVATE_IDENTITY.as_bytes());
        self.sip_generated_subscription_status(b"").for_each(drop);
    }

    fn requests() -> Vec<String> {
        vec![register(&pcscf::contact(Some(0)), 3)]
    }
}

impl Tried for ScscfNode {
    const NODE: Kind = Kind(2);

    fn fresh() -> Self {
        Self::new(support::config(), identifiers()).unwrap()
    }

    fn restored(blob: &[u8]) -> Result<Self, RestoreError> {
        Self::restore(support::config(), identifiers(), NOW, blob)
    }

    fn look(&self) {
        for identity in [PUBLIC, TEL] {
            let identity = identity.as_bytes();
            let _ = (self.is_registered(identity), self.subscribers(identity));
            let _ = self.standing(identity);
            self.contacts(identity).for_each(drop);
            self.reachable_contacts(identity).for_each(drop);
        }
    }

    fn requests() -> Vec<String> {
        vec![support::subscribe(), support::register()]
    }
}

fn identifiers() -> Identifiers {
    Identifiers::new([7; 32], 2, 3)
}

/// The user with two contacts of one make, subscribed to, one of the contacts being deregistered.
fn of_pcscf() -> PcscfNode {
    let (mut bed, _) = pcscf::subscribed();
    registers(&mut bed, "other", "sip:[2001:db8::aaa:ccc]:1357");
    bed.lose(CONTACT);
    bed.node
}

/// Somebody registers with a contact of the same make.
fn registers(bed: &mut Bed, instance: &str, contact: &str) {
    let contact = format!("<{contact}>;+sip.instance=\"<{instance}>\";reg-id=1;expires=60000");
    bed.learn(&register(&contact, 2), &register_200(&contact, 2));
}

/// Another user of the same network.
fn with_another(mut bed: Bed) -> PcscfNode {
    let contact = "<sip:[2001:db8::ddd:1]:1357>;+sip.instance=\"<i>\";reg-id=1;expires=60000";
    let [request, response] = [register(contact, 1), register_200(contact, 1)].map(|message| {
        message
            .replace("user1_", "user2_")
            .replace("+1212555", "+1313555")
    });
    bed.learn(&request, &response);
    bed.node
}

fn of_watcher() -> SubscriberNode {
    let mut notified = notified::watcher();
    notified.advance();
    assert!(notified.receive() > 0);
    notified.node
}

/// A set with two contacts and a subscriber, who has been told: it is at rest.
fn of_scscf() -> ScscfNode {
    let mut host = subscribed();
    host.command(Command::PcscfFailed {
        pcscf: b"sip:pcscf9.visited1.example.net",
    });
    host.node
}

/// The same set while a REGISTER that removes a contact is carried out.
fn of_scscf_awake() -> ScscfNode {
    let mut host = subscribed();
    host.deregister();
    host.node
}

fn subscribed() -> Host {
    let mut host = Host::registered();
    host.learn(&Registration {
        call_id: "ue-call-2",
        ..Registration::of("sip:192.0.2.20", "")
    });
    host.subscribe();
    host
}

fn machine(node: &impl Persist) -> Vec<u8> {
    let mut bytes = Vec::new();
    node.write_machine(0, NOW, &mut bytes);
    bytes
}

/// Everything that can be done to the users of a node is done.
fn exercise<N: Tried>(node: &mut N) {
    let mut out = Outbox::<N::Role>::for_steps(1);
    node.look();
    for release in [Release::Current, Release::Previous] {
        node.snapshot_for(release, NOW, &mut Vec::new());
    }
    node.write_key(0, &mut Vec::new());
    let (from, back) = (Source::TrustedCore, TransactionRef(1));
    for request in N::requests() {
        let _ = node.receive(NOW, from, back, request.as_bytes(), &mut out);
        out.clear();
    }
    let mut latest = NOW;
    for _ in 0..32 {
        let Some((at, _)) = node.deadline() else {
            break;
        };
        latest = latest.max(at);
        let _ = node.tick(latest, &mut out);
        out.clear();
    }
    node.look();
    node.let_go(0, &mut out);
}

/// Whether bytes are those of a user. If so, it is written as what is read as the same, and whatever happens to it is
/// borne.
fn is_taken<N: Tried>(bytes: &[u8]) -> bool {
    let mut node = N::fresh();
    match node.read_machine(NOW, bytes) {
        Ok(place) => {
            assert_eq!(place, 0);
            let written = machine(&node);
            if !written.is_empty() {
                let mut other = N::fresh();
                other.read_machine(NOW, &written).unwrap();
                assert!(machine(&other) == written);
            }
            exercise(&mut node);
            true
        }
        Err(RestoreError::Damaged | RestoreError::TooLarge) => {
            assert_eq!(machine(&node), b"");
            false
        }
        Err(other) => panic!("{other:?}"),
    }
}

/// Of every bit that is another, how many leave a user, and how many do not.
fn every_bit<N: Tried>(bytes: &[u8]) -> (u32, u32) {
    let (mut taken, mut refused) = (0, 0);
    for place in 0..bytes.len() * 8 {
        let mut altered = bytes.to_vec();
        altered[place / 8] ^= 1 << (place % 8);
        match is_taken::<N>(&altered) {
            true => taken += 1,
            false => refused += 1,
        }
    }
    (taken, refused)
}

fn cut<N: Tried>(node: &N) {
    let bytes = machine(node);
    for cut in 0..bytes.len() {
        assert!(!is_taken::<N>(&bytes[..cut]), "{cut}");
    }
    assert!(is_taken::<N>(&bytes));
    assert!(!is_taken::<N>(&[&bytes[..], &[0]].concat()));
}

/// [DR-7] A user that is cut short is none, and one that goes on is none.
#[test]
fn users_cut_short() {
    cut(&of_pcscf());
    cut(&of_watcher());
    cut(&of_scscf());
    cut(&of_scscf_awake());
}

/// [DR-7] Whichever bit is another: it is another user, or none. Those in strings and numbers are seen by nobody but a
/// checksum; those in lengths and places are.
#[test]
fn every_bit_of_a_user() {
    let (taken, refused) = every_bit::<PcscfNode>(&machine(&of_pcscf()));
    assert!(taken > 2_000 && refused > 300, "{taken}, {refused}");
    let (taken, refused) = every_bit::<SubscriberNode>(&machine(&of_watcher()));
    assert!(taken > 2_000 && refused > 300, "{taken}, {refused}");
}

/// [DR-7] The same of a set, at rest and awake.
#[test]
fn every_bit_of_a_set() {
    let (resting, awake) = (machine(&of_scscf()), machine(&of_scscf_awake()));
    assert_eq!((resting[0], awake[0]), (1, 0));
    for bytes in [resting, awake] {
        let (taken, refused) = every_bit::<ScscfNode>(&bytes);
        assert!(taken > 2_000 && refused > 300, "{taken}, {refused}");
    }
}

/// Payloads under a checksum that says that all is well.
fn every_bit_of_a_node<N: Tried>(node: &N, format: u16) {
    let mut blob = Vec::new();
    node.snapshot(NOW, &mut blob);
    let (format, payload) = open_any(N::NODE, &[format], &blob).unwrap();
    let restore = |payload: &[u8]| {
        let mut blob = Vec::new();
        seal_written(N::NODE, format, &mut blob, |into| {
            into.extend_from_slice(payload);
        });
        match N::restored(&blob) {
            Ok(mut node) => {
                exercise(&mut node);
                true
            }
            Err(RestoreError::Damaged | RestoreError::TooLarge) => false,
            Err(other) => panic!("{other:?}"),
        }
    };
    assert!(restore(payload));
    for cut in 0..payload.len() {
        assert!(!restore(&payload[..cut]), "{cut}");
    }
    assert!(!restore(&[payload, &payload[4..]].concat()));
    let mut taken = 0;
    for place in 0..payload.len() * 8 {
        let mut altered = payload.to_vec();
        altered[place / 8] ^= 1 << (place % 8);
        taken += u32::from(restore(&altered));
    }
    assert!(taken > 2_000, "{taken}");
}

/// [DR-7] The same in the blob of a node, in which a user refers to what stands with one before it.
#[test]
fn every_bit_of_nodes() {
    let pcscf = with_another(pcscf::subscribed().0);
    every_bit_of_a_node(&pcscf, 3);
    every_bit_of_a_node(&of_watcher(), 2);
}

/// [DR-7] The same of sets, one at rest and one awake.
#[test]
fn every_bit_of_a_node_of_sets() {
    every_bit_of_a_node(&of_scscf(), 3);
    every_bit_of_a_node(&of_scscf_awake(), 3);
}

/// [DR-7] Users in a blob are none of each other's: each in one of its own has all that it needs.
#[test]
fn one_by_one() {
    let node = with_another(pcscf::subscribed().0);
    let mut blob = Vec::new();
    node.snapshot(NOW, &mut blob);
    let mut other = PcscfNode::fresh();
    for place in [0, 1] {
        let mut bytes = Vec::new();
        node.write_machine(place, NOW, &mut bytes);
        assert_eq!(other.read_machine(NOW, &bytes), Ok(place));
        assert_eq!(
            other.read_machine(NOW, &bytes),
            Err(RestoreError::AlreadyHere)
        );
    }
    let mut again = Vec::new();
    other.snapshot(NOW, &mut again);
    assert!(again == blob);
    let mut restored = Vec::new();
    PcscfNode::restored(&blob)
        .unwrap()
        .snapshot(NOW, &mut restored);
    assert!(restored == blob);
}

proptest! {
    /// [DR-7] Parts of a user in any order, and anything between them.
    #[test]
    fn whatever_stands_there(
        cuts in proptest::collection::vec((0usize..900, 0usize..900), 1..6),
        other in proptest::collection::vec(any::<u8>(), 0..12),
        at in 0usize..900,
    ) {
        fn mix(bytes: &[u8], at: usize, other: &[u8], cuts: &[(usize, usize)]) -> Vec<u8> {
            let mut mixed = bytes[..at.min(bytes.len())].to_vec();
            mixed.extend_from_slice(other);
            for &(from, to) in cuts {
                let part = bytes.get(from.min(to)..from.max(to).min(bytes.len()));
                mixed.extend_from_slice(part.unwrap_or_default());
            }
            mixed
        }
        is_taken::<PcscfNode>(&mix(&machine(&of_pcscf()), at, &other, &cuts));
        is_taken::<SubscriberNode>(&mix(&machine(&of_watcher()), at, &other, &cuts));
        is_taken::<ScscfNode>(&mix(&machine(&of_scscf()), at, &other, &cuts));
    }
}
