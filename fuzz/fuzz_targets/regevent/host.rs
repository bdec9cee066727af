//! A host that does whatever it is told, and checks what it gets.

use std::collections::BTreeMap;

use ims_procedures::{
    drive::{
        Answer, Identifiers, Millis, Misuse, Node, Outbox, Output, Source, Token, TransactionRef,
    },
    regevent::{
        node::{Command, Config, RegEvent, Registration, SubscriberNode},
        subscriber::{self, Profile, Routing},
    },
    wire::Element,
};

use crate::{
    bytes::{self, Subscribed, value},
    operations::{Answering, Operation, Script, Settings},
};

/// Ticks at one instant that may be needed for each subscription.
const TICKS_EACH: usize = 8;

/// What waits for an answer: a SUBSCRIBE, or the routing question.
enum Outstanding {
    Subscribe(String),
    Question,
}

pub struct Host {
    node: SubscriberNode,
    config: Config,
    out: Outbox<RegEvent>,
    now: Millis,
    incarnation: u64,
    outstanding: BTreeMap<Token, Outstanding>,
    seen: Vec<Subscribed>,
}

fn config(of: &Settings) -> Config {
    let element = Element::new(bytes::ELEMENT.as_bytes(), b"visited1.example.net").unwrap();
    let mut subscription = subscriber::Config::new(element);
    subscription.support_reg_event = true;
    if of.rfc6665 {
        subscription.profile = Profile::Rfc6665;
    }
    if of.asks_route {
        subscription.routing = Routing::Question;
    }
    subscription.strict_dialog_uris = of.strict_uris;
    subscription.retry_too_brief = of.retry_too_brief;
    subscription.keep_on_refresh_error = of.keep_on_refresh_error;
    subscription.tolerate_silent_refresh = of.tolerate_silent_refresh;
    subscription.subscribe_at_reregistration = of.subscribe_at_reregistration;
    subscription.quirks.restarted_count = of.restarted_count;
    subscription.floor = of.floor.into();
    subscription.margin = of.margin.into();
    subscription.timer_n = u64::from(of.timer_n).max(1);
    subscription.resubscribe_interval = u64::from(of.resubscribe_interval).max(1);
    subscription.resubscribe_attempts = of.resubscribe_attempts % 4;
    subscription.retry_after_limit = of.retry_after_limit.into();
    let mut config = Config::new(subscription);
    config.limits.users = 1 + usize::from(of.users % 4);
    config.limits.contacts = 1 + usize::from(of.contacts % 4);
    config
}

fn identifiers(incarnation: u64) -> Identifiers {
    Identifiers::new([7; 32], incarnation, 3)
}

impl Host {
    pub fn run(script: &Script) {
        let config = config(&script.settings);
        let mut host = Self {
            node: SubscriberNode::new(config.clone(), identifiers(1)).unwrap(),
            config,
            out: Outbox::for_steps(1),
            now: Millis(1_000_000),
            incarnation: 1,
            outstanding: BTreeMap::new(),
            seen: Vec::new(),
        };
        for step in &script.steps {
            host.step(step);
        }
        host.end();
    }

    fn step(&mut self, operation: &Operation) {
        match operation {
            Operation::Register {
                user,
                flow,
                expires,
                emergency,
                implicit,
            } => {
                let public = format!("sip:user{user}@home1.example.net");
                self.command(Command::LearnRegistered(Registration {
                    private_identity: &[*user % 8],
                    public_identity: public.as_bytes(),
                    flow: &[*flow % 8],
                    expires: (*expires).into(),
                    trunk_group: b"",
                    service_route: b"<sip:orig@scscf1.home1.example.net;lr>",
                    emergency: *emergency,
                    implicit: *implicit,
                }));
            }
            Operation::Deregistering { user, flow } => {
                let flow = flow.map(|flow| [flow % 8]);
                self.command(Command::LearnDeregistering {
                    private_identity: &[*user % 8],
                    flow: flow.as_ref().map_or(&[], |flow| flow),
                });
            }
            Operation::Deregistered { user, flow } => {
                let flow = flow.map(|flow| [flow % 8]);
                self.command(Command::LearnDeregistered {
                    private_identity: &[*user % 8],
                    flow: flow.as_ref().map_or(&[], |flow| flow),
                });
            }
            Operation::Notify(of) => {
                let place = usize::from(of.subscription) % self.seen.len().max(1);
                if let Some(subscribed) = self.seen.get(place) {
                    let bytes = subscribed.notify(of);
                    self.receive(Source::TrustedCore, &bytes);
                }
            }
            Operation::Receive { trusted, bytes } => {
                let from = if *trusted {
                    Source::TrustedCore
                } else {
                    Source::Unknown
                };
                self.receive(from, bytes);
            }
            Operation::Answer { whose, answer } => self.answer(*whose, answer),
            Operation::Tick => self.tick(),
            Operation::Wait => {
                if let Some((at, _)) = self.node.deadline() {
                    self.now = self.now.max(at);
                }
                self.tick();
            }
            Operation::Forwards { milliseconds } => {
                self.now = self.now.after((*milliseconds).into());
            }
            Operation::Backwards { milliseconds } => {
                self.now = Millis(self.now.0.saturating_sub((*milliseconds).into()));
            }
            Operation::Restart { epoch } => self.restart(*epoch),
            Operation::Reconfigure(settings) => {
                let (users, contacts) = (self.config.limits.users, self.config.limits.contacts);
                self.config = config(settings);
                self.config.limits.users = users;
                self.config.limits.contacts = contacts;
                self.node.reconfigure(self.config.clone()).unwrap();
            }
        }
    }

    fn command(&mut self, command: Command<'_>) {
        match self.node.command(self.now, command, &mut self.out) {
            Ok(_) | Err(Misuse::NodeFull | Misuse::TooLarge { .. }) => {}
            Err(other) => panic!("{other}"),
        }
        self.take();
    }

    fn receive(&mut self, from: Source, bytes: &[u8]) {
        let txn = TransactionRef(7);
        self.node
            .receive(self.now, from, txn, bytes, &mut self.out)
            .unwrap();
        self.take();
    }

    fn answer(&mut self, whose: u8, answer: &Answering) {
        let place = usize::from(whose) % self.outstanding.len().max(1);
        let Some((token, asked)) = self.outstanding.iter().nth(place) else {
            return;
        };
        let token = *token;
        let response = match asked {
            Outstanding::Subscribe(subscribe) => bytes::response(subscribe, answer),
            Outstanding::Question => None,
        };
        let is_question = matches!(asked, Outstanding::Question);
        let hops: Vec<String> = match answer {
            Answering::Routes { next_hops, .. } => (0..next_hops % 10)
                .map(|number| format!("<sip:hop{number}.example.net>"))
                .collect(),
            _ => Vec::new(),
        };
        let hops = hops.join(",");
        let given: Answer<'_, RegEvent> = match (answer, &response) {
            (_, Some(response)) => Answer::Response(response),
            (Answering::Status { .. }, None) => Answer::Timeout,
            (Answering::Bytes(bytes), _) => Answer::Response(bytes),
            (Answering::Timeout, _) => Answer::Timeout,
            (Answering::Unreachable, _) => Answer::Unreachable,
            (Answering::Routes { route, .. }, _) => subscriber::Answer::Routes {
                next_hops: hops.as_bytes(),
                route: if *route {
                    b"<sip:ibcf.example.net;lr>"
                } else {
                    b""
                },
            }
            .into(),
            (Answering::RoutesOf(bytes), _) => subscriber::Answer::Routes {
                next_hops: bytes,
                route: b"",
            }
            .into(),
            (Answering::NoRoute, _) => subscriber::Answer::NoRoute.into(),
        };
        let is_answer = matches!(given, Answer::Role(_));
        let is_provisional = matches!(&given, Answer::Response(bytes)
            if bytes.starts_with(b"SIP/2.0 1"));
        let done = self.node.answer(self.now, token, given, &mut self.out);
        match done {
            Ok(()) if is_provisional => {}
            Ok(()) => _ = self.outstanding.remove(&token),
            Err(Misuse::WrongAnswer) => assert!(
                is_answer != is_question || !is_question,
                "the right kind of answer was not taken"
            ),
            Err(Misuse::BadCommand(_)) => assert!(is_answer && is_question),
            Err(other) => panic!("{other}"),
        }
        self.take();
    }

    fn tick(&mut self) {
        self.node.tick(self.now, &mut self.out).unwrap();
        self.take();
    }

    /// Notes what is to be answered, and that a dialog never has two SUBSCRIBEs out.
    fn take(&mut self) {
        let mut subscribes = Vec::new();
        for output in self.out.iter() {
            match output {
                Output::Request { token, bytes, .. } => {
                    let text = String::from_utf8_lossy(bytes).into_owned();
                    subscribes.push((token, text));
                }
                Output::Ask { token, .. } => {
                    self.outstanding.insert(token, Outstanding::Question);
                }
                _ => {}
            }
        }
        for (token, text) in subscribes {
            let call_id = value(&text, "Call-ID").to_owned();
            // One that its machine waits for no more ended by Timer N.
            let timed_out: Vec<Token> = self
                .outstanding
                .iter()
                .filter(|(_, asked)| match asked {
                    Outstanding::Subscribe(other) => value(other, "Call-ID") == call_id,
                    Outstanding::Question => false,
                })
                .map(|(token, _)| *token)
                .collect();
            for old in timed_out {
                assert!(
                    !self.node.awaits(old),
                    "two SUBSCRIBEs of one dialog are out"
                );
                self.outstanding.remove(&old);
            }
            self.seen.push(Subscribed::of(&text));
            self.outstanding.insert(token, Outstanding::Subscribe(text));
        }
        self.out.clear();
    }

    fn restart(&mut self, epoch: u32) {
        let mut blob = Vec::new();
        self.node.snapshot(self.now, &mut blob);
        self.incarnation += 1;
        self.now = Millis(epoch.into());
        self.node = SubscriberNode::restore(
            self.config.clone(),
            identifiers(self.incarnation),
            self.now,
            &blob,
        )
        .unwrap();
        let mut same = Vec::new();
        self.node.snapshot(self.now, &mut same);
        assert_eq!(blob, same, "what is kept is what remains");
        self.outstanding.clear();
    }

    /// Deregistered, and with no more answers, everyone is gone in the end.
    fn end(&mut self) {
        for user in 0..8 {
            self.command(Command::LearnDeregistered {
                private_identity: &[user],
                flow: &[],
            });
        }
        let mut ticks = TICKS_EACH * (self.node.users() + 1);
        while let Some((at, _)) = self.node.deadline() {
            assert!(ticks > 0, "it never comes to rest");
            ticks -= 1;
            self.now = self.now.max(at);
            self.tick();
        }
        assert_eq!(self.node.users(), 0);
    }
}
