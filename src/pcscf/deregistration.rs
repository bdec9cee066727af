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
//!
//!                  the UE's own REGISTER goes on                no 2xx to it in time
//! Sent, Confirmed ───────────────────────────────▶ Returning ──────────────────────▶ Cleaning, or Waiting
//!                                                      │ its 2xx
//!                                                      ▼
//!                                                  Registered
//! ```

use super::{
    Affected, Config, Event, MACHINE_BYTES, MACHINE_OUTPUTS, Pcscf,
    aside::{Aside, Marks},
    messages,
    registration::{Field, LearnedContact, Strings, has_moved, same_binding},
};
use crate::{
    deregister::{Calling, Meaning, NotAsked, standing::Watched},
    drive::{
        Begun, Context, Identifier, Initiator, Millis, Misuse, Outbox, Request, Timer, Token,
        Towards, TransactionRef,
    },
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
    /// [PD-4] The security associations ran out at the P-CSCF.
    SecurityAssociationTimer,
}

impl Cause {
    /// [DR-9] Who has begun it.
    #[must_use]
    pub const fn initiator(self) -> Initiator {
        match self {
            Self::AccessLost => Initiator::AccessNetwork,
            Self::RegistrationTimer | Self::SecurityAssociationTimer => Initiator::Element,
            Self::Network => Initiator::HomeNetwork,
            Self::User => Initiator::User,
            Self::Shutdown => Initiator::Operator,
        }
    }
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
    /// [PD-9] A REGISTER of the UE for this contact has come. The step says whether it is to be held.
    Asked {
        /// The host's handle of its transaction.
        transaction: TransactionRef,
        /// It asks for the contact to be removed.
        removes: bool,
    },
    /// [PD-9] The final response to a REGISTER of the UE for this contact has come, and nothing else came of it.
    Answered,
    /// [PD-3] Something else was heard from the UE.
    Heard,
    /// [PD-4] It has security associations or TLS sessions: newly set up, or renewed.
    Protected {
        /// Seconds that they last; `None`: until 30 s after the registration, or longer if they did before (TS
        /// 24.229 7.8).
        lifetime: Option<u32>,
    },
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
    /// It goes on, and the REGISTER that came is to be held until the request with this token is answered.
    Holds(Token),
    /// It is gone, and the machine with it.
    Gone(Outcome),
}

/// [PD-7] The steps of the cleanup, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Step {
    Delivery,
    SecurityAssociation,
    Bearer,
    /// Between delivery and release.
    Shortening,
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
    /// The UE's own REGISTER is under way: what ours came to waits for it. With a token, the answer to ours is
    /// still out.
    Returning {
        token: Option<Token>,
        outcome: Outcome,
        until: Millis,
    },
    Cleaning {
        outcome: Outcome,
        step: Step,
        /// The same when the question is asked again after a restore.
        key: Identifier,
        token: Option<Token>,
        /// 0 if the question has not been asked yet. Without a token, and not 0, it is to be asked again.
        until: Millis,
    },
}

/// What a registration has while it is deregistered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Running {
    pub(crate) state: State,
    pub(crate) calling: Option<Calling>,
    pub(crate) aside: Aside,
}

impl Rest for Running {
    const AT_REST: Self = Self {
        state: State::Registered,
        calling: None,
        aside: Aside::NONE,
    };
}

/// A registration: one contact, or one flow, of one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    pub(crate) strings: Strings,
    pub(crate) emergency: bool,
    pub(crate) expires_at: Millis,
    /// Seconds it was granted last, or that were left when it was shortened.
    pub(crate) granted: u32,
    pub(crate) marks: Marks,
    pub(crate) running: Seldom<Running>,
    pub(crate) cause: Cause,
    pub(crate) registers: u8,
    /// [DR-9] When its deregistration began.
    pub(crate) begun: Begun,
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
            begun: Begun::UNKNOWN,
        }
    }

    pub(crate) const fn state(&self) -> State {
        match self.is_queued() {
            true => State::Queued,
            false => self.running.get().state,
        }
    }

    pub(super) fn set_state(&mut self, state: State) {
        let running = self.running.get();
        self.marks.set(Marks::QUEUED, false);
        self.running.set(Running { state, ..running });
    }

    pub(super) const fn aside(&self) -> Aside {
        self.running.get().aside
    }

    pub(super) fn set_aside(&mut self, aside: Aside) {
        let running = self.running.get();
        self.running.set(Running { aside, ..running });
    }

    /// [PD-12] It waits for its turn.
    pub(crate) const fn queue(&mut self) {
        self.marks.set(Marks::QUEUED, true);
    }

    /// [PD-2] What a shutdown has queued, and no more, is as it was before.
    pub(crate) fn leave_alone(&mut self) {
        if self.is_of_shutdown() {
            self.rest(self.aside());
        }
    }

    /// Nothing is started to end it, and what has come of that before is past.
    pub(super) fn rest(&mut self, aside: Aside) {
        self.marks.set(Marks::QUEUED, false);
        self.begun = Begun::UNKNOWN;
        self.running.set(Running {
            aside,
            ..Running::AT_REST
        });
    }

    /// [PD-2] Whether a shutdown has queued it, and no more.
    fn is_of_shutdown(&self) -> bool {
        let waits = matches!(self.state(), State::Queued | State::Waiting { .. });
        waits && self.cause == Cause::Shutdown && self.registers == 0
    }

    /// [PD-3] Whether a report that the access is lost changes anything.
    pub(super) fn may_be_lost(&self) -> bool {
        !self.emergency && (self.is_registered() || self.is_of_shutdown())
    }

    /// [PD-12] Whether it waits for its turn.
    #[must_use]
    pub const fn is_queued(&self) -> bool {
        self.marks.has(Marks::QUEUED)
    }

    /// [PD-9] Whether a REGISTER of its UE is under way.
    pub(crate) const fn is_asked(&self) -> bool {
        self.marks.has(Marks::ASKED)
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

    /// [PD-10] What to look for in a document.
    pub(super) fn watched(&self) -> Watched<'_> {
        Watched {
            contact: self.contact(),
            flow: self.strings.flow(),
            principals: self.strings.principals(),
            identities: self.strings.field(Field::Identities),
            emergency: self.emergency,
            seen: self.is_seen(),
            told_since: false,
            made_by: None,
        }
    }

    /// Whether an answer with this token is for this machine.
    #[must_use]
    pub fn awaits(&self, token: Token) -> bool {
        match self.state() {
            State::Sent { token: own, .. }
            | State::Returning { token: own, .. }
            | State::Cleaning { token: own, .. } => own == Some(token),
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
        matches!(
            self.state(),
            State::Sent { .. } | State::Returning { token: Some(_), .. }
        )
    }

    /// [PD-4] When it must be given a [`Input::Tick`], and the timer that fires.
    #[must_use]
    pub fn deadline(&self, config: &Config) -> (Millis, Timer) {
        match self.state() {
            State::Registered => match self.association_lost_at(config) {
                Some(at) if at < self.lost_at(config) => {
                    (at, Timer("security association lifetime"))
                }
                _ => (self.lost_at(config), Timer("registration lifetime")),
            },
            State::Queued => (
                self.expires_at.after(config.turn_bound),
                Timer("turn of REGISTER"),
            ),
            State::Sent { token: None, .. } => (Millis(0), Timer("REGISTER to be sent")),
            State::Cleaning {
                token: None, until, ..
            } => (self.asked_from(until), Timer("question to be asked")),
            State::Sent { until, .. } => match self.aside().held {
                Some(held) if held.until < until => (held.until, Timer("held REGISTER")),
                _ => (until, Timer("answer to REGISTER")),
            },
            State::Waiting { until } if self.registers == 0 => {
                (until, Timer("REGISTER to be sent"))
            }
            State::Waiting { until } => (until, Timer("retry of REGISTER")),
            State::Returning { until, .. } => (until, Timer("2xx to the UE's own REGISTER")),
            State::Confirmed { until } => (until, Timer("NOTIFY after deregistration")),
            State::Cleaning { until, .. } => (until, Timer("cleanup step")),
        }
    }

    /// When its lifetime falls below the threshold, which for a short one is half of it. An emergency
    /// registration lasts to its end.
    pub(super) fn lost_at(&self, config: &Config) -> Millis {
        let threshold = if self.emergency {
            0
        } else {
            config.registration_threshold
        };
        before(self.expires_at, threshold, self.granted)
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
        if self.is_registered() {
            self.begun = Begun::at(cx.now, cx.config.audit);
        }
        let change = self.advance(cx, private_identity, input, out);
        if self.is_registered() {
            self.begun = Begun::UNKNOWN;
        }
        Ok(change)
    }

    fn advance(
        &mut self,
        cx: &mut Context<'_, Config>,
        who: &[u8],
        input: Input,
        out: &mut Outbox<Pcscf>,
    ) -> Change {
        match (self.state(), input) {
            // [PD-3, PD-4] A trigger.
            (State::Registered, Input::Trigger(cause)) if !self.emergency => {
                self.start(cx, who, cause, out);
                self.send_now(cx, who, out);
            }
            (State::Registered, Input::TriggerDue(cause))
                if !self.emergency || cause == Cause::Shutdown =>
            {
                self.wait_for_turn(cx, who, cause, out);
            }
            // What a shutdown has queued waits on, for what has happened to the UE itself.
            (State::Queued | State::Waiting { .. }, Input::TriggerDue(cause))
                if self.is_of_shutdown() && !self.emergency && cause != Cause::Shutdown =>
            {
                self.is_now_of(cx, cause);
                self.report_loss(cx, who, out);
            }
            (State::Registered, Input::Tick) if self.emergency && cx.now >= self.expires_at => {
                self.cause = Cause::RegistrationTimer;
                self.clean(cx, who, Outcome::Expired, out);
            }
            (State::Registered, Input::Tick) => {
                if let Some(cause) = self.ran_out(cx.now, cx.config) {
                    self.start(cx, who, cause, out);
                    self.send_now(cx, who, out);
                }
            }
            (_, Input::Protected { lifetime }) => self.protect(cx, lifetime),

            // [PD-12] Its turn, or that it does not come.
            (State::Queued, Input::Turn) => {
                self.call(cx);
                self.send(cx);
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
            (State::Queued | State::Waiting { .. }, Input::Resumed) => self.leave_alone(),

            // [PD-8] The shutdown has no more time, not for what the UE itself has begun either.
            (State::Registered, Input::OutOfTime) => {
                self.cause = Cause::Shutdown;
                self.end_now(cx, who, NO_TIME, out);
            }
            (State::Queued | State::Waiting { .. }, Input::OutOfTime) => {
                self.end_now(cx, who, NO_TIME, out);
            }
            (State::Sent { .. }, Input::OutOfTime) => {
                self.end_now(cx, who, Outcome::NoResponse, out);
            }
            (State::Confirmed { .. }, Input::OutOfTime) => {
                self.end_now(cx, who, Outcome::Unconfirmed, out);
            }
            (State::Returning { outcome, .. }, Input::OutOfTime) => {
                self.end_now(cx, who, outcome, out);
            }
            (State::Cleaning { .. }, Input::OutOfTime) if self.is_put_off(cx.now) => {
                let aside = self.aside();
                self.set_aside(Aside {
                    not_before: Millis(0),
                    ..aside
                });
                self.ask(cx, who, out);
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
            ) if token == Some(answered) => match Meaning::of(status) {
                _ if self.aside().held.is_some() => {
                    self.give_way(cx, None, outcome_of(status), out);
                }
                Meaning::Done if notify_expected => {
                    self.set_state(State::Confirmed {
                        until: cx.now.after(cx.config.notify_bound),
                    });
                }
                Meaning::Done | Meaning::NothingThere => {
                    self.clean(cx, who, outcome_of(status), out);
                }
                _ if self.aside().heard => self.cancel(cx, who, out),
                Meaning::Challenged | Meaning::Refused | Meaning::Failed => {
                    self.clean(cx, who, outcome_of(status), out);
                }
                Meaning::Retry => {
                    self.wait_or_give_up(cx, who, retry_after, outcome_of(status), out);
                }
            },
            (State::Sent { token, .. }, Input::NoResponse { token: answered })
                if token == Some(answered) =>
            {
                self.unanswered(cx, who, out);
            }
            (State::Sent { token: None, .. }, Input::Tick) => self.offer(cx, who, out),
            (State::Sent { token, until, .. }, Input::Tick) => match self.aside().held {
                Some(held) if cx.now >= held.until => {
                    self.give_way(cx, token, Outcome::NoResponse, out);
                }
                _ if cx.now >= until => self.unanswered(cx, who, out),
                _ => {}
            },
            (State::Waiting { .. }, Input::Tick) => self.send_now(cx, who, out),

            // [PD-7, PD-10] The NOTIFY.
            (_, Input::Terminated) if self.is_of_the_replaced(cx.now) => {
                self.expect_the_replaced(None);
            }
            (State::Sent { .. }, Input::Terminated) if self.aside().held.is_some() => {
                self.give_way(cx, None, Outcome::Notified, out);
            }
            (State::Returning { until, .. }, Input::Terminated) => {
                self.set_state(State::Returning {
                    token: None,
                    outcome: Outcome::Notified,
                    until,
                });
            }
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
                if self.is_of_shutdown() {
                    self.is_now_of(cx, Cause::Network);
                }
                self.clean(cx, who, Outcome::Notified, out);
            }

            (State::Cleaning { .. }, Input::Shortened { .. }) => {}
            (_, Input::Shortened { expires }) => self.shorten(cx.now, expires),

            // [PD-8] No NOTIFY.
            (State::Confirmed { until }, Input::Tick) if cx.now >= until => {
                self.clean(cx, who, Outcome::Unconfirmed, out);
            }

            // [PD-1, PD-9] The UE itself.
            (State::Registered, Input::Refreshed { expires }) => self.refresh(cx, expires),
            // The 2xx to one before the one that is held, which is to hear of ours first.
            (State::Sent { .. }, Input::Removed) if self.aside().held.is_some() => {}
            (State::Sent { .. }, Input::Refreshed { expires }) if self.aside().held.is_some() => {
                self.refresh(cx, expires);
            }
            (State::Waiting { .. }, Input::Refreshed { expires }) if self.goes_on_after_it() => {
                self.refresh(cx, expires);
                self.set_state(State::Waiting { until: cx.now });
            }
            (
                State::Queued
                | State::Sent { .. }
                | State::Waiting { .. }
                | State::Confirmed { .. }
                | State::Returning { .. },
                Input::Refreshed { expires },
            ) => {
                let before = self.aside().replaced_until;
                let replaced = self.notify_is_owed(cx).or(before);
                self.cancel(cx, who, out);
                self.refresh(cx, expires);
                self.expect_the_replaced(replaced);
            }
            (State::Registered, Input::Removed) => {
                self.cause = Cause::User;
                self.marks.set(Marks::ASKED, false);
                self.clean(cx, who, Outcome::ByUser, out);
            }
            (
                State::Queued
                | State::Sent { .. }
                | State::Waiting { .. }
                | State::Confirmed { .. }
                | State::Returning { .. },
                Input::Removed,
            ) => {
                if self.is_of_shutdown() {
                    self.is_now_of(cx, Cause::User);
                }
                self.marks.set(Marks::ASKED, false);
                self.clean(cx, who, Outcome::ByUser, out);
            }
            (
                _,
                Input::Asked {
                    transaction,
                    removes,
                },
            ) => return self.asked(cx, who, (transaction, removes), out),
            (State::Cleaning { .. }, Input::Answered) => self.go_on_cleaning(),
            (State::Registered, Input::Answered) => self.marks.set(Marks::ASKED, false),
            (_, Input::Heard) => self.heard(cx, who, out),

            // [PD-9] What ours came to, while the UE's own is under way.
            (
                State::Returning { token, until, .. },
                Input::Response {
                    token: answered,
                    status,
                    ..
                },
            ) if token == Some(answered) => self.set_state(State::Returning {
                token: None,
                outcome: outcome_of(status),
                until,
            }),
            (State::Returning { token, until, .. }, Input::NoResponse { token: answered })
                if token == Some(answered) =>
            {
                self.set_state(State::Returning {
                    token: None,
                    outcome: Outcome::NoResponse,
                    until,
                });
            }
            (State::Returning { outcome, until, .. }, Input::Tick) if cx.now >= until => {
                self.go_on(cx, who, outcome, out);
            }

            // [PD-7] The cleanup, a step after the other.
            (
                State::Cleaning {
                    token: None, until, ..
                },
                Input::Tick,
            ) => {
                if cx.now >= self.asked_from(until) {
                    self.ask(cx, who, out);
                }
            }
            (
                State::Cleaning { token, .. },
                Input::Cleaned {
                    token: answered,
                    done,
                },
            ) if token == Some(answered) => {
                return self.clean_on(cx, who, done, out);
            }
            (State::Cleaning { until, .. }, Input::Tick) if cx.now >= until => {
                return self.clean_on(cx, who, false, out);
            }
            (State::Cleaning { outcome, key, .. }, Input::Superseded) => {
                return self.report(cx, who, (outcome, key), out);
            }

            // A second trigger, an answer or a turn too late, a tick too early: nothing to do.
            (_, Input::Trigger(_) | Input::TriggerDue(_) | Input::Response { .. })
            | (_, Input::NoResponse { .. } | Input::Superseded | Input::Cleaned { .. })
            | (_, Input::Turn | Input::NotAsked(_) | Input::RetryDue | Input::Resumed)
            | (_, Input::Answered)
            | (_, Input::Tick)
            | (State::Cleaning { .. }, _) => {}
        }
        Change::Goes
    }

    /// [PD-12] A trigger whose REGISTER waits for its turn. It takes no more room than before until that comes, unless a
    /// REGISTER of the UE is under way.
    fn wait_for_turn(
        &mut self,
        cx: &mut Context<'_, Config>,
        who: &[u8],
        cause: Cause,
        out: &mut Outbox<Pcscf>,
    ) {
        if self.marks.has(Marks::ASKED) {
            return self.start(cx, who, cause, out);
        }
        self.begin(cx, who, cause, out);
        self.queue();
    }

    /// What a shutdown has queued, and no more, is another's from here on.
    fn is_now_of(&mut self, cx: &Context<'_, Config>, cause: Cause) {
        self.cause = cause;
        self.begun = Begun::at(cx.now, cx.config.audit);
    }

    /// A trigger. The REGISTER is due at once, or when a REGISTER of the UE that is under way has come to something:
    /// of two that cross, the network might take the wrong one for the later (T42).
    fn start(
        &mut self,
        cx: &mut Context<'_, Config>,
        who: &[u8],
        cause: Cause,
        out: &mut Outbox<Pcscf>,
    ) {
        self.begin(cx, who, cause, out);
        self.call(cx);
        let until = if self.marks.has(Marks::ASKED) {
            cx.now.after(cx.config.renewal_bound())
        } else {
            cx.now
        };
        self.set_state(State::Waiting { until });
    }

    fn begin(
        &mut self,
        cx: &mut Context<'_, Config>,
        who: &[u8],
        cause: Cause,
        out: &mut Outbox<Pcscf>,
    ) {
        self.cause = cause;
        self.registers = 0;
        self.set_aside(self.aside().of_the_registration());
        self.report_loss(cx, who, out);
    }

    /// [PD-3] Tells the host, if that is what started it.
    fn report_loss(&self, cx: &mut Context<'_, Config>, who: &[u8], out: &mut Outbox<Pcscf>) {
        if self.cause == Cause::AccessLost {
            let affected = self.affected(who, out);
            let id = cx.identifiers.event();
            out.event(Event::AccessLost { id, affected });
        }
    }

    /// Gives it the identifiers of its REGISTERs, if it has none.
    pub(super) fn call(&mut self, cx: &mut Context<'_, Config>) {
        let running = self.running.get();
        if running.calling.is_none() {
            let calling = Calling {
                call_id: cx.identifier(),
                tag: cx.identifier(),
            };
            self.running.set(Running {
                calling: Some(calling),
                ..running
            });
        }
    }

    /// The REGISTER, if it is due.
    fn send_now(&mut self, cx: &mut Context<'_, Config>, who: &[u8], out: &mut Outbox<Pcscf>) {
        if matches!(self.state(), State::Waiting { until } if cx.now >= until) {
            self.send(cx);
            self.offer(cx, who, out);
        }
    }

    /// Another attempt; [`offer`](Self::offer) hands it out.
    pub(super) fn send(&mut self, cx: &mut Context<'_, Config>) {
        self.registers = self.registers.saturating_add(1);
        self.marks.set(Marks::ASKED, false);
        self.set_state(State::Sent {
            token: None,
            branch: cx.identifier(),
            until: cx.now.after(cx.config.answer_bound_of(&self.strings)),
        });
    }

    /// [DR-7] Hands out the REGISTER: at first, or the same again after a restore.
    pub(super) fn offer(
        &mut self,
        cx: &mut Context<'_, Config>,
        who: &[u8],
        out: &mut Outbox<Pcscf>,
    ) {
        let (State::Sent { branch, until, .. }, Some(calling)) =
            (self.state(), self.running.get().calling)
        else {
            return;
        };
        let token = cx.token();
        let numbers = (u32::from(self.registers), branch);
        let register = messages::register(cx.config, &self.strings, who, calling, numbers);
        let hops = messages::next_hops(cx.config, &self.strings);
        let request = Request {
            token,
            towards: Towards::Core,
            next_hops: &hops,
            udp_limit: cx.config.element.udp_limit(),
        };
        let written = out.request(request, |buffer| register.write(buffer));
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

    /// [PD-6] No answer to the REGISTER that is out.
    fn unanswered(&mut self, cx: &mut Context<'_, Config>, who: &[u8], out: &mut Outbox<Pcscf>) {
        let aside = self.aside();
        if aside.held.is_some() {
            self.give_way(cx, None, Outcome::NoResponse, out);
        } else if aside.heard {
            self.cancel(cx, who, out);
        } else {
            self.wait_or_give_up(cx, who, None, Outcome::NoResponse, out);
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
        let Some(wait) = cx.config.attempts().wait(self.registers, retry_after) else {
            return self.clean(cx, who, otherwise, out);
        };
        self.set_state(State::Waiting {
            until: cx.now.after(wait),
        });
    }

    pub(super) fn affected(&self, who: &[u8], out: &mut Outbox<Pcscf>) -> Affected {
        Affected {
            private_identity: out.put_text(who),
            public_identity: out.put_text(self.public_identity()),
            contact: out.put_text(self.contact()),
        }
    }
}

/// The threshold before an end, or half of the seconds that it was to last if that is less.
pub(super) fn before(end: Millis, threshold: u64, lasts: u32) -> Millis {
    let half = u64::from(lasts).saturating_mul(500);
    Millis(end.0.saturating_sub(threshold.min(half)))
}

/// How it ends without time for another attempt.
const NO_TIME: Outcome = Outcome::NotAsked {
    why: NotAsked::Deadline,
};
/// [PD-6] What a final response says of the deregistration, if it is the last that is heard of it.
const fn outcome_of(status: u16) -> Outcome {
    match Meaning::of(status) {
        Meaning::Done => Outcome::Unconfirmed,
        Meaning::NothingThere => Outcome::NothingThere { status },
        Meaning::Challenged => Outcome::Unsupported { status },
        Meaning::Refused => Outcome::Refused,
        Meaning::Failed | Meaning::Retry => Outcome::Failed { status },
    }
}

/// [PD-6] Whether it can be tried again after this.
pub(super) const fn is_worth_another(outcome: Outcome) -> bool {
    match outcome {
        Outcome::NoResponse => true,
        Outcome::Failed { status } => matches!(Meaning::of(status), Meaning::Retry),
        _ => false,
    }
}
