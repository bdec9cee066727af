//! UEs, P-CSCFs, S-CSCF and application server in one chain: the nodes behind the hosts of their own tests, and
//! between them their bytes, which a test may hold back, lose, or have answered by an element in between.

use std::collections::HashMap;

use ims_procedures::{
    drive::{self, Buffer, Limits, Millis, Node, Source, Token, TransactionRef, Verdict},
    pcscf::{self, PcscfNode, strip_trust_marks},
    scscf::{Answer, Config},
};

use crate::{
    common::pcscf::{self as edge, Bed, Out},
    scscf::{self as home, Ask, Ev, Host, Registration, header, response_to},
};

/// What has been put out by one and is not yet with the other.
enum Pending {
    /// A request of a P-CSCF, to the S-CSCF.
    ToScscf { from: usize, token: Token },
    /// The answer to it.
    ToClient { at: usize, token: Token },
    /// A NOTIFY to a P-CSCF.
    ToPcscf { at: usize, token: Token },
    /// An answer of a P-CSCF or of the application server.
    ToNotifier { token: Token },
    /// A third-party REGISTER.
    ToServer { token: Token },
    /// The answer to a UE's REGISTER, at its P-CSCF.
    ToUe { at: usize, request: String },
    /// A question to the host of a P-CSCF.
    EdgeAsks { at: usize, token: Token },
    /// A question to the host of the S-CSCF.
    HomeAsks { out: home::Out },
}

/// Something pending, with the line that tells of it and its bytes.
struct Step {
    line: String,
    bytes: String,
    pending: Pending,
}

/// A message, when it was sent, and the line that tells of it.
pub(crate) struct Sent {
    pub(crate) at: Millis,
    pub(crate) line: String,
    pub(crate) bytes: String,
}

/// Who sent a request to the S-CSCF.
#[derive(Clone)]
enum Client {
    Pcscf(usize, Token),
    Ue(usize, String),
    /// A P-CSCF before its crash.
    Gone,
}

/// The nodes, and everything that happened between them.
pub(crate) struct Chain {
    pub(crate) pcscfs: Vec<Bed>,
    pub(crate) scscf: Host,
    /// What happened, in order, a line each.
    pub(crate) log: Vec<String>,
    /// What was sent, in order.
    pub(crate) sent: Vec<Sent>,
    /// Whether a user's credentials hold.
    pub(crate) verdict: Answer<'static>,
    /// With what an element in between answers a P-CSCF's REGISTERs.
    pub(crate) border: Option<u16>,
    /// With what the registrar answers a REGISTER that binds: 200, if not otherwise.
    pub(crate) registrar: u16,
    steps: Vec<Step>,
    /// REGISTERs of UEs that a P-CSCF holds.
    withheld: Vec<(usize, String)>,
    /// Lines that wait.
    held: Vec<String>,
    clients: HashMap<u64, Client>,
    /// What a P-CSCF still owes to its UEs.
    owed: Vec<(usize, String)>,
    /// How many requests UEs have sent.
    requests: u64,
}

/// The S-CSCF's challenge.
pub(crate) const CHALLENGE: Answer<'static> = Answer::Challenge {
    header: b"Digest realm=\"home1.example.net\",nonce=\"n2\"",
};

/// The UE of the fixtures.
pub(crate) fn ue() -> Registration {
    Registration::default()
}

/// Another device of the same identity, with a private identity of its own.
pub(crate) fn watch() -> Registration {
    Registration {
        private: "user2_private@home1.example.net",
        call_id: "watch-call-1",
        ..Registration::of(
            "sip:[2001:db8::aaa:ccc]:1357",
            ";+sip.instance=\"<urn:gsma:imei:90420156-025763-9>\";reg-id=1",
        )
    }
}

/// The URI of its contact.
pub(crate) fn contact(ue: &Registration) -> &str {
    let contact = &ue.contacts[0];
    &contact[1..contact.find('>').unwrap()]
}

fn pcscf_name(at: usize) -> String {
    format!("P-CSCF{}", at + 1)
}

fn host_name(at: usize) -> String {
    format!("pcscf{}.visited1.example.net", at + 1)
}

/// The method of a request, or the status of a response with its method.
fn kind(bytes: &str) -> String {
    match bytes.strip_prefix("SIP/2.0 ") {
        Some(rest) => {
            let method = header(bytes, "CSeq").unwrap().split(' ').nth(1).unwrap();
            format!("{} to {method}", &rest[..3])
        }
        None => bytes.split(' ').next().unwrap().to_owned(),
    }
}

impl Chain {
    pub(crate) fn new() -> Self {
        Self::with(edge::config(), home::config())
    }

    pub(crate) fn with(edge: pcscf::Config, home: Config) -> Self {
        let mut scscf = Host::new(home);
        scscf.now = Millis(1_000_000);
        let mut chain = Self {
            pcscfs: Vec::new(),
            scscf,
            log: Vec::new(),
            sent: Vec::new(),
            verdict: Answer::Authenticated,
            border: None,
            registrar: 200,
            steps: Vec::new(),
            withheld: Vec::new(),
            held: Vec::new(),
            clients: HashMap::new(),
            owed: Vec::new(),
            requests: 0,
        };
        chain.add_pcscf(edge);
        chain
    }

    /// The UE of the fixtures registered at both ends, and subscribed to.
    pub(crate) fn registered() -> Self {
        Self::registered_with(edge::config(), home::config())
    }

    pub(crate) fn registered_with(edge: pcscf::Config, home: Config) -> Self {
        let mut chain = Self::with(edge, home);
        chain.register(0, &ue());
        assert_eq!(chain.scscf.node.subscribers(home::PUBLIC.as_bytes()), 1);
        chain.forget();
        chain
    }

    /// Another P-CSCF.
    pub(crate) fn add_pcscf(&mut self, config: pcscf::Config) {
        let mut bed = Bed::new(config);
        bed.now = self.now();
        self.pcscfs.push(bed);
    }

    pub(crate) fn now(&self) -> Millis {
        self.scscf.now
    }

    /// Nothing that happened until now counts.
    pub(crate) fn forget(&mut self) {
        self.log.clear();
        self.sent.clear();
    }

    fn push(&mut self, line: String, bytes: String, pending: Pending) {
        self.log.push(line.clone());
        if !bytes.is_empty() {
            self.sent.push(Sent {
                at: self.now(),
                line: line.clone(),
                bytes: bytes.clone(),
            });
        }
        self.steps.push(Step {
            line,
            bytes,
            pending,
        });
    }

    /// What a P-CSCF put out; `answering` is the token of the NOTIFY it answers.
    fn edge_out(&mut self, at: usize, outs: Vec<Out>, answering: Option<Token>) {
        let name = pcscf_name(at);
        for out in outs {
            match out {
                Out::Request { token, bytes, .. } => {
                    let bytes = String::from_utf8(bytes).unwrap();
                    let line = format!("{name} sends {}", kind(&bytes));
                    self.push(line, bytes, Pending::ToScscf { from: at, token });
                }
                Out::Respond { bytes, .. } => {
                    let bytes = String::from_utf8(bytes).unwrap();
                    let line = format!("{name} sends {}", kind(&bytes));
                    let token = answering.expect("something to answer");
                    self.push(line, bytes, Pending::ToNotifier { token });
                }
                Out::Ask {
                    token, what, about, ..
                } => {
                    let line = format!("{name} asks {what}: {about}");
                    self.push(line, String::new(), Pending::EdgeAsks { at, token });
                }
                Out::Event(about, event) => {
                    if let Some(line) = edge_event(&event) {
                        self.log.push(format!("{name} tells {line}: {about}"));
                    }
                    match event {
                        pcscf::Event::AccessLost { .. } => {
                            self.log.push(format!("{name} notes loss: {about}"));
                        }
                        pcscf::Event::AccessDoubted { evidence, .. } => {
                            self.log.push(format!("{name} notes {evidence:?}: {about}"));
                        }
                        pcscf::Event::HeldRegisterReleased { forward, .. } => {
                            self.let_go(at, forward);
                        }
                        _ => {}
                    }
                }
            }
        }
    }

    fn home_out(&mut self, outs: Vec<home::Out>) {
        for out in outs {
            match &out {
                home::Out::Request { token, hops, bytes } => {
                    let (token, bytes) = (*token, bytes.clone());
                    let to =
                        (0..self.pcscfs.len()).find(|at| hops[0].contains(host_name(*at).as_str()));
                    match to {
                        Some(at) => {
                            let line =
                                format!("S-CSCF sends {} to {}", kind(&bytes), pcscf_name(at));
                            self.push(line, bytes, Pending::ToPcscf { at, token });
                        }
                        None => {
                            let line = format!("S-CSCF sends {} to the server", kind(&bytes));
                            self.push(line, bytes, Pending::ToServer { token });
                        }
                    }
                }
                home::Out::Respond { to, bytes, .. } => {
                    let line = format!("S-CSCF sends {}", kind(bytes));
                    let (line, pending) = match self.clients.remove(to).unwrap() {
                        Client::Gone => continue,
                        Client::Pcscf(at, token) => (line, Pending::ToClient { at, token }),
                        Client::Ue(at, request) => {
                            (format!("{line} of the UE"), Pending::ToUe { at, request })
                        }
                    };
                    self.push(line, bytes.clone(), pending);
                }
                home::Out::Ask { ask, .. } => {
                    let line = match ask {
                        Ask::Authentication { reasons, .. } => {
                            format!("authentication: {reasons:?}")
                        }
                        Ask::DialogRelease { contacts, .. } => format!("dialogs: {contacts}"),
                        Ask::ServerAssignment { code, private, .. } => {
                            format!("assignment {code}: {private}")
                        }
                    };
                    let line = format!("S-CSCF asks {line}");
                    self.push(line, String::new(), Pending::HomeAsks { out });
                }
                home::Out::Event(event) => {
                    if let Some(line) = home_event(event) {
                        self.log.push(format!("S-CSCF tells {line}"));
                    }
                }
            }
        }
    }

    /// What begins like this waits from now on.
    pub(crate) fn hold(&mut self, line: &str) {
        self.held.push(line.to_owned());
    }

    /// What waited goes on.
    pub(crate) fn release(&mut self) {
        self.held.clear();
        self.settle();
    }

    /// Something is reported of the access of a UE.
    pub(crate) fn report(&mut self, at: usize, ue: &Registration, evidence: pcscf::Evidence) {
        let contact = contact(ue).as_bytes();
        let lost = pcscf::Command::AccessLost {
            ue: pcscf::Ue::at(contact),
            evidence,
        };
        assert_eq!(self.command(at, lost), Verdict::Handled);
    }

    /// Something is heard from a UE: a response, or a keep-alive.
    pub(crate) fn heard(&mut self, at: usize, ue: &Registration) {
        let contact = contact(ue).as_bytes();
        let heard = pcscf::Command::Heard {
            ue: pcscf::Ue::at(contact),
        };
        assert_eq!(self.command(at, heard), Verdict::Handled);
    }

    /// Somebody calls a UE: what the P-CSCF says to that.
    pub(crate) fn called(&mut self, at: usize, ue: &Registration) -> Verdict {
        let invite = format!(
            "INVITE {} SIP/2.0\r\n\
             Via: SIP/2.0/UDP scscf1.home1.example.net:5080;branch=z9hG4bKi\r\n\
             Max-Forwards: 66\r\nFrom: <sip:b@home2.example.net>;tag=b\r\nTo: <{}>\r\n\
             Call-ID: call-1\r\nCSeq: 1 INVITE\r\nContact: <sip:b@home2.example.net>\r\n\
             Content-Length: 0\r\n\r\n",
            contact(ue),
            ue.to
        );
        let (verdict, out) = self.pcscfs[at].receive(Source::TrustedCore, invite.as_bytes());
        assert_eq!(out, []);
        verdict
    }

    /// Carries and answers, in order, until nothing moves.
    pub(crate) fn settle(&mut self) {
        for _ in 0..1_000 {
            self.tick_all();
            let waits = |step: &Step| self.held.iter().any(|held| step.line.starts_with(held));
            let Some(place) = self.steps.iter().position(|step| !waits(step)) else {
                return;
            };
            let step = self.steps.remove(place);
            self.carry(step);
        }
        panic!("without end: {:?}", self.log);
    }

    fn tick_all(&mut self) {
        let outs = self.scscf.ticks();
        self.home_out(outs);
        for at in 0..self.pcscfs.len() {
            for turn in 0.. {
                let bed = &mut self.pcscfs[at];
                if bed.node.deadline().is_none_or(|(due, _)| due > bed.now) {
                    break;
                }
                assert!(turn < 1_000, "ticks without end");
                let outs = bed.tick();
                self.edge_out(at, outs, None);
            }
        }
    }

    /// Lets time pass, deadline by deadline.
    pub(crate) fn wait(&mut self, milliseconds: u64) {
        let end = self.now().after(milliseconds);
        self.settle();
        loop {
            let edges = self.pcscfs.iter().filter_map(|bed| bed.node.deadline());
            let next = edges
                .chain(self.scscf.node.deadline())
                .map(|(at, _)| at)
                .min();
            let at = next.filter(|at| *at <= end).unwrap_or(end);
            self.scscf.now = at.max(self.scscf.now);
            for bed in &mut self.pcscfs {
                bed.now = self.scscf.now;
            }
            self.settle();
            if at == end {
                return;
            }
        }
    }

    fn carry(&mut self, step: Step) {
        let Step { bytes, pending, .. } = step;
        match pending {
            Pending::ToScscf { from, token } => match self.border {
                Some(status) if bytes.starts_with("REGISTER") => {
                    let refused = response_to(&bytes, status);
                    let line = format!("Border sends {}", kind(&refused));
                    self.push(line, refused, Pending::ToClient { at: from, token });
                }
                _ => {
                    self.at_scscf(Source::TrustedCore, Client::Pcscf(from, token), &bytes);
                }
            },
            Pending::ToClient { at, token } => {
                let out = self.pcscfs[at].respond(token, bytes.as_bytes());
                self.edge_out(at, out, None);
            }
            Pending::ToPcscf { at, token } => {
                let (_, out) = self.pcscfs[at].receive(Source::TrustedCore, bytes.as_bytes());
                self.edge_out(at, out, Some(token));
            }
            Pending::ToNotifier { token } => {
                let answer = drive::Answer::Response(bytes.as_bytes());
                let outs = self.scscf.try_answer(token, answer).unwrap();
                self.home_out(outs);
            }
            Pending::ToServer { token } => {
                let told = response_to(&bytes, 200);
                self.push(
                    "Server sends 200".into(),
                    told,
                    Pending::ToNotifier { token },
                );
            }
            Pending::ToUe { at, request } => self.back_to_ue(at, &request, bytes),
            Pending::EdgeAsks { at, token } => {
                self.deliver_owed(at);
                let out = self.pcscfs[at].done(token);
                self.edge_out(at, out, None);
            }
            Pending::HomeAsks { out } => {
                let home::Out::Ask { ask, .. } = &out else {
                    panic!("{out:?}");
                };
                let answer = match ask {
                    Ask::Authentication { .. } => self.verdict,
                    Ask::DialogRelease { .. } => Answer::Released,
                    Ask::ServerAssignment { .. } => Answer::Assigned {
                        application_servers: home::SERVER,
                    },
                };
                let outs = self.scscf.answer(&out, answer);
                self.home_out(outs);
            }
        }
    }

    fn at_scscf(&mut self, from: Source, client: Client, bytes: &str) -> Verdict {
        self.clients.insert(self.scscf.transactions + 1, client);
        let (verdict, outs) = self.scscf.receive_from(from, bytes.as_bytes());
        self.home_out(outs);
        verdict
    }

    /// The final response to a UE's REGISTER is back at its P-CSCF, whose host learns from it first. Then it goes
    /// to the UE, or is what is owed to it in a cleanup.
    fn back_to_ue(&mut self, at: usize, request: &str, response: String) {
        let command = pcscf::Command::Learn {
            request: request.as_bytes(),
            response: response.as_bytes(),
            trunk_group: b"",
        };
        let bed = &mut self.pcscfs[at];
        let verdict = bed.node.command(bed.now, command, &mut bed.out).unwrap();
        assert_eq!(
            verdict == Verdict::Handled,
            response.starts_with("SIP/2.0 2")
        );
        let outs = bed.take();
        let cleans = outs.iter().any(|out| matches!(out, Out::Ask { .. }));
        self.owed.push((at, response));
        self.edge_out(at, outs, None);
        if !cleans {
            self.deliver_owed(at);
        }
    }

    fn deliver_owed(&mut self, at: usize) {
        let (delivered, owed) = std::mem::take(&mut self.owed)
            .into_iter()
            .partition::<Vec<_>, _>(|(of, _)| *of == at);
        self.owed = owed;
        for (_, response) in delivered {
            self.log.push(format!("UE gets {}", kind(&response)));
        }
    }

    /// A UE sends a REGISTER to its P-CSCF, as it stands; it goes through P-CSCF, S-CSCF and registrar.
    pub(crate) fn ue_sends(&mut self, at: usize, request: &str) -> Verdict {
        self.requests += 1;
        let (bed, txn) = (&mut self.pcscfs[at], TransactionRef(self.requests));
        let verdict = bed
            .node
            .receive(bed.now, Source::Ue, txn, request.as_bytes(), &mut bed.out)
            .unwrap();
        let out = bed.take();
        self.edge_out(at, out, None);
        match verdict {
            Verdict::Forward => self.forward(at, request),
            Verdict::Hold(_) => {
                self.log.push(format!("{} holds REGISTER", pcscf_name(at)));
                self.withheld.push((at, request.to_owned()));
            }
            _ => {}
        }
        self.settle();
        verdict
    }

    fn forward(&mut self, at: usize, request: &str) {
        self.log
            .push(format!("{} forwards REGISTER", pcscf_name(at)));
        let forwarded = core_side(at, request);
        self.register_at_scscf(at, &forwarded);
    }

    /// A REGISTER that was held goes on, or has another one held in its place.
    fn let_go(&mut self, at: usize, forward: bool) {
        let place = self.withheld.iter().position(|(of, _)| *of == at);
        let (_, request) = self
            .withheld
            .remove(place.expect("a REGISTER that is held"));
        if forward {
            self.forward(at, &request);
        } else {
            self.log.push("UE gets 500 to REGISTER".into());
        }
    }

    /// Somebody sends a REGISTER to the S-CSCF, past the P-CSCFs.
    pub(crate) fn intrudes(&mut self, from: Source, request: &str) {
        let client = Client::Ue(0, request.to_owned());
        let verdict = self.at_scscf(from, client, request);
        assert_eq!(verdict, Verdict::Handled);
        self.settle();
    }

    /// A REGISTER that a P-CSCF has passed on.
    fn register_at_scscf(&mut self, at: usize, request: &str) {
        let client = Client::Ue(at, request.to_owned());
        if self.at_scscf(Source::TrustedCore, client, request) != Verdict::NotMine {
            return;
        }
        let response = granting(request, self.registrar);
        let learnt = self
            .scscf
            .learn_bytes(request.as_bytes(), response.as_bytes());
        let verdict = learnt.unwrap();
        assert_eq!(verdict == Verdict::Handled, self.registrar == 200);
        let line = format!("Registrar sends {} of the UE", kind(&response));
        let request = request.to_owned();
        self.push(line, response, Pending::ToUe { at, request });
    }

    /// A UE registers, or registers anew.
    pub(crate) fn register(&mut self, at: usize, ue: &Registration) {
        let verdict = self.ue_sends(at, &ue_side(&ue.request()));
        assert!(matches!(verdict, Verdict::Forward | Verdict::Hold(_)));
    }

    /// A UE deregisters itself.
    pub(crate) fn deregister(&mut self, at: usize, ue: &Registration) {
        let removal = ue.removal(ue.call_id, ue.cseq + 1);
        let verdict = self.ue_sends(at, &ue_side(&removal));
        assert_eq!(verdict, Verdict::Forward);
    }

    /// The access network loses a UE.
    pub(crate) fn access_lost(&mut self, at: usize, ue: &Registration) {
        let out = self.pcscfs[at].lose(contact(ue));
        self.edge_out(at, out, None);
        self.settle();
    }

    /// The host of a P-CSCF commands.
    pub(crate) fn command(&mut self, at: usize, command: pcscf::Command<'_>) -> Verdict {
        let bed = &mut self.pcscfs[at];
        let verdict = bed.node.command(bed.now, command, &mut bed.out).unwrap();
        let out = bed.take();
        self.edge_out(at, out, None);
        self.settle();
        verdict
    }

    /// A P-CSCF crashes and goes on from its blob, in this life. What it was about to send, or to be told, is lost.
    pub(crate) fn restart(&mut self, at: usize, config: pcscf::Config, life: u64) {
        let bed = &mut self.pcscfs[at];
        let mut blob = Vec::new();
        bed.node.snapshot(bed.now, &mut blob);
        bed.node = PcscfNode::restore(config, edge::identifiers(life), bed.now, &blob).unwrap();
        self.steps.retain(|step| match step.pending {
            Pending::ToScscf { from: of, .. }
            | Pending::ToClient { at: of, .. }
            | Pending::EdgeAsks { at: of, .. } => of != at,
            _ => true,
        });
        for client in self.clients.values_mut() {
            if matches!(client, Client::Pcscf(of, _) if *of == at) {
                *client = Client::Gone;
            }
        }
        self.log.push(format!("{} starts again", pcscf_name(at)));
        self.settle();
    }

    /// Whether it is registered at a P-CSCF and bound at the S-CSCF.
    pub(crate) fn is_registered(&self, at: usize, ue: &Registration) -> [bool; 2] {
        let contact = contact(ue).as_bytes();
        let mut bound = self.scscf.node.contacts(ue.to.as_bytes());
        [
            self.pcscfs[at].node.is_registered(contact),
            bound.any(|bound| bound == contact),
        ]
    }

    /// How many lines begin like this.
    pub(crate) fn count(&self, line: &str) -> usize {
        self.log.iter().filter(|own| own.starts_with(line)).count()
    }

    /// Lines that begin like these stand in the log, in this order.
    #[track_caller]
    pub(crate) fn saw(&self, lines: &[&str]) {
        let mut log = self.log.iter();
        for line in lines {
            let found = log.any(|own| own.starts_with(line));
            assert!(found, "no {line:?} in its place in {:#?}", self.log);
        }
    }

    /// The bytes of the last message whose line begins like this.
    #[track_caller]
    pub(crate) fn last(&self, line: &str) -> &str {
        let mut sent = self.sent.iter().rev();
        let found = sent.find(|sent| sent.line.starts_with(line));
        let found = found.unwrap_or_else(|| panic!("no {line:?} in {:#?}", self.log));
        &found.bytes
    }

    /// Everything that has been kept at the two ends is gone.
    #[track_caller]
    pub(crate) fn nothing_is_left(&mut self) {
        self.wait(100_000);
        for bed in &self.pcscfs {
            assert_eq!(bed.node.registrations(), 0);
            assert_eq!(bed.node.deadline(), None);
        }
        assert_eq!(self.scscf.node.sets(), 0);
    }
}

fn edge_event(event: &pcscf::Event) -> Option<String> {
    match event {
        pcscf::Event::Deregistered {
            cause,
            outcome,
            registers,
            ..
        } => Some(format!("{cause:?} {outcome:?} {registers}")),
        pcscf::Event::Cancelled { cause, .. } => Some(format!("cancelled {cause:?}")),
        pcscf::Event::ShutdownPlanned {
            registrations,
            in_dialog,
            emergency,
            ..
        } => Some(format!("planned {registrations} {in_dialog} {emergency}")),
        pcscf::Event::ShutdownProgressed { left, .. } => Some(format!("progress {left}")),
        pcscf::Event::ShutdownEnded { tally } => {
            Some(format!("end {} {}", tally.notified, tally.total()))
        }
        _ => None,
    }
}

fn home_event(event: &Ev) -> Option<String> {
    match event {
        Ev::Deregistered {
            cause, contacts, ..
        } => Some(format!("{cause:?}: {contacts}")),
        Ev::Suspicious { reasons, .. } => Some(format!("suspicious: {reasons:?}")),
        _ => None,
    }
}

/// A REGISTER as the UE sends it: without what a P-CSCF puts in.
pub(crate) fn ue_side(request: &str) -> String {
    let (via, rest) = request.split_once("Via: ").unwrap();
    let (_, rest) = rest.split_once("Via: ").unwrap();
    let without = |line: &&str| !line.starts_with("Path: ") && !line.starts_with("Require: ");
    format!("{via}Via: {rest}")
        .split("\r\n")
        .filter(without)
        .collect::<Vec<_>>()
        .join("\r\n")
        .replace(",integrity-protected=\"yes\"", "")
}

/// A REGISTER of a UE as the P-CSCF passes it on (TS 24.229 5.2.2).
fn core_side(at: usize, request: &str) -> String {
    let mut buffer = Buffer::new(65_536);
    strip_trust_marks(request.as_bytes(), &Limits::default(), &mut buffer).unwrap();
    let name = host_name(at);
    let branch = header(request, "Via")
        .unwrap()
        .split("branch=")
        .nth(1)
        .unwrap();
    let authorization = header(request, "Authorization").unwrap_or_default();
    String::from_utf8(buffer.as_slice().to_vec())
        .unwrap()
        .replacen(
            "Via: ",
            &format!("Via: SIP/2.0/UDP {name}:5070;branch={branch}p\r\nVia: "),
            1,
        )
        .replace(
            "Content-Length: ",
            &format!("Path: <sip:term@{name}:5070;lr>\r\nRequire: path\r\nContent-Length: "),
        )
        .replace(
            authorization,
            &format!("{authorization},integrity-protected=\"yes\""),
        )
}

/// What the registrar answers, with what it grants if it does.
fn granting(request: &str, status: u16) -> String {
    let bare = response_to(request, status);
    if status != 200 {
        return bare;
    }
    let asked = request
        .split("\r\n")
        .filter(|line| line.starts_with("Contact: "));
    let granted = asked.map(|line| match line.contains("expires=") {
        true => format!("{line}\r\n"),
        false => format!("{line};expires=3600\r\n"),
    });
    let granted: String = granted.collect();
    let to = header(request, "To").unwrap();
    bare.replace(
        "Content-Length",
        &format!("{granted}P-Associated-URI: {to}\r\nContent-Length"),
    )
}
