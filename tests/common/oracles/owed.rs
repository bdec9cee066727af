//! [RFC 3261 8.2.6] [RFC 3261 21.4] Whatever is answered to a request that is not taken can be read, finds its
//! way back, and is no larger than the request by more than a little.

use ims_procedures::{
    drive::{Buffer, Identifier, Identifiers, Limits, Reject},
    wire::{
        Accepts, Header, HeaderName, Message, Method, Reply, answer_refused, defect, status_owed,
        validate,
    },
};

use super::{reference, shown};

fn tag() -> Identifier {
    Identifiers::new([7; 32], 1, 0).next()
}

/// [RFC 3261 18.3] The answer to bytes that could not be read, where there is one.
pub fn refused(bytes: &[u8], limits: &Limits, reject: Reject) {
    let mut buffer = Buffer::new(bytes.len() + 1_024);
    if !answer_refused(bytes, limits, reject, Some(tag()), &mut buffer) {
        assert!(buffer.is_empty(), "half an answer");
        return;
    }
    assert!(buffer.len() <= bytes.len() + 256, "an amplifier");
    let response = is_an_answer(buffer.as_slice(), limits);
    let owed = status_owed(reject.defect);
    if reject.defect == &defect::VERSION {
        assert!(matches!(response.status(), Some(505 | 400)));
    } else {
        assert_eq!(response.status(), owed, "{reject}");
    }
    // Of another version the Via may be one that is not read here.
    if is_of_this_version(bytes) {
        leads_back(&response);
    }
    for name in [HeaderName::CallId, HeaderName::CSeq, HeaderName::From] {
        let value = response.header(name).expect("it is copied").raw();
        let stands = bytes.windows(value.len().max(1)).any(|part| part == value);
        assert!(stands || value.is_empty(), "{}", shown(value));
    }
}

fn is_of_this_version(bytes: &[u8]) -> bool {
    let mut lines = bytes.split(|byte| *byte == b'\n').map(reference::trimmed);
    let first = lines.find(|line| !line.is_empty()).unwrap_or_default();
    first.to_ascii_uppercase().ends_with(b" SIP/2.0")
}

/// [RFC 3261 8.2] What is owed for a message that could be read, by elements that take little.
pub fn not_taken(message: &Message<'_>, limits: &Limits) {
    let methods = [Method::Register, Method::Notify];
    let little = Accepts::server()
        .methods(&methods)
        .content_types(&[b"application/reginfo+xml"])
        .uri_bytes(60)
        .body_bytes(600);
    for accepts in [Accepts::server(), Accepts::proxy(), little] {
        let owed = match validate(message, &accepts) {
            Ok(required) => {
                assert_eq!(message.method(), Some(required.method));
                assert_eq!(message.call_id(), Ok(required.call_id));
                continue;
            }
            Err(owed) => owed,
        };
        assert!(owed.reject().at as usize <= message.bytes().len());
        let mut buffer = Buffer::new(message.bytes().len() * 3 + 1_024);
        owed.write(&mut buffer, message, Some(tag()));
        assert_eq!(buffer.fault(), None);
        let Some(status) = owed.status() else {
            assert!(buffer.is_empty(), "nothing is owed");
            continue;
        };
        assert!(message.is_request() && message.method() != Some(Method::Ack));
        if buffer.len() <= limits.message_bytes && message.header_count() < limits.headers {
            let response = is_an_answer(buffer.as_slice(), limits);
            assert_eq!(response.status(), Some(status));
            leads_back(&response);
            assert_eq!(
                response.header(HeaderName::CallId).map(Header::raw),
                message.header(HeaderName::CallId).map(Header::raw)
            );
        }
    }
    if message.status().is_some() {
        let reply = Reply::read(message);
        if let Ok(reply) = reply {
            assert_eq!(Some(reply.status), message.status());
            assert_eq!(reply.vias, message.vias().count());
        }
    }
}

/// It is a whole response, and nothing else.
fn is_an_answer<'a>(bytes: &'a [u8], limits: &Limits) -> Message<'a> {
    let response = Message::parse(bytes, limits)
        .unwrap_or_else(|reject| panic!("our own answer: {reject}: {}", shown(bytes)));
    assert!(matches!(response.status(), Some(400..=699)));
    assert_eq!(response.end(), bytes.len());
    assert!(response.body().is_empty());
    response
}

fn leads_back(response: &Message<'_>) {
    let via = response.via();
    assert!(via.is_ok(), "{via:?}: {}", shown(response.bytes()));
}
