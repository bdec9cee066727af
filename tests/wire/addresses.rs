//! URIs, addresses, lists of them, parameters, Via.

use ims_procedures::{
    drive::{Defect, Reject},
    wire::{Contact, HeaderName, Host, MAGIC_COOKIE, NameAddr, Params, Scheme, Uri, Via, defect},
};

use crate::support::{parse, request_with};

fn uri(text: &str) -> Uri<'_> {
    Uri::parse(text.as_bytes()).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn address(text: &str) -> NameAddr<'_> {
    NameAddr::parse(text.as_bytes()).unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// [RFC 3261 19.1.1] The parts of a SIP URI.
#[test]
fn parts_of_a_sip_uri() {
    let text = "sips:alice;day=tue:s%20cret@[2001:db8::1]:5071;transport=tcp;lr?Subject=x&to=y";
    let read = uri(text);
    assert_eq!(read.scheme(), Scheme::Sips);
    assert_eq!(read.user(), Some(&b"alice;day=tue"[..]));
    assert_eq!(read.password(), Some(&b"s%20cret"[..]));
    let mut address = [0; 16];
    address[..4].copy_from_slice(&[0x20, 1, 0x0d, 0xb8]);
    address[15] = 1;
    assert_eq!(read.host(), Some(Host::V6(address)));
    assert_eq!((read.port(), read.effective_port()), (Some(5071), 5071));
    assert_eq!(read.params().value(b"Transport"), Some(&b"tcp"[..]));
    assert!(read.is_loose_router());
    assert_eq!(read.headers(), b"Subject=x&to=y");
    assert_eq!(read.raw(), text.as_bytes());
    let read = uri("SIP:home1.example.net");
    assert_eq!(
        (read.scheme(), read.user(), read.port()),
        (Scheme::Sip, None, None)
    );
    assert_eq!(read.host(), Some(Host::Name(b"home1.example.net")));
    assert!(read.params().is_empty() && read.headers().is_empty());
    assert_eq!(read.effective_port(), 5060);
    assert_eq!(uri("sips:a").effective_port(), 5061);
    assert_eq!(
        uri("sip:192.0.2.1:0").host(),
        Some(Host::V4([192, 0, 2, 1]))
    );
    assert_eq!(uri("sip:a?x=y").headers(), b"x=y");
    assert_eq!(uri("sip:+1-555@a;user=phone").user(), Some(&b"+1-555"[..]));
    assert_eq!(
        uri("sip:user;par=u%40example.net@example.com").host(),
        Some(Host::Name(b"example.com"))
    );
}

/// [RFC 3966 3] Telephone numbers, and URIs that stay bytes.
#[test]
fn other_schemes() {
    let read = uri("TEL:+1-201-555-0123;ext=22;phone-context=example.com");
    assert_eq!(read.scheme(), Scheme::Tel);
    assert_eq!(read.user(), Some(&b"+1-201-555-0123"[..]));
    assert_eq!(read.host(), None);
    assert_eq!(read.params().value(b"ext"), Some(&b"22"[..]));
    assert_eq!(uri("tel:*21#;phone-context=+1").scheme(), Scheme::Tel);
    assert_eq!(uri("urn:gsma:imei:90420156-025763-0").scheme(), Scheme::Urn);
    assert_eq!(uri("http://a.example/x?y@z").scheme(), Scheme::Other);
    assert_eq!(uri("x-y+z.1:q").scheme(), Scheme::Other);
}

/// [RFC 3261 19.1.1] What is no URI, and where it fails.
#[test]
fn uris_that_are_none() {
    let cases: [(&str, &Defect, usize); 31] = [
        ("", &defect::SCHEME, 0),
        ("alice", &defect::SCHEME, 0),
        (":a", &defect::SCHEME, 0),
        ("1sip:a", &defect::SCHEME, 0),
        ("s p:a", &defect::SCHEME, 0),
        ("urn:", &defect::SCHEME, 4),
        ("urn:a b", &defect::URI_BYTE, 5),
        ("sip:", &defect::HOST, 4),
        ("sip:@a", &defect::USER, 4),
        ("sip::pw@a", &defect::USER, 4),
        ("sip:a@", &defect::HOST, 6),
        ("sip:a@b@c", &defect::AFTER_HOST, 7),
        ("sip:a@b;x=@c", &defect::USER, 10),
        ("sip:a@b;x?y=@c", &defect::USER, 12),
        ("sip:a b@c", &defect::URI_BYTE, 5),
        ("sip:a\r\n b@c", &defect::URI_BYTE, 5),
        ("sip:a@b;c=\"d\"", &defect::URI_BYTE, 10),
        ("sip:a@b c", &defect::URI_BYTE, 7),
        ("sip:a@b:", &defect::PORT, 8),
        ("sip:a@b:65536", &defect::PORT, 8),
        ("sip:a@b:000080", &defect::PORT, 8),
        ("sip:a@b:80x", &defect::AFTER_HOST, 10),
        ("sip:a@b:-1", &defect::PORT, 8),
        ("sip:[2001:db8::1", &defect::HOST, 4),
        ("sip:[2001:db8:::1]", &defect::HOST, 4),
        ("sip:[192.0.2.1]", &defect::HOST, 4),
        ("sip:2001:db8::1", &defect::HOST, 4),
        ("sip:192.0.2", &defect::HOST, 4),
        ("sip:192.0.2.256", &defect::HOST, 4),
        ("sip:.a", &defect::HOST, 4),
        ("tel:+", &defect::TEL, 4),
    ];
    for (text, what, at) in cases {
        let reject = Uri::parse(text.as_bytes()).unwrap_err();
        assert_eq!((reject.defect, reject.at as usize), (what, at), "{text:?}");
    }
    for text in ["tel:", "tel:-.()", "tel:alice", "tel:+1 2", "tel:;ext=1"] {
        assert!(Uri::parse(text.as_bytes()).is_err(), "{text}");
    }
}

/// [RFC 3261 25.1] Hosts that stand alone.
#[test]
fn hosts() {
    assert_eq!(Host::parse(b"A.example."), Ok(Host::Name(b"a.EXAMPLE")));
    assert_eq!(Host::parse(b"[::1]"), Host::parse(b"[0:0::1]"));
    assert_ne!(Host::parse(b"a"), Host::parse(b"b"));
    assert_eq!(Host::parse(b"a:5060").unwrap_err().at, 1);
    assert!(Host::parse(b"").is_err());
    assert!(Host::parse(b"1.2.3.04").is_err());
    assert!(Host::parse(b"3gpp.example").is_ok());
}

/// [RFC 5118 4.10] Three colons before an IPv4 tail, as the grammar of RFC 3261 gives them, stand for two;
/// nowhere else.
#[test]
fn three_colons_before_an_ipv4_tail() {
    for (three, two) in [
        ("[2001:db8:::192.0.2.1]", "[2001:db8::192.0.2.1]"),
        ("[:::192.0.2.1]", "[::192.0.2.1]"),
        ("[1:2:3:4:5:::192.0.2.1]", "[1:2:3:4:5::192.0.2.1]"),
    ] {
        let read = Host::parse(three.as_bytes());
        assert!(read.is_ok(), "{three}");
        assert_eq!(read, Host::parse(two.as_bytes()), "{three}");
    }
    for text in [
        "[2001:db8:::1]",
        "[2001:db8::::192.0.2.1]",
        "[1:2:3:4:5:6:::192.0.2.1]",
        "[1::2:::192.0.2.1]",
        "[2001:db8:::192.0.2]",
        "[:::]",
    ] {
        let reject = Host::parse(text.as_bytes()).unwrap_err();
        assert_eq!((reject.defect, reject.at), (&defect::HOST, 0), "{text}");
    }
}

/// [RFC 3261 20.10] The forms of an address.
#[test]
fn forms_of_an_address() {
    let read = address(
        "\"Alice \\\"A, B; <C>\\\\\" \r\n <sip:a,b;c=d@e;f=g?h=i> ; tag = 1 ;x=\"y;,z\" ; q",
    );
    assert_eq!(read.display(), Some(&b"Alice \\\"A, B; <C>\\\\"[..]));
    assert_eq!(read.uri_bytes(), b"sip:a,b;c=d@e;f=g?h=i");
    assert_eq!(read.uri().params().value(b"f"), Some(&b"g"[..]));
    assert_eq!(read.tag(), Some(&b"1"[..]));
    assert_eq!(read.params().value(b"x"), Some(&b"y;,z"[..]));
    assert_eq!(read.params().get(b"X"), Some(Some(&b"\"y;,z\""[..])));
    assert_eq!(read.params().get(b"q"), Some(None));
    assert_eq!(read.params_raw(), b"; tag = 1 ;x=\"y;,z\" ; q");
    let read = address("Alice B. Smith <sip:a@b>");
    assert_eq!(read.display(), Some(&b"Alice B. Smith"[..]));
    assert_eq!((read.params_raw(), read.tag()), (&b""[..], None));
    assert_eq!(address("\"\"<sip:a>").display(), Some(&b""[..]));
    assert_eq!(address("<sip:a>").display(), None);
    let read = address("sip:a@b;tag=1");
    assert_eq!(read.uri_bytes(), b"sip:a@b");
    assert_eq!(read.tag(), Some(&b"1"[..]));
    assert!(read.uri().params().is_empty());
    assert_eq!(address(" <tel:+1-2> ").raw(), b"<tel:+1-2>");
    assert_eq!(address("tel:+1").uri().scheme(), Scheme::Tel);
}

/// [RFC 5626 4.1] The instance of a Contact as IMS sends it.
#[test]
fn contact_with_instance() {
    let text = "<sip:001010123456789@[2001:db8::aaa:bbb]:1357>;expires=600000;\
                +sip.instance=\"<urn:gsma:imei:90420156-025763-0>\";reg-id=1;\
                +g.3gpp.icsi-ref=\"urn%3Aurn-7%3A3gpp-service.ims.icsi.mmtel\";+g.3gpp.smsip;video";
    let read = address(text);
    let params = read.params();
    assert_eq!(
        params.value(b"+SIP.instance"),
        Some(&b"<urn:gsma:imei:90420156-025763-0>"[..])
    );
    assert_eq!(params.number(b"expires"), Some(600_000));
    assert_eq!(params.number(b"reg-id"), Some(1));
    assert!(params.has(b"+g.3gpp.smsip") && params.has(b"video") && !params.has(b"audio"));
    assert_eq!(params.iter().count(), 6);
    assert_eq!(read.uri().port(), Some(1357));
}

/// [RFC 3261 7.3.1] Several addresses in one field and in several; commas inside quotes, angle brackets and
/// parameters do not separate.
#[test]
fn lists_of_addresses() {
    let bytes = request_with(
        "P-Associated-URI: \"Doe, John\" <sip:a@b>;x=\"1,2\" ,, <sip:c,d@e>\r\n ,tel:+1\r\n\
         P-Associated-URI:\r\nP-ASSOCIATED-uri: <sip:f>\r\n",
    );
    let message = parse(&bytes).unwrap();
    let read: Vec<NameAddr<'_>> = message
        .name_addrs(HeaderName::PAssociatedUri)
        .map(Result::unwrap)
        .collect();
    let raws: Vec<&[u8]> = read.iter().map(NameAddr::raw).collect();
    assert_eq!(
        raws,
        [
            &b"\"Doe, John\" <sip:a@b>;x=\"1,2\""[..],
            b"<sip:c,d@e>",
            b"tel:+1",
            b"<sip:f>"
        ]
    );
    assert_eq!(read[1].uri_bytes(), b"sip:c,d@e");
}

/// [RFC 3261 20.10] What is no address; the offset counts from the start of the message, and nothing follows
/// an error.
#[test]
fn addresses_that_are_none() {
    let cases: [(&str, &Defect, usize); 12] = [
        ("\"Alice <sip:a>", &defect::UNCLOSED_QUOTE, 0),
        ("\"Alice\\\" <sip:a>", &defect::UNCLOSED_QUOTE, 0),
        ("\"Alice\" sip:a", &defect::DISPLAY_NAME, 8),
        ("Ali\"ce\" <sip:a>", &defect::DISPLAY_NAME, 3),
        ("<sip:a> x", &defect::AFTER_ADDRESS, 8),
        ("<sip:a>>", &defect::AFTER_ADDRESS, 7),
        ("<sip:a>;x=\"y", &defect::UNCLOSED_QUOTE, 10),
        ("sip:a?x=y", &defect::BARE_URI, 5),
        ("< sip:a>", &defect::SCHEME, 1),
        ("<>", &defect::SCHEME, 1),
        ("<sip:a b@c>", &defect::URI_BYTE, 6),
        ("<sip:a\r\n @c>", &defect::URI_BYTE, 6),
    ];
    for (text, what, at) in cases {
        let bytes = request_with(&format!("Path: <sip:ok>, {text}, <sip:never>\r\n"));
        let from = bytes.windows(6).position(|w| w == b"Path: ").unwrap() + 16;
        let message = parse(&bytes).unwrap();
        let mut list = message.name_addrs(HeaderName::Path);
        assert!(list.next().unwrap().is_ok());
        let reject = list.next().unwrap().unwrap_err();
        assert_eq!(
            (reject.defect, reject.at as usize),
            (what, from + at),
            "{text}"
        );
        assert!(list.next().is_none(), "{text}");
    }
    let reject = NameAddr::parse(b"A <sip:a").unwrap_err();
    assert_eq!((reject.defect, reject.at), (&defect::UNCLOSED_ANGLE, 2));
    let reject = NameAddr::parse(b"<sip:a>, <sip:b>").unwrap_err();
    assert_eq!(reject.defect, &defect::ONE_ADDRESS);
    assert!(NameAddr::parse(b"").is_err());
    assert!(NameAddr::parse(b"<sip:a>,").is_err());
}

/// [RFC 3261 25.1] A quoted string in a parameter is its whole value: else what a semicolon in it separates
/// has two readings.
#[test]
fn quotes_where_they_do_not_belong() {
    for text in [
        "<sip:a>;x=a\";tag=evil\"",
        "<sip:a>;\"x\"=a",
        "<sip:a>;x=\"a\"b",
        "<sip:a>;x=\"a\"\"b\"",
        "<sip:a>;x=\"a\" ;y\"b\"",
    ] {
        let reject = NameAddr::parse(text.as_bytes()).unwrap_err();
        assert_eq!(reject.defect, &defect::MISPLACED_QUOTE, "{text}");
    }
    assert!(NameAddr::parse(b"<sip:a>;x = \r\n \"a\" ;y=\"\\\"\"").is_ok());
}

/// [RFC 3261 7.3.1] A contact with two lifetimes, instances or flows has two readings.
#[test]
fn contact_parameters_that_stand_twice() {
    for params in [
        "expires=0;Expires=3600",
        "+sip.instance=\"<urn:a>\";x;+SIP.instance=\"<urn:b>\"",
        "reg-id=1;reg-id=2",
    ] {
        let bytes = request_with(&format!("Contact: <sip:a>;{params}\r\n"));
        let message = parse(&bytes).unwrap();
        let reject = message.contacts().next().unwrap().unwrap_err();
        assert_eq!(reject.defect, &defect::PARAMETER_TWICE, "{params}");
    }
    let bytes = request_with("Contact: <sip:a>;expires=0;reg-id=1, <sip:b>;expires=0;reg-id=1\r\n");
    assert_eq!(
        parse(&bytes)
            .unwrap()
            .contacts()
            .filter(Result::is_ok)
            .count(),
        2
    );
}

/// [RFC 3261 10.2.2] `*`, and lists that hold it beside others.
#[test]
fn contact_star() {
    let kinds = |lines: &str| -> Vec<bool> {
        let bytes = request_with(lines);
        let message = parse(&bytes).unwrap();
        message
            .contacts()
            .map(|c| matches!(c.unwrap(), Contact::Star))
            .collect()
    };
    assert_eq!(kinds("Contact: *\r\n"), [true]);
    assert_eq!(
        kinds("m:*\r\nContact: <sip:a>, * ,<sip:b>\r\n"),
        [true, false, true, false]
    );
    assert_eq!(kinds(""), [false; 0]);
    let bytes = request_with("Contact: *;expires=0\r\n");
    let message = parse(&bytes).unwrap();
    assert!(message.contacts().next().unwrap().is_err());
}

/// [RFC 3261 7.3.1] Parameters in any spacing, empty ones, repeated ones, numbers out of range.
#[test]
fn parameters() {
    let params = Params::new(
        b"icid-value=\"a=b;c\"; ORIG-ioi = home1.net;;a;a=1;n=007;big=99999999999;neg=-1; ",
    );
    let names: Vec<String> = params
        .iter()
        .map(|(name, _)| String::from_utf8_lossy(name).into_owned())
        .collect();
    assert_eq!(
        names,
        ["icid-value", "ORIG-ioi", "a", "a", "n", "big", "neg"]
    );
    assert_eq!(params.value(b"icid-value"), Some(&b"a=b;c"[..]));
    assert_eq!(params.value(b"orig-ioi"), Some(&b"home1.net"[..]));
    assert!(params.repeats(b"A") && !params.repeats(b"n"));
    assert_eq!(params.get(b"a"), Some(None));
    assert_eq!(params.number(b"n"), Some(7));
    assert_eq!(params.number(b"big"), Some(u32::MAX));
    assert_eq!(params.number(b"neg"), None);
    assert_eq!(Params::new(b"").iter().count(), 0);
    assert_eq!(Params::new(b";x=\"open;y=1").iter().count(), 1);
    assert_eq!(Params::new(b";x=").get(b"x"), Some(Some(&b""[..])));
    let odd = Params::new(b";branch=z9:a?b@c=d;next");
    assert_eq!(odd.value(b"branch"), Some(&b"z9:a?b@c=d"[..]));
    assert!(odd.has(b"next"));
    assert!(Params::new(b"a:b@c?=1").has(b"a:b@c?"));
}

/// [RFC 3261 20.42] [RFC 3581 3] The parts of a Via, in one field or several.
#[test]
fn parts_of_a_via() {
    let bytes = b"BYE sip:a SIP/2.0\r\n\
        Via: SIP/2.0/UDP pcscf1.visited1.net:5060;branch=z9hG4bK1;rport=99;received=192.0.2.9 , \
        SIP / 2.0 / TLS \t[2001:db8::1] : 1357 ; branch = x;rport;ttl=3;maddr=224.0.0.1\r\n\
        v: sip/2.0/tcp 192.0.2.3\r\n\r\n";
    let message = parse(bytes).unwrap();
    let vias: Vec<Via<'_>> = message.vias().map(Result::unwrap).collect();
    assert_eq!(vias.len(), 3);
    assert_eq!(vias[0].transport(), b"UDP");
    assert_eq!(vias[0].sent_by_raw(), b"pcscf1.visited1.net:5060");
    assert_eq!(vias[0].host(), Host::Name(b"PCSCF1.visited1.net"));
    assert_eq!(vias[0].port(), Some(5060));
    assert!(vias[0].branch().unwrap().starts_with(MAGIC_COOKIE));
    assert_eq!(vias[0].received(), Some(&b"192.0.2.9"[..]));
    assert_eq!(vias[0].rport(), Some(Some(99)));
    assert_eq!(vias[1].transport(), b"TLS");
    assert_eq!(vias[1].port(), Some(1357));
    assert_eq!(vias[1].branch(), Some(&b"x"[..]));
    assert_eq!(vias[1].rport(), Some(None));
    assert_eq!(vias[1].params().number(b"ttl"), Some(3));
    assert_eq!(vias[2].host(), Host::V4([192, 0, 2, 3]));
    assert_eq!(
        (vias[2].port(), vias[2].rport(), vias[2].branch()),
        (None, None, None)
    );
    assert!(vias[2].params().is_empty());
    assert_eq!(message.via().unwrap().raw(), vias[0].raw());
}

/// [RFC 3261 20.42] What is no Via.
#[test]
fn vias_that_are_none() {
    let cases: [(&str, &Defect); 13] = [
        ("", &defect::VIA_PROTOCOL),
        ("SIP/2.0", &defect::VIA_PROTOCOL),
        ("SIP/3.0/UDP a", &defect::VIA_PROTOCOL),
        ("HTTP/2.0/UDP a", &defect::VIA_PROTOCOL),
        ("SIP/2.0/ a", &defect::VIA_PROTOCOL),
        ("SIP/2.0/UDP", &defect::VIA_PROTOCOL),
        ("SIP/2.0/UDP ;branch=x", &defect::SENT_BY),
        ("SIP/2.0/UDP a:", &defect::SENT_BY),
        ("SIP/2.0/UDP a:99999", &defect::SENT_BY),
        ("SIP/2.0/UDP [::1;branch=x", &defect::SENT_BY),
        ("SIP/2.0/UDP a b", &defect::AFTER_SENT_BY),
        ("SIP/2.0/UDP a;x=\"y", &defect::UNCLOSED_QUOTE),
        ("SIP/2.0/UDP a;branch=x;BRANCH=y", &defect::PARAMETER_TWICE),
    ];
    for (text, what) in cases {
        let bytes = format!("BYE sip:a SIP/2.0\r\nVia: {text}\r\n\r\n");
        let message = parse(bytes.as_bytes()).unwrap();
        assert_eq!(message.via().unwrap_err().defect, what, "{text}");
    }
    let message = parse(b"BYE sip:a SIP/2.0\r\n\r\n").unwrap();
    assert_eq!(message.via().unwrap_err().defect, &defect::NO_VIA);
}

/// The longest value that is read.
const LONGEST: usize = 65_535;

/// `front`, as many `a` as make `bytes` bytes of it all, `back`.
fn filled(front: &str, back: &str, bytes: usize) -> String {
    let room = bytes - front.len() - back.len();
    [front, &"a".repeat(room), back].concat()
}

/// [DR-5] In the longest URI every part is where it stands, up to the last byte; one byte more is refused.
#[test]
fn the_longest_uri() {
    let read_at_the_bound = |front: &str, back: &str, check: &dyn Fn(Uri<'_>, &str)| {
        let text = filled(front, back, LONGEST);
        let filling = &text[front.len()..text.len() - back.len()];
        check(uri(&text), filling);
        let longer = filled(front, back, LONGEST + 1);
        let reject = Uri::parse(longer.as_bytes()).unwrap_err();
        assert_eq!(reject.defect, &defect::VALUE_TOO_LONG, "{front}{back}");
        assert_eq!(reject.at as usize, LONGEST);
    };
    read_at_the_bound("sip:", ":pw@b.example:5061;x=y?h=v", &|uri, user| {
        assert_eq!(uri.user(), Some(user.as_bytes()));
        assert_eq!(uri.password(), Some(&b"pw"[..]));
        assert_eq!(uri.host(), Some(Host::Name(b"b.example")));
        assert_eq!(uri.port(), Some(5061));
        assert_eq!(uri.params().value(b"x"), Some(&b"y"[..]));
        assert_eq!(uri.headers(), b"h=v");
    });
    read_at_the_bound("sip:u@", "", &|uri, host| {
        assert_eq!(uri.host(), Some(Host::Name(host.as_bytes())));
        assert_eq!(uri.port(), None);
        assert_eq!(uri.params().iter().count(), 0);
        assert_eq!(uri.headers(), b"");
    });
    read_at_the_bound("sips:", "@[2001:db8::1]:5063", &|uri, user| {
        assert_eq!(uri.user(), Some(user.as_bytes()));
        assert!(matches!(uri.host(), Some(Host::V6(_))));
        assert_eq!(uri.port(), Some(5063));
    });
    read_at_the_bound("sip:b.example;x=", ";lr", &|uri, value| {
        assert_eq!(uri.params().value(b"x"), Some(value.as_bytes()));
        assert!(uri.is_loose_router());
    });
    read_at_the_bound("tel:+1;x=", ";ext=7", &|uri, value| {
        assert_eq!(uri.user(), Some(&b"+1"[..]));
        assert_eq!(uri.params().value(b"x"), Some(value.as_bytes()));
        assert_eq!(uri.params().value(b"ext"), Some(&b"7"[..]));
    });
}

/// [DR-5] In the longest address every part is where it stands, up to the last byte; one byte more is refused.
#[test]
fn the_longest_address() {
    let read_at_the_bound = |front: &str, back: &str, check: &dyn Fn(NameAddr<'_>, &str)| {
        let text = filled(front, back, LONGEST);
        let filling = &text[front.len()..text.len() - back.len()];
        check(address(&text), filling);
        let longer = filled(front, back, LONGEST + 1);
        let reject = NameAddr::parse(longer.as_bytes()).unwrap_err();
        assert_eq!(reject.defect, &defect::VALUE_TOO_LONG, "{front}{back}");
        assert_eq!(reject.at as usize, LONGEST);
    };
    read_at_the_bound("\"", "\" <sip:b@h.example>;tag=x", &|address, display| {
        assert_eq!(address.display(), Some(display.as_bytes()));
        assert_eq!(address.uri_bytes(), b"sip:b@h.example");
        assert_eq!(address.uri().user(), Some(&b"b"[..]));
        assert_eq!(address.tag(), Some(&b"x"[..]));
    });
    read_at_the_bound("<sip:", "@h.example;x=y>", &|address, user| {
        assert_eq!(address.uri().user(), Some(user.as_bytes()));
        assert_eq!(address.uri().host(), Some(Host::Name(b"h.example")));
        assert_eq!(address.uri().params().value(b"x"), Some(&b"y"[..]));
        assert_eq!(address.params_raw(), b"");
    });
    read_at_the_bound("<sip:h.example>;x=", ";tag=y", &|address, value| {
        assert_eq!(address.params().value(b"x"), Some(value.as_bytes()));
        assert_eq!(address.tag(), Some(&b"y"[..]));
    });
    read_at_the_bound("sip:h.example;tag=", "", &|address, tag| {
        assert_eq!(address.uri_bytes(), b"sip:h.example");
        assert_eq!(address.tag(), Some(tag.as_bytes()));
    });
}

/// [DR-5] In the longest Via every part is where it stands, up to the last byte; one byte more is refused.
#[test]
fn the_longest_via() {
    let first = |text: &str, check: &dyn Fn(Result<Via<'_>, Reject>)| {
        check(Via::parse_list(text.as_bytes()).next().unwrap());
    };
    let read_at_the_bound = |front: &str, back: &str, check: &dyn Fn(Via<'_>, &str)| {
        let text = filled(front, back, LONGEST);
        let filling = &text[front.len()..text.len() - back.len()];
        first(&text, &|via| check(via.unwrap(), filling));
        first(&filled(front, back, LONGEST + 1), &|via| {
            let reject = via.unwrap_err();
            assert_eq!(reject.defect, &defect::VALUE_TOO_LONG, "{front}{back}");
            assert_eq!(reject.at as usize, LONGEST);
        });
    };
    let tail = ";received=192.0.2.1;rport=5062;branch=z9hG4bKx";
    read_at_the_bound("SIP/2.0/UDP b.example:5061;x=", tail, &|via, value| {
        assert_eq!(via.transport(), b"UDP");
        assert_eq!(via.sent_by_raw(), b"b.example:5061");
        assert_eq!(via.params().value(b"x"), Some(value.as_bytes()));
        assert_eq!(via.received(), Some(&b"192.0.2.1"[..]));
        assert_eq!(via.rport(), Some(Some(5062)));
        assert_eq!(via.branch(), Some(&b"z9hG4bKx"[..]));
    });
    read_at_the_bound("SIP/2.0/", " b.example:5061;branch=y", &|via, transport| {
        assert_eq!(via.transport(), transport.as_bytes());
        assert_eq!(via.host(), Host::Name(b"b.example"));
        assert_eq!(via.port(), Some(5061));
        assert_eq!(via.branch(), Some(&b"y"[..]));
    });
    read_at_the_bound("SIP/2.0/TCP ", "", &|via, host| {
        assert_eq!(via.host(), Host::Name(host.as_bytes()));
        assert_eq!(via.params().iter().count(), 0);
    });
}
