//! How the node of a fleet is held: as it is, or with its machines stored, by a store that answers at once.

use ims_procedures::{
    drive::{Answer, Millis, Misuse, Node, Outbox, Output, Persist},
    mscics::MscNode,
    pcscf::PcscfNode,
    persistence::{Config, Persistent},
    scscf::ScscfNode,
};

use super::Meter;

/// Writes that one call, and all that follows from it, has room for.
const WRITES: usize = 8;

/// A node as a fleet holds it.
pub trait Held: Node + Sized {
    /// The node itself.
    type Inner;

    fn hold(node: Self::Inner) -> Self;
    fn inner(&self) -> &Self::Inner;
    fn outbox(&self) -> Outbox<Self::Role>;

    /// One call through the doors; what it wants stored is stored.
    fn call<T, M: Meter>(
        &mut self,
        what: &'static str,
        now: Millis,
        out: &mut Outbox<Self::Role>,
        meter: &mut M,
        call: impl FnOnce(&mut Self, &mut Outbox<Self::Role>) -> Result<T, Misuse>,
    ) -> T {
        let first = out.len();
        let done = meter.call(what, || call(self, out)).unwrap();
        self.store(now, first, out, meter);
        done
    }

    /// Every write among the outputs from `first` on is done. What waited for it is put out.
    fn store<M: Meter>(
        &mut self,
        now: Millis,
        first: usize,
        out: &mut Outbox<Self::Role>,
        meter: &mut M,
    ) {
        let mut number = first;
        while number < out.len() {
            let write = match out.since(number).next() {
                Some(Output::Store { token, bytes, .. }) => {
                    meter.stores(bytes.len());
                    Some(("stored", token))
                }
                Some(Output::Erase { token, .. }) => Some(("erased", token)),
                _ => None,
            };
            number += 1;
            if let Some((what, token)) = write {
                let answer = || self.answer(now, token, Answer::Stored, out);
                meter.call(what, answer).unwrap();
            }
        }
    }
}

impl Held for PcscfNode {
    type Inner = Self;

    fn hold(node: Self) -> Self {
        node
    }

    fn inner(&self) -> &Self {
        self
    }

    fn outbox(&self) -> Outbox<Self::Role> {
        Outbox::for_steps(1)
    }
}

impl Held for MscNode {
    type Inner = Self;

    fn hold(node: Self) -> Self {
        node
    }

    fn inner(&self) -> &Self {
        self
    }

    fn outbox(&self) -> Outbox<Self::Role> {
        Outbox::for_steps(1)
    }
}

impl Held for ScscfNode {
    type Inner = Self;

    fn hold(node: Self) -> Self {
        node
    }

    fn inner(&self) -> &Self {
        self
    }

    fn outbox(&self) -> Outbox<Self::Role> {
        Outbox::for_steps(1)
    }
}

impl<N: Persist> Held for Persistent<N> {
    type Inner = N;

    fn hold(node: N) -> Self {
        Self::new(node, Config::default()).unwrap()
    }

    fn inner(&self) -> &N {
        self.node()
    }

    fn outbox(&self) -> Outbox<N::Role> {
        Persistent::outbox(self, WRITES)
    }
}
