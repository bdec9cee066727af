//! Which registrations are subscribed to, and how many of them share a subscription.

use super::bed::{
    Bed, CONTACT, NOTIFIER, PRIVATE, PROFILES, REFRESH, Subscribe, active, config, element, ended,
    is_gone, learn, registered, registration,
};
use ims_procedures::{
    drive::{Limits, Misuse, Node, Verdict},
    regevent::{
        node::{Command, Config, Registration, SubscriberNode},
        subscriber::{self, End, Profile, Standing},
        trunk_group::{Network, SignallingProfile, TrunkGroup, TrunkGroups},
    },
};

fn group(name: &str, profile: &str) -> TrunkGroup {
    TrunkGroup {
        name: name.into(),
        profile: profile.into(),
        address_context: b"a".to_vec(),
        destination: b"core".to_vec(),
        network: Network::Home,
    }
}

fn profile(name: &str, support_reg_event: bool) -> SignallingProfile {
    let mut profile = SignallingProfile::new(name.as_bytes());
    profile.support_reg_event = support_reg_event;
    profile
}

/// Groups `on` and `off`, whose profiles have the flag and not.
fn grouped(otherwise: bool) -> Config {
    let mut config = Config::new(subscriber::Config::new(element()));
    config.subscription.support_reg_event = otherwise;
    config.subscription.trunk_groups = TrunkGroups {
        profiles: vec![profile("with", true), profile("without", false)],
        groups: vec![group("on", "with"), group("off", "without")],
    };
    config
}

fn of(private_identity: &'static str, flow: &'static str) -> Registration<'static> {
    Registration {
        private_identity: private_identity.as_bytes(),
        flow: flow.as_bytes(),
        ..registration(3_600)
    }
}

fn over(trunk_group: &'static str) -> Registration<'static> {
    Registration {
        trunk_group: trunk_group.as_bytes(),
        ..registration(3_600)
    }
}

/// [RE-1] The flag of the group's profile decides, whatever holds for those over no named group, and the other way
/// round.
#[test]
fn the_flag() {
    for otherwise in [false, true] {
        for (name, is_subscribed) in [("on", true), ("off", false), ("", otherwise)] {
            let mut bed = Bed::new(grouped(otherwise));
            let (verdict, out) = bed.command(learn(over(name))).unwrap();
            assert_eq!(out.len(), usize::from(is_subscribed), "{name}");
            let expected = if is_subscribed {
                Verdict::Handled
            } else {
                Verdict::NotMine
            };
            assert_eq!(verdict, expected);
            assert_eq!(bed.node.users(), usize::from(is_subscribed));
        }
    }
}

/// [RE-1] A trunk group that is not configured is the host's mistake, and changes nothing.
#[test]
fn unknown_group() {
    for name in ["ON", "on ", "neither"] {
        let mut bed = Bed::new(grouped(true));
        let refused = bed.command(learn(over(name)));
        assert_eq!(refused, Err(Misuse::NoSuchThing));
        assert_eq!((bed.node.users(), bed.take()), (0, vec![]));
    }
}

/// [RE-1] What cannot be configured: names that are empty, too long, given twice or hold controls, and a group whose
/// profile is not there.
#[test]
fn groups_that_cannot_be() {
    let at_most = "n".repeat(64);
    let too_long = "n".repeat(65);
    let with = |groups: Vec<TrunkGroup>, profiles: Vec<SignallingProfile>| TrunkGroups {
        profiles,
        groups,
    };
    let many = |count: usize| {
        let groups = (0..count).map(|n| group(&n.to_string(), "p")).collect();
        with(groups, vec![profile("p", true)])
    };
    let mut context = group("g", "p");
    context.address_context = too_long.clone().into();
    let mut destination = group("g", "p");
    destination.destination = too_long.clone().into();
    for (trunk_groups, works) in [
        (
            with(vec![group(&at_most, "p")], vec![profile("p", true)]),
            true,
        ),
        (
            with(vec![group(&too_long, "p")], vec![profile("p", true)]),
            false,
        ),
        (with(vec![group("", "p")], vec![profile("p", true)]), false),
        (
            with(vec![group("a\tb", "p")], vec![profile("p", true)]),
            false,
        ),
        (
            with(
                vec![group("g", "p"), group("g", "p")],
                vec![profile("p", true)],
            ),
            false,
        ),
        (
            with(
                vec![group("g", "p")],
                vec![profile("p", true), profile("p", false)],
            ),
            false,
        ),
        (with(vec![group("g", "q")], vec![profile("p", true)]), false),
        (with(vec![], vec![profile("", true)]), false),
        (with(vec![context], vec![profile("p", true)]), false),
        (with(vec![destination], vec![profile("p", true)]), false),
        (many(4_096), true),
        (many(4_097), false),
    ] {
        let mut config = grouped(false);
        config.subscription.trunk_groups = trunk_groups;
        assert_eq!(config.check().is_ok(), works);
    }
}

/// [RE-1] Emergency registrations are not subscribed to, and the user is not even held; nor are implicit ones,
/// unless the option says so.
#[test]
fn emergency_and_implicit() {
    for profile in PROFILES {
        for option in [false, true] {
            let mut config = config(profile);
            config.subscription.subscribe_for_implicit = option;
            for (emergency, implicit, is_subscribed) in [
                (false, false, true),
                (true, false, false),
                (true, true, false),
                (false, true, option),
            ] {
                let mut bed = Bed::new(config.clone());
                let registration = Registration {
                    emergency,
                    implicit,
                    ..registration(3_600)
                };
                let (_, out) = bed.command(learn(registration)).unwrap();
                assert_eq!(out.len(), usize::from(is_subscribed));
                assert_eq!(bed.node.users(), usize::from(is_subscribed));
            }
        }
    }
}

/// [RE-2] Several flows of a private identity share one subscription, and the last one's end ends it.
#[test]
fn flows_share_one() {
    for profile in PROFILES {
        let (mut bed, _) = active(profile);
        assert_eq!(bed.learn(of(PRIVATE, "second")), []);
        assert_eq!(bed.learn(of(PRIVATE, "third")), []);
        assert_eq!(bed.deregistering(CONTACT), []);
        assert_eq!(bed.deregistered(CONTACT), []);
        assert_eq!(bed.deregistered("none of them"), []);
        assert_eq!(bed.deregistered("third"), []);
        assert_eq!(bed.standing(), Standing::Active);
        let leave = match profile {
            Profile::Sbc => Subscribe::only(&bed.deregistering("second")),
            _ => {
                assert_eq!(bed.deregistering("second"), []);
                Subscribe::only(&bed.deregistered("second"))
            }
        };
        assert_eq!(leave.expires(), 0);
        bed.deregistered("second");
        let out = bed.notified(&leave.notify(2, "terminated", ""));
        assert_eq!(out, ended(End::Unsubscribed));
        assert_eq!(bed.node.users(), 0);
    }
}

/// [RE-2] All flows at once.
#[test]
fn all_flows_end() {
    for profile in PROFILES {
        let (mut bed, _) = active(profile);
        bed.learn(of(PRIVATE, "second"));
        let mut out = bed.deregistering("");
        out.extend(bed.deregistered(""));
        assert_eq!(Subscribe::only(&out).expires(), 0);
    }
}

/// [RE-2] Users have a subscription each, also where they share the public identity.
#[test]
fn one_for_each_private_identity() {
    let (mut bed, first) = registered(config(Profile::Sbc), 3_600);
    let second = Subscribe::only(&bed.learn(of("user2_private@home1.example.net", CONTACT)));
    assert_ne!(second.call_id(), first.call_id());
    assert_eq!(second.line("To:"), first.line("To:"));
    assert_eq!(bed.node.users(), 2);
    assert_eq!(bed.deregistered("").len(), 0, "its SUBSCRIBE is out");
    let leave = Subscribe::only(&bed.respond(&first, 200, NOTIFIER));
    assert_eq!((leave.call_id(), leave.expires()), (first.call_id(), 0));
}

/// [RE-2] A subscription that is lost is made again by a re-registration with the option, and not without (S2 L13);
/// by the next initial registration in any case.
#[test]
fn after_a_loss() {
    for profile in PROFILES {
        for (option, flow) in [
            (false, CONTACT),
            (false, "other"),
            (true, CONTACT),
            (true, "other"),
        ] {
            let mut config = config(profile);
            config.subscription.subscribe_at_reregistration = option;
            let (mut bed, first) = registered(config, 3_600);
            bed.respond(&first, 403, "");
            let out = bed.learn(of(PRIVATE, flow));
            assert_eq!(out.len(), usize::from(option));
            if option {
                bed.respond(&Subscribe::only(&out), 403, "");
            }
            bed.deregistered("");
            assert_eq!(bed.node.users(), 0);
            Subscribe::only(&bed.learn(of(PRIVATE, CONTACT)));
        }
    }
}

/// [RE-2] The user registers anew while the old subscription is still being ended, or after the network ended
/// everything: another subscription takes its place. The host is told of the end of the first (T31), and what was
/// sought and never accepted counts as failed (RE-11).
#[test]
fn registered_again_while_leaving() {
    for profile in PROFILES {
        for by_network in [false, true] {
            let (mut bed, first) = active(profile);
            if by_network {
                bed.notified(&first.notify(2, "active;expires=3000", &is_gone(0)));
            } else {
                bed.deregistering("");
                bed.deregistered("");
            }
            assert_eq!(bed.standing(), Standing::Terminating);
            let out = bed.learn(registration(1_000));
            assert_eq!(out[..1], ended(End::Replaced));
            let second = Subscribe::only(&out[1..]);
            assert_ne!(second.call_id(), first.call_id());
            assert_eq!(second.expires(), 1_060);
            assert_eq!(
                bed.notify(&first.notify(3, "terminated", "")),
                (481, vec![])
            );
            bed.respond(&second, 200, "Expires: 1060\r\n");
            bed.notified(&second.notify(1, "active", ""));
            assert_eq!(bed.next(), Some((530_000, REFRESH)));
            let counts = bed.node.sip_subscription_count_statistics(b"");
            assert_eq!((counts.attempts, counts.active, counts.pending), (2, 1, 0));
        }

        let (mut bed, _) = registered(config(profile), 3_600);
        bed.deregistered("");
        let out = bed.learn(registration(3_600));
        assert_eq!(out[..1], ended(End::Replaced));
        Subscribe::only(&out[1..]);
        let counts = bed.node.sip_subscription_count_statistics(b"");
        assert_eq!((counts.attempts, counts.pending, counts.failed), (2, 1, 1));
    }
}

/// [DR-5] [RE-2] Contacts of a user, and users, at the limit and one past. What fits afterwards is taken.
#[test]
fn limits() {
    let limited = |set: fn(&mut Limits)| {
        let mut config = config(Profile::Sbc);
        set(&mut config.limits);
        Bed::new(config)
    };
    let mut bed = limited(|limits| limits.contacts = 2);
    bed.learn(of(PRIVATE, "1"));
    bed.learn(of(PRIVATE, "2"));
    bed.learn(of(PRIVATE, "2"));
    let past = bed.command(learn(of(PRIVATE, "3")));
    assert_eq!(past, Err(Misuse::TooLarge { limit: "contacts" }));
    bed.deregistered("1");
    bed.learn(of(PRIVATE, "3"));

    let mut bed = limited(|limits| limits.users = 1);
    bed.learn(of("one", "1"));
    assert_eq!(bed.command(learn(of("two", "1"))), Err(Misuse::NodeFull));
    bed.learn(of("one", "2"));
    assert_eq!(bed.node.users(), 1);
}

/// [DR-5] [RE-2] The bytes that are kept of a registration, at the limit and one past: those of the subscription,
/// and those of the user. What is past it changes nothing.
#[test]
fn registration_bytes() {
    let resource = |length: usize| format!("sip:{}@h", "u".repeat(length - 6));
    let route = |length: usize| format!("<sip:{}>", "r".repeat(length - 6));
    let flow = |length: usize| "f".repeat(length - "one".len());
    for (resource, route, flow, fits) in [
        (resource(200), route(100), flow(300), true),
        (resource(201), route(100), flow(10), false),
        (resource(200), route(101), flow(10), false),
        (resource(10), route(10), flow(301), false),
    ] {
        let mut config = config(Profile::Sbc);
        config.limits.registration_bytes = 300;
        let mut bed = Bed::new(config);
        let large = Registration {
            private_identity: b"one",
            public_identity: resource.as_bytes(),
            flow: flow.as_bytes(),
            service_route: route.as_bytes(),
            ..registration(3_600)
        };
        let blob = bed.blob();
        let found = bed.command(learn(large));
        if fits {
            Subscribe::only(&found.unwrap().1);
            continue;
        }
        let limit = "registration_bytes";
        assert_eq!(found, Err(Misuse::TooLarge { limit }));
        assert_eq!(bed.blob(), blob);
        Subscribe::only(&bed.learn(of("one", CONTACT)));
    }
}

/// [RE-2] An identity that is no URI, or a Service-Route of no addresses, is the host's mistake: nothing changes,
/// and nothing of it reaches a header.
#[test]
fn unusable_identities() {
    for (resource, route) in [
        ("", ""),
        ("nobody", ""),
        ("sip:a@h\r\nX: y", ""),
        ("sip:a b@h", ""),
        ("sip:a@h>", ""),
        ("sip:a@h", "<sip:a"),
        ("sip:a@h", "<sip:a>\r\nX: y"),
    ] {
        let mut bed = Bed::new(config(Profile::Sbc));
        let registration = Registration {
            public_identity: resource.as_bytes(),
            service_route: route.as_bytes(),
            ..registration(3_600)
        };
        let refused = bed.command(learn(registration));
        assert!(
            matches!(refused, Err(Misuse::BadCommand(_))),
            "{resource:?}"
        );
        assert_eq!(bed.node.users(), 0);
        Subscribe::only(&bed.learn(super::bed::registration(3_600)));
    }
}

/// [DR-10] A configuration that is replaced holds for what comes: a subscription that runs goes on, and what the
/// new one does not allow is not begun. One that cannot work leaves the old.
#[test]
fn reconfigured() {
    let (mut bed, _) = active(Profile::Sbc);
    let mut other = config(Profile::Rfc6665);
    other.subscription.support_reg_event = false;
    other.subscription.refresh_retry = 27_000;
    bed.node.reconfigure(other.clone()).unwrap();
    let refresh = Subscribe::only(&bed.fire(REFRESH));
    assert_eq!(bed.respond(&refresh, 500, ""), []);
    assert_eq!(bed.next(), Some((27_000, REFRESH)));
    let (verdict, _) = bed.command(learn(of("two", "1"))).unwrap();
    assert_eq!(verdict, Verdict::NotMine);
    for broken in [
        |config: &mut Config| config.subscription.timer_n = 0,
        |config: &mut Config| config.subscription.routing_bound = 0,
        |config: &mut Config| config.subscription.refresh_retry = 0,
        |config: &mut Config| config.subscription.resubscribe_interval = 0,
        |config: &mut Config| config.limits.users = 1 << 24,
        |config: &mut Config| config.limits.message_bytes = 65_536,
        |config: &mut Config| config.limits.registration_bytes = 16_385,
    ] {
        let mut config = other.clone();
        broken(&mut config);
        assert!(bed.node.reconfigure(config.clone()).is_err());
        assert!(SubscriberNode::new(config, super::bed::identifiers(9)).is_err());
    }
    assert_eq!(bed.next(), Some((27_000, REFRESH)));
}

/// [RE-2] Deregistrations of users who are not held are not this node's.
#[test]
fn unknown_users() {
    let mut bed = Bed::new(config(Profile::Sbc));
    let (private_identity, flow) = (b"nobody".as_slice(), b"".as_slice());
    for unknown in [
        Command::LearnDeregistering {
            private_identity,
            flow,
        },
        Command::LearnDeregistered {
            private_identity,
            flow,
        },
    ] {
        assert_eq!(bed.command(unknown), Ok((Verdict::NotMine, vec![])));
    }
    assert!(bed.node.table(private_identity).is_none());
    assert_eq!(bed.node.standing(private_identity), Standing::None);
    assert_eq!(bed.node.deadline(), None);
}
