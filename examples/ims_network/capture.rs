//! A capture of what went over the sockets: classic pcap, raw IPv4, the true ports, virtual time.
//!
//! Headers are made here, since a program does not see those of the system. UDP has exactly one packet for
//! each datagram. TCP is shown as the shortest exchange that carries the same bytes on the same connection.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufWriter, Write},
    net::SocketAddrV4,
    path::Path,
};

use ims_procedures::drive::Millis;

/// LINKTYPE_RAW: each packet begins with its IP header.
const LINKTYPE_RAW: u32 = 101;
const IPV4_HEADER: usize = 20;
/// Bytes that a TCP segment carries: what an Ethernet frame leaves room for.
const SEGMENT: usize = 1_460;
const UDP: u8 = 17;
const TCP: u8 = 6;
const SYN: u8 = 0x02;
const PUSH: u8 = 0x08;
const ACK: u8 = 0x10;

/// A capture file that is being written.
pub struct Capture {
    file: BufWriter<File>,
    packets: u16,
    /// The next sequence number of each direction of each TCP connection.
    sequences: HashMap<(SocketAddrV4, SocketAddrV4), u32>,
}

impl Capture {
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut file = BufWriter::new(File::create(path)?);
        file.write_all(&0xa1b2_c3d4_u32.to_le_bytes())?; // microseconds, this byte order
        file.write_all(&2u16.to_le_bytes())?; // version 2.4
        file.write_all(&4u16.to_le_bytes())?;
        file.write_all(&[0; 8])?; // time zone and accuracy: always 0
        file.write_all(&65_535u32.to_le_bytes())?; // longest packet
        file.write_all(&LINKTYPE_RAW.to_le_bytes())?;
        Ok(Self {
            file,
            packets: 0,
            sequences: HashMap::new(),
        })
    }

    /// Adds a datagram (RFC 768), sent at `now`.
    pub fn datagram(
        &mut self,
        now: Millis,
        from: SocketAddrV4,
        to: SocketAddrV4,
        payload: &[u8],
    ) -> io::Result<()> {
        let mut datagram = ports(from, to);
        let length = u16::try_from(8 + payload.len()).map_err(io::Error::other)?;
        datagram.extend(length.to_be_bytes());
        datagram.extend([0, 0]); // room for the checksum
        datagram.extend(payload);
        let sum = match transport_checksum(UDP, from, to, &datagram) {
            0 => 0xffff, // 0 would mean that there is none
            sum => sum,
        };
        datagram[6..8].copy_from_slice(&sum.to_be_bytes());
        self.packet(now, UDP, from, to, &datagram)
    }

    /// Adds a message on a TCP connection (RFC 9293), sent at `now`; the handshake before the first one.
    pub fn stream(
        &mut self,
        now: Millis,
        from: SocketAddrV4,
        to: SocketAddrV4,
        payload: &[u8],
    ) -> io::Result<()> {
        if !self.sequences.contains_key(&(from, to)) {
            self.segment(now, from, to, SYN, &[])?;
            self.segment(now, to, from, SYN | ACK, &[])?;
            self.segment(now, from, to, ACK, &[])?;
        }
        let mut pieces = payload.chunks(SEGMENT).peekable();
        while let Some(piece) = pieces.next() {
            let flags = if pieces.peek().is_none() {
                PUSH | ACK
            } else {
                ACK
            };
            self.segment(now, from, to, flags, piece)?;
        }
        self.segment(now, to, from, ACK, &[])
    }

    fn segment(
        &mut self,
        now: Millis,
        from: SocketAddrV4,
        to: SocketAddrV4,
        flags: u8,
        payload: &[u8],
    ) -> io::Result<()> {
        let acknowledged = self.sequences.get(&(to, from)).copied().unwrap_or(0);
        let sequence = self.sequences.entry((from, to)).or_insert(1_000);
        let mut segment = ports(from, to);
        segment.extend(sequence.to_be_bytes());
        segment.extend(if flags & ACK == 0 { 0 } else { acknowledged }.to_be_bytes());
        segment.extend([5 << 4, flags]); // five words of header
        segment.extend(0xffff_u16.to_be_bytes()); // window
        segment.extend([0; 4]); // room for the checksum; no urgent data
        segment.extend(payload);
        let taken = payload.len() as u32 + u32::from(flags & SYN != 0);
        *sequence = sequence.wrapping_add(taken);
        let sum = transport_checksum(TCP, from, to, &segment);
        segment[16..18].copy_from_slice(&sum.to_be_bytes());
        self.packet(now, TCP, from, to, &segment)
    }

    /// Adds an IPv4 packet (RFC 791).
    fn packet(
        &mut self,
        now: Millis,
        protocol: u8,
        from: SocketAddrV4,
        to: SocketAddrV4,
        content: &[u8],
    ) -> io::Result<()> {
        self.packets = self.packets.wrapping_add(1);
        let length = u16::try_from(IPV4_HEADER + content.len()).map_err(io::Error::other)?;
        let mut packet = vec![0x45, 0]; // version 4, five words of header; no service class
        packet.extend(length.to_be_bytes());
        packet.extend(self.packets.to_be_bytes());
        packet.extend([0x40, 0]); // do not fragment
        packet.extend([64, protocol, 0, 0]); // time to live, protocol, room for the checksum
        packet.extend(from.ip().octets());
        packet.extend(to.ip().octets());
        let sum = checksum(&packet);
        packet[10..12].copy_from_slice(&sum.to_be_bytes());
        packet.extend(content);

        let seconds = u32::try_from(now.0 / 1_000).map_err(io::Error::other)?;
        let microseconds = (now.0 % 1_000) as u32 * 1_000;
        for field in [seconds, microseconds, u32::from(length), u32::from(length)] {
            self.file.write_all(&field.to_le_bytes())?;
        }
        self.file.write_all(&packet)
    }

    /// Writes out what has been added so far.
    pub fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }

    pub fn finish(mut self) -> io::Result<()> {
        self.flush()
    }
}

fn ports(from: SocketAddrV4, to: SocketAddrV4) -> Vec<u8> {
    [from.port().to_be_bytes(), to.port().to_be_bytes()].concat()
}

/// The checksum over the pseudo header and what follows it.
fn transport_checksum(protocol: u8, from: SocketAddrV4, to: SocketAddrV4, content: &[u8]) -> u16 {
    let mut summed = [from.ip().octets(), to.ip().octets()].concat();
    summed.extend([0, protocol]);
    summed.extend((content.len() as u16).to_be_bytes());
    summed.extend(content);
    checksum(&summed)
}

/// The Internet checksum (RFC 1071).
fn checksum(bytes: &[u8]) -> u16 {
    let mut sum = 0u32;
    for pair in bytes.chunks(2) {
        let word = u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]);
        sum += u32::from(word);
    }
    while sum > 0xffff {
        sum = (sum >> 16) + (sum & 0xffff);
    }
    !(sum as u16)
}
