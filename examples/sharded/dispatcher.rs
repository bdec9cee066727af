//! Which shard a message belongs to.

use std::{
    collections::HashMap,
    net::{SocketAddr, UdpSocket},
    num::NonZeroU16,
    sync::{
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc::Sender,
    },
};

use ims_procedures::{
    drive::Source,
    wire::{Affinity, affinity},
};

use crate::{shard::Input, users};

/// The way into each shard.
#[derive(Clone)]
pub struct Inboxes {
    inboxes: Vec<Sender<Input>>,
    shards: NonZeroU16,
}

impl Inboxes {
    pub fn new(inboxes: Vec<Sender<Input>>, shards: NonZeroU16) -> Self {
        Self { inboxes, shards }
    }

    pub fn all(&self) -> impl Iterator<Item = &Sender<Input>> {
        self.inboxes.iter()
    }

    /// Hands something to a shard. One that has ended takes nothing any more, and the check at the end tells.
    pub fn send(&self, shard: u16, input: Input) {
        let _ = self.inboxes[usize::from(shard)].send(input);
    }
}

/// What the dispatcher has seen.
#[derive(Default)]
pub struct Dispatched {
    pub datagrams: u64,
    /// Those that name their shard.
    pub by_identifier: u64,
}

/// The dispatcher: reads the socket, and nothing of a message but what leads it to its shard. It shares nothing
/// with anyone.
pub fn run(
    socket: &UdpSocket,
    home: SocketAddr,
    inboxes: &Inboxes,
    is_over: &AtomicBool,
) -> Dispatched {
    let mut dispatched = Dispatched::default();
    let mut buffer = vec![0; 65_535];
    while !is_over.load(Relaxed) {
        // A time-out, to see whether it is over.
        let Ok((length, from)) = socket.recv_from(&mut buffer) else {
            continue;
        };
        let bytes = &buffer[..length];
        // From what the sockets tell, never from what the message says.
        let source = match from == home {
            true => Source::TrustedCore,
            false => Source::Unknown,
        };
        let affinity = affinity(bytes);
        dispatched.datagrams += 1;
        dispatched.by_identifier += u64::from(matches!(affinity, Some(Affinity::Shard(_))));
        // What belongs to nobody may be refused by anybody.
        let shard = affinity.map_or(0, |affinity| affinity.of(inboxes.shards));
        inboxes.send(shard, Input::Datagram(source, bytes.to_vec()));
    }
    dispatched
}

/// Which public identities are aliases of one set: known to who sees the 200 of their registration, and asked for
/// REGISTERs alone, as all else names its shard. A host with several readers shares this table among them.
pub struct Aliases {
    shards: NonZeroU16,
    shard_of: HashMap<Affinity, u16>,
    /// REGISTERs that would have gone astray without the table.
    pub used: u64,
}

impl Aliases {
    pub fn new(inboxes: &Inboxes) -> Self {
        Self {
            shards: inboxes.shards,
            shard_of: HashMap::new(),
            used: 0,
        }
    }

    /// The shard of a REGISTER: where the set of its To is, or where its To leads the first time.
    pub fn shard_of(&mut self, register: &[u8]) -> Option<u16> {
        let affinity = affinity(register)?;
        let own = affinity.of(self.shards);
        let shard = self.shard_of.get(&affinity).copied().unwrap_or(own);
        self.used += u64::from(shard != own);
        Some(shard)
    }

    /// The identities of P-Associated-URI are aliases of one another.
    pub fn learn(&mut self, identities: &[String], shard: u16) {
        for identity in identities {
            // The place of an identity is that of a REGISTER for it.
            if let Some(affinity) = affinity(users::to_of_register(identity).as_bytes()) {
                if affinity.of(self.shards) != shard {
                    self.shard_of.insert(affinity, shard);
                }
            }
        }
    }
}
