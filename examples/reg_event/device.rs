//! The user, and the devices that register: each REGISTER as the P-CSCF passes it on to the S-CSCF.

use ims_procedures::{
    drive::{Buffer, Identifier, Identifiers},
    wire::{HeaderName, Method, Writer},
};

use crate::provisioning::{HOME_DOMAIN, HOME_DOMAIN_URI, PCSCF_URI, User};

/// The user: two public identities, so that whoever registers one has the other registered with it.
pub fn user() -> User {
    User {
        private_identity: format!("alice_private@{HOME_DOMAIN}"),
        public_identities: vec![
            format!("sip:alice@{HOME_DOMAIN}"),
            "tel:+12125550100".to_owned(),
        ],
        ..User::new(1)
    }
}

/// A device of the user.
pub struct Device {
    pub name: &'static str,
    /// The URI of its contact, which also tells its flow from others.
    pub contact: String,
    instance: String,
    identifiers: Identifiers,
    call_id: Identifier,
    tag: Identifier,
    cseq: u32,
}

impl Device {
    pub fn new(name: &'static str, number: u32, mut identifiers: Identifiers) -> Self {
        Self {
            name,
            contact: format!("sip:{name}.visited1.example.net:5060"),
            instance: format!("urn:gsma:imei:90420156-{number:06}-0"),
            call_id: identifiers.next(),
            tag: identifiers.next(),
            identifiers,
            cseq: 0,
        }
    }

    /// Its next REGISTER. `None` if it could not be written.
    pub fn register(&mut self, user: &User, expires: u32) -> Option<Vec<u8>> {
        self.cseq += 1;
        let identity = user.public_identities.first()?.as_bytes();
        let mut buffer = Buffer::new(2_048);
        let mut message = Writer::request(&mut buffer, b"REGISTER", HOME_DOMAIN_URI.as_bytes());
        message
            .via(b"pcscf1.visited1.example.net:5060", self.identifiers.next())
            .number(HeaderName::MaxForwards, 69)
            .parts(HeaderName::Path, &[b"<", PCSCF_URI.as_bytes(), b";lr>"])
            .parts(
                HeaderName::From,
                &[b"<", identity, b">;tag=", &self.tag.text()],
            )
            .parts(HeaderName::To, &[b"<", identity, b">"])
            .header(HeaderName::CallId, &self.call_id.text())
            .cseq(self.cseq, Method::Register.as_bytes())
            .parts(
                HeaderName::Contact,
                &[
                    b"<",
                    self.contact.as_bytes(),
                    b">;+sip.instance=\"<",
                    self.instance.as_bytes(),
                    b">\";reg-id=1",
                ],
            )
            .number(HeaderName::Expires, u64::from(expires))
            .parts(
                HeaderName::Authorization,
                &[
                    b"Digest username=\"",
                    user.private_identity.as_bytes(),
                    b"\",realm=\"",
                    HOME_DOMAIN.as_bytes(),
                    b"\",nonce=\"\",uri=\"",
                    HOME_DOMAIN_URI.as_bytes(),
                    b"\",response=\"\",integrity-protected=\"yes\"",
                ],
            )
            .header(HeaderName::Require, b"path")
            .header(HeaderName::Supported, b"path, outbound");
        message.finish();
        let fault = buffer.take_fault();
        fault.is_none().then(|| buffer.as_slice().to_vec())
    }
}
