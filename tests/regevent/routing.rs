//! Where SUBSCRIBEs go, and in whose name they are sent.

use super::bed::{
    Asked, Bed, ELEMENT, NOTIFIER, Out, PROFILES, PUBLIC, REFRESH, ROUTING_BOUND, SERVICE_ROUTE,
    Subscribe, TIMER_N, TO_BE_ASKED, config, element, ended, identifiers, registration,
};
use ims_procedures::{
    drive::{self, Misuse, Node, Output, Token, Towards},
    regevent::{
        node::{Config, SubscriberNode},
        subscriber::{self, Answer, End, Party, Profile, Routing, Standing},
        trunk_group::{Network, SignallingProfile, TrunkGroup},
    },
};

/// Routes are asked for; the trunk group `in` leads to the trunk group `out`.
fn asking(profile: Profile, network: Network) -> Config {
    let mut config = config(profile);
    config.subscription.routing = Routing::Question;
    config.subscription.network = network;
    let mut enabled = SignallingProfile::new(b"p");
    enabled.support_reg_event = true;
    config.subscription.trunk_groups.profiles = vec![enabled];
    config.subscription.trunk_groups.groups = vec![TrunkGroup {
        name: b"in".to_vec(),
        profile: b"p".to_vec(),
        address_context: b"a".to_vec(),
        destination: b"out".to_vec(),
        network,
    }];
    config
}

fn only_question(out: &[Out]) -> Asked {
    match out {
        [Out::Ask(asked)] => asked.clone(),
        other => panic!("expected one question: {other:?}"),
    }
}

fn asked(config: Config) -> (Bed, Asked) {
    let mut bed = Bed::new(config);
    let asked = only_question(&bed.learn(registration(3_600)));
    (bed, asked)
}

/// [RE-4] What the question says: at home the destination trunk group and the Service-Route, flag set; visited the
/// destination trunk group, flag not set (S2 L17–28). Over no named trunk group there is no destination.
#[test]
fn the_question() {
    for profile in PROFILES {
        for (network, route_uri, skip) in [
            (Network::Home, SERVICE_ROUTE, true),
            (Network::Visited, "", false),
        ] {
            for (name, destination) in [("in", "out"), ("", "")] {
                let mut bed = Bed::new(asking(profile, network));
                let mut registration = registration(3_600);
                registration.trunk_group = name.as_bytes();
                let asked = only_question(&bed.learn(registration));
                assert_eq!(asked.resource, PUBLIC);
                assert_eq!(asked.destination, destination);
                assert_eq!(asked.route_uri, route_uri);
                assert_eq!(asked.skip, skip);
                assert_eq!(bed.next(), Some((5_000, ROUTING_BOUND)));
                assert_eq!(bed.standing(), Standing::Pending);
            }
        }
    }
}

/// [RE-4] The routes are honoured: each next hop in its order, eight at most, and the Route as it is given.
#[test]
fn routes_are_honoured() {
    let list: Vec<String> = (1..=8)
        .map(|n| format!("<sip:h{n}.example.net;lr>"))
        .collect();
    for count in 1..=8 {
        let (mut bed, asked) = asked(asking(Profile::Sbc, Network::Home));
        let route = "\"A\" <sip:r1.example.net;lr>, <sip:r2.example.net;lr>;x=y";
        let first = Subscribe::only(&bed.route(&asked, &list[..count].join(", "), route));
        let hops: Vec<_> = (1..=count)
            .map(|n| format!("sip:h{n}.example.net;lr"))
            .collect();
        assert_eq!(first.hops, hops);
        assert_eq!(first.line("Route:"), format!("Route: {route}"));
        assert_eq!(
            first.line("SUBSCRIBE"),
            format!("SUBSCRIBE {PUBLIC} SIP/2.0")
        );
        let left = 32_000 * count as u64;
        assert_eq!(
            bed.next(),
            Some((left, TIMER_N)),
            "for each, from the SUBSCRIBE on"
        );
    }
}

/// [RE-4] Without next hops it goes to the first route; without any, where the entry points or the public identity
/// lead.
#[test]
fn without_next_hops() {
    let (mut bed, to) = asked(asking(Profile::Sbc, Network::Home));
    let first =
        Subscribe::only(&bed.route(&to, "", "<sip:r1.example.net;lr>, <sip:r2.example.net>"));
    assert_eq!(first.hops, ["sip:r1.example.net;lr"]);
    let (mut bed, to) = asked(asking(Profile::Sbc, Network::Home));
    let first = Subscribe::only(&bed.route(&to, "", ""));
    assert_eq!(first.hops, [PUBLIC]);
    assert_eq!(first.has("Route:"), None);
    let mut config = asking(Profile::Sbc, Network::Home);
    config.subscription.entry_points = vec![b"sip:icscf.example.net".to_vec()];
    let (mut bed, asked) = asked(config);
    let first = Subscribe::only(&bed.route(&asked, "", ""));
    assert_eq!(first.hops, ["sip:icscf.example.net"]);
}

/// [RE-4] Routes that cannot be used are the host's mistake, and change nothing: more than eight, none of SIP, too
/// long, or no addresses. The question can still be answered.
#[test]
fn bad_answers() {
    let long = format!("<sip:{}@h>", "a".repeat(1_019));
    let nine = ["<sip:a.example.net>"; 9].join(", ");
    let eight_thousand = format!("<sip:{}.example.net;lr>", "a".repeat(8_000));
    let too_much = [eight_thousand.as_str(); 3].join(", ");
    for (next_hops, route) in [
        (nine.as_str(), ""),
        (&long, ""),
        ("<tel:+1234>", ""),
        ("<http://a.example.net>", ""),
        ("<sip:>", ""),
        ("<sip:a", ""),
        ("nothing", ""),
        ("<sip:a.example.net>\r\nX: y", ""),
        ("", "<sip:a"),
        ("", "<sip:a.example.net>\r\nX: y"),
        ("", &too_much),
    ] {
        let (mut bed, asked) = asked(asking(Profile::Rfc6665, Network::Home));
        let blob = bed.blob();
        let answer = Answer::Routes {
            next_hops: next_hops.as_bytes(),
            route: route.as_bytes(),
        };
        let refused = bed
            .node
            .answer(bed.now, asked.token, answer.into(), &mut bed.out);
        assert!(
            matches!(refused, Err(Misuse::BadCommand(_))),
            "{next_hops} {route}: {refused:?}"
        );
        assert_eq!(bed.take(), []);
        assert_eq!(bed.blob(), blob, "nothing has changed");
        let whole = "a".repeat(1_018);
        let hop = format!("<sip:{whole}@h>");
        Subscribe::only(&bed.route(&asked, &hop, ""));
    }
}

/// [RE-4] An answer of another kind is the host's mistake, and one with a token that was never given.
#[test]
fn wrong_answers() {
    let (mut bed, asked) = asked(asking(Profile::Sbc, Network::Home));
    let wrong = bed.node.answer(
        bed.now,
        asked.token,
        drive::Answer::Response(b"SIP/2.0 200 OK\r\n\r\n"),
        &mut bed.out,
    );
    assert_eq!(wrong, Err(Misuse::WrongAnswer));
    for answer in [
        drive::Answer::Stored,
        drive::Answer::Conflict,
        drive::Answer::Failed,
    ] {
        let wrong = bed.node.answer(bed.now, asked.token, answer, &mut bed.out);
        assert_eq!(wrong, Err(Misuse::WrongAnswer));
    }
    let never = Token::from_u64(asked.token.to_u64() ^ 0xffff);
    let unknown = bed
        .node
        .answer(bed.now, never, Answer::NoRoute.into(), &mut bed.out);
    assert_eq!(unknown, Err(Misuse::UnknownToken));
    let first = Subscribe::only(&bed.route(&asked, "", ""));
    let wrong = bed
        .node
        .answer(bed.now, first.token, Answer::NoRoute.into(), &mut bed.out);
    assert_eq!(wrong, Err(Misuse::WrongAnswer));
    assert_eq!(bed.route(&asked, "", ""), [], "answered already");
    assert_eq!(bed.node.counters().stale_answers, 1);
}

/// [RE-4] No route ends it, in both profiles; no answer in time, or none at all, is no response.
#[test]
fn no_route() {
    for profile in PROFILES {
        for (n, why) in [
            End::NoRoute,
            End::NoResponse,
            End::NoResponse,
            End::NoResponse,
        ]
        .into_iter()
        .enumerate()
        {
            let mut config = asking(profile, Network::Home);
            config.subscription.routing_bound = 7_000;
            let (mut bed, asked) = asked(config);
            let out = match n {
                0 => bed.answer(asked.token, Answer::NoRoute.into()),
                1 => bed.answer(asked.token, drive::Answer::Timeout),
                2 => bed.answer(asked.token, drive::Answer::Unreachable),
                _ => {
                    assert_eq!(bed.next(), Some((7_000, ROUTING_BOUND)));
                    bed.fire(ROUTING_BOUND)
                }
            };
            assert_eq!(out, ended(why));
            assert_eq!(bed.next(), None);
            let counts = bed.node.sip_subscription_count_statistics(b"");
            assert_eq!((counts.attempts, counts.failed, counts.pending), (1, 1, 0));
            assert_eq!(bed.route(&asked, "", ""), [], "too late");
            assert_eq!(bed.learn(registration(3_600)), []);
        }
    }
}

/// [DR-7] [RE-4] After a restore the question is asked again with the same key and contents, and what is left of
/// its bound.
#[test]
fn asked_again_after_a_restore() {
    let config = asking(Profile::Sbc, Network::Home);
    let (mut bed, before) = asked(config.clone());
    bed.now = bed.now.after(2_000);
    bed.node = SubscriberNode::restore(config, identifiers(2), bed.now, &bed.blob()).unwrap();
    let again = only_question(&bed.fire(TO_BE_ASKED));
    assert_ne!(again.token, before.token);
    assert_eq!(
        Asked {
            token: before.token,
            ..again.clone()
        },
        before
    );
    assert_eq!(bed.next(), Some((3_000, ROUTING_BOUND)));
    let first = Subscribe::only(&bed.route(&again, "<sip:a.example.net>", ""));
    assert_eq!(first.hops, ["sip:a.example.net"]);
}

/// [RE-4, RE-5] The answer is for initial SUBSCRIBEs: after a 423 the routes are used again; a refresh follows the
/// dialog.
#[test]
fn routes_and_later_requests() {
    let (mut bed, asked) = asked(asking(Profile::Rfc6665, Network::Home));
    let first =
        Subscribe::only(&bed.route(&asked, "<sip:h.example.net>", "<sip:r.example.net;lr>"));
    let second = Subscribe::only(&bed.respond(&first, 423, "Min-Expires: 9000\r\n"));
    assert_eq!(second.hops, first.hops);
    assert_eq!(second.line("Route:"), first.line("Route:"));
    bed.respond(&second, 200, &format!("{NOTIFIER}Expires: 9000\r\n"));
    bed.notified(&second.notify(1, "active", ""));
    let refresh = Subscribe::only(&bed.fire(REFRESH));
    assert_eq!(refresh.hops, ["sip:n@scscf1.home1.example.net:5080"]);
    assert_eq!(refresh.has("Route:"), None);
}

/// [RE-13] Entry points in their order; a SUBSCRIBE in a dialog goes to its target.
#[test]
fn entry_points() {
    let mut config = config(Profile::Sbc);
    let points = [
        "sip:a.example.net",
        "sips:b.example.net:5061",
        "sip:[2001:db8::1]",
    ];
    config.subscription.entry_points = points.map(|point| point.as_bytes().to_vec()).to_vec();
    let mut bed = Bed::new(config);
    let first = Subscribe::only(&bed.learn(registration(3_600)));
    assert_eq!(first.hops, points);
    bed.respond(&first, 200, &format!("{NOTIFIER}Expires: 3660\r\n"));
    bed.notified(&first.notify(1, "active", ""));
    let refresh = Subscribe::only(&bed.fire(REFRESH));
    assert_eq!(refresh.hops, ["sip:n@scscf1.home1.example.net:5080"]);
}

/// [RE-13] The entry points of a configuration: eight at most, each a SIP URI with a host, of 1,024 bytes at most.
#[test]
fn entry_points_that_cannot_work() {
    let at_most = format!("sip:{}@h", "a".repeat(1_018));
    let too_long = format!("sip:{}@h", "a".repeat(1_019));
    for (points, works) in [
        (vec!["sip:a.example.net"; 8], true),
        (vec!["sip:a.example.net"; 9], false),
        (vec![at_most.as_str()], true),
        (vec![too_long.as_str()], false),
        (vec!["tel:+1"], false),
        (vec!["sip:"], false),
        (vec![""], false),
    ] {
        let mut config = config(Profile::Sbc);
        config.subscription.entry_points = points.iter().map(|p| p.as_bytes().to_vec()).collect();
        assert_eq!(config.check().is_ok(), works, "{points:?}");
    }
}

/// [RE-13] The mark of RFC 7549 stands in the Request-URI of an initial SUBSCRIBE from a visited network alone,
/// before what headers the URI has, and in a SIP URI only.
#[test]
fn iotl() {
    for (enabled, network, resource, target) in [
        (
            true,
            Network::Visited,
            PUBLIC,
            "sip:user1_public1@home1.example.net;iotl=visitedA-homeA",
        ),
        (
            true,
            Network::Visited,
            "SIPS:u@h?a=b",
            "SIPS:u@h;iotl=visitedA-homeA?a=b",
        ),
        (
            true,
            Network::Visited,
            "tel:+12125551111",
            "tel:+12125551111",
        ),
        (true, Network::Home, PUBLIC, PUBLIC),
        (false, Network::Visited, PUBLIC, PUBLIC),
    ] {
        let mut config = config(Profile::Sbc);
        config.subscription.iotl = enabled;
        config.subscription.network = network;
        let mut bed = Bed::new(config);
        let mut registration = registration(3_600);
        registration.public_identity = resource.as_bytes();
        let first = Subscribe::only(&bed.learn(registration));
        assert_eq!(
            first.line("SUBSCRIBE"),
            format!("SUBSCRIBE {target} SIP/2.0")
        );
        assert_eq!(first.line("To:"), format!("To: <{resource}>"));
        bed.respond(&first, 200, "Expires: 3660\r\n");
        bed.out.clear();
        let notify = first.notify(1, "active", "").replace(NOTIFIER, "");
        if resource.starts_with("sip:") {
            bed.notified(&notify);
            let refresh = Subscribe::only(&bed.fire(REFRESH));
            assert_eq!(
                refresh.line("SUBSCRIBE"),
                format!("SUBSCRIBE {resource} SIP/2.0")
            );
        }
    }
}

/// [RE-13] The SUBSCRIBE to the last byte, in the name of each party, initial and in a dialog.
#[test]
fn parties() {
    for party in [Party::Element, Party::ServedUser, Party::Ue] {
        let mut config = Config::new(subscriber::Config::new(element()));
        config.subscription.support_reg_event = true;
        config.subscription.party = party;
        let mut bed = Bed::new(config);
        let first = Subscribe::only(&bed.learn(registration(3_600)));
        let from = if party == Party::Element {
            ELEMENT
        } else {
            PUBLIC
        };
        let lines = |own: &Subscribe, target: &str, to: &str, cseq: u32| {
            let (via, _) = own.line("Via:").split_once(";branch=z9hG4bK").unwrap();
            assert_eq!(via, "Via: SIP/2.0/UDP pcscf1.visited1.example.net:5070");
            let (tag, call_id) = (own.tag(), own.call_id());
            let asserted = match party {
                Party::Ue => format!("P-Preferred-Identity: <{from}>\r\n"),
                _ => {
                    let charging = own.line("P-Charging-Vector:");
                    assert!(
                        charging.contains("icid-value=")
                            && charging.contains("visited1.example.net")
                    );
                    format!("P-Asserted-Identity: <{from}>\r\n{charging}\r\n")
                }
            };
            format!(
                "SUBSCRIBE {target} SIP/2.0\r\n{}\r\nMax-Forwards: 70\r\nFrom: <{from}>;tag={tag}\r\n\
                 To: <{PUBLIC}>{to}\r\nCall-ID: {call_id}\r\nCSeq: {cseq} SUBSCRIBE\r\n\
                 Contact: <sip:{call_id}@pcscf1.visited1.example.net:5070>\r\nExpires: 3660\r\nEvent: reg\r\n\
                 Accept: application/reginfo+xml\r\n{asserted}Content-Length: 0\r\n\r\n",
                own.line("Via:")
            )
        };
        assert_eq!(first.text, lines(&first, PUBLIC, "", 1));
        bed.respond(&first, 200, &format!("{NOTIFIER}Expires: 3660\r\n"));
        bed.notified(&first.notify(1, "active", ""));
        let refresh = Subscribe::only(&bed.fire(REFRESH));
        let target = "sip:n@scscf1.home1.example.net:5080";
        assert_eq!(refresh.text, lines(&refresh, target, ";tag=n1", 2));
    }
}

/// [RE-13] A UE's SUBSCRIBE has the timers of the air (TS 24.229 7.7), an element's those of the core.
#[test]
fn towards() {
    for (party, expected) in [
        (Party::Element, Towards::Core),
        (Party::ServedUser, Towards::Core),
        (Party::Ue, Towards::Ue),
    ] {
        let mut config = config(Profile::Sbc);
        config.subscription.party = party;
        let mut bed = Bed::new(config);
        let command = super::bed::learn(registration(3_600));
        bed.node.command(bed.now, command, &mut bed.out).unwrap();
        let found = bed.out.iter().find_map(|output| match output {
            Output::Request { towards, .. } => Some(towards),
            _ => None,
        });
        assert_eq!(found, Some(expected));
    }
}
