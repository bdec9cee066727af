//! One request on its way through a stateful proxy: the server transaction towards whoever sent it, and the client
//! transaction towards the next hop (RFC 3261 16, 17).
//!
//! `txn::Transactions` has both for a node. A proxy is none: it passes INVITEs on, which are the host's.

use std::ops::RangeInclusive;

use ims_procedures::{
    drive::{Identifier, Limits, Millis, Source, Towards},
    wire::{Message, Method},
};

use crate::{
    arguments::Arguments,
    hop,
    outside::Outside,
    peer::{Peer, Transport},
    resend::{CORE, Pace, UE},
    room::Whose,
    timer::{Elapsed, Resending},
    way_back::{self, Stamped},
};

/// Bytes of one beside its messages: itself, and about as much again in the tables in which it stands.
const OVERHEAD: usize = 2 * size_of::<Passage>();

/// How long the timers of RFC 3261 are.
#[derive(Clone, Copy)]
pub struct Times {
    core: Pace,
    /// Milliseconds for which an INVITE may ring (Timer C).
    ringing: u64,
}

impl Times {
    pub fn read(arguments: &mut Arguments) -> Result<Self, String> {
        let mut within = |name, default, range: RangeInclusive<u64>| {
            let given = arguments.number(name, default)?;
            let wrong = || format!("--{name}: {given} is not within {range:?}");
            range.contains(&given).then_some(given).ok_or_else(wrong)
        };
        let t1 = within("t1-ms", CORE.t1, 1..=60_000)?;
        Ok(Self {
            core: Pace { t1, ..CORE },
            ringing: within("timer-c-ms", Self::default().ringing, 1..=86_400_000)?,
        })
    }

    const fn pace(&self, towards: Towards) -> Pace {
        match towards {
            Towards::Ue => UE,
            _ => self.core,
        }
    }

    /// 64·T1 of the core: for how long an answered request may come again, and an INVITE that is cancelled be unanswered. A UE
    /// is slower, but sends again within 16 s (TS 24.229 7.7).
    const fn memory(&self) -> u64 {
        64 * self.core.t1
    }
}

impl Default for Times {
    fn default() -> Self {
        Self {
            core: CORE,
            ringing: 181_000,
        }
    }
}

/// A request as it came.
#[derive(Clone, Copy)]
pub struct Came<'m> {
    pub message: &'m Stamped,
    pub request: &'m Message<'m>,
    pub method: Method<'m>,
    /// Whom its responses go to.
    pub back: Towards,
    pub whose: Whose,
}

/// Whom the responses to a request go to.
#[derive(Clone, Copy)]
pub struct Sender {
    peer: Peer,
    /// Where an element can be connected whose connection is closed. A UE cannot.
    anew: Option<Peer>,
}

impl Sender {
    fn of(came: &Came<'_>) -> Self {
        let peer = came.message.back;
        let via = came.request.via().ok();
        let via = via.filter(|_| came.back == Towards::Core);
        Self {
            peer,
            anew: via.and_then(|via| way_back::anew(peer, &via)),
        }
    }

    pub fn send(self, now: Millis, bytes: &[u8], outside: &mut Outside) {
        if let (false, Some(anew)) = (outside.send(now, self.peer, bytes), self.anew) {
            outside.send_on(now, anew, bytes);
        }
    }
}

/// A request as it goes on, and where to.
pub struct Going {
    pub bytes: Vec<u8>,
    pub hop: Hop,
}

/// The next hop of a request.
#[derive(Clone, Copy)]
pub enum Hop {
    /// Another element, which is connected where it is not.
    Element(Peer),
    /// A UE, over its flow: nobody but the UE can make another.
    Flow(Peer),
}

impl Hop {
    /// Whether it can be reached, as far as can be told at once.
    pub fn send(self, now: Millis, bytes: &[u8], outside: &mut Outside) -> bool {
        match self {
            Self::Element(peer) => outside.send_on(now, peer, bytes),
            Self::Flow(peer) => outside.send(now, peer, bytes),
        }
    }

    /// The status of a request that cannot reach it: 430 says that only the UE can help that (RFC 5626 5.3).
    pub const fn failed(self) -> u16 {
        match self {
            Self::Element(_) => 503,
            Self::Flow(_) => 430,
        }
    }

    /// Whether a message is from there. Elements of the core may answer in one another's place.
    fn is_at(self, from: Peer, trust: Source) -> bool {
        match self {
            Self::Element(peer) => {
                trust == Source::TrustedCore || from.address.ip() == peer.address.ip()
            }
            Self::Flow(peer) => from == peer,
        }
    }

    /// Over UDP alone something may have been lost.
    fn send_again(self, now: Millis, bytes: &[u8], outside: &mut Outside) {
        let (Self::Element(peer) | Self::Flow(peer)) = self;
        if peer.transport == Transport::Udp {
            self.send(now, bytes, outside);
        }
    }

    const fn towards(self) -> Towards {
        match self {
            Self::Element(_) => Towards::Core,
            Self::Flow(_) => Towards::Ue,
        }
    }
}

/// What a response means to whoever sent the request.
pub enum Heard {
    Nothing,
    /// It goes back.
    Progress,
    /// It goes back: the request is answered. As it went on.
    Answer(Vec<u8>),
}

/// A request on its way.
pub struct Passage {
    times: Times,
    /// As it came; empty once it is answered.
    came: Vec<u8>,
    sender: Sender,
    back: Towards,
    whose: Whose,
    went: Going,
    is_invite: bool,
    state: State,
    cancel: Cancel,
    /// What the request is answered with when it comes again; empty for nothing.
    last: Vec<u8>,
}

/// The states of RFC 3261 17 and RFC 6026, of both transactions at once: they are in the same one, as each passes on to the other
/// what it hears.
enum State {
    /// Calling, of an INVITE; Trying or Proceeding, of another request: no final response has come (Timers A, B, E, F).
    Trying(Resending),
    /// Of an INVITE: a provisional response has come (Timer C).
    Proceeding { until: Millis },
    /// Of an INVITE: it was refused, which is said again until the ACK comes (Timers G, H).
    Completed(Resending),
    /// Of an INVITE: that ACK has come (Timers D, I).
    Confirmed { until: Millis },
    /// An INVITE was accepted (Timers L, M). Another request has its final response, whatever it is, and is Completed in the
    /// words of the RFC (Timers J, K).
    Accepted { until: Millis },
}

/// Whether an INVITE is wanted.
enum Cancel {
    Wanted,
    /// A CANCEL is to follow it as soon as it may.
    Due,
    /// That CANCEL.
    Sent(Resending, Vec<u8>),
    Answered,
}

impl Passage {
    /// One that goes on. Of an INVITE, its sender hears that it does. `None` if the next hop cannot be reached.
    pub fn begin(
        now: Millis,
        times: Times,
        came: &Came<'_>,
        went: Going,
        outside: &mut Outside,
    ) -> Option<Self> {
        if !went.hop.send(now, &went.bytes, outside) {
            return None;
        }
        let is_invite = came.method == Method::Invite;
        let trying = is_invite.then(|| hop::response(came.request, 100, None));
        let trying = trying.flatten().unwrap_or_default();
        if is_invite {
            outside.send(now, came.message.back, &trying);
        }
        let pace = times.pace(went.hop.towards());
        // Timer A, unlike E, grows without bound.
        let t2 = if is_invite { 64 * pace.t1 } else { pace.t2 };
        let mut passage = Self {
            times,
            came: came.message.bytes.clone(),
            sender: Sender::of(came),
            back: came.back,
            whose: came.whose,
            state: State::Trying(Resending::new(now, Pace { t2, ..pace })),
            went,
            is_invite,
            cancel: Cancel::Wanted,
            last: Vec::new(),
        };
        passage.keep(&trying, trying.len());
        Some(passage)
    }

    /// Takes what belongs to it: the same request again, the ACK of a refusal, a CANCEL. Whether it was that.
    pub fn takes(
        &mut self,
        now: Millis,
        came: &Came<'_>,
        tag: Identifier,
        outside: &mut Outside,
    ) -> bool {
        match (came.method, &self.state) {
            (Method::Ack, State::Completed(_)) => {
                let until = self.forget(now);
                self.state = State::Confirmed { until };
            }
            (Method::Ack, State::Confirmed { .. }) => {}
            (Method::Ack, _) => return false,
            (Method::Cancel, _) => {
                if let Some(response) = hop::response(came.request, 200, Some(tag)) {
                    Sender::of(came).send(now, &response, outside);
                }
                self.call_off(now, outside);
            }
            _ => self.say_again(now, outside),
        }
        true
    }

    /// Whether a response can be one to it, as it comes from there. A callee sees in the Vias of its INVITE what it would take to
    /// answer the caller's request too.
    pub fn is_answered_from(&self, from: Peer, trust: Source) -> bool {
        self.went.hop.is_at(from, trust)
    }

    /// Takes a response, which goes back as `back`. It is kept if there is room, to be said again.
    pub fn hear(
        &mut self,
        now: Millis,
        response: &Message<'_>,
        (back, room): (&[u8], usize),
        outside: &mut Outside,
    ) -> Heard {
        let status = response.status().unwrap_or_default();
        if self.is_invite && status >= 300 {
            self.acknowledge(now, response, outside);
        }
        let is_open = matches!(self.state, State::Trying(_) | State::Proceeding { .. });
        match (is_open, status) {
            (true, 100..200) => self.progress(now, status, (back, room), outside),
            (true, _) => {
                let request = self.went.bytes.clone();
                self.answer(now, status, (back, room));
                Heard::Answer(request)
            }
            // It comes again until its ACK has gone all the way.
            (false, 200..300) if self.is_invite => Heard::Progress,
            (false, _) => Heard::Nothing,
        }
    }

    /// Its CANCEL was answered.
    pub fn hear_of_cancel(&mut self) {
        if let Cancel::Sent(..) = self.cancel {
            self.cancel = Cancel::Answered;
        }
    }

    /// Whom it came from.
    pub const fn sender(&self) -> Sender {
        self.sender
    }

    /// The stream over which it has gone.
    pub fn stream(&self) -> Option<Peer> {
        let (Hop::Element(peer) | Hop::Flow(peer)) = self.went.hop;
        (peer.transport == Transport::Tcp).then_some(peer)
    }

    /// That stream was closed (RFC 3261 16.9). An element of which something was heard has got the request, and can answer
    /// over another; a UE cannot.
    pub fn lose(&mut self, now: Millis, tag: Identifier, outside: &mut Outside) {
        let is_lost = match (&self.state, self.went.hop) {
            (State::Trying(_), _) | (State::Proceeding { .. }, Hop::Flow(_)) => true,
            (State::Proceeding { .. }, Hop::Element(_)) => false,
            (State::Completed(_) | State::Confirmed { .. } | State::Accepted { .. }, _) => false,
        };
        if is_lost {
            self.refuse(now, self.went.hop.failed(), tag, outside);
        }
    }

    pub const fn whose(&self) -> Whose {
        self.whose
    }

    /// Of all that is kept of it.
    pub fn bytes(&self) -> usize {
        let cancel = match &self.cancel {
            Cancel::Sent(_, bytes) => bytes.len(),
            Cancel::Wanted | Cancel::Due | Cancel::Answered => 0,
        };
        let messages = [&self.came, &self.went.bytes, &self.last];
        OVERHEAD + messages.map(Vec::len).iter().sum::<usize>() + cancel
    }

    pub fn deadline(&self) -> Millis {
        let state = match &self.state {
            State::Trying(out) | State::Completed(out) => out.deadline(),
            State::Proceeding { until }
            | State::Confirmed { until }
            | State::Accepted { until } => *until,
        };
        match &self.cancel {
            Cancel::Sent(out, _) => out.deadline().min(state),
            Cancel::Wanted | Cancel::Due | Cancel::Answered => state,
        }
    }

    /// Whether it is to be remembered any longer.
    pub fn tick(&mut self, now: Millis, tag: Identifier, outside: &mut Outside) -> bool {
        self.repeat_cancel(now, outside);
        match &mut self.state {
            State::Trying(out) => match out.elapse(now) {
                Elapsed::Nothing => true,
                Elapsed::Again => {
                    self.went.hop.send_again(now, &self.went.bytes, outside);
                    true
                }
                Elapsed::TimedOut => self.give_up(now, tag, outside),
            },
            State::Completed(out) => match out.elapse(now) {
                Elapsed::Nothing => true,
                Elapsed::Again => {
                    self.say_again(now, outside);
                    true
                }
                Elapsed::TimedOut => false,
            },
            State::Proceeding { until } if *until <= now => match self.cancel {
                Cancel::Wanted | Cancel::Due => {
                    self.call_off(now, outside);
                    true
                }
                Cancel::Sent(..) | Cancel::Answered => self.give_up(now, tag, outside),
            },
            State::Proceeding { .. } => true,
            State::Confirmed { until } | State::Accepted { until } => *until > now,
        }
    }

    fn progress(
        &mut self,
        now: Millis,
        status: u16,
        (back, room): (&[u8], usize),
        outside: &mut Outside,
    ) -> Heard {
        if self.is_invite {
            self.proceed(now, status);
            self.cancel_if_due(now, outside);
        }
        // A 100 is for one hop.
        if status == 100 {
            return Heard::Nothing;
        }
        self.keep(back, room);
        Heard::Progress
    }

    /// Every provisional response but 100 has an INVITE ring for as long again (RFC 3261 16.7 step 2), if it is wanted.
    fn proceed(&mut self, now: Millis, status: u16) {
        let is_begun = matches!(self.state, State::Proceeding { .. });
        let is_wanted = matches!(self.cancel, Cancel::Wanted | Cancel::Due);
        if !is_begun || (status > 100 && is_wanted) {
            let until = now.after(self.times.ringing);
            self.state = State::Proceeding { until };
        }
    }

    /// Its final response, whoever has given it.
    fn answer(&mut self, now: Millis, status: u16, (back, room): (&[u8], usize)) {
        // Whom the core has registered is a stranger no more.
        if let (Whose::Stranger(_), 200..300) = (self.whose, status) {
            self.whose = Whose::First;
        }
        if self.is_invite && status >= 300 {
            self.keep(back, room);
            let pace = self.times.pace(self.back);
            self.state = State::Completed(Resending::new(now, pace));
            return;
        }
        // RFC 6026 8.7: whoever is called sends the 2xx of an INVITE again.
        match self.is_invite {
            true => self.last = Vec::new(),
            false => self.keep(back, room),
        }
        let until = self.forget(now);
        self.state = State::Accepted { until };
    }

    /// What is said again, if there is room for it and it may be lost: over TCP nothing is.
    fn keep(&mut self, response: &[u8], room: usize) {
        let is_kept = self.sender.peer.transport == Transport::Udp && response.len() <= room;
        self.last = match is_kept {
            true => response.to_vec(),
            false => Vec::new(),
        };
    }

    /// What is kept then is the response, and of an INVITE what its ACK is made of. Until when.
    fn forget(&mut self, now: Millis) -> Millis {
        self.came = Vec::new();
        if !self.is_invite {
            self.went.bytes = Vec::new();
        }
        now.after(self.times.memory())
    }

    /// The ACK of a refusal goes where the INVITE went (RFC 3261 17.1.1.3).
    fn acknowledge(&self, now: Millis, refusal: &Message<'_>, outside: &mut Outside) {
        let invite = Message::parse(&self.went.bytes, &Limits::default());
        let ack = invite
            .ok()
            .and_then(|invite| hop::ack_of_refusal(&invite, refusal));
        if let Some(ack) = ack {
            self.went.hop.send(now, &ack, outside);
        }
    }

    /// Nobody wants it any more: its sender does not, or it has rung for too long.
    fn call_off(&mut self, now: Millis, outside: &mut Outside) {
        if let Cancel::Wanted = self.cancel {
            self.cancel = Cancel::Due;
        }
        self.cancel_if_due(now, outside);
    }

    /// A CANCEL must not come before its INVITE: it waits for a first sign of that (RFC 3261 9.1).
    fn cancel_if_due(&mut self, now: Millis, outside: &mut Outside) {
        let (State::Proceeding { until }, Cancel::Due) = (&mut self.state, &self.cancel) else {
            return;
        };
        *until = now.after(self.times.memory());
        let invite = Message::parse(&self.went.bytes, &Limits::default());
        let cancel = invite.ok().and_then(|invite| hop::cancel(&invite));
        let cancel = cancel.unwrap_or_default();
        self.went.hop.send(now, &cancel, outside);
        let pace = self.times.pace(self.went.hop.towards());
        let out = Resending::new(now, pace);
        self.cancel = Cancel::Sent(out, cancel);
    }

    fn repeat_cancel(&mut self, now: Millis, outside: &mut Outside) {
        let Cancel::Sent(out, bytes) = &mut self.cancel else {
            return;
        };
        match out.elapse(now) {
            Elapsed::Nothing => {}
            Elapsed::Again => self.went.hop.send_again(now, bytes, outside),
            Elapsed::TimedOut => self.cancel = Cancel::Answered,
        }
    }

    fn say_again(&self, now: Millis, outside: &mut Outside) {
        if !self.last.is_empty() {
            self.sender.send(now, &self.last, outside);
        }
    }

    /// Nobody has answered. Of an INVITE that is said; of another request it would come too late (RFC 4320 4.2).
    fn give_up(&mut self, now: Millis, tag: Identifier, outside: &mut Outside) -> bool {
        if !self.is_invite {
            return false;
        }
        self.refuse(now, 408, tag, outside);
        true
    }

    /// It is answered here, in the place of the next hop.
    fn refuse(&mut self, now: Millis, status: u16, tag: Identifier, outside: &mut Outside) {
        let request = Message::parse(&self.came, &Limits::default());
        let response = request
            .ok()
            .and_then(|request| hop::response(&request, status, Some(tag)));
        let response = response.unwrap_or_default();
        self.sender.send(now, &response, outside);
        self.answer(now, status, (&response, response.len()));
    }
}
