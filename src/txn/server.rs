//! Non-INVITE server transactions (RFC 3261 17.2.2), as RFC 4320 amends them.

use alloc::{boxed::Box, vec::Vec};

use super::config::Timers;
use crate::{
    drive::{Buffer, Identifier, Millis, Reject, Timer, Towards, TransactionRef},
    fleet::{Fleet, Id, Room},
    wire::{HeaderName, MAGIC_COOKIE, Message, Writer},
};

const KEY: u8 = 1;

/// The number of a transaction within its reference; the rest is a serial number.
const SLOT_BITS: u32 = 24;
const SLOT_MASK: u64 = (1 << SLOT_BITS) - 1;
/// The most transactions that references can tell apart.
pub(super) const MOST: usize = SLOT_MASK as usize;

/// The reference of a request that must not be answered. It is never given to a transaction.
pub(super) const NOBODY: TransactionRef = TransactionRef(0);

/// Milliseconds for which an INVITE may stay without any response: more than Timer C, which is more than
/// three minutes (RFC 3261 16.6).
const INVITE_BOUND: u64 = 300_000;

enum State {
    /// Nothing has been answered. At `at`, `response` (a 100) is due.
    Trying { response: Box<[u8]>, at: Millis },
    /// A 100 has been sent.
    Proceeding { response: Box<[u8]> },
    /// A final response has been sent.
    Completed { status: u16, response: Box<[u8]> },
    /// An INVITE, whose transaction is the host's: only the way back is known.
    Invite,
}

/// What is to be done with a response of the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It goes out.
    Sent,
    /// Its transaction is over.
    Late,
    /// It must not be sent.
    Withheld,
}

/// One request of a peer.
struct Server {
    serial: u64,
    key: Box<[u8]>,
    peer: TransactionRef,
    towards: Towards,
    is_reliable: bool,
    state: State,
    /// When no response is of use any more; Timer J once completed.
    ends_at: Millis,
}

impl Server {
    fn deadline(&self) -> (Millis, Timer) {
        match &self.state {
            State::Trying { at, .. } if *at < self.ends_at => {
                (*at, Timer("transaction 100 Trying"))
            }
            State::Trying { .. } | State::Proceeding { .. } => {
                (self.ends_at, Timer("transaction without final response"))
            }
            State::Completed { .. } => (self.ends_at, Timer("transaction timer J")),
            State::Invite => (self.ends_at, Timer("INVITE without response")),
        }
    }

    /// [RFC 3261 17.2.2] [RFC 4320 4.1] [RFC 4320 4.2] Every transition that a response of the node causes.
    fn admit(&mut self, now: Millis, status: u16, bytes: &[u8], timers: Timers) -> Admission {
        if now >= self.ends_at && !matches!(self.state, State::Completed { .. }) {
            return Admission::Late;
        }
        match (&self.state, status) {
            (State::Invite, 100..=199) => self.ends_at = now.after(INVITE_BOUND),
            (State::Invite, _) => {
                self.ends_at = now;
                self.state = State::Completed {
                    status,
                    response: Box::default(),
                };
            }
            (State::Completed { .. }, _) => return Admission::Withheld,
            (State::Trying { at, .. }, 100) if now < *at && !self.is_reliable => {
                return Admission::Withheld;
            }
            (_, 100) => {
                self.state = State::Proceeding {
                    response: bytes.into(),
                };
            }
            (_, 101..=199 | 408) => return Admission::Withheld,
            (_, _) => {
                let timer_j = if self.is_reliable {
                    0
                } else {
                    timers.transaction()
                };
                self.ends_at = now.after(timer_j);
                self.state = State::Completed {
                    status,
                    response: bytes.into(),
                };
            }
        }
        Admission::Sent
    }
}

/// A request that has come.
pub(super) struct Incoming<'a> {
    pub(super) reference: TransactionRef,
    pub(super) peer: TransactionRef,
    pub(super) towards: Towards,
    pub(super) is_reliable: bool,
    pub(super) key: &'a [u8],
}

/// Every server transaction of a host.
pub(super) struct Servers {
    fleet: Fleet<Server>,
    serial: u64,
}

impl Servers {
    /// `origin` decides where serial numbers begin: a node that was restored may still hold references of
    /// an earlier life, which must not be taken for others.
    pub(super) fn new(key: &[u8; 16], origin: Identifier) -> Self {
        let folded = origin.text().iter().fold(0u64, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(u64::from(*byte))
        });
        Self {
            fleet: Fleet::new(key, Room::default()),
            serial: next_serial(folded),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.fleet.len()
    }

    /// The transaction that a request belongs to.
    pub(super) fn find(&self, key: &[u8]) -> Option<Id> {
        self.fleet.find(KEY, key, |server| *server.key == *key)
    }

    /// The transaction whose deadline is the next.
    pub(super) fn next(&self) -> Option<(Millis, Id)> {
        self.fleet.next()
    }

    pub(super) fn deadline(&self) -> Option<(Millis, Timer)> {
        let (_, id) = self.fleet.next()?;
        self.fleet.get(id).map(Server::deadline)
    }

    /// The reference that the next transaction will have.
    pub(super) fn next_reference(&self) -> TransactionRef {
        let slot = u64::from(self.fleet.next_place()) & SLOT_MASK;
        TransactionRef((self.serial << SLOT_BITS) | slot)
    }

    /// [RFC 3261 17.2.2] Begins a transaction, with the [next reference](Self::next_reference).
    pub(super) fn begin(&mut self, now: Millis, request: &Incoming<'_>, timers: Timers) {
        let state = State::Trying {
            response: Box::default(),
            at: now.after(timers.until_trying()),
        };
        let id = self.add(request, state, now.after(timers.transaction()));
        self.fleet.file(id, KEY, request.key);
    }

    /// Remembers the way back of an INVITE. It is not found again by its key.
    pub(super) fn begin_invite(&mut self, now: Millis, request: &Incoming<'_>) {
        self.add(request, State::Invite, now.after(INVITE_BOUND));
    }

    fn add(&mut self, request: &Incoming<'_>, state: State, ends_at: Millis) -> Id {
        let server = Server {
            serial: request.reference.0 >> SLOT_BITS,
            key: request.key.into(),
            peer: request.peer,
            towards: request.towards,
            is_reliable: request.is_reliable,
            state,
            ends_at,
        };
        self.serial = next_serial(self.serial);
        let deadline = server.deadline().0;
        let id = self.fleet.insert(server);
        self.fleet.arm(id, Some(deadline));
        id
    }

    fn remove(&mut self, id: Id) {
        if let Some((server, mut keys)) = self.fleet.get_with_keys(id) {
            keys.unfile(KEY, &server.key);
            self.fleet.remove(id);
        }
    }

    fn with_reference(&self, reference: TransactionRef) -> Option<Id> {
        let id = self.fleet.at((reference.0 & SLOT_MASK) as u32)?;
        let server = self.fleet.get(id)?;
        (server.serial == reference.0 >> SLOT_BITS).then_some(id)
    }

    /// Whether a final response has been sent, or the transaction is gone because of one.
    pub(super) fn is_answered(&self, reference: TransactionRef) -> bool {
        let server = self.with_reference(reference);
        let server = server.and_then(|id| self.fleet.get(id));
        server.is_none_or(|server| matches!(server.state, State::Completed { .. }))
    }

    pub(super) fn towards(&self, reference: TransactionRef) -> Option<Towards> {
        let id = self.with_reference(reference)?;
        self.fleet.get(id).map(|server| server.towards)
    }

    /// Judges a response of the node, and keeps it for retransmissions if it goes out.
    pub(super) fn admit(
        &mut self,
        now: Millis,
        reference: TransactionRef,
        status: u16,
        bytes: &[u8],
        timers: Timers,
    ) -> Admission {
        let Some(id) = self.with_reference(reference) else {
            return Admission::Late;
        };
        let Some(server) = self.fleet.get_mut(id) else {
            return Admission::Late;
        };
        let admission = server.admit(now, status, bytes, timers);
        let deadline = server.deadline().0;
        self.fleet.arm(id, Some(deadline));
        admission
    }

    /// The host's handle for a response that was admitted. A transaction that ends with it (Timer J of zero)
    /// is forgotten.
    pub(super) fn release(&mut self, now: Millis, reference: TransactionRef) -> TransactionRef {
        let Some(id) = self.with_reference(reference) else {
            return reference;
        };
        let Some(server) = self.fleet.get(id) else {
            return reference;
        };
        let peer = server.peer;
        if matches!(server.state, State::Completed { .. }) && now >= server.ends_at {
            self.remove(id);
        }
        peer
    }

    /// The request is not the node's: its transaction never was.
    pub(super) fn forget(&mut self, reference: TransactionRef) {
        if let Some(id) = self.with_reference(reference) {
            self.remove(id);
        }
    }

    /// The request is not the node's any more. The host's handle of it, unless its transaction is over or answered.
    pub(super) fn take_out(&mut self, reference: TransactionRef) -> Option<TransactionRef> {
        let id = self.with_reference(reference)?;
        let server = self.fleet.get(id)?;
        if matches!(server.state, State::Completed { .. } | State::Invite) {
            return None;
        }
        let peer = server.peer;
        self.remove(id);
        Some(peer)
    }

    /// Writes the 100 that may become due, where nothing has been answered yet.
    pub(super) fn prepare_trying(&mut self, reference: TransactionRef, request: &Message<'_>) {
        let Some(id) = self.with_reference(reference) else {
            return;
        };
        let Some(server) = self.fleet.get_mut(id) else {
            return;
        };
        if let State::Trying { response, .. } = &mut server.state {
            *response = write_response(request, 100, None, 0);
        }
    }

    /// [RFC 3261 17.2.2] What a retransmitted request is answered with: the last response, if there is one.
    pub(super) fn last_response(&self, id: Id) -> Option<(u16, &[u8])> {
        match &self.fleet.get(id)?.state {
            State::Proceeding { response } => Some((100, response)),
            State::Completed { status, response } => Some((*status, response)),
            State::Trying { .. } | State::Invite => None,
        }
    }

    /// [RFC 4320 4.1] The 100 that is due, and whom it goes to; `None` if the transaction is over.
    pub(super) fn trying_due(&self, id: Id) -> Option<(TransactionRef, &[u8])> {
        let server = self.fleet.get(id)?;
        match &server.state {
            State::Trying { response, at } if *at < server.ends_at => Some((server.peer, response)),
            _ => None,
        }
    }

    /// The deadline has been dealt with: the 100 was sent, or the transaction is over.
    pub(super) fn elapse(&mut self, id: Id) {
        let Some(server) = self.fleet.get_mut(id) else {
            return;
        };
        match &mut server.state {
            State::Trying { response, at } if *at < server.ends_at => {
                let response = core::mem::take(response);
                server.state = State::Proceeding { response };
                let deadline = server.ends_at;
                self.fleet.arm(id, Some(deadline));
            }
            _ => self.remove(id),
        }
    }
}

const fn next_serial(serial: u64) -> u64 {
    const LAST: u64 = u64::MAX >> SLOT_BITS;
    match serial.wrapping_add(1) & LAST {
        0 => 1,
        next => next,
    }
}

/// [RFC 3261 17.2.3] What a request is matched by: branch, sent-by and method; where the branch is not one
/// of RFC 3261, all that RFC 2543 tells requests apart by.
pub(super) fn read_key(message: &Message<'_>, key: &mut Vec<u8>) -> Result<(), Reject> {
    key.clear();
    let method = message.method().map_or(&[][..], |method| method.as_bytes());
    let via = message.via()?;
    let mut put = |part: &[u8]| {
        key.extend_from_slice(part);
        key.push(b'\n');
    };
    match via.branch() {
        Some(branch) if branch.starts_with(MAGIC_COOKIE) => {
            put(branch);
            put(via.sent_by_raw());
            put(method);
        }
        _ => {
            let cseq = message.cseq()?.number;
            put(message.request_uri().unwrap_or_default());
            put(message.to()?.tag().unwrap_or_default());
            put(message.from()?.tag().unwrap_or_default());
            put(message.call_id()?);
            put(&cseq.to_le_bytes());
            put(method);
            put(via.raw());
        }
    }
    Ok(())
}

/// Bytes that a response without body to `request` takes at most.
pub(super) fn response_room(request: &Message<'_>) -> usize {
    // Header fields are copied under their long names, Call-ID for i, and with a space after the colon.
    let names = request.header_count().saturating_mul(8);
    // Status line, tag, Retry-After, Content-Length.
    request.head_end().saturating_add(names).saturating_add(256)
}

/// A response without body, with Retry-After unless that is 0.
pub(super) fn write_response(
    request: &Message<'_>,
    status: u16,
    tag: Option<Identifier>,
    retry_after: u32,
) -> Box<[u8]> {
    let mut buffer = Buffer::new(response_room(request));
    let mut writer = Writer::respond_to(&mut buffer, request, status, tag);
    if retry_after > 0 {
        writer.number(HeaderName::RetryAfter, u64::from(retry_after));
    }
    writer.finish();
    buffer.as_slice().into()
}
