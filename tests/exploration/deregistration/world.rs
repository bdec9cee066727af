//! The shipped nodes, their hosts, and what is between them.

use std::fmt;

use ims_procedures::{
    drive::{Answer, Identifiers, Millis, Node, Outbox, Timer, Token, TransactionRef},
    pcscf::{self, Pcscf, PcscfNode},
    scscf::{self, Scscf, ScscfNode},
    wire::Element,
};

use super::{
    outside::{Budget, Flight, Open, Outside, Side},
    properties::{Broken, Property},
    user::{Change, REGISTERED, Which},
};
use crate::{
    common::{self, pcscf::PUBLIC},
    shared::{
        canonical::Canonical,
        model,
        wire::{branch, header, method, status},
    },
};

/// Milliseconds after which a client transaction gives up, 64·T1, and the longest that a message takes.
pub const TRANSACTION: u64 = 32_000;

/// The hosts' handle of every server transaction: none needs it to find the way back.
pub const TXN: TransactionRef = TransactionRef(1);

/// Milliseconds that a node waits for the answer to a question at most.
const QUESTION: u64 = 128_000;

/// How often a P-CSCF sends its REGISTER at most (PD-6).
pub const ATTEMPTS: u8 = 2;

/// When everything begins, and until when the user and the access network do something. It is time enough for every
/// attempt of a deregistration, and before any subscription is refreshed.
const BEGIN: Millis = Millis(1_000_000);
const LAST_CHANGE: Millis = BEGIN.after_seconds(600);

/// Seconds that pass after each registration to begin with, so that not all end at one instant.
const APART: u32 = 100;

/// Timers that are due as soon as they run: hosts are prompt. And how many such steps may follow each other.
const AT_ONCE: [&str; 9] = [
    "NOTIFY due",
    "NOTIFY offered again",
    "SUBSCRIBE to be sent",
    "subscription anew",
    "REGISTER to be sent",
    "question to be asked",
    "question offered again",
    "third-party REGISTER",
    "deregistration over",
];
const MOST_AT_ONCE: usize = 8;

/// What is explored, and how far.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Contacts of the user that are registered at the first P-CSCF to begin with: 1 or 2.
    pub contacts: usize,
    /// P-CSCFs: 1 or 2.
    pub edges: usize,
    /// Whether the P-CSCFs subscribe to the registration state.
    pub subscribed: bool,
    /// Milliseconds before the end of a registration at which a P-CSCF counts it as lost.
    pub threshold: u64,
    /// How often each may happen.
    pub most: Budget,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            contacts,
            edges,
            most,
            ..
        } = self;
        let told = if self.subscribed { "" } else { "not " };
        let threshold = self.threshold / 1_000;
        write!(
            f,
            "{contacts} contacts, {edges} P-CSCFs, {told}subscribed, threshold {threshold} s: {most}"
        )
    }
}

/// What a host answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reply {
    Well,
    Failed,
    Nothing,
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
    /// The same of the REGISTER that a P-CSCF has forwarded.
    GiveUp,
    /// The deadline of a node has come.
    Tick(Side),
    /// From its own blob; its host has lost every transaction.
    Restart(Side),
    /// What is asked first is answered.
    Answer(Reply),
    Change(Change),
}

/// A world in which no transaction is open, nothing is asked and nothing due.
#[derive(Clone, Debug)]
pub struct Rest {
    outside: Outside,
    blobs: [Vec<u8>; 3],
}

/// Everything.
pub struct World {
    pub setting: Setting,
    pub edges: [PcscfNode; 2],
    pub home: ScscfNode,
    pub edge_out: Option<Outbox<Pcscf>>,
    pub home_out: Option<Outbox<Scscf>>,
    pub outside: Outside,
    pub broken: Broken,
    /// What happened, for whoever reads it.
    log: Option<Vec<String>>,
}

fn identifiers(side: Side, life: u64) -> Identifiers {
    Identifiers::new([7; 32], life, side.place() as u16 + 1)
}

fn edge_config(side: Side, setting: Setting) -> pcscf::Config {
    let mut config = common::pcscf::config();
    let uri = format!("sip:{}.visited1.example.net:5070", side.host());
    config.element = Element::new(uri.as_bytes(), b"visited1.example.net").unwrap();
    config.subscription.element = config.element.clone();
    config.subscription.support_reg_event = setting.subscribed;
    config.registration_threshold = setting.threshold;
    config.attempts = ATTEMPTS;
    // What the pacer learns of a home network is not in a blob while nobody waits: here it learns nothing.
    let pacing = &mut config.pacing;
    (pacing.burst, pacing.canaries, pacing.bad_streak) = (10_000, 0, 0);
    (pacing.hop_start_rate, pacing.hop_min_rate) = (pacing.hop_max_rate, pacing.hop_max_rate);
    pacing.retry_after_limit = 0;
    config
}

fn home_config() -> scscf::Config {
    let element = Element::new(b"sip:scscf1.home1.example.net:5080", b"home1.example.net");
    scscf::Config::new(element.unwrap())
}

impl model::World for World {
    type Setting = Setting;
    type Action = Action;
    type Blobs = [Vec<u8>; 3];
    type Rest = Rest;
    type Property = Property;

    /// The contacts of the user are registered at the first P-CSCF, and everybody knows.
    fn new(setting: Setting) -> Self {
        let edge = |side| {
            PcscfNode::new(edge_config(side, setting), identifiers(side, 1)).expect("a node")
        };
        let home = ScscfNode::new(home_config(), identifiers(Side::Home, 1)).expect("a node");
        let edges = Side::EDGES.map(edge);
        let mut world = Self::of(setting, edges, home, Outside::new(BEGIN));
        for which in world.contacts() {
            world.register_at_edge(Side::First, which, REGISTERED);
            world.settle();
            world.outside.now = world.outside.now.after_seconds(APART);
        }
        world
    }

    fn from_rest(setting: Setting, rest: &Rest) -> Self {
        let mut outside = rest.outside.clone();
        outside.lives += 1;
        let (now, lives) = (outside.now, outside.lives);
        let [first, second, home] = &rest.blobs;
        let edge = |side, blob: &[u8]| {
            let ids = identifiers(side, lives);
            PcscfNode::restore(edge_config(side, setting), ids, now, blob).expect("a blob")
        };
        let edges = [edge(Side::First, first), edge(Side::Second, second)];
        let ids = identifiers(Side::Home, lives);
        let home = ScscfNode::restore(home_config(), ids, now, home).expect("a blob");
        Self::of(setting, edges, home, outside)
    }

    fn enabled(&self) -> Vec<Action> {
        let mut actions = Vec::new();
        // Hosts are prompt: what is asked is answered before anything else happens.
        match self.outside.asked.first().map(|asked| asked.side) {
            Some(side) => self.answers(side, &mut actions),
            None => {
                self.deliveries(&mut actions);
                self.passing(&mut actions);
                self.restarts(&mut actions);
                self.changes(&mut actions);
            }
        }
        actions
    }

    fn act(&mut self, action: Action) {
        self.note(|| format!("{action:?}"));
        if let Action::TimeOut(_) | Action::GiveUp | Action::Tick(_) = action {
            self.pass();
        }
        match action {
            Action::Deliver(place) => {
                let flight = self.outside.flights.remove(place.into());
                self.deliver(flight);
            }
            Action::Duplicate(place) => {
                self.outside.spent.copies += 1;
                let flight = self.outside.flights[usize::from(place)].clone();
                self.deliver(flight);
            }
            Action::Lose(place) => {
                self.outside.spent.losses += 1;
                self.outside.ghosts.disturbed = true;
                self.outside.flights.remove(place.into());
            }
            Action::TimeOut(place) => {
                self.outside.ghosts.disturbed = true;
                let open = self.outside.open.remove(place.into());
                self.answer(open.side, open.token, Settled::NoResponse);
            }
            Action::GiveUp => {
                self.outside.ghosts.disturbed = true;
                self.outside.relayed = None;
            }
            Action::Tick(side) => self.tick(side),
            Action::Restart(side) => self.restart(side),
            Action::Answer(reply) => self.reply(reply),
            Action::Change(change) => self.change(change),
        }
        self.do_what_became_due();
        self.look();
    }

    fn broken(&self) -> Broken {
        self.broken
    }

    fn blobs(&self) -> [Vec<u8>; 3] {
        let now = self.outside.now;
        let mut blobs = <[Vec<u8>; 3]>::default();
        let [first, second, home] = &mut blobs;
        self.edges[0].snapshot(now, first);
        self.edges[1].snapshot(now, second);
        self.home.snapshot(now, home);
        blobs
    }

    fn digest(&self, blobs: &[Vec<u8>; 3]) -> u64 {
        let mut canonical = Canonical::default();
        for token in &self.outside.held_with {
            canonical.leave_out(*token);
        }
        for blob in blobs {
            canonical.blob(blob);
        }
        self.outside.write(&mut canonical);
        canonical.digest()
    }

    fn rest(&self, blobs: [Vec<u8>; 3]) -> Option<Rest> {
        let now = self.outside.now;
        let rests = |side| self.deadline(side).is_none_or(|(at, _)| at > now);
        let is_at_rest = self.outside.open.is_empty()
            && self.outside.asked.is_empty()
            && self.outside.ignored_until <= now
            && Side::ALL.into_iter().all(rests);
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

/// How something that a node waits for ends.
pub enum Settled<'a> {
    Response(&'a str),
    NoResponse,
}

impl World {
    fn of(setting: Setting, edges: [PcscfNode; 2], home: ScscfNode, outside: Outside) -> Self {
        Self {
            setting,
            edges,
            home,
            edge_out: Some(Outbox::for_steps(1)),
            home_out: Some(Outbox::for_steps(1)),
            outside,
            broken: Broken::default(),
            log: None,
        }
    }

    /// The contacts that the user has.
    pub fn contacts(&self) -> impl Iterator<Item = Which> + use<> {
        Which::ALL.into_iter().take(self.setting.contacts)
    }

    /// Which contacts are bound at the S-CSCF.
    pub fn bound(&self) -> [bool; 2] {
        let mut bound = [false; 2];
        for uri in self.home.contacts(PUBLIC.as_bytes()) {
            for which in Which::ALL {
                bound[which.place()] |= uri == which.uri().as_bytes();
            }
        }
        bound
    }

    /// Whether a P-CSCF has a contact, and nothing has been started to end it.
    pub fn knows(&self, side: Side, which: Which) -> bool {
        self.edges[side.place()].is_registered(which.uri().as_bytes())
    }

    /// Everything is delivered and answered, until nothing is left to do at once.
    fn settle(&mut self) {
        self.do_what_became_due();
        loop {
            if !self.outside.asked.is_empty() {
                self.reply(Reply::Well);
            } else if !self.outside.flights.is_empty() {
                let flight = self.outside.flights.remove(0);
                self.deliver(flight);
            } else {
                return;
            }
            self.do_what_became_due();
        }
    }

    fn answers(&self, side: Side, actions: &mut Vec<Action>) {
        let (spent, most) = (self.outside.spent, self.setting.most);
        actions.push(Action::Answer(Reply::Well));
        if spent.failures < most.failures {
            actions.push(Action::Answer(Reply::Failed));
            actions.push(Action::Answer(Reply::Nothing));
        }
        if spent.restarts < most.restarts {
            actions.push(Action::Restart(side));
        }
    }

    fn deliveries(&self, actions: &mut Vec<Action>) {
        let (spent, most) = (self.outside.spent, self.setting.most);
        for (place, flight) in self.outside.flights.iter().enumerate() {
            if self.outside.flights[..place].contains(flight) {
                continue;
            }
            let place = place as u8;
            actions.push(Action::Deliver(place));
            if spent.losses < most.losses {
                actions.push(Action::Lose(place));
            }
            if spent.copies < most.copies && status(&flight.text) == 0 {
                actions.push(Action::Duplicate(place));
            }
        }
    }

    /// Time goes on, if nothing is in flight, or it overtakes what is.
    fn passing(&self, actions: &mut Vec<Action>) {
        let Some(next) = self.next_deadline() else {
            return;
        };
        let (spent, most) = (self.outside.spent, self.setting.most);
        let overtakes = next > self.outside.now && !self.outside.flights.is_empty();
        let in_time = |flight: &Flight| next.since(flight.sent_at) <= TRANSACTION;
        let may_overtake = spent.overtakings < most.overtakings;
        if !overtakes || (may_overtake && self.outside.flights.iter().all(in_time)) {
            self.due(next, actions);
        }
    }

    /// A restart is felt only where it loses a transaction: see [`Rest`].
    fn restarts(&self, actions: &mut Vec<Action>) {
        if self.outside.spent.restarts >= self.setting.most.restarts {
            return;
        }
        for side in Side::ALL {
            let relays = self.outside.relayed.as_ref().map(|relayed| relayed.at);
            let holds = self.outside.held.as_ref().map(|held| held.at);
            let open = self.outside.open.iter().map(|open| open.side);
            if open.chain(relays).chain(holds).any(|own| own == side) {
                actions.push(Action::Restart(side));
            }
        }
    }

    fn changes(&self, actions: &mut Vec<Action>) {
        let outside = &self.outside;
        if outside.spent.changes >= self.setting.most.changes || outside.now > LAST_CHANGE {
            return;
        }
        let waits = outside.relayed.is_some() || outside.held.is_some();
        for which in self.contacts() {
            for side in Side::EDGES.into_iter().take(self.setting.edges) {
                if !waits {
                    actions.push(Action::Change(Change::Register(which, side)));
                }
                if self.knows(side, which) {
                    actions.push(Action::Change(Change::Lose(which, side)));
                }
            }
            if !waits && self.registered_at(which).is_some() {
                actions.push(Action::Change(Change::Deregister(which)));
            }
        }
    }

    pub fn deadline(&self, side: Side) -> Option<(Millis, Timer)> {
        match side {
            Side::Home => self.home.deadline(),
            edge => self.edges[edge.place()].deadline(),
        }
    }

    pub fn next_deadline(&self) -> Option<Millis> {
        let nodes = Side::ALL.into_iter().filter_map(|side| self.deadline(side));
        let open = self.outside.open.iter().map(|open| open.until);
        let relayed = self.outside.relayed.iter().map(|relayed| relayed.until);
        let all = nodes.map(|(at, _)| at).chain(open).chain(relayed).min();
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
        if self
            .outside
            .relayed
            .as_ref()
            .is_some_and(|relayed| relayed.until <= at)
        {
            actions.push(Action::GiveUp);
        }
        if actions.len() > all {
            return;
        }
        let is_due = |side: &Side| self.deadline(*side).is_some_and(|(due, _)| due <= at);
        actions.extend(Side::ALL.into_iter().filter(is_due).map(Action::Tick));
    }

    /// What the nodes themselves made due at once.
    fn do_what_became_due(&mut self) {
        for _ in 0..MOST_AT_ONCE {
            let now = self.outside.now;
            let at_once = |side: &Side| {
                let deadline = self.deadline(*side);
                deadline.is_some_and(|(at, timer)| at <= now && AT_ONCE.contains(&timer.0))
            };
            if let Some(side) = Side::ALL.into_iter().find(at_once) {
                self.tick(side);
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
            if !self.outside.flights.is_empty() {
                self.outside.spent.overtakings += 1;
                self.outside.ghosts.disturbed = true;
            }
            self.outside.now = next;
            self.note(|| format!("it is {next}"));
        }
    }

    fn deliver(&mut self, flight: Flight) {
        let (to, text) = (flight.to, flight.text.as_str());
        match to {
            _ if status(text) > 0 => self.respond(to, text),
            Side::Home => self.receive_at_home(text),
            edge => self.receive_at_edge(edge, text),
        }
    }

    /// A response comes in at a host: its transaction passes it on, or there is none any more.
    fn respond(&mut self, to: Side, text: &str) {
        let own = |open: &Open| open.side == to && open.branch == branch(text);
        let place = self.outside.open.iter().position(own);
        match place {
            Some(place) => {
                let open = self.outside.open.remove(place);
                self.answer(to, open.token, Settled::Response(text));
            }
            None => self.relay_back(to, text),
        }
    }

    /// What a node waited for is settled.
    pub fn answer(&mut self, side: Side, token: Token, settled: Settled<'_>) {
        match side {
            Side::Home => self.answer_home(
                token,
                match settled {
                    Settled::Response(text) => Answer::Response(text.as_bytes()),
                    Settled::NoResponse => Answer::Timeout,
                },
            ),
            edge => self.answer_edge(
                edge,
                token,
                match settled {
                    Settled::Response(text) => Answer::Response(text.as_bytes()),
                    Settled::NoResponse => Answer::Timeout,
                },
            ),
        }
    }

    fn tick(&mut self, side: Side) {
        match side {
            Side::Home => self.tick_home(),
            edge => self.tick_edge(edge),
        }
    }

    /// What was asked first is answered, or is not.
    fn reply(&mut self, reply: Reply) {
        let asked = self.outside.asked.remove(0);
        if reply != Reply::Well {
            self.outside.spent.failures += 1;
        }
        if reply == Reply::Nothing {
            self.outside.ignored_until = self.outside.now.after(QUESTION);
        }
        match asked.side {
            Side::Home => self.reply_to_home(asked, reply),
            edge => self.reply_to_edge(edge, asked.token, reply),
        }
    }

    fn restart(&mut self, side: Side) {
        self.outside.spent.restarts += 1;
        self.outside.lives += 1;
        let (now, ids) = (self.outside.now, identifiers(side, self.outside.lives));
        let mut blob = Vec::new();
        if side == Side::Home {
            self.home.snapshot(now, &mut blob);
            self.home = ScscfNode::restore(home_config(), ids, now, &blob).expect("a blob");
        } else {
            let node = &mut self.edges[side.place()];
            node.snapshot(now, &mut blob);
            let config = edge_config(side, self.setting);
            *node = PcscfNode::restore(config, ids, now, &blob).expect("a blob");
        }
        let outside = &mut self.outside;
        outside.open.retain(|open| open.side != side);
        outside.asked.retain(|asked| asked.side != side);
        let relays = outside.relayed.take_if(|relayed| relayed.at == side);
        let holds = outside.held.take_if(|held| held.at == side);
        outside.ghosts.disturbed |= relays.is_some() || holds.is_some();
    }

    fn change(&mut self, change: Change) {
        self.outside.spent.changes += 1;
        match change {
            Change::Register(which, side) => self.register_at_edge(side, which, REGISTERED),
            Change::Deregister(which) => {
                let side = self.registered_at(which).expect("it is registered");
                self.register_at_edge(side, which, 0);
            }
            Change::Lose(which, side) => self.lose_access(side, which),
        }
    }

    pub fn send(&mut self, to: Side, text: &str) {
        self.note(|| {
            let first = text.lines().next().unwrap_or_default();
            let more = ["CSeq", "Contact", "Expires", "Subscription-State"];
            let more = more.map(|name| header(text, name));
            format!("    to {to:?}: {first} {more:?}")
        });
        self.outside.flights.push(Flight {
            to,
            text: text.to_owned(),
            sent_at: self.outside.now,
        });
    }

    /// A request goes out in a transaction. After a restart it is the one that was out before.
    pub fn request(&mut self, side: Side, to: Side, token: Token, text: &str) {
        let branch = branch(text);
        let again = |open: &Open| open.side == side && open.branch == branch;
        self.outside.open.retain(|open| !again(open));
        self.outside.open.push(Open {
            side,
            token,
            branch: branch.to_owned(),
            until: self.outside.now.after(TRANSACTION),
        });
        self.send(to, text);
    }

    pub fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(log) = &mut self.log {
            log.push(line());
        }
    }
}

/// What a node wrote.
pub fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("the nodes write text")
}

/// Whether a message is a REGISTER by which a P-CSCF deregisters, and of which one.
pub fn is_of_pcscf(text: &str) -> Option<Side> {
    let asserted = header(text, "P-Asserted-Identity");
    let is_it = method(text) == "REGISTER" && status(text) == 0 && asserted.contains("pcscf");
    is_it.then(|| Side::named_in(asserted))
}
