//! The source, sentence by sentence (S1).

use ims_procedures::{
    drive::{Node, Source, Verdict},
    mscics::{Cause, Config, Event, ExpiresIn, Outcome},
    regevent::subscriber::{self, End},
};

use crate::{
    bed::{
        Bed, CONTACT, DEFAULT, DOMAIN, OTHER, Out, PARAMS, Subscription, TEMPORARY, asked, briefs,
        config, document, outcome, plain, register, register_200, request, response, subscribed,
    },
    fixture::{self, Values},
};

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn line(message: &str, name: &str) -> String {
    let start = format!("{name}: ");
    let found = message.lines().find_map(|line| line.strip_prefix(&start));
    found
        .unwrap_or_else(|| panic!("{name} in {message}"))
        .to_owned()
}

/// The REGISTER that deregisters a subscriber who is registered so.
fn deregister(config: Config) -> String {
    let mut bed = Bed::registered(config);
    text(&request(&bed.inactive(Cause::CancelLocation)).1)
}

/// [MS-3] S1 L25–43: the REGISTER, byte for byte by the fixture that was written from the seven items.
#[test]
fn the_fixture() {
    let mut bed = Bed::registered(plain());
    let out = bed.inactive(Cause::CancelLocation);
    let (_, register) = request(&out);
    fixture::matches("mscics/deregister", &register, &mut Values::new());
    match &out[..] {
        [Out::Request { hops, .. }] => assert_eq!(hops, &[format!("sip:{DOMAIN}")]),
        other => panic!("{other:?}"),
    }
}

/// [MS-1] S1 L21: "upon receipt of any indication that the subscriber is no longer active at this MSC Server", the MSC
/// server sends a REGISTER on behalf of the UE; each indication is reported as what it was.
#[test]
fn line_21_any_indication() {
    for cause in [
        Cause::CancelLocation,
        Cause::ImplicitDetach,
        Cause::Purge,
        Cause::ExplicitDetach,
        Cause::Administrative,
    ] {
        let mut bed = Bed::registered(plain());
        let (token, register) = request(&bed.inactive(cause));
        assert!(register.starts_with(b"REGISTER "));
        let out = bed.respond(token, &response(200, &register, ""));
        assert_eq!(outcome(&out), (cause, Outcome::Confirmed, 1, 0, false));
        assert_eq!(bed.node.deadline(), None, "nothing is left behind");
    }
}

/// [MS-2] S1 L23: prior to the REGISTER all dialogs are released that are related to the public identity that is going to
/// be deregistered, or to one of those implicitly registered. One of another identity is none of this node's.
#[test]
fn line_23_dialogs_first() {
    let mut bed = Bed::registered(plain());
    for (number, identity) in [TEMPORARY, DEFAULT, OTHER, "tel:+1-212-555-1111"]
        .iter()
        .enumerate()
    {
        assert_eq!(
            bed.add(identity, number as u64, None),
            Verdict::Handled,
            "{identity}"
        );
    }
    for stranger in ["sip:somebody@home1.example.net", "tel:+12125551112"] {
        assert_eq!(bed.add(stranger, 9, None), Verdict::NotMine, "{stranger}");
    }
    let out = bed.inactive(Cause::Purge);
    assert_eq!(
        briefs(&out),
        ["release 0", "release 1", "release 2", "release 3"]
    );
    let asked = asked(&out);
    let (last, others) = asked.split_last().unwrap();
    for (token, _) in others {
        assert_eq!(bed.done(*token), [], "no REGISTER before the last");
    }
    assert_eq!(briefs(&bed.done(last.0)), ["REGISTER"]);
}

/// [MS-3] S1 L28 (item 1): the Request-URI is the SIP URI of the home network's domain name, as at registration.
#[test]
fn line_28_request_uri() {
    assert!(deregister(plain()).starts_with(&format!("REGISTER sip:{DOMAIN} SIP/2.0\r\n")));
}

/// [MS-3] S1 L31, L34 (items 2 and 3): From and To are the SIP URI with the public identity to be deregistered, though
/// the default one of the set be another.
#[test]
fn lines_31_and_34_from_and_to() {
    let register = deregister(plain());
    let from = line(&register, "From");
    assert!(from.starts_with(&format!("<{TEMPORARY}>;tag=")));
    assert_eq!(line(&register, "To"), format!("<{TEMPORARY}>"));
}

/// [MS-3] S1 L36 (item 4): the contact has the MSC server's address, and the instance ID of the registration in every
/// character: letters of either case, escapes, no quotes at all, or more parameters around it.
#[test]
fn line_36_contact() {
    let instances = [
        r#"+sip.instance="<urn:gsma:imei:90420156-025763-0>""#,
        r#"+SIP.Instance="<URN:GSMA:IMEI:90420156-025763-0>""#,
        r#"+sip.instance="<urn:uuid:F81D4FAE-7DEC-11d0-a765-00A0C91E6bf6>""#,
        r#"+sip.instance="\<urn:gsma:\"imei\":90420156;025763,0\>\\""#,
        r#"+sip.instance=urn%3Agsma%3Aimei"#,
        r#"+sip.instance="<  spaces ; and , commas  >""#,
        "+sip.instance=\"<urn:x:\u{e4}\u{f6}>\"",
    ];
    for instance in instances {
        for (before, after) in [("", ""), (";audio", ""), ("", ";reg-id=1;methods=\"A,B\"")] {
            let params = format!("{before};{instance}{after}");
            let mut bed = Bed::new(plain());
            bed.learn(&register(&params, 1), &register_200(&params, 1));
            let register = text(&request(&bed.inactive(Cause::Purge)).1);
            let contact = line(&register, "Contact");
            assert_eq!(contact, format!("<{CONTACT}>{params};expires=0"));
        }
    }
}

/// [MS-3] S1 L38 (item 5): sent-by of Via is the MSC server.
#[test]
fn line_38_via() {
    let via = line(&deregister(plain()), "Via");
    assert!(via.starts_with("SIP/2.0/UDP msc1.visited1.example.net:5060;branch=z9hG4bK"));
}

/// [MS-3] S1 L40 (item 6): zero in Expires, or in the parameter of the contact; both unless configured otherwise.
#[test]
fn line_40_zero() {
    for (expires_in, header, param) in [
        (ExpiresIn::Both, true, true),
        (ExpiresIn::Header, true, false),
        (ExpiresIn::Parameter, false, true),
    ] {
        let mut config = plain();
        config.expires_in = expires_in;
        let register = deregister(config);
        assert_eq!(register.contains("\r\nExpires: 0\r\n"), header);
        assert_eq!(line(&register, "Contact").ends_with(";expires=0"), param);
    }
    assert_eq!(plain().expires_in, ExpiresIn::Both);
}

/// [MS-3] S1 L43 (item 7): sent as any registration (6.3.3): Route, Path and what it demands, and the P- headers are those
/// of the registration; its Call-ID is its own.
#[test]
fn line_43_as_registered() {
    let changed = register(PARAMS, 1)
        .replace(
            "Supported: path",
            "Supported: path\r\nRequire: path\r\nRoute: <sip:icscf1.home1.example.net;lr>,\r\n <sip:x.example;lr>",
        )
        .replace("3GPP-UTRAN-FDD;utran-cell-id-3gpp=234151D0FCE11", "3GPP-GERAN;cgi-3gpp=2341512345");
    let mut bed = Bed::new(plain());
    bed.learn(&changed, &register_200(PARAMS, 1));
    let out = bed.inactive(Cause::Purge);
    let register = text(&request(&out).1);
    assert_eq!(line(&register, "Require"), "path");
    let route = line(&register, "Route");
    assert_eq!(
        route,
        "<sip:icscf1.home1.example.net;lr>, <sip:x.example;lr>"
    );
    let access = line(&register, "P-Access-Network-Info");
    assert_eq!(access, "3GPP-GERAN;cgi-3gpp=2341512345;network-provided");
    assert!(
        !register.contains("apb03a0s09dkjdfglkj49111"),
        "another Call-ID"
    );
    match &out[..] {
        [Out::Request { hops, .. }] => assert_eq!(hops, &["sip:icscf1.home1.example.net;lr"]),
        other => panic!("{other:?}"),
    }
}

/// [MS-3] S1 L43: without a Route it goes to the entry points of the home network, in order, if they are configured; the
/// mark of a trusted node can be left out.
#[test]
fn line_43_next_hops() {
    let mut config = plain();
    config.entry_points = vec![
        b"sip:icscf1.example".to_vec(),
        b"sip:icscf2.example".to_vec(),
    ];
    config.integrity_protected = false;
    let mut bed = Bed::registered(config);
    match &bed.inactive(Cause::Purge)[..] {
        [Out::Request { hops, bytes, .. }] => {
            assert_eq!(hops, &["sip:icscf1.example", "sip:icscf2.example"]);
            assert!(!text(bytes).contains("auth-done"));
        }
        other => panic!("{other:?}"),
    }
}

/// [MS-4] S1 L44: "On receiving the 200 (OK) response", all registration details of the public identity are removed.
/// Nothing is left of it: neither timer nor dialog nor subscription.
#[test]
fn line_44_all_details_removed() {
    let (mut bed, subscription) = subscribed(config());
    bed.add_dialogs(&[1]);
    let out = bed.inactive(Cause::CancelLocation);
    let out = bed.done(asked(&out)[0].0);
    let (token, register) = request(&out);
    let out = bed.respond(token, &response(200, &register, ""));
    let expected = (Cause::CancelLocation, Outcome::Confirmed, 1, 0, false);
    assert_eq!(outcome(&out), expected);
    assert_eq!(briefs(&out), ["Deregistered"]);
    assert_eq!(bed.node.registrations(), 0);
    assert_eq!(bed.node.deadline(), None);
    let counts = bed.node.sip_subscription_count_statistics();
    assert_eq!((counts.active, counts.pending), (0, 0));
    assert_eq!(bed.node.sip_generated_subscription_status().count(), 0);
    let notify = subscription.notify(2, "active", "");
    assert_eq!(
        briefs(&bed.receive(Source::TrustedCore, &notify).1),
        ["481"]
    );
}

/// [MS-5] S1 L46 leaves it open what follows without a 200: it ends all the same, and says how.
#[test]
fn line_46_no_200() {
    let mut bed = Bed::registered(plain());
    let (token, register) = request(&bed.inactive(Cause::CancelLocation));
    let out = bed.respond(token, &response(403, &register, ""));
    let refused = Outcome::Refused { status: 403 };
    assert_eq!(outcome(&out), (Cause::CancelLocation, refused, 1, 0, false));
    assert_eq!(bed.node.registrations(), 0);
}

/// [MS-6] S1 L48: the subscription is considered cancelled, as if a SUBSCRIBE with Expires 0 had been sent: when the
/// REGISTER goes, and without one. What is notified until the outcome is answered 200, and later 481.
#[test]
fn line_48_subscription_considered_cancelled() {
    for status in [200, 403, 481, 500] {
        let mut config = config();
        config.attempts = 1;
        let (mut bed, subscription) = subscribed(config);
        let out = bed.inactive(Cause::ImplicitDetach);
        assert_eq!(briefs(&out), ["REGISTER", "SubscriptionEnded"]);
        match out[1] {
            Out::Event(
                _,
                Event::Subscription(subscriber::Event::SubscriptionEnded { why, .. }),
            ) => {
                assert_eq!(why, End::Unsubscribed);
            }
            _ => unreachable!(),
        }
        let (token, register) = request(&out);
        let ended = document(1, "terminated", "terminated", "unregistered");
        let notify = |cseq| subscription.notify(cseq, "terminated;reason=noresource", &ended);
        for cseq in [2, 2, 3] {
            let (verdict, out) = bed.receive(Source::TrustedCore, &notify(cseq));
            assert_eq!(
                (verdict, briefs(&out)),
                (Verdict::Handled, vec!["200".to_owned()])
            );
        }
        let out = bed.respond(token, &response(status, &register, ""));
        assert_eq!(
            briefs(&out),
            ["Deregistered"],
            "no SUBSCRIBE after {status}"
        );
        let (_, out) = bed.receive(Source::TrustedCore, &notify(4));
        assert_eq!(briefs(&out), ["481"]);
        assert_eq!(bed.node.deadline(), None);
    }
}

/// [MS-6] S1 L48: "any existing subscription": one whose SUBSCRIBE is out, or whose refresh is, too. Its answer, and a
/// timer, change nothing any more.
#[test]
fn line_48_any_existing_subscription() {
    for refreshing in [false, true] {
        let (mut bed, subscription, token, subscribe) = if refreshing {
            let (mut bed, subscription) = subscribed(config());
            let (at, _) = bed.node.deadline().unwrap();
            bed.now = at;
            let (token, subscribe) = request(&bed.tick());
            (bed, subscription, token, subscribe)
        } else {
            let mut bed = Bed::new(config());
            let (token, subscribe) = request(&bed.register());
            let subscription = Subscription::of(&subscribe);
            (bed, subscription, token, subscribe)
        };
        let out = bed.inactive(Cause::Purge);
        assert_eq!(briefs(&out), ["REGISTER", "SubscriptionEnded"]);
        let accepted = response(
            200,
            &subscribe,
            "Contact: <sip:n@scscf1.home1.example.net:5080>\r\nExpires: 3660\r\n",
        );
        assert_eq!(bed.respond(token, &accepted), []);
        assert_eq!(bed.node.counters().stale_answers, 1);
        let active = document(1, "active", "active", "registered");
        let notify = subscription.notify(5, "active;expires=100", &active);
        let (_, answer) = bed.receive(Source::TrustedCore, &notify);
        assert_eq!(briefs(&answer), ["200"]);
        assert_eq!(bed.node.deadline().unwrap().1.0, "answer to REGISTER");
        let (token, register) = request(&out);
        let out = bed.respond(token, &response(200, &register, ""));
        assert_eq!(briefs(&out), ["Deregistered"]);
        assert_eq!(bed.node.deadline(), None);
    }
}
