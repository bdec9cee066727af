//! [SD-5, DR-7] Everybody is deregistered at a node whose sets are stored: the pace is that of what leaves.

use std::collections::BTreeMap;

use super::support::*;
use ims_procedures::{
    drive::{self, Identifiers, Millis, Node, Outbox, Output, Token},
    persistence::{self, Persistent},
    scscf::{Answer, Command, Config, DeregistrationReason, Event, Question, Scscf, ScscfNode},
};

/// What comes later.
enum Later {
    Stored(Token),
    Answer(Token, Answer<'static>),
}

struct World {
    node: Persistent<ScscfNode>,
    out: Outbox<Scscf>,
    now: u64,
    /// When the store answers what it is told at an instant.
    store_answers: fn(u64) -> u64,
    later: BTreeMap<(u64, usize), Later>,
    numbers: usize,
    /// When the dialogs of each were to be released.
    asked: Vec<u64>,
    ended: usize,
    /// Users that had ended when it was reported that all have.
    drained: Option<usize>,
}

impl World {
    fn new(config: Config, users: usize) -> Self {
        let node = ScscfNode::new(config, Identifiers::new(SEED, 1, 3)).unwrap();
        let node = Persistent::new(node, persistence::Config::default()).unwrap();
        let mut world = Self {
            out: node.outbox(1),
            node,
            now: 1_000,
            store_answers: |now| now,
            later: BTreeMap::new(),
            numbers: 0,
            asked: Vec::new(),
            ended: 0,
            drained: None,
        };
        for number in 0..users {
            let user: &str = format!("sip:user{number}@home1.example.net").leak();
            let contact = format!("<sip:user{number}@192.0.2.1>");
            let registration = Registration {
                to: user,
                private: format!("user{number}@home1.example.net").leak(),
                granted: vec![format!("{contact};expires=3600")],
                contacts: vec![contact],
                associated: vec![user],
                ..Registration::default()
            };
            let (request, response) = (registration.request(), registration.response());
            world.command(Command::Learn {
                request: request.as_bytes(),
                response: response.as_bytes(),
                private_identity: None,
            });
        }
        while world.later.first_key_value().is_some() {
            world.step();
        }
        world
    }

    fn command(&mut self, command: Command<'_>) {
        self.node
            .command(Millis(self.now), command, &mut self.out)
            .unwrap();
        self.take();
    }

    fn take(&mut self) {
        for output in self.out.iter() {
            let (after, later) = match output {
                Output::Store { token, .. } | Output::Erase { token, .. } => {
                    let after = (self.store_answers)(self.now) - self.now;
                    (after, Later::Stored(token))
                }
                Output::Ask { token, question } => {
                    let answer = match question {
                        Question::DialogRelease { .. } => {
                            self.asked.push(self.now);
                            Answer::Released
                        }
                        _ => Answer::Assigned {
                            application_servers: b"",
                        },
                    };
                    (5, Later::Answer(token, answer))
                }
                Output::Event(Event::Deregistered { .. }) => {
                    self.ended += 1;
                    continue;
                }
                Output::Event(Event::Drained { .. }) => {
                    self.drained = Some(self.ended);
                    continue;
                }
                _ => continue,
            };
            self.numbers += 1;
            self.later.insert((self.now + after, self.numbers), later);
        }
        self.out.clear();
    }

    fn step(&mut self) {
        let later = self.later.keys().next().copied();
        let timer = self.node.deadline().map(|(at, _)| at.0.max(self.now));
        let next = later.map(|(at, _)| at).into_iter().chain(timer).min();
        let at = next.expect("something is due");
        self.now = self.now.max(at);
        let now = Millis(self.now);
        let first = later.filter(|(then, _)| *then <= at);
        match first.and_then(|first| self.later.remove(&first)) {
            None => self.node.tick(now, &mut self.out),
            Some(Later::Stored(token)) => {
                let stored = drive::Answer::Stored;
                self.node.answer(now, token, stored, &mut self.out)
            }
            Some(Later::Answer(token, answer)) => {
                let answer = drive::Answer::Role(answer);
                self.node.answer(now, token, answer, &mut self.out)
            }
        }
        .unwrap();
        self.take();
    }

    /// The most that were asked in any stretch of so many milliseconds.
    fn densest(&self, stretch: u64) -> usize {
        let within = |from: u64| {
            let within = |at: &&u64| (from..from + stretch).contains(*at);
            self.asked.iter().filter(within).count()
        };
        self.asked.iter().map(|at| within(*at)).max().unwrap_or(0)
    }
}

/// [SD-5, DR-7] However long the store takes, no more are asked at a time than the rate allows; that all have ended is
/// heard when all others have been.
#[test]
fn the_pace_is_that_of_what_leaves() {
    let stores: [fn(u64) -> u64; 3] = [
        |now| now,
        |now| now + now * 7_919 % 90,
        |now| now.next_multiple_of(1_500),
    ];
    for store_answers in stores {
        for burst in [1, 4] {
            let mut config = config();
            let pacing = &mut config.drain;
            (pacing.rate, pacing.burst, pacing.canaries) = (40, burst, 0);
            (pacing.hop_start_rate, pacing.hop_max_rate) = (1_000, 1_000);
            let mut world = World::new(config, 60);
            world.store_answers = store_answers;
            let reason = DeregistrationReason::Maintenance;
            world.command(Command::DeregisterAll {
                reason,
                within: None,
            });
            while world.drained.is_none() {
                world.step();
            }
            assert_eq!((world.drained, world.asked.len()), (Some(60), 60));
            let most = 4 + burst as usize - 1;
            assert!(world.densest(100) <= most, "{burst} {:?}", world.asked);
        }
    }
}
