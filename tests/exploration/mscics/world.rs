//! The shipped node, its host, and what is around it.

use std::fmt;

use ims_procedures::{
    drive::{Identifiers, Millis, Node, Outbox, Timer},
    mscics::{Config, MscNode, Mscics},
};

use super::{
    host::{Change, Release},
    outside::{Asked, Budget, Flight, Open, Outside, Procedure, Side, Whose, Wish},
    properties::{Broken, Property},
    registrar::deregisters,
};
use crate::{
    bed,
    shared::{
        canonical::Canonical,
        model,
        wire::{header, status},
    },
};

/// Milliseconds after which a client transaction gives up, 64·T1, and the longest that a message takes.
pub const TRANSACTION: u64 = 32_000;

/// How often the REGISTER is sent at most (MS-5).
pub const ATTEMPTS: u8 = 2;

/// What the REGISTER may be answered instead of 200.
const REFUSALS: [u16; 4] = [401, 403, 404, 503];

/// When everything begins, and until when the subscriber and the home network do something: it is time enough for every
/// attempt of a deregistration.
const BEGIN: Millis = Millis(1_000_000);
const LAST_CHANGE: Millis = BEGIN.after_seconds(300);

/// Dialogs of the subscriber at most.
const MOST_DIALOGS: usize = 2;

/// Timers that are due as soon as they run: hosts are prompt. And how many such steps may follow each other.
const AT_ONCE: [&str; 5] = [
    "release of dialogs to be asked for",
    "REGISTER to be sent",
    "SUBSCRIBE to be sent",
    "subscription anew",
    "turn of a subscriber",
];
const MOST_AT_ONCE: usize = 8;

/// What is explored, and how far.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Dialogs of the subscriber to begin with: 0, 1, which the host owns, or 2, of which the library holds one.
    pub dialogs: u8,
    /// The MSC server does not subscribe to the registration state (0), has done so (1), or is about to (2).
    pub subscribed: u8,
    /// How often each may happen.
    pub most: Budget,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            dialogs,
            subscribed,
            most,
        } = self;
        let told = ["not subscribed", "subscribed", "subscribing"][usize::from(*subscribed)];
        write!(f, "{dialogs} dialogs, {told}: {most}")
    }
}

/// What can happen next. Messages, transactions and releases are named by their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    Deliver(u8),
    /// The REGISTER that deregisters is answered with that status.
    Refuse(u8, u16),
    Lose(u8),
    /// Deliver it, and leave a copy in flight.
    Duplicate(u8),
    /// A client transaction gets no response.
    TimeOut(u8),
    /// The release of a dialog comes to its end.
    Release(u8, Release),
    /// It is not answered.
    Ignore(u8),
    /// The deadline of the node has come.
    Tick,
    /// From its own blob; its host has lost every transaction and question.
    Restart,
    Change(Change),
}

/// A world in which no transaction is open, nothing is asked and nothing due.
#[derive(Clone, Debug)]
pub struct Rest {
    outside: Outside,
    blob: Vec<u8>,
}

/// Everything.
pub struct World {
    pub setting: Setting,
    pub node: MscNode,
    pub out: Option<Outbox<Mscics>>,
    pub outside: Outside,
    /// What the node answered last.
    pub answered: Option<u16>,
    pub broken: Broken,
    /// What happened, for whoever reads it.
    log: Option<Vec<String>>,
}

fn identifiers(life: u64) -> Identifiers {
    Identifiers::new([7; 32], life, 3)
}

fn config(setting: Setting) -> Config {
    let mut config = bed::config();
    config.subscription.support_reg_event = setting.subscribed > 0;
    config.attempts = ATTEMPTS;
    // What the pacer learns of a home network is not in a blob while nobody waits: here it learns nothing.
    let pacing = &mut config.pacing;
    (pacing.burst, pacing.canaries, pacing.bad_streak) = (10_000, 0, 0);
    (pacing.hop_start_rate, pacing.hop_min_rate) = (pacing.hop_max_rate, pacing.hop_max_rate);
    pacing.retry_after_limit = 0;
    config
}

impl model::World for World {
    type Setting = Setting;
    type Action = Action;
    type Blobs = Vec<u8>;
    type Rest = Rest;
    type Property = Property;

    /// The subscriber is registered and has dialogs.
    fn new(setting: Setting) -> Self {
        let node = MscNode::new(config(setting), identifiers(1)).expect("a node");
        let mut world = Self::of(setting, node, Outside::new(BEGIN));
        world.register();
        for _ in 0..2 {
            world.deliver_first();
        }
        while setting.subscribed < 2 && !world.outside.flights.is_empty() {
            world.deliver_first();
        }
        for number in 0..setting.dialogs {
            world.add_dialog(number > 0);
        }
        world
    }

    fn from_rest(setting: Setting, rest: &Rest) -> Self {
        let mut outside = rest.outside.clone();
        outside.lives += 1;
        let (ids, now) = (identifiers(outside.lives), outside.now);
        let node = MscNode::restore(config(setting), ids, now, &rest.blob).expect("a blob");
        Self::of(setting, node, outside)
    }

    fn enabled(&self) -> Vec<Action> {
        let mut actions = Vec::new();
        self.deliveries(&mut actions);
        self.releases_of_dialogs(&mut actions);
        self.passing(&mut actions);
        self.restarts(&mut actions);
        self.changes(&mut actions);
        actions
    }

    fn act(&mut self, action: Action) {
        self.note(|| format!("{action:?}"));
        if let Action::TimeOut(_) | Action::Release(_, Release::TimedOut) | Action::Tick = action {
            self.pass();
        }
        match action {
            Action::Deliver(place) => {
                let flight = self.outside.flights.remove(place.into());
                self.deliver(&flight, 200);
            }
            Action::Refuse(place, status) => {
                self.outside.spent.refusals += 1;
                let flight = self.outside.flights.remove(place.into());
                self.deliver(&flight, status);
            }
            Action::Duplicate(place) => {
                self.outside.spent.copies += 1;
                let flight = self.outside.flights[usize::from(place)].clone();
                self.deliver(&flight, 200);
            }
            Action::Lose(place) => {
                self.outside.spent.losses += 1;
                self.outside.ghosts.disturbed = true;
                self.outside.flights.remove(place.into());
            }
            Action::TimeOut(place) => {
                self.outside.ghosts.disturbed = true;
                let open = self.outside.open.remove(place.into());
                self.settle_transaction(&open, None);
            }
            Action::Release(place, how) => {
                let asked = self.outside.asked.remove(place.into());
                self.outside.spent.failures += u8::from(how == Release::Failed);
                self.release(&asked, how);
            }
            Action::Ignore(place) => self.ignore(place.into()),
            Action::Tick => self.tick(),
            Action::Restart => self.restart(),
            Action::Change(change) => {
                self.outside.spent.changes += 1;
                self.change(change);
            }
        }
        self.do_what_became_due();
        self.forget_at_home();
        self.look();
    }

    fn broken(&self) -> Broken {
        self.broken
    }

    fn blobs(&self) -> Vec<u8> {
        let mut blob = Vec::new();
        self.node.snapshot(self.outside.now, &mut blob);
        blob
    }

    fn digest(&self, blob: &Vec<u8>) -> u64 {
        let mut canonical = Canonical::default();
        canonical.blob(blob);
        self.outside.write(&mut canonical);
        canonical.digest()
    }

    fn rest(&self, blob: Vec<u8>) -> Option<Rest> {
        let outside = &self.outside;
        let is_at_rest = outside.open.is_empty()
            && outside.asked.is_empty()
            && outside.ghosts.releasing.is_empty()
            && self.node.deadline().is_none_or(|(at, _)| at > outside.now);
        is_at_rest.then(|| Rest {
            outside: outside.clone(),
            blob,
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
    fn of(setting: Setting, node: MscNode, outside: Outside) -> Self {
        Self {
            setting,
            node,
            out: Some(Outbox::for_steps(1)),
            outside,
            answered: None,
            broken: Broken::default(),
            log: None,
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
            if spent.refusals < most.refusals && deregisters(&flight.text) {
                actions.extend(REFUSALS.map(|status| Action::Refuse(place, status)));
            }
            if spent.losses < most.losses {
                actions.push(Action::Lose(place));
            }
            if spent.copies < most.copies && status(&flight.text) == 0 {
                actions.push(Action::Duplicate(place));
            }
        }
    }

    fn releases_of_dialogs(&self, actions: &mut Vec<Action>) {
        let may_fail = self.outside.spent.failures < self.setting.most.failures;
        for (place, asked) in self.outside.asked.iter().enumerate() {
            let place = place as u8;
            if asked.until.is_some() {
                continue;
            }
            actions.push(Action::Release(place, Release::Done));
            if may_fail && !self.outside.is_stale(asked) {
                actions.push(Action::Release(place, Release::Failed));
                actions.push(Action::Ignore(place));
            }
        }
    }

    /// Time goes on, if nothing is in flight or asked, or it overtakes what is in flight. A transaction that gives up
    /// is told first: its timers began before those of whoever opened it.
    fn passing(&self, actions: &mut Vec<Action>) {
        let outside = &self.outside;
        let Some(next) = self.next_deadline() else {
            return;
        };
        let is_asked = |asked: &Asked| asked.until.is_none();
        if next > outside.now && outside.asked.iter().any(is_asked) {
            return;
        }
        let overtakes = next > outside.now && !outside.flights.is_empty();
        let in_time = |flight: &Flight| next.since(flight.sent_at) <= TRANSACTION;
        let may_overtake = outside.spent.overtakings < self.setting.most.overtakings;
        if overtakes && !(may_overtake && outside.flights.iter().all(in_time)) {
            return;
        }
        let all = actions.len();
        for (place, open) in outside.open.iter().enumerate() {
            if open.until <= next {
                actions.push(Action::TimeOut(place as u8));
            }
        }
        for (place, asked) in outside.asked.iter().enumerate() {
            if asked.until.is_some_and(|until| until <= next) {
                actions.push(Action::Release(place as u8, Release::TimedOut));
            }
        }
        if actions.len() == all {
            actions.push(Action::Tick);
        }
    }

    /// A restart is felt only where it loses a transaction or a question: see [`Rest`].
    fn restarts(&self, actions: &mut Vec<Action>) {
        let outside = &self.outside;
        let own = |open: &Open| open.whose != Whose::Home;
        let is_felt = outside.open.iter().any(own)
            || !outside.asked.is_empty()
            || !outside.ghosts.releasing.is_empty();
        if is_felt && outside.spent.restarts < self.setting.most.restarts {
            actions.push(Action::Restart);
        }
    }

    fn changes(&self, actions: &mut Vec<Action>) {
        let outside = &self.outside;
        if outside.spent.changes >= self.setting.most.changes || outside.now > LAST_CHANGE {
            return;
        }
        let ghosts = &outside.ghosts;
        let (is_here, waits) = (self.is_here(), self.registers());
        let may = |change, may: bool| may.then_some(Action::Change(change));
        let is_active = ghosts.wish == Wish::Active;
        let is_registered = is_active && ghosts.procedure == Procedure::Registered;
        let has_room = is_here && ghosts.dialogs.len() < MOST_DIALOGS;
        actions.extend(
            [
                may(Change::Inactive, is_here),
                may(Change::Return, !is_active && !waits),
                may(Change::Renew, is_registered && !waits),
                may(Change::Move, is_registered && !waits),
                may(Change::Dialog(false), has_room),
                may(Change::Dialog(true), has_room),
                may(Change::Remove, outside.is_bound()),
                may(Change::Tell, outside.registrar.is_subscribed()),
            ]
            .into_iter()
            .flatten(),
        );
        let ends = |(dialog, _): &(u64, bool)| Action::Change(Change::DialogEnds(*dialog));
        actions.extend(ghosts.dialogs.iter().map(ends));
    }

    pub fn next_deadline(&self) -> Option<Millis> {
        let node = self.node.deadline().map(|(at, _)| at);
        let open = self.outside.open.iter().map(|open| open.until);
        let asked = self.outside.asked.iter().filter_map(|asked| asked.until);
        let all = node.into_iter().chain(open).chain(asked).min();
        all.map(|at| at.max(self.outside.now))
    }

    /// What the node itself made due at once.
    fn do_what_became_due(&mut self) {
        let at_once = |(at, timer): (Millis, Timer), now| at <= now && AT_ONCE.contains(&timer.0);
        for _ in 0..MOST_AT_ONCE {
            let now = self.outside.now;
            match self.node.deadline() {
                Some(deadline) if at_once(deadline, now) => self.tick(),
                _ => return,
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

    fn deliver_first(&mut self) {
        let flight = self.outside.flights.remove(0);
        self.deliver(&flight, 200);
        self.do_what_became_due();
        self.forget_at_home();
    }

    fn deliver(&mut self, flight: &Flight, code: u16) {
        let Flight { to, text, .. } = flight;
        match to {
            Side::Msc => self.receive_at_msc(text),
            Side::Home if status(text) > 0 => self.respond(text),
            Side::Home => self.receive_at_home(text, code),
        }
    }

    /// The release of a dialog is not answered: a BYE times out, a question is forgotten.
    fn ignore(&mut self, place: usize) {
        self.outside.spent.failures += 1;
        let asked = &mut self.outside.asked;
        match asked[place].held {
            true => asked[place].until = Some(self.outside.now.after(TRANSACTION)),
            false => _ = asked.remove(place),
        }
    }

    fn restart(&mut self) {
        self.outside.spent.restarts += 1;
        self.outside.lives += 1;
        let (now, ids) = (self.outside.now, identifiers(self.outside.lives));
        let blob = model::World::blobs(self);
        self.node = MscNode::restore(config(self.setting), ids, now, &blob).expect("a blob");
        let outside = &mut self.outside;
        outside.ghosts.disturbed |= outside.open.iter().any(|open| open.whose == Whose::Host);
        outside.open.retain(|open| open.whose == Whose::Home);
        outside.asked.clear();
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

    pub fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(log) = &mut self.log {
            log.push(line());
        }
    }
}
