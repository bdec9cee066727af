//! Messages of the kinds that were reported to crash other SIP servers (T70).
//! `tests/fixtures/known_crashes/README.md` tells what is in each.

use std::collections::BTreeSet;

use ims_procedures::{
    drive::{Defect, Identifiers, Millis, Node, Outbox, Source, TransactionRef},
    pcscf::{self, PcscfNode},
    regevent::{
        node::{self, SubscriberNode},
        subscriber,
    },
    scscf::{self, ScscfNode},
    wire::{Element, defect},
};

use crate::support::{fixture, fixture_files, read, read_all};

/// What each is refused for; `None`: it is read to the last value.
const CASES: [(&str, Option<&Defect>); 6] = [
    ("cve_2018_14767", Some(&defect::TAG)),
    ("cve_2018_16657", Some(&defect::SENT_BY)),
    ("cve_2023_28098", Some(&defect::AUTHORIZATION)),
    ("kamailio_2503", Some(&defect::UNCLOSED_ANGLE)),
    ("kamailio_4204", Some(&defect::UNCLOSED_ANGLE)),
    ("kamailio_4920", None),
];

fn own(name: &str) -> Vec<u8> {
    fixture(&format!("known_crashes/{name}.sip"))
}

/// [DR-4] (T70) Each is read, or refused for its defect.
#[test]
fn each_ends_as_decided() {
    let names = fixture_files("known_crashes");
    let names: BTreeSet<_> = names
        .iter()
        .map(|path| path.file_stem().unwrap().to_str().unwrap())
        .collect();
    assert_eq!(names, CASES.iter().map(|(name, _)| *name).collect());
    for (name, expected) in CASES {
        let defect = read(&own(name)).err().map(|reject| reject.defect);
        assert_eq!(defect, expected, "{name}");
    }
}

/// [DR-4] (T70) Every node takes each of them, whole and broken off at any byte: nothing panics, and nobody is
/// registered or subscribed to by it.
#[test]
fn every_node_lives() {
    let element = Element::new(b"sip:element.example.net", b"example.net").unwrap();
    let identifiers = || Identifiers::new([7; 32], 1, 3);
    let mut pcscf = PcscfNode::new(
        pcscf::Config::new(element.clone(), b"example.net"),
        identifiers(),
    )
    .unwrap();
    let mut scscf = ScscfNode::new(scscf::Config::new(element.clone()), identifiers()).unwrap();
    let subscribing = node::Config::new(subscriber::Config::new(element));
    let mut subscriber = SubscriberNode::new(subscribing, identifiers()).unwrap();
    for (name, _) in CASES {
        let whole = own(name);
        for end in 0..=whole.len() {
            let bytes = &whole[..end];
            read_all(bytes);
            let from = match end % 2 {
                0 => Source::TrustedCore,
                _ => Source::Ue,
            };
            receive(&mut pcscf, from, bytes);
            receive(&mut scscf, from, bytes);
            receive(&mut subscriber, from, bytes);
        }
    }
    assert_eq!((pcscf.registrations(), subscriber.users()), (0, 0));
    assert!(!scscf.is_registered(b"sip:user1_public1@home1.example.net"));
}

fn receive<N: Node>(node: &mut N, from: Source, bytes: &[u8]) {
    let mut out = Outbox::for_steps(1);
    node.receive(Millis(1_000), from, TransactionRef(1), bytes, &mut out)
        .unwrap();
}
