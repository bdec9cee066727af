//! The REGISTER of an MSC server.

use alloc::vec::Vec;

use super::{
    Config,
    registration::{Field, Strings},
};
use crate::{
    deregister::{Calling, Register, next_hops as hops_of},
    drive::Identifier,
};

/// [MS-3] One attempt of the REGISTER that deregisters a subscriber (S1 L25–43): as it was registered, with an expiry of
/// zero.
pub(super) fn register<'a>(
    config: &'a Config,
    strings: &'a Strings,
    requires_path: bool,
    calling: Calling,
    (cseq, branch): (u32, Identifier),
) -> Register<'a> {
    let field = |field| strings.field(field);
    Register {
        element: &config.element,
        home_domain: field(Field::HomeDomain),
        route: field(Field::Route),
        identity: field(Field::RegisteredIdentity),
        calling,
        cseq,
        branch,
        contact: field(Field::Contact),
        params: [field(Field::ContactParams), b""],
        zero: config.expires_in.zero(),
        private_identity: field(Field::PrivateIdentity),
        realm: field(Field::Realm),
        integrity_protected: config.integrity_protected,
        asserts: false,
        path: field(Field::Path),
        requires_path,
        visited_network_id: field(Field::VisitedNetworkId),
        access_network_info: field(Field::AccessNetworkInfo),
    }
}

/// [MS-3] Where it goes, in order.
pub(super) fn next_hops<'a>(config: &'a Config, strings: &'a Strings) -> Vec<&'a [u8]> {
    let field = |field| strings.field(field);
    hops_of(
        field(Field::Route),
        &config.entry_points,
        field(Field::HomeDomain),
    )
}
