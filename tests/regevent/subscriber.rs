//! The subscriber's end of the registration event package, on bytes, through the P-CSCF that owns it.

use crate::common::pcscf::{
    Bed, CONTACT, Out, PUBLIC, config, contact, identifiers, register, register_200,
};
use ims_procedures::{
    drive::{self, Node, Source, Token, Verdict},
    pcscf::{Event, PcscfNode},
    regevent::{
        notification::Termination,
        subscriber::{self, End, refresh_delay},
    },
};

struct Subscribe {
    token: Token,
    hops: Vec<String>,
    text: String,
}

impl Subscribe {
    fn only(out: &[Out]) -> Self {
        match out {
            [Out::Request { token, hops, bytes }] => Self {
                token: *token,
                hops: hops.clone(),
                text: String::from_utf8(bytes.clone()).unwrap(),
            },
            other => panic!("expected one SUBSCRIBE: {other:?}"),
        }
    }

    fn line(&self, name: &str) -> &str {
        self.text
            .lines()
            .find(|l| l.starts_with(name))
            .unwrap_or_else(|| panic!("{name} in {}", self.text))
    }

    fn after(&self, mark: &str) -> String {
        let (_, rest) = self.text.split_once(mark).unwrap();
        rest.split(['\r', '>', ';']).next().unwrap().to_owned()
    }

    fn accepted(&self, status: u16, extra: &str) -> Vec<u8> {
        format!(
            "SIP/2.0 {status} x\r\n{}\r\n{}\r\nTo: <{PUBLIC}>;tag=n1\r\n{}\r\n{}\r\n{extra}Content-Length: 0\r\n\r\n",
            self.line("Via:"),
            self.line("From:"),
            self.line("Call-ID:"),
            self.line("CSeq:")
        )
        .into_bytes()
    }

    fn notify(&self, cseq: u32, tag: &str, state: &str, extra: &str) -> Vec<u8> {
        format!(
            "NOTIFY {} SIP/2.0\r\nVia: SIP/2.0/UDP s;branch=z9hG4bK{cseq}\r\nFrom: <{PUBLIC}>;tag={tag}\r\n\
             To: <sip:p>;tag={}\r\n{}\r\nCSeq: {cseq} NOTIFY\r\nEvent: reg\r\n{state}{extra}Content-Length: 0\r\n\r\n",
            self.after("Contact: <"),
            self.after("From: <sip:pcscf1.visited1.example.net:5070>;tag="),
            self.line("Call-ID:")
        )
        .into_bytes()
    }
}

const ACTIVE: &str = "Subscription-State: active;expires=3660\r\n";
const TARGET: &str = "Contact: <sip:n@scscf1.home1.example.net:5080>\r\n";
const ROUTES: &str = "Record-Route: <sip:r1.example.net;lr>, <sip:r2.example.net;lr>\r\nRecord-Route: <sip:r3.example.net;lr>\r\n";

/// A registration of so many seconds, and its SUBSCRIBE.
fn registered(seconds: u32) -> (Bed, Subscribe) {
    let mut bed = Bed::new(config());
    let out = bed.learn(
        &register(&contact(Some(seconds)), 1),
        &register_200(&contact(Some(seconds)), 1),
    );
    let subscribe = Subscribe::only(&out);
    (bed, subscribe)
}

fn subscription_event(out: &[Out]) -> subscriber::Event {
    let found = out.iter().find_map(|out| match out {
        Out::Event(_, Event::Subscription(event)) => Some(*event),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("no event of a subscription in {out:?}"))
}

fn ended(out: &[Out]) -> End {
    match subscription_event(out) {
        subscriber::Event::SubscriptionEnded { why, .. } => why,
        other => panic!("{other:?}"),
    }
}

/// [RE-3, RE-13] Sixty seconds more than the registration; everything else is the fixture's.
#[test]
fn the_subscribe() {
    for (registration, asked) in [(600_000, 600_060), (1, 61), (u32::MAX, u32::MAX)] {
        let (_, subscribe) = registered(registration);
        assert_eq!(subscribe.line("Expires:"), format!("Expires: {asked}"));
        assert_eq!(subscribe.hops, [PUBLIC]);
    }
}

/// [RE-13] The initial SUBSCRIBE goes to the entry points configured, later ones to the dialog's target.
#[test]
fn entry_points() {
    let mut roaming = config();
    roaming.subscription.entry_points = vec![
        b"sip:ibcf1.visited1.example.net".to_vec(),
        b"sip:ibcf2.visited1.example.net".to_vec(),
    ];
    let mut bed = Bed::new(roaming);
    let out = bed.learn(
        &register(&contact(Some(100_000)), 1),
        &register_200(&contact(Some(100_000)), 1),
    );
    let first = Subscribe::only(&out);
    assert_eq!(
        first.hops,
        [
            "sip:ibcf1.visited1.example.net",
            "sip:ibcf2.visited1.example.net"
        ]
    );
    bed.respond(
        first.token,
        &first.accepted(200, &format!("{TARGET}Expires: 3660\r\n")),
    );
    bed.receive(Source::TrustedCore, &first.notify(1, "n1", ACTIVE, TARGET));
    let refresh = Subscribe::only(&bed.fire("subscription refresh"));
    assert_eq!(refresh.hops, ["sip:n@scscf1.home1.example.net:5080"]);
}

/// [RE-5, RE-6] 2xx first, then NOTIFY: the route set is that of the 2xx, reversed; the NOTIFY's Contact is
/// the new target.
#[test]
fn accepted_then_notified() {
    let (mut bed, first) = registered(3_600);
    let ok = first.accepted(200, &format!("{TARGET}{ROUTES}Expires: 3660\r\n"));
    assert_eq!(bed.respond(first.token, &ok), []);
    let moved = "Contact: <sip:moved@scscf2.home1.example.net>\r\nRecord-Route: <sip:late.example.net;lr>\r\n";
    let (verdict, out) = bed.receive(Source::TrustedCore, &first.notify(7, "n1", ACTIVE, moved));
    assert_eq!(verdict, Verdict::Handled);
    assert!(matches!(
        subscription_event(&out),
        subscriber::Event::Subscribed { expires: 3660, .. }
    ));
    let refresh = Subscribe::only(&bed.fire("subscription refresh"));
    assert_eq!(refresh.hops, ["sip:r3.example.net;lr"]);
    assert_eq!(
        refresh.line("SUBSCRIBE"),
        "SUBSCRIBE sip:moved@scscf2.home1.example.net SIP/2.0"
    );
    assert_eq!(
        refresh.line("Route:"),
        "Route: <sip:r3.example.net;lr>, <sip:r2.example.net;lr>, <sip:r1.example.net;lr>"
    );
    assert_eq!(refresh.line("To:"), format!("To: <{PUBLIC}>;tag=n1"));
    assert_eq!(refresh.line("CSeq:"), "CSeq: 2 SUBSCRIBE");
    assert_eq!(refresh.line("Call-ID:"), first.line("Call-ID:"));
    assert_eq!(refresh.line("From:"), first.line("From:"));
    assert_ne!(refresh.line("Via:"), first.line("Via:"));
}

/// [RE-5] Towards a strict router the request line names that, and the last Route is the target (RFC 3261 12.2.1.1).
#[test]
fn strict_router() {
    let (mut bed, first) = registered(3_600);
    let strict = ROUTES.replace("r3.example.net;lr", "r3.example.net");
    let ok = first.accepted(200, &format!("{TARGET}{strict}Expires: 3660\r\n"));
    bed.respond(first.token, &ok);
    bed.receive(Source::TrustedCore, &first.notify(1, "n1", ACTIVE, TARGET));
    let refresh = Subscribe::only(&bed.fire("subscription refresh"));
    assert_eq!(refresh.hops, ["sip:r3.example.net"]);
    assert_eq!(
        refresh.line("SUBSCRIBE"),
        "SUBSCRIBE sip:r3.example.net SIP/2.0"
    );
    assert_eq!(
        refresh.line("Route:"),
        "Route: <sip:r2.example.net;lr>, <sip:r1.example.net;lr>, <sip:n@scscf1.home1.example.net:5080>"
    );
}

/// [RE-5, RE-6] NOTIFY first, then 2xx (T01, T02): the dialog and its route set are the NOTIFY's.
#[test]
fn notified_then_accepted() {
    let (mut bed, first) = registered(3_600);
    let (verdict, out) = bed.receive(
        Source::TrustedCore,
        &first.notify(1, "n1", ACTIVE, &format!("{TARGET}{ROUTES}")),
    );
    assert_eq!(verdict, Verdict::Handled);
    assert!(
        matches!(out[..], [Out::Respond { status: 200, .. }]),
        "{out:?}"
    );
    let ok = first.accepted(200, "Contact: <sip:x@elsewhere>\r\nRecord-Route: <sip:late.example.net;lr>\r\nExpires: 3660\r\n");
    let out = bed.respond(first.token, &ok);
    assert!(matches!(
        subscription_event(&out),
        subscriber::Event::Subscribed { expires: 3660, .. }
    ));
    let refresh = Subscribe::only(&bed.fire("subscription refresh"));
    assert_eq!(refresh.hops, ["sip:r1.example.net;lr"]);
    assert_eq!(
        refresh.line("SUBSCRIBE"),
        "SUBSCRIBE sip:n@scscf1.home1.example.net:5080 SIP/2.0"
    );
}

/// [DR-7] [RE-6] A NOTIFY came, the 2xx did not, the host restarts: the SUBSCRIBE offered again is the one
/// that was sent, in no dialog.
#[test]
fn notified_then_restored() {
    let (mut bed, first) = registered(3_600);
    bed.receive(
        Source::TrustedCore,
        &first.notify(1, "n1", ACTIVE, &format!("{TARGET}{ROUTES}")),
    );
    let mut blob = Vec::new();
    bed.node.snapshot(bed.now, &mut blob);
    bed.node = PcscfNode::restore(config(), identifiers(2), bed.now, &blob).unwrap();
    let again = Subscribe::only(&bed.fire("SUBSCRIBE to be sent"));
    assert_eq!(again.text, first.text);
    assert_eq!(again.hops, first.hops);
    bed.respond(again.token, &first.accepted(200, "Expires: 3660\r\n"));
    let refresh = Subscribe::only(&bed.fire("subscription refresh"));
    assert_eq!(refresh.hops, ["sip:r1.example.net;lr"]);
    assert_eq!(refresh.line("CSeq:"), "CSeq: 2 SUBSCRIBE");
}

/// [DR-7] [RE-9] A SUBSCRIBE that is offered again just before Timer N ends has all of Timer N once more, so that
/// the next, such as one that ends the subscription, does not come beside it.
#[test]
fn offered_again_late() {
    let (mut bed, first) = registered(3_600);
    bed.receive(Source::TrustedCore, &first.notify(1, "n1", ACTIVE, TARGET));
    let mut blob = Vec::new();
    bed.now = bed.now.after(31_000);
    bed.node.snapshot(bed.now, &mut blob);
    bed.node = PcscfNode::restore(config(), identifiers(2), bed.now, &blob).unwrap();
    let again = bed.now;
    Subscribe::only(&bed.fire("SUBSCRIBE to be sent"));
    bed.fire("subscription timer N");
    assert_eq!(bed.now.since(again), 32_000);
}

/// [RE-6] A second notifier (a fork) is refused with 481 (T03).
#[test]
fn a_fork_is_refused() {
    let (mut bed, first) = registered(3_600);
    bed.receive(Source::TrustedCore, &first.notify(1, "n1", ACTIVE, TARGET));
    let (verdict, out) = bed.receive(Source::TrustedCore, &first.notify(1, "n2", ACTIVE, TARGET));
    assert!(matches!(verdict, Verdict::Rejected(_)));
    assert!(matches!(out[..], [Out::Respond { status: 481, .. }]));
}

/// [RE-7] The refresh comes 600 s before the end of more than 1,200 s, at half otherwise; the NOTIFY's grant
/// counts over the 2xx's; a grant of more than was asked is not believed (T29).
#[test]
fn refresh_times() {
    for (granted, milliseconds) in [
        (1_199, 599_500),
        (1_200, 600_000),
        (1_201, 601_000),
        (3_600, 3_000_000),
        (600_000, 599_400_000),
    ] {
        assert_eq!(refresh_delay(granted), milliseconds);
        let (mut bed, first) = registered(600_000);
        bed.respond(
            first.token,
            &first.accepted(202, &format!("{TARGET}Expires: 600060\r\n")),
        );
        let state = format!("Subscription-State: active;expires={granted}\r\n");
        bed.receive(Source::TrustedCore, &first.notify(1, "n1", &state, ""));
        let before = bed.now;
        Subscribe::only(&bed.fire("subscription refresh"));
        assert_eq!(bed.now.since(before), milliseconds);
    }
    assert_eq!([0, 1, 2].map(refresh_delay), [0, 500, 1_000]);
    let (mut bed, first) = registered(3_600);
    bed.respond(
        first.token,
        &first.accepted(200, &format!("{TARGET}Expires: 9999\r\n")),
    );
    let out = bed
        .receive(Source::TrustedCore, &first.notify(1, "n1", "", ""))
        .1;
    assert!(matches!(
        subscription_event(&out),
        subscriber::Event::Subscribed { expires: 3660, .. }
    ));
}

/// [RE-7] A grant below the floor is reported, once, and not refreshed, so that nobody asks without end (T30);
/// one that lasts longer is, at the floor at most.
#[test]
fn too_little_is_granted() {
    let (mut bed, first) = registered(3_600);
    let out = bed.respond(
        first.token,
        &first.accepted(200, &format!("{TARGET}Expires: 19\r\n")),
    );
    assert!(matches!(
        subscription_event(&out),
        subscriber::Event::GrantedTooLittle { expires: 19, .. }
    ));
    let state = "Subscription-State: active;expires=19\r\n";
    let out = bed
        .receive(Source::TrustedCore, &first.notify(1, "n1", state, ""))
        .1;
    assert!(matches!(
        subscription_event(&out),
        subscriber::Event::Subscribed { expires: 19, .. }
    ));
    let before = bed.now;
    let out = bed.fire("subscription expiry");
    assert_eq!(ended(&out), End::Expired);
    assert_eq!(bed.now.since(before), 19_000);

    let (mut bed, first) = registered(3_600);
    bed.respond(
        first.token,
        &first.accepted(200, &format!("{TARGET}Expires: 30\r\n")),
    );
    let state = "Subscription-State: active;expires=30\r\n";
    bed.receive(Source::TrustedCore, &first.notify(1, "n1", state, ""));
    let before = bed.now;
    Subscribe::only(&bed.fire("subscription refresh"));
    assert_eq!(bed.now.since(before), 20_000);
}

/// [RE-8] Any error response, to the first SUBSCRIBE or a refresh, deletes the subscription, and it is not
/// sent again (S2 L45, T28); the registration stays (RE-12).
#[test]
fn errors_delete() {
    for status in [302, 401, 403, 404, 408, 423, 480, 481, 489, 500, 503, 603] {
        let (mut bed, first) = registered(3_600);
        let refused = first.accepted(status, "Retry-After: 5\r\nMin-Expires: 60\r\n");
        let out = bed.respond(first.token, &refused);
        assert_eq!(ended(&out), End::Refused { status });
        assert_eq!(bed.node.deadline().unwrap().1.0, "registration lifetime");

        let (mut bed, first) = registered(100_000);
        bed.respond(
            first.token,
            &first.accepted(200, &format!("{TARGET}Expires: 3660\r\n")),
        );
        bed.receive(Source::TrustedCore, &first.notify(1, "n1", ACTIVE, ""));
        let refresh = Subscribe::only(&bed.fire("subscription refresh"));
        let out = bed.respond(refresh.token, &refresh.accepted(status, ""));
        assert_eq!(ended(&out), End::Refused { status });
        assert!(bed.node.is_registered(CONTACT.as_bytes()));
        let late = refresh.notify(9, "n1", ACTIVE, "").to_vec();
        let (_, out) = bed.receive(Source::TrustedCore, &late);
        assert!(
            matches!(out[..], [Out::Respond { status: 481, .. }]),
            "over is over"
        );
    }
}

/// [RE-8] No response, or a 2xx that no NOTIFY follows within Timer N, deletes it.
#[test]
fn silence_deletes() {
    for answer in [drive::Answer::Timeout, drive::Answer::Unreachable] {
        let (mut bed, first) = registered(3_600);
        assert_eq!(ended(&bed.answer(first.token, answer)), End::NoResponse);
    }
    for accepted in [false, true] {
        let (mut bed, first) = registered(3_600);
        let before = bed.now;
        if accepted {
            bed.respond(
                first.token,
                &first.accepted(200, &format!("{TARGET}Expires: 3660\r\n")),
            );
        }
        assert_eq!(ended(&bed.fire("subscription timer N")), End::NoResponse);
        assert_eq!(bed.now.since(before), 32_000);
    }
    let (mut bed, first) = registered(3_600);
    assert_eq!(
        ended(&bed.respond(first.token, b"garbage")),
        End::NoResponse
    );
}

/// [RE-6, RE-8] A NOTIFY proves the subscription though its 2xx is lost: it stands, and is refreshed.
#[test]
fn notified_and_never_accepted() {
    for timer_n in [false, true] {
        let (mut bed, first) = registered(100_000);
        bed.receive(Source::TrustedCore, &first.notify(1, "n1", ACTIVE, TARGET));
        let out = if timer_n {
            bed.fire("subscription timer N")
        } else {
            bed.answer(first.token, drive::Answer::Timeout)
        };
        assert!(matches!(
            subscription_event(&out),
            subscriber::Event::Subscribed { expires: 3660, .. }
        ));
        Subscribe::only(&bed.fire("subscription refresh"));
    }
}

/// [RE-8] A refresh without answer deletes it, whether the host says so or nothing is heard until Timer N.
#[test]
fn a_refresh_that_is_not_answered() {
    for told in [false, true] {
        let (mut bed, first) = registered(100_000);
        bed.respond(
            first.token,
            &first.accepted(200, &format!("{TARGET}Expires: 3660\r\n")),
        );
        bed.receive(Source::TrustedCore, &first.notify(1, "n1", ACTIVE, ""));
        let refresh = Subscribe::only(&bed.fire("subscription refresh"));
        let out = if told {
            bed.answer(refresh.token, drive::Answer::Unreachable)
        } else {
            bed.fire("subscription timer N")
        };
        assert_eq!(ended(&out), End::NoResponse);
    }
}

/// [RE-8, RE-12] A NOTIFY that says terminated deletes it, with whatever reason; the registration stays (T15).
#[test]
fn terminated_deletes() {
    for (reason, meaning) in [
        ("", Termination::Other),
        (";reason=timeout", Termination::Timeout),
        (";reason=deactivated", Termination::Deactivated),
        (";reason=probation;retry-after=1", Termination::Probation),
        (";reason=novel", Termination::Other),
    ] {
        for first_of_all in [true, false] {
            let (mut bed, first) = registered(3_600);
            if !first_of_all {
                bed.receive(Source::TrustedCore, &first.notify(1, "n1", ACTIVE, TARGET));
            }
            let state = format!("Subscription-State: terminated{reason}\r\n");
            let (verdict, out) =
                bed.receive(Source::TrustedCore, &first.notify(2, "n1", &state, TARGET));
            assert_eq!(verdict, Verdict::Handled);
            assert_eq!(ended(&out), End::Terminated(meaning));
            assert!(matches!(out[..], [.., Out::Respond { status: 200, .. }]));
            assert!(bed.node.is_registered(CONTACT.as_bytes()));
        }
    }
}

/// [RE-8] A refreshed subscription goes on from the new grant; a refresh that is only answered, and not
/// followed by a NOTIFY (as deployed S-CSCFs do), goes on too.
#[test]
fn refreshed_without_notify() {
    let (mut bed, first) = registered(100_000);
    bed.respond(
        first.token,
        &first.accepted(200, &format!("{TARGET}Expires: 3660\r\n")),
    );
    bed.receive(Source::TrustedCore, &first.notify(1, "n1", ACTIVE, ""));
    let refresh = Subscribe::only(&bed.fire("subscription refresh"));
    assert_eq!(
        bed.respond(refresh.token, &refresh.accepted(200, "Expires: 1000\r\n")),
        []
    );
    let before = bed.now;
    Subscribe::only(&bed.fire("subscription refresh"));
    assert_eq!(bed.now.since(before), 500_000);
}

/// [RE-9] The user's own deregistration while a SUBSCRIBE is out: unsubscribed as soon as that is settled,
/// never two at once.
#[test]
fn unsubscribing_waits_for_the_subscribe() {
    let (mut bed, first) = registered(3_600);
    let mut out = bed.learn(&register(&contact(Some(0)), 2), &register_200("", 2));
    while let [Out::Ask { token, .. }] = out[..] {
        out = bed.done(token);
    }
    assert!(
        matches!(out[..], [Out::Event(_, Event::Deregistered { .. })]),
        "{out:?}"
    );
    let accepted = first.accepted(200, &format!("{TARGET}Expires: 3660\r\n"));
    let leave = Subscribe::only(&bed.respond(first.token, &accepted));
    assert_eq!(leave.line("Expires:"), "Expires: 0");
    assert_eq!(leave.line("To:"), format!("To: <{PUBLIC}>;tag=n1"));
    let (_, out) = bed.receive(Source::TrustedCore, &first.notify(1, "n1", ACTIVE, ""));
    assert!(
        matches!(out[..], [Out::Respond { status: 200, .. }]),
        "{out:?}"
    );
    assert_eq!(
        bed.respond(leave.token, &leave.accepted(200, "Expires: 0\r\n")),
        []
    );
    let last = "Subscription-State: terminated;reason=timeout\r\n";
    let (_, out) = bed.receive(Source::TrustedCore, &first.notify(2, "n1", last, ""));
    assert_eq!(ended(&out), End::Unsubscribed);
    assert_eq!(bed.node.deadline(), None);
}

/// [RE-9] However the unsubscribing goes, it ends.
#[test]
fn unsubscribing_ends() {
    for how in 0..4 {
        let (mut bed, first) = registered(3_600);
        bed.respond(
            first.token,
            &first.accepted(200, &format!("{TARGET}Expires: 3660\r\n")),
        );
        bed.receive(Source::TrustedCore, &first.notify(1, "n1", ACTIVE, ""));
        let mut out = bed.learn(&register(&contact(Some(0)), 2), &register_200("", 2));
        while let [Out::Ask { token, .. }] = out[..] {
            out = bed.done(token);
        }
        let leave = Subscribe::only(&out[1..]);
        let out = match how {
            0 => bed.respond(leave.token, &leave.accepted(481, "")),
            1 => bed.answer(leave.token, drive::Answer::Timeout),
            2 => bed.fire("subscription timer N"),
            _ => {
                bed.respond(leave.token, &leave.accepted(200, "Expires: 0\r\n"));
                bed.fire("subscription timer N")
            }
        };
        assert_eq!(ended(&out), End::Unsubscribed, "{how}");
        assert_eq!(bed.node.deadline(), None);
    }
}
