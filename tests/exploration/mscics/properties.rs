//! What must hold in every state, under names that reports and mutants use.

use crate::shared::properties::{self, Named};

/// A property of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Property {
    ComesToAnEnd,
    DialogsFirst,
    NothingLeft,
    OneOutcome,
    RegisteredLastStays,
    Notified,
    NoSubscribe,
    MessagesBounded,
    Quiescent,
}

impl Named for Property {
    const ALL: &'static [Self] = &[
        Self::ComesToAnEnd,
        Self::DialogsFirst,
        Self::NothingLeft,
        Self::OneOutcome,
        Self::RegisteredLastStays,
        Self::Notified,
        Self::NoSubscribe,
        Self::MessagesBounded,
        Self::Quiescent,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::ComesToAnEnd => "always comes to an end",
            Self::DialogsFirst => "no REGISTER before the last dialog has ended or the bound has",
            Self::NothingLeft => "nothing is left after the outcome",
            Self::OneOutcome => "exactly one outcome of each deregistration",
            Self::RegisteredLastStays => "a subscriber registered last stays registered",
            Self::Notified => "a NOTIFY is answered 200 until the outcome and 481 afterwards",
            Self::NoSubscribe => "no SUBSCRIBE once the REGISTER has been sent",
            Self::MessagesBounded => "messages bounded",
            Self::Quiescent => "quiescent at the end",
        }
    }

    fn number(self) -> usize {
        self as usize
    }
}

/// The properties that a state breaks.
pub type Broken = properties::Broken<Property>;
