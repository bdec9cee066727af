//! The columns of the ladder: who takes part, and where the line of each stands.

use crate::provisioning::Actor;

pub const NAMES: [(&str, usize); 5] = [
    ("UE", 12),
    ("P-CSCF", 49),
    ("S-CSCF", 88),
    ("AS", 106),
    ("HSS", 117),
];

/// Where the line of an element stands.
pub const fn place(actor: Actor) -> usize {
    let column = match actor {
        Actor::Ue(_) => 0,
        Actor::Pcscf | Actor::Msc => 1,
        Actor::Scscf => 2,
        Actor::As => 3,
        Actor::Hss => 4,
    };
    NAMES[column].1
}
