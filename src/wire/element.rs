//! The element on whose behalf messages are written.

use alloc::vec::Vec;
use core::ops::Range;

use super::{HeaderName, Scheme, Uri, Writer};
use crate::drive::{ConfigError, Identifier, UDP_LIMIT};

/// A SIP element as it names itself: its URI, and what follows from it (Via sent-by, the host of its
/// charging identifiers), and its operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    uri: Vec<u8>,
    sent_by: Range<usize>,
    host: Range<usize>,
    ioi: Vec<u8>,
    udp_limit: usize,
}

impl Element {
    /// An element with a SIP URI, and the inter operator identifier that its charging vectors carry
    /// (RFC 7315 4.6.2: a token, host or quoted string).
    ///
    /// # Errors
    /// [`ConfigError`] if the URI is no SIP or SIPS URI with a host, has parameters or headers, or if the
    /// identifier could not stand in a header.
    pub fn new(uri: &[u8], ioi: &[u8]) -> Result<Self, ConfigError> {
        let refuse = |field, what| ConfigError { field, what };
        let parsed = Uri::parse(uri).map_err(|_| refuse("uri", "not a SIP URI"))?;
        if !matches!(parsed.scheme(), Scheme::Sip | Scheme::Sips) || parsed.host().is_none() {
            return Err(refuse("uri", "not a SIP URI with a host"));
        }
        if memchr::memchr2(b';', b'?', uri).is_some() {
            return Err(refuse("uri", "parameters and headers do not belong here"));
        }
        let quoted = ioi.len() > 1 && ioi.first() == Some(&b'"') && ioi.last() == Some(&b'"');
        let forbidden: &[u8] = if quoted {
            b"\r\n\0\\"
        } else {
            b"\r\n\0\\\";, \t"
        };
        if ioi.is_empty() || ioi.iter().any(|byte| forbidden.contains(byte)) {
            return Err(refuse("ioi", "not a token, host or quoted string"));
        }
        let start = memchr::memchr(b'@', uri)
            .or_else(|| memchr::memchr(b':', uri))
            .map_or(0, |at| at.saturating_add(1));
        let port = match memchr::memrchr(b':', uri) {
            Some(at) if parsed.port().is_some() => at,
            _ => uri.len(),
        };
        Ok(Self {
            uri: uri.to_vec(),
            sent_by: start..uri.len(),
            host: start..port,
            ioi: ioi.to_vec(),
            udp_limit: UDP_LIMIT,
        })
    }

    /// The same element where the paths to its peers are known to bear UDP datagrams of so many bytes
    /// (RFC 3261 18.1.1); without it 1,300 are assumed. Larger requests say that they need TCP.
    #[must_use]
    pub fn with_udp_limit(self, udp_limit: usize) -> Self {
        Self { udp_limit, ..self }
    }

    /// The size in bytes past which a request needs a congestion-controlled transport.
    #[must_use]
    pub const fn udp_limit(&self) -> usize {
        self.udp_limit
    }

    /// Its URI.
    #[must_use]
    pub fn uri(&self) -> &[u8] {
        &self.uri
    }

    /// Host and port, as a Via or Contact of its own names them.
    #[must_use]
    pub fn sent_by(&self) -> &[u8] {
        self.uri.get(self.sent_by.clone()).unwrap_or_default()
    }

    /// The host alone.
    #[must_use]
    pub fn host(&self) -> &[u8] {
        self.uri.get(self.host.clone()).unwrap_or_default()
    }

    /// The inter operator identifier.
    #[must_use]
    pub fn ioi(&self) -> &[u8] {
        &self.ioi
    }

    /// Writes its Via.
    pub fn write_via<'w, 'b>(
        &self,
        writer: &'w mut Writer<'b>,
        branch: Identifier,
    ) -> &'w mut Writer<'b> {
        writer.via_within(self.sent_by(), branch, self.udp_limit)
    }

    /// Writes P-Charging-Vector with this identifier as the ICID, and the operator as the originating one
    /// (RFC 7315 4.6, TS 24.229 7.2A.5).
    pub fn write_charging_vector(&self, writer: &mut Writer<'_>, icid: Identifier) {
        writer.parts(
            HeaderName::PChargingVector,
            &[
                b"icid-value=",
                &icid.text(),
                b";icid-generated-at=",
                self.host(),
                b";orig-ioi=",
                self.ioi(),
            ],
        );
    }

    /// Writes the header with the element's URI in angle brackets.
    pub fn write_address(&self, writer: &mut Writer<'_>, name: HeaderName) {
        writer.parts(name, &[b"<", self.uri(), b">"]);
    }
}
