//! The S-CSCF: deregistration as the home network sees it (S0), and the notifier of registration state.
//!
//! The host is the registrar: it registers, and shows each REGISTER with the 2xx it sent ([`Command::Learn`]), and
//! the profile that the HSS has changed ([`Command::ChangeProfile`]). What removes bindings is taken here: a
//! REGISTER with an expiry of zero, from the user or from the P-CSCF in its own name, the end of a binding's time,
//! and what operator and HSS end ([`Command::Deregister`], [`Command::RegistrationTermination`]). The node asks the
//! host to authenticate where that is due, to release dialogs, and to tell the HSS; it answers the REGISTER,
//! notifies every subscriber, and tells the application servers. Every deregistration that is accepted ends
//! with one [`Event::Deregistered`].
//!
//! | id | what | function | test |
//! |---|---|---|---|
//! | SD-1 | whose REGISTER it is | [`recognise`] | `tests/scscf.rs` |
//! | SD-2 | the verdict on a user's own is asked first | `Deregistration::step` | `tests/scscf.rs` |
//! | SD-3 | what is removed, all or nothing; 481, 400, 500 | `Deregistration::step` | `tests/scscf.rs` |
//! | SD-4 | server assignment, 200, application servers | `Deregistration::step` | `tests/scscf.rs` |
//! | SD-5 | what operator and HSS end, cause by cause | [`Cause`] | `tests/scscf.rs` |
//! | SD-5 | everybody, in turns that the neighbours bear | [`Command::DeregisterAll`] | `tests/scscf.rs` |
//! | SD-5 | emergency registrations stay, and are named | [`Event::EmergencySpared`] | `tests/scscf.rs` |
//! | SD-6 | time cut for the user to authenticate anew | [`Command::Reauthenticate`] | `tests/scscf.rs` |
//! | SD-7 | the set: identities, contacts, flows, barred ones | `bindings` | `tests/scscf.rs` |
//! | SD-7 | identities that come and go with the profile | `Bindings::change_profile` | `tests/scscf.rs` |
//! | SD-8 | the HSS does not answer | `Deregistration::step` | `tests/scscf.rs` |
//! | SD-9 | who is behind a failed P-CSCF, and until when | [`ScscfNode::standing`] | `tests/scscf.rs` |
//! | RN-1 | who may subscribe, and to what | [`ScscfNode`] | `tests/scscf.rs` |
//! | RN-2, RN-3 | what the documents say | `bindings` | `tests/scscf.rs` |
//! | RN-2 to RN-4 | the NOTIFYs | [`notifier`] | `tests/notifier.rs` |
//! | RN-4 | subscriptions that the host ends | [`ScscfNode`] | `tests/scscf.rs` |
//! | RN-4 | what is over leaves nothing | [`ScscfNode`] | `tests/subscribing_allocations.rs` |
//! | DR-9 | the record of a deregistration, for an audit | [`Event::Audited`] | `tests/scscf/audit.rs` |
//! | RN-5 | cost of a change | [`ScscfNode`] | `tests/scscf.rs` |

mod bindings;
mod config;
mod counters;
pub mod defect;
mod deregistration;
mod drain;
mod entry;
mod messages;
mod node;
mod outcome;
mod recognition;
mod registration;
mod resting;
mod restoration;
mod set;
mod snapshot;
mod termination;
mod third_party;
mod wildcard;

pub use config::{Border, Config};
pub use counters::Counters;
pub use drain::{DrainProgress, MAX_PCSCFS};
pub use node::ScscfNode;
pub use outcome::{
    Assignment, Cause, Conclusion, DeregistrationReason, Dialogs, Outcome, TerminationReason,
};
pub use recognition::{Elements, Reason, Reasons, Recognition, recognise};
pub use restoration::{MAX_FAILED_PCSCFS, Standing};

use core::fmt;

use crate::{
    drive::{self, Identifier, Role, Text, Texts, TransactionRef},
    regevent::notifier,
};

/// The most contacts of one set that a node can be configured for.
pub const MAX_CONTACTS: usize = 64;

/// The most application servers that are told of one deregistration.
pub const MAX_SERVERS: usize = 16;

/// The vocabulary of the S-CSCF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scscf;

impl Role for Scscf {
    type Command<'a> = Command<'a>;
    type Question = Question;
    type Answer<'a> = Answer<'a>;
    type Event = Event;
    // A SUBSCRIBE: 200, event, NOTIFY; a deregistration: report, question or 200, outcome and its record.
    const STEP_OUTPUTS: usize = 8;
    // A response as long as its request, every contact of the set; or a NOTIFY with the longest document.
    const STEP_BYTES: usize = 256 * 1024;
}

/// What a host tells an S-CSCF.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Command<'a> {
    /// [SD-7] A REGISTER that the host has accepted, and the 2xx it sent.
    Learn {
        /// The REGISTER as it was received.
        request: &'a [u8],
        /// The 2xx as it was sent; its P-Associated-URI names the set, the default identity first. Another
        /// response changes nothing.
        response: &'a [u8],
        /// The private identity; `None`: the username of the REGISTER's Authorization, else what the public
        /// identity of To gives.
        private_identity: Option<&'a [u8]>,
    },
    /// [SD-7] The HSS has changed the user profile (Push-Profile-Request, TS 29.228 6.4): these are the public
    /// identities of the implicit registration set now. Those that are new are registered with it, those that are
    /// missing, or barred now, are not any more; subscribers are told of what they may see. Contacts stay. Not
    /// mine: nothing is bound to that identity here.
    ChangeProfile {
        /// An identity that the set had until now.
        public_identity: &'a [u8],
        /// All of them, the default one first, one at least not barred; wildcarded ones as they stand in the
        /// profile. One that stands twice counts as it stands first. At most `Limits::identities`.
        identities: &'a [PublicIdentity<'a>],
    },
    /// [RN-4] Subscriptions to registration state are to end, each with a NOTIFY that says why; registrations
    /// stay. Not mine: there is none.
    EndSubscriptions {
        /// An identity of the set.
        public_identity: &'a [u8],
        /// The subscriber: the URI of the Contact that it subscribed with, byte for byte. `None`: all of them.
        contact: Option<&'a [u8]>,
        /// What Subscription-State says.
        reason: notifier::Reason,
    },
    /// [SD-5] Ends the registrations of a set, or those of one of its private identities (TS 24.229 5.4.1.5):
    /// dialogs, HSS, subscribers and application servers, as after a REGISTER; each private identity's is a
    /// deregistration with its own question to the HSS, and its own outcome. Emergency registrations stay. Not mine: nothing of it is registered here.
    Deregister {
        /// An identity of the set.
        public_identity: &'a [u8],
        /// Whose bindings; `None`: all.
        private_identity: Option<&'a [u8]>,
        /// Why.
        reason: DeregistrationReason,
    },
    /// [SD-5] The HSS ends registrations (Registration-Termination-Request, TS 29.228 6.1.3): one command for each
    /// set that the request names, or for each of the subscription if it names none. Emergency registrations stay;
    /// [`Event::EmergencySpared`] has them for the answer. Not mine: nothing of it is registered here, or the reason
    /// concerns nothing registered.
    RegistrationTermination {
        /// An identity of the set.
        public_identity: &'a [u8],
        /// User-Name and Associated-Identities; none: whoever has registered the set. At most `Limits::contacts`.
        private_identities: &'a [&'a [u8]],
        /// Why.
        reason: TerminationReason,
        /// The application servers that the service profile has for a third-party registration, as in
        /// [`Answer::Assigned`]: the HSS is not asked. They are told when nobody is registered in the set any more,
        /// unless another S-CSCF serves the user.
        application_servers: &'a [u8],
    },
    /// [SD-6] Has a user authenticated anew (TS 24.229 5.4.1.6): bindings with more time left than that are cut to
    /// it, and subscribers are told. A REGISTER of the user in that time ends it; otherwise it is a deregistration
    /// ([`Cause::NotReauthenticated`]). Emergency registrations stay as they are. Not mine: nothing of it is
    /// registered here.
    Reauthenticate {
        /// An identity of the set.
        public_identity: &'a [u8],
        /// Whose bindings; `None`: all.
        private_identity: Option<&'a [u8]>,
        /// Seconds to do it in, at least 1.
        expires: u32,
    },
    /// [SD-5] Ends the registrations of everybody, each in its turn ([`Config::drain`]), so that HSS, P-CSCFs and
    /// application servers bear it: [`Event::DrainProgressed`] says how far it has come, [`Event::Drained`] that it is
    /// over. Told again while it runs, it goes on, with this reason and deadline. Who registers meanwhile, or again,
    /// may be left: the host takes no REGISTERs for a node that is to be empty. It is of the node, and in its blob; where
    /// sets are stored one by one it is told again after a restart, and finds those who are left.
    DeregisterAll {
        /// Why.
        reason: DeregistrationReason,
        /// Milliseconds after which nobody is begun with any more; they stay registered. 0 stops it.
        within: Option<u64>,
    },
    /// [SD-9] A P-CSCF has failed (TS 23.380): contacts bound behind it are not reached until the user registers
    /// anew ([`ScscfNode::standing`]); nobody is deregistered. It takes no time, however many they are. Told again, it
    /// has failed again. At most [`MAX_FAILED_PCSCFS`] at once. It is of the node, and in its blob; where sets are stored
    /// one by one it is told again after a restart.
    PcscfFailed {
        /// A SIP URI with the host and port of its entry in Path.
        pcscf: &'a [u8],
    },
    /// [SD-9] It serves again those whom it served before it failed. One that has lost what it knew is not restored:
    /// its users register anew. Not mine: it has not failed.
    PcscfRestored {
        /// A SIP URI with the host and port of its entry in Path.
        pcscf: &'a [u8],
    },
}

/// A public identity of a user profile. Its `Debug` does not show it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicIdentity<'a> {
    /// A SIP or tel URI.
    pub uri: &'a [u8],
    /// It may register the set and is shown to nobody (BarringIndication, TS 29.228 B.2.1).
    pub barred: bool,
}

impl fmt::Debug for PublicIdentity<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicIdentity")
            .field("barred", &self.barred)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Command<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Learn { .. } => f.write_str("Learn"),
            Self::ChangeProfile { identities, .. } => f
                .debug_tuple("ChangeProfile")
                .field(&identities.len())
                .finish(),
            Self::EndSubscriptions { reason, .. } => {
                f.debug_tuple("EndSubscriptions").field(reason).finish()
            }
            Self::Deregister { reason, .. } => f.debug_tuple("Deregister").field(reason).finish(),
            Self::RegistrationTermination { reason, .. } => f
                .debug_tuple("RegistrationTermination")
                .field(reason)
                .finish(),
            Self::Reauthenticate { expires, .. } => {
                f.debug_tuple("Reauthenticate").field(expires).finish()
            }
            Self::DeregisterAll { reason, within } => f
                .debug_struct("DeregisterAll")
                .field("reason", reason)
                .field("within", within)
                .finish(),
            Self::PcscfFailed { .. } => f.write_str("PcscfFailed"),
            Self::PcscfRestored { .. } => f.write_str("PcscfRestored"),
        }
    }
}

/// Whom a question or event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Affected {
    /// The private identity.
    pub private_identity: Text,
    /// The default public identity.
    pub public_identity: Text,
    /// The contacts: URIs in angle brackets, separated by commas.
    pub contacts: Text,
}

/// [DR-9] The record of a deregistration at an S-CSCF.
pub type Audit = drive::Audit<Affected, Cause, Conclusion>;

/// What tells the HSS why (TS 29.229 6.3.15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AssignmentKind {
    /// `TIMEOUT_DEREGISTRATION`: the last binding ran out.
    TimeoutDeregistration,
    /// `USER_DEREGISTRATION`: a REGISTER removed the last binding.
    UserDeregistration,
    /// `TIMEOUT_DEREGISTRATION_STORE_SERVER_NAME`
    TimeoutDeregistrationStoreServerName,
    /// `USER_DEREGISTRATION_STORE_SERVER_NAME`
    UserDeregistrationStoreServerName,
    /// `ADMINISTRATIVE_DEREGISTRATION`: the operator removed the last binding.
    AdministrativeDeregistration,
    /// `AUTHENTICATION_FAILURE`: the user who was to authenticate anew could not.
    AuthenticationFailure,
    /// `AUTHENTICATION_TIMEOUT`: the user who was to authenticate anew did not answer.
    AuthenticationTimeout,
    /// `DEREGISTRATION_TOO_MUCH_DATA`: the profile is larger than can be taken.
    DeregistrationTooMuchData,
}

impl AssignmentKind {
    /// The value of Server-Assignment-Type.
    #[must_use]
    pub const fn code(self) -> u32 {
        match self {
            Self::TimeoutDeregistration => 4,
            Self::UserDeregistration => 5,
            Self::TimeoutDeregistrationStoreServerName => 6,
            Self::UserDeregistrationStoreServerName => 7,
            Self::AdministrativeDeregistration => 8,
            Self::AuthenticationFailure => 9,
            Self::AuthenticationTimeout => 10,
            Self::DeregistrationTooMuchData => 11,
        }
    }
}

/// What an S-CSCF asks its host, or has it do; each is to be answered. The key is the same when a question
/// is asked again after a restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Question {
    /// [SD-2] Is this deregistration from the user? `Authenticated` only for credentials that were verified,
    /// or protection that proves the user (TS 24.229 5.4.1.4); `Challenge`; or `Denied`. It is not asked of a
    /// P-CSCF beyond doubt, even if what it names is not bound here ([`Recognition::NotBoundHere`]), nor of an element
    /// that has authenticated the user ([`Recognition::UserAuthenticated`]).
    Authentication {
        /// Of this question.
        key: Identifier,
        /// The server transaction of the REGISTER.
        transaction: TransactionRef,
        /// The private identity that it names, if it does.
        private_identity: Text,
        /// The public identity: To.
        public_identity: Text,
        /// Why it is suspicious; none for what looks like any user's.
        reasons: Reasons,
    },
    /// [SD-3] Release the dialogs of these contacts, with Reason SIP and this status: `Released` or `Failed`.
    DialogRelease {
        /// Of this question.
        key: Identifier,
        /// Whose.
        affected: Affected,
        /// The status that Reason gives: 480.
        status: u16,
    },
    /// [SD-4] Tell the HSS: `Assigned`, `NameNotStored`, `NotAssigned` or `Failed`.
    ServerAssignment {
        /// Of this question.
        key: Identifier,
        /// Why.
        kind: AssignmentKind,
        /// The private identity.
        private_identity: Text,
        /// The public identities of the set, barred ones too: URIs in angle brackets, separated by commas,
        /// the default one first.
        public_identities: Text,
    },
}

/// How a question of the S-CSCF is answered. Its `Debug` shows no contents.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer<'a> {
    /// The user it is.
    Authenticated,
    /// Challenge with 401.
    Challenge {
        /// The value of WWW-Authenticate.
        header: &'a [u8],
    },
    /// Refuse with 403.
    Denied,
    /// The dialogs are released.
    Released,
    /// The HSS was told.
    Assigned {
        /// The application servers that the service profile has for a third-party registration: addresses
        /// separated by commas, at most 16. Empty for none.
        application_servers: &'a [u8],
    },
    /// [SD-4] The HSS was told, and does not keep the name of this S-CSCF
    /// (`DIAMETER_SUCCESS_SERVER_NAME_NOT_STORED`).
    NameNotStored {
        /// As in `Assigned`.
        application_servers: &'a [u8],
    },
    /// [SD-8] The HSS could not be told, or refused. The application servers, which the profile at hand has, are to
    /// be told all the same.
    NotAssigned {
        /// As in `Assigned`.
        application_servers: &'a [u8],
    },
    /// It could not be done; the deregistration goes on.
    Failed,
}

impl fmt::Debug for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authenticated => f.write_str("Authenticated"),
            Self::Challenge { header } => f.debug_tuple("Challenge").field(&header.len()).finish(),
            Self::Denied => f.write_str("Denied"),
            Self::Released => f.write_str("Released"),
            Self::Assigned {
                application_servers,
            } => f
                .debug_tuple("Assigned")
                .field(&application_servers.len())
                .finish(),
            Self::NameNotStored {
                application_servers,
            } => f
                .debug_tuple("NameNotStored")
                .field(&application_servers.len())
                .finish(),
            Self::NotAssigned {
                application_servers,
            } => f
                .debug_tuple("NotAssigned")
                .field(&application_servers.len())
                .finish(),
            Self::Failed => f.write_str("Failed"),
        }
    }
}

/// What an S-CSCF reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Contacts are deregistered. There is exactly one for each deregistration that was accepted. It comes after the last
    /// of its third-party REGISTERs: those of a registration that has come meanwhile are sent after it, lest they be
    /// overtaken.
    Deregistered {
        /// [DR-7] Of this event: the same if it comes again after a crash.
        id: Identifier,
        /// Whose.
        affected: Affected,
        /// What started it.
        cause: Cause,
        /// How it went.
        outcome: Outcome,
    },
    /// [SD-1] A deregistration looked like a P-CSCF's and failed a check. It changed nothing by that. With
    /// [`Reasons::UNKNOWN_BINDING`] alone it may be a P-CSCF's beyond doubt at an S-CSCF that lost its state: a
    /// server assignment question then follows, or 481.
    SuspiciousDeregistration {
        /// Whom it names; no contacts.
        affected: Affected,
        /// The checks it failed.
        reasons: Reasons,
    },
    /// [SD-1] With [`Config::observe_only`]: a P-CSCF's deregistration was recognised, and goes the way of a
    /// user's.
    Observed {
        /// Whom it names; no contacts.
        affected: Affected,
    },
    /// [SD-5] Emergency registrations that a command of the network would have ended, and that stay (TS 29.228
    /// 6.1.3): what the answer to the HSS lists. The first private identity belongs to the first public identity,
    /// and so on: `Identity-with-Emergency-Registration`.
    EmergencySpared {
        /// Private identities in angle brackets, separated by commas.
        private_identities: Text,
        /// Public identities, as many: those that were registered explicitly.
        public_identities: Text,
    },
    /// [SD-5] How far the deregistration of everybody has come, each [`Config::drain_report`].
    DrainProgressed {
        /// So far.
        progress: DrainProgress,
    },
    /// [SD-5] The deregistration of everybody is over.
    Drained {
        /// The final tally.
        progress: DrainProgress,
    },
    /// Of a subscription.
    Subscription(notifier::Event),
    /// [DR-9] The record of a deregistration, after its outcome, if the configuration has
    /// [`audit`](Config::audit); and that of one that was refused, in which nobody has authenticated or nothing was bound
    /// here. None is left by a challenge, which is not the end, a REGISTER that comes again, and a set that is
    /// [taken over](Self::TakenOver).
    Audited(Audit),
    /// [DR-7] Another node has the set, as the store says: nothing of it is done here any more, and nothing was
    /// said to anybody. Transactions of it that are still open are the host's.
    TakenOver {
        /// The default public identity.
        public_identity: Text,
    },
}

impl Texts for Affected {
    fn each_text(&mut self, show: &mut dyn FnMut(&mut Text)) {
        let Self {
            private_identity,
            public_identity,
            contacts,
        } = self;
        [private_identity, public_identity, contacts]
            .into_iter()
            .for_each(show);
    }
}

impl Texts for Question {
    fn each_text(&mut self, show: &mut dyn FnMut(&mut Text)) {
        match self {
            Self::Authentication {
                private_identity,
                public_identity,
                ..
            } => {
                show(private_identity);
                show(public_identity);
            }
            Self::DialogRelease { affected, .. } => affected.each_text(show),
            Self::ServerAssignment {
                private_identity,
                public_identities,
                ..
            } => {
                show(private_identity);
                show(public_identities);
            }
        }
    }
}

impl Texts for Event {
    fn each_text(&mut self, show: &mut dyn FnMut(&mut Text)) {
        match self {
            Self::Deregistered { affected, .. }
            | Self::SuspiciousDeregistration { affected, .. }
            | Self::Observed { affected } => affected.each_text(show),
            Self::EmergencySpared {
                private_identities,
                public_identities,
            } => {
                show(private_identities);
                show(public_identities);
            }
            Self::DrainProgressed { .. } | Self::Drained { .. } => {}
            Self::Audited(audit) => audit.each_text(show),
            Self::Subscription(event) => event.each_text(show),
            Self::TakenOver { public_identity } => show(public_identity),
        }
    }
}

impl From<notifier::Event> for Event {
    fn from(event: notifier::Event) -> Self {
        Self::Subscription(event)
    }
}
