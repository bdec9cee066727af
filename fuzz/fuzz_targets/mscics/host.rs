//! A host that does whatever it is told, and checks what it gets.

use std::collections::BTreeSet;

use ims_procedures::{
    dialog::{Dialog, Sequence},
    drive::{
        self, Identifiers, Limits, Millis, Misuse, Node, Outbox, Output, Role, Source, Token,
        TransactionRef, Verdict,
    },
    mscics::{
        Answer, Cause, Command, Config, Details, DialogRef, Event, ExpiresIn, MscNode, Mscics,
        NewDialog, Question, Shutdown,
    },
    wire::{Contact, Element, HeaderName, MAGIC_COOKIE, Message, Method},
};

use crate::{
    bytes::{self, Response, Subscribed},
    operations::{
        Answering, Detailing, From, Holding, Operation, Script, Settings, Step, Tight, Whose,
    },
};

const TXN: TransactionRef = TransactionRef(77);
/// Ticks at one instant that may be needed for each thing that a node holds: every attempt at once, every dialog.
const TICKS_EACH: usize = 64;
const CAUSES: [Cause; 5] = [
    Cause::CancelLocation,
    Cause::ImplicitDetach,
    Cause::Purge,
    Cause::ExplicitDetach,
    Cause::Administrative,
];

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
const MISUSE: Allows = Allows {
    misuse: true,
    ..NEITHER
};
const BOTH: Allows = Allows {
    begin: true,
    misuse: true,
};

pub struct Host {
    config: Config,
    node: MscNode,
    out: Outbox<Mscics>,
    one_output_short: Outbox<Mscics>,
    one_byte_short: Outbox<Mscics>,
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
    let mut config = Config::new(element);
    config.subscription.support_reg_event = of.support_reg_event;
    config.subscription.subscribe_at_reregistration = of.subscribe_at_reregistration;
    config.integrity_protected = of.integrity_protected;
    config.expires_in = match of.expires_in % 3 {
        0 => ExpiresIn::Both,
        1 => ExpiresIn::Header,
        _ => ExpiresIn::Parameter,
    };
    config.entry_points = (0..of.entry_points % 3)
        .map(|number| format!("sip:icscf{number}.home1.example.net").into_bytes())
        .collect();
    config.attempts = 1 + of.attempts % 4;
    config.audit = of.attempts >= 128;
    config.release_bound = u64::from(of.release_bound).max(1);
    config.retry_interval = u64::from(of.retry_interval).max(1);
    config.retry_after_limit = of.retry_after_limit.into();
    config.answer_bound = u64::from(of.answer_bound).max(1);
    config.turn_bound = u64::from(of.turn_bound).max(1);
    config.subscription.floor = of.subscription_floor.into();
    config.subscription.margin = of.subscription_margin.into();
    config.limits.dialogs = 1 + usize::from(of.dialogs % 4);
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
            node: MscNode::new(config.clone(), identifiers(1)).unwrap(),
            config,
            out: Outbox::for_steps(1),
            one_output_short: Outbox::with_room(Mscics::STEP_OUTPUTS - 1, Mscics::STEP_BYTES),
            one_byte_short: Outbox::with_room(Mscics::STEP_OUTPUTS, Mscics::STEP_BYTES - 1),
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
        let tight = step.tight;
        match &step.operation {
            Operation::Learn(of) => {
                let (request, response) = (bytes::register(of), bytes::register_response(of));
                self.learn(&request, &response, tight);
            }
            Operation::LearnBytes { request, response } => self.learn(request, response, tight),
            Operation::LearnDetails(of) => self.learn_details(of, tight),
            Operation::Inactive { user, cause } => {
                let command = Command::Inactive {
                    private_identity: &bytes::private_identity(*user).into_bytes(),
                    cause: CAUSES[usize::from(*cause) % CAUSES.len()],
                };
                self.command(command, NEITHER, tight);
            }
            Operation::Returned { user } => {
                let command = Command::Returned {
                    private_identity: &bytes::private_identity(*user).into_bytes(),
                };
                self.command(command, NEITHER, tight);
            }
            Operation::DialogAdded {
                user,
                identity,
                dialog,
                held,
            } => self.add_dialog(*user, *identity, (*dialog, held.as_ref()), tight),
            Operation::DialogEnded { user, dialog } => {
                let command = Command::DialogEnded {
                    private_identity: &bytes::private_identity(*user).into_bytes(),
                    dialog: DialogRef(u64::from(dialog % 8)),
                };
                self.command(command, NEITHER, tight);
            }
            Operation::Shutdown {
                within,
                rate,
                in_flight,
                dry_run,
            } => {
                let mut order = Shutdown::until(self.now.after(u64::from(*within)));
                order.rate = rate.map(u32::from);
                order.in_flight = in_flight.map(u32::from);
                order.dry_run = *dry_run;
                self.command(Command::Shutdown(order), NEITHER, tight);
            }
            Operation::Resume => self.command(Command::Resume, NEITHER, tight),
            Operation::Notify(of) => {
                let known = self.subscriptions.len().max(1);
                let place = usize::from(of.subscription) % known;
                if let Some(subscribed) = self.subscriptions.get(place) {
                    let bytes = bytes::notify(of, subscribed);
                    self.receive(of.from, &bytes, tight);
                }
            }
            Operation::Receive { from, bytes } => self.receive(*from, bytes, tight),
            Operation::Answer { whose, answer } => self.answer(*whose, answer, tight),
            Operation::Tick => self.tick(tight),
            Operation::Wait => {
                if let Some((at, _)) = self.node.deadline() {
                    self.now = self.now.max(at);
                }
                self.tick(tight);
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
        }
    }

    /// One call, in too small an outbox first where the script says so.
    ///
    /// [DR-4] With too little room, or with any other mistake of the host, it changes nothing. [MS-5] A registration
    /// that begins ends with one event, and only a REGISTER of the host begins one.
    fn call<T>(
        &mut self,
        tight: Option<Tight>,
        allows: Allows,
        mut door: impl FnMut(&mut MscNode, Millis, &mut Outbox<Mscics>) -> Result<T, Misuse>,
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
        let gone = self.absorb();
        self.check_rest();
        match result {
            Ok(value) => {
                self.latest = self.latest.max(self.now);
                let after = self.node.registrations() + gone.len();
                assert!(after == held || (allows.begin && after > held));
                for whom in gone.iter().filter(|_| !allows.begin) {
                    let left = self.node.dialogs(whom);
                    assert!(!self.node.is_registered(whom) && left == 0);
                }
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

    /// [MS-4] [MS-6] With the last registration, its subscription is gone as well.
    fn check_rest(&self) {
        let subscriptions = self.node.sip_generated_subscription_status().count();
        assert!(
            subscriptions <= self.node.registrations(),
            "a subscription without a registration"
        );
    }

    /// Takes what was put out, and checks it. Gives whose registrations have ended.
    fn absorb(&mut self) -> Vec<Vec<u8>> {
        let mut gone = Vec::new();
        let mut written = 0;
        let mut unaudited = None;
        assert!(
            self.out.len() <= Mscics::STEP_OUTPUTS,
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
                    assert_eq!(parse(bytes).status(), Some(status));
                    written += bytes.len();
                }
                Output::Ask {
                    token,
                    question: Question::DialogRelease { affected, .. },
                } => {
                    assert!(!self.out.text(affected.private_identity).is_empty());
                    self.outstanding.push((token, None));
                }
                Output::Event(Event::Deregistered { affected, .. }) => {
                    gone.push(self.out.text(affected.private_identity).to_vec());
                }
                Output::Event(_) => {}
                other => panic!("{other:?}"),
            }
        }
        assert!(unaudited.is_none(), "without a record");
        assert!(written <= Mscics::STEP_BYTES);
        let all: BTreeSet<_> = gone.iter().collect();
        assert_eq!(all.len(), gone.len(), "two outcomes of one registration");
        self.out.clear();
        gone
    }

    fn blob(&self) -> Vec<u8> {
        let mut blob = Vec::new();
        self.node.snapshot(self.now, &mut blob);
        blob
    }

    fn command(&mut self, command: Command<'_>, allows: Allows, tight: Option<Tight>) {
        self.call(tight, allows, |node, now, out| {
            node.command(now, command, out)
        });
    }

    fn learn(&mut self, request: &[u8], response: &[u8], tight: Option<Tight>) {
        self.command(Command::Learn { request, response }, BOTH, tight);
    }

    fn learn_details(&mut self, of: &Detailing, tight: Option<Tight>) {
        let (user, home) = (
            bytes::private_identity(of.user),
            format!("sip:{}", bytes::DOMAIN),
        );
        let mut details = Details {
            private_identity: user.as_bytes(),
            registered_identity: bytes::identity(of.user).as_bytes(),
            home_domain: home.as_bytes(),
            contact: bytes::ELEMENT.as_bytes(),
            contact_params: b";+sip.instance=\"<urn:gsma:imei:90420156-0-0>\"",
            expires: of.expires.into(),
            call_id: bytes::CALL_ID.as_bytes(),
            cseq: of.cseq.into(),
            ..Details::default()
        };
        if let Some((which, value)) = &of.odd {
            let field = match which % 12 {
                0 => &mut details.private_identity,
                1 => &mut details.registered_identity,
                2 => &mut details.public_identity,
                3 => &mut details.identities,
                4 => &mut details.home_domain,
                5 => &mut details.realm,
                6 => &mut details.contact,
                7 => &mut details.contact_params,
                8 => &mut details.route,
                9 => &mut details.path,
                10 => &mut details.access_network_info,
                _ => &mut details.service_route,
            };
            *field = value;
        }
        self.command(Command::LearnDetails(details), BOTH, tight);
    }

    fn add_dialog(
        &mut self,
        user: u8,
        identity: u8,
        (number, held): (u8, Option<&Holding>),
        tight: Option<Tight>,
    ) {
        let call_id = number.to_string();
        let held = held.map(|holding| {
            let sequence = Sequence {
                local: holding.local.into(),
                remote: None,
            };
            let mut dialog = Dialog {
                call_id: call_id.as_bytes(),
                local_uri: b"sip:x",
                local_tag: b"1",
                remote_uri: b"sip:bob@biloxi.example",
                remote_tag: b"2",
                remote_target: b"sip:bob@192.0.2.4",
                is_secure: holding.is_secure,
                ..Dialog::default()
            };
            if holding.route_set {
                dialog.route_set = b"<sip:p1.example;lr>, <sip:p2.example>";
            }
            if let Some((which, value)) = &holding.odd {
                let field = match which % 6 {
                    0 => &mut dialog.call_id,
                    1 => &mut dialog.local_uri,
                    2 => &mut dialog.local_tag,
                    3 => &mut dialog.remote_tag,
                    4 => &mut dialog.remote_target,
                    _ => &mut dialog.route_set,
                };
                *field = value;
            }
            (dialog, sequence)
        });
        let command = Command::DialogAdded {
            private_identity: &bytes::private_identity(user).into_bytes(),
            public_identity: bytes::identity(identity).as_bytes(),
            dialog: NewDialog {
                dialog: DialogRef(u64::from(number % 8)),
                held,
            },
        };
        self.command(command, MISUSE, tight);
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
            Verdict::Handled | Verdict::NotMine | Verdict::Rejected(_)
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
                    mutation: *mutation,
                },
                &parse(request),
            ),
            (Answering::Bytes(bytes), _) => bytes.clone(),
            _ => Vec::new(),
        };
        let given = self.call(tight, MISUSE, |node, now, out| {
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

    /// [MS-5] Left alone, everything ends. What nobody answers is sent again for as long as a subscription lasts, which
    /// may be years: the host comes later and later.
    fn end(&mut self) {
        for round in 0..TICKS_EACH * (self.node.registrations() + 8) {
            let Some((at, _)) = self.node.deadline() else {
                assert_eq!(
                    self.node.registrations(),
                    0,
                    "a registration without a timer"
                );
                return;
            };
            let late = match round / 16 {
                0 => 0,
                times => 1_000u64 << times.min(40),
            };
            self.now = self.now.max(at).after(late);
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
        self.node = MscNode::restore(
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
        let restored = MscNode::restore(self.config.clone(), identifiers, self.now, &blob);
        assert!(restored.is_err(), "a damaged blob was taken");
    }
}

fn requests(outstanding: &[(Token, Option<Vec<u8>>)]) -> impl Iterator<Item = &[u8]> {
    outstanding.iter().filter_map(|(_, bytes)| bytes.as_deref())
}

/// [DR-7] Whether it is the same request: a REGISTER byte for byte, but for what the configuration decides, which may
/// have been replaced; any other by its branch, its dialog and its CSeq. (A target refreshed in between may have changed
/// where it goes.)
fn is_again(offered: &[u8], before: &[u8]) -> bool {
    if offered.starts_with(b"REGISTER ") {
        return whatever_configured(offered) == whatever_configured(before);
    }
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

/// A REGISTER without the expiry of zero, in either of its places, and without `integrity-protected`.
fn whatever_configured(register: &[u8]) -> Vec<u8> {
    const CONFIGURED: [&[u8]; 3] = [
        b";expires=0\r\n",
        b"\r\nExpires: 0\r\n",
        b",integrity-protected=\"auth-done\"\r\n",
    ];
    let mut register = register.to_vec();
    for configured in CONFIGURED {
        let mut windows = register.windows(configured.len());
        if let Some(at) = windows.position(|window| window == configured) {
            register.drain(at..at + configured.len() - 2);
        }
    }
    register
}

fn parse(bytes: &[u8]) -> Message<'_> {
    let wide = Limits::default();
    match Message::parse(bytes, &wide) {
        Ok(message) => message,
        Err(reject) => panic!("{reject} in our own\n{}", String::from_utf8_lossy(bytes)),
    }
}

/// A request of ours can be read, and is one that an MSC server may send. Gives the subscription it opens.
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
    match request.method() {
        // [MS-3]
        Some(Method::Register) => {
            let contacts: Vec<_> = request.contacts().collect();
            let [Ok(Contact::Addr(contact))] = contacts.as_slice() else {
                panic!("not one contact")
            };
            let own = contact.params().number(b"expires");
            assert!(own == Some(0) || (own.is_none() && request.expires() == Ok(Some(0))));
            assert!(to.tag().is_none());
            assert_eq!(
                request.from().map(|from| from.uri_bytes()),
                Ok(to.uri_bytes())
            );
            None
        }
        Some(Method::Subscribe) => to.tag().is_none().then(|| Subscribed::of(&request)),
        Some(Method::Bye) => None,
        other => panic!("{other:?}"),
    }
}
