//! The one shape in which every procedure is driven: time, tokens, the outbox, faults and the two traits.
//!
//! A [`Node`] holds many machines behind one set of doors. Whatever happens outside enters through
//! [`receive`](Node::receive), [`answer`](Node::answer), [`command`](Node::command) or
//! [`tick`](Node::tick); whatever the node wants done is appended to the host's [`Outbox`]. Nothing else
//! crosses: no clock, no thread, no callback. The same state and the same call give the same next state
//! and the same bytes.
//!
//! This layer knows no SIP and no role.
//!
//! | id | what | where | test |
//! |---|---|---|---|
//! | DR-1 | pure and deterministic | [`Node`] | `tests/network.rs` |
//! | DR-2 | what may cross the doors | [`Output`], [`Answer`] | `tests/drive.rs` |
//! | DR-3 | next hops in order; too large for UDP | [`Outbox::request`] | `tests/drive.rs` |
//! | DR-4 | room for a step, or no change | [`Outbox::check_room`] | `tests/drive.rs` |
//! | DR-5 | every bound in one value | [`Limits`] | `tests/drive.rs` |
//! | DR-5 | room for users beforehand, given back after them | [`Limits::reserved_users`] | `tests/fleet_allocations.rs` |
//! | DR-6 | clamped time, stale tokens | [`Clock`], [`Token`] | `tests/drive.rs` |
//! | DR-7 | the versioned blob | [`snapshot`] | `tests/drive.rs` |
//! | DR-8 | identifiers from seed and incarnation | [`Identifiers`] | `tests/drive.rs` |
//! | DR-9 | no personal data in `Debug` | [`Text`], [`Output`] | `tests/pcscf.rs` |
//! | DR-9 | one record of each procedure for an audit | [`Audit`] | `tests/pcscf/audit.rs` |

mod audit;
mod buffer;
mod faults;
mod identifiers;
mod limits;
mod outbox;
mod persist;
pub mod snapshot;
mod time;
mod withheld;

pub(crate) use audit::Begun;
pub use audit::{Audit, Initiator};
pub(crate) use buffer::holds_break;
pub use buffer::{Buffer, Unwritable};
pub use faults::{ConfigError, Defect, Misuse, Reject, RestoreError};
pub use identifiers::{Identifier, Identifiers, Token};
pub use limits::Limits;
pub use outbox::{NextHops, Outbox, Output, Request, Text, UDP_LIMIT};
pub use persist::{Change, Changes, Persist, Texts, WithheldRole};
pub use snapshot::Release;
pub use time::{Clock, Millis, Timer};
pub(crate) use withheld::Withheld;

use alloc::vec::Vec;
use core::fmt::{self, Debug};

/// How far the sender of some bytes is to be believed. The host says so for every message, from what it
/// knows of the transport (security association, network domain security, address).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// An element inside the trust domain, over an interface the operator protects (TS 33.210).
    TrustedCore,
    /// A user's equipment, whatever it claims.
    Ue,
    /// Anyone else.
    Unknown,
}

/// Towards whom a request goes: it decides the SIP timers (TS 24.229 7.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Towards {
    /// Another element of the IM core network subsystem: T1 is 0.5 s.
    Core,
    /// A user's equipment over the air: T1 is 2 s.
    Ue,
}

/// The host's own handle of a server transaction: given with a request, given back with its response,
/// at once or much later. The library reads nothing into it. A restored node answers with the handles that the
/// node before it was given; what they lead to then, if anything, is the host's to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransactionRef(pub u64);

/// What became of something that was handed in. It is known at once, never by a later event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Taken. What is owed for it is in the outbox, or will be when an answer comes.
    Handled,
    /// Of no concern to this node; the host goes on as if it had not asked.
    NotMine,
    /// The host, as the proxy that it is, passes the message on.
    Forward,
    /// The host keeps the message until the request or question with this token is settled.
    Hold(Token),
    /// The host answers with this status, and with Retry-After (seconds) unless that is 0.
    Refuse {
        /// The SIP status code to answer with.
        status: u16,
        /// Seconds for Retry-After; 0 for none.
        retry_after: u32,
    },
    /// The bytes were not accepted and changed nothing. If an answer to them is possible at all, it is
    /// in the outbox.
    Rejected(Reject),
}

/// [DR-2] What the host gives back for a token: the result of a request, a question or a store.
#[non_exhaustive]
pub enum Answer<'a, R: Role> {
    /// The response to our request, as it came. Provisional ones may be given or kept back. A 2xx to an INVITE is given
    /// once; when it comes again, its ACK is sent again ([`Output::Acknowledge`]).
    Response(&'a [u8]),
    /// No response came in time (RFC 3261 timer F, or B).
    Timeout,
    /// No next hop could be reached (RFC 3261 8.1.3.1 treats it as 503).
    Unreachable,
    /// The blob is safe.
    Stored,
    /// Another node has written this key since: it has taken over.
    Conflict,
    /// The blob could not be stored.
    Failed,
    /// The answer to a question of this role.
    Role(R::Answer<'a>),
}

impl<R: Role> fmt::Debug for Answer<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Response(bytes) => f.debug_tuple("Response").field(&bytes.len()).finish(),
            Self::Timeout => f.write_str("Timeout"),
            Self::Unreachable => f.write_str("Unreachable"),
            Self::Stored => f.write_str("Stored"),
            Self::Conflict => f.write_str("Conflict"),
            Self::Failed => f.write_str("Failed"),
            Self::Role(answer) => f.debug_tuple("Role").field(answer).finish(),
        }
    }
}

/// The vocabulary of one role: what it can be told, what it asks, what it reports.
pub trait Role: Debug + Sized {
    /// What the host can tell it to do. Named in the imperative.
    type Command<'a>;
    /// What it asks the host, or asks it to do and report back on. Named by a noun.
    type Question: Clone + Debug + PartialEq;
    /// The answers to its questions.
    type Answer<'a>: Debug;
    /// What it reports. Named by a past participle.
    type Event: Clone + Debug + PartialEq;
    /// The most outputs that one call can append.
    const STEP_OUTPUTS: usize;
    /// The most bytes that one call can append.
    const STEP_BYTES: usize;
}

/// [DR-1] Many machines of one role behind one set of doors.
///
/// Every call first checks that the outbox has room for one step ([`Misuse::OutboxFull`] otherwise, with
/// nothing changed) and does a bounded amount of work. `now` may stand still; one that goes backwards is
/// taken as standing still, and counted.
pub trait Node {
    /// The role of its machines.
    type Role: Role;

    /// A SIP message from a peer: a request, with the host's handle of its server transaction. (A response
    /// to a request of ours enters by [`answer`](Node::answer); a host with only a socket wraps the node
    /// in the transaction layer, which takes both here. A 2xx to an INVITE that is in no transaction, as after
    /// a restart, enters here as well, and is [`Verdict::NotMine`] to whoever sends no INVITEs: RFC 3261 13.2.2.4.)
    ///
    /// # Errors
    /// [`Misuse::OutboxFull`]; whatever is wrong with the bytes is the peer's, and a [`Verdict`].
    fn receive(
        &mut self,
        now: Millis,
        from: Source,
        txn: TransactionRef,
        bytes: &[u8],
        out: &mut Outbox<Self::Role>,
    ) -> Result<Verdict, Misuse>;

    /// The result of a request, question or store. One that comes too late is ignored and counted.
    ///
    /// # Errors
    /// [`Misuse::OutboxFull`]; [`Misuse::UnknownToken`] for a token that was never given out;
    /// [`Misuse::WrongAnswer`] for an answer of another kind than what was asked.
    fn answer(
        &mut self,
        now: Millis,
        token: Token,
        answer: Answer<'_, Self::Role>,
        out: &mut Outbox<Self::Role>,
    ) -> Result<(), Misuse>;

    /// A command of the host.
    ///
    /// # Errors
    /// [`Misuse::OutboxFull`], or what is wrong with the command.
    fn command(
        &mut self,
        now: Millis,
        command: <Self::Role as Role>::Command<'_>,
        out: &mut Outbox<Self::Role>,
    ) -> Result<Verdict, Misuse>;

    /// Lets the most overdue machine act. Before the deadline it changes nothing. When several are due,
    /// [`deadline`](Node::deadline) stays in the past until as many ticks have been given.
    ///
    /// # Errors
    /// [`Misuse::OutboxFull`].
    fn tick(&mut self, now: Millis, out: &mut Outbox<Self::Role>) -> Result<(), Misuse>;

    /// When the next tick is due, and the timer that will fire.
    fn deadline(&self) -> Option<(Millis, Timer)>;

    /// The outputs and bytes that one call can append, which is the room that each asks for: those of the role, or
    /// more for a layer around a node.
    fn step_room(&self) -> (usize, usize) {
        (Self::Role::STEP_OUTPUTS, Self::Role::STEP_BYTES)
    }

    /// Appends the whole state as a versioned blob, timers as remaining time, for a later `restore`.
    fn snapshot(&self, now: Millis, into: &mut Vec<u8>) {
        self.snapshot_for(Release::Current, now, into);
    }

    /// The same for a node of the release given: this one reads both.
    fn snapshot_for(&self, release: Release, now: Millis, into: &mut Vec<u8>);
}

/// Adds one to a counter, which stays at its end.
pub(crate) const fn increment(counter: &mut u64) {
    *counter = counter.saturating_add(1);
}

/// What all machines of a node share while one of them takes a step, so that none carries a copy.
#[derive(Debug)]
pub struct Context<'a, C: ?Sized> {
    /// The present, in the host's own epoch.
    pub now: Millis,
    /// The configuration of the role.
    pub config: &'a C,
    /// Where identifiers and tokens come from.
    pub identifiers: &'a mut Identifiers,
    /// The machine's own number in its node; a host that keeps its machines itself chooses it.
    pub id: u32,
}

impl<C: ?Sized> Context<'_, C> {
    /// A new token for something that this machine asks for.
    pub fn token(&mut self) -> Token {
        self.identifiers.token(self.id)
    }

    /// A new identifier for a Call-ID, tag or branch.
    pub fn identifier(&mut self) -> Identifier {
        self.identifiers.next()
    }
}
