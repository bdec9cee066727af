//! The shipped node, its host, and the legs of the session.

use ims_procedures::{
    cpm::{self, Command, Cpm, CpmNode, Mode, Question},
    drive::{Answer, Millis, Node, Outbox, Source, Timer, Token, TransactionRef, Verdict},
    persistence::Reading,
};

use super::{
    door::{Door, Kept, Put, STORE, config, fresh, identifiers, own},
    outside::{Asked, Budget, Bye, Open, Outside, TRANSACTION, Write},
    properties::{Broken, Property},
    scenario::{CLIENT, FIRST_IWF, LEGS, Manner, OTHER, Scenario, Storage, UID, add_uid},
};
use crate::shared::{
    canonical::Canonical,
    model,
    wire::{branch, method, response},
};

/// Milliseconds that a slow message store takes.
const SLOW: u64 = 5_000;

const BEGIN: Millis = Millis(1_000_000);

/// Timers that are due as soon as they run: hosts are prompt. And how many such steps may follow each other.
const AT_ONCE: [&str; 7] = [
    "question offered again",
    "BYE to be sent",
    "re-INVITE to be sent",
    "ACK to be sent",
    "outputs that were withheld",
    "blob to be stored",
    "store",
];
const MOST_AT_ONCE: usize = 16;

/// What is explored, and how far.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    pub scenario: Scenario,
    pub kept: Kept,
    pub most: Budget,
}

/// What can happen next. Legs and transactions are named by their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// The BYE of a leg comes, for the first time.
    Bye(u8),
    /// It comes again, as it was not answered before the node restarted.
    Again(u8),
    /// It comes again.
    Copy(u8),
    /// A leg answers.
    Answer(u8),
    /// Its answer, or the request, is lost.
    Lose(u8),
    /// The 2xx of a re-INVITE comes again.
    CopyAnswer(u8),
    /// The message store answers.
    Store,
    /// Time goes on to the next deadline, of whoever it is.
    Pass,
    /// The node restarts; its host has lost every transaction.
    Restart,
    /// The blob is written.
    Write,
    /// The node restarts before that, or after it and before it is told.
    Crash { written: bool },
}

/// The session before the first BYE.
#[derive(Clone, Debug)]
pub struct Rest {
    outside: Outside,
    blob: Vec<u8>,
}

/// Everything.
pub struct World {
    pub setting: Setting,
    door: Door,
    out: Option<Outbox<Cpm>>,
    pub outside: Outside,
    pub broken: Broken,
    /// What happened, for whoever reads it.
    log: Option<Vec<String>>,
}

impl model::World for World {
    type Setting = Setting;
    type Action = Action;
    type Blobs = Vec<u8>;
    type Rest = Rest;
    type Property = Property;

    /// The session is established. The node has restarted since, so that it is the same whether it comes from a rest.
    fn new(setting: Setting) -> Self {
        let mut world = Self::of(setting, fresh(setting.kept, 1), Outside::new(BEGIN));
        setting.scenario.establish(|shown| {
            world.call(|door, now, out| {
                let taken = door.command(now, Command::Establish(shown), out);
                assert_eq!(taken.expect("a command"), Verdict::Handled);
            });
        });
        while !world.outside.writes.is_empty() {
            world.write_blob();
        }
        let blob = world.blob();
        Self::from_rest(
            setting,
            &Rest {
                outside: world.outside,
                blob,
            },
        )
    }

    fn from_rest(setting: Setting, rest: &Rest) -> Self {
        let mut world = Self::of(setting, fresh(setting.kept, 1), rest.outside.clone());
        world.outside.lives = 2;
        world.come_back(&rest.blob);
        world
    }

    fn enabled(&self) -> Vec<Action> {
        let mut actions = Vec::new();
        let (spent, most) = (self.outside.spent, self.setting.most);
        let may_restart = spent.restarts < most.restarts;
        if !self.outside.writes.is_empty() {
            actions.push(Action::Write);
            if may_restart {
                actions.push(Action::Crash { written: false });
                actions.push(Action::Crash { written: true });
            }
            return actions;
        }
        self.byes(&mut actions);
        self.answers(&mut actions);
        if self.store_answers() {
            actions.push(Action::Store);
        }
        if may_restart && self.outside.byes.iter().any(Option::is_some) {
            actions.push(Action::Restart);
        }
        self.passing(&mut actions);
        actions
    }

    fn act(&mut self, action: Action) {
        self.note(|| format!("{action:?}"));
        if !matches!(
            action,
            Action::Restart | Action::Write | Action::Crash { .. }
        ) {
            self.release_media();
        }
        if !matches!(action, Action::Write | Action::Crash { .. }) {
            self.outside.ghosts.told_before = self.outside.ghosts.told.clone();
        }
        if action != Action::Write {
            self.outside.written = 0;
        }
        match action {
            Action::Bye(place) => self.receive_bye(place.into()),
            Action::Again(place) => self.receive_again(place.into()),
            Action::Copy(place) => {
                self.outside.spent.copies += 1;
                self.receive_again(place.into());
            }
            Action::Answer(place) => self.answer_request(place.into()),
            Action::Lose(place) => {
                self.outside.spent.losses += 1;
                self.outside.open[usize::from(place)].lost = true;
            }
            Action::CopyAnswer(place) => {
                self.outside.spent.copies += 1;
                self.answer_request(place.into());
            }
            Action::Store => self.answer_store(),
            Action::Pass => self.pass(),
            Action::Restart => self.restart(),
            Action::Write => {
                self.outside.written += 1;
                self.write_blob();
            }
            Action::Crash { written } => self.crash(written),
        }
        self.do_what_became_due();
        self.look();
    }

    fn broken(&self) -> Broken {
        self.broken
    }

    fn blobs(&self) -> Vec<u8> {
        self.blob()
    }

    fn digest(&self, blob: &Vec<u8>) -> u64 {
        let mut canonical = Canonical::default();
        canonical.blob(blob);
        self.outside.write(&mut canonical);
        let scenario = self.setting.scenario;
        canonical.number(scenario.storage as u64);
        canonical.number(scenario.source as u64);
        for place in scenario.places() {
            let is_over = self.outside.ghosts.told.ends[place].is_some()
                && self.setting.most.restarts == self.outside.spent.restarts
                && self.outside.byes[place].is_some();
            let manner = scenario.manners[place] as u64;
            canonical.number(if is_over { u64::MAX } else { manner });
        }
        canonical.digest()
    }

    fn rest(&self, blob: Vec<u8>) -> Option<Rest> {
        let has_begun = self.outside.byes.iter().any(Option::is_some);
        (!has_begun).then(|| Rest {
            outside: self.outside.clone(),
            blob,
        })
    }

    fn keep_log(&mut self) {
        let first = format!("{}, {:?}", self.setting.scenario, self.setting.kept);
        self.log = Some(vec![first]);
    }

    fn log(self) -> Vec<String> {
        self.log.unwrap_or_default()
    }
}

impl World {
    fn of(setting: Setting, door: Door, outside: Outside) -> Self {
        Self {
            setting,
            out: Some(match &door {
                Door::Whole(_) => Outbox::for_steps(1),
                Door::Stored(node) => node.outbox(1),
            }),
            door,
            outside,
            broken: Broken::default(),
            log: None,
        }
    }

    pub fn node(&self) -> &CpmNode {
        self.door.node()
    }

    pub fn deadline(&self) -> Option<(Millis, Timer)> {
        self.door.deadline()
    }

    pub fn is_proxy(&self) -> bool {
        self.setting.scenario.mode == Mode::Proxy
    }

    fn blob(&self) -> Vec<u8> {
        let mut blob = Vec::new();
        self.node().snapshot(self.outside.now, &mut blob);
        blob
    }

    /// Legs end the session, or say so again.
    fn byes(&self, actions: &mut Vec<Action>) {
        let scenario = self.setting.scenario;
        let (spent, most) = (self.outside.spent, self.setting.most);
        let has_begun = self.outside.byes[scenario.source].is_some();
        for place in scenario.places().filter(|place| self.moves_first(*place)) {
            let named = place as u8;
            match &self.outside.byes[place] {
                None if place == scenario.source => actions.push(Action::Bye(named)),
                None if has_begun && scenario.manners[place] == Manner::Crosses => {
                    actions.push(Action::Bye(named));
                }
                None => {}
                Some(bye) if bye.again => actions.push(Action::Again(named)),
                Some(bye) => {
                    let in_time = self.outside.now.since(bye.sent_at) < TRANSACTION;
                    if in_time && spent.copies < most.copies {
                        actions.push(Action::Copy(named));
                    }
                }
            }
        }
    }

    /// Legs answer, or do not.
    fn answers(&self, actions: &mut Vec<Action>) {
        let (spent, most) = (self.outside.spent, self.setting.most);
        for (number, open) in self.outside.open.iter().enumerate() {
            if !self.moves_first(open.place) || open.lost {
                continue;
            }
            let number = number as u8;
            if open.accepted {
                // Whoever has ended the session does not wait for the ACK.
                let waits =
                    self.outside.now < open.until && self.outside.byes[open.place].is_none();
                if waits && spent.copies < most.copies {
                    actions.push(Action::CopyAnswer(number));
                }
            } else if self.status_of(open).is_some() {
                actions.push(Action::Answer(number));
                if spent.losses < most.losses {
                    actions.push(Action::Lose(number));
                }
            }
        }
    }

    /// Of IWFs that are alike, and have come as far, the first is to move: the others would bring about the same.
    fn moves_first(&self, place: usize) -> bool {
        let like = |other: usize| self.situation(other) == self.situation(place);
        place < FIRST_IWF || !(FIRST_IWF..place).any(like)
    }

    fn situation(&self, place: usize) -> impl PartialEq + use<> {
        let scenario = self.setting.scenario;
        let outside = &self.outside;
        let bye = outside.byes[place].as_ref();
        let bye = bye.map(|bye| (bye.sent_at, bye.answer.is_some(), bye.again));
        let open = outside.open.iter().filter(|open| open.place == place);
        let open: Vec<_> = open.map(|open| (open.until, open.lost)).collect();
        let ghosts = &outside.ghosts;
        let sent = ghosts.sent[place]
            .as_ref()
            .map(|(_, at, life)| (*at, *life));
        let ends = (ghosts.told.ends[place], ghosts.reported[place]);
        let is_source = place == scenario.source;
        (scenario.manners[place], is_source, bye, open, sent, ends)
    }

    /// What a leg answers.
    fn status_of(&self, open: &Open) -> Option<u16> {
        let is_invite = method(&open.text) == "INVITE";
        let seen = self.outside.ghosts.invites;
        match self.setting.scenario.manners[open.place] {
            Manner::Accepts => Some(200),
            Manner::Unknown => Some(481),
            Manner::TimesOut => Some(408),
            Manner::Unavailable => Some(503),
            Manner::Silent => None,
            // It has got the re-INVITE before, and the BYE after its own.
            Manner::Crosses if is_invite => Some(200),
            Manner::Crosses => Some(481),
            Manner::Glares if is_invite && seen == 1 => Some(491),
            Manner::Glares => Some(200),
        }
    }

    /// Whether the message store answers now, if nothing else comes before it.
    fn store_answers(&self) -> bool {
        let is_due = self
            .deadline()
            .is_some_and(|(at, _)| at <= self.outside.now);
        let Some(asked) = self
            .outside
            .asked
            .as_ref()
            .filter(|asked| asked.token.is_some())
        else {
            return false;
        };
        match self.setting.scenario.storage {
            Storage::Off | Storage::Well | Storage::Fails => !is_due,
            Storage::Slow => false,
            Storage::Late => !is_due && self.outside.now >= asked.until,
        }
    }

    /// Time goes on, if no answer is on its way, or it overtakes them.
    fn passing(&self, actions: &mut Vec<Action>) {
        let Some(next) = self.next_deadline() else {
            return;
        };
        let (spent, most) = (self.outside.spent, self.setting.most);
        let overtakes = next > self.outside.now && self.is_awaited();
        if self.is_bye_under_way() {
            return;
        }
        if !overtakes || spent.overtakings < most.overtakings {
            actions.push(Action::Pass);
        }
    }

    /// Whether a BYE is certain to come soon: again, or that of a leg which ours, or the one that was passed on, has found
    /// gone.
    fn is_bye_under_way(&self) -> bool {
        let scenario = self.setting.scenario;
        let mut places = scenario.places();
        places.any(|place| {
            scenario.manners[place] == Manner::Crosses
                && self.outside.byes[place].is_none()
                && self.outside.ghosts.told.ends[place].is_some()
        }) || self.outside.byes.iter().flatten().any(|bye| bye.again)
    }

    /// Whether something is on its way that takes no time.
    fn is_awaited(&self) -> bool {
        let answers = |open: &Open| !open.lost && !open.accepted && self.status_of(open).is_some();
        let store = matches!(
            self.setting.scenario.storage,
            Storage::Well | Storage::Fails
        );
        let outside = &self.outside;
        outside.open.iter().any(answers) || (store && self.store_answers())
    }

    fn next_deadline(&self) -> Option<Millis> {
        let open = self.outside.open.iter().filter(|open| !open.accepted);
        let open = open.map(|open| open.until);
        let node = self.deadline().map(|(at, _)| at);
        let all = open.chain(node).chain(self.slow_answer()).min();
        all.map(|at| at.max(self.outside.now))
    }

    /// When a slow message store answers.
    fn slow_answer(&self) -> Option<Millis> {
        let asked = self.outside.asked.as_ref()?;
        let is_slow = self.setting.scenario.storage == Storage::Slow && asked.token.is_some();
        is_slow.then(|| asked.at.after(SLOW))
    }

    /// A transaction that gives up is told first, then the message store answers, then the node acts.
    fn pass(&mut self) {
        let Some(next) = self.next_deadline() else {
            return;
        };
        if next > self.outside.now {
            if self.is_awaited() {
                self.outside.spent.overtakings += 1;
            }
            self.outside.now = next;
            self.note(|| format!("it is {next}"));
            self.time_passes();
        }
        let gives_up = |open: &Open| !open.accepted && open.until <= next;
        let silent = self.outside.open.iter().position(gives_up);
        if let Some(place) = silent {
            let open = self.outside.open.remove(place);
            self.hears_nothing(&open);
            if let Some(token) = open.token {
                self.answer(token, Answer::Timeout);
            }
        } else if self.slow_answer().is_some_and(|at| at <= next) {
            self.answer_store();
        } else {
            self.tick();
        }
    }

    fn tick(&mut self) {
        self.call(|door, now, out| door.tick(now, out).expect("a tick"));
    }

    /// What the node itself made due at once.
    fn do_what_became_due(&mut self) {
        for _ in 0..MOST_AT_ONCE {
            let now = self.outside.now;
            let deadline = self.deadline();
            let at_once = deadline.filter(|(at, timer)| *at <= now && AT_ONCE.contains(&timer.0));
            if at_once.is_none() || !self.outside.writes.is_empty() {
                return;
            }
            self.tick();
        }
    }

    fn receive_bye(&mut self, place: usize) {
        self.outside.byes[place] = Some(Bye {
            sent_at: self.outside.now,
            until: self.outside.now.after(TRANSACTION),
            answer: None,
            again: false,
            given_up: false,
            copied: false,
        });
        self.receive(place);
    }

    fn receive_again(&mut self, place: usize) {
        if let Some(bye) = &mut self.outside.byes[place] {
            (bye.again, bye.copied) = (false, bye.answer.is_some());
        }
        self.receive(place);
        if let Some(bye) = &mut self.outside.byes[place] {
            bye.copied &= !self.outside.writes.is_empty();
        }
    }

    fn receive(&mut self, place: usize) {
        self.has_ended(place);
        let text = &self.setting.scenario.script().byes[place];
        let txn = handle(self.outside.lives, place);
        self.call(|door, now, out| {
            let taken = door.receive(now, Source::TrustedCore, txn, text.as_bytes(), out);
            let verdict = taken.expect("a message");
            assert!(
                matches!(verdict, Verdict::Handled | Verdict::Rejected(_)),
                "{verdict:?}"
            );
        });
    }

    /// A request of the node is answered, or a re-INVITE again.
    fn answer_request(&mut self, number: usize) {
        let open = self.outside.open[number].clone();
        let status = self.status_of(&open).unwrap_or(200);
        let is_invite = method(&open.text) == "INVITE";
        if is_invite && status == 200 {
            let until = self.outside.now.after(TRANSACTION);
            let open = &mut self.outside.open[number];
            if !std::mem::replace(&mut open.accepted, true) {
                open.until = until;
            }
        } else {
            self.outside.open.remove(number);
        }
        self.hears(&open, status);
        let text = add_uid(&response(status, &open.text));
        match open.token {
            Some(token) => self.answer(token, Answer::Response(text.as_bytes())),
            None => self.receive_answer(&text),
        }
    }

    /// The 2xx of a re-INVITE comes again to a host that has lost its transaction.
    fn receive_answer(&mut self, text: &str) {
        self.call(|door, now, out| {
            let txn = TransactionRef(u64::MAX);
            let taken = door.receive(now, Source::TrustedCore, txn, text.as_bytes(), out);
            taken.expect("a message");
        });
    }

    fn answer_store(&mut self) {
        let Some(token) = self
            .outside
            .asked
            .as_mut()
            .and_then(|asked| asked.token.take())
        else {
            return;
        };
        let is_stored = self.setting.scenario.storage != Storage::Fails;
        self.store_is_heard(is_stored);
        self.answer(
            token,
            match is_stored {
                true => cpm::Answer::Stored {
                    uid: UID.as_bytes(),
                }
                .into(),
                false => cpm::Answer::StoreFailed.into(),
            },
        );
    }

    fn release_media(&mut self) {
        for token in std::mem::take(&mut self.outside.media) {
            self.answer(token, cpm::Answer::MediaReleased.into());
            while !self.outside.writes.is_empty() {
                self.write_blob();
            }
        }
    }

    fn answer(&mut self, token: Token, answer: Answer<'_, Cpm>) {
        self.call(|door, now, out| door.answer(now, token, answer, out).expect("an answer"));
    }

    /// The blob of the session is written.
    fn write_blob(&mut self) {
        let write = self.outside.writes.remove(0);
        let token = write.token;
        self.put_blob(write);
        self.answer(token, Answer::Stored);
    }

    fn put_blob(&mut self, write: Write) {
        let blobs = &mut self.outside.blobs;
        let stands = blobs.get(&write.key).map_or(0, |(version, _)| *version);
        assert_eq!(stands, write.expected, "nobody else writes");
        self.outside.written_at = self.outside.now;
        self.outside.ghosts.told_before = self.outside.ghosts.told.clone();
        match write.blob {
            Some(blob) => _ = blobs.insert(write.key, blob),
            None => _ = blobs.remove(&write.key),
        }
    }

    fn restart(&mut self) {
        self.outside.spent.restarts += 1;
        self.outside.lives += 1;
        let blob = self.blob();
        self.come_back(&blob);
        self.outside.open.retain(|open| open.accepted);
        for open in &mut self.outside.open {
            open.token = None;
        }
        self.outside.media.clear();
        // A session that is read back has the time that it had when it was written.
        let more = match self.setting.kept {
            Kept::Whole => 0,
            Kept::Stored => self.outside.now.since(self.outside.written_at),
        };
        self.outside.written_at = self.outside.now;
        if let Some(asked) = &mut self.outside.asked {
            asked.token = None;
            asked.until = asked.until.after(more);
        }
        let now = self.outside.now;
        for bye in self.outside.byes.iter_mut().flatten() {
            let in_time = now.since(bye.sent_at) < TRANSACTION;
            bye.again = bye.answer.is_none() && in_time;
            bye.given_up = bye.answer.is_none() && !in_time;
            bye.copied = false;
            bye.until = bye.until.after(more);
        }
        for (_, until, _) in self.outside.ghosts.sent.iter_mut().flatten() {
            *until = until.after(more);
        }
        self.owes_acks_again(more);
        let ghosts = &mut self.outside.ghosts;
        ghosts.told_before = ghosts.told.clone();
    }

    /// It restarts while a blob is to be written.
    fn crash(&mut self, written: bool) {
        let write = self.outside.writes.remove(0);
        self.outside.writes.clear();
        match written {
            true => self.put_blob(write),
            false => self.outside.ghosts.told = self.outside.ghosts.told_before.clone(),
        }
        self.restart();
    }

    /// The node from what was kept of it.
    fn come_back(&mut self, blob: &[u8]) {
        let (now, ids) = (self.outside.now, identifiers(self.outside.lives));
        match &mut self.door {
            Door::Whole(node) => {
                **node = CpmNode::restore(config(), ids, now, blob).expect("a blob");
            }
            Door::Stored(_) => {
                self.door = fresh(Kept::Stored, self.outside.lives);
                let Door::Stored(node) = &mut self.door else {
                    return;
                };
                for (key, (version, blob)) in &self.outside.blobs {
                    let taken = node.adopt(now, key, *version, blob, Reading::Latest);
                    taken.expect("a blob");
                }
            }
        }
    }

    /// One step of the node, and all it wants done.
    fn call(&mut self, step: impl FnOnce(&mut dyn Node<Role = Cpm>, Millis, &mut Outbox<Cpm>)) {
        let mut out = self.out.take().expect("one at a time");
        step(self.door.open(), self.outside.now, &mut out);
        let all: Vec<Put> = out.iter().map(own).collect();
        out.clear();
        self.out = Some(out);
        for put in all {
            self.put(put);
        }
        let is_prompt = self.outside.spent.restarts >= self.setting.most.restarts;
        if is_prompt && !self.outside.writes.is_empty() {
            self.write_blob();
        }
    }

    fn put(&mut self, put: Put) {
        match put {
            Put::Request(token, text) => {
                let place = self.requests(&text);
                let same = |open: &Open| branch(&open.text) == branch(&text);
                self.outside
                    .open
                    .retain(|open| !same(open) && !open.accepted);
                self.outside.open.push(Open {
                    place,
                    token: Some(token),
                    until: self.outside.now.after(TRANSACTION),
                    text,
                    lost: false,
                    accepted: false,
                });
            }
            Put::Acknowledge(text) => self.acknowledges(&text),
            Put::Respond(to, text) => self.responds(to, text),
            Put::Ask(token, Question::MediaRelease { key, scope, .. }) => {
                self.releases(key, scope);
                self.outside.media.push(token);
            }
            Put::Ask(token, Question::SessionStorage { key, .. }) => {
                self.stores(key);
                let (now, before) = (self.outside.now, self.outside.asked.as_ref());
                let times = before.map(|own| (own.at, own.until));
                let (at, until) = times.unwrap_or((now, now.after(STORE)));
                self.outside.asked = Some(Asked {
                    key,
                    at,
                    until,
                    token: Some(token),
                    life: self.outside.lives,
                });
            }
            Put::Ask(_, other) => panic!("{other:?}"),
            Put::Event(event) => self.reports(&event),
            Put::Write(write) => self.outside.writes.push(write),
        }
    }

    pub fn breaks(&mut self, property: Property) {
        self.note(|| format!("    breaks {property:?}"));
        if self.broken.is_none() {
            self.broken.add(property);
        }
    }

    pub fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(log) = &mut self.log {
            log.push(line());
        }
    }
}

/// The host's handle of a BYE's transaction, which is another in each life; and whose BYE it is, in that life.
const fn handle(life: u64, place: usize) -> TransactionRef {
    TransactionRef(life * LEGS as u64 + place as u64)
}

pub fn place_of(to: TransactionRef, life: u64) -> Option<usize> {
    (0..LEGS).find(|place| handle(life, *place) == to)
}

/// The other end of a dialog that is proxied.
pub const fn far_of(place: usize) -> usize {
    CLIENT + OTHER - place
}
