//! The subscriber returns while it is deregistered.

use ims_procedures::{
    drive::{Answer, Node, Source},
    mscics::{Cause, Event, Outcome},
};

use crate::bed::{
    Bed, Out, PARAMS, PRIVATE, asked, briefs, config, document, outcome, plain, register,
    register_200, request, response, subscribed,
};

/// What one that was given up says: cause, and dialogs that were released.
fn cancelled(out: &[Out]) -> (Cause, u8) {
    match out {
        [
            Out::Event(
                _,
                Event::Cancelled {
                    cause,
                    dialogs_released,
                    ..
                },
            ),
        ] => (*cause, *dialogs_released),
        other => panic!("{other:?}"),
    }
}

/// A node whose pacer gives nobody a turn yet.
fn held_off() -> Bed {
    let mut config = plain();
    (config.pacing.rate, config.pacing.burst) = (1, 1);
    let mut bed = Bed::registered(config);
    let other = b"234150999999998@ics.mnc015.mcc234.3gppnetwork.org";
    let change = |text: String| text.replace("234150999999999", "234150999999998");
    bed.learn(
        &change(register(PARAMS, 1)),
        &change(register_200(PARAMS, 1)),
    );
    let command = ims_procedures::mscics::Command::Inactive {
        private_identity: other,
        cause: Cause::Purge,
    };
    bed.command(command);
    assert_eq!(briefs(&bed.take()), ["REGISTER"]);
    bed
}

/// [MS-1] A second indication while it runs changes nothing, whichever it is and however far it has come.
#[test]
fn second_indication() {
    let mut bed = Bed::registered(plain());
    bed.add_dialogs(&[1]);
    let out = bed.inactive(Cause::CancelLocation);
    let before = bed.node.deadline();
    assert_eq!(bed.inactive(Cause::Purge), []);
    assert_eq!(bed.node.deadline(), before);
    let (token, register) = request(&bed.done(asked(&out)[0].0));
    let before = bed.node.deadline();
    assert_eq!(bed.inactive(Cause::Administrative), []);
    assert_eq!(bed.node.deadline(), before);
    let out = bed.respond(token, &response(200, &register, ""));
    assert_eq!(outcome(&out).0, Cause::CancelLocation);
    assert_eq!(bed.node.counters().triggered, 1);
}

/// [MS-1] Before the first BYE nothing happens: the dialogs stay, and so does the registration.
#[test]
fn before_the_first_bye() {
    let mut bed = held_off();
    bed.add_dialogs(&[1, 2]);
    assert_eq!(
        bed.inactive(Cause::ImplicitDetach),
        [],
        "its turn is waited for"
    );
    assert_eq!(cancelled(&bed.returned()), (Cause::ImplicitDetach, 0));
    assert_eq!(bed.node.dialogs(PRIVATE.as_bytes()), 2);
    assert!(bed.node.is_registered(PRIVATE.as_bytes()));
    bed.now = bed.now.after(60_000);
    let out = bed.tick();
    assert_eq!(out, [], "nobody has a turn any more");
}

/// [MS-1] After BYEs and before the REGISTER it stops there: what was released is gone, no REGISTER follows, and the
/// registration stays, to be ended another time.
#[test]
fn after_byes() {
    for answered in [0, 1] {
        let mut bed = Bed::registered(plain());
        bed.add_dialogs(&[1, 2]);
        let first = asked(&bed.inactive(Cause::ImplicitDetach));
        for (token, _) in &first[..answered] {
            assert_eq!(bed.done(*token), []);
        }
        assert_eq!(cancelled(&bed.returned()), (Cause::ImplicitDetach, 2));
        assert_eq!(bed.node.dialogs(PRIVATE.as_bytes()), 0);
        for (token, _) in &first[answered..] {
            assert_eq!(bed.done(*token), [], "no REGISTER");
        }
        assert!(bed.node.is_registered(PRIVATE.as_bytes()));
        assert_eq!(bed.node.deadline().unwrap().1.0, "registration lifetime");
        assert_eq!(briefs(&bed.inactive(Cause::Purge)), ["REGISTER"]);
    }
}

/// [MS-1] After the REGISTER it is finished, and the outcome says that the subscriber is to be registered anew; with the
/// subscriber back, the attempt that is out is the last.
#[test]
fn after_the_register() {
    for status in [200, 403, 500, 0] {
        let mut bed = Bed::registered(plain());
        let (token, register) = request(&bed.inactive(Cause::CancelLocation));
        assert_eq!(bed.returned(), []);
        assert_eq!(bed.returned(), []);
        let out = match status {
            0 => bed.answer(token, Answer::Timeout),
            _ => bed.respond(token, &response(status, &register, "")),
        };
        let expected = match status {
            200 => Outcome::Confirmed,
            403 => Outcome::Refused { status },
            0 => Outcome::NoResponse,
            _ => Outcome::Failed { status },
        };
        assert_eq!(outcome(&out), (Cause::CancelLocation, expected, 1, 0, true));
        assert_eq!(bed.node.deadline(), None);
        assert_eq!(bed.register(), [], "registered anew");
        assert!(bed.node.is_registered(PRIVATE.as_bytes()));
    }
}

/// [MS-1] Who has returned and is gone again is not to be registered anew.
#[test]
fn gone_again() {
    let mut bed = Bed::registered(plain());
    let (token, register) = request(&bed.inactive(Cause::CancelLocation));
    assert_eq!(bed.returned(), []);
    assert_eq!(bed.inactive(Cause::ExplicitDetach), []);
    let out = bed.respond(token, &response(200, &register, ""));
    let expected = (Cause::CancelLocation, Outcome::Confirmed, 1, 0, false);
    assert_eq!(outcome(&out), expected);
}

/// [MS-1] While another attempt is waited for, nothing is out: it ends at once.
#[test]
fn between_attempts() {
    let mut bed = Bed::registered(plain());
    let (token, register) = request(&bed.inactive(Cause::CancelLocation));
    assert_eq!(bed.respond(token, &response(504, &register, "")), []);
    let failed = Outcome::Failed { status: 504 };
    let out = bed.returned();
    assert_eq!(outcome(&out), (Cause::CancelLocation, failed, 1, 0, true));
    assert_eq!(bed.node.registrations(), 0);
}

/// [MS-1] A 2xx to a REGISTER of the host is as good as the subscriber's return: before ours it stops the procedure, and
/// what it says is taken; after ours it ends first, as nobody knows which of the two the registrar took last.
#[test]
fn registered_meanwhile() {
    let mut bed = Bed::registered(plain());
    bed.add_dialogs(&[1]);
    bed.inactive(Cause::ImplicitDetach);
    let changed = PARAMS.replace("cellular1", "wlan1");
    let out = bed.learn(&register(&changed, 2), &register_200(&changed, 2));
    assert_eq!(cancelled(&out), (Cause::ImplicitDetach, 1));
    let (token, ours) = request(&bed.inactive(Cause::Purge));
    assert!(String::from_utf8(ours.clone()).unwrap().contains("wlan1"));
    assert_eq!(bed.register(), []);
    let out = bed.respond(token, &response(200, &ours, ""));
    assert_eq!(
        outcome(&out),
        (Cause::Purge, Outcome::Confirmed, 1, 0, true)
    );
}

/// [MS-1] The host itself ends the registration: that is an outcome as well, and the last thing heard.
#[test]
fn ended_by_the_host() {
    for running in [false, true] {
        let mut bed = Bed::registered(plain());
        if running {
            bed.add_dialogs(&[1]);
            bed.inactive(Cause::Purge);
        }
        let ended = register(&format!("{PARAMS};expires=0"), 2);
        let gone = register_200(PARAMS, 2).replace("Contact:", "X-Contact:");
        let out = bed.learn(&ended, &gone);
        let cause = if running { Cause::Purge } else { Cause::Host };
        let left = u8::from(running);
        assert_eq!(outcome(&out), (cause, Outcome::ByHost, 0, left, false));
        assert_eq!(bed.node.deadline(), None);
    }
}

/// [MS-6] [MS-1] Before the REGISTER the subscription goes on; a return leaves it as it is.
#[test]
fn subscription_goes_on() {
    let (mut bed, subscription) = subscribed(config());
    bed.add_dialogs(&[1]);
    bed.inactive(Cause::ImplicitDetach);
    let active = document(1, "active", "active", "registered");
    let notify = subscription.notify(2, "active;expires=3600", &active);
    assert_eq!(
        briefs(&bed.receive(Source::TrustedCore, &notify).1),
        ["200"]
    );
    bed.returned();
    let (at, _) = bed.node.deadline().unwrap();
    bed.now = at;
    assert_eq!(briefs(&bed.tick()), ["SUBSCRIBE"], "it is refreshed");
}

/// The registration runs out, and the host has not renewed it: it is ended as by any indication.
#[test]
fn expiry() {
    let mut bed = Bed::registered(plain());
    bed.add_dialogs(&[1]);
    assert_eq!(bed.node.deadline().unwrap().0, bed.now.after(3_600_000));
    let out = bed.fire("registration lifetime");
    let (token, register) = request(&bed.done(asked(&out)[0].0));
    let out = bed.respond(token, &response(404, &register, ""));
    let nothing = Outcome::NothingThere { status: 404 };
    assert_eq!(outcome(&out), (Cause::Expiry, nothing, 1, 0, false));
}

/// [RE-12] The network ends the registration: the dialogs are released, no REGISTER and no SUBSCRIBE follows. A document
/// that still shows the contact changes nothing, one that shortens it is heeded.
#[test]
fn ended_by_the_network() {
    for state in ["terminated;reason=noresource", "active;expires=100"] {
        let (mut bed, subscription) = subscribed(config());
        bed.add_dialogs(&[1]);
        let body = document(1, "terminated", "terminated", "deactivated");
        let notify = subscription.notify(2, state, &body);
        let (_, out) = bed.receive(Source::TrustedCore, &notify);
        let mut brief = briefs(&out);
        brief.sort();
        assert_eq!(brief, ["200", "SubscriptionEnded", "release 1"]);
        let out = bed.done(asked(&out)[0].0);
        let expected = (Cause::Network, Outcome::Notified, 0, 0, false);
        assert_eq!(outcome(&out), expected);
        assert_eq!(briefs(&out), ["Deregistered"]);
        assert_eq!(bed.node.deadline(), None);
    }
    let (mut bed, subscription) = subscribed(config());
    let body = document(1, "active", "active", "shortened")
        .replace("event=\"shortened\"", "event=\"shortened\" expires=\"10\"");
    let notify = subscription.notify(2, "active;expires=100", &body);
    assert_eq!(
        briefs(&bed.receive(Source::TrustedCore, &notify).1),
        ["200"]
    );
    assert_eq!(bed.node.deadline().unwrap().0, bed.now.after(10_000));
}

/// [MS-6] NOTIFYs that are no good are refused before the REGISTER, and while it is out: of another sender, of no dialog,
/// out of order, without the package.
#[test]
fn bad_notifies() {
    let (mut bed, subscription) = subscribed(config());
    bed.inactive(Cause::Purge);
    let notify = subscription.notify(2, "active", "");
    let text = String::from_utf8(notify.clone()).unwrap();
    let of = |from: &str, to: &str| text.replace(from, to).into_bytes();
    for (from, bytes, status) in [
        (Source::Ue, notify.clone(), "403"),
        (Source::Unknown, notify.clone(), "403"),
        (Source::TrustedCore, of(";tag=scscf1", ";tag=other"), "481"),
        (
            Source::TrustedCore,
            of("Event: reg", "Event: presence"),
            "489",
        ),
        (
            Source::TrustedCore,
            subscription.notify(0, "active", ""),
            "500",
        ),
    ] {
        assert_eq!(briefs(&bed.receive(from, &bytes).1), [status]);
    }
    assert_eq!(
        briefs(&bed.receive(Source::TrustedCore, &notify).1),
        ["200"]
    );
    let counters = bed.node.counters();
    assert_eq!((counters.notifies, counters.notifies_refused), (2, 5));
}
