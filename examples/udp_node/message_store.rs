//! The message store that a Participating Function records sessions in: how it does is said on the command line.

use std::collections::{HashMap, VecDeque};

use ims_procedures::drive::{Millis, Token};

/// How it does.
#[derive(Clone, Copy)]
enum Manner {
    Stores,
    Fails,
    /// It stores, after so many milliseconds.
    Slow(u64),
}

pub struct MessageStore {
    manner: Manner,
    next: u64,
    /// Whoever asks again with the same key is given the same UID.
    uids: HashMap<String, u64>,
    at_work: VecDeque<(Millis, Token, String)>,
}

impl MessageStore {
    /// Reads `uid=N`, the first UID that it gives; `slow=MS`; or `fail`.
    pub fn read(manner: &str) -> Result<Self, String> {
        let number = |text: &str| {
            let wrong = |_| format!("--store: {text} is no number");
            text.parse().map_err(wrong)
        };
        let (manner, next) = match manner.split_once('=') {
            Some(("uid", first)) => (Manner::Stores, number(first)?),
            Some(("slow", time)) => (Manner::Slow(number(time)?), 1),
            None if manner == "fail" => (Manner::Fails, 1),
            _ => return Err(format!("--store {manner}: none of uid=N, slow=MS, fail")),
        };
        Ok(Self {
            manner,
            next,
            uids: HashMap::new(),
            at_work: VecDeque::new(),
        })
    }

    /// It is asked, and answers later, in the order in which it was asked.
    pub fn ask(&mut self, now: Millis, token: Token, key: String) {
        let takes = match self.manner {
            Manner::Stores | Manner::Fails => 0,
            Manner::Slow(time) => time,
        };
        self.at_work.push_back((now.after(takes), token, key));
    }

    pub fn deadline(&self) -> Option<Millis> {
        self.at_work.front().map(|&(at, ..)| at)
    }

    /// The next answer: a UID, or none if it could not be stored.
    pub fn answer(&mut self, now: Millis) -> Option<(Token, Option<u64>)> {
        self.at_work.front().filter(|(at, ..)| *at <= now)?;
        let (_, token, key) = self.at_work.pop_front()?;
        if matches!(self.manner, Manner::Fails) {
            return Some((token, None));
        }
        let uid = *self.uids.entry(key).or_insert(self.next);
        self.next = self.next.max(uid + 1);
        Some((token, Some(uid)))
    }
}
