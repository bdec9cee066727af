//! What must hold in every state, under names that reports and mutants use.

use crate::shared::properties::{self, Named};

/// A property of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Property {
    ComesToAnEnd,
    ByeAnswered,
    InOrder,
    OneKey,
    MediaReleased,
    LegsEnded,
    MessageUid,
    Outcome,
    Quiescent,
    Streams,
    Proxied,
}

impl Named for Property {
    const ALL: &'static [Self] = &[
        Self::ComesToAnEnd,
        Self::ByeAnswered,
        Self::InOrder,
        Self::OneKey,
        Self::MediaReleased,
        Self::LegsEnded,
        Self::MessageUid,
        Self::Outcome,
        Self::Quiescent,
        Self::Streams,
        Self::Proxied,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::ComesToAnEnd => "always comes to an end",
            Self::ByeAnswered => "every BYE gets one final answer in time",
            Self::InOrder => "each step waits for the one before",
            Self::OneKey => "at most one idempotency key",
            Self::MediaReleased => "media released once and first",
            Self::LegsEnded => "each leg gets one BYE, and none is left open",
            Self::MessageUid => "Message-UID exactly where it belongs",
            Self::Outcome => "one outcome, as it was",
            Self::Quiescent => "quiescent at the end",
            Self::Streams => "the streams of whoever has left go, and no others",
            Self::Proxied => "a proxy passes on what comes, and makes nothing up",
        }
    }

    fn number(self) -> usize {
        self as usize
    }
}

/// The properties that a state breaks.
pub type Broken = properties::Broken<Property>;
