//! The S-CSCF, through its doors, on bytes.
#![allow(unreachable_pub)]

#[path = "scscf/audit.rs"]
mod audit;
#[path = "scscf/blobs.rs"]
mod blobs;
#[path = "scscf/crossing.rs"]
mod crossing;
#[path = "scscf/crossing_network.rs"]
mod crossing_network;
#[path = "scscf/documents.rs"]
mod documents;
#[path = "scscf/draining.rs"]
mod draining;
#[path = "common/fixture.rs"]
mod fixture;
#[path = "scscf/network.rs"]
mod network;
#[path = "scscf/profile.rs"]
mod profile;
#[path = "scscf/properties.rs"]
mod properties;
#[path = "scscf/recognition.rs"]
mod recognition;
#[path = "scscf/recognition_table.rs"]
mod recognition_table;
#[path = "scscf/reference.rs"]
mod reference;
#[path = "scscf/registration.rs"]
mod registration;
#[path = "scscf/removal.rs"]
mod removal;
#[path = "scscf/resting.rs"]
mod resting;
#[path = "scscf/restoration.rs"]
mod restoration;
#[path = "scscf/restoring.rs"]
mod restoring;
#[path = "scscf/stored.rs"]
mod stored;
#[path = "scscf/stored_drain.rs"]
mod stored_drain;
#[path = "scscf/subscribing.rs"]
mod subscribing;
#[path = "scscf/support.rs"]
mod support;
#[path = "scscf/waiting.rs"]
mod waiting;
#[path = "scscf/watched.rs"]
mod watched;

use ims_procedures::{
    regevent::notifier::End,
    scscf::{Answer, Assignment, Cause, Dialogs, Outcome},
};
use support::*;

/// [SD-2, SD-4, RN-2, RN-4] The first light: a P-CSCF deregisters a user, from the SUBSCRIBE to the last
/// application server, in the bytes of the fixtures.
#[test]
fn first_light() {
    // The fixtures' network bears a NOTIFY in one datagram.
    let mut config = config();
    config.notifier.element = config.notifier.element.with_udp_limit(4_000);
    let mut host = Host::registered_with(config);
    let mut values = values();

    let outs = host.receive(fixture::fill("subscribe", &values));
    let [accepted, subscribed, notify] = outs.try_into().unwrap();
    fixture::matches("subscribe_200", accepted.bytes().as_bytes(), &mut values);
    assert!(matches!(
        subscribed,
        Out::Event(Ev::Subscribed { expires: 3660, .. })
    ));
    assert!(notify.bytes().contains("\r\nCSeq: 1 NOTIFY\r\n"));
    assert!(
        notify
            .bytes()
            .contains("\r\nSubscription-State: active;expires=3660\r\n")
    );
    assert!(notify.bytes().contains(" version=\"0\" state=\"full\">"));
    assert!(host.respond(&notify, 200).is_empty());

    let outs = host.receive(fixture::fill("register", &values));
    let [release] = outs.try_into().unwrap();
    let Out::Ask {
        ask:
            Ask::DialogRelease {
                contacts,
                status,
                private,
                ..
            },
        ..
    } = &release
    else {
        panic!("{release:?}");
    };
    assert_eq!(
        (contacts.as_str(), *status),
        (format!("<{CONTACT}>").as_str(), 480)
    );
    assert_eq!(private, PRIVATE);

    let [assignment] = host.answer(&release, Answer::Released).try_into().unwrap();
    let Out::Ask {
        ask:
            Ask::ServerAssignment {
                code,
                private,
                public,
                ..
            },
        ..
    } = &assignment
    else {
        panic!("{assignment:?}");
    };
    assert_eq!((*code, private.as_str()), (5, PRIVATE));
    assert_eq!(*public, format!("<{PUBLIC}>,<{TEL}>"));

    let assigned = Answer::Assigned {
        application_servers: SERVER,
    };
    let [ok] = host.answer(&assignment, assigned).try_into().unwrap();
    fixture::matches("register_200", ok.bytes().as_bytes(), &mut values);

    let [notify, third_party] = host.ticks().try_into().unwrap();
    fixture::matches("notify", notify.bytes().as_bytes(), &mut values);
    let Out::Request { hops, .. } = &notify else {
        panic!()
    };
    assert_eq!(hops, &["sip:subscriber-1@pcscf1.visited1.example.net:5070"]);
    fixture::matches(
        "third_party_register",
        third_party.bytes().as_bytes(),
        &mut values,
    );
    let Out::Request { hops, .. } = &third_party else {
        panic!()
    };
    assert_eq!(hops, &["sip:as1.home1.example.net:5090"]);

    let answer = fixture::fill("notify_200", &values);
    let answer = ims_procedures::drive::Answer::Response(&answer);
    let ended = host.try_answer(notify.token(), answer).unwrap();
    assert_eq!(ended, [Out::Event(Ev::Ended(End::NoResource))]);

    let done = host.respond(&third_party, 200);
    let outcome = Outcome {
        dialogs: Dialogs::Released,
        assignment: Assignment::Assigned,
        servers_told: 1,
        servers_failed: 0,
    };
    let deregistered = Ev::Deregistered {
        private: PRIVATE.into(),
        public: PUBLIC.into(),
        contacts: format!("<{CONTACT}>"),
        cause: Cause::Pcscf,
        outcome,
    };
    assert_eq!(done, [Out::Event(deregistered)]);

    assert!(!host.node.is_registered(PUBLIC.as_bytes()));
    assert!(host.run(64_000).is_empty());
    assert_eq!(host.node.sets(), 0, "nothing is left");
    let counters = host.node.counters();
    assert_eq!(
        (counters.removed_by_pcscf, counters.pcscf_initiated),
        (1, 1)
    );
    assert_eq!((counters.servers_told, counters.subscribes), (1, 1));
}
