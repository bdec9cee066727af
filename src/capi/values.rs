//! Numbers that stand for values, in and out. Each keeps its meaning for ever; 0 is none of them.

use super::status::{Fault, imsp_status};
use crate::{
    drive::{Initiator, Source, Towards, Verdict},
    fleet::pacer::BadCanaries,
    pcscf::{Cause, Evidence, NextHop, NotAsked, Outcome},
    regevent::{
        notification::Termination,
        subscriber::{End, Party, Profile, Routing},
        trunk_group::Network,
    },
};

/// A number that a caller gives.
pub(super) trait Number: Copy + 'static {
    /// All that there are.
    const ALL: &'static [Self];

    fn number(self) -> u32;

    /// [CA-1] What a caller's number stands for.
    ///
    /// # Errors
    /// A number that stands for nothing.
    fn read(number: u32) -> Result<Self, Fault> {
        let found = Self::ALL.iter().find(|known| known.number() == number);
        found.copied().ok_or(imsp_status::UnknownValue.into())
    }
}

/// How far the sender of some bytes is to be believed.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum imsp_source {
    /// An element inside the trust domain, over an interface the operator protects (TS 33.210).
    TrustedCore = 1,
    /// A user's equipment, whatever it claims.
    Ue = 2,
    /// Anyone else.
    Unknown = 3,
}

impl Number for imsp_source {
    const ALL: &'static [Self] = &[Self::TrustedCore, Self::Ue, Self::Unknown];

    fn number(self) -> u32 {
        self as u32
    }
}

impl From<imsp_source> for Source {
    fn from(source: imsp_source) -> Self {
        match source {
            imsp_source::TrustedCore => Self::TrustedCore,
            imsp_source::Ue => Self::Ue,
            imsp_source::Unknown => Self::Unknown,
        }
    }
}

/// Towards whom a request goes: it decides the SIP timers (TS 24.229 7.7).
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum imsp_towards {
    /// Another element of the IM core network subsystem: T1 is 0.5 s.
    Core = 1,
    /// A user's equipment over the air: T1 is 2 s.
    Ue = 2,
}

impl From<Towards> for imsp_towards {
    fn from(towards: Towards) -> Self {
        match towards {
            Towards::Core => Self::Core,
            Towards::Ue => Self::Ue,
        }
    }
}

/// What became of something that was handed in.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum imsp_verdict_kind {
    /// Taken. What is owed for it is an output, or will be when an answer comes.
    Handled = 1,
    /// Of no concern to this node; the caller goes on as if it had not asked.
    NotMine = 2,
    /// The caller, as the proxy that it is, passes the message on.
    Forward = 3,
    /// The caller keeps the message until the request or question with the token is settled.
    Hold = 4,
    /// The caller answers with the SIP status, and with Retry-After unless that is 0.
    Refuse = 5,
    /// The bytes were not accepted and changed nothing. If an answer to them is possible at all, it is an output.
    Rejected = 6,
}

impl From<&Verdict> for imsp_verdict_kind {
    fn from(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Handled => Self::Handled,
            Verdict::NotMine => Self::NotMine,
            Verdict::Forward => Self::Forward,
            Verdict::Hold(_) => Self::Hold,
            Verdict::Refuse { .. } => Self::Refuse,
            Verdict::Rejected(_) => Self::Rejected,
        }
    }
}

/// Who has begun a procedure. Later releases may add some.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum imsp_initiator {
    /// The user, by the equipment that is served.
    User = 1,
    /// The access network, which has lost the user's equipment.
    AccessNetwork = 2,
    /// The P-CSCF, in its own name, as another element sees it.
    Pcscf = 3,
    /// The home network: S-CSCF, HSS or HLR.
    HomeNetwork = 4,
    /// The operator of this element, or the caller.
    Operator = 5,
    /// This element by itself: a time has run out there, or it has found that a dialog or a record is gone.
    Element = 6,
    /// The other CPM entity of a session.
    OtherEntity = 7,
    /// An interworking function of a session.
    Iwf = 8,
}

impl From<Initiator> for imsp_initiator {
    fn from(initiator: Initiator) -> Self {
        match initiator {
            Initiator::User => Self::User,
            Initiator::AccessNetwork => Self::AccessNetwork,
            Initiator::Pcscf => Self::Pcscf,
            Initiator::HomeNetwork => Self::HomeNetwork,
            Initiator::Operator => Self::Operator,
            Initiator::Element => Self::Element,
            Initiator::OtherEntity => Self::OtherEntity,
            Initiator::Iwf => Self::Iwf,
        }
    }
}

/// What a report of loss rests on.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum imsp_evidence {
    /// The policy server reports the loss or release of the signalling bearer (TS 29.214 4.4.6).
    BearerLost = 1,
    /// The transport connection of the UE was closed: a TCP or TLS flow, by either side.
    FlowClosed = 2,
    /// The UE has not answered a probe: OPTIONS, a keep-alive, a ping. A report for each.
    ProbeMissed = 3,
    /// Nothing has come over the security association for as long as the caller finds suspicious.
    SecurityAssociationIdle = 4,
}

impl Number for imsp_evidence {
    const ALL: &'static [Self] = &[
        Self::BearerLost,
        Self::FlowClosed,
        Self::ProbeMissed,
        Self::SecurityAssociationIdle,
    ];

    fn number(self) -> u32 {
        self as u32
    }
}

impl From<imsp_evidence> for Evidence {
    fn from(evidence: imsp_evidence) -> Self {
        match evidence {
            imsp_evidence::BearerLost => Self::BearerLost,
            imsp_evidence::FlowClosed => Self::FlowClosed,
            imsp_evidence::ProbeMissed => Self::ProbeMissed,
            imsp_evidence::SecurityAssociationIdle => Self::SecurityAssociationIdle,
        }
    }
}

impl From<Evidence> for imsp_evidence {
    fn from(evidence: Evidence) -> Self {
        match evidence {
            Evidence::BearerLost => Self::BearerLost,
            Evidence::FlowClosed => Self::FlowClosed,
            Evidence::ProbeMissed => Self::ProbeMissed,
            Evidence::SecurityAssociationIdle => Self::SecurityAssociationIdle,
        }
    }
}

/// Where the deregistering REGISTER goes: the values of IMSP_PCSCF_OPTION_NEXT_HOP.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum imsp_next_hop {
    /// The entry point of the home network (an I-CSCF).
    HomeEntryPoint = 1,
    /// The Service-Route of the registration; without one, the entry point.
    ServiceRoute = 2,
}

impl Number for imsp_next_hop {
    const ALL: &'static [Self] = &[Self::HomeEntryPoint, Self::ServiceRoute];

    fn number(self) -> u32 {
        self as u32
    }
}

impl From<imsp_next_hop> for NextHop {
    fn from(hop: imsp_next_hop) -> Self {
        match hop {
            imsp_next_hop::HomeEntryPoint => Self::HomeEntryPoint,
            imsp_next_hop::ServiceRoute => Self::ServiceRoute,
        }
    }
}

impl From<NextHop> for imsp_next_hop {
    fn from(hop: NextHop) -> Self {
        match hop {
            NextHop::HomeEntryPoint => Self::HomeEntryPoint,
            NextHop::ServiceRoute => Self::ServiceRoute,
        }
    }
}

/// Which rules a subscription follows where they differ: the values of IMSP_SUBSCRIPTION_OPTION_PROFILE.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum imsp_profile {
    /// Any error response, no response, or a NOTIFY that says terminated deletes the subscription.
    Sbc = 1,
    /// RFC 6665 and TS 24.229 5.2.3: one that is lost is subscribed anew where its reason allows it.
    Rfc6665 = 2,
}

impl Number for imsp_profile {
    const ALL: &'static [Self] = &[Self::Sbc, Self::Rfc6665];

    fn number(self) -> u32 {
        self as u32
    }
}

impl From<imsp_profile> for Profile {
    fn from(profile: imsp_profile) -> Self {
        match profile {
            imsp_profile::Sbc => Self::Sbc,
            imsp_profile::Rfc6665 => Self::Rfc6665,
        }
    }
}

impl From<Profile> for imsp_profile {
    fn from(profile: Profile) -> Self {
        match profile {
            Profile::Sbc => Self::Sbc,
            Profile::Rfc6665 => Self::Rfc6665,
        }
    }
}

/// In whose name a SUBSCRIBE is sent: the values of IMSP_SUBSCRIPTION_OPTION_PARTY.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum imsp_party {
    /// An element in its own name (TS 24.229 5.2.3).
    Element = 1,
    /// An element in the name of the user it serves, an MSC server (TS 24.292 6.3).
    ServedUser = 2,
    /// A UE (TS 24.229 5.1.1.3).
    Ue = 3,
}

impl Number for imsp_party {
    const ALL: &'static [Self] = &[Self::Element, Self::ServedUser, Self::Ue];

    fn number(self) -> u32 {
        self as u32
    }
}

impl From<imsp_party> for Party {
    fn from(party: imsp_party) -> Self {
        match party {
            imsp_party::Element => Self::Element,
            imsp_party::ServedUser => Self::ServedUser,
            imsp_party::Ue => Self::Ue,
        }
    }
}

impl From<Party> for imsp_party {
    fn from(party: Party) -> Self {
        match party {
            Party::Element => Self::Element,
            Party::ServedUser => Self::ServedUser,
            Party::Ue => Self::Ue,
        }
    }
}

/// How the next hops of an initial SUBSCRIBE are found: the values of IMSP_SUBSCRIPTION_OPTION_ROUTING.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum imsp_routing {
    /// The entry points, in order; without any, whatever the domain of the public identity resolves to.
    EntryPoints = 1,
    /// The caller is asked (IMSP_SUBSCRIPTION_QUESTION_ROUTING).
    Question = 2,
}

impl Number for imsp_routing {
    const ALL: &'static [Self] = &[Self::EntryPoints, Self::Question];

    fn number(self) -> u32 {
        self as u32
    }
}

impl From<imsp_routing> for Routing {
    fn from(routing: imsp_routing) -> Self {
        match routing {
            imsp_routing::EntryPoints => Self::EntryPoints,
            imsp_routing::Question => Self::Question,
        }
    }
}

impl From<Routing> for imsp_routing {
    fn from(routing: Routing) -> Self {
        match routing {
            Routing::EntryPoints => Self::EntryPoints,
            Routing::Question => Self::Question,
        }
    }
}

/// Where an element stands, seen from the users of a trunk group: the values of IMSP_SUBSCRIPTION_OPTION_NETWORK.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum imsp_network {
    /// In their home network.
    Home = 1,
    /// In a network that they visit.
    Visited = 2,
}

impl Number for imsp_network {
    const ALL: &'static [Self] = &[Self::Home, Self::Visited];

    fn number(self) -> u32 {
        self as u32
    }
}

impl From<imsp_network> for Network {
    fn from(network: imsp_network) -> Self {
        match network {
            imsp_network::Home => Self::Home,
            imsp_network::Visited => Self::Visited,
        }
    }
}

impl From<Network> for imsp_network {
    fn from(network: Network) -> Self {
        match network {
            Network::Home => Self::Home,
            Network::Visited => Self::Visited,
        }
    }
}

/// What started a deregistration.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum imsp_pcscf_cause {
    /// The access network lost the UE.
    AccessLost = 1,
    /// The registration ran out at the P-CSCF.
    RegistrationTimer = 2,
    /// The network said so in a NOTIFY.
    Network = 3,
    /// The UE deregistered itself.
    User = 4,
    /// The P-CSCF is shut down.
    Shutdown = 5,
    /// The security associations ran out at the P-CSCF.
    SecurityAssociationTimer = 6,
}

impl From<Cause> for imsp_pcscf_cause {
    fn from(cause: Cause) -> Self {
        match cause {
            Cause::AccessLost => Self::AccessLost,
            Cause::RegistrationTimer => Self::RegistrationTimer,
            Cause::Network => Self::Network,
            Cause::User => Self::User,
            Cause::Shutdown => Self::Shutdown,
            Cause::SecurityAssociationTimer => Self::SecurityAssociationTimer,
        }
    }
}

/// How a deregistration ended at the P-CSCF. The local state is gone in every case.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum imsp_pcscf_outcome {
    /// A NOTIFY said that the contact is gone.
    Notified = 1,
    /// The REGISTER was answered 2xx; no NOTIFY came, or none was to be expected.
    Unconfirmed = 2,
    /// 404 or 481, which `sip_status` tells: nothing was left there.
    NothingThere = 3,
    /// 401 or 407, which `sip_status` tells: that network does not support P-CSCF-initiated deregistration.
    Unsupported = 4,
    /// 403: refused; the binding may remain there until it expires.
    Refused = 5,
    /// Another final response, which `sip_status` tells, or one that is retried after the last attempt.
    Failed = 6,
    /// No answer to the last attempt.
    NoResponse = 7,
    /// The UE deregistered itself.
    ByUser = 8,
    /// An emergency registration ran out. No REGISTER is sent for those.
    Expired = 9,
    /// The REGISTER could not be written: something that was learnt cannot stand in a header.
    Unsendable = 10,
    /// No REGISTER was sent, or none after the last that was, as its turn did not come, for the reason in `not_asked`;
    /// the binding may remain there until it expires.
    NotAsked = 11,
}

impl imsp_pcscf_outcome {
    /// The outcome, and the SIP status that it carries, or 0.
    pub(super) const fn of(outcome: Outcome) -> (Self, u16) {
        match outcome {
            Outcome::Notified => (Self::Notified, 0),
            Outcome::Unconfirmed => (Self::Unconfirmed, 0),
            Outcome::NothingThere { status } => (Self::NothingThere, status),
            Outcome::Unsupported { status } => (Self::Unsupported, status),
            Outcome::Refused => (Self::Refused, 0),
            Outcome::Failed { status } => (Self::Failed, status),
            Outcome::NoResponse => (Self::NoResponse, 0),
            Outcome::ByUser => (Self::ByUser, 0),
            Outcome::Expired => (Self::Expired, 0),
            Outcome::Unsendable => (Self::Unsendable, 0),
            Outcome::NotAsked { .. } => (Self::NotAsked, 0),
        }
    }
}

/// Why the turn of a registration did not come.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum imsp_pcscf_not_asked {
    /// The deadline of the shutdown has passed.
    Deadline = 1,
    /// Its home domain refused the users asked before it.
    Domain = 2,
    /// It has waited for IMSP_PCSCF_OPTION_TURN_BOUND.
    TurnBound = 3,
}

impl imsp_pcscf_not_asked {
    /// The number of the reason, or 0 for any other outcome.
    pub(super) const fn of(outcome: Outcome) -> u32 {
        let Outcome::NotAsked { why } = outcome else {
            return 0;
        };
        let why = match why {
            NotAsked::Deadline => Self::Deadline,
            NotAsked::Domain => Self::Domain,
            NotAsked::TurnBound => Self::TurnBound,
        };
        why as u32
    }
}

/// What follows where the first REGISTERs to a home domain came back bad: the values of
/// IMSP_PCSCF_OPTION_PACING_BAD_CANARIES.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum imsp_bad_canaries {
    /// Nothing more goes there: who waits is not asked.
    Stop = 1,
    /// Others go after a pause, as often as it takes.
    Slowly = 2,
}

impl Number for imsp_bad_canaries {
    const ALL: &'static [Self] = &[Self::Stop, Self::Slowly];

    fn number(self) -> u32 {
        self as u32
    }
}

impl From<imsp_bad_canaries> for BadCanaries {
    fn from(canaries: imsp_bad_canaries) -> Self {
        match canaries {
            imsp_bad_canaries::Stop => Self::Stop,
            imsp_bad_canaries::Slowly => Self::Slowly,
        }
    }
}

impl From<BadCanaries> for imsp_bad_canaries {
    fn from(canaries: BadCanaries) -> Self {
        match canaries {
            BadCanaries::Stop => Self::Stop,
            BadCanaries::Slowly => Self::Slowly,
        }
    }
}

/// Why a subscription ended.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum imsp_subscription_end {
    /// A SUBSCRIBE was answered with `sip_status`.
    Refused = 1,
    /// A SUBSCRIBE was not answered, or not followed by a NOTIFY within Timer N.
    NoResponse = 2,
    /// The routing question was answered that there is no route.
    NoRoute = 3,
    /// A NOTIFY said that it is terminated, for the reason in `termination`.
    Terminated = 4,
    /// The time granted ran out.
    Expired = 5,
    /// We ended it.
    Unsubscribed = 6,
    /// The user was registered anew while it ended: another one takes its place.
    Replaced = 7,
}

/// Why a NOTIFY says that a subscription is terminated (RFC 6665 4.1.3, RFC 4660 4.1).
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum imsp_termination {
    /// `deactivated`: to be subscribed anew at once.
    Deactivated = 1,
    /// `probation`: to be subscribed anew later.
    Probation = 2,
    /// `rejected`: by a change of policy; not to be subscribed anew.
    Rejected = 3,
    /// `timeout`: its time ran out.
    Timeout = 4,
    /// `giveup`: the notifier could not find out whether it is allowed.
    GiveUp = 5,
    /// `noresource`: there is nothing to subscribe to any more.
    NoResource = 6,
    /// `invariant`: the state will not change any more.
    Invariant = 7,
    /// `badfilter`: the filter cannot be used.
    BadFilter = 8,
    /// None, or one that is not registered.
    Other = 9,
}

impl From<Termination> for imsp_termination {
    fn from(termination: Termination) -> Self {
        match termination {
            Termination::Deactivated => Self::Deactivated,
            Termination::Probation => Self::Probation,
            Termination::Rejected => Self::Rejected,
            Termination::Timeout => Self::Timeout,
            Termination::GiveUp => Self::GiveUp,
            Termination::NoResource => Self::NoResource,
            Termination::Invariant => Self::Invariant,
            Termination::BadFilter => Self::BadFilter,
            Termination::Other => Self::Other,
        }
    }
}

/// Why a subscription ended, flat: each 0 where there is nothing to say.
#[derive(Clone, Copy, Default)]
pub(super) struct Ended {
    pub(super) end: u32,
    pub(super) sip_status: u32,
    pub(super) termination: u32,
}

impl From<End> for Ended {
    fn from(end: End) -> Self {
        let only = |end: imsp_subscription_end| Self {
            end: end as u32,
            ..Self::default()
        };
        match end {
            End::Refused { status } => Self {
                sip_status: status.into(),
                ..only(imsp_subscription_end::Refused)
            },
            End::NoResponse => only(imsp_subscription_end::NoResponse),
            End::NoRoute => only(imsp_subscription_end::NoRoute),
            End::Terminated(termination) => Self {
                termination: imsp_termination::from(termination) as u32,
                ..only(imsp_subscription_end::Terminated)
            },
            End::Expired => only(imsp_subscription_end::Expired),
            End::Unsubscribed => only(imsp_subscription_end::Unsubscribed),
            End::Replaced => only(imsp_subscription_end::Replaced),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::capi::{
        limits::imsp_limit, pcscf::imsp_answer, pcscf_config::imsp_pcscf_option,
        status::imsp_status, subscription::imsp_subscription_option,
    };

    const HEADER: &str = include_str!("ims_procedures.h");

    /// The numbers that the header gives to names with this prefix.
    fn in_header(prefix: &str) -> Vec<u32> {
        HEADER
            .lines()
            .filter_map(|line| line.trim().strip_prefix(prefix)?.strip_suffix(','))
            .filter_map(|rest| rest.split_once(" = ")?.1.parse().ok())
            .collect()
    }

    fn are_all_read<N: Number>(prefix: &str) {
        let numbers = in_header(prefix);
        assert!(!numbers.is_empty(), "{prefix}");
        for number in numbers.iter().copied() {
            assert_eq!(
                N::read(number).map_err(|f| f.status).map(N::number),
                Ok(number),
                "{prefix}"
            );
        }
        assert_eq!(numbers.len(), N::ALL.len(), "{prefix}");
        let unknown = N::read(0).map(N::number).map_err(|fault| fault.status);
        assert_eq!(unknown, Err(imsp_status::UnknownValue), "{prefix}");
    }

    /// [CA-1] Every number that the header names for going in is read, and 0 is not.
    #[test]
    fn numbers_of_the_header_are_read() {
        are_all_read::<imsp_source>("IMSP_SOURCE_");
        are_all_read::<imsp_evidence>("IMSP_EVIDENCE_");
        are_all_read::<imsp_next_hop>("IMSP_NEXT_HOP_");
        are_all_read::<imsp_profile>("IMSP_PROFILE_");
        are_all_read::<imsp_party>("IMSP_PARTY_");
        are_all_read::<imsp_routing>("IMSP_ROUTING_");
        are_all_read::<imsp_network>("IMSP_NETWORK_");
        are_all_read::<imsp_answer>("IMSP_ANSWER_");
        are_all_read::<imsp_limit>("IMSP_LIMIT_");
        are_all_read::<imsp_subscription_option>("IMSP_SUBSCRIPTION_OPTION_");
        are_all_read::<imsp_pcscf_option>("IMSP_PCSCF_OPTION_");
        assert_eq!(in_header("IMSP_STATUS_").len(), imsp_status::ALL.len());
    }
}
