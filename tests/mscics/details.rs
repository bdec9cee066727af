//! What a subscriber is registered with: learnt, given, and kept within bounds.

use ims_procedures::{
    drive::{Misuse, Node, Reject, Verdict},
    mscics::{Cause, Command, Config, Details, MscNode, defect, identities},
    wire,
};

use crate::{
    bed::{
        Bed, CONTACT, DEFAULT, DOMAIN, OTHER, PARAMS, PRIVATE, TEMPORARY, identifiers, plain,
        register, register_200, request,
    },
    fixture::{self, Values},
};

const HOME: &str = "sip:ics.mnc015.mcc234.3gppnetwork.org";

/// The details of the fixture, as a host gives them.
fn details() -> Details<'static> {
    Details {
        private_identity: PRIVATE.as_bytes(),
        registered_identity: TEMPORARY.as_bytes(),
        home_domain: HOME.as_bytes(),
        contact: CONTACT.as_bytes(),
        contact_params: PARAMS.as_bytes(),
        path: b"<sip:term@msc1.visited1.example.net:5060;lr>",
        visited_network_id: b"\"Visited Network Number 1\"",
        access_network_info: b"3GPP-UTRAN-FDD;utran-cell-id-3gpp=234151D0FCE11;network-provided",
        expires: 3_600,
        ..Details::default()
    }
}

fn give(bed: &mut Bed, details: Details<'_>) -> Result<Verdict, Misuse> {
    let command = Command::LearnDetails(details);
    bed.node.command(bed.now, command, &mut bed.out)
}

fn learn(bed: &mut Bed, request: &str, response: &str) -> Result<Verdict, Misuse> {
    let command = Command::Learn {
        request: request.as_bytes(),
        response: response.as_bytes(),
    };
    bed.node.command(bed.now, command, &mut bed.out)
}

/// [MS-3] Given by the host, or read from what it exchanged: the REGISTER is the same.
#[test]
fn given() {
    let mut bed = Bed::new(plain());
    assert_eq!(give(&mut bed, details()), Ok(Verdict::Handled));
    assert!(bed.node.is_registered(PRIVATE.as_bytes()));
    let (_, register) = request(&bed.inactive(Cause::Purge));
    fixture::matches("mscics/deregister", &register, &mut Values::new());
}

/// [MS-3] [MS-7] Given by what the IMSI and the IMEI make: the same REGISTER again.
#[test]
fn given_by_imsi_and_imei() {
    let imsi = identities::Imsi::new(b"234150999999999", identities::MncLength::Two).unwrap();
    let instance = identities::instance_id(b"904201560257630").unwrap();
    let params = [
        b";+sip.instance=\"<",
        instance.as_slice(),
        b">\";+g.3gpp.ics=\"server\";+g.3gpp.accesstype=\"cellular1\"",
    ];
    let (private, temporary) = (imsi.private_identity(), imsi.temporary_public_identity());
    let (home, params) = ([b"sip:", &imsi.home_domain()[..]].concat(), params.concat());
    let mut bed = Bed::new(plain());
    let own = Details {
        private_identity: &private,
        registered_identity: &temporary,
        home_domain: &home,
        contact_params: &params,
        ..details()
    };
    assert_eq!(give(&mut bed, own), Ok(Verdict::Handled));
    let (_, register) = request(&bed.inactive(Cause::Purge));
    fixture::matches("mscics/deregister", &register, &mut Values::new());
}

/// [MS-3] What is learnt is learnt of a 2xx to a REGISTER with one contact; a 2xx that grants nothing leaves nothing.
#[test]
fn learnt() {
    let mut bed = Bed::new(plain());
    let (good, answer) = (register(PARAMS, 1), register_200(PARAMS, 1));
    for status in [
        "401 Unauthorized",
        "100 Trying",
        "500 Server Internal Error",
    ] {
        let other = answer.replace("200 OK", status);
        assert_eq!(learn(&mut bed, &good, &other), Ok(Verdict::NotMine));
    }
    let bad = |defect, at| Err(Misuse::BadCommand(Reject::new(defect, at)));
    let subscribe = good.replace("REGISTER", "OPTIONS");
    assert_eq!(
        learn(&mut bed, &subscribe, &answer),
        bad(&defect::NOT_A_REGISTER, 0)
    );
    let contact = format!("Contact: <{CONTACT}>{PARAMS}\r\n");
    for (contacts, found) in [
        (String::new(), good.len() - contact.len() - 2),
        (
            "Contact: *\r\n".to_owned(),
            good.find("Contact: ").unwrap() + 9,
        ),
        (
            format!("{contact}{contact}"),
            good.find("Contact: ").unwrap() + 9,
        ),
    ] {
        let other = good.replace(&contact, &contacts);
        let refused = learn(&mut bed, &other, &answer);
        let Err(Misuse::BadCommand(reject)) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(reject.defect, &defect::ONE_CONTACT);
        assert_eq!(reject.at as usize, found);
    }
    for other in [
        answer.replace("CSeq: 1 REGISTER", "CSeq: 2 REGISTER"),
        answer.replace("CSeq: 1 REGISTER", "CSeq: 1 OPTIONS"),
        answer.replace("Call-ID: a", "Call-ID: A"),
    ] {
        let at = answer.find("CSeq: ").unwrap() + 6;
        assert_eq!(
            learn(&mut bed, &good, &other),
            bad(&defect::ANOTHER_RESPONSE, at)
        );
    }
    let gone = answer.replace(&format!("{PARAMS};expires=3600"), ";expires=0");
    assert_eq!(learn(&mut bed, &good, &gone), Ok(Verdict::Handled));
    assert_eq!(bed.node.registrations(), 0);
    assert_eq!(learn(&mut bed, &good, &answer), Ok(Verdict::Handled));
    assert_eq!(bed.node.registrations(), 1);
    assert_eq!(bed.node.deadline().unwrap().0, bed.now.after_seconds(3_600));
}

/// [MS-3] [DR-4] What a REGISTER cannot be made of is refused when it is given, and changes nothing.
#[test]
fn unusable() {
    let good = details();
    let bad: [Details<'_>; 22] = [
        Details {
            private_identity: b"",
            ..good
        },
        Details {
            private_identity: b"a\"b@c",
            ..good
        },
        Details {
            private_identity: b"a\r\nX: y",
            ..good
        },
        Details {
            realm: b"a\"",
            ..good
        },
        Details {
            registered_identity: OTHER.as_bytes(),
            ..good
        },
        Details {
            registered_identity: b"",
            ..good
        },
        Details {
            public_identity: b"no uri",
            ..good
        },
        Details {
            home_domain: b"home1.example.net",
            ..good
        },
        Details {
            contact: b"tel:+1",
            ..good
        },
        Details {
            contact_params: b"audio",
            ..good
        },
        Details {
            contact_params: b";+sip.instance=\"<urn:a>\";EXPIRES=3600",
            ..good
        },
        Details {
            contact_params: b";expires",
            ..good
        },
        Details {
            contact_params: b";a,<sip:other@x>",
            ..good
        },
        Details {
            contact_params: b";+sip.instance=\"<urn:a>",
            ..good
        },
        Details {
            contact_params: b";+sip.instance=\"<urn:a>\\\"",
            ..good
        },
        Details {
            contact_params: b";+sip.instance=\"a\";+sip.instance=\"b\"",
            ..good
        },
        Details {
            contact: b"sip:a>;expires=1;b=<sip:b",
            ..good
        },
        Details {
            private_identity: b"a@b\\",
            ..good
        },
        Details {
            realm: b"a\\\\\\",
            ..good
        },
        Details {
            path: b"<sip:a",
            ..good
        },
        Details {
            visited_network_id: b"a\0",
            ..good
        },
        Details {
            access_network_info: b"a\nb",
            ..good
        },
    ];
    let mut bed = Bed::new(plain());
    for (number, bad) in bad.into_iter().enumerate() {
        let refused = give(&mut bed, bad);
        assert!(
            matches!(refused, Err(Misuse::BadCommand(_))),
            "{number}: {refused:?}"
        );
        assert_eq!(bed.node.registrations(), 0);
    }
    assert_eq!(give(&mut bed, good), Ok(Verdict::Handled));
    let refused = give(&mut bed, bad[0]);
    assert!(refused.is_err());
    assert!(
        bed.node.is_registered(PRIVATE.as_bytes()),
        "nothing has changed"
    );
}

/// [DR-5] As many subscribers as the limits say, of as many bytes, and no more.
#[test]
fn limits() {
    let mut config = plain();
    config.limits.users = 1;
    let mut bed = Bed::new(config);
    assert_eq!(give(&mut bed, details()), Ok(Verdict::Handled));
    let other = Details {
        private_identity: b"somebody@else",
        ..details()
    };
    assert_eq!(give(&mut bed, other), Err(Misuse::NodeFull));
    assert_eq!(
        give(&mut bed, details()),
        Ok(Verdict::Handled),
        "a renewal is none more"
    );

    let length = |details: &Details<'_>| {
        let Details {
            private_identity,
            registered_identity,
            home_domain,
            contact,
            contact_params,
            path,
            visited_network_id,
            access_network_info,
            ..
        } = details;
        // The default public identity is the registered one, and the realm the home domain's host.
        [
            private_identity,
            registered_identity,
            registered_identity,
            home_domain,
            &home_domain[4..],
            contact,
            contact_params,
            path,
            visited_network_id,
            access_network_info,
        ]
        .map(<[u8]>::len)
        .into_iter()
        .sum::<usize>()
    };
    let mut config = plain();
    config.limits.registration_bytes = length(&details());
    let mut bed = Bed::new(config.clone());
    assert_eq!(give(&mut bed, details()), Ok(Verdict::Handled));
    config.limits.registration_bytes -= 1;
    let limit = "registration_bytes";
    let mut bed = Bed::new(config);
    assert_eq!(give(&mut bed, details()), Err(Misuse::TooLarge { limit }));
}

/// [DR-9] No identity shows in what is printed of commands, inputs and machines.
#[test]
fn debug() {
    let shown = format!("{:?} {:?}", details(), Command::LearnDetails(details()));
    let registration = ims_procedures::mscics::Registration::new(
        &details(),
        &ims_procedures::drive::Limits::default(),
        ims_procedures::drive::Millis(0),
    );
    let shown = format!("{shown} {registration:?}");
    for secret in ["2341509", "90420156", "msc1"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

/// [DR-10] Another configuration, checked, for what comes; what runs goes on.
#[test]
fn reconfigured() {
    let mut bed = Bed::registered(plain());
    let refused = |change: &dyn Fn(&mut Config), field: &str| {
        let mut config = plain();
        change(&mut config);
        assert_eq!(config.check().unwrap_err().field, field);
        let node = MscNode::new(config, identifiers(1));
        assert_eq!(node.map(|_| ()).unwrap_err().field, field);
    };
    refused(&|config| config.attempts = 0, "attempts");
    refused(&|config| config.attempts = 17, "attempts");
    refused(&|config| config.release_bound = 0, "release_bound");
    refused(&|config| config.retry_interval = 0, "retry_interval");
    refused(&|config| config.answer_bound = 0, "answer_bound");
    refused(&|config| config.turn_bound = 0, "turn_bound");
    refused(&|config| config.limits.users = 1 << 24, "limits.users");
    refused(
        &|config| config.limits.message_bytes = 65_536,
        "limits.message_bytes",
    );
    refused(
        &|config| config.limits.registration_bytes = 8_193,
        "limits.registration_bytes",
    );
    refused(
        &|config| config.entry_points = vec![b"tel:1".to_vec()],
        "entry_points",
    );
    let mut config = plain();
    config.entry_points = vec![b"sip:other.example".to_vec()];
    config.turn_bound = 1;
    bed.node.reconfigure(config).unwrap();
    let out = bed.inactive(Cause::Purge);
    match &out[..] {
        [crate::bed::Out::Request { hops, .. }] => assert_eq!(hops, &["sip:other.example"]),
        other => panic!("{other:?}"),
    }
}

/// [DR-6] A tick too early changes nothing, and time that goes backwards stands still.
#[test]
fn time() {
    let mut bed = Bed::registered(plain());
    let deadline = bed.node.deadline();
    assert_eq!(bed.tick(), []);
    assert_eq!(bed.node.deadline(), deadline);
    bed.now = ims_procedures::drive::Millis(1);
    assert_eq!(bed.tick(), []);
    assert_eq!(bed.node.time_backwards(), 1);
    assert_eq!(bed.node.deadline(), deadline);
}

/// [RE-13] The subscription is in the subscriber's name, to the default public identity.
#[test]
fn subscription() {
    let mut bed = Bed::new(crate::bed::config());
    let (_, subscribe) = request(&bed.register());
    let text = String::from_utf8(subscribe).unwrap();
    assert!(text.starts_with(&format!("SUBSCRIBE {DEFAULT} SIP/2.0\r\n")));
    assert!(text.contains(&format!("\r\nFrom: <{DEFAULT}>;tag=")));
    assert!(text.contains(&format!("\r\nP-Asserted-Identity: <{DEFAULT}>\r\n")));
    assert!(text.contains("\r\nExpires: 3660\r\n"));
    assert_eq!(bed.register(), [], "once");
    assert!(wire::Message::parse(text.as_bytes(), &Default::default()).is_ok());
    assert!(!text.contains(DOMAIN));
}
