//! [DR-7] The strings of machines in a blob: a machine's own stand as it keeps them, those of many once for all who
//! have them. Records refer to each other's in the same way.
//!
//! Nothing of it is trusted: each string is found to be within its bytes before it is kept, and what it shares with one
//! before it must be there.

use alloc::{sync::Arc, vec::Vec};
use serde::{Deserialize, Serialize};

use super::{
    Packed,
    shared::{Divided, Shared},
};
use crate::drive::{RestoreError, snapshot::Raw};

/// How many are remembered.
const REMEMBERED: usize = 64;

/// How the strings of a machine stand in a blob.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Kept<'b> {
    #[serde(borrow)]
    own: Raw<'b>,
    common: Common<'b>,
}

/// How those stand that many have.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Common<'b> {
    /// With this machine, for those after it.
    Here(#[serde(borrow)] Raw<'b>),
    /// With one before it: their place among those that are remembered.
    Before(u8),
}

impl<'b> Kept<'b> {
    /// So many bytes of the machine's own strings, from [a place](Divided::place_of) on.
    pub(crate) fn part(&self, place: usize, length: usize) -> Option<&'b [u8]> {
        self.own.0.get(place..place.checked_add(length)?)
    }
}

/// What the machines of a blob had in common of late. The blob of one machine is its own, and has all that it needs.
pub(crate) struct Alike<S> {
    remembered: Vec<S>,
    /// Where the oldest is.
    oldest: usize,
}

/// While a blob is written.
pub(crate) type AlikeWritten<'s> = Alike<&'s Arc<[u8]>>;

/// While a blob is read.
pub(crate) type AlikeRead<const COMMON: usize> = Alike<Measured<COMMON>>;

/// Strings in common, and how many bytes they have together.
type Measured<const COMMON: usize> = (Packed<COMMON, Arc<[u8]>>, usize);

impl<S> Alike<S> {
    /// Of a blob that begins.
    pub(crate) const fn new() -> Self {
        Self {
            remembered: Vec::new(),
            oldest: 0,
        }
    }

    /// The one that is remembered at a place.
    pub(super) fn get(&self, place: usize) -> Option<&S> {
        self.remembered.get(place)
    }

    /// Remembers one in the place of the oldest.
    pub(super) fn remember(&mut self, one: S) {
        match self.remembered.get_mut(self.oldest) {
            Some(oldest) => *oldest = one,
            None => self.remembered.push(one),
        }
        self.oldest = match self.oldest.saturating_add(1) {
            REMEMBERED => 0,
            place => place,
        };
    }
}

impl<'s> AlikeWritten<'s> {
    /// The place of what a machine before has too. It is remembered if none has.
    pub(super) fn place_of(&mut self, common: &'s Arc<[u8]>) -> Option<u8> {
        let same = |known: &&Arc<[u8]>| Arc::ptr_eq(known, common);
        let known = self.remembered.iter().position(same);
        let equal = || self.remembered.iter().position(|known| *known == common);
        let place = known.or_else(equal).and_then(|place| place.try_into().ok());
        if place.is_none() {
            self.remember(common);
        }
        place
    }

    /// How the strings of the next machine stand in the blob.
    pub(crate) fn keep<const N: usize, const FROM: usize, const OWN: usize, const COMMON: usize>(
        &mut self,
        strings: &'s Divided<N, FROM, OWN, COMMON>,
    ) -> Kept<'s> {
        Kept {
            own: Raw(strings.own().as_bytes()),
            common: self.keep_common(strings.common()),
        }
    }

    /// How those stand that the next machine has in common with others.
    pub(crate) fn keep_common<const COMMON: usize>(
        &mut self,
        common: &'s Packed<COMMON, Arc<[u8]>>,
    ) -> Common<'s> {
        match self.place_of(common.bytes()) {
            Some(place) => Common::Before(place),
            None => Common::Here(Raw(common.as_bytes())),
        }
    }
}

impl<const COMMON: usize> AlikeRead<COMMON> {
    /// The strings of the next machine, which together have `limit` bytes at most.
    ///
    /// # Errors
    /// [`RestoreError`] if they are none, or more.
    pub(crate) fn restore<const N: usize, const FROM: usize, const OWN: usize>(
        &mut self,
        kept: Kept<'_>,
        limit: usize,
        shared: &mut Shared,
    ) -> Result<Divided<N, FROM, OWN, COMMON>, RestoreError> {
        let (own, own_bytes) = Packed::of_blob(kept.own.0).ok_or(RestoreError::Damaged)?;
        let (common, common_bytes) = self.restore_common(kept.common, shared)?;
        if own_bytes.saturating_add(common_bytes) > limit {
            return Err(RestoreError::TooLarge);
        }
        Ok(Divided::of(own, common))
    }

    /// Those that the next machine has in common with others, and how many bytes they have together.
    ///
    /// # Errors
    /// [`RestoreError::Damaged`] if they are none.
    pub(crate) fn restore_common(
        &mut self,
        common: Common<'_>,
        shared: &mut Shared,
    ) -> Result<Measured<COMMON>, RestoreError> {
        match common {
            Common::Before(place) => {
                let known = self.get(usize::from(place)).cloned();
                known.ok_or(RestoreError::Damaged)
            }
            Common::Here(bytes) => {
                let (mut common, bytes) = Packed::of_blob(bytes.0).ok_or(RestoreError::Damaged)?;
                shared.share_packed(&mut common);
                self.remember((common.clone(), bytes));
                Ok((common, bytes))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    type Strings = Divided<4, 1, 2, 2>;

    fn strings(home: usize, user: usize) -> Strings {
        let [home, user] = [format!("home{home}"), format!("sip:user{user}@home")];
        Strings::new([home.as_bytes(), user.as_bytes(), b"x", b"route"], 100).unwrap()
    }

    fn restore(
        read: &mut AlikeRead<2>,
        kept: Kept<'_>,
        limit: usize,
    ) -> Result<Strings, RestoreError> {
        read.restore(kept, limit, &mut Shared::new())
    }

    /// [DR-7] As many that differ as are remembered, and more: every machine has its own again, and what is remembered
    /// stands once.
    #[test]
    fn once() {
        for different in [1, 64, 65, 200] {
            let machines: Vec<_> = (0..2 * different)
                .map(|user| strings(user % different, user))
                .collect();
            let (mut written, mut read) = (AlikeWritten::new(), AlikeRead::new());
            let mut stand = 0;
            for machine in &machines {
                let kept = written.keep(machine);
                stand += usize::from(matches!(kept.common, Common::Here(_)));
                assert_eq!(restore(&mut read, kept, 100).as_ref(), Ok(machine));
            }
            let remembered = different <= REMEMBERED;
            assert_eq!(
                stand,
                if remembered { different } else { 2 * different },
                "{different}"
            );
        }
    }

    /// [DR-5] What stands once is there once, and so is what stands in several blobs that one node reads.
    #[test]
    fn shared() {
        let mut shared = Shared::new();
        let [one, two] = [strings(1, 1), strings(1, 2)].map(|machine| {
            let kept = AlikeWritten::new().keep(&machine);
            let read: Strings = AlikeRead::new().restore(kept, 100, &mut shared).unwrap();
            read
        });
        assert!(Arc::ptr_eq(one.common().bytes(), two.common().bytes()));
        let (one, two) = (strings(1, 1), strings(1, 2));
        let (mut written, mut read) = (AlikeWritten::new(), AlikeRead::new());
        let [one, two] = [&one, &two].map(|machine| {
            let kept = written.keep(machine);
            restore(&mut read, kept, 100).unwrap()
        });
        assert!(Arc::ptr_eq(one.common().bytes(), two.common().bytes()));
    }

    /// [DR-5] Strings of so many bytes are taken, and no byte more, whether they stand here or before.
    #[test]
    fn limit() {
        let machine = strings(1, 1);
        let total = machine.parts().iter().map(|part| part.len()).sum::<usize>();
        let (mut written, mut read) = (AlikeWritten::new(), AlikeRead::new());
        for _ in 0..2 {
            let kept = written.keep(&machine);
            assert_eq!(restore(&mut read, kept, total).as_ref(), Ok(&machine));
            let more = restore(&mut read, kept, total - 1);
            assert_eq!(more, Err(RestoreError::TooLarge));
        }
    }

    /// [DR-7] What was not before is not there, and strings past the end of theirs are none; bytes that are of no string
    /// are not kept.
    #[test]
    fn damaged() {
        let (mut written, mut read) = (AlikeWritten::new(), AlikeRead::new());
        let machine = strings(1, 1);
        let kept = written.keep(&machine);
        let before = Kept {
            common: Common::Before(0),
            ..kept
        };
        let is = |read: &mut AlikeRead<2>, kept| restore(read, kept, 100).map(|_| ());
        assert_eq!(is(&mut read, before), Err(RestoreError::Damaged));
        assert_eq!(is(&mut read, kept), Ok(()));
        assert_eq!(is(&mut read, before), Ok(()));
        for bytes in [
            &[][..],
            &[0; 7],
            &[0, 0, 1, 0, 0, 0, 0, 0],
            &[1, 0, 0, 0, 0, 0, 0, 0, 9],
            &[0, 0, 1, 0, 0, 0, 0, 0, 9, 9],
        ] {
            let own = Kept {
                own: Raw(bytes),
                ..kept
            };
            assert_eq!(is(&mut read, own), Err(RestoreError::Damaged), "{bytes:?}");
            let common = Kept {
                common: Common::Here(Raw(bytes)),
                ..kept
            };
            assert_eq!(is(&mut read, common), Err(RestoreError::Damaged));
        }
        let overlapping = [0, 0, 2, 0, 1, 0, 2, 0, b'a', b'b'];
        let own = Kept {
            own: Raw(&overlapping),
            ..kept
        };
        let taken = restore(&mut read, own, 100).unwrap();
        assert_eq!((taken.get(1), taken.get(2)), (&b"ab"[..], &b"b"[..]));
    }
}
