//! What must hold in every state, under names that reports and mutants use.

use crate::shared::properties::{self, Named};

/// A property of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Property {
    ComesToAnEnd,
    TwoSubscribes,
    Ghost,
    LostTerminate,
    Quiescent,
    NotifyAnswered,
    Versions,
    TwoNotifies,
    TableAgrees,
    MessagesBounded,
}

impl Named for Property {
    const ALL: &'static [Self] = &[
        Self::ComesToAnEnd,
        Self::TwoSubscribes,
        Self::Ghost,
        Self::LostTerminate,
        Self::Quiescent,
        Self::NotifyAnswered,
        Self::Versions,
        Self::TwoNotifies,
        Self::TableAgrees,
        Self::MessagesBounded,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::TwoSubscribes => "never two SUBSCRIBEs in flight",
            Self::Ghost => "never a ghost",
            Self::LostTerminate => "never a lost terminate",
            Self::Quiescent => "quiescent at the end",
            Self::NotifyAnswered => "every NOTIFY is answered",
            Self::Versions => "versions never go backwards at the watcher",
            Self::TwoNotifies => "at most one NOTIFY outstanding per subscription",
            Self::TableAgrees => "table agrees with the registrar once quiet",
            Self::MessagesBounded => "messages bounded",
            Self::ComesToAnEnd => "always comes to an end",
        }
    }

    fn number(self) -> usize {
        self as usize
    }
}

/// The properties that a state breaks.
pub type Broken = properties::Broken<Property>;
