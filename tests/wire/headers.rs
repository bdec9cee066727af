//! Typed values of header fields: what they say, and where they are refused.

use ims_procedures::{
    drive::{Defect, Reject},
    wire::{
        CpmId, Date, HeaderName, IntegrityProtected, MediaType, Message, ReadValue, Refresher,
        SessionCase, Text, Token, Value, defect,
    },
};

use crate::support::{parse, request_with, text};

/// Reads a message with these header lines after the mandatory ones.
fn with<T>(lines: &str, read: impl FnOnce(&Message<'_>) -> T) -> T {
    read(&parse(&request_with(lines)).unwrap())
}

/// What [`Field::read`](ims_procedures::wire::Field::read) says to the last field of a message: the defect
/// and its place in the value.
fn refusal(name: &str, value: &str) -> Option<(&'static str, usize)> {
    let bytes = request_with(&format!("{name}: {value}\r\n"));
    let message = parse(&bytes).unwrap();
    let field = message.fields().last().unwrap();
    let reject = field.read().err()?;
    Some((
        reject.defect.what,
        (reject.at as usize).checked_sub(field.value.at()).unwrap(),
    ))
}

#[track_caller]
fn refused(name: &str, value: &str, what: &Defect, at: usize) {
    assert_eq!(
        refusal(name, value),
        Some((what.what, at)),
        "{name}: {value}"
    );
}

#[track_caller]
fn fine(name: &str, value: &str) {
    assert_eq!(refusal(name, value), None, "{name}: {value}");
}

fn ok<T>(read: Result<Option<T>, Reject>) -> T {
    read.unwrap().unwrap()
}

fn says(text: Option<Text<'_>>) -> Option<String> {
    text.map(|text| String::from_utf8(text.bytes().collect()).unwrap())
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// [RFC 3261 25.1] Escapes and foldings of quoted strings are resolved where it is asked, without allocating;
/// texts are equal when they say the same.
#[test]
fn texts() {
    with("Reason: SIP;text=\"a\\\"b\\\\ c\r\n \t d\\e\"\r\n", |m| {
        let text = m.reasons().next().unwrap().unwrap().text.unwrap();
        assert_eq!(text.raw(), b"a\\\"b\\\\ c\r\n \t d\\e");
        assert_eq!(says(Some(text)), some("a\"b\\ c de"));
        assert_eq!(text, Text::new(b"a\"b\\ c de"));
        assert!(text.is(b"A\"B\\ C DE") && !text.is(b"A\"B\\ C D"));
        assert_eq!(format!("{text:?}"), "Text(16 bytes)");
    });
    fine("Reason", "SIP;text=\"a\\\u{1}\\\u{7f}\tb\"");
    refused(
        "Reason",
        "SIP;text=\"a\u{7f}\"",
        &defect::QUOTED_CONTROL,
        11,
    );
    assert_eq!(Text::new(b"a\\b").bytes().collect::<Vec<u8>>(), b"a\\b");
    assert_ne!(Text::new(b"a"), Text::new(b"A"));
}

/// [RFC 3261 20.7] [RFC 7616 3.4] [RFC 3310 3.4] Every field of Digest credentials.
#[test]
fn digest_credentials() {
    let line = "Proxy-Authorization: DIGEST username=\"user@home1.net\" , Realm=\"a \\\"b\\\"\",nonce=\"n==\",\
                \r\n uri=\"sip:home1.net\",response=\"00ff\",algorithm=AKAv1-MD5,cnonce=\"c\",opaque=\"\",\
                qop=\"auth\",nc=00000001,auts=\"ab/c+d==\",integrity-protected=\"auth-done\",x=y\r\n";
    with(line, |m| {
        let read = m.proxy_authorizations().next().unwrap().unwrap();
        let digest = read.digest().unwrap();
        assert_eq!(says(digest.username), some("user@home1.net"));
        assert_eq!(says(digest.realm), some("a \"b\""));
        assert_eq!(says(digest.nonce), some("n=="));
        assert_eq!(says(digest.uri), some("sip:home1.net"));
        assert_eq!(says(digest.response), some("00ff"));
        assert_eq!(digest.algorithm, Some(&b"AKAv1-MD5"[..]));
        assert_eq!(says(digest.cnonce), some("c"));
        assert_eq!(says(digest.opaque), some(""));
        assert_eq!(digest.qop, Some(&b"auth"[..]));
        assert_eq!(digest.nc, Some(&b"00000001"[..]));
        assert_eq!(says(digest.auts), some("ab/c+d=="));
        assert_eq!(
            digest.integrity_protected,
            Some(IntegrityProtected::AuthDone)
        );
        assert_eq!((read.bearer(), read.param(b"X")), (None, Some(&b"y"[..])));
    });
    refused("Authorization", "Digest", &defect::AUTHORIZATION, 6);
    refused("Authorization", "Digest realm", &defect::AUTHORIZATION, 12);
    refused(
        "Authorization",
        "Digest realm=\"x",
        &defect::AUTHORIZATION,
        13,
    );
    refused(
        "Authorization",
        "Digest realm=\"x\" nc=1",
        &defect::AUTHORIZATION,
        17,
    );
    refused(
        "Authorization",
        "Digest nc=1,NC=2",
        &defect::PARAMETER_TWICE,
        12,
    );
    for name in [
        "cnonce",
        "opaque",
        "algorithm",
        "qop",
        "auts",
        "nonce",
        "uri",
        "response",
    ] {
        let value = format!("Digest {name}=a, {name}=a");
        refused(
            "Proxy-Authorization",
            &value,
            &defect::PARAMETER_TWICE,
            11 + name.len(),
        );
    }
    with(
        "Proxy-Authorization: Digest realm=\"1\"\r\nProxy-Authorization: Digest realm=\"2\"\r\n",
        |m| {
            let realms: Vec<_> = m
                .proxy_authorizations()
                .map(|a| text(a.unwrap().realm().unwrap()))
                .collect();
            assert_eq!(realms, ["1", "2"]);
        },
    );
}

/// [TS 24.229 7.2A.2] What the P-CSCF says of protection, in any case, with quotes or without.
#[test]
fn integrity_protected() {
    for (value, expected) in [
        ("yes", IntegrityProtected::Yes),
        ("\"no\"", IntegrityProtected::No),
        ("\"Auth-Done\"", IntegrityProtected::AuthDone),
        ("\"tls-yes\"", IntegrityProtected::TlsYes),
        ("tls-pending", IntegrityProtected::TlsPending),
        ("ip-assoc-yes", IntegrityProtected::IpAssocYes),
        ("\"ip-assoc-pending\"", IntegrityProtected::IpAssocPending),
        ("\"yes \"", IntegrityProtected::Other),
        ("\"\"", IntegrityProtected::Other),
    ] {
        with(
            &format!("Authorization: Digest integrity-protected={value}\r\n"),
            |m| {
                let read = ok(m.authorization());
                assert_eq!(read.integrity(), Some(expected), "{value}");
                assert_eq!(read.digest().unwrap().integrity_protected, Some(expected));
            },
        );
    }
    with(
        "Authorization: Digest realm=\"integrity-protected=yes\"\r\n",
        |m| {
            assert_eq!(ok(m.authorization()).integrity(), None);
        },
    );
}

/// [RFC 8898 2.1] [RFC 6750 2.1] Bearer tokens, and those of a WebRTC client; other schemes stay as they stood.
#[test]
fn bearer() {
    let token = |value: &str| {
        with(&format!("Authorization: {value}\r\n"), |m| {
            ok(m.authorization()).bearer().map(text)
        })
    };
    assert_eq!(token("bearer  aB9-._~+/=="), some("aB9-._~+/=="));
    assert_eq!(token("Bearer access_token=\"a b\""), some("a b"));
    assert_eq!(token("Bearer realm=\"r\", access_token=\"t\""), some("t"));
    assert_eq!(token("Bearer access_token=\"a\",access_token=\"b\""), None);
    for value in [
        "Bearer =",
        "Bearer a=b",
        "Bearer a b",
        "Bearer \"a\"",
        "Basic aaaa",
        "Digest a=b",
    ] {
        assert_eq!(token(value), None, "{value}");
    }
    with("Authorization: NoScheme opaque data=here\r\n", |m| {
        let read = ok(m.authorization());
        assert_eq!(
            (read.scheme(), read.credentials()),
            (&b"NoScheme"[..], &b"opaque data=here"[..])
        );
        assert!(read.digest().is_none());
    });
}

/// [RFC 3261 20.44] [TS 24.229 7.2A.1] Challenges, one a field, with the keys that an S-CSCF adds.
#[test]
fn challenges() {
    let lines = "WWW-Authenticate: Digest realm=\"home1.net\",nonce=\"bm9uY2U=\", algorithm=AKAv1-MD5 ,\
                 qop=\"auth, auth-int\",stale=TRUE,opaque=\"o\",domain=\"sip:a sip:b\",\
                 ik=\"0011\",ck=\"2233\"\r\nWWW-Authenticate: Negotiate abc==\r\n";
    with(lines, |m| {
        let mut read = m
            .challenges(HeaderName::WwwAuthenticate)
            .map(Result::unwrap);
        let digest = read.next().unwrap().digest().unwrap();
        assert_eq!(says(digest.realm), some("home1.net"));
        assert_eq!(says(digest.nonce), some("bm9uY2U="));
        assert_eq!(digest.algorithm, Some(&b"AKAv1-MD5"[..]));
        assert_eq!(
            digest.qops().collect::<Vec<_>>(),
            [&b"auth"[..], b"auth-int"]
        );
        assert_eq!(digest.stale, Some(true));
        assert_eq!(says(digest.opaque), some("o"));
        assert_eq!(says(digest.domain), some("sip:a sip:b"));
        assert_eq!(
            (says(digest.ik), says(digest.ck)),
            (some("0011"), some("2233"))
        );
        assert!(!format!("{digest:?}").contains("0011"));
        let other = read.next().unwrap();
        assert_eq!(
            (other.scheme(), other.raw_params()),
            (&b"Negotiate"[..], &b"abc=="[..])
        );
        assert!(other.digest().is_none() && read.next().is_none());
    });
    refused(
        "Proxy-Authenticate",
        "Digest realm=\"a\" x",
        &defect::CHALLENGE,
        17,
    );
    refused(
        "Proxy-Authenticate",
        "Digest ik=\"a\",IK=\"b\"",
        &defect::PARAMETER_TWICE,
        14,
    );
    fine("Proxy-Authenticate", "Digest realm=\"a\",");
}

/// [RFC 3261 20.6] [RFC 7616 3.5] What proves the server, and the next nonce.
#[test]
fn authentication_info() {
    with(
        "Authentication-Info: nextnonce=\"47==\", rspauth=\"ab\",QOP=auth,cnonce=\"c\",nc=00000001\r\n",
        |m| {
            let info = ok(m.authentication_info());
            assert_eq!(says(info.nextnonce), some("47=="));
            assert_eq!(says(info.rspauth), some("ab"));
            assert_eq!(
                (info.qop, info.nc),
                (Some(&b"auth"[..]), Some(&b"00000001"[..]))
            );
            assert_eq!(says(info.cnonce), some("c"));
        },
    );
    refused("Authentication-Info", "", &defect::AUTHENTICATION_INFO, 0);
    refused(
        "Authentication-Info",
        "a=b;c=d e",
        &defect::AUTHENTICATION_INFO,
        8,
    );
    refused(
        "Authentication-Info",
        "nc=1,nc=2",
        &defect::PARAMETER_TWICE,
        5,
    );
}

/// [RFC 3329 2.2] [TS 33.203 H] [TS 24.229 7.2A.7] Mechanisms over lists and fields, numbers exactly.
#[test]
fn security_mechanisms() {
    let lines = "Security-Client: ipsec-3gpp;alg=hmac-sha-1-96;ealg=aes-cbc;prot=esp;mod=trans;\
                 spi-c=4294967295;spi-s=0087654321;port-c=8642;port-s=7531;x=\"a,b;c\" , \
                 TLS ;\r\n q = 0.2\r\nSecurity-Client: sdes-srtp;mediasec, digest;d-alg=md5;d-qop=auth;\
                 d-ver=\"0123456789abcdef0123456789abcdef\";q=1.000\r\nSecurity-Server: tls;q=0\r\n";
    with(lines, |m| {
        let read: Vec<_> = m
            .security(HeaderName::SecurityClient)
            .map(Result::unwrap)
            .collect();
        let [ipsec, tls, media, digest] = read[..] else {
            panic!("{read:?}");
        };
        assert_eq!(ipsec.name, b"ipsec-3gpp");
        assert_eq!(
            (ipsec.alg, ipsec.ealg),
            (Some(&b"hmac-sha-1-96"[..]), Some(&b"aes-cbc"[..]))
        );
        assert_eq!(
            (ipsec.prot, ipsec.mode),
            (Some(&b"esp"[..]), Some(&b"trans"[..]))
        );
        assert_eq!(
            (ipsec.spi_c, ipsec.spi_s),
            (Some(u32::MAX), Some(87_654_321))
        );
        assert_eq!((ipsec.port_c, ipsec.port_s), (Some(8642), Some(7531)));
        assert_eq!(ipsec.params.value(b"x"), Some(&b"a,b;c"[..]));
        assert_eq!((ipsec.params.iter().count(), ipsec.q), (9, None));
        assert!(tls.is(b"tls") && tls.q == Some(200));
        assert!(media.is(b"sdes-srtp") && media.mediasec && !digest.mediasec);
        assert_eq!(
            (digest.d_alg, digest.d_qop),
            (Some(&b"md5"[..]), Some(&b"auth"[..]))
        );
        assert_eq!(digest.d_ver.unwrap().raw().len(), 32);
        assert_eq!(digest.q, Some(1000));
        let server = m
            .security(HeaderName::SecurityServer)
            .next()
            .unwrap()
            .unwrap();
        assert_eq!(
            (server.q, m.security(HeaderName::SecurityVerify).count()),
            (Some(0), 0)
        );
    });
    for (value, what, at) in [
        ("", &defect::SECURITY, 0),
        (",", &defect::SECURITY, 0),
        ("a;q=1.1", &defect::SECURITY, 4),
        ("a;q=0.1234", &defect::SECURITY, 4),
        ("a;q", &defect::SECURITY, 2),
        ("a;spi-c=4294967296", &defect::SECURITY, 8),
        ("a;spi-s=-1", &defect::SECURITY, 8),
        ("a, b;port-c=65536", &defect::SECURITY, 12),
        ("a;port-s=x", &defect::SECURITY, 9),
        ("a;spi-c=1;SPI-C=1", &defect::PARAMETER_TWICE, 10),
        ("a b", &defect::SECURITY, 2),
        ("a;;b", &defect::SECURITY, 2),
        ("a;b=", &defect::SECURITY, 4),
        ("a;b=\"c", &defect::UNCLOSED_QUOTE, 4),
        ("a;b=\"c\u{1}\"", &defect::QUOTED_CONTROL, 6),
        ("a;b=\"c\"d", &defect::SECURITY, 7),
    ] {
        refused("Security-Verify", value, what, at);
    }
}

/// [RFC 7315 4.6] [TS 24.229 7.2A.5] The charging identity and the operators.
#[test]
fn charging_vector() {
    let line = "p-charging-vector: Icid-Value=\"1234;x=,\" ;icid-generated-at=[2001:db8::1];\
                orig-ioi=\"Type 3home1.net\";term-ioi=home2.net;transit-ioi=\"op1.1, void ,op2.2\";\
                related-icid=r1;related-icid-generated-at=192.0.2.7;\
                access-network-charging-info=x;ggsn=192.0.2.1\r\n";
    with(line, |m| {
        let vector = ok(m.charging_vector());
        assert_eq!(says(Some(vector.icid)), some("1234;x=,"));
        assert_eq!(says(vector.generated_at), some("[2001:db8::1]"));
        assert_eq!(says(vector.orig_ioi), some("Type 3home1.net"));
        assert_eq!(says(vector.term_ioi), some("home2.net"));
        assert_eq!(
            vector.transit_iois().collect::<Vec<_>>(),
            [&b"op1.1"[..], b"void", b"op2.2"]
        );
        assert_eq!(says(vector.related_icid), some("r1"));
        assert_eq!(says(vector.related_generated_at), some("192.0.2.7"));
        assert_eq!(vector.params.value(b"ggsn"), Some(&b"192.0.2.1"[..]));
        assert_eq!(vector.params.iter().count(), 9);
    });
    with("P-Charging-Vector: orig-ioi=a;icid-value=b\r\n", |m| {
        assert_eq!(says(Some(ok(m.charging_vector()).icid)), some("b"));
    });
    with("", |m| assert!(m.charging_vector().unwrap().is_none()));
    with(
        "P-Charging-Vector: icid-value=a\r\nP-Charging-Vector: icid-value=a\r\n",
        |m| {
            assert_eq!(m.charging_vector().unwrap_err().defect, &defect::REPEATED);
        },
    );
    for (value, what, at) in [
        ("", &defect::CHARGING_VECTOR, 0),
        ("orig-ioi=a", &defect::CHARGING_VECTOR, 0),
        ("icid-value", &defect::CHARGING_VECTOR, 0),
        ("icid-value=\"\"", &defect::CHARGING_VECTOR, 0),
        ("icid-value=a,b", &defect::CHARGING_VECTOR, 12),
        ("icid-value=a;icid-value=b", &defect::PARAMETER_TWICE, 13),
        (
            "icid-value=a;orig-ioi=b;Orig-IOI=b",
            &defect::PARAMETER_TWICE,
            24,
        ),
        ("icid-value=a;orig-ioi=[b]", &defect::CHARGING_VECTOR, 22),
    ] {
        refused("P-Charging-Vector", value, what, at);
    }
}

/// [RFC 7315 4.5] Addresses of charging functions, each kind in order.
#[test]
fn charging_addresses() {
    with(
        "P-Charging-Function-Addresses: ccf=[2001:db8::1]; ECF=e.net;ccf=\"b,c\";x=1\r\n",
        |m| {
            let read = ok(m.charging_addresses());
            let all: Vec<_> = read.ccf().map(|t| says(Some(t)).unwrap()).collect();
            assert_eq!(all, ["[2001:db8::1]", "b,c"]);
            assert_eq!(says(read.ecf().next()), some("e.net"));
        },
    );
    for (value, at) in [
        ("", 0),
        ("ccf", 0),
        ("ccf=", 4),
        (";ccf=a", 0),
        ("x=y;ecf", 4),
        ("ccf=a,ccf=b", 5),
    ] {
        refused(
            "P-Charging-Function-Addresses",
            value,
            &defect::CHARGING_ADDRESSES,
            at,
        );
    }
}

/// [RFC 7315 4.4] Access networks, and whose word they are: only a parameter of that name is the network's.
#[test]
fn access_network_info() {
    let lines = "P-Access-Network-Info: 3GPP-E-UTRAN-FDD; utran-cell-id-3gpp=234151D0FCE11, \
                 IEEE-802.11;i-wlan-node-id=ffffffffffff;Network-Provided\r\n\
                 P-Access-Network-Info: ADSL;dsl-location=\"a, b\";\"network-provided;x\";local-time-zone=\"UTC+1\"\r\n";
    with(lines, |m| {
        let read: Vec<_> = m.access_network_info().map(Result::unwrap).collect();
        let [lte, wlan, adsl] = read[..] else {
            panic!("{read:?}");
        };
        assert_eq!(
            (lte.access, lte.network_provided),
            (&b"3GPP-E-UTRAN-FDD"[..], false)
        );
        assert_eq!(says(lte.cell()), some("234151D0FCE11"));
        assert_eq!(
            (wlan.access, wlan.network_provided),
            (&b"IEEE-802.11"[..], true)
        );
        assert_eq!(says(wlan.cell()), some("ffffffffffff"));
        assert_eq!(
            (says(adsl.cell()), adsl.network_provided),
            (some("a, b"), false)
        );
        assert_eq!(says(adsl.info.get(b"LOCAL-TIME-ZONE")), some("UTC+1"));
        let info: Vec<_> = adsl.info.iter().map(|(name, _)| text(name)).collect();
        assert_eq!(
            info,
            ["dsl-location", "\"network-provided;x\"", "local-time-zone"]
        );
    });
    for (value, what, at) in [
        ("", &defect::ACCESS_NETWORK, 0),
        ("\"x\"", &defect::ACCESS_NETWORK, 0),
        ("A;", &defect::ACCESS_NETWORK, 2),
        ("A;\"x\"y", &defect::ACCESS_NETWORK, 5),
        (
            "A, B;network-provided;network-provided",
            &defect::PARAMETER_TWICE,
            22,
        ),
        (
            "A;utran-cell-id-3gpp=1;utran-cell-id-3gpp=2",
            &defect::PARAMETER_TWICE,
            23,
        ),
        ("A;cgi-3gpp", &defect::ACCESS_NETWORK, 2),
    ] {
        refused("P-Access-Network-Info", value, what, at);
    }
}

/// [RFC 7315 4.3] Visited networks: tokens or quoted strings, with parameters, over lists and fields.
#[test]
fn visited_networks() {
    let lines = "P-Visited-Network-ID: \"Visited, network; number 1\" ; x=y, other.net\r\n\
                 P-Visited-Network-ID: third\r\n";
    with(lines, |m| {
        let read: Vec<_> = m
            .visited_networks()
            .map(|n| says(Some(n.unwrap().name)).unwrap())
            .collect();
        assert_eq!(read, ["Visited, network; number 1", "other.net", "third"]);
        assert!(
            m.visited_networks()
                .next()
                .unwrap()
                .unwrap()
                .params
                .has(b"X")
        );
    });
    refused("P-Visited-Network-ID", "", &defect::VISITED_NETWORK, 0);
    refused("P-Visited-Network-ID", "a b", &defect::VISITED_NETWORK, 2);
    refused(
        "P-Visited-Network-ID",
        "a, <b>",
        &defect::VISITED_NETWORK,
        3,
    );
    refused("P-Visited-Network-ID", "\"a", &defect::UNCLOSED_QUOTE, 0);
}

/// [RFC 5502 6] The served user, the side and the state.
#[test]
fn served_user() {
    with(
        "P-Served-User: <sip:u@home1.net;sescase=term> ; SesCase=orig;regstate=unreg;orig-cdiv\r\n",
        |m| {
            let served = ok(m.served_user());
            assert_eq!(served.user.uri_bytes(), b"sip:u@home1.net;sescase=term");
            assert_eq!(served.session_case, Some(SessionCase::Originating));
            assert_eq!((served.registered, served.orig_cdiv), (Some(false), true));
        },
    );
    with(
        "P-Served-User: sip:u@home1.net;sescase=term;regstate=reg\r\n",
        |m| {
            let served = ok(m.served_user());
            assert_eq!(
                (served.session_case, served.registered),
                (Some(SessionCase::Terminating), Some(true))
            );
        },
    );
    refused(
        "P-Served-User",
        "<sip:a>;sescase=both",
        &defect::SERVED_USER,
        16,
    );
    refused(
        "P-Served-User",
        "<sip:a>  ; sescase=orig;sescase=orig",
        &defect::PARAMETER_TWICE,
        24,
    );
    refused("P-Served-User", "<sip:a>;x=(", &defect::SERVED_USER, 10);
    refused("P-Served-User", "<sip:a>,<sip:b>", &defect::ONE_ADDRESS, 8);
    refused("P-Served-User", "", &defect::SCHEME, 0);
}

/// [RFC 3326 2] Reasons of several protocols, each with its cause and text.
#[test]
fn reasons() {
    let lines = "Reason: Q.850 ;cause=16;text=\"Terminated, normally\", SIP;CAUSE = 0600\r\n\
                 reason: RELEASE_CAUSE;cause=99999999999;x\r\n";
    with(lines, |m| {
        let read: Vec<_> = m.reasons().map(Result::unwrap).collect();
        assert!(read[0].is(b"q.850") && read[0].cause == Some(16));
        assert_eq!(says(read[0].text), some("Terminated, normally"));
        assert!(read[1].is(b"SIP") && read[1].cause == Some(600) && read[1].text.is_none());
        assert_eq!(
            (read[2].cause, read[2].params.has(b"x")),
            (Some(u32::MAX), true)
        );
    });
    for (value, what, at) in [
        ("", &defect::REASON, 0),
        (";cause=1", &defect::REASON, 0),
        ("SIP;cause=x", &defect::REASON, 10),
        ("SIP;cause", &defect::REASON, 4),
        ("SIP;cause=1;cause=1", &defect::PARAMETER_TWICE, 12),
        ("SIP;cause=1 Q.850", &defect::REASON, 12),
        ("SIP;cause=200, ;", &defect::REASON, 15),
    ] {
        refused("Reason", value, what, at);
    }
}

/// [RFC 3261 20.33] Seconds, the comment with comments in it, and the duration.
#[test]
fn retry_after() {
    with(
        "Retry-After: 18000 (I'm in (a \\) b) a meeting);duration=3600;x=y\r\n",
        |m| {
            let read = ok(m.retry_after());
            assert_eq!((read.seconds, read.duration), (18_000, Some(3_600)));
            assert_eq!(read.comment, Some(&b"I'm in (a \\) b) a meeting"[..]));
            assert!(read.params.has(b"x"));
        },
    );
    with("Retry-After: 949302838503028349304023988\r\n", |m| {
        let read = ok(m.retry_after());
        assert_eq!(
            (read.seconds, read.comment, read.duration),
            (u32::MAX, None, None)
        );
    });
    fine("Retry-After", "5()");
    with("", |m| assert!(m.retry_after().unwrap().is_none()));
    with("Retry-After: 5\r\nRetry-After: 6\r\n", |m| {
        assert_eq!(m.retry_after().unwrap_err().defect, &defect::REPEATED);
    });
    for (value, what, at) in [
        ("", &defect::RETRY_AFTER, 0),
        ("soon", &defect::RETRY_AFTER, 0),
        ("-5", &defect::RETRY_AFTER, 0),
        ("5x", &defect::RETRY_AFTER, 1),
        ("5 (a", &defect::RETRY_AFTER, 2),
        ("5 (a(b)", &defect::RETRY_AFTER, 2),
        ("5 (a\\)", &defect::RETRY_AFTER, 2),
        ("5 a", &defect::RETRY_AFTER, 2),
        ("5;duration=x", &defect::RETRY_AFTER, 11),
        ("5;duration=1;duration=2", &defect::PARAMETER_TWICE, 13),
    ] {
        refused("Retry-After", value, what, at);
    }
}

/// [RFC 3261 20.43] Code of three digits, agent, quoted text.
#[test]
fn warnings() {
    with(
        "Warning: 307 isi.edu:5060 \"Session parameter 'foo, bar'\", 399 [2001:db8::1] \"\"\r\n",
        |m| {
            let read: Vec<_> = m.warnings().map(Result::unwrap).collect();
            assert_eq!((read[0].code, read[0].agent), (307, &b"isi.edu:5060"[..]));
            assert_eq!(
                says(Some(read[0].text)),
                some("Session parameter 'foo, bar'")
            );
            assert_eq!((read[1].code, read[1].agent), (399, &b"[2001:db8::1]"[..]));
        },
    );
    for (value, at) in [
        ("", 0),
        ("1812 overture \"In Progress\"", 0),
        ("30 a \"b\"", 0),
        ("399 a b", 6),
        ("399 a\"b\"", 5),
        ("399a \"b\"", 3),
        ("399 \"a\" \"b\"", 4),
        ("399 a:x \"b\"", 6),
        ("399 a:65536 \"b\"", 6),
        ("399 a \"b\" c", 10),
    ] {
        refused("Warning", value, &defect::WARNING, at);
    }
}

/// [RFC 3261 20.22] [RFC 3261 20.23] [RFC 3261 20.19] Numbers are digits; Max-Forwards ends at 255.
#[test]
fn numbers() {
    with("Min-Expires: 99999999999\r\n", |m| {
        assert_eq!(m.min_expires(), Ok(Some(u32::MAX)));
        assert_eq!(m.max_forwards(), Ok(Some(70)));
    });
    let forwards = |value: &str| {
        let bytes = format!("BYE sip:a SIP/2.0\r\nMax-Forwards: {value}\r\n\r\n");
        let message = parse(bytes.as_bytes()).unwrap();
        let read = message.fields().last().unwrap().read();
        assert_eq!(read.is_ok(), message.max_forwards().is_ok());
        message.max_forwards().map_err(|r| (r.defect.code, r.at))
    };
    assert_eq!(forwards("0255"), Ok(Some(255)));
    assert_eq!(forwards("256"), Err((defect::MAX_FORWARDS.code, 33)));
    assert_eq!(forwards("-1"), Err((defect::MAX_FORWARDS.code, 33)));
    assert_eq!(forwards("7 0"), Err((defect::MAX_FORWARDS.code, 33)));
    fine("Expires", "99999999999999999999");
    refused("Expires", "1s", &defect::EXPIRES, 0);
    refused("Expires", "", &defect::EXPIRES, 0);
    refused("Min-Expires", "60, 70", &defect::NUMBER, 0);
    with("Min-Expires: 1\r\nMin-Expires: 1\r\n", |m| {
        assert_eq!(m.min_expires().unwrap_err().defect, &defect::REPEATED);
    });
}

/// [RFC 3261 20.32] [RFC 3261 20.37] [RFC 3323 4.2] Every element is a token; which lists may be empty.
#[test]
fn token_lists() {
    with(
        "Require: path, sec-agree ,\r\n gruu\r\nk:\r\nPrivacy: id ; Critical\r\n",
        |m| {
            let all: Vec<_> = m.tokens(HeaderName::Require).map(Result::unwrap).collect();
            assert_eq!(all, [Token(b"path"), Token(b"sec-agree"), Token(b"gruu")]);
            assert_eq!(m.tokens(HeaderName::Supported).count(), 0);
            let privacy: Vec<_> = m.privacy().map(Result::unwrap).collect();
            assert_eq!(privacy[0], Token(b"id"));
            assert!(privacy[1].is(b"critical") && privacy.len() == 2);
        },
    );
    for name in [
        "Require",
        "Proxy-Require",
        "Unsupported",
        "u",
        "Content-Encoding",
        "d",
        "Privacy",
    ] {
        refused(name, "", &defect::NO_TOKEN, 0);
    }
    for name in ["Supported", "Allow", "Accept", "Subject", "User-Agent"] {
        fine(name, "");
    }
    for (value, at) in [
        ("a, b c", 5),
        ("a;b", 1),
        ("\"a\"", 0),
        ("a, @", 3),
        ("a/b", 1),
    ] {
        refused("Supported", value, &defect::NO_TOKEN, at);
        with(&format!("Supported: {value}\r\n"), |m| {
            let read: Vec<_> = m.tokens(HeaderName::Supported).collect();
            assert!(read.last().unwrap().is_err(), "{value}");
        });
    }
    refused("Privacy", "id, user", &defect::NO_TOKEN, 2);
    refused("Priority", "very urgent", &defect::NO_TOKEN, 5);
    with("SIP-ETag: abc\r\nSIP-If-Match: def\r\n", |m| {
        assert_eq!(
            (ok(m.sip_etag()), ok(m.sip_if_match())),
            (Token(b"abc"), Token(b"def"))
        );
    });
    refused("SIP-ETag", "", &defect::NO_TOKEN, 0);
}

/// [RFC 3261 20.15] [RFC 3261 20.1] Types with their parameters; ranges with their preference.
#[test]
fn media_types() {
    with(
        "c: Multipart / Mixed ; boundary=\"a;b, c\";charset=utf-8;x=y\r\n",
        |m| {
            let read = ok(m.content_type());
            assert!(read.is(b"multipart", b"mixed"));
            assert_eq!(
                (says(read.boundary), says(read.charset)),
                (some("a;b, c"), some("utf-8"))
            );
            assert_eq!(read.params.iter().count(), 3);
        },
    );
    with(
        "Accept: application/sdp;level=1, text/*;q=0.5,*/*;q=0\r\nAccept:\r\n",
        |m| {
            let ranges: Vec<MediaType<'_>> = m.accept().map(Result::unwrap).collect();
            assert_eq!(
                ranges.iter().map(|r| r.q).collect::<Vec<_>>(),
                [None, Some(500), Some(0)]
            );
            assert!(
                ranges[0].accepts(b"application", b"SDP") && ranges[1].accepts(b"text", b"html")
            );
            assert!(!ranges[0].accepts(b"text", b"sdp") && !ranges[2].accepts(b"a", b"b"));
        },
    );
    for (value, what, at) in [
        ("", &defect::MEDIA_TYPE, 0),
        ("text", &defect::MEDIA_TYPE, 4),
        ("text/", &defect::MEDIA_TYPE, 5),
        ("text/plain charset", &defect::MEDIA_TYPE, 11),
        ("text/plain, a/b", &defect::MEDIA_TYPE, 10),
        ("a/b;boundary=1;boundary=2", &defect::PARAMETER_TWICE, 15),
        ("a/b;charset", &defect::MEDIA_TYPE, 4),
    ] {
        refused("Content-Type", value, what, at);
    }
    refused("Accept", "a/b, c", &defect::MEDIA_TYPE, 6);
    refused("Accept", "a/b;q=2", &defect::MEDIA_TYPE, 6);
    with(
        "Content-Disposition: Session;handling=optional\r\nMIME-Version: 1.0\r\n",
        |m| {
            let read = ok(m.content_disposition());
            assert_eq!(
                (read.kind, read.handling),
                (&b"Session"[..], Some(&b"optional"[..]))
            );
            let field = m.fields().last().unwrap();
            let Ok(Value::MimeVersion(version)) = field.read() else {
                panic!("{field:?}");
            };
            assert_eq!((version.major, version.minor), (1, 0));
        },
    );
    refused(
        "Content-Disposition",
        "a;handling=\"b c\"",
        &defect::DISPOSITION,
        11,
    );
    refused("MIME-Version", "1.", &defect::MIME_VERSION, 2);
    refused("MIME-Version", "1.0.0", &defect::MIME_VERSION, 3);
}

/// [RFC 3261 20.17] Only a real moment, in GMT, on its own day of the week.
#[test]
fn dates() {
    with("Date: Sat, 13 Nov 2010 23:29:00 GMT\r\n", |m| {
        let date = ok(m.date());
        assert_eq!((date.year, date.month, date.day), (2010, 11, 13));
        assert_eq!((date.hour, date.minute, date.second), (23, 29, 0));
        assert_eq!(date.unix(), 1_289_690_940);
    });
    for value in [
        "Thu, 29 Feb 2024 00:00:00 GMT",
        "Tue, 29 Feb 2000 00:00:00 GMT",
        "fri, 30 jun 1972\r\n 23:59:60 gmt",
    ] {
        fine("Date", value);
    }
    for (value, at) in [
        ("", 0),
        ("Fri, 01 Jan 2010 16:00:00 EST", 26),
        ("Fri, 01 Jan 2010 16:00:00", 25),
        ("Fri, 01 Jan 2010 16:00:00 GMT+1", 29),
        ("Sat, 01 Jan 2010 16:00:00 GMT", 0),
        ("Friday, 01 Jan 2010 16:00:00 GMT", 3),
        ("Fri, 1 Jan 2010 16:00:00 GMT", 5),
        ("Fri, 01-Jan-2010 16:00:00 GMT", 7),
        ("Fri, 01 Jam 2010 16:00:00 GMT", 8),
        ("Fri, 01 Jan 10 16:00:00 GMT", 14),
        ("Fri, 01 Jan 2010 24:00:00 GMT", 17),
        ("Fri, 01 Jan 2010 16:60:00 GMT", 20),
        ("Fri, 01 Jan 2010 16:00:61 GMT", 23),
        ("Wed, 29 Feb 2023 00:00:00 GMT", 5),
        ("Thu, 29 Feb 1900 00:00:00 GMT", 5),
        ("Thu, 00 Jan 2010 16:00:00 GMT", 5),
        ("Mon, 31 Apr 2023 00:00:00 GMT", 5),
    ] {
        refused("Date", value, &defect::DATE, at);
    }
}

/// [RFC 3261 20.38] [RFC 4028 4] [RFC 4028 5] Times and intervals.
#[test]
fn timestamps_and_intervals() {
    with(
        "Timestamp: 54.21 .5\r\nx: 4000;Refresher=UAC;y\r\nMin-SE: 90\r\n",
        |m| {
            let read = ok(m.timestamp());
            assert_eq!((read.sent, read.delay), (&b"54.21"[..], Some(&b".5"[..])));
            let session = ok(m.session_expires());
            assert_eq!(
                (session.seconds, session.refresher),
                (4_000, Some(Refresher::Uac))
            );
            assert_eq!(ok(m.min_se()).seconds, 90);
        },
    );
    for (value, at) in [("", 0), (".5", 0), ("1 x", 2), ("1 2 3", 4), ("1,2", 1)] {
        refused("Timestamp", value, &defect::TIMESTAMP, at);
    }
    refused("Session-Expires", "x", &defect::SESSION_EXPIRES, 0);
    refused(
        "Session-Expires",
        "90;refresher=me",
        &defect::SESSION_EXPIRES,
        13,
    );
    refused(
        "Session-Expires",
        "90;refresher=uac;refresher=uas",
        &defect::PARAMETER_TWICE,
        17,
    );
    refused("Min-SE", "90 s", &defect::SESSION_EXPIRES, 3);
}

/// [RFC 3841 9.2] [RFC 6809 4] Feature sets.
#[test]
fn features() {
    let lines = "a: *;+g.3gpp.icsi-ref=\"urn%3Aurn-7%3A3gpp-service.ims.icsi.mmtel\";require, *;audio\r\n\
                 Feature-Caps: *;+g.3gpp.atcf=\"<tel:+1>\"\r\n";
    with(lines, |m| {
        let read: Vec<_> = m
            .features(HeaderName::AcceptContact)
            .map(Result::unwrap)
            .collect();
        assert!(read[0].params.has(b"require") && read[1].params.has(b"audio") && read.len() == 2);
        let caps = m.features(HeaderName::FeatureCaps).next().unwrap().unwrap();
        assert_eq!(caps.params.value(b"+g.3gpp.atcf"), Some(&b"<tel:+1>"[..]));
    });
    refused("Accept-Contact", "", &defect::FEATURES, 0);
    refused("Reject-Contact", "audio", &defect::FEATURES, 0);
    refused("Feature-Caps", "*x", &defect::FEATURES, 1);
    refused("Feature-Caps", "*;x, *;=", &defect::FEATURES, 7);
}

/// [CP-4] [OMA CPM] Identifiers are visible text of 255 bytes at most, compared as bytes.
#[test]
fn cpm_identifiers() {
    with(
        "Message-UID: 4711\r\nConversation-ID: f81d4fae-7dec-11d0\r\nContribution-ID: a b\r\n",
        |m| {
            assert_eq!(ok(m.message_uid()).as_bytes(), b"4711");
            assert_eq!(ok(m.conversation_id()).as_bytes(), b"f81d4fae-7dec-11d0");
            assert_eq!(ok(m.contribution_id()).as_bytes(), b"a b");
            assert_eq!(format!("{:?}", ok(m.message_uid())), "CpmId(4 bytes)");
        },
    );
    with("", |m| assert_eq!(m.message_uid(), Ok(None)));
    with("Message-UID: 1\r\nMessage-UID: 1\r\n", |m| {
        assert_eq!(m.message_uid().unwrap_err().defect, &defect::REPEATED);
    });
    let longest = "x".repeat(CpmId::LONGEST);
    fine("Message-UID", &longest);
    refused("Message-UID", &format!("{longest}x"), &defect::CPM_ID, 255);
    refused("Conversation-ID", "", &defect::CPM_ID, 0);
    refused("Conversation-ID", "a\r\n b", &defect::CPM_ID, 1);
    refused("Contribution-ID", "a\tb", &defect::CPM_ID, 1);
    refused("Contribution-ID", "aé", &defect::CPM_ID, 1);
    assert_eq!(CpmId::new(b"a ").unwrap_err().at, 1);
    assert_eq!(CpmId::new(b" a").unwrap_err().at, 0);
}

/// [TS 24.229 7.2.11] A token, or an identity in quotes.
#[test]
fn restoration_info() {
    with("Restoration-Info: \"001010123456789\"\r\n", |m| {
        assert_eq!(
            says(Some(ok(m.restoration_info()).info)),
            some("001010123456789")
        );
    });
    fine("Restoration-Info", "noresponse");
    refused("Restoration-Info", "", &defect::RESTORATION_INFO, 0);
    refused("Restoration-Info", "<a>", &defect::RESTORATION_INFO, 0);
}

/// [RFC 3261 20] Addresses, lists of them, and what identifies a message, by the same door.
#[test]
fn other_values() {
    for (name, value) in [
        ("Path", "<sip:a;lr>,<sip:b>"),
        (
            "History-Info",
            "<sip:a?Reason=SIP%3Bcause%3D302>;index=1, <sip:b>;index=1.1",
        ),
        ("P-Associated-URI", ""),
        ("P-Associated-URI", "<sip:a>, <tel:+1>"),
        ("r", "\"B, C\" <sip:b>;x"),
        ("Referred-By", "sip:a;cid=\"x@y\""),
        ("P-Called-Party-ID", "<sip:a>;x"),
        ("m", "*"),
        ("m", "<sip:a>;expires=1, sip:b"),
        ("o", "reg;id=1"),
        ("Subscription-State", "active;expires=1"),
        ("y", "anything at all"),
        ("Relayed-Charge", "x"),
        ("P-Profile-Key", "<sip:a-!.*!@b>"),
        ("P-User-Database", "<aaa://host.example;transport=tcp>"),
    ] {
        fine(name, value);
    }
    refused("Path", "", &defect::SCHEME, 0);
    refused("m", "*, <sip:a>", &defect::STAR, 0);
    refused("m", "<sip:a>, *", &defect::STAR, 0);
    refused(
        "m",
        "<sip:a>;expires=1;expires=2",
        &defect::PARAMETER_TWICE,
        0,
    );
    refused(
        "v",
        "SIP/2.0/UDP a;branch=1;branch=2",
        &defect::PARAMETER_TWICE,
        0,
    );
    refused("v", "", &defect::VIA_PROTOCOL, 0);
    refused("Route", "<sip:a>, <sip:b", &defect::UNCLOSED_ANGLE, 9);
    refused("o", "", &defect::EVENT, 0);
    refused("o", "reg;id=1, reg", &defect::EVENT, 8);
    refused("o", "reg;id=\"", &defect::UNCLOSED_QUOTE, 7);
    let state = "Subscription-State";
    refused(state, "active;reason=(", &defect::SUBSCRIPTION_STATE, 14);
    refused(
        state,
        "active;expires=1;expires=2",
        &defect::PARAMETER_TWICE,
        0,
    );
    refused("Refer-To", "<sip:a>, <sip:b>", &defect::ONE_ADDRESS, 8);
}

/// [RFC 3261 7.3.1] A value parsed alone counts from its own start.
#[test]
fn values_alone() {
    assert_eq!(
        Date::parse(b" Thu, 01 Jan 1970 00:00:00 GMT ")
            .unwrap()
            .unix(),
        0
    );
    assert_eq!(Token::parse(b"a b").unwrap_err().at, 2);
    let all: Vec<_> = Token::parse_list(b",a,,b , ").map(Result::unwrap).collect();
    assert_eq!(all, [Token(b"a"), Token(b"b")]);
    let mut list = Token::parse_list(b"a, b c, d");
    assert!(list.next().unwrap().is_ok());
    assert_eq!(list.next().unwrap().unwrap_err().at, 5);
    assert!(list.next().is_none());
}

/// [RFC 3261 20.17] The calendar ends where four digits do.
#[test]
fn ends_of_the_calendar() {
    assert_eq!(Date::from_unix(-62_167_219_201), None);
    assert_eq!(Date::from_unix(253_402_300_800), None);
    assert_eq!(Date::from_unix(i64::MAX), None);
    assert_eq!(Date::from_unix(i64::MIN), None);
    let last = Date::from_unix(951_782_400).unwrap();
    assert_eq!((last.year, last.month, last.day), (2000, 2, 29));
}
