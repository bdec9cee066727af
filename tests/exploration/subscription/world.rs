//! The shipped nodes, their hosts, and what is between them.

use ims_procedures::{
    drive::{
        Answer, Identifiers, Millis, Node, Outbox, Output, Source, Timer, Token, TransactionRef,
        Verdict,
    },
    regevent::{
        node::{self, Command, RegEvent, Registration, SubscriberNode},
        subscriber::{Config as SubscriberConfig, Profile, Standing},
    },
    scscf::{self, Reasons, Scscf, ScscfNode},
    wire::Element,
};

use super::{
    outside::{Cargo, Flight, Ghosts, Open, Outside},
    properties::{Broken, Property},
    registrar::{self, Change, REGISTERED, Which},
};
use crate::{
    common::pcscf::{PRIVATE, PUBLIC, element},
    shared::{
        canonical::Canonical,
        model,
        wire::{branch, dialog, expires, header, method, status},
    },
};

/// Milliseconds after which a client transaction gives up, 64·T1, and the longest that a message takes.
pub const TRANSACTION: u64 = 32_000;

/// When the user was registered, and until when something is done about it: while that lasts.
const BEGIN: Millis = Millis(1_000_000);
const LAST_CHANGE: Millis = BEGIN.after_seconds(REGISTERED);

/// Timers that are due as soon as they run; and how many such steps may follow each other.
const AT_ONCE: [&str; 4] = [
    "NOTIFY due",
    "NOTIFY offered again",
    "SUBSCRIBE to be sent",
    "subscription anew",
];
const MOST_AT_ONCE: usize = 8;

/// Seconds that the notifier grants at most: less than the registration lasts, so that either can end first.
const GRANTED: u32 = 3_400;

/// What is explored, and how far.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    pub profile: Profile,
    /// How often the user or the registrar does something.
    pub changes: u8,
    /// How often a message is lost, comes twice or is overtaken by a timer, and a side restarts, all together.
    pub faults: u8,
    /// A host has its node act as soon as something is due; without, anything else may come before.
    pub prompt: bool,
}

/// The two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    Subscriber,
    Notifier,
}

/// What can happen next. Messages and transactions are named by their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    Deliver(u8),
    Lose(u8),
    /// Deliver it, and leave a copy in flight.
    Duplicate(u8),
    /// A client transaction gets no response.
    TimeOut(u8),
    /// The deadline of a node has come.
    Tick(Side),
    /// A contact has run out, for all that the subscriber's host knows.
    Expire(Which),
    /// From its own blob; its host has lost every transaction.
    Restart(Side),
    Change(Change),
}

/// A world in which no transaction is open and nothing is due: a node that is restored goes on there as if nothing
/// had been.
#[derive(Clone, Debug)]
pub struct Rest {
    outside: Outside,
    blobs: Blobs,
}

/// What both nodes are in their blobs.
#[derive(Clone, Debug, Default)]
pub struct Blobs {
    subscriber: Vec<u8>,
    notifier: Vec<u8>,
}

/// Everything.
pub struct World {
    setting: Setting,
    pub subscriber: SubscriberNode,
    pub notifier: ScscfNode,
    subscriber_out: Option<Outbox<RegEvent>>,
    notifier_out: Option<Outbox<Scscf>>,
    pub outside: Outside,
    pub broken: Broken,
    /// What happened, for whoever reads it.
    log: Option<Vec<String>>,
}

fn identifiers(side: Side, life: u64) -> Identifiers {
    let shard = match side {
        Side::Subscriber => 1,
        Side::Notifier => 2,
    };
    Identifiers::new([7; 32], life, shard)
}

fn subscriber_config(profile: Profile) -> node::Config {
    let mut subscription = SubscriberConfig::new(element());
    subscription.support_reg_event = true;
    subscription.profile = profile;
    node::Config::new(subscription)
}

fn notifier_config() -> scscf::Config {
    let element = Element::new(b"sip:scscf1.home1.example.net:5080", b"home1.example.net");
    let mut config = scscf::Config::new(element.unwrap());
    config.notifier.max_expires = GRANTED;
    config
}

impl model::World for World {
    type Setting = Setting;
    type Action = Action;
    type Blobs = Blobs;
    type Rest = Rest;
    type Property = Property;

    /// The user is registered, and the subscriber's host has just told its node.
    fn new(setting: Setting) -> Self {
        let subscriber = SubscriberNode::new(
            subscriber_config(setting.profile),
            identifiers(Side::Subscriber, 1),
        );
        let notifier = ScscfNode::new(notifier_config(), identifiers(Side::Notifier, 1));
        let (subscriber, notifier) = (subscriber.unwrap(), notifier.unwrap());
        let outside = Outside {
            now: BEGIN,
            lives: 1,
            delivered: 0,
            flights: Vec::new(),
            open: Vec::new(),
            registered: [None; 2],
            cseq: 0,
            changes: 0,
            faults: 0,
            ghosts: Ghosts::default(),
        };
        let mut world = Self::of(setting, subscriber, notifier, outside);
        world.register(Which::First);
        world.outside.flights.clear();
        world.learn_registered(Which::First);
        world
    }

    /// A world that goes on from there.
    fn from_rest(setting: Setting, rest: &Rest) -> Self {
        let mut outside = rest.outside.clone();
        outside.lives += 1;
        let (now, lives) = (outside.now, outside.lives);
        let subscriber = SubscriberNode::restore(
            subscriber_config(setting.profile),
            identifiers(Side::Subscriber, lives),
            now,
            &rest.blobs.subscriber,
        );
        let notifier = ScscfNode::restore(
            notifier_config(),
            identifiers(Side::Notifier, lives),
            now,
            &rest.blobs.notifier,
        );
        Self::of(setting, subscriber.unwrap(), notifier.unwrap(), outside)
    }

    fn enabled(&self) -> Vec<Action> {
        let mut actions = Vec::new();
        let may_fail = self.outside.faults < self.setting.faults;
        for (place, flight) in self.outside.flights.iter().enumerate() {
            if self.outside.flights[..place].contains(flight) {
                continue;
            }
            let place = place as u8;
            actions.push(Action::Deliver(place));
            if may_fail {
                actions.push(Action::Lose(place));
                if flight.cargo == Cargo::Sip && status(&flight.text) == 0 {
                    actions.push(Action::Duplicate(place));
                }
            }
        }
        if let Some(next) = self.next_deadline() {
            let overtakes = next > self.outside.now && !self.outside.flights.is_empty();
            let in_time = |flight: &Flight| next.since(flight.sent_at) <= TRANSACTION;
            if !overtakes || (may_fail && self.outside.flights.iter().all(in_time)) {
                self.due(next, &mut actions);
            }
        }
        // A restart is felt only where it loses a transaction: see `Rest`.
        let loses = |side| self.outside.open.iter().any(|open| open.side == side);
        for side in [Side::Subscriber, Side::Notifier] {
            if may_fail && loses(side) {
                actions.push(Action::Restart(side));
            }
        }
        if self.outside.changes < self.setting.changes && self.outside.now <= LAST_CHANGE {
            let registered = self.notifier.contacts(PUBLIC.as_bytes()).count();
            actions.extend(Change::ALL.into_iter().filter_map(|change| {
                let possible = match change {
                    Change::Register => true,
                    Change::RegisterSecond | Change::RemoveAll => registered > 0,
                    // Of one contact it is the same as of all.
                    Change::Remove => registered > 1,
                    Change::Deregister => self.outside.registered[0].is_some(),
                };
                possible.then_some(Action::Change(change))
            }));
        }
        actions
    }

    fn act(&mut self, action: Action) {
        self.note(|| format!("{action:?}"));
        if matches!(
            action,
            Action::TimeOut(_) | Action::Tick(_) | Action::Expire(_)
        ) {
            self.pass();
        }
        match action {
            Action::Deliver(place) => {
                let flight = self.outside.flights.remove(place.into());
                self.deliver(flight);
            }
            Action::Duplicate(place) => {
                self.outside.faults += 1;
                let flight = self.outside.flights[usize::from(place)].clone();
                self.deliver(flight);
            }
            Action::Lose(place) => {
                self.outside.faults += 1;
                let flight = self.outside.flights.remove(place.into());
                if flight.cargo == Cargo::Sip {
                    let method = method(&flight.text).to_owned();
                    self.disturb(&method);
                }
            }
            Action::TimeOut(place) => {
                let open = self.outside.open.remove(place.into());
                self.disturb(&open.method);
                match open.side {
                    Side::Subscriber => {
                        self.answer_subscriber(open.token, Answer::Timeout);
                    }
                    Side::Notifier => self.answer_notifier(open.token, Answer::Timeout),
                }
            }
            Action::Tick(side) => self.tick(side),
            Action::Expire(which) => self.deregister_at_subscriber(which),
            Action::Restart(side) => self.restart(side),
            Action::Change(change) => self.change(change),
        }
        if self.setting.prompt {
            self.do_what_became_due();
        }
        self.look();
    }

    fn broken(&self) -> Broken {
        self.broken
    }

    /// The blobs of both nodes.
    fn blobs(&self) -> Blobs {
        let mut blobs = Blobs::default();
        let now = self.outside.now;
        self.subscriber.snapshot(now, &mut blobs.subscriber);
        self.notifier.snapshot(now, &mut blobs.notifier);
        blobs
    }

    fn digest(&self, blobs: &Blobs) -> u64 {
        let mut canonical = Canonical::default();
        canonical.blob(&blobs.subscriber);
        canonical.blob(&blobs.notifier);
        self.outside.write(&mut canonical);
        canonical.digest()
    }

    /// Everything in it, if no transaction is open, and nothing due: a restore forgets what is to be forgotten.
    fn rest(&self, blobs: Blobs) -> Option<Rest> {
        let now = self.outside.now;
        let rests = |deadline: Option<(Millis, Timer)>| deadline.is_none_or(|(at, _)| at > now);
        let is_at_rest = self.outside.open.is_empty()
            && rests(self.subscriber.deadline())
            && rests(self.notifier.deadline());
        is_at_rest.then(|| Rest {
            outside: self.outside.clone(),
            blobs,
        })
    }

    fn keep_log(&mut self) {
        self.log = Some(Vec::new());
    }

    fn log(self) -> Vec<String> {
        self.log.unwrap_or_default()
    }
}

impl World {
    fn of(
        setting: Setting,
        subscriber: SubscriberNode,
        notifier: ScscfNode,
        outside: Outside,
    ) -> Self {
        Self {
            setting,
            subscriber,
            notifier,
            subscriber_out: Some(Outbox::for_steps(1)),
            notifier_out: Some(Outbox::for_steps(2)),
            outside,
            broken: Broken::default(),
            log: None,
        }
    }

    pub fn next_deadline(&self) -> Option<Millis> {
        let nodes = [self.subscriber.deadline(), self.notifier.deadline()];
        let nodes = nodes.into_iter().flatten().map(|(at, _)| at);
        let open = self.outside.open.iter().map(|open| open.until);
        let registered = self.outside.registered.into_iter().flatten();
        let all = nodes.chain(open).chain(registered).min();
        all.map(|at| at.max(self.outside.now))
    }

    /// Who may act at that instant. A transaction that gives up is told first: its timers began before those of
    /// whoever opened it.
    fn due(&self, at: Millis, actions: &mut Vec<Action>) {
        let all = actions.len();
        for (place, open) in self.outside.open.iter().enumerate() {
            if open.until <= at {
                actions.push(Action::TimeOut(place as u8));
            }
        }
        if actions.len() > all {
            return;
        }
        let is_due = |deadline: Option<(Millis, _)>| deadline.is_some_and(|(due, _)| due <= at);
        if is_due(self.subscriber.deadline()) {
            actions.push(Action::Tick(Side::Subscriber));
        }
        if is_due(self.notifier.deadline()) {
            actions.push(Action::Tick(Side::Notifier));
        }
        for which in [Which::First, Which::Second] {
            if self.outside.registered[which as usize].is_some_and(|until| until <= at) {
                actions.push(Action::Expire(which));
            }
        }
    }

    /// What the nodes themselves made due at once.
    fn do_what_became_due(&mut self) {
        for _ in 0..MOST_AT_ONCE {
            let at_once = |deadline: Option<(Millis, Timer)>| {
                deadline
                    .is_some_and(|(at, timer)| at <= self.outside.now && AT_ONCE.contains(&timer.0))
            };
            if at_once(self.subscriber.deadline()) {
                self.tick(Side::Subscriber);
            } else if at_once(self.notifier.deadline()) {
                self.tick(Side::Notifier);
            } else {
                return;
            }
        }
    }

    /// Time goes on to the next deadline.
    fn pass(&mut self) {
        let Some(next) = self.next_deadline() else {
            return;
        };
        if next > self.outside.now {
            self.outside.faults += u8::from(!self.outside.flights.is_empty());
            self.outside.now = next;
            self.note(|| format!("it is {next}"));
        }
    }

    fn disturb(&mut self, method: &str) {
        self.outside.ghosts.disturbed = true;
        match method {
            "SUBSCRIBE" => self.outside.ghosts.subscribe_lost = true,
            _ => self.outside.ghosts.notify_lost = true,
        }
    }

    fn deliver(&mut self, flight: Flight) {
        let Flight {
            cargo,
            to,
            text,
            written_at,
            ..
        } = flight;
        if to == Side::Subscriber && cargo == Cargo::Sip {
            self.outside.ghosts.slowest = self
                .outside
                .ghosts
                .slowest
                .max(self.outside.now.since(written_at));
        }
        match (cargo, to) {
            (Cargo::Registered(which), _) => self.learn_registered(which),
            (Cargo::Deregister, _) => self.register_at_notifier(&text, true),
            (Cargo::Deregistered, _) => self.deregister_at_subscriber(Which::First),
            (Cargo::Sip, _) if status(&text) > 0 => self.respond(to, &text),
            (Cargo::Sip, Side::Subscriber) => self.notify(&text),
            (Cargo::Sip, Side::Notifier) => self.receive_at_notifier(&text, Verdict::Handled),
        }
    }

    /// A response comes in at a host: its transaction passes it on, or there is none any more.
    fn respond(&mut self, to: Side, text: &str) {
        let branch = branch(text);
        let place = self
            .outside
            .open
            .iter()
            .position(|open| open.side == to && open.branch == branch);
        let Some(place) = place else {
            return;
        };
        let token = self.outside.open.remove(place).token;
        let answer = text.as_bytes();
        match to {
            Side::Subscriber => self.answer_subscriber(token, Answer::Response(answer)),
            Side::Notifier => self.answer_notifier(token, Answer::Response(answer)),
        }
    }

    fn answer_subscriber(&mut self, token: Token, answer: Answer<'_, RegEvent>) {
        let out = self.subscriber_out.as_mut().expect("a free outbox");
        self.subscriber
            .answer(self.outside.now, token, answer, out)
            .unwrap();
        self.drain_subscriber(None);
    }

    fn answer_notifier(&mut self, token: Token, answer: Answer<'_, Scscf>) {
        let out = self.notifier_out.as_mut().expect("a free outbox");
        self.notifier
            .answer(self.outside.now, token, answer, out)
            .unwrap();
        self.drain_notifier();
    }

    fn tick(&mut self, side: Side) {
        match side {
            Side::Subscriber => {
                let out = self.subscriber_out.as_mut().expect("a free outbox");
                self.subscriber.tick(self.outside.now, out).unwrap();
                self.drain_subscriber(None);
            }
            Side::Notifier => {
                let out = self.notifier_out.as_mut().expect("a free outbox");
                self.notifier.tick(self.outside.now, out).unwrap();
                self.drain_notifier();
            }
        }
    }

    /// A NOTIFY comes in.
    fn notify(&mut self, text: &str) {
        self.outside.delivered += 1;
        let txn = TransactionRef(self.outside.delivered);
        let out = self.subscriber_out.as_mut().expect("a free outbox");
        let node = &mut self.subscriber;
        let verdict = node.receive(
            self.outside.now,
            Source::TrustedCore,
            txn,
            text.as_bytes(),
            out,
        );
        verdict.unwrap();
        let answers = |out: Output<'_, RegEvent>| match out {
            Output::Respond { to, status, .. } => Some((to, status >= 200)),
            _ => None,
        };
        let answered: Vec<_> = out.iter().filter_map(answers).collect();
        if answered != [(txn, true)] {
            self.broken.add(Property::NotifyAnswered);
        }
        self.drain_subscriber(Some(text));
    }

    fn receive_at_notifier(&mut self, text: &str, expected: Verdict) {
        self.outside.delivered += 1;
        let txn = TransactionRef(self.outside.delivered);
        let bytes = text.as_bytes();
        let out = self.notifier_out.as_mut().expect("a free outbox");
        let verdict = self
            .notifier
            .receive(self.outside.now, Source::TrustedCore, txn, bytes, out);
        match verdict.unwrap() {
            Verdict::Rejected(_) => {}
            verdict => assert_eq!(verdict, expected),
        }
        self.drain_notifier();
    }

    /// A REGISTER comes in at the registrar; its 2xx passes the subscriber if it came that way.
    fn register_at_notifier(&mut self, text: &str, passes: bool) {
        let before = self.outside.flights.len();
        self.receive_at_notifier(text, Verdict::Handled);
        let is_own = |flight: &Flight| method(&flight.text) == "REGISTER";
        let (own, mut others): (Vec<_>, Vec<_>) =
            self.outside.flights.drain(before..).partition(is_own);
        self.outside.flights.append(&mut others);
        if passes && own.iter().any(|flight| status(&flight.text) == 200) {
            self.send(Cargo::Deregistered, Side::Subscriber, "");
        }
    }

    fn learn_registered(&mut self, which: Which) {
        self.outside.registered[which as usize] = Some(self.outside.now.after_seconds(REGISTERED));
        let command = Command::LearnRegistered(Registration {
            private_identity: PRIVATE.as_bytes(),
            public_identity: PUBLIC.as_bytes(),
            flow: which.flow(),
            expires: REGISTERED,
            trunk_group: b"",
            service_route: b"",
            emergency: false,
            implicit: false,
        });
        self.command(command);
    }

    fn deregister_at_subscriber(&mut self, which: Which) {
        self.outside.registered[which as usize] = None;
        self.command(Command::LearnDeregistered {
            private_identity: PRIVATE.as_bytes(),
            flow: which.flow(),
        });
    }

    fn command(&mut self, command: Command<'_>) {
        let out = self.subscriber_out.as_mut().expect("a free outbox");
        self.subscriber
            .command(self.outside.now, command, out)
            .unwrap();
        self.drain_subscriber(None);
    }

    fn restart(&mut self, side: Side) {
        self.outside.faults += 1;
        self.outside.lives += 1;
        let mut blob = Vec::new();
        let ids = identifiers(side, self.outside.lives);
        match side {
            Side::Subscriber => {
                self.subscriber.snapshot(self.outside.now, &mut blob);
                let config = subscriber_config(self.setting.profile);
                self.subscriber =
                    SubscriberNode::restore(config, ids, self.outside.now, &blob).unwrap();
            }
            Side::Notifier => {
                self.notifier.snapshot(self.outside.now, &mut blob);
                let config = notifier_config();
                self.notifier = ScscfNode::restore(config, ids, self.outside.now, &blob).unwrap();
            }
        }
        self.outside.open.retain(|open| open.side != side);
    }

    fn change(&mut self, change: Change) {
        self.outside.changes += 1;
        match change {
            Change::Register => self.register(Which::First),
            Change::RegisterSecond => self.register(Which::Second),
            Change::Deregister => {
                self.outside.cseq += 1;
                self.command(Command::LearnDeregistering {
                    private_identity: PRIVATE.as_bytes(),
                    flow: Which::First.flow(),
                });
                let text = registrar::removal(self.outside.cseq);
                self.send(Cargo::Deregister, Side::Notifier, &text);
            }
            Change::Remove => {
                self.outside.cseq += 1;
                self.register_at_notifier(&registrar::removal(self.outside.cseq), false);
            }
            Change::RemoveAll => {
                self.outside.cseq += 1;
                self.register_at_notifier(&registrar::removal_of_all(self.outside.cseq), false);
            }
        }
    }

    fn register(&mut self, which: Which) {
        self.outside.cseq += 1;
        let (request, response) = registrar::registered(which, self.outside.cseq);
        let command = scscf::Command::Learn {
            request: request.as_bytes(),
            response: response.as_bytes(),
            private_identity: None,
        };
        let out = self.notifier_out.as_mut().expect("a free outbox");
        self.notifier
            .command(self.outside.now, command, out)
            .unwrap();
        self.drain_notifier();
        self.send(Cargo::Registered(which), Side::Subscriber, "");
    }

    fn send(&mut self, cargo: Cargo, to: Side, text: &str) {
        self.note(|| {
            let first = text.lines().next().unwrap_or_default();
            let more = ["CSeq", "Expires", "Subscription-State"].map(|name| header(text, name));
            format!("    {cargo:?} to {to:?}: {first} {more:?}")
        });
        let written_at = match (method(text), status(text)) {
            ("NOTIFY", 0) => self.written_at(branch(text)),
            _ => self.outside.now,
        };
        self.outside.flights.push(Flight {
            cargo,
            to,
            text: text.to_owned(),
            sent_at: self.outside.now,
            written_at,
        });
    }

    fn written_at(&mut self, branch: &str) -> Millis {
        let written = &mut self.outside.ghosts.written;
        if let Some((_, at)) = written.iter().find(|(known, _)| known == branch) {
            return *at;
        }
        written.push((branch.to_owned(), self.outside.now));
        self.outside.now
    }

    /// A request goes out in a transaction. After a restart it is the one that was out before.
    fn request(&mut self, side: Side, token: Token, text: &str) {
        let to = match side {
            Side::Subscriber => Side::Notifier,
            Side::Notifier => Side::Subscriber,
        };
        let branch = branch(text);
        self.outside
            .open
            .retain(|open| open.side != side || open.branch != branch);
        self.outside.open.push(Open {
            side,
            token,
            branch: branch.to_owned(),
            method: method(text).to_owned(),
            dialog: dialog(text),
            until: self.outside.now.after(TRANSACTION),
        });
        self.send(Cargo::Sip, to, text);
    }

    /// What the subscriber wants done; `notify` is what came in.
    fn drain_subscriber(&mut self, notify: Option<&str>) {
        let mut out = self.subscriber_out.take().expect("one at a time");
        for output in out.iter() {
            match output {
                Output::Request { token, bytes, .. } => {
                    let text = text(bytes);
                    self.outside.ghosts.call_id = header(text, "Call-ID").to_owned();
                    self.request(Side::Subscriber, token, text);
                }
                Output::Respond { bytes, .. } => self.send(Cargo::Sip, Side::Notifier, text(bytes)),
                Output::Event(node::Event::StateNotified {
                    version,
                    all_terminated,
                    ..
                }) => {
                    if *all_terminated {
                        self.outside.registered = [None; 2];
                    }
                    self.take(notify.unwrap_or_default(), *version);
                }
                Output::Event(event) => self.note(|| format!("    {event:?}")),
                other => panic!("{other:?}"),
            }
        }
        out.clear();
        self.subscriber_out = Some(out);
    }

    /// A document was taken.
    fn take(&mut self, notify: &str, version: u32) {
        let call_id = header(notify, "Call-ID");
        match &self.outside.ghosts.taken {
            Some((of, latest)) if of == call_id && *latest >= version => {
                self.broken.add(Property::Versions);
            }
            _ => {}
        }
        self.outside.ghosts.taken = Some((call_id.to_owned(), version));
    }

    /// What the notifier wants done. Its host answers questions at once.
    fn drain_notifier(&mut self) {
        loop {
            let mut out = self.notifier_out.take().expect("one at a time");
            let mut asked = Vec::new();
            for output in out.iter() {
                match output {
                    Output::Request { token, bytes, .. } => {
                        self.request(Side::Notifier, token, text(bytes));
                    }
                    Output::Respond { bytes, .. } => {
                        let text = text(bytes);
                        self.grant(text);
                        self.send(Cargo::Sip, Side::Subscriber, text);
                    }
                    Output::Ask { token, question } => asked.push((token, answer_to(question))),
                    Output::Event(event) => self.note(|| format!("    {event:?}")),
                    other => panic!("{other:?}"),
                }
            }
            out.clear();
            let (node, now) = (&mut self.notifier, self.outside.now);
            let is_done = asked.is_empty();
            for (token, answer) in asked {
                node.answer(now, token, Answer::Role(answer), &mut out)
                    .unwrap();
            }
            self.notifier_out = Some(out);
            if is_done {
                return;
            }
        }
    }

    /// The notifier answers a SUBSCRIBE.
    fn grant(&mut self, text: &str) {
        let (true, Some(seconds)) = (status(text) == 200, expires(text)) else {
            return;
        };
        let call_id = header(text, "Call-ID");
        let until = self.outside.now.after_seconds(seconds);
        let grants = &mut self.outside.ghosts.grants;
        match grants.iter_mut().find(|(of, _)| of == call_id) {
            Some((_, latest)) => *latest = until.max(*latest),
            None => grants.push((call_id.to_owned(), until)),
        }
    }

    fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(log) = &mut self.log {
            log.push(line());
        }
    }

    pub fn standing(&self) -> Standing {
        self.subscriber.standing(PRIVATE.as_bytes())
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("the nodes write text")
}

fn answer_to(question: &scscf::Question) -> scscf::Answer<'static> {
    match question {
        scscf::Question::Authentication { reasons, .. } if *reasons == Reasons::NONE => {
            scscf::Answer::Authenticated
        }
        scscf::Question::DialogRelease { .. } => scscf::Answer::Released,
        scscf::Question::ServerAssignment { .. } => scscf::Answer::Assigned {
            application_servers: b"",
        },
        _ => scscf::Answer::Denied,
    }
}
