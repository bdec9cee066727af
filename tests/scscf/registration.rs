//! [SD-7] What the node learns from the registrar.

use super::support::*;
use ims_procedures::{
    drive::{Misuse, Verdict},
    scscf::Answer,
};

/// The document of the next NOTIFY.
fn document(host: &mut Host) -> String {
    let [notify] = host.ticks().try_into().unwrap();
    assert!(notify.is_notify(), "{notify:?}");
    let body = notify.bytes().split_once("\r\n\r\n").unwrap().1.to_string();
    host.respond(&notify, 200);
    body
}

/// How a contact element begins after the number of its registration.
fn contact(id: u32, event: &str, expires: u32) -> String {
    let state = match event {
        "registered" | "created" | "refreshed" => "active",
        _ => "terminated",
    };
    format!("c{id}\" state=\"{state}\" event=\"{event}\" expires=\"{expires}\"")
}

fn count(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

/// [RN-2, T20] Explicit is `registered`, implicit `created`, again is `refreshed`.
#[test]
fn events() {
    let mut host = Host::registered();
    let (_, notify) = host.subscribe();
    let first = notify.bytes();
    let explicit = format!(
        "<registration aor=\"{PUBLIC}\" id=\"r0\" state=\"active\"><contact id=\"r0{}",
        contact(0, "registered", 3600)
    );
    let implicit = format!(
        "<registration aor=\"{TEL}\" id=\"r1\" state=\"active\"><contact id=\"r1{}",
        contact(0, "created", 3600)
    );
    assert!(
        first.contains(&explicit) && first.contains(&implicit),
        "{first}"
    );

    host.now = host.now.after(600_000);
    host.learn(&Registration {
        cseq: 11,
        ..Registration::default()
    });
    let second = document(&mut host);
    assert_eq!(count(&second, &contact(0, "refreshed", 3600)), 2);
    assert!(second.contains("version=\"1\""));
    assert!(host.ticks().is_empty(), "one change, one NOTIFY (RN-3)");
}

/// [SD-7] The expiry is that of this contact in the 2xx: parameter, then header (T22).
#[test]
fn granted() {
    let contact = format!("<{CONTACT}>;{INSTANCE};reg-id=1");
    for (granted, expected) in [
        (vec![format!("{contact};expires=100")], Some(100)),
        (
            vec![
                "<sip:other@x>;expires=600000".into(),
                format!("{contact};expires=100"),
            ],
            Some(100),
        ),
        (vec![format!("<{CONTACT}>;expires=50")], Some(50)),
        (
            vec![
                format!("<{CONTACT}>;reg-id=2;expires=50"),
                format!("{contact};expires=60"),
            ],
            Some(60),
        ),
        (vec![contact.clone()], Some(3600)),
        (vec![], None),
    ] {
        let mut host = Host::new(config());
        host.learn(&Registration {
            granted: granted.clone(),
            ..Registration::default()
        });
        assert_eq!(
            host.node.is_registered(PUBLIC.as_bytes()),
            expected.is_some(),
            "{granted:?}"
        );
        if let Some(expected) = expected {
            assert!(host.run(expected * 1000 - 1).is_empty());
            assert_eq!(host.run(1).len(), 1);
        }
    }
}

/// [SD-7] Identities are found in whatever form they come.
#[test]
fn identities() {
    let host = Host::registered();
    for known in [
        PUBLIC,
        TEL,
        "sip:user1_public1@HOME1.example.net:5060;user=phone",
        "sip:%75ser1_public1@home1.example.net",
        "tel:+1-212-555-1111",
    ] {
        assert!(host.node.is_registered(known.as_bytes()), "{known}");
    }
    for other in [
        "sip:User1_public1@home1.example.net",
        "sip:user1_public1@home2.example.net",
        "tel:+12125551112",
        "sip:home1.example.net",
        "x",
    ] {
        assert!(!host.node.is_registered(other.as_bytes()), "{other}");
    }
}

/// [SD-7] Without P-Associated-URI the set is To.
#[test]
fn one_identity() {
    let mut host = Host::new(config());
    host.learn(&Registration {
        associated: vec![],
        ..Registration::default()
    });
    assert!(host.node.is_registered(PUBLIC.as_bytes()));
    assert!(!host.node.is_registered(TEL.as_bytes()));
    let (_, notify) = host.subscribe();
    assert_eq!(count(notify.bytes(), "<registration "), 1);
}

/// [SD-7] A barred identity registers the set and is never shown.
#[test]
fn barred() {
    let temporary = "sip:001011234567890@ims.mnc001.mcc001.3gppnetwork.org";
    let mut host = Host::new(config());
    host.learn(&Registration {
        to: temporary,
        ..Registration::default()
    });
    assert!(host.node.is_registered(temporary.as_bytes()));
    let (_, notify) = host.subscribe();
    assert!(!notify.bytes().contains("001011234567890"));
    assert_eq!(count(notify.bytes(), &contact(0, "created", 3600)), 2);
    let mut own = subscribe().replace("subscriber-1", "own");
    own = own.replace(
        "P-Asserted-Identity: <sip:pcscf1.visited1.example.net:5070>",
        &format!("P-Asserted-Identity: <{temporary}>"),
    );
    assert_eq!(host.receive(own)[0].status(), 403);
    host.learn(&Registration {
        to: temporary,
        cseq: 11,
        ..Registration::default()
    });
    assert!(!document(&mut host).contains("001011234567890"));
}

/// [SD-7] Identities come and go with what a 2xx associates; a number is never given to another, and one that comes
/// back has its own again (RFC 3680 5.1.1).
#[test]
fn identities_of_the_2xx() {
    let mut host = Host::registered();
    host.subscribe();
    let new = "sip:new@home1.example.net";
    host.learn(&Registration {
        cseq: 11,
        associated: vec![PUBLIC, new],
        ..Registration::default()
    });
    let changed = document(&mut host);
    assert!(
        changed.contains(&format!(
            "<registration aor=\"{TEL}\" id=\"r1\" state=\"terminated\"><contact id=\"r1{}",
            contact(0, "rejected", 0)
        )),
        "{changed}"
    );
    assert!(changed.contains(&format!(
        "<registration aor=\"{new}\" id=\"r2\" state=\"active\">"
    )));
    assert!(!host.node.is_registered(TEL.as_bytes()));
    assert!(host.node.is_registered(new.as_bytes()));

    host.learn(&Registration {
        cseq: 12,
        associated: vec![PUBLIC, new, TEL],
        ..Registration::default()
    });
    let back = document(&mut host);
    assert!(
        !back.contains("terminated"),
        "already reported (RN-3): {back}"
    );
    assert!(back.contains(&format!("aor=\"{TEL}\" id=\"r1\" state=\"active\"")));
}

/// [SD-7, T19, T23] A changed URI of a flow ends one contact and begins another.
#[test]
fn changed_contact() {
    let moved = "sip:192.0.2.99";
    for (params, listed, terminated) in [
        (format!(";{INSTANCE};reg-id=1"), false, true),
        (format!(";{INSTANCE};reg-id=1"), true, true),
        (format!(";{INSTANCE}"), false, true),
        (format!(";{INSTANCE}"), true, false),
        (String::new(), false, false),
    ] {
        let mut host = Host::new(config());
        host.learn(&Registration::of(CONTACT, &params));
        host.subscribe();
        let mut registration = Registration {
            cseq: 11,
            ..Registration::of(moved, &params)
        };
        if listed {
            registration
                .granted
                .push(format!("<{CONTACT}>{params};expires=3000"));
        }
        host.learn(&registration);
        let document = document(&mut host);
        assert_eq!(
            count(&document, &contact(0, "unregistered", 0)),
            if terminated { 2 } else { 0 },
            "{params} {listed}: {document}"
        );
        assert_eq!(count(&document, &contact(1, "registered", 3600)), 1);
        assert!(document.contains("state=\"active\">"));
    }
}

/// [SD-7] A REGISTER that removes one contact and keeps another was the host's to answer.
#[test]
fn mixed() {
    let mut host = Host::registered();
    host.subscribe();
    let new = "sip:192.0.2.98";
    let mixed = Registration {
        cseq: 11,
        contacts: vec![
            format!("<{CONTACT}>;{INSTANCE};reg-id=1;expires=0"),
            format!("<{new}>"),
        ],
        granted: vec![format!("<{new}>;expires=3600")],
        ..Registration::default()
    };
    let (verdict, _) = host.receive_from(
        ims_procedures::drive::Source::TrustedCore,
        mixed.request().as_bytes(),
    );
    assert_eq!(verdict, Verdict::NotMine);
    host.learn(&mixed);
    let document = document(&mut host);
    assert_eq!(count(&document, &contact(0, "unregistered", 0)), 2);
    assert_eq!(count(&document, "c1\" state=\"active\""), 2);
}

/// [SD-7] The host answered a user's `*` itself.
#[test]
fn all_removed() {
    let mut host = Host::registered();
    host.subscribe();
    let star = Registration {
        cseq: 11,
        contacts: vec!["*".into()],
        granted: vec![],
        ..Registration::default()
    };
    host.learn(&star);
    assert!(!host.node.is_registered(PUBLIC.as_bytes()));
    let [notify] = host.ticks().try_into().unwrap();
    assert!(notify.bytes().contains("terminated;reason=noresource"));
}

/// [DR-2] What the host shows must be a REGISTER and its 2xx.
#[test]
fn bad_commands() {
    let mut host = Host::new(config());
    let good = Registration::default();
    let (request, response) = (good.request(), good.response());
    let refused = host.learn_bytes(subscribe().as_bytes(), response.as_bytes());
    assert!(matches!(refused, Err(Misuse::BadCommand(_))));
    assert!(matches!(
        host.learn_bytes(b"x", response.as_bytes()),
        Err(Misuse::BadCommand(_))
    ));
    assert!(matches!(
        host.learn_bytes(request.as_bytes(), b"x"),
        Err(Misuse::BadCommand(_))
    ));
    for status in ["401 Unauthorized", "100 Trying"] {
        let other = response.replace("200 Any", status);
        assert_eq!(
            host.learn_bytes(request.as_bytes(), other.as_bytes()),
            Ok(Verdict::NotMine)
        );
    }
    assert_eq!(host.node.sets(), 0);
}

/// [DR-5] Contacts, identities, bytes, users and the document: at the limit, and one past it.
#[test]
fn limits() {
    let mut narrow = config();
    narrow.limits.contacts = 2;
    narrow.limits.identities = 2;
    narrow.limits.users = 1;
    let mut host = Host::new(narrow.clone());
    let third = Registration {
        associated: vec![PUBLIC, TEL, "sip:x@y"],
        ..Registration::default()
    };
    assert_eq!(
        host.learn_bytes(third.request().as_bytes(), third.response().as_bytes()),
        Err(Misuse::TooLarge {
            limit: "identities"
        })
    );
    assert_eq!(host.node.sets(), 0);
    for place in 0..3 {
        let more = Registration::of(&format!("sip:192.0.2.{place}"), "");
        let learned = host.learn_bytes(more.request().as_bytes(), more.response().as_bytes());
        let expected = match place {
            0 | 1 => Ok(Verdict::Handled),
            _ => Err(Misuse::TooLarge { limit: "contacts" }),
        };
        assert_eq!(learned, expected);
    }
    let other = Registration {
        to: "sip:other@home1.example.net",
        associated: vec![],
        ..Registration::default()
    };
    assert_eq!(
        host.learn_bytes(other.request().as_bytes(), other.response().as_bytes()),
        Err(Misuse::NodeFull)
    );

    // The strings of the set: identities, private identity, contact with parameters, Path, Call-ID.
    let bytes = PUBLIC.len()
        + TEL.len()
        + PRIVATE.len()
        + CONTACT.len()
        + PATH.len()
        + format!(";{INSTANCE};reg-id=1").len()
        + "ue-call-1".len();
    let too_large = Err(Misuse::TooLarge {
        limit: "registration_bytes",
    });
    for (limit, expected) in [(bytes, Ok(Verdict::Handled)), (bytes - 1, too_large)] {
        let mut tight = config();
        tight.limits.registration_bytes = limit;
        let mut host = Host::new(tight);
        let one = Registration::default();
        assert_eq!(
            host.learn_bytes(one.request().as_bytes(), one.response().as_bytes()),
            expected
        );
    }

    // Whatever is learnt fits the longest document.
    let mut tight = config();
    tight.limits.xml_bytes = 20_000;
    let mut host = Host::new(tight);
    let mut learned = 0;
    for place in 0..16 {
        let params = format!(";x=\"{}\"", "<>&".repeat(100));
        let more = Registration::of(&format!("sip:192.0.2.{place}"), &params);
        let taken = host.learn_bytes(more.request().as_bytes(), more.response().as_bytes());
        if let Err(misuse) = taken {
            assert_eq!(misuse, Misuse::TooLarge { limit: "xml_bytes" });
        }
        learned += u32::from(taken.is_ok());
    }
    assert!((2..16).contains(&learned), "{learned}");
    let (_, notify) = host.subscribe();
    let body = notify.bytes().split_once("\r\n\r\n").unwrap().1;
    assert!(body.len() <= 20_000);
    assert_eq!(count(body, "<contact "), 2 * learned as usize);
}

/// [RN-2] A user who never stops changing contacts does not grow: what is gone makes room.
#[test]
fn changing_for_ever() {
    let mut config = config();
    config.limits.contacts = 2;
    let mut host = Host::new(config);
    for place in 0..100 {
        let flow = format!(";{INSTANCE};reg-id=1");
        let next = Registration {
            cseq: place,
            ..Registration::of(&format!("sip:192.0.2.{place}"), &flow)
        };
        host.learn(&next);
    }
    host.run(64_000);
    let (_, notify) = host.subscribe();
    assert!(notify.bytes().contains("id=\"r0c99\""));
    assert_eq!(count(notify.bytes(), "<contact "), 2);
}

/// [DR-5] Contacts are counted before anything is done with them: in the REGISTER that is shown, in its 2xx,
/// and in one that removes.
#[test]
fn contacts_counted() {
    let contacts = |count: u32| -> Vec<String> {
        let all: Vec<_> = (0..count).map(|n| format!("<sip:192.0.2.1:{n}>")).collect();
        all.chunks(400).map(|some| some.join(",")).collect()
    };
    let too_many = Err(Misuse::TooLarge { limit: "contacts" });
    for (asked, granted, expected) in [
        (16, 16, Ok(Verdict::Handled)),
        (17, 16, too_many),
        (1, 17, too_many),
        (2_000, 1, too_many),
    ] {
        let mut host = Host::new(config());
        // Contacts that the 2xx does not list are not bound.
        let (request, response) = (
            Registration {
                contacts: contacts(asked),
                ..Registration::default()
            },
            Registration {
                granted: contacts(granted),
                ..Registration::default()
            },
        );
        let learned =
            host.learn_bytes(request.request().as_bytes(), response.response().as_bytes());
        assert_eq!(learned, expected, "{asked} {granted}");
    }
    for (count, expected) in [(16, 403), (17, 400), (2_000, 400)] {
        let mut host = Host::registered();
        let many = Registration {
            contacts: contacts(count),
            ..Registration::default()
        };
        let outs = host.receive(many.removal("x", 1));
        let outs = match outs[0] {
            Out::Ask { .. } => host.answer(&outs[0], Answer::Denied),
            _ => outs,
        };
        assert_eq!(outs[0].status(), expected, "{count}");
        assert!(host.node.is_registered(PUBLIC.as_bytes()));
    }
}

/// [SD-7] An emergency contact beside the ordinary one, told apart by `sos` only, is another binding.
#[test]
fn an_emergency_contact_is_another() {
    let mut host = Host::registered_with(config());
    for (call_id, contact) in [
        ("a", "sip:192.0.2.20:5070"),
        ("b", "sip:192.0.2.20:5070;sos"),
    ] {
        host.learn(&Registration {
            call_id,
            ..Registration::of(contact, "")
        });
    }
    let contacts = |host: &Host| -> Vec<String> {
        let contacts = host.node.contacts(PUBLIC.as_bytes());
        contacts
            .map(|c| String::from_utf8_lossy(c).into_owned())
            .collect()
    };
    assert_eq!(contacts(&host).len(), 3, "{:?}", contacts(&host));
}
