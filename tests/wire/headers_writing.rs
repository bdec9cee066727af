//! Typed values write themselves; nothing they hold breaks out of their field, element or parameter.

use ims_procedures::{
    drive::{Reject, Unwritable},
    wire::{
        AccessInfo, AccessNetwork, AuthenticationInfo, Authorization, Bearer, CSeq, Challenge,
        ChargingAddresses, ChargingVector, Contact, CpmId, Date, Digest, DigestChallenge,
        Disposition, FeatureSet, Header, HeaderName, IntegrityProtected, MediaType, Message,
        Method, MimeVersion, NameAddr, Number, Params, Phrase, ReadValue, Reason, Refresher,
        RestorationInfo, RetryAfter, SecurityMechanism, ServedUser, SessionCase, SessionExpires,
        SubState, Text, Timestamp, Token, Value, VisitedNetwork, Warning, WriteValue, Writer,
    },
};
use proptest::prelude::*;

use crate::support::{fixture_files, parse, text, written};

/// A message with the value in a field of that name, and a field after it.
fn message_with<V: WriteValue + ?Sized>(
    name: HeaderName,
    value: &V,
) -> Result<Vec<u8>, Unwritable> {
    written(|buffer| {
        let mut writer = Writer::request(buffer, b"BYE", b"sip:a");
        writer.value(name, |buffer| value.write_value(buffer));
        writer.number(HeaderName::MinSe, 90);
        writer.finish();
    })
}

/// The value as it is written.
#[track_caller]
fn line<V: WriteValue + ?Sized>(value: &V) -> String {
    text(&written(|buffer| value.write_value(buffer)).unwrap())
}

fn is_unsafe<V: WriteValue + ?Sized>(value: &V) -> bool {
    written(|buffer| value.write_value(buffer)) == Err(Unwritable::UnsafeValue)
}

/// Writes a value and shows what is read back, after finding that the message has its three fields, and the
/// field so many elements. A value that cannot be written is unsafe.
fn read_back<V: WriteValue + ?Sized>(
    name: HeaderName,
    value: &V,
    elements: usize,
    check: impl FnOnce(&Message<'_>),
) -> Result<(), TestCaseError> {
    let bytes = match message_with(name, value) {
        Ok(bytes) => bytes,
        Err(fault) => {
            prop_assert_eq!(fault, Unwritable::UnsafeValue);
            return Ok(());
        }
    };
    let message = parse(&bytes).unwrap();
    prop_assert_eq!(message.header_count(), 3, "{}", text(&bytes));
    prop_assert!(message.body().is_empty());
    prop_assert_eq!(message.headers(name).count(), 1);
    prop_assert_eq!(
        message.header(name).map(Header::elements).unwrap().count(),
        elements,
        "{}",
        text(&bytes)
    );
    let field = message.fields().next().unwrap();
    prop_assert!(field.read().is_ok(), "{:?} {}", field.read(), text(&bytes));
    check(&message);
    Ok(())
}

/// [RFC 3261 25.1] Tokens and hosts stand as they are, all else in quotes with escapes; controls never.
#[test]
fn texts() {
    for (plain, expected) in [
        (&b"abc.1"[..], "abc.1"),
        (b"[2001:db8::1]", "[2001:db8::1]"),
        (b"", "\"\""),
        (b"[x]", "\"[x]\""),
        (b"a;b=c, d", "\"a;b=c, d\""),
        (b"a\"b\\", "\"a\\\"b\\\\\""),
        (b"a\tb", "\"a\tb\""),
    ] {
        assert_eq!(line(&Text::new(plain)), expected);
    }
    for plain in [
        &b"a\r\nb"[..],
        b"a\0",
        b"a\x01",
        b"a\x7f",
        b"\n",
        b"a\r\n b",
    ] {
        assert!(is_unsafe(&Text::new(plain)), "{plain:?}");
    }
}

/// [RFC 3261 7.3.1] What was read folded or escaped is written as it stood, foldings as one space.
#[test]
fn texts_that_were_read() {
    let read = Reason::parse(b"SIP;text=\"a\\\"b\r\n\t c\"").unwrap();
    assert_eq!(line(&read), "SIP;text=\"a\\\"b c\"");
    let read = Authorization::parse(b"digest a=\"b\r\n c\" ,\r\n d=e=").unwrap();
    assert_eq!(line(&read), "digest a=\"b c\",d=e=");
    let read = Challenge::parse(b"Other a b\r\n c").unwrap();
    assert_eq!(line(&read), "Other a b c");
    assert!(is_unsafe(&Authorization::parse(b"Digest a=\x01").unwrap()));
    let bytes = b"BYE sip:a SIP/2.0\r\nPrivacy: id ;\r\n user\r\n\r\n";
    let privacy = parse(bytes)
        .unwrap()
        .fields()
        .next()
        .unwrap()
        .read()
        .unwrap();
    assert_eq!(line(&privacy), "id;user");
    let cseq = CSeq {
        number: (1 << 31) - 1,
        method: Method::Bye,
    };
    assert_eq!(line(&cseq), "2147483647 BYE");
    assert!(is_unsafe(&CSeq {
        number: 1 << 31,
        ..cseq
    }));
    assert!(is_unsafe(&CSeq {
        method: Method::Other(b"A B"),
        ..cseq
    }));
}

/// [RFC 3261 20.7] [TS 24.229 7.2A.2] [RFC 8898 2.1] Credentials.
#[test]
fn credentials() {
    let digest = Digest {
        username: Some(Text::new(b"u\"@home1.net")),
        realm: Some(Text::new(b"home1.net")),
        nonce: Some(Text::new(b"")),
        uri: Some(Text::new(b"sip:home1.net")),
        response: Some(Text::new(b"")),
        algorithm: Some(b"AKAv1-MD5"),
        qop: Some(b"auth"),
        nc: Some(b"00000001"),
        integrity_protected: Some(IntegrityProtected::AuthDone),
        ..Digest::default()
    };
    let expected = "Digest username=\"u\\\"@home1.net\",realm=\"home1.net\",nonce=\"\",uri=\"sip:home1.net\",\
                    response=\"\",algorithm=AKAv1-MD5,qop=auth,nc=00000001,integrity-protected=\"auth-done\"";
    assert_eq!(line(&digest), expected);
    assert!(is_unsafe(&Digest::default()));
    assert!(is_unsafe(&Digest {
        integrity_protected: Some(IntegrityProtected::Other),
        ..digest
    }));
    assert!(is_unsafe(&Digest {
        algorithm: Some(b"MD5,x=y"),
        ..digest
    }));
    assert_eq!(line(&Bearer(b"aB.-_~+/9==")), "Bearer aB.-_~+/9==");
    for token in [&b""[..], b"=", b"a b", b"a,b", b"a\r\nb", b"a=b"] {
        assert!(is_unsafe(&Bearer(token)), "{token:?}");
    }
}

/// [RFC 3261 20.44] [TS 24.229 7.2A.1] Challenges and what follows them.
#[test]
fn challenges() {
    let challenge = DigestChallenge {
        realm: Some(Text::new(b"home1.net")),
        nonce: Some(Text::new(b"bm9uY2U=")),
        stale: Some(false),
        algorithm: Some(b"AKAv1-MD5"),
        qop: Some(Text::new(b"auth,auth-int")),
        ik: Some(Text::new(b"00")),
        ck: Some(Text::new(b"11")),
        ..DigestChallenge::default()
    };
    let expected = "Digest realm=\"home1.net\",nonce=\"bm9uY2U=\",stale=false,algorithm=AKAv1-MD5,\
                    qop=\"auth,auth-int\",ik=\"00\",ck=\"11\"";
    assert_eq!(line(&challenge), expected);
    let info = AuthenticationInfo {
        nextnonce: Some(Text::new(b"n")),
        rspauth: Some(Text::new(b"")),
        nc: Some(b"1"),
        ..AuthenticationInfo::default()
    };
    assert_eq!(line(&info), "nextnonce=\"n\",rspauth=\"\",nc=1");
    assert!(is_unsafe(&AuthenticationInfo::default()) && is_unsafe(&DigestChallenge::default()));
}

/// [RFC 3329 2.2] [RFC 7315 4.4] Lists of elements; parameters of the reader's own are written once.
#[test]
fn lists() {
    let read = SecurityMechanism::parse_list(
        b"ipsec-3gpp;x=\"a,b\";Q=0.25;spi-c=7;prot=esp, tls;mediasec",
    );
    let mut all: Vec<_> = read.map(Result::unwrap).collect();
    all[0].port_s = Some(5061);
    let expected = "ipsec-3gpp;q=0.250;prot=esp;spi-c=7;port-s=5061;x=\"a,b\", tls;mediasec";
    assert_eq!(line(&all[..]), expected);
    assert!(is_unsafe(&SecurityMechanism {
        q: Some(1_001),
        ..all[0]
    }));
    assert!(is_unsafe(&SecurityMechanism {
        name: b"a,b",
        ..all[0]
    }));
    let network = AccessNetwork {
        access: b"3GPP-E-UTRAN-FDD",
        network_provided: true,
        info: AccessInfo::new(b";utran-cell-id-3gpp=1;network-provided;\"x;y\""),
    };
    let expected = "3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=1;\"x;y\";network-provided";
    assert_eq!(line(&network), expected);
    assert!(is_unsafe(&AccessNetwork {
        info: AccessInfo::new(b";a=b, c"),
        ..network
    }));
    let networks = [&b"a.net"[..], b"b, \"c\"", b"[::1]"].map(|name| VisitedNetwork {
        name: Text::new(name),
        params: Params::new(b";x"),
    });
    assert_eq!(
        line(&networks[..]),
        "a.net;x, \"b, \\\"c\\\"\";x, \"[::1]\";x"
    );
}

/// [RFC 7315 4.5] [RFC 7315 4.6] Charging: the identity first, never empty.
#[test]
fn charging() {
    let vector = ChargingVector {
        icid: Text::new(b"1;2"),
        generated_at: Some(Text::new(b"[2001:db8::1]")),
        orig_ioi: Some(Text::new(b"home1.net")),
        transit_ioi: Some(Text::new(b"a.1,void")),
        params: Params::new(b"icid-value=old;ggsn=1;orig-ioi=old"),
        ..ChargingVector::default()
    };
    let expected = "icid-value=\"1;2\";icid-generated-at=[2001:db8::1];orig-ioi=home1.net;\
                    transit-ioi=\"a.1,void\";ggsn=1";
    assert_eq!(line(&vector), expected);
    assert!(is_unsafe(&ChargingVector {
        icid: Text::new(b""),
        ..vector
    }));
    let addresses = ChargingAddresses {
        params: Params::new(b";ccf=a;ccf=\"b,c\""),
    };
    assert_eq!(line(&addresses), "ccf=a;ccf=\"b,c\"");
    assert!(is_unsafe(&ChargingAddresses::default()));
    let evil = ChargingAddresses {
        params: Params::new(b"ccf=\"x\\\""),
    };
    assert!(is_unsafe(&evil));
    assert_eq!(line(&evil.ccf().next().unwrap()), "\"\\\"x\\\\\\\"\"");
}

/// [RFC 3326 2] [RFC 3261 20.33] [RFC 3261 20.43] Reasons, waits and warnings.
#[test]
fn reasons() {
    let reason = Reason {
        protocol: b"SIP",
        cause: Some(503),
        text: Some(Text::new(b"Down; \"now\"")),
        params: Params::default(),
    };
    let normal = Reason {
        protocol: b"Q.850",
        cause: Some(16),
        text: None,
        params: Params::default(),
    };
    assert_eq!(
        line(&[reason, normal][..]),
        "SIP;cause=503;text=\"Down; \\\"now\\\"\", Q.850;cause=16"
    );
    let wait = RetryAfter {
        seconds: 5,
        comment: Some(b"a (b) \\)"),
        duration: Some(9),
        ..RetryAfter::default()
    };
    assert_eq!(line(&wait), "5 (a (b) \\));duration=9");
    for comment in [&b")"[..], b"(", b"\\", b"a)(b", b"\r\nX: y"] {
        assert!(
            is_unsafe(&RetryAfter {
                comment: Some(comment),
                ..wait
            }),
            "{comment:?}"
        );
    }
    let warning = Warning {
        code: 399,
        agent: b"a.net:5060",
        text: Text::new(b"x"),
    };
    assert_eq!(line(&warning), "399 a.net:5060 \"x\"");
    assert!(
        is_unsafe(&Warning {
            code: 99,
            ..warning
        }) && is_unsafe(&Warning {
            code: 1000,
            ..warning
        })
    );
    for agent in [&b""[..], b"a b", b"\"a\"", b"a:", b"a:99999", b"a,b"] {
        assert!(is_unsafe(&Warning { agent, ..warning }), "{agent:?}");
    }
}

/// [RFC 3261 20.15] [RFC 3261 20.17] [RFC 4028 4] What little remains.
#[test]
fn other_values() {
    let media = MediaType {
        kind: b"multipart",
        subtype: b"mixed",
        boundary: Some(Text::new(b"x y")),
        q: Some(7),
        ..MediaType::default()
    };
    assert_eq!(line(&media), "multipart/mixed;boundary=\"x y\";q=0.007");
    assert_eq!(
        line(&Disposition {
            kind: b"session",
            handling: Some(b"optional"),
            ..Disposition::default()
        }),
        "session;handling=optional"
    );
    assert_eq!(line(&MimeVersion { major: 1, minor: 0 }), "1.0");
    let date = Date::from_unix(1_289_690_940).unwrap();
    assert_eq!(line(&date), "Sat, 13 Nov 2010 23:29:00 GMT");
    assert!(is_unsafe(&Date { day: 31, ..date }) && is_unsafe(&Date { month: 0, ..date }));
    let session = SessionExpires {
        seconds: 90,
        refresher: Some(Refresher::Uas),
        params: Params::new(b";x"),
    };
    assert_eq!(line(&session), "90;refresher=uas;x");
    assert_eq!(
        line(&Timestamp {
            sent: b"5.",
            delay: Some(b".25")
        }),
        "5. .25"
    );
    assert!(
        is_unsafe(&Timestamp {
            sent: b".5",
            delay: None
        }) && is_unsafe(&Timestamp {
            sent: b"5",
            delay: Some(b"")
        })
    );
    assert_eq!(
        line(&FeatureSet {
            params: Params::new(b";+a=\"<b>\";c")
        }),
        "*;+a=\"<b>\";c"
    );
    assert_eq!(
        line(&RestorationInfo {
            info: Text::new(b"001"),
            params: Params::default()
        }),
        "\"001\""
    );
    assert_eq!(
        line(&RestorationInfo {
            info: Text::new(b"noresponse"),
            params: Params::default()
        }),
        "noresponse"
    );
    assert_eq!(line(&CpmId::new(b"4711").unwrap()), "4711");
    assert_eq!(line(&[Token(b"path"), Token(b"gruu")][..]), "path, gruu");
    assert_eq!(line(&Number(70)), "70");
    assert!(is_unsafe(&Token(b"")) && is_unsafe(&Token(b"a,b")));
    assert_eq!(line(&Phrase(b" a,\r\n  b ")), "a, b");
    assert!(is_unsafe(&Phrase(b"a\r\nb")) && is_unsafe(&Phrase(b"a\x01")));
}

/// [RFC 3261 20.10] [RFC 5502 6] Addresses keep their parts; a display name gets quotes where it needs them.
#[test]
fn addresses() {
    for (read, expected) in [
        ("sip:a@b;tag=1", "<sip:a@b>;tag=1"),
        (
            "A B <sip:a,c@b;d>;x=\"y,z\" ; w",
            "A B <sip:a,c@b;d>;x=\"y,z\";w",
        ),
        ("\"A \\\"B\\\"\" <sip:a>", "\"A \\\"B\\\"\" <sip:a>"),
        ("A@B <sip:a>", "\"A@B\" <sip:a>"),
    ] {
        assert_eq!(line(&NameAddr::parse(read.as_bytes()).unwrap()), expected);
    }
    let user = NameAddr::parse(b"<sip:u@home1.net>;sescase=term;x=y").unwrap();
    let served = ServedUser {
        user,
        session_case: Some(SessionCase::Originating),
        registered: Some(false),
        orig_cdiv: true,
    };
    assert_eq!(
        line(&served),
        "<sip:u@home1.net>;sescase=orig;regstate=unreg;orig-cdiv;x=y"
    );
    assert_eq!(line(&Contact::Star), "*");
    assert!(is_unsafe(&NameAddr::parse(b"<sip:a>;x=(").unwrap()));
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..12),
        "[a \\\\\",;=<>():\\[\\]%\t]{0,10}".prop_map(String::into_bytes),
        "[a-z0-9.]{1,8}".prop_map(String::into_bytes),
    ]
}

/// Bytes that are safe to write as text, most of the time in need of quotes.
fn safe_bytes() -> impl Strategy<Value = Vec<u8>> {
    "[ -~\t]{0,12}".prop_map(String::into_bytes)
}

fn tokens() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![8 => "[a-zA-Z0-9.+-]{1,8}".prop_map(String::into_bytes), 1 => any_bytes()]
}

fn params() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "(;z[a-z]{0,2}(=([a-z0-9]{1,3}|\"[a,; =]{0,3}\"))?){0,3}".prop_map(String::into_bytes),
        "[;=a\"\\\\, ]{0,8}".prop_map(String::into_bytes),
    ]
}

fn values() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        any_bytes(),
        "[a0\"\\\\<>;,:=*/(). \t@-]{0,40}".prop_map(String::into_bytes),
        "([a-z]{1,3}(/[a-z])?(;(q|z|cause|text|ccf)=(0\\.5|[0-9]{1,3}|\"[a\\\\,; ]{0,4}\"))?(,|;| |\r\n )?){0,4}".prop_map(String::into_bytes),
        "Digest ((realm|nonce|nc|qop)=(a|\"[a\\\\,= ]{0,4}\")(,|\r\n |,\r\n )){0,4}".prop_map(String::into_bytes),
        "(icid-value|ccf|nextnonce)=(a|\"[a\\\\,; ]{0,4}\")(;[a-z]{1,3}(=[a-z\\[]{1,3})?){0,3}".prop_map(String::into_bytes),
        "((A|\"[a\\\\ ,]{0,3}\"|\\(a\\) x) )?<sip:[a-c]{1,2}(;x|,y)?>(;[a-z](=[a-z\"]{0,2})?)?(, \\*)?".prop_map(String::into_bytes),
        "[0-9]{1,3}( \\([a()\\\\]{0,5}\\)| [a-z]{1,2}(:5)? \"[ -~]{0,4}\"| BYE|\\.[0-9]{0,2}( \\.5)?)?(;duration=5|;refresher=uas)?".prop_map(String::into_bytes),
        "SIP/2.0/UDP [a-c.]{1,3}(:[0-9]{1,4})?(;branch=[a-z\"]{1,3})?(, SIP / 2.0/TCP b)?".prop_map(String::into_bytes),
    ]
}

const NAMES: [&str; 52] = [
    "Via",
    "From",
    "Call-ID",
    "CSeq",
    "Contact",
    "Expires",
    "Route",
    "P-Asserted-Identity",
    "P-Visited-Network-ID",
    "P-Access-Network-Info",
    "P-Charging-Function-Addresses",
    "P-Charging-Vector",
    "P-Served-User",
    "P-Profile-Key",
    "Authorization",
    "WWW-Authenticate",
    "Authentication-Info",
    "Supported",
    "Require",
    "Event",
    "Subscription-State",
    "Allow-Events",
    "Accept",
    "Accept-Contact",
    "Request-Disposition",
    "Content-Type",
    "Content-Encoding",
    "Content-Disposition",
    "MIME-Version",
    "Min-Expires",
    "Retry-After",
    "Reason",
    "Allow",
    "User-Agent",
    "Date",
    "Timestamp",
    "Warning",
    "Subject",
    "Priority",
    "Security-Client",
    "Message-UID",
    "Privacy",
    "History-Info",
    "Refer-To",
    "Session-Expires",
    "Min-SE",
    "SIP-ETag",
    "Identity",
    "Feature-Caps",
    "Restoration-Info",
    "Relayed-Charge",
    "Proxy-Authorization",
];

/// Writes each field that can be read, twice, the second time from what the first gave.
fn written_again(message: &Message<'_>) -> Result<(), TestCaseError> {
    // Content-Length is the writer's own.
    let own = [HeaderName::Other, HeaderName::ContentLength];
    for field in message.fields().filter(|field| !own.contains(&field.name)) {
        let Ok(value) = field.read() else {
            continue;
        };
        let Ok(first) = message_with(field.name, &value) else {
            continue;
        };
        let again = parse(&first).unwrap();
        prop_assert_eq!(again.header_count(), 3, "{}", text(&first));
        let copy = again.fields().next().unwrap();
        let reread = copy.read();
        prop_assert!(reread.is_ok(), "{:?} {}", reread, text(&first));
        let second = message_with(field.name, &reread.unwrap());
        prop_assert_eq!(second.map(|b| text(&b)), Ok(text(&first)));
        let elements = |header: Header<'_>| header.elements().count();
        if !matches!(value, Value::RetryAfter(_) | Value::Phrase(_)) {
            prop_assert_eq!(
                elements(copy.value),
                elements(field.value),
                "{}",
                text(&first)
            );
        }
    }
    Ok(())
}

/// Whether it is a state of a subscription whose name is not kept.
fn is_extension(value: Result<Value<'_>, Reject>) -> bool {
    matches!(value, Ok(Value::SubscriptionState(s)) if s.state == SubState::Other)
}

/// [RFC 3261 20] Every field of the messages of the collections is written, and read as the same again.
#[test]
fn messages_of_the_collections() {
    let mut fields = 0;
    for folder in [
        "sip",
        "captures/A_basic",
        "captures/D_rtr",
        "captures/O_presreg",
    ] {
        for path in fixture_files(folder) {
            let bytes = std::fs::read(&path).unwrap();
            let message = parse(&bytes).unwrap();
            written_again(&message).unwrap();
            for field in message.fields() {
                let known = field.name != HeaderName::Other && !is_extension(field.read());
                let value = field.read().unwrap();
                let written = message_with(field.name, &value).is_ok();
                assert_eq!(
                    written,
                    known,
                    "{}: {}",
                    path.display(),
                    text(field.raw_name)
                );
                fields += 1;
            }
        }
    }
    assert!(fields > 1_500, "{fields}");
}

/// The parameters that no field stands for.
fn others<'a>(params: Params<'a>, own: &[&[u8]]) -> Vec<(&'a [u8], Option<Text<'a>>)> {
    params
        .iter()
        .filter(|(name, _)| !own.iter().any(|o| o.eq_ignore_ascii_case(name)))
        .map(|(name, _)| (name, params.value(name).map(Text::new)))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// [RFC 3261 25.1] Text of any bytes is read back as the same bytes, or refused for a control character.
    #[test]
    fn any_text_reads_back(bytes in any_bytes(), safe in safe_bytes()) {
        let control = bytes.iter().any(|b| (*b < b' ' && *b != b'\t') || *b == 0x7f);
        for (bytes, fit) in [(&bytes, !control), (&safe, true)] {
            let value = VisitedNetwork { name: Text::new(bytes), params: Params::default() };
            prop_assert_eq!(!is_unsafe(&value), fit);
            read_back(HeaderName::PVisitedNetworkId, &value, 1, |m| {
                let read = m.visited_networks().next().unwrap().unwrap();
                assert_eq!(read.name, Text::new(bytes));
                assert!(read.name.bytes().eq(bytes.iter().copied()));
            })?;
        }
    }

    /// [RFC 3261 20.7] Digest credentials of any bytes.
    #[test]
    fn any_credentials_read_back(a in any_bytes(), b in safe_bytes(), token in tokens(), kind in 0u8..4) {
        let digest = Digest {
            username: Some(Text::new(if kind == 0 { &a } else { &b })),
            realm: Some(Text::new(&b)),
            nonce: (kind == 1).then_some(Text::new(&b)),
            opaque: Some(Text::new(if kind == 2 { &a } else { &b })),
            algorithm: Some(&token),
            integrity_protected: (kind == 3).then_some(IntegrityProtected::TlsPending),
            ..Digest::default()
        };
        let count = 4 + usize::from(kind % 2);
        read_back(HeaderName::Authorization, &digest, count, |m| {
            let read = m.authorization().unwrap().unwrap();
            assert_eq!(read.digest(), Some(digest));
            assert_eq!(line(&read), line(&digest));
        })?;
        let challenge = DigestChallenge { realm: Some(Text::new(&a)), qop: Some(Text::new(&b)), algorithm: Some(&token), ..DigestChallenge::default() };
        read_back(HeaderName::WwwAuthenticate, &challenge, 3, |m| {
            let read = m.challenges(HeaderName::WwwAuthenticate).next().unwrap().unwrap();
            assert_eq!(read.digest(), Some(challenge));
        })?;
        let info = AuthenticationInfo { nextnonce: Some(Text::new(&a)), cnonce: Some(Text::new(&b)), qop: Some(&token), ..AuthenticationInfo::default() };
        read_back(HeaderName::AuthenticationInfo, &info, 3, |m| {
            assert_eq!(m.authentication_info(), Ok(Some(info)));
        })?;
        read_back(HeaderName::Authorization, &Bearer(&token), 1, |m| {
            assert_eq!(m.authorization().unwrap().unwrap().bearer(), Some(&token[..]));
        })?;
    }

    /// [RFC 3329 2.2] Lists of mechanisms of any bytes.
    #[test]
    fn any_mechanisms_read_back(
        name in tokens(), alg in tokens(), version in any_bytes(), q in prop::option::of(0u16..1_002),
        spi in prop::option::of(any::<u32>()), port in prop::option::of(any::<u16>()), params in params(), mediasec in any::<bool>(),
    ) {
        let one = SecurityMechanism {
            name: &name, alg: Some(&alg), d_ver: Some(Text::new(&version)), q, spi_c: spi, port_s: port, mediasec,
            params: Params::new(&params), ..SecurityMechanism::default()
        };
        read_back(HeaderName::SecurityServer, &[one, one][..], 2, |m| {
            let all: Vec<_> = m.security(HeaderName::SecurityServer).map(Result::unwrap).collect();
            for read in all {
                assert_eq!((read.name, read.alg, read.d_ver), (one.name, one.alg, one.d_ver));
                assert_eq!((read.q, read.spi_c, read.port_s, read.mediasec), (q, spi, port, mediasec));
                let own: [&[u8]; 6] = [b"alg", b"d-ver", b"q", b"spi-c", b"port-s", b"mediasec"];
                assert_eq!(others(read.params, &own), others(one.params, &own));
            }
        })?;
    }

    /// [RFC 7315 4.5] [RFC 7315 4.6] Charging values of any bytes.
    #[test]
    fn any_charging_reads_back(icid in any_bytes(), ioi in any_bytes(), host in safe_bytes(), params in params()) {
        let vector = ChargingVector {
            icid: Text::new(&icid), orig_ioi: Some(Text::new(&ioi)), generated_at: Some(Text::new(&host)),
            transit_ioi: Some(Text::new(&host)), params: Params::new(&params), ..ChargingVector::default()
        };
        read_back(HeaderName::PChargingVector, &vector, 1, |m| {
            let read = m.charging_vector().unwrap().unwrap();
            assert_eq!((read.icid, read.orig_ioi), (vector.icid, vector.orig_ioi));
            assert_eq!((read.generated_at, read.transit_ioi), (vector.generated_at, vector.transit_ioi));
            let own: [&[u8]; 4] = [b"icid-value", b"orig-ioi", b"icid-generated-at", b"transit-ioi"];
            assert_eq!(others(read.params, &own), others(vector.params, &own));
        })?;
        let addresses = ChargingAddresses { params: Params::new(&params) };
        read_back(HeaderName::PChargingFunctionAddresses, &addresses, 1, |m| {
            let read = m.charging_addresses().unwrap().unwrap();
            assert_eq!(others(read.params, &[]), others(addresses.params, &[]));
        })?;
    }

    /// [RFC 7315 4.4] Access networks of any bytes: what is not the network's word does not become it.
    #[test]
    fn any_access_network_reads_back(access in tokens(), info in params(), network_provided in any::<bool>()) {
        let one = AccessNetwork { access: &access, network_provided, info: AccessInfo::new(&info) };
        read_back(HeaderName::PAccessNetworkInfo, &[one, one][..], 2, |m| {
            for read in m.access_network_info() {
                let read = read.unwrap();
                assert_eq!((read.access, read.network_provided), (one.access, network_provided));
                assert_eq!(read.info.iter().count(), one.info.iter().count() + usize::from(network_provided));
            }
        })?;
    }

    /// [RFC 3326 2] [RFC 3261 20.33] [RFC 3261 20.43] Reasons, waits and warnings of any bytes.
    #[test]
    fn any_reason_reads_back(protocol in tokens(), cause in prop::option::of(any::<u32>()), bytes in any_bytes(), params in params(), code in 90u16..1_010) {
        let reason = Reason { protocol: &protocol, cause, text: Some(Text::new(&bytes)), params: Params::new(&params) };
        read_back(HeaderName::Reason, &[reason, reason][..], 2, |m| {
            for read in m.reasons() {
                let read = read.unwrap();
                assert_eq!((read.protocol, read.cause, read.text), (reason.protocol, cause, reason.text));
                assert_eq!(others(read.params, &[b"cause", b"text"]), others(reason.params, &[b"cause", b"text"]));
            }
        })?;
        let warning = Warning { code, agent: &protocol, text: Text::new(&bytes) };
        read_back(HeaderName::Warning, &[warning, warning, warning][..], 3, |m| {
            for read in m.warnings() {
                let read = read.unwrap();
                assert_eq!((read.code, read.agent, read.text), (code, warning.agent, warning.text));
            }
        })?;
        let wait = RetryAfter { seconds: 1, comment: Some(&bytes), duration: cause, params: Params::new(&params) };
        if let Ok(written) = message_with(HeaderName::RetryAfter, &wait) {
            let message = parse(&written).unwrap();
            let read = message.retry_after().unwrap().unwrap();
            prop_assert_eq!((read.seconds, read.duration, message.header_count()), (1, cause, 3));
            prop_assert_eq!(read.comment, wait.comment);
            prop_assert_eq!(others(read.params, &[b"duration"]), others(wait.params, &[b"duration"]));
        }
    }

    /// [RFC 3261 20.15] [RFC 3841 9.2] [RFC 4028 4] Media types, dispositions, feature sets, intervals.
    #[test]
    fn any_media_type_reads_back(kind in tokens(), subtype in tokens(), boundary in any_bytes(), params in params(), seconds in any::<u32>()) {
        let media = MediaType { kind: &kind, subtype: &subtype, boundary: Some(Text::new(&boundary)), params: Params::new(&params), ..MediaType::default() };
        let own: &[&[u8]] = &[b"boundary", b"charset", b"q"];
        read_back(HeaderName::ContentType, &media, 1, |m| {
            let read = m.content_type().unwrap().unwrap();
            assert_eq!((read.kind, read.subtype, read.boundary), (media.kind, media.subtype, media.boundary));
            assert_eq!(others(read.params, own), others(media.params, own));
        })?;
        let disposition = Disposition { kind: &kind, handling: Some(&subtype), params: Params::new(&params) };
        read_back(HeaderName::ContentDisposition, &disposition, 1, |m| {
            let read = m.content_disposition().unwrap().unwrap();
            assert_eq!((read.kind, read.handling), (disposition.kind, disposition.handling));
        })?;
        let features = FeatureSet { params: Params::new(&params) };
        read_back(HeaderName::FeatureCaps, &[features, features][..], 2, |m| {
            for read in m.features(HeaderName::FeatureCaps) {
                assert_eq!(others(read.unwrap().params, &[]), others(features.params, &[]));
            }
        })?;
        let session = SessionExpires { seconds, refresher: Some(Refresher::Uac), params: Params::new(&params) };
        read_back(HeaderName::SessionExpires, &session, 1, |m| {
            let read = m.session_expires().unwrap().unwrap();
            assert_eq!((read.seconds, read.refresher), (seconds, Some(Refresher::Uac)));
        })?;
        let info = RestorationInfo { info: Text::new(&boundary), params: Params::new(&params) };
        read_back(HeaderName::RestorationInfo, &info, 1, |m| {
            assert_eq!(m.restoration_info().unwrap().unwrap().info, info.info);
        })?;
    }

    /// [RFC 3261 20.37] [CP-4] Tokens, identifiers and phrases of any bytes.
    #[test]
    fn any_token_reads_back(bytes in any_bytes(), token in tokens()) {
        read_back(HeaderName::Supported, &[Token(&token), Token(&bytes)][..], 2, |m| {
            let read: Vec<_> = m.tokens(HeaderName::Supported).map(Result::unwrap).collect();
            assert_eq!(read, [Token(&token), Token(&bytes)]);
        })?;
        if let Ok(id) = CpmId::new(&bytes) {
            let written = message_with(HeaderName::MessageUid, &id).unwrap();
            prop_assert_eq!(parse(&written).unwrap().message_uid(), Ok(Some(id)));
        }
        if let Ok(written) = message_with(HeaderName::Subject, &Phrase(&bytes)) {
            prop_assert_eq!(parse(&written).unwrap().header_count(), 3);
        }
    }

    /// [RFC 3261 20.10] An address of any bytes that was read is written as one address, with the same URI.
    #[test]
    fn any_address_reads_back(display in any_bytes(), quoted in safe_bytes(), uri in "[a-z0-9@.,;?=:]{0,12}", params in params(), cdiv in any::<bool>()) {
        let quoted = written(|b| ims_procedures::wire::put_quoted(b, &quoted)).unwrap();
        for display in [display, quoted] {
            let mut raw = display.clone();
            raw.extend_from_slice(b" <sip:");
            raw.extend_from_slice(uri.as_bytes());
            raw.extend_from_slice(b">");
            raw.extend(&params);
            let Ok(address) = NameAddr::parse(&raw) else {
                continue;
            };
            read_back(HeaderName::Path, &[address, address][..], 2, |m| {
                let read: Vec<_> = m.name_addrs(HeaderName::Path).map(Result::unwrap).collect();
                assert_eq!(read.len(), 2);
                assert_eq!(read[0].uri_bytes(), address.uri_bytes());
                assert_eq!(others(read[1].params(), &[]), others(address.params(), &[]));
            })?;
            let served = ServedUser { user: address, session_case: Some(SessionCase::Terminating), registered: Some(true), orig_cdiv: cdiv };
            read_back(HeaderName::PServedUser, &served, 1, |m| {
                let read = m.served_user().unwrap().unwrap();
                assert_eq!(read.user.uri_bytes(), address.uri_bytes());
                assert_eq!((read.session_case, read.registered, read.orig_cdiv), (served.session_case, served.registered, cdiv));
            })?;
        }
    }

    /// [RFC 3261 20] Whatever can be read of a field and written is one field, with as many elements, and is
    /// read and written as the same bytes again.
    #[test]
    fn whatever_was_read_is_written(name in prop::sample::select(NAMES.to_vec()), bytes in values()) {
        let mut read = format!("BYE sip:a SIP/2.0\r\n{name}: ").into_bytes();
        read.extend(&bytes);
        read.extend_from_slice(b"\r\n\r\n");
        let Ok(message) = parse(&read) else {
            return Ok(());
        };
        written_again(&message)?;
    }

    /// [RFC 3261 20.17] [RFC 3261 20.38] Moments and times.
    #[test]
    fn any_date_reads_back(year in any::<u16>(), month in 0u8..14, day in 0u8..33, hour in 0u8..26, minute in 0u8..62, second in 0u8..63, sent in "[0-9.]{0,4}", delay in prop::option::of("[0-9. ]{0,4}")) {
        let date = Date { year: year % 11_000, month, day, hour, minute, second };
        read_back(HeaderName::Date, &date, 2, |m| assert_eq!(m.date(), Ok(Some(date))))?;
        let time = Timestamp { sent: sent.as_bytes(), delay: delay.as_ref().map(String::as_bytes) };
        read_back(HeaderName::Timestamp, &time, 1, |m| assert_eq!(m.timestamp(), Ok(Some(time))))?;
    }
}
