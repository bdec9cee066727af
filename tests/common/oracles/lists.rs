//! [RFC 3261 7.3.1] Comma lists and parameters: cut where a plain splitter cuts them, and the same again when
//! their elements are joined.

use ims_procedures::{
    drive::{Limits, Reject},
    wire::{Authorization, Contact, Header, HeaderName, Message, NameAddr, Params, Via},
};

use super::{
    reference::{params as split_params, split, trimmed},
    shown,
};

/// [RFC 3261 7.3.1] Every list that these bytes can be read as: addresses, Vias, contacts, credentials,
/// elements, parameters; as one value, and as the values of a message if they are one.
pub fn lists(bytes: &[u8]) {
    value(bytes);
    if let Ok(message) = Message::parse(bytes, &Limits::default()) {
        for field in message.fields() {
            value(field.value.raw());
        }
    }
    in_a_message(bytes);
}

fn value(value: &[u8]) {
    addresses(value);
    vias(value);
    credentials(value);
    parameters(value);
}

/// Elements of a list that was read to its end, or nothing.
fn whole<T>(list: impl Iterator<Item = Result<T, Reject>>, value: &[u8]) -> Option<Vec<T>> {
    let mut elements = Vec::new();
    for element in list {
        match element {
            Ok(element) => elements.push(element),
            Err(reject) => {
                assert!(reject.at as usize <= value.len(), "{reject}");
                return None;
            }
        }
    }
    Some(elements)
}

fn all_shown<'a>(elements: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
    elements.into_iter().map(shown).collect()
}

fn addresses(value: &[u8]) {
    let Some(read) = whole(NameAddr::parse_list(value), value) else {
        return;
    };
    let raws: Vec<&[u8]> = read.iter().map(NameAddr::raw).collect();
    assert_eq!(
        all_shown(raws.iter().copied()),
        all_shown(split(value, b',', true)),
        "{}",
        shown(value)
    );
    let joined = raws.join(&b","[..]);
    let again = whole(NameAddr::parse_list(&joined), &joined).expect("the same elements");
    assert_eq!(
        all_shown(again.iter().map(NameAddr::raw)),
        all_shown(raws.iter().copied())
    );
    for address in &read {
        parameters(address.params_raw());
        alone(address);
    }
    assert_eq!(
        NameAddr::parse(value).is_ok(),
        read.len() == 1 && is_plain(value),
        "{}",
        shown(value)
    );
}

/// A list of one address is one address, unless a comma stands before or after it.
fn is_plain(value: &[u8]) -> bool {
    !trimmed(value).ends_with(b",") && !trimmed(value).starts_with(b",")
}

/// The parts of an address hold all of it: nothing but quotes, brackets and white space stands between them.
fn alone(address: &NameAddr<'_>) {
    let raw = address.raw();
    let params = address.params_raw();
    let front = raw
        .strip_suffix(params)
        .unwrap_or_else(|| panic!("{} does not end {}", shown(params), shown(raw)));
    let front = trimmed(front);
    let uri = address.uri_bytes();
    let front = match front.strip_suffix(b">") {
        Some(front) => front
            .strip_suffix(uri)
            .and_then(|front| front.strip_suffix(b"<")),
        None => front.strip_suffix(uri),
    };
    let front = trimmed(front.expect("the URI, bracketed or bare"));
    match address.display() {
        None => assert!(front.is_empty(), "{}", shown(raw)),
        Some(display) if front.first() == Some(&b'"') => {
            assert_eq!(front, [b"\"", display, b"\""].concat());
        }
        Some(display) => assert_eq!(front, display),
    }
}

fn vias(value: &[u8]) {
    let Some(read) = whole(Via::parse_list(value), value) else {
        return;
    };
    let raws: Vec<&[u8]> = read.iter().map(Via::raw).collect();
    assert_eq!(
        all_shown(raws.iter().copied()),
        all_shown(split(value, b',', false)),
        "{}",
        shown(value)
    );
    let joined = raws.join(&b" ,"[..]);
    let again = whole(Via::parse_list(&joined), &joined).expect("the same elements");
    for (via, other) in read.iter().zip(&again) {
        assert_eq!(via.raw(), other.raw());
        assert_eq!((via.host(), via.port()), (other.host(), other.port()));
        assert!(via.raw().ends_with(via.params().raw()));
        parameters(via.params().raw());
    }
    assert_eq!(read.len(), again.len());
}

/// [RFC 3261 25.1] Parameters of credentials.
fn credentials(value: &[u8]) {
    let read = match Authorization::parse(value) {
        Ok(read) => read,
        Err(reject) => {
            assert!(reject.at as usize <= value.len(), "{reject}");
            return;
        }
    };
    assert!(value.ends_with(read.credentials()));
    if !read.is_digest() {
        assert_eq!(read.params().count(), 0);
        return;
    }
    let expected = split(read.credentials(), b',', false);
    let halves: Vec<String> = read
        .params()
        .map(|(name, value)| format!("{}={}", shown(name), shown(value)))
        .collect();
    let without_space: Vec<String> = expected
        .iter()
        .map(|element| {
            let equals = element.iter().position(|b| *b == b'=').expect("a value");
            let (name, value) = (trimmed(&element[..equals]), trimmed(&element[equals + 1..]));
            format!("{}={}", shown(name), shown(value))
        })
        .collect();
    assert_eq!(halves, without_space, "{}", shown(value));
    let joined = [read.scheme(), b" ", &expected.join(&b",\r\n\t"[..])].concat();
    let again = Authorization::parse(&joined).expect("the same parameters");
    assert!(again.params().eq(read.params()));
}

/// Parameters are cut as the plain reader cuts them, and the same when they are joined anew.
fn parameters(raw: &[u8]) {
    let read: Vec<_> = Params::new(raw).iter().collect();
    assert_eq!(read, split_params(raw), "{}", shown(raw));
    let mut joined = Vec::new();
    for (name, value) in &read {
        joined.push(b';');
        joined.extend_from_slice(name);
        if let Some(value) = value {
            joined.push(b'=');
            joined.extend_from_slice(value);
        }
    }
    assert!(
        Params::new(&joined).iter().eq(read.iter().copied()),
        "{}",
        shown(raw)
    );
    for (name, _) in &read {
        let of_name = read.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
        let values: Vec<_> = of_name.map(|(_, value)| *value).collect();
        assert_eq!(Params::new(raw).get(name), Some(values[0]));
        assert_eq!(Params::new(raw).repeats(name), values.len() > 1);
    }
}

/// The readers that need a message: the value stands in one, folded or not as it came.
fn in_a_message(value: &[u8]) {
    for name in ["Contact", "Supported", "Via"] {
        let bytes = [
            b"BYE sip:a SIP/2.0\r\n",
            name.as_bytes(),
            b": ",
            value,
            b"\r\n\r\n",
        ]
        .concat();
        let Ok(message) = Message::parse(&bytes, &Limits::default()) else {
            continue;
        };
        if message.header_count() != 1 || !message.body().is_empty() {
            continue;
        }
        let header = message.header_named(name.as_bytes()).expect("it is there");
        assert_eq!(header.raw(), trimmed(value));
        elements(header);
        match name {
            "Contact" => contacts(&message),
            "Via" => same_vias(&message),
            _ => tokens(&message, header),
        }
    }
}

fn elements(header: Header<'_>) {
    let read: Vec<&[u8]> = header.elements().collect();
    assert_eq!(
        all_shown(read.iter().copied()),
        all_shown(split(header.raw(), b',', true)),
        "{}",
        shown(header.raw())
    );
}

fn contacts(message: &Message<'_>) {
    let value = message.bytes();
    let Some(read) = whole(message.contacts(), value) else {
        return;
    };
    let raws = read.iter().map(|contact| match contact {
        Contact::Star => &b"*"[..],
        Contact::Addr(address) => address.raw(),
    });
    let header = message.header(HeaderName::Contact).expect("it is there");
    assert_eq!(
        all_shown(raws),
        all_shown(split(header.raw(), b',', true)),
        "{}",
        shown(value)
    );
}

fn same_vias(message: &Message<'_>) {
    let header = message.header(HeaderName::Via).expect("it is there");
    let alone: Vec<_> = Via::parse_list(header.raw())
        .map(|via| via.map(|via| via.raw()).map_err(|r| r.shifted(header.at())))
        .collect();
    let within: Vec<_> = message.vias().map(|via| via.map(|via| via.raw())).collect();
    assert_eq!(alone, within);
}

fn tokens(message: &Message<'_>, header: Header<'_>) {
    for element in header.elements() {
        let end = element.iter().position(|b| *b == b';');
        let token = trimmed(&element[..end.unwrap_or(element.len())]);
        assert!(message.lists(HeaderName::Supported, token));
        assert!(message.lists(HeaderName::Supported, &token.to_ascii_uppercase()));
        assert!(!message.lists(HeaderName::Require, token));
    }
}
