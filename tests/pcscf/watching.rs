//! How a P-CSCF goes on watching a user whose documents, or whose own requests, do not end as they should.

use crate::common::pcscf::{
    Bed, CONTACT, Dialog, Out, config, contact, document, identifiers, register, register_200,
    request, response, subscribed, terminated,
};
use ims_procedures::{
    drive::{Node, Source, Verdict},
    pcscf::{Command, Event, PcscfNode},
    regevent::subscriber::{self, Profile},
};

const REFRESH: &str = "subscription refresh";
const ACTIVE: &str = "active;expires=3660";
const FLOOR: u64 = 20_000;

/// Milliseconds until the next deadline, and its name.
fn next(bed: &Bed) -> (u64, &'static str) {
    let (at, named) = bed.node.deadline().unwrap();
    (at.since(bed.now), named.0)
}

/// The status that a NOTIFY of the core is answered with, and what else there was.
fn notify(bed: &mut Bed, notify: &[u8]) -> (u16, Vec<Out>) {
    let (_, mut out) = bed.receive(Source::TrustedCore, notify);
    match out.pop() {
        Some(Out::Respond { status, .. }) => (status, out),
        other => panic!("not answered: {other:?} {out:?}"),
    }
}

/// [RE-10] A document that cannot be read is refused in the NOTIFY that makes the dialog too, and nothing more: what
/// its header says holds, Timer N ends nothing (T26), and a refresh at the floor asks for another document.
#[test]
fn a_bad_body_at_first() {
    for profile in [Profile::Sbc, Profile::Rfc6665] {
        let mut own = config();
        own.subscription.profile = profile;
        let mut bed = Bed::new(own);
        let (token, subscribe) = request(&bed.register());
        let dialog = Dialog::of(&subscribe);
        let accepted = response(200, &subscribe, "Expires: 3660\r\n");
        bed.respond(token, &accepted);
        let (status, out) = notify(&mut bed, &dialog.notify(1, ACTIVE, "<reginfo"));
        assert_eq!(status, 400);
        let [Out::Event(_, Event::Subscription(subscribed))] = &out[..] else {
            panic!("{out:?}");
        };
        assert!(matches!(
            subscribed,
            subscriber::Event::Subscribed { expires: 3_660, .. }
        ));
        assert_eq!(next(&bed), (FLOOR, REFRESH));
        let (token, refresh) = request(&bed.fire(REFRESH));
        bed.respond(token, &response(200, &refresh, "Expires: 3660\r\n"));
        let again = dialog.notify(2, ACTIVE, "<reginfo");
        assert_eq!(notify(&mut bed, &again).0, 400);
        assert_eq!(next(&bed), (3_060_000, REFRESH), "no loop");
        assert_eq!(
            notify(&mut bed, &dialog.notify(3, ACTIVE, &terminated())).0,
            200
        );
        assert!(!bed.node.is_registered(CONTACT.as_bytes()));
    }
}

/// A full document of the user and so many other registrations, before or after it.
fn among(others: usize, own: &str, first: bool) -> String {
    let of = |n| {
        format!(
            "<registration aor=\"sip:other{n}@home1.example.net\" id=\"o{n}\" state=\"terminated\"/>"
        )
    };
    let others: String = (0..others).map(of).collect();
    match first {
        true => own.replace("</reginfo>", &format!("{others}</reginfo>")),
        false => own.replacen("<registration", &format!("{others}<registration"), 1),
    }
}

/// [PD-10, RE-10] As many registrations as a set may have identities are read, and of a document with more as many
/// from its beginning: the rest of the NOTIFY counts. What stands further on is not known to be gone (T34).
#[test]
fn more_registrations_than_identities() {
    let most = config().limits.identities;
    let left_out = document("active", &[]);
    for (others, body, first, registered, subscribed_still) in [
        (most - 1, terminated(), true, false, false),
        (most - 1, terminated(), false, false, false),
        (most, terminated(), true, false, true),
        (most, terminated(), false, true, true),
        (most - 1, left_out.clone(), false, false, true),
        (most, left_out, false, true, true),
    ] {
        let (mut bed, dialog) = subscribed();
        let body = among(others, &body, first).replace("version=\"1\"", "version=\"2\"");
        let (verdict, out) = bed.receive(Source::TrustedCore, &dialog.notify(2, ACTIVE, &body));
        assert_eq!(verdict, Verdict::Handled, "{others} {first}");
        assert_eq!(bed.node.is_registered(CONTACT.as_bytes()), registered);
        let leaves = out.iter().any(|out| matches!(out, Out::Request { .. }));
        assert_eq!(leaves, !subscribed_still, "{others} {first} {out:?}");
        let accepted = |out: &Out| matches!(out, Out::Respond { status: 200, .. });
        assert!(out.iter().any(accepted), "{out:?}");
    }
}

/// [RE-2, RE-9] By S2 the UE's request ends the subscription, but the registrar refuses that request, and the UE stays:
/// its next registration is subscribed to again, whether the old subscription is over or not, after a restore too
/// (T31).
#[test]
fn the_registrar_refuses() {
    for (over, restored) in [(false, false), (true, false), (false, true), (true, true)] {
        let (mut bed, dialog) = subscribed();
        let asked = register(&contact(Some(0)), 2);
        let (_, out) = bed.receive(Source::Ue, asked.as_bytes());
        let (token, leave) = request(&out);
        if over {
            bed.respond(token, &response(200, &leave, "Expires: 0\r\n"));
            let last = dialog.notify(2, "terminated;reason=timeout", "");
            assert_eq!(notify(&mut bed, &last).0, 200);
        }
        let refused = register_200("", 2).replace("200 OK", "500 No");
        let command = Command::Learn {
            request: asked.as_bytes(),
            response: refused.as_bytes(),
            trunk_group: b"",
        };
        let verdict = bed.node.command(bed.now, command, &mut bed.out);
        assert_eq!(verdict, Ok(Verdict::NotMine));
        assert!(bed.node.is_registered(CONTACT.as_bytes()));
        if restored {
            let mut blob = Vec::new();
            bed.node.snapshot(bed.now, &mut blob);
            bed.node = PcscfNode::restore(config(), identifiers(2), bed.now, &blob).unwrap();
        }
        let out = bed.register();
        let (_, subscribe) = request(&out);
        let subscribe = String::from_utf8(subscribe).unwrap();
        assert!(
            subscribe.contains("\r\nCSeq: 1 SUBSCRIBE\r\n"),
            "{subscribe}"
        );
        assert_eq!(
            out.len(),
            if over { 1 } else { 2 },
            "the old one is over: {out:?}"
        );
        assert_eq!(bed.register(), [], "once");
    }
}

/// [RE-9] The network ends all that a document names, and the subscription with it, but the contact is not among it and
/// stays registered: its next registration is subscribed to again.
#[test]
fn what_the_last_document_left_out() {
    let mut bed = Bed::new(config());
    let (token, subscribe) = request(&bed.register());
    let dialog = Dialog::of(&subscribe);
    bed.respond(token, &response(200, &subscribe, "Expires: 3660\r\n"));
    let other = [("sip:other@192.0.2.9", "terminated", "expired", "")];
    let body = document("terminated", &other);
    let (status, out) = notify(&mut bed, &dialog.notify(1, ACTIVE, &body));
    assert_eq!(status, 200);
    let (token, leave) = request(&out);
    assert!(bed.node.is_registered(CONTACT.as_bytes()));
    bed.respond(token, &response(200, &leave, "Expires: 0\r\n"));
    notify(&mut bed, &dialog.notify(2, "terminated", ""));
    request(&bed.register());
}
