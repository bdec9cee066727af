//! Messages that go from hop to hop, and that whoever passes a request on or begins a call writes itself.

use ims_procedures::{
    drive::{Buffer, Identifier, Limits},
    wire::{HeaderName, Message, Writer},
};

/// The ACK of a refusal of an INVITE that was sent from here (RFC 3261 17.1.1.3).
pub fn ack_of_refusal(invite: &Message<'_>, refusal: &Message<'_>) -> Option<Vec<u8>> {
    beside(invite, b"ACK", refusal)
}

/// The CANCEL of an INVITE that was sent from here (RFC 3261 9.1).
pub fn cancel(invite: &Message<'_>) -> Option<Vec<u8>> {
    beside(invite, b"CANCEL", invite)
}

/// A request that goes the way of an INVITE, with its topmost Via.
fn beside(invite: &Message<'_>, method: &[u8], to: &Message<'_>) -> Option<Vec<u8>> {
    let (via, cseq) = (invite.via().ok()?, invite.cseq().ok()?);
    let mut buffer = Buffer::new(Limits::default().message_bytes);
    let mut request = Writer::request(&mut buffer, method, invite.request_uri()?);
    request
        .header(HeaderName::Via, via.raw())
        .number(HeaderName::MaxForwards, 70)
        .copy(invite, HeaderName::Route)
        .copy(invite, HeaderName::From)
        .copy(to, HeaderName::To)
        .copy(invite, HeaderName::CallId)
        .cseq(cseq.number, method);
    request.finish();
    whole(buffer)
}

/// A response that has nothing but what every response has.
pub fn response(request: &Message<'_>, status: u16, tag: Option<Identifier>) -> Option<Vec<u8>> {
    written(|buffer| Writer::respond_to(buffer, request, status, tag).finish())
}

/// What `write` writes, if all of it could be.
pub fn written(write: impl FnOnce(&mut Buffer)) -> Option<Vec<u8>> {
    let mut buffer = Buffer::new(Limits::default().message_bytes);
    write(&mut buffer);
    whole(buffer)
}

/// What was written, if all of it could be.
pub fn whole(mut buffer: Buffer) -> Option<Vec<u8>> {
    let is_whole = buffer.take_fault().is_none();
    is_whole.then(|| buffer.as_slice().to_vec())
}
