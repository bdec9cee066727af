//! A P-CSCF that is drained, the home networks it asks, and the books that are kept of it.

use std::collections::{BTreeMap, BinaryHeap, HashMap};

use crate::common::pcscf::{element, identifiers, response};
use ims_procedures::{
    drive::{self, Millis, Misuse, Node, Outbox, Output, Source, Token, TransactionRef, Verdict},
    pcscf::{
        Answer, Cause, Command, Config, Event, Evidence, Outcome, Pcscf, PcscfNode, Question,
        Shutdown, Tally, Ue,
    },
};

/// A configuration without subscriptions, with room for a pace.
pub fn config() -> Config {
    let mut config = Config::new(element(), b"visited1");
    config.subscription.support_reg_event = false;
    config
}

/// One request at a time, ten a second, one canary.
pub fn slow() -> Config {
    let mut config = config();
    let pacing = &mut config.pacing;
    (pacing.rate, pacing.burst, pacing.canaries) = (10, 1, 1);
    (pacing.hop_start_rate, pacing.hop_max_rate) = (1_000, 1_000);
    config
}

/// One user of the test: a number, and a home domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct User {
    pub number: u32,
    pub domain: u32,
    pub emergency: bool,
}

pub fn user(number: u32, domain: u32) -> User {
    User {
        number,
        domain,
        emergency: false,
    }
}

pub fn emergency(number: u32, domain: u32) -> User {
    User {
        emergency: true,
        ..user(number, domain)
    }
}

impl User {
    pub fn home(self) -> String {
        format!("home{}.example.net", self.domain)
    }

    pub fn private_identity(self) -> String {
        format!("private{}@{}", self.number, self.home())
    }

    pub fn public_identity(self) -> String {
        format!("sip:user{}@{}", self.number, self.home())
    }

    pub fn contact(self) -> String {
        let sos = if self.emergency { ";sos" } else { "" };
        format!("sip:user{}@192.0.2.1:5060{sos}", self.number)
    }

    /// The REGISTER and its 2xx, as the core side sees them; `0` seconds is the UE's own deregistration.
    pub fn register(self, seconds: u32) -> (String, String) {
        let (home, public) = (self.home(), self.public_identity());
        let (private, contact) = (self.private_identity(), self.contact());
        let common = format!(
            "From: <{public}>;tag=u\r\nTo: <{public}>\r\nCall-ID: ue{}\r\nCSeq: 1 REGISTER\r\n\
             Contact: <{contact}>;expires={seconds}\r\n",
            self.number
        );
        let request = format!(
            "REGISTER sip:{home} SIP/2.0\r\n{common}\
             Authorization: Digest username=\"{private}\",realm=\"{home}\",nonce=\"\",uri=\"sip:{home}\",response=\"\"\r\n\
             Path: <sip:term@pcscf1.visited1.example.net:5070;lr>\r\nContent-Length: 0\r\n\r\n"
        );
        let response = format!(
            "SIP/2.0 200 OK\r\n{common}P-Associated-URI: <{public}>\r\nContent-Length: 0\r\n\r\n"
        );
        (request, response)
    }
}

/// What the home networks do with a REGISTER.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    Status(u16),
    /// 503 with so many seconds of Retry-After.
    Busy(u32),
    Silence,
    Unreachable,
}

/// A number that is the same for the same question, and else as good as any.
pub fn chance(seed: u64, parts: &[u64]) -> u64 {
    let mut hash = seed ^ 0x9e37_79b9_7f4a_7c15;
    for part in parts {
        hash = (hash ^ part).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash ^= hash >> 29;
    }
    hash
}

enum Action {
    Answer(Token, Reply, Vec<u8>),
    Done(Token),
}

/// Something that comes later, in the order of time, then of having been begun.
struct Later(u64, u64, Action);

impl PartialEq for Later {
    fn eq(&self, other: &Self) -> bool {
        (self.0, self.1) == (other.0, other.1)
    }
}

impl Eq for Later {}

impl PartialOrd for Later {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Later {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (other.0, other.1).cmp(&(self.0, self.1))
    }
}

/// What was seen of it.
#[derive(Default)]
pub struct Books {
    /// When each REGISTER went, which is not one that was offered again after a restart, and to whom.
    pub asked: Vec<(u64, String)>,
    /// The most that were out.
    pub most_out: usize,
    /// How each contact ended.
    pub ended: BTreeMap<String, (Cause, Outcome, u8)>,
    /// Contacts whose deregistration was cancelled.
    pub cancelled: Vec<String>,
    /// Reports that an access was lost.
    pub lost: usize,
    /// Events of shutdowns.
    pub reports: Vec<(u64, Event)>,
    /// Bytes of the REGISTERs, if they are kept.
    pub requests: Option<Vec<String>>,
}

impl Books {
    pub fn ended(&self) -> Vec<Tally> {
        let ended = self.reports.iter().filter_map(|(_, event)| match event {
            Event::ShutdownEnded { tally } => Some(*tally),
            _ => None,
        });
        ended.collect()
    }

    /// How many contacts ended so.
    pub fn count(&self, outcome: Outcome) -> usize {
        let outcomes = self.ended.values();
        outcomes.filter(|(_, found, _)| *found == outcome).count()
    }

    /// The largest number of REGISTERs in any stretch of so many milliseconds.
    pub fn densest(&self, stretch: u64) -> usize {
        let times: Vec<u64> = self.asked.iter().map(|(at, _)| *at).collect();
        let mut first = 0;
        let mut most = 0;
        for (place, at) in times.iter().enumerate() {
            while at - times[first] >= stretch {
                first += 1;
            }
            most = most.max(place - first + 1);
        }
        most
    }
}

type Network = Box<dyn FnMut(&Asked) -> (Reply, u64)>;

/// A REGISTER as the home network sees it.
pub struct Asked {
    pub now: u64,
    pub number: u64,
    pub domain: u64,
    /// How manieth attempt.
    pub cseq: u64,
}

pub struct World {
    pub node: PcscfNode,
    pub config: Config,
    pub now: u64,
    pub books: Books,
    /// What the network answers, and after how many milliseconds.
    pub network: Network,
    /// Milliseconds that a step of the cleanup takes.
    pub cleanup: u64,
    out: Outbox<Pcscf>,
    later: BinaryHeap<Later>,
    begun: u64,
    waiting: HashMap<u64, ()>,
    incarnation: u64,
    /// Branches of REGISTERs that were sent.
    sent: HashMap<String, ()>,
    /// Calls of the node so far, and after which of them it is killed.
    pub calls: u64,
    pub crash_at: Option<u64>,
}

impl World {
    pub fn new(config: Config) -> Self {
        Self {
            node: PcscfNode::new(config.clone(), identifiers(1)).unwrap(),
            config,
            now: 1_000,
            books: Books::default(),
            network: Box::new(|_| (Reply::Status(200), 5)),
            cleanup: 0,
            out: Outbox::for_steps(1),
            later: BinaryHeap::new(),
            begun: 0,
            waiting: HashMap::new(),
            incarnation: 1,
            sent: HashMap::new(),
            calls: 0,
            crash_at: None,
        }
    }

    /// With users, registered for an hour.
    pub fn with(config: Config, users: &[User]) -> Self {
        let mut world = Self::new(config);
        users.iter().for_each(|user| world.register(*user));
        world
    }

    pub fn network(mut self, network: impl FnMut(&Asked) -> (Reply, u64) + 'static) -> Self {
        self.network = Box::new(network);
        self
    }

    pub fn command(&mut self, command: Command<'_>) -> Result<Verdict, Misuse> {
        let verdict = self.node.command(Millis(self.now), command, &mut self.out);
        self.after();
        verdict
    }

    pub fn learn(&mut self, user: User, seconds: u32) {
        let (request, response) = user.register(seconds);
        let learn = Command::Learn {
            request: request.as_bytes(),
            response: response.as_bytes(),
            trunk_group: b"",
        };
        assert_eq!(self.command(learn), Ok(Verdict::Handled));
    }

    pub fn register(&mut self, user: User) {
        self.learn(user, 3_600);
    }

    pub fn lose(&mut self, user: User) {
        let contact = user.contact();
        let lost = Command::AccessLost {
            ue: Ue::at(contact.as_bytes()),
            evidence: Evidence::BearerLost,
        };
        assert_eq!(self.command(lost), Ok(Verdict::Handled));
    }

    pub fn dialogs(&mut self, user: User, present: bool) -> Verdict {
        let contact = user.contact();
        let contact = contact.as_bytes();
        self.command(Command::DialogsChanged {
            ue: Ue::at(contact),
            present,
        })
        .unwrap()
    }

    pub fn shut_down(&mut self, order: Shutdown) {
        assert_eq!(self.command(Command::Shutdown(order)), Ok(Verdict::Handled));
    }

    /// Shuts down within so many milliseconds.
    pub fn shut_down_within(&mut self, time: u64) {
        self.shut_down(Shutdown::until(Millis(self.now + time)));
    }

    /// What the node has the host do with a message of a UE.
    pub fn receive(&mut self, bytes: &str) -> Verdict {
        let (now, txn) = (Millis(self.now), TransactionRef(1));
        let verdict = self
            .node
            .receive(now, Source::Ue, txn, bytes.as_bytes(), &mut self.out);
        self.after();
        verdict.unwrap()
    }

    /// Lets everything happen until nothing is left, or that instant has come.
    pub fn run_until(&mut self, end: u64) {
        for _ in 0..10_000_000 {
            let timer = self.node.deadline().map(|(at, _)| at.0.max(self.now));
            let later = self.later.peek().map(|later| later.0.max(self.now));
            let next = [timer, later].into_iter().flatten().min();
            let Some(at) = next.filter(|at| *at <= end) else {
                if end < u64::MAX {
                    self.now = end;
                }
                return;
            };
            self.now = at;
            if later == Some(at) {
                self.happen();
            } else {
                self.tick();
            }
        }
        panic!("it does not come to rest");
    }

    pub fn run(&mut self) {
        self.run_until(u64::MAX);
    }

    /// Lets everything happen until the shutdown is reported to have ended.
    pub fn run_down(&mut self) -> Tally {
        while self.books.ended().is_empty() {
            let before = (self.now, self.calls);
            self.run_until(self.now + 500);
            assert_ne!(before, (self.now, self.calls), "nothing happens any more");
        }
        self.books.ended()[0]
    }

    pub fn tick(&mut self) {
        self.node.tick(Millis(self.now), &mut self.out).unwrap();
        self.after();
    }

    fn happen(&mut self) {
        let Some(Later(_, _, action)) = self.later.pop() else {
            return;
        };
        let (token, answer) = match &action {
            Action::Done(token) => (*token, Answer::Done.into()),
            Action::Answer(token, reply, bytes) => {
                self.waiting.remove(&token.to_u64());
                let answer = match reply {
                    Reply::Silence => drive::Answer::Timeout,
                    Reply::Unreachable => drive::Answer::Unreachable,
                    Reply::Status(_) | Reply::Busy(_) => drive::Answer::Response(bytes),
                };
                (*token, answer)
            }
        };
        let now = Millis(self.now);
        self.node.answer(now, token, answer, &mut self.out).unwrap();
        self.after();
    }

    /// Takes what was put out, and kills the node if it is time.
    fn after(&mut self) {
        self.take();
        self.calls += 1;
        if self.crash_at == Some(self.calls) {
            self.crash();
        }
    }

    /// The node is killed, and made anew from its blob; nobody answers what the one before had asked.
    pub fn crash(&mut self) {
        let mut blob = Vec::new();
        self.node.snapshot(Millis(self.now), &mut blob);
        self.restart(&blob);
    }

    /// A node from a blob takes the place of this one.
    pub fn restart(&mut self, blob: &[u8]) {
        self.later.clear();
        self.waiting.clear();
        self.incarnation += 1;
        let identifiers = identifiers(self.incarnation);
        let (config, now) = (self.config.clone(), Millis(self.now));
        self.node = PcscfNode::restore(config, identifiers, now, blob).unwrap();
    }

    fn take(&mut self) {
        let out = std::mem::replace(&mut self.out, Outbox::for_steps(1));
        let text = |text| String::from_utf8_lossy(out.text(text)).into_owned();
        for output in out.iter() {
            match output {
                Output::Request { token, bytes, .. } => self.asked(token, bytes),
                Output::Ask { token, question } => {
                    assert!(!matches!(question, Question::Subscription(_)));
                    self.push(self.cleanup, Action::Done(token));
                }
                Output::Event(Event::Deregistered {
                    affected,
                    cause,
                    outcome,
                    registers,
                    ..
                }) => {
                    let contact = text(affected.contact);
                    let ended = (*cause, *outcome, *registers);
                    let before = self.books.ended.insert(contact, ended);
                    assert_eq!(before, None, "one outcome each");
                }
                Output::Event(Event::Cancelled { affected, .. }) => {
                    self.books.cancelled.push(text(affected.contact));
                }
                Output::Event(Event::AccessLost { .. }) => self.books.lost += 1,
                Output::Event(event) => self.books.reports.push((self.now, *event)),
                other => panic!("{other:?}"),
            }
        }
        self.out = out;
        self.out.clear();
    }

    fn asked(&mut self, token: Token, bytes: &[u8]) {
        let request = String::from_utf8(bytes.to_vec()).unwrap();
        let after = |mark: &str| {
            let (_, rest) = request.split_once(mark).unwrap();
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap();
            rest[..end].parse().unwrap()
        };
        let asked = Asked {
            now: self.now,
            number: after("To: <sip:user"),
            domain: after("REGISTER sip:home"),
            cseq: after("CSeq: "),
        };
        let branch = request.split(";branch=").nth(1).unwrap();
        let branch = branch.split("\r\n").next().unwrap().to_owned();
        if self.sent.insert(branch, ()).is_none() {
            let contact = request.split("Contact: <").nth(1).unwrap();
            let contact = contact.split('>').next().unwrap().to_owned();
            self.books.asked.push((self.now, contact));
        }
        let (reply, after) = (self.network)(&asked);
        let answer = match reply {
            Reply::Status(status) => response(status, bytes, ""),
            Reply::Busy(seconds) => response(503, bytes, &format!("Retry-After: {seconds}\r\n")),
            Reply::Silence | Reply::Unreachable => Vec::new(),
        };
        if let Some(requests) = &mut self.books.requests {
            requests.push(request);
        }
        self.push(after, Action::Answer(token, reply, answer));
        self.waiting.insert(token.to_u64(), ());
        self.books.most_out = self.books.most_out.max(self.waiting.len());
    }

    fn push(&mut self, after: u64, action: Action) {
        self.begun += 1;
        let at = self.now.saturating_add(after);
        self.later.push(Later(at, self.begun, action));
    }
}
