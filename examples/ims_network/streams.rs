//! TCP between the elements of the core, for what is too large for UDP: one connection for each pair.

use std::{
    collections::BTreeMap,
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream},
};

use ims_procedures::{
    drive::Limits,
    wire::{Frame, Framer},
};

use crate::{
    network::{LOOPBACK_BOUND, unknown, v4},
    provisioning::Actor,
};

/// One end of a connection.
struct End {
    stream: TcpStream,
    framer: Framer,
    /// What has been received and is not yet a whole message.
    received: Vec<u8>,
}

/// The listeners and connections of all elements.
#[derive(Default)]
pub struct Streams {
    listeners: BTreeMap<Actor, TcpListener>,
    /// By whose end it is, and then who is at the other.
    ends: BTreeMap<(Actor, Actor), End>,
}

impl Streams {
    pub fn listen(&mut self, actor: Actor) -> io::Result<()> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        self.listeners.insert(actor, listener);
        Ok(())
    }

    /// Sends a message, over a connection that is made if there is none. Tells the addresses of both ends.
    pub fn send(
        &mut self,
        from: Actor,
        to: Actor,
        bytes: &[u8],
    ) -> io::Result<(SocketAddrV4, SocketAddrV4)> {
        if !self.ends.contains_key(&(from, to)) {
            self.connect(from, to)?;
        }
        let end = self.ends.get_mut(&(from, to)).ok_or_else(|| unknown(to))?;
        end.stream.write_all(bytes)?;
        Ok((v4(end.stream.local_addr()?)?, v4(end.stream.peer_addr()?)?))
    }

    fn connect(&mut self, from: Actor, to: Actor) -> io::Result<()> {
        let listener = self.listeners.get(&to).ok_or_else(|| unknown(to))?;
        let ours = TcpStream::connect(listener.local_addr()?)?;
        let own_address = ours.local_addr()?;
        // Whoever else connects to our ports is not part of this network.
        let theirs = loop {
            let (accepted, peer) = listener.accept()?;
            if peer == own_address {
                break accepted;
            }
        };
        for (key, stream) in [((from, to), ours), ((to, from), theirs)] {
            stream.set_read_timeout(Some(LOOPBACK_BOUND))?;
            stream.set_nodelay(true)?;
            self.ends.insert(
                key,
                End {
                    stream,
                    framer: Framer::new(&Limits::default()),
                    received: Vec::new(),
                },
            );
        }
        Ok(())
    }

    /// Receives the next message at the end of `at` towards `from` (RFC 3261 18.3: Content-Length tells where
    /// it ends).
    pub fn receive(&mut self, at: Actor, from: Actor) -> io::Result<Vec<u8>> {
        let end = self.ends.get_mut(&(at, from)).ok_or_else(|| unknown(at))?;
        let mut chunk = [0; 4_096];
        loop {
            let frame = end.framer.next(&end.received).map_err(io::Error::other)?;
            let rest = end.received.split_off(frame.consumed());
            let consumed = std::mem::replace(&mut end.received, rest);
            match frame {
                Frame::Message { .. } => return Ok(consumed),
                // Nobody in this network has agreed to keep-alives, so none is answered.
                Frame::Ping { .. } | Frame::Pong { .. } => continue,
                Frame::Incomplete { .. } => {}
            }
            let length = end.stream.read(&mut chunk)?;
            if length == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            end.received.extend(chunk.get(..length).unwrap_or_default());
        }
    }
}
