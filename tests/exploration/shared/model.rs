//! Worlds as a model for the checker: a state is known by its digest, and stands for the actions that led to it first.

use std::{
    collections::HashMap,
    fmt::{self, Debug},
    hash::{Hash, Hasher},
    sync::{Arc, Mutex},
};

use stateright::{Model, Property as Checked};

use super::properties::{Broken, COMES_TO_AN_END, MOST, Named};

/// More actions than any run has.
const DEEPEST: usize = 120;

/// One state in so many is made from the beginning too, which must come to the same.
const CHECKED: u64 = 64;

/// Steps after which a long exploration tells how far it is.
const TOLD: usize = 500_000;

/// The shipped nodes, their hosts, and what is between them. A world is made anew for each state, from the actions
/// that lead to it, or to it from the latest world at rest: the nodes do the same each time.
pub trait World: Sized + 'static {
    /// What is explored, and how far.
    type Setting: Copy + Send + Sync;
    /// What can happen.
    type Action: Copy + Debug + PartialEq + Send + Sync;
    /// What the nodes are in their blobs.
    type Blobs;
    /// A world in which no transaction is open and nothing is due: a node that is restored goes on there as if nothing
    /// had been.
    type Rest: Send + Sync;
    /// What must hold.
    type Property: Named;

    fn new(setting: Self::Setting) -> Self;
    fn from_rest(setting: Self::Setting, rest: &Self::Rest) -> Self;
    /// What can happen now.
    fn enabled(&self) -> Vec<Self::Action>;
    /// Something happens.
    fn act(&mut self, action: Self::Action);
    fn broken(&self) -> Broken<Self::Property>;
    fn blobs(&self) -> Self::Blobs;
    /// The same for worlds that go on in the same way.
    fn digest(&self, blobs: &Self::Blobs) -> u64;
    /// Everything in it, if it is at rest.
    fn rest(&self, blobs: Self::Blobs) -> Option<Self::Rest>;
    /// From now on it tells what happens.
    fn keep_log(&mut self);
    fn log(self) -> Vec<String>;
}

/// A state.
pub struct State<W: World> {
    /// What it belongs to.
    pub setting: W::Setting,
    /// From the beginning.
    pub actions: Vec<W::Action>,
    /// The latest world at rest, and how many of the actions led there.
    rest: Option<(Arc<W::Rest>, usize)>,
    digest: u64,
    enabled: Vec<W::Action>,
    broken: Broken<W::Property>,
}

impl<W: World> Clone for State<W> {
    fn clone(&self) -> Self {
        Self {
            setting: self.setting,
            actions: self.actions.clone(),
            rest: self.rest.clone(),
            digest: self.digest,
            enabled: self.enabled.clone(),
            broken: self.broken,
        }
    }
}

impl<W: World> State<W> {
    fn first(setting: W::Setting) -> Self {
        Self::of(setting, &W::new(setting), Vec::new(), None)
    }

    fn after(&self, action: W::Action) -> Self {
        let setting = self.setting;
        let (mut world, begun) = match &self.rest {
            Some((rest, begun)) => (W::from_rest(setting, rest), *begun),
            None => (W::new(setting), 0),
        };
        let mut actions = self.actions.clone();
        actions.push(action);
        for action in &actions[begun..] {
            world.act(*action);
        }
        let next = Self::of(setting, &world, actions, self.rest.clone());
        if next.digest % CHECKED == 0 {
            let mut world = W::new(setting);
            for action in &next.actions {
                world.act(*action);
            }
            let digest = world.digest(&world.blobs());
            assert_eq!(digest, next.digest, "{:?}", next.actions);
        }
        next
    }

    fn of(
        setting: W::Setting,
        world: &W,
        actions: Vec<W::Action>,
        rest: Option<(Arc<W::Rest>, usize)>,
    ) -> Self {
        let mut broken = world.broken();
        if actions.len() > DEEPEST {
            broken.add_numbered(COMES_TO_AN_END);
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
            setting,
            digest,
            rest: own.or(rest),
            enabled,
            broken,
            actions,
        }
    }
}

impl<W: World> PartialEq for State<W> {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl<W: World> Hash for State<W> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.digest.hash(hasher);
        self.broken.bits().hash(hasher);
    }
}

impl<W: World> Debug for State<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.digest)
    }
}

/// What is explored.
pub struct Exploration<W: World> {
    /// From each of these.
    settings: Vec<W::Setting>,
    /// Which digest led to which, once each.
    steps: Mutex<Vec<(u64, u64)>>,
}

impl<W: World> Exploration<W> {
    pub fn new(settings: &[W::Setting]) -> Self {
        Self {
            settings: settings.to_vec(),
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

impl<W: World> Model for Exploration<W> {
    type State = State<W>;
    type Action = W::Action;

    fn init_states(&self) -> Vec<State<W>> {
        let settings = self.settings.iter();
        settings.map(|setting| State::first(*setting)).collect()
    }

    fn actions(&self, state: &State<W>, actions: &mut Vec<W::Action>) {
        actions.extend_from_slice(&state.enabled);
    }

    fn next_state(&self, last: &State<W>, action: W::Action) -> Option<State<W>> {
        let next = last.after(action);
        let mut steps = self.steps.lock().unwrap();
        steps.push((last.digest, next.digest));
        if steps.len() % TOLD == 0 {
            println!("{} steps, {} deep", steps.len(), next.actions.len());
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Checked<Self>> {
        let all: [fn() -> Checked<Self>; MOST] = [
            check::<W, 0>,
            check::<W, 1>,
            check::<W, 2>,
            check::<W, 3>,
            check::<W, 4>,
            check::<W, 5>,
            check::<W, 6>,
            check::<W, 7>,
            check::<W, 8>,
            check::<W, 9>,
            check::<W, 10>,
            check::<W, 11>,
        ];
        let named = all.iter().take(W::Property::ALL.len());
        named.map(|check| check()).collect()
    }
}

/// The checker takes plain functions: one for each property.
fn check<W: World, const NUMBER: usize>() -> Checked<Exploration<W>> {
    let name = W::Property::ALL[NUMBER].name();
    Checked::always(name, |_, state: &State<W>| {
        !state.broken.has_numbered(NUMBER)
    })
}
