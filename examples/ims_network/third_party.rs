//! Third-party REGISTERs that tell the application server of a registration (TS 24.229 5.4.1.7). Those that
//! tell of a deregistration are the library's.

use ims_procedures::{
    drive::{Buffer, Identifiers, Millis},
    wire::{Element, HeaderName, MAGIC_COOKIE, Message, Writer},
};

use crate::{
    network::Network,
    provisioning::{AS_URI, Actor, REGISTRATION},
    resend::{self, Elapsed, Outstanding},
};

/// The third-party REGISTERs that wait for their answers.
pub struct ThirdParty {
    element: Element,
    identifiers: Identifiers,
    /// By the public identity that each is about.
    outstanding: Vec<(Vec<u8>, Outstanding)>,
}

impl ThirdParty {
    pub const fn new(element: Element, identifiers: Identifiers) -> Self {
        Self {
            element,
            identifiers,
            outstanding: Vec::new(),
        }
    }

    pub fn deadline(&self) -> Option<Millis> {
        self.outstanding
            .iter()
            .map(|(_, register)| register.deadline())
            .min()
    }

    /// Tells the application server that a public identity is registered.
    pub fn register(&mut self, now: Millis, identity: &[u8], network: &mut Network) {
        let branch = self.identifiers.next();
        let (tag, call_id) = (self.identifiers.next(), self.identifiers.next());
        let mut buffer = Buffer::new(2_048);
        let mut message = Writer::request(&mut buffer, b"REGISTER", AS_URI.as_bytes());
        message
            .via(self.element.sent_by(), branch)
            .number(HeaderName::MaxForwards, 70)
            .parts(
                HeaderName::From,
                &[b"<", self.element.uri(), b">;tag=", &tag.text()],
            )
            .parts(HeaderName::To, &[b"<", identity, b">"])
            .header(HeaderName::CallId, &call_id.text())
            .cseq(1, b"REGISTER");
        self.element
            .write_address(&mut message, HeaderName::Contact);
        message.number(HeaderName::Expires, u64::from(REGISTRATION));
        self.element.write_charging_vector(&mut message, branch);
        message.finish();
        if buffer.take_fault().is_some() {
            return;
        }
        network.send(now, Actor::Scscf, Actor::As, buffer.as_slice());
        let branch = [MAGIC_COOKIE, &branch.text()].concat();
        let outstanding = Outstanding::new(now, buffer.as_slice(), &branch, resend::CORE);
        self.outstanding.push((identity.to_vec(), outstanding));
    }

    pub fn receive(&mut self, response: &Message<'_>) {
        self.outstanding
            .retain(|(_, register)| register.answered_by(response).is_none());
    }

    pub fn tick(&mut self, now: Millis, network: &mut Network) {
        let mut unanswered = Vec::new();
        self.outstanding
            .retain_mut(|(identity, register)| match register.elapse(now) {
                Elapsed::Nothing => true,
                Elapsed::Again(bytes) => {
                    network.send(now, Actor::Scscf, Actor::As, &bytes);
                    true
                }
                Elapsed::TimedOut => {
                    unanswered.push(std::mem::take(identity));
                    false
                }
            });
        for identity in unanswered {
            self.register(now, &identity, network);
        }
    }
}
