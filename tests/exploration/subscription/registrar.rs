//! What the user does, as the registrar and whoever is on the path of a REGISTER see it.

use crate::common::pcscf::{CONTACT, INSTANCE, register, register_200};

/// Seconds for which a contact is registered.
pub const REGISTERED: u32 = 3_600;

/// The contacts of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Which {
    First,
    Second,
}

impl Which {
    /// Its flow, as the subscriber's host calls it.
    pub const fn flow(self) -> &'static [u8] {
        match self {
            Self::First => b"flow-1",
            Self::Second => b"flow-2",
        }
    }

    fn contact(self, expires: u32) -> String {
        let (uri, reg_id) = match self {
            Self::First => (CONTACT, 1),
            Self::Second => ("sip:[2001:db8::aaa:ccc]:1357", 2),
        };
        format!("<{uri}>;+sip.instance=\"{INSTANCE}\";reg-id={reg_id};expires={expires}")
    }
}

/// What the user, or the registrar, does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// The first contact is registered again, or anew.
    Register,
    /// A second contact is registered.
    RegisterSecond,
    /// The user deregisters the first contact; the subscriber is on the way of that REGISTER.
    Deregister,
    /// The first contact is removed, and the subscriber is not on the way.
    Remove,
    /// All contacts are.
    RemoveAll,
}

impl Change {
    pub const ALL: [Self; 5] = [
        Self::Register,
        Self::RegisterSecond,
        Self::Deregister,
        Self::Remove,
        Self::RemoveAll,
    ];
}

/// A REGISTER that was accepted, and its 2xx.
pub fn registered(which: Which, cseq: u32) -> (String, String) {
    let contact = which.contact(REGISTERED);
    (register(&contact, cseq), register_200(&contact, cseq))
}

/// The REGISTER that removes the first contact.
pub fn removal(cseq: u32) -> String {
    register(&Which::First.contact(0), cseq)
}

/// The REGISTER that removes all.
pub fn removal_of_all(cseq: u32) -> String {
    register("*", cseq).replace("Supported: path", "Expires: 0\r\nSupported: path")
}
