//! A host that does whatever it is told, and checks what it gets.

use ims_procedures::{
    drive::{
        self, Buffer, Identifiers, Limits, Millis, Misuse, Node, Outbox, Output, Role, Source,
        Token, TransactionRef, Verdict,
    },
    pcscf::{
        Answer, Command, Config, Event, Evidence, NextHop, Pcscf, PcscfNode, Question, Ue,
        strip_trust_marks,
    },
    wire::{Contact, Element, HeaderName, MAGIC_COOKIE, Message, Method},
};

use crate::{
    bytes::{self, Response, Subscribed},
    operations::{Answering, From, Operation, Script, Settings, Step, Tight, Whose},
};

const TXN: TransactionRef = TransactionRef(77);
/// Ticks at one instant that may be needed for each thing that a node holds: every attempt at once, every
/// step of the cleanup.
const TICKS_EACH: usize = 64;

struct Saved {
    blob: Vec<u8>,
    registrations: usize,
}

/// What a call may do.
#[derive(Clone, Copy)]
struct Allows {
    /// Registrations may begin.
    begin: bool,
    /// The host may be told of a mistake of its own.
    misuse: bool,
}

const NEITHER: Allows = Allows {
    begin: false,
    misuse: false,
};

pub struct Host {
    config: Config,
    node: PcscfNode,
    out: Outbox<Pcscf>,
    one_output_short: Outbox<Pcscf>,
    one_byte_short: Outbox<Pcscf>,
    now: Millis,
    /// The latest instant the node was told of.
    latest: Millis,
    incarnation: u64,
    /// What was asked for and not answered, with the bytes of requests.
    outstanding: Vec<(Token, Option<Vec<u8>>)>,
    settled: Vec<Token>,
    subscriptions: Vec<Subscribed>,
    saved: Option<Saved>,
}

fn config(of: &Settings) -> Config {
    let element = Element::new(bytes::ELEMENT.as_bytes(), b"visited1.example.net").unwrap();
    let mut config = Config::new(element, b"\"Visited Network Number 1\"");
    config.subscription.support_reg_event = of.support_reg_event;
    config.integrity_protected = of.integrity_protected;
    if of.by_service_route {
        config.next_hop = NextHop::ServiceRoute;
    }
    config.entry_points = (0..of.entry_points % 3)
        .map(|number| format!("sip:icscf{number}.home1.example.net").into_bytes())
        .collect();
    config.attempts = 1 + of.attempts % 4;
    config.audit = of.attempts >= 128;
    config.retry_interval = u64::from(of.retry_interval).max(1);
    config.retry_after_limit = of.retry_after_limit.into();
    config.answer_bound = u64::from(of.answer_bound).max(1);
    config.notify_bound = u64::from(of.notify_bound).max(1);
    config.cleanup_bound = u64::from(of.cleanup_bound).max(1);
    config.registration_threshold = of.registration_threshold.into();
    config.subscription.floor = of.subscription_floor.into();
    config.subscription.margin = of.subscription_margin.into();
    config.limits.contacts = 1 + usize::from(of.contacts % 16);
    config.limits.users = 1 + usize::from(of.users % 4);
    config
}

fn identifiers(incarnation: u64) -> Identifiers {
    Identifiers::new([7; 32], incarnation, 3)
}

impl Host {
    pub fn run(script: &Script) {
        let mut host = Self::new(&script.settings);
        for step in &script.steps {
            host.step(step);
        }
        host.settle();
        host.end();
    }

    fn new(settings: &Settings) -> Self {
        let config = config(settings);
        Self {
            node: PcscfNode::new(config.clone(), identifiers(1)).unwrap(),
            config,
            out: Outbox::for_steps(1),
            one_output_short: Outbox::with_room(Pcscf::STEP_OUTPUTS - 1, Pcscf::STEP_BYTES),
            one_byte_short: Outbox::with_room(Pcscf::STEP_OUTPUTS, Pcscf::STEP_BYTES - 1),
            now: Millis(1_000_000),
            latest: Millis(0),
            incarnation: 1,
            outstanding: Vec::new(),
            settled: Vec::new(),
            subscriptions: Vec::new(),
            saved: None,
        }
    }

    fn step(&mut self, step: &Step) {
        match &step.operation {
            Operation::Learn(of) => {
                let (request, response) = (bytes::register(of), bytes::register_response(of));
                self.learn(&request, &response, step.tight);
            }
            Operation::LearnBytes { request, response } => {
                self.learn(request, response, step.tight);
            }
            Operation::AccessLost { contact } => {
                let command = Command::AccessLost {
                    ue: Ue::at(bytes::contact(*contact).as_bytes()),
                    evidence: Evidence::BearerLost,
                };
                self.call(step.tight, NEITHER, |node, now, out| {
                    node.command(now, command, out)
                });
            }
            Operation::Notify(of) => {
                let known = self.subscriptions.len().max(1);
                let place = usize::from(of.subscription) % known;
                if let Some(subscribed) = self.subscriptions.get(place) {
                    let bytes = bytes::notify(of, subscribed);
                    self.receive(of.from, &bytes, step.tight);
                }
            }
            Operation::Receive { from, bytes } => self.receive(*from, bytes, step.tight),
            Operation::Answer { whose, answer } => self.answer(*whose, answer, step.tight),
            Operation::Tick => self.tick(step.tight),
            Operation::Wait => {
                if let Some((at, _)) = self.node.deadline() {
                    self.now = self.now.max(at);
                }
                self.tick(step.tight);
            }
            Operation::Forwards { milliseconds } => {
                self.now = self.now.after(u64::from(*milliseconds));
            }
            Operation::Backwards { milliseconds } => {
                self.now = Millis(self.now.0.saturating_sub(u64::from(*milliseconds)));
            }
            Operation::Save => self.save(),
            Operation::Crash {
                with_the_latest,
                epoch,
            } => self.crash(*with_the_latest, *epoch),
            Operation::RestoreDamaged { at, flip } => self.restore_damaged(*at, *flip),
            Operation::Reconfigure(settings) => {
                let mut config = config(settings);
                config.limits = self.config.limits;
                self.node.reconfigure(config.clone()).unwrap();
                self.config = config;
            }
            Operation::StripTrustMarks { message, mutation } => {
                let mut bytes = bytes::register(message);
                if let Some(mutation) = mutation {
                    mutation.apply(&mut bytes);
                }
                strip(&bytes);
            }
        }
    }

    /// One call, in too small an outbox first where the script says so.
    ///
    /// [DR-4] With too little room, or with any other mistake of the host, it changes nothing. [PD-6] [PD-7]
    /// A registration that begins ends with one event, and only a REGISTER begins one.
    fn call<T>(
        &mut self,
        tight: Option<Tight>,
        allows: Allows,
        mut door: impl FnMut(&mut PcscfNode, Millis, &mut Outbox<Pcscf>) -> Result<T, Misuse>,
    ) -> Option<T> {
        let held = self.node.registrations();
        let compared = tight.is_some() || allows.misuse;
        let before = compared.then(|| self.blob());
        if let Some(tight) = tight {
            let small = match tight {
                Tight::Outputs => &mut self.one_output_short,
                Tight::Bytes => &mut self.one_byte_short,
            };
            let refused = door(&mut self.node, self.now, small);
            assert!(matches!(refused, Err(Misuse::OutboxFull { .. })));
            assert!(small.is_empty());
            let after = Some(self.blob());
            assert!(before == after, "a refused call changed something");
        }
        let result = door(&mut self.node, self.now, &mut self.out);
        let ended = self.absorb();
        match result {
            Ok(value) => {
                self.latest = self.latest.max(self.now);
                let after = self.node.registrations() + ended;
                assert!(after == held || (allows.begin && after > held));
                Some(value)
            }
            Err(misuse) => {
                assert!(allows.misuse, "{misuse}");
                assert!(!matches!(misuse, Misuse::OutboxFull { .. }), "{misuse}");
                assert!(before == Some(self.blob()), "{misuse}, with changes");
                None
            }
        }
    }

    /// Takes what was put out, and checks it. Gives the number of registrations that ended.
    fn absorb(&mut self) -> usize {
        let mut ended = 0;
        let mut written = 0;
        let mut unaudited = None;
        assert!(
            self.out.len() <= Pcscf::STEP_OUTPUTS,
            "more outputs than one step's"
        );
        for output in self.out.iter() {
            let audited = match output {
                Output::Event(Event::Audited(audit)) => Some(audit.id),
                _ => None,
            };
            assert_eq!(unaudited.take(), audited, "one record after each outcome");
            if let Output::Event(Event::Deregistered { id, .. } | Event::Cancelled { id, .. }) =
                output
            {
                unaudited = self.config.audit.then_some(*id);
            }
            match output {
                Output::Request {
                    token,
                    next_hops,
                    bytes,
                    congestion_controlled,
                    ..
                } => {
                    assert!(next_hops.clone().next().is_some());
                    assert!(next_hops.into_iter().all(|hop| !hop.is_empty()));
                    assert_eq!(congestion_controlled, bytes.len() > drive::UDP_LIMIT);
                    if let Some(subscribed) = check_request(bytes) {
                        self.subscriptions.push(subscribed);
                    }
                    written += bytes.len();
                    self.outstanding.push((token, Some(bytes.to_vec())));
                }
                Output::Respond { to, status, bytes } => {
                    assert_eq!(to, TXN);
                    let response = parse(bytes);
                    assert_eq!(response.status(), Some(status));
                    written += bytes.len();
                }
                Output::Ask { token, question } => {
                    let (Question::OwedDelivery { affected, .. }
                    | Question::SecurityAssociationShortening { affected, .. }
                    | Question::SecurityAssociationRelease { affected, .. }
                    | Question::BearerRelease { affected, .. }) = question
                    else {
                        panic!("{question:?}")
                    };
                    assert!(!self.out.text(affected.contact).is_empty());
                    self.outstanding.push((token, None));
                }
                Output::Event(Event::Deregistered { affected, .. }) => {
                    assert!(!self.out.text(affected.contact).is_empty());
                    ended += 1;
                }
                Output::Event(_) => {}
                other => panic!("{other:?}"),
            }
        }
        assert!(unaudited.is_none(), "without a record");
        assert!(written <= Pcscf::STEP_BYTES);
        self.out.clear();
        ended
    }

    fn blob(&self) -> Vec<u8> {
        let mut blob = Vec::new();
        self.node.snapshot(self.now, &mut blob);
        blob
    }

    fn learn(&mut self, request: &[u8], response: &[u8], tight: Option<Tight>) {
        let command = Command::Learn {
            request,
            response,
            trunk_group: b"",
        };
        let allows = Allows {
            begin: true,
            misuse: true,
        };
        self.call(tight, allows, |node, now, out| {
            node.command(now, command, out)
        });
    }

    fn receive(&mut self, from: From, bytes: &[u8], tight: Option<Tight>) {
        let from = match from {
            From::TrustedCore => Source::TrustedCore,
            From::Ue => Source::Ue,
            From::Unknown => Source::Unknown,
        };
        let verdict = self
            .call(tight, NEITHER, |node, now, out| {
                node.receive(now, from, TXN, bytes, out)
            })
            .expect("a fault of the peer is no mistake of the host");
        assert!(matches!(
            verdict,
            Verdict::Handled | Verdict::NotMine | Verdict::Forward | Verdict::Rejected(_)
        ));
    }

    fn answer(&mut self, whose: Whose, answering: &Answering, tight: Option<Tight>) {
        let (token, request) = match whose {
            Whose::Outstanding(place) if !self.outstanding.is_empty() => {
                let place = usize::from(place) % self.outstanding.len();
                self.outstanding.swap_remove(place)
            }
            Whose::Settled(place) if !self.settled.is_empty() => {
                (self.settled[usize::from(place) % self.settled.len()], None)
            }
            Whose::NeverGiven(number) => (Token::from_u64(number), None),
            _ => return,
        };
        let bytes = match (answering, &request) {
            (
                Answering::Response {
                    status,
                    notifier,
                    expires,
                    retry_after,
                    contact,
                    record_route,
                    mutation,
                },
                Some(request),
            ) => bytes::response(
                &Response {
                    status: bytes::status(*status),
                    notifier: *notifier,
                    expires: *expires,
                    retry_after: *retry_after,
                    contact: *contact,
                    record_route: *record_route,
                    mutation: *mutation,
                },
                &parse(request),
            ),
            (Answering::Bytes(bytes), _) => bytes.clone(),
            _ => Vec::new(),
        };
        let allows = Allows {
            misuse: true,
            ..NEITHER
        };
        let given = self.call(tight, allows, |node, now, out| {
            let answer = match answering {
                Answering::Response { .. } | Answering::Bytes(_) => drive::Answer::Response(&bytes),
                Answering::Timeout => drive::Answer::Timeout,
                Answering::Unreachable => drive::Answer::Unreachable,
                Answering::Stored => drive::Answer::Stored,
                Answering::Conflict => drive::Answer::Conflict,
                Answering::Done => Answer::Done.into(),
                Answering::Failed => Answer::Failed.into(),
            };
            node.answer(now, token, answer, out)
        });
        match (given, whose) {
            (Some(()), Whose::Outstanding(_)) => self.settled.push(token),
            (None, Whose::Outstanding(_)) => self.outstanding.push((token, request)),
            _ => {}
        }
    }

    /// [DR-6] Before the deadline, a tick changes nothing.
    fn tick(&mut self, tight: Option<Tight>) {
        let now = self.now.max(self.latest);
        let due = self.node.deadline().is_some_and(|(at, _)| at <= now);
        let before = (!due).then(|| (self.blob(), self.outstanding.len()));
        self.call(tight, NEITHER, |node, now, out| node.tick(now, out));
        if before.is_some() {
            let after = Some((self.blob(), self.outstanding.len()));
            assert!(before == after, "a tick too early");
        }
    }

    /// [DR-6] So many ticks at one instant, and nothing is due any more.
    fn settle(&mut self) {
        let now = self.now.max(self.latest);
        for _ in 0..TICKS_EACH * (self.node.registrations() + 8) {
            match self.node.deadline() {
                Some((at, _)) if at <= now => self.tick(None),
                _ => return,
            }
        }
        panic!("due for ever: {:?} at {now}", self.node.deadline());
    }

    /// [PD-6] Left alone, everything ends.
    fn end(&mut self) {
        for _ in 0..TICKS_EACH * (self.node.registrations() + 8) {
            let Some((at, _)) = self.node.deadline() else {
                assert_eq!(
                    self.node.registrations(),
                    0,
                    "a registration without a timer"
                );
                return;
            };
            self.now = self.now.max(at);
            self.settle();
        }
        panic!("no end: {:?}", self.node.deadline());
    }

    fn save(&mut self) {
        self.settle();
        self.saved = Some(Saved {
            blob: self.blob(),
            registrations: self.node.registrations(),
        });
    }

    /// [DR-7] The restored node holds what was saved, and offers again only what was outstanding.
    fn crash(&mut self, with_the_latest: bool, epoch: u32) {
        if with_the_latest || self.saved.is_none() {
            self.save();
        }
        let Some(saved) = &self.saved else { return };
        let current = with_the_latest.then(|| core::mem::take(&mut self.outstanding));
        self.incarnation += 1;
        self.now = Millis(u64::from(epoch));
        self.latest = self.now;
        self.node = PcscfNode::restore(
            self.config.clone(),
            identifiers(self.incarnation),
            self.now,
            &saved.blob,
        )
        .expect("our own blob");
        assert_eq!(self.node.registrations(), saved.registrations);
        if with_the_latest {
            assert!(saved.blob == self.blob(), "a restored node is another one");
        }
        self.outstanding.clear();
        self.settled.clear();
        let timers = self.node.deadline();
        if timers.is_some_and(|(at, _)| at == Millis(0)) {
            self.settle();
        }
        let Some(before) = current else { return };
        for offered in requests(&self.outstanding) {
            let known = requests(&before).any(|request| is_again(offered, request));
            assert!(
                known,
                "not offered before: {}",
                String::from_utf8_lossy(offered)
            );
        }
    }

    fn restore_damaged(&mut self, at: u16, flip: u8) {
        let mut blob = self.blob();
        let place = usize::from(at) % blob.len();
        blob[place] ^= flip.max(1);
        let identifiers = identifiers(self.incarnation + 1);
        let restored = PcscfNode::restore(self.config.clone(), identifiers, self.now, &blob);
        assert!(restored.is_err(), "a damaged blob was taken");
    }
}

fn requests(outstanding: &[(Token, Option<Vec<u8>>)]) -> impl Iterator<Item = &[u8]> {
    outstanding.iter().filter_map(|(_, bytes)| bytes.as_deref())
}

/// [DR-7] Whether it is the same request: its branch, its dialog and its CSeq. (A target refreshed in between
/// may have changed where it goes.)
fn is_again(offered: &[u8], before: &[u8]) -> bool {
    let (offered, before) = (parse(offered), parse(before));
    let same = |name| {
        let raw = |message: &Message<'_>| message.header(name).map(|h| h.raw().to_vec());
        raw(&offered) == raw(&before)
    };
    [
        HeaderName::Via,
        HeaderName::From,
        HeaderName::To,
        HeaderName::CallId,
        HeaderName::CSeq,
    ]
    .into_iter()
    .all(same)
}

fn parse(bytes: &[u8]) -> Message<'_> {
    let wide = Limits::default();
    match Message::parse(bytes, &wide) {
        Ok(message) => message,
        Err(reject) => panic!("{reject} in our own\n{}", String::from_utf8_lossy(bytes)),
    }
}

/// A request of ours can be read, and is one that a P-CSCF may send. Gives the subscription it opens.
fn check_request(bytes: &[u8]) -> Option<Subscribed> {
    let request = parse(bytes);
    let via = request.via().expect("our own Via");
    assert!(
        via.branch()
            .is_some_and(|branch| branch.starts_with(MAGIC_COOKIE))
    );
    assert_eq!(request.vias().count(), 1);
    assert!(request.from().expect("our own From").tag().is_some());
    let to = request.to().expect("our own To");
    assert!(request.call_id().is_ok() && request.cseq().is_ok());
    assert!(request.header(HeaderName::PAssertedIdentity).is_some());
    match request.method() {
        // [PD-5]
        Some(Method::Register) => {
            assert_eq!(request.expires(), Ok(Some(0)));
            let contacts: Vec<_> = request.contacts().collect();
            let [Ok(Contact::Addr(contact))] = contacts.as_slice() else {
                panic!("not one contact")
            };
            assert_eq!(contact.params().number(b"expires"), Some(0));
            assert!(to.tag().is_none());
            None
        }
        Some(Method::Subscribe) => to.tag().is_none().then(|| Subscribed::of(&request)),
        other => panic!("{other:?}"),
    }
}

/// [PD-11] What is left can be read, and bears no mark of trust.
fn strip(bytes: &[u8]) {
    let limits = Limits::default();
    let mut stripped = Buffer::new(bytes.len() + 16);
    if strip_trust_marks(bytes, &limits, &mut stripped).is_err() {
        return;
    }
    let message = parse(stripped.as_slice());
    assert!(message.header(HeaderName::PAssertedIdentity).is_none());
    assert!(message.header(HeaderName::Path).is_none());
    if let Ok(Some(credentials)) = message.authorization() {
        assert!(credentials.integrity_protected().is_none());
    }
}
