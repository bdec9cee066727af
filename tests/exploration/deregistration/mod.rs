//! A user, its P-CSCFs and the S-CSCF: registration, and deregistration from every side.

mod edge;
mod home;
mod judging;
mod outside;
mod properties;
mod user;
mod world;

use outside::Budget;
use world::{Setting, World};

use crate::shared::{asked, explore};

/// One contact behind one P-CSCF, which subscribes.
const ONE: Setting = Setting {
    contacts: 1,
    edges: 1,
    subscribed: true,
    threshold: 0,
    most: Budget::NONE,
};
/// The same, and another P-CSCF to move to.
const MOVING: Setting = Setting { edges: 2, ..ONE };
/// Two contacts behind one of two P-CSCFs, which subscribe.
const TWO: Setting = Setting {
    contacts: 2,
    ..MOVING
};
/// Two contacts behind the only P-CSCF, which subscribes.
const BESIDE: Setting = Setting { contacts: 2, ..ONE };
/// Two contacts behind one of two P-CSCFs, which do not subscribe.
const UNTOLD: Setting = Setting {
    subscribed: false,
    ..TWO
};

const ONE_CHANGE: Budget = Budget {
    changes: 1,
    ..Budget::NONE
};
const TWO_CHANGES: Budget = Budget {
    changes: 2,
    ..Budget::NONE
};

impl Setting {
    const fn with(self, most: Budget) -> Self {
        Self { most, ..self }
    }

    /// A run of one's own: `CONTACTS,P-CSCFS,SUBSCRIBED,THRESHOLD`, and how often each of a budget.
    fn own(given: &str) -> Self {
        let numbers = given.split(',').map(str::parse);
        let numbers: Vec<u8> = numbers.collect::<Result<_, _>>().expect("numbers");
        let [contacts, edges, subscribed, threshold, rest @ ..] = &numbers[..] else {
            panic!("{given}");
        };
        let [changes, losses, copies, restarts, overtakings, failures] = *rest else {
            panic!("{given}");
        };
        Self {
            contacts: (*contacts).into(),
            edges: (*edges).into(),
            subscribed: *subscribed > 0,
            threshold: u64::from(*threshold) * 1_000,
            most: Budget {
                changes,
                losses,
                copies,
                restarts,
                overtakings,
                failures,
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

/// [PD-3] [PD-4] [PD-6] [PD-7] [PD-9] [SD-3] [SD-4] One P-CSCF: what crosses, and what goes wrong.
#[test]
fn behind_one_pcscf() {
    let late = Setting {
        threshold: 60_000,
        ..ONE
    };
    explore_all(
        &[ONE.with(ONE_CHANGE)],
        &[
            BESIDE.with(ONE_CHANGE),
            ONE.with(Budget {
                losses: 2,
                overtakings: 1,
                ..ONE_CHANGE
            }),
            ONE.with(Budget {
                losses: 1,
                restarts: 1,
                ..ONE_CHANGE
            }),
            ONE.with(Budget {
                failures: 2,
                ..ONE_CHANGE
            }),
            late.with(Budget {
                losses: 1,
                copies: 1,
                ..ONE_CHANGE
            }),
            ONE.with(Budget {
                losses: 1,
                ..TWO_CHANGES
            }),
            ONE.with(Budget {
                copies: 1,
                ..TWO_CHANGES
            }),
        ],
        &[
            ONE.with(Budget {
                losses: 2,
                copies: 1,
                restarts: 1,
                ..ONE_CHANGE
            }),
            ONE.with(Budget {
                losses: 2,
                ..TWO_CHANGES
            }),
            ONE.with(Budget {
                restarts: 1,
                ..TWO_CHANGES
            }),
            ONE.with(Budget {
                losses: 1,
                restarts: 1,
                ..TWO_CHANGES
            }),
        ],
    );
}

/// [PD-9] [SD-1] [SD-3] One contact that moves between two P-CSCFs.
#[test]
fn moving_between_two() {
    explore_all(
        &[MOVING.with(ONE_CHANGE)],
        &[MOVING.with(TWO_CHANGES)],
        &[
            MOVING.with(Budget {
                losses: 1,
                ..TWO_CHANGES
            }),
            MOVING.with(Budget {
                copies: 1,
                ..TWO_CHANGES
            }),
        ],
    );
}

/// [PD-7] [PD-8] [PD-10] [SD-3] [SD-4] Two contacts, two P-CSCFs.
#[test]
fn two_contacts() {
    explore_all(
        &[UNTOLD.with(ONE_CHANGE)],
        &[
            TWO.with(ONE_CHANGE),
            UNTOLD.with(TWO_CHANGES),
            BESIDE.with(TWO_CHANGES),
            TWO.with(Budget {
                losses: 1,
                ..ONE_CHANGE
            }),
            TWO.with(Budget {
                copies: 1,
                ..ONE_CHANGE
            }),
            TWO.with(Budget {
                restarts: 1,
                ..ONE_CHANGE
            }),
        ],
        &[
            TWO.with(TWO_CHANGES),
            TWO.with(Budget {
                losses: 2,
                copies: 1,
                ..ONE_CHANGE
            }),
            TWO.with(Budget {
                losses: 1,
                restarts: 1,
                ..ONE_CHANGE
            }),
            TWO.with(Budget {
                copies: 1,
                restarts: 1,
                ..ONE_CHANGE
            }),
        ],
    );
}
