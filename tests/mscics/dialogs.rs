//! The release of dialogs before the REGISTER.

use ims_procedures::{
    dialog::{Dialog, Sequence},
    drive::{self, Answer, Misuse, Node, Verdict},
    mscics::{self, Cause, Config, DialogRef, NewDialog, Outcome},
};

use crate::bed::{Bed, OTHER, Out, PRIVATE, asked, briefs, outcome, plain, request, response};

/// A dialog with a far end behind two proxies, as an MSC server that was called has it.
fn dialog() -> (Dialog<'static>, Sequence) {
    let dialog = Dialog {
        call_id: b"a84b4c76e66710",
        local_uri: b"tel:+12125551111",
        local_tag: b"314159",
        remote_uri: b"sip:bob@biloxi.example",
        remote_tag: b"1928301774",
        remote_target: b"sip:bob@192.0.2.4",
        route_set: b"<sip:scscf1.home1.example.net:5080;lr>, <sip:p2.biloxi.example;lr>",
        local_contact: b"<sip:msc1.visited1.example.net:5060>",
        is_secure: false,
    };
    let sequence = Sequence {
        local: 41,
        remote: Some(7),
    };
    (dialog, sequence)
}

fn with(numbers: &[u64], config: Config) -> (Bed, Vec<Out>) {
    let mut bed = Bed::registered(config);
    bed.add_dialogs(numbers);
    let out = bed.inactive(Cause::ImplicitDetach);
    (bed, out)
}

/// [MS-2] The BYE of a dialog that the library was given, byte for byte: the number after the last, the route set, no
/// instance ID.
#[test]
fn bye() {
    let mut bed = Bed::registered(plain());
    assert_eq!(bed.add(OTHER, 1, Some(dialog())), Verdict::Handled);
    let out = bed.inactive(Cause::CancelLocation);
    let (token, bye) = request(&out);
    let text = String::from_utf8(bye.clone()).unwrap();
    let (_, branch) = text.split_once("branch=").unwrap();
    let branch = branch.lines().next().unwrap();
    let expected = format!(
        "BYE sip:bob@192.0.2.4 SIP/2.0\r\n\
         Via: SIP/2.0/UDP msc1.visited1.example.net:5060;branch={branch}\r\n\
         Max-Forwards: 70\r\n\
         Route: <sip:scscf1.home1.example.net:5080;lr>, <sip:p2.biloxi.example;lr>\r\n\
         From: <tel:+12125551111>;tag=314159\r\n\
         To: <sip:bob@biloxi.example>;tag=1928301774\r\n\
         Call-ID: a84b4c76e66710\r\n\
         CSeq: 42 BYE\r\n\
         Content-Length: 0\r\n\r\n"
    );
    assert_eq!(text, expected);
    match &out[..] {
        [Out::Request { hops, .. }] => {
            assert_eq!(hops, &["sip:scscf1.home1.example.net:5080;lr"]);
        }
        other => panic!("{other:?}"),
    }
    let out = bed.respond(token, &response(200, &bye, ""));
    assert_eq!(briefs(&out), ["REGISTER"]);
}

/// [MS-2] A dialog ends with whatever final response, or without one; a provisional one ends nothing.
#[test]
fn ends_of_a_bye() {
    let mut bed = Bed::registered(plain());
    assert_eq!(bed.add(OTHER, 1, Some(dialog())), Verdict::Handled);
    let (token, bye) = request(&bed.inactive(Cause::CancelLocation));
    assert_eq!(bed.respond(token, &response(100, &bye, "")), []);
    assert_eq!(bed.node.dialogs(PRIVATE.as_bytes()), 1);
    for status in [200, 202, 401, 407, 408, 481, 500, 503, 603] {
        let mut bed = Bed::registered(plain());
        assert_eq!(bed.add(OTHER, 1, Some(dialog())), Verdict::Handled);
        let (token, bye) = request(&bed.inactive(Cause::CancelLocation));
        let out = bed.respond(token, &response(status, &bye, ""));
        assert_eq!(briefs(&out), ["REGISTER"], "{status}");
    }
    for answer in 0..3 {
        let mut bed = Bed::registered(plain());
        assert_eq!(bed.add(OTHER, 1, Some(dialog())), Verdict::Handled);
        let (token, _) = request(&bed.inactive(Cause::CancelLocation));
        let out = match answer {
            0 => bed.answer(token, Answer::Timeout),
            1 => bed.answer(token, Answer::Unreachable),
            _ => bed.dialog_ended(1),
        };
        assert_eq!(briefs(&out), ["REGISTER"]);
    }
}

/// [MS-2] A host that owns a dialog releases it, or fails to: the REGISTER goes in either case. An answer of another kind
/// is a mistake, and changes nothing.
#[test]
fn ends_of_a_question() {
    for failed in [false, true] {
        let (mut bed, out) = with(&[7], plain());
        let [(token, 7)] = asked(&out)[..] else {
            panic!("{out:?}");
        };
        for wrong in [Answer::Timeout, Answer::Response(b""), Answer::Stored] {
            let refused = bed.node.answer(bed.now, token, wrong, &mut bed.out);
            assert_eq!(refused, Err(Misuse::WrongAnswer));
        }
        let answer = match failed {
            false => mscics::Answer::Done,
            true => mscics::Answer::Failed,
        };
        assert_eq!(briefs(&bed.answer(token, answer.into())), ["REGISTER"]);
    }
}

/// [MS-2] All are released at the same time, whoever owns them, and each is waited for, in whatever order they end.
#[test]
fn all_of_them() {
    let orders: [[usize; 3]; 6] = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ];
    for order in orders {
        let mut bed = Bed::registered(plain());
        bed.add_dialogs(&[1, 2]);
        assert_eq!(bed.add(OTHER, 3, Some(dialog())), Verdict::Handled);
        let out = bed.inactive(Cause::Purge);
        assert_eq!(briefs(&out), ["release 1", "release 2", "BYE"]);
        let (bye, _) = request(&out);
        let tokens = [asked(&out)[0].0, asked(&out)[1].0, bye];
        for (number, place) in order.into_iter().enumerate() {
            let answer = match place {
                2 => Answer::Timeout,
                _ => mscics::Answer::Done.into(),
            };
            let out = bed.answer(tokens[place], answer);
            let expected: &[&str] = if number < 2 { &[] } else { &["REGISTER"] };
            assert_eq!(briefs(&out), expected);
        }
    }
}

/// [MS-2] The bound holds for them all: then the REGISTER goes out regardless. What ends later is heard; what has not by
/// the outcome is counted in it.
#[test]
fn bound() {
    for late in [false, true] {
        let (mut bed, out) = with(&[1, 2, 3], plain());
        let asked = asked(&out);
        let started = bed.now;
        bed.now = started.after(30_000);
        assert_eq!(bed.done(asked[0].0), []);
        let (at, _) = bed.node.deadline().unwrap();
        assert_eq!(at, started.after(40_000), "not anew with each");
        bed.now = started.after(39_999);
        assert_eq!(bed.tick(), []);
        let (token, register) = request(&bed.fire("release of dialogs"));
        if late {
            assert_eq!(bed.done(asked[1].0), []);
        }
        let out = bed.respond(token, &response(200, &register, ""));
        let left = if late { 1 } else { 2 };
        let expected = (Cause::ImplicitDetach, Outcome::Confirmed, 1, left, false);
        assert_eq!(outcome(&out), expected);
        assert_eq!(bed.node.deadline(), None);
        assert_eq!(bed.done(asked[2].0), []);
        assert_eq!(bed.node.counters().stale_answers, 1);
    }
}

/// [MS-2] A dialog that comes while others are released is released too, and waited for until the same bound; after the
/// REGISTER it is released, and not waited for.
#[test]
fn one_more() {
    let (mut bed, out) = with(&[1], plain());
    let started = bed.now;
    bed.now = started.after(10_000);
    assert_eq!(bed.add(OTHER, 2, None), Verdict::Handled);
    let second = asked(&bed.take())[0];
    assert_eq!(second.1, 2);
    assert_eq!(bed.node.deadline().unwrap().0, started.after(40_000));
    assert_eq!(bed.done(asked(&out)[0].0), []);
    let (token, register) = request(&bed.done(second.0));
    assert_eq!(bed.add(OTHER, 3, None), Verdict::Handled);
    assert_eq!(briefs(&bed.take()), ["release 3"]);
    let out = bed.respond(token, &response(200, &register, ""));
    let expected = (Cause::ImplicitDetach, Outcome::Confirmed, 1, 1, false);
    assert_eq!(outcome(&out), expected);
}

/// [MS-2] [MS-5] A dialog that comes between two attempts is released and waited for before the second, within the bound;
/// with the subscriber back meanwhile there is none.
#[test]
fn between_attempts() {
    for returned in [false, true] {
        let mut bed = Bed::registered(plain());
        let (token, register) = request(&bed.inactive(Cause::Purge));
        assert_eq!(bed.respond(token, &response(500, &register, "")), []);
        assert_eq!(bed.add(OTHER, 1, None), Verdict::Handled);
        let release = asked(&bed.take())[0].0;
        assert_eq!(bed.fire("retry of REGISTER"), []);
        assert_eq!(bed.node.deadline().unwrap().0, bed.now.after(40_000));
        if returned {
            assert_eq!(bed.returned(), []);
            let failed = Outcome::Failed { status: 500 };
            let out = bed.done(release);
            assert_eq!(outcome(&out), (Cause::Purge, failed, 1, 0, true));
        } else {
            let (token, register) = request(&bed.done(release));
            let out = bed.respond(token, &response(200, &register, ""));
            assert_eq!(
                outcome(&out),
                (Cause::Purge, Outcome::Confirmed, 2, 0, false)
            );
        }
    }
}

/// [MS-2] A dialog that has ended before, or is given again with later numbers: once, and by what was given last.
#[test]
fn ended_and_given_again() {
    let mut bed = Bed::registered(plain());
    bed.add_dialogs(&[1, 2]);
    assert_eq!(bed.dialog_ended(1), []);
    assert_eq!(bed.dialog_ended(1), [], "twice is once");
    let (dialog, sequence) = dialog();
    assert_eq!(
        bed.add(OTHER, 2, Some((dialog, sequence))),
        Verdict::Handled
    );
    let later = Sequence {
        local: 99,
        ..sequence
    };
    assert_eq!(bed.add(OTHER, 2, Some((dialog, later))), Verdict::Handled);
    assert_eq!(bed.node.dialogs(PRIVATE.as_bytes()), 1);
    let out = bed.inactive(Cause::Purge);
    assert_eq!(briefs(&out), ["BYE"]);
    let (_, bye) = request(&out);
    assert!(
        String::from_utf8(bye)
            .unwrap()
            .contains("\r\nCSeq: 100 BYE\r\n")
    );
    assert_eq!(bed.add(OTHER, 2, Some((dialog, later))), Verdict::Handled);
    assert_eq!(bed.take(), [], "its BYE is out");
}

/// [MS-2] [DR-5] As many dialogs as the limit says, and no more; what cannot be released is refused when it is given.
#[test]
fn limits() {
    let mut config = plain();
    config.limits.dialogs = 16;
    let mut bed = Bed::registered(config);
    bed.add_dialogs(&(1..=16).collect::<Vec<_>>());
    let mut add = |number, held| {
        let command = mscics::Command::DialogAdded {
            private_identity: PRIVATE.as_bytes(),
            public_identity: OTHER.as_bytes(),
            dialog: NewDialog {
                dialog: DialogRef(number),
                held,
            },
        };
        bed.node.command(bed.now, command, &mut bed.out)
    };
    assert_eq!(add(17, None), Err(Misuse::TooLarge { limit: "dialogs" }));
    let (good, sequence) = dialog();
    let long = [b'x'; 8_192];
    let too_long = Dialog {
        local_tag: &long,
        ..good
    };
    let limit = "registration_bytes";
    assert_eq!(
        add(1, Some((too_long, sequence))),
        Err(Misuse::TooLarge { limit })
    );
    for bad in [
        Dialog {
            remote_uri: b"sip:bob@biloxi.example\r\nX: y",
            ..good
        },
        Dialog {
            call_id: b"",
            ..good
        },
        Dialog {
            remote_target: b"",
            ..good
        },
        Dialog {
            route_set: b"<sip:a",
            ..good
        },
    ] {
        let refused = add(1, Some((bad, sequence)));
        assert!(matches!(refused, Err(Misuse::BadCommand(_))), "{refused:?}");
    }
    let out = bed.inactive(Cause::Purge);
    assert_eq!(asked(&out).len(), 16);
    let mut config = plain();
    config.limits.dialogs = 17;
    assert_eq!(config.check().unwrap_err().field, "limits.dialogs");
}

/// [MS-2] A dialog of a subscriber who is not registered here is none of this node's.
#[test]
fn of_a_stranger() {
    let mut bed = Bed::registered(plain());
    for command in [
        mscics::Command::DialogAdded {
            private_identity: b"somebody",
            public_identity: OTHER.as_bytes(),
            dialog: NewDialog {
                dialog: DialogRef(1),
                held: None,
            },
        },
        mscics::Command::DialogEnded {
            private_identity: b"somebody",
            dialog: DialogRef(1),
        },
        mscics::Command::Returned {
            private_identity: b"somebody",
        },
        mscics::Command::Inactive {
            private_identity: b"somebody",
            cause: Cause::Purge,
        },
    ] {
        assert_eq!(bed.command(command), Verdict::NotMine);
    }
    assert_eq!(bed.take(), []);
    let answer: drive::Answer<'_, mscics::Mscics> = Answer::Timeout;
    let unknown = drive::Token::from_u64(1);
    let refused = bed.node.answer(bed.now, unknown, answer, &mut bed.out);
    assert_eq!(refused, Err(Misuse::UnknownToken));
}
