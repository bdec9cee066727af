//! One subscription to the registration event package, from the subscriber's end.
//!
//! Every transition is in [`Subscription::step`], for both profiles; what the answers and reasons mean to each of
//! them is in [`Profile`] and the tables of `meaning`. Bytes are read by whoever owns the machine (see
//! [`super::notification`]).
//!
//! ```text
//!      question    routes, or none asked     2xx and NOTIFY            refresh              2xx, NOTIFY
//! Idle ───────▶ Routing ───────▶ Subscribing ───────────▶ Active ─────────────▶ Refreshing ──────┐
//!                  ▲                  │                    ▲ │ │ end it             │            │
//!                  │ time             │ refused, silence   │ │ └──▶ Unsubscribing   │            │
//!               Waiting ◀─────────────┼────────────────────┼─┴──────────┼───────────┘            │
//!                 lost, and to be     ▼                    └────────────┼────────────────────────┘
//!                 subscribed anew   Ended ◀─────────────────────────────┘ final NOTIFY, or none
//! ```

mod config;
mod dialog;
mod loss;
mod meaning;
mod messages;
mod snapshot;
mod vocabulary;

pub use crate::dialog::Admission;
pub(crate) use config::check_entry_points;
pub use config::{Config, Party, Profile, Routing};
pub(crate) use snapshot::{CurrentSnapshot, PreviousSnapshot, Read, Written};
pub use vocabulary::{
    Answer, Dialog, End, Event, Input, Notified, Purpose, Question, Response, Standing,
};

use serde::{Deserialize, Serialize};

use super::trunk_group::Network;
use crate::{
    drive::{Context, Identifier, Limits, Millis, Misuse, Outbox, Role, Timer, Token},
    fleet::{Divided, Rest, Seldom, Shared},
    wire::{SubState, register::first_uri},
};
use loss::backoff;
use meaning::{Retry, of_refusal, of_refusal_anew};
use vocabulary::TOO_LARGE;

/// A SUBSCRIBE that is out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Pending {
    /// None while it is still to be handed out: at first, or again after a restore.
    #[serde(skip)]
    token: Option<Token>,
    branch: Identifier,
    expires: u32,
    /// Sent in no dialog.
    initial: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    /// The routing question is out. Without a token it is still to be asked, at first or again after a restore.
    Routing {
        token: Option<Token>,
        key: Identifier,
        until: Millis,
    },
    /// The initial SUBSCRIBE is out. Answered and notified, in any order, make it active.
    Subscribing {
        pending: Option<Pending>,
        notified: bool,
        timer_n: Millis,
    },
    Active,
    /// A refresh is out. The profile says whether it takes a NOTIFY as well to be complete.
    Refreshing {
        pending: Option<Pending>,
        notified: bool,
        timer_n: Millis,
    },
    Unsubscribing {
        pending: Option<Pending>,
        timer_n: Millis,
    },
    /// To be subscribed anew then, and not before the SUBSCRIBE that is still out has ended.
    Waiting {
        until: Millis,
        pending: Option<Token>,
        timer_n: Millis,
    },
    /// [MS-6] It is considered cancelled: nothing is sent any more, NOTIFYs are taken until its owner drops it.
    Cancelled,
    Ended,
}

impl Rest for State {
    const AT_REST: Self = Self::Active;
}

const RESOURCE: usize = 0;
const REMOTE_TAG: usize = 1;
const TARGET: usize = 2;
const ROUTES: usize = 3;
const DESTINATION: usize = 4;
const SERVICE_ROUTE: usize = 5;
const NEXT_HOPS: usize = 6;
const FIRST_ROUTE: usize = 7;
const STRINGS: usize = 8;

/// Resource and tag are the subscription's own; where it goes to, many go to.
type Strings = Divided<STRINGS, RESOURCE, 2, COMMON>;
const COMMON: usize = STRINGS - 2;

/// A subscription. It is created idle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    state: Seldom<State>,
    strings: Strings,
    network: Network,
    call_id: Identifier,
    local_tag: Identifier,
    local_cseq: u32,
    remote_cseq: Option<u32>,
    asked: u32,
    granted: Option<u32>,
    expires_at: Millis,
    refresh_at: Millis,
    /// When the floor since the latest SUBSCRIBE is over.
    floor_at: Millis,
    /// When it will have stood so long that its loss is not one more in a row.
    settled_at: Millis,
    /// It is to be ended as soon as no SUBSCRIBE is out.
    leave: bool,
    /// The notifier has not said `pending` last.
    approved: bool,
    /// A NOTIFY has said how long it lasts since the latest SUBSCRIBE was sent.
    stated: bool,
    /// Its time ran out while a SUBSCRIBE was out, and that has been reported.
    lapsed: bool,
    /// The SUBSCRIBE that is out follows a 423.
    raised: bool,
    /// How often in a row it was subscribed anew.
    attempts: u8,
}

impl Subscription {
    /// The most outputs that one step appends: a SUBSCRIBE and two events.
    pub const STEP_OUTPUTS: usize = 3;
    /// The most bytes that one step appends.
    pub const STEP_BYTES: usize = 32 * 1024;

    /// A subscription to the registration state of a public identity.
    ///
    /// # Errors
    /// [`Misuse::TooLarge`] if identity and routes exceed the limits.
    pub fn new<C>(
        cx: &mut Context<'_, C>,
        purpose: Purpose<'_>,
        limits: &Limits,
    ) -> Result<Self, Misuse> {
        let strings = Strings::new(purpose.strings(), limits.registration_bytes);
        Ok(Self {
            state: Seldom::new(State::Idle),
            strings: strings.ok_or(TOO_LARGE)?,
            network: purpose.network,
            call_id: cx.identifier(),
            local_tag: cx.identifier(),
            local_cseq: 0,
            remote_cseq: None,
            asked: 0,
            granted: None,
            expires_at: Millis(0),
            refresh_at: Millis(0),
            floor_at: Millis(0),
            settled_at: Millis(0),
            leave: false,
            approved: true,
            stated: false,
            lapsed: false,
            raised: false,
            attempts: 0,
        })
    }

    /// Has in common with others what can be.
    pub(super) fn share(&mut self, shared: &mut Shared) {
        shared.share(&mut self.strings);
    }

    /// Its Call-ID, which is also the user part of its Contact. Subscribed anew, it has another.
    #[must_use]
    pub const fn call_id(&self) -> Identifier {
        self.call_id
    }

    /// The public identity subscribed to.
    #[must_use]
    pub fn resource(&self) -> &[u8] {
        self.strings.get(RESOURCE)
    }

    /// The notifier's Contact; empty until it is known.
    #[must_use]
    pub fn target(&self) -> &[u8] {
        self.strings.get(TARGET)
    }

    /// When the time granted ends; meaningless before anything was granted.
    #[must_use]
    pub const fn expires_at(&self) -> Millis {
        self.expires_at
    }

    /// [RE-11] Seconds granted last; 0 before any were.
    #[must_use]
    pub fn granted(&self) -> u32 {
        self.granted.unwrap_or(0)
    }

    /// [RE-11] A URI of the registrar: the notifier's Contact, else the first next hop that was answered.
    pub(super) fn registrar(&self) -> &[u8] {
        let first = |part| first_uri(self.strings.get(part));
        match self.target() {
            [] => first(NEXT_HOPS).or(first(FIRST_ROUTE)).unwrap_or_default(),
            target => target,
        }
    }

    /// [RE-11] Whether it has been begun, and neither accepted nor refused yet.
    pub(super) const fn is_attempt(&self) -> bool {
        matches!(
            self.state.get(),
            State::Routing { .. } | State::Subscribing { .. }
        )
    }

    /// [RE-11] How it stands.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        match self.state.get() {
            State::Idle | State::Ended => Standing::None,
            State::Routing { .. } | State::Subscribing { .. } => Standing::Pending,
            State::Active | State::Refreshing { .. } if self.lapsed => Standing::Waiting,
            State::Active | State::Refreshing { .. } if self.approved => Standing::Active,
            State::Active | State::Refreshing { .. } => Standing::Pending,
            State::Waiting { .. } => Standing::Waiting,
            State::Unsubscribing { .. } | State::Cancelled => Standing::Terminating,
        }
    }

    /// Whether the notifier has accepted it, and it is neither over nor past its time.
    #[must_use]
    pub const fn is_established(&self) -> bool {
        match self.state.get() {
            State::Active | State::Refreshing { .. } => !self.lapsed,
            State::Subscribing { notified, .. } => notified && !self.lapsed,
            State::Unsubscribing { .. } => true,
            State::Idle | State::Routing { .. } | State::Waiting { .. } => false,
            State::Cancelled | State::Ended => false,
        }
    }

    /// Whether it is over: no NOTIFY of it is taken any more.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self.state.get(), State::Ended)
    }

    /// Whether we are ending it, or it is over.
    #[must_use]
    pub const fn is_ending(&self) -> bool {
        let is_ending = matches!(
            self.state.get(),
            State::Unsubscribing { .. } | State::Cancelled | State::Ended
        );
        self.leave || is_ending
    }

    /// Whether an answer with this token is for this machine.
    #[must_use]
    pub fn awaits(&self, token: Token) -> bool {
        let own = match self.state.get() {
            State::Routing { token, .. } => token,
            State::Waiting { pending, .. } => pending,
            _ => self.pending().and_then(|pending| pending.token),
        };
        own == Some(token)
    }

    /// Whether the token it waits for is that of the routing question, and not of a SUBSCRIBE.
    #[must_use]
    pub const fn is_routing(&self) -> bool {
        matches!(self.state.get(), State::Routing { .. })
    }

    /// [RI-3] Whether the next NOTIFY answers a refresh. If its document cannot be read, that of another refresh
    /// could not either.
    pub(super) const fn is_to_be_informed(&self) -> bool {
        self.local_cseq > 1 && !self.stated
    }

    const fn pending(&self) -> Option<Pending> {
        match self.state.get() {
            State::Subscribing { pending, .. }
            | State::Refreshing { pending, .. }
            | State::Unsubscribing { pending, .. } => pending,
            State::Idle
            | State::Routing { .. }
            | State::Active
            | State::Waiting { .. }
            | State::Cancelled
            | State::Ended => None,
        }
    }

    /// What is to be handed out: a SUBSCRIBE or question, at first or again after a restore.
    fn unsent(&self) -> Option<Timer> {
        match self.state.get() {
            State::Routing { token: None, .. } => Some(Timer("routing question to be asked")),
            _ => match self.pending() {
                Some(Pending { token: None, .. }) => Some(Timer("SUBSCRIBE to be sent")),
                _ => None,
            },
        }
    }

    /// When it must be given a [`Input::Tick`], and the timer that fires.
    #[must_use]
    pub fn deadline(&self) -> Option<(Millis, Timer)> {
        const N: Timer = Timer("subscription timer N");
        const EXPIRY: Timer = Timer("subscription expiry");
        if let Some(timer) = self.unsent() {
            return Some((Millis(0), timer));
        }
        match self.state.get() {
            State::Idle | State::Cancelled | State::Ended => None,
            State::Routing { until, .. } => Some((until, Timer("answer to routing question"))),
            State::Subscribing { timer_n, .. } | State::Refreshing { timer_n, .. }
                if self.can_lapse() && self.expires_at < timer_n =>
            {
                Some((self.expires_at, EXPIRY))
            }
            State::Active if self.refresh_at < self.expires_at => {
                Some((self.refresh_at, Timer("subscription refresh")))
            }
            State::Active => Some((self.expires_at, EXPIRY)),
            State::Subscribing { timer_n, .. }
            | State::Refreshing { timer_n, .. }
            | State::Unsubscribing { timer_n, .. } => Some((timer_n, N)),
            State::Waiting {
                pending: Some(_),
                timer_n,
                ..
            } => Some((timer_n, N)),
            State::Waiting { until, .. } => Some((until, Timer("subscription anew"))),
        }
    }

    /// Whether the end of its time is yet to be told while a SUBSCRIBE, or its NOTIFY, is waited for.
    const fn can_lapse(&self) -> bool {
        match self.state.get() {
            State::Subscribing { notified, .. } => notified && !self.lapsed,
            State::Refreshing { .. } => !self.lapsed,
            _ => false,
        }
    }

    /// Every transition of a subscription.
    ///
    /// # Errors
    /// [`Misuse::OutboxFull`] if the outbox has no room for one step; [`Misuse::BadCommand`] for an answer to the
    /// routing question that cannot be used. Nothing has changed then.
    pub fn step<R>(
        &mut self,
        cx: &mut Context<'_, Config>,
        input: Input<'_>,
        out: &mut Outbox<R>,
    ) -> Result<(), Misuse>
    where
        R: Role,
        R::Event: From<Event>,
        R::Question: From<Question>,
    {
        out.check_room_for(Self::STEP_OUTPUTS, Self::STEP_BYTES)?;
        match (self.state.get(), input) {
            // [DR-7] What is out after a restore goes out again as it was.
            (State::Routing { token: None, .. }, Input::Tick) => self.ask(cx, out),
            (_, Input::Tick) if self.unsent().is_some() => self.offer(cx, out),

            // [RE-2, RE-3]
            (
                State::Idle,
                Input::Subscribe {
                    registration_expires,
                },
            ) => {
                self.asked = registration_expires.saturating_add(cx.config.margin);
                self.begin(cx, out);
            }

            // [RE-4]
            (State::Routing { token, .. }, Input::Answered { token: own, answer })
                if token == Some(own) =>
            {
                match answer {
                    Answer::Routes { next_hops, route } => {
                        self.take_routes(next_hops, route)?;
                        self.subscribe(cx, out);
                    }
                    Answer::NoRoute => self.end(End::NoRoute, out),
                }
            }
            (State::Routing { token, .. }, Input::NoResponse { token: own })
                if token == Some(own) =>
            {
                self.not_begun(cx, End::NoResponse, Retry::AtOnce, out);
            }
            (State::Routing { until, .. }, Input::Tick) if cx.now >= until => {
                self.not_begun(cx, End::NoResponse, Retry::AtOnce, out);
            }

            // [RE-6] 2xx and NOTIFY come in either order; both are needed.
            (
                State::Subscribing {
                    pending, notified, ..
                },
                Input::Response(response),
            ) if is_answer(pending, response.token) => {
                if is_success(response.status) {
                    self.accepted(cx, response, notified, out);
                } else if let Some(seconds) = self.raised_by(cx.config, response) {
                    self.raise(cx, seconds, out);
                } else {
                    let status = response.status;
                    let retry = of_refusal_anew(status, response.retry_after);
                    self.not_begun(cx, End::Refused { status }, retry, out);
                }
            }
            (
                State::Subscribing {
                    pending, notified, ..
                },
                Input::NoResponse { token },
            ) if is_answer(pending, token) => {
                if notified {
                    self.activate(cx, out);
                } else {
                    self.not_begun(cx, End::NoResponse, Retry::AtOnce, out);
                }
            }
            (
                State::Subscribing {
                    pending,
                    notified,
                    timer_n,
                },
                Input::Notify(notify),
            ) => {
                self.follow(cx.config, notify, !notified);
                if notify.state == SubState::Terminated {
                    self.terminated(cx, notify, out);
                } else {
                    match (notify.expires, self.granted) {
                        (None, Some(_)) => {}
                        (said, _) => self.grant(cx, said.unwrap_or(self.asked), out),
                    }
                    if pending.is_none() {
                        self.activate(cx, out);
                    } else {
                        self.state.set(State::Subscribing {
                            pending,
                            notified: true,
                            timer_n,
                        });
                    }
                }
            }
            (
                State::Subscribing {
                    notified, timer_n, ..
                },
                Input::Tick,
            ) if cx.now >= timer_n => {
                if notified {
                    self.activate(cx, out);
                } else {
                    self.not_begun(cx, End::NoResponse, Retry::AtOnce, out);
                }
            }

            // [RE-7] The refresh, and its answers.
            (State::Active, Input::Tick) if cx.now >= self.expires_at => {
                self.lose(cx, End::Expired, Retry::AtOnce, out);
            }
            (State::Active, Input::Tick) if cx.now >= self.refresh_at => self.refresh(cx, out),
            (State::Active | State::Subscribing { notified: true, .. }, Input::Resynchronise) => {
                self.refresh_at = self.refresh_at.min(self.floor_at.max(cx.now));
            }
            (
                State::Refreshing {
                    pending,
                    notified,
                    timer_n,
                },
                Input::Response(response),
            ) if is_answer(pending, response.token) => {
                if is_success(response.status) {
                    self.retarget(response.dialog.target);
                    if !self.stated || self.lapsed {
                        self.grant(cx, response.expires.unwrap_or(self.asked), out);
                    }
                    if notified || !waits_for_notify(cx.config, response.status) {
                        self.activate(cx, out);
                    } else {
                        self.state.set(State::Refreshing {
                            pending: None,
                            notified,
                            timer_n,
                        });
                    }
                } else if let Some(seconds) = self.raised_by(cx.config, response) {
                    self.raise(cx, seconds, out);
                } else {
                    let status = response.status;
                    let effect = of_refusal(cx.config, status);
                    let wait = response.retry_after;
                    self.fail(cx, End::Refused { status }, effect, wait, out);
                }
            }
            (
                State::Refreshing {
                    pending, notified, ..
                },
                Input::NoResponse { token },
            ) if is_answer(pending, token) => {
                self.unanswered(cx, notified, out);
            }
            (
                State::Refreshing {
                    pending,
                    notified,
                    timer_n,
                },
                Input::Tick,
            ) if cx.now >= timer_n => {
                if pending.is_some() {
                    self.unanswered(cx, notified, out);
                } else {
                    self.lose(cx, End::NoResponse, Retry::AtOnce, out);
                }
            }
            (
                State::Subscribing { pending, .. } | State::Refreshing { pending, .. },
                Input::Tick,
            ) if self.can_lapse() && cx.now >= self.expires_at => {
                if cx.config.is_rfc6665() && pending.is_some() && !self.leave {
                    self.lapse(out);
                } else {
                    self.lose(cx, End::Expired, Retry::AtOnce, out);
                }
            }

            (State::Active, Input::Notify(notify)) => {
                self.follow(cx.config, notify, false);
                if notify.state == SubState::Terminated {
                    self.terminated(cx, notify, out);
                } else if let Some(expires) = notify.expires {
                    self.grant(cx, expires, out);
                }
            }
            (
                State::Refreshing {
                    pending, timer_n, ..
                },
                Input::Notify(notify),
            ) => {
                self.follow(cx.config, notify, false);
                if notify.state == SubState::Terminated {
                    self.terminated(cx, notify, out);
                } else {
                    if let Some(expires) = notify.expires {
                        self.grant(cx, expires, out);
                    }
                    if pending.is_none() {
                        self.activate(cx, out);
                    } else {
                        self.state.set(State::Refreshing {
                            pending,
                            notified: true,
                            timer_n,
                        });
                    }
                }
            }

            // [RE-9] The end that we make.
            (State::Idle, Input::Unsubscribe) => self.state.set(State::Ended),
            (State::Routing { .. } | State::Waiting { .. }, Input::Unsubscribe) => {
                self.end(End::Unsubscribed, out);
            }
            (
                State::Subscribing {
                    pending: Some(_), ..
                }
                | State::Refreshing {
                    pending: Some(_), ..
                },
                Input::Unsubscribe,
            ) => self.leave = true,
            (
                State::Active
                | State::Subscribing { pending: None, .. }
                | State::Refreshing { pending: None, .. },
                Input::Unsubscribe,
            ) => self.unsubscribe(cx, out),
            (State::Unsubscribing { pending, timer_n }, Input::Response(response))
                if is_answer(pending, response.token) =>
            {
                if is_success(response.status) {
                    self.state.set(State::Unsubscribing {
                        pending: None,
                        timer_n,
                    });
                } else {
                    self.end(End::Unsubscribed, out);
                }
            }
            (State::Unsubscribing { pending, .. }, Input::NoResponse { token })
                if is_answer(pending, token) =>
            {
                self.end(End::Unsubscribed, out);
            }
            (State::Unsubscribing { .. }, Input::Notify(notify)) => {
                self.follow(cx.config, notify, false);
                if notify.state == SubState::Terminated {
                    self.end(End::Unsubscribed, out);
                }
            }
            (State::Unsubscribing { timer_n, .. }, Input::Tick) if cx.now >= timer_n => {
                self.end(End::Unsubscribed, out);
            }

            // [MS-6] The end that we consider it to have, without a SUBSCRIBE.
            (
                State::Active
                | State::Subscribing { .. }
                | State::Refreshing { .. }
                | State::Unsubscribing { .. },
                Input::ConsiderCancelled,
            ) => {
                self.end(End::Unsubscribed, out);
                self.state.set(State::Cancelled);
            }
            (State::Idle, Input::ConsiderCancelled) => self.state.set(State::Ended),
            (State::Routing { .. } | State::Waiting { .. }, Input::ConsiderCancelled) => {
                self.end(End::Unsubscribed, out);
            }
            (State::Cancelled, Input::Notify(notify)) => self.follow(cx.config, notify, false),

            // [RE-8] Anew, once the SUBSCRIBE that was out when it was lost has ended.
            (
                State::Waiting { until, pending, .. },
                Input::Response(Response { token, .. }) | Input::NoResponse { token },
            ) if pending == Some(token) => self.wait(until),
            (
                State::Waiting {
                    until,
                    pending: Some(_),
                    timer_n,
                },
                Input::Tick,
            ) if cx.now >= timer_n => self.wait(until),
            (
                State::Waiting {
                    until,
                    pending: None,
                    ..
                },
                Input::Tick,
            ) if cx.now >= until => {
                self.renew(cx);
                self.begin(cx, out);
            }

            // Too early, too late, or of another request: nothing to do.
            (_, Input::Subscribe { .. } | Input::Answered { .. })
            | (_, Input::Response { .. } | Input::NoResponse { .. })
            | (
                State::Idle | State::Routing { .. } | State::Waiting { .. } | State::Ended,
                Input::Notify { .. },
            )
            | (State::Unsubscribing { .. } | State::Cancelled | State::Ended, Input::Unsubscribe)
            | (State::Cancelled | State::Ended, Input::ConsiderCancelled)
            | (_, Input::Resynchronise | Input::Tick) => {}
        }
        Ok(())
    }

    /// [RE-4] The first step of every subscription, and of one that is made anew.
    fn begin<R>(&mut self, cx: &mut Context<'_, Config>, out: &mut Outbox<R>)
    where
        R: Role,
        R::Question: From<Question>,
    {
        match cx.config.routing {
            Routing::EntryPoints => self.subscribe(cx, out),
            Routing::Question => {
                self.state.set(State::Routing {
                    token: None,
                    key: cx.identifier(),
                    until: cx.now.after(cx.config.routing_bound),
                });
                self.ask(cx, out);
            }
        }
    }

    /// [RE-4] Asks where the SUBSCRIBE goes.
    fn ask<R>(&mut self, cx: &mut Context<'_, Config>, out: &mut Outbox<R>)
    where
        R: Role,
        R::Question: From<Question>,
    {
        let Some(State::Routing { token, key, .. }) = self.state.get_mut() else {
            return;
        };
        let asked = cx.token();
        *token = Some(asked);
        let question = Question::Routing {
            key: *key,
            resource: out.put_text(self.strings.get(RESOURCE)),
            destination: out.put_text(self.strings.get(DESTINATION)),
            route_uri: out.put_text(self.strings.get(SERVICE_ROUTE)),
            skip_pattern_matching: self.network == Network::Home,
        };
        out.ask(asked, question.into());
    }

    /// [RE-2] The initial SUBSCRIBE.
    fn subscribe<R: Role>(&mut self, cx: &mut Context<'_, Config>, out: &mut Outbox<R>) {
        self.settled_at = cx.now.after(backoff(cx.config, self.attempts));
        let pending = Some(self.pend(cx, self.asked, true));
        self.state.set(State::Subscribing {
            pending,
            notified: false,
            timer_n: cx.now,
        });
        self.offer(cx, out);
    }

    fn refresh<R: Role>(&mut self, cx: &mut Context<'_, Config>, out: &mut Outbox<R>) {
        let pending = Some(self.pend(cx, self.asked, false));
        self.state.set(State::Refreshing {
            pending,
            notified: false,
            timer_n: cx.now,
        });
        self.offer(cx, out);
    }

    fn unsubscribe<R: Role>(&mut self, cx: &mut Context<'_, Config>, out: &mut Outbox<R>) {
        let pending = Some(self.pend(cx, 0, false));
        self.state.set(State::Unsubscribing {
            pending,
            timer_n: cx.now,
        });
        self.offer(cx, out);
    }

    /// [RE-6] A 2xx to the initial SUBSCRIBE.
    fn accepted<R>(
        &mut self,
        cx: &mut Context<'_, Config>,
        response: Response<'_>,
        notified: bool,
        out: &mut Outbox<R>,
    ) where
        R: Role,
        R::Event: From<Event>,
    {
        self.raised = false;
        if self.strings.get(REMOTE_TAG).is_empty() {
            self.adopt(response.dialog);
        }
        let is_dialog = self.strings.get(REMOTE_TAG) == response.dialog.remote_tag;
        if self.lapsed || (is_dialog && !self.stated) {
            self.grant(cx, response.expires.unwrap_or(self.asked), out);
        }
        if notified {
            return self.activate(cx, out);
        }
        if self.leave {
            return self.unsubscribe(cx, out);
        }
        if let State::Subscribing { timer_n, .. } = self.state.get() {
            // A next hop has answered: none is tried after it.
            self.state.set(State::Subscribing {
                pending: None,
                notified,
                timer_n: timer_n.min(cx.now.after(cx.config.timer_n)),
            });
        }
    }

    fn activate<R>(&mut self, cx: &mut Context<'_, Config>, out: &mut Outbox<R>)
    where
        R: Role,
        R::Event: From<Event>,
    {
        let first = matches!(self.state.get(), State::Subscribing { .. }) || self.lapsed;
        self.state.set(State::Active);
        self.raised = false;
        self.lapsed = false;
        if first {
            let expires = self.granted.unwrap_or(self.asked);
            let resource = out.put_text(self.resource());
            out.event(Event::Subscribed { resource, expires }.into());
        }
        if self.leave {
            self.unsubscribe(cx, out);
        }
    }

    /// [RE-8] The seconds to ask for after a 423, if it is followed by another SUBSCRIBE: once in a row.
    fn raised_by(&self, config: &Config, response: Response<'_>) -> Option<u32> {
        let follows = config.is_rfc6665() || config.retry_too_brief;
        match response.min_expires {
            Some(least)
                if response.status == 423
                    && follows
                    && !self.raised
                    && !self.leave
                    && least > self.asked =>
            {
                Some(least)
            }
            _ => None,
        }
    }

    /// [RE-8] The SUBSCRIBE again, with the expiry that the notifier wants at least (RFC 6665 4.2.1.1).
    fn raise<R: Role>(&mut self, cx: &mut Context<'_, Config>, seconds: u32, out: &mut Outbox<R>) {
        self.raised = true;
        self.asked = seconds;
        match self.state.get() {
            State::Refreshing { .. } => self.refresh(cx, out),
            _ => self.subscribe(cx, out),
        }
    }

    /// [RE-7] Sets expiry and refresh by a grant, of no more than was asked. The refresh keeps the floor; where that
    /// leaves no time for one, the subscription runs out.
    fn grant<R>(&mut self, cx: &Context<'_, Config>, granted: u32, out: &mut Outbox<R>)
    where
        R: Role,
        R::Event: From<Event>,
    {
        let granted = granted.min(self.asked);
        let is_too_little = granted < cx.config.floor;
        if is_too_little && self.granted != Some(granted) {
            let resource = out.put_text(self.resource());
            let expires = granted;
            out.event(Event::GrantedTooLittle { resource, expires }.into());
        }
        self.granted = Some(granted);
        self.expires_at = cx.now.after_seconds(granted);
        self.refresh_at = cx.now.after(refresh_delay(granted)).max(self.floor_at);
    }

    /// Another SUBSCRIBE; [`offer`](Self::offer) hands it out.
    fn pend(&mut self, cx: &mut Context<'_, Config>, expires: u32, initial: bool) -> Pending {
        self.local_cseq = self.local_cseq.saturating_add(1);
        self.floor_at = cx.now.after_seconds(cx.config.floor);
        self.stated = false;
        Pending {
            token: None,
            branch: cx.identifier(),
            expires,
            initial,
        }
    }
}

/// Bytes that the strings of a subscription may grow to: those of its user and a dialog, each within
/// [`Limits::registration_bytes`], and the routes.
const MOST_STRINGS: usize = u16::MAX as usize;

/// [RE-7] Milliseconds from a grant of so many seconds until the refresh: 600 s before its end where it is
/// more than 1,200 s, half of it otherwise (S2 L38–41).
#[must_use]
pub const fn refresh_delay(granted: u32) -> u64 {
    let granted = granted as u64;
    if granted > 1_200 {
        granted.saturating_sub(600).saturating_mul(1_000)
    } else {
        granted.saturating_mul(500)
    }
}

const fn is_success(status: u16) -> bool {
    status >= 200 && status < 300
}

fn is_answer(pending: Option<Pending>, token: Token) -> bool {
    pending.is_some_and(|pending| pending.token == Some(token))
}

/// Whether a refresh that was answered with this 2xx is complete only with a NOTIFY: none follows a 204
/// (RFC 5839 7.1).
fn waits_for_notify(config: &Config, status: u16) -> bool {
    config.is_rfc6665() && !config.tolerate_silent_refresh && status != 204
}
