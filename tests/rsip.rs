//! Conversions to and from the types of rsip (feature `rsip`): what is held comes back, the rest is refused.

use ims_procedures::{
    drive::{Buffer, Limits, Unwritable},
    wire::{
        Authorization, CSeq, Field, Host, Message, Method, NameAddr, Params, StartLine, Uri, Via,
        defect, put_unfolded, reason,
        rsip::{Inconvertible, put_authorization, put_message, put_name_addr, put_uri, put_via},
    },
};
use proptest::prelude::*;
use rsip::{
    Header, SipMessage, StatusCode,
    headers::{ToTypedHeader, UntypedHeader},
    message::HasHeaders,
    typed,
};

#[path = "wire/support.rs"]
#[allow(dead_code)]
mod support;

use support::{fixture_files, parse, request_with, text};

fn to_rsip(bytes: &[u8]) -> Result<SipMessage, Inconvertible> {
    SipMessage::try_from(&parse(bytes).unwrap())
}

/// What is appended after something that stood there before; on refusal nothing is.
fn put(
    write: impl FnOnce(&mut Buffer) -> Result<(), Inconvertible>,
) -> Result<Vec<u8>, Inconvertible> {
    let mut buffer = Buffer::new(70_000);
    buffer.put(b"before");
    let result = write(&mut buffer);
    assert_eq!(buffer.fault(), None);
    let written = buffer.as_slice().strip_prefix(b"before").unwrap();
    assert!(result.is_ok() || written.is_empty());
    result.map(|()| written.to_vec())
}

fn and_back(bytes: &[u8]) -> Result<Vec<u8>, Inconvertible> {
    let theirs = to_rsip(bytes)?;
    put(|buffer| put_message(buffer, &theirs))
}

fn unfolded(field: &Field<'_>) -> Vec<u8> {
    let mut buffer = Buffer::new(70_000);
    put_unfolded(&mut buffer, field.value.raw());
    buffer.as_slice().to_vec()
}

fn full_name(field: &Field<'_>) -> Vec<u8> {
    match field.name.canonical_name() {
        b"" => field.raw_name.to_ascii_lowercase(),
        name => name.to_ascii_lowercase(),
    }
}

/// Start line, header fields in order, body.
fn assert_same(ours: &Message<'_>, back: &Message<'_>) {
    match (ours.start(), back.start()) {
        (StartLine::Request { method, uri }, StartLine::Request { method: m, uri: u }) => {
            assert_eq!(method, m);
            let same = Uri::parse(uri).unwrap().equivalent(&Uri::parse(u).unwrap());
            assert!(same, "{} {}", text(uri), text(u));
        }
        (a, b) => assert!(a == b, "{a:?} {b:?}"),
    }
    assert_eq!(ours.header_count(), back.header_count());
    for (ours, back) in ours.fields().zip(back.fields()) {
        assert_eq!(text(&full_name(&ours)), text(&full_name(&back)));
        assert_eq!(text(&unfolded(&ours)), text(back.value.raw()));
    }
    assert_eq!(ours.body(), back.body());
}

/// [RFC 3261 7] Messages of the field go to rsip and come back with all they had; rsip itself writes them
/// with as many header fields.
#[test]
fn messages_of_the_collections_come_back() {
    let mut came_back = 0;
    for folder in [
        "sip",
        "captures/A_basic",
        "captures/D_rtr",
        "captures/O_presreg",
    ] {
        for path in fixture_files(folder) {
            let bytes = std::fs::read(&path).unwrap();
            let ours = parse(&bytes).unwrap();
            let theirs = match SipMessage::try_from(&ours) {
                Ok(theirs) => theirs,
                Err(refused) => {
                    let tel = ours
                        .request_uri()
                        .is_some_and(|uri| uri.starts_with(b"tel:"));
                    let method = matches!(ours.method(), Some(Method::Other(_)));
                    assert!(tel || method, "{}: {refused}", path.display());
                    continue;
                }
            };
            let written = put(|buffer| put_message(buffer, &theirs)).unwrap();
            assert_same(&ours, &parse(&written).unwrap());
            let by_rsip = theirs.to_string().into_bytes();
            let by_rsip = parse(&by_rsip).unwrap();
            assert_eq!(by_rsip.header_count(), ours.header_count());
            assert_eq!(by_rsip.body(), ours.body());
            came_back += 1;
        }
    }
    assert!(came_back > 120, "{came_back}");
}

/// [RFC 3261 7.3.1] [RFC 3261 7.3.3] Compact names in full, folding as a space, order and number kept.
#[test]
fn header_fields() {
    let bytes = b"OPTIONS sip:b@example.net SIP/2.0\r\n\
        v: SIP/2.0/UDP 192.0.2.1\r\n\
        X-One:  a\r\n\t b \r\n\
        i: c1\r\n\
        VIA: SIP/2.0/UDP 192.0.2.2\r\n\
        o: reg\r\n\
        x-one: c\r\n\
        P-Asserted-Identity: <tel:+15550100>\r\n\
        l: 2\r\n\r\nhi, and more";
    let theirs = to_rsip(bytes).unwrap();
    let held: Vec<&Header> = theirs.headers().iter().collect();
    assert_eq!(held[0], &Header::Via("SIP/2.0/UDP 192.0.2.1".into()));
    assert_eq!(held[1], &Header::Other("X-One".into(), "a b".into()));
    assert_eq!(held[2], &Header::CallId("c1".into()));
    assert_eq!(held[4], &Header::Event("reg".into()));
    assert_eq!(
        text(&and_back(bytes).unwrap()),
        "OPTIONS sip:b@example.net SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.1\r\n\
         X-One: a b\r\n\
         Call-ID: c1\r\n\
         Via: SIP/2.0/UDP 192.0.2.2\r\n\
         Event: reg\r\n\
         x-one: c\r\n\
         P-Asserted-Identity: <tel:+15550100>\r\n\
         Content-Length: 2\r\n\r\nhi"
    );
}

/// [RFC 3261 20] Each name that rsip knows becomes its variant and keeps its name.
#[test]
fn names_that_rsip_knows() {
    let names = "Accept,Accept-Encoding,Accept-Language,Alert-Info,Allow,Authentication-Info,Authorization,\
        CSeq,Call-ID,Call-Info,Contact,Content-Disposition,Content-Encoding,Content-Language,\
        Content-Type,Date,Error-Info,Event,Expires,From,In-Reply-To,Max-Forwards,MIME-Version,\
        Min-Expires,Organization,Priority,Proxy-Authenticate,Proxy-Authorization,Proxy-Require,\
        Record-Route,Reply-To,Require,Retry-After,Route,Server,Subject,Subscription-State,Supported,\
        Timestamp,To,Unsupported,User-Agent,Via,Warning,WWW-Authenticate";
    for name in names.split(',') {
        let bytes = format!("SIP/2.0 200 OK\r\n{name}: v\r\n\r\n");
        let theirs = to_rsip(bytes.as_bytes()).unwrap();
        let header = theirs.headers().iter().next().unwrap();
        assert!(!matches!(header, Header::Other(..)), "{name}");
        let back = and_back(bytes.as_bytes()).unwrap();
        assert!(text(&back).eq_ignore_ascii_case(&bytes), "{name}");
    }
}

/// [RFC 3261 7.2] The phrase is never lost; a variant stands where it comes back as it was.
#[test]
fn status_lines() {
    for status in 100..700u16 {
        for phrase in [
            text(reason(status)),
            "Not here".into(),
            "OK".into(),
            String::new(),
        ] {
            let bytes = format!("SIP/2.0 {status} {phrase}\r\n\r\n").into_bytes();
            let SipMessage::Response(theirs) = to_rsip(&bytes).unwrap() else {
                panic!("a request");
            };
            assert_eq!(theirs.status_code.code(), status);
            assert_eq!(and_back(&bytes).unwrap(), bytes);
        }
    }
    let theirs = |line: &str| match to_rsip(format!("SIP/2.0 {line}\r\n\r\n").as_bytes()) {
        Ok(SipMessage::Response(response)) => response.status_code,
        other => panic!("{other:?}"),
    };
    assert_eq!(theirs("404 Not Found"), StatusCode::NotFound);
    assert_eq!(
        theirs("404 Gone away"),
        StatusCode::Other(404, "Gone away".into())
    );
    assert_eq!(
        theirs("202 Accepted"),
        StatusCode::Other(202, "Accepted".into())
    );
}

/// [RFC 3261 20.10] [RFC 5626 4.1] What rsip's own reader refuses of a Contact is held and comes back.
#[test]
fn contact_of_a_phone() {
    let value = b"\"A. \\\"B\\\"\" <sip:a%20b;c@[2001:db8::1]:5070;transport=TCP;ob>;reg-id=1;\
        +sip.instance=\"<urn:gsma:imei:35>\";q=0.5;expires=60";
    assert!(rsip::headers::Contact::new(text(value)).typed().is_err());
    let theirs = typed::Contact::try_from(NameAddr::parse(value).unwrap()).unwrap();
    assert_eq!(theirs.uri.user(), Some("a%20b;c"));
    assert_eq!(theirs.uri.port(), Some(&5070.into()));
    assert_eq!(theirs.uri.transport(), Some(&rsip::Transport::Tcp));
    assert_eq!(theirs.expires().unwrap().seconds(), Ok(60));
    assert_eq!(
        theirs.to_string().as_bytes(),
        value,
        "rsip would write it so"
    );
    let back = put(|b| {
        put_name_addr(
            b,
            theirs.display_name.as_deref(),
            &theirs.uri,
            &theirs.params,
        )
    });
    assert_eq!(text(&back.unwrap()), text(value));
}

/// [RFC 3261 20.20] [RFC 3261 20.39] From and To, bare and folded.
#[test]
fn from_and_to() {
    let from = NameAddr::parse(b"sip:a.b@example.net;tag=1;x").unwrap();
    let from = typed::From::try_from(from).unwrap();
    assert_eq!(from.tag().unwrap().value(), "1");
    assert_eq!(from.uri.user(), Some("a.b"));
    assert_eq!(from.to_string(), "<sip:a.b@example.net>;tag=1;x");
    let to = NameAddr::parse(b"Anna\r\n Lena <sips:example.net:5061>").unwrap();
    let to = typed::To::try_from(to).unwrap();
    assert_eq!(to.to_string(), "Anna Lena <sips:example.net:5061>");
}

/// [RFC 3261 20.42] [RFC 3581] Via.
#[test]
fn via() {
    let value = b"SIP/2.0/udp [2001:db8::1]:5070;branch=z9hG4bK1;rport;received=192.0.2.9";
    let ours = Via::parse_list(value).next().unwrap().unwrap();
    let theirs = typed::Via::try_from(ours).unwrap();
    assert_eq!(theirs.branch().unwrap().value(), "z9hG4bK1");
    let back = put(|b| put_via(b, &theirs)).unwrap();
    assert_eq!(text(&back), text(value).replace("udp", "UDP"));
    assert_eq!(theirs.to_string(), text(&back));
    let other = Via::parse_list(b"SIP/2.0/DTLS-UDP a.example")
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(typed::Via::try_from(other), Err(Inconvertible::Transport));
}

/// [RFC 3261 20.16] CSeq and methods.
#[test]
fn cseq() {
    for theirs in rsip::Method::all() {
        let ours = Method::from(theirs);
        assert_eq!(rsip::Method::try_from(ours), Ok(theirs));
        assert_eq!(text(ours.as_bytes()), theirs.to_string());
        let cseq = CSeq {
            number: 7,
            method: ours,
        };
        let cseq = typed::CSeq::try_from(cseq).unwrap();
        assert_eq!(
            CSeq::try_from(&cseq),
            Ok(CSeq {
                number: 7,
                method: ours
            })
        );
    }
    for method in [b"register" as &[u8], b"FOO"] {
        assert_eq!(
            rsip::Method::try_from(Method::of(method)),
            Err(Inconvertible::Method)
        );
    }
    let large = typed::CSeq {
        seq: 1 << 31,
        method: rsip::Method::Ack,
    };
    assert_eq!(CSeq::try_from(&large), Err(Inconvertible::Part));
}

/// [RFC 3261 20.7] [RFC 7616 3.4] Credentials, and what rsip has no place for.
#[test]
fn credentials() {
    let known = "Digest username=\"a@b\", realm=\"r \\\"x\\\"\", nonce=\"n\", uri=\"sip:b\", response=\"0f\"";
    let full =
        format!("{known}, algorithm=SHA-256, opaque=\"o\", qop=auth, nc=00000009, cnonce=\"c\"");
    for value in [known, &full] {
        let ours = Authorization::parse(value.as_bytes()).unwrap();
        let theirs = typed::Authorization::try_from(ours).unwrap();
        assert_eq!(theirs.username, "a@b");
        assert_eq!(
            text(&put(|b| put_authorization(b, &theirs)).unwrap()),
            value
        );
    }
    let refused = |value: String| {
        let ours = Authorization::parse(value.as_bytes()).unwrap();
        typed::Authorization::try_from(ours).unwrap_err()
    };
    let parameter = Inconvertible::Parameter;
    assert_eq!(
        refused(format!("{known}, integrity-protected=\"yes\"")),
        parameter
    );
    let twice = format!("{known}, opaque=\"1\", opaque=\"2\"");
    let twice = Authorization::parse(twice.as_bytes()).unwrap_err();
    assert_eq!(twice.defect, &defect::PARAMETER_TWICE);
    assert_eq!(refused(format!("{known}, algorithm=AKAv1-MD5")), parameter);
    assert_eq!(refused(format!("{known}, nc=00000001")), parameter);
    assert_eq!(refused(known.replace(", realm", ", x")), parameter);
    assert_eq!(refused("Bearer abc".into()), parameter);
    assert_eq!(refused(full.replace("09", "0a")), Inconvertible::Altered);
    assert_eq!(
        refused(known.replace("sip:b", "SIP:b")),
        Inconvertible::Altered
    );
    assert_eq!(
        refused(known.replace("sip:b", "tel:1")),
        Inconvertible::Scheme
    );
}

/// [RFC 3261 7] What rsip does not hold is refused.
#[test]
fn messages_that_rsip_does_not_hold() {
    let request = |line: &str| {
        let start = text(&request_with("X: y\r\n"));
        let (_, rest) = start.split_once("\r\n").unwrap();
        to_rsip(format!("{line} SIP/2.0\r\n{}", rest.replace(" REGISTER", " FOO")).as_bytes())
    };
    assert_eq!(request("FOO sip:a"), Err(Inconvertible::Method));
    assert_eq!(request("ACK tel:+1"), Err(Inconvertible::Scheme));
    assert_eq!(request("ACK sip:a?b=c"), Err(Inconvertible::UriHeaders));
    assert_eq!(request("ACK sip:a?"), Err(Inconvertible::UriHeaders));
    assert!(matches!(
        request("ACK sip:-"),
        Err(Inconvertible::Malformed(_))
    ));
    let with = |from: &str, to: &[u8]| {
        let bytes = request_with("Subject: S\r\n");
        let at = text(&bytes).find(from).unwrap();
        let bytes = [&bytes[..at], to, &bytes[at + from.len()..]].concat();
        to_rsip(&bytes)
    };
    assert_eq!(
        with("S\r\n\r\n", b"\xe4\r\n\r\n"),
        Err(Inconvertible::NotUtf8)
    );
    assert_eq!(
        with("S\r\n\r\n", b"S\r\n\r\n\xff"),
        Err(Inconvertible::Body)
    );
    assert!(with("S\r\n\r\n", "ä\r\n\r\nü".as_bytes()).is_ok());
}

/// [DR-4] What would break out of its place in a message is refused, and nothing is left behind.
#[test]
fn messages_that_cannot_be_written() {
    let SipMessage::Request(base) = to_rsip(&request_with("Content-Length: 2\r\n\r\nhi")).unwrap()
    else {
        panic!("a response");
    };
    type Change = fn(&mut rsip::Request);
    let unsafe_value = Inconvertible::Unwritable(Unwritable::UnsafeValue);
    let other = |name: &'static str, value: &'static str| Header::Other(name.into(), value.into());
    let cases: [(Change, Inconvertible); 10] = [
        (|r| r.version = rsip::Version::V1, Inconvertible::Version),
        (|r| r.body.push(b'!'), Inconvertible::ContentLength),
        (|r| r.uri.scheme = None, Inconvertible::Scheme),
        (
            |r| r.uri.host_with_port.host = rsip::Host::Domain("a SIP/2.0".into()),
            Inconvertible::Part,
        ),
        (
            |r| r.uri.host_with_port.host = rsip::Host::Domain("a;b".into()),
            Inconvertible::Part,
        ),
        (
            |r| r.uri.params = vec![rsip::Param::Other("a".into(), Some("b@c".into()))],
            Inconvertible::Part,
        ),
        (
            |r| r.uri.params.push(rsip::Param::Other("a?".into(), None)),
            Inconvertible::Part,
        ),
        (|r| r.uri.headers.push(1), Inconvertible::Part),
        (
            |r| r.headers.push(Header::Subject("a\r\nVia: b".into())),
            unsafe_value,
        ),
        (
            |r| r.headers.push(Header::Subject("a\0".into())),
            unsafe_value,
        ),
    ];
    for (change, refused) in cases {
        let mut changed = base.clone();
        change(&mut changed);
        assert_eq!(put(|b| put_message(b, &changed.into())), Err(refused));
    }
    for header in [
        other("a b", "c"),
        other("", "c"),
        other("a\r\nb", "c"),
        other("a:b", "c"),
    ] {
        let mut changed = base.clone();
        changed.headers.push(header);
        assert_eq!(
            put(|b| put_message(b, &changed.into())),
            Err(Inconvertible::Part)
        );
    }
    for twice in [
        other("i", "c2"),
        other("l", "3"),
        other("Content-Length", "x"),
    ] {
        let mut changed = base.clone();
        changed.headers.push(twice);
        let refused = put(|b| put_message(b, &changed.into())).unwrap_err();
        assert!(matches!(refused, Inconvertible::Malformed(_)));
    }
    let mut short = base.clone();
    short.body.pop();
    let refused = put(|b| put_message(b, &short.into())).unwrap_err();
    assert!(matches!(refused, Inconvertible::Malformed(_)));
    let large = Inconvertible::Unwritable(Unwritable::TooLarge);
    let mut small = Buffer::new(100);
    assert_eq!(put_message(&mut small, &base.clone().into()), Err(large));
    assert!(small.is_empty() && small.fault().is_none());
    let mut binary = base;
    binary.body = b"\xff\0".to_vec();
    let written = put(|b| put_message(b, &binary.into())).unwrap();
    assert!(written.ends_with(b"\r\n\r\n\xff\0"), "any bytes are a body");
    for status in [
        StatusCode::Accepted,
        StatusCode::Other(99, String::new()),
        StatusCode::Other(700, String::new()),
    ] {
        let response = rsip::Response {
            status_code: status,
            ..Default::default()
        };
        assert_eq!(
            put(|b| put_message(b, &response.into())),
            Err(Inconvertible::Status)
        );
    }
    let phrase = StatusCode::Other(200, "OK\r\nVia: x".into());
    let response = rsip::Response {
        status_code: phrase,
        ..Default::default()
    };
    assert_eq!(put(|b| put_message(b, &response.into())), Err(unsafe_value));
}

/// [RFC 3261 19.3] [RFC 3261 8.1.1.7] What our reader would refuse for its parameters is not written.
#[test]
fn parameters_that_decide() {
    let other = |name: &str, value: &str| rsip::Param::Other(name.into(), Some(value.into()));
    let uri = rsip::Uri::try_from(Uri::parse(b"sip:a@example.net").unwrap()).unwrap();
    let address = |params: &[rsip::Param]| put(|b| put_name_addr(b, Some("A"), &uri, params));
    assert_eq!(
        text(&address(&[other("tag", "1"), other("x", "a/b")]).unwrap()),
        "A <sip:a@example.net>;tag=1;x=a/b"
    );
    let refused = |params: &[rsip::Param]| match address(params) {
        Err(Inconvertible::Malformed(reject)) => reject.defect,
        written => panic!("{written:?}"),
    };
    assert_eq!(refused(&[other("tag", "a/b")]), &defect::TAG);
    assert_eq!(refused(&[rsip::Param::Tag("\"a\"".into())]), &defect::TAG);
    let tags = [other("tag", "1"), other("Tag", "1")];
    assert_eq!(refused(&tags), &defect::PARAMETER_TWICE);
    let value = b"SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1";
    let via = Via::parse_list(value).next().unwrap().unwrap();
    let mut via = typed::Via::try_from(via).unwrap();
    assert_eq!(put(|b| put_via(b, &via)).unwrap(), value);
    via.params.push(other("Branch", "z9hG4bK2"));
    let refused = put(|b| put_via(b, &via)).unwrap_err();
    let Inconvertible::Malformed(refused) = refused else {
        panic!("{refused}");
    };
    assert_eq!(refused.defect, &defect::PARAMETER_TWICE);
    for host in ["192.0.2.1x", "1.2.3", "-a", "a:b"] {
        via.uri.host_with_port.host = rsip::Host::Domain(host.into());
        assert_eq!(
            put(|b| put_via(b, &via)),
            Err(Inconvertible::Part),
            "{host}"
        );
    }
}

/// An IPv6 `IpAddr`, which rsip writes without brackets, is written with them.
#[test]
fn ipv6_address() {
    let uri = rsip::Uri {
        scheme: Some(rsip::Scheme::Sip),
        host_with_port: std::net::SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 5070))
            .into(),
        ..Default::default()
    };
    assert_eq!(
        text(&put(|b| put_uri(b, &uri)).unwrap()),
        "sip:[2001:db8::1]:5070"
    );
}

fn param() -> impl Strategy<Value = rsip::Param> {
    let name = "[a-z;=?@\" \r]{0,3}|[a-z]{3}";
    let value = proptest::option::of("[a-z;=?@,\"\\\\<> \r]{0,4}|\"[a-z;,\\\\\"]{0,4}\"|[a-z]{3}");
    (name, value).prop_map(|(name, value)| rsip::Param::Other(name.into(), value.map(Into::into)))
}

fn pairs(params: Params<'_>) -> Vec<(String, Option<String>)> {
    params
        .iter()
        .map(|(name, value)| (text(name), value.map(text)))
        .collect()
}

fn their_pairs(params: &[rsip::Param]) -> Vec<(String, Option<String>)> {
    let pair = |param: &rsip::Param| match param {
        rsip::Param::Other(name, value) => (
            name.value().to_owned(),
            value.as_ref().map(|v| v.value().to_owned()),
        ),
        known => panic!("{known}"),
    };
    params.iter().map(pair).collect()
}

proptest! {
    /// [DR-4] Whatever an address of rsip holds: it is refused, or reads back as these parts and no others.
    #[test]
    fn addresses_read_back(
        display in proptest::option::of("[a-z<>\",; ]{0,4}|\"[a-z<\\\\\"]{0,4}\"|[a-z]{1,4}"),
        user in proptest::option::of("[a-z:;@>%]{0,4}|[a-z]{1,3}"),
        password in proptest::option::of("[a-z:@]{0,3}"),
        host in "[a-z.;:?@>]{0,4}|[a-z]{1,4}\\.example",
        port in proptest::option::of(any::<u16>()),
        uri_params in proptest::collection::vec(param(), 0..3),
        params in proptest::collection::vec(param(), 0..3),
    ) {
        let uri = rsip::Uri {
            scheme: Some(rsip::Scheme::Sip),
            auth: user.map(|user| rsip::Auth { user, password }),
            host_with_port: rsip::HostWithPort {
                host: rsip::Host::Domain(host.as_str().into()),
                port: port.map(Into::into),
            },
            params: uri_params,
            headers: Vec::new(),
        };
        let written = put(|b| put_name_addr(b, display.as_deref(), &uri, &params));
        if let Ok(written) = written {
            let ours = NameAddr::parse(&written).unwrap();
            let shown = display.as_deref().map(str::trim).unwrap_or_default();
            let inner = shown.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            prop_assert_eq!(text(ours.display().unwrap_or_default()), inner.unwrap_or(shown));
            prop_assert_eq!(ours.uri().user().map(text), uri.auth.as_ref().map(|a| a.user.clone()));
            let password = uri.auth.as_ref().and_then(|a| a.password.clone());
            prop_assert_eq!(ours.uri().password().map(text), password);
            let same_host = matches!(ours.uri().host(), Some(Host::Name(name)) if name == host.as_bytes());
            prop_assert!(same_host);
            prop_assert_eq!(ours.uri().port(), port);
            prop_assert_eq!(pairs(ours.uri().params()), their_pairs(&uri.params));
            prop_assert_eq!(pairs(ours.params()), their_pairs(&params));
        }
    }

    /// [RFC 3261 7] Any message that we read and rsip holds comes back the same.
    #[test]
    fn any_message_comes_back(
        name in "[A-Za-z-]{1,12}",
        value in "[ -~äß\t]{0,20}(\r\n [ -~]{0,5})?",
        user in "[a-zA-Z0-9%.;?&=+$,/]{1,8}",
        tail in "(;[a-z]{1,9}(=[a-zA-Z:%]{1,4})?){0,2}",
        body in "\\PC{0,8}",
    ) {
        let bytes = format!("INFO sip:{user}@example.net{tail} SIP/2.0\r\n{name}: {value}\r\n\r\n{body}");
        if let Ok(ours) = Message::parse(bytes.as_bytes(), &Limits::default()) {
            if let Ok(theirs) = SipMessage::try_from(&ours) {
                let written = put(|b| put_message(b, &theirs)).unwrap();
                assert_same(&ours, &parse(&written).unwrap());
            }
        }
    }
}
