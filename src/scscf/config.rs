//! What an operator decides for an S-CSCF.

use alloc::vec::Vec;

use super::Elements;
use crate::{
    drive::{ConfigError, Limits},
    fleet::pacer,
    regevent::notifier,
    wire::{Element, Uri},
};

/// [SD-1] An element that stands in the Path in place of a P-CSCF, for a network that hides its topology.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Border {
    /// The SIP URI whose host and port the last Path entry has.
    pub path_owner: Vec<u8>,
    /// The SIP URI that P-Asserted-Identity has when the P-CSCF behind it speaks for itself.
    pub asserted: Vec<u8>,
}

/// The configuration of an S-CSCF node. It may be replaced while the node runs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The S-CSCF.
    pub element: Element,
    /// [SD-1] Recognise and report, but have every deregistration authenticated. Default false.
    pub observe_only: bool,
    /// [DR-9] Whether each deregistration is followed by its record ([`Event::Audited`]). Default false.
    ///
    /// [`Event::Audited`]: super::Event::Audited
    pub audit: bool,
    /// [SD-1] Borders that hide P-CSCFs. Default none.
    pub borders: Vec<Border>,
    /// [SD-2] SIP URIs of the elements of the trusted core that authenticate users by other means, such as MSC servers
    /// enhanced for ICS, whose deregistrations are not asked about ([`Elements::authenticating`]). Default none.
    pub authenticating: Vec<Vec<u8>>,
    /// [RN-1] SIP URIs of application servers that may subscribe. Default none.
    pub trusted_servers: Vec<Vec<u8>>,
    /// Option tags that a REGISTER may demand in Require (RFC 3261 8.2.2.3): those that the registrar beside
    /// this node takes, so that whoever could register can deregister. Default `path`, `outbound`, `gruu`,
    /// `pref`.
    pub register_extensions: Vec<Vec<u8>>,
    /// [RN-1] Whether a SUBSCRIBE to another event package than `reg` is refused here with 489, for a host that
    /// has none to route it to. Default false: it is the host's, unless it is in a dialog of a subscription.
    pub refuse_other_packages: bool,
    /// [SD-4] Whether the HSS is asked to keep this S-CSCF's name (server assignment types 6 and 7 instead of
    /// 4 and 5). Default false.
    pub keep_server_name: bool,
    /// [DR-5] Deregistrations of the whole node that may wait for the verdict on the user at once; another one
    /// is refused with 503 and Retry-After. They take no room of [`Limits::users`], whoever they name, and of each
    /// no more than [`Limits::registration_bytes`] is kept. Those recognised as a P-CSCF's, or as an
    /// authenticated user's, are not among them.
    /// Default 1,024.
    pub waiting_deregistrations: usize,
    /// [SD-2] Milliseconds to wait for the verdict on a user's own deregistration. Default 10,000.
    pub authentication_bound: u64,
    /// [SD-3] Milliseconds to wait for dialogs to be released. Default 5,000.
    pub dialog_bound: u64,
    /// [SD-8] Milliseconds to wait for the HSS. Default 5,000.
    pub assignment_bound: u64,
    /// [SD-4] Milliseconds after which a third-party REGISTER counts as unanswered although the host said
    /// nothing. Default 40,000: more than 64·T1.
    pub server_bound: u64,
    /// [SD-5] The turns in which everybody is deregistered: users a second, and how many at once. Defaults: those of
    /// the pacer.
    pub drain: pacer::Config,
    /// [SD-5] Milliseconds between reports of how far that has come. Default 1,000.
    pub drain_report: u64,
    /// [RN-1] The subscriptions.
    pub notifier: notifier::Config,
    /// The bounds.
    pub limits: Limits,
}

/// RFC 3327, RFC 5626, RFC 5627, RFC 3840.
const REGISTER_EXTENSIONS: [&[u8]; 4] = [b"path", b"outbound", b"gruu", b"pref"];

/// 64·T1 between elements of the core, in milliseconds: by then a REGISTER is answered, or in vain.
const TRANSACTION: u64 = 32_000;

impl Config {
    /// The defaults, for the S-CSCF given.
    #[must_use]
    pub fn new(element: Element) -> Self {
        Self {
            observe_only: false,
            audit: false,
            borders: Vec::new(),
            authenticating: Vec::new(),
            trusted_servers: Vec::new(),
            refuse_other_packages: false,
            register_extensions: REGISTER_EXTENSIONS.map(<[u8]>::to_vec).to_vec(),
            keep_server_name: false,
            waiting_deregistrations: 1_024,
            authentication_bound: 10_000,
            dialog_bound: 5_000,
            assignment_bound: 5_000,
            server_bound: 40_000,
            drain: pacer::Config::default(),
            drain_report: 1_000,
            notifier: notifier::Config::new(element.clone()),
            limits: Limits::default(),
            element,
        }
    }

    /// Checks that the values can work together.
    ///
    /// # Errors
    /// [`ConfigError`] names the field.
    pub fn check(&self) -> Result<(), ConfigError> {
        let refuse = |field, what| Err(ConfigError { field, what });
        let is_host = |uri: &[u8]| Uri::parse(uri).is_ok_and(|uri| uri.host().is_some());
        let bounds = [
            self.authentication_bound,
            self.dialog_bound,
            self.assignment_bound,
        ];
        if bounds.into_iter().fold(0, u64::saturating_add) >= TRANSACTION {
            return refuse(
                "authentication_bound, dialog_bound, assignment_bound",
                "together 32,000 or more",
            );
        }
        if self.waiting_deregistrations == 0 {
            return refuse("waiting_deregistrations", "0");
        }
        if self.server_bound == 0 {
            return refuse("server_bound", "0");
        }
        let hidden = |border: &Border| !is_host(&border.path_owner) || !is_host(&border.asserted);
        if self.borders.iter().any(hidden) {
            return refuse("borders", "not a SIP URI with a host");
        }
        if !self.authenticating.iter().all(|element| is_host(element)) {
            return refuse("authenticating", "not a SIP URI with a host");
        }
        if !self.trusted_servers.iter().all(|server| is_host(server)) {
            return refuse("trusted_servers", "not a SIP URI with a host");
        }
        if self.limits.users > 0xff_ffff {
            return refuse("limits.users", "more than 16,777,215");
        }
        if self.limits.message_bytes > 65_535 {
            return refuse("limits.message_bytes", "more than 65,535");
        }
        if self.limits.xml_bytes > 65_535 {
            return refuse("limits.xml_bytes", "more than 65,535");
        }
        if self.limits.registration_bytes > 16_384 {
            return refuse("limits.registration_bytes", "more than 16,384");
        }
        if !(1..=super::MAX_CONTACTS).contains(&self.limits.contacts) {
            return refuse("limits.contacts", "not between 1 and 64");
        }
        if self.drain_report == 0 {
            return refuse("drain_report", "0");
        }
        self.drain.check()?;
        self.notifier.check()
    }

    /// [SD-1, SD-2] What it says of other elements.
    pub(super) fn elements(&self) -> Elements<'_> {
        Elements {
            borders: &self.borders,
            authenticating: &self.authenticating,
        }
    }

    pub(super) fn extensions(&self) -> impl Iterator<Item = &[u8]> {
        self.register_extensions.iter().map(Vec::as_slice)
    }

    /// Sets that are of no user's, but only of deregistrations that wait.
    pub(super) fn sets_of_nobody(&self) -> usize {
        self.most_sets().saturating_sub(self.limits.users)
    }

    /// Sets that a node holds at most: those of users, and those only of deregistrations that wait.
    pub(super) fn most_sets(&self) -> usize {
        const NUMBERS: usize = 1 << 24;
        let sets = self
            .limits
            .users
            .saturating_add(self.waiting_deregistrations);
        sets.min(NUMBERS)
    }
}
