//! What of a message is translated, whose it is, and what is refused.

use ims_procedures::{
    drive::{Buffer, Limits},
    regevent::relay::{
        Body, Config, Direction, Mapped, NewUri, Pair, Relayed, RequestUris, Translation,
        Untranslated, relay, relay_message,
    },
    wire::{Message, defect},
};

use crate::support::{fixture, passed, relayed, request, response, with_documents};

/// A subscriber inside and a notifier outside, each with the URI that the other side is shown.
const PAIRS: &[Pair<'_>] = &[
    Pair {
        inside: b"sip:sub1@pcscf1.visited1.example.net:5070;transport=tcp",
        outside: b"sip:x1@ibcf.visited1.example.net",
    },
    Pair {
        inside: b"sip:[2001:db8::1]:5060",
        outside: b"sips:[2001:db8:f::2]:5061;x=\"",
    },
    Pair {
        inside: b"sip:n1@ibcf.visited1.example.net;lr",
        outside: b"sip:n1@scscf1.home1.example.net;lr",
    },
    Pair {
        inside: b"sip:bare@a.example",
        outside: b"sip:bare@b.example",
    },
    Pair {
        inside: b"sip:params@a.example",
        outside: b"sip:params@b.example;a=b?c=d,e",
    },
    Pair {
        inside: b"tel:+15551234",
        outside: b"urn:service:x",
    },
];

fn outbound() -> Mapped<'static> {
    Mapped {
        contacts: PAIRS,
        ..Mapped::default()
    }
}

fn inbound() -> Mapped<'static> {
    Mapped {
        direction: Direction::Inbound,
        ..outbound()
    }
}

/// What a Contact field, value and all that comes with it, becomes on its way out.
#[track_caller]
fn contact(field: &str, expected: &str, count: usize) {
    for (bytes, made) in [
        (
            request("SUBSCRIBE", "sip:q@h", &format!("{field}\r\nX: y\r\n")),
            request("SUBSCRIBE", "sip:q@h", &format!("{expected}\r\nX: y\r\n")),
        ),
        (
            response("200 OK", "NOTIFY", &format!("{field}\r\nX: y\r\n")),
            response("200 OK", "NOTIFY", &format!("{expected}\r\nX: y\r\n")),
        ),
    ] {
        let (changes, written) = passed(bytes.as_bytes(), &Config::default(), &outbound());
        assert_eq!(written, made);
        assert_eq!((changes.request_uri, changes.contacts), (false, count));
    }
}

/// [IB-1] Only the URI changes: the name of the field, white space, folding, display name and parameters stay.
#[test]
fn only_the_uri_of_a_contact_changes() {
    let inside = "sip:sub1@pcscf1.visited1.example.net:5070;transport=tcp";
    let outside = "sip:x1@ibcf.visited1.example.net";
    for (front, back) in [
        ("Contact: <", ">"),
        ("m:<", ">"),
        ("CONTACT \t:  <", ">  "),
        ("M : \r\n\t<", ">\r\n ;expires=600\r\n  ;q=0.5"),
        (
            "Contact: \"A, <sip:b> \\\"c\" <",
            ">;+sip.instance=\"<urn:gsma:imei:1>\";reg-id=1",
        ),
        ("Contact: A b.c <", ">;x"),
        ("contact: ,, <", "> ,,"),
    ] {
        contact(
            &format!("{front}{inside}{back}"),
            &format!("{front}{outside}{back}"),
            1,
        );
    }
}

/// [IB-1] [RFC 3261 20.10] Without angle brackets, what follows a semicolon is the field's; a URI that has one
/// itself gets them.
#[test]
fn a_contact_without_angle_brackets() {
    contact(
        "Contact: sip:bare@a.example;expires=600",
        "Contact: sip:bare@b.example;expires=600",
        1,
    );
    contact(
        "m: sip:bare@a.example , sip:params@a.example;q=1",
        "m: sip:bare@b.example , <sip:params@b.example;a=b?c=d,e>;q=1",
        2,
    );
    contact("m: tel:+1-555-1234", "m: urn:service:x", 1);
    for uri in [&b"sip:b;x"[..], b"sip:b?x=y", b"sip:b,c@h"] {
        let bytes = |uri: &str| request("SUBSCRIBE", "sip:q@h", &format!("m: {uri};q=1\r\n"));
        let came = bytes("sip:a").replace(";tag=2", "");
        let (_, written) = passed(came.as_bytes(), &Config::default(), &Always(uri));
        let uri = String::from_utf8_lossy(uri);
        assert_eq!(written, came.replace("sip:a;", &format!("<{uri}>;")));
    }
}

/// [IB-1] Several, over several fields; those that nobody maps, and `*`, stay.
#[test]
fn several_contacts() {
    contact(
        "Contact: <sip:unknown@h>, <sip:bare@a.example>;q=1,<sip:params@a.example>\r\n\
         m: sip:bare@a.example\r\nContact: *\r\nContact: <mailto:a@b>, *",
        "Contact: <sip:unknown@h>, <sip:bare@b.example>;q=1,<sip:params@b.example;a=b?c=d,e>\r\n\
         m: sip:bare@b.example\r\nContact: *\r\nContact: <mailto:a@b>, *",
        3,
    );
    contact("Contact:", "Contact:", 0);
    contact("X: <sip:bare@a.example>", "X: <sip:bare@a.example>", 0);
}

/// [IB-1] [RFC 3261 19.1.4] A URI is found in whatever spelling.
#[test]
fn spellings_of_a_contact() {
    for spelling in [
        "sip:%62are@A.EXAMPLE",
        "SIP:bare@a.example.",
        "sip:bare@a.example;ob",
    ] {
        contact(
            &format!("Contact: <{spelling}>;q=1"),
            "Contact: <sip:bare@b.example>;q=1",
            1,
        );
    }
    for other in [
        "sip:Bare@a.example",
        "sip:bare@a.example:5060",
        "sips:bare@a.example",
        "sip:bare@a.example;transport=udp",
        "sip:bare@a.example?a=b",
    ] {
        contact(
            &format!("Contact: <{other}>"),
            &format!("Contact: <{other}>"),
            0,
        );
    }
}

/// [IB-1] S2 L62: an IBCF or IPX proxy has no subscription of its own. A whole one between the networks passes
/// through, its Contacts translated: what the other side is shown comes back as what it stands for, and the NOTIFY may
/// be first. With Expires 0 as with any other.
#[test]
fn a_subscription() {
    let config = Config::default();
    let inside = "sip:sub1@pcscf1.visited1.example.net:5070;transport=tcp";
    let outside = "sip:x1@ibcf.visited1.example.net";
    let shown = "sip:n1@ibcf.visited1.example.net;lr";
    let notifier = "sip:n1@scscf1.home1.example.net;lr";
    for expires in [600_000, 0] {
        let lines = |uri: &str| format!("Expires: {expires}\r\nContact: <{uri}>\r\n");
        let user = "sip:a@home1.example.net";
        let initial = |uri: &str| request("SUBSCRIBE", user, &lines(uri)).replace(";tag=2", "");
        let (_, written) = passed(initial(inside).as_bytes(), &config, &outbound());
        assert_eq!(written, initial(outside));

        let notify = |target: &str, uri: &str| request("NOTIFY", target, &lines(uri));
        let (changes, written) = passed(notify(outside, notifier).as_bytes(), &config, &inbound());
        assert_eq!(written, notify(inside, shown));
        assert_eq!((changes.request_uri, changes.contacts), (true, 1));

        let ok = |uri: &str| response("200 OK", "SUBSCRIBE", &lines(uri));
        let (_, written) = passed(ok(notifier).as_bytes(), &config, &inbound());
        assert_eq!(written, ok(shown));

        let refresh = |target: &str, uri: &str| request("SUBSCRIBE", target, &lines(uri));
        let (changes, written) = passed(refresh(shown, inside).as_bytes(), &config, &outbound());
        assert_eq!(written, refresh(notifier, outside));
        assert_eq!((changes.request_uri, changes.contacts), (true, 1));
    }
}

/// [IB-1] The Request-URI of a request without To tag stays, unless the host says otherwise: with a 3xx let pass,
/// the next request has none.
#[test]
fn request_uris_outside_a_dialog() {
    let to = |uri: &str| request("SUBSCRIBE", uri, "").replace(";tag=2", "");
    let config = Config::default();
    let bytes = to("sip:bare@b.example");
    let (changes, written) = passed(bytes.as_bytes(), &config, &inbound());
    assert_eq!((changes.request_uri, written), (false, bytes.clone()));
    let mut all = config;
    all.request_uris = RequestUris::All;
    let (changes, written) = passed(bytes.as_bytes(), &all, &inbound());
    assert_eq!(written, to("sip:bare@a.example"));
    assert!(changes.request_uri);
    let unmapped = to("sip:user@home1.example.net");
    assert_eq!(passed(unmapped.as_bytes(), &all, &inbound()).1, unmapped);
}

/// [IB-1] Start line and line ends before it stay as they are, with the Request-URI mapped too.
#[test]
fn around_the_request_uri() {
    let odd = |uri: &str| {
        format!("\r\n\r\nNOTIFY {uri} sip/2.0\r\nTo: <sip:a@h>;tag=1\r\no: reg\r\n\r\nbody")
    };
    let (changes, written) = passed(
        odd("sip:bare@b.example;lr").as_bytes(),
        &Config::default(),
        &inbound(),
    );
    assert_eq!(written, odd("sip:bare@a.example"));
    assert!(changes.request_uri);
}

/// [IB-1] Contact in every response, whatever its status: what is hidden stays so.
#[test]
fn responses_of_every_class() {
    for status in [
        "100 Trying",
        "202 ",
        "302 Moved",
        "423 X",
        "485 X",
        "500 \u{e4}",
        "603 No",
    ] {
        for method in ["SUBSCRIBE", "NOTIFY"] {
            let bytes = |uri: &str| response(status, method, &format!("m: <{uri}>\r\n"));
            let (changes, written) = passed(
                bytes("sip:bare@a.example").as_bytes(),
                &Config::default(),
                &outbound(),
            );
            assert_eq!(written, bytes("sip:bare@b.example"));
            assert_eq!(changes.contacts, 1);
        }
    }
}

/// [IB-1] [RFC 6665 8.2.1] Of another method or package: nothing is written, whatever its Contact says.
#[test]
fn what_is_not_ours() {
    let line = "Contact: <sip:bare@a.example>\r\n";
    let event = |event: &str| request("NOTIFY", "sip:q@h", line).replace("Event: reg\r\n", event);
    let ok = |event: &str| response("200 OK", "SUBSCRIBE", &format!("{line}{event}"));
    for bytes in [
        request("INVITE", "sip:q@h", line),
        request("PUBLISH", "sip:q@h", line),
        request("notify", "sip:q@h", line),
        event("Event: presence\r\n"),
        event("Event: REG\r\n"),
        event("Event: reg.winfo\r\n"),
        event(""),
        response("200 OK", "INVITE", line),
        ok("Event: presence\r\n"),
    ] {
        let outcome = relayed(bytes.as_bytes(), &Config::default(), &outbound());
        assert_eq!(outcome, Ok((Relayed::NotOurs, Vec::new())), "{bytes}");
    }
    for bytes in [
        event("Event: reg;id=7\r\n"),
        event("o :\r\n reg\r\n"),
        ok("Event: reg\r\n"),
        ok(""),
    ] {
        assert_eq!(
            passed(bytes.as_bytes(), &Config::default(), &outbound())
                .0
                .contacts,
            1
        );
    }
}

/// [IB-1] [DR-4] What cannot be read is refused at its byte, and nothing is written.
#[test]
fn what_is_refused() {
    let subscribe = |line: &str| request("SUBSCRIBE", "sip:q@h", line);
    let at = |bytes: &str, part: &str| bytes.find(part).unwrap();
    for (bytes, part, defect) in [
        (
            subscribe("Contact: <sip:a@b\r\n"),
            "<sip:a@b\r",
            &defect::UNCLOSED_ANGLE,
        ),
        (
            subscribe("Contact: <sip:a@h>, <sip:>\r\n"),
            ">\r\n\r\n",
            &defect::HOST,
        ),
        (
            subscribe("Contact: <sip:a@b>;q=1;q=0\r\n"),
            "<sip:a@b>;q",
            &defect::PARAMETER_TWICE,
        ),
        (
            subscribe("Event: reg\r\n"),
            "reg\r\n\r\n",
            &defect::REPEATED,
        ),
        (subscribe("X\r\n"), "\r\n\r\n", &defect::HEADER_NAME),
        (
            subscribe("").replace("To: <sip:a@home1.example.net>;tag=2\r\n", ""),
            "\r\n\r\n",
            &defect::NO_TO,
        ),
        (
            response("200 OK", "NOTIFY", "").replace("CSeq: 1", "CSeq: x"),
            "x NOTIFY",
            &defect::CSEQ,
        ),
    ] {
        let Err(Untranslated::Rejected(reject)) =
            relayed(bytes.as_bytes(), &Config::default(), &outbound())
        else {
            panic!("{bytes}");
        };
        assert_eq!(reject.defect, defect, "{bytes}");
        let at = at(&bytes, part)
            + if part == "\r\n\r\n" && defect == &defect::NO_TO {
                2
            } else {
                0
            };
        assert_eq!(reject.at as usize, at, "{bytes}");
    }
    let short = fixture("sip/notify_content_length_too_short.sip");
    let message = Message::parse(&short, &Limits::default()).unwrap();
    assert!(message.end() < short.len());
    let (_, written) = relayed(&short, &with_documents(), &Mapped::default()).unwrap();
    assert_eq!(
        written,
        short[..message.end()],
        "what follows the body is not passed on"
    );
}

/// A translation that gives the same for everything.
struct Always(&'static [u8]);

impl Translation for Always {
    fn contact(&self, _: &[u8], new: &mut NewUri<'_>) -> bool {
        new.put(self.0);
        true
    }

    fn request_uri(&self, uri: &[u8], new: &mut NewUri<'_>) -> bool {
        self.contact(uri, new)
    }
}

/// [IB-1] [DR-4] What a translation gives that is no URI, or would break out of its place, refuses the whole.
#[test]
fn hostile_mappings() {
    let contact = request("SUBSCRIBE", "sip:q@h", "m: <sip:a@b>\r\n").replace(";tag=2", "");
    let target = request("SUBSCRIBE", "sip:q@h", "");
    for uri in [
        &b""[..],
        b"nothing",
        b"sip:",
        b"sip:a@h\r\nRoute: <sip:evil>",
        b"sip:a@h\n",
        b"sip:a\0@h",
        b"sip:a@h>;x=<y",
        b"sip:a@h\"",
        b"sip:a b@h",
        b"sip:a@h SIP/2.0",
        b" sip:a@h",
        b"*",
        b"<sip:a@h>",
    ] {
        for bytes in [&contact, &target] {
            let outcome = relayed(bytes.as_bytes(), &Config::default(), &Always(uri));
            assert_eq!(
                outcome,
                Err(Untranslated::NotAUri),
                "{}",
                uri.escape_ascii()
            );
        }
    }
    // In a user part everything may stand that is not one of these.
    let (_, written) = passed(
        contact.as_bytes(),
        &Config::default(),
        &Always(b"sip:';?,&=@h"),
    );
    assert_eq!(written, contact.replace("sip:a@b", "sip:';?,&=@h"));
}

/// [IB-1] What is put by a translation that then maps nothing is forgotten, even if it could not have been written.
#[test]
fn a_change_of_mind() {
    struct Undecided;
    impl Translation for Undecided {
        fn contact(&self, _: &[u8], new: &mut NewUri<'_>) -> bool {
            new.put(&[b'x'; 300_000]);
            new.put(b"\r\n");
            false
        }
    }
    let bytes = request("SUBSCRIBE", "sip:q@h", "m: <sip:a@b>, sip:b@c\r\n");
    let (changes, written) = passed(bytes.as_bytes(), &Config::default(), &Undecided);
    assert_eq!((changes.contacts, written), (0, bytes));
}

/// [IB-1] [DR-5] As many bytes as a message may have, in the limits or the buffer, and one more.
#[test]
fn sizes() {
    let bytes = request(
        "SUBSCRIBE",
        "sip:q@h",
        "m: <sip:bare@a.example>, <sip:bare@a.example>\r\n",
    );
    let longer = Mapped {
        contacts: &[Pair {
            inside: b"sip:bare@a.example",
            outside: b"sip:bare@longer.example",
        }],
        ..Mapped::default()
    };
    let size = bytes.len() + 2 * "longer".len() - 2;
    let config = Config::default();
    let mut limits = Limits::default();
    for (limit, room) in [(size, 9_999), (9_999, size), (size, size)] {
        limits.message_bytes = limit;
        let mut buffer = Buffer::new(room);
        let outcome = relay(bytes.as_bytes(), &limits, &config, &longer, &mut buffer);
        assert!(matches!(outcome, Ok(Relayed::Written(_))));
        assert_eq!(buffer.len(), size);
        // The limit is of each message, not of what stands in the buffer.
        if room > size {
            let outcome = relay(bytes.as_bytes(), &limits, &config, &longer, &mut buffer);
            assert!(matches!(outcome, Ok(Relayed::Written(_))));
            assert_eq!(buffer.len(), 2 * size);
        }
    }
    for (limit, room) in [(size - 1, 9_999), (9_999, size - 1)] {
        limits.message_bytes = limit;
        let mut buffer = Buffer::new(room);
        let outcome = relay(bytes.as_bytes(), &limits, &config, &longer, &mut buffer);
        assert_eq!(outcome, Err(Untranslated::TooLarge));
        assert!(buffer.is_empty() && buffer.fault().is_none());
    }
    limits.message_bytes = bytes.len() - 1;
    let outcome = relay(
        bytes.as_bytes(),
        &limits,
        &config,
        &longer,
        &mut Buffer::new(9_999),
    );
    let Err(Untranslated::Rejected(reject)) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(reject.defect, &defect::MESSAGE_TOO_LARGE);
}

/// [IB-1] A message that has been read is not read again; one that has not is refused.
#[test]
fn a_message_that_was_read() {
    let bytes = fixture("sip/notify_before_200.sip");
    let limits = Limits::default();
    let config = with_documents();
    let translation = Mapped::default();
    let message = Message::parse(&bytes, &limits).unwrap();
    let mut buffer = Buffer::new(70_000);
    let outcome = relay_message(&message, &limits, &config, &translation, &mut buffer).unwrap();
    assert_eq!(
        (outcome, buffer.as_slice().to_vec()),
        relayed(&bytes, &config, &translation).unwrap()
    );
    let Relayed::Written(changes) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(changes.body, Body::Translated(0));
    let unread = Message::unread(&bytes);
    assert!(relay_message(&unread, &limits, &config, &translation, &mut buffer).is_err());
}

/// [DR-9] Nothing of what a table holds is shown.
#[test]
fn nothing_personal_is_shown() {
    let shown = format!("{:?} {:?}", outbound(), PAIRS);
    assert!(
        !shown.contains("example") && !shown.contains("115"),
        "{shown}"
    );
}
