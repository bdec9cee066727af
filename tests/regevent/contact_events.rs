//! Old bindings and new ones: which event each contact has. The table is that of RFC 3680 4.7.1 with the causes
//! of TS 24.229 and TS 29.228, written here apart from the code.

use ims_procedures::{
    drive::Millis,
    regevent::contact_events::{Cause, Change, Contact, Which, contact_events, implied},
    reginfo::{ContactEvent, ContactState},
};
use proptest::prelude::*;

const URI: &[u8] = b"sip:alice@192.0.2.1:5060";

const CAUSES: [Cause; 6] = [
    Cause::Register,
    Cause::Timer,
    Cause::Deactivation,
    Cause::Rejection,
    Cause::Probation { retry_after: 90 },
    Cause::Reauthentication,
];

fn contact(uri: &[u8]) -> Contact<'_> {
    Contact {
        private_identity: b"alice@home.example",
        uri,
        instance: None,
        reg_id: None,
        call_id: b"call-1",
        cseq: 10,
        expires_at: Millis(3_600_000),
        explicit: true,
    }
}

fn events(
    before: &[Contact<'_>],
    after: &[Contact<'_>],
    cause: Cause,
) -> Vec<(Which, &'static str)> {
    contact_events(before, after, cause)
        .map(|change| (change.contact, change.event.as_str()))
        .collect()
}

/// A contact before and after a change, and what becomes of it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kept {
    Absent,
    Gone,
    New,
    Untouched,
    /// Another REGISTER named it, with the same expiry, an earlier one, or a later one.
    Named(i64),
    /// Only its expiry is another one.
    Moved(i64),
}

/// The table: for every cause and every before and after, the event that is due.
fn due(cause: Cause, kept: Kept, explicit: bool) -> Option<&'static str> {
    let ended = match cause {
        Cause::Register => "unregistered",
        Cause::Timer => "expired",
        Cause::Deactivation => "deactivated",
        Cause::Rejection => "rejected",
        Cause::Probation { .. } => "probation",
        _ => "deactivated",
    };
    match (kept, cause) {
        (Kept::Absent | Kept::Untouched, _) => None,
        (Kept::Gone, _) => Some(ended),
        (Kept::New, Cause::Register) if explicit => Some("registered"),
        (Kept::New, _) => Some("created"),
        (Kept::Named(_) | Kept::Moved(_), Cause::Register) => Some("refreshed"),
        (Kept::Named(0) | Kept::Moved(0), _) => None,
        (Kept::Named(by) | Kept::Moved(by), _) if by < 0 => Some("shortened"),
        (Kept::Named(_) | Kept::Moved(_), _) => Some("refreshed"),
    }
}

/// [RN-2, RN-4, T10, T20] Every cause, with every before and after, explicit and implicit: the event of the
/// table, and what must come with it.
#[test]
fn table() {
    let all = [
        Kept::Absent,
        Kept::Gone,
        Kept::New,
        Kept::Untouched,
        Kept::Named(0),
        Kept::Named(-1),
        Kept::Named(1),
        Kept::Moved(-1),
        Kept::Moved(1),
    ];
    let mut seen = Vec::new();
    for (cause, kept, explicit) in CAUSES
        .into_iter()
        .flat_map(|cause| all.map(|kept| (cause, kept)))
        .flat_map(|(cause, kept)| [true, false].map(|explicit| (cause, kept, explicit)))
    {
        let mut old = contact(URI);
        old.explicit = explicit;
        let mut new = old;
        if let Kept::Named(by) | Kept::Moved(by) = kept {
            new.expires_at = Millis(new.expires_at.0.saturating_add_signed(by));
        }
        if matches!(kept, Kept::Named(_)) {
            new.cseq += 1;
        }
        let before = [old];
        let after = [new];
        let before = match kept {
            Kept::Absent | Kept::New => &before[..0],
            _ => &before,
        };
        let after = match kept {
            Kept::Absent | Kept::Gone => &after[..0],
            _ => &after,
        };
        let changes: Vec<Change> = contact_events(before, after, cause).collect();
        let expected = due(cause, kept, explicit);
        assert_eq!(
            changes.first().map(|change| change.event.as_str()),
            expected,
            "{cause:?} {kept:?} {explicit}"
        );
        assert!(changes.len() < 2);
        for change in changes {
            let is_gone = kept == Kept::Gone;
            let place = match is_gone {
                true => Which::Before(0),
                false => Which::After(0),
            };
            assert_eq!(change.contact, place);
            assert_eq!(change.event.state() == ContactState::Terminated, is_gone);
            // RFC 3680 5.1.2: `probation` says when to come back, and nothing else does.
            let waits = (change.event == ContactEvent::Probation).then_some(90);
            assert_eq!(change.retry_after, waits);
            seen.push(change.event);
        }
    }
    for event in ContactEvent::ALL {
        assert!(seen.contains(&event), "{event:?} never comes");
    }
}

/// [RN-2, T19] A contact whose URI is another one is another contact, whatever its instance and reg-id; one
/// that is only spelled differently is the same.
#[test]
fn another_uri() {
    let flow = |uri| Contact {
        instance: Some(b"<urn:gsma:imei:90420156-025763-0>"),
        reg_id: Some(b"1"),
        ..contact(uri)
    };
    let moved = [
        (Which::Before(0), "unregistered"),
        (Which::After(0), "registered"),
    ];
    for (uri, is_same) in [
        (&b"sip:alice@192.0.2.1:5060"[..], true),
        (b"SIP:alice@192.0.2.1:5060", true),
        (b"sip:%61lice@192.0.2.1:5060", true),
        (b"sip:alice@192.0.2.1", false),
        (b"sip:Alice@192.0.2.1:5060", false),
        (b"sip:alice@192.0.2.2:5060", false),
        (b"sip:alice@192.0.2.1:5060;sos", false),
        (b"sips:alice@192.0.2.1:5060", false),
        (b"tel:+1", false),
        (b"no URI", false),
    ] {
        for (before, after) in [
            (contact(URI), contact(uri)),
            (flow(URI), flow(uri)),
            (flow(URI), contact(uri)),
            (contact(URI), flow(uri)),
        ] {
            let found = events(&[before], &[after], Cause::Register);
            match is_same {
                true => assert!(found.is_empty(), "{}", String::from_utf8_lossy(uri)),
                false => assert_eq!(found, moved, "{}", String::from_utf8_lossy(uri)),
            }
        }
    }
    let odd = contact(b"no URI");
    assert!(events(&[odd], &[odd], Cause::Register).is_empty());
}

/// [RN-2] Instance and reg-id veto where both sides have them; private identities always do.
#[test]
fn who_it_is() {
    let with = |instance: Option<&'static [u8]>, reg_id: Option<&'static [u8]>| Contact {
        instance,
        reg_id,
        ..contact(URI)
    };
    let (one, two) = (Some(&b"1"[..]), Some(&b"2"[..]));
    for (before, after, is_same) in [
        (with(None, None), with(one, one), true),
        (with(one, one), with(None, None), true),
        (with(one, None), with(one, one), true),
        (with(one, one), with(one, one), true),
        (with(one, one), with(two, one), false),
        (with(one, one), with(one, two), false),
        (with(None, one), with(one, two), false),
        (with(two, None), with(one, None), false),
    ] {
        let found = events(&[before], &[after], Cause::Timer);
        let moved = [(Which::Before(0), "expired"), (Which::After(0), "created")];
        assert_eq!(found, if is_same { &moved[..0] } else { &moved });
    }
    let other = Contact {
        private_identity: b"bob@home.example",
        ..contact(URI)
    };
    assert_eq!(events(&[contact(URI)], &[other], Cause::Register).len(), 2);
}

/// [RN-2] Several at once: each has its own event, those that are gone first, in order; two flows at one URI
/// are told apart.
#[test]
fn several() {
    let flow = |reg_id: &'static [u8], cseq| Contact {
        instance: Some(b"i"),
        reg_id: Some(reg_id),
        cseq,
        ..contact(URI)
    };
    let other = |cseq| Contact {
        cseq,
        ..contact(b"sip:alice@192.0.2.9")
    };
    let before = [
        contact(b"sip:gone@192.0.2.3"),
        flow(b"1", 1),
        flow(b"2", 2),
        other(3),
    ];
    let after = [other(3), flow(b"2", 5), contact(b"sip:new@192.0.2.4")];
    assert_eq!(
        events(&before, &after, Cause::Register),
        [
            (Which::Before(0), "unregistered"),
            (Which::Before(1), "unregistered"),
            (Which::After(1), "refreshed"),
            (Which::After(2), "registered"),
        ]
    );
    // One without a flow beside one with: each is itself.
    let before = [contact(URI), flow(b"1", 1)];
    let after = [
        Contact {
            cseq: 11,
            ..contact(URI)
        },
        flow(b"1", 1),
    ];
    let one = [(Which::After(0), "refreshed")];
    assert_eq!(events(&before, &after, Cause::Register), one);
}

/// [RN-2, T20] What `created` is to an identity that came with another one; everything else is the same.
#[test]
fn implicit() {
    for event in ContactEvent::ALL {
        let expected = match event {
            ContactEvent::Registered => ContactEvent::Created,
            other => other,
        };
        assert_eq!(implied(event), expected);
    }
}

/// [DR-9] Nobody can be told from what a contact shows of itself.
#[test]
fn debug_shows_nobody() {
    let shown = format!("{:?}", contact(URI));
    assert!(
        !shown.contains("alice") && !shown.contains("97, 108"),
        "{shown}"
    );
}

proptest! {
    /// [RN-2, DR-5] Any change of as many contacts as a set may have: each contact of either list has at most
    /// one event; what is gone, and nothing else, ends; taking the change back ends what it began.
    #[test]
    fn any_change(
        before in prop::collection::btree_set(0u32..80, 0..64),
        after in prop::collection::btree_set(0u32..80, 0..64),
        named in prop::collection::btree_set(0u32..80, 0..64),
        place in 0..CAUSES.len(),
    ) {
        let uris: Vec<String> = (0..80).map(|n| format!("sip:u{n}@192.0.2.1")).collect();
        let list = |numbers: &std::collections::BTreeSet<u32>, cseq: u32| -> Vec<Contact<'_>> {
            let cseq = |number: &u32| if named.contains(number) { cseq } else { 1 };
            numbers
                .iter()
                .map(|number| Contact { cseq: cseq(number), ..contact(uris[*number as usize].as_bytes()) })
                .collect()
        };
        let (old, new) = (list(&before, 1), list(&after, 2));
        let cause = CAUSES[place];
        let changes: Vec<Change> = contact_events(&old, &new, cause).collect();
        let gone: Vec<Which> = before
            .iter()
            .enumerate()
            .filter(|(_, number)| !after.contains(number))
            .map(|(place, _)| Which::Before(place))
            .collect();
        let news: Vec<Which> = after
            .iter()
            .enumerate()
            .filter(|(_, n)| !before.contains(n) || (named.contains(n) && cause == Cause::Register))
            .map(|(place, _)| Which::After(place))
            .collect();
        let told: Vec<Which> = changes.iter().map(|change| change.contact).collect();
        prop_assert_eq!(told, [gone, news].concat());
        for change in &changes {
            let ends = matches!(change.contact, Which::Before(_));
            prop_assert_eq!(change.event.is_terminating(), ends);
        }
        let back = contact_events(&new, &old, cause).filter(|change| change.event.is_terminating());
        prop_assert_eq!(back.count(), after.difference(&before).count());
    }
}
