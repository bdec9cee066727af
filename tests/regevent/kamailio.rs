//! What a real Kamailio 5.6.3 was seen to do, a test for each thing: as S-CSCF and notifier, as P-CSCF and
//! subscriber, and with presence and pua_reginfo as notifier. Its messages are those of `tests/fixtures/captures`, in
//! dialogs of ours: what identifies a dialog, a transaction or an element is exchanged, all else is as it was.

use super::{
    bed::{
        Bed, ELEMENT, Ev, Out, PRIVATE, PROFILES, REFRESH, Subscribe, TIMER_N, config, registration,
    },
    common::pcscf,
    scscf::{self, Registration as Bound},
};
use ims_procedures::{
    drive::{self, Source},
    pcscf::{Cause, Command, Event, Evidence, Outcome, Ue},
    regevent::{
        node::Registration,
        notifier,
        subscriber::{End, Profile, Standing},
        watcher::{ContactRow, RegistrationRow},
    },
    reginfo::{ContactEvent, RegistrationState},
};
use std::{fs, path::PathBuf};

fn fixture(path: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    fs::read_to_string(folder.join(path)).unwrap()
}

fn captured(file: &str) -> String {
    fixture(&format!("captures/{file}.sip"))
}

/// The value of a header field.
fn value<'m>(message: &'m str, name: &str) -> &'m str {
    let of = |line: &'m str| line.strip_prefix(name)?.strip_prefix(": ");
    message.lines().find_map(of).unwrap()
}

/// A message with other values in these header fields.
fn with(message: &str, fields: &[(&str, &str)]) -> String {
    let (head, body) = message.split_once("\r\n\r\n").unwrap();
    let line = |line: &str| match fields
        .iter()
        .find(|(name, _)| line.starts_with(&format!("{name}: ")))
    {
        Some((name, value)) => format!("{name}: {value}\r\n"),
        None => format!("{line}\r\n"),
    };
    let head: String = head.split("\r\n").map(line).collect();
    format!("{head}\r\n{body}")
}

/// A captured response, as one to a request of ours.
fn answering(file: &str, request: &str) -> String {
    let copied = ["Via", "From", "Call-ID", "CSeq"].map(|name| (name, value(request, name)));
    with(&captured(file), &copied)
}

/// A captured NOTIFY, in the dialog of a SUBSCRIBE of ours.
fn in_dialog(notify: &str, subscribe: &Subscribe) -> String {
    let to = format!("<{ELEMENT}>;tag={}", subscribe.tag());
    let moved = with(notify, &[("To", &to), ("Call-ID", subscribe.call_id())]);
    let (_, rest) = moved.split_once("\r\n").unwrap();
    format!("NOTIFY {} SIP/2.0\r\n{rest}", subscribe.target())
}

/// A subscription to the user of a capture, and what its 200 and first NOTIFY did.
fn watching(profile: Profile, user: &str, ok: &str, notify: &str) -> (Bed, Subscribe, Vec<Out>) {
    let mut bed = Bed::new(config(profile));
    let subscribe = Subscribe::only(&bed.learn(Registration {
        public_identity: user.as_bytes(),
        ..registration(600_000)
    }));
    let ok = answering(ok, &subscribe.text);
    assert_eq!(
        bed.answer(subscribe.token, drive::Answer::Response(ok.as_bytes())),
        []
    );
    let out = bed.notified(&in_dialog(&captured(notify), &subscribe));
    (bed, subscribe, out)
}

const ALICE: &str = "sip:alice@ims.test";

/// Alice of `A_basic`, registered.
fn alice(profile: Profile) -> (Bed, Subscribe, Vec<Out>) {
    let (ok, notify) = (
        "A_basic/006_6060-5092_200_SUBSCRIBE",
        "A_basic/007_6060-5092_NOTIFY",
    );
    watching(profile, ALICE, ok, notify)
}

/// Olga of `O_presreg`, registered.
fn olga(profile: Profile) -> (Bed, Subscribe, Vec<Out>) {
    let (ok, notify) = (
        "O_presreg/006_5070-5092_200_SUBSCRIBE",
        "O_presreg/007_5070-5092_NOTIFY",
    );
    watching(profile, "sip:olga@ims.test", ok, notify)
}

fn told(version: u32, changed: u32, all_terminated: bool) -> Out {
    Out::Event(Ev::State {
        version,
        full: true,
        changed,
        all_terminated,
    })
}

fn rows(bed: &Bed) -> Vec<&RegistrationRow> {
    let table = bed.node.table(PRIVATE.as_bytes()).unwrap();
    table.registrations().collect()
}

fn contacts(bed: &Bed) -> Vec<&ContactRow> {
    rows(bed)
        .into_iter()
        .flat_map(RegistrationRow::contacts)
        .collect()
}

/// [RE-6, RI-3] As S-CSCF: the first document has version 2, and the first NOTIFY the CSeq of the SUBSCRIBE and 3.
#[test]
fn counts_begin_in_the_middle() {
    for profile in PROFILES {
        let (bed, subscribe, out) = alice(profile);
        assert_eq!(subscribe.cseq(), 1);
        assert_eq!(
            value(&captured("A_basic/007_6060-5092_NOTIFY"), "CSeq"),
            "4 NOTIFY"
        );
        assert_eq!(out, [told(2, 2, false), Out::Event(Ev::Subscribed(3_600))]);
        assert!(
            matches!(bed.standing(), Standing::Active),
            "{:?}",
            bed.standing()
        );
    }
}

/// [RE-6, RI-3] Its documents are always full; each identity of the set is a registration, `tel` ones among them, and
/// their contact has one id in all.
#[test]
fn one_registration_for_each_identity() {
    let (mut bed, subscribe, _) = alice(Profile::Rfc6665);
    let set = fixture("reginfo/kamailio_scscf_full_irs3_pointer_ids.xml")
        .replace("version=\"2\"", "version=\"3\"");
    let notify = in_dialog(&captured("A_basic/007_6060-5092_NOTIFY"), &subscribe);
    let (head, _) = notify.split_once("\r\n\r\n").unwrap();
    let notify = with(
        &format!("{head}\r\n\r\n{set}"),
        &[
            ("CSeq", "5 NOTIFY"),
            ("Content-Length", &set.len().to_string()),
        ],
    );
    bed.notified(&notify);
    let active: Vec<_> = rows(&bed)
        .into_iter()
        .filter(|row| row.is_active())
        .collect();
    let identities: Vec<_> = active.iter().map(|row| row.aor.as_str()).collect();
    assert_eq!(
        identities,
        [
            "tel:+15550100002",
            "sip:001010000000002@ims.example.net",
            "sip:+15550100002@ims.example.net"
        ]
    );
    assert!(active.iter().all(|row| row.contacts().len() == 1));
}

/// [RI-3, T21] Its ids are addresses of memory and change: contacts are told apart by their URI.
#[test]
fn ids_change() {
    let (mut bed, subscribe, _) = alice(Profile::Rfc6665);
    let id = |bed: &Bed| contacts(bed)[0].contact.id.clone();
    assert_eq!(contacts(&bed).len(), 1);
    let before = id(&bed);
    bed.notified(&in_dialog(
        &captured("A_basic/020_6060-5092_NOTIFY"),
        &subscribe,
    ));
    assert_eq!(contacts(&bed).len(), 1);
    assert_ne!(id(&bed), before);
}

/// [RE-9, RI-3, T10] A user's own deregistration is `expired`, and ends the registration.
#[test]
fn a_users_deregistration_is_expired() {
    let (mut bed, subscribe, _) = alice(Profile::Rfc6665);
    bed.notified(&in_dialog(
        &captured("A_basic/020_6060-5092_NOTIFY"),
        &subscribe,
    ));
    let contacts = contacts(&bed);
    assert_eq!(contacts[0].contact.event, Some(ContactEvent::Expired));
    assert!(!contacts[0].is_active());
}

/// [RE-9, RI-3, T13] After a termination by the HSS the registration is terminated and has no contact element: all
/// its contacts are gone.
#[test]
fn terminated_without_contacts() {
    for profile in PROFILES {
        let (ok, first) = (
            "D_rtr/006_6060-5100_200_SUBSCRIBE",
            "D_rtr/007_6060-5100_NOTIFY",
        );
        let (mut bed, subscribe, _) = watching(profile, "sip:rtr0@ims.test", ok, first);
        assert!(contacts(&bed)[0].is_active());
        let out = bed.notified(&in_dialog(
            &captured("D_rtr/009_6060-5100_NOTIFY"),
            &subscribe,
        ));
        assert!(out.contains(&told(3, 2, true)), "{out:?}");
        assert!(contacts(&bed).iter().all(|contact| !contact.is_active()));
        assert_eq!(rows(&bed)[0].state, RegistrationState::Terminated);
    }
}

/// [RI-3] The values of unknown parameters carry quotes of their own and may be stale: the expiry is that of the
/// attribute.
#[test]
fn unknown_parameters_are_stale() {
    let notify = captured("A_basic/007_6060-5092_NOTIFY");
    assert!(notify.contains("<unknown-param name=\"expires\">\"600\"</unknown-param>"));
    let (mut bed, subscribe, _) = alice(Profile::Rfc6665);
    let later = notify
        .replace("expires=\"600\" q", "expires=\"900\" q")
        .replace("version=\"2\"", "version=\"3\"");
    bed.notified(&in_dialog(
        &with(&later, &[("CSeq", "5 NOTIFY")]),
        &subscribe,
    ));
    let contact = contacts(&bed)[0];
    assert_eq!(contact.contact.expires, Some(900));
    assert_eq!(contact.expires_at, Some(bed.now.after_seconds(900)));
    assert!(later.contains("\"600\""));
}

/// [RE-9, T14] The last NOTIFY of a user who is gone still says `active`: the subscription is ended by us.
#[test]
fn the_last_notify_says_active() {
    for profile in PROFILES {
        let (mut bed, subscribe, _) = alice(profile);
        let last = captured("A_basic/020_6060-5092_NOTIFY");
        assert_eq!(value(&last, "Subscription-State"), "active;expires=3598");
        let out = bed.notified(&in_dialog(&last, &subscribe));
        let [state, Out::Request(unsubscribe)] = &out[..] else {
            panic!("{out:?}");
        };
        assert_eq!((unsubscribe.expires(), state), (0, &told(3, 2, true)));
        assert_eq!(unsubscribe.call_id(), subscribe.call_id());
    }
}

/// [RE-5, RE-8, RE-9] No NOTIFY follows a refresh or an unsubscription: the first is complete with its 2xx where that
/// is put up with, the second is over in the end.
#[test]
fn no_notify_after_refresh_and_unsubscribe() {
    for (profile, tolerates, goes_on) in [
        (Profile::Sbc, false, true),
        (Profile::Rfc6665, true, true),
        (Profile::Rfc6665, false, false),
    ] {
        let (mut bed, _, _) = alice(profile);
        let mut config = config(profile);
        config.subscription.tolerate_silent_refresh = tolerates;
        bed.node.reconfigure(config).unwrap();
        let refresh = Subscribe::only(&bed.fire(REFRESH));
        let ok = answering("A_basic/006_6060-5092_200_SUBSCRIBE", &refresh.text);
        bed.answer(refresh.token, drive::Answer::Response(ok.as_bytes()));
        let (_, timer) = bed.next().unwrap();
        assert_eq!(timer, if goes_on { REFRESH } else { TIMER_N });
        if !goes_on {
            continue;
        }
        let mut left = bed.deregistering("");
        left.extend(bed.deregistered(""));
        let unsubscribe = Subscribe::only(&left);
        assert_eq!(unsubscribe.expires(), 0);
        let ok = answering("A_basic/006_6060-5092_200_SUBSCRIBE", &unsubscribe.text);
        let ok = with(&ok, &[("Expires", "0")]);
        let mut out = bed.answer(unsubscribe.token, drive::Answer::Response(ok.as_bytes()));
        while bed.next().is_some_and(|(_, timer)| timer == TIMER_N) {
            out.extend(bed.fire(TIMER_N));
        }
        let over = [Out::Event(Ev::Ended(End::Unsubscribed))];
        assert_eq!(out, over, "{profile:?}");
    }
}

const ASKED: &str = "A_basic/015_5091-6060_REGISTER";
const GRANTED: &str = "A_basic/016_6060-5091_200_REGISTER";
const LEAVES: &str = "A_basic/019_5091-6060_REGISTER";
const LEFT: &str = "A_basic/024_6060-5091_200_REGISTER";
const AT: &str = "sip:alice@127.0.0.1:5091";

/// A P-CSCF at which Alice is registered, without a subscription.
fn behind_pcscf() -> pcscf::Bed {
    let mut config = pcscf::config();
    config.subscription.support_reg_event = false;
    let mut bed = pcscf::Bed::new(config);
    assert_eq!(bed.learn(&captured(ASKED), &captured(GRANTED)), []);
    bed
}

/// Answers what is asked for the cleanup, and gives how it ended.
fn cleaned_up(bed: &mut pcscf::Bed, mut out: Vec<pcscf::Out>) -> (Cause, Outcome, u8) {
    while !out
        .iter()
        .any(|out| matches!(out, pcscf::Out::Event(_, Event::Deregistered { .. })))
    {
        // Security associations that are shortened last for a while.
        while !out.iter().any(|out| matches!(out, pcscf::Out::Ask { .. })) {
            let (_, timer) = drive::Node::deadline(&bed.node).unwrap();
            out = bed.fire(timer.0);
        }
        let asked = out.iter().find_map(|out| match out {
            pcscf::Out::Ask { token, .. } => Some(*token),
            _ => None,
        });
        out = bed.done(asked.unwrap_or_else(|| panic!("{out:?}")));
    }
    let ended = out.into_iter().find_map(|out| match out {
        pcscf::Out::Event(_, event @ Event::Deregistered { .. }) => Some(event),
        _ => None,
    });
    pcscf::outcome(ended.unwrap())
}

/// [PD-7, T45] Its NOTIFY can overtake the 200 to the user's REGISTER: the user is deregistered once, and the 200
/// that follows is of nobody.
#[test]
fn notify_overtakes_the_200() {
    let mut bed = pcscf::Bed::new(pcscf::config());
    let (token, subscribe) = pcscf::request(&bed.learn(&captured(ASKED), &captured(GRANTED)));
    let subscribe = Subscribe {
        token,
        hops: Vec::new(),
        text: String::from_utf8(subscribe).unwrap(),
    };
    let ok = answering("A_basic/006_6060-5092_200_SUBSCRIBE", &subscribe.text);
    bed.respond(token, ok.as_bytes());
    for notify in [
        "A_basic/007_6060-5092_NOTIFY",
        "A_basic/020_6060-5092_NOTIFY",
    ] {
        let notify = in_dialog(&captured(notify), &subscribe);
        let (_, out) = bed.receive(Source::TrustedCore, notify.as_bytes());
        if notify.contains("CSeq: 5 ") {
            assert_eq!(
                cleaned_up(&mut bed, out),
                (Cause::Network, Outcome::Notified, 0)
            );
        }
    }
    let (request, response) = (captured(LEAVES), captured(LEFT));
    let command = Command::Learn {
        request: request.as_bytes(),
        response: response.as_bytes(),
        trunk_group: b"",
    };
    drive::Node::command(&mut bed.node, bed.now, command, &mut bed.out).unwrap();
    let late = bed.take();
    assert!(
        !late
            .iter()
            .any(|out| matches!(out, pcscf::Out::Ask { .. } | pcscf::Out::Event(..))),
        "{late:?}"
    );
    assert_eq!(bed.node.registrations(), 0);
}

/// [PD-1, PD-4, RE-3] It grants about nine tenths of what was asked: what was granted counts.
#[test]
fn nine_tenths_are_granted() {
    assert_eq!(value(&captured(ASKED), "Expires"), "900");
    let bed = behind_pcscf();
    let (at, timer) = drive::Node::deadline(&bed.node).unwrap();
    assert_eq!(
        (at.since(bed.now), timer.0),
        (810_000, "registration lifetime")
    );
    let mut bed = pcscf::Bed::new(pcscf::config());
    let (_, subscribe) = pcscf::request(&bed.learn(&captured(ASKED), &captured(GRANTED)));
    let subscribe = String::from_utf8(subscribe).unwrap();
    assert_eq!(value(&subscribe, "Expires"), "870");
}

/// [PD-1] The 200 to a REGISTER with Expires 0 may list no contact: what was named is gone.
#[test]
fn no_contact_in_the_200() {
    let listed = captured(LEFT);
    let contact = listed
        .lines()
        .find(|line| line.starts_with("Contact: "))
        .unwrap();
    let bare = listed.replace(&format!("{contact}\r\n"), "");
    for ok in [listed, bare] {
        let mut bed = behind_pcscf();
        assert!(bed.node.is_registered(AT.as_bytes()));
        let out = bed.learn(&captured(LEAVES), &ok);
        assert_eq!(cleaned_up(&mut bed, out), (Cause::User, Outcome::ByUser, 0));
        assert_eq!(bed.node.registrations(), 0);
    }
}

fn lose(bed: &mut pcscf::Bed) -> Vec<pcscf::Out> {
    let command = Command::AccessLost {
        ue: Ue::at(AT.as_bytes()),
        evidence: Evidence::BearerLost,
    };
    drive::Node::command(&mut bed.node, bed.now, command, &mut bed.out).unwrap();
    bed.take()
}

/// [PD-6] It answers 500 to the REGISTER of a contact that it does not know: that is tried again, and not for ever.
#[test]
fn unknown_contact_500() {
    let mut bed = behind_pcscf();
    let mut out = lose(&mut bed);
    for attempt in 1..=3 {
        let (token, register) = pcscf::request(&out);
        out = bed.respond(token, &pcscf::response(500, &register, ""));
        if attempt < 3 {
            assert_eq!(out, []);
            out = bed.fire("retry of REGISTER");
        }
    }
    let expected = (Cause::AccessLost, Outcome::Failed { status: 500 }, 3);
    assert_eq!(cleaned_up(&mut bed, out), expected);
}

/// [PD-6, T40] It challenges a P-CSCF's REGISTER unless its script says otherwise: the P-CSCF has no credentials, and
/// ends the registration on its side.
#[test]
fn the_pcscf_is_challenged() {
    let mut bed = behind_pcscf();
    let (token, register) = pcscf::request(&lose(&mut bed));
    let register = String::from_utf8(register).unwrap();
    let challenge = answering("A_basic/018_6060-5091_401_REGISTER", &register);
    let out = bed.respond(token, challenge.as_bytes());
    let expected = (Cause::AccessLost, Outcome::Unsupported { status: 401 }, 1);
    assert_eq!(cleaned_up(&mut bed, out), expected);
}

/// A SUBSCRIBE as Kamailio's P-CSCF sends it: without Accept, from another port than its Contact.
fn subscribe_of_kamailio(number: u32) -> String {
    let plain = scscf::subscribe();
    let accept = plain
        .lines()
        .find(|line| line.starts_with("Accept: "))
        .unwrap();
    let via = value(&plain, "Via").replace(":5070", ":6070");
    assert!(via.contains(":6070"));
    with(
        &plain.replace(&format!("{accept}\r\n"), ""),
        &[("Via", &via)],
    )
    .replace("s-call-1", &format!("k-call-{number}"))
    .replace("s-tag", &format!("k-tag-{number}"))
    .replace("s-branch-1", &format!("k-branch-{number}"))
}

fn accepted(host: &mut scscf::Host, number: u32) -> scscf::Out {
    let outs = host.receive(subscribe_of_kamailio(number));
    assert_eq!(outs[0].status(), 200, "{outs:?}");
    outs.into_iter().find(scscf::Out::is_notify).unwrap()
}

/// [RN-1] As P-CSCF: no Accept means the package's own type (RFC 3680 4.5); requests of the dialog go to the Contact,
/// wherever the SUBSCRIBE came from.
#[test]
fn subscribes_from_another_port() {
    let mut host = scscf::Host::registered();
    let notify = accepted(&mut host, 1);
    assert_eq!(
        scscf::header(notify.bytes(), "Content-Type"),
        Some("application/reginfo+xml")
    );
    let scscf::Out::Request { hops, .. } = &notify else {
        panic!("{notify:?}");
    };
    assert_eq!(hops, &["sip:subscriber-1@pcscf1.visited1.example.net:5070"]);
}

/// [RN-1, T31] It subscribes in a new dialog at each re-registration, with the same Contact: the new one takes the
/// place of the old one, and only that is notified.
#[test]
fn subscribes_anew_at_each_reregistration() {
    let mut host = scscf::Host::registered();
    let first = accepted(&mut host, 1);
    host.respond(&first, 200);
    for number in 2..20 {
        host.learn(&Bound {
            cseq: 10 + number,
            ..Bound::default()
        });
        for notify in host.ticks() {
            host.respond(&notify, 200);
        }
        let outs = host.receive(subscribe_of_kamailio(number));
        let replaced = scscf::Out::Event(scscf::Ev::Ended(notifier::End::Replaced));
        assert!(outs.contains(&replaced), "{outs:?}");
        host.respond(outs.iter().find(|out| out.is_notify()).unwrap(), 200);
        assert_eq!(host.node.subscribers(scscf::PUBLIC.as_bytes()), 1);
    }
}

/// [RN-4] It never unsubscribes: at the end of its time the subscription goes, with a last NOTIFY.
#[test]
fn never_unsubscribes() {
    let mut host = scscf::Host::registered_with({
        let mut config = scscf::config();
        config.notifier.max_expires = 600;
        config
    });
    let first = accepted(&mut host, 1);
    host.respond(&first, 200);
    let [last] = host.run(600_000).try_into().unwrap();
    let state = scscf::header(last.bytes(), "Subscription-State");
    assert_eq!(state, Some("terminated;reason=timeout"));
    host.respond(&last, 200);
    assert_eq!(host.node.subscribers(scscf::PUBLIC.as_bytes()), 0);
}

/// [RN-2, RN-4] It removes a user only for a contact that is terminated, has an `expires`, and the event
/// `unregistered`, `deactivated` or `expired`: however a registration ends, that is what our notifier says, of every
/// contact.
#[test]
fn what_it_understands() {
    type End = fn(&mut scscf::Host) -> Vec<scscf::Out>;
    let ends: [(End, &str); 3] = [
        (scscf::Host::deregister, "unregistered"),
        (
            |host| {
                let outs = host.receive(Bound::default().removal("ue-call-2", 1));
                host.run_procedure(outs)
            },
            "unregistered",
        ),
        (
            |host| {
                let outs = host.run(3_600_000);
                host.run_procedure(outs)
            },
            "expired",
        ),
    ];
    for (end, event) in ends {
        let mut host = scscf::Host::registered();
        let first = accepted(&mut host, 1);
        host.respond(&first, 200);
        let mut outs = end(&mut host);
        outs.extend(host.ticks());
        let notify = outs.iter().find(|out| out.is_notify()).unwrap();
        let contacts: Vec<_> = notify.bytes().split("<contact ").skip(1).collect();
        assert_eq!(contacts.len(), 2, "an identity each");
        for contact in contacts {
            let told = format!("state=\"terminated\" event=\"{event}\" expires=\"0\"");
            assert!(contact.contains(&told), "{contact}");
        }
    }
}

/// [RN-3, RN-4] It answers 500 to what it does not understand, such as `shortened`: the NOTIFY is not repeated for
/// ever, and the registration stays.
#[test]
fn answers_500_to_a_notify() {
    let mut host = scscf::Host::registered();
    let mut notify = accepted(&mut host, 1);
    for attempt in 1..=4 {
        let outs = host.respond(&notify, 500);
        if attempt == 4 {
            assert_eq!(
                outs,
                [scscf::Out::Event(scscf::Ev::Ended(
                    notifier::End::NoResponse
                ))]
            );
            break;
        }
        assert_eq!(outs, []);
        [notify] = host.run(4_000 << (attempt - 1)).try_into().unwrap();
    }
    assert_eq!(host.node.subscribers(scscf::PUBLIC.as_bytes()), 0);
    assert!(host.node.is_registered(scscf::PUBLIC.as_bytes()));
}

/// [RE-6, RI-3, T07] With pua_reginfo every document has version 0: all are full and their NOTIFYs' CSeq moves on, so
/// all are taken. One that comes again is not.
#[test]
fn version_0_always() {
    for profile in PROFILES {
        let (mut bed, subscribe, first) = olga(profile);
        assert_eq!(
            first,
            [told(0, 2, false), Out::Event(Ev::Subscribed(3_600))]
        );
        for (number, changed, active) in [(13, 2, 2), (19, 2, 2), (25, 2, 1)] {
            let notify = captured(&format!("O_presreg/{number:03}_5070-5092_NOTIFY"));
            let out = bed.notified(&in_dialog(&notify, &subscribe));
            let changes = match &out[..] {
                [
                    Out::Event(Ev::State {
                        version: 0,
                        full: true,
                        changed,
                        all_terminated: false,
                    }),
                ] => *changed,
                other => panic!("{other:?}"),
            };
            assert_eq!(changes, changed, "{number}");
            assert_eq!(
                contacts(&bed).iter().filter(|row| row.is_active()).count(),
                active
            );
            assert_eq!(bed.notified(&in_dialog(&notify, &subscribe)), []);
        }
    }
}

/// [RE-9, RI-3, T09] Its terminated contacts keep an expiry other than zero, and are gone all the same.
#[test]
fn terminated_with_an_expiry() {
    let (mut bed, subscribe, _) = olga(Profile::Rfc6665);
    for number in ["013", "019", "025", "031"] {
        let notify = captured(&format!("O_presreg/{number}_5070-5092_NOTIFY"));
        bed.notified(&in_dialog(&notify, &subscribe));
    }
    let gone = contacts(&bed);
    assert!(gone.iter().all(|row| !row.is_active()));
    assert!(gone.iter().any(|row| row.contact.expires == Some(593)));
    assert!(
        rows(&bed)
            .iter()
            .all(|row| row.state == RegistrationState::Terminated)
    );
}

/// [RI-1] Its attributes `received` and `path` are empty and of no schema; the others are read.
#[test]
fn empty_attributes() {
    let (bed, _, _) = olga(Profile::Rfc6665);
    let notify = captured("O_presreg/007_5070-5092_NOTIFY");
    assert!(notify.contains("received=\"\" path=\"\""));
    let contact = &contacts(&bed)[0].contact;
    assert_eq!(
        (contact.callid.as_deref(), contact.cseq),
        (Some("reg-olga"), Some(1))
    );
}

/// [RE-9, RI-1, RI-3] At the end of a registration's time its element closes itself: nothing of the user is left.
#[test]
fn an_element_that_closes_itself() {
    for profile in PROFILES {
        let (ok, first) = (
            "O_presreg/038_5070-5094_200_SUBSCRIBE",
            "O_presreg/039_5070-5094_NOTIFY",
        );
        let (mut bed, subscribe, _) = watching(profile, "sip:pete@ims.test", ok, first);
        let out = bed.notified(&in_dialog(
            &captured("O_presreg/043_5070-5094_NOTIFY"),
            &subscribe,
        ));
        let [state, Out::Request(unsubscribe)] = &out[..] else {
            panic!("{out:?}");
        };
        assert_eq!(*state, told(0, 2, true));
        assert_eq!(unsubscribe.expires(), 0);
    }
}
