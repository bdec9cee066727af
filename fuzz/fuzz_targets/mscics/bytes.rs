//! The bytes that operations stand for.

use std::fmt::Write as _;

use ims_procedures::{
    drive::Buffer,
    reginfo::{ContactEvent, ContactOut, DocumentState, DocumentWriter, Id, RegistrationState},
    wire::{HeaderName, Message, Writer},
};

use crate::operations::{Body, Mutation, Notifying, Registering, Status, Told};

pub const ELEMENT: &str = "sip:msc1.visited1.example.net:5060";
pub const DOMAIN: &str = "ics.mnc015.mcc234.3gppnetwork.org";
pub const CALL_ID: &str = "apb03a0s09dkjdfglkj49111";

const IDENTITIES: [&str; 4] = [
    "sip:user1_public1@home1.example.net",
    "sip:user2_public1@home1.example.net",
    "tel:+12125551111",
    "sip:x",
];
const EVENTS: [ContactEvent; 9] = [
    ContactEvent::Registered,
    ContactEvent::Created,
    ContactEvent::Refreshed,
    ContactEvent::Shortened,
    ContactEvent::Expired,
    ContactEvent::Deactivated,
    ContactEvent::Probation,
    ContactEvent::Unregistered,
    ContactEvent::Rejected,
];
const STATES: [&str; 6] = ["active", "pending", "terminated", "TERMINATED", "odd", ""];

fn pick<T: Copy>(from: &[T], by: u8) -> T {
    from[usize::from(by) % from.len()]
}

pub fn identity(by: u8) -> &'static str {
    pick(&IDENTITIES, by)
}

pub fn private_identity(user: u8) -> String {
    format!("23415099999999{}@{DOMAIN}", user % 3)
}

pub fn status(status: Status) -> u16 {
    match status {
        Status::Ok => 200,
        Status::Of(status) => 100 + status % 600,
    }
}

pub fn params(instance: Option<u8>) -> String {
    instance.map_or(String::new(), |instance| {
        format!(
            ";+sip.instance=\"<urn:gsma:imei:90420156-{}-0>\";+g.3gpp.ics=\"server\"",
            instance % 3
        )
    })
}

pub fn register(of: &Registering) -> Vec<u8> {
    let (user, identity, params) = (
        private_identity(of.user),
        identity(of.identity),
        params(of.instance),
    );
    let mut text = format!(
        "REGISTER sip:{DOMAIN} SIP/2.0\r\n\
         Via: SIP/2.0/UDP msc1.visited1.example.net:5060;branch=z9hG4bKp\r\n\
         Max-Forwards: 70\r\nFrom: <{identity}>;tag=4fa3\r\nTo: <{identity}>\r\n\
         Call-ID: {CALL_ID}\r\nCSeq: {} REGISTER\r\n",
        of.cseq
    );
    for _ in 0..of.contacts % 3 + u8::from(of.contacts < 128) {
        let _ = write!(text, "Contact: <{ELEMENT}>{params}\r\n");
    }
    if of.authorization {
        let _ = write!(
            text,
            "Authorization: Digest username=\"{user}\",realm=\"{DOMAIN}\",nonce=\"\",uri=\"sip:{DOMAIN}\",\
             response=\"\",integrity-protected=\"auth-done\"\r\n"
        );
    }
    if of.route {
        text.push_str("Route: <sip:icscf1.home1.example.net;lr>\r\n");
    }
    if of.path {
        let _ = write!(
            text,
            "Path: <{ELEMENT};lr>\r\nSupported: path\r\nRequire: path\r\n"
        );
    }
    text.push_str("P-Visited-Network-ID: \"Visited\"\r\nContent-Length: 0\r\n\r\n");
    let mut bytes = text.into_bytes();
    if let Some((true, mutation)) = of.mutation {
        mutation.apply(&mut bytes);
    }
    bytes
}

pub fn register_response(of: &Registering) -> Vec<u8> {
    let identity = identity(of.identity);
    let mut text = format!(
        "SIP/2.0 {} X\r\nVia: SIP/2.0/UDP msc1.visited1.example.net:5060;branch=z9hG4bKp\r\n\
         From: <{identity}>;tag=4fa3\r\nTo: <{identity}>;tag=409sp3\r\n\
         Call-ID: {CALL_ID}\r\nCSeq: {} REGISTER\r\n",
        status(of.status),
        of.cseq
    );
    if let Some(granted) = of.granted {
        let params = params(of.instance);
        let _ = write!(text, "Contact: <{ELEMENT}>{params};expires={granted}\r\n");
    }
    if of.associated {
        let _ = write!(
            text,
            "P-Associated-URI: <{identity}>, <tel:+12125551111>\r\n"
        );
    }
    if of.service_route {
        text.push_str("Service-Route: <sip:orig@scscf1.home1.example.net:5080;lr>\r\n");
    }
    text.push_str("Content-Length: 0\r\n\r\n");
    let mut bytes = text.into_bytes();
    if let Some((false, mutation)) = of.mutation {
        mutation.apply(&mut bytes);
    }
    bytes
}

/// A subscription of the node, as its SUBSCRIBE shows it.
pub struct Subscribed {
    pub call_id: String,
    pub tag: String,
    pub contact: String,
    pub resource: String,
}

impl Subscribed {
    pub fn of(subscribe: &Message<'_>) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let from = subscribe.from().expect("our own From");
        let contact = subscribe.name_addrs(HeaderName::Contact).next();
        Self {
            call_id: text(subscribe.call_id().expect("our own Call-ID")),
            tag: text(from.tag().expect("our own tag")),
            contact: text(contact.expect("a Contact").expect("our own").uri_bytes()),
            resource: text(subscribe.to().expect("our own To").uri_bytes()),
        }
    }
}

fn notifier(by: bool) -> &'static str {
    if by { "notifier" } else { "another" }
}

pub fn notify(of: &Notifying, to: &Subscribed) -> Vec<u8> {
    let Subscribed {
        call_id,
        tag,
        contact,
        resource,
    } = to;
    let (notifier, state) = (notifier(of.notifier), pick(&STATES, of.state));
    let body = body(&of.body);
    let mut text = format!(
        "NOTIFY {contact} SIP/2.0\r\n\
         Via: SIP/2.0/UDP scscf1.home1.example.net:5080;branch=z9hG4bKn{}\r\n\
         Max-Forwards: 70\r\nFrom: <{resource}>;tag={notifier}\r\n\
         To: <{resource}>;tag={tag}\r\nCall-ID: {call_id}\r\nCSeq: {0} NOTIFY\r\n\
         Contact: <sip:n1@scscf1.home1.example.net:5080>\r\nEvent: reg\r\n\
         Subscription-State: {state}",
        of.cseq
    );
    if let Some(expires) = of.expires {
        let _ = write!(text, ";expires={expires}");
    }
    let content_type = match of.content_type {
        true => "application/reginfo+xml",
        false => "text/plain",
    };
    let _ = write!(
        text,
        "\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(&body);
    if let Some(mutation) = of.mutation {
        mutation.apply(&mut bytes);
    }
    bytes
}

fn body(of: &Body) -> Vec<u8> {
    let (version, partial, registrations) = match of {
        Body::None => return Vec::new(),
        Body::Bytes(bytes) => return bytes.clone(),
        Body::Document {
            version,
            partial,
            registrations,
        } => (*version, *partial, registrations),
    };
    let state = if partial {
        DocumentState::Partial
    } else {
        DocumentState::Full
    };
    let mut buffer = Buffer::new(16 * 1024);
    let mut writer = DocumentWriter::new(&mut buffer, u32::from(version), state);
    for (number, registration) in registrations.iter().flatten().enumerate() {
        let state = match registration.terminated {
            true => RegistrationState::Terminated,
            false => RegistrationState::Active,
        };
        let aor = identity(registration.identity).as_bytes();
        writer.registration(aor, Id::Numbered('r', number as u64), state);
        for (number, told) in registration.contacts.iter().flatten().enumerate() {
            contact(&mut writer, number as u64, *told);
        }
    }
    writer.finish();
    buffer.as_slice().to_vec()
}

fn contact(writer: &mut DocumentWriter<'_>, number: u64, told: Told) {
    let (event, params) = (pick(&EVENTS, told.event), params(told.instance));
    let id = Id::Numbered('c', number);
    let mut out = ContactOut::new(id, event.state(), event, ELEMENT.as_bytes());
    out.expires = told.expires.map(u64::from);
    out.params_raw = params.as_bytes();
    out.callid = told.cseq.map(|_| CALL_ID.as_bytes());
    out.cseq = told.cseq.map(u64::from);
    writer.contact(&out);
}

pub struct Response {
    pub status: u16,
    pub notifier: bool,
    pub expires: Option<u16>,
    pub retry_after: Option<u16>,
    pub contact: bool,
    pub mutation: Option<Mutation>,
}

/// The response to a request of the node.
pub fn response(of: &Response, request: &Message<'_>) -> Vec<u8> {
    let mut buffer = Buffer::new(64 * 1024);
    let mut writer = Writer::response(&mut buffer, of.status);
    writer.copy(request, HeaderName::Via);
    writer.copy(request, HeaderName::From);
    let to = request.to().expect("our own To");
    let tag = [b";tag=".as_slice(), notifier(of.notifier).as_bytes()].concat();
    let tag = if to.tag().is_some() { Vec::new() } else { tag };
    writer.parts(HeaderName::To, &[to.raw(), &tag]);
    writer.copy(request, HeaderName::CallId);
    writer.copy(request, HeaderName::CSeq);
    if let Some(expires) = of.expires {
        writer.number(HeaderName::Expires, u64::from(expires));
    }
    if let Some(seconds) = of.retry_after {
        writer.number(HeaderName::RetryAfter, u64::from(seconds));
    }
    if of.contact {
        writer.header(
            HeaderName::Contact,
            b"<sip:n1@scscf1.home1.example.net:5080>",
        );
    }
    writer.finish();
    let mut bytes = buffer.as_slice().to_vec();
    if let Some(mutation) = of.mutation {
        mutation.apply(&mut bytes);
    }
    bytes
}
