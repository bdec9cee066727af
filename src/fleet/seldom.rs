//! What a machine has only while it does something.

use alloc::boxed::Box;

/// A value that is the same for all machines at rest.
pub(crate) trait Rest: Copy + PartialEq {
    /// What it is then.
    const AT_REST: Self;
}

/// A value that takes room only while it is another than at rest, which it is for most machines most of the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seldom<T>(Option<Box<T>>);

impl<T: Rest> Seldom<T> {
    pub(crate) fn new(value: T) -> Self {
        Self((value != T::AT_REST).then(|| Box::new(value)))
    }

    pub(crate) const fn get(&self) -> T {
        match &self.0 {
            Some(value) => **value,
            None => T::AT_REST,
        }
    }

    /// The value, to be changed, if it is another than at rest, which it must then not become.
    pub(crate) fn get_mut(&mut self) -> Option<&mut T> {
        self.0.as_deref_mut()
    }

    pub(crate) fn set(&mut self, value: T) {
        match &mut self.0 {
            Some(kept) if value != T::AT_REST => **kept = value,
            kept => *kept = Self::new(value).0,
        }
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
        let mut value = Seldom::new(7u32);
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
}
