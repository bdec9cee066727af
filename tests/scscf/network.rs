//! [SD-5, SD-6] What the network ends, and has authenticated anew.

use super::support::*;
use ims_procedures::{
    drive::{Misuse, Node, Verdict},
    regevent::notifier::End,
    reginfo::{ContactEvent, ContactState, Document, RegistrationState},
    scscf::{
        Answer, Assignment, AssignmentKind, Cause, Command, Config, DeregistrationReason, Dialogs,
        Outcome, PublicIdentity, TerminationReason,
    },
};

use ContactEvent::{Deactivated, Expired, Probation, Rejected, Unregistered};
use DeregistrationReason::{
    AuthenticationFailed, AuthenticationTimeout, Maintenance, Refused, TooMuchData, WaitAndRetry,
};
use TerminationReason::{NewServerAssigned, PermanentTermination, RemoveScscf, ServerChange};

const OTHER: &str = "user1_other@home1.example.net";
const SECOND: &str = "sip:192.0.2.20";
const SOS: &str = "sip:192.0.2.30;sos";

pub fn read(notify: &Out) -> Document {
    let (_, body) = notify.bytes().split_once("\r\n\r\n").unwrap();
    Document::read(body.as_bytes(), &config().limits).unwrap()
}

/// What started a deregistration.
fn start(host: &mut Host, cause: Cause) -> Vec<Out> {
    let mut outs = match cause {
        Cause::Pcscf => host.receive(register()),
        Cause::User => host.receive(Registration::default().removal("ue-call-1", 11)),
        Cause::Expired => host.run(3_600_000),
        Cause::Operator(reason) => host.end(reason).1,
        Cause::Hss(reason) => host.terminate(reason).1,
        Cause::NotReauthenticated => {
            assert_eq!(reauthenticate(host, 60), Verdict::Handled);
            let [notify] = host.ticks().try_into().unwrap();
            host.respond(&notify, 200);
            host.run(60_000)
        }
        other => panic!("{other:?}"),
    };
    outs.extend(host.ticks());
    outs
}

pub fn reauthenticate(host: &mut Host, expires: u32) -> Verdict {
    let command = Command::Reauthenticate {
        public_identity: PUBLIC.as_bytes(),
        private_identity: None,
        expires,
    };
    let (verdict, outs) = host.command(command);
    assert!(outs.is_empty(), "a NOTIFY goes out by a step of its own");
    verdict
}

/// Another private identity of the same set, with a contact of its own.
fn other_user() -> Registration {
    Registration {
        private: OTHER,
        call_id: "ue-call-2",
        ..Registration::of(SECOND, "")
    }
}

/// An emergency registration of the user of the fixtures.
fn emergency() -> Registration {
    Registration {
        call_id: "ue-call-3",
        ..Registration::of(SOS, "")
    }
}

/// Everything that happens until all is quiet; whatever is asked or sent is answered well.
pub fn settle(host: &mut Host, first: Vec<Out>) -> Vec<Out> {
    let mut all = Vec::new();
    let mut outs = first;
    loop {
        outs.extend(host.ticks());
        if outs.is_empty() {
            return all;
        }
        let mut next = Vec::new();
        for out in outs {
            if let Out::Request { .. } = &out {
                next.extend(host.respond(&out, 200));
            }
            let asked = match &out {
                Out::Ask { .. } => Vec::from([out.clone()]),
                _ => Vec::new(),
            };
            next.extend(host.run_procedure_once(asked));
            all.push(out);
        }
        outs = next;
    }
}

pub fn outcomes(outs: &[Out]) -> Vec<(String, Cause, Outcome)> {
    let outcome = |out: &Out| match out {
        Out::Event(Ev::Deregistered {
            private,
            cause,
            outcome,
            ..
        }) => Some((private.clone(), *cause, *outcome)),
        _ => None,
    };
    outs.iter().filter_map(outcome).collect()
}

pub fn codes(outs: &[Out]) -> Vec<u32> {
    let code = |out: &Out| match out {
        Out::Ask {
            ask: Ask::ServerAssignment { code, .. },
            ..
        } => Some(*code),
        _ => None,
    };
    outs.iter().filter_map(code).collect()
}

/// [S0 SD-5, SD-4, SD-6, RN-2, RN-4, T47] Every cause, maintenance and a user without funds (S0 L1) among them: what the HSS is told (TS 29.229 6.3.15), the event of the contact,
/// the end of the subscription, the application servers. The rows are those of SPEC-FACTS B.9.
#[test]
fn causes() {
    let retry = WaitAndRetry { retry_after: 90 };
    let rows = [
        (Cause::User, Some((5, 7)), Some(Unregistered)),
        (Cause::Pcscf, Some((5, 7)), Some(Unregistered)),
        (Cause::Expired, Some((4, 6)), Some(Expired)),
        (Cause::NotReauthenticated, Some((4, 6)), Some(Deactivated)),
        (
            Cause::Operator(Maintenance),
            Some((8, 8)),
            Some(Deactivated),
        ),
        (Cause::Operator(Refused), Some((8, 8)), Some(Rejected)),
        (Cause::Operator(retry), Some((8, 8)), Some(Probation)),
        (
            Cause::Operator(AuthenticationFailed),
            Some((9, 9)),
            Some(Rejected),
        ),
        (
            Cause::Operator(AuthenticationTimeout),
            Some((10, 10)),
            Some(Deactivated),
        ),
        (Cause::Operator(TooMuchData), Some((11, 11)), Some(Rejected)),
        (Cause::Hss(PermanentTermination), None, Some(Rejected)),
        (Cause::Hss(ServerChange), None, Some(Deactivated)),
        (Cause::Hss(NewServerAssigned), None, None),
    ];
    for (cause, codes_due, event) in rows {
        for keep in [false, true] {
            row(cause, keep, codes_due, event);
        }
    }
}

fn row(cause: Cause, keep: bool, codes_due: Option<(u32, u32)>, event: Option<ContactEvent>) {
    let mut config: Config = config();
    config.keep_server_name = keep;
    let mut host = Host::registered_with(config);
    host.subscribe();
    let outs = start(&mut host, cause);
    let outs = settle(&mut host, outs);

    let code = codes_due.map(|(drop, store)| if keep { store } else { drop });
    assert_eq!(codes(&outs), Vec::from_iter(code), "{cause:?}");
    let kept = cause.assignment(keep).map(AssignmentKind::code);
    assert_eq!(kept, code);

    let notifies: Vec<_> = outs.iter().filter(|out| out.is_notify()).collect();
    assert_eq!(notifies.len(), usize::from(event.is_some()), "{cause:?}");
    for notify in notifies {
        let state = header(notify.bytes(), "Subscription-State");
        assert_eq!(state, Some("terminated;reason=noresource"), "{cause:?}");
        let document = read(notify);
        assert_eq!(document.registrations.len(), 2);
        for registration in &document.registrations {
            assert_eq!(registration.state, RegistrationState::Terminated);
            let contact = &registration.contacts[0];
            assert_eq!(contact.event, event, "{cause:?}");
            assert_eq!(contact.state, ContactState::Terminated);
            let retry_after = (event == Some(Probation)).then_some(90);
            assert_eq!(
                (contact.expires, contact.retry_after),
                (Some(0), retry_after)
            );
        }
    }
    let end = match event {
        Some(_) => End::NoResource,
        None => End::Moved,
    };
    assert!(
        outs.contains(&Out::Event(Ev::Ended(end))),
        "{cause:?}: {outs:?}"
    );

    let told = event.is_some();
    let servers = outs.iter().filter(|out| out.is_register()).count();
    assert_eq!(servers, usize::from(told), "{cause:?}");
    let outcome = Outcome {
        dialogs: if told {
            Dialogs::Released
        } else {
            Dialogs::NotNeeded
        },
        assignment: match code {
            Some(_) => Assignment::Assigned,
            None => Assignment::NotNeeded,
        },
        servers_told: u8::from(told),
        servers_failed: 0,
    };
    assert_eq!(outcomes(&outs), [(PRIVATE.to_string(), cause, outcome)]);
    assert!(!host.node.is_registered(PUBLIC.as_bytes()));
    assert_eq!(host.node.subscribers(PUBLIC.as_bytes()), 0);
    host.run(64_000);
    assert_eq!(host.node.sets(), 0, "{cause:?}: nothing is left");
}

/// [SD-5] The reason that concerns no registration touches none; what is not here is nobody's.
#[test]
fn not_mine() {
    let mut host = Host::registered();
    assert_eq!(host.terminate(RemoveScscf), (Verdict::NotMine, Vec::new()));
    assert!(host.node.is_registered(PUBLIC.as_bytes()));
    for public_identity in [&b"sip:nobody@home1.example.net"[..], b"?"] {
        let commands = [
            Command::Deregister {
                public_identity,
                private_identity: None,
                reason: Refused,
            },
            Command::RegistrationTermination {
                public_identity,
                private_identities: &[],
                reason: ServerChange,
                application_servers: b"",
            },
            Command::Reauthenticate {
                public_identity,
                private_identity: None,
                expires: 1,
            },
        ];
        for command in commands {
            assert_eq!(host.command(command), (Verdict::NotMine, Vec::new()));
        }
    }
    let whose = Command::Deregister {
        public_identity: PUBLIC.as_bytes(),
        private_identity: Some(OTHER.as_bytes()),
        reason: Refused,
    };
    assert_eq!(host.command(whose).0, Verdict::NotMine);
    assert!(host.ticks().is_empty());
    // The codes of Reason-Code (TS 29.229 6.3.17).
    let reasons = [
        PermanentTermination,
        NewServerAssigned,
        ServerChange,
        RemoveScscf,
    ];
    for (code, reason) in (0..).zip(reasons) {
        assert_eq!(TerminationReason::of_code(code), Some(reason));
    }
    assert_eq!(TerminationReason::of_code(4), None);
}

/// [DR-2] A command that cannot be used is the host's mistake, and changes nothing.
#[test]
fn mistaken() {
    let mut host = Host::registered();
    let terminate = |private_identities, application_servers| Command::RegistrationTermination {
        public_identity: PUBLIC.as_bytes(),
        private_identities,
        reason: ServerChange,
        application_servers,
    };
    let many = vec![PRIVATE.as_bytes(); config().limits.contacts + 1];
    let long = vec!["<sip:as.example>"; 17].join(",");
    let reauthenticate = Command::Reauthenticate {
        public_identity: PUBLIC.as_bytes(),
        private_identity: None,
        expires: 0,
    };
    for command in [
        terminate(&many, b""),
        terminate(&[], long.as_bytes()),
        terminate(&[], b"<sip:as.example"),
        reauthenticate,
    ] {
        let refused = host.node.command(host.now, command, &mut host.out);
        let is_refused = matches!(
            refused,
            Err(Misuse::BadCommand(_) | Misuse::TooLarge { limit: "contacts" })
        );
        assert!(is_refused, "{refused:?}");
    }
    assert!(host.ticks().is_empty());
    assert!(host.node.is_registered(PUBLIC.as_bytes()));
}

/// [SD-5, SD-7] One private identity of two: its contacts go, `deactivated`; the other's stay, subscribers go on.
/// Then all of both: one outcome each, the application servers are told once.
#[test]
fn private_identities() {
    let mut host = Host::registered();
    host.learn(&other_user());
    host.subscribe();
    let one = Command::Deregister {
        public_identity: TEL.as_bytes(),
        private_identity: Some(OTHER.as_bytes()),
        reason: Maintenance,
    };
    let (verdict, outs) = host.command(one);
    assert_eq!((verdict, outs.len()), (Verdict::Handled, 0));
    assert_eq!(host.command(one).0, Verdict::NotMine, "done already");
    let outs = settle(&mut host, Vec::new());
    assert_eq!(codes(&outs), [8]);
    let [(who, _, outcome)] = outcomes(&outs).try_into().unwrap();
    assert_eq!((who.as_str(), outcome.servers_told), (OTHER, 0));
    let notify = outs.iter().find(|out| out.is_notify()).unwrap();
    let state = header(notify.bytes(), "Subscription-State").unwrap();
    assert!(state.starts_with("active;"), "{state}");
    let contacts = &read(notify).registrations[0].contacts;
    let events: Vec<_> = contacts.iter().map(|c| (c.state, c.event)).collect();
    let expected = [
        (ContactState::Active, Some(ContactEvent::Registered)),
        (ContactState::Terminated, Some(Deactivated)),
    ];
    assert_eq!(events, expected);

    let mut host = Host::registered();
    host.learn(&other_user());
    let command = Command::RegistrationTermination {
        public_identity: PUBLIC.as_bytes(),
        private_identities: &[PRIVATE.as_bytes(), OTHER.as_bytes()],
        reason: PermanentTermination,
        application_servers: SERVER,
    };
    let (verdict, outs) = host.command(command);
    assert_eq!(verdict, Verdict::Handled);
    let outs = settle(&mut host, outs);
    let told: Vec<_> = outcomes(&outs)
        .into_iter()
        .map(|(who, _, outcome)| (who, outcome.servers_told))
        .collect();
    assert_eq!(told, [(PRIVATE.to_string(), 0), (OTHER.to_string(), 1)]);
    assert_eq!(outs.iter().filter(|out| out.is_register()).count(), 1);
    assert_eq!(host.node.counters().removed_by_hss, 2);
}

/// [SD-5] Emergency registrations stay, and are named for the answer to the HSS (TS 29.228 6.1.3), whatever ends the
/// others; so they do when the time of the others is cut. Their own time ends them.
#[test]
fn emergencies() {
    for cause in [
        Cause::Hss(PermanentTermination),
        Cause::Hss(ServerChange),
        Cause::Hss(NewServerAssigned),
        Cause::Operator(Maintenance),
    ] {
        let mut host = Host::registered();
        host.learn(&emergency());
        host.subscribe();
        let outs = start(&mut host, cause);
        let spared = Ev::Spared {
            private: format!("<{PRIVATE}>"),
            public: format!("<{PUBLIC}>"),
        };
        assert_eq!(outs[0], Out::Event(spared));
        let outs = settle(&mut host, outs[1..].to_vec());
        assert!(
            codes(&outs).is_empty(),
            "the private identity keeps a binding"
        );
        assert_eq!(outcomes(&outs).len(), 1);
        let contacts: Vec<_> = host.node.contacts(PUBLIC.as_bytes()).collect();
        assert_eq!(contacts, [SOS.as_bytes()]);
        assert_eq!(host.node.subscribers(PUBLIC.as_bytes()), 1);
        let told = outs.iter().any(Out::is_notify);
        assert_eq!(told, cause != Cause::Hss(NewServerAssigned));
        let (again, outs) = host.end(Refused);
        assert_eq!(
            (again, outs.len()),
            (Verdict::Handled, 1),
            "only the emergency"
        );
        assert_eq!(reauthenticate(&mut host, 1), Verdict::NotMine);
        assert_eq!(host.node.counters().emergencies_spared, 2);
        let outs = host.run(3_600_000);
        let outs = settle(&mut host, outs);
        assert_eq!(outcomes(&outs)[0].1, Cause::Expired);
    }
}

/// [SD-5] What subscribers who stay are told after a part of the set has gone to another S-CSCF does not show that
/// part, and says everything.
#[test]
fn moved_in_part() {
    let mut config = config();
    config.notifier.partial_state = true;
    let mut host = Host::registered_with(config);
    host.learn(&other_user());
    host.subscribe();
    let command = Command::RegistrationTermination {
        public_identity: PUBLIC.as_bytes(),
        private_identities: &[OTHER.as_bytes()],
        reason: NewServerAssigned,
        application_servers: SERVER,
    };
    let outs = host.command(command).1;
    let outs = settle(&mut host, outs);
    assert_eq!(outcomes(&outs).len(), 1);
    assert_eq!(outs.len(), 1, "and nothing else: {outs:?}");
    let again = Registration {
        cseq: 11,
        ..Registration::default()
    };
    host.learn(&again);
    let [notify] = host.ticks().try_into().unwrap();
    assert!(notify.bytes().contains(" state=\"full\">"));
    assert!(!notify.bytes().contains(SECOND), "{}", notify.bytes());
}

/// [SD-5, SD-8] The HSS does not answer, or refuses: within the bound all is told and reported. What the profile at
/// hand says of application servers is done all the same; a name that is not kept is reported.
#[test]
fn hss_fails() {
    let served = |answer: Option<Answer<'_>>| {
        let mut host = Host::registered();
        host.subscribe();
        let [release] = start(&mut host, Cause::Operator(Maintenance))
            .try_into()
            .unwrap();
        let [assignment] = host.answer(&release, Answer::Released).try_into().unwrap();
        let outs = match answer {
            Some(answer) => host.answer(&assignment, answer),
            None => host.run(5_000),
        };
        let outs = settle(&mut host, outs);
        assert!(outs.iter().any(Out::is_notify));
        let [(_, _, outcome)] = outcomes(&outs).try_into().unwrap();
        (outcome.assignment, outcome.servers_told)
    };
    let application_servers = SERVER;
    assert_eq!(served(None), (Assignment::NoAnswer, 0));
    assert_eq!(served(Some(Answer::Failed)), (Assignment::Failed, 0));
    let refused = Answer::NotAssigned {
        application_servers,
    };
    assert_eq!(served(Some(refused)), (Assignment::Failed, 1));
    let not_kept = Answer::NameNotStored {
        application_servers,
    };
    assert_eq!(served(Some(not_kept)), (Assignment::NameNotStored, 1));
}

/// [SD-6] The time is cut, and told as `shortened`; the user registers in that time and is like any other.
#[test]
fn reauthenticated() {
    let mut host = Host::registered();
    host.subscribe();
    assert_eq!(reauthenticate(&mut host, 600), Verdict::Handled);
    let [notify] = host.ticks().try_into().unwrap();
    assert!(notify.bytes().contains("\r\nSubscription-State: active;"));
    for registration in read(&notify).registrations {
        assert_eq!(registration.state, RegistrationState::Active);
        let contact = &registration.contacts[0];
        assert_eq!(contact.event, Some(ContactEvent::Shortened));
        assert_eq!(
            (contact.state, contact.expires),
            (ContactState::Active, Some(600))
        );
    }
    host.respond(&notify, 200);
    // Never longer, and what is known is told to nobody.
    assert_eq!(reauthenticate(&mut host, 900), Verdict::Handled);
    assert!(host.ticks().is_empty());
    host.restart(2);
    host.run(599_000);
    let again = Registration {
        cseq: 11,
        ..Registration::default()
    };
    host.learn(&again);
    let [notify] = host.ticks().try_into().unwrap();
    let contact = &read(&notify).registrations[0].contacts[0];
    assert_eq!(contact.event, Some(ContactEvent::Refreshed));
    host.respond(&notify, 200);
    let outs = host.run(3_600_000);
    let outs = settle(&mut host, outs);
    assert_eq!(outcomes(&outs)[0].1, Cause::Expired);
    assert_eq!(
        host.node.counters().reauthentications,
        0,
        "counted before the restart"
    );
}

/// [SD-6] Of two contacts that end at one instant, one was cut: each is its own cause.
#[test]
fn cut_and_expired() {
    let mut host = Host::registered();
    host.subscribe();
    host.wait(3_590_000);
    assert_eq!(reauthenticate(&mut host, 5), Verdict::Handled);
    let fresh = Registration {
        call_id: "ue-call-4",
        granted: vec!["<sip:192.0.2.40>;expires=5".into()],
        ..Registration::of("sip:192.0.2.40", "")
    };
    host.learn(&fresh);
    let outs = host.run(5_000);
    let outs = settle(&mut host, outs);
    let causes: Vec<_> = outcomes(&outs).iter().map(|(_, cause, _)| *cause).collect();
    assert_eq!(causes, [Cause::NotReauthenticated, Cause::Expired]);
}

/// [SD-5, SD-7, T16] Barred identities go with the others, and the HSS is told of them; subscribers are not. A
/// wildcarded one is terminated as such.
#[test]
fn barred_and_wildcarded() {
    const BARRED: &str = "sip:barred@home1.example.net";
    const WILDCARD: &str = "sip:chat-!.*!@home1.example.net";
    let identity = |uri: &'static str| PublicIdentity {
        uri: uri.as_bytes(),
        barred: uri == BARRED,
    };
    for cause in [Cause::Operator(Refused), Cause::Hss(PermanentTermination)] {
        let mut host = Host::registered();
        let identities = [PUBLIC, BARRED, WILDCARD].map(identity);
        host.command(Command::ChangeProfile {
            public_identity: PUBLIC.as_bytes(),
            identities: &identities,
        });
        host.subscribe();
        let outs = start(&mut host, cause);
        let outs = settle(&mut host, outs);
        let told = outs.iter().find_map(|out| match out {
            Out::Ask {
                ask: Ask::ServerAssignment { public, .. },
                ..
            } => Some(public.clone()),
            _ => None,
        });
        let all = format!("<{PUBLIC}>,<{BARRED}>,<{WILDCARD}>");
        let expected = matches!(cause, Cause::Operator(_)).then_some(all);
        assert_eq!(told, expected);
        let notify = outs.iter().find(|out| out.is_notify()).unwrap();
        assert!(!notify.bytes().contains("barred@"));
        assert!(notify.bytes().contains(WILDCARD));
        let registrations = read(notify).registrations;
        assert_eq!(registrations.len(), 2);
        let ended = |state| state == RegistrationState::Terminated;
        assert!(registrations.iter().all(|one| ended(one.state)));
    }
}

/// [SD-5, DR-5] Registered and ended again and again while nobody answers: past a bound the command is refused, and the
/// registration stays; what runs ends in time.
#[test]
fn again_and_again() {
    let mut host = Host::new(config());
    let most = 4 * config().limits.contacts;
    let again = |host: &mut Host, number: usize| {
        host.learn(&Registration {
            cseq: 10 + number as u32,
            ..Registration::default()
        });
    };
    for number in 0..most {
        again(&mut host, number);
        assert_eq!(host.end(Refused), (Verdict::Handled, Vec::new()));
    }
    again(&mut host, most);
    let command = Command::Deregister {
        public_identity: PUBLIC.as_bytes(),
        private_identity: None,
        reason: Refused,
    };
    let refused = host.node.command(host.now, command, &mut host.out);
    assert_eq!(refused, Err(Misuse::TooLarge { limit: "contacts" }));
    assert!(host.node.is_registered(PUBLIC.as_bytes()));
    let outs = host.run(20_000);
    assert_eq!(outcomes(&outs).len(), most);
    assert_eq!(host.end(Refused).0, Verdict::Handled);
}
