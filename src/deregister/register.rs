//! [PD-5, MS-3] The REGISTER by which an element deregisters a user.

use alloc::vec::Vec;

use super::Calling;
use crate::{
    drive::{Buffer, Identifier},
    wire::{Element, HeaderName, Writer, register::first_uri},
};

/// What one attempt is made of. What is empty is left out.
#[derive(Clone, Copy)]
pub(crate) struct Register<'a> {
    pub(crate) element: &'a Element,
    /// The Request-URI: the home domain.
    pub(crate) home_domain: &'a [u8],
    pub(crate) route: &'a [u8],
    /// The public identity of From and To.
    pub(crate) identity: &'a [u8],
    pub(crate) calling: Calling,
    pub(crate) cseq: u32,
    pub(crate) branch: Identifier,
    /// The URI of the contact.
    pub(crate) contact: &'a [u8],
    /// Its parameters, from the first `;`, but for `expires`: one after the other.
    pub(crate) params: [&'a [u8]; 2],
    /// Where the expiry of zero stands.
    pub(crate) zero: Zero,
    pub(crate) private_identity: &'a [u8],
    pub(crate) realm: &'a [u8],
    /// Whether Authorization says that no authentication is asked for.
    pub(crate) integrity_protected: bool,
    /// Whether the element asserts its own identity.
    pub(crate) asserts: bool,
    pub(crate) path: &'a [u8],
    /// Whether Path is demanded.
    pub(crate) requires_path: bool,
    pub(crate) visited_network_id: &'a [u8],
    pub(crate) access_network_info: &'a [u8],
}

/// Where a REGISTER says that it removes its contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Zero {
    /// In Expires.
    pub(crate) header: bool,
    /// In the parameter of the contact.
    pub(crate) param: bool,
}

impl Register<'_> {
    /// [PD-5, MS-3] The REGISTER with an expiry of zero (S0 L23, S1 L25–43).
    pub(crate) fn write(&self, buffer: &mut Buffer) {
        let element = self.element;
        let mut message = Writer::request(buffer, b"REGISTER", self.home_domain);
        element
            .write_via(&mut message, self.branch)
            .number(HeaderName::MaxForwards, 70);
        if !self.route.is_empty() {
            message.header(HeaderName::Route, self.route);
        }
        let [own, features] = self.params;
        let expires: &[u8] = if self.zero.param { b";expires=0" } else { b"" };
        message
            .parts(
                HeaderName::From,
                &[b"<", self.identity, b">;tag=", &self.calling.tag.text()],
            )
            .parts(HeaderName::To, &[b"<", self.identity, b">"])
            .header(HeaderName::CallId, &self.calling.call_id.text())
            .cseq(self.cseq, b"REGISTER")
            .parts(
                HeaderName::Contact,
                &[b"<", self.contact, b">", own, features, expires],
            );
        if self.zero.header {
            message.number(HeaderName::Expires, 0);
        }
        self.write_authorization(&mut message);
        if self.asserts {
            element.write_address(&mut message, HeaderName::PAssertedIdentity);
        }
        if !self.path.is_empty() {
            message
                .header(HeaderName::Path, self.path)
                .header(HeaderName::Supported, b"path");
            if self.requires_path {
                message.header(HeaderName::Require, b"path");
            }
        }
        if !self.visited_network_id.is_empty() {
            message.header(HeaderName::PVisitedNetworkId, self.visited_network_id);
        }
        if !self.access_network_info.is_empty() {
            message.header(HeaderName::PAccessNetworkInfo, self.access_network_info);
        }
        element.write_charging_vector(&mut message, self.branch);
        message.finish();
    }

    /// The private identity, and that no authentication is asked of it (TS 24.229 7.2A.2).
    fn write_authorization(&self, message: &mut Writer<'_>) {
        let mark: &[u8] = if self.integrity_protected {
            b",integrity-protected=\"auth-done\""
        } else {
            b""
        };
        message.parts(
            HeaderName::Authorization,
            &[
                b"Digest username=\"",
                self.private_identity,
                b"\",realm=\"",
                self.realm,
                b"\",nonce=\"\",uri=\"",
                self.home_domain,
                b"\",response=\"\"",
                mark,
            ],
        );
    }
}

/// [PD-5, MS-3] Where a REGISTER goes, in order: the first of its Route, else the entry points of the home network, else
/// what the home domain resolves to.
pub(crate) fn next_hops<'a>(
    route: &'a [u8],
    entry_points: &'a [Vec<u8>],
    home_domain: &'a [u8],
) -> Vec<&'a [u8]> {
    if let Some(first) = first_uri(route) {
        return Vec::from([first]);
    }
    match entry_points {
        [] => Vec::from([home_domain]),
        entry_points => entry_points.iter().map(Vec::as_slice).collect(),
    }
}
