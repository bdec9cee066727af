//! What the value of a header field says.

use ims_procedures::wire::{
    AccessNetwork, Authorization, CSeq, Challenge, Contact, ContactAddr, Date, EventPackage,
    FeatureSet, Host, List, MediaType, NameAddr, Params, ReadValue, Reason, Refresher, RetryAfter,
    Scheme, SecurityMechanism, ServedUser, SessionCase, SessionExpires, SubState,
    SubscriptionState, Text, Token, Uri, Value, Via, VisitedNetwork, Warning,
};
use std::net::{Ipv4Addr, Ipv6Addr};

use super::node::{Node, Object};

/// The node of a value that was read without a fault.
pub fn value(value: Value<'_>) -> Node {
    match value {
        Value::Vias(list) => all(list.flatten(), |one| via(&one)),
        Value::Address(one) => address(&one).into(),
        Value::Addresses(list) => all(list.flatten(), |one| address(&one).into()),
        Value::Contacts(list) => all(list.flatten(), |one| contact(&one)),
        Value::CallId(id) => id.0.into(),
        Value::CSeq(read) => cseq(&read),
        Value::Number(number) => number.0.into(),
        Value::Tokens(list) => list_of(list, |token| token.0.into()),
        Value::Token(Token(token)) => token.into(),
        Value::Event(read) => event(&read),
        Value::SubscriptionState(read) => subscription_state(&read),
        Value::Credentials(read) => credentials(&read),
        Value::Challenge(read) => challenge(&read),
        Value::AuthenticationInfo(info) => Object::new()
            .with_some("nextnonce", info.nextnonce)
            .with_some("qop", info.qop)
            .with_some("rspauth", info.rspauth)
            .with_some("cnonce", info.cnonce)
            .with_some("nc", info.nc)
            .into(),
        Value::Security(list) => list_of(list, |one| security(&one)),
        Value::ChargingVector(vector) => Object::new()
            .with("icid", vector.icid)
            .with("params", params(vector.params))
            .into(),
        Value::ChargingAddresses(addresses) => Object::new()
            .with("ccf", all(addresses.ccf(), Node::from))
            .with("ecf", all(addresses.ecf(), Node::from))
            .with("params", params(addresses.params))
            .into(),
        Value::AccessNetworks(list) => list_of(list, |one| access_network(&one)),
        Value::VisitedNetworks(list) => list_of(list, |one: VisitedNetwork<'_>| {
            with_params(Object::new().with("name", one.name), one.params)
        }),
        Value::ServedUser(read) => served_user(&read),
        Value::Reasons(list) => list_of(list, |one| reason(&one)),
        Value::RetryAfter(read) => retry_after(&read),
        Value::Warnings(list) => list_of(list, |one: Warning<'_>| {
            Object::new()
                .with("code", one.code)
                .with("agent", one.agent)
                .with("text", one.text)
                .into()
        }),
        Value::MediaType(read) => media_type(&read),
        Value::MediaRanges(list) => list_of(list, |one| media_type(&one)),
        Value::Disposition(read) => with_params(Object::new().with("kind", read.kind), read.params),
        Value::MimeVersion(version) => format!("{}.{}", version.major, version.minor).into(),
        Value::Date(read) => date(&read),
        Value::Timestamp(read) => Object::new()
            .with("sent", read.sent)
            .with_some("delay", read.delay)
            .into(),
        Value::SessionExpires(read) => session_expires(&read),
        Value::Features(list) => list_of(list, |one: FeatureSet<'_>| {
            Object::new().with("params", params(one.params)).into()
        }),
        Value::CpmId(id) => id.as_bytes().into(),
        Value::RestorationInfo(read) => {
            with_params(Object::new().with("info", read.info), read.params)
        }
        Value::Phrase(phrase) => phrase.0.into(),
        Value::Other(header) => header.raw().into(),
        // A kind that is newer than this program.
        _ => Node::Null,
    }
}

impl From<Text<'_>> for Node {
    fn from(text: Text<'_>) -> Self {
        text.bytes().collect::<Vec<u8>>().as_slice().into()
    }
}

fn all<T>(values: impl Iterator<Item = T>, node: impl Fn(T) -> Node) -> Node {
    Node::List(values.map(node).collect())
}

fn list_of<'a, T: ReadValue<'a>>(list: List<'a, T>, node: impl Fn(T) -> Node) -> Node {
    all(list.flatten(), node)
}

fn with_params(object: Object, of: Params<'_>) -> Node {
    object.with("params", params(of)).into()
}

/// Parameters by their names in small letters.
pub fn params(params: Params<'_>) -> Node {
    let mut read = Object::new();
    for (name, value) in params {
        add_param(&mut read, name, value.map_or(Node::Null, unquoted));
    }
    read.into()
}

/// One parameter more; several of one name make a list.
pub fn add_param(params: &mut Object, name: &[u8], value: Node) {
    let name = super::node::escaped(&name.to_ascii_lowercase());
    let same = params.entries.iter_mut().find(|(own, _)| *own == name);
    match same {
        None => params.entries.push((name, value)),
        Some((_, Node::List(values))) => values.push(value),
        Some((_, first)) => *first = Node::List(vec![first.clone(), value]),
    }
}

/// A value without its quotes.
fn unquoted(value: &[u8]) -> Node {
    let inside = value
        .strip_prefix(b"\"")
        .and_then(|rest| rest.strip_suffix(b"\""));
    inside.map_or_else(|| value.into(), resolved)
}

/// What stood between quotes, escapes and foldings resolved.
fn resolved(inside: &[u8]) -> Node {
    let mut said = Vec::with_capacity(inside.len());
    let mut rest = inside;
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match (first, tail) {
            (b'\\', [escaped, tail @ ..]) => {
                said.push(*escaped);
                rest = tail;
            }
            (b'\r', [b'\n', tail @ ..]) => {
                said.push(b' ');
                rest = tail.trim_ascii_start();
            }
            _ => said.push(*first),
        }
    }
    said.as_slice().into()
}

/// A URI that was read.
pub fn uri(uri: &Uri<'_>) -> Node {
    let scheme = match uri.scheme() {
        Scheme::Sip => "sip".into(),
        Scheme::Sips => "sips".into(),
        Scheme::Tel => "tel".into(),
        Scheme::Urn => "urn".into(),
        _ => {
            let end = uri.raw().iter().position(|byte| *byte == b':');
            Node::from(&uri.raw()[..end.unwrap_or(0)])
        }
    };
    let has_params = !uri.params().is_empty();
    let headers = uri.headers();
    Object::new()
        .with("raw", uri.raw())
        .with("scheme", scheme)
        .with_some("user", uri.user())
        .with_some("password", uri.password())
        .with_some("host", uri.host().map(host))
        .with_some("port", uri.port())
        .with_some("params", has_params.then(|| params(uri.params())))
        .with_some("headers", (!headers.is_empty()).then_some(headers))
        .into()
}

fn host(host: Host<'_>) -> Node {
    match host {
        Host::Name(name) => name.into(),
        Host::V4(octets) => Ipv4Addr::from(octets).to_string().into(),
        Host::V6(octets) => Ipv6Addr::from(octets).to_string().into(),
    }
}

pub fn address(address: &NameAddr<'_>) -> Object {
    let has_params = !address.params().is_empty();
    let is_quoted = address.raw().starts_with(b"\"");
    let display = address.display().map(|text| match is_quoted {
        true => resolved(text),
        false => text.into(),
    });
    Object::new()
        .with_some("display", display)
        .with("uri", uri(&address.uri()))
        .with_some("params", has_params.then(|| params(address.params())))
}

pub fn contact(contact: &Contact<'_>) -> Node {
    match contact {
        Contact::Star => "*".into(),
        Contact::Addr(one) => contact_address(one),
    }
}

fn contact_address(contact: &ContactAddr<'_>) -> Node {
    let mut features = Object::new();
    for (name, value) in contact.features() {
        add_param(&mut features, name, value.map_or(Node::Null, unquoted));
    }
    address(contact)
        .with_some("expires", contact.expires())
        .with_some("q", contact.q().map(Node::Thousandths))
        .with_some("instance", contact.instance())
        .with_some("reg_id", contact.reg_id())
        .with_some("pub_gruu", contact.pub_gruu())
        .with_some("temp_gruu", contact.temp_gruu())
        .with_some(
            "features",
            (!features.entries.is_empty()).then_some(features),
        )
        .into()
}

pub fn via(via: &Via<'_>) -> Node {
    Object::new()
        .with("transport", via.transport())
        .with("host", host(via.host()))
        .with_some("port", via.port())
        .with("params", params(via.params()))
        .into()
}

fn cseq(cseq: &CSeq<'_>) -> Node {
    Object::new()
        .with("number", cseq.number)
        .with("method", cseq.method.as_bytes())
        .into()
}

fn event(event: &EventPackage<'_>) -> Node {
    Object::new()
        .with("package", event.package)
        .with_some("id", event.id)
        .into()
}

fn subscription_state(read: &SubscriptionState<'_>) -> Node {
    let state = match read.state {
        SubState::Active => "active",
        SubState::Pending => "pending",
        SubState::Terminated => "terminated",
        _ => "other",
    };
    Object::new()
        .with("state", state)
        .with_some("expires", read.expires)
        .with_some("retry_after", read.retry_after)
        .with_some("reason", read.reason)
        .into()
}

fn credentials(read: &Authorization<'_>) -> Node {
    let scheme = Object::new().with("scheme", read.scheme());
    if read.is_digest() {
        scheme.with("params", pairs(read.params())).into()
    } else {
        scheme.with("text", read.credentials()).into()
    }
}

fn challenge(read: &Challenge<'_>) -> Node {
    let scheme = Object::new().with("scheme", read.scheme());
    if read.is_digest() {
        scheme.with("params", pairs(read.params())).into()
    } else {
        scheme.with("text", read.raw_params()).into()
    }
}

fn pairs<'a>(pairs: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Node {
    let mut params = Object::new();
    for (name, value) in pairs {
        add_param(&mut params, name, unquoted(value));
    }
    params.into()
}

fn security(read: &SecurityMechanism<'_>) -> Node {
    let typed = Object::new()
        .with("mechanism", read.name)
        .with_some("q_thousandths", read.q)
        .with_some("spi_c", read.spi_c)
        .with_some("spi_s", read.spi_s)
        .with_some("port_c", read.port_c)
        .with_some("port_s", read.port_s);
    with_params(typed, read.params)
}

fn access_network(read: &AccessNetwork<'_>) -> Node {
    let mut info = Object::new();
    for (name, value) in read.info.iter() {
        add_param(&mut info, name, value.map_or(Node::Null, unquoted));
    }
    Object::new()
        .with("access", read.access)
        .with("network_provided", read.network_provided)
        .with("params", info)
        .into()
}

fn served_user(read: &ServedUser<'_>) -> Node {
    let session_case = read.session_case.map(|case| match case {
        SessionCase::Originating => "orig",
        SessionCase::Terminating => "term",
        _ => "other",
    });
    address(&read.user)
        .with_some("session_case", session_case)
        .with_some("registered", read.registered)
        .with("orig_cdiv", read.orig_cdiv)
        .into()
}

fn reason(read: &Reason<'_>) -> Node {
    let typed = Object::new()
        .with("protocol", read.protocol)
        .with_some("cause", read.cause)
        .with_some("text", read.text);
    with_params(typed, read.params)
}

fn retry_after(read: &RetryAfter<'_>) -> Node {
    let typed = Object::new()
        .with("seconds", read.seconds)
        .with_some("comment", read.comment)
        .with_some("duration", read.duration);
    with_params(typed, read.params)
}

fn media_type(read: &MediaType<'_>) -> Node {
    let kind = [read.kind, b"/", read.subtype].concat();
    let typed = Object::new()
        .with("type", kind.as_slice())
        .with_some("q_thousandths", read.q);
    with_params(typed, read.params)
}

fn date(read: &Date) -> Node {
    let text = format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        read.year, read.month, read.day, read.hour, read.minute, read.second
    );
    text.into()
}

fn session_expires(read: &SessionExpires<'_>) -> Node {
    let refresher = read.refresher.map(|who| match who {
        Refresher::Uac => "uac",
        Refresher::Uas => "uas",
        _ => "other",
    });
    let typed = Object::new()
        .with("seconds", read.seconds)
        .with_some("refresher", refresher);
    with_params(typed, read.params)
}
