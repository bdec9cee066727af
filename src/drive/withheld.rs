//! Outputs that wait until something else is safe.

use alloc::{boxed::Box, collections::VecDeque, vec::Vec};

use super::{Outbox, Text, WithheldRole, outbox::Entry};

/// Outputs that were taken out of one outbox, to be put into another later, in order.
pub(crate) struct Withheld<R: WithheldRole> {
    kept: VecDeque<Kept<R>>,
    bytes: Vec<u8>,
}

struct Kept<R: WithheldRole> {
    entry: Entry<R>,
    /// What is stored of an event that must not be lost.
    outcome: Option<Box<[u8]>>,
    /// Whether it is the last that was put out in a turn.
    ends_turn: bool,
}

impl<R: WithheldRole> Default for Withheld<R> {
    fn default() -> Self {
        Self {
            kept: VecDeque::new(),
            bytes: Vec::new(),
        }
    }
}

impl<R: WithheldRole> Withheld<R> {
    pub(crate) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// What is stored of the events that must not be lost.
    pub(crate) fn outcomes(&self) -> impl Iterator<Item = &[u8]> {
        self.kept.iter().filter_map(|kept| kept.outcome.as_deref())
    }

    /// Adds an output of `from`. `false` if it is a message that would exceed `limit` bytes, and is not added: it
    /// is lost, as messages are. Questions and events are always added.
    pub(crate) fn push(
        &mut self,
        from: &Outbox<R>,
        number: usize,
        outcome: Option<Vec<u8>>,
        limit: usize,
    ) -> bool {
        let Some(entry) = from.entry(number) else {
            return true;
        };
        if entry.is_message() && self.bytes.len().saturating_add(entry.length()) > limit {
            return false;
        }
        let kept = Kept {
            entry: entry.clone(),
            outcome: outcome.map(Vec::into_boxed_slice),
            ends_turn: false,
        };
        self.add(kept, |text| from.text(text));
        true
    }

    /// A turn ends with what was added last, if that is more than an event.
    pub(crate) fn end_turn(&mut self) -> bool {
        let is_more = |kept: &&mut Kept<R>| !kept.entry.is_event();
        let last = self.kept.back_mut().filter(is_more);
        last.map(|kept| kept.ends_turn = true).is_some()
    }

    /// Adds all that another one holds.
    pub(crate) fn append(&mut self, other: Self) {
        if self.is_empty() {
            *self = other;
            return;
        }
        for kept in other.kept {
            self.add(kept, |text| text.of(&other.bytes));
        }
    }

    fn add<'t>(&mut self, mut kept: Kept<R>, said: impl Fn(Text) -> &'t [u8]) {
        let bytes = &mut self.bytes;
        kept.entry.each_text(&mut |text| {
            let start = bytes.len();
            bytes.extend_from_slice(said(*text));
            *text = Text::between(start, bytes.len());
        });
        self.kept.push_back(kept);
    }

    /// Puts as many as fit into an outbox that has room for one step; whether a turn ends with one of them.
    pub(crate) fn release(&mut self, out: &mut Outbox<R>) -> bool {
        let mut ends_turn = false;
        let (mut outputs, mut room) = (R::STEP_OUTPUTS, R::STEP_BYTES);
        while let Some(kept) = self.kept.front() {
            let length = kept.entry.length();
            if outputs == 0 || length > room {
                return ends_turn;
            }
            outputs = outputs.saturating_sub(1);
            room = room.saturating_sub(length);
            if let Some(mut kept) = self.kept.pop_front() {
                ends_turn |= kept.ends_turn;
                let bytes = &self.bytes;
                kept.entry
                    .each_text(&mut |text| *text = out.put_text(text.of(bytes)));
                out.adopt(kept.entry);
            }
        }
        self.bytes = Vec::new();
        ends_turn
    }
}

#[cfg(test)]
mod tests {
    use super::{Outbox, Text, Vec, Withheld};
    use crate::drive::{Identifiers, Output, Role, Texts, UDP_LIMIT};

    #[derive(Debug)]
    struct Probe;

    impl Role for Probe {
        type Command<'a> = ();
        type Question = Text;
        type Answer<'a> = ();
        type Event = Text;
        const STEP_OUTPUTS: usize = 2;
        const STEP_BYTES: usize = 40;
    }

    impl Texts for Text {
        fn each_text(&mut self, show: &mut dyn FnMut(&mut Text)) {
            show(self);
        }
    }

    /// [DR-7] An ACK that was withheld says the same when it is let go, and is a message: lost past the limit.
    #[test]
    fn an_ack_is_withheld() {
        let token = Identifiers::new([7; 32], 1, 0).token(1);
        let mut from = Outbox::<Probe>::for_steps(1);
        let text = from.put_text(b"about");
        from.event(text);
        from.acknowledge(token, &[b"sip:a", b"sip:b"], UDP_LIMIT, |b| b.put(b"ACK"))
            .unwrap();
        let mut withheld = Withheld::default();
        assert!(withheld.push(&from, 1, None, 14));
        assert!(!withheld.push(&from, 1, None, 27), "one byte too many");
        assert!(withheld.push(&from, 0, None, 14));
        let mut out = Outbox::for_steps(1);
        withheld.release(&mut out);
        assert!(withheld.is_empty());
        let let_go: Vec<Output<'_, Probe>> = out.iter().collect();
        let [
            Output::Acknowledge {
                token: of,
                next_hops,
                congestion_controlled: false,
                bytes: b"ACK",
            },
            Output::Event(event),
        ] = let_go[..]
        else {
            panic!("{let_go:?}");
        };
        assert_eq!(of, token);
        let next_hops: Vec<&[u8]> = next_hops.collect();
        assert_eq!(next_hops, [b"sip:a", b"sip:b"]);
        assert_eq!(out.text(*event), b"about");
    }
}
