//! [SD-7, T36] A profile that the HSS has changed: identities come and go without any REGISTER. And subscriptions
//! that the host ends.

use ims_procedures::{
    drive::{Misuse, Node, Verdict},
    regevent::notifier::{End, Reason},
    regevent::watcher::{Quirks, Watcher},
    reginfo::{ContactEvent, ContactState, Document, DocumentState, RegistrationState},
    scscf::{Command, PublicIdentity, defect},
};

use super::support::*;
use proptest::prelude::*;

const NEW: &str = "sip:new@home1.example.net";
const WILDCARD: &str = "sip:chat-!.*!@home1.example.net";

fn shown(uri: &str) -> PublicIdentity<'_> {
    PublicIdentity {
        uri: uri.as_bytes(),
        barred: false,
    }
}

fn barred(uri: &str) -> PublicIdentity<'_> {
    PublicIdentity {
        barred: true,
        ..shown(uri)
    }
}

fn try_change(
    host: &mut Host,
    of: &str,
    identities: &[PublicIdentity<'_>],
) -> Result<Verdict, Misuse> {
    let command = Command::ChangeProfile {
        public_identity: of.as_bytes(),
        identities,
    };
    let verdict = host.node.command(host.now, command, &mut host.out);
    assert!(
        host.out.is_empty(),
        "a NOTIFY goes out by a step of its own"
    );
    verdict
}

/// The profile of the user of the fixtures is this now.
fn change(host: &mut Host, identities: &[PublicIdentity<'_>]) {
    assert_eq!(try_change(host, PUBLIC, identities), Ok(Verdict::Handled));
}

fn read(notify: &Out) -> Document {
    let (_, body) = notify.bytes().split_once("\r\n\r\n").unwrap();
    Document::read(body.as_bytes(), &config().limits).unwrap()
}

/// The document of the one NOTIFY that is due, answered.
fn told(host: &mut Host) -> Document {
    let [notify] = host.ticks().try_into().unwrap();
    assert!(notify.bytes().contains("\r\nSubscription-State: active;"));
    let document = read(&notify);
    host.respond(&notify, 200);
    document
}

/// Identity, id, state, and the events of its contacts: what a document says.
fn rows(document: &Document) -> Vec<(String, String, RegistrationState, Vec<ContactEvent>)> {
    let rows = document.registrations.iter().map(|registration| {
        for contact in &registration.contacts {
            let ended = contact.state == ContactState::Terminated;
            assert_eq!(contact.expires == Some(0), ended);
        }
        (
            registration.aor.clone(),
            registration.id.clone(),
            registration.state,
            registration
                .contacts
                .iter()
                .filter_map(|contact| contact.event)
                .collect(),
        )
    });
    rows.collect()
}

fn row(
    aor: &str,
    id: &str,
    event: ContactEvent,
) -> (String, String, RegistrationState, Vec<ContactEvent>) {
    let state = match event.state() {
        ContactState::Active => RegistrationState::Active,
        ContactState::Terminated => RegistrationState::Terminated,
    };
    (aor.into(), id.into(), state, vec![event])
}

use ContactEvent::{Created, Refreshed, Registered, Rejected};

/// [SD-7, RN-2, RN-3, T36] The HSS pushes a profile, nobody registers: an identity that is new is registered and
/// its contact `created`, one that is gone is terminated; subscribers are told once, of everything.
#[test]
fn pushed() {
    let mut host = Host::registered();
    host.subscribe();
    change(&mut host, &[shown(PUBLIC), shown(NEW)]);
    let document = told(&mut host);
    assert_eq!(document.state, DocumentState::Full);
    let expected = [
        row(PUBLIC, "r0", Registered),
        row(TEL, "r1", Rejected),
        row(NEW, "r2", Created),
    ];
    assert_eq!(rows(&document), expected);
    assert!(!host.node.is_registered(TEL.as_bytes()));
    assert!(host.node.is_registered(NEW.as_bytes()));
    assert_eq!(host.node.contacts(NEW.as_bytes()).count(), 1);
    assert_eq!(host.node.counters().profiles_changed, 1);
    assert!(host.run(60_000).is_empty());

    // The one that comes back has its id again (RFC 3680 5.1.1); what has been told is not told again.
    change(&mut host, &[shown(PUBLIC), shown(TEL)]);
    let expected = [
        row(PUBLIC, "r0", Registered),
        row(TEL, "r1", Created),
        row(NEW, "r2", Rejected),
    ];
    assert_eq!(rows(&told(&mut host)), expected);
    // The next REGISTER refreshes all.
    host.learn(&Registration {
        cseq: 11,
        ..Registration::default()
    });
    let expected = [row(PUBLIC, "r0", Refreshed), row(TEL, "r1", Refreshed)];
    assert_eq!(rows(&told(&mut host)), expected);
}

/// [RN-3, T36] In a partial document stands what is new, and nothing else; after a refresh, too, the identity that
/// came without one is `created`.
#[test]
fn pushed_partially() {
    let mut config = config();
    config.notifier.partial_state = true;
    let mut host = Host::registered_with(config);
    host.subscribe();
    host.learn(&Registration {
        cseq: 11,
        ..Registration::default()
    });
    told(&mut host);
    change(&mut host, &[shown(PUBLIC), shown(NEW)]);
    let document = told(&mut host);
    assert_eq!(document.state, DocumentState::Partial);
    let expected = [row(TEL, "r1", Rejected), row(NEW, "r2", Created)];
    assert_eq!(rows(&document), expected);
}

/// [SD-7, RN-3, T36] A profile that says what is known, in whatever spelling and however often, is told to nobody.
#[test]
fn nothing_new() {
    let mut host = Host::registered();
    host.subscribe();
    for same in [
        &[shown(PUBLIC), shown(TEL)][..],
        &[shown(TEL), shown(PUBLIC)],
        &[shown(PUBLIC), shown("tel:+1-212-555-1111"), barred(TEL)],
        &[shown("sip:user1_public1@HOME1.example.net"), shown(TEL)],
        &[shown(PUBLIC), shown(TEL), barred(NEW)],
        &[shown(PUBLIC), shown(TEL)],
    ] {
        change(&mut host, same);
        assert!(host.ticks().is_empty(), "{}", same.len());
    }
    // A set to which nobody subscribes changes alike.
    let mut host = Host::registered();
    change(&mut host, &[shown(NEW)]);
    assert!(host.ticks().is_empty());
    assert_eq!(
        try_change(&mut host, PUBLIC, &[shown(PUBLIC)]),
        Ok(Verdict::NotMine)
    );
    assert_eq!(
        try_change(&mut host, NEW, &[shown(PUBLIC)]),
        Ok(Verdict::Handled)
    );
}

/// [SD-7, T16, T36] An identity that is barred from now on is terminated for those who saw it and never shown;
/// not barred any more, it is back under its id. One that was barred all the time is told to nobody.
#[test]
fn barred_and_shown() {
    let mut host = Host::registered();
    host.subscribe();
    change(&mut host, &[barred(PUBLIC), shown(TEL), barred(NEW)]);
    let expected = [row(TEL, "r1", Created), row(PUBLIC, "r0", Rejected)];
    let mut told_rows = rows(&told(&mut host));
    told_rows.sort_by(|a, b| b.1.cmp(&a.1));
    assert_eq!(told_rows, expected);
    for identity in [PUBLIC, TEL, NEW] {
        assert!(host.node.is_registered(identity.as_bytes()), "{identity}");
    }
    // It may register still, and subscribe no more.
    host.learn(&Registration {
        cseq: 11,
        associated: vec![TEL],
        ..Registration::default()
    });
    assert_eq!(rows(&told(&mut host)), [row(TEL, "r1", Refreshed)]);
    host.restart(2);
    change(&mut host, &[shown(PUBLIC), shown(TEL)]);
    let document = told(&mut host);
    assert_eq!(
        rows(&document),
        [row(PUBLIC, "r0", Created), row(TEL, "r1", Refreshed)]
    );
    assert!(!host.node.is_registered(NEW.as_bytes()));
    host.learn(&Registration {
        cseq: 12,
        ..Registration::default()
    });
    assert_eq!(
        rows(&told(&mut host)),
        [row(PUBLIC, "r0", Refreshed), row(TEL, "r1", Refreshed)]
    );
}

/// [SD-7, T36] A wildcarded identity comes with some identity that it covers; the default identity is the first
/// that is not barred, and what the HSS is told at the end has all of them.
#[test]
fn wildcarded() {
    let mut host = Host::registered();
    host.subscribe();
    change(
        &mut host,
        &[barred(TEL), shown(NEW), shown(WILDCARD), shown(PUBLIC)],
    );
    let [notify] = host.ticks().try_into().unwrap();
    host.respond(&notify, 200);
    assert!(
        notify
            .bytes()
            .contains("aor=\"sip:chat-@home1.example.net\""),
        "{notify:?}"
    );
    assert!(
        notify.bytes().contains(&format!(">{WILDCARD}<")),
        "{notify:?}"
    );
    assert!(
        !notify
            .bytes()
            .contains(&format!("aor=\"{TEL}\" id=\"r1\" state=\"active\""))
    );
    let outs = host.receive(register());
    let [assignment] = host
        .answer(&outs[0], ims_procedures::scscf::Answer::Released)
        .try_into()
        .unwrap();
    let Out::Ask {
        ask: Ask::ServerAssignment { public, .. },
        ..
    } = &assignment
    else {
        panic!("{assignment:?}");
    };
    let mut uris: Vec<_> = public.split(',').collect();
    assert_eq!(uris[0], format!("<{NEW}>"));
    uris.sort_unstable();
    let mut all = [NEW, PUBLIC, TEL, WILDCARD].map(|uri| format!("<{uri}>"));
    all.sort_unstable();
    assert_eq!(uris, all);
}

/// [DR-2, T36] Of a user that is not here, or no longer, nothing is changed; what cannot be the identities of a set
/// is said to the host, and changes nothing.
#[test]
fn unusable() {
    let mut host = Host::registered();
    host.subscribe();
    let stranger = try_change(&mut host, "sip:nobody@home1.example.net", &[shown(NEW)]);
    assert_eq!(stranger, Ok(Verdict::NotMine));
    for (unusable, code) in [
        (&[][..], Some(defect::NO_IDENTITY.code)),
        (
            &[barred(PUBLIC), barred(TEL)],
            Some(defect::NO_IDENTITY.code),
        ),
        (
            &[shown(PUBLIC), shown("urn:x:y")],
            Some(defect::NOT_AN_IDENTITY.code),
        ),
        (&[shown(PUBLIC), shown("sip:a b@c")], None),
        (&[shown(PUBLIC), shown("")], None),
        (&[shown(PUBLIC), shown("sip:a@b\r\nX: y")], None),
    ] {
        let Err(Misuse::BadCommand(reject)) = try_change(&mut host, PUBLIC, unusable) else {
            panic!("{unusable:?}");
        };
        assert!(
            code.is_none_or(|code| code == reject.defect.code),
            "{reject}"
        );
    }
    assert!(host.ticks().is_empty());
    assert!(host.node.is_registered(TEL.as_bytes()));
    host.deregister();
    assert_eq!(
        try_change(&mut host, PUBLIC, &[shown(NEW)]),
        Ok(Verdict::NotMine)
    );
    let shown = format!("{:?}", [shown(PUBLIC)]);
    assert!(!shown.contains("user1"), "{shown}");
}

/// [DR-5, T36] As many identities as the limits allow, barred ones among them, again and again; one past it, or more
/// than a document holds, changes nothing.
#[test]
fn limits() {
    let mut narrow = config();
    narrow.limits.identities = 3;
    let mut host = Host::registered_with(narrow);
    host.subscribe();
    let too_large = |limit| Err(Misuse::TooLarge { limit });
    let names: Vec<String> = (0..20)
        .map(|n| format!("sip:n{n}@home1.example.net"))
        .collect();
    for pair in names.windows(2) {
        let full = [shown(PUBLIC), shown(&pair[0]), barred(&pair[1])];
        change(&mut host, &full);
        told(&mut host);
        let past = [
            shown(PUBLIC),
            shown(&pair[0]),
            barred(&pair[1]),
            barred(TEL),
        ];
        assert_eq!(
            try_change(&mut host, PUBLIC, &past),
            too_large("identities")
        );
        assert!(host.ticks().is_empty());
    }
    for name in &names[..18] {
        assert!(!host.node.is_registered(name.as_bytes()));
    }

    let mut narrow = config();
    narrow.limits.xml_bytes = 3_000;
    let mut host = Host::registered_with(narrow);
    let long = format!("sip:{}@home1.example.net", "x".repeat(2_500));
    let longer = [shown(PUBLIC), shown(&long)];
    assert_eq!(
        try_change(&mut host, PUBLIC, &longer),
        too_large("xml_bytes")
    );
    assert!(host.node.is_registered(TEL.as_bytes()));
    assert!(!host.node.is_registered(long.as_bytes()));
}

fn end(host: &mut Host, of: &str, contact: Option<&str>, reason: Reason) -> Verdict {
    let command = Command::EndSubscriptions {
        public_identity: of.as_bytes(),
        contact: contact.map(str::as_bytes),
        reason,
    };
    let verdict = host.node.command(host.now, command, &mut host.out).unwrap();
    assert!(host.out.is_empty());
    verdict
}

/// [RN-4] The host ends all subscriptions to a set, or one: a last NOTIFY with everything and the reason, and an
/// event; the registration stays.
#[test]
fn subscriptions_ended() {
    for reason in [Reason::Deactivated, Reason::Rejected, Reason::Timeout] {
        let mut host = Host::registered();
        assert_eq!(end(&mut host, PUBLIC, None, reason), Verdict::NotMine);
        host.subscribe();
        let second = subscribe()
            .replace("s-call-1", "s-call-2")
            .replace("subscriber-1", "subscriber-2");
        let outs = host.receive(second);
        let notify = outs.last().unwrap();
        host.respond(notify, 200);
        assert_eq!(host.node.subscribers(PUBLIC.as_bytes()), 2);

        let other = "sip:subscriber-3@pcscf1.visited1.example.net:5070";
        assert_eq!(
            end(&mut host, PUBLIC, Some(other), reason),
            Verdict::NotMine
        );
        assert_eq!(end(&mut host, NEW, None, reason), Verdict::NotMine);
        let one = "sip:subscriber-2@pcscf1.visited1.example.net:5070";
        for (contact, left) in [(Some(one), 1), (None, 0)] {
            assert_eq!(end(&mut host, TEL, contact, reason), Verdict::Handled);
            let [notify] = host.ticks().try_into().unwrap();
            let state = format!("terminated;reason={}", reason.as_str());
            assert_eq!(header(notify.bytes(), "Subscription-State"), Some(&*state));
            let document = read(&notify);
            assert_eq!(document.state, DocumentState::Full);
            assert_eq!(rows(&document).len(), 2);
            let ended = host.respond(&notify, 200);
            assert_eq!(ended, [Out::Event(Ev::Ended(End::Terminated(reason)))]);
            assert_eq!(host.node.subscribers(PUBLIC.as_bytes()), left);
        }
        assert!(host.node.is_registered(PUBLIC.as_bytes()));
    }
}

/// How an identity stands in a profile, if it does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stands {
    Not,
    Shown,
    Barred,
}

fn stands() -> impl Strategy<Value = Stands> {
    prop_oneof![Just(Stands::Not), Just(Stands::Shown), Just(Stands::Barred)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    /// [SD-7, RN-2, RN-3, T36] Whatever profiles come one after the other, some NOTIFYs refused: a watcher has what the
    /// last one shows, each identity under one id for ever; a barred one that never was shown is told to nobody; and
    /// nobody is told of nothing.
    #[test]
    fn any_profiles(
        is_partial in any::<bool>(),
        profiles in prop::collection::vec((prop::array::uniform5(stands()), any::<bool>()), 1..12),
    ) {
        const ALL: [&str; 5] = [PUBLIC, TEL, NEW, "sip:b@home1.example.net", "tel:+12125552222"];
        let mut config = config();
        config.notifier.partial_state = is_partial;
        let limits = config.limits;
        let mut host = Host::registered_with(config);
        let (_, first) = host.subscribe();
        let mut watcher = Watcher::new();
        let mut take = |host: &Host, notify: &Out| {
            let (head, body) = notify.bytes().split_once("\r\n\r\n").unwrap();
            let cseq = header(head, "CSeq").unwrap().split(' ').next().unwrap();
            let cseq = cseq.parse().unwrap();
            watcher.apply(host.now, body.as_bytes(), cseq, &limits, Quirks::default()).unwrap();
            let rows = watcher.registrations();
            rows.map(|row| (row.aor.clone(), row.id.clone(), row.is_active())).collect::<Vec<_>>()
        };
        take(&host, &first);
        let mut before = [Stands::Shown, Stands::Shown, Stands::Not, Stands::Not, Stands::Not];
        let mut ids = std::collections::BTreeMap::new();
        let mut seen = before;
        for (profile, is_refused) in profiles {
            let identities: Vec<_> = ALL
                .iter()
                .zip(profile)
                .filter(|(_, stands)| *stands != Stands::Not)
                .map(|(uri, stands)| PublicIdentity {
                    uri: uri.as_bytes(),
                    barred: stands == Stands::Barred,
                })
                .collect();
            let of = ALL.iter().zip(before).find(|(_, stands)| *stands != Stands::Not).unwrap().0;
            let changed = try_change(&mut host, of, &identities);
            if !profile.contains(&Stands::Shown) {
                prop_assert!(matches!(changed, Err(Misuse::BadCommand(_))));
                continue;
            }
            prop_assert_eq!(changed, Ok(Verdict::Handled));
            let is_news = (0..5).any(|n| (before[n] == Stands::Shown) != (profile[n] == Stands::Shown));
            before = profile;
            let outs = host.ticks();
            prop_assert_eq!(outs.len(), usize::from(is_news));
            let Some(mut notify) = outs.into_iter().next() else {
                continue;
            };
            if is_refused {
                prop_assert_eq!(host.respond(&notify, 500), []);
                [notify] = host.run(4_000).try_into().unwrap();
            }
            let rows = take(&host, &notify);
            host.respond(&notify, 200);
            for n in 0..5 {
                if profile[n] == Stands::Shown {
                    seen[n] = Stands::Shown;
                }
                let row = rows.iter().find(|(aor, ..)| aor == ALL[n]);
                let is_active = row.is_some_and(|(.., is_active)| *is_active);
                prop_assert_eq!(is_active, profile[n] == Stands::Shown, "{}", ALL[n]);
                prop_assert!(row.is_none() || seen[n] == Stands::Shown, "{} was never shown", ALL[n]);
                let is_registered = host.node.is_registered(ALL[n].as_bytes());
                prop_assert_eq!(is_registered, profile[n] != Stands::Not);
                if let Some((_, id, _)) = row {
                    prop_assert_eq!(ids.entry(n).or_insert_with(|| id.clone()), id);
                }
            }
        }
    }
}
