//! What an operator decides for a notifier.

use serde::{Deserialize, Serialize};

use crate::{drive::ConfigError, wire::Element};

/// What a notifier decides about its subscriptions.
#[derive(Clone, Debug)]
pub struct Config {
    /// The notifying element.
    pub element: Element,
    /// The longest a subscription is granted, in seconds. Default 600,000.
    pub max_expires: u32,
    /// [RN-1] Less than so many seconds is refused with 423, where RFC 6665 4.2.1.1 allows it: from 1 second
    /// to below an hour. Default 0: never.
    pub min_expires: u32,
    /// Seconds granted to a SUBSCRIBE without Expires. Default 3,761 (RFC 3680 4.4).
    pub default_expires: u32,
    /// [RN-3] Milliseconds between NOTIFYs of changes; a termination never waits. Default 0: no pacing.
    pub pace: u64,
    /// Milliseconds after which a NOTIFY counts as unanswered although the host said nothing.
    /// Default 40,000: more than 64·T1.
    pub answer_bound: u64,
    /// [RN-3] How often a NOTIFY that is refused with a status that does not end the subscription is sent in
    /// all, each time with the state of that moment; then the subscription counts as not answered. Default 4.
    pub attempts: u8,
    /// [RN-3] Milliseconds from such a refusal to the next NOTIFY, doubled with each one that follows.
    /// Default 4,000.
    pub retry: u64,
    /// [RN-3] The longest Retry-After of a refusal that is waited for, in seconds, and the longest wait at
    /// all. Default 120.
    pub retry_after_limit: u32,
    /// [RN-2] Whether a NOTIFY of a change says only what changed, as RFC 3680 4.3 has it by default, instead of
    /// everything, as TS 24.229 5.4.2.1.2 has it. The answer to a SUBSCRIBE, the last NOTIFY, and the one after a
    /// refused one say everything in any case. Default false.
    pub partial_state: bool,
    /// [RN-4] The reason that the final NOTIFY gives when the last registration went. Default `noresource`.
    pub last_registration_gone: Reason,
}

impl Config {
    /// The defaults, for the element given.
    #[must_use]
    pub const fn new(element: Element) -> Self {
        Self {
            element,
            max_expires: 600_000,
            min_expires: 0,
            default_expires: 3_761,
            pace: 0,
            answer_bound: 40_000,
            attempts: 4,
            retry: 4_000,
            retry_after_limit: 120,
            partial_state: false,
            last_registration_gone: Reason::NoResource,
        }
    }

    /// Checks that the values can work together.
    ///
    /// # Errors
    /// [`ConfigError`] names the field.
    pub const fn check(&self) -> Result<(), ConfigError> {
        let (field, what) = if self.max_expires == 0 {
            ("max_expires", "0")
        } else if self.min_expires > 3_600 {
            ("min_expires", "more than 3,600")
        } else if self.min_expires > self.max_expires {
            ("min_expires", "more than max_expires")
        } else if self.default_expires == 0 {
            ("default_expires", "0")
        } else if self.answer_bound == 0 {
            ("answer_bound", "0")
        } else if self.attempts == 0 {
            ("attempts", "0")
        } else if self.retry == 0 {
            ("retry", "0")
        } else {
            return Ok(());
        };
        Err(ConfigError { field, what })
    }
}

/// Why a subscription is said to be terminated (RFC 6665 4.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Reason {
    /// `noresource`: there is nothing to subscribe to any more.
    NoResource,
    /// `timeout`: its time ran out, or the subscriber ended it.
    Timeout,
    /// `deactivated`: to be subscribed anew at once.
    Deactivated,
    /// `rejected`: not to be subscribed again.
    Rejected,
}

impl Reason {
    /// As it stands in Subscription-State.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoResource => "noresource",
            Self::Timeout => "timeout",
            Self::Deactivated => "deactivated",
            Self::Rejected => "rejected",
        }
    }
}
