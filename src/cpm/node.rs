//! Many sessions behind one set of doors.

mod bye;
mod persist;

use alloc::vec::Vec;

use super::{
    Answer, Command, Config, Counters, Cpm, End, Establish, LegId, Mode, SessionRef, defect,
    learning,
    leg::Leg,
    session::{Asked, Input, Phase, Reinvited, Session, Turn},
    snapshot,
};
use crate::{
    dialog::Incoming,
    drive::{
        self, Buffer, Changes, Clock, ConfigError, Context, Identifiers, Millis, Misuse, Node,
        Outbox, Reject, Release, RestoreError, Source, Timer, Token, TransactionRef, Verdict,
        holds_break, increment,
    },
    fleet::{Fleet, Id, Room, Shared},
    regevent::notification::Refusal,
    wire::{Accepts, CpmId, Message, Method, Owed, salvage::respond_to_refused},
};

/// Under what sessions are filed.
const SESSION: u8 = 1;
const CALL_ID: u8 = 2;

/// How many keys a session has, as a rule: its handle, and a Call-ID for each leg.
const KEYS: usize = 3;

/// The CPM Participating Function: every session that it is in, behind one set of doors.
pub struct CpmNode {
    config: Config,
    identifiers: Identifiers,
    clock: Clock,
    sessions: Fleet<Session>,
    shared: Shared,
    counters: Counters,
    changes: Changes,
    /// What responses copy of the BYE at hand.
    kept: Buffer,
}

impl CpmNode {
    /// A node without sessions.
    ///
    /// # Errors
    /// [`ConfigError`] if the configuration cannot work.
    pub fn new(config: Config, identifiers: Identifiers) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self {
            sessions: Fleet::new(&identifiers.table_key(), Room::of(&config.limits, KEYS)),
            shared: Shared::new(),
            kept: Buffer::new(config.kept_bytes()),
            config,
            identifiers,
            clock: Clock::default(),
            counters: Counters::default(),
            changes: Changes::default(),
        })
    }

    /// [DR-7] A node from the blob of another. `identifiers` must be of an incarnation never used before. What was
    /// outstanding is offered again by ticks at the same `now`, one request or question each.
    ///
    /// # Errors
    /// [`RestoreError`] if the configuration cannot work, or the blob cannot be used or exceeds the limits given.
    pub fn restore(
        config: Config,
        identifiers: Identifiers,
        now: Millis,
        blob: &[u8],
    ) -> Result<Self, RestoreError> {
        let mut node = Self::new(config, identifiers).map_err(RestoreError::Config)?;
        let config = node.config.clone();
        node.clock.observe(now);
        snapshot::open(blob, now, &config, |sessions, session| {
            if node.sessions.len() == 0 {
                node.sessions.reserve(Room {
                    machines: sessions,
                    keys: KEYS,
                });
            }
            if node.is_known(&session) {
                return Err(RestoreError::AlreadyHere);
            }
            node.adopt(session);
            Ok(())
        })?;
        Ok(node)
    }

    /// [DR-10] Replaces the configuration; nothing that runs is lost, and timers that run keep their deadlines.
    ///
    /// # Errors
    /// [`ConfigError`]; the old one then stays.
    pub fn reconfigure(&mut self, config: Config) -> Result<(), ConfigError> {
        config.check()?;
        self.kept = Buffer::new(config.kept_bytes());
        self.config = config;
        Ok(())
    }

    /// What it has counted.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// How often the host's time went backwards.
    #[must_use]
    pub const fn time_backwards(&self) -> u64 {
        self.clock.backwards()
    }

    /// Number of sessions held, those of which only memory is left among them.
    #[must_use]
    pub const fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// Whether this session is established and nothing has begun to close it.
    #[must_use]
    pub fn is_open(&self, session: SessionRef) -> bool {
        let id = self.find(session);
        let session = id.and_then(|id| self.sessions.get(id));
        session.is_some_and(|session| session.phase() == Phase::Open && session.relaying.is_none())
    }

    fn find(&self, session: SessionRef) -> Option<Id> {
        let is_it = |own: &Session| own.session == session;
        self.sessions.find(SESSION, &session.0.to_le_bytes(), is_it)
    }

    /// The session, and the leg of it, that a request is of.
    fn find_leg(&self, request: &Incoming<'_>) -> Option<(Id, LegId)> {
        let mut sessions = self.sessions.under(CALL_ID, request.call_id);
        sessions.find_map(|(id, session)| Some((id, leg_of(session, request)?)))
    }

    /// A new session.
    fn establish(&mut self, shown: &Establish<'_>, out: &Outbox<Cpm>) -> Result<Verdict, Misuse> {
        let session = Session::new(shown, &self.config)?;
        if self.is_known(&session) {
            return Err(Misuse::BadCommand(Reject::new(&defect::SESSION_KNOWN, 0)));
        }
        if self.sessions.len() >= self.config.limits.users {
            return Err(Misuse::NodeFull);
        }
        increment(&mut self.counters.established);
        let id = self.adopt(session);
        self.changes.note(id.place(), false, out);
        Ok(Verdict::Handled)
    }

    /// Whether its handle, or a dialog of it, is that of a session here.
    fn is_known(&self, session: &Session) -> bool {
        let mut legs = session.legs.iter();
        self.find(session.session).is_some() || legs.any(|leg| self.has(leg))
    }

    /// Whether a dialog is that of a leg here.
    fn has(&self, leg: &Leg) -> bool {
        let dialog = leg.dialog();
        let mut under = self.sessions.under(CALL_ID, dialog.call_id);
        under.any(|(_, session)| session.legs.iter().any(|own| own.is_of(&dialog)))
    }

    /// Takes a session in.
    fn adopt(&mut self, mut session: Session) -> Id {
        session.share(&mut self.shared);
        let id = self.sessions.insert(session);
        if let Some((session, mut keys)) = self.sessions.get_with_keys(id) {
            keys.file(SESSION, &session.session.0.to_le_bytes());
            for leg in &session.legs {
                keys.file(CALL_ID, leg.call_id());
            }
            let deadline = session.deadline().map(|(at, _)| at);
            self.sessions.arm(id, deadline);
        }
        id
    }

    /// Takes a session out.
    fn forget(&mut self, id: Id) {
        if let Some((session, mut keys)) = self.sessions.get_with_keys(id) {
            keys.unfile(SESSION, &session.session.0.to_le_bytes());
            for leg in &session.legs {
                keys.unfile(CALL_ID, leg.call_id());
            }
            self.sessions.remove(id);
        }
    }

    /// One step of a session; its timer follows.
    fn step(&mut self, now: Millis, id: Id, input: Input<'_>, out: &mut Outbox<Cpm>) {
        self.with(now, id, out, |session, turn| session.step(turn, input));
    }

    fn with<T>(
        &mut self,
        now: Millis,
        id: Id,
        out: &mut Outbox<Cpm>,
        act: impl FnOnce(&mut Session, &mut Turn<'_>) -> T,
    ) -> Option<T> {
        let session = self.sessions.get_mut(id)?;
        let mut turn = Turn {
            cx: Context {
                now,
                config: &self.config,
                identifiers: &mut self.identifiers,
                id: id.place(),
            },
            counters: &mut self.counters,
            out,
        };
        let done = act(session, &mut turn);
        let (gone, deadline) = (session.is_gone(now), session.deadline());
        self.changes.note(id.place(), gone, out);
        match gone {
            true => self.forget(id),
            false => self.sessions.arm(id, deadline.map(|(at, _)| at)),
        }
        Some(done)
    }

    /// Another request. In a dialog of a session that is proxied it goes on; in that of a B2BUA it is the host's, and
    /// its number counts, unless the dialog has ended (RFC 3261 12.2.2), or a re-INVITE of ours is out (14.2).
    fn other(&mut self, message: &Message<'_>, out: &Outbox<Cpm>) -> Verdict {
        let Ok(request) = Incoming::read(message) else {
            return Verdict::NotMine;
        };
        let Some((id, leg)) = self.find_leg(&request) else {
            return Verdict::NotMine;
        };
        let Some(session) = self.sessions.get_mut(id) else {
            return Verdict::NotMine;
        };
        if session.mode == Mode::Proxy {
            return Verdict::Forward;
        }
        if matches!(request.method, Method::Ack | Method::Cancel) {
            return Verdict::NotMine;
        }
        let meets_ours = request.method == Method::Invite && session.is_inviting(leg);
        let status = match session.leg_mut(leg) {
            Some(own) if own.has_ended() => 481,
            Some(_) if meets_ours => 491,
            Some(own) => {
                own.sequence.admit(request.cseq);
                self.changes.note(id.place(), false, out);
                return Verdict::NotMine;
            }
            None => return Verdict::NotMine,
        };
        Verdict::Refuse {
            status,
            retry_after: 0,
        }
    }

    /// [RFC 3261 13.2.2.4] A response in no transaction: a 2xx to a re-INVITE of ours is acknowledged.
    fn accepted(&mut self, now: Millis, message: &Message<'_>, out: &mut Outbox<Cpm>) -> Verdict {
        let Some((id, invite)) = self.find_invite(message) else {
            return Verdict::NotMine;
        };
        let response = message;
        self.step(now, id, Input::Reinvited { invite, response }, out);
        Verdict::Handled
    }

    /// The session whose re-INVITE a 2xx answers, and which one.
    fn find_invite(&self, message: &Message<'_>) -> Option<(Id, Reinvited)> {
        message
            .status()
            .filter(|status| (200..300).contains(status))?;
        let cseq = message.cseq().ok()?;
        let (from, to) = (message.from().ok()?, message.to().ok()?);
        let call_id = message.call_id().ok()?;
        let invite = Reinvited::Number(cseq.number);
        let mut sessions = self.sessions.under(CALL_ID, call_id);
        let (id, _) = sessions.find(|(_, session)| {
            let dialog = session.leg(session.told()).map(Leg::dialog);
            session.place_of(invite).is_some()
                && dialog.is_some_and(|own| {
                    own.call_id == call_id
                        && Some(own.local_tag) == from.tag()
                        && Some(own.remote_tag) == to.tag()
                })
        })?;
        (cseq.method == Method::Invite).then_some((id, invite))
    }

    /// Answers a BYE that is refused.
    fn deny(
        &self,
        txn: TransactionRef,
        message: &Message<'_>,
        refusal: Refusal,
        out: &mut Outbox<Cpm>,
    ) -> Verdict {
        let tag = self.identifiers.constant();
        let accepts = Accepts::server();
        let owed = Owed::with_status(message, refusal.status, refusal.reject, &accepts);
        if let Some(status) = owed.status() {
            // A response is longer than the parts it copies by less than a step has room for.
            let _ = out.respond(txn, status, |buffer| {
                owed.write(buffer, message, Some(tag));
            });
        }
        Verdict::Rejected(refusal.reject)
    }

    /// The answer to something that a session asked for.
    fn answer_session(
        &mut self,
        now: Millis,
        token: Token,
        answer: &drive::Answer<'_, Cpm>,
        out: &mut Outbox<Cpm>,
    ) -> Result<bool, Misuse> {
        let id = self.sessions.at(token.machine());
        let asked = id.and_then(|id| Some((id, self.sessions.get(id)?.asked(token)?)));
        let Some((id, asked)) = asked else {
            return Ok(false);
        };
        let silence = |end| Input::NoResponse { token, end };
        let input = match (asked, answer) {
            (Asked::Bye, drive::Answer::Response(bytes)) => match self.status(bytes) {
                Some(100..=199) => return Ok(true),
                Some(status) => Input::Response { token, status },
                None => silence(End::NoResponse),
            },
            (Asked::Reinvite, drive::Answer::Response(bytes)) => {
                let limits = self.config.limits;
                let response = Message::parse(bytes, &limits).ok();
                self.answer_invite(now, (id, token), response.as_ref(), out);
                return Ok(true);
            }
            (Asked::Bye | Asked::Reinvite, drive::Answer::Timeout) => silence(End::NoResponse),
            (Asked::Bye | Asked::Reinvite, drive::Answer::Unreachable) => silence(End::Unreachable),
            (Asked::Relay, answer) => {
                self.answer_relay(now, (id, token), answer, out)?;
                return Ok(true);
            }
            (Asked::MediaRelease, drive::Answer::Role(Answer::MediaReleased)) => {
                Input::MediaReleased { token }
            }
            (Asked::Storage, drive::Answer::Role(Answer::Stored { uid })) => {
                self.check_uid(uid)?;
                Input::Stored { token, uid }
            }
            (Asked::Storage, drive::Answer::Role(Answer::StoreFailed)) => {
                Input::StoreFailed { token }
            }
            (Asked::Description, drive::Answer::Role(Answer::Described { description })) => {
                Input::Described {
                    token,
                    description,
                    live: learning::live(description, &self.config.limits)?,
                }
            }
            _ => return Err(Misuse::WrongAnswer),
        };
        self.step(now, id, input, out);
        Ok(true)
    }

    /// The answer to a re-INVITE; `None` for what is none.
    fn answer_invite(
        &mut self,
        now: Millis,
        (id, token): (Id, Token),
        response: Option<&Message<'_>>,
        out: &mut Outbox<Cpm>,
    ) {
        let response = response.filter(|response| response.status().is_some());
        let invite = Reinvited::Token(token);
        let input = match response {
            Some(response) if matches!(response.status(), Some(100..=199)) => return,
            Some(response) => Input::Reinvited { invite, response },
            None => {
                increment(&mut self.counters.malformed);
                let end = End::NoResponse;
                Input::NoResponse { token, end }
            }
        };
        self.step(now, id, input, out);
    }

    /// The status of a response; `None` for what is none.
    fn status(&mut self, bytes: &[u8]) -> Option<u16> {
        let response = Message::parse(bytes, &self.config.limits).ok();
        let status = response.and_then(|response| response.status());
        if status.is_none() {
            increment(&mut self.counters.malformed);
        }
        status
    }

    /// [CP-1] What becomes of a BYE that was passed on.
    fn answer_relay(
        &mut self,
        now: Millis,
        (id, token): (Id, Token),
        answer: &drive::Answer<'_, Cpm>,
        out: &mut Outbox<Cpm>,
    ) -> Result<(), Misuse> {
        let limits = self.config.limits;
        let end = match answer {
            drive::Answer::Response(bytes) => match Message::parse(bytes, &limits) {
                Ok(response) if matches!(response.status(), Some(100..=199)) => return Ok(()),
                Ok(response) if response.status().is_some() => {
                    self.with(now, id, out, |session, turn| {
                        session.pass_back(turn, token, &response);
                    });
                    return Ok(());
                }
                _ => {
                    increment(&mut self.counters.malformed);
                    End::NoResponse
                }
            },
            drive::Answer::Timeout => End::NoResponse,
            drive::Answer::Unreachable => End::Unreachable,
            _ => return Err(Misuse::WrongAnswer),
        };
        self.with(now, id, out, |session, turn| {
            session.pass_nothing_back(turn, token, end);
        });
        Ok(())
    }

    /// [CP-4] What stands in Message-UID must not break out of it.
    fn check_uid(&mut self, uid: &[u8]) -> Result<(), Misuse> {
        if uid.is_empty() || CpmId::new(uid).is_ok() {
            return Ok(());
        }
        increment(&mut self.counters.bad_uids);
        Err(Misuse::BadCommand(Reject::new(&defect::BAD_UID, 0)))
    }

    /// Changes a session.
    fn change(
        &mut self,
        session: SessionRef,
        out: &Outbox<Cpm>,
        change: impl FnOnce(&mut Session, &Config) -> Result<(), Misuse>,
    ) -> Result<Verdict, Misuse> {
        let id = self.find(session).ok_or(Misuse::NoSuchThing)?;
        let own = self.sessions.get_mut(id).ok_or(Misuse::NoSuchThing)?;
        change(own, &self.config)?;
        own.share(&mut self.shared);
        self.changes.note(id.place(), false, out);
        Ok(Verdict::Handled)
    }

    /// The host ends a session.
    fn close(
        &mut self,
        now: Millis,
        session: SessionRef,
        reason: &[u8],
        out: &mut Outbox<Cpm>,
    ) -> Result<Verdict, Misuse> {
        if reason.len() > self.config.reason_bytes || holds_break(reason) {
            return Err(Misuse::BadCommand(Reject::new(&defect::BAD_REASON, 0)));
        }
        let id = self.find(session).ok_or(Misuse::NoSuchThing)?;
        let own = self.sessions.get(id);
        if own.is_some_and(|own| own.mode == Mode::Proxy) {
            return Err(Misuse::BadCommand(Reject::new(&defect::PROXIED, 0)));
        }
        self.step(now, id, Input::Close { reason }, out);
        Ok(Verdict::Handled)
    }
}

/// The leg that a request is of.
fn leg_of(session: &Session, request: &Incoming<'_>) -> Option<LegId> {
    let of = |leg: &&Leg| leg.dialog().has(request);
    if let Some(leg) = session.legs.iter().find(of) {
        return Some(leg.id);
    }
    // [CP-1] What passes through a proxy the other way.
    let dialog = session.leg(LegId::Client)?.dialog();
    let is_back = session.mode == Mode::Proxy
        && dialog.call_id == request.call_id
        && request.local_tag == Some(dialog.remote_tag)
        && request.remote_tag == dialog.local_tag;
    is_back.then_some(LegId::Other)
}

impl Node for CpmNode {
    type Role = Cpm;

    /// A BYE is taken. Another request is not this node's; in a session that is proxied it is for the host to pass on.
    /// In a dialog that has ended it is to be refused with 481, and an INVITE that meets a re-INVITE of ours with 491.
    ///
    /// A 2xx to an INVITE for which the host has no transaction, as after a restart, is to be handed in here too: if it
    /// is to a re-INVITE of the last 64·T1, it is acknowledged (RFC 3261 13.2.2.4).
    ///
    /// No 100 is sent: who has transactions, the host or the transaction layer (`txn`), sends it when it is
    /// due (RFC 4320 4.1).
    fn receive(
        &mut self,
        now: Millis,
        _: Source,
        txn: TransactionRef,
        bytes: &[u8],
        out: &mut Outbox<Cpm>,
    ) -> Result<Verdict, Misuse> {
        out.check_room()?;
        let now = self.clock.observe(now);
        let message = match Message::parse(bytes, &self.config.limits) {
            Ok(message) => message,
            Err(reject) => {
                increment(&mut self.counters.malformed);
                let tag = self.identifiers.constant();
                respond_to_refused(txn, bytes, &self.config.limits, reject, tag, out);
                return Ok(Verdict::Rejected(reject));
            }
        };
        match message.method() {
            Some(Method::Bye) => match self.bye(now, txn, &message, out) {
                Ok(verdict) => Ok(verdict),
                Err(refusal) => Ok(self.deny(txn, &message, refusal, out)),
            },
            Some(_) => Ok(self.other(&message, out)),
            None => Ok(self.accepted(now, &message, out)),
        }
    }

    fn answer(
        &mut self,
        now: Millis,
        token: Token,
        answer: drive::Answer<'_, Cpm>,
        out: &mut Outbox<Cpm>,
    ) -> Result<(), Misuse> {
        out.check_room()?;
        let now = self.clock.observe(now);
        if self.answer_session(now, token, &answer, out)? {
            return Ok(());
        }
        if !self.identifiers.has_given(token) {
            return Err(Misuse::UnknownToken);
        }
        increment(&mut self.counters.stale_answers);
        Ok(())
    }

    fn command(
        &mut self,
        now: Millis,
        command: Command<'_>,
        out: &mut Outbox<Cpm>,
    ) -> Result<Verdict, Misuse> {
        out.check_room()?;
        let now = self.clock.observe(now);
        match command {
            Command::Establish(shown) => self.establish(&shown, out),
            Command::Refresh {
                session,
                leg,
                dialog,
                sequence,
            } => self.change(session, out, |own, config| {
                own.refresh(leg, (&dialog, sequence), &config.limits)
            }),
            Command::Renegotiated {
                session,
                description,
                streams,
            } => self.change(session, out, |own, config| {
                own.renegotiate((description, streams), &config.limits)
            }),
            Command::SetPolicy { session, policy } => self.change(session, out, |own, _| {
                own.set_policy(policy);
                Ok(())
            }),
            Command::SetSessionTimer { session, timer } => self.change(session, out, |own, _| {
                own.timer = timer;
                Ok(())
            }),
            Command::SetOfflineStorage { session, allowed } => {
                self.change(session, out, |own, _| {
                    own.set_offline_storage(allowed);
                    Ok(())
                })
            }
            Command::Close { session, reason } => self.close(now, session, reason, out),
            Command::Forget { session } => {
                let id = self.find(session).ok_or(Misuse::NoSuchThing)?;
                self.changes.note(id.place(), true, out);
                self.forget(id);
                Ok(Verdict::Handled)
            }
        }
    }

    fn tick(&mut self, now: Millis, out: &mut Outbox<Cpm>) -> Result<(), Misuse> {
        out.check_room()?;
        let now = self.clock.observe(now);
        if let Some(id) = self.sessions.due(now) {
            self.step(now, id, Input::Tick, out);
        }
        Ok(())
    }

    fn deadline(&self) -> Option<(Millis, Timer)> {
        let (_, id) = self.sessions.next()?;
        self.sessions.get(id)?.deadline()
    }

    fn snapshot_for(&self, release: Release, now: Millis, into: &mut Vec<u8>) {
        let now = now.max(self.clock.latest());
        let sessions = self.sessions.iter().map(|(_, session)| session);
        snapshot::seal(release, sessions, now, into);
    }
}

/// The answers a host gives to the questions of a CPM Participating Function.
impl<'a> From<Answer<'a>> for drive::Answer<'a, Cpm> {
    fn from(answer: Answer<'a>) -> Self {
        Self::Role(answer)
    }
}
