//! Where the header fields end, where the body ends, and bytes that are no text.

use ims_procedures::{
    drive::{Defect, Limits},
    wire::{Edit, HeaderName, Message, defect, rewrite},
};

use crate::support::{frame, known_names, parse, place, read_all, request_with, written};

fn refused(bytes: &[u8]) -> (&'static Defect, usize) {
    let reject = parse(bytes).expect_err("read");
    (reject.defect, reject.at as usize)
}

fn with_body(lines: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = request_with(lines);
    bytes.extend_from_slice(body);
    bytes
}

/// A binary body: every byte, and what looks like the end of a message and the start of another.
fn binary() -> Vec<u8> {
    let mut body: Vec<u8> = (0..=255).collect();
    body.extend_from_slice(b"\r\n\r\n\0\0\n\n\rBYE sip:a SIP/2.0\r\nl: 0\r\n\r\n--\r\n");
    body
}

/// [RFC 3261 7] Without the empty line a message is unfinished: nothing of it is read.
#[test]
fn no_empty_line() {
    for bytes in [
        &b"BYE sip:a SIP/2.0\r\n"[..],
        b"BYE sip:a SIP/2.0\r\nCall-ID: x\r\n",
        b"BYE sip:a SIP/2.0\r\nCall-ID: x\r\n folded\r\n",
        b"BYE sip:a SIP/2.0\r\nCall-ID: x\r\n\r",
        b"SIP/2.0 200 OK\r\nl: 0\r\n",
    ] {
        assert_eq!(refused(bytes), (&defect::UNTERMINATED, bytes.len()));
        let limits = Limits::default();
        assert_eq!(frame(bytes, &limits), Ok(None));
    }
}

/// [RFC 3261 7] A body that follows the header fields without the empty line is no header field.
#[test]
fn a_body_in_place_of_the_empty_line() {
    let mut bytes = request_with("Content-Length: 18\r\n");
    bytes.truncate(bytes.len() - 2);
    bytes.extend_from_slice(b"v=0\r\ns=a:b\r\nt=0 0\r\n");
    let at = place(&bytes, "v=0") + 1;
    assert_eq!(refused(&bytes), (&defect::HEADER_NAME, at));
}

/// [RFC 3261 18.3] In a datagram, Content-Length cuts the body, is refused when the body is shorter, and
/// may be absent.
#[test]
fn content_length_of_a_datagram() {
    let mut bytes = request_with("Content-Length: 3\r\n");
    bytes.extend_from_slice(b"abc");
    let message = parse(&bytes).unwrap();
    assert_eq!((message.body(), message.end()), (&b"abc"[..], bytes.len()));
    let whole = bytes.len();
    bytes.extend_from_slice(b"rest\0\r\n");
    let message = parse(&bytes).unwrap();
    assert_eq!((message.body(), message.end()), (&b"abc"[..], whole));
    let short = &bytes[..whole - 1];
    assert_eq!(refused(short), (&defect::BODY_TOO_SHORT, whole - 1));
    let mut bytes = request_with("");
    bytes.extend_from_slice(b"\0\xff\n");
    assert_eq!(parse(&bytes).unwrap().body(), b"\0\xff\n");
    for value in ["", "-1", "+3", "3 3", "3,3", "0x3", "3;a"] {
        let bytes = request_with(&format!("Content-Length: {value}\r\n"));
        assert_eq!(refused(&bytes).0, &defect::CONTENT_LENGTH, "{value}");
    }
    for value in ["4294967296", "99999999999999999999999999"] {
        let bytes = request_with(&format!("Content-Length: {value}\r\n"));
        assert_eq!(refused(&bytes).0, &defect::BODY_TOO_SHORT, "{value}");
    }
}

/// [RFC 3261 18.3] A body of any bytes is what Content-Length says, in a datagram and on a stream, and is
/// passed on with them.
#[test]
fn binary_bodies() {
    let body = binary();
    let lines = format!(
        "Content-Type: application/octet-stream\r\nl: {}\r\n",
        body.len()
    );
    let bytes = with_body(&lines, &body);
    let message = parse(&bytes).unwrap();
    assert_eq!(message.body(), body);
    let followed = [&bytes[..], b"\0\r\n\r\n"].concat();
    let message = parse(&followed).unwrap();
    assert_eq!((message.body(), message.end()), (&body[..], bytes.len()));
    let copy = written(|b| rewrite(&message, b, |_| Edit::Keep)).unwrap();
    assert_eq!(copy, bytes);
    let limits = Limits::default();
    assert_eq!(frame(&followed, &limits), Ok(Some(bytes.len())));
    assert_eq!(frame(&bytes[..bytes.len() - 1], &limits), Ok(None));
    let without = with_body("", &body);
    assert_eq!(parse(&without).unwrap().body(), body);
}

/// [RFC 3261 7.4] [IB-1] A multipart body passes untouched, whatever is changed before it.
#[test]
fn multipart_bodies() {
    let mut body = b"--edge\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--edge\r\n".to_vec();
    body.extend_from_slice(b"Content-Type: multipart/mixed;boundary=inner\r\n\r\n--inner\r\n\r\n");
    body.extend(binary());
    body.extend_from_slice(b"\r\n--inner--\r\n--edge--\r\n");
    let lines = format!(
        "Route: <sip:r>\r\nContent-Type: multipart/mixed;\r\n boundary=\"edge\"\r\nContent-Length: {}\r\n",
        body.len()
    );
    let bytes = with_body(&lines, &body);
    let message = parse(&bytes).unwrap();
    let content_type = message.header(HeaderName::ContentType).unwrap();
    assert_eq!(content_type.params().value(b"boundary"), Some(&b"edge"[..]));
    let copy = written(|b| {
        rewrite(&message, b, |field| match field.name {
            HeaderName::Route => Edit::Drop,
            HeaderName::Via => Edit::Before(HeaderName::Via, b"SIP/2.0/UDP own"),
            _ => Edit::Keep,
        });
    })
    .unwrap();
    let copied = parse(&copy).unwrap();
    assert_eq!(copied.body(), body);
    assert_eq!(copy.len(), copied.end());
    let raw = |m: &Message<'_>| m.header(HeaderName::ContentType).unwrap().raw().to_vec();
    assert_eq!(raw(&copied), raw(&message));
}

/// A request whose only field of that name has this value.
fn request_of(name: &str, value: &[u8]) -> Vec<u8> {
    let mut bytes = b"REGISTER sip:home1.example.net SIP/2.0\r\n".to_vec();
    for (other, line) in [
        ("Via", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1"),
        ("From", "<sip:a@home1.example.net>;tag=1"),
        ("To", "<sip:a@home1.example.net>"),
        ("Call-ID", "c1"),
        ("CSeq", "1 REGISTER"),
    ] {
        if other != name {
            bytes.extend(format!("{other}: {line}\r\n").into_bytes());
        }
    }
    bytes.extend(format!("{name}: ").into_bytes());
    bytes.extend_from_slice(value);
    bytes.extend_from_slice(b"\r\n\r\n");
    bytes
}

/// [RFC 3261 25.1] Bytes that are no UTF-8, in every header field that is known and in one that is not: the
/// message is read, its bytes stay, and the value is read or refused.
#[test]
fn bytes_that_are_no_utf8_in_every_field() {
    let values: [&[u8]; 12] = [
        b"\xff",
        b"\xe9\x80 \xfe;\xc3=\xa9,\xf8",
        b"1\xff",
        b"\xb9 REGISTER",
        b"to\x80ken;p=\xa0;q=\"\xff\"",
        b"\"caf\xe9\" <sip:a@b>;x=\xc3",
        b"caf\xe9 <sip:\xe9@b;\xe9>;tag=\xff",
        b"<sip:a@h\xf6st>",
        b"SIP/2.0/UDP h\xf6st;branch=z9hG4bK\xff",
        b"SIP/2.0/UDP a;branch=z9hG4bK\xff",
        b"Digest username=\"\xe9\", realm=\xff",
        b"(\xe9) Sat, 13 Nov 2010 23:29:00 \xff\xff\xff",
    ];
    let names = known_names();
    assert!(names.len() > 70, "{}", names.len());
    for name in names.into_iter().chain(["X-Own"]) {
        let known = HeaderName::lookup(name.as_bytes());
        assert_eq!(known == HeaderName::Other, name == "X-Own", "{name}");
        for value in values {
            let bytes = request_of(name, value);
            read_all(&bytes);
            if known == HeaderName::ContentLength {
                assert_eq!(refused(&bytes).0, &defect::CONTENT_LENGTH);
                continue;
            }
            let message = parse(&bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
            let header = message.header_named(name.as_bytes()).unwrap();
            assert_eq!(header.raw(), value, "{name}");
            let field = message.fields().last().unwrap();
            assert_eq!((field.name, field.raw_name), (known, name.as_bytes()));
        }
    }
}

/// [RFC 3261 25.1] In a display name and in a quoted parameter they are read as they came.
#[test]
fn bytes_that_are_no_utf8_in_addresses() {
    let bytes = request_of(
        "Contact",
        b"\"Andr\xe9\" <sip:a@b>;x=\"\xff\" , J\xfcrg <sip:c>",
    );
    let message = parse(&bytes).unwrap();
    let contacts: Vec<_> = message
        .name_addrs(HeaderName::Contact)
        .map(Result::unwrap)
        .collect();
    assert_eq!(contacts[0].display(), Some(&b"Andr\xe9"[..]));
    assert_eq!(contacts[0].params().value(b"x"), Some(&b"\xff"[..]));
    assert_eq!(contacts[1].display(), Some(&b"J\xfcrg"[..]));
}
