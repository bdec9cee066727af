//! The columns of the ladder: who takes part, and where the line of each stands.

use crate::provisioning::Actor;

pub const NAMES: [(&str, usize); 4] = [
    ("MSC server", 14),
    ("S-CSCF", 68),
    ("SCC AS", 104),
    ("HSS", 116),
];

/// Where the line of an element stands.
pub const fn place(actor: Actor) -> usize {
    let column = match actor {
        Actor::Scscf => 1,
        Actor::As => 2,
        Actor::Hss => 3,
        _ => 0,
    };
    NAMES[column].1
}
