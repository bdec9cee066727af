//! A host that does whatever it is told, and checks what it gets.

use ims_procedures::{
    cpm::{
        Answer, Command, Config, Cpm, CpmNode, Description, Establish, Event, Function, Iwf,
        IwfPolicy, Leg, LegId, Mode, Question, SessionRef, SessionTimer, Side,
    },
    dialog::{Dialog, Sequence},
    drive::{
        self, Identifiers, Millis, Misuse, Node, Outbox, Output, Role, Source, Token,
        TransactionRef, Verdict,
    },
    wire::{Element, HeaderName, Message, sdp::StreamSet},
};

use crate::{
    bytes,
    operations::{
        Answering, Commanding, Establishing, Leaving, Operation, Responding, Script, Settings,
        Status, Step, Tight, Whose,
    },
    seen::{Seen, parse},
};

/// Ticks at one instant that may be needed for each session: everything outstanding at once, a step each.
const TICKS_EACH: usize = 64;

/// What a token is of.
#[derive(Clone)]
enum Asked {
    Request(Vec<u8>),
    Question(Question),
}

struct Saved {
    blob: Vec<u8>,
    sessions: usize,
    seen: Seen,
    shown: [Option<Establishing>; 3],
}

pub struct Host {
    config: Config,
    node: CpmNode,
    out: Outbox<Cpm>,
    one_output_short: Outbox<Cpm>,
    one_byte_short: Outbox<Cpm>,
    now: Millis,
    /// The latest instant the node was told of.
    latest: Millis,
    incarnation: u64,
    transactions: u64,
    outstanding: Vec<(Token, Asked)>,
    settled: Vec<Token>,
    /// All requests that there were.
    requests: Vec<Vec<u8>>,
    seen: Seen,
    shown: [Option<Establishing>; 3],
    saved: Option<Saved>,
}

fn config(of: &Settings) -> Config {
    let element = Element::new(bytes::ELEMENT.as_bytes(), b"home1.example.net").unwrap();
    let mut config = Config::new(element);
    config.answers_unknown = of.answers_unknown;
    config.far_side_bound = u64::from(of.far_side_bound % 16_000) + 1;
    config.store_bound = u64::from(of.store_bound % 15_000) + 1;
    config.answer_bound = u64::from(of.answer_bound) + 1;
    config.reinvite_bound = u64::from(of.answer_bound) + 1;
    config.description_bound = u64::from(of.description_bound) + 1;
    config.reinvite_attempts = 1 + of.reinvite_attempts % 4;
    config.audit = of.reinvite_attempts >= 128;
    config.reason_bytes = of.reason_bytes.into();
    config.limits.users = 1 + usize::from(of.users % 3);
    config
}

fn identifiers(incarnation: u64) -> Identifiers {
    Identifiers::new([7; 32], incarnation, 3)
}

/// The legs of a session.
fn legs(of: &Establishing) -> Vec<bytes::Leg> {
    let iwfs = (0..of.iwfs % 4).map(LegId::Iwf);
    let (near, far) = match of.is_originating {
        true => (LegId::Client, LegId::Other),
        false => (LegId::Other, LegId::Client),
    };
    let ids: Vec<LegId> = match (of.is_proxied, of.iwfs % 4) {
        (true, _) => vec![LegId::Client],
        (false, 0) => vec![near, far],
        (false, _) => core::iter::once(near).chain(iwfs).collect(),
    };
    ids.into_iter().map(|id| bytes::Leg::of(of, id)).collect()
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
            node: CpmNode::new(config.clone(), identifiers(1)).unwrap(),
            config,
            out: Outbox::for_steps(1),
            one_output_short: Outbox::with_room(Cpm::STEP_OUTPUTS - 1, Cpm::STEP_BYTES),
            one_byte_short: Outbox::with_room(Cpm::STEP_OUTPUTS, Cpm::STEP_BYTES - 1),
            now: Millis(1_000_000),
            latest: Millis(0),
            incarnation: 1,
            transactions: 0,
            outstanding: Vec::new(),
            settled: Vec::new(),
            requests: Vec::new(),
            seen: Seen::default(),
            shown: [None; 3],
            saved: None,
        }
    }

    fn step(&mut self, step: &Step) {
        let tight = step.tight;
        match &step.operation {
            Operation::Establish(of) => self.establish(of, tight),
            Operation::Bye(of) => self.bye(of, tight),
            Operation::Receive { bytes } => self.receive(bytes, tight),
            Operation::Answer { whose, answer } => self.answer(*whose, answer, tight),
            Operation::Stray { request, response } => {
                let place = usize::from(*request) % self.requests.len().max(1);
                if let Some(request) = self.requests.get(place) {
                    let response = bytes::response(response, &parse(request));
                    self.receive(&response, tight);
                }
            }
            Operation::Command { session, command } => {
                self.command(u64::from(session % 3), command, tight);
            }
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
    /// [DR-4] With too little room, or with any other mistake of the host, it changes nothing.
    fn call<T>(
        &mut self,
        tight: Option<Tight>,
        may_be_misuse: bool,
        mut door: impl FnMut(&mut CpmNode, Millis, &mut Outbox<Cpm>) -> Result<T, Misuse>,
    ) -> Option<T> {
        let compared = tight.is_some() || may_be_misuse;
        let before = compared.then(|| self.blob());
        if let Some(tight) = tight {
            let small = match tight {
                Tight::Outputs => &mut self.one_output_short,
                Tight::Bytes => &mut self.one_byte_short,
            };
            let refused = door(&mut self.node, self.now, small);
            assert!(matches!(refused, Err(Misuse::OutboxFull { .. })));
            assert!(small.is_empty());
            assert!(
                before == Some(self.blob()),
                "a refused call changed something"
            );
        }
        let result = door(&mut self.node, self.now, &mut self.out);
        match result {
            Ok(value) => {
                self.latest = self.latest.max(self.now);
                Some(value)
            }
            Err(misuse) => {
                assert!(may_be_misuse, "{misuse}");
                assert!(!matches!(misuse, Misuse::OutboxFull { .. }), "{misuse}");
                assert!(before == Some(self.blob()), "{misuse}, with changes");
                assert!(self.out.is_empty());
                None
            }
        }
    }

    /// Takes what was put out, and checks it.
    fn absorb(&mut self) {
        let mut written = 0;
        let mut unaudited = None;
        assert!(self.out.len() <= Cpm::STEP_OUTPUTS, "more than one step's");
        for output in self.out.iter() {
            let audited = match output {
                Output::Event(Event::Audited(audit)) => Some(audit.id),
                _ => None,
            };
            assert_eq!(unaudited.take(), audited, "one record after each outcome");
            if let Output::Event(Event::SessionClosed { id, .. }) = output {
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
                    assert!(next_hops.into_iter().all(|hop| !hop.is_empty()));
                    assert_eq!(congestion_controlled, bytes.len() > drive::UDP_LIMIT);
                    self.seen.request(bytes);
                    written += bytes.len();
                    self.requests.push(bytes.to_vec());
                    self.outstanding
                        .push((token, Asked::Request(bytes.to_vec())));
                }
                Output::Acknowledge { bytes, .. } => {
                    self.seen.acknowledge(bytes);
                    written += bytes.len();
                }
                Output::Respond { to, status, bytes } => {
                    assert!((1..=self.transactions).contains(&to.0));
                    self.seen.response(to.0, status, bytes);
                    written += bytes.len();
                }
                Output::Ask { token, question } => {
                    self.seen.question(question);
                    self.outstanding.push((token, Asked::Question(*question)));
                }
                Output::Event(event) => self.seen.event(event),
                other => panic!("{other:?}"),
            }
        }
        assert!(unaudited.is_none(), "without a record");
        assert!(written <= Cpm::STEP_BYTES);
        self.out.clear();
    }

    fn blob(&self) -> Vec<u8> {
        let mut blob = Vec::new();
        self.node.snapshot(self.now, &mut blob);
        blob
    }

    fn establish(&mut self, of: &Establishing, tight: Option<Tight>) {
        let session = u64::from(of.session % 3);
        let legs = legs(of);
        let messages: Vec<_> = legs.iter().map(|leg| (leg, leg.invite(of))).collect();
        let shown = |id| {
            let found = messages.iter().find(|(leg, _)| leg.id == id);
            found.map(|(leg, [invite, response])| Leg::Learnt {
                invite,
                response,
                side: if leg.is_uac { Side::Uac } else { Side::Uas },
            })
        };
        let iwfs = (0..3u8).filter_map(|number| {
            Some(Iwf {
                leg: shown(LegId::Iwf(number))?,
                streams: StreamSet::from_iter([usize::from(number)]),
            })
        });
        let iwfs: Vec<_> = iwfs.collect();
        let establish = Establish {
            session: SessionRef(session),
            function: match of.is_originating {
                true => Function::Originating,
                false => Function::Terminating,
            },
            mode: if of.is_proxied {
                Mode::Proxy
            } else {
                Mode::B2bua
            },
            allow_offline_storage: of.stores,
            policy: policy(of.streams_only),
            client: shown(LegId::Client),
            other: shown(LegId::Other),
            iwfs: &iwfs,
            description: match of.is_kept {
                true => Description::Learnt,
                false => Description::AtHost,
            },
        };
        let before = self.node.sessions();
        let taken = self.call(tight, true, |node, now, out| {
            node.command(now, Command::Establish(establish), out)
        });
        let more = usize::from(taken.is_some());
        assert_eq!(self.node.sessions(), before + more);
        assert!(self.node.sessions() <= self.config.limits.users);
        if taken.is_some() {
            self.seen.established(session, of.is_proxied);
            self.shown[of.session as usize % 3] = Some(*of);
        }
        self.absorb();
    }

    fn bye(&mut self, of: &Leaving, tight: Option<Tight>) {
        let Some(shown) = self.shown[usize::from(of.session % 3)] else {
            return;
        };
        let legs = legs(&shown);
        let leg = &legs[usize::from(of.leg) % legs.len()];
        let bye = leg.bye(of, shown.is_proxied && of.leg % 2 == 1);
        self.receive(&bye, tight);
    }

    fn receive(&mut self, bytes: &[u8], tight: Option<Tight>) {
        self.transactions += 1;
        let txn = TransactionRef(self.transactions);
        let verdict = self.call(tight, false, |node, now, out| {
            node.receive(now, Source::TrustedCore, txn, bytes, out)
        });
        self.absorb();
        match verdict.expect("a fault of the peer is no mistake of the host") {
            Verdict::Handled => self.seen.taken(txn.0, bytes),
            Verdict::NotMine | Verdict::Forward | Verdict::Rejected(_) | Verdict::Refuse { .. } => {
            }
            other => panic!("{other:?}"),
        }
    }

    fn answer(&mut self, whose: Whose, answering: &Answering, tight: Option<Tight>) {
        let (token, asked) = match whose {
            Whose::Outstanding(place) if !self.outstanding.is_empty() => {
                let place = usize::from(place) % self.outstanding.len();
                let (token, asked) = self.outstanding.swap_remove(place);
                (token, Some(asked))
            }
            Whose::Settled(place) if !self.settled.is_empty() => {
                (self.settled[usize::from(place) % self.settled.len()], None)
            }
            Whose::NeverGiven(number) => (Token::from_u64(number), None),
            _ => return,
        };
        let bytes = bytes_of(answering, asked.as_ref());
        let answer = || answer_of(answering, asked.as_ref(), &bytes);
        let given = self.call(tight, true, |node, now, out| {
            node.answer(now, token, answer(), out)
        });
        let stored = match (&asked, answer()) {
            (
                Some(Asked::Question(Question::SessionStorage { session, .. })),
                drive::Answer::Role(Answer::Stored { uid }),
            ) => Some((session.0, uid.to_vec())),
            _ => None,
        };
        if let (Some(()), Some((session, uid))) = (given, stored)
            && let Some(own) = self.seen.sessions.get_mut(&session)
        {
            own.uid = Some(uid);
        }
        self.absorb();
        match (given, asked) {
            (Some(()), Some(_)) => self.settled.push(token),
            (None, Some(asked)) => self.outstanding.push((token, asked)),
            _ => {}
        }
    }

    fn command(&mut self, session: u64, commanding: &Commanding, tight: Option<Tight>) {
        let Some(shown) = self.shown[usize::try_from(session % 3).unwrap_or_default()] else {
            return;
        };
        let (number, session) = (session, SessionRef(session));
        let legs = legs(&shown);
        let streams: Vec<_> = (0..legs.len().saturating_sub(1))
            .map(|number| StreamSet::from_iter([number]))
            .collect();
        let taken = self.call(tight, true, |node, now, out| {
            let command = match commanding {
                Commanding::Close { reason } => Command::Close {
                    session,
                    reason: bytes::reason(*reason).as_bytes(),
                },
                Commanding::Forget => Command::Forget { session },
                Commanding::SetPolicy { streams_only } => Command::SetPolicy {
                    session,
                    policy: policy(*streams_only),
                },
                Commanding::SetOfflineStorage { allowed } => Command::SetOfflineStorage {
                    session,
                    allowed: *allowed,
                },
                Commanding::SetSessionTimer { timer } => Command::SetSessionTimer {
                    session,
                    timer: timer.map(|(interval, smallest, is_ours)| SessionTimer {
                        interval: interval.into(),
                        smallest: smallest.into(),
                        is_ours,
                    }),
                },
                Commanding::Renegotiated { description } => Command::Renegotiated {
                    session,
                    description: Description::Kept(description),
                    streams: &streams,
                },
                Commanding::Refresh { leg, cseq } => {
                    let own = &legs[usize::from(*leg) % legs.len()];
                    Command::Refresh {
                        session,
                        leg: own.id,
                        dialog: Dialog {
                            call_id: own.call_id.as_bytes(),
                            local_uri: b"sip:near@home1.example.net",
                            local_tag: b"near",
                            remote_uri: own.far.as_bytes(),
                            remote_tag: b"far",
                            remote_target: b"sip:far@192.0.2.21",
                            ..Dialog::default()
                        },
                        sequence: Sequence {
                            local: 1_000 + u32::from(*cseq),
                            remote: None,
                        },
                    }
                }
            };
            node.command(now, command, out)
        });
        if taken.is_some() && matches!(commanding, Commanding::Forget) {
            self.seen.forgotten(number);
        }
        self.absorb();
    }

    /// [DR-6] Before the deadline, a tick changes nothing.
    fn tick(&mut self, tight: Option<Tight>) {
        let now = self.now.max(self.latest);
        let due = self.node.deadline().is_some_and(|(at, _)| at <= now);
        let before = (!due).then(|| (self.blob(), self.outstanding.len()));
        self.call(tight, false, |node, now, out| node.tick(now, out));
        self.absorb();
        if before.is_some() {
            let after = Some((self.blob(), self.outstanding.len()));
            assert!(before == after, "a tick too early");
        }
    }

    /// [DR-6] So many ticks at one instant, and nothing is due any more.
    fn settle(&mut self) {
        let now = self.now.max(self.latest);
        for _ in 0..TICKS_EACH * (self.node.sessions() + 1) {
            match self.node.deadline() {
                Some((at, _)) if at <= now => self.tick(None),
                _ => return,
            }
        }
        panic!("due for ever: {:?} at {now}", self.node.deadline());
    }

    /// Left alone, everything ends: every BYE is answered, every session that is being closed is forgotten, with one
    /// outcome.
    fn end(&mut self) {
        for _ in 0..TICKS_EACH * (self.node.sessions() + 1) {
            let Some((at, _)) = self.node.deadline() else {
                return self.check_end();
            };
            self.now = self.now.max(at);
            self.settle();
        }
        panic!("no end: {:?}", self.node.deadline());
    }

    fn check_end(&self) {
        self.seen.check_end();
        let mut open = 0;
        for (session, seen) in &self.seen.sessions {
            let is_open = self.node.is_open(SessionRef(*session));
            assert_eq!(is_open, seen.outcome.is_none(), "session {session}");
            open += usize::from(is_open);
        }
        assert_eq!(self.node.sessions(), open);
    }

    fn save(&mut self) {
        self.settle();
        self.saved = Some(Saved {
            blob: self.blob(),
            sessions: self.node.sessions(),
            seen: self.seen.clone(),
            shown: self.shown,
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
        let ids = identifiers(self.incarnation);
        let restored = CpmNode::restore(self.config.clone(), ids, self.now, &saved.blob);
        self.node = restored.expect("our own blob");
        assert_eq!(self.node.sessions(), saved.sessions);
        if with_the_latest {
            assert!(saved.blob == self.blob(), "a restored node is another one");
        }
        self.seen = saved.seen.clone();
        self.shown = saved.shown;
        self.outstanding.clear();
        self.settled.clear();
        self.settle();
        let Some(before) = current else { return };
        for offered in requests(&self.outstanding) {
            let known = requests(&before).any(|request| is_again(offered, request));
            let text = String::from_utf8_lossy(offered);
            assert!(known, "not offered before: {text}");
        }
    }

    fn restore_damaged(&mut self, at: u16, flip: u8) {
        let mut blob = self.blob();
        let place = usize::from(at) % blob.len();
        blob[place] ^= flip.max(1);
        let ids = identifiers(self.incarnation + 1);
        let restored = CpmNode::restore(self.config.clone(), ids, self.now, &blob);
        assert!(restored.is_err(), "a damaged blob was taken");
    }
}

const fn policy(streams_only: bool) -> IwfPolicy {
    match streams_only {
        true => IwfPolicy::StreamsOnly,
        false => IwfPolicy::WholeSession,
    }
}

fn requests(outstanding: &[(Token, Asked)]) -> impl Iterator<Item = &[u8]> {
    outstanding.iter().filter_map(|(_, asked)| match asked {
        Asked::Request(bytes) => Some(&bytes[..]),
        Asked::Question(_) => None,
    })
}

/// [DR-7] Whether it is the same request: its branch, its dialog and its CSeq. (A target refreshed in between
/// may have changed where it goes.)
fn is_again(offered: &[u8], before: &[u8]) -> bool {
    let (offered, before) = (parse(offered), parse(before));
    let same = |name| {
        let raw = |message: &Message<'_>| message.header(name).map(|h| h.raw().to_vec());
        raw(&offered) == raw(&before)
    };
    [HeaderName::Via, HeaderName::CallId, HeaderName::CSeq]
        .into_iter()
        .all(same)
}

/// The bytes of an answer.
fn bytes_of(answering: &Answering, asked: Option<&Asked>) -> Vec<u8> {
    const OK: Responding = Responding {
        status: Status::Ok,
        contact: None,
        timer: None,
        smallest: None,
        with_uid: false,
        mutation: None,
    };
    match (answering, asked) {
        (Answering::Response(of), Some(Asked::Request(request))) => {
            bytes::response(of, &parse(request))
        }
        (Answering::AsAsked, Some(Asked::Request(request))) => {
            bytes::response(&OK, &parse(request))
        }
        (Answering::AsAsked, Some(Asked::Question(Question::SessionStorage { session, .. }))) => {
            format!("uid-of-{}", session.0).into_bytes()
        }
        (Answering::AsAsked, Some(Asked::Question(_))) => bytes::description().into_bytes(),
        (Answering::Bytes(bytes) | Answering::Described(bytes), _) => bytes.clone(),
        (Answering::Stored { uid }, _) => uid.clone(),
        _ => Vec::new(),
    }
}

fn answer_of<'a>(
    answering: &Answering,
    asked: Option<&Asked>,
    bytes: &'a [u8],
) -> drive::Answer<'a, Cpm> {
    match answering {
        Answering::Response(_) | Answering::Bytes(_) => drive::Answer::Response(bytes),
        Answering::Timeout => drive::Answer::Timeout,
        Answering::Unreachable => drive::Answer::Unreachable,
        Answering::BlobStored => drive::Answer::Stored,
        Answering::Stored { .. } => Answer::Stored { uid: bytes }.into(),
        Answering::StoreFailed => Answer::StoreFailed.into(),
        Answering::MediaReleased => Answer::MediaReleased.into(),
        Answering::Described(_) => Answer::Described { description: bytes }.into(),
        Answering::AsAsked => match asked {
            Some(Asked::Question(Question::SessionStorage { .. })) => {
                Answer::Stored { uid: bytes }.into()
            }
            Some(Asked::Question(Question::SessionDescription { .. })) => {
                Answer::Described { description: bytes }.into()
            }
            Some(Asked::Question(_)) => Answer::MediaReleased.into(),
            _ => drive::Answer::Response(bytes),
        },
    }
}
