//! Both together, and the clock. Time is virtual: it stands still while anything is in flight, and then jumps to
//! the earliest thing that is due, be it a message on its way, a timer, or the next part of the story.

use std::error::Error;

use ims_procedures::drive::{Identifiers, Millis};

use crate::{
    capture::Capture,
    device::{self, Device},
    faults::{Faults, Random},
    ladder_text,
    network::Network,
    options::Options,
    provisioning::{Actor, User},
    scscf::ScscfHost,
    watcher::Watcher,
};

/// The P-CSCF, the S-CSCF, and the path between them.
pub struct World {
    pub now: Millis,
    pub network: Network,
    pub watcher: Watcher,
    pub scscf: ScscfHost,
    pub phone: Device,
    pub tablet: Device,
    user: User,
    /// Whether the path loses, doubles or delays messages.
    pub has_faults: bool,
    /// Texts between the lines of the ladder, each with the number of lines before it.
    texts: Vec<(usize, String)>,
}

impl World {
    pub fn new(options: &Options) -> Result<Self, Box<dyn Error>> {
        let capture = match &options.pcap {
            Some(path) => {
                let named = |fault| format!("{}: {fault}", path.display());
                Some(Capture::create(path).map_err(named)?)
            }
            None => None,
        };
        let mut network = Network::new(Faults::new(options), capture);
        network.attach(Actor::Pcscf)?;
        network.attach(Actor::Scscf)?;
        let mut random = Random::new(!options.seed);
        let mut identifiers = || Identifiers::new(random.seed(), 1, 0);
        let user = device::user();
        Ok(Self {
            now: Millis(0),
            network,
            watcher: Watcher::new(user.clone(), options.profile, &mut identifiers)?,
            scscf: ScscfHost::new(&user, options.partial, &mut identifiers)?,
            phone: Device::new("phone", 1, identifiers()),
            tablet: Device::new("tablet", 2, identifiers()),
            user,
            has_faults: options.loss + options.duplicate + options.reorder > 0.0,
            texts: Vec::new(),
        })
    }

    /// Begins another part of the story at that second.
    pub fn part(&mut self, second: u64, title: &str) -> Result<(), Box<dyn Error>> {
        self.run_until_second(second)?;
        self.network.tape.part(self.now, title);
        Ok(())
    }

    pub fn run_until_second(&mut self, second: u64) -> Result<(), Box<dyn Error>> {
        self.run_until(Some(Millis(second * 1_000)))
    }

    /// A device registers, or registers again, for so many seconds. The REGISTER itself is no part of this example:
    /// it meets no faults.
    pub fn register(
        &mut self,
        device: impl Fn(&mut Self) -> &mut Device,
        expires: u32,
    ) -> Result<(), Box<dyn Error>> {
        let (flow, response) = self.exchange(device, expires)?;
        self.watcher
            .registered(self.now, &flow, &response, &mut self.network)
    }

    /// A device deregisters.
    pub fn deregister(
        &mut self,
        device: impl Fn(&mut Self) -> &mut Device,
    ) -> Result<(), Box<dyn Error>> {
        let flow = device(self).contact.clone();
        self.watcher
            .deregistering(self.now, &flow, &mut self.network)?;
        let (flow, _) = self.exchange(device, 0)?;
        self.watcher
            .deregistered(self.now, &flow, &mut self.network)?;
        Ok(())
    }

    /// A REGISTER and its answer: the contact that it is about, and the answer.
    fn exchange(
        &mut self,
        device: impl Fn(&mut Self) -> &mut Device,
        expires: u32,
    ) -> Result<(String, Vec<u8>), Box<dyn Error>> {
        let user = self.user.clone();
        let device = device(self);
        let label = format!("REGISTER {} Expires {expires}", device.name);
        let flow = device.contact.clone();
        let register = device.register(&user, expires).ok_or("no REGISTER")?;
        let (now, network) = (self.now, &mut self.network);
        network
            .tape
            .exchange(now, Actor::Pcscf, Actor::Scscf, label);
        let response = self.scscf.register(now, &register, network)?;
        network
            .tape
            .exchange(now, Actor::Scscf, Actor::Pcscf, "200 REGISTER".to_owned());
        Ok((flow, response))
    }

    /// Runs until that instant, or until nothing is to come any more.
    pub fn run_until(&mut self, end: Option<Millis>) -> Result<(), Box<dyn Error>> {
        loop {
            self.network.release(self.now)?;
            while let Some(arrived) = self.network.receive()? {
                let (now, network) = (self.now, &mut self.network);
                if arrived.to == Actor::Scscf {
                    self.scscf.receive(now, &arrived, network)?;
                } else if let Some(table) = self.watcher.receive(now, &arrived, network)? {
                    self.show(table);
                }
            }
            let due = self.next_deadline();
            let Some(next) = due.filter(|&at| end.is_none_or(|end| at <= end)) else {
                self.now = end.unwrap_or(self.now);
                return Ok(());
            };
            self.now = self.now.max(next);
            self.watcher.tick(self.now, &mut self.network)?;
            self.scscf.tick(self.now, &mut self.network)?;
        }
    }

    fn next_deadline(&self) -> Option<Millis> {
        let due = [
            self.network.next_arrival(),
            self.watcher.deadline(),
            self.scscf.deadline(),
        ];
        due.into_iter().flatten().min()
    }

    /// Has a text stand in the ladder here.
    pub fn show(&mut self, text: String) {
        self.texts.push((self.network.tape.entries().len(), text));
    }

    /// The ladder, with the texts.
    pub fn drawing(&self) -> String {
        let mut rest = self.network.tape.entries();
        let (mut drawing, mut drawn) = (String::new(), 0);
        for (before, text) in &self.texts {
            let (part, others) = rest.split_at(before - drawn);
            drawing += &ladder_text::draw(part);
            drawing += text;
            (rest, drawn) = (others, *before);
        }
        drawing + &ladder_text::draw(rest)
    }
}
