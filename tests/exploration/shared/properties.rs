//! What must hold in every state, under names that reports and mutants use.

use std::marker::PhantomData;

/// The properties of a world.
pub trait Named: Copy + Send + Sync + 'static {
    /// All of them, at most [`MOST`], in the order of their numbers.
    const ALL: &'static [Self];
    fn name(self) -> &'static str;
    fn number(self) -> usize;
}

/// The most properties that a world has.
pub const MOST: usize = 12;

/// The number of the property that runs come to an end, which every world has.
pub const COMES_TO_AN_END: usize = 0;

/// The properties that a state breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken<P>(u16, PhantomData<P>);

impl<P> Default for Broken<P> {
    fn default() -> Self {
        Self(0, PhantomData)
    }
}

impl<P: Named> Broken<P> {
    pub fn add(&mut self, property: P) {
        self.add_numbered(property.number());
    }

    pub fn add_numbered(&mut self, number: usize) {
        self.0 |= 1 << number;
    }

    pub fn has_numbered(self, number: usize) -> bool {
        self.0 & (1 << number) != 0
    }

    /// A bit for each.
    pub const fn bits(self) -> u16 {
        self.0
    }

    pub fn is_none(self) -> bool {
        self.0 == 0
    }
}
