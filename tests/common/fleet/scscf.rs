//! The users of an S-CSCF, each with one subscriber: the P-CSCF.

use std::collections::VecDeque;

use ims_procedures::{
    drive::{Answer, Identifiers, Outbox, Output, Source, Token, TransactionRef, Verdict},
    scscf::{self, Command, Config, Question, Scscf, ScscfNode},
    wire::Element,
};

use super::{
    Fleet, Meter, Peer, Time,
    held::Held,
    identifier,
    profile::{self, PUBLIC, REALM, SCSCF},
    template::Template,
};

/// `H` is how the node is held.
pub struct Users<H: Held = ScscfNode> {
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
    subscribe: Template,
    resubscribe: Template,
    notified: Template,
    identity: Template,
}

/// What the node wants done.
enum Wanted {
    Notify(Token),
    Release(Token),
    Assign(Token),
}

fn config(users: u32, reserved: bool) -> Config {
    let element = Element::new(SCSCF.as_bytes(), REALM.as_bytes()).unwrap();
    let mut config = Config::new(element);
    config.limits.users = users as usize;
    config.waiting_deregistrations = 16;
    if reserved {
        config.limits.reserved_users = users as usize;
    }
    config
}

impl<H: Held<Inner = ScscfNode, Role = Scscf>> Fleet for Users<H> {
    const TRAFFIC: &'static [&'static str] = &["refresh", "subscribe", "look-up", "de-register"];

    fn new(peers: Vec<Peer>, reserved: bool) -> Self {
        let users = peers.len() as u32;
        let identifiers = Identifiers::new([7; 32], 1, 3);
        let node = ScscfNode::new(config(users, reserved), identifiers);
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
                deregister: Template::new(&profile::deregister_by_pcscf()),
                subscribe: Template::new(&profile::subscribe(false)),
                resubscribe: Template::new(&profile::subscribe(true)),
                notified: Template::new(&profile::notified()),
                identity: Template::new(PUBLIC[1]),
            },
        }
    }

    fn arrive<M: Meter>(&mut self, user: u32, meter: &mut M) {
        self.learn("learn", user, meter);
        self.serve(user, meter);
        self.subscribe("first-subscribe", user, false, meter);
        for output in self.out.iter() {
            if let Output::Respond { bytes, .. } = output {
                let to = bytes.windows(4).position(|window| window == b"\nTo:");
                self.peers[user as usize].tag = identifier(&bytes[to.unwrap()..], ";tag=");
            }
        }
        self.serve(user, meter);
    }

    fn happen<M: Meter>(&mut self, traffic: usize, user: u32, meter: &mut M) {
        match traffic {
            0 => {
                self.learn("refresh", user, meter);
                self.serve(user, meter);
            }
            1 => {
                self.subscribe("subscribe", user, true, meter);
                self.serve(user, meter);
            }
            2 => {
                let values = self.peers[user as usize].values(user);
                let identity = self.said.identity.fill(values);
                let node = self.node.inner();
                assert!(meter.call("look-up", || node.is_registered(identity)));
            }
            _ => {
                self.leave(user, meter);
                self.arrive(user, meter);
            }
        }
    }

    fn leave<M: Meter>(&mut self, user: u32, meter: &mut M) {
        let now = self.time.step();
        let peer = &mut self.peers[user as usize];
        peer.number += 1;
        let request = self.said.deregister.fill(peer.values(user));
        let (node, out) = (&mut self.node, &mut self.out);
        let (from, back) = (Source::TrustedCore, TransactionRef(1));
        let taken = node.call("de-register", now, out, meter, |node, out| {
            node.receive(now, from, back, request, out)
        });
        assert_eq!(taken, Verdict::Handled);
        self.serve(user, meter);
    }

    fn idle<M: Meter>(&mut self, meter: &mut M) {
        let now = self.time.0;
        let (node, out) = (&mut self.node, &mut self.out);
        node.call("idle", now, out, meter, |node, out| node.tick(now, out));
        debug_assert!(self.out.is_empty());
    }

    /// Bindings that are gone are remembered for a while.
    fn forget<M: Meter>(&mut self, meter: &mut M) {
        self.time.0 = self.time.0.after(100_000);
        let now = self.time.0;
        while self.node.deadline().is_some_and(|(at, _)| at <= now) {
            let (node, out) = (&mut self.node, &mut self.out);
            node.call("forget", now, out, meter, |node, out| node.tick(now, out));
            self.out.clear();
        }
    }

    fn len(&self) -> usize {
        self.node.inner().sets()
    }

    fn snapshot(&self, into: &mut Vec<u8>) {
        self.node.snapshot(self.time.0, into);
    }

    fn restore(&self, blob: &[u8]) -> usize {
        let config = config(self.peers.len() as u32, self.reserved);
        let identifiers = Identifiers::new([7; 32], 2, 3);
        let node = ScscfNode::restore(config, identifiers, self.time.0, blob).unwrap();
        node.sets()
    }
}

impl<H: Held<Inner = ScscfNode, Role = Scscf>> Users<H> {
    fn learn<M: Meter>(&mut self, what: &'static str, user: u32, meter: &mut M) {
        let now = self.time.step();
        let peer = &mut self.peers[user as usize];
        peer.number += 1;
        let learn = Command::Learn {
            request: self.said.register.fill(peer.values(user)),
            response: self.said.registered.fill(peer.values(user)),
            private_identity: None,
        };
        let (node, out) = (&mut self.node, &mut self.out);
        node.call(what, now, out, meter, |node, out| {
            node.command(now, learn, out)
        });
    }

    fn subscribe<M: Meter>(
        &mut self,
        what: &'static str,
        user: u32,
        in_dialog: bool,
        meter: &mut M,
    ) {
        let now = self.time.step();
        let peer = &mut self.peers[user as usize];
        peer.number += 1;
        let subscribe = match in_dialog {
            true => self.said.resubscribe.fill(peer.values(user)),
            false => self.said.subscribe.fill(peer.values(user)),
        };
        let (node, out) = (&mut self.node, &mut self.out);
        let (from, back) = (Source::TrustedCore, TransactionRef(1));
        let taken = node.call(what, now, out, meter, |node, out| {
            node.receive(now, from, back, subscribe, out)
        });
        assert_eq!(taken, Verdict::Handled);
    }

    /// All that the node wants is done at once, and well; what is due is done.
    fn serve<M: Meter>(&mut self, user: u32, meter: &mut M) {
        loop {
            self.collect();
            let now = self.time.step();
            let Some(wanted) = self.wanted.pop_front() else {
                if self.node.deadline().is_none_or(|(at, _)| at > now) {
                    return;
                }
                let (node, out) = (&mut self.node, &mut self.out);
                node.call("due", now, out, meter, |node, out| node.tick(now, out));
                continue;
            };
            let values = self.peers[user as usize].values(user);
            let (what, token, answer) = match wanted {
                Wanted::Notify(token) => {
                    let response = self.said.notified.fill(values);
                    ("notified", token, Answer::Response(response))
                }
                Wanted::Release(token) => {
                    ("released", token, Answer::Role(scscf::Answer::Released))
                }
                Wanted::Assign(token) => {
                    let application_servers = b"";
                    let assigned = scscf::Answer::Assigned {
                        application_servers,
                    };
                    ("assigned", token, Answer::Role(assigned))
                }
            };
            let (node, out) = (&mut self.node, &mut self.out);
            node.call(what, now, out, meter, |node, out| {
                node.answer(now, token, answer, out)
            });
        }
    }

    fn collect(&mut self) {
        let wanted = self.out.iter().filter_map(|output| match output {
            Output::Request { token, .. } => Some(Wanted::Notify(token)),
            Output::Ask {
                token,
                question: Question::DialogRelease { .. },
            } => Some(Wanted::Release(token)),
            Output::Ask { token, .. } => Some(Wanted::Assign(token)),
            _ => None,
        });
        self.wanted.extend(wanted);
        self.out.clear();
    }
}
