//! Which NOTIFY is a subscription's, what makes its dialog, and what a NOTIFY that is refused leaves.

use super::bed::{
    ELEMENT, Ev, FLOOR, NOTIFIER, Out, PROFILES, PUBLIC, REFRESH, Subscribe, active, config, ended,
    is_registered, registered,
};
use ims_procedures::{
    drive::{Node, Source, TransactionRef, Verdict},
    regevent::{
        notification::Termination,
        subscriber::{End, Profile, Standing},
    },
};

const STATE: &str = "active;expires=3660";
const OK: &str = "Contact: <sip:n@ok.example.net>\r\nRecord-Route: <sip:o2.example.net;lr>, <sip:o1.example.net;lr>\r\nExpires: 3660\r\n";
const OK_ROUTES: &str = "Route: <sip:o1.example.net;lr>, <sip:o2.example.net;lr>";
const RECORD_ROUTE: &str = "Event: reg\r\nRecord-Route: <sip:n1.example.net;lr>\r\nRecord-Route: <sip:n2.example.net;lr>\r\n";
const NOTIFY_ROUTES: &str = "Route: <sip:n1.example.net;lr>, <sip:n2.example.net;lr>";
const NOTIFY_TARGET: &str = "SUBSCRIBE sip:n@scscf1.home1.example.net:5080 SIP/2.0";

fn routed(notify: &str) -> String {
    notify.replace("Event: reg\r\n", RECORD_ROUTE)
}

/// The same NOTIFY, of another notifier.
fn by(tag: &str, notify: &str) -> String {
    notify.replace("tag=n1", &format!("tag={tag}"))
}

/// [RE-5, RE-6] NOTIFY before the 2xx (T01, T02): the dialog is the NOTIFY's in both profiles, and the 2xx does
/// not overwrite it.
#[test]
fn notify_first() {
    for profile in PROFILES {
        let (mut bed, first) = registered(config(profile), 600_000);
        assert_eq!(bed.notified(&routed(&first.notify(1, STATE, ""))), []);
        assert_eq!(bed.standing(), Standing::Pending, "both are needed");
        assert_eq!(
            bed.respond(&first, 200, OK),
            [Out::Event(Ev::Subscribed(3_660))]
        );
        let refresh = Subscribe::only(&bed.fire(REFRESH));
        assert_eq!(refresh.line("SUBSCRIBE"), NOTIFY_TARGET);
        assert_eq!(refresh.line("Route:"), NOTIFY_ROUTES);
        assert_eq!(refresh.hops, ["sip:n1.example.net;lr"]);
        assert_eq!(refresh.line("To:"), format!("To: <{PUBLIC}>;tag=n1"));
    }
}

/// [RE-5] The 2xx first: by S2 the route set is that of its Record-Route, reversed; by RFC 6665 4.4.1 the NOTIFY's
/// replaces it. The NOTIFY's Contact is the target in both.
#[test]
fn response_first() {
    for profile in PROFILES {
        let (mut bed, first) = registered(config(profile), 600_000);
        assert_eq!(bed.respond(&first, 200, OK), []);
        bed.notified(&routed(&first.notify(1, STATE, "")));
        let refresh = Subscribe::only(&bed.fire(REFRESH));
        let (routes, hop) = match profile {
            Profile::Sbc => (OK_ROUTES, "sip:o1.example.net;lr"),
            _ => (NOTIFY_ROUTES, "sip:n1.example.net;lr"),
        };
        assert_eq!(refresh.line("Route:"), routes);
        assert_eq!(refresh.hops, [hop]);
        assert_eq!(refresh.line("SUBSCRIBE"), NOTIFY_TARGET);
    }
}

/// [RE-5] A NOTIFY without Record-Route makes a dialog without route set, by RFC 6665 even after a 2xx with one.
#[test]
fn no_route_set() {
    for profile in PROFILES {
        let (mut bed, first) = registered(config(profile), 600_000);
        bed.respond(&first, 200, OK);
        bed.notified(&first.notify(1, STATE, ""));
        let refresh = Subscribe::only(&bed.fire(REFRESH));
        let expected = (profile == Profile::Sbc).then_some(OK_ROUTES);
        assert_eq!(refresh.has("Route:"), expected);
    }
}

/// [RE-5] A later Contact, of a NOTIFY or of a 2xx to a refresh, is the new target in both profiles; the route set
/// stays (RFC 6665 3.1). One without Contact leaves the target.
#[test]
fn target_refresh() {
    for profile in PROFILES {
        let (mut bed, first) = registered(config(profile), 600_000);
        bed.notified(&routed(&first.notify(1, STATE, "")));
        bed.respond(&first, 200, OK);
        let moved = first.notify(2, STATE, "").replace(
            NOTIFIER,
            "Contact: <sip:moved@x.example.net>\r\nRecord-Route: <sip:late.example.net;lr>\r\n",
        );
        bed.notified(&moved);
        bed.notified(&first.notify(3, STATE, "").replace(NOTIFIER, ""));
        let refresh = Subscribe::only(&bed.fire(REFRESH));
        assert_eq!(
            refresh.line("SUBSCRIBE"),
            "SUBSCRIBE sip:moved@x.example.net SIP/2.0"
        );
        assert_eq!(refresh.line("Route:"), NOTIFY_ROUTES);
        bed.respond(
            &refresh,
            200,
            "Contact: <sip:again@x.example.net>\r\nExpires: 3660\r\n",
        );
        bed.notified(&refresh.notify(4, STATE, "").replace(NOTIFIER, ""));
        let refresh = Subscribe::only(&bed.fire(REFRESH));
        assert_eq!(
            refresh.line("SUBSCRIBE"),
            "SUBSCRIBE sip:again@x.example.net SIP/2.0"
        );
        assert_eq!(refresh.line("Route:"), NOTIFY_ROUTES);
    }
}

/// [RE-5] Neither 2xx nor NOTIFY has a Contact: the public identity stays the target.
#[test]
fn no_contact_at_all() {
    for profile in PROFILES {
        let (mut bed, first) = registered(config(profile), 600_000);
        bed.respond(&first, 200, "Expires: 3660\r\n");
        bed.notified(&first.notify(1, STATE, "").replace(NOTIFIER, ""));
        let refresh = Subscribe::only(&bed.fire(REFRESH));
        assert_eq!(
            refresh.line("SUBSCRIBE"),
            format!("SUBSCRIBE {PUBLIC} SIP/2.0")
        );
    }
}

/// [RE-6] A second notifier is refused with 481 (T03): after a NOTIFY in both profiles; after the 2xx by S2 alone,
/// as by RFC 6665 the first NOTIFY makes the dialog, whoever sent the 2xx.
#[test]
fn forks() {
    for profile in PROFILES {
        let (mut bed, first) = registered(config(profile), 600_000);
        bed.notified(&first.notify(1, STATE, ""));
        assert_eq!(
            bed.notify(&by("n2", &first.notify(1, STATE, ""))),
            (481, vec![])
        );
        bed.respond(&first, 200, OK);
        assert_eq!(
            bed.notify(&by("n2", &first.notify(2, STATE, ""))),
            (481, vec![])
        );

        let (mut bed, first) = registered(config(profile), 600_000);
        bed.respond(&first, 200, OK);
        let (status, out) = bed.notify(&by("n2", &first.notify(1, STATE, "")));
        if profile == Profile::Sbc {
            assert_eq!((status, out), (481, vec![]));
            continue;
        }
        assert_eq!(
            (status, out),
            (200, vec![Out::Event(Ev::Subscribed(3_660))])
        );
        assert_eq!(bed.notify(&first.notify(2, STATE, "")), (481, vec![]));
        let refresh = Subscribe::only(&bed.fire(REFRESH));
        assert_eq!(refresh.line("To:"), format!("To: <{PUBLIC}>;tag=n2"));
    }
}

/// [RE-6] A 2xx of another notifier than the NOTIFY's only ends the transaction (RFC 6665 5.4.9).
#[test]
fn response_of_another() {
    for profile in PROFILES {
        let (mut bed, first) = registered(config(profile), 600_000);
        bed.notified(&by("n2", &routed(&first.notify(1, STATE, ""))));
        assert_eq!(
            bed.respond(&first, 200, OK),
            [Out::Event(Ev::Subscribed(3_660))]
        );
        let refresh = Subscribe::only(&bed.fire(REFRESH));
        assert_eq!(refresh.line("To:"), format!("To: <{PUBLIC}>;tag=n2"));
        assert_eq!(refresh.line("Route:"), NOTIFY_ROUTES);
    }
}

/// [RE-10] An unknown dialog gets 481, whichever of Call-ID and tags is another (T04); before the dialog is known
/// too.
#[test]
fn unknown_dialogs() {
    for profile in PROFILES {
        for established in [true, false] {
            let (mut bed, first) = match established {
                true => active(profile),
                false => registered(config(profile), 3_600),
            };
            let notify = first.notify(2, STATE, &is_registered(0));
            let tag = first.tag();
            for (wrong, right) in [
                (
                    notify.replace(first.call_id(), "s0003-0000000000000000000000000000"),
                    481,
                ),
                (notify.replace(first.call_id(), "unknown@x"), 481),
                (
                    notify.replace(
                        &format!("To: <{ELEMENT}>;tag={tag}"),
                        &format!("To: <{ELEMENT}>;tag=x"),
                    ),
                    481,
                ),
                (
                    notify.replace(
                        &format!("To: <{ELEMENT}>;tag={tag}"),
                        &format!("To: <{ELEMENT}>"),
                    ),
                    481,
                ),
            ] {
                // The Request-URI has the Call-ID too, and stays.
                let wrong = wrong.replacen(wrong.split(' ').nth(1).unwrap(), first.target(), 1);
                assert_eq!(bed.notify(&wrong), (right, vec![]), "{wrong}");
            }
            if established {
                assert_eq!(bed.notify(&by("n2", &notify)), (481, vec![]));
                let untagged = notify.replace(";tag=n1", "");
                assert_ne!(bed.notify(&untagged).0, 200);
            }
            bed.notified(&notify);
        }
    }
}

/// [RE-10] From and To URIs that are not the dialog's (T05): of no matter, as a dialog is known by its tags; with
/// the strict option 481. What only looks different is the same.
#[test]
fn uris_of_the_dialog() {
    for profile in PROFILES {
        for strict in [false, true] {
            let mut config = config(profile);
            config.subscription.strict_dialog_uris = strict;
            let (mut bed, first) = registered(config, 3_600);
            let notify = |cseq| first.notify(cseq, STATE, "");
            bed.notified(&notify(1));
            bed.notified(&notify(2).replace("@home1.example.net", "@HOME1.example.net"));
            for (cseq, own, other) in [
                (3, PUBLIC, "sip:someone@home1.example.net"),
                (4, PUBLIC, "sip:user1_public1@scscf1.home1.example.net"),
                (5, "To: <sip:pcscf1.", "To: <sip:pcscf2."),
                (6, "To: <sip:", "To: <sip:user@"),
            ] {
                let other = notify(cseq).replace(own, other);
                let expected = if strict { 481 } else { 200 };
                assert_eq!(bed.notify(&other), (expected, vec![]), "{other}");
            }
        }
    }
}

/// [RE-10] CSeq (T06): a lower one gets 500, the same is answered 200 again and does nothing, a higher one is
/// next, however high; one past 2^31 is no CSeq.
#[test]
fn cseq() {
    for profile in PROFILES {
        let (mut bed, first) = registered(config(profile), 3_600);
        let notify = |cseq, version| first.notify(cseq, STATE, &is_registered(version));
        bed.respond(&first, 200, OK);
        let out = bed.notified(&notify(2_147_483_000, 0));
        assert_eq!(out.len(), 2);
        assert_eq!(bed.notified(&notify(2_147_483_000, 1)), [], "repeated");
        assert_eq!(bed.notify(&notify(2_147_482_999, 1)), (500, vec![]));
        assert_eq!(bed.notify(&notify(1, 1)), (500, vec![]));
        let ended = first.notify(5, "terminated", "");
        assert_eq!(bed.notify(&ended), (500, vec![]), "even that");
        assert_eq!(bed.notified(&notify(2_147_483_647, 1)).len(), 1);
        assert_eq!(bed.notify(&notify(2_147_483_648, 2)).0, 400);
        assert_eq!(bed.notify(&notify(4_294_967_295, 2)).0, 400);
        let mismatched = notify(2, 2).replace("2 NOTIFY\r\n", "2147483647 PUBLISH\r\n");
        assert_eq!(bed.notify(&mismatched).0, 400);
        assert_eq!(bed.standing(), Standing::Active);
    }
}

/// [RE-10] The package is compared by case, an id that was never given is unknown, and the compact form is the
/// same (RFC 6665 8.2.1).
#[test]
fn events() {
    for profile in PROFILES {
        let (mut bed, first) = active(profile);
        for (line, status) in [
            ("Event: reg\r\n", 200),
            ("o: reg\r\n", 200),
            ("EVENT:  reg \r\n", 200),
            ("Event: reg;param=1\r\n", 200),
            ("Event: REG\r\n", 489),
            ("Event: Reg\r\n", 489),
            ("Event: reg.winfo\r\n", 489),
            ("Event: presence\r\n", 489),
            ("", 489),
            ("Event: reg;id=7\r\n", 481),
            ("Event: reg;id=\r\n", 481),
            ("Event: \r\n", 400),
            ("Event: reg\r\nEvent: reg\r\n", 400),
        ] {
            let notify = first.notify(2, STATE, "").replace("Event: reg\r\n", line);
            assert_eq!(bed.notify(&notify).0, status, "{line:?}");
        }
        assert_eq!(bed.standing(), Standing::Active);
    }
}

/// [RE-10] A body of another type gets 415 with what is accepted; the type may have parameters and any case, and
/// without a body it does not matter (T68).
#[test]
fn content_types() {
    for profile in PROFILES {
        let (mut bed, first) = active(profile);
        let notify = first.notify(2, STATE, &is_registered(0));
        for (line, status) in [
            ("Content-Type: application/pidf+xml", 415),
            ("Content-Type: multipart/mixed;boundary=b", 415),
            ("X: y", 415),
            (
                "Content-Type: application/reginfo+xml;charset=\"utf-8\"",
                200,
            ),
            ("c: APPLICATION/RegInfo+XML", 200),
        ] {
            let notify = notify.replace("Content-Type: application/reginfo+xml", line);
            let (_, out) = bed.receive(Source::TrustedCore, &notify);
            let Some(Out::Respond(found, text)) = out.last() else {
                panic!("{out:?}");
            };
            assert_eq!(*found, status, "{line}");
            let accepts = text.contains("\r\nAccept: application/reginfo+xml\r\n");
            assert_eq!(accepts, status == 415, "{text}");
        }
        let bodiless = first.notify(3, STATE, "");
        bed.notified(&bodiless.replace(
            NOTIFIER,
            "Contact: <sip:n@a>\r\nContent-Type: text/plain\r\n",
        ));
    }
}

/// [RE-10] Subscription-State: missing or unknown counts as active; `pending` is not active until the notifier
/// says so; twice it is no header.
#[test]
fn states() {
    for profile in PROFILES {
        let (mut bed, first) = registered(config(profile), 3_600);
        bed.respond(&first, 200, OK);
        let out = bed.notified(&first.notify(1, "pending;expires=600", ""));
        assert_eq!(out, [Out::Event(Ev::Subscribed(600))]);
        assert_eq!(bed.standing(), Standing::Pending);
        assert_eq!(bed.next(), Some((300_000, REFRESH)));
        bed.notified(&first.notify(2, "active", ""));
        assert_eq!(bed.standing(), Standing::Active);
        bed.notified(&first.notify(3, "PENDING", ""));
        assert_eq!(bed.standing(), Standing::Pending);
        for (cseq, state) in [
            (4, "Active;expires=600"),
            (6, ""),
            (8, "frozen;expires=600"),
        ] {
            bed.notified(&first.notify(cseq - 1, "pending", ""));
            assert_eq!(bed.notified(&first.notify(cseq, state, "")), []);
            assert_eq!(bed.standing(), Standing::Active, "{state}");
        }
        let twice = "active\r\nSubscription-State: terminated";
        assert_eq!(bed.notify(&first.notify(9, twice, "")).0, 400);
        assert_eq!(bed.notified(&first.notify(9, "active;expires=abc", "")), []);
        assert_eq!(bed.next(), Some((300_000, REFRESH)), "as if it did not say");
        assert_eq!(bed.standing(), Standing::Active);
    }
}

const UNREADABLE: [&str; 4] = [
    "x",
    "<reginfo/>",
    "<?xml version=\"1.0\"?><!DOCTYPE x><reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" version=\"0\" state=\"full\"/>",
    "<?xml version=\"1.0\"?><reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" version=\"0\" state=\"full\">",
];

/// [RE-10] A body that cannot be read gets 400, also in the NOTIFY that makes the dialog, before or after the 2xx:
/// what its header says holds, so that Timer N ends nothing (T26), and a refresh at the floor asks for another
/// document. One that says terminated ends the subscription all the same.
#[test]
fn bad_bodies() {
    for profile in PROFILES {
        for (body, notify_first) in UNREADABLE
            .map(|body| [(body, false), (body, true)])
            .concat()
        {
            let (mut bed, first) = registered(config(profile), 3_600);
            let bad = first.notify(1, STATE, body);
            let out = if notify_first {
                assert_eq!(bed.notify(&bad), (400, vec![]));
                bed.respond(&first, 200, OK)
            } else {
                bed.respond(&first, 200, OK);
                let (status, out) = bed.notify(&bad);
                assert_eq!(status, 400);
                out
            };
            assert_eq!(out, [Out::Event(Ev::Subscribed(3_660))]);
            assert_eq!(bed.next(), Some((FLOOR, REFRESH)), "Timer N is over");
            let refresh = Subscribe::only(&bed.fire(REFRESH));
            bed.respond(&refresh, 200, "Expires: 3660\r\n");
            let out = bed.notified(&first.notify(2, STATE, &is_registered(0)));
            assert_eq!(out.len(), 1, "the document");
            assert_eq!(bed.standing(), Standing::Active);
            assert_eq!(bed.next(), Some((3_060_000, REFRESH)));
            let last = first.notify(3, "terminated;reason=invariant", body);
            assert_eq!(
                bed.notify(&last),
                (400, ended(End::Terminated(Termination::Invariant)).to_vec())
            );
            assert_eq!(bed.next(), None);
            let counters = bed.node.counters();
            assert_eq!((counters.notifies, counters.notifies_refused), (1, 2));
            assert_eq!(bed.notify(&first.notify(4, STATE, "")), (481, vec![]));
        }
    }
}

/// [RE-10] A notifier whose documents can never be read is asked once more, at the floor, and not without end: the
/// subscription goes on, refreshed at its usual time. A document that it sends by itself is asked for again.
#[test]
fn never_a_good_body() {
    for profile in PROFILES {
        for body in UNREADABLE {
            let (mut bed, first) = active(profile);
            let began = bed.now;
            assert_eq!(bed.notify(&first.notify(2, STATE, body)), (400, vec![]));
            for cseq in [3, 5, 7] {
                let refresh = Subscribe::only(&bed.fire(REFRESH));
                if cseq == 3 {
                    assert_eq!(bed.now.since(began), FLOOR);
                }
                bed.respond(&refresh, 200, "Expires: 3660\r\n");
                assert_eq!(bed.notify(&first.notify(cseq, STATE, body)), (400, vec![]));
                assert_eq!(bed.next(), Some((3_060_000, REFRESH)), "{profile:?}");
                bed.now = bed.now.after(1_000);
                let by_itself = first.notify(cseq + 1, "active;expires=3659", body);
                assert_eq!(bed.notify(&by_itself), (400, vec![]));
                assert_eq!(bed.next(), Some((FLOOR - 1_000, REFRESH)));
            }
        }
    }
}

/// [RE-10] A NOTIFY from outside the core is refused with 403; one that is not for this element, and any other
/// request, is not this node's.
#[test]
fn whose_notify() {
    for profile in PROFILES {
        let (mut bed, first) = active(profile);
        let notify = first.notify(2, "terminated", "");
        for from in [Source::Ue, Source::Unknown] {
            let (verdict, out) = bed.receive(from, &notify);
            assert!(matches!(verdict, Verdict::Rejected(_)));
            assert!(matches!(out[..], [Out::Respond(403, _)]));
        }
        for other in [
            notify.replace(first.target(), "sip:user@ue.example.net"),
            notify.replace(first.target(), ELEMENT),
            notify.replace(":5070 SIP/2.0", ":5071 SIP/2.0"),
            notify.replace("NOTIFY", "PUBLISH"),
        ] {
            let (verdict, out) = bed.receive(Source::TrustedCore, &other);
            assert_eq!((verdict, out), (Verdict::NotMine, vec![]), "{other}");
        }
        assert_eq!(bed.standing(), Standing::Active);
    }
}

/// [RE-10] What cannot be read is answered (T27), even where the length of its body lies; an extension that is
/// demanded gets 420 (T68).
#[test]
fn unreadable() {
    for profile in PROFILES {
        let (mut bed, first) = active(profile);
        let notify = first.notify(2, STATE, &is_registered(0));
        for (line, status) in [
            ("Content-Length: 9999\r\n", 400),
            ("Content-Length: -1\r\n", 400),
            ("Content-Length: 10\r\n", 400),
            ("Require: foo\r\nl: ", 420),
        ] {
            let broken = match status {
                420 => notify.replace("Content-Length: ", line),
                _ => {
                    let at = notify.find("Content-Length").unwrap();
                    let end = notify[at..].find("\r\n").unwrap() + at + 2;
                    format!("{}{line}{}", &notify[..at], &notify[end..])
                }
            };
            assert_eq!(bed.notify(&broken), (status, vec![]), "{line}");
        }
        let unread = bed.node.receive(
            bed.now,
            Source::TrustedCore,
            TransactionRef(77),
            b"\xff\xfe",
            &mut bed.out,
        );
        assert!(matches!(unread, Ok(Verdict::Rejected(_))));
        assert_eq!(bed.take(), []);
        assert_eq!(bed.standing(), Standing::Active);
    }
}
