//! The UE's own REGISTER against ours, in every order.

use crate::common::pcscf::{
    Bed, CONTACT, Dialog, INSTANCE, Out, PUBLIC, ask, clean_up, config, contact, document,
    identifiers, outcome, register, register_200, request, response, subscribed, terminated,
};
#[cfg(feature = "txn")]
use ims_procedures::txn::{self, Transactions};
use ims_procedures::{
    drive::{self, Node, Source, Token, TransactionRef, Verdict},
    pcscf::{Cause, Command, Event, Evidence, Outcome, PcscfNode},
};

const TERMINATED: &str = "active;expires=3000";

fn unsubscribed() -> Bed {
    let mut config = config();
    config.subscription.support_reg_event = false;
    let mut bed = Bed::new(config);
    bed.register();
    bed
}

/// A REGISTER of the UE arrives in this transaction.
fn asks_in(bed: &mut Bed, transaction: u64, message: &str) -> (Verdict, Vec<Out>) {
    let transaction = TransactionRef(transaction);
    let bytes = message.as_bytes();
    let (node, out) = (&mut bed.node, &mut bed.out);
    let verdict = node
        .receive(bed.now, Source::Ue, transaction, bytes, out)
        .unwrap();
    (verdict, bed.take())
}

fn asks(bed: &mut Bed) -> (Verdict, Vec<Out>) {
    asks_in(bed, 50, &register(&contact(Some(600_000)), 2))
}

/// The UE's REGISTER is answered 200.
fn registers(bed: &mut Bed) -> Vec<Out> {
    bed.learn(
        &register(&contact(Some(600_000)), 2),
        &register_200(&contact(Some(3_600)), 2),
    )
}

fn released(token: Token, transaction: u64, forward: bool) -> Out {
    let transaction = TransactionRef(transaction);
    let event = Event::HeldRegisterReleased {
        token,
        transaction,
        forward,
    };
    Out::Event(String::new(), event)
}

/// The deregistration is given up after so many REGISTERs, and nothing else happens.
fn is_cancelled(out: &[Out], with: Cause, after: u8) {
    assert!(
        matches!(out, [Out::Event(_, Event::Cancelled { cause, registers, .. })]
            if (*cause, *registers) == (with, after)),
        "{out:?}"
    );
}

/// Nothing is due for as long as the registration lasts.
fn is_at_rest(bed: &Bed) {
    assert!(bed.node.is_registered(CONTACT.as_bytes()));
    let (at, timer) = bed.node.deadline().unwrap();
    assert_eq!(timer.0, "registration lifetime");
    assert_eq!(at, bed.now.after_seconds(3_600));
}

/// Our REGISTER is out, and the UE's is held.
fn holding(bed: &mut Bed) -> (Token, Vec<u8>) {
    let (token, bytes) = request(&bed.lose(CONTACT));
    assert_eq!(asks(bed), (Verdict::Hold(token), vec![]));
    assert_eq!(bed.node.counters().held, 1);
    (token, bytes)
}

/// [PD-9] Whatever the answer to our REGISTER, the one that is held goes on with it, ours is not retried, and the 2xx
/// to the UE's gives the deregistration up. Then nothing of ours follows.
#[test]
fn held_until_the_answer() {
    for status in [200, 404, 481, 401, 403, 423, 408, 500, 503, 504, 0] {
        let mut bed = unsubscribed();
        let (token, bytes) = holding(&mut bed);
        let out = match status {
            0 => bed.answer(token, drive::Answer::Timeout),
            _ => bed.respond(token, &response(status, &bytes, "")),
        };
        assert_eq!(out, [released(token, 50, true)], "{status}");
        let (at, timer) = bed.node.deadline().unwrap();
        assert_eq!(timer.0, "2xx to the UE's own REGISTER");
        assert_eq!(at, bed.now.after(32_000));
        is_cancelled(&registers(&mut bed), Cause::AccessLost, 1);
        is_at_rest(&bed);
    }
}

/// [PD-9] Nothing comes of the UE's REGISTER: what ours came to holds, or it is tried again.
#[test]
fn nothing_comes_of_the_ues() {
    for (status, ended) in [
        (200, Some(Outcome::Unconfirmed)),
        (404, Some(Outcome::NothingThere { status: 404 })),
        (403, Some(Outcome::Refused)),
        (423, Some(Outcome::Failed { status: 423 })),
        (503, None),
        (0, None),
    ] {
        let mut bed = unsubscribed();
        let mut config = config();
        config.subscription.support_reg_event = false;
        config.registration_threshold = 1_000;
        bed.node.reconfigure(config).unwrap();
        let (token, bytes) = request(&bed.fire("registration lifetime"));
        assert_eq!(asks(&mut bed).0, Verdict::Hold(token));
        let out = match status {
            0 => bed.answer(token, drive::Answer::Unreachable),
            _ => bed.respond(token, &response(status, &bytes, "")),
        };
        assert_eq!(out, [released(token, 50, true)]);
        let out = bed.fire("2xx to the UE's own REGISTER");
        match ended {
            Some(ended) => {
                let event = clean_up(&mut bed, &out);
                assert_eq!(outcome(event), (Cause::RegistrationTimer, ended, 1));
            }
            None => {
                assert_eq!(out, []);
                let (_, second) = request(&bed.fire("retry of REGISTER"));
                let second = String::from_utf8(second).unwrap();
                assert!(second.contains("\r\nCSeq: 2 REGISTER\r\n"));
            }
        }
    }
}

/// [PD-3, PD-9] A UE that was reported lost, and has been heard by its REGISTER, is not deregistered by another attempt
/// although nothing came of that.
#[test]
fn a_ue_that_is_there_after_all() {
    let mut bed = unsubscribed();
    let (token, bytes) = holding(&mut bed);
    assert!(!bed.node.is_access_lost(CONTACT.as_bytes()));
    bed.respond(token, &response(503, &bytes, ""));
    let out = bed.fire("2xx to the UE's own REGISTER");
    is_cancelled(&out, Cause::AccessLost, 1);
    assert!(bed.node.is_registered(CONTACT.as_bytes()));
}

/// [PD-9] The answer does not come in time: the UE's REGISTER goes on after a few seconds, and the answer, when it
/// comes, is still heard.
#[test]
fn held_for_a_few_seconds_at_most() {
    for answered in [None, Some(200), Some(503)] {
        let mut bed = unsubscribed();
        let (token, bytes) = holding(&mut bed);
        let before = bed.now;
        let out = bed.fire("held REGISTER");
        assert_eq!(bed.now.since(before), 4_000);
        assert_eq!(out, [released(token, 50, true)]);
        if let Some(status) = answered {
            assert_eq!(bed.respond(token, &response(status, &bytes, "")), []);
        }
        assert_eq!(bed.node.counters().stale_answers, 0);
        if answered == Some(200) {
            let out = bed.fire("2xx to the UE's own REGISTER");
            let event = clean_up(&mut bed, &out);
            assert_eq!(outcome(event), (Cause::AccessLost, Outcome::Unconfirmed, 1));
        } else {
            is_cancelled(&registers(&mut bed), Cause::AccessLost, 1);
            is_at_rest(&bed);
        }
    }
}

/// [PD-9] One REGISTER is held for a contact: a later one takes its place, for what is left of the time; the same one
/// again is the same one.
#[test]
fn the_last_one_is_held() {
    let mut bed = unsubscribed();
    let (token, bytes) = holding(&mut bed);
    let again = register(&contact(Some(600_000)), 3);
    assert_eq!(
        asks_in(&mut bed, 50, &again),
        (Verdict::Hold(token), vec![])
    );
    bed.now = bed.now.after(3_000);
    let (verdict, out) = asks_in(&mut bed, 51, &again);
    assert_eq!(verdict, Verdict::Hold(token));
    assert_eq!(out, [released(token, 50, false)]);
    let (at, _) = bed.node.deadline().unwrap();
    assert_eq!(at, bed.now.after(1_000));
    let out = bed.respond(token, &response(503, &bytes, ""));
    assert_eq!(out, [released(token, 51, true)]);
}

/// [PD-9] The UE sends the REGISTER that is held again and again, to a host that uses the transaction layer: the node
/// hears of it once, and the transaction is the host's when it goes on.
#[cfg(feature = "txn")]
#[test]
fn retransmitted_while_it_is_held() {
    let Bed { node, now, .. } = unsubscribed();
    let mut host = Transactions::new(node, txn::Config::default(), identifiers(2));
    let mut out = host.outbox(1);
    let lost = Command::AccessLost {
        contact: CONTACT.as_bytes(),
        evidence: Evidence::BearerLost,
    };
    host.command(now, lost, &mut out).unwrap();
    out.clear();
    let (handle, asked) = (TransactionRef(50), register(&contact(Some(600_000)), 2));
    let mut receive = |host: &mut Transactions<_>, after| {
        let now = now.after(after);
        let verdict = host.receive(now, Source::Ue, handle, asked.as_bytes(), &mut out);
        (verdict.unwrap(), out.is_empty())
    };
    assert!(matches!(receive(&mut host, 0), (Verdict::Hold(_), true)));
    assert_eq!(receive(&mut host, 2_000), (Verdict::Handled, true));
    assert_eq!(host.node().counters().held, 1);

    // Ours is retransmitted meanwhile.
    let transaction = loop {
        let (at, _) = host.deadline().unwrap();
        host.tick(at, &mut out).unwrap();
        let released = out.iter().find_map(|output| match output {
            drive::Output::Event(Event::HeldRegisterReleased {
                transaction,
                forward: true,
                ..
            }) => Some(*transaction),
            _ => None,
        });
        out.clear();
        if let Some(transaction) = released {
            assert_eq!(at, now.after(4_000));
            break transaction;
        }
    };
    assert_eq!(host.take_over(transaction), Some(handle));
    let after = host.receive(
        now.after(6_000),
        Source::Ue,
        handle,
        asked.as_bytes(),
        &mut out,
    );
    assert_eq!(
        after.unwrap(),
        Verdict::Forward,
        "to the host's own transaction"
    );
}

/// [PD-9] Ours is not sent yet: it is not sent, and the UE's is passed on at once.
#[test]
fn ours_waits_for_its_next_attempt() {
    let mut bed = unsubscribed();
    let (token, bytes) = request(&bed.lose(CONTACT));
    bed.respond(token, &response(503, &bytes, ""));
    let (verdict, out) = asks(&mut bed);
    assert_eq!(verdict, Verdict::Forward);
    is_cancelled(&out, Cause::AccessLost, 1);
    assert_eq!(registers(&mut bed), []);
    is_at_rest(&bed);
}

/// [PD-9, T42] The UE's REGISTER is on its way when its lifetime ends here: ours waits, and is not sent.
#[test]
fn a_late_refresh() {
    let mut bed = unsubscribed();
    bed.now = bed.now.after_seconds(3_599);
    assert_eq!(asks(&mut bed), (Verdict::Forward, vec![]));
    assert_eq!(bed.fire("registration lifetime"), []);
    // The registrar challenges it: its second REGISTER is as good.
    bed.now = bed.now.after(20_000);
    assert_eq!(asks(&mut bed), (Verdict::Forward, vec![]));
    let (at, timer) = bed.node.deadline().unwrap();
    assert_eq!(
        (at, timer.0),
        (bed.now.after(32_000), "REGISTER to be sent")
    );
    is_cancelled(&registers(&mut bed), Cause::RegistrationTimer, 0);
    is_at_rest(&bed);
}

/// [PD-9, T42] … and if no 2xx comes, ours goes out: the binding has ended there as here.
#[test]
fn a_late_refresh_that_fails() {
    let mut bed = unsubscribed();
    bed.now = bed.now.after_seconds(3_599);
    asks(&mut bed);
    bed.fire("registration lifetime");
    let before = bed.now;
    let (token, bytes) = request(&bed.fire("REGISTER to be sent"));
    assert_eq!(bed.now.since(before), 32_000);
    let out = bed.respond(token, &response(404, &bytes, ""));
    assert_eq!(
        outcome(clean_up(&mut bed, &out)),
        (
            Cause::RegistrationTimer,
            Outcome::NothingThere { status: 404 },
            1
        )
    );
}

/// [PD-9] The UE is lost after its REGISTER, which is still on its way: ours follows as soon as the 2xx is known, so that
/// the registrar takes it for the later one.
#[test]
fn lost_after_its_register() {
    let mut bed = unsubscribed();
    asks(&mut bed);
    let out = bed.report(Evidence::BearerLost);
    assert!(matches!(out[..], [Out::Event(_, Event::AccessLost { .. })]));
    assert_eq!(registers(&mut bed), []);
    assert!(!bed.node.is_registered(CONTACT.as_bytes()));
    let now = bed.now;
    let (token, bytes) = request(&bed.fire("REGISTER to be sent"));
    assert_eq!(bed.now, now);
    let out = bed.respond(token, &response(200, &bytes, ""));
    assert_eq!(
        outcome(clean_up(&mut bed, &out)),
        (Cause::AccessLost, Outcome::Unconfirmed, 1)
    );
}

/// [PD-9] A trigger during the UE's own deregistration, and the other way round: one outcome, and no REGISTER of ours
/// that is not needed.
#[test]
fn the_ue_deregisters_itself() {
    let gone = register(&contact(Some(0)), 2);
    let gone_200 = register_200("", 2).replace("Contact: \r\n", "");
    // The UE first.
    let mut bed = unsubscribed();
    assert_eq!(asks_in(&mut bed, 50, &gone), (Verdict::Forward, vec![]));
    bed.report(Evidence::BearerLost);
    let out = bed.learn(&gone, &gone_200);
    assert_eq!(
        outcome(clean_up(&mut bed, &out)),
        (Cause::AccessLost, Outcome::ByUser, 0)
    );
    assert_eq!(bed.node.deadline(), None);
    // Ours first: both may arrive in any order, as both ask for the same.
    let mut bed = unsubscribed();
    let (token, bytes) = request(&bed.lose(CONTACT));
    assert_eq!(asks_in(&mut bed, 50, &gone), (Verdict::Forward, vec![]));
    let out = bed.learn(&gone, &gone_200);
    let delivery = ask(&out, "delivery");
    assert_eq!(bed.respond(token, &response(404, &bytes, "")), []);
    let out = bed.done(delivery);
    let out = bed.done(ask(&out, "security association"));
    let out = bed.done(ask(&out, "bearer"));
    assert!(matches!(
        out[..],
        [Out::Event(_, Event::Deregistered { .. })]
    ));
    assert_eq!(bed.node.counters().stale_answers, 1);
}

/// [PD-9] Two triggers at once are one.
#[test]
fn two_triggers() {
    let mut bed = unsubscribed();
    bed.now = bed.now.after_seconds(3_600);
    let (token, bytes) = request(&bed.lose(CONTACT));
    let contact = CONTACT.as_bytes();
    let evidence = Evidence::BearerLost;
    let verdict = bed.command(Command::AccessLost { contact, evidence });
    assert_eq!((verdict, bed.take()), (Verdict::NotMine, vec![]));
    assert_eq!(bed.tick(), [], "its lifetime is over, too");
    let out = bed.respond(token, &response(200, &bytes, ""));
    assert_eq!(
        outcome(clean_up(&mut bed, &out)),
        (Cause::AccessLost, Outcome::Unconfirmed, 1)
    );
    assert_eq!(bed.node.deadline(), None);
}

/// Our REGISTER is answered 200, and the NOTIFY is waited for.
fn confirmed() -> (Bed, Dialog) {
    let (mut bed, dialog) = subscribed();
    let (token, bytes) = request(&bed.lose(CONTACT));
    assert_eq!(bed.respond(token, &response(200, &bytes, "")), []);
    (bed, dialog)
}

fn notified(bed: &mut Bed, dialog: &Dialog, cseq: u32, body: &str) -> Vec<Out> {
    let notify = dialog.notify(cseq, TERMINATED, body);
    let (verdict, out) = bed.receive(Source::TrustedCore, &notify);
    assert_eq!(verdict, Verdict::Handled);
    out
}

/// [PD-9, T45] Between our 200 and the NOTIFY, the UE's REGISTER is passed on at once. The NOTIFY is then about the
/// binding that was removed, and does not touch the new one, whether it comes before the UE's 200 or after it.
#[test]
fn a_register_before_the_notify() {
    // The UE's 200 first.
    let (mut bed, dialog) = confirmed();
    assert_eq!(asks(&mut bed), (Verdict::Forward, vec![]));
    is_cancelled(&registers(&mut bed), Cause::AccessLost, 1);
    notified(&mut bed, &dialog, 2, &terminated());
    assert!(bed.node.is_registered(CONTACT.as_bytes()), "the old one");
    // What comes then is about the new one.
    notified(&mut bed, &dialog, 3, &terminated());
    assert!(!bed.node.is_registered(CONTACT.as_bytes()), "the new one");

    // The NOTIFY first.
    let (mut bed, dialog) = confirmed();
    assert_eq!(asks(&mut bed), (Verdict::Forward, vec![]));
    let ended = document("active", &[(CONTACT, "terminated", "unregistered", "")]);
    let out = notified(&mut bed, &dialog, 2, &ended);
    assert!(!out.iter().any(|out| matches!(out, Out::Ask { .. })));
    let out = registers(&mut bed);
    assert!(matches!(
        out[0],
        Out::Event(_, Event::Cancelled { registers: 1, .. })
    ));
    assert!(bed.node.is_registered(CONTACT.as_bytes()));
    notified(&mut bed, &dialog, 3, &ended);
    assert!(!bed.node.is_registered(CONTACT.as_bytes()), "the new one");
}

/// [PD-9] A document that shows the new binding as active, or time, ends the waiting for one about the old.
#[test]
fn what_ends_the_waiting_for_the_old_notify() {
    let (mut bed, dialog) = confirmed();
    asks(&mut bed);
    registers(&mut bed);
    let active = document("active", &[(CONTACT, "active", "registered", "")]);
    notified(&mut bed, &dialog, 2, &active);
    notified(&mut bed, &dialog, 3, &terminated());
    assert!(!bed.node.is_registered(CONTACT.as_bytes()));

    let (mut bed, dialog) = confirmed();
    asks(&mut bed);
    registers(&mut bed);
    bed.now = bed.now.after(32_000);
    notified(&mut bed, &dialog, 2, &terminated());
    assert!(!bed.node.is_registered(CONTACT.as_bytes()));
}

/// [PD-9] The NOTIFY before the 200, with the UE's REGISTER held: it goes on, and ours has come to its end.
#[test]
fn the_notify_before_the_answer() {
    let (mut bed, dialog) = subscribed();
    let (token, bytes) = holding(&mut bed);
    let out = notified(&mut bed, &dialog, 2, &terminated());
    assert!(out.contains(&released(token, 50, true)), "{out:?}");
    assert_eq!(bed.respond(token, &response(200, &bytes, "")), []);
    let out = registers(&mut bed);
    assert!(matches!(
        out[0],
        Out::Event(_, Event::Cancelled { registers: 1, .. })
    ));
    assert!(bed.node.is_registered(CONTACT.as_bytes()));
}

/// [PD-9, T19] The UE has moved to another contact: a document from before that tells of the old one, and leaves the
/// new one out, does not touch it.
#[test]
fn the_replaced_contact() {
    let config = config();
    let at = |port: u16| {
        format!("<sip:[2001:db8::aaa:bbb]:{port}>;+sip.instance=\"{INSTANCE}\";expires=3600")
    };
    let uri = |port: u16| format!("sip:[2001:db8::aaa:bbb]:{port}");
    let mut bed = Bed::new(config);
    let out = bed.learn(&register(&at(1), 1), &register_200(&at(1), 1));
    let (token, subscribe) = request(&out);
    let dialog = Dialog::of(&subscribe);
    let extra = "Contact: <sip:n@scscf1.home1.example.net:5080>\r\nExpires: 3660\r\n";
    bed.respond(token, &response(200, &subscribe, extra));
    let active = document("active", &[(&uri(1), "active", "registered", "")]);
    notified(&mut bed, &dialog, 1, &active);
    bed.learn(&register(&at(2), 2), &register_200(&at(2), 2));
    let before = document("active", &[(&uri(1), "terminated", "unregistered", "")]);
    notified(&mut bed, &dialog, 2, &before);
    assert!(bed.node.is_registered(uri(2).as_bytes()));
    let after = document("active", &[(&uri(2), "active", "registered", "")]);
    notified(&mut bed, &dialog, 3, &after);
    notified(&mut bed, &dialog, 4, &before);
    assert!(!bed.node.is_registered(uri(2).as_bytes()), "left out now");
}

/// [PD-7, PD-9, T43] The UE's REGISTER comes while the old registration is cleaned up: nothing more is torn down under
/// it; with its 2xx the cleanup is over, without one it goes on.
#[test]
fn a_register_during_the_cleanup() {
    for succeeds in [true, false] {
        let mut bed = unsubscribed();
        let (token, bytes) = request(&bed.lose(CONTACT));
        let out = bed.respond(token, &response(404, &bytes, ""));
        let delivery = ask(&out, "delivery");
        assert_eq!(asks(&mut bed), (Verdict::Forward, vec![]));
        assert_eq!(bed.done(delivery), [], "nothing is released now");
        let ended = Outcome::NothingThere { status: 404 };
        if succeeds {
            let out = registers(&mut bed);
            let Out::Event(_, event) = out[0] else {
                panic!("{out:?}")
            };
            assert_eq!(outcome(event), (Cause::AccessLost, ended, 1));
            is_at_rest(&bed);
        } else {
            let out = bed.fire("question to be asked");
            let out = bed.done(ask(&out, "security association"));
            let out = bed.done(ask(&out, "bearer"));
            let Out::Event(_, event) = out[0] else {
                panic!("{out:?}")
            };
            assert_eq!(outcome(event), (Cause::AccessLost, ended, 1));
        }
    }
}

/// [PD-9, PD-10] The network deregisters the UE while its REGISTER is on its way: nothing is torn down under it.
#[test]
fn deregistered_while_it_refreshes() {
    let (mut bed, dialog) = subscribed();
    assert_eq!(asks(&mut bed), (Verdict::Forward, vec![]));
    let out = notified(&mut bed, &dialog, 2, &terminated());
    let Some(Out::Ask { token, .. }) = out.iter().find(|out| matches!(out, Out::Ask { .. })) else {
        panic!("{out:?}")
    };
    assert_eq!(bed.done(*token), []);
    let out = registers(&mut bed);
    let Out::Event(_, event) = out[0] else {
        panic!("{out:?}")
    };
    assert_eq!(outcome(event), (Cause::Network, Outcome::Notified, 0));
    assert!(bed.node.is_registered(CONTACT.as_bytes()));
}

/// [PD-9] Whose REGISTER is held: that of a contact that the registrar could take for the one that ours removes, by URI
/// or instance; of its set of identities; from a UE.
#[test]
fn whose_register_is_held() {
    let uri = |uri: &str, rest: &str| format!("<{uri}>{rest};expires=3600");
    let other = CONTACT.replace("1357", "2468");
    let own = format!(";+sip.instance=\"{INSTANCE}\"");
    let not = ";+sip.instance=\"<urn:gsma:imei:90420156-025763-9>\"";
    let cases = [
        (contact(Some(3_600)), true),
        (uri(CONTACT, ""), true),
        (uri(&other, ""), false),
        (uri(&other, &format!("{own};reg-id=1")), true),
        (uri(&other, &format!("{own};reg-id=2")), false),
        (uri(CONTACT, &format!("{own};reg-id=2")), false),
        (uri(&other, &own), true),
        (uri(&other, not), false),
        (uri(CONTACT, not), true),
        (format!("{}, {}", uri(&other, ""), uri(CONTACT, "")), true),
        (format!("<{CONTACT};sos>;expires=3600"), false),
        (contact(Some(0)), false),
    ];
    for (contact, held) in cases {
        let mut bed = unsubscribed();
        let (token, _) = request(&bed.lose(CONTACT));
        let (verdict, out) = asks_in(&mut bed, 50, &register(&contact, 2));
        let expected = if held {
            Verdict::Hold(token)
        } else {
            Verdict::Forward
        };
        assert_eq!((verdict, out), (expected, vec![]), "{contact}");
    }
    let mut bed = unsubscribed();
    let (token, _) = request(&bed.lose(CONTACT));
    let message = register(&contact(Some(3_600)), 2);
    let set = message.replace(PUBLIC, "sip:user1_business@home1.example.net");
    assert_eq!(asks_in(&mut bed, 50, &set).0, Verdict::Forward);
    let stranger = message.replace("user1_private", "user9_private");
    assert_eq!(asks_in(&mut bed, 50, &stranger).0, Verdict::Forward);
    for source in [Source::TrustedCore, Source::Unknown] {
        let (verdict, _) = bed.receive(source, message.as_bytes());
        assert_eq!(verdict, Verdict::Forward, "{source:?}");
    }
    assert_eq!(asks(&mut bed).0, Verdict::Hold(token));
}

/// [PD-9, DR-7] A node restored while it holds: ours is offered again, the UE's is held on, for what is left of the
/// time, and goes on with the handle that it came with.
#[test]
fn restored_while_it_holds() {
    let mut bed = unsubscribed();
    let (before, bytes) = holding(&mut bed);
    bed.now = bed.now.after(1_000);
    let mut blob = Vec::new();
    bed.node.snapshot(bed.now, &mut blob);
    let mut config = config();
    config.subscription.support_reg_event = false;
    bed.node = PcscfNode::restore(config, identifiers(2), bed.now, &blob).unwrap();
    // It comes again before ours is offered again.
    let (verdict, out) = asks_in(&mut bed, 51, &register(&contact(Some(3_600)), 3));
    let Verdict::Hold(token) = verdict else {
        panic!("{verdict:?}")
    };
    assert_eq!(request(&out), (token, bytes.clone()));
    assert!(out.contains(&released(before, 50, false)));
    let before = bed.now;
    assert_eq!(bed.fire("held REGISTER"), [released(token, 51, true)]);
    assert_eq!(bed.now.since(before), 3_000);
    assert_eq!(bed.respond(token, &response(200, &bytes, "")), []);
    is_cancelled(&registers(&mut bed), Cause::AccessLost, 1);
}

/// The other contact of the UE: another flow.
const OTHER: &str = "sip:[2001:db8::aaa:ccc]:1357";

/// A document that shows the other contact as active, and the contact in this state.
fn beside_the_other(state: &str) -> String {
    let event = match state {
        "active" => "registered",
        _ => "unregistered",
    };
    document(
        "active",
        &[
            (CONTACT, state, event, ""),
            (OTHER, "active", "registered", ""),
        ],
    )
}

/// A UE with two contacts, both shown by a document, which has deregistered one of them: the cleanup has begun.
fn one_of_two_deregistered() -> (Bed, Dialog, Vec<Out>) {
    let (mut bed, dialog) = subscribed();
    let other = format!("<{OTHER}>;+sip.instance=\"{INSTANCE}\";reg-id=2;expires=3600");
    let both = format!("{}, {other}", contact(Some(3_600)));
    bed.learn(&register(&other, 2), &register_200(&both, 2));
    notified(&mut bed, &dialog, 2, &beside_the_other("active"));
    let out = bed.learn(
        &register(&contact(Some(0)), 3),
        &register_200(&format!("{}, {other}", contact(Some(0))), 3),
    );
    (bed, dialog, out)
}

/// [PD-9] The UE deregisters one of its contacts and registers it again, and only then the NOTIFY comes that tells of
/// the end of the first: it does not touch the new one, whether all was cleaned up meanwhile or not, and if the node was
/// restored from its blob in between. What comes then is about the new one.
#[test]
fn the_notify_of_what_the_ue_has_ended_itself() {
    for (cleaned_up, restored) in [(true, false), (false, false), (true, true)] {
        let (mut bed, dialog, out) = one_of_two_deregistered();
        if cleaned_up {
            let ended = (Cause::User, Outcome::ByUser, 0);
            assert_eq!(outcome(clean_up(&mut bed, &out)), ended);
        }
        if restored {
            let mut blob = Vec::new();
            bed.node.snapshot(bed.now, &mut blob);
            bed.node = PcscfNode::restore(config(), identifiers(2), bed.now, &blob).unwrap();
        }
        bed.learn(
            &register(&contact(Some(600_000)), 4),
            &register_200(&contact(Some(3_600)), 4),
        );
        let of_both = |bed: &Bed| [CONTACT, OTHER].map(|c| bed.node.is_registered(c.as_bytes()));
        notified(&mut bed, &dialog, 3, &beside_the_other("terminated"));
        assert_eq!(of_both(&bed), [true, true], "the old one");
        notified(&mut bed, &dialog, 4, &beside_the_other("terminated"));
        assert_eq!(of_both(&bed), [false, true], "the new one");
    }
}

/// [PD-9] A document that shows the new binding as active, or time, ends the waiting for the NOTIFY about what the UE
/// has ended itself; and it is waited for where the access of the new one is lost meanwhile.
#[test]
fn what_ends_the_waiting_for_what_the_ue_has_ended() {
    for seen in [true, false] {
        let (mut bed, dialog, out) = one_of_two_deregistered();
        clean_up(&mut bed, &out);
        if !seen {
            bed.now = bed.now.after(32_000);
        }
        registers(&mut bed);
        if seen {
            notified(&mut bed, &dialog, 3, &beside_the_other("active"));
        }
        notified(&mut bed, &dialog, 4, &beside_the_other("terminated"));
        assert!(!bed.node.is_registered(CONTACT.as_bytes()), "{seen}");
    }

    let (mut bed, dialog, out) = one_of_two_deregistered();
    clean_up(&mut bed, &out);
    registers(&mut bed);
    let (token, bytes) = request(&bed.lose(CONTACT));
    let out = notified(&mut bed, &dialog, 3, &beside_the_other("terminated"));
    assert!(!out.iter().any(|out| matches!(out, Out::Ask { .. })));
    assert_eq!(bed.respond(token, &response(200, &bytes, "")), []);
    let out = notified(&mut bed, &dialog, 4, &beside_the_other("terminated"));
    let step = out.iter().find(|out| matches!(out, Out::Ask { .. }));
    let event = clean_up(&mut bed, std::slice::from_ref(step.unwrap()));
    assert_eq!(outcome(event), (Cause::AccessLost, Outcome::Notified, 1));
}
