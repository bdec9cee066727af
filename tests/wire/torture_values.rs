//! What is read of the valid messages of RFC 4475, in our own words: the values that each is about.

use ims_procedures::{
    drive::{Identifiers, Limits},
    wire::{
        HeaderName, Host, Message, Method, NameAddr, Scheme, StartLine, Token, Uri, Writer, defect,
    },
};

use crate::support::{fixture, frame, parse, place, written};

fn own(name: &str) -> Vec<u8> {
    fixture(&format!("torture/{name}.sip"))
}

fn addresses<'a>(message: &Message<'a>) -> Vec<NameAddr<'a>> {
    let contacts = message.name_addrs(HeaderName::Contact);
    contacts.map(Result::unwrap).collect()
}

fn only<T>(mut values: Vec<T>) -> T {
    assert_eq!(values.len(), 1);
    values.remove(0)
}

/// [RFC 4475 3.1.1.1] Folding and white space wherever they may stand.
#[test]
fn wsinv() {
    let bytes = own("wsinv");
    let message = parse(&bytes).unwrap();
    let target = Uri::parse(message.request_uri().unwrap()).unwrap();
    assert_eq!(target.params().get(b"strange"), Some(None));
    let to = message.to().unwrap();
    assert_eq!(to.uri_bytes(), b"sip:opal@basalt.example.net");
    assert_eq!(to.tag(), Some(&b"77120034x"[..]));
    let from = message.from().unwrap();
    assert_eq!(from.display(), Some(&b"P Ochre \\\\\\\""[..]));
    assert_eq!(from.tag(), Some(&b"q81zz"[..]));
    assert_eq!(message.max_forwards(), Ok(Some(42)));
    assert_eq!(message.call_id().unwrap(), b"wsinv.pq77r@192.0.2.91");
    let cseq = message.cseq().unwrap();
    assert_eq!((cseq.number, cseq.method), (31, Method::Invite));
    let vias: Vec<_> = message.vias().map(Result::unwrap).collect();
    let read: Vec<_> = vias
        .iter()
        .map(|v| (v.transport(), v.host(), v.branch()))
        .collect();
    assert_eq!(
        read,
        [
            (&b"UDP"[..], Host::V4([192, 0, 2, 90]), Some(&b"771kdx"[..])),
            (
                b"TCP",
                Host::Name(b"marble.example.org"),
                Some(b"z9hG4bK8topz")
            ),
            (b"UDP", Host::V4([198, 51, 100, 14]), Some(b"z9hG4bK55120")),
        ]
    );
    let raw = |name: &[u8]| message.header_named(name).unwrap().raw();
    assert_eq!(raw(b"Subject"), b"");
    assert_eq!(raw(b"BrandNewField"), b"first part\r\n  second part");
    assert_eq!(raw(b"FieldOfSeparators"), b",,;;,;;,");
    let route = message
        .name_addrs(HeaderName::Route)
        .next()
        .unwrap()
        .unwrap();
    assert!(route.uri().is_loose_router());
    assert_eq!(route.uri().params().value(b"odd"), Some(&b"thing"[..]));
    assert_eq!(route.uri().params().get(b"odd-alone"), Some(None));
    let contact = only(addresses(&message));
    assert_eq!(contact.display(), Some(&b"A quoted \\\"\\\" string"[..]));
    assert_eq!(contact.params().value(b"fresh"), Some(&b"leaf"[..]));
    assert_eq!(contact.params().get(b"alone"), Some(None));
    assert_eq!(contact.params().value(b"q"), Some(&b"0.25"[..]));
    assert_eq!(message.body().len(), 143);
}

/// [RFC 4475 3.1.1.2] Every byte that the grammar lets stand.
#[test]
fn intmeth() {
    let bytes = own("intmeth");
    let message = parse(&bytes).unwrap();
    let method = &b"!odd-Verb9876543210_*+`.%tokens'~"[..];
    assert_eq!(message.method(), Some(Method::Other(method)));
    let cseq = message.cseq().unwrap();
    assert_eq!(
        (cseq.number, cseq.method),
        (417_000_213, Method::Other(method))
    );
    let target = Uri::parse(message.request_uri().unwrap()).unwrap();
    assert_eq!(
        target.user(),
        Some(&b"2_strange.URI~(or-not!)&aren't+they$/wild?,/;;*"[..])
    );
    assert_eq!(
        target.password(),
        Some(&b"&pw+of=2,odd!*cents$a~d_more.(so-it-goes)"[..])
    );
    assert_eq!(target.host(), Some(Host::Name(b"slate.example.net")));
    assert!(target.params().is_empty() && target.headers().is_empty());
    assert_eq!(
        message.via().unwrap().branch(),
        Some(&b"z9hG4bK-.!%77*_+`'~"[..])
    );
    let to = message.to().unwrap();
    assert_eq!(
        to.display(),
        Some(&b"BELL:\\\x07 NUL:\\\0 RUBOUT:\\\x7f"[..])
    );
    assert_eq!(to.uri().user(), target.user());
    let from = message.from().unwrap();
    assert_eq!(from.display(), Some(&b"first~` second'+_ third*%!.-"[..]));
    assert_eq!(from.tag(), Some(&b"_mark~2'+`*%!-."[..]));
    assert_eq!(
        from.params().value(b"partOfFrom''~+*_!.-%"),
        Some("Ωμέγα ψ".as_bytes())
    );
    assert_eq!(
        message.call_id().unwrap(),
        b"intmeth.term%QX-!.*_+'@term`~)(><:\\/\"][?}{"
    );
    assert_eq!(message.max_forwards(), Ok(Some(254)));
    let odd = message.header_named(b"oddfield-!.%*+_`'~").unwrap();
    assert_eq!(odd.raw(), "\u{feff}石英".as_bytes());
}

/// [RFC 4475 3.1.1.3] Escapes stay as they came; they count when URIs are compared.
#[test]
fn esc01() {
    let bytes = own("esc01");
    let message = parse(&bytes).unwrap();
    let target = Uri::parse(message.request_uri().unwrap()).unwrap();
    assert_eq!(target.user(), Some(&b"sip%3Agarnet%40opal.example.com"[..]));
    assert_eq!(target.host(), Some(Host::Name(b"beryl.example.net")));
    let unescaped = Uri::parse(b"sip:garnet@opal.example.com").unwrap();
    assert!(message.to().unwrap().uri().equivalent(&unescaped));
    let from = message.from().unwrap();
    assert_eq!(from.uri().user(), Some(&b"two%20words%20here"[..]));
    let contact = only(addresses(&message)).uri();
    let same = Uri::parse(b"sip:mason@flint.example.net;lr;color=green%2572").unwrap();
    assert!(
        contact.equivalent(&same),
        "%25 is a percent sign, and no more is escaped by it"
    );
    let other = Uri::parse(b"sip:mason@flint.example.net;lr;color=green%72").unwrap();
    assert!(!contact.equivalent(&other));
}

/// [RFC 4475 3.1.1.4] An escaped NUL stays escaped; two of them are another user than one.
#[test]
fn escnull() {
    let bytes = own("escnull");
    assert!(!bytes.contains(&0));
    let message = parse(&bytes).unwrap();
    assert_eq!(message.to().unwrap().uri().user(), Some(&b"a%00b"[..]));
    let contacts = addresses(&message);
    let users: Vec<_> = contacts.iter().map(|c| c.uri().user()).collect();
    assert_eq!(users, [Some(&b"%00"[..]), Some(b"%00%00")]);
    assert!(!contacts[0].uri().equivalent(&contacts[1].uri()));
    let cut = Uri::parse(b"sip:a@slate.example.com").unwrap();
    assert!(!message.to().unwrap().uri().equivalent(&cut));
    let tag = Identifiers::new([7; 32], 1, 3).next();
    let answer = written(|b| Writer::respond_to(b, &message, 200, Some(tag)).finish()).unwrap();
    assert!(!answer.contains(&0));
}

/// [RFC 4475 3.1.1.5] A percent sign outside URIs escapes nothing.
#[test]
fn esc02() {
    let bytes = own("esc02");
    let message = parse(&bytes).unwrap();
    assert_eq!(message.method(), Some(Method::Other(b"%52EGISTE%52")));
    assert_eq!(message.to().unwrap().display(), Some(&b"%R%52"[..]));
    assert_eq!(message.via().unwrap().branch(), Some(&b"z9hG4bK77%qzt"[..]));
    let contacts = addresses(&message);
    let users: Vec<_> = contacts.iter().map(|c| c.uri().user().unwrap()).collect();
    assert_eq!(users, [b"first", b"third"]);
    let other = message.header_named(b"cont%61ct").unwrap();
    assert_eq!(other.raw(), b"<sip:second@pewter.example.com>");
}

/// [RFC 4475 3.1.1.6] A display name that touches its `<`.
#[test]
fn lwsdisp() {
    let bytes = own("lwsdisp");
    let from = parse(&bytes).unwrap().from().unwrap();
    assert_eq!(from.display(), Some(&b"mason"[..]));
    assert_eq!(from.uri_bytes(), b"sip:mason@slate.example.com");
    assert_eq!(from.tag(), Some(&b"98"[..]));
}

/// [RFC 4475 3.1.1.7] Long values are read whole.
#[test]
fn longreq() {
    let bytes = own("longreq");
    let message = parse(&bytes).unwrap();
    let to = message.to().unwrap();
    let display = format!(
        "A display name that goes on {}to its end",
        "and on ".repeat(180)
    );
    assert_eq!(to.display(), Some(display.as_bytes()));
    assert_eq!(to.uri().port(), Some(6100));
    assert_eq!(to.uri().params().value(b"first").unwrap().len(), 300);
    assert_eq!(to.uri().params().value(&[b'p'; 260]), Some(&b"v"[..]));
    assert!(to.uri().params().has(b"last"));
    let from = message.from().unwrap();
    assert_eq!(from.uri().user(), Some("mason".repeat(70).as_bytes()));
    assert_eq!(from.tag(), Some("4071".repeat(110).as_bytes()));
    assert_eq!(from.params().value(&[b'q'; 200]), Some(&[b'r'; 200][..]));
    assert_eq!(from.params().iter().count(), 3);
    assert_eq!(message.call_id().unwrap().len(), 8 + 4 * 90);
    let name = format!("Very-{}-Name", "Long".repeat(60));
    let long = message.header_named(name.as_bytes()).unwrap();
    assert_eq!(long.token(), "value".repeat(500).as_bytes());
    assert_eq!(
        long.params().value("param".repeat(60).as_bytes()),
        Some("setting".repeat(60).as_bytes())
    );
    let hosts: Vec<_> = message.vias().map(|via| via.unwrap().host()).collect();
    assert_eq!(hosts.len(), 34);
    for (place, host) in hosts.iter().take(33).enumerate() {
        let expected = format!("hop{}.slate.example.com", 33 - place);
        assert_eq!(*host, Host::Name(expected.as_bytes()));
    }
    let origin = message.vias().last().unwrap().unwrap();
    assert_eq!(origin.received(), Some(&b"192.0.2.66"[..]));
    assert_eq!(origin.branch().unwrap().len(), 3 + 4 * 60 + 6);
    let contact = only(addresses(&message));
    assert_eq!(contact.uri().user().unwrap().len(), 350);
}

/// [RFC 4475 3.1.1.8] What follows the body in the datagram is no part of the message. On a stream it is the
/// next message, after the line ends between.
#[test]
fn dblreq() {
    let bytes = own("dblreq");
    let message = parse(&bytes).unwrap();
    assert_eq!(message.method(), Some(Method::Register));
    assert_eq!(message.body(), b"");
    assert_eq!(message.end(), place(&bytes, "\r\n\r\n") + 4);
    assert_eq!(message.header_count(), 8);
    let limits = Limits::default();
    let first = frame(&bytes, &limits).unwrap().unwrap();
    assert_eq!(first, message.end());
    let second = frame(&bytes[first..], &limits).unwrap().unwrap();
    let second = parse(&bytes[first..first + second]).unwrap();
    assert_eq!(second.method(), Some(Method::Invite));
    assert_eq!(second.body().len(), 143);
}

/// [RFC 4475 3.1.1.9] Semicolons in a user part are the user's.
#[test]
fn semiuri() {
    let bytes = own("semiuri");
    let message = parse(&bytes).unwrap();
    let target = Uri::parse(message.request_uri().unwrap()).unwrap();
    assert_eq!(target.user(), Some(&b"jade;zone=n%40slate.example.net"[..]));
    assert_eq!(target.host(), Some(Host::Name(b"opal.example.com")));
    assert!(target.params().is_empty());
    let accepted: Vec<_> = message.accept().map(Result::unwrap).collect();
    assert_eq!(accepted.len(), 6);
    assert!(accepted[2].is(b"multipart", b"related"));
    assert!(message.lists(HeaderName::Accept, b"message/cpim"));
}

/// [RFC 4475 3.1.1.10] The transport of a Via is any token.
#[test]
fn transports() {
    let bytes = own("transports");
    let message = parse(&bytes).unwrap();
    let transports: Vec<_> = message.vias().map(|v| v.unwrap().transport()).collect();
    assert_eq!(
        transports,
        [&b"UDP"[..], b"SCTP", b"TLS", b"PIGEON", b"TCP"]
    );
}

/// [RFC 4475 3.1.1.11] A binary part holds every byte, line ends and NUL among them.
#[test]
fn mpart01() {
    let bytes = own("mpart01");
    let message = parse(&bytes).unwrap();
    assert_eq!(message.end(), bytes.len());
    assert!(message.body().starts_with(b"--q7-edge-41\r\n"));
    assert!(message.body().ends_with(b"\r\n--q7-edge-41--\r\n"));
    let every: Vec<u8> = (0..=255).collect();
    assert!(message.body().windows(256).any(|part| part == every));
    assert!(message.content_type_is(b"multipart/mixed"));
    let content_type = message.header(HeaderName::ContentType).unwrap();
    assert_eq!(
        content_type.params().value(b"boundary"),
        Some(&b"q7-edge-41"[..])
    );
    let media = message.content_type().unwrap().unwrap();
    assert!(media.is(b"multipart", b"mixed"));
    assert!(media.boundary.unwrap().is(b"q7-edge-41"));
    let date = message.date().unwrap().unwrap();
    assert_eq!(date.unix(), 1_678_180_211);
    let identity = message.header(HeaderName::Identity).unwrap();
    assert!(identity.raw().ends_with(b"/+w=="));
    assert_eq!(message.via().unwrap().rport(), Some(None));
    assert_eq!(message.call_id().unwrap(), b"77aa51@cGV3dGVy..");
}

/// [RFC 4475 3.1.1.12] [RFC 4475 3.1.1.13] A reason phrase is any text, also none.
#[test]
fn unreason_and_noreason() {
    for (name, expected, text) in [
        (
            "unreason",
            200,
            "= 3**2 * 2**3 - χαῖρε, ὦ κόσμε; 72 / 1 = 72",
        ),
        ("noreason", 180, ""),
    ] {
        let bytes = own(name);
        let message = parse(&bytes).unwrap();
        let StartLine::Response { status, reason } = message.start() else {
            panic!("{name}");
        };
        assert_eq!((status, reason), (expected, text.as_bytes()), "{name}");
    }
}

/// [RFC 4475 3.1.2.4] Times too large are clamped, where the sequence number alone is refused.
#[test]
fn scalar02() {
    let bytes = own("scalar02");
    let message = parse(&bytes).unwrap();
    assert_eq!(message.expires(), Ok(Some(u32::MAX)));
    let contact = only(addresses(&message));
    assert_eq!(contact.params().number(b"expires"), Some(u32::MAX));
    assert_eq!(
        message.max_forwards().unwrap_err().defect,
        &defect::MAX_FORWARDS
    );
}

/// [RFC 4475 3.1.2.5] A Retry-After too large is clamped; a warning code has three digits.
#[test]
fn scalarlg() {
    let bytes = own("scalarlg");
    let message = parse(&bytes).unwrap();
    let wait = message.retry_after().unwrap().unwrap();
    assert_eq!(wait.seconds, u32::MAX);
    let reject = message.warnings().next().unwrap().unwrap_err();
    assert_eq!(reject.defect, &defect::WARNING);
}

/// [RFC 4475 3.1.2.11] Headers of a Request-URI stand apart, and are no header fields.
#[test]
fn escruri() {
    let bytes = own("escruri");
    let message = parse(&bytes).unwrap();
    let target = Uri::parse(message.request_uri().unwrap()).unwrap();
    assert_eq!(target.user(), Some(&b"jade"[..]));
    assert_eq!(target.headers(), b"Route=%3Csip:onyx.example.com%3E");
    assert!(target.params().is_empty());
    assert!(message.header(HeaderName::Route).is_none());
}

/// [RFC 4475 3.2.1] A branch of the cookie alone is read as it stands.
#[test]
fn badbranch() {
    let bytes = own("badbranch");
    assert_eq!(
        parse(&bytes).unwrap().via().unwrap().branch(),
        Some(&b"z9hG4bK"[..])
    );
}

/// [RFC 4475 3.3.2] [RFC 4475 3.3.3] [RFC 4475 3.3.4] URIs of schemes that are not ours stay bytes.
#[test]
fn unknown_schemes() {
    for (name, uri) in [
        ("unkscm", &b"unheardOfScheme:whateverfollows"[..]),
        ("novelsc", b"xmpp.http://192.0.2.54:3110"),
    ] {
        let bytes = own(name);
        let message = parse(&bytes).unwrap();
        assert_eq!(message.request_uri(), Some(uri), "{name}");
        let read = Uri::parse(uri).unwrap();
        assert_eq!(
            (read.scheme(), read.host(), read.user()),
            (Scheme::Other, None, None)
        );
    }
    let bytes = own("unksm2");
    let message = parse(&bytes).unwrap();
    let to = message.to().unwrap();
    assert_eq!((to.uri_bytes(), to.tag()), (&b"issn:1234-5679"[..], None));
    let from = message.from().unwrap();
    assert_eq!(from.uri_bytes(), b"ftp://files.slate.example.com");
    assert_eq!(from.tag(), Some(&b"681"[..]));
    let contact = only(addresses(&message)).uri();
    assert_eq!(
        (contact.scheme(), contact.raw()),
        (Scheme::Other, &b"person:Jane_Stone"[..])
    );
}

/// [RFC 4475 3.3.5] [RFC 4475 3.3.15] Options and media types that nobody knows are listed all the same.
#[test]
fn unknown_options() {
    let bytes = own("bext01");
    let message = parse(&bytes).unwrap();
    let required: Vec<_> = message
        .tokens(HeaderName::Require)
        .map(Result::unwrap)
        .collect();
    assert_eq!(
        required,
        [Token(b"nobodyHasThis"), Token(b"nobodyHasThatEither")]
    );
    assert!(message.lists(HeaderName::ProxyRequire, b"proxiesLackThis"));
    let bytes = own("sdp01");
    let message = parse(&bytes).unwrap();
    assert!(message.lists(HeaderName::Accept, b"text/unheardOf"));
    assert!(!message.lists(HeaderName::Accept, b"application/sdp"));
    let bytes = own("invut");
    let message = parse(&bytes).unwrap();
    assert!(message.content_type_is(b"application/unheardof"));
}

/// [RFC 4475 3.3.7] Credentials of an unknown scheme are kept, not read.
#[test]
fn regaut01() {
    let bytes = own("regaut01");
    let credentials = parse(&bytes).unwrap().authorization().unwrap().unwrap();
    assert_eq!(credentials.scheme(), b"UnheardOfScheme");
    assert_eq!(credentials.credentials(), b"sealed-data=within");
    assert!(!credentials.is_digest());
    assert_eq!(credentials.params().count(), 0);
}

/// [RFC 4475 3.3.10] [RFC 4475 3.3.11] A broadcast address and no forwards left are values like others.
#[test]
fn bcast_and_zeromf() {
    let bytes = own("bcast");
    let message = parse(&bytes).unwrap();
    let hosts: Vec<_> = message.vias().map(|via| via.unwrap().host()).collect();
    assert_eq!(hosts, [Host::V4([192, 0, 2, 58]), Host::V4([255; 4])]);
    let bytes = own("zeromf");
    assert_eq!(parse(&bytes).unwrap().max_forwards(), Ok(Some(0)));
}

/// [RFC 4475 3.3.12] [RFC 4475 3.3.13] [RFC 4475 3.3.14] What follows a bare URI is the header field's; what
/// stands inside `<` and `>` is the URI's.
#[test]
fn parameters_of_a_contact() {
    for (name, of_uri) in [("cparam01", false), ("cparam02", true)] {
        let bytes = own(name);
        let contact = only(addresses(&parse(&bytes).unwrap()));
        assert_eq!(contact.uri().user(), Some(&b"+15550100"[..]), "{name}");
        assert_eq!(contact.uri().params().has(b"unheardof"), of_uri, "{name}");
        assert_eq!(contact.params().has(b"unheardof"), !of_uri, "{name}");
    }
    let bytes = own("regescrt");
    let contact = only(addresses(&parse(&bytes).unwrap()));
    assert_eq!(
        contact.uri().headers(),
        b"Route=%3Csip:sip.onyx.example.com%3E"
    );
    assert!(contact.params().is_empty());
}

/// [RFC 4475 3.4.1] A request of RFC 2543.
#[test]
fn inv2543() {
    let bytes = own("inv2543");
    let message = parse(&bytes).unwrap();
    assert_eq!(message.via().unwrap().branch(), None);
    assert_eq!(message.from().unwrap().tag(), None);
    assert_eq!(message.max_forwards(), Ok(None));
    let to = message.to().unwrap();
    assert_eq!(to.uri_bytes(), b"sip:+12025550122@edge1.example.net");
    assert_eq!(to.params().value(b"user"), Some(&b"phone"[..]));
    let route = message
        .name_addrs(HeaderName::RecordRoute)
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(
        route.uri().params().value(b"maddr"),
        Some(&b"edge1.example.com"[..])
    );
    assert_eq!(message.body().len(), 143);
    assert_eq!(message.end(), bytes.len());
}
