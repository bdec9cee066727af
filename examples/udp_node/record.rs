//! What went over the sockets, as a capture and as a ladder.

use std::{
    collections::HashMap,
    fs,
    io::{self, Error},
    net::SocketAddrV4,
    path::{Path, PathBuf},
};

use ims_procedures::{
    drive::{Limits, Millis},
    wire::Message,
};

use crate::{
    capture::Capture,
    ladder_html::{Heading, Mark, Row, Shown, page},
    peer::{Peer, Transport},
    summary::summary,
};

/// Lines of a ladder; what comes after them is not drawn.
const MOST_ROWS: usize = 5_000;
/// Columns of a ladder; whoever comes later shares the last one.
const MOST_COLUMNS: usize = 7;

const LEGEND: &str = "Time in seconds since the start. #1, #2… number the Call-IDs. Open an arrow to read its message.";

/// The capture, the ladder, or neither.
pub struct Record {
    own: SocketAddrV4,
    capture: Option<Capture>,
    ladder: Option<Ladder>,
}

impl Record {
    pub fn new(
        own: SocketAddrV4,
        name: &str,
        now: Millis,
        capture: Option<&Path>,
        ladder: Option<PathBuf>,
    ) -> io::Result<Self> {
        Ok(Self {
            own,
            capture: capture.map(Capture::create).transpose()?,
            ladder: ladder.map(|path| Ladder::new(path, format!("{name} {own}"), now)),
        })
    }

    /// A message has come, as it came.
    pub fn received(&mut self, now: Millis, from: Peer, bytes: &[u8]) -> io::Result<()> {
        self.add(now, from, (from.address, self.own), bytes)
    }

    pub fn sent(&mut self, now: Millis, to: Peer, bytes: &[u8]) -> io::Result<()> {
        self.add(now, to, (self.own, to.address), bytes)
    }

    fn add(
        &mut self,
        now: Millis,
        peer: Peer,
        (from, to): (SocketAddrV4, SocketAddrV4),
        bytes: &[u8],
    ) -> io::Result<()> {
        if let Some(capture) = &mut self.capture {
            match peer.transport {
                Transport::Udp => capture.datagram(now, from, to, bytes)?,
                Transport::Tcp => capture.stream(now, from, to, bytes)?,
            }
        }
        if let Some(ladder) = &mut self.ladder {
            ladder.message(now, peer, from == peer.address, bytes);
        }
        Ok(())
    }

    /// Something has happened in the element itself.
    pub fn note(&mut self, now: Millis, label: &str) {
        if let Some(ladder) = &mut self.ladder {
            let label = label.to_owned();
            ladder.row(now, Shown::Note { at: 0, label });
        }
    }

    /// Writes out what is there, for whoever looks while the element runs, or after it was killed.
    pub fn flush(&mut self) -> io::Result<()> {
        self.capture.as_mut().map_or(Ok(()), Capture::flush)
    }

    pub fn finish(mut self) -> io::Result<()> {
        if let Some(capture) = self.capture.take() {
            capture.finish()?;
        }
        self.ladder.map_or(Ok(()), Ladder::finish)
    }
}

/// A ladder: the element, and its peers in the order in which they were met.
struct Ladder {
    path: PathBuf,
    start: Millis,
    columns: Vec<String>,
    peers: HashMap<Peer, usize>,
    calls: HashMap<Vec<u8>, usize>,
    rows: Vec<Row>,
    left_out: usize,
}

impl Ladder {
    fn new(path: PathBuf, name: String, start: Millis) -> Self {
        Self {
            path,
            start,
            columns: vec![name],
            peers: HashMap::new(),
            calls: HashMap::new(),
            rows: Vec::new(),
            left_out: 0,
        }
    }

    fn message(&mut self, now: Millis, peer: Peer, is_incoming: bool, bytes: &[u8]) {
        if self.is_full() {
            return;
        }
        let other = self.column(peer);
        let (from, to) = if is_incoming { (other, 0) } else { (0, other) };
        let label = self.label(bytes);
        let bytes = Some(bytes.to_vec());
        let what = Shown::Arrow {
            from,
            to,
            mark: Mark::Plain,
            label,
            bytes,
        };
        self.row(now, what);
    }

    fn row(&mut self, now: Millis, what: Shown) {
        if self.is_full() {
            return;
        }
        let since = now.since(self.start);
        let time = format!("{}.{:03}", since / 1_000, since % 1_000);
        self.rows.push(Row { time, what });
    }

    /// Counts what is left out.
    fn is_full(&mut self) -> bool {
        let is_full = self.rows.len() >= MOST_ROWS;
        self.left_out += usize::from(is_full);
        is_full
    }

    fn column(&mut self, peer: Peer) -> usize {
        if let Some(&column) = self.peers.get(&peer) {
            return column;
        }
        match self.columns.len() {
            MOST_COLUMNS => self.columns.push("others".to_owned()),
            known if known < MOST_COLUMNS => self.columns.push(peer.to_string()),
            _ => {}
        }
        let column = self.columns.len() - 1;
        self.peers.insert(peer, column);
        column
    }

    fn label(&mut self, bytes: &[u8]) -> String {
        let Ok(message) = Message::parse(bytes, &Limits::default()) else {
            return "no SIP".to_owned();
        };
        let next = self.calls.len() + 1;
        let call_id = message.call_id().unwrap_or_default().to_vec();
        let number = self.calls.entry(call_id).or_insert(next);
        format!("{} #{number}", summary(&message))
    }

    fn finish(self) -> io::Result<()> {
        let apart = 88 / self.columns.len().max(2).saturating_sub(1) as u32;
        let places = (0..).map(|column| 6 + column * apart);
        let columns: Vec<(String, u32)> = self.columns.into_iter().zip(places).collect();
        let text = match self.left_out {
            0 => String::new(),
            left_out => format!("The first {MOST_ROWS} lines; {left_out} more are left out."),
        };
        let title = columns.first().map_or("", |(name, _)| name);
        let heading = Heading {
            title,
            text: &text,
            legend: LEGEND,
            columns: &columns,
        };
        let at = |fault: Error| Error::other(format!("{}: {fault}", self.path.display()));
        fs::write(&self.path, page(&heading, &self.rows, "")).map_err(at)
    }
}
