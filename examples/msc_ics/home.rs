//! The home network: S-CSCF, SCC AS and HSS, and how the S-CSCF fails.

use std::error::Error;

use ims_procedures::{
    drive::{Buffer, Identifiers, Limits, Millis, Misuse},
    wire::{HeaderName, Message, Method, Writer},
};

use crate::{
    application_server::ApplicationServer,
    hss::Hss,
    network::{Arrived, Network},
    provisioning::Actor,
    scscf::ScscfHost,
};

/// What the S-CSCF does with a REGISTER that ends a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conduct {
    /// What an S-CSCF does.
    Well,
    Silent,
    Forbidden,
    Unavailable,
    Challenge,
    NotFound,
}

impl Conduct {
    /// The status code that it answers instead.
    const fn status(self) -> Option<u16> {
        match self {
            Self::Well | Self::Silent => None,
            Self::Forbidden => Some(403),
            Self::Unavailable => Some(503),
            Self::Challenge => Some(401),
            Self::NotFound => Some(404),
        }
    }
}

/// The home network.
pub struct Home {
    pub scscf: ScscfHost,
    pub scc_as: ApplicationServer,
    conduct: Conduct,
    identifiers: Identifiers,
}

impl Home {
    pub fn new(
        hss: Hss,
        conduct: Conduct,
        mut identifiers: impl FnMut() -> Identifiers,
    ) -> Result<Self, Box<dyn Error>> {
        Ok(Self {
            scscf: ScscfHost::new(hss, &mut identifiers)?,
            scc_as: ApplicationServer::new(identifiers()),
            conduct,
            identifiers: identifiers(),
        })
    }

    /// A message has arrived at one of its elements.
    pub fn receive(
        &mut self,
        now: Millis,
        arrived: &Arrived,
        network: &mut Network,
    ) -> Result<(), Misuse> {
        let (to, bytes) = (arrived.to, arrived.bytes.as_slice());
        if to == Actor::As {
            let answer = self.scc_as.receive(bytes);
            let answer = answer.or_else(|| self.answer_bye(bytes));
            if let Some(answer) = answer {
                network.send(now, to, arrived.from, &answer);
            }
            return Ok(());
        }
        if self.conduct == Conduct::Well || !ends_registration(arrived) {
            return self.scscf.receive(now, arrived, network);
        }
        if let Some(answer) = self.refuse(bytes) {
            network.send(now, to, arrived.from, &answer);
        }
        Ok(())
    }

    /// The SCC AS ends a call when it is told to.
    fn answer_bye(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let request = Message::parse(bytes, &Limits::default()).ok()?;
        if request.method() != Some(Method::Bye) {
            return None;
        }
        let mut buffer = Buffer::new(bytes.len() + 256);
        Writer::respond_to(&mut buffer, &request, 200, None).finish();
        written(buffer)
    }

    /// What an S-CSCF answers that is not well, if anything. The same to a request that comes again.
    fn refuse(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let status = self.conduct.status()?;
        let request = Message::parse(bytes, &Limits::default()).ok()?;
        let tag = Some(self.identifiers.constant());
        let mut buffer = Buffer::new(bytes.len() + 512);
        let mut answer = Writer::respond_to(&mut buffer, &request, status, tag);
        if status == 401 {
            answer.header(
                HeaderName::WwwAuthenticate,
                b"Digest realm=\"home1.example.net\",nonce=\"8a5f\",algorithm=AKAv1-MD5",
            );
        }
        answer.finish();
        written(buffer)
    }
}

fn written(mut buffer: Buffer) -> Option<Vec<u8>> {
    let fault = buffer.take_fault();
    fault.is_none().then(|| buffer.as_slice().to_vec())
}

/// Whether it is a REGISTER of the MSC server with an expiry of 0.
fn ends_registration(arrived: &Arrived) -> bool {
    let message = Message::parse(&arrived.bytes, &Limits::default());
    arrived.from == Actor::Msc
        && message.is_ok_and(|message| {
            message.method() == Some(Method::Register) && message.expires() == Ok(Some(0))
        })
}
