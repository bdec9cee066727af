//! A P-CSCF whose users are stored is shut down: what its host hears, and when REGISTERs leave.

use std::collections::{BTreeMap, BTreeSet};

use ims_procedures::{
    drive::{self, Answer, Identifiers, Initiator, Millis, Node, Outbox, Output, Token},
    pcscf::{self, Cause, Command, Event, Outcome, Pcscf, PcscfNode, Shutdown},
    persistence::{Config, Persistent, Reading},
};

use crate::{
    pcscf::response,
    store::{Store, Written},
};

/// When a store answers what it is told at an instant.
type Answers = fn(u64) -> u64;

/// What comes later.
enum Later {
    Home(Token, Vec<u8>),
    Done(Token),
    Store(Token, Written),
}

/// What the host has heard, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Heard {
    End(String),
    TakenOver,
    Progress,
    /// The shutdown has ended, and so many writes are not answered.
    Ended(usize),
}

/// A node, its store, its home network, and its host.
struct World {
    config: pcscf::Config,
    order: Shutdown,
    node: Persistent<PcscfNode>,
    incarnation: u64,
    out: Outbox<Pcscf>,
    now: u64,
    store: Store,
    /// Milliseconds after which the home network answers.
    latency: u64,
    /// When the store answers what it is told at an instant.
    store_answers: Answers,
    /// From then on another node writes before this one.
    conflicts_from: u64,
    later: BTreeMap<(u64, usize), Later>,
    numbers: usize,
    branches: BTreeSet<String>,
    /// When each REGISTER left.
    sent: Vec<u64>,
    heard: Vec<Heard>,
    ended: BTreeMap<String, (Cause, Outcome)>,
    audited: BTreeSet<String>,
    /// Outputs done, and before which of them it crashes.
    done: usize,
    crash: Option<usize>,
}

fn config(rate: u32, burst: u32) -> pcscf::Config {
    let mut config = crate::world::pcscf_config();
    config.subscription.support_reg_event = false;
    let pacing = &mut config.pacing;
    (pacing.rate, pacing.burst, pacing.canaries) = (rate, burst, 0);
    (pacing.hop_start_rate, pacing.hop_max_rate) = (rate, rate);
    config
}

fn user(number: usize) -> (String, String) {
    let common = format!(
        "From: <sip:user{number}@home1.example.net>;tag=u\r\nTo: <sip:user{number}@home1.example.net>\r\n\
         Call-ID: ue{number}\r\nCSeq: 1 REGISTER\r\nContact: <sip:user{number}@192.0.2.1>;expires=3600\r\n"
    );
    let request = format!(
        "REGISTER sip:home1.example.net SIP/2.0\r\n{common}\
         Authorization: Digest username=\"private{number}\",realm=\"h\",nonce=\"\",uri=\"sip:h\",response=\"\"\r\n\
         Path: <sip:term@pcscf1.visited1.example.net:5070;lr>\r\nContent-Length: 0\r\n\r\n"
    );
    let response = format!(
        "SIP/2.0 200 OK\r\n{common}P-Associated-URI: <sip:user{number}@home1.example.net>\r\n\
         Content-Length: 0\r\n\r\n"
    );
    (request, response)
}

fn node(config: &pcscf::Config, incarnation: u64) -> Persistent<PcscfNode> {
    let identifiers = Identifiers::new([7; 32], incarnation, 3);
    let node = PcscfNode::new(config.clone(), identifiers).unwrap();
    Persistent::new(node, Config::default()).unwrap()
}

impl World {
    /// So many users that are registered and stored.
    fn new(config: pcscf::Config, users: usize, within: u64) -> Self {
        let node = node(&config, 1);
        let mut world = Self {
            config,
            order: Shutdown::until(Millis(1_000 + within)),
            out: node.outbox(1),
            node,
            incarnation: 1,
            now: 1_000,
            store: Store::default(),
            latency: 5,
            store_answers: |now| now,
            conflicts_from: u64::MAX,
            later: BTreeMap::new(),
            numbers: 0,
            branches: BTreeSet::new(),
            sent: Vec::new(),
            heard: Vec::new(),
            ended: BTreeMap::new(),
            audited: BTreeSet::new(),
            done: 0,
            crash: None,
        };
        for number in 0..users {
            let (request, response) = user(number);
            world.command(Command::Learn {
                request: request.as_bytes(),
                response: response.as_bytes(),
                trunk_group: b"",
            });
        }
        while world
            .later
            .keys()
            .next()
            .is_some_and(|(at, _)| *at <= 1_000)
        {
            world.step();
        }
        assert_eq!(world.node.counters().stored, users as u64);
        world.done = 0;
        world
    }

    fn command(&mut self, command: Command<'_>) {
        let taken = self
            .node
            .command(Millis(self.now), command, &mut self.out)
            .unwrap();
        assert_eq!(taken, drive::Verdict::Handled);
        self.take();
    }

    fn later(&mut self, at: u64, what: Later) {
        self.numbers += 1;
        self.later.insert((at, self.numbers), what);
    }

    /// Does what the outbox says, until it crashes.
    fn take(&mut self) {
        let out = std::mem::replace(&mut self.out, self.node.outbox(1));
        for output in out.iter() {
            let number = self.done;
            self.done += 1;
            if self.crash == Some(number) {
                return self.reborn();
            }
            match output {
                Output::Request { token, bytes, .. } => {
                    let request = String::from_utf8_lossy(bytes);
                    let branch = request.split(";branch=").nth(1).unwrap();
                    let branch = branch.lines().next().unwrap().to_owned();
                    if self.branches.insert(branch) {
                        self.sent.push(self.now);
                    }
                    let status = match () {
                        () if request.contains("To: <sip:user3@") => 404,
                        () if request.contains("To: <sip:user4@") => 403,
                        () => 200,
                    };
                    let answer = Later::Home(token, response(status, bytes, ""));
                    self.later(self.now + self.latency, answer);
                }
                Output::Ask { token, .. } => self.later(self.now, Later::Done(token)),
                Output::Store {
                    token,
                    key,
                    expected,
                    version,
                    bytes,
                } => {
                    let written = match self.now >= self.conflicts_from {
                        true => Written::Conflict,
                        false => self.store.put(key, expected, version, bytes),
                    };
                    let at = (self.store_answers)(self.now);
                    self.later(at, Later::Store(token, written));
                }
                Output::Erase {
                    token,
                    key,
                    expected,
                } => {
                    let written = self.store.erase(key, expected);
                    let at = (self.store_answers)(self.now);
                    self.later(at, Later::Store(token, written));
                }
                Output::Event(Event::Deregistered {
                    affected,
                    cause,
                    outcome,
                    ..
                }) => {
                    let contact = String::from_utf8_lossy(out.text(affected.contact)).into_owned();
                    let end = (*cause, *outcome);
                    let before = self.ended.insert(contact.clone(), end);
                    assert!(before.is_none_or(|before| before == end), "{contact}");
                    self.heard.push(Heard::End(contact));
                }
                Output::Event(Event::Audited(audit)) => {
                    let why = (audit.initiator, audit.cause);
                    assert_eq!(why, (Initiator::Operator, Cause::Shutdown));
                    let contact = out.text(audit.affected.contact);
                    let contact = String::from_utf8_lossy(contact).into_owned();
                    assert!(self.ended.contains_key(&contact), "before its outcome");
                    self.audited.insert(contact);
                }
                Output::Event(Event::TakenOver { .. }) => self.heard.push(Heard::TakenOver),
                Output::Event(Event::ShutdownProgressed { .. }) => self.heard.push(Heard::Progress),
                Output::Event(Event::ShutdownEnded { .. }) => {
                    let writes = self.later.values();
                    let writes = writes.filter(|later| matches!(later, Later::Store(..)));
                    self.heard.push(Heard::Ended(writes.count()));
                }
                other => panic!("{other:?}"),
            }
        }
    }

    /// Another node takes all over from the store, and is ordered to shut down.
    fn reborn(&mut self) {
        self.incarnation += 1;
        self.later.clear();
        self.node = node(&self.config, self.incarnation);
        self.out = self.node.outbox(1);
        for key in self.store.keys() {
            let entry = self.store.read(&key, false).unwrap();
            let now = Millis(self.now);
            let adopted = self
                .node
                .adopt(now, &key, entry.version, &entry.bytes, Reading::Latest);
            adopted.unwrap();
        }
        self.command(Command::Shutdown(self.order));
    }

    /// The next thing that happens; `false` if nothing ever does.
    fn step(&mut self) -> bool {
        let later = self.later.keys().next().copied();
        let timer = self.node.deadline().map(|(at, _)| at.0.max(self.now));
        let Some(at) = later.map(|(at, _)| at).into_iter().chain(timer).min() else {
            return false;
        };
        self.now = self.now.max(at);
        let now = Millis(self.now);
        let first = later.filter(|(then, _)| *then <= at);
        let answered = first.and_then(|first| self.later.remove(&first));
        let out = &mut self.out;
        match answered {
            None => self.node.tick(now, out),
            Some(Later::Home(token, bytes)) => {
                let answer = Answer::Response(&bytes);
                self.node.answer(now, token, answer, out)
            }
            Some(Later::Done(token)) => {
                let answer = pcscf::Answer::Done.into();
                self.node.answer(now, token, answer, out)
            }
            Some(Later::Store(token, written)) => {
                let answer = match written {
                    Written::Stored => Answer::Stored,
                    Written::Conflict => Answer::Conflict,
                };
                self.node.answer(now, token, answer, out)
            }
        }
        .unwrap();
        self.take();
        true
    }

    /// Shuts it down, until nothing is left to happen.
    fn shut_down(&mut self) {
        self.command(Command::Shutdown(self.order));
        for _ in 0..200_000 {
            if !self.step() {
                return;
            }
        }
        panic!("no end");
    }

    /// The most REGISTERs that left in any stretch of so many milliseconds.
    fn densest(&self, stretch: u64) -> usize {
        let within = |from: u64| {
            let within = |at: &&u64| (from..from + stretch).contains(*at);
            self.sent.iter().filter(within).count()
        };
        self.sent.iter().map(|at| within(*at)).max().unwrap_or(0)
    }
}

/// [DR-7, PD-2] That the shutdown has ended is heard when everything else has been, and is stored, however long the store
/// takes; so is how far it has come.
#[test]
fn the_end_comes_last() {
    let stores: [Answers; 3] = [|now| now, |now| now + 1, |now| now + 1_000];
    for store_answers in stores {
        let mut world = World::new(config(20, 5), 40, 60_000);
        world.store_answers = store_answers;
        world.shut_down();
        assert_eq!((world.ended.len(), world.audited.len()), (40, 40));
        assert_eq!(world.heard.last(), Some(&Heard::Ended(0)));
        assert!(world.heard.contains(&Heard::Progress));
        assert_eq!(
            world
                .heard
                .iter()
                .filter(|h| **h == Heard::Ended(0))
                .count(),
            1
        );
        assert!(world.store.is_empty());
        assert_eq!((world.node.records(), world.node.deadline()), (0, None));
    }
}

/// [DR-7, PD-2] A store that never answers is done without, and holds nobody up once it has failed: the pace is what it
/// was, and the end is heard last.
#[test]
fn the_end_without_a_store() {
    let mut world = World::new(config(20, 1), 200, 60_000);
    world.store_answers = |now| now + 1_000_000;
    world.command(Command::Shutdown(world.order));
    while !matches!(world.heard.last(), Some(Heard::Ended(_))) {
        assert!(world.step());
    }
    assert_eq!((world.ended.len(), world.sent.len()), (200, 200));
    assert!(world.densest(100) <= 2, "{}", world.densest(100));
    let bounds = 2 * 2_000 + 4 * (3 * 2_000 + 600);
    assert!(world.now < 1_000 + 10_000 + bounds, "{}", world.now);
}

/// [DR-7, PD-2] A report that comes with the end of a user is not that user's: where another node has that one, it is heard
/// all the same.
#[test]
fn a_conflict_takes_no_report_away() {
    let mut world = World::new(config(1_000, 20), 20, 2_000);
    world.store_answers = |now| now + 10;
    (world.latency, world.conflicts_from) = (10_000, 3_000);
    world.shut_down();
    let of = |what: &Heard| world.heard.iter().filter(|heard| *heard == what).count();
    assert_eq!(of(&Heard::Progress), 2, "{:?}", world.heard);
    assert_eq!(of(&Heard::TakenOver), 20);
    assert_eq!(world.heard.last(), Some(&Heard::Ended(0)));
}

/// [PD-2, PD-12] The pace is that of what leaves: a store that stalls for a second and a half and then answers all, or now
/// and then takes longer, makes no REGISTERs leave together, overall or to one home network; one that is quick costs
/// nothing.
#[test]
fn the_pace_is_that_of_what_leaves() {
    let stores: [(Answers, u64); 4] = [
        (|now| now, 4_000),
        (|now| now + 5, 5_000),
        (|now| now + now * 7_919 % 90, 20_000),
        (|now| now.next_multiple_of(1_500), 250_000),
    ];
    for (store_answers, time) in stores {
        for (rate, hop_rate, burst) in [(40, 1_000, 1), (1_000, 40, 1), (40, 40, 4)] {
            let mut config = config(rate, burst);
            (config.pacing.hop_start_rate, config.pacing.hop_max_rate) = (hop_rate, hop_rate);
            let mut world = World::new(config, 160, 600_000);
            world.store_answers = store_answers;
            let begun = world.now;
            world.shut_down();
            assert_eq!((world.sent.len(), world.ended.len()), (160, 160));
            for (stretch, most) in [(1, 1), (100, 4), (1_000, 40)] {
                let most = most + burst as usize - 1;
                assert!(world.densest(stretch) <= most, "{}", world.densest(stretch));
            }
            let last = world.sent.last().unwrap() - begun;
            assert!(last <= time, "{last}");
        }
    }
}

/// [DR-7, PD-2, PD-8] Lost before any of its outputs, and gone on with by another node from what is stored, however long
/// the store takes for it: everybody ends as without it, and nothing is left. The new node does not know when the last
/// REGISTER left, so that one may leave too early.
#[test]
fn lost_at_any_output() {
    let stores: [Answers; 2] = [|now| now, |now| now + 30];
    for store_answers in stores {
        let world = || {
            let mut world = World::new(config(50, 1), 6, 600_000);
            world.store_answers = store_answers;
            world
        };
        let mut whole = world();
        whole.shut_down();
        assert_eq!(whole.ended.len(), 6);
        assert!(whole.done > 60, "{}", whole.done);
        for crash in 0..whole.done {
            let mut world = world();
            world.crash = Some(crash);
            world.shut_down();
            assert_eq!(world.ended, whole.ended, "before output {crash}");
            assert_eq!(world.audited, whole.audited, "before output {crash}");
            assert_eq!(world.heard.last(), Some(&Heard::Ended(0)), "{crash}");
            assert!(world.store.is_empty(), "before output {crash}");
            assert!(world.densest(100) <= 5 + 1, "before output {crash}");
        }
    }
}
