//! What holds for any bytes.

use ims_procedures::wire::{Contact, HeaderName, Host, NameAddr, Uri};
use proptest::prelude::*;

use crate::support::{fixture_files, known_names, parse, read_all, written};

fn corpus() -> Vec<Vec<u8>> {
    [
        "sip",
        "captures/A_basic",
        "captures/O_presreg",
        "torture",
        "rfc5118",
    ]
    .into_iter()
    .flat_map(fixture_files)
    .map(|path| std::fs::read(path).unwrap())
    .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// [DR-4] Bytes of real messages, flipped, cut, doubled and moved: never a panic, and what is read is
    /// passed on byte for byte.
    #[test]
    fn mutated_messages_are_refused_or_read(
        which in 0usize..1_000,
        edits in prop::collection::vec((0usize..4_000, any::<u8>(), 0u8..5), 1..6),
    ) {
        let corpus = corpus();
        let mut bytes = corpus[which % corpus.len()].clone();
        for (place, byte, kind) in edits {
            let place = place % bytes.len();
            match kind {
                0 => bytes[place] = byte,
                1 => bytes.insert(place, byte),
                2 => { bytes.remove(place); }
                3 => { let tail = bytes[place..].to_vec(); bytes.extend(tail); }
                _ => bytes[place] = b" \t\r\n\0\",;:<>@=%?[]*\\"[usize::from(byte) % 19],
            }
            if bytes.is_empty() { bytes.push(byte); }
        }
        read_all(&bytes);
    }

    /// [DR-4] Any bytes at all, and any bytes in a header field.
    #[test]
    fn any_bytes_are_refused_or_read(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        name in prop::sample::select(known_names()),
    ) {
        read_all(&bytes);
        let mut message = format!("BYE sip:a SIP/2.0\r\n{name}: ").into_bytes();
        message.extend(&bytes);
        message.extend_from_slice(b"\r\n\r\n");
        read_all(&message);
        let _ = (Uri::parse(&bytes), NameAddr::parse(&bytes), Host::parse(&bytes));
    }

    /// [RFC 3261 25.1] Values of the grammar's own bytes, in any order.
    #[test]
    fn values_of_grammar_bytes(value in "[a2\"\\\\<>;,:@=?%*+. \\[\\]/()-]{0,40}") {
        for name in [HeaderName::Contact, HeaderName::Via, HeaderName::Authorization, HeaderName::To] {
            let name = String::from_utf8(name.canonical_name().to_vec()).unwrap();
            read_all(format!("BYE sip:{value} SIP/2.0\r\n{name}: {value}\r\n\r\n").as_bytes());
            read_all(format!("BYE sip:a SIP/2.0\r\n{name}: {value}\r\n\r\n").as_bytes());
            read_all(format!("BYE sip:a SIP/2.0\r\n{name}: SIP/2.0/UDP <sip:{value}>\r\n\r\n").as_bytes());
        }
    }

    /// [RFC 4291 2.2] An IPv6 address is what the standard library takes for one.
    #[test]
    fn ipv6_addresses(
        shaped in "[0-9a-fA-F]{0,5}(:{1,2}[0-9a-f]{1,4}){0,9}:{0,2}(192\\.0\\.2\\.1)?",
        groups in prop::array::uniform8(prop_oneof![Just(0u16), any::<u16>()]),
    ) {
        let shortest = std::net::Ipv6Addr::from(groups).to_string();
        for text in [shaped, shortest] {
            let expected = text.parse::<std::net::Ipv6Addr>().ok().map(|a| a.octets());
            let bracketed = format!("[{text}]");
            match (Host::parse(bracketed.as_bytes()), expected) {
                (Ok(Host::V6(read)), Some(expected)) => prop_assert_eq!(read, expected, "{}", text),
                (Err(_), None) => {}
                (read, expected) => prop_assert!(false, "{}: {:?} {:?}", text, read, expected),
            }
        }
    }

    /// [RFC 3261 20.10] A URI between angle brackets is the URI that it is alone, whatever way it is read.
    #[test]
    fn bracketed_uris_are_uris(
        uri in "(sip|sips|SiP|tel|x)?:([a-c1%+;:?=]{0,9}@){0,2}(a|b\\.c|1|192\\.0\\.2\\.1|\\[::1\\]|-|_x|long-host-name\\.example\\.net)?(:|:[0-9]{1,6})?(;(lr|x=[a@?\" <]{0,2})){0,2}(\\?[a=&@]{0,3})?",
    ) {
        let bracketed = format!("<{uri}>;tag=1");
        match (Uri::parse(uri.as_bytes()), NameAddr::parse(bracketed.as_bytes())) {
            (Ok(alone), Ok(address)) => {
                let inside = address.uri();
                prop_assert_eq!(inside.raw(), alone.raw());
                prop_assert_eq!(inside.scheme(), alone.scheme());
                prop_assert_eq!(inside.user(), alone.user());
                prop_assert_eq!(inside.password(), alone.password());
                prop_assert_eq!(inside.host(), alone.host());
                prop_assert_eq!(inside.port(), alone.port());
                prop_assert_eq!(inside.params().raw(), alone.params().raw());
                prop_assert_eq!(inside.headers(), alone.headers());
                prop_assert_eq!(address.tag(), Some(&b"1"[..]));
            }
            (Err(alone), Err(inside)) => {
                prop_assert_eq!((alone.defect, alone.at + 1), (inside.defect, inside.at));
            }
            (alone, inside) => prop_assert!(false, "{}: {:?} {:?}", uri, alone, inside),
        }
    }

    /// [RFC 3261 20.10] An address put together from its parts is read back, alone and in a list.
    #[test]
    fn addresses_read_back(
        display in "[ -~]{0,12}",
        user in "[a-z0-9;,/&+$=-]{1,8}",
        value in "[ -~]{0,12}",
    ) {
        let quoted = |text: &str| written(|b| ims_procedures::wire::put_quoted(b, text.as_bytes())).unwrap();
        let mut one = quoted(&display);
        one.extend_from_slice(format!(" <sip:{user}@home1.example.net>;x=").as_bytes());
        one.extend(quoted(&value));
        let list = [one.clone(), one.clone()].join(&b','.to_owned());
        let read: Vec<NameAddr<'_>> = NameAddr::parse_list(&list).map(Result::unwrap).collect();
        prop_assert_eq!(read.len(), 2);
        for address in read {
            prop_assert_eq!(address.raw(), &one[..]);
            let escaped = quoted(&display);
            prop_assert_eq!(address.display(), Some(&escaped[1..escaped.len() - 1]));
            prop_assert_eq!(address.uri().user(), Some(user.as_bytes()));
            let escaped = quoted(&value);
            prop_assert_eq!(address.params().value(b"x"), Some(&escaped[1..escaped.len() - 1]));
        }
    }
}

/// [DR-4] Long lists and deep repetition cost what their length is: every element is visited once.
#[test]
fn long_lists_end() {
    for unit in [
        "<sip:a>,",
        ",",
        "\"\" <sip:a>;x=\"y\",",
        "sip:a,",
        "*,",
        ";",
        " ,\r\n ",
    ] {
        let value = unit.repeat(16_000 / unit.len());
        let bytes = format!("BYE sip:a SIP/2.0\r\nContact: {value}\r\n\r\n");
        let message = parse(bytes.as_bytes()).unwrap();
        let count = message.contacts().count();
        assert!(count <= value.len());
        if unit.contains('a') {
            let stars = message
                .contacts()
                .filter(|c| matches!(c, Ok(Contact::Star)))
                .count();
            assert_eq!((count, stars), (16_000 / unit.len(), 0));
        }
    }
}
