//! [DR-9] The record of a deregistration, for an audit.

use ims_procedures::{
    drive::{Identifiers, Initiator, Millis, Node},
    scscf::{
        Answer, Assignment, Audit, Cause, Config, DeregistrationReason, Dialogs, Outcome,
        ScscfNode, TerminationReason,
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
            assert_eq!((audit.cause, audit.outcome), (*cause, Some(*outcome)));
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
    assert_eq!(audit.outcome, Some(outcome));
    assert_eq!(audit.began, Some(Millis(2_000_000)));
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
        assert!(audit.ended >= began);
    }
    assert_eq!(Cause::User.initiator(), Initiator::User);
    assert_eq!(Cause::NotReauthenticated.initiator(), Initiator::Element);
}

/// [DR-9] A user's own begins with the REGISTER, and the verdict on the user is part of it. Where that is no, nothing was
/// removed, and there is no record.
#[test]
fn by_the_user() {
    for (verdict, is_removed) in [(Answer::Authenticated, true), (Answer::Denied, false)] {
        let mut host = Host::registered_with(audited());
        host.now = Millis(3_000_000);
        let own = Registration::default().removal("ue-call-1", 11);
        let [asked] = host.receive(own).try_into().unwrap();
        host.now = Millis(3_004_000);
        let outs = host.answer(&asked, verdict);
        let outs = settle(&mut host, outs);
        if is_removed {
            let audit = record(&outs);
            assert_eq!(audit.initiator, Initiator::User);
            assert_eq!(audit.began, Some(Millis(3_000_000)));
        } else {
            assert_eq!(outs[0].status(), 403);
            assert_eq!(records(&outs), []);
        }
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
        assert_eq!(audit.began, began);
    }
}
