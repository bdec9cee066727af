//! A network in virtual time: datagrams between hosts with loss, duplication, reordering and delay, all
//! decided by one seed. Nothing here sleeps; a run of hours takes milliseconds.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};

use ims_procedures::drive::Millis;

/// A pseudo-random sequence (SplitMix64): the same seed, the same run.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678)
    }

    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound.max(1)
    }

    /// True with this probability, in percent.
    pub fn percent(&mut self, probability: u64) -> bool {
        self.below(100) < probability
    }
}

/// What the network does to datagrams. Probabilities in percent, times in milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    pub loss: u64,
    pub duplication: u64,
    /// A datagram that is held back this often arrives up to a second later, after others.
    pub reordering: u64,
    pub delay: u64,
}

/// The address of a host: `host:port` as it stands in SIP URIs.
pub type Address = String;

/// What a host wants sent.
#[derive(Default)]
pub struct Sends(pub Vec<(Address, Vec<u8>)>);

impl Sends {
    pub fn send(&mut self, to: impl Into<Address>, bytes: &[u8]) {
        self.0.push((to.into(), bytes.to_vec()));
    }
}

/// Something with an address that receives datagrams and has deadlines.
pub trait Host {
    /// Its address.
    fn address(&self) -> Address;
    /// A datagram comes in.
    fn receive(&mut self, now: Millis, from: &str, bytes: &[u8], sends: &mut Sends);
    /// Its deadline has come.
    fn tick(&mut self, now: Millis, sends: &mut Sends);
    /// When it wants a tick.
    fn deadline(&self) -> Option<Millis>;
    /// It crashes and starts again from what it had kept.
    fn restart(&mut self, _now: Millis, _sends: &mut Sends) {}
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Flight {
    at: Millis,
    number: u64,
    from: Address,
    to: Address,
    bytes: Vec<u8>,
}

/// One datagram that was sent, for tests that look at the wire.
#[derive(Clone, Debug)]
pub struct Sent {
    pub at: Millis,
    pub from: Address,
    pub to: Address,
    pub bytes: Vec<u8>,
}

/// The network and the time on it.
pub struct Network {
    pub now: Millis,
    pub faults: Faults,
    pub dice: Dice,
    /// Everything handed to the network, lost or not.
    pub sent: Vec<Sent>,
    /// An address where nothing arrives that is sent before this time.
    pub outage: Option<(Address, Millis)>,
    flights: BinaryHeap<Reverse<Flight>>,
    numbered: u64,
}

impl Network {
    pub fn new(seed: u64, faults: Faults) -> Self {
        Self {
            now: Millis(1_000_000),
            faults,
            dice: Dice::new(seed),
            sent: Vec::new(),
            outage: None,
            flights: BinaryHeap::new(),
            numbered: 0,
        }
    }

    /// Hands over what a host wants sent.
    pub fn carry(&mut self, from: &str, sends: Sends) {
        for (to, bytes) in sends.0 {
            self.sent.push(Sent {
                at: self.now,
                from: from.to_owned(),
                to: to.clone(),
                bytes: bytes.clone(),
            });
            let is_out = |(address, until): &(Address, Millis)| *address == to && self.now < *until;
            if self.outage.as_ref().is_some_and(is_out) {
                continue;
            }
            let copies = 1 + u64::from(self.dice.percent(self.faults.duplication));
            for _ in 0..copies {
                if self.dice.percent(self.faults.loss) {
                    continue;
                }
                let mut delay = 1 + self.dice.below(self.faults.delay);
                if self.dice.percent(self.faults.reordering) {
                    delay += self.dice.below(1_000);
                }
                self.numbered += 1;
                self.flights.push(Reverse(Flight {
                    at: self.now.after(delay),
                    number: self.numbered,
                    from: from.to_owned(),
                    to: to.clone(),
                    bytes: bytes.clone(),
                }));
            }
        }
    }

    /// Runs until `end`: datagrams arrive and deadlines pass in the order of time. `crash`, in percent, is
    /// how often a host restarts after a datagram.
    pub fn run(&mut self, hosts: &mut [&mut dyn Host], end: Millis, crash: u64) {
        let places: HashMap<Address, usize> = hosts
            .iter()
            .enumerate()
            .map(|(place, host)| (host.address(), place))
            .collect();
        let mut idle_steps = 0u32;
        loop {
            let arrival = self.flights.peek().map(|Reverse(flight)| flight.at);
            let deadline = hosts
                .iter()
                .enumerate()
                .filter_map(|(place, host)| host.deadline().map(|at| (at, place)))
                .min();
            let next = [arrival, deadline.map(|(at, _)| at)]
                .into_iter()
                .flatten()
                .min();
            let Some(next) = next.map(|at| at.max(self.now)).filter(|&at| at <= end) else {
                self.now = end;
                return;
            };
            idle_steps = if next == self.now { idle_steps + 1 } else { 0 };
            assert!(idle_steps < 100_000, "time stands still at {next}");
            self.now = next;
            let mut sends = Sends::default();
            let (place, arrived) = match deadline {
                Some((at, place)) if arrival.is_none_or(|arrival| at <= arrival) => {
                    hosts[place].tick(next, &mut sends);
                    (place, false)
                }
                _ => {
                    let Reverse(flight) = self.flights.pop().expect("an arrival");
                    let Some(&place) = places.get(&flight.to) else {
                        panic!("nobody at {}", flight.to);
                    };
                    hosts[place].receive(next, &flight.from, &flight.bytes, &mut sends);
                    (place, true)
                }
            };
            let from = hosts[place].address();
            self.carry(&from, sends);
            if arrived && self.dice.percent(crash) {
                let mut sends = Sends::default();
                hosts[place].restart(next, &mut sends);
                self.carry(&from, sends);
            }
        }
    }
}
