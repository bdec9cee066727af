//! How a program embeds a node of the library: five doors in, one outbox out. All of it is [`Host::attend`].
//!
//! The node is wrapped twice. [`Kept`] has its machines stored, where that is wanted; `Transactions` around it does what
//! a host with only a socket needs: it sends again, matches responses and takes the next hop after one that failed.

use std::{collections::VecDeque, error::Error};

use ims_procedures::{
    drive::{
        Answer, Millis, Misuse, Node, Outbox, Output, Persist, Role, Source, Token, TransactionRef,
        Verdict,
    },
    persistence::Reading,
    txn::{self, Transactions},
};

use crate::{
    kept::Kept,
    outside::Outside,
    peer::Peer,
    site::Site,
    store::{Entry, Opened, Store},
};

/// What a host must do itself for a node of this role: answer its questions, and take note of its events.
pub trait Duties<R: Role> {
    /// An answer that is kept until the outbox is free again.
    type Reply;

    /// Answers a question. `None` if somebody else has to be waited for: then the token is kept, and the answer given by
    /// [`Host::answer`] when it comes.
    fn reply(
        &mut self,
        now: Millis,
        asked: (Token, &R::Question),
        texts: &Outbox<R>,
        outside: &mut Outside,
    ) -> Option<Self::Reply>;

    /// The reply as the node takes it.
    fn answer(reply: &Self::Reply) -> R::Answer<'_>;

    fn take_note(
        &mut self,
        now: Millis,
        event: &R::Event,
        texts: &Outbox<R>,
        outside: &mut Outside,
    );
}

/// What a node hears at once of something that it wanted done.
enum Done<Y> {
    Unreachable,
    Stored,
    Conflict,
    Failed,
    Reply(Y),
}

/// A node with all that is around it.
pub struct Host<N: Persist> {
    node: Transactions<Kept<N>>,
    outbox: Outbox<N::Role>,
    store: Option<Store>,
}

impl<N: Persist> Host<N> {
    /// Embeds a node. What the store has is taken over, each machine at the instant at which it was written: so its
    /// timers have gone on while nobody ran, and what is overdue is done first.
    pub fn new(node: N, site: &mut Site, now: Millis) -> Result<Self, Box<dyn Error>> {
        let mut opened = site.open_store("machines")?;
        let mut kept = Kept::new(node, opened.is_some())?;
        if let Some(Opened { store, entries }) = &mut opened {
            for entry in entries {
                if adopt(&mut kept, now, entry).is_err() {
                    store.set_aside(&entry.key)?;
                }
            }
        }
        let node = Transactions::new(kept, txn::Config::default(), site.birth.identifiers());
        Ok(Self {
            outbox: node.outbox(1),
            node,
            store: opened.map(|opened| opened.store),
        })
    }

    pub fn node(&self) -> &N {
        self.node.node().node()
    }

    pub fn transactions(&self) -> (usize, txn::Counters) {
        (self.node.transactions(), self.node.counters())
    }

    /// A request that was held is passed on: whatever becomes of it is not the node's any more. Whom it came from, if it
    /// is still to be answered.
    pub fn take_over(&mut self, transaction: TransactionRef) -> Option<Peer> {
        let handle = self.node.take_over(transaction)?;
        Peer::of_handle(handle)
    }

    /// When it has to be given a tick.
    pub fn deadline(&self) -> Option<Millis> {
        self.node.deadline().map(|(at, _)| at)
    }

    /// A message has arrived, which is answered to `back`.
    pub fn receive(
        &mut self,
        now: Millis,
        (back, trust): (Peer, Source),
        bytes: &[u8],
        duties: &mut impl Duties<N::Role>,
        outside: &mut Outside,
    ) -> Result<Verdict, Misuse> {
        let handle = back.handle();
        let verdict = self
            .node
            .receive(now, trust, handle, bytes, &mut self.outbox)?;
        self.attend(now, duties, outside)?;
        Ok(verdict)
    }

    /// Gives the node a command.
    pub fn command(
        &mut self,
        now: Millis,
        command: <N::Role as Role>::Command<'_>,
        duties: &mut impl Duties<N::Role>,
        outside: &mut Outside,
    ) -> Result<Verdict, Misuse> {
        let verdict = self.node.command(now, command, &mut self.outbox)?;
        self.attend(now, duties, outside)?;
        Ok(verdict)
    }

    /// Gives the node an answer that it has waited for.
    pub fn answer(
        &mut self,
        now: Millis,
        token: Token,
        answer: <N::Role as Role>::Answer<'_>,
        duties: &mut impl Duties<N::Role>,
        outside: &mut Outside,
    ) -> Result<(), Misuse> {
        let answer = Answer::Role(answer);
        self.node.answer(now, token, answer, &mut self.outbox)?;
        self.attend(now, duties, outside)
    }

    /// Lets fire what is most overdue. Others that are due have their turn at the next tick, so that messages are not kept
    /// waiting.
    pub fn tick(
        &mut self,
        now: Millis,
        duties: &mut impl Duties<N::Role>,
        outside: &mut Outside,
    ) -> Result<(), Misuse> {
        self.node.tick(now, &mut self.outbox)?;
        self.attend(now, duties, outside)
    }

    /// Does what the node wants done, until it wants nothing more.
    fn attend<D: Duties<N::Role>>(
        &mut self,
        now: Millis,
        duties: &mut D,
        outside: &mut Outside,
    ) -> Result<(), Misuse> {
        let mut all_done = VecDeque::new();
        loop {
            for output in self.outbox.iter() {
                let (outbox, store) = (&self.outbox, &mut self.store);
                all_done.extend(perform(now, output, outbox, store, duties, outside));
            }
            self.outbox.clear();
            let Some((token, done)) = all_done.pop_front() else {
                return Ok(());
            };
            let answer = match &done {
                Done::Unreachable => Answer::Unreachable,
                Done::Stored => Answer::Stored,
                Done::Conflict => Answer::Conflict,
                Done::Failed => Answer::Failed,
                Done::Reply(reply) => Answer::Role(D::answer(reply)),
            };
            self.node.answer(now, token, answer, &mut self.outbox)?;
        }
    }
}

/// Does one thing that the node wants done. What it is to hear of it at once, if anything.
fn perform<R: Role, D: Duties<R>>(
    now: Millis,
    output: Output<'_, R>,
    texts: &Outbox<R>,
    store: &mut Option<Store>,
    duties: &mut D,
    outside: &mut Outside,
) -> Option<(Token, Done<D::Reply>)> {
    match output {
        Output::Request {
            token,
            mut next_hops,
            congestion_controlled,
            bytes,
            ..
        } => {
            let hop = next_hops.next().unwrap_or_default();
            let sent = outside.send_to_uri(now, hop, congestion_controlled, bytes);
            (!sent).then_some((token, Done::Unreachable))
        }
        Output::Acknowledge {
            mut next_hops,
            congestion_controlled,
            bytes,
            ..
        } => {
            next_hops.any(|hop| outside.send_to_uri(now, hop, congestion_controlled, bytes));
            None
        }
        Output::Respond { to, bytes, .. } => {
            if let Some(peer) = Peer::of_handle(to) {
                outside.send(now, peer, bytes);
            }
            None
        }
        Output::Ask { token, question } => {
            let reply = duties.reply(now, (token, question), texts, outside)?;
            Some((token, Done::Reply(reply)))
        }
        Output::Store {
            token,
            key,
            expected,
            version,
            bytes,
        } => {
            let entry = Entry {
                key: key.to_vec(),
                version,
                at: now,
                blob: bytes.to_vec(),
            };
            let put = |store: &mut Store| store.put(expected, &entry);
            Some((token, kept(store, put)))
        }
        Output::Erase {
            token,
            key,
            expected,
        } => {
            let erase = |store: &mut Store| store.erase(key, expected);
            Some((token, kept(store, erase)))
        }
        Output::Event(event) => {
            duties.take_note(now, event, texts, outside);
            None
        }
        // The library may learn to want more.
        _ => None,
    }
}

fn kept<Y>(
    store: &mut Option<Store>,
    write: impl FnOnce(&mut Store) -> std::io::Result<bool>,
) -> Done<Y> {
    match store.as_mut().map(write) {
        Some(Ok(true)) => Done::Stored,
        Some(Ok(false)) => Done::Conflict,
        Some(Err(_)) | None => Done::Failed,
    }
}

fn adopt<N: Persist>(kept: &mut Kept<N>, now: Millis, entry: &Entry) -> Result<(), Box<dyn Error>> {
    let Kept::InStore(stored) = kept else {
        return Ok(());
    };
    let Entry {
        key,
        version,
        at,
        blob,
    } = entry;
    let at = now.min(*at);
    stored.adopt(at, key, *version, blob, Reading::Latest)?;
    Ok(())
}
