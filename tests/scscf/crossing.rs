//! What crosses: a second REGISTER, a new registration, a SUBSCRIBE, answers late, twice or never.

use super::support::*;
use ims_procedures::{
    drive::{Misuse, Node, Outbox, Role, Source, TransactionRef, Verdict},
    regevent::notifier::End,
    scscf::{Answer, Assignment, Command, Scscf},
    wire::defect::HEADER_TOO_LARGE,
};

fn outcomes(outs: &[Out]) -> Vec<Assignment> {
    let outcome = |out: &Out| match out {
        Out::Event(Ev::Deregistered { outcome, .. }) => Some(outcome.assignment),
        _ => None,
    };
    outs.iter().filter_map(outcome).collect()
}

/// [SD-3] A second REGISTER for the same contact while the first one waits for the HSS: answered at once,
/// one outcome.
#[test]
fn second_while_first_runs() {
    let mut host = Host::registered();
    let [release] = host.receive(register()).try_into().unwrap();
    let outs = host.receive(register().replace("CSeq: 1 ", "CSeq: 2 "));
    assert_eq!(outs.len(), 1);
    assert_eq!(outs[0].status(), 200);
    // With another Call-ID it names what is gone: the HSS is asked before the 481.
    let other = register().replace("r-call-1", "r-call-2");
    let [event, checking] = host.receive(other).try_into().unwrap();
    assert!(matches!(event, Out::Event(Ev::Suspicious { .. })));
    let [gone] = host.answer(&checking, Answer::Failed).try_into().unwrap();
    assert_eq!(gone.status(), 481);

    let outs = host.run_procedure(vec![release]);
    assert_eq!(outs[0].status(), 200);
    let [third_party] = host.ticks().try_into().unwrap();
    assert_eq!(outcomes(&host.respond(&third_party, 200)).len(), 1);
}

/// [SD-3] Two contacts of one user, each removed by a REGISTER of its own, both at once: the HSS is told by
/// the one that finds no binding left.
#[test]
fn two_contacts_at_once() {
    let mut host = Host::registered();
    let second = Registration {
        call_id: "ue-call-2",
        ..Registration::of("sip:192.0.2.20", "")
    };
    host.learn(&second);
    let [first] = host.receive(register()).try_into().unwrap();
    let other = register()
        .replace("[2001:db8::aaa:bbb]:1357;comp=sigcomp", "192.0.2.20")
        .replace(&format!(";{INSTANCE};reg-id=1"), "")
        .replace("r-call-1", "r-call-2");
    let [second] = host.receive(other).try_into().unwrap();
    let mut all = host.run_procedure(vec![first]);
    all.extend(host.run_procedure(vec![second]));
    let third_parties = host.ticks();
    for third_party in &third_parties {
        all.extend(host.respond(third_party, 200));
    }
    let responses = all
        .iter()
        .filter(|out| matches!(out, Out::Respond { status: 200, .. }));
    assert_eq!(responses.count(), 2);
    assert_eq!(outcomes(&all).len(), 2);
}

/// [SD-4] The user registers again while an application server is being told of the end: the outcome comes when it has
/// answered, which is when the host may tell it of the new registration.
#[test]
fn registers_again_while_a_server_is_told() {
    let mut host = Host::registered();
    let asked = host.receive(register());
    host.run_procedure(asked);
    let [third_party] = host.ticks().try_into().unwrap();
    assert!(third_party.is_register());
    let anew = Registration {
        cseq: 11,
        ..Registration::default()
    };
    host.learn(&anew);
    assert_eq!(outcomes(&host.wait(39_999)), []);
    assert_eq!(outcomes(&host.respond(&third_party, 200)).len(), 1);
    assert!(host.node.is_registered(PUBLIC.as_bytes()));
}

/// [SD-3] The user registers again while he is deregistered: the HSS is not told that he is gone, the 200
/// shows the new binding, and no application server loses him.
#[test]
fn registers_again_before_the_hss() {
    let mut host = Host::registered();
    host.subscribe();
    let [release] = host.receive(register()).try_into().unwrap();
    host.learn(&Registration {
        call_id: "ue-call-7",
        cseq: 1,
        ..Registration::default()
    });
    let [notify] = host.ticks().try_into().unwrap();
    let text = notify.bytes();
    assert!(text.contains("Subscription-State: active"), "{text}");
    assert_eq!(
        text.matches("c0\" state=\"terminated\" event=\"unregistered\"")
            .count(),
        2
    );
    assert!(text.contains("c1\" state=\"active\" event=\"registered\""));
    host.respond(&notify, 200);

    let [ok, done] = host.answer(&release, Answer::Released).try_into().unwrap();
    assert_eq!(outcomes(&[done]), [Assignment::NotNeeded]);
    let contacts: Vec<_> = ok
        .bytes()
        .lines()
        .filter(|line| line.starts_with("Contact: "))
        .collect();
    assert_eq!(
        contacts,
        [format!(
            "Contact: <{CONTACT}>;{INSTANCE};reg-id=1;expires=3600"
        )]
    );
    assert!(host.node.is_registered(PUBLIC.as_bytes()));
}

/// [SD-4] … after the HSS was told, before the application servers were.
#[test]
fn registers_again_before_the_servers() {
    let mut host = Host::registered();
    host.subscribe();
    let outs = host.deregister();
    assert_eq!(outs.len(), 1);
    host.learn(&Registration {
        call_id: "ue-call-7",
        cseq: 1,
        ..Registration::default()
    });
    let outs = host.ticks();
    let notify = &outs[0];
    assert!(
        notify.bytes().contains("Subscription-State: active"),
        "kept: {}",
        notify.bytes()
    );
    assert_eq!(outcomes(&outs).len(), 1);
    assert!(!outs.iter().any(Out::is_register), "{outs:?}");
}

/// [RN-4] … when the final NOTIFY is out already: that subscription ends all the same, and a new one begins.
#[test]
fn registers_again_after_the_last_notify() {
    let mut host = Host::registered();
    let (accepted, _) = host.subscribe();
    host.deregister();
    let [last, _] = host.ticks().try_into().unwrap();
    assert!(last.bytes().contains("terminated;reason=noresource"));
    host.learn(&Registration {
        call_id: "ue-call-7",
        cseq: 1,
        ..Registration::default()
    });
    let to = header(accepted.bytes(), "To").unwrap();
    let refresh = subscribe()
        .replace(&format!("To: <{PUBLIC}>"), &format!("To: {to}"))
        .replace("CSeq: 1 ", "CSeq: 2 ");
    assert_eq!(host.receive(refresh)[0].status(), 481);
    let anew = host.receive(subscribe().replace("s-call-1", "s-call-2"));
    assert_eq!(anew[0].status(), 200);
    assert_eq!(
        host.node.subscribers(PUBLIC.as_bytes()),
        1,
        "the same Contact: replaced"
    );
    assert!(anew[2].bytes().contains("version=\"0\""));
    assert!(host.respond(&last, 200).is_empty(), "too late");
    assert_eq!(host.node.counters().stale_answers, 1);
}

/// [SD-2] While the verdict is out the contact is registered anew: judged by what is there then.
#[test]
fn registers_again_before_the_verdict() {
    let mut host = Host::registered();
    let own = Registration::default().removal("ue-call-1", 11);
    let [ask] = host.receive(own).try_into().unwrap();
    host.learn(&Registration {
        cseq: 12,
        ..Registration::default()
    });
    let [late] = host.answer(&ask, Answer::Authenticated).try_into().unwrap();
    assert_eq!(late.status(), 500, "its CSeq is behind");
    assert!(host.node.is_registered(PUBLIC.as_bytes()));
}

/// [RN-4] A NOTIFY answered with a killing code, or not at all, ends its subscription, not the registration.
#[test]
fn notify_fails() {
    for (status, ends) in [
        (481, true),
        (489, true),
        (404, true),
        (500, false),
        (503, false),
        (408, false),
    ] {
        let mut host = Host::registered();
        let outs = host.receive(subscribe());
        let answered = host.respond(&outs[2], status);
        assert_eq!(!answered.is_empty(), ends, "{status}");
        assert_eq!(host.node.subscribers(PUBLIC.as_bytes()), usize::from(!ends));
        if ends {
            assert_eq!(answered, [Out::Event(Ev::Ended(End::Refused { status }))]);
        }
        assert!(host.node.is_registered(PUBLIC.as_bytes()));
    }
    let mut host = Host::registered();
    host.receive(subscribe());
    assert!(host.wait(39_999).is_empty());
    assert_eq!(host.wait(1), [Out::Event(Ev::Ended(End::NoResponse))]);
}

/// [RN-4] Nobody answers anything: every procedure ends, and nothing is left.
#[test]
fn nobody_answers() {
    let mut host = Host::registered();
    host.subscribe();
    host.receive(register());
    let outs = host.run(200_000);
    assert_eq!(
        outs.iter()
            .filter(|out| matches!(out, Out::Respond { status: 200, .. }))
            .count(),
        1
    );
    assert_eq!(outcomes(&outs), [Assignment::NoAnswer]);
    assert!(outs.contains(&Out::Event(Ev::Ended(End::NoResource))));
    assert_eq!(host.node.sets(), 0);
    assert_eq!(host.node.deadline(), None);
}

/// [DR-4, T65] A million users come and go; here a thousand, and nothing is left of them.
#[test]
fn nothing_is_left() {
    let mut host = Host::new(config());
    for _ in 0..1_000 {
        host.learn(&Registration::default());
        host.subscribe();
        let outs = host.deregister();
        assert_eq!(outs[0].status(), 200);
        for out in host.ticks() {
            host.respond(&out, 200);
        }
        host.run(64_000);
        assert_eq!(host.node.sets(), 0);
        assert_eq!(host.node.deadline(), None);
    }
}

/// What is given to a node through one of its doors.
type Door<'d> = &'d mut dyn FnMut(&mut Host, &mut Outbox<Scscf>) -> Result<(), Misuse>;

/// [DR-4] Every door: with exactly the room of one step it opens; with one output or one byte less it does
/// not, and nothing has changed.
#[test]
fn no_room() {
    let (outputs, bytes) = (Scscf::STEP_OUTPUTS, Scscf::STEP_BYTES);
    let mut host = Host::registered();
    host.subscribe();
    let [release] = host.receive(register()).try_into().unwrap();
    host.now = host.now.after(3_600_000);
    let token = release.token();
    let anew = Registration {
        call_id: "ue-call-7",
        ..Registration::default()
    };
    let register = Registration::default().removal("ue-call-9", 1);
    let (request, response) = (anew.request(), anew.response());
    let mut doors: [(&str, Door<'_>); 4] = [
        ("receive", &mut |host, out| {
            let (from, txn) = (Source::TrustedCore, TransactionRef(9));
            let taken = host
                .node
                .receive(host.now, from, txn, register.as_bytes(), out);
            taken.map(|verdict| assert_eq!(verdict, Verdict::Handled))
        }),
        ("command", &mut |host, out| {
            let command = Command::Learn {
                request: request.as_bytes(),
                response: response.as_bytes(),
                private_identity: None,
            };
            let taken = host.node.command(host.now, command, out);
            taken.map(|verdict| assert_eq!(verdict, Verdict::Handled))
        }),
        ("answer", &mut |host, out| {
            let answer = ims_procedures::drive::Answer::Role(Answer::Released);
            host.node.answer(host.now, token, answer, out)
        }),
        ("tick", &mut |host, out| host.node.tick(host.now, out)),
    ];
    for (name, door) in &mut doors {
        let before = blob(&host);
        for mut small in [
            Outbox::<Scscf>::with_room(outputs - 1, bytes),
            Outbox::with_room(outputs, bytes - 1),
        ] {
            let refused = door(&mut host, &mut small);
            assert_eq!(
                refused,
                Err(Misuse::OutboxFull { outputs, bytes }),
                "{name}"
            );
            assert!(small.is_empty());
            assert_eq!(blob(&host), before, "{name}");
            assert_eq!(host.node.time_backwards(), 0);
        }
        door(&mut host, &mut Outbox::with_room(outputs, bytes)).unwrap();
        assert_ne!(blob(&host), before, "{name}");
    }
}

/// [DR-5] A message within its own bound whose one header is past the bound of a header: refused with that
/// defect; at the bound it is read.
#[test]
fn long_header() {
    let mut host = Host::registered();
    let before = blob(&host);
    for (length, defect) in [
        (16_384, None),
        (16_385, Some(&HEADER_TOO_LARGE)),
        (64_000, Some(&HEADER_TOO_LARGE)),
    ] {
        let long = format!("X-Long: {}\r\nMax-Forwards", "x".repeat(length));
        let options = register()
            .replace("Max-Forwards", &long)
            .replace("REGISTER", "OPTIONS");
        let register = register().replace("Max-Forwards", &long);
        assert!(register.len() < 65_535);
        for (bytes, is_register) in [(options, false), (register, true)] {
            match defect {
                Some(defect) => {
                    let (verdict, outs) = host.receive_from(Source::TrustedCore, bytes.as_bytes());
                    assert!(
                        matches!(verdict, Verdict::Rejected(reject) if reject.defect == defect),
                        "{verdict:?}"
                    );
                    let [answer] = &outs[..] else {
                        panic!("{outs:?}")
                    };
                    assert_eq!(answer.status(), 513);
                    assert_eq!(blob(&host), before);
                }
                None if is_register => {
                    let outs = Host::registered().receive(&bytes);
                    assert!(matches!(outs[..], [Out::Ask { .. }]), "{outs:?}");
                }
                None => assert!(host.receive(&bytes).is_empty()),
            }
        }
    }
    assert_eq!(host.node.counters().malformed, 4);
}

fn blob(host: &Host) -> Vec<u8> {
    let mut blob = Vec::new();
    host.node.snapshot(host.now, &mut blob);
    blob
}

/// [DR-4] The largest step fits the room that is promised: the longest request, the fullest set.
#[test]
fn largest_step() {
    let mut config = config();
    config.limits.registration_bytes = 16_384;
    let mut host = Host::new(config);
    for place in 0..16 {
        let params = format!(";x=\"{}\"", "y".repeat(800));
        host.learn(&Registration::of(&format!("sip:192.0.2.{place}"), &params));
    }
    let (accepted, notify) = host.subscribe();
    assert!(notify.bytes().len() > 25_000);
    assert_eq!(accepted.status(), 200);
    let star = Registration {
        contacts: vec!["*".into()],
        ..Registration::default()
    }
    .removal("x", 1);
    let vias = "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKvia\r\n".repeat(240);
    let star = star.replace("Max-Forwards", &format!("{vias}Max-Forwards"));
    let path = |length| {
        format!(
            "Path: <sip:{}.example;lr>\r\nMax-Forwards",
            "p".repeat(length)
        )
    };
    let outs = host.receive(star.replace("Max-Forwards", &path(6_000)));
    assert_eq!(outs[0].status(), 513);
    assert!(outs[0].bytes().len() > 10_000);
    let outs = host.receive(star.replace("Max-Forwards", &path(4_000)));
    let outs = host.run_procedure(outs);
    assert_eq!(outs[0].status(), 200);
    assert!(outs[0].bytes().len() > 28_000, "{}", outs[0].bytes().len());
    // What is refused at once is copied from the whole request.
    let vias = format!(
        "Via: SIP/2.0/UDP {};branch=z9hG4bKv\r\n",
        "v".repeat(15_900)
    )
    .repeat(4);
    let long = register().replace("Max-Forwards", &format!("{vias}Max-Forwards"));
    assert!((64_000..65_536).contains(&long.len()), "{}", long.len());
    let [refused] = host.receive(long).try_into().unwrap();
    assert_eq!(refused.status(), 513);
    assert!(refused.bytes().len() > 64_000);
}

/// [DR-4] … and the longest SUBSCRIBE to the set with the longest document.
#[test]
fn largest_subscription() {
    let mut config = config();
    config.limits.registration_bytes = 16_384;
    let mut host = Host::new(config);
    let mut learned = 0;
    for place in 0..16 {
        let params = format!(";x=\"{}\"", "<".repeat(400));
        let more = Registration::of(&format!("sip:192.0.2.{place}"), &params);
        let taken = host.learn_bytes(more.request().as_bytes(), more.response().as_bytes());
        learned += usize::from(taken.is_ok());
    }
    assert!((8..16).contains(&learned), "{learned}");
    let routes = format!("Record-Route: <sip:{}.example;lr>\r\n", "r".repeat(16_000));
    let vias = format!(
        "Via: SIP/2.0/UDP {};branch=z9hG4bKv\r\n",
        "v".repeat(15_900)
    )
    .repeat(3);
    let long = subscribe().replace("Event", &format!("{routes}{vias}Event"));
    assert!((64_000..65_536).contains(&long.len()), "{}", long.len());
    let outs = host.receive(&long);
    let [accepted, _, notify] = outs.try_into().unwrap();
    assert_eq!(accepted.status(), 200);
    assert!(accepted.bytes().len() > 64_000);
    let body = notify.bytes().split_once("\r\n\r\n").unwrap().1;
    assert_eq!(body.matches("<contact ").count(), 2 * learned);
    assert!(
        notify.bytes().len() > 16_000 + 30_000,
        "{}",
        notify.bytes().len()
    );
}

/// [SD-3, T42] A P-CSCF's REGISTER that comes again after the user has registered anew does not remove the
/// new binding; a deregistration of its own does.
#[test]
fn repeated_after_a_new_registration() {
    let mut host = Host::registered();
    let [release] = host.receive(register()).try_into().unwrap();
    let anew = Registration {
        call_id: "ue-call-7",
        cseq: 1,
        ..Registration::default()
    };
    host.learn(&anew);
    host.answer(&release, Answer::Released);
    let [again] = host
        .receive(register().replace("CSeq: 1 ", "CSeq: 2 "))
        .try_into()
        .unwrap();
    assert_eq!(again.status(), 200);
    assert!(
        again.bytes().contains("reg-id=1;expires=3600\r\n"),
        "{}",
        again.bytes()
    );
    assert!(host.node.is_registered(PUBLIC.as_bytes()));
    let [release] = host
        .receive(register().replace("r-call-1", "r-call-2"))
        .try_into()
        .unwrap();
    assert!(matches!(
        release,
        Out::Ask {
            ask: Ask::DialogRelease { .. },
            ..
        }
    ));
    assert!(!host.node.is_registered(PUBLIC.as_bytes()));
}

/// [SD-3] A user who keeps one Call-ID deregisters as often as he registers.
#[test]
fn one_call_id() {
    let mut host = Host::new(config());
    for round in 0..3 {
        let cseq = 10 + 2 * round;
        host.learn(&Registration {
            cseq,
            ..Registration::default()
        });
        let own = Registration::default().removal("ue-call-1", cseq + 1);
        let outs = host.receive(own);
        let outs = host.run_procedure(outs);
        assert_eq!(outs[0].status(), 200);
        assert!(!host.node.is_registered(PUBLIC.as_bytes()), "round {round}");
        for out in host.ticks() {
            host.respond(&out, 200);
        }
    }
}
