//! The columns of the ladder: who takes part, and where the line of each stands.

use crate::provisioning::Actor;

pub const NAMES: [(&str, usize); 2] = [("P-CSCF", 16), ("S-CSCF", 78)];

/// Where the line of an element stands.
pub const fn place(actor: Actor) -> usize {
    match actor {
        Actor::Scscf => NAMES[1].1,
        _ => NAMES[0].1,
    }
}
