//! Non-INVITE client transactions (RFC 3261 17.1.2), with failover over the next hops (RFC 3263 4.3).

use alloc::{boxed::Box, vec::Vec};

use super::config::Timers;
use crate::{
    drive::{
        Identifier, Limits, Millis, Misuse, NextHops, Outbox, Reject, Request, Role, Timer, Token,
        Towards,
    },
    fleet::{Fleet, Id, Room},
    wire::{MAGIC_COOKIE, Message, Method},
};

/// Under what transactions are filed.
const BRANCH: u8 = 1;
const TOKEN: u8 = 2;

/// Bytes by which a branch of ours can be longer than the one it replaces.
const BRANCH_ROOM: usize = MAGIC_COOKIE.len().saturating_add(Identifier::TEXT_LEN);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing has come from this next hop.
    Trying,
    /// A provisional response has come.
    Proceeding,
    /// The node has its answer; retransmissions of the response are absorbed.
    Completed,
}

/// What can happen to a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// A response with this status.
    Response(u16),
    /// The host could not reach the next hop.
    Unreachable,
    /// The host does not wait for a response from this next hop any more.
    Unanswered,
    /// The deadline has come.
    Tick,
}

/// What is to be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// A provisional response: wait for the final one.
    Proceed,
    /// A final response: to the node.
    Deliver,
    /// A response the node has had: nothing.
    Absorb,
    /// A report about a request that has been answered: nothing.
    Ignore,
    /// Timer E: send it again.
    Retransmit,
    /// Send it to the next hop after this one.
    NextHop,
    /// Tell the node that no response came.
    TimeOut,
    /// Tell the node that no next hop can be reached.
    GiveUp,
    /// Timer K: forget it.
    Forget,
}

/// A request as the node appended it.
pub(super) struct Outgoing<'a> {
    pub(super) token: Token,
    pub(super) towards: Towards,
    pub(super) next_hops: NextHops<'a>,
    pub(super) is_reliable: bool,
    pub(super) congestion_controlled: bool,
    pub(super) bytes: &'a [u8],
}

/// One request of the node.
pub(super) struct Client {
    token: Token,
    towards: Towards,
    is_reliable: bool,
    congestion_controlled: bool,
    state: State,
    /// Next hops from the present one on, a line each. A URI holds no line end.
    next_hops: Box<[u8]>,
    bytes: Box<[u8]>,
    key: Box<[u8]>,
    interval: u64,
    /// Timer E.
    retransmit_at: Option<Millis>,
    /// Timer F; Timer K once completed.
    ends_at: Millis,
}

impl Client {
    pub(super) const fn token(&self) -> Token {
        self.token
    }

    pub(super) const fn towards(&self) -> Towards {
        self.towards
    }

    fn deadline(&self) -> (Millis, Timer) {
        match (self.state, self.retransmit_at) {
            (State::Completed, _) => (self.ends_at, Timer("transaction timer K")),
            (_, Some(at)) if at < self.ends_at => (at, Timer("transaction timer E")),
            _ => (self.ends_at, Timer("transaction timer F")),
        }
    }

    /// [RFC 3261 17.1.2.2] [RFC 3263 4.3] Every transition. A next hop has failed when it cannot be reached,
    /// answers 503, or says nothing at all; one that has sent a provisional response has not.
    pub(super) fn decide(&self, input: Input) -> Action {
        let next_hop_or = |last| {
            let has_next = memchr::memchr(b'\n', &self.next_hops).is_some();
            if has_next { Action::NextHop } else { last }
        };
        match (self.state, input) {
            (State::Trying | State::Proceeding, Input::Response(100..=199)) => Action::Proceed,
            (State::Trying | State::Proceeding, Input::Response(503)) => {
                next_hop_or(Action::Deliver)
            }
            (State::Trying | State::Proceeding, Input::Response(_)) => Action::Deliver,
            (State::Trying | State::Proceeding, Input::Unreachable) => next_hop_or(Action::GiveUp),
            (State::Trying | State::Proceeding, Input::Tick)
                if self.retransmit_at.is_some_and(|at| at < self.ends_at) =>
            {
                Action::Retransmit
            }
            (State::Trying, Input::Unanswered | Input::Tick) => next_hop_or(Action::TimeOut),
            (State::Proceeding, Input::Unanswered | Input::Tick) => Action::TimeOut,

            (State::Completed, Input::Response(_)) => Action::Absorb,
            (State::Completed, Input::Unreachable | Input::Unanswered) => Action::Ignore,
            (State::Completed, Input::Tick) => Action::Forget,
        }
    }

    /// Starts the timers of an attempt.
    fn start(&mut self, now: Millis, timers: Timers) {
        self.state = State::Trying;
        self.interval = timers.first_interval();
        self.retransmit_at = (!self.is_reliable).then(|| now.after(self.interval));
        self.ends_at = now.after(timers.transaction());
    }

    /// Checks that the request fits when it goes to the next hop after the present one.
    pub(super) fn check_room_for_next_hop<R: Role>(&self, out: &Outbox<R>) -> Result<(), Misuse> {
        out.check_room_for(1, self.room().saturating_add(BRANCH_ROOM))
    }

    fn room(&self) -> usize {
        self.bytes.len().saturating_add(self.next_hops.len())
    }

    /// Appends the request.
    pub(super) fn append<R: Role>(&self, out: &mut Outbox<R>) -> Result<(), Misuse> {
        out.check_room_for(1, self.room())?;
        let hops: Vec<&[u8]> = self.next_hops.split(|byte| *byte == b'\n').collect();
        let hops = if self.next_hops.is_empty() {
            &[]
        } else {
            hops.as_slice()
        };
        let request = Request {
            token: self.token,
            towards: self.towards,
            next_hops: hops,
            udp_limit: if self.congestion_controlled {
                0
            } else {
                usize::MAX
            },
        };
        out.request(request, |buffer| buffer.put(&self.bytes))
            .map_err(|_| Misuse::OutboxFull {
                outputs: 1,
                bytes: self.room(),
            })
    }
}

/// Every client transaction of a host.
pub(super) struct Clients {
    fleet: Fleet<Client>,
}

impl Clients {
    pub(super) fn new(key: &[u8; 16]) -> Self {
        Self {
            fleet: Fleet::new(key, Room::default()),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.fleet.len()
    }

    pub(super) fn get(&self, id: Id) -> Option<&Client> {
        self.fleet.get(id)
    }

    /// The transaction that a response is for.
    pub(super) fn find(&self, key: &[u8]) -> Option<Id> {
        self.fleet.find(BRANCH, key, |client| *client.key == *key)
    }

    /// The transaction that a report of the host is about.
    pub(super) fn with_token(&self, token: Token) -> Option<Id> {
        let is_it = |client: &Client| client.token == token;
        self.fleet.find(TOKEN, &token_key(token), is_it)
    }

    pub(super) fn deadline(&self) -> Option<(Millis, Timer)> {
        let (_, id) = self.fleet.next()?;
        self.get(id).map(Client::deadline)
    }

    /// The transaction whose deadline is the next.
    pub(super) fn next(&self) -> Option<(Millis, Id)> {
        self.fleet.next()
    }

    /// [RFC 3261 17.1.2] Begins a transaction for a request that has just been handed to the host.
    pub(super) fn begin(
        &mut self,
        now: Millis,
        request: &Outgoing<'_>,
        key: &[u8],
        timers: Timers,
    ) {
        // A node that was restored offers a request again with the same branch, under another token: what
        // is held under the old one is nobody's any more.
        if let Some(older) = self.find(key) {
            self.remove(older);
        }
        let mut next_hops = Vec::new();
        for (number, hop) in request.next_hops.enumerate() {
            if number > 0 {
                next_hops.push(b'\n');
            }
            next_hops.extend_from_slice(hop);
        }
        let mut client = Client {
            token: request.token,
            towards: request.towards,
            is_reliable: request.is_reliable,
            congestion_controlled: request.congestion_controlled,
            state: State::Trying,
            next_hops: next_hops.into_boxed_slice(),
            bytes: request.bytes.into(),
            key: key.into(),
            interval: 0,
            retransmit_at: None,
            ends_at: now,
        };
        client.start(now, timers);
        self.add(client);
    }

    fn add(&mut self, client: Client) {
        let deadline = client.deadline().0;
        let token = token_key(client.token);
        let id = self.fleet.insert(client);
        if let Some((client, mut keys)) = self.fleet.get_with_keys(id) {
            keys.file(BRANCH, &client.key);
            keys.file(TOKEN, &token);
        }
        self.fleet.arm(id, Some(deadline));
    }

    pub(super) fn remove(&mut self, id: Id) {
        if let Some((client, mut keys)) = self.fleet.get_with_keys(id) {
            keys.unfile(BRANCH, &client.key);
            keys.unfile(TOKEN, &token_key(client.token));
            self.fleet.remove(id);
        }
    }

    /// A provisional response has come. Timer E runs on; from its next firing it is T2.
    pub(super) fn proceed(&mut self, id: Id) {
        if let Some(client) = self.fleet.get_mut(id) {
            client.state = State::Proceeding;
        }
    }

    /// [RFC 3261 17.1.2.2] The request was sent again: Timer E anew.
    pub(super) fn retransmitted(&mut self, id: Id, now: Millis, timers: Timers) {
        let Some(client) = self.fleet.get_mut(id) else {
            return;
        };
        client.interval = match client.state {
            State::Proceeding => timers.longest_interval(),
            State::Trying | State::Completed => timers.next_interval(client.interval),
        };
        client.retransmit_at = Some(now.after(client.interval));
        let deadline = client.deadline().0;
        self.fleet.arm(id, Some(deadline));
    }

    /// [RFC 3263 4.3] The present next hop has failed: a new transaction for the one after it. `branch` is
    /// what its requests carry, so that a late response of the failed hop is not taken for one of the next.
    pub(super) fn next_hop(
        &mut self,
        id: Id,
        now: Millis,
        branch: Identifier,
        timers: Timers,
        limits: &Limits,
        key: &mut Vec<u8>,
    ) {
        let Some((client, mut keys)) = self.fleet.get_with_keys(id) else {
            return;
        };
        let used = memchr::memchr(b'\n', &client.next_hops)
            .map_or(client.next_hops.len(), |end| end.saturating_add(1));
        client.next_hops = client.next_hops.get(used..).unwrap_or_default().into();
        if let Some(bytes) = with_branch(&client.bytes, branch, limits, key) {
            keys.unfile(BRANCH, &client.key);
            keys.file(BRANCH, key);
            client.key = key.as_slice().into();
            client.bytes = bytes;
        }
        client.start(now, timers);
        let deadline = client.deadline().0;
        self.fleet.arm(id, Some(deadline));
    }

    /// [RFC 3261 17.1.2.2] The node has its answer: Timer K, which is zero over a reliable transport.
    pub(super) fn complete(&mut self, id: Id, now: Millis, timers: Timers) {
        let Some(client) = self.fleet.get_mut(id) else {
            return;
        };
        if client.is_reliable {
            self.remove(id);
            return;
        }
        client.state = State::Completed;
        client.bytes = Box::default();
        client.next_hops = Box::default();
        client.ends_at = now.after(timers.t4);
        let deadline = client.ends_at;
        self.fleet.arm(id, Some(deadline));
    }
}

fn token_key(token: Token) -> [u8; 8] {
    token.to_u64().to_le_bytes()
}

/// [RFC 3261 17.1.3] What a response, or the request it answers, is matched by: the branch of the topmost
/// Via and the method of CSeq. Without a branch it is empty.
pub(super) fn read_key(message: &Message<'_>, key: &mut Vec<u8>) -> Result<(), Reject> {
    key.clear();
    let via = message.via()?;
    let method = message.cseq()?.method;
    if let Some(branch) = via.branch() {
        key.extend_from_slice(branch);
        key.push(b'\n');
        key.extend_from_slice(method.as_bytes());
    }
    Ok(())
}

/// The request with another branch in its topmost Via, and its key. `None` for a CANCEL, which must keep the
/// branch of what it cancels (RFC 3261 9.1).
fn with_branch(
    bytes: &[u8],
    branch: Identifier,
    limits: &Limits,
    key: &mut Vec<u8>,
) -> Option<Box<[u8]>> {
    let message = Message::parse(bytes, limits).ok()?;
    if message.method() == Some(Method::Cancel) {
        return None;
    }
    let old = message.via().ok()?.branch()?;
    let at = (old.as_ptr() as usize).checked_sub(bytes.as_ptr() as usize)?;
    let (before, rest) = bytes.split_at_checked(at)?;
    let after = rest.strip_prefix(old)?;
    let renewed = [before, MAGIC_COOKIE, &branch.text(), after].concat();
    read_key(&Message::parse(&renewed, limits).ok()?, key).ok()?;
    Some(renewed.into_boxed_slice())
}
