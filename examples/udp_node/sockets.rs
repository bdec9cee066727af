//! The sockets: one for datagrams, a listener, and streams with a `Framer` each.
//!
//! The standard library cannot wait for several sockets at once. So the host waits at the socket for datagrams, for a
//! few milliseconds at most, and looks at streams, console and deadlines in between. A host with epoll waits for all of
//! them, until the deadline.

use std::{
    collections::{HashMap, VecDeque},
    io::{self, ErrorKind, Read, Write},
    net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream, UdpSocket},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::{Duration, Instant},
};

use ims_procedures::{
    drive::Limits,
    wire::{Frame, Framer},
};

use crate::peer::{Peer, Transport};

/// How long a wait at the socket is.
const PATIENCE: Duration = Duration::from_millis(4);
/// Datagrams in a row until the streams are looked at.
const DATAGRAMS: u32 = 32;
/// How long a connection may take; what is to be sent on it waits.
const CONNECTING: Duration = Duration::from_secs(2);
/// Connections that are being made at once.
const MOST_CONNECTING: usize = 16;
/// How long whoever sends waits for one: that of a peer nearby is made or refused by then.
const NEARBY: Duration = Duration::from_millis(10);
/// Streams at once, half of the files that a program may have open.
const MOST_STREAMS: usize = 512;
/// Streams at once with which whoever connects is taken: the rest is for connections to the core.
const MOST_ACCEPTED: usize = 448;
/// Streams of one address. A host before which UEs share one has more.
const MOST_OF_ONE: usize = 64;
/// Bytes that a peer may leave unread; past that it is hung up on.
const MOST_UNREAD: usize = 1 << 20;

/// What has come over the sockets.
pub enum Arrival {
    Message {
        from: Peer,
        bytes: Vec<u8>,
    },
    /// A stream was closed, by either side, or could not be made: what was sent there last may be lost.
    Closed(Peer),
}

struct Stream {
    socket: TcpStream,
    framer: Framer,
    /// Received, and not yet a whole message.
    received: Vec<u8>,
    /// To be sent, when the peer reads again.
    unsent: Vec<u8>,
    /// When something came or went last.
    used: Instant,
}

/// What has come of a connection.
type Connected = (SocketAddrV4, io::Result<TcpStream>);

pub struct Sockets {
    datagrams: UdpSocket,
    listener: TcpListener,
    streams: HashMap<SocketAddrV4, Stream>,
    /// What waits for connections that are being made, each by a thread of its own.
    connecting: HashMap<SocketAddrV4, Vec<u8>>,
    connected: (Sender<Connected>, Receiver<Connected>),
    /// After such a silence a stream is closed.
    patience: Duration,
    arrivals: VecDeque<Arrival>,
    /// Datagrams until the streams are looked at.
    until_streams: u32,
    buffer: Vec<u8>,
}

impl Sockets {
    /// Opens both at the same address. A stream is closed after so much silence.
    pub fn open(address: SocketAddrV4, patience: Duration) -> io::Result<Self> {
        let datagrams = UdpSocket::bind(address)?;
        datagrams.set_read_timeout(Some(PATIENCE))?;
        let listener = TcpListener::bind(v4(datagrams.local_addr()?)?)?;
        listener.set_nonblocking(true)?;
        Ok(Self {
            datagrams,
            listener,
            streams: HashMap::new(),
            connecting: HashMap::new(),
            connected: channel(),
            patience,
            arrivals: VecDeque::new(),
            until_streams: DATAGRAMS,
            buffer: vec![0; 65_536],
        })
    }

    pub fn address(&self) -> io::Result<SocketAddrV4> {
        v4(self.datagrams.local_addr()?)
    }

    /// What comes next. `None` if nothing has come for a while.
    pub fn receive(&mut self) -> io::Result<Option<Arrival>> {
        if self.arrivals.is_empty() && self.until_streams == 0 {
            self.look_at_streams();
            self.until_streams = DATAGRAMS;
        }
        if let Some(arrival) = self.arrivals.pop_front() {
            return Ok(Some(arrival));
        }
        self.until_streams -= 1;
        match self.datagrams.recv_from(&mut self.buffer) {
            Ok((length, from)) => {
                let bytes = self.buffer.get(..length).unwrap_or_default();
                Ok(datagram(Peer::udp(v4(from)?), bytes))
            }
            Err(fault) if is_nothing(fault.kind()) => {
                self.until_streams = 0;
                Ok(None)
            }
            Err(fault) => Err(fault),
        }
    }

    /// Sends a message, over TCP on the stream that there is: responses, and what is for UEs, which nobody but they
    /// themselves can connect. An error means that the peer cannot be reached.
    pub fn send(&mut self, to: Peer, bytes: &[u8]) -> io::Result<()> {
        match to.transport {
            Transport::Udp => self.datagrams.send_to(bytes, to.address).map(|_| ()),
            Transport::Tcp => self.send_on_stream(to.address, bytes),
        }
    }

    /// The same, over TCP on a stream that is made where there is none.
    pub fn send_anew(&mut self, to: Peer, bytes: &[u8]) -> io::Result<()> {
        match to.transport == Transport::Udp || self.streams.contains_key(&to.address) {
            true => self.send(to, bytes),
            false => self.connect(to.address, bytes),
        }
    }

    fn send_on_stream(&mut self, to: SocketAddrV4, bytes: &[u8]) -> io::Result<()> {
        let Some(stream) = self.streams.get_mut(&to) else {
            return Err(ErrorKind::NotConnected.into());
        };
        let sent = stream.send(bytes);
        if sent.is_err() {
            self.close(to);
        }
        sent
    }

    /// Sends when there is a connection. Of one that fails later, its end is told.
    fn connect(&mut self, to: SocketAddrV4, bytes: &[u8]) -> io::Result<()> {
        if let Some(waiting) = self.connecting.get_mut(&to) {
            if waiting.len() + bytes.len() > MOST_UNREAD {
                return Err(ErrorKind::TimedOut.into());
            }
            waiting.extend(bytes);
            return Ok(());
        }
        if self.connecting.len() >= MOST_CONNECTING || self.streams.len() >= MOST_STREAMS {
            return Err(ErrorKind::QuotaExceeded.into());
        }
        self.connecting.insert(to, bytes.to_vec());
        let sender = self.connected.0.clone();
        thread::spawn(move || {
            let socket = TcpStream::connect_timeout(&to.into(), CONNECTING);
            sender.send((to, socket))
        });
        if let Ok(connected) = self.connected.1.recv_timeout(NEARBY) {
            self.take_over(connected);
        }
        match self.connecting.contains_key(&to) || self.streams.contains_key(&to) {
            true => Ok(()),
            false => Err(ErrorKind::NotConnected.into()),
        }
    }

    fn take_over(&mut self, (to, socket): Connected) {
        let waiting = self.connecting.remove(&to).unwrap_or_default();
        let made = socket.and_then(Stream::new).and_then(|mut stream| {
            stream.send(&waiting)?;
            Ok(stream)
        });
        match made {
            Ok(stream) => drop(self.streams.insert(to, stream)),
            Err(_) => self.arrivals.push_back(Arrival::Closed(Peer::tcp(to))),
        }
    }

    fn look_at_streams(&mut self) {
        while let Ok(connected) = self.connected.1.try_recv() {
            self.take_over(connected);
        }
        while let Ok((socket, from)) = self.listener.accept() {
            // Whoever is not taken is hung up on.
            let from = v4(from).ok().filter(|from| self.takes(*from.ip()));
            if let (Some(from), Ok(stream)) = (from, Stream::new(socket)) {
                self.streams.insert(from, stream);
            }
        }
        let (buffer, arrivals) = (&mut self.buffer, &mut self.arrivals);
        let mut closed = Vec::new();
        for (&address, stream) in &mut self.streams {
            let open = stream.flush().and_then(|()| stream.receive(buffer));
            let read = stream.take_messages(Peer::tcp(address), arrivals);
            if open.is_err() || read.is_err() || stream.used.elapsed() >= self.patience {
                closed.push(address);
            }
        }
        closed.into_iter().for_each(|address| self.close(address));
    }

    fn takes(&self, ip: Ipv4Addr) -> bool {
        let of_one = self.streams.keys().filter(|it| *it.ip() == ip).count();
        self.streams.len() < MOST_ACCEPTED && of_one < MOST_OF_ONE
    }

    fn close(&mut self, address: SocketAddrV4) {
        if self.streams.remove(&address).is_some() {
            self.arrivals.push_back(Arrival::Closed(Peer::tcp(address)));
        }
    }
}

impl Stream {
    fn new(socket: TcpStream) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        socket.set_nodelay(true)?;
        Ok(Self {
            socket,
            framer: Framer::new(&Limits::default()),
            received: Vec::new(),
            unsent: Vec::new(),
            used: Instant::now(),
        })
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.unsent.len() + bytes.len() > MOST_UNREAD {
            return Err(ErrorKind::TimedOut.into());
        }
        self.unsent.extend(bytes);
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        while !self.unsent.is_empty() {
            match self.socket.write(&self.unsent) {
                Ok(sent) => {
                    self.unsent.drain(..sent);
                    self.used = Instant::now();
                }
                Err(fault) if is_nothing(fault.kind()) => break,
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    }

    /// Reads what one buffer holds, so that no peer keeps the others waiting.
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        match self.socket.read(buffer) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(length) => {
                let bytes = buffer.get(..length).unwrap_or_default();
                self.received.extend(bytes);
                self.used = Instant::now();
                Ok(())
            }
            Err(fault) if is_nothing(fault.kind()) => Ok(()),
            Err(fault) => Err(fault),
        }
    }

    /// Takes out the messages that are whole. An error means that no end of a message can be found any more.
    fn take_messages(&mut self, from: Peer, into: &mut VecDeque<Arrival>) -> io::Result<()> {
        let mut taken = 0;
        loop {
            let rest = self.received.get(taken..).unwrap_or_default();
            let frame = self.framer.next(rest).map_err(io::Error::other)?;
            let bytes = rest.get(..frame.consumed()).unwrap_or_default();
            taken += bytes.len();
            match frame {
                Frame::Message { .. } => into.push_back(Arrival::Message {
                    from,
                    bytes: bytes.to_vec(),
                }),
                // RFC 5626 4.4.1. A peer that did not agree to keep-alives takes it for an empty line.
                Frame::Ping { .. } => self.send(b"\r\n")?,
                Frame::Pong { .. } => {}
                Frame::Incomplete { .. } => break,
            }
        }
        self.received.drain(..taken);
        Ok(())
    }
}

/// A datagram that is a message. Line ends alone keep a way open, and nothing is owed for them over UDP.
fn datagram(from: Peer, bytes: &[u8]) -> Option<Arrival> {
    let is_message = bytes.iter().any(|byte| !b"\r\n\0".contains(byte));
    let bytes = bytes.to_vec();
    is_message.then_some(Arrival::Message { from, bytes })
}

fn is_nothing(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::WouldBlock
            | ErrorKind::TimedOut
            | ErrorKind::Interrupted
            | ErrorKind::ConnectionRefused
    )
}

fn v4(address: SocketAddr) -> io::Result<SocketAddrV4> {
    match address {
        SocketAddr::V4(address) => Ok(address),
        SocketAddr::V6(_) => Err(io::Error::other("an IPv4 socket has an IPv6 address")),
    }
}
