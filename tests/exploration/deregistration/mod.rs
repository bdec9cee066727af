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

const PLAIN: Setting = Setting {
    contacts: 1,
    edges: 1,
    subscribed: true,
    threshold: 0,
    most: Budget::NONE,
};

fn own(given: &str) -> Setting {
    let n: Vec<u8> = given.split(',').map(|n| n.parse().unwrap()).collect();
    Setting {
        contacts: n[0].into(),
        edges: n[1].into(),
        subscribed: n[2] > 0,
        threshold: u64::from(n[3]) * 1_000,
        most: Budget {
            changes: n[4],
            losses: n[5],
            copies: n[6],
            restarts: n[7],
            overtakings: n[8],
            failures: n[9],
        },
    }
}

#[test]
fn try_it() {
    let setting = match asked().as_str() {
        "small" => PLAIN,
        given => own(given),
    };
    explore::<World>(&format!("{setting:?}"), setting);
}
