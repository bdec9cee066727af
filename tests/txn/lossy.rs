//! A re-INVITE whose messages are lost, doubled, late and out of order.

use ims_procedures::{
    drive::{Limits, Verdict},
    txn::Config,
    wire::Message,
};
use proptest::prelude::*;

use crate::{
    bed::{Out, response_text},
    invite::{sent, status, text},
};

/// The other end of a re-INVITE, as RFC 3261 17.2.1 and 13.3.1.4 have it: it answers so much later, and sends its final
/// response again until an ACK comes, for 64·T1.
struct Peer {
    provisional: Option<(u64, u16)>,
    last: (u64, u16),
    came_at: Option<u64>,
    request: String,
    /// When the final response goes out again, and the interval.
    again: Option<(u64, u64)>,
    answered_at: Option<u64>,
}

impl Peer {
    fn receive(&mut self, now: u64, message: &str) -> Vec<String> {
        let is_ack = message.starts_with("ACK ");
        if is_ack {
            self.again = None;
            let is_success = message == text("success_ack");
            assert_eq!(is_success, (200..300).contains(&self.last.1), "{message}");
            return Vec::new();
        }
        if self.came_at.is_none() {
            self.came_at = Some(now);
            self.request = message.to_owned();
        } else if self.answered_at.is_some() && self.last.1 >= 300 {
            return vec![response_text(&self.request, self.last.1)];
        }
        Vec::new()
    }

    fn deadline(&self) -> Option<u64> {
        let came_at = self.came_at?;
        let provisional = self.provisional.map(|(after, _)| came_at + after);
        let last = self.answered_at.is_none().then_some(came_at + self.last.0);
        let again = self.again.map(|(at, _)| at);
        [provisional, last, again].into_iter().flatten().min()
    }

    fn tick(&mut self, now: u64) -> Vec<String> {
        let came_at = self.came_at.unwrap();
        let mut sent = Vec::new();
        if let Some((_, status)) = self
            .provisional
            .take_if(|(after, _)| came_at + *after <= now)
        {
            sent.push(response_text(&self.request, status));
        }
        if self.answered_at.is_none() && came_at + self.last.0 <= now {
            self.answered_at = Some(now);
            self.again = Some((now, 250));
        }
        if let Some((_, interval)) = self.again.filter(|(at, _)| *at <= now) {
            sent.push(response_text(&self.request, self.last.1));
            let next = (interval * 2).min(4_000);
            let ends_at = self.answered_at.unwrap() + 32_000;
            self.again = Some((now + next, next)).filter(|(at, _)| *at < ends_at);
        }
        sent
    }
}

fn is_final(text: &str) -> bool {
    let message = Message::parse(text.as_bytes(), &Limits::default()).unwrap();
    message.status().is_some_and(|status| status >= 200)
}

proptest! {
    /// [RFC 3261 17.1.1] Whatever the network loses, doubles, delays or reorders: the node has exactly one answer, which is
    /// the final response of its peer, or that none came; each final response that arrives is acknowledged once, as its
    /// kind wants it; nothing is left in the end.
    #[test]
    fn answered_once_and_always_acknowledged(
        fates in proptest::collection::vec((0u64..=3, 0u64..400), 1..40),
        provisional in proptest::option::of((0u64..9_000, prop::sample::select(vec![100u16, 183]))),
        last in (0u64..60_000, prop::sample::select(vec![200u16, 202, 302, 486, 491, 503])),
    ) {
        let (mut host, first) = sent(Config::default(), 1);
        let mut peer = Peer {
            provisional,
            last,
            came_at: None,
            request: String::new(),
            again: None,
            answered_at: None,
        };
        let mut number = 0;
        let mut wire: Vec<(u64, bool, String)> = Vec::new();
        let mut carry = |wire: &mut Vec<_>, now: u64, to_peer: bool, text: &str| {
            let (copies, delay) = fates[number % fates.len()];
            number += 1;
            wire.extend((0..copies).map(|copy| (now + delay + copy * 20, to_peer, text.to_owned())));
        };
        carry(&mut wire, 0, true, first.bytes());
        let mut now = 0;
        loop {
            let arrival = wire.iter().map(|datagram| datagram.0).min();
            let deadlines = [host.deadline().map(|(at, _)| at), peer.deadline(), arrival];
            let Some(next) = deadlines.into_iter().flatten().min() else {
                break;
            };
            now = next.max(now);
            host.now = now;
            let mut sent = Vec::new();
            if let Some(found) = wire.iter().position(|datagram| datagram.0 <= now) {
                let (_, to_peer, text) = wire.remove(found);
                if to_peer {
                    sent.extend(peer.receive(now, &text).into_iter().map(|text| (false, text)));
                } else {
                    let (verdict, outs) = host.receive(&text);
                    let acks = outs.iter().filter(|out| matches!(out, Out::Acknowledge { .. })).count();
                    // Once a peer that has rung was given up, its 2xx is too late.
                    let is_absorbed = last.1 < 300 && host.answers()[..].first().is_some_and(|(_, what)| what == "timeout");
                    let is_due = verdict == Verdict::Handled && is_final(&text) && !is_absorbed;
                    prop_assert_eq!(acks, usize::from(is_due));
                    sent.extend(outs.iter().map(|out| (true, out.bytes().to_owned())));
                }
            } else if peer.deadline().is_some_and(|at| at <= now) {
                sent.extend(peer.tick(now).into_iter().map(|text| (false, text)));
            } else {
                sent.extend(host.tick().iter().map(|out| (true, out.bytes().to_owned())));
            }
            for (to_peer, text) in sent.iter().filter(|(_, text)| !text.is_empty()) {
                carry(&mut wire, now, *to_peer, text);
            }
        }
        let answers = host.answers();
        prop_assert_eq!(answers.len(), 1);
        let (token, what) = &answers[0];
        prop_assert_eq!(*token, first.token());
        let status = format!("SIP/2.0 {} ", last.1);
        prop_assert!(what == "timeout" || what.starts_with(&status), "{}", what);
        prop_assert_eq!(host.txn.transactions(), 0);
    }

    /// [RFC 3261 17.1.1.2] [RFC 6026 8.4] Responses in any order: the first final one is the node's, those of its kind are
    /// acknowledged, each once, and the others absorbed.
    #[test]
    fn the_first_final_response_decides(
        statuses in proptest::collection::vec((0u64..900, prop::sample::select(vec![100u16, 180, 200, 202, 404, 487, 503])), 1..30),
    ) {
        let (mut host, first) = sent(Config::default(), 1);
        let mut decided = None;
        for (step, code) in statuses {
            host.run(host.now + step);
            let (verdict, outs) = host.receive(&status(code));
            prop_assert_eq!(verdict, Verdict::Handled);
            let is_refusal = code >= 300;
            let is_first = decided.is_none() && code >= 200;
            if is_first {
                decided = Some(code);
            }
            let is_acknowledged = code >= 200 && decided.is_some_and(|code| (code >= 300) == is_refusal);
            let mut expected = Vec::new();
            if is_acknowledged {
                expected.push("ACK ");
            }
            if is_first {
                expected.push("");
            }
            let came: Vec<&str> = outs.iter().map(|out| out.bytes().get(..4).unwrap_or_default()).collect();
            prop_assert_eq!(came, expected);
        }
        host.run(500_000);
        let answers = host.answers();
        prop_assert_eq!(answers.len(), 1);
        prop_assert_eq!(answers[0].0, first.token());
        let what = decided.map_or("timeout".to_owned(), |code| format!("SIP/2.0 {code} "));
        prop_assert!(answers[0].1.starts_with(&what));
        prop_assert_eq!(host.txn.transactions(), 0);
    }
}
