//! The user: its contacts, what it does, and its REGISTERs as a P-CSCF forwards them.

use super::outside::Side;
use crate::common::pcscf::{CONTACT, INSTANCE, register, register_200};

/// Seconds for which a contact is registered.
pub const REGISTERED: u32 = 3_600;

/// The other contact.
const OTHER_CONTACT: &str = "sip:[2001:db8::aaa:ccc]:1357";

/// The contacts of the user: two flows of one instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Which {
    First,
    Second,
}

impl Which {
    pub const ALL: [Self; 2] = [Self::First, Self::Second];

    pub const fn place(self) -> usize {
        self as usize
    }

    pub const fn uri(self) -> &'static str {
        match self {
            Self::First => CONTACT,
            Self::Second => OTHER_CONTACT,
        }
    }

    /// The contacts that a text names by their URI.
    pub fn named_in(text: &str) -> impl Iterator<Item = Self> {
        Self::ALL
            .into_iter()
            .filter(|which| text.contains(which.uri()))
    }

    fn contact(self, expires: u32) -> String {
        let (uri, reg_id) = (self.uri(), self.place() + 1);
        format!("<{uri}>;+sip.instance=\"{INSTANCE}\";reg-id={reg_id};expires={expires}")
    }
}

/// What the user does, or the access network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// The user registers a contact at that P-CSCF: anew, again, or coming from the other one.
    Register(Which, Side),
    /// The user deregisters a contact.
    Deregister(Which),
    /// The access network reports the contact as lost to that P-CSCF.
    Lose(Which, Side),
}

/// A REGISTER of the user as that P-CSCF forwards it.
pub fn request(which: Which, at: Side, expires: u32, cseq: u32) -> String {
    let text = register(&which.contact(expires), cseq);
    text.replace(Side::First.host(), at.host())
}

/// The 200 of the registrar, with everything that is bound.
pub fn accepted(request: Which, bound: [bool; 2], at: Side, cseq: u32) -> String {
    let listed = Which::ALL
        .into_iter()
        .filter(|which| *which == request || bound[which.place()]);
    let contacts: Vec<_> = listed.map(|which| which.contact(REGISTERED)).collect();
    let text = register_200(&contacts.join(", "), cseq);
    text.replace(Side::First.host(), at.host())
}
