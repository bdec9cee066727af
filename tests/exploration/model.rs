//! The worlds as a model for the checker: a state is known by its digest, and stands for the actions that led to it
//! first.

use std::{
    collections::HashMap,
    fmt,
    hash::{Hash, Hasher},
    sync::{Arc, Mutex},
};

use stateright::{Model, Property as Checked};

use super::{
    properties::{Broken, Property},
    world::{Action, Rest, Setting, World},
};

/// More actions than any run has.
const DEEPEST: usize = 120;

/// One state in so many is made from the beginning too, which must come to the same.
const CHECKED: u64 = 64;

/// A state.
#[derive(Clone)]
pub struct State {
    /// From the beginning.
    pub actions: Vec<Action>,
    /// The latest world at rest, and how many of the actions led there.
    rest: Option<(Arc<Rest>, usize)>,
    digest: u64,
    enabled: Vec<Action>,
    broken: Broken,
}

impl State {
    fn first(setting: Setting) -> Self {
        Self::of(&World::new(setting), Vec::new(), None)
    }

    fn after(&self, setting: Setting, action: Action) -> Self {
        let (mut world, begun) = match &self.rest {
            Some((rest, begun)) => (World::from_rest(setting, rest), *begun),
            None => (World::new(setting), 0),
        };
        let mut actions = self.actions.clone();
        actions.push(action);
        for action in &actions[begun..] {
            world.act(*action);
        }
        let next = Self::of(&world, actions, self.rest.clone());
        if next.digest % CHECKED == 0 {
            let mut world = World::new(setting);
            for action in &next.actions {
                world.act(*action);
            }
            let digest = world.digest(&world.blobs());
            assert_eq!(digest, next.digest, "{:?}", next.actions);
        }
        next
    }

    fn of(world: &World, actions: Vec<Action>, rest: Option<(Arc<Rest>, usize)>) -> Self {
        let mut broken = world.broken();
        if actions.len() > DEEPEST {
            broken.add(Property::ComesToAnEnd);
        }
        // What comes after something broken says nothing more.
        let enabled = match broken.is_none() {
            true => world.enabled(),
            false => Vec::new(),
        };
        let blobs = world.blobs();
        let digest = world.digest(&blobs);
        let own = world
            .rest(blobs)
            .map(|rest| (Arc::new(rest), actions.len()));
        Self {
            digest,
            rest: own.or(rest),
            enabled,
            broken,
            actions,
        }
    }

    pub fn breaks(&self, property: Property) -> bool {
        self.broken.has(property)
    }
}

impl PartialEq for State {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Hash for State {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.digest.hash(hasher);
        self.broken.hash(hasher);
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.digest)
    }
}

/// What is explored.
pub struct Exploration {
    pub setting: Setting,
    /// Which digest led to which, once each.
    steps: Mutex<Vec<(u64, u64)>>,
}

impl Exploration {
    pub fn new(setting: Setting) -> Self {
        Self {
            setting,
            steps: Mutex::default(),
        }
    }

    /// Whether some state can come again: a run could go on for ever. What nothing leads to any more is taken
    /// away until nothing is left, or a cycle is.
    pub fn has_cycle(&self) -> bool {
        let steps = self.steps.lock().unwrap();
        let mut leads: HashMap<u64, Vec<u64>> = HashMap::new();
        let mut arrivals: HashMap<u64, usize> = HashMap::new();
        for &(from, to) in steps.iter() {
            leads.entry(from).or_default().push(to);
            arrivals.entry(from).or_default();
            *arrivals.entry(to).or_default() += 1;
        }
        let mut free: Vec<u64> = arrivals
            .iter()
            .filter_map(|(&state, &count)| (count == 0).then_some(state))
            .collect();
        let mut gone = 0;
        while let Some(state) = free.pop() {
            gone += 1;
            for to in leads.get(&state).into_iter().flatten() {
                if let Some(count) = arrivals.get_mut(to) {
                    *count -= 1;
                    if *count == 0 {
                        free.push(*to);
                    }
                }
            }
        }
        gone < arrivals.len()
    }
}

impl Model for Exploration {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::first(self.setting)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        actions.extend_from_slice(&state.enabled);
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let next = last.after(self.setting, action);
        self.steps.lock().unwrap().push((last.digest, next.digest));
        Some(next)
    }

    fn properties(&self) -> Vec<Checked<Self>> {
        vec![
            check::<0>(),
            check::<1>(),
            check::<2>(),
            check::<3>(),
            check::<4>(),
            check::<5>(),
            check::<6>(),
            check::<7>(),
            check::<8>(),
            check::<9>(),
        ]
    }
}

/// The checker takes plain functions: one for each property.
fn check<const NUMBER: usize>() -> Checked<Exploration> {
    Checked::always(Property::ALL[NUMBER].name(), |_, state: &State| {
        !state.breaks(Property::ALL[NUMBER])
    })
}
