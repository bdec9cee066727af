//! A P-CSCF and an S-CSCF with a store each, on a network that loses nothing, crashing when they are told to.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Debug,
};

use ims_procedures::{
    drive::{
        self, Answer, Buffer, Identifier, Identifiers, Limits, Millis, Node, Outbox, Output,
        Persist, Role, Source, Token, TransactionRef,
    },
    pcscf::{self, Pcscf, PcscfNode},
    persistence::{Config, Persistent, Reading},
    scscf::{self, Scscf, ScscfNode},
    txn::{self, Transactions},
    wire::{Element, Message, Writer},
};

use crate::{
    pcscf::{CONTACT, contact, register, register_200},
    store::{Store, Written},
};

const PCSCF: &str = "pcscf1.visited1.example.net:5070";
const SCSCF: &str = "scscf1.home1.example.net:5080";
const SERVER: &str = "as1.home1.example.net:5090";
const ADDRESSES: [&str; 3] = [PCSCF, SCSCF, SERVER];
const UDP_LIMIT: usize = 60_000;

pub fn pcscf_config() -> pcscf::Config {
    let mut config = crate::pcscf::config();
    config.element = config.element.with_udp_limit(UDP_LIMIT);
    config.subscription.element = config.element.clone();
    config.audit = true;
    config
}

pub fn scscf_config() -> scscf::Config {
    let element = Element::new(b"sip:scscf1.home1.example.net:5080", b"home1.example.net");
    let mut config = scscf::Config::new(element.unwrap().with_udp_limit(UDP_LIMIT));
    config.audit = true;
    config
}

/// A role's host: what it answers and commands, and how an event reads.
pub trait Desk: Role {
    fn answer(question: &Self::Question) -> Self::Answer<'static>;
    /// What an outcome says; `None` for other events.
    fn outcome(event: &Self::Event, out: &Outbox<Self>) -> Option<String>;
    /// What a record says, that of which outcome it is first; `None` for other events.
    fn audited(event: &Self::Event, out: &Outbox<Self>) -> Option<String>;
    /// Whether another node has the machine.
    fn is_taken_over(event: &Self::Event) -> bool;
}

impl Desk for Pcscf {
    fn answer(_: &pcscf::Question) -> pcscf::Answer<'static> {
        pcscf::Answer::Done
    }

    fn outcome(event: &pcscf::Event, out: &Outbox<Self>) -> Option<String> {
        match event {
            pcscf::Event::Deregistered {
                id,
                affected,
                cause,
                outcome,
                registers,
            } => {
                let contact = String::from_utf8_lossy(out.text(affected.contact)).into_owned();
                Some(format!("{id} {contact} {cause:?} {outcome:?} {registers}"))
            }
            _ => None,
        }
    }

    fn audited(event: &pcscf::Event, out: &Outbox<Self>) -> Option<String> {
        let pcscf::Event::Audited(audit) = event else {
            return None;
        };
        let of = audit.affected;
        let names = [of.private_identity, of.public_identity, of.contact];
        Some(said(audit.id, names.map(|text| out.text(text)), audit))
    }

    fn is_taken_over(event: &pcscf::Event) -> bool {
        matches!(event, pcscf::Event::TakenOver { .. })
    }
}

impl Desk for Scscf {
    fn answer(question: &scscf::Question) -> scscf::Answer<'static> {
        match question {
            scscf::Question::DialogRelease { .. } => scscf::Answer::Released,
            scscf::Question::ServerAssignment { .. } => scscf::Answer::Assigned {
                application_servers: b"<sip:as1.home1.example.net:5090;lr>",
            },
            _ => scscf::Answer::Denied,
        }
    }

    fn outcome(event: &scscf::Event, out: &Outbox<Self>) -> Option<String> {
        match event {
            scscf::Event::Deregistered {
                id,
                affected,
                cause,
                outcome,
            } => {
                let contacts = String::from_utf8_lossy(out.text(affected.contacts)).into_owned();
                Some(format!("{id} {contacts} {cause:?} {outcome:?}"))
            }
            _ => None,
        }
    }

    fn audited(event: &scscf::Event, out: &Outbox<Self>) -> Option<String> {
        let scscf::Event::Audited(audit) = event else {
            return None;
        };
        let of = audit.affected;
        let names = [of.private_identity, of.public_identity, of.contacts];
        Some(said(audit.id, names.map(|text| out.text(text)), audit))
    }

    fn is_taken_over(event: &scscf::Event) -> bool {
        matches!(event, scscf::Event::TakenOver { .. })
    }
}

/// What a record says.
fn said<A, C: Debug, O: Debug>(
    id: Identifier,
    names: [&[u8]; 3],
    audit: &drive::Audit<A, C, O>,
) -> String {
    let names = names.map(|name| String::from_utf8_lossy(name).into_owned());
    let (initiator, cause, outcome) = (audit.initiator, &audit.cause, &audit.outcome);
    let (began, ended) = (audit.began, audit.ended);
    format!("{id} {names:?} {initiator:?} {cause:?} {outcome:?} {began:?} {ended}")
}

/// How a run goes wrong.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plan {
    /// The P-CSCF (0) or the S-CSCF (1) crashes instead of doing its output of this number.
    pub crash: Option<(usize, usize)>,
    /// After the crash, what stood in the store before is read at first.
    pub stale: bool,
    /// Milliseconds that the stores take.
    pub delay: u64,
    /// Every so many writes, the store fails.
    pub failing: Option<usize>,
}

/// What a host is to do, and goes on trying until it is in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    Register,
    Lose,
}

struct Side<N: Persist> {
    make: fn(Identifiers) -> N,
    address: &'static str,
    node: Transactions<Persistent<N>>,
    out: Outbox<N::Role>,
    store: Store,
    incarnation: u64,
    /// Outputs done.
    done: usize,
    /// Answers that come then.
    answers: VecDeque<(Millis, Token, Reply)>,
    writes: usize,
    outcomes: Vec<String>,
    audits: Vec<String>,
    /// Every request sent, by branch.
    sent: BTreeMap<Vec<u8>, Vec<u8>>,
    tasks: Vec<Task>,
    /// A task that was taken: it is safe when the first write that was begun after it is.
    taken: Option<Task>,
    safe_with: Option<Token>,
    /// The write begun last.
    latest: Option<Token>,
}

#[derive(Clone, Copy)]
enum Reply {
    Stored,
    Conflict,
    Failed,
}

struct Crashed;

fn identifiers(address: &str, incarnation: u64) -> Identifiers {
    let mut seed = [0; 32];
    for (byte, from) in seed.iter_mut().zip(address.bytes()) {
        *byte = from;
    }
    Identifiers::new(seed, incarnation, 1)
}

fn embed<N: Persist>(
    make: fn(Identifiers) -> N,
    address: &str,
    incarnation: u64,
) -> Transactions<Persistent<N>> {
    let node = make(identifiers(address, incarnation));
    let node = Persistent::new(node, Config::default()).unwrap();
    let fresh = identifiers(address, 1_000_000 + incarnation);
    Transactions::new(node, txn::Config::default(), fresh)
}

impl<N: Persist> Side<N>
where
    N::Role: Desk,
{
    fn new(make: fn(Identifiers) -> N, address: &'static str, tasks: &[Task]) -> Self {
        let node = embed(make, address, 1);
        Self {
            out: node.outbox(1),
            make,
            address,
            node,
            store: Store::default(),
            incarnation: 1,
            done: 0,
            answers: VecDeque::new(),
            writes: 0,
            outcomes: Vec::new(),
            audits: Vec::new(),
            sent: BTreeMap::new(),
            tasks: tasks.to_vec(),
            taken: None,
            safe_with: None,
            latest: None,
        }
    }

    fn deadline(&self) -> Option<Millis> {
        let answer = self.answers.front().map(|&(at, ..)| at);
        let timer = self.node.deadline().map(|(at, _)| at);
        answer.into_iter().chain(timer).min()
    }

    /// Does what the outbox says. `Err` if it crashes on the way.
    fn drain(
        &mut self,
        now: Millis,
        plan: Plan,
        crash: Option<usize>,
        network: &mut VecDeque<Datagram>,
    ) -> Result<(), Crashed> {
        while !self.out.is_empty() {
            let mut asked = Vec::new();
            let mut again = Vec::new();
            for output in self.out.iter() {
                if crash == Some(self.done) {
                    self.done += 1;
                    return Err(Crashed);
                }
                self.done += 1;
                match output {
                    Output::Request {
                        mut next_hops,
                        bytes,
                        ..
                    }
                    | Output::Acknowledge {
                        mut next_hops,
                        bytes,
                        ..
                    } => {
                        let to = resolve(next_hops.next().unwrap());
                        check_new(&mut self.sent, bytes);
                        network.push_back(Datagram::new(self.address, to, bytes));
                    }
                    Output::Respond { to, bytes, .. } => {
                        let to = ADDRESSES[to.0 as usize];
                        network.push_back(Datagram::new(self.address, to, bytes));
                    }
                    Output::Ask { token, question } => {
                        asked.push((token, <N::Role as Desk>::answer(question)));
                    }
                    Output::Store {
                        token,
                        key,
                        expected,
                        version,
                        bytes,
                    } => {
                        self.writes += 1;
                        if self.taken.is_some() && self.latest != Some(token) {
                            self.safe_with.get_or_insert(token);
                        }
                        self.latest = Some(token);
                        let fails = plan.failing.is_some_and(|every| self.writes % every == 0);
                        let reply = match fails {
                            true => Reply::Failed,
                            false => reply(self.store.put(key, expected, version, bytes)),
                        };
                        self.answers
                            .push_back((now.after(plan.delay), token, reply));
                    }
                    Output::Erase {
                        token,
                        key,
                        expected,
                    } => {
                        let reply = reply(self.store.erase(key, expected));
                        self.answers
                            .push_back((now.after(plan.delay), token, reply));
                    }
                    Output::Event(event) => {
                        let said = <N::Role as Desk>::outcome(event, &self.out);
                        self.outcomes.extend(said);
                        let audited = <N::Role as Desk>::audited(event, &self.out);
                        self.audits.extend(audited);
                        if <N::Role as Desk>::is_taken_over(event) {
                            again.push(());
                        }
                    }
                    other => panic!("{other:?}"),
                }
            }
            self.out.clear();
            // It was only read too early: nobody else is there.
            if !again.is_empty() {
                self.take_over(now, false);
                self.tasks.splice(0..0, self.taken.take());
                self.safe_with = None;
            }
            for (token, answer) in asked {
                let answer = Answer::Role(answer);
                self.node.answer(now, token, answer, &mut self.out).unwrap();
            }
        }
        Ok(())
    }

    /// Adopts all that is in the store and not here.
    fn take_over(&mut self, now: Millis, stale: bool) {
        for key in self.store.keys() {
            let entry = self.store.read(&key, stale).unwrap();
            let persistent = self.node.node_mut();
            let reading = match stale {
                true => Reading::PerhapsStale,
                false => Reading::Latest,
            };
            match persistent.adopt(now, &key, entry.version, &entry.bytes, reading) {
                Ok(()) | Err(drive::RestoreError::AlreadyHere) => {}
                Err(fault) => panic!("{fault}"),
            }
        }
    }

    fn reborn(&mut self, now: Millis, stale: bool) {
        self.incarnation += 1;
        self.node = embed(self.make, self.address, self.incarnation);
        self.out.clear();
        self.answers.clear();
        self.tasks.splice(0..0, self.taken.take());
        self.safe_with = None;
        self.take_over(now, stale);
    }

    /// The next answer of the store, or the next timer.
    fn wake(&mut self, now: Millis) {
        match self.answers.front() {
            Some(&(at, token, reply)) if at <= now => {
                self.answers.pop_front();
                // Done without, it is out as well.
                let counters = self.node.node().counters();
                let is_safe = matches!(reply, Reply::Stored) && self.safe_with == Some(token);
                if is_safe || counters.done_without > 0 {
                    self.taken = None;
                    self.safe_with = None;
                }
                let answer = match reply {
                    Reply::Stored => Answer::Stored,
                    Reply::Conflict => Answer::Conflict,
                    Reply::Failed => Answer::Failed,
                };
                self.node.answer(now, token, answer, &mut self.out).unwrap();
            }
            _ => self.node.tick(now, &mut self.out).unwrap(),
        }
    }
}

fn reply(written: Written) -> Reply {
    match written {
        Written::Stored => Reply::Stored,
        Written::Conflict => Reply::Conflict,
    }
}

/// [DR-8] A branch that comes again is of the same request, byte for byte.
fn check_new(sent: &mut BTreeMap<Vec<u8>, Vec<u8>>, bytes: &[u8]) {
    let message = Message::parse(bytes, &Limits::default()).unwrap();
    let branch = message.via().unwrap().branch().unwrap().to_vec();
    let before = sent.entry(branch).or_insert_with(|| bytes.to_vec());
    assert_eq!(
        String::from_utf8_lossy(before),
        String::from_utf8_lossy(bytes)
    );
}

fn resolve(hop: &[u8]) -> &'static str {
    let hop = String::from_utf8_lossy(hop);
    let known = ADDRESSES.iter().find(|address| hop.contains(**address));
    known.copied().unwrap_or(SCSCF)
}

fn handle(address: &str) -> TransactionRef {
    let place = ADDRESSES.iter().position(|known| *known == address);
    TransactionRef(place.unwrap() as u64)
}

struct Datagram {
    from: &'static str,
    to: &'static str,
    bytes: Vec<u8>,
}

impl Datagram {
    fn new(from: &'static str, to: &'static str, bytes: &[u8]) -> Self {
        let bytes = bytes.to_vec();
        Self { from, to, bytes }
    }
}

/// What a run left behind.
#[derive(Debug)]
pub struct Ending {
    /// Outputs done by the P-CSCF and by the S-CSCF.
    pub done: [usize; 2],
    pub outcomes: [Vec<String>; 2],
    /// What records say.
    pub audits: [Vec<String>; 2],
    pub registrations: usize,
    pub sets: usize,
    pub stores_are_empty: bool,
    pub records: [usize; 2],
    pub largest_blob: usize,
    pub counters: [ims_procedures::persistence::Counters; 2],
}

/// A user registers, and five seconds later the access network loses it.
pub fn first_light(plan: Plan) -> Ending {
    let mut pcscf = Side::new(
        |identifiers| PcscfNode::new(pcscf_config(), identifiers).unwrap(),
        PCSCF,
        &[Task::Register, Task::Lose],
    );
    let mut scscf = Side::new(
        |identifiers| ScscfNode::new(scscf_config(), identifiers).unwrap(),
        SCSCF,
        &[Task::Register],
    );
    let binding = contact(Some(600_000));
    let (request, response) = (register(&binding, 1), register_200(&binding, 1));
    let mut network = VecDeque::new();
    let mut now = Millis(1_000);
    let crash = |side: usize| plan.crash.filter(|(who, _)| *who == side).map(|(_, at)| at);
    let end = Millis(400_000);
    let lost_at = Millis(6_000);
    for step in 0.. {
        assert!(step < 20_000, "{plan:?} has no end: {now:?}");
        // The S-CSCF knows of the registration first.
        if scscf.tasks.first() == Some(&Task::Register) {
            scscf.taken = Some(scscf.tasks.remove(0));
            let command = scscf::Command::Learn {
                request: request.as_bytes(),
                response: response.as_bytes(),
                private_identity: None,
            };
            scscf.node.command(now, command, &mut scscf.out).unwrap();
        } else if pcscf.tasks.first() == Some(&Task::Register) && scscf.taken.is_none() {
            pcscf.taken = Some(pcscf.tasks.remove(0));
            let command = pcscf::Command::Learn {
                request: request.as_bytes(),
                response: response.as_bytes(),
                trunk_group: b"",
            };
            pcscf.node.command(now, command, &mut pcscf.out).unwrap();
        } else if pcscf.tasks.first() == Some(&Task::Lose)
            && now >= lost_at
            && pcscf.taken.is_none()
        {
            pcscf.taken = Some(pcscf.tasks.remove(0));
            let command = pcscf::Command::AccessLost {
                ue: pcscf::Ue::at(CONTACT.as_bytes()),
                evidence: pcscf::Evidence::BearerLost,
            };
            pcscf.node.command(now, command, &mut pcscf.out).unwrap();
        } else if let Some(datagram) = network.pop_front() {
            deliver(now, &datagram, &mut pcscf, &mut scscf, &mut network);
        } else {
            let lose = pcscf.tasks.first() == Some(&Task::Lose) && pcscf.taken.is_none();
            let waits = lose.then_some(lost_at.max(now));
            let next = pcscf.deadline().into_iter().chain(scscf.deadline());
            let Some(at) = next.chain(waits).min().filter(|at| *at < end) else {
                break;
            };
            now = now.max(at);
            if pcscf.deadline().is_some_and(|at| at <= now) {
                pcscf.wake(now);
            } else if scscf.deadline().is_some_and(|at| at <= now) {
                scscf.wake(now);
            }
        }
        if pcscf.drain(now, plan, crash(0), &mut network).is_err() {
            pcscf.reborn(now, plan.stale);
        }
        if scscf.drain(now, plan, crash(1), &mut network).is_err() {
            scscf.reborn(now, plan.stale);
        }
    }
    let (p, s) = (pcscf.node.node(), scscf.node.node());
    Ending {
        done: [pcscf.done, scscf.done],
        registrations: p.node().registrations(),
        sets: s.node().sets(),
        stores_are_empty: pcscf.store.is_empty() && scscf.store.is_empty(),
        records: [p.records(), s.records()],
        counters: [p.counters(), s.counters()],
        largest_blob: pcscf.store.largest.max(scscf.store.largest),
        outcomes: [pcscf.outcomes, scscf.outcomes],
        audits: [pcscf.audits, scscf.audits],
    }
}

fn deliver(
    now: Millis,
    datagram: &Datagram,
    pcscf: &mut Side<PcscfNode>,
    scscf: &mut Side<ScscfNode>,
    network: &mut VecDeque<Datagram>,
) {
    let (from, bytes) = (handle(datagram.from), &datagram.bytes);
    let core = Source::TrustedCore;
    match datagram.to {
        PCSCF => drop(
            pcscf
                .node
                .receive(now, core, from, bytes, &mut pcscf.out)
                .unwrap(),
        ),
        SCSCF => drop(
            scscf
                .node
                .receive(now, core, from, bytes, &mut scscf.out)
                .unwrap(),
        ),
        _ => {
            let request = Message::parse(bytes, &Limits::default()).unwrap();
            let mut buffer = Buffer::new(4_096);
            Writer::respond_to(&mut buffer, &request, 200, None).finish();
            network.push_back(Datagram::new(SERVER, datagram.from, buffer.as_slice()));
        }
    }
}
