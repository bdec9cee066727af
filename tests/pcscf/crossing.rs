//! What crosses at the P-CSCF: several sets and contacts of one user, emergency registrations, moves.

use crate::common::pcscf::{
    Bed, CONTACT, INSTANCE, Out, PUBLIC, config, contact, document, identifiers, register,
    register_200, subscribed, terminated,
};
use ims_procedures::{
    drive::{Millis, Node, Source, Verdict},
    pcscf::{Command, Evidence, PcscfNode},
};

const OTHER_SET: &str = "sip:user1_business@home1.example.net";

fn unsubscribed() -> Bed {
    let mut config = config();
    config.subscription.support_reg_event = false;
    Bed::new(config)
}

fn learn(bed: &mut Bed, asked: &str, granted: &str, cseq: u32) -> Vec<Out> {
    bed.learn(&register(asked, cseq), &register_200(granted, cseq))
}

fn as_set(text: &str, set: &str) -> String {
    text.replace(PUBLIC, set)
}

/// [PD-7, PD-9] The UE registers again with the same contact while the old one is cleaned up: the host must
/// not be told to release what the new registration uses.
#[test]
fn a_new_registration_ends_the_cleanup_of_the_old() {
    let (mut bed, dialog) = subscribed();
    let (_, out) = bed.receive(
        Source::TrustedCore,
        &dialog.notify(2, "active;expires=3000", &terminated()),
    );
    let delivery = out
        .iter()
        .find_map(|out| match out {
            Out::Ask { token, .. } => Some(*token),
            _ => None,
        })
        .unwrap();
    learn(&mut bed, &contact(Some(600_000)), &contact(Some(3_600)), 2);
    assert!(bed.node.is_registered(CONTACT.as_bytes()));
    let out = bed.done(delivery);
    assert!(
        !out.iter().any(|out| matches!(out, Out::Ask { .. })),
        "released under a registered contact: {out:?}"
    );
}

/// [PD-1] An emergency registration beside an ordinary one of the same UE, told apart by `sos` only, is another
/// registration.
#[test]
fn an_emergency_registration_is_another() {
    let mut bed = unsubscribed();
    let plain = "<sip:[2001:db8::aaa:bbb]:1357>;expires=3600";
    let sos = "<sip:[2001:db8::aaa:bbb]:1357;sos>;expires=3600";
    learn(&mut bed, plain, plain, 1);
    learn(&mut bed, sos, &format!("{plain}, {sos}"), 2);
    assert_eq!(bed.node.registrations(), 2);
}

/// [PD-3] … and is spared by a report of loss.
#[test]
fn an_emergency_registration_is_spared() {
    let mut bed = unsubscribed();
    let plain = "<sip:[2001:db8::aaa:bbb]:1357>;expires=3600";
    let sos = "<sip:[2001:db8::aaa:bbb]:1357;sos>;expires=3600";
    learn(&mut bed, plain, plain, 1);
    learn(&mut bed, sos, &format!("{plain}, {sos}"), 2);
    let lost = Command::AccessLost {
        contact: b"sip:[2001:db8::aaa:bbb]:1357;sos",
        evidence: Evidence::BearerLost,
    };
    let verdict = bed.node.command(bed.now, lost, &mut bed.out).unwrap();
    assert_eq!(verdict, Verdict::NotMine, "{:?}", bed.take());
}

/// [PD-4] A threshold that is not less than what the network grants does not end each registration at once.
#[test]
fn a_threshold_longer_than_the_grant() {
    let mut config = config();
    config.subscription.support_reg_event = false;
    config.registration_threshold = 600_000;
    let mut bed = Bed::new(config);
    learn(&mut bed, &contact(Some(600)), &contact(Some(600)), 1);
    let out = bed.tick();
    assert_eq!(out, [], "a UE that has just registered is deregistered");
}

/// [RE-1] An ordinary registration after an emergency one is subscribed to.
#[test]
fn subscribed_to_after_an_emergency_registration() {
    let mut bed = Bed::new(config());
    let sos = "<sip:[2001:db8::aaa:bbb]:9999;sos>;expires=3600";
    assert_eq!(learn(&mut bed, sos, sos, 1), []);
    let out = learn(&mut bed, &contact(Some(3_600)), &contact(Some(3_600)), 2);
    let subscribes = out
        .iter()
        .filter(|out| matches!(out, Out::Request { bytes, .. } if bytes.starts_with(b"SUBSCRIBE")));
    assert_eq!(subscribes.count(), 1);
}

/// [PD-1] `Contact: *` in a de-REGISTER of one identity leaves another set of the same private identity.
#[test]
fn a_star_removes_its_own_set() {
    let mut bed = unsubscribed();
    learn(&mut bed, &contact(Some(3_600)), &contact(Some(3_600)), 1);
    let other = "<sip:[2001:db8::aaa:bbb]:2468>;expires=3600";
    bed.learn(
        &as_set(&register(other, 2), OTHER_SET),
        &as_set(&register_200(other, 2), OTHER_SET),
    );
    assert_eq!(bed.node.registrations(), 2);
    let star = register("*", 3).replace("Require: path", "Expires: 0\r\nRequire: path");
    bed.learn(
        &as_set(&star, OTHER_SET),
        &as_set(&register_200("", 3), OTHER_SET).replace("Contact: \r\n", ""),
    );
    assert!(
        bed.node.is_registered(CONTACT.as_bytes()),
        "the first set was not named"
    );
}

/// [PD-10] A terminated registration without contacts covers its own contacts, not those of another set of the
/// same private identity, to which the document does not speak.
#[test]
fn a_bare_termination_is_of_its_own_set() {
    let (mut bed, dialog) = subscribed();
    let other = "<sip:[2001:db8::aaa:bbb]:2468>;expires=3600";
    bed.learn(
        &as_set(&register(other, 2), OTHER_SET),
        &as_set(&register_200(other, 2), OTHER_SET),
    );
    bed.receive(
        Source::TrustedCore,
        &dialog.notify(2, "active;expires=3000", &document("terminated", &[])),
    );
    assert!(
        bed.node.is_registered(b"sip:[2001:db8::aaa:bbb]:2468"),
        "the other set is still registered"
    );
}

/// [PD-3, PD-5] Two sets of one UE over one contact: one report of loss ends both.
#[test]
fn one_loss_two_sets() {
    let mut bed = unsubscribed();
    learn(&mut bed, &contact(Some(3_600)), &contact(Some(3_600)), 1);
    bed.learn(
        &as_set(&register(&contact(Some(3_600)), 2), OTHER_SET),
        &as_set(&register_200(&contact(Some(3_600)), 2), OTHER_SET),
    );
    assert_eq!(bed.node.registrations(), 2);
    bed.lose(CONTACT);
    assert!(
        !bed.node.is_registered(CONTACT.as_bytes()),
        "the second set stays registered for a UE that is lost"
    );
}

/// [PD-3] Two sets over one contact; one of them moves to another contact: the other can still be lost.
#[test]
fn a_contact_shared_by_two_sets() {
    let mut bed = unsubscribed();
    learn(&mut bed, &contact(Some(3_600)), &contact(Some(3_600)), 1);
    bed.learn(
        &as_set(&register(&contact(Some(3_600)), 2), OTHER_SET),
        &as_set(&register_200(&contact(Some(3_600)), 2), OTHER_SET),
    );
    let moved = contact(Some(3_600)).replace(":1357", ":2468");
    learn(&mut bed, &moved, &moved, 3);
    assert_eq!(bed.node.registrations(), 2);
    assert!(
        bed.node.is_registered(CONTACT.as_bytes()),
        "the other set's registration is not found by its contact any more"
    );
}

/// [PD-1, T19, T23] The same instance without reg-id registers from another address: as at the S-CSCF, the new
/// contact replaces the old one, which the 2xx does not list any more.
#[test]
fn a_contact_that_was_left() {
    let mut bed = unsubscribed();
    let at = |port: u16| {
        format!("<sip:[2001:db8::aaa:bbb]:{port}>;+sip.instance=\"{INSTANCE}\";expires=600000")
    };
    for port in 1..=3u16 {
        learn(&mut bed, &at(port), &at(port), port.into());
    }
    assert_eq!(bed.node.registrations(), 1);
}

/// … until the host is told that its user has too many contacts.
#[test]
fn a_ue_that_moves_on_and_on() {
    let mut bed = unsubscribed();
    let at = |port: u16| {
        format!("<sip:[2001:db8::aaa:bbb]:{port}>;+sip.instance=\"{INSTANCE}\";expires=600000")
    };
    for port in 1..=17u16 {
        let (request, response) = (
            register(&at(port), port.into()),
            register_200(&at(port), port.into()),
        );
        let learn = Command::Learn {
            request: request.as_bytes(),
            response: response.as_bytes(),
            trunk_group: b"",
        };
        let verdict = bed.node.command(bed.now, learn, &mut bed.out);
        assert_eq!(verdict, Ok(Verdict::Handled), "registration {port}");
    }
}

/// [PD-10] `shortened` without `expires` (a fault of the notifier, RFC 3680 5.3) does not end the registration.
#[test]
fn shortened_to_nothing_said() {
    let (mut bed, dialog) = subscribed();
    let body =
        document("active", &[(CONTACT, "active", "shortened", "")]).replace(" expires=\"0\"", "");
    bed.receive(
        Source::TrustedCore,
        &dialog.notify(2, "active;expires=3000", &body),
    );
    let out = bed.tick();
    assert_eq!(out, [], "a REGISTER goes out for a UE that is registered");
}

/// [DR-10, PD-4] A new threshold holds for registrations there are already.
#[test]
fn a_new_threshold() {
    let mut bed = unsubscribed();
    learn(&mut bed, &contact(Some(3_600)), &contact(Some(3_600)), 1);
    let mut config = config();
    config.subscription.support_reg_event = false;
    config.registration_threshold = 600_000;
    bed.node.reconfigure(config).unwrap();
    let (at, _) = bed.node.deadline().unwrap();
    assert_eq!(at, bed.now.after_seconds(3_000));
}

/// [DR-6] A snapshot taken with a time that has gone backwards gives nobody more time.
#[test]
fn a_snapshot_at_an_older_time() {
    let mut bed = unsubscribed();
    learn(&mut bed, &contact(Some(3_600)), &contact(Some(3_600)), 1);
    let mut config = config();
    config.subscription.support_reg_event = false;
    let mut blob = Vec::new();
    bed.node.snapshot(Millis(0), &mut blob);
    let node = PcscfNode::restore(config, identifiers(2), Millis(0), &blob).unwrap();
    assert_eq!(node.deadline().unwrap().0, Millis(3_600_000));
}
