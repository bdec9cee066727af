//! Everybody together, and the clock. Time is virtual: it stands still while anything is in flight, and then
//! jumps to the earliest thing that is due, be it a message on its way or somebody's timer.

use std::{collections::BTreeMap, error::Error, io, path::Path, time::Instant};

use ims_procedures::{
    drive::{Identifiers, Millis},
    scscf::Command,
};

use crate::{
    application_server::ApplicationServer,
    capture::Capture,
    faults::{Faults, Random},
    hss::Hss,
    network::{Arrived, Network},
    options::Options,
    pcscf::PcscfHost,
    provisioning::{Actor, User},
    scscf::ScscfHost,
    ue::Ue,
};

/// The network is quiet when nothing is due within so many milliseconds: only registrations and subscriptions
/// last longer than that.
const QUIET: u64 = 300_000;
/// Milliseconds after which it must have become quiet: a UE may try to register for ten minutes.
const PATIENCE: u64 = 1_800_000;
/// UEs are switched on one after the other.
const STAGGER: u64 = 100;

/// A fault of a file, with its name.
pub fn at(path: &Path, fault: &io::Error) -> String {
    format!("{}: {fault}", path.display())
}

/// What a deregistration took: messages until all was quiet again, time until its outcome.
#[derive(Clone, Copy, Debug, Default)]
pub struct Effort {
    pub messages: usize,
    pub virtual_ms: u64,
    pub real_ms: f64,
}

/// The network and all who take part in it.
pub struct World {
    pub now: Millis,
    pub network: Network,
    pub ues: Vec<Ue>,
    pub pcscf: PcscfHost,
    pub scscf: ScscfHost,
    pub application_server: ApplicationServer,
    /// What the deregistration of each lost user took.
    pub efforts: BTreeMap<usize, Effort>,
}

impl World {
    pub fn new(options: &Options) -> Result<Self, Box<dyn Error>> {
        let capture = match &options.pcap {
            Some(path) => Some(Capture::create(path).map_err(|fault| at(path, &fault))?),
            None => None,
        };
        let mut network = Network::new(Faults::new(options), capture);
        for actor in [Actor::Pcscf, Actor::Scscf, Actor::As] {
            network.attach(actor)?;
        }
        let mut random = Random::new(!options.seed);
        let mut identifiers = || Identifiers::new(random.seed(), 1, 0);
        let mut hss = Hss::default();
        let mut ues = Vec::new();
        for number in 1..=options.users {
            let user = User::new(number);
            hss.provision(&user);
            network.attach(Actor::Ue(number))?;
            let on = Millis((number as u64 - 1) * STAGGER);
            ues.push(Ue::new(user, on, identifiers()));
        }
        Ok(Self {
            now: Millis(0),
            network,
            ues,
            pcscf: PcscfHost::new(&mut identifiers)?,
            scscf: ScscfHost::new(hss, &mut identifiers)?,
            application_server: ApplicationServer::new(identifiers()),
            efforts: BTreeMap::new(),
        })
    }

    /// Switches all UEs on, and waits until everybody is registered and subscribed to.
    pub fn register_all(&mut self) -> Result<(), Box<dyn Error>> {
        self.network
            .tape
            .part(self.now, "The users register, and the P-CSCF subscribes");
        self.run()
    }

    /// Has the access network report a user lost, and waits until all that follows is done.
    pub fn lose(&mut self, number: usize) -> Result<(), Box<dyn Error>> {
        let title = format!("The access network loses user {number}");
        self.network.tape.part(self.now, &title);
        let (began, real) = (self.now, Instant::now());
        let messages = self.network.tape.messages(number);
        let ue = number.checked_sub(1).and_then(|place| self.ues.get(place));
        let contact = ue
            .map(|ue| ue.user.contact.clone())
            .ok_or("there is no such user")?;
        self.network.tape.handling(Some(number));
        self.network
            .tape
            .note(self.now, Actor::Ue(number), "out of reach".into());
        self.pcscf
            .bearer_lost(self.now, &contact, &mut self.network)?;
        self.run()?;
        let endings = &self.pcscf.journal.endings;
        let ended = endings.iter().find(|ending| ending.user == number);
        if let Some(ended) = ended {
            let effort = Effort {
                messages: self.network.tape.messages(number) - messages,
                virtual_ms: ended.at.since(began),
                real_ms: ended.real.duration_since(real).as_secs_f64() * 1_000.0,
            };
            self.efforts.insert(number, effort);
        }
        Ok(())
    }

    /// Has operator or HSS give the S-CSCF a command, and waits until all that follows is done.
    #[allow(dead_code)] // The example `network_deregistration` does.
    pub fn command(&mut self, command: Command<'_>) -> Result<(), Box<dyn Error>> {
        self.network.tape.handling(Some(1));
        self.scscf.command(self.now, command, &mut self.network)?;
        self.run()
    }

    /// Runs until it is quiet.
    fn run(&mut self) -> Result<(), Box<dyn Error>> {
        let patience = self.now.after(PATIENCE);
        loop {
            self.network.release(self.now)?;
            while let Some(arrived) = self.network.receive()? {
                self.deliver(&arrived)?;
            }
            let Some(next) = self
                .next_deadline()
                .filter(|&at| at <= self.now.after(QUIET))
            else {
                return Ok(());
            };
            if next > patience {
                return Err("the network does not become quiet".into());
            }
            self.now = self.now.max(next);
            self.tick()?;
        }
    }

    fn next_deadline(&self) -> Option<Millis> {
        let nodes = [
            self.network.next_arrival(),
            self.pcscf.deadline(),
            self.scscf.deadline(),
        ];
        let ues = self.ues.iter().map(Ue::deadline);
        nodes.into_iter().chain(ues).flatten().min()
    }

    fn deliver(&mut self, arrived: &Arrived) -> Result<(), Box<dyn Error>> {
        let (now, network) = (self.now, &mut self.network);
        let user = network.tape.user_of(&arrived.bytes);
        network.tape.handling(user);
        match arrived.to {
            Actor::Pcscf => self.pcscf.receive(now, arrived, network)?,
            Actor::Scscf => self.scscf.receive(now, arrived, network)?,
            Actor::As => {
                if let Some(answer) = self.application_server.receive(&arrived.bytes) {
                    network.send(now, Actor::As, arrived.from, &answer);
                }
            }
            Actor::Ue(number) => {
                if let Some(ue) = number
                    .checked_sub(1)
                    .and_then(|place| self.ues.get_mut(place))
                {
                    ue.receive(now, &arrived.bytes);
                }
            }
            Actor::Msc | Actor::Hss => {}
        }
        Ok(())
    }

    /// Lets everything happen that is due.
    fn tick(&mut self) -> Result<(), Box<dyn Error>> {
        let (now, network) = (self.now, &mut self.network);
        network.tape.handling(None);
        self.pcscf.tick(now, network)?;
        self.scscf.tick(now, network)?;
        for ue in &mut self.ues {
            if let Some(bytes) = ue.tick(now) {
                network.tape.handling(Some(ue.user.number));
                network.send(now, Actor::Ue(ue.user.number), Actor::Pcscf, &bytes);
            }
        }
        Ok(())
    }
}
