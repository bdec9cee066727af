//! What an operator decides for a P-CSCF.

use alloc::vec::Vec;

use super::{LossPolicy, Pcscf, messages, registration::Strings};
use crate::{
    deregister::{Attempts, Terms},
    drive::{ConfigError, Limits, Role},
    fleet::pacer,
    regevent::subscriber,
    wire::Element,
};

/// Timers B, F and H, in T1 (RFC 3261 17).
const TIMER_F: u64 = 64;

/// Where the deregistering REGISTER goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NextHop {
    /// The entry point of the home network (an I-CSCF): [`Config::entry_points`], or what the Request-URI
    /// resolves to.
    HomeEntryPoint,
    /// The Service-Route of the registration: straight to the S-CSCF, sparing I-CSCF and HSS a look-up.
    /// Without one, the entry point.
    ServiceRoute,
}

/// The configuration of a P-CSCF node. It may be replaced while the node runs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The P-CSCF. Its URI is what P-Asserted-Identity says, and must agree in host and port with the Path
    /// that it puts into the REGISTERs of its users (SD-1).
    pub element: Element,
    /// [PD-5] The value of P-Visited-Network-ID (RFC 7315 4.3), as it shall stand: a token or a quoted string.
    pub visited_network_id: Vec<u8>,
    /// [PD-5] Whether Authorization carries `integrity-protected="auth-done"`. Default true.
    pub integrity_protected: bool,
    /// [PD-5] Where the REGISTER goes. Default the home network's entry point.
    pub next_hop: NextHop,
    /// SIP URIs of the home network's entry points, in order. Empty (default): what the Request-URI resolves to.
    pub entry_points: Vec<Vec<u8>>,
    /// [PD-6] How often the REGISTER is sent at most, transport retransmissions apart: 1 to 16. Default 3.
    pub attempts: u8,
    /// [PD-6] Milliseconds before the second attempt; doubled before each further one. Default 4,000.
    pub retry_interval: u64,
    /// [PD-6] The longest Retry-After, in seconds, that is waited for. A longer one ends the attempts.
    /// Default 120.
    pub retry_after_limit: u32,
    /// [PD-6] Milliseconds after which a REGISTER counts as unanswered although the host said nothing.
    /// Default 40,000 for each next hop: more than 64·T1.
    pub answer_bound: u64,
    /// [PD-8] Milliseconds to wait for the NOTIFY after a 2xx. Default 32,000.
    pub notify_bound: u64,
    /// [PD-7] Milliseconds to wait for each step of the cleanup to be reported done, the delivery to a UE that is still
    /// there apart. Default 5,000.
    pub cleanup_bound: u64,
    /// [PD-4] Milliseconds of remaining registration lifetime below which the registration counts as lost.
    /// Default 0: at its end.
    pub registration_threshold: u64,
    /// [PD-12] The pace of REGISTERs, retries among them, of all triggers together. Its next hops are the home domains
    /// of the users, at most [`MAX_DOMAINS`](super::MAX_DOMAINS) at a time. Default that of the
    /// [pacer](pacer::Config), but for 60 as [`bad_rounds`](pacer::Config::bad_rounds): the users of a home that has
    /// refused others for ten minutes or more are cleaned up without being asked.
    pub pacing: pacer::Config,
    /// [PD-12] Milliseconds after the end of a registration's lifetime until which it waits for its turn; by then, the
    /// registrar has long removed it. Default 1,800,000.
    pub turn_bound: u64,
    /// [PD-4] The same of the lifetime of security associations and TLS sessions ([`Command::Protected`]). Default 0: at
    /// their end.
    ///
    /// [`Command::Protected`]: super::Command::Protected
    pub association_threshold: u64,
    /// [PD-3] What counts as loss of the access. Default: one report that the bearer is lost, and nothing else.
    pub loss: LossPolicy,
    /// [PD-9] Milliseconds for which a REGISTER of a UE is held at most, while ours for the same contact is out.
    /// Default 4,000.
    pub hold_bound: u64,
    /// [PD-7] T1 between elements of the core, in milliseconds (TS 24.229 7.7): after 64·T1 nothing is to be expected any
    /// more of a REGISTER of a UE that was passed on, and ours goes out (PD-9). Default 500.
    pub t1_core: u64,
    /// [PD-7] T1 towards the UE, in milliseconds (TS 24.229 7.7): 64·T1 is how long the delivery to a UE that is still there
    /// is waited for, and what remains of security associations that are shortened. Default 2,000.
    pub t1_ue: u64,
    /// [DR-9] Whether each deregistration is followed by its record ([`Event::Audited`]). Default false.
    ///
    /// [`Event::Audited`]: super::Event::Audited
    pub audit: bool,
    /// [RE-1] The subscriptions, with `supportRegEvent`: whether there are any.
    pub subscription: subscriber::Config,
    /// The bounds.
    pub limits: Limits,
}

impl Config {
    /// The defaults, for the P-CSCF and visited network given.
    #[must_use]
    pub fn new(element: Element, visited_network_id: &[u8]) -> Self {
        Self {
            visited_network_id: visited_network_id.to_vec(),
            integrity_protected: true,
            next_hop: NextHop::HomeEntryPoint,
            entry_points: Vec::new(),
            attempts: 3,
            retry_interval: 4_000,
            retry_after_limit: 120,
            answer_bound: 40_000,
            notify_bound: 32_000,
            cleanup_bound: 5_000,
            registration_threshold: 0,
            pacing: pacer::Config {
                bad_rounds: 60,
                ..pacer::Config::default()
            },
            turn_bound: 1_800_000,
            association_threshold: 0,
            loss: LossPolicy::default(),
            hold_bound: 4_000,
            t1_core: 500,
            t1_ue: 2_000,
            audit: false,
            subscription: subscriber::Config::new(element.clone()),
            element,
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

    /// [PD-6] How often the REGISTER is tried.
    pub(super) const fn attempts(&self) -> Attempts {
        Attempts {
            most: self.attempts,
            interval: self.retry_interval,
            retry_after_limit: self.retry_after_limit,
        }
    }

    /// [PD-6] Milliseconds until a REGISTER counts as unanswered: the bound for each of its next hops.
    pub(super) fn answer_bound_of(&self, strings: &Strings) -> u64 {
        let hops = messages::next_hops(self, strings).len();
        self.answer_bound
            .saturating_mul(u64::try_from(hops).unwrap_or(1).max(1))
    }

    /// [PD-9] Milliseconds that a REGISTER of a UE has for its 2xx (Timer F of the core).
    pub(super) const fn renewal_bound(&self) -> u64 {
        self.t1_core.saturating_mul(TIMER_F)
    }

    /// [PD-7] Milliseconds for what is owed to a UE that is still there (Timer F towards the UE).
    pub(super) const fn delivery_bound(&self) -> u64 {
        self.t1_ue.saturating_mul(TIMER_F)
    }

    /// [PD-7] Milliseconds for the NOTIFY that the UE itself is owed.
    pub(super) const fn shortened_association(&self) -> u64 {
        self.t1_ue.saturating_mul(TIMER_F)
    }

    /// Checks that the values can work together.
    ///
    /// # Errors
    /// [`ConfigError`] names the field.
    pub fn check(&self) -> Result<(), ConfigError> {
        let refuse = |field, what| Err(ConfigError { field, what });
        if self.visited_network_id.is_empty()
            || self.visited_network_id.iter().any(u8::is_ascii_control)
        {
            return refuse("visited_network_id", "empty, or with a control character");
        }
        if !(1..=16).contains(&self.attempts) {
            return refuse("attempts", "not between 1 and 16");
        }
        let times = [
            ("retry_interval", self.retry_interval),
            ("answer_bound", self.answer_bound),
            ("notify_bound", self.notify_bound),
            ("cleanup_bound", self.cleanup_bound),
            ("turn_bound", self.turn_bound),
            ("hold_bound", self.hold_bound),
            ("t1_core", self.t1_core),
            ("t1_ue", self.t1_ue),
        ];
        if let Some((field, _)) = times.into_iter().find(|&(_, time)| time == 0) {
            return refuse(field, "0");
        }
        self.pacing.check()?;
        self.loss.check()?;
        subscriber::check_entry_points(&self.entry_points)?;
        self.subscription.check()?;
        if self.limits.users > 0xff_ffff {
            return refuse("limits.users", "more than 16,777,215");
        }
        if self.limits.message_bytes > 65_535 {
            return refuse("limits.message_bytes", "more than 65,535");
        }
        if self.limits.contacts > super::MAX_CONTACTS {
            return refuse("limits.contacts", "more than 64");
        }
        if self.limits.registration_bytes > 8_192 {
            return refuse("limits.registration_bytes", "more than 8,192");
        }
        let cleanups = self
            .limits
            .contacts
            .saturating_mul(self.limits.registration_bytes);
        let notify = cleanups.saturating_add(self.limits.message_bytes);
        if notify.saturating_add(super::MACHINE_BYTES) > Pcscf::STEP_BYTES {
            return refuse(
                "limits.contacts",
                "with limits.registration_bytes more than one step holds",
            );
        }
        if self.visited_network_id.len() > 1_024 || self.element.uri().len() > 1_024 {
            return refuse("element, visited_network_id", "more than 1,024 bytes");
        }
        Ok(())
    }
}
