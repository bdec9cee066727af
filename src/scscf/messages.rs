//! What an S-CSCF sends.

use alloc::boxed::Box;

use super::{
    Config,
    bindings::{Binding, Bindings, Field},
};
use crate::{
    drive::{Buffer, Identifier, Millis},
    wire::{HeaderName, Message, Writer},
};

/// [DR-5] What is kept of a REGISTER until it is answered: what its response copies, and what says whom and
/// what it names. `None` if that is longer than `limit`.
pub(super) fn kept(
    request: &Message<'_>,
    username: Option<&[u8]>,
    limit: usize,
) -> Option<Box<[u8]>> {
    const COPIED: [HeaderName; 8] = [
        HeaderName::Via,
        HeaderName::From,
        HeaderName::To,
        HeaderName::CallId,
        HeaderName::CSeq,
        HeaderName::Contact,
        HeaderName::Expires,
        HeaderName::Path,
    ];
    let mut buffer = Buffer::new(limit);
    let mut message = Writer::request(
        &mut buffer,
        b"REGISTER",
        request.request_uri().unwrap_or_default(),
    );
    for name in COPIED {
        message.copy(request, name);
    }
    if let Some(username) = username {
        let value: [&[u8]; 3] = [b"Digest username=\"", username, b"\""];
        message.parts(HeaderName::Authorization, &value);
    }
    message.finish();
    match buffer.fault() {
        None => Some(buffer.as_slice().into()),
        Some(_) => None,
    }
}

/// [SD-4] The 200 to a REGISTER that removed bindings: what remains, and what went with `expires=0`, which
/// RFC 3261 10.3 does not ask for but TS 24.229 5.4.1.4 does. What is bound again in the meantime stands
/// only once.
pub(super) fn removed(
    buffer: &mut Buffer,
    request: &Message<'_>,
    tag: Identifier,
    table: &Bindings,
    removed: &[u32],
    now: Millis,
) {
    let mut message = Writer::respond_to(buffer, request, 200, Some(tag));
    let gone = table
        .numbered(removed)
        .filter(|binding| !binding.is_active());
    for binding in table.active() {
        write_contact(&mut message, binding, now);
    }
    for binding in gone {
        let bound_again = |other: &Binding| other.field(Field::Uri) == binding.field(Field::Uri);
        if !table.active().any(bound_again) {
            write_contact(&mut message, binding, now);
        }
    }
    message.copy(request, HeaderName::Path);
    message.finish();
}

fn write_contact(message: &mut Writer<'_>, binding: &Binding, now: Millis) {
    message.value(HeaderName::Contact, |buffer| {
        buffer.put(b"<");
        buffer.put(binding.field(Field::Uri));
        buffer.put(b">");
        buffer.put(binding.field(Field::Params));
        buffer.put(b";expires=");
        buffer.put_number(binding.seconds_left(now));
    });
}

/// A response that has nothing to say but its status, and one header where it needs one.
pub(super) fn refusal(
    buffer: &mut Buffer,
    request: &Message<'_>,
    status: u16,
    tag: Identifier,
    header: Option<(HeaderName, &[u8])>,
) {
    let mut message = Writer::respond_to(buffer, request, status, Some(tag));
    if let Some((name, value)) = header {
        message.header(name, value);
    }
    message.finish();
}

/// What the third-party REGISTER to one application server is made of.
pub(super) struct ThirdParty<'a> {
    pub(super) server: &'a [u8],
    pub(super) identity: &'a [u8],
    pub(super) call_id: Identifier,
    pub(super) tag: Identifier,
    pub(super) branch: Identifier,
}

impl ThirdParty<'_> {
    /// [SD-4] The third-party REGISTER with Expires 0 (TS 24.229 5.4.1.7).
    pub(super) fn write(&self, config: &Config, buffer: &mut Buffer) {
        let element = &config.element;
        let mut message = Writer::request(buffer, b"REGISTER", self.server);
        element
            .write_via(&mut message, self.branch)
            .number(HeaderName::MaxForwards, 70)
            .parts(
                HeaderName::From,
                &[b"<", element.uri(), b">;tag=", &self.tag.text()],
            )
            .parts(HeaderName::To, &[b"<", self.identity, b">"])
            .header(HeaderName::CallId, &self.call_id.text())
            .cseq(1, b"REGISTER")
            .parts(HeaderName::Contact, &[b"<", element.uri(), b">;expires=0"])
            .number(HeaderName::Expires, 0);
        element.write_charging_vector(&mut message, self.branch);
        message.finish();
    }
}
