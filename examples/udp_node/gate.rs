//! The way of each message through a P-CSCF: from a UE to the core, and from the core to a UE (TS 24.229 5.2.2, 5.2.6).

use std::net::SocketAddrV4;

use ims_procedures::{
    drive::{Millis, Source, Towards},
    wire::{Message, Method},
};

use crate::{
    outside::Outside,
    passage::{Came, Going},
    passing::{Passing, Returned},
    peer::Peer,
    proxy::{Back, Onward, Proxy},
    site::Trust,
    ues::Ues,
    way_back::Stamped,
};

pub struct Gate {
    pub proxy: Proxy,
    pub passing: Passing,
    pub visited_network: String,
    pub trust: Trust,
    /// The next hop of what has no other.
    pub core: SocketAddrV4,
}

impl Gate {
    /// Passes a request on, or refuses it.
    pub fn request(
        &mut self,
        now: Millis,
        (from, trust): (Peer, Source),
        (message, request, method): (&Stamped, &Message<'_>, Method<'_>),
        ues: &Ues,
        outside: &mut Outside,
    ) {
        let Some(branch) = self.proxy.branch(request) else {
            return;
        };
        let is_of_core = trust == Source::TrustedCore;
        let came = Came {
            message,
            request,
            method,
            back: if is_of_core {
                Towards::Core
            } else {
                Towards::Ue
            },
        };
        let Self {
            proxy,
            passing,
            visited_network,
            trust,
            core,
        } = self;
        let bytes = &message.bytes;
        let route = |outside: &Outside| match (is_of_core, method) {
            (true, _) => terminating(proxy, ues, bytes),
            (false, Method::Register) => {
                let onward = proxy.register(from, visited_network, bytes)?;
                Ok(onward.towards(*core))
            }
            (false, _) => {
                let speaker = ues.speaker(from, bytes).ok_or(403u16)?;
                let onward = proxy.originating(from, &speaker, bytes)?;
                let address = towards_core(&onward, trust, outside).unwrap_or(*core);
                Ok(onward.towards(address))
            }
        };
        passing.request(now, branch, &came, route, outside);
    }

    /// A response that goes back, without what its receiver is not to be told, or its sender not to say.
    pub fn response(
        &mut self,
        now: Millis,
        trust: Source,
        response: &Message<'_>,
        outside: &mut Outside,
    ) -> Option<Returned> {
        let bytes = response.bytes();
        let back = match trust {
            Source::TrustedCore => self.proxy.back(bytes),
            _ => self.back_from_ue(bytes),
        };
        self.passing.response(now, response, back, outside)
    }

    fn back_from_ue(&self, bytes: &[u8]) -> Option<Back> {
        let clean = self.proxy.without_trust_marks(bytes).ok()?;
        self.proxy.back(&clean)
    }
}

/// Where the next entry in Route leads, if the core has it: no UE chooses whom we talk to.
fn towards_core(onward: &Onward, trust: &Trust, outside: &Outside) -> Option<SocketAddrV4> {
    let address = outside.resolve(onward.route.as_deref()?)?;
    trust.holds(*address.ip()).then_some(address)
}

fn terminating(proxy: &Proxy, ues: &Ues, bytes: &[u8]) -> Result<Going, u16> {
    let flow = |contact: &[u8]| ues.find(contact).ok_or(480u16)?.flow().ok_or(430u16);
    proxy.terminating(bytes, flow)
}
