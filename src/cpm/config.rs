//! What an operator decides for a CPM Participating Function.

use alloc::boxed::Box;

use super::Cpm;
use crate::{
    drive::{ConfigError, Limits, Role, holds_break},
    wire::Element,
};

/// [RFC 3261 17.1.2.2] Timer F in T1.
const TIMER_F: u64 = 64;

/// The configuration of a node of the CPM Participating Function. It may be replaced while the node runs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The Participating Function.
    pub element: Element,
    /// [CP-6] Whether a BYE that is of no session is answered 481 here. Default true. A host that has other dialogs
    /// than those of CPM sessions sets it to false, and is told that the BYE is not the node's.
    pub answers_unknown: bool,
    /// [CP-3] Milliseconds for the far side to answer its BYEs; then the BYE that began it is answered without. Default
    /// 16,000.
    pub far_side_bound: u64,
    /// [CP-3] Milliseconds for the session to be stored; then it goes on without the UID. Default 8,000.
    pub store_bound: u64,
    /// [CP-3] T1 of whoever sends BYEs, in milliseconds: in 64·T1 they are to be answered, and for as long after that
    /// they are answered again. Default 500.
    pub t1: u64,
    /// [CP-1, CP-5] Milliseconds after which a BYE of ours, or one passed on, counts as unanswered although the host said
    /// nothing. Default 40,000: more than 64·T1.
    pub answer_bound: u64,
    /// [CO-3, CT-3] The same of a re-INVITE, whose final answer may wait for a user: more than the host, or
    /// `txn::Config::invite_patience`, waits for it. Default 220,000: 180 s, 64·T1 and some more.
    pub reinvite_bound: u64,
    /// [CO-3, CT-3] Milliseconds for the host to say what the session description is. Default 5,000.
    pub description_bound: u64,
    /// [CO-3, CT-3] How often a re-INVITE that deletes streams is sent at most, if it meets 491, or 500 or 503 with a
    /// Retry-After of 10 s or less. Default 5.
    pub reinvite_attempts: u8,
    /// [CO-3, CT-3] What re-INVITEs say in Allow: the methods that the host takes in the dialog (RFC 3261 13.2.1, 14.1),
    /// separated by commas; empty for no Allow. Default `INVITE, ACK, CANCEL, BYE, OPTIONS`.
    pub allow: Box<[u8]>,
    /// [DR-9] Whether each session that is closed is followed by its record ([`Event::Audited`]). Default false.
    ///
    /// [`Event::Audited`]: super::Event::Audited
    pub audit: bool,
    /// [CP-6] Bytes of Reason that are carried across; a longer one is left out. Default 1,024.
    pub reason_bytes: usize,
    /// The bounds.
    pub limits: Limits,
}

impl Config {
    /// The defaults, for the Participating Function given.
    #[must_use]
    pub fn new(element: Element) -> Self {
        Self {
            answers_unknown: true,
            far_side_bound: 16_000,
            store_bound: 8_000,
            t1: 500,
            answer_bound: 40_000,
            reinvite_bound: 220_000,
            description_bound: 5_000,
            reinvite_attempts: 5,
            allow: (*b"INVITE, ACK, CANCEL, BYE, OPTIONS").into(),
            audit: false,
            reason_bytes: 1_024,
            limits: Limits::default(),
            element,
        }
    }

    /// [CP-6] Milliseconds for which an answered BYE may come again.
    pub(super) const fn memory(&self) -> u64 {
        self.t1.saturating_mul(TIMER_F)
    }

    /// Bytes that responses copy of a request: no more than it has, and what the names of its fields take written out.
    pub(super) const fn kept_bytes(&self) -> usize {
        let names = self.limits.headers.saturating_mul(8);
        self.limits.message_bytes.saturating_add(names)
    }

    /// Bytes of a BYE to every leg of a session: its strings, where it goes, and the rest.
    const fn byes_bytes(&self) -> usize {
        const REST: usize = 2_048;
        let strings = self.limits.registration_bytes.saturating_mul(2);
        let bye = strings
            .saturating_add(self.reason_bytes)
            .saturating_add(REST);
        bye.saturating_mul(self.limits.iwfs.saturating_add(1))
    }

    /// Checks that the values can work together.
    ///
    /// # Errors
    /// [`ConfigError`] names the field.
    pub fn check(&self) -> Result<(), ConfigError> {
        let refuse = |field, what| Err(ConfigError { field, what });
        let times = [
            ("far_side_bound", self.far_side_bound),
            ("store_bound", self.store_bound),
            ("t1", self.t1),
            ("answer_bound", self.answer_bound),
            ("reinvite_bound", self.reinvite_bound),
            ("description_bound", self.description_bound),
        ];
        if let Some((field, _)) = times.into_iter().find(|&(_, time)| time == 0) {
            return refuse(field, "0");
        }
        if self.far_side_bound.saturating_add(self.store_bound) >= self.memory() {
            return refuse(
                "far_side_bound, store_bound",
                "together 64 times t1 or more",
            );
        }
        if !(1..=16).contains(&self.reinvite_attempts) {
            return refuse("reinvite_attempts", "not between 1 and 16");
        }
        if self.allow.len() > 1_024 || holds_break(&self.allow) {
            return refuse("allow", "more than 1,024 bytes, or a line break");
        }
        if self.reason_bytes > 4_096 {
            return refuse("reason_bytes", "more than 4,096");
        }
        if self.limits.users > 0xff_ffff {
            return refuse("limits.users", "more than 16,777,215");
        }
        if self.limits.message_bytes > 65_535 {
            return refuse("limits.message_bytes", "more than 65,535");
        }
        if self.limits.iwfs > super::MAX_IWFS {
            return refuse("limits.iwfs", "more than 8");
        }
        if self.limits.registration_bytes > 16_384 {
            return refuse("limits.registration_bytes", "more than 16,384");
        }
        if self.byes_bytes() > Cpm::STEP_BYTES {
            return refuse(
                "limits.registration_bytes",
                "with limits.iwfs and reason_bytes more than one step holds",
            );
        }
        Ok(())
    }
}
