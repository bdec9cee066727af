//! A session that a B2BUA sets up: a caller's INVITE, and a leg to each of those who are called. All of them must accept.

use std::net::SocketAddrV4;

use ims_procedures::{
    cpm::{Description, Establish, Function, Iwf, Leg, LegId, SessionRef, Side},
    drive::{Identifier, Limits, Millis},
    wire::{
        Message,
        sdp::{self, StreamSet},
    },
};

use crate::{
    called::{Called, Heard},
    offers,
    outside::Outside,
    parties::Terms,
    pen::Pen,
    resend::{CORE, Elapsed, Outstanding},
    way_back::Stamped,
};

/// Milliseconds for which an INVITE that was refused may come again (64·T1).
const MEMORY: u64 = 32_000;

pub struct Setup {
    /// The caller's INVITE.
    came: Stamped,
    /// Of our end of the caller's dialog.
    tag: Identifier,
    legs: Vec<Called>,
    /// The provisional response that went back last, and its status.
    rung: (u16, Vec<u8>),
    answer: Option<Final>,
}

/// What the caller was answered with.
struct Final {
    status: u16,
    bytes: Vec<u8>,
    /// It is said again until the ACK comes.
    again: Option<Outstanding>,
    /// Of a refusal: until then the INVITE may come again, and is no other call.
    until: Option<Millis>,
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Nothing,
    /// Everybody has accepted: it is to be [answered](Setup::answer) 200.
    Accepted,
    Refused(u16),
    /// The caller was answered 200, and has not acknowledged it.
    Unacknowledged,
}

impl Setup {
    /// Calls everybody. An error is the status with which the INVITE is refused.
    pub fn begin(
        now: Millis,
        came: &Stamped,
        called: &[(LegId, SocketAddrV4)],
        pen: &mut Pen,
        outside: &mut Outside,
    ) -> Result<Self, u16> {
        let limits = Limits::default();
        let invite = Message::parse(&came.bytes, &limits).map_err(|_| 400u16)?;
        if !invite.content_type_is(b"application/sdp") {
            return Err(488);
        }
        let offer = sdp::Description::parse(invite.body(), &limits).map_err(|_| 488u16)?;
        let dealt = offers::deal(&offer, called.len());
        let mut setup = Self {
            came: came.clone(),
            tag: pen.identifiers.next(),
            legs: Vec::new(),
            rung: (100, Vec::new()),
            answer: None,
        };
        let trying = pen.pass_back(&invite, 100, setup.tag, None);
        setup.progress(now, (100, trying), outside);
        for (&(id, to), streams) in called.iter().zip(dealt) {
            let part = offers::part(&offer, streams).ok_or(500u16)?;
            let is_iwf = matches!(id, LegId::Iwf(_));
            let written = pen.invite(&invite, &part, is_iwf).ok_or(483u16)?;
            let hop = format!("sip:{to}").into_bytes();
            let leg = Called::call(now, id, streams, (written, hop), outside);
            setup.legs.push(leg);
        }
        if setup.legs.iter().any(Called::is_over) {
            setup.refuse(now, (503, None), pen, outside);
        }
        Ok(setup)
    }

    /// The Call-IDs of the legs from here.
    pub fn call_ids(&self) -> impl Iterator<Item = Vec<u8>> {
        self.legs.iter().filter_map(Called::call_id)
    }

    /// The status that the caller was answered with.
    pub fn status(&self) -> Option<u16> {
        self.answer.as_ref().map(|answer| answer.status)
    }

    /// When it has to be given a tick. `None`: it is over.
    pub fn deadline(&self) -> Option<Millis> {
        let legs = self.legs.iter().filter_map(Called::deadline);
        let answer = self.answer.as_ref();
        let again = answer.and_then(|answer| answer.again.as_ref());
        let again = again.map(Outstanding::deadline);
        let until = answer.and_then(|answer| answer.until);
        legs.chain(again).chain(until).min()
    }

    /// The INVITE has come again: it is answered as it was last (RFC 3261 17.2.1).
    pub fn repeat(&self, now: Millis, outside: &mut Outside) {
        let last = self.answer.as_ref().map(|answer| &answer.bytes);
        outside.send(now, self.came.back, last.unwrap_or(&self.rung.1));
    }

    /// Whether a request is the caller's INVITE again, or the CANCEL of it: in its topmost Via it has the same branch, and
    /// the same sender.
    pub fn is_of(&self, request: &Message<'_>) -> bool {
        self.matches(|invite| {
            let (own, given) = (invite.via().ok()?, request.via().ok()?);
            let is_of = own.branch() == given.branch() && own.sent_by_raw() == given.sent_by_raw();
            Some(is_of && invite.call_id() == request.call_id())
        })
    }

    /// An ACK has come. It counts if it is the caller's, of what the INVITE was answered with.
    pub fn acknowledge(&mut self, ack: &Message<'_>) {
        let is_of_answer = self.matches(|invite| {
            let is_of_call = invite.call_id().ok()? == ack.call_id().ok()?
                && invite.cseq().ok()?.number == ack.cseq().ok()?.number;
            Some(is_of_call && ack.to().ok()?.tag() == Some(&self.tag.text()))
        });
        if let (true, Some(answer)) = (is_of_answer, &mut self.answer) {
            answer.again = None;
        }
    }

    fn matches(&self, compare: impl FnOnce(&Message<'_>) -> Option<bool>) -> bool {
        let invite = Message::parse(&self.came.bytes, &Limits::default());
        invite.ok().and_then(|invite| compare(&invite)) == Some(true)
    }

    /// The caller does not want it any more, if it is not too late for that.
    pub fn cancel(&mut self, now: Millis, pen: &mut Pen, outside: &mut Outside) -> Standing {
        if self.answer.is_some() {
            return Standing::Nothing;
        }
        self.refuse(now, (487, None), pen, outside)
    }

    /// A response on one of the legs.
    pub fn hear(
        &mut self,
        now: Millis,
        response: &Message<'_>,
        pen: &mut Pen,
        outside: &mut Outside,
    ) -> Standing {
        let call_id = response.call_id().unwrap_or_default();
        let is_it = |leg: &&mut Called| leg.call_id().as_deref() == Some(call_id);
        let Some(leg) = self.legs.iter_mut().find(is_it) else {
            return Standing::Nothing;
        };
        let heard = leg.hear(now, response, pen, outside);
        self.proceed(now, (heard, Some(response)), pen, outside)
    }

    pub fn tick(&mut self, now: Millis, pen: &mut Pen, outside: &mut Outside) -> Standing {
        if self.repeat_answer(now, outside) {
            return Standing::Unacknowledged;
        }
        for at in 0..self.legs.len() {
            let Some(leg) = self.legs.get_mut(at) else {
                break;
            };
            let heard = leg.tick(now, outside);
            let standing = self.proceed(now, (heard, None), pen, outside);
            if standing != Standing::Nothing {
                return standing;
            }
        }
        Standing::Nothing
    }

    /// Whether a 200 has been said often enough.
    fn repeat_answer(&mut self, now: Millis, outside: &mut Outside) -> bool {
        let Some(answer) = &mut self.answer else {
            return false;
        };
        answer.until = answer.until.filter(|until| *until > now);
        match answer.again.as_mut().map(|again| again.elapse(now)) {
            Some(Elapsed::Again(bytes)) => {
                outside.send(now, self.came.back, &bytes);
                false
            }
            Some(Elapsed::TimedOut) => {
                answer.again = None;
                answer.status == 200
            }
            Some(Elapsed::Nothing) | None => false,
        }
    }

    fn proceed(
        &mut self,
        now: Millis,
        (heard, response): (Heard, Option<&Message<'_>>),
        pen: &mut Pen,
        outside: &mut Outside,
    ) -> Standing {
        if self.answer.is_some() {
            return Standing::Nothing;
        }
        match heard {
            Heard::Nothing => Standing::Nothing,
            Heard::Ringing(status) => {
                self.ring(now, status, pen, outside);
                Standing::Nothing
            }
            Heard::Accepted if self.legs.iter().all(|leg| leg.response().is_some()) => {
                Standing::Accepted
            }
            Heard::Accepted => Standing::Nothing,
            Heard::Refused(status) => self.refuse(now, (status, response), pen, outside),
        }
    }

    /// The caller hears of each kind of progress once.
    fn ring(&mut self, now: Millis, status: u16, pen: &Pen, outside: &mut Outside) {
        if status <= self.rung.0 {
            return;
        }
        let invite = Message::parse(&self.came.bytes, &Limits::default());
        let response = invite
            .ok()
            .and_then(|invite| pen.pass_back(&invite, status, self.tag, None));
        self.progress(now, (status, response), outside);
    }

    /// The caller is refused, and whoever is called is called off.
    pub fn refuse(
        &mut self,
        now: Millis,
        (status, after): (u16, Option<&Message<'_>>),
        pen: &mut Pen,
        outside: &mut Outside,
    ) -> Standing {
        let invite = Message::parse(&self.came.bytes, &Limits::default());
        let response = invite
            .ok()
            .and_then(|invite| pen.pass_back(&invite, status, self.tag, after));
        self.answer(now, status, response.unwrap_or_default(), outside);
        for leg in &mut self.legs {
            leg.give_up(now, pen, outside);
        }
        Standing::Refused(status)
    }

    /// The 200 for the caller, with one answer to its offer. `None` if those of the legs make none.
    pub fn acceptance(&self, pen: &Pen) -> Option<Vec<u8>> {
        let limits = Limits::default();
        let invite = Message::parse(&self.came.bytes, &limits).ok()?;
        let responses = self.legs.iter().filter_map(Called::response);
        let responses: Vec<Message<'_>> = responses
            .map(|bytes| Message::parse(bytes, &limits))
            .collect::<Result<_, _>>()
            .ok()?;
        let parts = self.legs.iter().zip(&responses);
        let parts: Vec<(StreamSet, &[u8])> = parts
            .map(|(leg, response)| (leg.streams, response.body()))
            .collect();
        let answer = offers::join(&parts)?;
        pen.accept(&invite, self.tag, (responses.first()?, &answer))
    }

    /// Answers the caller.
    pub fn answer(&mut self, now: Millis, status: u16, bytes: Vec<u8>, outside: &mut Outside) {
        outside.send(now, self.came.back, &bytes);
        self.answer = Some(Final {
            status,
            again: Some(Outstanding::new(now, &bytes, b"", CORE)),
            until: (status >= 300).then(|| now.after(MEMORY)),
            bytes,
        });
    }

    fn progress(
        &mut self,
        now: Millis,
        (status, response): (u16, Option<Vec<u8>>),
        outside: &mut Outside,
    ) {
        if let Some(response) = response {
            outside.send(now, self.came.back, &response);
            self.rung = (status, response);
        }
    }

    /// Shows the session as a node is to be shown it: by the messages that made its dialogs, `response` being our 200.
    pub fn shown<T>(
        &self,
        session: SessionRef,
        terms: &Terms,
        response: &[u8],
        give: impl FnOnce(Establish<'_>) -> T,
    ) -> T {
        let caller = Leg::Learnt {
            invite: &self.came.bytes,
            response,
            side: Side::Uas,
        };
        let leg = |id| {
            let leg = self.legs.iter().find(|leg| leg.id == id)?;
            Some(Leg::Learnt {
                invite: leg.invite(),
                response: leg.response()?,
                side: Side::Uac,
            })
        };
        let (client, other) = match terms.function {
            Function::Originating => (Some(caller), leg(LegId::Other)),
            Function::Terminating => (leg(LegId::Client), Some(caller)),
        };
        let iwfs = self.legs.iter().filter_map(|own| match own.id {
            LegId::Iwf(_) => Some(Iwf {
                leg: leg(own.id)?,
                streams: own.streams,
            }),
            LegId::Client | LegId::Other => None,
        });
        give(Establish {
            session,
            function: terms.function,
            mode: terms.mode,
            allow_offline_storage: terms.allow_offline_storage,
            policy: terms.policy,
            client,
            other,
            iwfs: &iwfs.collect::<Vec<_>>(),
            description: Description::Learnt,
        })
    }
}
