//! What real notifiers did to watchers.

use ims_procedures::regevent::watcher::{Taking, Watcher};

use crate::support::{Bed, contact, document, fixture, registration, shown};

const A: &str = "sip:a@h";
const U1: &str = "sip:u@192.0.2.1";
const U2: &str = "sip:u@192.0.2.2";

/// A full or partial document about the contacts of one active registration.
fn active(head: &str, contacts: &[String]) -> Vec<u8> {
    document(head, &registration(A, "r", "active", &contacts.concat()))
}

fn registered(id: &str, uri: &str) -> String {
    contact(id, "active registered", uri, "")
}

/// [RI-3] T08: a full document that leaves a contact out removes it; a partial one keeps it.
#[test]
fn t08_a_contact_left_out() {
    let both = [registered("1", U1), registered("2", U2)];
    let mut bed = Bed::new();
    bed.apply(active("full 0", &both));
    bed.check(
        active("partial 1", &[contact("2", "active refreshed", U2, "")]),
        &[
            "= sip:a@h r active",
            "  ~ 2 active refreshed sip:u@192.0.2.2",
            "  = 1 active registered sip:u@192.0.2.1",
        ],
    );
    bed.check(
        active("full 2", &[contact("2", "active refreshed", U2, "")]),
        &[
            "= sip:a@h r active",
            "  = 2 active refreshed sip:u@192.0.2.2",
            "  - 1 active registered sip:u@192.0.2.1",
        ],
    );
    bed.check(
        active("partial 3", &[]),
        &[
            "= sip:a@h r active",
            "  = 2 active refreshed sip:u@192.0.2.2",
        ],
    );
}

/// [RI-3] T09: a terminated contact needs no `expires`; one that is active without it does not expire, as far as
/// is known.
#[test]
fn t09_no_expires() {
    let mut bed = Bed::new();
    bed.apply(fixture("event_registered.xml"));
    bed.check(
        document(
            "partial 2",
            &registration(
                "sip:a@example.org",
                "a1",
                "active",
                &contact("c1", "terminated unregistered", "sip:a@192.0.2.1", ""),
            ),
        ),
        &[
            "= sip:a@example.org a1 active",
            "  x c1 terminated unregistered sip:a@192.0.2.1",
        ],
    );
    let again = contact("c1", "active refreshed", "sip:a@192.0.2.1", "");
    let again = registration("sip:a@example.org", "a1", "active", &again);
    bed.check(
        document("partial 3", &again),
        &[
            "= sip:a@example.org a1 active",
            "  + c1 active refreshed sip:a@192.0.2.1",
        ],
    );
}

/// [RI-3] T10: whatever event says so, the wrong one too, a terminated contact of a terminated registration is
/// gone.
#[test]
fn t10_the_wrong_event() {
    for event in ["expired", "registered", "novel"] {
        let mut bed = Bed::new();
        bed.apply(active("full 0", &[registered("1", U1)]));
        let gone = contact("1", &format!("terminated {event}"), U1, "");
        let applied = bed.apply(document(
            "full 1",
            &registration(A, "r", "terminated", &gone),
        ));
        assert!(applied.all_terminated);
        let event = if event == "novel" { "?" } else { event };
        assert_eq!(
            shown(&bed.watcher),
            format!("x sip:a@h r terminated\n  x 1 terminated {event} sip:u@192.0.2.1\n")
        );
    }
}

/// [RI-3] T11: shortened, then put on probation, then rejected: the time that is left, the time to wait, and no
/// news where there is none.
#[test]
fn t11_shortened_probation_rejected() {
    let mut bed = Bed::new();
    bed.apply(fixture("event_refreshed.xml"));
    bed.check(
        fixture("event_shortened.xml"),
        &[
            "= sip:a@example.org a1 active",
            "  ~ c1 active shortened sip:a@192.0.2.1 expires=60 until=70",
        ],
    );
    bed.check(
        fixture("event_probation.xml"),
        &[
            "x sip:a@example.org a1 terminated",
            "  x c1 terminated probation sip:a@192.0.2.1 expires=0 retry-after=300",
        ],
    );
    let rejected = contact("c1", "terminated rejected", "sip:a@192.0.2.1", "");
    let rejected = registration("sip:a@example.org", "a1", "terminated", &rejected);
    bed.check(
        document("full 8", &rejected),
        &[
            "= sip:a@example.org a1 terminated",
            "  = c1 terminated rejected sip:a@192.0.2.1",
        ],
    );
}

/// [RI-3] T12: a registration in state `init` has no contacts, and is not terminated. It may become active, and
/// go back.
#[test]
fn t12_init() {
    let mut bed = Bed::new();
    let applied = bed.apply(fixture("init_registration.xml"));
    assert!(!applied.all_terminated);
    bed.apply(fixture("event_registered.xml"));
    let init = registration("sip:a@example.org", "a1", "init", "");
    for head in ["partial 2", "full 2"] {
        let mut bed = Bed {
            watcher: bed.watcher.clone(),
            cseq: bed.cseq,
            ..Bed::new()
        };
        bed.check(
            document(head, &init),
            &[
                "~ sip:a@example.org a1 init",
                "  x c1 terminated ? sip:a@192.0.2.1",
            ],
        );
    }
    let mut bed = Bed::new();
    let odd = registration("sip:a@h", "r", "init", &registered("1", U1));
    bed.check(
        document("full 0", &odd),
        &[
            "+ sip:a@h r init",
            "  + 1 active registered sip:u@192.0.2.1",
        ],
    );
}

/// [RI-3] T13: active contacts of a terminated registration count as terminated; an active registration may have
/// terminated contacts only; an event does not end an active contact.
#[test]
fn t13_contradictions() {
    let mut bed = Bed::new();
    bed.apply(active("full 0", &[registered("1", U1)]));
    let listed = contact("1", "active refreshed", U1, "") + &registered("2", U2);
    let applied = bed.apply(document(
        "full 1",
        &registration(A, "r", "terminated", &listed),
    ));
    assert!(applied.all_terminated);
    assert_eq!(
        shown(&bed.watcher),
        "x sip:a@h r terminated\n  x 1 terminated refreshed sip:u@192.0.2.1\n  x 2 terminated registered sip:u@192.0.2.2\n"
    );

    let mut bed = Bed::new();
    bed.apply(fixture("event_registered.xml"));
    let applied = bed.apply(fixture("active_registration_all_contacts_terminated.xml"));
    assert!(!applied.all_terminated);
    assert_eq!(
        shown(&bed.watcher),
        "= sip:a@example.org a1 active\n  x c1 terminated expired sip:a@192.0.2.1 expires=0\n"
    );

    let mut bed = Bed::new();
    bed.check(
        fixture("inconsistent_state_event.xml"),
        &[
            "+ sip:user1_public1@home1.net r1 active",
            "  + c1 active rejected sip:192.0.2.2:1357",
        ],
    );
}

/// [RI-3] T16: one identity of the set ends; the others, and with them the table, do not.
#[test]
fn t16_one_identity_of_the_set() {
    let of = |aor, state| registration(aor, aor, state, &registered("1", U1));
    let mut bed = Bed::new();
    bed.apply(document(
        "full 0",
        &(of("sip:a@h", "active") + &of("sip:b@h", "active")),
    ));
    let barred = document("partial 1", &of("sip:b@h", "terminated"));
    assert!(!bed.apply(barred).all_terminated);
    assert_eq!(bed.watcher.registrations().count(), 2);
    let last = document("partial 2", &of("sip:a@h", "terminated"));
    assert!(bed.apply(last).all_terminated);
    assert!(!bed.apply(document("full 3", "")).all_terminated);
}

/// [RI-3] T16: a partial document that overtook the full one knows one identity of the set only. That it ended is not
/// the end of all, and the full one is asked for (T07); nor is it after a restore, or in a new dialog.
#[test]
fn t16_before_the_full_document() {
    let of = |aor, state| registration(aor, aor, state, &registered("1", U1));
    let barred = |version| document(&format!("partial {version}"), &of("sip:b@h", "terminated"));
    let mut bed = Bed::new();
    let applied = bed.apply(barred(1));
    assert_eq!(applied.taking, Taking::Process { gap: true });
    assert!(!applied.all_terminated);
    let mut blob = Vec::new();
    bed.watcher.save(bed.now, &mut blob);
    bed.watcher = Watcher::load(&blob, bed.now).unwrap();
    assert!(!bed.apply(barred(2)).all_terminated);
    bed.apply(document("full 3", &of("sip:a@h", "active")));
    assert!(!bed.apply(barred(4)).all_terminated);
    let last = document("partial 5", &of("sip:a@h", "terminated"));
    assert!(bed.apply(last).all_terminated);
    bed.watcher.restart();
    assert!(!bed.apply(barred(0)).all_terminated);
}

/// [RI-3] T17: a set of telephone numbers only. Visual separators make no other number of the same id.
#[test]
fn t17_telephone_numbers_only() {
    let mut bed = Bed::new();
    bed.apply(fixture("irs_tel_only.xml"));
    let said = |aor, id| {
        registration(aor, id, "active", "")
            + &registration("tel:+15550100013", "t2", "terminated", "")
    };
    bed.check(
        document("partial 1", &said("tel:+1-555-0100-012", "t1")),
        &[
            "~ tel:+1-555-0100-012 t1 active",
            "  = c1 active registered sip:192.0.2.1:6300 expires=3600 until=3600",
            "x tel:+15550100013 t2 terminated",
        ],
    );
}

/// [RI-3] T18: an address of record that is a placeholder, or missing, is an address like another.
#[test]
fn t18_placeholders() {
    let mut bed = Bed::new();
    let of = |aor, state| registration(aor, "r", state, &registered("1", U1));
    bed.check(
        document("full 0", &of("aor", "active")),
        &["+ aor r active", "  + 1 active registered sip:u@192.0.2.1"],
    );
    // Without any, the id says which.
    bed.check(
        document("partial 1", &of("", "terminated")),
        &[
            "x aor r terminated",
            "  x 1 terminated registered sip:u@192.0.2.1",
        ],
    );
}

/// [RI-3] T19: another URI under the same id is another contact; the one before has gone. The same URI, spelt
/// otherwise, is not another.
#[test]
fn t19_the_uri_changes() {
    for head in ["full 1", "partial 1"] {
        let mut bed = Bed::new();
        bed.apply(active("full 0", &[registered("1", "sip:u@example.com")]));
        bed.check(
            active(head, &[registered("1", "sip:u@EXAMPLE.com")]),
            &[
                "= sip:a@h r active",
                "  ~ 1 active registered sip:u@EXAMPLE.com",
            ],
        );
        let head = head.replace('1', "2");
        bed.check(
            active(&head, &[registered("1", U2)]),
            &[
                "= sip:a@h r active",
                "  + 1 active registered sip:u@192.0.2.2",
                "  x 1 terminated ? sip:u@EXAMPLE.com",
            ],
        );
    }
}

/// [RI-3] T20: what is registered for one identity is created for the others of its set; each has its own row.
#[test]
fn t20_implicit_identities() {
    let mut bed = Bed::new();
    let implicit = contact("1", "active created", U1, "");
    let set = registration("sip:a@h", "r1", "active", &registered("1", U1))
        + &registration("tel:+15550100", "r2", "active", &implicit);
    bed.check(
        document("full 0", &set),
        &[
            "+ sip:a@h r1 active",
            "  + 1 active registered sip:u@192.0.2.1",
            "+ tel:+15550100 r2 active",
            "  + 1 active created sip:u@192.0.2.1",
        ],
    );
}

/// [RI-3] T21: the ids of a notifier that names what its memory holds change from one document to the next, and
/// are all the same for what it has removed; the addresses tell.
#[test]
fn t21_pointers_as_ids() {
    let of = |id, state, contacts: &str| registration(A, id, state, contacts);
    let both = registered("0x7f01", U1) + &registered("0x7f02", U2);
    let mut bed = Bed::new();
    bed.apply(document("full 2", &of("0x7f00", "active", &both)));
    // The memory of one has become that of the other.
    let both = registered("0x7f02", U1) + &registered("0x7f01", U2);
    bed.check(
        document("full 3", &of("0x7f09", "active", &both)),
        &[
            "~ sip:a@h 0x7f09 active",
            "  ~ 0x7f02 active registered sip:u@192.0.2.1",
            "  ~ 0x7f01 active registered sip:u@192.0.2.2",
        ],
    );
    let gone = contact("0x1", "terminated expired", U2, "");
    let both = contact("0x1", "terminated expired", U1, "") + &gone;
    bed.check(
        document("full 4", &of("0x7f09", "terminated", &both)),
        &[
            "x sip:a@h 0x7f09 terminated",
            "  x 0x1 terminated expired sip:u@192.0.2.1",
            "  x 0x1 terminated expired sip:u@192.0.2.2",
        ],
    );
}

/// [RI-3] T21: without ids the addresses tell, and without URI the id.
#[test]
fn t21_absent_ids() {
    let mut bed = Bed::new();
    let of = |contact: &str| document_of(r#"<registration aor="sip:a@h" state="active">"#, contact);
    bed.apply(of(
        r#"<contact state="active" event="registered"><uri>sip:u@h1</uri></contact>
           <contact id="2" state="active" event="registered"><uri>sip:u@h2</uri></contact>"#,
    ));
    let ended = r#"<contact state="terminated" event="expired"><uri>sip:u@h1</uri></contact>
           <contact id="2" state="terminated" event="rejected"/>"#;
    let ended = String::from_utf8(of(ended)).unwrap();
    bed.check(
        ended.replace(
            r#"version="0" state="full""#,
            r#"version="1" state="partial""#,
        ),
        &[
            "= sip:a@h  active",
            "  x  terminated expired sip:u@h1",
            "  x 2 terminated rejected sip:u@h2",
        ],
    );
}

fn document_of(registration: &str, inside: &str) -> Vec<u8> {
    document("full 0", &format!("{registration}{inside}</registration>"))
}

/// [RI-3] A contact id stands in several registrations, and in each for a contact of its own.
#[test]
fn ids_repeat_across_registrations() {
    let mut bed = Bed::new();
    let of = |aor, state, uri| {
        registration(
            aor,
            "",
            state,
            &contact("630978", "active created", uri, ""),
        )
    };
    bed.apply(document(
        "full 0",
        &(of(A, "active", U1) + &of("tel:+1", "active", U1)),
    ));
    bed.check(
        document("partial 1", &of("tel:+1", "active", U2)),
        &[
            "= tel:+1  active",
            "  + 630978 active created sip:u@192.0.2.2",
            "  x 630978 terminated ? sip:u@192.0.2.1",
            "= sip:a@h  active",
            "  = 630978 active created sip:u@192.0.2.1",
        ],
    );
}

/// [RI-3] Clearwater gives one registration id to two identities; one of them ends.
#[test]
fn one_id_for_two_identities() {
    let mut bed = Bed::new();
    bed.apply(fixture("clearwater_wildcard_identity.xml"));
    let ended = registration("sip:6505550001@ims.example.net", "T1", "terminated", "");
    bed.check(
        document("partial 1", &ended),
        &[
            "x sip:6505550001@ims.example.net T1 terminated",
            "  x c1 terminated ? sip:a@192.0.2.1:5060;transport=tcp +sip.ice:",
            "= sip:wildcardimpu@wildcard T1 active wildcard=sip:6505550!.*!@ims.example.net",
            "  = c1 active created sip:a@192.0.2.1:5060;transport=tcp +sip.ice:",
        ],
    );
}

/// [RI-3] A wildcarded identity is the same through whichever of its instances a document names it.
#[test]
fn another_instance_of_a_wildcarded_identity() {
    let of = |head, aor, wildcard: &str| {
        let inside = registered("1", U1) + wildcard;
        document(head, &registration(aor, "w", "active", &inside))
    };
    let wildcard = r#"<ere:wildcardedIdentity xmlns:ere="urn:3gpp:ns:extRegExp:1.0">sip:w!.*!@h</ere:wildcardedIdentity>"#;
    let mut bed = Bed::new();
    bed.apply(of("full 0", "sip:w1@h", wildcard));
    bed.check(
        of("full 1", "sip:w2@h", wildcard),
        &[
            "~ sip:w2@h w active wildcard=sip:w!.*!@h",
            "  = 1 active registered sip:u@192.0.2.1",
        ],
    );
    // What a partial document does not repeat stays; a full one says everything.
    bed.check(
        of("partial 2", "sip:w2@h", ""),
        &[
            "= sip:w2@h w active wildcard=sip:w!.*!@h",
            "  = 1 active registered sip:u@192.0.2.1",
        ],
    );
    bed.check(
        of("full 3", "sip:w2@h", ""),
        &[
            "~ sip:w2@h w active",
            "  = 1 active registered sip:u@192.0.2.1",
        ],
    );
}

/// [RI-3] T23: one device, two contacts: the old one is deactivated just after the new one was registered.
#[test]
fn t23_the_old_contact_of_the_device() {
    let instance =
        |urn| format!(r#"<unknown-param name="+sip.instance">"&lt;{urn}&gt;"</unknown-param>"#);
    let own = instance("urn:gsma:imei:86000000-000000-0");
    let mut bed = Bed::new();
    let old = contact("old", "active registered", "sip:u@192.0.2.2:5060", &own);
    let before = registration("sip:+15550100011@ims.example", "a1", "active", &old);
    bed.apply(document("full 0", &before));
    bed.check(
        fixture("airtel_same_instance_deactivated.xml"),
        &[
            "= sip:+15550100011@ims.example a1 active",
            "  + new active registered sip:u@192.0.2.1:5060 expires=3600 until=3610 +sip.instance:\"<urn:gsma:imei:86000000-000000-0>\"",
            "  x old terminated deactivated sip:u@192.0.2.2:5060 expires=0 +sip.instance:\"<urn:gsma:imei:86000000-000000-0>\"",
        ],
    );
}

/// [RI-3] T23: devices or flows that have the same URI are contacts of their own, and one that comes where another
/// was is not the other; where a document does not say which, the URI tells.
#[test]
fn t23_another_device_at_the_same_address() {
    let of = |name: &str, value: &str| {
        format!(r#"<unknown-param name="{name}">{value}</unknown-param>"#)
    };
    for (name, quote) in [("+sip.instance", "\""), ("Reg-Id", "")] {
        let one = of(name, &format!("{quote}1{quote}"));
        let two = of(name, &format!("{quote}2{quote}"));
        let mut bed = Bed::new();
        bed.apply(active(
            "full 0",
            &[contact("1", "active registered", U1, &one)],
        ));
        let table = bed.table(active(
            "full 1",
            &[contact("2", "active registered", U1, &two)],
        ));
        let marks: Vec<_> = table
            .lines()
            .map(|line| &line[..line.len().min(6)])
            .collect();
        assert_eq!(marks, ["= sip:", "  + 2 ", "  - 1 "]);
        let unquoted = of(name, "2");
        let table = bed.table(active(
            "full 2",
            &[contact("3", "active refreshed", U1, &unquoted)],
        ));
        assert_eq!(&table.lines().nth(1).unwrap()[..6], "  ~ 3 ");
        bed.check(
            active("full 3", &[contact("0x1", "terminated expired", U1, "")]),
            &[
                "= sip:a@h r active",
                "  x 0x1 terminated expired sip:u@192.0.2.1",
            ],
        );
    }
}

/// [RI-3] T24: another device of the user ends, be it listed or left out; ours stays.
#[test]
fn t24_another_device_ends() {
    for watch in [
        contact("watch", "terminated expired", U2, ""),
        String::new(),
    ] {
        let phone = registered("phone", U1);
        let mut bed = Bed::new();
        bed.apply(active("full 0", &[phone.clone(), registered("watch", U2)]));
        let applied = bed.apply(active("full 1", &[phone, watch]));
        assert_eq!((applied.changed, applied.all_terminated), (1, false));
        let table = shown(&bed.watcher);
        assert!(table.contains("  = phone active registered sip:u@192.0.2.1\n"));
    }
}

/// [RI-3] T34: more than twenty identities, and URIs of more than 103 bytes.
#[test]
fn t34_many_identities_and_long_uris() {
    let long = "x".repeat(300);
    let set: String = (0..32)
        .map(|n| {
            let aor = format!("sip:{n}{long}@h");
            registration(
                &aor,
                "r",
                "active",
                &registered("1", &format!("sip:{long}@h")),
            )
        })
        .collect();
    let mut bed = Bed::new();
    let applied = bed.apply(document("full 0", &set));
    assert_eq!(applied.changed, 64);
    let applied = bed.apply(document("full 1", &set));
    assert_eq!(applied.changed, 0);
}

/// [RI-3] T35: GRUUs are kept though nobody has asked for them, and replaced with their contact.
#[test]
fn t35_gruus() {
    let gruus = |n| {
        format!(
            r#"<pub-gruu xmlns="urn:ietf:params:xml:ns:gruuinfo" uri="sip:a@h;gr=1"/><temp-gruu
               xmlns="urn:ietf:params:xml:ns:gruuinfo" uri="sip:t{n}@h;gr" first-cseq="{n}"/>"#
        )
    };
    let mut bed = Bed::new();
    bed.apply(active(
        "full 0",
        &[contact("1", "active registered", U1, &gruus(1))],
    ));
    bed.check(
        active("partial 1", &[contact("1", "active refreshed", U1, &gruus(2))]),
        &[
            "= sip:a@h r active",
            "  ~ 1 active refreshed sip:u@192.0.2.1 first-cseq=2 pub-gruu=sip:a@h;gr=1 temp-gruu=sip:t2@h;gr",
        ],
    );
}

/// [RI-3] T63: a document of 200 contacts and more than 16 KiB, then all of its contacts under new ids and in
/// another order.
#[test]
fn t63_two_hundred_contacts() {
    let large = fixture("large_200_contacts.xml");
    assert!(large.len() > 16_384);
    let mut bed = Bed::new();
    assert_eq!(bed.apply(&large).changed, 201);
    let contacts: String = (0..200)
        .rev()
        .map(|n| {
            registered(
                &format!("0x{n}"),
                &format!("sip:pbx@192.0.2.1:{}", 10_000 + n),
            )
        })
        .collect();
    let renamed = registration("sip:pbx@example.org", "p", "active", &contacts);
    let table = bed.table(document("full 1", &renamed));
    assert_eq!(table.matches("  ~ 0x").count(), 200);
    assert_eq!(table.lines().count(), 201);
}

/// [RI-3] Kamailio: after a termination by the HSS the registration is terminated without any contact element;
/// all its contacts have gone, in a partial document too.
#[test]
fn terminated_without_contacts() {
    for head in ["full 1", "partial 1"] {
        let mut bed = Bed::new();
        let both = [registered("1", U1), registered("2", U2)];
        bed.apply(active("full 0", &both));
        let applied = bed.apply(document(head, &registration(A, "r", "terminated", "")));
        assert!(applied.all_terminated);
        assert_eq!(applied.changed, 3);
        assert_eq!(
            shown(&bed.watcher),
            "x sip:a@h r terminated\n  x 1 terminated ? sip:u@192.0.2.1\n  x 2 terminated ? sip:u@192.0.2.2\n"
        );
    }
}

/// [RI-3] What a document repeats of itself counts once: the contacts of all elements of a registration, and of a
/// contact the last.
#[test]
fn repetitions_in_one_document() {
    let mut bed = Bed::new();
    let first = registration(
        A,
        "r",
        "terminated",
        &(registered("1", U1) + &registered("2", U2)),
    );
    let second = contact("1", "active refreshed", U1, "");
    let second = registration(A, "r", "active", &second);
    for head in ["full 0", "partial 1"] {
        bed.apply(document(head, &(first.clone() + &second)));
        let table = shown(&bed.watcher);
        let rows: Vec<_> = table
            .lines()
            .map(|line| line.trim_start().split_at(1).1)
            .collect();
        assert_eq!(
            rows,
            [
                " sip:a@h r active",
                " 2 active registered sip:u@192.0.2.2",
                " 1 active refreshed sip:u@192.0.2.1",
            ]
        );
    }
}

/// [RI-3] A time that does not fit is the end of time.
#[test]
fn an_expiry_beyond_all_time() {
    let mut bed = Bed::new();
    let uri = contact("1", "active registered", U1, "").replace(
        r#"state="active" "#,
        r#"state="active" expires="99999999999999999999" "#,
    );
    bed.apply(active("full 0", &[uri]));
    let row = bed.watcher.registrations().next().unwrap();
    assert_eq!(
        row.contacts().next().unwrap().expires_at.unwrap().0,
        u64::MAX
    );
}
