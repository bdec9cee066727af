//! Every `notify_*.sip` and `subscribe_*.sip` of the fixtures, in the dialog of a live subscription.

use super::bed::{
    ANEW, Bed, Ev, FLOOR, Out, PROFILES, PUBLIC, REFRESH, Subscribe, config, ended, is_gone,
    registered,
};
use ims_procedures::{
    drive,
    regevent::{
        notification::Termination::{self, *},
        subscriber::{End, Profile, Standing},
    },
};
use std::{collections::BTreeSet, fs, path::PathBuf};

/// What a NOTIFY does to a subscription that was granted 3,660 s, at CSeq 41.
#[derive(Clone, Copy, Debug)]
enum Does {
    /// It is refused with this status, and changes nothing.
    Refused(u16),
    /// The subscription lasts as many seconds as before, or as stated; the document changed so many rows.
    Lasts(u32, u32),
    /// It awaits the notifier's approval.
    Pends(u32),
    /// Every registration is terminated: we unsubscribe.
    Leaves,
    /// Its document cannot be read, and a refresh asks for another.
    Unread,
    /// It is terminated; by RFC 6665 subscribed anew after so many milliseconds, or not.
    Ends(Termination, Option<u64>),
}
use Does::{Ends, Lasts, Leaves, Pends, Refused, Unread};

const NOTIFIES: [(&str, Does); 24] = [
    ("notify_active_no_body", Lasts(3_660, 0)),
    ("notify_before_200", Lasts(3_660, 2)),
    ("notify_content_length_too_short", Unread),
    ("notify_content_type_params", Lasts(3_660, 2)),
    ("notify_cseq_regress", Refused(500)),
    ("notify_event_id", Refused(481)),
    ("notify_event_uppercase", Refused(489)),
    ("notify_network_dereg_sub_active", Leaves),
    ("notify_no_contact", Lasts(3_660, 2)),
    ("notify_no_event", Refused(489)),
    ("notify_pending_no_body", Pends(600)),
    ("notify_sub_expires_garbage", Lasts(3_660, 2)),
    ("notify_sub_expires_longer", Lasts(600_000, 2)),
    ("notify_sub_expires_missing", Lasts(3_660, 2)),
    ("notify_sub_state_unknown", Lasts(10, 2)),
    (
        "notify_terminated_deactivated_retry",
        Ends(Deactivated, Some(0)),
    ),
    ("notify_terminated_giveup", Ends(GiveUp, Some(600_000))),
    ("notify_terminated_invariant", Ends(Invariant, None)),
    ("notify_terminated_no_body", Ends(Timeout, Some(0))),
    ("notify_terminated_noresource", Ends(NoResource, None)),
    (
        "notify_terminated_probation_retry_after",
        Ends(Probation, Some(60_000)),
    ),
    ("notify_unknown_dialog", Refused(481)),
    ("notify_wrong_content_type", Refused(415)),
    ("notify_wrong_to_tag", Refused(481)),
];

/// What a response to the initial SUBSCRIBE does: the seconds granted, or the end.
const RESPONSES: [(&str, Result<u32, u16>); 8] = [
    ("subscribe_200", Ok(1_200)),
    ("subscribe_200_no_expires", Ok(600_060)),
    ("subscribe_202", Ok(3_660)),
    ("subscribe_403", Err(403)),
    ("subscribe_404", Err(404)),
    ("subscribe_408", Err(408)),
    ("subscribe_481", Err(481)),
    ("subscribe_489", Err(489)),
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sip")
}

/// The fixture, with the Request-URI, Call-ID, tag and CSeq of a live dialog where it has those of its own.
fn adapted(name: &str, to: &Subscribe) -> String {
    let text = fs::read_to_string(folder().join(name).with_extension("sip")).unwrap();
    let (line, rest) = text.split_once("\r\n").unwrap();
    let line = line.replace("sip:pcscf1.visited1.example.net", to.target());
    let rest = rest
        .replace("b89rjhnedlrfjflslj40a222", to.call_id())
        .replace("tag=31415", &format!("tag={}", to.tag()))
        .replace("61 SUBSCRIBE", &format!("{} SUBSCRIBE", to.cseq()));
    format!("{line}\r\n{rest}")
}

/// A subscription granted 3,660 s of 600,060 asked for, notified at CSeq 41 by the notifier of the fixtures.
fn subscribed(profile: Profile) -> (Bed, Subscribe) {
    let (mut bed, first) = registered(config(profile), 600_000);
    let response = adapted("subscribe_202", &first);
    let answer = drive::Answer::Response(response.as_bytes());
    assert_eq!(bed.answer(first.token, answer), []);
    let notify = adapted("notify_active_no_body", &first).replace("CSeq: 42", "CSeq: 41");
    assert_eq!(bed.notified(&notify), [Out::Event(Ev::Subscribed(3_660))]);
    (bed, first)
}

fn assert_does(profile: Profile, name: &str, does: Does) {
    let (mut bed, first) = subscribed(profile);
    let before = bed.next();
    let (status, out) = bed.notify(&adapted(name, &first));
    let expected = match does {
        Refused(expected) => expected,
        Unread => 400,
        _ => 200,
    };
    assert_eq!(status, expected, "{name}");
    let row = |bed: &Bed| {
        let mut rows = bed.node.sip_generated_subscription_status(b"");
        rows.next().map(|row| row.ext_expiration_time)
    };
    match does {
        Refused(_) => {
            assert_eq!((out, bed.next()), (vec![], before), "{name}");
            assert_eq!(bed.standing(), Standing::Active);
        }
        Unread => {
            assert_eq!(
                (out, bed.next()),
                (vec![], Some((FLOOR, REFRESH))),
                "{name}"
            );
            assert_eq!(bed.standing(), Standing::Active);
        }
        Lasts(seconds, changed) => {
            let found = out.iter().find_map(|out| match out {
                Out::Event(Ev::State { changed, .. }) => Some(*changed),
                _ => None,
            });
            assert_eq!(found.unwrap_or(0), changed, "{name}");
            assert_eq!(row(&bed), Some(seconds), "{name}");
            assert_eq!(bed.standing(), Standing::Active);
        }
        Pends(seconds) => {
            assert_eq!(row(&bed), Some(seconds), "{name}");
            assert_eq!(bed.standing(), Standing::Pending);
        }
        Leaves => {
            let [Out::Event(Ev::State { .. }), Out::Request(leave)] = &out[..] else {
                panic!("{name}: {out:?}");
            };
            assert_eq!(leave.expires(), 0);
        }
        Ends(why, wait) => {
            let why = End::Terminated(why);
            let last = out.last().unwrap();
            match wait.filter(|_| profile == Profile::Rfc6665) {
                None => {
                    assert_eq!(*last, ended(why)[0], "{name}");
                    assert_eq!(bed.next(), None);
                }
                Some(wait) => {
                    assert_eq!(*last, Out::Event(Ev::Lost(why, wait)), "{name}");
                    assert_eq!(bed.next(), Some((wait, ANEW)));
                }
            }
        }
    }
}

/// [RE-10] Each NOTIFY of the fixtures, in both profiles.
#[test]
fn notifies() {
    for profile in PROFILES {
        for (name, does) in NOTIFIES {
            assert_does(profile, name, does);
        }
    }
}

/// [RE-6] As the first of all, before the 2xx, each NOTIFY that is accepted and not the last one makes the dialog.
#[test]
fn notifies_before_the_2xx() {
    for profile in PROFILES {
        for (name, does) in NOTIFIES {
            let (mut bed, first) = registered(config(profile), 600_000);
            let (status, _) = bed.notify(&adapted(name, &first));
            let (Lasts(..) | Pends(_)) = does else {
                continue;
            };
            assert_eq!(status, 200, "{name}");
            let response = adapted("subscribe_200", &first);
            let answer = drive::Answer::Response(response.as_bytes());
            let out = bed.answer(first.token, answer);
            let stated = match name {
                "notify_sub_expires_missing" | "notify_sub_expires_garbage" => 1_200,
                "notify_sub_expires_longer" => 600_000,
                "notify_sub_state_unknown" => 10,
                "notify_pending_no_body" => 600,
                _ => 3_660,
            };
            assert_eq!(out, [Out::Event(Ev::Subscribed(stated))], "{name}");
            if stated < 32 {
                continue;
            }
            let refresh = Subscribe::only(&bed.fire(REFRESH));
            let target = match name {
                "notify_no_contact" => PUBLIC,
                _ => "sip:scscf1.home1.example.net",
            };
            assert_eq!(
                refresh.line("SUBSCRIBE"),
                format!("SUBSCRIBE {target} SIP/2.0")
            );
            let route =
                (name == "notify_before_200").then_some("Route: <sip:icscf1.home1.example.net;lr>");
            assert_eq!(refresh.has("Route:"), route, "{name}");
        }
    }
}

/// [RE-6, RE-8] Each response of the fixtures to the initial SUBSCRIBE, in both profiles.
#[test]
fn responses() {
    for profile in PROFILES {
        for (name, does) in RESPONSES {
            let (mut bed, first) = registered(config(profile), 600_000);
            let response = adapted(name, &first);
            let answer = drive::Answer::Response(response.as_bytes());
            let out = bed.answer(first.token, answer);
            match does {
                Err(status) => assert_eq!(out, ended(End::Refused { status }), "{name}"),
                Ok(granted) => {
                    assert_eq!(out, []);
                    let notify = adapted("notify_sub_expires_missing", &first);
                    let out = bed.notified(&notify);
                    assert_eq!(out.last(), Some(&Out::Event(Ev::Subscribed(granted))));
                }
            }
        }
    }
}

/// [RE-10] No fixture is left out of the tables.
#[test]
fn all_are_here() {
    let listed = NOTIFIES.iter().map(|(name, _)| *name);
    let listed: BTreeSet<String> = listed
        .chain(RESPONSES.iter().map(|(name, _)| *name))
        .map(|name| format!("{name}.sip"))
        .collect();
    let found: BTreeSet<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("notify_") || name.starts_with("subscribe_"))
        .collect();
    assert_eq!(listed, found);
}

/// [RE-9] The network's deregistration in a fixture is the one that the tests write.
#[test]
fn written_and_captured_agree() {
    for profile in PROFILES {
        let (mut bed, first) = subscribed(profile);
        let out = bed.notified(
            &first
                .notify(43, "active;expires=3000", &is_gone(1))
                .replace("tag=n1", "tag=151170"),
        );
        let (mut other, first) = subscribed(profile);
        let same = other.notified(&adapted("notify_network_dereg_sub_active", &first));
        assert_eq!(out[0], same[0]);
        let target = |out: &Out| match out {
            Out::Request(leave) => (leave.expires(), leave.call_id().to_owned()),
            other => panic!("{other:?}"),
        };
        assert_eq!(target(&out[1]), target(&same[1]));
    }
}
