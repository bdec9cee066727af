//! How a program embeds a node of the library: the whole of it is [`Host::attend`].

use std::collections::VecDeque;

use ims_procedures::{
    drive::{
        Answer, Identifiers, Millis, Misuse, Node, Outbox, Output, Role, Source, Token,
        TransactionRef, Verdict,
    },
    txn::{self, Transactions},
};

use crate::{network::Network, provisioning::Actor};

/// What a host must do itself for a node of this role: answer its questions, and take note of its events.
pub trait Duties<R: Role> {
    fn answer(
        &mut self,
        now: Millis,
        question: &R::Question,
        texts: &Outbox<R>,
        network: &mut Network,
    ) -> R::Answer<'static>;

    /// Takes a question of which the answer has to be waited for, and says whether it is one. The answer is given by
    /// [`Host::answer`], whenever it comes.
    fn takes(&mut self, _: Millis, _: Token, _: &R::Question, _: &mut Network) -> bool {
        false
    }

    fn take_note(
        &mut self,
        now: Millis,
        event: &R::Event,
        texts: &Outbox<R>,
        network: &mut Network,
    );
}

/// A node, the transactions around it, and the outbox for what it wants done.
pub struct Host<N: Node> {
    me: Actor,
    node: Transactions<N>,
    outbox: Outbox<N::Role>,
}

impl<N: Node> Host<N> {
    pub fn new(me: Actor, node: N, identifiers: Identifiers) -> Self {
        let node = Transactions::new(node, txn::Config::default(), identifiers);
        Self {
            me,
            outbox: node.outbox(1),
            node,
        }
    }

    pub fn node(&self) -> &N {
        self.node.node()
    }

    /// A request that was held is passed on: whatever becomes of it is not the node's any more.
    #[allow(dead_code)] // Not every host holds requests.
    pub fn take_over(&mut self, transaction: TransactionRef) {
        self.node.take_over(transaction);
    }

    /// When it has to be given a tick.
    pub fn deadline(&self) -> Option<Millis> {
        self.node.deadline().map(|(at, _)| at)
    }

    /// A message has arrived.
    pub fn receive(
        &mut self,
        now: Millis,
        (from, trust): (Actor, Source),
        bytes: &[u8],
        duties: &mut impl Duties<N::Role>,
        network: &mut Network,
    ) -> Result<Verdict, Misuse> {
        let back = way_back(from);
        let verdict = self
            .node
            .receive(now, trust, back, bytes, &mut self.outbox)?;
        self.attend(now, duties, network)?;
        Ok(verdict)
    }

    /// Gives the node a command.
    pub fn command(
        &mut self,
        now: Millis,
        command: <N::Role as Role>::Command<'_>,
        duties: &mut impl Duties<N::Role>,
        network: &mut Network,
    ) -> Result<Verdict, Misuse> {
        let verdict = self.node.command(now, command, &mut self.outbox)?;
        self.attend(now, duties, network)?;
        Ok(verdict)
    }

    /// Gives the node an answer that it has waited for.
    #[allow(dead_code)] // Not every host has to wait.
    pub fn answer(
        &mut self,
        now: Millis,
        token: Token,
        answer: <N::Role as Role>::Answer<'_>,
        duties: &mut impl Duties<N::Role>,
        network: &mut Network,
    ) -> Result<(), Misuse> {
        let answer = Answer::Role(answer);
        self.node.answer(now, token, answer, &mut self.outbox)?;
        self.attend(now, duties, network)
    }

    /// Lets everything fire that is due.
    pub fn tick(
        &mut self,
        now: Millis,
        duties: &mut impl Duties<N::Role>,
        network: &mut Network,
    ) -> Result<(), Misuse> {
        while self.deadline().is_some_and(|at| at <= now) {
            self.node.tick(now, &mut self.outbox)?;
            self.attend(now, duties, network)?;
        }
        Ok(())
    }

    /// Does what the node wants done, until it wants nothing more. What is asked is answered at once, unless the
    /// host must wait for somebody: then it keeps the token, and gives the answer whenever it comes.
    fn attend(
        &mut self,
        now: Millis,
        duties: &mut impl Duties<N::Role>,
        network: &mut Network,
    ) -> Result<(), Misuse> {
        let mut answers = VecDeque::new();
        loop {
            for output in self.outbox.iter() {
                match output {
                    Output::Request {
                        token,
                        mut next_hops,
                        bytes,
                        ..
                    } => match next_hops.next().and_then(Actor::at) {
                        Some(hop) => network.send(now, self.me, hop, bytes),
                        None => answers.push_back((token, Answer::Unreachable)),
                    },
                    Output::Acknowledge {
                        mut next_hops,
                        bytes,
                        ..
                    } => {
                        if let Some(hop) = next_hops.find_map(Actor::at) {
                            network.send(now, self.me, hop, bytes);
                        }
                    }
                    Output::Respond { to, bytes, .. } => {
                        if let Some(peer) = peer(to) {
                            network.send(now, self.me, peer, bytes);
                        }
                    }
                    Output::Ask { token, question } => {
                        if duties.takes(now, token, question, network) {
                            continue;
                        }
                        let answer = duties.answer(now, question, &self.outbox, network);
                        answers.push_back((token, Answer::Role(answer)));
                    }
                    Output::Event(event) => duties.take_note(now, event, &self.outbox, network),
                    // Nothing is persisted here, so there is nothing to store.
                    _ => {}
                }
            }
            self.outbox.clear();
            let Some((token, answer)) = answers.pop_front() else {
                return Ok(());
            };
            self.node.answer(now, token, answer, &mut self.outbox)?;
        }
    }
}

/// The handle under which a request is handed in: whom its answer goes to. Over which transport, its Via says.
fn way_back(from: Actor) -> TransactionRef {
    TransactionRef(from.number())
}

fn peer(handle: TransactionRef) -> Option<Actor> {
    Actor::of_number(handle.0)
}
