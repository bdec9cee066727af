//! A subscriber's node and what goes in and out of it.

use ims_procedures::{
    drive::{
        self, Identifier, Identifiers, Millis, Misuse, Node, Outbox, Output, Source, Token,
        TransactionRef, Verdict,
    },
    regevent::{
        node::{Command, Config, Event, RegEvent, Registration, SubscriberNode},
        subscriber::{self, Answer, End, Profile, Question, Standing},
    },
    wire::Element,
};

pub const PRIVATE: &str = "user1_private@home1.example.net";
pub const PUBLIC: &str = "sip:user1_public1@home1.example.net";
pub const ELEMENT: &str = "sip:pcscf1.visited1.example.net:5070";
pub const CONTACT: &str = "sip:[2001:db8::aaa:bbb]:1357";
pub const SERVICE_ROUTE: &str = "<sip:orig@scscf1.home1.example.net:5080;lr>";
pub const NOTIFIER: &str = "Contact: <sip:n@scscf1.home1.example.net:5080>\r\n";
pub const PROFILES: [Profile; 2] = [Profile::Sbc, Profile::Rfc6665];

pub const REFRESH: &str = "subscription refresh";
pub const EXPIRY: &str = "subscription expiry";
pub const TIMER_N: &str = "subscription timer N";
pub const ANEW: &str = "subscription anew";
pub const TO_BE_SENT: &str = "SUBSCRIBE to be sent";
pub const TO_BE_ASKED: &str = "routing question to be asked";
/// Milliseconds of the floor by default.
pub const FLOOR: u64 = 20_000;
pub const ROUTING_BOUND: &str = "answer to routing question";

pub fn element() -> Element {
    Element::new(ELEMENT.as_bytes(), b"visited1.example.net").unwrap()
}

/// What most tests run with: enabled for registrations over no named trunk group.
pub fn config(profile: Profile) -> Config {
    let mut config = Config::new(subscriber::Config::new(element()));
    config.subscription.support_reg_event = true;
    config.subscription.profile = profile;
    config
}

pub fn identifiers(incarnation: u64) -> Identifiers {
    Identifiers::new([7; 32], incarnation, 3)
}

/// The registration of the user of the fixtures.
pub fn registration(expires: u32) -> Registration<'static> {
    Registration {
        private_identity: PRIVATE.as_bytes(),
        public_identity: PUBLIC.as_bytes(),
        flow: CONTACT.as_bytes(),
        expires,
        trunk_group: b"",
        service_route: SERVICE_ROUTE.as_bytes(),
        emergency: false,
        implicit: false,
    }
}

/// What a node put out, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Out {
    Request(Subscribe),
    Respond(u16, String),
    Ask(Asked),
    Event(Ev),
}

/// An event, the identity that it names apart: that is checked as it is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ev {
    Subscribed(u32),
    TooLittle(u32),
    Lost(End, u64),
    Ended(End),
    State {
        version: u32,
        full: bool,
        changed: u32,
        all_terminated: bool,
    },
}

/// A routing question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub token: Token,
    pub key: Identifier,
    pub resource: String,
    pub destination: String,
    pub route_uri: String,
    pub skip: bool,
}

/// A SUBSCRIBE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscribe {
    pub token: Token,
    pub hops: Vec<String>,
    pub text: String,
}

impl Subscribe {
    pub fn only(out: &[Out]) -> Self {
        match out {
            [Out::Request(subscribe)] => subscribe.clone(),
            other => panic!("expected one SUBSCRIBE: {other:?}"),
        }
    }

    /// The whole line of a header field.
    pub fn line(&self, name: &str) -> &str {
        self.has(name)
            .unwrap_or_else(|| panic!("{name} in {}", self.text))
    }

    pub fn has(&self, name: &str) -> Option<&str> {
        self.text.lines().find(|line| line.starts_with(name))
    }

    pub fn call_id(&self) -> &str {
        self.line("Call-ID: ").split_once(' ').unwrap().1
    }

    /// Our tag.
    pub fn tag(&self) -> &str {
        self.line("From: ").split_once(";tag=").unwrap().1
    }

    pub fn target(&self) -> &str {
        let contact = self.line("Contact: ");
        let (_, uri) = contact.split_once('<').unwrap();
        uri.split_once('>').unwrap().0
    }

    pub fn expires(&self) -> u32 {
        let (_, seconds) = self.line("Expires: ").split_once(' ').unwrap();
        seconds.parse().unwrap()
    }

    pub fn cseq(&self) -> u32 {
        let mut words = self.line("CSeq: ").split(' ');
        words.nth(1).unwrap().parse().unwrap()
    }

    /// A response, of the notifier `n1`.
    pub fn response(&self, status: u16, extra: &str) -> String {
        format!(
            "SIP/2.0 {status} x\r\n{}\r\n{}\r\nTo: <{PUBLIC}>;tag=n1\r\n{}\r\n{}\r\n{extra}Content-Length: 0\r\n\r\n",
            self.line("Via:"),
            self.line("From:"),
            self.line("Call-ID:"),
            self.line("CSeq:")
        )
    }

    /// A NOTIFY in this dialog, of the notifier `n1`; without Subscription-State where `state` is empty.
    pub fn notify(&self, cseq: u32, state: &str, body: &str) -> String {
        let line = |name: &str, value: &str| match value {
            "" => String::new(),
            value => format!("{name}: {value}\r\n"),
        };
        let kind = if body.is_empty() {
            ""
        } else {
            "application/reginfo+xml"
        };
        format!(
            "NOTIFY {} SIP/2.0\r\nVia: SIP/2.0/UDP scscf1.home1.example.net:5080;branch=z9hG4bKn{cseq}\r\n\
             Max-Forwards: 70\r\nFrom: <{PUBLIC}>;tag=n1\r\nTo: <{ELEMENT}>;tag={}\r\nCall-ID: {}\r\n\
             CSeq: {cseq} NOTIFY\r\n{NOTIFIER}Event: reg\r\n{}{}Content-Length: {}\r\n\r\n{body}",
            self.target(),
            self.tag(),
            self.call_id(),
            line("Subscription-State", state),
            line("Content-Type", kind),
            body.len()
        )
    }
}

/// A node with its outbox.
pub struct Bed {
    pub node: SubscriberNode,
    pub out: Outbox<RegEvent>,
    pub now: Millis,
}

impl Bed {
    pub fn new(config: Config) -> Self {
        Self {
            node: SubscriberNode::new(config, identifiers(1)).unwrap(),
            out: Outbox::for_steps(1),
            now: Millis(1_000),
        }
    }

    /// What was put out, which is thereby taken.
    pub fn take(&mut self) -> Vec<Out> {
        let text = |text| String::from_utf8_lossy(self.out.text(text)).into_owned();
        let of_subscription = |event| match event {
            subscriber::Event::Subscribed { resource, expires } => {
                (resource, Ev::Subscribed(expires))
            }
            subscriber::Event::GrantedTooLittle { resource, expires } => {
                (resource, Ev::TooLittle(expires))
            }
            subscriber::Event::SubscriptionLost {
                resource,
                why,
                wait,
            } => (resource, Ev::Lost(why, wait)),
            subscriber::Event::SubscriptionEnded { resource, why } => (resource, Ev::Ended(why)),
            other => panic!("{other:?}"),
        };
        let event = |event: &Event| match *event {
            Event::Subscription(event) => {
                let (resource, event) = of_subscription(event);
                assert!(text(resource).starts_with("sip:"), "{event:?}");
                event
            }
            Event::StateNotified {
                private_identity,
                version,
                full,
                changed,
                all_terminated,
            } => {
                assert!(text(private_identity).contains("private"));
                Ev::State {
                    version,
                    full,
                    changed,
                    all_terminated,
                }
            }
            other => panic!("{other:?}"),
        };
        let utf8 = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let taken = self
            .out
            .iter()
            .map(|output| match output {
                Output::Request {
                    token,
                    next_hops,
                    bytes,
                    ..
                } => Out::Request(Subscribe {
                    token,
                    hops: next_hops.map(utf8).collect(),
                    text: utf8(bytes),
                }),
                Output::Respond { to, status, bytes } => {
                    assert_eq!(to, TransactionRef(77));
                    Out::Respond(status, utf8(bytes))
                }
                Output::Ask { token, question } => match *question {
                    Question::Routing {
                        key,
                        resource,
                        destination,
                        route_uri,
                        skip_pattern_matching,
                    } => Out::Ask(Asked {
                        token,
                        key,
                        resource: text(resource),
                        destination: text(destination),
                        route_uri: text(route_uri),
                        skip: skip_pattern_matching,
                    }),
                    other => panic!("{other:?}"),
                },
                Output::Event(own) => Out::Event(event(own)),
                other => panic!("{other:?}"),
            })
            .collect();
        self.out.clear();
        taken
    }

    pub fn command(&mut self, command: Command<'_>) -> Result<(Verdict, Vec<Out>), Misuse> {
        let verdict = self.node.command(self.now, command, &mut self.out)?;
        Ok((verdict, self.take()))
    }

    /// Learns of a registration that is this node's concern.
    pub fn learn(&mut self, registration: Registration<'_>) -> Vec<Out> {
        let (verdict, out) = self
            .command(Command::LearnRegistered(registration))
            .unwrap();
        assert_eq!(verdict, Verdict::Handled);
        out
    }

    /// The user asks to go: of one flow, or of all.
    pub fn deregistering(&mut self, flow: &str) -> Vec<Out> {
        let command = Command::LearnDeregistering {
            private_identity: PRIVATE.as_bytes(),
            flow: flow.as_bytes(),
        };
        self.command(command).unwrap().1
    }

    /// A flow, or all of them, is gone.
    pub fn deregistered(&mut self, flow: &str) -> Vec<Out> {
        let command = Command::LearnDeregistered {
            private_identity: PRIVATE.as_bytes(),
            flow: flow.as_bytes(),
        };
        self.command(command).unwrap().1
    }

    pub fn answer(&mut self, token: Token, answer: drive::Answer<'_, RegEvent>) -> Vec<Out> {
        self.node
            .answer(self.now, token, answer, &mut self.out)
            .unwrap();
        self.take()
    }

    /// Answers a SUBSCRIBE.
    pub fn respond(&mut self, to: &Subscribe, status: u16, extra: &str) -> Vec<Out> {
        let response = to.response(status, extra);
        self.answer(to.token, drive::Answer::Response(response.as_bytes()))
    }

    /// Answers the routing question.
    pub fn route(&mut self, to: &Asked, next_hops: &str, route: &str) -> Vec<Out> {
        let answer = Answer::Routes {
            next_hops: next_hops.as_bytes(),
            route: route.as_bytes(),
        };
        self.answer(to.token, answer.into())
    }

    pub fn receive(&mut self, from: Source, message: &str) -> (Verdict, Vec<Out>) {
        let verdict = self.node.receive(
            self.now,
            from,
            TransactionRef(77),
            message.as_bytes(),
            &mut self.out,
        );
        (verdict.unwrap(), self.take())
    }

    /// A NOTIFY of the core: the status that it is answered with, and what else there was.
    pub fn notify(&mut self, message: &str) -> (u16, Vec<Out>) {
        let (_, mut out) = self.receive(Source::TrustedCore, message);
        match out.pop() {
            Some(Out::Respond(status, _)) => (status, out),
            other => panic!("not answered: {other:?} {out:?}"),
        }
    }

    /// A NOTIFY that is accepted.
    pub fn notified(&mut self, message: &str) -> Vec<Out> {
        let (status, out) = self.notify(message);
        assert_eq!(status, 200, "{message}");
        out
    }

    /// Advances to the next deadline, which must bear this name, and ticks once. Just before it, a tick changes
    /// nothing.
    pub fn fire(&mut self, timer: &str) -> Vec<Out> {
        let (at, named) = self.node.deadline().expect("a deadline");
        assert_eq!(named.0, timer);
        if at > self.now.after(1) {
            self.now = Millis(at.0 - 1);
            assert_eq!(self.tick(), []);
            assert_eq!(self.node.deadline(), Some((at, named)));
        }
        self.now = self.now.max(at);
        self.tick()
    }

    pub fn tick(&mut self) -> Vec<Out> {
        self.node.tick(self.now, &mut self.out).unwrap();
        self.take()
    }

    /// Milliseconds until the next deadline, and its name; `None` if nothing is waited for.
    pub fn next(&self) -> Option<(u64, &'static str)> {
        let (at, named) = self.node.deadline()?;
        Some((at.since(self.now), named.0))
    }

    pub fn standing(&self) -> Standing {
        self.node.standing(PRIVATE.as_bytes())
    }

    pub fn blob(&self) -> Vec<u8> {
        let mut blob = Vec::new();
        self.node.snapshot(self.now, &mut blob);
        blob
    }
}

/// A node with the user registered for so many seconds, and its SUBSCRIBE.
pub fn registered(config: Config, seconds: u32) -> (Bed, Subscribe) {
    let mut bed = Bed::new(config);
    let subscribe = Subscribe::only(&bed.learn(registration(seconds)));
    (bed, subscribe)
}

/// A node whose subscription is active, by 2xx and NOTIFY in this order, and granted for so many seconds.
pub fn active_for(config: Config, granted: u32) -> (Bed, Subscribe) {
    let (mut bed, first) = registered(config, 600_000);
    bed.respond(&first, 200, &format!("{NOTIFIER}Expires: {granted}\r\n"));
    let out = bed.notified(&first.notify(1, &format!("active;expires={granted}"), ""));
    assert_eq!(out, [Out::Event(Ev::Subscribed(granted))]);
    (bed, first)
}

/// The same, granted for an hour and a minute.
pub fn active(profile: Profile) -> (Bed, Subscribe) {
    active_for(config(profile), 3_660)
}

pub fn ended(why: End) -> [Out; 1] {
    [Out::Event(Ev::Ended(why))]
}

/// A document of these registrations: (aor, state, contacts' state and event).
pub fn document(version: u32, registrations: &[(&str, &str, &str, &str)]) -> String {
    let registrations: String = registrations
        .iter()
        .enumerate()
        .map(|(n, (aor, state, contact, event))| {
            format!(
                "<registration aor=\"{aor}\" id=\"r{n}\" state=\"{state}\"><contact id=\"c{n}\" \
                 state=\"{contact}\" event=\"{event}\"><uri>{CONTACT}</uri></contact></registration>"
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\"?><reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" version=\"{version}\" \
         state=\"full\">{registrations}</reginfo>"
    )
}

/// The user is registered.
pub fn is_registered(version: u32) -> String {
    document(version, &[(PUBLIC, "active", "active", "registered")])
}

/// Nothing of the user is registered any more.
pub fn is_gone(version: u32) -> String {
    document(
        version,
        &[(PUBLIC, "terminated", "terminated", "deactivated")],
    )
}

/// The command that tells of a registration.
pub fn learn(registration: Registration<'_>) -> Command<'_> {
    Command::LearnRegistered(registration)
}
