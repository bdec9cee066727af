//! What a host and its peers may do, as the fuzzer decodes it.

use libfuzzer_sys::arbitrary::{self, Arbitrary};

/// A run: a configuration, and what happens under it.
#[derive(Arbitrary, Debug)]
pub struct Script {
    pub settings: Settings,
    pub steps: Vec<Operation>,
}

/// What an operator may decide. Bounds are small, zero among them.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Settings {
    pub rfc6665: bool,
    pub asks_route: bool,
    pub strict_uris: bool,
    pub retry_too_brief: bool,
    pub keep_on_refresh_error: bool,
    pub tolerate_silent_refresh: bool,
    pub subscribe_at_reregistration: bool,
    pub restarted_count: bool,
    pub floor: u8,
    pub margin: u8,
    pub timer_n: u16,
    pub resubscribe_interval: u16,
    pub resubscribe_attempts: u8,
    pub retry_after_limit: u16,
    pub users: u8,
    pub contacts: u8,
}

#[derive(Arbitrary, Debug)]
pub enum Operation {
    Register {
        user: u8,
        flow: u8,
        expires: u16,
        emergency: bool,
        implicit: bool,
    },
    Deregistering {
        user: u8,
        flow: Option<u8>,
    },
    Deregistered {
        user: u8,
        flow: Option<u8>,
    },
    Notify(Notifying),
    Receive {
        trusted: bool,
        bytes: Vec<u8>,
    },
    Answer {
        whose: u8,
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
    /// The host goes down and comes up again in another epoch.
    Restart {
        epoch: u32,
    },
    Reconfigure(Settings),
}

/// A NOTIFY to one of the subscriptions that were seen.
#[derive(Arbitrary, Debug)]
pub struct Notifying {
    pub subscription: u8,
    pub cseq: u32,
    pub tag: u8,
    pub state: u8,
    pub expires: Option<u16>,
    pub reason: u8,
    pub retry_after: Option<u16>,
    pub moved: bool,
    pub document: Option<Documented>,
}

#[derive(Arbitrary, Debug)]
pub struct Documented {
    pub version: u8,
    pub partial: bool,
    pub registrations: Vec<Registered>,
    pub cut: Option<u16>,
}

/// A registration: the number of its identity, its state, its contacts with their events.
#[derive(Arbitrary, Debug)]
pub struct Registered {
    pub identity: u8,
    pub state: u8,
    pub contacts: Vec<(u8, u8)>,
}

#[derive(Arbitrary, Debug)]
pub enum Answering {
    Status {
        status: u16,
        expires: Option<u16>,
        min_expires: Option<u16>,
        retry_after: Option<u16>,
        tag: u8,
    },
    Bytes(Vec<u8>),
    Timeout,
    Unreachable,
    Routes {
        next_hops: u8,
        route: bool,
    },
    RoutesOf(Vec<u8>),
    NoRoute,
}
