//! Where a user is, and who: P-Access-Network-Info, P-Visited-Network-ID, P-Served-User.

use core::fmt;

use super::{
    Text,
    cursor::{Cursor, Param, Read},
    text::{
        WriteValue, put_as_stood, put_flag, put_params, put_string, put_token, put_whole_param,
    },
};
use crate::{
    drive::{Buffer, Defect, Reject, Unwritable},
    wire::{NameAddr, Params, defect, scan},
};

/// One access network of P-Access-Network-Info (RFC 7315 4.4).
#[derive(Clone, Copy, Debug, Default)]
pub struct AccessNetwork<'a> {
    /// The access type (`3GPP-E-UTRAN-FDD`, `IEEE-802.11`…) or class (`3GPP-GERAN`…).
    pub access: &'a [u8],
    /// `network-provided`: the network says so, not the user agent.
    pub network_provided: bool,
    /// What belongs to it: cell identities, node identities, time zone…
    pub info: AccessInfo<'a>,
}

/// What belongs to an access network: parameters, and extensions that are a quoted string alone.
#[derive(Clone, Copy, Default)]
pub struct AccessInfo<'a> {
    raw: &'a [u8],
}

impl fmt::Debug for AccessInfo<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccessInfo({} bytes)", self.raw.len())
    }
}

const NETWORK_PROVIDED: &[u8] = b"network-provided";

impl<'a> AccessInfo<'a> {
    /// Parameters, each after a semicolon, quotes where they need them.
    #[must_use]
    pub const fn new(raw: &'a [u8]) -> Self {
        Self { raw }
    }

    /// The bytes as they stood, from the first semicolon on, `network-provided` included.
    #[must_use]
    pub const fn raw(self) -> &'a [u8] {
        self.raw
    }

    /// Each in order: name, and value with its quotes if there is one. The name of an extension that is a
    /// quoted string alone is that string with its quotes. What is not of the grammar ends them.
    pub fn iter(self) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> + use<'a> {
        let mut cursor = Cursor::new(self.raw, 0);
        core::iter::from_fn(move || {
            let param = next_info(&mut cursor)?.ok()?;
            Some((param.name, param.value))
        })
    }

    /// The value of the first of that name, in any case.
    #[must_use]
    pub fn get(self, name: &[u8]) -> Option<Text<'a>> {
        let mut found = self.iter().filter(|(n, _)| scan::same_text(n, name));
        found.find_map(|(_, value)| value).map(Text::as_stood)
    }
}

/// `";" ( name [ "=" value ] / quoted-string )`; `None` where no semicolon is next.
fn next_info<'a>(cursor: &mut Cursor<'a>) -> Option<Result<Param<'a>, Reject>> {
    let defect = &defect::ACCESS_NETWORK;
    if !cursor.separator(b';') {
        return None;
    }
    let at = cursor.at();
    let name = match cursor.rest().first() {
        Some(b'"') => cursor.quoted(defect),
        _ => return Some(cursor.param(defect)),
    };
    Some(name.map(|name| Param::alone(name, at)))
}

/// What must not have two readings: where the user is.
const CELLS: [&[u8]; 6] = [
    b"cgi-3gpp",
    b"utran-cell-id-3gpp",
    b"utran-sai-3gpp",
    b"i-wlan-node-id",
    b"ci-3gpp2",
    b"dsl-location",
];

impl<'a> Read<'a> for AccessNetwork<'a> {
    const DEFECT: &'static Defect = &defect::ACCESS_NETWORK;

    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Reject> {
        let access = cursor.token(Self::DEFECT)?;
        let mut network_provided = false;
        let mut cell = [None; CELLS.len()];
        cursor.white_space();
        let start = cursor.rest();
        while let Some(param) = next_info(cursor) {
            let param = param?;
            if param.is(NETWORK_PROVIDED) {
                param.flag(&mut network_provided)?;
            }
            let known = cell.iter_mut().zip(CELLS).find(|(_, n)| param.is(n));
            if let Some((place, _)) = known {
                param.once(place, param.text(), Self::DEFECT)?;
            }
        }
        let length = start.len().wrapping_sub(cursor.rest().len());
        Ok(Self {
            access,
            network_provided,
            info: AccessInfo::new(scan::trim_end(scan::before(start, length))),
        })
    }
}

impl<'a> AccessNetwork<'a> {
    /// [TS 24.229 7.2A.4] The cell or node that serves the user, by whatever parameter names it.
    #[must_use]
    pub fn cell(&self) -> Option<Text<'a>> {
        CELLS.into_iter().find_map(|name| self.info.get(name))
    }
}

/// `network-provided` is written where the field says so, whatever the information holds.
impl WriteValue for AccessNetwork<'_> {
    fn write_value(&self, buffer: &mut Buffer) {
        put_token(buffer, self.access);
        let mut cursor = Cursor::new(self.info.raw, 0);
        while let Some(Ok(param)) = next_info(&mut cursor) {
            if param.is(NETWORK_PROVIDED) {
                continue;
            }
            buffer.put(b";");
            match param.name.first() {
                Some(b'"') => put_as_stood(buffer, param.name),
                _ => put_whole_param(buffer, param.name, param.value),
            }
        }
        if !scan::trim(cursor.rest()).is_empty() {
            buffer.fail(Unwritable::UnsafeValue);
        }
        put_flag(buffer, NETWORK_PROVIDED, self.network_provided);
    }
}

/// One network of P-Visited-Network-ID (RFC 7315 4.3).
#[derive(Clone, Copy, Debug, Default)]
pub struct VisitedNetwork<'a> {
    /// Its name: a token or any text in quotes.
    pub name: Text<'a>,
    /// Its parameters.
    pub params: Params<'a>,
}

impl<'a> Read<'a> for VisitedNetwork<'a> {
    const DEFECT: &'static Defect = &defect::VISITED_NETWORK;

    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Reject> {
        let name = match cursor.rest().first() {
            Some(b'"') => cursor.quoted(Self::DEFECT)?,
            _ => cursor.token(Self::DEFECT)?,
        };
        Ok(Self {
            name: Text::as_stood(name),
            params: cursor.params(Self::DEFECT, |_| Ok(()))?,
        })
    }
}

impl WriteValue for VisitedNetwork<'_> {
    fn write_value(&self, buffer: &mut Buffer) {
        if scan::is_token(self.name.raw()) {
            buffer.put(self.name.raw());
        } else {
            put_string(buffer, self.name);
        }
        put_params(buffer, self.params, &[]);
    }
}

/// Which side of a session a user is served on (RFC 5502 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SessionCase {
    /// `orig`
    Originating,
    /// `term`
    Terminating,
}

/// The value of P-Served-User (RFC 5502, RFC 8498).
#[derive(Clone, Copy, Debug)]
pub struct ServedUser<'a> {
    /// The user who is served, with the parameters as they stood.
    pub user: NameAddr<'a>,
    /// `sescase`
    pub session_case: Option<SessionCase>,
    /// `regstate`: whether the user is registered.
    pub registered: Option<bool>,
    /// `orig-cdiv`: services of the originating side after a diversion (RFC 8498).
    pub orig_cdiv: bool,
}

impl<'a> Read<'a> for ServedUser<'a> {
    const DEFECT: &'static Defect = &defect::SERVED_USER;

    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Reject> {
        let (at, all) = (cursor.at(), cursor.advance(usize::MAX));
        let user = NameAddr::parse(all).map_err(|r| r.shifted(at))?;
        let mut served = Self {
            user,
            session_case: None,
            registered: None,
            orig_cdiv: false,
        };
        let params = user.params_raw();
        let params_at = at.wrapping_add(scan::trim_end(all).len().wrapping_sub(params.len()));
        let mut params = Cursor::new(params, params_at);
        params.params(Self::DEFECT, |p| served.take(p))?;
        match params.is_end() {
            true => Ok(served),
            false => Err(params.reject(Self::DEFECT)),
        }
    }
}

impl ServedUser<'_> {
    fn take(&mut self, p: &Param<'_>) -> Result<(), Reject> {
        let says = |text: &[u8]| p.token().is_some_and(|token| scan::same_text(token, text));
        if p.is(b"sescase") {
            let case = match () {
                () if says(b"orig") => Some(SessionCase::Originating),
                () if says(b"term") => Some(SessionCase::Terminating),
                () => None,
            };
            p.once(&mut self.session_case, case, &defect::SERVED_USER)
        } else if p.is(b"regstate") {
            let registered = match () {
                () if says(b"reg") => Some(true),
                () if says(b"unreg") => Some(false),
                () => None,
            };
            p.once(&mut self.registered, registered, &defect::SERVED_USER)
        } else if p.is(b"orig-cdiv") {
            p.flag(&mut self.orig_cdiv)
        } else {
            Ok(())
        }
    }
}

impl WriteValue for ServedUser<'_> {
    fn write_value(&self, buffer: &mut Buffer) {
        super::address::put_address(buffer, &self.user);
        match self.session_case {
            Some(SessionCase::Originating) => buffer.put(b";sescase=orig"),
            Some(SessionCase::Terminating) => buffer.put(b";sescase=term"),
            None => {}
        }
        match self.registered {
            Some(true) => buffer.put(b";regstate=reg"),
            Some(false) => buffer.put(b";regstate=unreg"),
            None => {}
        }
        put_flag(buffer, b"orig-cdiv", self.orig_cdiv);
        let own: [&[u8]; 3] = [b"sescase", b"regstate", b"orig-cdiv"];
        put_params(buffer, self.user.params(), &own);
    }
}
