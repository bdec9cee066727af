//! [PD-12] When each user may send its REGISTER: the node's pacer, and the home domains it knows as next hops.

use alloc::{boxed::Box, vec::Vec};

use crate::{
    drive::{Limits, Millis, RestoreError},
    fleet::pacer::{self, Outcome, Pacer, Turn},
    wire::{Uri, register::bare},
};

/// Home domains that a node keeps a pace for at a time (PD-12).
pub const MAX_DOMAINS: usize = 256;

/// What a node's configuration says of it.
#[derive(Clone, Copy)]
pub(crate) struct Terms<'c> {
    pub(crate) pacing: &'c pacer::Config,
    pub(crate) limits: &'c Limits,
}

/// Users that a pacer is made for at first, if none are reserved.
const FIRST_ROOM: u32 = 64;

/// Next hops of the pacer: a domain each, and one for all that have no place.
const NEXT_HOPS: u32 = MAX_DOMAINS as u32 + 1;

/// What a shutdown orders instead of what is configured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Pace {
    /// Requests per second.
    pub(crate) rate: Option<u32>,
    /// Requests out at once.
    pub(crate) in_flight: Option<u32>,
}

impl Pace {
    /// The configuration with what is ordered, brought within its bounds.
    fn of(self, config: &pacer::Config) -> pacer::Config {
        let mut config = config.clone();
        if let Some(rate) = self.rate {
            config.rate = rate.clamp(1, 1_000_000);
        }
        if let Some(in_flight) = self.in_flight {
            config.in_flight = in_flight.clamp(1, 1 << 20);
            config.hop_in_flight = config.hop_in_flight.min(config.in_flight);
        }
        config
    }
}

/// What a user wants of the pacer.
#[derive(Clone, Copy)]
pub(crate) struct Want<'u> {
    /// A REGISTER of it is out: its home domain.
    pub(crate) out: Option<&'u [u8]>,
    /// A registration of it waits for its turn: its home domain, and whether it has had one before.
    pub(crate) turn: Option<(&'u [u8], bool)>,
}

/// How a user comes to the pacer.
enum How {
    First,
    Again,
    /// After a restart.
    Out,
}

/// The pacer of a node. It is made when the first REGISTER is to be sent, and grows with the places of users that
/// wait; with users reserved it is made for them beforehand.
pub(crate) struct Pacing {
    pacer: Option<Pacer>,
    domains: Domains,
    pace: Pace,
}

impl Pacing {
    pub(crate) fn new(config: Terms<'_>) -> Self {
        let mut pacing = Self {
            pacer: None,
            domains: Domains::default(),
            pace: Pace::default(),
        };
        if config.limits.reserved_users > 0 {
            pacing.make(config, 1);
        }
        pacing
    }

    fn make(&mut self, config: Terms<'_>, users: u32) {
        let limits = config.limits;
        let reserved = limits.reserved_users.min(limits.users);
        let reserved = u32::try_from(reserved).unwrap_or(u32::MAX);
        let room = users.max(FIRST_ROOM).max(reserved);
        self.pacer = Pacer::new(self.pace.of(config.pacing), room, NEXT_HOPS).ok();
    }

    /// [DR-5] The pacer, with room for the user at a place.
    fn with_room(&mut self, config: Terms<'_>, place: u32) -> Option<&mut Pacer> {
        let needed = place.saturating_add(1);
        if self.pacer.is_none() {
            self.make(config, needed);
        }
        let pacer = self.pacer.as_mut()?;
        if needed > pacer.machines() {
            let doubled = needed.checked_next_power_of_two().unwrap_or(needed);
            pacer.make_room(doubled.min(pacer::MAX_MACHINES)).ok()?;
        }
        Some(pacer)
    }

    /// [DR-10] Another configuration, or another order.
    pub(crate) fn reconfigure(&mut self, now: Millis, config: Terms<'_>) {
        if let Some(pacer) = &mut self.pacer {
            // Checked with the configuration of the node, whose part it is.
            let _ = pacer.reconfigure(now, self.pace.of(config.pacing));
        }
    }

    /// [PD-2] What a shutdown orders; `None` for the deadline when it is called off.
    pub(crate) fn order(
        &mut self,
        now: Millis,
        config: Terms<'_>,
        pace: Pace,
        deadline: Option<Millis>,
    ) {
        self.pace = pace;
        if let Some(pacer) = self.with_room(config, 0) {
            pacer.set_deadline(deadline);
        }
        self.reconfigure(now, config);
    }

    /// After every step of the user at a place: what the pacer knows of it follows.
    pub(crate) fn follow(&mut self, now: Millis, config: Terms<'_>, place: u32, want: Want<'_>) {
        if let Some(pacer) = &mut self.pacer {
            if want.out.is_none() && pacer.is_out(place) {
                pacer.outcome(now, place, Outcome::Abandoned);
            }
            if want.turn.is_none() && pacer.is_queued(place) {
                pacer.cancel(place);
            }
        }
        let (domain, how) = match (want.out, want.turn) {
            (Some(domain), _) => (domain, How::Out),
            (None, Some((domain, false))) => (domain, How::First),
            (None, Some((domain, true))) => (domain, How::Again),
            (None, None) => return,
        };
        if self.knows(place) || self.with_room(config, place).is_none() {
            return;
        }
        if let Some(pacer) = &mut self.pacer {
            let next_hop = self.domains.number(pacer, now, domain);
            // Whoever is not known here, and has a place, is taken.
            let _ = match how {
                How::First => pacer.enqueue(now, place, next_hop),
                How::Again => pacer.enqueue_again(now, place, next_hop),
                How::Out => pacer.adopt(now, place, next_hop),
            };
        }
    }

    fn knows(&self, place: u32) -> bool {
        let pacer = self.pacer.as_ref();
        pacer.is_some_and(|pacer| pacer.is_queued(place) || pacer.is_out(place))
    }

    /// [PD-12] What came of the REGISTER of the user at a place, if it has one out.
    pub(crate) fn tell(&mut self, now: Millis, place: u32, outcome: Outcome) {
        if let Some(pacer) = self.pacer.as_mut().filter(|pacer| pacer.is_out(place)) {
            pacer.outcome(now, place, outcome);
        }
    }

    /// The next turn. Where users are stored, its REGISTER is withheld until then.
    pub(crate) fn next(&mut self, now: Millis, is_withheld: bool) -> Option<Turn> {
        let pacer = self.pacer.as_mut()?;
        match is_withheld {
            true => pacer.next_withheld(now),
            false => pacer.next(now),
        }
    }

    /// [PD-12] The REGISTER of the user at a place leaves, if it was withheld.
    pub(crate) fn left(&mut self, now: Millis, place: u32) {
        if let Some(pacer) = &mut self.pacer {
            pacer.left(now, place);
        }
    }

    pub(crate) fn deadline(&self) -> Option<Millis> {
        self.pacer.as_ref()?.deadline()
    }

    /// How far the pacer has come.
    pub(crate) fn progress(&self) -> pacer::Progress {
        let pacer = self.pacer.as_ref();
        pacer.map(Pacer::progress).unwrap_or_default()
    }

    /// [PD-2] The number of the next hop of a domain.
    pub(crate) fn number(&mut self, now: Millis, config: Terms<'_>, domain: &[u8]) -> u32 {
        let _ = self.with_room(config, 0);
        match &mut self.pacer {
            Some(pacer) => self.domains.number(pacer, now, domain),
            None => 0,
        }
    }

    /// [PD-2] Milliseconds that it takes at least to ask so many more of each next hop, at this pace.
    pub(crate) fn least_time(
        &mut self,
        now: Millis,
        config: Terms<'_>,
        pace: Pace,
        more: &[u32],
    ) -> u64 {
        let ordered = core::mem::replace(&mut self.pace, pace);
        let _ = self.with_room(config, 0);
        self.reconfigure(now, config);
        let time = self.pacer.as_ref().map(|pacer| pacer.least_time_with(more));
        self.pace = ordered;
        self.reconfigure(now, config);
        time.unwrap_or(0)
    }

    /// Whether nobody waits and nothing is out.
    pub(crate) fn is_idle(&self) -> bool {
        let progress = self.progress();
        progress.queued == 0 && progress.out == 0
    }

    /// Without users nothing is kept of it, if nothing is reserved.
    pub(crate) fn give_back(&mut self, config: Terms<'_>) {
        if config.limits.reserved_users == 0 && self.is_idle() {
            self.pacer = None;
            self.domains = Domains::default();
        }
    }

    /// [DR-7] What it is in a blob, with users numbered anew. Nothing if nobody waits: whoever is out then is
    /// counted anew, and what was learnt of the domains is forgotten. With `whole` it is there all the same.
    pub(crate) fn snapshot(
        &self,
        now: Millis,
        whole: bool,
        number: impl Fn(u32) -> Option<u32>,
    ) -> Option<Snapshot> {
        let is_wanted = whole || self.progress().queued > 0;
        let pacer = self.pacer.as_ref().filter(|_| is_wanted)?;
        let names = self.domains.names.iter();
        Some(Snapshot {
            domains: names.map(|name| name.to_vec()).collect(),
            pacer: pacer.snapshot_of(now, number),
        })
    }

    /// [DR-7] Goes on from a blob that so many users follow.
    pub(crate) fn restore(
        &mut self,
        snapshot: Option<Snapshot>,
        now: Millis,
        config: Terms<'_>,
        (pace, users): (Pace, usize),
    ) -> Result<(), RestoreError> {
        self.pace = pace;
        let Some(snapshot) = snapshot else {
            self.reconfigure(now, config);
            return Ok(());
        };
        if snapshot.domains.len() > MAX_DOMAINS {
            return Err(RestoreError::TooLarge);
        }
        let users = users.max(config.limits.reserved_users);
        let room = u32::try_from(users).unwrap_or(u32::MAX).max(FIRST_ROOM);
        let paced = self.pace.of(config.pacing);
        let pacer = Pacer::restore(&snapshot.pacer, now, paced, room, NEXT_HOPS)?;
        let names = snapshot.domains.into_iter();
        self.domains = Domains {
            names: names.map(Vec::into_boxed_slice).collect(),
            ..Domains::default()
        };
        self.pacer = Some(pacer);
        Ok(())
    }
}

/// What the pacer is in a blob.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct Snapshot {
    domains: Vec<Vec<u8>>,
    pacer: pacer::Snapshot,
}

/// Why the turn of a registration did not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotAsked {
    /// [PD-2] The deadline of the shutdown has passed.
    Deadline = 0,
    /// [PD-6] Its home domain refused the users asked before it.
    Domain = 1,
    /// [PD-12] It has waited until the configured `turn_bound` after its lifetime.
    TurnBound = 2,
}

impl From<pacer::NotAsked> for NotAsked {
    fn from(reason: pacer::NotAsked) -> Self {
        match reason {
            pacer::NotAsked::Deadline => Self::Deadline,
            pacer::NotAsked::Canaries => Self::Domain,
        }
    }
}

/// [PD-6] The home domains that are asked, each a next hop by its place here: in the letters of whoever named it
/// first.
#[derive(Default)]
struct Domains {
    names: Vec<Box<[u8]>>,
    /// The one that was named last.
    latest: u32,
    /// Where the search for one that is no longer asked goes on.
    swept: u32,
}

impl Domains {
    /// The number of the domain of a Request-URI. Where there is no place for another, it takes that of one at which
    /// nothing is queued or out; if there is none, it shares the last number with all that come to find no place.
    fn number(&mut self, pacer: &mut Pacer, now: Millis, domain: &[u8]) -> u32 {
        let host = host(domain);
        if self.is(self.latest, host) {
            return self.latest;
        }
        let count = u32::try_from(self.names.len()).unwrap_or(NEXT_HOPS);
        let known = (0..count).find(|&number| self.is(number, host));
        self.latest = known.unwrap_or_else(|| self.place(pacer, now, host));
        self.latest
    }

    fn is(&self, number: u32, host: &[u8]) -> bool {
        let name = self.names.get(number as usize);
        name.is_some_and(|name| name.eq_ignore_ascii_case(host))
    }

    fn place(&mut self, pacer: &mut Pacer, now: Millis, host: &[u8]) -> u32 {
        let overflow = MAX_DOMAINS as u32;
        if self.names.len() < MAX_DOMAINS {
            self.names.push(host.into());
            return u32::try_from(self.names.len().saturating_sub(1)).unwrap_or(overflow);
        }
        for _ in 0..overflow {
            let number = self.swept;
            increment_below(&mut self.swept, overflow);
            if pacer.forget(now, number) {
                if let Some(name) = self.names.get_mut(number as usize) {
                    *name = host.into();
                }
                return number;
            }
        }
        overflow
    }
}

/// The next number below a bound, the first after the last.
const fn increment_below(number: &mut u32, bound: u32) {
    *number = number.saturating_add(1);
    if *number >= bound {
        *number = 0;
    }
}

/// The host of a Request-URI; all of it where it cannot be read.
fn host(domain: &[u8]) -> &[u8] {
    Uri::parse(domain).map_or(domain, |uri| bare(&uri))
}
