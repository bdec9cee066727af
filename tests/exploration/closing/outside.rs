//! What is around the node, and what the model remembers that it does not.

use std::{collections::BTreeMap, fmt};

use ims_procedures::{
    cpm::{Cause, End},
    drive::{Identifier, Millis, Token},
};

use super::scenario::LEGS;
use crate::shared::{
    canonical::Canonical,
    wire::{branch, header, method},
};

/// How often each may happen, or has happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// A request or its response is lost, with all retransmissions.
    pub losses: u8,
    /// A BYE comes again, or the 2xx of a re-INVITE.
    pub copies: u8,
    /// The node restarts.
    pub restarts: u8,
    /// Time goes on although an answer is on its way.
    pub overtakings: u8,
}

impl Budget {
    pub const NONE: Self = Self {
        losses: 0,
        copies: 0,
        restarts: 0,
        overtakings: 0,
    };

    const fn numbers(self) -> [u8; 4] {
        [self.losses, self.copies, self.restarts, self.overtakings]
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [losses, copies, restarts, overtakings] = self.numbers();
        write!(
            f,
            "{losses} losses, {copies} copies, {restarts} restarts, {overtakings} overtakings"
        )
    }
}

/// A client transaction of the node.
#[derive(Clone, Debug)]
pub struct Open {
    /// The leg that is to answer.
    pub place: usize,
    pub token: Token,
    pub text: String,
    pub until: Millis,
    /// No answer will come.
    pub lost: bool,
    /// A re-INVITE has had its 2xx, which may come again.
    pub accepted: bool,
}

/// The BYE of a leg, which has come.
#[derive(Clone, Debug)]
pub struct Bye {
    pub sent_at: Millis,
    /// Until when it is to be answered.
    pub until: Millis,
    /// Its final answer.
    pub answer: Option<String>,
    /// The node has restarted: it will come again.
    pub again: bool,
    /// The node has restarted, but its sender has given it up.
    pub given_up: bool,
    /// It has come again, and may be answered again.
    pub copied: bool,
}

/// What the message store knows of the session. It does the same for the same key.
#[derive(Clone, Debug)]
pub struct Asked {
    pub key: Identifier,
    pub at: Millis,
    /// Until when it is in time.
    pub until: Millis,
    /// Of the question that it has not answered.
    pub token: Option<Token>,
    pub life: u64,
}

/// A blob that is to be written, or erased.
#[derive(Clone, Debug)]
pub struct Write {
    pub token: Token,
    pub key: Vec<u8>,
    pub expected: u64,
    pub blob: Option<(u64, Vec<u8>)>,
}

/// What the node has been told, and knows unless the step was lost.
#[derive(Clone, Debug, Default)]
pub struct Told {
    pub ends: [Option<End>; LEGS],
    pub cause: Option<Cause>,
    /// IWFs that have left the session, by their place.
    pub left: Vec<usize>,
    /// Whether the message store answered in time, and whether it was stored.
    pub stored: Option<(bool, bool)>,
    /// The UID that there was when the client's BYE crossed.
    pub crossed_with: Option<&'static str>,
    /// The status with which a proxied BYE was answered by the far side.
    pub far: [u16; LEGS],
}

/// What the model remembers.
#[derive(Clone, Debug, Default)]
pub struct Ghosts {
    pub told: Told,
    /// Before the step whose outputs are withheld.
    pub told_before: Told,
    /// What was released, by number of the IWF; the session last. The key, and in which life it was asked.
    pub released: BTreeMap<u8, (Identifier, u64)>,
    /// The BYE that a leg was sent, until when the far side has time, and in which life.
    pub sent: [Option<(String, Millis, u64)>; LEGS],
    /// The last re-INVITE, in which life, and how many there were.
    pub invite: Option<(String, u64)>,
    pub invites: u8,
    /// The highest CSeq that a leg was sent.
    pub cseqs: [Option<u32>; LEGS],
    /// 2xx of re-INVITEs that are to be acknowledged.
    pub unacknowledged: u8,
    /// IWFs of which it was reported how their part ended, and in which life.
    pub reported: [Option<u64>; LEGS],
    pub outcome: Option<(Identifier, u64)>,
}

/// The number under which the media of the session are released.
pub const WHOLE: u8 = 8;

/// Everything but the node.
#[derive(Clone, Debug)]
pub struct Outside {
    pub now: Millis,
    pub lives: u64,
    pub open: Vec<Open>,
    pub byes: [Option<Bye>; LEGS],
    pub asked: Option<Asked>,
    /// Questions for media plane resources, which are answered before anything else comes.
    pub media: Vec<Token>,
    pub writes: Vec<Write>,
    pub blobs: BTreeMap<Vec<u8>, (u64, Vec<u8>)>,
    /// How many were written since anything else happened.
    pub written: u8,
    /// When the last one was written, or read back.
    pub written_at: Millis,
    pub spent: Budget,
    pub ghosts: Ghosts,
}

impl Outside {
    pub fn new(now: Millis) -> Self {
        Self {
            now,
            lives: 1,
            open: Vec::new(),
            byes: Default::default(),
            asked: None,
            media: Vec::new(),
            writes: Vec::new(),
            blobs: BTreeMap::new(),
            written: 0,
            written_at: now,
            spent: Budget::NONE,
            ghosts: Ghosts::default(),
        }
    }

    /// Everything in it on which it depends how a world goes on.
    pub fn write(&self, canonical: &mut Canonical) {
        let left = |until: Millis| until.since(self.now);
        for open in &self.open {
            canonical.number(open.place as u64);
            canonical.text(branch(&open.text).as_bytes());
            canonical.number(left(open.until));
            canonical.number(u64::from(open.lost) * 2 + u64::from(open.accepted));
        }
        for bye in &self.byes {
            let Some(bye) = bye else {
                canonical.number(u64::MAX);
                continue;
            };
            canonical.number(left(bye.sent_at.after(TRANSACTION)));
            canonical.number(left(bye.until));
            canonical.number(
                u64::from(bye.answer.is_some()) * 4
                    + u64::from(bye.again) * 2
                    + u64::from(bye.copied)
                    + u64::from(bye.given_up) * 8,
            );
            let uid = bye
                .answer
                .as_deref()
                .map(|text| header(text, "Message-UID"));
            canonical.text(uid.unwrap_or_default().as_bytes());
        }
        if let Some(asked) = &self.asked {
            canonical.text(&asked.key.text());
            canonical.number(left(asked.at.after(TRANSACTION)));
            canonical.number(left(asked.until));
            canonical.number(asked.token.is_some().into());
        }
        canonical.number(self.media.len() as u64);
        canonical.number(self.written.into());
        for write in &self.writes {
            match &write.blob {
                None => canonical.number(0),
                Some((_, blob)) => canonical.blob(blob),
            }
        }
        canonical.number(match self.blobs.is_empty() {
            true => 0,
            false => self.now.since(self.written_at),
        });
        for (_, blob) in self.blobs.values() {
            canonical.blob(blob);
        }
        canonical.text(&self.spent.numbers());
        self.write_ghosts(canonical);
    }

    fn write_ghosts(&self, canonical: &mut Canonical) {
        let left = |until: Millis| until.since(self.now);
        let ghosts = &self.ghosts;
        let mut tolds = vec![&ghosts.told];
        if !self.writes.is_empty() {
            tolds.push(&ghosts.told_before);
        }
        for told in tolds {
            let known = (told.ends, told.cause, &told.left, told.stored, told.far);
            canonical.number(told.crossed_with.map_or(2, |uid| uid.is_empty().into()));
            canonical.text(format!("{known:?}").as_bytes());
        }
        let is_now = |life: u64| u64::from(life == self.lives);
        for (scope, (key, life)) in &ghosts.released {
            canonical.number(u64::from(*scope) * 2 + is_now(*life));
            canonical.text(&key.text());
        }
        for sent in &ghosts.sent {
            canonical.number(sent.as_ref().map_or(2, |(_, _, life)| is_now(*life)));
            canonical.number(sent.as_ref().map_or(0, |(_, until, _)| left(*until)));
        }
        canonical.number(ghosts.invite.as_ref().map_or(2, |(_, life)| is_now(*life)));
        canonical.number(ghosts.invites.into());
        canonical.number(ghosts.unacknowledged.into());
        for reported in ghosts.reported {
            canonical.number(reported.map_or(2, is_now));
        }
        if let Some((id, life)) = &ghosts.outcome {
            canonical.text(&id.text());
            canonical.number(is_now(*life));
        }
    }

    /// Whether a request of that method is out to a leg.
    pub fn is_out(&self, place: usize, of: &str) -> bool {
        let mut open = self.open.iter();
        open.any(|open| open.place == place && !open.accepted && method(&open.text) == of)
    }
}

/// Milliseconds after which a client transaction gives up, 64·T1.
pub const TRANSACTION: u64 = 32_000;
