//! P-CSCF, S-CSCF and application server, each with its host, on the network.

use std::collections::HashMap;

use ims_procedures::{
    drive::{
        self, Identifiers, Limits, Millis, Node, Outbox, Output, Role, Source, Token,
        TransactionRef, Verdict,
    },
    pcscf::{self, Pcscf, PcscfNode},
    scscf::{self, Scscf, ScscfNode},
    txn::{self, Transactions},
    wire::{Element, HeaderName, Message, Method, Uri, Writer},
};

use crate::common::{
    self,
    network::{Address, Faults, Host, Network, Sends},
};

pub(crate) const PCSCF: &str = "pcscf1.visited1.example.net:5070";
pub(crate) const SCSCF: &str = "scscf1.home1.example.net:5080";
const SERVER: &str = "as1.home1.example.net:5090";
/// Where the answers to a user's own REGISTER go; nothing on the network is lost there.
const UE: &str = "ue.invalid";
/// Every address, so that a handle of one is a number that stays good.
const ADDRESSES: [&str; 4] = [PCSCF, SCSCF, SERVER, UE];

fn handle(address: &str) -> TransactionRef {
    let place = ADDRESSES.iter().position(|a| *a == address);
    TransactionRef(place.expect("a known address") as u64)
}

fn address(handle: TransactionRef) -> Address {
    ADDRESSES[usize::try_from(handle.0).unwrap()].to_owned()
}

/// Where a next hop leads: the home domain to its S-CSCF, everything else to itself.
fn resolve(hop: &[u8]) -> Address {
    let uri = Uri::parse(hop).expect("a next hop is a URI");
    let text = String::from_utf8(uri.raw().to_vec()).unwrap();
    ADDRESSES
        .iter()
        .find(|address| text.contains(*address))
        .map_or(SCSCF.to_owned(), |address| (*address).to_owned())
}

/// A node behind the transaction layer, its outbox, and what it told its host.
pub(crate) struct Embedded<N: Node> {
    pub(crate) node: Transactions<N>,
    out: Outbox<N::Role>,
    address: Address,
    pub(crate) incarnation: u64,
    pub(crate) log: Vec<String>,
}

/// How the line of a log begins that tells of no outcome.
const CANCELLED: &str = "cancelled";

/// What a host does with the questions and events of its role.
pub(crate) trait Desk: Role {
    fn answer(question: &Self::Question) -> Self::Answer<'static>;
    fn note(event: &Self::Event, out: &Outbox<Self>) -> Option<String>;
}

impl Desk for Pcscf {
    fn answer(_: &pcscf::Question) -> pcscf::Answer<'static> {
        pcscf::Answer::Done
    }

    fn note(event: &pcscf::Event, out: &Outbox<Self>) -> Option<String> {
        match event {
            pcscf::Event::Deregistered {
                affected,
                cause,
                outcome,
                ..
            } => {
                let contact = String::from_utf8_lossy(out.text(affected.contact)).into_owned();
                Some(format!("{contact} {cause:?} {outcome:?}"))
            }
            pcscf::Event::Cancelled { affected, .. } => {
                let contact = String::from_utf8_lossy(out.text(affected.contact)).into_owned();
                Some(format!("{CANCELLED} {contact}"))
            }
            _ => None,
        }
    }
}

impl Desk for Scscf {
    fn answer(question: &scscf::Question) -> scscf::Answer<'static> {
        match question {
            scscf::Question::DialogRelease { .. } => scscf::Answer::Released,
            scscf::Question::ServerAssignment { .. } => scscf::Answer::Assigned {
                application_servers: b"<sip:as1.home1.example.net:5090;lr>",
            },
            scscf::Question::Authentication { reasons, .. } if *reasons == scscf::Reasons::NONE => {
                scscf::Answer::Authenticated
            }
            _ => scscf::Answer::Denied,
        }
    }

    fn note(event: &scscf::Event, out: &Outbox<Self>) -> Option<String> {
        match event {
            scscf::Event::Deregistered {
                affected, cause, ..
            } => {
                let contacts = String::from_utf8_lossy(out.text(affected.contacts)).into_owned();
                Some(format!("{contacts} {cause:?}"))
            }
            _ => None,
        }
    }
}

impl<N: Node> Embedded<N>
where
    N::Role: Desk,
{
    fn new(node: N, address: &str) -> Self {
        let node = Transactions::new(
            node,
            txn::Config::default(),
            identifiers(address, 1_000_001),
        );
        Self {
            out: node.outbox(1),
            node,
            address: address.to_owned(),
            incarnation: 1,
            log: Vec::new(),
        }
    }

    /// Does what the outbox says, until there is nothing more to do.
    fn drain(&mut self, now: Millis, sends: &mut Sends) {
        while !self.out.is_empty() {
            let mut asked: Vec<(Token, <N::Role as Role>::Answer<'static>)> = Vec::new();
            for output in self.out.iter() {
                match output {
                    Output::Request {
                        mut next_hops,
                        congestion_controlled: false,
                        bytes,
                        ..
                    } => {
                        sends.send(resolve(next_hops.next().expect("a next hop")), bytes);
                    }
                    Output::Respond { to, bytes, .. } => sends.send(address(to), bytes),
                    Output::Ask { token, question } => {
                        asked.push((token, <N::Role as Desk>::answer(question)));
                    }
                    Output::Event(event) => {
                        self.log.extend(<N::Role as Desk>::note(event, &self.out));
                    }
                    other => panic!("{other:?}"),
                }
            }
            self.out.clear();
            for (token, answer) in asked {
                let answer = drive::Answer::Role(answer);
                self.node.answer(now, token, answer, &mut self.out).unwrap();
                self.drain(now, sends);
            }
        }
    }

    fn deliver(&mut self, now: Millis, from: &str, bytes: &[u8], sends: &mut Sends) {
        let source = if from == UE {
            Source::Ue
        } else {
            Source::TrustedCore
        };
        let verdict = self
            .node
            .receive(now, source, handle(from), bytes, &mut self.out)
            .unwrap();
        assert!(
            !matches!(verdict, Verdict::Forward | Verdict::Hold(_)),
            "{verdict:?}"
        );
        self.drain(now, sends);
    }

    fn wake(&mut self, now: Millis, sends: &mut Sends) {
        self.node.tick(now, &mut self.out).unwrap();
        self.drain(now, sends);
    }

    /// Starts again from its own blob; the transactions are lost.
    fn reborn(&mut self, now: Millis, restore: impl FnOnce(Identifiers, &[u8]) -> N) {
        let mut blob = Vec::new();
        self.node.snapshot(now, &mut blob);
        self.incarnation += 1;
        let node = restore(identifiers(&self.address, self.incarnation), &blob);
        let fresh = identifiers(&self.address, 1_000_000 + self.incarnation);
        self.node = Transactions::new(node, txn::Config::default(), fresh);
        self.out.clear();
    }
}

fn identifiers(address: &str, incarnation: u64) -> Identifiers {
    let mut seed = [0; 32];
    for (byte, from) in seed.iter_mut().zip(address.bytes()) {
        *byte = from;
    }
    Identifiers::new(seed, incarnation, shard(address))
}

/// The shard of whoever is at this address, in a network of one node each.
pub(crate) fn shard(address: &str) -> u16 {
    handle(address).0 as u16 + 1
}

/// Larger datagrams than UDP may carry on an unknown path: here everything is lossy.
const UDP_LIMIT: usize = 60_000;

fn pcscf_config() -> pcscf::Config {
    let mut config = common::pcscf::config();
    config.element = config.element.with_udp_limit(UDP_LIMIT);
    config.subscription.element = config.element.clone();
    config
}

fn scscf_config() -> scscf::Config {
    scscf::Config::new(
        Element::new(b"sip:scscf1.home1.example.net:5080", b"home1.example.net")
            .unwrap()
            .with_udp_limit(UDP_LIMIT),
    )
}

impl Host for Embedded<PcscfNode> {
    fn address(&self) -> Address {
        self.address.clone()
    }

    fn receive(&mut self, now: Millis, from: &str, bytes: &[u8], sends: &mut Sends) {
        self.deliver(now, from, bytes, sends);
    }

    fn tick(&mut self, now: Millis, sends: &mut Sends) {
        self.wake(now, sends);
    }

    fn deadline(&self) -> Option<Millis> {
        self.node.deadline().map(|(at, _)| at)
    }

    fn restart(&mut self, now: Millis, _: &mut Sends) {
        self.reborn(now, |identifiers, blob| {
            PcscfNode::restore(pcscf_config(), identifiers, now, blob).unwrap()
        });
    }
}

impl Host for Embedded<ScscfNode> {
    fn address(&self) -> Address {
        self.address.clone()
    }

    fn receive(&mut self, now: Millis, from: &str, bytes: &[u8], sends: &mut Sends) {
        self.deliver(now, from, bytes, sends);
    }

    fn tick(&mut self, now: Millis, sends: &mut Sends) {
        self.wake(now, sends);
    }

    fn deadline(&self) -> Option<Millis> {
        self.node.deadline().map(|(at, _)| at)
    }

    fn restart(&mut self, now: Millis, _: &mut Sends) {
        self.reborn(now, |identifiers, blob| {
            ScscfNode::restore(scscf_config(), identifiers, now, blob).unwrap()
        });
    }
}

/// What goes wrong around the S-CSCF when users are lost.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Trouble {
    Nothing,
    /// Nothing that is sent to it arrives, for so many milliseconds.
    Outage(u64),
    /// It answers 503 to the first REGISTERs for each contact, with this Retry-After.
    Refusals(usize, Option<u32>),
}

/// The front of the S-CSCF that refuses while there is too much to do.
struct Busy<'w> {
    scscf: &'w mut Embedded<ScscfNode>,
    trouble: Trouble,
    /// The branches refused, by contact.
    refused: &'w mut HashMap<Vec<u8>, Vec<Vec<u8>>>,
}

impl Busy<'_> {
    /// Whether it refuses this: a retransmission is answered as the REGISTER was.
    fn refuses(&mut self, message: &Message<'_>) -> Option<Option<u32>> {
        let Trouble::Refusals(count, retry_after) = self.trouble else {
            return None;
        };
        if message.method() != Some(Method::Register) {
            return None;
        }
        let refused = self.refused.entry(contact(message)).or_default();
        let branch = message.via().unwrap().branch().unwrap().to_vec();
        if !refused.contains(&branch) {
            if refused.len() == count {
                return None;
            }
            refused.push(branch);
        }
        Some(retry_after)
    }
}

impl Host for Busy<'_> {
    fn address(&self) -> Address {
        self.scscf.address()
    }

    fn receive(&mut self, now: Millis, from: &str, bytes: &[u8], sends: &mut Sends) {
        let message = Message::parse(bytes, &Limits::default()).unwrap();
        let Some(retry_after) = self.refuses(&message) else {
            return self.scscf.receive(now, from, bytes, sends);
        };
        let mut buffer = drive::Buffer::new(4_096);
        let mut writer = Writer::respond_to(&mut buffer, &message, 503, None);
        if let Some(seconds) = retry_after {
            writer.header(HeaderName::RetryAfter, seconds.to_string().as_bytes());
        }
        writer.finish();
        sends.send(from, buffer.as_slice());
    }

    fn tick(&mut self, now: Millis, sends: &mut Sends) {
        self.scscf.tick(now, sends);
    }

    fn deadline(&self) -> Option<Millis> {
        self.scscf.deadline()
    }

    fn restart(&mut self, now: Millis, sends: &mut Sends) {
        self.scscf.restart(now, sends);
    }
}

/// The contact that a REGISTER names.
fn contact(register: &Message<'_>) -> Vec<u8> {
    let contact = register.name_addrs(HeaderName::Contact).next();
    contact.unwrap().unwrap().uri_bytes().to_vec()
}

/// Answers every request 200, and remembers whom it was told of.
#[derive(Default)]
pub(crate) struct Server {
    pub(crate) told: Vec<String>,
}

impl Host for Server {
    fn address(&self) -> Address {
        SERVER.to_owned()
    }

    fn receive(&mut self, _: Millis, from: &str, bytes: &[u8], sends: &mut Sends) {
        let request = Message::parse(bytes, &Limits::default()).unwrap();
        assert_eq!(request.expires(), Ok(Some(0)));
        let whom = request.to().unwrap().uri_bytes().to_vec();
        self.told.push(String::from_utf8(whom).unwrap());
        let mut buffer = drive::Buffer::new(4_096);
        Writer::respond_to(&mut buffer, &request, 200, None).finish();
        sends.send(from, buffer.as_slice());
    }

    fn tick(&mut self, _: Millis, _: &mut Sends) {}

    fn deadline(&self) -> Option<Millis> {
        None
    }
}

/// A user: its private identity, default public identity and contact.
#[derive(Clone, Debug)]
pub(crate) struct User {
    private_identity: String,
    pub(crate) public_identity: String,
    pub(crate) contact: String,
}

impl User {
    /// User 0 and 1 share an implicit registration set; every other has one of its own.
    fn numbered(number: usize) -> Self {
        let set = number.max(1);
        Self {
            private_identity: format!("user{number}_private@home1.example.net"),
            public_identity: format!("sip:set{set}@home1.example.net"),
            contact: format!("sip:u{number}@[2001:db8::{number:x}]:1357"),
        }
    }

    /// A REGISTER as the P-CSCF passes it on, and its 200.
    fn register(&self, cseq: u32, expires: u32) -> (String, String) {
        let Self {
            private_identity,
            public_identity,
            contact,
        } = self;
        let common = format!(
            "Via: SIP/2.0/UDP {PCSCF};branch=z9hG4bKp{private_identity}{cseq}\r\n\
             Via: SIP/2.0/UDP {UE};branch=z9hG4bKu{private_identity}{cseq}\r\n\
             From: <{public_identity}>;tag=u\r\nCall-ID: {private_identity}\r\nCSeq: {cseq} REGISTER\r\n\
             Contact: <{contact}>;expires={expires}\r\nPath: <sip:term@{PCSCF};lr>\r\n"
        );
        let request = format!(
            "REGISTER sip:home1.example.net SIP/2.0\r\n{common}To: <{public_identity}>\r\nMax-Forwards: 70\r\n\
             Authorization: Digest username=\"{private_identity}\",realm=\"home1.example.net\",nonce=\"\",\
             uri=\"sip:home1.example.net\",response=\"\",integrity-protected=\"yes\"\r\nContent-Length: 0\r\n\r\n"
        );
        let response = format!(
            "SIP/2.0 200 OK\r\n{common}To: <{public_identity}>;tag=s\r\n\
             P-Associated-URI: <{public_identity}>, <tel:+1212555{}>\r\nContent-Length: 0\r\n\r\n",
            public_identity.len()
        );
        (request, response)
    }
}

pub(crate) struct World {
    pub(crate) network: Network,
    pub(crate) pcscf: Embedded<PcscfNode>,
    pub(crate) scscf: Embedded<ScscfNode>,
    pub(crate) server: Server,
    pub(crate) users: Vec<User>,
    trouble: Trouble,
    refused: HashMap<Vec<u8>, Vec<Vec<u8>>>,
    cseq: u32,
    /// When the deregistrations of a contact were started.
    pub(crate) started: HashMap<Vec<u8>, Vec<Millis>>,
    /// How many registrations of a contact were begun; one whose end was cancelled goes on.
    pub(crate) begun: HashMap<Vec<u8>, usize>,
}

/// One attempt of a deregistration: a REGISTER with all its retransmissions.
#[derive(Debug)]
struct Attempt {
    branch: Vec<u8>,
    /// When it was first sent.
    at: Millis,
    /// Not before this was it over: its answer was sent, or Timer F had run.
    over: Millis,
    retry_after: u64,
}

impl World {
    pub(crate) fn new(seed: u64, faults: Faults, users: usize) -> Self {
        let pcscf = PcscfNode::new(pcscf_config(), identifiers(PCSCF, 1)).unwrap();
        let scscf = ScscfNode::new(scscf_config(), identifiers(SCSCF, 1)).unwrap();
        Self {
            network: Network::new(seed, faults),
            pcscf: Embedded::new(pcscf, PCSCF),
            scscf: Embedded::new(scscf, SCSCF),
            server: Server::default(),
            users: (0..users).map(User::numbered).collect(),
            trouble: Trouble::Nothing,
            refused: HashMap::new(),
            cseq: 0,
            started: HashMap::new(),
            begun: HashMap::new(),
        }
    }

    pub(crate) fn run_for(&mut self, milliseconds: u64, crash: u64) {
        let end = self.network.now.after(milliseconds);
        let mut scscf = Busy {
            scscf: &mut self.scscf,
            trouble: self.trouble,
            refused: &mut self.refused,
        };
        let hosts: &mut [&mut dyn Host] = &mut [&mut self.pcscf, &mut scscf, &mut self.server];
        self.network.run(hosts, end, crash);
    }

    /// From now on there is trouble.
    pub(crate) fn make(&mut self, trouble: Trouble) {
        self.trouble = trouble;
        if let Trouble::Outage(milliseconds) = trouble {
            let until = self.network.now.after(milliseconds);
            self.network.outage = Some((SCSCF.to_owned(), until));
        }
    }

    /// Both ends learn the registration, as when the REGISTER passed through them.
    pub(crate) fn register(&mut self, user: &User) {
        self.cseq += 1;
        let (request, response) = user.register(self.cseq, 7_200);
        let (request, response) = (request.as_bytes(), response.as_bytes());
        let now = self.network.now;
        let mut sends = Sends::default();
        let learn = scscf::Command::Learn {
            request,
            response,
            private_identity: None,
        };
        let verdict = self
            .scscf
            .node
            .command(now, learn, &mut self.scscf.out)
            .unwrap();
        assert_eq!(verdict, Verdict::Handled);
        self.scscf.drain(now, &mut sends);
        self.network.carry(SCSCF, std::mem::take(&mut sends));
        let was_registered = self.is_registered_at_pcscf(user);
        let cancelled = self.cancelled(user);
        self.learn_at_pcscf(request, response);
        if !was_registered && self.cancelled(user) == cancelled {
            let contact = user.contact.as_bytes().to_vec();
            *self.begun.entry(contact).or_default() += 1;
        }
    }

    /// How many deregistrations of the user were given up for a new registration.
    pub(crate) fn cancelled(&self, user: &User) -> usize {
        let line = format!("{CANCELLED} {}", user.contact);
        self.pcscf.log.iter().filter(|own| **own == line).count()
    }

    fn learn_at_pcscf(&mut self, request: &[u8], response: &[u8]) {
        let now = self.network.now;
        let mut sends = Sends::default();
        let learn = pcscf::Command::Learn {
            request,
            response,
            trunk_group: b"",
        };
        let status = Message::parse(response, &Limits::default())
            .unwrap()
            .status();
        let verdict = self
            .pcscf
            .node
            .command(now, learn, &mut self.pcscf.out)
            .unwrap();
        assert_eq!(verdict == Verdict::Handled, status == Some(200));
        self.pcscf.drain(now, &mut sends);
        self.network.carry(PCSCF, sends);
    }

    /// The user deregisters itself: its REGISTER goes through the S-CSCF, the P-CSCF learns the answer.
    pub(crate) fn deregister(&mut self, user: &User) {
        self.cseq += 1;
        let (request, _) = user.register(self.cseq, 0);
        let mut sends = Sends::default();
        let now = self.network.now;
        self.scscf.deliver(now, UE, request.as_bytes(), &mut sends);
        let (answers, others) = sends.0.into_iter().partition(|(to, _)| to == UE);
        self.network.carry(SCSCF, Sends(others));
        let answers: Vec<(Address, Vec<u8>)> = answers;
        let [(_, answer)] = &answers[..] else {
            panic!("one answer: {answers:?}");
        };
        self.learn_at_pcscf(request.as_bytes(), answer);
    }

    pub(crate) fn lose(&mut self, user: &User) {
        let now = self.network.now;
        let mut sends = Sends::default();
        let contact = user.contact.as_bytes();
        let is_registered = self.is_registered_at_pcscf(user);
        if is_registered {
            self.started.entry(contact.to_vec()).or_default().push(now);
        }
        let lost = pcscf::Command::AccessLost {
            ue: pcscf::Ue::at(contact),
            evidence: pcscf::Evidence::BearerLost,
        };
        let verdict = self
            .pcscf
            .node
            .command(now, lost, &mut self.pcscf.out)
            .unwrap();
        assert_eq!(verdict == Verdict::Handled, is_registered);
        self.pcscf.drain(now, &mut sends);
        self.network.carry(PCSCF, sends);
    }

    pub(crate) fn is_bound_at_scscf(&self, user: &User) -> bool {
        let node = self.scscf.node.node();
        node.contacts(user.public_identity.as_bytes())
            .any(|contact| contact == user.contact.as_bytes())
    }

    pub(crate) fn is_registered_at_pcscf(&self, user: &User) -> bool {
        self.pcscf
            .node
            .node()
            .is_registered(user.contact.as_bytes())
    }

    /// Whether the P-CSCF is busy with the end of the user's registration.
    pub(crate) fn is_ending_at_pcscf(&self, user: &User) -> bool {
        let begun = self.begun.get(user.contact.as_bytes()).unwrap_or(&0);
        !self.is_registered_at_pcscf(user) && Self::outcomes(&self.pcscf.log, user).len() < *begun
    }

    /// The outcomes in a log of a user's registrations.
    pub(crate) fn outcomes<'l>(log: &'l [String], user: &User) -> Vec<&'l String> {
        log.iter()
            .filter(|line| line.contains(user.contact.as_str()) && !line.starts_with(CANCELLED))
            .collect()
    }

    /// What must be true once it is quiet, if the users were registered once and these of them lost.
    pub(crate) fn check(&self, lost: &[usize]) {
        for (number, user) in self.users.iter().enumerate() {
            let gone = lost.contains(&number);
            assert_eq!(
                self.is_registered_at_pcscf(user),
                !gone,
                "P-CSCF, user {number}"
            );
            assert_eq!(self.is_bound_at_scscf(user), !gone, "S-CSCF, user {number}");
            for log in [&self.pcscf.log, &self.scscf.log] {
                let outcomes = Self::outcomes(log, user);
                assert_eq!(
                    outcomes.len(),
                    usize::from(gone),
                    "user {number}: {outcomes:?}"
                );
            }
            let identity = &user.public_identity;
            let set_is_gone = self
                .users
                .iter()
                .enumerate()
                .filter(|(_, other)| other.public_identity == *identity)
                .all(|(other, _)| lost.contains(&other));
            assert_eq!(
                self.server.told.contains(identity),
                set_is_gone,
                "application server, user {number}"
            );
        }
        self.check_retry_policy();
    }

    /// [PD-6] No more than three attempts for one deregistration, each no sooner after the end of the one
    /// before than its interval, and than its Retry-After; all with one Call-ID and a CSeq of their own. Gives
    /// the attempts of each deregistration.
    pub(crate) fn check_retry_policy(&self) -> Vec<usize> {
        let mut attempts: HashMap<(Vec<u8>, Vec<u8>), Vec<Attempt>> = HashMap::new();
        for sent in &self.network.sent {
            let message = Message::parse(&sent.bytes, &Limits::default()).unwrap();
            if sent.from == PCSCF && message.method() == Some(Method::Register) {
                assert_eq!(message.expires(), Ok(Some(0)));
                let contact = contact(&message);
                let call_id = message.call_id().unwrap().to_vec();
                let seen = attempts.entry((contact, call_id)).or_default();
                let branch = message.via().unwrap().branch().unwrap().to_vec();
                if !seen.iter().any(|attempt| attempt.branch == branch) {
                    seen.push(Attempt {
                        branch,
                        at: sent.at,
                        over: sent.at.after(32_000),
                        retry_after: 0,
                    });
                }
            } else if sent.to == PCSCF && message.status().is_some() {
                let branch = message.via().unwrap().branch().unwrap();
                let mut all = attempts.values_mut().flatten();
                if let Some(attempt) = all.find(|attempt| attempt.branch == branch) {
                    attempt.over = attempt.over.min(sent.at);
                    let wait = message.retry_after().unwrap();
                    attempt.retry_after = wait.map_or(0, |wait| wait.seconds.into());
                }
            }
        }
        for (contact, started) in &self.started {
            let begun = attempts.keys().filter(|(of, _)| of == contact).count();
            assert!(begun <= started.len(), "{begun} Call-IDs");
        }
        for seen in attempts.values() {
            assert!(seen.len() <= 3, "{seen:?}");
            for (pair, least) in seen.windows(2).zip([4_000, 8_000]) {
                let least = least.max(1_000 * pair[0].retry_after);
                assert!(pair[1].at.since(pair[0].over) >= least, "{seen:?}");
            }
        }
        attempts.values().map(Vec::len).collect()
    }
}
