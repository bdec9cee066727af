//! [DR-9] The record of a deregistration, for an audit.

use crate::common::pcscf::{
    Bed, CONTACT, Dialog, Out, PRIVATE, PUBLIC, config, contact, document, identifiers, register,
    register_200, request, response, subscribed_at, terminated,
};
use ims_procedures::{
    drive::{Initiator, Millis, Node, Source, Verdict, snapshot::Release},
    pcscf::{Audit, Cause, Command, Config, Event, NotAsked, Outcome, PcscfNode, Shutdown},
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
            id, cause, outcome, ..
        } => (id, cause, Some(outcome)),
        Event::Cancelled { id, cause, .. } => (id, cause, None),
        other => panic!("{other:?}"),
    };
    assert_eq!((audit.id, audit.cause, audit.outcome), said);
    assert_eq!(records(out).len(), 1);
    *audit
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
    assert_eq!(audit.outcome, Some(Outcome::Notified));
    assert_eq!(audit.began, Some(Millis(50_000)));
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
        (Initiator::User, Cause::User, Some(Outcome::ByUser))
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
    assert_eq!(audit.outcome, Some(Outcome::NothingThere { status: 481 }));
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
    assert_eq!((audit.cause, audit.outcome), (Cause::AccessLost, None));
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
    assert_eq!(audit.outcome, Some(Outcome::Unconfirmed));
    assert_eq!(audit.began, Some(Millis(90_000)));
}

/// [DR-9] A shutdown is the operator's. Waits for a turn are of it, and one that is called off before its turn leaves no
/// record; where the access is lost meanwhile, it begins with that.
#[test]
fn shut_down() {
    let halted = || {
        let mut slow = audited();
        slow.subscription.support_reg_event = false;
        slow.pacing.canaries = 0;
        let mut bed = Bed::new(slow);
        bed.register();
        // The one turn that there is goes to another user.
        let another = |text: String| {
            text.replace(PRIVATE, "user0@home1.example.net")
                .replace(CONTACT, "sip:[2001:db8::aaa:ccc]:1357")
        };
        bed.learn(
            &another(register(&contact(Some(600_000)), 1)),
            &another(register_200(&contact(Some(3_600)), 1)),
        );
        bed.now = Millis(10_000);
        let mut order = Shutdown::until(Millis(40_000));
        order.in_flight = Some(1);
        assert_eq!(bed.command(Command::Shutdown(order)), Verdict::Handled);
        let mut out = bed.take();
        let bytes = loop {
            if let Some(Out::Request { bytes, .. }) = out.first() {
                break bytes.clone();
            }
            out = bed.tick();
        };
        let has_turn = String::from_utf8(bytes).unwrap();
        let waits = match has_turn.contains(CONTACT) {
            true => "sip:[2001:db8::aaa:ccc]:1357",
            false => CONTACT,
        };
        (bed, waits)
    };
    // Until its deadline.
    let (mut bed, _) = halted();
    let mut out = bed.tick();
    let mut found = Vec::new();
    while found.len() < 2 {
        found.extend(records(&out));
        let ask = out.iter().find_map(|out| match out {
            Out::Ask { token, .. } => Some(*token),
            _ => None,
        });
        out = match ask {
            Some(token) => bed.done(token),
            None => {
                let timer = bed.node.deadline().unwrap().1;
                bed.fire(timer.0)
            }
        };
    }
    let deadline = Outcome::NotAsked {
        why: NotAsked::Deadline,
    };
    for audit in &found {
        assert_eq!(audit.initiator, Initiator::Operator);
        assert!(audit.began.is_some_and(|began| began <= Millis(11_000)));
        assert_eq!(audit.ended, Millis(40_000));
    }
    assert!(found.iter().any(|audit| audit.outcome == Some(deadline)));

    // Called off; and lost meanwhile.
    for is_lost in [false, true] {
        let (mut bed, waits) = halted();
        bed.now = Millis(15_000);
        if is_lost {
            bed.lose(waits);
        }
        assert_eq!(bed.command(Command::Resume), Verdict::Handled);
        let mut found = records(&bed.take());
        while let Some((at, _)) = bed.node.deadline().filter(|(at, _)| *at <= Millis(400_000)) {
            bed.now = bed.now.max(at);
            let out = bed.tick();
            found.extend(records(&out));
            for out in out {
                if let Out::Ask { token, .. } = out {
                    found.extend(records(&bed.done(token)));
                }
            }
        }
        let of_loss: Vec<_> = found
            .iter()
            .filter(|audit| audit.cause == Cause::AccessLost)
            .map(|audit| audit.began)
            .collect();
        match is_lost {
            true => assert_eq!(of_loss, [Some(Millis(15_000))]),
            false => {
                assert_eq!(of_loss, []);
                assert!(found.len() <= 1, "the one that had its turn: {found:?}");
            }
        }
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
        for (now, began) in [(Millis(500_000), 497_000), (Millis(1_000), 0)] {
            let node = PcscfNode::restore(audited(), identifiers(2), now, &blob).unwrap();
            let mut bed = Bed {
                node,
                now,
                ..Bed::new(audited())
            };
            let audit = record(&ended(&mut bed, &dialog));
            let began = Some(Millis(began)).filter(|_| release == Release::Current);
            assert_eq!(audit.began, began);
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
