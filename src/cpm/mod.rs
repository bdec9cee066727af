//! The CPM Participating Function: how a CPM session is closed (S3), for the originating and for the terminating
//! function, as a proxy and as a B2BUA.
//!
//! The host sets sessions up, and shows each with the dialogs of its legs ([`Command::Establish`]): the CPM client that
//! it serves, the other CPM entity, the interworking functions (IWFs) in the place of one of them. What comes as BYE in
//! one of those dialogs is taken here: the node has the media plane resources released, has the session recorded
//! where that is allowed, ends the other legs, and answers the BYE in time, whatever the others do. Every session of a
//! B2BUA ends with one [`Event::SessionClosed`].
//!
//! `originating.rs` and `terminating.rs` have the procedures, each in the order of the text. They look alike and are
//! not the same: which leg can be interworked, when the session is stored, which leg is told of a stream that goes.
//!
//! # What is left to the host
//! Setting sessions up and changing them; what it sends in their dialogs it tells ([`Command::Refresh`],
//! [`Command::Renegotiated`]). Requests other than BYE are shown to [`receive`](crate::drive::Node::receive), which
//! says when one is to be refused; a 2xx to a re-INVITE in no transaction is too, and acknowledged. The 100 to a BYE that
//! takes long (RFC 4320 4.1) is for whoever has its transaction: the host, or the transaction layer. Of a re-INVITE that
//! the host has out the node does not know: its own may meet it, and goes again when the other end says so. A session
//! timer (RFC 4028) runs at the host; the re-INVITE that deletes streams keeps it, and who refreshes, as it is
//! ([`Command::SetSessionTimer`], [`Event::SessionRefreshed`]).
//!
//! # What S3 leaves open
//! - It names one answer where there are several IWFs: all are waited for, in their time (CP-5).
//! - When an IWF leaves, and only its streams go, its BYE is answered at once: nobody else has a part in it (CO-3,
//!   CT-3).
//! - Where the whole session goes with one IWF, the others get a BYE as well (CO-4, CT-4).
//! - Item 4.b.iv of 8.3.2.3 waits for the client, which has been sent nothing: it is the other CPM entity (CT-4). Item
//!   3.c.ii has no condition for the UID: it stands where there is one (CP-4).
//! - A client's BYE that crosses ours is answered at once, with the UID if it has been retrieved by then (CP-6).
//!
//! | id | what | where | test |
//! |---|---|---|---|
//! | CP-1 | proxy: BYEs and all their finals pass, byte for byte | `proxy` | `tests/cpm.rs` |
//! | CP-2 | B2BUA: the record is frozen, media plane resources are released first | `Session::begin` | `tests/cpm.rs` |
//! | CP-3 | stored once at most, in its time; the BYE is answered before 64·T1 | `storage`, [`Config`] | `tests/cpm.rs` |
//! | CP-4 | Message-UID exactly to the served client, exactly when retrieved in time | `messages` | `tests/cpm.rs` |
//! | CP-5 | all of the far side, however each ends | `Session::step` | `tests/cpm.rs` |
//! | CP-6 | no session, crossing, repeated, out of order; Reason | [`CpmNode`] | `tests/cpm.rs` |
//! | CP-7 | the two functions apart | `originating`, `terminating` | `tests/cpm.rs` |
//! | CP-8 | what the core needs, and an IWF does not | `messages` | `tests/cpm.rs` |
//! | CO-1 | originating, the client's BYE | `Session::proceed_originating` | `tests/cpm.rs` |
//! | CO-2 | originating, the other entity's BYE | `Session::proceed_originating` | `tests/cpm.rs` |
//! | CO-3 | originating, an IWF's BYE, its streams only | `streams` | `tests/cpm.rs` |
//! | CO-4 | originating, an IWF's BYE, the whole session | `Session::proceed_originating` | `tests/cpm.rs` |
//! | CT-1 | terminating, the client's BYE | `Session::proceed_terminating` | `tests/cpm.rs` |
//! | CT-2 | terminating, the other entity's BYE | `Session::proceed_terminating` | `tests/cpm.rs` |
//! | CT-3 | terminating, an IWF's BYE, its streams only | `streams` | `tests/cpm.rs` |
//! | CT-4 | terminating, an IWF's BYE, the whole session | `Session::proceed_terminating` | `tests/cpm.rs` |
//! | DR-3 | behind the transaction layer | [`CpmNode`] | `tests/cpm.rs` |
//! | DR-5 | sessions and IWFs of a node; bytes of a session | [`Limits`](crate::drive::Limits) | `tests/cpm.rs`, `tests/cpm_allocations.rs` |
//! | DR-7 | sessions in a blob, or stored one by one | [`CpmNode::restore`] | `tests/cpm.rs` |
//! | DR-9 | nobody's name in `Debug` | [`SessionRef`] | `tests/cpm.rs` |
//! | DR-9 | the record of a session, for an audit | [`Event::Audited`] | `tests/cpm/audit.rs` |
//! | DR-10 | configuration replaced, counters | [`CpmNode::reconfigure`], [`Counters`] | `tests/cpm.rs` |

mod config;
mod counters;
pub mod defect;
mod learning;
mod leg;
mod messages;
mod node;
mod originating;
mod proxy;
mod session;
mod snapshot;
mod storage;
mod streams;
mod terminating;
mod timer;
mod vocabulary;

pub use config::Config;
pub use counters::Counters;
pub use node::CpmNode;
pub use vocabulary::{
    Affected, Cause, Description, End, Ends, Establish, Function, Iwf, IwfPolicy, Leg, LegId, Mode,
    Outcome, Recording, Scope, SessionRef, SessionTimer, Side,
};

use core::fmt;

use crate::{
    dialog::{Dialog, Sequence},
    drive::{self, Identifier, Role, Text, Texts},
    wire::sdp::StreamSet,
};

/// The most IWFs that a session can have.
pub const MAX_IWFS: usize = 8;

/// The vocabulary of the CPM Participating Function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cpm;

impl Role for Cpm {
    type Command<'a> = Command<'a>;
    type Question = Question;
    type Answer<'a> = Answer<'a>;
    type Event = Event;
    // The end of a session with all its IWFs: the release of its media, its storage, a BYE to each leg but one, an
    // answer, the outcome and its record; or a stream's: a re-INVITE, the ACK of the last one, and what has become of each
    // IWF.
    const STEP_OUTPUTS: usize = MAX_IWFS + 9;
    // A BYE to each leg, or an answer as long as its request and a re-INVITE with the longest description.
    const STEP_BYTES: usize = 256 * 1024;
}

/// What a host tells a CPM Participating Function.
// It is handed over once and kept nowhere.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Command<'a> {
    /// A session is established, with all of its legs. One whose handle or dialogs are here already is refused with
    /// [`defect::SESSION_KNOWN`].
    Establish(Establish<'a>),
    /// A leg's dialog has gone on: requests that the host sent in it, a new remote target. Call-ID and tags are as they
    /// were. Without this command, what the node sends next in it would be out of order.
    Refresh {
        /// The session.
        session: SessionRef,
        /// Which leg.
        leg: LegId,
        /// Its dialog now.
        dialog: Dialog<'a>,
        /// Its sequence numbers now. One that is lower than the node knows already changes nothing.
        sequence: Sequence,
    },
    /// [CO-3, CT-3] Another session description was agreed towards the leg that hears of deleted streams: the CPM
    /// client for the originating function, the other CPM entity for the terminating one.
    Renegotiated {
        /// The session.
        session: SessionRef,
        /// What was sent to that leg last, offer or answer.
        description: Description<'a>,
        /// Which of its media lines belong to which IWF: in the order of the IWFs, those that have gone among them.
        streams: &'a [StreamSet],
    },
    /// [CO-3, CT-3] What happens when one of several IWFs ends its part. Once the session is being closed it changes
    /// nothing more.
    SetPolicy {
        /// The session.
        session: SessionRef,
        /// What happens.
        policy: IwfPolicy,
    },
    /// [CO-3, CT-3] (RFC 4028) The session timer of the leg that hears of deleted streams has changed. It is known from
    /// the messages of a leg that was [learnt](Leg::Learnt); of one that was given there is none.
    SetSessionTimer {
        /// The session.
        session: SessionRef,
        /// What was agreed; `None`: the session has no timer.
        timer: Option<SessionTimer>,
    },
    /// [CP-3] What `<allow-offline-storage>` says. Once the session is being closed it changes nothing more.
    SetOfflineStorage {
        /// The session.
        session: SessionRef,
        /// Whether the session may be stored.
        allowed: bool,
    },
    /// The host ends the session: every leg gets a BYE, the client's with the UID if the session was stored (as CO-2).
    /// Of a session that is being closed it changes nothing.
    Close {
        /// The session.
        session: SessionRef,
        /// A value of Reason for every BYE (RFC 3326); empty for none.
        reason: &'a [u8],
    },
    /// The session is forgotten without a word to anybody: the host looks after it itself.
    Forget {
        /// The session.
        session: SessionRef,
    },
}

/// What a CPM Participating Function asks its host, or has it do; each is to be answered. The key is the same when a
/// question is asked again after a restore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Question {
    /// [CP-2] (S3 L46, L98) Release media plane resources: [`Answer::MediaReleased`]. It is the first output of
    /// whatever closes a session, or takes an IWF out of it; nothing waits for the answer. What is to be recorded of
    /// the session has to be put aside before.
    MediaRelease {
        /// Of this question.
        key: Identifier,
        /// The session.
        session: SessionRef,
        /// Whose resources.
        scope: Scope,
    },
    /// [CP-3] Record the session in the message store (OMA CPM 8.5.2): [`Answer::Stored`] or [`Answer::StoreFailed`].
    /// It is asked once in the life of a session. Whoever is asked again with the same key has done it already, or does
    /// it now.
    SessionStorage {
        /// The idempotency key, fixed when closing begins.
        key: Identifier,
        /// The session.
        session: SessionRef,
    },
    /// [CO-3, CT-3] What is the session description that was last agreed towards that leg? Asked where the node does
    /// not keep it ([`Description::AtHost`]): [`Answer::Described`].
    SessionDescription {
        /// Of this question.
        key: Identifier,
        /// The session.
        session: SessionRef,
        /// The leg that hears of deleted streams.
        leg: LegId,
    },
}

/// How a question of a CPM Participating Function is answered.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer<'a> {
    /// The media plane resources are released, or will be: there is nothing to be done about it here.
    MediaReleased,
    /// [CP-3] The session is stored.
    Stored {
        /// Its UID, as Message-UID is to say it: visible ASCII, at most 255 bytes; empty if the store gave none.
        /// Another one is refused as [`BadCommand`](crate::drive::Misuse::BadCommand), and the question stays open:
        /// without another answer in time the session goes on without.
        uid: &'a [u8],
    },
    /// It could not be stored.
    StoreFailed,
    /// The session description.
    Described {
        /// Its bytes.
        description: &'a [u8],
    },
}

/// [DR-9] The record of a session that was closed.
pub type Audit = drive::Audit<Affected, Cause, Outcome>;

/// What a CPM Participating Function reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A session is closed: every leg has ended, and the BYE that began it is answered. There is exactly one for each
    /// session that was established, unless it was forgotten or taken over.
    SessionClosed {
        /// Of this event: the same if it comes again after a crash.
        id: Identifier,
        /// The session.
        session: SessionRef,
        /// What began it.
        cause: Cause,
        /// How each leg ended.
        ends: Ends,
        /// What became of its record.
        recording: Recording,
    },
    /// [CO-3, CT-3] An IWF has left; its streams are deleted, as the other side has confirmed.
    SessionShrunk {
        /// The session.
        session: SessionRef,
        /// Its number.
        iwf: u8,
    },
    /// [CO-3, CT-3] (RFC 4028 7.2) The re-INVITE has refreshed a session that had a timer, or has one now: the interval
    /// begins anew.
    SessionRefreshed {
        /// The session.
        session: SessionRef,
        /// What was agreed; `None`: the session has no timer any more.
        timer: Option<SessionTimer>,
    },
    /// [CO-3, CT-3] An IWF has left; its streams could not be deleted. The session stays as it is.
    StreamDeletionFailed {
        /// The session.
        session: SessionRef,
        /// Its number.
        iwf: u8,
        /// The status of the last answer to the re-INVITE; 0 if it could not be sent.
        status: u16,
    },
    /// [CP-3] The message store has answered after the time for it was over: no message carries the UID any more. It
    /// comes before or after [`SessionClosed`](Self::SessionClosed), and not once the session has been forgotten, 64·T1
    /// after its end.
    StoredLate {
        /// The session.
        session: SessionRef,
        /// Whether it was stored.
        stored: bool,
    },
    /// [DR-9] The record of a session that was closed, after its outcome, if the configuration has
    /// [`audit`](Config::audit). It begins with the BYE, or whatever else began to close it; one that a proxy passes on with
    /// the BYE that ended it. A session that is forgotten or taken over leaves none.
    Audited(Audit),
    /// [DR-7] Another node has the session, as the store says: nothing of it is done here any more, and nothing was
    /// said to anybody. Transactions of it that are still open are the host's.
    TakenOver {
        /// The session.
        session: SessionRef,
    },
}

impl fmt::Debug for Command<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, session) = match self {
            Self::Establish(establish) => ("Establish", establish.session),
            Self::Refresh { session, .. } => ("Refresh", *session),
            Self::Renegotiated { session, .. } => ("Renegotiated", *session),
            Self::SetPolicy { session, .. } => ("SetPolicy", *session),
            Self::SetSessionTimer { session, .. } => ("SetSessionTimer", *session),
            Self::SetOfflineStorage { session, .. } => ("SetOfflineStorage", *session),
            Self::Close { session, .. } => ("Close", *session),
            Self::Forget { session } => ("Forget", *session),
        };
        f.debug_struct(name)
            .field("session", &session)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MediaReleased => f.write_str("MediaReleased"),
            Self::Stored { uid } => f.debug_tuple("Stored").field(&uid.len()).finish(),
            Self::StoreFailed => f.write_str("StoreFailed"),
            Self::Described { description } => f
                .debug_tuple("Described")
                .field(&description.len())
                .finish(),
        }
    }
}

/// Sessions are named by handles of the host: there is no text.
impl Texts for Question {
    fn each_text(&mut self, _: &mut dyn FnMut(&mut Text)) {}
}

/// Sessions are named by handles of the host: there is no text.
impl Texts for Event {
    fn each_text(&mut self, show: &mut dyn FnMut(&mut Text)) {
        if let Self::Audited(audit) = self {
            audit.each_text(show);
        }
    }
}
