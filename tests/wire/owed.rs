//! What is owed for a request that cannot be taken, or could not even be read.

use ims_procedures::{
    drive::{Buffer, Defect, Identifier, Identifiers, Limits, Reject, Unwritable},
    wire::{
        Accepts, Message, Method, Owed, Reply, Required, Salvage, Scheme, answer_refused, defect,
        status_owed, validate,
    },
};
use proptest::prelude::*;

use crate::support::{fixture_files, parse, text};

const SERVER: Accepts<'_> = Accepts::server();

fn tag() -> Identifier {
    Identifiers::new([7; 32], 1, 3).constant()
}

/// What becomes of bytes in the two stages.
#[derive(Clone, Debug, PartialEq)]
enum Fate {
    Taken,
    /// Refused for a defect of that code, and the answer.
    Answered(u16, u16, Vec<u8>),
    /// Refused for a defect of that code, and nobody is told.
    Discarded(u16),
}

impl Fate {
    /// Defect code and status.
    fn codes(&self) -> (u16, Option<u16>) {
        match self {
            Self::Taken => (0, None),
            Self::Answered(code, status, _) => (*code, Some(*status)),
            Self::Discarded(code) => (*code, None),
        }
    }

    fn answer(&self) -> Option<&[u8]> {
        match self {
            Self::Answered(_, _, answer) => Some(answer),
            _ => None,
        }
    }
}

fn fate(bytes: &[u8], accepts: &Accepts<'_>) -> Fate {
    fate_within(bytes, accepts, &Limits::default())
}

fn fate_within(bytes: &[u8], accepts: &Accepts<'_>, limits: &Limits) -> Fate {
    let mut buffer = Buffer::new(70_000);
    let message = match Message::parse(bytes, limits) {
        Ok(message) => message,
        Err(reject) => {
            let code = reject.defect.code;
            let status = Salvage::read(bytes, limits, reject).map(|salvage| salvage.status());
            let is_answered = answer_refused(bytes, limits, reject, Some(tag()), &mut buffer);
            assert_eq!(is_answered, status.is_some(), "{}", text(bytes));
            assert_eq!(is_answered, !buffer.is_empty());
            let room = Salvage::read(bytes, limits, reject).map(|salvage| salvage.room());
            assert!(buffer.len() <= room.unwrap_or(0));
            return match status {
                Some(status) => Fate::Answered(code, status, buffer.as_slice().to_vec()),
                None => Fate::Discarded(code),
            };
        }
    };
    if !message.is_request() {
        return match Reply::read(&message) {
            Ok(_) => Fate::Taken,
            Err(reject) => Fate::Discarded(reject.defect.code),
        };
    }
    match validate(&message, accepts) {
        Ok(_) => Fate::Taken,
        Err(owed) => {
            let code = owed.reject().defect.code;
            owed.write(&mut buffer, &message, Some(tag()));
            assert_eq!(buffer.fault(), None);
            match owed.status() {
                Some(status) => Fate::Answered(code, status, buffer.as_slice().to_vec()),
                None => {
                    assert!(buffer.is_empty());
                    Fate::Discarded(code)
                }
            }
        }
    }
}

const VIA: &str = "Via: SIP/2.0/UDP ue.example.net:5060;branch=z9hG4bKa";
const FROM: &str = "From: \"A\" <sip:a@example.net>;tag=one";
const TO: &str = "To: <sip:b@example.net>";
const CALL_ID: &str = "Call-ID: call-1@example.net";
const CSEQ: &str = "CSeq: 7 MESSAGE";

/// A good request with a body.
fn good() -> String {
    format!(
        "MESSAGE sip:b@example.net SIP/2.0\r\n{VIA}\r\n{FROM}\r\n{TO}\r\n{CALL_ID}\r\n{CSEQ}\r\n\
         Max-Forwards: 70\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"
    )
}

/// The answer to `good`, with further header lines.
fn answer(status_line: &str, further: &str) -> String {
    let tag = tag();
    format!(
        "SIP/2.0 {status_line}\r\n{VIA}\r\n{FROM}\r\n{TO};tag={tag}\r\n{CALL_ID}\r\n{CSEQ}\r\n\
         {further}Content-Length: 0\r\n\r\n"
    )
}

#[track_caller]
fn answered(bytes: &str, accepts: &Accepts<'_>, expected: &str) {
    let fate = fate(bytes.as_bytes(), accepts);
    assert_eq!(
        fate.answer().map(text).as_deref(),
        Some(expected),
        "{fate:?} to {bytes}"
    );
}

/// The declarations of the defects of this layer: name, code, what.
fn declared() -> Vec<(String, u16, String)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/wire/defect.rs");
    let source = std::fs::read_to_string(path).unwrap();
    source
        .split("pub const ")
        .skip(1)
        .map(|item| {
            let name = item.split(':').next().unwrap();
            let inside = item.split("defect(").nth(1).unwrap();
            let code = inside.split(',').next().unwrap();
            let what = inside.split('"').nth(1).unwrap();
            (
                name.to_owned(),
                code.trim().parse().unwrap(),
                what.to_owned(),
            )
        })
        .collect()
}

/// [RFC 3261 21.4] [RFC 3261 21.5] Every defect has its status, 400 unless it is said otherwise; and its text
/// can be a reason phrase.
#[test]
fn every_defect_has_a_status() {
    let otherwise = [
        ("EMPTY", None),
        ("MESSAGE_TOO_LARGE", Some(513)),
        ("TOO_MANY_HEADERS", Some(513)),
        ("HEADER_TOO_LARGE", Some(513)),
        ("HEAD_TOO_LARGE", Some(513)),
        ("START_LINE", None),
        ("VERSION", Some(505)),
        ("STATUS", None),
        ("METHOD_UNKNOWN", Some(501)),
        ("METHOD_NOT_ALLOWED", Some(405)),
        ("EXTENSION", Some(420)),
        ("BODY_TYPE", Some(415)),
        ("URI_SCHEME", Some(416)),
        ("TOO_MANY_HOPS", Some(483)),
        ("WRONG_KIND", None),
        ("BODY_TOO_LARGE", Some(413)),
        ("URI_TOO_LONG", Some(414)),
    ];
    let declared = declared();
    assert!(declared.len() > 60, "{}", declared.len());
    let mut seen = std::collections::BTreeSet::new();
    let mut others = 0;
    for (name, code, what) in &declared {
        assert!((100..200).contains(code) && seen.insert(code), "{name}");
        let listed = otherwise.iter().find(|(other, _)| other == name);
        others += usize::from(listed.is_some());
        let (code, clause) = (*code, "");
        let status = status_owed(&Defect {
            code,
            what: "",
            clause,
        });
        assert_eq!(status, listed.map_or(Some(400), |(_, s)| *s), "{name}");
        let is_phrase = |c: char| c.is_ascii_alphanumeric() || " -_.!~*'();/?:@&=+$,".contains(c);
        assert!(what.chars().all(is_phrase), "{what}");
    }
    assert_eq!(others, otherwise.len());
    for code in [0, 99, 200, 300, u16::MAX] {
        let (what, clause) = ("", "");
        let other_layer = Defect { code, what, clause };
        assert_eq!(status_owed(&other_layer), None, "{code}");
    }
}

/// [RFC 3261 8.1.1] What every request has is read, and a good one is taken in both roles.
#[test]
fn a_good_request_is_taken() {
    let bytes = good();
    let message = parse(bytes.as_bytes()).unwrap();
    for accepts in [SERVER, Accepts::proxy()] {
        let required = validate(&message, &accepts).unwrap();
        assert_eq!(required.method, Method::Message);
        assert_eq!(required.uri.raw(), b"sip:b@example.net");
        assert_eq!(required.via.branch(), Some(&b"z9hG4bKa"[..]));
        assert_eq!(required.from.tag(), Some(&b"one"[..]));
        assert_eq!(required.to.tag(), None);
        assert_eq!(required.call_id, b"call-1@example.net");
        assert_eq!((required.cseq, required.max_forwards), (7, Some(70)));
        let shown = format!("{required:?}");
        assert!(!shown.contains("example"), "{shown}");
    }
    let without = good().replace("Max-Forwards: 70\r\n", "");
    let message = parse(without.as_bytes()).unwrap();
    assert_eq!(Required::read(&message).unwrap().max_forwards, None);
}

/// [RFC 3261 21.4.1] What is missing is named in the reason phrase. Nothing is copied that is not there.
#[test]
fn missing_header_fields() {
    for (line, what) in [
        (FROM, "From is missing"),
        (TO, "To is missing"),
        (CALL_ID, "Call-ID is missing"),
        (CSEQ, "CSeq is missing"),
    ] {
        let line = format!("{line}\r\n");
        let request = good().replace(&line, "");
        let whole = answer(&format!("400 {what}"), "");
        let line = line.replace("b@example.net>", &format!("b@example.net>;tag={}", tag()));
        answered(&request, &SERVER, &whole.replace(&line, ""));
    }
    let no_way_back = good().replace(VIA, "X: y");
    let code = defect::NO_VIA.code;
    assert_eq!(fate(no_way_back.as_bytes(), &SERVER), Fate::Discarded(code));
}

/// [RFC 3261 21.4.1] What is malformed is named, and copied as it came.
#[test]
fn malformed_header_fields() {
    for (line, other, what) in [
        (CSEQ, "CSeq: MESSAGE", "CSeq is not a number and a method"),
        (
            CSEQ,
            "CSeq: 2147483648 MESSAGE",
            "CSeq number is not below 2147483648",
        ),
        (
            CSEQ,
            "CSeq: 36893488147419103239 MESSAGE",
            "CSeq number is not below 2147483648",
        ),
        (
            CSEQ,
            "CSeq: 7 INVITE",
            "CSeq method is not that of the request",
        ),
        (
            CALL_ID,
            "Call-ID: a b",
            "Call-ID is empty or holds white space or a control",
        ),
        (
            FROM,
            "From: \"A <sip:a@example.net>;tag=one",
            "quoted string is not closed",
        ),
        (
            FROM,
            "From: <sip:a@example.net",
            "angle bracket is not closed",
        ),
        (
            FROM,
            "From: sip:a@example.net?x=y;tag=one",
            "URI with ? outside angle brackets",
        ),
        (
            FROM,
            "From: <sip:a@example.net>;tag=one;tag=two",
            "parameter stands several times",
        ),
        (
            "Max-Forwards: 70",
            "Max-Forwards: 256",
            "Max-Forwards is not a number from 0 to 255",
        ),
        (
            "Max-Forwards: 70",
            "Max-Forwards: -1",
            "Max-Forwards is not a number from 0 to 255",
        ),
        (
            "Max-Forwards: 70",
            "Max-Forwards:",
            "Max-Forwards is not a number from 0 to 255",
        ),
    ] {
        let request = good().replace(line, other);
        let expected = answer(&format!("400 {what}"), "").replace(line, other);
        answered(&request, &SERVER, &expected);
    }
    // A To that cannot be read gets no tag.
    let request = good().replace(TO, "To: sip:@");
    let expected = answer("400 empty user part or a second '@'", "")
        .replace(&format!("{TO};tag={}", tag()), "To: sip:@");
    answered(&request, &SERVER, &expected);
    // The second Via leads nowhere; the first does.
    let via = format!("{VIA},;");
    let expected = answer("400 Via without protocol, version and transport", "");
    answered(
        &good().replace(VIA, &via),
        &SERVER,
        &expected.replace(VIA, &via),
    );
    let request = good().replace("MESSAGE sip:b@", "MESSAGE sip:@");
    answered(
        &request,
        &SERVER,
        &answer("400 empty user part or a second '@'", ""),
    );
}

/// [RFC 3261 21.4] [RFC 3261 21.5] Every other status, with what must stand in its answer.
#[test]
fn other_statuses() {
    let methods = [Method::Options, Method::Other(b"PING")];
    answered(
        &good(),
        &SERVER.methods(&methods),
        &answer("405 Method Not Allowed", "Allow: OPTIONS, PING\r\n"),
    );
    answered(
        &good(),
        &SERVER.methods(&[]),
        &answer("405 Method Not Allowed", "Allow: \r\n"),
    );
    let unknown = good().replace("MESSAGE", "NEWMETHOD");
    let not_implemented = answer("501 Not Implemented", "").replace("MESSAGE", "NEWMETHOD");
    answered(&unknown, &SERVER.methods(&methods), &not_implemented);
    assert_eq!(fate(unknown.as_bytes(), &SERVER), Fate::Taken);
    let mismatched = good().replace("MESSAGE sip:", "NEWMETHOD sip:");
    answered(&mismatched, &SERVER, &answer("501 Not Implemented", ""));

    let small = SERVER.body_bytes(4);
    answered(&good(), &small, &answer("413 Request Entity Too Large", ""));
    assert_eq!(fate(good().as_bytes(), &SERVER.body_bytes(5)), Fate::Taken);
    let short = SERVER.uri_bytes(16);
    answered(&good(), &short, &answer("414 Request-URI Too Long", ""));
    assert_eq!(fate(good().as_bytes(), &SERVER.uri_bytes(17)), Fate::Taken);
    for uri in ["soap.beep://192.0.2.1", "urn:service:sos", "mailto:a@b"] {
        let request = good().replace("MESSAGE sip:b@example.net", &format!("MESSAGE {uri}"));
        answered(&request, &SERVER, &answer("416 Unsupported URI Scheme", ""));
    }
    let sos = good().replace("MESSAGE sip:b@example.net", "MESSAGE urn:service:sos");
    let with_urn = SERVER.schemes(&[Scheme::Urn]);
    assert_eq!(fate(sos.as_bytes(), &with_urn), Fate::Taken);
    answered(
        &good(),
        &with_urn,
        &answer("416 Unsupported URI Scheme", ""),
    );

    let last_hop = good().replace("Max-Forwards: 70", "Max-Forwards: 0");
    answered(
        &last_hop,
        &Accepts::proxy(),
        &answer("483 Too Many Hops", ""),
    );
    assert_eq!(fate(last_hop.as_bytes(), &SERVER), Fate::Taken);
}

/// [RFC 3261 25.1] What the host names that is no token stands in no answer.
#[test]
fn names_that_are_no_tokens() {
    let request = good();
    let message = parse(request.as_bytes()).unwrap();
    let unwritable = |accepts: &Accepts<'_>, status| {
        let owed = validate(&message, accepts).unwrap_err();
        assert_eq!(owed.status(), Some(status));
        let mut buffer = Buffer::new(70_000);
        let outcome = buffer.attempt(|b| owed.write(b, &message, Some(tag())));
        assert_eq!(outcome, Err(Unwritable::UnsafeValue));
        assert!(buffer.as_slice().is_empty());
    };
    for name in [&b"A, B"[..], b"", b"A;x", b"A\r\nX: y"] {
        let methods = [Method::Options, Method::Other(name)];
        unwritable(&SERVER.methods(&methods), 405);
    }
    for name in [
        &b"text"[..],
        b"text/",
        b"/html",
        b"a/b, c/d",
        b"a/b;c=d",
        b"a/b\r\nX: y",
        b"",
    ] {
        let types: [&[u8]; 2] = [b"message/cpim", name];
        unwritable(&SERVER.content_types(&types), 415);
    }
}

/// [RFC 3261 8.2.3] [RFC 3261 20.11] A body of another type, or of none; one that may be ignored is.
#[test]
fn body_types() {
    let types: [&[u8]; 2] = [b"application/reginfo+xml", b"message/cpim"];
    let accepts = SERVER.content_types(&types);
    let expected = answer(
        "415 Unsupported Media Type",
        "Accept: application/reginfo+xml, message/cpim\r\n",
    );
    answered(&good(), &accepts, &expected);
    answered(
        &good().replace("Content-Type: text/plain\r\n", ""),
        &accepts,
        &expected,
    );
    let coded = good().replace("text/plain", "message/cpim\r\nContent-Encoding: gzip");
    answered(&coded, &accepts, &expected);
    let either = "Content-Type: message/cpim\r\nContent-Type: text/plain";
    for pair in [
        either.to_owned(),
        either
            .split("\r\n")
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect::<Vec<_>>()
            .join("\r\n"),
    ] {
        let twice = good().replace("Content-Type: text/plain", &pair);
        let expected = answer("400 header field that must stand once is repeated", "");
        answered(&twice, &accepts, &expected);
    }
    for taken in [
        good().replace("text/plain", "Message / CPIM ; x=y"),
        good().replace("text/plain", "message/cpim\r\nContent-Encoding: identity"),
        good().replace(
            "text/plain",
            "text/plain\r\nContent-Disposition: render;handling=Optional",
        ),
        good().replace("Content-Length: 5", "Content-Length: 0"),
    ] {
        assert_eq!(fate(taken.as_bytes(), &accepts), Fate::Taken, "{taken}");
    }
    let said_twice = good().replace(
        "text/plain",
        "text/plain\r\nContent-Disposition: x;handling=optional\r\nContent-Disposition: x;handling=required",
    );
    answered(&said_twice, &accepts, &expected);
    let both = said_twice.replace(
        "\r\nContent-Disposition: x;handling=required",
        ";handling=required",
    );
    answered(&both, &accepts, &expected);
}

/// [RFC 3261 8.2.2.3] [RFC 3261 16.3] A server looks at Require, a proxy at Proxy-Require; an ACK or CANCEL
/// demands nothing.
#[test]
fn extensions() {
    let options: [&[u8]; 2] = [b"path", b"gruu"];
    let demands = "Require: Path, 100rel\r\nProxy-Require: sec-agree\r\n\
        Require: gruu,x=y, timer\r\nMax-Forwards";
    let request = good().replace("Max-Forwards", demands);
    answered(
        &request,
        &SERVER.options(&options),
        &answer("420 Bad Extension", "Unsupported: 100rel, timer\r\n"),
    );
    answered(
        &request,
        &Accepts::proxy().options(&options),
        &answer("420 Bad Extension", "Unsupported: sec-agree\r\n"),
    );
    let all: [&[u8]; 2] = [b"100REL", b"sec-agree"];
    let known = good().replace("Max-Forwards", "Require: 100rel\r\nMax-Forwards");
    assert_eq!(fate(known.as_bytes(), &SERVER.options(&all)), Fate::Taken);
    assert_eq!(
        fate(request.as_bytes(), &Accepts::proxy().options(&all)),
        Fate::Taken
    );
    let no_token = good().replace("Max-Forwards", "Require: <sip:x>\r\nMax-Forwards");
    answered(&no_token, &SERVER, &answer("420 Bad Extension", ""));
    for method in ["ACK", "CANCEL"] {
        let request = known.replace("MESSAGE", method);
        assert_eq!(fate(request.as_bytes(), &SERVER), Fate::Taken, "{method}");
    }
}

/// [RFC 3261 18.3] A datagram whose body is shorter than its Content-Length is answered 400.
#[test]
fn a_truncated_body() {
    let bytes = good();
    let expected = answer("400 body is shorter than Content-Length", "");
    let head = bytes.len() - "hello".len();
    for end in head..bytes.len() {
        answered(&bytes[..end], &SERVER, &expected);
    }
    for end in 0..head {
        let fate = fate(&bytes.as_bytes()[..end], &SERVER);
        assert_eq!(fate.answer(), None, "the head itself is not whole: {end}");
    }
}

/// [RFC 3261 21.4.1] [RFC 3261 21.5.6] [RFC 3261 21.5.7] Requests that cannot be read, and their answers,
/// byte for byte.
#[test]
fn damaged_requests() {
    let line = "MESSAGE sip:b@example.net SIP/2.0";
    for (from, to, status_line) in [
        (
            line,
            "MESSAGE sip:b@example.net SIP/3.0",
            "505 Version Not Supported",
        ),
        (
            line,
            "MESSAGE sip:b@example.net sip/12.10",
            "505 Version Not Supported",
        ),
        (
            line,
            "MESSAGE  sip:b@example.net  SIP/2.0",
            "400 Request-URI is empty or holds a byte that no URI can",
        ),
        (
            line,
            "MESSAGE sip:b@example.net; lr SIP/2.0",
            "400 Request-URI is empty or holds a byte that no URI can",
        ),
        (
            line,
            "MESSAGE <sip:b@example.net> SIP/2.0",
            "400 Request-URI is empty or holds a byte that no URI can",
        ),
        (
            line,
            "MESSAGE sip:b@example.net SIP/2.0  ",
            "400 Request-URI is empty or holds a byte that no URI can",
        ),
        (
            "Max-Forwards: 70",
            "Max-Forwards: 70\r\nMax-Forwards: 69",
            "400 header field repeated with another value",
        ),
        (
            "Content-Length: 5",
            "Content-Length: 5\r\nl: 4",
            "400 header field repeated with another value",
        ),
        (
            "Content-Length: 5",
            "Content-Length: -5",
            "400 Content-Length is not a number",
        ),
        (
            "Max-Forwards",
            "no colon here\r\nMax-Forwards",
            "400 header field name is not a token before a colon",
        ),
        (
            "Max-Forwards",
            "X: a\0b\r\nMax-Forwards",
            "400 NUL in the start line or a header field",
        ),
        (
            "\r\nVia",
            "\r\n folded\r\nVia",
            "400 the first header field begins with white space",
        ),
    ] {
        answered(
            &good().replacen(from, to, 1),
            &SERVER,
            &answer(status_line, ""),
        );
    }
    // Several Vias, in fields and lists, folded, under compact names.
    let damaged = good()
        .replace(
            VIA,
            "v: SIP/2.0/UDP a;branch=z9hG4bK1,\r\n\tSIP/2.0/TCP b\r\nX: y\r\nVIA :  SIP/2.0/UDP c ",
        )
        .replace("From:", "f  :")
        .replace("Content-Length: 5", "l: x");
    let expected = answer("400 Content-Length is not a number", "").replace(
        VIA,
        "Via: SIP/2.0/UDP a;branch=z9hG4bK1,\r\n\tSIP/2.0/TCP b\r\nVia: SIP/2.0/UDP c",
    );
    answered(&damaged, &SERVER, &expected);
    // A version of the future has Vias of its own.
    let of_seven = good().replace("SIP/2.0", "SIP/7.0");
    let expected = answer("505 Version Not Supported", "").replace(VIA, &VIA.replace("2.0", "7.0"));
    answered(&of_seven, &SERVER, &expected);
    // The request line comes before the header fields, whatever these hold.
    let both = good()
        .replacen("SIP/2.0", "SIP/3.0", 1)
        .replace("Max-Forwards: 70", "Max-Forwards: 70\r\nMax-Forwards: 7");
    answered(&both, &SERVER, &answer("505 Version Not Supported", ""));
    // One that has a tag keeps it.
    let in_dialog = good()
        .replace(TO, &format!("{TO};tag=two"))
        .replace("h: 5", "h: 6");
    let expected =
        answer("400 body is shorter than Content-Length", "").replace(&tag().to_string(), "two");
    answered(&in_dialog, &SERVER, &expected);
}

/// [RFC 3261 21.5.7] [DR-5] Past a bound of the reader: 513.
#[test]
fn past_the_bounds() {
    let mut limits = Limits::default();
    limits.headers = 12;
    limits.header_bytes = 100;
    limits.message_bytes = 600;
    let many = good().replace(
        "Max-Forwards",
        &format!("{}Max-Forwards", "X: y\r\n".repeat(5)),
    );
    let long = good().replace(
        "Max-Forwards",
        &format!("X: {}\r\nMax-Forwards", "y".repeat(101)),
    );
    let large = good() + &"x".repeat(600);
    for (bytes, what) in [
        (many, &defect::TOO_MANY_HEADERS),
        (long, &defect::HEADER_TOO_LARGE),
        (large, &defect::MESSAGE_TOO_LARGE),
    ] {
        let fate = fate_within(bytes.as_bytes(), &SERVER, &limits);
        let expected = answer("513 Message Too Large", "").into_bytes();
        assert_eq!(fate, Fate::Answered(what.code, 513, expected));
    }
    // Where the answer itself would be past them, there is none.
    let vias = good().replace(VIA, &[VIA; 8].join("\r\n"));
    let long_via = good().replace(VIA, &format!("{VIA};x={}", "y".repeat(100)));
    let late = good().replace(
        "Content-Type",
        &format!("X: {}\r\nContent-Type", "y\r\n ".repeat(150)),
    );
    for (bytes, message_bytes) in [(vias, 2_000), (long_via, 600), (late, 600)] {
        let bytes = bytes.replace("h: 5", "h: z");
        limits.message_bytes = message_bytes;
        let fate = fate_within(bytes.as_bytes(), &SERVER, &limits);
        assert_eq!(fate.answer(), None, "{fate:?}");
        assert_ne!(fate, Fate::Taken);
    }
}

/// [RFC 3261 18.3] [RFC 3261 17.1.1.3] What is never answered, however it is damaged: keep-alives, junk,
/// responses, ACKs, requests without a certain way back, and those of which others may read other header
/// fields.
#[test]
fn never_answered() {
    let damaged = good().replace("h: 5", "h: x");
    assert!(fate(damaged.as_bytes(), &SERVER).answer().is_some());
    let response = damaged.replace("MESSAGE sip:b@example.net SIP/2.0", "SIP/2.0 200 OK");
    let cases = [
        String::new(),
        "\r\n\r\n".into(),
        "junk".into(),
        "junk\r\n\r\n".into(),
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n".into(),
        damaged.replace(" SIP/2.0\r\nVia", " HTTP/1.1\r\nVia"),
        damaged.replace("MESSAGE sip:", "MESS<AGE sip:"),
        damaged.replace(" sip:b@example.net SIP/2.0", " SIP/2.0"),
        response.clone(),
        response.replace("200 OK", "700 OK"),
        response.replace("SIP/2.0 200 OK", "SIP/3.0 200 SIP/2.0"),
        response.replace("SIP/2.0 200 OK", "sip/2.0 99 SIP/2.0"),
        damaged.replace("MESSAGE", "ACK"),
        damaged.replace("MESSAGE sip:", "ACK sip:"),
        damaged.replace("MESSAGE sip:", "ACK  sip:"),
        damaged.replace("7 MESSAGE", "7 ACK"),
        damaged
            .replace("MESSAGE", "ACK")
            .replace("example.net SIP/2.0", "example.net SIP/3.0"),
        damaged.replace(VIA, "X: y"),
        damaged.replace(VIA, "Via: x"),
        damaged.replace(VIA, "Via:"),
        damaged.replace(VIA, &format!("{VIA};branch=z9hG4bKb")),
        damaged.replace(VIA, &format!("Via: ;\r\n{VIA}")),
        damaged.replace(VIA, &format!("{VIA}\r\nVia: a\x01b")),
        damaged.replace(FROM, "X: y"),
        damaged.replace(TO, "X: y"),
        damaged.replace(CALL_ID, "X: y"),
        damaged.replace(CSEQ, "X: y"),
        damaged.replace("example.net>;tag=one", "example.net>;tag=\0one"),
        damaged.replace("call-1@", "call-1\x07@"),
        damaged.replace("7 MESSAGE", "7 MESSAGE\x7f"),
        damaged.replace(
            "Max-Forwards",
            "X: a\nFrom: <sip:c@example.net>\r\nMax-Forwards",
        ),
        damaged.replace("Max-Forwards", "X: a\rb\r\nMax-Forwards"),
        damaged.replace("\r\n", "\n"),
        damaged.replace("\r\n\r\n", "\r\n"),
    ];
    for bytes in cases {
        let fate = fate(bytes.as_bytes(), &SERVER);
        assert!(matches!(fate, Fate::Discarded(_)), "{fate:?} for {bytes}");
    }
    // Read, but not in order.
    for bytes in [
        good().replace("MESSAGE", "ACK").replace(CALL_ID, "X: y"),
        good().replace(VIA, "Via: ;").replace(CALL_ID, "X: y"),
    ] {
        let fate = fate(bytes.as_bytes(), &SERVER);
        assert!(matches!(fate, Fate::Discarded(_)), "{fate:?} for {bytes}");
    }
}

/// [RFC 3261 18.3] An answer is longer than what it answers by no more than 256 bytes, though it writes the
/// long names of header fields.
#[test]
fn no_flood() {
    let with = |vias: usize| {
        let vias = vec!["v:SIP/2.0/UDP a"; vias].join("\r\n");
        let request = format!(
            "M sip:b SIP/2.0\r\n{vias}\r\nf:sip:a\r\nt:sip:b\r\ni:1\r\nCSeq:7 M\r\nl:1\r\n\r\n"
        );
        (fate(request.as_bytes(), &SERVER), request.len())
    };
    let growth = |vias| Some(with(vias).0.answer()?.len() - with(vias).1);
    let most = (1..100).rev().find(|vias| growth(*vias).is_some()).unwrap();
    let length = growth(most).unwrap();
    assert!((250..=256).contains(&length), "{most} Vias: {length}");
    assert!((1..=most).all(|vias| with(vias).0.answer().is_some()));
    assert!((most + 1..100).all(|vias| with(vias).0.answer().is_none()));
}

/// [RFC 3261 8.2.6] A response given to the writer of answers writes nothing, whatever its refusal says.
#[test]
fn responses_owe_nothing() {
    let response = good().replace("MESSAGE sip:b@example.net SIP/2.0", "SIP/2.0 200 OK");
    let message = parse(response.as_bytes()).unwrap();
    let refused = validate(&message, &SERVER).unwrap_err();
    assert_eq!(refused.reject().defect, &defect::WRONG_KIND);
    let reject = Reject::new(&defect::NO_TO, 0);
    for owed in [
        refused,
        Owed::new(&message, reject, &SERVER),
        Owed::with_status(&message, 400, reject, &SERVER),
    ] {
        let mut buffer = Buffer::new(1_000);
        owed.write(&mut buffer, &message, None);
        assert_eq!((owed.status(), buffer.is_empty()), (None, true));
    }
    let request = good();
    let request = parse(request.as_bytes()).unwrap();
    assert_eq!(
        Reply::read(&request).unwrap_err().defect,
        &defect::WRONG_KIND
    );
}

/// [RFC 3261 18.1.2] [RFC 3261 8.1.3.3] [RFC 3261 16.7] What a response must have, whose it is, and where it
/// ends.
#[test]
fn responses() {
    let response = good().replace("MESSAGE sip:b@example.net SIP/2.0", "SIP/2.0 299 Fine");
    let message = parse(response.as_bytes()).unwrap();
    let reply = Reply::read(&message).unwrap();
    assert_eq!((reply.status, reply.vias, reply.cseq.number), (299, 1, 7));
    assert_eq!(reply.cseq.method, Method::Message);
    assert_eq!(reply.call_id, b"call-1@example.net");
    assert!(reply.ends_here() && reply.is_back_at(b"UE.example.net:5060"));
    assert!(!reply.is_back_at(b"ue.example.net") && !reply.is_back_at(b"ue.example.net:5061"));
    let more = response.replace(VIA, &format!("{VIA}, SIP/2.0/TCP b"));
    let message = parse(more.as_bytes()).unwrap();
    let reply = Reply::read(&message).unwrap();
    assert!(!reply.ends_here() && reply.vias == 2);
    for (line, what) in [
        (VIA, &defect::NO_VIA),
        (FROM, &defect::NO_FROM),
        (TO, &defect::NO_TO),
        (CALL_ID, &defect::NO_CALL_ID),
        (CSEQ, &defect::NO_CSEQ),
    ] {
        let damaged = response.replace(line, "X: y");
        let fate = fate(damaged.as_bytes(), &SERVER);
        assert_eq!(fate, Fate::Discarded(what.code));
    }
}

/// [RFC 4475 3.1.2] The kinds of message that must not be accepted, each refused for its reason and with the
/// status owed; nothing answers those that are responses.
#[test]
fn unacceptable_kinds() {
    let response = good().replace("MESSAGE sip:b@example.net SIP/2.0", "SIP/2.0 500 No");
    for (kind, bytes, what, status) in [
        (
            "Via with empty parameters and values",
            good().replace(VIA, "Via: SIP/2.0/UDP 192.0.2.1;;,;,,"),
            &defect::VIA_PROTOCOL,
            Some(400),
        ),
        (
            "Content-Length larger than the message",
            good().replace("h: 5", "h: 9999"),
            &defect::BODY_TOO_SHORT,
            Some(400),
        ),
        (
            "negative Content-Length",
            good().replace("h: 5", "h: -999"),
            &defect::CONTENT_LENGTH,
            Some(400),
        ),
        (
            "request scalars too large",
            good().replace("CSeq: 7", "CSeq: 36893488147419103232"),
            &defect::CSEQ_NUMBER,
            Some(400),
        ),
        (
            "Max-Forwards too large",
            good().replace("s: 70", "s: 300"),
            &defect::MAX_FORWARDS,
            Some(400),
        ),
        (
            "response scalars too large",
            response.replace("CSeq: 7", "CSeq: 9292394834772304023312"),
            &defect::CSEQ_NUMBER,
            None,
        ),
        (
            "unknown protocol version",
            good().replace("SIP/2.0", "SIP/7.0"),
            &defect::VERSION,
            Some(505),
        ),
        (
            "known method, CSeq of another",
            good().replace("7 MESSAGE", "7 INVITE"),
            &defect::CSEQ_METHOD,
            Some(400),
        ),
        (
            "unknown method, CSeq of another",
            good().replace("MESSAGE sip", "NEW sip"),
            &defect::METHOD_UNKNOWN,
            Some(501),
        ),
        (
            "overlarge response code",
            response.replace("500 No", "4294967301 better not"),
            &defect::STATUS,
            None,
        ),
        (
            "response code past 699",
            response.replace("500 No", "700 No"),
            &defect::STATUS,
            None,
        ),
    ] {
        let fate = fate(bytes.as_bytes(), &SERVER);
        assert_eq!(fate.codes(), (what.code, status), "{kind}");
        assert_ne!(fate, Fate::Taken);
    }
}

/// What must stand once, twice with other values.
const PAIRS: [(&str, &str); 6] = [
    (FROM, "f: <sip:c@example.net>;tag=one"),
    (TO, "t: <sip:c@example.net>"),
    (CALL_ID, "i: call-2@example.net"),
    (CSEQ, "CSEQ: 8 MESSAGE"),
    ("Max-Forwards: 70", "max-forwards: 0"),
    ("Content-Length: 5", "l: 4"),
];

/// [RFC 3261 7.3.1] A request with two different values of what must stand once is refused in either order,
/// and both orders are answered alike: not at all where a response would have to copy one of them.
#[test]
fn conflicting_duplicates() {
    for (number, (line, other)) in PAIRS.into_iter().enumerate() {
        for far in ["", "X: y\r\n", "Via: SIP/2.0/UDP z\r\n"] {
            let pair = |a: &str, b: &str| good().replace(line, &format!("{a}\r\n{far}{b}"));
            let fates =
                [pair(line, other), pair(other, line)].map(|bytes| fate(bytes.as_bytes(), &SERVER));
            assert_eq!(fates[0], fates[1], "{line}");
            let status = (number >= 4).then_some(400);
            assert_eq!(fates[0].codes(), (defect::CONFLICT.code, status), "{line}");
        }
        let twice = good().replace(line, &format!("{line}\r\n{line}"));
        assert_eq!(fate(twice.as_bytes(), &SERVER), Fate::Taken, "{line}");
    }
}

/// The header fields of a message as they stand, read by hand: name in small letters, long form; value.
fn fields_by_hand(bytes: &[u8]) -> Vec<(String, String)> {
    let whole = bytes.iter().map(|b| char::from(*b)).collect::<String>();
    let whole = whole.trim_start_matches("\r\n");
    let head = whole.split("\r\n\r\n").next().unwrap();
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in head.split("\r\n").skip(1) {
        match fields.last_mut() {
            Some((_, value)) if line.starts_with([' ', '\t']) => {
                value.push_str("\r\n");
                value.push_str(line);
            }
            _ => {
                let (name, value) = line.split_once(':').unwrap_or((line, ""));
                let name = name.trim_end_matches([' ', '\t']).to_ascii_lowercase();
                let name = match name.as_str() {
                    "v" => "via",
                    "f" => "from",
                    "t" => "to",
                    "i" => "call-id",
                    other => other,
                };
                fields.push((name.to_owned(), value.to_owned()));
            }
        }
    }
    let blank = [' ', '\t', '\r', '\n'];
    fields
        .into_iter()
        .map(|(name, value)| (name, value.trim_matches(blank).to_owned()))
        .collect()
}

/// Whether the answer to some bytes is one that may be given.
fn check_answer(bytes: &[u8], fate: &Fate) {
    let Fate::Answered(_, status, answer) = fate else {
        return;
    };
    let start = bytes.iter().position(|b| !b"\r\n".contains(b)).unwrap();
    let start = &bytes[start..];
    assert!(!start.starts_with(b"ACK ") && !start[..4].eq_ignore_ascii_case(b"SIP/"));
    assert!(
        answer.len() <= bytes.len() + 256,
        "{} {}",
        answer.len(),
        bytes.len()
    );
    let response = parse(answer).unwrap();
    assert_eq!(
        (response.status(), response.end()),
        (Some(*status), answer.len())
    );
    assert!(response.body().is_empty());
    let (asked, given) = (fields_by_hand(bytes), fields_by_hand(answer));
    for name in ["via", "from", "to", "call-id", "cseq"] {
        let of = |fields: &[(String, String)]| -> Vec<String> {
            let named = fields.iter().filter(|(other, _)| other == name);
            named.map(|(_, value)| value.clone()).collect()
        };
        let (mut asked, given) = (of(&asked), of(&given));
        if name != "via" {
            asked.dedup();
        }
        if name == "to" && asked != given {
            assert_eq!(given, [format!("{};tag={}", asked[0], tag())]);
        } else {
            assert_eq!(asked, given, "{name}");
        }
    }
    if response.cseq().is_ok() && *status != 505 {
        assert!(response.via().is_ok());
    }
    for (name, _) in given {
        let known = [
            "via",
            "from",
            "to",
            "call-id",
            "cseq",
            "content-length",
            "unsupported",
            "allow",
            "accept",
        ];
        assert!(known.contains(&name.as_str()), "{name}");
    }
}

fn corpus() -> Vec<Vec<u8>> {
    ["sip", "captures/A_basic", "captures/O_presreg"]
        .into_iter()
        .flat_map(fixture_files)
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

/// [RFC 3261 18.3] Every request of the collections, cut by a byte of its body or with a Content-Length too
/// large, is answered 400 with its own Vias, From, To, Call-ID and CSeq; no ACK or response is, whatever it
/// is.
#[test]
fn collections_damaged() {
    let mut answered = 0;
    for bytes in corpus() {
        let message = parse(&bytes).unwrap();
        let (is_request, is_ack) = (message.is_request(), message.method() == Some(Method::Ack));
        let head = &bytes[..message.head_end()];
        let mut longer = Vec::new();
        for line in head.split_inclusive(|b| *b == b'\n') {
            let lower = text(line).to_ascii_lowercase();
            if !lower.starts_with("content-length") && !lower.starts_with("l:") {
                longer.extend_from_slice(line);
            }
        }
        longer.extend_from_slice(b"Content-Length: 60000\r\n\r\n");
        let fate = fate(&longer, &SERVER);
        let status = (is_request && !is_ack).then_some(400);
        assert_eq!(fate.codes(), (defect::BODY_TOO_SHORT.code, status));
        check_answer(&longer, &fate);
        answered += usize::from(status.is_some());
    }
    assert!(answered > 30, "{answered}");
}

/// One change of some bytes.
fn damage(bytes: &mut Vec<u8>, place: usize, byte: u8, kind: u8) {
    let place = place % bytes.len();
    let lines: Vec<usize> = (0..bytes.len().saturating_sub(2))
        .filter(|at| bytes[*at..].starts_with(b"\r\n"))
        .collect();
    let line = lines.get(place % lines.len().max(1)).copied().unwrap_or(0);
    match kind {
        0 => bytes[place] = byte,
        1 => bytes.insert(place, byte),
        2 => {
            bytes.remove(place);
        }
        3 => bytes.truncate(place.max(1)),
        4 => bytes[place] = b" \t\r\n\0\",;:<>@=%?[]*\\"[usize::from(byte) % 19],
        5 => {
            // A line twice.
            let end = lines.iter().find(|at| **at > line).copied();
            let copy = bytes[line..end.unwrap_or(bytes.len())].to_vec();
            bytes.splice(line..line, copy);
        }
        _ => {
            let lines: [&[u8]; 8] = [
                b"\r\nContent-Length: 9",
                b"\r\nMax-Forwards: 9x",
                b"\r\nCSeq: 1 ACK",
                b"\r\nRequire: a, b",
                b"\r\nno colon",
                b"\r\nCall-ID: z",
                b"\r\nv: SIP/2.0/UDP z",
                b"\r\nX: \0",
            ];
            bytes.splice(line..line, lines[usize::from(byte) % 8].iter().copied());
        }
    }
    if bytes.is_empty() {
        bytes.push(byte);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        cases: 1_000,
        ..ProptestConfig::default()
    })]

    /// [DR-4] Whatever is done to a message: what is answered is no ACK and no response, and the answer is
    /// one that our own reader takes, no longer than it may be, with the header fields of the request and
    /// nothing else of it.
    #[test]
    fn mutated_messages(
        which in 0usize..1_000,
        edits in prop::collection::vec((0usize..4_000, any::<u8>(), 0u8..9), 1..6),
        proxy in any::<bool>(),
    ) {
        let corpus = corpus();
        let mut bytes = corpus[which % corpus.len()].clone();
        for (place, byte, kind) in edits {
            damage(&mut bytes, place, byte, kind);
        }
        let accepts = if proxy { Accepts::proxy() } else { SERVER.content_types(&[b"a/b"]) };
        check_answer(&bytes, &fate(&bytes, &accepts));
    }

    /// [RFC 3261 7.3.1] Of two lines that are the same header field the order never changes whether and what
    /// is answered, however the rest of the message is damaged.
    #[test]
    fn the_order_of_duplicates(
        which in 0usize..6,
        value in prop_oneof![Just(None), "[a-z0-9 <>:;@,\"\\\\\t\0\u{7f}-]{0,30}".prop_map(Some)],
        between in prop::sample::select(vec![
            "", "X: y\r\n", "no colon\r\n", " fold\r\n", "v: SIP/2.0/UDP z\r\n",
        ]),
        edit in (
            prop::sample::select(vec![
                "SIP/2.0", "Via", "MESSAGE", "70", "5", "Call-ID", "sip:b", ";branch", "text", "\r\n\r\n",
            ]),
            prop::sample::select(vec![
                "SIP/2.0", "SIP/3.0", "X", "ACK", "\0", "\n", "-1", " ", "soap:x", "INVITE",
            ]),
        ),
    ) {
        let (line, other) = PAIRS[which];
        let other = match value {
            Some(value) => format!("{}: {value}", other.split(':').next().unwrap()),
            None => other.to_owned(),
        };
        let whole = good().replace(line, "@").replacen(edit.0, edit.1, 1);
        let [first, second] = [(line, &*other), (&*other, line)].map(|(a, b)| {
            let pair = format!("\r\n{a}\r\n{between}{b}\r\n");
            fate(whole.replace("\r\n@\r\n", &pair).as_bytes(), &SERVER)
        });
        prop_assert_eq!(first.answer().map(text), second.answer().map(text));
        prop_assert_eq!(first == Fate::Taken, second == Fate::Taken);
    }
}
