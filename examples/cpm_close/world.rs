//! Everybody together, and the clock.

use std::error::Error;

use ims_procedures::{
    cpm::SessionRef,
    drive::{Identifiers, Millis},
};

use crate::{
    capture::Capture,
    cases::Case,
    faults::{Faults, Random},
    function::Function,
    ladder_text,
    network::Network,
    options::Options,
    outcome::Outcome,
    peer::Peer,
    provisioning::Actor,
    session::Session,
    store::Store,
    tape::{Entry, Tape},
};

/// Milliseconds between two cases.
const PAUSE: u64 = 1_000;

/// The Participating Function, those around it, and the path between them. It is one node for all cases: each is another
/// session.
pub struct World {
    now: Millis,
    sessions: u64,
    pub network: Network,
    function: Function,
    peers: Vec<Peer>,
    store: Store,
    /// Who ends the session at what time, in the case at hand.
    ends: Vec<(Millis, Actor)>,
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
        for actor in Actor::ALL {
            network.attach(actor)?;
        }
        let mut random = Random::new(!options.seed);
        let mut identifiers = || Identifiers::new(random.seed(), 1, 0);
        let function = Function::new(&mut identifiers)?;
        let peers = Actor::PEERS.map(|peer| Peer::new(peer, identifiers()));
        Ok(Self {
            now: Millis(0),
            sessions: 0,
            network,
            function,
            peers: peers.into_iter().collect::<Result<_, _>>()?,
            store: Store::default(),
            ends: Vec::new(),
        })
    }

    /// Plays a case: what came of it, and the ladder.
    pub fn play(&mut self, case: &Case) -> Result<(Outcome, String), Box<dyn Error>> {
        let begun = self.now;
        self.network.tape = Tape::default();
        self.sessions += 1;
        let session = Session::new(case, SessionRef(self.sessions));
        self.network.tape.part(self.now, &case.title());
        for peer in &mut self.peers {
            peer.begin(session.dialog_of(peer.me()), &case.manner(peer.me()));
        }
        self.store.begin(case.storage);
        self.ends = case.ends(self.now);
        self.function
            .establish(self.now, &session, &mut self.network)?;
        self.run()?;

        // A session that goes on is over with its case.
        if self.function.journal.closed == 0 {
            self.function
                .forget(self.now, session.handle, &mut self.network)?;
        }
        let outcome = Outcome::of(&self.function, &self.peers, &self.store);
        let drawing = self.ladder(begun);
        self.now = self.now.after(PAUSE);
        Ok((outcome, drawing))
    }

    /// The ladder of the case at hand, which has begun then.
    fn ladder(&self, begun: Millis) -> String {
        let since = |entry: &Entry| Entry {
            at: Millis(entry.at.0 - begun.0),
            ..entry.clone()
        };
        let entries: Vec<Entry> = self.network.tape.entries().iter().map(since).collect();
        ladder_text::draw(&entries)
    }

    /// Runs until nothing is to come any more.
    fn run(&mut self) -> Result<(), Box<dyn Error>> {
        loop {
            self.network.release(self.now)?;
            while let Some(arrived) = self.network.receive()? {
                let (now, network) = (self.now, &mut self.network);
                match arrived.to {
                    Actor::Function => self.function.receive(now, &arrived, network)?,
                    Actor::Store => self.store.receive(now, &arrived.bytes, network),
                    to => {
                        let mut peers = self.peers.iter_mut();
                        if let Some(peer) = peers.find(|peer| peer.me() == to) {
                            peer.receive(now, &arrived.bytes, network);
                        }
                    }
                }
            }
            let Some(next) = self.next_deadline() else {
                return Ok(());
            };
            self.now = self.now.max(next);
            self.tick()?;
        }
    }

    fn tick(&mut self) -> Result<(), Box<dyn Error>> {
        let (now, network) = (self.now, &mut self.network);
        self.function.tick(now, network)?;
        self.store.tick(now, network);
        for peer in &mut self.peers {
            peer.tick(now, network);
            let its = |&(at, who): &(Millis, Actor)| at <= now && who == peer.me();
            if let Some(place) = self.ends.iter().position(its) {
                self.ends.remove(place);
                peer.hang_up(now, network)?;
                self.function.note_bye();
            }
        }
        Ok(())
    }

    fn next_deadline(&self) -> Option<Millis> {
        let own = [
            self.network.next_arrival(),
            self.function.deadline(),
            self.store.deadline(),
        ];
        let peers = self.peers.iter().map(Peer::deadline);
        let ends = self.ends.iter().map(|&(at, _)| Some(at));
        own.into_iter().chain(peers).chain(ends).flatten().min()
    }
}
