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
mod meaning;
mod messages;
mod snapshot;

pub(crate) use config::check_entry_points;
pub use config::{Config, Party, Profile, Routing};
pub(crate) use snapshot::Snapshot;

use core::fmt;
use serde::{Deserialize, Serialize};

use super::{
    notification::{Notification, Termination},
    trunk_group::Network,
};
use crate::{
    drive::{
        Context, Identifier, Limits, Millis, Misuse, Outbox, Reject, Role, Text, Timer, Token,
    },
    fleet::Packed,
    regevent::defect,
    wire::{
        NameAddr, SubState,
        register::{first_uri, same_uri},
    },
};
use config::{MOST_HOPS, is_next_hop};
use meaning::{Effect, Retry, of_refusal, of_silence, of_termination};

/// Why a subscription ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// A SUBSCRIBE was answered with this status.
    Refused {
        /// The status code.
        status: u16,
    },
    /// A SUBSCRIBE was not answered, or not followed by a NOTIFY within Timer N.
    NoResponse,
    /// [RE-4] The routing question was answered that there is no route.
    NoRoute,
    /// A NOTIFY said that it is terminated.
    Terminated(Termination),
    /// The time granted ran out.
    Expired,
    /// We ended it.
    Unsubscribed,
}

/// What a subscription reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The notifier has accepted it, for so many seconds.
    Subscribed {
        /// The public identity subscribed to.
        resource: Text,
        /// Seconds granted.
        expires: u32,
    },
    /// [RE-7] The notifier granted less than the floor; the subscription will not be refreshed in that time.
    GrantedTooLittle {
        /// The public identity subscribed to.
        resource: Text,
        /// Seconds granted.
        expires: u32,
    },
    /// [RE-8] It is lost, and will be subscribed anew: [`Profile::Rfc6665`] alone.
    SubscriptionLost {
        /// The public identity subscribed to.
        resource: Text,
        /// Why.
        why: End,
        /// Milliseconds until it is subscribed anew.
        wait: u64,
    },
    /// [RE-12] It is over. This says nothing of the registration.
    SubscriptionEnded {
        /// The public identity subscribed to.
        resource: Text,
        /// Why.
        why: End,
    },
}

/// What a subscription asks its owner's host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Question {
    /// [RE-4] Where does the initial SUBSCRIBE go? At home the Service-Route is the route of the look-up, and it
    /// skips pattern matching; in a visited network there is none, and it does not (S2 L17–28).
    Routing {
        /// Of this question: the same when it is asked again after a restore.
        key: Identifier,
        /// The public identity subscribed to.
        resource: Text,
        /// The destination trunk group; empty if the registration came over no named one.
        destination: Text,
        /// The Route-URI: the Service-Route as addresses separated by commas; empty in a visited network.
        route_uri: Text,
        /// Whether pattern matching is skipped.
        skip_pattern_matching: bool,
    },
}

/// How a question of a subscription is answered. Its `Debug` shows no contents.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer<'a> {
    /// [RE-4] The routes to honour.
    Routes {
        /// SIP URIs of the next hops in order, as addresses separated by commas, at most 8 of 1,024 bytes each.
        /// Empty: the first of `route`, or what the public identity resolves to.
        next_hops: &'a [u8],
        /// The value of Route in the SUBSCRIBE; empty for none.
        route: &'a [u8],
    },
    /// [RE-4] There is no route: the subscription ends.
    NoRoute,
}

impl fmt::Debug for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Routes { next_hops, route } => f
                .debug_struct("Routes")
                .field("next_hops", &next_hops.len())
                .field("route", &route.len())
                .finish(),
            Self::NoRoute => f.write_str("NoRoute"),
        }
    }
}

/// A dialog as a message of the notifier shows it.
#[derive(Clone, Copy)]
pub struct Dialog<'a> {
    /// The notifier's tag.
    pub remote_tag: &'a [u8],
    /// The notifier's Contact, where the message has one.
    pub target: Option<&'a [u8]>,
    /// The route set in the order of its use: values of a Route header, comma-separated.
    pub routes: &'a [u8],
}

/// What a subscription is made for.
#[derive(Clone, Copy)]
pub struct Purpose<'a> {
    /// The public identity to subscribe to: the default one of the set (RE-2).
    pub resource: &'a [u8],
    /// [RE-4] The destination trunk group; empty for none.
    pub destination: &'a [u8],
    /// [RE-4] The Service-Route of the registration: addresses separated by commas.
    pub service_route: &'a [u8],
    /// [RE-4] Whether the user is at home here.
    pub network: Network,
}

/// A final response to a SUBSCRIBE, as far as a subscription needs it.
#[derive(Clone, Copy)]
pub struct Response<'a> {
    /// Of the SUBSCRIBE.
    pub token: Token,
    /// The status code.
    pub status: u16,
    /// Seconds granted, if a 2xx says.
    pub expires: Option<u32>,
    /// Min-Expires, if a 423 says.
    pub min_expires: Option<u32>,
    /// Retry-After in seconds, if it says.
    pub retry_after: Option<u32>,
    /// The dialog that a 2xx shows.
    pub dialog: Dialog<'a>,
}

/// A NOTIFY that [`Subscription::admit`] let in, as far as a subscription needs it.
#[derive(Clone, Copy)]
pub struct Notified<'a> {
    /// Its CSeq number.
    pub cseq: u32,
    /// Its Subscription-State; absent or unknown counts as active.
    pub state: SubState,
    /// Its `expires`.
    pub expires: Option<u32>,
    /// Its `reason`, which means something in state terminated only.
    pub reason: Termination,
    /// Its `retry-after` in seconds.
    pub retry_after: Option<u32>,
    /// The dialog that it shows.
    pub dialog: Dialog<'a>,
}

/// What can happen to a subscription.
#[derive(Clone, Copy)]
pub enum Input<'a> {
    /// Subscribe, for a registration that lasts so many seconds.
    Subscribe {
        /// Seconds the registration lasts.
        registration_expires: u32,
    },
    /// [RE-4] The answer to the routing question.
    Answered {
        /// Of the question.
        token: Token,
        /// How.
        answer: Answer<'a>,
    },
    /// A final response to our SUBSCRIBE.
    Response(Response<'a>),
    /// No response to our SUBSCRIBE.
    NoResponse {
        /// Of the SUBSCRIBE.
        token: Token,
    },
    /// A NOTIFY of this subscription that [`Subscription::admit`] let in.
    Notify(Notified<'a>),
    /// [RI-3] Documents were missed: refresh, so that a full one comes. At most one each
    /// [`floor`](Config::floor).
    Resynchronise,
    /// End it.
    Unsubscribe,
    /// Time has passed.
    Tick,
}

/// How a NOTIFY relates to a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It is the next one.
    New,
    /// It was seen before: answer 200 again, do nothing.
    Repeated,
    /// Refuse it with this status.
    Refuse(u16),
}

/// [RE-11] How a subscription stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Standing {
    /// Nothing has been sent, or it is over.
    None,
    /// A route is being looked up, the initial SUBSCRIBE is out, or the notifier has not approved it yet.
    Pending,
    /// The notifier has approved it, and its time has not run out.
    Active,
    /// It is lost, and waits to be subscribed anew.
    Waiting,
    /// We are ending it.
    Terminating,
}

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
    Ended,
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

/// A subscription. It is created idle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    state: State,
    strings: Packed<STRINGS>,
    network: Network,
    call_id: Identifier,
    local_tag: Identifier,
    local_cseq: u32,
    remote_cseq: Option<u32>,
    asked: u32,
    granted: Option<u32>,
    expires_at: Millis,
    refresh_at: Millis,
    /// When the latest SUBSCRIBE was sent, and the latest initial one.
    sent_at: Millis,
    begun_at: Millis,
    /// It is to be ended as soon as no SUBSCRIBE is out.
    leave: bool,
    /// The notifier has not said `pending` last.
    approved: bool,
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
        let service_route = match purpose.network {
            Network::Home => purpose.service_route,
            Network::Visited => b"",
        };
        let mut parts: [&[u8]; STRINGS] = [b""; STRINGS];
        parts[RESOURCE] = purpose.resource;
        parts[DESTINATION] = purpose.destination;
        parts[SERVICE_ROUTE] = service_route;
        let strings = Packed::new(parts, limits.registration_bytes);
        Ok(Self {
            state: State::Idle,
            strings: strings.ok_or(Misuse::TooLarge {
                limit: "registration_bytes",
            })?,
            network: purpose.network,
            call_id: cx.identifier(),
            local_tag: cx.identifier(),
            local_cseq: 0,
            remote_cseq: None,
            asked: 0,
            granted: None,
            expires_at: Millis(0),
            refresh_at: Millis(0),
            sent_at: Millis(0),
            begun_at: Millis(0),
            leave: false,
            approved: true,
            lapsed: false,
            raised: false,
            attempts: 0,
        })
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
            self.state,
            State::Routing { .. } | State::Subscribing { .. }
        )
    }

    /// [RE-11] How it stands.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        match self.state {
            State::Idle | State::Ended => Standing::None,
            State::Routing { .. } | State::Subscribing { .. } => Standing::Pending,
            State::Active | State::Refreshing { .. } if self.lapsed => Standing::Waiting,
            State::Active | State::Refreshing { .. } if self.approved => Standing::Active,
            State::Active | State::Refreshing { .. } => Standing::Pending,
            State::Waiting { .. } => Standing::Waiting,
            State::Unsubscribing { .. } => Standing::Terminating,
        }
    }

    /// Whether the notifier has accepted it, and it is neither over nor past its time.
    #[must_use]
    pub const fn is_established(&self) -> bool {
        match self.state {
            State::Active | State::Refreshing { .. } => !self.lapsed,
            State::Subscribing { notified, .. } => notified && !self.lapsed,
            State::Unsubscribing { .. } => true,
            State::Idle | State::Routing { .. } | State::Waiting { .. } | State::Ended => false,
        }
    }

    /// Whether it is over: no NOTIFY of it is taken any more.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    /// Whether we are ending it, or it is over.
    #[must_use]
    pub const fn is_ending(&self) -> bool {
        self.leave || matches!(self.state, State::Unsubscribing { .. } | State::Ended)
    }

    /// Whether an answer with this token is for this machine.
    #[must_use]
    pub fn awaits(&self, token: Token) -> bool {
        let own = match self.state {
            State::Routing { token, .. } => token,
            State::Waiting { pending, .. } => pending,
            _ => self.pending().and_then(|pending| pending.token),
        };
        own == Some(token)
    }

    /// Whether the token it waits for is that of the routing question, and not of a SUBSCRIBE.
    #[must_use]
    pub const fn is_routing(&self) -> bool {
        matches!(self.state, State::Routing { .. })
    }

    const fn pending(&self) -> Option<Pending> {
        match self.state {
            State::Subscribing { pending, .. }
            | State::Refreshing { pending, .. }
            | State::Unsubscribing { pending, .. } => pending,
            State::Idle
            | State::Routing { .. }
            | State::Active
            | State::Waiting { .. }
            | State::Ended => None,
        }
    }

    /// What is to be handed out: a SUBSCRIBE or question, at first or again after a restore.
    fn unsent(&self) -> Option<Timer> {
        match self.state {
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
        match self.state {
            State::Idle | State::Ended => None,
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
        match self.state {
            State::Subscribing { notified, .. } => notified && !self.lapsed,
            State::Refreshing { .. } => !self.lapsed,
            _ => false,
        }
    }

    /// [RE-10] Whether a NOTIFY is the next of this dialog, by Call-ID, tags and CSeq, with
    /// [`Config::strict_dialog_uris`] by URIs too. Until the dialog is known, any notifier's tag will do; with
    /// [`Profile::Rfc6665`] until the first NOTIFY, whoever sent the 2xx. Afterwards another is refused (RE-6).
    #[must_use]
    pub fn admit(&self, config: &Config, notification: &Notification<'_>) -> Admission {
        let known = self.strings.get(REMOTE_TAG);
        let is_open = known.is_empty() || (config.is_rfc6665() && self.remote_cseq.is_none());
        if matches!(
            self.state,
            State::Idle | State::Routing { .. } | State::Waiting { .. } | State::Ended
        ) || notification.call_id() != self.call_id.text()
            || notification.local_tag != self.local_tag.text()
            || !(is_open || known == notification.remote_tag)
            || (config.strict_dialog_uris && !self.has_parties(config, notification))
        {
            return Admission::Refuse(481);
        }
        match self.remote_cseq {
            Some(last) if notification.cseq < last => Admission::Refuse(500),
            Some(last) if notification.cseq == last => Admission::Repeated,
            _ => Admission::New,
        }
    }

    fn has_parties(&self, config: &Config, notification: &Notification<'_>) -> bool {
        same_uri(notification.notifier(), self.resource())
            && same_uri(notification.subscriber(), self.local_uri(config))
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
        match (self.state, input) {
            // [DR-7] What is out after a restore goes out again as it was.
            (State::Routing { token: None, .. }, Input::Tick) => self.ask(cx, out),
            (_, Input::Tick) if self.unsent().is_some() => self.offer_again(cx, out),

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
                self.end(End::NoResponse, out);
            }
            (State::Routing { until, .. }, Input::Tick) if cx.now >= until => {
                self.end(End::NoResponse, out);
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
                    self.end(End::Refused { status }, out);
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
                    self.end(End::NoResponse, out);
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
                        self.state = State::Subscribing {
                            pending,
                            notified: true,
                            timer_n,
                        };
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
                    self.end(End::NoResponse, out);
                }
            }

            // [RE-7] The refresh, and its answers.
            (State::Active, Input::Tick) if cx.now >= self.expires_at => {
                self.lose(cx, End::Expired, Retry::AtOnce, out);
            }
            (State::Active, Input::Tick) if cx.now >= self.refresh_at => self.refresh(cx, out),
            (State::Active, Input::Resynchronise) => {
                let floor = self.sent_at.after_seconds(cx.config.floor);
                self.refresh_at = self.refresh_at.min(floor.max(cx.now));
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
                    if !notified || self.lapsed {
                        self.grant(cx, response.expires.unwrap_or(self.asked), out);
                    }
                    if notified || !waits_for_notify(cx.config, response.status) {
                        self.activate(cx, out);
                    } else {
                        self.state = State::Refreshing {
                            pending: None,
                            notified,
                            timer_n,
                        };
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
                        self.state = State::Refreshing {
                            pending,
                            notified: true,
                            timer_n,
                        };
                    }
                }
            }

            // [RE-9] The end that we make.
            (State::Idle, Input::Unsubscribe) => self.state = State::Ended,
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
                    self.state = State::Unsubscribing {
                        pending: None,
                        timer_n,
                    };
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
            | (State::Unsubscribing { .. } | State::Ended, Input::Unsubscribe)
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
                self.state = State::Routing {
                    token: None,
                    key: cx.identifier(),
                    until: cx.now.after(cx.config.routing_bound),
                };
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
        let State::Routing { token, key, .. } = &mut self.state else {
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

    /// [RE-4] Keeps the routes that the host names, if they can be used.
    fn take_routes(&mut self, next_hops: &[u8], route: &[u8]) -> Result<(), Misuse> {
        let bad = |at| Misuse::BadCommand(Reject::new(&defect::BAD_ROUTE, at));
        let mut hops = 0usize;
        for hop in NameAddr::parse_list(next_hops) {
            let hop = hop.map_err(Misuse::BadCommand)?;
            hops = hops.saturating_add(1);
            if hops > MOST_HOPS || !is_next_hop(hop.uri_bytes()) {
                return Err(bad(0));
            }
        }
        for entry in NameAddr::parse_list(route) {
            entry.map_err(Misuse::BadCommand)?;
        }
        let mut parts = self.strings.parts();
        parts[NEXT_HOPS] = next_hops;
        parts[FIRST_ROUTE] = route;
        self.strings = Packed::new(parts, MOST_STRINGS).ok_or_else(|| bad(0))?;
        Ok(())
    }

    /// [RE-2] The initial SUBSCRIBE.
    fn subscribe<R: Role>(&mut self, cx: &mut Context<'_, Config>, out: &mut Outbox<R>) {
        self.begun_at = cx.now;
        let pending = Some(self.pend(cx, self.asked, true));
        self.state = State::Subscribing {
            pending,
            notified: false,
            timer_n: cx.now.after(cx.config.timer_n),
        };
        self.offer(cx, out);
    }

    fn refresh<R: Role>(&mut self, cx: &mut Context<'_, Config>, out: &mut Outbox<R>) {
        let pending = Some(self.pend(cx, self.asked, false));
        self.state = State::Refreshing {
            pending,
            notified: false,
            timer_n: cx.now.after(cx.config.timer_n),
        };
        self.offer(cx, out);
    }

    fn unsubscribe<R: Role>(&mut self, cx: &mut Context<'_, Config>, out: &mut Outbox<R>) {
        let pending = Some(self.pend(cx, 0, false));
        self.state = State::Unsubscribing {
            pending,
            timer_n: cx.now.after(cx.config.timer_n),
        };
        self.offer(cx, out);
    }

    /// [DR-7] The SUBSCRIBE that is out, once more. Its transaction is another, so that Timer N begins anew:
    /// else it could end while that runs, and the next SUBSCRIBE overtake this one.
    fn offer_again<R: Role>(&mut self, cx: &mut Context<'_, Config>, out: &mut Outbox<R>) {
        if let State::Subscribing { timer_n, .. }
        | State::Refreshing { timer_n, .. }
        | State::Unsubscribing { timer_n, .. } = &mut self.state
        {
            *timer_n = cx.now.after(cx.config.timer_n);
        }
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
        if !notified || self.lapsed {
            self.grant(cx, response.expires.unwrap_or(self.asked), out);
        }
        if notified {
            return self.activate(cx, out);
        }
        if self.leave {
            return self.unsubscribe(cx, out);
        }
        if let State::Subscribing { timer_n, .. } = self.state {
            self.state = State::Subscribing {
                pending: None,
                notified,
                timer_n,
            };
        }
    }

    fn activate<R>(&mut self, cx: &mut Context<'_, Config>, out: &mut Outbox<R>)
    where
        R: Role,
        R::Event: From<Event>,
    {
        let first = matches!(self.state, State::Subscribing { .. }) || self.lapsed;
        self.state = State::Active;
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
        match self.state {
            State::Refreshing { .. } => self.refresh(cx, out),
            _ => self.subscribe(cx, out),
        }
    }

    /// A refresh without response. After its NOTIFY it was only the response that was lost.
    fn unanswered<R>(&mut self, cx: &mut Context<'_, Config>, notified: bool, out: &mut Outbox<R>)
    where
        R: Role,
        R::Event: From<Event>,
    {
        if notified && cx.config.is_rfc6665() {
            return self.activate(cx, out);
        }
        let effect = of_silence(cx.config);
        self.fail(cx, End::NoResponse, effect, None, out);
    }

    /// [RE-8] A refresh that failed.
    fn fail<R>(
        &mut self,
        cx: &mut Context<'_, Config>,
        why: End,
        effect: Effect,
        retry_after: Option<u32>,
        out: &mut Outbox<R>,
    ) where
        R: Role,
        R::Event: From<Event>,
    {
        self.raised = false;
        self.clear_pending();
        match effect {
            Effect::End => self.end(why, out),
            Effect::Anew => self.lose(cx, why, Retry::AtOnce, out),
            Effect::Keep { .. } if cx.now >= self.expires_at => {
                self.lose(cx, End::Expired, Retry::AtOnce, out);
            }
            Effect::Keep { again } => {
                let asked = u64::from(retry_after.unwrap_or(0)).saturating_mul(1_000);
                self.refresh_at = match again {
                    true => cx.now.after(cx.config.refresh_retry.max(asked)),
                    false => self.expires_at,
                };
                self.activate(cx, out);
            }
        }
    }

    /// No SUBSCRIBE is out any more.
    const fn clear_pending(&mut self) {
        if let State::Subscribing { pending, .. } | State::Refreshing { pending, .. } =
            &mut self.state
        {
            *pending = None;
        }
    }

    /// [RE-8] A NOTIFY that says terminated.
    fn terminated<R>(
        &mut self,
        cx: &mut Context<'_, Config>,
        notify: Notified<'_>,
        out: &mut Outbox<R>,
    ) where
        R: Role,
        R::Event: From<Event>,
    {
        let retry = of_termination(cx.config, notify.reason, notify.retry_after);
        self.lose(cx, End::Terminated(notify.reason), retry, out);
    }

    /// [RE-8] It is lost: over, or to be subscribed anew.
    fn lose<R>(&mut self, cx: &mut Context<'_, Config>, why: End, retry: Retry, out: &mut Outbox<R>)
    where
        R: Role,
        R::Event: From<Event>,
    {
        let config = cx.config;
        if !config.is_rfc6665() || self.leave {
            return self.end(why, out);
        }
        let backoff = |attempts: u8| {
            let doubled = 1u64.checked_shl(attempts.into()).unwrap_or(u64::MAX);
            let wait = config.resubscribe_interval.saturating_mul(doubled);
            wait.min(LONGEST_BACKOFF)
        };
        if cx.now.since(self.begun_at) > backoff(self.attempts) {
            self.attempts = 0;
        }
        let paced = match self.attempts.checked_sub(1) {
            Some(before) => backoff(before),
            None => 0,
        };
        let wait = match retry {
            Retry::Never => return self.end(why, out),
            Retry::AtOnce => paced,
            Retry::After(seconds) if seconds > config.retry_after_limit => {
                return self.end(why, out);
            }
            Retry::After(seconds) => u64::from(seconds).saturating_mul(1_000).max(paced),
        };
        if self.attempts >= config.resubscribe_attempts {
            return self.end(why, out);
        }
        self.attempts = self.attempts.saturating_add(1);
        let floor = match self.granted {
            Some(granted) if granted < config.floor => self.sent_at.after_seconds(config.floor),
            _ => Millis(0),
        };
        let until = cx.now.after(wait).max(floor);
        let (pending, timer_n) = match self.state {
            State::Subscribing {
                pending, timer_n, ..
            }
            | State::Refreshing {
                pending, timer_n, ..
            } => (pending.and_then(|pending| pending.token), timer_n),
            _ => (None, cx.now),
        };
        self.state = State::Waiting {
            until,
            pending,
            timer_n,
        };
        let resource = out.put_text(self.resource());
        let wait = until.since(cx.now);
        if !core::mem::take(&mut self.lapsed) {
            out.event(
                Event::SubscriptionLost {
                    resource,
                    why,
                    wait,
                }
                .into(),
            );
        }
    }

    /// Its time has run out, and what becomes of the SUBSCRIBE that is out will tell how it goes on.
    fn lapse<R>(&mut self, out: &mut Outbox<R>)
    where
        R: Role,
        R::Event: From<Event>,
    {
        self.lapsed = true;
        let resource = out.put_text(self.resource());
        let (why, wait) = (End::Expired, 0);
        out.event(
            Event::SubscriptionLost {
                resource,
                why,
                wait,
            }
            .into(),
        );
    }

    const fn wait(&mut self, until: Millis) {
        self.state = State::Waiting {
            until,
            pending: None,
            timer_n: until,
        };
    }

    /// [RE-8] Another dialog (RFC 6665 4.1.2.2).
    fn renew(&mut self, cx: &mut Context<'_, Config>) {
        self.call_id = cx.identifier();
        self.local_tag = cx.identifier();
        self.local_cseq = 0;
        self.remote_cseq = None;
        self.granted = None;
        self.approved = true;
        self.raised = false;
        let mut parts = self.strings.parts();
        for part in [REMOTE_TAG, TARGET, ROUTES, NEXT_HOPS, FIRST_ROUTE] {
            if let Some(place) = parts.get_mut(part) {
                *place = b"";
            }
        }
        if let Some(strings) = Packed::new(parts, MOST_STRINGS) {
            self.strings = strings;
        }
    }

    /// [RE-8] It is over; the registration is not touched (RE-12).
    fn end<R>(&mut self, why: End, out: &mut Outbox<R>)
    where
        R: Role,
        R::Event: From<Event>,
    {
        self.state = State::Ended;
        let resource = out.put_text(self.resource());
        out.event(Event::SubscriptionEnded { resource, why }.into());
    }

    /// [RE-5] Takes over what a NOTIFY says of the dialog. The first one makes it where nothing came before,
    /// and with [`Profile::Rfc6665`] in any case (RFC 6665 4.4.1).
    fn follow(&mut self, config: &Config, notify: Notified<'_>, first: bool) {
        let dialog = notify.dialog;
        if self.strings.get(REMOTE_TAG).is_empty() || (first && config.is_rfc6665()) {
            self.adopt(dialog);
        }
        self.retarget(dialog.target);
        self.remote_cseq = Some(notify.cseq);
        self.approved = notify.state != SubState::Pending;
    }

    /// [RE-5] The dialog is this one.
    fn adopt(&mut self, dialog: Dialog<'_>) {
        let known = self.strings.get(TARGET);
        let fallback = if known.is_empty() {
            self.resource()
        } else {
            known
        };
        let mut parts = self.strings.parts();
        parts[REMOTE_TAG] = dialog.remote_tag;
        parts[TARGET] = dialog.target.unwrap_or(fallback);
        parts[ROUTES] = dialog.routes;
        if let Some(strings) = Packed::new(parts, MOST_STRINGS) {
            self.strings = strings;
        }
    }

    /// [RE-5] A later Contact of the notifier is the new target (RFC 6665 3.1).
    fn retarget(&mut self, target: Option<&[u8]>) {
        let Some(target) = target.filter(|target| *target != self.strings.get(TARGET)) else {
            return;
        };
        let mut parts = self.strings.parts();
        parts[TARGET] = target;
        if let Some(strings) = Packed::new(parts, MOST_STRINGS) {
            self.strings = strings;
        }
    }

    /// [RE-7] Sets expiry and refresh by a grant, of no more than was asked.
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
        self.refresh_at = if is_too_little {
            self.expires_at
        } else {
            cx.now.after(refresh_delay(granted))
        };
    }

    /// Another SUBSCRIBE; [`offer`](Self::offer) hands it out.
    fn pend(&mut self, cx: &mut Context<'_, Config>, expires: u32, initial: bool) -> Pending {
        self.local_cseq = self.local_cseq.saturating_add(1);
        self.sent_at = cx.now;
        Pending {
            token: None,
            branch: cx.identifier(),
            expires,
            initial,
        }
    }
}

/// Bytes that the strings of a subscription may grow to: those of its user, and a dialog within the limits.
const MOST_STRINGS: usize = u16::MAX as usize;

/// Milliseconds that doubling ends at.
const LONGEST_BACKOFF: u64 = 3_600_000;

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
