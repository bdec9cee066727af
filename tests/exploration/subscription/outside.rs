//! What is between the nodes, and what the model remembers that no node does.

use ims_procedures::drive::{Millis, Token};

use super::{registrar::Which, world::Side};
use crate::shared::canonical::Canonical;

/// What is in flight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cargo {
    /// SIP between the two.
    Sip,
    /// The 2xx to a REGISTER, on its way past the subscriber.
    Registered(Which),
    /// A REGISTER that passed the subscriber, on its way to the registrar.
    Deregister,
    /// Its 2xx, on the way past the subscriber.
    Deregistered,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flight {
    pub cargo: Cargo,
    pub to: Side,
    pub text: String,
    pub sent_at: Millis,
    /// Earlier, if it was sent again after a restart.
    pub written_at: Millis,
}

/// A client transaction of one of the hosts.
#[derive(Clone, Debug)]
pub struct Open {
    pub side: Side,
    pub token: Token,
    pub branch: String,
    /// Of what: the method, Call-ID, and the subscriber's tag.
    pub method: String,
    pub dialog: (String, String),
    pub until: Millis,
}

/// What the model remembers and no node does.
#[derive(Clone, Debug, Default)]
pub struct Ghosts {
    /// Until when the notifier has granted each subscription, by what its 2xx said.
    pub grants: Vec<(String, Millis)>,
    /// The Call-ID of the subscriber's latest SUBSCRIBE.
    pub call_id: String,
    /// The version of the latest document that the subscriber has taken, and the Call-ID it came with.
    pub taken: Option<(String, u32)>,
    /// The longest that a message to the subscriber took.
    pub slowest: u64,
    /// Something was lost or gave up since both sides last agreed.
    pub disturbed: bool,
    /// A SUBSCRIBE, or its response, was lost or gave up: the notifier may not know that it is over.
    pub subscribe_lost: bool,
    /// A NOTIFY was lost or gave up: the subscriber may not know what it said.
    pub notify_lost: bool,
    /// When each NOTIFY was written, by its branch.
    pub written: Vec<(String, Millis)>,
}

/// Everything but the nodes, and what is kept of them.
#[derive(Clone, Debug)]
pub struct Outside {
    pub now: Millis,
    pub lives: u64,
    pub delivered: u64,
    pub flights: Vec<Flight>,
    pub open: Vec<Open>,
    /// Until when each contact is registered, for all that the subscriber's host knows.
    pub registered: [Option<Millis>; 2],
    pub cseq: u32,
    pub changes: u8,
    pub faults: u8,
    pub ghosts: Ghosts,
}

impl Outside {
    /// Everything in it on which it depends how a world goes on.
    pub fn write(&self, canonical: &mut Canonical) {
        let left = |until: Option<Millis>| until.map_or(u64::MAX, |until| until.since(self.now));
        for side in [Side::Subscriber, Side::Notifier] {
            for flight in self.flights.iter().filter(|flight| flight.to == side) {
                canonical.number(match flight.cargo {
                    Cargo::Sip => 0,
                    Cargo::Registered(which) => 1 + which as u64,
                    Cargo::Deregister => 3,
                    Cargo::Deregistered => 4,
                });
                canonical.text(flight.text.as_bytes());
                canonical.number(self.now.since(flight.sent_at));
                canonical.number(self.now.since(flight.written_at));
            }
            for open in self.open.iter().filter(|open| open.side == side) {
                canonical.text(open.branch.as_bytes());
                canonical.number(left(Some(open.until)));
            }
            canonical.number(u64::MAX);
        }
        canonical.number(left(self.registered[0]));
        canonical.number(left(self.registered[1]));
        let ghosts = &self.ghosts;
        canonical.text(ghosts.call_id.as_bytes());
        canonical.number(left(self.granted_until()));
        if let Some((call_id, version)) = &ghosts.taken {
            canonical.text(call_id.as_bytes());
            canonical.number((*version).into());
        }
        canonical.number(ghosts.slowest);
        for flag in [ghosts.disturbed, ghosts.subscribe_lost, ghosts.notify_lost] {
            canonical.number(flag.into());
        }
        canonical.number(self.changes.into());
        canonical.number(self.faults.into());
    }

    /// Until when the notifier granted the subscription that was begun last.
    pub fn granted_until(&self) -> Option<Millis> {
        let own = |(of, _): &&(String, Millis)| *of == self.ghosts.call_id;
        self.ghosts.grants.iter().find(own).map(|(_, until)| *until)
    }
}
