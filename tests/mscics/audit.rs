//! [DR-9] The record of a deregistration, for an audit.

use ims_procedures::{
    drive::{Initiator, Millis, Node, Source},
    mscics::{Audit, Cause, Command, Conclusion, Config, Event, MscNode, Outcome, Shutdown},
};

use crate::bed::{
    Bed, Out, PARAMS, PRIVATE, TEMPORARY, asked, document, identifiers, plain, register,
    register_200, request, response, subscribed,
};

fn audited() -> Config {
    let mut config = plain();
    config.audit = true;
    config
}

const GIVEN_UP: Conclusion<Outcome> = Conclusion::GivenUp {
    reached: None,
    registers: 0,
};

/// The record that comes right after an outcome, or a deregistration that was given up.
#[track_caller]
fn record(out: &[Out]) -> Audit {
    let [
        ..,
        Out::Event(reported, event),
        Out::Event(about, Event::Audited(audit)),
    ] = out
    else {
        panic!("{out:?}");
    };
    assert_eq!(about, &format!("{PRIVATE} {TEMPORARY}"));
    assert_eq!(about, reported);
    let said = match *event {
        Event::Deregistered {
            id,
            cause,
            outcome,
            registers,
            ..
        } => (id, cause, Conclusion::Ended { outcome, registers }),
        Event::Cancelled { id, cause, .. } => (id, cause, GIVEN_UP),
        other => panic!("{other:?}"),
    };
    assert_eq!((audit.id, audit.cause, audit.outcome), said);
    *audit
}

fn started(config: Config) -> (Bed, Vec<Out>) {
    let mut bed = Bed::registered(config);
    bed.add_dialogs(&[1]);
    bed.now = Millis(50_000);
    let out = bed.inactive(Cause::CancelLocation);
    (bed, out)
}

/// [DR-9] Who began it, why, whom it concerns, how it ended and when: from the indication, the release of the dialogs
/// included, to the outcome, by whose id it is.
#[test]
fn cancelled_location() {
    let (mut bed, out) = started(audited());
    let [(token, 1)] = asked(&out)[..] else {
        panic!("{out:?}");
    };
    bed.now = Millis(53_000);
    let (token, bytes) = request(&bed.done(token));
    bed.now = Millis(53_500);
    let out = bed.respond(token, &response(200, &bytes, ""));
    let audit = record(&out);
    assert_eq!(audit.initiator, Initiator::HomeNetwork);
    assert_eq!(audit.cause, Cause::CancelLocation);
    let confirmed = Conclusion::Ended {
        outcome: Outcome::Confirmed,
        registers: 1,
    };
    assert_eq!(audit.outcome, confirmed);
    assert_eq!((audit.began, audit.resumed), (Some(Millis(50_000)), false));
    assert_eq!(audit.ended, Millis(53_500));
}

/// [DR-9] Off by default: not one record.
#[test]
fn off_by_default() {
    assert!(!plain().audit);
    let (mut bed, out) = started(plain());
    let (token, bytes) = request(&bed.done(asked(&out)[0].0));
    let out = bed.respond(token, &response(200, &bytes, ""));
    assert!(matches!(
        out[..],
        [Out::Event(_, Event::Deregistered { .. })]
    ));
}

/// [DR-9] Each cause has one who began it.
#[test]
fn each_cause() {
    for (cause, initiator) in [
        (Cause::CancelLocation, Initiator::HomeNetwork),
        (Cause::ImplicitDetach, Initiator::Element),
        (Cause::Purge, Initiator::Element),
        (Cause::ExplicitDetach, Initiator::User),
        (Cause::Administrative, Initiator::Operator),
        (Cause::Shutdown, Initiator::Operator),
        (Cause::Expiry, Initiator::Element),
        (Cause::Network, Initiator::HomeNetwork),
        (Cause::Host, Initiator::Operator),
    ] {
        assert_eq!(cause.initiator(), initiator, "{cause:?}");
    }
}

/// [DR-9] One that was given up has a record without an outcome, and an id; the next one begins anew.
#[test]
fn given_up() {
    let (mut bed, _) = started(audited());
    bed.now = Millis(51_000);
    let audit = record(&bed.returned());
    assert_eq!(
        (audit.cause, audit.outcome),
        (Cause::CancelLocation, GIVEN_UP)
    );
    assert_eq!(
        (audit.began, audit.ended),
        (Some(Millis(50_000)), Millis(51_000))
    );
    bed.dialog_ended(1);
    bed.now = Millis(80_000);
    let (token, bytes) = request(&bed.inactive(Cause::ExplicitDetach));
    let again = record(&bed.respond(token, &response(403, &bytes, "")));
    assert_eq!(again.initiator, Initiator::User);
    assert_eq!(again.began, Some(Millis(80_000)));
    assert_ne!(again.id, audit.id);
}

/// [DR-9] One that takes no time at all begins and ends at that instant: the host itself has ended the registration.
#[test]
fn at_once() {
    let mut bed = Bed::registered(audited());
    bed.now = Millis(90_000);
    let out = bed.learn(
        &register(PARAMS, 2).replace("Expires: 600000", "Expires: 0"),
        &register_200(PARAMS, 2).replace(";expires=3600", ";expires=0"),
    );
    let audit = record(&out);
    let by_host = Conclusion::Ended {
        outcome: Outcome::ByHost,
        registers: 0,
    };
    assert_eq!(audit.outcome, by_host);
    assert_eq!(
        (audit.began, audit.ended),
        (Some(Millis(90_000)), Millis(90_000))
    );
}

/// [MS-1, DR-9] An indication that comes when a shutdown has only queued the subscriber begins it; one that comes when its
/// REGISTER is out becomes its cause, and it has begun before.
#[test]
fn taken_over_from_a_shutdown() {
    for is_out in [false, true] {
        let mut bed = Bed::registered(audited());
        bed.now = Millis(10_000);
        let order = Shutdown::until(Millis(90_000));
        bed.command(Command::Shutdown(order));
        let mut out = bed.take();
        let is_queued = |bed: &Bed| !bed.node.is_registered(PRIVATE.as_bytes());
        while !(is_queued(&bed) && (!is_out || out.iter().any(|out| out.brief() == "REGISTER"))) {
            out = bed.tick();
        }
        bed.now = Millis(12_000);
        let indicated = bed.inactive(Cause::CancelLocation);
        if !is_out {
            out = indicated;
            while !out.iter().any(|out| out.brief() == "REGISTER") {
                out = bed.tick();
            }
        }
        let (token, bytes) = request(&out);
        let out = bed.respond(token, &response(200, &bytes, ""));
        let audit = record(&out[..2]);
        assert_eq!(audit.initiator, Initiator::HomeNetwork);
        let began = if is_out { 10_000 } else { 12_000 };
        assert_eq!(audit.began, Some(Millis(began)));
    }
}

/// [DR-9] One that waits for its turn since it has run out begins with that, whatever becomes its cause.
#[test]
fn indicated_while_queued() {
    let mut held_off = audited();
    held_off.pacing.in_flight = 1;
    held_off.pacing.hop_in_flight = 1;
    let mut bed = Bed::registered(held_off);
    let another = |text: String| text.replace("234150999999999", "234150999999998");
    let (asks, given) = (register(PARAMS, 1), register_200(PARAMS, 1));
    bed.learn(&another(asks), &another(given));
    // The other one has the only turn that there is.
    bed.now = Millis(1_000).after_seconds(3_599);
    let private_identity = PRIVATE.replace("999999999@", "999999998@");
    bed.command(Command::Inactive {
        private_identity: private_identity.as_bytes(),
        cause: Cause::Purge,
    });
    let (token, bytes) = request(&bed.take());
    bed.now = bed.now.after_seconds(1);
    assert_eq!(bed.tick(), [], "it has run out, and waits");
    let ran_out = bed.now;
    bed.now = bed.now.after(2_000);
    assert_eq!(bed.inactive(Cause::CancelLocation), []);
    let mut out = bed.respond(token, &response(200, &bytes, ""));
    while !out.iter().any(|out| out.brief() == "REGISTER") {
        let timer = bed.node.deadline().unwrap().1;
        out = bed.fire(timer.0);
    }
    let (token, bytes) = request(&out);
    let audit = record(&bed.respond(token, &response(200, &bytes, "")));
    assert_eq!(audit.cause, Cause::CancelLocation);
    assert_eq!(audit.began, Some(ran_out));
}

/// [DR-9] The network ends what a shutdown has only queued: it is the network's. A 2xx of the host's own that comes then
/// gives it up.
#[test]
fn ended_by_the_network_while_queued() {
    let mut watched = audited();
    watched.subscription.support_reg_event = true;
    let (mut bed, subscription) = subscribed(watched);
    bed.add_dialogs(&[1]);
    bed.now = Millis(10_000);
    let mut order = Shutdown::until(Millis(90_000));
    order.rate = Some(1);
    bed.command(Command::Shutdown(order));
    while bed.node.is_registered(PRIVATE.as_bytes()) {
        bed.tick();
    }
    bed.now = Millis(12_000);
    let body = document(1, "terminated", "terminated", "deactivated");
    let notify = subscription.notify(2, "terminated;reason=noresource", &body);
    bed.receive(Source::TrustedCore, &notify);
    bed.now = Millis(13_000);
    let out = bed.learn(&register(PARAMS, 2), &register_200(PARAMS, 2));
    let audit = record(&out[..2]);
    assert_eq!((audit.cause, audit.outcome), (Cause::Network, GIVEN_UP));
    assert_eq!(audit.began, Some(Millis(12_000)));
}

/// [DR-9] The host ends what a shutdown has only queued: it is the host's.
#[test]
fn ended_while_queued() {
    let mut bed = Bed::registered(audited());
    bed.now = Millis(10_000);
    let mut order = Shutdown::until(Millis(90_000));
    order.rate = Some(1);
    bed.command(Command::Shutdown(order));
    while bed.node.is_registered(PRIVATE.as_bytes()) {
        bed.tick();
    }
    bed.now = Millis(12_000);
    let out = bed.learn(
        &register(PARAMS, 2).replace("Expires: 600000", "Expires: 0"),
        &register_200(PARAMS, 2).replace(";expires=3600", ";expires=0"),
    );
    let audit = record(&out[..2]);
    assert_eq!(audit.cause, Cause::Host);
    assert_eq!(audit.began, Some(Millis(12_000)));
}

/// [DR-7, DR-9] After a restart the record is that of the same procedure: the clock stood still meanwhile.
#[test]
fn over_a_restart() {
    let (mut bed, out) = started(audited());
    bed.now = Millis(52_000);
    let (_, bytes) = request(&bed.done(asked(&out)[0].0));
    let mut blob = Vec::new();
    bed.node.snapshot(bed.now, &mut blob);
    bed.now = Millis(700_000);
    bed.node = MscNode::restore(audited(), identifiers(2), bed.now, &blob).unwrap();
    let (token, again) = request(&bed.tick());
    assert_eq!(bytes, again);
    let audit = record(&bed.respond(token, &response(200, &bytes, "")));
    assert_eq!((audit.began, audit.resumed), (Some(Millis(698_000)), true));
    assert_eq!(audit.ended, Millis(700_000));
}
