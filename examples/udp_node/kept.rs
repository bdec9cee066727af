//! A node that is stored machine by machine, or not: with `--persist` and without.

use ims_procedures::{
    drive::{
        Answer, ConfigError, Millis, Misuse, Node, Outbox, Persist, Release, Role, Source, Timer,
        Token, TransactionRef, Verdict,
    },
    persistence::{Config, Persistent},
};

pub enum Kept<N: Persist> {
    Nowhere(N),
    InStore(Box<Persistent<N>>),
}

impl<N: Persist> Kept<N> {
    pub fn new(node: N, is_stored: bool) -> Result<Self, ConfigError> {
        Ok(match is_stored {
            true => Self::InStore(Box::new(Persistent::new(node, Config::default())?)),
            false => Self::Nowhere(node),
        })
    }

    /// The node inside.
    pub const fn node(&self) -> &N {
        match self {
            Self::Nowhere(node) => node,
            Self::InStore(stored) => stored.node(),
        }
    }
}

impl<N: Persist> Node for Kept<N> {
    type Role = N::Role;

    fn receive(
        &mut self,
        now: Millis,
        from: Source,
        txn: TransactionRef,
        bytes: &[u8],
        out: &mut Outbox<N::Role>,
    ) -> Result<Verdict, Misuse> {
        match self {
            Self::Nowhere(node) => node.receive(now, from, txn, bytes, out),
            Self::InStore(stored) => stored.receive(now, from, txn, bytes, out),
        }
    }

    fn answer(
        &mut self,
        now: Millis,
        token: Token,
        answer: Answer<'_, N::Role>,
        out: &mut Outbox<N::Role>,
    ) -> Result<(), Misuse> {
        match self {
            Self::Nowhere(node) => node.answer(now, token, answer, out),
            Self::InStore(stored) => stored.answer(now, token, answer, out),
        }
    }

    fn command(
        &mut self,
        now: Millis,
        command: <N::Role as Role>::Command<'_>,
        out: &mut Outbox<N::Role>,
    ) -> Result<Verdict, Misuse> {
        match self {
            Self::Nowhere(node) => node.command(now, command, out),
            Self::InStore(stored) => stored.command(now, command, out),
        }
    }

    fn tick(&mut self, now: Millis, out: &mut Outbox<N::Role>) -> Result<(), Misuse> {
        match self {
            Self::Nowhere(node) => node.tick(now, out),
            Self::InStore(stored) => stored.tick(now, out),
        }
    }

    fn deadline(&self) -> Option<(Millis, Timer)> {
        match self {
            Self::Nowhere(node) => node.deadline(),
            Self::InStore(stored) => stored.deadline(),
        }
    }

    fn step_room(&self) -> (usize, usize) {
        match self {
            Self::Nowhere(node) => node.step_room(),
            Self::InStore(stored) => stored.step_room(),
        }
    }

    fn snapshot_for(&self, release: Release, now: Millis, into: &mut Vec<u8>) {
        match self {
            Self::Nowhere(node) => node.snapshot_for(release, now, into),
            Self::InStore(stored) => stored.snapshot_for(release, now, into),
        }
    }
}
