//! What a registration has beside its state: marks that are always there, and what most never need.

use super::evidence::Reports;
use crate::drive::{Millis, Token, TransactionRef};

/// Marks of a registration, in one byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks(u8);

impl Marks {
    /// A document has shown its contact as active: one that leaves it out says that it is gone.
    pub(crate) const SEEN: u8 = 1;
    /// [PD-4] It has security associations or TLS sessions.
    pub(crate) const PROTECTED: u8 = 2;
    /// [PD-9] A REGISTER of the UE has been let pass, and its 2xx not been learnt.
    pub(crate) const ASKED: u8 = 4;
    /// [PD-7] Another registration stays on the same contact.
    pub(crate) const CONTACT_SHARED: u8 = 8;
    /// [PD-7] Another registration of the same user stays at the same address.
    pub(crate) const BEARER_SHARED: u8 = 16;
    /// [PD-2] Its UE has a dialog.
    pub(crate) const IN_DIALOG: u8 = 32;
    /// [PD-12] It waits for its turn, which takes nothing: all registrations of a node may.
    pub(crate) const QUEUED: u8 = 64;

    pub(crate) const fn has(self, mark: u8) -> bool {
        self.0 & mark != 0
    }

    pub(crate) const fn set(&mut self, mark: u8, to: bool) {
        if to {
            self.0 |= mark;
        } else {
            self.0 &= !mark;
        }
    }
}

/// What a registration has while there is something about its access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Aside {
    /// [PD-3] Reports of loss that are not enough yet.
    pub(crate) reports: Reports,
    /// [PD-3] The UE that had been reported lost has been heard since.
    pub(crate) heard: bool,
    /// [PD-4] When its security associations end, if it is not 30 s after the registration.
    pub(crate) association_ends: Option<Millis>,
    /// [PD-9] A REGISTER of the UE that waits for the answer to ours.
    pub(crate) held: Option<Held>,
    /// [PD-7, PD-9] No step of the cleanup is begun before; 0 if nothing is waited for.
    pub(crate) not_before: Millis,
    /// [PD-9] Until then a NOTIFY may still say that the contact is terminated, and mean the binding that our
    /// REGISTER has removed.
    pub(crate) replaced_until: Option<Millis>,
}

/// A REGISTER that the host holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) transaction: TransactionRef,
    /// What the host was told to hold it with.
    pub(crate) token: Token,
    pub(crate) until: Millis,
}

impl Aside {
    pub(crate) const NONE: Self = Self {
        reports: Reports::NONE,
        heard: false,
        association_ends: None,
        held: None,
        not_before: Millis(0),
        replaced_until: None,
    };

    /// What of it is the registration's own, whether something is started to end it or given up.
    pub(crate) const fn of_the_registration(self) -> Self {
        Self {
            association_ends: self.association_ends,
            replaced_until: self.replaced_until,
            ..Self::NONE
        }
    }
}
