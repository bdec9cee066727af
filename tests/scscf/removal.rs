//! [SD-2, SD-3, SD-4, SD-8] What a REGISTER that removes bindings comes to.

use super::support::*;
use ims_procedures::{
    drive::{self, Millis, Misuse, Source, Verdict},
    scscf::{Answer, Assignment, Cause, Dialogs, Outcome},
};

const SECOND: &str = "sip:192.0.2.20:5060";

fn own(call_id: &str, cseq: u32) -> String {
    Registration::default().removal(call_id, cseq)
}

/// The one question of a user's REGISTER.
fn asked(host: &mut Host, register: &str) -> Out {
    let [ask] = host.receive(register).try_into().unwrap();
    assert!(
        matches!(
            ask,
            Out::Ask {
                ask: Ask::Authentication { .. },
                ..
            }
        ),
        "{ask:?}"
    );
    ask
}

fn outcome(outs: &[Out]) -> (Cause, Outcome) {
    let outcomes: Vec<_> = outs
        .iter()
        .filter_map(|out| match out {
            Out::Event(Ev::Deregistered { cause, outcome, .. }) => Some((*cause, *outcome)),
            _ => None,
        })
        .collect();
    assert_eq!(outcomes.len(), 1, "exactly one outcome: {outs:?}");
    outcomes[0]
}

fn status(outs: &[Out]) -> u16 {
    let [response] = outs else { panic!("{outs:?}") };
    response.status()
}

/// A user with two contacts, the second without flow.
fn two_contacts() -> Host {
    let mut host = Host::registered();
    let second = Registration {
        call_id: "ue-call-2",
        ..Registration::of(SECOND, "")
    };
    host.learn(&second);
    host
}

/// [SD-2] A user's own: challenged, refused, then done when the host says it is the user.
#[test]
fn authentication() {
    let mut host = Host::registered();
    let ask = asked(&mut host, &own("ue-call-1", 11));
    let challenge = Answer::Challenge {
        header: b"Digest realm=\"home1.example.net\",nonce=\"x\"",
    };
    let [challenged] = host.answer(&ask, challenge).try_into().unwrap();
    assert_eq!(challenged.status(), 401);
    let value = header(challenged.bytes(), "WWW-Authenticate");
    assert_eq!(
        value,
        Some("Digest realm=\"home1.example.net\",nonce=\"x\"")
    );

    let ask = asked(&mut host, &own("ue-call-1", 12));
    assert_eq!(status(&host.answer(&ask, Answer::Denied)), 403);
    let ask = asked(&mut host, &own("ue-call-1", 13));
    assert_eq!(status(&host.answer(&ask, Answer::Failed)), 500);
    let _ = asked(&mut host, &own("ue-call-1", 14));
    assert!(host.wait(9_999).is_empty());
    assert_eq!(status(&host.wait(1)), 500, "no verdict in time");
    assert!(host.node.is_registered(PUBLIC.as_bytes()));

    let ask = asked(&mut host, &own("ue-call-1", 15));
    let outs = host.answer(&ask, Answer::Authenticated);
    let outs = host.run_procedure(outs);
    assert_eq!(outs[0].status(), 200);
    assert!(!host.node.is_registered(PUBLIC.as_bytes()));
    let [third_party] = host.ticks().try_into().unwrap();
    assert_eq!(outcome(&host.respond(&third_party, 200)).0, Cause::User);
    let counters = host.node.counters();
    assert_eq!(
        (counters.challenged, counters.denied, counters.refused),
        (1, 1, 2)
    );
    assert_eq!((counters.removed_by_user, counters.user_initiated), (1, 5));
}

/// [DR-2] What the host answers wrongly is its mistake, and changes nothing.
#[test]
fn wrong_answers() {
    let mut host = Host::registered();
    let ask = asked(&mut host, &own("ue-call-1", 11));
    let before = snapshot(&host);
    for answer in [
        drive::Answer::Role(Answer::Released),
        drive::Answer::Role(Answer::Assigned {
            application_servers: b"",
        }),
        drive::Answer::Timeout,
        drive::Answer::Response(b"SIP/2.0 200 OK\r\n\r\n"),
        drive::Answer::Stored,
    ] {
        assert_eq!(
            host.try_answer(ask.token(), answer),
            Err(Misuse::WrongAnswer)
        );
    }
    for header in [&b""[..], b"a\r\nb", b"a\0", &[b'a'; 65_536]] {
        let answer = drive::Answer::Role(Answer::Challenge { header });
        let refused = host.try_answer(ask.token(), answer);
        assert!(matches!(refused, Err(Misuse::BadCommand(_))), "{refused:?}");
    }
    let unknown = drive::Token::from_u64(u64::MAX >> 1);
    let answer = drive::Answer::Role(Answer::Denied);
    assert_eq!(host.try_answer(unknown, answer), Err(Misuse::UnknownToken));
    assert_eq!(snapshot(&host), before);
    assert_eq!(status(&host.answer(&ask, Answer::Denied)), 403);
    assert!(host.answer(&ask, Answer::Authenticated).is_empty(), "twice");
    assert_eq!(host.node.counters().stale_answers, 1);
}

/// [SD-4] More application servers than are told, or a list that cannot be read, is the host's mistake.
#[test]
fn application_servers_bounded() {
    let mut host = Host::registered();
    let [release] = host.receive(register()).try_into().unwrap();
    let [assignment] = host.answer(&release, Answer::Released).try_into().unwrap();
    let list = |count: usize| vec!["<sip:as.example>"; count].join(",");
    let (most, more) = (list(16), list(17));
    for application_servers in [more.as_bytes(), b"<sip:as.example", b"as.example"] {
        let answer = drive::Answer::Role(Answer::Assigned {
            application_servers,
        });
        let refused = host.try_answer(assignment.token(), answer);
        assert!(matches!(refused, Err(Misuse::BadCommand(_))), "{refused:?}");
    }
    let answer = Answer::Assigned {
        application_servers: most.as_bytes(),
    };
    assert_eq!(status(&host.answer(&assignment, answer)), 200);
    for _ in 0..16 {
        let [third_party] = host.tick().try_into().unwrap();
        assert!(third_party.is_register());
    }
    assert!(host.ticks().is_empty());
}

fn snapshot(host: &Host) -> Vec<u8> {
    use ims_procedures::drive::Node;
    let mut blob = Vec::new();
    host.node.snapshot(host.now, &mut blob);
    blob
}

/// [SD-3, SD-8] Dialogs and HSS are bounded, application servers too; what did not answer is said.
#[test]
fn bounds() {
    let mut host = Host::registered();
    let [_release] = host.receive(register()).try_into().unwrap();
    assert!(host.wait(4_999).is_empty());
    let [assignment] = host.wait(1).try_into().unwrap();
    assert!(matches!(
        assignment,
        Out::Ask {
            ask: Ask::ServerAssignment { .. },
            ..
        }
    ));
    assert!(host.wait(4_999).is_empty());
    let outs = host.wait(1);
    assert_eq!(outs[0].status(), 200);
    let unanswered = Outcome {
        dialogs: Dialogs::NoAnswer,
        assignment: Assignment::NoAnswer,
        servers_told: 0,
        servers_failed: 0,
    };
    assert_eq!(outcome(&outs[1..]), (Cause::Pcscf, unanswered));
    let late = Answer::Assigned {
        application_servers: SERVER,
    };
    assert!(host.answer(&assignment, late).is_empty());
    assert_eq!(host.node.counters().assignments_unanswered, 1);

    let mut host = Host::registered();
    let [release] = host.receive(register()).try_into().unwrap();
    let [assignment] = host.answer(&release, Answer::Failed).try_into().unwrap();
    let failed = outcome(&host.answer(&assignment, Answer::Failed)[1..]).1;
    assert_eq!(
        (failed.dialogs, failed.assignment),
        (Dialogs::Failed, Assignment::Failed)
    );

    let mut host = Host::registered();
    let [response] = host.deregister().try_into().unwrap();
    assert_eq!(response.status(), 200);
    let [third_party] = host.ticks().try_into().unwrap();
    assert!(host.respond(&third_party, 100).is_empty(), "provisional");
    assert!(host.wait(39_999).is_empty());
    let told = outcome(&host.wait(1)).1;
    assert_eq!((told.servers_told, told.servers_failed), (0, 1));

    for answer in [
        drive::Answer::Timeout,
        drive::Answer::Unreachable,
        drive::Answer::Response(b"?"),
    ] {
        let mut host = Host::registered();
        host.deregister();
        let [third_party] = host.ticks().try_into().unwrap();
        let outs = host.try_answer(third_party.token(), answer).unwrap();
        assert_eq!(outcome(&outs).1.servers_failed, 1);
    }
    let mut host = Host::registered();
    host.deregister();
    let [third_party] = host.ticks().try_into().unwrap();
    assert_eq!(
        outcome(&host.respond(&third_party, 503)).1.servers_failed,
        1
    );
}

/// [SD-4] Server-Assignment-Type by cause (TS 29.229 6.3.15); the HSS is told only when the private identity
/// keeps no binding.
#[test]
fn server_assignment() {
    for (keep, by_register, by_time) in [(false, 5, 4), (true, 7, 6)] {
        let mut config = config();
        config.keep_server_name = keep;
        let mut host = Host::registered_with(config.clone());
        let [release] = host.receive(register()).try_into().unwrap();
        let [assignment] = host.answer(&release, Answer::Released).try_into().unwrap();
        assert!(
            matches!(assignment, Out::Ask { ask: Ask::ServerAssignment { code, .. }, .. } if code == by_register)
        );

        let mut host = Host::registered_with(config);
        let [release] = host.run(3_600_000).try_into().unwrap();
        let [assignment] = host.answer(&release, Answer::Released).try_into().unwrap();
        assert!(
            matches!(assignment, Out::Ask { ask: Ask::ServerAssignment { code, .. }, .. } if code == by_time)
        );
    }
}

/// [SD-3] Only the contact named goes; what remains is listed with the seconds it has left.
#[test]
fn only_the_contact_named() {
    let mut host = two_contacts();
    host.now = host.now.after(1_500);
    let [release] = host.receive(register()).try_into().unwrap();
    let outs = host.answer(&release, Answer::Released);
    let [ok, done] = outs.try_into().unwrap();
    let contacts: Vec<_> = ok
        .bytes()
        .lines()
        .filter(|line| line.starts_with("Contact: "))
        .collect();
    assert_eq!(
        contacts,
        [
            format!("Contact: <{SECOND}>;expires=3598"),
            format!("Contact: <{CONTACT}>;{INSTANCE};reg-id=1;expires=0"),
        ]
    );
    let (_, outcome) = outcome(&[done]);
    assert_eq!(
        outcome.assignment,
        Assignment::NotNeeded,
        "a binding is left"
    );
    assert!(host.node.is_registered(PUBLIC.as_bytes()));
}

/// [SD-3] Another device on the shared identity stays, and nobody removes it with other credentials.
#[test]
fn another_private_identity() {
    let mut host = Host::registered();
    let other = Registration {
        private: "user2_private@home1.example.net",
        call_id: "ue-call-9",
        ..Registration::of(
            SECOND,
            ";+sip.instance=\"<urn:gsma:imei:90420156-025763-9>\"",
        )
    };
    host.learn(&other);
    let ask = asked(&mut host, &Registration::of(SECOND, "").removal("x", 1));
    assert_eq!(status(&host.answer(&ask, Answer::Authenticated)), 481);

    let [release] = host.receive(register()).try_into().unwrap();
    let [assignment] = host.answer(&release, Answer::Released).try_into().unwrap();
    assert!(
        matches!(&assignment, Out::Ask { ask: Ask::ServerAssignment { private, .. }, .. } if private == PRIVATE)
    );
    let assigned = Answer::Assigned {
        application_servers: SERVER,
    };
    let outs = host.answer(&assignment, assigned);
    assert_eq!(
        outs.len(),
        2,
        "no application server is told while someone is registered: {outs:?}"
    );
    assert!(host.node.is_registered(PUBLIC.as_bytes()));
}

/// [SD-3] For flows instance and reg-id decide, whatever the URI; another flow of the same URI stays.
#[test]
fn flows() {
    let flow = |reg_id: u32| format!(";{INSTANCE};reg-id={reg_id}");
    let mut host = Host::registered();
    let second = Registration {
        call_id: "ue-call-2",
        ..Registration::of(CONTACT, &flow(2))
    };
    host.learn(&second);
    let elsewhere = Registration::of("sip:198.51.100.1", &flow(2));
    let ask = asked(&mut host, &elsewhere.removal("x", 1));
    let [release] = host.answer(&ask, Answer::Authenticated).try_into().unwrap();
    let [ok, _] = host.answer(&release, Answer::Released).try_into().unwrap();
    assert!(
        ok.bytes().contains("reg-id=1;expires=3600\r\n"),
        "{}",
        ok.bytes()
    );
    let ask = asked(
        &mut host,
        &Registration::of(CONTACT, &flow(3)).removal("x", 2),
    );
    assert_eq!(status(&host.answer(&ask, Answer::Authenticated)), 481);
}

/// [SD-3, T44] `*` only with Expires 0, and alone; then all contacts of this user.
#[test]
fn wildcard() {
    let star = |expires: &str, contacts: &str| {
        let text = Registration {
            contacts: vec!["*".into()],
            ..Registration::default()
        }
        .request();
        text.replace("Contact: *", contacts)
            .replace("Expires: 3600", expires)
    };
    for (expires, contacts) in [
        ("Expires: 3600", "Contact: *"),
        ("X: y", "Contact: *"),
        ("Expires: 0", "Contact: *, <sip:a@b>;expires=0"),
        ("Expires: 0", "Contact: <sip:a@b>;expires=0\r\nContact: *"),
        ("Expires: 0", "Contact: *, *"),
    ] {
        let mut host = Host::registered();
        let before = snapshot(&host);
        let bytes = star(expires, contacts);
        let (verdict, outs) = host.receive_from(Source::TrustedCore, bytes.as_bytes());
        assert!(matches!(verdict, Verdict::Rejected(_)), "{contacts}");
        assert_eq!(status(&outs), 400);
        assert_eq!(snapshot(&host), before);
    }
    let mut host = two_contacts();
    let all = star("Expires: 0", "Contact: *").replace("CSeq: 10 ", "CSeq: 11 ");
    let ask = asked(&mut host, &all);
    let [release] = host.answer(&ask, Answer::Authenticated).try_into().unwrap();
    let both = format!("<{CONTACT}>,<{SECOND}>");
    assert!(
        matches!(&release, Out::Ask { ask: Ask::DialogRelease { contacts, .. }, .. } if *contacts == both)
    );
    assert!(!host.node.is_registered(PUBLIC.as_bytes()));
}

/// [SD-3, T44] The parameter counts before the header; what does not remove all it names is the host's.
#[test]
fn what_removes() {
    let base = Registration::default().request();
    let contact = base
        .lines()
        .find(|line| line.starts_with("Contact: "))
        .unwrap()
        .to_string();
    let with = |contact: &str, expires: &str| {
        base.replace(
            &base[base.find("Contact: ").unwrap()..][..contact_len(&base)],
            contact,
        )
        .replace("Expires: 3600", expires)
        .replace("CSeq: 10", "CSeq: 11")
    };
    for (contact, expires, removes) in [
        (format!("{contact};expires=0"), "Expires: 3600", true),
        (format!("{contact};expires=0"), "X: y", true),
        (contact.clone(), "Expires: 0", true),
        (format!("{contact};expires=3600"), "Expires: 0", false),
        (format!("{contact};expires=x"), "Expires: 0", false),
        (contact.clone(), "X: y", false),
        (contact.clone(), "Expires: 3600", false),
        (
            format!("{contact};expires=0\r\nContact: <sip:new@b>"),
            "Expires: 3600",
            false,
        ),
        ("X: z".to_string(), "Expires: 0", false),
    ] {
        let mut host = Host::registered();
        let bytes = with(&contact, expires);
        let (verdict, outs) = host.receive_from(Source::TrustedCore, bytes.as_bytes());
        if removes {
            assert_eq!(verdict, Verdict::Handled, "{contact} {expires}");
            assert_eq!(outs.len(), 1);
        } else {
            assert_eq!(verdict, Verdict::NotMine, "{contact} {expires}");
            assert!(outs.is_empty());
        }
    }
}

fn contact_len(text: &str) -> usize {
    text.lines()
        .find(|line| line.starts_with("Contact: "))
        .unwrap()
        .len()
}

/// [SD-3] All that a REGISTER names, or nothing.
#[test]
fn all_or_nothing() {
    let mut host = two_contacts();
    let register = Registration {
        contacts: vec![
            format!("<{SECOND}>"),
            "<sip:never@registered.example>".into(),
        ],
        ..Registration::default()
    };
    let ask = asked(&mut host, &register.removal("x", 1));
    let before = snapshot(&host);
    assert_eq!(status(&host.answer(&ask, Answer::Authenticated)), 481);
    assert_ne!(before, snapshot(&host), "only the procedure is gone");
    let register = Registration {
        contacts: vec![format!("<{SECOND}>"), format!("<{CONTACT}>")],
        ..Registration::default()
    };
    let ask = asked(&mut host, &register.removal("x", 2));
    let [release] = host.answer(&ask, Answer::Authenticated).try_into().unwrap();
    assert!(matches!(
        release,
        Out::Ask {
            ask: Ask::DialogRelease { .. },
            ..
        }
    ));
}

/// [SD-3] RFC 3261 10.3: the same Call-ID needs a higher CSeq; another Call-ID does not.
#[test]
fn cseq() {
    for (call_id, cseq, expected) in [
        ("ue-call-1", 9, Some(500)),
        ("ue-call-1", 10, Some(500)),
        ("ue-call-1", 11, None),
        ("another", 1, None),
    ] {
        let mut host = Host::registered();
        let ask = asked(&mut host, &own(call_id, cseq));
        let outs = host.answer(&ask, Answer::Authenticated);
        match expected {
            Some(expected) => {
                assert_eq!(status(&outs), expected, "{call_id} {cseq}");
                assert!(host.node.is_registered(PUBLIC.as_bytes()));
            }
            None => assert!(!host.node.is_registered(PUBLIC.as_bytes())),
        }
    }
}

/// [SD-3] A REGISTER that comes again, for as long as it can, is answered again and does nothing.
#[test]
fn comes_again() {
    let mut host = Host::registered();
    host.deregister();
    let [third_party] = host.ticks().try_into().unwrap();
    host.respond(&third_party, 200);
    host.run(63_999);
    let again = register().replace("CSeq: 1 ", "CSeq: 2 ");
    let outs = host.receive(&again);
    assert_eq!(status(&outs), 200);
    assert!(outs[0].bytes().contains("reg-id=1;expires=0\r\n"));
    assert_eq!(status(&host.receive(register())), 200, "the very same");
    assert!(host.ticks().is_empty());
    assert_eq!(host.node.counters().repeated, 2);
    host.run(1);
    assert_eq!(host.node.sets(), 0);
    let [event, assignment] = host.receive(&again).try_into().unwrap();
    assert!(matches!(event, Out::Event(Ev::Suspicious { .. })));
    assert!(matches!(
        assignment,
        Out::Ask {
            ask: Ask::ServerAssignment { .. },
            ..
        }
    ));
}

/// [SD-3] A user this node does not know: once he is authenticated, the HSS is asked before the 481.
#[test]
fn unknown_user() {
    for answer in [
        Some(Answer::Assigned {
            application_servers: SERVER,
        }),
        Some(Answer::Failed),
        None,
    ] {
        let mut host = Host::new(config());
        let ask = asked(&mut host, &own("x", 1));
        let [assignment] = host.answer(&ask, Answer::Authenticated).try_into().unwrap();
        let Out::Ask {
            ask:
                Ask::ServerAssignment {
                    code,
                    private,
                    public,
                    ..
                },
            ..
        } = &assignment
        else {
            panic!("{assignment:?}");
        };
        assert_eq!((*code, private.as_str()), (5, PRIVATE));
        assert_eq!(*public, format!("<{PUBLIC}>"));
        let outs = match answer {
            Some(answer) => host.answer(&assignment, answer),
            None => host.wait(5_000),
        };
        assert_eq!(status(&outs), 481);
        assert!(host.ticks().is_empty());
        assert_eq!(host.node.sets(), 0);
        assert_eq!(host.node.counters().unknown, 1);
    }
    let mut host = Host::new(config());
    let ask = asked(&mut host, &own("x", 1));
    assert_eq!(
        status(&host.answer(&ask, Answer::Denied)),
        403,
        "nobody asks the HSS for a stranger"
    );
    assert_eq!(host.node.sets(), 0);
}

/// [SD-3] An unknown contact of a known user: the HSS keeps him, since a binding is left here.
#[test]
fn unknown_contact() {
    let mut host = Host::registered();
    let ask = asked(&mut host, &Registration::of(SECOND, "").removal("x", 1));
    assert_eq!(status(&host.answer(&ask, Answer::Authenticated)), 481);
    assert!(host.node.is_registered(PUBLIC.as_bytes()));
}

/// [SD-4, T47] A binding's time: `expired`, server assignment 4, NOTIFYs, application servers, outcome; not a
/// millisecond too early.
#[test]
fn expiry() {
    let mut host = Host::registered();
    let (_, _) = host.subscribe();
    let at = host.now.after(3_600_000);
    assert!(host.run(3_599_999).is_empty());
    assert!(host.node.is_registered(PUBLIC.as_bytes()));
    let [release] = host.run(1).try_into().unwrap();
    assert_eq!(host.now, at);
    assert!(!host.node.is_registered(PUBLIC.as_bytes()));
    let outs = host.run_procedure(vec![release]);
    assert!(outs.is_empty(), "nobody to answer");
    let [notify, third_party] = host.ticks().try_into().unwrap();
    assert!(notify.is_notify() && third_party.is_register());
    assert!(
        notify
            .bytes()
            .contains("state=\"terminated\" event=\"expired\" expires=\"0\"")
    );
    assert!(notify.bytes().contains("terminated;reason=noresource"));
    let (cause, _) = outcome(&host.respond(&third_party, 200));
    assert_eq!(cause, Cause::Expired);
    assert_eq!(host.node.counters().expired, 1);
}

/// [DR-6] Everything overdue fires once, one thing a tick, in the order of its time.
#[test]
fn overdue() {
    let mut host = Host::new(config());
    for (place, expires) in [(0, 30), (1, 10), (2, 20)] {
        let contact = format!("sip:192.0.2.{place}");
        let mut registration = Registration::of(&contact, "");
        registration.granted = vec![format!("<{contact}>;expires={expires}")];
        host.learn(&registration);
    }
    host.now = host.now.after(25_000);
    let outs = host.tick();
    assert!(
        matches!(&outs[..], [Out::Ask { ask: Ask::DialogRelease { contacts, .. }, .. }]
        if contacts == "<sip:192.0.2.1>,<sip:192.0.2.2>"),
        "{outs:?}"
    );
    assert!(host.ticks().is_empty());
    host.now = Millis(0);
    assert!(host.tick().is_empty());
    assert_eq!(host.node.time_backwards(), 1);
}

/// [DR-4] What cannot be read is answered 400 where that is possible, and changes nothing.
#[test]
fn malformed() {
    let mut host = Host::registered();
    let before = snapshot(&host);
    let good = register();
    for (bytes, answered) in [
        (good.replace("CSeq: 1 REGISTER", "CSeq: x REGISTER"), true),
        (
            good.replace("P-Asserted-Identity: <sip:", "P-Asserted-Identity: <sip:@"),
            true,
        ),
        (
            good.replace("Authorization: Digest", "Authorization: Digest,"),
            true,
        ),
        (good.replace("sigcomp>;", "sigcomp;"), true),
        (good.replace("From: <sip:", "From: <"), true),
        (
            good.replace("Content-Length: 0\r\n\r\n", "Content-Length: 0\r\n"),
            false,
        ),
        ("\r\n\r\n".into(), false),
        (String::new(), false),
    ] {
        let (verdict, outs) = host.receive_from(Source::TrustedCore, bytes.as_bytes());
        assert!(matches!(verdict, Verdict::Rejected(_)), "{bytes}");
        assert_eq!(outs.len(), usize::from(answered), "{bytes}");
        if answered {
            assert_eq!(outs[0].status(), 400);
        }
    }
    assert_eq!(snapshot(&host), before);
    for other in [
        good.replace("REGISTER", "OPTIONS"),
        "SIP/2.0 200 OK\r\n\r\n".into(),
    ] {
        let (verdict, outs) = host.receive_from(Source::TrustedCore, other.as_bytes());
        assert_eq!((verdict, outs.len()), (Verdict::NotMine, 0));
    }
}

/// [DR-5] As many REGISTERs of one user at once as contacts are allowed; one more is told to come again.
#[test]
fn many_at_once() {
    let mut config = config();
    config.limits.contacts = 2;
    config.limits.users = 2;
    let mut host = Host::registered_with(config);
    let first = asked(&mut host, &own("ue-call-1", 11));
    asked(&mut host, &own("ue-call-1", 12));
    let (verdict, outs) = host.receive_from(Source::Ue, own("ue-call-1", 13).as_bytes());
    assert!(matches!(verdict, Verdict::Rejected(_)));
    assert_eq!(status(&outs), 500);
    assert!(header(outs[0].bytes(), "Retry-After").is_some());
    host.answer(&first, Answer::Denied);
    asked(&mut host, &own("ue-call-1", 14));
    // No crowd of strangers keeps the P-CSCF out.
    let [release] = host.receive(register()).try_into().unwrap();
    assert!(matches!(
        release,
        Out::Ask {
            ask: Ask::DialogRelease { .. },
            ..
        }
    ));
    assert_eq!(status(&host.receive(register())), 200);
}

/// [RFC 3261 8.2.2.3] A REGISTER that removes bindings may demand what the registrar takes, as it could when
/// it made them; anything else is named in a 420. One that is not taken is the host's, whatever it demands.
#[test]
fn demanded_extensions() {
    let mut config = config();
    config.register_extensions.push(b"sec-agree".to_vec());
    let mut host = Host::registered_with(config);
    let demanding =
        |text: String, tags: &str| text.replace("Require: path", &format!("Require: {tags}"));
    let register = demanding(
        own("ue-call-1", 11),
        "path, 100rel, Sec-Agree\r\nRequire: timer",
    );
    let before = snapshot(&host);
    let (verdict, outs) = host.receive_from(Source::Ue, register.as_bytes());
    assert!(matches!(verdict, Verdict::Rejected(reject) if reject.defect.code == 192));
    let [answer] = &outs[..] else {
        panic!("{outs:?}")
    };
    assert!(answer.bytes().starts_with("SIP/2.0 420 Bad Extension\r\n"));
    assert_eq!(header(answer.bytes(), "Unsupported"), Some("100rel, timer"));
    assert_eq!(header(answer.bytes(), "CSeq"), Some("11 REGISTER"));
    assert_eq!(snapshot(&host), before);
    assert_eq!(host.node.counters().refused, 1);
    let binding = register.replace("Expires: 0", "Expires: 600");
    let (verdict, outs) = host.receive_from(Source::Ue, binding.as_bytes());
    assert_eq!((verdict, outs.len()), (Verdict::NotMine, 0));
    let taken = demanding(
        own("ue-call-1", 12),
        "path, outbound, GRUU, pref, sec-agree",
    );
    asked(&mut host, &taken);
}

/// [RFC 3261 18.3] [RFC 3261 21.4.1] What a REGISTER or SUBSCRIBE owes that cannot be read, or lacks
/// something, with the fault in the reason phrase.
#[test]
fn faults_are_named() {
    let mut host = Host::registered();
    let before = snapshot(&host);
    let (register, subscribe) = (register(), subscribe());
    let cases = [
        (
            register.replace("Length: 0", "Length: 1"),
            "400 body is shorter than Content-Length",
        ),
        (
            register.replace("SIP/2.0\r\nVia", "SIP/3.0\r\nVia"),
            "505 Version Not Supported",
        ),
        (register.replace("Call-ID", "X"), "400 Call-ID is missing"),
        (
            register.replace("Max-Forwards: 70", "Max-Forwards: 256"),
            "400 Max-Forwards is not a number from 0 to 255",
        ),
        (
            register.replace("REGISTER sip:", "REGISTER soap:"),
            "416 Unsupported URI Scheme",
        ),
        (
            subscribe.replace("Max-Forwards", "Require: 100rel\r\nMax-Forwards"),
            "420 Bad Extension",
        ),
        (
            subscribe.replace("CSeq: 1 SUBSCRIBE", "CSeq: 1 NOTIFY"),
            "400 CSeq method is not that of the request",
        ),
        (
            subscribe.replace("Length: 0", "Length: -1"),
            "400 Content-Length is not a number",
        ),
    ];
    for (bytes, status_line) in cases {
        let (verdict, outs) = host.receive_from(Source::TrustedCore, bytes.as_bytes());
        assert!(
            matches!(verdict, Verdict::Rejected(_)),
            "{verdict:?}: {bytes}"
        );
        let [answer] = &outs[..] else {
            panic!("{outs:?}")
        };
        let first = answer.bytes().lines().next().unwrap();
        assert_eq!(first, format!("SIP/2.0 {status_line}"));
        assert_eq!(header(answer.bytes(), "Via"), header(&bytes, "Via"));
        assert!(header(answer.bytes(), "To").unwrap().contains(";tag="));
    }
    assert_eq!(snapshot(&host), before);
    let other = subscribe.replace("Event: reg", "Event: presence\r\nRequire: 100rel");
    let (verdict, outs) = host.receive_from(Source::TrustedCore, other.as_bytes());
    assert_eq!((verdict, outs.len()), (Verdict::NotMine, 0));
}
