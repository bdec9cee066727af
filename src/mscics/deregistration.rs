//! The procedure: a subscriber's registration at the MSC server, from the indication that the subscriber is no longer
//! active here to the one outcome event (S1 L17–48).
//!
//! Every transition is in [`Registration::step`].
//!
//! ```text
//!             trigger             turn, dialogs              all ended, or the bound
//! Registered ─────────▶ Queued ─────────────────▶ Releasing ─────────────────────────▶ Queued
//!     ▲                 │  │ ▲                        │                                  │
//!     │  the subscriber │  │ │ time                   │ the subscriber returns           │ turn
//!     └─── returns ─────┴──┼─┼────────────────────────┘                                  │
//!                          │ │                                                           ▼
//!                          │ └───────────── Waiting ◀───────── 5xx, 408, silence ────── Sent ──▶ Gone
//!                          │  turn, no dialogs                                           ▲
//!                          └─────────────────────────────────────────────────────────────┘
//! ```
//!
//! From Sent it goes to Queued once more where the host has registered the subscriber meanwhile (`renewal.rs`).

mod renewal;

use alloc::boxed::Box;

use super::{
    Affected, Audit, Cause, Change, Conclusion, Config, Event, Input, MACHINE_BYTES,
    MACHINE_OUTPUTS, Mscics, Outcome,
    dialogs::{Entry, NewDialog},
    messages,
    registration::{Details, Field, Strings},
};
use crate::{
    deregister::{Calling, Meaning, NotAsked, standing::Watched},
    drive::{
        Begun, Context, Identifier, Limits, Millis, Misuse, Outbox, Request, Timer, Token, Towards,
    },
    fleet::{Few, Rest, Seldom, Shared},
};

pub(crate) use renewal::Former;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Registered,
    /// Its turn is waited for, the first one or another.
    Queued,
    /// The dialogs are being released.
    Releasing {
        until: Millis,
    },
    /// Without a token, the REGISTER is still to be handed out: at first, or again after a restore.
    Sent {
        token: Option<Token>,
        branch: Identifier,
        until: Millis,
    },
    Waiting {
        until: Millis,
    },
}

/// What a registration has while it is deregistered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Running {
    pub(crate) state: State,
    pub(crate) calling: Option<Calling>,
    /// When the release of its dialogs is waited for no longer; `None` before it has begun.
    pub(crate) release_until: Option<Millis>,
    /// Dialogs that were to be released.
    pub(crate) released: u8,
    /// [MS-1] The subscriber has returned since the REGISTER was sent.
    pub(crate) returned: bool,
    /// [MS-1] The host's own REGISTER was answered 2xx while ours is out: nobody knows which of the two the registrar took
    /// last.
    pub(crate) renewed: bool,
    /// How it ends when its dialogs have, without a REGISTER.
    pub(crate) ends: Option<Outcome>,
    /// What the latest attempt came to, if it was not the last.
    pub(crate) last: Option<Outcome>,
    /// [MS-5] What the attempts for the binding that the subscriber had before came to, where it may remain.
    pub(crate) left: Option<Outcome>,
}

impl Rest for Running {
    const AT_REST: Self = Self {
        state: State::Registered,
        calling: None,
        release_until: None,
        released: 0,
        returned: false,
        renewed: false,
        ends: None,
        last: None,
        left: None,
    };
}

/// How it ends without time for anything.
const NO_TIME: Outcome = Outcome::NotAsked {
    why: NotAsked::Deadline,
};

/// The registration of one subscriber, and its dialogs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    pub(crate) strings: Strings,
    pub(crate) requires_path: bool,
    /// That of the REGISTER that the details are of.
    pub(crate) cseq: u32,
    /// A document has shown its contact as active: one that leaves it out says that it is gone.
    pub(crate) seen: bool,
    /// Its subscription was made after that REGISTER: all that it tells is of what is now.
    pub(crate) told_since: bool,
    /// It waits for its turn, which takes no more room: all registrations of a node may.
    pub(crate) queued: bool,
    pub(crate) cause: Cause,
    pub(crate) registers: u8,
    pub(crate) expires_at: Millis,
    /// [DR-7] Beside it: what its REGISTERs are made of, while the host has registered the subscriber otherwise since the
    /// first.
    pub(crate) running: Seldom<Running, Option<Box<Former>>>,
    pub(crate) dialogs: Few<Entry>,
    /// [DR-9] When its deregistration began.
    pub(crate) begun: Begun,
}

impl Registration {
    /// A registration that the host has made.
    ///
    /// # Errors
    /// [`Misuse::BadCommand`] if no REGISTER could be made of the details; [`Misuse::TooLarge`] if they exceed the
    /// limits.
    pub fn new(details: &Details<'_>, limits: &Limits, now: Millis) -> Result<Self, Misuse> {
        details.check().map_err(Misuse::BadCommand)?;
        Ok(Self {
            strings: Strings::new(details, limits)?,
            requires_path: details.requires_path,
            cseq: details.cseq,
            seen: false,
            told_since: false,
            queued: false,
            cause: Cause::Host,
            registers: 0,
            expires_at: now.after_seconds(details.expires),
            running: Seldom::new(Running::AT_REST),
            dialogs: Few::new(),
            begun: Begun::UNKNOWN,
        })
    }

    pub(crate) const fn state(&self) -> State {
        match self.queued {
            true => State::Queued,
            false => self.running.get().state,
        }
    }

    fn set_state(&mut self, state: State) {
        self.queued = false;
        self.change(|running| running.state = state);
    }

    fn change(&mut self, change: impl FnOnce(&mut Running)) {
        let mut running = self.running.get();
        change(&mut running);
        self.running.set(running);
    }

    /// Has in common with others what can be.
    pub(super) fn share(&mut self, shared: &mut Shared) {
        self.strings.share(shared);
    }

    /// The private identity.
    #[must_use]
    pub fn private_identity(&self) -> &[u8] {
        self.strings.field(Field::PrivateIdentity)
    }

    /// The public identity that it was registered by.
    #[must_use]
    pub fn registered_identity(&self) -> &[u8] {
        self.strings.field(Field::RegisteredIdentity)
    }

    /// [MS-2] Whether a public identity is of its set, spelled as it may be, or of that of a REGISTER that is out.
    #[must_use]
    pub fn has_identity(&self, identity: &[u8]) -> bool {
        let former = self.former();
        self.strings.has_identity(identity)
            || former.is_some_and(|former| former.strings.has_identity(identity))
    }

    /// Dialogs that it has, those being released among them.
    #[must_use]
    pub fn dialogs(&self) -> usize {
        self.dialogs.len()
    }

    /// Whether nothing has been started to end it.
    #[must_use]
    pub const fn is_registered(&self) -> bool {
        matches!(self.state(), State::Registered)
    }

    /// [MS-1] Whether an indication starts it, or becomes its cause: one that the subscriber has left counts for more than
    /// what says nothing of the subscriber.
    #[must_use]
    pub const fn heeds(&self, cause: Cause) -> bool {
        self.is_registered() || (cause.is_of_subscriber() && !self.cause.is_of_subscriber())
    }

    /// Whether it waits for its turn ([`Input::Turn`]).
    #[must_use]
    pub const fn is_queued(&self) -> bool {
        self.queued
    }

    /// [MS-6] Whether the REGISTER has been sent: from then on the subscription is considered cancelled.
    #[must_use]
    pub const fn has_sent(&self) -> bool {
        self.registers > 0
    }

    /// Whether it has had a turn before.
    pub(super) const fn has_begun(&self) -> bool {
        self.registers > 0 || self.running.get().release_until.is_some()
    }

    /// What to look for in a document.
    pub(super) fn watched(&self) -> Watched<'_> {
        let call_id = self.strings.field(Field::CallId);
        let is_heeded = !self.told_since && !call_id.is_empty();
        Watched {
            contact: self.strings.field(Field::Contact),
            flow: self.strings.flow(),
            principals: self.strings.principals(),
            identities: self.strings.field(Field::Identities),
            emergency: false,
            seen: self.seen,
            told_since: self.told_since,
            made_by: is_heeded.then_some((call_id, self.cseq)),
        }
    }

    /// Seconds until it runs out.
    pub(super) fn seconds_left(&self, now: Millis) -> u32 {
        u32::try_from(self.expires_at.since(now) / 1_000).unwrap_or(u32::MAX)
    }

    /// Whether an answer with this token is for this machine.
    #[must_use]
    pub fn awaits(&self, token: Token) -> bool {
        self.awaits_register(token) || self.awaits_release(token)
    }

    /// Whether it is the answer to the REGISTER.
    pub(super) fn awaits_register(&self, token: Token) -> bool {
        matches!(self.state(), State::Sent { token: own, .. } if own == Some(token))
    }

    fn awaits_release(&self, token: Token) -> bool {
        self.dialogs.iter().any(|dialog| dialog.awaits(token))
    }

    /// Whether it is the answer to a BYE, and not to a question.
    pub(super) fn awaits_bye(&self, token: Token) -> bool {
        let mut dialogs = self.dialogs.iter();
        dialogs.any(|dialog| dialog.awaits(token) && dialog.held.is_some())
    }

    pub(super) const fn has_request_out(&self) -> bool {
        matches!(self.state(), State::Sent { .. })
    }

    /// When it must be given a [`Input::Tick`], and the timer that fires.
    #[must_use]
    pub fn deadline(&self, config: &Config) -> (Millis, Timer) {
        if self.dialogs.iter().any(Entry::is_unoffered) {
            return (Millis(0), Timer("release of dialogs to be asked for"));
        }
        match self.state() {
            State::Registered => (self.expires_at, Timer("registration lifetime")),
            State::Queued => (self.turn_ends(config), Timer("turn of REGISTER")),
            State::Releasing { until } => (until, Timer("release of dialogs")),
            State::Sent { token: None, .. } => (Millis(0), Timer("REGISTER to be sent")),
            State::Sent { until, .. } => (until, Timer("answer to REGISTER")),
            State::Waiting { until } => (until, Timer("retry of REGISTER")),
        }
    }

    const fn turn_ends(&self, config: &Config) -> Millis {
        self.expires_at.after(config.turn_bound)
    }

    /// Every transition of a registration.
    ///
    /// # Errors
    /// [`Misuse::OutboxFull`] if the outbox has no room for a step; [`Misuse::BadCommand`] and [`Misuse::TooLarge`]
    /// for details or a dialog that cannot be used. Nothing has changed then.
    pub fn step(
        &mut self,
        cx: &mut Context<'_, Config>,
        input: Input<'_>,
        out: &mut Outbox<Mscics>,
    ) -> Result<Change, Misuse> {
        out.check_room_for(MACHINE_OUTPUTS, MACHINE_BYTES)?;
        if self.is_registered() {
            self.begun = Begun::at(cx.now, cx.config.audit);
        }
        let change = self.advance(cx, input, out);
        if self.is_registered() {
            self.begun = Begun::UNKNOWN;
        }
        change
    }

    fn advance(
        &mut self,
        cx: &mut Context<'_, Config>,
        input: Input<'_>,
        out: &mut Outbox<Mscics>,
    ) -> Result<Change, Misuse> {
        Ok(match (self.state(), input) {
            // [DR-7] What is out after a restore goes out again as it was.
            (State::Sent { token: None, .. }, Input::Tick) => self.offer(cx, out),
            (_, Input::Tick) if self.dialogs.iter().any(Entry::is_unoffered) => {
                self.offer_releases(cx, Entry::is_unoffered, out);
                Change::Goes
            }

            (State::Registered, Input::Trigger(cause)) => self.begin(cause),
            (_, Input::Trigger(cause)) => self.note_gone(cx, cause),
            (State::Registered, Input::Tick) if cx.now >= self.expires_at => {
                self.begin(Cause::Expiry)
            }

            // [MS-2] All dialogs first, each to its end, or to the bound on them all; then the REGISTER.
            (State::Queued, Input::Turn) => self.take_turn(cx, out),
            (State::Releasing { until }, Input::Tick) if cx.now >= until => self.go_on(cx, out),
            (_, Input::Released { token }) => {
                self.drop_dialog(cx, |dialog| dialog.awaits(token), out)
            }
            (_, Input::DialogEnded(reference)) => {
                self.drop_dialog(cx, |dialog| dialog.reference == reference, out)
            }
            (state, Input::DialogAdded(dialog)) => {
                self.add_dialog(cx, &dialog)?;
                let is_late = matches!(state, State::Releasing { .. }) || self.has_begun();
                if is_late {
                    self.offer_releases(cx, |dialog| dialog.release.is_none(), out);
                }
                Change::Goes
            }

            // [MS-4, MS-5] The answer.
            (
                State::Sent { token, .. },
                Input::Response {
                    token: answered,
                    status,
                    retry_after,
                },
            ) if token == Some(answered) => {
                let outcome = outcome_of(status);
                match is_worth_another(outcome) {
                    true => self.wait_or_end(cx, retry_after, outcome, out),
                    false => self.end_or_repeat(cx, outcome, out),
                }
            }
            (State::Sent { token, .. }, Input::NoResponse { token: answered })
                if token == Some(answered) =>
            {
                self.wait_or_end(cx, None, Outcome::NoResponse, out)
            }
            (State::Sent { until, .. }, Input::Tick) if cx.now >= until => {
                self.wait_or_end(cx, None, Outcome::NoResponse, out)
            }
            (State::Waiting { until }, Input::Tick) if cx.now >= until => {
                self.queued = true;
                Change::Goes
            }

            // [MS-1] The subscriber is back: before the REGISTER it is stopped, after it the attempt that is out is
            // the last.
            (State::Queued | State::Releasing { .. }, Input::Returned) if self.can_stop() => {
                self.cancel(cx, out)
            }
            (
                State::Queued
                | State::Releasing { .. }
                | State::Sent { .. }
                | State::Waiting { .. },
                Input::Returned,
            ) => self.note_returned(cx, out),
            (_, Input::Registered(details @ Details { expires: 0, .. })) => {
                self.learn_removal(cx, &details, out)?
            }
            (_, Input::Registered(details)) => self.learn(cx, &details, out)?,

            // What the network says itself, before it was asked.
            (State::Registered, Input::Terminated) => {
                self.cause = Cause::Network;
                self.end_without(cx, Outcome::Notified, out)
            }
            (State::Queued | State::Releasing { .. }, Input::Terminated) if !self.has_sent() => {
                self.take_from_shutdown(cx, Cause::Network);
                self.end_without(cx, Outcome::Notified, out)
            }
            (State::Registered, Input::Shortened { expires }) => {
                self.expires_at = self.expires_at.min(cx.now.after_seconds(expires));
                Change::Goes
            }

            // [PD-12] No turn, or no time.
            (State::Queued, Input::NotAsked(NotAsked::Deadline)) => {
                self.offer_releases(cx, |dialog| dialog.release.is_none(), out);
                self.end(cx, NO_TIME, out)
            }
            (State::Queued, Input::NotAsked(why)) => {
                self.end_without(cx, Outcome::NotAsked { why }, out)
            }
            (State::Queued, Input::Tick) if cx.now >= self.turn_ends(cx.config) => {
                let why = NotAsked::TurnBound;
                self.end_without(cx, Outcome::NotAsked { why }, out)
            }
            (State::Queued, Input::Resumed) => {
                self.leave_alone();
                Change::Goes
            }
            (state, Input::OutOfTime) => {
                if state == State::Registered {
                    self.cause = Cause::Shutdown;
                }
                self.offer_releases(cx, |dialog| dialog.release.is_none(), out);
                let outcome = match state {
                    State::Sent { .. } => Outcome::NoResponse,
                    _ => self.known_outcome().unwrap_or(NO_TIME),
                };
                self.end(cx, outcome, out)
            }

            // An answer or a turn too late, a tick too early: nothing to do.
            (_, Input::Turn | Input::NotAsked(_) | Input::Resumed)
            | (_, Input::Response { .. } | Input::NoResponse { .. } | Input::Tick)
            | (_, Input::Returned | Input::Terminated | Input::Shortened { .. }) => Change::Goes,
        })
    }

    /// [MS-1] It begins with waiting for its turn, which takes no more room than before.
    fn begin(&mut self, cause: Cause) -> Change {
        self.cause = cause;
        self.registers = 0;
        self.queued = true;
        Change::Goes
    }

    /// [MS-1] A second trigger while it runs changes nothing, but that who had returned is gone again.
    fn note_gone(&mut self, cx: &Context<'_, Config>, cause: Cause) -> Change {
        if self.heeds(cause) {
            self.take_from_shutdown(cx, cause);
            self.cause = cause;
        }
        if self.running.get().returned {
            self.change(|running| running.returned = false);
        }
        Change::Goes
    }

    /// [MS-2] Whatever dialogs there are, are released first, as long as there is time; else the REGISTER goes out.
    fn take_turn(&mut self, cx: &mut Context<'_, Config>, out: &mut Outbox<Mscics>) -> Change {
        match self.release(cx, out) {
            true => Change::Goes,
            false => self.send(cx, out),
        }
    }

    /// [MS-2] Has all dialogs released. Whether they are to be waited for.
    fn release(&mut self, cx: &mut Context<'_, Config>, out: &mut Outbox<Mscics>) -> bool {
        if self.dialogs.is_empty() {
            return false;
        }
        let bound = cx.now.after(cx.config.release_bound);
        let until = self.running.get().release_until.unwrap_or(bound);
        self.change(|running| running.release_until = Some(until));
        self.offer_releases(cx, |dialog| dialog.release.is_none(), out);
        let is_time = cx.now < until;
        if is_time {
            self.set_state(State::Releasing { until });
        }
        is_time
    }

    /// [MS-2] Has those dialogs released that are meant.
    fn offer_releases(
        &mut self,
        cx: &mut Context<'_, Config>,
        is_meant: impl Fn(&Entry) -> bool,
        out: &mut Outbox<Mscics>,
    ) {
        let affected = match self.dialogs.iter().any(&is_meant) {
            true => self.affected(out),
            false => return,
        };
        let mut released = 0u8;
        for dialog in self.dialogs.iter_mut().filter(|dialog| is_meant(dialog)) {
            if dialog.release.is_none() {
                released = released.saturating_add(1);
            }
            dialog.offer(cx, affected, out);
        }
        self.change(|running| running.released = running.released.saturating_add(released));
    }

    fn add_dialog(
        &mut self,
        cx: &Context<'_, Config>,
        dialog: &NewDialog<'_>,
    ) -> Result<(), Misuse> {
        let entry = Entry::new(dialog, &cx.config.limits)?;
        let is_full = self.dialogs.len() >= cx.config.limits.dialogs;
        let mut known = self.dialogs.iter_mut();
        match known.find(|known| known.reference == entry.reference) {
            Some(known) if known.release.is_none() => *known = entry,
            // Its BYE has gone out: nothing that it says counts any more.
            Some(_) => {}
            None if is_full => return Err(Misuse::TooLarge { limit: "dialogs" }),
            None => self.dialogs.push(entry),
        }
        Ok(())
    }

    /// [MS-2] A dialog is over; after the last it goes on.
    fn drop_dialog(
        &mut self,
        cx: &mut Context<'_, Config>,
        is_it: impl Fn(&Entry) -> bool,
        out: &mut Outbox<Mscics>,
    ) -> Change {
        self.dialogs.retain(|dialog| !is_it(dialog));
        match self.state() {
            State::Releasing { .. } if self.dialogs.is_empty() => self.go_on(cx, out),
            _ => Change::Goes,
        }
    }

    /// [MS-2] The dialogs are over, or the bound is: the REGISTER waits for its turn, if there is to be one.
    fn go_on(&mut self, cx: &mut Context<'_, Config>, out: &mut Outbox<Mscics>) -> Change {
        let Running {
            ends,
            last,
            returned,
            ..
        } = self.running.get();
        match ends.or(last.filter(|_| returned)) {
            Some(outcome) => self.end(cx, outcome, out),
            None => {
                self.queued = true;
                Change::Goes
            }
        }
    }

    /// Ends without a REGISTER, but not without its dialogs.
    fn end_without(
        &mut self,
        cx: &mut Context<'_, Config>,
        outcome: Outcome,
        out: &mut Outbox<Mscics>,
    ) -> Change {
        if self.has_sent() {
            return self.end(cx, outcome, out);
        }
        self.call(cx);
        self.change(|running| running.ends = Some(outcome));
        match self.release(cx, out) {
            true => Change::Goes,
            false => self.end(cx, outcome, out),
        }
    }

    /// Another attempt; [`offer`](Self::offer) hands it out.
    fn send(&mut self, cx: &mut Context<'_, Config>, out: &mut Outbox<Mscics>) -> Change {
        self.registers = self.registers.saturating_add(1);
        self.call(cx);
        self.begin_attempt();
        let (strings, _) = self.made_of();
        let hops = messages::next_hops(cx.config, strings).len();
        let hops = u64::try_from(hops).unwrap_or(1).max(1);
        self.set_state(State::Sent {
            token: None,
            branch: cx.identifier(),
            until: cx.now.after(cx.config.answer_bound.saturating_mul(hops)),
        });
        self.offer(cx, out)
    }

    /// [DR-7] Gives it the identifiers of its REGISTERs and of its outcome, if it has none: they outlive a restart.
    fn call(&mut self, cx: &mut Context<'_, Config>) {
        if self.running.get().calling.is_none() {
            let calling = Calling {
                call_id: cx.identifier(),
                tag: cx.identifier(),
            };
            self.change(|running| running.calling = Some(calling));
        }
    }

    /// [DR-7] Hands out the REGISTER: at first, or the same again after a restore.
    fn offer(&mut self, cx: &mut Context<'_, Config>, out: &mut Outbox<Mscics>) -> Change {
        let (State::Sent { branch, until, .. }, Some(calling)) =
            (self.state(), self.running.get().calling)
        else {
            return Change::Goes;
        };
        let token = cx.token();
        let (strings, demand) = self.made_of();
        let hops = messages::next_hops(cx.config, strings);
        let request = Request {
            token,
            towards: Towards::Core,
            next_hops: &hops,
            udp_limit: cx.config.element.udp_limit(),
        };
        let numbers = (u32::from(self.registers), branch);
        let register = messages::register(cx.config, strings, demand, calling, numbers);
        let written = out.request(request, |buffer| register.write(buffer));
        self.set_state(State::Sent {
            token: Some(token),
            branch,
            until,
        });
        match written {
            Ok(()) => Change::Goes,
            // It cannot be written, now or later.
            Err(_) => self.end(cx, Outcome::Unsendable, out),
        }
    }

    /// [MS-5] Another attempt later, or the end.
    fn wait_or_end(
        &mut self,
        cx: &mut Context<'_, Config>,
        retry_after: Option<u32>,
        outcome: Outcome,
        out: &mut Outbox<Mscics>,
    ) -> Change {
        let returned = self.running.get().returned;
        let wait = cx.config.attempts().wait(self.registers, retry_after);
        let Some(wait) = wait.filter(|_| !returned) else {
            return self.end_or_repeat(cx, outcome, out);
        };
        self.change(|running| running.last = Some(outcome));
        self.set_state(State::Waiting {
            until: cx.now.after(wait),
        });
        Change::Goes
    }

    /// [MS-1] Whether it can be stopped as if it had never begun, dialogs apart: nothing was said to the network, nor by it.
    const fn can_stop(&self) -> bool {
        !self.has_sent() && !matches!(self.running.get().ends, Some(Outcome::Notified))
    }

    /// [MS-1] Stops it. Dialogs whose release has begun are on their way to their ends, which another procedure awaits as
    /// well; the others stay.
    fn cancel(&mut self, cx: &mut Context<'_, Config>, out: &mut Outbox<Mscics>) -> Change {
        let (id, affected) = (cx.identifiers.event(), self.affected(out));
        out.event(Event::Cancelled {
            id,
            affected,
            cause: self.cause,
            dialogs_released: self.running.get().released,
        });
        let registers = self.registers;
        let reached = None;
        let conclusion = Conclusion::GivenUp { reached, registers };
        self.audit(cx, (id, affected), conclusion, out);
        self.rest();
        Change::Goes
    }

    /// What a shutdown has queued, and no more, is as it was before.
    pub(super) fn leave_alone(&mut self) {
        if self.is_of_shutdown() {
            self.rest();
        }
    }

    /// Whether a shutdown has queued it, and no more.
    fn is_of_shutdown(&self) -> bool {
        let has_begun = self.has_begun() || self.running.get().ends.is_some();
        self.queued && self.cause == Cause::Shutdown && !has_begun
    }

    /// What a shutdown has only queued is another's from here on.
    fn take_from_shutdown(&mut self, cx: &Context<'_, Config>, cause: Cause) {
        if self.is_of_shutdown() {
            self.cause = cause;
            self.begun = Begun::at(cx.now, cx.config.audit);
        }
    }

    fn rest(&mut self) {
        self.queued = false;
        self.begun = Begun::UNKNOWN;
        self.running.set(Running::AT_REST);
    }

    /// [MS-1] The subscriber is back too late: it is to be registered anew when this has ended, which without a REGISTER
    /// or release that is out is now.
    fn note_returned(&mut self, cx: &mut Context<'_, Config>, out: &mut Outbox<Mscics>) -> Change {
        let state = self.state();
        self.change(|running| running.returned = true);
        match (state, self.running.get().last) {
            (State::Queued | State::Waiting { .. }, Some(outcome)) => self.end(cx, outcome, out),
            _ => Change::Goes,
        }
    }

    /// What it has come to so far.
    fn known_outcome(&self) -> Option<Outcome> {
        let running = self.running.get();
        running.ends.or(running.last)
    }

    /// [MS-4, MS-5] It is over: the one outcome.
    fn end(
        &mut self,
        cx: &mut Context<'_, Config>,
        outcome: Outcome,
        out: &mut Outbox<Mscics>,
    ) -> Change {
        let running = self.running.get();
        let id = match running.calling {
            Some(calling) => calling.call_id,
            None => cx.identifiers.event(),
        };
        let outcome = match running.left {
            Some(left) if is_removed(outcome) => left,
            _ => outcome,
        };
        let affected = self.affected(out);
        out.event(Event::Deregistered {
            id,
            affected,
            cause: self.cause,
            outcome,
            registers: self.registers,
            dialogs_left: u8::try_from(self.dialogs.len()).unwrap_or(u8::MAX),
            register_anew: running.returned,
        });
        let registers = self.registers;
        let conclusion = Conclusion::Ended { outcome, registers };
        self.audit(cx, (id, affected), conclusion, out);
        Change::Gone(outcome)
    }

    /// [DR-9] The record of what has just been reported.
    fn audit(
        &self,
        cx: &Context<'_, Config>,
        (id, affected): (Identifier, Affected),
        outcome: Conclusion<Outcome>,
        out: &mut Outbox<Mscics>,
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

    fn affected(&self, out: &mut Outbox<Mscics>) -> Affected {
        Affected {
            private_identity: out.put_text(self.private_identity()),
            public_identity: out.put_text(self.registered_identity()),
        }
    }
}

/// [MS-5] What a final response says of the deregistration, if it is the last that is heard of it.
const fn outcome_of(status: u16) -> Outcome {
    match (Meaning::of(status), status) {
        (Meaning::Done, _) => Outcome::Confirmed,
        (Meaning::NothingThere, _) => Outcome::NothingThere { status },
        (Meaning::Challenged, _) => Outcome::Challenged { status },
        (Meaning::Refused, _) | (_, 423) => Outcome::Refused { status },
        (Meaning::Failed | Meaning::Retry, _) => Outcome::Failed { status },
    }
}

/// Whether nothing is left of what the REGISTER named.
const fn is_removed(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Confirmed | Outcome::NothingThere { .. })
}

/// [MS-5] Whether it can be tried again after this: a server error, whichever, is taken for one that may pass.
const fn is_worth_another(outcome: Outcome) -> bool {
    match outcome {
        Outcome::Failed { status } => {
            matches!(Meaning::of(status), Meaning::Retry) || matches!(status, 500..=599)
        }
        _ => false,
    }
}
