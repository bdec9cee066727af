//! The UEs behind a P-CSCF: over which flow each is reached, and under which identities it speaks.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    net::{Ipv4Addr, SocketAddrV4},
};

use ims_procedures::{
    drive::{Limits, Millis},
    pcscf::registration::Learned,
    wire::{Contact, HeaderName, Message, NameAddr, Uri},
};
use serde::{Deserialize, Serialize};

use crate::{
    console::text,
    peer::{Peer, Transport},
    store::{Opened, Store},
};

/// Bytes of a Service-Route. Who is given a longer one has no way into the core.
const LONGEST_ROUTE: usize = 1_024;

#[derive(Clone, Deserialize, Serialize)]
pub struct Ue {
    /// The number of its [`Peer`]; `None` once its connection is closed.
    flow: Option<u64>,
    /// Its public identities, the default one first.
    identities: Vec<String>,
    /// The values of Service-Route (RFC 3608); empty for none.
    service_route: String,
}

/// What came of a REGISTER and its 2xx.
pub enum Registered {
    Nobody,
    /// That public identity at these contacts.
    At(String, Vec<String>),
    /// Nobody is to speak from that identity's contacts without the route that was given them.
    RouteTooLong(String),
}

/// Whom a request is from.
pub struct Speaker<'u> {
    /// The identity under which it is passed on.
    pub identity: &'u str,
    /// Where what follows is to reach it.
    pub flow: Peer,
    /// The route of what it begins.
    pub service_route: Option<&'u str>,
}

/// What tells UEs apart: a contact, and the private identity of whoever has registered it. Two users may give the same
/// contact, by mistake or by malice, and neither takes the place of the other.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub struct Name {
    pub contact: Vec<u8>,
    pub private_identity: Vec<u8>,
}

#[derive(Default)]
pub struct Ues {
    by_name: BTreeMap<Name, Ue>,
    /// Several may come over one: behind a gateway, or in a test.
    by_flow: BTreeMap<u64, BTreeSet<Name>>,
    store: Option<Store>,
}

impl Ues {
    /// Takes over those that the node still has. Connections have not outlived the program.
    pub fn restore(
        opened: Option<Opened>,
        is_registered: impl Fn(&[u8]) -> bool,
    ) -> Result<Self, Box<dyn Error>> {
        let Some(opened) = opened else {
            return Ok(Self::default());
        };
        let (mut store, kept) = opened.read::<(Name, Ue)>()?;
        let mut ues = Self::default();
        for (key, (name, mut ue)) in kept {
            if is_registered(&name.contact) {
                let flow = ue.flow().filter(|flow| flow.transport == Transport::Udp);
                ue.flow = flow.map(Peer::number);
                ues.add(name, ue);
            } else {
                store.forget(&key)?;
            }
        }
        ues.store = Some(store);
        Ok(ues)
    }

    /// Takes over the contacts of a REGISTER and its 2xx that the node has taken too.
    pub fn learn(
        &mut self,
        now: Millis,
        flow: Peer,
        (request, response): (&[u8], &[u8]),
        is_registered: impl Fn(&[u8]) -> bool,
    ) -> Registered {
        let limits = Limits::default();
        let (Ok(request), Ok(response)) = (
            Message::parse(request, &limits),
            Message::parse(response, &limits),
        ) else {
            return Registered::Nobody;
        };
        let Ok(learned) = Learned::read(&request, &response, &limits) else {
            return Registered::Nobody;
        };
        let identities = identities(&request, &response);
        let Some(default) = identities.first().cloned() else {
            return Registered::Nobody;
        };
        let bound = learned.contacts.iter().filter(|bound| bound.expires > 0);
        let bound = bound.map(|bound| bound.contact.uri_bytes());
        let names = bound.filter(|contact| is_registered(contact));
        let names: Vec<Name> = names
            .map(|contact| Name {
                contact: contact.to_vec(),
                private_identity: learned.private_identity.clone(),
            })
            .collect();
        let Some(service_route) = service_route(&response) else {
            names.iter().for_each(|name| self.remove(name));
            return Registered::RouteTooLong(default);
        };
        let ue = Ue {
            flow: Some(flow.number()),
            identities,
            service_route,
        };
        let contacts: Vec<String> = names.iter().map(|name| text(&name.contact)).collect();
        for name in names {
            self.note(now, &name, &ue);
            self.add(name, ue.clone());
        }
        match contacts.is_empty() {
            true => Registered::Nobody,
            false => Registered::At(default, contacts),
        }
    }

    /// Keeps it, where that is wanted. If that fails, a start finds the registration without its flow.
    fn note(&mut self, now: Millis, name: &Name, ue: &Ue) {
        if let (Some(store), Ok(blob)) = (&mut self.store, postcard::to_allocvec(&(name, ue))) {
            let _ = store.note(now, &name.key(), blob);
        }
    }

    pub fn remove(&mut self, name: &Name) {
        let Some(ue) = self.by_name.remove(name) else {
            return;
        };
        self.leave(ue.flow, name);
        if let Some(store) = &mut self.store {
            let _ = store.forget(&name.key());
        }
    }

    /// A connection is closed: what comes over another with the same address is of somebody else. Who was registered over
    /// it.
    pub fn close(&mut self, flow: Peer) -> BTreeSet<Name> {
        let names = self.by_flow.remove(&flow.number()).unwrap_or_default();
        for name in &names {
            if let Some(ue) = self.by_name.get_mut(name) {
                ue.flow = None;
            }
        }
        names
    }

    /// Whom a request over a flow is from (TS 24.229 5.2.6.3). It is passed on under the identity that the UE prefers, if that
    /// is its own, or its default one. Of several UEs it is from the one with its Contact, and else from the one with its
    /// P-Preferred-Identity or From. Who has registered over UDP sends what is large over TCP (RFC 3261 18.1.1): that comes from
    /// the same address, and must name one of the UEs there. `None` if nobody has registered so, or if that does not tell whom
    /// it is from.
    pub fn speaker(&self, flow: Peer, request: &[u8]) -> Option<Speaker<'_>> {
        let request = Message::parse(request, &Limits::default()).ok()?;
        let preferred = request.name_addrs(HeaderName::PPreferredIdentity).next();
        let preferred = preferred.and_then(Result::ok);
        let contact = request.contacts().flatten().find_map(|given| match given {
            Contact::Addr(contact) => Some(contact.uri_bytes()),
            Contact::Star => None,
        });
        let has_contact = |(name, _): &(&Name, &Ue)| contact == Some(name.contact.as_slice());
        let given = [preferred, request.from().ok()];
        let given = given.into_iter().flatten();
        let mut ues = self.over(flow);
        if ues.is_empty() && flow.transport == Transport::Tcp {
            ues = self.over_udp_at(*flow.address.ip());
            let is_given = |ue: &Ue| given.clone().any(|given| ue.own(&given).is_some());
            ues.retain(|it| has_contact(it) || is_given(it.1));
        }
        narrow(&mut ues, has_contact);
        for given in given {
            narrow(&mut ues, |(_, ue)| ue.own(&given).is_some());
        }
        let (first, ue) = ues.first()?;
        let is_one = |(name, _): &(&Name, &Ue)| name.private_identity == first.private_identity;
        if !ues.iter().all(is_one) {
            return None;
        }
        let preferred = preferred.and_then(|given| ue.own(&given));
        Some(Speaker {
            identity: preferred.or(ue.identity())?,
            flow: ue.flow()?,
            service_route: Some(ue.service_route.as_str()).filter(|route| !route.is_empty()),
        })
    }

    /// Whether a request that comes over a flow can be of somebody who is registered.
    pub fn may_send_over(&self, flow: Peer) -> bool {
        let is_over_tcp = flow.transport == Transport::Tcp;
        self.are_over(flow) || is_over_tcp && self.udp_flows_at(*flow.address.ip()).next().is_some()
    }

    /// Whether anybody is registered over a flow.
    pub fn are_over(&self, flow: Peer) -> bool {
        self.by_flow.contains_key(&flow.number())
    }

    fn over(&self, flow: Peer) -> Vec<(&Name, &Ue)> {
        let names = self.by_flow.get(&flow.number()).into_iter().flatten();
        self.named(names).collect()
    }

    fn over_udp_at(&self, ip: Ipv4Addr) -> Vec<(&Name, &Ue)> {
        self.named(self.udp_flows_at(ip).flatten()).collect()
    }

    fn udp_flows_at(&self, ip: Ipv4Addr) -> impl Iterator<Item = &BTreeSet<Name>> {
        let flow = |port| Peer::udp(SocketAddrV4::new(ip, port)).number();
        let flows = self.by_flow.range(flow(0)..=flow(u16::MAX));
        let is_udp =
            |number| Peer::of_number(number).is_some_and(|it| it.transport == Transport::Udp);
        flows.filter_map(move |(number, names)| is_udp(*number).then_some(names))
    }

    fn named<'u>(
        &'u self,
        names: impl Iterator<Item = &'u Name>,
    ) -> impl Iterator<Item = (&'u Name, &'u Ue)> {
        names.filter_map(|name| Some((name, self.by_name.get(name)?)))
    }

    /// The UE at a contact, if there is no other.
    pub fn find(&self, contact: &[u8]) -> Option<&Ue> {
        let from = Name {
            contact: contact.to_vec(),
            private_identity: Vec::new(),
        };
        let mut all = self.by_name.range(from..);
        let mut next = || all.next().filter(|(name, _)| name.contact == contact);
        let (_, ue) = next()?;
        next().is_none().then_some(ue)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Name, &Ue)> {
        self.by_name.iter()
    }

    fn add(&mut self, name: Name, ue: Ue) {
        let flow = ue.flow;
        let before = self.by_name.insert(name.clone(), ue);
        if let Some(before) = before.filter(|before| before.flow != flow) {
            self.leave(before.flow, &name);
        }
        if let Some(flow) = flow {
            self.by_flow.entry(flow).or_default().insert(name);
        }
    }

    fn leave(&mut self, flow: Option<u64>, name: &Name) {
        let Some((flow, names)) = flow.and_then(|it| Some((it, self.by_flow.get_mut(&it)?))) else {
            return;
        };
        names.remove(name);
        if names.is_empty() {
            self.by_flow.remove(&flow);
        }
    }
}

impl Ue {
    pub fn flow(&self) -> Option<Peer> {
        Peer::of_number(self.flow?)
    }

    /// The default public identity.
    pub fn identity(&self) -> Option<&str> {
        self.identities.first().map(String::as_str)
    }

    /// That one of its identities.
    fn own(&self, given: &NameAddr<'_>) -> Option<&str> {
        let is_it = |own: &&String| {
            Uri::parse(own.as_bytes()).is_ok_and(|own| own.equivalent(&given.uri()))
        };
        self.identities.iter().find(is_it).map(String::as_str)
    }
}

impl Name {
    /// Under which it stands in the store.
    fn key(&self) -> Vec<u8> {
        postcard::to_allocvec(self).unwrap_or_default()
    }
}

/// Leaves those that fit, if any do.
fn narrow<T>(all: &mut Vec<T>, fits: impl Fn(&T) -> bool) {
    if all.iter().any(&fits) {
        all.retain(fits);
    }
}

/// Those that are associated, else the one that was registered.
fn identities(request: &Message<'_>, response: &Message<'_>) -> Vec<String> {
    let associated = response.name_addrs(HeaderName::PAssociatedUri).flatten();
    let mut identities: Vec<String> = associated.map(|own| text(own.uri_bytes())).collect();
    if let (true, Ok(to)) = (identities.is_empty(), request.to()) {
        identities.push(text(to.uri_bytes()));
    }
    identities
}

/// Each 2xx replaces what an earlier one said. `None` if it is too long.
fn service_route(response: &Message<'_>) -> Option<String> {
    let routes = response.name_addrs(HeaderName::ServiceRoute).flatten();
    let routes: Vec<String> = routes.map(|route| text(route.raw())).collect();
    let joined = routes.join(", ");
    (joined.len() <= LONGEST_ROUTE).then_some(joined)
}
