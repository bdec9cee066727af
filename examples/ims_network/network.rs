//! The network: real sockets for each element, and a path between them that takes time and has faults.
//!
//! A message goes over the transport that its topmost Via names, which is what RFC 3261 18 comes to: UDP, or
//! TCP for a request larger than 1,300 bytes and its answer. The faults are those of the path of datagrams;
//! TCP makes them good itself.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    io,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket},
    time::Duration,
};

use ims_procedures::{
    drive::{Limits, Millis},
    wire::Message,
};

use crate::{
    capture::Capture,
    faults::{Fate, Faults},
    provisioning::Actor,
    streams::Streams,
    tape::{Caption, Tape},
};

/// How long the system may take to hand a datagram from one socket to another of the same machine.
pub const LOOPBACK_BOUND: Duration = Duration::from_secs(5);
/// So many messages at most are in the sockets at once, which their buffers have room for.
const IN_FLIGHT: usize = 64;
/// The second copy of a datagram comes so many milliseconds after the first.
const COPY_AFTER: u64 = 35;

/// A message that has arrived.
pub struct Arrived {
    /// Whose socket it came from: told by its source address, not by anything it says.
    pub from: Actor,
    pub to: Actor,
    pub bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transport {
    Udp,
    Tcp,
}

struct Station {
    socket: UdpSocket,
    address: SocketAddrV4,
}

/// A message on its way, not yet handed to the socket.
struct Transit {
    from: Actor,
    to: Actor,
    transport: Transport,
    fate: Fate,
    caption: Caption,
    bytes: Vec<u8>,
}

/// What the network has done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counters {
    pub sent: u64,
    pub lost: u64,
    pub copies: u64,
    pub late: u64,
    pub over_tcp: u64,
}

/// The network.
pub struct Network {
    stations: BTreeMap<Actor, Station>,
    actors: HashMap<SocketAddrV4, Actor>,
    streams: Streams,
    /// What is on its way, by the time at which it arrives, and then in the order of sending.
    transit: BTreeMap<(Millis, u64), Transit>,
    carried: u64,
    /// What the sockets hold: from whom, at whom, over what, in the order of sending.
    in_flight: VecDeque<(Actor, Actor, Transport)>,
    faults: Faults,
    buffer: Vec<u8>,
    pub tape: Tape,
    pub capture: Option<Capture>,
    pub counters: Counters,
}

impl Network {
    pub fn new(faults: Faults, capture: Option<Capture>) -> Self {
        Self {
            stations: BTreeMap::new(),
            actors: HashMap::new(),
            streams: Streams::default(),
            transit: BTreeMap::new(),
            carried: 0,
            in_flight: VecDeque::new(),
            faults,
            buffer: vec![0; 65_536],
            tape: Tape::default(),
            capture,
            counters: Counters::default(),
        }
    }

    /// Gives an element its sockets, on ports that the system chooses. A UE has none for TCP.
    pub fn attach(&mut self, actor: Actor) -> io::Result<()> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_read_timeout(Some(LOOPBACK_BOUND))?;
        let address = v4(socket.local_addr()?)?;
        self.actors.insert(address, actor);
        self.stations.insert(actor, Station { socket, address });
        match actor.has_tcp() {
            true => self.streams.listen(actor),
            false => Ok(()),
        }
    }

    /// Sends a message: it arrives after the time that the path takes, unless it meets a fault.
    pub fn send(&mut self, now: Millis, from: Actor, to: Actor, bytes: &[u8]) {
        self.counters.sent += 1;
        let caption = self.tape.caption(from, bytes);
        let transport = transport_of(bytes);
        let (fate, copy) = match transport {
            Transport::Udp => self.faults.decide(),
            Transport::Tcp => (Fate::Arrives, None),
        };
        let arrival = now.after(from.transit_time(to));
        let mut carry = |at, fate| {
            let (caption, bytes) = (caption.clone(), bytes.to_vec());
            let transit = Transit {
                from,
                to,
                transport,
                fate,
                caption,
                bytes,
            };
            self.carried += 1;
            self.transit.insert((at, self.carried), transit);
        };
        match fate {
            Fate::Lost => {}
            Fate::Late(by) => carry(arrival.after(by), fate),
            Fate::Arrives | Fate::Copy => carry(arrival, fate),
        }
        if let Some(fate) = copy {
            carry(arrival.after(COPY_AFTER), fate);
        }
        self.counters.over_tcp += u64::from(transport == Transport::Tcp);
        self.counters.copies += u64::from(copy.is_some());
        self.counters.late += u64::from(matches!(fate, Fate::Late(_)));
        if fate == Fate::Lost {
            self.counters.lost += 1;
            self.tape.message(now, (from, to), caption, fate, bytes);
        }
    }

    /// When the next message arrives.
    pub fn next_arrival(&self) -> Option<Millis> {
        self.transit.keys().next().map(|&(at, _)| at)
    }

    /// Hands what arrives by now to the sockets. What they have no room for arrives at the same time, but later.
    pub fn release(&mut self, now: Millis) -> io::Result<()> {
        while let Some(entry) = self
            .transit
            .first_entry()
            .filter(|entry| entry.key().0 <= now && self.in_flight.len() < IN_FLIGHT)
        {
            let Transit {
                from,
                to,
                transport,
                fate,
                caption,
                bytes,
            } = entry.remove();
            match transport {
                Transport::Udp => {
                    let (source, target) = (self.station(from)?, self.station(to)?);
                    source.socket.send_to(&bytes, target.address)?;
                    let (source, target) = (source.address, target.address);
                    if let Some(capture) = &mut self.capture {
                        capture.datagram(now, source, target, &bytes)?;
                    }
                }
                Transport::Tcp => {
                    let (source, target) = self.streams.send(from, to, &bytes)?;
                    if let Some(capture) = &mut self.capture {
                        capture.stream(now, source, target, &bytes)?;
                    }
                }
            }
            self.tape.message(now, (from, to), caption, fate, &bytes);
            self.in_flight.push_back((from, to, transport));
        }
        Ok(())
    }

    /// The next message that has arrived at a socket. `None` if nothing is in flight.
    pub fn receive(&mut self) -> io::Result<Option<Arrived>> {
        let Some((from, to, transport)) = self.in_flight.pop_front() else {
            return Ok(None);
        };
        if transport == Transport::Tcp {
            let bytes = self.streams.receive(to, from)?;
            return Ok(Some(Arrived { from, to, bytes }));
        }
        loop {
            let station = self.stations.get(&to).ok_or_else(|| unknown(to))?;
            let (length, source) = station.socket.recv_from(&mut self.buffer)?;
            // Whoever else sends to our ports is not part of this network.
            if let Some(&from) = self.actors.get(&v4(source)?) {
                let bytes = self.buffer.get(..length).unwrap_or_default().to_vec();
                return Ok(Some(Arrived { from, to, bytes }));
            }
        }
    }

    fn station(&self, actor: Actor) -> io::Result<&Station> {
        self.stations.get(&actor).ok_or_else(|| unknown(actor))
    }
}

fn transport_of(bytes: &[u8]) -> Transport {
    let message = Message::parse(bytes, &Limits::default()).ok();
    let via = message.as_ref().and_then(|message| message.via().ok());
    match via {
        Some(via) if via.transport().eq_ignore_ascii_case(b"TCP") => Transport::Tcp,
        _ => Transport::Udp,
    }
}

pub fn v4(address: SocketAddr) -> io::Result<SocketAddrV4> {
    match address {
        SocketAddr::V4(address) => Ok(address),
        SocketAddr::V6(_) => Err(io::Error::other("an IPv4 socket has an IPv6 address")),
    }
}

pub fn unknown(actor: Actor) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("{actor:?} has no socket"))
}
