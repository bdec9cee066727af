//! A subscriber and a notifier of registration state.

mod judging;
mod outside;
mod properties;
mod registrar;
mod world;

use ims_procedures::regevent::subscriber::Profile;
use world::{Setting, World};

use crate::shared::{asked, explore};

/// How many changes and faults, and whether hosts are prompt.
fn bounds() -> Vec<(u8, u8, bool)> {
    match asked().as_str() {
        "small" => vec![(0, 1, true)],
        "gate" => vec![(1, 0, true), (0, 2, true), (1, 1, true)],
        "large" => vec![(0, 3, true), (2, 0, true), (1, 1, false)],
        own => {
            let (changes, faults) = own.split_once(',').expect("CHANGES,FAULTS");
            let prompt = !faults.ends_with('+');
            let faults = faults.trim_end_matches('+');
            vec![(changes.parse().unwrap(), faults.parse().unwrap(), prompt)]
        }
    }
}

fn explore_all(profile: Profile) {
    for (changes, faults, prompt) in bounds() {
        let setting = Setting {
            profile,
            changes,
            faults,
            prompt,
        };
        let named = format!("{profile:?}, {changes} changes, {faults} faults, prompt {prompt}");
        explore::<World>(&named, setting);
    }
}

/// [RE-8] [RN-4] Literal to S2.
#[test]
fn literal_to_s2() {
    explore_all(Profile::Sbc);
}

/// [RE-8] [RN-4] As RFC 6665 has it.
#[test]
fn as_rfc_6665_has_it() {
    explore_all(Profile::Rfc6665);
}
