//! One shard: a thread with a node of its own.

use std::{
    collections::VecDeque,
    error::Error,
    net::{SocketAddr, UdpSocket},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender},
    time::{Duration, Instant},
};

use ims_procedures::{
    drive::{
        Answer, Identifiers, Millis, Misuse, Node, Outbox, Output, Source, TransactionRef, Verdict,
    },
    pcscf::{self, Command, Config, Event, Evidence, Outcome, Pcscf, PcscfNode, Ue},
    regevent::subscriber,
    txn::{self, Transactions},
    wire::Element,
};

use crate::users;

/// What comes to a shard.
pub enum Input {
    /// A message that the dispatcher took for one of ours.
    Datagram(Source, Vec<u8>),
    /// A registration, as the proxy of this P-CSCF saw it go through.
    Registered { request: String, response: String },
    /// The access network has lost a UE.
    Lost { contact: String },
    /// The end.
    Stop,
}

/// What a shard tells the rest of the program, by number of the user.
pub enum Report {
    Subscribed(u32),
    Deregistered(u32),
}

/// What a shard has to show at the end.
#[derive(Default)]
pub struct Tally {
    pub deregistered: u64,
    pub notifies: u64,
    pub responses: u64,
    /// Messages that were another shard's, or nobody's.
    strays: u64,
    /// Registrations that ended without the NOTIFY of the S-CSCF.
    unconfirmed: u64,
    left: usize,
    misuse: Option<Misuse>,
}

impl Tally {
    pub fn add(&mut self, other: &Self) {
        self.deregistered += other.deregistered;
    }

    pub fn faults(&self, shard: usize) -> Vec<String> {
        let mut faults = Vec::new();
        if self.strays > 0 {
            faults.push(format!("shard {shard}: {} strays", self.strays));
        }
        if self.unconfirmed > 0 {
            faults.push(format!(
                "shard {shard}: {} without NOTIFY",
                self.unconfirmed
            ));
        }
        if self.left > 0 {
            faults.push(format!("shard {shard}: {} still registered", self.left));
        }
        faults.extend(self.misuse.map(|misuse| format!("shard {shard}: {misuse}")));
        faults
    }
}

/// A node, the transactions around it, and what they need of the world.
pub struct Shard {
    node: Transactions<PcscfNode>,
    outbox: Outbox<Pcscf>,
    socket: UdpSocket,
    home: SocketAddr,
    reports: Sender<Report>,
    started: Instant,
    tally: Tally,
}

impl Shard {
    pub fn new(
        number: u16,
        socket: UdpSocket,
        home: SocketAddr,
        reports: Sender<Report>,
    ) -> Result<Self, Box<dyn Error>> {
        let element = Element::new(users::PCSCF.as_bytes(), users::VISITED.as_bytes())?;
        let mut config = Config::new(element, users::VISITED.as_bytes());
        config.subscription.support_reg_event = true;
        // The seed is secret, and the same for all; the shard keeps their identifiers apart. The incarnation is
        // another one at each start, and for each source of identifiers.
        let identifiers = |incarnation| Identifiers::new([7; 32], incarnation, number);
        let node = PcscfNode::new(config, identifiers(1))?;
        let node = Transactions::new(node, txn::Config::default(), identifiers(2));
        Ok(Self {
            outbox: node.outbox(1),
            node,
            socket,
            home,
            reports,
            started: Instant::now(),
            tally: Tally::default(),
        })
    }

    /// Takes what comes, and lets fire what is due, until it is told to stop.
    pub fn run(&mut self, arrived: &Receiver<Input>) -> Tally {
        loop {
            let taken = match arrived.recv_timeout(self.pause()) {
                Ok(Input::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(input) => self.take(input),
                Err(RecvTimeoutError::Timeout) => self.node.tick(self.now(), &mut self.outbox),
            };
            if let Err(misuse) = taken.and_then(|()| self.attend()) {
                self.tally.misuse = Some(misuse);
                break;
            }
        }
        let (node, txn) = (self.node.node(), self.node.counters());
        self.tally.notifies = node.counters().notifies;
        self.tally.responses = txn.responses_received;
        self.tally.strays += node.counters().notifies_refused + txn.responses_unmatched;
        self.tally.left = node.registrations();
        std::mem::take(&mut self.tally)
    }

    fn now(&self) -> Millis {
        let elapsed = self.started.elapsed().as_millis();
        Millis(u64::try_from(elapsed).unwrap_or(u64::MAX))
    }

    fn pause(&self) -> Duration {
        let until = |(at, _): (Millis, _)| Duration::from_millis(at.since(self.now()));
        self.node.deadline().map_or(Duration::from_secs(1), until)
    }

    fn take(&mut self, input: Input) -> Result<(), Misuse> {
        let now = self.now();
        let verdict = match &input {
            Input::Datagram(source, bytes) => {
                // There is one way back here. A host with more makes a handle of the address.
                let back = TransactionRef(0);
                self.node
                    .receive(now, *source, back, bytes, &mut self.outbox)?
            }
            Input::Registered { request, response } => {
                let command = Command::Learn {
                    request: request.as_bytes(),
                    response: response.as_bytes(),
                    trunk_group: b"",
                };
                self.node.command(now, command, &mut self.outbox)?
            }
            Input::Lost { contact } => {
                let command = Command::AccessLost {
                    ue: Ue::at(contact.as_bytes()),
                    evidence: Evidence::BearerLost,
                };
                self.node.command(now, command, &mut self.outbox)?
            }
            Input::Stop => Verdict::Handled,
        };
        self.tally.strays += u64::from(verdict != Verdict::Handled);
        Ok(())
    }

    /// Does what the node wants done, until it wants nothing more.
    fn attend(&mut self) -> Result<(), Misuse> {
        let mut answers = VecDeque::new();
        loop {
            for output in self.outbox.iter() {
                match output {
                    // All next hops are the home network here. What is lost on the way is sent again.
                    Output::Request { bytes, .. } | Output::Respond { bytes, .. } => {
                        let _ = self.socket.send_to(bytes, self.home);
                    }
                    // Here there is no radio and no policy server, so each step of the cleanup is done at once.
                    Output::Ask { token, .. } => answers.push_back(token),
                    Output::Event(Event::Subscription(subscriber::Event::Subscribed {
                        resource,
                        ..
                    })) => {
                        let user = users::number_in(self.outbox.text(*resource));
                        let _ = self.reports.send(Report::Subscribed(user));
                    }
                    Output::Event(Event::Deregistered {
                        affected, outcome, ..
                    }) => {
                        self.tally.deregistered += 1;
                        self.tally.unconfirmed += u64::from(*outcome != Outcome::Notified);
                        let user = users::number_in(self.outbox.text(affected.contact));
                        let _ = self.reports.send(Report::Deregistered(user));
                    }
                    // Nothing is persisted here, so there is nothing to store.
                    _ => {}
                }
            }
            self.outbox.clear();
            let Some(token) = answers.pop_front() else {
                return Ok(());
            };
            let answer: Answer<'_, Pcscf> = pcscf::Answer::Done.into();
            self.node
                .answer(self.now(), token, answer, &mut self.outbox)?;
        }
    }
}
