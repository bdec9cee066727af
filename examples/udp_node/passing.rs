//! A stateful proxy between elements of the core (RFC 3261 16): requests go on, responses come back, each is sent again
//! where it has to be. It stays in the way of every dialog.
//!
//! A branch of ours is made of the one before it: so whatever belongs to a request that came before is found by it.

use std::{collections::HashMap, net::SocketAddrV4};

use ims_procedures::{
    drive::{Identifier, Identifiers, Limits, Millis},
    wire::{Accepts, Message, Method},
};

use crate::{
    agenda::Agenda,
    hop,
    outside::Outside,
    proxy::{Onward, Proxy},
    resend::{CORE, Elapsed, Outstanding},
    site::Trust,
    way_back::Stamped,
};

/// Requests that are remembered at once, and bytes of them as they came and as they went; then others are refused with 503.
const MOST: usize = 100_000;
const MOST_BYTES: usize = 64 << 20;
/// Milliseconds for which an INVITE may ring (Timer C).
const RINGING: u64 = 181_000;
/// Milliseconds for which an answered request may come again (64·T1).
const MEMORY: u64 = 32_000;

pub struct Passing {
    proxy: Proxy,
    /// Of every response from here. One for all: none begins a dialog.
    tag: Identifier,
    /// By the branch of ours.
    passages: HashMap<Vec<u8>, Passage>,
    bytes: usize,
    agenda: Agenda<Vec<u8>>,
}

/// Which way requests go.
pub struct Way<'t> {
    /// To whom, if they do not say it.
    pub far: SocketAddrV4,
    /// To whom else alone; `None` for anybody.
    pub within: Option<&'t Trust>,
}

/// A request that was answered for the first time.
pub struct Answered {
    /// As it went on.
    pub request: Vec<u8>,
    pub status: u16,
}

/// A request on its way.
struct Passage {
    came: Stamped,
    went: Onward,
    hop: Vec<u8>,
    is_invite: bool,
    stage: Stage,
    /// Whoever sent it does not want it any more.
    is_cancelled: bool,
    /// The CANCEL that follows it.
    cancel: Option<Outstanding>,
    /// The response that went back last.
    last: Option<Vec<u8>>,
}

enum Stage {
    /// Nothing has come, or no answer to what is no INVITE.
    Waiting(Outstanding),
    Ringing {
        until: Millis,
    },
    /// An INVITE was refused: that is said again until its ACK comes.
    Refused(Outstanding),
    Over {
        until: Millis,
    },
}

impl Passing {
    pub fn new(proxy: Proxy, mut identifiers: Identifiers) -> Self {
        Self {
            proxy,
            tag: identifiers.next(),
            passages: HashMap::new(),
            bytes: 0,
            agenda: Agenda::new(),
        }
    }

    pub fn len(&self) -> usize {
        self.passages.len()
    }

    pub fn deadline(&self) -> Option<Millis> {
        self.agenda.deadline()
    }

    /// A message goes on: a response back, a request where its Route leads, if it has one; within a dialog to the other
    /// end; else to the far side, as does what may not go where it wants to. The request, if this answers it.
    pub fn receive(
        &mut self,
        now: Millis,
        message: &Stamped,
        way: &Way<'_>,
        outside: &mut Outside,
    ) -> Option<Answered> {
        let limits = Limits::default();
        let read = Message::parse(&message.bytes, &limits).ok()?;
        match read.method() {
            Some(method) => {
                self.request(now, (message, &read, method), way, outside);
                None
            }
            None => self.response(now, &read, outside),
        }
    }

    fn request(
        &mut self,
        now: Millis,
        (message, request, method): (&Stamped, &Message<'_>, Method<'_>),
        way: &Way<'_>,
        outside: &mut Outside,
    ) {
        let Ok(via) = request.via() else {
            return;
        };
        let branch = self.proxy.branch(&via).into_bytes();
        let tag = self.tag;
        let known = self.passages.get_mut(&branch);
        let belongs = known.is_some_and(|it| it.takes(now, (message, request), tag, outside));
        let done = match method {
            _ if belongs => Ok(()),
            Method::Cancel => Err(481),
            // Nothing answers it, whatever becomes of it.
            Method::Ack => {
                let _ = self.go(now, message, request, way, outside);
                Ok(())
            }
            _ => self.begin(now, &branch, (message, request), way, outside),
        };
        if let Err(status) = done {
            answer(now, message, (request, status, tag), outside);
        }
        self.settle(&branch);
    }

    /// One that was not here before.
    fn begin(
        &mut self,
        now: Millis,
        branch: &[u8],
        (message, request): (&Stamped, &Message<'_>),
        way: &Way<'_>,
        outside: &mut Outside,
    ) -> Result<(), u16> {
        if let Err(owed) = hop::check(request, &Accepts::proxy(), self.tag) {
            if let Some(response) = owed {
                outside.send(now, message.back, &response);
            }
            return Ok(());
        }
        let bytes = self.bytes + 2 * message.bytes.len();
        if self.passages.len() >= MOST || bytes > MOST_BYTES {
            return Err(503);
        }
        let (went, hop) = self.go(now, message, request, way, outside)?;
        let is_invite = request.method() == Some(Method::Invite);
        let last = match is_invite {
            true => answer(now, message, (request, 100, self.tag), outside),
            false => None,
        };
        let passage = Passage {
            stage: Stage::Waiting(Outstanding::new(now, &went.bytes, branch, CORE)),
            came: message.clone(),
            went,
            hop,
            is_invite,
            is_cancelled: false,
            cancel: None,
            last,
        };
        self.bytes += passage.bytes();
        self.passages.insert(branch.to_vec(), passage);
        Ok(())
    }

    fn go(
        &self,
        now: Millis,
        message: &Stamped,
        request: &Message<'_>,
        way: &Way<'_>,
        outside: &mut Outside,
    ) -> Result<(Onward, Vec<u8>), u16> {
        let went = self.proxy.through(&message.bytes)?;
        let is_in_dialog = request.to().is_ok_and(|to| to.tag().is_some());
        let target = request.request_uri().filter(|_| is_in_dialog);
        let hop = went.route.as_deref().or(target);
        let hop = hop.filter(|hop| way.is_open(outside.resolve(hop)));
        let hop = hop.map_or_else(|| format!("sip:{}", way.far).into_bytes(), <[u8]>::to_vec);
        match outside.send_to_uri(now, &hop, went.over_tcp, &went.bytes) {
            true => Ok((went, hop)),
            false => Err(503),
        }
    }

    fn response(
        &mut self,
        now: Millis,
        response: &Message<'_>,
        outside: &mut Outside,
    ) -> Option<Answered> {
        let (status, cseq) = (response.status()?, response.cseq().ok()?);
        if cseq.method == Method::Cancel {
            self.cancel_answered(response.via().ok()?.branch()?);
            return None;
        }
        let back = self.proxy.back_through(response.bytes())?;
        let Some(passage) = self.passages.get_mut(&back.branch) else {
            // That of a transaction that is forgotten (RFC 3261 16.7).
            outside.send(now, back.to, &back.bytes);
            return None;
        };
        let heard = passage.hear(now, response, &back.bytes, outside);
        if heard != Heard::Nothing {
            outside.send(now, passage.came.back, &back.bytes);
        }
        let answered = (heard == Heard::Answer).then(|| Answered {
            request: passage.went.bytes.clone(),
            status,
        });
        self.settle(&back.branch);
        answered
    }

    /// The CANCEL was from here, and what answers it goes no further.
    fn cancel_answered(&mut self, branch: &[u8]) {
        if let Some(passage) = self.passages.get_mut(branch) {
            passage.cancel = None;
        }
        self.settle(branch);
    }

    pub fn tick(&mut self, now: Millis, outside: &mut Outside) {
        let Some(branch) = self.agenda.due(now) else {
            return;
        };
        if let Some(passage) = self.passages.get_mut(&branch) {
            if !passage.tick(now, self.tag, outside) {
                self.bytes -= passage.bytes();
                self.passages.remove(&branch);
            }
        }
        self.settle(&branch);
    }

    fn settle(&mut self, branch: &[u8]) {
        let passage = self.passages.get(branch);
        self.agenda
            .set(&branch.to_vec(), passage.map(Passage::deadline));
    }
}

impl Way<'_> {
    fn is_open(&self, to: Option<SocketAddrV4>) -> bool {
        match (self.within, to) {
            (None, _) => true,
            (Some(trust), Some(to)) => to == self.far || trust.holds(*to.ip()),
            (Some(_), None) => false,
        }
    }
}

/// What a response means to whoever sent the request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Heard {
    Nothing,
    /// It goes back.
    Progress,
    /// It goes back: the request is answered.
    Answer,
}

impl Passage {
    /// Takes what belongs to it: the same request again, the ACK of a refusal, a CANCEL. Whether it was that.
    fn takes(
        &mut self,
        now: Millis,
        (message, request): (&Stamped, &Message<'_>),
        tag: Identifier,
        outside: &mut Outside,
    ) -> bool {
        match (request.method(), &self.stage) {
            (Some(Method::Ack), Stage::Refused(_)) => self.stage = over(now),
            (Some(Method::Ack), _) => return false,
            (Some(Method::Cancel), _) => {
                answer(now, message, (request, 200, tag), outside);
                self.is_cancelled = true;
                self.cancel_if_due(now, outside);
            }
            _ => {
                if let Some(last) = &self.last {
                    outside.send(now, message.back, last);
                }
            }
        }
        true
    }

    fn bytes(&self) -> usize {
        self.came.bytes.len() + self.went.bytes.len()
    }

    fn deadline(&self) -> Millis {
        let stage = match &self.stage {
            Stage::Waiting(out) | Stage::Refused(out) => out.deadline(),
            Stage::Ringing { until } | Stage::Over { until } => *until,
        };
        let cancel = self.cancel.as_ref().map(Outstanding::deadline);
        cancel.map_or(stage, |cancel| cancel.min(stage))
    }

    fn hear(
        &mut self,
        now: Millis,
        response: &Message<'_>,
        back: &[u8],
        outside: &mut Outside,
    ) -> Heard {
        let status = response.status().unwrap_or_default();
        if self.is_invite && status >= 300 {
            self.acknowledge(now, response, outside);
        }
        let is_open = matches!(self.stage, Stage::Waiting(_) | Stage::Ringing { .. });
        match (is_open, status) {
            (true, 100..200) => {
                if self.is_invite {
                    let until = now.after(RINGING);
                    self.stage = Stage::Ringing { until };
                    self.cancel_if_due(now, outside);
                }
                match status {
                    // It is for one hop.
                    100 => Heard::Nothing,
                    _ => Heard::Progress,
                }
            }
            (true, _) => {
                self.last = Some(back.to_vec());
                self.stage = match self.is_invite && status >= 300 {
                    true => Stage::Refused(Outstanding::new(now, back, b"", CORE)),
                    false => over(now),
                };
                Heard::Answer
            }
            // It comes again until its ACK has gone all the way.
            (false, 200..300) if self.is_invite => Heard::Progress,
            (false, _) => Heard::Nothing,
        }
    }

    fn acknowledge(&self, now: Millis, refusal: &Message<'_>, outside: &mut Outside) {
        let invite = Message::parse(&self.went.bytes, &Limits::default());
        let ack = invite
            .ok()
            .and_then(|invite| hop::ack_of_refusal(&invite, refusal));
        if let Some(ack) = ack {
            outside.send_to_uri(now, &self.hop, self.went.over_tcp, &ack);
        }
    }

    /// A CANCEL must not come before its INVITE: it waits for a first sign of that (RFC 3261 9.1).
    fn cancel_if_due(&mut self, now: Millis, outside: &mut Outside) {
        let is_due = self.is_cancelled && matches!(self.stage, Stage::Ringing { .. });
        if !is_due || self.cancel.is_some() {
            return;
        }
        let invite = Message::parse(&self.went.bytes, &Limits::default());
        if let Some(cancel) = invite.ok().and_then(|invite| hop::cancel(&invite)) {
            outside.send_to_uri(now, &self.hop, self.went.over_tcp, &cancel);
            self.cancel = Some(Outstanding::new(now, &cancel, b"", CORE));
        }
    }

    /// Whether it is to be remembered any longer.
    fn tick(&mut self, now: Millis, tag: Identifier, outside: &mut Outside) -> bool {
        match self.cancel.as_mut().map(|cancel| cancel.elapse(now)) {
            Some(Elapsed::Again(bytes)) => self.send_again(now, &bytes, outside),
            Some(Elapsed::TimedOut) => self.cancel = None,
            Some(Elapsed::Nothing) | None => {}
        }
        match &mut self.stage {
            Stage::Waiting(out) => match out.elapse(now) {
                Elapsed::Nothing => true,
                Elapsed::Again(bytes) => {
                    self.send_again(now, &bytes, outside);
                    true
                }
                Elapsed::TimedOut => self.give_up(now, tag, outside),
            },
            Stage::Refused(out) => match out.elapse(now) {
                Elapsed::Nothing => true,
                Elapsed::Again(bytes) => {
                    outside.send(now, self.came.back, &bytes);
                    true
                }
                Elapsed::TimedOut => false,
            },
            Stage::Ringing { until } if *until <= now => {
                self.is_cancelled = true;
                self.cancel_if_due(now, outside);
                self.give_up(now, tag, outside)
            }
            Stage::Ringing { .. } => true,
            Stage::Over { until } => *until > now,
        }
    }

    fn send_again(&self, now: Millis, bytes: &[u8], outside: &mut Outside) {
        if !self.went.over_tcp {
            outside.send_to_uri(now, &self.hop, false, bytes);
        }
    }

    /// Nobody has answered. Of an INVITE that is said; of another request it would come too late (RFC 4320 4.2).
    fn give_up(&mut self, now: Millis, tag: Identifier, outside: &mut Outside) -> bool {
        let request = Message::parse(&self.came.bytes, &Limits::default());
        let Some(request) = request.ok().filter(|_| self.is_invite) else {
            return false;
        };
        self.last = answer(now, &self.came, (&request, 408, tag), outside);
        let last = self.last.as_deref().unwrap_or_default();
        self.stage = Stage::Refused(Outstanding::new(now, last, b"", CORE));
        true
    }
}

fn over(now: Millis) -> Stage {
    let until = now.after(MEMORY);
    Stage::Over { until }
}

/// Answers a request from here. Nothing answers an ACK.
fn answer(
    now: Millis,
    message: &Stamped,
    (request, status, tag): (&Message<'_>, u16, Identifier),
    outside: &mut Outside,
) -> Option<Vec<u8>> {
    // RFC 3261 8.2.6.2: a 100 has no tag.
    let tag = (status > 100).then_some(tag);
    let response = hop::response(request, status, tag)?;
    outside.send(now, message.back, &response);
    Some(response)
}
