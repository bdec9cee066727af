//! Tables, and what is mapped there and back.

use std::fs;

use ims_procedures::{
    drive::Limits,
    regevent::relay::{Config, Direction, Mapped, Pair, Relayed, RequestUris},
    wire::{Contact, Message},
};

use crate::support::{files, passed, relayed, request, with_documents};

/// [IB-1] [RFC 3261 19.1.4] Byte for byte before equivalence, the first before the second; what cannot be read is
/// found byte for byte only.
#[test]
fn which_pair_counts() {
    let pair = |inside: &'static str, outside: &'static str| Pair {
        inside: inside.as_bytes(),
        outside: outside.as_bytes(),
    };
    let pairs = [
        pair("sip:u@h", "sip:first@o"),
        pair("sip:U@h", "sip:other-user@o"),
        pair("sip:u@h;gr=1", "sip:gruu@o"),
        pair("sip:u@h", "sip:never@o"),
        pair("not a uri", "sip:never@o"),
        pair("sip:%75@H;gr=1", "sip:spelt@o"),
    ];
    let table = Mapped {
        contacts: &pairs,
        ..Mapped::default()
    };
    for (uri, expected) in [
        ("sip:u@h", "sip:first@o"),
        ("sip:u@h;gr=1", "sip:gruu@o"),
        ("sip:%75@H;gr=1", "sip:spelt@o"),
        ("sip:%75@H;gr=2", "sip:first@o"),
        ("sip:u@H", "sip:first@o"),
        ("sip:U@H", "sip:other-user@o"),
        ("sip:v@h", "sip:v@h"),
        ("sip:never@o", "sip:never@o"),
    ] {
        let bytes = |uri: &str| request("NOTIFY", "sip:t@h", &format!("m: <{uri}>\r\n"));
        let (_, written) = passed(bytes(uri).as_bytes(), &Config::default(), &table);
        assert_eq!(written, bytes(expected));
        // Addresses of record have a table of their own, and Request-URIs have that of contacts.
        let target = |uri: &str| request("NOTIFY", uri, "");
        let (_, written) = passed(target(uri).as_bytes(), &Config::default(), &table);
        assert_eq!(written, target(expected));
    }
}

/// [IB-1] S2 L62, transparently: every message of the collections, there and back: the bytes that it had, and on the
/// way no other bytes changed than those of URIs.
#[test]
fn there_and_back() {
    let limits = Limits::default();
    let mut changed = 0;
    for path in files("sip").into_iter().chain(files("captures")) {
        let bytes = fs::read(&path).unwrap();
        let Ok(message) = Message::parse(&bytes, &limits) else {
            continue;
        };
        let contacts = message
            .contacts()
            .filter_map(|contact| match contact.unwrap() {
                Contact::Addr(address) => Some(address.uri_bytes()),
                Contact::Star => None,
            });
        let mut inside: Vec<&[u8]> = contacts.chain(message.request_uri()).collect();
        inside.sort_unstable();
        inside.dedup();
        let name = |number: usize| format!("sip:[2001:db8::{number:x}]:5061").into_bytes();
        let outside: Vec<Vec<u8>> = (0..inside.len()).map(name).collect();
        let pair = |(inside, outside): (&&'static [u8], &'static Vec<u8>)| Pair { inside, outside };
        let inside: &'static [&'static [u8]] = inside
            .into_iter()
            .map(|uri| &*uri.to_vec().leak())
            .collect::<Vec<_>>()
            .leak();
        let pairs: Vec<_> = inside
            .iter()
            .zip(outside.leak())
            .map(|(i, o)| pair((i, o)))
            .collect();
        let mut table = Mapped {
            contacts: &pairs,
            ..Mapped::default()
        };
        let mut config = with_documents();
        config.request_uris = RequestUris::All;
        let (Relayed::Written(changes), written) = relayed(&bytes, &config, &table).unwrap() else {
            continue;
        };
        changed += changes.contacts + usize::from(changes.request_uri);
        assert_eq!(changes.request_uri, message.is_request());
        table.direction = Direction::Inbound;
        let (_, back) = relayed(&written, &config, &table).unwrap();
        assert_eq!(back, bytes[..message.end()], "{}", path.display());
    }
    assert!(changed > 80, "{changed}");
}
