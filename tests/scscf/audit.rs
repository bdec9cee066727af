//! [DR-9] The record of a deregistration, for an audit.

use ims_procedures::{
    drive::{Identifiers, Initiator, Millis, Node},
    scscf::{
        Answer, Assignment, Audit, Cause, Conclusion, Config, DeregistrationReason, Dialogs,
        Outcome, Reasons, ScscfNode, TerminationReason,
    },
};

use super::{fixture, network::settle, support::*};

fn audited() -> Config {
    let mut config = config();
    config.audit = true;
    config
}

fn records(outs: &[Out]) -> Vec<Audit> {
    let records = outs.iter().filter_map(|out| match out {
        Out::Event(Ev::Audited { audit, .. }) => Some(*audit),
        _ => None,
    });
    records.collect()
}

/// The one record, which comes right after its outcome.
#[track_caller]
fn record(outs: &[Out]) -> Audit {
    assert_eq!(records(outs).len(), 1, "{outs:?}");
    let pair = outs.windows(2).find_map(|pair| match pair {
        [
            Out::Event(Ev::Deregistered {
                private,
                public,
                contacts,
                cause,
                outcome,
            }),
            Out::Event(Ev::Audited {
                private: who,
                public: default,
                contacts: which,
                audit,
            }),
        ] => {
            assert_eq!((private, public, contacts), (who, default, which));
            assert_eq!(audit.cause, *cause);
            assert_eq!(audit.outcome, Conclusion::Deregistered(*outcome));
            assert_eq!(who, PRIVATE);
            assert_eq!(default, PUBLIC);
            assert_eq!(which, &format!("<{CONTACT}>"));
            Some(*audit)
        }
        _ => None,
    });
    pair.expect("after its outcome")
}

/// [DR-9] Who began it, why, whom it concerns, how it ended and when: a P-CSCF, from its REGISTER to the answer of the
/// last application server.
#[test]
fn by_the_pcscf() {
    let mut host = Host::registered_with(audited());
    host.now = Millis(2_000_000);
    let [release] = host
        .receive(fixture::fill("register", &values()))
        .try_into()
        .unwrap();
    host.now = Millis(2_001_000);
    let outs = host.answer(&release, Answer::Released);
    let outs = host.run_procedure(outs);
    assert_eq!(records(&outs), [], "the application server is to be told");
    let told = host.ticks();
    let third_party = told.iter().find(|out| out.is_register()).unwrap();
    host.now = Millis(2_003_000);
    let audit = record(&host.respond(third_party, 200));
    assert_eq!(audit.initiator, Initiator::Pcscf);
    assert_eq!(audit.cause, Cause::Pcscf);
    let outcome = Outcome {
        dialogs: Dialogs::Released,
        assignment: Assignment::Assigned,
        servers_told: 1,
        servers_failed: 0,
    };
    assert_eq!(audit.outcome, Conclusion::Deregistered(outcome));
    assert_eq!(
        (audit.began, audit.resumed),
        (Some(Millis(2_000_000)), false)
    );
    assert_eq!(audit.ended, Millis(2_003_000));
}

/// [DR-9] Off by default: not one record.
#[test]
fn off_by_default() {
    assert!(!config().audit);
    let mut host = Host::registered();
    let outs = host.receive(fixture::fill("register", &values()));
    let outs = settle(&mut host, outs);
    assert!(
        outs.iter()
            .any(|out| matches!(out, Out::Event(Ev::Deregistered { .. })))
    );
    assert_eq!(records(&outs), []);
}

/// [DR-9] The operator, the HSS, a time that has run out.
#[test]
fn initiators() {
    let began = Millis(1_500_000);
    for (initiator, by) in [
        (
            Initiator::Operator,
            Cause::Operator(DeregistrationReason::Refused),
        ),
        (
            Initiator::HomeNetwork,
            Cause::Hss(TerminationReason::PermanentTermination),
        ),
        (
            Initiator::HomeNetwork,
            Cause::Hss(TerminationReason::NewServerAssigned),
        ),
        (Initiator::Element, Cause::Expired),
    ] {
        let mut host = Host::registered_with(audited());
        host.now = began;
        let (began, outs) = match by {
            Cause::Operator(reason) => (began, host.end(reason).1),
            Cause::Hss(reason) => (began, host.terminate(reason).1),
            _ => {
                let (at, _) = host.node.deadline().unwrap();
                host.now = at;
                (at, host.tick())
            }
        };
        let audit = record(&settle(&mut host, outs));
        assert_eq!((audit.initiator, audit.cause), (initiator, by));
        assert_eq!(audit.began, Some(began), "{by:?}");
        assert_eq!(audit.ended, host.now);
    }
    assert_eq!(Cause::User.initiator(), Initiator::User);
    let not_anew = Cause::NotReauthenticated;
    assert_eq!(not_anew.initiator(), Initiator::Operator);
}

/// [DR-9] A user's own begins with the REGISTER, and the verdict on the user is part of it: where that is no, it ends
/// with the refusal. A challenge is not the end.
#[test]
fn by_the_user() {
    let challenge = Answer::Challenge {
        header: b"Digest realm=\"home1.example.net\",nonce=\"n2\"",
    };
    for verdict in [Answer::Authenticated, Answer::Denied, challenge] {
        let mut host = Host::registered_with(audited());
        host.now = Millis(3_000_000);
        let own = Registration::default().removal("ue-call-1", 11);
        let [asked] = host.receive(own).try_into().unwrap();
        host.now = Millis(3_004_000);
        let outs = host.answer(&asked, verdict);
        let outs = settle(&mut host, outs);
        let audit = match verdict {
            Answer::Authenticated => record(&outs),
            Answer::Denied => refused(&outs, 403),
            _ => {
                assert_eq!(outs[0].status(), 401);
                assert_eq!(records(&outs), []);
                continue;
            }
        };
        assert_eq!(audit.initiator, Initiator::User);
        assert_eq!(audit.began, Some(Millis(3_000_000)));
        assert_eq!(audit.ended, Millis(3_004_000));
        if verdict == Answer::Denied {
            let none = Conclusion::Refused {
                status: 403,
                reasons: Reasons::NONE,
                assignment: Assignment::NotNeeded,
            };
            assert_eq!(audit.outcome, none);
        }
    }
}

/// The one record of a REGISTER that was refused with that status: it names whom that names, and no contact, and comes
/// before the answer.
#[track_caller]
fn refused(outs: &[Out], status: u16) -> Audit {
    assert_eq!(records(outs).len(), 1, "{outs:?}");
    let pair = outs.windows(2).find_map(|pair| match pair {
        [
            Out::Event(Ev::Audited {
                private,
                public,
                contacts,
                audit,
            }),
            Out::Respond { status: with, .. },
        ] if *with == status => {
            assert_eq!([private, public, contacts], [PRIVATE, PUBLIC, ""]);
            Some(*audit)
        }
        _ => None,
    });
    pair.expect("before the answer")
}

/// [SD-1, DR-9] One that is suspicious, and that nobody has vouched for in time: with the reasons.
#[test]
fn suspicious() {
    let mut host = Host::registered_with(audited());
    host.now = Millis(4_000_000);
    let forged = register().replace(
        "P-Asserted-Identity: <sip:pcscf1",
        "P-Asserted-Identity: <sip:pcscf2",
    );
    let outs = host.receive(&forged);
    let reasons = outs
        .iter()
        .find_map(|out| match out {
            Out::Event(Ev::Suspicious { reasons, .. }) => Some(*reasons),
            _ => None,
        })
        .expect("it is suspicious");
    assert_eq!(records(&outs), []);
    let audit = refused(&host.run(60_000), 500);
    let nobody = Conclusion::Refused {
        status: 500,
        reasons,
        assignment: Assignment::NotNeeded,
    };
    assert_eq!(audit.outcome, nobody);
    assert_eq!(audit.began, Some(Millis(4_000_000)));
    assert_eq!(audit.ended, Millis(4_010_000));
}

/// [SD-3, DR-9] Of a P-CSCF about whom is not bound here: the HSS was told, and how it took that.
#[test]
fn not_bound_here() {
    for (answer, assignment) in [
        (
            Some(Answer::Assigned {
                application_servers: b"",
            }),
            Assignment::Assigned,
        ),
        (Some(Answer::Failed), Assignment::Failed),
        (None, Assignment::NoAnswer),
    ] {
        let mut host = Host::new(audited());
        let outs = host.receive(register());
        let asked = outs.iter().find(|out| matches!(out, Out::Ask { .. }));
        let outs = match answer {
            Some(answer) => host.answer(asked.unwrap(), answer),
            None => host.run(60_000),
        };
        let audit = refused(&outs, 481);
        assert_eq!(audit.initiator, Initiator::Pcscf);
        let nothing = Conclusion::Refused {
            status: 481,
            reasons: Reasons::NONE,
            assignment,
        };
        assert_eq!(audit.outcome, nothing);
    }
}

/// [DR-7, DR-9] After a restart the record is that of the same deregistration: the clock stood still meanwhile. One that
/// began before records were asked for does not say when.
#[test]
fn over_a_restart() {
    for (before, began) in [(audited(), Some(Millis(8_998_000))), (config(), None)] {
        let mut host = Host::registered_with(before);
        host.receive(fixture::fill("register", &values()));
        host.now = host.now.after(2_000);
        let mut blob = Vec::new();
        host.node.snapshot(host.now, &mut blob);
        host.now = Millis(9_000_000);
        let identifiers = Identifiers::new(SEED, 2, 3);
        host.node = ScscfNode::restore(audited(), identifiers, host.now, &blob).unwrap();
        let outs = host.ticks();
        let audit = record(&settle(&mut host, outs));
        assert_eq!((audit.began, audit.resumed), (began, began.is_some()));
    }
}
