//! [DR-4] Any bytes as a SIP message: read, every value looked at, copied, answered.

#![no_main]

use ims_procedures::{
    drive::{Buffer, Identifiers, Limits},
    wire::{Contact, Edit, HeaderName, Message, NameAddr, Params, Uri, Writer, rewrite},
};
use libfuzzer_sys::fuzz_target;
use std::hint::black_box;

const LISTS: [HeaderName; 8] = [
    HeaderName::Contact,
    HeaderName::Path,
    HeaderName::Route,
    HeaderName::RecordRoute,
    HeaderName::ServiceRoute,
    HeaderName::PAssertedIdentity,
    HeaderName::PAssociatedUri,
    HeaderName::Other,
];

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits::default();
    let framed = Message::frame(bytes, &limits);
    let Ok(message) = Message::parse(bytes, &limits) else {
        return;
    };
    assert!(message.header_count() <= limits.headers);
    if let Ok(Some(length)) = framed {
        assert_eq!(length, message.end(), "stream and datagram disagree");
    }
    read_everything(&message);
    copy(&message);
    answer(&message, &limits);
});

fn read_everything(message: &Message<'_>) {
    if let Some(Ok(uri)) = message.request_uri().map(Uri::parse) {
        look_at_uri(&uri);
    }
    if let Ok(via) = message.via() {
        let topmost = message.vias().next().expect("a Via").expect("the same Via");
        assert_eq!(via.branch(), topmost.branch());
    }
    for via in message.vias().flatten() {
        black_box((
            via.host(),
            via.port(),
            via.received(),
            via.rport(),
            via.transport(),
        ));
        look_at_params(via.params());
    }
    for party in [message.from(), message.to()].into_iter().flatten() {
        look_at_address(&party);
    }
    for contact in message.contacts().flatten() {
        if let Contact::Addr(contact) = contact {
            look_at_address(&contact);
        }
    }
    for name in LISTS {
        for address in message.name_addrs(name).flatten() {
            look_at_address(&address);
        }
        black_box(message.lists(name, b"path"));
    }
    if let Ok(Some(credentials)) = message.authorization() {
        black_box((
            credentials.username(),
            credentials.realm(),
            credentials.uri(),
        ));
        black_box((credentials.nonce(), credentials.response()));
        black_box((
            credentials.integrity_protected(),
            credentials.params().count(),
        ));
    }
    if let Ok(cseq) = message.cseq() {
        assert!(cseq.number < 1 << 31, "RFC 3261 8.1.1.5");
    }
    let _ = black_box(message.call_id());
    let _ = black_box(message.event());
    let _ = black_box(message.subscription_state());
    let _ = black_box(message.expires_checked());
    black_box((message.expires(), message.min_expires()));
    black_box((message.retry_after(), message.max_forwards()));
    black_box(message.content_type_is(b"application/reginfo+xml"));
    for field in message.fields() {
        black_box((field.value.token(), field.value.elements().count()));
        look_at_params(field.value.params());
        assert!(message.header_named(field.raw_name).is_some());
    }
}

fn look_at_address(address: &NameAddr<'_>) {
    black_box((address.display(), address.tag()));
    look_at_params(address.params());
    look_at_uri(&address.uri());
}

fn look_at_uri(uri: &Uri<'_>) {
    black_box((
        uri.password(),
        uri.effective_port(),
        uri.headers(),
        uri.is_loose_router(),
    ));
    look_at_params(uri.params());
    if uri.host().is_some() {
        assert!(uri.same_host_port(uri));
    }
    let again = Uri::parse(uri.raw()).expect("what was a URI is one");
    assert_eq!(
        uri.equivalent(&again),
        again.equivalent(uri),
        "not symmetric"
    );
}

fn look_at_params(params: Params<'_>) {
    for (name, value) in params.iter() {
        assert!(params.has(name));
        black_box((params.number(name), params.repeats(name), value));
    }
}

/// [IB-1] Without an edit, a copy is the message, byte for byte.
fn copy(message: &Message<'_>) {
    let mut copied = Buffer::new(message.bytes().len());
    rewrite(message, &mut copied, |_| Edit::Keep);
    assert_eq!(copied.fault(), None);
    assert_eq!(copied.as_slice(), &message.bytes()[..message.end()]);
}

/// [RFC 3261 8.2.6.2] A response to any request can be read, and is a response to that request.
fn answer(message: &Message<'_>, limits: &Limits) {
    if !message.is_request() {
        return;
    }
    let tag = Identifiers::new([7; 32], 1, 0).next();
    let mut buffer = Buffer::new(message.bytes().len() * 3 + 1_024);
    Writer::respond_to(&mut buffer, message, 481, Some(tag)).finish();
    assert_eq!(buffer.fault(), None);
    if buffer.len() > limits.message_bytes {
        return;
    }
    let response = Message::parse(buffer.as_slice(), limits).expect("our own response");
    assert_eq!(response.status(), Some(481));
    assert_eq!(response.call_id().ok(), message.call_id().ok());
    if let Ok(asked) = message.cseq() {
        assert_eq!(response.cseq(), Ok(asked));
    }
    assert_eq!(response.vias().count(), message.vias().count());
    if let (Ok(asked), Ok(answered)) = (message.to(), response.to()) {
        assert!(answered.params().has(b"tag"));
        assert_eq!(asked.uri_bytes(), answered.uri_bytes());
    }
}
