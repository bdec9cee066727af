//! What a machine has only while it does something.

use alloc::boxed::Box;

/// A value that is the same for all machines at rest.
pub(crate) trait Rest: Copy + PartialEq {
    /// What it is then.
    const AT_REST: Self;
}

/// A value that takes room only while it is another than at rest, which it is for most machines most of the time. What
/// is kept beside it is gone when it is at rest again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seldom<T, B = ()>(Option<Box<(T, B)>>);

impl<T: Rest, B: Default> Seldom<T, B> {
    pub(crate) fn new(value: T) -> Self {
        Self((value != T::AT_REST).then(|| Box::new((value, B::default()))))
    }

    pub(crate) const fn get(&self) -> T {
        match &self.0 {
            Some(kept) => kept.0,
            None => T::AT_REST,
        }
    }

    /// The value, to be changed, if it is another than at rest, which it must then not become.
    pub(crate) fn get_mut(&mut self) -> Option<&mut T> {
        self.0.as_deref_mut().map(|(value, _)| value)
    }

    pub(crate) fn set(&mut self, value: T) {
        match &mut self.0 {
            Some(kept) if value != T::AT_REST => kept.0 = value,
            kept => *kept = Self::new(value).0,
        }
    }

    /// What is beside it, unless it is at rest.
    pub(crate) fn beside(&self) -> Option<&B> {
        self.0.as_deref().map(|(_, beside)| beside)
    }

    pub(crate) fn beside_mut(&mut self) -> Option<&mut B> {
        self.0.as_deref_mut().map(|(_, beside)| beside)
    }
}

#[cfg(test)]
mod tests {
    use super::{Rest, Seldom};

    impl Rest for u32 {
        const AT_REST: Self = 7;
    }

    /// [DR-5] A value at rest takes no room; whatever is set is got.
    #[test]
    fn kept_while_it_differs() {
        let mut value: Seldom<u32> = Seldom::new(7);
        assert_eq!((value.get(), value.get_mut()), (7, None));
        for other in [8, 9] {
            value.set(other);
            assert_eq!(value.get(), other);
        }
        if let Some(value) = value.get_mut() {
            *value = 10;
        }
        assert_eq!(value, Seldom::new(10));
        value.set(7);
        assert_eq!(value, Seldom(None));
    }

    /// [DR-5] What is beside it goes with it.
    #[test]
    fn beside_it() {
        let mut value: Seldom<u32, u8> = Seldom::new(7);
        assert_eq!(value.beside(), None);
        value.set(8);
        if let Some(beside) = value.beside_mut() {
            *beside = 1;
        }
        value.set(9);
        assert_eq!(value.beside(), Some(&1));
        value.set(7);
        value.set(8);
        assert_eq!(value.beside(), Some(&0));
    }
}
