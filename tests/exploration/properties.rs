//! What must hold in every state, under names that reports and mutants use.

/// A property of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Property {
    TwoSubscribes,
    Ghost,
    LostTerminate,
    Quiescent,
    NotifyAnswered,
    Versions,
    TwoNotifies,
    TableAgrees,
    MessagesBounded,
    ComesToAnEnd,
}

impl Property {
    pub const ALL: [Self; 10] = [
        Self::TwoSubscribes,
        Self::Ghost,
        Self::LostTerminate,
        Self::Quiescent,
        Self::NotifyAnswered,
        Self::Versions,
        Self::TwoNotifies,
        Self::TableAgrees,
        Self::MessagesBounded,
        Self::ComesToAnEnd,
    ];

    pub const fn name(self) -> &'static str {
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
}

/// The properties that a state breaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Broken(u16);

impl Broken {
    pub fn add(&mut self, property: Property) {
        self.0 |= 1 << property as u16;
    }

    pub fn has(self, property: Property) -> bool {
        self.0 & (1 << property as u16) != 0
    }

    pub fn is_none(self) -> bool {
        self.0 == 0
    }
}
