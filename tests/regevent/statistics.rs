//! What an operator sees, through the whole life of subscriptions.

use super::bed::{
    ANEW, Bed, CONTACT, EXPIRY, NOTIFIER, PRIVATE, PROFILES, PUBLIC, REFRESH, Subscribe, active,
    config, identifiers, registered, registration,
};
use ims_procedures::{
    drive,
    regevent::{
        node::{Config, Registration, SubscriberNode},
        statistics::GeneratedSubscriptionStatus,
        subscriber::{Profile, Routing, Standing},
        trunk_group::{Network, SignallingProfile, TrunkGroup},
    },
};

/// Attempts, successful, active, pending, failed.
fn counts(bed: &Bed, context: &str) -> [u64; 5] {
    let counts = bed
        .node
        .sip_subscription_count_statistics(context.as_bytes());
    counts.named().map(|(_, count)| count)
}

/// Registrar, seconds, state and domain of each row.
fn rows(bed: &Bed, context: &str) -> Vec<(String, u32, &'static str, String)> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    bed.node
        .sip_generated_subscription_status(context.as_bytes())
        .map(|row| {
            assert_eq!(row.package_name, "reg");
            (
                text(row.registrar_ip_address),
                row.ext_expiration_time,
                row.state_name(),
                text(row.domain_name),
            )
        })
        .collect()
}

fn row(bed: &Bed) -> Option<(u32, &'static str)> {
    let rows = rows(bed, "");
    assert!(rows.len() <= 1);
    rows.first().map(|row| (row.1, row.2))
}

/// Trunk groups `g1` and `g2` of the address contexts `a1` and `a2`.
fn in_contexts(profile: Profile) -> Config {
    let mut config = config(profile);
    let mut enabled = SignallingProfile::new(b"p");
    enabled.support_reg_event = true;
    config.subscription.trunk_groups.profiles = vec![enabled];
    config.subscription.trunk_groups.groups = ["1", "2"]
        .map(|n| TrunkGroup {
            name: format!("g{n}").into(),
            profile: b"p".to_vec(),
            address_context: format!("a{n}").into(),
            destination: b"core".to_vec(),
            network: Network::Home,
        })
        .to_vec();
    config
}

/// [RE-11] The exact names of what is counted and displayed, in the order of the display (S2 L6–9).
#[test]
fn names() {
    let bed = Bed::new(config(Profile::Sbc));
    let named = bed.node.sip_subscription_count_statistics(b"").named();
    assert_eq!(
        named.map(|(name, _)| name),
        [
            "sipSubscriptionCountAttempts",
            "sipSubscriptionCountSuccessful",
            "sipSubscriptionCountActive",
            "sipSubscriptionCountPending",
            "sipSubscriptionCountFailed",
        ]
    );
    assert_eq!(named.map(|(_, count)| count), [0; 5]);
    assert_eq!(
        GeneratedSubscriptionStatus::NAMES,
        [
            "id",
            "packageName",
            "registrarIpAddress",
            "extExpirationTime",
            "subscriptionState",
            "domainName",
        ]
    );
}

/// [RE-11] Through a life: sought, sent, accepted, notified, refreshed, ended by us.
#[test]
fn a_life() {
    for profile in PROFILES {
        let mut config = config(profile);
        config.subscription.routing = Routing::Question;
        let mut bed = Bed::new(config);
        assert_eq!((counts(&bed, ""), row(&bed)), ([0; 5], None));
        let out = bed.learn(registration(3_600));
        let super::bed::Out::Ask(asked) = &out[0] else {
            panic!("{out:?}");
        };
        assert_eq!(
            (counts(&bed, ""), row(&bed)),
            ([1, 0, 0, 1, 0], Some((0, "pending")))
        );
        let first = Subscribe::only(&bed.route(asked, "<sip:192.0.2.1:5060>", ""));
        assert_eq!(counts(&bed, ""), [1, 0, 0, 1, 0]);
        assert_eq!(rows(&bed, "")[0].0, "192.0.2.1", "the next hop");
        bed.respond(&first, 200, &format!("{NOTIFIER}Expires: 3000\r\n"));
        assert_eq!(
            (counts(&bed, ""), row(&bed)),
            ([1, 0, 0, 1, 0], Some((3_000, "pending")))
        );
        assert_eq!(
            rows(&bed, "")[0].0,
            "scscf1.home1.example.net",
            "its Contact"
        );
        bed.notified(&first.notify(1, "active;expires=2500", ""));
        assert_eq!(
            (counts(&bed, ""), row(&bed)),
            ([1, 1, 1, 0, 0], Some((2_500, "active")))
        );
        let refresh = Subscribe::only(&bed.fire(REFRESH));
        assert_eq!(
            (counts(&bed, ""), row(&bed)),
            ([1, 1, 1, 0, 0], Some((2_500, "active")))
        );
        bed.respond(&refresh, 200, "Expires: 2400\r\n");
        bed.notified(&refresh.notify(2, "pending", ""));
        assert_eq!(
            (counts(&bed, ""), row(&bed)),
            ([1, 1, 0, 1, 0], Some((2_400, "pending")))
        );
        bed.notified(&refresh.notify(3, "active", ""));
        assert_eq!(
            (counts(&bed, ""), row(&bed)),
            ([1, 1, 1, 0, 0], Some((2_400, "active")))
        );
        bed.deregistering("");
        let leave = bed.deregistered("");
        assert_eq!(
            (counts(&bed, ""), row(&bed)),
            ([1, 1, 0, 0, 0], Some((2_400, "terminating")))
        );
        drop(leave);
        bed.notified(&refresh.notify(4, "terminated;reason=timeout", ""));
        assert_eq!((counts(&bed, ""), row(&bed)), ([1, 1, 0, 0, 0], None));
    }
}

/// [RE-11] What comes to nothing is failed, once; what was accepted and is lost later is not.
#[test]
fn failures() {
    for profile in PROFILES {
        let (mut bed, first) = registered(config(profile), 3_600);
        bed.respond(&first, 500, "");
        assert_eq!((counts(&bed, ""), row(&bed)), ([1, 0, 0, 0, 1], None));
        let (mut bed, first) = registered(config(profile), 3_600);
        bed.answer(first.token, drive::Answer::Timeout);
        assert_eq!(counts(&bed, ""), [1, 0, 0, 0, 1]);
        let (mut bed, first) = registered(config(profile), 3_600);
        bed.notified(&first.notify(1, "terminated;reason=rejected", ""));
        assert_eq!(counts(&bed, ""), [1, 0, 0, 0, 1]);
        let (mut bed, first) = active(profile);
        bed.notified(&first.notify(2, "terminated;reason=rejected", ""));
        assert_eq!((counts(&bed, ""), row(&bed)), ([1, 1, 0, 0, 0], None));
        let (mut bed, first) = registered(config(profile), 3_600);
        bed.deregistering("");
        bed.deregistered("");
        bed.respond(&first, 404, "");
        assert_eq!(counts(&bed, ""), [1, 0, 0, 0, 1]);
    }
}

/// [RE-11] An attempt whose first NOTIFY says terminated has failed, also where another will follow.
#[test]
fn a_failure_that_is_made_anew() {
    let (mut bed, first) = registered(config(Profile::Rfc6665), 3_600);
    bed.notified(&first.notify(1, "terminated;reason=deactivated", ""));
    assert_eq!(
        (counts(&bed, ""), row(&bed)),
        ([1, 0, 0, 1, 1], Some((0, "waiting")))
    );
    bed.respond(&first, 200, "Expires: 3660\r\n");
    let anew = Subscribe::only(&bed.fire(ANEW));
    bed.respond(&anew, 200, "Expires: 3660\r\n");
    bed.notified(&anew.notify(1, "active", ""));
    assert_eq!(counts(&bed, ""), [2, 1, 1, 0, 1]);
}

/// [RE-11] A 423 that is followed is still the one attempt.
#[test]
fn one_attempt() {
    let (mut bed, first) = registered(config(Profile::Rfc6665), 3_600);
    let second = Subscribe::only(&bed.respond(&first, 423, "Min-Expires: 9000\r\n"));
    assert_eq!(counts(&bed, ""), [1, 0, 0, 1, 0]);
    bed.respond(&second, 200, "Expires: 9000\r\n");
    bed.notified(&second.notify(1, "active", ""));
    assert_eq!(counts(&bed, ""), [1, 1, 1, 0, 0]);
}

/// [RE-11] One that is lost and waits is displayed as waiting and counted as pending; made anew, it is another
/// attempt.
#[test]
fn waiting() {
    let (mut bed, first) = active(Profile::Rfc6665);
    bed.notified(&first.notify(2, "terminated;reason=probation;retry-after=9", ""));
    assert_eq!(
        (counts(&bed, ""), row(&bed)),
        ([1, 1, 0, 1, 0], Some((3_660, "waiting")))
    );
    let anew = Subscribe::only(&bed.fire(ANEW));
    assert_eq!(
        (counts(&bed, ""), row(&bed)),
        ([2, 1, 0, 1, 0], Some((0, "pending")))
    );
    bed.respond(&anew, 404, "");
    assert_eq!((counts(&bed, ""), row(&bed)), ([2, 1, 0, 0, 1], None));

    let (mut bed, _) = super::bed::active_for(config(Profile::Rfc6665), 40);
    let refresh = Subscribe::only(&bed.fire(REFRESH));
    bed.fire(EXPIRY);
    assert_eq!(
        (counts(&bed, ""), row(&bed)),
        ([1, 1, 0, 1, 0], Some((40, "waiting")))
    );
    bed.respond(&refresh, 200, "Expires: 100\r\n");
    bed.notified(&refresh.notify(2, "active", ""));
    assert_eq!(
        (counts(&bed, ""), row(&bed)),
        ([1, 1, 1, 0, 0], Some((100, "active")))
    );
}

/// [RE-11] Each address context has its own; registrations over no named group have that of the empty name, and an
/// unknown one has nothing.
#[test]
fn address_contexts() {
    for profile in PROFILES {
        let mut bed = Bed::new(in_contexts(profile));
        let mut learn = |private: &'static str, group: &'static str| {
            let registration = Registration {
                private_identity: private.as_bytes(),
                trunk_group: group.as_bytes(),
                ..registration(3_600)
            };
            Subscribe::only(&bed.learn(registration))
        };
        let (one, _two) = (learn("private1", "g1"), learn("private2", "g2"));
        let (three, four) = (learn("private3", "g2"), learn("private4", ""));
        bed.respond(&one, 200, NOTIFIER);
        bed.notified(&one.notify(1, "active", ""));
        bed.respond(&three, 404, "");
        bed.respond(&four, 200, NOTIFIER);
        assert_eq!(counts(&bed, "a1"), [1, 1, 1, 0, 0]);
        assert_eq!(counts(&bed, "a2"), [2, 0, 0, 1, 1]);
        assert_eq!(counts(&bed, ""), [1, 0, 0, 1, 0]);
        assert_eq!(counts(&bed, "a3"), [0; 5]);
        for (context, states) in [
            ("a1", vec!["active"]),
            ("a2", vec!["pending"]),
            ("a3", vec![]),
        ] {
            let found: Vec<_> = rows(&bed, context).iter().map(|row| row.2).collect();
            assert_eq!(found, states);
        }
    }
}

/// [RE-11] Every row has a number of its own.
#[test]
fn numbers() {
    let mut bed = Bed::new(config(Profile::Sbc));
    for private in ["private1", "private2", "private3"] {
        bed.learn(Registration {
            private_identity: private.as_bytes(),
            ..registration(3_600)
        });
    }
    let rows = bed.node.sip_generated_subscription_status(b"");
    let mut numbers: Vec<u32> = rows.map(|row| row.id).collect();
    numbers.dedup();
    assert_eq!(numbers.len(), 3);
}

/// [RE-11] The registrar and the domain, whatever their form; none of a `tel` URI.
#[test]
fn hosts() {
    for (contact, registrar) in [
        ("sip:n@192.0.2.7:5060;lr", "192.0.2.7"),
        ("sip:[2001:db8::1]:5060", "2001:db8::1"),
        ("sips:SCSCF.example.net", "SCSCF.example.net"),
        ("sip:a%40b@h.example.net?x=y", "h.example.net"),
        ("tel:+1234", ""),
    ] {
        let (mut bed, first) = registered(config(Profile::Sbc), 3_600);
        let contact = format!("Contact: <{contact}>\r\nExpires: 3660\r\n");
        bed.respond(&first, 200, &contact);
        assert_eq!(rows(&bed, "")[0].0, registrar);
    }
    for (resource, domain) in [
        (PUBLIC, "home1.example.net"),
        ("sip:u@HOME.example:5060;user=phone", "HOME.example"),
        ("sip:home.example", "home.example"),
        ("tel:+12125551111", ""),
    ] {
        let mut bed = Bed::new(config(Profile::Sbc));
        bed.learn(Registration {
            public_identity: resource.as_bytes(),
            ..registration(3_600)
        });
        assert_eq!(
            rows(&bed, "")[0],
            (String::new(), 0, "pending", domain.to_owned())
        );
    }
}

/// [DR-9] A row shows nobody in its `Debug`.
#[test]
fn debug_shows_nobody() {
    let (bed, _) = active(Profile::Sbc);
    let row = bed.node.sip_generated_subscription_status(b"").next();
    let shown = format!("{:?}", row.unwrap());
    assert!(shown.contains("3660"));
    assert!(!shown.contains("home1"), "{shown}");
}

/// [DR-7] [RE-11] A restore sets back what was counted, and nothing else: what is active, pending or leaving is, and
/// has its row.
#[test]
fn restored() {
    for profile in PROFILES {
        let mut bed = Bed::new(in_contexts(profile));
        let user = |private: &'static str| Registration {
            private_identity: private.as_bytes(),
            trunk_group: b"g1",
            ..registration(3_600)
        };
        let one = Subscribe::only(&bed.learn(user("private1")));
        bed.respond(&one, 200, NOTIFIER);
        bed.notified(&one.notify(1, "active;expires=3000", ""));
        bed.learn(user("private2"));
        let before = rows(&bed, "a1");
        assert_eq!(counts(&bed, "a1"), [2, 1, 1, 1, 0]);
        bed.node =
            SubscriberNode::restore(in_contexts(profile), identifiers(2), bed.now, &bed.blob())
                .unwrap();
        assert_eq!(counts(&bed, "a1"), [0, 0, 1, 1, 0]);
        assert_eq!(rows(&bed, "a1"), before);
        assert_eq!(counts(&bed, ""), [0; 5]);
    }
}

/// [RE-11] How one stands, asked by the private identity.
#[test]
fn standings() {
    let mut bed = Bed::new(config(Profile::Sbc));
    assert_eq!(bed.standing(), Standing::None);
    let first = Subscribe::only(&bed.learn(registration(3_600)));
    assert_eq!(bed.standing(), Standing::Pending);
    assert_eq!(bed.node.standing(b"another"), Standing::None);
    bed.respond(&first, 200, NOTIFIER);
    bed.notified(&first.notify(1, "active", ""));
    assert_eq!(bed.node.standing(PRIVATE.as_bytes()), Standing::Active);
    bed.deregistering(CONTACT);
    assert_eq!(bed.standing(), Standing::Terminating);
}
