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
//!
//! What the network ends begins at (removed); whether the HSS is told then, and what subscribers are, is in
//! [`Cause`]. Where another S-CSCF serves the user, any state goes to Leaving, and from there to Over.

use alloc::{boxed::Box, vec::Vec};
use core::fmt;

use super::{
    Affected, Answer, Assignment, Audit, Cause, Conclusion, Config, Dialogs, Event, Outcome,
    Question, Reasons, Recognition, Scscf,
    bindings::{Bindings, Field, Removal},
    defect, messages,
    registration::Removing,
    third_party::{Sent, Server, check_servers},
};
use crate::{
    drive::{
        Begun, Buffer, Context, Identifier, Limits, Millis, Misuse, Outbox, Reject, Text, Timer,
        Token, TransactionRef,
    },
    wire::{HeaderName, Message, register::username},
};

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
    /// [SD-5] The network ends bindings of a private identity.
    Ended {
        private_identity: &'a [u8],
        numbers: &'a [u32],
        /// Whom to tell, if the HSS is not asked.
        application_servers: &'a [u8],
    },
    /// [SD-5] Another S-CSCF serves the user.
    Elsewhere,
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
    /// Another S-CSCF serves the user: nothing is left to do but to say so.
    Leaving,
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
    /// Of the event that ends it: the key of its first question, if there is one.
    pub(crate) id: Identifier,
    pub(crate) state: State,
    pub(crate) cause: Cause,
    pub(crate) held: Option<Held>,
    pub(crate) private_identity: Box<[u8]>,
    pub(crate) removed: Vec<u32>,
    pub(crate) outcome: Outcome,
    pub(crate) servers: Vec<Server>,
    /// The status that answered the REGISTER; 0 as long as none has.
    pub(crate) answered: u16,
    /// [DR-9] When it began.
    pub(crate) begun: Begun,
}

/// Before the first step.
pub(crate) const NO_ID: Identifier = Identifier::of(0);

impl Deregistration {
    pub(crate) fn new(cause: Cause) -> Self {
        Self {
            id: NO_ID,
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
            begun: Begun::UNKNOWN,
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

    pub(crate) const fn is_leaving(&self) -> bool {
        matches!(self.state, State::Leaving)
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
            State::Idle | State::Telling | State::Leaving | State::Over => None,
        }
    }

    /// What names it, if nothing has before: the question that is out, or the first message to an application server.
    pub(crate) fn first_key(&self) -> Option<Identifier> {
        let asked = self.asked().map(|asked| asked.key);
        asked.or(self.servers.first().map(|server| server.call_id))
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
            State::Leaving => Some((Millis(0), Timer("deregistration over"))),
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
        if self.state == State::Idle {
            self.begun = Begun::at(cx.now, cx.config.audit);
        }
        let change = self.advance(cx, table, input, out)?;
        if self.id == NO_ID && !self.is_over() {
            self.id = self.first_key().unwrap_or_else(|| cx.identifier());
        }
        Ok(change)
    }

    fn advance(
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
                Recognition::UserAuthenticated if !cx.config.observe_only => {
                    return Ok(self.remove(cx, table, request, out));
                }
                Recognition::UserInitiated | Recognition::UserAuthenticated => {
                    self.authenticate(cx, Reasons::NONE, out);
                }
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
                if let Some(told_as) = self.cause.told_as() {
                    table.remove(numbers, told_as, cx.now);
                }
                self.release(cx, table, out);
            }

            // [SD-5] The network ends it. Of many at once, each asks by a step of its own.
            (
                State::Idle,
                Input::Ended {
                    private_identity,
                    numbers,
                    application_servers,
                },
            ) => {
                self.private_identity = private_identity.into();
                self.removed = numbers.to_vec();
                match self.cause.told_as() {
                    Some(told_as) => {
                        table.remove(numbers, told_as, cx.now);
                        self.take_servers(cx, table, application_servers);
                        self.state = State::Releasing(ask(cx, cx.config.dialog_bound));
                    }
                    None => {
                        table.forget(numbers, cx.now);
                        self.outcome.dialogs = Dialogs::NotNeeded;
                        self.state = State::Leaving;
                    }
                }
            }
            (
                State::Authenticating(..)
                | State::Releasing(_)
                | State::Assigning(_)
                | State::Checking(_)
                | State::Telling,
                Input::Elsewhere,
            ) => {
                self.give_up_servers();
                self.state = State::Leaving;
            }
            (State::Leaving, Input::Tick) if self.is_accepted() => {
                self.respond_to_removal(cx, table, out);
                self.report(cx, table, out);
            }
            (State::Leaving, Input::Tick) => self.refuse(cx, table, 481, None, out),

            // [SD-2] The verdict.
            (State::Authenticating(asked, _), Input::Answered { token, answer })
                if asked.token == Some(token) =>
            {
                match answer {
                    Answer::Authenticated => return Ok(self.remove_held(cx, table, out)),
                    Answer::Challenge { header } => {
                        self.refuse(
                            cx,
                            table,
                            401,
                            Some((HeaderName::WwwAuthenticate, header)),
                            out,
                        );
                    }
                    Answer::Denied => self.refuse(cx, table, 403, None, out),
                    _ => self.refuse(cx, table, 500, None, out),
                }
            }
            (State::Authenticating(asked, _), Input::Tick) if is_due(asked) => {
                self.refuse(cx, table, 500, None, out);
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
                let (assignment, servers) = result(answer);
                self.outcome.assignment = assignment;
                self.take_servers(cx, table, servers);
                return Ok(self.done(cx, table, out));
            }
            (State::Assigning(asked), Input::Tick) if is_due(asked) => {
                self.outcome.assignment = Assignment::NoAnswer;
                return Ok(self.done(cx, table, out));
            }
            (State::Checking(asked), Input::Answered { token, answer })
                if asked.token == Some(token) =>
            {
                self.outcome.assignment = result(answer).0;
                self.refuse(cx, table, 481, None, out);
            }
            (State::Checking(asked), Input::Tick) if is_due(asked) => {
                self.outcome.assignment = Assignment::NoAnswer;
                self.refuse(cx, table, 481, None, out);
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
                self.close_if_told(cx, table, out);
            }
            (State::Telling, Input::NoResponse { token }) => {
                self.server_answered(token, false);
                self.close_if_told(cx, table, out);
            }
            (State::Telling, Input::Tick) => {
                self.tell(cx, table, out);
                self.close_if_told(cx, table, out);
            }

            // Too early, too late, or of another question: nothing to do.
            (_, Input::Register { .. } | Input::Expired { .. } | Input::Answered { .. })
            | (_, Input::Ended { .. } | Input::Elsewhere)
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
                self.refuse(cx, table, 400, None, out);
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
            Removal::OutOfOrder => self.refuse(cx, table, 500, None, out),
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
            return self.refuse(cx, table, 481, None, out);
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

    /// [SD-4, SD-5] The HSS is told when the private identity keeps no binding, unless it knows.
    fn assign(
        &mut self,
        cx: &mut Context<'_, Config>,
        table: &Bindings,
        out: &mut Outbox<Scscf>,
    ) -> Change {
        let tells = self.cause.assignment(cx.config.keep_server_name).is_some();
        if !tells || table.keeps(&self.private_identity) {
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
            State::Idle | State::Telling | State::Leaving | State::Over => None,
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
                kind: self.cause.assignment(config.keep_server_name)?,
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
                kind: self.cause.assignment(config.keep_server_name)?,
                private_identity: out.put_text(&self.private_identity),
                public_identities: self.with_request(|request| {
                    let to = request.to().ok().map(|to| to.uri_bytes());
                    put_list(out, to.into_iter())
                })?,
            },
            State::Idle | State::Telling | State::Leaving | State::Over => return None,
        })
    }

    /// [SD-4] The 200, and then the application servers.
    fn done(
        &mut self,
        cx: &mut Context<'_, Config>,
        table: &Bindings,
        out: &mut Outbox<Scscf>,
    ) -> Change {
        self.respond_to_removal(cx, table, out);
        self.state = State::Telling;
        self.close_if_told(cx, table, out);
        Change::Removed
    }

    /// [SD-4] The 200 to the REGISTER, if it was one that removed them.
    fn respond_to_removal(
        &mut self,
        cx: &mut Context<'_, Config>,
        table: &Bindings,
        out: &mut Outbox<Scscf>,
    ) {
        let removed = core::mem::take(&mut self.removed);
        self.respond_removed(cx, table, &removed, out);
        self.removed = removed;
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
        table: &Bindings,
        status: u16,
        header: Option<(HeaderName, &[u8])>,
        out: &mut Outbox<Scscf>,
    ) {
        let tag = cx.identifier();
        if let Some(to) = self.held.as_ref().map(|held| held.to) {
            self.answered = status;
            self.audit_refusal(cx, table, status, out);
            self.with_request(|request| {
                let _ = out.respond(to, status, |buffer| {
                    messages::refusal(buffer, request, status, tag, header);
                });
            });
            self.held = None;
        }
        self.state = State::Over;
    }

    /// [DR-9] The record of what is refused. A challenge is not the end of it.
    fn audit_refusal(
        &mut self,
        cx: &mut Context<'_, Config>,
        table: &Bindings,
        status: u16,
        out: &mut Outbox<Scscf>,
    ) {
        if !cx.config.audit || status == 401 {
            return;
        }
        let affected = self.named(table, out);
        let id = match self.id {
            NO_ID => cx.identifiers.event(),
            id => id,
        };
        let reasons = match self.state {
            State::Authenticating(_, reasons) => reasons,
            _ => Reasons::NONE,
        };
        let conclusion = Conclusion::Refused {
            status,
            reasons,
            assignment: self.outcome.assignment,
        };
        self.audit(cx, (id, affected), conclusion, out);
    }

    /// [DR-9] The record.
    pub(super) fn audit(
        &self,
        cx: &Context<'_, Config>,
        (id, affected): (Identifier, Affected),
        outcome: Conclusion,
        out: &mut Outbox<Scscf>,
    ) {
        if cx.config.audit {
            out.event(Event::Audited(Audit {
                id,
                affected,
                initiator: self.cause.initiator(),
                cause: self.cause,
                outcome,
                began: self.begun.instant(),
                resumed: self.begun.is_resumed(),
                ended: cx.now,
            }));
        }
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

/// [SD-4, SD-8] What an answer about the HSS says, and whom to tell then.
const fn result(answer: Answer<'_>) -> (Assignment, &[u8]) {
    match answer {
        Answer::Assigned {
            application_servers,
        } => (Assignment::Assigned, application_servers),
        Answer::NameNotStored {
            application_servers,
        } => (Assignment::NameNotStored, application_servers),
        Answer::NotAssigned {
            application_servers,
        } => (Assignment::Failed, application_servers),
        _ => (Assignment::Failed, b""),
    }
}

/// URIs in angle brackets, separated by commas.
pub(super) fn put_list<'u>(out: &mut Outbox<Scscf>, uris: impl Iterator<Item = &'u [u8]>) -> Text {
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
            }
            | Answer::NameNotStored {
                application_servers,
            }
            | Answer::NotAssigned {
                application_servers,
            },
        ) => check_servers(application_servers),
        (State::Authenticating(..), Answer::Authenticated | Answer::Denied | Answer::Failed)
        | (State::Releasing(_), Answer::Released | Answer::Failed)
        | (State::Assigning(_), Answer::Failed)
        | (
            State::Checking(_),
            Answer::Assigned { .. }
            | Answer::NameNotStored { .. }
            | Answer::NotAssigned { .. }
            | Answer::Failed,
        ) => Ok(()),
        _ => Err(Misuse::WrongAnswer),
    }
}
