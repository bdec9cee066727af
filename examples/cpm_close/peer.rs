//! Somebody at the other end of a dialog: the CPM client, the other CPM entity, an interworking function.

use std::{collections::VecDeque, error::Error};

use ims_procedures::{
    dialog::Sequence,
    drive::{Buffer, Identifiers, Limits, Millis},
    wire::{Element, HeaderName, Message, Method, Writer},
};

use crate::{
    cases::Manner,
    network::Network,
    outcome::{Answered, Got},
    provisioning::{Actor, HOME_DOMAIN},
    replies::Replies,
    resend::{self, Elapsed, Outstanding},
    session::Dialog,
    summary::uid,
};

/// So many bytes are enough for any message here.
const ROOM: usize = 4_096;

/// A peer.
pub struct Peer {
    me: Actor,
    element: Element,
    identifiers: Identifiers,
    dialog: Option<Dialog>,
    sequence: Sequence,
    /// What it answers the requests that come: one after the other, and then always the last.
    statuses: VecDeque<u16>,
    is_silent: bool,
    replies: Replies,
    /// The BYE that it has sent, and when.
    bye: Option<(Millis, Outstanding)>,
    /// How its BYE was answered.
    pub answered: Option<Answered>,
    /// What it was sent.
    pub got: Vec<Got>,
}

impl Peer {
    pub fn new(me: Actor, identifiers: Identifiers) -> Result<Self, Box<dyn Error>> {
        Ok(Self {
            me,
            element: Element::new(me.uri().as_bytes(), HOME_DOMAIN.as_bytes())?,
            identifiers,
            dialog: None,
            sequence: Sequence::default(),
            statuses: VecDeque::new(),
            is_silent: false,
            replies: Replies::default(),
            bye: None,
            answered: None,
            got: Vec::new(),
        })
    }

    /// Another case begins: the dialog that it is in, and how it does.
    pub fn begin(&mut self, dialog: Option<Dialog>, manner: &Manner) {
        self.dialog = dialog;
        // Its number after that of an INVITE, if it has sent one.
        self.sequence = Sequence {
            local: 1,
            remote: None,
        };
        self.statuses = manner.statuses.iter().copied().collect();
        self.is_silent = manner.is_silent;
        self.bye = None;
        self.answered = None;
        self.got.clear();
    }

    pub const fn me(&self) -> Actor {
        self.me
    }

    pub const fn name(&self) -> &'static str {
        self.me.name()
    }

    pub fn deadline(&self) -> Option<Millis> {
        self.bye.as_ref().map(|(_, bye)| bye.deadline())
    }

    /// Ends the session.
    pub fn hang_up(&mut self, now: Millis, network: &mut Network) -> Result<(), Box<dyn Error>> {
        let dialog = self.dialog.as_ref().ok_or("no dialog to end")?;
        let (mut buffer, branch) = (Buffer::new(ROOM), self.identifiers.next());
        let number = self.sequence.take_next();
        let reason = b"SIP;cause=200;text=\"Call completed elsewhere\"";
        let mut message = dialog
            .view()
            .bye(&mut buffer, &self.element, number, branch, reason);
        // As the core has asserted it.
        if !self.me.route().is_empty() {
            self.element
                .write_address(&mut message, HeaderName::PAssertedIdentity);
            self.element.write_charging_vector(&mut message, branch);
        }
        message.finish();
        let bytes = buffer.as_slice();
        network.send(now, self.me, Actor::Function, bytes);
        let branch = [b"z9hG4bK", &branch.text()[..]].concat();
        let bye = Outstanding::new(now, bytes, &branch, resend::CORE);
        self.bye = Some((now, bye));
        Ok(())
    }

    /// A message has arrived.
    pub fn receive(&mut self, now: Millis, bytes: &[u8], network: &mut Network) {
        let Ok(message) = Message::parse(bytes, &Limits::default()) else {
            return;
        };
        if message.status().is_some() {
            self.take_answer(now, &message);
        } else if message.method() != Some(Method::Ack) {
            self.take_request(now, &message, network);
        }
    }

    fn take_answer(&mut self, now: Millis, response: &Message<'_>) {
        let Some((sent, bye)) = &self.bye else {
            return;
        };
        if let Some(status) = bye.answered_by(response) {
            self.answered = Some(Answered {
                status: Some(status),
                has_uid: uid(response).is_some(),
                after: now.0 - sent.0,
            });
            self.bye = None;
        }
    }

    fn take_request(&mut self, now: Millis, request: &Message<'_>, network: &mut Network) {
        if let Some(given) = self.replies.given(request) {
            network.send(now, self.me, Actor::Function, given);
            return;
        }
        let method = request.method().map_or(&b"?"[..], |own| own.as_bytes());
        let got = Got {
            method: String::from_utf8_lossy(method).into_owned(),
            has_uid: uid(request).is_some(),
        };
        // Nothing is remembered of what is not answered: it may come again.
        if self.is_silent {
            if !self.got.contains(&got) {
                self.got.push(got);
            }
            return;
        }
        self.got.push(got);
        let status = match self.statuses.len() {
            0 => 200,
            1 => self.statuses.front().copied().unwrap_or(200),
            _ => self.statuses.pop_front().unwrap_or(200),
        };
        let mut buffer = Buffer::new(ROOM);
        let mut answer = Writer::respond_to(&mut buffer, request, status, None);
        if status == 200 && request.method() == Some(Method::Invite) {
            self.element.write_address(&mut answer, HeaderName::Contact);
            // The other end keeps what is left of the streams as they were.
            answer.body(b"application/sdp", |buffer| buffer.put(&answer_to(request)));
        } else {
            answer.finish();
        }
        self.replies.remember(request, buffer.as_slice());
        network.send(now, self.me, Actor::Function, buffer.as_slice());
    }

    /// Lets what is due happen: the BYE is sent again, or counts as not answered.
    pub fn tick(&mut self, now: Millis, network: &mut Network) {
        let Some((sent, bye)) = &mut self.bye else {
            return;
        };
        match bye.elapse(now) {
            Elapsed::Nothing => {}
            Elapsed::Again(bytes) => network.send(now, self.me, Actor::Function, &bytes),
            Elapsed::TimedOut => {
                self.answered = Some(Answered {
                    status: None,
                    has_uid: false,
                    after: now.0 - sent.0,
                });
                self.bye = None;
            }
        }
    }
}

/// [RFC 3264 6] An answer to an offer: the same streams, those at port 0 among them.
fn answer_to(offer: &Message<'_>) -> Vec<u8> {
    let text = String::from_utf8_lossy(offer.body()).into_owned();
    text.replace("192.0.2.40", "192.0.2.20").into_bytes()
}
