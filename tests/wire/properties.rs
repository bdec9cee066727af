//! What holds for any bytes.

use ims_procedures::{
    drive::Limits,
    wire::{Contact, Edit, HeaderName, Host, Message, NameAddr, Uri, Writer, rewrite},
};
use proptest::prelude::*;

use crate::support::{fixture_files, parse, written};

/// Reads everything that can be read of a message; every offset of a refusal lies within it.
fn read_all(bytes: &[u8]) {
    let within = |at: u32| assert!(at as usize <= bytes.len());
    let message = match parse(bytes) {
        Ok(message) => message,
        Err(reject) => return within(reject.at),
    };
    let mut rejects = Vec::new();
    rejects.extend(message.via().err());
    rejects.extend(message.from().err());
    rejects.extend(message.to().err());
    rejects.extend(message.call_id().err());
    rejects.extend(message.cseq().err());
    rejects.extend(message.expires_checked().err());
    rejects.extend(message.event().err());
    rejects.extend(message.subscription_state().err());
    rejects.extend(message.authorization().err());
    rejects.extend(message.vias().filter_map(Result::err));
    rejects.extend(message.contacts().filter_map(Result::err));
    for field in message.fields() {
        assert_eq!(
            &bytes[field.value.at()..][..field.value.raw().len()],
            field.value.raw()
        );
        rejects.extend(message.name_addrs(field.name).filter_map(Result::err));
        let _ = field.value.elements().count();
        let _ = field.value.params().iter().count();
    }
    for reject in rejects {
        within(reject.at);
    }
    let _ = (
        message.retry_after(),
        message.min_expires(),
        message.content_type_is(b"a/b"),
    );
    let copy = written(|b| rewrite(&message, b, |_| Edit::Keep)).unwrap();
    assert_eq!(copy, &bytes[..message.end()]);
    assert!(written(|b| Writer::respond_to(b, &message, 400, None).finish()).is_ok());
    let _ = Message::frame(bytes, &Limits::default());
}

fn corpus() -> Vec<Vec<u8>> {
    ["sip", "captures/A_basic", "captures/O_presreg"]
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
        name in prop::sample::select(vec!["Via", "f", "To", "Contact", "CSeq", "Authorization", "Event", "Subscription-State", "Path", "Retry-After", "c"]),
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

    /// [RFC 3261 19.1.4] [SD-1] Comparison is reflexive and symmetric, and equivalent URIs have the same
    /// host and port.
    #[test]
    fn comparison_of_uris(
        a in "(sip|sips|SIP):([abA%]{0,3}(%61)?@)?(a|A|b|a\\.|192\\.0\\.2\\.1|\\[::1\\]|\\[0::1\\])(:506[01])?(;(lr|user=x|x=[yY])){0,2}(\\?a=b)?",
        b in "(sip|sips|SIP):([abA%]{0,3}(%61)?@)?(a|A|b|a\\.|192\\.0\\.2\\.1|\\[::1\\]|\\[0::1\\])(:506[01])?(;(lr|user=x|x=[yY])){0,2}(\\?a=b)?",
    ) {
        let (Ok(a), Ok(b)) = (Uri::parse(a.as_bytes()), Uri::parse(b.as_bytes())) else {
            return Ok(());
        };
        prop_assert!(a.equivalent(&a) && a.same_host_port(&a));
        prop_assert_eq!(a.equivalent(&b), b.equivalent(&a));
        prop_assert_eq!(a.same_host_port(&b), b.same_host_port(&a));
        prop_assert!(!a.equivalent(&b) || a.same_host_port(&b));
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

/// [DR-4] The messages of RFC 4475, where they are at hand, are refused or read without a panic.
#[test]
fn torture_messages() {
    let Some(folder) = std::env::var_os("IMS_CORPUS_DIR") else {
        return;
    };
    let folder = std::path::Path::new(&folder).join("external/torture-rfc4475");
    let mut read = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        read_all(&std::fs::read(entry.unwrap().path()).unwrap());
        read += 1;
    }
    assert!(read >= 49);
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
