//! The REGISTERs that the MSC server itself sends (TS 24.292 6.3.2), each until its answer has come. They are no part of
//! the library's procedure: it is shown each with its answer, and ends what they began.

use ims_procedures::{
    drive::{Buffer, Identifier, Identifiers, Millis},
    wire::{Element, HeaderName, MAGIC_COOKIE, Message, Method, Writer},
};

use crate::{
    network::Network,
    provisioning::{Actor, VISITED_NETWORK},
    resend::{self, Elapsed, Outstanding},
    subscriber::{MSC_URI, Subscriber},
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
        let identity = subscriber.temporary_identity.as_bytes();
        let home = subscriber.home_domain.as_bytes();
        let realm = home.strip_prefix(b"sip:")?;
        let mut buffer = Buffer::new(4_096);
        let mut message = Writer::request(&mut buffer, b"REGISTER", home);
        message
            .via(self.element.sent_by(), branch)
            .number(HeaderName::MaxForwards, 70)
            .parts(HeaderName::From, &[b"<", identity, b">;tag=", &tag.text()])
            .parts(HeaderName::To, &[b"<", identity, b">"])
            .header(HeaderName::CallId, &call_id.text())
            .cseq(1, Method::Register.as_bytes())
            .parts(
                HeaderName::Contact,
                &[
                    b"<",
                    MSC_URI.as_bytes(),
                    b">;+sip.instance=\"<",
                    subscriber.instance.as_bytes(),
                    b">\";+g.3gpp.ics=\"server\";+g.3gpp.accesstype=\"cellular1\"",
                ],
            )
            .number(HeaderName::Expires, EXPIRES)
            .parts(
                HeaderName::Authorization,
                &[
                    b"Digest username=\"",
                    subscriber.private_identity.as_bytes(),
                    b"\",realm=\"",
                    realm,
                    b"\",nonce=\"\",uri=\"",
                    home,
                    b"\",response=\"\",integrity-protected=\"auth-done\"",
                ],
            )
            .parts(HeaderName::Path, &[b"<", MSC_URI.as_bytes(), b";lr>"])
            .header(HeaderName::Supported, b"path")
            .header(HeaderName::PVisitedNetworkId, VISITED_NETWORK.as_bytes())
            .header(
                HeaderName::PAccessNetworkInfo,
                b"3GPP-UTRAN-FDD;utran-cell-id-3gpp=234151D0FCE11;network-provided",
            );
        self.element.write_charging_vector(&mut message, branch);
        message.finish();
        let fault = buffer.take_fault();
        fault.is_none().then(|| buffer.as_slice().to_vec())
    }
}
