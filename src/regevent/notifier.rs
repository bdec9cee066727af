//! One subscription to the registration event package, from the notifier's end.
//!
//! Every transition is in one match behind [`Subscription::step`]. Bytes are read by [`Subscribe::read`]; whom to accept is
//! for whoever owns the machine to say.
//!
//! ```text
//!       SUBSCRIBE: 200, NOTIFY        answered          expiry, Expires 0, last registration gone
//! Idle ───────────────────▶ Notifying ────────▶ Active ──────────────────────────▶ Closing ──▶ Ended
//!                               ▲   change, SUBSCRIBE │      final NOTIFY out          │ answered, or not
//!                               └─────────────────────┘
//! ```

use alloc::{boxed::Box, vec::Vec};
use core::fmt;
use serde::{Deserialize, Serialize};

pub use super::subscribe::Subscribe;
use crate::{
    drive::{
        Buffer, Context, Identifier, Limits, Millis, Misuse, Outbox, Role, Text, Texts, Timer,
        Token, TransactionRef,
    },
    fleet::Packed,
    reginfo::DocumentState,
};

mod config;
mod messages;
mod resource;
mod resting;
mod snapshot;

pub use config::{Config, Reason};
pub use resource::{Document, Resource};
pub(crate) use resting::{Name, Resting};
pub(crate) use snapshot::Snapshot;

/// How a subscription ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum End {
    /// The subscriber ended it.
    Unsubscribed,
    /// Its time ran out.
    Expired,
    /// The last registration went.
    NoResource,
    /// The notifier's owner ended it.
    Terminated(Reason),
    /// A NOTIFY was answered with a status that ends it.
    Refused {
        /// The status code.
        status: u16,
    },
    /// A NOTIFY was not answered.
    NoResponse,
    /// A NOTIFY could not be written within the limits.
    TooLarge,
    /// The subscriber subscribed anew, and that took its place.
    Replaced,
    /// Another notifier has the user by now; the subscriber was told nothing.
    Moved,
}

/// What a notifier reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A subscription was accepted. A fetch is not one.
    Subscribed {
        /// The public identity subscribed to.
        resource: Text,
        /// The subscriber: the URI of From.
        subscriber: Text,
        /// Seconds granted.
        expires: u32,
    },
    /// It is over.
    SubscriptionEnded {
        /// The public identity subscribed to.
        resource: Text,
        /// The subscriber: the URI of From.
        subscriber: Text,
        /// Why.
        why: End,
    },
}

impl Texts for Event {
    fn each_text(&mut self, show: &mut dyn FnMut(&mut Text)) {
        match self {
            Self::Subscribed {
                resource,
                subscriber,
                ..
            }
            | Self::SubscriptionEnded {
                resource,
                subscriber,
                ..
            } => {
                show(resource);
                show(subscriber);
            }
        }
    }
}

/// What can happen to a subscription.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// A SUBSCRIBE, the first or one in the dialog, from one who may.
    Subscribe {
        /// Its server transaction.
        to: TransactionRef,
        /// What it says.
        request: &'a Subscribe<'a>,
    },
    /// [RN-3] The registration state has changed.
    Changed,
    /// A final response to our NOTIFY.
    Response {
        /// Of the NOTIFY.
        token: Token,
        /// The status code.
        status: u16,
        /// Its Retry-After in seconds, if it says.
        retry_after: Option<u32>,
    },
    /// No response to our NOTIFY.
    NoResponse {
        /// Of the NOTIFY.
        token: Token,
    },
    /// End it.
    Terminate(Reason),
    /// Time has passed.
    Tick,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    /// No NOTIFY is out. The next one is due then, if there is a reason for one.
    Active {
        due: Option<Millis>,
    },
    /// A NOTIFY is out. After its answer the next one is due then.
    Notifying {
        due: Option<Millis>,
    },
    /// The final NOTIFY is out.
    Closing(End),
    Ended,
}

/// A NOTIFY that is out, as it was sent.
#[derive(Clone, PartialEq, Eq)]
struct Outstanding {
    /// `None` after a restore, until it is offered again.
    token: Option<Token>,
    until: Millis,
    /// The latest change that it tells of.
    tells: u64,
    bytes: Box<[u8]>,
}

const CALL_ID: usize = 0;
const LOCAL_URI: usize = 1;
const REMOTE_URI: usize = 2;
const REMOTE_TAG: usize = 3;
const TARGET: usize = 4;
const ROUTES: usize = 5;
const EVENT_ID: usize = 6;
const STRINGS: usize = 7;

type Strings = Packed<STRINGS>;

/// Bytes that the strings of a dialog may grow to by target refreshes.
const LONGEST_DIALOG: usize = 32_768;

/// A subscription. It is created idle; one that has ended is to be dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Subscription {
    state: State,
    outstanding: Option<Box<Outstanding>>,
    /// Why the next NOTIFY is the last one.
    ending: Option<End>,
    strings: Strings,
    local_tag: Identifier,
    local_cseq: u32,
    remote_cseq: u32,
    version: u32,
    /// The latest change that the subscriber has taken note of, with a 2xx.
    told: u64,
    /// Whether the next document must say everything, whatever is configured.
    full_due: bool,
    /// NOTIFYs refused since the last 2xx.
    refusals: u8,
    /// No change is told before: a NOTIFY was refused.
    not_before: Millis,
    expires_at: Millis,
    notified_at: Option<Millis>,
    is_fetch: bool,
    /// Whether the subscriber is the user itself, as the owner of the machine has found.
    is_own: bool,
}

impl Subscription {
    /// A subscription as a SUBSCRIBE outside of dialogs asks for it.
    ///
    /// # Errors
    /// [`Misuse::TooLarge`] if its dialog exceeds the limit.
    pub fn new<C>(
        cx: &mut Context<'_, C>,
        request: &Subscribe<'_>,
        limits: &Limits,
    ) -> Result<Self, Misuse> {
        let parts: [&[u8]; STRINGS] = [
            request.call_id,
            request.local_uri,
            request.remote_uri,
            request.remote_tag,
            request.target,
            &request.routes,
            request.event_id,
        ];
        Ok(Self {
            state: State::Idle,
            outstanding: None,
            ending: None,
            strings: Strings::plain(parts, limits.registration_bytes).ok_or(Misuse::TooLarge {
                limit: "registration_bytes",
            })?,
            local_tag: cx.identifier(),
            local_cseq: 0,
            remote_cseq: request.cseq,
            version: 0,
            told: 0,
            full_due: true,
            refusals: 0,
            not_before: Millis(0),
            expires_at: Millis(0),
            notified_at: None,
            is_fetch: false,
            is_own: false,
        })
    }

    /// Its Call-ID, which is the subscriber's.
    #[must_use]
    pub fn call_id(&self) -> &[u8] {
        self.strings.get(CALL_ID)
    }

    /// The subscriber's Contact.
    #[must_use]
    pub fn target(&self) -> &[u8] {
        self.strings.get(TARGET)
    }

    /// Whether a SUBSCRIBE is of this subscription: its dialog, and its event id, which may be another
    /// subscription's in the same dialog (RFC 6665 8.2.1).
    #[must_use]
    pub fn is_of(&self, request: &Subscribe<'_>) -> bool {
        self.name().has(request)
    }

    /// What it is known by.
    pub(crate) fn name(&self) -> Name<'_> {
        Name {
            call_id: self.call_id(),
            local_tag: self.local_tag,
            remote_tag: self.strings.get(REMOTE_TAG),
            event_id: self.strings.get(EVENT_ID),
        }
    }

    /// [RN-1] Whether a SUBSCRIBE outside of dialogs is the one that made this subscription, come again: the
    /// transaction that would have absorbed it is gone, as after a restart. One older than the last SUBSCRIBE
    /// of the dialog is only late, and counts as the same.
    #[must_use]
    pub fn is_made_by(&self, request: &Subscribe<'_>) -> bool {
        request.local_tag.is_none()
            && request.call_id == self.call_id()
            && request.remote_tag == self.strings.get(REMOTE_TAG)
            && request.event_id == self.strings.get(EVENT_ID)
            && request.cseq <= self.remote_cseq
    }

    /// Whether it is a fetch: a SUBSCRIBE with an expiry of zero that began nothing.
    #[must_use]
    pub const fn is_fetch(&self) -> bool {
        self.is_fetch
    }

    /// Notes whether the subscriber is the user itself.
    pub(crate) const fn set_own(&mut self, is_own: bool) {
        self.is_own = is_own;
    }

    pub(crate) const fn is_own(&self) -> bool {
        self.is_own
    }

    /// Whether it has ended and is to be dropped.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    /// Number of the latest change that the subscriber has taken note of: the 2xx to its NOTIFY has come.
    #[must_use]
    pub const fn told(&self) -> u64 {
        self.told
    }

    /// Whether an answer with this token is for this machine.
    #[must_use]
    pub fn awaits(&self, token: Token) -> bool {
        let outstanding = self.outstanding.as_deref();
        outstanding.is_some_and(|outstanding| outstanding.token == Some(token))
    }

    fn is_to_be_offered_again(&self) -> bool {
        let outstanding = self.outstanding.as_deref();
        outstanding.is_some_and(|outstanding| outstanding.token.is_none())
    }

    /// When it must be given a [`Input::Tick`], and the timer that fires.
    #[must_use]
    pub fn deadline(&self) -> Option<(Millis, Timer)> {
        let expiry = (self.expires_at, Timer("subscription expiry"));
        let answer = |outstanding: &Outstanding| (outstanding.until, Timer("answer to NOTIFY"));
        let answer = self.outstanding.as_deref().map(answer);
        if self.is_to_be_offered_again() {
            return Some((Millis(0), Timer("NOTIFY offered again")));
        }
        match self.state {
            State::Idle | State::Ended => None,
            State::Active { due: Some(due) } if due <= self.expires_at || self.ending.is_some() => {
                Some((due, Timer("NOTIFY due")))
            }
            State::Active { .. } => Some(expiry),
            State::Notifying { .. } if self.ending.is_none() => {
                answer.into_iter().chain([expiry]).min_by_key(|&(at, _)| at)
            }
            State::Notifying { .. } | State::Closing(_) => answer,
        }
    }

    /// Something happens to the subscription.
    ///
    /// # Errors
    /// [`Misuse::OutboxFull`] if the outbox has no room for one step of its role.
    pub fn step<R, S>(
        &mut self,
        cx: &mut Context<'_, Config>,
        resource: &S,
        input: Input<'_>,
        out: &mut Outbox<R>,
    ) -> Result<(), Misuse>
    where
        R: Role,
        R::Event: From<Event>,
        S: Resource,
    {
        out.check_room()?;
        self.advance(cx, resource, input, out);
        Ok(())
    }

    /// Every transition, for an owner who has checked the room of the outbox.
    pub(crate) fn advance<R, S>(
        &mut self,
        cx: &mut Context<'_, Config>,
        resource: &S,
        input: Input<'_>,
        out: &mut Outbox<R>,
    ) where
        R: Role,
        R::Event: From<Event>,
        S: Resource,
    {
        match (self.state, input) {
            // [DR-7] After a restore the NOTIFY goes out again as it was.
            (State::Notifying { .. } | State::Closing(_), Input::Tick)
                if self.is_to_be_offered_again() =>
            {
                self.offer(cx, out);
            }

            // [RN-1, RN-2] The first SUBSCRIBE, or a fetch.
            (State::Idle, Input::Subscribe { to, request }) if is_too_brief(cx.config, request) => {
                self.refuse(cx, to, request, 423, out);
                self.state = State::Ended;
            }
            (State::Idle, Input::Subscribe { to, request }) => {
                self.told = resource.changes();
                self.grant(cx, request);
                self.is_fetch = self.ending.is_some();
                self.accept(cx, to, request, out);
                if !self.is_fetch {
                    let expires = self.seconds_left(cx.now);
                    let (resource, subscriber) = self.parties(out);
                    out.event(
                        Event::Subscribed {
                            resource,
                            subscriber,
                            expires,
                        }
                        .into(),
                    );
                }
                self.send(cx, resource, out);
            }

            // [RN-1] The last one, or the first, again: the same 200, and no other dialog or NOTIFY.
            (
                State::Active { .. } | State::Notifying { .. } | State::Closing(_),
                Input::Subscribe { to, request },
            ) if self.is_repeated_by(request) && !is_too_brief(cx.config, request) => {
                self.accept(cx, to, request, out);
            }

            // A SUBSCRIBE in the dialog: refresh, or Expires 0.
            (State::Active { .. } | State::Notifying { .. }, Input::Subscribe { to, request })
                if request.cseq < self.remote_cseq =>
            {
                self.refuse(cx, to, request, 500, out);
            }
            // An unsubscription that crosses the last NOTIFY, which is all that follows.
            (
                State::Active { .. } | State::Notifying { .. } | State::Closing(_),
                Input::Subscribe { to, request },
            ) if self.is_crossed_by(request) => {
                self.follow(request);
                self.expires_at = cx.now;
                self.accept(cx, to, request, out);
            }
            (State::Active { .. } | State::Notifying { .. }, Input::Subscribe { to, request })
                if self.ending.is_some() =>
            {
                self.refuse(cx, to, request, 481, out);
            }
            (State::Active { .. } | State::Notifying { .. }, Input::Subscribe { to, request })
                if is_too_brief(cx.config, request) =>
            {
                self.remote_cseq = request.cseq;
                self.refuse(cx, to, request, 423, out);
            }
            (State::Active { .. }, Input::Subscribe { to, request }) => {
                self.follow(request);
                self.grant(cx, request);
                self.accept(cx, to, request, out);
                self.send(cx, resource, out);
            }
            (State::Notifying { .. }, Input::Subscribe { to, request }) => {
                self.follow(request);
                self.grant(cx, request);
                self.accept(cx, to, request, out);
                self.state = State::Notifying { due: Some(cx.now) };
            }
            (State::Closing(_) | State::Ended, Input::Subscribe { to, request }) => {
                self.refuse(cx, to, request, 481, out);
            }

            // [RN-3] A change; it waits for the answer of the NOTIFY that is out.
            (State::Active { due }, Input::Changed) => {
                let due = self.due(cx, resource, due);
                self.state = State::Active { due: Some(due) };
            }
            (State::Notifying { due }, Input::Changed) => {
                let due = self.due(cx, resource, due);
                self.state = State::Notifying { due: Some(due) };
            }

            // [RN-4] The end.
            (State::Active { .. }, Input::Terminate(reason)) => {
                self.ending = Some(End::Terminated(reason));
                self.state = State::Active { due: Some(cx.now) };
            }
            (State::Notifying { .. }, Input::Terminate(reason)) => {
                self.ending = Some(End::Terminated(reason));
                self.state = State::Notifying { due: Some(cx.now) };
            }
            (State::Active { .. }, Input::Tick)
                if cx.now >= self.expires_at && self.ending.is_none() =>
            {
                self.ending = Some(End::Expired);
                self.send(cx, resource, out);
            }
            (State::Active { due: Some(due) }, Input::Tick) if cx.now >= due => {
                self.send(cx, resource, out);
            }

            // The answer to a NOTIFY.
            (
                State::Notifying { .. } | State::Closing(_),
                Input::Response {
                    status: 100..=199, ..
                },
            ) => {}
            (State::Notifying { .. }, Input::Response { token, status, .. })
                if self.awaits(token) && ends_subscription(status) =>
            {
                self.end(End::Refused { status }, out);
            }
            (
                State::Notifying { due },
                Input::Response {
                    token,
                    status: 200..=299,
                    ..
                },
            ) if self.awaits(token) => {
                self.take_note();
                self.state = State::Active { due };
                if due.is_some_and(|due| cx.now >= due) {
                    self.send(cx, resource, out);
                }
            }
            (State::Notifying { .. }, Input::Response { token, .. })
                if self.awaits(token) && self.ending.is_some() =>
            {
                self.send(cx, resource, out);
            }
            (
                State::Notifying { .. },
                Input::Response {
                    token, retry_after, ..
                },
            ) if self.awaits(token) => {
                if !self.retries(cx, retry_after) {
                    self.end(End::NoResponse, out);
                }
            }
            (
                State::Closing(why),
                Input::Response {
                    token,
                    status,
                    retry_after,
                },
            ) if self.awaits(token) => {
                let is_told = status < 300 || ends_subscription(status);
                if is_told || why == End::Unsubscribed || !self.retries(cx, retry_after) {
                    self.end(why, out);
                }
            }
            (State::Closing(why), Input::NoResponse { token }) if self.awaits(token) => {
                self.end(why, out);
            }
            (State::Notifying { .. }, Input::NoResponse { token }) if self.awaits(token) => {
                self.end(End::NoResponse, out);
            }
            (State::Notifying { .. }, Input::Tick) if self.is_unanswered(cx.now) => {
                self.end(End::NoResponse, out);
            }
            (State::Closing(why), Input::Tick) if self.is_unanswered(cx.now) => self.end(why, out),
            (State::Notifying { .. }, Input::Tick)
                if cx.now >= self.expires_at && self.ending.is_none() =>
            {
                self.ending = Some(End::Expired);
                self.state = State::Notifying { due: Some(cx.now) };
            }

            // Too early, too late, or of another request: nothing to do.
            (_, Input::Response { .. } | Input::NoResponse { .. } | Input::Tick)
            | (State::Idle | State::Closing(_) | State::Ended, Input::Changed)
            | (State::Idle | State::Closing(_) | State::Ended, Input::Terminate(_)) => {}
        }
    }

    /// [RN-1, RFC 3261 12.2.2] Whether a SUBSCRIBE is one that was granted, come again: the transaction that
    /// would have absorbed it is gone, as after a restart. Only a lower CSeq is out of order.
    fn is_repeated_by(&self, request: &Subscribe<'_>) -> bool {
        match request.local_tag {
            Some(_) => request.cseq == self.remote_cseq,
            None => self.is_made_by(request),
        }
    }

    /// [RN-4] Whether a SUBSCRIBE asks for the end that is on its way already. Refused, it would end the dialog at
    /// the subscriber before the last NOTIFY comes there.
    fn is_crossed_by(&self, request: &Subscribe<'_>) -> bool {
        let is_ending = self.ending.is_some() || matches!(self.state, State::Closing(_));
        is_ending && request.expires == Some(0) && request.cseq > self.remote_cseq
    }

    fn is_unanswered(&self, now: Millis) -> bool {
        let outstanding = self.outstanding.as_deref();
        outstanding.is_some_and(|outstanding| now >= outstanding.until)
    }

    /// [RN-3] A 2xx: what the NOTIFY told is known.
    fn take_note(&mut self) {
        if let Some(outstanding) = self.outstanding.take() {
            self.told = outstanding.tells;
        }
        self.refusals = 0;
        self.not_before = Millis(0);
    }

    /// [RN-3, RN-4] A refusal that ends nothing: what the NOTIFY told is not known, and is due again after a
    /// while. `false` if it has been tried often enough.
    fn retries(&mut self, cx: &Context<'_, Config>, retry_after: Option<u32>) -> bool {
        let config = cx.config;
        self.refusals = self.refusals.saturating_add(1);
        if self.refusals >= config.attempts {
            return false;
        }
        let doubled = 1u64.checked_shl(u32::from(self.refusals).saturating_sub(1));
        let wait = config.retry.saturating_mul(doubled.unwrap_or(u64::MAX));
        let asked = u64::from(retry_after.unwrap_or(0)).saturating_mul(1_000);
        let most = u64::from(config.retry_after_limit).saturating_mul(1_000);
        self.not_before = cx.now.after(wait.max(asked).min(most));
        self.outstanding = None;
        self.full_due = true;
        self.state = State::Active {
            due: Some(self.not_before),
        };
        true
    }

    fn seconds_left(&self, now: Millis) -> u32 {
        u32::try_from(self.expires_at.since(now) / 1_000).unwrap_or(u32::MAX)
    }

    /// [RN-1] Never more than was asked (RFC 6665 4.2.1.1); zero makes the NOTIFY that follows the last.
    fn grant(&mut self, cx: &Context<'_, Config>, request: &Subscribe<'_>) {
        let asked = request.expires.unwrap_or(cx.config.default_expires);
        let granted = asked.min(cx.config.max_expires);
        self.expires_at = cx.now.after_seconds(granted);
        if granted == 0 {
            self.ending = Some(End::Unsubscribed);
        }
    }

    /// [RN-2] A SUBSCRIBE is a target refresh (RFC 6665 3.1), and answered with full state (RFC 3680 4.3). A
    /// target that would exceed the limit is not taken.
    fn follow(&mut self, request: &Subscribe<'_>) {
        self.remote_cseq = request.cseq;
        self.full_due = true;
        if request.target != self.target() {
            let mut parts = self.strings.parts();
            parts[TARGET] = request.target;
            if let Some(strings) = Strings::plain(parts, LONGEST_DIALOG) {
                self.strings = strings;
            }
        }
    }

    /// [RN-3] When a change is told: a termination at once, unless a NOTIFY was refused just now.
    fn due<S: Resource>(
        &self,
        cx: &Context<'_, Config>,
        resource: &S,
        due: Option<Millis>,
    ) -> Millis {
        let outstanding = self.outstanding.as_deref();
        let told = outstanding.map_or(self.told, |outstanding| outstanding.tells);
        let may_wait = resource.terminations() <= told && self.ending.is_none();
        let paced = match self.notified_at {
            Some(last) if may_wait => last.after(cx.config.pace).max(cx.now),
            _ => cx.now,
        };
        due.map_or(paced, |due| due.min(paced)).max(self.not_before)
    }

    /// [RN-2, RN-4] The next NOTIFY, the last one if there is a reason for that.
    fn send<R, S>(&mut self, cx: &mut Context<'_, Config>, resource: &S, out: &mut Outbox<R>)
    where
        R: Role,
        R::Event: From<Event>,
        S: Resource,
    {
        // A user who registered again in the meantime keeps the subscription.
        if matches!(self.ending, None | Some(End::NoResource)) {
            self.ending = resource.is_terminated().then_some(End::NoResource);
        }
        self.local_cseq = self.local_cseq.saturating_add(1);
        let (token, branch) = (cx.token(), cx.identifier());
        let document = self.next_document(cx, resource);
        let mut sent = Vec::new();
        let written = self.request(cx.config, token, out, |buffer| {
            let start = buffer.len();
            let body = |buffer: &mut Buffer| resource.write_document(buffer, &document);
            self.write(cx, branch, body, buffer);
            sent.extend_from_slice(buffer.as_slice().get(start..).unwrap_or_default());
        });
        if !written {
            return self.end(End::TooLarge, out);
        }
        self.full_due = false;
        self.version = self.version.saturating_add(1);
        self.notified_at = Some(cx.now);
        self.outstanding = Some(Box::new(Outstanding {
            token: Some(token),
            until: cx.now.after(cx.config.answer_bound),
            tells: resource.changes(),
            bytes: sent.into_boxed_slice(),
        }));
        self.state = match self.ending {
            Some(why) => State::Closing(why),
            None => State::Notifying { due: None },
        };
    }

    /// [RN-2] What the next NOTIFY carries: everything, unless only changes are wanted and the subscriber is
    /// known to know the rest.
    fn next_document<S: Resource>(&self, cx: &Context<'_, Config>, resource: &S) -> Document {
        let is_partial = cx.config.partial_state
            && !self.full_due
            && self.ending.is_none()
            && resource.remembers(self.told);
        Document {
            version: self.version,
            state: match is_partial {
                true => DocumentState::Partial,
                false => DocumentState::Full,
            },
            since: self.told,
            to_user: self.is_own,
            now: cx.now,
        }
    }

    /// [DR-7] The NOTIFY that is out, once more.
    fn offer<R: Role>(&mut self, cx: &mut Context<'_, Config>, out: &mut Outbox<R>) {
        let token = cx.token();
        if let Some(outstanding) = &self.outstanding {
            self.request(cx.config, token, out, |buffer| {
                buffer.put(&outstanding.bytes);
            });
        }
        if let Some(outstanding) = &mut self.outstanding {
            outstanding.token = Some(token);
        }
    }

    /// [RN-4] Ends it without a word to the subscriber, who has made another in its place.
    pub(crate) fn replace<R>(&mut self, out: &mut Outbox<R>)
    where
        R: Role,
        R::Event: From<Event>,
    {
        self.end(End::Replaced, out);
    }

    /// [SD-5] Ends it without a word to the subscriber: another notifier has the user.
    pub(crate) fn leave<R>(&mut self, out: &mut Outbox<R>)
    where
        R: Role,
        R::Event: From<Event>,
    {
        self.end(End::Moved, out);
    }

    fn end<R>(&mut self, why: End, out: &mut Outbox<R>)
    where
        R: Role,
        R::Event: From<Event>,
    {
        self.state = State::Ended;
        self.outstanding = None;
        if !self.is_fetch {
            let (resource, subscriber) = self.parties(out);
            out.event(
                Event::SubscriptionEnded {
                    resource,
                    subscriber,
                    why,
                }
                .into(),
            );
        }
    }

    fn parties<R: Role>(&self, out: &mut Outbox<R>) -> (Text, Text) {
        (
            out.put_text(self.strings.get(LOCAL_URI)),
            out.put_text(self.strings.get(REMOTE_URI)),
        )
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("state", &self.state)
            .field("ending", &self.ending)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// [RN-1] 423 only where RFC 6665 4.2.1.1 allows it.
fn is_too_brief(config: &Config, request: &Subscribe<'_>) -> bool {
    let asked = request.expires.unwrap_or(config.default_expires);
    asked > 0 && asked < 3_600 && asked < config.min_expires
}

/// [RN-4] The answers to a NOTIFY that end the subscription (RFC 6665 4.2.2, RFC 5057 5.2).
#[must_use]
pub const fn ends_subscription(status: u16) -> bool {
    matches!(status, 404 | 405 | 410 | 416 | 480..=485 | 489 | 501 | 604)
}
