//! A document that lists the rows of a table as they stand is merged without building it; one that does not is
//! built from what was heard of it. Both must come to the same: whatever a document says, the table after it does
//! not depend on whether something else stands in it too.

use ims_procedures::{
    drive::{Buffer, Limits, Millis},
    regevent::watcher::{Change, Quirks, RegistrationRow, Watcher},
    reginfo::{
        Contact, ContactEvent, ContactState, Document, DocumentState, PolicyAction, Registration,
        RegistrationState, TempGruu,
    },
};
use proptest::{option, prelude::*, sample::select};

const STRANGER: &str = "sip:stranger@home1.example.net";

fn contact(number: usize) -> impl Strategy<Value = Contact> {
    let state = select(vec![ContactState::Active, ContactState::Terminated]);
    let event = option::of(select(ContactEvent::ALL.to_vec()));
    let numbers = (0..3_u64, option::of(0..2_u64), option::of(0..2_u64));
    // Most documents change nothing of these.
    let texts = prop::bool::weighted(0.1);
    (state, event, numbers, texts).prop_map(
        move |(state, event, (expires, cseq, first_cseq), other)| Contact {
            id: format!("c{number}"),
            state,
            event,
            uri: format!("sip:[2001:db8::{number}]:1357"),
            display_name: Some("User & Co".to_owned()),
            display_name_lang: (!other).then(|| "en".to_owned()),
            expires: Some(expires),
            retry_after: cseq,
            duration_registered: cseq.map(|seconds| seconds + 7),
            q: other.then(|| "0.5".to_owned()),
            callid: Some("call".to_owned()),
            cseq,
            params: vec![("+sip.instance".to_owned(), "\"<urn:x>\"".to_owned())],
            pub_gruu: Some("sip:user@home1.example.net;gr=x".to_owned()),
            temp_gruu: Some(TempGruu {
                uri: "sip:tgruu@home1.example.net;gr".to_owned(),
                first_cseq,
            }),
        },
    )
}

/// Of two, each there or not.
fn contacts() -> impl Strategy<Value = Vec<Contact>> {
    let there = || prop::bool::weighted(0.9);
    ((contact(0), there()), (contact(1), there())).prop_map(|(one, other)| {
        let both = [one, other].into_iter();
        both.filter_map(|(contact, there)| there.then_some(contact))
            .collect()
    })
}

fn registration(number: usize) -> impl Strategy<Value = Registration> {
    let state = select(vec![
        RegistrationState::Active,
        RegistrationState::Active,
        RegistrationState::Init,
        RegistrationState::Terminated,
    ]);
    let rare = || prop::bool::weighted(0.1);
    (state, contacts(), rare(), rare()).prop_map(move |(state, contacts, wildcard, policy)| {
        Registration {
            aor: format!("sip:user{number}@home1.example.net"),
            id: format!("r{number}"),
            state,
            contacts,
            wildcarded_identity: wildcard.then(|| "sip:!.*!@home1.example.net".to_owned()),
            policy: policy.then(|| vec![PolicyAction::PrivilegedSender]),
        }
    })
}

fn document() -> impl Strategy<Value = Document> {
    let state = select(vec![DocumentState::Full, DocumentState::Partial]);
    let there = || prop::bool::weighted(0.9);
    let both = ((registration(0), there()), (registration(1), there()));
    (state, both).prop_map(|(state, (one, other))| Document {
        version: 0,
        state,
        registrations: [one, other]
            .into_iter()
            .filter_map(|(registration, there)| there.then_some(registration))
            .collect(),
    })
}

fn written(document: &Document) -> Vec<u8> {
    let mut buffer = Buffer::new(65_535);
    document.write(&mut buffer).unwrap();
    buffer.as_slice().to_vec()
}

fn apply(table: &mut Watcher, document: &Document, limits: &Limits) -> Result<usize, String> {
    let number = document.version;
    let now = Millis(u64::from(number / 2) * 1_000);
    let applied = table.apply(now, &written(document), number, limits, Quirks::default());
    applied
        .map(|applied| applied.changed)
        .map_err(|reject| reject.to_string())
}

/// A registration that is in no table, and that no table keeps.
fn stranger() -> Registration {
    Registration {
        aor: STRANGER.to_owned(),
        id: "stranger".to_owned(),
        state: RegistrationState::Terminated,
        contacts: Vec::new(),
        wildcarded_identity: None,
        policy: None,
    }
}

/// The rows as they compare, without the stranger's.
fn rows(table: &Watcher) -> Vec<&RegistrationRow> {
    let rows = table.registrations();
    rows.filter(|row| row.aor != STRANGER).collect()
}

proptest! {
    /// [RI-3] Whatever else the documents list, the rows and what changed of them are the same.
    #[test]
    fn a_stranger_changes_nothing(
        documents in prop::collection::vec((document(), 0..3_usize), 1..6)
    ) {
        let limits = Limits::default();
        let (mut alone, mut beside) = (Watcher::new(), Watcher::new());
        for (number, (mut document, place)) in (0..).zip(documents) {
            document.version = number;
            let changed = apply(&mut alone, &document, &limits).unwrap();
            let place = place.min(document.registrations.len());
            document.registrations.insert(place, stranger());
            let with_stranger = apply(&mut beside, &document, &limits).unwrap();
            prop_assert_eq!(rows(&alone), rows(&beside));
            let mut listed = alone.registrations();
            if listed.any(|row| row.change != Some(Change::Omitted)) {
                prop_assert_eq!(alone.all_terminated(), beside.all_terminated());
            }
            let news = beside
                .registrations()
                .filter(|row| row.aor == STRANGER && row.change.is_some());
            prop_assert_eq!(changed + news.count(), with_stranger);
        }
    }

    /// [RI-3, DR-5] Rows that stand as they are count against the limits as others do, and a document that is
    /// refused changes nothing.
    #[test]
    fn rows_as_they_stand_count(mut document in document(), most in 0..5_usize) {
        document.state = DocumentState::Full;
        let mut limits = Limits::default();
        let mut table = Watcher::new();
        apply(&mut table, &document, &limits).unwrap();
        let before = table.clone();
        document.version = 1;
        limits.watched_contacts = most;
        let contacts: usize = document.registrations.iter().map(|r| r.contacts.len()).sum();
        let applied = apply(&mut table, &document, &limits);
        prop_assert_eq!(applied.is_err(), contacts > limits.watched_contacts);
        if applied.is_err() {
            prop_assert_eq!(table, before);
        }
    }
}
