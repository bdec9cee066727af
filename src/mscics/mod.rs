//! The MSC server enhanced for ICS: deregistration on behalf of a subscriber who is no longer active here (S1,
//! TS 24.292 6.3.6.2).
//!
//! An MSC server registers its subscribers in the IMS on their behalf. The host, which exchanges those REGISTERs, shows
//! each with its 2xx ([`Command::Learn`]), or gives the details ([`Command::LearnDetails`]); it tells which dialogs a
//! subscriber has ([`Command::DialogAdded`]), and reports what says that a subscriber is no longer active here
//! ([`Command::Inactive`]). The node has the dialogs released, sends the REGISTER, and removes the registration;
//! every registration that goes ends with one [`Event::Deregistered`].
//!
//! - One registration for each private identity. An MSC server registers one public identity of a subscriber, and with it
//!   its implicit set.
//! - Whatever the cause, a subscriber waits for its turn ([`Config::pacing`]): with nobody before it, that is at once.
//!   One who has dialogs takes two: the first for their release, the second for the REGISTER.
//! - The REGISTER has a Call-ID of its own, so that its number never competes with those of the host's REGISTERs.
//! - The node subscribes to the registration state. Where a NOTIFY says that the network has ended the registration,
//!   the dialogs are released and no REGISTER is sent. What a NOTIFY says of the time before the REGISTER by which the
//!   subscriber is registered ends nothing ([`Details::cseq`]).
//!
//! | id | what | where | test |
//! |---|---|---|---|
//! | MS-1 | what starts it; the subscriber's return at each stage | [`Cause`], [`Registration::step`] | `tests/mscics.rs` |
//! | MS-2 | all dialogs of the set released first, within a bound | [`NewDialog`], [`Question::DialogRelease`] | `tests/mscics.rs` |
//! | MS-3 | the REGISTER | `messages::register`, [`Details`] | `tests/mscics.rs` |
//! | MS-4 | 2xx: the registration details are removed | [`Outcome::Confirmed`] | `tests/mscics.rs` |
//! | MS-5 | no 2xx | [`Registration::step`] | `tests/mscics.rs` |
//! | MS-6 | the subscription is considered cancelled | [`subscriber::Input::ConsiderCancelled`] | `tests/mscics.rs` |
//! | MS-7 | identities from IMSI and IMEI | [`identities`] | `tests/mscics.rs` |
//! | MS-1, PD-12 | everybody at the pace of the neighbours | [`shutdown`] | `tests/mscics.rs` |
//! | DR-7 | what is out stays as it is | [`Registration::step`], `deregistration::renewal` | `tests/mscics/renewing.rs` |
//! | DR-7 | going on from a blob; stored subscriber by subscriber | [`MscNode::restore`], [`Persist`](crate::drive::Persist) | `tests/mscics.rs` |
//! | DR-9 | the record of a deregistration, for an audit | [`Event::Audited`] | `tests/mscics/audit.rs` |
//! | DR-10 | configuration replaced, counters | [`MscNode::reconfigure`], [`Counters`] | `tests/mscics.rs` |

mod config;
mod counters;
pub mod defect;
mod deregistration;
mod dialogs;
pub mod identities;
mod messages;
mod node;
mod registration;
pub mod shutdown;
mod snapshot;
mod vocabulary;

pub use crate::deregister::{Conclusion, MAX_DOMAINS, NotAsked};
pub use config::{Config, ExpiresIn};
pub use counters::{Counters, Tally};
pub use deregistration::Registration;
pub use dialogs::{DialogRef, NewDialog};
pub use node::MscNode;
pub use registration::{Details, Learned};
pub use shutdown::Shutdown;
pub use vocabulary::{Cause, Change, Input, Outcome};

use core::fmt;

use crate::{
    drive::{self, Identifier, Role, Text, Texts},
    regevent::subscriber,
};

/// [MS-2] The most dialogs of one subscriber that a node can be configured for.
pub const MAX_DIALOGS: usize = 16;

/// What one machine's own step can append: the release of every dialog, the REGISTER and what is reported.
const MACHINE_OUTPUTS: usize = MAX_DIALOGS + 5;
const MACHINE_BYTES: usize = Mscics::STEP_BYTES / 2;

/// The vocabulary of the MSC server enhanced for ICS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mscics;

impl Role for Mscics {
    type Command<'a> = Command<'a>;
    type Question = Question;
    type Answer<'a> = Answer<'a>;
    type Event = Event;
    // A step of one subscriber and the turn of another, each dialog with the 8,192 bytes that it may have and as many
    // messages; steps of their subscriptions, and the response to a NOTIFY.
    const STEP_OUTPUTS: usize = 2 * MACHINE_OUTPUTS + 8;
    const STEP_BYTES: usize = 448 * 1024;
}

/// What a host tells an MSC server.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Command<'a> {
    /// [MS-3] A REGISTER that the host has sent on behalf of a subscriber, and its final response. While the subscriber is
    /// deregistered, a 2xx renews the details, and says no more: the REGISTER may be older than the indication. A REGISTER
    /// of the library that is out stays as it is, and one more follows it; if it is refused, only where the host has
    /// registered another binding, of which that says nothing. Only [`Returned`](Self::Returned) says that the subscriber is
    /// back. One that is learnt when the deregistration is over already is a new registration: a host that has said
    /// [`Inactive`](Self::Inactive) since it sent the REGISTER says so again. One that removes another contact than the
    /// registration's changes nothing.
    Learn {
        /// The REGISTER, as it was sent. It has one contact, or `*` with an Expires of 0.
        request: &'a [u8],
        /// Its final response. One that is not a 2xx changes nothing.
        response: &'a [u8],
    },
    /// [MS-3] The same, where the host gives the details.
    LearnDetails(Details<'a>),
    /// [MS-1] An indication that the subscriber is no longer active here.
    Inactive {
        /// The private identity.
        private_identity: &'a [u8],
        /// Which.
        cause: Cause,
    },
    /// [MS-1] The subscriber is active here again. Before the REGISTER was sent, the deregistration is given up
    /// ([`Event::Cancelled`]); afterwards it ends first, and its outcome says that the subscriber is to be registered
    /// anew ([`Event::Deregistered`]).
    Returned {
        /// The private identity.
        private_identity: &'a [u8],
    },
    /// [MS-2] A dialog that a subscriber has, of the public identity registered or another of its set; given again, it
    /// replaces what is known of it. While the subscriber is deregistered, it is released at once.
    DialogAdded {
        /// The private identity.
        private_identity: &'a [u8],
        /// The public identity of this end. Of one that is not of the set, the dialog is not this node's.
        public_identity: &'a [u8],
        /// The dialog.
        dialog: NewDialog<'a>,
    },
    /// [MS-2] A dialog has ended, without this node or before it was answered here.
    DialogEnded {
        /// The private identity.
        private_identity: &'a [u8],
        /// The dialog.
        dialog: DialogRef,
    },
    /// [MS-1] Deregisters everybody, or says what that would be. A second one starts nothing anew; it replaces what
    /// was ordered. See [`shutdown`].
    Shutdown(Shutdown),
    /// [MS-1] Calls a shutdown off: who waits for a turn of it stays registered, what is under way goes on.
    Resume,
}

impl fmt::Debug for Command<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Learn { .. } => "Learn",
            Self::LearnDetails(_) => "LearnDetails",
            Self::Inactive { .. } => "Inactive",
            Self::Returned { .. } => "Returned",
            Self::DialogAdded { .. } => "DialogAdded",
            Self::DialogEnded { .. } => "DialogEnded",
            Self::Shutdown(_) => "Shutdown",
            Self::Resume => "Resume",
        })
    }
}

/// Whom a question or event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Affected {
    /// The private identity.
    pub private_identity: Text,
    /// The public identity that was registered.
    pub public_identity: Text,
}

/// [DR-9] The record of a deregistration at an MSC server.
pub type Audit = drive::Audit<Affected, Cause, Conclusion<Outcome>>;

/// What an MSC server has its host do; each is to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Question {
    /// [MS-2] Release a dialog that the host owns. All dialogs of a subscriber are released at the same time.
    DialogRelease {
        /// Of this question: the same when it is asked again after a restore.
        key: Identifier,
        /// Whose.
        affected: Affected,
        /// Which.
        dialog: DialogRef,
    },
    /// Of a subscription.
    Subscription(subscriber::Question),
}

impl From<subscriber::Question> for Question {
    fn from(question: subscriber::Question) -> Self {
        Self::Subscription(question)
    }
}

/// How a question of an MSC server is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer<'a> {
    /// The dialog has ended: its BYE was answered, or timed out.
    Done,
    /// It could not be released; nothing more is done about it.
    Failed,
    /// To the question of a subscription.
    Subscription(subscriber::Answer<'a>),
}

/// What an MSC server reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// [MS-4, MS-5] A registration is gone from here. There is exactly one for each that was learnt. Where the host has
    /// registered another binding meanwhile, it says what may remain of either, and names the later one.
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
        /// [MS-2] Dialogs whose release had not come to its end by then. What becomes of them is the host's.
        dialogs_left: u8,
        /// [MS-1] The subscriber has returned meanwhile, and is to be registered anew now.
        register_anew: bool,
    },
    /// [MS-1] The deregistration was given up, because the subscriber has returned. The registration stays.
    Cancelled {
        /// Of this event: the same if it comes again after a crash.
        id: Identifier,
        /// Whose.
        affected: Affected,
        /// What had started it.
        cause: Cause,
        /// [MS-2] Dialogs that had been released, or were being.
        dialogs_released: u8,
    },
    /// Of a subscription.
    Subscription(subscriber::Event),
    /// [DR-9] The record of a deregistration, after its outcome, if the configuration has
    /// [`audit`](Config::audit). One that a shutdown had only queued when it was called off leaves none.
    Audited(Audit),
    /// [DR-7] Another node has the subscriber, as the store says: nothing is done here any more, and nothing was said to
    /// anybody.
    TakenOver {
        /// The private identity.
        private_identity: Text,
    },
    /// [MS-1] What a dry run has found. Counts and time are those of the instant.
    ShutdownPlanned {
        /// Subscribers who are here, those being deregistered among them.
        registrations: u32,
        /// Those of them who have dialogs.
        in_dialog: u32,
        /// Milliseconds until everybody has had its turns, at least, at the pace of today
        /// ([`Pacer::least_time`](crate::fleet::pacer::Pacer::least_time)). What dialogs take to end comes on top.
        least_time: u64,
    },
    /// [MS-1] How far a shutdown has come: once a second at most, and some 64 times until its deadline.
    ShutdownProgressed {
        /// Subscribers who are here still.
        left: u32,
        /// Those of them who wait for a turn.
        queued: u32,
        /// REGISTERs that are out.
        in_flight: u32,
        /// What has ended since it was ordered, whatever started it.
        tally: Tally,
    },
    /// [MS-1] A shutdown has ended: nobody is left. Who is registered later is deregistered as well, without another
    /// such event.
    ShutdownEnded {
        /// What has ended since it was ordered, whatever started it.
        tally: Tally,
    },
}

impl From<subscriber::Event> for Event {
    fn from(event: subscriber::Event) -> Self {
        Self::Subscription(event)
    }
}

impl Texts for Affected {
    fn each_text(&mut self, show: &mut dyn FnMut(&mut Text)) {
        let Self {
            private_identity,
            public_identity,
        } = self;
        [private_identity, public_identity]
            .into_iter()
            .for_each(show);
    }
}

impl Texts for Question {
    fn each_text(&mut self, show: &mut dyn FnMut(&mut Text)) {
        match self {
            Self::DialogRelease { affected, .. } => affected.each_text(show),
            Self::Subscription(question) => question.each_text(show),
        }
    }
}

impl Texts for Event {
    fn each_text(&mut self, show: &mut dyn FnMut(&mut Text)) {
        match self {
            Self::Deregistered { affected, .. } | Self::Cancelled { affected, .. } => {
                affected.each_text(show);
            }
            Self::Audited(audit) => audit.each_text(show),
            Self::Subscription(event) => event.each_text(show),
            Self::TakenOver { private_identity } => show(private_identity),
            Self::ShutdownPlanned { .. }
            | Self::ShutdownProgressed { .. }
            | Self::ShutdownEnded { .. } => {}
        }
    }
}
