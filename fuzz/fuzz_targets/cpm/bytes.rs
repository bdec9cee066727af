//! The bytes that operations stand for.

use std::fmt::Write as _;

use ims_procedures::{
    cpm::LegId,
    drive::Buffer,
    wire::{HeaderName, Message, Writer},
};

use crate::operations::{Establishing, Leaving, Responding, Status};

pub const ELEMENT: &str = "sip:cpm-pf1.home1.example.net:5062";

/// The client, whom alone a UID is for.
pub const CLIENT: &str = "sip:alice@home1.example.net";

/// What messages of peers say in Message-UID: no store has given it.
pub const STRANGE_UID: &str = "strange";

const REASONS: [&str; 3] = [
    "SIP;cause=200",
    "SIP;cause=480;text=\"a, b\", Q.850;cause=16",
    "SIP;cause=503;text=\"long long long long long long long long long long long long long\"",
];

const CONTACTS: [&str; 4] = [
    "<sip:n@192.0.2.77:5066>",
    "*",
    "<tel:+1>",
    "<sips:n@b.example>",
];

pub fn reason(by: u8) -> &'static str {
    REASONS[usize::from(by) % REASONS.len()]
}

pub fn status(status: Status) -> u16 {
    match status {
        Status::Ok => 200,
        Status::Of(status) => 100 + status % 600,
    }
}

/// A leg, by what its messages say of it.
pub struct Leg {
    pub id: LegId,
    pub call_id: String,
    /// The user at the other end.
    pub far: &'static str,
    near: &'static str,
    pub is_uac: bool,
    has_route: bool,
}

impl Leg {
    pub fn of(of: &Establishing, id: LegId) -> Self {
        let far = match id {
            LegId::Client => CLIENT,
            LegId::Other => "sip:bob@home2.example.net",
            LegId::Iwf(_) => "sip:iwf@home1.example.net",
        };
        let near = match (of.is_originating, id) {
            (true, LegId::Client) | (false, LegId::Iwf(_)) => "sip:bob@home2.example.net",
            _ => CLIENT,
        };
        let told = match of.is_originating {
            true => LegId::Client,
            false => LegId::Other,
        };
        Self {
            id,
            call_id: format!("{}-{id:?}", of.session % 3),
            far,
            near,
            is_uac: id != told && !of.is_proxied,
            has_route: of.has_route,
        }
    }

    /// The INVITE and its 2xx.
    pub fn invite(&self, of: &Establishing) -> [Vec<u8>; 2] {
        let route = match self.has_route {
            true => "Record-Route: <sip:scscf1.home1.example.net:6060;lr>\r\n",
            false => "",
        };
        let (from, from_tag, to, to_tag) = match self.is_uac {
            true => (self.near, "near", self.far, "far"),
            false => (self.far, "far", self.near, "near"),
        };
        let contacts = [ELEMENT, "sip:far@192.0.2.20:5070"];
        let [asking, answering] = match self.is_uac {
            true => contacts,
            false => [contacts[1], contacts[0]],
        };
        let common = format!(
            "Via: SIP/2.0/UDP x.example.net;branch=z9hG4bKi\r\n{route}From: <{from}>;tag={from_tag}\r\n\
             Call-ID: {}\r\nCSeq: 1 INVITE\r\n",
            self.call_id
        );
        let body = description();
        let mut timer = String::new();
        if let Some((seconds, is_uacs)) = of.timer {
            let refresher = if is_uacs { "uac" } else { "uas" };
            let _ = write!(
                timer,
                "Session-Expires: {seconds};refresher={refresher}\r\n"
            );
        }
        let invite = format!(
            "INVITE {to} SIP/2.0\r\n{common}Max-Forwards: 70\r\nTo: <{to}>\r\nContact: <{asking}>\r\n\
             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let response = format!(
            "SIP/2.0 200 OK\r\n{common}To: <{to}>;tag={to_tag}\r\nContact: <{answering}>\r\n{timer}\
             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut messages = [invite.into_bytes(), response.into_bytes()];
        if let Some(mutation) = of.mutation {
            mutation.apply(&mut messages[1]);
        }
        messages
    }

    /// Its BYE; of a proxied session, that of the other end if it says so.
    pub fn bye(&self, of: &Leaving, is_back: bool) -> Vec<u8> {
        let ((from, from_tag), (to, to_tag)) = match is_back {
            false => ((self.far, "far"), (self.near, "near")),
            true => ((self.near, "near"), (self.far, "far")),
        };
        let mut text = format!(
            "BYE {to} SIP/2.0\r\nVia: SIP/2.0/UDP y.example.net;branch=z9hG4bK{}\r\n\
             From: <{from}>;tag={from_tag}\r\nTo: <{to}>;tag={to_tag}\r\nCall-ID: {}\r\n\
             CSeq: {} BYE\r\nRoute: <{ELEMENT};lr>\r\nMessage-UID: {STRANGE_UID}\r\n",
            of.branch % 8,
            self.call_id,
            2 + of.cseq % 4
        );
        if let Some(hops) = of.max_forwards {
            let _ = write!(text, "Max-Forwards: {hops}\r\n");
        }
        if let Some(by) = of.reason {
            let _ = write!(text, "Reason: {}\r\n", reason(by));
        }
        text.push_str("P-Charging-Vector: icid-value=1;orig-ioi=a\r\nContent-Length: 0\r\n\r\n");
        let mut bytes = text.into_bytes();
        if let Some(mutation) = of.mutation {
            mutation.apply(&mut bytes);
        }
        bytes
    }
}

/// A session description of four streams.
pub fn description() -> String {
    let mut text =
        "v=0\r\no=- 1 1 IN IP4 192.0.2.40\r\ns=-\r\nc=IN IP4 192.0.2.40\r\nt=0 0\r\n".to_owned();
    for number in 0..4 {
        let port = 20_400 + number;
        let _ = write!(
            text,
            "m=message {port} TCP/MSRP *\r\na=path:msrp://a:{port}/s;tcp\r\n"
        );
    }
    text
}

/// The response to a request of the node.
pub fn response(of: &Responding, request: &Message<'_>) -> Vec<u8> {
    let mut buffer = Buffer::new(64 * 1024);
    let mut writer = Writer::response(&mut buffer, status(of.status));
    for name in [
        HeaderName::Via,
        HeaderName::From,
        HeaderName::To,
        HeaderName::CallId,
        HeaderName::CSeq,
    ] {
        writer.copy(request, name);
    }
    if let Some(by) = of.contact {
        let contact = CONTACTS[usize::from(by) % CONTACTS.len()];
        writer.header(HeaderName::Contact, contact.as_bytes());
    }
    if let Some((seconds, is_uacs)) = of.timer {
        let refresher = if is_uacs { "uac" } else { "uas" };
        let value = format!("{seconds};refresher={refresher}");
        writer.header(HeaderName::SessionExpires, value.as_bytes());
    }
    if let Some(seconds) = of.smallest {
        writer.number(HeaderName::MinSe, seconds.into());
    }
    if of.with_uid {
        writer.header(HeaderName::MessageUid, STRANGE_UID.as_bytes());
    }
    writer.finish();
    let mut bytes = buffer.as_slice().to_vec();
    if let Some(mutation) = of.mutation {
        mutation.apply(&mut bytes);
    }
    bytes
}
