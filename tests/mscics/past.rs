//! What is told of the registration as it was before the REGISTER by which it is now.

use ims_procedures::{
    drive::{Millis, Node, Source, Verdict},
    mscics::{Cause, Command, Details, MscNode, Outcome},
};

use crate::bed::{
    Bed, CALL_ID, CONTACT, DOMAIN, PARAMS, PRIVATE, Subscription, TEMPORARY, briefs, config,
    document_by, identifiers, outcome, register, register_200, request, response, subscribed,
};

/// Subscribed, and registered again: the second REGISTER has CSeq 2.
fn registered_again() -> (Bed, Subscription) {
    let (mut bed, subscription) = subscribed(config());
    assert_eq!(
        bed.learn(&register(PARAMS, 2), &register_200(PARAMS, 2)),
        []
    );
    (bed, subscription)
}

/// The attributes of a contact that was changed last by a REGISTER.
fn by(call_id: &str, cseq: u32) -> String {
    format!(" callid=\"{call_id}\" cseq=\"{cseq}\"")
}

/// What follows from a NOTIFY that the contact is gone, and the subscription with it.
fn removed(bed: &mut Bed, subscription: &Subscription, changed_by: &str) -> Vec<crate::bed::Out> {
    let gone = document_by(1, "terminated", "terminated", "deactivated", changed_by);
    let notify = subscription.notify(2, "terminated;reason=noresource", &gone);
    let (verdict, out) = bed.receive(Source::TrustedCore, &notify);
    assert_eq!(verdict, Verdict::Handled);
    out
}

/// [MS-4] [MS-6] The home network has removed the contact, and the REGISTER that was under way has bound it again: what is
/// told of the removal, after the 2xx, ends the subscription and not the registration. Another one is made, for as long
/// as the registration lasts.
#[test]
fn removal_before_the_register() {
    let (mut bed, subscription) = registered_again();
    bed.now = bed.now.after_seconds(600);
    let out = removed(&mut bed, &subscription, &by(CALL_ID, 1));
    assert_eq!(briefs(&out), ["SubscriptionEnded", "SUBSCRIBE", "200"]);
    assert!(bed.node.is_registered(PRIVATE.as_bytes()));
    let (token, subscribe) = request(&out);
    let text = String::from_utf8(subscribe.clone()).unwrap();
    assert!(text.contains("\r\nExpires: 3060\r\n"), "{text}");
    let accepted = response(
        200,
        &subscribe,
        "Contact: <sip:n@scscf1.home1.example.net:5080>\r\nExpires: 3060\r\n",
    );
    assert_eq!(bed.respond(token, &accepted), []);
    let subscription = Subscription::of(&subscribe);
    let active = document_by(0, "active", "active", "registered", &by(CALL_ID, 2));
    let notify = subscription.notify(1, "active;expires=3060", &active);
    let (_, out) = bed.receive(Source::TrustedCore, &notify);
    assert_eq!(briefs(&out), ["Subscribed", "200"]);
    // What a subscription tells that was made after the REGISTER is of now, whatever it says of CSeq.
    let gone = document_by(1, "terminated", "terminated", "rejected", &by(CALL_ID, 1));
    let notify = subscription.notify(2, "terminated;reason=noresource", &gone);
    let (_, out) = bed.receive(Source::TrustedCore, &notify);
    assert_eq!(outcome(&out).1, Outcome::Notified);
}

/// [MS-4] [MS-6] The home network has removed the former contact while the host registered another one: what is told of the
/// removal, after the 2xx, says nothing of the present one, and ends the subscription. Another one is made, once.
#[test]
fn removal_of_the_former_contact() {
    let (mut bed, subscription) = subscribed(config());
    let to_another = |text: String| text.replace("net:5060>;+sip", "net:5070>;+sip");
    let (again, answer) = (register(PARAMS, 2), register_200(PARAMS, 2));
    assert_eq!(bed.learn(&to_another(again), &to_another(answer)), []);
    let out = removed(&mut bed, &subscription, &by(CALL_ID, 2));
    assert_eq!(briefs(&out), ["SubscriptionEnded", "SUBSCRIBE", "200"]);
    assert!(bed.node.is_registered(PRIVATE.as_bytes()));
    let (token, subscribe) = request(&out);
    let accepted = response(
        200,
        &subscribe,
        "Contact: <sip:n@scscf1.home1.example.net:5080>\r\nExpires: 3660\r\n",
    );
    assert_eq!(bed.respond(token, &accepted), []);
    let subscription = Subscription::of(&subscribe);
    let gone = document_by(0, "terminated", "terminated", "deactivated", "");
    let notify = subscription.notify(1, "terminated;reason=noresource", &gone);
    let (_, out) = bed.receive(Source::TrustedCore, &notify);
    // That one was made after the REGISTER: nothing is bound now, whichever contact it shows.
    let ended = (Cause::Network, Outcome::Notified, 0, 0, false);
    assert_eq!(outcome(&out), ended);
    assert!(!briefs(&out).contains(&"SUBSCRIBE".to_owned()), "{out:?}");
}

/// [MS-4] What a subscription from before tells of another contact alone does not end the registration, although it says that
/// there is none.
#[test]
fn terminated_as_it_was_before() {
    let (mut bed, subscription) = subscribed(config());
    let to_another = |text: String| text.replace("net:5060>;+sip", "net:5070>;+sip");
    let (again, answer) = (register(PARAMS, 2), register_200(PARAMS, 2));
    assert_eq!(bed.learn(&to_another(again), &to_another(answer)), []);
    let gone = document_by(1, "terminated", "terminated", "deactivated", "");
    let notify = subscription.notify(2, "active;expires=3000", &gone);
    bed.receive(Source::TrustedCore, &notify);
    assert!(bed.node.is_registered(PRIVATE.as_bytes()));
}

/// [MS-1] [MS-6] What is told of the removal comes before the 2xx, and the dialogs are being released: the 2xx puts an end to
/// that, and brings a subscription, as the other one has ended.
#[test]
fn removal_told_before_the_2xx() {
    let (mut bed, subscription) = subscribed(config());
    bed.add_dialogs(&[1]);
    let out = removed(&mut bed, &subscription, &by(CALL_ID, 1));
    assert_eq!(briefs(&out), ["SubscriptionEnded", "release 1", "200"]);
    let out = bed.learn(&register(PARAMS, 2), &register_200(PARAMS, 2));
    assert_eq!(briefs(&out), ["Cancelled", "SUBSCRIBE"]);
    assert!(bed.node.is_registered(PRIVATE.as_bytes()));
}

/// [MS-4] Only a lower CSeq of the same Call-ID, in every character, is of the past; what is missing decides nothing.
#[test]
fn what_is_of_the_past() {
    let number = |cseq: u32| format!(" cseq=\"{cseq}\"");
    for (changed_by, is_past) in [
        (by(CALL_ID, 1), true),
        (by(CALL_ID, 0), true),
        (by(CALL_ID, 2), false),
        (by(CALL_ID, 3), false),
        (by("another", 1), false),
        (by(&CALL_ID.to_uppercase(), 1), false),
        (by("", 1), false),
        (number(1), false),
        (format!(" callid=\"{CALL_ID}\""), false),
        (format!(" callid=\"{CALL_ID}\" cseq=\"one\""), false),
        (String::new(), false),
    ] {
        let (mut bed, subscription) = registered_again();
        let out = removed(&mut bed, &subscription, &changed_by);
        let is_registered = bed.node.is_registered(PRIVATE.as_bytes());
        assert_eq!(is_registered, is_past, "{changed_by}");
        if !is_past {
            let ended = (Cause::Network, Outcome::Notified, 0, 0, false);
            assert_eq!(outcome(&out), ended, "{changed_by}");
        }
    }
}

/// [MS-4] A document that shows the contact as it was does not leave it out, whatever else it says; one that leaves it out
/// says that it is gone.
#[test]
fn not_left_out() {
    let (mut bed, subscription) = registered_again();
    for (version, registration, state, event) in [
        (1, "active", "active", "shortened\" expires=\"10"),
        (2, "active", "terminated", "rejected"),
        (3, "terminated", "terminated", "expired"),
    ] {
        let past = document_by(version, registration, state, event, &by(CALL_ID, 1));
        let notify = subscription.notify(version + 1, "active;expires=3660", &past);
        let (_, out) = bed.receive(Source::TrustedCore, &notify);
        assert_eq!(briefs(&out), ["200"], "version {version}");
        assert!(bed.node.is_registered(PRIVATE.as_bytes()));
        bed.now = bed.now.after_seconds(20);
        assert_eq!(bed.tick(), [], "nothing is shortened");
    }
    let empty = document_by(4, "active", "active", "registered", "").replace(CONTACT, "sip:other");
    let notify = subscription.notify(5, "active;expires=3660", &empty);
    let (_, out) = bed.receive(Source::TrustedCore, &notify);
    assert_eq!(outcome(&out).1, Outcome::Notified);
}

/// [MS-4] One of several registrations that speaks of now counts, though another one be of the past.
#[test]
fn one_of_several() {
    let (mut bed, subscription) = registered_again();
    let mixed = document_by(1, "terminated", "terminated", "rejected", &by(CALL_ID, 1));
    let mixed = mixed.replacen(&by(CALL_ID, 1), &by(CALL_ID, 2), 1);
    let notify = subscription.notify(2, "active;expires=3660", &mixed);
    let (_, out) = bed.receive(Source::TrustedCore, &notify);
    assert_eq!(outcome(&out).1, Outcome::Notified);
}

/// [DR-7] It is known after a restart too.
#[test]
fn after_a_restart() {
    for (cseq, is_past) in [(1, true), (2, false)] {
        let (bed, subscription) = registered_again();
        let mut blob = Vec::new();
        bed.node.snapshot(bed.now, &mut blob);
        let mut bed = Bed::new(config());
        bed.now = Millis(77_000_000);
        bed.node = MscNode::restore(config(), identifiers(2), bed.now, &blob).unwrap();
        removed(&mut bed, &subscription, &by(CALL_ID, cseq));
        assert_eq!(bed.node.is_registered(PRIVATE.as_bytes()), is_past);
    }
}

/// [MS-3] A host that gives the details gives these, or none, by which nothing is of the past.
#[test]
fn given() {
    for (call_id, is_past) in [(CALL_ID, true), ("", false)] {
        let (mut bed, subscription) = subscribed(config());
        let home = format!("sip:{DOMAIN}");
        let details = Details {
            private_identity: PRIVATE.as_bytes(),
            registered_identity: TEMPORARY.as_bytes(),
            home_domain: home.as_bytes(),
            contact: CONTACT.as_bytes(),
            contact_params: PARAMS.as_bytes(),
            expires: 3_600,
            call_id: call_id.as_bytes(),
            cseq: 2,
            ..Details::default()
        };
        assert_eq!(
            bed.command(Command::LearnDetails(details)),
            Verdict::Handled
        );
        removed(&mut bed, &subscription, &by(call_id, 1));
        assert_eq!(bed.node.is_registered(PRIVATE.as_bytes()), is_past);
    }
}

/// [MS-4] [RI-3] Registered at another contact, or with another instance, what shows only the former one as active was
/// written before, and is of the past; from when the new one has been shown, what leaves it out says that it is gone.
#[test]
fn of_the_former_contact() {
    let to_another = |text: String| {
        let contact = format!("Contact: <{CONTACT}>");
        text.replace(&contact, "Contact: <sip:msc1.visited1.example.net:5070>")
    };
    let with_another = |text: String| text.replace("90420156", "90420157");
    let changes: [&dyn Fn(String) -> String; 2] = [&to_another, &with_another];
    for (number, change) in changes.into_iter().enumerate() {
        let (mut bed, subscription) = subscribed(config());
        let (request, response) = (register(PARAMS, 2), register_200(PARAMS, 2));
        assert_eq!(bed.learn(&change(request), &change(response)), []);
        let former = document_by(1, "active", "active", "registered", &by(CALL_ID, 1));
        let shown = former.replace("version=\"1\"", "version=\"2\"");
        let shown = shown.replace(&by(CALL_ID, 1), &by(CALL_ID, 2));
        let shown = match number {
            0 => shown.replace(CONTACT, "sip:msc1.visited1.example.net:5070"),
            _ => with_another(shown),
        };
        let again = former.replace("version=\"1\"", "version=\"3\"");
        for (cseq, document, is_registered) in
            [(2, former, true), (3, shown, true), (4, again, false)]
        {
            let notify = subscription.notify(cseq, "active;expires=3660", &document);
            bed.receive(Source::TrustedCore, &notify);
            assert_eq!(bed.node.is_registered(PRIVATE.as_bytes()), is_registered);
        }
    }
}
