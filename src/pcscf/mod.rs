//! The P-CSCF: deregistration it starts itself (S0), and the cleanup when the network says a user is gone.
//!
//! The host, which proxies REGISTERs, shows each one with its 2xx ([`Command::Learn`]) and reports what it
//! sees of the access network ([`Command::AccessLost`]) and of security associations ([`Command::Protected`]); it also
//! shows what comes from UEs and for them, which the node has it pass on, hold or refuse. The node subscribes to the registration state of
//! its users, sends the deregistering REGISTER, hears the NOTIFY, and has the host clean up in order. Every
//! registration that goes ends with one [`Event::Deregistered`].
//!
//! Whatever starts a deregistration, its REGISTER goes when its turn comes ([`Config::pacing`]): with nobody before it,
//! that is at once. The home domain of the user is the next hop that is paced. [`shutdown`] tells how all users go.
//!
//! | id | what | function | test |
//! |---|---|---|---|
//! | PD-1 | learns registrations from REGISTER and 2xx | [`registration::Learned::read`] | `tests/pcscf.rs` |
//! | PD-2 | trigger: shutdown; order, deadline, dry run, tally, REGISTERs refused meanwhile | [`Command::Shutdown`], [`shutdown`] | `tests/pcscf_drain.rs` |
//! | PD-3 | trigger: IP-CAN loss | [`Command::AccessLost`] | `tests/pcscf.rs` |
//! | PD-3 | what counts as loss | [`LossPolicy`] | `tests/pcscf/access.rs` |
//! | PD-3 | terminating requests meanwhile; the UE heard again | [`PcscfNode::is_access_lost`] | `tests/pcscf/access.rs` |
//! | PD-4 | trigger: the registration's lifetime | [`Registration::deadline`] | `tests/pcscf.rs` |
//! | PD-4 | trigger: that of the security associations | [`Command::Protected`] | `tests/pcscf/access.rs` |
//! | PD-5 | the REGISTER | `messages::register` | `tests/pcscf.rs` |
//! | PD-6 | what its responses mean, retries | [`Registration::step`] | `tests/pcscf.rs` |
//! | PD-6 | canaries of each home domain, domains that refuse | `pacing` | `tests/pcscf_drain.rs` |
//! | PD-7 | ordered cleanup on NOTIFY | [`Registration::step`] | `tests/pcscf.rs` |
//! | PD-7 | each step, and what others stay on | [`Question`] | `tests/pcscf/access.rs` |
//! | PD-8 | fallback without NOTIFY | [`Registration::step`] | `tests/pcscf.rs` |
//! | PD-8 | fallback at the deadline of a shutdown | [`Input::OutOfTime`] | `tests/pcscf_drain.rs` |
//! | PD-9 | the UE comes back | [`Registration::step`] | `tests/pcscf.rs` |
//! | PD-9 | its REGISTER against ours | [`Event::HeldRegisterReleased`] | `tests/pcscf/returning.rs` |
//! | PD-9 | every state with every input; any order | [`Registration::step`] | `tests/pcscf/transitions.rs`, `tests/pcscf/interleavings.rs` |
//! | PD-10 | whose contact a document means | [`standing`] | `tests/pcscf.rs` |
//! | PD-11 | trust marks of a UE removed | [`strip_trust_marks`] | `tests/pcscf.rs` |
//! | PD-12 | one pacer for every trigger and retry | [`Config::pacing`], `pacing` | `tests/pcscf_drain.rs` |
//! | DR-9 | the record of a deregistration, for an audit | [`Event::Audited`] | `tests/pcscf/audit.rs` |
//! | DR-10 | configuration replaced, counters | [`PcscfNode::reconfigure`], [`Counters`] | `tests/pcscf.rs` |
//! | RE-1, RE-2 | whether and how often to subscribe | [`PcscfNode`] | `tests/pcscf.rs` |

mod aside;
mod cleanup;
mod config;
mod counters;
pub mod defect;
mod deregistration;
mod evidence;
mod messages;
mod node;
pub mod registration;
mod returning;
pub mod shutdown;
mod snapshot;
mod trust;
mod user;

pub use config::{Config, NextHop};
pub use counters::Counters;
pub use deregistration::{Cause, Change, Input, Outcome, Registration};
pub use evidence::{Evidence, LossPolicy, LossRule};
pub use node::PcscfNode;
pub use shutdown::{Shutdown, Tally};
pub use trust::{StripError, strip_trust_marks};

pub use crate::deregister::{Conclusion, MAX_DOMAINS, NotAsked, standing};
use crate::{
    drive::{self, Identifier, Role, Text, Texts, Token, TransactionRef},
    regevent::subscriber,
};

/// [PD-3] The Reason of what releases the dialogs of a UE whose access is lost (TS 24.229 5.2.8.1).
pub const DIALOG_RELEASE_REASON: &str = "SIP;cause=503;text=\"Service Unavailable\"";

/// The most contacts of one user that a node can be configured for.
pub const MAX_CONTACTS: usize = standing::MAX_WATCHED;

/// Bytes that one machine's own step can append: a REGISTER, or a question.
const MACHINE_BYTES: usize = 32 * 1024;
const MACHINE_OUTPUTS: usize = 3;

/// The vocabulary of the P-CSCF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pcscf;

impl Role for Pcscf {
    type Command<'a> = Command<'a>;
    type Question = Question;
    type Answer<'a> = Answer<'a>;
    type Event = Event;
    // A NOTIFY that ends every contact of a user: its response, a step of cleanup for each, two steps of the
    // subscription.
    const STEP_OUTPUTS: usize = MAX_CONTACTS * MACHINE_OUTPUTS + 8;
    const STEP_BYTES: usize = 256 * 1024;
}

/// Whom a command about the access of UEs concerns: every registration at a contact, or those among them of one user, or
/// one flow.
#[derive(Clone, Copy)]
pub struct Ue<'a> {
    /// The URI of its registered contact.
    pub contact: &'a [u8],
    /// Its private identity. `None`: whoever has the contact, which may be several users behind translators of addresses.
    pub private_identity: Option<&'a [u8]>,
    /// The reg-id of the flow (RFC 5626 4.2). `None`: all flows of the contact.
    pub reg_id: Option<u32>,
}

impl<'a> Ue<'a> {
    /// Whoever is registered at this contact.
    #[must_use]
    pub const fn at(contact: &'a [u8]) -> Self {
        Self {
            contact,
            private_identity: None,
            reg_id: None,
        }
    }

    /// Of these the user with this private identity.
    #[must_use]
    pub const fn of(self, private_identity: &'a [u8]) -> Self {
        Self {
            private_identity: Some(private_identity),
            ..self
        }
    }

    /// Of these the flow with this reg-id.
    #[must_use]
    pub const fn by(self, reg_id: u32) -> Self {
        Self {
            reg_id: Some(reg_id),
            ..self
        }
    }
}

/// What a host tells a P-CSCF.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Command<'a> {
    /// [PD-1] A REGISTER of a UE and its final response, as sent and received on the core side.
    Learn {
        /// The REGISTER, with the P-CSCF's Path.
        request: &'a [u8],
        /// Its final response. One that is not a 2xx says no more than that nothing came of it (PD-9).
        response: &'a [u8],
        /// [RE-1] The trunk group that it came over; empty for none.
        trunk_group: &'a [u8],
    },
    /// [PD-3] A report that the access of a UE is lost. Whether it counts is for [`Config::loss`] to say. Of the
    /// registrations that are meant it concerns as many as [`Limits::contacts`](crate::drive::Limits::contacts) says.
    AccessLost {
        /// Whose.
        ue: Ue<'a>,
        /// What the report rests on.
        evidence: Evidence,
    },
    /// [PD-3] Something was heard from a UE, which therefore is not lost: what [`receive`](crate::drive::Node::receive)
    /// was not shown, or without a Contact could not tell whom it was from.
    Heard {
        /// Whose.
        ue: Ue<'a>,
    },
    /// [PD-4] A UE has security associations or TLS sessions: newly set up, or renewed. Without this command their
    /// lifetime triggers nothing. A 2xx that is learnt makes them last until 30 s after the registration, if they
    /// would end before (TS 24.229 7.8); where that does not hold, the command is to be given again after it.
    Protected {
        /// Whose.
        ue: Ue<'a>,
        /// Seconds that they last from now; `None`: as TS 24.229 7.8 has it.
        lifetime: Option<u32>,
    },
    /// [PD-2] A UE has dialogs from now on, or has none any more. Nothing follows but its place in a
    /// shutdown.
    DialogsChanged {
        /// Whose.
        ue: Ue<'a>,
        /// Whether it has any.
        present: bool,
    },
    /// [PD-2] Deregisters everybody, or says what that would be. A second one starts nothing anew; it replaces what
    /// was ordered. Until [`Resume`](Self::Resume), [`receive`](crate::drive::Node::receive) has REGISTERs refused
    /// with 503, except those of emergencies and those by which a UE goes. See [`shutdown`].
    Shutdown(Shutdown),
    /// [PD-2] Calls a shutdown off: who waits for a turn of it stays registered, what is under way goes on.
    Resume,
}

/// Whom a question or event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Affected {
    /// The private identity.
    pub private_identity: Text,
    /// The default public identity.
    pub public_identity: Text,
    /// The URI of the contact.
    pub contact: Text,
}

/// [DR-9] The record of a deregistration at a P-CSCF.
pub type Audit = drive::Audit<Affected, Cause, Conclusion<Outcome>>;

/// [PD-7] What a P-CSCF has its host do, one after the other; each is to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Question {
    /// Deliver what is still owed to the UE over its contact: responses, a NOTIFY of its own.
    OwedDelivery {
        /// Of this question: the same when it is asked again after a restore.
        key: Identifier,
        /// Whose.
        affected: Affected,
    },
    /// Shorten the lifetime of the security associations or TLS sessions of the contact, if it is longer. The network
    /// has deregistered the UE, whose own NOTIFY is still to reach it (TS 24.229 5.2.5.2). They are asked to be
    /// released when that time is over, or at once if it could not be done.
    SecurityAssociationShortening {
        /// Of this question: the same when it is asked again after a restore.
        key: Identifier,
        /// Whose.
        affected: Affected,
        /// What is to remain of it: 64·T1 towards the UE.
        milliseconds: u64,
    },
    /// Release the security associations or TLS sessions of the contact. It is not asked while another registration
    /// stays on that contact.
    SecurityAssociationRelease {
        /// Of this question: the same when it is asked again after a restore.
        key: Identifier,
        /// Whose.
        affected: Affected,
    },
    /// Release the signalling bearer: end the Rx session. It is not asked while another registration of the user stays
    /// at the same address.
    BearerRelease {
        /// Of this question: the same when it is asked again after a restore.
        key: Identifier,
        /// Whose.
        affected: Affected,
        /// The Termination-Cause of the session termination request (RFC 6733 8.15): 1, DIAMETER_LOGOUT.
        termination_cause: u32,
    },
    /// Of a subscription: no part of the cleanup.
    Subscription(subscriber::Question),
}

impl From<subscriber::Question> for Question {
    fn from(question: subscriber::Question) -> Self {
        Self::Subscription(question)
    }
}

/// How a question of the P-CSCF is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer<'a> {
    /// It is done.
    Done,
    /// It could not be done; the cleanup goes on.
    Failed,
    /// To the question of a subscription.
    Subscription(subscriber::Answer<'a>),
}

/// What a P-CSCF reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A registration is gone from here. There is exactly one for each that was started.
    Deregistered {
        /// Of this event: the same if it comes again after a crash.
        id: Identifier,
        /// Whose.
        affected: Affected,
        /// What started it.
        cause: Cause,
        /// How it ended.
        outcome: Outcome,
        /// How many REGISTERs were sent, retransmissions apart.
        registers: u8,
    },
    /// The deregistration was given up, because the UE has registered anew.
    Cancelled {
        /// Of this event: the same if it comes again after a crash.
        id: Identifier,
        /// Whose.
        affected: Affected,
        /// What had started it.
        cause: Cause,
        /// How many REGISTERs had been sent.
        registers: u8,
    },
    /// [PD-3] The access of a UE is lost. Its dialogs are to be released towards the remote side only: with CANCEL,
    /// or 500, what is being established, with BYE what is (TS 24.229 5.2.8.1), with
    /// [`DIALOG_RELEASE_REASON`]; what comes on them afterwards gets 481. Until the UE is heard again, or gone,
    /// terminating requests that the node is shown are refused with 500. The deregistration has begun.
    AccessLost {
        /// Of this event: the same if it comes again after a crash.
        id: Identifier,
        /// Whose.
        affected: Affected,
    },
    /// [PD-3] A report of loss has been kept, which is not enough by itself.
    AccessDoubted {
        /// Whose.
        affected: Affected,
        /// What it rests on.
        evidence: Evidence,
    },
    /// [PD-9] The REGISTER of a UE that was to be held is not held any more. Our own, if it is still out, is not to be
    /// retransmitted from here on.
    HeldRegisterReleased {
        /// That of the [`Verdict::Hold`](crate::drive::Verdict::Hold).
        token: Token,
        /// The handle of its transaction that the node was given.
        transaction: TransactionRef,
        /// Whether it is to be passed on. If not, a later REGISTER for the same contact has come: unless that is this
        /// one again, this one is to be answered with 500.
        forward: bool,
    },
    /// Of a subscription.
    Subscription(subscriber::Event),
    /// [PD-2] What a dry run has found. Counts and time are those of the instant.
    ShutdownPlanned {
        /// Registrations that are here, those that are ending already among them.
        registrations: u32,
        /// Those of them whose UEs are in dialogs.
        in_dialog: u32,
        /// Those of them that are of emergencies.
        emergency: u32,
        /// Milliseconds until everybody has been asked, at least, at the pace of today
        /// ([`Pacer::least_time`](crate::fleet::pacer::Pacer::least_time)).
        least_time: u64,
    },
    /// [PD-2] How far a shutdown has come: once a second at most, and some 64 times until its deadline.
    ShutdownProgressed {
        /// Registrations that it is to end, and that are here still.
        left: u32,
        /// Users that wait for their turns.
        queued: u32,
        /// REGISTERs that are out.
        in_flight: u32,
        /// What has ended since it was ordered, whatever started it.
        tally: Tally,
    },
    /// [PD-2] A shutdown has ended: none of the registrations that it was to end is left. What is learnt later is
    /// ended as well, without another such event.
    ShutdownEnded {
        /// What has ended since it was ordered, whatever started it.
        tally: Tally,
    },
    /// [DR-9] The record of a deregistration, after its outcome, if the configuration has
    /// [`audit`](Config::audit). One that a shutdown had only queued when it was called off leaves none.
    Audited(Audit),
    /// [DR-7] Another node has the user, as the store says: nothing of it is done here any more, and nothing was
    /// said to anybody. Transactions of it that are still open are the host's.
    TakenOver {
        /// The private identity.
        private_identity: Text,
    },
}

impl Texts for Affected {
    fn each_text(&mut self, show: &mut dyn FnMut(&mut Text)) {
        let Self {
            private_identity,
            public_identity,
            contact,
        } = self;
        [private_identity, public_identity, contact]
            .into_iter()
            .for_each(show);
    }
}

impl Texts for Question {
    fn each_text(&mut self, show: &mut dyn FnMut(&mut Text)) {
        match self {
            Self::OwedDelivery { affected, .. }
            | Self::SecurityAssociationShortening { affected, .. }
            | Self::SecurityAssociationRelease { affected, .. }
            | Self::BearerRelease { affected, .. } => affected.each_text(show),
            Self::Subscription(question) => question.each_text(show),
        }
    }
}

impl Texts for Event {
    fn each_text(&mut self, show: &mut dyn FnMut(&mut Text)) {
        match self {
            Self::Deregistered { affected, .. }
            | Self::Cancelled { affected, .. }
            | Self::AccessLost { affected, .. }
            | Self::AccessDoubted { affected, .. } => affected.each_text(show),
            Self::HeldRegisterReleased { .. } => {}
            Self::Audited(audit) => audit.each_text(show),
            Self::Subscription(event) => event.each_text(show),
            Self::TakenOver { private_identity } => show(private_identity),
            Self::ShutdownPlanned { .. }
            | Self::ShutdownProgressed { .. }
            | Self::ShutdownEnded { .. } => {}
        }
    }
}

impl From<subscriber::Event> for Event {
    fn from(event: subscriber::Event) -> Self {
        Self::Subscription(event)
    }
}
