//! Which shard a message belongs to, and that it is the same in every spelling.

use std::num::NonZeroU16;

use ims_procedures::{
    drive::{Identifier, Identifiers},
    wire::{Affinity, HeaderName, Message, Method, Uri, affinity},
};
use proptest::prelude::*;

use crate::support::{fixture_files, parse};

fn shards(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).unwrap()
}

/// A text of ours that names the shard.
fn ours(shard: u16) -> String {
    Identifiers::new([7; 32], 1, shard).next().to_string()
}

fn of(lines: &str) -> Option<Affinity> {
    affinity(format!("{lines}\r\n\r\n").as_bytes())
}

fn identity_of(uri: &str) -> Option<Affinity> {
    of(&format!("REGISTER sip:h SIP/2.0\r\nTo: <{uri}>"))
}

fn call_id_of(call_id: &str) -> Option<Affinity> {
    of(&format!("BYE sip:a SIP/2.0\r\nCall-ID: {call_id}"))
}

/// [DR-8] Hashes and shards as another implementation (in Python, of the papers on SipHash and jump
/// consistent hashing) gives them: nodes of all versions must agree.
#[test]
fn pinned_values() {
    let v6 = "sip:a@[2001:db8:0::1]:5060;lr";
    for (found, hash, expected) in [
        (
            identity_of("sip:user1_public1@home1.example.net"),
            0x2561_d101_e911_dc59,
            [0, 0, 0, 0, 631, 1_975],
        ),
        (
            identity_of("sips:HOME1.example.net."),
            0x1da2_843e_0b68_ebe8,
            [0, 0, 2, 4, 600, 55_734],
        ),
        (
            identity_of("TEL:+1(212)555-11.11"),
            0x772d_5a76_944a_ee1c,
            [0, 1, 1, 5, 504, 36_490],
        ),
        (
            identity_of("URN:service:sos"),
            0xe574_8c7a_6688_625a,
            [0, 0, 0, 9, 300, 24_526],
        ),
        (
            identity_of(v6),
            0x0fda_b22d_0a0f_461f,
            [0, 1, 1, 8, 987, 37_008],
        ),
        (
            identity_of(
                "sip:a@A-Host-Name-Of-More-Than-64-Bytes.That-Goes-On-And-On.IMS.MNC001.MCC001.3gppnetwork.org",
            ),
            0xef0c_fd5b_12dc_32c5,
            [0, 1, 1, 1, 270, 63_285],
        ),
        (
            call_id_of("c1"),
            0xd30d_60fe_17c2_aa74,
            [0, 1, 2, 4, 182, 27_850],
        ),
    ] {
        let found = found.unwrap();
        match found {
            Affinity::Identity(found) | Affinity::CallId(found) => assert_eq!(found, hash),
            Affinity::Shard(shard) => panic!("{shard}"),
        }
        let counts = [1, 2, 3, 10, 1_000, 65_535];
        assert_eq!(counts.map(|count| found.of(shards(count))), expected);
    }
    for (count, sum) in [(7, 1_482_772), (65_535, 16_225_554_199)] {
        let users = (0..1_000u64).map(|n| {
            let user = identity_of(&format!("sip:user{n}@home1.example.net")).unwrap();
            (n + 1) * u64::from(user.of(shards(count)))
        });
        assert_eq!(users.sum::<u64>(), sum);
    }
}

/// [DR-8] A shard stays itself; one that there is not is still one that there is.
#[test]
fn shards_stay_in_range() {
    for (shard, count, expected) in [
        (0, 1, 0),
        (3, 4, 3),
        (4, 4, 0),
        (u16::MAX, 4, 3),
        (u16::MAX, u16::MAX, 0),
    ] {
        assert_eq!(Affinity::Shard(shard).of(shards(count)), expected);
    }
}

/// [DR-8] When a shard is added, only users that go to it move, and no shard has much more than its part.
#[test]
fn growing_moves_only_to_the_new_shard() {
    const USERS: u16 = 4_000;
    let users: Vec<Affinity> = (0..USERS)
        .map(|n| identity_of(&format!("sip:user{n}@home1.example.net")).unwrap())
        .collect();
    for count in 1..20 {
        let mut loads = vec![0; usize::from(count)];
        let mut moved = 0;
        for user in &users {
            let (before, after) = (user.of(shards(count)), user.of(shards(count + 1)));
            loads[usize::from(before)] += 1;
            if before != after {
                assert_eq!(after, count);
                moved += 1;
            }
        }
        let fair = USERS / count;
        assert!(
            loads
                .iter()
                .all(|l| (fair * 7 / 10..=fair * 13 / 10).contains(l)),
            "{loads:?}"
        );
        let fair = USERS / (count + 1);
        assert!((fair * 7 / 10..=fair * 13 / 10).contains(&moved), "{moved}");
    }
}

/// [DR-8] Every row of the table: what decides, and before what.
#[test]
fn what_decides() {
    let [one, two, three, four] = [1, 2, 3, 4].map(ours);
    let call_id = call_id_of("c1");
    let resource = identity_of("sip:a@home1.example.net");
    let other = identity_of("sip:b@home1.example.net");
    assert!(call_id.is_some() && resource.is_some() && other.is_some() && resource != other);
    let via = |branch: &str| format!("Via: SIP/2.0/UDP p.example.net;branch={branch}");
    let our_via = via(&format!("z9hG4bK{one}"));
    let their_via = via("z9hG4bK1");
    let rest =
        "From: <sip:b@home1.example.net>;tag=1\r\nTo: <sip:a@home1.example.net>\r\nCall-ID: c1";
    let response = |fields: &str| of(&format!("SIP/2.0 200 OK\r\n{fields}\r\n{rest}"));
    let request =
        |line: &str, fields: &str| of(&format!("{line} SIP/2.0\r\n{fields}X: y\r\n{rest}"));
    let shard = |shard| Some(Affinity::Shard(shard));

    assert_eq!(
        response(&format!("{our_via}\r\n{their_via}\r\nCSeq: 1 REGISTER")),
        shard(1)
    );
    assert_eq!(
        response(&format!("{our_via}, SIP/2.0/UDP q;branch=x")),
        shard(1)
    );
    assert_eq!(response(&format!("{their_via}\r\n{our_via}")), call_id);
    assert_eq!(
        response(&format!("{their_via}, SIP/2.0/UDP q;branch=z9hG4bK{one}")),
        call_id
    );
    assert_eq!(
        response(&format!("{their_via}\r\nCSeq: 1 REGISTER")),
        resource
    );
    assert_eq!(
        response(&format!("{their_via}\r\nCSeq: 1 SUBSCRIBE")),
        call_id
    );
    assert_eq!(response("X: y"), call_id);
    let after_nothing = our_via.replace("Via: ", "Via:\r\nVia: , ,\r\n ");
    assert_eq!(response(&after_nothing), shard(1));

    let route = format!("Route: <sip:{two}@p.example.net;lr>\r\n");
    let their_route = "Route: <sip:p.example.net;lr>\r\n";
    let ours_uri = format!("BYE sip:{three}@p.example.net:5070;x=y");
    let tag = format!("To: <sip:b@home1.example.net>;tag={four}\r\n");
    for line in [
        "REGISTER sip:home1.example.net",
        &ours_uri.replace("BYE", "REGISTER"),
    ] {
        assert_eq!(request(line, &format!("{our_via}\r\n{route}")), resource);
        assert_eq!(request(line, &tag), other);
        assert_eq!(request(line, &tag.replace("To: ", "To: ,")), other);
    }
    for method in ["BYE", "NOTIFY", "SUBSCRIBE", "INVITE", "register"] {
        let line = ours_uri.replace("BYE", method);
        let plain = format!("{method} sip:b@home1.example.net");
        assert_eq!(
            request(&line, &format!("{tag}{route}")),
            shard(2),
            "{method}"
        );
        assert_eq!(
            request(&plain, &format!("{route}{their_route}")),
            shard(2),
            "{method}"
        );
        assert_eq!(
            request(&line, &format!("{tag}{their_route}{route}")),
            shard(3),
            "{method}"
        );
        let after_nothing = route.replace("Route: ", "Route: ,\r\nRoute:\r\nRoute: , ,");
        assert_eq!(request(&plain, &after_nothing), shard(2), "{method}");
        assert_eq!(request(&line, ""), shard(3), "{method}");
        assert_eq!(request(&plain, &tag), shard(4), "{method}");
        let foreign = "To: <sip:a@home1.example.net>;tag=x\r\n";
        assert_eq!(request(&plain, foreign), call_id, "{method}");
        let expected = if method == "SUBSCRIBE" {
            other
        } else {
            call_id
        };
        assert_eq!(request(&plain, ""), expected, "{method}");
    }
    // Both ends may run this library: these name shards of the other end.
    let foreign = format!("From: <sip:b@h>;tag={one}\r\nCall-ID: {two}\r\n{our_via}");
    assert_eq!(
        of(&format!("BYE sip:a@h SIP/2.0\r\n{foreign}")),
        call_id_of(&two)
    );
    assert_ne!(call_id_of(&two), shard(2));
}

/// [DR-8] What only looks like a text of ours is none.
#[test]
fn lookalikes() {
    let ours = ours(3);
    let hash = call_id_of("c1");
    let with = |user: &str| of(&format!("BYE sip:{user}@p SIP/2.0\r\nCall-ID: c1"));
    assert_eq!(with(&ours), Some(Affinity::Shard(3)));
    for other in [
        ours.to_uppercase(),
        ours[1..].to_owned(),
        format!("{ours}0"),
        format!("x{ours}"),
        ours.replace('-', "_"),
        ours[..33].to_owned(),
        format!("{}g", &ours[..33]),
        "s0003-".to_owned(),
        "s0003".to_owned(),
    ] {
        assert_eq!(with(&other), hash, "{other}");
    }
    let with = |branch: &str| {
        of(&format!(
            "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP p;branch={branch}\r\nCall-ID: c1"
        ))
    };
    assert_eq!(with(&format!("z9hG4bK{ours}")), Some(Affinity::Shard(3)));
    for other in [
        ours.clone(),
        format!("z9hG4bk{ours}"),
        format!("z9hG4bKz9hG4bK{ours}"),
    ] {
        assert_eq!(with(&other), hash, "{other}");
    }
}

/// [DR-4] [DR-8] What is no message, or says nothing that decides, has no shard; what can be used of a
/// message that is refused later, is.
#[test]
fn garbage() {
    let long = "x".repeat(70_000);
    for bytes in [
        "",
        "\r\n",
        "\r\n\r\n\r\n",
        "\0",
        "REGISTER",
        "REGISTER\r\n\r\n",
        "REGISTER sip:a\r\nCall-ID: c1\r\n\r\n",
        "BYE sip:a SIP/2.0\r\n\r\nCall-ID: c1\r\n\r\n",
        "BYE sip:a SIP/2.0\r\nCall-ID:\r\n\r\n",
        "BYE sip:a SIP/2.0\r\nCall-ID: c1",
        "BYE sip:a SIP/2.0\nCall-ID: c1\r\n\r\n",
        "BYE sip:a SIP/2.0\r\nCall-IDs: c1\r\nCall ID: c1\r\nCall-I: c1\r\ni c1\r\n: c1\r\n\r\n",
        "REGISTER sip:a SIP/2.0\r\nTo: nobody\r\n\r\n",
        &long,
    ] {
        assert_eq!(
            affinity(bytes.as_bytes()),
            None,
            "{:?}",
            &bytes[..bytes.len().min(60)]
        );
    }
    for to in [
        "",
        "nobody",
        "<>",
        "<sip:>",
        "<sip:a@>",
        "<tel:>",
        ":x",
        "\"sip:a@b\"",
        "<sip:a@[::g]>",
    ] {
        let register = format!("REGISTER sip:a SIP/2.0\r\nTo: {to}\r\nCall-ID: c1");
        assert_eq!(of(&register), call_id_of("c1"), "{to}");
    }
    let cut = affinity(b"BYE sip:a SIP/2.0\r\ni: c1\r\nX: y\0\r\nRoute: <sip:a>");
    assert_eq!(cut, call_id_of("c1"));
    let keep_alive = affinity(b"\r\n\r\nBYE sip:a SIP/2.0\r\ni: c1\r\n\r\n");
    assert_eq!(keep_alive, call_id_of("c1"));
}

/// [DR-8] [RFC 3261 10.2] Registering, refreshing and deregistering of one user, by the UE and by its P-CSCF,
/// come to one shard; other users to others.
#[test]
fn all_of_one_user() {
    let register = |to: &str, number: u32, more: &str| {
        of(&format!(
            "REGISTER sip:home1.example.net SIP/2.0\r\n\
             Via: SIP/2.0/UDP p{number}.example.net;branch=z9hG4bK{}\r\n{more}\
             From: {to};tag={number}\r\nTo: {to}\r\nCall-ID: {number}@ue\r\nCSeq: {number} REGISTER",
            ours(number as u16)
        ))
    };
    let first = register("<sip:alice@home1.example.net>", 1, "").unwrap();
    assert!(matches!(first, Affinity::Identity(_)));
    for (number, (to, more)) in [
        (
            "<sip:alice@home1.example.net>",
            "Contact: *\r\nExpires: 0\r\n",
        ),
        (
            "\"A. Liddell\" <sip:alice@home1.example.net>",
            "Require: path\r\n",
        ),
        ("\"<sip:bob@h>\\\"\" <sip:alice@home1.example.net;x=y>", ""),
        (
            "sip:alice@HOME1.example.net",
            "Route: <sip:orig@scscf1;lr>\r\n",
        ),
        (
            "Alice L <sips:alice@Home1.Example.Net.:5061;user=ip?x=y>",
            "",
        ),
        ("<SIP:al%69ce:secret@home1.example.net>;x=y", ""),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(register(to, number as u32 + 2, more), Some(first), "{to}");
    }
    for other in [
        "<sip:bob@home1.example.net>",
        "<sip:Alice@home1.example.net>",
        "<sip:alice@home2.example.net>",
        "<sip:home1.example.net>",
        "<tel:alice>",
    ] {
        assert_ne!(register(other, 1, "").unwrap(), first, "{other}");
    }
    let number = identity_of("tel:+1-212-555-1111").unwrap();
    assert_eq!(
        identity_of("tel:+12125551111;phone-context=x"),
        Some(number)
    );
    assert_ne!(identity_of("tel:+12125551112"), Some(number));
}

/// [DR-9] `Debug` shows a shard, and nothing of an identity.
#[test]
fn debug_shows_no_identity() {
    assert_eq!(format!("{:?}", Affinity::Shard(3)), "Shard(3)");
    assert_eq!(format!("{:?}", Affinity::Identity(77)), "Identity(..)");
    assert_eq!(format!("{:?}", Affinity::CallId(77)), "CallId(..)");
}

/// What the full reading of a message gives by the table, hashes left to the simplest message that has
/// them. `None` where the full reading refuses a value that could decide.
fn by_the_table(message: &Message<'_>) -> Option<Option<Affinity>> {
    let shard = |text: &[u8]| Identifier::parse(text).map(|ours| Affinity::Shard(ours.shard()));
    let identity =
        |uri: &[u8]| affinity(&[b"REGISTER sip:h SIP/2.0\r\nTo: <", uri, b">\r\n\r\n"].concat());
    let call_id = message.call_id().ok()?;
    let call_id = affinity(&[b"BYE sip:h SIP/2.0\r\nCall-ID: ", call_id, b"\r\n\r\n"].concat());
    let to = message.to().ok()?;
    let found = match (message.method(), message.request_uri()) {
        (None, _) => {
            let branch = message.via().ok()?.branch().unwrap_or_default();
            let registers = message.cseq().ok()?.method == Method::Register;
            let ours = branch.strip_prefix(b"z9hG4bK").and_then(shard);
            ours.or_else(|| identity(to.uri_bytes()).filter(|_| registers))
        }
        (Some(Method::Register), _) => identity(to.uri_bytes()),
        (Some(method), uri) => {
            let user = |uri: &Uri<'_>| uri.user().and_then(shard);
            let uri = Uri::parse(uri?).ok()?;
            let route = message
                .name_addrs(HeaderName::Route)
                .next()
                .transpose()
                .ok()?;
            let creates = method == Method::Subscribe && to.tag().is_none();
            route
                .and_then(|route| user(&route.uri()))
                .or_else(|| user(&uri))
                .or_else(|| shard(to.tag()?))
                .or_else(|| identity(uri.raw()).filter(|_| creates))
        }
    };
    Some(found.or(call_id))
}

/// Messages of the field, and the same with identifiers of ours in places that decide.
fn corpus() -> Vec<Vec<u8>> {
    let read: Vec<Vec<u8>> = ["sip", "captures/A_basic", "captures/O_presreg"]
        .into_iter()
        .flat_map(fixture_files)
        .map(|path| std::fs::read(path).unwrap())
        .collect();
    let mut all = read.clone();
    for (number, bytes) in read.iter().enumerate() {
        let text = String::from_utf8(bytes.clone()).unwrap();
        let ours = ours(number as u16);
        for (plain, marked) in [
            ("branch=", format!("branch=z9hG4bK{ours};x=")),
            ("Route: <sip:", format!("Route: <sip:{ours}@")),
            ("Call-ID:", format!("Route: <sip:{ours}@p>\r\nCall-ID:")),
            (" sip:", format!(" sip:{ours}@p;x=")),
            ("tag=", format!("tag={ours};x=")),
        ] {
            all.push(text.replacen(plain, &marked, 1).into_bytes());
        }
        all.push(text.replace("tag=", &format!("tag={ours};x=")).into_bytes());
    }
    all
}

/// [DR-8] The one pass agrees with the full reading on every message of the field.
#[test]
fn agrees_with_the_full_reading() {
    let (mut compared, mut of_ours) = (0, 0);
    for bytes in corpus() {
        let Ok(message) = parse(&bytes) else { continue };
        let Some(expected) = by_the_table(&message) else {
            continue;
        };
        let found = affinity(&bytes);
        assert_eq!(found, expected, "{}", String::from_utf8_lossy(&bytes));
        compared += 1;
        of_ours += usize::from(matches!(found, Some(Affinity::Shard(_))));
    }
    assert!(compared > 800 && of_ours > 200, "{compared} {of_ours}");
}

/// A header field in a spelling that these numbers choose.
fn spelled(name: &str, compact: Option<&str>, value: &str, [form, blank, fold]: [u8; 3]) -> String {
    let name = match (form % 4, compact) {
        (0, Some(compact)) => compact.to_owned(),
        (1, _) => name.to_uppercase(),
        (2, _) => name.to_lowercase(),
        (3, Some(compact)) => compact.to_uppercase(),
        _ => name.to_owned(),
    };
    let before = ["", " ", "\t", " \t "][usize::from(blank % 4)];
    let after = ["", " ", "\r\n ", " \r\n\t\r\n  "][usize::from(fold % 4)];
    let end = ["", " ", "\r\n "][usize::from(blank % 3)];
    format!("{name}{before}:{after}{value}{end}\r\n")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// [RFC 3261 7.3.1] [RFC 3261 7.3.3] The same message in another spelling and order of header fields has
    /// the same affinity.
    #[test]
    fn spellings(
        kind in 0usize..8,
        shard in any::<u16>(),
        choices in prop::collection::vec(any::<[u8; 3]>(), 12),
        rotated in 0usize..6,
        display in prop::sample::select(vec!["", "Alice ", "\"a <sip:x@y>;,\\\" \" ", "A\r\n\tB "]),
        before_params in prop::sample::select(vec!["", " ", "\r\n "]),
    ) {
        let ours = ours(shard);
        let (line, branch, route, tag) = match kind {
            0 => ("SIP/2.0 200 OK", format!("z9hG4bK{ours}"), None, None),
            1 => ("SIP/2.0 200 OK", "z9hG4bKx".to_owned(), None, Some("1")),
            2 => ("REGISTER sip:home1.example.net SIP/2.0", format!("z9hG4bK{ours}"), None, None),
            3 => ("BYE sip:a@home1.example.net SIP/2.0", "x".to_owned(), Some(&ours), Some("1")),
            4 => ("BYE sip:a@home1.example.net SIP/2.0", "x".to_owned(), None, Some(&ours[..])),
            5 => ("SUBSCRIBE sip:a@home1.example.net SIP/2.0", "x".to_owned(), None, None),
            6 => ("SUBSCRIBE sip:a@home1.example.net SIP/2.0", "x".to_owned(), None, Some("1")),
            _ => ("INVITE sip:a@home1.example.net SIP/2.0", "x".to_owned(), None, None),
        };
        let write = |plain: bool| {
            let choice = |n: usize| if plain { [9, 0, 1] } else { choices[n] };
            let pad = if plain { "" } else { before_params };
            let display = if plain { "" } else { display };
            let tag = tag.map_or(String::new(), |tag| format!("{pad};{pad}tag={tag}"));
            let address = match (plain, choices[11][0] % 3) {
                (false, 0) if display.is_empty() => "SIP:%61@HOME1.example.net".to_owned(),
                (false, 1) => format!("{display}<sips:a@Home1.Example.net:5061;x=y>"),
                _ => format!("{display}<sip:a@home1.example.net>"),
            };
            let via = format!("SIP/2.0/UDP p{pad};{pad}x=\",\"{pad};{pad}branch={branch}{pad},SIP/2.0/TCP q;branch=y");
            let mut fields = vec![
                spelled("Via", Some("v"), &via, choice(0)),
                spelled("To", Some("t"), &format!("{address}{tag}"), choice(1)),
                spelled("Call-ID", Some("i"), "c1@Ue", choice(2)),
                spelled("CSeq", None, &format!("1{}REGISTER", if plain { " " } else { " \t" }), choice(3)),
                spelled("Subject", Some("s"), "Via: x\r\n To: <sip:z@z>", choice(4)),
            ];
            if let Some(route) = route {
                fields.push(spelled("Route", None, &format!("{display}<sip:{route}@p;lr>{pad},<sip:q>"), choice(5)));
            }
            if !plain {
                let count = fields.len();
                fields.rotate_left(rotated % count);
            }
            fields.push(spelled("Via", Some("v"), "SIP/2.0/UDP r;branch=z", choice(6)));
            fields.push(spelled("Route", None, "<sip:r@r>", choice(7)));
            format!("{line}\r\n{}\r\n", fields.concat())
        };
        let (plain, odd) = (write(true), write(false));
        let found = affinity(plain.as_bytes());
        prop_assert!(found.is_some());
        prop_assert_eq!(affinity(odd.as_bytes()), found, "{:?}", odd);
        let of_ours = matches!(kind, 0 | 3 | 4);
        prop_assert_eq!(found == Some(Affinity::Shard(shard)), of_ours);
    }

    /// [RFC 3261 19.1.4] [RFC 3966 4] Identities that are equal have one shard.
    #[test]
    fn equal_identities(
        a in "(sip|sips|SIP):([abA%]{0,3}(%61|%4[12])?@)?(a|A|b|a\\.|192\\.0\\.2\\.1|\\[::1\\]|\\[0::1\\])(:506[01])?(;(lr|user=x|x=[yY])){0,2}(\\?a=b)?|tel:\\+[12()-]{1,4}(;x=y)?",
        b in "(sip|sips|SIP):([abA%]{0,3}(%61|%4[12])?@)?(a|A|b|a\\.|192\\.0\\.2\\.1|\\[::1\\]|\\[0::1\\])(:506[01])?(;(lr|user=x|x=[yY])){0,2}(\\?a=b)?|tel:\\+[12()-]{1,4}(;x=y)?",
    ) {
        let (Ok(one), Ok(two)) = (Uri::parse(a.as_bytes()), Uri::parse(b.as_bytes())) else {
            return Ok(());
        };
        prop_assert!(identity_of(&a).is_some(), "{}", a);
        if one.equivalent(&two) {
            prop_assert_eq!(identity_of(&a), identity_of(&b), "{} {}", a, b);
        }
    }

    /// [DR-4] [DR-8] Altered messages: never a panic, and where the full reading accepts what decides, it
    /// decides the same.
    #[test]
    fn altered_messages(
        which in 0usize..1_000,
        edits in prop::collection::vec((0usize..2_000, any::<u8>(), 0u8..4), 1..6),
    ) {
        let corpus = corpus();
        let mut bytes = corpus[which % corpus.len()].clone();
        for (place, byte, kind) in edits {
            let place = place % bytes.len();
            match kind {
                0 => bytes[place] = byte,
                1 => bytes.insert(place, byte),
                2 => { bytes.remove(place); }
                _ => bytes[place] = b" \t\r\n\0\",;:<>@=%?[]*\\"[usize::from(byte) % 19],
            }
        }
        let found = affinity(&bytes);
        if let Some(expected) = parse(&bytes).ok().as_ref().and_then(by_the_table) {
            prop_assert_eq!(found, expected, "{}", String::from_utf8_lossy(&bytes));
        }
    }

    /// [DR-4] Any bytes, alone and in the places that decide.
    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200), field in "(v|Route|t|i|CSeq)") {
        let _ = affinity(&bytes);
        for line in ["REGISTER sip:a SIP/2.0", "SIP/2.0 200 OK", "BYE sip:a SIP/2.0"] {
            let start = format!("{line}\r\n{field}: ");
            let _ = affinity(&[start.as_bytes(), &bytes, b"\r\n\r\n"].concat());
        }
        let _ = affinity(&[b"SUBSCRIBE ", &bytes[..], b" SIP/2.0\r\n\r\n"].concat());
    }
}

/// [DR-8] [RFC 4475 3.1.1.2] A NUL that a quoted-pair escapes hides nothing of a message that is read.
#[test]
fn over_escaped_nul() {
    let bytes = b"BYE sip:a SIP/2.0\r\nTo: \"\\\0\" <sip:b@example.org>\r\nCall-ID: c1\r\n\r\n";
    assert!(parse(bytes).is_ok());
    let plain = b"BYE sip:a SIP/2.0\r\nCall-ID: c1\r\n\r\n";
    assert_eq!(affinity(bytes), affinity(plain));
    assert!(matches!(affinity(bytes), Some(Affinity::CallId(_))));
}
