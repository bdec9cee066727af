//! What a host and its peers may do, as the fuzzer decodes it.

use libfuzzer_sys::arbitrary::{self, Arbitrary};

/// A run: a configuration, and what happens under it.
#[derive(Arbitrary, Debug)]
pub struct Script {
    pub settings: Settings,
    pub steps: Vec<Step>,
}

/// What an operator may decide. Bounds are small.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Settings {
    pub answers_unknown: bool,
    pub far_side_bound: u16,
    pub store_bound: u16,
    pub answer_bound: u16,
    pub description_bound: u16,
    pub reinvite_attempts: u8,
    pub reason_bytes: u8,
    pub users: u8,
}

/// One thing that happens.
#[derive(Arbitrary, Debug)]
pub struct Step {
    /// Whether it is first tried with an outbox that is too small by one output, or by one byte.
    pub tight: Option<Tight>,
    pub operation: Operation,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Tight {
    Outputs,
    Bytes,
}

#[derive(Arbitrary, Debug)]
pub enum Operation {
    Establish(Establishing),
    Bye(Leaving),
    Receive {
        bytes: Vec<u8>,
    },
    Answer {
        whose: Whose,
        answer: Answering,
    },
    /// A response comes to a host that has no transaction for it.
    Stray {
        request: u8,
        response: Responding,
    },
    Command {
        session: u8,
        command: Commanding,
    },
    Tick,
    /// To the next deadline.
    Wait,
    Forwards {
        milliseconds: u16,
    },
    Backwards {
        milliseconds: u16,
    },
    /// The host goes down and comes up again, with what it saved last or now, in another epoch.
    Crash {
        with_the_latest: bool,
        epoch: u32,
    },
    Save,
    RestoreDamaged {
        at: u16,
        flip: u8,
    },
    Reconfigure(Settings),
}

/// A session that is shown.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Establishing {
    pub session: u8,
    pub is_originating: bool,
    pub is_proxied: bool,
    pub iwfs: u8,
    pub stores: bool,
    pub streams_only: bool,
    pub is_kept: bool,
    pub has_route: bool,
    /// Session-Expires of the 2xx, and whether the UAC refreshes.
    pub timer: Option<(u16, bool)>,
    pub mutation: Option<Mutation>,
}

/// A BYE of a leg.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Leaving {
    pub session: u8,
    pub leg: u8,
    pub cseq: u8,
    pub branch: u8,
    pub reason: Option<u8>,
    pub max_forwards: Option<u8>,
    pub mutation: Option<Mutation>,
}

#[derive(Arbitrary, Debug)]
pub enum Commanding {
    Close { reason: u8 },
    Forget,
    SetPolicy { streams_only: bool },
    SetOfflineStorage { allowed: bool },
    SetSessionTimer { timer: Option<(u16, u8, bool)> },
    Renegotiated { description: Vec<u8> },
    Refresh { leg: u8, cseq: u8 },
}

/// Whose answer is given.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Whose {
    Outstanding(u8),
    Settled(u8),
    NeverGiven(u64),
}

/// A response to a request of the node.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Responding {
    pub status: Status,
    pub contact: Option<u8>,
    pub timer: Option<(u16, bool)>,
    pub smallest: Option<u16>,
    pub with_uid: bool,
    pub mutation: Option<Mutation>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Status {
    Ok,
    Of(u16),
}

#[derive(Arbitrary, Debug)]
pub enum Answering {
    Response(Responding),
    Bytes(Vec<u8>),
    Timeout,
    Unreachable,
    /// What the question wants, whichever it is.
    AsAsked,
    Stored {
        uid: Vec<u8>,
    },
    StoreFailed,
    MediaReleased,
    Described(Vec<u8>),
    BlobStored,
}

/// A change to bytes.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Mutation {
    Set { at: u16, byte: u8 },
    Insert { at: u16, byte: u8 },
    Remove { at: u16, length: u8 },
    Cut { at: u16 },
}

impl Mutation {
    pub fn apply(self, bytes: &mut Vec<u8>) {
        let length = bytes.len();
        let place = |at: u16| usize::from(at) % length.max(1);
        match self {
            _ if length == 0 => {}
            Self::Set { at, byte } => bytes[place(at)] = byte,
            Self::Insert { at, byte } => bytes.insert(place(at), byte),
            Self::Remove { at, length: n } => {
                let from = place(at);
                bytes.drain(from..length.min(from + usize::from(n)));
            }
            Self::Cut { at } => bytes.truncate(place(at)),
        }
    }
}
