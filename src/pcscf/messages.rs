//! What a P-CSCF sends.

use alloc::vec::Vec;

use super::{
    Config, NextHop,
    registration::{Field, Strings},
};
use crate::{
    deregister::{Calling, Register, Zero, next_hops as hops_of},
    drive::Identifier,
};

/// [PD-5] One attempt of the deregistering REGISTER (S0 L23).
pub(super) fn register<'a>(
    config: &'a Config,
    strings: &'a Strings,
    private_identity: &'a [u8],
    calling: Calling,
    (cseq, branch): (u32, Identifier),
) -> Register<'a> {
    let field = |field| strings.field(field);
    Register {
        element: &config.element,
        home_domain: field(Field::HomeDomain),
        route: route(config, strings),
        identity: field(Field::PublicIdentity),
        calling,
        cseq,
        branch,
        contact: field(Field::Contact),
        params: [field(Field::ContactParams), strings.features()],
        zero: Zero {
            header: true,
            param: true,
        },
        private_identity,
        realm: field(Field::Realm),
        integrity_protected: config.integrity_protected,
        asserts: true,
        path: field(Field::Path),
        requires_path: true,
        visited_network_id: &config.visited_network_id,
        access_network_info: b"",
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
    let home_domain = strings.field(Field::HomeDomain);
    hops_of(route(config, strings), &config.entry_points, home_domain)
}
