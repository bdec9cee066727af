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

    fn take_note(
        &mut self,
        now: Millis,
        event: &R::Event,
        texts: &Outbox<R>,
        network: &mut Network,
    );

    /// Whether the answer to a question takes time. The token is kept then, and [`Host::answer`] has the answer.
    fn takes_time(&mut self, _: Millis, _: Token, _: &R::Question, _: &mut Network) -> bool {
        false
    }
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

    /// Gives the node the answer to a question that took time.
    #[allow(dead_code)] // The example `msc_ics` does.
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

    /// Does what the node wants done, until it wants nothing more. What is asked is mostly answered at once here; a
    /// host that must wait for its HSS keeps the token, and gives the answer whenever it comes.
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
                    Output::Respond { to, bytes, .. } => {
                        if let Some(peer) = peer(to) {
                            network.send(now, self.me, peer, bytes);
                        }
                    }
                    Output::Ask { token, question }
                        if duties.takes_time(now, token, question, network) => {}
                    Output::Ask { token, question } => {
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
    TransactionRef(match from {
        Actor::Pcscf => 1,
        Actor::Scscf => 2,
        Actor::As => 3,
        Actor::Hss => 4,
        Actor::Msc => 5,
        Actor::Ue(number) => 5 + number as u64,
    })
}

fn peer(handle: TransactionRef) -> Option<Actor> {
    match handle.0 {
        0 => None,
        1 => Some(Actor::Pcscf),
        2 => Some(Actor::Scscf),
        3 => Some(Actor::As),
        4 => Some(Actor::Hss),
        5 => Some(Actor::Msc),
        number => usize::try_from(number - 5).ok().map(Actor::Ue),
    }
}
