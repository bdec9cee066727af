//! The host registers the subscriber again, otherwise than before, while a REGISTER that deregisters is out or is to be
//! tried again.

use ims_procedures::{
    drive::{Answer, Millis, Node, Source, Token, Verdict},
    mscics::{Event, MscNode, Outcome},
};

use crate::bed::{
    Bed, CALL_ID, CONTACT, DEFAULT, OTHER, Out, PARAMS, PRIVATE, branch, briefs, config,
    document_by, identifiers, outcome, plain, register, register_200, request, response,
    subscribed,
};

/// What is otherwise: what stands in the REGISTER, and what stands there then.
type Change = (&'static str, &'static str);

/// Another binding than before.
const OTHER_BINDINGS: [Change; 3] = [
    ("net:5060>;+sip", "net:5070>;+sip"),
    ("90420156", "90420157"),
    (
        "<sip:234150999999999@ics.mnc015.mcc234.3gppnetwork.org>",
        "<sip:+12125551111@home1.example.net;user=phone>",
    ),
];

/// The same binding, with other words.
const SAME_BINDINGS: [Change; 4] = [
    ("cellular1", "wlan1"),
    ("Path: <sip:term@", "Path: <sip:other@"),
    ("utran-cell-id-3gpp=234151D0FCE11", "utran-cell-id-3gpp=1"),
    (
        "Supported: path\r\nP-Visited-Network-ID",
        "Supported: path\r\nRequire: path\r\nP-Visited-Network-ID",
    ),
];

/// A 2xx to a REGISTER of the host that is otherwise in that.
fn renew(bed: &mut Bed, cseq: u32, (from, to): Change) {
    let (request, response) = (register(PARAMS, cseq), register_200(PARAMS, cseq));
    assert!(request.contains(from), "{from}");
    let (request, response) = (request.replace(from, to), response.replace(from, to));
    assert_eq!(bed.learn(&request, &response), []);
}

fn has(register: &[u8], part: &str) -> bool {
    String::from_utf8_lossy(register).contains(part)
}

/// Of ours.
fn is_of(register: &[u8], cseq: u32, made_of: &str) -> bool {
    has(register, &format!("CSeq: {cseq} REGISTER\r\n")) && has(register, made_of)
}

fn restart(bed: &mut Bed) {
    let (mut blob, mut again) = (Vec::new(), Vec::new());
    bed.node.snapshot(bed.now, &mut blob);
    let incarnation = 2 + bed.now.0 / 77_000_000;
    bed.now = Millis(bed.now.0 + 77_000_000);
    bed.node = MscNode::restore(plain(), identifiers(incarnation), bed.now, &blob).unwrap();
    bed.node.snapshot(bed.now, &mut again);
    assert_eq!(blob, again, "what is restored is what was stored");
}

/// What is out goes out again after a restart: the same bytes.
fn again(bed: &mut Bed, before: &[u8]) -> Token {
    restart(bed);
    let (token, again) = request(&bed.fire("REGISTER to be sent"));
    assert_eq!(
        String::from_utf8_lossy(before),
        String::from_utf8_lossy(&again)
    );
    token
}

fn inactive(bed: &mut Bed) -> (Token, Vec<u8>) {
    request(&bed.inactive(ims_procedures::mscics::Cause::Purge))
}

/// [DR-7] [MS-1] Registered with whatever else while the REGISTER is out, it goes out again as it was; the next one is of
/// what the host has registered last, and goes out again as that.
#[test]
fn the_same_again() {
    for change in OTHER_BINDINGS.into_iter().chain(SAME_BINDINGS) {
        for (first, second) in [(true, true), (true, false), (false, true)] {
            let mut bed = Bed::registered(plain());
            let (mut token, ours) = inactive(&mut bed);
            assert!(is_of(&ours, 1, change.0));
            renew(&mut bed, 2, change);
            if first {
                token = again(&mut bed, &ours);
            }
            let (mut token, more) = request(&bed.respond(token, &response(200, &ours, "")));
            assert!(
                is_of(&more, 2, change.1) && !has(&more, change.0),
                "{change:?}"
            );
            assert_ne!(branch(&ours), branch(&more));
            if second {
                token = again(&mut bed, &more);
            }
            let out = bed.respond(token, &response(200, &more, ""));
            assert_eq!(ended(&out), (Outcome::Confirmed, 2, false));
            assert_eq!(bed.node.deadline(), None);
        }
    }
}

/// How it has ended: how, with how many REGISTERs, and whether to register anew. The identity may be another one than that
/// of the fixtures.
fn ended(out: &[Out]) -> (Outcome, u8, bool) {
    match out {
        [
            Out::Event(
                _,
                Event::Deregistered {
                    outcome,
                    registers,
                    register_anew,
                    ..
                },
            ),
        ] => (*outcome, *registers, *register_anew),
        other => panic!("{other:?}"),
    }
}

/// [MS-1] Registered again and again while the REGISTER is out: what is out stays, the next one is of the last. One that is
/// registered at the end as at first has one more all the same.
#[test]
fn renewed_twice() {
    let [to_contact, with_instance, _] = OTHER_BINDINGS;
    let nothing = ("Contact", "Contact");
    for (last, mark) in [(with_instance, with_instance.1), (nothing, to_contact.0)] {
        let mut bed = Bed::registered(plain());
        let (_, ours) = inactive(&mut bed);
        renew(&mut bed, 2, to_contact);
        renew(&mut bed, 3, last);
        let token = again(&mut bed, &ours);
        let (token, more) = request(&bed.respond(token, &response(200, &ours, "")));
        assert!(is_of(&more, 2, mark) && !has(&more, to_contact.1));
        let out = bed.respond(token, &response(404, &more, ""));
        let nothing_there = Outcome::NothingThere { status: 404 };
        assert_eq!(ended(&out), (nothing_there, 2, false));
    }
}

/// What comes of an attempt that is out.
fn fail(bed: &mut Bed, token: Token, ours: &[u8], status: u16) -> Vec<Out> {
    match status {
        0 => bed.answer(token, Answer::Timeout),
        _ => bed.respond(token, &response(status, ours, "")),
    }
}

/// [MS-1, MS-5] An attempt has failed, and the host has registered another binding while it was out, or since: the next one,
/// another request, still removes the former, which may be there; one more removes the new one. With a restart at each
/// step.
#[test]
fn tried_again_for_the_former_binding() {
    for change in OTHER_BINDINGS {
        for (status, since, restarts) in [
            (503, false, false),
            (0, false, false),
            (0, true, false),
            (503, false, true),
            (503, true, true),
        ] {
            let mut bed = Bed::registered(plain());
            let (token, ours) = inactive(&mut bed);
            if !since {
                renew(&mut bed, 2, change);
            }
            assert_eq!(fail(&mut bed, token, &ours, status), []);
            if since {
                renew(&mut bed, 2, change);
            }
            if restarts {
                restart(&mut bed);
            }
            let (mut token, retried) = request(&bed.fire("retry of REGISTER"));
            assert!(is_of(&retried, 2, change.0), "{change:?}");
            assert_ne!(branch(&ours), branch(&retried));
            if restarts {
                token = again(&mut bed, &retried);
            }
            let out = bed.respond(token, &response(200, &retried, ""));
            let (mut token, more) = request(&out);
            assert!(is_of(&more, 3, change.1) && !has(&more, change.0));
            if restarts {
                token = again(&mut bed, &more);
            }
            let out = bed.respond(token, &response(200, &more, ""));
            assert_eq!(ended(&out), (Outcome::Confirmed, 3, false));
        }
    }
}

/// [MS-1, MS-5] Of the same binding the next attempt is made of what the host has registered last, and removes it: none
/// follows.
#[test]
fn tried_again_for_the_same_binding() {
    for change in SAME_BINDINGS {
        for since in [false, true] {
            let mut bed = Bed::registered(plain());
            let (token, ours) = inactive(&mut bed);
            if !since {
                renew(&mut bed, 2, change);
            }
            assert_eq!(fail(&mut bed, token, &ours, 503), []);
            if since {
                renew(&mut bed, 2, change);
            }
            restart(&mut bed);
            let (_, retried) = request(&bed.fire("retry of REGISTER"));
            assert!(is_of(&retried, 2, change.1) && !has(&retried, change.0));
            let token = again(&mut bed, &retried);
            let out = bed.respond(token, &response(200, &retried, ""));
            assert_eq!(ended(&out), (Outcome::Confirmed, 2, false));
        }
    }
}

/// [MS-5] However it is with the former binding, the attempts for it are those that the configuration allows; one more
/// removes the present one all the same, and that the former may remain is the outcome.
#[test]
fn attempts_are_bounded() {
    for (statuses, outcome) in [
        (&[503, 503][..], Outcome::Failed { status: 503 }),
        (&[503, 403], Outcome::Refused { status: 403 }),
        (&[0, 0], Outcome::NoResponse),
        (&[403], Outcome::Refused { status: 403 }),
    ] {
        let mut config = plain();
        config.attempts = 2;
        let mut bed = Bed::registered(config);
        let (mut token, mut ours) = inactive(&mut bed);
        renew(&mut bed, 2, OTHER_BINDINGS[0]);
        let (last, before) = statuses.split_last().unwrap();
        for status in before {
            assert_eq!(fail(&mut bed, token, &ours, *status), []);
            (token, ours) = request(&bed.fire("retry of REGISTER"));
        }
        let (_, more) = request(&fail(&mut bed, token, &ours, *last));
        let registers = u8::try_from(statuses.len()).unwrap() + 1;
        let (from, to) = OTHER_BINDINGS[0];
        assert!(is_of(&more, registers.into(), to) && !has(&more, from));
        let token = again(&mut bed, &more);
        let out = bed.respond(token, &response(200, &more, ""));
        assert_eq!(ended(&out), (outcome, registers, false));
    }
}

/// [MS-1] The host itself removes what it had before, while a REGISTER for that is out or to be tried again: only the
/// present one is left to be removed. It removes the present one: only the former is left. Of a third one nothing follows.
#[test]
fn removed_by_the_host() {
    let [another, ..] = OTHER_BINDINGS;
    let third = ("net:5060>;+sip", "net:5090>;+sip");
    let same = ("Contact", "Contact");
    let remove = |bed: &mut Bed, cseq: u32, (from, to): Change| {
        let request = register(PARAMS, cseq).replace("Expires: 600000", "Expires: 0");
        let response = register_200(PARAMS, cseq).replace(";expires=3600", ";expires=0");
        bed.learn(&request.replace(from, to), &response.replace(from, to))
    };
    for (removed, left, registers) in [
        (same, vec![another.1], 2),
        (another, vec![another.0], 2),
        (third, vec![another.0, another.1], 3),
    ] {
        let mut bed = Bed::registered(plain());
        let (token, ours) = inactive(&mut bed);
        renew(&mut bed, 2, another);
        assert_eq!(fail(&mut bed, token, &ours, 503), []);
        assert_eq!(remove(&mut bed, 3, removed), []);
        let mut out = bed.fire("retry of REGISTER");
        for mark in &left {
            let (token, next) = request(&out);
            assert!(has(&next, mark), "{mark}");
            out = bed.respond(token, &response(200, &next, ""));
        }
        assert_eq!(ended(&out), (Outcome::Confirmed, registers, false));
    }
    // While it is registered: a contact that is another one's, and its own.
    let mut bed = Bed::registered(plain());
    assert_eq!(remove(&mut bed, 2, third), []);
    assert!(bed.node.is_registered(PRIVATE.as_bytes()));
    assert_eq!(outcome(&remove(&mut bed, 3, same)).1, Outcome::ByHost);
}

/// [S1 L23] [MS-2] While the former identity is still to be deregistered, its dialogs are released first too.
#[test]
fn dialogs_of_the_former_identity() {
    let mut bed = Bed::registered(plain());
    let (token, ours) = inactive(&mut bed);
    let renewed = |text: String| {
        text.replace("net:5060>;+sip", "net:5070>;+sip")
            .replace(OTHER, "tel:+12125552222")
    };
    let (request_, response_) = (register(PARAMS, 2), register_200(PARAMS, 2));
    assert_eq!(bed.learn(&renewed(request_), &renewed(response_)), []);
    assert_eq!(fail(&mut bed, token, &ours, 503), []);
    assert_eq!(bed.add(OTHER, 1, None), Verdict::Handled);
    assert_eq!(briefs(&bed.take()), ["release 1"]);
    let out = bed.fire("retry of REGISTER");
    assert_eq!(briefs(&out), [""; 0], "the dialog is waited for");
    assert_eq!(briefs(&bed.dialog_ended(1)), ["REGISTER"]);
}

/// [MS-1] Who returns after that is registered anew by the host: what is out is the last, and between attempts it ends at
/// once. The outcome is of the identity that the host has registered last.
#[test]
fn returned() {
    for between in [false, true] {
        let mut bed = Bed::registered(plain());
        let (token, ours) = inactive(&mut bed);
        renew(&mut bed, 2, OTHER_BINDINGS[2]);
        if between {
            assert_eq!(fail(&mut bed, token, &ours, 503), []);
        }
        let mut out = bed.returned();
        let mut expected = Outcome::Failed { status: 503 };
        if !between {
            assert_eq!(out, []);
            let token = again(&mut bed, &ours);
            out = bed.respond(token, &response(200, &ours, ""));
            expected = Outcome::Confirmed;
        }
        assert_eq!(ended(&out), (expected, 1, true));
        let [Out::Event(whom, _)] = &out[..] else {
            panic!("{out:?}");
        };
        assert_eq!(whom, &format!("{PRIVATE} {DEFAULT}"));
        assert_eq!(bed.register(), []);
        assert!(bed.node.is_registered(PRIVATE.as_bytes()));
    }
}

/// [MS-2] [MS-6] While the former REGISTER is out, dialogs are those of the set that is registered now, or was, and a NOTIFY
/// of either contact is accepted and changes nothing.
#[test]
fn what_counts_meanwhile() {
    let (mut bed, subscription) = subscribed(config());
    let (token, ours) = inactive(&mut bed);
    let (request_, response_) = (register(PARAMS, 2), register_200(PARAMS, 2));
    let renewed = |text: String| {
        text.replace("net:5060>;+sip", "net:5070>;+sip")
            .replace(OTHER, "tel:+12125552222")
    };
    assert_eq!(bed.learn(&renewed(request_), &renewed(response_)), []);
    for (identity, dialog) in [(OTHER, 2), ("tel:+12125552222", 1)] {
        assert_eq!(bed.add(identity, dialog, None), Verdict::Handled);
        assert_eq!(briefs(&bed.take()), [format!("release {dialog}")]);
        assert_eq!(bed.dialog_ended(dialog), []);
    }
    assert_eq!(bed.add("tel:+12125553333", 3, None), Verdict::NotMine);
    let by = format!(" callid=\"{CALL_ID}\" cseq=\"2\"");
    let former = document_by(1, "terminated", "terminated", "deactivated", &by);
    let now = document_by(2, "terminated", "terminated", "deactivated", &by);
    let now = now.replace(CONTACT, "sip:msc1.visited1.example.net:5070");
    for (cseq, document) in [(2, former), (3, now)] {
        let notify = subscription.notify(cseq, "active;expires=3660", &document);
        let (_, out) = bed.receive(Source::TrustedCore, &notify);
        assert_eq!(briefs(&out), ["200"]);
    }
    let (token, more) = request(&bed.respond(token, &response(200, &ours, "")));
    assert!(is_of(&more, 2, "net:5070>;+sip"));
    let out = bed.respond(token, &response(200, &more, ""));
    assert_eq!(outcome(&out).1, Outcome::Confirmed);
}
