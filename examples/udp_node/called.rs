//! A leg that a B2BUA calls: the INVITE from here, until it is accepted, refused or given up.

use ims_procedures::{
    cpm::LegId,
    drive::{Limits, Millis},
    wire::{Message, Method, sdp::StreamSet},
};

use crate::{
    hop,
    outside::Outside,
    pen::{Pen, Written},
    resend::{CORE, Elapsed, Outstanding},
};

/// Milliseconds for which a leg may ring.
const RINGING: u64 = 180_000;
/// Milliseconds for which a 2xx may come again (64·T1).
const MEMORY: u64 = 32_000;

pub struct Called {
    pub id: LegId,
    /// Its streams, of an IWF.
    pub streams: StreamSet,
    invite: Written,
    hop: Vec<u8>,
    stage: Stage,
    /// Nobody wants it any more.
    is_given_up: bool,
    /// A CANCEL or a BYE that is not answered yet, and where it goes.
    last_word: Option<(Outstanding, Vec<u8>)>,
}

enum Stage {
    Calling(Outstanding),
    Ringing {
        until: Millis,
    },
    /// Until then the 2xx may come again: the ACK follows each.
    Accepted {
        response: Vec<u8>,
        until: Millis,
    },
    Over,
}

/// What has become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    Nothing,
    Ringing(u16),
    Accepted,
    Refused(u16),
}

impl Called {
    /// Calls it.
    pub fn call(
        now: Millis,
        id: LegId,
        streams: StreamSet,
        (invite, hop): (Written, Vec<u8>),
        outside: &mut Outside,
    ) -> Self {
        let is_sent = outside.send_to_uri(now, &hop, invite.over_tcp, &invite.bytes);
        let out = Outstanding::new(now, &invite.bytes, &invite.branch, CORE);
        Self {
            id,
            streams,
            invite,
            hop,
            stage: match is_sent {
                true => Stage::Calling(out),
                false => Stage::Over,
            },
            is_given_up: false,
            last_word: None,
        }
    }

    pub fn invite(&self) -> &[u8] {
        &self.invite.bytes
    }

    /// The 2xx, once it is there.
    pub fn response(&self) -> Option<&[u8]> {
        match &self.stage {
            Stage::Accepted { response, .. } => Some(response),
            _ => None,
        }
    }

    /// Whether nothing more comes of it.
    pub fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }

    pub fn call_id(&self) -> Option<Vec<u8>> {
        let invite = Message::parse(&self.invite.bytes, &Limits::default()).ok()?;
        Some(invite.call_id().ok()?.to_vec())
    }

    /// When it has to be given a tick. `None`: it is over, and nothing of it will be heard.
    pub fn deadline(&self) -> Option<Millis> {
        let stage = match &self.stage {
            Stage::Calling(out) => Some(out.deadline()),
            Stage::Ringing { until } | Stage::Accepted { until, .. } => Some(*until),
            Stage::Over => None,
        };
        let last_word = self.last_word.as_ref().map(|(out, _)| out.deadline());
        stage.into_iter().chain(last_word).min()
    }

    /// A response on this leg.
    pub fn hear(
        &mut self,
        now: Millis,
        response: &Message<'_>,
        pen: &mut Pen,
        outside: &mut Outside,
    ) -> Heard {
        let status = response.status().unwrap_or_default();
        let method = response.cseq().map(|cseq| cseq.method);
        if method != Ok(Method::Invite) {
            if status >= 200 {
                self.last_word = None;
            }
            return Heard::Nothing;
        }
        let is_open = matches!(self.stage, Stage::Calling(_) | Stage::Ringing { .. });
        match (is_open, status) {
            (true, 100..200) => {
                let until = now.after(RINGING);
                self.stage = Stage::Ringing { until };
                if self.is_given_up && self.last_word.is_none() {
                    self.cancel(now, outside);
                }
                Heard::Ringing(status)
            }
            // It was long on its way: the answer has come before it.
            (false, 100..200) => Heard::Nothing,
            (_, 200..300) => self.accepted(now, response, pen, outside),
            (_, _) => {
                self.acknowledge_refusal(now, response, outside);
                if !is_open {
                    return Heard::Nothing;
                }
                self.stage = Stage::Over;
                Heard::Refused(status)
            }
        }
    }

    /// A 2xx, at first or again. One that nobody waits for is ended by a BYE (RFC 3261 13.2.2.4).
    fn accepted(
        &mut self,
        now: Millis,
        response: &Message<'_>,
        pen: &mut Pen,
        outside: &mut Outside,
    ) -> Heard {
        self.send_within(now, response, b"ACK", pen, outside);
        let is_first = self.response().is_none();
        if !is_first {
            return Heard::Nothing;
        }
        self.stage = Stage::Accepted {
            response: response.bytes().to_vec(),
            until: now.after(MEMORY),
        };
        if self.is_given_up {
            self.hang_up(now, response, pen, outside);
            return Heard::Nothing;
        }
        Heard::Accepted
    }

    /// Nobody wants it any more: a CANCEL as soon as it rings, or a BYE.
    pub fn give_up(&mut self, now: Millis, pen: &mut Pen, outside: &mut Outside) {
        if std::mem::replace(&mut self.is_given_up, true) {
            return;
        }
        match &self.stage {
            Stage::Calling(_) | Stage::Over => {}
            Stage::Ringing { .. } => self.cancel(now, outside),
            Stage::Accepted { response, .. } => {
                let response = response.clone();
                if let Ok(response) = Message::parse(&response, &Limits::default()) {
                    self.hang_up(now, &response, pen, outside);
                }
            }
        }
    }

    fn cancel(&mut self, now: Millis, outside: &mut Outside) {
        let invite = Message::parse(&self.invite.bytes, &Limits::default());
        let Some(cancel) = invite.ok().and_then(|invite| hop::cancel(&invite)) else {
            return;
        };
        outside.send_to_uri(now, &self.hop, self.invite.over_tcp, &cancel);
        let out = Outstanding::new(now, &cancel, &self.invite.branch, CORE);
        self.last_word = Some((out, self.hop.clone()));
    }

    fn hang_up(
        &mut self,
        now: Millis,
        response: &Message<'_>,
        pen: &mut Pen,
        outside: &mut Outside,
    ) {
        let sent = self.send_within(now, response, b"BYE", pen, outside);
        self.last_word = sent.map(|(bye, hop)| {
            let out = Outstanding::new(now, &bye.bytes, &bye.branch, CORE);
            (out, hop)
        });
    }

    fn send_within(
        &self,
        now: Millis,
        response: &Message<'_>,
        method: &[u8],
        pen: &mut Pen,
        outside: &mut Outside,
    ) -> Option<(Written, Vec<u8>)> {
        let invite = Message::parse(&self.invite.bytes, &Limits::default()).ok()?;
        let (request, hop) = pen.within(&invite, response, method)?;
        outside.send_to_uri(now, &hop, request.over_tcp, &request.bytes);
        Some((request, hop))
    }

    fn acknowledge_refusal(&self, now: Millis, refusal: &Message<'_>, outside: &mut Outside) {
        let invite = Message::parse(&self.invite.bytes, &Limits::default());
        let ack = invite
            .ok()
            .and_then(|invite| hop::ack_of_refusal(&invite, refusal));
        if let Some(ack) = ack {
            outside.send_to_uri(now, &self.hop, self.invite.over_tcp, &ack);
        }
    }

    /// Lets what is due happen.
    pub fn tick(&mut self, now: Millis, outside: &mut Outside) -> Heard {
        self.repeat_last_word(now, outside);
        match &mut self.stage {
            Stage::Calling(out) => match out.elapse(now) {
                Elapsed::Nothing => Heard::Nothing,
                Elapsed::Again(bytes) => {
                    if !self.invite.over_tcp {
                        outside.send_to_uri(now, &self.hop, false, &bytes);
                    }
                    Heard::Nothing
                }
                Elapsed::TimedOut => self.time_out(),
            },
            Stage::Ringing { until } if *until <= now => {
                self.cancel(now, outside);
                self.time_out()
            }
            Stage::Accepted { until, .. } if *until <= now => {
                self.stage = Stage::Over;
                Heard::Nothing
            }
            _ => Heard::Nothing,
        }
    }

    fn repeat_last_word(&mut self, now: Millis, outside: &mut Outside) {
        let Some((out, hop)) = &mut self.last_word else {
            return;
        };
        match out.elapse(now) {
            Elapsed::Nothing => {}
            Elapsed::Again(bytes) => _ = outside.send_to_uri(now, hop, false, &bytes),
            Elapsed::TimedOut => self.last_word = None,
        }
    }

    fn time_out(&mut self) -> Heard {
        self.stage = Stage::Over;
        Heard::Refused(408)
    }
}
