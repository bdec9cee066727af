//! What is between the nodes, and what the model remembers that no node does.

use std::fmt;

use ims_procedures::drive::{Identifier, Millis, Token};

use super::user::Which;
use crate::shared::canonical::Canonical;

/// The P-CSCFs and the S-CSCF.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    First,
    Second,
    Home,
}

impl Side {
    pub const ALL: [Self; 3] = [Self::First, Self::Second, Self::Home];
    pub const EDGES: [Self; 2] = [Self::First, Self::Second];

    pub const fn place(self) -> usize {
        self as usize
    }

    /// How its host is called.
    pub const fn host(self) -> &'static str {
        match self {
            Self::First => "pcscf1",
            Self::Second => "pcscf2",
            Self::Home => "scscf1",
        }
    }

    /// The side that a URI or Via names.
    pub fn named_in(text: &str) -> Self {
        let named = |side: &Self| text.contains(side.host());
        let found = Self::ALL.into_iter().find(named);
        found.expect("a known host")
    }
}

/// How often each may happen, or has happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// The user or the access network does something.
    pub changes: u8,
    /// A message is lost, with all its retransmissions.
    pub losses: u8,
    /// A copy of a request stays in flight.
    pub copies: u8,
    /// A side restarts from its blob.
    pub restarts: u8,
    /// A timer overtakes the messages in flight.
    pub overtakings: u8,
    /// A question is answered with failure, or not at all.
    pub failures: u8,
}

impl Budget {
    pub const NONE: Self = Self {
        changes: 0,
        losses: 0,
        copies: 0,
        restarts: 0,
        overtakings: 0,
        failures: 0,
    };

    const fn numbers(self) -> [u8; 6] {
        [
            self.changes,
            self.losses,
            self.copies,
            self.restarts,
            self.overtakings,
            self.failures,
        ]
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            changes,
            losses,
            copies,
            restarts,
            overtakings,
            failures,
        } = self;
        write!(
            f,
            "{changes} changes, {losses} losses, {copies} copies, {restarts} restarts, \
             {overtakings} overtakings, {failures} failures"
        )
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flight {
    pub to: Side,
    pub text: String,
    pub sent_at: Millis,
}

/// A client transaction of one of the nodes.
#[derive(Clone, Debug)]
pub struct Open {
    pub side: Side,
    pub token: Token,
    pub branch: String,
    pub until: Millis,
}

/// The REGISTER of the user that its P-CSCF has forwarded. There is one at a time (RFC 3261 10.2).
#[derive(Clone, Debug)]
pub struct Relayed {
    pub at: Side,
    pub which: Which,
    pub expires: u32,
    pub text: String,
    pub until: Millis,
    /// Until when the registrar has bound the contact.
    pub bound_until: Millis,
    /// A deregistration of the same contact by the same P-CSCF was on its way when it was accepted.
    pub crossed: bool,
    /// One began after it was forwarded.
    pub triggered: bool,
}

/// The REGISTER of the user that its P-CSCF was told to hold, until the node says so.
#[derive(Clone, Debug)]
pub struct Held {
    pub at: Side,
    pub which: Which,
    pub expires: u32,
    pub text: String,
}

/// Something that a host has to do, or to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asking {
    /// A step of the cleanup, or anything else that is done.
    Done,
    /// Whether the user it is, which it is unless something is suspicious.
    Authentication {
        suspicious: bool,
    },
    DialogRelease,
    ServerAssignment,
    /// A REGISTER for the application server.
    Server(String),
}

#[derive(Clone, Debug)]
pub struct Asked {
    pub side: Side,
    pub token: Token,
    pub what: Asking,
}

/// What is to be thought of a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Its latest REGISTER was answered 2xx at that P-CSCF; it lasts until then.
    Registered(Side, Millis),
    /// A deregistration has been started at that P-CSCF since.
    Leaving(Side),
    /// It was deregistered at that P-CSCF.
    Gone(Side),
    /// Its latest REGISTER was not answered.
    Unknown,
}

/// The steps of a cleanup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Delivery,
    Shortening,
    Release,
    Bearer,
}

/// How far a P-CSCF is with the end of a contact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Procedure {
    #[default]
    Idle,
    /// It was triggered; so many REGISTERs, the latest with this branch.
    Running(u8, String),
    /// The step of the cleanup that was asked for last, and the key of the question.
    Cleaning(Step, Identifier),
}

/// What the model remembers of one contact at one P-CSCF.
#[derive(Clone, Debug, Default)]
pub struct AtEdge {
    pub procedure: Procedure,
    /// Until when it is registered there, for all that the P-CSCF has been shown.
    pub until: Millis,
}

/// What the model remembers of one contact at the S-CSCF.
#[derive(Clone, Debug, Default)]
pub struct AtHome {
    /// The P-CSCF through which it was bound last.
    pub via: Option<Side>,
    /// How often it was removed, and no outcome reported.
    pub unreported: u8,
    /// Of these, how often its dialogs were to be released: the keys of the questions.
    pub released: Vec<Identifier>,
}

/// What the model remembers and no node does.
#[derive(Clone, Debug)]
pub struct Ghosts {
    pub wishes: [Wish; 2],
    /// A deregistration by the same P-CSCF was on its way for too long, and crossed the REGISTER by which the contact was
    /// registered last: it is not known what comes of it.
    pub crossed: [bool; 2],
    /// The Call-IDs of the deregistrations of P-CSCFs that the S-CSCF has carried out.
    pub carried_out: Vec<String>,
    pub edges: [[AtEdge; 2]; 2],
    pub home: [AtHome; 2],
    /// The branches of the REGISTERs that the S-CSCF has not answered yet.
    pub unanswered: Vec<String>,
    /// A message was lost, came late or not at all.
    pub disturbed: bool,
    /// The contact whose registration a P-CSCF is being shown.
    pub learning: Option<Which>,
}

impl Default for Ghosts {
    fn default() -> Self {
        Self {
            wishes: [Wish::Unknown; 2],
            crossed: [false; 2],
            carried_out: Vec::new(),
            edges: Default::default(),
            home: Default::default(),
            unanswered: Vec::new(),
            disturbed: false,
            learning: None,
        }
    }
}

/// Everything but the nodes, and what is kept of them.
#[derive(Clone, Debug)]
pub struct Outside {
    pub now: Millis,
    pub lives: u64,
    pub flights: Vec<Flight>,
    pub open: Vec<Open>,
    pub relayed: Option<Relayed>,
    pub held: Option<Held>,
    /// With what REGISTERs were held, at any time.
    pub held_with: Vec<Token>,
    pub asked: Vec<Asked>,
    /// Until when a node may wait for the answer to a question that is not answered.
    pub ignored_until: Millis,
    pub cseq: u32,
    /// The highest CSeq of the user that has reached the registrar.
    pub highest: u32,
    pub spent: Budget,
    pub ghosts: Ghosts,
}

impl Outside {
    pub fn new(now: Millis) -> Self {
        Self {
            now,
            lives: 1,
            flights: Vec::new(),
            open: Vec::new(),
            relayed: None,
            held: None,
            held_with: Vec::new(),
            asked: Vec::new(),
            ignored_until: now,
            cseq: 0,
            highest: 0,
            spent: Budget::NONE,
            ghosts: Ghosts::default(),
        }
    }

    /// Everything in it on which it depends how a world goes on.
    pub fn write(&self, canonical: &mut Canonical) {
        let left = |until: Millis| until.since(self.now);
        for side in Side::ALL {
            let flights = self.flights.iter().filter(|flight| flight.to == side);
            canonical.texts(flights.map(|flight| {
                let took = self.now.since(flight.sent_at);
                (flight.text.as_str(), took)
            }));
            let open = self.open.iter().filter(|open| open.side == side);
            canonical.texts(open.map(|open| (open.branch.as_str(), left(open.until))));
            for asked in self.asked.iter().filter(|asked| asked.side == side) {
                canonical.text(format!("{:?}", asked.what).as_bytes());
            }
            canonical.number(u64::MAX);
        }
        if let Some(relayed) = &self.relayed {
            canonical.text(relayed.text.as_bytes());
            canonical.number(left(relayed.until));
            canonical.number(left(relayed.bound_until));
            canonical.number(relayed.crossed.into());
            canonical.number(relayed.triggered.into());
        }
        if let Some(held) = &self.held {
            canonical.text(held.text.as_bytes());
        }
        canonical.number(self.cseq.into());
        canonical.number(self.highest.into());
        canonical.text(&self.spent.numbers());
        self.write_ghosts(canonical);
    }

    fn write_ghosts(&self, canonical: &mut Canonical) {
        let left = |until: Millis| until.since(self.now);
        let ghosts = &self.ghosts;
        for which in Which::ALL {
            let place = which.place();
            let (kind, side, until) = match ghosts.wishes[place] {
                Wish::Registered(side, until) => (1, side.place(), left(until)),
                Wish::Leaving(side) => (2, side.place(), 0),
                Wish::Gone(side) => (3, side.place(), 0),
                Wish::Unknown => (4, 0, 0),
            };
            for number in [kind, side as u64, until, ghosts.crossed[place].into()] {
                canonical.number(number);
            }
            for edge in &ghosts.edges {
                canonical.number(left(edge[place].until));
                match &edge[place].procedure {
                    Procedure::Idle => canonical.number(0),
                    Procedure::Running(registers, branch) => {
                        canonical.number(1 + u64::from(*registers));
                        canonical.text(branch.as_bytes());
                    }
                    Procedure::Cleaning(step, key) => {
                        canonical.number(100 + *step as u64);
                        canonical.text(&key.text());
                    }
                }
            }
            let home = &ghosts.home[place];
            canonical.number(home.via.map_or(0, |side| 1 + side.place() as u64));
            canonical.number(home.unreported.into());
            for key in &home.released {
                canonical.text(&key.text());
            }
        }
        for known in [&ghosts.unanswered, &ghosts.carried_out] {
            canonical.number(known.len() as u64);
            for text in known {
                canonical.text(text.as_bytes());
            }
        }
        canonical.number(ghosts.disturbed.into());
    }
}
