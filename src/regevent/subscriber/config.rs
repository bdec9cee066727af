//! What a subscription needs to know of its owner.

use alloc::vec::Vec;

use crate::{
    drive::{ConfigError, Towards},
    regevent::{
        trunk_group::{Network, TrunkGroups},
        watcher::Quirks,
    },
    wire::{Element, Uri},
};

/// [RE-8] Which rules a subscription follows where they differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Profile {
    /// Literal to S2: any error response, no response, or a NOTIFY that says terminated deletes the
    /// subscription, and it is not sent again; the dialog is that of whichever of 2xx and NOTIFY came first; it
    /// is ended when the user's deregistration is received.
    #[default]
    Sbc,
    /// RFC 6665 and TS 24.229 5.2.3: only the listed answers to a refresh end a subscription; one that is lost
    /// is subscribed anew where its reason allows it; the dialog is the NOTIFY's; it is ended when the user's
    /// deregistration is answered 2xx.
    Rfc6665,
}

/// [RE-13] In whose name a SUBSCRIBE is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Party {
    /// An element in its own name, a P-CSCF, SBC or application server (TS 24.229 5.2.3): From and
    /// P-Asserted-Identity are its URI.
    #[default]
    Element,
    /// An element in the name of the user it serves, an MSC server (TS 24.292 6.3): From and
    /// P-Asserted-Identity are the public identity subscribed to.
    ServedUser,
    /// A UE (TS 24.229 5.1.1.3): From and P-Preferred-Identity are the public identity, and nothing is added
    /// that only the network may add. A NOTIFY that came over its security association with the P-CSCF is to be
    /// labelled [`TrustedCore`](crate::drive::Source::TrustedCore), as it comes from the network that the UE
    /// trusts: one of any other source is refused with 403.
    Ue,
}

impl Party {
    pub(super) const fn towards(self) -> Towards {
        match self {
            Self::Element | Self::ServedUser => Towards::Core,
            Self::Ue => Towards::Ue,
        }
    }
}

/// [RE-4] How the next hops of an initial SUBSCRIBE are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Routing {
    /// [`Config::entry_points`], in order; without any, whatever the domain of the public identity resolves to.
    #[default]
    EntryPoints,
    /// The host is asked ([`Question::Routing`](super::Question::Routing)).
    Question,
}

/// What a subscription needs to know of its owner. It may be replaced at run time: what has been sent stays,
/// what comes follows the new values.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The subscribing element. Its host and port are those of every Contact.
    pub element: Element,
    /// [RE-13] In whose name. Default the element's own.
    pub party: Party,
    /// [RE-8] Which rules. Default [`Profile::Sbc`].
    pub profile: Profile,
    /// [RE-1] `supportRegEvent` for registrations that came over no named trunk group. Default false.
    pub support_reg_event: bool,
    /// [RE-1] The trunk groups, and the IP signalling profiles that they use. Default none.
    pub trunk_groups: TrunkGroups,
    /// [RE-4] Whether users who came over no named trunk group are at home here. Default home.
    pub network: Network,
    /// [RE-2] Whether a registration that the host calls implicit has a subscription too. Default false.
    pub subscribe_for_implicit: bool,
    /// [RE-2] Whether a re-registration that finds the subscription lost makes another. Default false: the
    /// subscription is made once, for the initial registration (S2 L13).
    pub subscribe_at_reregistration: bool,
    /// [RE-3] Seconds by which the subscription is asked to outlive the registration. Default 60.
    pub margin: u32,
    /// Timer N, 64·T1, in milliseconds (RFC 6665 4.1.2.4): how long a NOTIFY is waited for. Default 32,000; a UE
    /// has 128,000 (TS 24.229 7.7). Each next hop may be silent as long (Timer F), so that an initial SUBSCRIBE
    /// has this time for each of them, and from its 2xx on this time at most.
    pub timer_n: u64,
    /// [RE-7] Seconds from a SUBSCRIBE to its refresh at least, whatever was granted and whatever calls for it, so
    /// that a notifier that grants next to nothing is not asked without end (T30). A subscription that ends before
    /// it may be refreshed runs out; a grant of fewer seconds than this is also reported, and with
    /// [`Profile::Rfc6665`] it is subscribed anew at the floor. What is no refresh is not held back: a SUBSCRIBE
    /// that follows a 423, one that ends the subscription, and one that is made anew, which has waits of its own.
    /// Default 20, so that a grant of 30 s is refreshed 10 s before its end; 0 for no floor.
    pub floor: u32,
    /// [RE-4] How the next hops of an initial SUBSCRIBE are found. Default [`Routing::EntryPoints`].
    pub routing: Routing,
    /// [RE-4] Milliseconds to wait for the answer to the routing question; none counts as no response.
    /// Default 5,000.
    pub routing_bound: u64,
    /// Where an initial SUBSCRIBE goes, in order: SIP URIs. Empty (default): wherever the domain of the
    /// public identity resolves to.
    pub entry_points: Vec<Vec<u8>>,
    /// [RE-13] Whether an initial SUBSCRIBE from a visited network says so in its Request-URI, with
    /// `iotl=visitedA-homeA` (RFC 7549). Default false.
    pub iotl: bool,
    /// [RE-10] Whether the URIs of From and To of a NOTIFY must be those of the dialog too; a dialog is known
    /// by its tags (RFC 3261 12), and deployed notifiers change the URIs (T05). Default false.
    pub strict_dialog_uris: bool,
    /// [RI-3] Which quirks of notifiers are put up with. Default none.
    pub quirks: Quirks,
    /// [RE-8] [`Profile::Sbc`]: whether a 423 is followed by one SUBSCRIBE with its Min-Expires. Default false.
    pub retry_too_brief: bool,
    /// [RE-8] [`Profile::Sbc`]: whether a refresh that is refused or not answered leaves the subscription to
    /// its granted time. Default false: it is deleted.
    pub keep_on_refresh_error: bool,
    /// [`Profile::Rfc6665`]: whether a refresh is complete without a NOTIFY after its 2xx. Default false: without
    /// one within Timer N the subscription counts as terminated (RFC 6665 4.1.2.2). Some deployed notifiers send
    /// none.
    pub tolerate_silent_refresh: bool,
    /// [`Profile::Rfc6665`]: milliseconds from a refresh that failed without ending the subscription to the next,
    /// unless Retry-After says more. Default 32,000.
    pub refresh_retry: u64,
    /// [`Profile::Rfc6665`]: milliseconds to wait before a lost subscription is subscribed anew, where it was
    /// lost sooner than that after the last time; doubled each time, an hour at most. Default 4,000.
    pub resubscribe_interval: u64,
    /// [`Profile::Rfc6665`]: how often in a row that is done before the subscription is given up, those among them
    /// that were answered with 408 or 5xx, but 501, or not at all. Default 10.
    pub resubscribe_attempts: u8,
    /// [`Profile::Rfc6665`]: seconds to wait after `probation` without retry-after. Default 60.
    pub probation_wait: u32,
    /// [`Profile::Rfc6665`]: the longest retry-after that is waited for, in seconds. A longer one ends the
    /// subscription. Default 3,600.
    pub retry_after_limit: u32,
}

impl Config {
    /// The defaults, for the element given.
    #[must_use]
    pub fn new(element: Element) -> Self {
        Self {
            element,
            party: Party::Element,
            profile: Profile::Sbc,
            support_reg_event: false,
            trunk_groups: TrunkGroups::default(),
            network: Network::Home,
            subscribe_for_implicit: false,
            subscribe_at_reregistration: false,
            margin: 60,
            timer_n: 32_000,
            floor: 20,
            routing: Routing::EntryPoints,
            routing_bound: 5_000,
            entry_points: Vec::new(),
            iotl: false,
            strict_dialog_uris: false,
            quirks: Quirks::default(),
            retry_too_brief: false,
            keep_on_refresh_error: false,
            tolerate_silent_refresh: false,
            refresh_retry: 32_000,
            resubscribe_interval: 4_000,
            resubscribe_attempts: 10,
            probation_wait: 60,
            retry_after_limit: 3_600,
        }
    }

    /// Checks that the values can work.
    ///
    /// # Errors
    /// [`ConfigError`] names the field.
    pub fn check(&self) -> Result<(), ConfigError> {
        let times = [
            ("subscription.timer_n", self.timer_n),
            ("subscription.routing_bound", self.routing_bound),
            ("subscription.refresh_retry", self.refresh_retry),
            (
                "subscription.resubscribe_interval",
                self.resubscribe_interval,
            ),
        ];
        if let Some((field, _)) = times.into_iter().find(|&(_, time)| time == 0) {
            return Err(ConfigError { field, what: "0" });
        }
        self.trunk_groups.check()?;
        check_entry_points(&self.entry_points)
    }

    pub(super) fn is_rfc6665(&self) -> bool {
        self.profile == Profile::Rfc6665
    }
}

/// Checks that next hops are SIP URIs with a host, eight at most, of 1,024 bytes at most.
pub(crate) fn check_entry_points(entry_points: &[Vec<u8>]) -> Result<(), ConfigError> {
    let field = "entry_points";
    if entry_points.len() > MOST_HOPS {
        return Err(ConfigError {
            field,
            what: "more than 8",
        });
    }
    if !entry_points.iter().all(|hop| is_next_hop(hop)) {
        let what = "not a SIP URI with a host, or longer than 1,024 bytes";
        return Err(ConfigError { field, what });
    }
    Ok(())
}

/// The most next hops of a request.
pub(super) const MOST_HOPS: usize = 8;

pub(super) fn is_next_hop(uri: &[u8]) -> bool {
    uri.len() <= 1_024 && Uri::parse(uri).is_ok_and(|parsed| parsed.host().is_some())
}
