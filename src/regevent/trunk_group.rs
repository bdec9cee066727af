//! [RE-1] Trunk groups and the IP signalling profiles that they use: whether the registrations that come over
//! them are subscribed to.

use alloc::vec::Vec;

use crate::drive::ConfigError;

/// The most trunk groups, and the most profiles.
const MOST: usize = 4_096;
/// The longest name.
const LONGEST: usize = 64;

/// [RE-4] Where the element stands, seen from the users of a trunk group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Network {
    /// In their home network.
    #[default]
    Home,
    /// In a network that they visit.
    Visited,
}

/// [RE-1] An IP signalling profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignallingProfile {
    /// Its name.
    pub name: Vec<u8>,
    /// `supportRegEvent`: whether the registration event package is subscribed to.
    pub support_reg_event: bool,
}

impl SignallingProfile {
    /// A profile with the flag disabled.
    #[must_use]
    pub fn new(name: &[u8]) -> Self {
        Self {
            name: name.to_vec(),
            support_reg_event: false,
        }
    }
}

/// [RE-1] An IP trunk group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrunkGroup {
    /// Its name.
    pub name: Vec<u8>,
    /// The name of the profile that it uses.
    pub profile: Vec<u8>,
    /// The address context that it belongs to (RE-11).
    pub address_context: Vec<u8>,
    /// [RE-4] The trunk group towards the registrar, which the routing question names.
    pub destination: Vec<u8>,
    /// [RE-4] Whether its users are at home here.
    pub network: Network,
}

/// [RE-1] The trunk groups of an element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrunkGroups {
    /// The profiles, with names of their own.
    pub profiles: Vec<SignallingProfile>,
    /// The groups, with names of their own.
    pub groups: Vec<TrunkGroup>,
}

impl TrunkGroups {
    /// The group of that name.
    #[must_use]
    pub fn find(&self, name: &[u8]) -> Option<&TrunkGroup> {
        self.groups.iter().find(|group| group.name == name)
    }

    /// [RE-1] Whether registrations over this group are subscribed to: the flag of its profile.
    #[must_use]
    pub fn supports_reg_event(&self, group: &TrunkGroup) -> bool {
        self.profiles
            .iter()
            .find(|profile| profile.name == group.profile)
            .is_some_and(|profile| profile.support_reg_event)
    }

    /// Checks that names are there, unique and not too long, and that each group's profile is.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let refuse = |what| {
            Err(ConfigError {
                field: "subscription.trunk_groups",
                what,
            })
        };
        if self.groups.len() > MOST || self.profiles.len() > MOST {
            return refuse("more than 4,096");
        }
        let is_name = |name: &[u8]| {
            (1..=LONGEST).contains(&name.len()) && !name.iter().any(u8::is_ascii_control)
        };
        let groups = self.groups.iter().map(|group| group.name.as_slice());
        let profiles = self.profiles.iter().map(|profile| profile.name.as_slice());
        if !groups.clone().chain(profiles.clone()).all(is_name) {
            return refuse(
                "a name that is empty, longer than 64 bytes or holds a control character",
            );
        }
        let more = |group: &TrunkGroup| [group.address_context.len(), group.destination.len()];
        if self
            .groups
            .iter()
            .flat_map(more)
            .any(|length| length > LONGEST)
        {
            return refuse("an address context or destination longer than 64 bytes");
        }
        if !are_unique(groups) || !are_unique(profiles) {
            return refuse("two of one name");
        }
        let has_profile =
            |group: &TrunkGroup| self.profiles.iter().any(|p| p.name == group.profile);
        if !self.groups.iter().all(has_profile) {
            return refuse("a profile that is not there");
        }
        Ok(())
    }
}

fn are_unique<'n>(names: impl Iterator<Item = &'n [u8]>) -> bool {
    let mut sorted: Vec<&[u8]> = names.collect();
    sorted.sort_unstable();
    sorted.windows(2).all(|pair| pair.first() != pair.last())
}
