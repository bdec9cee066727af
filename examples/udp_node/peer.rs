//! Addresses of peers, and the handles that stand for them.

use std::{fmt, net::SocketAddrV4};

use ims_procedures::drive::TransactionRef;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    Udp,
    Tcp,
}

/// Whom a message came from, or goes to. Over TCP it is the connection with that address at its other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Peer {
    pub transport: Transport,
    pub address: SocketAddrV4,
}

impl Peer {
    pub const fn udp(address: SocketAddrV4) -> Self {
        Self {
            transport: Transport::Udp,
            address,
        }
    }

    pub const fn tcp(address: SocketAddrV4) -> Self {
        Self {
            transport: Transport::Tcp,
            address,
        }
    }

    /// Whether it is whoever is to be found at an address. A connection that was made to us has another port at its end.
    pub fn is_at(self, address: SocketAddrV4) -> bool {
        match self.transport {
            Transport::Udp => self.address == address,
            Transport::Tcp => self.address.ip() == address.ip(),
        }
    }

    /// All of it in one number: 32 bits of address, 16 of port, one of transport.
    pub fn number(self) -> u64 {
        let address = u64::from(u32::from(*self.address.ip()));
        let port = u64::from(self.address.port());
        address << 17 | port << 1 | u64::from(self.transport == Transport::Tcp)
    }

    pub fn of_number(number: u64) -> Option<Self> {
        let address = u32::try_from(number >> 17).ok()?;
        let port = u16::try_from(number >> 1 & 0xffff).ok()?;
        let address = SocketAddrV4::new(address.into(), port);
        Some(match number & 1 {
            0 => Self::udp(address),
            _ => Self::tcp(address),
        })
    }

    /// The handle under which a request of this peer is handed to a node. It is an address and no place in a table:
    /// nothing has to be kept until the answer, or for an answer that is sent again.
    pub fn handle(self) -> TransactionRef {
        TransactionRef(self.number())
    }

    pub fn of_handle(handle: TransactionRef) -> Option<Self> {
        Self::of_number(handle.0)
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let transport = match self.transport {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
        };
        write!(f, "{transport} {}", self.address)
    }
}
