//! What a watcher does not keep, and what a refused document leaves: all as it was.

use ims_procedures::{
    drive::{Defect, Limits},
    regevent::{defect, watcher::Watcher},
    reginfo,
};

use crate::support::{Bed, contact, document, registration};

/// Contacts of these numbers, in one registration.
fn contacts(numbers: std::ops::Range<usize>) -> String {
    numbers
        .map(|n| {
            contact(
                &format!("c{n}"),
                "active registered",
                &format!("sip:u@h{n}"),
                "",
            )
        })
        .collect()
}

fn active(aor: &str, inside: &str) -> String {
    registration(aor, aor, "active", inside)
}

fn registrations(numbers: std::ops::Range<usize>) -> String {
    numbers
        .map(|n| active(&format!("sip:a@h{n}"), ""))
        .collect()
}

impl Bed {
    fn refused(&mut self, document: Vec<u8>, defect: &Defect) {
        let before = self.watcher.clone();
        let cseq = self.cseq + 1;
        let refused = self
            .watcher
            .apply(self.now, &document, cseq, &self.limits, self.quirks);
        let reject = refused.unwrap_err();
        assert_eq!((reject.defect, reject.at), (defect, 0));
        assert!(self.watcher == before);
    }

    fn rows(&self) -> (usize, usize) {
        let rows = self.watcher.registrations();
        let contacts = rows.map(|row| row.contacts().len());
        (self.watcher.registrations().len(), contacts.sum())
    }
}

/// [RI-3] [DR-5] As many registrations as the limit allows are kept, one more refuses the document, whether it
/// lists all of them or they come one after the other.
#[test]
fn registrations_at_the_limit_and_past() {
    let most = Limits::default().identities;
    let mut bed = Bed::new();
    bed.refused(
        document("full 0", &registrations(0..most + 1)),
        &defect::TOO_MANY_WATCHED_REGISTRATIONS,
    );
    bed.apply(document("full 0", &registrations(0..most)));
    bed.refused(
        document("partial 1", &active("sip:more@h", "")),
        &defect::TOO_MANY_WATCHED_REGISTRATIONS,
    );
    bed.apply(document("partial 1", &registrations(0..1)));
    assert_eq!(bed.rows(), (most, 0));
}

/// [RI-3] [DR-5] The same for contacts, those of all registrations together.
#[test]
fn contacts_at_the_limit_and_past() {
    let most = Limits::default().watched_contacts;
    assert_eq!(most, 512);
    let mut bed = Bed::new();
    bed.refused(
        document("full 0", &active("sip:a@h", &contacts(0..most + 1))),
        &defect::TOO_MANY_WATCHED_CONTACTS,
    );
    let halves = [contacts(0..most / 2), contacts(most / 2..most)];
    let listed = active("sip:a@h", &halves[0]) + &active("sip:b@h", &halves[1]);
    bed.apply(document("full 0", &listed));
    bed.refused(
        document("partial 1", &active("sip:b@h", &contacts(0..1))),
        &defect::TOO_MANY_WATCHED_CONTACTS,
    );
    bed.apply(document("partial 1", &active("sip:a@h", &contacts(0..1))));
    assert_eq!(bed.rows(), (2, most));
}

/// [RI-3] [DR-5] What goes makes room: a full table is replaced by another full one, and shows both once.
#[test]
fn a_full_table_is_replaced() {
    let mut bed = Bed::new();
    bed.limits.identities = 3;
    bed.limits.watched_contacts = 10;
    let listed = |n: usize| active(&format!("sip:a@h{n}"), &contacts(10 * n..10 * n + 10));
    let all = |n: usize| listed(n) + &registrations(100 + n..102 + n);
    for n in 0..5 {
        bed.apply(document(&format!("full {n}"), &all(2 * n)));
        assert_eq!(bed.rows(), if n == 0 { (3, 10) } else { (6, 20) });
    }
    let gone = registration("sip:a@h8", "sip:a@h8", "terminated", "");
    bed.apply(document("partial 5", &gone));
    assert_eq!(bed.rows(), (3, 10));
    bed.apply(document("partial 6", &listed(9)));
    assert_eq!(bed.rows(), (3, 10));
}

/// [RI-3] [DR-5] Partial documents, each small, do not make a table larger than one document may be; not even by
/// parameters and policy entries that are empty.
#[test]
fn bytes_at_the_limit_and_past() {
    let long = "x".repeat(100);
    let gruus = |n: usize| {
        format!(
            r#"<gr:pub-gruu xmlns:gr="urn:ietf:params:xml:ns:gruuinfo" uri="sip:{long}@h{n}"/><unknown-param
               name="{long}">{long}</unknown-param><display-name xml:lang="{long}">{long}</display-name>"#
        )
    };
    let params = "<unknown-param/>".repeat(30);
    let actions = format!(
        r#"<actions xmlns="urn:3gpp:ns:extRegInfo:1.0">{}</actions>"#,
        "<rph/>".repeat(80)
    );
    let fill: [&dyn Fn(usize) -> String; 3] = [
        &|n| {
            active(
                "sip:a@h",
                &contact(
                    &n.to_string(),
                    "active created",
                    &format!("sip:u{n}"),
                    &gruus(n),
                ),
            )
        },
        &|n| {
            active(
                "sip:a@h",
                &contact(
                    &n.to_string(),
                    "active created",
                    &format!("sip:u{n}"),
                    &params,
                ),
            )
        },
        &|n| active(&format!("sip:{n}@h"), &actions),
    ];
    for listed in fill {
        let mut bed = Bed::new();
        bed.limits.xml_bytes = 4_096;
        let mut taken = 0;
        let refused = loop {
            let document = document(&format!("partial {taken}"), &listed(taken));
            assert!(document.len() < 1_024 && taken < 100);
            let before = bed.watcher.clone();
            let cseq = bed.cseq + 1;
            match bed
                .watcher
                .apply(bed.now, &document, cseq, &bed.limits, bed.quirks)
            {
                Ok(_) => taken += 1,
                Err(reject) => {
                    assert!(bed.watcher == before);
                    break reject;
                }
            }
        };
        assert_eq!(refused.defect, &defect::WATCHED_TOO_LARGE);
        assert!((5..10).contains(&taken), "{taken}");
        bed.limits.xml_bytes = 8_192;
        bed.apply(document(&format!("partial {taken}"), &listed(taken)));
    }
}

/// [RI-3] The bytes of a table that is kept: exactly as many as the limit, and one past it.
#[test]
fn the_last_byte() {
    let listed = |uri: &str| active("sip:a@h", &contact("c", "active created", uri, ""));
    let kept = 2 * "sip:a@h".len() + "c".len();
    for (length, fits) in [(1_000 - kept, true), (1_001 - kept, false)] {
        let mut bed = Bed::new();
        bed.limits.xml_bytes = 1_000;
        let half = "sip:".to_owned() + &"u".repeat(length / 2 - 4);
        let rest = "sip:".to_owned() + &"v".repeat(length - length / 2 - 4);
        bed.apply(document("full 0", &listed(&half)));
        let second = active("", "")
            .replace(r#"id="""#, r#"id="sip:a@h""#)
            .replace(
                "</registration>",
                &(contact("", "active created", &rest, "") + "</registration>"),
            );
        match fits {
            true => assert_eq!(bed.apply(document("partial 1", &second)).changed, 1),
            false => bed.refused(document("partial 1", &second), &defect::WATCHED_TOO_LARGE),
        }
    }
}

/// [RI-3] A document that the reader refuses changes nothing, and the fault stands at its own byte.
#[test]
fn a_document_that_cannot_be_read() {
    let mut bed = Bed::new();
    bed.apply(document("full 0", &active("sip:a@h", &contacts(0..3))));
    let before = bed.watcher.clone();
    let whole = document("full 1", &active("sip:a@h", &contacts(3..6)));
    for length in 0..whole.len() {
        let cut = &whole[..length];
        let refused = bed.watcher.apply(bed.now, cut, 9, &bed.limits, bed.quirks);
        assert_eq!(
            refused.unwrap_err(),
            reginfo::check(cut, &bed.limits).unwrap_err()
        );
        assert!(bed.watcher == before);
    }
    bed.apply(whole);
    assert!(bed.watcher != before);
}

/// [DR-9] No identity shows when a watcher is printed for debugging.
#[test]
fn debugging_shows_no_identity() {
    let mut bed = Bed::new();
    let policy = r#"<e:actions xmlns:e="urn:3gpp:ns:extRegInfo:1.0"><e:pni domain="secret.example"/></e:actions>
        <w:wildcardedIdentity xmlns:w="urn:3gpp:ns:extRegExp:1.0">sip:secret!.*!@h</w:wildcardedIdentity>"#;
    let secret = contact(
        "secret",
        "active registered",
        "sip:secret@192.0.2.1",
        r#"<display-name>secret</display-name><unknown-param name="secret">secret</unknown-param>"#,
    );
    let listed = registration("sip:secret@h", "secret", "active", &(secret + policy));
    bed.apply(document("full 0", &listed));
    bed.apply(document("full 1", ""));
    let shown = format!("{:?}", bed.watcher);
    assert!(
        shown.contains("Omitted") && !shown.contains("secret"),
        "{shown}"
    );
    assert_eq!(format!("{:?}", Watcher::new()).find('@'), None);
}
