//! Who takes part, and how they are named. In a real network the names are in the DNS.

use ims_procedures::wire::{Host, Uri};

pub const HOME_DOMAIN: &str = "home1.example.net";
pub const FUNCTION_URI: &str = "sip:cpm-pf1.home1.example.net:5062";

/// The CPM user who is served, and the one at the other end.
pub const ALICE: &str = "sip:alice@home1.example.net";
pub const BOB: &str = "sip:bob@home2.example.net";

/// Somebody who takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Actor {
    /// The Participating Function.
    Function,
    /// The CPM client that is served.
    Client,
    /// The other CPM entity.
    Other,
    /// An interworking function, for SMS.
    Iwf1,
    /// Another one, for MMS.
    Iwf2,
    /// The message store.
    Store,
}

impl Actor {
    pub const ALL: [Self; 6] = [
        Self::Function,
        Self::Client,
        Self::Other,
        Self::Iwf1,
        Self::Iwf2,
        Self::Store,
    ];

    /// Those who are at the other end of a dialog.
    pub const PEERS: [Self; 4] = [Self::Client, Self::Other, Self::Iwf1, Self::Iwf2];

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Client => "client",
            Self::Other => "other",
            Self::Iwf1 => "iwf1",
            Self::Iwf2 => "iwf2",
            Self::Store => "store",
        }
    }

    /// Who is called so.
    pub fn called(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|actor| actor.name() == name)
    }

    /// The URI of its contact.
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Function => FUNCTION_URI,
            Self::Client => "sip:ue1.visited1.example.net:5070",
            Self::Other => "sip:cpm-pf2.home2.example.net:5062",
            Self::Iwf1 => "sip:iwf-sms.home1.example.net:5080",
            Self::Iwf2 => "sip:iwf-mms.home1.example.net:5080",
            Self::Store => "",
        }
    }

    /// The route set towards it: who is reached through the core has one.
    pub const fn route(self) -> &'static str {
        match self {
            Self::Client => "<sip:scscf1.home1.example.net:6060;lr>",
            Self::Other => "<sip:ibcf1.home1.example.net:5070;lr>",
            _ => "",
        }
    }

    /// Whom a SIP URI leads to: what resolving its host (RFC 3263) would give. The core itself is not played: its doors
    /// lead to whoever is behind them.
    pub fn at(uri: &[u8]) -> Option<Self> {
        let uri = Uri::parse(uri).ok()?;
        let Host::Name(name) = uri.host()? else {
            return None;
        };
        match name {
            b"cpm-pf1.home1.example.net" => Some(Self::Function),
            b"scscf1.home1.example.net" | b"ue1.visited1.example.net" => Some(Self::Client),
            b"ibcf1.home1.example.net" | b"cpm-pf2.home2.example.net" => Some(Self::Other),
            b"iwf-sms.home1.example.net" => Some(Self::Iwf1),
            b"iwf-mms.home1.example.net" => Some(Self::Iwf2),
            _ => None,
        }
    }

    /// A number that tells it from others, from 1.
    pub const fn number(self) -> u64 {
        self as u64 + 1
    }

    /// Who has that number.
    pub fn of_number(number: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|actor| actor.number() == number)
    }

    /// Whether it has sockets for TCP.
    pub const fn has_tcp(self) -> bool {
        !matches!(self, Self::Store)
    }

    /// Milliseconds that a message to another takes: 20 to the client and back, 8 between the networks, 3 inside one.
    pub const fn transit_time(self, to: Self) -> u64 {
        match (self, to) {
            (Self::Client, _) | (_, Self::Client) => 20,
            (Self::Other, _) | (_, Self::Other) => 8,
            _ => 3,
        }
    }
}

/// Whom a private identity is of: no message here has one.
pub const fn user_of(_: &[u8]) -> Option<usize> {
    None
}

/// Which users share their identities: there is but one.
pub const fn set_of(user: usize) -> usize {
    user
}
