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
    pub support_reg_event: bool,
    pub subscribe_at_reregistration: bool,
    pub integrity_protected: bool,
    pub expires_in: u8,
    pub entry_points: u8,
    pub attempts: u8,
    pub release_bound: u16,
    pub retry_interval: u16,
    pub retry_after_limit: u16,
    pub answer_bound: u16,
    pub turn_bound: u16,
    pub subscription_floor: u8,
    pub subscription_margin: u8,
    pub dialogs: u8,
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
    Learn(Registering),
    LearnBytes {
        request: Vec<u8>,
        response: Vec<u8>,
    },
    LearnDetails(Detailing),
    Inactive {
        user: u8,
        cause: u8,
    },
    Returned {
        user: u8,
    },
    DialogAdded {
        user: u8,
        identity: u8,
        dialog: u8,
        held: Option<Holding>,
    },
    DialogEnded {
        user: u8,
        dialog: u8,
    },
    Shutdown {
        within: u16,
        rate: Option<u8>,
        in_flight: Option<u8>,
        dry_run: bool,
    },
    Resume,
    Notify(Notifying),
    Receive {
        from: From,
        bytes: Vec<u8>,
    },
    Answer {
        whose: Whose,
        answer: Answering,
    },
    Tick,
    /// To the next deadline.
    Wait,
    Forwards {
        milliseconds: u32,
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

/// A REGISTER of the host and its response.
#[derive(Arbitrary, Debug)]
pub struct Registering {
    pub user: u8,
    pub identity: u8,
    pub instance: Option<u8>,
    pub cseq: u8,
    pub contacts: u8,
    /// As granted; the response leaves the contact out if it is missing.
    pub granted: Option<u16>,
    pub authorization: bool,
    pub associated: bool,
    pub route: bool,
    pub path: bool,
    pub service_route: bool,
    pub status: Status,
    pub mutation: Option<(bool, Mutation)>,
}

/// The details of a registration as the host gives them, one of them whatever it is.
#[derive(Arbitrary, Debug)]
pub struct Detailing {
    pub user: u8,
    pub expires: u16,
    pub cseq: u8,
    pub odd: Option<(u8, Vec<u8>)>,
}

/// What the library is told of a dialog that it is to end.
#[derive(Arbitrary, Debug)]
pub struct Holding {
    pub local: u8,
    pub is_secure: bool,
    pub route_set: bool,
    pub odd: Option<(u8, Vec<u8>)>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Status {
    Ok,
    Of(u16),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum From {
    TrustedCore,
    Ue,
    Unknown,
}

/// A NOTIFY.
#[derive(Arbitrary, Debug)]
pub struct Notifying {
    pub subscription: u8,
    pub notifier: bool,
    pub cseq: u8,
    pub from: From,
    pub state: u8,
    pub expires: Option<u16>,
    pub content_type: bool,
    pub body: Body,
    pub mutation: Option<Mutation>,
}

#[derive(Arbitrary, Debug)]
pub enum Body {
    None,
    Document {
        version: u8,
        partial: bool,
        registrations: [Option<Registered>; 2],
    },
    Bytes(Vec<u8>),
}

#[derive(Arbitrary, Debug)]
pub struct Registered {
    pub identity: u8,
    pub terminated: bool,
    pub contacts: [Option<Told>; 2],
}

/// What is told of a contact.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Told {
    pub instance: Option<u8>,
    pub event: u8,
    pub expires: Option<u16>,
    /// Of the REGISTER that changed it last.
    pub cseq: Option<u8>,
}

/// Whose answer is given.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Whose {
    Outstanding(u8),
    Settled(u8),
    NeverGiven(u64),
}

#[derive(Arbitrary, Debug)]
pub enum Answering {
    Response {
        status: Status,
        notifier: bool,
        expires: Option<u16>,
        retry_after: Option<u16>,
        contact: bool,
        mutation: Option<Mutation>,
    },
    Bytes(Vec<u8>),
    Timeout,
    Unreachable,
    Stored,
    Conflict,
    Done,
    Failed,
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
