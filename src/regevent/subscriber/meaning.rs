//! [RE-8] What an answer to a SUBSCRIBE, its absence, or a reason of termination means to a subscription.

use super::{Config, Profile};
use crate::regevent::notification::Termination;

/// What a refresh that failed does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// The subscription is over.
    End,
    /// It lasts until its granted time is over; a refresh may be tried again.
    Keep {
        /// Whether it is.
        again: bool,
    },
    /// It is unknown there: subscribe anew.
    Anew,
}

/// Whether and when to subscribe anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retry {
    Never,
    AtOnce,
    /// After so many seconds.
    After(u32),
}

/// [RE-8] The final response to a refresh, 2xx apart: S2 L45, and RFC 6665 4.1.2.2.
pub(super) fn of_refusal(config: &Config, status: u16) -> Effect {
    match config.profile {
        Profile::Sbc => of_any_error(config),
        Profile::Rfc6665 => match status {
            481 => Effect::Anew,
            404 | 405 | 410 | 416 | 480 | 482..=485 | 489 | 501 | 604 => Effect::End,
            _ => Effect::Keep { again: true },
        },
    }
}

/// [RE-8] A refusal of the SUBSCRIBE of a subscription that is made anew. A server that fails, or does not answer in
/// time, may do better later; what does not know the request or the user will not.
pub(super) fn of_refusal_anew(status: u16, retry_after: Option<u32>) -> Retry {
    match (status, retry_after) {
        (408 | 500 | 502..=599, None) => Retry::AtOnce,
        (408 | 500 | 502..=599, Some(seconds)) => Retry::After(seconds),
        _ => Retry::Never,
    }
}

/// [RE-8] No response to a refresh: as 408 (RFC 3261 8.1.3.1).
pub(super) fn of_silence(config: &Config) -> Effect {
    of_refusal(config, 408)
}

fn of_any_error(config: &Config) -> Effect {
    match config.keep_on_refresh_error {
        true => Effect::Keep { again: false },
        false => Effect::End,
    }
}

/// [RE-8] A NOTIFY that says terminated: RFC 6665 4.1.3. A filter that is bad stays bad, and we send none
/// (RFC 4660 4.1).
pub(super) fn of_termination(
    config: &Config,
    reason: Termination,
    retry_after: Option<u32>,
) -> Retry {
    match (reason, retry_after) {
        (Termination::Deactivated | Termination::Timeout, _) => Retry::AtOnce,
        (Termination::Probation, None) => Retry::After(config.probation_wait),
        (Termination::GiveUp | Termination::Other, None) => Retry::AtOnce,
        (Termination::Probation | Termination::GiveUp | Termination::Other, Some(seconds)) => {
            Retry::After(seconds)
        }
        (
            Termination::Rejected
            | Termination::NoResource
            | Termination::Invariant
            | Termination::BadFilter,
            _,
        ) => Retry::Never,
    }
}
