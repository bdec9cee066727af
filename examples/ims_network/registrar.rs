//! What an S-CSCF does with a REGISTER beside the procedures of the library: accept a registration.
//!
//! A UE that registers would be challenged first (TS 24.229 5.4.1.2). That is no part of these procedures and
//! left out here: this registrar takes whoever the HSS knows.

use ims_procedures::{
    drive::{Buffer, Identifiers, Limits},
    wire::{Contact, HeaderName, Message, Method, Writer},
};

use crate::{
    hss::Hss,
    provisioning::{HOME_DOMAIN, REGISTRATION},
    replies::Replies,
    summary::private_identity,
};

/// The registrar.
pub struct Registrar {
    identifiers: Identifiers,
    limits: Limits,
    replies: Replies,
}

/// The answer to a REGISTER.
pub struct Answer {
    pub bytes: Vec<u8>,
    pub kind: Kind,
}

/// What an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Accepted,
    Refused,
    /// It was given before: there is nothing more to do about it.
    Again,
}

impl Registrar {
    pub fn new(identifiers: Identifiers) -> Self {
        Self {
            identifiers,
            limits: Limits::default(),
            replies: Replies::default(),
        }
    }

    /// A REGISTER that is no deregistration. `None` if it is something else, or cannot be answered at all.
    pub fn register(&mut self, request: &Message<'_>, hss: &Hss) -> Option<Answer> {
        if request.method() != Some(Method::Register) {
            return None;
        }
        if let Some(answer) = self.replies.given(request) {
            return Some(Answer {
                bytes: answer.to_vec(),
                kind: Kind::Again,
            });
        }
        let identities = private_identity(request).and_then(|name| hss.public_identities(name));
        let (bytes, kind) = match identities {
            Some(identities) => (self.accept(request, identities)?, Kind::Accepted),
            None => (self.refuse(request)?, Kind::Refused),
        };
        self.replies.remember(request, &bytes);
        Some(Answer { bytes, kind })
    }

    /// TS 24.229 5.4.1.2.2F: what is bound now, the way to it, the way from it, and all that came with it.
    fn accept(&mut self, request: &Message<'_>, identities: &[String]) -> Option<Vec<u8>> {
        let tag = self.identifiers.next();
        let granted = request
            .expires()
            .ok()
            .flatten()
            .unwrap_or(REGISTRATION)
            .min(REGISTRATION)
            .to_string();
        let associated: Vec<String> = identities.iter().map(|uri| format!("<{uri}>")).collect();
        let mut buffer = Buffer::new(self.limits.message_bytes);
        let mut answer = Writer::respond_to(&mut buffer, request, 200, Some(tag));
        for contact in request.contacts() {
            let Ok(Contact::Addr(contact)) = contact else {
                continue;
            };
            answer.parts(
                HeaderName::Contact,
                &[contact.raw(), b";expires=", granted.as_bytes()],
            );
        }
        answer
            .copy(request, HeaderName::Path)
            .header(HeaderName::Supported, b"path, outbound")
            .parts(
                HeaderName::ServiceRoute,
                &[b"<sip:orig@scscf1.", HOME_DOMAIN.as_bytes(), b":5060;lr>"],
            )
            .header(HeaderName::PAssociatedUri, associated.join(", ").as_bytes());
        answer.finish();
        finished(buffer)
    }

    /// Nobody the HSS knows.
    fn refuse(&mut self, request: &Message<'_>) -> Option<Vec<u8>> {
        let tag = self.identifiers.next();
        let mut buffer = Buffer::new(self.limits.message_bytes);
        Writer::respond_to(&mut buffer, request, 403, Some(tag)).finish();
        finished(buffer)
    }
}

fn finished(mut buffer: Buffer) -> Option<Vec<u8>> {
    buffer
        .take_fault()
        .is_none()
        .then(|| buffer.as_slice().to_vec())
}
