//! The P-CSCF by requirement, on bytes.

#[path = "pcscf/access.rs"]
mod access;
#[path = "pcscf/audit.rs"]
mod audit;
mod common;
#[path = "pcscf/contacts.rs"]
mod contacts;
#[path = "pcscf/crossing.rs"]
mod crossing;
#[path = "pcscf/interleavings.rs"]
mod interleavings;
#[path = "pcscf/restoring.rs"]
mod restoring;
#[path = "pcscf/returning.rs"]
mod returning;
#[path = "pcscf/transitions.rs"]
mod transitions;
#[path = "pcscf/watching.rs"]
mod watching;

use common::{
    fixture::{self, Values},
    pcscf::{
        Bed, CONTACT, INSTANCE, Out, PRIVATE, PUBLIC, ask, clean_up, config, contact, document,
        identifiers, outcome, register, register_200, request, response, subscribed, terminated,
    },
};
use ims_procedures::{
    drive::{
        self, Buffer, Context, Limits, Millis, Misuse, Node, Outbox, Role, Source, Token,
        TransactionRef, Verdict,
    },
    pcscf::{
        Answer, Cause, Change, Command, Event, Evidence, Input, NextHop, Outcome, Pcscf, PcscfNode,
        StripError, Ue, registration::Learned, strip_trust_marks,
    },
    regevent::{
        notification::Termination,
        subscriber::{self, End},
    },
    wire::Message,
};

/// [PD-1, PD-5, PD-7, RE-13] The main job, byte for byte by the fixtures: SUBSCRIBE at registration, REGISTER
/// at the loss, 200 to the NOTIFY, ordered cleanup, one outcome.
#[test]
fn the_fixtures() {
    let mut bed = Bed::new(config());
    let mut values = Values::new();
    let (subscribe_token, subscribe) = request(&bed.register());
    fixture::matches("subscribe", &subscribe, &mut values);
    values.insert("notifier-tag".into(), "scscf-tag-1".into());
    values.insert("notifier-user".into(), "n".into());
    bed.respond(subscribe_token, &fixture::fill("subscribe_200", &values));

    let out = bed.lose(CONTACT);
    let (register_token, register) = request(&out);
    fixture::matches("register", &register, &mut values);
    match &out[..] {
        [
            Out::Event(_, Event::AccessLost { .. }),
            Out::Request { hops, .. },
        ] => {
            assert_eq!(hops, &["sip:home1.example.net"]);
        }
        other => panic!("{other:?}"),
    }

    values.insert("scscf-tag".into(), "scscf-tag-2".into());
    assert_eq!(
        bed.respond(register_token, &fixture::fill("register_200", &values)),
        []
    );

    values.insert("notify-branch".into(), "n2".into());
    values.insert("notify-icid".into(), "icid-2".into());
    let (verdict, out) = bed.receive(Source::TrustedCore, &fixture::fill("notify", &values));
    assert_eq!(verdict, Verdict::Handled);
    match &out[..] {
        [
            Out::Event(_, Event::Subscription(subscriber::Event::SubscriptionEnded { why, .. })),
            Out::Ask { .. },
            Out::Respond {
                to,
                status: 200,
                bytes,
            },
        ] => {
            assert_eq!(*why, End::Terminated(Termination::NoResource));
            assert_eq!(*to, TransactionRef(77));
            fixture::matches("notify_200", bytes, &mut values);
        }
        other => panic!("{other:?}"),
    }
    let cleanup = clean_up(&mut bed, &out[1..2]);
    assert_eq!(outcome(cleanup), (Cause::AccessLost, Outcome::Notified, 1));
    assert_eq!(bed.node.registrations(), 0);
    assert_eq!(bed.node.deadline(), None, "nothing is left behind");
}

/// [PD-1] The expiry is that of this contact in the 2xx, parameter before header, not of another listed
/// first (T22); the default identity is the first P-Associated-URI, else To.
#[test]
fn learns_the_expiry_of_its_own_contact() {
    for (listed, seconds) in [
        (
            format!("<sip:stale@192.0.2.1>;expires=9999, {}", contact(Some(120))),
            120,
        ),
        (format!("{}\r\nExpires: 77", contact(None)), 77),
        (contact(None), 600_000),
    ] {
        let mut plain = config();
        plain.subscription.support_reg_event = false;
        let mut bed = Bed::new(plain);
        let out = bed.learn(
            &register(&contact(Some(600_000)), 1),
            &register_200(&listed, 1),
        );
        assert_eq!(out, []);
        let (at, timer) = bed.node.deadline().unwrap();
        assert_eq!(timer.0, "registration lifetime");
        assert_eq!(at, bed.now.after_seconds(seconds), "{listed}");
    }
}

/// [PD-1] A 2xx without P-Associated-URI: the identity is that of To. Without Authorization the private
/// identity is derived from it.
#[test]
fn learns_without_associated_uri_or_authorization() {
    let mut bed = Bed::new(config());
    let request = register(&contact(Some(60)), 1)
        .lines()
        .filter(|l| !l.starts_with("Authorization"))
        .map(|l| format!("{l}\r\n"))
        .collect::<String>();
    let response = register_200(&contact(Some(60)), 1)
        .lines()
        .filter(|l| !l.starts_with("P-Associated-URI"))
        .map(|l| format!("{l}\r\n"))
        .collect::<String>();
    let (_, subscribe) = self::request(&bed.learn(&request, &response));
    let subscribe = String::from_utf8(subscribe).unwrap();
    assert!(subscribe.starts_with(&format!("SUBSCRIBE {PUBLIC} SIP/2.0\r\n")));
    assert!(subscribe.contains("\r\nExpires: 120\r\n"), "60 s + 60 s");
    let (_, register) = self::request(&bed.lose(CONTACT));
    let register = String::from_utf8(register).unwrap();
    assert!(
        register
            .contains("username=\"user1_public1@home1.example.net\",realm=\"home1.example.net\"")
    );
}

/// [PD-1] What is not a 2xx, or not a REGISTER, registers nobody.
#[test]
fn learns_nothing_from_failures() {
    let mut bed = Bed::new(config());
    let request = register(&contact(Some(60)), 1);
    let refused = register_200("", 1).replace("200 OK", "403 Forbidden");
    let command = Command::Learn {
        request: request.as_bytes(),
        response: refused.as_bytes(),
        trunk_group: b"",
    };
    let verdict = bed.node.command(bed.now, command, &mut bed.out);
    assert_eq!(verdict, Ok(Verdict::NotMine));
    let command = Command::Learn {
        request: b"garbage",
        response: b"",
        trunk_group: b"",
    };
    let verdict = bed.node.command(bed.now, command, &mut bed.out);
    assert!(matches!(verdict, Err(Misuse::BadCommand(_))), "{verdict:?}");
    assert_eq!(bed.node.registrations(), 0);
}

/// [PD-1] A re-REGISTER updates the registration; a 2xx to the UE's own de-REGISTER removes it after the
/// cleanup, and only the flow named.
#[test]
fn follows_refresh_and_the_ues_own_deregistration() {
    let (mut bed, _) = subscribed();
    bed.now = bed.now.after_seconds(100);
    let out = bed.learn(
        &register(&contact(Some(600_000)), 2),
        &register_200(&contact(Some(3_600)), 2),
    );
    assert_eq!(out, [], "no second subscription");
    let other = contact(None)
        .replace(":1357", ":2468")
        .replace("reg-id=1", "reg-id=2");
    bed.learn(
        &register(&format!("{other};expires=3600"), 3),
        &register_200(&format!("{other};expires=3600"), 3),
    );
    assert_eq!(bed.node.registrations(), 2);
    let out = bed.learn(
        &register(&contact(Some(0)), 4),
        &register_200(&format!("{other};expires=3500"), 4),
    );
    // The bearer is that of the other flow too (T48).
    let out = bed.done(ask(&out, "delivery"));
    let out = bed.done(ask(&out, "security association"));
    let Out::Event(_, event) = out[0] else {
        panic!("{out:?}")
    };
    assert_eq!(outcome(event), (Cause::User, Outcome::ByUser, 0));
    assert!(
        bed.node
            .is_registered(b"sip:[2001:db8::aaa:bbb]:2468;comp=sigcomp")
    );
    assert!(!bed.node.is_registered(CONTACT.as_bytes()));
}

/// [RE-2, RE-9] Two flows of one private identity share one subscription; the end of the last one ends it.
#[test]
fn one_subscription_for_all_flows() {
    let (mut bed, _) = subscribed();
    let other = contact(None)
        .replace(":1357", ":2468")
        .replace("reg-id=1", "reg-id=2");
    let out = bed.learn(
        &register(&format!("{other};expires=3600"), 3),
        &register_200(&format!("{other};expires=3600"), 3),
    );
    assert_eq!(out, []);
    let out = bed.learn(&register("*", 4), &register_200("", 4));
    let asks: Vec<Token> = out
        .iter()
        .map(|out| match out {
            Out::Ask {
                token,
                what: "delivery",
                ..
            } => *token,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(asks.len(), 2);
    let mut last = Vec::new();
    for token in asks {
        let Out::Ask { token, .. } = bed.done(token)[0] else {
            panic!()
        };
        let Out::Ask { token, .. } = bed.done(token)[0] else {
            panic!()
        };
        last = bed.done(token);
    }
    match &last[..] {
        [Out::Event(..), Out::Request { bytes, .. }] => {
            let text = String::from_utf8(bytes.clone()).unwrap();
            assert!(text.starts_with("SUBSCRIBE sip:n@scscf1.home1.example.net:5080 SIP/2.0"));
            assert!(text.contains("\r\nExpires: 0\r\n"));
            assert!(text.contains("\r\nCSeq: 2 SUBSCRIBE\r\n"));
        }
        other => panic!("{other:?}"),
    }
}

/// [RE-1] `supportRegEvent` is off by default: nothing is subscribed to, and the 2xx alone ends it (PD-8).
#[test]
fn no_subscription_by_default() {
    let mut plain = config();
    plain.subscription.support_reg_event = false;
    assert!(
        !ims_procedures::pcscf::Config::new(common::pcscf::element(), b"v")
            .subscription
            .support_reg_event
    );
    let mut bed = Bed::new(plain);
    assert_eq!(bed.register(), []);
    let (token, register) = request(&bed.lose(CONTACT));
    let out = bed.respond(token, &response(200, &register, ""));
    assert_eq!(
        outcome(clean_up(&mut bed, &out)),
        (Cause::AccessLost, Outcome::Unconfirmed, 1)
    );
}

/// [RE-2] An emergency registration is not subscribed to, and no report of loss ends it.
#[test]
fn emergency_registrations_are_left_alone() {
    let mut bed = Bed::new(config());
    let sos = format!("<{CONTACT};sos>;expires=3600");
    assert_eq!(bed.learn(&register(&sos, 1), &register_200(&sos, 1)), []);
    let command = Command::AccessLost {
        ue: Ue::at(b"sip:[2001:db8::aaa:bbb]:1357;comp=sigcomp;sos"),
        evidence: Evidence::BearerLost,
    };
    let verdict = bed.node.command(bed.now, command, &mut bed.out);
    assert_eq!(verdict, Ok(Verdict::NotMine));
    assert_eq!(bed.take(), []);
    assert_eq!(bed.node.registrations(), 1);
    let mut early = config();
    early.registration_threshold = 60_000;
    bed.node.reconfigure(early).unwrap();
    let start = bed.now;
    bed.now = Millis(start.after_seconds(3_600).0 - 1);
    assert_eq!(bed.tick(), [], "not before its time");
    let mut out = bed.fire("registration lifetime");
    while let [Out::Ask { token, .. }] = out[..] {
        out = bed.done(token);
    }
    let Out::Event(_, event) = &out[0] else {
        panic!("{out:?}")
    };
    assert_eq!(
        outcome(*event),
        (Cause::RegistrationTimer, Outcome::Expired, 0)
    );
}

/// [PD-3] A report for a contact that is not registered is not ours; a second report changes nothing.
#[test]
fn reports_of_loss() {
    let (mut bed, _) = subscribed();
    for contact in ["sip:nobody@192.0.2.9", ""] {
        let command = Command::AccessLost {
            ue: Ue::at(contact.as_bytes()),
            evidence: Evidence::BearerLost,
        };
        let verdict = bed.node.command(bed.now, command, &mut bed.out);
        assert_eq!(verdict, Ok(Verdict::NotMine));
        assert_eq!(bed.take(), []);
    }
    request(&bed.lose(CONTACT));
    let command = Command::AccessLost {
        ue: Ue::at(CONTACT.as_bytes()),
        evidence: Evidence::BearerLost,
    };
    let verdict = bed.node.command(bed.now, command, &mut bed.out);
    assert_eq!(verdict, Ok(Verdict::NotMine));
    assert_eq!(bed.take(), []);
}

/// [PD-4] At the end of its lifetime, less the threshold, an unrefreshed registration is deregistered.
#[test]
fn the_registration_timer() {
    for threshold in [0, 5_000] {
        let mut bed = Bed::new({
            let mut config = config();
            config.subscription.support_reg_event = false;
            config.registration_threshold = threshold;
            config
        });
        let start = bed.now;
        bed.register();
        bed.now = Millis(start.after_seconds(3_600).0 - threshold - 1);
        assert_eq!(bed.tick(), [], "a millisecond too early");
        let (_, register) = request(&bed.fire("registration lifetime"));
        assert_eq!(bed.now, Millis(start.after_seconds(3_600).0 - threshold));
        assert!(register.starts_with(b"REGISTER sip:home1.example.net SIP/2.0\r\n"));
    }
}

/// [PD-4] Of two registrations the one that runs out first is deregistered first, the other not.
#[test]
fn each_registration_has_its_own_lifetime() {
    for (first, second) in [(100, 200), (200, 100)] {
        let mut plain = config();
        plain.subscription.support_reg_event = false;
        let mut bed = Bed::new(plain);
        for (host, seconds) in [("a", first), ("b", second)] {
            let contact = format!("<sip:u@{host}>;expires={seconds}");
            bed.learn(&register(&contact, 1), &register_200(&contact, 1));
        }
        let start = bed.now;
        let (_, register) = request(&bed.fire("registration lifetime"));
        assert_eq!(bed.now, start.after_seconds(100));
        let expected = if first < second {
            "<sip:u@a>"
        } else {
            "<sip:u@b>"
        };
        assert!(String::from_utf8(register).unwrap().contains(expected));
        assert_eq!(bed.tick(), []);
    }
}

/// [DR-5] A user that is gone makes room for another.
#[test]
fn room_is_given_back() {
    let mut small = config();
    small.subscription.support_reg_event = false;
    small.limits.users = 1;
    let mut bed = Bed::new(small);
    for round in 0..3 {
        let other = |text: String| text.replace(PRIVATE, &format!("user{round}@home1.example.net"));
        bed.learn(
            &other(register(&contact(Some(60)), 1)),
            &register_200(&contact(Some(60)), 1),
        );
        let mut out = bed.learn(&other(register(&contact(Some(0)), 2)), &register_200("", 2));
        while let [Out::Ask { token, .. }] = out[..] {
            out = bed.done(token);
        }
        assert_eq!(bed.node.registrations(), 0);
    }
}

/// [DR-7] A restored node finds its users by every key: contact, private identity, dialog.
#[test]
fn restored_users_are_found() {
    let (bed, dialog) = subscribed();
    let mut blob = Vec::new();
    bed.node.snapshot(bed.now, &mut blob);
    let restore = || Bed {
        node: PcscfNode::restore(config(), identifiers(2), Millis(5), &blob).unwrap(),
        out: Outbox::for_steps(1),
        now: Millis(5),
    };
    request(&restore().lose(CONTACT));
    let notify = dialog.notify(2, "active;expires=3000", &terminated());
    let (verdict, out) = restore().receive(Source::TrustedCore, &notify);
    assert_eq!(verdict, Verdict::Handled);
    ask(&out[..2], "delivery");
    let mut again = restore();
    assert_eq!(again.register(), [], "known, and subscribed to already");
    assert_eq!(again.node.registrations(), 1);
}

/// [PD-5] Along the Service-Route when so configured; without integrity-protected when so configured.
#[test]
fn options_of_the_register() {
    let mut other = config();
    other.next_hop = NextHop::ServiceRoute;
    other.integrity_protected = false;
    let mut bed = Bed::new(other);
    bed.register();
    let out = bed.lose(CONTACT);
    let (_, register) = request(&out);
    let register = String::from_utf8(register).unwrap();
    assert!(register.contains("\r\nRoute: <sip:orig@scscf1.home1.example.net:5080;lr>\r\n"));
    assert!(register.contains("response=\"\"\r\n"), "{register}");
    let Out::Request { hops, .. } = &out[1] else {
        panic!()
    };
    assert_eq!(hops, &["sip:orig@scscf1.home1.example.net:5080;lr"]);

    let mut other = config();
    other.entry_points = vec![
        b"sip:icscf1.home1.example.net".to_vec(),
        b"sip:icscf2.home1.example.net".to_vec(),
    ];
    let mut bed = Bed::new(other);
    bed.register();
    let Out::Request { hops, .. } = &bed.lose(CONTACT)[1] else {
        panic!()
    };
    assert_eq!(
        hops,
        &[
            "sip:icscf1.home1.example.net",
            "sip:icscf2.home1.example.net"
        ]
    );
}

/// [PD-6] What each final answer means, with the number of REGISTERs sent.
#[test]
fn answers_to_the_register() {
    for (status, expected) in [
        (404, Outcome::NothingThere { status: 404 }),
        (481, Outcome::NothingThere { status: 481 }),
        (401, Outcome::Unsupported { status: 401 }),
        (407, Outcome::Unsupported { status: 407 }),
        (403, Outcome::Refused),
        (423, Outcome::Failed { status: 423 }),
        (302, Outcome::Failed { status: 302 }),
        (600, Outcome::Failed { status: 600 }),
    ] {
        let (mut bed, _) = subscribed();
        let (token, register) = request(&bed.lose(CONTACT));
        assert_eq!(
            bed.respond(token, &response(100, &register, "")),
            [],
            "1xx says nothing"
        );
        let out = bed.respond(token, &response(status, &register, ""));
        assert_eq!(
            outcome(clean_up(&mut bed, &out)),
            (Cause::AccessLost, expected, 1),
            "{status}"
        );
    }
}

/// [PD-6] 408, 480, 500, 503, 504 and silence are retried at growing intervals, with the same Call-ID and
/// tag, the next CSeq and a new branch; after the last attempt the local state goes.
#[test]
fn retries_are_bounded() {
    for status in [408, 480, 500, 503, 504, 0, 1] {
        let (mut bed, _) = subscribed();
        let mut out = bed.lose(CONTACT);
        let mut branches = Vec::new();
        let mut call_ids = Vec::new();
        for attempt in 1..=3u32 {
            let (token, register) = request(&out);
            let text = String::from_utf8(register.clone()).unwrap();
            assert!(text.contains(&format!("\r\nCSeq: {attempt} REGISTER\r\n")));
            let value = |name: &str| {
                text.lines()
                    .find(|l| l.starts_with(name))
                    .unwrap()
                    .to_owned()
            };
            branches.push(value("Via:"));
            call_ids.push((value("Call-ID:"), value("From:")));
            let before = bed.now;
            out = match status {
                0 => bed.answer(token, drive::Answer::Timeout),
                1 => bed.answer(token, drive::Answer::Unreachable),
                status => bed.respond(token, &response(status, &register, "")),
            };
            if attempt < 3 {
                assert_eq!(out, []);
                out = bed.fire("retry of REGISTER");
                assert_eq!(bed.now.since(before), 4_000 << (attempt - 1));
            }
        }
        let expected = match status {
            0 | 1 => Outcome::NoResponse,
            status => Outcome::Failed { status },
        };
        assert_eq!(
            outcome(clean_up(&mut bed, &out)),
            (Cause::AccessLost, expected, 3)
        );
        branches.dedup();
        assert_eq!(branches.len(), 3);
        call_ids.dedup();
        assert_eq!(call_ids.len(), 1);
    }
}

/// [PD-6] Retry-After is honoured, its comment and parameters tolerated; a longer one than the limit ends
/// the attempts.
#[test]
fn retry_after() {
    let (mut bed, _) = subscribed();
    let (token, register) = request(&bed.lose(CONTACT));
    let before = bed.now;
    let busy = response(
        503,
        &register,
        "Retry-After: 30 (in a while);duration=60\r\n",
    );
    assert_eq!(bed.respond(token, &busy), []);
    let (token, register) = request(&bed.fire("retry of REGISTER"));
    assert_eq!(bed.now.since(before), 30_000);
    {
        let (mut bed, _) = subscribed();
        let (token, register) = request(&bed.lose(CONTACT));
        let before = bed.now;
        assert_eq!(
            bed.respond(token, &response(503, &register, "Retry-After: 120\r\n")),
            []
        );
        request(&bed.fire("retry of REGISTER"));
        assert_eq!(
            bed.now.since(before),
            120_000,
            "the limit itself is waited for"
        );
    }
    let busy = response(503, &register, "Retry-After: 121\r\n");
    let out = bed.respond(token, &busy);
    assert_eq!(
        outcome(clean_up(&mut bed, &out)),
        (Cause::AccessLost, Outcome::Failed { status: 503 }, 2)
    );
}

/// [PD-6] A host that never answers for a REGISTER does not hold the registration for ever.
#[test]
fn an_answer_that_never_comes() {
    let (mut bed, _) = subscribed();
    bed.lose(CONTACT);
    assert_eq!(bed.fire("answer to REGISTER"), []);
    request(&bed.fire("retry of REGISTER"));
}

/// [PD-7] A NOTIFY before the 200 to the REGISTER cleans up; the late 200 is ignored and counted.
#[test]
fn notify_before_the_answer() {
    let (mut bed, dialog) = subscribed();
    let (token, register) = request(&bed.lose(CONTACT));
    let notify = dialog.notify(2, "terminated;reason=noresource", &terminated());
    let (_, out) = bed.receive(Source::TrustedCore, &notify);
    assert_eq!(bed.respond(token, &response(200, &register, "")), []);
    assert_eq!(bed.node.counters().stale_answers, 1);
    assert_eq!(
        outcome(clean_up(&mut bed, &out[1..2])),
        (Cause::AccessLost, Outcome::Notified, 1)
    );
}

/// [PD-7] Each step waits for the one before; a failed or unanswered one does not stop the rest; a second
/// NOTIFY, and answers given twice, change nothing.
#[test]
fn the_cleanup_is_ordered_and_happens_once() {
    let (mut bed, dialog) = subscribed();
    let notify = dialog.notify(2, "active;expires=3000", &terminated());
    let (_, out) = bed.receive(Source::TrustedCore, &notify);
    // [RE-9] The subscription, still active, is ended.
    let (_, subscribe) = request(&out[..1]);
    let subscribe = String::from_utf8(subscribe).unwrap();
    assert!(subscribe.contains("\r\nExpires: 0\r\n"));
    let delivery = ask(&out[..2], "delivery");
    let (_, again) = bed.receive(Source::TrustedCore, &notify);
    assert!(
        matches!(again[..], [Out::Respond { status: 200, .. }]),
        "{again:?}"
    );
    let more = dialog.notify(3, "active;expires=3000", &terminated());
    let (_, again) = bed.receive(Source::TrustedCore, &more);
    assert!(
        matches!(again[..], [Out::Respond { status: 200, .. }]),
        "{again:?}"
    );

    let out = bed.answer(delivery, Answer::Failed.into());
    let shortening = ask(&out, "shortening");
    assert_eq!(bed.done(delivery), [], "answered twice");
    let out = bed.answer(shortening, Answer::Failed.into());
    let association = ask(&out, "security association");
    let before = bed.now;
    let out = bed.fire("cleanup step");
    assert_eq!(bed.now.since(before), 5_000);
    let bearer = ask(&out, "bearer");
    assert_eq!(bed.done(association), [], "answered too late");
    let out = bed.done(bearer);
    let Out::Event(_, event) = &out[0] else {
        panic!("{out:?}")
    };
    assert_eq!(outcome(*event), (Cause::Network, Outcome::Notified, 0));
    assert_eq!(out.len(), 1, "{out:?}");
    assert_eq!(bed.node.counters().stale_answers, 2);
}

/// [PD-8] Without a NOTIFY the 2xx and a bounded wait clean up.
#[test]
fn no_notify_comes() {
    let (mut bed, _) = subscribed();
    let (token, register) = request(&bed.lose(CONTACT));
    let before = bed.now;
    assert_eq!(bed.respond(token, &response(200, &register, "")), []);
    let out = bed.fire("NOTIFY after deregistration");
    assert_eq!(bed.now.since(before), 32_000);
    assert_eq!(
        outcome(clean_up(&mut bed, &out)),
        (Cause::AccessLost, Outcome::Unconfirmed, 1)
    );
}

/// [PD-9] The UE registers anew: a REGISTER that waits is not sent, one that is out is not retried.
#[test]
fn the_ue_comes_back() {
    for waiting in [true, false] {
        let (mut bed, _) = subscribed();
        let (token, register) = request(&bed.lose(CONTACT));
        if waiting {
            assert_eq!(bed.respond(token, &response(503, &register, "")), []);
        }
        let out = bed.learn(
            &self::register(&contact(Some(600_000)), 2),
            &register_200(&contact(Some(3_600)), 2),
        );
        assert!(
            matches!(
                out[..],
                [Out::Event(
                    _,
                    Event::Cancelled {
                        cause: Cause::AccessLost,
                        registers: 1,
                        ..
                    }
                )]
            ),
            "{out:?}"
        );
        assert!(bed.node.is_registered(CONTACT.as_bytes()));
        let (_, timer) = bed.node.deadline().unwrap();
        assert!(!timer.0.contains("REGISTER"), "{timer}");
        if waiting {
            let (_, anew) = request(&bed.lose(CONTACT));
            let anew = String::from_utf8(anew).unwrap();
            assert!(
                anew.contains("\r\nCSeq: 1 REGISTER\r\n"),
                "a deregistration of its own"
            );
        } else {
            let out = bed.learn(&self::register(&contact(Some(0)), 3), &register_200("", 3));
            let event = clean_up(&mut bed, &out);
            assert_eq!(outcome(event), (Cause::User, Outcome::ByUser, 0));
        }
    }
}

/// [PD-10] Whose contact a document means: the URI, with instance and reg-id speaking against it only where
/// both sides have them; a registration that ended without contact elements; other devices stay. T08: what a
/// full document leaves out is gone, what a partial one leaves out stays.
#[test]
fn whose_contact_is_meant() {
    let instance = |urn: &str| {
        format!("<unknown-param name=\"+sip.instance\">\"&lt;{urn}&gt;\"</unknown-param>")
    };
    let own = instance("urn:gsma:imei:90420156-025763-0");
    let foreign = instance("urn:gsma:imei:00000000-000000-0");
    let reg_id = "<unknown-param name=\"reg-id\">2</unknown-param>";
    let gone = |params: &str| {
        document(
            "active",
            &[
                (CONTACT, "terminated", "deactivated", params),
                ("sip:other@192.0.2.1", "active", "registered", ""),
            ],
        )
    };
    let partial = |full: String| {
        full.replace(
            "version=\"1\" state=\"full\"",
            "version=\"2\" state=\"partial\"",
        )
    };
    let cases = [
        ("its own contact", gone(""), true),
        ("its own instance", gone(&own), true),
        (
            "another instance at the same URI",
            partial(gone(&foreign)),
            false,
        ),
        ("another flow", partial(gone(reg_id)), false),
        (
            "the URI written otherwise",
            gone("").replace(CONTACT, "sip:[2001:DB8:0:0:0:0:aaa:bbb]:1357;comp=sigcomp"),
            true,
        ),
        (
            "another device",
            document(
                "active",
                &[
                    ("sip:other@192.0.2.1", "terminated", "expired", ""),
                    (CONTACT, "active", "registered", ""),
                ],
            ),
            false,
        ),
        (
            "an active contact with an odd event",
            document("active", &[(CONTACT, "active", "deactivated", "")]),
            false,
        ),
        (
            "an active contact in a terminated registration",
            document("terminated", &[(CONTACT, "active", "registered", "")]),
            true,
        ),
        (
            "no contact elements at all",
            document("terminated", &[]),
            true,
        ),
        ("never registered", partial(document("init", &[])), false),
        ("left out by a full document", document("init", &[]), true),
        (
            "every event that ends",
            document("terminated", &[(CONTACT, "terminated", "rejected", "")]),
            true,
        ),
        (
            "an unknown event",
            document("active", &[(CONTACT, "terminated", "novel", "")]),
            true,
        ),
        (
            "nothing of it",
            partial(document(
                "active",
                &[("sip:other@192.0.2.1", "active", "registered", "")],
            )),
            false,
        ),
        (
            "another device's alone, in a full document",
            document(
                "active",
                &[("sip:other@192.0.2.1", "active", "registered", "")],
            ),
            true,
        ),
    ];
    for (what, body, ends) in cases {
        let (mut bed, dialog) = subscribed();
        let notify = dialog.notify(2, "active;expires=3000", &body);
        let (verdict, out) = bed.receive(Source::TrustedCore, &notify);
        assert_eq!(verdict, Verdict::Handled, "{what}");
        let asked = out.iter().any(|out| matches!(out, Out::Ask { .. }));
        assert_eq!(asked, ends, "{what}: {out:?}");
        assert_eq!(bed.node.is_registered(CONTACT.as_bytes()), !ends, "{what}");
    }
}

/// [PD-10] `shortened` shortens the P-CSCF's own timer, and never lengthens it.
#[test]
fn shortened() {
    let (mut bed, dialog) = subscribed();
    let body = document("active", &[(CONTACT, "active", "shortened", "")]);
    for (cseq, expires, left) in [(2, "120", 120), (3, "500", 120)] {
        let body = body.replace("expires=\"0\"", &format!("expires=\"{expires}\""));
        bed.receive(
            Source::TrustedCore,
            &dialog.notify(cseq, "active;expires=3000", &body),
        );
        let (at, timer) = bed.node.deadline().unwrap();
        assert_eq!(timer.0, "registration lifetime");
        assert_eq!(at, bed.now.after_seconds(left));
    }
}

/// [PD-11] The marks of trust in a UE's REGISTER are removed; all else stays byte for byte.
#[test]
fn trust_marks_are_stripped() {
    let dirty = "REGISTER sip:home1.example.net SIP/2.0\r\n\
        Via: SIP/2.0/UDP [2001:db8::aaa:bbb]:1357;branch=z9hG4bKx\r\n\
        P-Asserted-Identity: <sip:pcscf1.visited1.example.net:5070>,\r\n <tel:+1>\r\n\
        f: <sip:a@b>;tag=1\r\n\
        t:   <sip:a@b>\r\n\
        i: 1\r\n\
        CSeq: 1 REGISTER\r\n\
        p-charging-vector: icid-value=forged\r\n\
        Authorization: Digest username=\"a,\\\" integrity-protected=yes\", Integrity-Protected = \"auth-done\",realm=\"r\"\r\n\
        P-Visited-Network-ID: forged\r\n\
        Path: <sip:term@pcscf1.visited1.example.net;lr>\r\n\
        Service-Route: <sip:x>\r\n\
        P-Associated-URI: <sip:y>\r\n\
        P-Charging-Function-Addresses: ccf=forged\r\n\
        P-Called-Party-ID: <sip:z>\r\n\
        P-Served-User: <sip:z>\r\n\
        P-Profile-Key: <sip:z>\r\n\
        P-User-Database: <aaa://z>\r\n\
        P-Access-Network-Info: 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=1;Network-Provided\r\n\
        P-Access-Network-Info: 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=2\r\n\
        X-Unknown:  kept   as \t is \r\n\
        Content-Length: 3\r\n\r\n\0\u{ff}!";
    let clean = "REGISTER sip:home1.example.net SIP/2.0\r\n\
        Via: SIP/2.0/UDP [2001:db8::aaa:bbb]:1357;branch=z9hG4bKx\r\n\
        f: <sip:a@b>;tag=1\r\n\
        t:   <sip:a@b>\r\n\
        i: 1\r\n\
        CSeq: 1 REGISTER\r\n\
        Authorization: Digest username=\"a,\\\" integrity-protected=yes\",realm=\"r\"\r\n\
        P-Access-Network-Info: 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=2\r\n\
        X-Unknown:  kept   as \t is \r\n\
        Content-Length: 3\r\n\r\n\0\u{ff}!";
    let bytes = |text: &str| text.chars().map(|c| c as u8).collect::<Vec<u8>>();
    let limits = Limits::default();
    let mut into = Buffer::new(4_096);
    strip_trust_marks(&bytes(dirty), &limits, &mut into).unwrap();
    assert_eq!(
        String::from_utf8_lossy(into.as_slice()),
        String::from_utf8_lossy(&bytes(clean))
    );
    into.clear();
    strip_trust_marks(&bytes(clean), &limits, &mut into).unwrap();
    assert_eq!(into.as_slice(), bytes(clean), "a clean one stays as it is");
    into.clear();
    assert!(strip_trust_marks(b"garbage", &limits, &mut into).is_err());
    let mut small = Buffer::new(50);
    assert!(strip_trust_marks(&bytes(clean), &limits, &mut small).is_err());
    assert!(small.is_empty());
}

/// [RE-10, DR-4] What is wrong with the header of a NOTIFY is answered as it must be, told with its reason, and
/// changes nothing.
#[test]
fn bad_notifies_change_nothing() {
    let (mut bed, dialog) = subscribed();
    let good = dialog.notify(2, "active;expires=3000", &terminated());
    let text = String::from_utf8(good).unwrap();
    let cases = [
        (text.replace("Event: reg", "Event: presence"), 489, 301),
        (text.replace("Event: reg", "Event: REG"), 489, 301),
        (text.replace("Event: reg\r\n", ""), 489, 301),
        (text.replace("Event: reg", "Event: reg;id=7"), 481, 302),
        (
            text.replace("application/reginfo+xml", "application/pidf+xml"),
            415,
            303,
        ),
        (text.replace("CSeq: 2 ", "CSeq: 0 "), 500, 304),
        (
            text.replace(&format!("tag={}", dialog.tag), "tag=other"),
            481,
            300,
        ),
        (text.replace("tag=scscf1", "tag=fork"), 481, 300),
        (
            text.replace(&format!("Call-ID: {}", dialog.call_id), "Call-ID: nobody"),
            481,
            300,
        ),
        (
            text.replace("terminated;", "terminated").replace(
                "Subscription-State: active;expires=3000",
                "Subscription-State: ;",
            ),
            400,
            0,
        ),
    ];
    let mut before = Vec::new();
    bed.node.snapshot(bed.now, &mut before);
    for (number, (bytes, status, code)) in cases.iter().enumerate() {
        let (verdict, out) = bed.receive(Source::TrustedCore, bytes.as_bytes());
        let Verdict::Rejected(reject) = verdict else {
            panic!("{number}: {verdict:?}")
        };
        if *code != 0 {
            assert_eq!(reject.defect.code, *code, "{number}: {reject}");
        }
        match &out[..] {
            [
                Out::Respond {
                    status: answered,
                    bytes,
                    ..
                },
            ] => {
                assert_eq!(answered, status, "{number}: {reject}");
                assert!(bytes.starts_with(format!("SIP/2.0 {status} ").as_bytes()));
            }
            other => panic!("{number}: {other:?}"),
        }
        let mut after = Vec::new();
        bed.node.snapshot(bed.now, &mut after);
        assert_eq!(before, after, "{number}");
    }
    for from in [Source::Ue, Source::Unknown] {
        let (verdict, out) = bed.receive(from, text.as_bytes());
        assert!(matches!(verdict, Verdict::Rejected(r) if r.defect.code == 305));
        assert!(matches!(out[..], [Out::Respond { status: 403, .. }]));
    }
    let not_ours = text.replace(&dialog.target, "sip:someone@192.0.2.1");
    let (verdict, out) = bed.receive(Source::TrustedCore, not_ours.as_bytes());
    assert_eq!(
        (verdict, out),
        (Verdict::NotMine, vec![]),
        "a NOTIFY that a UE is to get"
    );
    let (verdict, _) = bed.receive(Source::TrustedCore, text.as_bytes());
    assert_eq!(verdict, Verdict::Handled, "and the good one still counts");
}

/// [DR-4] [RFC 3261 18.3] A NOTIFY that cannot be read, or demands what is not supported, gets the answer
/// owed, a retransmission the same; and the good one still counts.
#[test]
fn what_a_notify_owes() {
    let (mut bed, dialog) = subscribed();
    let good = dialog.notify(2, "active;expires=3000", &terminated());
    let text = String::from_utf8(good.clone()).unwrap();
    let copied = |text: &str| -> String {
        let named = ["Via", "From", "To", "Call-ID", "CSeq"];
        let lines = named.map(|name| {
            let line = text
                .lines()
                .find(|line| line.starts_with(&format!("{name}:")));
            line.map_or(String::new(), |line| format!("{line}\r\n"))
        });
        lines.concat()
    };
    let answer = |status_line: &str, text: &str, further: &str| {
        format!(
            "SIP/2.0 {status_line}\r\n{}{further}Content-Length: 0\r\n\r\n",
            copied(text)
        )
    };
    let with = |line: &str| text.replace("Max-Forwards", &format!("{line}\r\nMax-Forwards"));
    let no_call_id = text.replace("Call-ID", "X");
    for (bytes, expected) in [
        (
            text[..text.len() - 1].to_owned(),
            answer("400 body is shorter than Content-Length", &text, ""),
        ),
        (
            text.replace("SIP/2.0\r\nVia", "SIP/9.0\r\nVia"),
            answer("505 Version Not Supported", &text, ""),
        ),
        (
            with("Require: eventlist, Path"),
            answer(
                "420 Bad Extension",
                &text,
                "Unsupported: eventlist, Path\r\n",
            ),
        ),
        (
            no_call_id.clone(),
            answer("400 Call-ID is missing", &no_call_id, ""),
        ),
        (
            text.replace("application/reginfo", "application/pidf"),
            answer(
                "415 Unsupported Media Type",
                &text,
                "Accept: application/reginfo+xml\r\n",
            ),
        ),
        (
            text.replace("Max-Forwards: 70", "Max-Forwards: 70\r\nmax-forwards: 7"),
            answer("400 header field repeated with another value", &text, ""),
        ),
    ] {
        for _ in 0..2 {
            let (verdict, out) = bed.receive(Source::TrustedCore, bytes.as_bytes());
            assert!(matches!(verdict, Verdict::Rejected(_)), "{verdict:?}");
            let [Out::Respond { bytes: given, .. }] = &out[..] else {
                panic!("{out:?}")
            };
            assert_eq!(String::from_utf8_lossy(given), expected);
        }
    }
    let (verdict, _) = bed.receive(Source::TrustedCore, &good);
    assert_eq!(verdict, Verdict::Handled);
}

/// [RFC 3261 8.2.2.3] What a request demands, and what it lacks, is no matter of a node that does not take
/// it: it is the host's.
#[test]
fn demands_on_others() {
    let (mut bed, dialog) = subscribed();
    let notify = String::from_utf8(dialog.notify(2, "active", &terminated())).unwrap();
    let demanding = |text: &str| {
        text.replace(
            "CSeq: ",
            "Require: nothing\r\nProxy-Require: nothing\r\nCSeq: x",
        )
    };
    let register = demanding(&register(&contact(Some(60)), 2));
    assert!(register.contains("Require: nothing"));
    let other = demanding(&notify.replace(&dialog.target, "sip:someone@192.0.2.1"));
    for (bytes, expected) in [(register, Verdict::Forward), (other, Verdict::NotMine)] {
        let (verdict, out) = bed.receive(Source::TrustedCore, bytes.as_bytes());
        assert_eq!((verdict, out), (expected, vec![]));
    }
}

/// [DR-4] Truncated at any byte, garbage, a header of 64 KiB: refused with a reason, state unchanged.
#[test]
fn bytes_that_are_no_message() {
    let (mut bed, dialog) = subscribed();
    let good = dialog.notify(2, "active;expires=3000", &terminated());
    let mut before = Vec::new();
    bed.node.snapshot(bed.now, &mut before);
    let mut refused = |bytes: &[u8]| {
        let (verdict, out) = bed.receive(Source::TrustedCore, bytes);
        assert!(
            matches!(verdict, Verdict::Rejected(_)),
            "{verdict:?}: {}",
            bytes.len()
        );
        assert!(out.len() <= 1);
        let mut after = Vec::new();
        bed.node.snapshot(bed.now, &mut after);
        assert_eq!(before, after);
    };
    for end in 0..good.len() {
        refused(&good[..end]);
    }
    refused(&[0xff; 512]);
    let mut huge = b"NOTIFY sip:x SIP/2.0\r\nX: ".to_vec();
    huge.extend([b'a'; 65_536]);
    huge.extend(b"\r\n\r\n");
    refused(&huge);
}

/// [DR-4, DR-6] An answer to nothing, of the wrong kind, too late; an outbox too small.
#[test]
fn mistakes_of_the_host() {
    let (mut bed, _) = subscribed();
    let unknown = bed.node.answer(
        bed.now,
        Token::from_u64(999_999),
        drive::Answer::Timeout,
        &mut bed.out,
    );
    assert_eq!(unknown, Err(Misuse::UnknownToken));
    let (token, _) = request(&bed.lose(CONTACT));
    let wrong = bed
        .node
        .answer(bed.now, token, Answer::Done.into(), &mut bed.out);
    assert_eq!(wrong, Err(Misuse::WrongAnswer));
    let mut before = Vec::new();
    bed.node.snapshot(bed.now, &mut before);
    let mut small: Outbox<Pcscf> = Outbox::with_room(1, 100);
    let later = bed.now.after(1_000_000_000);
    let full =
        |result: Result<(), Misuse>| assert!(matches!(result, Err(Misuse::OutboxFull { .. })));
    full(
        bed.node
            .answer(bed.now, token, drive::Answer::Timeout, &mut small),
    );
    full(bed.node.tick(later, &mut small));
    full(
        bed.node
            .receive(
                bed.now,
                Source::TrustedCore,
                TransactionRef(1),
                b"",
                &mut small,
            )
            .map(drop),
    );
    let command = Command::AccessLost {
        ue: Ue::at(CONTACT.as_bytes()),
        evidence: Evidence::BearerLost,
    };
    full(bed.node.command(bed.now, command, &mut small).map(drop));
    assert!(small.is_empty());
    let mut after = Vec::new();
    bed.node.snapshot(bed.now, &mut after);
    assert_eq!(before, after);
}

/// [DR-6] Time that goes backwards stands still, is counted, and loses no message.
#[test]
fn time_goes_backwards() {
    let (mut bed, _) = subscribed();
    bed.now = Millis(5);
    let (_, register) = request(&bed.lose(CONTACT));
    assert!(!register.is_empty());
    assert_eq!(bed.node.time_backwards(), 1);
    let (at, _) = bed.node.deadline().unwrap();
    assert_eq!(at, Millis(1_000).after(40_000));
}

/// [DR-5] As many contacts and users as the limits say, and not one more.
#[test]
fn limits_of_the_node() {
    let mut small = config();
    small.subscription.support_reg_event = false;
    small.limits.contacts = 2;
    small.limits.users = 1;
    let mut bed = Bed::new(small);
    let contact = |n: u32| format!("<sip:u{n}@192.0.2.1>;expires=60");
    for n in 0..2 {
        bed.learn(&register(&contact(n), n), &register_200(&contact(n), n));
    }
    let (request, response) = (register(&contact(9), 9), register_200(&contact(9), 9));
    for (contact, response) in [
        (contact(0), contact(0)),
        ("<sip:u9@192.0.2.1>;expires=0".into(), String::new()),
    ] {
        bed.learn(&register(&contact, 5), &register_200(&response, 5));
        assert_eq!(
            bed.node.registrations(),
            2,
            "a refresh, or the end of another, needs no room"
        );
    }
    let mut refuse = |request: &str, response: &str, why: Misuse| {
        let command = Command::Learn {
            request: request.as_bytes(),
            response: response.as_bytes(),
            trunk_group: b"",
        };
        let refused = bed.node.command(bed.now, command, &mut bed.out);
        assert_eq!(refused, Err(why));
        assert_eq!(bed.node.registrations(), 2);
    };
    refuse(&request, &response, Misuse::TooLarge { limit: "contacts" });
    refuse(
        &request.replace(PRIVATE, "another@home1.example.net"),
        &response,
        Misuse::NodeFull,
    );
    let long = format!("<sip:{}@192.0.2.1>;expires=60", "x".repeat(8_192));
    refuse(
        &register(&long, 9),
        &register_200(&long, 9),
        Misuse::TooLarge {
            limit: "registration_bytes",
        },
    );
}

/// [DR-7] Restored at any point, on a host with another clock, the node goes on as the original does: the
/// same bytes again for what was outstanding, then the same.
#[test]
fn restored_in_every_state() {
    // How far the scenario goes before the restore.
    for stop in 0..6 {
        let (mut bed, dialog) = subscribed();
        let mut outstanding = Vec::new();
        let mut step = |bed: &mut Bed, number: usize| {
            let out = match number {
                0 => bed.lose(CONTACT),
                1 => {
                    let (token, register) = request(&outstanding);
                    bed.respond(token, &response(503, &register, ""))
                }
                2 => bed.fire("retry of REGISTER"),
                3 => {
                    let (token, register) = request(&outstanding);
                    bed.respond(token, &response(200, &register, ""))
                }
                4 => {
                    let notify = dialog.notify(2, "terminated;reason=noresource", &terminated());
                    bed.receive(Source::TrustedCore, &notify).1
                }
                _ => {
                    let token = ask(&outstanding, "delivery");
                    bed.done(token)
                }
            };
            outstanding = out
                .into_iter()
                .filter(|o| matches!(o, Out::Request { .. } | Out::Ask { .. }))
                .collect();
        };
        for number in 0..=stop {
            step(&mut bed, number);
        }
        let mut blob = Vec::new();
        bed.node.snapshot(bed.now, &mut blob);
        let there = Millis(bed.now.0 + 7_777_777);
        let deadline = bed
            .node
            .deadline()
            .map(|(at, timer)| (at.since(bed.now), timer));
        let mut restored = Bed {
            node: PcscfNode::restore(config(), identifiers(2), there, &blob).unwrap(),
            out: Outbox::for_steps(1),
            now: there,
        };
        let offered = if outstanding.is_empty() {
            Vec::new()
        } else {
            {
                restored.now = there;
                restored.tick()
            }
        };
        let essence = |out: &[Out]| -> Vec<String> {
            out.iter()
                .map(|out| match out {
                    Out::Request { bytes, hops, .. } => {
                        format!("{hops:?} {}", String::from_utf8_lossy(bytes))
                    }
                    Out::Ask { what, about, .. } => format!("{what} {about}"),
                    other => panic!("{other:?}"),
                })
                .collect()
        };
        assert_eq!(essence(&offered), essence(&outstanding), "stop {stop}");
        // A question asked anew is waited for anew; all other time goes on where it stood.
        if stop < 4 {
            let left = restored
                .node
                .deadline()
                .map(|(at, timer)| (at.since(there), timer));
            assert_eq!(left, deadline, "stop {stop}");
        }
        if stop >= 4 {
            let what = if stop == 4 {
                "delivery"
            } else {
                "security association"
            };
            let mut out = restored.done(ask(&offered, what));
            while let [Out::Ask { token, .. }] = out[..] {
                out = restored.done(token);
            }
            let Out::Event(_, event) = &out[0] else {
                panic!("{out:?}")
            };
            assert_eq!(outcome(*event), (Cause::AccessLost, Outcome::Notified, 2));
        }
    }
}

/// [DR-7] A blob that is damaged, of another kind, or larger than the limits is refused with its reason.
#[test]
fn blobs_that_cannot_be_restored() {
    let (bed, _) = subscribed();
    let mut blob = Vec::new();
    bed.node.snapshot(bed.now, &mut blob);
    let open =
        |config, blob: &[u8]| PcscfNode::restore(config, identifiers(2), Millis(0), blob).map(drop);
    assert_eq!(open(config(), &blob), Ok(()));
    for end in 0..blob.len() {
        assert!(open(config(), &blob[..end]).is_err());
    }
    let mut none = config();
    none.limits.users = 0;
    assert_eq!(open(none, &blob), Err(drive::RestoreError::TooLarge));
}

/// [DR-9] No identity shows in the Debug of what the node puts out.
#[test]
fn no_personal_data_in_debug() {
    let (mut bed, dialog) = subscribed();
    let command = Command::AccessLost {
        ue: Ue::at(CONTACT.as_bytes()),
        evidence: Evidence::BearerLost,
    };
    bed.node.command(bed.now, command, &mut bed.out).unwrap();
    let notify = dialog.notify(2, "active;expires=3000", &terminated());
    bed.node
        .receive(
            bed.now,
            Source::TrustedCore,
            TransactionRef(1),
            &notify,
            &mut bed.out,
        )
        .unwrap_err();
    bed.out.clear();
    bed.node
        .receive(
            bed.now,
            Source::TrustedCore,
            TransactionRef(1),
            &notify,
            &mut bed.out,
        )
        .unwrap();
    for output in bed.out.iter() {
        if let drive::Output::Ask { question, .. } = output {
            let shown = format!("{question:?}");
            for secret in [PRIVATE, PUBLIC, CONTACT, INSTANCE, "user1"] {
                assert!(!shown.contains(secret), "{shown}");
            }
        }
    }
}

/// [DR-10] The configuration is replaced while a deregistration runs: the next attempt follows the new one, a
/// configuration that cannot work is refused and the old one stays; every outcome is counted.
#[test]
fn reconfigured_while_running() {
    let (mut bed, _) = subscribed();
    let (token, register) = request(&bed.lose(CONTACT));
    let mut impossible = config();
    impossible.attempts = 0;
    assert_eq!(
        bed.node.reconfigure(impossible).unwrap_err().field,
        "attempts"
    );
    let mut hasty = config();
    hasty.attempts = 1;
    bed.node.reconfigure(hasty).unwrap();
    let out = bed.respond(token, &response(503, &register, ""));
    assert_eq!(
        outcome(clean_up(&mut bed, &out)),
        (Cause::AccessLost, Outcome::Failed { status: 503 }, 1)
    );
    let counters = bed.node.counters();
    assert_eq!(
        (
            counters.learned,
            counters.access_lost,
            counters.notifies,
            counters.failed
        ),
        (1, 1, 1, 1)
    );
}

/// [PD-1, PD-5] What came folded over lines is kept and written again without the folding.
#[test]
fn folded_headers_are_learnt() {
    let mut bed = Bed::new(config());
    let request = register(&contact(Some(60)), 1)
        .replace(
            "Path: <",
            "Path:\r\n <sip:other@edge.example.net;lr>,\r\n\t<",
        )
        .replace(";reg-id=1", "\r\n ;reg-id=1;+g.3gpp.icsi-ref=\"a,\r\n b\"");
    let response = register_200(&contact(Some(60)), 1).replace(
        ";lr>\r\nContent",
        ";lr>,\r\n <sip:second.example.net;lr>\r\nContent",
    );
    bed.learn(&request, &response);
    let (_, register) = self::request(&bed.lose(CONTACT));
    let text = String::from_utf8(register).unwrap();
    let line = |name: &str| {
        text.lines()
            .find(|l| l.starts_with(name))
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        line("Path:"),
        "Path: <sip:other@edge.example.net;lr>, <sip:term@pcscf1.visited1.example.net:5070;lr>"
    );
    assert!(
        line("Contact:").contains(";+g.3gpp.icsi-ref=\"a, b\";expires=0"),
        "{text}"
    );
}

/// [PD-1] Of two flows listed at one URI, the expiry is that of the UE's own.
#[test]
fn the_expiry_is_that_of_its_own_flow() {
    let mut plain = config();
    plain.subscription.support_reg_event = false;
    let mut bed = Bed::new(plain);
    let other = contact(Some(77)).replace("reg-id=1", "reg-id=2");
    let listed = format!("{other}, {}", contact(Some(120)));
    bed.learn(&register(&contact(Some(600)), 1), &register_200(&listed, 1));
    assert_eq!(bed.node.deadline().unwrap().0, bed.now.after_seconds(120));
}

/// [DR-1, PD-5] A host that keeps its registrations itself drives the machine without the node.
#[test]
fn the_machine_alone() {
    let limits = Limits::default();
    let (request, response) = (
        register(&contact(Some(60)), 1),
        register_200(&contact(Some(60)), 1),
    );
    let parse = |text: &'static str| Message::parse(text.as_bytes(), &limits).unwrap();
    let (request, response) = (parse(request.leak()), parse(response.leak()));
    let learned = Learned::read(&request, &response, &limits).unwrap();
    let mut machine = learned
        .registration(&learned.contacts[0], Millis(0), &limits)
        .unwrap();
    let config = config();
    let mut identifiers = identifiers(1);
    let mut out: Outbox<Pcscf> = Outbox::for_steps(1);
    let mut cx = Context {
        now: Millis(5),
        config: &config,
        identifiers: &mut identifiers,
        id: 9,
    };
    let change = machine.step(
        &mut cx,
        &learned.private_identity,
        Input::Trigger(Cause::AccessLost),
        &mut out,
    );
    assert_eq!(change, Ok(Change::Goes));
    let Some(drive::Output::Request { token, bytes, .. }) = out.iter().nth(1) else {
        panic!()
    };
    assert!(machine.awaits(token));
    assert_eq!(token.machine(), 9);
    assert!(bytes.starts_with(b"REGISTER sip:home1.example.net SIP/2.0\r\n"));
    assert_eq!(
        machine.deadline(&config),
        (Millis(40_005), drive::Timer("answer to REGISTER"))
    );
}

/// [PD-11] Credentials in which a mark could hide from us, but not from a more lenient reader, are refused
/// with the place; nothing is forwarded.
#[test]
fn marks_that_hide() {
    let limits = Limits::default();
    for credentials in [
        "Digest username=\"a\",x=\", integrity-protected=\"auth-done\"",
        "Digest username=\"a\"; integrity-protected=\"auth-done\"",
        "Digest username=\"a\" integrity-protected=\"auth-done\"",
        "Digest,integrity-protected=\"auth-done\"",
        "Digest username=\"a\",integrity-protected=\"no\",integrity-protected=\"auth-done\"",
    ] {
        let request = register(&contact(Some(60)), 1);
        let (before, after) = request.split_once("Authorization: ").unwrap();
        let (_, after) = after.split_once("\r\n").unwrap();
        let request = format!("{before}Authorization: {credentials}\r\n{after}");
        let mut into = Buffer::new(4_096);
        match strip_trust_marks(request.as_bytes(), &limits, &mut into) {
            Err(StripError::Credentials(reject)) => {
                let at = reject.at as usize;
                let place = before.len() + "Authorization: ".len();
                assert!(at >= place && at <= place + credentials.len(), "{reject}");
                assert!(into.is_empty());
            }
            Ok(()) => {
                let clean = String::from_utf8(into.as_slice().to_vec()).unwrap();
                assert!(!clean.to_ascii_lowercase().contains("auth-done"), "{clean}");
            }
            Err(other) => panic!("{credentials}: {other}"),
        }
    }
}

/// [DR-5] A message within its bound with one header past its own is refused by that bound.
#[test]
fn a_header_too_long() {
    let (mut bed, dialog) = subscribed();
    let good = String::from_utf8(dialog.notify(2, "active;expires=3000", &terminated())).unwrap();
    for (length, fits) in [(16_384, true), (16_385, false)] {
        let long = good.replace(
            "Max-Forwards: 70",
            &format!("X: {}\r\nMax-Forwards: 70", "a".repeat(length)),
        );
        let (verdict, _) = bed.receive(Source::TrustedCore, long.as_bytes());
        match verdict {
            Verdict::Handled => assert!(fits),
            Verdict::Rejected(reject) => {
                assert!(!fits, "{reject}");
                assert_eq!(
                    reject.defect,
                    &ims_procedures::wire::defect::HEADER_TOO_LARGE
                );
            }
            other => panic!("{other:?}"),
        }
    }
}

/// [DR-4] With exactly the room of a step every door opens; with an output or a byte less none does, and
/// nothing changes.
#[test]
fn room_at_the_limit() {
    let (outputs, bytes) = (Pcscf::STEP_OUTPUTS, Pcscf::STEP_BYTES);
    for (outputs, bytes, fits) in [
        (outputs, bytes, true),
        (outputs - 1, bytes, false),
        (outputs, bytes - 1, false),
    ] {
        for door in 0..4 {
            let (mut bed, dialog) = subscribed();
            let (token, _) = request(&bed.lose(CONTACT));
            let notify = dialog.notify(2, "active;expires=3000", &terminated());
            let (request, response) = (
                register(&contact(Some(60)), 2),
                register_200(&contact(Some(60)), 2),
            );
            let mut before = Vec::new();
            bed.node.snapshot(bed.now, &mut before);
            let mut out: Outbox<Pcscf> = Outbox::with_room(outputs, bytes);
            let result = match door {
                0 => bed
                    .node
                    .receive(
                        bed.now,
                        Source::TrustedCore,
                        TransactionRef(1),
                        &notify,
                        &mut out,
                    )
                    .map(drop),
                1 => bed
                    .node
                    .answer(bed.now, token, drive::Answer::Timeout, &mut out),
                2 => {
                    let learn = Command::Learn {
                        request: request.as_bytes(),
                        response: response.as_bytes(),
                        trunk_group: b"",
                    };
                    bed.node.command(bed.now, learn, &mut out).map(drop)
                }
                _ => bed.node.tick(bed.now.after(40_000), &mut out),
            };
            let mut after = Vec::new();
            bed.node.snapshot(bed.now, &mut after);
            if fits {
                assert_eq!(result, Ok(()));
                assert_ne!(before, after, "door {door}");
            } else {
                assert!(matches!(result, Err(Misuse::OutboxFull { .. })));
                assert_eq!(before, after, "door {door}");
                assert!(out.is_empty());
            }
        }
    }
}

/// [DR-9] Nothing of what a command, output, answer or machine says shows in its Debug.
#[test]
fn outputs_show_lengths_only() {
    let (mut bed, dialog) = subscribed();
    let shown = |out: &Outbox<Pcscf>| format!("{out:?}");
    let command = Command::AccessLost {
        ue: Ue::at(CONTACT.as_bytes()),
        evidence: Evidence::BearerLost,
    };
    bed.node.command(bed.now, command, &mut bed.out).unwrap();
    let mut all = shown(&bed.out);
    bed.out.clear();
    let notify = dialog.notify(2, "active;expires=3000", &terminated());
    bed.node
        .receive(
            bed.now,
            Source::TrustedCore,
            TransactionRef(1),
            &notify,
            &mut bed.out,
        )
        .unwrap();
    all += &shown(&bed.out);
    all += &format!("{:?}", drive::Answer::<Pcscf>::Response(&notify));
    for secret in [PRIVATE, PUBLIC, CONTACT, INSTANCE, "user1", "115, 105, 112"] {
        assert!(!all.contains(secret), "{all}");
    }
}
