//! What each reader makes of the same bytes, in one form.

use ::rsip::{headers::ToTypedHeader, message::HasHeaders, prelude::HeadersExt};
use bytes::Bytes;
use ezk_sip_types::{
    Headers as EzkHeaders, Name,
    header::typed as ezk,
    msg::{Line, MessageLine, PullParser},
    uri::{SipUri, SipUriUserPart},
};
use ims_procedures::{
    drive::{Defect, Limits, Reject},
    wire::{Contact, HeaderName, Host, Message, NameAddr, Uri},
};
use std::{
    collections::BTreeMap,
    net::IpAddr,
    panic::{self, AssertUnwindSafe},
    sync::{Mutex, PoisonError},
};

/// A part of a message that is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aspect {
    /// Whether it is read at all.
    Whole,
    /// Method or status.
    Start,
    /// Scheme, user, host and port.
    RequestUri,
    /// How many header fields.
    Count,
    CallId,
    CSeq,
    /// As the Request-URI.
    From,
    FromTag,
    To,
    ToTag,
    /// Transport, host and port of the topmost one.
    Via,
    Branch,
    /// As the Request-URI, of every one.
    Contact,
    ContactParams,
    Expires,
    Body,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Absent,
    Refused,
    Panicked,
    Read(String),
}

/// What a reader made of a message.
pub struct Reading {
    pub values: BTreeMap<Aspect, Value>,
    /// Why a value is refused (ours alone).
    pub defects: BTreeMap<Aspect, &'static Defect>,
}

impl Reading {
    fn new() -> Self {
        let mut reading = Self {
            values: BTreeMap::new(),
            defects: BTreeMap::new(),
        };
        reading.read(Aspect::Whole, String::new());
        reading
    }

    fn whole(value: Value) -> Self {
        let mut reading = Self::new();
        reading.values.insert(Aspect::Whole, value);
        reading
    }

    fn read(&mut self, aspect: Aspect, text: String) {
        self.values.insert(aspect, Value::Read(text));
    }

    fn put<E>(&mut self, aspect: Aspect, value: Result<Option<String>, E>) {
        let value = match value {
            Ok(Some(text)) => Value::Read(text),
            Ok(None) => Value::Absent,
            Err(_) => Value::Refused,
        };
        self.values.insert(aspect, value);
    }

    fn ours(&mut self, aspect: Aspect, value: Result<Option<String>, Reject>) {
        if let Err(reject) = &value {
            self.defects.insert(aspect, reject.defect);
        }
        self.put(aspect, value);
    }
}

pub fn text(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

fn uri_text(scheme: &str, user: Option<&[u8]>, host: &str, port: Option<u16>) -> String {
    let user = user.map(text).unwrap_or_default();
    format!("{scheme}|{user}|{}|{}", host_text(host), port_text(port))
}

fn port_text(port: Option<u16>) -> String {
    port.map(|port| port.to_string()).unwrap_or_default()
}

/// An address in its canonical form without brackets, or a name in small letters.
fn host_text(host: &str) -> String {
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    match bare.unwrap_or(host).parse::<IpAddr>() {
        Ok(address) => address.to_string(),
        Err(_) => host.to_ascii_lowercase(),
    }
}

pub fn unescaped(user: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = user;
    while let Some((first, tail)) = rest.split_first() {
        let digits = tail
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let hex = digits.filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        match hex.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'%' => {
                out.push(byte);
                rest = &tail[2..];
            }
            _ => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    out
}

/// Parameters in order: names in small letters, values without quotes, those of `transport` in small letters.
fn params_text<'a>(params: impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)>) -> String {
    let mut all = String::new();
    for (name, value) in params {
        all.push(';');
        all.push_str(&text(name).to_ascii_lowercase());
        if let Some(value) = value {
            let inner = value
                .strip_prefix(b"\"")
                .and_then(|v| v.strip_suffix(b"\""));
            all.push('=');
            let value = text(inner.unwrap_or(value));
            let has_case = !name.eq_ignore_ascii_case(b"transport");
            all.push_str(&if has_case {
                value
            } else {
                value.to_ascii_lowercase()
            });
        }
    }
    all
}

fn limits() -> Limits {
    Limits::default()
}

/// Ours, and the message where it is one.
pub fn ours(bytes: &[u8]) -> (Reading, Option<Message<'_>>) {
    let message = match Message::parse(bytes, &limits()) {
        Ok(message) => message,
        Err(reject) => {
            let mut reading = Reading::whole(Value::Refused);
            reading.defects.insert(Aspect::Whole, reject.defect);
            return (reading, None);
        }
    };
    let mut r = Reading::new();
    match message.method() {
        Some(method) => r.read(Aspect::Start, text(method.as_bytes())),
        None => r.read(
            Aspect::Start,
            message.status().unwrap_or_default().to_string(),
        ),
    }
    if let Some(uri) = message.request_uri() {
        r.ours(
            Aspect::RequestUri,
            Uri::parse(uri).map(|uri| Some(our_uri(&uri))),
        );
    }
    r.read(Aspect::Count, message.header_count().to_string());
    let there = |name| message.header(name).is_some();
    if there(HeaderName::CallId) {
        r.ours(Aspect::CallId, message.call_id().map(|id| Some(text(id))));
    }
    if there(HeaderName::CSeq) {
        let cseq = message.cseq();
        r.ours(
            Aspect::CSeq,
            cseq.map(|c| Some(format!("{} {}", c.number, text(c.method.as_bytes())))),
        );
    }
    if there(HeaderName::From) {
        our_party(&mut r, message.from(), Aspect::From, Aspect::FromTag);
    }
    if there(HeaderName::To) {
        our_party(&mut r, message.to(), Aspect::To, Aspect::ToTag);
    }
    if there(HeaderName::Via) {
        let via = message.via();
        r.ours(
            Aspect::Via,
            via.map(|via| {
                let transport = text(via.transport()).to_ascii_uppercase();
                Some(format!(
                    "{transport}|{}|{}",
                    our_host(via.host()),
                    port_text(via.port())
                ))
            }),
        );
        if let Ok(via) = via {
            r.ours(Aspect::Branch, Ok(via.branch().map(text)));
        }
    }
    if there(HeaderName::Contact) {
        let contacts: Result<Vec<_>, Reject> = message.contacts().collect();
        let uris = contacts.as_ref().map_err(|r| *r).map(|all| {
            let one = |contact: &Contact<'_>| match contact {
                Contact::Star => "*".to_owned(),
                Contact::Addr(address) => our_uri(&address.uri()),
            };
            Some(all.iter().map(one).collect::<Vec<_>>().join(" "))
        });
        r.ours(Aspect::Contact, uris);
        if let Ok(all) = &contacts {
            let one = |contact: &Contact<'_>| match contact {
                Contact::Star => String::new(),
                Contact::Addr(address) => params_text(address.params().iter()),
            };
            r.read(
                Aspect::ContactParams,
                all.iter().map(one).collect::<Vec<_>>().join(" "),
            );
        }
    }
    let expires = message.expires();
    r.ours(
        Aspect::Expires,
        expires.map(|seconds| seconds.map(|s| s.to_string())),
    );
    r.read(Aspect::Body, text(message.body()));
    (r, Some(message))
}

fn our_party(r: &mut Reading, party: Result<NameAddr<'_>, Reject>, uri: Aspect, tag: Aspect) {
    r.ours(uri, party.map(|party| Some(our_uri(&party.uri()))));
    if let Ok(party) = party {
        r.ours(tag, Ok(party.tag().map(text)));
    }
}

fn our_host(host: Host<'_>) -> String {
    match host {
        Host::Name(name) => text(name).to_ascii_lowercase(),
        Host::V4(address) => IpAddr::from(address).to_string(),
        Host::V6(address) => IpAddr::from(address).to_string(),
    }
}

fn our_uri(uri: &Uri<'_>) -> String {
    let scheme = uri.raw().split(|b| *b == b':').next().unwrap_or_default();
    let scheme = text(scheme).to_ascii_lowercase();
    let user = uri.user().map(unescaped);
    let host = uri.host().map(our_host).unwrap_or_default();
    uri_text(&scheme, user.as_deref(), &host, uri.port())
}

static QUIET: Mutex<()> = Mutex::new(());

/// What a reader makes of it, a panic caught and not reported.
fn quietly(read: impl FnOnce() -> Reading) -> Reading {
    let guard = QUIET.lock().unwrap_or_else(PoisonError::into_inner);
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let result = panic::catch_unwind(AssertUnwindSafe(read));
    panic::set_hook(hook);
    drop(guard);
    result.unwrap_or_else(|_| Reading::whole(Value::Panicked))
}

/// rsip's: the message, then each typed header.
pub fn rsip(bytes: &[u8]) -> Reading {
    quietly(|| match ::rsip::SipMessage::try_from(bytes) {
        Ok(message) => rsip_reading(&message),
        Err(_) => Reading::whole(Value::Refused),
    })
}

fn rsip_reading(message: &::rsip::SipMessage) -> Reading {
    let mut r = Reading::new();
    match message {
        ::rsip::SipMessage::Request(request) => {
            r.read(Aspect::Start, request.method.to_string());
            r.read(Aspect::RequestUri, rsip_uri(&request.uri));
        }
        ::rsip::SipMessage::Response(response) => {
            r.read(Aspect::Start, response.status_code.code().to_string());
        }
    }
    r.read(Aspect::Count, message.headers().iter().count().to_string());
    if let Ok(id) = message.call_id_header() {
        r.read(Aspect::CallId, text(String::from(id.clone()).as_bytes()));
    }
    if let Ok(cseq) = message.cseq_header() {
        r.put(
            Aspect::CSeq,
            cseq.typed()
                .map(|c| Some(format!("{} {}", c.seq, c.method))),
        );
    }
    if let Ok(from) = message.from_header().map(ToTypedHeader::typed) {
        r.put(
            Aspect::From,
            from.as_ref().map(|from| Some(rsip_uri(&from.uri))),
        );
        if let Ok(from) = from {
            r.put(
                Aspect::FromTag,
                Ok::<_, ()>(from.tag().map(|tag| text(tag.value().as_bytes()))),
            );
        }
    }
    if let Ok(to) = message.to_header().map(ToTypedHeader::typed) {
        r.put(Aspect::To, to.as_ref().map(|to| Some(rsip_uri(&to.uri))));
        if let Ok(to) = to {
            r.put(
                Aspect::ToTag,
                Ok::<_, ()>(to.tag().map(|tag| text(tag.value().as_bytes()))),
            );
        }
    }
    if let Ok(via) = message.via_header().map(ToTypedHeader::typed) {
        r.put(
            Aspect::Via,
            via.as_ref().map(|via| {
                let at = &via.uri.host_with_port;
                let host = host_text(&at.host.to_string());
                Some(format!(
                    "{}|{host}|{}",
                    via.transport,
                    port_text(at.port.map(Into::into))
                ))
            }),
        );
        if let Ok(via) = via {
            r.put(
                Aspect::Branch,
                Ok::<_, ()>(via.branch().map(|branch| text(branch.value().as_bytes()))),
            );
        }
    }
    let contacts = message.contact_headers();
    if !contacts.is_empty() {
        let all: Result<Vec<_>, _> = contacts.into_iter().map(ToTypedHeader::typed).collect();
        let uris = |all: &Vec<::rsip::typed::Contact>| {
            Some(
                all.iter()
                    .map(|contact| rsip_uri(&contact.uri))
                    .collect::<Vec<_>>()
                    .join(" "),
            )
        };
        r.put(Aspect::Contact, all.as_ref().map(uris));
        if let Ok(all) = &all {
            let one = |contact: &::rsip::typed::Contact| {
                let pairs: Vec<_> = contact.params.iter().map(ToString::to_string).collect();
                params_text(pairs.iter().map(|pair| {
                    let pair = pair.strip_prefix(';').unwrap_or(pair);
                    match pair.split_once('=') {
                        Some((name, value)) => (name.as_bytes(), Some(value.as_bytes())),
                        None => (pair.as_bytes(), None),
                    }
                }))
            };
            r.read(
                Aspect::ContactParams,
                all.iter().map(one).collect::<Vec<_>>().join(" "),
            );
        }
    }
    match message.expires_header() {
        Some(expires) => r.put(
            Aspect::Expires,
            expires.seconds().map(|s| Some(s.to_string())),
        ),
        None => r.put(Aspect::Expires, Ok::<_, ()>(None)),
    }
    r.read(Aspect::Body, text(message.body()));
    r
}

fn rsip_uri(uri: &::rsip::Uri) -> String {
    let scheme = uri
        .scheme
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    let user = uri.user().map(|user| unescaped(user.as_bytes()));
    let at = &uri.host_with_port;
    let port = at.port.map(Into::into);
    uri_text(
        &scheme.to_ascii_lowercase(),
        user.as_deref(),
        &at.host.to_string(),
        port,
    )
}

/// ezk's: the lines it splits, its first line, and each typed header. A line that it does not read is passed
/// over.
pub fn ezk(bytes: &[u8]) -> Reading {
    quietly(|| ezk_reading(bytes).unwrap_or_else(|| Reading::whole(Value::Refused)))
}

fn ezk_reading(bytes: &[u8]) -> Option<Reading> {
    let source = Bytes::copy_from_slice(bytes);
    let mut lines = PullParser::new(&source, 0);
    let mut start: Option<MessageLine> = None;
    let mut headers = EzkHeaders::new();
    let mut count = 0;
    for line in &mut lines {
        let line = std::str::from_utf8(line.ok()?).ok()?;
        if start.is_none() {
            start = Some(line.parse().ok()?);
        } else if let Ok((_, line)) = Line::parse(&source, line) {
            headers.insert(line.name, line.value);
            count += 1;
        }
    }
    let mut r = Reading::new();
    match start? {
        MessageLine::Request(line) => {
            r.read(Aspect::Start, text(line.method.to_string().as_bytes()));
            r.read(Aspect::RequestUri, ezk_uri(&line.uri));
        }
        MessageLine::Response(line) => r.read(Aspect::Start, line.code.into_u16().to_string()),
    }
    r.read(Aspect::Count, count.to_string());
    if let Some(id) = headers.try_get_named::<ezk::CallID>() {
        r.put(Aspect::CallId, id.map(|id| Some(text(id.0.as_bytes()))));
    }
    if let Some(cseq) = headers.try_get_named::<ezk::CSeq>() {
        r.put(
            Aspect::CSeq,
            cseq.map(|c| {
                Some(format!(
                    "{} {}",
                    c.cseq,
                    text(c.method.to_string().as_bytes())
                ))
            }),
        );
    }
    for (name, uri, tag) in [
        (Name::FROM, Aspect::From, Aspect::FromTag),
        (Name::TO, Aspect::To, Aspect::ToTag),
    ] {
        if let Some(party) = headers.try_get::<ezk::FromTo>(name) {
            r.put(
                uri,
                party.as_ref().map(|party| Some(ezk_uri(&party.uri.uri))),
            );
            if let Ok(party) = party {
                r.put(tag, Ok::<_, ()>(party.tag.map(|tag| text(tag.as_bytes()))));
            }
        }
    }
    if let Some(via) = headers.try_get_named::<ezk::Via>() {
        r.put(
            Aspect::Via,
            via.as_ref().map(|via| {
                let transport = text(via.transport.as_bytes()).to_ascii_uppercase();
                let host = host_text(&via.sent_by.host.to_string());
                Some(format!(
                    "{transport}|{host}|{}",
                    port_text(via.sent_by.port)
                ))
            }),
        );
        if let Ok(via) = via {
            r.put(
                Aspect::Branch,
                Ok::<_, ()>(via.params.get_val("branch").map(|b| text(b.as_bytes()))),
            );
        }
    }
    if let Some(contacts) = headers.try_get_named::<Vec<ezk::Contact>>() {
        r.put(
            Aspect::Contact,
            contacts.as_ref().map(|all| {
                Some(
                    all.iter()
                        .map(|contact| ezk_uri(&contact.uri.uri))
                        .collect::<Vec<_>>()
                        .join(" "),
                )
            }),
        );
        if let Ok(all) = contacts {
            // Its parameters can be seen only as it writes them.
            let one = |contact: &ezk::Contact| {
                let written = contact.params.to_string();
                let pairs = written
                    .split(';')
                    .skip(1)
                    .map(|pair| match pair.split_once('=') {
                        Some((name, value)) => (
                            unescaped(name.as_bytes()),
                            Some(unescaped(value.as_bytes())),
                        ),
                        None => (unescaped(pair.as_bytes()), None),
                    });
                let pairs: Vec<_> = pairs.collect();
                params_text(
                    pairs
                        .iter()
                        .map(|(name, value)| (name.as_slice(), value.as_deref())),
                )
            };
            r.read(
                Aspect::ContactParams,
                all.iter().map(one).collect::<Vec<_>>().join(" "),
            );
        }
    }
    match headers.try_get_named::<ezk::Expires>() {
        Some(expires) => r.put(Aspect::Expires, expires.map(|e| Some(e.0.to_string()))),
        None => r.put(Aspect::Expires, Ok::<_, ()>(None)),
    }
    let rest = source.get(lines.head_end()..).unwrap_or_default();
    let body = match headers.try_get_named::<ezk::ContentLength>() {
        None => Some(rest),
        Some(Ok(length)) => rest.get(..length.0),
        Some(Err(_)) => None,
    };
    r.put(Aspect::Body, body.map(|body| Some(text(body))).ok_or(()));
    Some(r)
}

fn ezk_uri(uri: &SipUri) -> String {
    let scheme = if uri.sips { "sips" } else { "sip" };
    let user = match &uri.user_part {
        SipUriUserPart::Empty => None,
        SipUriUserPart::User(user) => Some(user.as_bytes()),
        SipUriUserPart::UserPw(both) => Some(both.user.as_bytes()),
    };
    uri_text(
        scheme,
        user,
        &uri.host_port.host.to_string(),
        uri.host_port.port,
    )
}
