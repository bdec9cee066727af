//! The cases of RFC 5118, in messages of our own; `tests/fixtures/rfc5118/README.md` tells what each is about.

use std::{collections::BTreeSet, net::Ipv6Addr};

use ims_procedures::wire::{Contact, Edit, Host, Message, Uri, Via, defect, rewrite};

use crate::support::{fixture, fixture_files, parse, read, written};

const ACCEPTED: [&str; 11] = [
    "ipv6-good",
    "port-ambiguous",
    "port-unambiguous",
    "via-received-param-with-delim",
    "via-received-param-no-delim",
    "ipv6-in-sdp",
    "mult-ip-in-header",
    "mult-ip-in-sdp",
    "ipv4-mapped-ipv6",
    "ipv6-bug-abnf-3-colons",
    "ipv6-correct-abnf-2-colons",
];

fn own(name: &str) -> Vec<u8> {
    fixture(&format!("rfc5118/{name}.sip"))
}

fn v6(text: &str) -> Host<'static> {
    Host::V6(text.parse::<Ipv6Addr>().unwrap().octets())
}

fn target<'a>(message: &Message<'a>) -> Uri<'a> {
    Uri::parse(message.request_uri().unwrap()).unwrap()
}

fn contact<'a>(message: &Message<'a>) -> Uri<'a> {
    match message.contacts().next() {
        Some(Ok(Contact::Addr(address))) => address.uri(),
        other => panic!("{other:?}"),
    }
}

/// [RFC 5118 4] Eleven of the twelve are read to the last value and passed on byte for byte.
#[test]
fn every_case_is_there() {
    let stem = |path: std::path::PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let files: BTreeSet<String> = fixture_files("rfc5118").into_iter().map(stem).collect();
    let names: BTreeSet<String> = ACCEPTED
        .iter()
        .chain(&["ipv6-bad"])
        .map(|name| (*name).to_owned())
        .collect();
    assert_eq!(files, names);
    for name in ACCEPTED {
        let bytes = own(name);
        read(&bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        let message = parse(&bytes).unwrap();
        let copy = written(|b| rewrite(&message, b, |_| Edit::Keep)).unwrap();
        assert_eq!(copy, bytes, "{name}");
    }
}

/// [RFC 5118 4.1] References in brackets.
#[test]
fn references() {
    let bytes = own("ipv6-good");
    let message = parse(&bytes).unwrap();
    assert_eq!(target(&message).host(), Some(v6("2001:db8:40::7")));
    assert_eq!(message.via().unwrap().host(), v6("2001:db8:40::9:2"));
    assert_eq!(contact(&message).host(), Some(v6("2001:db8:40::9:2")));
    assert_eq!(contact(&message).port(), None);
}

/// [RFC 5118 4.2] Without brackets it is no host.
#[test]
fn no_brackets() {
    let bytes = own("ipv6-bad");
    assert_eq!(read(&bytes).unwrap_err().defect, &defect::HOST);
}

/// [RFC 5118 4.3] [RFC 5118 4.4] Brackets decide what is the address and what the port.
#[test]
fn ports() {
    let bytes = own("port-ambiguous");
    let message = parse(&bytes).unwrap();
    let inside = target(&message);
    assert_eq!(inside.host(), Some(v6("2001:db8:40::7:5080")));
    assert_eq!((inside.port(), inside.effective_port()), (None, 5060));
    let bytes = own("port-unambiguous");
    let message = parse(&bytes).unwrap();
    let after = target(&message);
    assert_eq!(after.host(), Some(v6("2001:db8:40::7")));
    assert_eq!(after.port(), Some(5080));
    assert!(!inside.equivalent(&after) && !inside.same_host_port(&after));
    let via = message.via().unwrap();
    assert_eq!(
        (via.host(), via.port()),
        (v6("2001:db8:40::9:2"), Some(5082))
    );
    assert_eq!(via.sent_by_raw(), b"[2001:db8:40::9:2]:5082");
    assert_eq!(contact(&message).port(), Some(5082));
}

/// [RFC 5118 4.5] `received` with brackets and without.
#[test]
fn received() {
    for (name, raw) in [
        (
            "via-received-param-with-delim",
            &b"[2001:db8:40::9:1ff]"[..],
        ),
        ("via-received-param-no-delim", b"2001:db8:40::9:1ff"),
    ] {
        let bytes = own(name);
        let via = parse(&bytes).unwrap().via().unwrap();
        assert_eq!(via.received(), Some(raw), "{name}");
        assert_eq!(via.host(), v6("2001:db8:40::9:2"), "{name}");
        assert_eq!(via.port(), None, "{name}");
        assert_eq!(via.branch(), Some(&b"z9hG4bKv5"[..]), "{name}");
    }
}

/// [RFC 5118 4.6] [RFC 5118 4.8] Addresses in a body are the body's.
#[test]
fn addresses_in_a_body() {
    for (name, line) in [
        ("ipv6-in-sdp", "c=IN IP6 2001:db8:40::21\r\n"),
        ("mult-ip-in-sdp", "c=IN IP6 2001:db8:40::9:2\r\n"),
    ] {
        let bytes = own(name);
        let message = parse(&bytes).unwrap();
        assert!(bytes.ends_with(message.body()), "{name}");
        let body = std::str::from_utf8(message.body()).unwrap();
        assert!(body.starts_with("v=0\r\n") && body.contains(line), "{name}");
    }
}

/// [RFC 5118 4.7] Addresses of both kinds on one path.
#[test]
fn vias_of_both_kinds() {
    let bytes = own("mult-ip-in-header");
    let message = parse(&bytes).unwrap();
    let vias: Vec<_> = message
        .vias()
        .map(|via| via.map(|v| (v.transport(), v.host(), v.port())).unwrap())
        .collect();
    assert_eq!(
        vias,
        [
            (&b"UDP"[..], v6("2001:db8:40::9:2"), Some(6060)),
            (b"TCP", Host::V4([192, 0, 2, 81]), None),
            (b"TCP", v6("2001:db8:41::4:12"), None),
        ]
    );
}

/// [RFC 5118 4.9] An IPv4-mapped address is an IPv6 address, and not the IPv4 one.
#[test]
fn mapped() {
    let bytes = own("ipv4-mapped-ipv6");
    let message = parse(&bytes).unwrap();
    let vias: Vec<_> = message
        .vias()
        .map(|v| v.map(|v| (v.host(), v.port())).unwrap())
        .collect();
    assert_eq!(
        vias,
        [
            (v6("::ffff:192.0.2.83"), Some(19_822)),
            (v6("::ffff:c000:254"), None)
        ]
    );
    assert_eq!(contact(&message).host(), Some(v6("::ffff:c000:254")));
    let plain = Uri::parse(b"sip:onyx@192.0.2.84").unwrap();
    assert!(!contact(&message).equivalent(&plain) && !contact(&message).same_host_port(&plain));
}

/// [RFC 5118 4.10] Three colons before an IPv4 tail, and two.
#[test]
fn three_colons() {
    let (three, two) = (
        own("ipv6-bug-abnf-3-colons"),
        own("ipv6-correct-abnf-2-colons"),
    );
    let (three, two) = (parse(&three).unwrap(), parse(&two).unwrap());
    assert_eq!(target(&three).host(), Some(v6("2001:db8::192.0.2.85")));
    assert_ne!(target(&three).raw(), target(&two).raw());
    assert!(target(&three).equivalent(&target(&two)));
    assert!(
        three
            .to()
            .unwrap()
            .uri()
            .equivalent(&two.to().unwrap().uri())
    );
}

/// [RFC 5118 4.2] [RFC 3261 25.1] What is no IPv6 reference, in a URI and in a Via: a zone is none of SIP's.
#[test]
fn no_references() {
    for text in [
        "2001:db8::9:2",
        "2001:db8:0:0:0:0:9:2",
        "::1",
        "[]",
        "[2001:db8::9:2",
        "[2001:db8::9:2}",
        "[[2001:db8::9:2]]",
        "[fe80::1%eth0]",
        "[fe80::1%25eth0]",
        "[2001:db8::9:2/64]",
        "[2001:db8::9::2]",
        "[2001:db8:1:2:3:4:5:6:7]",
        "[12001:db8::1]",
        "[v1.a]",
        "[192.0.2.1]",
        "[::192.0.2.256]",
        "[ ::1]",
    ] {
        let reject = Uri::parse(format!("sip:a@{text}").as_bytes()).unwrap_err();
        assert_eq!((reject.defect, reject.at), (&defect::HOST, 6), "{text}");
        let line = format!("SIP/2.0/UDP {text};branch=z9hG4bK1");
        let reject = Via::parse_list(line.as_bytes())
            .next()
            .unwrap()
            .unwrap_err();
        assert_eq!((reject.defect, reject.at), (&defect::SENT_BY, 12), "{text}");
    }
    for (text, what, at) in [
        ("fe80::1", &defect::PORT, 11),
        ("[::1]:", &defect::PORT, 12),
        ("[::1]5060", &defect::AFTER_HOST, 11),
        ("[::1].example", &defect::AFTER_HOST, 11),
    ] {
        let reject = Uri::parse(format!("sip:a@{text}").as_bytes()).unwrap_err();
        assert_eq!((reject.defect, reject.at), (what, at), "{text}");
    }
}
