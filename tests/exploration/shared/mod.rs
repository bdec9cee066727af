//! What the explorations share: how worlds become a model for the checker, and what makes two states the same.

pub mod canonical;
pub mod model;
pub mod properties;
pub mod wire;

use std::time::Instant;

use model::{Exploration, World};
use properties::{COMES_TO_AN_END, Named};
use stateright::{Checker, HasDiscoveries, Model};

/// Which bounds of the environment: `small`, which a build without optimisation does in seconds, `gate`, `large`, or
/// some of its own.
pub fn asked() -> String {
    std::env::var("EXPLORATION").unwrap_or_else(|_| "small".to_owned())
}

/// How many threads share one exploration: what `EXPLORATION_THREADS` says, or one.
fn threads() -> usize {
    let asked = std::env::var("EXPLORATION_THREADS");
    asked.map_or(1, |given| given.parse().expect("a number"))
}

/// Explores every run within the bounds of a setting.
pub fn explore<W: World>(named: &str, setting: W::Setting) -> usize {
    explore_all::<W>(named, &[setting])
}

/// Explores every run within the bounds of all these settings, tells how many states there are, and fails if one of
/// them breaks a property.
pub fn explore_all<W: World>(named: &str, settings: &[W::Setting]) -> usize {
    let began = Instant::now();
    let checker = Exploration::<W>::new(settings)
        .checker()
        .threads(threads())
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_bfs()
        .join();
    let mut broken: Vec<&str> = Vec::new();
    for (name, path) in checker.discoveries() {
        broken.push(name);
        let last = path.last_state();
        tell::<W>(last.setting, &last.actions);
    }
    if broken.is_empty() && checker.model().has_cycle() {
        broken.push(W::Property::ALL[COMES_TO_AN_END].name());
    }
    println!(
        "\nexploration: {named}: {} states, {} steps, {} deep, {:.1} s",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth(),
        began.elapsed().as_secs_f32()
    );
    for name in &broken {
        println!("\nbroken: {name}");
    }
    assert!(broken.is_empty(), "{broken:?}");
    checker.unique_state_count()
}

/// What happened, in words.
fn tell<W: World>(setting: W::Setting, actions: &[W::Action]) {
    let mut world = W::new(setting);
    world.keep_log();
    for action in actions {
        world.act(*action);
    }
    for line in world.log() {
        println!("{line}");
    }
}
