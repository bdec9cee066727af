//! Both networks together, and the clock. Time is virtual: it stands still while anything is in flight, and then jumps
//! to the earliest thing that is due.

use std::error::Error;

use ims_procedures::drive::{Identifiers, Millis};

use crate::{
    capture::Capture,
    faults::{Faults, Random},
    home::{Conduct, Home},
    hss::Hss,
    msc::Msc,
    network::Network,
    options::Options,
    provisioning::Actor,
    subscriber::Subscriber,
};

/// The MSC server, the home network, and the path between them.
pub struct World {
    pub now: Millis,
    pub network: Network,
    pub msc: Msc,
    pub home: Home,
}

impl World {
    pub fn new(
        options: &Options,
        conduct: Conduct,
        subscribers: &[Subscriber],
        capture: Option<Capture>,
    ) -> Result<Self, Box<dyn Error>> {
        let mut network = Network::new(Faults::new(options), capture);
        for actor in [Actor::Msc, Actor::Scscf, Actor::As] {
            network.attach(actor)?;
        }
        let mut random = Random::new(!options.seed);
        let mut identifiers = || Identifiers::new(random.seed(), 1, 0);
        let mut hss = Hss::default();
        for subscriber in subscribers {
            hss.provision(&subscriber.user());
        }
        Ok(Self {
            now: Millis(0),
            network,
            msc: Msc::new(&mut identifiers)?,
            home: Home::new(hss, conduct, &mut identifiers)?,
        })
    }

    /// Begins another part of the story.
    pub fn part(&mut self, title: &str) {
        self.network.tape.part(self.now, title);
    }

    /// Something that the MSC server hears, or does, without SIP.
    pub fn note(&mut self, label: &str) {
        let label = label.to_owned();
        self.network.tape.note(self.now, Actor::Msc, label);
    }

    /// Runs until that instant, or, without one, until nothing is to come any more.
    pub fn run_until(&mut self, end: Option<Millis>) -> Result<(), Box<dyn Error>> {
        while self.step(end)? {}
        self.now = end.unwrap_or(self.now);
        Ok(())
    }

    /// Runs as long as it is so, but not beyond that instant.
    pub fn run_while(
        &mut self,
        end: Millis,
        is_so: impl Fn(&Self) -> bool,
    ) -> Result<(), Box<dyn Error>> {
        while is_so(self) && self.step(Some(end))? {}
        Ok(())
    }

    /// Delivers what is in flight, and goes on to the next thing that is due. `false` if nothing is by then.
    fn step(&mut self, end: Option<Millis>) -> Result<bool, Box<dyn Error>> {
        self.network.release(self.now)?;
        while let Some(arrived) = self.network.receive()? {
            let (now, network) = (self.now, &mut self.network);
            match arrived.to {
                Actor::Msc => self.msc.receive(now, &arrived, network)?,
                _ => self.home.receive(now, &arrived, network)?,
            }
        }
        let due = [
            self.network.next_arrival(),
            self.msc.deadline(),
            self.home.scscf.deadline(),
        ];
        let due = due.into_iter().flatten().min();
        let Some(next) = due.filter(|&at| end.is_none_or(|end| at <= end)) else {
            return Ok(false);
        };
        self.now = self.now.max(next);
        self.msc.tick(self.now, &mut self.network)?;
        self.home.scscf.tick(self.now, &mut self.network)?;
        Ok(true)
    }
}
