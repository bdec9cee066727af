//! A CPM session that is closed: by whoever, with whatever the others do.

mod door;
mod judging;
mod outside;
mod properties;
mod scenario;
mod world;

use ims_procedures::cpm::Function;

use door::Kept;
use outside::Budget;
use scenario::Scenario;
use world::{Setting, World};

use crate::shared::{asked, explore_all};

/// How far a function is explored: the scenarios with so many IWFs at most.
#[derive(Clone, Copy)]
struct Bound {
    iwfs: usize,
    kept: Kept,
    most: Budget,
}

/// From the node's own blob: IWFs; losses, copies, restarts, overtakings.
const fn whole(iwfs: usize, most: [u8; 4]) -> Bound {
    bound(iwfs, Kept::Whole, most)
}

/// From the store.
const fn stored(iwfs: usize, most: [u8; 4]) -> Bound {
    bound(iwfs, Kept::Stored, most)
}

const fn bound(iwfs: usize, kept: Kept, most: [u8; 4]) -> Bound {
    let [losses, copies, restarts, overtakings] = most;
    Bound {
        iwfs,
        kept,
        most: Budget {
            losses,
            copies,
            restarts,
            overtakings,
        },
    }
}

const SMALL: [Bound; 2] = [whole(1, [0, 0, 0, 0]), stored(0, [0, 0, 1, 0])];

const GATE: [Bound; 7] = [
    whole(3, [0, 0, 0, 0]),
    whole(2, [1, 1, 0, 0]),
    whole(2, [1, 0, 1, 0]),
    whole(2, [0, 0, 0, 1]),
    whole(1, [1, 1, 1, 1]),
    stored(1, [0, 0, 1, 0]),
    stored(0, [1, 1, 1, 1]),
];

const LARGE: [Bound; 7] = [
    whole(3, [1, 0, 0, 0]),
    whole(3, [0, 1, 0, 0]),
    whole(3, [0, 0, 1, 0]),
    whole(3, [0, 0, 0, 1]),
    whole(1, [1, 1, 2, 1]),
    whole(0, [2, 2, 3, 2]),
    stored(0, [1, 1, 2, 1]),
];

impl Bound {
    /// One of one's own: `IWFS,STORED,LOSSES,COPIES,RESTARTS,OVERTAKINGS`.
    fn own(given: &str) -> Self {
        let numbers = given.split(',').map(str::parse);
        let numbers: Vec<u8> = numbers.collect::<Result<_, _>>().expect("numbers");
        let [iwfs, is_stored, most @ ..] = &numbers[..] else {
            panic!("{given}");
        };
        let kept = match is_stored {
            0 => Kept::Whole,
            _ => Kept::Stored,
        };
        bound((*iwfs).into(), kept, most.try_into().expect("four more"))
    }
}

/// Explores what `EXPLORATION` says of a function.
fn explore(function: Function) {
    let all = Scenario::all();
    println!("\nexploration: closing: {} starting scenarios", all.len());
    let bounds = match asked().as_str() {
        "small" => SMALL.to_vec(),
        "gate" => GATE.to_vec(),
        "large" => LARGE.to_vec(),
        given => vec![Bound::own(given)],
    };
    for Bound { iwfs, kept, most } in bounds {
        let own = all
            .iter()
            .filter(|own| own.function == function && own.iwfs <= iwfs);
        let settings: Vec<Setting> = own
            .map(|scenario| Setting {
                scenario: *scenario,
                kept,
                most,
            })
            .collect();
        let scenarios = settings.len();
        let named = format!("{function:?}, {iwfs} IWFs, {scenarios} scenarios, {kept:?}: {most}");
        explore_all::<World>(&named, &settings);
    }
}

/// [CP-1] [CP-2] [CP-3] [CP-4] [CP-5] [CP-6] [CO-1] [CO-2] [CO-3] [CO-4] The originating function.
#[test]
fn originating() {
    explore(Function::Originating);
}

/// [CP-1] [CP-2] [CP-3] [CP-4] [CP-5] [CP-6] [CT-1] [CT-2] [CT-3] [CT-4] The terminating function.
#[test]
fn terminating() {
    explore(Function::Terminating);
}
