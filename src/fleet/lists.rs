//! Lists of numbers, without an allocation for each member.

use alloc::{vec, vec::Vec};

const NONE: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Link {
    before: u32,
    after: u32,
}

/// One list: its ends and its length. Its members are chained in [`Links`].
#[derive(Clone, Copy)]
pub(crate) struct List {
    first: u32,
    last: u32,
    len: u32,
}

impl List {
    pub(crate) const EMPTY: Self = Self {
        first: NONE,
        last: NONE,
        len: 0,
    };

    /// The member that came first.
    pub(crate) fn first(&self) -> Option<u32> {
        (self.len > 0).then_some(self.first)
    }

    pub(crate) const fn len(&self) -> u32 {
        self.len
    }
}

/// The chains of lists over the numbers below a capacity. A number stands in one list at most; which one its
/// owner knows.
pub(crate) struct Links(Vec<Link>);

impl Links {
    /// Links for the numbers below `capacity`, all allocated now.
    pub(crate) fn new(capacity: usize) -> Self {
        let none = Link {
            before: NONE,
            after: NONE,
        };
        Self(vec![none; capacity])
    }

    /// Appends a number that stands in no list.
    pub(crate) fn push(&mut self, list: &mut List, number: u32) {
        let Some(link) = self.0.get_mut(number as usize) else {
            return;
        };
        *link = Link {
            before: list.last,
            after: NONE,
        };
        match self.0.get_mut(list.last as usize) {
            Some(last) => last.after = number,
            None => list.first = number,
        }
        list.last = number;
        list.len = list.len.saturating_add(1);
    }

    /// Takes in numbers up to another capacity, which is no smaller one.
    pub(crate) fn grow(&mut self, capacity: usize) {
        let none = Link {
            before: NONE,
            after: NONE,
        };
        let more = capacity.saturating_sub(self.0.len());
        self.0.reserve_exact(more);
        self.0.resize(self.0.len().saturating_add(more), none);
    }

    /// Takes a number out of the list that it stands in.
    pub(crate) fn remove(&mut self, list: &mut List, number: u32) {
        let Some(&Link { before, after }) = self.0.get(number as usize) else {
            return;
        };
        match self.0.get_mut(before as usize) {
            Some(link) => link.after = after,
            None => list.first = after,
        }
        match self.0.get_mut(after as usize) {
            Some(link) => link.before = before,
            None => list.last = before,
        }
        list.len = list.len.saturating_sub(1);
    }

    /// The members, in the order in which they came.
    pub(crate) fn members(&self, list: &List) -> impl Iterator<Item = u32> {
        let mut next = list.first;
        (0..list.len).map_while(move |_| {
            let number = next;
            next = self.0.get(number as usize)?.after;
            Some(number)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Links, List};
    use alloc::vec::Vec;

    /// [DR-5] Members come in order, wherever others are taken out; a number past the capacity is no member.
    #[test]
    fn order_and_capacity() {
        let mut links = Links::new(4);
        let mut lists = [List::EMPTY; 2];
        for number in [2, 0, 3, 1, 4] {
            links.push(&mut lists[0], number);
        }
        assert_eq!(lists[0].len(), 4);
        for (taken, left) in [(0, [2, 3, 1].as_slice()), (2, &[3, 1]), (1, &[3])] {
            links.remove(&mut lists[0], taken);
            links.push(&mut lists[1], taken);
            assert_eq!(links.members(&lists[0]).collect::<Vec<_>>(), left);
        }
        assert_eq!(links.members(&lists[1]).collect::<Vec<_>>(), [0, 2, 1]);
        links.remove(&mut lists[0], 3);
        assert_eq!((lists[0].first(), lists[0].len()), (None, 0));
        assert_eq!(lists[1].first(), Some(0));
        links.remove(&mut lists[1], 2);
        links.grow(6);
        for number in [5, 6] {
            links.push(&mut lists[1], number);
        }
        assert_eq!(links.members(&lists[1]).collect::<Vec<_>>(), [0, 1, 5]);
    }
}
