//! Every run of a subscriber and a notifier of registration state, the shipped nodes with SIP between them, within
//! bounds: see `tests/exploration/README.md`.

#[path = "exploration/canonical.rs"]
mod canonical;
mod common;
#[path = "exploration/judging.rs"]
mod judging;
#[path = "exploration/model.rs"]
mod model;
#[path = "exploration/outside.rs"]
mod outside;
#[path = "exploration/properties.rs"]
mod properties;
#[path = "exploration/registrar.rs"]
mod registrar;
#[path = "exploration/wire.rs"]
mod wire;
#[path = "exploration/world.rs"]
mod world;

use std::time::Instant;

use ims_procedures::regevent::subscriber::Profile;
use model::Exploration;
use properties::Property;
use stateright::{Checker, HasDiscoveries, Model};
use world::{Setting, World};

/// How far, by the environment: `small`, which a build without optimisation does in seconds, `gate` or `large`.
fn bounds() -> Vec<(u8, u8, bool)> {
    match std::env::var("EXPLORATION").as_deref() {
        Err(_) | Ok("small") => vec![(0, 1, true)],
        Ok("gate") => vec![(1, 0, true), (0, 2, true), (1, 1, true)],
        Ok("large") => vec![(0, 3, true), (2, 0, true), (1, 1, false)],
        Ok(own) => {
            let (changes, faults) = own.split_once(',').expect("CHANGES,FAULTS");
            let prompt = !faults.ends_with('+');
            let faults = faults.trim_end_matches('+');
            vec![(changes.parse().unwrap(), faults.parse().unwrap(), prompt)]
        }
    }
}

fn explore(profile: Profile) {
    for (changes, faults, prompt) in bounds() {
        let setting = Setting {
            profile,
            changes,
            faults,
            prompt,
        };
        let began = Instant::now();
        let checker = Exploration::new(setting)
            .checker()
            .finish_when(HasDiscoveries::AnyFailures)
            .spawn_bfs()
            .join();
        let mut broken: Vec<&str> = Vec::new();
        for (name, path) in checker.discoveries() {
            broken.push(name);
            tell(setting, &path.last_state().actions);
        }
        if broken.is_empty() && checker.model().has_cycle() {
            broken.push(Property::ComesToAnEnd.name());
        }
        println!(
            "\nexploration: {profile:?}, {changes} changes, {faults} faults, prompt {prompt}: {} states, {} steps, {} deep, {:.1} s",
            checker.unique_state_count(),
            checker.state_count(),
            checker.max_depth(),
            began.elapsed().as_secs_f32()
        );
        for name in &broken {
            println!("\nbroken: {name}");
        }
        assert!(broken.is_empty(), "{broken:?}");
    }
}

/// What happened, in words.
fn tell(setting: Setting, actions: &[world::Action]) {
    let mut world = World::new(setting);
    world.log = Some(Vec::new());
    for action in actions {
        world.act(*action);
    }
    for line in world.log.unwrap_or_default() {
        println!("{line}");
    }
}

/// [RE-8] [RN-4] Literal to S2.
#[test]
fn literal_to_s2() {
    explore(Profile::Sbc);
}

/// [RE-8] [RN-4] As RFC 6665 has it.
#[test]
fn as_rfc_6665_has_it() {
    explore(Profile::Rfc6665);
}
