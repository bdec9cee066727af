//! [DR-9] The record of a deregistration, for an audit.

use crate::common::pcscf::{
    Bed, CONTACT, Dialog, Out, PRIVATE, PUBLIC, config, contact, document, identifiers, register,
    register_200, request, response, subscribed_at, terminated,
};
use ims_procedures::{
    drive::{Initiator, Millis, Node, Source, Verdict, snapshot::Release},
    pcscf::{
        Audit, Cause, Command, Conclusion, Config, Event, NotAsked, Outcome, PcscfNode, Shutdown,
        Ue,
    },
};

fn audited() -> Config {
    let mut config = config();
    config.audit = true;
    config
}

/// The record that comes right after an outcome, or a deregistration that was given up, of the user of the fixtures.
#[track_caller]
fn record(out: &[Out]) -> Audit {
    let mut pairs = out.windows(2);
    let (reported, event, about, audit) = pairs
        .find_map(|pair| match pair {
            [
                Out::Event(reported, event),
                Out::Event(about, Event::Audited(audit)),
            ] => Some((reported, event, about, audit)),
            _ => None,
        })
        .expect("a record after what it is of");
    assert_eq!(about, &format!("{PRIVATE} {PUBLIC} {CONTACT}"));
    assert_eq!(about, reported);
    let said = match *event {
        Event::Deregistered {
            id,
            cause,
            outcome,
            registers,
            ..
        } => (id, cause, Some(outcome), registers),
        Event::Cancelled {
            id,
            cause,
            registers,
            ..
        } => (id, cause, None, registers),
        other => panic!("{other:?}"),
    };
    let (outcome, registers) = match audit.outcome {
        Conclusion::Ended { outcome, registers } => (Some(outcome), registers),
        Conclusion::GivenUp { registers, .. } => (None, registers),
    };
    assert_eq!((audit.id, audit.cause, outcome, registers), said);
    assert_eq!(records(out).len(), 1);
    *audit
}

const fn after(registers: u8, outcome: Outcome) -> Conclusion<Outcome> {
    Conclusion::Ended { outcome, registers }
}

fn records(out: &[Out]) -> Vec<Audit> {
    let records = out.iter().filter_map(|out| match out {
        Out::Event(_, Event::Audited(audit)) => Some(*audit),
        _ => None,
    });
    records.collect()
}

/// Whatever is asked is done, a second each, and time passes, until a registration is gone.
fn cleaned(bed: &mut Bed, mut out: Vec<Out>) -> Vec<Out> {
    let is_gone = |out: &Out| matches!(out, Out::Event(_, Event::Deregistered { .. }));
    while !out.iter().any(is_gone) {
        let asked = out.iter().find_map(|out| match out {
            Out::Ask { token, .. } => Some(*token),
            _ => None,
        });
        out = match asked {
            Some(token) => {
                bed.now = bed.now.after(1_000);
                bed.done(token)
            }
            None => {
                let timer = bed.node.deadline().expect("something is due").1;
                bed.fire(timer.0)
            }
        };
    }
    out
}

fn ended(bed: &mut Bed, dialog: &Dialog) -> Vec<Out> {
    let notify = dialog.notify(2, "active;expires=3000", &terminated());
    let (verdict, out) = bed.receive(Source::TrustedCore, &notify);
    assert_eq!(verdict, Verdict::Handled);
    cleaned(bed, out)
}

/// [DR-9] Who began it, why, whom it concerns, how it ended and when; after the outcome, by its id. The access network has
/// lost a UE: from the report of the loss to the end of the cleanup.
#[test]
fn access_lost() {
    let (mut bed, dialog) = subscribed_at(audited());
    bed.now = Millis(50_000);
    let (token, bytes) = request(&bed.lose(CONTACT));
    bed.now = Millis(51_000);
    assert_eq!(bed.respond(token, &response(200, &bytes, "")), []);
    bed.now = Millis(52_000);
    let audit = record(&ended(&mut bed, &dialog));
    assert_eq!(audit.initiator, Initiator::AccessNetwork);
    assert_eq!(audit.cause, Cause::AccessLost);
    assert_eq!(audit.outcome, after(1, Outcome::Notified));
    assert_eq!((audit.began, audit.resumed), (Some(Millis(50_000)), false));
    assert_eq!(audit.ended, Millis(55_000));
}

/// [DR-9] Off by default: not one record.
#[test]
fn off_by_default() {
    assert!(!config().audit);
    let (mut bed, dialog) = subscribed_at(config());
    let (token, bytes) = request(&bed.lose(CONTACT));
    bed.respond(token, &response(200, &bytes, ""));
    let out = ended(&mut bed, &dialog);
    assert!(matches!(
        out[..],
        [Out::Event(_, Event::Deregistered { .. })]
    ));
}

/// [DR-9] The home network, the user, and a time that has run out here. Nothing was waited for before the cleanup.
#[test]
fn initiators() {
    let (mut bed, dialog) = subscribed_at(audited());
    bed.now = Millis(20_000);
    let audit = record(&ended(&mut bed, &dialog));
    assert_eq!(
        (audit.initiator, audit.cause),
        (Initiator::HomeNetwork, Cause::Network)
    );
    assert_eq!(audit.began, Some(Millis(20_000)));

    let (mut bed, _) = subscribed_at(audited());
    bed.now = Millis(30_000);
    let out = bed.learn(
        &register(&contact(Some(0)), 2),
        &register_200(&contact(Some(0)), 2)
            .replace(&format!("Contact: {}\r\n", contact(Some(0))), ""),
    );
    let out = cleaned(&mut bed, out);
    let audit = record(&out);
    assert_eq!(
        (audit.initiator, audit.cause, audit.outcome),
        (Initiator::User, Cause::User, after(0, Outcome::ByUser))
    );
    assert_eq!(
        (audit.began, audit.ended),
        (Some(Millis(30_000)), Millis(33_000))
    );

    let mut early = audited();
    early.registration_threshold = 60_000;
    early.subscription.support_reg_event = false;
    let mut bed = Bed::new(early);
    bed.register();
    let began = bed.now.after(3_540_000);
    let (token, bytes) = request(&bed.fire("registration lifetime"));
    let out = bed.respond(token, &response(481, &bytes, ""));
    let audit = record(&cleaned(&mut bed, out));
    assert_eq!(audit.initiator, Initiator::Element);
    assert_eq!(audit.cause, Cause::RegistrationTimer);
    let nothing = Outcome::NothingThere { status: 481 };
    assert_eq!(audit.outcome, after(1, nothing));
    assert_eq!(audit.began, Some(began));
}

/// [DR-9] Each cause has one who began it.
#[test]
fn each_cause() {
    for (cause, initiator) in [
        (Cause::AccessLost, Initiator::AccessNetwork),
        (Cause::RegistrationTimer, Initiator::Element),
        (Cause::SecurityAssociationTimer, Initiator::Element),
        (Cause::Network, Initiator::HomeNetwork),
        (Cause::User, Initiator::User),
        (Cause::Shutdown, Initiator::Operator),
    ] {
        assert_eq!(cause.initiator(), initiator, "{cause:?}");
    }
}

/// [DR-9] One that was given up has a record without an outcome; the next one begins anew.
#[test]
fn given_up() {
    let (mut bed, dialog) = subscribed_at(audited());
    bed.now = Millis(60_000);
    bed.lose(CONTACT);
    bed.now = Millis(61_500);
    let out = bed.learn(
        &register(&contact(Some(600_000)), 2),
        &register_200(&contact(Some(3_600)), 2),
    );
    let audit = record(&out);
    let given_up = Conclusion::GivenUp {
        reached: None,
        registers: 1,
    };
    assert_eq!((audit.cause, audit.outcome), (Cause::AccessLost, given_up));
    assert_eq!(
        (audit.began, audit.ended),
        (Some(Millis(60_000)), Millis(61_500))
    );

    bed.now = Millis(90_000);
    let (token, bytes) = request(&bed.lose(CONTACT));
    bed.respond(token, &response(200, &bytes, ""));
    let active = document("active", &[(CONTACT, "active", "registered", "")]);
    bed.receive(
        Source::TrustedCore,
        &dialog.notify(2, "active;expires=3000", &active),
    );
    let out = bed.fire("NOTIFY after deregistration");
    let audit = record(&cleaned(&mut bed, out));
    assert_eq!(audit.outcome, after(1, Outcome::Unconfirmed));
    assert_eq!(audit.began, Some(Millis(90_000)));
}

/// [PD-9, DR-9] The UE is back after the 2xx to ours: given up, and what it had come to in the network.
#[test]
fn given_up_too_late() {
    let (mut bed, _) = subscribed_at(audited());
    let (token, bytes) = request(&bed.lose(CONTACT));
    assert_eq!(bed.respond(token, &response(200, &bytes, "")), []);
    let out = bed.learn(
        &register(&contact(Some(600_000)), 2),
        &register_200(&contact(Some(3_600)), 2),
    );
    let too_late = Conclusion::GivenUp {
        reached: Some(Outcome::Unconfirmed),
        registers: 1,
    };
    assert_eq!(record(&out).outcome, too_late);
}

/// [PD-9, DR-9] The UE is back with another contact: what was given up is that of the contact that it had when it was lost.
#[test]
fn given_up_at_its_contact() {
    let mut plain = audited();
    plain.subscription.support_reg_event = false;
    let mut bed = Bed::new(plain);
    bed.register();
    bed.lose(CONTACT);
    let moved = |text: String| text.replace("aaa:bbb]:1357", "aaa:ddd]:2468");
    let out = bed.learn(
        &moved(register(&contact(Some(600_000)), 2)),
        &moved(register_200(&contact(Some(3_600)), 2)),
    );
    record(&out);
    let now = moved(CONTACT.to_owned());
    assert!(bed.node.is_registered(now.as_bytes()));
    assert!(!bed.node.is_registered(CONTACT.as_bytes()));
}

/// A node that is shut down: another user has the only turn that there is, and the user of the fixtures waits.
fn halted() -> (Bed, Dialog) {
    let mut config = audited();
    config.pacing.canaries = 0;
    let (mut bed, dialog) = subscribed_at(config);
    let another = |text: String| {
        text.replace(PRIVATE, "user0@home1.example.net")
            .replace(CONTACT, "sip:[2001:db8::aaa:ccc]:1357")
    };
    bed.learn(
        &another(register(&contact(Some(600_000)), 1)),
        &another(register_200(&contact(Some(3_600)), 1)),
    );
    // Who is in a dialog comes last.
    bed.command(Command::DialogsChanged {
        ue: Ue::at(CONTACT.as_bytes()),
        present: true,
    });
    bed.now = Millis(10_000);
    let mut order = Shutdown::until(Millis(40_000));
    order.in_flight = Some(1);
    assert_eq!(bed.command(Command::Shutdown(order)), Verdict::Handled);
    let mut out = bed.take();
    while !out.iter().any(|out| matches!(out, Out::Request { .. })) {
        out = bed.tick();
    }
    while bed.node.is_registered(CONTACT.as_bytes()) {
        assert_eq!(bed.tick(), []);
    }
    bed.now = Millis(15_000);
    (bed, dialog)
}

/// The records of what ends by itself until then, with whatever is asked done at once.
fn records_until(bed: &mut Bed, end: Millis) -> Vec<Audit> {
    let mut found = Vec::new();
    while let Some((at, _)) = bed.node.deadline().filter(|(at, _)| *at <= end) {
        bed.now = bed.now.max(at);
        let mut out = bed.tick();
        while let Some(place) = out.iter().position(|out| matches!(out, Out::Ask { .. })) {
            let Out::Ask { token, .. } = out.remove(place) else {
                unreachable!()
            };
            out.extend(bed.done(token));
        }
        found.extend(records(&out));
    }
    found
}

/// [DR-9] A shutdown is the operator's, and the wait for a turn is of it.
#[test]
fn shut_down() {
    let (mut bed, _) = halted();
    let found = records_until(&mut bed, Millis(40_000));
    assert_eq!(found.len(), 2);
    for audit in &found {
        let why = (audit.initiator, audit.cause);
        assert_eq!(why, (Initiator::Operator, Cause::Shutdown));
        assert_eq!(audit.began, Some(Millis(10_000)));
        assert_eq!(audit.ended, Millis(40_000));
    }
    let why = NotAsked::Deadline;
    let ends = [
        after(1, Outcome::NoResponse),
        after(0, Outcome::NotAsked { why }),
    ];
    for end in ends {
        assert!(found.iter().any(|audit| audit.outcome == end), "{end:?}");
    }
}

/// [DR-9] One that a shutdown had only queued when it was called off leaves no record; the other, which had its turn,
/// does.
#[test]
fn called_off() {
    let (mut bed, _) = halted();
    assert_eq!(bed.command(Command::Resume), Verdict::Handled);
    let found = records_until(&mut bed, Millis(400_000));
    assert!(bed.node.is_registered(CONTACT.as_bytes()));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].outcome, after(3, Outcome::NoResponse));
}

/// [DR-9] What a shutdown has only queued is of whoever ends it, or of the access that is lost, and begins then.
#[test]
fn ended_while_queued() {
    for cause in [Cause::AccessLost, Cause::Network, Cause::User] {
        let (mut bed, dialog) = halted();
        let out = match cause {
            Cause::AccessLost => bed.lose(CONTACT),
            Cause::Network => ended(&mut bed, &dialog),
            _ => {
                let request = register(&contact(Some(0)), 2);
                let gone = format!("Contact: {}\r\n", contact(Some(0)));
                let response = register_200(&contact(Some(0)), 2).replace(&gone, "");
                let out = bed.learn(&request, &response);
                cleaned(&mut bed, out)
            }
        };
        let audit = match cause {
            Cause::AccessLost => {
                let found = records_until(&mut bed, Millis(40_000));
                *found.iter().find(|audit| audit.cause == cause).unwrap()
            }
            _ => record(&out),
        };
        assert_eq!((audit.cause, audit.initiator), (cause, cause.initiator()));
        assert_eq!(audit.began, Some(Millis(15_000)));
    }
}

/// [DR-9] Asked for while it runs, there is a record that does not know when it began; asked for no more, there is none.
#[test]
fn changed_meanwhile() {
    for (before, after) in [(config(), audited()), (audited(), config())] {
        let (mut bed, dialog) = subscribed_at(before);
        let (token, bytes) = request(&bed.lose(CONTACT));
        let is_asked_for = after.audit;
        bed.node.reconfigure(after).unwrap();
        bed.respond(token, &response(200, &bytes, ""));
        let out = ended(&mut bed, &dialog);
        match is_asked_for {
            true => assert_eq!(record(&out).began, None),
            false => assert_eq!(records(&out), []),
        }
    }
}

/// [DR-7, DR-9] After a restart the record is that of the same procedure: the clock stood still meanwhile. The release
/// before this one keeps no records.
#[test]
fn over_a_restart() {
    for release in [Release::Current, Release::Previous] {
        let (mut bed, dialog) = subscribed_at(audited());
        bed.now = Millis(70_000);
        let (token, bytes) = request(&bed.lose(CONTACT));
        bed.respond(token, &response(200, &bytes, ""));
        bed.now = Millis(73_000);
        let mut blob = Vec::new();
        bed.node.snapshot_for(release, bed.now, &mut blob);
        // Another epoch, in which that was before its beginning or not.
        for (now, began) in [
            (Millis(500_000), Some(497_000)),
            (Millis(3_000), Some(0)),
            (Millis(2_999), None),
        ] {
            let node = PcscfNode::restore(audited(), identifiers(2), now, &blob).unwrap();
            let mut bed = Bed {
                node,
                now,
                ..Bed::new(audited())
            };
            let audit = record(&ended(&mut bed, &dialog));
            let began = began.filter(|_| release == Release::Current).map(Millis);
            let is_kept = release == Release::Current;
            assert_eq!((audit.began, audit.resumed), (began, is_kept));
            assert_eq!(audit.ended, now.after(3_000));
        }
    }
}

/// [DR-9] A record does not show in its `Debug` whom it names.
#[test]
fn debug_names_nobody() {
    let (mut bed, dialog) = subscribed_at(audited());
    bed.lose(CONTACT);
    let out = ended(&mut bed, &dialog);
    let shown = format!("{:?}", record(&out));
    for name in [PRIVATE, PUBLIC, CONTACT] {
        assert!(!shown.contains(name), "{shown}");
    }
}
