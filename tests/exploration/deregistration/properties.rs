//! What must hold in every state, under names that reports and mutants use.

use crate::shared::properties::{self, Named};

/// A property of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Property {
    ComesToAnEnd,
    RegisteredLastStays,
    NoGhost,
    Outcomes,
    OthersContact,
    RegisterAnswered,
    MessagesBounded,
}

impl Named for Property {
    const ALL: &'static [Self] = &[
        Self::ComesToAnEnd,
        Self::RegisteredLastStays,
        Self::NoGhost,
        Self::Outcomes,
        Self::OthersContact,
        Self::RegisterAnswered,
        Self::MessagesBounded,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::ComesToAnEnd => "always comes to an end",
            Self::RegisteredLastStays => "a UE that registered last stays registered",
            Self::NoGhost => "no ghost at either side once quiet",
            Self::Outcomes => "outcomes as documented",
            Self::OthersContact => "a contact of another P-CSCF is left alone",
            Self::RegisterAnswered => "every REGISTER is answered once",
            Self::MessagesBounded => "messages bounded",
        }
    }

    fn number(self) -> usize {
        self as usize
    }
}

/// The properties that a state breaks.
pub type Broken = properties::Broken<Property>;
