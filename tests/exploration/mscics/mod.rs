//! An MSC server and the home network: deregistration, and what crosses it.

mod host;
mod judging;
mod outside;
mod properties;
mod registrar;
mod world;

use outside::Budget;
use world::{Setting, World};

use crate::shared::{asked, explore};

/// No dialogs, no subscription.
const ALONE: Setting = Setting {
    dialogs: 0,
    subscribed: 0,
    most: Budget::NONE,
};
/// No dialogs, a subscription.
const SUBSCRIBED: Setting = Setting {
    subscribed: 1,
    ..ALONE
};
/// The same, and its SUBSCRIBE is on its way.
const SUBSCRIBING: Setting = Setting {
    subscribed: 2,
    ..ALONE
};
/// A dialog of the host's and one that the library holds, no subscription.
const TWO: Setting = Setting {
    dialogs: 2,
    ..ALONE
};
/// A dialog of the host's, a subscription.
const ALL: Setting = Setting {
    dialogs: 1,
    ..SUBSCRIBED
};

const ONE_CHANGE: Budget = Budget {
    changes: 1,
    ..Budget::NONE
};
const TWO_CHANGES: Budget = Budget {
    changes: 2,
    ..Budget::NONE
};
const THREE_CHANGES: Budget = Budget {
    changes: 3,
    ..Budget::NONE
};

impl Setting {
    const fn with(self, most: Budget) -> Self {
        Self { most, ..self }
    }

    /// A run of one's own: `DIALOGS,SUBSCRIBED`, and how often each of a budget.
    fn own(given: &str) -> Self {
        let numbers = given.split(',').map(str::parse);
        let numbers: Vec<u8> = numbers.collect::<Result<_, _>>().expect("numbers");
        let [
            dialogs,
            subscribed,
            changes,
            losses,
            copies,
            restarts,
            overtakings,
            failures,
            refusals,
        ] = *numbers
        else {
            panic!("{given}");
        };
        Self {
            dialogs,
            subscribed,
            most: Budget {
                changes,
                losses,
                copies,
                restarts,
                overtakings,
                failures,
                refusals,
            },
        }
    }
}

/// Explores what `EXPLORATION` says of these.
fn explore_all(small: &[Setting], gate: &[Setting], large: &[Setting]) {
    let asked = asked();
    let settings = match asked.as_str() {
        "small" => small.to_vec(),
        "gate" => gate.to_vec(),
        "large" => large.to_vec(),
        given => vec![Setting::own(given)],
    };
    for setting in &settings {
        explore::<World>(&setting.to_string(), *setting);
    }
}

impl Budget {
    const fn losses(self, losses: u8) -> Self {
        Self { losses, ..self }
    }

    const fn copies(self, copies: u8) -> Self {
        Self { copies, ..self }
    }

    const fn restarts(self, restarts: u8) -> Self {
        Self { restarts, ..self }
    }

    const fn overtakings(self, overtakings: u8) -> Self {
        Self {
            overtakings,
            ..self
        }
    }

    const fn failures(self, failures: u8) -> Self {
        Self { failures, ..self }
    }

    const fn refusals(self, refusals: u8) -> Self {
        Self { refusals, ..self }
    }
}

/// [MS-1] [MS-2] [MS-4] [MS-5] A subscriber with dialogs or without, and no subscription.
#[test]
fn by_itself() {
    let faulty = TWO_CHANGES.losses(1).overtakings(1);
    let each = ONE_CHANGE.losses(1).copies(1).restarts(1).overtakings(1);
    explore_all(
        &[TWO.with(TWO_CHANGES)],
        &[
            ALONE.with(THREE_CHANGES),
            TWO.with(THREE_CHANGES.failures(1).refusals(1)),
            TWO.with(TWO_CHANGES.losses(1).copies(1).restarts(1)),
            TWO.with(faulty.failures(1).refusals(1)),
        ],
        &[TWO.with(each.failures(1).refusals(1))],
    );
}

/// [MS-1] [MS-4] [MS-6] A subscriber with a subscription.
#[test]
fn subscribed() {
    explore_all(
        &[ALL.with(TWO_CHANGES)],
        &[
            SUBSCRIBED.with(THREE_CHANGES),
            ALL.with(THREE_CHANGES),
            ALL.with(TWO_CHANGES.losses(1)),
            ALL.with(TWO_CHANGES.copies(1)),
            ALL.with(TWO_CHANGES.restarts(1)),
            ALL.with(TWO_CHANGES.overtakings(1)),
            ALL.with(TWO_CHANGES.failures(1).refusals(1)),
        ],
        &[
            ALL.with(TWO_CHANGES.losses(1).restarts(1)),
            ALL.with(TWO_CHANGES.losses(1).overtakings(1)),
            ALL.with(TWO_CHANGES.losses(2).refusals(1)),
            ALL.with(TWO_CHANGES.restarts(1).refusals(1)),
            ALL.with(TWO_CHANGES.overtakings(1).refusals(1)),
        ],
    );
}

/// [MS-1] [MS-4] [MS-6] A subscriber whose SUBSCRIBE is on its way.
#[test]
fn subscribing() {
    explore_all(
        &[SUBSCRIBING.with(ONE_CHANGE)],
        &[
            SUBSCRIBING.with(TWO_CHANGES),
            SUBSCRIBING.with(ONE_CHANGE.losses(1)),
            SUBSCRIBING.with(ONE_CHANGE.copies(1)),
            SUBSCRIBING.with(ONE_CHANGE.restarts(1)),
            SUBSCRIBING.with(ONE_CHANGE.overtakings(1)),
        ],
        &[
            SUBSCRIBING.with(TWO_CHANGES.losses(1)),
            SUBSCRIBING.with(TWO_CHANGES.copies(1)),
            SUBSCRIBING.with(TWO_CHANGES.overtakings(1)),
        ],
    );
}
