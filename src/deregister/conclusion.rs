//! [DR-9] How a deregistration by a REGISTER of one's own ended, for its record.

use serde::{Deserialize, Serialize};

/// [DR-9] How such a deregistration ended, in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Conclusion<O> {
    /// The registration is gone from here.
    Ended {
        /// How.
        outcome: O,
        /// How many REGISTERs were sent, retransmissions apart.
        registers: u8,
    },
    /// The deregistration was given up, because whom it concerned has come back.
    GivenUp {
        /// What it had come to in the network by then: with a 2xx the registration from before is gone there all the same.
        /// `None`: nothing that is known here.
        reached: Option<O>,
        /// How many REGISTERs had been sent.
        registers: u8,
    },
}

impl<O> Conclusion<O> {
    /// The same in other words, if there are any.
    pub(crate) fn map<P>(self, word: impl Fn(O) -> Option<P>) -> Option<Conclusion<P>> {
        Some(match self {
            Self::Ended { outcome, registers } => Conclusion::Ended {
                outcome: word(outcome)?,
                registers,
            },
            Self::GivenUp { reached, registers } => Conclusion::GivenUp {
                reached: match reached {
                    Some(outcome) => Some(word(outcome)?),
                    None => None,
                },
                registers,
            },
        })
    }
}
