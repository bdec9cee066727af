//! What a P-CSCF takes for the loss of a UE, and what not.

use ims_procedures::{
    drive::Verdict,
    pcscf::{Config, Evidence, LossRule},
};

use crate::{
    chain::{Chain, ue},
    common::pcscf as edge,
    scscf::{self as home, Registration},
};

/// A P-CSCF for which this alone is loss.
fn losing_by(rule: LossRule) -> Config {
    let mut config = edge::config();
    config.loss.rules = vec![rule];
    config
}

fn registered(rule: LossRule) -> Chain {
    Chain::registered_with(losing_by(rule), home::config())
}

/// Nothing has come of the reports.
#[track_caller]
fn is_left_alone(chain: &mut Chain) {
    chain.wait(100_000);
    assert_eq!(chain.is_registered(0, &ue()), [true, true]);
    for line in [
        "P-CSCF1 sends REGISTER",
        "P-CSCF1 notes loss",
        "P-CSCF1 asks",
        "S-CSCF asks",
    ] {
        assert_eq!(chain.count(line), 0, "{line}");
    }
}

/// The deregistration has run its course.
#[track_caller]
fn is_deregistered(mut chain: Chain) {
    chain.saw(&[
        "P-CSCF1 notes loss",
        "P-CSCF1 sends REGISTER",
        "S-CSCF tells Pcscf",
        "P-CSCF1 tells AccessLost Notified 1",
    ]);
    assert_eq!(chain.count("P-CSCF1 sends REGISTER"), 1);
    chain.nothing_is_left();
}

/// [PD-3, T51] An idle UE lets its TCP flow be closed, and answers the paging seconds later: it was taken for dead, and
/// could not be called. A closed flow is nothing by itself; where the operator has it count together with missed
/// probes, what is heard meanwhile, be it a REGISTER or anything else, makes it void. A UE that has gone is found.
#[test]
fn an_idle_ue_is_not_dead() {
    let mut chain = Chain::registered();
    for _ in 0..20 {
        chain.report(0, &ue(), Evidence::FlowClosed);
        chain.wait(4_000);
    }
    is_left_alone(&mut chain);

    let by_flow = || registered(LossRule::flow_closed_and_probes_missed(2, 60_000));
    let mut chain = by_flow();
    for round in 0..5 {
        chain.report(0, &ue(), Evidence::FlowClosed);
        chain.report(0, &ue(), Evidence::ProbeMissed);
        chain.wait(4_000);
        chain.heard(0, &ue());
        chain.report(0, &ue(), Evidence::ProbeMissed);
        chain.register(
            0,
            &Registration {
                cseq: 20 + round,
                ..ue()
            },
        );
    }
    assert_eq!(chain.count("P-CSCF1 notes FlowClosed"), 5);
    is_left_alone(&mut chain);

    let mut chain = by_flow();
    for evidence in [
        Evidence::FlowClosed,
        Evidence::ProbeMissed,
        Evidence::ProbeMissed,
    ] {
        assert_eq!(chain.count("P-CSCF1 sends REGISTER"), 0);
        chain.wait(4_000);
        chain.report(0, &ue(), evidence);
    }
    is_deregistered(chain);
}

/// [PD-3, T52] OPTIONS that a busy UE did not answer cost it its registration. Missed probes are nothing by themselves;
/// where they count, only so many of them within the window do, and none from before the UE was heard. The UE that
/// is lost all the same is refused calls until then, and no longer.
#[test]
fn missed_probes_are_not_loss() {
    let mut chain = Chain::registered();
    for _ in 0..100 {
        chain.report(0, &ue(), Evidence::ProbeMissed);
        chain.report(0, &ue(), Evidence::SecurityAssociationIdle);
    }
    is_left_alone(&mut chain);

    let by_probes = || registered(LossRule::probes_missed(3, 30_000));
    let mut chain = by_probes();
    for _ in 0..10 {
        chain.report(0, &ue(), Evidence::ProbeMissed);
        chain.wait(15_001);
    }
    for _ in 0..10 {
        chain.heard(0, &ue());
        for _ in 0..2 {
            chain.report(0, &ue(), Evidence::ProbeMissed);
        }
    }
    is_left_alone(&mut chain);

    let mut chain = by_probes();
    chain.hold("P-CSCF1 sends REGISTER");
    assert_eq!(chain.called(0, &ue()), Verdict::NotMine);
    for _ in 0..3 {
        chain.report(0, &ue(), Evidence::ProbeMissed);
        chain.wait(15_000);
    }
    let refused = Verdict::Refuse {
        status: 500,
        retry_after: 0,
    };
    assert_eq!(chain.called(0, &ue()), refused);
    chain.heard(0, &ue());
    assert_eq!(chain.called(0, &ue()), Verdict::NotMine);
    chain.release();
    is_deregistered(chain);
}
