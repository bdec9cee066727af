//! What happened, in order: what the ladder diagrams are drawn from.

use std::collections::{HashMap, HashSet};

use ims_procedures::{
    drive::{Limits, Millis},
    wire::Message,
};

use crate::{
    faults::Fate,
    provisioning::{Actor, set_of, user_of},
    summary::{private_identity, summary},
};

/// One line of the ladder.
#[derive(Clone, Debug)]
pub struct Entry {
    pub at: Millis,
    /// The user it is about, where that is known.
    pub user: Option<usize>,
    pub what: What,
}

#[derive(Clone, Debug)]
pub enum What {
    /// A datagram. A lost one stands where it was sent, any other where it went through the sockets.
    Message {
        from: Actor,
        to: Actor,
        label: String,
        fate: Fate,
        bytes: Vec<u8>,
    },
    /// A question to the HSS, or its answer: no SIP, and no datagram here.
    Exchange {
        from: Actor,
        to: Actor,
        label: String,
    },
    /// Something that happens inside one element.
    Note { by: Actor, label: String },
    /// A new part of the story begins.
    Part(String),
}

/// What a datagram is called, and the user it is about.
#[derive(Clone, Debug)]
pub struct Caption {
    label: String,
    user: Option<usize>,
}

/// The tape.
#[derive(Debug, Default)]
pub struct Tape {
    /// Nothing is to be drawn, and nothing kept: what happens is too much for that.
    pub is_off: bool,
    entries: Vec<Entry>,
    /// Call-IDs seen: their number in the ladder, and the user they are about.
    calls: HashMap<Vec<u8>, (usize, Option<usize>)>,
    sent: HashSet<(Actor, Vec<u8>)>,
    /// The user whose message, answer or timer is being handled.
    current: Option<usize>,
    messages: HashMap<usize, usize>,
}

impl Tape {
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What concerns one user and those who share the set of identities, from the first to the last.
    pub fn about(&self, user: usize) -> Vec<Entry> {
        let concerns = |entry: &&Entry| match entry.user {
            Some(other) => set_of(other) == set_of(user),
            None => true,
        };
        self.entries.iter().filter(concerns).cloned().collect()
    }

    /// Datagrams about this user so far, the lost ones among them.
    pub fn messages(&self, user: usize) -> usize {
        self.messages.get(&user).copied().unwrap_or(0)
    }

    /// The user whom the message about to be handled concerns: what is done for it concerns the same.
    pub fn handling(&mut self, user: Option<usize>) {
        self.current = user;
    }

    /// The user of a message, from its Call-ID, else from its private identity, else the current one.
    pub fn user_of(&self, bytes: &[u8]) -> Option<usize> {
        let message = Message::parse(bytes, &Limits::default()).ok()?;
        let known = message.call_id().ok().and_then(|id| self.calls.get(id));
        known.and_then(|&(_, user)| user).or(self.current)
    }

    /// What a datagram that is being sent is called in the ladder, and whom it is about.
    pub fn caption(&mut self, from: Actor, bytes: &[u8]) -> Caption {
        if self.is_off {
            let (label, user) = (String::new(), None);
            return Caption { label, user };
        }
        let (mut label, user) = match Message::parse(bytes, &Limits::default()) {
            Ok(message) => self.numbered(&message),
            Err(_) => (first_line(bytes), None),
        };
        if !self.sent.insert((from, bytes.to_vec())) {
            label.push_str(" again");
        }
        Caption { label, user }
    }

    /// A summary, and a number for the Call-ID.
    fn numbered(&mut self, message: &Message<'_>) -> (String, Option<usize>) {
        let call_id = message.call_id().unwrap_or_default();
        let next = self.calls.len() + 1;
        let current = self.current;
        let (number, user) = *self.calls.entry(call_id.to_vec()).or_insert_with(|| {
            let named = private_identity(message).and_then(user_of);
            (next, named.or(current))
        });
        (format!("{} #{number}", summary(message)), user)
    }

    /// A datagram that goes through the sockets, or is lost.
    pub fn message(
        &mut self,
        at: Millis,
        (from, to): (Actor, Actor),
        caption: Caption,
        fate: Fate,
        bytes: &[u8],
    ) {
        if self.is_off {
            return;
        }
        let Caption { label, user } = caption;
        if let Some(user) = user {
            *self.messages.entry(user).or_default() += 1;
        }
        let bytes = bytes.to_vec();
        let what = What::Message {
            from,
            to,
            label,
            fate,
            bytes,
        };
        self.entries.push(Entry { at, user, what });
    }

    pub fn exchange(&mut self, at: Millis, from: Actor, to: Actor, label: String) {
        let what = What::Exchange { from, to, label };
        self.push(at, what);
    }

    pub fn note(&mut self, at: Millis, by: Actor, label: String) {
        self.push(at, What::Note { by, label });
    }

    fn push(&mut self, at: Millis, what: What) {
        let user = self.current;
        if !self.is_off {
            self.entries.push(Entry { at, user, what });
        }
    }

    pub fn part(&mut self, at: Millis, title: &str) {
        let what = What::Part(title.to_owned());
        self.entries.push(Entry {
            at,
            user: None,
            what,
        });
    }
}

/// What is not SIP, by its first line.
fn first_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.lines().next().unwrap_or_default().to_owned()
}
