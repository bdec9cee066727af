//! Decisions taken from bytes, so that a fuzzer, a property and a stored file can all drive one generator.

/// Bytes, one or two of which settle each decision. When they are spent, every decision is the first one:
/// generators put the plainest choice there, so that shorter inputs make plainer things.
pub struct Choices<'a> {
    rest: &'a [u8],
}

impl<'a> Choices<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.rest.split_first() else {
            return 0;
        };
        self.rest = rest;
        *first
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        let drawn = if bound > 256 {
            usize::from(self.byte()) << 8 | usize::from(self.byte())
        } else {
            usize::from(self.byte())
        };
        drawn % bound
    }

    pub fn number(&mut self) -> u32 {
        u32::from_be_bytes([self.byte(), self.byte(), self.byte(), self.byte()])
    }

    /// True once in `odds` times.
    pub fn once_in(&mut self, odds: usize) -> bool {
        self.below(odds) == odds - 1
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Between `least` and `most` bytes out of `alphabet`.
    pub fn text(&mut self, alphabet: &[u8], least: usize, most: usize) -> Vec<u8> {
        let length = least + self.below(most - least + 1);
        (0..length).map(|_| self.pick(alphabet)).collect()
    }

    /// The text with some of its letters in the other case.
    pub fn any_case(&mut self, text: &[u8]) -> Vec<u8> {
        if !self.once_in(2) {
            return text.to_vec();
        }
        text.iter()
            .map(|byte| match self.byte() & 1 {
                0 => byte.to_ascii_lowercase(),
                _ => byte.to_ascii_uppercase(),
            })
            .collect()
    }

    /// The same things in an order of its own.
    pub fn shuffle<T>(&mut self, things: &mut [T]) {
        for last in (1..things.len()).rev() {
            // What was not moved while bytes were spent stays: the plainest order is the given one.
            let other = last - self.below(last + 1);
            things.swap(last, other);
        }
    }
}
