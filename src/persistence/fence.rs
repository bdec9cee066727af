//! [DR-7] Events of the node itself: a host may take from them that all is over, so that they come after all that was
//! withheld, or written, when they came.

use alloc::collections::VecDeque;

use crate::drive::{Outbox, Withheld, WithheldRole};

/// Events that wait at most; one more lets the first of them go, whatever is pending.
const MOST: usize = 256;

/// The time between two of these events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stretch(u64);

/// An event, and how much of what has begun in the stretch before it is pending.
struct Held<R: WithheldRole> {
    pending: usize,
    event: Withheld<R>,
}

/// The events that wait, in order.
pub(super) struct Fence<R: WithheldRole> {
    held: VecDeque<Held<R>>,
    /// What has begun since the last of them, and is pending.
    pending: usize,
    latest: u64,
}

impl<R: WithheldRole> Fence<R> {
    pub(super) const fn new() -> Self {
        Self {
            held: VecDeque::new(),
            pending: 0,
            latest: 0,
        }
    }

    /// Something begins to be pending.
    pub(super) const fn begin(&mut self) -> Stretch {
        self.pending = self.pending.saturating_add(1);
        Stretch(self.latest)
    }

    /// Something is no longer pending that has begun in that stretch.
    pub(super) fn end(&mut self, stretch: Stretch) {
        let before = self.latest.saturating_sub(stretch.0);
        let before = usize::try_from(before).unwrap_or(usize::MAX);
        let pending = match self.held.len().checked_sub(before) {
            Some(place) => match self.held.get_mut(place) {
                Some(held) => &mut held.pending,
                None => &mut self.pending,
            },
            // Its event has gone before it.
            None => return,
        };
        *pending = pending.saturating_sub(1);
    }

    /// Whether an event that comes now has nothing to wait for.
    pub(super) fn is_open(&self) -> bool {
        self.held.is_empty() && self.pending == 0
    }

    /// An event waits for all that is pending.
    pub(super) fn hold(&mut self, from: &Outbox<R>, number: usize) {
        let mut event = Withheld::default();
        event.push(from, number, None, usize::MAX);
        let pending = core::mem::take(&mut self.pending);
        self.held.push_back(Held { pending, event });
        self.latest = self.latest.saturating_add(1);
    }

    /// Whether an event may go.
    pub(super) fn is_due(&self) -> bool {
        let first = self.held.front();
        first.is_some_and(|first| first.pending == 0) || self.held.len() > MOST
    }

    /// Puts out one event that may go.
    pub(super) fn release(&mut self, out: &mut Outbox<R>) {
        if self.is_due() {
            if let Some(mut held) = self.held.pop_front() {
                let _ = held.event.release(out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Fence, MOST};
    use crate::{
        drive::Outbox,
        pcscf::{Event, Pcscf, Tally},
    };

    fn event() -> Outbox<Pcscf> {
        let mut from = Outbox::for_steps(1);
        let tally = Tally::default();
        from.event(Event::ShutdownEnded { tally });
        from
    }

    fn released(fence: &mut Fence<Pcscf>) -> usize {
        let mut out = Outbox::for_steps(1);
        fence.release(&mut out);
        out.len()
    }

    /// [DR-7] Each event waits for what began before it, and for no more; they come in order.
    #[test]
    fn in_order() {
        let (mut fence, from) = (Fence::new(), event());
        let first = fence.begin();
        fence.hold(&from, 0);
        let second = fence.begin();
        fence.hold(&from, 0);
        let third = fence.begin();
        fence.end(second);
        assert!(!fence.is_due());
        assert_eq!(released(&mut fence), 0);
        fence.end(first);
        assert_eq!([released(&mut fence), released(&mut fence)], [1, 1]);
        assert!(!fence.is_due() && !fence.is_open());
        fence.end(third);
        assert!(fence.is_open());
    }

    /// [DR-5] As many as may wait do; one more lets the first go, and what it waited for is its own.
    #[test]
    fn most() {
        let (mut fence, from) = (Fence::new(), event());
        let first = fence.begin();
        fence.hold(&from, 0);
        let second = fence.begin();
        (1..MOST).for_each(|_| fence.hold(&from, 0));
        assert_eq!(released(&mut fence), 0);
        fence.hold(&from, 0);
        assert_eq!(released(&mut fence), 1);
        fence.end(first);
        assert!(!fence.is_due());
        fence.end(second);
        assert!(fence.is_due());
    }
}
