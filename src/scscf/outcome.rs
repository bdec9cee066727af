//! What starts a deregistration, what that means to HSS and subscribers, and how it went.
//!
//! | cause | Server-Assignment-Type | contact event |
//! |---|---|---|
//! | [`Cause::User`], [`Cause::Pcscf`] | 5, or 7 | `unregistered` |
//! | [`Cause::Expired`] | 4, or 6 | `expired` |
//! | [`Cause::NotReauthenticated`] | 4, or 6 | `deactivated` |
//! | [`DeregistrationReason::Maintenance`] | 8 | `deactivated` |
//! | [`DeregistrationReason::Refused`] | 8 | `rejected` |
//! | [`DeregistrationReason::WaitAndRetry`] | 8 | `probation`, with the time to wait |
//! | [`DeregistrationReason::AuthenticationFailed`] | 9 | `rejected` |
//! | [`DeregistrationReason::AuthenticationTimeout`] | 10 | `deactivated` |
//! | [`DeregistrationReason::TooMuchData`] | 11 | `rejected` |
//! | [`TerminationReason::PermanentTermination`] | none | `rejected` |
//! | [`TerminationReason::ServerChange`] | none | `deactivated` |
//! | [`TerminationReason::NewServerAssigned`] | none | none: nobody is told |
//! | [`TerminationReason::RemoveScscf`] | none | none: nothing registered is touched |
//!
//! 6 and 7 with [`Config::keep_server_name`](super::Config::keep_server_name). Subscriptions end with the last
//! contact of the set, with a NOTIFY that says so; with `NewServerAssigned` without one.

use serde::{Deserialize, Serialize};

use super::{AssignmentKind, Reasons};
use crate::{drive::Initiator, regevent::contact_events};

/// What started a deregistration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Cause {
    /// The P-CSCF, in its own name (S0).
    Pcscf,
    /// The user.
    User,
    /// The time of the binding ran out.
    Expired,
    /// [SD-5] The operator, or the registrar beside this node.
    Operator(DeregistrationReason),
    /// [SD-5] The HSS.
    Hss(TerminationReason),
    /// [SD-6] The user did not authenticate anew in the time that was left for that.
    NotReauthenticated,
}

/// [SD-5] Why the operator, or the registrar beside this node, ends registrations (TS 24.229 5.4.1.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum DeregistrationReason {
    /// This S-CSCF stops, or serves others: the user is to register again at once.
    Maintenance,
    /// The user is not to register again, as one without funds.
    Refused,
    /// The user is to register again after a while.
    WaitAndRetry {
        /// Seconds until then.
        retry_after: u32,
    },
    /// The user who was to authenticate anew gave wrong credentials.
    AuthenticationFailed,
    /// The user who was to authenticate anew did not answer the challenge.
    AuthenticationTimeout,
    /// The HSS sent a profile larger than can be taken.
    TooMuchData,
}

/// [SD-5] Why the HSS ends registrations: the Reason-Code of a Registration-Termination-Request (TS 29.228
/// 6.1.3, TS 29.229 6.3.17).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum TerminationReason {
    /// `PERMANENT_TERMINATION`: the subscription is over; the user is not to register again.
    PermanentTermination,
    /// `NEW_SERVER_ASSIGNED`: another S-CSCF serves the user. All that is here is forgotten: nobody is told, and
    /// neither dialogs nor application servers are touched, which are the other's by now.
    NewServerAssigned,
    /// `SERVER_CHANGE`: another S-CSCF is to serve the user, who registers again at once.
    ServerChange,
    /// `REMOVE_S-CSCF`: this one serves the unregistered user no more. It concerns the profile that the host keeps
    /// of a user without registration, and nothing that this node has.
    RemoveScscf,
}

impl TerminationReason {
    /// The reason with that value of Reason-Code; `None` for one that there is not.
    #[must_use]
    pub const fn of_code(code: u32) -> Option<Self> {
        Some(match code {
            0 => Self::PermanentTermination,
            1 => Self::NewServerAssigned,
            2 => Self::ServerChange,
            3 => Self::RemoveScscf,
            _ => return None,
        })
    }
}

impl Cause {
    /// [DR-9] Who has begun it. What an element sends that has authenticated the user counts as the user's, and with
    /// [`Config::observe_only`](super::Config::observe_only) what a P-CSCF sends as well.
    #[must_use]
    pub const fn initiator(self) -> Initiator {
        match self {
            Self::Pcscf => Initiator::Pcscf,
            Self::User => Initiator::User,
            Self::Expired => Initiator::Element,
            Self::NotReauthenticated | Self::Operator(_) => Initiator::Operator,
            Self::Hss(_) => Initiator::HomeNetwork,
        }
    }

    /// [SD-4, SD-5] What the HSS is told (TS 29.229 6.3.15), if its name is to be kept there or not. `None`: it
    /// knows.
    #[must_use]
    pub const fn assignment(self, keep_server_name: bool) -> Option<AssignmentKind> {
        use DeregistrationReason as By;
        Some(match (self, keep_server_name) {
            (Self::Expired | Self::NotReauthenticated, false) => {
                AssignmentKind::TimeoutDeregistration
            }
            (Self::Expired | Self::NotReauthenticated, true) => {
                AssignmentKind::TimeoutDeregistrationStoreServerName
            }
            (Self::Pcscf | Self::User, false) => AssignmentKind::UserDeregistration,
            (Self::Pcscf | Self::User, true) => AssignmentKind::UserDeregistrationStoreServerName,
            (Self::Operator(By::AuthenticationFailed), _) => AssignmentKind::AuthenticationFailure,
            (Self::Operator(By::AuthenticationTimeout), _) => AssignmentKind::AuthenticationTimeout,
            (Self::Operator(By::TooMuchData), _) => AssignmentKind::DeregistrationTooMuchData,
            (Self::Operator(By::Maintenance | By::Refused | By::WaitAndRetry { .. }), _) => {
                AssignmentKind::AdministrativeDeregistration
            }
            (Self::Hss(_), _) => return None,
        })
    }

    /// [SD-5, RN-2] What subscribers are told of the contacts. `None`: nothing.
    #[must_use]
    pub const fn told_as(self) -> Option<contact_events::Cause> {
        use DeregistrationReason as By;
        use TerminationReason as Rtr;
        Some(match self {
            Self::Pcscf | Self::User => contact_events::Cause::Register,
            Self::Expired => contact_events::Cause::Timer,
            Self::NotReauthenticated => contact_events::Cause::Reauthentication,
            Self::Operator(By::WaitAndRetry { retry_after }) => {
                contact_events::Cause::Probation { retry_after }
            }
            Self::Operator(By::Maintenance | By::AuthenticationTimeout)
            | Self::Hss(Rtr::ServerChange) => contact_events::Cause::Deactivation,
            Self::Operator(By::Refused | By::AuthenticationFailed | By::TooMuchData)
            | Self::Hss(Rtr::PermanentTermination) => contact_events::Cause::Rejection,
            Self::Hss(Rtr::NewServerAssigned | Rtr::RemoveScscf) => return None,
        })
    }
}

/// How the release of the dialogs went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Dialogs {
    /// They are released.
    Released,
    /// The host could not release them.
    Failed,
    /// The host did not say within the bound.
    NoAnswer,
    /// They were not to be released: another S-CSCF serves the user.
    NotNeeded,
}

/// [SD-8] How the HSS took it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Assignment {
    /// It was not asked: the private identity keeps a binding, or it is the HSS that ended the registration.
    NotNeeded,
    /// It was told.
    Assigned,
    /// It could not be told, or refused.
    Failed,
    /// No answer within the bound.
    NoAnswer,
    /// It was told, and has not kept the name of this S-CSCF, as it was asked to: the profile is of no more use.
    NameNotStored,
}

/// [DR-9] How a deregistration ended, in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Conclusion {
    /// The bindings are gone from here.
    Deregistered(Outcome),
    /// Nothing was removed.
    Refused {
        /// With what the REGISTER was answered.
        status: u16,
        /// Why it was suspicious; none for what looks like any user's.
        reasons: Reasons,
        /// [SD-3] How the HSS took it, if it was told because nothing is bound here.
        assignment: Assignment,
    },
}

/// How a deregistration went. The bindings are gone from here in every case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Their dialogs.
    pub dialogs: Dialogs,
    /// The HSS.
    pub assignment: Assignment,
    /// Application servers that answered the third-party REGISTER with 2xx.
    pub servers_told: u8,
    /// Application servers that did not.
    pub servers_failed: u8,
}

impl Outcome {
    pub(super) const fn count(&mut self, told: bool) {
        let counter = if told {
            &mut self.servers_told
        } else {
            &mut self.servers_failed
        };
        *counter = counter.saturating_add(1);
    }
}
