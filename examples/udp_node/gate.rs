//! The way of each message through a P-CSCF: from a UE to the core, and from the core to a UE (TS 24.229 5.2.2, 5.2.6).

use std::net::SocketAddrV4;

use ims_procedures::{
    drive::{Limits, Millis, Source, Towards},
    wire::{Message, Method},
};

use crate::{
    outside::Outside,
    passage::Came,
    passing::{Passing, Returned, whose},
    peer::Peer,
    proxy::{Back, Onward, Proxy},
    room::Whose,
    site::Trust,
    ues::Ues,
    way_back::Stamped,
};

pub struct Gate {
    pub proxy: Proxy,
    pub passing: Passing,
    pub visited_network: String,
    pub trust: Trust,
    /// Where this element listens.
    pub own: SocketAddrV4,
    /// The next hop of what has no other.
    pub core: SocketAddrV4,
}

impl Gate {
    /// Whether a message belongs to a request that was passed on, and is taken.
    pub fn takes(
        &mut self,
        now: Millis,
        of: (Peer, Source),
        message: &Stamped,
        ues: &Ues,
        outside: &mut Outside,
    ) -> bool {
        let limits = Limits::default();
        let Ok(request) = Message::parse(&message.bytes, &limits) else {
            return false;
        };
        let (Some(method), Some(branch)) = (request.method(), self.proxy.branch(&request)) else {
            return false;
        };
        let came = came(of, (message, &request, method), ues);
        self.passing.takes(now, &branch, &came, outside)
    }

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
        let came = came((from, trust), (message, request, method), ues);
        let core = Core {
            next: self.core,
            own: self.own,
            trust: &self.trust,
        };
        let bytes = &message.bytes;
        let route = |outside: &Outside| match (is_of_core, method) {
            (true, _) => self.proxy.terminating(ues, bytes),
            (false, Method::Register) => {
                let onward = self.proxy.register(from, &self.visited_network, bytes)?;
                Ok(onward.towards(core.next))
            }
            (false, _) => {
                let speaker = ues.speaker(from, bytes).ok_or(403u16)?;
                let onward = self.proxy.originating(&speaker, bytes)?;
                let address = core.towards(&onward, outside);
                Ok(onward.towards(address))
            }
        };
        self.passing.request(now, branch, &came, route, outside);
    }

    /// A response that goes back, without what its receiver is not to be told, or its sender not to say.
    pub fn response(
        &mut self,
        now: Millis,
        (from, trust): (Peer, Source),
        response: &Message<'_>,
        outside: &mut Outside,
    ) -> Option<Returned> {
        let bytes = response.bytes();
        let back = match trust {
            Source::TrustedCore => self.proxy.back(bytes),
            _ => self.back_from_ue(bytes),
        };
        self.passing
            .response(now, (from, trust), response, back, outside)
    }

    fn back_from_ue(&self, bytes: &[u8]) -> Option<Back> {
        let clean = self.proxy.without_trust_marks(bytes).ok()?;
        self.proxy.back(&clean)
    }
}

fn came<'m>(
    (from, trust): (Peer, Source),
    (message, request, method): (&'m Stamped, &'m Message<'m>, Method<'m>),
    ues: &Ues,
) -> Came<'m> {
    let is_known = trust == Source::TrustedCore || ues.may_send_over(from);
    Came {
        whose: match is_known {
            true => whose(request),
            false => Whose::Stranger(*from.address.ip()),
        },
        message,
        request,
        method,
        back: match trust {
            Source::TrustedCore => Towards::Core,
            _ => Towards::Ue,
        },
    }
}

/// Where requests of UEs go.
struct Core<'g> {
    next: SocketAddrV4,
    own: SocketAddrV4,
    trust: &'g Trust,
}

impl Core<'_> {
    /// Where the next entry in Route leads, if another element of the core has it: no UE chooses whom we talk to, nor has us
    /// talk to ourselves.
    fn towards(&self, onward: &Onward, outside: &Outside) -> SocketAddrV4 {
        let route = onward.route.as_deref();
        let address = route.and_then(|route| outside.resolve(route));
        let is_open = |it: &SocketAddrV4| self.trust.holds(*it.ip()) && *it != self.own;
        address.filter(is_open).unwrap_or(self.next)
    }
}
