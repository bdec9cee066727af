//! When two URIs, hosts or addresses are the same.

use std::net::{Ipv4Addr, Ipv6Addr};

use ims_procedures::wire::{Host, Uri};
use proptest::prelude::*;

fn uri(text: &str) -> Uri<'_> {
    Uri::parse(text.as_bytes()).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn host(text: &str) -> Host<'_> {
    Host::parse(text.as_bytes()).unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// Whether both are equivalent, which must not depend on which is asked.
fn equivalent(a: &str, b: &str) -> bool {
    let (one, other) = (uri(a).equivalent(&uri(b)), uri(b).equivalent(&uri(a)));
    assert_eq!(one, other, "{a} {b}");
    one
}

/// Whether both have one host and port, which must not depend on which is asked.
fn same_host_port(a: &str, b: &str) -> bool {
    let one = uri(a).same_host_port(&uri(b));
    assert_eq!(one, uri(b).same_host_port(&uri(a)), "{a} {b}");
    one
}

/// [RFC 3261 19.1.4] The examples of the clause that are equivalent.
#[test]
fn equivalent_examples() {
    for (a, b) in [
        (
            "sip:%61lice@atlanta.com;transport=TCP",
            "sip:alice@AtlanTa.CoM;Transport=tcp",
        ),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
        (
            "sip:carol@chicago.com;newparam=5",
            "sip:carol@chicago.com;security=on",
        ),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
    ] {
        assert!(equivalent(a, b), "{a} {b}");
    }
}

/// [RFC 3261 19.1.4] The examples of the clause that are not.
#[test]
fn different_examples() {
    for (a, b) in [
        (
            "SIP:ALICE@AtLanTa.CoM;Transport=udp",
            "sip:alice@AtlanTa.CoM;Transport=UDP",
        ),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        (
            "sip:bob@biloxi.com",
            "sip:bob@biloxi.com:6000;transport=tcp",
        ),
        (
            "sip:carol@chicago.com",
            "sip:carol@chicago.com?Subject=next%20meeting",
        ),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
    ] {
        assert!(!equivalent(a, b), "{a} {b}");
    }
}

/// [RFC 3261 19.1.4] Equality is not transitive: what is equivalent to one URI need not be to another.
#[test]
fn equality_is_not_transitive() {
    let [plain, on, off] = [
        "sip:carol@chicago.com",
        "sip:carol@chicago.com;security=on",
        "sip:carol@chicago.com;security=off",
    ];
    assert!(equivalent(plain, on) && equivalent(plain, off));
    assert!(!equivalent(on, off));
}

/// [RFC 3261 19.1.4] What the clause says without an example: escapes, passwords, parameters, headers.
#[test]
fn rules_without_example() {
    for (a, b) in [
        ("sip:a:%70w@b", "sip:a:pw@b"),
        ("sip:a%3b@b", "sip:a%3B@b"),
        ("sip:a@b;x=%79", "sip:a@b;x=Y"),
        ("sip:a@b;%78=y", "sip:a@b;X=y"),
        ("sip:a@b;lr", "sip:a@b"),
        ("sip:a@b;method=INVITE", "sip:a@b;METHOD=invite"),
        ("sip:a@b?SUBJECT=x", "sip:a@b?subject=x"),
        ("sip:a@b.", "sip:a@B"),
        ("sips:a@b:5061", "SIPS:a@B:5061"),
    ] {
        assert!(equivalent(a, b), "{a} {b}");
    }
    for (a, b) in [
        ("sip:a@b", "sips:a@b"),
        ("sip:a@b", "sip:b"),
        ("sip:a@b", "sip:A@b"),
        ("sip:a:pw@b", "sip:a@b"),
        ("sip:a:pw@b", "sip:a:PW@b"),
        ("sip:a%40b@c", "sip:a@c"),
        ("sip:a%3bx@c", "sip:a;x@c"),
        ("sip:%2b1@a", "sip:+1@a"),
        ("sip:%00@a", "sip:%00%00@a"),
        ("sips:a@b", "sips:a@b:5061"),
        ("sip:a@b;lr=on", "sip:a@b;lr"),
        ("sip:a@b;user=phone", "sip:a@b"),
        ("sip:a@b;ttl=1", "sip:a@b"),
        ("sip:a@b;maddr=c", "sip:a@b"),
        ("sip:a@b;method=BYE", "sip:a@b"),
        ("sip:a@b?x=1&x=1", "sip:a@b?x=1"),
        ("sip:a@b?x=1&x=2", "sip:a@b?x=1&x=1"),
        ("sip:a@b?x=1", "sip:a@b?x=2"),
        ("sip:a@b?x=y", "sip:a@b?x=Y"),
        ("sip:+1@a;user=phone", "tel:+1"),
    ] {
        assert!(!equivalent(a, b), "{a} {b}");
    }
}

/// [DR-4] URIs with more parameters than are ever compared are equal only as bytes.
#[test]
fn comparing_many_parameters_is_bounded() {
    let build = |count: usize, last: &str| {
        let params: String = (0..count).map(|n| format!(";p{n}")).collect();
        format!("sip:a@b{params}{last}")
    };
    assert!(equivalent(&build(63, ";X"), &build(63, ";x")));
    assert!(!equivalent(&build(64, ";X"), &build(64, ";x")));
    assert!(equivalent(&build(64, ";x"), &build(64, ";x")));
}

/// [RFC 3966 4] Telephone numbers apart from visual separators, case and the order of parameters.
#[test]
fn equivalent_telephone_numbers() {
    for (a, b) in [
        ("tel:+1-201-555-0123", "TEL:+1(201)555.0123"),
        ("tel:+1;ext=2;isub=9", "tel:+1;ISUB=9;ext=2"),
        ("tel:+1;ext=2-3", "tel:+1;EXT=(23)"),
        ("tel:+1;isub=aB%20c", "tel:+1;isub=Ab%20C"),
        (
            "tel:7042;phone-context=Example.com",
            "tel:70-42;phone-context=example.com",
        ),
        (
            "tel:863-1234;phone-context=+1-914-555",
            "tel:8631234;phone-context=+1914555",
        ),
        ("tel:1A;phone-context=x", "tel:1a;phone-context=x"),
        ("tel:*21#;phone-context=x", "tel:*2-1#;phone-context=x"),
        ("tel:+1;x=Y", "tel:+1;X=y"),
    ] {
        assert!(equivalent(a, b), "{a} {b}");
    }
}

/// [RFC 3966 4] A local number is no global one, and every parameter counts.
#[test]
fn different_telephone_numbers() {
    for (a, b) in [
        ("tel:+1", "tel:1"),
        ("tel:+12", "tel:+1"),
        ("tel:+1", "tel:+1;ext=2"),
        ("tel:+1;ext=3", "tel:+1;ext=2"),
        ("tel:+1;ext=2", "tel:+1;isub=2"),
        ("tel:+1;isub=2-3", "tel:+1;isub=23"),
        ("tel:+1;a", "tel:+1;b"),
        ("tel:+1;a;a", "tel:+1;a;b"),
        ("tel:+1;a=1", "tel:+1;a"),
        (
            "tel:1;phone-context=a.example",
            "tel:1;phone-context=b.example",
        ),
        (
            "tel:1;phone-context=a-b.example",
            "tel:1;phone-context=ab.example",
        ),
        ("tel:1;phone-context=+49", "tel:1;phone-context=+1"),
        ("tel:1;phone-context=+49", "tel:1"),
        ("tel:+1", "sip:+1@a;user=phone"),
    ] {
        assert!(!equivalent(a, b), "{a} {b}");
    }
}

/// [RFC 3261 19.1.4] URIs of any other scheme are the same byte for byte, or not at all.
#[test]
fn other_schemes_are_compared_as_bytes() {
    assert!(equivalent("urn:a:b", "urn:a:b"));
    assert!(!equivalent("urn:a:B", "urn:a:b"));
    assert!(!equivalent("http://a", "HTTP://a"));
}

/// [SD-1] Scheme, host and effective port; user part, parameters and headers are apart.
#[test]
fn one_host_and_port() {
    for (a, b) in [
        (
            "sip:pcscf1.visited1.net",
            "sip:term@PCSCF1.visited1.net.:5060;lr",
        ),
        ("sip:a:5060", "SIP:b@A"),
        ("sips:a:5061", "sips:x@a?y=z"),
        ("sip:a;transport=tcp", "sip:u:p@a:5060;transport=udp"),
        ("sip:[2001:db8::1]", "sip:u@[2001:0DB8:0:0::0.0.0.1]:5060"),
        ("sip:192.0.2.1:5060", "sip:192.0.2.1"),
        ("sip:a:0", "sip:b@a:0"),
    ] {
        assert!(same_host_port(a, b), "{a} {b}");
    }
}

/// [SD-1] A part of a name is never enough, nor a name for its address, nor the port of another scheme.
#[test]
fn other_hosts_and_ports() {
    for (a, b) in [
        ("sip:pcscf1.visited1.net", "sip:xpcscf1.visited1.net"),
        (
            "sip:pcscf1.visited1.net",
            "sip:pcscf1.visited1.net.evil.example",
        ),
        (
            "sip:pcscf1.visited1.net",
            "sip:pcscf1.visited1.net@evil.example",
        ),
        (
            "sip:pcscf1.visited1.net",
            "sip:evil.example;x=pcscf1.visited1.net",
        ),
        (
            "sip:pcscf1.visited1.net",
            "sip:evil.example?x=pcscf1.visited1.net",
        ),
        (
            "sip:pcscf1.visited1.net",
            "sip:evil.example;maddr=pcscf1.visited1.net",
        ),
        ("sip:pcscf1.visited1.net", "sip:pcscf1.visited1.net:5070"),
        ("sip:pcscf1.visited1.net", "sips:pcscf1.visited1.net"),
        ("sip:pcscf1.visited1.net", "sips:pcscf1.visited1.net:5060"),
        ("sip:a:5061", "sips:a"),
        ("sips:a", "sips:a:5060"),
        ("sip:192.0.2.1", "sip:[::ffff:192.0.2.1]"),
        ("sip:192.0.2.1", "sip:192.0.2.1.example"),
        ("sip:localhost", "sip:127.0.0.1"),
        ("sip:[::1]", "sip:127.0.0.1"),
        ("sip:a..", "sip:a"),
        ("sip:a:0", "sip:a"),
        ("tel:+1", "tel:+1"),
        ("urn:a:b", "urn:a:b"),
    ] {
        assert!(!same_host_port(a, b), "{a} {b}");
    }
}

/// [RFC 5954 4.2] [RFC 5118 4] The texts of one IPv6 address are one host; an IPv4-mapped address is an
/// IPv6 address, and not the IPv4 one.
#[test]
fn texts_of_one_address() {
    let same = [
        "[2001:db8::9:1]",
        "[2001:DB8::9:1]",
        "[2001:0db8::0009:0001]",
        "[2001:db8:0:0:0:0:9:1]",
        "[2001:db8:0::0:9:1]",
        "[2001:db8::0.9.0.1]",
        "[2001:db8:::0.9.0.1]",
    ];
    for text in same {
        assert_eq!(host(text), host(same[0]), "{text}");
        let (a, b) = (format!("sip:a@{text}"), format!("sip:a@{}", same[0]));
        assert!(equivalent(&a, &b) && same_host_port(&a, &b), "{text}");
    }
    for other in [
        "[2001:db8::9:10]",
        "[2001:db8::9:1:0]",
        "[2001:db8:9::1]",
        "[::]",
        "0.9.0.1",
        "name.example",
    ] {
        assert_ne!(host(other), host(same[0]), "{other}");
    }
    assert_eq!(host("[::ffff:192.0.2.1]"), host("[::FFFF:C000:201]"));
    assert_ne!(host("[::ffff:192.0.2.1]"), host("192.0.2.1"));
    assert_ne!(host("[::192.0.2.1]"), host("192.0.2.1"));
}

/// How one address is written: which zero groups are left out, how wide and in which case the others stand,
/// and whether the last two are an IPv4 tail.
#[derive(Clone, Copy, Debug)]
struct Style {
    gap: usize,
    longest: usize,
    wide: u8,
    upper: u8,
    tail: bool,
    third_colon: bool,
}

fn styles() -> impl Strategy<Value = Style> {
    (
        0usize..8,
        1usize..9,
        any::<u8>(),
        any::<u8>(),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(gap, longest, wide, upper, tail, third_colon)| Style {
            gap,
            longest,
            wide,
            upper,
            tail,
            third_colon,
        })
}

/// A text of the address in that style.
fn text_of(address: u128, style: Style) -> String {
    let groups = Ipv6Addr::from_bits(address).segments();
    let count = if style.tail { 6 } else { 8 };
    let zeros = groups[..count].iter().skip(style.gap).take(style.longest);
    let zeros = zeros.take_while(|group| **group == 0).count();
    let group = |place: usize| {
        let wide = style.wide >> place & 1 == 1;
        let group = groups[place];
        let text = if wide {
            format!("{group:04x}")
        } else {
            format!("{group:x}")
        };
        if style.upper >> place & 1 == 1 {
            text.to_uppercase()
        } else {
            text
        }
    };
    let mut front: Vec<String> = (0..count).map(group).collect();
    let mut text = if zeros == 0 {
        front.join(":")
    } else {
        let back = front.split_off(style.gap);
        format!("{}::{}", front.join(":"), back[zeros..].join(":"))
    };
    if style.tail {
        let at_gap = text.ends_with("::");
        if !at_gap || style.third_colon {
            text.push(':');
        }
        text.push_str(&Ipv4Addr::from_bits(address as u32).to_string());
    }
    format!("[{text}]")
}

/// Addresses with runs of zero groups, and any others.
fn addresses() -> impl Strategy<Value = u128> {
    let group = prop_oneof![3 => Just(0u16), 1 => 0u16..16, 1 => any::<u16>()];
    prop::array::uniform8(group).prop_map(|groups| Ipv6Addr::from(groups).to_bits())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// [RFC 5954 4.2] However an address is written, it is one host; another address never is.
    #[test]
    fn addresses_are_compared_by_value(
        address in addresses(),
        other in addresses(),
        bit in 0u32..128,
        one in styles(),
        two in styles(),
    ) {
        let (a, b) = (text_of(address, one), text_of(address, two));
        prop_assert_eq!(host(&a), Host::V6(address.to_be_bytes()), "{}", a);
        prop_assert_eq!(host(&a), host(&b), "{} {}", a, b);
        let [a5060, b5060] = [&a, &b].map(|text| format!("sip:{text}:5060"));
        prop_assert!(equivalent(&a5060, &b5060));
        let without_port = format!("sip:x@{b}");
        prop_assert!(same_host_port(&a5060, &without_port));
        for different in [other, address ^ (1 << bit)] {
            let c = text_of(different, two);
            prop_assert_eq!(host(&a) == host(&c), address == different, "{} {}", a, c);
        }
        let low = Ipv4Addr::from_bits(address as u32).to_string();
        prop_assert_ne!(host(&a), host(&low));
    }

    /// [SD-1] User part, password, parameters and headers never count, whatever they hold; another port, scheme
    /// or host always does.
    #[test]
    fn host_and_port_alone_count(
        user in "([a-z0-9;,&=+$?/-]{1,8}(:[a-z0-9]{0,4})?@)?",
        host in "(pcscf1\\.visited1\\.net|192\\.0\\.2\\.1|\\[2001:db8::1\\])",
        port in 1u16..5060,
        params in "(;[a-z0-9.-]{1,6}(=[a-z0-9.:/-]{0,6})?){0,3}",
        headers in "(\\?[a-z]{1,4}=[a-z%20.-]{0,6})?",
    ) {
        let rest = format!("{params}{headers}");
        let plain = format!("sip:{host}");
        let (implied, explicit) = (format!("sip:{user}{host}{rest}"), format!("sip:{user}{host}:5060{rest}"));
        prop_assert!(same_host_port(&plain, &implied), "{}", implied);
        prop_assert!(same_host_port(&plain, &explicit), "{}", explicit);
        let others = [
            format!("sip:{user}{host}:{port}{rest}"),
            format!("sips:{user}{host}{rest}"),
            format!("sip:{user}xpcscf1.visited1.net{rest}"),
        ];
        for other in &others {
            prop_assert!(!same_host_port(&plain, other), "{}", other);
        }
    }

    /// [RFC 3966 4] Visual separators, case and the order of parameters never tell two numbers apart.
    #[test]
    fn telephone_numbers_are_compared_by_digits(
        digits in "[0-9]{1,12}",
        more in "[0-9]",
        separators in prop::collection::vec("[-.()]{0,2}", 13),
    ) {
        let spread: String = digits.chars().zip(&separators).flat_map(|(d, s)| s.chars().chain([d])).collect();
        let (a, b) = (format!("tel:+{digits};ext=1;x=y"), format!("TEL:+{spread};X=Y;EXT=1"));
        prop_assert!(equivalent(&a, &b), "{} {}", a, b);
        let longer = format!("tel:+{digits}{more};ext=1;x=y");
        prop_assert!(!equivalent(&a, &longer) && !equivalent(&longer, &b));
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

    /// [RFC 3966 4] [RFC 3261 19.1.4] The same of `tel` and other URIs.
    #[test]
    fn comparison_of_other_uris(
        a in "(tel:[+]?[12][-.]?[aA]?(;(ext=[12-]|phone-context=[+xX]1|[yY])){0,2}|urn:[aA]:[bB])",
        b in "(tel:[+]?[12][-.]?[aA]?(;(ext=[12-]|phone-context=[+xX]1|[yY])){0,2}|urn:[aA]:[bB])",
    ) {
        let (Ok(a), Ok(b)) = (Uri::parse(a.as_bytes()), Uri::parse(b.as_bytes())) else {
            return Ok(());
        };
        prop_assert!(a.equivalent(&a) && !a.same_host_port(&a));
        prop_assert_eq!(a.equivalent(&b), b.equivalent(&a));
    }
}
