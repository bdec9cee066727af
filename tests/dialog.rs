//! The dialog of a user agent: messages in, messages out.

#[path = "dialog/support.rs"]
mod support;

#[path = "dialog/properties.rs"]
mod properties;

use ims_procedures::{
    dialog::{Admission, Dialog, Established, Incoming, Sequence, defect, reason, remote_target},
    drive::{Buffer, Defect, Unwritable},
    wire::{HeaderName, Method, Writer, defect as wire_defect},
};
use support::*;

/// [RFC 3261 12.1.2, 12.2.1.1, 15.1.1] The caller's end, and its BYE to the last byte: the route set is that of the
/// 2xx reversed, over several fields and several values in one; the target is the callee's Contact.
#[test]
fn caller() {
    let (invite, ok) = (invite(), ok(RECORDED));
    let made = uac(&invite, &ok).unwrap();
    let dialog = made.dialog();
    assert_eq!(text(dialog.call_id), "3848276298220188511@u1.example.com");
    assert_eq!(text(dialog.local_uri), "sip:caller@example.com");
    assert_eq!(text(dialog.local_tag), "9fxced76sl");
    assert_eq!(text(dialog.remote_uri), "sip:callee@example.org");
    assert_eq!(text(dialog.remote_tag), "314159");
    assert_eq!(text(dialog.remote_target), "sip:callee@u2.example.org");
    assert_eq!(text(dialog.route_set), ROUTES);
    let contact = "\"Caller, at home\" <sip:caller@u1.example.com>;+g.oma.sip-im";
    assert_eq!(text(dialog.local_contact), contact);
    assert!(!dialog.is_secure);
    let mut sequence = made.sequence();
    assert_eq!((sequence.local, sequence.remote), (2, None));
    let bye = bye(&dialog, sequence.take_next());
    assert_eq!(
        bye,
        format!(
            "BYE sip:callee@u2.example.org SIP/2.0\r\n\
             Via: SIP/2.0/UDP us.example.net:5070;branch=z9hG4bK{BRANCH}\r\n\
             Max-Forwards: 70\r\n\
             Route: <sip:p1.example.com;lr>, \"Two, really\" <sip:p2.example.net;lr=on>;x=\"a,b\", \
             <sip:p3.example.org;lr>\r\n\
             From: <sip:caller@example.com>;tag=9fxced76sl\r\n\
             To: <sip:callee@example.org>;tag=314159\r\n\
             Call-ID: 3848276298220188511@u1.example.com\r\n\
             CSeq: 3 BYE\r\n\
             Content-Length: 0\r\n\r\n"
        )
    );
    assert_eq!(text(dialog.next_hop()), "sip:p1.example.com;lr");
}

/// [RFC 3261 12.1.1, 12.2.1.1] The callee's end: the route set is that of the INVITE in order.
#[test]
fn callee() {
    let (invite, ok) = (recorded(&invite(), RECORDED), ok(""));
    let made = uas(&invite, &ok).unwrap();
    let dialog = made.dialog();
    assert_eq!(text(dialog.local_uri), "sip:callee@example.org");
    assert_eq!(text(dialog.local_tag), "314159");
    assert_eq!(text(dialog.remote_uri), "sip:caller@example.com");
    assert_eq!(text(dialog.remote_tag), "9fxced76sl");
    assert_eq!(text(dialog.remote_target), "sip:caller@u1.example.com");
    assert_eq!(text(dialog.local_contact), "<sip:callee@u2.example.org>");
    let mut sequence = made.sequence();
    assert_eq!((sequence.local, sequence.remote), (0, Some(2)));
    assert_eq!(
        bye(&dialog, sequence.take_next()),
        format!(
            "BYE sip:caller@u1.example.com SIP/2.0\r\n\
             Via: SIP/2.0/UDP us.example.net:5070;branch=z9hG4bK{BRANCH}\r\n\
             Max-Forwards: 70\r\n\
             Route: <sip:p3.example.org;lr>, \"Two, really\" <sip:p2.example.net;lr=on>;x=\"a,b\", \
             <sip:p1.example.com;lr>\r\n\
             From: <sip:callee@example.org>;tag=314159\r\n\
             To: <sip:caller@example.com>;tag=9fxced76sl\r\n\
             Call-ID: 3848276298220188511@u1.example.com\r\n\
             CSeq: 1 BYE\r\n\
             Content-Length: 0\r\n\r\n"
        )
    );
}

/// [RFC 3261 7.3.3, 7.3.1] Compact names, folding and lists are read as the long forms are; what was folded is
/// written on one line.
#[test]
fn spellings() {
    let (invite, ok) = (invite(), ok(RECORDED));
    let long = uac(&invite, &ok).unwrap();
    let compact = |message: &str| {
        message
            .replace("\r\nFrom: ", "\r\nf:")
            .replace("\r\nTo: ", "\r\nT \t: ")
            .replace("\r\nCall-ID: ", "\r\ni:\r\n ")
            .replace("\r\nContact: ", "\r\nm: ")
            .replace("\r\nVia: ", "\r\nv: ")
            .replace(";+g.oma.sip-im", "\r\n ;+g.oma.sip-im")
            .replace(" <sip:p2", "\r\n\t<sip:p2")
    };
    let (invite, ok) = (compact(&invite), compact(&ok));
    let short = uac(&invite, &ok).unwrap();
    let folded = |text: &str| text.replace(" ;+g", ";+g");
    let parts = |made: &Established<'_>| made.dialog().parts().map(|part| folded(text(part)));
    assert_eq!(parts(&short), parts(&long));
    assert_eq!(short.sequence(), long.sequence());
}

/// [RFC 3261 12.2.1.1] The example of the clause: a strict router first. Its URI is in the request line, the remote
/// target is the last Route, and the request goes to the router.
#[test]
fn strict_router_first() {
    let dialog = Dialog {
        remote_target: b"sip:user@remoteua",
        route_set: b"<sip:proxy1>,<sip:proxy2>,<sip:proxy3;lr>,<sip:proxy4>",
        ..plain()
    };
    let request = bye(&dialog, 1);
    assert!(request.starts_with("BYE sip:proxy1 SIP/2.0\r\n"));
    assert_eq!(
        header(&request, "Route"),
        "<sip:proxy2>,<sip:proxy3;lr>,<sip:proxy4>, <sip:user@remoteua>"
    );
    assert_eq!(text(dialog.next_hop()), "sip:proxy1");
}

/// [RFC 3261 12.2.1.1, 16.12, 19.1.1] A strict router alone; what may not stand in a request line is left out of its
/// URI. `lr` counts in any case and with any value, of the URI and not of the address, and a strict router further
/// on changes nothing.
#[test]
fn strict_and_loose() {
    let target = "sip:user@remoteua";
    for (route_set, line, route) in [
        ("<sip:proxy1>", "sip:proxy1", "<sip:user@remoteua>"),
        (
            "\"One, <x>\" <sip:proxy1;maddr=192.0.2.1;method=INVITE;x=y?Subject=a>;lr , , <sip:proxy2;lr>",
            "sip:proxy1;maddr=192.0.2.1;x=y",
            "<sip:proxy2;lr>, <sip:user@remoteua>",
        ),
        (
            "<sip:proxy1?Subject=a>",
            "sip:proxy1",
            "<sip:user@remoteua>",
        ),
        ("<tel:+1234>", "tel:+1234", "<sip:user@remoteua>"),
        ("<sip:proxy1;LR>", target, "<sip:proxy1;LR>"),
        (
            "<sip:proxy1;lr=true>,<sip:b>",
            target,
            "<sip:proxy1;lr=true>,<sip:b>",
        ),
        ("", target, ""),
    ] {
        let dialog = Dialog {
            remote_target: target.as_bytes(),
            route_set: route_set.as_bytes(),
            ..plain()
        };
        let request = bye(&dialog, 1);
        assert!(
            request.starts_with(&format!("BYE {line} SIP/2.0\r\n")),
            "{request}"
        );
        assert_eq!(header(&request, "Route"), route, "{route_set}");
        assert_eq!(request.contains("\r\nRoute:"), !route.is_empty());
    }
    assert_eq!(text(plain().next_hop()), "sip:b@d.example");
}

/// [RFC 3261 12.1.1] What makes no dialog is refused with the clause and the place.
#[test]
fn refused() {
    let (invite, ok) = (invite(), ok(""));
    let of_invite = |from: &str, to: &str, what: &Defect, at: &str| {
        let wrong = invite.replace(from, to);
        assert_ne!(wrong, invite);
        let ok = match at {
            "From: " => ok.replace(from, to),
            _ => ok.clone(),
        };
        let reject = uas(&wrong, &ok).unwrap_err();
        assert_eq!((reject.defect, place(&wrong, reject)), (what, at));
        assert_eq!(uac(&wrong, &ok).unwrap_err(), reject);
    };
    let contact = "Contact: \"Caller, at home\" <sip:caller@u1.example.com>;+g.oma.sip-im";
    of_invite(";tag=9fxced76sl", "", &defect::NO_FROM_TAG, "From: ");
    of_invite("INVITE", "SUBSCRIBE", &defect::NOT_AN_INVITE, "");
    of_invite(
        "e.org>\r\nCall",
        "e.org>;tag=1\r\nCall",
        &defect::WITHIN_DIALOG,
        "To: ",
    );
    of_invite(&format!("{contact}\r\n"), "", &defect::NO_CONTACT, "\r\n");
    of_invite(contact, "Contact: *", &defect::ONE_CONTACT, "Contact: ");
    of_invite(
        contact,
        "Contact: <sip:a@b>, <sip:c@d>",
        &defect::ONE_CONTACT,
        "Contact: ",
    );
    of_invite(
        contact,
        "Contact: <tel:+1234>",
        &defect::CONTACT_SCHEME,
        "Contact: ",
    );
    of_invite(
        "INVITE sip:",
        "INVITE sips:",
        &defect::CONTACT_NOT_SIPS,
        "Contact: ",
    );
    of_invite(
        contact,
        "Contact: <sip:a@b",
        &wire_defect::UNCLOSED_ANGLE,
        "Contact: ",
    );

    let of_ok = |from: &str, to: &str, what: &Defect, at: &str| {
        let wrong = ok.replace(from, to);
        assert_ne!(wrong, ok);
        let reject = uac(&invite, &wrong).unwrap_err();
        assert_eq!((reject.defect, place(&wrong, reject)), (what, at));
        assert_eq!(uas(&invite, &wrong).unwrap_err(), reject);
    };
    of_ok("200 OK", "180 Ringing", &defect::NOT_A_2XX, "");
    of_ok("200 OK", "302 Moved Temporarily", &defect::NOT_A_2XX, "");
    of_ok(";tag=314159", "", &defect::NO_TO_TAG, "To: ");
    of_ok(
        "3848276298220188511",
        "3848276298220188512",
        &defect::OTHER_REQUEST,
        "",
    );
    of_ok("9fxced76sl", "9fxced76s1", &defect::OTHER_REQUEST, "");
    of_ok(
        "CSeq: 2 INVITE",
        "CSeq: 3 INVITE",
        &defect::OTHER_REQUEST,
        "",
    );
    of_ok("CSeq: 2 INVITE", "CSeq: 2 BYE", &defect::OTHER_REQUEST, "");
    of_ok(
        "Contact: <sip:callee@u2.example.org>\r\n",
        "",
        &defect::NO_CONTACT,
        "\r\n",
    );
    of_ok(
        "sip:callee@u2",
        "http://callee@u2",
        &defect::CONTACT_SCHEME,
        "Contact: ",
    );

    let unreadable = recorded(&invite, "Record-Route: <sip:p1>, <sip:p2\r\n");
    let reject = uas(&unreadable, &ok).unwrap_err();
    assert_eq!(reject.defect, &wire_defect::UNCLOSED_ANGLE);
    assert!(uac(&unreadable, &ok).is_ok(), "its route set is of the 2xx");
}

/// [RFC 3261 12.1.1] A dialog of a `sips` Request-URI is secure at both ends.
#[test]
fn secure() {
    let secure = |message: String| message.replace("sip:", "sips:");
    let (invite, ok) = (secure(invite()), secure(ok("")));
    assert!(uac(&invite, &ok).unwrap().dialog().is_secure);
    assert!(uas(&invite, &ok).unwrap().dialog().is_secure);
}

/// [RFC 3261 12.2.1.2, 12.2.2] A 2xx or re-INVITE with a Contact moves the target, one without leaves it.
#[test]
fn target_refresh() {
    let target = |message: &str, is_secure| {
        let message = parse(message);
        remote_target(&message, is_secure).map(|target| target.map(|uri| text(uri).to_owned()))
    };
    let moved = ok("").replace("u2.example.org>", "u3.example.org;x=y>;z");
    let uri = "sip:callee@u3.example.org;x=y";
    assert_eq!(target(&moved, false).unwrap().as_deref(), Some(uri));
    let silent = ok("").replace("Contact", "X-Contact");
    assert_eq!(target(&silent, false).unwrap(), None);
    let reject = target(&moved, true).unwrap_err();
    assert_eq!(reject.defect, &defect::CONTACT_NOT_SIPS);
    let made = (invite(), ok(RECORDED));
    let made = uac(&made.0, &made.1).unwrap();
    let dialog = Dialog {
        remote_target: uri.as_bytes(),
        ..made.dialog()
    };
    assert!(bye(&dialog, 3).starts_with(&format!("BYE {uri} SIP/2.0\r\n")));
    assert_eq!(
        header(&bye(&dialog, 3), "Route"),
        text(made.dialog().route_set)
    );
}

/// [RFC 3261 12.2.2] In order, seen before, out of order; a gap is no fault.
#[test]
fn admission() {
    let mut sequence = Sequence::default();
    assert_eq!(sequence.admit(7), Admission::New);
    assert_eq!(sequence.admit(7), Admission::Repeated);
    assert_eq!(sequence.admit(6), Admission::Refuse(500));
    assert_eq!(sequence.admit(0), Admission::Refuse(500));
    assert_eq!(sequence.admit(9), Admission::New);
    assert_eq!(sequence.admit(8), Admission::Refuse(500));
    assert_eq!(sequence.remote, Some(9));
    assert_eq!(sequence.local, 0);
    let mut first = Sequence::default();
    assert_eq!(first.admit(0), Admission::New);
    assert_eq!(first.admit(0), Admission::Repeated);
    let mut last = Sequence {
        local: (1 << 31) - 2,
        remote: None,
    };
    assert_eq!(last.take_next(), (1 << 31) - 1);
    assert_eq!(last.take_next(), (1 << 31) - 1);
}

/// [RFC 3261 12.2.2] A request is of the dialog by Call-ID and both tags, byte for byte; with no To tag it is of none.
#[test]
fn which_dialog() {
    let dialog = plain();
    let request = bye(&dialog, 4);
    let mirror = mirrored(&dialog);
    let is_of = |text: &str| mirror.has(&Incoming::read(&parse(text)).unwrap());
    assert!(is_of(&request));
    for (from, to) in [
        ("c1@a", "C1@a"),
        ("c1@a", "c1@"),
        (";tag=l1", ";tag=L1"),
        (";tag=l1", ""),
        (";tag=r1", ";tag=r2"),
        (";tag=r1", ""),
    ] {
        let other = request.replace(from, to);
        assert_ne!(other, request);
        assert!(!is_of(&other), "{from} is {to:?}");
    }
    let untagged = Dialog {
        local_tag: b"",
        ..mirror
    };
    let without_to_tag = request.replace(";tag=r1", "");
    let incoming = parse(&without_to_tag);
    assert!(!untagged.has(&Incoming::read(&incoming).unwrap()));
}

/// [RFC 3261 12.2.2] What is read of a request of the other end.
#[test]
fn incoming() {
    let request = bye(&plain(), 4).replace(
        "Max-Forwards: 70\r\n",
        "Max-Forwards: 70\r\nRoute: \"us, here\" <sip:us.example.net;lr>, <sip:next.example.net;lr>\r\n",
    );
    let message = parse(&request);
    let read = Incoming::read(&message).unwrap();
    assert_eq!(read.method, Method::Bye);
    assert_eq!(text(read.request_uri), "sip:b@d.example");
    let route = read.route.map(|route| text(route.uri_bytes()));
    assert_eq!(route, Some("sip:us.example.net;lr"));
    assert_eq!(text(read.branch.unwrap()), format!("z9hG4bK{BRANCH}"));
    assert_eq!(text(read.call_id), "c1@a");
    assert_eq!(read.local_tag.map(text), Some("r1"));
    assert_eq!((text(read.remote_tag), read.cseq), ("l1", 4));
    assert_eq!(
        format!("{read:?}"),
        "Incoming { method: Bye, in_dialog: true, cseq: 4, .. }"
    );
    let refused = |from: &str, to: &str| {
        let wrong = request.replace(from, to);
        Incoming::read(&parse(&wrong)).unwrap_err().defect
    };
    assert_eq!(
        refused("net;lr>, <sip:next", "net;lr, sip:next"),
        &wire_defect::URI_BYTE
    );
    assert_eq!(refused("Call-ID: c1@a\r\n", ""), &wire_defect::NO_CALL_ID);
    assert_eq!(
        refused("CSeq: 4 BYE", "CSeq: 4 ACK"),
        &wire_defect::CSEQ_METHOD
    );
    let answer = ok("");
    assert_eq!(
        Incoming::read(&parse(&answer)).unwrap_err().defect,
        &wire_defect::WRONG_KIND
    );
}

/// [RFC 3326 2] The Reasons of a BYE are carried across byte for byte, several as one list, folding as a space; more
/// than the bound says are not.
#[test]
fn reasons() {
    let plain = bye(&plain(), 4);
    let with = |fields: &str| plain.replace("Content-Length", &format!("{fields}Content-Length"));
    let carried = |fields: &str, most: usize| {
        let message = with(fields);
        reason(&parse(&message), most).map(|value| text(&value).to_owned())
    };
    let sip = "SIP ;cause=600 ;text=\"Busy, \\\"really\\\"\"";
    let one = format!("Reason: {sip}\r\n");
    assert_eq!(carried("", 0).as_deref(), Some(""));
    assert_eq!(carried(&one, sip.len()).as_deref(), Some(sip));
    assert_eq!(carried(&one, sip.len() - 1), None);
    let two = format!("{one}reason: Q.850\r\n ;cause=16\r\n");
    let both = format!("{sip}, Q.850 ;cause=16");
    assert_eq!(carried(&two, both.len()), Some(both.clone()));
    assert_eq!(carried(&two, both.len() - 1), None);
    let three = format!("{two}Reason: x\r\n");
    assert_eq!(carried(&three, both.len()), None);
    let dialog = support::plain();
    let written = written(|buffer| {
        let mut message = dialog.bye(buffer, &element(), 5, branch(), both.as_bytes());
        message.header(HeaderName::Allow, b"BYE");
        message.finish();
    });
    assert_eq!(
        written.unwrap(),
        bye(&dialog, 5).replace(
            "Content-",
            &format!("Reason: {both}\r\nAllow: BYE\r\nContent-")
        )
    );
}

/// [RFC 3261 8.2.6.2] A response that comes when its request is gone is that which would have come at once.
#[test]
fn later_response() {
    let request = bye(&plain(), 4)
        .replace(
            "Max-",
            "Via: SIP/2.0/TCP p\r\n ;branch=2, SIP/2.0/UDP q;branch=3\r\nMax-",
        )
        .replace("From: ", "f: \"B\\, b\" ");
    let message = parse(&request);
    let mut kept = Buffer::new(1_000);
    Writer::keep(&mut kept, &message);
    assert_eq!(kept.fault(), None);
    let at_once = written(|buffer| Writer::respond_to(buffer, &message, 200, None).finish());
    let later = written(|buffer| {
        buffer.put(b"before");
        Writer::respond_later(buffer, 200, kept.as_slice()).finish();
    });
    let at_once = at_once.unwrap();
    assert_eq!(later.unwrap(), format!("before{at_once}"));
    assert!(at_once.contains("\r\nVia: SIP/2.0/TCP p\r\n ;branch=2, SIP/2.0/UDP q;branch=3\r\n"));
}

/// [DR-4] What could break out of its header field is not written; what a dialog is kept as gives it back.
#[test]
fn parts_and_breaks() {
    let dialog = plain();
    let again = Dialog::of_parts(dialog.parts(), dialog.is_secure);
    assert!(again == dialog);
    for number in 0..7 {
        let mut parts = dialog.parts();
        parts[number] = b"a\r\nX: y";
        let dialog = Dialog::of_parts(parts, false);
        let fault = written(|buffer| dialog.bye(buffer, &element(), 1, branch(), b"").finish());
        assert_eq!(fault, Err(Unwritable::UnsafeValue), "{number}");
    }
    let fault = written(|buffer| dialog.bye(buffer, &element(), 1, branch(), b"\n").finish());
    assert_eq!(fault, Err(Unwritable::UnsafeValue));
}

/// [RFC 3261 12] What a host says of a dialog is held to what is read of one; whatever is well has requests that can be
/// read.
#[test]
fn told() {
    let (invite, ok) = (invite(), ok(RECORDED));
    let made = uac(&invite, &ok).unwrap();
    assert_eq!(made.dialog().check(), Ok(()));
    assert_eq!(plain().check(), Ok(()));
    let mut bare = plain();
    bare.local_contact = b"";
    assert_eq!(bare.check(), Ok(()));
    let refused = |number: usize, value: &'static [u8], is_secure| {
        let mut parts = plain().parts();
        parts[number] = value;
        let reject = Dialog::of_parts(parts, is_secure).check().unwrap_err();
        (reject.defect, reject.at)
    };
    for (number, value, what, at) in [
        (0, b"".as_slice(), &wire_defect::CALL_ID, 0),
        (0, b"a b", &wire_defect::CALL_ID, 1),
        (1, b"nobody", &wire_defect::SCHEME, 0),
        (1, b"sip:a>@b", &wire_defect::URI_BYTE, 5),
        (2, b"", &wire_defect::TAG, 0),
        (2, b"a;b", &wire_defect::TAG, 0),
        (3, b"sip:a b", &wire_defect::URI_BYTE, 5),
        (4, b"", &wire_defect::TAG, 0),
        (4, b" r1", &wire_defect::TAG, 0),
        (5, b"", &wire_defect::SCHEME, 0),
        (5, b"tel:+1234", &defect::CONTACT_SCHEME, 0),
        (6, b"<sip:p1>, <sip:p2", &wire_defect::UNCLOSED_ANGLE, 10),
        (6, b"<sip:p1>,\r\n <sip:p2>", &wire_defect::BARE_LINE_END, 0),
        (7, b"<sip:a@e>, <sip:b@e>", &wire_defect::ONE_ADDRESS, 10),
        (7, b"<sip:a@e>\r\n ;x", &wire_defect::BARE_LINE_END, 0),
        (7, b"<tel:+1234>", &defect::CONTACT_SCHEME, 0),
    ] {
        assert_eq!(refused(number, value, false), (what, at), "{number}");
    }
    let own = refused(5, b"sip:b@d.example", true);
    assert_eq!(own, (&defect::CONTACT_NOT_SIPS, 0));
    let own = refused(5, b"sips:b@d.example", true);
    assert_eq!(own, (&defect::CONTACT_NOT_SIPS, 0), "ours");
}

/// [DR-9] Debug output names nobody.
#[test]
fn nobody_is_named() {
    let (invite, ok) = (invite(), ok(RECORDED));
    let shown = format!("{:?}", uac(&invite, &ok).unwrap());
    assert_eq!(
        shown,
        "Established { dialog: Dialog { has_remote_tag: true, route_set_bytes: 98, is_secure: \
         false, .. }, sequence: Sequence { local: 2, remote: None } }"
    );
}

/// [RFC 3261 13.2.2.4, 12.2.1.1] A session as of RFC 3665 3.1 with a re-INVITE: every request of each end is the
/// next of the other's, the ACK has the number of its INVITE, and the target follows the Contacts.
#[test]
fn session() {
    let (invite, ok) = (invite(), ok(""));
    let (caller, callee) = (uac(&invite, &ok).unwrap(), uas(&invite, &ok).unwrap());
    let mut numbers = [caller.sequence(), callee.sequence()];
    let (caller, callee) = (caller.dialog(), callee.dialog());

    let ack = request(&caller, b"ACK", numbers[0].local);
    assert_eq!(header(&ack, "CSeq"), "2 ACK");
    assert!(callee.has(&Incoming::read(&parse(&ack)).unwrap()));

    let again = request(&callee, b"INVITE", numbers[1].take_next());
    let again = again.replace("Content", "Contact: <sip:callee@u9.example.org>\r\nContent");
    let message = parse(&again);
    let read = Incoming::read(&message).unwrap();
    assert!(caller.has(&read));
    assert_eq!(numbers[0].admit(read.cseq), Admission::New);
    let target = remote_target(&message, caller.is_secure).unwrap().unwrap();
    let caller = Dialog {
        remote_target: target,
        ..caller
    };

    let bye = bye(&caller, numbers[0].take_next());
    assert!(bye.starts_with("BYE sip:callee@u9.example.org SIP/2.0\r\n"));
    assert_eq!(header(&bye, "CSeq"), "3 BYE");
    let message = parse(&bye);
    let read = Incoming::read(&message).unwrap();
    assert!(callee.has(&read));
    assert_eq!(numbers[1].admit(read.cseq), Admission::New);
    assert_eq!(numbers[1].admit(read.cseq), Admission::Repeated);
}
