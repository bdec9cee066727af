//! The columns of the ladder: who takes part, and where the line of each stands.

use crate::provisioning::Actor;

pub const NAMES: [(&str, usize); 6] = [
    ("client", 12),
    ("Participating Function", 46),
    ("other", 76),
    ("IWF 1", 91),
    ("IWF 2", 104),
    ("store", 117),
];

/// Where the line of somebody stands.
pub const fn place(actor: Actor) -> usize {
    let column = match actor {
        Actor::Client => 0,
        Actor::Function => 1,
        Actor::Other => 2,
        Actor::Iwf1 => 3,
        Actor::Iwf2 => 4,
        Actor::Store => 5,
    };
    NAMES[column].1
}
