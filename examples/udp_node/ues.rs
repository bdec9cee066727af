//! The UEs behind a P-CSCF: over which flow each is reached, and under which identity it speaks.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    error::Error,
};

use ims_procedures::{
    drive::{Limits, Millis},
    wire::{Contact, HeaderName, Message},
};
use serde::{Deserialize, Serialize};

use crate::{
    peer::{Peer, Transport},
    store::{Opened, Store},
};

#[derive(Clone, Deserialize, Serialize)]
pub struct Ue {
    /// The number of its [`Peer`]; `None` once its connection is closed.
    flow: Option<u64>,
    /// The default public identity.
    pub identity: String,
}

/// All of them, by contact.
#[derive(Default)]
pub struct Ues {
    by_contact: BTreeMap<Vec<u8>, Ue>,
    /// Several may come over one: behind a gateway, or in a test.
    by_flow: HashMap<u64, BTreeSet<Vec<u8>>>,
    store: Option<Store>,
}

impl Ues {
    /// Takes over those that the node still has. Connections have not outlived the program.
    pub fn restore(
        opened: Option<Opened>,
        is_registered: impl Fn(&[u8]) -> bool,
    ) -> Result<Self, Box<dyn Error>> {
        let Some(Opened { mut store, entries }) = opened else {
            return Ok(Self::default());
        };
        let mut ues = Self::default();
        for entry in entries {
            if is_registered(&entry.key) {
                let mut ue: Ue = postcard::from_bytes(&entry.blob)?;
                let flow = ue.flow().filter(|flow| flow.transport == Transport::Udp);
                ue.flow = flow.map(Peer::number);
                ues.add(entry.key, ue);
            } else {
                store.forget(&entry.key)?;
            }
        }
        ues.store = Some(store);
        Ok(ues)
    }

    /// Takes over the contacts of a REGISTER and its 2xx that the node has taken too. Which they are.
    pub fn learn(
        &mut self,
        now: Millis,
        flow: Peer,
        (request, response): (&[u8], &[u8]),
        is_registered: impl Fn(&[u8]) -> bool,
    ) -> Vec<Vec<u8>> {
        let limits = Limits::default();
        let request = Message::parse(request, &limits);
        let (Ok(request), Ok(response)) = (request, Message::parse(response, &limits)) else {
            return Vec::new();
        };
        let Some(identity) = default_identity(&request, &response) else {
            return Vec::new();
        };
        let named = request
            .contacts()
            .flatten()
            .filter_map(|contact| match contact {
                Contact::Addr(contact) => Some(contact.uri_bytes().to_vec()),
                Contact::Star => None,
            });
        let learnt: Vec<Vec<u8>> = named.filter(|contact| is_registered(contact)).collect();
        for contact in &learnt {
            let ue = Ue {
                flow: Some(flow.number()),
                identity: identity.clone(),
            };
            self.note(now, contact, &ue);
            self.add(contact.clone(), ue);
        }
        learnt
    }

    /// Keeps it, where that is wanted. If that fails, a start finds the registration without its flow.
    fn note(&mut self, now: Millis, contact: &[u8], ue: &Ue) {
        if let (Some(store), Ok(blob)) = (&mut self.store, postcard::to_allocvec(ue)) {
            let _ = store.note(now, contact, blob);
        }
    }

    pub fn remove(&mut self, contact: &[u8]) {
        let Some(ue) = self.by_contact.remove(contact) else {
            return;
        };
        self.leave(ue.flow, contact);
        if let Some(store) = &mut self.store {
            let _ = store.forget(contact);
        }
    }

    /// A connection is closed: what comes over another with the same address is of somebody else. The contacts that were
    /// registered over it.
    pub fn close(&mut self, flow: Peer) -> BTreeSet<Vec<u8>> {
        let contacts = self.by_flow.remove(&flow.number()).unwrap_or_default();
        for contact in &contacts {
            if let Some(ue) = self.by_contact.get_mut(contact) {
                ue.flow = None;
            }
        }
        contacts
    }

    fn contacts_over(&self, flow: Peer) -> impl Iterator<Item = &[u8]> {
        let contacts = self.by_flow.get(&flow.number());
        contacts.into_iter().flatten().map(Vec::as_slice)
    }

    /// The UE that a request over a flow is from: that of its Contact, or else any that came over it.
    pub fn over(&self, flow: Peer, request: &[u8]) -> Option<&Ue> {
        let request = Message::parse(request, &Limits::default()).ok()?;
        let named = request
            .contacts()
            .flatten()
            .find_map(|contact| match contact {
                Contact::Addr(contact) => self.by_contact.get(contact.uri_bytes()),
                Contact::Star => None,
            });
        let any = || self.by_contact.get(self.contacts_over(flow).next()?);
        let own = named.filter(|ue| ue.flow == Some(flow.number()));
        own.or_else(any)
    }

    pub fn find(&self, contact: &[u8]) -> Option<&Ue> {
        self.by_contact.get(contact)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &Ue)> {
        self.by_contact
            .iter()
            .map(|(contact, ue)| (contact.as_slice(), ue))
    }

    fn add(&mut self, contact: Vec<u8>, ue: Ue) {
        let flow = ue.flow;
        let before = self.by_contact.insert(contact.clone(), ue);
        if let Some(before) = before.filter(|before| before.flow != flow) {
            self.leave(before.flow, &contact);
        }
        if let Some(flow) = flow {
            self.by_flow.entry(flow).or_default().insert(contact);
        }
    }

    fn leave(&mut self, flow: Option<u64>, contact: &[u8]) {
        let Some((flow, contacts)) = flow.and_then(|it| Some((it, self.by_flow.get_mut(&it)?)))
        else {
            return;
        };
        contacts.remove(contact);
        if contacts.is_empty() {
            self.by_flow.remove(&flow);
        }
    }
}

impl Ue {
    pub fn flow(&self) -> Option<Peer> {
        Peer::of_number(self.flow?)
    }
}

/// The first associated identity, else the one that was registered.
fn default_identity(request: &Message<'_>, response: &Message<'_>) -> Option<String> {
    let associated = response.name_addrs(HeaderName::PAssociatedUri).next();
    let identity = match associated {
        Some(identity) => identity.ok()?,
        None => request.to().ok()?,
    };
    String::from_utf8(identity.uri_bytes().to_vec()).ok()
}
