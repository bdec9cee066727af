//! What can happen to a registration, and what comes of it.

use super::{
    dialogs::{DialogRef, NewDialog},
    registration::Details,
};
use crate::{
    deregister::NotAsked,
    drive::{Initiator, Token},
};

/// [MS-1] What says that a subscriber is no longer active at this MSC server (S1 L21). A handover is none: the anchor MSC
/// goes on serving the subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The HLR has cancelled the location: the subscriber is at another MSC, or withdrawn.
    CancelLocation = 0,
    /// The implicit detach timer has run out: nothing was heard of the subscriber.
    ImplicitDetach = 1,
    /// The subscriber's record is purged.
    Purge = 2,
    /// The subscriber's equipment has detached itself: IMSI detach.
    ExplicitDetach = 3,
    /// The operator has decided so.
    Administrative = 4,
    /// The MSC server is shut down.
    Shutdown = 5,
    /// The registration has run out, and the host has not renewed it.
    Expiry = 6,
    /// The network said so in a NOTIFY.
    Network = 7,
    /// The host itself has sent the REGISTER that ends the registration.
    Host = 8,
}

impl Cause {
    /// [DR-9] Who has begun it.
    #[must_use]
    pub const fn initiator(self) -> Initiator {
        match self {
            Self::CancelLocation | Self::Network => Initiator::HomeNetwork,
            Self::ImplicitDetach | Self::Purge | Self::Expiry => Initiator::Element,
            Self::ExplicitDetach => Initiator::User,
            Self::Administrative | Self::Shutdown | Self::Host => Initiator::Operator,
        }
    }

    /// Whether it says of the subscriber that nobody is active here any more.
    pub(super) const fn is_of_subscriber(self) -> bool {
        match self {
            Self::CancelLocation
            | Self::ImplicitDetach
            | Self::Purge
            | Self::ExplicitDetach
            | Self::Administrative => true,
            Self::Shutdown | Self::Expiry | Self::Network | Self::Host => false,
        }
    }
}

/// How a deregistration ended at the MSC server. The registration details are gone in every case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// [MS-4] The REGISTER was answered 2xx (S1 L44).
    Confirmed,
    /// [MS-5] 404 or 481: nothing was left there.
    NothingThere {
        /// The status code.
        status: u16,
    },
    /// [MS-5] 401 or 407: authentication was asked for, which an MSC server has none of.
    Challenged {
        /// The status code.
        status: u16,
    },
    /// [MS-5] 403 or 423: refused; the binding may remain there until it expires.
    Refused {
        /// The status code.
        status: u16,
    },
    /// [MS-5] Another final response, or one of those that are retried after the last attempt.
    Failed {
        /// The status code.
        status: u16,
    },
    /// [MS-5] No answer to the last attempt.
    NoResponse,
    /// A NOTIFY said that the network has ended the registration. No REGISTER was sent.
    Notified,
    /// The host itself has ended the registration.
    ByHost,
    /// The REGISTER could not be written: what is kept of the registration cannot stand in a message.
    Unsendable,
    /// No REGISTER was sent, or none after the last that was, as its turn did not come; the binding may remain there
    /// until it expires.
    NotAsked {
        /// Why its turn did not come.
        why: NotAsked,
    },
}

/// What can happen to a registration.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// [MS-1] The subscriber is no longer active here. What follows waits for its turn.
    Trigger(Cause),
    /// [MS-1] The subscriber is active here again.
    Returned,
    /// A REGISTER of the host was answered 2xx: the subscriber is registered so, or, with an expiry of 0, no longer. It may
    /// have been sent before the trigger, so it is no return.
    Registered(Details<'a>),
    /// Its turn has come: its dialogs are released, or the REGISTER goes out.
    Turn,
    /// Its turn will not come.
    NotAsked(NotAsked),
    /// The deadline of the shutdown has passed: whatever has not come is not waited for.
    OutOfTime,
    /// The shutdown is called off: who waits for a turn of it is left alone.
    Resumed,
    /// [MS-2] The subscriber has a dialog, or one has changed.
    DialogAdded(NewDialog<'a>),
    /// [MS-2] A dialog has ended.
    DialogEnded(DialogRef),
    /// [MS-2] The release of a dialog has come to its end, whichever.
    Released {
        /// Of the BYE or question.
        token: Token,
    },
    /// A final response to our REGISTER.
    Response {
        /// Of the REGISTER.
        token: Token,
        /// The status code.
        status: u16,
        /// Retry-After in seconds, if it has one.
        retry_after: Option<u32>,
    },
    /// No response to our REGISTER.
    NoResponse {
        /// Of the REGISTER.
        token: Token,
    },
    /// A NOTIFY says that the registration, or our contact, is terminated.
    Terminated,
    /// A NOTIFY says that it lasts only so many seconds more.
    Shortened {
        /// Seconds left.
        expires: u32,
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
    /// It is gone, and the machine with it.
    Gone(Outcome),
}
