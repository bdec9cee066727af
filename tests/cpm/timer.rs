//! CO-3, CT-3: what the re-INVITE that deletes streams keeps of the dialog, and takes over: the session timer (RFC 4028),
//! and the remote target.

use ims_procedures::{
    cpm::{Command, Event, SessionTimer},
    drive::Answer,
};

use crate::{
    messages::Session,
    support::{Host, Out, SESSION, STREAMS},
};

const FUNCTIONS: [&str; 2] = ["originating", "terminating"];

fn refreshed(timer: Option<SessionTimer>) -> Out {
    Out::Event(Event::SessionRefreshed {
        session: SESSION,
        timer,
    })
}

/// A session with a timer, and its first re-INVITE. This end has answered the INVITE: it is the UAS.
#[track_caller]
fn reinvited(function: &'static str, values: &[(&str, &str)]) -> (Host, Out) {
    let mut host = Host::with(Session::of_three(function, values), STREAMS);
    let [_, _, invite] = host.receive("bye_from_iwf2").try_into().unwrap();
    host.expect("reinvite_1", &invite);
    (host, invite)
}

/// [CO-3, CT-3] [RFC 4028 7.4] The interval stays as it was, and so does who refreshes; Min-SE stands where it is not 90,
/// and the interval is no smaller. The 2xx says what is agreed from then on: the host hears of it, and the next re-INVITE
/// keeps that.
#[test]
fn kept() {
    for function in FUNCTIONS {
        for (agreed, smallest, kept) in [
            ("1800;refresher=uas", "", "1800;refresher=uac"),
            ("1800;refresher=uac", "300", "1800;refresher=uas"),
            ("1800", "90", "1800;refresher=uas"),
            ("240;refresher=uas", "300", "300;refresher=uac"),
        ] {
            let (mut host, invite) = reinvited(
                function,
                &[
                    ("timer", "timer"),
                    ("asked-interval", "1800"),
                    ("asked-smallest", smallest),
                    ("agreed-interval", agreed),
                    ("kept-interval", kept),
                    (
                        "kept-smallest",
                        if smallest == "90" { "" } else { smallest },
                    ),
                    ("refreshed-interval", "600;refresher=uac"),
                ],
            );
            let [ack, event, _] = host
                .respond(&invite, "reinvite_1_200", "200 OK")
                .try_into()
                .unwrap();
            host.expect("reinvite_1_ack", &ack);
            let timer = SessionTimer {
                interval: 600,
                smallest: smallest.parse().unwrap_or(90),
                is_ours: true,
            };
            assert_eq!(event, refreshed(Some(timer)));
            host.restart(2);
            host.offered_again();
            host.session
                .values
                .set("kept-interval", "600;refresher=uac");
            let outs = host.receive("bye_from_iwf1");
            host.expect("reinvite_2", &outs[2]);
        }
    }
}

/// [CO-3, CT-3] [RFC 4028 7.2] A 2xx without Session-Expires: there is no timer any more, and no word of it.
#[test]
fn ended() {
    for function in FUNCTIONS {
        let (mut host, invite) = reinvited(
            function,
            &[
                ("timer", "timer"),
                ("agreed-interval", "1800;refresher=uac"),
                ("kept-interval", "1800;refresher=uas"),
            ],
        );
        let outs = host.respond(&invite, "reinvite_1_200", "200 OK");
        assert_eq!(outs[1], refreshed(None));
        host.session
            .values
            .set("timer", "")
            .set("kept-interval", "");
        let outs = host.receive("bye_from_iwf1");
        host.expect("reinvite_2", &outs[2]);
        let outs = host.respond(&outs[2], "reinvite_2_200", "200 OK");
        assert!(!outs.contains(&refreshed(None)), "there was none");
    }
}

/// [CO-3, CT-3] [RFC 4028 7.3] 422: it is sent again with the interval that is wanted, at once; without a larger Min-SE
/// it is a failure as others are.
#[test]
fn too_small() {
    let values = [
        ("timer", "timer"),
        ("agreed-interval", "100;refresher=uac"),
        ("kept-interval", "100;refresher=uas"),
        ("wanted-smallest", "500"),
    ];
    for function in FUNCTIONS {
        let (mut host, invite) = reinvited(function, &values);
        let [again] = host
            .respond(
                &invite,
                "reinvite_1_refused",
                "422 Session Interval Too Small",
            )
            .try_into()
            .unwrap();
        let next = &mut host.session.values;
        next.set("kept-interval", "500;refresher=uas")
            .set("kept-smallest", "500");
        host.expect("reinvite_1_again", &again);
        for smallest in ["", "90", "100"] {
            let mut values = values;
            values[3].1 = smallest;
            let (mut host, invite) = reinvited(function, &values);
            let outs = host.respond(&invite, "reinvite_1_refused", "422 x");
            let failed = Event::StreamDeletionFailed {
                session: SESSION,
                iwf: 1,
                status: 422,
            };
            assert_eq!(outs, [Out::Event(failed)], "{smallest}");
        }
    }
}

/// [CO-3, CT-3] [RFC 4028 7.4] What the host says of the timer is what is kept.
#[test]
fn said_by_host() {
    for timer in [None, Some(("700;refresher=uac", "200"))] {
        let values = [
            ("timer", "timer"),
            ("agreed-interval", "1800;refresher=uac"),
        ];
        let mut host = Host::with(Session::of_three("originating", &values), STREAMS);
        let said = timer.map(|_| SessionTimer {
            interval: 700,
            smallest: 200,
            is_ours: true,
        });
        host.command(Command::SetSessionTimer {
            session: SESSION,
            timer: said,
        })
        .unwrap();
        let (interval, smallest) = timer.unwrap_or_default();
        let values = &mut host.session.values;
        values.set("timer", if timer.is_some() { "timer" } else { "" });
        values
            .set("kept-interval", interval)
            .set("kept-smallest", smallest);
        let outs = host.receive("bye_from_iwf2");
        host.expect("reinvite_1", &outs[2]);
    }
}

/// [CO-3, CT-3] [RFC 3261 12.2.1.2] A 2xx with another Contact: the ACK goes there, and what follows; one that cannot be
/// used changes nothing, and the stream is deleted all the same.
#[test]
fn another_target() {
    for function in FUNCTIONS {
        for (contact, is_used) in [
            ("<sip:moved@192.0.2.99:5066>", true),
            ("<tel:+1234>", false),
            ("*", false),
        ] {
            let (mut host, invite) = reinvited(function, &[]);
            let ok = String::from_utf8(host.session.answer("reinvite_1_200", "200 OK")).unwrap();
            let (head, rest) = ok.split_once("\r\nContact: ").unwrap();
            let (old, rest) = rest.split_once("\r\n").unwrap();
            let ok = format!("{head}\r\nContact: {contact}\r\n{rest}");
            let target = if is_used { contact } else { old };
            let target = target.split(['<', '>']).nth(1).unwrap();
            let outs = host.answer(&invite, Answer::Response(ok.as_bytes()));
            let expected = format!("ACK {target} SIP/2.0\r\n");
            assert!(outs[0].text().starts_with(&expected), "{}", outs[0].text());
            assert_eq!(outs.len(), 2);
            host.restart(2);
            let ack = host.offered_again().pop().unwrap();
            assert_eq!(ack.bytes(), outs[0].bytes());
            host.command(Command::Close {
                session: SESSION,
                reason: b"",
            })
            .unwrap();
            let storage = host.drain().pop().unwrap();
            let bye = host.stored(&storage)[0].text();
            assert!(
                bye.starts_with(&format!("BYE {target} SIP/2.0\r\n")),
                "{bye}"
            );
        }
    }
}
