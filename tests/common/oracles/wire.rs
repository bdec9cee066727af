//! [DR-4] Any bytes as a SIP message: read, every value looked at, copied, answered.

use ims_procedures::{
    drive::{Buffer, Identifiers, Limits, Reject},
    wire::{
        Contact, Edit, Header, HeaderName, Message, NameAddr, Params, Uri, Writer, affinity,
        rewrite,
    },
};
use std::hint::black_box;

use super::{owed, reference, shown};

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

/// [DR-4] [RFC 3261 7] [IB-1] Bytes are refused at one of them, or read as a plain reader reads them; what is
/// read is copied byte for byte, and a request can be answered, read or not.
pub fn wire(bytes: &[u8]) {
    let limits = Limits::default();
    let shard = affinity(bytes);
    let message = match Message::parse(bytes, &limits) {
        Ok(message) => message,
        Err(reject) => {
            lies_within(reject, bytes);
            return owed::refused(bytes, &limits, reject);
        }
    };
    assert!(shard.is_some() || message.call_id().is_err(), "[DR-8]");
    reads_as_the_reference(&message);
    read_everything(&message);
    copy(&message);
    answer(&message, &limits);
    owed::not_taken(&message, &limits);
}

fn lies_within(reject: Reject, bytes: &[u8]) {
    assert!(reject.at as usize <= bytes.len(), "{reject}");
}

/// [RFC 3261 7.3] The table of header fields is what a reader without any art makes of the same bytes.
fn reads_as_the_reference(message: &Message<'_>) {
    let bytes = message.bytes();
    let head = reference::head(bytes);
    assert_eq!(message.head_end(), head.end);
    assert_eq!(message.header_count(), head.lines.len());
    assert_eq!(message.fields().count(), head.lines.len());
    for (field, line) in message.fields().zip(&head.lines) {
        assert_eq!((field.line.start, field.line.end), (line.start, line.end));
        assert_eq!(shown(field.raw_name), shown(&line.name));
        assert_eq!(shown(field.value.raw()), shown(&line.value));
        assert_eq!(
            &bytes[field.value.at()..][..line.value.len()],
            field.value.raw()
        );
        assert_eq!(field.name, HeaderName::lookup(field.raw_name));
    }
    for field in message.fields() {
        let named = message
            .fields()
            .filter(|other| other.name == field.name)
            .map(|other| other.value.at());
        assert!(
            message.headers(field.name).map(Header::at).eq(named),
            "{:?}",
            field.name
        );
        let first = message.header_named(field.raw_name).expect("it is there");
        assert!(first.at() <= field.value.at());
    }
    let start = [bytes_of_start(message), b" ".to_vec()].concat();
    let line = [head.start_line.as_slice(), b" "].concat();
    assert!(
        line.to_ascii_uppercase()
            .starts_with(&start.to_ascii_uppercase()),
        "{}",
        shown(&line)
    );
}

/// Method and Request-URI, or version and status.
fn bytes_of_start(message: &Message<'_>) -> Vec<u8> {
    match (message.method(), message.request_uri(), message.status()) {
        (Some(method), Some(uri), None) => [method.as_bytes(), b" ", uri].concat(),
        (None, None, Some(status)) => format!("SIP/2.0 {status}").into_bytes(),
        other => panic!("neither a request nor a response: {other:?}"),
    }
}

fn read_everything(message: &Message<'_>) {
    let bytes = message.bytes();
    if let Some(uri) = message.request_uri() {
        match Uri::parse(uri) {
            Ok(uri) => look_at_uri(&uri),
            Err(reject) => lies_within(reject, uri),
        }
    }
    if let Ok(via) = message.via() {
        let topmost = message.vias().next().expect("a Via").expect("the same Via");
        assert_eq!(via.branch(), topmost.branch());
    }
    for via in message.vias() {
        match via {
            Ok(via) => {
                black_box((via.host(), via.port(), via.received(), via.rport()));
                assert!(via.raw().ends_with(via.params().raw()));
                look_at_params(via.params());
            }
            Err(reject) => lies_within(reject, bytes),
        }
    }
    for party in [message.from(), message.to()] {
        match party {
            Ok(party) => look_at_address(&party),
            Err(reject) => lies_within(reject, bytes),
        }
    }
    for contact in message.contacts() {
        match contact {
            Ok(Contact::Star) => {}
            Ok(Contact::Addr(contact)) => look_at_address(&contact),
            Err(reject) => lies_within(reject, bytes),
        }
    }
    for name in LISTS {
        for address in message.name_addrs(name) {
            match address {
                Ok(address) => look_at_address(&address),
                Err(reject) => lies_within(reject, bytes),
            }
        }
        black_box(message.lists(name, b"path"));
    }
    look_at_single_values(message);
    for field in message.fields() {
        black_box((field.value.token(), field.value.elements().count()));
        look_at_params(field.value.params());
    }
}

fn look_at_single_values(message: &Message<'_>) {
    let bytes = message.bytes();
    match message.authorization() {
        Ok(Some(credentials)) => {
            for (name, value) in credentials.params() {
                assert!(credentials.param(name).is_some());
                assert!(value.len() <= credentials.credentials().len());
            }
        }
        Ok(None) => assert!(message.header(HeaderName::Authorization).is_none()),
        Err(reject) => lies_within(reject, bytes),
    }
    match message.cseq() {
        Ok(cseq) => assert!(cseq.number < 1 << 31, "RFC 3261 8.1.1.5"),
        Err(reject) => lies_within(reject, bytes),
    }
    let rejects = [
        message.call_id().err(),
        message.event().err(),
        message.subscription_state().err(),
        message.expires().err(),
        message.min_expires().err(),
        message.max_forwards().err(),
        message.retry_after().err(),
    ];
    for reject in rejects.into_iter().flatten() {
        lies_within(reject, bytes);
    }
    black_box(message.content_type_is(b"application/reginfo+xml"));
}

fn look_at_address(address: &NameAddr<'_>) {
    black_box((address.display(), address.tag()));
    look_at_params(address.params());
    look_at_uri(&address.uri());
    let again = NameAddr::parse(address.raw()).expect("an element is an address");
    assert_eq!(again.uri_bytes(), address.uri_bytes());
    assert_eq!(again.params_raw(), address.params_raw());
    assert_eq!(again.display(), address.display());
}

fn look_at_uri(uri: &Uri<'_>) {
    black_box((uri.password(), uri.effective_port(), uri.headers()));
    look_at_params(uri.params());
    if uri.host().is_some() {
        assert!(uri.same_host_port(uri));
    }
    let again = Uri::parse(uri.raw()).expect("what was a URI is one");
    assert!(uri.equivalent(&again) && again.equivalent(uri));
}

fn look_at_params(params: Params<'_>) {
    assert_eq!(
        params.iter().collect::<Vec<_>>(),
        reference::params(params.raw()),
        "{}",
        shown(params.raw())
    );
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
    let values = |of: &Message<'_>, name| -> Vec<String> {
        of.headers(name).map(|header| shown(header.raw())).collect()
    };
    assert_eq!(
        values(&response, HeaderName::Via),
        values(message, HeaderName::Via)
    );
    assert_eq!(
        values(&response, HeaderName::From).first(),
        values(message, HeaderName::From).first()
    );
    if let (Ok(asked), Ok(answered)) = (message.to(), response.to()) {
        assert!(answered.params().has(b"tag"));
        assert_eq!(asked.uri_bytes(), answered.uri_bytes());
    }
}
