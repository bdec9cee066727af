//! A list that has one element as a rule.

use alloc::vec::Vec;
use core::{
    ops::{Deref, DerefMut},
    slice,
};

/// Elements in order; one alone takes no allocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Few<T> {
    One(T),
    /// None, or several.
    Many(Vec<T>),
}

impl<T> Few<T> {
    pub(crate) const fn new() -> Self {
        Self::Many(Vec::new())
    }

    pub(crate) fn push(&mut self, element: T) {
        *self = match core::mem::take(self) {
            Self::Many(none) if none.is_empty() => Self::One(element),
            Self::One(first) => Self::Many(Vec::from([first, element])),
            Self::Many(mut many) => {
                many.reserve_exact(1);
                many.push(element);
                Self::Many(many)
            }
        };
    }

    /// Takes one out, if it is there; those after it move up.
    pub(crate) fn remove(&mut self, place: usize) -> Option<T> {
        self.take_out(|many| (place < many.len()).then(|| many.remove(place)))
    }

    /// Takes one out, if it is there; the last one takes its place.
    pub(crate) fn swap_remove(&mut self, place: usize) -> Option<T> {
        self.take_out(|many| (place < many.len()).then(|| many.swap_remove(place)))
    }

    pub(crate) fn retain(&mut self, keep: impl FnMut(&T) -> bool) {
        self.take_out(|many| many.retain(keep));
    }

    fn take_out<R>(&mut self, act: impl FnOnce(&mut Vec<T>) -> R) -> R {
        match self {
            Self::One(_) => {
                let mut many = core::mem::take(self).into_vec();
                let done = act(&mut many);
                *self = many.into();
                done
            }
            Self::Many(many) => {
                let done = act(many);
                if many.len() < 2 {
                    *self = core::mem::take(many).into();
                }
                done
            }
        }
    }

    fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(one) => Vec::from([one]),
            Self::Many(many) => many,
        }
    }
}

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> From<Vec<T>> for Few<T> {
    fn from(mut many: Vec<T>) -> Self {
        match (many.len(), many.pop()) {
            (1, Some(one)) => Self::One(one),
            (_, None) => Self::new(),
            (_, Some(last)) => {
                many.push(last);
                many.shrink_to_fit();
                Self::Many(many)
            }
        }
    }
}

impl<T> FromIterator<T> for Few<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        let mut few = Self::new();
        for element in elements {
            few.push(element);
        }
        few
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::One(one) => slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

impl<T> DerefMut for Few<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        match self {
            Self::One(one) => slice::from_mut(one),
            Self::Many(many) => many,
        }
    }
}

impl<'f, T> IntoIterator for &'f Few<T> {
    type Item = &'f T;
    type IntoIter = slice::Iter<'f, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'f, T> IntoIterator for &'f mut Few<T> {
    type Item = &'f mut T;
    type IntoIter = slice::IterMut<'f, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::{Few, Vec};

    /// [DR-5] It holds what a list would, whatever is done to it, and one element without an allocation.
    #[test]
    fn as_a_list() {
        let (mut few, mut list) = (Few::new(), Vec::new());
        let mut chance = 0x9e37_79b9_7f4a_7c15_u64;
        for number in 0..5_000u32 {
            chance ^= chance << 13;
            chance ^= chance >> 7;
            chance ^= chance << 17;
            let place = (chance >> 8) as usize % 4;
            let is_there = place < list.len();
            match chance % 6 {
                0 => assert_eq!(few.remove(place), is_there.then(|| list.remove(place))),
                1 => assert_eq!(
                    few.swap_remove(place),
                    is_there.then(|| list.swap_remove(place))
                ),
                2 => {
                    few.retain(|own| own % 3 > 0);
                    list.retain(|own| own % 3 > 0);
                }
                3 => few.iter_mut().zip(&mut list).for_each(|(own, other)| {
                    *own += 1;
                    *other += 1;
                }),
                _ => {
                    few.push(number);
                    list.push(number);
                }
            }
            assert_eq!(*few, *list);
            assert_eq!(matches!(few, Few::One(_)), list.len() == 1);
            assert_eq!(few, list.iter().copied().collect());
            assert_eq!(few, Few::from(list.clone()));
        }
    }
}
