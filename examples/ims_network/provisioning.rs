//! Who exists: the elements and how they are named, and the users and their identities. In a real network
//! the names are in the DNS and the users in the HSS.

use ims_procedures::wire::{Host, Uri};

pub const HOME_DOMAIN: &str = "home1.example.net";
pub const HOME_DOMAIN_URI: &str = "sip:home1.example.net";
pub const VISITED_DOMAIN: &str = "visited1.example.net";
pub const PCSCF_URI: &str = "sip:pcscf1.visited1.example.net:5060";
pub const SCSCF_URI: &str = "sip:scscf1.home1.example.net:5060";
pub const AS_URI: &str = "sip:as1.home1.example.net:5060";
/// As the service profiles in the HSS have them.
pub const APPLICATION_SERVERS: &str = "<sip:as1.home1.example.net:5060>";
/// The value of P-Visited-Network-ID.
pub const VISITED_NETWORK: &str = "\"Visited Network Number 1\"";

/// Seconds that a UE registers for.
pub const REGISTRATION: u32 = 3_600;

/// Somebody who takes part. UEs are numbered from 1, as their users are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Actor {
    Ue(usize),
    Pcscf,
    /// An MSC server enhanced for ICS, which only the example `msc_ics` has.
    Msc,
    Scscf,
    As,
    Hss,
}

impl Actor {
    /// Whom a SIP URI leads to: what resolving its host (RFC 3263) would give.
    pub fn at(uri: &[u8]) -> Option<Self> {
        let uri = Uri::parse(uri).ok()?;
        let host = match uri.host()? {
            Host::Name(name) => std::str::from_utf8(name).ok()?,
            Host::V4(_) | Host::V6(_) => return None,
        };
        Self::named(host)
    }

    /// A number that tells it from others, from 1.
    pub const fn number(self) -> u64 {
        match self {
            Self::Pcscf => 1,
            Self::Scscf => 2,
            Self::As => 3,
            Self::Hss => 4,
            Self::Msc => 5,
            Self::Ue(number) => 5 + number as u64,
        }
    }

    /// Who has that number.
    pub fn of_number(number: u64) -> Option<Self> {
        match number {
            0 => None,
            1 => Some(Self::Pcscf),
            2 => Some(Self::Scscf),
            3 => Some(Self::As),
            4 => Some(Self::Hss),
            5 => Some(Self::Msc),
            number => usize::try_from(number - 5).ok().map(Self::Ue),
        }
    }

    /// Whether it has sockets for TCP.
    pub const fn has_tcp(self) -> bool {
        !matches!(self, Self::Ue(_))
    }

    /// Milliseconds that a message to another takes: 20 over the air, 8 between the networks, 3 inside one.
    pub const fn transit_time(self, to: Self) -> u64 {
        match (self, to) {
            (Self::Ue(_), _) | (_, Self::Ue(_)) => 20,
            (Self::Pcscf | Self::Msc, _) | (_, Self::Pcscf | Self::Msc) => 8,
            _ => 3,
        }
    }

    /// Whom a host name stands for.
    pub fn named(host: &str) -> Option<Self> {
        match host {
            "pcscf1.visited1.example.net" => Some(Self::Pcscf),
            "msc1.visited1.example.net" => Some(Self::Msc),
            // The domain itself leads to its entry point. This home network has no I-CSCF before its S-CSCF.
            "scscf1.home1.example.net" | HOME_DOMAIN => Some(Self::Scscf),
            "as1.home1.example.net" => Some(Self::As),
            _ => {
                let number = host
                    .strip_suffix(".visited1.example.net")?
                    .strip_prefix("ue")?;
                number.parse().ok().map(Self::Ue)
            }
        }
    }
}

/// A user, by number from 1.
#[derive(Clone, Debug)]
pub struct User {
    pub number: usize,
    pub private_identity: String,
    /// The identities of the implicit registration set, the default one first.
    pub public_identities: Vec<String>,
    /// Host and port of the UE.
    pub address: String,
    /// URI of the UE's contact.
    pub contact: String,
    /// The UE's instance: an IMEI URN (RFC 7254).
    pub instance: String,
}

impl User {
    pub fn new(number: usize) -> Self {
        let set = set_of(number);
        let name = if set == 1 {
            "shared".to_owned()
        } else {
            format!("user{set}")
        };
        let mut public_identities = vec![format!("sip:{name}@{HOME_DOMAIN}")];
        if set == 1 {
            public_identities.push("tel:+12125550100".to_owned());
        }
        let address = format!("ue{number}.visited1.example.net:5060");
        Self {
            number,
            private_identity: format!("user{number}_private@{HOME_DOMAIN}"),
            public_identities,
            contact: format!("sip:{address}"),
            address,
            instance: format!("urn:gsma:imei:90420156-{number:06}-0"),
        }
    }
}

/// The implicit registration set of a user: users 1 and 2 share theirs.
pub const fn set_of(user: usize) -> usize {
    if user == 2 { 1 } else { user }
}

/// The number of the user with that private identity.
pub fn user_of(private_identity: &[u8]) -> Option<usize> {
    let name = std::str::from_utf8(private_identity).ok()?;
    name.strip_prefix("user")?.split_once('_')?.0.parse().ok()
}
