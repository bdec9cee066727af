//! [MS-7] What an MSC server registers a subscriber with: identities from the IMSI (TS 23.003 20.3), the instance ID
//! from the IMEI (RFC 7254, RFC 7255).
//!
//! ```
//! use ims_procedures::mscics::identities::{Imsi, MncLength, instance_id};
//!
//! # fn main() -> Result<(), ims_procedures::drive::Reject> {
//! let imsi = Imsi::new(b"234150999999999", MncLength::Two)?;
//! assert_eq!(imsi.home_domain(), b"ics.mnc015.mcc234.3gppnetwork.org");
//! assert_eq!(imsi.private_identity(), b"234150999999999@ics.mnc015.mcc234.3gppnetwork.org");
//! assert_eq!(&instance_id(b"490154203237518")?, b"urn:gsma:imei:49015420-323751-0");
//! # Ok(())
//! # }
//! ```

use alloc::vec::Vec;
use core::fmt;

use super::defect;
use crate::drive::{Defect, Reject};

/// [MS-7] Digits of the mobile network code, which an IMSI does not tell: the operator configures them for each network
/// (TS 23.003 20.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MncLength {
    /// Two, as in Europe: written with a leading 0 in domain names.
    Two,
    /// Three, as in North America.
    Three,
}

impl MncLength {
    const fn digits(self) -> usize {
        match self {
            Self::Two => 2,
            Self::Three => 3,
        }
    }
}

/// [MS-7] An IMSI that is known to be one. Its `Debug` shows no digit of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Imsi<'a> {
    digits: &'a [u8],
    mnc: MncLength,
}

impl fmt::Debug for Imsi<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Imsi({} digits)", self.digits.len())
    }
}

/// Digits of the mobile country code.
const MCC: usize = 3;
/// Digits of an IMSI at most.
const MOST_DIGITS: usize = 15;

impl<'a> Imsi<'a> {
    /// [MS-7] An IMSI of decimal digits: country and network code, and at least one digit of the subscriber; 15
    /// at most.
    ///
    /// # Errors
    /// [`Reject`] at the first byte that is no digit, or where a digit is missing or too much.
    pub fn new(digits: &'a [u8], mnc: MncLength) -> Result<Self, Reject> {
        check_digits(digits)?;
        let least = MCC.saturating_add(mnc.digits()).saturating_add(1);
        if digits.len() < least {
            return Err(Reject::new(&defect::IMSI_LENGTH, digits.len()));
        }
        if digits.len() > MOST_DIGITS {
            return Err(Reject::new(&defect::IMSI_LENGTH, MOST_DIGITS));
        }
        Ok(Self { digits, mnc })
    }

    /// [MS-7] The home network domain name: `ics.mnc015.mcc234.3gppnetwork.org` (TS 23.003 20.3.2).
    #[must_use]
    pub fn home_domain(&self) -> Vec<u8> {
        self.with_domain(&[])
    }

    /// [MS-7] The private user identity: the IMSI at the home network domain (TS 23.003 20.3.3).
    #[must_use]
    pub fn private_identity(&self) -> Vec<u8> {
        self.with_domain(&[self.digits, b"@"])
    }

    /// [MS-7] The temporary public user identity: the SIP URI of the private one (TS 23.003 20.3.4), by which the
    /// subscriber is registered.
    #[must_use]
    pub fn temporary_public_identity(&self) -> Vec<u8> {
        self.with_domain(&[b"sip:", self.digits, b"@"])
    }

    /// [MS-7] The conference factory URI (TS 23.003 20.3.5).
    #[must_use]
    pub fn conference_factory(&self) -> Vec<u8> {
        self.with_domain(&[b"sip:conf-factory."])
    }

    fn with_domain(&self, before: &[&[u8]]) -> Vec<u8> {
        let (mcc, rest) = self.digits.split_at_checked(MCC).unwrap_or_default();
        let mnc = rest.get(..self.mnc.digits()).unwrap_or_default();
        let pad: &[u8] = match self.mnc {
            MncLength::Two => b"0",
            MncLength::Three => b"",
        };
        let mut text = before.concat();
        for part in [b"ics.mnc", pad, mnc, b".mcc", mcc, b".3gppnetwork.org"] {
            text.extend_from_slice(part);
        }
        text
    }
}

/// Bytes of an [instance ID](instance_id).
pub const INSTANCE_ID_LEN: usize = 31;

/// Digits of the type allocation code.
const TAC: usize = 8;
/// Digits of an IMEI without its last: type allocation code and serial number.
const TAC_AND_SERIAL: usize = 14;

/// [MS-7] The instance ID of a mobile equipment: the URN of its IMEI, which in `+sip.instance` stands between `"<` and
/// `>"`. The same equipment has the same one whichever way its IMEI is known: the check digit does not go into it, the
/// spare digit is always 0, and there is no software version (RFC 7254, RFC 7255 5).
///
/// The IMEI is given as 14 digits; 15, with the check digit or with the spare digit 0 that is transmitted in its
/// place (TS 23.003 6.2.1); or 16 with the software version, the IMEISV, which has no check digit (6.2.2).
///
/// # Errors
/// [`Reject`] at the first byte that is no digit, where a digit is missing or too much, or at a check digit that
/// is another's.
pub fn instance_id(imei: &[u8]) -> Result<[u8; INSTANCE_ID_LEN], Reject> {
    check_digits(imei)?;
    let length = |at| Reject::new(&defect::IMEI_LENGTH, at);
    let Some((known, last)) = imei.split_at_checked(TAC_AND_SERIAL) else {
        return Err(length(imei.len()));
    };
    match last {
        [] | [b'0'] | [_, _] => {}
        [check] if *check == check_digit(known) => {}
        [_] => return Err(Reject::new(&defect::CHECK_DIGIT, TAC_AND_SERIAL)),
        _ => return Err(length(TAC_AND_SERIAL.saturating_add(2))),
    }
    let (tac, serial) = known.split_at_checked(TAC).unwrap_or_default();
    let mut urn = [0u8; INSTANCE_ID_LEN];
    let parts = [b"urn:gsma:imei:", tac, b"-", serial, b"-0"];
    let bytes = parts.into_iter().flatten();
    urn.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    Ok(urn)
}

/// The check digit of an IMEI by its other digits: that of Luhn (TS 23.003 annex B).
fn check_digit(known: &[u8]) -> u8 {
    let mut sum = 0u8;
    for (place, digit) in known.iter().enumerate() {
        let digit = digit.wrapping_sub(b'0');
        let weighed = match (place % 2, digit) {
            (0, digit) => digit,
            (_, digit @ 0..=4) => digit.saturating_mul(2),
            // The sum of the digits of its double.
            (_, digit) => digit.saturating_mul(2).saturating_sub(9),
        };
        sum = sum.saturating_add(weighed) % 10;
    }
    b'0'.saturating_add(10u8.saturating_sub(sum) % 10)
}

fn check_digits(digits: &[u8]) -> Result<(), Reject> {
    const DEFECT: &Defect = &defect::NOT_A_DIGIT;
    match digits.iter().position(|byte| !byte.is_ascii_digit()) {
        Some(at) => Err(Reject::new(DEFECT, at)),
        None => Ok(()),
    }
}
