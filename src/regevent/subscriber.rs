//! One subscription to the registration event package, from the subscriber's end.
//!
//! Every transition is in [`Subscription::step`]. Bytes are read by whoever owns the machine (see
//! [`super::notification`]).
//!
//! Literal to S2: any error response, no response, or a NOTIFY with Subscription-State terminated deletes
//! the subscription, and it is not sent again.

mod snapshot;

pub(crate) use snapshot::Snapshot;

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use crate::{
    drive::{
        Buffer, ConfigError, Context, Identifier, Limits, Millis, Misuse, Outbox, Request, Role,
        Text, Timer, Token, Towards,
    },
    fleet::Packed,
    reginfo,
    wire::{Element, HeaderName, SubState, Uri, Writer, register::first_uri},
};

/// What a subscription needs to know of its owner.
#[derive(Clone, Debug)]
pub struct Config {
    /// The subscribing element.
    pub element: Element,
    /// [RE-3] Seconds by which the subscription is asked to outlive the registration. Default 60.
    pub margin: u32,
    /// Timer N, 64·T1, in milliseconds (RFC 6665 4.1.2). Default 32,000.
    pub timer_n: u64,
    /// [RE-7] A grant of fewer seconds than this is reported and not refreshed, so that it runs out: a notifier
    /// that grants next to nothing would otherwise be asked without end (T30). Default 32; 0 refreshes all.
    pub floor: u32,
    /// Where an initial SUBSCRIBE goes, in order: SIP URIs. Empty (default): wherever the domain of the
    /// public identity resolves to.
    pub entry_points: Vec<Vec<u8>>,
}

impl Config {
    /// The defaults, for the element given.
    #[must_use]
    pub fn new(element: Element) -> Self {
        Self {
            element,
            margin: 60,
            timer_n: 32_000,
            floor: 32,
            entry_points: Vec::new(),
        }
    }
}

impl Config {
    /// Checks that the values can work.
    ///
    /// # Errors
    /// [`ConfigError`] names the field.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.timer_n == 0 {
            return Err(ConfigError {
                field: "subscription.timer_n",
                what: "0",
            });
        }
        check_entry_points(&self.entry_points)
    }
}

/// Checks that next hops are SIP URIs with a host, eight at most, of 1,024 bytes at most.
pub(crate) fn check_entry_points(entry_points: &[Vec<u8>]) -> Result<(), ConfigError> {
    let field = "entry_points";
    let is_usable = |uri: &Vec<u8>| {
        uri.len() <= 1_024 && Uri::parse(uri).is_ok_and(|parsed| parsed.host().is_some())
    };
    if entry_points.len() > 8 {
        return Err(ConfigError {
            field,
            what: "more than 8",
        });
    }
    if !entry_points.iter().all(is_usable) {
        let what = "not a SIP URI with a host, or longer than 1,024 bytes";
        return Err(ConfigError { field, what });
    }
    Ok(())
}

/// Why a subscription ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// A SUBSCRIBE was answered with this status.
    Refused {
        /// The status code.
        status: u16,
    },
    /// A SUBSCRIBE was not answered, or the initial one not followed by a NOTIFY within Timer N.
    NoResponse,
    /// A NOTIFY said that it is terminated.
    Terminated,
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
    /// [RE-7] The notifier granted less than the floor; the subscription will not be refreshed.
    GrantedTooLittle {
        /// The public identity subscribed to.
        resource: Text,
        /// Seconds granted.
        expires: u32,
    },
    /// [RE-12] It is over. This says nothing of the registration.
    SubscriptionEnded {
        /// The public identity subscribed to.
        resource: Text,
        /// Why.
        why: End,
    },
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

/// What can happen to a subscription.
#[derive(Clone, Copy)]
pub enum Input<'a> {
    /// Subscribe, for a registration that lasts so many seconds.
    Subscribe {
        /// Seconds the registration lasts.
        registration_expires: u32,
    },
    /// A final response to our SUBSCRIBE.
    Response {
        /// Of the SUBSCRIBE.
        token: Token,
        /// The status code.
        status: u16,
        /// Seconds granted, if the response says.
        expires: Option<u32>,
        /// The dialog it shows.
        dialog: Dialog<'a>,
    },
    /// No response to our SUBSCRIBE.
    NoResponse {
        /// Of the SUBSCRIBE.
        token: Token,
    },
    /// A NOTIFY of this subscription that [`Subscription::admit`] let in.
    Notify {
        /// Its CSeq number.
        cseq: u32,
        /// Its Subscription-State; absent counts as active.
        state: SubState,
        /// Its `expires`.
        expires: Option<u32>,
        /// The dialog it shows.
        dialog: Dialog<'a>,
    },
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Pending {
    /// None while it is still to be handed out: at first, or again after a restore.
    #[serde(skip)]
    token: Option<Token>,
    branch: Identifier,
    expires: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    /// The initial SUBSCRIBE is out. Answered and notified, in any order, make it active.
    Subscribing {
        pending: Option<Pending>,
        notified: bool,
        timer_n: Millis,
    },
    Active,
    Refreshing {
        pending: Pending,
        timer_n: Millis,
    },
    Unsubscribing {
        pending: Option<Pending>,
        timer_n: Millis,
    },
    Ended,
}

const RESOURCE: usize = 0;
const REMOTE_TAG: usize = 1;
const TARGET: usize = 2;
const ROUTES: usize = 3;

/// A subscription. It is created idle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    state: State,
    strings: Packed<4>,
    call_id: Identifier,
    local_tag: Identifier,
    local_cseq: u32,
    remote_cseq: Option<u32>,
    asked: u32,
    granted: Option<u32>,
    expires_at: Millis,
    refresh_at: Millis,
    leave: bool,
}

impl Subscription {
    /// The most outputs that one step appends: a SUBSCRIBE and two events.
    pub const STEP_OUTPUTS: usize = 3;
    /// The most bytes that one step appends.
    pub const STEP_BYTES: usize = 24 * 1024;

    /// A subscription to the registration state of `resource`, a public identity.
    ///
    /// # Errors
    /// [`Misuse::TooLarge`] if the identity exceeds the limits.
    pub fn new<C>(
        cx: &mut Context<'_, C>,
        resource: &[u8],
        limits: &Limits,
    ) -> Result<Self, Misuse> {
        let strings = Packed::new([resource, b"", b"", b""], limits.registration_bytes);
        Ok(Self {
            state: State::Idle,
            strings: strings.ok_or(Misuse::TooLarge {
                limit: "registration_bytes",
            })?,
            call_id: cx.identifier(),
            local_tag: cx.identifier(),
            local_cseq: 0,
            remote_cseq: None,
            asked: 0,
            granted: None,
            expires_at: Millis(0),
            refresh_at: Millis(0),
            leave: false,
        })
    }

    /// Its Call-ID, which is also the user part of its Contact.
    #[must_use]
    pub const fn call_id(&self) -> Identifier {
        self.call_id
    }

    /// The public identity subscribed to.
    #[must_use]
    pub fn resource(&self) -> &[u8] {
        self.strings.get(RESOURCE)
    }

    /// Whether the notifier has accepted it and it is not over.
    #[must_use]
    pub const fn is_established(&self) -> bool {
        matches!(
            self.state,
            State::Active
                | State::Refreshing { .. }
                | State::Unsubscribing { .. }
                | State::Subscribing { notified: true, .. }
        )
    }

    /// Whether a NOTIFY may still come.
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
        self.pending()
            .is_some_and(|pending| pending.token == Some(token))
    }

    const fn pending(&self) -> Option<Pending> {
        match self.state {
            State::Subscribing { pending, .. } | State::Unsubscribing { pending, .. } => pending,
            State::Refreshing { pending, .. } => Some(pending),
            State::Idle | State::Active | State::Ended => None,
        }
    }

    /// When it must be given a [`Input::Tick`], and the timer that fires.
    #[must_use]
    pub fn deadline(&self) -> Option<(Millis, Timer)> {
        const N: Timer = Timer("subscription timer N");
        if self
            .pending()
            .is_some_and(|pending| pending.token.is_none())
        {
            return Some((Millis(0), Timer("SUBSCRIBE to be sent")));
        }
        match self.state {
            State::Idle | State::Ended => None,
            State::Subscribing { timer_n, .. } => Some((timer_n, N)),
            State::Active if self.refresh_at < self.expires_at => {
                Some((self.refresh_at, Timer("subscription refresh")))
            }
            State::Active => Some((self.expires_at, Timer("subscription expiry"))),
            State::Refreshing { timer_n, .. } | State::Unsubscribing { timer_n, .. } => {
                Some((timer_n, N))
            }
        }
    }

    /// [RE-10] Whether a NOTIFY with these tags and CSeq is the next of this dialog. Until the dialog is
    /// known, any notifier's tag will do (RE-6: afterwards no other).
    #[must_use]
    pub fn admit(&self, local_tag: &[u8], remote_tag: &[u8], cseq: u32) -> Admission {
        let known = self.strings.get(REMOTE_TAG);
        if matches!(self.state, State::Idle | State::Ended)
            || local_tag != self.local_tag.text()
            || (!known.is_empty() && known != remote_tag)
        {
            return Admission::Refuse(481);
        }
        match self.remote_cseq {
            Some(last) if cseq < last => Admission::Refuse(500),
            Some(last) if cseq == last => Admission::Repeated,
            _ => Admission::New,
        }
    }

    /// Every transition of a subscription.
    ///
    /// # Errors
    /// [`Misuse::OutboxFull`] if the outbox has no room for one step of its role.
    pub fn step<R>(
        &mut self,
        cx: &mut Context<'_, Config>,
        input: Input<'_>,
        out: &mut Outbox<R>,
    ) -> Result<(), Misuse>
    where
        R: Role,
        R::Event: From<Event>,
    {
        out.check_room_for(Self::STEP_OUTPUTS, Self::STEP_BYTES)?;
        match (self.state, input) {
            (_, Input::Tick) if self.pending().is_some_and(|p| p.token.is_none()) => {
                self.offer(cx, out);
            }

            // [RE-2, RE-3]
            (
                State::Idle,
                Input::Subscribe {
                    registration_expires,
                },
            ) => {
                self.asked = registration_expires.saturating_add(cx.config.margin);
                let pending = self.pend(cx, self.asked);
                self.state = State::Subscribing {
                    pending: Some(pending),
                    notified: false,
                    timer_n: cx.now.after(cx.config.timer_n),
                };
                self.offer(cx, out);
            }
            (State::Idle, Input::Unsubscribe) => self.state = State::Ended,

            // [RE-6] 2xx and NOTIFY come in either order; both are needed.
            (
                State::Subscribing {
                    pending,
                    notified,
                    timer_n,
                },
                Input::Response {
                    token,
                    status,
                    expires,
                    dialog,
                },
            ) if pending.is_some_and(|p| p.token == Some(token)) => {
                if !is_success(status) {
                    self.end(End::Refused { status }, out);
                } else {
                    self.adopt(dialog);
                    if !notified {
                        self.grant(cx, expires.unwrap_or(self.asked), out);
                        self.state = State::Subscribing {
                            pending: None,
                            notified,
                            timer_n,
                        };
                    } else {
                        self.activate(cx, out);
                    }
                }
            }
            (
                State::Subscribing {
                    pending, notified, ..
                },
                Input::NoResponse { token },
            ) if pending.is_some_and(|p| p.token == Some(token)) => {
                if notified {
                    self.activate(cx, out);
                } else {
                    self.end(End::NoResponse, out);
                }
            }
            (
                State::Subscribing {
                    pending, timer_n, ..
                },
                Input::Notify { state, expires, .. },
            ) => {
                self.follow(input);
                if state == SubState::Terminated {
                    self.end(End::Terminated, out);
                } else {
                    self.grant(cx, expires.or(self.granted).unwrap_or(self.asked), out);
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
                    timer_n, notified, ..
                },
                Input::Tick,
            ) if cx.now >= timer_n => {
                if notified {
                    self.activate(cx, out);
                } else {
                    self.end(End::NoResponse, out);
                }
            }
            (State::Subscribing { .. } | State::Refreshing { .. }, Input::Unsubscribe) => {
                self.leave = true;
            }

            // [RE-7]
            (State::Active, Input::Tick) if cx.now >= self.expires_at => {
                self.end(End::Expired, out);
            }
            (State::Active, Input::Tick) if cx.now >= self.refresh_at => {
                let pending = self.pend(cx, self.asked);
                self.state = State::Refreshing {
                    pending,
                    timer_n: cx.now.after(cx.config.timer_n),
                };
                self.offer(cx, out);
            }
            (
                State::Refreshing { pending, .. },
                Input::Response {
                    token,
                    status,
                    expires,
                    dialog,
                },
            ) if pending.token == Some(token) => {
                if is_success(status) {
                    self.retarget(dialog.target);
                    self.grant(cx, expires.unwrap_or(self.asked), out);
                    self.activate(cx, out);
                } else {
                    self.end(End::Refused { status }, out);
                }
            }
            (State::Refreshing { pending, .. }, Input::NoResponse { token })
                if pending.token == Some(token) =>
            {
                self.end(End::NoResponse, out);
            }
            (State::Refreshing { timer_n, .. }, Input::Tick) if cx.now >= timer_n => {
                self.end(End::NoResponse, out);
            }

            (State::Active | State::Refreshing { .. }, Input::Notify { state, expires, .. }) => {
                self.follow(input);
                if state == SubState::Terminated {
                    self.end(End::Terminated, out);
                } else if let Some(expires) = expires {
                    self.grant(cx, expires, out);
                }
            }

            // [RE-9]
            (State::Active, Input::Unsubscribe) => self.unsubscribe(cx, out),
            (
                State::Unsubscribing {
                    pending: Some(pending),
                    timer_n,
                },
                Input::Response { token, status, .. },
            ) if pending.token == Some(token) => {
                if is_success(status) {
                    self.state = State::Unsubscribing {
                        pending: None,
                        timer_n,
                    };
                } else {
                    self.end(End::Unsubscribed, out);
                }
            }
            (
                State::Unsubscribing {
                    pending: Some(pending),
                    ..
                },
                Input::NoResponse { token },
            ) if pending.token == Some(token) => {
                self.end(End::Unsubscribed, out);
            }
            (State::Unsubscribing { .. }, Input::Notify { state, .. }) => {
                self.follow(input);
                if state == SubState::Terminated {
                    self.end(End::Unsubscribed, out);
                }
            }
            (State::Unsubscribing { timer_n, .. }, Input::Tick) if cx.now >= timer_n => {
                self.end(End::Unsubscribed, out);
            }

            // Too early, too late, or of another request: nothing to do.
            (_, Input::Subscribe { .. })
            | (_, Input::Response { .. })
            | (_, Input::NoResponse { .. })
            | (State::Idle | State::Ended, Input::Notify { .. })
            | (State::Unsubscribing { .. } | State::Ended, Input::Unsubscribe)
            | (_, Input::Tick) => {}
        }
        Ok(())
    }

    fn activate<R>(&mut self, cx: &mut Context<'_, Config>, out: &mut Outbox<R>)
    where
        R: Role,
        R::Event: From<Event>,
    {
        let first = matches!(self.state, State::Subscribing { .. });
        self.state = State::Active;
        if first {
            let expires = self.granted.unwrap_or(self.asked);
            let resource = out.put_text(self.resource());
            out.event(Event::Subscribed { resource, expires }.into());
        }
        if self.leave {
            self.unsubscribe(cx, out);
        }
    }

    fn unsubscribe<R: Role>(&mut self, cx: &mut Context<'_, Config>, out: &mut Outbox<R>) {
        let pending = self.pend(cx, 0);
        self.state = State::Unsubscribing {
            pending: Some(pending),
            timer_n: cx.now.after(cx.config.timer_n),
        };
        self.offer(cx, out);
    }

    /// [RE-8] It is over, and not sent again; the registration is not touched (RE-12).
    fn end<R>(&mut self, why: End, out: &mut Outbox<R>)
    where
        R: Role,
        R::Event: From<Event>,
    {
        self.state = State::Ended;
        let resource = out.put_text(self.resource());
        out.event(Event::SubscriptionEnded { resource, why }.into());
    }

    /// Takes over what a NOTIFY says of the dialog.
    fn follow(&mut self, input: Input<'_>) {
        if let Input::Notify { cseq, dialog, .. } = input {
            self.remote_cseq = Some(cseq);
            self.adopt(dialog);
            self.retarget(dialog.target);
        }
    }

    /// [RE-5] The dialog is the one that came first, with 2xx or NOTIFY.
    fn adopt(&mut self, dialog: Dialog<'_>) {
        if !self.strings.get(REMOTE_TAG).is_empty() {
            return;
        }
        let target = dialog.target.unwrap_or(self.strings.get(RESOURCE));
        let parts = [self.resource(), dialog.remote_tag, target, dialog.routes];
        if let Some(strings) = Packed::new(parts, usize::from(u16::MAX)) {
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
        if let Some(strings) = Packed::new(parts, usize::from(u16::MAX)) {
            self.strings = strings;
        }
    }

    /// [RE-7] Sets expiry and refresh by a grant.
    fn grant<R>(&mut self, cx: &Context<'_, Config>, granted: u32, out: &mut Outbox<R>)
    where
        R: Role,
        R::Event: From<Event>,
    {
        let granted = granted.min(self.asked);
        if granted < cx.config.floor && self.granted != Some(granted) {
            let resource = out.put_text(self.resource());
            let expires = granted;
            out.event(Event::GrantedTooLittle { resource, expires }.into());
        }
        self.granted = Some(granted);
        self.expires_at = cx.now.after_seconds(granted);
        self.refresh_at = if granted < cx.config.floor {
            self.expires_at
        } else {
            cx.now.after(refresh_delay(granted))
        };
    }

    /// Another SUBSCRIBE; [`offer`](Self::offer) hands it out.
    fn pend(&mut self, cx: &mut Context<'_, Config>, expires: u32) -> Pending {
        self.local_cseq = self.local_cseq.saturating_add(1);
        Pending {
            token: None,
            branch: cx.identifier(),
            expires,
        }
    }

    /// [DR-7] Hands out the SUBSCRIBE that is pending: at first, or the same again after a restore.
    fn offer<R: Role>(&mut self, cx: &mut Context<'_, Config>, out: &mut Outbox<R>) {
        let token = cx.token();
        let pending = match &mut self.state {
            State::Subscribing { pending, .. } | State::Unsubscribing { pending, .. } => {
                pending.as_mut()
            }
            State::Refreshing { pending, .. } => Some(pending),
            State::Idle | State::Active | State::Ended => None,
        };
        let Some(pending) = pending else { return };
        pending.token = Some(token);
        let pending = *pending;
        let config = cx.config;
        let [tag, target, routes] = self.dialog();
        let first_route = first_uri(routes).unwrap_or(target);
        let mut hops: Vec<&[u8]> = Vec::new();
        if tag.is_empty() {
            hops.extend(config.entry_points.iter().map(Vec::as_slice));
        }
        if hops.is_empty() {
            hops.push(first_route);
        }
        let request = Request {
            token,
            towards: Towards::Core,
            next_hops: &hops,
            udp_limit: config.element.udp_limit(),
        };
        // All that is written was read from messages within the limits, so that it fits a step. What does
        // not would end as a request that is never answered: Timer N ends it.
        let _ = out.request(request, |buffer| {
            self.write(config, pending, buffer);
        });
    }

    /// [RE-5] Remote tag, target and routes that the latest SUBSCRIBE is sent with. The first is sent in no
    /// dialog, also when it is offered again after a NOTIFY came before its 2xx.
    fn dialog(&self) -> [&[u8]; 3] {
        let tag = self.strings.get(REMOTE_TAG);
        match self.strings.get(TARGET) {
            _ if self.local_cseq <= 1 => [b"", self.resource(), b""],
            [] => [tag, self.resource(), self.strings.get(ROUTES)],
            target => [tag, target, self.strings.get(ROUTES)],
        }
    }

    /// [RE-13] The SUBSCRIBE.
    fn write(&self, config: &Config, pending: Pending, buffer: &mut Buffer) {
        let [tag, target, routes] = self.dialog();
        let element = &config.element;
        let call_id = self.call_id.text();
        let mut message = Writer::request(buffer, b"SUBSCRIBE", target);
        element
            .write_via(&mut message, pending.branch)
            .number(HeaderName::MaxForwards, 70);
        if !routes.is_empty() {
            message.header(HeaderName::Route, routes);
        }
        message.parts(
            HeaderName::From,
            &[b"<", element.uri(), b">;tag=", &self.local_tag.text()],
        );
        match tag {
            [] => message.parts(HeaderName::To, &[b"<", self.resource(), b">"]),
            tag => message.parts(HeaderName::To, &[b"<", self.resource(), b">;tag=", tag]),
        };
        message
            .header(HeaderName::CallId, &call_id)
            .cseq(self.local_cseq, b"SUBSCRIBE")
            .parts(
                HeaderName::Contact,
                &[b"<sip:", &call_id, b"@", element.sent_by(), b">"],
            )
            .number(HeaderName::Expires, pending.expires.into())
            .header(HeaderName::Event, b"reg")
            .header(HeaderName::Accept, reginfo::CONTENT_TYPE);
        element.write_address(&mut message, HeaderName::PAssertedIdentity);
        element.write_charging_vector(&mut message, pending.branch);
        message.finish();
    }
}

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
