//! What an operator decides for an MSC server.

use alloc::vec::Vec;

use super::MAX_DIALOGS;
use crate::{
    deregister::{Attempts, Terms, Zero},
    drive::{ConfigError, Limits},
    fleet::pacer,
    regevent::subscriber,
    wire::Element,
};

/// [MS-3] Where the REGISTER says that it lasts no longer (S1 L40).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExpiresIn {
    /// In Expires and in the parameter of the contact: whichever a registrar reads.
    #[default]
    Both,
    /// In Expires alone.
    Header,
    /// In the `expires` of the contact alone.
    Parameter,
}

impl ExpiresIn {
    pub(super) fn zero(self) -> Zero {
        Zero {
            header: self != Self::Parameter,
            param: self != Self::Header,
        }
    }
}

/// The configuration of an MSC server's node. It may be replaced while the node runs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The MSC server. Its host and port stand in every Via (S1 L38).
    pub element: Element,
    /// [MS-3] Where the zero stands. Default both.
    pub expires_in: ExpiresIn,
    /// [MS-3] Whether Authorization carries `integrity-protected="auth-done"`. Default true.
    pub integrity_protected: bool,
    /// [MS-3] SIP URIs of the home network's entry points, in order, for subscribers who were registered without a
    /// Route. Empty (default): what the Request-URI resolves to.
    pub entry_points: Vec<Vec<u8>>,
    /// [MS-2] Milliseconds that the release of all dialogs of a subscriber may take: then the REGISTER goes out
    /// regardless. Default 40,000: more than 64·T1, so that each BYE may be answered or time out.
    pub release_bound: u64,
    /// [MS-5] How often the REGISTER is sent at most, transport retransmissions apart: 1 to 16. Default 3. One more is sent
    /// where the host's own REGISTER was answered 2xx while the last was out.
    pub attempts: u8,
    /// [MS-5] Milliseconds before the second attempt; doubled before each further one. Default 4,000.
    pub retry_interval: u64,
    /// [MS-5] The longest Retry-After, in seconds, that is waited for. A longer one ends the attempts. Default 120.
    pub retry_after_limit: u32,
    /// [MS-5] Milliseconds after which a REGISTER counts as unanswered although the host said nothing.
    /// Default 40,000 for each next hop: more than 64·T1.
    pub answer_bound: u64,
    /// [PD-12] The pace at which subscribers are deregistered, retries among them, whatever the cause. Its next hops are
    /// the home domains, at most [`MAX_DOMAINS`](super::MAX_DOMAINS) at a time. Default that of the
    /// [pacer](pacer::Config), but for 60 as [`bad_rounds`](pacer::Config::bad_rounds): the subscribers of a home that
    /// has refused others for ten minutes or more are removed without being asked.
    pub pacing: pacer::Config,
    /// [PD-12] Milliseconds after the end of a registration's lifetime until which it waits for its turn; by then, the
    /// registrar has long removed it. Default 1,800,000.
    pub turn_bound: u64,
    /// [DR-9] Whether each deregistration is followed by its record ([`Event::Audited`]). Default false.
    ///
    /// [`Event::Audited`]: super::Event::Audited
    pub audit: bool,
    /// [MS-6] The subscriptions, with `supportRegEvent`: whether there are any. Default: there are, in the name of the
    /// subscriber, by the rules of RFC 6665.
    pub subscription: subscriber::Config,
    /// The bounds.
    pub limits: Limits,
}

impl Config {
    /// The defaults, for the MSC server given.
    #[must_use]
    pub fn new(element: Element) -> Self {
        let mut subscription = subscriber::Config::new(element.clone());
        subscription.party = subscriber::Party::ServedUser;
        subscription.profile = subscriber::Profile::Rfc6665;
        subscription.support_reg_event = true;
        Self {
            element,
            expires_in: ExpiresIn::Both,
            integrity_protected: true,
            entry_points: Vec::new(),
            release_bound: 40_000,
            attempts: 3,
            retry_interval: 4_000,
            retry_after_limit: 120,
            answer_bound: 40_000,
            pacing: pacer::Config {
                bad_rounds: 60,
                ..pacer::Config::default()
            },
            turn_bound: 1_800_000,
            audit: false,
            subscription,
            limits: Limits::default(),
        }
    }

    /// [PD-12] What the pacer needs to know.
    pub(super) const fn terms(&self) -> Terms<'_> {
        Terms {
            pacing: &self.pacing,
            limits: &self.limits,
        }
    }

    /// [MS-5] How often the REGISTER is tried.
    pub(super) const fn attempts(&self) -> Attempts {
        Attempts {
            most: self.attempts,
            interval: self.retry_interval,
            retry_after_limit: self.retry_after_limit,
        }
    }

    /// Checks that the values can work together.
    ///
    /// # Errors
    /// [`ConfigError`] names the field.
    pub fn check(&self) -> Result<(), ConfigError> {
        let refuse = |field, what| Err(ConfigError { field, what });
        if !(1..=16).contains(&self.attempts) {
            return refuse("attempts", "not between 1 and 16");
        }
        let times = [
            ("release_bound", self.release_bound),
            ("retry_interval", self.retry_interval),
            ("answer_bound", self.answer_bound),
            ("turn_bound", self.turn_bound),
        ];
        if let Some((field, _)) = times.into_iter().find(|&(_, time)| time == 0) {
            return refuse(field, "0");
        }
        self.pacing.check()?;
        subscriber::check_entry_points(&self.entry_points)?;
        self.subscription.check()?;
        let limits = &self.limits;
        if limits.users > 0xff_ffff {
            return refuse("limits.users", "more than 16,777,215");
        }
        if limits.message_bytes > 65_535 {
            return refuse("limits.message_bytes", "more than 65,535");
        }
        if limits.dialogs > MAX_DIALOGS {
            return refuse("limits.dialogs", "more than 16");
        }
        if limits.registration_bytes > 8_192 {
            return refuse("limits.registration_bytes", "more than 8,192");
        }
        if self.element.uri().len() > 1_024 {
            return refuse("element", "more than 1,024 bytes");
        }
        Ok(())
    }
}
