//! [RFC 3261 7] [IB-1] [PD-11] Messages that are made from known values: what is read of them are these
//! values, and what is not changed is passed on byte for byte.

use ims_procedures::{
    drive::{Buffer, Identifiers, Limits, Unwritable},
    wire::{Contact, Edit, Header, HeaderName, Message, Writer, rewrite, rewrite_request},
};

use super::{
    choices::Choices,
    made::{Made, MadeField, made},
    shown,
};

/// The bytes decide a message, as wild as RFC 3261 lets it be, and one that [`Writer`] writes.
pub fn round_trip(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let made = made(&mut choices);
    let message = Message::parse(&made.bytes, &Limits::default())
        .unwrap_or_else(|reject| panic!("{reject}: {}", shown(&made.bytes)));
    fields_are_as_made(&message, &made);
    values_are_as_made(&message, &made);
    copied_without_an_edit(&message, &made);
    changed_in_one_line(&message, &made, &mut choices);
    answered(&message, &made);
    written(&mut choices);
}

fn fields_are_as_made(message: &Message<'_>, made: &Made) {
    assert_eq!(message.end(), made.end, "{}", shown(&made.bytes));
    assert_eq!(shown(message.body()), shown(&made.body));
    assert_eq!(message.method().map(|m| m.as_bytes().to_vec()), made.method);
    assert_eq!(message.request_uri().is_some(), made.method.is_some());
    if let Some(uri) = message.request_uri() {
        assert_eq!(uri, made.uri);
    }
    assert_eq!(message.header_count(), made.fields.len());
    for (field, truth) in message.fields().zip(&made.fields) {
        assert_eq!(field.name, truth.name, "{}", shown(&truth.raw_name));
        assert_eq!(shown(field.raw_name), shown(&truth.raw_name));
        assert_eq!(field.line, truth.line);
        assert_eq!(shown(field.value.raw()), shown(&truth.value));
    }
}

/// [RFC 3261 20] Every typed value is the one the message was made from.
fn values_are_as_made(message: &Message<'_>, made: &Made) {
    let truth = &made.truth;
    let all = || shown(&made.bytes);
    let branches: Vec<Vec<u8>> = message
        .vias()
        .map(|via| {
            let via = via.unwrap_or_else(|reject| panic!("{reject}: {}", all()));
            via.branch().expect("a branch").to_vec()
        })
        .collect();
    assert_eq!(branches, truth.branches);
    assert_eq!(
        message.via().expect("a Via").branch(),
        truth.branches.first().map(Vec::as_slice)
    );
    let from = message.from().expect("From");
    assert_eq!(from.tag(), Some(truth.from_tag.as_slice()), "{}", all());
    assert_eq!(from.uri().user(), Some(truth.from_user.as_slice()));
    let to = message.to().expect("To");
    assert_eq!(to.tag(), truth.to_tag.as_deref(), "{}", all());
    assert_eq!(message.call_id(), Ok(truth.call_id.as_slice()));
    let cseq = message.cseq().expect("CSeq");
    assert_eq!(cseq.number, truth.cseq);
    let contacts = message.contacts().map(|contact| {
        let contact = contact.unwrap_or_else(|reject| panic!("{reject}: {}", all()));
        assert!(matches!(contact, Contact::Addr(_)));
    });
    assert_eq!(contacts.count(), truth.contacts);
    let routes: Vec<Vec<u8>> = message
        .name_addrs(HeaderName::Route)
        .map(|route| route.expect("a route").uri_bytes().to_vec())
        .collect();
    assert_eq!(routes, truth.routes);
    let options: Vec<Vec<u8>> = message
        .headers(HeaderName::Supported)
        .flat_map(Header::elements)
        .map(<[u8]>::to_vec)
        .collect();
    assert_eq!(options, truth.options);
    assert_eq!(message.expires(), Ok(truth.expires));
    let credentials = message.authorization().expect("credentials, or none");
    assert_eq!(
        credentials.and_then(|credentials| credentials.realm()),
        truth.realm.as_deref()
    );
}

/// [IB-1] Not a byte is changed up to where the message ends, and nothing of what follows it is taken along.
fn copied_without_an_edit(message: &Message<'_>, made: &Made) {
    let copy = edited(message, |_, _| Edit::Keep);
    assert_eq!(shown(&copy), shown(&made.bytes[..made.end]));
}

/// What a rewriting makes of a message; `decide` sees the place of each field.
fn edited<'e>(
    message: &Message<'_>,
    mut decide: impl FnMut(usize, HeaderName) -> Edit<'e>,
) -> Vec<u8> {
    let mut buffer = Buffer::new(message.bytes().len() * 2 + 1_024);
    let mut place = 0;
    rewrite(message, &mut buffer, |field| {
        place += 1;
        decide(place - 1, field.name)
    });
    assert_eq!(buffer.fault(), None);
    buffer.as_slice().to_vec()
}

/// [IB-1] [PD-11] An edit of one field changes its line, and no byte of another.
fn changed_in_one_line(message: &Message<'_>, made: &Made, choices: &mut Choices<'_>) {
    let place = choices.below(made.fields.len());
    let field = &made.fields[place];
    let value = choices.text(b"abc \t;,\"<>\xff", 0, 9);
    let name = choices.pick(&[HeaderName::Route, HeaderName::PChargingVector]);
    let added = [name.canonical_name(), b": ", &value, b"\r\n"].concat();
    let line = &made.bytes[field.line.clone()];
    let replaced = [&line[..field.name_length], b" ", &value, b"\r\n"].concat();
    let (edit, new_line) = match choices.below(4) {
        0 => (Edit::Replace(&value), replaced),
        1 => (Edit::Drop, Vec::new()),
        2 => (Edit::Before(name, &value), [&added, line].concat()),
        _ => (Edit::After(name, &value), [line, &added].concat()),
    };
    let copy = edited(message, |at, _| {
        if at == place {
            edit.clone()
        } else {
            Edit::Keep
        }
    });
    let expected = with_line(made, field, &new_line);
    assert_eq!(shown(&copy), shown(&expected));

    let mut refused = Buffer::new(made.bytes.len() * 2);
    rewrite(message, &mut refused, |_| Edit::Replace(b"a\r\nb: c"));
    assert_eq!(refused.fault(), Some(Unwritable::UnsafeValue));
    another_request_uri(message, made);
}

fn with_line(made: &Made, field: &MadeField, line: &[u8]) -> Vec<u8> {
    [
        &made.bytes[..field.line.start],
        line,
        &made.bytes[field.line.end..made.end],
    ]
    .concat()
}

/// [IB-1] With another Request-URI, everything after the start line is as it was.
fn another_request_uri(message: &Message<'_>, made: &Made) {
    let mut buffer = Buffer::new(made.bytes.len() + 1_024);
    rewrite_request(message, b"sip:other", &mut buffer, |_| Edit::Keep);
    assert_eq!(buffer.fault(), None);
    let tail = &made.bytes[made.fields[0].line.start..made.end];
    let expected = match &made.method {
        Some(method) => [method, &b" sip:other SIP/2.0\r\n"[..], tail].concat(),
        None => made.bytes[..made.end].to_vec(),
    };
    assert_eq!(shown(buffer.as_slice()), shown(&expected));
}

/// [RFC 3261 8.2.6.2] A response has the Vias, From, Call-ID and CSeq byte for byte as the request has them.
fn answered(message: &Message<'_>, made: &Made) {
    if made.method.is_none() {
        return;
    }
    let tag = Identifiers::new([7; 32], 1, 0).next();
    let mut buffer = Buffer::new(made.bytes.len() * 2 + 1_024);
    Writer::respond_to(&mut buffer, message, 404, Some(tag)).finish();
    assert_eq!(buffer.fault(), None);
    let mut expected = b"SIP/2.0 404 Not Found\r\n".to_vec();
    let mut add = |name: HeaderName, most: usize, tail: &[u8]| {
        for field in made.fields.iter().filter(|f| f.name == name).take(most) {
            expected.extend_from_slice(name.canonical_name());
            expected.extend_from_slice(b": ");
            expected.extend_from_slice(&field.value);
            expected.extend_from_slice(tail);
            expected.extend_from_slice(b"\r\n");
        }
    };
    let new_tag = match made.truth.to_tag {
        Some(_) => Vec::new(),
        None => [&b";tag="[..], &tag.text()].concat(),
    };
    add(HeaderName::Via, usize::MAX, b"");
    add(HeaderName::From, 1, b"");
    add(HeaderName::To, 1, &new_tag);
    add(HeaderName::CallId, 1, b"");
    add(HeaderName::CSeq, 1, b"");
    expected.extend_from_slice(b"Content-Length: 0\r\n\r\n");
    assert_eq!(shown(buffer.as_slice()), shown(&expected));
}

/// [RFC 3261 20.14] What is written is what is read, and its Content-Length is true.
fn written(choices: &mut Choices<'_>) {
    const NAMES: [HeaderName; 6] = [
        HeaderName::Path,
        HeaderName::Reason,
        HeaderName::Event,
        HeaderName::Subject,
        HeaderName::Require,
        HeaderName::PAccessNetworkInfo,
    ];
    let mut buffer = Buffer::new(8_192);
    let mut identifiers = Identifiers::new([choices.byte(); 32], 1, 3);
    let branch = identifiers.next();
    let number = choices.number() >> 1;
    let mut lines = Vec::new();
    for _ in 0..choices.below(60) {
        let value = choices.text(b"abc;=,\"<>\\ \t\xc3\xff", 0, 12);
        lines.push((choices.pick(&NAMES), value));
    }
    let body: Vec<u8> = (0..choices.below(1_500)).map(|at| at as u8).collect();

    let mut writer = Writer::request(&mut buffer, b"NOTIFY", b"sip:a@home1.example.net");
    writer
        .via(b"192.0.2.1:5060", branch)
        .cseq(number, b"NOTIFY");
    for (name, value) in &lines {
        writer.header(*name, value);
    }
    writer.body(b"application/octet-stream", |buffer| buffer.put(&body));
    assert_eq!(buffer.fault(), None);

    let message = Message::parse(buffer.as_slice(), &Limits::default()).expect("our own message");
    assert_eq!(message.end(), buffer.len());
    assert_eq!(message.body(), body);
    assert_eq!(message.request_uri(), Some(&b"sip:a@home1.example.net"[..]));
    assert_eq!(message.cseq().map(|cseq| cseq.number), Ok(number));
    let via = message.via().expect("our Via");
    let text = [&b"z9hG4bK"[..], &branch.text()].concat();
    assert_eq!(via.branch(), Some(text.as_slice()));
    let large = buffer.len() > 1_300;
    assert_eq!(via.transport() == b"TCP", large, "{} bytes", buffer.len());
    assert_eq!(message.header_count(), lines.len() + 4);
    for (field, (name, value)) in message.fields().skip(2).zip(&lines) {
        assert_eq!((field.name, field.raw_name), (*name, name.canonical_name()));
        assert_eq!(field.value.raw(), super::reference::trimmed(value));
    }
}
