//! The procedure: bindings of a user, from the REGISTER that removes them, or the end of their time, to the
//! one outcome event.
//!
//! Every transition is in `Deregistration::step`.
//!
//! ```text
//!        a user's REGISTER            the user it is                    done, or not in time
//! Idle ─────────────────────▶ Authenticating ────────┐                ┌──────────────────────┐
//!   │  P-CSCF's REGISTER, time is up                 ▼                │                      ▼
//!   └────────────────────────────────────────▶ (removed) ──▶ Releasing ──▶ Assigning ──▶ (200) Telling ──▶ Over
//!                                                 │ not known here                          the ASs
//!                                                 └──────────▶ Checking ──▶ (481) Over
//! ```

use alloc::{boxed::Box, vec::Vec};
use core::fmt;
use serde::{Deserialize, Serialize};

use super::{
    Affected, Answer, AssignmentKind, Config, Event, MAX_SERVERS, Question, Reasons, Recognition,
    Scscf,
    bindings::{Bindings, Field, Removal},
    defect, messages,
    registration::Removing,
    third_party::{Sent, Server},
};
use crate::{
    drive::{
        Buffer, Context, Identifier, Limits, Millis, Misuse, Outbox, Reject, Text, Timer, Token,
        TransactionRef,
    },
    regevent::contact_events,
    wire::{HeaderName, Message, NameAddr, register::username},
};

/// What started a deregistration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Cause {
    /// The P-CSCF, in its own name (S0).
    Pcscf,
    /// The user.
    User,
    /// The time of the binding ran out.
    Expired,
}

/// How the release of the dialogs went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Dialogs {
    /// They are released.
    Released,
    /// The host could not release them.
    Failed,
    /// The host did not say within the bound.
    NoAnswer,
}

/// [SD-8] How the HSS took it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Assignment {
    /// It was not asked: the private identity keeps a binding.
    NotNeeded,
    /// It was told.
    Assigned,
    /// It could not be told, or refused.
    Failed,
    /// No answer within the bound.
    NoAnswer,
}

/// How a deregistration went. The bindings are gone from here in every case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Their dialogs.
    pub dialogs: Dialogs,
    /// The HSS.
    pub assignment: Assignment,
    /// Application servers that answered the third-party REGISTER with 2xx.
    pub servers_told: u8,
    /// Application servers that did not.
    pub servers_failed: u8,
}

/// What can happen to a deregistration.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Input<'a> {
    /// A REGISTER that removes bindings.
    Register {
        request: &'a Removing<'a>,
        recognition: Recognition,
    },
    /// Bindings of a private identity are past their time.
    Expired {
        private_identity: &'a [u8],
        numbers: &'a [u32],
    },
    /// The answer to our question.
    Answered { token: Token, answer: Answer<'a> },
    /// A final response to our third-party REGISTER.
    Response { token: Token, status: u16 },
    /// No response to it.
    NoResponse { token: Token },
    /// Time has passed.
    Tick,
}

/// What a step means to the owner of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Change {
    /// Nothing.
    None,
    /// The subscribers are to be told.
    Removed,
}

/// A question that is out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) key: Identifier,
    /// `None` until it is offered, and after a restore until it is offered again.
    pub(crate) token: Option<Token>,
    pub(crate) until: Millis,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Idle,
    Authenticating(Asked, Reasons),
    Releasing(Asked),
    Assigning(Asked),
    /// Not known here: the HSS is asked before the 481.
    Checking(Asked),
    /// The application servers are told.
    Telling,
    Over,
}

/// The REGISTER that waits for its answer, as far as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) to: TransactionRef,
    pub(crate) bytes: Box<[u8]>,
}

impl Held {
    fn read(&self) -> Option<Message<'_>> {
        // It was within the limits of its time.
        let limits = Limits {
            message_bytes: usize::MAX,
            headers: usize::MAX,
            header_bytes: usize::MAX,
            ..Limits::default()
        };
        Message::parse(&self.bytes, &limits).ok()
    }
}

/// A deregistration: one REGISTER, or the end of the time of bindings of one private identity.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Deregistration {
    pub(crate) state: State,
    pub(crate) cause: Cause,
    pub(crate) held: Option<Held>,
    pub(crate) private_identity: Box<[u8]>,
    pub(crate) removed: Vec<u32>,
    pub(crate) outcome: Outcome,
    pub(crate) servers: Vec<Server>,
    /// The status that answered the REGISTER; 0 as long as none has.
    pub(crate) answered: u16,
}

impl Deregistration {
    pub(crate) fn new(cause: Cause) -> Self {
        Self {
            state: State::Idle,
            cause,
            held: None,
            private_identity: Box::default(),
            removed: Vec::new(),
            outcome: Outcome {
                dialogs: Dialogs::NoAnswer,
                assignment: Assignment::NotNeeded,
                servers_told: 0,
                servers_failed: 0,
            },
            servers: Vec::new(),
            answered: 0,
        }
    }

    /// Of a REGISTER.
    pub(crate) fn holding(held: Held) -> Self {
        Self {
            held: Some(held),
            ..Self::new(Cause::User)
        }
    }

    pub(crate) const fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    pub(crate) const fn is_authenticating(&self) -> bool {
        matches!(self.state, State::Authenticating(..))
    }

    /// Whether it removed bindings.
    pub(crate) fn is_accepted(&self) -> bool {
        !self.removed.is_empty()
    }

    /// Whether an answer with this token is for this machine.
    pub(crate) fn awaits(&self, token: Token) -> bool {
        self.asked().is_some_and(|asked| asked.token == Some(token))
            || self.server_of(token).is_some()
    }

    /// Whether that token is of a request, and not of a question.
    pub(crate) fn has_request_out(&self, token: Token) -> bool {
        self.server_of(token).is_some()
    }

    const fn asked(&self) -> Option<Asked> {
        match self.state {
            State::Authenticating(asked, _)
            | State::Releasing(asked)
            | State::Assigning(asked)
            | State::Checking(asked) => Some(asked),
            State::Idle | State::Telling | State::Over => None,
        }
    }

    /// When it must be given a [`Input::Tick`], and the timer that fires.
    pub(crate) fn deadline(&self) -> Option<(Millis, Timer)> {
        const AGAIN: (Millis, Timer) = (Millis(0), Timer("question offered again"));
        let answer = |asked: Asked, name| match asked.token {
            Some(_) => Some((asked.until, Timer(name))),
            None => Some(AGAIN),
        };
        match self.state {
            State::Idle | State::Over => None,
            State::Authenticating(asked, _) => answer(asked, "authentication"),
            State::Releasing(asked) => answer(asked, "dialog release"),
            State::Assigning(asked) | State::Checking(asked) => answer(asked, "server assignment"),
            State::Telling => {
                let at = |server: &Server| match server.sent {
                    Sent::Out { token: None, .. } => Some(Millis(0)),
                    Sent::Due(at) | Sent::Out { until: at, .. } => Some(at),
                    Sent::Done => None,
                };
                let at = self.servers.iter().filter_map(at).min()?;
                Some((at, Timer("third-party REGISTER")))
            }
        }
    }

    /// Every transition of a deregistration. Whoever owns it has checked the room of the outbox.
    ///
    /// # Errors
    /// [`Misuse::WrongAnswer`] for an answer of another question;
    /// [`Misuse::BadCommand`] for one that cannot be used. Nothing is changed then.
    pub(crate) fn step(
        &mut self,
        cx: &mut Context<'_, Config>,
        table: &mut Bindings,
        input: Input<'_>,
        out: &mut Outbox<Scscf>,
    ) -> Result<Change, Misuse> {
        if let Input::Answered { token, answer } = input {
            if self.awaits(token) {
                check(self.state, answer)?;
            }
        }
        let is_due = |asked: Asked| cx.now >= asked.until;
        match (self.state, input) {
            // [SD-1, SD-2] Whose REGISTER it is decides whether the user is asked for.
            (
                State::Idle,
                Input::Register {
                    request,
                    recognition,
                },
            ) => match recognition {
                Recognition::NotBoundHere => {
                    let affected = self.named(table, out);
                    let reasons = Reasons::UNKNOWN_BINDING;
                    out.event(Event::SuspiciousDeregistration { affected, reasons });
                    if cx.config.observe_only {
                        self.authenticate(cx, reasons, out);
                    } else {
                        // [SD-3] Whatever the table says, nothing is removed.
                        self.cause = Cause::Pcscf;
                        self.check_unknown(cx, table, request.private_identity(), out);
                    }
                }
                Recognition::PcscfInitiated if !cx.config.observe_only => {
                    self.cause = Cause::Pcscf;
                    return Ok(self.remove(cx, table, request, out));
                }
                Recognition::PcscfInitiated => {
                    let affected = self.named(table, out);
                    out.event(Event::Observed { affected });
                    self.authenticate(cx, Reasons::NONE, out);
                }
                Recognition::UserInitiated => self.authenticate(cx, Reasons::NONE, out),
                Recognition::Suspicious(reasons) => {
                    let affected = self.named(table, out);
                    out.event(Event::SuspiciousDeregistration { affected, reasons });
                    self.authenticate(cx, reasons, out);
                }
            },
            (
                State::Idle,
                Input::Expired {
                    private_identity,
                    numbers,
                },
            ) => {
                self.private_identity = private_identity.into();
                self.removed = numbers.to_vec();
                table.remove(numbers, contact_events::Cause::Timer, cx.now);
                self.release(cx, table, out);
            }

            // [SD-2] The verdict.
            (State::Authenticating(asked, _), Input::Answered { token, answer })
                if asked.token == Some(token) =>
            {
                match answer {
                    Answer::Authenticated => return Ok(self.remove_held(cx, table, out)),
                    Answer::Challenge { header } => {
                        self.refuse(cx, 401, Some((HeaderName::WwwAuthenticate, header)), out);
                    }
                    Answer::Denied => self.refuse(cx, 403, None, out),
                    _ => self.refuse(cx, 500, None, out),
                }
            }
            (State::Authenticating(asked, _), Input::Tick) if is_due(asked) => {
                self.refuse(cx, 500, None, out);
            }

            // [SD-3] The dialogs, bounded.
            (State::Releasing(asked), Input::Answered { token, answer })
                if asked.token == Some(token) =>
            {
                self.outcome.dialogs = match answer {
                    Answer::Released => Dialogs::Released,
                    _ => Dialogs::Failed,
                };
                return Ok(self.assign(cx, table, out));
            }
            (State::Releasing(asked), Input::Tick) if is_due(asked) => {
                return Ok(self.assign(cx, table, out));
            }

            // [SD-4, SD-8] The HSS, bounded.
            (State::Assigning(asked), Input::Answered { token, answer })
                if asked.token == Some(token) =>
            {
                match answer {
                    Answer::Assigned {
                        application_servers,
                    } => {
                        self.outcome.assignment = Assignment::Assigned;
                        self.take_servers(cx, table, application_servers);
                    }
                    _ => self.outcome.assignment = Assignment::Failed,
                }
                return Ok(self.done(cx, table, out));
            }
            (State::Assigning(asked), Input::Tick) if is_due(asked) => {
                self.outcome.assignment = Assignment::NoAnswer;
                return Ok(self.done(cx, table, out));
            }
            (State::Checking(asked), Input::Answered { token, .. })
                if asked.token == Some(token) =>
            {
                self.refuse(cx, 481, None, out);
            }
            (State::Checking(asked), Input::Tick) if is_due(asked) => {
                self.refuse(cx, 481, None, out);
            }

            // [DR-7] After a restore a question is asked again, with the same key.
            (
                State::Authenticating(asked, _)
                | State::Releasing(asked)
                | State::Assigning(asked)
                | State::Checking(asked),
                Input::Tick,
            ) if asked.token.is_none() => self.offer(cx, table, out),

            // [SD-4] The application servers, one a step.
            (State::Telling, Input::Response { token, status }) if status >= 200 => {
                self.server_answered(token, (200..300).contains(&status));
                self.close_if_told(table, out);
            }
            (State::Telling, Input::NoResponse { token }) => {
                self.server_answered(token, false);
                self.close_if_told(table, out);
            }
            (State::Telling, Input::Tick) => {
                self.tell(cx, table, out);
                self.close_if_told(table, out);
            }

            // Too early, too late, or of another question: nothing to do.
            (_, Input::Register { .. } | Input::Expired { .. } | Input::Answered { .. })
            | (_, Input::Response { .. } | Input::NoResponse { .. } | Input::Tick) => {}
        }
        Ok(Change::None)
    }

    /// The REGISTER that waits, read again.
    fn with_request<T>(&self, read: impl FnOnce(&Message<'_>) -> T) -> Option<T> {
        let message = self.held.as_ref()?.read()?;
        Some(read(&message))
    }

    /// [SD-3] Evaluates the REGISTER that waits.
    fn remove_held(
        &mut self,
        cx: &mut Context<'_, Config>,
        table: &mut Bindings,
        out: &mut Outbox<Scscf>,
    ) -> Change {
        let held = self.held.clone();
        let message = held.as_ref().and_then(Held::read);
        match message.as_ref().map(Removing::read_again) {
            Some(Ok(request)) => self.remove(cx, table, &request, out),
            _ => {
                self.refuse(cx, 400, None, out);
                Change::None
            }
        }
    }

    /// [SD-3] Evaluates the REGISTER against the table as it is now: everything it names goes, or nothing.
    fn remove(
        &mut self,
        cx: &mut Context<'_, Config>,
        table: &mut Bindings,
        request: &Removing<'_>,
        out: &mut Outbox<Scscf>,
    ) -> Change {
        match table.removal(request, self.cause == Cause::Pcscf) {
            Removal::Of(who, numbers) => {
                table.remove_by(&numbers, request.call_id, request.cseq, cx.now);
                self.private_identity = who;
                self.removed = numbers;
                self.release(cx, table, out);
            }
            Removal::Repeated(numbers) => {
                self.respond_removed(cx, table, &numbers, out);
                self.state = State::Over;
            }
            Removal::OutOfOrder => self.refuse(cx, 500, None, out),
            Removal::Unknown => self.check_unknown(cx, table, request.private_identity(), out),
        }
        Change::None
    }

    /// [SD-3] What is not known here: the HSS is asked before the 481, unless a binding of the private identity
    /// is left here, which is to stay.
    fn check_unknown(
        &mut self,
        cx: &mut Context<'_, Config>,
        table: &Bindings,
        who: &[u8],
        out: &mut Outbox<Scscf>,
    ) {
        if table.keeps(who) {
            return self.refuse(cx, 481, None, out);
        }
        self.private_identity = who.into();
        self.state = State::Checking(ask(cx, cx.config.assignment_bound));
        self.offer(cx, table, out);
    }

    fn authenticate(
        &mut self,
        cx: &mut Context<'_, Config>,
        reasons: Reasons,
        out: &mut Outbox<Scscf>,
    ) {
        let asked = ask(cx, cx.config.authentication_bound);
        self.state = State::Authenticating(asked, reasons);
        self.offer(cx, &Bindings::default(), out);
    }

    fn release(&mut self, cx: &mut Context<'_, Config>, table: &Bindings, out: &mut Outbox<Scscf>) {
        self.state = State::Releasing(ask(cx, cx.config.dialog_bound));
        self.offer(cx, table, out);
    }

    /// [SD-4] The HSS is told when the private identity keeps no binding.
    fn assign(
        &mut self,
        cx: &mut Context<'_, Config>,
        table: &Bindings,
        out: &mut Outbox<Scscf>,
    ) -> Change {
        if table.keeps(&self.private_identity) {
            return self.done(cx, table, out);
        }
        self.state = State::Assigning(ask(cx, cx.config.assignment_bound));
        self.offer(cx, table, out);
        Change::None
    }

    /// Offers the question of the state.
    fn offer(&mut self, cx: &mut Context<'_, Config>, table: &Bindings, out: &mut Outbox<Scscf>) {
        let token = cx.token();
        let question = match &mut self.state {
            State::Authenticating(asked, _)
            | State::Releasing(asked)
            | State::Assigning(asked)
            | State::Checking(asked) => {
                asked.token = Some(token);
                self.question(cx.config, table, out)
            }
            State::Idle | State::Telling | State::Over => None,
        };
        if let Some(question) = question {
            out.ask(token, question);
        }
    }

    fn question(
        &self,
        config: &Config,
        table: &Bindings,
        out: &mut Outbox<Scscf>,
    ) -> Option<Question> {
        Some(match self.state {
            State::Authenticating(asked, reasons) => {
                let named = self.with_request(|request| Named::of(request, out))?;
                Question::Authentication {
                    key: asked.key,
                    transaction: self.held.as_ref()?.to,
                    private_identity: named.private_identity,
                    public_identity: named.public_identity,
                    reasons,
                }
            }
            State::Releasing(asked) => Question::DialogRelease {
                key: asked.key,
                affected: self.affected(table, out),
                status: 480,
            },
            State::Assigning(asked) => Question::ServerAssignment {
                key: asked.key,
                kind: kind(self.cause, config),
                private_identity: out.put_text(&self.private_identity),
                public_identities: put_list(
                    out,
                    table
                        .identities
                        .iter()
                        .filter(|identity| identity.termination.get().is_none())
                        .map(|identity| &*identity.uri),
                ),
            },
            State::Checking(asked) => Question::ServerAssignment {
                key: asked.key,
                kind: kind(self.cause, config),
                private_identity: out.put_text(&self.private_identity),
                public_identities: self.with_request(|request| {
                    let to = request.to().ok().map(|to| to.uri_bytes());
                    put_list(out, to.into_iter())
                })?,
            },
            State::Idle | State::Telling | State::Over => return None,
        })
    }

    /// [SD-4] The 200, and then the application servers.
    fn done(
        &mut self,
        cx: &mut Context<'_, Config>,
        table: &Bindings,
        out: &mut Outbox<Scscf>,
    ) -> Change {
        let removed = core::mem::take(&mut self.removed);
        self.respond_removed(cx, table, &removed, out);
        self.removed = removed;
        self.state = State::Telling;
        self.close_if_told(table, out);
        Change::Removed
    }

    fn respond_removed(
        &mut self,
        cx: &mut Context<'_, Config>,
        table: &Bindings,
        removed: &[u32],
        out: &mut Outbox<Scscf>,
    ) {
        let tag = cx.identifier();
        if let Some(to) = self.held.as_ref().map(|held| held.to) {
            self.answered = 200;
            self.with_request(|request| {
                // Parts of a message within the limits, and of a set within them: it fits a step.
                let _ = out.respond(to, 200, |buffer| {
                    messages::removed(buffer, request, tag, table, removed, cx.now);
                });
            });
            self.held = None;
        }
    }

    fn refuse(
        &mut self,
        cx: &mut Context<'_, Config>,
        status: u16,
        header: Option<(HeaderName, &[u8])>,
        out: &mut Outbox<Scscf>,
    ) {
        let tag = cx.identifier();
        if let Some(to) = self.held.as_ref().map(|held| held.to) {
            self.answered = status;
            self.with_request(|request| {
                let _ = out.respond(to, status, |buffer| {
                    messages::refusal(buffer, request, status, tag, header);
                });
            });
            self.held = None;
        }
        self.state = State::Over;
    }

    pub(super) fn affected(&self, table: &Bindings, out: &mut Outbox<Scscf>) -> Affected {
        let contacts = table.numbered(&self.removed);
        Affected {
            private_identity: out.put_text(&self.private_identity),
            public_identity: out.put_text(table.default_identity()),
            contacts: put_list(out, contacts.map(|binding| binding.field(Field::Uri))),
        }
    }

    /// Whom the REGISTER names.
    fn named(&self, table: &Bindings, out: &mut Outbox<Scscf>) -> Affected {
        let named = self.with_request(|request| Named::of(request, out));
        let mut affected = Affected {
            private_identity: named.map_or_else(Text::default, |named| named.private_identity),
            public_identity: named.map_or_else(Text::default, |named| named.public_identity),
            contacts: Text::default(),
        };
        if !table.default_identity().is_empty() {
            affected.public_identity = out.put_text(table.default_identity());
        }
        affected
    }
}

impl fmt::Debug for Deregistration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deregistration")
            .field("state", &self.state)
            .field("cause", &self.cause)
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}

/// Whom a REGISTER names, as texts.
#[derive(Clone, Copy)]
struct Named {
    private_identity: Text,
    public_identity: Text,
}

impl Named {
    fn of(request: &Message<'_>, out: &mut Outbox<Scscf>) -> Self {
        let username = username(request).ok().flatten().unwrap_or_default();
        let to = request.to().map(|to| to.uri_bytes()).unwrap_or_default();
        Self {
            private_identity: out.put_text(&username),
            public_identity: out.put_text(to),
        }
    }
}

/// A question to be offered.
fn ask(cx: &mut Context<'_, Config>, bound: u64) -> Asked {
    Asked {
        key: cx.identifier(),
        token: None,
        until: cx.now.after(bound),
    }
}

/// [SD-4] Why the HSS is told, by cause (SPEC-FACTS B.9).
const fn kind(cause: Cause, config: &Config) -> AssignmentKind {
    match (cause, config.keep_server_name) {
        (Cause::Expired, false) => AssignmentKind::TimeoutDeregistration,
        (Cause::Expired, true) => AssignmentKind::TimeoutDeregistrationStoreServerName,
        (Cause::Pcscf | Cause::User, false) => AssignmentKind::UserDeregistration,
        (Cause::Pcscf | Cause::User, true) => AssignmentKind::UserDeregistrationStoreServerName,
    }
}

/// URIs in angle brackets, separated by commas.
fn put_list<'u>(out: &mut Outbox<Scscf>, uris: impl Iterator<Item = &'u [u8]>) -> Text {
    let write = |buffer: &mut Buffer| {
        for (place, uri) in uris.enumerate() {
            buffer.put(if place == 0 { b"<" } else { b",<" });
            buffer.put(uri);
            buffer.put(b">");
        }
    };
    out.write_text(write).unwrap_or_default()
}

/// Whether an answer is one that the question has, and can be used.
fn check(state: State, answer: Answer<'_>) -> Result<(), Misuse> {
    match (state, answer) {
        (State::Authenticating(..), Answer::Challenge { header }) => {
            let unusable = header.is_empty()
                || header.len() > usize::from(u16::MAX)
                || memchr::memchr3(b'\r', b'\n', 0, header).is_some();
            match unusable {
                true => Err(Misuse::BadCommand(Reject::new(&defect::HEADER_VALUE, 0))),
                false => Ok(()),
            }
        }
        (
            State::Assigning(_),
            Answer::Assigned {
                application_servers,
            },
        ) => {
            if application_servers.len() > usize::from(u16::MAX) {
                return Err(Misuse::BadCommand(Reject::new(&defect::HEADER_VALUE, 0)));
            }
            let mut count = 0usize;
            for server in NameAddr::parse_list(application_servers) {
                server.map_err(Misuse::BadCommand)?;
                count = count.saturating_add(1);
            }
            if count > MAX_SERVERS {
                return Err(Misuse::BadCommand(Reject::new(
                    &defect::TOO_MANY_SERVERS,
                    0,
                )));
            }
            Ok(())
        }
        (State::Authenticating(..), Answer::Authenticated | Answer::Denied | Answer::Failed)
        | (State::Releasing(_), Answer::Released | Answer::Failed)
        | (State::Assigning(_), Answer::Failed)
        | (State::Checking(_), Answer::Assigned { .. } | Answer::Failed) => Ok(()),
        _ => Err(Misuse::WrongAnswer),
    }
}
