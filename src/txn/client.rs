//! Client transactions (RFC 3261 17.1), with failover over the next hops (RFC 3263 4.3): what both kinds share.

mod invite;
mod non_invite;

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

/// How far a transaction has come, and of which kind it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    NonInvite(non_invite::State),
    Invite(invite::State),
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
    /// The first provisional response: wait for the final one.
    Proceed,
    /// Another: go on waiting.
    Wait,
    /// A final response: to the node.
    Deliver,
    /// A final response other than 2xx to an INVITE: acknowledge it, then to the node.
    Acknowledge,
    /// One for which the node has not waited: acknowledge it.
    AcknowledgeLate,
    /// A 2xx to an INVITE for which the node has not waited: to the node, which acknowledges it each time.
    Show,
    /// One of a failed next hop: acknowledge it, then send the request to the one after.
    AcknowledgeAndNextHop,
    /// A 2xx to an INVITE: to the node, which acknowledges it.
    Accept,
    /// A final response to an INVITE that the node has had: the ACK again.
    AcknowledgeAgain,
    /// A response the node has had: nothing.
    Absorb,
    /// A report about a request that has been answered: nothing.
    Ignore,
    /// Timer A or E: send it again.
    Retransmit,
    /// Send it to the next hop after this one.
    NextHop,
    /// Tell the node that no response came.
    TimeOut,
    /// The same of an INVITE to which a provisional response came.
    Abandon,
    /// Tell the node that no next hop can be reached.
    GiveUp,
    /// Forget it.
    Forget,
}

/// What a transition depends on besides the state.
#[derive(Clone, Copy)]
struct Situation {
    /// There is a next hop after the present one.
    has_next_hop: bool,
    /// Timer A or E comes before the timer that ends the state.
    is_to_be_resent: bool,
}

impl Situation {
    fn next_hop_or(self, last: Action) -> Action {
        self.choose(Action::NextHop, last)
    }

    /// One thing if there is another next hop, the other if not.
    fn choose(self, next: Action, last: Action) -> Action {
        if self.has_next_hop { next } else { last }
    }
}

/// A request as the node appended it.
pub(super) struct Outgoing<'a> {
    pub(super) token: Token,
    pub(super) towards: Towards,
    pub(super) next_hops: NextHops<'a>,
    pub(super) is_reliable: bool,
    pub(super) congestion_controlled: bool,
    /// The To tag of an INVITE within a dialog; `None` for any other request.
    pub(super) to_tag: Option<&'a [u8]>,
    pub(super) bytes: &'a [u8],
}

/// One request of the node.
pub(super) struct Client {
    token: Token,
    towards: Towards,
    is_reliable: bool,
    congestion_controlled: bool,
    stage: Stage,
    /// Next hops from the present one on, a line each. A URI holds no line end.
    next_hops: Box<[u8]>,
    /// The request; once an INVITE is answered, the ACK, or nothing if there is none yet.
    bytes: Box<[u8]>,
    key: Box<[u8]>,
    /// That of an INVITE.
    to_tag: Box<[u8]>,
    interval: u64,
    /// Timer A or E.
    retransmit_at: Option<Millis>,
    /// When the state ends.
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
        match (self.resend_at(), self.stage) {
            (Some(at), Stage::NonInvite(_)) => (at, Timer("transaction timer E")),
            (Some(at), Stage::Invite(_)) => (at, Timer("transaction timer A")),
            (None, Stage::NonInvite(state)) => (self.ends_at, Timer(state.last_timer())),
            (None, Stage::Invite(state)) => (self.ends_at, Timer(state.last_timer())),
        }
    }

    fn resend_at(&self) -> Option<Millis> {
        self.retransmit_at.filter(|at| *at < self.ends_at)
    }

    pub(super) fn decide(&self, input: Input) -> Action {
        let situation = Situation {
            has_next_hop: memchr::memchr(b'\n', &self.next_hops).is_some(),
            is_to_be_resent: self.resend_at().is_some(),
        };
        match self.stage {
            Stage::NonInvite(state) => state.decide(input, situation),
            Stage::Invite(state) => state.decide(input, situation),
        }
    }

    /// [RFC 3261 13.2.2.4] Whether a response is of the same dialog, which a 2xx to an INVITE need not be.
    pub(super) fn is_answered_by(&self, response: &Message<'_>) -> bool {
        let is_2xx = matches!(response.status(), Some(200..=299));
        let is_its_own = || {
            let tag = response.to().ok().and_then(|to| to.tag());
            tag == Some(&self.to_tag)
        };
        !is_2xx || matches!(self.stage, Stage::NonInvite(_)) || is_its_own()
    }

    /// [RFC 3261 17.1.1.3] The ACK of a final response other than 2xx.
    pub(super) fn write_ack(&self, response: &Message<'_>, limits: &Limits) -> Box<[u8]> {
        let request = Message::parse(&self.bytes, limits);
        request.map_or_else(
            |_| Box::default(),
            |request| invite::write_ack(&request, response),
        )
    }

    /// Starts the timers of an attempt.
    fn start(&mut self, now: Millis, timers: Timers) {
        self.stage = match self.stage {
            Stage::NonInvite(_) => Stage::NonInvite(non_invite::State::Trying),
            Stage::Invite(_) => Stage::Invite(invite::State::Calling),
        };
        self.interval = timers.first_interval();
        self.retransmit_at = (!self.is_reliable).then(|| now.after(self.interval));
        self.ends_at = now.after(timers.transaction());
    }

    /// Enters a state of an INVITE in which nothing is sent but what is received for.
    fn rest(&mut self, state: invite::State, ends_at: Millis) {
        self.stage = Stage::Invite(state);
        self.retransmit_at = None;
        self.ends_at = ends_at;
    }

    /// [RFC 3261 17.1.1.2] The transaction with the present next hop, which has failed with a response that `ack`
    /// acknowledges, for as long as that may come again; `None` if it will not.
    pub(super) fn left_behind(&self, now: Millis, timers: Timers, ack: Box<[u8]>) -> Option<Self> {
        let may_come_again = !self.is_reliable && !ack.is_empty();
        may_come_again.then(|| Self {
            stage: Stage::Invite(invite::State::Completed),
            next_hops: self.next_hops.clone(),
            bytes: ack,
            key: self.key.clone(),
            to_tag: self.to_tag.clone(),
            retransmit_at: None,
            ends_at: now.after(timers.timer_d()),
            ..*self
        })
    }

    /// Leaves the present next hop behind.
    fn advance(&mut self) {
        let used = memchr::memchr(b'\n', &self.next_hops)
            .map_or(self.next_hops.len(), |end| end.saturating_add(1));
        self.next_hops = self.next_hops.get(used..).unwrap_or_default().into();
    }

    /// Bytes that what is sent takes at most when it goes to the next hop after the present one.
    pub(super) fn room_for_next_hop(&self) -> usize {
        self.room().saturating_add(BRANCH_ROOM)
    }

    /// Bytes that an ACK takes.
    pub(super) fn room_for_ack(&self, ack: &[u8]) -> usize {
        let hops = self.hops_of_ack();
        let hops = hops.iter().map(|hop| hop.len().saturating_add(1));
        hops.fold(ack.len(), usize::saturating_add)
    }

    /// The ACK of a 2xx has next hops of its own; any other goes where the request went.
    fn hops_of_ack(&self) -> Vec<&[u8]> {
        let mut hops = lines(&self.next_hops);
        if self.stage != Stage::Invite(invite::State::Accepted) {
            hops.truncate(1);
        }
        hops
    }

    fn room(&self) -> usize {
        self.bytes.len().saturating_add(self.next_hops.len())
    }

    const fn udp_limit(&self) -> usize {
        if self.congestion_controlled {
            0
        } else {
            usize::MAX
        }
    }

    /// Appends what is to be sent again: the request or, once there is one, the ACK. Whether there was any.
    pub(super) fn append<R: Role>(&self, out: &mut Outbox<R>) -> Result<bool, Misuse> {
        if self.bytes.is_empty() {
            return Ok(false);
        }
        if let Stage::Invite(invite::State::Completed | invite::State::Accepted) = self.stage {
            return self.append_ack(&self.bytes, out);
        }
        out.check_room_for(1, self.room())?;
        let request = Request {
            token: self.token,
            towards: self.towards,
            next_hops: &lines(&self.next_hops),
            udp_limit: self.udp_limit(),
        };
        out.request(request, |buffer| buffer.put(&self.bytes))
            .map_err(|_| full(self.room()))?;
        Ok(true)
    }

    /// Appends an ACK, if there is any.
    pub(super) fn append_ack<R: Role>(
        &self,
        ack: &[u8],
        out: &mut Outbox<R>,
    ) -> Result<bool, Misuse> {
        if ack.is_empty() {
            return Ok(false);
        }
        let room = self.room_for_ack(ack);
        out.check_room_for(1, room)?;
        out.acknowledge(
            self.token,
            &self.hops_of_ack(),
            self.udp_limit(),
            |buffer| {
                buffer.put(ack);
            },
        )
        .map_err(|_| full(room))?;
        Ok(true)
    }
}

fn full(bytes: usize) -> Misuse {
    Misuse::OutboxFull { outputs: 1, bytes }
}

fn lines(text: &[u8]) -> Vec<&[u8]> {
    let lines = text.split(|byte| *byte == b'\n');
    lines.filter(|line| !line.is_empty()).collect()
}

fn as_lines(hops: NextHops<'_>) -> Box<[u8]> {
    let mut lines = Vec::new();
    for (number, hop) in hops.enumerate() {
        if number > 0 {
            lines.push(b'\n');
        }
        lines.extend_from_slice(hop);
    }
    lines.into_boxed_slice()
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

    /// [RFC 3261 17.1] Begins a transaction for a request that has just been handed to the host.
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
        let stage = match request.to_tag {
            Some(_) => Stage::Invite(invite::State::Calling),
            None => Stage::NonInvite(non_invite::State::Trying),
        };
        let mut client = Client {
            token: request.token,
            towards: request.towards,
            is_reliable: request.is_reliable,
            congestion_controlled: request.congestion_controlled,
            stage,
            next_hops: as_lines(request.next_hops),
            bytes: request.bytes.into(),
            key: key.into(),
            to_tag: request.to_tag.unwrap_or_default().into(),
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

    /// Changes a transaction, and sets its deadline anew.
    fn change(&mut self, id: Id, change: impl FnOnce(&mut Client)) {
        if let Some(client) = self.fleet.get_mut(id) {
            change(client);
            let deadline = client.deadline().0;
            self.fleet.arm(id, Some(deadline));
        }
    }

    /// A provisional response has come. Timer E runs on; from its next firing it is T2. Timers A and B of an INVITE
    /// run no longer; it has `patience` milliseconds from now.
    pub(super) fn proceed(&mut self, id: Id, now: Millis, patience: u64) {
        self.change(id, |client| match client.stage {
            Stage::NonInvite(_) => client.stage = Stage::NonInvite(non_invite::State::Proceeding),
            Stage::Invite(_) => client.rest(invite::State::Proceeding, now.after(patience)),
        });
    }

    /// [RFC 3261 17.1.1.2] [RFC 3261 17.1.2.2] The request was sent again: Timer A or E anew.
    pub(super) fn retransmitted(&mut self, id: Id, now: Millis, timers: Timers) {
        self.change(id, |client| {
            client.interval = match client.stage {
                Stage::NonInvite(state) => state.next_interval(client.interval, timers),
                Stage::Invite(_) => client.interval.saturating_mul(2),
            };
            client.retransmit_at = Some(now.after(client.interval));
        });
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
        client.advance();
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

    /// Takes in a transaction that was [left behind](Client::left_behind), unless another has its branch.
    pub(super) fn take_in(&mut self, left_behind: Client) {
        if self.find(&left_behind.key).is_none() {
            let deadline = left_behind.deadline().0;
            let id = self.fleet.insert(left_behind);
            if let Some((client, mut keys)) = self.fleet.get_with_keys(id) {
                keys.file(BRANCH, &client.key);
            }
            self.fleet.arm(id, Some(deadline));
        }
    }

    /// [RFC 3261 17.1.1.2] [RFC 3261 17.1.2.2] The node has its answer: Timer K or, where an ACK was sent, which is
    /// kept, Timer D. Both are zero over a reliable transport.
    pub(super) fn complete(&mut self, id: Id, now: Millis, timers: Timers, ack: Box<[u8]>) {
        if self.get(id).is_some_and(|client| client.is_reliable) {
            self.remove(id);
            return;
        }
        self.change(id, |client| {
            client.bytes = ack;
            match client.stage {
                Stage::NonInvite(_) => {
                    client.next_hops = Box::default();
                    client.stage = Stage::NonInvite(non_invite::State::Completed);
                    client.retransmit_at = None;
                    client.ends_at = now.after(timers.t4);
                }
                Stage::Invite(_) => {
                    client.rest(invite::State::Completed, now.after(timers.timer_d()));
                }
            }
        });
    }

    /// [RFC 6026 8.4] The node has a 2xx, which it acknowledges: Timer M.
    pub(super) fn accept(&mut self, id: Id, now: Millis, timers: Timers) {
        self.change(id, |client| {
            client.bytes = Box::default();
            client.next_hops = Box::default();
            client.rest(invite::State::Accepted, now.after(timers.transaction()));
        });
    }

    /// [RFC 3261 9.1] The node does not wait any longer. What is still to come has 64·T1, as after a CANCEL.
    pub(super) fn abandon(&mut self, id: Id, now: Millis, timers: Timers) {
        self.change(id, |client| {
            client.rest(invite::State::Abandoned, now.after(timers.transaction()));
        });
    }

    /// [RFC 3261 13.2.2.4] Keeps the ACK of a 2xx for when the 2xx comes again.
    pub(super) fn keep_ack(
        &mut self,
        token: Token,
        next_hops: NextHops<'_>,
        congestion_controlled: bool,
        bytes: &[u8],
    ) {
        let client = self.with_token(token).and_then(|id| self.fleet.get_mut(id));
        let accepted = Stage::Invite(invite::State::Accepted);
        if let Some(client) = client.filter(|client| client.stage == accepted) {
            client.next_hops = as_lines(next_hops);
            client.congestion_controlled = congestion_controlled;
            client.bytes = bytes.into();
        }
    }
}

fn token_key(token: Token) -> [u8; 8] {
    token.to_u64().to_le_bytes()
}

/// Whether a response is to an INVITE within a dialog.
pub(super) fn is_of_invite(message: &Message<'_>) -> bool {
    let is_invite = message
        .cseq()
        .is_ok_and(|cseq| cseq.method == Method::Invite);
    is_invite && message.to().is_ok_and(|to| to.tag().is_some())
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
