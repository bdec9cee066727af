//! Values of the other header fields.

use ims_procedures::{
    drive::Defect,
    wire::{HeaderName, Method, SubState, defect},
};

use crate::support::{parse, request_with};

fn with<T>(lines: &str, read: impl FnOnce(&ims_procedures::wire::Message<'_>) -> T) -> T {
    read(&parse(&request_with(lines)).unwrap())
}

/// [RFC 3261 8.1.1] What every message must have is reported where the header fields end.
#[test]
fn what_is_missing() {
    let bytes = b"BYE sip:a SIP/2.0\r\nX: y\r\n\r\n";
    let message = parse(bytes).unwrap();
    let missing = [
        (message.from().unwrap_err(), &defect::NO_FROM),
        (message.to().unwrap_err(), &defect::NO_TO),
        (message.call_id().unwrap_err(), &defect::NO_CALL_ID),
        (message.cseq().unwrap_err(), &defect::NO_CSEQ),
        (message.via().unwrap_err(), &defect::NO_VIA),
    ];
    for (reject, what) in missing {
        assert_eq!((reject.defect, reject.at as usize), (what, 25));
        assert!(reject.to_string().contains("RFC 3261"), "{reject}");
    }
}

/// [RFC 3261 20.20] [RFC 3261 20.39] One address each, with one tag at most.
#[test]
fn from_and_to() {
    let read = |value: &str| {
        let bytes = format!("BYE sip:a SIP/2.0\r\nf: {value}\r\n\r\n");
        parse(bytes.as_bytes())
            .unwrap()
            .from()
            .map(|a| a.tag().map(<[u8]>::to_vec))
            .map_err(|r| (r.defect.code, r.at))
    };
    assert_eq!(read("<sip:a@b>;tag=x"), Ok(Some(b"x".to_vec())));
    assert_eq!(read("\"a;tag=no\" <sip:a@b;tag=no>"), Ok(None));
    assert_eq!(read("sip:a@b;tag=x"), Ok(Some(b"x".to_vec())));
    assert_eq!(
        read("<sip:a@b>;tag=x;tag=y"),
        Err((defect::PARAMETER_TWICE.code, 22))
    );
    assert_eq!(
        read("<sip:a@b>,<sip:c>"),
        Err((defect::ONE_ADDRESS.code, 32))
    );
    assert_eq!(read("<sip:@b>"), Err((defect::USER.code, 27)));
    for tag in [
        "tag",
        "tag=",
        "tag=\"x\"",
        "tag=\"x;y=z\"",
        "TAG=\u{e9}",
        "tag=a@b",
    ] {
        let value = format!("<sip:a@b>;{tag};z");
        assert_eq!(read(&value), Err((defect::TAG.code, 22)), "{tag}");
    }
    for params in [";\\\0", ";x=\"\\\0\"", ";tag=1;x=\"\\\0\""] {
        let refused = read(&format!("<sip:a@b>{params}"));
        assert_eq!(refused, Err((defect::NUL.code, 22)), "{params:?}");
    }
    for (tag, place) in [("x y", 16), ("x<y", 15), ("x>", 15), ("x\r\n y", 18)] {
        let value = format!("<sip:a@b>;tag={tag};z");
        let expected = Err((defect::PARAMETER.code, 22 + place));
        assert_eq!(read(&value), expected, "{tag}");
    }
    assert_eq!(
        read("<sip:a@b> ; tag = -.!%*_+`'~aZ0"),
        Ok(Some(b"-.!%*_+`'~aZ0".to_vec()))
    );
}

/// [RFC 3261 20.8] Call-ID byte for byte, without white space.
#[test]
fn call_id() {
    let read = |value: &str| {
        let bytes = format!("BYE sip:a SIP/2.0\r\ni: {value}\r\n\r\n");
        let message = parse(bytes.as_bytes()).unwrap();
        message
            .call_id()
            .map(<[u8]>::to_vec)
            .map_err(|r| (r.defect.code, r.at))
    };
    assert_eq!(
        read("a84b4c76e66710@pc33"),
        Ok(b"a84b4c76e66710@pc33".to_vec())
    );
    assert_eq!(read("(&,\"<>"), Ok(b"(&,\"<>".to_vec()));
    assert_eq!(read(""), Err((defect::CALL_ID.code, 22)));
    assert_eq!(read("a b"), Err((defect::CALL_ID.code, 23)));
}

/// [RFC 3261 20.16] [RFC 3261 8.1.1.5] The number is below 2^31; the method is that of the request.
#[test]
fn cseq() {
    let read = |start: &str, value: &str| {
        let bytes = format!("{start}\r\nCSeq: {value}\r\n\r\n");
        let message = parse(bytes.as_bytes()).unwrap();
        message
            .cseq()
            .map(|c| (c.number, c.method == Method::Bye))
            .map_err(|r| r.defect.code)
    };
    let bye = "BYE sip:a SIP/2.0";
    assert_eq!(read(bye, "1 BYE"), Ok((1, true)));
    assert_eq!(
        read(bye, "0000000000000000000000004711 \r\n BYE"),
        Ok((4711, true))
    );
    assert_eq!(read(bye, "2147483647 BYE"), Ok((2_147_483_647, true)));
    assert_eq!(read("SIP/2.0 200 OK", "0 NOTIFY"), Ok((0, false)));
    assert_eq!(read(bye, "2147483648 BYE"), Err(defect::CSEQ_NUMBER.code));
    assert_eq!(read(bye, "4294967297 BYE"), Err(defect::CSEQ_NUMBER.code));
    assert_eq!(read(bye, "1 INVITE"), Err(defect::CSEQ_METHOD.code));
    assert_eq!(read(bye, "1 bye"), Err(defect::CSEQ_METHOD.code));
    for value in [
        "", "1", "1BYE", "-1 BYE", "BYE 1", "1 BYE x", "1 B,E", "0x1 BYE",
    ] {
        assert_eq!(read(bye, value), Err(defect::CSEQ.code), "{value}");
    }
}

/// [RFC 3261 20.19] Seconds, clamped; several of one value are one.
#[test]
fn expires() {
    for (value, seconds) in [
        ("600000", 600_000),
        ("4294967295", u32::MAX),
        ("99999999999", u32::MAX),
    ] {
        with(&format!("Expires: {value}\r\n"), |m| {
            assert_eq!(m.expires(), Ok(Some(seconds)));
        });
    }
    with("", |m| assert_eq!(m.expires(), Ok(None)));
    for value in [
        "",
        "x",
        "-1",
        "1.5",
        "Thu, 01 Dec 1994 16:00:00 GMT",
        "1 2",
        "1:",
        "1/",
    ] {
        with(&format!("Expires: {value}\r\n"), |m| {
            let reject = m.expires().unwrap_err();
            assert_eq!(reject.defect, &defect::EXPIRES, "{value}");
        });
    }
    with("Expires: 0\r\nExpires: 00\r\n", |m| {
        assert_eq!(m.expires(), Ok(Some(0)));
    });
    with("Expires: 0\r\nExpires: 3600\r\n", |m| {
        assert_eq!(m.expires().unwrap_err().defect, &defect::CONFLICT);
    });
}

/// [RFC 6665 8.2.3] The states, their parameters, and what is tolerated.
#[test]
fn subscription_state() {
    let read = |value: &str| {
        with(&format!("Subscription-State: {value}\r\n"), |m| {
            m.subscription_state().map(Option::unwrap).map(|s| {
                (
                    s.state,
                    s.expires,
                    s.retry_after,
                    s.reason.map(<[u8]>::to_vec),
                )
            })
        })
    };
    assert_eq!(
        read("active;expires=3660"),
        Ok((SubState::Active, Some(3660), None, None))
    );
    assert_eq!(
        read("ACTIVE ; EXPIRES = 1"),
        Ok((SubState::Active, Some(1), None, None))
    );
    assert_eq!(read("Pending"), Ok((SubState::Pending, None, None, None)));
    assert_eq!(
        read("terminated;reason=probation;retry-after=60"),
        Ok((
            SubState::Terminated,
            None,
            Some(60),
            Some(b"probation".to_vec())
        ))
    );
    assert_eq!(
        read("waiting;expires=soon"),
        Ok((SubState::Other, None, None, None))
    );
    for value in [
        "",
        ";expires=1",
        "active expires=1",
        "active,pending",
        "\"active\"",
    ] {
        assert_eq!(
            read(value).unwrap_err().defect,
            &defect::SUBSCRIPTION_STATE,
            "{value}"
        );
    }
    with("", |m| assert_eq!(m.subscription_state(), Ok(None)));
    with(
        "Subscription-State: active\r\nSubscription-State: terminated\r\n",
        |m| {
            assert_eq!(
                m.subscription_state().unwrap_err().defect,
                &defect::REPEATED
            );
        },
    );
}

/// [RFC 6665 8.2.1] Package and id, byte for byte.
#[test]
fn event() {
    with("o: reg;id=7\r\n", |m| {
        let event = m.event().unwrap().unwrap();
        assert_eq!((event.package, event.id), (&b"reg"[..], Some(&b"7"[..])));
    });
    with("Event: REG\r\n", |m| {
        let event = m.event().unwrap().unwrap();
        assert_ne!(event.package, b"reg");
        assert_eq!(event.id, None);
    });
    with("Event: presence.winfo ; x\r\n", |m| {
        assert_eq!(m.event().unwrap().unwrap().package, b"presence.winfo");
    });
    with("", |m| assert_eq!(m.event(), Ok(None)));
    let cases: [(&str, &Defect); 5] = [
        ("Event:\r\n", &defect::EVENT),
        ("Event: reg id\r\n", &defect::EVENT),
        ("Event: reg,presence\r\n", &defect::EVENT),
        ("Event: reg;id=1;id=2\r\n", &defect::PARAMETER_TWICE),
        ("Event: reg\r\no: reg\r\n", &defect::REPEATED),
    ];
    for (lines, what) in cases {
        with(lines, |m| {
            assert_eq!(m.event().unwrap_err().defect, what, "{lines}");
        });
    }
}

/// [RFC 3261 20.7] [TS 24.229 7.2A.2] Digest credentials as IMS sends them.
#[test]
fn authorization() {
    let line = "Authorization:  digest username=\"u\\\"1, x@home1.net\",realm = \"home1.net\" ,\r\n \
                nonce=\"\", uri=\"sip:home1.net\",response=\"\" ,integrity-protected=yes,\
                auts=ab/cd==,nc=00000001\r\n";
    with(line, |m| {
        let read = m.authorization().unwrap().unwrap();
        assert!(read.is_digest());
        assert_eq!(read.scheme(), b"digest");
        assert_eq!(read.username(), Some(&b"u\\\"1, x@home1.net"[..]));
        assert_eq!(read.realm(), Some(&b"home1.net"[..]));
        assert_eq!(read.nonce(), Some(&b""[..]));
        assert_eq!(read.uri(), Some(&b"sip:home1.net"[..]));
        assert_eq!(read.response(), Some(&b""[..]));
        assert_eq!(read.integrity_protected(), Some(&b"yes"[..]));
        assert_eq!(read.param(b"AUTS"), Some(&b"ab/cd=="[..]));
        assert_eq!(read.param(b"qop"), None);
        assert_eq!(read.params().count(), 8);
    });
    with("Authorization: Bearer mF_9.B5f-4.1JqM\r\n", |m| {
        let read = m.authorization().unwrap().unwrap();
        assert_eq!((read.is_digest(), read.username()), (false, None));
        assert_eq!(read.credentials(), b"mF_9.B5f-4.1JqM");
    });
    with("", |m| assert!(m.authorization().unwrap().is_none()));
}

/// [RFC 3261 20.7] Credentials that two elements could read differently.
#[test]
fn authorization_that_is_none() {
    let cases: [(&str, &Defect); 12] = [
        ("", &defect::AUTHORIZATION),
        ("Digest", &defect::AUTHORIZATION),
        ("Digest username", &defect::AUTHORIZATION),
        ("Digest username=\"a", &defect::AUTHORIZATION),
        ("Digest username=\"a\"b", &defect::AUTHORIZATION),
        ("Digest username=\"a\" realm=\"b\"", &defect::AUTHORIZATION),
        ("Digest ,username=\"a\"", &defect::AUTHORIZATION),
        ("Digest =\"a\"", &defect::AUTHORIZATION),
        ("\"Digest\" username=\"a\"", &defect::AUTHORIZATION),
        (
            "Digest username=\"a\",username=\"b\"",
            &defect::PARAMETER_TWICE,
        ),
        (
            "Digest integrity-protected=no,Integrity-Protected=auth-done",
            &defect::PARAMETER_TWICE,
        ),
        ("Digest a=b\r\nAuthorization: Digest a=b", &defect::REPEATED),
    ];
    for (value, what) in cases {
        with(&format!("Authorization: {value}\r\n"), |m| {
            assert_eq!(m.authorization().unwrap_err().defect, what, "{value}");
        });
    }
}

/// [RFC 3261 20.15] Content-Type in any case, parameters apart.
#[test]
fn content_type() {
    for value in [
        "application/reginfo+xml",
        "Application/RegInfo+XML;charset=\"utf-8\"",
        "application / reginfo+xml ; x=y",
    ] {
        with(&format!("c: {value}\r\n"), |m| {
            assert!(m.content_type_is(b"application/reginfo+xml"), "{value}");
            assert!(!m.content_type_is(b"application/reginfo"));
        });
    }
    with("", |m| {
        assert!(!m.content_type_is(b"application/reginfo+xml"));
    });
    with("Content-Type: application/pidf+xml\r\n", |m| {
        assert!(!m.content_type_is(b"application/reginfo+xml"));
    });
    for name in ["application", "application/", "/", ""] {
        with("c: application/reginfo+xml\r\n", |m| {
            assert!(!m.content_type_is(name.as_bytes()), "{name}");
        });
    }
}

/// [RFC 3261 20.15] What Content-Type is does not depend on which of two is looked at, nor on part of one.
#[test]
fn content_type_in_doubt() {
    for (fields, what) in [
        ("c: a/b\r\nc: c/d\r\n", &defect::REPEATED),
        ("c: a/b\r\nContent-Type: a/b\r\n", &defect::REPEATED),
        ("c: a/b, c/d\r\n", &defect::MEDIA_TYPE),
        ("c: a/b;charset=x;charset=y\r\n", &defect::PARAMETER_TWICE),
    ] {
        with(fields, |m| {
            assert_eq!(m.content_type().unwrap_err().defect, what, "{fields}");
            assert!(!m.content_type_is(b"a/b"), "{fields}");
            assert!(!m.content_type_is(b"c/d"), "{fields}");
        });
    }
}

/// [RFC 3261 20.37] Lists of tokens over several fields.
#[test]
fn lists_of_tokens() {
    with(
        "Supported: path, GRUU\r\nk: outbound;x=y ,\r\nAccept: application/reginfo+xml;q=1\r\n",
        |m| {
            for token in ["path", "gruu", "OUTBOUND"] {
                assert!(m.lists(HeaderName::Supported, token.as_bytes()), "{token}");
            }
            assert!(!m.lists(HeaderName::Supported, b"pat"));
            assert!(!m.lists(HeaderName::Require, b"path"));
            assert!(m.lists(HeaderName::Accept, b"application/reginfo+xml"));
        },
    );
    with(
        "Reason: SIP;cause=200;text=\"a, \\\"b\" , Q.850 ;cause=16,\"x\r\n",
        |m| {
            let reason = m.header(HeaderName::Reason).unwrap();
            let elements: Vec<&[u8]> = reason.elements().collect();
            assert_eq!(
                elements,
                [
                    &b"SIP;cause=200;text=\"a, \\\"b\""[..],
                    b"Q.850 ;cause=16",
                    b"\"x"
                ]
            );
            assert_eq!(reason.token(), b"SIP");
            assert_eq!(reason.params().number(b"cause"), Some(200));
        },
    );
}
