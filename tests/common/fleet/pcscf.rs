//! The users of a P-CSCF, each subscribed to.

use std::collections::VecDeque;

use ims_procedures::{
    drive::{Answer, Identifiers, Outbox, Output, Source, Token, TransactionRef, Verdict},
    pcscf::{self, Command, Config, Evidence, Pcscf, PcscfNode, Ue},
    wire::Element,
};

use super::{
    Fleet, Meter, Peer, Time,
    held::Held,
    identifier,
    profile::{self, CONTACT, PCSCF},
    template::Template,
};

/// `H` is how the node is held.
pub struct Users<H: Held = PcscfNode> {
    node: H,
    reserved: bool,
    out: Outbox<H::Role>,
    time: Time,
    peers: Vec<Peer>,
    /// What the node wants done and is not done yet.
    wanted: VecDeque<Wanted>,
    said: Said,
}

/// What the peers say.
struct Said {
    register: Template,
    registered: Template,
    deregister: Template,
    deregistered: Template,
    subscribed: Template,
    active: Template,
    terminated: Template,
    contact: Template,
}

/// What the node wants done.
enum Wanted {
    Register(Token),
    Subscribe(Token),
    Cleanup(Token),
}

fn config(users: u32, reserved: bool) -> Config {
    let element = Element::new(PCSCF.as_bytes(), b"visited1.example.net").unwrap();
    let mut config = Config::new(element, b"visited1.example.net");
    config.subscription.support_reg_event = true;
    config.limits.users = users as usize;
    if reserved {
        config.limits.reserved_users = users as usize;
    }
    config
}

impl<H: Held<Inner = PcscfNode, Role = Pcscf>> Fleet for Users<H> {
    const TRAFFIC: &'static [&'static str] = &["notify", "refresh", "look-up", "lost"];

    fn new(peers: Vec<Peer>, reserved: bool) -> Self {
        let users = peers.len() as u32;
        let identifiers = Identifiers::new([7; 32], 1, 7);
        let node = PcscfNode::new(config(users, reserved), identifiers);
        let node = H::hold(node.unwrap());
        Self {
            out: node.outbox(),
            node,
            reserved,
            time: Time::new(),
            peers,
            wanted: VecDeque::with_capacity(16),
            said: Said {
                register: Template::new(&profile::register()),
                registered: Template::new(&profile::registered()),
                deregister: Template::new(&profile::deregister()),
                deregistered: Template::new(&profile::deregistered()),
                subscribed: Template::new(&profile::subscribed()),
                active: Template::new(&profile::notify(true)),
                terminated: Template::new(&profile::notify(false)),
                contact: Template::new(CONTACT),
            },
        }
    }

    fn arrive<M: Meter>(&mut self, user: u32, meter: &mut M) {
        self.learn("learn", user, meter);
        for output in self.out.iter() {
            if let Output::Request { bytes, .. } = output {
                let peer = &mut self.peers[user as usize];
                peer.call_id = identifier(bytes, "Call-ID: ");
                peer.tag = identifier(bytes, ";tag=");
            }
        }
        self.serve(user, meter);
        self.notify("first-notify", user, true, meter);
        self.out.clear();
    }

    fn happen<M: Meter>(&mut self, traffic: usize, user: u32, meter: &mut M) {
        match traffic {
            0 => {
                self.notify("notify", user, true, meter);
                let is_answer = |output: &Output<'_, _>| matches!(output, Output::Respond { .. });
                assert_eq!(self.out.iter().filter(is_answer).count(), 1);
                self.out.clear();
            }
            1 => {
                self.learn("refresh", user, meter);
                self.serve(user, meter);
            }
            2 => {
                let values = self.peers[user as usize].values(user);
                let contact = self.said.contact.fill(values);
                let node = self.node.inner();
                assert!(meter.call("look-up", || node.is_registered(contact)));
            }
            _ => {
                self.leave(user, meter);
                self.arrive(user, meter);
            }
        }
    }

    /// Every other user is lost by the access network; the others deregister.
    fn leave<M: Meter>(&mut self, user: u32, meter: &mut M) {
        if user % 2 == 0 {
            self.lose(user, meter);
            self.serve(user, meter);
        } else {
            self.deregister(user, meter);
        }
        self.notify("last-notify", user, false, meter);
        self.serve(user, meter);
    }

    fn idle<M: Meter>(&mut self, meter: &mut M) {
        let now = self.time.0;
        let (node, out) = (&mut self.node, &mut self.out);
        node.call("idle", now, out, meter, |node, out| node.tick(now, out));
        debug_assert!(self.out.is_empty());
    }

    fn forget<M: Meter>(&mut self, _meter: &mut M) {}

    fn len(&self) -> usize {
        self.node.inner().registrations()
    }

    fn snapshot(&self, into: &mut Vec<u8>) {
        self.node.snapshot(self.time.0, into);
    }

    fn restore(&self, blob: &[u8]) -> usize {
        let config = config(self.peers.len() as u32, self.reserved);
        let identifiers = Identifiers::new([7; 32], 2, 7);
        let node = PcscfNode::restore(config, identifiers, self.time.0, blob).unwrap();
        node.registrations()
    }
}

impl<H: Held<Inner = PcscfNode, Role = Pcscf>> Users<H> {
    fn learn<M: Meter>(&mut self, what: &'static str, user: u32, meter: &mut M) {
        let now = self.time.step();
        let peer = &mut self.peers[user as usize];
        peer.number += 1;
        let learn = Command::Learn {
            request: self.said.register.fill(peer.values(user)),
            response: self.said.registered.fill(peer.values(user)),
            trunk_group: b"",
        };
        let (node, out) = (&mut self.node, &mut self.out);
        node.call(what, now, out, meter, |node, out| {
            node.command(now, learn, out)
        });
    }

    fn notify<M: Meter>(&mut self, what: &'static str, user: u32, active: bool, meter: &mut M) {
        let now = self.time.step();
        let peer = &mut self.peers[user as usize];
        peer.number += 1;
        let notify = match active {
            true => self.said.active.fill(peer.values(user)),
            false => self.said.terminated.fill(peer.values(user)),
        };
        let (node, out) = (&mut self.node, &mut self.out);
        let (from, back) = (Source::TrustedCore, TransactionRef(1));
        let taken = node.call(what, now, out, meter, |node, out| {
            node.receive(now, from, back, notify, out)
        });
        assert_eq!(taken, Verdict::Handled);
    }

    fn lose<M: Meter>(&mut self, user: u32, meter: &mut M) {
        let now = self.time.step();
        let lost = Command::AccessLost {
            ue: Ue::at(
                self.said
                    .contact
                    .fill(self.peers[user as usize].values(user)),
            ),
            evidence: Evidence::BearerLost,
        };
        let (node, out) = (&mut self.node, &mut self.out);
        node.call("lost", now, out, meter, |node, out| {
            node.command(now, lost, out)
        });
    }

    fn deregister<M: Meter>(&mut self, user: u32, meter: &mut M) {
        let now = self.time.step();
        let peer = &mut self.peers[user as usize];
        peer.number += 1;
        let request = self.said.deregister.fill(peer.values(user));
        let (node, out) = (&mut self.node, &mut self.out);
        let (from, back) = (Source::TrustedCore, TransactionRef(1));
        let taken = node.call("de-register", now, out, meter, |node, out| {
            node.receive(now, from, back, request, out)
        });
        assert_eq!(taken, Verdict::Forward);
        self.serve(user, meter);
        let values = self.peers[user as usize].values(user);
        let learn = Command::Learn {
            request: self.said.deregister.fill(values),
            response: self.said.deregistered.fill(values),
            trunk_group: b"",
        };
        let (node, out) = (&mut self.node, &mut self.out);
        node.call("deregistered", now, out, meter, |node, out| {
            node.command(now, learn, out)
        });
        self.serve(user, meter);
    }

    /// All that the node wants is done at once, and well.
    fn serve<M: Meter>(&mut self, user: u32, meter: &mut M) {
        loop {
            self.collect();
            let Some(wanted) = self.wanted.pop_front() else {
                return;
            };
            let now = self.time.step();
            let values = self.peers[user as usize].values(user);
            let (what, token, answer) = match wanted {
                Wanted::Register(token) => {
                    let response = self.said.deregistered.fill(values);
                    ("registered", token, Answer::Response(response))
                }
                Wanted::Subscribe(token) => {
                    let response = self.said.subscribed.fill(values);
                    ("subscribed", token, Answer::Response(response))
                }
                Wanted::Cleanup(token) => ("cleanup", token, pcscf::Answer::Done.into()),
            };
            let (node, out) = (&mut self.node, &mut self.out);
            node.call(what, now, out, meter, |node, out| {
                node.answer(now, token, answer, out)
            });
        }
    }

    fn collect(&mut self) {
        let wanted = self.out.iter().filter_map(|output| match output {
            Output::Request { token, bytes, .. } if bytes.starts_with(b"REGISTER") => {
                Some(Wanted::Register(token))
            }
            Output::Request { token, .. } => Some(Wanted::Subscribe(token)),
            Output::Ask { token, .. } => Some(Wanted::Cleanup(token)),
            _ => None,
        });
        self.wanted.extend(wanted);
        self.out.clear();
    }
}
