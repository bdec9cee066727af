//! Start line, header table, body, bounds.

use ims_procedures::{
    drive::{Defect, Limits},
    wire::{HeaderName, Message, Method, StartLine, defect},
};

use crate::support::{fixture, parse, place, request_with};

fn refused(bytes: &[u8]) -> (&'static Defect, usize) {
    let reject = parse(bytes).expect_err("read");
    (reject.defect, reject.at as usize)
}

/// [RFC 3261 7.1] A request line; methods in another case are other methods.
#[test]
fn request_lines() {
    let bytes = b"register sip:a@b SIP/2.0\r\n\r\n";
    let message = parse(bytes).unwrap();
    assert_eq!(message.method(), Some(Method::Other(b"register")));
    assert_ne!(message.method(), Some(Method::Register));
    assert_eq!(message.request_uri(), Some(&b"sip:a@b"[..]));
    assert_eq!(message.status(), None);
    assert!(message.is_request());
    let message =
        parse(b"!interesting-Method0123456789_*+`.%indeed'~ tel:+1 sip/2.0\r\n\r\n").unwrap();
    assert!(matches!(message.method(), Some(Method::Other(_))));
    for name in [
        "REGISTER",
        "SUBSCRIBE",
        "NOTIFY",
        "INVITE",
        "ACK",
        "BYE",
        "CANCEL",
        "OPTIONS",
        "PUBLISH",
        "MESSAGE",
        "REFER",
        "INFO",
        "UPDATE",
        "PRACK",
    ] {
        let method = Method::of(name.as_bytes());
        assert!(!matches!(method, Method::Other(_)), "{name}");
        assert_eq!(method.as_bytes(), name.as_bytes());
    }
}

/// [RFC 3261 7.1] What is no start line, and where it fails.
#[test]
fn start_lines_that_are_none() {
    let cases: [(&str, &Defect, usize); 22] = [
        ("", &defect::EMPTY, 0),
        ("\r\n\r\n", &defect::EMPTY, 4),
        ("REGISTER\r\n\r\n", &defect::START_LINE, 0),
        ("REGISTER sip:a\r\n\r\n", &defect::START_LINE, 9),
        ("REG(STER sip:a SIP/2.0\r\n\r\n", &defect::METHOD, 0),
        (" REGISTER sip:a SIP/2.0\r\n\r\n", &defect::METHOD, 0),
        ("REGISTER  sip:a SIP/2.0\r\n\r\n", &defect::REQUEST_URI, 9),
        (
            "REGISTER sip:a\tb SIP/2.0\r\n\r\n",
            &defect::REQUEST_URI,
            14,
        ),
        ("REGISTER <sip:a> SIP/2.0\r\n\r\n", &defect::REQUEST_URI, 9),
        ("REGISTER sip:a SIP/3.0\r\n\r\n", &defect::VERSION, 15),
        ("REGISTER sip:a SIP/2.0 \r\n\r\n", &defect::REQUEST_URI, 14),
        ("REGISTER sip:a  SIP/2.0\r\n\r\n", &defect::REQUEST_URI, 14),
        ("REGISTER sip:a sip/10.02\r\n\r\n", &defect::VERSION, 15),
        ("REGISTER sip:a SIP/2.\r\n\r\n", &defect::START_LINE, 15),
        ("REGISTER sip:a SIP/.0\r\n\r\n", &defect::START_LINE, 15),
        ("REGISTER sip:a SIP/3\r\n\r\n", &defect::START_LINE, 15),
        ("REGISTER sip:a HTTP/1.1\r\n\r\n", &defect::START_LINE, 15),
        (
            "REGISTER sip:a ;lr SIP/2.0\r\n\r\n",
            &defect::REQUEST_URI,
            14,
        ),
        ("REGISTER sip:a b SIP/9.0\r\n\r\n", &defect::REQUEST_URI, 14),
        ("REGISTER sip:a b\r\n\r\n", &defect::START_LINE, 15),
        ("SIP/x 200 OK\r\n\r\n", &defect::METHOD, 0),
        ("SIP/7.0 200 OK\r\n\r\n", &defect::VERSION, 0),
    ];
    for (text, what, at) in cases {
        assert_eq!(refused(text.as_bytes()), (what, at), "{text:?}");
    }
}

/// [RFC 3261 7.2] A status line; the reason phrase may be empty and hold any byte.
#[test]
fn status_lines() {
    let message = parse(b"SIP/2.0 200 \r\n\r\n").unwrap();
    assert_eq!(message.status(), Some(200));
    assert_eq!(message.method(), None);
    assert_eq!(message.request_uri(), None);
    let message = parse(b"SIP/2.0 699 D\xe9j\xe0 vu / really\r\n\r\n").unwrap();
    let StartLine::Response { status, reason } = message.start() else {
        panic!("no response");
    };
    assert_eq!((status, reason), (699, &b"D\xe9j\xe0 vu / really"[..]));
    for text in [
        "SIP/2.0 099 x",
        "SIP/2.0 700 x",
        "SIP/2.0 20 OK",
        "SIP/2.0 2000 OK",
        "SIP/2.0 +20 OK",
    ] {
        let bytes = format!("{text}\r\n\r\n");
        assert_eq!(refused(bytes.as_bytes()), (&defect::STATUS, 8), "{text}");
    }
}

/// [RFC 3261 7.5] Line ends before the start line are passed over; offsets still count from the first byte.
#[test]
fn line_ends_before_the_start_line() {
    let bytes = b"\r\n\r\nBYE sip:a SIP/2.0\r\nCall-ID: x\r\n\r\n";
    let message = parse(bytes).unwrap();
    assert_eq!(message.method(), Some(Method::Bye));
    let at = message.header(HeaderName::CallId).unwrap().at();
    assert_eq!(&bytes[at..=at], b"x");
    assert_eq!(
        refused(b"\r\n\r\nBYE sip:a SIP/1.0\r\n\r\n"),
        (&defect::VERSION, 14)
    );
}

/// [RFC 3261 7.3.3] Compact names, and every name in any case.
#[test]
fn names_in_any_form() {
    let compact = [
        ("v", HeaderName::Via),
        ("f", HeaderName::From),
        ("t", HeaderName::To),
        ("i", HeaderName::CallId),
        ("m", HeaderName::Contact),
        ("l", HeaderName::ContentLength),
        ("c", HeaderName::ContentType),
        ("e", HeaderName::ContentEncoding),
        ("k", HeaderName::Supported),
        ("s", HeaderName::Subject),
        ("o", HeaderName::Event),
        ("u", HeaderName::AllowEvents),
        ("r", HeaderName::ReferTo),
        ("b", HeaderName::ReferredBy),
        ("x", HeaderName::SessionExpires),
        ("a", HeaderName::AcceptContact),
        ("j", HeaderName::RejectContact),
        ("d", HeaderName::RequestDisposition),
        ("y", HeaderName::Identity),
    ];
    for (letter, name) in compact {
        assert_eq!(HeaderName::lookup(letter.as_bytes()), name);
        assert_eq!(HeaderName::lookup(letter.to_uppercase().as_bytes()), name);
        for form in [
            name.canonical_name().to_vec(),
            name.canonical_name().to_ascii_lowercase(),
            name.canonical_name().to_ascii_uppercase(),
        ] {
            assert_eq!(HeaderName::lookup(&form), name);
        }
    }
    for name in [
        "P-Asserted-Identity",
        "P-Associated-URI",
        "P-Visited-Network-ID",
        "P-Charging-Vector",
        "P-Access-Network-Info",
        "Service-Route",
        "Record-Route",
        "Path",
        "WWW-Authenticate",
        "Proxy-Authorization",
        "Subscription-State",
        "Min-Expires",
        "Security-Client",
        "Security-Server",
        "Security-Verify",
        "Message-UID",
        "Max-Forwards",
        "Retry-After",
    ] {
        let found = HeaderName::lookup(name.to_lowercase().as_bytes());
        assert_eq!(found.canonical_name(), name.as_bytes());
    }
    for other in [
        "",
        "z",
        "Vi",
        "Vib",
        "P-Asserted-Identitx",
        "Content\rLength",
        "Fron",
    ] {
        assert_eq!(
            HeaderName::lookup(other.as_bytes()),
            HeaderName::Other,
            "{other:?}"
        );
    }
}

/// [RFC 3261 7.3.1] White space before the colon, none after it, folding, and empty values.
#[test]
fn header_lines() {
    let bytes = request_with(
        "Subject :  I know\r\n  you're there,\r\n\tpick up  \r\nX-Own:no space\r\nk:\r\nAllow: \r\n \r\n",
    );
    let message = parse(&bytes).unwrap();
    let value = |name| message.header(name).unwrap().raw();
    assert_eq!(
        value(HeaderName::Subject),
        b"I know\r\n  you're there,\r\n\tpick up"
    );
    assert_eq!(value(HeaderName::Supported), b"");
    assert_eq!(value(HeaderName::Allow), b"");
    assert_eq!(message.header_named(b"x-own").unwrap().raw(), b"no space");
    assert_eq!(message.header_named(b"ALLOW").unwrap().raw(), b"");
    assert!(message.header_named(b"x-owned").is_none());
    let field = message.fields().nth(6).unwrap();
    assert_eq!(field.raw_name, b"Subject");
    assert_eq!(&bytes[field.line.clone()][..9], b"Subject :");
    assert!(bytes[field.line].ends_with(b"pick up  \r\n"));
    assert_eq!(message.fields().count(), 10);
    assert_eq!(message.header_count(), 10);
}

/// [RFC 3261 7.3.1] The fields of a name in order, however many others stand between.
#[test]
fn repeated_fields() {
    let bytes = request_with(
        "Path: <sip:1>\r\nRoute: <sip:x>\r\npath: <sip:2>,<sip:3>\r\nPATH: <sip:4>\r\n",
    );
    let message = parse(&bytes).unwrap();
    let values: Vec<&[u8]> = message
        .headers(HeaderName::Path)
        .map(ims_procedures::wire::Header::raw)
        .collect();
    assert_eq!(values, [&b"<sip:1>"[..], b"<sip:2>,<sip:3>", b"<sip:4>"]);
    assert_eq!(message.headers(HeaderName::ServiceRoute).count(), 0);
}

/// [RFC 3261 7] Line ends are CR LF and nothing else; NUL never stands in a header field.
#[test]
fn line_ends_are_strict() {
    for (line, what, needle) in [
        (
            "X: a\nRoute: <sip:x>\r\n",
            &defect::BARE_LINE_END,
            "\nRoute",
        ),
        (
            "X: a\rRoute: <sip:x>\r\n",
            &defect::BARE_LINE_END,
            "\rRoute",
        ),
        ("X: a\r\r\n", &defect::BARE_LINE_END, "\r\r\n"),
        ("X: a\0b\r\n", &defect::NUL, "\0"),
        ("X: a\r\n \0\r\n", &defect::NUL, "\0"),
        ("X\0: a\r\n", &defect::NUL, "\0"),
        ("i\0: a\r\n", &defect::NUL, "\0"),
        ("Expires\0: 60\r\n", &defect::NUL, "\0"),
        ("Reason\0\0: SIP\r\n", &defect::NUL, "\0\0"),
        ("Identity\0: x\r\n", &defect::NUL, "\0"),
        ("Content-Length\0\0: 0\r\n", &defect::NUL, "\0\0"),
        ("Authentication-Info\0: x=y\r\n", &defect::NUL, "\0"),
        ("\0\0\0\0\0: x\r\n", &defect::NUL, "\0\0\0\0\0"),
        ("X: \"a\\\\\0\"\r\n", &defect::NUL, "\0"),
        ("X: \"\\\0\0\"\r\n", &defect::NUL, "\0\0"),
        ("X: \\\r\n \0\r\n", &defect::NUL, "\0"),
        ("X\\\0: a\r\n", &defect::NUL, "\0"),
        ("no colon here\r\n", &defect::HEADER_NAME, " colon"),
        (": nameless\r\n", &defect::HEADER_NAME, ": nameless"),
        ("Two words: x\r\n", &defect::HEADER_NAME, " words"),
        ("Cal\u{e9}: x\r\n", &defect::HEADER_NAME, "\u{e9}"),
    ] {
        let bytes = request_with(line);
        assert_eq!(refused(&bytes), (what, place(&bytes, needle)), "{line:?}");
    }
    let bytes = b"SIP/2.0 200 \\\0\r\n\r\n";
    assert_eq!(refused(bytes), (&defect::NUL, 13));
    let bytes = b"BYE sip:a SIP/2.0\r\n folded: start\r\n\r\n";
    assert_eq!(refused(bytes), (&defect::FOLDED_START, 19));
    let bytes = b"BYE sip:a SIP/2.0\nCall-ID: x\n\n";
    assert_eq!(refused(bytes), (&defect::BARE_LINE_END, 17));
}

/// [RFC 3261 25.1] A quoted-pair may hold NUL in a display name of From and To, and it stays as it came; nowhere
/// else, since what is kept of other header fields is written again.
#[test]
fn escaped_nul_stays_in_display_names() {
    let base = String::from_utf8(request_with("Subject: x\r\n")).unwrap();
    for (from, to) in [
        ("From: ", "f : \"a\\\0b\"\r\n "),
        ("To: ", "TO:\r\n \"a\\\0b\"\r\n\t"),
    ] {
        let bytes = base.replace(from, to).into_bytes();
        let message = parse(&bytes).unwrap();
        let party = match from {
            "From: " => message.from(),
            _ => message.to(),
        };
        assert_eq!(party.unwrap().display(), Some(&b"a\\\0b"[..]));
        assert_eq!(message.header(HeaderName::Subject).unwrap().raw(), b"x");
    }
    let many = base.replace("To: ", &format!("To: \"{}\"", "\\\0".repeat(8_000)));
    let message = parse(many.as_bytes()).unwrap();
    assert_eq!(message.to().unwrap().display().unwrap().len(), 16_000);
    for params in [";tag=\"\\\0\"", ";tag=1;x=\"\\\0\""] {
        let bytes = base.replace(";tag=1", params).into_bytes();
        let reject = parse(&bytes).unwrap().from().unwrap_err();
        let at = place(&bytes, "<sip:a@");
        assert_eq!((reject.defect, reject.at as usize), (&defect::NUL, at));
    }
    for line in [
        "Contact: \"\\\0\" <sip:a>",
        "Reason: SIP\r\n ;text=\"\\\0\"",
        "X-Own: (\\\0)",
    ] {
        let bytes = request_with(&format!("{line}\r\n"));
        assert_eq!(
            refused(&bytes),
            (&defect::NUL, place(&bytes, "\0")),
            "{line}"
        );
    }
}

/// [RFC 3261 7.3.1] What identifies or frames a message must not have two values; the same value twice is
/// not ambiguous.
#[test]
fn conflicting_fields_are_refused() {
    for (line, value) in [
        ("From: <sip:b@home1.example.net>;tag=1\r\n", "<sip:b@"),
        ("t: <sip:b@home1.example.net>\r\n", "<sip:b@"),
        ("i: c2\r\n", "c2"),
        ("CSeq: 2 REGISTER\r\n", "2 REGISTER"),
        ("Max-Forwards: 69\r\n", "69"),
        ("Content-Length: 0\r\nl: 00\r\n", "00\r\n"),
    ] {
        let bytes = request_with(line);
        assert_eq!(
            refused(&bytes),
            (&defect::CONFLICT, place(&bytes, value)),
            "{line}"
        );
    }
    for line in [
        "f: <sip:a@home1.example.net>;tag=1\r\n",
        "Call-ID: c1\r\n",
        "Max-Forwards: 70\r\n",
        "l: 0\r\nContent-Length: 0\r\n",
    ] {
        parse(&request_with(line)).unwrap();
    }
}

/// [DR-5] The bound on bytes of a message, at it and one past it.
#[test]
fn bound_of_message_bytes() {
    let mut limits = Limits::default();
    let bytes = request_with("");
    limits.message_bytes = bytes.len();
    Message::parse(&bytes, &limits).unwrap();
    limits.message_bytes = bytes.len() - 1;
    let reject = Message::parse(&bytes, &limits).unwrap_err();
    assert_eq!(reject.defect, &defect::MESSAGE_TOO_LARGE);
    assert_eq!(reject.at as usize, bytes.len() - 1);
}

/// [DR-5] The bound on header fields, at it and one past it; past the inline table fields are still found.
#[test]
fn bound_of_header_fields() {
    let limits = Limits::default();
    let lines = |count: usize| {
        let lines: String = (6..count)
            .map(|n| format!("Route: <sip:r{n}>\r\n"))
            .collect();
        request_with(&lines)
    };
    for count in [47, 48, 49, 50, 255, 256] {
        let bytes = lines(count);
        let message = Message::parse(&bytes, &limits).unwrap();
        assert_eq!(message.header_count(), count);
        assert_eq!(message.headers(HeaderName::Route).count(), count - 6);
        let last = message.fields().last().unwrap();
        assert_eq!(last.value.raw(), format!("<sip:r{}>", count - 1).as_bytes());
        assert_eq!(last.line.end, message.head_end());
    }
    let bytes = lines(257);
    let reject = Message::parse(&bytes, &limits).unwrap_err();
    assert_eq!(reject.defect, &defect::TOO_MANY_HEADERS);
    assert_eq!(reject.at as usize, place(&bytes, "Route: <sip:r256>"));
}

/// [RFC 3261 7] A message that is read where it lies is the one that `parse` gives; one that is refused is refused
/// again, and nothing of it is known in between.
#[test]
fn read_where_it_lies() {
    let limits = Limits::default();
    let bytes = request_with("Route: <sip:r>\r\n");
    let mut message = Message::unread(&bytes);
    for _ in 0..2 {
        assert_eq!(message.read(&limits), Ok(()));
        let parsed = Message::parse(&bytes, &limits).unwrap();
        assert_eq!(message.header_count(), parsed.header_count());
        assert_eq!(message.start(), parsed.start());
        assert_eq!(message.end(), parsed.end());
    }
    for (line, what) in [
        ("Content-Length: 70000\r\n", &defect::BODY_TOO_SHORT),
        ("Call-ID: another\r\n", &defect::CONFLICT),
        ("no colon\r\n", &defect::HEADER_NAME),
    ] {
        let bytes = request_with(line);
        let mut message = Message::unread(&bytes);
        for _ in 0..2 {
            assert_eq!(message.read(&limits).unwrap_err().defect, what);
            assert_eq!((message.header_count(), message.method()), (0, None));
            assert_eq!(message.fields().count(), 0);
        }
    }
}

/// [RFC 3261 7.3.1] A name whose first field stands past the inline table, or past the 255th field.
#[test]
fn late_fields_are_found() {
    let mut limits = Limits::default();
    limits.headers = 400;
    for before in [41, 42, 43, 247, 248, 249, 250, 300] {
        let mut lines: String = (0..before).map(|_| "Route: <sip:r>\r\n").collect();
        lines.push_str("Path: <sip:p>\r\nCall-ID: c1\r\nPath: <sip:q>\r\n");
        let bytes = request_with(&lines);
        let message = Message::parse(&bytes, &limits).unwrap();
        assert_eq!(
            message.header(HeaderName::Path).unwrap().raw(),
            b"<sip:p>",
            "{before}"
        );
        assert_eq!(message.headers(HeaderName::Path).count(), 2, "{before}");
        let conflicting = request_with(&lines.replace("c1", "c2"));
        let reject = Message::parse(&conflicting, &limits).unwrap_err();
        assert_eq!(reject.defect, &defect::CONFLICT);
    }
}

/// [DR-5] The bound on bytes of a header field value, white space around it apart and folding included: at
/// it, and one past it, where the first byte too many stands.
#[test]
fn bound_of_header_bytes() {
    let limits = Limits::default();
    let folded =
        |length: usize| format!("{}{}", "Z\r\n ".repeat(4_000), "Z".repeat(length - 16_000));
    let values: [&dyn Fn(usize) -> String; 3] =
        [&|length| "Z".repeat(length), &folded, &|length| {
            format!("  {}\t \r\n ", "Z".repeat(length))
        }];
    for value in values {
        let bytes = request_with(&format!("X-Own: {}\r\nContact: <sip:a>\r\n", value(16_384)));
        let message = Message::parse(&bytes, &limits).unwrap();
        assert_eq!(message.header_named(b"x-own").unwrap().raw().len(), 16_384);
        assert!(message.header(HeaderName::Contact).is_some());
        for length in [16_385, 40_000] {
            let bytes = request_with(&format!("Contact: {}\r\n", value(length)));
            let reject = Message::parse(&bytes, &limits).unwrap_err();
            let at = place(&bytes, "Z") + 16_384;
            assert_eq!(
                (reject.defect, reject.at as usize),
                (&defect::HEADER_TOO_LARGE, at)
            );
        }
    }
    let mut wide = Limits::default();
    wide.message_bytes = 200_000;
    let bytes = request_with(&format!("Contact: {}\r\n", "Z".repeat(65_536)));
    let reject = Message::parse(&bytes, &wide).unwrap_err();
    assert_eq!(
        (reject.defect, reject.at),
        (&defect::HEAD_TOO_LARGE, 65_535)
    );
}

/// [DR-4] A REGISTER cut at any byte is refused as unfinished, and what is read of it is never more than
/// what came.
#[test]
fn a_register_cut_anywhere() {
    let bytes = fixture("sip/ims_register.sip");
    assert!(parse(&bytes).is_ok());
    for end in 0..bytes.len() {
        let reject = parse(&bytes[..end]).expect_err("read");
        assert!(reject.at as usize <= end, "{end}: {reject}");
        let expected = if end == 0 {
            &defect::EMPTY
        } else {
            &defect::UNTERMINATED
        };
        assert_eq!(reject.defect, expected, "{end}");
    }
}

/// [DR-9] Nothing of what a message says shows in its `Debug` or in a refusal.
#[test]
fn debug_shows_no_personal_data() {
    let bytes = request_with(
        "Contact: <sip:secret@192.0.2.9>\r\nAuthorization: Digest username=\"secret\"\r\n",
    );
    let message = parse(&bytes).unwrap();
    let contact = message
        .name_addrs(HeaderName::Contact)
        .next()
        .unwrap()
        .unwrap();
    let shown = format!(
        "{message:?} {contact:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        contact.uri(),
        contact.uri().host(),
        contact.params(),
        message.header(HeaderName::Contact),
        message.authorization(),
        message.via(),
    );
    assert!(
        !shown.contains("secret") && !shown.contains("192"),
        "{shown}"
    );
}

/// [DR-9] Every code is given once, in the range of this layer.
#[test]
fn codes_are_unique() {
    let source = include_str!("../../src/wire/defect.rs");
    let joined = source.replace("defect(\n", "defect(");
    let mut codes: Vec<u16> = joined
        .split("= defect(")
        .skip(1)
        .map(|rest| rest.trim_start()[..3].parse().unwrap())
        .collect();
    let count = codes.len();
    assert!(count > 40);
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), count);
    assert!(codes.iter().all(|c| (100..200).contains(c)));
}
