//! Every byte at every place near the edges of the blocks and words that the scans take at once, compared with
//! the rule written out byte by byte.

use ims_procedures::{
    drive::{Buffer, Identifiers, Limits, Unwritable},
    wire::{
        Contact, Header, HeaderName, Host, Message, NameAddr, Params, Salvage, Uri, Via, defect,
    },
};
use proptest::prelude::*;

use crate::support::{known_names, parse, place, request_with};

/// Lengths around those of one to four words and blocks.
const LENGTHS: [usize; 12] = [1, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33];

/// Texts of one byte over and over, with another at each place.
fn each_byte_at_each_place(fill: u8, mut check: impl FnMut(&[u8])) {
    for length in LENGTHS {
        let mut text = vec![fill; length];
        for at in 0..length {
            for byte in 0..=u8::MAX {
                text[at] = byte;
                check(&text);
            }
            text[at] = fill;
        }
    }
}

fn is_uri_byte(byte: u8) -> bool {
    !matches!(byte, 0..=b' ' | 0x7f | b'"' | b'<' | b'>')
}

/// [RFC 3261 25.1] A URI of a scheme that is not known holds any bytes but controls, space, `"`, `<` and `>`, and
/// the first other one is named.
#[test]
fn bytes_of_a_uri() {
    for fill in [b'a', b'!', 0x80] {
        each_byte_at_each_place(fill, |text| {
            let uri = [b"x:", text].concat();
            let expected = text.iter().position(|b| !is_uri_byte(*b)).map(|at| at + 2);
            let found = Uri::parse(&uri).err().map(|reject| reject.at as usize);
            assert_eq!(found, expected, "{uri:?}");
            let sip = [b"sip:h;", text].concat();
            let refused = !text.contains(&b'@') && Uri::parse(&sip).is_err();
            let expected = text.iter().any(|b| !is_uri_byte(*b));
            assert_eq!(refused, expected, "{sip:?}");
        });
    }
}

/// [RFC 3261 25.1] A host name is of letters, digits, `-`, `.` and `_`.
#[test]
fn bytes_of_a_host_name() {
    for fill in [b'a', b'_'] {
        each_byte_at_each_place(fill, |text| {
            let is_host_byte = |b: &u8| b.is_ascii_alphanumeric() || b"-._".contains(b);
            let name = [b"h", text].concat();
            let expected = text.iter().position(|b| !is_host_byte(b)).map(|at| at + 1);
            let found = Host::parse(&name).err().map(|reject| reject.at as usize);
            assert_eq!(found, expected, "{name:?}");
        });
    }
}

/// [RFC 3261 7.3.1] CR, LF and NUL, and no other byte, end or break the value of a header field.
#[test]
fn bytes_of_a_value() {
    for fill in [b'a', b'\t', 0x0e, 0x8d] {
        each_byte_at_each_place(fill, |text| {
            let bytes = [b"BYE sip:a SIP/2.0\r\nX-Own: a", text, b"z\r\n\r\n"].concat();
            let broken = text.iter().position(|b| matches!(b, 0 | b'\r' | b'\n'));
            match (parse(&bytes), broken) {
                (Ok(message), None) => {
                    let value = message.header_named(b"x-own").unwrap().raw();
                    assert_eq!(value, [b"a", text, b"z"].concat());
                }
                (Err(reject), Some(at)) => {
                    let what = match text[at] {
                        0 => &defect::NUL,
                        _ => &defect::BARE_LINE_END,
                    };
                    assert_eq!(reject.defect, what);
                    assert_eq!(reject.at as usize, place(&bytes, "X-Own: a") + 8 + at);
                }
                (read, broken) => panic!("{text:?}: {read:?}, {broken:?}"),
            }
        });
    }
}

/// [RFC 3261 25.1] The same bytes, and no others, keep a value from being written.
#[test]
fn bytes_of_a_value_to_write() {
    for fill in [b'a', 0x0b, 0x8a] {
        each_byte_at_each_place(fill, |text| {
            let mut buffer = Buffer::new(64);
            buffer.put_value(text);
            let is_broken = text.iter().any(|b| matches!(b, 0 | b'\r' | b'\n'));
            assert_eq!(
                buffer.fault(),
                is_broken.then_some(Unwritable::UnsafeValue),
                "{text:?}"
            );
        });
    }
}

/// Where a quoted string ends, byte by byte.
fn quoted_end(bytes: &[u8]) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in bytes.iter().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at),
            _ => {}
        }
    }
    None
}

/// [RFC 3261 25.1] Every string of up to nine quotes, backslashes and letters ends where its first quote stands
/// that is not escaped.
#[test]
fn quoted_strings() {
    for length in 0..=9u32 {
        for number in 0..3usize.pow(length) {
            let digit = |place: u32| number / 3usize.pow(place) % 3;
            let inner: Vec<u8> = (0..length).map(|n| b"a\"\\"[digit(n)]).collect();
            for pad in [0, 6] {
                let text = [b"\"", &b"bbbbbb"[..pad], &inner[..], b"\"<sip:a>"].concat();
                let end = quoted_end(&text).filter(|end| text[end + 1..].starts_with(b"<"));
                let read = NameAddr::parse(&text);
                let display = read.as_ref().ok().and_then(NameAddr::display);
                assert_eq!(display, end.map(|end| &text[1..end]), "{text:?}");
            }
        }
    }
}

/// [RFC 3261 7.3.1] A known name with any one byte changed, added or left out is that name in another case or it
/// is unknown; as it is looked up, and as it stands in a message.
#[test]
fn names_and_their_neighbours() {
    let known = known_names();
    let expected = |name: &[u8]| {
        let is_same = |k: &HeaderName| k.canonical_name().eq_ignore_ascii_case(name);
        HeaderName::ALL.into_iter().find(is_same)
    };
    let check = |name: &[u8]| {
        if name.len() < 2 {
            return;
        }
        let expected = expected(name).unwrap_or(HeaderName::Other);
        assert_eq!(HeaderName::lookup(name), expected, "{name:?}");
        if name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-') {
            for end in [&b": 0\r\n\r\n"[..], b":0\r\n\r\n", b" : 0\r\n\r\n"] {
                let bytes = [b"BYE sip:a SIP/2.0\r\n", name, end].concat();
                let message = parse(&bytes).unwrap();
                let field = message.fields().next().unwrap();
                assert_eq!((field.name, field.raw_name), (expected, name));
            }
        }
    };
    for name in &known {
        let name = name.as_bytes();
        for at in 0..name.len() {
            for byte in 0..=u8::MAX {
                let mut changed = name.to_vec();
                changed[at] = byte;
                check(&changed);
            }
            for byte in [0, b'-', b'a', name[at], name[at] ^ 0x80] {
                let mut longer = name.to_vec();
                longer.insert(at, byte);
                check(&longer);
            }
            let mut shorter = name.to_vec();
            shorter.remove(at);
            check(&shorter);
        }
        for byte in 0..=u8::MAX {
            check(&[name, &[byte]].concat());
        }
    }
}

/// [RFC 3261 7.3.1] A line that begins with a colon is no header field, whatever stands after it.
#[test]
fn a_header_field_has_a_name() {
    for line in [
        ":",
        ": x",
        ":Via: x",
        ":\0",
        " : x",
        ":       :",
        "::::::::",
    ] {
        let bytes = request_with(&format!("Subject: s\r\n{line}\r\n"));
        let is_folding = line.starts_with(' ');
        assert_eq!(parse(&bytes).is_ok(), is_folding, "{line}");
    }
    let bytes = request_with(": Via\r\n");
    let reject = parse(&bytes).unwrap_err();
    assert_eq!(
        (reject.defect, reject.at as usize),
        (&defect::HEADER_NAME, place(&bytes, ": Via\r"))
    );
    assert_eq!(HeaderName::lookup(b""), HeaderName::Other);
}

/// [RFC 3261 25.1] No parameter of From or To holds NUL, however short they are.
#[test]
fn no_nul_in_short_parameters() {
    for params in [
        ";\\\0",
        ";x\\\0",
        ";\\\0=",
        ";x=\\\0",
        ";tag=\\\0",
        ";\\\0;tag=1",
        ";tag=1;\\\0",
    ] {
        let base = String::from_utf8(request_with("")).unwrap();
        for (from, to) in [
            (";tag=1", params.to_owned()),
            (
                "To: <sip:a@home1.example.net>",
                format!("To: <sip:a@home1.example.net>{params}"),
            ),
        ] {
            let bytes = base.replacen(from, &to, 1).into_bytes();
            let message = parse(&bytes).unwrap();
            let party = match from.starts_with("To") {
                true => message.to(),
                false => message.from(),
            };
            assert!(party.is_err(), "{params:?}");
        }
    }
}

/// [RFC 3261 25.1] NUL stands in quoted strings only: none in a display name without quotes.
#[test]
fn no_nul_outside_quotes() {
    let base = String::from_utf8(request_with("")).unwrap();
    for display in ["\\\0", "a\\\0", "a \\\0 b"] {
        let bytes = base
            .replace("From: <", &format!("From: {display}<"))
            .into_bytes();
        let reject = parse(&bytes).unwrap().from().unwrap_err();
        let at = place(&bytes, "\0");
        assert_eq!(
            (reject.defect, reject.at as usize),
            (&defect::DISPLAY_NAME, at)
        );
    }
}

/// [RFC 3261 18.3] A colon on a continuation line ends a name for one reader and none for another: no answer.
#[test]
fn a_colon_after_folding_is_not_answered() {
    let limits = Limits::default();
    for name in ["Via", "From", "To", "Call-ID", "CSeq", "X-Own"] {
        let text = String::from_utf8(request_with("X-Own: x\r\n")).unwrap();
        let folded = text.replace(&format!("{name}: "), &format!("{name}\r\n : "));
        let bytes = folded.as_bytes();
        let reject = parse(bytes).unwrap_err();
        assert_eq!(reject.defect, &defect::HEADER_NAME);
        assert!(Salvage::read(bytes, &limits, reject).is_none(), "{name}");
    }
    let damaged = request_with("no field\r\n");
    let reject = parse(&damaged).unwrap_err();
    assert!(Salvage::read(&damaged, &limits, reject).is_some());
}

/// [DR-8] The text of an identifier is its number in hexadecimal, and is read back.
#[test]
fn texts_of_identifiers() {
    for shard in [0u16, 1, 9, 10, 0x9a, 0xa9, 0x0fa9, 0xffff] {
        let mut identifiers = Identifiers::new([7; 32], 1, shard);
        for _ in 0..2_000 {
            let identifier = identifiers.next();
            let text = identifier.text();
            assert_eq!(text[..6], *format!("s{shard:04x}-").as_bytes());
            assert!(
                text[6..]
                    .iter()
                    .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
            );
            let read = ims_procedures::drive::Identifier::parse(&text);
            assert_eq!(read, Some(identifier));
        }
    }
}

/// What a URI is taken apart into.
fn parts<'a>(uri: &Uri<'a>) -> impl PartialEq + std::fmt::Debug + use<'a> {
    (
        (uri.raw(), uri.scheme(), uri.user(), uri.password()),
        (uri.host(), uri.port(), uri.params().raw(), uri.headers()),
    )
}

/// [RFC 3261 20.10] A URI in angle brackets, after a display name or not, is read as it is alone: all of up to
/// five bytes of the grammar's own, after the scheme, and after a user.
#[test]
fn uris_in_angle_brackets() {
    const BYTES: &[u8] = b"a1.-@:;?_\x80";
    let mut texts = vec![Vec::new()];
    let mut shorter = vec![Vec::new()];
    for _ in 0..5 {
        let longer = |text: &Vec<u8>| {
            BYTES
                .iter()
                .map(move |b| [&text[..], &[*b]].concat())
                .collect::<Vec<_>>()
        };
        shorter = shorter.iter().flat_map(longer).collect();
        texts.extend(shorter.iter().cloned());
    }
    for text in &texts {
        for front in ["sip:", "SIPS:u@"] {
            let alone = [front.as_bytes(), text].concat();
            let expected = Uri::parse(&alone);
            for (open, close) in [("<", ">"), ("\"\"<", "> ;lr")] {
                let value = [open.as_bytes(), &alone, close.as_bytes()].concat();
                match (NameAddr::parse(&value), &expected) {
                    (Ok(read), Ok(uri)) => assert_eq!(parts(&read.uri()), parts(uri), "{alone:?}"),
                    (Err(read), Err(reject)) => {
                        assert_eq!(read.defect, reject.defect, "{alone:?}");
                        assert_eq!(read.at as usize, reject.at as usize + open.len());
                    }
                    (read, _) => panic!("{alone:?}: {read:?}"),
                }
            }
        }
    }
}

/// [DR-5] Values of 65,535 bytes are read with their last part in place; one byte more is refused.
#[test]
fn longest_values() {
    for total in 65_533..=65_538usize {
        let fits = total <= 65_535;
        let filled = |front: &str, back: &str| {
            let middle = "x".repeat(total - front.len() - back.len());
            format!("{front}{middle}{back}").into_bytes()
        };
        let text = filled("sip:a@h;", ";y=z?q");
        match Uri::parse(&text) {
            Ok(uri) => {
                assert!(fits);
                assert_eq!(uri.params().get(b"y"), Some(Some(&b"z"[..])));
                assert_eq!(uri.headers(), b"q");
            }
            Err(reject) => assert_eq!((fits, reject.defect), (false, &defect::VALUE_TOO_LONG)),
        }
        let text = filled("sip:u:", "@h:5070");
        assert_eq!(Uri::parse(&text).is_ok(), fits);
        if let Ok(uri) = Uri::parse(&text) {
            assert_eq!(uri.password().unwrap().len(), total - 13);
            assert_eq!((uri.user(), uri.port()), (Some(&b"u"[..]), Some(5_070)));
            assert_eq!(uri.host(), Some(Host::Name(b"h")));
        }
        let text = filled("sip:", "");
        assert_eq!(Uri::parse(&text).is_ok(), fits);
        if let Ok(uri) = Uri::parse(&text) {
            assert!(matches!(uri.host(), Some(Host::Name(name)) if name.len() == total - 4));
            assert!(uri.params().is_empty() && uri.headers().is_empty());
        }
        for (front, back, value) in [
            ("<sip:a>;", ";tag=t", Some(&b"t"[..])),
            ("<sip:a>;", ";tag=", Some(&b""[..])),
            ("<sip:a>;", ";tag", None),
            ("\"", "\"<sip:a>;tag=t", Some(&b"t"[..])),
            ("<sip:a>;tag=t;", "", Some(&b"t"[..])),
            ("<sip:a@", ">;tag=t", Some(&b"t"[..])),
        ] {
            let text = filled(front, back);
            assert_eq!(
                NameAddr::parse(&text).is_ok(),
                fits,
                "{total} {front} {back}"
            );
            if let Ok(address) = NameAddr::parse(&text) {
                assert_eq!(address.tag(), value);
                assert_eq!(address.tag(), address.params().value(b"tag"));
                assert!(address.params().has(b"tag"));
            }
            let listed = [b"sip:b,", &text[..], b",sip:c"].concat();
            assert_eq!(NameAddr::parse_list(&listed).all(|a| a.is_ok()), fits);
        }
        let text = filled("SIP/2.0/UDP h;", ";branch=t");
        let via = Via::parse_list(&text).next().unwrap();
        assert_eq!(via.is_ok(), fits);
        if let Ok(via) = via {
            assert_eq!(via.branch(), Some(&b"t"[..]));
        }
    }
}

/// [DR-5] A head of 65,535 bytes is read to its last field, and one byte more refused.
#[test]
fn longest_heads() {
    let mut limits = Limits::default();
    (limits.message_bytes, limits.header_bytes) = (1 << 20, 1 << 20);
    for total in 65_533..=65_537usize {
        for body in [&b""[..], b"body"] {
            for last in [
                "Path: <sip:p>\r\n\r\n",
                "Path: <sip:p>\r\n \t\r\n\r\n",
                "Path:\r\n\r\n",
            ] {
                let front = "BYE sip:a SIP/2.0\r\nX-Own: ";
                let middle = "x".repeat(total - front.len() - 2 - last.len());
                let head = format!("{front}{middle}\r\n{last}").into_bytes();
                let bytes = [&head[..], body].concat();
                match Message::parse(&bytes, &limits) {
                    Ok(message) => {
                        assert!(total <= 65_535);
                        assert_eq!(message.body(), body);
                        let field = message.fields().last().unwrap();
                        let value = &last.as_bytes()[5..].trim_ascii();
                        assert_eq!(field.value.raw(), *value);
                        assert_eq!(field.line, total - last.len()..total - 2);
                        assert_eq!(
                            message.header_named(b"x-own").unwrap().raw().len(),
                            middle.len()
                        );
                    }
                    Err(reject) => {
                        assert!(total > 65_535, "{total} {last:?} {reject}");
                        assert_eq!(reject.defect, &defect::HEAD_TOO_LARGE);
                    }
                }
            }
        }
    }
}

/// [RFC 3261 7.3.1] Whatever the number of fields and the order of their names, the first of a name, all of a
/// name, and the fields in order tell the same.
#[test]
fn many_fields_are_found_alike() {
    let mut limits = Limits::default();
    limits.headers = 400;
    for (count, step) in [
        (47, 5),
        (48, 7),
        (49, 11),
        (253, 3),
        (254, 9),
        (255, 71),
        (256, 1),
        (300, 1),
        (300, 73),
    ] {
        let names: Vec<HeaderName> = HeaderName::ALL
            .into_iter()
            .filter(|name| *name != HeaderName::ContentLength)
            .collect();
        let line = |n: usize| {
            let name = names[n / 5 * step % names.len()].canonical_name();
            format!("{}: v\r\n", String::from_utf8_lossy(name))
        };
        let lines: String = (0..count).map(line).collect();
        let bytes = format!("BYE sip:a SIP/2.0\r\n{lines}\r\n").into_bytes();
        let message = Message::parse(&bytes, &limits).unwrap();
        assert_eq!(message.fields().count(), count);
        for name in HeaderName::ALL {
            let expected: Vec<usize> = message
                .fields()
                .filter(|field| field.raw_name == name.canonical_name())
                .map(|field| field.value.at())
                .collect();
            let found: Vec<usize> = message.headers(name).map(Header::at).collect();
            assert_eq!(found, expected, "{name:?} of {count}");
            assert_eq!(
                message.header(name).map(Header::at),
                expected.first().copied()
            );
        }
    }
}

const NAMES: &str = "(tag|TAG|expires|q|Q|reg-id|Reg-ID|\\+sip\\.instance|pub-gruu|temp-gruu|branch|received|rport|ta\\\u{0}|t@g|x|)";

fn params() -> impl Strategy<Value = String> {
    let value = "([0-9.]{0,3}|[a-zA-Z@-]{0,9}|\"([ -!#-\\[\\]-~]|\\\\[\"\\\\a]){0,9}\"|\"<urn:[;,]x>\"|\\[::1\\])";
    let one = format!("[ \t]?;[ \t]?{NAMES}[ \t]?(=[ \t]?{value})?[ \t]?");
    let one = prop::string::string_regex(&one).unwrap();
    prop::collection::vec(one, 0..6).prop_map(|all| all.concat())
}

/// What a known parameter says must be what its parameters say.
fn agrees(known: Option<&[u8]>, params: Params<'_>, name: &str) {
    assert_eq!(known, params.value(name.as_bytes()), "{name}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_000, ..ProptestConfig::default() })]

    /// [RFC 3261 7.3.1] What was noted of the parameters while they were walked over is what a search finds in them.
    #[test]
    fn known_parameters_agree_with_a_search(params in params()) {
        let value = format!("\"a\" <sip:a@h>{params}");
        if let Ok(address) = NameAddr::parse(value.as_bytes()) {
            agrees(address.tag(), address.params(), "tag");
        }
        let bytes = format!("REGISTER sip:a SIP/2.0\r\nContact: {value}\r\n\r\n").into_bytes();
        let read = parse(&bytes);
        if let Some(Ok(Contact::Addr(contact))) = read.as_ref().ok().and_then(|m| m.contacts().next()) {
            let params = contact.params();
            agrees(contact.instance(), params, "+sip.instance");
            agrees(contact.reg_id(), params, "reg-id");
            agrees(contact.pub_gruu(), params, "pub-gruu");
            agrees(contact.temp_gruu(), params, "temp-gruu");
            prop_assert_eq!(contact.expires(), params.number(b"expires"));
            prop_assert_eq!(contact.has_expires(), params.has(b"expires"));
            prop_assert!(contact.q().is_none() || params.value(b"q").is_some());
            for name in ["tag", "expires", "q", "reg-id", "+sip.instance", "pub-gruu", "temp-gruu"] {
                prop_assert!(!params.repeats(name.as_bytes()));
            }
        }
        let via = format!("SIP/2.0/UDP h{params}");
        if let Some(Ok(via)) = Via::parse_list(via.as_bytes()).next() {
            agrees(via.branch(), via.params(), "branch");
            agrees(via.received(), via.params(), "received");
        }
    }

    /// [RFC 3261 7.3.1] A list has the same elements whether it is read as addresses or only cut.
    #[test]
    fn lists_are_cut_alike(
        all in prop::collection::vec((0usize..4, params()), 1..5),
        comma in "[ \t]?,[ ,\t]?",
    ) {
        const FRONTS: [&str; 4] = ["<sip:a,b@h;x=1>", "\"<,\\\"\" <sip:a>", "A B <urn:x,y>", "sip:a@h"];
        let elements: Vec<String> = all.into_iter()
            .map(|(front, params)| format!("{}{params}", FRONTS[front]))
            .collect();
        let bytes = format!("BYE sip:a SIP/2.0\r\nRoute: {}\r\n\r\n", elements.join(&comma)).into_bytes();
        let Ok(message) = parse(&bytes) else { return Ok(()) };
        let header = message.header(HeaderName::Route).unwrap();
        let read: Result<Vec<_>, _> = NameAddr::parse_list(header.raw()).collect();
        if let Ok(read) = read {
            let cut: Vec<&[u8]> = header.elements().collect();
            let raws: Vec<&[u8]> = read.iter().map(NameAddr::raw).collect();
            prop_assert_eq!(raws, cut);
        }
    }
}
