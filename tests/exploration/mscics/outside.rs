//! What is around the node, and what the model remembers that the node does not.

use std::fmt;

use ims_procedures::drive::{Millis, Token};

use super::registrar::Registrar;
use crate::{
    bed::CONTACT,
    shared::{canonical::Canonical, wire::header},
};

/// The MSC server and the home network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    Msc,
    Home,
}

/// Where the MSC server registers the subscriber.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum At {
    #[default]
    One,
    Another,
}

impl At {
    pub const fn other(self) -> Self {
        match self {
            Self::One => Self::Another,
            Self::Another => Self::One,
        }
    }

    /// The same text with this contact.
    pub fn place(self, text: &str) -> String {
        match self {
            Self::One => text.to_owned(),
            Self::Another => text.replace(CONTACT, ANOTHER),
        }
    }

    /// That of a REGISTER.
    pub fn of(text: &str) -> Self {
        match header(text, "Contact").contains(ANOTHER) {
            true => Self::Another,
            false => Self::One,
        }
    }
}

/// The other contact: the MSC server has two addresses.
const ANOTHER: &str = "sip:msc1.visited1.example.net:5070";

/// How often each may happen, or has happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// The subscriber or the home network does something.
    pub changes: u8,
    /// A message is lost, with all its retransmissions.
    pub losses: u8,
    /// A copy of a message stays in flight.
    pub copies: u8,
    /// The MSC server restarts from its blob.
    pub restarts: u8,
    /// A timer overtakes the messages in flight.
    pub overtakings: u8,
    /// The release of a dialog fails, or is not answered.
    pub failures: u8,
    /// The REGISTER that deregisters is answered without a 2xx.
    pub refusals: u8,
}

impl Budget {
    pub const NONE: Self = Self {
        changes: 0,
        losses: 0,
        copies: 0,
        restarts: 0,
        overtakings: 0,
        failures: 0,
        refusals: 0,
    };

    const fn numbers(self) -> [u8; 7] {
        [
            self.changes,
            self.losses,
            self.copies,
            self.restarts,
            self.overtakings,
            self.failures,
            self.refusals,
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
            refusals,
        } = self;
        write!(
            f,
            "{changes} changes, {losses} losses, {copies} copies, {restarts} restarts, \
             {overtakings} overtakings, {failures} failures, {refusals} refusals"
        )
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flight {
    pub to: Side,
    pub text: String,
    pub sent_at: Millis,
}

/// Whose a client transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The node's.
    Node(Token),
    /// The host's own REGISTER.
    Host,
    /// A NOTIFY of the home network.
    Home,
}

/// A client transaction.
#[derive(Clone, Debug)]
pub struct Open {
    pub whose: Whose,
    pub request: String,
    pub until: Millis,
}

/// The release of a dialog that was asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    pub token: Token,
    pub dialog: u64,
    /// The library wrote its BYE.
    pub held: bool,
    /// It is not answered: a BYE times out then, a question never ends.
    pub until: Option<Millis>,
}

/// How far the MSC server is with a registration, as its host knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Procedure {
    /// There is none.
    #[default]
    Absent,
    Registered,
    /// It is being ended; so many REGISTERs, the latest as it is.
    Running(u8, String),
}

impl Procedure {
    pub const fn has_sent(&self) -> bool {
        matches!(self, Self::Running(1.., _))
    }
}

/// What is to be thought of the subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Active here: registered, and nothing has been heard against it since.
    Active,
    /// No longer active here.
    Gone,
    /// The host has not been answered yet, or never was.
    Unknown,
}

/// A subscription as the host sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    pub call_id: String,
    /// It has ended, but for the REGISTER or for the end of the registration.
    pub over: bool,
    /// The highest CSeq of a NOTIFY that was taken.
    pub highest: u32,
}

/// What the model remembers and the node does not.
#[derive(Clone, Debug)]
pub struct Ghosts {
    pub procedure: Procedure,
    pub wish: Wish,
    /// The subscriber has returned since the REGISTER was sent.
    pub returned: bool,
    /// The host has said that the subscriber is no longer active, since it sent its latest REGISTER.
    pub left: bool,
    /// A REGISTER of the host was answered 2xx after the one that deregisters was sent.
    pub renewed: bool,
    /// The home network has removed the contact since it was bound last.
    pub removed: bool,
    /// The host has asked for another contact, and does not know whether it is bound instead of the one before.
    pub moving: bool,
    /// A REGISTER that deregisters was on its way for too long, and crossed the REGISTER by which the subscriber was
    /// registered last: it is not known what comes of it.
    pub crossed: bool,
    /// A message was lost, came late or not at all, or was refused.
    pub disturbed: bool,
    /// The dialogs that the subscriber has, and which of them are held by the library.
    pub dialogs: Vec<(u64, bool)>,
    /// Those whose release has been asked for.
    pub releasing: Vec<u64>,
    /// When the release of the dialogs is waited for no longer.
    pub release_until: Option<Millis>,
    /// The current one. Any other is a thing of the past.
    pub subscription: Option<Subscription>,
}

impl Default for Ghosts {
    fn default() -> Self {
        Self {
            procedure: Procedure::Absent,
            wish: Wish::Unknown,
            returned: false,
            left: false,
            renewed: false,
            removed: false,
            moving: false,
            crossed: false,
            disturbed: false,
            dialogs: Vec::new(),
            releasing: Vec::new(),
            release_until: None,
            subscription: None,
        }
    }
}

/// Everything but the node, and what is kept of it.
#[derive(Clone, Debug)]
pub struct Outside {
    pub now: Millis,
    pub lives: u64,
    pub flights: Vec<Flight>,
    pub open: Vec<Open>,
    pub asked: Vec<Asked>,
    /// The CSeq of the host's latest REGISTER, and its contact.
    pub cseq: u32,
    pub contact: At,
    /// The number of the latest dialog.
    pub dialog: u64,
    pub registrar: Registrar,
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
            asked: Vec::new(),
            cseq: 0,
            contact: At::default(),
            dialog: 0,
            registrar: Registrar::default(),
            spent: Budget::NONE,
            ghosts: Ghosts::default(),
        }
    }

    /// Everything in it on which it depends how a world goes on.
    pub fn write(&self, canonical: &mut Canonical) {
        let left = |until: Millis| until.since(self.now);
        for side in [Side::Msc, Side::Home] {
            let flights = self.flights.iter().filter(|flight| flight.to == side);
            canonical.texts(flights.map(|flight| {
                let took = self.now.since(flight.sent_at);
                (flight.text.as_str(), took)
            }));
            canonical.number(u64::MAX);
        }
        let open = self.open.iter();
        canonical.texts(open.map(|open| (open.request.as_str(), left(open.until))));
        let mut asked: Vec<_> = self.asked.iter().collect();
        asked.sort_by_key(|asked| (asked.dialog, asked.until));
        for asked in asked {
            canonical.number(asked.dialog);
            canonical.number(u64::from(self.is_stale(asked)));
            canonical.number(asked.until.map_or(u64::MAX, left));
        }
        canonical.number(self.cseq.into());
        canonical.number(self.contact as u64);
        canonical.number(self.dialog);
        canonical.text(&self.spent.numbers());
        self.registrar.write(self.now, canonical);
        self.write_ghosts(canonical);
    }

    /// Whether the contact is bound at the registrar.
    pub fn is_bound(&self) -> bool {
        self.registrar.is_bound(self.now)
    }

    /// Whether nothing comes of the release any more.
    pub fn is_stale(&self, asked: &Asked) -> bool {
        !self.ghosts.releasing.contains(&asked.dialog)
    }

    fn write_ghosts(&self, canonical: &mut Canonical) {
        let ghosts = &self.ghosts;
        match &ghosts.procedure {
            Procedure::Absent => canonical.number(0),
            Procedure::Registered => canonical.number(1),
            Procedure::Running(registers, text) => {
                canonical.number(2 + u64::from(*registers));
                canonical.text(text.as_bytes());
            }
        }
        canonical.number(ghosts.wish as u64);
        let Ghosts {
            returned,
            left,
            renewed,
            removed,
            moving,
            crossed,
            disturbed,
            ..
        } = *ghosts;
        for said in [returned, left, renewed, removed, moving, crossed, disturbed] {
            canonical.number(said.into());
        }
        canonical.number(ghosts.dialogs.len() as u64);
        for (dialog, held) in &ghosts.dialogs {
            let released = ghosts.releasing.contains(dialog);
            for number in [*dialog, (*held).into(), released.into()] {
                canonical.number(number);
            }
        }
        let bound = ghosts.release_until;
        canonical.number(bound.map_or(u64::MAX, |until| until.since(self.now)));
        if let Some(subscription) = &ghosts.subscription {
            canonical.text(subscription.call_id.as_bytes());
            canonical.number(subscription.over.into());
            canonical.number(subscription.highest.into());
        }
    }
}
