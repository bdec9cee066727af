//! What every role that subscribes has in common: options 2001 to 2999, questions and events.

use super::{options::Place, values::Number};
use crate::regevent::{
    subscriber::{Config, Event, Question},
    watcher::Quirks,
};

/// What a subscription needs to know of its owner: options of every configuration of a node that subscribes.
/// Its element and its trunk groups have functions of their own.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum imsp_subscription_option {
    /// In whose name: an imsp_party. Default IMSP_PARTY_ELEMENT.
    Party = 2001,
    /// Which rules: an imsp_profile. Default IMSP_PROFILE_SBC.
    Profile = 2002,
    /// 1 for `supportRegEvent` of registrations that came over no named trunk group. Default 0.
    SupportRegEvent = 2003,
    /// Whether users who came over no named trunk group are at home here: an imsp_network. Default
    /// IMSP_NETWORK_HOME.
    Network = 2004,
    /// 1 if a registration that the caller calls implicit has a subscription too. Default 0.
    SubscribeForImplicit = 2005,
    /// 1 if a re-registration that finds the subscription lost makes another. Default 0.
    SubscribeAtReregistration = 2006,
    /// Seconds by which the subscription is asked to outlive the registration. Default 60.
    Margin = 2007,
    /// Timer N, 64·T1, in milliseconds (RFC 6665 4.1.2), at least 1. Default 32,000; a UE has 128,000.
    TimerN = 2008,
    /// A grant of fewer seconds than this is reported, and no SUBSCRIBE follows another within that time. Default 20;
    /// 0 for no floor.
    Floor = 2009,
    /// How the next hops of an initial SUBSCRIBE are found: an imsp_routing. Default IMSP_ROUTING_ENTRY_POINTS.
    Routing = 2010,
    /// Milliseconds to wait for the answer to the routing question, at least 1. Default 5,000.
    RoutingBound = 2011,
    /// Texts: where an initial SUBSCRIBE goes, in order, as SIP URIs: 8 at most, of 1,024 bytes at most. None by
    /// default.
    EntryPoints = 2012,
    /// 1 if an initial SUBSCRIBE from a visited network says so in its Request-URI (RFC 7549). Default 0.
    Iotl = 2013,
    /// 1 if the URIs of From and To of a NOTIFY must be those of the dialog too. Default 0.
    StrictDialogUris = 2014,
    /// 1 if a full document of a lower version, whose NOTIFY's CSeq moved on, begins a new count. Default 0.
    QuirkRestartedCount = 2015,
    /// 1 if a 423 is followed by one SUBSCRIBE with its Min-Expires (IMSP_PROFILE_SBC). Default 0.
    RetryTooBrief = 2016,
    /// 1 if a refresh that is refused or not answered leaves the subscription to its granted time
    /// (IMSP_PROFILE_SBC). Default 0.
    KeepOnRefreshError = 2017,
    /// 1 if a refresh is complete without a NOTIFY after its 2xx (IMSP_PROFILE_RFC6665). Default 0.
    TolerateSilentRefresh = 2018,
    /// Milliseconds from a refresh that failed to the next, at least 1 (IMSP_PROFILE_RFC6665). Default 32,000.
    RefreshRetry = 2019,
    /// Milliseconds to wait before a lost subscription is subscribed anew, at least 1 (IMSP_PROFILE_RFC6665).
    /// Default 4,000.
    ResubscribeInterval = 2020,
    /// How often in a row that is done, at most 255 (IMSP_PROFILE_RFC6665). Default 10.
    ResubscribeAttempts = 2021,
    /// Seconds to wait after `probation` without retry-after (IMSP_PROFILE_RFC6665). Default 60.
    ProbationWait = 2022,
    /// The longest retry-after that is waited for, in seconds (IMSP_PROFILE_RFC6665). Default 3,600.
    RetryAfterLimit = 2023,
    /// The size in bytes past which a SUBSCRIBE needs a congestion-controlled transport. Default 1,300.
    UdpLimit = 2024,
}

impl Number for imsp_subscription_option {
    const ALL: &'static [Self] = &[
        Self::Party,
        Self::Profile,
        Self::SupportRegEvent,
        Self::Network,
        Self::SubscribeForImplicit,
        Self::SubscribeAtReregistration,
        Self::Margin,
        Self::TimerN,
        Self::Floor,
        Self::Routing,
        Self::RoutingBound,
        Self::EntryPoints,
        Self::Iotl,
        Self::StrictDialogUris,
        Self::QuirkRestartedCount,
        Self::RetryTooBrief,
        Self::KeepOnRefreshError,
        Self::TolerateSilentRefresh,
        Self::RefreshRetry,
        Self::ResubscribeInterval,
        Self::ResubscribeAttempts,
        Self::ProbationWait,
        Self::RetryAfterLimit,
        Self::UdpLimit,
    ];

    fn number(self) -> u32 {
        self as u32
    }
}

impl imsp_subscription_option {
    /// Where it stands. Trunk groups have functions of their own.
    pub(super) const fn place(self, config: &mut Config) -> Place<'_> {
        let Config {
            element,
            party,
            profile,
            support_reg_event,
            trunk_groups: _,
            network,
            subscribe_for_implicit,
            subscribe_at_reregistration,
            margin,
            timer_n,
            floor,
            routing,
            routing_bound,
            entry_points,
            iotl,
            strict_dialog_uris,
            quirks: Quirks { restarted_count },
            retry_too_brief,
            keep_on_refresh_error,
            tolerate_silent_refresh,
            refresh_retry,
            resubscribe_interval,
            resubscribe_attempts,
            probation_wait,
            retry_after_limit,
        } = config;
        match self {
            Self::Party => Place::Party(party),
            Self::Profile => Place::Profile(profile),
            Self::SupportRegEvent => Place::Flag(support_reg_event),
            Self::Network => Place::Network(network),
            Self::SubscribeForImplicit => Place::Flag(subscribe_for_implicit),
            Self::SubscribeAtReregistration => Place::Flag(subscribe_at_reregistration),
            Self::Margin => Place::Seconds(margin),
            Self::TimerN => Place::Milliseconds(timer_n),
            Self::Floor => Place::Seconds(floor),
            Self::Routing => Place::Routing(routing),
            Self::RoutingBound => Place::Milliseconds(routing_bound),
            Self::EntryPoints => Place::List(entry_points),
            Self::Iotl => Place::Flag(iotl),
            Self::StrictDialogUris => Place::Flag(strict_dialog_uris),
            Self::QuirkRestartedCount => Place::Flag(restarted_count),
            Self::RetryTooBrief => Place::Flag(retry_too_brief),
            Self::KeepOnRefreshError => Place::Flag(keep_on_refresh_error),
            Self::TolerateSilentRefresh => Place::Flag(tolerate_silent_refresh),
            Self::RefreshRetry => Place::Milliseconds(refresh_retry),
            Self::ResubscribeInterval => Place::Milliseconds(resubscribe_interval),
            Self::ResubscribeAttempts => Place::Small(resubscribe_attempts),
            Self::ProbationWait => Place::Seconds(probation_wait),
            Self::RetryAfterLimit => Place::Seconds(retry_after_limit),
            Self::UdpLimit => Place::UdpLimit(element),
        }
    }
}

/// What a subscription asks: values of `what` in an output of IMSP_OUTPUT_KIND_ASK.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum imsp_subscription_question {
    /// Where does the initial SUBSCRIBE go? Says `key`, `resource`, `destination`, `route_uri`,
    /// `skip_pattern_matching`.
    Routing = 101,
}

impl From<&Question> for imsp_subscription_question {
    fn from(question: &Question) -> Self {
        match question {
            Question::Routing { .. } => Self::Routing,
        }
    }
}

/// What a subscription reports: values of `what` in an output of IMSP_OUTPUT_KIND_EVENT. Each says `resource`.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum imsp_subscription_event {
    /// The notifier has accepted it, for `expires` seconds.
    Subscribed = 101,
    /// The notifier granted `expires` seconds, less than the floor.
    GrantedTooLittle = 102,
    /// It is lost because of `end`, and will be subscribed anew after `wait` milliseconds (IMSP_PROFILE_RFC6665).
    SubscriptionLost = 103,
    /// It is over because of `end`. This says nothing of the registration.
    SubscriptionEnded = 104,
}

impl From<&Event> for imsp_subscription_event {
    fn from(event: &Event) -> Self {
        match event {
            Event::Subscribed { .. } => Self::Subscribed,
            Event::GrantedTooLittle { .. } => Self::GrantedTooLittle,
            Event::SubscriptionLost { .. } => Self::SubscriptionLost,
            Event::SubscriptionEnded { .. } => Self::SubscriptionEnded,
        }
    }
}
