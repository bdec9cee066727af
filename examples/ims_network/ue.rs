//! A UE: it registers, and hears whether it is. It needs no machine of the library, only the reader and the
//! writer of messages.

use ims_procedures::{
    drive::{Buffer, Identifier, Identifiers, Limits, Millis},
    wire::{HeaderName, MAGIC_COOKIE, Message, Method, Writer},
};

use crate::{
    provisioning::{HOME_DOMAIN, HOME_DOMAIN_URI, REGISTRATION, User},
    resend::{self, Elapsed, Outstanding},
};

/// How often a UE tries to register.
const ATTEMPTS: u32 = 5;

#[derive(Debug)]
enum State {
    /// It is switched on at that time.
    Off(Millis),
    Registering(Outstanding),
    Registered(Millis),
    /// Refused, or never answered.
    Failed,
}

/// A UE.
pub struct Ue {
    pub user: User,
    state: State,
    attempts: u32,
    identifiers: Identifiers,
    call_id: Identifier,
    tag: Identifier,
}

impl Ue {
    /// A UE that will be switched on.
    pub fn new(user: User, on: Millis, mut identifiers: Identifiers) -> Self {
        Self {
            user,
            state: State::Off(on),
            attempts: 0,
            call_id: identifiers.next(),
            tag: identifiers.next(),
            identifiers,
        }
    }

    /// When it was told that it is registered.
    pub const fn registered(&self) -> Option<Millis> {
        match self.state {
            State::Registered(at) => Some(at),
            State::Off(_) | State::Registering(_) | State::Failed => None,
        }
    }

    /// When it has to be given a tick.
    pub fn deadline(&self) -> Option<Millis> {
        match &self.state {
            State::Off(on) => Some(*on),
            State::Registering(register) => Some(register.deadline()),
            State::Registered(_) | State::Failed => None,
        }
    }

    /// Time has passed. What it returns is to be sent.
    pub fn tick(&mut self, now: Millis) -> Option<Vec<u8>> {
        match &mut self.state {
            State::Off(on) if now >= *on => self.register(now),
            State::Registering(register) => match register.elapse(now) {
                Elapsed::Again(bytes) => Some(bytes),
                Elapsed::TimedOut => self.register(now),
                Elapsed::Nothing => None,
            },
            State::Off(_) | State::Registered(_) | State::Failed => None,
        }
    }

    /// A message has arrived.
    pub fn receive(&mut self, now: Millis, bytes: &[u8]) {
        let State::Registering(register) = &self.state else {
            return; // another copy of the answer
        };
        let response = Message::parse(bytes, &Limits::default());
        match response
            .ok()
            .and_then(|response| register.answered_by(&response))
        {
            Some(200..=299) => self.state = State::Registered(now),
            Some(_) => self.state = State::Failed,
            None => {}
        }
    }

    fn register(&mut self, now: Millis) -> Option<Vec<u8>> {
        self.state = State::Failed;
        if self.attempts == ATTEMPTS {
            return None;
        }
        self.attempts += 1;
        let branch = self.identifiers.next();
        let bytes = self.write_register(branch)?;
        let branch = [MAGIC_COOKIE, &branch.text()].concat();
        self.state = State::Registering(Outstanding::new(now, &bytes, &branch, resend::UE));
        Some(bytes)
    }

    fn write_register(&self, branch: Identifier) -> Option<Vec<u8>> {
        let user = &self.user;
        let identity = user.public_identities.first()?.as_bytes();
        let mut buffer = Buffer::new(2_048);
        let mut message = Writer::request(&mut buffer, b"REGISTER", HOME_DOMAIN_URI.as_bytes());
        message
            .via(user.address.as_bytes(), branch)
            .number(HeaderName::MaxForwards, 70)
            .parts(
                HeaderName::From,
                &[b"<", identity, b">;tag=", &self.tag.text()],
            )
            .parts(HeaderName::To, &[b"<", identity, b">"])
            .header(HeaderName::CallId, &self.call_id.text())
            .cseq(self.attempts, Method::Register.as_bytes())
            .parts(
                HeaderName::Contact,
                &[
                    b"<",
                    user.contact.as_bytes(),
                    b">;+sip.instance=\"<",
                    user.instance.as_bytes(),
                    b">\";reg-id=1",
                ],
            )
            .number(HeaderName::Expires, u64::from(REGISTRATION))
            .parts(
                HeaderName::Authorization,
                &[
                    b"Digest username=\"",
                    user.private_identity.as_bytes(),
                    b"\",realm=\"",
                    HOME_DOMAIN.as_bytes(),
                    b"\",nonce=\"\",uri=\"",
                    HOME_DOMAIN_URI.as_bytes(),
                    b"\",response=\"\"",
                ],
            )
            .header(HeaderName::Supported, b"path, outbound");
        message.finish();
        buffer
            .take_fault()
            .is_none()
            .then(|| buffer.as_slice().to_vec())
    }
}
