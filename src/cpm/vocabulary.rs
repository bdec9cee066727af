//! The words in which a session is spoken of.

use core::fmt;
use serde::{Deserialize, Serialize};

use super::MAX_IWFS;
use crate::{
    dialog::{Dialog, Sequence},
    drive::{Initiator, Text, Texts},
    wire::sdp::StreamSet,
};

/// The host's own handle of a session: given with it, and given back in every question and event. No two sessions of a
/// node have the same one at a time; one that is closed keeps its handle for 64·T1, in which its BYEs may come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SessionRef(pub u64);

/// Whom the Participating Function serves in the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Function {
    /// The CPM user who has begun it (S3, 8.2.2.3).
    Originating,
    /// The CPM user whom it was begun to (S3, 8.3.2.3).
    Terminating,
}

/// As what the Participating Function stands in the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Mode {
    /// [CP-1] One dialog passes through it.
    Proxy,
    /// [CP-2] Each leg has a dialog of its own.
    B2bua,
}

/// [CO-3, CO-4, CT-3, CT-4] What happens when one of several IWFs ends its part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum IwfPolicy {
    /// The whole session is closed.
    #[default]
    WholeSession,
    /// Only the streams of that IWF are deleted.
    StreamsOnly,
}

/// One leg of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum LegId {
    /// The CPM client that is served.
    Client,
    /// The other CPM entity.
    Other,
    /// An IWF, by its number in [`Establish::iwfs`].
    Iwf(u8),
}

/// Whose the dialog of a leg is. With the same Call-ID, whoever has begun it waits longer after a 491 (RFC 3261 14.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Side {
    /// The INVITE was sent from here.
    Uac,
    /// The INVITE was received here.
    Uas,
}

/// How a leg is given.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Leg<'a> {
    /// By its dialog.
    Given {
        /// The dialog.
        dialog: Dialog<'a>,
        /// Its sequence numbers.
        sequence: Sequence,
        /// Whose it is.
        side: Side,
    },
    /// By the messages that made it.
    Learnt {
        /// The INVITE.
        invite: &'a [u8],
        /// Its 2xx.
        response: &'a [u8],
        /// Whether the INVITE was sent from here, or received.
        side: Side,
    },
}

impl fmt::Debug for Leg<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given { side, .. } => f.debug_tuple("Given").field(side).finish(),
            Self::Learnt { side, .. } => f.debug_tuple("Learnt").field(side).finish(),
        }
    }
}

/// [CO-3, CT-3] (RFC 4028) The session timer that was agreed in a dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SessionTimer {
    /// Seconds: Session-Expires of the last 2xx.
    pub interval: u32,
    /// Seconds: the largest Min-SE that has come in the dialog; 90 without one.
    pub smallest: u32,
    /// Whether this end is to refresh the session.
    pub is_ours: bool,
}

/// An IWF of a session.
#[derive(Clone, Copy, Debug)]
pub struct Iwf<'a> {
    /// Its leg.
    pub leg: Leg<'a>,
    /// Its media lines in the description towards the leg that hears of deleted streams. One that several IWFs have is
    /// deleted when the last of them leaves.
    pub streams: StreamSet,
}

/// [CO-3, CT-3] The session description that was last agreed towards the leg that hears of deleted streams: what was
/// sent to it, offer or answer.
#[derive(Clone, Copy, Default)]
#[non_exhaustive]
pub enum Description<'a> {
    /// The host has it, and is asked for it when it is first needed ([`Question::SessionDescription`]); from then on it
    /// is kept here.
    ///
    /// [`Question::SessionDescription`]: super::Question::SessionDescription
    #[default]
    AtHost,
    /// It is kept here.
    Kept(&'a [u8]),
    /// It is kept here: the body of the message that was sent to that leg, which is [learnt](Leg::Learnt).
    Learnt,
}

impl fmt::Debug for Description<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtHost => f.write_str("AtHost"),
            Self::Kept(bytes) => f.debug_tuple("Kept").field(&bytes.len()).finish(),
            Self::Learnt => f.write_str("Learnt"),
        }
    }
}

/// A session that is established.
///
/// A proxy has one dialog, `client`: its remote end is the CPM client, its local end the other CPM entity; nothing else
/// is given.
///
/// A B2BUA of the originating function has `client`, and either `other` or IWFs; of the terminating function `other`,
/// and either `client` or IWFs.
#[derive(Clone, Copy, Debug)]
pub struct Establish<'a> {
    /// The host's handle.
    pub session: SessionRef,
    /// Whom it serves.
    pub function: Function,
    /// As what.
    pub mode: Mode,
    /// What `<allow-offline-storage>` says; absent is false.
    pub allow_offline_storage: bool,
    /// What happens when one of several IWFs ends its part.
    pub policy: IwfPolicy,
    /// The CPM client that is served.
    pub client: Option<Leg<'a>>,
    /// The other CPM entity.
    pub other: Option<Leg<'a>>,
    /// The IWFs, at most [`Limits::iwfs`](crate::drive::Limits::iwfs).
    pub iwfs: &'a [Iwf<'a>],
    /// What was agreed towards the leg that hears of deleted streams. Of no use without IWFs.
    pub description: Description<'a>,
}

/// Whose media plane resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// Those of the session.
    Session,
    /// Those of one of its IWFs, by its number.
    Iwf(u8),
}

/// What began to close a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Cause {
    /// [CO-1, CT-1] A BYE of the CPM client.
    Client,
    /// [CO-2, CT-2] A BYE of the other CPM entity.
    Other,
    /// [CO-4, CT-4] A BYE of an IWF.
    Iwf(u8),
    /// The host.
    Host,
    /// [CO-3, CT-3] The re-INVITE that was to delete streams was answered 481 or 408, or not at all: that dialog is
    /// gone.
    DialogGone,
}

impl Cause {
    /// [DR-9] Who has begun it.
    #[must_use]
    pub const fn initiator(self) -> Initiator {
        match self {
            Self::Client => Initiator::User,
            Self::Other => Initiator::OtherEntity,
            Self::Iwf(_) => Initiator::Iwf,
            Self::Host => Initiator::Operator,
            Self::DialogGone => Initiator::Element,
        }
    }
}

/// How a leg ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum End {
    /// It has sent a BYE before it was sent one.
    ByItself,
    /// It has sent a BYE while ours was on its way.
    Crossed,
    /// [CP-5] It has answered our BYE with this status, a final one.
    Answered(u16),
    /// [CP-5] It has not answered our BYE.
    NoResponse,
    /// No next hop could be reached.
    Unreachable,
    /// The BYE could not be written: something of the dialog cannot stand in a header.
    Unsendable,
}

/// How the legs of a session ended. One that the session does not have is `None`, and so are those of a proxy that
/// nothing is known of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ends {
    /// The CPM client.
    pub client: Option<End>,
    /// The other CPM entity.
    pub other: Option<End>,
    /// The IWFs, by number.
    pub iwfs: [Option<End>; MAX_IWFS],
}

/// [DR-9] How a session ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Outcome {
    /// How each leg ended.
    pub ends: Ends,
    /// What became of its record in the message store, so far: [`NoAnswer`](Recording::NoAnswer) may be followed by
    /// [`Event::StoredLate`](super::Event::StoredLate).
    pub recording: Recording,
}

/// [DR-9] Whom a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Affected {
    /// The session.
    pub session: SessionRef,
    /// The URI of the CPM user that is served.
    pub served: Text,
    /// The URI of whoever the session was with.
    pub other: Text,
    /// The Call-ID of the dialog of the CPM client; of a session without that, of the other CPM entity.
    pub call_id: Text,
}

impl Texts for Affected {
    fn each_text(&mut self, show: &mut dyn FnMut(&mut Text)) {
        let Self {
            session: _,
            served,
            other,
            call_id,
        } = self;
        [served, other, call_id].into_iter().for_each(show);
    }
}

/// [CP-3] What became of the record of a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Recording {
    /// It was not to be stored.
    #[default]
    NotAllowed,
    /// It was stored in time, and its UID retrieved.
    Stored,
    /// It was stored in time, and the store gave no UID.
    StoredWithoutUid,
    /// It was stored too late for its UID to be told.
    StoredLate,
    /// It could not be stored.
    Failed,
    /// The message store has not answered yet. [`StoredLate`](super::Event::StoredLate) follows if it does.
    NoAnswer,
}
