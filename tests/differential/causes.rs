//! What in the bytes makes readers disagree.

use super::{Aspect, Disagreement, Reader, Value, name_of, readers};
use ims_procedures::wire::{
    Contact, HeaderName, Host, Message, Method, NameAddr, Params, Scheme, Uri,
};

pub type Found<'a> = Disagreement<'a>;

/// We refuse the message or the value, for one of these reasons, and it is not of the plainest form.
pub fn refused_by_us(found: &Found<'_>, codes: &[u16]) -> bool {
    let ours = found.ours == Value::Refused && !is_plain(found);
    ours && found
        .defect
        .is_some_and(|defect| codes.contains(&defect.code))
}

/// What nobody may refuse: the form that most values have, read here by other means.
fn is_plain(found: &Found<'_>) -> bool {
    let Ok(text) = std::str::from_utf8(&found.text) else {
        return false;
    };
    let text = text.trim_matches([' ', '\t']);
    let (Some(message), false) = (found.message, text.contains('\n')) else {
        return false;
    };
    match found.aspect {
        Aspect::RequestUri => is_plain_uri(text),
        Aspect::From | Aspect::To | Aspect::Contact => text
            .strip_prefix('<')
            .and_then(|rest| rest.split_once('>'))
            .is_some_and(|(uri, params)| is_plain_uri(uri) && are_plain_params(params)),
        Aspect::Via => text.strip_prefix("SIP/2.0/UDP ").is_some_and(|rest| {
            let end = rest.find(';').unwrap_or(rest.len());
            is_plain_host(&rest[..end]) && are_plain_params(&rest[end..])
        }),
        Aspect::CSeq => text.split_once(' ').is_some_and(|(number, method)| {
            let own = message
                .method()
                .is_none_or(|own| own.as_bytes() == method.as_bytes());
            let number =
                is_number(number) && number.parse::<u32>().is_ok_and(|n| n <= i32::MAX as u32);
            number && own && is_word(method)
        }),
        Aspect::Expires => is_number(text),
        Aspect::CallId => is_word(text),
        _ => false,
    }
}

fn is_plain_uri(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("sip:") else {
        return false;
    };
    match rest.split_once('@') {
        Some((user, host)) => is_word(user) && is_plain_host(host),
        None => is_plain_host(rest),
    }
}

fn is_plain_host(text: &str) -> bool {
    let (host, port) = text.split_once(':').unwrap_or((text, "5060"));
    let address = host.parse::<std::net::Ipv4Addr>().is_ok();
    let letters = host
        .split('.')
        .all(|label| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_lowercase()));
    (address || letters) && is_number(port) && port.len() < 6 && port.parse::<u16>().is_ok()
}

/// `;name` or `;name=value` of words, each name once, and a tag with its value.
fn are_plain_params(text: &str) -> bool {
    let mut seen = Vec::new();
    let plain = |param: &str| {
        let (name, value) = param.split_once('=').unwrap_or((param, "x"));
        let name = name.to_ascii_lowercase();
        let new = !seen.contains(&name) && (name != "tag" || param.contains('='));
        let words = is_word(&name) && is_word(value);
        seen.push(name);
        new && words
    };
    text.is_empty() || text.starts_with(';') && text[1..].split(';').all(plain)
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// They refuse the message, we do not.
pub fn whole_refused(found: &Found<'_>) -> bool {
    found.aspect == Aspect::Whole && found.theirs == Value::Refused
}

pub fn has(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len())
        .any(|window| window.eq_ignore_ascii_case(part))
}

/// Start line and header fields.
pub fn head<'a>(found: &Found<'a>) -> &'a [u8] {
    let end = found.message.map_or(found.bytes.len(), Message::head_end);
    &found.bytes[..end]
}

pub fn start_line<'a>(found: &Found<'a>) -> &'a [u8] {
    let head = head(found);
    let end = head.windows(2).position(|pair| pair == b"\r\n");
    &head[..end.unwrap_or(head.len())]
}

/// The URIs that the aspect is about, as we read them.
pub fn uris<'a>(found: &Found<'a>) -> Vec<Uri<'a>> {
    let Some(message) = found.message else {
        return Vec::new();
    };
    if matches!(found.aspect, Aspect::RequestUri | Aspect::Whole) {
        return message
            .request_uri()
            .and_then(|uri| Uri::parse(uri).ok())
            .into_iter()
            .collect();
    }
    match found.aspect {
        Aspect::From | Aspect::To | Aspect::Contact => {}
        _ => return Vec::new(),
    }
    let name = name_of(found.aspect).unwrap_or(HeaderName::Other);
    message
        .name_addrs(name)
        .flatten()
        .map(|address| address.uri())
        .collect()
}

/// The Request-URI alone makes them refuse.
pub fn refused_for_its_uri(found: &Found<'_>) -> bool {
    let Some(uri) = found.message.and_then(Message::request_uri) else {
        return false;
    };
    let alone = [b"OPTIONS ", uri, b" SIP/2.0\r\nX: y\r\n\r\n"].concat();
    let reading = match found.reader {
        Reader::Rsip => readers::rsip(&alone),
        Reader::Ezk => readers::ezk(&alone),
    };
    whole_refused(found) && reading.values.get(&Aspect::Whole) == Some(&Value::Refused)
}

/// An address, or the Request-URI, that they refuse or take for another.
pub fn uri_differs(found: &Found<'_>) -> bool {
    match found.aspect {
        Aspect::RequestUri | Aspect::From | Aspect::To | Aspect::Contact => true,
        _ => refused_for_its_uri(found),
    }
}

/// What is read: of a whole message that they refuse for its Request-URI, that.
pub fn about<'a>(found: &'a Found<'_>) -> &'a [u8] {
    let uri = found.message.and_then(Message::request_uri);
    match (found.aspect, uri) {
        (Aspect::Whole, Some(uri)) => uri,
        _ => &found.text,
    }
}

pub fn params_differ(found: &Found<'_>) -> bool {
    matches!(
        found.aspect,
        Aspect::FromTag | Aspect::ToTag | Aspect::Branch | Aspect::ContactParams
    )
}

/// A value of an address or of a Via.
pub fn value_differs(found: &Found<'_>) -> bool {
    uri_differs(found) || params_differ(found) || found.aspect == Aspect::Via
}

/// The addresses that the aspect is about, as we read them.
pub fn addresses<'a>(found: &Found<'a>) -> Vec<NameAddr<'a>> {
    let about =
        matches!(found.aspect, Aspect::From | Aspect::To | Aspect::Contact) || params_differ(found);
    match (found.message, name_of(found.aspect)) {
        (Some(message), Some(name)) if about => message.name_addrs(name).flatten().collect(),
        _ => Vec::new(),
    }
}

/// Names and unquoted values of the parameters that the aspect is about.
pub fn values<'a>(found: &Found<'a>) -> Vec<&'a [u8]> {
    let parts = parameters(found).into_iter();
    parts.filter(|part| !part.starts_with(b"\"")).collect()
}

/// Names and values of the parameters that the aspect is about.
pub fn parameters<'a>(found: &Found<'a>) -> Vec<&'a [u8]> {
    let mut lists: Vec<Params<'a>> = uris(found).iter().map(Uri::params).collect();
    lists.extend(addresses(found).iter().map(NameAddr::params));
    if let (Some(message), Aspect::Via | Aspect::Branch) = (found.message, found.aspect) {
        lists.extend(message.vias().flatten().map(|via| via.params()));
    }
    let pairs = lists.into_iter().flat_map(Params::iter);
    let parts = pairs.flat_map(|(name, value)| [Some(name), value]);
    parts.flatten().collect()
}

pub fn hosts<'a>(found: &Found<'a>) -> Vec<Host<'a>> {
    let mut hosts: Vec<Host<'a>> = uris(found).iter().filter_map(Uri::host).collect();
    if let (Some(message), Aspect::Via) = (found.message, found.aspect) {
        hosts.extend(message.via().map(|via| via.host()));
    }
    hosts
}

/// A name as the grammar has it, if with digits at the start of the last label.
pub fn is_strict_host(host: &Host<'_>) -> bool {
    let Host::Name(name) = host else {
        return true;
    };
    let name = name.strip_suffix(b".").unwrap_or(name);
    name.split(|byte| *byte == b'.').all(|label| {
        let ends = [label.first(), label.last()];
        ends.iter()
            .all(|end| end.is_some_and(u8::is_ascii_alphanumeric))
            && !label.contains(&b'_')
    })
}

pub fn is_strict_user(uri: &Uri<'_>) -> bool {
    let in_both = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'()%&=+$,".contains(&byte);
    let parts = [(uri.user(), b";?/" as &[u8]), (uri.password(), b"")];
    parts
        .into_iter()
        .filter_map(|(part, more)| Some((part?, more)))
        .all(|(part, more)| {
            let allowed = |byte: u8| in_both(byte) || more.contains(&byte);
            let utf8 = is_utf8(&readers::unescaped(part));
            let escapes = part.split(|byte| *byte == b'%').skip(1);
            let whole = escapes
                .into_iter()
                .all(|rest| rest.len() > 1 && rest[..2].iter().all(u8::is_ascii_hexdigit));
            utf8 && whole && part.iter().copied().all(allowed)
        })
}

pub fn starts_small(text: &[u8]) -> bool {
    text.get(..3)
        .is_some_and(|name| name.eq_ignore_ascii_case(b"SIP"))
}

pub fn is_sip(uri: &Uri<'_>) -> bool {
    matches!(uri.scheme(), Scheme::Sip | Scheme::Sips)
}

pub fn is_utf8(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok()
}

pub const fn token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~'
        )
}

/// See the class of that name.
pub fn small_version(d: &Found<'_>) -> bool {
    let line = start_line(d);
    let capital = line.ends_with(b"SIP/2.0") || line.starts_with(b"SIP/2.0");
    let via = d.aspect == Aspect::Via && !d.text.starts_with(b"SIP") && starts_small(&d.text);
    via || (whole_refused(d) && !capital)
}

/// See the class of that name.
pub fn other_method(d: &Found<'_>) -> bool {
    let other = |method| matches!(method, Some(Method::Other(_)));
    let (own, cseq) = d.message.map_or((None, None), |message| {
        (
            message.method(),
            message.cseq().ok().map(|cseq| cseq.method),
        )
    });
    match d.aspect {
        Aspect::Whole => whole_refused(d) && other(own),
        Aspect::Start => other(own),
        Aspect::CSeq => other(cseq),
        _ => false,
    }
}

/// See the class of that name.
pub fn space_before_colon(d: &Found<'_>) -> bool {
    let spaced = |message: &Message<'_>| {
        message.fields().any(|field| {
            let line = &d.bytes[field.line.clone()];
            line.get(field.raw_name.len()) != Some(&b':')
        })
    };
    whole_refused(d) && d.message.is_some_and(spaced)
}

/// See the class of that name.
pub fn colon_and_slashes(d: &Found<'_>) -> bool {
    let sip = uris(d).iter().any(is_sip);
    let text = if d.aspect == Aspect::Whole {
        d.bytes
    } else {
        &d.text
    };
    (value_differs(d) || whole_refused(d) && !sip) && has(text, b"://")
}

/// See the class of that name.
pub fn no_header_fields(d: &Found<'_>) -> bool {
    let none = d.message.is_some_and(|message| message.header_count() == 0);
    none && (whole_refused(d) || d.aspect == Aspect::Body)
}

/// See the class of that name.
pub fn white_space_at_the_end(d: &Found<'_>) -> bool {
    let trailing = |message: &Message<'_>| {
        let fields = message
            .fields()
            .filter(|field| Some(field.name) == name_of(d.aspect));
        let mut lines = fields.map(|field| &d.bytes[field.line.clone()]);
        lines.any(|line| matches!(line, [.., b' ' | b'\t', b'\r', b'\n']))
    };
    matches!(d.ours, Value::Read(_)) && d.message.is_some_and(trailing)
}

/// See the class of that name.
pub fn white_space_of_unicode(d: &Found<'_>) -> bool {
    let text = String::from_utf8_lossy(&d.text);
    let ends = [text.chars().next(), text.chars().next_back()];
    let beyond = |end: char| end.is_whitespace() && !end.is_ascii();
    d.aspect == Aspect::CallId && ends.into_iter().flatten().any(beyond)
}

/// See the class of that name.
pub fn headers_beyond_the_grammar(d: &Found<'_>) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"[]/:+$-_.!~*'()%&=".contains(&byte);
    let odd = |uri: &Uri<'_>| {
        let headers = uri.headers();
        let pairs = headers.split(|byte| *byte == b'&');
        let twice = pairs
            .into_iter()
            .any(|pair| pair.iter().filter(|byte| **byte == b'=').count() != 1);
        uri.raw().contains(&b'?')
            && (twice
                || !headers.iter().copied().all(allowed)
                || !is_utf8(&readers::unescaped(headers)))
    };
    uri_differs(d) && uris(d).iter().any(odd)
}

/// See the class of that name.
pub fn white_space_in_a_via(d: &Found<'_>) -> bool {
    let part = d
        .text
        .split(|byte| *byte == b';')
        .next()
        .unwrap_or_default();
    let blanks = part
        .trim_ascii()
        .iter()
        .filter(|byte| byte.is_ascii_whitespace());
    d.aspect == Aspect::Via && (blanks.count() > 1 || part.contains(&b'\t'))
}

/// See the class of that name.
pub fn empty_element(d: &Found<'_>) -> bool {
    value_differs(d)
        && d.text
            .split(|byte| *byte == b'\n')
            .any(|value| value.starts_with(b","))
}

/// See the class of that name.
pub fn parameter_name_in_capitals(d: &Found<'_>) -> bool {
    let capital = |value: &&[u8]| value.iter().any(u8::is_ascii_uppercase);
    params_differ(d) && d.theirs == Value::Absent && values(d).iter().any(capital)
}

/// See the class of that name.
pub fn address_with_a_tail(d: &Found<'_>) -> bool {
    let in_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._".contains(byte);
    about(d)
        .split(|byte| !in_name(byte))
        .any(begins_as_an_address)
}

/// See the class of that name.
pub fn dot_in_the_user(d: &Found<'_>) -> bool {
    let dot = |part: Option<&[u8]>| part.is_some_and(|part| part.contains(&b'.'));
    uri_differs(d)
        && uris(d)
            .iter()
            .any(|uri| dot(uri.user()) || dot(uri.password()))
}

/// See the class of that name.
pub fn star(d: &Found<'_>) -> bool {
    let mut contacts = d.message.into_iter().flat_map(Message::contacts);
    d.aspect == Aspect::Contact && contacts.any(|contact| matches!(contact, Ok(Contact::Star)))
}

/// See the class of that name.
pub fn body_past_its_length(d: &Found<'_>) -> bool {
    d.aspect == Aspect::Body
        && d.message
            .is_some_and(|message| message.end() < d.bytes.len())
}

/// See the class of that name.
pub fn address_as_a_parameter(d: &Found<'_>) -> bool {
    let address = |value: &[u8]| {
        let text = std::str::from_utf8(value);
        text.is_ok_and(|text| text.parse::<std::net::Ipv6Addr>().is_ok())
    };
    value_differs(d) && values(d).iter().any(|value| address(value))
}

/// See the class of that name.
pub fn other_transport(d: &Found<'_>) -> bool {
    let via = |message: &Message<'_>| {
        let transport = message.via().map(|via| readers::text(via.transport()));
        transport.is_ok_and(|name| name.parse::<rsip::Transport>().is_err())
    };
    let via = d.aspect == Aspect::Via && d.message.is_some_and(via);
    let refused = d.theirs == Value::Refused;
    via || (refused
        && value_differs(d)
        && (has(about(d), b"transport") || has(about(d), b"method")))
}

/// See the class of that name.
pub fn method_by_its_beginning(d: &Found<'_>) -> bool {
    let (Value::Read(ours), Value::Read(theirs)) = (&d.ours, &d.theirs) else {
        return false;
    };
    let longer = ours.len() >= theirs.len() && ours.is_char_boundary(theirs.len());
    let begins = longer && ours[..theirs.len()].eq_ignore_ascii_case(theirs);
    matches!(d.aspect, Aspect::Start | Aspect::CSeq) && begins
}

/// See the class of that name.
pub fn no_request_uri(d: &Found<'_>) -> bool {
    let uri = d.message.and_then(Message::request_uri);
    refused_for_its_uri(d) && uri.is_some_and(|uri| Uri::parse(uri).is_err())
}

/// See the class of that name.
pub fn parameter_beyond_the_grammar(d: &Found<'_>) -> bool {
    value_differs(d)
        && values(d)
            .iter()
            .any(|value| !value.iter().copied().all(token))
}

/// See the class of that name.
pub fn percent_in_a_parameter(d: &Found<'_>) -> bool {
    let no_text = |value: &&[u8]| !is_utf8(&readers::unescaped(value));
    let refused = value_differs(d) && parameters(d).iter().any(no_text);
    refused || params_differ(d) && d.text.contains(&b'%')
}

/// See the class of that name.
pub fn name_that_begins_as_an_address(d: &Found<'_>) -> bool {
    let begins = |host: &Host<'_>| matches!(host, Host::Name(name) if begins_as_an_address(name));
    value_differs(d) && hosts(d).iter().any(begins)
}

/// Three labels of digits, and one that begins with a digit.
fn begins_as_an_address(name: &[u8]) -> bool {
    let mut labels = name.split(|byte| *byte == b'.');
    let digits = |label: &&[u8]| !label.is_empty() && label.iter().all(u8::is_ascii_digit);
    let three = labels.by_ref().take(3).filter(digits).count() == 3;
    let fourth = labels.next().and_then(|label| label.first());
    three && fourth.is_some_and(u8::is_ascii_digit)
}

pub fn has_empty_parameter(text: &[u8]) -> bool {
    let dense: Vec<u8> = text
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let parts: [&[u8]; 4] = [b";;", b";=", b";>", b";,"];
    let mut values = text.split(|byte| *byte == b'\n');
    parts.iter().any(|part| has(&dense, part)) || values.any(|value| value.ends_with(b";"))
}

pub fn has_spaced_parameter(text: &[u8]) -> bool {
    let spaced = |pair: &[u8]| {
        let (a, b) = (pair[0], pair[1]);
        let beside = |x: u8, y: u8| x.is_ascii_whitespace() && matches!(y, b';' | b'=');
        beside(a, b) || beside(b, a)
    };
    text.windows(2).any(spaced)
}
