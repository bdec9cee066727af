//! Options: what a configuration is made of, each with a number. An option that is not set has its default, which can
//! be read.

use alloc::vec::Vec;

use super::{
    status::{Fault, imsp_status},
    values::{
        Number, imsp_bad_canaries, imsp_network, imsp_next_hop, imsp_party, imsp_profile,
        imsp_routing,
    },
};
use crate::{
    fleet::pacer::BadCanaries,
    pcscf::NextHop,
    regevent::{
        subscriber::{Party, Profile, Routing},
        trunk_group::Network,
    },
    wire::Element,
};

/// Where the value of an option stands.
pub(super) enum Place<'a> {
    Flag(&'a mut bool),
    Small(&'a mut u8),
    Short(&'a mut u16),
    Seconds(&'a mut u32),
    Milliseconds(&'a mut u64),
    Count(&'a mut usize),
    NextHop(&'a mut NextHop),
    Profile(&'a mut Profile),
    Party(&'a mut Party),
    Routing(&'a mut Routing),
    Network(&'a mut Network),
    BadCanaries(&'a mut BadCanaries),
    UdpLimit(&'a mut Element),
    Text(&'a mut Vec<u8>),
    List(&'a mut Vec<Vec<u8>>),
}

impl Place<'_> {
    /// [CA-1] Puts a number there.
    ///
    /// # Errors
    /// A number that is too large, or that no value has; an option that is no number.
    pub(super) fn set(self, number: u64) -> Result<(), Fault> {
        match self {
            Self::Flag(place) => *place = fitting(number).and_then(flag)?,
            Self::Small(place) => *place = fitting(number)?,
            Self::Short(place) => *place = fitting(number)?,
            Self::Seconds(place) => *place = fitting(number)?,
            Self::Milliseconds(place) => *place = number,
            Self::Count(place) => *place = fitting(number)?,
            Self::NextHop(place) => *place = named::<imsp_next_hop>(number)?.into(),
            Self::Profile(place) => *place = named::<imsp_profile>(number)?.into(),
            Self::Party(place) => *place = named::<imsp_party>(number)?.into(),
            Self::Routing(place) => *place = named::<imsp_routing>(number)?.into(),
            Self::Network(place) => *place = named::<imsp_network>(number)?.into(),
            Self::BadCanaries(place) => *place = named::<imsp_bad_canaries>(number)?.into(),
            Self::UdpLimit(element) => {
                *element = element.clone().with_udp_limit(fitting(number)?);
            }
            Self::Text(_) | Self::List(_) => return Err(imsp_status::WrongType.into()),
        }
        Ok(())
    }

    /// The number that stands there.
    ///
    /// # Errors
    /// An option that is no number.
    pub(super) fn get(self) -> Result<u64, Fault> {
        Ok(match self {
            Self::Flag(place) => u64::from(*place),
            Self::Small(place) => u64::from(*place),
            Self::Short(place) => u64::from(*place),
            Self::Seconds(place) => u64::from(*place),
            Self::Milliseconds(place) => *place,
            Self::Count(place) => counted(*place),
            Self::NextHop(place) => imsp_next_hop::from(*place) as u64,
            Self::Profile(place) => imsp_profile::from(*place) as u64,
            Self::Party(place) => imsp_party::from(*place) as u64,
            Self::Routing(place) => imsp_routing::from(*place) as u64,
            Self::Network(place) => imsp_network::from(*place) as u64,
            Self::BadCanaries(place) => imsp_bad_canaries::from(*place) as u64,
            Self::UdpLimit(element) => counted(element.udp_limit()),
            Self::Text(_) | Self::List(_) => return Err(imsp_status::WrongType.into()),
        })
    }

    /// Puts a text there.
    ///
    /// # Errors
    /// An option that is no single text.
    pub(super) fn set_text(self, text: &[u8]) -> Result<(), Fault> {
        match self {
            Self::Text(place) => *place = text.to_vec(),
            _ => return Err(imsp_status::WrongType.into()),
        }
        Ok(())
    }

    /// Adds a text to those there.
    ///
    /// # Errors
    /// An option that is no list; more texts than any list may have.
    pub(super) fn add_text(self, text: &[u8]) -> Result<(), Fault> {
        const MOST: usize = 4_096;
        match self {
            Self::List(place) if place.len() < MOST => place.push(text.to_vec()),
            Self::List(_) => return Err(imsp_status::OutOfRange.into()),
            _ => return Err(imsp_status::WrongType.into()),
        }
        Ok(())
    }
}

fn fitting<T: TryFrom<u64>>(number: u64) -> Result<T, Fault> {
    T::try_from(number).map_err(|_| imsp_status::OutOfRange.into())
}

/// # Errors
/// What is neither 0 nor 1.
pub(super) fn flag(number: u32) -> Result<bool, Fault> {
    match number {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(imsp_status::OutOfRange.into()),
    }
}

fn named<N: Number>(number: u64) -> Result<N, Fault> {
    let number = u32::try_from(number).map_err(|_| imsp_status::UnknownValue)?;
    N::read(number)
}

/// A count as a number of a fixed width.
pub(super) fn counted(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
