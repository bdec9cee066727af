//! The subscriber returns while it is deregistered.

use ims_procedures::{
    drive::{Answer, Node, Source, Verdict},
    mscics::{Cause, Event, MscNode, Outcome},
};

use crate::bed::{
    Bed, CONTACT, OTHER, Out, PARAMS, PRIVATE, asked, briefs, config, document, identifiers,
    outcome, plain, register, register_200, request, response, subscribed,
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

/// [MS-1, MS-2] After BYEs and before the REGISTER it stops there: no REGISTER follows, and the registration stays, to be
/// ended another time. What was being released by then is so still: it is not asked for again, and the other time waits for
/// its end, or for the bound.
#[test]
fn after_byes() {
    for (answered, in_time) in [(0, true), (0, false), (1, true), (1, false)] {
        let mut bed = Bed::registered(plain());
        bed.add_dialogs(&[1, 2]);
        let first = asked(&bed.inactive(Cause::ImplicitDetach));
        for (token, _) in &first[..answered] {
            assert_eq!(bed.done(*token), []);
        }
        assert_eq!(cancelled(&bed.returned()), (Cause::ImplicitDetach, 2));
        assert_eq!(bed.node.dialogs(PRIVATE.as_bytes()), 2 - answered);
        assert!(bed.node.is_registered(PRIVATE.as_bytes()));
        assert_eq!(bed.node.deadline().unwrap().1.0, "registration lifetime");
        bed.now = bed.now.after(30_000);
        assert_eq!(bed.inactive(Cause::Purge), [], "nothing is asked again");
        let (at, _) = bed.node.deadline().unwrap();
        assert_eq!(at, bed.now.after(40_000));
        let (last, before) = first[answered..].split_last().unwrap();
        for (token, _) in before {
            assert_eq!(bed.done(*token), []);
        }
        let out = match in_time {
            true => bed.done(last.0),
            false => bed.fire("release of dialogs"),
        };
        assert_eq!(briefs(&out), ["REGISTER"]);
    }
}

/// [MS-1] One whose turn has not come, and whose dialogs are being released on that, stays registered too; one that the
/// network has ended does not.
#[test]
fn after_the_turn_was_lost() {
    let mut bed = held_off();
    bed.add_dialogs(&[1]);
    let briefly = register_200(PARAMS, 2).replace("expires=3600", "expires=5");
    assert_eq!(bed.learn(&register(PARAMS, 2), &briefly), []);
    let mut changed = plain();
    changed.turn_bound = 1;
    (changed.pacing.in_flight, changed.pacing.hop_in_flight) = (1, 1);
    bed.node.reconfigure(changed).unwrap();
    assert_eq!(bed.inactive(Cause::ImplicitDetach), []);
    let out = bed.fire("turn of REGISTER");
    assert_eq!(asked(&out).len(), 1);
    assert_eq!(cancelled(&bed.returned()), (Cause::ImplicitDetach, 1));
    assert!(bed.node.is_registered(PRIVATE.as_bytes()));

    let (mut bed, subscription) = subscribed(config());
    bed.add_dialogs(&[1]);
    bed.inactive(Cause::ImplicitDetach);
    let body = document(1, "terminated", "terminated", "deactivated");
    let notify = subscription.notify(2, "terminated;reason=noresource", &body);
    bed.receive(Source::TrustedCore, &notify);
    assert_eq!(bed.returned(), []);
    assert!(!bed.node.is_registered(PRIVATE.as_bytes()));
}

/// [MS-1] The network has ended it, the subscriber is back, and the host's REGISTER was answered 2xx, in either order, while
/// dialogs are being released: no REGISTER goes out, and the subscription that had ended is made anew, once (MS-6).
#[test]
fn returned_and_registered_after_the_network_has_ended_it() {
    for is_returned_first in [true, false] {
        let (mut bed, subscription) = subscribed(config());
        bed.add_dialogs(&[1]);
        bed.inactive(Cause::Purge);
        let body = document(1, "terminated", "terminated", "deactivated");
        let notify = subscription.notify(2, "terminated;reason=noresource", &body);
        bed.receive(Source::TrustedCore, &notify);
        let mut out = Vec::new();
        if is_returned_first {
            assert_eq!(bed.returned(), []);
        }
        out.extend(bed.learn(&register(PARAMS, 2), &register_200(PARAMS, 2)));
        if !is_returned_first {
            out.extend(bed.returned());
        }
        out.extend(bed.dialog_ended(1));
        let told = briefs(&out);
        assert!(told.contains(&"Cancelled".to_owned()), "{told:?}");
        assert!(!told.contains(&"REGISTER".to_owned()), "{told:?}");
        let subscribed = told.iter().filter(|told| *told == "SUBSCRIBE");
        assert_eq!(subscribed.count(), 1, "{told:?}");
        assert!(bed.node.is_registered(PRIVATE.as_bytes()));
    }
}

/// [MS-1, MS-2] What was being released when the subscriber returned, and has ended since, is awaited no more; of a restart,
/// it is asked again, with the same key.
#[test]
fn after_byes_that_have_ended() {
    let mut bed = Bed::registered(plain());
    bed.add_dialogs(&[1]);
    let out = bed.inactive(Cause::ImplicitDetach);
    bed.returned();
    assert_eq!(bed.done(asked(&out)[0].0), [], "no REGISTER");
    assert_eq!(bed.node.dialogs(PRIVATE.as_bytes()), 0);
    assert_eq!(briefs(&bed.inactive(Cause::Purge)), ["REGISTER"]);

    let mut bed = Bed::registered(plain());
    bed.add_dialogs(&[1]);
    let [Out::Ask { key: before, .. }] = &bed.inactive(Cause::ImplicitDetach)[..] else {
        panic!("a release");
    };
    bed.returned();
    let mut blob = Vec::new();
    bed.node.snapshot(bed.now, &mut blob);
    bed.node = MscNode::restore(plain(), identifiers(2), bed.now, &blob).unwrap();
    let out = bed.fire("release of dialogs to be asked for");
    let [Out::Ask { key, token, .. }] = &out[..] else {
        panic!("{out:?}");
    };
    assert_eq!(key, before);
    assert_eq!(bed.done(*token), []);
    assert_eq!(briefs(&bed.inactive(Cause::Purge)), ["REGISTER"]);
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

/// A 2xx to a REGISTER of the host, with other parameters of the contact than before.
fn renewed(bed: &mut Bed) -> Vec<Out> {
    let changed = PARAMS.replace("cellular1", "wlan1");
    bed.learn(&register(&changed, 2), &register_200(&changed, 2))
}

fn is_of_wlan(register: &[u8]) -> bool {
    String::from_utf8_lossy(register).contains("wlan1")
}

/// [MS-1] A 2xx to a REGISTER that the host sent before the indication is no return: before ours, what it says is taken,
/// and the subscriber who has left is deregistered.
#[test]
fn renewed_before_the_register() {
    let mut bed = Bed::registered(plain());
    bed.add_dialogs(&[1]);
    let out = bed.inactive(Cause::CancelLocation);
    assert_eq!(renewed(&mut bed), []);
    let (token, ours) = request(&bed.done(asked(&out)[0].0));
    assert!(is_of_wlan(&ours));
    let out = bed.respond(token, &response(200, &ours, ""));
    let expected = (Cause::CancelLocation, Outcome::Confirmed, 1, 0, false);
    assert_eq!(outcome(&out), expected);
}

/// [MS-1] While ours is out, nobody knows which of the two the registrar took last: one more removes what the other may
/// have bound. With the subscriber back, there is none, and gone again, there is.
#[test]
fn renewed_while_the_register_is_out() {
    for (returned, gone_again, status) in [
        (false, false, 200),
        (true, false, 200),
        (true, true, 200),
        (false, false, 404),
        (false, false, 403),
    ] {
        let mut bed = Bed::registered(plain());
        let (token, ours) = request(&bed.inactive(Cause::Purge));
        if returned {
            assert_eq!(bed.returned(), []);
        }
        assert_eq!(renewed(&mut bed), []);
        if gone_again {
            assert_eq!(bed.inactive(Cause::Purge), []);
        }
        let mut out = bed.respond(token, &response(status, &ours, ""));
        let repeats = status != 403 && (!returned || gone_again);
        if repeats {
            let (token, more) = request(&out);
            assert!(is_of_wlan(&more));
            assert!(String::from_utf8_lossy(&more).contains("CSeq: 2 REGISTER"));
            assert_eq!(bed.returned(), []);
            assert_eq!(bed.inactive(Cause::Purge), []);
            out = bed.respond(token, &response(200, &more, ""));
        }
        let expected = match status {
            403 => Outcome::Refused { status },
            _ => Outcome::Confirmed,
        };
        let (registers, anew) = (1 + u8::from(repeats), returned && !gone_again);
        assert_eq!(outcome(&out), (Cause::Purge, expected, registers, 0, anew));
    }
}

/// [MS-1, MS-5] However often the host registers the subscriber meanwhile, there is one REGISTER more than the attempts at
/// most, and one that waits for its turn goes on after a restart.
#[test]
fn renewed_without_end() {
    let mut config = plain();
    config.attempts = 2;
    let mut bed = Bed::registered(config);
    let mut out = bed.inactive(Cause::Purge);
    for _ in 0..2 {
        let (token, ours) = request(&out);
        assert_eq!(renewed(&mut bed), []);
        out = bed.respond(token, &response(200, &ours, ""));
    }
    let (token, ours) = request(&out);
    assert_eq!(renewed(&mut bed), []);
    let out = bed.respond(token, &response(200, &ours, ""));
    let expected = (Cause::Purge, Outcome::Confirmed, 3, 0, false);
    assert_eq!(outcome(&out), expected);
}

/// [MS-1] What has run out, or was ended by the network, says nothing of the subscriber: a 2xx refutes it. With an
/// indication besides, the subscriber has left all the same.
#[test]
fn renewed_after_the_lifetime() {
    let mut bed = Bed::registered(plain());
    bed.add_dialogs(&[1]);
    bed.fire("registration lifetime");
    assert_eq!(cancelled(&renewed(&mut bed)), (Cause::Expiry, 1));
    assert!(bed.node.is_registered(PRIVATE.as_bytes()));

    let mut bed = Bed::registered(plain());
    let (token, ours) = request(&bed.fire("registration lifetime"));
    assert_eq!(renewed(&mut bed), []);
    let out = bed.respond(token, &response(200, &ours, ""));
    let expected = (Cause::Expiry, Outcome::Confirmed, 1, 0, true);
    assert_eq!(outcome(&out), expected);

    let mut bed = Bed::registered(plain());
    bed.add_dialogs(&[1]);
    let out = bed.fire("registration lifetime");
    assert_eq!(bed.inactive(Cause::CancelLocation), []);
    assert_eq!(bed.node.counters().triggered, 1);
    assert_eq!(renewed(&mut bed), []);
    let (token, ours) = request(&bed.done(asked(&out)[0].0));
    let out = bed.respond(token, &response(200, &ours, ""));
    let expected = (Cause::CancelLocation, Outcome::Confirmed, 1, 0, false);
    assert_eq!(outcome(&out), expected);
}

/// [MS-1] The network has ended the registration of a subscriber who has left, and the 2xx to the host's REGISTER says that
/// there is one again: it is deregistered as well.
#[test]
fn renewed_after_the_network_has_ended_it() {
    for inactive in [false, true] {
        let (mut bed, subscription) = subscribed(config());
        bed.add_dialogs(&[1]);
        let body = document(1, "terminated", "terminated", "deactivated");
        let notify = subscription.notify(2, "terminated;reason=noresource", &body);
        let (_, out) = bed.receive(Source::TrustedCore, &notify);
        let release = asked(&out)[0].0;
        if !inactive {
            let out = renewed(&mut bed);
            assert_eq!(briefs(&out), ["Cancelled", "SUBSCRIBE"]);
            continue;
        }
        assert_eq!(bed.inactive(Cause::Purge), []);
        assert_eq!(renewed(&mut bed), []);
        let (token, ours) = request(&bed.done(release));
        let out = bed.respond(token, &response(200, &ours, ""));
        let expected = (Cause::Purge, Outcome::Confirmed, 1, 0, false);
        assert_eq!(outcome(&out), expected);
    }
}

/// [MS-1] [MS-2] The host itself ends the registration, of its contact or of all: that is an outcome as well, and the last
/// thing heard. What dialogs are left are released.
#[test]
fn ended_by_the_host() {
    let of_one = register(&format!("{PARAMS};expires=0"), 2);
    let of_all = register("", 2)
        .replace(&format!("Contact: <{CONTACT}>"), "Contact: *")
        .replace("Expires: 600000", "Expires: 0");
    let gone = register_200(PARAMS, 2).replace("Contact:", "X-Contact:");
    for (running, ended) in [(false, &of_one), (true, &of_one), (false, &of_all)] {
        let mut bed = Bed::registered(plain());
        bed.add_dialogs(&[1]);
        if running {
            bed.inactive(Cause::Purge);
            assert_eq!(bed.add(OTHER, 2, None), Verdict::Handled);
            assert_eq!(asked(&bed.take()).len(), 1);
        }
        let out = bed.learn(ended, &gone);
        let cause = if running { Cause::Purge } else { Cause::Host };
        let left = 1 + u8::from(running);
        assert_eq!(outcome(&out), (cause, Outcome::ByHost, 0, left, false));
        let asked: Vec<u64> = asked(&out).into_iter().map(|(_, dialog)| dialog).collect();
        assert_eq!(asked, [1][usize::from(running)..]);
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
