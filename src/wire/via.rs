//! Via: the path a request has taken.

use core::fmt;

use super::{
    Host, Params, defect, name_addr,
    scan::{self, after, before, between, trim_start},
    uri::{HostPlace, MOST_BYTES, Span},
};
use crate::drive::Reject;

/// What a branch of RFC 3261 begins with (8.1.1.7).
pub const MAGIC_COOKIE: &[u8] = b"z9hG4bK";

/// One value of Via.
#[derive(Clone, Copy)]
pub struct Via<'a> {
    raw: &'a [u8],
    transport: Span,
    sent_by: Span,
    host: HostPlace,
    port: Option<u16>,
    /// Where the parameters begin.
    params: u16,
    branch: Span,
    received: Span,
    branches: u8,
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
    pub fn transport(&self) -> &'a [u8] {
        self.transport.of(self.raw)
    }

    /// Host and port as they stood.
    #[must_use]
    pub fn sent_by_raw(&self) -> &'a [u8] {
        self.sent_by.of(self.raw)
    }

    /// The host of sent-by.
    #[must_use]
    #[inline]
    pub fn host(&self) -> Host<'a> {
        let none = Host::Name(&[]);
        self.host.host(self.raw).unwrap_or(none)
    }

    /// The port of sent-by, where one is given.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// Its parameters.
    #[must_use]
    pub fn params(&self) -> Params<'a> {
        Params::new(after(self.raw, usize::from(self.params)))
    }

    /// The branch.
    #[must_use]
    pub fn branch(&self) -> Option<&'a [u8]> {
        self.branch.value(self.raw).map(scan::unquote)
    }

    /// Whether there is more than one branch.
    #[must_use]
    pub(super) const fn repeats_branch(&self) -> bool {
        self.branches > 1
    }

    /// The address the request came from, as the next element saw it (RFC 3261 18.2.1).
    #[must_use]
    pub fn received(&self) -> Option<&'a [u8]> {
        self.received.value(self.raw).map(scan::unquote)
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

    /// What follows the values read so far, without the commas and white space that it begins with.
    pub(crate) fn rest(mut self) -> &'a [u8] {
        self.advance();
        self.rest
    }

    /// Goes to the start of the next value; false if there is none.
    fn advance(&mut self) -> bool {
        loop {
            self.rest = trim_start(self.rest);
            match self.rest.first() {
                None => return false,
                Some(b',') => self.rest = after(self.rest, 1),
                Some(_) => return true,
            }
        }
    }
}

impl<'a> Iterator for Vias<'a> {
    type Item = Result<Via<'a>, Reject>;

    fn next(&mut self) -> Option<Self::Item> {
        if !self.advance() {
            return None;
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
    let host_end = at.wrapping_add(used);
    let mut end = host_end;
    let mut port = None;
    let colon = end.wrapping_add(scan::lws(after(bytes, end)));
    if bytes.get(colon) == Some(&b':') {
        let digits_at = colon.wrapping_add(1);
        let digits_at = digits_at.wrapping_add(scan::lws(after(bytes, digits_at)));
        let digits = scan::digits(after(bytes, digits_at));
        end = digits_at.wrapping_add(digits);
        port = Some(scan::port(between(bytes, digits_at, end)).ok_or(refuse)?);
    }
    let (mut branch, mut received, mut branches) = (Span::NONE, Span::NONE, 0u8);
    let walked = name_addr::walk_params(bytes, end, |name, value| match name.len() {
        6 if scan::is_name(b"branch", name) => {
            if branches == 0 {
                branch = value;
            }
            branches = branches.saturating_add(1);
        }
        8 if scan::is_name(b"received", name) && !received.is_given() => {
            received = value;
        }
        _ => {}
    });
    let (params_at, element_end) = walked.map_err(|(what, at)| {
        let what = if what == &defect::AFTER_ADDRESS {
            &defect::AFTER_SENT_BY
        } else {
            what
        };
        Reject::new(what, at)
    })?;
    if element_end > MOST_BYTES {
        return Err(Reject::new(&defect::VALUE_TOO_LONG, MOST_BYTES));
    }
    let via = Via {
        raw: scan::trim_end(before(bytes, element_end)),
        transport,
        sent_by: Span::new(at, end),
        host: HostPlace::new(&host, Span::new(at, host_end)),
        port,
        params: params_at as u16,
        branch,
        received,
        branches,
    };
    Ok((via, element_end))
}

/// `SIP/2.0/UDP ` with white space where the grammar allows it: where the transport stands, and where sent-by
/// begins.
#[inline]
fn read_protocol(bytes: &[u8]) -> Option<(Span, usize)> {
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
    let length = rest
        .iter()
        .position(|b| !scan::is(*b, scan::TOKEN))
        .unwrap_or(rest.len());
    let from = total.wrapping_sub(rest.len());
    let space = after(rest, length);
    let sent_by = trim_start(space);
    if length == 0 || sent_by.len() == space.len() {
        return None;
    }
    let transport = Span::new(from, from.wrapping_add(length));
    Some((transport, total.wrapping_sub(sent_by.len())))
}
