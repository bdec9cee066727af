//! Every sentence of S2 has its test; the lines are those of its file.
//!
//! | line | sentence in short | test |
//! |---|---|---|
//! | L4 | the package of RFC 3680 is subscribed to | `supports_the_package` |
//! | L4 | `supportRegEvent` stands in the profile that a trunk group uses | `the_flag_of_the_profile` |
//! | L4 | its default is disabled | `disabled_by_default` |
//! | L6 | two statistics of an address context | `two_statistics` |
//! | L8 | the subscriptions present are listed, terminated ones are not | `terminated_ones_are_not_displayed` |
//! | L9 | the counts are since the system came up; a restart resets them | `counts_since_the_start` |
//! | L13 | a registration that succeeds is subscribed to | `supports_the_package` |
//! | L13 | once for the initial registration, and ended with it | `once_and_ended_with_the_registration` |
//! | L13 | one for an implicit registration may be | `implicit_registrations_by_option` |
//! | L13 | once for a set, with its default identity | `once_for_a_set` |
//! | L13 | sixty seconds later than the initial registration | `sixty_seconds_more` |
//! | L17 | routing depends upon two scenarios | `at_home`, `visited` |
//! | L21–27 | at home: destination trunk group, Service-Route, flag set; the routes are honoured | `at_home` |
//! | L28 | visited: destination trunk group, flag not set; the route is used | `visited` |
//! | L30 | a refresh follows the 2xx or the NOTIFY, whichever came first | `refresh_follows_what_came_first` |
//! | L34 | a NOTIFY with a reginfo document follows | `documents_are_unpacked` |
//! | L34 | the document of RFC 3680 with what TS 24.229 adds | `documents_are_unpacked` |
//! | L34 | what is in the correct format is unpacked | `documents_are_unpacked`, `a_document_in_a_bad_format` |
//! | L34 | the registration follows the document | `documents_are_unpacked`, and `tests/pcscf.rs` |
//! | L38 | it is refreshed periodically | `refreshed_again_and_again` |
//! | L40 | more than 1,200 s: 600 s before the end | `refreshed_600_seconds_before_the_end` |
//! | L41 | 1,200 s or less: at half | `refreshed_at_half` |
//! | L45, L47 | an error response deletes it, and it is not sent again | `an_error_deletes` |
//! | L49 | no response removes it | `no_response_removes` |
//! | L51 | a NOTIFY that says terminated removes it | `terminated_removes` |
//! | L55–57 | unsubscribed when the user's deregistration is received | `the_users_own_deregistration` |
//! | L55, L58 | unsubscribed when the registrations are terminated by the network | `the_networks_deregistration` |
//! | L62 | an IBCF or IPX proxy does not subscribe, and passes the package through | `tests/relay.rs`: `a_subscription`, `there_and_back` |

use super::bed::{
    Bed, CONTACT, Ev, NOTIFIER, Out, PRIVATE, PUBLIC, REFRESH, ROUTING_BOUND, SERVICE_ROUTE,
    Subscribe, TIMER_N, active, active_for, config, document, element, ended, identifiers, is_gone,
    is_registered, registered, registration,
};
use ims_procedures::{
    drive::{self, Source, Verdict},
    regevent::{
        node::{Command, Config, Registration, SubscriberNode},
        notification::Termination,
        statistics::GeneratedSubscriptionStatus,
        subscriber::{self, End, Profile, Routing, Standing},
        trunk_group::{Network, SignallingProfile, TrunkGroup},
    },
};

/// A trunk group of that name, towards `core`, with the profile of that name.
fn group(name: &str, profile: &str, network: Network) -> TrunkGroup {
    TrunkGroup {
        name: name.into(),
        profile: profile.into(),
        address_context: b"access".to_vec(),
        destination: b"core".to_vec(),
        network,
    }
}

/// Two profiles, one with the flag, and a group that uses each; routes are asked for.
fn grouped() -> Config {
    let mut config = Config::new(subscriber::Config::new(element()));
    let groups = &mut config.subscription.trunk_groups;
    let mut enabled = SignallingProfile::new(b"with");
    enabled.support_reg_event = true;
    groups.profiles = vec![enabled, SignallingProfile::new(b"without")];
    groups.groups = vec![
        group("home", "with", Network::Home),
        group("roaming", "with", Network::Visited),
        group("plain", "without", Network::Home),
    ];
    config.subscription.routing = Routing::Question;
    config
}

fn over(trunk_group: &'static str) -> Registration<'static> {
    let mut registration = registration(3_600);
    registration.trunk_group = trunk_group.as_bytes();
    registration
}

/// [RE-13] S2 L4, L13: a registration that succeeds is followed by a SUBSCRIBE to the package `reg` (RFC 3680
/// 4.1), which takes its documents.
#[test]
fn supports_the_package() {
    let (_, first) = registered(config(Profile::Sbc), 3_600);
    assert_eq!(
        first.line("SUBSCRIBE"),
        format!("SUBSCRIBE {PUBLIC} SIP/2.0")
    );
    assert_eq!(first.line("Event:"), "Event: reg");
    assert_eq!(first.line("Accept:"), "Accept: application/reginfo+xml");
    assert_eq!(first.line("CSeq:"), "CSeq: 1 SUBSCRIBE");
}

/// [RE-1] S2 L4: the flag is that of the profile which the trunk group of the registration uses.
#[test]
fn the_flag_of_the_profile() {
    let mut bed = Bed::new(grouped());
    let (verdict, out) = bed
        .command(Command::LearnRegistered(over("plain")))
        .unwrap();
    assert_eq!((verdict, out), (Verdict::NotMine, vec![]));
    assert!(matches!(bed.learn(over("home"))[..], [Out::Ask(_)]));
}

/// [RE-1] S2 L4: the flag of a new profile is disabled, and so is that of registrations over no named group.
#[test]
fn disabled_by_default() {
    assert!(!SignallingProfile::new(b"default").support_reg_event);
    let mut bed = Bed::new(Config::new(subscriber::Config::new(element())));
    let (verdict, out) = bed
        .command(Command::LearnRegistered(registration(3_600)))
        .unwrap();
    assert_eq!((verdict, out), (Verdict::NotMine, vec![]));
    assert_eq!(bed.node.users(), 0);
}

/// [RE-11] S2 L6: both statistics of an address context, under their names.
#[test]
fn two_statistics() {
    let (bed, _) = active(Profile::Sbc);
    let row = bed.node.sip_generated_subscription_status(b"").next();
    let row = row.unwrap();
    assert_eq!(
        GeneratedSubscriptionStatus::NAMES,
        [
            "id",
            "packageName",
            "registrarIpAddress",
            "extExpirationTime",
            "subscriptionState",
            "domainName"
        ]
    );
    assert_eq!(
        (
            row.package_name,
            row.registrar_ip_address,
            row.ext_expiration_time
        ),
        ("reg", &b"scscf1.home1.example.net"[..], 3_660)
    );
    assert_eq!(
        (row.state_name(), row.domain_name),
        ("active", &b"home1.example.net"[..])
    );
    assert_eq!(
        bed.node.sip_subscription_count_statistics(b"").named(),
        [
            ("sipSubscriptionCountAttempts", 1),
            ("sipSubscriptionCountSuccessful", 1),
            ("sipSubscriptionCountActive", 1),
            ("sipSubscriptionCountPending", 0),
            ("sipSubscriptionCountFailed", 0),
        ]
    );
}

/// [RE-11] S2 L8: every subscription present has a row; one that is terminated has none.
#[test]
fn terminated_ones_are_not_displayed() {
    let (mut bed, first) = active(Profile::Sbc);
    let mut other = registration(3_600);
    other.private_identity = b"user2_private@home1.example.net";
    bed.learn(other);
    let states = |bed: &Bed| {
        let rows = bed.node.sip_generated_subscription_status(b"");
        let mut states: Vec<_> = rows.map(|row| row.state_name()).collect();
        states.sort_unstable();
        states
    };
    assert_eq!(states(&bed), ["active", "pending"]);
    bed.notified(&first.notify(2, "terminated", ""));
    assert_eq!(states(&bed), ["pending"]);
}

/// [RE-11] S2 L9: the counts are from when the system came up; a restart sets them back.
#[test]
fn counts_since_the_start() {
    let (bed, _) = active(Profile::Sbc);
    let restored =
        SubscriberNode::restore(config(Profile::Sbc), identifiers(2), bed.now, &bed.blob());
    let counts = restored.unwrap().sip_subscription_count_statistics(b"");
    assert_eq!(
        (counts.attempts, counts.successful, counts.failed),
        (0, 0, 0)
    );
    assert_eq!(counts.active, 1);
}

/// [RE-2, RE-9] S2 L13: one subscription for the initial registration, none at a re-registration, and
/// unsubscribed when the registration is removed.
#[test]
fn once_and_ended_with_the_registration() {
    let (mut bed, _) = active(Profile::Sbc);
    assert_eq!(bed.learn(registration(3_600)), []);
    let leave = Subscribe::only(&bed.deregistered(""));
    assert_eq!(leave.expires(), 0);
}

/// [RE-2] S2 L13: whether an implicit registration is subscribed to is an option.
#[test]
fn implicit_registrations_by_option() {
    for wanted in [false, true] {
        let mut config = config(Profile::Sbc);
        config.subscription.subscribe_for_implicit = wanted;
        let mut bed = Bed::new(config);
        let mut implicit = registration(3_600);
        implicit.implicit = true;
        let (_, out) = bed.command(Command::LearnRegistered(implicit)).unwrap();
        assert_eq!(out.len(), usize::from(wanted));
    }
}

/// [RE-2] S2 L13: a registration that makes several identities known is subscribed to once, with the default
/// one.
#[test]
fn once_for_a_set() {
    let (mut bed, first) = registered(config(Profile::Sbc), 3_600);
    assert_eq!(first.line("To:"), format!("To: <{PUBLIC}>"));
    let mut of_the_set = registration(3_600);
    of_the_set.public_identity = b"sip:user1_public2@home1.example.net";
    assert_eq!(bed.learn(of_the_set), []);
}

/// [RE-3] S2 L13: the expiry asked for is that of the initial registration and 60 s, also in a refresh after
/// a re-registration of another.
#[test]
fn sixty_seconds_more() {
    for (registration_expires, asked) in [
        (3_600, 3_660),
        (600_000, 600_060),
        (0, 60),
        (u32::MAX, u32::MAX),
    ] {
        let (_, first) = registered(config(Profile::Sbc), registration_expires);
        assert_eq!(first.expires(), asked);
    }
    let (mut bed, _) = active(Profile::Sbc);
    bed.learn(registration(60));
    assert_eq!(Subscribe::only(&bed.fire(REFRESH)).expires(), 600_060);
}

/// [RE-4] S2 L17, L21–27: at home the question names the destination trunk group, has the Service-Route as
/// Route-URI, and skips pattern matching; the routes in its answer are honoured.
#[test]
fn at_home() {
    let mut bed = Bed::new(grouped());
    let [Out::Ask(asked)] = &bed.learn(over("home"))[..] else {
        panic!("no question");
    };
    assert_eq!(asked.resource, PUBLIC);
    assert_eq!(asked.destination, "core");
    assert_eq!(asked.route_uri, SERVICE_ROUTE);
    assert!(asked.skip);
    let hops = "<sip:one.example.net>, <sip:two.example.net>";
    let first = Subscribe::only(&bed.route(asked, hops, "<sip:r.example.net;lr>"));
    assert_eq!(first.hops, ["sip:one.example.net", "sip:two.example.net"]);
    assert_eq!(first.line("Route:"), "Route: <sip:r.example.net;lr>");
}

/// [RE-4] S2 L17, L28: in a visited network the question names the destination trunk group alone, pattern
/// matching is not skipped, and the route in its answer is used.
#[test]
fn visited() {
    let mut bed = Bed::new(grouped());
    let [Out::Ask(asked)] = &bed.learn(over("roaming"))[..] else {
        panic!("no question");
    };
    assert_eq!(asked.destination, "core");
    assert_eq!(asked.route_uri, "");
    assert!(!asked.skip);
    let first = Subscribe::only(&bed.route(asked, "<sip:ibcf.example.net>", ""));
    assert_eq!(first.hops, ["sip:ibcf.example.net"]);
    assert_eq!(bed.next(), Some((32_000, TIMER_N)));
    assert_ne!(bed.next().unwrap().1, ROUTING_BOUND);
}

/// [RE-5] S2 L30: Record-Route and Contact of the 2xx or of the NOTIFY, whichever came first.
#[test]
fn refresh_follows_what_came_first() {
    let accepted = "Record-Route: <sip:a2.example.net;lr>, <sip:a1.example.net;lr>\r\nContact: <sip:n@a.example.net>\r\nExpires: 3660\r\n";
    let notified =
        "Event: reg\r\nRecord-Route: <sip:n1.example.net;lr>, <sip:n2.example.net;lr>\r\n";
    for notify_first in [false, true] {
        let (mut bed, first) = registered(config(Profile::Sbc), 600_000);
        let notify = first.notify(1, "active;expires=3660", "");
        let notify = notify.replace("Event: reg\r\n", notified);
        if notify_first {
            bed.notified(&notify);
            bed.respond(&first, 200, accepted);
        } else {
            bed.respond(&first, 200, accepted);
            bed.notified(&notify.replace(NOTIFIER, ""));
        }
        let refresh = Subscribe::only(&bed.fire(REFRESH));
        let (target, route) = if notify_first {
            (
                "sip:n@scscf1.home1.example.net:5080",
                "<sip:n1.example.net;lr>, <sip:n2.example.net;lr>",
            )
        } else {
            (
                "sip:n@a.example.net",
                "<sip:a1.example.net;lr>, <sip:a2.example.net;lr>",
            )
        };
        assert_eq!(
            refresh.line("SUBSCRIBE"),
            format!("SUBSCRIBE {target} SIP/2.0")
        );
        assert_eq!(refresh.line("Route:"), format!("Route: {route}"));
    }
}

/// [RE-10] S2 L34: the document of a NOTIFY is unpacked, with what TS 24.229 and others add, and the user's
/// table follows it.
#[test]
fn documents_are_unpacked() {
    let (mut bed, first) = active(Profile::Sbc);
    let body = document(
        0,
        &[
            (PUBLIC, "active", "active", "registered"),
            ("tel:+12125551111", "active", "active", "created"),
        ],
    );
    let extended = body.replace(
        "<contact id=\"c0\"",
        "<ere:wildcardedIdentity xmlns:ere=\"urn:3gpp:ns:extRegExp:1.0\">sip:!.*!@home1.example.net</ere:wildcardedIdentity><contact id=\"c0\"",
    );
    let out = bed.notified(&first.notify(2, "active;expires=3660", &extended));
    assert_eq!(
        out,
        [Out::Event(Ev::State {
            version: 0,
            full: true,
            changed: 4,
            all_terminated: false
        })]
    );
    let table = bed.node.table(PRIVATE.as_bytes()).unwrap();
    assert_eq!(table.registrations().len(), 2);
}

/// [RE-10] S2 L34: one in a bad format changes nothing, and is refused with 400; the subscription goes on.
#[test]
fn a_document_in_a_bad_format() {
    let (mut bed, first) = active(Profile::Sbc);
    let (status, out) = bed.notify(&first.notify(2, "active;expires=3660", "<reginfo"));
    assert_eq!((status, out), (400, vec![]));
    assert_eq!(bed.standing(), Standing::Active);
    bed.notified(&first.notify(3, "active;expires=3660", &is_registered(0)));
}

/// [RE-7] S2 L38: the refresh repeats for as long as the subscription lasts.
#[test]
fn refreshed_again_and_again() {
    let (mut bed, _) = active(Profile::Sbc);
    for cseq in 2..20 {
        let refresh = Subscribe::only(&bed.fire(REFRESH));
        assert_eq!(refresh.cseq(), cseq);
        assert_eq!(bed.respond(&refresh, 200, "Expires: 3660\r\n"), []);
    }
}

/// [RE-7] S2 L40: a subscription of more than 1,200 s is refreshed 600 s before its end.
#[test]
fn refreshed_600_seconds_before_the_end() {
    for granted in [1_201, 3_660, 600_000] {
        let (bed, _) = active_for(config(Profile::Sbc), granted);
        assert_eq!(
            bed.next(),
            Some(((u64::from(granted) - 600) * 1_000, REFRESH))
        );
    }
}

/// [RE-7] S2 L41: one of 1,200 s or less is refreshed at half.
#[test]
fn refreshed_at_half() {
    for granted in [40, 41, 1_199, 1_200] {
        let (bed, _) = active_for(config(Profile::Sbc), granted);
        assert_eq!(bed.next(), Some((u64::from(granted) * 500, REFRESH)));
    }
}

/// [RE-8] S2 L45, L47: an error response to the SUBSCRIBE, or to a refresh, deletes the subscription, and
/// nothing is sent again.
#[test]
fn an_error_deletes() {
    for status in [400, 404, 423, 481, 500, 503, 603] {
        let why = End::Refused { status };
        let (mut bed, first) = registered(config(Profile::Sbc), 3_600);
        let out = bed.respond(&first, status, "Min-Expires: 9999\r\nRetry-After: 1\r\n");
        assert_eq!(out, ended(why));
        assert_eq!(bed.next(), None);
        let (mut bed, _) = active(Profile::Sbc);
        let refresh = Subscribe::only(&bed.fire(REFRESH));
        assert_eq!(
            bed.respond(&refresh, status, "Retry-After: 1\r\n"),
            ended(why)
        );
        assert_eq!(bed.next(), None);
        assert_eq!(
            bed.learn(registration(3_600)),
            [],
            "not at a re-registration either"
        );
    }
}

/// [RE-8] S2 L49: so does no response.
#[test]
fn no_response_removes() {
    let (mut bed, first) = registered(config(Profile::Sbc), 3_600);
    let out = bed.answer(first.token, drive::Answer::Timeout);
    assert_eq!(out, ended(End::NoResponse));
    let (mut bed, _) = active(Profile::Sbc);
    let refresh = Subscribe::only(&bed.fire(REFRESH));
    let out = bed.answer(refresh.token, drive::Answer::Timeout);
    assert_eq!(out, ended(End::NoResponse));
    assert_eq!(bed.next(), None);
}

/// [RE-8] S2 L51: so does a NOTIFY whose Subscription-State is terminated.
#[test]
fn terminated_removes() {
    let (mut bed, first) = active(Profile::Sbc);
    let out = bed.notified(&first.notify(2, "terminated;reason=deactivated", ""));
    assert_eq!(out, ended(End::Terminated(Termination::Deactivated)));
    assert_eq!(bed.next(), None);
}

/// [RE-9] S2 L55–57: unsubscribed when the user's REGISTER with Expires 0 is received; what becomes of that
/// REGISTER changes nothing more.
#[test]
fn the_users_own_deregistration() {
    let (mut bed, _) = active(Profile::Sbc);
    let leave = Subscribe::only(&bed.deregistering(CONTACT));
    assert_eq!(leave.expires(), 0);
    assert_eq!(bed.deregistered(CONTACT), []);
    bed.respond(&leave, 200, "Expires: 0\r\n");
    let out = bed.notified(&leave.notify(2, "terminated;reason=timeout", ""));
    assert_eq!(out, ended(End::Unsubscribed));
    assert_eq!(bed.node.users(), 0);
}

/// [RE-9] S2 L55, L58: unsubscribed upon a NOTIFY whose registration elements are terminated.
#[test]
fn the_networks_deregistration() {
    let (mut bed, first) = active(Profile::Sbc);
    let message = first.notify(2, "active;expires=3000", &is_gone(0));
    let (verdict, out) = bed.receive(Source::TrustedCore, &message);
    assert_eq!(verdict, Verdict::Handled);
    let [
        Out::Event(Ev::State {
            all_terminated: true,
            ..
        }),
        Out::Request(leave),
        Out::Respond(200, _),
    ] = &out[..]
    else {
        panic!("{out:?}");
    };
    assert_eq!(leave.expires(), 0);
    assert_eq!(bed.standing(), Standing::Terminating);
}
