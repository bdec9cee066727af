//! Messages that go from hop to hop, and that whoever passes a request on or begins a call writes itself.

use ims_procedures::{
    drive::{Buffer, Identifier, Limits, Millis},
    wire::{Accepts, HeaderName, Message, Method, Writer, validate},
};

use crate::{outside::Outside, way_back::Stamped};

/// Seconds after which there may be room again.
const LATER: u64 = 10;

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

/// The response to a request for which there is no room now.
pub fn busy(request: &Message<'_>, tag: Identifier) -> Option<Vec<u8>> {
    written(|buffer| {
        let mut response = Writer::respond_to(buffer, request, 503, Some(tag));
        response.number(HeaderName::RetryAfter, LATER);
        response.finish();
    })
}

/// Whether a request is in order, and asks for nothing that is not there. If not, the response that it is owed, if any.
pub fn check(
    request: &Message<'_>,
    accepts: &Accepts<'_>,
    tag: Identifier,
) -> Result<(), Option<Vec<u8>>> {
    let Err(owed) = validate(request, accepts) else {
        return Ok(());
    };
    Err(owed
        .status()
        .and_then(|_| written(|buffer| owed.write(buffer, request, Some(tag)))))
}

/// The response to a request that nobody here takes: 200, if it is of one of these methods and asks for nothing. `None` if
/// it cannot be answered.
pub fn other(request: &Message<'_>, methods: &[Method<'_>], tag: Identifier) -> Option<Vec<u8>> {
    match check(request, &Accepts::server().methods(methods), tag) {
        Ok(()) => response(request, 200, Some(tag)),
        Err(owed) => owed,
    }
}

/// Answers a request with a status alone, and a tag that is always the same: what is answered without memory must be
/// answered the same again (RFC 3261 8.2.7). Nothing answers an ACK.
pub fn refuse(now: Millis, message: &Stamped, status: u16, tag: Identifier, outside: &mut Outside) {
    let request = Message::parse(&message.bytes, &Limits::default());
    let response = request
        .ok()
        .filter(|request| request.method() != Some(Method::Ack))
        .and_then(|request| response(&request, status, Some(tag)));
    if let Some(response) = response {
        outside.send(now, message.back, &response);
    }
}

/// Lines put below the first one.
pub fn with_lines(message: &[u8], lines: &str) -> Vec<u8> {
    let first = message.windows(2).position(|pair| pair == b"\r\n");
    let (first, rest) = message.split_at(first.map_or(0, |at| at + 2));
    [first, lines.as_bytes(), rest].concat()
}

/// The field for a body of a message that has none.
pub fn content_length(body: &[u8]) -> String {
    format!("Content-Length: {}\r\n", body.len())
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
