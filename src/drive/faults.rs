//! Faults, by whose they are: the peer's, the host's, the configuration's, the blob's.

use core::fmt;

/// One way in which bytes can be wrong. Each is a constant of the layer that finds it.
#[derive(Clone, Copy, Debug)]
pub struct Defect {
    /// A number that is never given to another defect: what C callers compare.
    pub code: u16,
    /// What is wrong, for a person.
    pub what: &'static str,
    /// The clause that says so.
    pub clause: &'static str,
}

impl PartialEq for Defect {
    fn eq(&self, other: &Self) -> bool {
        self.code == other.code
    }
}

impl Eq for Defect {}

/// Bytes of a peer that were refused: what was wrong and where, and nothing of what they said (DR-9).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Reject {
    /// What was wrong.
    pub defect: &'static Defect,
    /// The byte at which it was found, counted from the start of the message or document.
    pub at: u32,
}

impl Reject {
    /// A refusal at byte `at`; an offset that does not fit stands as the largest.
    #[must_use]
    pub fn new(defect: &'static Defect, at: usize) -> Self {
        Self {
            defect,
            at: u32::try_from(at).unwrap_or(u32::MAX),
        }
    }

    /// The same refusal for a part that begins `by` bytes into the whole.
    #[must_use]
    pub fn shifted(self, by: usize) -> Self {
        let by = u32::try_from(by).unwrap_or(u32::MAX);
        Self {
            at: self.at.saturating_add(by),
            ..self
        }
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Defect { what, clause, .. } = self.defect;
        write!(f, "{what} at byte {} ({clause})", self.at)
    }
}

impl fmt::Debug for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reject({self})")
    }
}

impl core::error::Error for Reject {}

/// A mistake of the host. The call changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misuse {
    /// The outbox has no room for one step: clear it, or make it larger.
    #[error("the outbox has no room for one step ({outputs} outputs, {bytes} bytes)")]
    OutboxFull {
        /// Outputs that must be free.
        outputs: usize,
        /// Bytes that must be free.
        bytes: usize,
    },
    /// The token was never given out by this node in this incarnation.
    #[error("the token was never given out")]
    UnknownToken,
    /// The answer is of another kind than what was asked.
    #[error("the answer is of another kind than what was asked")]
    WrongAnswer,
    /// Bytes that the host itself vouches for could not be read, or lack what is needed.
    #[error("the bytes of the command are not usable: {0}")]
    BadCommand(Reject),
    /// The command names something that this node does not have.
    #[error("the command names something this node does not have")]
    NoSuchThing,
    /// What the command brings is longer than the limit of this name allows.
    #[error("longer than {limit} allows")]
    TooLarge {
        /// The field of [`Limits`](super::Limits).
        limit: &'static str,
    },
    /// The node holds as many as its limits allow.
    #[error("the node is full")]
    NodeFull,
}

/// A configuration that cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("configuration: {field}: {what}")]
pub struct ConfigError {
    /// The field at fault.
    pub field: &'static str,
    /// What is wrong with it.
    pub what: &'static str,
}

/// A blob that cannot be restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// It does not begin as a blob of this library does.
    #[error("not a snapshot")]
    NotASnapshot,
    /// It is of another role or machine.
    #[error("a snapshot of another kind")]
    WrongKind,
    /// It is of a format this release does not read.
    #[error("snapshot format {found} is not one this release reads")]
    UnsupportedFormat {
        /// The format found.
        found: u16,
    },
    /// It was cut short or altered.
    #[error("the snapshot is damaged")]
    Damaged,
    /// It holds more than the limits given allow.
    #[error("the snapshot exceeds the limits")]
    TooLarge,
    /// What it holds is here already.
    #[error("what the snapshot holds is here already")]
    AlreadyHere,
    /// The configuration given cannot work.
    #[error("{0}")]
    Config(ConfigError),
}
