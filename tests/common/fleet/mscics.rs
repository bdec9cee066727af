//! The subscribers of an MSC server, each subscribed to; every other one has a dialog when it goes.

use std::collections::VecDeque;

use ims_procedures::{
    dialog::{Dialog, Sequence},
    drive::{Answer, Identifiers, Outbox, Output, Source, Token, TransactionRef, Verdict},
    mscics::{Cause, Command, Config, DialogRef, MscNode, Mscics, NewDialog},
    wire::Element,
};

use super::{
    Fleet, Meter, Peer, Time,
    held::Held,
    identifier,
    msc_profile::{self, MSC, PRIVATE, TEMPORARY},
    template::Template,
};

/// `H` is how the node is held.
pub struct Users<H: Held = MscNode> {
    node: H,
    reserved: bool,
    out: Outbox<H::Role>,
    time: Time,
    peers: Vec<Peer>,
    /// The requests that the node has sent and that are not answered yet.
    wanted: VecDeque<(Token, Method)>,
    said: Said,
}

/// What the peers say.
struct Said {
    register: Template,
    registered: Template,
    deregistered: Template,
    subscribed: Template,
    active: Template,
    private_identity: Template,
    public_identity: Template,
}

/// What a request of the node is.
#[derive(Clone, Copy)]
enum Method {
    Register,
    Subscribe,
    Bye,
}

fn config(users: u32, reserved: bool) -> Config {
    let element = Element::new(MSC.as_bytes(), b"visited1.example.net").unwrap();
    let mut config = Config::new(element);
    config.limits.users = users as usize;
    if reserved {
        config.limits.reserved_users = users as usize;
    }
    // Nobody waits: what is measured is the procedure.
    config.pacing.rate = 1_000_000;
    config.pacing.hop_start_rate = 1_000_000;
    config.pacing.hop_max_rate = 1_000_000;
    config
}

impl<H: Held<Inner = MscNode, Role = Mscics>> Fleet for Users<H> {
    const STRINGS: usize = msc_profile::STRINGS;
    const TRAFFIC: &'static [&'static str] = &["notify", "refresh", "look-up", "gone"];

    fn new(peers: Vec<Peer>, reserved: bool) -> Self {
        let users = peers.len() as u32;
        let identifiers = Identifiers::new([7; 32], 1, 7);
        let node = MscNode::new(config(users, reserved), identifiers);
        let node = H::hold(node.unwrap());
        Self {
            out: node.outbox(),
            node,
            reserved,
            time: Time::new(),
            peers,
            wanted: VecDeque::with_capacity(16),
            said: Said {
                register: Template::new(&msc_profile::register()),
                registered: Template::new(&msc_profile::registered()),
                deregistered: Template::new(&msc_profile::deregistered()),
                subscribed: Template::new(&msc_profile::subscribed()),
                active: Template::new(&msc_profile::notify()),
                private_identity: Template::new(PRIVATE),
                public_identity: Template::new(TEMPORARY),
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
        self.notify("first-notify", user, meter);
        self.out.clear();
    }

    fn happen<M: Meter>(&mut self, traffic: usize, user: u32, meter: &mut M) {
        match traffic {
            0 => {
                self.notify("notify", user, meter);
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
                let whom = self.said.private_identity.fill(values);
                let node = self.node.inner();
                assert!(meter.call("look-up", || node.is_registered(whom)));
            }
            _ => {
                self.leave(user, meter);
                self.arrive(user, meter);
            }
        }
    }

    /// Every other subscriber is in a dialog, whose BYE the library writes.
    fn leave<M: Meter>(&mut self, user: u32, meter: &mut M) {
        if user % 2 == 0 {
            self.add_dialog(user, meter);
        }
        let now = self.time.step();
        let values = self.peers[user as usize].values(user);
        let inactive = Command::Inactive {
            private_identity: self.said.private_identity.fill(values),
            cause: Cause::CancelLocation,
        };
        let (node, out) = (&mut self.node, &mut self.out);
        node.call("inactive", now, out, meter, |node, out| {
            node.command(now, inactive, out)
        });
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
        let node = MscNode::restore(config, identifiers, self.time.0, blob).unwrap();
        node.registrations()
    }
}

impl<H: Held<Inner = MscNode, Role = Mscics>> Users<H> {
    fn learn<M: Meter>(&mut self, what: &'static str, user: u32, meter: &mut M) {
        let now = self.time.step();
        let peer = &mut self.peers[user as usize];
        peer.number += 1;
        let learn = Command::Learn {
            request: self.said.register.fill(peer.values(user)),
            response: self.said.registered.fill(peer.values(user)),
        };
        let (node, out) = (&mut self.node, &mut self.out);
        node.call(what, now, out, meter, |node, out| {
            node.command(now, learn, out)
        });
    }

    fn notify<M: Meter>(&mut self, what: &'static str, user: u32, meter: &mut M) {
        let now = self.time.step();
        let peer = &mut self.peers[user as usize];
        peer.number += 1;
        let notify = self.said.active.fill(peer.values(user));
        let (node, out) = (&mut self.node, &mut self.out);
        let (from, back) = (Source::TrustedCore, TransactionRef(1));
        let taken = node.call(what, now, out, meter, |node, out| {
            node.receive(now, from, back, notify, out)
        });
        assert_eq!(taken, Verdict::Handled);
    }

    fn add_dialog<M: Meter>(&mut self, user: u32, meter: &mut M) {
        let now = self.time.step();
        let values = self.peers[user as usize].values(user);
        let public_identity = self.said.public_identity.fill(values);
        let dialog = Dialog {
            call_id: &values.call_id[..],
            local_uri: public_identity,
            local_tag: &values.tag[..],
            remote_uri: b"sip:+15559876543@home2.example.net;user=phone",
            remote_tag: b"314159",
            remote_target: b"sip:+15559876543@[2001:db8::10:20]:5060",
            ..Dialog::default()
        };
        let added = Command::DialogAdded {
            private_identity: self.said.private_identity.fill(values),
            public_identity,
            dialog: NewDialog {
                dialog: DialogRef(1),
                held: Some((dialog, Sequence::default())),
            },
        };
        let (node, out) = (&mut self.node, &mut self.out);
        let taken = node.call("dialog", now, out, meter, |node, out| {
            node.command(now, added, out)
        });
        assert_eq!(taken, Verdict::Handled);
    }

    /// All that the node wants is done at once, and well.
    fn serve<M: Meter>(&mut self, user: u32, meter: &mut M) {
        loop {
            self.collect();
            let Some((token, method)) = self.wanted.pop_front() else {
                return;
            };
            let now = self.time.step();
            let values = self.peers[user as usize].values(user);
            let (what, response) = match method {
                Method::Register => ("registered", self.said.deregistered.fill(values)),
                Method::Bye => ("released", self.said.deregistered.fill(values)),
                Method::Subscribe => ("subscribed", self.said.subscribed.fill(values)),
            };
            let answer = Answer::Response(response);
            let (node, out) = (&mut self.node, &mut self.out);
            node.call(what, now, out, meter, |node, out| {
                node.answer(now, token, answer, out)
            });
        }
    }

    fn collect(&mut self) {
        let wanted = self.out.iter().filter_map(|output| match output {
            Output::Request { token, bytes, .. } => Some((token, method(bytes))),
            _ => None,
        });
        self.wanted.extend(wanted);
        self.out.clear();
    }
}

fn method(request: &[u8]) -> Method {
    match request.first() {
        Some(b'R') => Method::Register,
        Some(b'B') => Method::Bye,
        _ => Method::Subscribe,
    }
}
