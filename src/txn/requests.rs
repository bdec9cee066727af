//! Requests of the node, and what comes back for them.

use alloc::boxed::Box;

use super::{
    Transactions,
    client::{self, Action, Clients, Input, Outgoing},
    config::Timers,
};
use crate::{
    drive::{
        Answer, Millis, Misuse, Node, Outbox, Source, Token, TransactionRef, Verdict, increment,
    },
    fleet::Id,
    wire::{Message, Method},
};

impl<N: Node> Transactions<N> {
    /// Begins a transaction for a request; whether it may be sent.
    pub(super) fn sent_by_node(&mut self, present: Millis, mut request: Outgoing<'_>) -> bool {
        let mut key = core::mem::take(&mut self.key);
        let message = Message::parse(request.bytes, &self.config.limits);
        let method = message.as_ref().ok().and_then(Message::method);
        if method == Some(Method::Invite) {
            let to = message.as_ref().ok().and_then(|message| message.to().ok());
            request.to_tag = to.and_then(|to| to.tag());
        }
        let is_hosts = match method {
            Some(Method::Invite) => request.to_tag.is_none(),
            method => method == Some(Method::Ack),
        };
        let is_usable = message.is_ok_and(|message| {
            message.is_request() && client::read_key(&message, &mut key).is_ok() && !key.is_empty()
        });
        let is_sent = is_hosts || (is_usable && !self.is_full());
        if is_sent && !is_hosts {
            let timers = self.config.timers(request.towards);
            self.clients.begin(present, &request, &key, timers);
            increment(&mut self.counters.requests_sent);
        }
        if !is_sent {
            self.unsent.push_back((present, request.token));
            increment(&mut self.counters.requests_unsent);
        }
        self.key = key;
        is_sent
    }

    /// A response from a peer.
    pub(super) fn receive_response(
        &mut self,
        now: Millis,
        (from, peer): (Source, TransactionRef),
        (message, status): (&Message<'_>, u16),
        out: &mut Outbox<N::Role>,
    ) -> Result<Verdict, Misuse> {
        if let Err(reject) = client::read_key(message, &mut self.key) {
            self.clock.observe(now);
            increment(&mut self.counters.rejected);
            return Ok(Verdict::Rejected(reject));
        }
        let input = Input::Response(status);
        let found = self.clients.find(&self.key);
        let found = found.and_then(|id| Some((id, self.clients.get(id)?.decide(input))));
        if let Some((id, _)) = found.filter(|(_, action)| *action != Action::Show) {
            return self.client_response(now, id, message, status, out);
        }
        let may_be_owed = (200..300).contains(&status) && client::is_of_invite(message);
        let verdict = match may_be_owed {
            true => self.show_response(now, (from, peer), message.bytes(), out)?,
            false => Verdict::NotMine,
        };
        self.clock.observe(now);
        if verdict == Verdict::Handled {
            return Ok(verdict);
        }
        increment(&mut self.counters.responses_unmatched);
        Ok(Verdict::NotMine)
    }

    /// [RFC 3261 13.2.2.4] Shows the node a 2xx to an INVITE that has no transaction, or for which it has not waited: the
    /// ACK of it may be owed.
    fn show_response(
        &mut self,
        now: Millis,
        (from, peer): (Source, TransactionRef),
        bytes: &[u8],
        out: &mut Outbox<N::Role>,
    ) -> Result<Verdict, Misuse> {
        let present = self.present(now);
        let first = out.len();
        let verdict = self.node.receive(present, from, peer, bytes, out)?;
        self.settle(present, first, out);
        Ok(verdict)
    }

    /// A response that the host has matched.
    pub(super) fn answer_with_response(
        &mut self,
        now: Millis,
        id: Id,
        bytes: &[u8],
        out: &mut Outbox<N::Role>,
    ) -> Result<(), Misuse> {
        let message = Message::parse(bytes, &self.config.limits).ok();
        let Some((message, status)) = message.and_then(|m| m.status().map(|status| (m, status)))
        else {
            self.clock.observe(now);
            increment(&mut self.counters.rejected);
            return Ok(());
        };
        self.client_response(now, id, &message, status, out)?;
        Ok(())
    }

    fn client_response(
        &mut self,
        now: Millis,
        id: Id,
        message: &Message<'_>,
        status: u16,
        out: &mut Outbox<N::Role>,
    ) -> Result<Verdict, Misuse> {
        let client = self.clients.get(id);
        if client.is_some_and(|client| !client.is_answered_by(message)) {
            self.clock.observe(now);
            increment(&mut self.counters.responses_unmatched);
            return Ok(Verdict::NotMine);
        }
        self.client_input(now, id, Input::Response(status), Some(message), out)?;
        Ok(Verdict::Handled)
    }

    /// Does what a client transaction decides. There is a response if it is the input.
    pub(super) fn client_input(
        &mut self,
        now: Millis,
        id: Id,
        input: Input,
        response: Option<&Message<'_>>,
        out: &mut Outbox<N::Role>,
    ) -> Result<(), Misuse> {
        let present = self.present(now);
        let Some(client) = self.clients.get(id) else {
            return Ok(());
        };
        let token = client.token();
        let timers = self.config.timers(client.towards());
        let counters = &mut self.counters;
        let answer = Answer::Response(response.map_or(&[][..], Message::bytes));
        match client.decide(input) {
            Action::Proceed => {
                let patience = self.config.invite_patience;
                self.clients.proceed(id, present, patience);
            }
            Action::Wait => {}
            Action::Absorb => increment(&mut counters.responses_repeated),
            Action::Ignore => increment(&mut counters.stale_answers),
            Action::Forget => self.clients.remove(id),
            Action::Retransmit => {
                client.append(out)?;
                increment(&mut counters.requests_retransmitted);
                self.clients.retransmitted(id, present, timers);
            }
            Action::AcknowledgeAgain => {
                if client.append(out)? {
                    increment(&mut counters.acks_repeated);
                }
                increment(&mut counters.responses_repeated);
            }
            Action::NextHop => {
                out.check_room_for(1, client.room_for_next_hop())?;
                self.try_next_hop(present, id, timers, out)?;
            }
            Action::AcknowledgeAndNextHop => {
                let ack = self.acknowledge(id, response, (1, client.room_for_next_hop()), out)?;
                self.leave_next_hop(present, id, timers, ack, out)?;
            }
            Action::AcknowledgeLate => {
                let ack = self.acknowledge(id, response, (0, 0), out)?;
                self.clients.complete(id, present, timers, ack);
            }
            Action::Acknowledge => {
                let ack = self.acknowledge(id, response, self.node.step_room(), out)?;
                self.conclude(present, token, answer, out, |clients| {
                    clients.complete(id, present, timers, ack);
                })?;
                increment(&mut self.counters.responses_received);
            }
            Action::Deliver => {
                self.conclude(present, token, answer, out, |clients| {
                    clients.complete(id, present, timers, Box::default());
                })?;
                increment(&mut self.counters.responses_received);
            }
            Action::Accept => {
                self.conclude(present, token, answer, out, |clients| {
                    clients.accept(id, present, timers);
                })?;
                increment(&mut self.counters.responses_received);
            }
            // The host has matched it, and it is told by the token.
            Action::Show => {
                self.conclude(present, token, answer, out, |_| {})?;
                increment(&mut self.counters.responses_received);
            }
            Action::TimeOut => {
                self.conclude(present, token, Answer::Timeout, out, |clients| {
                    clients.remove(id);
                })?;
                increment(&mut self.counters.timeouts);
            }
            Action::Abandon => {
                self.conclude(present, token, Answer::Timeout, out, |clients| {
                    clients.abandon(id, present, timers);
                })?;
                increment(&mut self.counters.timeouts);
            }
            Action::GiveUp => {
                self.conclude(present, token, Answer::Unreachable, out, |clients| {
                    clients.remove(id);
                })?;
                increment(&mut self.counters.unreachable);
            }
        }
        self.clock.observe(now);
        Ok(())
    }

    /// [RFC 3261 17.1.1.3] Appends the ACK of a final response other than 2xx, if there is room for so many outputs
    /// and bytes after it.
    fn acknowledge(
        &mut self,
        id: Id,
        response: Option<&Message<'_>>,
        (outputs, bytes): (usize, usize),
        out: &mut Outbox<N::Role>,
    ) -> Result<Box<[u8]>, Misuse> {
        let (Some(client), Some(response)) = (self.clients.get(id), response) else {
            return Ok(Box::default());
        };
        let ack = client.write_ack(response, &self.config.limits);
        let bytes = bytes.saturating_add(client.room_for_ack(&ack));
        out.check_room_for(outputs.saturating_add(1), bytes)?;
        if client.append_ack(&ack, out)? {
            increment(&mut self.counters.acks_sent);
        }
        Ok(ack)
    }

    /// [RFC 3263 4.3] Sends the request to the next hop after the one that has failed. There is room for it.
    fn try_next_hop(
        &mut self,
        present: Millis,
        id: Id,
        timers: Timers,
        out: &mut Outbox<N::Role>,
    ) -> Result<(), Misuse> {
        increment(&mut self.counters.failovers);
        let branch = self.identifiers.next();
        let limits = &self.config.limits;
        self.clients
            .next_hop(id, present, branch, timers, limits, &mut self.key);
        if let Some(client) = self.clients.get(id) {
            client.append(out)?;
        }
        Ok(())
    }

    /// The same, after the failed one was acknowledged, which is so again when it asks for it. Where there is no room
    /// for another transaction it is not.
    fn leave_next_hop(
        &mut self,
        present: Millis,
        id: Id,
        timers: Timers,
        ack: Box<[u8]>,
        out: &mut Outbox<N::Role>,
    ) -> Result<(), Misuse> {
        let client = self.clients.get(id).filter(|_| !self.is_full());
        let left_behind = client.and_then(|client| client.left_behind(present, timers, ack));
        self.try_next_hop(present, id, timers, out)?;
        if let Some(left_behind) = left_behind {
            self.clients.take_in(left_behind);
        }
        Ok(())
    }

    /// Gives the node the result of its request, moves the transaction on, and takes on what the node has appended.
    fn conclude(
        &mut self,
        present: Millis,
        token: Token,
        answer: Answer<'_, N::Role>,
        out: &mut Outbox<N::Role>,
        move_on: impl FnOnce(&mut Clients),
    ) -> Result<(), Misuse> {
        let first = out.len();
        self.tell(present, token, answer, out)?;
        move_on(&mut self.clients);
        self.settle(present, first, out);
        Ok(())
    }

    /// Gives the node the result of its request. A node that does not know the token any more has nothing to
    /// complain of to the host, who did not bring it.
    fn tell(
        &mut self,
        present: Millis,
        token: Token,
        answer: Answer<'_, N::Role>,
        out: &mut Outbox<N::Role>,
    ) -> Result<(), Misuse> {
        let (outputs, bytes) = self.node.step_room();
        out.check_room_for(outputs, bytes)?;
        match self.node.answer(present, token, answer, out) {
            Err(Misuse::UnknownToken | Misuse::WrongAnswer) => {
                increment(&mut self.counters.stale_answers);
                Ok(())
            }
            other => other,
        }
    }

    /// Tells the node that a request of it was not sent.
    pub(super) fn tick_unsent(
        &mut self,
        present: Millis,
        out: &mut Outbox<N::Role>,
    ) -> Result<(), Misuse> {
        if let Some(&(_, token)) = self.unsent.front() {
            self.conclude(present, token, Answer::Unreachable, out, |_| {})?;
            self.unsent.pop_front();
        }
        Ok(())
    }
}
