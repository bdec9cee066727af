//! Transactions for hosts that have only a socket: client and server transactions around any node, as a node.
//!
//! The host hands every datagram to [`receive`](Node::receive), responses too, with its own handle of where
//! it came from, and sends what the outbox says: a [`Request`](crate::drive::Output::Request) to the first
//! of its next hops, an [`Acknowledge`](crate::drive::Output::Acknowledge) to the first that can be reached,
//! a [`Respond`](crate::drive::Output::Respond) to where the handle points. A handle may be answered several times
//! (retransmissions) or not at all, so it should be an address rather than a place in a table. The same request output may
//! come several times under one token: sent again, or to the next hop after the one that failed. A next hop of a request
//! that cannot be reached is reported by [`Answer::Unreachable`]; it is the one that the last request of that token
//! began with.
//!
//! `received` and `rport` (RFC 3261 18.2.1, RFC 3581) are the transport's: a host that adds them does so
//! before it hands a request in, and they come back in the Via of the response.
//!
//! **INVITEs of the node within a dialog** (re-INVITEs, with a To tag) have client transactions here. A final response
//! other than 2xx is acknowledged here. A 2xx is the node's to acknowledge, once, by
//! an [`Acknowledge`](crate::drive::Output::Acknowledge) at any time; that ACK is kept, and sent again whenever the 2xx
//! comes again. A 2xx with another To tag is of another dialog, and [`NotMine`](Verdict::NotMine). Provisional responses
//! are not shown to the node. Without a final response [`Config::invite_patience`] after the first provisional one, the
//! INVITE has timed out. The node then ends the dialog (RFC 3261 12.2.1.2), so no CANCEL is sent; for 64·T1 more,
//! a refusal is acknowledged, and a 2xx shown to the node as one in no transaction is, to be acknowledged each time.
//!
//! **All other INVITE transactions are the host's.** An INVITE or ACK that comes is passed to the node, and its
//! responses back, without absorbing or sending again anything; an INVITE of the node without a To tag is left in the
//! outbox, and its responses are [`NotMine`](Verdict::NotMine): the host gives them to [`answer`](Node::answer).
//!
//! **What becomes of a verdict of the node.** `Handled`: the transaction is held until the response is no
//! longer of use. `Refuse`: the response is written here, and the verdict is `Handled`. `Rejected`: held if
//! the node has appended a response, else forgotten. `NotMine` and `Forward`: forgotten, the request
//! is the host's, and a retransmission of it goes to the node again. `Hold`: as long as the host keeps the request,
//! its retransmissions are absorbed here; once the node says that it is not held any more, the host takes the
//! transaction over ([`take_over`](Transactions::take_over)). Of an INVITE, every verdict is passed on.
//!
//! **What cannot be read** is answered where an answer is possible ([`Salvage`]), without a
//! transaction: each retransmission gets the same bytes. The node does not see it.
//!
//! **Transactions are not persisted.** A [`snapshot`](Node::snapshot) is the node's. After a restore the node
//! offers again what was outstanding, which begins new transactions; peers retransmit what was not
//! answered; responses to requests of the earlier life are withheld. A 2xx to an INVITE of the earlier life is shown to
//! the node, which acknowledges it if it is its own (RFC 3261 13.2.2.4).
//!
//! | clause | what | function | test |
//! |---|---|---|---|
//! | RFC 3261 17.1.1, RFC 6026 8.4 | client transaction of an INVITE within a dialog | [`Transactions`] | `tests/txn.rs` |
//! | RFC 3261 17.1.1.3, 13.2.2.4 | the ACK of a refusal, and of a 2xx that comes again | [`Transactions`] | `tests/txn.rs` |
//! | RFC 3261 17.1.2, 17.1.3 | client transaction and its matching | [`Transactions`] | `tests/txn.rs` |
//! | RFC 3261 17.2.2, 17.2.3 | server transaction and its matching | [`Transactions`] | `tests/txn.rs` |
//! | RFC 3263 4.3 | the next hop after one that failed | [`Transactions`] | `tests/txn.rs` |
//! | RFC 4320 4.1 | 100 when Timer E would have reached T2, and no other provisional response | [`Timers`] | `tests/txn.rs` |
//! | RFC 3261 18.3, 8.2.7 | the answer to what cannot be read, without a transaction | [`Transactions`] | `tests/txn.rs` |
//! | RFC 4320 4.2 | no 408, no late final response | [`Transactions`] | `tests/txn.rs` |
//! | TS 24.229 7.7 | T1, T2 and T4 towards a UE | [`Timers::UE`] | `tests/txn.rs` |
//! | DR-3 | one node for both kinds of host | [`Transactions`] | `tests/txn.rs` |
//! | DR-5 | `limits.transactions` | [`Config::limits`] | `tests/txn.rs` |
//! | DR-6 | early ticks, order, time that goes backwards | [`Transactions`] | `tests/txn.rs` |

mod client;
mod config;
mod requests;
mod server;

pub use config::{Config, Timers};

use alloc::{collections::VecDeque, vec::Vec};

use self::{
    client::{Clients, Input, Outgoing},
    server::{Admission, Incoming, Servers},
};
use crate::{
    drive::{
        Answer, Buffer, Clock, Identifier, Identifiers, Millis, Misuse, Node, Outbox, Output,
        Reject, Release, Role, Source, Timer, Token, TransactionRef, Verdict, increment,
    },
    fleet::Id,
    wire::{Accepts, Message, Method, Owed, Salvage},
};

/// What the transaction layer has counted since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Requests of peers that were new, INVITEs and ACKs among them.
    pub requests_received: u64,
    /// Requests of peers that had come before: answered with the last response, or absorbed.
    pub requests_repeated: u64,
    /// Messages of peers that could not be read, or not be matched for want of a header field.
    pub rejected: u64,
    /// Requests of peers answered 503 because the limit of transactions was reached.
    pub overloaded: u64,
    /// 100 responses sent here (RFC 4320).
    pub trying_sent: u64,
    /// Responses of the node to requests whose transaction was over: not sent.
    pub responses_late: u64,
    /// Responses of the node that must not be sent: a second final one, 408, or a provisional one that is
    /// not a 100 or comes too early.
    pub responses_withheld: u64,
    /// Requests of the node for which a transaction was begun.
    pub requests_sent: u64,
    /// Requests of the node sent again (Timers A and E).
    pub requests_retransmitted: u64,
    /// ACKs sent for final responses other than 2xx.
    pub acks_sent: u64,
    /// ACKs sent again because the response came again, those of 2xx among them.
    pub acks_repeated: u64,
    /// Requests of the node sent to another next hop.
    pub failovers: u64,
    /// Final responses given to the node.
    pub responses_received: u64,
    /// Final responses that had come before, and what came after them (Timers D, K and M): absorbed, and of an INVITE
    /// acknowledged again.
    pub responses_repeated: u64,
    /// Responses to nobody's request.
    pub responses_unmatched: u64,
    /// Requests of the node that were not answered (Timers B and F, [`Config::invite_patience`]).
    pub timeouts: u64,
    /// Requests of the node for which no next hop could be reached.
    pub unreachable: u64,
    /// Requests of the node that were not sent, because the limit of transactions was reached or they have
    /// no branch: the node is told that no next hop can be reached.
    pub requests_unsent: u64,
    /// Answers that came when nothing waited for them any more.
    pub stale_answers: u64,
}

/// What is due next.
#[derive(Clone, Copy, Debug)]
enum Due {
    Unsent,
    Server(Id),
    Client(Id),
    Node,
}

/// [DR-3] A node with its transactions. See the [module](self).
pub struct Transactions<N: Node> {
    node: N,
    config: Config,
    identifiers: Identifiers,
    /// The To tag of every response written here. One for all: it begins no dialog, and a response written
    /// again without memory of the first must carry the same (RFC 3261 8.2.7).
    tag: Identifier,
    clock: Clock,
    servers: Servers,
    clients: Clients,
    /// Requests of the node that could not be sent.
    unsent: VecDeque<(Millis, Token)>,
    counters: Counters,
    /// The key of the message at hand.
    key: Vec<u8>,
}

impl<N: Node> Transactions<N> {
    /// The node with transactions around it. `identifiers` must not be those of the node: another seed or
    /// another incarnation, so that no branch comes twice; the shard is the same.
    #[must_use]
    pub fn new(node: N, config: Config, mut identifiers: Identifiers) -> Self {
        let table_key = identifiers.table_key();
        Self {
            node,
            config,
            tag: identifiers.next(),
            clock: Clock::default(),
            servers: Servers::new(&table_key, identifiers.next()),
            clients: Clients::new(&table_key),
            identifiers,
            unsent: VecDeque::new(),
            counters: Counters::default(),
            key: Vec::new(),
        }
    }

    /// The node inside.
    #[must_use]
    pub const fn node(&self) -> &N {
        &self.node
    }

    /// The node inside. Outputs that it is made to append are to be shown to [`adopt`](Self::adopt).
    pub const fn node_mut(&mut self) -> &mut N {
        &mut self.node
    }

    /// The node, without its transactions.
    #[must_use]
    pub fn into_inner(self) -> N {
        self.node
    }

    /// What has been counted.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// [DR-6] How often the host's time went backwards.
    #[must_use]
    pub const fn time_backwards(&self) -> u64 {
        self.clock.backwards()
    }

    /// Number of transactions held.
    #[must_use]
    pub fn transactions(&self) -> usize {
        self.servers.len().saturating_add(self.clients.len())
    }

    /// The transaction of a request that was [held](Verdict::Hold), under the reference that the node was given, is the
    /// host's from now on, as if the verdict had been `Forward`. The host's handle of where the request came from;
    /// `None` if the transaction is over, and no response is of use any more.
    pub fn take_over(&mut self, transaction: TransactionRef) -> Option<TransactionRef> {
        self.servers.take_out(transaction)
    }

    /// [DR-10] Replaces the configuration. Timers that run keep their deadlines.
    pub const fn reconfigure(&mut self, config: Config) {
        self.config = config;
    }

    /// An outbox with room for so many calls, at least one: what the node needs for a step, and one message
    /// of this layer. [`Outbox::for_steps`] alone is too small.
    #[must_use]
    pub fn outbox(&self, steps: usize) -> Outbox<N::Role> {
        let steps = steps.max(1);
        let limits = &self.config.limits;
        let headers = limits.headers.saturating_mul(8);
        // An ACK has the To of another message, and its next hop stands beside it.
        let values = limits.header_bytes.saturating_mul(2);
        let message = limits.message_bytes.saturating_add(headers.max(values));
        let (outputs, bytes) = self.node.step_room();
        let bytes = bytes.saturating_add(message).saturating_add(1_024);
        let outputs = outputs.saturating_add(1);
        Outbox::with_room(outputs.saturating_mul(steps), bytes.saturating_mul(steps))
    }

    /// Takes on what the node has appended from output number `first` on when it was called past this layer
    /// (a restore, [`node_mut`](Self::node_mut)): begins transactions for its requests, gives its responses
    /// to the host's handles, and takes back what must not be sent.
    pub fn adopt(&mut self, now: Millis, first: usize, out: &mut Outbox<N::Role>) {
        let present = self.clock.observe(now);
        self.settle(present, first, out);
    }

    /// The instant to work with, before it is known whether the call will change anything.
    fn present(&self, now: Millis) -> Millis {
        now.max(self.clock.latest())
    }

    fn most(&self) -> usize {
        self.config.limits.transactions.min(server::MOST)
    }

    fn is_full(&self) -> bool {
        self.transactions() >= self.most()
    }

    /// [DR-5] Whether a request of a peer is too many. Those of peers leave a quarter of the transactions, but
    /// not the last one, to the requests of the node.
    fn is_full_for_peers(&self) -> bool {
        let most = self.most();
        let peers = most.saturating_sub(most.div_ceil(4)).max(1);
        self.servers.len() >= peers || self.is_full()
    }

    fn settle(&mut self, present: Millis, first: usize, out: &mut Outbox<N::Role>) {
        out.retain(first, |output| match output {
            Output::Request {
                token,
                towards,
                next_hops,
                congestion_controlled,
                bytes,
            } => {
                let is_reliable = congestion_controlled || self.config.reliable;
                let request = Outgoing {
                    token,
                    towards,
                    next_hops,
                    is_reliable,
                    congestion_controlled,
                    to_tag: None,
                    bytes,
                };
                self.sent_by_node(present, request)
            }
            Output::Acknowledge {
                token,
                next_hops,
                congestion_controlled,
                bytes,
            } => {
                self.clients
                    .keep_ack(token, next_hops, congestion_controlled, bytes);
                true
            }
            Output::Respond { to, status, bytes } => {
                self.answered_by_node(present, to, status, bytes)
            }
            Output::Ask { .. } | Output::Store { .. } | Output::Erase { .. } | Output::Event(_) => {
                true
            }
        });
        out.redirect(first, |to| self.servers.release(present, to));
    }

    /// Keeps a response for retransmissions; whether it may be sent.
    fn answered_by_node(
        &mut self,
        present: Millis,
        to: TransactionRef,
        status: u16,
        bytes: &[u8],
    ) -> bool {
        let timers = match self.servers.towards(to) {
            Some(towards) => self.config.timers(towards),
            None => self.config.core,
        };
        match self.servers.admit(present, to, status, bytes, timers) {
            Admission::Sent => return true,
            Admission::Late => increment(&mut self.counters.responses_late),
            Admission::Withheld => increment(&mut self.counters.responses_withheld),
        }
        false
    }

    /// A request that is neither INVITE nor ACK.
    fn receive_request(
        &mut self,
        now: Millis,
        from: Source,
        peer: TransactionRef,
        message: &Message<'_>,
        out: &mut Outbox<N::Role>,
    ) -> Result<Verdict, Misuse> {
        let present = self.present(now);
        if let Err(reject) = server::read_key(message, &mut self.key) {
            self.respond_as_owed(peer, message, reject, out)?;
            self.clock.observe(now);
            increment(&mut self.counters.rejected);
            return Ok(Verdict::Rejected(reject));
        }
        if let Some(id) = self.servers.find(&self.key) {
            if let Some((status, response)) = self.servers.last_response(id) {
                append_response(peer, status, response, out)?;
            }
            self.clock.observe(now);
            increment(&mut self.counters.requests_repeated);
            return Ok(Verdict::Handled);
        }
        if self.is_full_for_peers() {
            self.respond_statelessly(peer, message, 503, out)?;
            self.clock.observe(now);
            increment(&mut self.counters.overloaded);
            return Ok(Verdict::Handled);
        }
        let (outputs, bytes) = self.node.step_room();
        let room = server::response_room(message);
        out.check_room_for(outputs.saturating_add(1), bytes.saturating_add(room))?;

        let first = out.len();
        let reference = self.servers.next_reference();
        let verdict = self
            .node
            .receive(present, from, reference, message.bytes(), out)?;
        self.clock.observe(now);
        increment(&mut self.counters.requests_received);
        let request = Incoming {
            reference,
            peer,
            towards: config::back_to(from),
            is_reliable: self.config.reliable,
            key: &self.key,
        };
        let timers = self.config.timers(request.towards);
        self.servers.begin(present, &request, timers);
        self.settle(present, first, out);
        match verdict {
            Verdict::Handled | Verdict::Hold(_) => self.servers.prepare_trying(reference, message),
            Verdict::Refuse {
                status,
                retry_after,
            } => {
                self.refuse(present, reference, message, status, retry_after, out)?;
                return Ok(Verdict::Handled);
            }
            Verdict::Rejected(_) if self.servers.is_answered(reference) => {}
            Verdict::Rejected(_) | Verdict::NotMine | Verdict::Forward => {
                self.servers.forget(reference);
            }
        }
        Ok(verdict)
    }

    /// Answers a request as the node's verdict says.
    fn refuse(
        &mut self,
        present: Millis,
        reference: TransactionRef,
        message: &Message<'_>,
        status: u16,
        retry_after: u32,
        out: &mut Outbox<N::Role>,
    ) -> Result<(), Misuse> {
        self.servers.prepare_trying(reference, message);
        let response = server::write_response(message, status, Some(self.tag), retry_after);
        if self.answered_by_node(present, reference, status, &response) {
            let peer = self.servers.release(present, reference);
            append_response(peer, status, &response, out)?;
        }
        Ok(())
    }

    fn respond_statelessly(
        &self,
        peer: TransactionRef,
        message: &Message<'_>,
        status: u16,
        out: &mut Outbox<N::Role>,
    ) -> Result<(), Misuse> {
        let response = server::write_response(message, status, Some(self.tag), 0);
        append_response(peer, status, &response, out)
    }

    /// What is owed for a request that no transaction can be made of. No memory is kept: a retransmission is
    /// answered by the same bytes.
    fn respond_as_owed(
        &self,
        peer: TransactionRef,
        message: &Message<'_>,
        reject: Reject,
        out: &mut Outbox<N::Role>,
    ) -> Result<(), Misuse> {
        let owed = Owed::new(message, reject, &Accepts::server());
        let Some(status) = owed.status() else {
            return Ok(());
        };
        let mut response = Buffer::new(server::response_room(message));
        owed.write(&mut response, message, Some(self.tag));
        append_response(peer, status, response.as_slice(), out)
    }

    /// [RFC 3261 18.3] The same for bytes that could not be read, where an answer to them is possible.
    fn respond_to_refused(
        &self,
        peer: TransactionRef,
        bytes: &[u8],
        reject: Reject,
        out: &mut Outbox<N::Role>,
    ) -> Result<(), Misuse> {
        let Some(salvage) = Salvage::read(bytes, &self.config.limits, reject) else {
            return Ok(());
        };
        let full = Misuse::OutboxFull {
            outputs: 1,
            bytes: salvage.room(),
        };
        out.check_room_for(1, salvage.room())?;
        out.respond(peer, salvage.status(), |buffer| {
            salvage.write(buffer, Some(self.tag));
        })
        .map_err(|_| full)
    }

    /// An INVITE: to the node, with a way back.
    fn receive_invite(
        &mut self,
        now: Millis,
        from: Source,
        peer: TransactionRef,
        bytes: &[u8],
        out: &mut Outbox<N::Role>,
    ) -> Result<Verdict, Misuse> {
        if self.is_full_for_peers() {
            self.clock.observe(now);
            increment(&mut self.counters.overloaded);
            return Ok(Verdict::Refuse {
                status: 503,
                retry_after: 0,
            });
        }
        let present = self.present(now);
        let first = out.len();
        let reference = self.servers.next_reference();
        let verdict = self.node.receive(present, from, reference, bytes, out)?;
        self.clock.observe(now);
        increment(&mut self.counters.requests_received);
        let request = Incoming {
            reference,
            peer,
            towards: config::back_to(from),
            is_reliable: self.config.reliable,
            key: &[],
        };
        self.servers.begin_invite(present, &request);
        self.settle(present, first, out);
        if verdict != Verdict::Handled {
            self.servers.forget(reference);
        }
        Ok(verdict)
    }

    /// An ACK: to the node. Nothing answers it.
    fn receive_ack(
        &mut self,
        now: Millis,
        from: Source,
        bytes: &[u8],
        out: &mut Outbox<N::Role>,
    ) -> Result<Verdict, Misuse> {
        let present = self.present(now);
        let first = out.len();
        let verdict = self
            .node
            .receive(present, from, server::NOBODY, bytes, out)?;
        self.clock.observe(now);
        increment(&mut self.counters.requests_received);
        self.settle(present, first, out);
        match verdict {
            Verdict::Refuse { .. } => Ok(Verdict::Handled),
            other => Ok(other),
        }
    }

    /// What is due next, and when. Of several at one instant, what was refused comes first, then what peers
    /// wait for, then requests of the node, then the node itself.
    fn next(&self) -> Option<(Millis, Due)> {
        let unsent = self.unsent.front().map(|&(at, _)| (at, Due::Unsent));
        let server = self.servers.next().map(|(at, id)| (at, Due::Server(id)));
        let client = self.clients.next().map(|(at, id)| (at, Due::Client(id)));
        let node = self.node.deadline().map(|(at, _)| (at, Due::Node));
        [unsent, server, client, node]
            .into_iter()
            .flatten()
            .min_by_key(|&(at, _)| at)
    }

    /// [RFC 4320 4.1] Sends the 100 that is due, or forgets a transaction that is over.
    fn tick_server(&mut self, id: Id, out: &mut Outbox<N::Role>) -> Result<(), Misuse> {
        if let Some((peer, response)) = self.servers.trying_due(id) {
            append_response(peer, 100, response, out)?;
            increment(&mut self.counters.trying_sent);
        }
        self.servers.elapse(id);
        Ok(())
    }
}

fn append_response<R: Role>(
    to: TransactionRef,
    status: u16,
    bytes: &[u8],
    out: &mut Outbox<R>,
) -> Result<(), Misuse> {
    out.check_room_for(1, bytes.len())?;
    out.respond(to, status, |buffer| buffer.put(bytes))
        .map_err(|_| Misuse::OutboxFull {
            outputs: 1,
            bytes: bytes.len(),
        })
}

impl<N: Node> Node for Transactions<N> {
    type Role = N::Role;

    /// A datagram, request or response, with the host's handle of where it came from.
    fn receive(
        &mut self,
        now: Millis,
        from: Source,
        txn: TransactionRef,
        bytes: &[u8],
        out: &mut Outbox<N::Role>,
    ) -> Result<Verdict, Misuse> {
        let message = match Message::parse(bytes, &self.config.limits) {
            Ok(message) => message,
            Err(reject) => {
                self.respond_to_refused(txn, bytes, reject, out)?;
                self.clock.observe(now);
                increment(&mut self.counters.rejected);
                return Ok(Verdict::Rejected(reject));
            }
        };
        match (message.status(), message.method()) {
            (Some(status), _) => self.receive_response(now, (from, txn), (&message, status), out),
            (None, Some(Method::Ack)) => self.receive_ack(now, from, bytes, out),
            (None, Some(Method::Invite)) => self.receive_invite(now, from, txn, bytes, out),
            (None, _) => self.receive_request(now, from, txn, &message, out),
        }
    }

    /// The answer to a question of the node; or a report about a request of it: [`Answer::Unreachable`] for
    /// the next hop tried last, or a response that the host itself has matched. A response that cannot be
    /// read is counted and ignored.
    fn answer(
        &mut self,
        now: Millis,
        token: Token,
        answer: Answer<'_, N::Role>,
        out: &mut Outbox<N::Role>,
    ) -> Result<(), Misuse> {
        let (id, input) = match (self.clients.with_token(token), answer) {
            (Some(id), Answer::Unreachable) => (id, Input::Unreachable),
            (Some(id), Answer::Timeout) => (id, Input::Unanswered),
            (Some(id), Answer::Response(bytes)) => {
                return self.answer_with_response(now, id, bytes, out);
            }
            (_, answer) => {
                let present = self.present(now);
                let first = out.len();
                self.node.answer(present, token, answer, out)?;
                self.clock.observe(now);
                self.settle(present, first, out);
                return Ok(());
            }
        };
        self.client_input(now, id, input, None, out)
    }

    fn command(
        &mut self,
        now: Millis,
        command: <N::Role as Role>::Command<'_>,
        out: &mut Outbox<N::Role>,
    ) -> Result<Verdict, Misuse> {
        let present = self.present(now);
        let first = out.len();
        let verdict = self.node.command(present, command, out)?;
        self.clock.observe(now);
        self.settle(present, first, out);
        Ok(verdict)
    }

    /// [DR-6] Lets one timer fire: the most overdue, of a transaction or of the node.
    fn tick(&mut self, now: Millis, out: &mut Outbox<N::Role>) -> Result<(), Misuse> {
        let present = self.present(now);
        let due = self.next().filter(|&(at, _)| at <= present);
        match due.map(|(_, due)| due) {
            None => {}
            Some(Due::Unsent) => self.tick_unsent(present, out)?,
            Some(Due::Server(id)) => self.tick_server(id, out)?,
            // It observes the time itself.
            Some(Due::Client(id)) => {
                return self.client_input(now, id, Input::Tick, None, out);
            }
            Some(Due::Node) => {
                let first = out.len();
                self.node.tick(present, out)?;
                self.settle(present, first, out);
            }
        }
        self.clock.observe(now);
        Ok(())
    }

    fn deadline(&self) -> Option<(Millis, Timer)> {
        let (_, due) = self.next()?;
        match due {
            Due::Unsent => {
                let unsent = self.unsent.front();
                unsent.map(|&(at, _)| (at, Timer("request not sent")))
            }
            Due::Server(_) => self.servers.deadline(),
            Due::Client(_) => self.clients.deadline(),
            Due::Node => self.node.deadline(),
        }
    }

    fn snapshot_for(&self, release: Release, now: Millis, into: &mut Vec<u8>) {
        self.node.snapshot_for(release, self.present(now), into);
    }
}
