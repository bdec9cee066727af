//! Security agreement: Security-Client, Security-Server, Security-Verify.

use super::{
    Text,
    cursor::{Cursor, Param, Read},
    text::{
        WriteValue, put_flag, put_number_param, put_params, put_string_param, put_token,
        put_token_param,
    },
};
use crate::{
    drive::{Buffer, Defect, Reject, Unwritable},
    wire::{Params, defect, scan},
};

/// One security mechanism (RFC 3329 2.2, TS 33.203 Annex H, TS 24.229 7.2A.7).
#[derive(Clone, Copy, Debug, Default)]
pub struct SecurityMechanism<'a> {
    /// Its name: `ipsec-3gpp`, `tls`, `digest`, `sdes-srtp`…
    pub name: &'a [u8],
    /// `q`: the preference in thousandths, 0 to 1,000.
    pub q: Option<u16>,
    /// `alg`: the integrity algorithm.
    pub alg: Option<&'a [u8]>,
    /// `ealg`: the encryption algorithm.
    pub ealg: Option<&'a [u8]>,
    /// `prot`: `ah` or `esp`.
    pub prot: Option<&'a [u8]>,
    /// `mod`: the mode, `trans`, `tun` or `UDP-enc-tun`.
    pub mode: Option<&'a [u8]>,
    /// `spi-c`: the SPI of the inbound association at the protected client port.
    pub spi_c: Option<u32>,
    /// `spi-s`: the SPI of the inbound association at the protected server port.
    pub spi_s: Option<u32>,
    /// `port-c`: the protected client port.
    pub port_c: Option<u16>,
    /// `port-s`: the protected server port.
    pub port_s: Option<u16>,
    /// `d-alg`: the digest algorithm.
    pub d_alg: Option<&'a [u8]>,
    /// `d-qop`: the quality of protection of the digest.
    pub d_qop: Option<&'a [u8]>,
    /// `d-ver`: the digest that protects the agreement.
    pub d_ver: Option<Text<'a>>,
    /// `mediasec`: the mechanism is for media (TS 24.229 7.2A.7).
    pub mediasec: bool,
    /// All parameters as they stood. When written, of these only what no other field stands for.
    pub params: Params<'a>,
}

const OWN: [&[u8]; 13] = [
    b"q",
    b"alg",
    b"ealg",
    b"prot",
    b"mod",
    b"spi-c",
    b"spi-s",
    b"port-c",
    b"port-s",
    b"d-alg",
    b"d-qop",
    b"d-ver",
    b"mediasec",
];

impl<'a> Read<'a> for SecurityMechanism<'a> {
    const DEFECT: &'static Defect = &defect::SECURITY;

    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Reject> {
        let mut mechanism = Self {
            name: cursor.token(Self::DEFECT)?,
            ..Self::default()
        };
        mechanism.params = cursor.params(Self::DEFECT, |p| mechanism.take(p))?;
        Ok(mechanism)
    }
}

impl<'a> SecurityMechanism<'a> {
    /// Whether it has that name, in any case.
    #[must_use]
    pub fn is(&self, name: &[u8]) -> bool {
        scan::same_text(self.name, name)
    }

    fn take(&mut self, p: &Param<'a>) -> Result<(), Reject> {
        let defect = &defect::SECURITY;
        if p.is(b"q") {
            p.once(&mut self.q, p.value.and_then(thousandths), defect)
        } else if p.is(b"alg") {
            p.once(&mut self.alg, p.token(), defect)
        } else if p.is(b"ealg") {
            p.once(&mut self.ealg, p.token(), defect)
        } else if p.is(b"prot") {
            p.once(&mut self.prot, p.token(), defect)
        } else if p.is(b"mod") {
            p.once(&mut self.mode, p.token(), defect)
        } else if p.is(b"spi-c") {
            p.once(&mut self.spi_c, p.value.and_then(exact), defect)
        } else if p.is(b"spi-s") {
            p.once(&mut self.spi_s, p.value.and_then(exact), defect)
        } else if p.is(b"port-c") {
            p.once(&mut self.port_c, p.value.and_then(scan::port), defect)
        } else if p.is(b"port-s") {
            p.once(&mut self.port_s, p.value.and_then(scan::port), defect)
        } else if p.is(b"d-alg") {
            p.once(&mut self.d_alg, p.token(), defect)
        } else if p.is(b"d-qop") {
            p.once(&mut self.d_qop, p.token(), defect)
        } else if p.is(b"d-ver") {
            p.once(&mut self.d_ver, p.text(), defect)
        } else if p.is(b"mediasec") {
            p.flag(&mut self.mediasec)
        } else {
            Ok(())
        }
    }
}

/// A number below 2^32, leading zeros apart.
fn exact(digits: &[u8]) -> Option<u32> {
    let zeros = digits.iter().take_while(|b| **b == b'0').count();
    let significant = scan::after(digits, zeros);
    if significant.is_empty() && zeros > 0 {
        return Some(0);
    }
    if significant.is_empty() || scan::digits(significant) != significant.len() {
        return None;
    }
    core::str::from_utf8(significant).ok()?.parse().ok()
}

/// [RFC 3261 25.1] A qvalue in thousandths: 0 to 1 with three digits after the point at most.
pub(super) fn thousandths(value: &[u8]) -> Option<u16> {
    let (whole, decimals) = match value {
        [whole] => (whole, &[][..]),
        [whole, b'.', decimals @ ..] => (whole, decimals),
        _ => return None,
    };
    if decimals.len() > 3 || scan::digits(decimals) != decimals.len() {
        return None;
    }
    let fraction = decimals
        .iter()
        .chain(b"000")
        .take(3)
        .fold(0u16, |sum, digit| {
            sum.wrapping_mul(10)
                .wrapping_add(u16::from(digit.wrapping_sub(b'0')))
        });
    match (whole, fraction) {
        (b'0', fraction) => Some(fraction),
        (b'1', 0) => Some(1_000),
        _ => None,
    }
}

/// `;q=0.xyz`; more than 1,000 thousandths are unsafe.
pub(super) fn put_q(buffer: &mut Buffer, q: Option<u16>) {
    match q {
        None => {}
        Some(1_000) => buffer.put(b";q=1"),
        Some(q @ 0..1_000) => {
            let digit = |n: u16| b'0'.wrapping_add((n % 10) as u8);
            buffer.put(b";q=0.");
            buffer.put(&[digit(q / 100), digit(q / 10), digit(q)]);
        }
        Some(_) => buffer.fail(Unwritable::UnsafeValue),
    }
}

impl WriteValue for SecurityMechanism<'_> {
    fn write_value(&self, buffer: &mut Buffer) {
        put_token(buffer, self.name);
        put_q(buffer, self.q);
        put_token_param(buffer, b"alg", self.alg);
        put_token_param(buffer, b"ealg", self.ealg);
        put_token_param(buffer, b"prot", self.prot);
        put_token_param(buffer, b"mod", self.mode);
        put_number_param(buffer, b"spi-c", self.spi_c);
        put_number_param(buffer, b"spi-s", self.spi_s);
        put_number_param(buffer, b"port-c", self.port_c.map(u32::from));
        put_number_param(buffer, b"port-s", self.port_s.map(u32::from));
        put_token_param(buffer, b"d-alg", self.d_alg);
        put_token_param(buffer, b"d-qop", self.d_qop);
        put_string_param(buffer, b"d-ver", self.d_ver);
        put_flag(buffer, b"mediasec", self.mediasec);
        put_params(buffer, self.params, &OWN);
    }
}
