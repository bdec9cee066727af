//! [RN-2, RN-3] What the documents say: everything a REGISTER carried, or only what changed.

use std::collections::BTreeMap;

use super::support::*;
use ims_procedures::{
    drive::Limits,
    reginfo::{Contact, ContactState, Document, DocumentState, RegistrationState},
};
use proptest::prelude::*;

fn read(notify: &Out) -> Document {
    let body = notify.bytes().split_once("\r\n\r\n").unwrap().1;
    Document::read(body.as_bytes(), &Limits::default()).unwrap()
}

/// The document of the one NOTIFY that is due, which is answered.
fn next(host: &mut Host, status: u16) -> Document {
    let [notify] = host.ticks().try_into().unwrap();
    host.respond(&notify, status);
    read(&notify)
}

/// The document that a fetch is answered with.
fn fetched(host: &mut Host, asserted: &str) -> Document {
    let fetch = subscribe()
        .replace("Expires: 3660", "Expires: 0")
        .replace("s-call-1", &format!("fetch-{}", host.transactions))
        .replace(
            "P-Asserted-Identity: <sip:pcscf1.visited1.example.net:5070>",
            &format!("P-Asserted-Identity: <{asserted}>"),
        );
    let [accepted, notify] = host.receive(fetch).try_into().unwrap();
    assert_eq!(accepted.status(), 200);
    host.respond(&notify, 200);
    read(&notify)
}

const PCSCF: &str = "sip:pcscf1.visited1.example.net:5070";

/// [RN-2, RI-4] A contact is shown with all that its REGISTER said of it, to the letter.
#[test]
fn all_that_a_register_says() {
    let mut host = Host::new(config());
    host.learn(&Registration {
        call_id: "ue<1>",
        contacts: vec![format!(
            "\"A \\\"B\\\" & C\" <{CONTACT}>;{INSTANCE};q=0.25;reg-id=1;audio;+g.3gpp.x=\"<a&b>\""
        )],
        ..Registration::default()
    });
    let document = fetched(&mut host, PCSCF);
    assert_eq!(document.state, DocumentState::Full);
    let ids: Vec<&str> = document
        .registrations
        .iter()
        .flat_map(|registration| {
            registration
                .contacts
                .iter()
                .map(|contact| contact.id.as_str())
        })
        .collect();
    assert_eq!(ids, ["r0c0", "r1c0"], "T21: one id, one contact");
    for registration in &document.registrations {
        let [contact] = registration.contacts.as_slice() else {
            panic!()
        };
        assert_eq!(contact.uri, CONTACT);
        assert_eq!(contact.display_name.as_deref(), Some("A \"B\" & C"));
        assert_eq!(contact.q.as_deref(), Some("0.25"));
        assert_eq!(contact.callid.as_deref(), Some("ue<1>"));
        assert_eq!(contact.cseq, Some(10));
        assert_eq!(contact.expires, Some(3600));
        let params: Vec<(&str, &str)> = contact
            .params
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(
            params,
            [
                ("+sip.instance", "\"<urn:gsma:imei:90420156-025763-0>\""),
                ("reg-id", "1"),
                ("audio", ""),
                ("+g.3gpp.x", "\"<a&b>\""),
            ]
        );
        assert_eq!((&contact.pub_gruu, &contact.temp_gruu), (&None, &None));
    }
}

/// A REGISTER with a contact whose 2xx gives GRUUs.
fn with_gruus(call_id: &'static str, cseq: u32, temporary: &str, supported: &str) -> [String; 2] {
    let contact = format!("<{CONTACT}>;{INSTANCE}");
    let registration = Registration {
        call_id,
        cseq,
        contacts: vec![format!("{contact};pub-gruu=\"sip:forged@x\"")],
        granted: vec![format!(
            "{contact};pub-gruu=\"{PUBLIC};gr=urn:x\";temp-gruu=\"sip:{temporary}@home1.example.net;gr\";expires=3600"
        )],
        ..Registration::default()
    };
    let request = registration.request();
    let supported = format!("{supported}Content-Length");
    [
        request.replace("Content-Length", &supported),
        registration.response(),
    ]
}

fn learn(host: &mut Host, [request, response]: [String; 2]) {
    host.learn_bytes(request.as_bytes(), response.as_bytes())
        .unwrap();
}

/// The only contact of the default identity.
fn only(document: &Document) -> &Contact {
    let [contact] = document.registrations[0].contacts.as_slice() else {
        panic!("{document:?}")
    };
    contact
}

/// [RN-2, T35] GRUUs are those of the 2xx, shown where the REGISTER said that they are understood; never what
/// the UE claims.
#[test]
fn gruus_if_negotiated() {
    let public = format!("{PUBLIC};gr=urn:x");
    for (header, shown) in [
        ("", false),
        ("Supported: path\r\n", false),
        ("Supported: path, gruu\r\n", true),
        ("k: GRUU\r\n", true),
        ("Require: gruu\r\n", true),
    ] {
        let mut host = Host::new(config());
        learn(&mut host, with_gruus("ue-call-1", 10, "t1", header));
        let document = fetched(&mut host, PUBLIC);
        let contact = only(&document);
        assert_eq!(
            contact.pub_gruu.as_ref(),
            shown.then_some(&public),
            "{header}"
        );
        assert_eq!(contact.temp_gruu.is_some(), shown);
        assert!(
            contact
                .params
                .iter()
                .all(|(name, _)| !name.contains("gruu"))
        );
    }
}

/// [RN-2, RFC 5628 5] A temporary GRUU goes to the user alone, with the CSeq from which on its older ones are
/// still good: that of the first REGISTER of the Call-ID.
#[test]
fn temporary_gruus() {
    let gruu = "Supported: gruu\r\n";
    let mut host = Host::new(config());
    for (call_id, cseq, temporary, first) in [
        ("ue-call-1", 10, "t1", 10),
        ("ue-call-1", 11, "t2", 10),
        ("ue-call-1", 15, "t3", 10),
        ("ue-call-2", 3, "t4", 3),
        ("ue-call-2", 4, "t5", 3),
    ] {
        learn(&mut host, with_gruus(call_id, cseq, temporary, gruu));
        let document = fetched(&mut host, PUBLIC);
        let shown = only(&document).temp_gruu.clone().unwrap();
        assert_eq!(shown.uri, format!("sip:{temporary}@home1.example.net;gr"));
        assert_eq!(shown.first_cseq, Some(first), "{temporary}");
        let document = fetched(&mut host, PCSCF);
        assert!(only(&document).pub_gruu.is_some());
        assert!(only(&document).temp_gruu.is_none());
    }
}

/// [RN-2, SD-7] A wildcarded identity is named, and its address is one that it covers (TS 24.229 7.10.2).
#[test]
fn wildcarded() {
    let wildcard = "sip:chat!.*!@home1.example.net";
    let mut host = Host::new(config());
    host.learn(&Registration {
        associated: vec![PUBLIC, TEL, wildcard, "sip:a!b@home1.example.net"],
        ..Registration::default()
    });
    let document = fetched(&mut host, PCSCF);
    let shown: Vec<_> = document
        .registrations
        .iter()
        .map(|shown| (shown.aor.as_str(), shown.wildcarded_identity.as_deref()))
        .collect();
    assert_eq!(
        shown,
        [
            (PUBLIC, None),
            (TEL, None),
            ("sip:chat@home1.example.net", Some(wildcard)),
            ("sip:a!b@home1.example.net", None),
        ]
    );
}

/// [RN-2, SD-7, T18, T34] As many identities as a set may have, `tel:` and long ones among them: each stands in
/// the document as what it is.
#[test]
fn many_identities() {
    let mut config = config();
    config.limits.registration_bytes = 16_384;
    let long: Vec<String> = (0..30)
        .map(|n| format!("sip:{}{n}@home1.example.net", "u".repeat(200)))
        .collect();
    let mut associated = vec![PUBLIC, TEL];
    associated.extend(
        long.iter()
            .map(|uri| -> &'static str { uri.clone().leak() }),
    );
    let mut host = Host::new(config);
    host.learn(&Registration {
        associated: associated.clone(),
        ..Registration::default()
    });
    let document = fetched(&mut host, PCSCF);
    let shown: Vec<_> = document
        .registrations
        .iter()
        .map(|shown| shown.aor.as_str())
        .collect();
    assert_eq!(shown, associated);
    assert!(
        document
            .registrations
            .iter()
            .all(|shown| shown.contacts.len() == 1)
    );
    // A set of telephone numbers alone (T17).
    let mut host = Host::new(super::support::config());
    host.learn(&Registration {
        to: TEL,
        associated: vec![TEL],
        ..Registration::default()
    });
    let text = subscribe().replace(PUBLIC, TEL);
    let outs = host.receive(text);
    assert_eq!(read(&outs[2]).registrations[0].aor, TEL);
}

/// A node that tells only what changed, with two contacts and one subscriber.
fn partial() -> (Host, Registration, Registration, Out) {
    let mut config = config();
    config.notifier.partial_state = true;
    let mut host = Host::new(config);
    let (one, two) = (
        Registration::of("sip:192.0.2.1", ""),
        Registration::of("sip:192.0.2.2", ""),
    );
    host.learn(&one);
    host.learn(&two);
    let (accepted, notify) = host.subscribe();
    assert_eq!(
        read(&notify).state,
        DocumentState::Full,
        "the answer to a SUBSCRIBE"
    );
    (host, one, two, accepted)
}

/// What a document says, registration by registration: state, contact URIs and events.
fn told(document: &Document) -> Vec<(&str, Vec<(&str, &str)>)> {
    document
        .registrations
        .iter()
        .map(|registration| {
            let contacts = registration.contacts.iter();
            let contacts = contacts.map(|c| (c.uri.as_str(), c.event.unwrap().as_str()));
            (registration.state.as_str(), contacts.collect())
        })
        .collect()
}

/// [RN-2, RN-3] With `partial_state` a change is told as what changed: a contact refreshed, a contact gone, an
/// identity added or removed; each once.
#[test]
fn only_what_changed() {
    let (mut host, one, two, _) = partial();
    host.learn(&Registration {
        cseq: 11,
        ..two.clone()
    });
    let document = next(&mut host, 200);
    assert_eq!(
        (document.state, document.version),
        (DocumentState::Partial, 1)
    );
    let refreshed = ("active", vec![("sip:192.0.2.2", "refreshed")]);
    assert_eq!(told(&document), [refreshed.clone(), refreshed]);

    let gone = Registration {
        cseq: 12,
        contacts: vec!["<sip:192.0.2.1>;expires=0".into()],
        granted: two.granted.clone(),
        ..one
    };
    host.learn(&gone);
    let document = next(&mut host, 200);
    assert_eq!(
        (document.state, document.version),
        (DocumentState::Partial, 2)
    );
    let unregistered = ("active", vec![("sip:192.0.2.1", "unregistered")]);
    assert_eq!(told(&document), [unregistered.clone(), unregistered]);
    let contact = &document.registrations[0].contacts[0];
    assert_eq!(contact.expires, Some(0));

    let new = "sip:new@home1.example.net";
    host.learn(&Registration {
        associated: vec![PUBLIC, new],
        cseq: 13,
        ..two.clone()
    });
    let document = next(&mut host, 200);
    let contact = |event| vec![("sip:192.0.2.2", event)];
    assert_eq!(
        told(&document),
        [
            ("active", contact("refreshed")),
            ("terminated", contact("rejected")),
            ("active", contact("refreshed")),
        ]
    );
    assert_eq!(document.registrations[2].aor, new);

    host.learn(&Registration {
        associated: vec![PUBLIC, new],
        cseq: 14,
        ..two
    });
    let document = next(&mut host, 200);
    assert_eq!(document.state, DocumentState::Partial);
    assert_eq!(told(&document).len(), 2, "the end of TEL was told");
}

/// [RN-2, RN-3] What was refused is not known: the next document says everything, what has ended included.
/// So does the answer to a refresh, and the last one.
#[test]
fn everything_where_needed() {
    let (mut host, one, two, accepted) = partial();
    let gone = Registration {
        cseq: 12,
        contacts: vec!["<sip:192.0.2.1>;expires=0".into()],
        granted: two.granted.clone(),
        ..one
    };
    host.learn(&gone);
    assert_eq!(next(&mut host, 500).state, DocumentState::Partial);
    host.now = host.now.after(4_000);
    let document = next(&mut host, 200);
    assert_eq!((document.state, document.version), (DocumentState::Full, 2));
    let both = vec![
        ("sip:192.0.2.1", "unregistered"),
        ("sip:192.0.2.2", "registered"),
    ];
    assert_eq!(told(&document)[0], ("active", both));

    host.learn(&Registration {
        cseq: 13,
        ..two.clone()
    });
    assert_eq!(
        next(&mut host, 200).state,
        DocumentState::Partial,
        "known again"
    );

    let to = header(accepted.bytes(), "To").unwrap();
    let refresh = subscribe()
        .replace(&format!("To: <{PUBLIC}>"), &format!("To: {to}"))
        .replace("CSeq: 1 ", "CSeq: 2 ");
    let [_, notify] = host.receive(refresh).try_into().unwrap();
    assert_eq!(read(&notify).state, DocumentState::Full);
    // A change while it is out, and the refresh again while that is out.
    host.learn(&Registration {
        cseq: 14,
        ..two.clone()
    });
    let [changed] = host.respond(&notify, 200).try_into().unwrap();
    assert_eq!(read(&changed).state, DocumentState::Partial);
    let again = subscribe()
        .replace(&format!("To: <{PUBLIC}>"), &format!("To: {to}"))
        .replace("CSeq: 1 ", "CSeq: 3 ");
    assert_eq!(host.receive(again).len(), 1);
    let [notify] = host.respond(&changed, 200).try_into().unwrap();
    assert_eq!(read(&notify).state, DocumentState::Full);
    host.respond(&notify, 200);

    host.learn(&Registration {
        cseq: 15,
        contacts: vec!["*".into()],
        granted: vec![],
        ..two
    });
    let document = next(&mut host, 200);
    assert_eq!(document.state, DocumentState::Full);
    assert!(
        document
            .registrations
            .iter()
            .all(|r| r.state == RegistrationState::Terminated)
    );
}

/// [RN-3, DR-5] Where what has ended had to make room before it was told, everything is said instead.
#[test]
fn what_made_room() {
    let mut config = config();
    config.notifier.partial_state = true;
    config.limits.contacts = 2;
    let mut host = Host::new(config);
    let at = |place: u32| Registration {
        cseq: 10 + place,
        ..Registration::of(
            &format!("sip:192.0.2.{place}"),
            &format!(";{INSTANCE};reg-id=1"),
        )
    };
    host.learn(&at(0));
    host.subscribe();
    host.learn(&at(1));
    assert_eq!(next(&mut host, 200).state, DocumentState::Partial);
    // Both changes before one NOTIFY: of three contacts only two have a place.
    host.learn(&at(2));
    host.learn(&at(3));
    let document = next(&mut host, 200);
    assert_eq!(document.state, DocumentState::Full);
    host.learn(&at(4));
    assert_eq!(next(&mut host, 200).state, DocumentState::Partial);
}

/// What a subscriber knows: by ids, the address of each registration, and the contacts of each.
#[derive(Debug, Default, PartialEq)]
struct Table(BTreeMap<String, (String, BTreeMap<String, String>)>);

impl Table {
    /// RFC 3680 5.2: a full document is all there is, a partial one goes into what was known.
    fn take(&mut self, document: &Document) {
        if document.state == DocumentState::Full {
            self.0.clear();
        }
        for registration in &document.registrations {
            let row = self.0.entry(registration.id.clone()).or_default();
            row.0.clone_from(&registration.aor);
            for contact in &registration.contacts {
                match contact.state {
                    ContactState::Active => {
                        let shown = format!("{} {:?}", contact.uri, contact.cseq);
                        row.1.insert(contact.id.clone(), shown);
                    }
                    ContactState::Terminated => _ = row.1.remove(&contact.id),
                }
            }
            if registration.state == RegistrationState::Terminated {
                self.0.remove(&registration.id);
            }
        }
    }
}

/// What happens to a set.
#[derive(Clone, Copy, Debug)]
enum Act {
    Register(u32),
    Remove(u32),
    Identities(u8),
    Wait,
    /// NOTIFYs that are due are sent, and answered so.
    Tell(u16),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => (0u32..3).prop_map(Act::Register),
        2 => (0u32..3).prop_map(Act::Remove),
        2 => (0u8..8).prop_map(Act::Identities),
        1 => Just(Act::Wait),
        4 => prop_oneof![3 => Just(200u16), 1 => Just(503)].prop_map(Act::Tell),
    ];
    prop::collection::vec(act, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// [RN-2, RN-3] Whatever happens, and whichever NOTIFYs are refused: a subscriber who puts together what it
    /// took knows in the end what a full document says.
    #[test]
    fn put_together(acts in acts(), contacts in 2usize..5) {
        const IDENTITIES: [&str; 3] = [TEL, "sip:b@home1.example.net", "tel:+49301"];
        let mut config = config();
        config.notifier.partial_state = true;
        config.notifier.attempts = u8::MAX;
        config.limits.contacts = contacts;
        let mut host = Host::new(config);
        // One contact that stays, so that the subscription does.
        let mut associated = vec![PUBLIC, TEL];
        host.learn(&Registration { cseq: 1, ..Registration::of("sip:192.0.2.99", "") });
        let (_, first) = host.subscribe();
        let mut table = Table::default();
        table.take(&read(&first));
        let end = [Act::Tell(200), Act::Wait, Act::Tell(200)];
        for (cseq, act) in (2..).zip(acts.into_iter().chain(end)) {
            match act {
                Act::Register(n) => {
                    let one = Registration {
                        cseq,
                        associated: associated.clone(),
                        ..Registration::of(&format!("sip:192.0.2.{n}"), "")
                    };
                    let _ = host.learn_bytes(one.request().as_bytes(), one.response().as_bytes());
                }
                Act::Remove(n) => {
                    host.learn(&Registration {
                        cseq,
                        associated: associated.clone(),
                        contacts: vec![format!("<sip:192.0.2.{n}>;expires=0")],
                        granted: vec![],
                        ..Registration::default()
                    });
                }
                Act::Identities(which) => {
                    associated = vec![PUBLIC];
                    let chosen = (0..3).filter(|place| which >> place & 1 == 1);
                    associated.extend(chosen.map(|place| IDENTITIES[place]));
                    host.learn(&Registration {
                        cseq,
                        associated: associated.clone(),
                        ..Registration::of("sip:192.0.2.99", "")
                    });
                }
                Act::Wait => host.now = host.now.after(130_000),
                Act::Tell(status) => {
                    let mut due = host.ticks();
                    while let Some(notify) = due.pop() {
                        prop_assert!(notify.is_notify());
                        if status == 200 {
                            table.take(&read(&notify));
                        }
                        due.extend(host.respond(&notify, status));
                    }
                }
            }
        }
        let mut known = Table::default();
        known.take(&fetched(&mut host, PCSCF));
        prop_assert_eq!(table, known);
    }
}
