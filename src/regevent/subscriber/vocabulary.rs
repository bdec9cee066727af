//! What goes in and out of a subscription.

use core::fmt;

use super::{DESTINATION, RESOURCE, SERVICE_ROUTE, STRINGS};
use crate::{
    drive::{Identifier, Limits, Misuse, Text, Texts, Token},
    regevent::{notification::Termination, trunk_group::Network},
    wire::{NameAddr, SubState, Uri},
};

/// Why a subscription ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// A SUBSCRIBE was answered with this status.
    Refused {
        /// The status code.
        status: u16,
    },
    /// A SUBSCRIBE was not answered, or not followed by a NOTIFY within Timer N.
    NoResponse,
    /// [RE-4] The routing question was answered that there is no route.
    NoRoute,
    /// A NOTIFY said that it is terminated.
    Terminated(Termination),
    /// The time granted ran out.
    Expired,
    /// We ended it.
    Unsubscribed,
    /// We were ending it when the user registered anew, and another took its place.
    Replaced,
}

/// What a subscription reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The notifier has accepted it, for so many seconds.
    Subscribed {
        /// The public identity subscribed to.
        resource: Text,
        /// Seconds granted.
        expires: u32,
    },
    /// [RE-7] The notifier granted less than the floor: within that time of the latest SUBSCRIBE the subscription
    /// will not be refreshed.
    GrantedTooLittle {
        /// The public identity subscribed to.
        resource: Text,
        /// Seconds granted.
        expires: u32,
    },
    /// [RE-8] It is lost, and will be subscribed anew: [`Profile::Rfc6665`](super::Profile::Rfc6665) alone.
    SubscriptionLost {
        /// The public identity subscribed to.
        resource: Text,
        /// Why.
        why: End,
        /// Milliseconds until it is subscribed anew.
        wait: u64,
    },
    /// [RE-12] It is over. This says nothing of the registration.
    SubscriptionEnded {
        /// The public identity subscribed to.
        resource: Text,
        /// Why.
        why: End,
    },
}

impl Texts for Event {
    fn each_text(&mut self, show: &mut dyn FnMut(&mut Text)) {
        match self {
            Self::Subscribed { resource, .. }
            | Self::GrantedTooLittle { resource, .. }
            | Self::SubscriptionLost { resource, .. }
            | Self::SubscriptionEnded { resource, .. } => show(resource),
        }
    }
}

impl Texts for Question {
    fn each_text(&mut self, show: &mut dyn FnMut(&mut Text)) {
        let Self::Routing {
            resource,
            destination,
            route_uri,
            ..
        } = self;
        [resource, destination, route_uri]
            .into_iter()
            .for_each(show);
    }
}

/// What a subscription asks its owner's host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Question {
    /// [RE-4] Where does the initial SUBSCRIBE go? At home the Service-Route is the route of the look-up, and it
    /// skips pattern matching; in a visited network there is none, and it does not (S2 L17–28).
    Routing {
        /// Of this question: the same when it is asked again after a restore.
        key: Identifier,
        /// The public identity subscribed to.
        resource: Text,
        /// The destination trunk group; empty if the registration came over no named one.
        destination: Text,
        /// The Route-URI: the Service-Route as addresses separated by commas; empty in a visited network.
        route_uri: Text,
        /// Whether pattern matching is skipped.
        skip_pattern_matching: bool,
    },
}

/// How a question of a subscription is answered. Its `Debug` shows no contents.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer<'a> {
    /// [RE-4] The routes to honour.
    Routes {
        /// SIP URIs of the next hops in order, as addresses separated by commas, at most 8 of 1,024 bytes each.
        /// Empty: the first of `route`, or what the public identity resolves to.
        next_hops: &'a [u8],
        /// The value of Route in the SUBSCRIBE; empty for none. With the next hops 16,384 bytes at most.
        route: &'a [u8],
    },
    /// [RE-4] There is no route: the subscription ends.
    NoRoute,
}

impl fmt::Debug for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Routes { next_hops, route } => f
                .debug_struct("Routes")
                .field("next_hops", &next_hops.len())
                .field("route", &route.len())
                .finish(),
            Self::NoRoute => f.write_str("NoRoute"),
        }
    }
}

/// A dialog as a message of the notifier shows it.
#[derive(Clone, Copy)]
pub struct Dialog<'a> {
    /// The notifier's tag.
    pub remote_tag: &'a [u8],
    /// The notifier's Contact, where the message has one.
    pub target: Option<&'a [u8]>,
    /// The route set in the order of its use: values of a Route header, comma-separated.
    pub routes: &'a [u8],
}

/// What a subscription is made for.
#[derive(Clone, Copy)]
pub struct Purpose<'a> {
    /// The public identity to subscribe to: the default one of the set (RE-2).
    pub resource: &'a [u8],
    /// [RE-4] The destination trunk group; empty for none.
    pub destination: &'a [u8],
    /// [RE-4] The Service-Route of the registration: addresses separated by commas.
    pub service_route: &'a [u8],
    /// [RE-4] Whether the user is at home here.
    pub network: Network,
}

impl<'a> Purpose<'a> {
    /// [RE-2] Checks that a subscription can be made for it.
    ///
    /// # Errors
    /// [`Misuse::BadCommand`] for an identity that is no URI, or routes that are no addresses;
    /// [`Misuse::TooLarge`] if together they exceed the limits.
    pub fn check(&self, limits: &Limits) -> Result<(), Misuse> {
        Uri::parse(self.resource).map_err(Misuse::BadCommand)?;
        for route in NameAddr::parse_list(self.service_route) {
            route.map_err(Misuse::BadCommand)?;
        }
        self.check_size(limits)
    }

    /// [DR-5] Checks that what is kept of it is within the limits.
    pub(crate) fn check_size(&self, limits: &Limits) -> Result<(), Misuse> {
        let length = self.strings().iter().map(|part| part.len()).sum::<usize>();
        match length <= limits.registration_bytes {
            true => Ok(()),
            false => Err(TOO_LARGE),
        }
    }

    /// What is kept of it. In a visited network nothing is done with the Service-Route.
    pub(super) fn strings(&self) -> [&'a [u8]; STRINGS] {
        let mut parts: [&[u8]; STRINGS] = [b""; STRINGS];
        parts[RESOURCE] = self.resource;
        parts[DESTINATION] = self.destination;
        if self.network == Network::Home {
            parts[SERVICE_ROUTE] = self.service_route;
        }
        parts
    }
}

pub(super) const TOO_LARGE: Misuse = Misuse::TooLarge {
    limit: "registration_bytes",
};

/// A final response to a SUBSCRIBE, as far as a subscription needs it.
#[derive(Clone, Copy)]
pub struct Response<'a> {
    /// Of the SUBSCRIBE.
    pub token: Token,
    /// The status code.
    pub status: u16,
    /// Seconds granted, if a 2xx says.
    pub expires: Option<u32>,
    /// Min-Expires, if a 423 says.
    pub min_expires: Option<u32>,
    /// Retry-After in seconds, if it says.
    pub retry_after: Option<u32>,
    /// The dialog that a 2xx shows.
    pub dialog: Dialog<'a>,
}

/// A NOTIFY that [`Subscription::admit`](super::Subscription::admit) let in, as far as a subscription needs it.
#[derive(Clone, Copy)]
pub struct Notified<'a> {
    /// Its CSeq number.
    pub cseq: u32,
    /// Its Subscription-State; absent or unknown counts as active.
    pub state: SubState,
    /// Its `expires`.
    pub expires: Option<u32>,
    /// Its `reason`, which means something in state terminated only.
    pub reason: Termination,
    /// Its `retry-after` in seconds.
    pub retry_after: Option<u32>,
    /// The dialog that it shows.
    pub dialog: Dialog<'a>,
    /// Its document says that every registration is terminated: there is nothing to subscribe to anew.
    pub nothing_left: bool,
}

/// What can happen to a subscription.
#[derive(Clone, Copy)]
pub enum Input<'a> {
    /// Subscribe, for a registration that lasts so many seconds.
    Subscribe {
        /// Seconds the registration lasts.
        registration_expires: u32,
    },
    /// [RE-4] The answer to the routing question.
    Answered {
        /// Of the question.
        token: Token,
        /// How.
        answer: Answer<'a>,
    },
    /// A final response to our SUBSCRIBE.
    Response(Response<'a>),
    /// No response to our SUBSCRIBE.
    NoResponse {
        /// Of the SUBSCRIBE.
        token: Token,
    },
    /// A NOTIFY of this subscription that [`Subscription::admit`](super::Subscription::admit) let in.
    Notify(Notified<'a>),
    /// [RI-3] Documents were missed: refresh, so that a full one comes. At most one each
    /// [`floor`](super::Config::floor).
    Resynchronise,
    /// End it.
    Unsubscribe,
    /// [MS-6] Consider it cancelled, as if it had been ended, without a message (TS 24.292 6.3.6.2). NOTIFYs that still
    /// come are taken, and say nothing any more; its owner drops it when it likes.
    ConsiderCancelled,
    /// Time has passed.
    Tick,
}

/// [RE-11] How a subscription stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Standing {
    /// Nothing has been sent, or it is over.
    None,
    /// A route is being looked up, the initial SUBSCRIBE is out, or the notifier has not approved it yet.
    Pending,
    /// The notifier has approved it, and its time has not run out.
    Active,
    /// It is lost, and waits to be subscribed anew.
    Waiting,
    /// We are ending it.
    Terminating,
}
