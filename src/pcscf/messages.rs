//! What a P-CSCF sends.

use alloc::vec::Vec;

use super::{
    Config, NextHop,
    deregistration::Calling,
    registration::{Field, Strings},
};
use crate::{
    drive::{Buffer, Identifier},
    wire::{HeaderName, Writer, register::first_uri},
};

/// What one attempt of the deregistering REGISTER is made of.
pub(super) struct Register<'a> {
    pub(super) strings: &'a Strings,
    pub(super) private_identity: &'a [u8],
    pub(super) calling: Calling,
    pub(super) cseq: u32,
    pub(super) branch: Identifier,
}

impl Register<'_> {
    /// [PD-5] The REGISTER with Expires 0 (S0 L23).
    pub(super) fn write(&self, config: &Config, buffer: &mut Buffer) {
        let field = |field| self.strings.field(field);
        let element = &config.element;
        let identity = field(Field::PublicIdentity);
        let mut message = Writer::request(buffer, b"REGISTER", field(Field::HomeDomain));
        element
            .write_via(&mut message, self.branch)
            .number(HeaderName::MaxForwards, 70);
        let route = route(config, self.strings);
        if !route.is_empty() {
            message.header(HeaderName::Route, route);
        }
        message
            .parts(
                HeaderName::From,
                &[b"<", identity, b">;tag=", &self.calling.tag.text()],
            )
            .parts(HeaderName::To, &[b"<", identity, b">"])
            .header(HeaderName::CallId, &self.calling.call_id.text())
            .cseq(self.cseq, b"REGISTER")
            .parts(
                HeaderName::Contact,
                &[
                    b"<",
                    field(Field::Contact),
                    b">",
                    field(Field::ContactParams),
                    self.strings.features(),
                    b";expires=0",
                ],
            )
            .number(HeaderName::Expires, 0);
        self.write_authorization(config, &mut message);
        element.write_address(&mut message, HeaderName::PAssertedIdentity);
        if !field(Field::Path).is_empty() {
            message
                .header(HeaderName::Path, field(Field::Path))
                .header(HeaderName::Supported, b"path")
                .header(HeaderName::Require, b"path");
        }
        message.header(HeaderName::PVisitedNetworkId, &config.visited_network_id);
        element.write_charging_vector(&mut message, self.branch);
        message.finish();
    }

    /// The private identity, and that no authentication is asked of it (TS 24.229 5.4.1.2).
    fn write_authorization(&self, config: &Config, message: &mut Writer<'_>) {
        let mark: &[u8] = if config.integrity_protected {
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
                self.strings.field(Field::Realm),
                b"\",nonce=\"\",uri=\"",
                self.strings.field(Field::HomeDomain),
                b"\",response=\"\"",
                mark,
            ],
        );
    }
}

/// The Route of the REGISTER, if it has one.
pub(super) fn route<'a>(config: &Config, strings: &'a Strings) -> &'a [u8] {
    match config.next_hop {
        NextHop::HomeEntryPoint => b"",
        NextHop::ServiceRoute => strings.field(Field::ServiceRoute),
    }
}

/// [PD-5] Where the REGISTER goes, in order.
pub(super) fn next_hops<'a>(config: &'a Config, strings: &'a Strings) -> Vec<&'a [u8]> {
    if let Some(first) = first_uri(route(config, strings)) {
        return Vec::from([first]);
    }
    match config.entry_points.as_slice() {
        [] => Vec::from([strings.field(Field::HomeDomain)]),
        entry_points => entry_points.iter().map(Vec::as_slice).collect(),
    }
}
