//! The REGISTERs that the MSC server itself sends (TS 24.292 6.3.2), each until its answer has come. They are no part of
//! the library's procedure: it is shown each with its answer, and ends what they began.

use ims_procedures::{
    drive::{Identifier, Identifiers, Millis},
    wire::{Element, MAGIC_COOKIE, Message},
};

use crate::{
    network::Network,
    provisioning::{Actor, VISITED_NETWORK},
    register::Register,
    resend::{self, Elapsed, Outstanding},
    subscriber::Subscriber,
};

/// Seconds that a registration is asked for. The registrar grants what it likes.
const EXPIRES: u64 = 600_000;

/// Those that wait for their answers.
pub struct Registering {
    element: Element,
    identifiers: Identifiers,
    outstanding: Vec<(Vec<u8>, Outstanding)>,
}

impl Registering {
    pub const fn new(element: Element, identifiers: Identifiers) -> Self {
        Self {
            element,
            identifiers,
            outstanding: Vec::new(),
        }
    }

    pub fn deadline(&self) -> Option<Millis> {
        let deadlines = self.outstanding.iter().map(|(_, out)| out.deadline());
        deadlines.min()
    }

    /// Registers a subscriber.
    pub fn register(&mut self, now: Millis, subscriber: &Subscriber, network: &mut Network) {
        let branch = self.identifiers.next();
        let Some(bytes) = self.write(subscriber, branch) else {
            return;
        };
        network.send(now, Actor::Msc, Actor::Scscf, &bytes);
        let branch = [MAGIC_COOKIE, &branch.text()].concat();
        let outstanding = Outstanding::new(now, &bytes, &branch, resend::CORE);
        self.outstanding.push((bytes, outstanding));
    }

    /// The REGISTER that a response finally answers, if it is one of these.
    pub fn answered(&mut self, response: &Message<'_>) -> Option<Vec<u8>> {
        let answered = |(_, out): &(_, Outstanding)| out.answered_by(response).is_some();
        let place = self.outstanding.iter().position(answered)?;
        Some(self.outstanding.swap_remove(place).0)
    }

    /// Sends again what was not answered in time. One that times out is given up: the subscriber stays unregistered.
    pub fn tick(&mut self, now: Millis, network: &mut Network) {
        self.outstanding
            .retain_mut(|(_, out)| match out.elapse(now) {
                Elapsed::Nothing => true,
                Elapsed::Again(bytes) => {
                    network.send(now, Actor::Msc, Actor::Scscf, &bytes);
                    true
                }
                Elapsed::TimedOut => false,
            });
    }

    fn write(&mut self, subscriber: &Subscriber, branch: Identifier) -> Option<Vec<u8>> {
        let (tag, call_id) = (self.identifiers.next(), self.identifiers.next());
        let register = Register {
            home_domain: &subscriber.home_domain,
            public_identity: &subscriber.temporary_identity,
            private_identity: &subscriber.private_identity,
            instance: &subscriber.instance,
            call_id: &call_id.text(),
            tag: &tag.text(),
            cseq: 1,
            expires: EXPIRES,
            visited_network: VISITED_NETWORK,
        };
        register.write(&self.element, branch)
    }
}
