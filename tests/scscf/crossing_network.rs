//! [SD-4, SD-5, SD-8] Every state of a deregistration against everything that can happen to it.

use super::{
    network::{codes, outcomes, reauthenticate, settle},
    support::*,
};
use ims_procedures::{
    drive::{self, Misuse, Node, Verdict},
    scscf::{Answer, Assignment, Cause, DeregistrationReason, Dialogs, TerminationReason},
};

use DeregistrationReason::{Maintenance, Refused};
use TerminationReason::{NewServerAssigned, PermanentTermination, ServerChange};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Authenticating,
    Releasing,
    Assigning,
    Checking,
    /// A third-party REGISTER is due.
    Due,
    /// It is out.
    Out,
    /// The network's, before its first question.
    Beginning,
    Leaving,
}

const STATES: [State; 8] = [
    State::Authenticating,
    State::Releasing,
    State::Assigning,
    State::Checking,
    State::Due,
    State::Out,
    State::Beginning,
    State::Leaving,
];

fn own() -> String {
    Registration::default().removal("ue-call-1", 11)
}

/// A node with one deregistration in that state, and what it waits for an answer to.
fn in_state(state: State) -> (Host, Option<super::support::Out>) {
    let mut host = match state {
        State::Checking => Host::new(config()),
        _ => Host::registered(),
    };
    if state != State::Checking {
        host.subscribe();
    }
    let asked = match state {
        State::Authenticating => host.receive(own()).pop(),
        State::Releasing => host.receive(register()).pop(),
        State::Checking => host.receive(register()).pop(),
        State::Assigning | State::Due | State::Out => {
            let release = host.receive(register()).pop().unwrap();
            let assignment = host.answer(&release, Answer::Released).pop().unwrap();
            if state == State::Assigning {
                Some(assignment)
            } else {
                let servers = Answer::Assigned {
                    application_servers: SERVER,
                };
                assert_eq!(host.answer(&assignment, servers)[0].status(), 200);
                match state {
                    State::Due => None,
                    _ => host.ticks().into_iter().find(Out::is_register),
                }
            }
        }
        State::Beginning => {
            assert_eq!(host.end(Maintenance), (Verdict::Handled, Vec::new()));
            None
        }
        State::Leaving => {
            let left = host.terminate(NewServerAssigned);
            assert_eq!(left, (Verdict::Handled, Vec::new()));
            None
        }
    };
    (host, asked)
}

const ANSWERS: [Answer<'static>; 8] = [
    Answer::Authenticated,
    Answer::Challenge {
        header: b"Digest x=y",
    },
    Answer::Denied,
    Answer::Released,
    Answer::Assigned {
        application_servers: SERVER,
    },
    Answer::NameNotStored {
        application_servers: SERVER,
    },
    Answer::NotAssigned {
        application_servers: SERVER,
    },
    Answer::Failed,
];

/// What comes of an answer, or of time, in a word.
fn word(outs: &[Out]) -> String {
    match outs.iter().find(|out| !out.is_notify()) {
        Some(Out::Respond { status, .. }) => status.to_string(),
        Some(Out::Ask {
            ask: Ask::DialogRelease { .. },
            ..
        }) => "release".into(),
        Some(Out::Ask {
            ask: Ask::ServerAssignment { .. },
            ..
        }) => "assign".into(),
        Some(Out::Request { .. }) => "tell".into(),
        Some(Out::Event(Ev::Deregistered { .. })) => "outcome".into(),
        Some(Out::Event(Ev::Ended(_))) => "subscription ended".into(),
        None => "nothing".into(),
        other => panic!("{other:?}"),
    }
}

/// [SD-2, SD-3, SD-4, SD-8] Every question with every answer: what follows, or that it is the host's mistake, which
/// changes nothing.
#[test]
fn answers() {
    let rows = [
        (
            State::Authenticating,
            ["release", "401", "403", "-", "-", "-", "-", "500"],
        ),
        (
            State::Releasing,
            ["-", "-", "-", "assign", "-", "-", "-", "assign"],
        ),
        (
            State::Assigning,
            ["-", "-", "-", "-", "200", "200", "200", "200"],
        ),
        (
            State::Checking,
            ["-", "-", "-", "-", "481", "481", "481", "481"],
        ),
        (State::Out, ["-", "-", "-", "-", "-", "-", "-", "-"]),
    ];
    for (state, expected) in rows {
        for (answer, expected) in ANSWERS.into_iter().zip(expected) {
            let (mut host, asked) = in_state(state);
            let token = asked.unwrap().token();
            let answered = host.try_answer(token, drive::Answer::Role(answer));
            let got = match &answered {
                Err(Misuse::WrongAnswer) => "-".to_string(),
                Err(other) => panic!("{other:?}"),
                Ok(outs) => word(outs),
            };
            assert_eq!(got, expected, "{state:?} {answer:?}");
            let late = host.try_answer(token, drive::Answer::Role(answer));
            let is_stale = expected != "-";
            assert_eq!(late.is_ok(), is_stale, "{state:?} {answer:?}");
            assert!(
                late.is_err() || late == Ok(Vec::new()),
                "{state:?} {answer:?}"
            );
        }
    }
}

/// [SD-4, SD-8, DR-6] Every state when its time is not up yet, when it is, and after a restart.
#[test]
fn time() {
    let rows = [
        (State::Authenticating, 10_000, "500", "nothing"),
        (State::Releasing, 5_000, "assign", "release"),
        (State::Assigning, 5_000, "200", "assign"),
        (State::Checking, 5_000, "481", "assign"),
        (State::Out, 40_000, "outcome", "tell"),
    ];
    for (state, bound, expected, again) in rows {
        let (mut host, _) = in_state(state);
        host.now = host.now.after(bound - 1);
        let early: Vec<_> = host
            .ticks()
            .into_iter()
            .filter(|out| !out.is_notify())
            .collect();
        assert!(early.is_empty(), "{state:?}: {early:?}");
        host.now = host.now.after(1);
        let outs = host.ticks();
        let outs: Vec<_> = outs
            .into_iter()
            .filter(|out| !out.is_notify() && !matches!(out, Out::Event(Ev::Ended(_))))
            .collect();
        assert_eq!(word(&outs), expected, "{state:?}");
        let (mut host, _) = in_state(state);
        host.restart(2);
        let outs = host.ticks();
        match state {
            State::Authenticating => assert!(matches!(
                outs[..],
                [Out::Ask {
                    ask: Ask::Authentication { .. },
                    ..
                }]
            )),
            _ => assert_eq!(word(&outs), again, "{state:?}"),
        }
    }
    for (state, expected) in [
        (State::Due, "tell"),
        (State::Beginning, "release"),
        (State::Leaving, "subscription ended"),
    ] {
        for restarts in [false, true] {
            let (mut host, _) = in_state(state);
            if restarts {
                host.restart(2);
            }
            assert_eq!(word(&host.ticks()), expected, "{state:?}");
        }
    }
}

/// Something that happens beside the deregistration.
#[derive(Clone, Copy, Debug)]
enum Other {
    Operator,
    Hss(TerminationReason),
    Reauthenticate,
    UserDeregisters,
    PcscfDeregisters,
    UserRegisters,
    Restart,
}

const OTHERS: [Other; 9] = [
    Other::Operator,
    Other::Hss(PermanentTermination),
    Other::Hss(ServerChange),
    Other::Hss(NewServerAssigned),
    Other::Reauthenticate,
    Other::UserDeregisters,
    Other::PcscfDeregisters,
    Other::UserRegisters,
    Other::Restart,
];

/// [SD-3, SD-5, SD-8, T41, T42] Every state and whatever else happens, once and twice: every REGISTER has one answer,
/// every deregistration one outcome, every subscriber is told the end unless another S-CSCF has the user, and who
/// registered last stays registered.
#[test]
fn crossings() {
    for state in STATES {
        for first in OTHERS {
            for second in OTHERS {
                let (mut host, asked) = in_state(state);
                let mut seen = Crossing {
                    bound: state == State::Authenticating,
                    pcscf_removed: matches!(
                        state,
                        State::Releasing | State::Assigning | State::Due | State::Out
                    ),
                    ..Crossing::default()
                };
                let before = host.node.counters();
                for other in [first, second] {
                    seen.happens(&mut host, other);
                }
                let mut outs: Vec<_> = asked.into_iter().collect();
                if seen.restarted {
                    outs.clear();
                }
                let outs = match outs.pop() {
                    Some(out @ Out::Request { .. }) => host.respond(&out, 200),
                    Some(out) => host.run_procedure_once(vec![out]),
                    None => Vec::new(),
                };
                let pending = core::mem::take(&mut seen.pending);
                let outs = settle(&mut host, pending.into_iter().chain(outs).collect());
                seen.note(&outs);
                let what = format!("{state:?}, {first:?}, {second:?}");
                let registered = host.node.is_registered(PUBLIC.as_bytes());
                assert_eq!(registered, seen.registered_last, "{what}");
                let outs = host.run(4_000_000);
                let outs = settle(&mut host, outs);
                seen.note(&outs);
                seen.note(&host.run(1_000_000));
                assert_eq!(host.node.sets(), 0, "{what}");
                let mut responses = seen.responses.clone();
                responses.dedup();
                assert_eq!(responses, seen.responses, "one answer each: {what}");
                let counters = host.node.counters();
                if !seen.restarted {
                    let ended = |c: ims_procedures::scscf::Counters| {
                        c.removed_by_hss
                            + c.removed_by_operator
                            + c.removed_by_pcscf
                            + c.removed_by_user
                            + c.expired
                            + c.not_reauthenticated
                    };
                    let ended = ended(counters) - ended(before);
                    assert_eq!(ended, seen.outcomes, "{what}");
                }
            }
        }
    }
}

/// What is seen of a crossing.
#[derive(Default)]
struct Crossing {
    registered_last: bool,
    /// Whether the contact is bound now.
    bound: bool,
    /// Whether the P-CSCF has removed it once: then it only repeats itself (T42).
    pcscf_removed: bool,
    restarted: bool,
    responses: Vec<u64>,
    outcomes: u64,
    pending: Vec<Out>,
    cseq: u32,
}

impl Crossing {
    fn note(&mut self, outs: &[Out]) {
        for out in outs {
            match out {
                Out::Respond { to, .. } => {
                    assert!(!self.responses.contains(to), "twice");
                    self.responses.push(*to);
                }
                Out::Event(Ev::Deregistered { .. }) => self.outcomes += 1,
                _ => {}
            }
        }
    }

    fn happens(&mut self, host: &mut Host, other: Other) {
        self.cseq += 1;
        let outs = match other {
            Other::Operator => host.end(Refused).1,
            Other::Hss(reason) => host.terminate(reason).1,
            Other::Reauthenticate => {
                reauthenticate(host, 60);
                Vec::new()
            }
            Other::UserDeregisters => {
                let own = Registration::default().removal("ue-call-1", 20 + self.cseq);
                host.receive(own)
            }
            Other::PcscfDeregisters => {
                let cseq = format!("CSeq: {} ", 20 + self.cseq);
                host.receive(register().replace("CSeq: 1 ", &cseq))
            }
            Other::UserRegisters => {
                let again = Registration {
                    cseq: 20 + self.cseq,
                    ..Registration::default()
                };
                host.learn(&again);
                Vec::new()
            }
            Other::Restart => {
                host.restart(2 + u64::from(self.cseq));
                self.restarted = true;
                self.pending.clear();
                Vec::new()
            }
        };
        match other {
            Other::UserRegisters => (self.registered_last, self.bound) = (true, true),
            Other::PcscfDeregisters if self.pcscf_removed => {}
            Other::PcscfDeregisters => {
                self.pcscf_removed = self.bound;
                (self.registered_last, self.bound) = (false, false);
            }
            Other::UserDeregisters => self.registered_last = false,
            Other::Operator | Other::Hss(_) => (self.registered_last, self.bound) = (false, false),
            Other::Restart | Other::Reauthenticate => {}
        }
        self.note(&outs);
        self.pending.extend(
            outs.into_iter()
                .filter(|out| matches!(out, Out::Ask { .. })),
        );
    }
}

/// [SD-5] Another S-CSCF has the user while a deregistration runs here: it is answered and reported without a word to
/// HSS, subscribers or application servers; one that removed nothing yet is refused.
#[test]
fn moved_meanwhile() {
    for (state, status) in [
        (State::Authenticating, Some(481)),
        (State::Releasing, Some(200)),
        (State::Assigning, Some(200)),
        (State::Checking, Some(481)),
        (State::Due, None),
        (State::Out, None),
        (State::Beginning, None),
    ] {
        let (mut host, asked) = in_state(state);
        assert_eq!(
            host.terminate(NewServerAssigned),
            (Verdict::Handled, Vec::new())
        );
        if let Some(asked @ Out::Ask { .. }) = asked {
            let late = host.run_procedure_once(vec![asked]);
            assert!(late.is_empty(), "{state:?}");
        }
        let outs = host.ticks();
        let statuses: Vec<_> = outs
            .iter()
            .filter(|out| matches!(out, Out::Respond { .. }))
            .map(Out::status)
            .collect();
        assert_eq!(statuses, Vec::from_iter(status), "{state:?}");
        assert!(codes(&outs).is_empty());
        assert!(
            !outs.iter().any(|out| matches!(out, Out::Request { .. })),
            "{state:?}"
        );
        let reported = usize::from(state != State::Checking);
        assert_eq!(outcomes(&outs).len(), reported, "{state:?}");
        assert_eq!(host.node.subscribers(PUBLIC.as_bytes()), 0);
        host.run(64_000);
        assert_eq!(host.node.sets(), 0);
    }
}

/// [SD-5, SD-8] The operator's command while the user deregisters: the user's own REGISTER, proven later, is answered
/// 200, as its contact is gone; there is one outcome, the operator's.
#[test]
fn user_and_operator() {
    let (mut host, asked) = in_state(State::Authenticating);
    assert_eq!(host.end(Refused).0, Verdict::Handled);
    let outs = host.answer(&asked.unwrap(), Answer::Authenticated);
    assert_eq!(outs[0].status(), 200);
    assert!(outs[0].bytes().contains(";expires=0\r\n"));
    let outs = settle(&mut host, Vec::new());
    let [(_, cause, outcome)] = outcomes(&outs).try_into().unwrap();
    assert_eq!(cause, Cause::Operator(Refused));
    assert_eq!(
        (outcome.dialogs, outcome.assignment),
        (Dialogs::Released, Assignment::Assigned)
    );
    assert_eq!(codes(&outs), [8]);
    // And the other way round: the contact is gone, the command finds nothing.
    let (mut host, asked) = in_state(State::Assigning);
    assert_eq!(host.end(Refused), (Verdict::NotMine, Vec::new()));
    let outs = host.run_procedure(asked.into_iter().collect());
    let outs = settle(&mut host, outs);
    assert_eq!(outcomes(&outs)[0].1, Cause::Pcscf);
}

/// [SD-5, DR-7] What goes on at the release before: the cause is that of a time that is up, and everything ends.
#[test]
fn for_the_release_before() {
    use ims_procedures::{
        drive::{Identifiers, Release},
        scscf::ScscfNode,
    };
    for state in STATES {
        let (mut host, _) = in_state(state);
        let mut blob = Vec::new();
        host.node
            .snapshot_for(Release::Previous, host.now, &mut blob);
        let identifiers = Identifiers::new(SEED, 9, 3);
        host.node = ScscfNode::restore(config(), identifiers, host.now, &blob).unwrap();
        let outs = host.ticks();
        let mut outs = settle(&mut host, outs);
        outs.extend(host.run(64_000));
        assert_eq!(host.node.deadline(), None, "{state:?}");
        let expected = usize::from(state != State::Checking);
        let outcomes = outcomes(&outs);
        assert_eq!(outcomes.len(), expected, "{state:?}");
        let known = match state {
            State::Authenticating => Cause::User,
            State::Beginning | State::Leaving => Cause::Expired,
            _ => Cause::Pcscf,
        };
        assert!(
            outcomes.iter().all(|(_, cause, _)| *cause == known),
            "{state:?}"
        );
    }
}
