//! Messages written, answered and passed on.

use ims_procedures::{
    drive::{Buffer, Identifier, Identifiers, UDP_LIMIT, Unwritable},
    wire::{Edit, HeaderName, Writer, put_quoted, put_unfolded, reason, rewrite, rewrite_request},
};

use crate::support::{fixture, parse, request_with, text, written};

fn identifier() -> Identifier {
    Identifiers::new([7; 32], 1, 3).next()
}

/// [RFC 3261 8.1.1] A request, byte for byte, that is read back.
#[test]
fn a_request() {
    let branch = identifier();
    let bytes = written(|b| {
        let mut writer = Writer::request(b, b"SUBSCRIBE", b"sip:a@home1.example.net");
        writer
            .via(b"pcscf1.visited1.example.net:5070", branch)
            .number(HeaderName::MaxForwards, 70)
            .parts(HeaderName::From, &[b"<sip:a@b>", b";tag=", b"1"])
            .header(HeaderName::To, b"<sip:a@b>")
            .value(HeaderName::CallId, |b| branch.write(b))
            .cseq(4_294_967_295, b"SUBSCRIBE")
            .number(HeaderName::Expires, 0);
        writer.finish();
    })
    .unwrap();
    let expected = format!(
        "SUBSCRIBE sip:a@home1.example.net SIP/2.0\r\n\
         Via: SIP/2.0/UDP pcscf1.visited1.example.net:5070;branch=z9hG4bK{branch}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: {branch}\r\n\
         CSeq: 4294967295 SUBSCRIBE\r\nExpires: 0\r\nContent-Length: 0\r\n\r\n"
    );
    assert_eq!(text(&bytes), expected);
    assert_eq!(
        parse(&bytes).unwrap().call_id().unwrap().len(),
        Identifier::TEXT_LEN
    );
}

/// [RFC 3261 20.14] Content-Length is the number of bytes of the body, without padding.
#[test]
fn content_length_of_one_to_five_digits() {
    for length in [0, 1, 9, 10, 99, 100, 999, 1_000, 9_999, 10_000, 60_000] {
        let bytes = written(|b| {
            let writer = Writer::request(b, b"NOTIFY", b"sip:a");
            writer.body(b"application/reginfo+xml", |b| b.put(&vec![b'\0'; length]));
        })
        .unwrap();
        let head = format!(
            "NOTIFY sip:a SIP/2.0\r\nContent-Type: application/reginfo+xml\r\nContent-Length: {length}\r\n\r\n"
        );
        assert_eq!(text(&bytes[..head.len()]), head);
        assert_eq!(bytes.len(), head.len() + length);
        assert_eq!(parse(&bytes).unwrap().body().len(), length);
    }
}

/// [RFC 3261 18.1.1] At 1,300 bytes the Via says UDP, one byte past it TCP, wherever the message begins in
/// the buffer.
#[test]
fn transport_by_size() {
    let build = |padding: usize, with_body: bool| {
        let mut buffer = Buffer::new(4_000);
        buffer.put(b"before");
        buffer
            .attempt(|b| {
                let mut writer = Writer::request(b, b"NOTIFY", b"sip:a");
                writer.via(b"192.0.2.1", identifier());
                writer.header(HeaderName::Subject, &vec![b'x'; padding]);
                if with_body {
                    writer.body(b"a/b", |b| b.put(b"0123456789"));
                } else {
                    writer.finish();
                }
            })
            .unwrap();
        buffer.as_slice()[6..].to_vec()
    };
    for with_body in [false, true] {
        let base = build(0, with_body).len();
        let fits = build(UDP_LIMIT - base, with_body);
        assert_eq!(fits.len(), UDP_LIMIT);
        assert_eq!(parse(&fits).unwrap().via().unwrap().transport(), b"UDP");
        let large = build(UDP_LIMIT - base + 1, with_body);
        assert_eq!(large.len(), UDP_LIMIT + 1);
        assert_eq!(parse(&large).unwrap().via().unwrap().transport(), b"TCP");
    }
}

/// [DR-4] CR, LF or NUL in anything given to a writer: nothing is written, and the fault is told.
#[test]
fn injection_is_refused() {
    for unsafe_text in [&b"a\r\nRoute: <sip:evil>"[..], b"a\nb", b"a\rb", b"a\0b"] {
        let attempts: [&dyn Fn(&mut Buffer); 11] = [
            &|b| Writer::request(b, unsafe_text, b"sip:a").finish(),
            &|b| Writer::request(b, b"BYE", unsafe_text).finish(),
            &|b| {
                Writer::response(b, 200).header(HeaderName::Contact, unsafe_text);
            },
            &|b| {
                Writer::response(b, 200).parts(HeaderName::Contact, &[b"<", unsafe_text, b">"]);
            },
            &|b| {
                Writer::response(b, 200).via(unsafe_text, identifier());
            },
            &|b| {
                Writer::response(b, 200).cseq(1, unsafe_text);
            },
            &|b| {
                Writer::response(b, 200).value(HeaderName::Contact, |b| b.put(unsafe_text));
            },
            &|b| Writer::response(b, 200).body(unsafe_text, |_| {}),
            &|b| put_quoted(b, unsafe_text),
            &|b| put_unfolded(b, unsafe_text),
            &|b| {
                let bytes = request_with("");
                let message = parse(&bytes).unwrap();
                rewrite(&message, b, |_| Edit::Replace(unsafe_text));
            },
        ];
        for (number, attempt) in attempts.iter().enumerate() {
            let mut buffer = Buffer::new(4_000);
            buffer.put(b"kept");
            assert_eq!(
                buffer.attempt(|b| attempt(b)),
                Err(Unwritable::UnsafeValue),
                "{number}"
            );
            assert_eq!(buffer.as_slice(), b"kept", "{number}");
        }
    }
    assert!(written(|b| Writer::request(b, b"BYE", b"sip:a b").finish()).is_err());
    assert!(written(|b| Writer::request(b, b"BYE", b"").finish()).is_err());
    assert!(written(|b| Writer::request(b, b"B YE", b"sip:a").finish()).is_err());
    let unnamed = written(|b| {
        Writer::response(b, 200).header(HeaderName::Other, b"x");
    });
    assert_eq!(unnamed, Err(Unwritable::UnsafeValue));
}

/// [DR-5] A message that does not fit the room leaves nothing behind.
#[test]
fn too_little_room() {
    let whole =
        written(|b| Writer::request(b, b"BYE", b"sip:a").body(b"a/b", |b| b.put(b"0123456789")))
            .unwrap();
    for room in 0..whole.len() {
        let mut buffer = Buffer::new(room);
        let outcome = buffer.attempt(|b| {
            Writer::request(b, b"BYE", b"sip:a").body(b"a/b", |b| b.put(b"0123456789"));
        });
        assert_eq!(outcome, Err(Unwritable::TooLarge), "{room}");
        assert!(buffer.is_empty());
    }
    let mut buffer = Buffer::new(whole.len());
    buffer
        .attempt(|b| Writer::request(b, b"BYE", b"sip:a").body(b"a/b", |b| b.put(b"0123456789")))
        .unwrap();
    assert_eq!(buffer.as_slice(), whole);
}

/// [RFC 3261 8.2.6.2] A response takes Vias, From, To, Call-ID and CSeq from its request, and gives the To a
/// tag where it has none.
#[test]
fn a_response_to_a_request() {
    let request = b"BYE sip:a SIP/2.0\r\n\
        v: SIP/2.0/UDP a;branch=z9hG4bK1,\r\n SIP/2.0/TCP b\r\n\
        CSeq: 2 \r\n BYE\r\nVia: SIP/2.0/UDP c\r\nt:  sip:bob@b \r\nf: \"A\" <sip:a@b>;tag=x\r\ni: c@d\r\n\
        Timestamp: 54\r\nRecord-Route: <sip:r>\r\n\r\n";
    let message = parse(request).unwrap();
    let tag = identifier();
    let bytes = written(|b| Writer::respond_to(b, &message, 200, Some(tag)).finish()).unwrap();
    let expected = format!(
        "SIP/2.0 200 OK\r\n\
         Via: SIP/2.0/UDP a;branch=z9hG4bK1,\r\n SIP/2.0/TCP b\r\nVia: SIP/2.0/UDP c\r\n\
         From: \"A\" <sip:a@b>;tag=x\r\nTo: sip:bob@b;tag={tag}\r\nCall-ID: c@d\r\nCSeq: 2 \r\n BYE\r\n\
         Content-Length: 0\r\n\r\n"
    );
    assert_eq!(text(&bytes), expected);
    let trying = written(|b| Writer::respond_to(b, &message, 100, None).finish()).unwrap();
    assert!(text(&trying).contains("To: sip:bob@b\r\n"));
    assert!(text(&trying).contains("Timestamp: 54\r\n"));
    let bytes = fixture("sip/bye_from_served_client.sip");
    let request = parse(&bytes).unwrap();
    let answer = written(|b| Writer::respond_to(b, &request, 481, Some(tag)).finish()).unwrap();
    assert_eq!(
        parse(&answer).unwrap().to().unwrap().tag(),
        request.to().unwrap().tag()
    );
    assert!(answer.starts_with(b"SIP/2.0 481 Call/Transaction Does Not Exist\r\n"));
}

/// [RFC 3261 8.2.6.2] What cannot be read of a request is given back as it came.
#[test]
fn a_response_to_a_bad_request() {
    let request =
        b"BYE sip:a SIP/2.0\r\nVia: SIP/9/x\r\nTo: \"broken\r\nFrom: <\r\nCSeq: x\r\n\r\n";
    let message = parse(request).unwrap();
    let bytes =
        written(|b| Writer::respond_to(b, &message, 400, Some(identifier())).finish()).unwrap();
    assert_eq!(
        text(&bytes),
        "SIP/2.0 400 Bad Request\r\nVia: SIP/9/x\r\nFrom: <\r\nTo: \"broken\r\nCSeq: x\r\nContent-Length: 0\r\n\r\n"
    );
}

/// [RFC 3261 8.2.6.2] Every To without a tag gets one, whatever else is wrong with it, if it can be read as an
/// address; one with a tag, a malformed one too, keeps it and gets no other.
#[test]
fn the_tag_of_an_answer() {
    let tag = identifier();
    for (to, is_tagged) in [
        ("<sip:a@home1.example.net>", true),
        ("\"a\\\0\" <sip:a@home1.example.net>", true),
        ("<sip:a@home1.example.net>;q=1;q=2", true),
        ("<sip:a@home1.example.net>;x=\"\\\0\"", true),
        ("<sip:a@home1.example.net>;tag", false),
        ("<sip:a@home1.example.net>;TAG=\"t\"", false),
        ("<sip:a@home1.example.net>;tag=1;tag=2", false),
        ("<sip:a@home1.example.net", false),
        (
            "<sip:a@home1.example.net>, <sip:b@home1.example.net>",
            false,
        ),
    ] {
        let request =
            text(&request_with("")).replace("To: <sip:a@home1.example.net>", &format!("To: {to}"));
        let request = request.into_bytes();
        let message = parse(&request).unwrap();
        let answer = written(|b| Writer::respond_to(b, &message, 400, Some(tag)).finish()).unwrap();
        let ending = if is_tagged {
            format!(";tag={tag}")
        } else {
            String::new()
        };
        let expected = format!("\r\nTo: {to}{ending}\r\n");
        assert!(text(&answer).contains(&expected), "{to}: {}", text(&answer));
    }
}

/// [RFC 3261 21] A reason phrase for every status, of its class where it has none of its own.
#[test]
fn reason_phrases() {
    assert_eq!(reason(423), b"Interval Too Brief");
    assert_eq!(reason(489), b"Bad Event");
    assert_eq!(reason(299), b"Success");
    for status in 100..700 {
        assert!(!reason(status).is_empty());
    }
}

/// [RFC 3261 7.3.1] Every field of a name is copied with its folding, in the canonical name.
#[test]
fn copied_fields() {
    let bytes = request_with("path: <sip:1>,\r\n\t<sip:2>\r\nX: y\r\nPATH:<sip:3>\r\n");
    let message = parse(&bytes).unwrap();
    let copy = written(|b| {
        let mut writer = Writer::response(b, 200);
        writer
            .copy(&message, HeaderName::Path)
            .copy(&message, HeaderName::Route);
        writer.finish();
    })
    .unwrap();
    assert_eq!(
        text(&copy),
        "SIP/2.0 200 OK\r\nPath: <sip:1>,\r\n\t<sip:2>\r\nPath: <sip:3>\r\nContent-Length: 0\r\n\r\n"
    );
}

/// [RFC 3261 25.1] Quoted strings and unfolded values.
#[test]
fn quoting_and_unfolding() {
    let quoted = |bytes: &[u8]| text(&written(|b| put_quoted(b, bytes)).unwrap());
    assert_eq!(quoted(b""), "\"\"");
    assert_eq!(quoted(b"a\\b\"c\""), "\"a\\\\b\\\"c\\\"\"");
    let unfolded = |bytes: &[u8]| text(&written(|b| put_unfolded(b, bytes)).unwrap());
    assert_eq!(unfolded(b"a, \r\n\t b\r\n c"), "a, b c");
    assert_eq!(unfolded(b"plain"), "plain");
}

/// [IB-1] [PD-11] Only what is said to change changes; names, folding, order and body stay byte for byte.
#[test]
fn rewriting() {
    let bytes = b"\r\nREGISTER sip:old SIP/2.0\r\nv : SIP/2.0/UDP a\r\nP-Asserted-Identity: <sip:forged>,\r\n <sip:x>\r\n\
        m  :   <sip:ue>\r\nX-Odd:  kept   \r\nc: a/b\r\nl: 4\r\n\r\n\0\r\n\xffrest";
    let message = parse(bytes).unwrap();
    let copy = written(|b| {
        rewrite(&message, b, |field| match field.name {
            HeaderName::PAssertedIdentity => Edit::Drop,
            HeaderName::Via => Edit::Before(HeaderName::Via, b"SIP/2.0/UDP own"),
            HeaderName::Contact => Edit::ReplaceOwned(b"<sip:border>".to_vec()),
            HeaderName::ContentType => Edit::After(HeaderName::Path, b"<sip:p>"),
            _ => Edit::Keep,
        });
    })
    .unwrap();
    let expected = b"\r\nREGISTER sip:old SIP/2.0\r\nVia: SIP/2.0/UDP own\r\nv : SIP/2.0/UDP a\r\n\
        m  : <sip:border>\r\nX-Odd:  kept   \r\nc: a/b\r\nPath: <sip:p>\r\nl: 4\r\n\r\n\0\r\n\xff";
    assert_eq!(text(&copy), text(expected));
    assert_eq!(copy, expected);
    let copy = written(|b| rewrite_request(&message, b"sip:new", b, |_| Edit::Keep)).unwrap();
    assert!(copy.starts_with(b"REGISTER sip:new SIP/2.0\r\nv : SIP/2.0/UDP a\r\nP-Asserted"));
    assert!(copy.ends_with(b"l: 4\r\n\r\n\0\r\n\xff"));
    assert!(written(|b| rewrite_request(&message, b"sip:new x", b, |_| Edit::Keep)).is_err());
    let replaced = written(|b| {
        rewrite(&message, b, |field| match field.name {
            HeaderName::PAssertedIdentity => Edit::Replace(b"<sip:own>"),
            _ => Edit::Keep,
        });
    })
    .unwrap();
    assert!(text(&replaced).contains("\r\nP-Asserted-Identity: <sip:own>\r\nm  :   <sip:ue>\r\n"));
}

/// [IB-1] A message without header fields, and a response, are passed on too.
#[test]
fn rewriting_the_least() {
    for bytes in [
        &b"BYE sip:a SIP/2.0\r\n\r\nbody"[..],
        b"SIP/2.0 200 OK\r\n\r\n",
        b"SIP/2.0 200 OK\r\nX:\r\n\r\n",
    ] {
        let message = parse(bytes).unwrap();
        assert_eq!(
            written(|b| rewrite(&message, b, |_| Edit::Keep)).unwrap(),
            bytes
        );
    }
    let message = parse(b"SIP/2.0 200 OK\r\n\r\n").unwrap();
    let copy = written(|b| rewrite_request(&message, b"sip:new", b, |_| Edit::Keep)).unwrap();
    assert_eq!(copy, b"SIP/2.0 200 OK\r\n\r\n");
}
