//! What a CPM Participating Function sends.

use super::{Config, LegId, session::Words};
use crate::{
    dialog::Dialog,
    drive::{Buffer, Identifier},
    wire::{Element, HeaderName, Params, Writer, sdp},
};

/// What a BYE is made of.
pub(super) struct Bye<'a> {
    pub(super) leg: LegId,
    pub(super) dialog: Dialog<'a>,
    pub(super) cseq: u32,
    pub(super) branch: Identifier,
    pub(super) words: Words<'a>,
}

impl Bye<'_> {
    /// [CP-4, CP-6, CP-8] The BYE.
    pub(super) fn write(&self, config: &Config, buffer: &mut Buffer) {
        let Words { reason, uid } = self.words;
        let element = &config.element;
        let mut message = self
            .dialog
            .bye(buffer, element, self.cseq, self.branch, reason);
        write_uid(&mut message, self.leg, uid);
        if is_core(self.leg) {
            element.write_address(&mut message, HeaderName::PAssertedIdentity);
            element.write_charging_vector(&mut message, self.branch);
        }
        message.finish();
    }
}

/// What the answer to a BYE is made of.
pub(super) struct Final<'a> {
    pub(super) leg: LegId,
    /// What every response copies.
    pub(super) kept: &'a [u8],
    /// P-Charging-Vector of the BYE; empty for none.
    pub(super) charging: &'a [u8],
    /// Empty for none.
    pub(super) uid: &'a [u8],
}

impl Final<'_> {
    /// [CP-4, CP-8] The 200.
    pub(super) fn write(&self, config: &Config, buffer: &mut Buffer) {
        let element = &config.element;
        let mut message = Writer::respond_later(buffer, 200, self.kept);
        write_uid(&mut message, self.leg, self.uid);
        if is_core(self.leg) {
            element.write_address(&mut message, HeaderName::PAssertedIdentity);
            self.write_charging_vector(element, &mut message);
        }
        message.finish();
    }

    /// [RFC 7315 4.6] That of the request, and whose network has answered it.
    fn write_charging_vector(&self, element: &Element, message: &mut Writer<'_>) {
        let params = Params::new(self.charging);
        let name = HeaderName::PChargingVector;
        match self.charging {
            [] => message,
            charging if params.has(b"term-ioi") => message.header(name, charging),
            charging => message.parts(name, &[charging, b";term-ioi=", element.ioi()]),
        };
    }
}

/// What a re-INVITE that deletes streams, and its ACK, are made of.
pub(super) struct Reinvite<'a> {
    pub(super) dialog: Dialog<'a>,
    pub(super) cseq: u32,
    pub(super) branch: Identifier,
}

impl Reinvite<'_> {
    /// [CO-3, CT-3, CP-8] The re-INVITE, with the offer that another description becomes without these streams
    /// (RFC 3264 8.2).
    pub(super) fn write(
        &self,
        config: &Config,
        (agreed, deleted): (&sdp::Description<'_>, sdp::StreamSet),
        buffer: &mut Buffer,
    ) {
        let element = &config.element;
        let mut message = self
            .dialog
            .request(buffer, element, b"INVITE", self.cseq, self.branch);
        match self.dialog.local_contact {
            [] => element.write_address(&mut message, HeaderName::Contact),
            contact => _ = message.header(HeaderName::Contact, contact),
        }
        element.write_address(&mut message, HeaderName::PAssertedIdentity);
        element.write_charging_vector(&mut message, self.branch);
        message.body(b"application/sdp", |buffer| {
            agreed.put_without(deleted, buffer);
        });
    }

    /// [RFC 3261 13.2.2.4] The ACK of its 2xx, with a branch of its own.
    pub(super) fn write_ack(&self, config: &Config, buffer: &mut Buffer) {
        let element = &config.element;
        let message = self
            .dialog
            .request(buffer, element, b"ACK", self.cseq, self.branch);
        message.finish();
    }
}

/// [CP-8] (S3 L74, L77, L126, L130) Whether a leg leads through the SIP/IP core.
const fn is_core(leg: LegId) -> bool {
    !matches!(leg, LegId::Iwf(_))
}

/// [CP-4] (S3 L64, L72, L84, L109, L124) Message-UID stands in what goes to the served client, where there is a UID: S3
/// L124 has no condition, which is a slip.
fn write_uid(message: &mut Writer<'_>, leg: LegId, uid: &[u8]) {
    if leg == LegId::Client && !uid.is_empty() {
        message.header(HeaderName::MessageUid, uid);
    }
}
