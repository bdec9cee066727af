//! A host whose node is stored, and that goes on when it has lost it.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashSet},
    error::Error,
};

use ims_procedures::{
    drive::{Answer, ConfigError, Identifiers, Limits, Millis, Node, Outbox, Output, Text, Token},
    pcscf::{self, Command, Config, Event, Pcscf, PcscfNode, Shutdown},
    persistence::{self, Persistent, Reading},
    wire::Element,
};

use crate::{
    books::Books,
    home::{Home, Reply},
    options::Options,
    store::Store,
    users::{PCSCF, VISITED, number_in, registered},
};

/// What the host has to do after a call, taken from the outbox.
enum Deed {
    Send { token: Token, bytes: Vec<u8> },
    Do(Token),
    Store { token: Token, is_stored: bool },
    Note(Event, u32),
}

pub struct Host {
    config: Config,
    seed: [u8; 32],
    node: Persistent<PcscfNode>,
    out: Outbox<Pcscf>,
    store: Store,
    home: Home,
    now: u64,
    begin: u64,
    order: Shutdown,
    /// What comes later: when, and under which number it stands in `coming`.
    later: BinaryHeap<Reverse<(u64, u64)>>,
    coming: BTreeMap<u64, (Token, Reply)>,
    numbers: u64,
    /// REGISTERs that are out.
    waiting: HashSet<u64>,
    crashes: u64,
    is_over: bool,
    is_quiet: bool,
    pub books: Books,
}

impl Host {
    pub fn new(options: &Options) -> Result<Self, Box<dyn Error>> {
        let begin = 1_000;
        let config = config(options)?;
        let seed = [7; 32];
        let node = node(&config, seed, 1)?;
        let mut order = Shutdown::until(Millis(begin + options.deadline));
        (order.rate, order.in_flight) = (Some(options.rate), Some(options.in_flight));
        Ok(Self {
            out: node.outbox(1),
            node,
            config,
            seed,
            store: Store::default(),
            home: Home::new(options, begin),
            now: begin,
            begin,
            order,
            later: BinaryHeap::new(),
            coming: BTreeMap::new(),
            numbers: 0,
            waiting: HashSet::new(),
            crashes: 0,
            is_over: false,
            is_quiet: options.quiet,
            books: Books::default(),
        })
    }

    /// Shows the node a registration.
    pub fn register(&mut self, user: u32) -> Result<(), Box<dyn Error>> {
        let (request, response) = registered(user);
        self.command(Command::Learn {
            request: request.as_bytes(),
            response: response.as_bytes(),
            trunk_group: b"",
        })
    }

    /// Has the node say what a shutdown would be.
    pub fn plan(&mut self) -> Result<(), Box<dyn Error>> {
        let mut plan = self.order;
        plan.dry_run = true;
        self.command(Command::Shutdown(plan))?;
        while self.node.deadline().is_some_and(|(at, _)| at.0 <= self.now) {
            self.tick()?;
        }
        Ok(())
    }

    pub fn shut_down(&mut self) -> Result<(), Box<dyn Error>> {
        self.command(Command::Shutdown(self.order))
    }

    pub const fn is_over(&self) -> bool {
        self.is_over
    }

    pub const fn crashes(&self) -> u64 {
        self.crashes
    }

    /// The node is lost, with all that it had in hand. Another one takes over every user from the store, and is ordered
    /// to shut down by the same deadline: those under way go on, all others are queued anew.
    pub fn crash(&mut self) -> Result<(), Box<dyn Error>> {
        self.crashes += 1;
        self.books.crash();
        self.later.clear();
        self.coming.clear();
        self.waiting.clear();
        self.node = node(&self.config, self.seed, 1 + self.crashes)?;
        println!(
            "\nthe node is lost after {} users; {} are in the store",
            self.books.users(),
            self.store.len()
        );
        for (key, (version, blob)) in self.store.all() {
            let now = Millis(self.now);
            self.node.adopt(now, key, *version, blob, Reading::Latest)?;
        }
        self.shut_down()
    }

    /// The next thing that happens, on a clock that jumps there.
    pub fn step(&mut self) -> Result<(), Box<dyn Error>> {
        let timer = self.node.deadline().map(|(at, _)| at.0.max(self.now));
        let later = self.later.peek().map(|Reverse((at, _))| *at);
        let Some(at) = [timer, later].into_iter().flatten().min() else {
            return Err("nothing is left to happen, and it is not over".into());
        };
        self.now = at;
        if later == Some(at) {
            self.answer_next()
        } else {
            self.tick()
        }
    }

    fn answer_next(&mut self) -> Result<(), Box<dyn Error>> {
        let number = self.later.pop().map(|Reverse((_, number))| number);
        let Some((token, reply)) = number.and_then(|number| self.coming.remove(&number)) else {
            return Ok(());
        };
        self.waiting.remove(&token.to_u64());
        let answer = match &reply {
            Reply::Response(bytes) => Answer::Response(bytes),
            Reply::Timeout => Answer::Timeout,
        };
        self.node
            .answer(Millis(self.now), token, answer, &mut self.out)?;
        self.do_all()
    }

    fn tick(&mut self) -> Result<(), Box<dyn Error>> {
        self.node.tick(Millis(self.now), &mut self.out)?;
        self.do_all()
    }

    fn command(&mut self, command: Command<'_>) -> Result<(), Box<dyn Error>> {
        self.node
            .command(Millis(self.now), command, &mut self.out)?;
        self.do_all()
    }

    /// Does what the outbox says, and what follows from that.
    fn do_all(&mut self) -> Result<(), Box<dyn Error>> {
        loop {
            let deeds = self.take();
            if deeds.is_empty() {
                return Ok(());
            }
            for deed in deeds {
                self.perform(deed)?;
            }
        }
    }

    fn perform(&mut self, deed: Deed) -> Result<(), Box<dyn Error>> {
        let now = Millis(self.now);
        match deed {
            Deed::Send { token, bytes } => self.send(token, &bytes),
            // What is owed is delivered, security associations and bearer are released: all at once here.
            Deed::Do(token) => {
                let done = pcscf::Answer::Done.into();
                self.node.answer(now, token, done, &mut self.out)?;
            }
            Deed::Store { token, is_stored } => {
                let answer = match is_stored {
                    true => Answer::Stored,
                    false => Answer::Conflict,
                };
                self.node.answer(now, token, answer, &mut self.out)?;
            }
            Deed::Note(event, user) => self.note(event, user),
        }
        Ok(())
    }

    fn send(&mut self, token: Token, bytes: &[u8]) {
        let request = String::from_utf8_lossy(bytes);
        let (reply, after) = self.home.ask(self.now, &request);
        self.numbers += 1;
        self.later.push(Reverse((self.now + after, self.numbers)));
        self.coming.insert(self.numbers, (token, reply));
        self.waiting.insert(token.to_u64());
        self.books.ask(self.now, &request, self.waiting.len());
    }

    fn note(&mut self, event: Event, user: u32) {
        #[allow(clippy::cast_precision_loss)]
        let seconds = (self.now - self.begin) as f64 / 1_000.0;
        match event {
            Event::Deregistered { outcome, .. } => self.books.end(user, outcome),
            Event::ShutdownPlanned {
                registrations,
                in_dialog,
                emergency,
                least_time,
            } => println!(
                "{registrations} registrations, {in_dialog} in dialogs, {emergency} of emergencies: \
                 {least_time} ms at least"
            ),
            Event::ShutdownProgressed {
                left,
                queued,
                in_flight,
                ..
            } if !self.is_quiet => eprint!(
                "\r{seconds:7.1} s: {left:>8} left, {queued:>8} in the queue, {in_flight:>6} out "
            ),
            Event::ShutdownEnded { .. } => {
                if !self.is_quiet {
                    eprintln!();
                }
                self.books.over(self.now - self.begin);
                self.is_over = true;
            }
            _ => {}
        }
    }

    fn take(&mut self) -> Vec<Deed> {
        let (out, store) = (&self.out, &mut self.store);
        let user = |contact: Text| number_in(&String::from_utf8_lossy(out.text(contact)));
        let deeds = out.iter().filter_map(|output| {
            Some(match output {
                Output::Request { token, bytes, .. } => Deed::Send {
                    token,
                    bytes: bytes.to_vec(),
                },
                Output::Ask { token, .. } => Deed::Do(token),
                Output::Store {
                    token,
                    key,
                    expected,
                    version,
                    bytes,
                } => Deed::Store {
                    token,
                    is_stored: store.put(key, expected, version, bytes),
                },
                Output::Erase {
                    token,
                    key,
                    expected,
                } => Deed::Store {
                    token,
                    is_stored: store.erase(key, expected),
                },
                Output::Event(event) => match event {
                    Event::Deregistered { affected, .. } => {
                        Deed::Note(*event, user(affected.contact))
                    }
                    _ => Deed::Note(*event, u32::MAX),
                },
                _ => return None,
            })
        });
        let deeds = deeds.collect();
        self.out.clear();
        deeds
    }
}

/// A P-CSCF without subscriptions: what its home network answers is all that it hears.
fn config(options: &Options) -> Result<Config, ConfigError> {
    let element = Element::new(PCSCF.as_bytes(), VISITED.as_bytes())?;
    let mut config = Config::new(element, VISITED.as_bytes());
    config.limits = Limits::default();
    config.limits.reserved_users = options.users as usize;
    let pacing = &mut config.pacing;
    // Evenly spaced: in no stretch of time go more than the rate says.
    pacing.burst = 1;
    // There is one home network, which may have all: it begins with as much as it is given in the end.
    pacing.in_flight = options.in_flight.max(pacing.in_flight);
    pacing.hop_in_flight = pacing.in_flight;
    pacing.hop_max_rate = options.rate.max(pacing.hop_max_rate);
    pacing.hop_start_rate = pacing.hop_max_rate;
    // The way there loses messages by itself: silence does not say that it has too much to do.
    pacing.slowed_by.timeout = false;
    // Retries are few, and soon: there is not much time.
    config.retry_interval = 2_000;
    config.check()?;
    Ok(config)
}

fn node(
    config: &Config,
    seed: [u8; 32],
    incarnation: u64,
) -> Result<Persistent<PcscfNode>, ConfigError> {
    let identifiers = Identifiers::new(seed, incarnation, 1);
    let node = PcscfNode::new(config.clone(), identifiers)?;
    Persistent::new(node, persistence::Config::default())
}
