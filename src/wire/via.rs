//! Via: the path a request has taken.

use core::fmt;

use super::{
    Host, Params, defect, name_addr,
    scan::{self, after, before, between, trim_start},
};
use crate::drive::Reject;

/// What a branch of RFC 3261 begins with (8.1.1.7).
pub const MAGIC_COOKIE: &[u8] = b"z9hG4bK";

/// One value of Via.
#[derive(Clone, Copy)]
pub struct Via<'a> {
    raw: &'a [u8],
    transport: &'a [u8],
    sent_by: &'a [u8],
    host: Host<'a>,
    port: Option<u16>,
    params: &'a [u8],
}

impl fmt::Debug for Via<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Via({} bytes)", self.raw.len())
    }
}

impl<'a> Via<'a> {
    /// [RFC 3261 20.42] Reads the values of one Via field. After an error there is nothing more.
    #[must_use]
    pub const fn parse_list(value: &'a [u8]) -> Vias<'a> {
        Vias {
            rest: value,
            total: value.len(),
            base: 0,
        }
    }

    /// The whole value as it stood.
    #[must_use]
    pub const fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// The transport as it stood: `UDP`, `TCP`, `TLS`…
    #[must_use]
    pub const fn transport(&self) -> &'a [u8] {
        self.transport
    }

    /// Host and port as they stood.
    #[must_use]
    pub const fn sent_by_raw(&self) -> &'a [u8] {
        self.sent_by
    }

    /// The host of sent-by.
    #[must_use]
    pub const fn host(&self) -> Host<'a> {
        self.host
    }

    /// The port of sent-by, where one is given.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// Its parameters.
    #[must_use]
    pub const fn params(&self) -> Params<'a> {
        Params::new(self.params)
    }

    /// The branch.
    #[must_use]
    pub fn branch(&self) -> Option<&'a [u8]> {
        self.params().value(b"branch")
    }

    /// The address the request came from, as the next element saw it (RFC 3261 18.2.1).
    #[must_use]
    pub fn received(&self) -> Option<&'a [u8]> {
        self.params().value(b"received")
    }

    /// `rport` (RFC 3581): `None` if absent, `Some(None)` if without a usable value.
    #[must_use]
    pub fn rport(&self) -> Option<Option<u16>> {
        let value = self.params().get(b"rport")?;
        Some(value.and_then(scan::port))
    }
}

/// The values of one Via field; see [`Via::parse_list`].
#[derive(Clone)]
pub struct Vias<'a> {
    rest: &'a [u8],
    total: usize,
    base: usize,
}

impl fmt::Debug for Vias<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vias({} bytes)", self.rest.len())
    }
}

impl<'a> Vias<'a> {
    /// The same list, whose errors count from `base` bytes before it.
    pub(super) const fn at(self, base: usize) -> Self {
        Self { base, ..self }
    }
}

impl<'a> Iterator for Vias<'a> {
    type Item = Result<Via<'a>, Reject>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.rest = trim_start(self.rest);
            match self.rest.first() {
                None => return None,
                Some(b',') => self.rest = after(self.rest, 1),
                Some(_) => break,
            }
        }
        let position = self
            .base
            .wrapping_add(self.total.wrapping_sub(self.rest.len()));
        match read(self.rest) {
            Ok((via, used)) => {
                self.rest = after(self.rest, used.wrapping_add(1));
                Some(Ok(via))
            }
            Err(reject) => {
                self.rest = &[];
                Some(Err(reject.shifted(position)))
            }
        }
    }
}

fn read(bytes: &[u8]) -> Result<(Via<'_>, usize), Reject> {
    let (transport, at) = read_protocol(bytes).ok_or(Reject::new(&defect::VIA_PROTOCOL, 0))?;
    let sent_by = after(bytes, at);
    let refuse = Reject::new(&defect::SENT_BY, at);
    let (host, used) = Host::leading(sent_by).map_err(|_| refuse)?;
    let mut end = at.wrapping_add(used);
    let mut port = None;
    let colon = end.wrapping_add(scan::lws(after(bytes, end)));
    if bytes.get(colon) == Some(&b':') {
        let digits_at = colon.wrapping_add(1);
        let digits_at = digits_at.wrapping_add(scan::lws(after(bytes, digits_at)));
        let digits = scan::digits(after(bytes, digits_at));
        end = digits_at.wrapping_add(digits);
        port = Some(scan::port(between(bytes, digits_at, end)).ok_or(refuse)?);
    }
    let params_at = end.wrapping_add(scan::lws(after(bytes, end)));
    let element_end = name_addr::params_end(bytes, end).map_err(|(what, at)| {
        let what = if what == &defect::AFTER_ADDRESS {
            &defect::AFTER_SENT_BY
        } else {
            what
        };
        Reject::new(what, at)
    })?;
    let via = Via {
        raw: scan::trim_end(before(bytes, element_end)),
        transport,
        sent_by: between(bytes, at, end),
        host,
        port,
        params: scan::trim_end(between(bytes, params_at, element_end)),
    };
    Ok((via, element_end))
}

/// `SIP/2.0/UDP ` with white space where the grammar allows it: the transport, and where sent-by begins.
fn read_protocol(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let total = bytes.len();
    let rest = match bytes.strip_prefix(b"SIP/2.0/") {
        Some(rest) => rest,
        None => {
            let (name, rest) = bytes.split_at_checked(3)?;
            let rest = trim_start(rest).strip_prefix(b"/")?;
            let rest = trim_start(rest).strip_prefix(b"2.0")?;
            name.eq_ignore_ascii_case(b"SIP").then_some(())?;
            trim_start(rest).strip_prefix(b"/")?
        }
    };
    let rest = trim_start(rest);
    let length = scan::run(rest, scan::TOKEN);
    let transport = before(rest, length);
    let space = after(rest, length);
    let sent_by = trim_start(space);
    if transport.is_empty() || sent_by.len() == space.len() {
        return None;
    }
    Some((transport, total.wrapping_sub(sent_by.len())))
}
