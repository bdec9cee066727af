//! [RE-11] What an operator sees of the subscriptions of an address context, under the names that the SBC's
//! operators know.

use alloc::{boxed::Box, vec::Vec};

use super::subscriber::{Standing, Subscription};
use crate::{
    drive::increment,
    wire::{Scheme, Uri, register::bare},
};

/// `sipSubscriptionCountStatistics`: subscriptions of an address context, counted since the system came up. A
/// restore begins anew with the counts; what is active and pending is then what was restored.
///
/// Attempts = successful + failed + those still pending, unless subscriptions wait to be made anew or were
/// restored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubscriptionCountStatistics {
    /// `sipSubscriptionCountAttempts`: initial subscriptions begun.
    pub attempts: u64,
    /// `sipSubscriptionCountSuccessful`: those that the notifier accepted.
    pub successful: u64,
    /// `sipSubscriptionCountActive`: subscriptions active now.
    pub active: u64,
    /// `sipSubscriptionCountPending`: subscriptions begun, and not active yet.
    pub pending: u64,
    /// `sipSubscriptionCountFailed`: initial subscriptions that came to nothing.
    pub failed: u64,
}

impl SubscriptionCountStatistics {
    /// The values under their exact names, in the order of the operators' display.
    #[must_use]
    pub const fn named(&self) -> [(&'static str, u64); 5] {
        [
            ("sipSubscriptionCountAttempts", self.attempts),
            ("sipSubscriptionCountSuccessful", self.successful),
            ("sipSubscriptionCountActive", self.active),
            ("sipSubscriptionCountPending", self.pending),
            ("sipSubscriptionCountFailed", self.failed),
        ]
    }
}

/// A row of `sipGeneratedSubscriptionStatus`: one subscription that is present. Those that are over have none.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct GeneratedSubscriptionStatus<'s> {
    /// `id`: its number in this node.
    pub id: u32,
    /// `packageName`: `reg`.
    pub package_name: &'static str,
    /// `registrarIpAddress`: the host of the notifier, an address where its Contact has one; of the first next
    /// hop before it is known; empty if neither is.
    pub registrar_ip_address: &'s [u8],
    /// `extExpirationTime`: seconds granted; 0 before any were.
    pub ext_expiration_time: u32,
    /// `subscriptionState`: see [`state_name`](Self::state_name).
    pub subscription_state: Standing,
    /// `domainName`: the domain of the public identity subscribed to; empty for a `tel` URI.
    pub domain_name: &'s [u8],
}

impl<'s> GeneratedSubscriptionStatus<'s> {
    /// The names of the columns, in the order of the operators' display.
    pub const NAMES: [&'static str; 6] = [
        "id",
        "packageName",
        "registrarIpAddress",
        "extExpirationTime",
        "subscriptionState",
        "domainName",
    ];

    pub(super) fn of(id: u32, subscription: &'s Subscription) -> Option<Self> {
        let standing = subscription.standing();
        (standing != Standing::None).then(|| Self {
            id,
            package_name: "reg",
            registrar_ip_address: host(subscription.registrar()),
            ext_expiration_time: subscription.granted(),
            subscription_state: standing,
            domain_name: host(subscription.resource()),
        })
    }

    /// The state as it is displayed: `pending`, `active`, `waiting` or `terminating`.
    #[must_use]
    pub const fn state_name(&self) -> &'static str {
        match self.subscription_state {
            Standing::None => "",
            Standing::Pending => "pending",
            Standing::Active => "active",
            Standing::Waiting => "waiting",
            Standing::Terminating => "terminating",
        }
    }
}

impl core::fmt::Debug for GeneratedSubscriptionStatus<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("GeneratedSubscriptionStatus")
            .field("id", &self.id)
            .field("ext_expiration_time", &self.ext_expiration_time)
            .field("subscription_state", &self.subscription_state)
            .finish_non_exhaustive()
    }
}

/// The host of a SIP URI, an IPv6 address without its brackets.
fn host(uri: &[u8]) -> &[u8] {
    let bare = match Uri::parse(uri) {
        Ok(parsed) if matches!(parsed.scheme(), Scheme::Sip | Scheme::Sips) => bare(&parsed),
        _ => return b"",
    };
    let user = memchr::memrchr(b'@', bare).map_or(0, |at| at.saturating_add(1));
    let host = bare.get(user..).unwrap_or_default();
    let address = host.strip_prefix(b"[").and_then(|h| h.strip_suffix(b"]"));
    address.unwrap_or(host)
}

/// The counts of every address context.
#[derive(Debug, Default)]
pub(super) struct Statistics {
    contexts: Vec<(Box<[u8]>, SubscriptionCountStatistics)>,
}

/// How a subscription stands, as far as it is counted.
#[derive(Clone, Copy)]
pub(super) struct Counted {
    standing: Standing,
    is_attempt: bool,
}

impl Counted {
    pub(super) const NOTHING: Self = Self {
        standing: Standing::None,
        is_attempt: false,
    };

    pub(super) fn of(subscription: &Subscription) -> Self {
        Self {
            standing: subscription.standing(),
            is_attempt: subscription.is_attempt(),
        }
    }
}

impl Statistics {
    /// The number of an address context.
    pub(super) fn context(&mut self, name: &[u8]) -> u16 {
        let known = self.contexts.iter().position(|(own, _)| **own == *name);
        let place = known.unwrap_or_else(|| {
            self.contexts
                .push((name.into(), SubscriptionCountStatistics::default()));
            self.contexts.len().saturating_sub(1)
        });
        u16::try_from(place).unwrap_or(u16::MAX)
    }

    pub(super) fn name(&self, context: u16) -> &[u8] {
        let found = self.contexts.get(usize::from(context));
        found.map_or(b"", |(name, _)| name)
    }

    pub(super) fn of(&self, name: &[u8]) -> SubscriptionCountStatistics {
        let found = self.contexts.iter().find(|(own, _)| **own == *name);
        found.map_or_else(Default::default, |(_, counts)| *counts)
    }

    /// Counts what a step, or a restore, has made of a subscription.
    pub(super) fn note(&mut self, context: u16, before: Counted, after: Counted) {
        let Some((_, counts)) = self.contexts.get_mut(usize::from(context)) else {
            return;
        };
        match (before.is_attempt, after.is_attempt) {
            (false, true) => increment(&mut counts.attempts),
            (true, false) => increment(match after.standing {
                Standing::None | Standing::Waiting => &mut counts.failed,
                _ => &mut counts.successful,
            }),
            _ => {}
        }
        counts.leave(before.standing);
        counts.enter(after.standing);
    }

    /// Counts a subscription that was restored: it is there, but nothing happened.
    pub(super) fn note_restored(&mut self, context: u16, now: Counted) {
        if let Some((_, counts)) = self.contexts.get_mut(usize::from(context)) {
            counts.enter(now.standing);
        }
    }
}

impl SubscriptionCountStatistics {
    const fn gauge(&mut self, standing: Standing) -> Option<&mut u64> {
        match standing {
            Standing::Active => Some(&mut self.active),
            Standing::Pending | Standing::Waiting => Some(&mut self.pending),
            Standing::None | Standing::Terminating => None,
        }
    }

    const fn enter(&mut self, standing: Standing) {
        if let Some(gauge) = self.gauge(standing) {
            *gauge = gauge.saturating_add(1);
        }
    }

    const fn leave(&mut self, standing: Standing) {
        if let Some(gauge) = self.gauge(standing) {
            *gauge = gauge.saturating_sub(1);
        }
    }
}
