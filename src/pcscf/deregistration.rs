//! The procedure: a registration at the P-CSCF, from the trigger to the one outcome event.
//!
//! Every transition is in [`Registration::step`].
//!
//! ```text
//!            trigger           turn          2xx                NOTIFY, or none in time
//! Registered ───────▶ Queued ───────▶ Sent ───────▶ Confirmed ─────────────────────────▶ Cleaning ──▶ Gone
//!     │                 ▲ │            │                                                    ▲
//!     │            time │ │            │ 5xx, 408, silence                                  │
//!     │                 │ │            ▼                                                    │
//!     │                 └─│───────── Waiting      other answers, or attempts used up        │
//!     │                   │            └────────────────────────────────────────────────────┤
//!     │                   └── no turn in time ──────────────────────────────────────────────┤
//!     └── NOTIFY: the network ended it; 2xx to the UE's own deregistration ─────────────────┘
//! ```

use super::{
    Affected, Config, Event, MACHINE_BYTES, MACHINE_OUTPUTS, Pcscf, Question, messages,
    registration::{Field, LearnedContact, Strings, has_moved, same_binding},
};
use crate::{
    drive::{Context, Identifier, Millis, Misuse, Outbox, Request, Timer, Token, Towards},
    fleet::{Rest, Seldom},
};

/// What started a deregistration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// [PD-3] The access network lost the UE.
    AccessLost,
    /// [PD-4] The registration ran out at the P-CSCF.
    RegistrationTimer,
    /// [PD-10] The network said so in a NOTIFY.
    Network,
    /// [PD-1] The UE deregistered itself.
    User,
    /// [PD-2] The P-CSCF is shut down.
    Shutdown,
}

/// How a deregistration ended at the P-CSCF. The local state is gone in every case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// A NOTIFY said that the contact is gone.
    Notified,
    /// [PD-8] The REGISTER was answered 2xx; no NOTIFY came, or none was to be expected.
    Unconfirmed,
    /// [PD-6] 404 or 481: nothing was left there.
    NothingThere {
        /// The status code.
        status: u16,
    },
    /// [PD-6] 401 or 407: that network does not support P-CSCF-initiated deregistration.
    Unsupported {
        /// The status code.
        status: u16,
    },
    /// [PD-6] 403: refused; the binding may remain there until it expires.
    Refused,
    /// [PD-6] Another final response, or one of those that are retried after the last attempt.
    Failed {
        /// The status code.
        status: u16,
    },
    /// [PD-6] No answer to the last attempt.
    NoResponse,
    /// The UE deregistered itself.
    ByUser,
    /// An emergency registration ran out. No REGISTER is sent for those.
    Expired,
    /// The REGISTER could not be written: something that was learnt cannot stand in a header.
    Unsendable,
    /// [PD-2, PD-6] No REGISTER was sent, or none after the last that was, as its turn did not come; the binding may
    /// remain there until it expires.
    NotAsked {
        /// Why its turn did not come.
        why: NotAsked,
    },
}

/// Why the turn of a registration did not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotAsked {
    /// [PD-2] The deadline of the shutdown has passed.
    Deadline = 0,
    /// [PD-6] Its home domain refused the users asked before it.
    Domain = 1,
    /// [PD-12] It has waited until [`Config::turn_bound`] after its lifetime.
    TurnBound = 2,
}

/// What can happen to a registration.
#[derive(Clone, Copy, Debug)]
pub enum Input {
    /// A trigger: the REGISTER goes out at once.
    Trigger(Cause),
    /// [PD-12] A trigger whose REGISTER waits for its turn.
    TriggerDue(Cause),
    /// [PD-12] Its turn has come: the REGISTER goes out at once.
    Turn,
    /// [PD-12] Its turn will not come.
    NotAsked(NotAsked),
    /// [PD-12] The time before another attempt is over: its REGISTER waits for its turn.
    RetryDue,
    /// [PD-8] The deadline of the shutdown has passed: whatever has not come is not waited for.
    OutOfTime,
    /// [PD-2] The shutdown is called off: who waits for a turn of it is left alone.
    Resumed,
    /// A final response to our REGISTER.
    Response {
        /// Of the REGISTER.
        token: Token,
        /// The status code.
        status: u16,
        /// Retry-After in seconds, if it has one.
        retry_after: Option<u32>,
        /// Whether a NOTIFY can be expected.
        notify_expected: bool,
    },
    /// No response to our REGISTER.
    NoResponse {
        /// Of the REGISTER.
        token: Token,
    },
    /// A NOTIFY says that this contact, or the registration, is terminated.
    Terminated,
    /// [PD-10] A NOTIFY says that it lasts only so many seconds more.
    Shortened {
        /// Seconds left.
        expires: u32,
    },
    /// The UE has registered anew for so many seconds.
    Refreshed {
        /// Seconds granted.
        expires: u32,
    },
    /// The UE has deregistered itself.
    Removed,
    /// While it is cleaned up, the UE has registered anew with the same contact: what is left of the cleanup
    /// would hit the new registration (T48).
    Superseded,
    /// A step of the cleanup is answered.
    Cleaned {
        /// Of the question.
        token: Token,
        /// Whether it was done.
        done: bool,
    },
    /// Time has passed.
    Tick,
}

/// What a step means to the owner of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Change {
    /// It goes on.
    Goes,
    /// It is gone, and the machine with it.
    Gone(Outcome),
}

/// [PD-7] The steps of the cleanup, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Step {
    Delivery,
    SecurityAssociation,
    Bearer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Registered,
    /// A REGISTER is to be sent, the first or another, when its turn comes.
    Queued,
    /// Without a token, the REGISTER is still to be handed out: at first, or again after a restore.
    Sent {
        token: Option<Token>,
        branch: Identifier,
        until: Millis,
    },
    Waiting {
        until: Millis,
    },
    Confirmed {
        until: Millis,
    },
    Cleaning {
        outcome: Outcome,
        step: Step,
        /// The same when the question is asked again after a restore.
        key: Identifier,
        token: Option<Token>,
        until: Millis,
    },
}

/// What a registration has while it is deregistered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Running {
    pub(crate) state: State,
    pub(crate) calling: Option<Calling>,
}

impl Rest for Running {
    const AT_REST: Self = Self {
        state: State::Registered,
        calling: None,
    };
}

/// The identifiers of a deregistration's REGISTERs: the same for all its attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Calling {
    pub(crate) call_id: Identifier,
    pub(crate) tag: Identifier,
}

/// What is true of a registration, or not: a bit each, for there are many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks(u8);

impl Marks {
    /// A document has shown its contact as active: one that leaves it out says that it is gone.
    pub(crate) const SEEN: u8 = 1;
    /// [PD-2] Its UE has a dialog.
    pub(crate) const IN_DIALOG: u8 = 2;
    /// [`State::Queued`], which takes nothing: all registrations of a node may wait for their turns.
    pub(crate) const QUEUED: u8 = 4;

    pub(crate) const fn has(self, mark: u8) -> bool {
        self.0 & mark != 0
    }

    pub(crate) const fn set(&mut self, mark: u8, to: bool) {
        if to {
            self.0 |= mark;
        } else {
            self.0 &= !mark;
        }
    }
}

/// A registration: one contact, or one flow, of one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    pub(crate) strings: Strings,
    pub(crate) emergency: bool,
    pub(crate) expires_at: Millis,
    /// Seconds it was granted last.
    pub(crate) granted: u32,
    pub(crate) marks: Marks,
    pub(crate) running: Seldom<Running>,
    pub(crate) cause: Cause,
    pub(crate) registers: u8,
}

impl Registration {
    pub(crate) fn new(strings: Strings, contact: &LearnedContact<'_>, now: Millis) -> Self {
        Self {
            strings,
            emergency: contact.emergency,
            expires_at: now.after_seconds(contact.expires),
            granted: contact.expires,
            marks: Marks::default(),
            running: Seldom::new(Running::AT_REST),
            cause: Cause::User,
            registers: 0,
        }
    }

    pub(crate) const fn state(&self) -> State {
        match self.is_queued() {
            true => State::Queued,
            false => self.running.get().state,
        }
    }

    fn set_state(&mut self, state: State) {
        let calling = self.running.get().calling;
        self.marks.set(Marks::QUEUED, false);
        self.running.set(Running { state, calling });
    }

    /// [PD-12] It waits for its turn.
    pub(crate) const fn queue(&mut self) {
        self.marks.set(Marks::QUEUED, true);
    }

    /// [PD-2] What a shutdown has queued, and no more, is as it was before.
    pub(crate) fn leave_alone(&mut self) {
        if self.cause == Cause::Shutdown && self.registers == 0 {
            self.marks.set(Marks::QUEUED, false);
        }
    }

    /// [PD-12] Whether it waits for its turn.
    #[must_use]
    pub const fn is_queued(&self) -> bool {
        self.marks.has(Marks::QUEUED)
    }

    pub(crate) const fn is_seen(&self) -> bool {
        self.marks.has(Marks::SEEN)
    }

    /// [PD-2] Whether its UE has a dialog, as the host said.
    #[must_use]
    pub const fn is_in_dialog(&self) -> bool {
        self.marks.has(Marks::IN_DIALOG)
    }

    /// The URI of its contact.
    #[must_use]
    pub fn contact(&self) -> &[u8] {
        self.strings.field(Field::Contact)
    }

    /// The default public identity.
    #[must_use]
    pub fn public_identity(&self) -> &[u8] {
        self.strings.field(Field::PublicIdentity)
    }

    /// Whether it is an emergency registration.
    #[must_use]
    pub const fn is_emergency(&self) -> bool {
        self.emergency
    }

    /// Whether it is registered and nothing has been started to end it.
    #[must_use]
    pub const fn is_registered(&self) -> bool {
        matches!(self.state(), State::Registered)
    }

    /// Whether an answer with this token is for this machine.
    #[must_use]
    pub fn awaits(&self, token: Token) -> bool {
        match self.state() {
            State::Sent { token: own, .. } | State::Cleaning { token: own, .. } => {
                own == Some(token)
            }
            State::Registered | State::Queued | State::Waiting { .. } | State::Confirmed { .. } => {
                false
            }
        }
    }

    /// Whether a REGISTER that gives these strings is about this registration.
    pub(crate) fn is_binding_of(&self, strings: &Strings, emergency: bool) -> bool {
        !self.is_cleaning() && self.emergency == emergency && same_binding(&self.strings, strings)
    }

    /// Whether it is the contact that its UE has left for the one of these strings.
    pub(crate) fn is_left_for(&self, strings: &Strings, emergency: bool) -> bool {
        !self.is_cleaning() && self.emergency == emergency && has_moved(&self.strings, strings)
    }

    pub(crate) const fn is_cleaning(&self) -> bool {
        matches!(self.state(), State::Cleaning { .. })
    }

    /// Whether the token it waits for is that of a request, and not of a question.
    pub(crate) const fn has_request_out(&self) -> bool {
        matches!(self.state(), State::Sent { .. })
    }

    /// [PD-4] When it must be given a [`Input::Tick`], and the timer that fires.
    #[must_use]
    pub fn deadline(&self, config: &Config) -> (Millis, Timer) {
        match self.state() {
            State::Registered => (self.lost_at(config), Timer("registration lifetime")),
            State::Queued => (
                self.expires_at.after(config.turn_bound),
                Timer("turn of REGISTER"),
            ),
            State::Sent { token: None, .. } => (Millis(0), Timer("REGISTER to be sent")),
            State::Cleaning { token: None, .. } => (Millis(0), Timer("question to be asked")),
            State::Sent { until, .. } => (until, Timer("answer to REGISTER")),
            State::Waiting { until } => (until, Timer("retry of REGISTER")),
            State::Confirmed { until } => (until, Timer("NOTIFY after deregistration")),
            State::Cleaning { until, .. } => (until, Timer("cleanup step")),
        }
    }

    /// When its lifetime falls below the threshold, which for a short one is half of it. An emergency
    /// registration lasts to its end.
    fn lost_at(&self, config: &Config) -> Millis {
        let half = u64::from(self.granted).saturating_mul(500);
        let threshold = if self.emergency {
            0
        } else {
            config.registration_threshold.min(half)
        };
        Millis(self.expires_at.0.saturating_sub(threshold))
    }

    /// Every transition of a registration.
    ///
    /// # Errors
    /// [`Misuse::OutboxFull`] if the outbox has no room for a step.
    pub fn step(
        &mut self,
        cx: &mut Context<'_, Config>,
        private_identity: &[u8],
        input: Input,
        out: &mut Outbox<Pcscf>,
    ) -> Result<Change, Misuse> {
        out.check_room_for(MACHINE_OUTPUTS, MACHINE_BYTES)?;
        let who = private_identity;
        match (self.state(), input) {
            // [PD-3, PD-4] A trigger.
            (State::Registered, Input::Trigger(cause)) if !self.emergency => {
                self.start(cx, cause);
                self.offer(cx, who, out);
            }
            (State::Registered, Input::TriggerDue(cause))
                if !self.emergency || cause == Cause::Shutdown =>
            {
                self.wait_for_turn(cause);
            }
            (State::Registered, Input::Tick) if self.emergency && cx.now >= self.expires_at => {
                self.cause = Cause::RegistrationTimer;
                self.clean(cx, who, Outcome::Expired, out);
            }
            (State::Registered, Input::Tick) if cx.now >= self.lost_at(cx.config) => {
                self.start(cx, Cause::RegistrationTimer);
                self.offer(cx, who, out);
            }

            // [PD-12] Its turn, or that it does not come.
            (State::Queued, Input::Turn) => {
                match self.running.get().calling {
                    Some(_) => self.send(cx),
                    None => self.start(cx, self.cause),
                }
                self.offer(cx, who, out);
            }
            (State::Queued, Input::NotAsked(why)) => {
                self.clean(cx, who, Outcome::NotAsked { why }, out);
            }
            (State::Queued, Input::Tick)
                if cx.now >= self.expires_at.after(cx.config.turn_bound) =>
            {
                let why = NotAsked::TurnBound;
                self.clean(cx, who, Outcome::NotAsked { why }, out);
            }
            (State::Waiting { .. }, Input::RetryDue) => self.queue(),
            (State::Queued, Input::Resumed) => self.leave_alone(),

            // [PD-8] The shutdown has no more time.
            (State::Registered, Input::OutOfTime) => {
                self.cause = Cause::Shutdown;
                self.clean(cx, who, NO_TIME, out);
            }
            (State::Queued | State::Waiting { .. }, Input::OutOfTime) => {
                self.clean(cx, who, NO_TIME, out);
            }
            (State::Sent { .. }, Input::OutOfTime) => {
                self.clean(cx, who, Outcome::NoResponse, out);
            }
            (State::Confirmed { .. }, Input::OutOfTime) => {
                self.clean(cx, who, Outcome::Unconfirmed, out);
            }

            // [PD-6] The answer.
            (
                State::Sent { token, .. },
                Input::Response {
                    token: answered,
                    status,
                    retry_after,
                    notify_expected,
                },
            ) if token == Some(answered) => match meaning(status) {
                Meaning::Done if notify_expected => {
                    self.set_state(State::Confirmed {
                        until: cx.now.after(cx.config.notify_bound),
                    });
                }
                Meaning::Done => self.clean(cx, who, Outcome::Unconfirmed, out),
                Meaning::Ended(outcome) => self.clean(cx, who, outcome, out),
                Meaning::Retry => {
                    self.wait_or_give_up(cx, who, retry_after, Outcome::Failed { status }, out);
                }
            },
            (State::Sent { token, .. }, Input::NoResponse { token: answered })
                if token == Some(answered) =>
            {
                self.wait_or_give_up(cx, who, None, Outcome::NoResponse, out);
            }
            (State::Sent { token: None, .. }, Input::Tick) => self.offer(cx, who, out),
            (State::Sent { until, .. }, Input::Tick) if cx.now >= until => {
                self.wait_or_give_up(cx, who, None, Outcome::NoResponse, out);
            }
            (State::Waiting { until }, Input::Tick) if cx.now >= until => {
                self.send(cx);
                self.offer(cx, who, out);
            }

            // [PD-7, PD-10] The NOTIFY.
            (State::Registered, Input::Terminated) => {
                self.cause = Cause::Network;
                self.clean(cx, who, Outcome::Notified, out);
            }
            (
                State::Queued
                | State::Sent { .. }
                | State::Waiting { .. }
                | State::Confirmed { .. },
                Input::Terminated,
            ) => {
                self.clean(cx, who, Outcome::Notified, out);
            }
            (State::Registered, Input::Shortened { expires }) => {
                self.expires_at = self.expires_at.min(cx.now.after_seconds(expires));
            }

            // [PD-8] No NOTIFY.
            (State::Confirmed { until }, Input::Tick) if cx.now >= until => {
                self.clean(cx, who, Outcome::Unconfirmed, out);
            }

            // [PD-1, PD-9] The UE itself.
            (State::Registered, Input::Refreshed { expires }) => self.refresh(cx, expires),
            (
                State::Queued
                | State::Sent { .. }
                | State::Waiting { .. }
                | State::Confirmed { .. },
                Input::Refreshed { expires },
            ) => {
                let affected = self.affected(who, out);
                out.event(Event::Cancelled {
                    affected,
                    cause: self.cause,
                    registers: self.registers,
                });
                self.refresh(cx, expires);
                self.marks.set(Marks::QUEUED, false);
                self.running.set(Running::AT_REST);
                self.registers = 0;
            }
            (State::Registered, Input::Removed) => {
                self.cause = Cause::User;
                self.clean(cx, who, Outcome::ByUser, out);
            }
            (
                State::Queued
                | State::Sent { .. }
                | State::Waiting { .. }
                | State::Confirmed { .. },
                Input::Removed,
            ) => {
                self.clean(cx, who, Outcome::ByUser, out);
            }

            // [PD-7] The cleanup, a step after the other.
            (State::Cleaning { token: None, .. }, Input::Tick) => self.ask(cx, who, out),
            (
                State::Cleaning { token, .. },
                Input::Cleaned {
                    token: answered, ..
                },
            ) if token == Some(answered) => {
                return Ok(self.clean_on(cx, who, out));
            }
            (State::Cleaning { until, .. }, Input::Tick) if cx.now >= until => {
                return Ok(self.clean_on(cx, who, out));
            }
            (State::Cleaning { outcome, key, .. }, Input::Superseded) => {
                return Ok(self.report(who, outcome, key, out));
            }

            // A second trigger, an answer or a turn too late, a tick too early: nothing to do.
            (_, Input::Trigger(_) | Input::TriggerDue(_) | Input::Response { .. })
            | (_, Input::NoResponse { .. } | Input::Superseded | Input::Cleaned { .. })
            | (_, Input::Turn | Input::NotAsked(_) | Input::RetryDue | Input::Resumed)
            | (_, Input::Shortened { .. } | Input::Tick)
            | (State::Cleaning { .. }, _) => {}
        }
        Ok(Change::Goes)
    }

    fn refresh(&mut self, cx: &Context<'_, Config>, expires: u32) {
        self.granted = expires;
        self.expires_at = cx.now.after_seconds(expires);
    }

    /// [PD-12] It has begun, and takes no more room than before until its turn comes.
    const fn wait_for_turn(&mut self, cause: Cause) {
        self.cause = cause;
        self.registers = 0;
        self.queue();
    }

    fn start(&mut self, cx: &mut Context<'_, Config>, cause: Cause) {
        self.cause = cause;
        self.registers = 0;
        let calling = Calling {
            call_id: cx.identifier(),
            tag: cx.identifier(),
        };
        self.running.set(Running {
            state: State::Registered,
            calling: Some(calling),
        });
        self.send(cx);
    }

    /// Another attempt; [`offer`](Self::offer) hands it out.
    fn send(&mut self, cx: &mut Context<'_, Config>) {
        self.registers = self.registers.saturating_add(1);
        self.set_state(State::Sent {
            token: None,
            branch: cx.identifier(),
            until: cx.now.after(cx.config.answer_bound_of(&self.strings)),
        });
    }

    /// [DR-7] Hands out the REGISTER: at first, or the same again after a restore.
    fn offer(&mut self, cx: &mut Context<'_, Config>, who: &[u8], out: &mut Outbox<Pcscf>) {
        let (State::Sent { branch, until, .. }, Some(calling)) =
            (self.state(), self.running.get().calling)
        else {
            return;
        };
        let token = cx.token();
        let register = messages::Register {
            strings: &self.strings,
            private_identity: who,
            calling,
            cseq: u32::from(self.registers),
            branch,
        };
        let hops = messages::next_hops(cx.config, &self.strings);
        let request = Request {
            token,
            towards: Towards::Core,
            next_hops: &hops,
            udp_limit: cx.config.element.udp_limit(),
        };
        let written = out.request(request, |buffer| register.write(cx.config, buffer));
        self.set_state(State::Sent {
            token: Some(token),
            branch,
            until,
        });
        if written.is_err() {
            // It cannot be written, now or later: what was learnt holds something no header can carry.
            self.clean(cx, who, Outcome::Unsendable, out);
        }
    }

    /// [PD-6] Another attempt later, or the end.
    fn wait_or_give_up(
        &mut self,
        cx: &mut Context<'_, Config>,
        who: &[u8],
        retry_after: Option<u32>,
        otherwise: Outcome,
        out: &mut Outbox<Pcscf>,
    ) {
        let asked = retry_after.unwrap_or(0);
        if self.registers >= cx.config.attempts || asked > cx.config.retry_after_limit {
            return self.clean(cx, who, otherwise, out);
        }
        let doublings = u32::from(self.registers.saturating_sub(1));
        let interval = cx
            .config
            .retry_interval
            .saturating_mul(1u64.wrapping_shl(doublings));
        let wait = interval.max(u64::from(asked).saturating_mul(1_000));
        self.set_state(State::Waiting {
            until: cx.now.after(wait),
        });
    }

    fn clean(
        &mut self,
        cx: &mut Context<'_, Config>,
        who: &[u8],
        outcome: Outcome,
        out: &mut Outbox<Pcscf>,
    ) {
        self.clean_by(cx, outcome, Step::Delivery);
        self.ask(cx, who, out);
    }

    /// [PD-7] The step after this one; after the last, the outcome.
    fn clean_on(
        &mut self,
        cx: &mut Context<'_, Config>,
        who: &[u8],
        out: &mut Outbox<Pcscf>,
    ) -> Change {
        let State::Cleaning {
            outcome, step, key, ..
        } = self.state()
        else {
            return Change::Goes;
        };
        let next = match step {
            Step::Delivery => Step::SecurityAssociation,
            Step::SecurityAssociation => Step::Bearer,
            Step::Bearer => return self.report(who, outcome, key, out),
        };
        self.clean_by(cx, outcome, next);
        self.ask(cx, who, out);
        Change::Goes
    }

    fn clean_by(&mut self, cx: &mut Context<'_, Config>, outcome: Outcome, step: Step) {
        self.set_state(State::Cleaning {
            outcome,
            step,
            key: cx.identifier(),
            token: None,
            until: cx.now,
        });
    }

    /// Asks the question of the present step: at first, or the same again after a restore.
    fn ask(&mut self, cx: &mut Context<'_, Config>, who: &[u8], out: &mut Outbox<Pcscf>) {
        let affected = self.affected(who, out);
        let running = self.running.get_mut();
        let Some(State::Cleaning {
            step,
            key,
            token,
            until,
            ..
        }) = running.map(|running| &mut running.state)
        else {
            return;
        };
        let asked = cx.token();
        *token = Some(asked);
        *until = cx.now.after(cx.config.cleanup_bound);
        let key = *key;
        let question = match step {
            Step::Delivery => Question::OwedDelivery { key, affected },
            Step::SecurityAssociation => Question::SecurityAssociationRelease { key, affected },
            Step::Bearer => Question::BearerRelease { key, affected },
        };
        out.ask(asked, question);
    }

    fn report(
        &self,
        who: &[u8],
        outcome: Outcome,
        id: Identifier,
        out: &mut Outbox<Pcscf>,
    ) -> Change {
        let affected = self.affected(who, out);
        out.event(Event::Deregistered {
            id,
            affected,
            cause: self.cause,
            outcome,
            registers: self.registers,
        });
        Change::Gone(outcome)
    }

    fn affected(&self, who: &[u8], out: &mut Outbox<Pcscf>) -> Affected {
        Affected {
            private_identity: out.put_text(who),
            public_identity: out.put_text(self.public_identity()),
            contact: out.put_text(self.contact()),
        }
    }
}

/// How it ends without time for another attempt.
const NO_TIME: Outcome = Outcome::NotAsked {
    why: NotAsked::Deadline,
};

enum Meaning {
    Done,
    Ended(Outcome),
    Retry,
}

/// [PD-6] What a final response to the REGISTER means.
const fn meaning(status: u16) -> Meaning {
    match status {
        200..=299 => Meaning::Done,
        404 | 481 => Meaning::Ended(Outcome::NothingThere { status }),
        401 | 407 => Meaning::Ended(Outcome::Unsupported { status }),
        403 => Meaning::Ended(Outcome::Refused),
        408 | 480 | 500 | 503 | 504 => Meaning::Retry,
        _ => Meaning::Ended(Outcome::Failed { status }),
    }
}
