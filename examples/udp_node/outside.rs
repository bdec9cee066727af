//! What is outside of a node: sockets, names, the console, and the record of it all.

use std::{io, net::SocketAddrV4};

use ims_procedures::drive::Millis;
use serde_json::{Value, json};

use crate::{
    audit::Audits,
    console::Console,
    names::Names,
    peer::Peer,
    record::Record,
    sockets::{Arrival, Sockets},
};

pub struct Outside {
    sockets: Sockets,
    names: Names,
    console: Console,
    record: Record,
    audits: Option<Audits>,
    is_quiet: bool,
    /// What went wrong in recording; the element goes on until it is asked.
    fault: Option<io::Error>,
}

impl Outside {
    pub fn new(sockets: Sockets, names: Names, record: Record, is_quiet: bool) -> Self {
        Self {
            sockets,
            names,
            console: Console::new(),
            record,
            audits: None,
            is_quiet,
            fault: None,
        }
    }

    /// From now on records for an audit are kept there.
    pub fn keep_audits(&mut self, audits: Audits) {
        self.audits = Some(audits);
    }

    /// Keeps one. Where that fails, it is told instead, at once and always: what ended has ended all the same.
    pub fn audit(&mut self, line: &Value) {
        if let Some(Err(fault)) = self.audits.as_mut().map(|audits| audits.add(line)) {
            let why = fault.to_string();
            self.reply(&json!({"event": "audit_failed", "why": why, "record": line}));
        }
    }

    /// What comes next. `None` if nothing has come for a while: then there is time to write out what was recorded.
    pub fn receive(&mut self, now: Millis) -> io::Result<Option<Arrival>> {
        let arrival = self.sockets.receive()?;
        match &arrival {
            Some(Arrival::Message { from, bytes }) => self.record.received(now, *from, bytes)?,
            Some(Arrival::Closed(_)) => {}
            None => self.flush()?,
        }
        match self.fault.take() {
            Some(fault) => Err(fault),
            None => Ok(arrival),
        }
    }

    /// Sends a message back, or to a UE: over TCP on the connection that there is. Whether the peer can be reached, as far as
    /// can be told at once.
    pub fn send(&mut self, now: Millis, to: Peer, bytes: &[u8]) -> bool {
        let sent = self.sockets.send(to, bytes);
        self.note_sent(now, to, bytes, sent)
    }

    /// Sends a request to another element: over TCP it is connected, where it is not.
    pub fn send_on(&mut self, now: Millis, to: Peer, bytes: &[u8]) -> bool {
        let sent = self.sockets.send_anew(to, bytes);
        self.note_sent(now, to, bytes, sent)
    }

    fn note_sent(&mut self, now: Millis, to: Peer, bytes: &[u8], sent: io::Result<()>) -> bool {
        if sent.is_err() {
            return false;
        }
        if let Err(fault) = self.record.sent(now, to, bytes) {
            self.fault = Some(fault);
        }
        true
    }

    /// Where a SIP URI leads.
    pub fn resolve(&self, uri: &[u8]) -> Option<SocketAddrV4> {
        self.names.resolve(uri)
    }

    /// Sends a request to where a SIP URI leads, over the transport that its topmost Via names.
    pub fn send_to_uri(&mut self, now: Millis, uri: &[u8], over_tcp: bool, bytes: &[u8]) -> bool {
        let Some(address) = self.names.resolve(uri) else {
            return false;
        };
        let peer = match over_tcp {
            true => Peer::tcp(address),
            false => Peer::udp(address),
        };
        self.send_on(now, peer, bytes)
    }

    /// Reports something that has happened.
    pub fn report(&mut self, now: Millis, event: &Value) {
        self.record.note(now, &headline(event));
        if !self.is_quiet {
            self.console.report(event);
        }
    }

    /// Answers a command: that is seen at once, and always.
    pub fn reply(&mut self, reply: &Value) {
        self.console.report(reply);
        self.console.flush();
    }

    pub fn flush(&mut self) -> io::Result<()> {
        self.console.flush();
        self.record.flush()
    }

    /// Writes what is left to write.
    pub fn finish(mut self) -> io::Result<()> {
        self.console.flush();
        self.record.finish()
    }
}

/// An event in a few words: its name, and whom it is about.
fn headline(event: &Value) -> String {
    let words = ["event", "public_identity", "contact", "outcome", "cause"];
    let found = words.iter().filter_map(|word| event.get(word)?.as_str());
    found.collect::<Vec<_>>().join(" ")
}
