//! [RE-8] How a subscription is lost: over, kept to the end of its time, or subscribed anew.

use super::{
    Config, End, Event, FIRST_ROUTE, MOST_STRINGS, NEXT_HOPS, Notified, REMOTE_TAG, ROUTES, State,
    Strings, Subscription, TARGET,
    meaning::{Effect, Retry, of_silence, of_termination},
};
use crate::drive::{Context, Millis, Outbox, Role};

/// Milliseconds that doubling ends at.
const LONGEST_BACKOFF: u64 = 3_600_000;

impl Subscription {
    /// A refresh without response. After its NOTIFY it was only the response that was lost.
    pub(super) fn unanswered<R>(
        &mut self,
        cx: &mut Context<'_, Config>,
        notified: bool,
        out: &mut Outbox<R>,
    ) where
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
    pub(super) fn fail<R>(
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
                    true => cx
                        .now
                        .after(cx.config.refresh_retry.max(asked))
                        .max(self.floor_at),
                    false => self.expires_at,
                };
                self.activate(cx, out);
            }
        }
    }

    /// [RE-8] A subscription that the notifier has not accepted. The first one is over; one that is made anew is
    /// lost once more, where the reason may pass.
    pub(super) fn not_begun<R>(
        &mut self,
        cx: &mut Context<'_, Config>,
        why: End,
        retry: Retry,
        out: &mut Outbox<R>,
    ) where
        R: Role,
        R::Event: From<Event>,
    {
        self.clear_pending();
        match self.attempts {
            0 => self.end(why, out),
            _ => self.lose(cx, why, retry, out),
        }
    }

    /// No SUBSCRIBE is out any more.
    pub(super) fn clear_pending(&mut self) {
        if let Some(State::Subscribing { pending, .. } | State::Refreshing { pending, .. }) =
            self.state.get_mut()
        {
            *pending = None;
        }
    }

    /// [RE-8] A NOTIFY that says terminated.
    pub(super) fn terminated<R>(
        &mut self,
        cx: &mut Context<'_, Config>,
        notify: Notified<'_>,
        out: &mut Outbox<R>,
    ) where
        R: Role,
        R::Event: From<Event>,
    {
        let retry = match notify.nothing_left {
            true => Retry::Never,
            false => of_termination(cx.config, notify.reason, notify.retry_after),
        };
        self.lose(cx, End::Terminated(notify.reason), retry, out);
    }

    /// [RE-8] It is lost: over, or to be subscribed anew.
    pub(super) fn lose<R>(
        &mut self,
        cx: &mut Context<'_, Config>,
        why: End,
        retry: Retry,
        out: &mut Outbox<R>,
    ) where
        R: Role,
        R::Event: From<Event>,
    {
        let config = cx.config;
        if !config.is_rfc6665() || self.leave {
            return self.end(why, out);
        }
        let failed = matches!(why, End::Refused { .. } | End::NoResponse) && self.is_attempt();
        if cx.now >= self.settled_at && !failed {
            self.attempts = 0;
        }
        let paced = match self.attempts.checked_sub(1) {
            Some(before) => backoff(config, before),
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
            Some(granted) if granted < config.floor => self.floor_at,
            _ => Millis(0),
        };
        let until = cx.now.after(wait).max(floor);
        let (pending, timer_n) = match self.state.get() {
            State::Subscribing {
                pending, timer_n, ..
            }
            | State::Refreshing {
                pending, timer_n, ..
            } => (pending.and_then(|pending| pending.token), timer_n),
            _ => (None, cx.now),
        };
        self.state.set(State::Waiting {
            until,
            pending,
            timer_n,
        });
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
    pub(super) fn lapse<R>(&mut self, out: &mut Outbox<R>)
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

    pub(super) fn wait(&mut self, until: Millis) {
        self.state.set(State::Waiting {
            until,
            pending: None,
            timer_n: until,
        });
    }

    /// [RE-8] Another dialog (RFC 6665 4.1.2.2).
    pub(super) fn renew(&mut self, cx: &mut Context<'_, Config>) {
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
        if let Some(strings) = Strings::new(parts, MOST_STRINGS) {
            self.strings = strings;
        }
    }

    /// [RE-8] It is over; the registration is not touched (RE-12).
    pub(super) fn end<R>(&mut self, why: End, out: &mut Outbox<R>)
    where
        R: Role,
        R::Event: From<Event>,
    {
        self.state.set(State::Ended);
        let resource = out.put_text(self.resource());
        out.event(Event::SubscriptionEnded { resource, why }.into());
    }
}

/// [RE-8] Milliseconds to wait after a loss that so many others in a row came before.
pub(super) fn backoff(config: &Config, before: u8) -> u64 {
    let doubled = 1u64.checked_shl(before.into()).unwrap_or(u64::MAX);
    let wait = config.resubscribe_interval.saturating_mul(doubled);
    wait.min(LONGEST_BACKOFF)
}
